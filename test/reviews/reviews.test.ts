import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { executeShard } from '../../src/instructions/index.js';
import type { BusinessDate } from '../../src/kernel/index.js';
import { asId, type Id, instantOf, startOfDay } from '../../src/kernel/index.js';
import { loadAccounts } from '../../src/ledger/index.js';
import { findReview } from '../../src/reviews/index.js';
import { violations } from '../support/invariants.js';
import { approveAgreement, requireAgreements } from '../support/world/agreements.js';
import { endRuleFor, lapse, ruleFor, verdictOf } from '../support/world/reviews.js';
import {
  type Asked,
  changeState,
  execute,
  openBook,
  openDate,
  openSub,
  receive,
  startWorld,
  type TestBook,
  type World,
} from '../support/world/world.js';

const DAY = '2026-03-02' as BusinessDate;
const NEXT = '2026-03-03' as BusinessDate;
const yuan = (amount: number) => ({ amount: amount * 100, currency: 'CNY' as const });

let world: World;
let shards = 0;
beforeAll(async () => {
  world = await startWorld(startOfDay(DAY), 24);
});
afterAll(() => world?.close());

interface Stage {
  readonly world: World;
  readonly book: TestBook;
  readonly anna: Id;
  readonly ben: Id;
  give(kind: string, data: Asked['data'], origin?: Asked['origin']): Promise<{ id: Id; result: string }>;
  again(id: Id): Promise<string>;
  funds(id: Id): Promise<{ balance: bigint; held: bigint }>;
  sound(): Promise<void>;
}

/** A platform on a shard of its own, where anna has 100.00 that have cleared. */
async function stage(): Promise<Stage> {
  const own = world.onShard(shards++, startOfDay(DAY) + 9 * 3_600_000);
  const book = await openBook(own, DAY);
  const [anna, ben] = [await openSub(own, book.platformId), await openSub(own, book.platformId)];
  let number = 0;
  const give: Stage['give'] = async (kind, data, origin = 'P') => {
    number += 1;
    const asked = { platform: book.platformId as string, origin, requestNo: `R${number}`, kind, data };
    const [receipt] = await receive(own, [asked]);
    if (receipt === undefined || 'refused' in receipt) throw new Error('it was not received');
    return { id: receipt.id, result: (await execute(own, [receipt.id])).get(receipt.id) ?? 'not there' };
  };
  const payer = { name: '张三', account: '6222020000000000001' };
  await give('payment', { orderNo: 'O1', amount: yuan(100), payer, reference: 'IN-1' });
  await give('split', { orderNo: 'O1', lines: [{ account: `acc_${anna}`, amount: yuan(100) }] });
  await openDate(own, book, DAY, NEXT);
  own.clock.advance(instantOf(startOfDay(NEXT) + 9 * 3_600_000));
  return {
    ...{ world: own, book, anna, ben, give },
    again: async (id) => (await execute(own, [id])).get(id) ?? 'not there',
    async funds(id) {
      const account = (await own.db.read('funds', (tx) => loadAccounts(tx, [id], () => NEXT))).get(id);
      return { balance: account?.balance ?? -1n, held: account?.held ?? -1n };
    },
    async sound() {
      expect(await violations(own.db, [book.platformId])).toEqual([]);
    },
  };
}

const withdraw = (account: Id, amount: number): Asked['data'] => ({ account: `acc_${account}`, amount: yuan(amount) });

