import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { executeShard } from '../../src/instructions/index.js';
import { asId, type Id } from '../../src/kernel/index.js';
import { violations } from '../support/invariants.js';
import { confirmEscrow, dueOfDeals, openEscrow } from '../support/world/escrow.js';
import {
  type Asked,
  execute,
  openBook,
  openSub,
  outcomesOf,
  receive,
  startWorld,
  type TestBook,
  type World,
} from '../support/world/world.js';

const NINE = Date.parse('2026-03-02T09:00:00+08:00');
const cny = (amount: number) => ({ amount, currency: 'CNY' as const });
let world: World;
let book: TestBook;
let school: Id;
let numbers = 0;

beforeAll(async () => {
  world = await startWorld(NINE);
  book = await openBook(world, '2026-03-02');
  school = await openSub(world, book.platformId);
});
afterAll(() => world?.close());

const given = (kind: string, data: object, origin: 'P' | 'S' = 'P', requestNo?: string): Asked => {
  numbers += 1;
  return { platform: book.platformId, origin, requestNo: requestNo ?? `R-${numbers}`, kind, data: data as Asked['data'] };
};

/** A course of two lessons that is paid for, and whose first lesson the student has confirmed. */
async function confirmed(): Promise<{ escrow: Id; orderNo: string }> {
  const terms = { amounts: { price: 3n }, dates: { 'pay-by': '2026-03-05', end: '2026-06-01' }, counts: { lessons: 2 } };
  const parties = { student: '', school };
  const { id = '' } = await openEscrow(world, book.platformId, { template: 'supervised-prepayment', parties, ...terms });
  numbers += 1;
  const orderNo = `SO-${numbers}`;
  const payer = { name: '张三', account: '6222020000000000078', bankCode: '' };
  const paid = given('escrow-payment', { escrow: `esc_${id}`, orderNo, amount: cny(3), payer, reference: `IN-${numbers}` });
  const [receipt] = await receive(world, [paid]);
  const instruction = receipt !== undefined && 'id' in receipt ? receipt.id : asId('0');
  expect((await execute(world, [instruction])).get(instruction)).toBe('posted');
  expect(await confirmEscrow(world, asId(id), 'lesson-1', 'student', 'carol')).toBe('given');
  return { escrow: asId(id), orderNo };
}

const balanceOf = async (account: Id) =>
  (
    await world.db.read('balance', (tx) => tx.rows<{ balance: string }>('SELECT balance FROM accounts WHERE id = ?', [account]))
  )[0]?.balance;

async function outcomes(asked: readonly Asked[], decide: () => Promise<unknown>): Promise<(string | undefined)[]> {
  const ids = (await receive(world, asked)).map((receipt) => ('id' in receipt ? receipt.id : asId('0')));
  await decide();
  const results = await outcomesOf(world, ids);
  return ids.map((id) => results.get(id));
}

describe('a stage is let go once', () => {
  it('when two releases and the sweep race for it in two processes', async () => {
    const before = BigInt((await balanceOf(school)) ?? '0');
    const { escrow } = await confirmed();
    const due = (await dueOfDeals(world, [book.platformId])).filter((each) => each.escrow === escrow);
    expect(due).toHaveLength(1);
    const stage = { escrow: `esc_${escrow}`, stage: 'lesson-1' };
    const asked = [
      ...[given('escrow-release', stage), given('escrow-release', stage)],
      ...due.map(({ kind, data, requestNo }) => given(kind, data, 'S', requestNo)),
    ];
    const both = () => Promise.all([executeShard(world.rt, world.shardId), executeShard(world.another(), world.shardId)]);
    expect((await outcomes(asked, both)).sort()).toEqual(['ESCROW_STAGE_ENDED', 'ESCROW_STAGE_ENDED', 'posted']);
    expect(BigInt((await balanceOf(school)) ?? '0') - before).toBe(1n);
    expect(await violations(world.db, [book.platformId])).toEqual([]);
  });

  it('when the process dies between the confirmation and the release, and again between the instruction and its decision', async () => {
    const { escrow } = await confirmed();
    const mine = async () => (await dueOfDeals(world, [book.platformId])).filter((each) => each.escrow === escrow);
    // Whoever was to release it is gone; what is due stands in the tables alone.
    const [first] = await mine();
    if (first === undefined) throw new Error('nothing is due');
    const asked = given(first.kind, first.data, 'S', first.requestNo);
    const [received] = await receive(world, [asked]); // and here it dies again
    expect(await mine()).toEqual([first]);
    const [again] = await receive(world, [asked]);
    expect(again).toMatchObject({ id: (received as { id: Id }).id, replay: true });
    await executeShard(world.another(), world.shardId);
    expect([...(await outcomesOf(world, [(received as { id: Id }).id])).values()]).toEqual(['posted']);
    expect(await mine()).toEqual([]);
    expect(await violations(world.db, [book.platformId])).toEqual([]);
  });

  it('when it is released in the batch in which an exit of it is due', async () => {
    const { escrow, orderNo } = await confirmed();
    expect(await confirmEscrow(world, escrow, 'student-stops', 'student', 'carol')).toBe('given');
    const of = (stage: string) => ({ escrow: `esc_${escrow}`, stage });
    const asked = [
      ...[
        given('escrow-failure', of('lesson-1')),
        given('escrow-release', of('lesson-1')),
        given('escrow-release', of('lesson-2')),
      ],
      ...[given('escrow-failure', of('lesson-2')), given('escrow-refund', { escrow: `esc_${escrow}`, orderNo })],
      given('escrow-refund', { escrow: `esc_${escrow}`, orderNo }),
    ];
    expect(await outcomes(asked, () => executeShard(world.rt, world.shardId))).toEqual([
      ...['ESCROW_NOT_FAILED', 'posted', 'ESCROW_CONDITION_UNMET', 'posted', 'posted', 'ESCROW_NOTHING_BACK'],
    ]);
    expect(await violations(world.db, [book.platformId])).toEqual([]);
  });
});
