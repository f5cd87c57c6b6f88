import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CHANNELS } from '../../src/channels/index.js';
import { addDays, type BusinessDate, type Instant, naturalDate, toRfc3339 } from '../../src/kernel/index.js';
import { CHANNEL_TERMS } from '../../src/migrations/data/channel-terms.js';
import { loadChannelTable, routingRoutes } from '../../src/routing/index.js';
import { startApi, type TestApi } from '../support/api.js';

let api: TestApi;
let admin: string;
let staff: string;
let today: BusinessDate;
beforeAll(async () => {
  api = await startApi(routingRoutes);
  admin = (await api.operator('administrator')).token;
  staff = (await api.operator('operator')).token;
  today = naturalDate(api.runtime.clock.now());
});
afterAll(() => api.stop());

const table = () => api.runtime.db.read('test', (tx) => loadChannelTable(tx, 0 as Instant));
const source = '银行自定';

describe('terms of channels are dated rows', () => {
  test('those that are shipped can be read, each with its source', async () => {
    const { rows } = await table();
    expect(rows).toHaveLength(CHANNEL_TERMS.length);
    expect(rows.every((row) => row.source.length > 0)).toBe(true);
    for (const channel of CHANNELS) expect((await table()).on('2016-04-01' as BusinessDate, channel)).toBeDefined();
    const { body } = await api.call('GET', '/admin/v1/channels/hvps/terms', { token: staff }).expect(200);
    expect(body.items.map((row: { validFrom: string }) => row.validFrom)).toEqual([
      ...['2016-04-01', '2018-01-22', '2018-05-02', '2026-01-01'],
    ]);
  });

  test('others are added from tomorrow on, once, and hold from their day', async () => {
    const terms = (await table()).on(today, 'beps');
    const million = { ...terms, limits: { working: { min: 1, max: 1_000_000_00 }, off: { min: 1, max: 1_000_000_00 } } };
    const put = (validFrom: string, of: unknown, token = admin) =>
      api.call('PUT', '/admin/v1/channels/beps/terms', { token, body: { validFrom, terms: of, source } });
    const tomorrow = addDays(today, 1);
    expect((await put(today, million)).body.code).toBe('TERMS_BACKDATED');
    await put(tomorrow, million, staff).expect(403);
    await put(tomorrow, million).expect(200);
    const second = await put(tomorrow, million).expect(200); // the second click
    expect(second.body).toEqual({ channel: 'beps', validFrom: tomorrow, terms: million, source });
    const other = await put(tomorrow, terms);
    expect([other.status, other.body.code]).toEqual([409, 'TERMS_EXIST']);
    await put(addDays(today, 2), { ...terms, price: [] }).expect(400);
    const now = await table();
    expect([now.on(today, 'beps')?.limits.working.max, now.on(tomorrow, 'beps')?.limits.working.max]).toEqual([
      5_000_000, 100_000_000,
    ]);
  });
});

describe('an outage', () => {
  const add = (body: unknown, token = staff) => api.call('POST', '/admin/v1/channel-outages', { token, body });
  const hours = (ahead: number) => toRfc3339((api.runtime.clock.now() + ahead * 3_600_000) as Instant);
  const stateOf = async (channel: string) => {
    const platform = await api.platform(`Reader ${channel}`);
    const { body } = await api.signed(platform, 'GET', '/v1/channel-states').expect(200);
    return body.items.find((item: { channel: string }) => item.channel === channel);
  };

  test('known ahead is told to platforms, and when it began the channel is down until somebody ends it', async () => {
    expect(await stateOf('ibps')).toMatchObject({
      state: 'open',
      outages: [],
      limit: { min: 1, max: 5_000_000 },
      closesAt: null,
    });
    const ahead = await add({ channel: 'ibps', from: hours(24), to: hours(26), reason: '系统升级' }).expect(201);
    const { from, to } = ahead.body;
    expect(await stateOf('ibps')).toMatchObject({ state: 'open', closesAt: from, outages: [{ from, to }] });
    const down = await add({ channel: 'ibps', from: hours(-1), reason: '故障' }).expect(201);
    const state = await stateOf('ibps');
    expect(state).toMatchObject({ state: 'maintenance', opensAt: null, arrivesAt: null });
    expect(JSON.stringify(state)).not.toContain('故障'); // the bank's own words are not for platforms
    const end = (id: string) => api.call('POST', `/admin/v1/channel-outages/${id}/end`, { token: staff });
    expect((await end(down.body.id).expect(200)).body.to).not.toBeNull();
    expect((await end(down.body.id)).body.code).toBe('OUTAGE_OVER');
    expect(await stateOf('ibps')).toMatchObject({ state: 'open', closesAt: from });
    await end(ahead.body.id).expect(200); // called off before it began
    expect(await stateOf('ibps')).toMatchObject({ state: 'open', closesAt: null, outages: [] });
    const list = await api.call('GET', '/admin/v1/channel-outages', { token: staff }).expect(200);
    expect(list.body.items).toEqual([]);
  });

  test('that ends before it begins, or that is over, is refused; and not everybody may announce one', async () => {
    expect((await add({ channel: 'beps', from: hours(2), to: hours(1), reason: 'x' })).body.code).toBe('OUTAGE_TIMES');
    expect((await add({ channel: 'beps', from: hours(-2), to: hours(-1), reason: 'x' })).body.code).toBe('OUTAGE_TIMES');
    const reviewer = await api.operator('reviewer');
    await add({ channel: 'beps', from: hours(1), reason: 'x' }, reviewer.token).expect(403);
    expect((await add({ channel: 'interbank', from: hours(1), reason: 'x' })).status).toBe(400);
    const none = await api.call('POST', '/admin/v1/channel-outages/out_2236512894231552003/end', { token: staff });
    expect(none.status).toBe(404);
  });
});
