import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Channels } from '../../src/channels/index.js';
import { PersonEntry } from '../../src/channels/simulator/people.js';
import { turnAway } from '../../src/dispatch/answers/take-back.js';
import { lapsedDirective, settledDirective } from '../../src/dispatch/desk.js';
import {
  createDesk,
  decideNow,
  lapseCollections,
  pollDue,
  putOff,
  returnedDirective,
  sendAgain,
  sendDue,
  takeNews,
} from '../../src/dispatch/index.js';
import { executeShard, findInstructions } from '../../src/instructions/index.js';
import type { Payout } from '../../src/payouts/index.js';
import { addParameter } from '../../src/runtime/parameters.js';
import {
  changeElectronic,
  deposit,
  type Holder,
  openHolder,
  outcomeOf,
  receiveConsented,
  statementOf,
  withConsent,
} from '../clearing/electronic.js';
import { atBank, closeNext, fen, type Market, openMarket } from '../clearing/market.js';

const DAY_MS = 86_400_000;

/** A collection channel of which the caller dies in a call, as a worker would that is killed there. */
function dying(channels: Channels, when: 'before' | 'after'): Channels {
  const { collect } = channels.channels;
  const submit: typeof collect.submit = async (orders) => {
    if (when === 'after') await collect.submit(orders);
    throw new Error('crash');
  };
  return { ...channels, channels: { ...channels.channels, collect: { ...collect, submit } } };
}

