import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { returnedDirective } from '../../src/dispatch/desk.js';
import { decideNow } from '../../src/dispatch/index.js';
import type { BusinessDate } from '../../src/kernel/index.js';
import { loadBook, setTerms } from '../../src/ledger/index.js';
import { closeNext, type Market, openMarket } from '../clearing/market.js';
import { PAID_NEXT_DAY } from '../support/model/paying.js';
import { approveAgreement } from '../support/world/agreements.js';
import { openDesk } from './desk.js';

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterAll(() => market?.end());

test('the day of a payout that came back tells what it cost, that the fee went back, and of the bank’s money what the bank says', async () => {
  await market.world.db.withTx('terms', async (tx) => {
    const { terms } = await loadBook(tx, market.platformId);
    await setTerms(tx, market.platformId, { ...terms, feeMax: 1_000n });
  });
  const { commission } = (await market.book()).accounts;
  const paying = { ...PAID_NEXT_DAY, costs: { fixed: 100n, bp: 0n } };
  const agreement = { seller: market.here, lines: [], others: 3_000n, paying, from: '2026-03-02' };
  await approveAgreement(market.world, market.platformId, agreement, commission);
  await market.pay('A', 10_000n);
  await market.split('A', [[market.here, 10_000n]]);
  await closeNext(market);
  const [payout] = await market.payouts();
  if (payout === undefined) throw new Error('not paid');
  const reference = `RT${payout.id}`;
  const back = { reference, amount: payout.amount, counterparty: '甲商户', text: '退汇' };
  await market.channels.coreBank.inflows(market.custodyNo, '2026-03-03' as BusinessDate, [back]);
  await decideNow(market.desk, [returnedDirective(payout, reference, '收款账户已销户')]);
  expect(await closeNext(market)).toMatchObject([{ state: 'closed' }]);
  const desk = await openDesk(market.world);
  const call = await desk.as(market.platformId);
  const amounts = async (name: string) => {
    const text = (await call('GET', `/v1/check-files/2026-03-03/${name}`)).bytes.toString('utf8');
    const rows = text.split('\n').map((line) => line.split('|'));
    const place = rows.find(([sort]) => sort === 'N')?.indexOf('amount') ?? 0;
    return [...rows.filter(([sort]) => sort === 'D').map((row) => row[place]), rows.find(([sort]) => sort === 'T')?.[2]];
  };
  const files = [await amounts('fees'), await amounts('returns'), await amounts('withdrawals')];
  await desk.stop();
  expect(files).toEqual([
    ['100', '-100', '0'],
    ['9900', '9900'],
    ['9900', '9900', '19800'],
  ]);
});