describe('an instruction in review', () => {
  it('has posted nothing, its money is held and is still its owner’s, until two different people approve it', async () => {
    const at = await stage();
    await ruleFor(at.world, at.book.platformId, ['withdrawal'], { by: 'amount', above: 50_00n });
    expect((await at.give('withdrawal', withdraw(at.anna, 50))).result).toBe('posted');
    const { id, result } = await at.give('withdrawal', withdraw(at.anna, 50.01 as number));
    expect(result).toBe('FUNDS_INSUFFICIENT'); // what cannot be posted is looked at by nobody
    await at.sound();
    expect(await verdictOf(at.world, id, 'anne', 'approve')).toBe('NOT_FOUND');
  });

  it('is executed after the second approval, and only once', async () => {
    const at = await stage();
    await ruleFor(at.world, at.book.platformId, ['withdrawal'], { by: 'amount', above: 50_00n });
    const { id, result } = await at.give('withdrawal', withdraw(at.anna, 60));
    expect(result).toBe('undecided');
    expect(await at.funds(at.anna)).toEqual({ balance: 100_00n, held: 60_00n });
    await at.sound();
    // Nobody else has that money meanwhile.
    expect((await at.give('withdrawal', withdraw(at.anna, 41))).result).toBe('FUNDS_INSUFFICIENT');
    expect(await verdictOf(at.world, id, 'anne', 'approve')).toBe('open');
    expect(await verdictOf(at.world, id, 'anne', 'approve')).toBe('SAME_OPERATOR');
    expect(await at.again(id)).toBe('undecided');
    expect(await verdictOf(at.world, id, 'bert', 'approve')).toBe('approved');
    expect(await verdictOf(at.world, id, 'cleo', 'approve')).toBe('REVIEW_DECIDED');
    expect(await at.again(id)).toBe('posted');
    expect(await at.funds(at.anna)).toEqual({ balance: 40_00n, held: 0n });
    await at.sound();
    const view = await at.world.db.read('review', (tx) => findReview(tx, id));
    expect(view).toMatchObject({
      review: { state: 'approved', reasons: [{ by: 'amount', figures: { amount: '6000', above: '5000' } }] },
    });
    expect(view?.outcome).toEqual({ state: 'posted', code: null });
  });

  it('is refused when one rejects it, whoever approved before, and its money is free', async () => {
    const at = await stage();
    await ruleFor(at.world, at.book.platformId, ['withdrawal'], { by: 'amount', above: 50_00n });
    const { id } = await at.give('withdrawal', withdraw(at.anna, 60));
    expect(await verdictOf(at.world, id, 'anne', 'approve')).toBe('open');
    expect(await verdictOf(at.world, id, 'bert', 'reject')).toBe('rejected');
    expect(await at.again(id)).toBe('REVIEW_REJECTED');
    expect(await at.funds(at.anna)).toEqual({ balance: 100_00n, held: 0n });
    await at.sound();
  });

  it.each(['refuse', 'execute'] as const)('ends at its deadline as its rule says: %s', async (onDeadline) => {
    const at = await stage();
    await ruleFor(at.world, at.book.platformId, ['withdrawal'], { by: 'amount', above: 0n }, { minutes: 30, onDeadline });
    const { id } = await at.give('withdrawal', withdraw(at.anna, 60));
    at.world.clock.advance(instantOf(at.world.clock.now() + 30 * 60_000 - 1));
    expect(await lapse(at.world)).toBe(0);
    at.world.clock.advance(instantOf(at.world.clock.now() + 1));
    // Past its deadline nobody decides any more, though no sweep has been there yet.
    expect(await verdictOf(at.world, id, 'anne', 'approve')).toBe('REVIEW_DECIDED');
    expect(await lapse(at.world)).toBe(1);
    expect(await lapse(at.world)).toBe(0);
    expect(await at.again(id)).toBe(onDeadline === 'execute' ? 'posted' : 'REVIEW_LAPSED');
    expect((await at.funds(at.anna)).held).toBe(0n);
    await at.sound();
  });

  it('is still refused where something else is against it when it is decided anew', async () => {
    const at = await stage();
    await ruleFor(at.world, at.book.platformId, ['withdrawal'], { by: 'amount', above: 0n });
    const { id } = await at.give('withdrawal', withdraw(at.anna, 60));
    await changeState(at.world, at.anna, 'frozen');
    await verdictOf(at.world, id, 'anne', 'approve');
    await verdictOf(at.world, id, 'bert', 'approve');
    expect(await at.again(id)).toBe('ACCOUNT_FROZEN');
    expect(await at.funds(at.anna)).toEqual({ balance: 100_00n, held: 0n });
    await at.sound();
  });

  it.each(['account_no', 'holder_name'])(
    'pays nobody whom people did not look at: another %s was bound between',
    async (field) => {
      const at = await stage();
      await ruleFor(at.world, at.book.platformId, ['withdrawal'], { by: 'amount', above: 50_00n });
      const { id } = await at.give('withdrawal', withdraw(at.anna, 60));
      await verdictOf(at.world, id, 'anne', 'approve');
      await at.world.db.withTx('bind another', (tx) =>
        tx.write(`UPDATE settlement_accounts SET ${field} = ? WHERE account_id = ?`, ['6222020000000001230', at.anna]),
      );
      expect(await verdictOf(at.world, id, 'bert', 'approve')).toBe('approved');
      expect(await at.again(id)).toBe('REVIEW_OVERTAKEN');
      expect(await at.funds(at.anna)).toEqual({ balance: 100_00n, held: 0n });
      // Given anew it is looked at as it is now.
      const anew = await at.give('withdrawal', withdraw(at.anna, 60));
      for (const who of ['anne', 'bert'] as const) await verdictOf(at.world, anew.id, who, 'approve');
      expect(await at.again(anew.id)).toBe('posted');
      await at.sound();
    },
  );

  it('stays in review when its rule ends, and what comes after is executed at once', async () => {
    const at = await stage();
    const rule = await ruleFor(at.world, at.book.platformId, ['withdrawal'], { by: 'amount', above: 0n });
    const { id } = await at.give('withdrawal', withdraw(at.anna, 60));
    await endRuleFor(at.world, rule);
    expect((await at.give('withdrawal', withdraw(at.anna, 30))).result).toBe('posted');
    expect(await at.again(id)).toBe('undecided');
    await verdictOf(at.world, id, 'anne', 'approve');
    await verdictOf(at.world, id, 'bert', 'approve');
    expect(await at.again(id)).toBe('posted');
    await at.sound();
  });

  it('is not approved by the member of staff who gave it', async () => {
    const at = await stage();
    await ruleFor(at.world, at.book.platformId, ['withdrawal'], { by: 'amount', above: 0n });
    const { id } = await at.give('withdrawal', withdraw(at.anna, 60), 'O');
    await at.world.db.withTx('actor', (tx) =>
      tx.write("UPDATE instructions SET actor = 'opr_1000000000000000071' WHERE id = ?", [id]),
    );
    expect(await verdictOf(at.world, id, 'anne', 'approve')).toBe('SAME_OPERATOR');
    expect(await verdictOf(at.world, id, 'anne', 'reject')).toBe('SAME_OPERATOR');
    await at.sound();
  });
});

