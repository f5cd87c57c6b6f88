import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { exchangeFundFiles } from '../../src/fund-exchange/index.js';
import { listFiles } from '../../src/fund-exchange/store.js';
import type { BusinessDate } from '../../src/kernel/index.js';
import { Pot } from './pot.js';

const POT = '000198';
const MON = '2026-03-02';
const TUE = '2026-03-03';
const WED = '2026-03-04';
const THU = '2026-03-05';
const FRI = '2026-03-06';
const NEXT_MON = '2026-03-09';

let pot: Pot;
beforeEach(async () => {
  pot = await Pot.open();
}, 120_000);
afterEach(() => pot.market.end());

const orders = async () => (await pot.orders()).map(({ state, amount, units }) => `${state} ${amount} ${units}`);
const orderNos = async () => (await pot.orders()).map(({ id }) => `${id}-1`);
const cases = async () =>
  (await pot.cases()).map(
    (each) => `${each.state} ${each.businessDate} ${each.class} ${each.ourAmount}/${each.theirAmount} ${each.rule ?? ''}`,
  );
const files = async () =>
  (await pot.market.world.db.read('files', (tx) => listFiles(tx, {}, 100))).map(
    ({ date, kind, state, count }) => `${date} ${kind} ${state} ${count}`,
  );

