import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { executeShard } from '../../src/instructions/index.js';
import { asId, type Id } from '../../src/kernel/index.js';
import { closeNext, type Market, openMarket } from '../clearing/market.js';
import { ruleFor, verdictOf } from '../support/world/reviews.js';

let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterAll(() => market?.end());

const inReview = async (): Promise<Id[]> => {
  const rows = await market.world.db.read('reviews', (tx) =>
    tx.rows<{ instruction_id: string }>("SELECT instruction_id FROM reviews WHERE state = 'open' ORDER BY instruction_id"),
  );
  return rows.map((row) => asId(row.instruction_id));
};

describe('the clearing of a day', () => {
  it('closes while people look at what it would pay to a changed account, pays it when they approve, and is proved', async () => {
    const { platformId, world } = market;
    await market.pay('A', 500n);
    await market.split('A', [
      [market.here, 200n],
      [market.there, 300n],
    ]);
    await ruleFor(world, platformId, ['clearing', 'withdrawal'], { by: 'changed-account' }, { minutes: 10_000 });
    expect((await closeNext(market))[0]?.state).toBe('closed');
    await world.db.withTx('another card', (tx) =>
      tx.write("UPDATE settlement_accounts SET account_no = '6222020000000000003' WHERE account_id = ?", [market.here]),
    );
    await market.pay('B', 70n);
    await market.split('B', [
      [market.here, 40n],
      [market.there, 30n],
    ]);
    expect((await closeNext(market))[0]?.state).toBe('closed');
    const [id, another] = await inReview();
    expect(another).toBeUndefined();
    expect(await market.balance(market.here)).toBe(40n);
    expect(await market.balance(market.there)).toBe(0n);
    expect(await market.wrongs()).toEqual([]);

    // The next clearing leaves what is held.
    await market.pay('C', 10n);
    expect((await closeNext(market))[0]?.state).toBe('closed');
    expect(await inReview()).toEqual([id]);

    for (const who of ['anne', 'bert'] as const) await verdictOf(world, id as Id, who, 'approve');
    await executeShard(world.rt, (await market.book()).shardId);
    expect(await market.balance(market.here)).toBe(0n);
    expect((await closeNext(market))[0]?.state).toBe('closed');
    expect((await closeNext(market))[0]?.state).toBe('closed');
    const paid = (await market.payouts()).filter(({ sourceAccountId }) => sourceAccountId === market.here);
    expect(paid.map(({ amount, state }) => [amount, state]).sort()).toEqual([
      [200n, 'settled'],
      [40n, 'settled'],
    ]);
    expect(await market.wrongs()).toEqual([]);
  });
});
