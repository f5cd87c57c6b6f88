import {
  addDays,
  type BusinessDate,
  type Calendar,
  daysBetween,
  invariant,
  isWorkingDay,
  weekday,
  workingDayAfter,
} from '../kernel/index.js';

/**
 * When a seller's money falls due. Pure: dates and the working-day calendar, nothing else. `d` counts natural days, `t` working days.
 *
 * A date here is that of the clearing that pays: the one that opens it, in the close of the day before. What is paid on the day itself
 * (`d+0`, `t+0`) is paid by the close of that day, once it has proved, and so stands on the date after.
 */
export const CYCLES = ['d+0', 'd+1', 't+0', 't+1', 't+n', 'weekly', 'monthly', 'on-request'] as const;
export type Cycle = (typeof CYCLES)[number];

export interface CycleTerms {
  readonly cycle: Cycle;
  /** N of `t+n`; null otherwise. */
  readonly cycleDays: number | null;
  /** weekly: 1 Monday to 7 Sunday; monthly: 1 to 31, the last day of a shorter month; null otherwise. */
  readonly payDay: number | null;
}

/** What is wrong with a cycle, and in which of its fields. */
export interface CycleFault {
  readonly field: 'cycleDays' | 'payDay';
  readonly detail: string;
}

/** 银行卡收单业务管理办法: within 30 natural days of the payer's confirmation. */
export const SETTLED_WITHIN_DAYS = 30;
const WEEKDAYS = 7;
const MONTH_DAYS = 31;

export function isSameDay(cycle: Cycle): boolean {
  return cycle === 'd+0' || cycle === 't+0';
}

/** Whether the days that a cycle names are those that it has. */
export function cycleFaults({ cycle, cycleDays, payDay }: CycleTerms): CycleFault[] {
  const faults: CycleFault[] = [];
  const fault = (field: CycleFault['field'], detail: string) => faults.push({ field, detail });
  if ((cycle === 't+n') !== (cycleDays !== null)) fault('cycleDays', 'belongs to T+N and to nothing else');
  else if (cycleDays !== null && (cycleDays < 2 || cycleDays > SETTLED_WITHIN_DAYS))
    fault('cycleDays', `must be 2 to ${SETTLED_WITHIN_DAYS}`);
  const most = cycle === 'weekly' ? WEEKDAYS : cycle === 'monthly' ? MONTH_DAYS : undefined;
  if ((most !== undefined) !== (payDay !== null)) fault('payDay', 'belongs to weekly and monthly and to nothing else');
  else if (most !== undefined && payDay !== null && (payDay < 1 || payDay > most)) fault('payDay', `must be 1 to ${most}`);
  return faults;
}

/**
 * The first date on which money may leave the bank that was credited on a date and cleared in the ordinary way.
 * @param holdBackDays natural days for which it is treated as if it had come in later
 */
export function dueDate(
  terms: CycleTerms & { readonly holdBackDays: number },
  creditedOn: BusinessDate,
  calendar: Calendar,
): BusinessDate {
  const { cycle, cycleDays, holdBackDays } = terms;
  const from = holdBackDays === 0 ? creditedOn : addDays(creditedOn, holdBackDays);
  if (cycle === 'on-request') return workingDayAfter(calendar, from);
  if (cycle === 't+n') return workingDayAfter(calendar, from, cycleDays ?? 1);
  const date = nextPayDay(terms, from, calendar);
  invariant(date, `the cycle ${cycle} pays by itself`);
  return date;
}

/** Whether the clearing that opens a date pays those on this cycle at all. */
export function isPayDay({ cycle, payDay }: CycleTerms, date: BusinessDate, calendar: Calendar): boolean {
  if (cycle === 'on-request') return false;
  if (cycle === 'd+0' || cycle === 'd+1') return true;
  if (cycle === 't+0') return isWorkingDay(calendar, addDays(date, -1));
  if (!isWorkingDay(calendar, date)) return false;
  if (cycle === 't+1' || cycle === 't+n') return true;
  // The agreed day itself, or one among the days off that end here: it has moved to this working day.
  const isAgreed = cycle === 'weekly' ? isAgreedWeekday : isAgreedDayOfMonth;
  for (let day = date; ; day = addDays(day, -1)) {
    if (isAgreed(day, payDay ?? 1)) return true;
    if (isWorkingDay(calendar, addDays(day, -1))) return false;
  }
}

function isAgreedWeekday(date: BusinessDate, payDay: number): boolean {
  return weekday(date) === payDay % WEEKDAYS;
}

function isAgreedDayOfMonth(date: BusinessDate, payDay: number): boolean {
  const day = Number(date.slice(8));
  return day === payDay || (day < payDay && addDays(date, 1).slice(8) === '01');
}

// A month, and the longest row of days off that ever was.
const SEARCH_DAYS = 62;

/** The first date after another on which those on this cycle are paid; undefined: never by itself. */
export function nextPayDay(terms: CycleTerms, after: BusinessDate, calendar: Calendar): BusinessDate | undefined {
  if (terms.cycle === 'on-request') return undefined;
  let date = addDays(after, 1);
  while (!isPayDay(terms, date, calendar)) {
    date = addDays(date, 1);
    invariant(daysBetween(after, date) <= SEARCH_DAYS, `the cycle ${terms.cycle} has a pay day within two months`);
  }
  return date;
}
