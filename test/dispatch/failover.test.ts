import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { BankUnreachable, CHANNELS, type ChannelCode, type Channels, type PaymentOrder } from '../../src/channels/index.js';
import { floatsNow } from '../../src/dispatch/floats/floats.js';
import { loadCircuits } from '../../src/dispatch/health/store.js';
import { ask, createDesk, type Desk, endIntercepted, pollDue, sendAgain, sendDue, takeNews } from '../../src/dispatch/index.js';
import { planDue, takeBackUnsent } from '../../src/dispatch/plan/plan.js';
import { situationNow } from '../../src/dispatch/plan/situation.js';
import { attemptsOf } from '../../src/dispatch/plan/store.js';
import { intercept } from '../../src/dispatch/sending/intercept.js';
import { renderText } from '../../src/dispatch/texts/rules.js';
import { setText } from '../../src/dispatch/texts/store.js';
import type { BusinessDate, Id, Instant } from '../../src/kernel/index.js';
import type { Payout } from '../../src/payouts/index.js';
import { closeNext, fen, type Market, openMarket } from '../clearing/market.js';

type Heard = readonly [channel: ChannelCode, messageNo: string, remark: string];

/** What the channels have left, as the plan finds it. */
async function positionNow(desk: Desk) {
  const floats = await floatsNow(desk);
  return (await desk.rt.db.read('situation', (tx) => situationNow(tx, desk.rt, [], floats))).position;
}

