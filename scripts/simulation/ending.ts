import { addDays, type BusinessDate } from '../../src/kernel/index.js';
import type { Tx } from '../../src/runtime/index.js';
import { audit } from './audit.js';
import type { Simulation } from './simulation.js';
import { hear, letTimeWork, repair } from './steps.js';
import { HOUR } from './time.js';
import { STATEMENT_FAULTS } from './weather.js';

const BELLS_MAX = 100;
const ROUNDS_MAX = 80;
/** Returns come days after the payment: so long the run goes on after all is quiet. */
const QUIET_ROUNDS = 20;

/** No more faults: within a bounded number of rounds everything comes to its end, and then all must agree. */
export async function converge(simulation: Simulation): Promise<void> {
  simulation.bank.bank.faults.replace({});
  let quiet = 0;
  for (let round = 0; round < ROUNDS_MAX && quiet < QUIET_ROUNDS; round += 1) {
    simulation.pass(6 * HOUR);
    const worker = simulation.worker(round % 2);
    if (simulation.options.statements) await repair(simulation);
    await simulation.attempt(worker, 'sweep', ({ desk }) => letTimeWork(desk));
    for (let bells = await simulation.bells.take(simulation.chance, BELLS_MAX); bells.length > 0; ) {
      for (const bell of bells) await simulation.attempt(worker, `${bell.name} ${bell.key}`, ({ desk }) => hear(desk, bell));
      bells = await simulation.bells.take(simulation.chance, BELLS_MAX);
    }
    await simulation.witness.look();
    quiet = (await simulation.db.read('left', left)).length === 0 ? quiet + 1 : 0;
  }
  await simulation.db.read('ending', async (tx) => {
    for (const sentence of await left(tx)) simulation.violate(`at the end ${sentence}`);
    await checkDays(simulation, tx);
    await checkCustody(simulation, tx);
    await checkBreaks(simulation, tx);
  });
  await audit(simulation, true);
}

async function left(tx: Tx): Promise<string[]> {
  const found: string[] = [];
  for (const row of await tx.rows<{ shard_id: number }>('SELECT shard_id FROM inbox'))
    found.push(`an instruction of shard ${row.shard_id} is undecided`);
  const payouts = await tx.rows<{ id: string; state: string; reason: string }>(
    "SELECT id, state, reason FROM payouts WHERE state IN ('created', 'sent', 'unknown')",
  );
  for (const { id, state, reason } of payouts) found.push(`payout ${id} is ${state} (${reason})`);
  return found;
}

async function checkDays(simulation: Simulation, tx: Tx): Promise<void> {
  const today = simulation.today();
  for (const { platform_id, business_date } of await tx.rows<{ platform_id: string; business_date: string }>(
    'SELECT * FROM books',
  )) {
    if (business_date !== today) simulation.violate(`at the end ${platform_id} is open for ${business_date}, today is ${today}`);
  }
  const days = await tx.rows<{ platform_id: string; business_date: string; state: string; reason: string }>(
    "SELECT platform_id, business_date, state, reason FROM business_days WHERE state NOT IN ('closed', 'open')",
  );
  for (const day of days)
    simulation.violate(`at the end ${day.business_date} of ${day.platform_id} is ${day.state}: ${day.reason}`);
}

async function checkCustody(simulation: Simulation, tx: Tx): Promise<void> {
  const rows = await tx.rows<{ platform_id: string; balance: string }>(
    "SELECT platform_id, balance FROM accounts WHERE type = 'custody'",
  );
  const bank = new Map(simulation.bank.bank.books().custody.map(({ custodyNo, balance }) => [custodyNo, balance]));
  for (const { platform_id, balance } of rows) {
    const there = bank.get(simulation.market.side(platform_id).book.custodyNo);
    if (there !== -BigInt(balance))
      simulation.violate(`at the end custody of ${platform_id} is ${-BigInt(balance)}, at the bank ${there}`);
  }
}

/** Every break has met its other side, or a fault of the statement explains it. */
async function checkBreaks(simulation: Simulation, tx: Tx): Promise<void> {
  const rows = await tx.rows<{
    platform_id: string;
    business_date: BusinessDate;
    class: string;
    reference: string;
    state: string;
  }>('SELECT platform_id, business_date, class, reference, state FROM breaks WHERE cleared_date IS NULL');
  for (const row of rows) {
    const explained =
      simulation.options.statements && row.class !== 'state-differs' && row.state === 'closed' && isInjected(simulation, row);
    if (!explained) simulation.violate(`at the end a break stands: ${JSON.stringify(row)}`);
  }
}

function isInjected(
  { bank, market, witness }: Simulation,
  row: { platform_id: string; business_date: BusinessDate; reference: string },
): boolean {
  if (row.reference === 'OPENING' || row.reference.startsWith('XX')) return true; // what the last statement left out or made up
  const { custodyNo } = market.side(row.platform_id).book;
  bank.bank.faults.replace({ rates: { core: STATEMENT_FAULTS } });
  const booked = witness.inflowDates.get(row.reference);
  const days = booked === undefined ? Array.from({ length: 15 }, (_, place) => addDays(row.business_date, place - 7)) : [booked];
  return days.some((day) =>
    (['line-missing', 'line-amount'] as const).some(
      (fault) => bank.bank.faults.ofLine(fault, custodyNo, day, row.reference) !== undefined,
    ),
  );
}
