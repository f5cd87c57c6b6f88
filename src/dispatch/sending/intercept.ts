import { type Id, type Instant, Refused, refuse } from '../../kernel/index.js';
import { lockShard } from '../../ledger/index.js';
import { endIntercepts, findPayout, insertIntercept, isIntercepted, openIntercepts, type Payout } from '../../payouts/index.js';
import type { Tx } from '../../runtime/index.js';
import { type Desk, decideNow, unsentDirective } from '../desk.js';

const INTERCEPTS_MAX = 500;

/** Who stops a payout, and why. */
export interface Intercept {
  readonly payoutId: Id;
  readonly askedBy: string;
  readonly reason: string;
}

/**
 * Stops a payout that no channel has heard of (拦截): from the commit on it is not sent, and its money goes back where it came from. Asking
 * again changes nothing.
 * @throws Refused NOT_FOUND, PAYOUT_STATE_CONFLICT once it was sent
 */
export async function intercept(tx: Tx, { payoutId, askedBy, reason }: Intercept, nowMs: Instant): Promise<Payout> {
  const found = await findPayout(tx, payoutId);
  if (found === undefined) throw new Refused(refuse('NOT_FOUND'));
  await lockShard(tx, found.shardId, nowMs); // whoever sends it looks under this lock
  const payout = await findPayout(tx, payoutId);
  if (payout !== undefined && (await isIntercepted(tx, payoutId))) return payout;
  if (payout?.state !== 'created')
    throw new Refused(refuse('PAYOUT_STATE_CONFLICT', 'It was sent already, or has its result.', { from: payout?.state ?? '' }));
  await insertIntercept(tx, { payoutId, askedBy, reason }, nowMs);
  return payout;
}

/** Ends payouts that were stopped: each fails with the words of who stopped it. Answers how many. */
export async function endIntercepted(desk: Desk): Promise<number> {
  const { db } = desk.rt;
  const open = await db.read('intercepts', (tx) => openIntercepts(tx, INTERCEPTS_MAX));
  if (open.length === 0) return 0;
  await decideNow(
    desk,
    open.map(({ payout, reason }) => unsentDirective(payout, `intercepted:${payout.id}`, reason)),
  );
  await db.withTx(
    'end-intercepts',
    (tx) =>
      endIntercepts(
        tx,
        open.map(({ payout }) => payout.id),
      ).then(() => true),
    async () => true,
  );
  return open.length;
}
