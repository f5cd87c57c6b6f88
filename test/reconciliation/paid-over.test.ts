import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Channel, ChannelNews, Channels, PaymentOrder } from '../../src/channels/index.js';
import { closeDueDays, closesDue } from '../../src/clearing/index.js';
import { createDesk, type Desk, decideNow, pollDue, sendDue } from '../../src/dispatch/index.js';
import { systemInstruction } from '../../src/instructions/index.js';
import { addDays, type BusinessDate, toWire } from '../../src/kernel/index.js';
import { loadBook, setTerms } from '../../src/ledger/index.js';
import { acceptBreak } from '../../src/reconciliation/store.js';
import { type Holder, openHolder, withConsent } from '../clearing/electronic.js';
import { atBank, fen, type Market, openMarket } from '../clearing/market.js';

/** A payment institution that debits cards at once and tells at the end of the day under which sum, and when, it pays over. */
function institution(channels: Channels) {
  const taken: PaymentOrder[] = [];
  const news: ChannelNews[] = [];
  const way: Channel = {
    ...channels.channels['psp-collect'],
    async submit(orders) {
      taken.push(...orders);
      return orders.map(({ messageNo }) => ({ messageNo, status: 'settled' as const }));
    },
    query: async (numbers) =>
      numbers.map((messageNo) => ({
        messageNo,
        status: taken.some((order) => order.messageNo === messageNo) ? ('settled' as const) : ('not-found' as const),
      })),
    news: async (after) => ({ items: news.slice(Number(after || 0)), next: String(news.length) }),
  };
  const all = { ...channels, channels: { ...channels.channels, 'psp-collect': way } } as Channels;
  return {
    channels: all,
    /** All that was taken and not told of is paid over in one sum; answers it. */
    tell(reference: string, businessDate: BusinessDate): bigint {
      const told = new Set(news.map(({ messageNo }) => messageNo));
      const fresh = taken.filter(({ messageNo }) => !told.has(messageNo));
      for (const { messageNo } of fresh)
        news.push({ cursor: String(news.length + 1), messageNo, status: 'settled', reference, businessDate });
      return fresh.reduce((sum, { amount }) => sum + amount, 0n);
    },
  };
}

