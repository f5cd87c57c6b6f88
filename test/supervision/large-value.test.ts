import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { addDays, type BusinessDate, type Id, startOfDay, toWire } from '../../src/kernel/index.js';
import { setTerms } from '../../src/ledger/index.js';
import { watchDay } from '../../src/supervision/index.js';
import { fen, type Market, openMarket } from '../clearing/market.js';
import { type Desk, openDesk, sellerOn } from './staff.js';

/** A Friday before a National Day with a shifted weekend. */
const FRIDAY = '2025-09-26' as BusinessDate;
const LIMIT = 500_000_00n;

let one: Market;
let other: Market;
let desk: Desk;
let here: Id;
let there: Id;
let orders = 0;

beforeAll(async () => {
  one = await openMarket({ date: FRIDAY });
  other = await openMarket({ date: FRIDAY, world: one.world, bank: one.bank });
  here = await sellerOn(one, 'anna');
  there = await sellerOn(other, 'anna-too');
  desk = await openDesk(one.world.rt);
});
afterAll(async () => {
  await desk.stop();
  await other.end();
  await one.end();
});

async function earn(market: Market, account: Id, amount: bigint): Promise<void> {
  orders += 1;
  await market.pay(`O-${orders}`, amount);
  await market.split(`O-${orders}`, [[account, amount]]);
}

const rt = () => one.world.rt;

async function found(date: string) {
  const rows = await one.world.db.read('reports', (tx) =>
    tx.rows<{ side: string; class: string; amount: string; line_count: number; due_on: string; state: string }>(
      'SELECT side, class, amount, line_count, due_on, state FROM large_value_reports WHERE on_date = ? ORDER BY class, side',
      [date],
    ),
  );
  return rows.map((row) => ({ ...row }));
}

async function totals(date: string) {
  return one.world.db.read('totals', (tx) => tx.rows('SELECT * FROM customer_days WHERE on_date = ?', [date]));
}

/** Ten in the morning of the day after, when the day can be looked at. */
async function lookAt(date: string) {
  one.goTo(addDays(date as BusinessDate, 1));
  return watchDay(rt(), date as BusinessDate);
}

describe('large values of a natural day', () => {
  test('a fen below the threshold is none; the threshold itself is one, over two platforms, due five working days later', async () => {
    await earn(one, here, LIMIT - 1n);
    await lookAt(FRIDAY);
    expect(await found(FRIDAY)).toEqual([]);
    // The day after, on two platforms together exactly the threshold.
    await earn(one, here, LIMIT - 100n);
    await earn(other, there, 100n);
    await lookAt('2025-09-27');
    expect(await found('2025-09-27')).toMatchObject([{ side: 'in', class: 'person', amount: String(LIMIT), line_count: 2 }]);
  });

  test('the deadline skips the holiday and keeps its working weekend', async () => {
    const due = await one.world.db.read('due', (tx) =>
      tx.rows<{ due_on: string }>("SELECT due_on FROM large_value_reports WHERE on_date = '2025-09-27'"),
    );
    // Sunday the 28th is worked; the 1st to the 8th of October is not: 28, 29, 30, 9, 10.
    expect(due[0]?.due_on).toBe('2025-10-10');
  });

  test('in and out are looked at each for itself, and what is moved between accounts of one customer is no flow', async () => {
    const terms = { transferMax: LIMIT, feeMax: 0n };
    await one.world.db.withTx('terms', (tx) => setTerms(tx, one.platformId, terms));
    const second = await sellerOn(one, 'anna-second');
    const move = (to: Id, amount: bigint) =>
      one.give('transfer', { from: toWire('account', here), to: toWire('account', to), amount: fen(amount) });
    expect(await one.give('margin-deposit', { account: toWire('account', here), amount: fen(300_000_00n) })).toBe('posted');
    expect(await move(second, 100_000_00n)).toBe('posted');
    await lookAt('2025-09-28');
    expect(await totals('2025-09-28')).toEqual([]);
    // In a fen less than the threshold and out a fen less: neither side has it.
    await earn(one, here, LIMIT - 1n);
    expect(await move(one.here, LIMIT - 1n)).toBe('posted');
    await lookAt('2025-09-29');
    expect(await found('2025-09-29')).toEqual([]);
    await earn(one, here, 1n);
    expect(await move(one.here, LIMIT)).toBe('posted');
    await lookAt('2025-09-30');
    expect(await found('2025-09-30')).toMatchObject([{ side: 'out', class: 'person', amount: String(LIMIT) }]);
  });

  test('a company has a threshold of its own, and what it is paid has left when it is settled', async () => {
    // The clearing pays what the company was moved before: 999,999.99 and what else it gets now.
    await earn(one, one.here, 1_000_000_01n);
    one.goTo('2025-10-09');
    await one.close();
    await lookAt('2025-10-01');
    await lookAt('2025-10-09');
    expect(await found('2025-10-01')).toEqual([]);
    expect(await found('2025-10-09')).toMatchObject([{ side: 'out', class: 'company', amount: '200000000' }]);
    expect(await one.wrongs()).toEqual([]);
  });

  test('midnight parts two days, whatever the business date of the books', async () => {
    const { clock } = one.world;
    const midnight = startOfDay('2025-10-14' as BusinessDate);
    clock.advance((midnight - 1) as never);
    await earn(one, here, LIMIT - 1n);
    clock.advance(midnight);
    await earn(one, here, 1n);
    await lookAt('2025-10-13');
    await lookAt('2025-10-14');
    expect(await found('2025-10-13')).toEqual([]);
    expect(await found('2025-10-14')).toEqual([]);
    clock.advance((startOfDay('2025-10-16' as BusinessDate) - 1) as never);
    await earn(one, here, LIMIT);
    await lookAt('2025-10-15');
    expect(await found('2025-10-15')).toMatchObject([{ side: 'in', amount: String(LIMIT), line_count: 1 }]);
  });

  test('a day looked at again is the same: totals, digest, reports, evidence', async () => {
    const everything = () =>
      one.world.db.read('all', async (tx) => ({
        days: await tx.rows('SELECT * FROM customer_days ORDER BY subject, on_date, platform_id'),
        reports: await tx.rows('SELECT * FROM large_value_reports ORDER BY id'),
        lines: await tx.rows('SELECT * FROM large_value_lines ORDER BY report_id, instruction_id'),
      }));
    const before = await everything();
    const first = await watchDay(rt(), '2025-09-27' as BusinessDate);
    const staff = await (await openStaff())('post', '/admin/v1/watched-days/2025-09-27');
    expect(staff.status).toBe(202);
    const again = await watchDay(rt(), '2025-09-27' as BusinessDate);
    expect(again).toMatchObject({ state: 'done', pass: first.pass + 1, digest: first.digest });
    expect(await everything()).toEqual(before);
  });

  test('a day that is not over is refused', async () => {
    await expect(watchDay(rt(), '2025-10-16' as BusinessDate)).rejects.toThrow('DAY_NOT_OVER');
  });
});

