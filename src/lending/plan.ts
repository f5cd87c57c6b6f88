import { addMonths, type BusinessDate, daysBetween, invariant, type Minor, mulDivHalfUp } from '../kernel/index.js';

/**
 * How a loan is paid back. The plan is computed from the terms whenever it is looked at and never written down per instalment; a
 * loan keeps only where it stands in its plan. Pure, whole fen, no float.
 *
 * Interest by whole months is the yearly rate ÷ 12 and by days the yearly rate ÷ 360 (银发〔2005〕129号: 日利率 = 年利率 ÷ 360; whole
 * months by the month, the days that are left by the day).
 */

/** 等额本息, 等额本金, 先息后本, 一次性还本付息. */
export const REPAYMENT_METHODS = ['annuity', 'equal-principal', 'interest-first', 'bullet'] as const;
export type RepaymentMethod = (typeof REPAYMENT_METHODS)[number];

/** What a plan is made of. */
export interface PlanTerms {
  /** Minor units, what the plan pays back. */
  readonly principal: Minor;
  /** Of a year, in millionths (14.07 % is 140700). */
  readonly rate: bigint;
  /** Of the whole loan, from the day it was lent. */
  readonly months: number;
  readonly method: RepaymentMethod;
  readonly lentOn: BusinessDate;
  /** How many months were over when this plan was made: more than none after principal was paid ahead of time. Of a bullet always none. */
  readonly behind?: number;
}

export interface Instalment {
  /** The month of the loan at whose end it is due, from 1; of a bullet 1. */
  readonly no: number;
  readonly dueOn: BusinessDate;
  readonly principal: Minor;
  readonly interest: Minor;
}

const MONTHS_OF_YEAR = 12n;
const DAYS_OF_YEAR = 360n;
const MILLION = 1_000_000n;
/** A month's interest on x is x × rate ÷ this. */
const MONTHLY = MONTHS_OF_YEAR * MILLION;
/** A day's interest on x is x × rate ÷ this. */
const DAILY = DAYS_OF_YEAR * MILLION;

const least = (one: bigint, other: bigint): bigint => (one < other ? one : other);
const dividedUp = (value: bigint, by: bigint): bigint => (value + by - 1n) / by;

/**
 * 等额本息: what each instalment but the last is, by the exact formula P·r·(1+r)ⁿ ÷ ((1+r)ⁿ−1) with r a twelfth of the yearly rate,
 * rounded up to the fen.
 * @param rate of a year, in millionths
 */
export function annuityOf(principal: Minor, rate: bigint, months: number): Minor {
  if (rate === 0n) return dividedUp(principal, BigInt(months));
  const grown = (MONTHLY + rate) ** BigInt(months);
  const still = MONTHLY ** BigInt(months);
  return dividedUp(principal * rate * grown, MONTHLY * (grown - still));
}

/**
 * The plan: its principal adds up to the terms' exactly, and each month's interest is on what is left, rounded half up to the fen. An
 * instalment of nothing is left out (a loan of a few fen is paid before its last month; at a rate of nothing 先息后本 has one).
 */
export function planOf(terms: PlanTerms): Instalment[] {
  const { principal, rate, months, method, lentOn, behind = 0 } = terms;
  invariant(principal >= 0n && rate >= 0n && Number.isInteger(months) && behind >= 0 && behind < months, 'terms of a plan');
  if (principal === 0n) return [];
  if (method === 'bullet') {
    invariant(behind === 0, 'a bullet has one instalment');
    const interest = mulDivHalfUp(principal, rate * BigInt(months), MONTHLY);
    return [{ no: 1, dueOn: addMonths(lentOn, months), principal, interest }];
  }
  const times = months - behind;
  const regular = method === 'annuity' ? annuityOf(principal, rate, times) : principal / BigInt(times);
  const plan: Instalment[] = [];
  let left = principal;
  for (let no = behind + 1; no <= months; no += 1) {
    const interest = mulDivHalfUp(left, rate, MONTHLY);
    const share = method === 'annuity' ? regular - interest : method === 'interest-first' ? 0n : regular;
    const paid = no === months ? left : least(share, left);
    if (paid + interest > 0n) plan.push({ no, dueOn: addMonths(lentOn, no), principal: paid, interest });
    left -= paid;
  }
  return plan;
}