describe('collections', () => {
  let market: Market;
  let holder: Holder;
  beforeEach(async () => {
    market = await openMarket();
    holder = await openHolder(market, 2);
  });
  afterEach(() => market.end());

  const topUp = async (amount: bigint, of = holder) =>
    expect(await withConsent(market, of, 'top-up', { amount: fen(amount) })).toBe('posted');
  const shard = async () => (await market.book()).shardId;
  const send = async () => sendDue(market.desk, { shardId: await shard() });
  const states = async () => (await market.payouts()).map(({ purpose, state }) => [purpose, state]);
  const totals = () => market.bank.bank.books().totals;
  const suspense = async () => market.balance((await market.book()).accounts.suspense);
  /** The card's bank is another one, so that its answer is only an acceptance. */
  const cardElsewhere = () =>
    market.world.db.withTx('card', (tx) =>
      tx.write(`UPDATE settlement_accounts SET bank_code = '102100099996' WHERE account_id = ${holder.account}`),
    );

  async function expectCollectedOnce(amount: bigint): Promise<void> {
    expect(await states()).toEqual([['top-up', 'settled']]);
    expect(await market.balance(holder.account)).toBe(amount);
    expect(totals()).toMatchObject({ collected: amount, paid: 0n, paidTwice: 0 });
    expect(atBank(market)).toBe(amount);
    await expectDayCloses();
  }
  async function expectDayCloses(): Promise<void> {
    const { businessDate } = await market.book();
    await closeNext(market);
    expect(await market.day(businessDate)).toMatchObject({ state: 'closed' });
    expect(await market.breaks()).toEqual([]);
    expect(await market.wrongs()).toEqual([]);
  }

  test('debit the card and credit the account, and the statement shows them under their number', async () => {
    await topUp(5_000n);
    expect(await market.balance(holder.account)).toBe(0n);
    expect(await send()).toBe(1);
    const [payout] = (await market.payouts()) as [Payout];
    expect(payout).toMatchObject({ channel: 'collect', state: 'settled', amount: 5_000n });
    expect(await statementOf(market, '2026-03-02')).toEqual([[payout.id, 5_000n]]);
    await expectCollectedOnce(5_000n);
  });

  test('do not leave again before the working day after', async () => {
    await topUp(5_000n);
    await send();
    expect(await withConsent(market, holder, 'withdrawal', { amount: fen(1n) })).toBe('FUNDS_UNCLEARED');
    await closeNext(market);
    expect(await withConsent(market, holder, 'withdrawal', { amount: fen(5_000n) })).toBe('posted');
    expect(await send()).toBe(1);
    expect(await states()).toEqual([
      ['top-up', 'settled'],
      ['withdrawal', 'settled'],
    ]);
    await expectDayCloses();
  });

  /** A channel with day-end files tells results to a question before the day is over. */
  const askAfterAll = async () => {
    market.world.clock.advance((market.world.clock.now() + 600_000) as never);
    await pollDue(market.desk, await shard());
  };

  test('that are only accepted post nothing until their result is known', async () => {
    await cardElsewhere();
    await topUp(700n);
    market.bank.bank.faults.replace({ settleDelayMs: 1_000 });
    expect(await send()).toBe(1);
    await takeNews(market.desk);
    expect(await states()).toEqual([['top-up', 'sent']]);
    expect(await market.balance(holder.account)).toBe(0n);
    market.bank.bank.advanceMs(1_000);
    await askAfterAll();
    await expectCollectedOnce(700n);
  });

  test.each(['lost-answer', 'garbage', 'not-received', 'maintenance', 'answer-missing'] as const)(
    'of which the answer is none (%s) are asked after and collected once',
    async (fault) => {
      await topUp(700n);
      market.faults({ scope: 'collect', fault });
      await send();
      expect(await states()).toEqual([['top-up', 'unknown']]);
      expect(await market.balance(holder.account)).toBe(0n);
      market.world.clock.advance((market.world.clock.now() + 600_000) as never);
      await pollDue(market.desk, await shard());
      await expectCollectedOnce(700n);
    },
  );

  test.each(['before', 'after'] as const)('are made once when the worker dies %s its call', async (when) => {
    await topUp(700n);
    const desk = createDesk(market.world.rt, dying(market.channels, when));
    await expect(sendDue(desk, { shardId: await shard() })).rejects.toThrow('crash');
    expect(await states()).toEqual([['top-up', 'sent']]);
    market.world.clock.advance((market.world.clock.now() + 600_000) as never);
    await pollDue(market.desk, await shard());
    await expectCollectedOnce(700n);
  });

  test('of which nothing is heard are settled by the statement', async () => {
    await topUp(700n);
    market.faults({ scope: 'collect', fault: 'lost-answer' }, { scope: 'collect', fault: 'maintenance', on: 'query', times: 50 });
    await send();
    await closeNext(market);
    expect(await states()).toEqual([['top-up', 'settled']]);
    expect(await market.balance(holder.account)).toBe(700n);
    market.faults();
    await expectDayClosesAfterTiming();
  });
  /** The books have it on the next date: the break of the first date closes with it. */
  async function expectDayClosesAfterTiming(): Promise<void> {
    await closeNext(market);
    expect((await market.breaks()).map(({ class: kind, timing, state }) => [kind, timing, state])).toEqual([
      ['only-theirs', true, 'closed'],
    ]);
    expect(await market.wrongs()).toEqual([]);
  }

  test('that fail, at once or later, post nothing at all', async () => {
    market.bank.bank.people.put([
      PersonEntry.parse({
        ...{ idNo: '11010519491231002X', name: '张三' },
        accounts: [
          { account: holder.card, funds: '699' },
          { account: holder.card, bankCode: '102100099996' },
        ],
      }),
    ]);
    await topUp(700n);
    await send();
    await cardElsewhere();
    market.faults({ scope: 'collect', fault: 'fail-later', reason: '持卡人账户状态异常' });
    await topUp(600n);
    await send();
    await askAfterAll();
    expect((await market.payouts()).map(({ state, reason }) => [state, reason])).toEqual([
      ['failed', 'insufficient funds on the card'],
      ['failed', '持卡人账户状态异常'],
    ]);
    expect([await market.balance(holder.account), atBank(market)]).toEqual([0n, 0n]);
    await expectDayCloses();
  });

  test('wait for no proof, since nothing leaves', async () => {
    market.faults({ scope: 'core', fault: 'maintenance', times: 50 });
    market.goTo('2026-03-03');
    expect(await market.close()).toEqual([{ date: '2026-03-02', state: 'waiting' }]);
    await topUp(700n);
    expect((await market.payouts())[0]?.fundedOn).toBe('2026-03-02'); // which is not proved
    expect(await send()).toBe(1);
    expect(await market.balance(holder.account)).toBe(700n);
  });

  const capOf = (value: bigint) =>
    market.world.db.withTx('cap', (tx) =>
      addParameter(tx, { name: 'class-3.balance', validFrom: '2026-03-02' as never, value, source: 'a new notice' }),
    );
  const later = (ms: number) => market.world.clock.advance((market.world.clock.now() + ms) as never);
  const change = (statement: string) => market.world.db.withTx('change', (tx) => tx.write(statement, [holder.account]));

  describe.each([
    ['frozen', "UPDATE accounts SET state = 'frozen' WHERE id = ?", "UPDATE accounts SET state = 'open' WHERE id = ?"],
    [
      'blocked',
      "UPDATE electronic_accounts SET state = 'blocked' WHERE account_id = ?",
      "UPDATE electronic_accounts SET state = 'active' WHERE account_id = ?",
    ],
  ])('for an account that is %s', (_state, stop, free) => {
    test('are not made, and are when it no longer is', async () => {
      await topUp(700n);
      await change(stop);
      expect(await send()).toBe(0);
      later(DAY_MS - 1);
      expect(await lapseCollections(market.desk)).toBe(0);
      await change(free);
      expect(await send()).toBe(1);
      expect(totals().collected).toBe(700n);
    });

    test('fail when their time is over, and the card is never debited', async () => {
      await topUp(700n);
      await change(stop);
      later(DAY_MS);
      expect(await lapseCollections(market.desk)).toBe(1);
      expect(await lapseCollections(market.desk)).toBe(0);
      await change(free);
      later(20 * DAY_MS);
      expect(await send()).toBe(0);
      expect((await market.payouts()).map(({ state, reason }) => [state, reason])).toEqual([['failed', 'not sent in its time']]);
      expect([totals().collected, await market.balance(holder.account)]).toEqual([0n, 0n]);
      expect(await withConsent(market, holder, 'top-up', { amount: fen(100n) })).toBe('posted');
      expect(await send()).toBe(1);
    });

    test('are not sent again after their time when the channel never got them, and fail', async () => {
      await topUp(700n);
      await expect(
        sendDue(createDesk(market.world.rt, dying(market.channels, 'before')), { shardId: await shard() }),
      ).rejects.toThrow();
      await change(stop);
      later(DAY_MS);
      await pollDue(market.desk, await shard());
      expect(await states()).toEqual([['top-up', 'sent']]);
      await change(free);
      // Somebody may have sent it again a moment before.
      await pollDue(market.desk, await shard());
      expect(await states()).toEqual([['top-up', 'sent']]);
      later(600_000);
      await pollDue(market.desk, await shard());
      expect(await states()).toEqual([['top-up', 'failed']]);
      expect(totals().collected).toBe(0n);
    });
  });

  test('that nobody was told of in their time are not sent any more, whoever comes first', async () => {
    await topUp(700n);
    later(DAY_MS);
    expect(await send()).toBe(0);
    expect(await lapseCollections(market.desk)).toBe(1);
    expect(await states()).toEqual([['top-up', 'failed']]);
  });

  test('that the channel got are waited for, however long', async () => {
    await topUp(700n);
    await expect(
      sendDue(createDesk(market.world.rt, dying(market.channels, 'after')), { shardId: await shard() }),
    ).rejects.toThrow();
    later(2 * DAY_MS);
    expect(await lapseCollections(market.desk)).toBe(0);
    const [payout] = (await market.payouts()) as [Payout];
    await decideNow(market.desk, [lapsedDirective({ ...payout, state: 'created' })]);
    expect(await states()).toEqual([['top-up', 'sent']]);
    await pollDue(market.desk, await shard());
    expect(await states()).toEqual([['top-up', 'settled']]);
    expect(await market.balance(holder.account)).toBe(700n);
  });

  test('that went to another channel meanwhile are not ended because the first one never got them', async () => {
    await topUp(700n);
    await expect(
      sendDue(createDesk(market.world.rt, dying(market.channels, 'before')), { shardId: await shard() }),
    ).rejects.toThrow();
    const never = await market.payouts();
    // Its call comes after all and is turned away: the institution collects it, and its answer is lost.
    await turnAway(
      market.desk,
      never.map((payout) => ({ payout, reason: 'the card is not served' })),
    );
    market.faults({ scope: 'psp-collect', fault: 'lost-answer' });
    expect(await send()).toBe(1);
    expect(await market.payouts()).toMatchObject([{ channel: 'psp-collect', state: 'unknown' }]);
    later(DAY_MS + 600_000);
    await sendAgain(market.desk, never);
    expect(await states()).toEqual([['top-up', 'unknown']]);
    await pollDue(market.desk, await shard());
    expect(await states()).toEqual([['top-up', 'settled']]);
    expect(totals()).toMatchObject({ collected: 700n, paidTwice: 0 });
    expect(await market.wrongs()).toEqual([]);
  });

  test('that were looked at too early to be ended are ended by the next look', async () => {
    await topUp(700n);
    await expect(
      sendDue(createDesk(market.world.rt, dying(market.channels, 'before')), { shardId: await shard() }),
    ).rejects.toThrow();
    const early = await market.payouts();
    await putOff(
      market.desk,
      early.map((payout) => ({ payout, to: 'unknown' as const, reason: 'somebody sent it once more' })),
    );
    await decideNow(market.desk, early.map(lapsedDirective));
    expect(await states()).toEqual([['top-up', 'unknown']]);
    later(DAY_MS + 600_000);
    await pollDue(market.desk, await shard());
    expect((await market.payouts()).map(({ state, reason }) => [state, reason])).toEqual([['failed', 'not sent in its time']]);
  });

  test('that were being sent when they were to be ended are ended once nobody has them', async () => {
    await topUp(700n);
    const early = await market.payouts();
    market.faults({ scope: 'collect', fault: 'lost-answer' });
    await send();
    await decideNow(market.desk, early.map(lapsedDirective));
    expect(await states()).toEqual([['top-up', 'unknown']]);
    await turnAway(
      market.desk,
      (await market.payouts()).map((payout) => ({ payout, reason: 'the card is not served' })),
    );
    later(DAY_MS);
    expect(await lapseCollections(market.desk)).toBe(1);
    expect(await states()).toEqual([['top-up', 'failed']]);
  });

  test('are not made for a platform whose payments are stopped', async () => {
    market.faults({ scope: 'core', fault: 'line-extra', custodyNo: market.custodyNo });
    market.goTo('2026-03-03');
    expect(await market.close()).toEqual([{ date: '2026-03-02', state: 'stopped' }]);
    await topUp(700n);
    expect(await send()).toBe(0);
    await pollDue(market.desk, await shard());
    expect(totals().collected).toBe(0n);
  });

  test('taken by several workers at once are made once', async () => {
    for (let no = 0; no < 5; no += 1) await topUp(100n);
    const shardId = await shard();
    const sent = await Promise.all([1, 2, 3, 4].map(() => sendDue(market.desk, { shardId })));
    expect(sent.reduce((sum, number) => sum + number, 0)).toBe(5);
    expect(totals()).toMatchObject({ collected: 500n, paidTwice: 0 });
    expect(await market.balance(holder.account)).toBe(500n);
    await expectDayCloses();
  });

  test('that are charged back change nothing by themselves: the day of the charge-back stops for a person', async () => {
    await topUp(700n);
    market.faults({ scope: 'collect', fault: 'return', days: 1 });
    await send();
    market.bank.bank.setDate('2026-03-03' as never);
    await takeNews(market.desk);
    await closeNext(market);
    expect(await states()).toEqual([['top-up', 'settled']]);
    expect(await market.balance(holder.account)).toBe(700n);
    const [payout] = (await market.payouts()) as [Payout];
    const [receipt] = await decideNow(market.desk, [returnedDirective(payout, `RT${payout.id}`, 'charged back')]);
    const id = receipt !== undefined && 'id' in receipt ? receipt.id : payout.id;
    const outcome = (await market.world.db.read('outcome', (tx) => findInstructions(tx, [id]))).get(id)?.outcome;
    expect(outcome).toMatchObject({ state: 'refused', code: 'PAYOUT_STATE_CONFLICT' });
    market.goTo('2026-03-04');
    expect(await market.close()).toEqual([{ date: '2026-03-03', state: 'stopped' }]);
    expect(await market.breaks()).toMatchObject([
      { class: 'only-theirs', reference: `RT${payout.id}`, theirAmount: -700n, timing: false, state: 'open' },
    ]);
  });

  test('that the law lets stand on the account no more, when they have come, wait for a person', async () => {
    const small = await openHolder(market, 3);
    await topUp(150_000n, small);
    await topUp(50_000n, small);
    // What is being collected counts already.
    expect(await withConsent(market, small, 'top-up', { amount: fen(1n) })).toBe('BALANCE_CAP');
    // And room is kept for it, whoever would pay in meanwhile.
    await expect(deposit(market, small, 1n)).rejects.toThrow('BALANCE_CAP');
    await capOf(180_000n);
    expect(await send()).toBe(2);
    expect([await market.balance(small.account), await suspense()]).toEqual([150_000n, 50_000n]);
    // As long as it waits nothing is closed for ever.
    await closeNext(market);
    expect(await withConsent(market, small, 'account-closing', {})).toBe('ACCOUNT_NOT_EMPTY');
  });

  test('that go to suspense keep the account from being closed in the same batch', async () => {
    const small = await openHolder(market, 3, { bankCode: '102100099996' });
    await topUp(150_000n, small);
    expect(await send()).toBe(1);
    await capOf(100_000n);
    const [payout] = (await market.payouts()) as [Payout];
    await market.desk.intake.receive([settledDirective(payout).submission]);
    const closing = await receiveConsented(market, small, 'account-closing', {});
    await executeShard(market.world.rt, await shard());
    expect([await suspense(), await outcomeOf(market, closing)]).toEqual([150_000n, 'ACCOUNT_NOT_EMPTY']);
    expect(await market.wrongs()).toEqual([]);
  });

  test('a result that is told twice acts once', async () => {
    await topUp(700n);
    await send();
    const [payout] = (await market.payouts()) as [Payout];
    await decideNow(market.desk, [settledDirective(payout), settledDirective(payout)]);
    await expectCollectedOnce(700n);
  });

  describe('beside them, what an electronic account paid out and gets back', () => {
    const use = async () => {
      const rows = await market.world.db.read('use', (tx) =>
        tx.rows('SELECT day_in, day_out, turnover FROM limit_use WHERE account_id = ?', [holder.account]),
      );
      return rows[0];
    };
    beforeEach(async () => {
      await deposit(market, holder, 5_000n);
      await closeNext(market);
    });

    test.each([
      ['fails', { scope: 'book', fault: 'refuse' }],
      ['is returned', { scope: 'book', fault: 'return', days: 0 }],
    ] as const)('takes nothing of its limits when it %s', async (_name, fault) => {
      expect(await withConsent(market, holder, 'withdrawal', { amount: fen(5_000n) })).toBe('posted');
      const before = await use();
      market.faults(fault);
      await send();
      await takeNews(market.desk);
      await takeNews(market.desk);
      expect(await market.balance(holder.account)).toBe(5_000n);
      expect(await use()).toEqual(before);
      market.faults();
      await expectDayCloses();
    });

    test('waits for a person when the account is closed meanwhile', async () => {
      expect(await withConsent(market, holder, 'withdrawal', { amount: fen(5_000n) })).toBe('posted');
      await changeElectronic(market, holder, "state = 'closed'");
      market.faults({ scope: 'book', fault: 'refuse' });
      await send();
      expect([await market.balance(holder.account), await suspense()]).toEqual([0n, 5_000n]);
      await expectDayCloses();
    });
  });
});
