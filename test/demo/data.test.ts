import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { madeUpTables } from '../../scripts/demo/made-up.js';
import { DataFaulty, joinTables, readTables } from '../../scripts/demo/orders.js';
import { isAtCustodian, payerOf, sellerOf, usccOf } from '../../scripts/demo/people.js';
import { checkBankCode, checkCardNumber, checkResidentId, checkUscc, toRfc3339 } from '../../src/kernel/index.js';

const ORDERS =
  'order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,order_delivered_customer_date,order_estimated_delivery_date';
const FILES = {
  'orders.csv': `${ORDERS}\no1,c1,delivered,2017-05-01 10:00:00,,2017-05-08 23:59:59,2017-05-20 00:00:00\n`,
  'order_items.csv':
    'order_id,order_item_id,seller_id,shipping_limit_date,price,freight_value\no1,1,a,2017-05-02 10:00:00,19.99,14.1\no1,2,b,,279.9,0\n',
  'order_payments.csv':
    'order_id,payment_sequential,payment_type,payment_installments,payment_value\no1,1,card,1,300\no1,2,voucher,1,13.99\n',
};

describe('orders from files', () => {
  let folder = '';
  const write = (files: Record<string, string>) => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  };
  const read = () => joinTables(readTables(folder));
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cunguan-orders-'));
    write(FILES);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('come to the fen, in Shanghai time', () => {
    const { orders, sellerIds } = read();
    expect(orders).toHaveLength(1);
    expect(orders[0]).toMatchObject({
      paid: 31_399n,
      approvedAt: undefined,
      lines: [
        { sellerId: 'a', price: 1_999n, freight: 1_410n },
        { sellerId: 'b', price: 27_990n, freight: 0n },
      ],
    });
    expect(toRfc3339(orders[0]?.deliveredAt as never)).toBe('2017-05-08T23:59:59.000+08:00');
    expect(sellerIds).toEqual(['a', 'b']);
  });

  it.each([
    ['a missing file', { 'orders.csv': undefined }, /orders\.csv cannot be read \(ENOENT\)/],
    ['a missing column', { 'order_payments.csv': 'order_id\no1\n' }, /order_payments\.csv lacks the column payment_value/],
    ['an empty file', { 'order_items.csv': '' }, /order_items\.csv lacks the columns order_id, seller_id, price, freight_value/],
    ['a row that is too short', { 'order_payments.csv': 'order_id,payment_value\no1\n' }, /not well-formed CSV/],
    [
      'an amount with three places',
      { 'order_payments.csv': 'order_id,payment_value\no1,1.005\n' },
      /row 1 .*payment_value is "1\.005"/,
    ],
    ['a negative amount', { 'order_payments.csv': 'order_id,payment_value\no1,-1\n' }, /payment_value is "-1"/],
    [
      'a date that does not exist',
      { 'orders.csv': FILES['orders.csv'].replace('05-01', '13-01') },
      /order_purchase_timestamp is/,
    ],
    [
      'an order that stands there twice',
      { 'orders.csv': `${FILES['orders.csv']}${FILES['orders.csv'].split('\n')[1]}\n` },
      /o1 stands there twice/,
    ],
  ])('are refused with a sentence for %s', (_what, change: Record<string, string | undefined>, sentence) => {
    for (const [name, text] of Object.entries(change)) {
      if (text === undefined) rmSync(join(folder, name));
      else write({ [name]: text });
    }
    expect(read).toThrow(DataFaulty);
    expect(read).toThrow(sentence);
  });
});

describe('the made-up marketplace', () => {
  it('is the same for the same seed and another for another', () => {
    expect(madeUpTables(7)).toEqual(madeUpTables(7));
    expect(madeUpTables(7)).not.toEqual(madeUpTables(8));
  });

  it('holds every case that the rules know', () => {
    const { orders, sellerIds } = joinTables(madeUpTables(1));
    expect(sellerIds).toHaveLength(40);
    const statuses = new Set(orders.map(({ status }) => status));
    expect([...statuses].sort()).toEqual(['canceled', 'delivered', 'processing', 'shipped', 'unavailable']);
    const due = (order: (typeof orders)[number]) => order.lines.reduce((sum, { price, freight }) => sum + price + freight, 0n);
    const delivered = orders.filter(({ status, lines }) => status === 'delivered' && lines.length > 0);
    expect(delivered.some((order) => order.paid > due(order))).toBe(true);
    expect(delivered.some((order) => order.paid > 0n && order.paid < due(order))).toBe(true);
    expect(orders.some(({ paid }) => paid === 0n)).toBe(true);
    expect(delivered.some(({ lines }) => new Set(lines.map(({ sellerId }) => sellerId)).size > 1)).toBe(true);
  });
});

describe('made-up people', () => {
  const sellers = joinTables(madeUpTables(1)).sellerIds.map((sellerId, number) => sellerOf(sellerId, number));

  it('have identity numbers and accounts that pass their checks', () => {
    for (const { party, settlementAccount } of sellers) {
      expect(party.kind === 'company' ? checkUscc(party.idNo) : checkResidentId(party.idNo)).toMatchObject({ ok: true });
      if (party.kind === 'person') expect(checkCardNumber(settlementAccount.account)).toEqual({ ok: true });
      if (settlementAccount.bankCode !== '') expect(checkBankCode(settlementAccount.bankCode)).toEqual({ ok: true });
      expect(settlementAccount.name).toBe(party.name);
    }
    expect(new Set(sellers.map(({ party }) => party.kind))).toEqual(new Set(['company', 'person']));
    for (let number = 0; number < 200; number += 1) expect(checkUscc(usccOf(number))).toEqual({ ok: true });
  });

  it('keep their money at the custodian or elsewhere by the first digit of their id', () => {
    expect([...'0123456789abcdef'].map(isAtCustodian)).toEqual([...'1111111100000000'].map((digit) => digit === '1'));
    expect(
      sellers.every(({ merchantNo, settlementAccount }) => (settlementAccount.bankCode === '') === isAtCustodian(merchantNo)),
    ).toBe(true);
    expect(payerOf('8c')).toEqual(payerOf('8c'));
    expect(payerOf('8c').bankCode).toMatch(/^[0-9]{12}$/);
  });
});
