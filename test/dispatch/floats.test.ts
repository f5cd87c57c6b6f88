import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { sendPayoutsJob } from '../../jobs/send-payouts.job.js';
import { type ChannelCode, type Channels, hasFloat, PAYING_CHANNELS } from '../../src/channels/index.js';
import { proposeTopUps } from '../../src/dispatch/floats/rules.js';
import { loadFloats, setAlert } from '../../src/dispatch/floats/store.js';
import { listTransfers } from '../../src/dispatch/floats/transfer-store.js';
import { approveTransfer, proposeTransfer, rejectTransfer } from '../../src/dispatch/floats/transfers.js';
import { loadCircuits } from '../../src/dispatch/health/store.js';
import {
  bookFloats,
  carryTransfers,
  createDesk,
  type Desk,
  pollDue,
  sendDue,
  takeNews,
  watchFloats,
} from '../../src/dispatch/index.js';
import { addCarried, carriedOn } from '../../src/dispatch/plan/store.js';
import { type Id, type Instant, naturalDate } from '../../src/kernel/index.js';
import { type ChannelTerms, loadChannelTable } from '../../src/routing/index.js';
import { closeNext, fen, type Market, openMarket } from '../clearing/market.js';

const FLOATS = PAYING_CHANNELS.filter(hasFloat);
const [ANNA, BERT] = ['1000000000000000001', '1000000000000000002'] as [Id, Id];

