import type { Instant } from '../../kernel/index.js';
import type { Payout } from '../../payouts/index.js';
import { QUERY_DELAY_MAX_MS } from '../rules.js';

const HOUR_MS = 3_600_000;

/** Collections that were ordered at this moment or before are not sent any more, where so many hours are given for it. */
export function collectedSince(nowMs: Instant, hours: bigint): Instant {
  return (nowMs - Number(hours) * HOUR_MS) as Instant;
}

/**
 * What becomes of a collection that its channel says it never received: undefined, it is sent again. When its time is over it stays for as
 * long as somebody who sent it again just before may take, and then it is ended.
 */
export function isLapsed({ createdMs }: Pick<Payout, 'createdMs'>, nowMs: Instant, hours: bigint): 'stay' | 'end' | undefined {
  const since = collectedSince(nowMs, hours);
  if (createdMs > since) return undefined;
  return createdMs + 2 * QUERY_DELAY_MAX_MS > since ? 'stay' : 'end';
}
