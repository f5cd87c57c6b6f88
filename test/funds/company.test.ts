import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { approveFund, proposeFund } from '../../src/funds/catalogue.js';
import { type Fund, findFund, saveFund } from '../../src/funds/index.js';
import { asId, type Id, Refused } from '../../src/kernel/index.js';
import { deposit, openHolder, withConsent } from '../clearing/electronic.js';
import { fen, type Market, openMarket } from '../clearing/market.js';

const [LI, WANG] = [asId('2236512894231552101'), asId('2236512894231552102')];
const CODE = '000198';
let market: Market;
let fund: Fund;
beforeAll(async () => {
  market = await openMarket();
  const { db, rt } = market.world;
  const custody = { name: rt.vault.seal('某某货币'), account: rt.vault.seal('6225880000000001'), bankCode: '' };
  fund = { code: CODE, name: '某某货币', company: 'TA1', kind: 'money', custody, settlesIn: 1, sells: true };
  await db.withTx('fund', (tx) => saveFund(tx, fund));
}, 120_000);
afterAll(() => market?.end());

const who = (operator: Id) => ({ operator, nowMs: market.world.clock.now() });
const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error) => (error instanceof Refused ? error.refusal.code : Promise.reject(error)),
  );
async function propose(other: Partial<Fund>): Promise<Id> {
  const { db, rt } = market.world;
  const id = rt.newId();
  const known = await db.read('fund', (tx) => findFund(tx, CODE));
  await db.withTx('propose', (tx) => proposeFund(tx, rt.vault, id, { fund: { ...fund, ...other }, known }, who(LI)));
  return id;
}
const approve = (id: Id) => market.world.db.withTx('approve', (tx) => approveFund(tx, market.world.rt.vault, id, who(WANG)));

test('the company of a fund can be put right until an account orders units, and never afterwards', async () => {
  await approve(await propose({ company: 'TA2' }));
  const back = await propose({ company: 'TA1' });
  const anna = await openHolder(market, 2);
  await deposit(market, anna, 10_000n);
  expect(await withConsent(market, anna, 'fund-subscription', { fund: CODE, amount: fen(10_000n) })).toBe('posted');
  // Proposed before the first order, and approved behind it.
  expect(await refusal(approve(back))).toBe('FUND_IN_USE');
  expect(await market.world.db.read('fund', (tx) => findFund(tx, CODE))).toMatchObject({ company: 'TA2' });
  await market.world.db.withTx('end', (tx) =>
    tx.write("UPDATE fund_proposals SET state = 'rejected', live = NULL WHERE id = ?", [back]),
  );
  expect(await refusal(propose({ company: 'TA1' }))).toBe('FUND_IN_USE');
  await approve(await propose({ company: 'TA2', sells: false }));
  expect(await market.world.db.read('fund', (tx) => findFund(tx, CODE))).toMatchObject({ company: 'TA2', sells: false });
}, 120_000);
