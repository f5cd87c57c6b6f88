import {
  addDays,
  type BusinessDate,
  type Calendar,
  type Instant,
  isWorkingDay,
  type Minor,
  mulDivHalfUp,
  naturalDate,
  startOfDay,
  weekday,
} from '../kernel/index.js';

/**
 * The arithmetic of fund units, pure. Units are bigints of hundredths; a net asset value is in ten-thousandths of a yuan, income per 10,000
 * units too, a seven-day yield in thousandths of a percent. The fund company's day is not the bank's: exchanges are closed on every Saturday and
 * Sunday, also on those that the State Council makes working days.
 */
export type Units = bigint;

/** A net asset value of exactly one yuan: what a money fund always has. */
export const NAV_ONE = 10_000n;
const CUT_OFF_MS = 15 * 3_600_000;

/** A day on which funds are bought and redeemed: a working day on which the exchanges are open. */
export function isTradingDay(calendar: Calendar, date: BusinessDate): boolean {
  const day = weekday(date);
  return day !== 0 && day !== 6 && isWorkingDay(calendar, date);
}

/** The n-th trading day after a date (n ≥ 1). */
export function tradingDayAfter(calendar: Calendar, date: BusinessDate, n = 1): BusinessDate {
  let day = date;
  for (let left = n; left > 0; ) {
    day = addDays(day, 1);
    if (isTradingDay(calendar, day)) left -= 1;
  }
  return day;
}

/** T: the trading day of what is ordered at a moment: that day before 15:00 in Shanghai, else the next one. */
export function tradingDayOf(calendar: Calendar, atMs: Instant): BusinessDate {
  const today = naturalDate(atMs);
  const inTime = isTradingDay(calendar, today) && atMs < startOfDay(today) + CUT_OFF_MS;
  return inTime ? today : tradingDayAfter(calendar, today);
}

/** From when on the orders of a trading day are sent: nothing is added to it any more. */
export function closedAt(date: BusinessDate): Instant {
  return (startOfDay(date) + CUT_OFF_MS) as Instant;
}

/** Purchases whose money goes to their fund in one payment, at most. */
export const SETTLED_AT_ONCE = 500;

/** Units that an amount of money buys, to the hundredth, half up. */
export function unitsFor(amount: Minor, nav: bigint): Units {
  return mulDivHalfUp(amount, NAV_ONE, nav);
}

/** What units are worth, to the fen, half up. */
export function worthOf(units: Units, nav: bigint): Minor {
  return mulDivHalfUp(units, nav, NAV_ONE);
}

/** Income of units by the income per 10,000 units: what is below a hundredth is cut off. At a value of one it is as many units, and as many fen. */
export function incomeOf(units: Units, per10k: bigint): Units {
  return (units * per10k) / 100_000_000n;
}
