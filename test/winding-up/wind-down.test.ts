import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { setFrozen } from '../../src/accounts/book.js';
import { isOpening, openSubMerchants } from '../../src/accounts/index.js';
import { bindSettlementAccounts } from '../../src/accounts/store.js';
import { kinds } from '../../src/instructions/index.js';
import { BUSINESS } from '../../src/instructions/judging/new-business.js';
import { asId, type Id, Refused, readPublicKeys, toWire } from '../../src/kernel/index.js';
import { listHolds } from '../../src/orders/index.js';
import type { Runtime } from '../../src/runtime/index.js';
import { approve, askRound, close, propose, reject, requireWindDown } from '../../src/winding-up/decide.js';
import { judgeReport, REPORT_FILE, type ReportFile } from '../../src/winding-up/report-form.js';
import { leftOver, windDownDue, windDownRound } from '../../src/winding-up/round.js';
import { findReport, linesOf } from '../../src/winding-up/store.js';
import { atBank, closeNext, fen, type Market, openMarket } from '../clearing/market.js';

const [LI, WANG] = [asId('2236512894231552101'), asId('2236512894231552102')];
let market: Market;
/** A seller whose account is frozen, one who has no bound account any more. */
let frozen: Id;
let unbound: Id;

beforeAll(async () => {
  market = await openMarket();
  const party = { kind: 'company', name: '甲商户', idNo: '91350100M000100Y43' } as const;
  const settlementAccount = { name: party.name, account: '6222020000000000001', bankCode: '' };
  const opened = await openSubMerchants(
    market.world.rt,
    market.platformId,
    ['frozen', 'unbound'].map((merchantNo) => ({ merchantNo, party, settlementAccount, cycle: 'on-request' as const })),
  );
  [frozen, unbound] = opened.map((each) => {
    if (!isOpening(each)) throw new Error(each.code);
    return each.merchant.accountId;
  }) as [Id, Id];
});
afterAll(() => market?.end());

const { stringify } = JSON;
const db = () => market.world.db;
const nowMs = () => market.world.clock.now();
const as = (operator: Id) => ({ operator, nowMs: nowMs() });
const inTx = <T>(work: Parameters<ReturnType<typeof db>['withTx']>[1]) => db().withTx('test', work) as Promise<T>;
const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error) => (error instanceof Refused ? error.refusal.code : Promise.reject(error)),
  );
const proposal = () => ({ reasonSealed: market.world.rt.vault.seal('平台停业'), ordersBackOn: undefined, movesTo: undefined });
const wind = () => db().read('wind', (tx) => requireWindDown(tx, market.platformId));
const round = (rt: Runtime = market.world.rt) => windDownRound({ ...market.desk, rt }, market.platformId);
const left = async () => leftOver(market.world.rt, await market.book(), await wind());

async function reportFile(no: number): Promise<ReportFile> {
  return db().read('report', async (tx) => {
    const head = await findReport(tx, market.platformId, no);
    const lines = await linesOf(tx, market.platformId, no, -1, 1_000);
    return { version: REPORT_FILE, report: JSON.parse(head?.head ?? ''), lines: lines.map(({ line }) => JSON.parse(line)) };
  });
}
const keys = () => readPublicKeys(stringify({ keys: market.world.rt.receiptKeys.published }));

test('every kind of instruction is sorted into new business, what staff may order, and what is due', () => {
  expect(Object.keys(BUSINESS).sort()).toEqual([...kinds.keys()].sort());
});

