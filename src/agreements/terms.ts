import type { Cycle } from '../accounts/index.js';
import { type BusinessDate, type Id, type Minor, type Refusal, refuse, toWire } from '../kernel/index.js';
import type { CompiledRule, SplitRule } from './rules.js';

/** When the seller's money is paid to him: `D` counts natural days, `T` working days. */
export const CYCLES = ['D+0', 'D+1', 'T+0', 'T+1', 'T+N', 'weekly', 'monthly', 'on-request'] as const;
export type AgreedCycle = (typeof CYCLES)[number];

/** The same in the words of `accounts`, where the dates are computed. */
export function ownCycle(cycle: AgreedCycle): Cycle {
  return cycle.toLowerCase() as Lowercase<AgreedCycle>;
}

/** Who gives back when an order is refunded after it was split: all in proportion, or the receivers in this order. */
export type RefundRule = 'pro-rata' | 'by-rule';

/** Where the seller's money goes: to the account he bound wherever that is, only if it is there, or nowhere by itself. */
export const DESTINATIONS = ['bound', 'own-bank', 'other-bank', 'sub-account'] as const;
export type Destination = (typeof DESTINATIONS)[number];

/** How the seller is paid when he is paid. Amounts in minor units. */
export interface PayoutTerms {
  /** weekly: 1 Monday to 7 Sunday; monthly: 1 to 31, the last day of a shorter month; null otherwise. */
  readonly day: number | null;
  /** Natural days that come before the cycle. */
  readonly holdBackDays: number;
  /** Less than this is not paid and waits. */
  readonly minimum: Minor;
  /** One payout of all that is due; otherwise one for each business date of its credits. */
  readonly merge: boolean;
  readonly to: Destination;
  /** What a payout costs the seller; `percent` in basis points of all that leaves his account. */
  readonly fee: { readonly fixed: Minor; readonly percent: bigint };
}

/** What holds where nobody said anything. */
export const SETTLED_AS_BOUND: PayoutTerms = {
  ...{ day: null, holdBackDays: 0, minimum: 0n, merge: true, to: 'bound' },
  fee: { fixed: 0n, percent: 0n },
};

/** What platform and receivers agreed on; amounts in minor units, shares in basis points. */
export interface Terms {
  readonly rule: SplitRule;
  /** The most that others than the seller get of an item. */
  readonly othersCap: bigint;
  /** The most of it that is the platform's own profit. */
  readonly profitMax: bigint;
  /** The most of one fee; null: what the bank agreed with the platform. */
  readonly feeMax: Minor | null;
  /** The most of the seller's items in one order; null: no such cap. */
  readonly orderMax: Minor | null;
  /** The most of the seller's items in a business day and in a month. */
  readonly volume: { readonly day: Minor | null; readonly month: Minor | null };
  readonly cycle: AgreedCycle;
  /** N of `T+N`; null otherwise. */
  readonly cycleDays: number | null;
  readonly payout: PayoutTerms;
  readonly refund: RefundRule;
  /** What stays on the seller's account when he is paid. */
  readonly reserve: Minor;
  /** Categories of goods that may be sold; none named: all. */
  readonly categories: readonly string[];
  /** Categories that may not. */
  readonly forbidden: readonly string[];
}

/** An approved version, ready to be used. */
export interface AgreementVersion {
  readonly id: Id;
  readonly agreementId: Id;
  readonly platformId: Id;
  /** The seller's account. */
  readonly accountId: Id;
  readonly version: number;
  /** The version beneath, for a promotion. */
  readonly amends: number | null;
  readonly validFrom: BusinessDate;
  /** The last day; null: until another one begins. */
  readonly validTo: BusinessDate | null;
  readonly terms: Terms;
  /** Bound by the terms' caps. */
  readonly rule: CompiledRule;
}

/** All approved versions of a seller's agreement, in their order. */
export interface AgreementsOf {
  readonly accountId: Id;
  readonly versions: readonly AgreementVersion[];
}

export interface Period {
  readonly validFrom: BusinessDate;
  readonly validTo: BusinessDate | null;
}

const covers = ({ validFrom, validTo }: Period, date: BusinessDate) => validFrom <= date && (validTo === null || date <= validTo);

/** The version in force on a date: a promotion where one runs, else the terms beneath. Undefined where there is none. */
export function versionOn({ versions }: AgreementsOf, date: BusinessDate): AgreementVersion | undefined {
  const inForce = versions.filter((version) => covers(version, date));
  return inForce.find(({ amends }) => amends !== null) ?? inForce[0];
}

/** The version that a seller is paid by on a date: AGREEMENT_MISSING where he never had one, AGREEMENT_ENDED where none is in force. */
export function agreedOn(of: AgreementsOf | undefined, seller: Id, date: BusinessDate): Refusal | AgreementVersion {
  const where = { account: toWire('account', seller) };
  if (of === undefined || of.versions.length === 0) return refuse('AGREEMENT_MISSING', undefined, where);
  return versionOn(of, date) ?? refuse('AGREEMENT_ENDED', undefined, where);
}

export function overlap(a: Period, b: Period): boolean {
  return (b.validTo === null || a.validFrom <= b.validTo) && (a.validTo === null || b.validFrom <= a.validTo);
}

/** Whether the terms let goods of a category be sold. */
export function allowsCategory({ categories, forbidden }: Terms, code: string): boolean {
  return !forbidden.includes(code) && (categories.length === 0 || categories.includes(code));
}