describe('of several at once', () => {
  it('two different people who approve at the same moment are two approvals, and the instruction is decided once', async () => {
    const at = await stage();
    await ruleFor(at.world, at.book.platformId, ['withdrawal'], { by: 'amount', above: 0n });
    const { id } = await at.give('withdrawal', withdraw(at.anna, 60));
    const said = await Promise.all((['anne', 'bert'] as const).map((who) => verdictOf(at.world, id, who, 'approve')));
    expect(said.sort()).toEqual(['approved', 'open']);
    await Promise.all([executeShard(at.world.rt, at.world.shardId), executeShard(at.world.another(), at.world.shardId)]);
    expect(await at.again(id)).toBe('posted');
    expect(await at.funds(at.anna)).toEqual({ balance: 40_00n, held: 0n });
    await at.sound();
  });

  it('one person who clicks twice at the same moment is one approval', async () => {
    const at = await stage();
    await ruleFor(at.world, at.book.platformId, ['withdrawal'], { by: 'amount', above: 0n });
    const { id } = await at.give('withdrawal', withdraw(at.anna, 60));
    const said = await Promise.all([1, 2].map(() => verdictOf(at.world, id, 'anne', 'approve')));
    expect(said.sort()).toEqual(['SAME_OPERATOR', 'open']);
    expect(await at.again(id)).toBe('undecided');
    await at.sound();
  });

  it('an approval and a rejection, or an approval and the deadline, end it once', async () => {
    const at = await stage();
    await ruleFor(at.world, at.book.platformId, ['withdrawal'], { by: 'amount', above: 0n }, { minutes: 10 });
    const first = await at.give('withdrawal', withdraw(at.anna, 20));
    const second = await at.give('withdrawal', withdraw(at.anna, 30));
    for (const { id } of [first, second]) await verdictOf(at.world, id, 'anne', 'approve');
    const said = await Promise.all([
      verdictOf(at.world, first.id, 'bert', 'approve'),
      verdictOf(at.world, first.id, 'cleo', 'reject'),
    ]);
    expect(said.filter((each) => each === 'REVIEW_DECIDED')).toHaveLength(1);
    at.world.clock.advance(instantOf(at.world.clock.now() + 10 * 60_000));
    const [verdict, lapsed, again] = await Promise.all([
      verdictOf(at.world, second.id, 'bert', 'approve'),
      lapse(at.world),
      lapse(at.world),
    ]);
    expect([verdict, lapsed + again]).toEqual(['REVIEW_DECIDED', 1]);
    expect(await at.again(second.id)).toBe('REVIEW_LAPSED');
    expect((await at.funds(at.anna)).held).toBe(0n);
    await at.sound();
  });
});

