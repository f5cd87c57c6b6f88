import { type Instant, type Minor, mulDivHalfUp } from '../../src/kernel/index.js';
import type { MarketOrder } from './orders.js';

/** What the platform does about an order, and when. Pure: this is the marketplace's side of the run, one event an instruction. */
export type MarketEvent = PaymentEvent | SplitEvent | RefundEvent;

interface EventBase {
  readonly at: Instant;
  readonly order: MarketOrder;
}
export interface PaymentEvent extends EventBase {
  readonly kind: 'payment';
  readonly amount: Minor;
}
export interface SplitEvent extends EventBase {
  readonly kind: 'split';
  readonly shares: readonly Share[];
  readonly commission: Minor;
  /** What has to become of it: posted, or the code of the refusal. */
  readonly expected: 'posted' | 'SPLIT_EXCEEDS_ORDER' | 'ORDER_NOT_FOUND';
}
export interface RefundEvent extends EventBase {
  readonly kind: 'refund';
  readonly amount: Minor;
}
export interface Share {
  readonly sellerId: string;
  readonly amount: Minor;
}

const NOT_DELIVERED = new Set(['canceled', 'unavailable']);

/** The commission on one line: 10 % of its price without freight, half a fen rounded up. */
export function commissionOf(price: Minor): Minor {
  return mulDivHalfUp(price, 10n, 100n);
}

/**
 * The events of all orders in the order of time. Of events of one moment payments come first, so that a split or refund always
 * comes after the payment of its order.
 */
export function eventsOf(orders: readonly MarketOrder[]): MarketEvent[] {
  const rank = (event: MarketEvent) => (event.kind === 'payment' ? 0 : 1);
  return orders.flatMap(eventsOfOrder).sort((a, b) => a.at - b.at || rank(a) - rank(b));
}

export function eventsOfOrder(order: MarketOrder): MarketEvent[] {
  const events: MarketEvent[] = [];
  const paidAt = order.approvedAt ?? order.purchasedAt;
  const isPaid = order.paid > 0n;
  if (isPaid) events.push({ kind: 'payment', at: paidAt, order, amount: order.paid });
  // Nothing is done with money before it is there.
  const notBeforePayment = (at: Instant) => (isPaid && paidAt > at ? paidAt : at);
  if (order.status === 'delivered' && order.lines.length > 0) {
    const split = splitOf(order, notBeforePayment(order.deliveredAt ?? order.estimatedAt));
    if (split !== undefined) events.push(split);
  }
  if (NOT_DELIVERED.has(order.status) && isPaid) {
    events.push({ kind: 'refund', at: notBeforePayment(order.estimatedAt), order, amount: order.paid });
  }
  return events;
}

function splitOf(order: MarketOrder, at: Instant): SplitEvent | undefined {
  const bySeller = new Map<string, Minor>();
  let commission = 0n;
  for (const { sellerId, price, freight } of order.lines) {
    const fee = commissionOf(price);
    commission += fee;
    bySeller.set(sellerId, (bySeller.get(sellerId) ?? 0n) + price + freight - fee);
  }
  // An amount of zero is no line of a split.
  const shares = [...bySeller].map(([sellerId, amount]) => ({ sellerId, amount })).filter(({ amount }) => amount > 0n);
  const total = shares.reduce((sum, share) => sum + share.amount, commission);
  if (total === 0n) return undefined;
  const refusal = order.paid === 0n ? 'ORDER_NOT_FOUND' : 'SPLIT_EXCEEDS_ORDER';
  return { kind: 'split', at, order, shares, commission, expected: total > order.paid ? refusal : 'posted' };
}
