import type { ChannelAnswer } from '../../channels/index.js';
import type { Id, Instant } from '../../kernel/index.js';
import { movePayouts, openPayee, type Payout, type PayoutState } from '../../payouts/index.js';
import { type Desk, type Directive, failedDirective, settledDirective } from '../desk.js';
import { groupBy, queryDelayMs, tidyReason, withoutPayee } from '../rules.js';
import { readAnswer } from './rules.js';
import { type NotNow, takeBackNotNow, turnAway } from './take-back.js';

/** Whether a channel said anything that can be used. */
export function isUsable(answers: readonly ChannelAnswer[]): boolean {
  return answers.length === 0 || answers.some((answer) => answer.status !== 'unknown');
}

export interface Answered {
  readonly payout: Payout;
  readonly answer: ChannelAnswer;
  /** The sending to which it is the answer; absent of an answer to a question. */
  readonly batchId?: Id;
}

/**
 * Reads answers of a channel: final ones make instructions; what it turned away, or did not take for now, goes back to the plan; the others only move
 * the payout between `sent` and `unknown` and say when it is asked after next. Tells apart what the channel never received, or did not
 * take and has to be sent again.
 */
export async function takeAnswers(
  desk: Desk,
  answered: readonly Answered[],
): Promise<{ directives: Directive[]; neverReceived: Payout[] }> {
  const directives: Directive[] = [];
  const moves: Move[] = [];
  const neverReceived: Payout[] = [];
  const turned: { payout: Payout; reason: string }[] = [];
  const notNow: NotNow[] = [];
  for (const { payout, answer, batchId } of answered) {
    const reading = readAnswer(answer);
    if (reading === 'settled') directives.push(settledDirective(payout));
    else if (reading === 'failed') directives.push(failedDirective(payout, wordsOf(desk, payout, answer.reason)));
    else if (reading === 'turned-away') turned.push({ payout, reason: tidyReason(wordsOf(desk, payout, answer.reason)) });
    else if (reading === 'not-now') notNow.push({ payout, batchId, reason: tidyReason(wordsOf(desk, payout, answer.reason)) });
    else if (reading === 'never-received') neverReceived.push(payout);
    else
      moves.push({
        payout,
        to: reading === 'unknown' ? 'unknown' : 'sent',
        reason: reading === 'unknown' ? tidyReason(wordsOf(desk, payout, answer.reason)) : null,
      });
    if (reading !== 'under-way' && reading !== 'never-received') {
      desk.rt.metrics.payouts.inc({ channel: payout.channel ?? '', state: reading });
    }
  }
  for (const { payout, batchId, reason } of await takeBackNotNow(desk, notNow)) {
    // Just sent again in vain, it waits as what is unknown does.
    if (batchId === undefined) neverReceived.push(payout);
    else moves.push({ payout, to: 'unknown', reason });
  }
  await putOff(desk, moves);
  await turnAway(desk, turned);
  return { directives, neverReceived };
}

/** What a channel says of a payout, fit to be kept. */
export function wordsOf({ rt }: Desk, payout: Payout, reason: string | undefined): string | undefined {
  return reason === undefined ? undefined : withoutPayee(reason, openPayee(payout, rt.vault));
}

export interface Move {
  readonly payout: Payout;
  readonly to: PayoutState;
  readonly reason: string | null;
}

/** Says when payouts are asked after next. One that got its result meanwhile is left alone. */
export async function putOff({ rt }: Desk, moves: readonly Move[]): Promise<void> {
  if (moves.length === 0) return;
  const nowMs = rt.clock.now();
  const groups = groupBy(moves, ({ payout, to, reason }) =>
    JSON.stringify([payout.state, payout.channel, to, payout.attempts, reason]),
  );
  await rt.db.withTx(
    'put-off-payouts',
    async (tx) => {
      for (const group of groups.values()) {
        const { payout, to, reason } = group[0] as Move;
        const nextMs = (nowMs + queryDelayMs(payout.attempts)) as Instant;
        await movePayouts(
          tx,
          group.map((each) => each.payout.id),
          payout.state,
          to,
          { nowMs, nextMs, reason, with: payout.channel },
        );
      }
      return true;
    },
    async () => undefined,
  );
}
