import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { changePlatformSettlementAccount } from '../../src/accounts/book.js';
import { decideNow } from '../../src/dispatch/index.js';
import { findInstructions } from '../../src/instructions/index.js';
import { asId, canonicalJson, toWire } from '../../src/kernel/index.js';
import { approve, propose, requireWindDown } from '../../src/winding-up/decide.js';
import { exportHouse } from '../../src/winding-up/house/export.js';
import { textOfKey } from '../../src/winding-up/house/seal.js';
import { leftOver, windDownRound } from '../../src/winding-up/round.js';
import { deposit, type Holder, openHolder } from '../clearing/electronic.js';
import { atBank, closeNext, fen, type Market, openMarket } from '../clearing/market.js';

const [LI, WANG] = [asId('2236512894231552101'), asId('2236512894231552102')];
let market: Market;
let rich: Holder;
let small: Holder;

/** What the bank's staff orders. */
async function order(requestNo: string, kind: string, data: object): Promise<void> {
  const { shardId, platformId } = await market.book();
  const submission = { platformId, origin: 'O' as const, requestNo, kind, body: canonicalJson(data), actor: 'test' };
  const [receipt] = await decideNow(market.desk, [{ shardId, submission }]);
  const id = receipt && 'id' in receipt ? receipt.id : LI;
  const view = (await market.world.db.read('outcome', (tx) => findInstructions(tx, [id]))).get(id);
  expect([kind, view?.outcome?.code ?? view?.outcome?.state]).toEqual([kind, 'posted']);
}

async function windUp(movesTo: string | undefined): Promise<void> {
  const { rt, db } = market.world;
  const as = (operator: typeof LI) => ({ operator, nowMs: market.world.clock.now() });
  const wanted = { reasonSealed: rt.vault.seal('停业'), ordersBackOn: undefined, movesTo };
  await db.withTx('propose', (tx) => propose(tx, rt.newId(), market.platformId, wanted, as(LI)));
  await db.withTx('approve', (tx) => approve(tx, market.platformId, as(WANG)));
}

beforeAll(async () => {
  market = await openMarket();
  rich = await openHolder(market, 2, { bankCode: '102100099996' });
  small = await openHolder(market, 3);
  await deposit(market, rich, 123_456n);
  await deposit(market, small, 1_000n);
  await market.pay('A', 10_000n);
  const { commission, marketing } = (await market.book()).accounts;
  await market.split('A', [
    [market.here, 5_000n],
    [commission, 1_000n],
  ]);
  const moved = { from: toWire('account', commission), to: toWire('account', marketing), amount: fen(300n), remark: '营销' };
  await order('marketing', 'transfer', moved);
  await order('margin', 'margin-deposit', { account: toWire('account', market.here), amount: fen(2_000n) });
  await order('subsidy', 'subsidy', { orderNo: 'A', amount: fen(300n) });
  await order('split', 'split', { orderNo: 'A', lines: [{ account: toWire('account', market.there), amount: fen(1_111n) }] });
});
afterAll(() => market?.end());

test('electronic accounts go to their cards, margins to their sub-merchants, subsidies to the platform, its own money last', async () => {
  const { rt, db } = market.world;
  await windUp(undefined);
  await windDownRound(market.desk, market.platformId);
  // The payer and the platform share what is left of an order as they put it in: 10,300 less 7,111.
  const refunds = (await market.payouts()).filter(({ purpose }) => purpose === 'refund');
  expect(refunds.map(({ amount }) => amount)).toEqual([3_096n]);
  for (let day = 0; day < 4; day += 1) {
    await closeNext(market);
    await windDownRound(market.desk, market.platformId);
  }
  const book = await market.book();
  const left = async () => leftOver(rt, book, await db.read('wind', (tx) => requireWindDown(tx, market.platformId)));
  expect(await left()).toEqual({ 'no-bound-account': { accounts: 2, amount: 700n + 93n } });
  const paid = (await market.payouts()).map(({ sourceAccountId, amount }) => [sourceAccountId, amount]);
  expect(paid).toEqual(
    expect.arrayContaining([
      [rich.account, 123_456n],
      [small.account, 1_000n],
    ]),
  );
  expect(paid.filter(([account]) => account === market.here).reduce((sum, [, amount]) => sum + (amount as bigint), 0n)).toBe(
    5_000n,
  );
  const own = { name: 'Platform 1', account: '6222020000000000009', bankCode: '' };
  const platform = await db.read('name', (tx) =>
    tx.rows<{ name: string }>('SELECT name FROM platforms WHERE id = ?', [market.platformId]),
  );
  await db.withTx('bind', (tx) =>
    changePlatformSettlementAccount(tx, rt.vault, market.platformId, { ...own, name: platform[0]?.name ?? '' }),
  );
  await closeNext(market);
  await windDownRound(market.desk, market.platformId);
  await closeNext(market);
  await windDownRound(market.desk, market.platformId);
  expect([await left(), atBank(market), await market.wrongs()]).toEqual([{}, 0n, []]);
});

test('an export that would leave out a fen is not made', async () => {
  await market.end();
  market = await openMarket();
  const holder = await openHolder(market, 2); // whose user the platform never registered: no line of the export has his money
  await deposit(market, holder, 100n);
  await windUp(textOfKey(generateKeyPairSync('x25519').privateKey));
  for (let day = 0; day < 3; day += 1) {
    await closeNext(market);
    await windDownRound(market.desk, market.platformId);
  }
  const { db, vault, receiptKeys, clock } = market.world.rt;
  await expect(exportHouse({ db, vault, receiptKeys }, market.platformId, clock.now(), () => undefined)).rejects.toThrow(
    'are what is in custody',
  );
});