describe('a payout and its channels', () => {
  let market: Market;
  beforeEach(async () => {
    market = await openMarket();
  });
  afterEach(() => market.end());

  /** A refund to another bank, made and not sent yet. */
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
  const attempts = async (id: Id) =>
    ((await market.world.db.read('attempts', (tx) => attemptsOf(tx, [id]))).get(id) ?? []).map(
      ({ channel, refused, endedMs }) => [channel, refused ? 'turned away' : endedMs === null ? 'has it' : 'taken back'],
    );
  const inTx = <T>(work: Parameters<typeof market.world.db.withTx<T>>[1]) => market.world.db.withTx('test', work);
  const paid = () => market.bank.bank.books().totals;
  /** A worker of which it is written down what it hands to which channel. */
  const listened = (heard: Heard[]): Desk => {
    const tapped = CHANNELS.map((code) => {
      const channel = market.channels.channels[code];
      const submit = async (orders: readonly PaymentOrder[]) => {
        heard.push(...orders.map(({ messageNo, remark }) => [code, messageNo, remark] as const));
        return channel.submit(orders);
      };
      return [code, { ...channel, submit }];
    });
    return createDesk(market.world.rt, { ...market.channels, channels: Object.fromEntries(tapped) as Channels['channels'] });
  };
  const setTemplate = (template: string) =>
    inTx((tx) =>
      setText(tx, { platformId: market.platformId, purpose: 'refund', template }, { by: 'key', atMs: market.world.clock.now() }),
    );

  test('turned away by one goes by the next cheapest under the same number with the same words, and is debited once', async () => {
    await setTemplate('{platform}·{purpose}{order}');
    await refund(4_000n);
    market.faults(
      { scope: 'beps', fault: 'turn-away', reason: 'limit' },
      { scope: 'ibps', fault: 'turn-away-later', reason: 'limit' },
    );
    const heard: Heard[] = [];
    const desk = listened(heard);
    await send(desk);
    await setTemplate('其他说法'); // too late for this one
    await takeNews(desk);
    await send(desk);
    market.world.clock.advance((market.world.clock.now() + 60_000) as never);
    await pollDue(desk, await shard());
    const { id, state, channel } = await only();
    expect([state, channel]).toEqual(['settled', 'psp']);
    const [text] = heard.map(([, , remark]) => remark);
    expect(heard).toEqual((['beps', 'ibps', 'psp'] as const).map((code) => [code, id, text]));
    expect(text).toMatch(/^Platform \d+·退款R$/);
    expect(await attempts(id)).toEqual([
      ['beps', 'turned away'],
      ['ibps', 'turned away'],
      ['psp', 'has it'],
    ]);
    expect(paid()).toMatchObject({ paid: 4_000n, paidTwice: 0 });
    expect(await market.wrongs()).toEqual([]);
  });

  test('turned away while somebody asks after it is not sent again to the channel that did not have it, but stays with the next', async () => {
    await market.pay('Q', 9_000n);
    await refund(4_000n);
    market.faults({ scope: 'beps', fault: 'turn-away', reason: 'limit' });
    let arrive = () => undefined as undefined;
    let begin = () => undefined as undefined;
    const asked = new Promise<void>((resume) => {
      arrive = () => void resume() as undefined;
    });
    const begun = new Promise<void>((resume) => {
      begin = () => void resume() as undefined;
    });
    const beps = market.channels.channels.beps;
    const slow = {
      ...beps,
      submit: async (orders: readonly PaymentOrder[]) => {
        begin();
        await asked; // it is still on its way when somebody asks
        return beps.submit(orders);
      },
    };
    const desk = createDesk(market.world.rt, { ...market.channels, channels: { ...market.channels.channels, beps: slow } });
    const sending = send(desk);
    await begun;
    const never = await ask(market.desk, [await only()]);
    expect(never).toHaveLength(1);
    arrive();
    await sending;
    expect(await only()).toMatchObject({ channel: 'ibps', state: 'sent' });
    await sendAgain(market.desk, never);
    await send();
    market.world.clock.advance((market.world.clock.now() + 600_000) as never);
    await takeNews(market.desk);
    await pollDue(market.desk, await shard());
    const { id, state, channel } = await only();
    expect([state, channel]).toEqual(['settled', 'ibps']);
    expect(await attempts(id)).toEqual([
      ['beps', 'turned away'],
      ['ibps', 'has it'],
    ]);
    expect(paid()).toMatchObject({ paid: 4_000n, paidTwice: 0 });
    expect(await market.wrongs()).toEqual([]);
  });

  test('refused by all others waits for a channel that is down until somebody says otherwise: it does not fail', async () => {
    await refund(4_000n);
    market.faults(...(['beps', 'ibps', 'unionpay', 'psp'] as const).map((scope) => ({ scope, fault: 'turn-away' as const })));
    await inTx((tx) =>
      tx.write(
        "INSERT INTO channel_outages (id, channel, from_ms, to_ms, reason, entered_by, created_ms) VALUES (1, 'hvps', ?, NULL, 'down', 'x', 0)",
        [market.world.clock.now() - 1_000],
      ),
    );
    await send();
    await send();
    expect(await only()).toMatchObject({ state: 'created', channel: null });
  });

  test('keeps its words when it is sent again to a channel that never received it', async () => {
    await setTemplate('{platform} {order}');
    await refund(4_000n);
    market.faults({ scope: 'beps', fault: 'not-received' });
    const heard: Heard[] = [];
    const desk = listened(heard);
    await send(desk);
    await setTemplate('其他说法');
    market.world.clock.advance((market.world.clock.now() + 600_000) as never);
    await pollDue(desk, await shard());
    await takeNews(desk);
    expect((await only()).state).toBe('settled');
    expect(heard).toHaveLength(2);
    expect(heard[1]).toEqual(heard[0]);
    expect(await market.wrongs()).toEqual([]);
  });

  test('turned away by all fails once, and its money is back', async () => {
    await refund(4_000n);
    market.faults(
      ...(['hvps', 'beps', 'ibps', 'unionpay', 'psp'] as const).map((scope) => ({ scope, fault: 'turn-away' as const })),
    );
    await send();
    await send();
    const { id, state } = await only();
    expect(state).toBe('failed');
    expect((await attempts(id)).map(([, how]) => how)).toEqual(Array(5).fill('turned away'));
    expect(paid().paid).toBe(0n);
    const failures = await market.world.db.read('failures', (tx) =>
      tx.rows("SELECT 1 FROM instructions WHERE kind = 'payout-failed'"),
    );
    expect(failures).toHaveLength(1);
    // The order has it again: it can be refunded once more.
    market.faults();
    expect(await market.give('refund', { orderNo: 'R', amount: fen(4_000n) })).toBe('posted');
    expect(await market.wrongs()).toEqual([]);
  });

  test('is taken back when the session ends between the planning and the sending, and goes out by the next', async () => {
    const large = 100_000_000n; // a million: the large-value system alone carries it
    await refund(large);
    const at = (time: string) => market.world.clock.advance(Date.parse(`2026-03-03T${time}+08:00`) as Instant);
    at('17:13:59');
    await planDue(market.desk, { shardId: await shard() }, 0 as Instant);
    expect((await only()).channel).toBe('hvps');
    at('17:14:00');
    expect(await send()).toBe(0);
    const waiting = await only();
    expect([waiting.state, waiting.channel, waiting.reason]).toEqual([
      'created',
      null,
      expect.stringMatching(/^waits for a channel \(hvps: closed/),
    ]);
    expect(waiting.nextMs).toBe(Date.parse('2026-03-03T20:30:00+08:00'));
    expect(paid().paid).toBe(0n);
    at('20:30:00');
    expect(await send()).toBe(1);
    await takeNews(market.desk);
    expect((await only()).state).toBe('settled');
    expect(await attempts(waiting.id)).toEqual([
      ['hvps', 'taken back'],
      ['hvps', 'has it'],
    ]);
    expect(await market.wrongs()).toEqual([]);
  });

  test('that was given to a channel and taken back while another looked at it is looked at again', async () => {
    await refund(100_000_000n);
    const at = (time: string) => market.world.clock.advance(Date.parse(`2026-03-03T${time}+08:00`) as Instant);
    at('17:13:59');
    const { db } = market.world.rt;
    const race = { run: false };
    const read: typeof db.read = async (label, work) => {
      const seen = await db.read(label, work);
      if (label !== 'situation' || race.run) return seen;
      race.run = true;
      await planDue(market.desk, { shardId: await shard() }, 0 as Instant);
      at('17:14:00');
      expect(await takeBackUnsent(market.desk, [await only()])).toBe(true);
      return seen;
    };
    const rt = { ...market.world.rt, db: { ...db, read } };
    await planDue({ ...market.desk, rt }, { shardId: await shard() }, 0 as Instant);
    const waiting = await only();
    expect([waiting.state, waiting.channel]).toEqual(['created', null]);
    expect(await attempts(waiting.id)).toEqual([['hvps', 'taken back']]);
    expect(await market.wrongs()).toEqual([]);
  });

  test('goes to no channel that has been silent five times in a row, until it answers again', async () => {
    await refund(4_000n);
    const { clock } = market.world.rt;
    const wall = { skew: 0 };
    const rt = { ...market.world.rt, clock: { now: clock.now, wall: () => (clock.wall() + wall.skew) as Instant } };
    const { beps } = market.channels.channels;
    const line = { up: false };
    const news: typeof beps.news = async (...of) => {
      if (!line.up) throw new BankUnreachable('news of beps', 'no answer');
      return beps.news(...of);
    };
    const desk = createDesk(rt, { ...market.channels, channels: { ...market.channels.channels, beps: { ...beps, news } } });
    await positionNow(desk); // it tells its float, once
    for (let call = 1; call < 5; call += 1) await takeNews(desk);
    expect((await positionNow(desk)).circuits.has('beps')).toBe(false);
    await takeNews(desk);
    expect((await positionNow(desk)).circuits.has('beps')).toBe(true);
    await planDue(desk, { shardId: await shard() }, 0 as Instant);
    expect((await only()).channel).toBe('ibps');
    wall.skew = 10_001;
    expect((await positionNow(desk)).circuits.has('beps')).toBe(false); // it is tried again
    await takeNews(desk);
    expect((await positionNow(desk)).circuits.has('beps')).toBe(true); // in vain, and for longer
    line.up = true;
    await takeNews(desk);
    expect((await positionNow(desk)).circuits.has('beps')).toBe(false);
    expect((await market.world.db.read('circuits', loadCircuits)).get('beps')).toMatchObject({ unanswered: 0 });
  });

  const stop = async (payoutId: Id) =>
    inTx((tx) => intercept(tx, { payoutId, askedBy: 'opr', reason: '客户撤回' }, market.world.clock.now())).then(
      ({ state }) => state,
      (error: { refusal?: { code: string } }) => error.refusal?.code,
    );

  test('that people stop before it is sent is not sent, planned or not, and its money is back', async () => {
    await refund(4_000n);
    await planDue(market.desk, { shardId: await shard() }, 0 as Instant);
    const { id, channel } = await only();
    expect(channel).toBe('beps');
    expect([await stop(id), await stop(id)]).toEqual(['created', 'created']);
    expect(await send()).toBe(0);
    expect(await endIntercepted(market.desk)).toBe(1);
    expect(await endIntercepted(market.desk)).toBe(0);
    expect([(await only()).state, (await only()).reason]).toEqual(['failed', '客户撤回']);
    expect(await stop(id)).toBe('failed'); // a second click is told what became of it
    expect(paid().paid).toBe(0n);
    const position = await positionNow(market.desk);
    expect(position.floats.get('beps')).toBe(market.bank.bank.floats.available('beps'));
    expect(await market.wrongs()).toEqual([]);
  });

  test('that was sent cannot be stopped', async () => {
    await refund(4_000n);
    await send();
    expect(await stop((await only()).id)).toBe('PAYOUT_STATE_CONFLICT');
    await takeNews(market.desk);
    expect((await only()).state).toBe('settled');
    expect(await market.wrongs()).toEqual([]);
  });

  test('that is stopped while it is being sent is either stopped or sent', async () => {
    for (let no = 0; no < 6; no += 1) await market.pay(`I${no}`, 100n);
    await closeNext(market);
    for (let no = 0; no < 6; no += 1) await market.give('refund', { orderNo: `I${no}`, amount: fen(100n) });
    const ids = (await market.payouts()).map(({ id }) => id);
    const desk = createDesk(market.world.another(), market.channels);
    const [said] = await Promise.all([Promise.all(ids.map(stop)), send(desk)]);
    await endIntercepted(market.desk);
    await takeNews(market.desk);
    const states = new Map((await market.payouts()).map(({ id, state }) => [id, state]));
    expect(ids.map((id) => states.get(id))).toEqual(said.map((word) => (word === 'created' ? 'failed' : 'settled')));
    expect(await market.wrongs()).toEqual([]);
  });
});

describe('the words that a payee reads', () => {
  const parts = { purpose: 'refund', orderNo: 'R-1', businessDate: '2026-03-02' as BusinessDate, platform: '甲平台' } as const;

  test('are the purpose’s name unless the platform has words of its own', () => {
    expect(renderText(undefined, parts)).toBe('退款');
    expect(renderText('{platform} {purpose} {order} {date}', parts)).toBe('甲平台 退款 R-1 2026-03-02');
    expect(renderText('{order}', { ...parts, orderNo: null })).toBe('退款');
  });

  test('are one line of at most 60 bytes of GBK, never half a character, and take nothing from outside as a placeholder', () => {
    expect(renderText('{platform}', { ...parts, platform: '汉'.repeat(40) })).toBe('汉'.repeat(30));
    expect(renderText('a{platform}', { ...parts, platform: '汉'.repeat(40) })).toBe(`a${'汉'.repeat(29)}`);
    expect(renderText('{platform}', { ...parts, platform: '{order}\n\u202e😀€𠮷' })).toBe('{order} ???');
  });
});