describe('the rules look at', () => {
  it('somebody who is paid for the first time, by what stands in the books of any day', async () => {
    const at = await stage();
    await at.world.db.withTx('terms', (tx) =>
      tx.write('UPDATE books SET transfer_max = 1000000 WHERE platform_id = ?', [at.book.platformId]),
    );
    const cleo = await openSub(at.world, at.book.platformId);
    const to = (account: Id, amount: number): Asked['data'] => ({
      from: `acc_${at.anna}`,
      to: `acc_${account}`,
      amount: yuan(amount),
    });
    expect((await at.give('transfer', to(at.ben, 1))).result).toBe('posted');
    await ruleFor(at.world, at.book.platformId, ['transfer'], { by: 'new-payee' });
    expect((await at.give('transfer', to(at.ben, 2))).result).toBe('posted');
    const { id, result } = await at.give('transfer', to(cleo, 3));
    expect(result).toBe('undecided');
    expect((await at.give('transfer', to(cleo, 4))).result).toBe('undecided'); // nobody approved the first yet
    await verdictOf(at.world, id, 'anne', 'approve');
    await verdictOf(at.world, id, 'bert', 'approve');
    expect(await at.again(id)).toBe('posted');
    expect((await at.give('transfer', to(cleo, 5))).result).toBe('posted');
    await at.sound();
  });

  it('how often and how much goes out of an account, or on the platform, within minutes and on a day', async () => {
    const at = await stage();
    const velocity = { by: 'velocity', per: 'account', within: 10, times: 2, sum: null } as const;
    await ruleFor(at.world, at.book.platformId, ['withdrawal'], velocity);
    await ruleFor(at.world, at.book.platformId, ['withdrawal'], {
      ...velocity,
      per: 'platform',
      within: 'day',
      times: null,
      sum: 30_00n,
    });
    for (const amount of [1, 2]) expect((await at.give('withdrawal', withdraw(at.anna, amount))).result).toBe('posted');
    const { id, result } = await at.give('withdrawal', withdraw(at.anna, 3));
    expect(result).toBe('undecided');
    const view = await at.world.db.read('review', (tx) => findReview(tx, id));
    expect(view?.review.reasons).toMatchObject([{ by: 'velocity', figures: { within: 10, times: 3, timesMax: 2 } }]);
    at.world.clock.advance(instantOf(at.world.clock.now() + 11 * 60_000));
    expect((await at.give('withdrawal', withdraw(at.anna, 27))).result).toBe('posted'); // 30.00 of the day
    expect((await at.give('withdrawal', withdraw(at.anna, 1))).result).toBe('undecided');
    await at.sound();
  });

  it('an account that pays out to another card than the last time', async () => {
    const at = await stage();
    await ruleFor(at.world, at.book.platformId, ['withdrawal'], { by: 'changed-account' });
    expect((await at.give('withdrawal', withdraw(at.anna, 1))).result).toBe('posted'); // there was no other before
    await at.world.db.withTx('card', (tx) =>
      tx.write("UPDATE settlement_accounts SET account_no = '6222020000000000999' WHERE account_id = ?", [at.anna]),
    );
    const { id, result } = await at.give('withdrawal', withdraw(at.anna, 2));
    expect(result).toBe('undecided');
    await verdictOf(at.world, id, 'anne', 'approve');
    await verdictOf(at.world, id, 'bert', 'approve');
    expect(await at.again(id)).toBe('posted');
    expect((await at.give('withdrawal', withdraw(at.anna, 3))).result).toBe('posted');
    await at.sound();
  });

  it('names and numbers of the watch list', async () => {
    const at = await stage();
    await at.world.db.withTx('terms', (tx) =>
      tx.write('UPDATE books SET transfer_max = 1000000 WHERE platform_id = ?', [at.book.platformId]),
    );
    await ruleFor(at.world, at.book.platformId, ['transfer', 'withdrawal'], { by: 'list-hit' });
    const data = { from: `acc_${at.anna}`, to: `acc_${at.ben}`, amount: yuan(1) };
    expect((await at.give('transfer', data)).result).toBe('posted');
    const index = at.world.rt.vault.index('name', '户名');
    await at.world.db.withTx('list', (tx) =>
      tx.write(
        'INSERT INTO watch_entries (entry_key, list_no, id_type, id_index, name_index, entry_sealed) VALUES (?, 1, NULL, NULL, ?, ?)',
        [index, index, 'x'],
      ),
    );
    expect((await at.give('transfer', data)).result).toBe('posted');
    expect((await at.give('withdrawal', withdraw(at.anna, 1))).result).toBe('undecided'); // the holder of the card is named so
    const party = await at.world.db.read('party', (tx) =>
      tx.rows<{ id_type: string; id_index: Buffer }>(
        'SELECT p.id_type, p.id_index FROM parties AS p JOIN sub_merchants AS m ON m.party_id = p.id WHERE m.account_id = ?',
        [at.ben],
      ),
    );
    await at.world.db.withTx('list', (tx) =>
      tx.write(
        'INSERT INTO watch_entries (entry_key, list_no, id_type, id_index, name_index, entry_sealed) VALUES (?, 1, ?, ?, NULL, ?)',
        [party[0]?.id_index, party[0]?.id_type, party[0]?.id_index, 'x'],
      ),
    );
    expect((await at.give('transfer', data)).result).toBe('undecided');
    await at.world.db.withTx('list', (tx) => tx.write('DELETE FROM watch_entries'));
    await at.sound();
  });
});

