import { CHANNELS, type ChannelCode, isCollecting } from '../../channels/index.js';
import type { Instant, Minor } from '../../kernel/index.js';
import { bringsMoneyIn, type Payout } from '../../payouts/index.js';
import { type Judged, judge, loadChannelTable, ROUTE_REASONS, standingOf } from '../../routing/index.js';
import { loadParameters, type Runtime, type Tx } from '../../runtime/index.js';
import { freeOf } from '../floats/floats.js';
import { loadFloats } from '../floats/store.js';
import { positionWith, toRoutable } from './plan.js';
import { readPosition } from './position.js';
import { type Attempt, findPlan } from './store.js';

/** Why a payout does not go by a channel: what keeps the channel from carrying it at all, and then what speaks for another. */
export const WHY_NOT = [...ROUTE_REASONS, 'not-cheaper', 'late', 'needed-by-others'] as const;

/** The same in words, for documents. */
export const WHY_NOT_WORDS: Readonly<Record<(typeof WHY_NOT)[number], { readonly en: string; readonly zh: string }>> = {
  reach: { en: "It does not get to the payee's bank, or leaves the bank for a payee who is there", zh: '通道不可达收款行' },
  'refused-before': { en: 'It said for certain that it will not pay this one', zh: '该通道已明确拒绝此笔' },
  'below-minimum': { en: 'It carries no amount as small', zh: '低于单笔下限' },
  'above-limit': { en: 'It carries no amount as large; nothing is split to slip under it', zh: '超过单笔上限' },
  maintenance: { en: 'It is being worked on', zh: '通道维护中' },
  closed: { en: 'It is outside its hours or days', zh: '非通道运行时间' },
  'circuit-open': { en: 'It failed too often of late', zh: '通道熔断中' },
  'not-now': { en: 'It did not take this one for the time being; it may have it again later', zh: '通道暂不受理，稍后再试' },
  capacity: { en: 'It has carried all that it carries in a day, or others of the batch save more there', zh: '通道当日笔数已满' },
  float: { en: 'What the bank has there does not suffice, or others of the batch save more there', zh: '通道备付金不足' },
  'not-cheaper': { en: 'It could carry it, for no less', zh: '费用不低于所选通道' },
  late: { en: 'It would break the promised speed, or break it more', zh: '到账时效不及所选通道' },
  'needed-by-others': {
    en: 'It was cheaper and had room, which others of the batch took who save more there',
    zh: '额度让给同批次节省更多的款项',
  },
};

/** Another channel, as it stood when the payout was routed; of one that waits, as it stands now. */
export interface Other {
  readonly channel: ChannelCode;
  readonly why: (typeof WHY_NOT)[number];
  /** What it would have cost, fen, and when it would have arrived; null where it could not carry the payout at all. */
  readonly cost: Minor | null;
  readonly arrivesAt: Instant | null;
}

/**
 * For every other channel of its direction why a payout that was routed did not go by it: worked out anew from what the channels had left when its
 * batch was routed and from the terms of that day. Of a payout that waits for a channel: what keeps each from carrying it now.
 * @param attempts all of the payout's, of which the last is the one that is asked about
 */
export async function whyThisWay(
  tx: Tx,
  rt: Pick<Runtime, 'clock' | 'calendar'>,
  payout: Payout,
  attempts: readonly Attempt[],
): Promise<Other[]> {
  if (payout.state === 'created' && payout.channel === null) return whyWaiting(tx, rt, payout, attempts);
  const { calendar } = rt;
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

async function whyWaiting(
  tx: Tx,
  rt: Pick<Runtime, 'clock' | 'calendar'>,
  payout: Payout,
  attempts: readonly Attempt[],
): Promise<Other[]> {
  const atMs = rt.clock.now();
  const position = await positionWith(tx, rt, freeOf(await loadFloats(tx)));
  const bare = { ...payout, bankCode: payout.payee.bankCode };
  const routable = toRoutable(bare, attempts, await loadParameters(tx), atMs);
  return CHANNELS.filter((channel) => isCollecting(channel) === bringsMoneyIn(payout)).flatMap((channel) => {
    const standing = standingOf(position, channel, atMs);
    const judged = standing && judge(standing, routable);
    // One that could carry it gets it when payouts are next looked at.
    return judged === undefined || judged.may ? [] : [{ channel, why: judged.why, cost: null, arrivesAt: null }];
  });
}

function otherOf(judged: Judged, chosen: Attempt, arrivesBy: Instant | null): Other {
  const { channel } = judged;
  if (!judged.may) return { channel, why: judged.why, cost: null, arrivesAt: null };
  const { cost, arrivesAt } = judged;
  const isLate = arrivesBy !== null && arrivesAt > arrivesBy && arrivesAt > chosen.arrivesMs;
  const why = isLate ? 'late' : cost >= chosen.cost ? 'not-cheaper' : 'needed-by-others';
  return { channel, why, cost, arrivesAt };
}
