import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { type RunningWorkers, startWorkers } from '../../jobs/worker.js';
import { CHANNELS } from '../../src/channels/index.js';
import { type RunningBank, startBank } from '../../src/channels/simulator/index.js';
import { clearingRoutes, STEPS } from '../../src/clearing/index.js';
import { createDesk, dispatchRoutes } from '../../src/dispatch/index.js';
import { createIntake, findInstructions } from '../../src/instructions/index.js';
import { addDays, instantOf, startOfDay, toRfc3339, toWire } from '../../src/kernel/index.js';
import { ensureShards } from '../../src/ledger/index.js';
import { reconciliationRoutes } from '../../src/reconciliation/index.js';
import { drivenClock, type Runtime } from '../../src/runtime/index.js';
import { fen, type Market, MONDAY, openMarket } from '../clearing/market.js';
import { startApi, type TestApi } from '../support/api.js';
import { testServers } from '../support/services.js';
import type { World } from '../support/world/world.js';
import { until } from './until.js';

/** A database of Redis that may be emptied without harm to other tests. */
const OWN_REDIS_DB = '/10';

describe('the worker, its queues, and the days over HTTP', () => {
  let api: TestApi;
  let bank: RunningBank;
  let market: Market;
  let workers: RunningWorkers;
  let token: string;
  const redisUrl = Object.assign(new URL(testServers().redisUrl), { pathname: OWN_REDIS_DB }).href;
  const clock = drivenClock(instantOf(startOfDay(MONDAY) + 36_000_000));

  beforeAll(async () => {
    bank = await startBank({ port: 0, seed: 11 });
    api = await startApi(
      (runtime) => {
        const rt: Runtime = { ...runtime, clock };
        return [...dispatchRoutes(rt), ...reconciliationRoutes(rt), ...clearingRoutes(rt)];
      },
      { BANK_URL: bank.url, REDIS_URL: redisUrl, TICK_MS: '50', SHARDS: '1' },
    );
    const rt: Runtime = { ...api.runtime, clock };
    await rt.db.withTx('shards', (tx) => ensureShards(tx, 1));
    const world = { db: rt.db, rt, clock, shardId: 0, intake: createIntake(rt) } as unknown as World;
    market = await openMarket({ world, bank });
    workers = await startWorkers(createDesk(rt, market.channels));
    token = (await api.operator('operator')).token;
  });
  afterAll(async () => {
    await workers.close();
    await market.end();
    await api.stop();
    await bank.stop();
  });

  const days = () => `/admin/v1/platforms/${toWire('platform', market.platformId)}/days`;
  const get = (path: string) => api.call('GET', path, { token });
  const post = (path: string, body?: unknown) => api.call('POST', path, { token, body, headers: { prefer: 'wait=20' } });

  async function closeOverHttp(): Promise<Record<string, unknown>> {
    const { businessDate } = await market.book();
    market.goTo(addDays(businessDate, 1));
    const answer = await post(`${days()}/${businessDate}/close`);
    expect(answer.status).toBe(200);
    return answer.body as Record<string, unknown>;
  }

  async function outcomeOf(requestNo: string): Promise<string | undefined> {
    const [row] = await market.world.db.read('id', (tx) =>
      tx.rows<{ id: never }>('SELECT id FROM instructions WHERE request_no = ?', [requestNo]),
    );
    if (row === undefined) return undefined;
    return (await market.world.db.read('outcome', (tx) => findInstructions(tx, [row.id]))).get(row.id)?.outcome?.state;
  }

  /** As if the bell of an instruction had been lost. */
  async function receiveInSilence(requestNo: string, orderNo: string): Promise<void> {
    const intake = createIntake({
      ...market.world.rt,
      bells: { ring: async () => undefined, ringInTurn: async () => undefined },
    });
    const body = JSON.stringify({ orderNo, amount: fen(1n) });
    await intake.receive([{ platformId: market.platformId, origin: 'P', requestNo, kind: 'refund', body, actor: 'test' }]);
  }

  test('a day is closed on request, the answer waits for it, and a second request changes nothing', async () => {
    await market.pay('A', 1000n);
    await market.split('A', [
      [market.here, 500n],
      [market.there, 300n],
    ]);
    expect((await post(`${days()}/${MONDAY}/close`)).body).toMatchObject({ code: 'DAY_NOT_DUE' });
    const closed = await closeOverHttp();
    expect(closed).toMatchObject({ businessDate: MONDAY, state: 'closed', custody: 1000, subAccounts: 1000, control: 1000 });
    expect((closed.steps as { state: string }[]).map((step) => step.state)).toEqual(STEPS.map(() => 'done'));
    expect((await post(`${days()}/${MONDAY}/close`)).body).toEqual(closed);
    expect((await get(`${days()}/${MONDAY}`)).body).toEqual(closed);
    expect((await get(`${days()}/2020-01-01`)).status).toBe(404);
    expect((await post(`/admin/v1/platforms/plt_2236512894231552003/days/${MONDAY}/close`)).status).toBe(404);
  });

  test('payouts are read by the bank; what is final is not asked after', async () => {
    const list = await get(`/admin/v1/payouts?platform=${toWire('platform', market.platformId)}&state=settled&limit=1`);
    expect(list.body).toMatchObject({
      items: [{ purpose: 'clearing', amount: { amount: 500 }, channel: 'book', state: 'settled' }],
    });
    const next = await get(`/admin/v1/payouts?limit=1&cursor=${list.body.next}`);
    expect(next.body).toMatchObject({ items: [{ amount: { amount: 300 }, channel: 'beps' }], next: null });
    const { id } = list.body.items[0] as { id: string };
    expect((await get(`/admin/v1/payouts/${id}`)).body).toMatchObject({
      ...list.body.items[0],
      route: { channel: 'book', cost: { amount: 0 } },
    });
    expect((await post(`/admin/v1/payouts/${id}/query`)).body).toMatchObject({ code: 'PAYOUT_STATE_CONFLICT' });
    const { items, waiting } = (await get('/admin/v1/channels')).body;
    expect(items.map(({ code }: { code: string }) => code)).toEqual([...CHANNELS]);
    expect(items[0]).toMatchObject({ backlog: 0, minutes60: { successRate: 1 }, circuit: { shutUntil: null } });
    expect(waiting).toEqual({ count: 0, amount: { amount: 0, currency: 'CNY' }, oldestAt: null });
    expect((await get('/admin/v1/channels')).body.items[0].lastSuccessAt).not.toBeNull();
  });

  test('a platform sees its own days and payouts, and nobody else’s', async () => {
    const other = await api.platform();
    const id = toWire('payout', (await market.payouts())[0]?.id as never);
    expect((await api.signed(other, 'GET', '/v1/payouts')).body).toEqual({ items: [], next: null });
    expect((await api.signed(other, 'GET', `/v1/payouts/${id}`)).status).toBe(404);
    expect((await api.signed(other, 'GET', '/v1/days')).body).toEqual({ items: [], next: null });
    expect((await api.signed(other, 'GET', `/v1/days/${MONDAY}`)).status).toBe(404);
  });

  test('a day that stopped is resumed when its break was accepted with a note', async () => {
    market.faults({ scope: 'core', fault: 'line-extra', custodyNo: market.custodyNo, businessDate: '2026-03-03', amount: '9' });
    expect(await closeOverHttp()).toMatchObject({ state: 'stopped' });
    market.goTo('2026-03-05');
    expect((await post(`${days()}/2026-03-04/close`)).body).toMatchObject({ code: 'DAY_STOPPED' });
    const [found] = (await get('/admin/v1/breaks?state=open')).body.items as { id: string }[];
    expect(found).toMatchObject({ class: 'only-theirs', theirAmount: 9, ourAmount: null, timing: false });
    const note = { note: '核心已确认为他行误记' };
    const reviewer = (await api.operator('reviewer')).token;
    const accept = async (of: string | undefined) => {
      const { body } = await post(`/admin/v1/breaks/${of}/repairs`, { action: 'accept', ...note });
      const path = `/admin/v1/breaks/${of}/repairs/${body.id}/approve`;
      expect((await post(path, {})).body).toMatchObject({ code: 'SAME_OPERATOR' });
      expect((await api.call('POST', path, { token: reviewer, body: {} })).body).toMatchObject({
        state: 'approved',
        given: null,
      });
      expect((await get(`/admin/v1/breaks/${of}`)).body).toMatchObject({ state: 'closed', ...note });
    };
    await accept(found?.id);
    market.faults();
    expect((await post(`/admin/v1/breaks/${found?.id}/repairs`, { action: 'accept', ...note })).body).toMatchObject({
      code: 'BREAK_CLOSED',
    });
    expect((await post(`${days()}/2026-03-03/resume`)).body).toMatchObject({ state: 'closed' });
    expect((await post(`${days()}/2026-03-03/resume`)).body).toMatchObject({ code: 'DAY_NOT_STOPPED' });
    // The worker goes on with the next day. The bank has taken the line away, its statement begins lower: a person again.
    await until(
      () => market.day('2026-03-04').catch(() => undefined),
      (day) => day?.state === 'stopped',
    );
    const [opening] = (await get('/admin/v1/breaks?state=open')).body.items as { id: string }[];
    expect(opening).toMatchObject({ reference: 'OPENING', class: 'amount-differs' });
    await accept(opening?.id);
    expect((await post(`${days()}/2026-03-04/resume`)).body).toMatchObject({ state: 'closed' });
    const auditor = (await api.operator('auditor')).token;
    expect((await api.call('POST', `${days()}/2026-03-04/close`, { token: auditor })).body).toMatchObject({
      code: 'PERMISSION_DENIED',
    });
  });

  test('days that are over are closed by the sweep, with nobody asking', async () => {
    market.goTo('2026-03-07');
    const { businessDate } = await until(market.book, (book) => book.businessDate === '2026-03-07');
    expect(businessDate).toBe('2026-03-07');
    expect((await get(`${days()}?limit=3`)).body.items.map((day: { businessDate: string }) => day.businessDate)).toEqual([
      '2026-03-07',
      '2026-03-06',
      '2026-03-05',
    ]);
  });

  test('an instruction whose bell was lost is decided, and its payout goes out', async () => {
    await market.pay('B', 10n);
    expect(await closeOverHttp()).toMatchObject({ state: 'closed' }); // only money that a statement has shown goes out
    await receiveInSilence('SILENT-1', 'B');
    await until(
      () => outcomeOf('SILENT-1'),
      (state) => state === 'posted',
    );
    await until(
      market.payouts,
      (payouts) => payouts.filter((payout) => payout.purpose === 'refund' && payout.state === 'settled').length === 1,
    );
  });

  test('all of it goes on after Redis was emptied', async () => {
    const redis = new Redis(redisUrl);
    for (let round = 1; round <= 3; round += 1) {
      await redis.flushdb();
      await receiveInSilence(`FLUSHED-${round}`, 'B');
      await until(
        () => outcomeOf(`FLUSHED-${round}`),
        (state) => state === 'posted',
      );
    }
    await redis.quit();
    await until(
      market.payouts,
      (payouts) => payouts.filter((payout) => payout.purpose === 'refund' && payout.state === 'settled').length === 4,
    );
    expect(await closeOverHttp()).toMatchObject({ state: 'closed' });
    expect(await market.wrongs()).toEqual([]);
  });

  test('a hold past its time is freed', async () => {
    await market.pay('H', 100n);
    await market.split('H', [[market.here, 100n]]);
    const expiresAt = toRfc3339(instantOf(clock.now() + 3_600_000));
    expect(
      await market.give('hold', { account: toWire('account', market.here), amount: fen(30n), purpose: '售后', expiresAt }),
    ).toBe('posted');
    clock.advance(instantOf(clock.now() + 12 * 3_600_000));
    await until(
      () =>
        market.world.db.read('held', (tx) => tx.rows<{ held: string }>('SELECT held FROM accounts WHERE id = ?', [market.here])),
      ([row]) => row?.held === '0',
    );
  });
});