describe('a split off the rule of its agreement', () => {
  const at = async (most: number | undefined) => {
    const own = await stage();
    const { world: of, book, anna, ben } = own;
    await requireAgreements(of, book.platformId);
    const commission = book.accounts.commission;
    const lines = [
      { to: commission as string, bp: 1_000n, of: 'whole' as const, max: undefined },
      { to: ben as string, bp: 500n, of: 'whole' as const, max: undefined },
    ];
    const terms = { orderMax: undefined, dayMax: undefined, feeMax: undefined, from: DAY, until: undefined, named: undefined };
    await approveAgreement(of, book.platformId, { seller: anna, lines, others: 3_000n, ...terms } as never, commission);
    if (most !== undefined) await ruleFor(of, book.platformId, ['split'], { by: 'deviation', most });
    const payer = { name: '张三', account: '6222020000000000001' };
    const items = [{ item: 'milk', seller: `acc_${anna}`, name: 'milk', quantity: 1, price: yuan(100), category: 'goods' }];
    const background = { buyer: 'lily', items };
    await own.give('payment', { orderNo: 'O2', amount: yuan(100), payer, reference: 'IN-2', background } as never);
    const split = (toAnna: number, toBen: number, toPlatform: number) =>
      own.give('split', {
        orderNo: 'O2',
        lines: [
          [anna, toAnna],
          [ben, toBen],
          [commission, toPlatform],
        ].map(([id, amount]) => ({ account: `acc_${id}`, amount: yuan(amount as number) })),
      });
    return { ...own, split, commission };
  };

  it('is refused where no rule speaks of it, or it is further off than the rule lets it be, or another whole', async () => {
    const none = await at(undefined);
    expect((await none.split(80, 10, 10)).result).toBe('SPLIT_OFF_RULE');
    const some = await at(500);
    expect((await some.split(79, 11, 10)).result).toBe('SPLIT_OFF_RULE');
    expect((await some.split(80, 10, 9)).result).toBe('SPLIT_OFF_RULE');
    expect((await some.split(85, 5, 10)).result).toBe('posted'); // as the rule has it
  });

  it('is posted as the platform said once two people want it so, and not beyond the cap on others', async () => {
    const own = await at(2_000);
    expect((await own.split(69, 21, 10)).result).toBe('SPLIT_OVER_CAP');
    const { id, result } = await own.split(70, 20, 10);
    expect(result).toBe('undecided');
    const view = await own.world.db.read('review', (tx) => findReview(tx, id));
    expect(view?.review.reasons).toMatchObject([{ by: 'deviation', figures: { deviation: 1_500, most: 2_000 } }]);
    await verdictOf(own.world, id, 'anne', 'approve');
    await verdictOf(own.world, id, 'bert', 'approve');
    expect(await own.again(id)).toBe('posted');
    expect((await own.funds(own.ben)).balance).toBe(20_00n);
    expect((await own.funds(own.commission)).balance).toBe(10_00n);
    expect((await own.funds(own.anna)).balance).toBe(170_00n);
    await own.sound();
  });
});

