import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { exchangeFundFiles } from '../../src/fund-exchange/index.js';
import { type Fund, listHoldings, saveFund } from '../../src/funds/index.js';
import { asId, type BusinessDate, Refused, startOfDay } from '../../src/kernel/index.js';
import { approve, close, propose } from '../../src/winding-up/decide.js';
import { windDownRound } from '../../src/winding-up/round.js';
import { deposit, type Holder, openHolder, withConsent } from '../clearing/electronic.js';
import { fen, type Market, openMarket } from '../clearing/market.js';

const HOUR = 3_600_000;
const POT = '000198';
const [MON, TUE, WED, THU, FRI] = ['2026-03-02', '2026-03-03', '2026-03-04', '2026-03-05', '2026-03-06'] as const;
const [LI, WANG] = [asId('2236512894231552101'), asId('2236512894231552102')];

let market: Market;
let anna: Holder;
beforeEach(async () => {
  market = await openMarket();
  const { db, rt } = market.world;
  const sealed = (text: string) => rt.vault.seal(text);
  const custody = { name: sealed('某某货币市场基金'), account: sealed('6225880000000001'), bankCode: '' };
  const fund: Fund = { code: POT, name: '某某货币', company: 'TA1', kind: 'money', custody, settlesIn: 1, sells: true };
  await db.withTx('fund', (tx) => saveFund(tx, fund));
  market.bank.bank.funds.setFund({ code: POT, company: 'TA1', kind: 'money', paysIn: 1, sells: true });
  anna = await openHolder(market, 2);
  await deposit(market, anna, 1_000_000n);
}, 120_000);
afterEach(() => market.end());

function at(date: string, hours: number): void {
  market.world.clock.advance((startOfDay(date as BusinessDate) + hours * HOUR) as never);
  market.bank.bank.nameDate(date as BusinessDate);
}
const exchange = () => exchangeFundFiles(market.desk);
async function evening(date: string): Promise<void> {
  at(date, 15);
  await exchange();
}
async function morning(date: string): Promise<void> {
  at(date, 10);
  await market.close();
  await exchange();
}
const buy = (amount: bigint) => withConsent(market, anna, 'fund-subscription', { fund: POT, amount: fen(amount) });
const redeem = (units: string, way = 'ordinary') => withConsent(market, anna, 'fund-redemption', { fund: POT, units, way });
const as = (operator: typeof LI) => ({ operator, nowMs: market.world.clock.now() });
const inTx = <T>(work: Parameters<typeof market.world.db.withTx>[1]) => market.world.db.withTx('test', work) as Promise<T>;
const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error) => (error instanceof Refused ? error.refusal.code : Promise.reject(error)),
  );
const round = () => windDownRound(market.desk, market.platformId);
const holding = async () => (await market.world.db.read('h', (tx) => listHoldings(tx, { accountId: anna.account }, 10)))[0];
async function wind(): Promise<void> {
  await inTx((tx) =>
    propose(
      tx,
      market.world.rt.newId(),
      market.platformId,
      { reasonSealed: market.world.rt.vault.seal('平台停业'), ordersBackOn: undefined, movesTo: undefined },
      as(LI),
    ),
  );
  await inTx((tx) => approve(tx, market.platformId, as(WANG)));
}

test('a platform that is wound up is not settled while orders are with a fund company, and not closed while customers have units', async () => {
  expect(await buy(1_000_000n)).toBe('posted');
  await evening(MON);
  await wind();
  expect((await round())?.left).toEqual({
    'with-fund-company': { accounts: 2, amount: 1_000_000n },
    'in-funds': { accounts: 1, amount: 0n },
  });
  await morning(TUE);
  await evening(TUE);
  await morning(WED);
  await round();
  await evening(WED);
  await morning(THU);
  expect(await round()).toMatchObject({ left: { 'in-funds': { accounts: 1, amount: 0n } }, report: 1 });
  expect(await refusal(inTx((tx) => close(tx, market.platformId, as(LI))))).toBe('WIND_DOWN_NOT_EMPTY');
  // Its customers get out of the fund all the same; a new round pays them out, and then the book is closed.
  expect(await redeem('all')).toBe('posted');
  await evening(THU);
  expect(Object.keys((await round())?.left ?? {}).sort()).toEqual(['in-funds', 'with-fund-company']);
  for (const day of [FRI, '2026-03-09', '2026-03-10', '2026-03-11']) {
    await morning(day);
    // What the units earned on their last day is redeemed as well.
    if (day === FRI) expect(await redeem('all')).toBe('posted');
    await round();
    await market.close();
    await evening(day);
  }
  // The bank's own records say zero only once the day is over on which the last of it left.
  await morning('2026-03-12');
  await market.close();
  expect((await round())?.left).toEqual({});
  expect(await refusal(inTx((tx) => close(tx, market.platformId, as(LI))))).toBe('none');
  expect(await holding()).toMatchObject({ units: 0n, due: 0n });
  expect(await market.wrongs()).toEqual([]);
}, 120_000);
