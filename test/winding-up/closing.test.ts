import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { asId, type Id, Refused } from '../../src/kernel/index.js';
import { acceptBreak } from '../../src/reconciliation/store.js';
import { approve, close, propose, requireWindDown } from '../../src/winding-up/decide.js';
import { leftOver, windDownRound } from '../../src/winding-up/round.js';
import { atBank, closeNext, fen, type Market, openMarket } from '../clearing/market.js';

const [LI, WANG] = [asId('2236512894231552101'), asId('2236512894231552102')];
let market: Market;
beforeEach(async () => {
  market = await openMarket();
});
afterEach(() => market?.end());

const as = (operator: Id) => ({ operator, nowMs: market.world.clock.now() });

async function windUp(): Promise<void> {
  const { rt, db } = market.world;
  const wanted = { reasonSealed: rt.vault.seal('停业'), ordersBackOn: undefined, movesTo: undefined };
  await db.withTx('propose', (tx) => propose(tx, rt.newId(), market.platformId, wanted, as(LI)));
  await db.withTx('approve', (tx) => approve(tx, market.platformId, as(WANG)));
}

const state = () => market.world.db.read('wind', async (tx) => (await requireWindDown(tx, market.platformId)).state);
const shut = () =>
  market.world.db
    .withTx('close', (tx) => close(tx, market.platformId, as(LI)))
    .then(
      () => undefined,
      (error: unknown) => (error instanceof Refused ? error.refusal : Promise.reject(error)),
    );

test('a book at zero is not closed while a break is open, nor while the core bank still has money of it', async () => {
  await windUp();
  const { businessDate } = await market.book();
  const stray = { reference: 'STRAY', amount: 500n, counterparty: '不明', text: '' };
  await market.channels.coreBank.inflows(market.custodyNo, businessDate, [stray]);
  await closeNext(market);
  await windDownRound(market.desk, market.platformId);
  expect([await state(), atBank(market)]).toEqual(['settled', 500n]);
  const fields = { openBreaks: 1, statement: { date: businessDate, closing: fen(500n) } };
  expect(await shut()).toMatchObject({ code: 'WIND_DOWN_NOT_RECONCILED', fields });
  const [open] = await market.breaks();
  const { db, rt } = market.world;
  await db.withTx('accept', (tx) => acceptBreak(tx, open?.id as Id, 'test', rt.vault.seal('x'), market.world.clock.now()));
  expect(await shut()).toMatchObject({
    code: 'WIND_DOWN_NOT_RECONCILED',
    detail: expect.stringContaining('does not end at 0'),
    fields: { ...fields, openBreaks: 0 },
  });
  expect(await state()).toBe('settled');
});

test('a platform of which nothing is left says why it cannot be closed before the next round', async () => {
  await market.pay('A', 1_000n);
  await market.split('A', [[market.here, 1_000n]]);
  await windUp();
  const { db, rt } = market.world;
  const wind = () => db.read('wind', (tx) => requireWindDown(tx, market.platformId));
  const left = async () => Object.keys(await leftOver(rt, await market.book(), await wind()));
  for (let day = 0; day < 5 && (await left()).length > 0; day += 1) {
    await closeNext(market);
    await windDownRound(market.desk, market.platformId);
  }
  expect([await state(), await left()]).toEqual(['winding-up', []]);
  const { businessDate } = await market.book();
  expect(await shut()).toMatchObject({
    code: 'WIND_DOWN_STATE_CONFLICT',
    detail: expect.stringContaining(`after the cut-off of ${businessDate}`),
    fields: { state: 'winding-up' },
  });
  await closeNext(market);
  await windDownRound(market.desk, market.platformId);
  expect([await state(), await shut()]).toEqual(['settled', undefined]);
});
