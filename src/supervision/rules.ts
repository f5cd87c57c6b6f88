import { addDays, type BusinessDate, type Calendar, type Minor, workingDayAfter } from '../kernel/index.js';

/** What counts as a flow of a customer, and which flows are reported. Pure. Amounts are minor units. */
/** The dated rows of the law and of the bank: the value of a name that is in force on a date. */
export interface Parameters {
  on(date: BusinessDate, name: string): bigint;
}

export const SIDES = ['in', 'out'] as const;
export type Side = (typeof SIDES)[number];
export const SUBJECT_KINDS = ['person', 'company'] as const;
export type SubjectKind = (typeof SUBJECT_KINDS)[number];
/** A subject: the hexadecimal text of the blind index of an identity. */
export type Subject = string;

/** Their payouts are their owner's own: the money has left when `payout-settled` says so, and never where the payout failed. */
const COUNTED_WHEN_SETTLED = ['withdrawal', 'clearing', 'account-closing', 'judicial-deduction'];
/** The purposes of those payouts. */
const OWN_PURPOSES = ['withdrawal', 'clearing', 'closing', 'judicial'];
/** What undoes what never happened, mends an error, or is the bank's interest is exempt (人民银行令〔2016〕第3号第七条). */
const NEVER = ['payout-failed', 'correction', 'interest'];
/** A customer's debits by these go back to orders and their payers. */
const REFUNDS = ['refund', 'split-return', 'dispute-end', 'escrow-refund', 'escrow-failure', 'subsidy-return'];

/** What an instruction moved on the accounts of customers. What lies between them (orders, custody, money in transit) is nobody's. */
export interface Moved {
  readonly kind: string;
  /** Each entry on an account that somebody owns. */
  readonly entries: readonly { readonly subject: Subject; readonly amount: Minor }[];
  /** Of `payout-settled`: what left, and whose it was. */
  readonly paidOut?: { readonly subject: Subject | undefined; readonly purpose: string; readonly amount: Minor } | undefined;
}

export interface Flow {
  readonly subject: Subject;
  readonly side: Side;
  readonly amount: Minor;
  readonly refund: boolean;
}

/**
 * The flows of an instruction: per customer what all of his accounts got or gave together, so that what moves between accounts of one and the
 * same customer is none.
 */
export function flowsOf({ kind, entries, paidOut }: Moved): Flow[] {
  if (NEVER.includes(kind) || COUNTED_WHEN_SETTLED.includes(kind)) return [];
  const net = new Map<Subject, Minor>();
  for (const { subject, amount } of entries) net.set(subject, (net.get(subject) ?? 0n) + amount);
  if (paidOut?.subject !== undefined && OWN_PURPOSES.includes(paidOut.purpose))
    net.set(paidOut.subject, (net.get(paidOut.subject) ?? 0n) - paidOut.amount);
  return [...net]
    .filter(([, amount]) => amount !== 0n)
    .map(([subject, amount]) => {
      if (amount > 0n) return { subject, side: 'in', amount, refund: false };
      return { subject, side: 'out', amount: -amount, refund: REFUNDS.includes(kind) };
    });
}

/** What came to a customer and what left him in a natural day, over all platforms. */
export interface CustomerDay {
  readonly date: BusinessDate;
  readonly subject: Subject;
  readonly kind: SubjectKind;
  readonly inSum: Minor;
  readonly inLines: number;
  readonly outSum: Minor;
  readonly outLines: number;
  /** What of `outSum` went back to orders and their payers. */
  readonly refunded: Minor;
}

export interface LargeValue {
  readonly side: Side;
  /** The item of the article: `company`, `person`. */
  readonly class: SubjectKind;
  readonly amount: Minor;
  readonly lines: number;
  readonly threshold: Minor;
  readonly dueOn: BusinessDate;
}

export function thresholdOf(kind: SubjectKind, date: BusinessDate, parameters: Parameters): Minor {
  return parameters.on(date, `large-value.${kind}`);
}

/**
 * The sides of a customer's day that are reported as large values, each for itself, the threshold included; due so many working days after
 * the day. Source: 人民银行令〔2016〕第3号第五条、第六条、第八条.
 */
export function largeValues(day: CustomerDay, parameters: Parameters, calendar: Calendar): LargeValue[] {
  const threshold = thresholdOf(day.kind, day.date, parameters);
  const dueOn = workingDayAfter(calendar, day.date, Number(parameters.on(day.date, 'large-value.days')));
  return SIDES.map((side) => ({
    ...{ side, class: day.kind, threshold, dueOn },
    ...(side === 'in' ? { amount: day.inSum, lines: day.inLines } : { amount: day.outSum, lines: day.outLines }),
  })).filter(({ amount }) => amount >= threshold);
}

/** How soon what was confirmed on a date is to be reported, and from when on it is an alarm that it was not. */
export function reportingOf(confirmedOn: BusinessDate, parameters: Parameters, calendar: Calendar) {
  const after = (name: string) => workingDayAfter(calendar, confirmedOn, Number(parameters.on(confirmedOn, name)));
  return { alarmOn: after('suspicious.alarm-days'), dueOn: after('suspicious.days') };
}

/** The deadline of a quarter's data about sellers: the last day of the month after it (国务院令第810号). */
export function taxDueOn(quarter: Quarter): BusinessDate {
  const { to } = daysOfQuarter(quarter);
  const after = addDays(to, 32);
  return addDays(`${after.slice(0, 8)}01` as BusinessDate, -1);
}

/** `2025Q4`. */
export type Quarter = string & { readonly __quarter: true };

export function parseQuarter(text: string): Quarter | undefined {
  return /^20[0-9]{2}Q[1-4]$/.test(text) ? (text as Quarter) : undefined;
}

/** Its first and last day, and its months. */
export function daysOfQuarter(quarter: Quarter): {
  readonly from: BusinessDate;
  readonly to: BusinessDate;
  readonly months: readonly string[];
} {
  const first = (Number(quarter.slice(5)) - 1) * 3 + 1;
  const months = [0, 1, 2].map((more) => `${quarter.slice(0, 4)}-${String(first + more).padStart(2, '0')}`);
  const from = `${months[0]}-01` as BusinessDate;
  const next = addDays(`${months[2]}-28` as BusinessDate, 4);
  return { from, to: addDays(`${next.slice(0, 8)}01` as BusinessDate, -1), months };
}
