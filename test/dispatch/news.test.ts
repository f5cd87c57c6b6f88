import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ChannelCode, ChannelNews } from '../../src/channels/index.js';
import { createDesk, type Desk, pollDue, sendDue, takeNews } from '../../src/dispatch/index.js';
import { listUnread } from '../../src/dispatch/news/unread-store.js';
import type { Payout } from '../../src/payouts/index.js';
import { closeNext, fen, type Market, openMarket } from '../clearing/market.js';

describe('what a channel tells by itself', () => {
  let market: Market;
  beforeEach(async () => {
    market = await openMarket();
  });
  afterEach(() => market.end());

  const only = async () => (await market.payouts())[0] as Payout;
  const shard = async () => (await market.book()).shardId;
  const unread = () => market.world.db.read('unread', (tx) => listUnread(tx, { channel: undefined, after: ['', ''] }, 10));
  async function refund(amount: bigint): Promise<void> {
    await market.pay('R', amount);
    await closeNext(market);
    expect(await market.give('refund', { orderNo: 'R', amount: fen(amount) })).toBe('posted');
  }
  /** A desk whose channel tells its news otherwise. */
  function telling(code: ChannelCode, change: (item: ChannelNews) => ChannelNews): Desk {
    const channel = market.channels.channels[code];
    const news: typeof channel.news = async (after, limit) => {
      const page = await channel.news(after, limit);
      return { ...page, items: page.items.map(change) };
    };
    const channels = { ...market.channels.channels, [code]: { ...channel, news } };
    return createDesk(market.world.rt, { ...market.channels, channels });
  }
  const bookOf = async (payout: Payout) => market.balance(payout.sourceAccountId);

  test.each([
    ['of another amount', { amount: 1n }],
    ['that does not say its amount', { amount: undefined }],
    ['that was not sent as one', { doubt: 'category A102 is not that of a return' }],
  ] as const)('as a return %s posts nothing: it wakes a person, and the true one is posted', async (_what, lie) => {
    await refund(4_000n);
    market.faults({ scope: 'beps', fault: 'return', days: 0 });
    await sendDue(market.desk, { shardId: await shard() });
    const desk = telling('beps', (item) => (item.status === 'returned' ? ({ ...item, ...lie } as ChannelNews) : item));
    await takeNews(desk);
    const payout = await only();
    expect(payout).toMatchObject({ channel: 'beps', state: 'settled' });
    expect(await bookOf(payout)).toBe(0n);
    expect(await market.wrongs()).toEqual([]);
    await market.world.db.withTx('again', (tx) => tx.write("UPDATE channel_cursors SET feed_cursor = ''").then(() => true));
    await takeNews(market.desk);
    expect(await only()).toMatchObject({ state: 'returned' });
    expect(await market.wrongs()).toEqual([]);
  });

  test('as a settlement of another amount settles nothing; what the channel answers does', async () => {
    await refund(4_000n);
    const away = (['beps', 'ibps', 'hvps', 'psp'] as const).map((scope) => ({ scope, fault: 'turn-away' }) as const);
    market.faults(...away, { scope: 'unionpay', fault: 'lost-answer' });
    for (let time = 0; time < 5; time += 1) await sendDue(market.desk, { shardId: await shard() });
    expect(await only()).toMatchObject({ channel: 'unionpay', state: 'unknown' });
    market.bank.bank.setDate('2026-03-04' as never);
    await takeNews(telling('unionpay', (item) => ({ ...item, amount: 3_999n })));
    expect(await only()).toMatchObject({ state: 'unknown' });
    market.world.clock.advance((market.world.clock.now() + 600_000) as never);
    await pollDue(market.desk, await shard());
    expect(await only()).toMatchObject({ state: 'settled' });
    expect(await market.wrongs()).toEqual([]);
  });

  test('in a message that nobody can read is kept sealed and stepped over; the statement tells what became of the money', async () => {
    await refund(4_000n);
    market.faults({ scope: 'beps', fault: 'return', days: 0 }, { scope: 'beps', fault: 'odd-return' });
    await sendDue(market.desk, { shardId: await shard() });
    await takeNews(market.desk);
    const payout = await only();
    expect(payout.state).toBe('settled');
    expect(await unread()).toEqual([
      { channel: 'beps', place: '2.1', reason: expect.stringContaining('CtgyPurp'), keptMs: expect.any(Number) },
    ]);
    const [row] = await market.world.db.read('row', (tx) =>
      tx.rows<{ text_sealed: string }>('SELECT text_sealed FROM unread_messages'),
    );
    expect(row?.text_sealed).not.toContain('张三');
    expect(market.world.rt.vault.open(row?.text_sealed ?? '')).toContain(`<Nb>${payout.id}<`);
    // The next payment is heard of.
    await market.pay('S', 500n);
    await closeNext(market);
    expect(await only()).toMatchObject({ state: 'returned' });
    expect(await unread()).toHaveLength(1);
    market.faults();
    expect(await market.give('refund', { orderNo: 'S', amount: fen(500n) })).toBe('posted');
    await sendDue(market.desk, { shardId: await shard() });
    await takeNews(market.desk);
    expect((await market.payouts()).map(({ state }) => state)).toEqual(['returned', 'settled']);
    expect(await market.wrongs()).toEqual([]);
  });

  test('in a message that nobody can read is kept once, however often the page is read', async () => {
    await refund(4_000n);
    market.faults({ scope: 'beps', fault: 'return', days: 0 }, { scope: 'beps', fault: 'odd-return' });
    await sendDue(market.desk, { shardId: await shard() });
    await Promise.all([1, 2, 3].map(() => takeNews(createDesk(market.world.rt, market.channels))));
    await market.world.db.withTx('again', (tx) => tx.write("UPDATE channel_cursors SET feed_cursor = ''").then(() => true));
    await takeNews(market.desk);
    expect(await unread()).toHaveLength(1);
  });
});