describe('what a channel collects and pays over later', () => {
  let market: Market;
  let holder: Holder;
  let desk: Desk;
  let psp: ReturnType<typeof institution>;
  beforeEach(async () => {
    market = await openMarket();
    holder = await openHolder(market, 2);
    psp = institution(market.channels);
    desk = createDesk(market.world.rt, psp.channels);
  });
  afterEach(() => market.end());

  async function collect(...amounts: bigint[]): Promise<void> {
    for (const amount of amounts) expect(await withConsent(market, holder, 'top-up', { amount: fen(amount) })).toBe('posted');
    await market.world.db.withTx('route', (tx) =>
      tx.write("UPDATE payouts SET channel = 'psp-collect' WHERE state = 'created' AND purpose = 'top-up'"),
    );
    expect(await sendDue(desk, { shardId: (await market.book()).shardId })).toBe(amounts.length);
  }
  const atOnce = () =>
    market.world.db.withTx('terms', async (tx) => {
      const { terms } = await loadBook(tx, market.platformId);
      await setTerms(tx, market.platformId, { ...terms, collected: 'at-once' });
    });
  const arrives = (reference: string, date: string, amount: bigint) =>
    market.channels.coreBank.inflows(market.custodyNo, date as BusinessDate, [
      { reference, amount, counterparty: 'PSP', text: '' },
    ]);
  const closeNext = async () => {
    market.goTo(addDays((await market.book()).businessDate, 1));
    return closeDueDays(desk, market.platformId);
  };
  /** As staff does when it has closed the breaks. */
  const resume = async (date: string) => {
    await market.world.db.withTx('resume', (tx) =>
      tx.write("UPDATE business_days SET state = 'closing' WHERE business_date = ? AND state = 'stopped'", [date]),
    );
    return closeDueDays(desk, market.platformId);
  };
  const withdraw = (amount: bigint) => withConsent(market, holder, 'withdrawal', { amount: fen(amount) });
  const balance = () => market.balance(holder.account);

  test('is credited when the statement shows its sum, and the days prove', async () => {
    await collect(3_000n, 2_000n);
    expect(await balance()).toBe(0n);
    const sum = psp.tell('PS20260302', '2026-03-03' as BusinessDate);
    expect(await closeNext()).toEqual([{ date: '2026-03-02', state: 'closed' }]);
    expect(await balance()).toBe(0n);
    await arrives('PS20260302', '2026-03-03', sum);
    expect(await closeNext()).toEqual([{ date: '2026-03-03', state: 'closed' }]);
    expect(await balance()).toBe(5_000n);
    expect(atBank(market)).toBe(5_000n);
    expect(await withdraw(5_000n)).toBe('posted');
    expect(await closeNext()).toEqual([{ date: '2026-03-04', state: 'closed' }]);
    expect((await market.breaks()).map(({ class: of, timing, state }) => [of, timing, state])).toEqual([
      ['only-theirs', true, 'closed'],
    ]);
    expect(await market.wrongs()).toEqual([]);
  });

  test('is spent inside the platform at once where the terms say so, and leaves when its sum has come', async () => {
    await atOnce();
    await collect(3_000n);
    expect(await balance()).toBe(3_000n);
    expect(await withdraw(1n)).toBe('FUNDS_UNCLEARED');
    const sum = psp.tell('PS20260302', '2026-03-03' as BusinessDate);
    await closeNext();
    expect(await withdraw(1n)).toBe('FUNDS_UNCLEARED');
    await arrives('PS20260302', '2026-03-03', sum);
    expect(await closeNext()).toEqual([{ date: '2026-03-03', state: 'closed' }]);
    expect(await withdraw(3_000n)).toBe('posted');
    expect(await market.wrongs()).toEqual([]);
  });

  test('that does not come stops the day before any of it leaves, until a person has looked', async () => {
    await atOnce();
    await collect(3_000n);
    psp.tell('PS20260302', '2026-03-03' as BusinessDate);
    await closeNext();
    expect(await closeNext()).toEqual([{ date: '2026-03-03', state: 'stopped' }]);
    const [overdue] = await market.breaks();
    expect(overdue).toMatchObject({
      class: 'only-ours',
      reference: 'PS20260302',
      ourAmount: 3_000n,
      theirAmount: null,
      state: 'open',
    });
    const { db, clock } = market.world;
    await db.withTx('accept', (tx) => acceptBreak(tx, (overdue as NonNullable<typeof overdue>).id, 'op', 'seen', clock.now()));
    expect(await resume('2026-03-03')).toEqual([{ date: '2026-03-03', state: 'closed' }]);
    await arrives('PS20260302', '2026-03-04', 3_000n);
    expect(await closeNext()).toEqual([{ date: '2026-03-04', state: 'closed' }]);
    expect(await closeNext()).toEqual([{ date: '2026-03-05', state: 'closed' }]);
    expect((await market.breaks()).every(({ clearedDate }) => clearedDate !== null)).toBe(true);
    expect(await market.wrongs()).toEqual([]);
  });

  test('of which the institution tells a later date clears later wherever it is, and its day does not stop', async () => {
    await atOnce();
    await collect(3_000n, 1_000n);
    const sum = psp.tell('PS20260302', '2026-03-05' as BusinessDate); // it could leave on the 4th
    expect(await closeNext()).toEqual([{ date: '2026-03-02', state: 'closed' }]);
    expect(await closeNext()).toEqual([{ date: '2026-03-03', state: 'closed' }]);
    expect(await withdraw(1n)).toBe('FUNDS_UNCLEARED');
    await pollDue(desk, (await market.book()).shardId); // told again it moves no further
    expect(await closeNext()).toEqual([{ date: '2026-03-04', state: 'closed' }]);
    expect(await withdraw(1n)).toBe('FUNDS_UNCLEARED');
    await arrives('PS20260302', '2026-03-05', sum);
    expect(await closeNext()).toEqual([{ date: '2026-03-05', state: 'closed' }]);
    expect(await withdraw(4_000n)).toBe('posted');
    expect((await market.breaks()).filter(({ timing }) => !timing)).toEqual([]);
    expect(await market.wrongs()).toEqual([]);
  });

  test('that comes a day late lets the stopped day go on by itself, once the next statement shows it', async () => {
    await atOnce();
    await collect(3_000n);
    psp.tell('PS20260302', '2026-03-03' as BusinessDate);
    await closeNext();
    expect(await closeNext()).toEqual([{ date: '2026-03-03', state: 'stopped' }]);
    expect(await closeDueDays(desk, market.platformId)).toEqual([]);
    await arrives('PS20260302', '2026-03-04', 3_000n);
    const today = addDays((await market.book()).businessDate, 1);
    market.goTo(today);
    const { db, clock } = market.world;
    expect(await db.read('due', (tx) => closesDue(tx, today, clock.wall()))).toContain(market.platformId); // the sweep rings for it
    expect(await closeDueDays(desk, market.platformId)).toEqual([
      { date: '2026-03-03', state: 'closed' },
      { date: '2026-03-04', state: 'closed' },
    ]);
    expect((await market.breaks()).filter(({ timing }) => !timing)).toMatchObject([
      { class: 'only-ours', state: 'closed', closedBy: 'system', clearedDate: '2026-03-04' },
    ]);
    expect(await withdraw(3_000n)).toBe('posted');
    expect(await market.wrongs()).toEqual([]);
  });

  test('that comes a day late and short leaves its day stopped', async () => {
    await atOnce();
    await collect(3_000n);
    psp.tell('PS20260302', '2026-03-03' as BusinessDate);
    await closeNext();
    expect(await closeNext()).toEqual([{ date: '2026-03-03', state: 'stopped' }]);
    await arrives('PS20260302', '2026-03-04', 2_999n);
    market.goTo(addDays((await market.book()).businessDate, 1));
    expect(await closeDueDays(desk, market.platformId)).toEqual([]);
    expect((await market.breaks()).filter(({ state }) => state === 'open')).toHaveLength(1);
  });

  test('of which another sum comes is a break, and staff books what came', async () => {
    await collect(3_000n, 2_000n);
    psp.tell('PS20260302', '2026-03-03' as BusinessDate);
    await closeNext();
    await arrives('PS20260302', '2026-03-03', 3_000n);
    expect(await closeNext()).toEqual([{ date: '2026-03-03', state: 'stopped' }]);
    const [differs] = await market.breaks();
    expect(differs).toMatchObject({ class: 'amount-differs', ourAmount: 5_000n, theirAmount: 3_000n });
    expect(await balance()).toBe(0n);
    const { db, clock } = market.world;
    const [first] = await market.payouts();
    const data = {
      channel: 'psp-collect',
      reference: 'PS20260302',
      amount: fen(3_000n),
      payouts: [toWire('payout', (first as NonNullable<typeof first>).id)],
    };
    const of = { platformId: market.platformId, requestNo: 'S-1', kind: 'channel-settled', data, actor: 'op' };
    await decideNow(desk, [{ shardId: (await market.book()).shardId, submission: systemInstruction(of) }]);
    await db.withTx('accept', (tx) => acceptBreak(tx, (differs as NonNullable<typeof differs>).id, 'op', 'short', clock.now()));
    expect(await resume('2026-03-03')).toEqual([{ date: '2026-03-03', state: 'closed' }]);
    // What came is credited at the next statement; what did not is overdue.
    expect(await closeNext()).toEqual([{ date: '2026-03-04', state: 'closed' }]);
    expect(await balance()).toBe(3_000n);
    expect((await closeNext()).at(-1)).toEqual({ date: '2026-03-05', state: 'stopped' });
    expect(await market.wrongs()).toEqual([]);
  });
});
