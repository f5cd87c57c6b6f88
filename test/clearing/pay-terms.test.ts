import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { duePage } from '../../src/clearing/due-store.js';
import { clearingLines } from '../../src/clearing/index.js';
import { addDays, type BusinessDate, type Id, toWire } from '../../src/kernel/index.js';
import { loadBook, setTerms } from '../../src/ledger/index.js';
import { PAID_NEXT_DAY } from '../support/model/paying.js';
import { approveAgreement } from '../support/world/agreements.js';
import { closeNext, fen, type Market, openMarket } from './market.js';

// A Thursday.
const THURSDAY = '2026-03-05';

let market: Market;
let commission: Id;
beforeAll(async () => {
  market = await openMarket({ date: THURSDAY });
  const { db } = market.world;
  ({ commission } = (await market.book()).accounts);
  await db.withTx('terms', async (tx) => {
    const { terms } = await loadBook(tx, market.platformId);
    await setTerms(tx, market.platformId, { ...terms, feeMax: 1_000n });
  });
});
afterAll(() => market.end());

/** What a seller agreed on, from a date on, without an end; the version before ends the day before. */
async function agree(seller: Id, from: string, paying: Partial<typeof PAID_NEXT_DAY>, more: Record<string, unknown> = {}) {
  const { db } = market.world;
  await db.withTx('end', (tx) =>
    tx.write('UPDATE agreement_versions SET valid_to = ? WHERE account_id = ? AND valid_to IS NULL', [
      addDays(from as BusinessDate, -1),
      seller,
    ]),
  );
  const terms = { ...PAID_NEXT_DAY, ...paying };
  const agreement = { seller, lines: [], others: 3_000n, paying: terms, from, ...more };
  await approveAgreement(market.world, market.platformId, agreement, commission);
}

const lines = async (date: string) => {
  const { db } = market.world;
  const page = await db.read('lines', (tx) => clearingLines(tx, market.platformId, date as BusinessDate, { limit: 100 }));
  return page.lines.map(({ accountId, creditedOn, valueDate, amount, fee }) => ({
    accountId,
    creditedOn,
    valueDate,
    amount,
    fee,
  }));
};
const page = (date: string, more: { after?: Id | null; limit?: number } = {}) => {
  const { db, rt } = market.world;
  const asked = { platformId: market.platformId, date: date as BusinessDate, after: null, limit: 10, unpaid: true };
  return db.read('page', (tx) => duePage(tx, { ...asked, calendar: rt.calendar, ...more }));
};

let orders = 0;
async function earn(seller: Id, amount: bigint): Promise<void> {
  orders += 1;
  await market.pay(`O-${orders}`, amount);
  await market.split(`O-${orders}`, [[seller, amount]]);
}

describe('a clearing by the terms of each seller', () => {
  test('pays by natural days on a Saturday, one payout for each day of credits, each with its fee, and once', async () => {
    const costs = { fixed: 10n, bp: 100n };
    await agree(market.here, THURSDAY, { cycle: 'D+1', heldBack: 1, costs });
    await market.world.db.withTx('apart', async (tx) => {
      const [row] = await tx.rows<{ hash: Buffer; terms: string }>('SELECT hash, terms FROM agreement_terms');
      const terms = JSON.parse(row?.terms ?? '{}');
      terms.payout.merge = false;
      await tx.write('UPDATE agreement_terms SET terms = ? WHERE hash = ?', [JSON.stringify(terms), row?.hash]);
    });
    await earn(market.here, 1_000n);
    await earn(market.there, 700n);
    await closeNext(market); // Thursday: what is held back a day is not due on Friday; who agreed on nothing is paid
    expect((await lines('2026-03-06')).map(({ accountId, amount }) => [accountId, amount])).toEqual([[market.there, 700n]]);
    await earn(market.here, 500n);
    // Two days' money is due on Sunday at once where Saturday's clearing could not pay the first.
    await market.world.db.withTx('freeze', (tx) => tx.write("UPDATE accounts SET state = 'frozen' WHERE id = ?", [market.here]));
    await closeNext(market);
    expect((await market.step('2026-03-06', 'payouts')).detail).toMatchObject({ lines: 1, refused: { ACCOUNT_FROZEN: 1 } });
    expect((await page('2026-03-07')).unpaid).toMatchObject([
      { accountId: market.here, reason: 'frozen', due: 1_000n, notDue: 500n },
    ]);
    await market.world.db.withTx('thaw', (tx) => tx.write("UPDATE accounts SET state = 'open' WHERE id = ?", [market.here]));
    const crash = (point: string) => {
      if (point === 'clearing written') throw new Error('crash');
    };
    await expect(closeNext(market, { at: crash })).rejects.toThrow('crash');
    await market.close();
    expect(await lines('2026-03-08')).toEqual([
      { accountId: market.here, creditedOn: '2026-03-05', valueDate: '2026-03-05', amount: 980n, fee: 20n },
      { accountId: market.here, creditedOn: '2026-03-06', valueDate: '2026-03-06', amount: 485n, fee: 15n },
    ]);
    const paid = (await market.payouts()).filter(({ sourceAccountId }) => sourceAccountId === market.here);
    expect(paid.map(({ amount, state }) => [amount, state]).sort()).toEqual([
      [485n, 'settled'],
      [980n, 'settled'],
    ]);
    expect(await market.balance(market.here)).toBe(0n);
    expect(await market.balance((await market.book()).accounts.fees)).toBe(35n);
    expect(await market.wrongs()).toEqual([]);
  });

  test('goes by the agreement that was in force when the money came in, and is paid as the one says that is in force now', async () => {
    await agree(market.there, '2026-03-08', { cycle: 'T+2', minimum: 300n });
    await earn(market.there, 200n); // Sunday, 8 March: due on Tuesday
    await closeNext(market);
    await earn(market.there, 200n); // Monday: due on Wednesday
    await agree(market.there, '2026-03-10', { cycle: 'T+1', minimum: 300n, to: 'other-bank' });
    await closeNext(market);
    expect((await page('2026-03-10')).unpaid).toMatchObject([{ reason: 'below-minimum', due: 200n, notDue: 200n }]);
    await closeNext(market);
    expect((await lines('2026-03-11')).map(({ amount }) => amount)).toEqual([400n]);
    expect(await market.wrongs()).toEqual([]);
  });

  test('leaves what stays or is only paid on request, which its owner gets when he is asked for', async () => {
    const { businessDate } = await market.book();
    await agree(market.here, businessDate, { to: 'sub-account' });
    await agree(market.there, businessDate, { cycle: 'on-request' });
    await earn(market.here, 60n);
    await earn(market.there, 70n);
    await closeNext(market);
    const { businessDate: next } = await market.book();
    expect(await lines(next)).toEqual([]);
    const first = await page(next, { limit: 1 });
    expect(first).toMatchObject({ lines: [], unpaid: [{ accountId: market.here, reason: 'stays', due: 60n, until: null }] });
    expect(first.next).toBe(market.here);
    const second = await page(next, { limit: 1, after: first.next });
    expect(second).toMatchObject({ unpaid: [{ accountId: market.there, reason: 'on-request' }], next: market.there });
    expect(await page(next, { limit: 1, after: second.next })).toEqual({ lines: [], unpaid: [], next: null });
    const asked = (account: Id, amount: bigint) =>
      market.give('withdrawal', { account: toWire('account', account), amount: fen(amount) });
    expect(await asked(market.here, 60n)).toBe('posted');
    expect(await asked(market.there, 70n)).toBe('posted');
    await closeNext(market);
    expect(await market.wrongs()).toEqual([]);
  });
});
