import { afterEach, describe, expect, test } from '@jest/globals';
import { interestLines } from '../../src/accounts/index.js';
import { type ClosePoint, orderInterest } from '../../src/clearing/index.js';
import { sendDue } from '../../src/dispatch/index.js';
import { executeShard } from '../../src/instructions/index.js';
import { addDays, type BusinessDate } from '../../src/kernel/index.js';
import {
  bankPays,
  changeElectronic,
  deposit,
  electronicOf,
  giveInterest,
  type Holder,
  instructionCount,
  openHolder,
  outcomeOf,
  receiveConsented,
  statementOf,
  withConsent,
} from './electronic.js';
import { atBank, closeNext, fen, type Market, openMarket } from './market.js';

let market: Market;

async function marketOn(date: string, rate = 3000n): Promise<void> {
  market = await openMarket({ date });
  await bankPays(market, '2020-01-01', rate);
}

afterEach(async () => {
  await market.end();
});

const closing = (holder: Holder) => withConsent(market, holder, 'account-closing', {});
const reference = (holder: Holder, through: string) => `INT${holder.account}.${through.replaceAll('-', '')}`;

/** Closes every day before `date`. */
async function closeTo(date: string): Promise<void> {
  market.goTo(date);
  await market.close();
}

/** Opens an account for each balance on 18 June and closes up to the eve of the interest day's close. */
async function beforeInterestDay(balances: readonly bigint[]): Promise<Holder[]> {
  await marketOn('2026-06-17');
  const holders: Holder[] = [];
  for (const balance of balances) {
    const holder = await openHolder(market, 2);
    await deposit(market, holder, balance);
    holders.push(holder);
  }
  await closeTo('2026-06-20');
  return holders;
}

