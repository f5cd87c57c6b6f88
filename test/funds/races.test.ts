import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  confirmationGiven,
  incomeGiven,
  proceedsGiven,
  proceedsPaid,
  settlementGiven,
} from '../../src/fund-exchange/instruct.js';
import { findFundOrder, listHoldings } from '../../src/funds/index.js';
import { executeShard } from '../../src/instructions/index.js';
import { type BusinessDate, type Id, instantOf } from '../../src/kernel/index.js';
import { boundPayer } from '../support/model/outside.js';
import { openCustomer, openElectronic, openMandate } from '../support/world/electronic.js';
import { openFund, sendOrders, tellDay } from '../support/world/funds.js';
import { openBook, outcomesOf, receive, startWorld, type TestBook, type World } from '../support/world/world.js';

const MORNING = Date.parse('2026-03-02T09:00:00+08:00');
const cny = (amount: number) => ({ amount, currency: 'CNY' as const });
const date = (text: string) => text as BusinessDate;

interface Pot {
  readonly world: World;
  readonly book: TestBook;
  readonly account: Id;
  readonly mandate: Id;
}

let requests = 0;

async function give(
  { world, book }: Pick<Pot, 'world' | 'book'>,
  origin: 'P' | 'S' | 'O',
  kind: string,
  data: object,
): Promise<Id> {
  requests += 1;
  const asked = { platform: book.platformId, origin, requestNo: `R-${requests}`, kind, data: data as never };
  const [receipt] = await receive(world, [asked]);
  if (receipt === undefined || 'refused' in receipt) throw new Error(`${kind} was not received`);
  return receipt.id;
}

/** An account for which 15,000.00 of a money fund are bought, on a book where the bank has 50,000.00 to advance. In the morning. */
async function buy(world: World, customer: Id, fund: string): Promise<Pot & { bought: Id }> {
  const book = await openBook(world, '2026-03-02');
  const account = await openElectronic(world, { platform: book.platformId, customer, class: 2, faceToFace: true });
  const mandate = await openMandate(world, {
    ...{
      platform: book.platformId,
      account,
      kinds: ['fund-subscription', 'fund-redemption'],
      orders: false,
      funds: true,
      payees: [],
    },
    ...{ paymentCap: 100_000_000n, totalCap: 100_000_000n, period: undefined, periodCap: undefined, expires: MORNING + 1e12 },
  });
  const pot = { world, book, account, mandate };
  const paidIn = { account: `acc_${account}`, amount: cny(2_000_000), payer: boundPayer(account), reference: `IN-${account}` };
  await give(pot, 'S', 'incoming-transfer', paidIn);
  await give(pot, 'O', 'fund-advance', { direction: 'in', amount: cny(5_000_000), reference: `ADV-${account}` });
  const bought = await give(pot, 'P', 'fund-subscription', {
    ...{ account: `acc_${account}`, fund, amount: cny(1_500_000), mandate: `mdt_${mandate}` },
  });
  await executeShard(world.rt, world.shardId);
  return { ...pot, bought };
}

/** The afternoon comes, the orders go to the company, and it confirms them. */
async function confirm(world: World, pots: readonly (Pot & { bought: Id })[]): Promise<void> {
  world.clock.advance(instantOf(MORNING + 6 * 3_600_000));
  expect(
    await sendOrders(
      world,
      pots.map(({ book }) => book.platformId),
    ),
  ).toEqual(pots.map(({ bought }) => bought));
  for (const pot of pots) {
    const order = { id: pot.bought, platformId: pot.book.platformId, attempts: 1 };
    const what = { confirmDate: date('2026-03-03'), nav: 10_000n, units: 1_500_000n, amount: 1_500_000n };
    const confirmed = await give(pot, 'S', 'fund-confirmation', JSON.parse(confirmationGiven(order, what, 0).body));
    await executeShard(world.rt, world.shardId);
    expect((await outcomesOf(world, [confirmed])).get(confirmed)).toBe('posted');
  }
}

const redeem = (pot: Pot, fund: string, units: number, way = 'fast') =>
  give(pot, 'P', 'fund-redemption', {
    account: `acc_${pot.account}`,
    fund,
    units: String(units),
    way,
    mandate: `mdt_${pot.mandate}`,
  });

