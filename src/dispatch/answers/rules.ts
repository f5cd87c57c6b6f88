import { type ChannelAnswer, type ChannelCode, type ChannelNews, OTHER_CONTENT } from '../../channels/index.js';
import { bringsMoneyIn, isUnderWay, type Payout } from '../../payouts/index.js';

const FIRST_NOT_NOW_MS = 60_000;
const HOUR_MS = 3_600_000;

/** How long a payout is not given to a channel again that did not take it, by how often it had not before: 1 min doubling to 1 h. */
export function notNowDelayMs(before: number): number {
  return Math.min(FIRST_NOT_NOW_MS * 2 ** Math.min(before, 16), HOUR_MS);
}

/** What an answer makes of a payout that is under way: settled and failed become instructions; the others move no money. */
export type Reading = 'settled' | 'failed' | 'turned-away' | 'not-now' | 'under-way' | 'unknown' | 'never-received';

const READINGS: Readonly<Record<ChannelAnswer['status'], Reading>> = {
  settled: 'settled',
  failed: 'failed',
  refused: 'turned-away',
  'not-now': 'not-now',
  accepted: 'under-way',
  unknown: 'unknown',
  'not-found': 'never-received',
};

export function readAnswer(answer: ChannelAnswer): Reading {
  // Only this call was refused; an earlier order under the number may have been paid.
  if (answer.status === 'failed' && answer.reason === OTHER_CONTENT) return 'unknown';
  return READINGS[answer.status];
}

/**
 * What a piece of news means for a payout in this state: nothing new, a final result, a return of money that the books have
 * as paid out (or under way, then it must have been settled first), or a contradiction that a person has to look at. What was
 * collected and is charged back is always one: the customer may have spent it; the statement of its day makes a break of it. So is every
 * result of another amount than was ordered, and a return that does not say its amount: a reference alone proves nothing.
 */
export function readNews(
  news: Pick<ChannelNews, 'status' | 'amount' | 'doubt'>,
  channel: ChannelCode,
  payout: Pick<Payout, 'state' | 'purpose' | 'channel' | 'amount'>,
): 'old' | 'settled' | 'failed' | 'turned-away' | 'not-now' | 'returned' | 'settled-and-returned' | 'contradiction' {
  const { state } = payout;
  // That an earlier channel did not pay is why another has it now.
  const isTurnedAway = news.status === 'refused' || news.status === 'not-now';
  if (isTurnedAway && (payout.channel !== channel || !isUnderWay(state) || state === 'created')) return 'old';
  if (payout.channel !== channel || state === 'created' || (news.status === 'returned' && bringsMoneyIn(payout)))
    return 'contradiction';
  const amount = news.status === 'returned' ? news.amount : (news.amount ?? payout.amount);
  if (news.doubt !== undefined || amount !== payout.amount) return 'contradiction';
  if (isUnderWay(state)) {
    if (news.status === 'returned') return 'settled-and-returned';
    return news.status === 'refused' ? 'turned-away' : news.status;
  }
  if (news.status === state) return 'old';
  if (news.status === 'settled') return state === 'returned' ? 'old' : 'contradiction';
  return news.status === 'returned' && state === 'settled' ? 'returned' : 'contradiction';
}