it('of a batch decides those that depend on each other in their order, and holds what is to be looked at', async () => {
  const at = await stage();
  const { platformId } = at.book;
  await ruleFor(at.world, platformId, ['split'], { by: 'amount', above: 50_00n });
  await ruleFor(at.world, platformId, ['split', 'withdrawal'], { by: 'new-payee' });
  await ruleFor(at.world, platformId, ['split'], { by: 'velocity', per: 'platform', within: 'day', times: 3, sum: null });
  const payer = { name: '张三', account: '6222020000000000001' };
  const asked = [10, 60, 20, 30, 40].flatMap((amount, place): Asked[] => {
    const of = { platform: platformId as string, origin: 'P' as const };
    const orderNo = `B${place}`;
    const lines = [{ account: `acc_${at.ben}`, amount: yuan(amount) }];
    return [
      {
        ...of,
        requestNo: `P${place}`,
        kind: 'payment',
        data: { orderNo, amount: yuan(amount), payer, reference: `IN-${orderNo}` },
      },
      { ...of, requestNo: `S${place}`, kind: 'split', data: { orderNo, lines } },
    ];
  });
  const ids = (await receive(at.world, asked)).map((receipt) => ('id' in receipt ? receipt.id : asId('0')));
  const results = await execute(at.world, ids);
  const splits = ids.filter((_, place) => place % 2 === 1).map((id) => results.get(id));
  expect(splits).toEqual(['posted', 'undecided', 'posted', 'posted', 'undecided']);
  expect((await at.funds(at.ben)).balance).toBe(60_00n);
  await at.sound();
});

it('every step of a review stands in the audit trail', async () => {
  const at = await stage();
  await ruleFor(at.world, at.book.platformId, ['withdrawal'], { by: 'amount', above: 0n }, { minutes: 1 });
  const { id } = await at.give('withdrawal', withdraw(at.anna, 60));
  at.world.clock.advance(instantOf(at.world.clock.now() + 60_000));
  await lapse(at.world);
  const steps = await at.world.db.read('audit', (tx) =>
    tx.rows<{ action: string; operator_id: string }>(
      'SELECT action, operator_id FROM audit_entries WHERE target = ? ORDER BY action',
      [`review ins_${id}`],
    ),
  );
  expect(steps).toEqual([
    { action: 'review asked', operator_id: '0' },
    { action: 'review lapsed', operator_id: '0' },
  ]);
  expect(asId(id)).toBe(id);
});