describe('redemptions at the same moment', () => {
  let one: World;
  let other: World;
  beforeAll(async () => {
    one = await startWorld(MORNING, 2);
    other = one.onShard(1, MORNING);
  });
  afterAll(() => one?.close());

  it('never pass the cap of a customer together, on whatever shards his accounts stand, and take no unit twice', async () => {
    const funds = ['000101', '000102', '000103', '000104', '000105', '000106'];
    const pots: (readonly [Pot & { bought: Id }, Pot & { bought: Id }])[] = [];
    for (const fund of funds) {
      await openFund(one, fund, { kind: 'money', settlesIn: 1, sells: true });
      const customer = await openCustomer(one, undefined);
      pots.push([await buy(one, customer, fund), await buy(other, customer, fund)]);
    }
    await confirm(
      one,
      pots.map(([pot]) => pot),
    );
    await confirm(
      other,
      pots.map(([, pot]) => pot),
    );
    for (const [place, [mine, there]] of pots.entries()) {
      const fund = funds[place] as string;
      const ids = [await redeem(mine, fund, 600_000), await redeem(there, fund, 600_000)];
      await Promise.all([executeShard(one.rt, 0), executeShard(other.rt, 1)]);
      const results = await outcomesOf(one, ids);
      expect(ids.map((id) => results.get(id)).sort()).toEqual(['FUND_FAST_LIMIT', 'posted']);
      const [use] = await one.db.read('use', (tx) =>
        tx.rows<{ used: string }>('SELECT used FROM fund_fast_uses WHERE fund_code = ?', [fund]),
      );
      expect(use?.used).toBe('600000');
    }
    // On one account, by two workers on its shard.
    const [[pot]] = pots as [(typeof pots)[number]];
    const free = await freeUnitsOf(one, pot.account);
    const ids = [await redeem(pot, '000101', free, 'ordinary'), await redeem(pot, '000101', 1, 'ordinary')];
    await Promise.all([executeShard(one.rt, 0), executeShard(one.another(), 0)]);
    const results = await outcomesOf(one, ids);
    expect(ids.map((id) => results.get(id))).toEqual(['posted', 'FUND_UNITS_SHORT']);
  });
});

/** Units that nothing has taken yet. */
async function freeUnitsOf(world: World, account: Id): Promise<number> {
  const [holding] = await world.db.read('holdings', (tx) => listHoldings(tx, { accountId: account }, 1));
  return Number((holding?.units ?? 0n) - (holding?.frozen ?? 0n));
}

describe('what the company says', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld(MORNING);
  });
  afterAll(() => world?.close());

  it('makes instructions that act once, however often it is given', async () => {
    const fund = '000300';
    await openFund(world, fund, { kind: 'money', settlesIn: 1, sells: true });
    const pot = await buy(world, await openCustomer(world, undefined), fund);
    await confirm(world, [pot]);
    const { book, account } = pot;
    const order = await redeem(pot, fund, 400_000, 'ordinary');
    await executeShard(world.rt, 0);
    world.clock.advance(instantOf(MORNING + 30 * 3_600_000));
    expect(await sendOrders(world, [book.platformId])).toEqual([order]);
    world.clock.advance(instantOf(MORNING + 48 * 3_600_000));
    expect(await tellDay(world, { fund, date: '2026-03-03', from: '2026-03-03', nav: 10_000n, per10k: 10_000n })).toBe('taken');
    const sent = { id: order, platformId: book.platformId, attempts: 1 };
    const what = { confirmDate: date('2026-03-04'), nav: 10_000n, units: 400_000n, amount: 400_000n };
    const proceeds = { reference: 'FR-1', amount: 400_000n };
    const words = [
      incomeGiven({ platformId: book.platformId, accountId: account, fund }, date('2026-03-03'), 150n, 0),
      confirmationGiven(sent, what, 0),
      proceedsGiven({ ...sent, fund }, proceeds, 0),
      proceedsPaid(sent, 0),
    ];
    for (const { origin, requestNo, kind, body } of words) {
      const asked = { platform: book.platformId, origin, requestNo, kind, data: JSON.parse(body) };
      const [first] = await receive(world, [asked]);
      const [again] = await receive(world, [asked]);
      if (first === undefined || 'refused' in first || again === undefined || 'refused' in again) throw new Error('not received');
      expect(again).toMatchObject({ id: first.id, replay: true });
      await executeShard(world.rt, 0);
      expect((await outcomesOf(world, [first.id])).get(first.id)).toBe('posted');
    }
    const [holding] = await world.db.read('holdings', (tx) => listHoldings(tx, { accountId: account }, 10));
    expect(holding).toMatchObject({ units: 1_100_150n, frozen: 0n, due: 0n, income: 150n, incomeTo: '2026-03-03' });
    const settled = await world.db.read('order', (tx) => findFundOrder(tx, order));
    expect(settled).toMatchObject({ state: 'settled', amount: 400_000n, collected: 0n });
  });

  it('names a settlement by what it settles and how that stands', async () => {
    const fund = '000300';
    const [holding] = await world.db.read('holdings', (tx) => listHoldings(tx, { fund }, 1));
    expect(holding).toBeDefined();
    const rows = await world.db.read('orders', (tx) =>
      tx.rows<{ id: Id }>("SELECT id FROM fund_orders WHERE fund_code = ? AND direction = 'subscription'", [fund]),
    );
    const order = await world.db.read('order', (tx) => findFundOrder(tx, rows[0]?.id as Id));
    if (order === undefined) throw new Error('no purchase');
    expect(settlementGiven([order], 0).requestNo).toBe(settlementGiven([order], 0).requestNo);
    const changed = { ...order, changedMs: instantOf(order.changedMs + 1) };
    expect(settlementGiven([changed], 0).requestNo).not.toBe(settlementGiven([order], 0).requestNo);
  });
});
