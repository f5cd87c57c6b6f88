import { type BusinessDate, type Id, type Instant, type Minor, naturalDate, startOfDay, toWire } from '../kernel/index.js';
import type { ReviewRuleState } from './states.js';

/**
 * The kinds that a rule may send to review: those by which somebody's money goes to somebody else, or out. What tells of money that has
 * moved already (an inflow, the result of a payout) can wait for nobody: so no `combined-payment` and no `escrow-payment`. What a deal
 * releases or sends back waits for people where the deal itself says so; the end of a dispute only returns money to the order it came from.
 */
export const REVIEWABLE_KINDS = [
  'split',
  'split-return',
  'order-complete',
  'refund',
  'transfer',
  'capture',
  'withdrawal',
  'clearing',
  'fee',
  'account-payment',
  'pot-payment',
  'own-transfer',
  'account-closing',
  'margin-deposit',
  'margin-release',
  'subsidy',
  'subsidy-return',
  'escrow-funding',
] as const;

/** What a rule looks for. Amounts in minor units, shares in basis points. */
export type ReviewTest =
  /** More than so much is taken. */
  | { readonly by: 'amount'; readonly above: Minor }
  /** Somebody is paid whom this payer never paid before. */
  | { readonly by: 'new-payee' }
  /** A split gives others than the agreement's rule does, by up to `most` of its amount; without such a rule it is refused. */
  | { readonly by: 'deviation'; readonly most: number }
  /** More often than `times`, or more than `sum`, within minutes or since midnight, out of one account or on the whole platform. */
  | {
      readonly by: 'velocity';
      readonly per: 'account' | 'platform';
      readonly within: number | 'day';
      readonly times: number | null;
      readonly sum: Minor | null;
    }
  /** Somebody who pays or is paid stands on the watch list. */
  | { readonly by: 'list-hit' }
  /** The account pays out to another account outside than the last time. */
  | { readonly by: 'changed-account' };

export interface ReviewRule {
  readonly id: Id;
  readonly platformId: Id;
  readonly name: string;
  readonly kinds: readonly string[];
  readonly test: ReviewTest;
  /** How long people have, and what happens when they have not decided. */
  readonly minutes: number;
  readonly onDeadline: 'refuse' | 'execute';
  readonly from: BusinessDate;
  /** Its last day; null: until it is ended. */
  readonly until: BusinessDate | null;
  readonly state: ReviewRuleState;
}

/** Approved rules that are or will be in force: what they look at is kept up to date. */
export function isKept({ state, until }: ReviewRule, today: BusinessDate): boolean {
  return state === 'approved' && (until === null || until >= today);
}

export function isInForce(rule: ReviewRule, today: BusinessDate): boolean {
  return isKept(rule, today) && rule.from <= today;
}

/** What went out, by the minute. */
export interface Counts {
  readonly subjectId: Id;
  readonly kind: string;
  readonly minutes: ReadonlyMap<number, { readonly times: number; readonly amount: Minor }>;
}

const MINUTE_MS = 60_000;

export function minuteOf(ms: Instant): number {
  return Math.floor(ms / MINUTE_MS);
}

/**
 * The first minute that counts for a window which ends now. The minute in which it begins counts whole: a window is rather up to a minute too
 * long than too short, or twice as many would pass around the turn of a minute.
 */
function windowFrom(within: number | 'day', nowMs: Instant): number {
  return within === 'day' ? minuteOf(startOfDay(naturalDate(nowMs))) : minuteOf(nowMs) - within;
}

/** What was counted in a window, of some kinds together. */
export function countedIn(counts: readonly Counts[], within: number | 'day', nowMs: Instant): { times: number; amount: Minor } {
  const from = windowFrom(within, nowMs);
  let times = 0;
  let amount = 0n;
  for (const { minutes } of counts)
    for (const [minute, counted] of minutes) {
      if (minute < from) continue;
      times += counted.times;
      amount += counted.amount;
    }
  return { times, amount };
}

/** The counters with one more in this minute. */
export function countedUp(counts: Counts, amount: Minor, nowMs: Instant): Counts {
  const minute = minuteOf(nowMs);
  const before = counts.minutes.get(minute) ?? { times: 0, amount: 0n };
  const after = { times: before.times + 1, amount: before.amount + amount };
  return { ...counts, minutes: new Map([...counts.minutes, [minute, after]]) };
}

