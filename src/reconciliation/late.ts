import type { Desk } from '../dispatch/index.js';
import { addDays } from '../kernel/index.js';
import { dueSums } from '../payouts/index.js';
import type { Tx } from '../runtime/index.js';
import { type DayToReconcile, fetchStatement } from './reconcile.js';
import { type Break, clearBreaks, listBreaks } from './store.js';

const BREAKS_MAX = 200;

/**
 * What stopped a day, where all of it is what channels had not paid over, has come when the statement of the next day is there and shows every sum
 * as the books expect it: then it is not the bank that stands in for it, and no person need close them. Answers what closes the breaks, to
 * be committed with what goes on then; undefined while there is anything else. Fetches over the network; call it outside any transaction.
 */
export async function cameLate(desk: Desk, day: DayToReconcile): Promise<((tx: Tx) => Promise<void>) | undefined> {
  const { db, clock } = desk.rt;
  const { platformId, date } = day;
  const { open, due } = await db.read('late-sums', async (tx) => ({
    open: (await listBreaks(tx, { platformId, party: 'core-bank', state: 'open' }, BREAKS_MAX)).filter(({ timing }) => !timing),
    due: await dueSums(tx, platformId),
  }));
  const expected = new Map(due.map(({ reference, amount }) => [reference, amount]));
  const isLate = (of: Break) =>
    of.class === 'only-ours' && of.theirAmount === null && expected.get(of.reference) === of.ourAmount;
  if (open.length === 0 || open.length === BREAKS_MAX || !open.every(isLate)) return undefined;
  const next = addDays(date, 1);
  const came = new Map(open.map(({ reference }) => [reference, 0n]));
  const statement = await fetchStatement(desk, { ...day, date: next }, ({ reference, amount }) => {
    const before = came.get(reference);
    if (before !== undefined) came.set(reference, before + amount);
    return undefined;
  });
  if (typeof statement === 'string') return undefined;
  if (!open.every(({ reference, ourAmount }) => came.get(reference) === ourAmount)) return undefined;
  const ids = open.map(({ id }) => id);
  return (tx) => clearBreaks(tx, ids, next, clock.now());
}
