import { type Id, type Instant, type Minor, naturalDate, type Refusal, refuse, toWire, toYuan } from '../../kernel/index.js';
import type { Mandate, MandatePayees, MandatePeriod } from '../records.js';

/** One debit that a platform wants to make under a mandate. */
export interface Debit {
  /** Name of the kind of instruction. */
  readonly kind: string;
  /** The account that is debited, or for whose owner money is collected. */
  readonly account: Id;
  readonly payee: DebitPayee;
  /** Minor units. */
  readonly amount: Minor;
  readonly nowMs: Instant;
}
/** An account of the same book, or an order or a project by the platform's own number, or a fund by its code. */
export type DebitPayee =
  | { readonly account: Id }
  | { readonly order: string }
  | { readonly project: string }
  | { readonly fund: string };

/**
 * Whether a mandate covers a debit. Looks at its life first, then at its scope, then at its caps.
 * @returns the mandate with this use counted; or MANDATE_ENDED, MANDATE_SCOPE, MANDATE_EXCEEDED
 */
export function coverOf(mandate: Mandate, debit: Debit): Mandate | Refusal {
  return endedOf(mandate, debit.nowMs) ?? outOfScope(mandate, debit) ?? counted(mandate, debit);
}

function endedOf(mandate: Mandate, nowMs: Instant): Refusal | undefined {
  if (mandate.state === 'active' && nowMs < mandate.expiresMs) return undefined;
  const state = mandate.state === 'active' ? 'expired' : mandate.state;
  return refuse('MANDATE_ENDED', undefined, { mandate: toWire('mandate', mandate.id), state });
}

function outOfScope(mandate: Mandate, { kind, account, payee }: Debit): Refusal | undefined {
  const of = { mandate: toWire('mandate', mandate.id) };
  if (!mandate.kinds.includes(kind)) return refuse('MANDATE_SCOPE', `It does not cover ${kind}.`, { ...of, kind });
  if (account !== mandate.accountId)
    return refuse('MANDATE_SCOPE', 'It is for another account.', { ...of, account: toWire('account', account) });
  if (!isPayee(mandate, payee)) return refuse('MANDATE_SCOPE', 'It does not cover this payee.', of);
  return undefined;
}

/** What stays on the customer's own account (a top-up) has no payee to be named. */
function isPayee({ accountId, payees }: Mandate, payee: DebitPayee): boolean {
  if ('order' in payee) return payees.orders;
  if ('project' in payee) return payees.projects;
  if ('fund' in payee) return payees.funds;
  return payee.account === accountId || payees.accounts.includes(payee.account);
}

function counted(mandate: Mandate, { amount, nowMs }: Debit): Mandate | Refusal {
  const { period } = mandate;
  const { usedPeriod, periodKey } = usedAt(mandate, nowMs);
  const exceeded =
    past(mandate, 'paymentCap', 0n, amount) ??
    (period === null ? undefined : past(mandate, 'periodCap', usedPeriod, amount)) ??
    past(mandate, 'totalCap', mandate.usedTotal, amount);
  if (exceeded !== undefined) return exceeded;
  return {
    ...mandate,
    usedTotal: mandate.usedTotal + amount,
    usedPeriod: period === null ? 0n : usedPeriod + amount,
    periodKey,
    useCount: mandate.useCount + 1,
  };
}

const WORDS = { paymentCap: 'cap of a payment', periodCap: 'cap of the period', totalCap: 'cap of all payments' } as const;

function past(mandate: Mandate, name: keyof typeof WORDS, used: Minor, amount: Minor): Refusal | undefined {
  const cap = mandate[name];
  if (cap === null || (amount > 0n && used + amount <= cap)) return undefined;
  const rest = left(cap, used);
  return refuse('MANDATE_EXCEEDED', `${toYuan(amount)} passes the ${WORDS[name]}: ${toYuan(rest)} is left of it.`, {
    mandate: toWire('mandate', mandate.id),
    cap: name,
    left: Number(rest),
  });
}

const left = (cap: Minor, used: Minor): Minor => (cap > used ? cap - used : 0n);

/** The natural day or calendar month in Shanghai that an instant lies in; empty where a mandate has no period. */
function periodKeyOf(period: MandatePeriod | null, nowMs: Instant): string {
  if (period === null) return '';
  const day = naturalDate(nowMs);
  return period === 'day' ? day : day.slice(0, 7);
}

/** What was used of the period of an instant. A period that ended does not come back, should a clock go backwards. */
function usedAt(mandate: Mandate, nowMs: Instant): { usedPeriod: Minor; periodKey: string } {
  const now = periodKeyOf(mandate.period, nowMs);
  return now <= mandate.periodKey && mandate.useCount > 0
    ? { usedPeriod: mandate.usedPeriod, periodKey: mandate.periodKey }
    : { usedPeriod: 0n, periodKey: now };
}

/** What may still be debited: by one payment, in this period (null without one), and in all. Nothing once it has ended. */
export interface Quota {
  readonly payment: Minor;
  readonly period: Minor | null;
  readonly total: Minor;
}

export function quotaOf(mandate: Mandate, nowMs: Instant): Quota {
  const live = endedOf(mandate, nowMs) === undefined;
  const total = live ? left(mandate.totalCap, mandate.usedTotal) : 0n;
  const period = mandate.periodCap === null ? null : live ? left(mandate.periodCap, usedAt(mandate, nowMs).usedPeriod) : 0n;
  const payment = [mandate.paymentCap, total, period ?? total].reduce((least, cap) => (cap < least ? cap : least));
  return { payment, period: period === null ? null : period < total ? period : total, total };
}

/** What a platform asks a customer to grant. */
export interface MandateTerms {
  readonly kinds: readonly string[];
  readonly payees: MandatePayees;
  readonly paymentCap: Minor;
  readonly totalCap: Minor;
  readonly period: MandatePeriod | null;
  readonly periodCap: Minor | null;
  readonly expiresMs: Instant;
}

/**
 * Whether the bank puts such terms to a customer: caps that contain one another, an end that lies ahead and not beyond `latestMs`,
 * somebody to pay where something is paid.
 * @returns MANDATE_TERMS with the field that is wrong
 */
export function decideTerms(terms: MandateTerms, nowMs: Instant, latestMs: Instant): Refusal | undefined {
  const { paymentCap, periodCap, totalCap, payees } = terms;
  const wrong = (pointer: string, detail: string) => refuse('MANDATE_TERMS', detail, { pointer });
  if ((terms.period === null) !== (periodCap === null)) return wrong('/periodCap', 'A period and its cap belong together.');
  if (paymentCap > totalCap) return wrong('/paymentCap', 'The cap of a payment is above the cap of all payments.');
  if (periodCap !== null && paymentCap > periodCap)
    return wrong('/paymentCap', 'The cap of a payment is above the cap of the period.');
  if (periodCap !== null && periodCap > totalCap)
    return wrong('/periodCap', 'The cap of the period is above the cap of all payments.');
  if (terms.expiresMs <= nowMs) return wrong('/expiresAt', 'The end lies in the past.');
  if (terms.expiresMs > latestMs) return wrong('/expiresAt', 'The end lies further ahead than the bank accepts.');
  const pays = terms.kinds.some((kind) => kind !== 'top-up' && kind !== 'fund-redemption');
  const somebody = payees.orders || payees.projects || payees.funds || payees.accounts.length > 0;
  if (pays && !somebody) return wrong('/payees', 'It names nobody who may be paid.');
  return undefined;
}
