import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { decideNow } from '../../src/dispatch/index.js';
import { findInstructions, systemInstruction } from '../../src/instructions/index.js';
import { asId, canonicalJson, type Id, toWire } from '../../src/kernel/index.js';
import { approve, propose } from '../../src/winding-up/decide.js';
import { windDownRound } from '../../src/winding-up/round.js';
import { closeNext, fen, type Market, openMarket } from '../clearing/market.js';

const [LI, WANG] = [asId('2236512894231552101'), asId('2236512894231552102')];
let market: Market;
beforeEach(async () => {
  market = await openMarket();
});
afterEach(() => market?.end());

async function outcomeOf(directive: Parameters<typeof decideNow>[1][number]) {
  const [receipt] = await decideNow(market.desk, [directive]);
  const id = receipt && 'id' in receipt ? receipt.id : LI;
  return (await market.world.db.read('outcome', (tx) => findInstructions(tx, [id]))).get(id)?.outcome;
}

/** What the bank's staff orders. */
async function order(requestNo: string, kind: string, data: object): Promise<void> {
  const { shardId, platformId } = await market.book();
  const submission = { platformId, origin: 'O' as const, requestNo, kind, body: canonicalJson(data), actor: 'test' };
  expect(await outcomeOf({ shardId, submission })).toMatchObject({ state: 'posted' });
}

const as = (operator: Id) => ({ operator, nowMs: market.world.clock.now() });

async function windUp(): Promise<void> {
  const { rt, db } = market.world;
  const wanted = { reasonSealed: rt.vault.seal('停业'), ordersBackOn: undefined, movesTo: undefined };
  await db.withTx('propose', (tx) => propose(tx, rt.newId(), market.platformId, wanted, as(LI)));
  await db.withTx('approve', (tx) => approve(tx, market.platformId, as(WANG)));
}

async function days(count: number): Promise<void> {
  for (let day = 0; day < count; day += 1) {
    await windDownRound(market.desk, market.platformId);
    await closeNext(market);
  }
}

test('of an order on which nothing is the payer’s any more the rest is the platform’s, and every other order goes back', async () => {
  const { commission, marketing } = (await market.book()).accounts;
  await market.pay('earlier', 2_000n);
  await market.split('earlier', [[commission, 2_000n]]);
  const moved = { from: toWire('account', commission), to: toWire('account', marketing), amount: fen(2_000n), remark: '营销' };
  await order('marketing', 'transfer', moved);
  await market.pay('half-a-fen', 100n);
  await order('s1', 'subsidy', { orderNo: 'half-a-fen', amount: fen(900n) });
  await market.split('half-a-fen', [[market.there, 997n]]);
  await market.pay('refunded', 100n);
  await order('s2', 'subsidy', { orderNo: 'refunded', amount: fen(900n) });
  expect(await market.give('refund', { orderNo: 'refunded', amount: fen(100n), subsidy: 'keep' })).toBe('posted');
  await market.pay('whole', 5_000n);
  await windUp();
  await days(2);
  const refunds = (await market.payouts()).filter(({ purpose }) => purpose === 'refund');
  expect(refunds.map(({ amount }) => amount).sort()).toEqual([100n, 5_000n]);
  expect(await market.balance(marketing)).toBe(2_000n - 1_800n + 3n + 900n);
  expect(await market.wrongs()).toEqual([]);
});

test('what has not the form of its kind is not received of the system either: it would stop the shard', () => {
  const of = { platformId: market.platformId, requestNo: 'wd:1', kind: 'refund', actor: 'wind-down' };
  const data = (amount: bigint) => ({ orderNo: 'A', amount: fen(amount) });
  expect(systemInstruction({ ...of, data: data(1n) }).body).toContain('"amount":1');
  expect(() => systemInstruction({ ...of, data: data(0n) })).toThrow('wd:1 has the form of a refund');
});
