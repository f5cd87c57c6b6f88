import { addDays, type BusinessDate, daysBetween, type Id, type Minor, mulDivHalfUp } from '../kernel/index.js';
import type { Parameters } from '../runtime/index.js';

/**
 * Demand interest by 积数 (银发〔2005〕129号): the balances at the end of each day are added up, and their sum earns the yearly rate
 * for one day of 360. The day of a deposit counts and that of a withdrawal does not, which end-of-day balances do by themselves;
 * days are actual days. Of a personal account the rate in force on the interest day holds for the whole period. Pure.
 *
 * Nothing is posted on an earlier date yet. Whoever adds it recomputes each period that was paid since, with its own rate and
 * its own rounding, and posts the sum of the differences: a period's remainder of less than half a fen never goes to the next.
 */

/** The balance at the end of a date, which stays until the next that is named. */
export interface DayEnd {
  readonly day: BusinessDate;
  /** Minor units. */
  readonly balance: Minor;
  /** The place of the day's last entry in the chain of the account; 0 before the first. */
  readonly seq: number;
}

/** What an account had at the end of its days, from where the last period ended. */
export interface Accrual {
  readonly accountId: Id;
  readonly platformId: Id;
  /** How it stood where the last period ended. */
  readonly carried: DayEnd;
  /** Each date with entries since, ascending. */
  readonly days: readonly DayEnd[];
}

/** Days in a row with one balance. */
export interface Segment {
  readonly from: BusinessDate;
  /** At least one. */
  readonly days: number;
  readonly balance: Minor;
}

/** The days from `from` to `through`, both included, in the order of time; none when `through` is before `from`. */
export function segmentsOf({ carried, days }: Accrual, from: BusinessDate, through: BusinessDate): Segment[] {
  const segments: Segment[] = [];
  const end = addDays(through, 1);
  let start = from;
  let balance = carried.balance;
  const until = (day: BusinessDate) => {
    if (day > start) segments.push({ from: start, days: daysBetween(start, day), balance });
  };
  for (const next of days) {
    if (next.day >= end) break;
    if (next.day > start) {
      until(next.day);
      start = next.day;
    }
    balance = next.balance;
  }
  until(end);
  return segments;
}

const YUAN = 100n;

/**
 * 积数: what the end-of-day balances add up to, in fen times days.
 * @param belowYuan whether what stands below a whole yuan counts too
 */
export function productOf(segments: readonly Segment[], belowYuan: boolean): bigint {
  let product = 0n;
  for (const { days, balance } of segments) product += (belowYuan ? balance : balance - (balance % YUAN)) * BigInt(days);
  return product;
}

const DAYS_OF_YEAR = 360n;
const MILLION = 1_000_000n;

/**
 * The interest on a 积数, rounded half up to the fen.
 * @param product fen times days, not below zero
 * @param rate of a year, in millionths (0.30 % is 3000)
 */
export function interestOn(product: bigint, rate: bigint): Minor {
  return mulDivHalfUp(product, rate, DAYS_OF_YEAR * MILLION);
}

/** What an account earned in a period. */
export interface Earned {
  /** Its first and its last day. */
  readonly from: BusinessDate;
  readonly through: BusinessDate;
  /** Fen times days. */
  readonly product: bigint;
  /** Of a year, in millionths. */
  readonly rate: bigint;
  /** Minor units. */
  readonly amount: Minor;
}

/**
 * What an account earned from `from` to `through`, both included.
 * @param of.rateOn the day whose rate holds for all of it: the interest day, or the day of the closing
 */
export function earned(
  accrual: Accrual,
  of: { readonly from: BusinessDate; readonly through: BusinessDate; readonly rateOn: BusinessDate },
  parameters: Parameters,
): Earned {
  const { from, through, rateOn } = of;
  const belowYuan = parameters.on(rateOn, 'interest.below-yuan') === 1n;
  const product = productOf(segmentsOf(accrual, from, through), belowYuan);
  const rate = parameters.on(rateOn, 'interest.demand');
  return { from, through, product, rate, amount: interestOn(product, rate) };
}

/** The accrual when all to `through` was paid: what came before is one balance. */
export function paidUpTo(accrual: Accrual, through: BusinessDate): Accrual {
  const place = accrual.days.findLastIndex(({ day }) => day <= through);
  const last = accrual.days[place] ?? accrual.carried;
  return { ...accrual, carried: { ...last, day: through }, days: accrual.days.slice(place + 1) };
}

const INTEREST_DAYS: readonly string[] = ['03-20', '06-20', '09-20', '12-20'];

/** 结息日: the 20th of the last month of a quarter. What was earned up to it is credited on the day after. */
export function isInterestDay(date: BusinessDate): boolean {
  return INTEREST_DAYS.includes(date.slice(5));
}

/** Under which the core bank shows the interest that it brings: one for each account and period. */
export function interestReference(accountId: Id, through: BusinessDate): string {
  return `INT${accountId}.${through.replaceAll('-', '')}`;
}