const openStaff = () => desk.staff('compliance');

describe('what becomes of a candidate', () => {
  test('two people exempt it, one reports it, and after its day it is late', async () => {
    const [first, second] = [await openStaff(), await openStaff()];
    const { body } = await first('get', '/admin/v1/large-value-reports');
    expect(body.items.map((each: { customer: { name: string } }) => each.customer.name)).toEqual([
      '王**',
      '王**',
      '甲**',
      '王**',
    ]);
    const [a, b, c, d] = body.items.map(({ id }: { id: string }) => `/admin/v1/large-value-reports/${id}`);
    expect((await first('post', `${a}/exempt`)).body.code).toBe('REPORT_STATE');
    await first('post', `${a}/exemption-proposal`, { reason: '同名划转' }).expect(200);
    expect((await first('post', `${a}/exempt`)).body.code).toBe('SAME_OPERATOR');
    one.goTo('2025-10-20');
    expect((await first('get', '/admin/v1/large-value-reports?late=true')).body.items).toHaveLength(3);
    expect((await second('post', `${a}/exempt`).expect(200)).body.state).toBe('exempted');
    expect((await second('post', `${a}/reported`, { receiptNo: 'R-1' })).body.code).toBe('REPORT_STATE');
    expect((await first('post', `${b}/reported`, { receiptNo: 'R-2' }).expect(200)).body).toMatchObject({
      state: 'reported',
      late: false,
    });
    expect((await first('post', `${b}/reported`, { receiptNo: 'R-2' }).expect(200)).body.receiptNo).toBe('R-2');
    await first('post', `${c}/reported`, { receiptNo: 'R-3' }).expect(200);
    expect((await first('get', '/admin/v1/large-value-reports?late=true')).body.items).toEqual([]);
    expect(d).toBeDefined(); // it is due on the 22nd
  });

  test('the file for the centre names the customer, for compliance alone, and every look is written down', async () => {
    const compliance = await openStaff();
    const csv = await compliance('get', '/admin/v1/large-value-exports/2025-10-15').expect(200);
    expect(csv.text).toContain('王小明,resident-id,11010519491231002X,in,person,50000000,1');
    expect(csv.text.trimEnd().split('\r\n').at(-1)).toMatch(/^T,1,1,50000000,[0-9a-f]{64}$/);
    expect((await compliance('get', '/admin/v1/large-value-exports/2025-10-15')).text).toBe(csv.text);
    for (const role of ['operator', 'reviewer', 'auditor', 'administrator'] as const)
      await (await desk.staff(role))('get', '/admin/v1/large-value-exports/2025-10-15').expect(403);
    const looks = await one.world.db.read('audit', (tx) =>
      tx.rows("SELECT id FROM audit_entries WHERE action LIKE '%large-value-exports%' AND outcome = 'done'"),
    );
    expect(looks).toHaveLength(2);
  });
});
