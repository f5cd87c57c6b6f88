import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { executeShard } from '../../src/instructions/index.js';
import type { Id } from '../../src/kernel/index.js';
import { addDays, type BusinessDate, instantOf, naturalDate, startOfDay } from '../../src/kernel/index.js';
import { boundPayer } from '../support/model/outside.js';
import { changeParameter, openCustomer, openElectronic, openMandate } from '../support/world/electronic.js';
import { openBook, outcomesOf, receive, startWorld, type TestBook, type World } from '../support/world/world.js';

const MORNING = Date.parse('2026-03-02T09:00:00+08:00');
const ROUNDS = 12;
const LIMIT = 1_000_000n;

interface Purse {
  readonly world: World;
  readonly book: TestBook;
  readonly account: Id;
  readonly mandate: Id;
}

/** An account with much money, and a mandate that covers whatever the law does. */
async function fill(world: World, customer: Id): Promise<Purse> {
  const book = await openBook(world, '2026-03-02');
  const account = await openElectronic(world, { platform: book.platformId, customer, class: 2, faceToFace: true });
  const much = 100_000_000n;
  const mandate = await openMandate(world, {
    ...{ platform: book.platformId, account, kinds: ['account-payment'], orders: true, payees: [] },
    ...{ paymentCap: much, totalCap: much, period: undefined, periodCap: undefined, expires: MORNING + 1e12 },
  });
  const data = {
    account: `acc_${account}`,
    amount: { amount: Number(much), currency: 'CNY' as const },
    payer: boundPayer(account),
    reference: `IN-${account}`,
  };
  await receive(world, [{ platform: book.platformId, origin: 'S', requestNo: `I-${account}`, kind: 'incoming-transfer', data }]);
  await executeShard(world.rt, world.shardId);
  return { world, book, account, mandate };
}

let requests = 0;

async function ask({ world, book, account, mandate }: Purse, amount: number): Promise<Id> {
  requests += 1;
  const data = {
    ...{ from: `acc_${account}`, to: { orderNo: `O-${requests}` }, mandate: `mdt_${mandate}` },
    amount: { amount, currency: 'CNY' as const },
  };
  const asked = { platform: book.platformId, origin: 'P' as const, requestNo: `R-${requests}`, kind: 'account-payment', data };
  const [receipt] = await receive(world, [asked]);
  if (receipt === undefined || 'refused' in receipt) throw new Error('it was not received');
  return receipt.id;
}

async function usedOf(world: World, customer: Id): Promise<bigint> {
  const [row] = await world.db.read('used', (tx) =>
    tx.rows<{ used: string }>('SELECT CAST(SUM(day_out) AS CHAR) AS used FROM limit_use WHERE customer_id = ? AND day = ?', [
      customer,
      naturalDate(world.clock.now()),
    ]),
  );
  return BigInt(row?.used ?? '0');
}

describe('two debits at the same moment never pass a limit together', () => {
  let one: World;
  let other: World;
  beforeAll(async () => {
    one = await startWorld(MORNING, 2);
    other = one.onShard(1, MORNING);
  });
  afterAll(() => one?.close());

  const nextDay = (round: number) => {
    const day = addDays(naturalDate(instantOf(MORNING)), round);
    for (const world of [one, other]) world.clock.advance(instantOf(startOfDay(day as BusinessDate) + 36_000_000));
  };

  it('of one account, by two workers on its shard', async () => {
    const customer = await openCustomer(one, undefined);
    const purse = await fill(one, customer);
    for (let round = 1; round <= ROUNDS; round += 1) {
      nextDay(round);
      const ids = [await ask(purse, 600_000), await ask(purse, 600_000), await ask(purse, 400_000)];
      await Promise.all([executeShard(one.rt, 0), executeShard(one.another(), 0)]);
      const results = await outcomesOf(one, ids);
      expect(ids.map((id) => results.get(id))).toEqual(['posted', 'LIMIT_OUT_DAY', 'posted']);
      const [use] = await one.db.read('use', (tx) =>
        tx.rows<{ day_out: string }>('SELECT day_out FROM limit_use WHERE account_id = ?', [purse.account]),
      );
      expect(BigInt(use?.day_out ?? '0')).toBe(LIMIT);
    }
  });

  it("of one customer's accounts on two shards, where the bank counts them together", async () => {
    const customer = await openCustomer(one, undefined);
    const purses = [await fill(one, customer), await fill(other, customer)];
    await changeParameter(one, 'limits.per-customer', '2026-03-20', 1n);
    const posted: number[] = [];
    for (let round = 20; round < 20 + ROUNDS; round += 1) {
      nextDay(round);
      const ids = await Promise.all(purses.map((purse) => ask(purse, 600_000)));
      await Promise.all([executeShard(one.rt, 0), executeShard(other.another(), 1)]);
      const results = await outcomesOf(one, ids);
      const told = ids.map((id) => results.get(id));
      expect([...told].sort()).toEqual(['LIMIT_OUT_DAY', 'posted']);
      posted.push(told.indexOf('posted'));
      expect(await usedOf(one, customer)).toBe(600_000n);
    }
    expect(posted).toHaveLength(ROUNDS);
  });
});
