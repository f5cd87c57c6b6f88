import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { returnedDirective } from '../../src/dispatch/desk.js';
import { decideNow } from '../../src/dispatch/index.js';
import { asId, type BusinessDate, type Id } from '../../src/kernel/index.js';
import { approve, close, propose, requireWindDown } from '../../src/winding-up/decide.js';
import { windDownRound } from '../../src/winding-up/round.js';
import { atBank, closeNext, type Market, openMarket } from '../clearing/market.js';

const [LI, WANG] = [asId('2236512894231552101'), asId('2236512894231552102')];
let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterAll(() => market?.end());

const as = (operator: Id) => ({ operator, nowMs: market.world.clock.now() });

test('a payout that comes back when the book is closed waits on suspense, and the day of it proves', async () => {
  await market.pay('A', 1_000n);
  await market.split('A', [[market.there, 1_000n]]);
  const { rt, db } = market.world;
  const wanted = { reasonSealed: rt.vault.seal('停业'), ordersBackOn: undefined, movesTo: undefined };
  await db.withTx('propose', (tx) => propose(tx, rt.newId(), market.platformId, wanted, as(LI)));
  await db.withTx('approve', (tx) => approve(tx, market.platformId, as(WANG)));
  const state = () => db.read('wind', async (tx) => (await requireWindDown(tx, market.platformId)).state);
  for (let day = 0; day < 8 && (await state()) !== 'settled'; day += 1) {
    await windDownRound(market.desk, market.platformId);
    await closeNext(market);
  }
  await db.withTx('close', (tx) => close(tx, market.platformId, as(LI)));
  const [payout] = await market.payouts();
  if (payout?.state !== 'settled') throw new Error('not paid');
  const { businessDate, accounts } = await market.book();
  const reference = `RT${payout.id}`;
  const back = { reference, amount: 1_000n, counterparty: '甲商户', text: '退汇' };
  await market.channels.coreBank.inflows(market.custodyNo, businessDate as BusinessDate, [back]);
  await decideNow(market.desk, [returnedDirective(payout, reference, '收款账户已销户')]);
  expect([await market.balance(accounts.suspense), await market.balance(market.there), atBank(market)]).toEqual([
    1_000n,
    0n,
    1_000n,
  ]);
  expect(await closeNext(market)).toMatchObject([{ date: businessDate, state: 'closed' }]);
  expect([await market.breaks(), await market.wrongs()]).toEqual([[], []]);
});
