import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type ClosePoint, clearingLines, clearingRoutes, closeStep, dayWithSteps, STEPS } from '../../src/clearing/index.js';
import { type Clearing, listNets } from '../../src/clearing/lines-store.js';
import { askRerun } from '../../src/clearing/rerun.js';
import { progressOf } from '../../src/clearing/rules.js';
import { executeShard, findInstructions } from '../../src/instructions/index.js';
import { addDays, asId, type BusinessDate, fromWire, type Id, instantOf, startOfDay, toWire } from '../../src/kernel/index.js';
import { closingPage } from '../../src/ledger/index.js';
import { ask } from '../support/asking.js';
import { closeNext, type Market, MONDAY, openMarket } from './market.js';

const TUESDAY = '2026-03-03' as BusinessDate;

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

const staff = (id: string) => ({ caller: { permissions: new Set<never>(), operatorId: asId(id) } });
const [ANNA, BEN] = [staff('2236512894231559001'), staff('2236512894231559002')];

/** What the bank's staff is answered under a path of the day: the body, or the code of the refusal. */
function asStaff(
  name: `${string} /${string}`,
  { who = ANNA, date = MONDAY as string, params = {}, body = undefined as unknown, query = {} } = {},
) {
  const routes = clearingRoutes(market.world.rt);
  const asking = {
    ...who,
    params: { platform: market.platformId, date, ...params } as unknown as Record<string, Id>,
    body,
    query: { limit: 50, ...query },
  };
  if (name.startsWith('GET')) return ask(routes, name, asking);
  return market.world.db.withTx('staff', (tx) => ask(routes, name, { ...asking, tx }));
}

const DAY = '/admin/v1/platforms/{platform}/days/{date}';
const linesOf = async (date = TUESDAY) =>
  (await market.world.db.read('lines', (tx) => clearingLines(tx, market.platformId, date, { limit: 100 }))).lines;
const paid = () => market.bank.bank.books().totals;
const freeze = (account: Id, state: 'open' | 'frozen') =>
  market.world.db.withTx('state', (tx) => tx.write('UPDATE accounts SET state = ? WHERE id = ?', [state, account]));

describe('the lines of a clearing', () => {
  const points: [ClosePoint, number][] = [
    ['page written', 1],
    ['page written', 2],
    ['page decided', 1],
    ['page decided', 2],
  ];
  test.each(points)('of a close that is killed at "%s" %i are written and decided once, page by page', async (point, turn) => {
    let reached = 0;
    const at = (now: ClosePoint) => {
      if (now !== point) return;
      reached += 1;
      if (reached === turn) throw new Error('killed');
    };
    await expect(closeNext(market, { at, page: 1 })).rejects.toThrow('killed');
    expect(await market.close({ page: 1 })).toEqual([{ date: MONDAY, state: 'closed' }]);
    expect((await linesOf()).map(({ amount, state }) => [amount, state])).toEqual([
      [600n, 'posted'],
      [400n, 'posted'],
    ]);
    expect(paid()).toMatchObject({ paid: 1000n, paidTwice: 0 });
    expect(await market.wrongs()).toEqual([]);
  });

  test('are netted by bank, and what is paid is what is due less the fees', async () => {
    await closeNext(market);
    const nets = await market.world.db.read('nets', (tx) => listNets(tx, market.platformId, TUESDAY));
    expect(nets).toEqual([
      { bankCode: '', lines: 1, due: 600n, fees: 0n, net: 600n },
      { bankCode: '102100099996', lines: 1, due: 400n, fees: 0n, net: 400n },
    ]);
    expect((await market.step(MONDAY, 'netting')).detail).toMatchObject({ lines: 2, due: '1000', fees: '0', net: '1000' });
  });

  test('are decided once by runs that meet, page by page', async () => {
    market.goTo(TUESDAY);
    await Promise.all([1, 2, 3].map(() => market.close({ page: 1 })));
    await market.close({ page: 1 });
    expect((await market.day(MONDAY)).state).toBe('closed');
    expect(paid()).toMatchObject({ paid: 1000n, paidTwice: 0 });
    expect(await market.wrongs()).toEqual([]);
  });
});