describe('a market whose platform stops', () => {
  beforeAll(async () => {
    await market.pay('split', 10_000n);
    await market.split('split', [
      [market.here, 4_000n],
      [market.there, 3_000n],
      [frozen, 2_000n],
      [unbound, 1_000n],
    ]);
    await market.pay('unsplit', 777n);
    await market.pay('open', 5_000n);
    await market.split('open', [[market.here, 1_500n]]);
    await inTx((tx) => setFrozen(tx, market.world.rt, frozen, true));
    await closeNext(market); // pays the sellers whose cycle is T+1
    await market.pay('later', 900n);
    await market.split('later', [
      [market.here, 400n],
      [market.there, 500n],
    ]);
    await inTx((tx) => tx.write('DELETE FROM settlement_accounts WHERE account_id = ?', [unbound]));
  });

  test('one person proposes it, may not approve it, and nothing changes until another does', async () => {
    const id = market.world.rt.newId();
    await inTx((tx) => propose(tx, id, market.platformId, proposal(), as(LI)));
    expect(await refusal(inTx((tx) => propose(tx, market.world.rt.newId(), market.platformId, proposal(), as(WANG))))).toBe(
      'WIND_DOWN_STATE_CONFLICT',
    );
    expect(await refusal(inTx((tx) => approve(tx, market.platformId, as(LI))))).toBe('SAME_OPERATOR');
    await market.pay('still', 1n);
    expect(await market.give('hold', { account: toWire('account', unbound), amount: fen(100n), purpose: '质量' })).toBe('posted');
    await inTx((tx) => reject(tx, market.platformId, as(WANG)));
    expect(await round()).toBeUndefined();
    await inTx((tx) => propose(tx, market.world.rt.newId(), market.platformId, proposal(), as(LI)));
    expect((await inTx<Awaited<ReturnType<typeof wind>>>((tx) => approve(tx, market.platformId, as(WANG)))).state).toBe(
      'winding-up',
    );
    expect(await refusal(inTx((tx) => approve(tx, market.platformId, as(WANG))))).toBe('WIND_DOWN_STATE_CONFLICT');
  });

  test('new business is refused with a code of its own, and what is due goes on', async () => {
    const payer = { name: '张三', account: '6222020000000000078', bankCode: '102100099996' };
    expect(await market.give('payment', { orderNo: 'new', amount: fen(1n), payer, reference: 'IN-new' })).toBe('WINDING_UP');
    const hold = { account: toWire('account', market.here), amount: fen(1n), purpose: 'x' };
    expect(await market.give('hold', hold)).toBe('WINDING_UP');
    const lines = [{ account: toWire('account', market.there), amount: fen(500n) }];
    expect(await market.give('split', { orderNo: 'open', lines })).toBe('posted');
    const party = { kind: 'company', name: '甲商户', idNo: '91350100M000100Y43' } as const;
    const settlementAccount = { name: party.name, account: '6222020000000000001', bankCode: '' };
    const [late] = await openSubMerchants(market.world.rt, market.platformId, [
      { merchantNo: 'late', party, settlementAccount, cycle: 't+1' },
    ]);
    expect(late).toMatchObject({ code: 'WINDING_UP' });
  });

  test('a round that is killed at any commit goes on where it stopped, and nothing is paid twice', async () => {
    const { rt } = market.world;
    for (let commits = 0; ; commits += 1) {
      let seen = 0;
      const dying: Runtime['db'] = {
        ...rt.db,
        withTx: async (label, work, committed) => {
          const value = await rt.db.withTx(label, work, committed);
          seen += 1;
          if (seen > commits) throw new Error('killed');
          return value;
        },
      };
      const survived = await windDownRound({ ...market.desk, rt: { ...rt, db: dying } }, market.platformId).then(
        () => true,
        (error: Error) => {
          if (error.message !== 'killed') throw error;
          return false;
        },
      );
      if (survived) break;
      expect(commits).toBeLessThan(50);
    }
    const refunds = (await market.payouts()).filter(({ purpose }) => purpose === 'refund');
    expect(refunds.map(({ amount }) => amount).sort()).toEqual([1n, 3_000n, 777n].sort());
    expect(await market.wrongs()).toEqual([]);
  });

  test('a second round of the same day changes nothing, and the sweep begins none', async () => {
    const before = await market.payouts();
    expect(await round()).toMatchObject({ given: 0 });
    await windDownDue(market.desk);
    expect(await market.payouts()).toEqual(before);
  });

  test('what has cleared goes to the bound accounts; what cannot stays with its reason', async () => {
    market.faults(
      { scope: 'beps', fault: 'return', on: 'submit', days: 0 } as never,
      {
        scope: 'hvps',
        fault: 'return',
        on: 'submit',
        days: 0,
      } as never,
    );
    await closeNext(market);
    await round();
    market.faults();
    await closeNext(market);
    await round();
    await closeNext(market);
    await round();
    await closeNext(market);
    expect(await round()).toMatchObject({ given: 0 });
    const reasons = Object.entries(await left()).map(([reason, { accounts, amount }]) => [reason, accounts, amount]);
    expect(reasons.sort()).toEqual([
      ['frozen', 1, 2_000n],
      ['held', 1, 100n],
      ['no-bound-account', 1, 900n],
      ['payout-returned', 3, 3_778n],
    ]);
    expect((await wind()).state).toBe('settled');
    expect(await market.wrongs()).toEqual([]);
  });

  test('the report is genuine, adds up, and says where every fen is', async () => {
    const file = await reportFile(1);
    expect(judgeReport(file, keys())).toEqual(file);
    const { custody, accounts } = file.report.content;
    expect(custody.start).toBe(10_000 + 777 + 5_000); // what the clearing of that morning paid is in it, and in what went out
    expect(custody.start + custody.cameIn + custody.cameBack).toBe(custody.wentOut + custody.stays);
    expect(BigInt(custody.stays)).toBe(atBank(market));
    expect(accounts.stays).toBe(custody.stays);
    const paid = (await market.payouts()).filter(({ state }) => state === 'settled');
    expect(file.lines.flatMap(({ payouts }) => payouts.map(({ payout }) => payout)).sort()).toEqual(
      paid.map(({ id }) => toWire('payout', id)).sort(),
    );
  });

  test('a report of which one character was altered is not genuine', async () => {
    const text = stringify(await reportFile(1));
    for (let place = 30; place < text.length; place += 17) {
      const other = `${text.slice(0, place)}${text[place] === '1' ? '2' : '1'}${text.slice(place + 1)}`;
      let value: unknown;
      try {
        value = JSON.parse(other);
      } catch {
        continue;
      }
      if (stringify(value) !== text) expect(typeof judgeReport(value, keys())).toBe('string');
    }
  });

  test('the book is not closed while there is money, and what becomes possible is done in the next round', async () => {
    expect(await refusal(inTx((tx) => close(tx, market.platformId, as(LI))))).toBe('WIND_DOWN_NOT_EMPTY');
    await inTx((tx) => setFrozen(tx, market.world.rt, frozen, false));
    const to = { name: '甲商户', account: '6222020000000000001', bankCode: '' };
    await inTx((tx) => bindSettlementAccounts(tx, market.world.rt.vault, [[unbound, to]]));
    const [hold] = await db().read('holds', (tx) => listHolds(tx, { platformId: market.platformId, accountId: unbound }, 1));
    expect(await market.give('release', { hold: toWire('hold', hold?.id as Id) })).toBe('posted');
    for (const [orderNo, amount] of [
      ['unsplit', 777n],
      ['open', 3_000n],
      ['still', 1n],
    ] as const)
      expect(await market.give('refund', { orderNo, amount: fen(amount) })).toBe('posted');
    await inTx((tx) => askRound(tx, market.platformId));
    await round();
    await closeNext(market);
    await round();
    await closeNext(market);
    await round();
    expect(await left()).toEqual({});
    expect(atBank(market)).toBe(0n);
    const closed = await inTx<Awaited<ReturnType<typeof wind>>>((tx) => close(tx, market.platformId, as(LI)));
    expect(closed.state).toBe('closed');
    expect((await inTx<Awaited<ReturnType<typeof wind>>>((tx) => close(tx, market.platformId, as(LI)))).closedMs).toBe(
      closed.closedMs,
    );
    expect(await market.wrongs()).toEqual([]);
  });
});
