import { type Minor, toWireAmount } from '../../src/kernel/index.js';
import { payerOf } from './people.js';
import type { MarketEvent } from './rules.js';

/** The accounts on the wire that instructions name, by seller. */
export interface Receivers {
  readonly accountOf: ReadonlyMap<string, string>;
}

export interface Instruction {
  readonly requestNo: string;
  readonly kind: MarketEvent['kind'];
  readonly data: Readonly<Record<string, unknown>>;
}

/** The reference under which a buyer's money stands on the core bank's statement. */
export function referenceOf(event: MarketEvent): string {
  return `pay-${event.order.orderId}`;
}

const money = (amount: Minor) => ({ amount: toWireAmount(amount), currency: 'CNY' });

/**
 * The instruction that the platform gives for an event. Its request number is made from the order, so a repeat is the same. A payment
 * tells what was bought of whom; who gets what of it is for the bank to work out.
 */
export function instructionOf(event: MarketEvent, receivers: Receivers): Instruction {
  const { orderId, customerId } = event.order;
  switch (event.kind) {
    case 'payment': {
      const paid = { orderNo: orderId, amount: money(event.amount), payer: payerOf(customerId), reference: referenceOf(event) };
      const data = { ...paid, background: { buyer: customerId, items: itemsOf(event.order, receivers) } };
      return { requestNo: `pay-${orderId}`, kind: 'payment', data };
    }
    case 'split':
      return { requestNo: `split-${orderId}`, kind: 'split', data: { orderNo: orderId } };
    case 'refund': {
      const data = { orderNo: orderId, amount: money(event.amount), reason: '订单取消' };
      return { requestNo: `refund-${orderId}`, kind: 'refund', data };
    }
  }
}

/** The goods of an order, line by line; some orders were paid for and never said for what. */
function itemsOf({ lines }: MarketEvent['order'], { accountOf }: Receivers) {
  return lines
    .filter(({ price, freight }) => price + freight > 0n)
    .map(({ sellerId, price, freight }, place) => ({
      ...{ item: String(place + 1), seller: accountOf.get(sellerId), name: '商品', category: 'goods', quantity: 1 },
      ...(price > 0n ? { price: money(price) } : {}),
      ...(freight > 0n ? { freight: money(freight) } : {}),
    }));
}

/** What has to become of it. */
export function expectedOutcome(event: MarketEvent): string {
  return event.kind === 'split' ? event.expected : 'posted';
}
