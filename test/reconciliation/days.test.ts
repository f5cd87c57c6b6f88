import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { closeDueDays } from '../../src/clearing/close.js';
import { changeDay } from '../../src/clearing/store.js';
import { addDays, type BusinessDate } from '../../src/kernel/index.js';
import { acceptBreak } from '../../src/reconciliation/store.js';
import { closeNext, type Market, MONDAY, openMarket } from '../clearing/market.js';

const TUESDAY = '2026-03-03';
const WEDNESDAY = '2026-03-04';

describe('a statement that differs from the books', () => {
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

  async function acceptAll(): Promise<void> {
    for (const each of await market.breaks()) {
      await market.world.db.withTx('accept', (tx) => acceptBreak(tx, each.id, 'opr_1', '已与核心核实', market.world.clock.now()));
    }
  }

  async function resume(date: string): Promise<void> {
    const change = { from: 'stopped', to: 'closing', reason: null, attempts: 0, retryMs: 0, closedMs: null } as const;
    await market.world.db.withTx('resume', (tx) => changeDay(tx, market.platformId, date as BusinessDate, change));
  }

  test.each([
    ['line-missing', { messageNo: 'IN-A' }, { class: 'only-ours', reference: 'IN-A', ourAmount: 1000n, theirAmount: null }],
    [
      'line-amount',
      { messageNo: 'IN-A', amount: '5' },
      { class: 'amount-differs', reference: 'IN-A', ourAmount: 1000n, theirAmount: 1005n },
    ],
    ['line-extra', { amount: '77' }, { class: 'only-theirs', ourAmount: null, theirAmount: 77n }],
  ] as const)('%s: the day stops, and nothing is paid until a person accepted the break', async (fault, rule, expected) => {
    market.faults({ scope: 'core', fault, custodyNo: market.custodyNo, businessDate: MONDAY, ...rule });
    expect(await closeNext(market)).toEqual([{ date: MONDAY, state: 'stopped' }]);
    expect(await market.breaks()).toMatchObject([{ ...expected, state: 'open', timing: false, businessDate: MONDAY }]);
    expect(await market.payouts()).toEqual([]);
    expect((await market.step(MONDAY, 'proof')).state).toBe('stopped');
    expect(await market.close()).toEqual([]);
    await resume(MONDAY);
    expect(await market.close()).toEqual([{ date: MONDAY, state: 'stopped' }]);
    await acceptAll();
    await resume(MONDAY);
    expect(await market.close()).toEqual([{ date: MONDAY, state: 'closed' }]);
    expect((await market.payouts()).map((payout) => payout.state)).toEqual(['settled', 'settled']);
    expect(await market.breaks()).toMatchObject([{ state: 'closed', closedBy: 'opr_1', clearedDate: null }]);
    expect(await market.wrongs()).toEqual([]);
  });

  test('that begins elsewhere than the one before it ended stops its day', async () => {
    market.faults({ scope: 'core', fault: 'line-extra', custodyNo: market.custodyNo, businessDate: MONDAY, amount: '77' });
    await closeNext(market);
    await acceptAll();
    await resume(MONDAY);
    await market.close();
    market.faults(); // the bank takes the line back without a trace
    expect(await closeNext(market)).toEqual([{ date: TUESDAY, state: 'stopped' }]);
    const [, opening] = await market.breaks();
    expect(opening).toMatchObject({ class: 'amount-differs', reference: 'OPENING', ourAmount: 1077n, theirAmount: 1000n });
  });

  test('shows a payment whose answer was lost: the books converge, and the break closes itself the next day', async () => {
    const silent = { scope: 'book', fault: 'maintenance', on: 'query', times: 100 } as const;
    market.faults({ scope: 'book', fault: 'lost-answer' }, silent);
    await closeNext(market);
    expect((await market.payouts()).map((payout) => payout.state)).toEqual(['unknown', 'settled']);
    expect(await closeNext(market)).toEqual([{ date: TUESDAY, state: 'closed' }]);
    expect((await market.payouts()).map((payout) => payout.state)).toEqual(['settled', 'settled']);
    expect(await market.breaks()).toMatchObject([
      { class: 'only-theirs', timing: true, state: 'open', businessDate: TUESDAY, theirAmount: -600n },
    ]);
    expect((await market.step(TUESDAY, 'proof')).detail).toMatchObject({ outstanding: '600', openBreaks: 0, faults: [] });
    expect(await closeNext(market)).toEqual([{ date: WEDNESDAY, state: 'closed' }]);
    expect(await market.breaks()).toMatchObject([{ state: 'closed', clearedDate: WEDNESDAY, closedBy: 'system' }]);
    expect(await market.wrongs()).toEqual([]);
  });

  test('because a payment was booked between midnight and cut-off is explained by the clock, and closes itself', async () => {
    market.goTo(TUESDAY);
    await market.channels.coreBank.inflows(market.custodyNo, TUESDAY as BusinessDate, [
      { reference: 'IN-N', amount: 50n, counterparty: '', text: '' },
    ]);
    const payer = { name: '李四', account: '6222020000000000079', bankCode: '' };
    expect(
      await market.give('payment', { orderNo: 'N', amount: { amount: 50, currency: 'CNY' }, payer, reference: 'IN-N' }),
    ).toBe('posted');
    expect(await market.close()).toEqual([{ date: MONDAY, state: 'closed' }]);
    expect(await market.breaks()).toMatchObject([{ class: 'only-ours', timing: true, state: 'open' }]);
    expect(await closeNext(market)).toEqual([{ date: TUESDAY, state: 'closed' }]);
    expect(await market.breaks()).toMatchObject([{ state: 'closed', clearedDate: TUESDAY }]);
  });

  test('that the core bank refuses is an alarm, and the day says who has to act and why', async () => {
    market.bank.bank.reset(); // it knows no account any more
    const alarms: unknown[] = [];
    const { rt } = market.desk;
    const log = { ...rt.log, warn: () => undefined, error: (of: { event: string }) => alarms.push(of.event) };
    const { businessDate } = await market.book();
    market.goTo(addDays(businessDate, 1));
    await closeDueDays({ ...market.desk, rt: { ...rt, log: log as never } }, market.platformId);
    expect(alarms).toEqual(['statement.refused']);
    const { state, reason } = (await market.day(businessDate)) as { state: string; reason: string };
    expect(state).toBe('closing');
    expect(reason).toMatch(new RegExp(`refuses the statement of ${market.custodyNo}.*a person.*no such custody account`));
  });

  test('that is damaged or not complete is waited for', async () => {
    market.faults({ scope: 'core', fault: 'corrupt' });
    expect(await closeNext(market)).toEqual([{ date: MONDAY, state: 'waiting' }]);
    expect(await market.close()).toEqual([{ date: MONDAY, state: 'closed' }]);
    market.faults({ scope: 'beps', fault: 'slow-result', ms: 60_000 });
    await market.pay('S', 100n);
    await market.split('S', [[market.there, 100n]]);
    await closeNext(market);
    expect((await market.payouts()).at(-1)?.state).toBe('sent');
    expect(await closeNext(market)).toEqual([{ date: WEDNESDAY, state: 'waiting' }]);
    market.bank.bank.advanceMs(60_000);
    expect(await market.close()).toEqual([{ date: WEDNESDAY, state: 'closed' }]);
    expect((await market.payouts()).at(-1)?.state).toBe('settled');
    await closeNext(market);
    expect((await market.breaks()).filter((each) => each.state === 'open')).toEqual([]);
    expect(await market.wrongs()).toEqual([]);
  });
});