describe('the interest of a quarter', () => {
  test('of 10,000.00 from 21 March to 20 June at 0.30 % is 7.67, credited on 21 June, and the bank brings it', async () => {
    await marketOn('2026-03-21');
    const holder = await openHolder(market, 2);
    await deposit(market, holder, 1_000_000n);
    await closeTo('2026-06-20');
    expect(await market.balance(holder.account)).toBe(1_000_000n);
    await closeNext(market);
    expect(await market.balance(holder.account)).toBe(1_000_767n);
    expect((await market.step('2026-06-20', 'interest')).detail).toEqual({
      lines: 1,
      posted: 1,
      postedAmount: '767',
      refused: {},
    });
    expect(
      await market.world.db.read('lines', (tx) => interestLines(tx, market.platformId, '2026-06-20' as BusinessDate)),
    ).toEqual([
      {
        accountId: holder.account,
        platformId: market.platformId,
        from: '2026-03-21',
        through: '2026-06-20',
        product: 92_000_000n,
        rate: 3000n,
        amount: 767n,
        creditedOn: '2026-06-21',
      },
    ]);
    expect(await statementOf(market, '2026-06-21')).toEqual([[reference(holder, '2026-06-20'), 767n]]);
    // Interest does not leave before the statement of its day has shown it.
    expect(await withConsent(market, holder, 'withdrawal', { amount: fen(1_000_767n) })).toBe('FUNDS_UNCLEARED');
    await closeNext(market);
    expect(await market.day('2026-06-21')).toMatchObject({ state: 'closed', custody: 1_000_767n, statement: { lines: 1 } });
    expect(await electronicOf(market, holder)).toMatchObject({ interestFrom: '2026-06-21' });
    expect(await market.breaks()).toEqual([]);
    expect(await market.wrongs()).toEqual([]);
  });

  test('begins where the last one ended, and counts a leap day', async () => {
    await marketOn('2027-12-18');
    const holder = await openHolder(market, 2);
    await deposit(market, holder, 1_000_000n);
    await closeTo('2027-12-21');
    expect(await market.balance(holder.account)).toBe(1_000_025n); // three days: 25 fen
    await closeTo('2028-03-21');
    // 91 days, 29 February among them, on 10,000.25 of which the jiao and fen do not earn: 758.33.
    expect(await market.balance(holder.account)).toBe(1_000_783n);
    expect(await market.wrongs()).toEqual([]);
  });

  test('is paid by the rate of the interest day, however lately it came', async () => {
    await marketOn('2026-06-01');
    const holder = await openHolder(market, 2);
    await deposit(market, holder, 1_000_000n);
    await bankPays(market, '2026-06-15', 1000n);
    await bankPays(market, '2026-06-21', 9000n);
    await closeTo('2026-06-21');
    expect(await market.balance(holder.account)).toBe(1_000_056n); // 20 days at 0.10 %: 55.56
  });

  test('of nothing moves on without a posting', async () => {
    await marketOn('2026-06-19');
    const holder = await openHolder(market, 2);
    await closeTo('2026-06-21');
    expect(await electronicOf(market, holder)).toMatchObject({ interestFrom: '2026-06-21' });
    expect(await market.balance(holder.account)).toBe(0n);
    expect(await statementOf(market, '2026-06-21')).toEqual([]);
  });

  test('is not looked for where there are no electronic accounts, nor on another day', async () => {
    await marketOn('2026-06-19');
    await closeTo('2026-06-21');
    expect((await market.step('2026-06-19', 'interest')).detail).toEqual({ interestDay: false });
    expect((await market.step('2026-06-20', 'interest')).detail).toEqual({ lines: 0 });
  });

  test('that would lift a Class III account over its cap is paid with the next, and never brought before', async () => {
    await marketOn('2026-06-11', 100_000n);
    const holder = await openHolder(market, 3);
    await deposit(market, holder, 200_000n);
    await closeTo('2026-06-21');
    expect((await market.step('2026-06-20', 'interest')).detail).toMatchObject({ posted: 0, refused: { BALANCE_CAP: 1 } });
    expect(await market.balance(holder.account)).toBe(200_000n);
    expect(await electronicOf(market, holder)).toMatchObject({ interestFrom: '2026-06-11' });
    expect(await withConsent(market, holder, 'withdrawal', { amount: fen(100_000n) })).toBe('posted');
    await closeTo('2026-09-21');
    // 10 days to 20 June of 2,000.00 and 92 of 1,000.00: 112,000 yuan·days at 10 % are 31.11 yuan.
    expect(await market.balance(holder.account)).toBe(103_111n);
    expect(await electronicOf(market, holder)).toMatchObject({ interestFrom: '2026-09-21' });
    expect(await statementOf(market, '2026-06-21')).toEqual([]);
    await closeNext(market);
    expect(await market.breaks()).toEqual([]);
    expect(await market.wrongs()).toEqual([]);
  }, 120_000);
});

