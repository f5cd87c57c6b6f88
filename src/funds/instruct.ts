import {
  addDays,
  type BusinessDate,
  type Calendar,
  canonicalJson,
  type Id,
  type Instant,
  type Minor,
  naturalDate,
  type Refusal,
  refuse,
  toWire,
  toWireAmount,
} from '../kernel/index.js';
import type { Tx } from '../runtime/index.js';
import type { FundDay, FundOrder } from './records.js';
import { isTradingDay, NAV_ONE, type Units } from './rules.js';
import { findFund, insertFundDay, lastFundDay } from './store.js';

/** An instruction of the system that the fund company's word makes, as whoever receives instructions wants it. */
export interface FundInstruction {
  readonly platformId: Id;
  readonly origin: 'S';
  /** Made of what it is about, so that the same word acts once. */
  readonly requestNo: string;
  readonly kind: string;
  readonly body: string;
  readonly actor: string;
}

type Of = Pick<FundOrder, 'id' | 'platformId' | 'attempts'>;

function given(platformId: Id, kind: string, no: string, data: object): FundInstruction {
  return { platformId, origin: 'S', requestNo: `${kind}:${no}`, kind, body: canonicalJson(data), actor: 'fund-company' };
}

const money = (amount: Minor) => ({ amount: toWireAmount(amount), currency: 'CNY' });

/** What a company says of an order that it carried out: at which value, for how many units and how much money, dated on its own day. */
export interface FundConfirmation {
  readonly date: BusinessDate;
  readonly nav: bigint;
  readonly units: Units;
  readonly amount: Minor;
}

/** The company has carried out an order. @param turn counted up where it was refused before for what has changed meanwhile */
export function confirmationGiven(order: Of, { date, nav, units, amount }: FundConfirmation, turn = 0): FundInstruction {
  const data = { order: toWire('fund-order', order.id), date, nav: String(nav), units: String(units), amount: money(amount) };
  return given(order.platformId, 'fund-confirmation', `${order.id}:${order.attempts}:${turn}`, data);
}

/** The company has not carried out an order, and never will under this number. */
export function failureGiven(order: Of, reason: string, turn = 0): FundInstruction {
  const data = { order: toWire('fund-order', order.id), reason };
  return given(order.platformId, 'fund-failure', `${order.id}:${order.attempts}:${turn}`, data);
}

/**
 * The income of one holding for the next day that the company has told of it.
 * @param told what the company's own file has for it, where it has: another sum than ours is refused
 */
export function incomeGiven(
  of: { readonly platformId: Id; readonly accountId: Id; readonly fund: string },
  date: BusinessDate,
  told?: Units,
  turn = 0,
): FundInstruction {
  const data = {
    account: toWire('account', of.accountId),
    fund: of.fund,
    date,
    ...(told === undefined ? {} : { units: String(told) }),
  };
  return given(of.platformId, 'fund-income', `${of.accountId}:${of.fund}:${date}:${turn}`, data);
}

/** The company's money for redemptions has come in to the custody account of a platform, under this reference. */
export function proceedsGiven(
  platformId: Id,
  of: { readonly fund: string; readonly reference: string; readonly amount: Minor; readonly orders: readonly Id[] },
  turn = 0,
): FundInstruction {
  const orders = of.orders.map((id) => toWire('fund-order', id));
  const data = { fund: of.fund, reference: of.reference, amount: money(of.amount), orders };
  return given(platformId, 'fund-proceeds', `${of.reference}:${turn}`, data);
}

/** What came in for one redemption goes to whom it is for. */
export function proceedsPaid(order: Of, turn = 0): FundInstruction {
  return given(order.platformId, 'fund-proceeds-paid', `${order.id}:${turn}`, { order: toWire('fund-order', order.id) });
}

/** The money of purchases goes to the custody account of their fund; all of one platform and one fund, at most `SETTLED_AT_ONCE`. */
export function settlementGiven(orders: readonly [FundOrder, ...FundOrder[]]): FundInstruction {
  const [first] = orders;
  const data = { fund: first.fund, orders: orders.map(({ id }) => toWire('fund-order', id)) };
  // What has changed since, as a payment that failed, makes another instruction of it.
  return given(first.platformId, 'fund-settlement', `${first.id}:${first.changedMs}`, data);
}

export const SETTLED_AT_ONCE = 500;

/**
 * Takes what a company says of a fund's day. Days follow each other: income is that of all natural days since the day before it in our books.
 * @returns `taken`, or `known` where it said the same before; FUND_NOT_FOUND, FUND_DAY_WRONG (another day than the next, or values that such a
 * fund has not), FUND_DAY_DIFFERS (it said something else of it before)
 */
export async function takeFundDay(
  tx: Tx,
  day: FundDay,
  { calendar, nowMs }: { calendar: Calendar; nowMs: Instant },
): Promise<'taken' | 'known' | Refusal> {
  const fund = await findFund(tx, day.fund);
  if (fund === undefined) return refuse('FUND_NOT_FOUND', undefined, { fund: day.fund });
  const last = await lastFundDay(tx, day.fund);
  if (last !== undefined && day.date <= last.date) return knownDay(tx, day);
  const wrong = (detail: string) => refuse('FUND_DAY_WRONG', detail, { fund: day.fund, date: day.date });
  if (day.date > naturalDate(nowMs)) return wrong('The day is not over.');
  if (day.from > day.date) return wrong('It begins after its own date.');
  if (fund.kind === 'money') {
    if (day.nav !== NAV_ONE) return wrong('A unit of a money fund is worth one yuan.');
    if (day.per10k === null || day.per10k < 0n) return wrong('A money fund tells the income of 10,000 units.');
    if (last !== undefined && day.from !== addDays(last.date, 1)) return wrong(`The next day is ${addDays(last.date, 1)}.`);
    // Who comes or goes does so on a trading day: none lies behind the first of the days that are told together.
    for (let date = addDays(day.from, 1); date <= day.date; date = addDays(date, 1))
      if (isTradingDay(calendar, date)) return wrong('Trading days are told one by one.');
  } else {
    if (day.per10k !== null || day.nav <= 0n) return wrong('Such a fund tells the value of a unit alone.');
    if (day.from !== day.date || !isTradingDay(calendar, day.date)) return wrong('It is not a trading day.');
  }
  await insertFundDay(tx, day, nowMs);
  return 'taken';
}

async function knownDay(tx: Tx, day: FundDay): Promise<'known' | Refusal> {
  const known = await lastFundDay(tx, day.fund, addDays(day.date, 1));
  const same = known?.date === day.date && known.from === day.from && known.nav === day.nav && known.per10k === day.per10k;
  return same && known.sevenDay === day.sevenDay
    ? 'known'
    : refuse('FUND_DAY_DIFFERS', undefined, { fund: day.fund, date: day.date });
}
