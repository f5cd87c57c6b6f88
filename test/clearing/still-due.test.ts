import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { clearingLines, clearingRoutes } from '../../src/clearing/index.js';
import { askRerun, rerunLines } from '../../src/clearing/rerun.js';
import { asId, type BusinessDate, type Id, toWire } from '../../src/kernel/index.js';
import { loadBook, setTerms } from '../../src/ledger/index.js';
import { ask } from '../support/asking.js';
import { PAID_NEXT_DAY } from '../support/model/paying.js';
import { approveAgreement } from '../support/world/agreements.js';
import { closeNext, fen, type Market, MONDAY, openMarket } from './market.js';

const TUESDAY = '2026-03-03' as BusinessDate;
const WEDNESDAY = '2026-03-04' as BusinessDate;

let market: Market;
beforeEach(async () => {
  market = await openMarket();
  await market.world.db.withTx('terms', async (tx) => {
    const { terms } = await loadBook(tx, market.platformId);
    await setTerms(tx, market.platformId, { ...terms, feeMax: 1_000n });
  });
});
afterEach(() => market.end());

async function agree(seller: Id, more: Record<string, unknown>, paying: Partial<typeof PAID_NEXT_DAY> = {}): Promise<void> {
  const { commission } = (await market.book()).accounts;
  const agreement = { seller, lines: [], others: 3_000n, paying: { ...PAID_NEXT_DAY, ...paying }, from: MONDAY, ...more };
  await approveAgreement(market.world, market.platformId, agreement, commission);
}

async function earn(seller: Id, amount: bigint): Promise<void> {
  await market.pay('A', amount);
  await market.split('A', [[seller, amount]]);
}

const linesOf = async (date = TUESDAY) => {
  const { lines } = await market.world.db.read('lines', (tx) => clearingLines(tx, market.platformId, date, { limit: 100 }));
  return lines.map(({ amount, fee, state, code }) => [amount, fee, state, code]);
};
const rerun = (date = TUESDAY) => market.world.db.withTx('rerun', (tx) => askRerun(tx, market.world.rt, market.platformId, date));
const setState = (account: Id, state: 'open' | 'frozen') =>
  market.world.db.withTx('state', (tx) => tx.write('UPDATE accounts SET state = ? WHERE id = ?', [state, account]));
const withdraw = (account: Id, amount: bigint) =>
  market.give('withdrawal', { account: toWire('account', account), amount: fen(amount) });

/** The line of the seller is refused, since he is frozen until the close is done. */
async function closeRefused(seller: Id): Promise<void> {
  await setState(seller, 'frozen');
  await closeNext(market);
  await setState(seller, 'open');
}

function asStaff(name: `${string} /${string}`, date: string, body?: unknown) {
  const caller = { permissions: new Set<never>(), operatorId: asId('2236512894231559001') };
  const params = { platform: market.platformId, date } as unknown as Record<string, Id>;
  const routes = clearingRoutes(market.world.rt);
  return market.world.db.withTx('staff', (tx) => ask(routes, name, { caller, params, body, tx }));
}

describe('a line that is decided later than it was written', () => {
  const held = async () => {
    const body = { validFrom: TUESDAY, held: true };
    await asStaff('PUT /admin/v1/platforms/{platform}/clearing-hold', MONDAY, body);
    expect(await closeNext(market)).toEqual([{ date: MONDAY, state: 'waiting' }]);
  };
  const letGo = async () => {
    await asStaff('POST /admin/v1/platforms/{platform}/days/{date}/approve-preview', MONDAY);
    expect(await market.close()).toEqual([{ date: MONDAY, state: 'closed' }]);
  };

  test('pays nothing of the reserve when its owner has drawn meanwhile what was due', async () => {
    await agree(market.here, { reserve: 600n });
    await earn(market.here, 1_200n);
    await held();
    expect(await linesOf()).toEqual([[600n, 0n, 'due', null]]);
    expect(await withdraw(market.here, 600n)).toBe('posted');
    await letGo();
    expect(await linesOf()).toEqual([[600n, 0n, 'refused', 'CLEARING_NOT_DUE']]);
    expect(await market.balance(market.here)).toBe(600n);
    expect((await market.step(MONDAY, 'payouts')).detail).toMatchObject({ lines: 1, refused: { CLEARING_NOT_DUE: 1 } });
    expect(await market.wrongs()).toEqual([]);
  });

  test('pays what is left of it, with the fee of that', async () => {
    await agree(market.here, {}, { costs: { fixed: 0n, bp: 100n } });
    await earn(market.here, 1_000n);
    await held();
    expect(await linesOf()).toEqual([[990n, 10n, 'due', null]]);
    expect(await withdraw(market.here, 400n)).toBe('posted');
    await letGo();
    expect(await linesOf()).toEqual([[594n, 6n, 'posted', null]]);
    expect(await market.balance(market.here)).toBe(0n);
    expect((await market.step(MONDAY, 'payouts')).detail).toMatchObject({ posted: 1, postedAmount: '594' });
    expect(await market.wrongs()).toEqual([]);
  });
});

