import { type Instant, naturalDate } from '../../kernel/index.js';
import { bringsMoneyIn, lapsedCollections, type Payout } from '../../payouts/index.js';
import { loadParameters, type Tx } from '../../runtime/index.js';
import { type Desk, decideNow, lapsedDirective } from '../desk.js';
import { collectedSince, isLapsed } from './rules.js';

const LAPSED_MAX = 1_000;

/**
 * Ends collections that were not sent in their time: their accounts were frozen or blocked meanwhile, or their platforms stopped. A customer
 * who said yes today is not debited in some weeks, when nobody thinks of it any more. Answers how many were looked at.
 */
export async function lapseCollections(desk: Desk): Promise<number> {
  const { db, clock } = desk.rt;
  const lapsed = await db.read('lapsed-collections', async (tx) =>
    lapsedCollections(tx, collectedSince(clock.now(), await hoursToCollect(tx, clock.now())), LAPSED_MAX),
  );
  await decideNow(desk, lapsed.map(lapsedDirective));
  return lapsed.length;
}

/** How many hours a collection may wait to be sent, as it is today. */
export async function hoursToCollect(tx: Tx, nowMs: Instant): Promise<bigint> {
  return (await loadParameters(tx)).on(naturalDate(nowMs), 'collection.hours');
}

/** Whether these are collections whose time is over: `stay` as they are for now, since one may just be on its way, or `end`. */
export async function overdueOf(
  { rt }: Desk,
  payouts: readonly Payout[],
): Promise<(payout: Payout) => 'stay' | 'end' | undefined> {
  if (!payouts.some(bringsMoneyIn)) return () => undefined;
  const nowMs = rt.clock.now();
  const hours = await rt.db.read('hours-to-collect', (tx) => hoursToCollect(tx, nowMs));
  return (payout) => (bringsMoneyIn(payout) ? isLapsed(payout, nowMs, hours) : undefined);
}