/** Where a loan stands. All of it is kept with the loan, and nothing per instalment. */
export interface LoanState {
  /** The principal of the plan in force; that of the loan until some was paid ahead of time. */
  readonly planPrincipal: Minor;
  /** How many months were over when the plan in force was made. */
  readonly planBehind: number;
  /** The oldest instalment that is not wholly paid, or a number after the last. */
  readonly next: number;
  /** What was paid of that one. */
  readonly paidPrincipal: Minor;
  readonly paidInterest: Minor;
  readonly paidPenalty: Minor;
  /** 罚息积数 of that one: what was overdue of it times the days, up to `overdueTo`. Fen times days, so that no part payment rounds it away. */
  readonly overdueProduct: bigint;
  readonly overdueTo: BusinessDate | null;
}

/** What was agreed of a loan: what never changes of it. */
export interface LoanTerms {
  /** Of a year, in millionths. */
  readonly rate: bigint;
  /** Of a year, in millionths, on what is overdue. */
  readonly penaltyRate: bigint;
  readonly months: number;
  readonly method: RepaymentMethod;
  readonly lentOn: BusinessDate;
}

/** Parts of a payment, in minor units. */
export interface Parts {
  readonly principal: Minor;
  readonly interest: Minor;
  readonly penalty: Minor;
}

/** What is still owed of one instalment. */
export interface Owed extends Parts {
  readonly no: number;
  readonly dueOn: BusinessDate;
}

const NO_PARTS: Parts = { principal: 0n, interest: 0n, penalty: 0n };

export const sumOf = ({ principal, interest, penalty }: Parts): Minor => principal + interest + penalty;

export function addParts(parts: readonly Parts[]): Parts {
  return parts.reduce<Parts>(
    (sum, { principal, interest, penalty }) => ({
      principal: sum.principal + principal,
      interest: sum.interest + interest,
      penalty: sum.penalty + penalty,
    }),
    NO_PARTS,
  );
}

const UNTOUCHED = { paidPrincipal: 0n, paidInterest: 0n, paidPenalty: 0n, overdueProduct: 0n, overdueTo: null } as const;

/** A loan on the day it is lent. */
export function newLoan(principal: Minor): LoanState {
  return { planPrincipal: principal, planBehind: 0, next: 1, ...UNTOUCHED };
}

/** The plan in force, with what was paid of it. */
function planInForce(terms: LoanTerms, { planPrincipal: principal, planBehind: behind }: LoanState): Instalment[] {
  return planOf({ ...terms, principal, behind });
}

/** The instalments of the plan in force that are not wholly paid, the oldest first. What was paid of the first is still in it. */
function openInstalments(terms: LoanTerms, state: LoanState): Instalment[] {
  return planInForce(terms, state).filter(({ no }) => no >= state.next);
}

/** The principal that was not paid back yet. */
export function leftOf(terms: LoanTerms, state: LoanState): Minor {
  return principalOf(openInstalments(terms, state)) - state.paidPrincipal;
}

const principalOf = (plan: readonly Instalment[]) => plan.reduce((sum, { principal }) => sum + principal, 0n);

/** What is overdue of an instalment times the days, on a date. Penalty runs from the day after the due date, actual days. */
function productOn(instalment: Instalment, state: LoanState, on: BusinessDate): bigint {
  const { dueOn, principal, interest, no } = instalment;
  const first = no === state.next;
  const from = (first ? state.overdueTo : null) ?? dueOn;
  const days = on > from ? BigInt(daysBetween(from, on)) : 0n;
  const base = principal + interest - (first ? state.paidPrincipal + state.paidInterest : 0n);
  return (first ? state.overdueProduct : 0n) + base * days;
}

function owedOf(terms: LoanTerms, state: LoanState, instalment: Instalment, on: BusinessDate): Owed {
  const { no, dueOn, principal, interest } = instalment;
  const penalty = mulDivHalfUp(productOn(instalment, state, on), terms.penaltyRate, DAILY);
  if (no !== state.next) return { no, dueOn, principal, interest, penalty };
  return {
    ...{ no, dueOn },
    principal: principal - state.paidPrincipal,
    interest: interest - state.paidInterest,
    penalty: penalty - state.paidPenalty,
  };
}

/** The instalments that are due on a date or were before, with what is still owed of each; none when nothing is. */
export function dueAsOf(terms: LoanTerms, state: LoanState, on: BusinessDate): Owed[] {
  return owedByPlan(terms, state, on).filter(({ dueOn }) => dueOn <= on);
}

/** What is still owed of each instalment by the plan, also of those that are not due yet. */
export function owedByPlan(terms: LoanTerms, state: LoanState, on: BusinessDate): Owed[] {
  const open = openInstalments(terms, state);
  // An instalment of nothing is not in the plan: the first that is takes its place.
  const placed = atFirst(state, open);
  return open.map((instalment) => owedOf(terms, placed, instalment, on));
}

