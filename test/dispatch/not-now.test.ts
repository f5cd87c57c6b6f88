import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { CHANNELS, type ChannelCode, type Channels, type PaymentOrder } from '../../src/channels/index.js';
import { notNowDelayMs } from '../../src/dispatch/answers/rules.js';
import { ask, createDesk, type Desk, pollDue, sendAgain, sendDue, takeNews } from '../../src/dispatch/index.js';
import { planDue } from '../../src/dispatch/plan/plan.js';
import { attemptsOf } from '../../src/dispatch/plan/store.js';
import type { Instant } from '../../src/kernel/index.js';
import type { Payout } from '../../src/payouts/index.js';
import { closeNext, fen, type Market, openMarket } from '../clearing/market.js';

const LARGE = 100_000_000n; // a million: the large-value system alone carries it
const MINUTE = 60_000;

describe('a payout that its channel does not take now', () => {
  let market: Market;
  beforeEach(async () => {
    market = await openMarket();
  });
  afterEach(() => market.end());

  const refund = async (amount: bigint, orderNo = 'R'): Promise<void> => {
    await market.pay(orderNo, amount);
    await closeNext(market);
    expect(await market.give('refund', { orderNo, amount: fen(amount) })).toBe('posted');
  };
  const only = async (): Promise<Payout> => {
    const payouts = await market.payouts();
    expect(payouts).toHaveLength(1);
    return payouts[0] as Payout;
  };
  const shard = async () => (await market.book()).shardId;
  const send = async (desk = market.desk) => sendDue(desk, { shardId: await shard() });
  const poll = async (desk = market.desk) => pollDue(desk, await shard());
  const attempts = async () => {
    const { id } = await only();
    return ((await market.world.db.read('attempts', (tx) => attemptsOf(tx, [id]))).get(id) ?? []).map(
      ({ channel, refused, againMs, endedMs }) => [
        channel,
        refused ? 'turned away' : againMs !== null ? 'not now' : endedMs === null ? 'has it' : 'taken back',
      ],
    );
  };
  const now = () => market.world.clock.now();
  const pass = (ms: number) => market.world.clock.advance((now() + ms) as Instant);
  const paid = () => market.bank.bank.books().totals;
  const funded = async (amount: bigint) => {
    await market.pay('Q', amount + 1n); // so that the bank has the money to pay it twice, if we were to order that
    await refund(amount);
  };
  /** A worker whose channels are these, where they are other than the market's. */
  const deskWith = (others: Partial<Channels['channels']>): Desk =>
    createDesk(market.world.rt, { ...market.channels, channels: { ...market.channels.channels, ...others } });
  /** A gate, and who says that somebody stands before it. */
  const gate = () => {
    const doors: Record<'open' | 'arrive', () => void> = { open: () => undefined, arrive: () => undefined };
    const opened = new Promise<void>((resume) => {
      doors.open = resume;
    });
    const arrived = new Promise<void>((resume) => {
      doors.arrive = resume;
    });
    return { ...doors, opened, arrived };
  };
  const expectPaidOnce = async (amount: bigint) => {
    for (let round = 0; round < 12 && (await only()).state !== 'settled'; round += 1) {
      pass(10 * MINUTE);
      await takeNews(market.desk);
      await poll();
      await send();
    }
    expect((await only()).state).toBe('settled');
    expect(paid()).toMatchObject({ paid: amount, paidTwice: 0 });
    expect(await market.wrongs()).toEqual([]);
  };

  test('and that no other carries is not failed: it is given to it again in the next session', async () => {
    await refund(LARGE);
    market.world.clock.advance(Date.parse('2026-03-03T17:13:59+08:00') as Instant);
    market.faults({ scope: 'hvps', fault: 'not-now', reason: 'outside its hours', times: 2 });
    await send();
    const waiting = await only();
    expect([waiting.state, waiting.channel]).toEqual(['created', null]);
    expect(waiting.reason).toMatch(/^waits for a channel \(hvps: not-now/);
    // A minute later the session has come to its margin.
    expect(waiting.nextMs).toBe(Date.parse('2026-03-03T20:30:00+08:00'));
    market.world.clock.advance(Date.parse('2026-03-03T20:30:00+08:00') as Instant);
    await send();
    expect(await attempts()).toEqual(Array(2).fill(['hvps', 'not now']));
    pass(2 * MINUTE);
    await send();
    expect(await attempts()).toEqual([...Array(2).fill(['hvps', 'not now']), ['hvps', 'has it']]);
    await expectPaidOnce(LARGE);
  });

  test('is not given to it again before a delay that doubles, by whatever worker; and it never fails for that', async () => {
    await refund(LARGE);
    market.faults({ scope: 'hvps', fault: 'not-now', times: 9 });
    for (let time = 0; time < 9; time += 1) {
      await send();
      expect((await only()).state).toBe('created');
      pass(notNowDelayMs(time) - 1);
      const desk = createDesk(market.world.another(), market.channels);
      expect(await send(desk)).toBe(0);
      expect(await attempts()).toHaveLength(time + 1);
      pass(1);
    }
    expect([0, 1, 6, 20].map(notNowDelayMs)).toEqual([MINUTE, 2 * MINUTE, 60 * MINUTE, 60 * MINUTE]);
  });

  test('goes by another at once, under the same number, and its float is free again', async () => {
    await funded(4_000n);
    market.faults({ scope: 'beps', fault: 'not-now', reason: 'insufficient float' });
    await send();
    expect(await attempts()).toEqual([
      ['beps', 'not now'],
      ['ibps', 'has it'],
    ]);
    await expectPaidOnce(4_000n);
  });

  test('though it had accepted it goes back to the plan too, by news or by a question', async () => {
    await funded(4_000n);
    market.faults({ scope: 'beps', fault: 'not-now-later' }, { scope: 'ibps', fault: 'not-now-later' });
    await send();
    await takeNews(market.desk);
    expect((await only()).state).toBe('created');
    await send();
    await ask(market.desk, [await only()]);
    expect(await attempts()).toEqual([
      ['beps', 'not now'],
      ['ibps', 'not now'],
    ]);
    await expectPaidOnce(4_000n);
  });

  test('is the same channel’s again, and an answer to the first sending that comes late does not take it from there', async () => {
    await funded(LARGE);
    market.faults({ scope: 'hvps', fault: 'not-now' });
    const { hvps, beps } = market.channels.channels;
    const late = gate();
    const slow = {
      ...hvps,
      submit: async (orders: readonly PaymentOrder[]) => {
        const answers = await hvps.submit(orders);
        late.arrive();
        await late.opened;
        return answers;
      },
    };
    const sending = send(deskWith({ hvps: slow, beps }));
    await late.arrived;
    await ask(market.desk, [await only()]); // a question is answered first: not now
    pass(MINUTE);
    market.bank.bank.faults.replace({ settleDelayMs: 1_000 });
    await send();
    const given = [
      ['hvps', 'not now'],
      ['hvps', 'has it'],
    ];
    expect(await attempts()).toEqual(given);
    late.open();
    await sending;
    expect([(await only()).state, await attempts()]).toEqual(['unknown', given]);
    market.bank.bank.advanceMs(1_000);
    await expectPaidOnce(LARGE);
    expect(await attempts()).toEqual(given);
  });

  test('stays with it while another sending may still arrive there, and is paid once when both do', async () => {
    await funded(4_000n);
    const { beps } = market.channels.channels;
    const lost: (readonly PaymentOrder[])[] = [];
    const losing = {
      ...beps,
      submit: async (orders: readonly PaymentOrder[]) => {
        lost.push(orders); // it is somewhere on the way
        return orders.map(({ messageNo }) => ({ messageNo, status: 'unknown' as const, reason: 'no answer' }));
      },
    };
    await send(deskWith({ beps: losing }));
    const never = await ask(market.desk, [await only()]);
    expect(never).toHaveLength(1);
    market.faults({ scope: 'beps', fault: 'not-now' });
    await sendAgain(market.desk, never);
    expect([(await only()).state, await attempts()]).toEqual(['unknown', [['beps', 'has it']]]);
    await send();
    await beps.submit(lost[0] as readonly PaymentOrder[]); // now it arrives
    pass(MINUTE);
    await poll();
    await expectPaidOnce(4_000n);
    expect(await attempts()).toEqual([['beps', 'has it']]);
  });

  test('and news of that from an earlier sending leaves it with the channel that has it again', async () => {
    await funded(4_000n);
    market.faults({ scope: 'beps', fault: 'not-now-later' }, ...others(['beps']));
    await send();
    await ask(market.desk, [await only()]); // the news of it is not read yet
    market.bank.bank.faults.replace({ settleDelayMs: 1_000, scripted: others(['beps']) });
    pass(MINUTE);
    await send();
    expect(await attempts()).toContainEqual(['beps', 'has it']);
    const before = await attempts();
    await takeNews(market.desk);
    expect([(await only()).state, await attempts()]).toEqual(['sent', before]);
    market.bank.bank.advanceMs(1_000);
    await expectPaidOnce(4_000n);
  });

  const others = (but: readonly ChannelCode[]) =>
    CHANNELS.filter((scope) => !but.includes(scope)).map((scope) => ({ scope, fault: 'turn-away' as const }));

  test('by one while all others turned it away for ever waits for that one', async () => {
    await refund(4_000n);
    market.faults({ scope: 'beps', fault: 'not-now' }, ...others(['beps']));
    await send();
    await send();
    expect((await only()).state).toBe('created');
    pass(MINUTE);
    await send();
    await expectPaidOnce(4_000n);
  });

  test('is not routed to a channel that is about to close', async () => {
    await refund(LARGE);
    market.world.clock.advance(Date.parse('2026-03-03T17:14:00+08:00') as Instant);
    await planDue(market.desk, { shardId: await shard() }, 0 as Instant);
    expect(await only()).toMatchObject({ channel: null, nextMs: Date.parse('2026-03-03T20:30:00+08:00') });
  });
});
