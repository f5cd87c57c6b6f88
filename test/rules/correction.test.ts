import { test as property } from '@fast-check/jest';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { pastRecords } from '../../src/instructions/past.js';
import { asId, type BusinessDate, type Id, type Instant } from '../../src/kernel/index.js';
import { unclearedOf } from '../../src/ledger/index.js';
import { orderKey, orderRecords } from '../../src/orders/index.js';
import { DESK, Desk } from '../support/world/desk.js';

const cny = (amount: number) => ({ amount, currency: 'CNY' });
const payer = { name: '张三', account: '6222020000000000078', bankCode: '102100099996' };

/** What an instruction did to the balances, kept as the engine keeps it, so that it can be corrected. */
function giveAndRemember(desk: Desk, kind: string, data: unknown): Id {
  const ids = [DESK.anna, DESK.ben, DESK.order, ...Object.values(desk.book.accounts)];
  const before = ids.map((id) => desk.account(id).balance);
  const { instruction } = desk.at;
  expect(desk.giveNext(kind, data)).toBe('posted');
  const entries = ids
    .map((account, place) => ({ account, amount: desk.account(account).balance - (before[place] as bigint) }))
    .filter((entry) => entry.amount !== 0n)
    .map((entry) => ({
      ...entry,
      seq: 1,
      instruction,
      balance: 0n,
      businessDate: DESK.today,
      postedMs: 0 as Instant,
      hash: Buffer.alloc(32),
    }));
  desk.put(pastRecords, instruction, {
    id: instruction,
    platformId: DESK.platform,
    origin: 'P',
    kind,
    body: JSON.stringify(data),
    posted: true,
    businessDate: DESK.today,
    postedMs: DESK.now,
    entries,
    correctedBy: null,
  });
  return instruction;
}

function money(desk: Desk): string {
  const ids = [DESK.anna, DESK.ben, DESK.order, ...Object.values(desk.book.accounts)];
  return ids.map((id) => `${id} ${desk.account(id).balance} held ${desk.account(id).held}`).join('\n');
}

const amount = fc.integer({ min: 1, max: 9_000 });

describe('a correction', () => {
  property.prop([fc.constantFrom('payment', 'split', 'transfer', 'fee'), amount, amount], { seed: 11 })(
    'gives back to each what the instruction took, and takes what it gave',
    (kind, first, second) => {
      const desk = new Desk('split');
      const before = money(desk);
      const order = desk.get(orderRecords, orderKey(DESK.platform, 'SO-1001'));
      const data = {
        payment: { orderNo: 'SO-1001', amount: cny(first), payer, reference: 'C' },
        split: {
          orderNo: 'SO-1001',
          lines: [
            { account: `acc_${DESK.anna}`, amount: cny(first) },
            { account: `acc_${DESK.ben}`, amount: cny(second) },
          ],
        },
        transfer: { from: `acc_${DESK.anna}`, to: `acc_${DESK.ben}`, amount: cny(first) },
        fee: { account: `acc_${DESK.anna}`, amount: cny(first), for: '服务费' },
      }[kind];
      const instruction = giveAndRemember(desk, kind, data);
      expect(money(desk)).not.toBe(before);
      expect(desk.giveNext('correction', { instruction: `ins_${instruction}`, reason: '错误' }, 'O')).toBe('posted');
      expect(money(desk)).toBe(before);
      expect(unclearedOf(desk.account(DESK.anna)) + unclearedOf(desk.account(DESK.ben))).toBe(0n);
      const after = desk.get(orderRecords, orderKey(DESK.platform, 'SO-1001'));
      expect(after.paid - after.split + after.returned - after.refunded).toBe(
        order.paid - order.split + order.returned - order.refunded,
      );
    },
  );

  it('does not make uncleared money withdrawable, also when it goes back to the platform', () => {
    const desk = new Desk('transfer');
    desk.account(desk.book.accounts['own-funds']).balance = 100n;
    const own = `acc_${desk.book.accounts['own-funds']}`;
    const instruction = giveAndRemember(desk, 'transfer', { from: own, to: `acc_${DESK.ben}`, amount: cny(100) });
    desk.account(DESK.ben).uncleared = [{ due: '2026-03-03' as BusinessDate, amount: 60n }];
    expect(desk.giveNext('correction', { instruction: `ins_${instruction}`, reason: '错误' })).toBe('posted');
    expect(desk.account(asId(own.slice(4)))).toMatchObject({ balance: 100n, uncleared: [{ due: '2026-03-03', amount: 60n }] });
    expect(desk.account(DESK.ben).uncleared).toEqual([]);
  });
});