/** What an instruction would do, and what is known of those it concerns. */
export interface Looked {
  /** What it takes from customers and the platform; minor units. */
  readonly amount: Minor;
  /** What it takes of each account that counters are kept for. */
  readonly payers: readonly { readonly account: Id; readonly amount: Minor }[];
  /** Pairs that never came about: the payer, and the account that is paid; null: it is outside. */
  readonly newPayees: readonly { readonly payer: Id; readonly payee: Id | null }[];
  /** Accounts whose owner stands on the watch list. */
  readonly listed: readonly Id[];
  /** Whether the payee outside does. */
  readonly payeeListed: boolean;
  /** The accounts that pay out elsewhere than the last time. */
  readonly changed: readonly Id[];
  /** By how much a split differs from its rule, in basis points; undefined: it does not. */
  readonly deviation: number | undefined;
  readonly counts: (per: 'account' | 'platform', account: Id, kinds: readonly string[]) => readonly Counts[];
}

/** Why an instruction goes to review: which rule, and by which figures. */
export interface Reason {
  readonly rule: Id;
  readonly name: string;
  readonly by: ReviewTest['by'];
  readonly figures: Readonly<Record<string, string | number>>;
}

/** What the rules have against it; nothing: it is executed at once. */
export function reasonsFor(rules: readonly ReviewRule[], looked: Looked, nowMs: Instant): Reason[] {
  return rules.flatMap((rule) => {
    const figures = figuresOf(rule, looked, nowMs);
    return figures === undefined ? [] : [{ rule: rule.id, name: rule.name, by: rule.test.by, figures }];
  });
}

function figuresOf({ test, kinds }: ReviewRule, looked: Looked, nowMs: Instant): Reason['figures'] | undefined {
  switch (test.by) {
    case 'amount':
      return looked.amount > test.above ? { amount: String(looked.amount), above: String(test.above) } : undefined;
    case 'deviation':
      return looked.deviation === undefined ? undefined : { deviation: looked.deviation, most: test.most };
    case 'new-payee':
      return firstOf(looked.newPayees, ({ payer, payee }) => ({
        payer: toWire('account', payer),
        payee: payee === null ? 'outside' : toWire('account', payee),
      }));
    case 'list-hit':
      if (looked.payeeListed) return { payee: 'outside' };
      return firstOf(looked.listed, (account) => ({ account: toWire('account', account) }));
    case 'changed-account':
      return firstOf(looked.changed, (account) => ({ account: toWire('account', account) }));
    case 'velocity':
      return velocity(test, kinds, looked, nowMs);
  }
}

function firstOf<T>([first]: readonly T[], shown: (of: T) => Reason['figures']): Reason['figures'] | undefined {
  return first === undefined ? undefined : shown(first);
}

function velocity(
  { per, within, times, sum }: Extract<ReviewTest, { by: 'velocity' }>,
  kinds: readonly string[],
  looked: Looked,
  nowMs: Instant,
): Reason['figures'] | undefined {
  const subjects = per === 'platform' ? [{ account: undefined, amount: looked.amount }] : looked.payers;
  for (const { account, amount } of subjects) {
    const counted = countedIn(looked.counts(per, account ?? ('' as Id), kinds), within, nowMs);
    const now = { times: counted.times + 1, amount: counted.amount + amount };
    const over = (times !== null && now.times > times) || (sum !== null && now.amount > sum);
    if (over)
      return {
        ...(account === undefined ? {} : { account: toWire('account', account) }),
        ...{ within, times: now.times, amount: String(now.amount) },
        ...(times === null ? {} : { timesMax: times }),
        ...(sum === null ? {} : { sumMax: String(sum) }),
      };
  }
  return undefined;
}

/** When the first of the rules wants an answer, and what happens then: refused, unless all of them would have it executed. */
export function deadlineOf(
  rules: readonly Pick<ReviewRule, 'minutes' | 'onDeadline'>[],
  nowMs: Instant,
): { readonly dueMs: Instant; readonly onDeadline: ReviewRule['onDeadline'] } {
  const minutes = Math.min(...rules.map((rule) => rule.minutes));
  const refuses = rules.some(({ onDeadline }) => onDeadline === 'refuse');
  return { dueMs: (nowMs + minutes * MINUTE_MS) as Instant, onDeadline: refuses ? 'refuse' : 'execute' };
}

/** By how much a split differs from what its rule makes, in basis points of the whole, rounded up: what went to others than it should. */
export function deviationOf(
  given: ReadonlyMap<Id, Minor>,
  expected: ReadonlyMap<Id, Minor>,
): { readonly bp: number; readonly sameWhole: boolean } {
  let more = 0n;
  let whole = 0n;
  let should = 0n;
  for (const [account, amount] of given) {
    const difference = amount - (expected.get(account) ?? 0n);
    if (difference > 0n) more += difference;
    whole += amount;
  }
  for (const amount of expected.values()) should += amount;
  const bp = whole === 0n ? 0 : Number((more * 10_000n + whole - 1n) / whole);
  return { bp, sameWhole: whole === should };
}
