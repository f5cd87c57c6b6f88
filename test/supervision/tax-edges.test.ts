import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { loadBook, setTerms } from '../../src/ledger/index.js';
import { makeTaxReports } from '../../src/supervision/index.js';
import { parseQuarter, type Quarter } from '../../src/supervision/rules.js';
import { taxFileOf } from '../../src/supervision/tax.js';
import { figuresOf } from '../../src/supervision/tax-rules.js';
import { closeNext, type Market, openMarket } from '../clearing/market.js';
import { PAID_NEXT_DAY } from '../support/model/paying.js';
import { approveAgreement } from '../support/world/agreements.js';
import { sellerOn } from './staff.js';

const Q1 = parseQuarter('2026Q1') as Quarter;
let market: Market;
beforeAll(async () => {
  market = await openMarket({ date: '2026-03-30' });
});
afterAll(() => market?.end());

test('a quarter tells of a payout its fee alone, and the income of who was opened after midnight of its last date', async () => {
  const { db, rt } = market.world;
  await db.withTx('terms', async (tx) => {
    const { terms } = await loadBook(tx, market.platformId);
    await setTerms(tx, market.platformId, { ...terms, feeMax: 1_000n });
  });
  const { commission } = (await market.book()).accounts;
  const paying = { ...PAID_NEXT_DAY, costs: { fixed: 100n, bp: 0n } };
  const agreement = { seller: market.here, lines: [], others: 3_000n, paying, from: '2026-03-30' };
  await approveAgreement(market.world, market.platformId, agreement, commission);
  await market.pay('A', 10_000n);
  await market.split('A', [[market.here, 10_000n]]);
  await closeNext(market); // it pays 99.00 and costs 1.00
  market.goTo('2026-04-01'); // and 31 March is open still
  const late = await sellerOn(market, 'late');
  await market.pay('B', 5_000n);
  await market.split('B', [[late, 5_000n]]);
  expect((await market.book()).businessDate).toBe('2026-03-31');
  await market.close();
  expect(await makeTaxReports(rt)).toBe(1);
  const file = (await taxFileOf(rt, market.platformId, Q1, 1))?.toString('utf8').split('\r\n') ?? [];
  expect(file.find((line) => line.startsWith('S,here,'))).toMatch(/,100\.00,0\.00,100\.00,0\.00,1\.00,1$/);
  expect(file.find((line) => line.startsWith('S,late,'))).toMatch(/,50\.00,0\.00,50\.00,0\.00,0\.00,1$/);
  expect(file.find((line) => line.startsWith('T,'))).toBe('T,3,150.00,0.00,150.00,0.00,1.00,2,0.00');
});

test('a payout that came back with its fee cost nothing', () => {
  const paid = { kind: 'clearing', ofOrder: false, commission: 0n, fees: 100n, sellers: [{ seller: 'a', amount: -10_000n }] };
  const back = { ...paid, kind: 'payout-returned', fees: -100n, sellers: [{ seller: 'a', amount: 10_000n }] };
  expect([figuresOf(paid, 'a').fees, figuresOf(back, 'a').fees]).toEqual([100n, -100n]);
});
