import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { FundConfirmation } from '../../src/channels/index.js';
import type { FaultRule } from '../../src/channels/simulator/index.js';
import { decideNow } from '../../src/dispatch/index.js';
import { exchangeFundFiles } from '../../src/fund-exchange/index.js';
import { type Fund, fundFigures, listFundOrders, listHoldings, saveFund } from '../../src/funds/index.js';
import { systemInstruction } from '../../src/instructions/index.js';
import { type BusinessDate, startOfDay } from '../../src/kernel/index.js';
import { listBreaks } from '../../src/reconciliation/index.js';
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
/** With what a file says besides, or instead. */
const exchange = (change: (some: readonly FundConfirmation[]) => readonly FundConfirmation[] = (some) => some) => {
  const { funds } = market.channels;
  const read: typeof funds.read = (of, take) =>
    funds.read(
      of,
      take && of.kind === 'confirmations'
        ? (((some: never, first: number) => take(change(some) as never, first)) as never)
        : take,
    );
  return exchangeFundFiles({ ...market.desk, channels: { ...market.channels, funds: { ...funds, read } } });
};
const faults = (...rules: Omit<FaultRule, 'scope'>[]) =>
  market.bank.bank.faults.replace({ scripted: rules.map((rule) => ({ scope: 'funds', ...rule })) });
async function evening(date: string): Promise<void> {
  at(date, 15);
  await exchange();
}
async function morning(date: string, change?: Parameters<typeof exchange>[0]): Promise<void> {
  at(date, 10);
  await market.close();
  await exchange(change);
}
const buy = (amount: bigint) => withConsent(market, anna, 'fund-subscription', { fund: POT, amount: fen(amount) });
const redeem = (units: bigint, way = 'ordinary') =>
  withConsent(market, anna, 'fund-redemption', { fund: POT, units: String(units), way });
async function lend(amount: bigint): Promise<void> {
  const { businessDate, shardId } = await market.book();
  const reference = `ADV-${amount}`;
  await market.channels.coreBank.inflows(market.custodyNo, businessDate, [{ reference, amount, counterparty: '本行', text: '' }]);
  const data = { direction: 'in', amount: fen(amount), reference };
  const submission = {
    ...systemInstruction({ platformId: market.platformId, requestNo: reference, kind: 'fund-advance', data, actor: 'test' }),
    origin: 'O' as const,
  };
  const [receipt] = await decideNow(market.desk, [{ shardId, submission }]);
  if (receipt === undefined || !('id' in receipt) || (await outcomeOf(market, receipt.id)) !== 'posted')
    throw new Error('not lent');
}
async function holding() {
  const [of] = await market.world.db.read('holding', (tx) => listHoldings(tx, { accountId: anna.account }, 10));
  return of && { units: of.units, frozen: of.frozen, pending: of.pending, incomeTo: of.incomeTo };
}
const list = () => market.world.db.read('orders', (tx) => listFundOrders(tx, { accountId: anna.account }, 100));
const orders = async () => (await list()).map(({ state, amount, units, attempts }) => `${state} ${amount} ${units} ${attempts}`);
const cases = async () =>
  (await market.world.db.read('cases', (tx) => listBreaks(tx, { party: 'fund' }, 100))).map(
    (each) => `${each.state} ${each.businessDate} ${each.class} ${each.ourAmount}/${each.theirAmount} ${each.theirState ?? ''}`,
  );
const figures = () => market.world.db.read('figures', (tx) => fundFigures(tx, market.platformId));

async function fastRefused(): Promise<FundConfirmation> {
  await lend(1_000_000n);
  expect(await buy(1_000_000n)).toBe('posted');
  await evening(MON);
  await morning(TUE);
  expect(await redeem(400_000n, 'fast')).toBe('posted');
  await evening(TUE);
  const no = `${(await list())[1]?.id}-1`;
  faults({ fault: 'confirmation-failed', messageNo: no, reason: '系统忙' });
  let refusal: FundConfirmation | undefined;
  await morning(WED, (some) => {
    refusal = some.find(({ orderNo }) => orderNo === no);
    return some;
  });
  expect((await orders())[1]).toBe('created 0 400000 1');
  await evening(WED);
  expect((await orders())[1]).toBe('sent 0 400000 2');
  if (refusal === undefined) throw new Error('no refusal');
  return refusal;
}

test('a refusal of an earlier sending that is told again changes nothing, and the order is not sent a third time', async () => {
  const old = await fastRefused();
  await morning(THU, (some) => [{ ...old, confirmDate: THU as BusinessDate }, ...some]);
  expect((await orders())[1]).toBe('settled 400000 400000 2');
  expect(await cases()).toEqual([]);
  expect(await figures()).toMatchObject({ collection: 0n, advance: 1_000_000n, advanced: 0n, repayable: 0n });
  await evening(THU);
  await morning(FRI);
  expect(await holding()).toEqual({ units: 600_130n, frozen: 0n, pending: 0n, incomeTo: THU });
  expect(market.bank.bank.funds.books()).toMatchObject({ paid: 400_000n, unpaid: [] });
  expect(await market.wrongs()).toEqual([]);
}, 120_000);

test('a confirmation of a sending that was refused before is a case', async () => {
  const old = await fastRefused();
  const done = { returnCode: '0000', amount: 400_000n, units: 400_000n, nav: 10_000n };
  await morning(THU, () => [{ ...old, ...done, confirmDate: THU as BusinessDate }]);
  expect((await orders())[1]).toBe('sent 0 400000 2');
  expect(await cases()).toContain(`open ${THU} amount-differs 400000/400000 an earlier sending`);
}, 120_000);

test('words and figures that no instruction has room for hold up nobody else: a refusal is taken, a confirmation is a case', async () => {
  for (const amount of [100_000n, 200_000n, 300_000n]) expect(await buy(amount)).toBe('posted');
  await evening(MON);
  await morning(TUE, ([one, two, ...rest]) => [
    { ...(one as FundConfirmation), returnCode: '0001', amount: 0n, units: 0n, reason: ' 超过单日\u2028申购上限\u3000' },
    { ...(two as FundConfirmation), units: 9_999_999_999_999_999n, amount: 9_999_999_999_999_999n },
    ...rest,
  ]);
  expect(await orders()).toEqual(['failed 100000 0 1', 'sent 200000 0 1', 'settled 300000 300000 1']);
  expect((await list())[0]?.reason).toBe('超过单日 申购上限');
  expect(await cases()).toContain(`open ${TUE} amount-differs 200000/9999999999999999 FUND_CONFIRMATION_DIFFERS`);
}, 120_000);

test.each([
  ['back', TUE],
  ['ahead', '2026-12-31'],
])(
  'a confirmation that is dated %s is a case, and no units earn from a day that is not that of its file',
  async (_, day) => {
    expect(await buy(1_000_000n)).toBe('posted');
    await evening(MON);
    faults({ fault: 'confirmation-missing', messageNo: `${(await list())[0]?.id}-1`, days: 1 });
    await morning(TUE);
    await evening(TUE);
    await morning(WED, (some) => some.map((each) => ({ ...each, confirmDate: day as BusinessDate })));
    expect(await orders()).toEqual(['sent 1000000 0 1']);
    expect(await holding()).toEqual({ units: 0n, frozen: 0n, pending: 1_000_000n, incomeTo: null });
    expect(await cases()).toContain(`open ${TUE} only-ours 1000000/null `);
    expect(await market.wrongs()).toEqual([]);
  },
  120_000,
);
