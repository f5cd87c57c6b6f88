import type { ChannelCode } from '../../channels/index.js';
import { addDays, type BusinessDate, type Calendar, type Instant, isWorkingDay, type Minor } from '../../kernel/index.js';

/** On how many days before a forecast looks back. */
const DAYS_LIKE_THIS = 4;

/** What is known of a channel's float for the rest of a natural day; fen. */
export interface Outlook {
  readonly channel: ChannelCode;
  readonly free: Minor;
  readonly alertBelow: Minor | null;
  /** What was created, has no channel yet and would take this one if floats had no end. */
  readonly unrouted: Minor;
  /** What went out on such a day, on the average. */
  readonly usual: Minor;
  /** What went out today already. */
  readonly wentOut: Minor;
}

/**
 * What will be free at the end of the day if it goes as such days went, fen; below zero it does not suffice:
 *
 *     free − unrouted − max(0, usual − went out today)
 *
 * `free` is the balance less what is reserved; `unrouted` what was created and has no channel yet, where it would take this one if floats had no
 * end; `usual` the average of the last four natural days of the same type (working or not) on which the bank sent anything.
 */
export function forecastOf({ free, unrouted, usual, wentOut }: Omit<Outlook, 'channel' | 'alertBelow'>): Minor {
  return free - unrouted - (usual > wentOut ? usual - wentOut : 0n);
}

/** The last four natural days of the type of this one, before it; the latest first. */
export function daysLike(calendar: Calendar, date: BusinessDate): BusinessDate[] {
  const type = isWorkingDay(calendar, date);
  const found: BusinessDate[] = [];
  for (let day = addDays(date, -1); found.length < DAYS_LIKE_THIS; day = addDays(day, -1)) {
    if (isWorkingDay(calendar, day) === type) found.push(day);
  }
  return found;
}

/** The average of a channel over days, fen, rounded down; a day on which no channel carried anything does not count. */
export function usualOf(
  spent: readonly { readonly channel: ChannelCode; readonly date: BusinessDate; readonly spent: Minor }[],
  channel: ChannelCode,
  days: readonly BusinessDate[],
): Minor {
  const those = spent.filter(({ date }) => days.includes(date));
  const known = new Set(those.map(({ date }) => date)).size;
  const total = those.reduce((sum, row) => (row.channel === channel ? sum + row.spent : sum), 0n);
  return known === 0 ? 0n : total / BigInt(known);
}

/** From where to where, and how much, fen. */
export interface TopUp {
  readonly from: ChannelCode;
  readonly to: ChannelCode;
  readonly amount: Minor;
}

/** A transfer as far as it counts for other proposals. */
interface Known {
  readonly from: ChannelCode | null;
  readonly to: ChannelCode | null;
  readonly amount: Minor;
  readonly state: 'proposed' | 'approved' | 'rejected';
}

/**
 * Top-ups for channels whose forecast falls short of their alert mark, each from the channel with the largest surplus above its own, and never
 * more than that. A channel for which one is open already gets no second; what is proposed to leave a channel is no surplus any more (what
 * was approved is reserved); and what people said no to today is not proposed again.
 */
export function proposeTopUps(outlooks: readonly Outlook[], known: readonly Known[]): TopUp[] {
  const over = new Map(outlooks.map((of) => [of.channel, forecastOf(of) - (of.alertBelow ?? 0n)]));
  for (const { from, amount, state } of known)
    if (from !== null && state === 'proposed') over.set(from, (over.get(from) ?? 0n) - amount);
  const isOpenFor = (channel: ChannelCode) => known.some(({ to, state }) => to === channel && state !== 'rejected');
  const wasRejected = (from: ChannelCode, to: ChannelCode) =>
    known.some((of) => of.state === 'rejected' && of.from === from && of.to === to);
  const short = outlooks
    .map(({ channel }) => channel)
    .filter((channel) => (over.get(channel) ?? 0n) < 0n && !isOpenFor(channel))
    .sort((a, b) => ((over.get(a) ?? 0n) < (over.get(b) ?? 0n) ? -1 : 1));
  const proposed: TopUp[] = [];
  for (const to of short) {
    const [source] = [...over]
      .filter(([from, surplus]) => from !== to && surplus > 0n && !wasRejected(from, to))
      .sort(([, a], [, b]) => (a > b ? -1 : 1));
    if (source === undefined) continue;
    const [from, surplus] = source;
    const lack = -(over.get(to) ?? 0n);
    const amount = lack < surplus ? lack : surplus;
    over.set(from, surplus - amount);
    proposed.push({ from, to, amount });
  }
  return proposed;
}

/**
 * What a channel told less what it should have, fen. It should tell what is free here and what only we know to be on its way; since payments go
 * on while it is asked, it is right with anything between what that was before and after.
 */
export function differenceOf(told: Minor, before: Minor, after: Minor): Minor {
  const [least, most] = before < after ? [before, after] : [after, before];
  return told >= least && told <= most ? 0n : told - after;
}

/** Since when a channel has differed without a break. */
export function differsSince(difference: Minor, before: Instant | null, toldMs: Instant): Instant | null {
  return difference === 0n ? null : (before ?? toldMs);
}
