import type { ChannelCode } from '../channels/index.js';
import {
  addDays,
  type BusinessDate,
  type Calendar,
  type Instant,
  isProvisional,
  isWorkingDay,
  naturalDate,
  startOfDay,
} from '../kernel/index.js';
import type { ChannelTable, ChannelTerms, DayType, Outage } from './terms.js';

/** What hours are reckoned from. */
export interface Hours {
  readonly table: ChannelTable;
  readonly calendar: Calendar;
}

/**
 * A time in which a channel takes payments: from a moment up to but without another. `date` is the day whose session it is: what HVPS takes
 * from 20:30 on belongs to the working day that follows, with that day's terms and day type.
 */
export interface Window {
  readonly from: Instant;
  readonly to: Instant;
  /** Up to but without this moment it is given payments: where the channel closes then, the margin of its terms before that. */
  readonly last: Instant;
  readonly date: BusinessDate;
  readonly terms: ChannelTerms;
  readonly dayType: DayType;
  /** It lies in a year whose calendar is not known yet. */
  readonly provisional: boolean;
}

type Span = Omit<Window, 'last'>;

/** Longer than any holiday; what opens later than that is not foretold. */
const DAYS_AHEAD = 45;

function plus(instant: Instant, ms: number): Instant {
  return (instant + ms) as Instant;
}

/** The moment of a natural day at which a clock in Shanghai shows a time like 17:15. */
function atTime(date: BusinessDate, time: string): Instant {
  return plus(startOfDay(date), (Number(time.slice(0, 2)) * 60 + Number(time.slice(3))) * 60_000);
}

/** The session of one day, as if nothing were ever down; none on a day off of a channel that rests on those. */
function sessionOf({ table, calendar }: Hours, channel: ChannelCode, date: BusinessDate): Span | undefined {
  const terms = table.on(date, channel);
  if (terms === undefined) return undefined;
  const working = isWorkingDay(calendar, date);
  const about = { date, terms, dayType: working ? 'working' : 'off', provisional: isProvisional(calendar, date) } as const;
  const { hours } = terms;
  if (hours.open === 'always') return { ...about, from: startOfDay(date), to: startOfDay(addDays(date, 1)) };
  // Friday 20:30 opens nothing (the session of the first day off is not for customers), the last day off at 20:30 does.
  if (!working) return undefined;
  const opens = hours.fromDay === 'day-before' ? addDays(date, -1) : date;
  return { ...about, from: atTime(opens, hours.from), to: atTime(date, hours.to) };
}

/** What an outage leaves of windows. */
function without(windows: readonly Span[], { fromMs, toMs }: Outage): Span[] {
  const end = toMs ?? Number.POSITIVE_INFINITY;
  return windows.flatMap((window) => {
    if (fromMs >= window.to || end <= window.from) return [window];
    const before = fromMs > window.from ? [{ ...window, to: fromMs }] : [];
    return end < window.to ? [...before, { ...window, from: end as Instant }] : before;
  });
}

/**
 * When a channel takes payments from a moment on, by its terms, the calendar and every outage that is known: windows in order of time, the first
 * of them beginning at the moment itself when the channel is open. Of the next 45 days, and as many after the end of an outage under way.
 */
export function windowsOf(hours: Hours, channel: ChannelCode, at: Instant): readonly Window[] {
  const outages = hours.table.outages(channel).filter(({ toMs }) => toMs === null || toMs > at);
  const resumes = outages.reduce(
    (latest, { fromMs, toMs }) => (fromMs <= at && toMs !== null && toMs > latest ? toMs : latest),
    at,
  );
  const windows: Span[] = [];
  // Today's session may be over while tomorrow's is open; so both are looked at, and clipped.
  const last = addDays(naturalDate(resumes), DAYS_AHEAD);
  for (let date = naturalDate(at); date <= last; date = addDays(date, 1)) {
    const session = sessionOf(hours, channel, date);
    const before = windows.at(-1);
    if (session === undefined || session.to <= at) continue;
    // When hours change, a session may begin before the last one of the old hours ended.
    const from = Math.max(session.from, at, before?.to ?? at) as Instant;
    if (from < session.to) windows.push({ ...session, from });
  }
  return withMargins(outages.reduce(without, windows));
}

/** What margins leave of windows. One that another follows at once does not end with the channel closing. */
function withMargins(windows: readonly Span[]): Window[] {
  return windows.flatMap((window, at) => {
    const closes = windows[at + 1]?.from !== window.to;
    const last = closes ? plus(window.to, -(window.terms.margin ?? 0) * 1000) : window.to;
    return window.from < last ? [{ ...window, last }] : [];
  });
}

export type OpenState = 'open' | 'closed' | 'maintenance';

/** Whether a channel takes payments at the moment from which its windows were made, and if not which it is. */
export function openState({ table }: Hours, channel: ChannelCode, at: Instant, windows: readonly Window[]): OpenState {
  if (windows[0] !== undefined && windows[0].from <= at) return 'open';
  return table.outages(channel).some(({ fromMs, toMs }) => fromMs <= at && (toMs === null || toMs > at))
    ? 'maintenance'
    : 'closed';
}

/** Until when a channel that is open stays so without a break; undefined: longer than is foretold. */
export function openUntil(windows: readonly Window[]): Instant | undefined {
  const gap = windows.findIndex((window, at) => windows[at + 1]?.from !== window.to);
  const end = windows[gap]?.last;
  const first = windows[0]?.from;
  return end === undefined || first === undefined || end - first >= (DAYS_AHEAD - 1) * 86_400_000 ? undefined : end;
}

export interface Arrival {
  readonly at: Instant;
  /** It, or what it was reckoned from, lies in a year whose calendar is not known yet. */
  readonly provisional: boolean;
}

/**
 * When a payment reaches its payee that is sent when the first of these windows begins: at once, or with the first netting round after
 * that which takes place (none does while the channel is closed or down). @returns undefined when no round is foretold
 */
export function arrivalOf({ calendar }: Pick<Hours, 'calendar'>, windows: readonly Window[]): Arrival | undefined {
  const [first] = windows;
  if (first === undefined) return undefined;
  const seconds = first.terms.arrives;
  const arrival = (sent: Instant, provisional: boolean): Arrival => {
    const at = plus(sent, seconds * 1000);
    return { at, provisional: provisional || isProvisional(calendar, naturalDate(at)) };
  };
  if (first.terms.rounds.length === 0) return arrival(first.from, first.provisional);
  for (const { from, to, terms, provisional } of windows) {
    for (const date of new Set([naturalDate(from), naturalDate(plus(to, -1))])) {
      const round = terms.rounds
        .map((time) => atTime(date, time))
        .find((moment) => moment > first.from && moment >= from && moment < to);
      if (round !== undefined) return arrival(round, provisional);
    }
  }
  return undefined;
}
