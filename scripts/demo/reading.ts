import type { BusinessDate, Minor } from '../../src/kernel/index.js';
import { readDays } from './day.js';
import { type Check, type Figures, type Result, type SellerFigures, same } from './figures.js';
import { readAll } from './http.js';
import type { OpenMarket } from './opening.js';

/**
 * Reads the figures of the run back from the service, over its API: nothing here comes from what the replay counted. The one
 * exception is the number of orders, since an order that nobody paid for is nothing to the bank.
 */
export interface Read {
  readonly result: Result;
  /** How often a split was refused, by the code of the refusal. */
  readonly refusals: ReadonlyMap<string, number>;
  readonly payouts: number;
  /** How many went out by each channel, and how much in fen. */
  readonly channels: readonly ByChannel[];
  /** Timing differences over a cut-off that closed themselves. */
  readonly closedThemselves: number;
  /** What the service says of itself in two places has to be the same in both. */
  readonly checks: readonly Check[];
}

export interface ByChannel {
  readonly channel: string;
  readonly payouts: number;
  readonly amount: Minor;
}

interface Order {
  readonly paid: number;
  readonly split: number;
  readonly returned: number;
  readonly refunded: number;
  readonly left: number;
}
interface Account {
  readonly id: string;
  readonly type: string;
  readonly merchantNo: string | null;
  readonly balance: number;
}
interface Payout {
  readonly purpose: string;
  readonly account: string;
  readonly amount: { readonly amount: number };
  readonly state: string;
  readonly channel: string | null;
}
interface Instruction {
  readonly kind: string;
  readonly origin: string;
  readonly state: string;
  readonly code: string | null;
  /** Of a split: who got what by the agreements. */
  readonly detail: { readonly lines?: readonly { readonly account: string; readonly amount: string }[] } | null;
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): Minor {
  return items.reduce((all, item) => all + BigInt(of(item)), 0n);
}

interface BreakRow {
  readonly timing: boolean;
  readonly state: string;
  readonly rule: string | null;
}

/** What was on its way over a cut-off is no break once its other side is there: how much of it there is depends on the machine's pace. */
function isClosedByItself({ timing, state, rule }: BreakRow): boolean {
  return timing && state === 'closed' && rule === 'other-side-appeared';
}

export async function readResult(
  market: OpenMarket,
  { orders, lastDay }: { orders: number; lastDay: BusinessDate },
): Promise<Read> {
  const { platform, admin } = market.clients;
  const [bookedOrders, accounts, payouts, given, days, breaks] = await Promise.all([
    readAll<Order>(platform, '/v1/orders'),
    readAll<Account>(platform, '/v1/accounts'),
    readAll<Payout>(platform, '/v1/payouts'),
    readAll<Instruction>(platform, '/v1/instructions'),
    readDays(market),
    readAll<BreakRow>(admin, `/admin/v1/breaks?platform=${market.platformId}`),
  ]);
  const instructions = given.filter(({ origin }) => origin === 'platform');
  const refused = instructions.filter(({ kind, state }) => kind === 'split' && state === 'refused');
  const refunds = payouts.filter(({ purpose, state }) => purpose === 'refund' && state === 'settled');
  const sellers = sellersOf(market, instructions, payouts);
  const last = days.find(({ businessDate }) => businessDate === lastDay);
  const balances = (wanted: (type: string) => boolean) => {
    const those = accounts.filter(({ type }) => wanted(type));
    return sum(those, ({ balance }) => balance);
  };
  const closedThemselves = breaks.filter(isClosedByItself).length;
  const figures: Figures = {
    orders,
    instructions: instructions.length,
    paid: sum(bookedOrders, (order) => order.paid),
    // What was refunded on the orders has to have arrived.
    refunded: sum(refunds, ({ amount }) => amount.amount),
    split: total(sellers, (seller) => seller.split),
    commission: balances((type) => type === 'commission'),
    refusedSplits: refused.length,
    onOrders: balances((type) => type === 'order'),
    paidOut: total(sellers, (seller) => seller.paidOut),
    custody: BigInt(last?.statement?.closing ?? -1),
    sumOfSubAccounts: balances((type) => type !== 'custody'),
    breaks: breaks.length - closedThemselves,
    days: days.filter(({ state }) => state === 'closed').length,
  };
  const splitNet = sum(bookedOrders, (order) => order.split - order.returned);
  const refundedOnOrders = sum(bookedOrders, (order) => order.refunded);
  const left = sum(bookedOrders, (order) => order.left);
  const checks = [
    same('orders: split = split + commission', splitNet, figures.split + figures.commission),
    same('orders: refunded = refunded', refundedOnOrders, figures.refunded),
    same('orders: left = onOrders', left, figures.onOrders),
    same('last day: custody by the books = custody', BigInt(last?.custody ?? -1), figures.custody),
    same('last day: sub-accounts = sumOfSubAccounts', BigInt(last?.subAccounts ?? -1), figures.sumOfSubAccounts),
  ];
  const refusals = new Map<string, number>();
  for (const { code } of refused) refusals.set(String(code), (refusals.get(String(code)) ?? 0) + 1);
  return {
    result: { figures, sellers },
    refusals,
    payouts: payouts.length,
    channels: byChannel(payouts),
    closedThemselves,
    checks,
  };
}

