import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Job, Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { type BellJob, bellPrefix, createBells } from '../../src/runtime/index.js';
import { testServers } from '../support/services.js';

/** A Redis database of its own: this test empties it. */
const DATABASE = 9;
const PREFIX = 'test-bells';
const log = pino({ level: 'silent' });

let url: string;
let redis: Redis;
let bells: ReturnType<typeof createBells>;
let queue: Queue<BellJob>;
beforeAll(async () => {
  url = `${testServers().redisUrl.replace(/\/\d*$/, '')}/${DATABASE}`;
  redis = new Redis(url);
  await redis.flushdb();
  bells = createBells(url, PREFIX, log);
  queue = new Queue('sweep', { connection: { url }, prefix: bellPrefix(PREFIX) });
});
afterAll(async () => {
  await bells.close();
  await queue.close();
  await redis.flushdb();
  await redis.quit();
});

/** A worker whose runs the test lets go one by one. */
function gatedWorker() {
  const waiting: ((end: 'well' | 'badly') => void)[] = [];
  const started: string[] = [];
  const watchers = new Set<() => void>();
  const told = () => {
    for (const watcher of [...watchers]) watcher();
  };
  const worker = new Worker<BellJob>(
    'sweep',
    async (job: Job<BellJob>) => {
      started.push(job.data.key);
      const end = new Promise<'well' | 'badly'>((resolve) => waiting.push(resolve));
      told();
      if ((await end) === 'badly') throw new Error('as the test wants');
    },
    { connection: { url, maxRetriesPerRequest: null }, prefix: bellPrefix(PREFIX) },
  );
  worker.on('error', () => undefined);
  let ended = 0;
  for (const event of ['completed', 'failed'] as const) {
    worker.on(event, () => {
      ended += 1;
      told();
    });
  }
  const until = (condition: () => boolean) =>
    new Promise<void>((resolve) => {
      const watcher = () => {
        if (!condition()) return;
        watchers.delete(watcher);
        resolve();
      };
      watchers.add(watcher);
      watcher();
    });
  return {
    worker,
    started,
    running: (count: number) => until(() => started.length === count),
    finished: (count: number) => until(() => ended === count),
    release: (end: 'well' | 'badly' = 'well') => waiting.shift()?.(end),
  };
}

describe('bells', () => {
  test('that wait are one job a key', async () => {
    for (const key of ['a', 'a', 'b', 'a']) await bells.ring('sweep', key);
    const waiting = await queue.getWaiting();
    expect(waiting.map((job) => job.data.key).sort()).toEqual(['a', 'b']);
    await queue.obliterate({ force: true });
  });

  test('rung while the job of their key runs make it run once more, and not twice', async () => {
    const { worker, started, running, finished, release } = gatedWorker();
    await bells.ring('sweep', 'a');
    await running(1);
    for (let times = 0; times < 3; times += 1) await bells.ring('sweep', 'a');
    expect(await queue.getWaitingCount()).toBe(0); // one run of a key at a time
    release();
    await running(2);
    release();
    await finished(2);
    expect([started, await queue.getJobCounts('waiting', 'active', 'completed', 'failed')]).toEqual([
      ['a', 'a'],
      { waiting: 0, active: 0, completed: 0, failed: 0 },
    ]);
    await worker.close();
  });

  test('of a key whose job ended, well or badly, ring again', async () => {
    const { worker, started, running, finished, release } = gatedWorker();
    for (const [turn, end] of (['well', 'badly', 'well'] as const).entries()) {
      await bells.ring('sweep', 'a');
      await running(turn + 1);
      release(end);
      await finished(turn + 1);
    }
    expect(started).toEqual(['a', 'a', 'a']);
    await worker.close();
  });

  test('rung during a run that fails are not lost with it', async () => {
    const { worker, running, finished, release } = gatedWorker();
    await bells.ring('sweep', 'a');
    await running(1);
    await bells.ring('sweep', 'a');
    release('badly');
    await running(2);
    release();
    await finished(2);
    await worker.close();
  });

  test('ring on after Redis was emptied, whether their job waited or ran', async () => {
    await bells.ring('sweep', 'a');
    await redis.flushdb();
    await bells.ring('sweep', 'a');
    expect(await queue.getWaitingCount()).toBe(1);
    const { worker, running, finished, release } = gatedWorker();
    await running(1);
    await redis.flushdb();
    await bells.ring('sweep', 'a');
    release(); // its end finds nothing to end
    await running(2);
    release();
    await finished(1);
    await worker.close();
  });

  test('that are rung in turn are heard one after the other', async () => {
    const { worker, started, running, finished, release } = gatedWorker();
    await bells.ringInTurn('sweep', ['1/a', '1/b', '1/c']);
    await bells.ringInTurn('sweep', []);
    await running(1);
    expect(await queue.getWaitingCount()).toBe(0); // those behind it are not even waiting
    for (const turn of [1, 2, 3]) {
      await running(turn);
      release();
      await finished(turn);
    }
    expect(started).toEqual(['1/a', '1/b', '1/c']);
    expect(await queue.getJobCounts('waiting', 'active', 'waiting-children')).toMatchObject({
      waiting: 0,
      active: 0,
      'waiting-children': 0,
    });
    await worker.close();
  });

  test('never fail the one who rings', async () => {
    const away = createBells('redis://127.0.0.1:1', PREFIX, log);
    await expect(away.ring('sweep', 'a')).resolves.toBeUndefined();
    await expect(away.ringInTurn('sweep', ['a', 'b'])).resolves.toBeUndefined();
    await away.close();
  });
});
