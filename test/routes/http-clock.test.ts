import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { instantOf, parseInstant, toRfc3339 } from '../../src/kernel/index.js';
import {
  clockRoutes,
  commandClock,
  createRuntime,
  type DrivenClock,
  drivenClock,
  type StartedRuntime,
  takeProcessNumber,
} from '../../src/runtime/index.js';
import { configFor, startApi, type TestApi } from '../support/api.js';
import { type FreshDatabase, freshDatabase } from '../support/database.js';

describe('a driven clock', () => {
  let api: TestApi;
  let other: StartedRuntime;
  let token: string;
  beforeAll(async () => {
    api = await startApi(
      (runtime) => clockRoutes(runtime.drivenClock as DrivenClock, runtime.redis, runtime.config.REDIS_PREFIX),
      { CLOCK: 'driven' },
    );
    other = await createRuntime(api.runtime.config, 'worker');
    ({ token } = await api.operator('operator'));
  });
  afterAll(async () => {
    await other.close();
    await api.stop();
  });

  const set = (now: string) => api.call('PUT', '/admin/v1/clock', { token, body: { now } });

  test('begins at one moment for all processes, before the real time, and can be moved from there to any later one', async () => {
    const begins = parseInstant('2026-01-01T00:00:00+08:00');
    expect([api.runtime.clock.now(), other.clock.now()]).toEqual([begins, begins]);
    const before = await set('2025-12-31T23:59:59+08:00');
    expect([before.status, before.body.code]).toEqual([409, 'CLOCK_BACKWARDS']);
    for (const now of ['2026-03-02T09:00:00.000+08:00', '2026-03-03T00:00:30.000+08:00']) {
      expect((await set(now)).status).toBe(200);
      expect(toRfc3339(api.runtime.clock.now())).toBe(now);
      await until(() => other.clock.now() === parseInstant(now));
    }
  });

  test('goes forward for all processes, and a process that starts later takes it up', async () => {
    const now = '2031-03-02T09:30:00.000+08:00';
    expect((await set(now)).body).toEqual({ now });
    const expected = parseInstant(now);
    expect(api.runtime.clock.now()).toBe(expected);
    await until(() => other.clock.now() === expected);
    const late = await createRuntime(api.runtime.config, 'worker');
    expect(late.clock.now()).toBe(expected);
    await late.close();
    expect(api.runtime.clock.wall()).toBeLessThan(expected as number);
    // A command is typed without CLOCK.
    const command = await createRuntime({ ...api.runtime.config, CLOCK: 'wall' }, 'script');
    expect([command.clock.now(), (await commandClock(command.db)).now()]).toEqual([expected, expected]);
    await command.close();
  });

  test('never goes back, and the same time again is no step back', async () => {
    await set('2031-04-01T00:00:00+08:00');
    expect((await set('2031-04-01T00:00:00+08:00')).status).toBe(200);
    const back = await set('2031-03-31T23:59:59.999+08:00');
    expect([back.status, back.body.code]).toEqual([409, 'CLOCK_BACKWARDS']);
    expect(api.runtime.clock.now()).toBe(parseInstant('2031-04-01T00:00:00+08:00'));
  });

  test('is not for everybody', async () => {
    const auditor = await api.operator('auditor');
    const { status } = await api.call('PUT', '/admin/v1/clock', { token: auditor.token, body: { now: '2032-01-01T00:00:00Z' } });
    expect(status).toBe(403);
    expect((await set('tomorrow')).body.code).toBe('SHAPE_INVALID');
  });

  test('an announcement that comes late changes nothing', () => {
    const clock = drivenClock(instantOf(1_000));
    for (const ms of [2_000, 1_500, 2_000]) clock.advance(instantOf(ms));
    expect(clock.now()).toBe(2_000);
  });
});

describe('a database that the real time was used with', () => {
  let fresh: FreshDatabase;
  beforeAll(async () => {
    fresh = await freshDatabase();
  });
  afterAll(() => fresh.drop());

  test('goes on from there: nothing of its past comes to lie in the future', async () => {
    const real = await createRuntime(configFor(fresh), 'worker');
    const usedMs = real.clock.now();
    await fresh.db.withTx('test', (tx) =>
      tx.write("INSERT INTO platforms (id, name, state, created_ms) VALUES (?, '甲平台', 'active', ?)", [real.newId(), usedMs]),
    );
    await real.close();
    const config = configFor(fresh, { CLOCK: 'driven' });
    const [one, two] = [await createRuntime(config, 'api'), await createRuntime(config, 'worker')];
    expect(one.clock.now()).toBeGreaterThanOrEqual(usedMs);
    expect(two.clock.now()).toBe(one.clock.now());
    await Promise.all([one.close(), two.close()]);
  });
});

describe('starting a process', () => {
  let fresh: FreshDatabase;
  beforeAll(async () => {
    fresh = await freshDatabase();
  });
  afterAll(() => fresh.drop());

  test('each start takes the next process number, from 0 after 4095', async () => {
    const numbers = [await takeProcessNumber(fresh.db), await takeProcessNumber(fresh.db)];
    await fresh.db.withTx('test', (tx) => tx.write("UPDATE counters SET value = 4095 WHERE name = 'process'"));
    expect([...numbers, await takeProcessNumber(fresh.db)]).toEqual([0, 1, 0]);
  });

  test('Redis may be away: the process starts, bells are lost in silence, nothing waits', async () => {
    const runtime = await createRuntime(configFor(fresh, { REDIS_URL: 'redis://127.0.0.1:1' }), 'worker');
    await runtime.bells.ring('sweep', 'all');
    await expect(runtime.redis.ping()).rejects.toThrow();
    await runtime.close();
  });
});

/** Waits for what other processes are told, turn by turn of the event loop. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resume) => setImmediate(resume));
}
