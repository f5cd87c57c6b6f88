import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { CLOSE_POINTS, type ClosePoint, clearingLines, closeDueDays, STEPS } from '../../src/clearing/index.js';
import { dayWithSteps } from '../../src/clearing/routes.js';
import { changeDay } from '../../src/clearing/store.js';
import { createDesk } from '../../src/dispatch/index.js';
import type { BusinessDate } from '../../src/kernel/index.js';
import { makeDayFiles } from '../../src/reporting/index.js';
import type { Database } from '../../src/runtime/index.js';
import { atBank, closeNext, type Market, MONDAY, openMarket } from './market.js';

const TUESDAY = '2026-03-03';
const WEDNESDAY = '2026-03-04';

describe('the close of a business day', () => {
  let market: Market;
  beforeEach(async () => {
    market = await openMarket();
  });
  afterEach(() => market.end());

  async function tradeOf1000(orderNo = 'A'): Promise<void> {
    await market.pay(orderNo, 1000n);
    await market.split(orderNo, [
      [market.here, 600n],
      [market.there, 300n],
      [(await market.book()).accounts.commission, 100n],
    ]);
  }

  test('pays what was split on one day to the sub-merchants on the next working day, directly, through both channels', async () => {
    await tradeOf1000();
    expect(await closeNext(market)).toEqual([{ date: MONDAY, state: 'closed' }]);
    const payouts = await market.payouts();
    expect(
      payouts.map(({ amount, state, channel, businessDate, purpose }) => ({ amount, state, channel, businessDate, purpose })),
    ).toEqual([
      { amount: 600n, state: 'settled', channel: 'book', businessDate: TUESDAY, purpose: 'clearing' },
      { amount: 300n, state: 'settled', channel: 'beps', businessDate: TUESDAY, purpose: 'clearing' },
    ]);
    expect(await market.day(MONDAY)).toMatchObject({
      state: 'closed',
      custody: 1000n,
      children: 1000n,
      control: 1000n,
      statement: { closing: 1000n },
    });
    expect(await closeNext(market)).toEqual([{ date: TUESDAY, state: 'closed' }]);
    expect(await market.day(TUESDAY)).toMatchObject({
      custody: 100n,
      children: 100n,
      control: 100n,
      statement: { opening: 1000n, closing: 100n, lines: 2 },
    });
    expect(atBank(market)).toBe(100n);
    expect(await market.breaks()).toEqual([]);
    expect(await market.wrongs()).toEqual([]);
  });

  test('cannot be begun before the day is over', async () => {
    expect(await market.close()).toEqual([]);
    expect((await market.book()).businessDate).toBe(MONDAY);
  });

  test('done twice changes nothing', async () => {
    await tradeOf1000();
    await closeNext(market);
    const before = [await market.day(MONDAY), await market.step(MONDAY, 'netting'), await market.payouts()];
    expect(await market.close()).toEqual([]);
    expect([await market.day(MONDAY), await market.step(MONDAY, 'netting'), await market.payouts()]).toEqual(before);
    expect(await market.wrongs()).toEqual([]);
  });

  test('keeps every step, and the figures of a proof that passed', async () => {
    await closeNext(market);
    for (const step of STEPS) expect((await market.step(MONDAY, step)).state).toBe('done');
    expect((await market.step(MONDAY, 'proof')).detail).toEqual({
      custody: '0',
      children: '0',
      control: '0',
      statement: '0',
      outstanding: '0',
      openBreaks: 0,
      faults: [],
    });
  });

  test('run by two workers at once pays once', async () => {
    await tradeOf1000();
    market.goTo(TUESDAY);
    await Promise.all([market.close(), market.close(), market.close()]);
    await market.close();
    expect((await market.day(MONDAY)).state).toBe('closed');
    expect((await market.payouts()).map((payout) => payout.state)).toEqual(['settled', 'settled']);
    expect(market.bank.bank.books().totals.paid).toBe(900n);
    expect(await market.wrongs()).toEqual([]);
  });

  async function resume(): Promise<void> {
    const change = { from: 'stopped', to: 'closing', reason: null, attempts: 0, retryMs: 0, closedMs: null } as const;
    await market.world.db.withTx('resume', (tx) => changeDay(tx, market.platformId, MONDAY, change));
  }
  const paymentsStopped = () => market.world.db.read('stops', (tx) => tx.rows('SELECT platform_id, reason FROM payment_stops'));

  test('stops where the books are no longer what was attested, it alone, and goes on when they are again', async () => {
    await tradeOf1000();
    const beside = await openMarket({ world: market.world, bank: market.bank });
    const at = (point: ClosePoint) => {
      if (point === 'after attest') throw new Error('crash');
    };
    await expect(closeNext(market, { at })).rejects.toThrow('crash'); // the proof is kept, the step is not
    const bend = (by: number) =>
      market.world.db.withTx('bend', async (tx) => {
        for (const [account, change] of [
          [market.here, by],
          [market.there, -by],
        ])
          await tx.write('UPDATE entries SET balance = balance + ? WHERE account_id = ? AND business_date = ?', [
            change,
            account,
            MONDAY,
          ]);
      });
    await bend(5);
    expect(await market.close()).toEqual([{ date: MONDAY, state: 'stopped' }]);
    const reason = expect.stringContaining('no longer what the bank attested');
    expect(await market.day(MONDAY)).toMatchObject({ state: 'stopped', reason });
    expect(await market.step(MONDAY, 'attest')).toMatchObject({ state: 'stopped', detail: { reason } });
    expect(await paymentsStopped()).toEqual([{ platform_id: market.platformId, reason }]);
    expect(await market.close()).toEqual([]); // until somebody resumes it
    expect(await beside.close()).toEqual([{ date: MONDAY, state: 'closed' }]);
    await resume();
    expect(await market.close()).toEqual([{ date: MONDAY, state: 'stopped' }]);
    await bend(-5);
    await resume();
    const { steps } = await market.world.db.read('steps', (tx) => dayWithSteps(tx, market.world.rt, market.platformId, MONDAY));
    expect(steps.find(({ step }) => step === 'attest')).toMatchObject({ state: 'running', finishedMs: null });
    expect(await market.close()).toEqual([{ date: MONDAY, state: 'closed' }]);
    expect(await paymentsStopped()).toEqual([]);
    expect((await market.payouts()).map(({ state }) => state)).toEqual(['settled', 'settled']);
    expect(await market.wrongs()).toEqual([]);
    await beside.end();
  });

  test('stops where a check file comes out otherwise than another run made it', async () => {
    await tradeOf1000();
    const { db, rt } = market.world;
    const spoil = (by: number) =>
      db.withTx('spoil', (tx) =>
        tx.write('UPDATE outcomes SET decided_ms = decided_ms + ? WHERE platform_id = ?', [by, market.platformId]),
      );
    let isQuicker = true;
    const withTx: Database['withTx'] = async (label, work, look) => {
      if (label === 'keep-check-files' && isQuicker) {
        isQuicker = false;
        await spoil(1);
        await makeDayFiles(rt, { platformId: market.platformId, date: MONDAY });
        await spoil(-1);
      }
      return db.withTx(label, work, look);
    };
    market.goTo(TUESDAY);
    const desk = createDesk({ ...rt, db: { ...db, withTx } }, market.channels);
    expect(await closeDueDays(desk, market.platformId)).toEqual([{ date: MONDAY, state: 'stopped' }]);
    expect(await market.day(MONDAY)).toMatchObject({ state: 'stopped', reason: expect.stringMatching(/^FILE_DIFFERS/) });
    expect((await market.step(MONDAY, 'files')).state).toBe('stopped');
    expect(await paymentsStopped()).toHaveLength(1);
    await db.withTx('forget', (tx) => tx.write('DELETE FROM check_files WHERE platform_id = ?', [market.platformId]));
    await resume();
    expect(await market.close()).toEqual([{ date: MONDAY, state: 'closed' }]);
    expect(await paymentsStopped()).toEqual([]);
  });

  const points: ClosePoint[] = [...STEPS.map((step) => `after ${step}` as const), ...CLOSE_POINTS.slice(2)];
  test.each(points)('that crashed at the point "%s" is gone on with, and nothing is paid twice', async (point) => {
    await tradeOf1000();
    let crashes = 0;
    const at = (reached: ClosePoint) => {
      if (reached !== point || crashes > 0) return;
      crashes += 1;
      throw new Error('crash');
    };
    await expect(closeNext(market, { at })).rejects.toThrow('crash');
    await market.close({ at });
    expect(crashes).toBe(1);
    expect((await market.day(MONDAY)).state).toBe('closed');
    expect((await market.payouts()).map(({ amount, state }) => [amount, state])).toEqual([
      [600n, 'settled'],
      [300n, 'settled'],
    ]);
    expect(market.bank.bank.books().totals).toMatchObject({ paid: 900n, paidTwice: 0 });
    await closeNext(market);
    expect(await market.day(TUESDAY)).toMatchObject({ state: 'closed', statement: { closing: 100n }, control: 100n });
    expect(await market.wrongs()).toEqual([]);
  });

  test('dates nothing on a day that was cut off', async () => {
    market.goTo(TUESDAY);
    const at = async (point: ClosePoint) => {
      if (point === 'after cut-off') await market.pay('LATE', 500n);
    };
    await market.close({ at });
    expect(await market.day(MONDAY)).toMatchObject({ state: 'closed', custody: 0n, statement: { closing: 0n } });
    await closeNext(market);
    expect(await market.day(TUESDAY)).toMatchObject({ state: 'closed', custody: 500n, statement: { closing: 500n } });
  });

  test('leaves with its owner what the clearing could not pay, tells why, and pays it the next time', async () => {
    await tradeOf1000();
    await market.world.db.withTx('freeze', (tx) => tx.write("UPDATE accounts SET state = 'frozen' WHERE id = ?", [market.here]));
    await closeNext(market);
    expect((await market.step(MONDAY, 'payouts')).detail).toEqual({
      lines: 2,
      posted: 1,
      postedAmount: '300',
      refused: { ACCOUNT_FROZEN: 1 },
      sent: 1,
    });
    expect(await market.balance(market.here)).toBe(600n);
    await market.world.db.withTx('thaw', (tx) => tx.write("UPDATE accounts SET state = 'open' WHERE id = ?", [market.here]));
    await closeNext(market);
    expect(await market.balance(market.here)).toBe(0n);
    expect(await market.wrongs()).toEqual([]);
  });

  test('closes several days that were left, in their order', async () => {
    await tradeOf1000();
    market.goTo('2026-03-06');
    expect((await market.close()).map((outcome) => outcome.date)).toEqual([MONDAY, TUESDAY, WEDNESDAY, '2026-03-05']);
    expect(market.bank.bank.books().totals.paid).toBe(900n);
  });

  test('of one platform that waits for its statement holds up no other', async () => {
    const other = await openMarket({ world: market.world, bank: market.bank });
    await tradeOf1000();
    market.faults({ scope: 'core', fault: 'maintenance', messageNo: market.custodyNo, times: 1 });
    market.goTo(TUESDAY);
    const [ours, theirs] = await Promise.all([market.close(), other.close()]);
    expect(ours).toEqual([{ date: MONDAY, state: 'waiting' }]);
    expect(theirs).toEqual([{ date: MONDAY, state: 'closed' }]);
    expect(await market.day(MONDAY)).toMatchObject({ state: 'closing', attempts: 1 });
    expect(await market.payouts()).toEqual([]);
    expect(await market.close()).toEqual([{ date: MONDAY, state: 'closed' }]);
    await other.end();
  });

  test('over the national holiday pays on the first working day after it, and once', async () => {
    const golden = await openMarket({ date: '2025-09-30' });
    await golden.pay('G', 700n);
    await golden.split('G', [[golden.here, 700n]]);
    const lines = (date: string) =>
      golden.world.db.read('lines', (tx) => clearingLines(tx, golden.platformId, date as BusinessDate, { limit: 10 }));
    golden.goTo('2025-10-08');
    expect(await golden.close()).toHaveLength(8);
    expect(await golden.payouts()).toEqual([]);
    golden.goTo('2025-10-09');
    await golden.close();
    expect((await lines('2025-10-09')).lines).toMatchObject([
      { accountId: golden.here, creditedOn: '2025-10-08', valueDate: '2025-10-09', amount: 700n, fee: 0n, state: 'posted' },
    ]);
    expect((await golden.payouts()).map(({ amount, businessDate, state }) => [amount, businessDate, state])).toEqual([
      [700n, '2025-10-09', 'settled'],
    ]);
    await golden.end();
  });
});
