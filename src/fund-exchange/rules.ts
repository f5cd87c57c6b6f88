import { type FundApplication, type FundConfirmation, isDone } from '../channels/index.js';
import { closedAt, type FundOrder, isTradingDay, tradingDayAfter } from '../funds/index.js';
import {
  addDays,
  asId,
  type BusinessDate,
  type Calendar,
  type Id,
  type Instant,
  naturalDate,
  startOfDay,
  toRfc3339,
} from '../kernel/index.js';

/** What a fund company calls a customer's account (交易账号, at most 17 characters): our number of it, in digits and letters. */
export function fundAccountNo(accountId: Id): string {
  return BigInt(accountId).toString(36).toUpperCase();
}

/** The account that such a number is of; undefined of what is none of ours. */
export function accountOfNo(no: string): Id | undefined {
  if (!/^[0-9A-Z]{12,13}$/.test(no)) return undefined;
  let value = 0n;
  for (const char of no) value = value * 36n + BigInt(Number.parseInt(char, 36));
  const text = String(value);
  return /^[1-9][0-9]{18}$/.test(text) && value < 2n ** 63n ? asId(text) : undefined;
}

/** What an order is called in a file: an order that is sent again is another one there. */
export function orderNoOf(orderId: Id, attempt: number): string {
  return `${orderId}-${attempt}`;
}

export function parseOrderNo(text: string): { readonly orderId: Id; readonly attempt: number } | undefined {
  const [, id, attempt] = /^([1-9][0-9]{18})-([1-9][0-9]{0,3})$/.exec(text) ?? [];
  return id === undefined ? undefined : { orderId: asId(id), attempt: Number(attempt) };
}

/** An order as it stands in a file. */
export interface SentOrder {
  readonly order: FundOrder;
  readonly attempt: number;
  readonly fileDate: BusinessDate;
  /** Of the platform whose customer it is. */
  readonly custodyNo: string;
}

export function applicationOf({ order, attempt, fileDate, custodyNo }: SentOrder): FundApplication {
  const isPurchase = order.direction === 'subscription';
  return {
    ...{ orderNo: orderNoOf(order.id, attempt), fund: order.fund, business: businessOf(order), tradeDate: fileDate },
    ...{ time: toRfc3339(order.createdMs).slice(11, 19).replaceAll(':', ''), account: fundAccountNo(order.accountId) },
    ...{ amount: isPurchase ? order.amount : 0n, units: isPurchase ? 0n : order.units, depositAccount: custodyNo },
  };
}

function businessOf({ direction, way }: FundOrder): FundApplication['business'] {
  if (direction === 'subscription') return 'subscription';
  return way === 'fast' ? 'fast-redemption' : 'redemption';
}

/**
 * Whether a confirmation is about the order that it names: another fund, account, day or direction would be another order's. One of another day
 * than its file would have units earn from the wrong day on, and the money of them go to the fund on the wrong one.
 * @param date of the file
 */
export function isAbout({ order, fileDate }: SentOrder, said: FundConfirmation, date: BusinessDate): boolean {
  return (
    said.confirmDate === date &&
    said.fund === order.fund &&
    said.account === fundAccountNo(order.accountId) &&
    said.business === businessOf(order) &&
    said.tradeDate === fileDate
  );
}

/** Whether a confirmation says what the books have of the order already. */
export function isKnown({ order, attempt }: SentOrder, said: FundConfirmation): boolean {
  if (!isDone(said)) return order.state === 'failed' || order.attempts > attempt || order.state === 'created';
  if (order.state !== 'confirmed' && order.state !== 'settled') return false;
  return order.nav === said.nav && order.units === said.units && order.amount === said.amount;
}

/** The trading days whose orders can be sent now: behind the last one that was handed in; the very first is the last that is closed. */
export function daysToSend(calendar: Calendar, last: BusinessDate | undefined, nowMs: Instant): BusinessDate[] {
  let latest = naturalDate(nowMs);
  while (!isTradingDay(calendar, latest) || nowMs < closedAt(latest)) latest = addDays(latest, -1);
  if (last === undefined) return [latest];
  const days: BusinessDate[] = [];
  for (let day = tradingDayAfter(calendar, last); day <= latest; day = tradingDayAfter(calendar, day)) days.push(day);
  return days;
}

/** The trading days whose files are to come: each is that behind one whose orders were handed in. */
export function daysToTake(
  calendar: Calendar,
  { taken, handedIn }: { readonly taken: BusinessDate | undefined; readonly handedIn: readonly BusinessDate[] },
  nowMs: Instant,
): { readonly tradeDate: BusinessDate; readonly date: BusinessDate }[] {
  const today = naturalDate(nowMs);
  return handedIn
    .map((tradeDate) => ({ tradeDate, date: tradingDayAfter(calendar, tradeDate) }))
    .filter(({ date }) => date <= today && (taken === undefined || date > taken));
}

/** Until when on its day a company owes its files: twelve o'clock (《证券投资基金销售结算资金管理暂行规定》, annex). */
export function dueAt(date: BusinessDate): Instant {
  return (startOfDay(date) + 12 * 3_600_000) as Instant;
}

/** Natural days from one on, before another. */
export function daysFrom(from: BusinessDate, before: BusinessDate): BusinessDate[] {
  const days: BusinessDate[] = [];
  for (let day = from; day < before; day = addDays(day, 1)) days.push(day);
  return days;
}

/**
 * Counts up what one file says of an instruction's matter against what another one does, so that a word that was refused does not stand in the way of the
 * next day's.
 */
export function turnOf(date: BusinessDate, again = false): number {
  return Number(date.replaceAll('-', '')) * 10 + (again ? 1 : 0);
}
