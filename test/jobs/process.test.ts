import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Market, MONDAY, openMarket } from '../clearing/market.js';
import { until } from './until.js';
import { startWorkerProcess, type WorkerProcess } from './worker-process.js';

describe('the worker process', () => {
  let market: Market;
  const workers: WorkerProcess[] = [];
  const start = async () => {
    const { fresh } = market.world;
    const worker = await startWorkerProcess({
      DATABASE_URL: fresh.url,
      REDIS_URL: fresh.redisUrl,
      REDIS_PREFIX: fresh.redisPrefix,
      BANK_URL: market.bank.url,
      CLOCK: 'driven',
      SHARDS: '1',
      TICK_MS: '100',
      LOG_LEVEL: 'silent',
    });
    workers.push(worker);
    return worker;
  };
  beforeAll(async () => {
    market = await openMarket();
    await market.pay('A', 1000n);
    await market.split('A', [
      [market.here, 600n],
      [market.there, 400n],
    ]);
    market.goTo('2026-03-03');
    await market.world.db.withTx('clock', (tx) =>
      tx.write('INSERT INTO driven_clock (id, now_ms) VALUES (1, ?)', [market.world.clock.now()]),
    );
  });
  afterAll(async () => {
    for (const worker of workers) await worker.end('SIGKILL');
    await market.end();
  });

  test('killed in the middle of a close leaves it to the next, which pays once, tells how it does, and stops when it is told to', async () => {
    // The statement comes late, so that the kill falls between cut-off and proof; and the channel's answers are lost.
    market.faults(
      { scope: 'core', fault: 'late', ms: 3_000 },
      { scope: 'book', fault: 'lost-answer' },
      { scope: 'beps', fault: 'lost-answer' },
    );
    const first = await start();
    await until(market.book, (book) => book.businessDate !== MONDAY);
    expect(await first.end('SIGKILL')).toBe('SIGKILL');
    expect(await market.day(MONDAY)).toMatchObject({ state: 'closing' });
    const second = await start();
    await until(
      () => market.day(MONDAY),
      (day) => day.state === 'closed',
    );
    expect((await market.payouts()).map((payout) => payout.state)).toEqual(['settled', 'settled']);
    expect(market.bank.bank.books().totals).toMatchObject({ paid: 1000n, paidTwice: 0 });
    expect(await market.wrongs()).toEqual([]);
    expect((await fetch(`${second.url}/health/ready`)).status).toBe(200);
    expect(await (await fetch(`${second.url}/metrics`)).text()).toContain(
      'cunguan_jobs_total{job="close-day",result="closed"} 1',
    );
    expect(await second.end('SIGTERM')).toBe(0);
  }, 60_000);
});
