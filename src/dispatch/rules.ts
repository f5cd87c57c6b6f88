import { type ChannelAnswer, type ChannelCode, type ChannelNews, OTHER_CONTENT } from '../channels/index.js';
import { type Instant, maskCardNumber, maskName, VIRTUAL_PREFIX } from '../kernel/index.js';
import { bringsMoneyIn, isUnderWay, type Payout } from '../payouts/index.js';

const FIRST_QUERY_MS = 2_000;
const QUERY_DELAY_MAX_MS = 300_000;
const FIRST_NOT_NOW_MS = 60_000;
const HOUR_MS = 3_600_000;
const REASON_MAX = 128; // what the books keep

/** How the reason of a payout begins that no channel can carry for now. */
export const WAITS = 'waits for a channel';

/** How long a payout is not given to a channel again that did not take it, by how often it had not before: 1 min doubling to 1 h. */
export function notNowDelayMs(before: number): number {
  return Math.min(FIRST_NOT_NOW_MS * 2 ** Math.min(before, 16), HOUR_MS);
}

/** How long to wait before a payout is asked after, by how often it was sent, asked after or put off before: 2 s doubling to 5 min. */
export function queryDelayMs(attempts: number): number {
  return Math.min(FIRST_QUERY_MS * 2 ** Math.min(attempts, 16), QUERY_DELAY_MAX_MS);
}

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

/** Words of a channel without the payee's name and account number in them: they are kept and shown as they are. */
export function withoutPayee(reason: string | undefined, { name, account }: Payout['payee']): string | undefined {
  const masked = account === '' ? reason : reason?.replaceAll(account, maskCardNumber(account));
  return name === '' ? masked : masked?.replaceAll(name, maskName(name));
}

/** Words from outside in the form that the books take: one line, at most 128 characters, never empty. */
export function tidyReason(reason: string | undefined, otherwise = 'no reason given'): string {
  let tidy = '';
  for (const char of (reason ?? '').replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()) {
    if (tidy.length + char.length > REASON_MAX) break;
    tidy += char;
  }
  return tidy.trim() || otherwise;
}

const CUSTODY_NO_MAX = 32;

/**
 * What of a number may be that of a custody account: itself or its beginning, the longest first. A number of the form of our virtual accounts
 * names none, however it is misspelt: it goes back.
 */
export function custodyNumbersIn(virtualNo: string): string[] {
  const number = virtualNo.trim();
  if (number.startsWith(VIRTUAL_PREFIX)) return [];
  const longest = Math.min(number.length, CUSTODY_NO_MAX);
  return Array.from({ length: longest }, (_, place) => number.slice(0, longest - place));
}

/** Things of one key together, in the order in which the keys came. */
export function groupBy<T, K>(things: readonly T[], keyOf: (thing: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const thing of things) {
    const key = keyOf(thing);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [thing]);
    else group.push(thing);
  }
  return groups;
}
