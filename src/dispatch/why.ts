import { CHANNELS, type ChannelCode, isCollecting } from '../channels/index.js';
import type { Calendar, Instant, Minor } from '../kernel/index.js';
import { bringsMoneyIn, type Payout } from '../payouts/index.js';
import { type Judged, judge, loadChannelTable, ROUTE_REASONS, standingOf } from '../routing/index.js';
import { loadParameters, type Tx } from '../runtime/index.js';
import { toRoutable } from './plan.js';
import { type Attempt, findPlan } from './plan-store.js';
import { readPosition } from './position.js';

/**
 * Why a payout did not go by another channel. Beside what keeps a channel from carrying it at all: `not-cheaper`; `late`, it would break the promised
 * speed, or break it more; `needed-by-others`, it was cheaper and had room, which others of the batch took who save more there.
 */
export const WHY_NOT = [...ROUTE_REASONS, 'not-cheaper', 'late', 'needed-by-others'] as const;

/** Another channel, as it stood when the payout was routed. */
export interface Other {
  readonly channel: ChannelCode;
  readonly why: (typeof WHY_NOT)[number];
  /** What it would have cost, fen, and when it would have arrived; null where it could not carry the payout at all. */
  readonly cost: Minor | null;
  readonly arrivesAt: Instant | null;
}

/**
 * For every other channel of its direction why a payout that was routed did not go by it: worked out anew from what the channels had left when its
 * batch was routed and from the terms of that day.
 * @param attempts all of the payout's, of which the last is the one that is asked about
 */
export async function whyThisWay(
  tx: Tx,
  { calendar }: { readonly calendar: Calendar },
  payout: Payout,
  attempts: readonly Attempt[],
): Promise<Other[]> {
  const last = attempts.at(-1);
  const plan = last === undefined ? undefined : await findPlan(tx, last.planId);
  if (last === undefined || plan === undefined) return [];
  const position = { ...readPosition(plan.position), calendar, table: await loadChannelTable(tx, plan.atMs) };
  const before = attempts.filter(({ attempt }) => attempt < last.attempt);
  const bare = { ...payout, bankCode: payout.payee.bankCode };
  const routable = toRoutable(bare, before, await loadParameters(tx), plan.atMs);
  return CHANNELS.filter((channel) => channel !== last.channel && isCollecting(channel) === bringsMoneyIn(payout)).flatMap(
    (channel) => {
      const standing = standingOf(position, channel, plan.atMs);
      return standing === undefined ? [] : [otherOf(judge(standing, routable), last, routable.arrivesBy ?? null)];
    },
  );
}

function otherOf(judged: Judged, chosen: Attempt, arrivesBy: Instant | null): Other {
  const { channel } = judged;
  if (!judged.may) return { channel, why: judged.why, cost: null, arrivesAt: null };
  const { cost, arrivesAt } = judged;
  const isLate = arrivesBy !== null && arrivesAt > arrivesBy && arrivesAt > chosen.arrivesMs;
  const why = isLate ? 'late' : cost >= chosen.cost ? 'not-cheaper' : 'needed-by-others';
  return { channel, why, cost, arrivesAt };
}
