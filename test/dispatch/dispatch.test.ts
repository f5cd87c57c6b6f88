import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ChannelCode, Channels } from '../../src/channels/index.js';
import { closeDueDays } from '../../src/clearing/index.js';
import { createDesk, pollDue, sendDue, takeNews } from '../../src/dispatch/index.js';
import { toWire } from '../../src/kernel/index.js';
import type { Payout } from '../../src/payouts/index.js';
import { atBank, closeNext, fen, type Market, openMarket } from '../clearing/market.js';

/** Channels of which one dies in a call, as a worker would that is killed there. */
function dying(channels: Channels, code: ChannelCode, when: 'before' | 'after'): Channels {
  const channel = channels.channels[code];
  const submit: typeof channel.submit = async (orders) => {
    if (when === 'after') await channel.submit(orders);
    throw new Error('crash');
  };
  return { ...channels, channels: { ...channels.channels, [code]: { ...channel, submit } } };
}

describe('payouts on their way', () => {
  let market: Market;
  beforeEach(async () => {
    market = await openMarket();
    await market.pay('A', 1000n);
    await market.split('A', [
      [market.here, 600n],
      [market.there, 400n],
    ]);
  });
  afterEach(() => market.end());

  const states = async () => (await market.payouts()).map((payout) => payout.state);
  const paid = () => market.bank.bank.books().totals;
  async function expectDayCloses(): Promise<void> {
    const { businessDate } = await market.book();
    await closeNext(market);
    expect(await market.day(businessDate)).toMatchObject({ state: 'closed' });
    expect(await market.breaks()).toEqual([]);
    expect(await market.wrongs()).toEqual([]);
  }

  test('whose answer was lost are asked after, and settle by what the bank says', async () => {
    market.faults({ scope: 'book', fault: 'lost-answer' }, { scope: 'beps', fault: 'garbage' });
    await closeNext(market);
    expect(await states()).toEqual(['settled', 'settled']);
    expect(paid()).toMatchObject({ paid: 1000n, paidTwice: 0 });
    await expectDayCloses();
  });

  test('of which nothing can be learnt stay unknown, hold up no close, and converge when the channel answers again', async () => {
    market.faults({ scope: 'book', fault: 'lost-answer' }, { scope: 'book', fault: 'maintenance', on: 'query', times: 1 });
    await closeNext(market);
    expect(await states()).toEqual(['unknown', 'settled']);
    expect((await market.step('2026-03-02', 'results')).detail).toEqual({ carriedOver: 1, unknown: 1 });
    expect(await market.wrongs()).toEqual([]);
    market.world.clock.advance((market.world.clock.now() + 600_000) as never);
    expect(await pollDue(market.desk, (await market.book()).shardId)).toBe(1);
    expect(await states()).toEqual(['settled', 'settled']);
    await expectDayCloses();
  });

  test('that their channel never received are sent again under the same number', async () => {
    market.faults({ scope: 'beps', fault: 'not-received' }, { scope: 'book', fault: 'maintenance' });
    await closeNext(market);
    expect(await states()).toEqual(['settled', 'settled']);
    expect(
      market.bank.bank
        .books()
        .payments.map((payment) => payment.messageNo)
        .sort(),
    ).toEqual((await market.payouts()).map((payout) => payout.id).sort());
    await expectDayCloses();
  });

  test.each(['before', 'after'] as const)('are paid once when the worker dies %s its call', async (when) => {
    const desk = createDesk(market.world.rt, dying(dying(market.channels, 'book', when), 'beps', when));
    market.goTo('2026-03-03');
    await expect(closeDueDays(desk, market.platformId)).rejects.toThrow('crash');
    expect(await states()).toEqual(['sent', 'sent']);
    await market.close();
    expect(await states()).toEqual(['settled', 'settled']);
    expect(paid()).toMatchObject({ paid: 1000n, paidTwice: 0 });
    await expectDayCloses();
  });

  test('that fail at once or later give the money back, and the next clearing pays it under another number', async () => {
    market.faults(
      { scope: 'book', fault: 'refuse', reason: '账户已销户\n(closed)', times: 1 },
      { scope: 'beps', fault: 'fail-later', times: 1 },
    );
    await closeNext(market);
    expect((await market.payouts()).map(({ state, reason }) => [state, reason])).toEqual([
      ['failed', '账户已销户 (closed)'],
      ['failed', 'refused by the payee bank'],
    ]);
    expect([await market.balance(market.here), await market.balance(market.there)]).toEqual([600n, 400n]);
    expect(await market.wrongs()).toEqual([]);
    await expectDayCloses();
    expect(await states()).toEqual(['failed', 'failed', 'settled', 'settled']);
    expect(paid()).toMatchObject({ paid: 1000n, paidTwice: 0 });
    await expectDayCloses();
  });

  test('that come back late are credited once, though the news comes twice', async () => {
    market.faults({ scope: 'beps', fault: 'return', days: 2, times: 1 }, { scope: 'beps', fault: 'double-news', times: 2 });
    await closeNext(market);
    expect(await states()).toEqual(['settled', 'settled']);
    await closeNext(market);
    await closeNext(market);
    market.bank.bank.setDate('2026-03-05' as never); // the bank's own date comes to the return as well
    await takeNews(market.desk);
    await closeNext(market);
    expect((await market.payouts()).map(({ amount, state }) => [amount, state])).toEqual([
      [600n, 'settled'],
      [400n, 'returned'],
      [400n, 'settled'],
    ]);
    expect(paid()).toMatchObject({ returned: 400n, paidTwice: 0 });
    expect(await market.balance(market.there)).toBe(0n);
    expect(atBank(market)).toBe(0n);
    await expectDayCloses();
  });

  test('whose return is heard of before their settlement are settled first', async () => {
    market.faults(
      { scope: 'book', fault: 'lost-answer' },
      { scope: 'book', fault: 'maintenance', on: 'query', times: 1 },
      { scope: 'book', fault: 'return', days: 0, times: 1 },
    );
    await closeNext(market);
    await takeNews(market.desk);
    expect(await states()).toEqual(['returned', 'settled']);
    expect(await market.balance(market.here)).toBe(600n);
    expect(await market.wrongs()).toEqual([]);
    await expectDayCloses();
  });

  test('asked for by the platform go out by the job, refunds to the payer of the order', async () => {
    await market.pay('B', 500n);
    expect(await market.give('refund', { orderNo: 'B', amount: fen(200n) })).toBe('posted');
    await market.pay('C', 500n);
    await closeNext(market);
    await market.give('refund', { orderNo: 'C', amount: fen(300n) });
    expect(await sendDue(market.desk, { shardId: (await market.book()).shardId, purposes: ['withdrawal', 'refund'] })).toBe(1);
    await takeNews(market.desk);
    expect((await market.payouts()).map((payout: Payout) => [payout.purpose, payout.state])).toEqual([
      ['refund', 'settled'],
      ['clearing', 'settled'],
      ['clearing', 'settled'],
      ['refund', 'settled'],
    ]);
    await expectDayCloses();
  });

  test('taken by several workers at once are sent once', async () => {
    for (let no = 0; no < 5; no += 1) await market.pay(`W${no}`, 100n);
    await closeNext(market);
    for (let no = 0; no < 5; no += 1) await market.give('refund', { orderNo: `W${no}`, amount: fen(100n) });
    const { shardId } = await market.book();
    const sent = await Promise.all([1, 2, 3, 4].map(() => sendDue(market.desk, { shardId })));
    expect(sent.reduce((sum, number) => sum + number, 0)).toBe(5);
    await takeNews(market.desk);
    expect((await states()).every((state) => state === 'settled')).toBe(true);
    expect(paid().paidTwice).toBe(0);
    await expectDayCloses();
  });

  test('of a platform whose books did not prove are not sent; those of another are', async () => {
    const other = await openMarket({ world: market.world, bank: market.bank });
    for (const each of [market, other]) await each.pay('R', 500n);
    market.faults({ scope: 'core', fault: 'line-extra', custodyNo: market.custodyNo });
    market.goTo('2026-03-03');
    expect(await market.close()).toEqual([{ date: '2026-03-02', state: 'stopped' }]);
    expect(await other.close()).toEqual([{ date: '2026-03-02', state: 'closed' }]);
    for (const each of [market, other]) {
      expect(await each.give('refund', { orderNo: 'R', amount: fen(500n) })).toBe('posted');
    }
    const { shardId } = await market.book();
    await sendDue(market.desk, { shardId });
    await pollDue(market.desk, shardId);
    expect(await states()).toEqual(['created']);
    expect((await other.payouts()).map((payout) => payout.state)).toEqual(['settled']);
    await other.end();
  });

  test('of money that came in today wait until the statement of today was seen: an invented payment takes nothing out', async () => {
    const { shardId } = await market.book();
    const payer = { name: '张三', account: '622202000000000007' };
    // The platform says that a buyer paid; the bank has not seen it.
    expect(await market.give('payment', { orderNo: 'X', amount: fen(800n), payer, reference: 'NEVER-CAME' })).toBe('posted');
    expect(await market.give('refund', { orderNo: 'X', amount: fen(800n) })).toBe('posted');
    expect(await sendDue(market.desk, { shardId })).toBe(0);
    market.goTo('2026-03-03');
    expect(await market.close()).toEqual([{ date: '2026-03-02', state: 'stopped' }]);
    expect(await sendDue(market.desk, { shardId })).toBe(0);
    expect(paid().paid).toBe(0n);
    expect((await market.breaks()).map((each) => each.class)).toEqual(['only-ours']);
  });

  test('of an account that the bank has frozen wait until the freeze ends, also those that were made before it', async () => {
    const { shardId } = await market.book();
    const setState = (state: string) =>
      market.world.db.withTx('freeze', (tx) =>
        tx.write(`UPDATE accounts SET state = '${state}' WHERE id = (SELECT account_id FROM orders WHERE order_no = 'R')`),
      );
    await market.pay('R', 500n);
    const before = paid().paid;
    expect(await market.give('refund', { orderNo: 'R', amount: fen(500n) })).toBe('posted');
    await setState('frozen');
    await closeNext(market);
    expect(await states()).toEqual(['created', 'settled', 'settled']);
    expect(await sendDue(market.desk, { shardId })).toBe(0);
    await setState('open');
    expect(await sendDue(market.desk, { shardId })).toBe(1);
    expect(paid().paid).toBe(before + 1500n);
  });

  describe('of an invented payment', () => {
    const payer = { name: '张三', account: '622202000000000007' };
    const lines = (amount: bigint) => [{ account: toWire('account', market.here), amount: fen(amount) }];
    const invent = async (amount: bigint) =>
      expect(await market.give('payment', { orderNo: 'X', amount: fen(amount), payer, reference: 'NEVER-CAME' })).toBe('posted');
    beforeEach(() => market.pay('OTHERS', 5000n)); // what it could be paid with

    test('are not sent either when the money goes through an old order', async () => {
      await closeNext(market);
      expect(paid().paid).toBe(1000n);
      const { shardId } = await market.book();
      await invent(600n);
      // The receiver had his share of the old order paid out long since: what he gives back is what was invented.
      expect(await market.give('split', { orderNo: 'X', lines: lines(600n) })).toBe('posted');
      expect(await market.give('split-return', { orderNo: 'A', lines: lines(600n) })).toBe('posted');
      expect(await market.give('refund', { orderNo: 'A', amount: fen(600n) })).toBe('posted');
      expect(await sendDue(market.desk, { shardId })).toBe(0);
      market.goTo('2026-03-04');
      expect(await market.close()).toEqual([{ date: '2026-03-03', state: 'stopped' }]);
      expect(paid().paid).toBe(1000n);
    });

    test('are not sent with the day that it was told on after midnight, which cannot prove it', async () => {
      market.goTo('2026-03-03');
      await invent(900n);
      expect(await market.give('split', { orderNo: 'X', lines: lines(600n) })).toBe('posted');
      expect(await market.give('refund', { orderNo: 'X', amount: fen(300n) })).toBe('posted');
      expect(await market.close()).toEqual([{ date: '2026-03-02', state: 'closed' }]);
      await sendDue(market.desk, { shardId: (await market.book()).shardId });
      expect(paid().paid).toBe(1000n);
      market.goTo('2026-03-04');
      expect(await market.close()).toEqual([{ date: '2026-03-03', state: 'stopped' }]);
      expect(paid().paid).toBe(1000n);
    });
  });
});
