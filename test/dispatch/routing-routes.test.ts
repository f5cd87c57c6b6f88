import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type RunningBank, startBank } from '../../src/channels/simulator/index.js';
import {
  bookFloats,
  carryTransfers,
  createDesk,
  dispatchRoutes,
  endIntercepted,
  sendDue,
  takeNews,
  watchFloats,
} from '../../src/dispatch/index.js';
import { createIntake } from '../../src/instructions/index.js';
import { instantOf, startOfDay, toWire } from '../../src/kernel/index.js';
import { ensureShards } from '../../src/ledger/index.js';
import { addKey } from '../../src/platforms/index.js';
import { drivenClock, type Runtime } from '../../src/runtime/index.js';
import { closeNext, fen, type Market, MONDAY, openMarket } from '../clearing/market.js';
import { startApi, type TestApi, type TestPlatform } from '../support/api.js';
import type { World } from '../support/world/world.js';

type Body = Record<string, never> & { [key: string]: Body };
const yuan = (amount: number) => ({ amount, currency: 'CNY' });

describe('routes, floats and stops over HTTP', () => {
  let api: TestApi;
  let bank: RunningBank;
  let market: Market;
  let own: TestPlatform;
  let [anna, bert, auditor]: string[] = [];
  const clock = drivenClock(instantOf(startOfDay(MONDAY) + 36_000_000));

  beforeAll(async () => {
    bank = await startBank({ port: 0, seed: 13 });
    api = await startApi((runtime) => dispatchRoutes({ ...runtime, clock }), { BANK_URL: bank.url, SHARDS: '1' });
    const rt: Runtime = { ...api.runtime, clock };
    await rt.db.withTx('shards', (tx) => ensureShards(tx, 1));
    const world = { db: rt.db, rt, clock, shardId: 0, intake: createIntake(rt) } as unknown as World;
    market = await openMarket({ world, bank });
    [anna, bert, auditor] = [
      (await api.operator('operator')).token,
      (await api.operator('reviewer')).token,
      (await api.operator('auditor')).token,
    ];
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const key = await rt.db.withTx('key', (tx) => addKey(tx, market.platformId, pem, rt));
    own = { id: market.platformId, keyId: toWire('key', key), privateKey };
    // One hundred of three refunds that want the cheapest channel have room there.
    for (const channel of ['hvps', 'unionpay', 'psp'] as const) bank.bank.floats.set(channel, 1_000_000n);
    bank.bank.floats.set('beps', 100n);
    bank.bank.floats.set('ibps', 1_000n);
    for (let no = 0; no < 3; no += 1) await market.pay(`H${no}`, 100n);
    await market.pay('LARGE', 900_000_000n);
    await closeNext(market);
    for (let no = 0; no < 3; no += 1) await market.give('refund', { orderNo: `H${no}`, amount: fen(100n) });
    await market.give('refund', { orderNo: 'LARGE', amount: fen(900_000_000n) });
    await sendDue(market.desk, { shardId: 0 });
    await takeNews(market.desk);
    await bookFloats(market.desk);
  });
  afterAll(async () => {
    await market.end();
    await api.stop();
    await bank.stop();
  });

  const get = async (path: string, token = anna): Promise<Body> => (await api.call('GET', path, { token: token as string })).body;
  const post = async (path: string, body: unknown, token = anna) =>
    api.call('POST', path, { token: token as string, body }).then(({ body: answer, status }) => ({ ...answer, status }) as Body);

  test('a payout says which channel carries it and when it arrives; the bank’s staff also why no other', async () => {
    const payouts = (await market.payouts()).filter(({ amount }) => amount === 100n);
    const byChannel = new Map(payouts.map((payout) => [payout.channel, payout.id]));
    expect([...byChannel.keys()].sort()).toEqual(['beps', 'ibps']);
    const id = toWire('payout', byChannel.get('ibps') as never);
    const seen = (await api.signed(own, 'GET', `/v1/payouts/${id}`)).body;
    expect(seen).toMatchObject({ channel: 'ibps', route: { channel: 'ibps', provisional: false } });
    expect(Object.keys(seen.route)).toEqual(['channel', 'arrivesAt', 'provisional']);
    const told = await get(`/admin/v1/payouts/${id}`);
    expect(told).toMatchObject({
      route: { channel: 'ibps', cost: yuan(54), plan: expect.stringMatching(/^pln_/) },
      attempts: [],
    });
    expect(
      (told.why as unknown as { channel: string; why: string; cost: unknown }[]).map(({ channel, why, cost }) => [
        channel,
        why,
        cost,
      ]),
    ).toEqual([
      ['book', 'reach', null],
      ['hvps', 'not-cheaper', yuan(500)],
      ['beps', 'needed-by-others', yuan(45)],
      ['unionpay', 'not-cheaper', yuan(100)],
      ['psp', 'not-cheaper', yuan(80)],
    ]);
    const other = await api.platform();
    expect((await api.signed(other, 'GET', `/v1/payouts/${id}`)).status).toBe(404);
  });

  test('what no channel can carry now is told with the channels, and so is how they answer', async () => {
    const { items, waiting } = (await get('/admin/v1/channels')) as unknown as {
      items: (Body & { code: string })[];
      waiting: Body;
    };
    expect(waiting).toMatchObject({ count: 1, amount: yuan(900_000_000) });
    const large = (await market.payouts()).find(({ amount }) => amount === 900_000_000n);
    const told = await get(`/admin/v1/payouts/${toWire('payout', large?.id as never)}`);
    const whys = told.why as unknown as { channel: string; why: string }[];
    expect([told.state, told.route, told.channel]).toEqual(['created', null, null]);
    expect(whys.map(({ channel, why }) => `${channel}: ${why}`)).toEqual(
      expect.arrayContaining(['book: reach', 'hvps: float', 'beps: above-limit']),
    );
    for (const { channel, why } of whys) if (why !== 'reach') expect(told.reason).toContain(`${channel}: ${why}`);
    expect(items.find(({ code }) => code === 'ibps')).toMatchObject({
      minutes15: { successRate: 1 },
      circuit: { unanswered: 0, shutUntil: null },
      floatFree: yuan(800),
    });
    expect(items.find(({ code }) => code === 'book')).toMatchObject({ floatFree: null });
  });

  test('a past batch is assigned again with other floats and terms, and nothing changes', async () => {
    const { items } = (await get('/admin/v1/routing/plans')) as unknown as { items: Body[] };
    expect(items[0]).toMatchObject({ payouts: 3, waiting: 1, cost: yuan(45 + 2 * 54) });
    const plan = items[0]?.id;
    const more = await post('/admin/v1/routing/what-if', { plan, floats: { beps: 200 } });
    expect(more).toMatchObject({
      status: 200,
      before: { cost: yuan(153), waiting: 0 },
      after: { cost: yuan(144), waiting: 0 },
      costDifference: yuan(-9),
    });
    // Payouts that are alike may change places; what counts is what is left of that.
    const moved = more.moved as unknown as { from: string; to: string; count: number }[];
    const count = (from: string, to: string) => moved.find((of) => of.from === from && of.to === to)?.count ?? 0;
    expect(count('ibps', 'beps') - count('beps', 'ibps')).toBe(1);
    const free = {
      reach: { payees: 'other-banks' },
      hours: { open: 'always' },
      rounds: [],
      arrives: 0,
      limits: { working: { min: 1, max: null }, off: { min: 1, max: null } },
      price: [{ upTo: null, fee: 0 }],
      capacity: 2,
    };
    expect(await post('/admin/v1/routing/what-if', { plan, terms: { psp: free } })).toMatchObject({
      after: { cost: yuan(45), waiting: 0 },
      moved: [{ from: 'ibps', to: 'psp', count: 2, amount: yuan(200) }],
    });
    expect(
      await post('/admin/v1/routing/what-if', { plan, floats: { beps: 0, ibps: 0, hvps: 0, unionpay: 0, psp: 0 } }),
    ).toMatchObject({
      after: { cost: yuan(0), waiting: 3 },
    });
    for (const channel of ['collect', 'psp-collect', 'book'])
      expect(await post('/admin/v1/routing/what-if', { plan, floats: { [channel]: 1 } })).toMatchObject({
        code: 'SHAPE_INVALID',
      });
    expect(await post('/admin/v1/routing/what-if', { plan: 'pln_2236512894231552003' })).toMatchObject({ code: 'NOT_FOUND' });
    expect((await get('/admin/v1/routing/plans')).items).toEqual(items);
    await market.world.db.withTx('large', (tx) => tx.write('UPDATE routing_plans SET payouts = 10001'));
    expect(await post('/admin/v1/routing/what-if', { plan })).toMatchObject({ code: 'PLAN_TOO_LARGE' });
  });

  test('floats are listed with their forecast, and moved by two people', async () => {
    const float = async (channel: string) =>
      ((await get('/admin/v1/floats')) as unknown as { items: (Body & { channel: string })[] }).items.find(
        (of) => of.channel === channel,
      );
    expect(await float('hvps')).toMatchObject({
      free: yuan(1_000_000),
      // What waits would go by this one if it had the money.
      forecast: { unrouted: yuan(900_000_000), free: yuan(1_000_000 - 900_000_000) },
    });
    expect(await float('ibps')).toMatchObject({ forecast: { wentOut: yuan(200), usual: yuan(0), free: yuan(800) } });
    const below = { below: yuan(500) };
    const path = '/admin/v1/floats/ibps/alert';
    expect((await api.call('PUT', path, { token: auditor as string, body: below })).status).toBe(403);
    expect((await api.call('PUT', path, { token: anna as string, body: below })).body).toEqual({
      channel: 'ibps',
      alertBelow: yuan(500),
    });
    const wanted = { from: null, to: 'hvps', amount: yuan(900_000_000), reason: '大额出款' };
    const proposed = await post('/admin/v1/float-transfers', wanted);
    expect(proposed).toMatchObject({ status: 201, state: 'proposed', from: null, to: 'hvps' });
    expect(await post('/admin/v1/float-transfers', wanted)).toMatchObject({ code: 'FLOAT_TRANSFER_OPEN' });
    expect(await post('/admin/v1/float-transfers', { ...wanted, to: null })).toMatchObject({ code: 'SHAPE_INVALID' });
    const approve = `/admin/v1/float-transfers/${proposed.id}/approve`;
    expect(await post(approve, {})).toMatchObject({ code: 'SAME_OPERATOR' });
    expect(await post(approve, {}, bert)).toMatchObject({ status: 200, state: 'approved' });
    expect(await post(approve, {}, bert)).toMatchObject({ code: 'FLOAT_TRANSFER_DECIDED' });
    expect(await carryTransfers(market.desk)).toBe(1);
    expect((await get('/admin/v1/float-transfers?state=moved')).items).toMatchObject([{ id: proposed.id, state: 'moved' }]);
    const page = await get('/admin/v1/floats/hvps/entries?limit=1');
    expect(page.items).toMatchObject([{ kind: 'transfer', amount: yuan(900_000_000), transfer: proposed.id }]);
    expect(await get(`/admin/v1/floats/hvps/entries?cursor=${page.next}`)).toMatchObject({
      items: [{ kind: 'opening' }],
      next: null,
    });
    // Now what waited has its channel, and goes out.
    clock.advance(instantOf(clock.now() + 301_000) as never);
    expect(await sendDue(market.desk, { shardId: 0, again: true })).toBe(1);
    await takeNews(market.desk);
    expect((await market.payouts()).every(({ state }) => state === 'settled')).toBe(true);
    expect(await watchFloats(market.desk)).toBe(1); // where money was moved to is asked at once
    expect(await watchFloats(market.desk)).toBe(0);
    expect((await get('/admin/v1/channels')).waiting).toMatchObject({ count: 0, oldestAt: null });
  });

  test('a platform writes what its payees read, and nothing that could not be filled in', async () => {
    const put = (texts: unknown) => api.signed(own, 'PUT', '/v1/payout-texts', { texts });
    expect((await put({ refund: '{platform}退款 {order}', closing: null })).body.items).toMatchObject([
      { purpose: 'clearing', template: null, example: '日终清算' },
      { purpose: 'withdrawal', template: null, example: '提现' },
      {
        purpose: 'refund',
        template: '{platform}退款 {order}',
        example: expect.stringMatching(/^Platform \d+退款 R-20260302-1$/),
      },
      { purpose: 'top-up' },
      { purpose: 'closing', template: null },
    ]);
    for (const faulty of ['{name}', '{', 'a\nb', 'x'.repeat(61), ''])
      expect((await put({ refund: faulty })).body).toMatchObject({ code: 'SHAPE_INVALID' });
    expect((await put({ judicial: 'x' })).body).toMatchObject({ code: 'SHAPE_INVALID' });
    expect((await put({ refund: null })).body.items[2]).toMatchObject({ template: null, example: '退款' });
    const other = await api.platform();
    await api.signed(other, 'PUT', '/v1/payout-texts', { texts: { refund: 'x' } });
    expect((await api.signed(own, 'GET', '/v1/payout-texts')).body.items[2]).toMatchObject({ template: null });
  });

  test('a platform stops its own refund before it is sent, nobody else’s, and not after', async () => {
    await market.pay('STOP', 700n);
    await closeNext(market);
    await market.give('refund', { orderNo: 'STOP', amount: fen(300n) });
    await market.give('refund', { orderNo: 'STOP', amount: fen(400n) });
    const [first, second] = (await market.payouts())
      .filter(({ state }) => state === 'created')
      .map(({ id }) => `/v1/payouts/${toWire('payout', id)}/intercept`);
    const stop = (path: string | undefined, platform = own) =>
      api.signed(platform, 'POST', path as string, { reason: '买家撤回' });
    expect((await stop(first, await api.platform())).status).toBe(404);
    expect((await stop(first)).status).toBe(202);
    expect((await stop(first)).status).toBe(202);
    expect(await post(`/admin${second}`, { reason: '可疑' }, auditor)).toMatchObject({ code: 'PERMISSION_DENIED' });
    expect(await post(`/admin${second}`, { reason: '可疑' })).toMatchObject({ status: 202 });
    expect(await endIntercepted(market.desk)).toBe(2);
    expect(await sendDue(market.desk, { shardId: 0 })).toBe(0);
    const ended = (await market.payouts()).filter(({ state }) => state === 'failed');
    expect(ended.map(({ reason }) => reason).sort()).toEqual(['买家撤回', '可疑'].sort());
    const sent = (await market.payouts()).find(({ state }) => state === 'settled');
    expect((await stop(`/v1/payouts/${toWire('payout', sent?.id as never)}/intercept`)).body).toMatchObject({
      code: 'PAYOUT_STATE_CONFLICT',
    });
    expect(await market.wrongs()).toEqual([]);
  });

  test('a message that nobody can read is listed with its reason; who looks into it may see people, and stands in the audit trail', async () => {
    const channel = market.channels.channels.hvps;
    const unread = [2, 10, 3].map((no) => ({
      place: `${no}.1`,
      reason: 'a message of type x is not expected',
      text: `<Nm>张三${no}`,
    }));
    const page = { items: [], unread, next: '10' };
    const hvps = { ...channel, news: async (after: string) => (after === '10' ? { items: [], next: '10' } : page) };
    await takeNews(createDesk(market.world.rt, { ...market.channels, channels: { ...market.channels.channels, hvps } }));
    const path = '/admin/v1/unread-messages';
    const whole = await get(path, auditor);
    expect(whole.items).toMatchObject(['10.1', '2.1', '3.1'].map((place) => ({ channel: 'hvps', place })));
    expect(JSON.stringify(whole)).not.toContain('张三');
    const first = await get(`${path}?limit=2&channel=hvps`);
    const second = await get(`${path}?limit=2&channel=hvps&cursor=${first.next}`);
    expect([first.items, second.items].flat()).toEqual(whole.items);
    expect((await get(`${path}?channel=beps`)).items).toEqual([]);
    expect(await get(`${path}/hvps/3.1`)).toMatchObject({ place: '3.1', text: '<Nm>张三3' });
    expect(await get(`${path}/hvps/4.1`)).toMatchObject({ code: 'NOT_FOUND' });
    const administrator = (await api.operator('administrator')).token;
    expect(await get(`${path}/hvps/3.1`, administrator)).toMatchObject({ code: 'PERMISSION_DENIED' });
    const trail = await market.world.db.read('trail', (tx) =>
      tx.rows<{ target: string | null }>('SELECT target FROM audit_entries'),
    );
    expect(trail.map(({ target }) => target)).toContain('message hvps 3.1');
  });
});