describe('a step that runs as a job of its own', () => {
  test('waits for its turn, and the steps in turn close the day', async () => {
    const at = (point: ClosePoint) => {
      if (point === 'clearing written') throw new Error('killed');
    };
    await expect(closeNext(market, { at })).rejects.toThrow('killed');
    const step = (name: (typeof STEPS)[number]) =>
      closeStep(market.desk, { platformId: market.platformId, date: MONDAY, step: name });
    expect(await step('payouts')).toBe('nothing');
    expect(await step('close')).toBe('nothing');
    for (const name of STEPS) {
      const before = (await market.world.db.read('day', (tx) => dayWithSteps(tx, market.world.rt, market.platformId, MONDAY)))
        .steps;
      const open = before.find(({ step: of }) => of === name)?.state !== 'done';
      expect(await step(name)).toBe(open ? 'done' : 'nothing');
      expect(await step(name)).toBe('nothing');
    }
    expect((await market.day(MONDAY)).state).toBe('closed');
    expect(paid()).toMatchObject({ paid: 1000n, paidTwice: 0 });
    expect(await market.wrongs()).toEqual([]);
  });
});

describe('a clearing that staff looks at first', () => {
  test('is shown before the day is over, waits until somebody lets it go, and is paid then', async () => {
    const hold = { validFrom: TUESDAY, held: true };
    expect(await asStaff('PUT /admin/v1/platforms/{platform}/clearing-hold', { body: hold })).toEqual(hold);
    const open = { payingOn: TUESDAY, state: null, held: true, lines: 2, due: 1000, net: 1000, complete: true };
    expect(await asStaff(`GET ${DAY}/preview`)).toMatchObject(open);
    expect(await closeNext(market)).toEqual([{ date: MONDAY, state: 'waiting' }]);
    expect(await market.payouts()).toEqual([]);
    expect((await market.day(MONDAY)).reason).toMatch(/waits for somebody/);
    const written = { payingOn: TUESDAY, state: 'written', lines: 2, net: 1000, approvedBy: null };
    expect(await asStaff(`GET ${DAY}/preview`)).toMatchObject(written);
    expect(await asStaff(`POST ${DAY}/approve-preview`)).toEqual({ approvedBy: 'opr_2236512894231559001' });
    expect(await asStaff(`POST ${DAY}/approve-preview`)).toBe('CLEARING_APPROVED');
    expect(await market.close()).toEqual([{ date: MONDAY, state: 'closed' }]);
    expect(paid().paid).toBe(1000n);
  });

  test('cannot be held for the date that is open', async () => {
    const body = { validFrom: MONDAY, held: true };
    expect(await asStaff('PUT /admin/v1/platforms/{platform}/clearing-hold', { body })).toBe('HOLD_BACKDATED');
  });
});

describe('lines that failed', () => {
  test('are tried again under new numbers, those that are posted are not, and nothing is paid twice', async () => {
    await freeze(market.here, 'frozen');
    await closeNext(market);
    expect((await linesOf()).map(({ state, code }) => [state, code])).toEqual([
      ['refused', 'ACCOUNT_FROZEN'],
      ['posted', null],
    ]);
    await freeze(market.here, 'open');
    expect(await asStaff(`POST ${DAY}/rerun`)).toEqual({ lines: 1 });
    await market.close();
    expect((await linesOf()).map(({ state, attempt }) => [state, attempt])).toEqual([
      ['posted', 1],
      ['posted', 0],
    ]);
    expect(await asStaff(`POST ${DAY}/rerun`)).toEqual({ lines: 0 });
    await market.close();
    expect(paid()).toMatchObject({ paid: 1000n, paidTwice: 0 });
    expect(await market.wrongs()).toEqual([]);
  });

  test('or whose payouts failed are found by how the payout stands, though the line itself is posted', async () => {
    market.faults({ scope: 'beps', fault: 'refuse' } as never);
    await closeNext(market);
    const lines = (query: object) => asStaff(`GET ${DAY}/lines`, { query });
    const failed = { account: toWire('account', market.there), state: 'posted', payoutState: 'failed' };
    expect(await lines({ payoutState: 'failed' })).toMatchObject({ items: [failed] });
    expect(await lines({ payoutState: 'settled', state: 'posted' })).toMatchObject({ items: [{ payoutState: 'settled' }] });
    expect(await lines({ payoutState: 'returned' })).toMatchObject({ items: [] });
  });

  test('of a clearing that a later one has followed are left to the later one', async () => {
    await freeze(market.here, 'frozen');
    await closeNext(market);
    await freeze(market.here, 'open');
    await closeNext(market);
    const rerun = market.world.db.withTx('rerun', (tx) => askRerun(tx, market.world.rt, market.platformId, TUESDAY));
    await expect(rerun).rejects.toMatchObject({ refusal: { code: 'CLEARING_OVERTAKEN' } });
    expect(paid().paid).toBe(1000n);
  });
});

