import { addDays, type BusinessDate, weekday } from './time.js';

/**
 * The working-day calendar: data, not code. A day listed in `exceptions` is a working day or not as it says; any other day
 * is one from Monday to Friday. A date in a year for which the State Council's notice has not been loaded is provisional.
 * Source: 全国年节及纪念日放假办法 and the yearly notices of the General Office of the State Council.
 */
export interface Calendar {
  readonly exceptions: ReadonlyMap<string, boolean>;
  readonly knownYears: ReadonlySet<string>;
}

export function isWorkingDay(calendar: Calendar, date: BusinessDate): boolean {
  const day = weekday(date);
  return calendar.exceptions.get(date) ?? (day !== 0 && day !== 6);
}

/** T+n: the n-th working day after `date` (n ≥ 1). */
export function workingDayAfter(calendar: Calendar, date: BusinessDate, n = 1): BusinessDate {
  let day = date;
  for (let left = n; left > 0; ) {
    day = addDays(day, 1);
    if (isWorkingDay(calendar, day)) left -= 1;
  }
  return day;
}

export function isProvisional(calendar: Calendar, date: BusinessDate): boolean {
  return !calendar.knownYears.has(date.slice(0, 4));
}
