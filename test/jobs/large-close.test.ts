import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { isOpening, openSubMerchants } from '../../src/accounts/index.js';
import type { Id } from '../../src/kernel/index.js';
import type { Payout } from '../../src/payouts/index.js';
import { type Market, MONDAY, openMarket } from '../clearing/market.js';
import { until } from './until.js';
import { startWorkerProcess, type WorkerProcess } from './worker-process.js';

const MERCHANTS = 510; // from 500 lines on each step of a close is a job of its own
const IN_A_SPLIT = 50;
const OTHER_BANK = '102100099996';

let market: Market;
const sellers: Id[] = [];
const workers: WorkerProcess[] = [];
const amountOf = (place: number) => BigInt(1_000 + place);

async function start(): Promise<WorkerProcess> {
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
}

beforeAll(async () => {
  market = await openMarket();
  const party = { kind: 'company', name: '甲商户', idNo: '91350100M000100Y43' } as const;
  const asked = Array.from({ length: MERCHANTS }, (_, place) => ({
    merchantNo: `m${place}`,
    party,
    settlementAccount: {
      name: party.name,
      account: `6222020000000${String(100_000 + place)}`,
      bankCode: place % 2 === 0 ? '' : OTHER_BANK,
    },
    cycle: 't+1' as const,
  }));
  for (const opened of await openSubMerchants(market.world.rt, market.platformId, asked)) {
    if (!isOpening(opened)) throw new Error(`not opened: ${opened.code}`);
    sellers.push(opened.merchant.accountId);
  }
  for (let from = 0; from < MERCHANTS; from += IN_A_SPLIT) {
    const shares = sellers.slice(from, from + IN_A_SPLIT).map((id, at) => [id, amountOf(from + at)] as const);
    await market.pay(
      `O-${from}`,
      shares.reduce((sum, [, amount]) => sum + amount, 0n),
    );
    await market.split(`O-${from}`, shares);
  }
  market.goTo('2026-03-03');
  await market.world.db.withTx('clock', (tx) =>
    tx.write('INSERT INTO driven_clock (id, now_ms) VALUES (1, ?)', [market.world.clock.now()]),
  );
}, 120_000);
afterAll(async () => {
  for (const worker of workers) await worker.end('SIGKILL');
  await market?.end();
});

test('a large close whose worker is killed while it pays is ended by the next, with the same payouts and none twice', async () => {
  // Answers come late, so that the kill falls among them, and some are lost: of those nobody knows what became.
  market.faults({ scope: 'book', fault: 'late', ms: 300 }, { scope: 'beps', fault: 'lost-answer' });
  const first = await start();
  const isUnderWay = ({ state }: Payout) => state !== 'created';
  const seen = await until(
    () => market.world.db.read('payouts', (tx) => tx.rows<{ state: Payout['state'] }>('SELECT state FROM payouts')),
    (payouts) => payouts.filter((each) => isUnderWay(each as Payout)).length > 0,
  );
  expect(await first.end('SIGKILL')).toBe('SIGKILL');
  expect(seen.length).toBe(MERCHANTS);
  const before = new Map((await market.payouts()).map(({ id, sourceAccountId, amount }) => [id, { sourceAccountId, amount }]));
  expect((await market.payouts()).filter(({ state }) => state === 'created').length).toBeGreaterThan(0);
  expect(await market.day(MONDAY)).toMatchObject({ state: 'closing' });

  market.faults();
  const second = await start();
  await until(
    () => market.day(MONDAY),
    ({ state }) => state === 'closed',
  );
  const payouts = await until(
    () => market.payouts(),
    (all) => all.every(({ state }) => state === 'settled'),
  );
  expect(new Map(payouts.map(({ id, sourceAccountId, amount }) => [id, { sourceAccountId, amount }]))).toEqual(before);
  const paid = new Map(payouts.map(({ sourceAccountId, amount }) => [sourceAccountId, amount]));
  expect(paid).toEqual(new Map(sellers.map((id, place) => [id, amountOf(place)])));
  const total = sellers.reduce((sum, _, place) => sum + amountOf(place), 0n);
  expect(market.bank.bank.books().totals).toMatchObject({ paid: total, paidTwice: 0 });
  expect(await market.wrongs()).toEqual([]);
  // Not one long job: what was left came in jobs of a step each.
  expect(await (await fetch(`${second.url}/metrics`)).text()).toMatch(
    /cunguan_jobs_total\{job="close-step",result="[a-z]+"\} [1-9]/,
  );
  expect(await second.end('SIGTERM')).toBe(0);
}, 240_000);