describe('the bank’s own money in channels', () => {
  let market: Market;
  beforeEach(async () => {
    market = await openMarket();
  });
  afterEach(() => market.end());

  const setFloats = (amounts: Partial<Record<ChannelCode, bigint>>) => {
    for (const channel of FLOATS) market.bank.bank.floats.set(channel, amounts[channel] ?? 0n);
  };
  /** Refunds to other banks, made and not sent yet. */
  const refunds = async (...amounts: bigint[]) => {
    for (const [no, amount] of amounts.entries()) await market.pay(`F${no}`, amount);
    await closeNext(market);
    for (const [no, amount] of amounts.entries())
      expect(await market.give('refund', { orderNo: `F${no}`, amount: fen(amount) })).toBe('posted');
  };
  const send = async (desk = market.desk) => sendDue(desk, { shardId: (await market.book()).shardId });
  const poll = async () => pollDue(market.desk, (await market.book()).shardId);
  const floats = () => market.world.db.read('floats', loadFloats);
  const free = async (channel: ChannelCode) => {
    const float = (await floats()).get(channel);
    return float === undefined ? undefined : float.balance - float.reserved;
  };
  const states = async () => (await market.payouts()).map(({ state }) => state).sort();
  /** Nothing is under way: what is free in each channel is what the channel itself has. */
  const expectSameAsChannels = async () => {
    await bookFloats(market.desk);
    for (const { channel, balance, reserved } of (await floats()).values()) {
      expect([channel, reserved]).toEqual([channel, 0n]);
      expect([channel, balance]).toEqual([channel, market.bank.bank.floats.available(channel)]);
      const sum = await market.world.db.read('sum', (tx) =>
        tx.rows<{ sum: string }>('SELECT SUM(amount) AS sum FROM float_entries WHERE channel = ?', [channel]),
      );
      expect([channel, BigInt(sum[0]?.sum ?? '0')]).toEqual([channel, balance]);
    }
  };
  /** The worker at another wall time; the driven clock is the same. */
  const later = (desk: Desk, ms: number): Desk => {
    const { clock } = desk.rt;
    return { ...desk, rt: { ...desk.rt, clock: { now: clock.now, wall: () => (clock.wall() + ms) as Instant } } };
  };
  const inTx = <T>(work: Parameters<typeof market.world.db.withTx<T>>[1]) => market.world.db.withTx('test', work);
  const propose = (from: ChannelCode | null, to: ChannelCode | null, amount: bigint, proposedBy: string = ANNA) =>
    inTx((tx) => proposeTransfer(tx, market.world.rt, { from, to, amount, reason: '补充备付金', proposedBy }));
  const decide = (how: typeof approveTransfer, id: Id, by: Id) =>
    inTx((tx) => how(tx, { id, by, note: null }, market.world.clock.now()));
  const transfers = () =>
    market.world.db.read('transfers', (tx) => listTransfers(tx, { state: undefined, before: undefined }, 100));

  test('is never given twice, however many plan at once', async () => {
    setFloats({ beps: 300n, ibps: 250n });
    await refunds(...Array.from({ length: 10 }, () => 100n));
    const desks = [1, 2, 3, 4].map(() => createDesk(market.world.another(), market.channels));
    await Promise.all(desks.map((desk) => send(desk)));
    for (const channel of FLOATS) expect((await free(channel)) ?? 0n).toBeGreaterThanOrEqual(0n);
    // Three go by the one and two by the other; no channel had to turn any away.
    expect((await states()).filter((state) => state === 'created')).toHaveLength(5);
    const refused = await market.world.db.read('refused', (tx) => tx.rows('SELECT 1 FROM payout_attempts WHERE refused = 1'));
    expect(refused).toEqual([]);
    await takeNews(market.desk);
    expect(market.bank.bank.books().totals).toMatchObject({ paid: 500n, paidTwice: 0 });
    await expectSameAsChannels();
    expect(await market.wrongs()).toEqual([]);
  });

  test('goes with what a channel carries in a day, which no two planners overrun', async () => {
    setFloats({ beps: 10_000n, ibps: 10_000n });
    await refunds(100n, 100n, 100n);
    const { db, clock } = market.world;
    const today = naturalDate(clock.now());
    const terms = (await db.read('terms', (tx) => loadChannelTable(tx, 0 as Instant))).on(today, 'beps') as ChannelTerms;
    await inTx((tx) =>
      tx.write(
        'INSERT INTO channel_terms (channel, valid_from, terms, source) VALUES (?, ?, ?, ?)',
        ['beps', today, JSON.stringify({ ...terms, capacity: 5 }), 'contract'], //
      ),
    );
    // Between the look of this planner and its commit another one gives the channel three of the five.
    let others = 3;
    const overtaken = new Proxy(market.world.rt.db, {
      get: (of, key) =>
        key !== 'withTx'
          ? Reflect.get(of, key)
          : async (label: string, ...rest: [never, never]) => {
              const given = label === 'plan-payouts' ? others : 0;
              if (given > 0) {
                others = 0;
                await inTx((tx) => addCarried(tx, today, 'beps', given));
              }
              return of.withTx(label, ...rest);
            },
    });
    await send(createDesk({ ...market.world.rt, db: overtaken }, market.channels));
    expect((await db.read('carried', (tx) => carriedOn(tx, today))).get('beps')).toBe(5);
    expect((await market.payouts()).map(({ channel }) => channel).sort()).toEqual(['beps', 'beps', 'ibps']);
  });

  test('that a channel does not tell is a call in vain', async () => {
    await refunds(100n);
    market.faults({ scope: 'hvps', fault: 'maintenance', on: 'float' });
    await send();
    expect((await market.world.db.read('circuits', loadCircuits)).get('hvps')).toMatchObject({ unanswered: 1 });
  });

  test('is what the channel says that it is, after payments, failures, turnings-away, returns and transfers', async () => {
    setFloats({ beps: 10_000n, ibps: 10_000n, hvps: 10_000n });
    market.faults(
      { scope: 'beps', fault: 'refuse', times: 1 },
      { scope: 'beps', fault: 'turn-away', times: 1 },
      { scope: 'beps', fault: 'turn-away-later', times: 1 },
      { scope: 'beps', fault: 'fail-later', times: 1 },
      { scope: 'beps', fault: 'return', days: 0, times: 1 },
      { scope: 'ibps', fault: 'lost-answer', times: 1 },
    );
    await refunds(101n, 202n, 303n, 404n, 505n, 606n, 707n);
    await send();
    const { id } = await propose('beps', 'hvps', 1_000n);
    await decide(approveTransfer, id, BERT);
    expect(await carryTransfers(market.desk)).toBe(1);
    for (let round = 0; round < 4; round += 1) {
      market.world.clock.advance((market.world.clock.now() + 600_000) as never);
      await poll();
      await send();
      await takeNews(market.desk);
    }
    expect((await states()).filter((state) => !['settled', 'failed', 'returned'].includes(state))).toEqual([]);
    expect(await states()).toContain('returned');
    await expectSameAsChannels();
    expect(await market.wrongs()).toEqual([]);
  });

  test('is asked for every five minutes; a difference that stays and a low float are told', async () => {
    setFloats({ beps: 1_000n, ibps: 1_000n });
    await refunds(400n);
    expect(await watchFloats(market.desk)).toBe(0); // a channel is opened by what it tells first
    await send();
    await inTx((tx) => setAlert(tx, 'beps', 700n, market.world.clock.now()));
    expect(await watchFloats(market.desk)).toBe(0);
    const alarms: string[] = [];
    const heard = (desk: Desk): Desk => {
      const log = { ...desk.rt.log, error: (of: { event: string; channel: string }) => alarms.push(`${of.event} ${of.channel}`) };
      return { ...desk, rt: { ...desk.rt, log: log as never } };
    };
    await takeNews(market.desk);
    market.bank.bank.floats.set('ibps', 999n);
    expect(await watchFloats(heard(later(market.desk, 301_000)))).toBe(FLOATS.length);
    expect(alarms).toEqual(['float.below-mark beps']);
    expect((await floats()).get('ibps')).toMatchObject({ told: 999n, difference: -1n });
    expect(await watchFloats(heard(later(market.desk, 400_000)))).toBe(0);
    expect(await watchFloats(heard(later(market.desk, 602_000)))).toBe(FLOATS.length);
    expect(alarms).toEqual(['float.below-mark beps', 'float.below-mark beps', 'float.differs ibps']);
    market.bank.bank.floats.set('ibps', 1_000n);
    await watchFloats(heard(later(market.desk, 903_000)));
    expect((await floats()).get('ibps')).toMatchObject({ difference: 0n, differsMs: null });
  });

  test('is no difference while payouts are planned and not sent, or accepted and not final', async () => {
    setFloats({ beps: 1_000n, ibps: 1_000n });
    await refunds(400n, 300n);
    const { submit } = market.channels.channels.beps;
    const asked: Desk[] = [];
    const beps = {
      ...market.channels.channels.beps,
      submit: async (orders: Parameters<typeof submit>[0]) => {
        await watchFloats(later(asked[0] as Desk, 301_000));
        return submit(orders);
      },
    };
    asked.push(market.desk);
    const channels: Channels = { ...market.channels, channels: { ...market.channels.channels, beps } };
    market.bank.bank.faults.replace({ settleDelayMs: 60_000 });
    await send(createDesk(market.world.rt, channels));
    // Sent, and the call had not been made: the books had it as sent, the channel knew nothing. It is not missed the next time.
    await watchFloats(later(market.desk, 602_000));
    expect([...(await floats()).values()].map(({ difference, differsMs }) => [difference, differsMs])).toEqual(
      FLOATS.map(() => [0n, null]),
    );
  });

  test('moves when one person proposes and another approves, once, and never by who proposed it', async () => {
    setFloats({ beps: 1_000n, ibps: 200n });
    await watchFloats(market.desk);
    const { id } = await propose('beps', 'ibps', 600n);
    await expect(propose('beps', 'ibps', 5n)).rejects.toMatchObject({ refusal: { code: 'FLOAT_TRANSFER_OPEN' } });
    await expect(decide(approveTransfer, id, ANNA)).rejects.toMatchObject({ refusal: { code: 'SAME_OPERATOR' } });
    await expect(decide(rejectTransfer, id, ANNA)).rejects.toMatchObject({ refusal: { code: 'SAME_OPERATOR' } });
    expect(await carryTransfers(market.desk)).toBe(0);
    const both = await Promise.allSettled([decide(approveTransfer, id, BERT), decide(approveTransfer, id, BERT)]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await expect(decide(approveTransfer, id, BERT)).rejects.toMatchObject({ refusal: { code: 'FLOAT_TRANSFER_DECIDED' } });
    expect([await free('beps'), await free('ibps')]).toEqual([400n, 200n]); // reserved once
    expect(await Promise.all([carryTransfers(market.desk), carryTransfers(market.desk)])).toContain(1);
    expect([await free('beps'), await free('ibps')]).toEqual([400n, 800n]);
    expect((await transfers())[0]).toMatchObject({ state: 'moved', decidedBy: BERT });
    await expectSameAsChannels();
    // Both are asked anew, and nobody else before his time.
    expect(await watchFloats(market.desk)).toBe(2);
    const told = await floats();
    expect([told.get('beps'), told.get('ibps')]).toMatchObject([
      { told: 400n, difference: 0n },
      { told: 800n, difference: 0n },
    ]);
    expect(await watchFloats(market.desk)).toBe(0);
    expect((await propose('beps', 'ibps', 5n)).state).toBe('proposed'); // the first is over
  });

  test.each(['before', 'after'] as const)('moves once when the worker dies %s the core bank heard of it', async (when) => {
    setFloats({ beps: 1_000n, ibps: 200n });
    await watchFloats(market.desk);
    const { id } = await propose('beps', 'ibps', 600n);
    await decide(approveTransfer, id, BERT);
    const { coreBank } = market.channels;
    const moveFloat: typeof coreBank.moveFloat = async (...of) => {
      if (when === 'after') await coreBank.moveFloat(...of);
      throw new Error('crash');
    };
    const dying = createDesk(market.world.rt, { ...market.channels, coreBank: { ...coreBank, moveFloat } });
    await expect(carryTransfers(dying)).rejects.toThrow('crash');
    expect((await transfers())[0]?.state).toBe('approved');
    expect(await free('beps')).toBe(400n);
    expect(await carryTransfers(market.desk)).toBe(1);
    await expectSameAsChannels();
    expect(await free('ibps')).toBe(800n);
  });

  test('is told to the core bank again under the same number while it does not answer, and is free again when it says no', async () => {
    setFloats({ beps: 1_000n, ibps: 200n });
    await watchFloats(market.desk);
    const first = await propose('beps', 'ibps', 600n);
    await decide(approveTransfer, first.id, BERT);
    market.faults({ scope: 'core', on: 'float', fault: 'lost-answer', times: 1 });
    expect(await carryTransfers(market.desk)).toBe(0);
    expect(await carryTransfers(market.desk)).toBe(1);
    await expectSameAsChannels();
    const second = await propose('beps', null, 400n);
    await decide(approveTransfer, second.id, BERT);
    market.bank.bank.floats.set('beps', 300n);
    expect(await carryTransfers(market.desk)).toBe(1);
    expect((await transfers())[0]).toMatchObject({ state: 'failed', note: expect.stringContaining('insufficient float') });
    expect(await free('beps')).toBe(400n);
  });

  test('is not promised twice: what was approved is given to no payout, and what payouts have is not approved away', async () => {
    setFloats({ beps: 500n });
    await watchFloats(market.desk);
    const taken = await propose('beps', null, 300n);
    const also = await propose('beps', 'ibps', 300n);
    await decide(approveTransfer, taken.id, BERT);
    await expect(decide(approveTransfer, also.id, BERT)).rejects.toMatchObject({ refusal: { code: 'FLOAT_INSUFFICIENT' } });
    await refunds(300n);
    await send();
    expect(await states()).toEqual(['created']);
  });

  test('that comes lets what waited for it go, also what a clearing made and its close could not send', async () => {
    setFloats({ beps: 100n });
    await market.pay('C', 900n);
    await market.split('C', [[market.there, 900n]]);
    await closeNext(market);
    await closeNext(market);
    expect((await market.payouts()).map(({ purpose, state, reason }) => [purpose, state, reason?.slice(0, 5)])).toEqual([
      ['clearing', 'created', 'waits'],
    ]);
    const { id } = await propose(null, 'beps', 800n);
    await decide(approveTransfer, id, BERT);
    await carryTransfers(market.desk);
    market.world.clock.advance((market.world.clock.now() + 300_000) as never);
    await sendPayoutsJob.run(market.desk, '0');
    await takeNews(market.desk);
    expect(await states()).toEqual(['settled']);
    await expectSameAsChannels();
  });

  test('that a channel lacks is proposed from the one with the largest surplus, never more than that, and once', async () => {
    setFloats({ beps: 100n, ibps: 150n, hvps: 180n, unionpay: 100n, psp: 100n });
    await watchFloats(market.desk);
    await inTx((tx) => setAlert(tx, 'beps', 1_000n, market.world.clock.now()));
    await watchFloats(later(market.desk, 301_000));
    expect((await transfers()).map(({ from, to, amount, state, proposedBy }) => [from, to, amount, state, proposedBy])).toEqual([
      ['hvps', 'beps', 180n, 'proposed', 'system'],
    ]);
    await watchFloats(later(market.desk, 602_000));
    expect(await transfers()).toHaveLength(1);
    await decide(rejectTransfer, (await transfers())[0]?.id as Id, BERT);
    await watchFloats(later(market.desk, 903_000));
    // Nobody is asked again for what was rejected today; the next best is.
    expect((await transfers()).map(({ from, amount, state }) => [from, amount, state])).toEqual([
      ['ibps', 150n, 'proposed'],
      ['hvps', 180n, 'rejected'],
    ]);
  });
});

test('a channel is short by what is not routed yet and what still goes out on such a day', () => {
  const of = (channel: ChannelCode, free: bigint, unrouted = 0n, usual = 0n, wentOut = 0n) => {
    return { channel, free, alertBelow: null, unrouted, usual, wentOut };
  };
  expect(proposeTopUps([of('beps', 100n, 60n, 90n, 30n), of('ibps', 50n), of('hvps', 500n, 0n, 490n)], [])).toEqual([
    { from: 'ibps', to: 'beps', amount: 20n },
  ]);
  // More went out than usual: nothing more is expected, and nothing is lacking.
  expect(proposeTopUps([of('beps', 100n, 60n, 90n, 130n), of('ibps', 50n)], [])).toEqual([]);
});
