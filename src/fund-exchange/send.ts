import { BankRefused, type FundApplication } from '../channels/index.js';
import type { Desk } from '../dispatch/index.js';
import { closedAt, type Fund, listFundOrders, markFundOrdersSent } from '../funds/index.js';
import { type BusinessDate, type Id, invariant } from '../kernel/index.js';
import { lockShard, shardIds } from '../ledger/index.js';
import { inPages } from '../runtime/index.js';
import { applicationOf, daysToSend } from './rules.js';
import { countFileOrders, fileOrders, insertFileOrders, listFiles, noteFiles } from './store.js';

const PAGE = 1_000;

/**
 * Hands in the orders of every trading day that is closed, oldest first; also none at all. @returns how many files were handed in
 * @throws BankUnreachable when it is not known whether a file is there: it is handed in again
 */
export async function sendFundOrders(desk: Desk, company: string, funds: readonly Fund[]): Promise<number> {
  const { rt } = desk;
  const [last] = await rt.db.read('last-fund-file', (tx) =>
    listFiles(tx, { company, kind: 'applications', state: 'handed-in' }, 1),
  );
  let handedIn = 0;
  for (const date of daysToSend(rt.calendar, last?.date, rt.clock.now())) {
    for (const shardId of await rt.db.read('shards', shardIds))
      for (const { code } of funds) while ((await fill(desk, { company, date, shardId, fund: code })) === PAGE);
    if (!(await handIn(desk, company, date))) return handedIn;
    handedIn += 1;
  }
  return handedIn;
}

/**
 * Puts orders of a fund into the file, and marks them in the same commit. Under the shard's row, whose time stands behind the end of the day from then on:
 * no order for it is decided there any more.
 */
async function fill(
  { rt }: Desk,
  { company, date, shardId, fund }: { company: string; date: BusinessDate; shardId: number; fund: string },
): Promise<number> {
  return rt.db.withTx('fill-fund-file', async (tx) => {
    const { nowMs } = await lockShard(tx, shardId, rt.clock.now());
    invariant(nowMs >= closedAt(date), `the trading day ${date} is over`);
    const orders = await listFundOrders(tx, { shardId, fund, states: ['created'], tradedUntil: date }, PAGE);
    if (orders.length === 0) return 0;
    await insertFileOrders(tx, { company, date }, orders);
    const ids = orders.map(({ id }) => id);
    const marked = await markFundOrdersSent(tx, ids, nowMs);
    invariant(marked === orders.length, `${marked} of ${orders.length} orders were to be sent`);
    return orders.length;
  });
}

/** @returns false when the company has another file of that date: people have to look at it, and what comes behind it waits */
async function handIn({ rt, channels }: Desk, company: string, date: BusinessDate): Promise<boolean> {
  const count = await rt.db.read('count-fund-file', (tx) => countFileOrders(tx, company, date));
  const of = { company, date, kind: 'applications' as const, count, why: null };
  await rt.db.withTx('note-fund-file', (tx) =>
    noteFiles(tx, [{ ...of, state: 'filling', digest: null, changedMs: rt.clock.now() }]),
  );
  async function* pages(): AsyncGenerator<readonly FundApplication[]> {
    const read = (after: Id) => rt.db.read('page-of-fund-file', (tx) => fileOrders(tx, { company, date }, after, PAGE));
    for await (const orders of inPages(PAGE, ({ order }) => order.id, read)) yield orders.map(applicationOf);
  }
  try {
    const { digest } = await channels.funds.handIn(company, date, count, pages);
    await rt.db.withTx('note-fund-file', (tx) =>
      noteFiles(tx, [{ ...of, state: 'handed-in', digest, changedMs: rt.clock.now() }]),
    );
    return true;
  } catch (error) {
    if (!(error instanceof BankRefused)) throw error;
    rt.log.error({ event: 'fund-file.refused', company, date, why: error.message.slice(0, 200) });
    return false;
  }
}
