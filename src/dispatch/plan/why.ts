import { CHANNELS, type ChannelCode, isCollecting } from '../../channels/index.js';
import type { Instant, Minor } from '../../kernel/index.js';
import { bringsMoneyIn, type Payout } from '../../payouts/index.js';
import type { Routable } from '../../routing/index.js';
import { type Judged, judge, ROUTE_REASONS, standingOf } from '../../routing/index.js';
import type { Runtime, Tx } from '../../runtime/index.js';
import { type Situation, situationNow, situationOf } from './situation.js';
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
  const wanted = [{ ...payout, bankCode: payout.payee.bankCode }];
  if (payout.state === 'created' && payout.channel === null) {
    const now = await situationNow(tx, rt, wanted);
    // One that could carry it gets it when payouts are next looked at.
    return judgedOf(now, payout).flatMap((judged) => (judged.may ? [] : [barred(judged)]));
  }
  const last = attempts.at(-1);
  const plan = last === undefined ? undefined : await findPlan(tx, last.planId);
  if (last === undefined || plan === undefined) return [];
  const then = await situationOf(tx, rt, plan, wanted);
  return judgedOf(then, payout)
    .filter(({ channel }) => channel !== last.channel)
    .map((judged) => otherOf(judged, last, then.payouts[0]?.arrivesBy ?? null));
}

/** What each channel of its direction would do with the one payout of a situation. */
function judgedOf({ position, payouts, atMs }: Situation, payout: Payout): Judged[] {
  return CHANNELS.filter((channel) => isCollecting(channel) === bringsMoneyIn(payout)).flatMap((channel) => {
    const standing = standingOf(position, channel, atMs);
    return standing === undefined ? [] : [judge(standing, payouts[0] as Routable)];
  });
}

function otherOf(judged: Judged, chosen: Attempt, arrivesBy: Instant | null): Other {
  if (!judged.may) return barred(judged);
  const { channel, cost, arrivesAt } = judged;
  const isLate = arrivesBy !== null && arrivesAt > arrivesBy && arrivesAt > chosen.arrivesMs;
  const why = isLate ? 'late' : cost >= chosen.cost ? 'not-cheaper' : 'needed-by-others';
  return { channel, why, cost, arrivesAt };
}

function barred({ channel, why }: Judged & { readonly may: false }): Other {
  return { channel, why, cost: null, arrivesAt: null };
}
