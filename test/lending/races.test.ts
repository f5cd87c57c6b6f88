import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { executeShard } from '../../src/instructions/index.js';
import { asId, type Id } from '../../src/kernel/index.js';
import { BIDS_MAX } from '../../src/lending/index.js';
import { violations } from '../support/invariants.js';
import { openCustomer, openElectronic, openMandate } from '../support/world/electronic.js';
import { projectsOver, registerProject, signProject } from '../support/world/lending.js';
import {
  type Asked,
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
let borrower: Id;
let [lender, mandate] = [asId('0'), asId('0')];
let numbers = 0;

beforeAll(async () => {
  world = await startWorld(NINE);
  book = await openBook(world, '2026-03-02', 'lending');
  borrower = await openSub(world, book.platformId);
  const customer = await openCustomer(world, undefined);
  lender = await openElectronic(world, { platform: book.platformId, customer, class: 2, faceToFace: true });
  mandate = await openMandate(world, {
    ...{ platform: book.platformId, account: lender, kinds: ['bid'], orders: false, projects: true, payees: [] },
    ...{ paymentCap: 100_000n, totalCap: 1_000_000n, period: undefined, periodCap: undefined, expires: NINE + 86_400_000 },
  });
  const came = given('incoming-transfer', {
    ...{ account: `acc_${lender}`, amount: cny(1_000_000), reference: 'IN-1', payer: await boundTo(lender) },
  });
  expect(await outcomes([{ ...came, origin: 'S' }])).toEqual(['posted']);
});
afterAll(() => world?.close());

function given(kind: string, data: object, origin: 'P' | 'S' | 'O' = 'P', requestNo?: string): Asked {
  numbers += 1;
  return { platform: book.platformId, origin, requestNo: requestNo ?? `R-${numbers}`, kind, data: data as Asked['data'] };
}

async function boundTo(account: Id): Promise<{ name: string; account: string; bankCode: string }> {
  const [row] = await world.db.read('bound', (tx) =>
    tx.rows<{ holder_name: string; account_no: string; bank_code: string }>(
      'SELECT holder_name, account_no, bank_code FROM settlement_accounts WHERE account_id = ?',
      [account],
    ),
  );
  if (row === undefined) throw new Error('no bound account');
  const { vault } = world.rt;
  return { name: vault.read(row.holder_name), account: vault.read(row.account_no), bankCode: row.bank_code };
}

async function outcomes(
  asked: readonly Asked[],
  decide: () => Promise<unknown> = () => executeShard(world.rt, world.shardId),
): Promise<(string | undefined)[]> {
  const ids = (await receive(world, asked)).map((receipt) => ('id' in receipt ? receipt.id : asId('0')));
  await decide();
  const results = await outcomesOf(world, ids);
  return ids.map((id) => results.get(id));
}

const inTwo = () => Promise.all([executeShard(world.rt, world.shardId), executeShard(world.another(), world.shardId)]);

/** A project that takes bids. */
async function raising(amount: bigint, until = '2026-03-10'): Promise<{ id: Id; projectNo: string }> {
  numbers += 1;
  const projectNo = `LP-${numbers}`;
  const terms = { projectNo, borrower, amount, months: 3, rate: 120_000n, penaltyRate: 150_000n, method: 'annuity' as const };
  const more = { guarantor: undefined, lendFee: 100n, interestFee: 0n, least: undefined, most: undefined, until };
  const { id = '' } = await registerProject(world, book.platformId, { ...terms, ...more });
  expect(await signProject(world, asId(id), 'borrower', 'carol')).toBe('given');
  return { id: asId(id), projectNo };
}
const bid = (projectNo: string, amount: number) =>
  given('bid', { projectNo, account: `acc_${lender}`, amount: cny(amount), mandate: `mdt_${mandate}` });
const heldOf = async () =>
  (await world.db.read('held', (tx) => tx.rows<{ held: string }>('SELECT held FROM accounts WHERE id = ?', [lender])))[0]?.held;

describe('a project under many at once', () => {
  it('is never raised above its amount by a fen, and lent out once', async () => {
    const { projectNo } = await raising(1_000n);
    const bids = [400, 400, 201, 200, 1].map((amount) => bid(projectNo, amount));
    const became = await outcomes(bids, inTwo);
    expect(became.filter((each) => each === 'posted')).toHaveLength(3);
    expect(became).toEqual(['posted', 'posted', 'PROJECT_RAISED', 'posted', 'PROJECT_STATE']);
    const lend = () => given('lend-out', { projectNo });
    expect((await outcomes([lend(), lend(), lend()], inTwo)).sort()).toEqual(['PROJECT_STATE', 'PROJECT_STATE', 'posted']);
    expect(await violations(world.db, [book.platformId])).toEqual([]);
  });

  it('sees in one batch the bid, its cancellation and the lending out that came before', async () => {
    const { projectNo } = await raising(500n);
    const [first] = await receive(world, [bid(projectNo, 500)]);
    const id = first !== undefined && 'id' in first ? first.id : asId('0');
    const rest = [
      ...[given('bid-cancel', { bid: `bid_${id}`, amount: cny(1) }), given('lend-out', { projectNo }), bid(projectNo, 1)],
      ...[given('lend-out', { projectNo }), given('bid-cancel', { bid: `bid_${id}` })],
    ];
    expect(await outcomes(rest)).toEqual(['posted', 'PROJECT_STATE', 'posted', 'posted', 'BID_STATE']);
    expect(await violations(world.db, [book.platformId])).toEqual([]);
  });

  it('gives back a thousand bids at once when its time is over, and once, though the process died in between', async () => {
    const { id, projectNo } = await raising(BigInt(BIDS_MAX) + 5n, '2026-03-03');
    const before = await heldOf();
    const bids = Array.from({ length: BIDS_MAX + 1 }, () => bid(projectNo, 1));
    const became = await outcomes(bids);
    expect(became.filter((each) => each === 'posted')).toHaveLength(BIDS_MAX);
    expect(became.at(-1)).toBe('BIDS_MAX');
    world.clock.advance((Date.parse('2026-03-03T09:00:00+08:00') - 0) as never);
    const over = (await projectsOver(world, [book.platformId])).filter(({ data }) => data.projectNo === projectNo);
    expect(over).toHaveLength(1);
    const due = over.map((each) => given(each.kind, each.data, 'S', each.requestNo));
    await receive(world, due); // and here it dies
    expect(await outcomes(due, inTwo)).toEqual(['posted']);
    expect(await heldOf()).toBe(before);
    expect(await projectsOver(world, [book.platformId])).toEqual([]);
    expect(await violations(world.db, [book.platformId])).toEqual([]);
    expect(id).toBeDefined();
  });
});

describe('what a borrower may owe', () => {
  it('is not passed by two signatures at the same moment', async () => {
    const company = await openSub(world, book.platformId);
    const register = async (projectNo: string) => {
      const terms = { projectNo, borrower: company, amount: 60_000_000n, months: 3, rate: 0n, penaltyRate: 0n };
      const more = { method: 'bullet' as const, guarantor: undefined, lendFee: 0n, interestFee: 0n, least: undefined };
      const { id = '' } = await registerProject(world, book.platformId, {
        ...terms,
        ...more,
        most: undefined,
        until: '2026-03-20',
      });
      return asId(id);
    };
    const [one, two] = [await register('LP-A'), await register('LP-B')];
    const said = await Promise.all([signProject(world, one, 'borrower', 'carol'), signProject(world, two, 'borrower', 'dora')]);
    expect(said.sort()).toEqual(['PROJECT_CAP', 'given']);
  });
});
