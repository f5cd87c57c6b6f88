import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { FaultRule } from '../../src/channels/simulator/index.js';
import { decideNow } from '../../src/dispatch/index.js';
import { exchangeFundFiles } from '../../src/fund-exchange/index.js';
import { type Fund, fundFigures, listFundOrders, saveFund } from '../../src/funds/index.js';
import { systemInstruction } from '../../src/instructions/index.js';
import { type BusinessDate, startOfDay, toWire } from '../../src/kernel/index.js';
import { deposit, type Holder, openHolder, outcomeOf, withConsent } from '../clearing/electronic.js';
import { fen, type Market, openMarket } from '../clearing/market.js';

const HOUR = 3_600_000;
const POT = '000198';
const [MON, TUE, WED, THU, FRI] = ['2026-03-02', '2026-03-03', '2026-03-04', '2026-03-05', '2026-03-06'] as const;

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
  await deposit(market, anna, 2_000_000n);
}, 120_000);
afterEach(() => market.end());

function at(date: string, hours: number): void {
  market.world.clock.advance((startOfDay(date as BusinessDate) + hours * HOUR) as never);
  market.bank.bank.nameDate(date as BusinessDate);
}
const exchange = () => exchangeFundFiles(market.desk);
const faults = (...rules: Omit<FaultRule, 'scope'>[]) =>
  market.bank.bank.faults.replace({ scripted: rules.map((rule) => ({ scope: 'funds', ...rule })) });
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
const redeem = (units: bigint, way = 'ordinary') =>
  withConsent(market, anna, 'fund-redemption', { fund: POT, units: String(units), way });
const list = () => market.world.db.read('orders', (tx) => listFundOrders(tx, { accountId: anna.account }, 100));
const orders = async () => (await list()).map(({ state, amount, units, attempts }) => `${state} ${amount} ${units} ${attempts}`);
const figures = () => market.world.db.read('figures', (tx) => fundFigures(tx, market.platformId));

const give = async (kind: string, data: Record<string, unknown>) => {
  const { shardId } = await market.book();
  const { platformId, desk } = market;
  const submission = systemInstruction({ platformId, requestNo: `T-${kind}`, kind, data, actor: 'test' });
  const [receipt] = await decideNow(desk, [{ shardId, submission: { ...submission, origin: 'O' } }]);
  return receipt !== undefined && 'id' in receipt ? outcomeOf(market, receipt.id) : 'not received';
};

/** A redemption whose confirmation comes a day after its money. */
async function paidBeforeTold(): Promise<string> {
  expect(await buy(1_000_000n)).toBe('posted');
  await evening(MON);
  await morning(TUE);
  expect(await redeem(400_000n)).toBe('posted');
  await evening(TUE);
  const no = `${(await list())[1]?.id}-1`;
  faults({ fault: 'confirmation-missing', messageNo: no, days: 1 });
  await morning(WED);
  await evening(WED);
  return `FR${no}`;
}

test('proceeds that came before the company told of the redemption are paid to the account', async () => {
  await paidBeforeTold();
  at(THU, 10);
  await exchange(); // before the day on which the money came is closed: so nothing of it is a break
  expect((await orders())[1]).toBe('settled 400000 400000 1');
  expect(await market.balance(anna.account)).toBe(1_400_000n);
  await market.close();
  await evening(THU);
  await morning(FRI);
  expect((await market.breaks()).filter(({ party, state }) => party === 'core-bank' && state === 'open')).toEqual([]);
  expect(await market.wrongs()).toEqual([]);
}, 120_000);

test('proceeds that people have booked meanwhile are not booked again', async () => {
  const reference = await paidBeforeTold();
  const payer = { name: 'TA1', account: '', bankCode: '' };
  expect(await give('suspense-credit', { amount: fen(400_000n), reference, payer })).toBe('posted');
  await morning(THU);
  await exchange();
  expect((await orders())[1]).toBe('confirmed 400000 400000 1');
  expect(await figures()).toMatchObject({ collection: 0n, collected: 0n });
  expect(await market.wrongs()).toEqual([]);
}, 120_000);

test('the money of purchases out of the pot goes to a fund on the day after it came, also where some comes every day', async () => {
  const { db, rt } = market.world;
  const code = '000199';
  const custody = { name: rt.vault.seal('乙货币'), account: rt.vault.seal('6225880000000002'), bankCode: '' };
  const fund: Fund = { code, name: '乙货币', company: 'TA1', kind: 'money', custody, settlesIn: 1, sells: true };
  await db.withTx('fund', (tx) => saveFund(tx, fund));
  market.bank.bank.funds.setFund({ code, company: 'TA1', kind: 'money', paysIn: 1, sells: true });
  expect(await buy(1_000_000n)).toBe('posted');
  await evening(MON);
  for (const day of [TUE, WED, THU, FRI]) {
    await morning(day);
    const data = { account: toWire('account', anna.account), from: POT, fund: code, amount: fen(10_000n) };
    expect(await withConsent(market, anna, 'fund-exchange', data)).toBe('posted');
    await evening(day);
  }
  await morning('2026-03-09');
  const bought = (await list()).filter(({ way }) => way === 'pot').map(({ state, collected }) => `${state} ${collected}`);
  expect(bought).toEqual(['settled 0', 'settled 0', 'confirmed 10000', 'confirmed 0']);
  expect(await market.wrongs()).toEqual([]);
}, 120_000);