describe('the close after an interest day', () => {
  const points: ClosePoint[] = ['after proof', 'interest written', 'interest credited', 'after interest', 'after netting'];
  test.each(points)('that crashed at the point "%s" pays each account once and leaves none out', async (point) => {
    const holders = await beforeInterestDay([1_000_000n, 360_000_00n, 1n]);
    market.goTo('2026-06-21');
    const at = (reached: ClosePoint) => {
      if (reached === point) throw new Error('crash');
    };
    await expect(market.close({ at })).rejects.toThrow('crash');
    await market.close();
    const paid = await Promise.all(holders.map(({ account }) => market.balance(account)));
    expect(paid).toEqual([1_000_033n, 36_001_200n, 1n]); // four days at 0.30 %
    expect(await instructionCount(market, 'interest')).toBe(3);
    expect((await statementOf(market, '2026-06-21')).map(([, amount]) => amount)).toEqual([33n, 1200n]);
    await closeNext(market);
    expect(await market.breaks()).toEqual([]);
    expect(await market.wrongs()).toEqual([]);
  });

  test('run by three workers at once pays once', async () => {
    const [holder] = (await beforeInterestDay([1_000_000n])) as [Holder];
    market.goTo('2026-06-21');
    await Promise.all([market.close(), market.close(), market.close()]);
    await market.close();
    expect((await market.day('2026-06-20')).state).toBe('closed');
    expect(await market.balance(holder.account)).toBe(1_000_033n);
    expect(await instructionCount(market, 'interest')).toBe(1);
    expect(await statementOf(market, '2026-06-21')).toEqual([[reference(holder, '2026-06-20'), 33n]]);
  });

  test('waits for a core bank that does not book the interest, and orders it under the same reference', async () => {
    const [holder] = (await beforeInterestDay([1_000_000n])) as [Holder];
    market.faults({ scope: 'core', on: 'inflows', fault: 'lost-answer' }, { scope: 'core', on: 'inflows', fault: 'maintenance' });
    expect(await closeNext(market)).toEqual([{ date: '2026-06-20', state: 'waiting' }]);
    expect((await market.day('2026-06-20')).reason).toContain('has not booked the interest');
    expect(await market.close()).toEqual([{ date: '2026-06-20', state: 'waiting' }]);
    expect(await market.close()).toEqual([{ date: '2026-06-20', state: 'closed' }]);
    expect(await statementOf(market, '2026-06-21')).toEqual([[reference(holder, '2026-06-20'), 33n]]);
    expect(await market.wrongs()).toEqual([]);
  });

  test('pays accounts that the bank has blocked, and none that were closed meanwhile', async () => {
    const [blocked, gone] = (await beforeInterestDay([1_000_000n, 1_000_000n])) as [Holder, Holder];
    await changeElectronic(market, blocked, "state = 'blocked'");
    const at = async (point: ClosePoint) => {
      if (point === 'interest written') expect(await closing(gone)).toBe('posted');
    };
    market.goTo('2026-06-21');
    await market.close({ at });
    expect((await market.step('2026-06-20', 'interest')).detail).toMatchObject({ posted: 1, refused: { ACCOUNT_CLOSING: 1 } });
    expect(await market.balance(blocked.account)).toBe(1_000_033n);
    await closeNext(market);
    expect(await electronicOf(market, gone)).toMatchObject({ state: 'closed' });
    // Each account's interest was brought once: the closing paid out what its line had said.
    expect(market.bank.bank.books().totals.paid).toBe(1_000_033n);
    expect(atBank(market)).toBe(1_000_033n);
    expect(await market.breaks()).toEqual([]);
    expect(await market.wrongs()).toEqual([]);
  });
});

describe('interest that somebody says was earned', () => {
  test('is worked out anew, and refused where it differs, is not over, or was paid', async () => {
    const [holder] = (await beforeInterestDay([1_000_000n])) as [Holder];
    const right = { through: '2026-06-20', product: '4000000', rate: 3000, amount: fen(33n) };
    expect(await giveInterest(market, holder, right)).toBe('INTEREST_DIFFERS'); // the day is not over
    expect(await giveInterest(market, holder, { ...right, through: '2026-06-19', product: '3000000', amount: fen(25n) })).toBe(
      'INTEREST_DIFFERS',
    );
    await closeNext(market);
    expect(await giveInterest(market, holder, right)).toBe('INTEREST_PERIOD_PAID');
    await changeElectronic(market, holder, "interest_from = '2026-06-18'");
    for (const wrong of [{ product: '3999999' }, { rate: 3001 }, { amount: fen(34n) }])
      expect(await giveInterest(market, holder, { ...right, ...wrong })).toBe('INTEREST_DIFFERS');
    expect(await giveInterest(market, holder, { ...right, through: '2026-03-20' })).toBe('INTEREST_PERIOD_PAID');
    await changeElectronic(market, holder, "state = 'closing'");
    expect(await giveInterest(market, holder, right)).toBe('ACCOUNT_CLOSING');
    await changeElectronic(market, holder, "state = 'closed'");
    expect(await giveInterest(market, holder, right)).toBe('ACCOUNT_CLOSED');
    const stranger = { ...holder, account: holder.customerId };
    expect(await giveInterest(market, stranger, right)).toBe('ACCOUNT_NOT_FOUND');
    expect(await giveInterest(market, { ...holder, account: market.here }, right)).toBe('ACCOUNT_TYPE_NOT_ALLOWED');
  });
});

