import { BankRefused, BankUnreachable, StatementFaulty } from '../channels/index.js';
import type { Desk } from '../dispatch/index.js';
import { type FundOrder, type FundOrderFilter, listFundOrders, SETTLED_AT_ONCE } from '../funds/index.js';
import type { Submission } from '../instructions/index.js';
import { addDays, type BusinessDate, type Id, type Minor, naturalDate } from '../kernel/index.js';
import { loadBook } from '../ledger/index.js';
import { faultOf, inPages } from '../runtime/index.js';
import { decided } from './decided.js';
import { proceedsGiven, proceedsPaid, settlementGiven } from './instruct.js';
import { orderNoOf, turnOf } from './rules.js';
import { bookedUnder } from './store.js';

const PAGE = 1_000;
/** For so many days after a confirmation its money is looked for on the statements by itself. */
const LOOK_BACK_DAYS = 15;

/**
 * What money of funds does because a day has come: proceeds that the core bank shows are booked and paid to whom they are for, and the money of purchases
 * that is due goes to the fund. @returns how many of these instructions were posted now or before
 */
export async function moveFundMoney(desk: Desk): Promise<number> {
  const today = naturalDate(desk.rt.clock.now());
  return (await bookProceeds(desk, today)) + (await payProceeds(desk, today)) + (await settlePurchases(desk, today));
}

async function giveAll(desk: Desk, given: readonly Submission[]): Promise<number> {
  const outcomes = await decided(desk, given);
  outcomes.forEach(({ code }, at) => {
    if (code !== 'posted') desk.rt.log.warn({ event: 'fund-money.refused', code, requestNo: given[at]?.requestNo });
  });
  return outcomes.filter(({ code }) => code === 'posted').length;
}

function ordersBy({ rt }: Desk, filter: Omit<FundOrderFilter, 'after'>): AsyncGenerator<readonly FundOrder[]> {
  const read = (after: Id) => rt.db.read('fund-orders', (tx) => listFundOrders(tx, { ...filter, after }, PAGE));
  return inPages(PAGE, ({ id }) => id, read);
}

/** The reference under which a fund company pays for a redemption. */
function proceedsReference({ id, attempts }: FundOrder): string {
  return `FR${orderNoOf(id, attempts)}`;
}

/**
 * Books the proceeds of redemptions once the statement of the custody account has them, each under its own reference. They may have come before the
 * company told of the redemption, so they are looked for from its trading day on. The statement of a day that is not over may be incomplete: what it
 * has is there, and what it has not is looked for again. What people have booked under the reference meanwhile is not booked again.
 */
async function bookProceeds(desk: Desk, today: BusinessDate): Promise<number> {
  const waiting = new Map<Id, FundOrder[]>();
  for await (const orders of ordersBy(desk, { states: ['confirmed'], direction: 'redemption', collected: false }))
    for (const order of orders) waiting.set(order.platformId, [...(waiting.get(order.platformId) ?? []), order]);
  let booked = 0;
  for (const [platformId, orders] of waiting) {
    const { custodyNo } = await desk.rt.db.read('book-of-funds', (tx) => loadBook(tx, platformId));
    const wanted = new Map(orders.map((order) => [proceedsReference(order), order]));
    const since = orders.map(({ tradingDate }) => tradingDate ?? today).sort()[0] ?? today;
    const shown = await linesOn(desk, custodyNo, since, today, wanted);
    const known = await desk.rt.db.read('booked-of-funds', (tx) => bookedUnder(tx, platformId, [...shown.keys()]));
    const given = [...shown].flatMap(([reference, amount]) => {
      const order = wanted.get(reference);
      if (order === undefined) return [];
      if (known.has(reference)) {
        desk.rt.log.warn({ event: 'fund-money.booked-otherwise', platform: platformId, reference });
        return [];
      }
      return [proceedsGiven(order, { reference, amount }, turnOf(today))];
    });
    booked += await giveAll(desk, given);
  }
  return booked;
}

async function linesOn(
  { rt, channels }: Desk,
  custodyNo: string,
  since: BusinessDate,
  today: BusinessDate,
  wanted: ReadonlyMap<string, unknown>,
): Promise<Map<string, Minor>> {
  const shown = new Map<string, Minor>();
  const oldest = addDays(today, -LOOK_BACK_DAYS);
  for (let date = since > oldest ? since : oldest; date <= today; date = addDays(date, 1)) {
    const found = new Map<string, Minor>();
    try {
      await channels.coreBank.statement(custodyNo, date, async (lines) => {
        for (const { reference, amount } of lines) if (amount > 0n && wanted.has(reference)) found.set(reference, amount);
      });
    } catch (error) {
      if (!(error instanceof BankUnreachable || error instanceof BankRefused || error instanceof StatementFaulty)) throw error;
      rt.log.warn({ event: 'fund-money.no-statement', date, error: faultOf(error) });
      continue;
    }
    for (const [reference, amount] of found) shown.set(reference, amount);
  }
  return shown;
}

async function payProceeds(desk: Desk, today: BusinessDate): Promise<number> {
  let paid = 0;
  for await (const orders of ordersBy(desk, { states: ['confirmed'], direction: 'redemption', collected: true })) {
    const given = orders.map((order) => proceedsPaid(order, turnOf(today)));
    paid += await giveAll(desk, given);
  }
  return paid;
}

async function settlePurchases(desk: Desk, today: BusinessDate): Promise<number> {
  const due = { states: ['confirmed' as const], direction: 'subscription' as const, collected: true, settlesUntil: today };
  let settled = 0;
  for await (const orders of ordersBy(desk, due)) {
    const given = settlementsOf(orders).map((together) => settlementGiven(together, turnOf(today)));
    settled += await giveAll(desk, given);
  }
  return settled;
}

/** Purchases whose money goes to their fund in one payment. */
function settlementsOf(orders: readonly FundOrder[]): (readonly [FundOrder, ...FundOrder[]])[] {
  // Of a purchase from the pot the money may not be here yet. Where it came only today it has not cleared, and may not hold up what was
  // here before: where money comes every day, some of it never has.
  const groups = new Map<string, FundOrder[]>();
  for (const order of orders.filter(({ collected, amount }) => collected === amount)) {
    const key = `${order.platformId}:${order.fund}:${order.way}:${naturalDate(order.changedMs)}`;
    groups.set(key, [...(groups.get(key) ?? []), order]);
  }
  const settlements: (readonly [FundOrder, ...FundOrder[]])[] = [];
  for (const group of groups.values()) {
    for (let from = 0; from < group.length; from += SETTLED_AT_ONCE) {
      const [first, ...rest] = group.slice(from, from + SETTLED_AT_ONCE);
      if (first !== undefined) settlements.push([first, ...rest]);
    }
  }
  return settlements;
}