/** The state with its number at the first open instalment, when those between have nothing to pay. */
function atFirst(state: LoanState, open: readonly Instalment[]): LoanState {
  const first = open[0];
  return first === undefined || first.no === state.next ? state : { ...state, next: first.no };
}

export interface Paid {
  readonly state: LoanState;
  /** What the payment paid of each instalment it reached, the oldest first. Of what was not by the plan, under the next one's number. */
  readonly lines: readonly ({ readonly no: number } & Parts)[];
}

/** How a payment of what is owed is meant. @param ahead whether the instalment that is due next, and none after it, may be paid before its date as well */
interface When {
  readonly on: BusinessDate;
  readonly ahead: boolean;
}

/** The instalments that may be paid on a date and are not wholly paid: those that are due and, with `ahead`, the next one. */
function payableInstalments(terms: LoanTerms, state: LoanState, { on, ahead }: When): Instalment[] {
  const plan = planInForce(terms, state);
  // By the calendar and not by what is open: else whoever pays one after the other has paid them all on one day, with the interest of years.
  const begun = addMonths(terms.lentOn, state.planBehind) <= on;
  const next = ahead && begun ? plan.find(({ dueOn }) => dueOn > on) : undefined;
  return plan.filter((instalment) => instalment.no >= state.next && (instalment.dueOn <= on || instalment === next));
}

/** The most that {@link payDue} takes on a date; minor units. */
export function payableOn(terms: LoanTerms, state: LoanState, when: When): Minor {
  const open = payableInstalments(terms, state, when);
  const placed = atFirst(state, open);
  return sumOf(addParts(open.map((instalment) => owedOf(terms, placed, instalment, when.on))));
}

/**
 * Pays what is owed, the oldest instalment first, and of one instalment its penalty, then interest, then principal.
 * @param payment.amount minor units, above zero
 * @returns undefined when it is more than {@link payableOn}
 */
export function payDue(terms: LoanTerms, state: LoanState, payment: When & { readonly amount: Minor }): Paid | undefined {
  const { amount, on } = payment;
  const open = payableInstalments(terms, state, payment);
  let now = atFirst(state, open);
  let rest = amount;
  const lines: ({ no: number } & Parts)[] = [];
  for (const instalment of open) {
    if (rest === 0n) break;
    const owed = owedOf(terms, now, instalment, on);
    const penalty = least(rest, owed.penalty);
    const interest = least(rest - penalty, owed.interest);
    const principal = least(rest - penalty - interest, owed.principal);
    const paid = { principal, interest, penalty };
    lines.push({ no: instalment.no, ...paid });
    rest -= sumOf(paid);
    now = sumOf(paid) === sumOf(owed) ? { ...now, ...UNTOUCHED, next: instalment.no + 1 } : touched(now, instalment, paid, on);
  }
  return rest > 0n ? undefined : { state: now, lines };
}

function touched(state: LoanState, instalment: Instalment, paid: Parts, on: BusinessDate): LoanState {
  const overdue = on > instalment.dueOn;
  return {
    ...state,
    overdueProduct: productOn(instalment, state, on),
    overdueTo: overdue ? on : null,
    paidPrincipal: state.paidPrincipal + paid.principal,
    paidInterest: state.paidInterest + paid.interest,
    paidPenalty: state.paidPenalty + paid.penalty,
  };
}

/**
 * The interest on a principal from the beginning of the period in which a date falls: whole months by the month, the days after
 * them by the day and never more than a month's. Nothing before the period has begun (the instalment before was paid early).
 */
function brokenInterest(terms: LoanTerms, principal: Minor, next: number, on: BusinessDate): Minor {
  const { numerator, denominator } = brokenRate(terms, next, on);
  return mulDivHalfUp(principal, numerator, denominator);
}

function brokenRate({ rate, method, months, lentOn }: LoanTerms, next: number, on: BusinessDate) {
  const before = method === 'bullet' ? 0 : next - 1;
  const longest = method === 'bullet' ? months : next;
  let whole = before;
  while (whole < longest && addMonths(lentOn, whole + 1) <= on) whole += 1;
  const from = addMonths(lentOn, whole);
  const days = whole < longest && on > from ? daysBetween(from, on) : 0;
  const inMonths = BigInt(whole - before) * 30n + BigInt(Math.min(days, 30)); // in days of a year of 360
  return { numerator: rate * inMonths, denominator: DAILY };
}

