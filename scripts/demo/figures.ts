import type { Minor } from '../../src/kernel/index.js';
import type { MarketOrder, Marketplace } from './orders.js';

/** The figures of a run; amounts in fen. */
export interface Figures {
  readonly orders: number;
  /** Of the platform; those of the system are not counted. */
  readonly instructions: number;
  readonly paid: Minor;
  readonly refunded: Minor;
  /** To sellers. */
  readonly split: Minor;
  readonly commission: Minor;
  readonly refusedSplits: number;
  readonly onOrders: Minor;
  readonly paidOut: Minor;
  readonly custody: Minor;
  readonly sumOfSubAccounts: Minor;
  readonly breaks: number;
  readonly days: number;
}

export interface SellerFigures {
  readonly split: Minor;
  readonly paidOut: Minor;
}

export interface Result {
  readonly figures: Figures;
  readonly sellers: ReadonlyMap<string, SellerFigures>;
}

/**
 * What has to come out, worked out from the orders by the rules of the run alone: without events, instructions or days, so
 * that it is a second way to the same figures and not the first one again.
 */
export function expectedOf({ orders, sellerIds }: Marketplace, days: number): Result {
  const sellers = new Map(sellerIds.map((sellerId) => [sellerId, 0n]));
  const sum = { paid: 0n, refunded: 0n, split: 0n, commission: 0n };
  let instructions = 0;
  let refusedSplits = 0;
  for (const order of orders) {
    sum.paid += order.paid;
    if (order.paid > 0n) instructions += 1;
    if (order.status === 'delivered') {
      const asked = linesTotal(order);
      if (asked === 0n) continue;
      instructions += 1;
      if (asked > order.paid) {
        refusedSplits += 1;
        continue;
      }
      for (const { sellerId, price, freight } of order.lines) {
        const commission = (price + 5n) / 10n;
        sum.commission += commission;
        sum.split += price + freight - commission;
        sellers.set(sellerId, (sellers.get(sellerId) ?? 0n) + price + freight - commission);
      }
    } else if ((order.status === 'canceled' || order.status === 'unavailable') && order.paid > 0n) {
      instructions += 1;
      sum.refunded += order.paid;
    }
  }
  const onOrders = sum.paid - sum.refunded - sum.split - sum.commission;
  const left = sum.commission + onOrders;
  return {
    figures: {
      ...{ orders: orders.length, instructions, ...sum, refusedSplits, onOrders },
      ...{ paidOut: sum.split, custody: left, sumOfSubAccounts: left, breaks: 0, days },
    },
    sellers: new Map([...sellers].map(([sellerId, split]) => [sellerId, { split, paidOut: split }])),
  };
}

function linesTotal(order: MarketOrder): Minor {
  return order.lines.reduce((total, { price, freight }) => total + price + freight, 0n);
}

/** One comparison of the end of the run; `ok` only when both sides are the same to the fen. */
export interface Check {
  readonly what: string;
  readonly ok: boolean;
  /** The two sides, for the reader. */
  readonly found: string;
}

export function same(what: string, left: Minor | number, right: Minor | number): Check {
  const ok = left === right;
  return { what, ok, found: ok ? String(left) : `${left} ≠ ${right}` };
}

/** The identities that hold for any run, whatever the orders. */
export function identitiesOf(figures: Figures): Check[] {
  const { paid, refunded, split, commission, onOrders, paidOut, custody, sumOfSubAccounts, breaks } = figures;
  return [
    same('paid = refunded + split + commission + onOrders', paid, refunded + split + commission + onOrders),
    same('paidOut = split', paidOut, split),
    same('custody = sumOfSubAccounts', custody, sumOfSubAccounts),
    same('breaks = 0', breaks, 0),
  ];
}

/** The service's figures against those that the orders demand, and each seller's. */
export function differencesOf(found: Result, expected: Result): Check[] {
  const names = Object.keys(expected.figures) as (keyof Figures)[];
  const checks = names.map((name) => same(name, found.figures[name], expected.figures[name]));
  const sellerIds = new Set([...expected.sellers.keys(), ...found.sellers.keys()]);
  const none = { split: 0n, paidOut: 0n };
  const wrong = [...sellerIds].filter((sellerId) => {
    const [a, b] = [found.sellers.get(sellerId) ?? none, expected.sellers.get(sellerId) ?? none];
    return a.split !== b.split || a.paidOut !== b.paidOut;
  });
  const first = wrong[0] === undefined ? '' : `, the first ${wrong[0]}`;
  const sellers = { what: 'split and payouts of every seller', ok: wrong.length === 0 };
  return [...checks, { ...sellers, found: wrong.length === 0 ? `${sellerIds.size} sellers` : `${wrong.length} differ${first}` }];
}