function byChannel(payouts: readonly Payout[]): ByChannel[] {
  const found = new Map<string, ByChannel>();
  for (const { channel, amount } of payouts) {
    const name = channel ?? 'none';
    const known = found.get(name) ?? { channel: name, payouts: 0, amount: 0n };
    found.set(name, { channel: name, payouts: known.payouts + 1, amount: known.amount + BigInt(amount.amount) });
  }
  return [...found.values()].sort((a, b) => b.payouts - a.payouts);
}

function total(sellers: ReadonlyMap<string, SellerFigures>, of: (seller: SellerFigures) => Minor): Minor {
  return [...sellers.values()].reduce((all, seller) => all + of(seller), 0n);
}

/** What each seller got by the splits that were posted, and what of it reached his own account. */
function sellersOf(
  { accountOf }: OpenMarket,
  instructions: readonly Instruction[],
  payouts: readonly Payout[],
): Map<string, SellerFigures> {
  const split = new Map<string, Minor>();
  const paidOut = new Map<string, Minor>();
  const add = (to: Map<string, Minor>, account: string, amount: number | string) =>
    to.set(account, (to.get(account) ?? 0n) + BigInt(amount));
  for (const { kind, state, detail } of instructions) {
    if (kind !== 'split' || state !== 'posted') continue;
    for (const { account, amount } of detail?.lines ?? []) add(split, account, amount);
  }
  for (const { purpose, state, account, amount } of payouts) {
    if (purpose === 'clearing' && state === 'settled') add(paidOut, account, amount.amount);
  }
  return new Map(
    [...accountOf].map(([sellerId, account]) => [
      sellerId,
      { split: split.get(account) ?? 0n, paidOut: paidOut.get(account) ?? 0n },
    ]),
  );
}

interface Books {
  readonly custody: readonly { readonly custodyNo: string; readonly balance: string }[];
  readonly payees: readonly { readonly balance: string }[];
  readonly totals: { readonly inflow: string; readonly paid: string; readonly returned: string; readonly paidTwice: number };
}

/** The figures against the books of the bank simulator, which knows what was really paid. */
export async function agreesWithBank({ clients, custodyNo }: OpenMarket, { figures }: Result): Promise<Check[]> {
  const books = (await clients.bank.call({ method: 'GET', path: '/sandbox/books', what: 'reading' })) as Books;
  const custody = books.custody.find((account) => account.custodyNo === custodyNo)?.balance ?? '-1';
  const payees = books.payees.reduce((total, { balance }) => total + BigInt(balance), 0n);
  const { inflow, paid, returned, paidTwice } = books.totals;
  return [
    same("bank's books: inflow = paid", BigInt(inflow), figures.paid),
    same("bank's books: paid = paidOut + refunded", BigInt(paid), figures.paidOut + figures.refunded),
    same("bank's books: on payees' accounts = paid", payees, BigInt(paid)),
    same("bank's books: custody account = custody", BigInt(custody), figures.custody),
    same("bank's books: returned = 0", BigInt(returned), 0n),
    same("bank's books: paid twice = 0", paidTwice, 0),
  ];
}