describe('a line that is tried again', () => {
  test('pays nothing of the reserve when its owner has drawn meanwhile what was due', async () => {
    await agree(market.here, { reserve: 500n });
    await earn(market.here, 1_000n);
    await closeRefused(market.here);
    expect(await withdraw(market.here, 500n)).toBe('posted');
    expect(await rerun()).toBe(1);
    await market.close();
    expect(await linesOf()).toEqual([[500n, 0n, 'refused', 'CLEARING_NOT_DUE']]);
    expect(await market.balance(market.here)).toBe(500n);
  });

  test('is not asked for once the next day is cut off, when the next clearing pays it', async () => {
    await agree(market.here, { reserve: 600n });
    await earn(market.here, 1_200n);
    await closeRefused(market.here);
    market.goTo(WEDNESDAY);
    let asked: unknown;
    const at = async (point: string) => {
      if (point === 'after interest') asked = await rerun().catch((error) => error.refusal.code);
    };
    await market.close({ at });
    expect(asked).toBe('CLEARING_OVERTAKEN');
    await market.close();
    expect(await linesOf(WEDNESDAY)).toEqual([[600n, 0n, 'posted', null]]);
    expect(await market.balance(market.here)).toBe(600n);
  });

  test('of a day that was cut off before anybody came to it is left to the next clearing', async () => {
    await agree(market.here, { reserve: 600n });
    await earn(market.here, 1_200n);
    await closeRefused(market.here);
    market.goTo(WEDNESDAY);
    const at = async (point: string) => {
      if (point === 'after interest') throw new Error('killed');
    };
    // What is asked for after the close has looked for it and before it cuts off lies there.
    await expect(market.close({ at })).rejects.toThrow('killed');
    await market.world.db.withTx('asked', async (tx) => {
      await tx.write("UPDATE clearings SET state = 'rerun', decided = 0, refused = '{}' WHERE business_date = ?", [TUESDAY]);
      await tx.write("UPDATE clearing_lines SET state = 'due', code = NULL, attempt = 1 WHERE business_date = ?", [TUESDAY]);
    });
    await market.close();
    expect(await linesOf()).toEqual([[600n, 0n, 'refused', 'CLEARING_OVERTAKEN']]);
    expect(await linesOf(WEDNESDAY)).toEqual([[600n, 0n, 'posted', null]]);
    expect(await market.balance(market.here)).toBe(600n);
  });

  test('has its fee back with the payout that failed, and costs it once', async () => {
    await agree(market.there, {}, { costs: { fixed: 10n, bp: 0n } });
    await earn(market.there, 1_000n);
    market.faults({ scope: 'beps', fault: 'refuse' });
    await closeNext(market);
    const { fees } = (await market.book()).accounts;
    expect([await market.balance(market.there), await market.balance(fees)]).toEqual([1_000n, 0n]);
    market.faults();
    expect(await rerun()).toBe(1);
    await market.close();
    expect(await linesOf()).toEqual([[990n, 10n, 'posted', null]]);
    expect([await market.balance(market.there), await market.balance(fees)]).toEqual([0n, 10n]);
    expect(await market.wrongs()).toEqual([]);
  });

  test('is decided once by workers that meet', async () => {
    await market.pay('A', 1_700n);
    await market.split('A', [
      [market.here, 1_000n],
      [market.there, 700n],
    ]);
    await setState(market.there, 'frozen');
    await closeRefused(market.here);
    await setState(market.there, 'open');
    expect(await rerun()).toBe(2);
    const again = [1, 2, 3].map(() => rerunLines(market.desk, market.platformId));
    await Promise.all([...again, market.close(), market.close()]);
    await market.close();
    expect(market.bank.bank.books().totals).toMatchObject({ paid: 1_700n, paidTwice: 0 });
    expect(await market.wrongs()).toEqual([]);
  });
});

describe('a late correction', () => {
  test('counts for no day before the first of its platform', async () => {
    await closeNext(market);
    const payer = { name: '王五', account: '6222020000000000078', bankCode: '102100099996' };
    const propose = (date: string) => {
      const data = { amount: fen(5n), reference: `REF-${date}`, payer };
      const body = { requestNo: `L-${date}`, kind: 'suspense-credit', data, reason: '补记' };
      return asStaff('POST /admin/v1/platforms/{platform}/days/{date}/late-corrections', date, body);
    };
    expect(await propose('1900-01-01')).toBe('DAY_BEFORE_FIRST');
    expect(await propose('2026-03-01')).toBe('DAY_BEFORE_FIRST');
    expect(await propose(MONDAY)).toMatchObject({ state: 'proposed', valueDate: MONDAY });
  });
});
