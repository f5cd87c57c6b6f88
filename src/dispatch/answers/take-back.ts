import type { Id, Instant } from '../../kernel/index.js';
import { type Payout, stillWith, takeBack } from '../../payouts/index.js';
import type { Tx } from '../../runtime/index.js';
import type { Desk } from '../desk.js';
import { endAttempts, sendingsTo } from '../plan/store.js';
import { channelOf, groupBy } from '../rules.js';
import { findDispatches, forgetDispatches } from '../store.js';
import { keepTexts } from '../texts/store.js';
import { notNowDelayMs } from './rules.js';

/** A payout that its channel did not pay for now. */
export interface NotNow {
  readonly payout: Payout;
  readonly reason: string;
  /** The sending that was answered so; absent where the channel was asked, or told it by itself. */
  readonly batchId?: Id | undefined;
}

/**
 * Takes payouts back that a channel did not pay and could pay later: planning gives each another channel, or the same one after a while that
 * doubles. But the channel takes the number again, so that a sending of which nothing is known might be paid when it arrives at last. So one is
 * only taken back where it is known which sending was answered, and that no other is under way: the answer to the one sending of this attempt, or any
 * word where the channel was handed it once in all. Answers those that stay with their channel: they can but be sent to it again.
 */
export async function takeBackNotNow({ rt }: Pick<Desk, 'rt'>, told: readonly NotNow[]): Promise<NotNow[]> {
  if (told.length === 0) return [];
  const nowMs = rt.clock.now();
  const groups = groupBy(told, ({ payout, reason }) => JSON.stringify([payout.state, payout.channel, reason]));
  let stay: NotNow[] = [];
  await rt.db.withTx(
    'take-back-not-now',
    async (tx) => {
      stay = [];
      for (const group of groups.values()) stay.push(...(await takeBackGroup(tx, group, nowMs)));
      return true;
    },
    async () => undefined,
  );
  return stay;
}

async function takeBackGroup(tx: Tx, group: readonly NotNow[], nowMs: Instant): Promise<NotNow[]> {
  const { payout, reason } = group[0] as NotNow;
  const of = { from: payout.state, channel: channelOf(payout) };
  const ids = group.map((each) => each.payout.id);
  const still = new Set(await stillWith(tx, ids, of)); // whoever sends one writes its row first
  const here = group.filter((each) => still.has(each.payout.id));
  const sendings = await sendingsTo(tx, [...still], of.channel);
  const dispatches = await findDispatches(tx, [...still]);
  const isSure = ({ payout: { id }, batchId }: NotNow) => {
    const { inAll = 0, open = 0 } = sendings.get(id) ?? {};
    return inAll === 1 || (open === 1 && batchId !== undefined && dispatches.get(id)?.batchId === batchId);
  };
  const sure = here.filter(isSure).map((each) => each.payout.id);
  for (const [before, same] of groupBy(sure, (id) => sendings.get(id)?.notNow ?? 0)) {
    await takeBack(tx, same, { ...of, reason, nowMs });
    await keepTexts(tx, same);
    const againMs = (nowMs + notNowDelayMs(before)) as Instant;
    await endAttempts(tx, same, { channel: of.channel, refused: false, reason, nowMs, againMs });
    await forgetDispatches(tx, same);
  }
  return here.filter((each) => !isSure(each));
}

/**
 * Takes payouts back that a channel said that it did not pay and never will: another may be given them. The attempt stays on record.
 */
export async function turnAway(
  { rt }: Desk,
  turned: readonly { readonly payout: Payout; readonly reason: string }[],
): Promise<void> {
  const nowMs = rt.clock.now();
  const groups = groupBy(turned, ({ payout, reason }) => JSON.stringify([payout.state, payout.channel, reason]));
  if (groups.size === 0) return;
  await rt.db.withTx(
    'turn-away',
    async (tx) => {
      for (const group of groups.values()) {
        const { payout, reason } = group[0] as (typeof turned)[number];
        const ids = group.map((each) => each.payout.id);
        const of = { from: payout.state, channel: channelOf(payout), reason, nowMs };
        const back = await takeBack(tx, ids, of);
        if (back.length === 0) continue;
        await keepTexts(tx, back);
        await endAttempts(tx, back, { channel: of.channel, refused: true, reason, nowMs });
        await forgetDispatches(tx, back);
      }
      return true;
    },
    async () => undefined,
  );
}
