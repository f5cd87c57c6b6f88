import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { BusinessDate } from '../../src/kernel/index.js';
import { type ClosingBalance, type ClosingCursor, closingPage } from '../../src/ledger/index.js';
import { closeNext, type Market, openMarket } from './market.js';

const DAYS = ['2026-03-02', '2026-03-03', '2026-03-04'] as BusinessDate[];

let market: Market;
beforeAll(async () => {
  market = await openMarket();
  for (const [place, date] of DAYS.entries()) {
    for (let order = 0; order < 5 + place; order += 1) {
      const orderNo = `${date}-${order}`;
      await market.pay(orderNo, 1_000n);
      await market.split(orderNo, [
        [market.here, 600n + BigInt(order)],
        [market.there, 400n - BigInt(order)],
      ]);
    }
    await closeNext(market);
  }
  await market.pay('open', 700n); // on a date that is not over
});
afterAll(() => market?.end());

async function closing(date: BusinessDate, limit: number): Promise<ClosingBalance[]> {
  const all: ClosingBalance[] = [];
  for (let from: ClosingCursor | undefined, more = true; more; more = from !== undefined) {
    const { page, next } = await market.world.db.read('closing', (tx) => closingPage(tx, market.platformId, date, from, limit));
    all.push(...page);
    from = next;
  }
  return all;
}

test.each(DAYS)(
  'the closing balances of %s are what the books added up to at its cut-off, however long ago that was',
  async (date) => {
    const balances = await closing(date, 1_000);
    const { custody } = await market.day(date);
    const sum = (own: boolean) =>
      balances.filter(({ type }) => (type === 'custody') === own).reduce((total, { balance }) => total + balance, 0n);
    expect([-sum(true), sum(false)]).toEqual([custody, custody]);
  },
);

test('they are the same in pages of any size', async () => {
  const whole = await closing(DAYS[1] as BusinessDate, 1_000);
  expect(await closing(DAYS[1] as BusinessDate, 2)).toEqual(whole);
  expect(whole.length).toBeGreaterThan(4);
});

test('before the first day there is nothing to tell', async () => {
  expect(await closing('2026-03-01' as BusinessDate, 10)).toEqual([]);
});