describe('a day that is closed', () => {
  const closing = (date: BusinessDate) =>
    market.world.db.read('closing', async (tx) => {
      const all = [];
      for (let from: Parameters<typeof closingPage>[3] | 'end'; from !== 'end'; ) {
        const { page, next } = await closingPage(tx, market.platformId, date, from, 100);
        all.push(...page);
        from = next ?? 'end';
      }
      return all;
    });

  test('is corrected by two people alone, on the open date with its own value date, and stays what it was', async () => {
    await market.pay('B', 300n);
    const payment = (await market.world.db.read('ins', (tx) =>
      tx.rows<{ id: Id }>("SELECT id FROM instructions WHERE kind = 'split'"),
    )) as { id: Id }[];
    const split = payment[0]?.id as Id;
    await freeze(market.here, 'frozen');
    await freeze(market.there, 'frozen');
    await closeNext(market);
    await freeze(market.here, 'open');
    await freeze(market.there, 'open');
    const before = [await market.day(MONDAY), await closing(MONDAY), await market.step(MONDAY, 'proof')];
    const data = { instruction: toWire('instruction', split), reason: '重复' };
    const body = { requestNo: 'L-1', kind: 'correction', data, reason: '客户投诉' };
    const propose = { body };
    const proposed = (await asStaff(`POST ${DAY}/late-corrections`, propose)) as { id: string };
    expect(await asStaff(`POST ${DAY}/late-corrections`, propose)).toMatchObject({ id: proposed.id, state: 'proposed' });
    const params = { late: fromWire(proposed.id) };
    expect(await asStaff('POST /admin/v1/late-corrections/{late}/approve', { params })).toBe('SAME_OPERATOR');
    const approved = { params, who: BEN };
    expect(await asStaff('POST /admin/v1/late-corrections/{late}/approve', approved)).toMatchObject({ state: 'approved' });
    expect(await asStaff('POST /admin/v1/late-corrections/{late}/approve', approved)).toBe('LATE_CORRECTION_DECIDED');
    await executeShard(market.world.rt, (await market.book()).shardId);
    const listed = (await asStaff(`GET ${DAY}/late-corrections`)) as { items: { instruction: string }[] };
    expect(listed.items).toMatchObject([{ outcome: 'posted', businessDate: TUESDAY, valueDate: MONDAY }]);
    const id = fromWire(listed.items[0]?.instruction as string);
    const view = (await market.world.db.read('view', (tx) => findInstructions(tx, [id]))).get(id);
    expect(view).toMatchObject({ valueDate: MONDAY, outcome: { businessDate: TUESDAY, state: 'posted' } });
    expect([await market.day(MONDAY), await closing(MONDAY), await market.step(MONDAY, 'proof')]).toEqual(before);
    expect(await market.balance(market.here)).toBe(0n);
  });

  test('takes no proposal before it is proved, nor one about what was posted on another', async () => {
    const ids = await market.world.db.read('ins', (tx) =>
      tx.rows<{ id: Id }>("SELECT id FROM instructions WHERE kind = 'split'"),
    );
    const data = { instruction: toWire('instruction', ids[0]?.id as Id), reason: '重复' };
    const body = { requestNo: 'L-1', kind: 'correction', data, reason: '客户投诉' };
    expect(await asStaff(`POST ${DAY}/late-corrections`, { body })).toBe('DAY_NOT_OVER');
    await closeNext(market);
    const date = addDays(MONDAY, -1);
    expect(await asStaff(`POST ${DAY}/late-corrections`, { body, date })).toBe('LATE_CORRECTION_OTHER_DAY');
  });
});

describe('a clock that was set back', () => {
  test('closes nothing that is not over by it, and the day that was closed stays closed', async () => {
    await closeNext(market);
    const earlier = { ...market.desk.rt.clock, now: () => instantOf(startOfDay(MONDAY) + 3_600_000) };
    const desk = { ...market.desk, rt: { ...market.desk.rt, clock: earlier } };
    const before = await market.day(MONDAY);
    expect(await closeStep(desk, { platformId: market.platformId, date: MONDAY, step: 'payouts' })).toBe('nothing');
    expect(await market.day(MONDAY)).toEqual(before);
    expect((await market.book()).businessDate).toBe(TUESDAY);
  });

  test('makes no figure of the progress negative', () => {
    const clearing: Clearing = {
      ...{ state: 'paying' as const, after: asId('0'), lines: 100, due: 0n, fees: 0n, decided: 50, posted: 50, postedAmount: 0n },
      ...{ inReview: 0, refused: {}, sent: 0, expected: 100, stageMs: instantOf(10_000), stageDone: 0, approvedBy: null },
    };
    expect(progressOf(clearing, 9_000)).toMatchObject({ done: 50, total: 100, perSecond: null, secondsLeft: null });
    expect(progressOf(clearing, 15_000)).toEqual({ stage: 'decided', done: 50, total: 100, perSecond: 10, secondsLeft: 5 });
  });
});