describe('a week with a fund company', () => {
  test('goes as it should: units on T+1, income every day, the money out to the fund and back to the account', async () => {
    expect(await pot.buy(1_000_000n)).toBe('posted');
    await pot.exchange(); // before 15:00 only Friday's orders can be sent, of which there are none
    const monday = ['confirmations taken 0', 'dividends taken 0', 'holdings taken 0', 'quotes taken 3'].map(
      (each) => `${MON} ${each}`,
    );
    expect(await files()).toEqual([...monday, '2026-02-27 applications handed-in 0']);
    await pot.evening(MON);
    expect(await orders()).toEqual(['sent 1000000 0']);
    await pot.morning(TUE);
    expect(await cases()).toEqual([]);
    expect(await files()).toEqual([
      ...[`${TUE} confirmations taken 1`, `${TUE} dividends taken 0`, `${TUE} holdings taken 1`, `${TUE} quotes taken 1`],
      ...[`${MON} applications handed-in 1`, ...monday, '2026-02-27 applications handed-in 0'],
    ]);
    // 10,000.00 units from Tuesday on; the money goes to the fund on the same day.
    expect(await pot.holding()).toEqual({ units: 1_000_000n, frozen: 0n, pending: 0n, incomeTo: MON });
    expect(await orders()).toEqual(['settled 1000000 1000000']);
    expect(await pot.figures()).toMatchObject({ collection: 0n, collected: 0n });
    await pot.evening(TUE);
    await pot.morning(WED); // Tuesday's 0.5000 for 10,000 units
    expect(await pot.holding()).toEqual({ units: 1_000_050n, frozen: 0n, pending: 0n, incomeTo: TUE });
    expect(await pot.redeem(400_000n)).toBe('posted');
    await pot.evening(WED);
    await pot.morning(THU); // Wednesday's income is of all units, 0.50; then 4,000.00 of them are gone, and here
    expect(await pot.holding()).toEqual({ units: 600_100n, frozen: 0n, pending: 0n, incomeTo: WED });
    expect(await pot.market.balance(pot.anna.account)).toBe(1_400_000n);
    expect((await orders())[1]).toBe('settled 400000 400000');
    for (const [day, next] of [
      [THU, FRI],
      [FRI, NEXT_MON],
    ] as const) {
      await pot.evening(day);
      await pot.morning(next);
    }
    // Thursday, Friday, Saturday and Sunday: 0.30 each on 6,001.00 units and a little
    expect(await pot.holding()).toEqual({ units: 600_220n, frozen: 0n, pending: 0n, incomeTo: '2026-03-08' });
    expect(await cases()).toEqual([]);
    expect(await pot.figures()).toMatchObject({ collection: 0n, collected: 0n });
    expect(pot.market.bank.bank.funds.books()).toMatchObject({ paid: 400_000n, unpaid: [] });
    expect(await pot.market.wrongs()).toEqual([]);
  });

  test('whose orders come to the company too late has their money on a day that is not over', async () => {
    expect(await pot.buy(1_000_000n)).toBe('posted');
    await pot.evening(MON);
    await pot.morning(TUE);
    expect(await pot.redeem(400_000n)).toBe('posted');
    // Nobody exchanges a file until Thursday: then Wednesday, on which the money was due, has its statement.
    for (const date of [WED, THU]) {
      pot.at(date, 10);
      expect(await pot.market.close()).toMatchObject([{ state: 'closed' }]);
    }
    await pot.exchange();
    await pot.exchange();
    await pot.evening(THU);
    pot.at(FRI, 10);
    expect(await pot.market.close()).toEqual([{ date: THU, state: 'closed' }]);
    await pot.exchange();
    expect(await pot.market.balance(pot.anna.account)).toBe(1_400_000n);
    expect(pot.market.bank.bank.funds.books()).toMatchObject({ paid: 400_000n, unpaid: [] });
    expect(await pot.market.wrongs()).toEqual([]);
  });

  test('unwinds what the company refuses, keeps what it forgets open, and takes the rest', async () => {
    for (const amount of [100_000n, 200_000n, 300_000n, 400_000n]) expect(await pot.buy(amount)).toBe('posted');
    await pot.evening(MON);
    const [refused, forgotten, , other] = await orderNos();
    pot.faults(
      { fault: 'confirmation-failed', messageNo: refused as string, reason: '暂停申购' },
      { fault: 'confirmation-missing', messageNo: forgotten as string, days: 1 },
      { fault: 'confirmation-amount', messageNo: other as string, amount: '-1', times: 1 },
      { fault: 'confirmation-unknown', reference: '1-1', times: 1 },
    );
    await pot.morning(TUE);
    expect(await orders()).toEqual(['failed 100000 0', 'sent 200000 0', 'settled 300000 300000', 'sent 400000 0']);
    expect(await pot.market.balance(pot.anna.account)).toBe(2_000_000n - 900_000n);
    expect(await pot.holding()).toMatchObject({ units: 300_000n, pending: 600_000n });
    expect(await cases()).toEqual([
      `open ${TUE} only-theirs null/0 `,
      `open ${TUE} amount-differs 400000/399999 `,
      `open ${TUE} only-ours 200000/null `,
      // The company has confirmed both: its books have more than ours until ours have them too.
      `open ${TUE} amount-differs 300000/900000 `,
    ]);
    await pot.evening(TUE);
    await pot.morning(WED);
    expect(await orders()).toEqual(['failed 100000 0', 'settled 200000 200000', 'settled 300000 300000', 'sent 400000 0']);
    expect((await cases())[2]).toBe(`closed ${TUE} only-ours 200000/null other-side-appeared`);
    expect(await pot.figures()).toMatchObject({ collection: 400_000n, collected: 400_000n });
    expect(await pot.market.wrongs()).toEqual([]);
  });

  test('takes nothing of a day whose quotes are of another one, and all of it once they are mended', async () => {
    expect(await pot.buy(1_000_000n)).toBe('posted');
    await pot.evening(MON);
    pot.faults({ fault: 'quote-day', messageNo: POT, businessDate: TUE });
    await pot.morning(TUE);
    expect((await files()).filter((file) => file.startsWith(TUE))).toEqual([`${TUE} quotes refused 0`]);
    expect(await orders()).toEqual(['sent 1000000 0']);
    pot.market.bank.bank.funds.mend('TA1', TUE as BusinessDate);
    await pot.exchange();
    expect(await orders()).toEqual(['settled 1000000 1000000']);
    expect((await files()).filter((file) => file.startsWith(TUE))).toContain(`${TUE} quotes taken 1`);
  });

  test('refuses damaged files whole, waits for late ones, and says the same word once however often it comes', async () => {
    expect(await pot.buy(1_000_000n)).toBe('posted');
    await pot.evening(MON);
    const [no = ''] = await orderNos();
    pot.faults(
      { fault: 'file-damaged', messageNo: 'holdings', businessDate: TUE },
      { fault: 'confirmation-twice', messageNo: no },
      { fault: 'files-late', businessDate: WED, days: 1 },
      { fault: 'holding-units', businessDate: THU, amount: '7' },
      { fault: 'dividend-units', businessDate: WED, amount: '3' },
    );
    await pot.morning(TUE);
    expect((await files()).filter((file) => file.startsWith(TUE))).toEqual([`${TUE} holdings refused 0`]);
    expect(await orders()).toEqual(['sent 1000000 0']);
    pot.market.bank.bank.funds.mend('TA1', TUE as BusinessDate);
    await pot.exchange();
    expect(await orders()).toEqual(['settled 1000000 1000000']);
    await pot.evening(TUE);
    await pot.morning(WED);
    expect((await files()).filter((file) => file.startsWith(WED))).toEqual([]);
    await pot.evening(WED);
    await pot.morning(THU);
    // Tuesday's and Wednesday's income by the fund's own rate, although the company's file has 0.03 more for Wednesday.
    expect(await pot.holding()).toMatchObject({ units: 1_000_100n, incomeTo: WED });
    expect(await cases()).toEqual([`open ${THU} amount-differs 50/53 `, `open ${THU} amount-differs 1000100/1000107 `]);
    await pot.evening(THU);
    await pot.morning(FRI);
    expect((await cases())[1]).toBe(`closed ${THU} amount-differs 1000100/1000107 other-side-appeared`);
  });

  test('does nothing twice when it is killed between two steps', async () => {
    expect(await pot.buy(1_000_000n)).toBe('posted');
    pot.at(MON, 15);
    const { channels } = pot.market;
    const lost = { ...pot.market.desk, channels: { ...channels, funds: { ...channels.funds, handIn: () => dead() } } };
    await expect(exchangeFundFiles(lost)).rejects.toThrow('killed');
    expect(await orders()).toEqual(['sent 1000000 0']); // nobody knows whether the file is there
    await pot.exchange();
    pot.at(TUE, 10);
    await pot.market.close();
    for (const fail of [2, 4, 6, 7]) {
      let reads = 0;
      const read: typeof channels.funds.read = (of, take) => {
        reads += 1;
        return reads > fail ? dead() : channels.funds.read(of, take);
      };
      const dying = { ...pot.market.desk, channels: { ...channels, funds: { ...channels.funds, read } } };
      await expect(exchangeFundFiles(dying)).rejects.toThrow('killed');
    }
    await Promise.all([pot.exchange(), pot.exchange()]);
    await pot.exchange();
    expect(await orders()).toEqual(['settled 1000000 1000000']);
    expect(await pot.holding()).toMatchObject({ units: 1_000_000n });
    expect(await cases()).toEqual([]);
    expect(await pot.market.wrongs()).toEqual([]);
  });
});

function dead(): Promise<never> {
  return Promise.reject(new Error('killed'));
}
