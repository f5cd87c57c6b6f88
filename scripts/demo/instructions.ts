import { type Minor, toWireAmount } from '../../src/kernel/index.js';
import { payerOf } from './people.js';
import type { MarketEvent } from './rules.js';

/** The accounts on the wire that instructions name. */
export interface Receivers {
  readonly accountOf: ReadonlyMap<string, string>;
  readonly commissionAccount: string;
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

/** The instruction that the platform gives for an event. Its request number is made from the order, so a repeat is the same. */
export function instructionOf(event: MarketEvent, { accountOf, commissionAccount }: Receivers): Instruction {
  const { orderId, customerId } = event.order;
  switch (event.kind) {
    case 'payment': {
      const data = { orderNo: orderId, amount: money(event.amount), payer: payerOf(customerId), reference: referenceOf(event) };
      return { requestNo: `pay-${orderId}`, kind: 'payment', data };
    }
    case 'split': {
      const lines = event.shares.map(({ sellerId, amount }) => ({ account: accountOf.get(sellerId), amount: money(amount) }));
      if (event.commission > 0n) lines.push({ account: commissionAccount, amount: money(event.commission) });
      return { requestNo: `split-${orderId}`, kind: 'split', data: { orderNo: orderId, lines } };
    }
    case 'refund': {
      const data = { orderNo: orderId, amount: money(event.amount), reason: '订单取消' };
      return { requestNo: `refund-${orderId}`, kind: 'refund', data };
    }
  }
}

/** What has to become of it. */
export function expectedOutcome(event: MarketEvent): string {
  return event.kind === 'split' ? event.expected : 'posted';
}
