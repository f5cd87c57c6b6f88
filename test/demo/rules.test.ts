import { test as property } from '@fast-check/jest';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { expectedOf } from '../../scripts/demo/figures.js';
import { madeUpTables } from '../../scripts/demo/made-up.js';
import { joinTables, type MarketOrder } from '../../scripts/demo/orders.js';
import { commissionOf, eventsOf, eventsOfOrder } from '../../scripts/demo/rules.js';
import { type Instant, parseInstant } from '../../src/kernel/index.js';

const at = (text: string) => parseInstant(`${text}+08:00`) as Instant;

const ORDER: MarketOrder = {
  orderId: 'o1',
  customerId: 'c1',
  status: 'delivered',
  purchasedAt: at('2017-05-01T10:00:00'),
  approvedAt: at('2017-05-02T11:00:00'),
  deliveredAt: at('2017-05-08T12:00:00'),
  estimatedAt: at('2017-05-20T00:00:00'),
  lines: [
    { sellerId: 'a', price: 1_005n, freight: 300n },
    { sellerId: 'b', price: 2_000n, freight: 0n },
    { sellerId: 'a', price: 995n, freight: 0n },
  ],
  paid: 4_300n,
};

const kinds = (order: MarketOrder) => eventsOfOrder(order).map(({ kind }) => kind);

describe('the rules of the run', () => {
  it('take the commission line by line, half a fen rounded up', () => {
    expect([4n, 5n, 14n, 15n, 1_005n, 995n].map(commissionOf)).toEqual([0n, 1n, 1n, 2n, 101n, 100n]);
  });

  it('split a delivered order by seller, commission on the price and never on the freight', () => {
    const [payment, split] = eventsOfOrder(ORDER);
    expect(payment).toMatchObject({ kind: 'payment', at: ORDER.approvedAt, amount: 4_300n });
    expect(split).toMatchObject({
      kind: 'split',
      at: ORDER.deliveredAt,
      commission: 401n,
      expected: 'posted',
      shares: [
        { sellerId: 'a', amount: 2_099n },
        { sellerId: 'b', amount: 1_800n },
      ],
    });
  });

  it('expect a split of more than was paid to be refused, and one without any payment too', () => {
    expect(eventsOfOrder({ ...ORDER, paid: 4_299n })[1]).toMatchObject({ expected: 'SPLIT_EXCEEDS_ORDER' });
    expect(eventsOfOrder({ ...ORDER, paid: 4_301n })[1]).toMatchObject({ expected: 'posted' });
    expect(eventsOfOrder({ ...ORDER, paid: 0n })).toMatchObject([{ kind: 'split', expected: 'ORDER_NOT_FOUND' }]);
  });

  it('pay at the purchase without approval, and split at the estimate without a date of delivery', () => {
    const [payment, split] = eventsOfOrder({ ...ORDER, approvedAt: undefined, deliveredAt: undefined });
    expect(payment?.at).toBe(ORDER.purchasedAt);
    expect(split?.at).toBe(ORDER.estimatedAt);
  });

  it('do nothing with money before it is there', () => {
    const late = at('2017-06-01T00:00:00');
    expect(eventsOfOrder({ ...ORDER, approvedAt: late }).map((event) => [event.kind, event.at])).toEqual([
      ['payment', late],
      ['split', late],
    ]);
    expect(eventsOfOrder({ ...ORDER, status: 'canceled', approvedAt: late })[1]?.at).toBe(late);
  });

  it('refund in full what was cancelled or could not be had, at the estimated date', () => {
    for (const status of ['canceled', 'unavailable']) {
      expect(eventsOfOrder({ ...ORDER, status })[1]).toMatchObject({ kind: 'refund', at: ORDER.estimatedAt, amount: 4_300n });
      expect(kinds({ ...ORDER, status, paid: 0n })).toEqual([]);
    }
  });

  it('leave the money on the order in any other state, and where there is nothing to split', () => {
    expect(kinds({ ...ORDER, status: 'shipped' })).toEqual(['payment']);
    expect(kinds({ ...ORDER, lines: [] })).toEqual(['payment']);
    expect(kinds({ ...ORDER, lines: [{ sellerId: 'a', price: 0n, freight: 0n }] })).toEqual(['payment']);
  });

  property.prop([fc.integer({ min: 1, max: 1_000 })], { numRuns: 5 })(
    'put a payment before the split or refund of its order',
    (seed) => {
      const { orders } = joinTables(madeUpTables(seed));
      const events = eventsOf(orders);
      const paid = new Set<string>();
      for (const [place, event] of events.entries()) {
        if (place > 0) expect(event.at).toBeGreaterThanOrEqual(events[place - 1]?.at as number);
        if (event.kind === 'payment') paid.add(event.order.orderId);
        else if (event.order.paid > 0n) expect(paid.has(event.order.orderId)).toBe(true);
      }
    },
  );

  property.prop([fc.integer({ min: 1, max: 1_000 })], { numRuns: 5 })(
    'give by way of events the figures that the orders themselves demand',
    (seed) => {
      const marketplace = joinTables(madeUpTables(seed));
      const sum = { paid: 0n, refunded: 0n, split: 0n, commission: 0n, refusedSplits: 0, instructions: 0 };
      for (const event of eventsOf(marketplace.orders)) {
        sum.instructions += 1;
        if (event.kind === 'payment') sum.paid += event.amount;
        else if (event.kind === 'refund') sum.refunded += event.amount;
        else if (event.expected !== 'posted') sum.refusedSplits += 1;
        else {
          sum.commission += event.commission;
          sum.split += event.shares.reduce((total, { amount }) => total + amount, 0n);
        }
      }
      expect(expectedOf(marketplace, 7).figures).toMatchObject({ ...sum, days: 7, breaks: 0 });
    },
  );
});
