import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { decideNow } from '../../src/dispatch/index.js';
import { type Fund, saveFund } from '../../src/funds/index.js';
import { systemInstruction } from '../../src/instructions/index.js';
import { toWire } from '../../src/kernel/index.js';
import { outcomeOf, withConsent } from '../clearing/electronic.js';
import { fen } from '../clearing/market.js';
import { Pot } from './pot.js';

const POT = '000198';
const [MON, TUE, WED, THU, FRI] = ['2026-03-02', '2026-03-03', '2026-03-04', '2026-03-05', '2026-03-06'] as const;

let pot: Pot;
beforeEach(async () => {
  pot = await Pot.open();
}, 120_000);
afterEach(() => pot.market.end());

const orders = async () =>
  (await pot.orders()).map(({ state, amount, units, attempts }) => `${state} ${amount} ${units} ${attempts}`);

const give = async (kind: string, data: Record<string, unknown>) => {
  const { shardId } = await pot.market.book();
  const { platformId, desk } = pot.market;
  const submission = systemInstruction({ platformId, requestNo: `T-${kind}`, kind, data, actor: 'test' });
  const [receipt] = await decideNow(desk, [{ shardId, submission: { ...submission, origin: 'O' } }]);
  return receipt !== undefined && 'id' in receipt ? outcomeOf(pot.market, receipt.id) : 'not received';
};

/** A redemption whose confirmation comes a day after its money. */
async function paidBeforeTold(): Promise<string> {
  expect(await pot.buy(1_000_000n)).toBe('posted');
  await pot.evening(MON);
  await pot.morning(TUE);
  expect(await pot.redeem(400_000n)).toBe('posted');
  await pot.evening(TUE);
  const no = `${(await pot.orders())[1]?.id}-1`;
  pot.faults({ fault: 'confirmation-missing', messageNo: no, days: 1 });
  await pot.morning(WED);
  await pot.evening(WED);
  return `FR${no}`;
}

test('proceeds that came before the company told of the redemption are paid to the account', async () => {
  await paidBeforeTold();
  pot.at(THU, 10);
  await pot.exchange(); // before the day on which the money came is closed: so nothing of it is a break
  expect((await orders())[1]).toBe('settled 400000 400000 1');
  expect(await pot.market.balance(pot.anna.account)).toBe(1_400_000n);
  await pot.market.close();
  await pot.evening(THU);
  await pot.morning(FRI);
  expect((await pot.market.breaks()).filter(({ party, state }) => party === 'core-bank' && state === 'open')).toEqual([]);
  expect(await pot.market.wrongs()).toEqual([]);
}, 120_000);

test('proceeds that people have booked meanwhile are not booked again', async () => {
  const reference = await paidBeforeTold();
  const payer = { name: 'TA1', account: '', bankCode: '' };
  expect(await give('suspense-credit', { amount: fen(400_000n), reference, payer })).toBe('posted');
  await pot.morning(THU);
  await pot.exchange();
  expect((await orders())[1]).toBe('confirmed 400000 400000 1');
  expect(await pot.figures()).toMatchObject({ collection: 0n, collected: 0n });
  expect(await pot.market.wrongs()).toEqual([]);
}, 120_000);

test('the money of purchases out of the pot goes to a fund on the day after it came, also where some comes every day', async () => {
  const { db, rt } = pot.market.world;
  const code = '000199';
  const custody = { name: rt.vault.seal('乙货币'), account: rt.vault.seal('6225880000000002'), bankCode: '' };
  const fund: Fund = { code, name: '乙货币', company: 'TA1', kind: 'money', custody, settlesIn: 1, sells: true };
  await db.withTx('fund', (tx) => saveFund(tx, fund));
  pot.market.bank.bank.funds.setFund({ code, company: 'TA1', kind: 'money', paysIn: 1, sells: true });
  expect(await pot.buy(1_000_000n)).toBe('posted');
  await pot.evening(MON);
  for (const day of [TUE, WED, THU, FRI]) {
    await pot.morning(day);
    const data = { account: toWire('account', pot.anna.account), from: POT, fund: code, amount: fen(10_000n) };
    expect(await withConsent(pot.market, pot.anna, 'fund-exchange', data)).toBe('posted');
    await pot.evening(day);
  }
  await pot.morning('2026-03-09');
  const bought = (await pot.orders()).filter(({ way }) => way === 'pot').map(({ state, collected }) => `${state} ${collected}`);
  expect(bought).toEqual(['settled 0', 'settled 0', 'confirmed 10000', 'confirmed 0']);
  expect(await pot.market.wrongs()).toEqual([]);
}, 120_000);
