import type { Books } from '../../src/channels/simulator/index.js';
import type { Tx } from '../../src/runtime/index.js';
import { violations } from '../../test/support/invariants.js';
import { pictureOfBooks, pictureOfModel } from '../../test/support/world/world.js';
import type { Simulation } from './simulation.js';

/** Looks at everything: the tables against themselves, the books against the model, the payouts against the bank. */
export async function audit(simulation: Simulation, atTheEnd = false): Promise<void> {
  const { db, market, model, witness } = simulation;
  for (const sentence of await violations(db)) simulation.violate(sentence);
  await db.read('audit', async (tx) => {
    await checkOutcomes(simulation, tx);
    await checkPayouts(simulation, tx, atTheEnd);
    for (const { platform_id, business_date } of await tx.rows<{ platform_id: string; business_date: string }>(
      'SELECT * FROM books',
    )) {
      if (model.platform(platform_id).date < business_date) model.openDate(platform_id, business_date);
    }
  });
  const ids = market.sides.map(({ book }) => book.platformId);
  compare(simulation, await pictureOfBooks(db, ids), pictureOfModel(model));
  if (witness.decided.size === 0 && atTheEnd) simulation.violate('nothing was decided at all');
}

const UNDER_WAY = / (created|sent|unknown)$/;

function compare(simulation: Simulation, books: Record<string, string>, model: Record<string, string>): void {
  for (const key of new Set([...Object.keys(books), ...Object.keys(model)])) {
    const [ours, theirs] = [books[key], model[key]].map((line) => line?.replace(UNDER_WAY, ' under way'));
    if (ours !== theirs) simulation.violate(`${key}: the books have ${ours}; by the rules ${theirs}`);
  }
}

/** An outcome never changes, and whatever was answered is on the books. */
async function checkOutcomes(simulation: Simulation, tx: Tx): Promise<void> {
  const { witness, memory } = simulation;
  const rows = await tx.rows<{ id: string; state: string | null; code: string | null }>(
    'SELECT i.id, o.state, o.code FROM instructions AS i LEFT JOIN outcomes AS o ON o.instruction_id = i.id',
  );
  const there = new Map(rows.map((row) => [row.id, row.code ?? row.state]));
  for (const [id, { result }] of witness.decided)
    if (there.get(id) !== result) simulation.violate(`${id} was ${result} and is ${there.get(id)}`);
  for (const id of memory.ids()) if (!there.has(id)) simulation.violate(`${id} was answered as received and is not on the books`);
}

interface PayoutRow {
  id: string;
  state: string;
  amount: string;
  channel: string | null;
}

async function checkPayouts(simulation: Simulation, tx: Tx, atTheEnd: boolean): Promise<void> {
  const books = simulation.bank.bank.books();
  if (books.totals.paidTwice !== 0) simulation.violate(`the bank paid ${books.totals.paidTwice} payouts twice`);
  const payouts = new Map(
    (await tx.rows<PayoutRow>('SELECT id, state, amount, channel FROM payouts')).map((row) => [row.id, row]),
  );
  const paid = new Map<string, Books['payments'][number]>();
  for (const payment of books.payments) {
    const payout = payouts.get(payment.messageNo);
    if (payout === undefined) simulation.violate(`the bank was told to pay ${payment.messageNo}, which is not on the books`);
    else if (BigInt(payout.amount) !== payment.amount) simulation.violate(`${payout.id} was sent with another amount`);
    if (paid.has(payment.messageNo)) simulation.violate(`${payment.messageNo} went to both channels`);
    paid.set(payment.messageNo, payment);
  }
  for (const { id, state } of payouts.values()) {
    const { timesPaid = 0, timesReturned = 0 } = paid.get(id) ?? {};
    const found = `${state} in the books, paid ${timesPaid} and returned ${timesReturned} times`;
    const wrong =
      timesPaid > 1 ||
      (state === 'created' && paid.has(id)) ||
      (state === 'failed' && timesPaid > 0) ||
      (state === 'settled' && (timesPaid !== 1 || (atTheEnd && timesReturned > 0))) ||
      (state === 'returned' && timesReturned !== 1);
    if (wrong) simulation.violate(`payout ${id}: ${found}`);
  }
}
