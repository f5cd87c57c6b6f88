import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { FundConfirmation } from '../../src/channels/index.js';
import { decideNow } from '../../src/dispatch/index.js';
import { systemInstruction } from '../../src/instructions/index.js';
import type { BusinessDate } from '../../src/kernel/index.js';
import { outcomeOf } from '../clearing/electronic.js';
import { fen } from '../clearing/market.js';
import { Pot } from './pot.js';

const [MON, TUE, WED, THU, FRI] = ['2026-03-02', '2026-03-03', '2026-03-04', '2026-03-05', '2026-03-06'] as const;

let pot: Pot;
beforeEach(async () => {
  pot = await Pot.open();
}, 120_000);
afterEach(() => pot.market.end());

async function lend(amount: bigint): Promise<void> {
  const { businessDate, shardId } = await pot.market.book();
  const reference = `ADV-${amount}`;
  await pot.market.channels.coreBank.inflows(pot.market.custodyNo, businessDate, [
    { reference, amount, counterparty: '本行', text: '' },
  ]);
  const data = { direction: 'in', amount: fen(amount), reference };
  const submission = {
    ...systemInstruction({ platformId: pot.market.platformId, requestNo: reference, kind: 'fund-advance', data, actor: 'test' }),
    origin: 'O' as const,
  };
  const [receipt] = await decideNow(pot.market.desk, [{ shardId, submission }]);
  if (receipt === undefined || !('id' in receipt) || (await outcomeOf(pot.market, receipt.id)) !== 'posted')
    throw new Error('not lent');
}
const orders = async () =>
  (await pot.orders()).map(({ state, amount, units, attempts }) => `${state} ${amount} ${units} ${attempts}`);
const cases = async () =>
  (await pot.cases()).map(
    (each) => `${each.state} ${each.businessDate} ${each.class} ${each.ourAmount}/${each.theirAmount} ${each.theirState ?? ''}`,
  );

async function fastRefused(): Promise<FundConfirmation> {
  await lend(1_000_000n);
  expect(await pot.buy(1_000_000n)).toBe('posted');
  await pot.evening(MON);
  await pot.morning(TUE);
  expect(await pot.redeem(400_000n, 'fast')).toBe('posted');
  await pot.evening(TUE);
  const no = `${(await pot.orders())[1]?.id}-1`;
  pot.faults({ fault: 'confirmation-failed', messageNo: no, reason: '系统忙' });
  let refusal: FundConfirmation | undefined;
  await pot.morning(WED, (some) => {
    refusal = some.find(({ orderNo }) => orderNo === no);
    return some;
  });
  expect((await orders())[1]).toBe('created 0 400000 1');
  await pot.evening(WED);
  expect((await orders())[1]).toBe('sent 0 400000 2');
  if (refusal === undefined) throw new Error('no refusal');
  return refusal;
}

test('a refusal of an earlier sending that is told again changes nothing, and the order is not sent a third time', async () => {
  const old = await fastRefused();
  await pot.morning(THU, (some) => [{ ...old, confirmDate: THU as BusinessDate }, ...some]);
  expect((await orders())[1]).toBe('settled 400000 400000 2');
  expect(await cases()).toEqual([]);
  expect(await pot.figures()).toMatchObject({ collection: 0n, advance: 1_000_000n, advanced: 0n, repayable: 0n });
  await pot.evening(THU);
  await pot.morning(FRI);
  expect(await pot.holding()).toEqual({ units: 600_130n, frozen: 0n, pending: 0n, incomeTo: THU });
  expect(pot.market.bank.bank.funds.books()).toMatchObject({ paid: 400_000n, unpaid: [] });
  expect(await pot.market.wrongs()).toEqual([]);
}, 120_000);

test('a confirmation of a sending that was refused before is a case', async () => {
  const old = await fastRefused();
  const done = { returnCode: '0000', amount: 400_000n, units: 400_000n, nav: 10_000n };
  await pot.morning(THU, () => [{ ...old, ...done, confirmDate: THU as BusinessDate }]);
  expect((await orders())[1]).toBe('sent 0 400000 2');
  expect(await cases()).toContain(`open ${THU} amount-differs 400000/400000 an earlier sending`);
}, 120_000);

test('words and figures that no instruction has room for hold up nobody else: a refusal is taken, a confirmation is a case', async () => {
  for (const amount of [100_000n, 200_000n, 300_000n]) expect(await pot.buy(amount)).toBe('posted');
  await pot.evening(MON);
  await pot.morning(TUE, ([one, two, ...rest]) => [
    { ...(one as FundConfirmation), returnCode: '0001', amount: 0n, units: 0n, reason: ' 超过单日\u2028申购上限\u3000' },
    { ...(two as FundConfirmation), units: 9_999_999_999_999_999n, amount: 9_999_999_999_999_999n },
    ...rest,
  ]);
  expect(await orders()).toEqual(['failed 100000 0 1', 'sent 200000 0 1', 'settled 300000 300000 1']);
  expect((await pot.orders())[0]?.reason).toBe('超过单日 申购上限');
  expect(await cases()).toContain(`open ${TUE} amount-differs 200000/9999999999999999 FUND_CONFIRMATION_DIFFERS`);
}, 120_000);

test.each([
  ['back', TUE],
  ['ahead', '2026-12-31'],
])(
  'a confirmation that is dated %s is a case, and no units earn from a day that is not that of its file',
  async (_, day) => {
    expect(await pot.buy(1_000_000n)).toBe('posted');
    await pot.evening(MON);
    pot.faults({ fault: 'confirmation-missing', messageNo: `${(await pot.orders())[0]?.id}-1`, days: 1 });
    await pot.morning(TUE);
    await pot.evening(TUE);
    await pot.morning(WED, (some) => some.map((each) => ({ ...each, confirmDate: day as BusinessDate })));
    expect(await orders()).toEqual(['sent 1000000 0 1']);
    expect(await pot.holding()).toEqual({ units: 0n, frozen: 0n, pending: 1_000_000n, incomeTo: null });
    expect(await cases()).toContain(`open ${TUE} only-ours 1000000/null `);
    expect(await pot.market.wrongs()).toEqual([]);
  },
  120_000,
);