/**
 * 提前结清: what settles the loan on a date: all that is due, the rest of the principal, and the interest of the broken period on it,
 * less what was paid ahead of that period's interest.
 */
export function earlyOf(terms: LoanTerms, state: LoanState, on: BusinessDate): Parts {
  return addParts(earlyLines(terms, state, on));
}

function earlyLines(terms: LoanTerms, state: LoanState, on: BusinessDate): ({ no: number } & Parts)[] {
  const owed = owedByPlan(terms, state, on);
  const lines: ({ no: number } & Parts)[] = owed
    .filter(({ dueOn }) => dueOn <= on)
    .map(({ no, principal, interest, penalty }) => ({ no, principal, interest, penalty }));
  const ahead = owed.filter(({ dueOn }) => dueOn > on);
  const first = ahead[0];
  if (first === undefined) return lines;
  const untouched = lines.length > 0;
  const [paidPrincipal, paidInterest] = untouched ? [0n, 0n] : [state.paidPrincipal, state.paidInterest];
  const principal = ahead.reduce((sum, each) => sum + each.principal, 0n);
  const accrued = brokenInterest(terms, principal + paidPrincipal, first.no, on);
  const interest = accrued > paidInterest ? accrued - paidInterest : 0n;
  return [...lines, { no: first.no, principal, interest, penalty: 0n }];
}

/**
 * Settles the loan on a date.
 * @returns undefined when the amount is not exactly what {@link earlyOf} says
 */
export function payEarly(
  terms: LoanTerms,
  state: LoanState,
  payment: { readonly amount: Minor; readonly on: BusinessDate },
): Paid | undefined {
  const lines = earlyLines(terms, state, payment.on);
  if (lines.length === 0 || sumOf(addParts(lines)) !== payment.amount) return undefined;
  return { state: { ...state, ...UNTOUCHED, next: terms.months + 1 }, lines };
}

/**
 * 部分提前还款: principal ahead of time with the interest of the broken period on it; the plan is made anew over the months that are
 * left, on the same due dates.
 * @param payment.amount minor units; the principal in it is the largest whose interest it pays as well
 * @returns undefined while anything is due or the next instalment is paid in part, and when it would leave nothing: that is settling
 */
export function payAhead(
  terms: LoanTerms,
  state: LoanState,
  payment: { readonly amount: Minor; readonly on: BusinessDate },
): Paid | undefined {
  const { amount, on } = payment;
  const open = openInstalments(terms, state);
  const first = open[0];
  if (first === undefined || first.dueOn <= on || state.paidPrincipal + state.paidInterest > 0n) return undefined;
  const { numerator, denominator } = brokenRate(terms, first.no, on);
  let principal = (amount * denominator) / (denominator + numerator);
  if (principal + 1n + mulDivHalfUp(principal + 1n, numerator, denominator) <= amount) principal += 1n;
  const left = principalOf(open);
  if (principal === 0n || principal >= left) return undefined;
  // What the amount has beyond the principal: its interest, and at most a fen that would not pay another of principal and interest.
  const lines = [{ no: first.no, principal, interest: amount - principal, penalty: 0n }];
  const behind = terms.method === 'bullet' ? 0 : first.no - 1;
  return { state: { planPrincipal: left - principal, planBehind: behind, next: behind + 1, ...UNTOUCHED }, lines };
}

/** Whether nothing is left to pay. */
export function isRepaid(terms: LoanTerms, state: LoanState): boolean {
  return openInstalments(terms, state).length === 0;
}

/**
 * Divides a total among holders by what each has, to the fen: each gets the whole part of his share, and the fen that are left go one by
 * one to those with the largest remainders, of equal ones to the first. Of a total not above the sum of the weights nobody gets more than his.
 * @param weights not below zero; not all zero unless the total is
 */
export function shareOut(total: Minor, weights: readonly bigint[]): Minor[] {
  const sum = weights.reduce((all, weight) => all + weight, 0n);
  if (total === 0n) return weights.map(() => 0n);
  invariant(sum > 0n, 'somebody to share with');
  const shares = weights.map((weight) => (total * weight) / sum);
  let rest = Number(total - shares.reduce((all, share) => all + share, 0n));
  if (rest === 0) return shares;
  const places = weights.map((weight, place) => ({ place, over: (total * weight) % sum }));
  places.sort((one, other) => (one.over === other.over ? one.place - other.place : one.over > other.over ? -1 : 1));
  for (const { place } of places) {
    if (rest === 0) break;
    shares[place] = (shares[place] as bigint) + 1n;
    rest -= 1;
  }
  return shares;
}
