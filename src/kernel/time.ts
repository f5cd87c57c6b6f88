import { invariant } from './refusals.js';

/** A moment: milliseconds since 1970-01-01T00:00:00Z. On the wire RFC 3339, in the database BIGINT. */
export type Instant = number & { readonly __instant: true };
/** A bank's accounting date, `2026-03-02`. It changes at the cut-off, not at midnight. */
export type BusinessDate = string & { readonly __businessDate: true };

/** The two times of a process: the service's own, which a sandbox may drive, and the wall's, for security windows and ids. */
export interface Clock {
  now(): Instant;
  wall(): Instant;
}

const SHANGHAI_OFFSET_MS = 8 * 3_600_000; // UTC+8, no daylight saving since 1991
const DAY_MS = 86_400_000;

export function instantOf(ms: number): Instant {
  invariant(Number.isSafeInteger(ms), 'an instant is a whole number of milliseconds');
  return ms as Instant;
}

export function toRfc3339(instant: Instant): string {
  return `${new Date(instant + SHANGHAI_OFFSET_MS).toISOString().slice(0, -1)}+08:00`;
}

/** For people: to the minute, Shanghai time. */
export function shownTime(instant: Instant): string {
  return toRfc3339(instant).slice(0, 16).replace('T', ' ');
}

/** For programs of others, which know no other form. */
export function dateOf(instant: Instant): Date {
  return new Date(instant);
}

/** Reads RFC 3339 with an offset; undefined when it is not that. */
export function parseInstant(text: string): Instant | undefined {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,3})?(Z|[+-]\d{2}:\d{2})$/.test(text)) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : (ms as Instant);
}

let lastDay = { from: 0, date: '1970-01-01' as BusinessDate };

/** The day in Shanghai. Most questions are about the same day as the one before, whose answer is kept. */
export function naturalDate(instant: Instant): BusinessDate {
  const local = instant + SHANGHAI_OFFSET_MS;
  if (local - lastDay.from >= DAY_MS || local < lastDay.from) {
    const from = Math.floor(local / DAY_MS) * DAY_MS;
    lastDay = { from, date: new Date(from).toISOString().slice(0, 10) as BusinessDate };
  }
  return lastDay.date;
}

/** The first moment of a natural day in Shanghai. */
export function startOfDay(date: BusinessDate): Instant {
  return (Date.parse(`${date}T00:00:00Z`) - SHANGHAI_OFFSET_MS) as Instant;
}

export function parseBusinessDate(text: string): BusinessDate | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== text ? undefined : (text as BusinessDate);
}

/** A date as files of the field write it: eight digits. */
export function parseDateDigits(text: string): BusinessDate | undefined {
  return /^\d{8}$/.test(text) ? parseBusinessDate(`${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}`) : undefined;
}

let lastAdded = { date: '1970-01-01' as BusinessDate, days: 0, to: '1970-01-01' as BusinessDate };

/** As with `naturalDate`, the same is asked so often that the last answer is kept. */
export function addDays(date: BusinessDate, days: number): BusinessDate {
  if (lastAdded.date !== date || lastAdded.days !== days) {
    const to = new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10) as BusinessDate;
    lastAdded = { date, days, to };
  }
  return lastAdded.to;
}

/** How many days `to` is after `from`. */
export function daysBetween(from: BusinessDate, to: BusinessDate): number {
  return (Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY_MS;
}

/**
 * The same day so many months later, or the last of that month where it has no such day. Plans of loans ask for it so often that most
 * answers make no date object.
 */
export function addMonths(date: BusinessDate, months: number): BusinessDate {
  const day = Number(date.slice(8));
  const month = Number(date.slice(0, 4)) * 12 + Number(date.slice(5, 7)) - 1 + months;
  const [year, place] = [Math.floor(month / 12), month - Math.floor(month / 12) * 12 + 1];
  const last = day > 28 ? new Date(Date.UTC(year, place, 0)).getUTCDate() : day;
  return `${year}-${twoDigits(place)}-${twoDigits(Math.min(day, last))}` as BusinessDate;
}

function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

export function weekday(date: BusinessDate): number {
  return new Date(`${date}T00:00:00Z`).getUTCDay();
}
