import { test as property } from '@fast-check/jest';
import { describe, expect } from '@jest/globals';
import fc from 'fast-check';
import { orderKey, orderRecords, shareKey, shareRecords } from '../../src/orders/index.js';
import { DESK, Desk } from '../support/world/desk.js';

const cny = (amount: number) => ({ amount, currency: 'CNY' });
const receivers = fc.uniqueArray(fc.constantFrom(DESK.anna, DESK.ben, 'commission' as const), { minLength: 1 });
const amounts = fc.array(fc.integer({ min: 1, max: 9_000 }), { minLength: 3, maxLength: 3 });
const steps = fc.array(
  fc.record({ kind: fc.constantFrom('split', 'split', 'split-return', 'refund', 'payment'), receivers, amounts }),
  { maxLength: 40 },
);

function data(desk: Desk, step: { kind: string; receivers: readonly string[]; amounts: readonly number[] }) {
  const orderNo = 'SO-1001';
  const amount = cny(step.amounts[0] as number);
  if (step.kind === 'payment') {
    return { orderNo, amount, payer: { name: '张三', account: '6222020000000000078', bankCode: '102100099996' }, reference: 'C' };
  }
  if (step.kind === 'refund') return { orderNo, amount };
  const account = (name: string) => `acc_${name === 'commission' ? desk.book.accounts.commission : name}`;
  return {
    orderNo,
    lines: step.receivers.map((name, place) => ({ account: account(name), amount: cny(step.amounts[place] as number) })),
  };
}

describe("an order's money", () => {
  property.prop([steps], { seed: 7, numRuns: 200 })(
    'is what its counters say, whatever is split, returned, refunded and paid',
    (list) => {
      const desk = new Desk('split');
      for (const step of list) {
        desk.giveNext(step.kind, data(desk, step));
        const order = desk.get(orderRecords, orderKey(DESK.platform, 'SO-1001'));
        const { balance } = desk.account(DESK.order);
        expect(balance).toBe(order.paid - order.split + order.returned - order.refunded);
        expect(balance).toBeGreaterThanOrEqual(0n);
        for (const receiver of [DESK.anna, DESK.ben, desk.book.accounts.commission]) {
          const share = desk.get(shareRecords, shareKey(DESK.order, receiver));
          if (share !== undefined) expect(share.returned).toBeLessThanOrEqual(share.split);
        }
      }
    },
  );

  property.prop([receivers, amounts], { seed: 8 })(
    'reaches its receivers to the fen, and waits for the next working day',
    (names, parts) => {
      const desk = new Desk('split');
      const before = names.map((name) => desk.account(name === 'commission' ? desk.book.accounts.commission : name).balance);
      expect(desk.giveNext('split', data(desk, { kind: 'split', receivers: names, amounts: parts }))).toBe('posted');
      names.forEach((name, place) => {
        const account = desk.account(name === 'commission' ? desk.book.accounts.commission : name);
        const part = BigInt(parts[place] as number);
        expect(account.balance - (before[place] as bigint)).toBe(part);
        expect(account.uncleared).toEqual([{ due: '2026-03-03', amount: part }]);
      });
    },
  );
});