describe('the closing of an electronic account', () => {
  test('pays what is on it and the interest up to the day before to the bound card, when the day has proved', async () => {
    await marketOn('2026-04-01');
    const holder = await openHolder(market, 2);
    await deposit(market, holder, 1_000_000n);
    await closeTo('2026-04-11');
    await bankPays(market, '2026-04-11', 3600n); // the rate of the day of the closing holds
    expect(await closing(holder)).toBe('posted');
    expect(await electronicOf(market, holder)).toMatchObject({ state: 'closing', interestFrom: '2026-04-11' });
    expect(await market.payouts()).toMatchObject([
      { purpose: 'closing', amount: 1_000_100n, state: 'created', fundedOn: '2026-04-11' },
    ]);
    expect(await closing(holder)).toBe('ACCOUNT_CLOSING');
    expect(await orderInterest(market.desk, market.platformId)).toBeUndefined();
    expect(await statementOf(market, '2026-04-11')).toEqual([[reference(holder, '2026-04-10'), 100n]]);
    await closeNext(market);
    expect((await market.payouts())[0]).toMatchObject({ state: 'settled' });
    expect(await electronicOf(market, holder)).toMatchObject({ state: 'closed', closedMs: expect.any(Number) });
    expect(await closing(holder)).toBe('ACCOUNT_CLOSED');
    await closeNext(market);
    expect(atBank(market)).toBe(0n);
    expect(await market.breaks()).toEqual([]);
    expect(await market.wrongs()).toEqual([]);
  });

  test('orders its interest before the statement is read, also when nobody did so in the day', async () => {
    await marketOn('2026-04-01');
    const holder = await openHolder(market, 2);
    await deposit(market, holder, 1_000_000n);
    await closeTo('2026-04-11');
    expect(await closing(holder)).toBe('posted');
    market.faults({ scope: 'core', on: 'inflows', fault: 'maintenance' });
    expect(await closeNext(market)).toEqual([{ date: '2026-04-11', state: 'waiting' }]);
    expect(await market.close()).toEqual([{ date: '2026-04-11', state: 'closed' }]);
    expect(await electronicOf(market, holder)).toMatchObject({ state: 'closed' });
    expect(await market.breaks()).toEqual([]);
  });

  test('of an empty one closes it at once', async () => {
    await marketOn('2026-04-01');
    const holder = await openHolder(market, 3);
    await closeTo('2026-04-11');
    expect(await closing(holder)).toBe('posted');
    expect(await electronicOf(market, holder)).toMatchObject({ state: 'closed', interestFrom: '2026-04-11' });
    expect(await market.payouts()).toEqual([]);
    expect(await market.wrongs()).toEqual([]);
  });

  test('is refused while money is held, has not cleared, or is on its way', async () => {
    await marketOn('2026-04-01');
    const holder = await openHolder(market, 2);
    await deposit(market, holder, 1_000_000n);
    expect(await closing(holder)).toBe('FUNDS_UNCLEARED');
    await closeTo('2026-04-03');
    expect(await withConsent(market, holder, 'withdrawal', { amount: fen(1n) })).toBe('posted');
    expect(await closing(holder)).toBe('ACCOUNT_NOT_EMPTY');
    await closeNext(market);
    await market.world.db.withTx('freeze', (tx) =>
      tx.write("UPDATE accounts SET state = 'frozen' WHERE id = ?", [holder.account]),
    );
    expect(await closing(holder)).toBe('ACCOUNT_FROZEN');
    await market.world.db.withTx('thaw', (tx) => tx.write("UPDATE accounts SET state = 'open' WHERE id = ?", [holder.account]));
    expect(await closing(holder)).toBe('posted');
    expect(await market.wrongs()).toEqual([]);
  });

  test('whose payout fails leaves the account usable, with its interest, which is not paid twice', async () => {
    await marketOn('2026-04-01');
    const holder = await openHolder(market, 2);
    await deposit(market, holder, 1_000_000n);
    await closeTo('2026-04-11');
    expect(await closing(holder)).toBe('posted');
    market.faults({ scope: 'book', fault: 'refuse', times: 1 });
    await closeNext(market);
    expect((await market.payouts())[0]).toMatchObject({ state: 'failed' });
    expect(await electronicOf(market, holder)).toMatchObject({ state: 'active', interestFrom: '2026-04-11' });
    expect(await market.balance(holder.account)).toBe(1_000_083n);
    expect(await closing(holder)).toBe('posted');
    await closeNext(market);
    expect(await electronicOf(market, holder)).toMatchObject({ state: 'closed' });
    expect(market.bank.bank.books().totals.paid).toBe(1_000_083n);
    expect(await market.wrongs()).toEqual([]);
  });

  test('whose payout comes back after it was settled leaves the money in suspense', async () => {
    await marketOn('2026-04-01');
    const holder = await openHolder(market, 2);
    await deposit(market, holder, 1_000_000n);
    await closeTo('2026-04-11');
    expect(await closing(holder)).toBe('posted');
    market.faults({ scope: 'book', fault: 'return', days: 1, times: 1 });
    await closeNext(market);
    expect(await electronicOf(market, holder)).toMatchObject({ state: 'closed' });
    market.bank.bank.setDate(addDays('2026-04-12' as BusinessDate, 2) as never);
    await closeNext(market);
    await closeNext(market);
    expect((await market.payouts())[0]).toMatchObject({ state: 'returned' });
    expect(await market.balance((await market.book()).accounts.suspense)).toBe(1_000_083n);
    expect(await market.balance(holder.account)).toBe(0n);
    expect(await market.wrongs()).toEqual([]);
  });

  test('of a Class III account at its cap pays all its interest too', async () => {
    await marketOn('2026-06-11', 100_000n);
    const holder = await openHolder(market, 3);
    await deposit(market, holder, 200_000n);
    await closeTo('2026-06-22');
    expect(await closing(holder)).toBe('posted');
    expect(await market.payouts()).toMatchObject([{ purpose: 'closing', amount: 200_611n }]); // 11 days at 10 %
    await closeNext(market);
    expect(await electronicOf(market, holder)).toMatchObject({ state: 'closed' });
    await closeNext(market);
    expect(await market.breaks()).toEqual([]);
    expect(await market.wrongs()).toEqual([]);
  });

  test('of a Class III account at its cap that fails gives all of it back, the interest too', async () => {
    await marketOn('2026-06-11', 100_000n);
    const holder = await openHolder(market, 3);
    await deposit(market, holder, 200_000n);
    await closeTo('2026-06-22');
    expect(await closing(holder)).toBe('posted');
    market.faults({ scope: 'book', fault: 'refuse', times: 1 });
    await closeNext(market);
    expect(await electronicOf(market, holder)).toMatchObject({ state: 'active' });
    expect(await market.balance(holder.account)).toBe(200_611n);
    expect(await market.balance((await market.book()).accounts.suspense)).toBe(0n);
    expect(await market.wrongs()).toEqual([]);
  });

  test.each(['withdrawal', 'top-up'])('waits for a %s of the same batch, also when that fails', async (kind) => {
    await marketOn('2026-04-01');
    const holder = await openHolder(market, 2);
    await deposit(market, holder, 1_000_000n);
    await closeTo('2026-04-02');
    const [before, first] = [
      await receiveConsented(market, holder, kind, { amount: fen(1_000_000n) }),
      await receiveConsented(market, holder, 'account-closing', {}),
    ] as const;
    await executeShard(market.world.rt, (await market.book()).shardId);
    expect([await outcomeOf(market, before), await outcomeOf(market, first)]).toEqual(['posted', 'ACCOUNT_NOT_EMPTY']);
    market.faults({ scope: kind === 'top-up' ? 'collect' : 'book', fault: 'refuse', messageNo: before });
    // A collection is sent on its own day; money goes out when a statement has shown that it is there.
    if (kind === 'top-up') await sendDue(market.desk, { shardId: (await market.book()).shardId });
    await closeNext(market);
    expect(await market.payouts()).toMatchObject([{ id: before, state: 'failed' }]);
    expect(await electronicOf(market, holder)).toMatchObject({ state: 'active' });
    expect(await market.balance(holder.account)).toBe(1_000_000n);
    expect(await closing(holder)).toBe('posted');
    await closeNext(market);
    expect(await electronicOf(market, holder)).toMatchObject({ state: 'closed' });
    expect(await market.balance((await market.book()).accounts.suspense)).toBe(0n);
    expect(await market.wrongs()).toEqual([]);
  });
});
