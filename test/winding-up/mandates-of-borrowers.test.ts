import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { executeShard } from '../../src/instructions/index.js';
import { asId, type BusinessDate, type Id } from '../../src/kernel/index.js';
import { loadBook } from '../../src/ledger/index.js';
import { findProject } from '../../src/lending/index.js';
import { projectReturns } from '../../src/winding-up/lending.js';
import { violations } from '../support/invariants.js';
import { boundPayer } from '../support/model/outside.js';
import { openCustomer, openElectronic, openMandate } from '../support/world/electronic.js';
import { registerProject, signProject } from '../support/world/lending.js';
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

/* 2 March 2026: a person borrows 1,000.00 of one lender for a month at no interest. On 2 April all of it is due, and the bank collects it. */
const NINE = Date.parse('2026-03-02T09:00:00+08:00');
const DUE = '2026-04-02' as BusinessDate;
const cny = (amount: bigint) => ({ amount: Number(amount), currency: 'CNY' as const });
let world: World;
let book: TestBook;
let [lender, bids, borrower] = [asId('0'), asId('0'), asId('0')];
let numbers = 0;

async function outcomes(asked: readonly Omit<Asked, 'platform'>[]): Promise<(string | undefined)[]> {
  const of = asked.map((each) => ({ ...each, platform: book.platformId }));
  const ids = (await receive(world, of)).map((receipt) => ('id' in receipt ? receipt.id : asId('0')));
  await executeShard(world.rt, world.shardId);
  const results = await outcomesOf(world, ids);
  return ids.map((id) => results.get(id));
}

function given(kind: string, data: object, origin: 'P' | 'S' = 'P'): Omit<Asked, 'platform'> {
  numbers += 1;
  return { origin, requestNo: `R-${numbers}`, kind, data: data as Asked['data'] };
}

async function person(): Promise<Id> {
  const customer = await openCustomer(world, '2036-01-01');
  return openElectronic(world, { platform: book.platformId, customer, class: 2, faceToFace: true });
}

const allow = (account: Id, kind: string, caps: { payment: bigint; total: bigint; day?: bigint }) =>
  openMandate(world, {
    ...{ platform: book.platformId, account, kinds: [kind], orders: false, projects: true, payees: [] },
    ...{ paymentCap: caps.payment, totalCap: caps.total, period: caps.day === undefined ? undefined : ('day' as const) },
    ...{ periodCap: caps.day, expires: NINE + 90 * 86_400_000 },
  });

async function lent(): Promise<Id> {
  numbers += 1;
  const projectNo = `LP-${numbers}`;
  const { id = '' } = await registerProject(world, book.platformId, {
    ...{ projectNo, borrower, amount: 100_000n, months: 1, rate: 0n, penaltyRate: 0n, method: 'bullet' as const },
    ...{ guarantor: undefined, lendFee: 0n, interestFee: 0n, least: undefined, most: undefined, until: '2026-03-10' },
  });
  expect(await signProject(world, asId(id), 'borrower', 'carol')).toBe('given');
  const bid = { projectNo, account: `acc_${lender}`, amount: cny(100_000n), mandate: `mdt_${bids}` };
  expect(await outcomes([given('bid', bid), given('lend-out', { projectNo })])).toEqual(['posted', 'posted']);
  return asId(id);
}

/** What a round of the wind-down orders on the due date, and what becomes of it. */
async function collect(): Promise<[bigint, string | undefined][]> {
  const open = await world.db.read('book', (tx) => loadBook(tx, book.platformId));
  const all = await projectReturns(world.rt, { ...open, businessDate: DUE });
  const returns = all.filter(({ kind, data }) => kind === 'repayment' && data.from === `acc_${borrower}`);
  const became = await outcomes(returns.map(({ kind, requestNo, data }) => ({ origin: 'S', kind, requestNo, data })));
  return returns.map(({ amount }, place) => [amount, became[place]]);
}
const left = async (project: Id) => (await world.db.read('project', (tx) => findProject(tx, project)))?.left;

beforeAll(async () => {
  world = await startWorld(NINE);
  book = await openBook(world, '2026-03-02', 'lending');
  await openSub(world, book.platformId);
  lender = await person();
  bids = await allow(lender, 'bid', { payment: 100_000n, total: 10_000_000n });
  const came = { account: `acc_${lender}`, amount: cny(1_000_000n), reference: 'IN-1', payer: boundPayer(lender) };
  expect(await outcomes([given('incoming-transfer', came, 'S')])).toEqual(['posted']);
});
beforeEach(async () => {
  borrower = await person();
});
afterAll(() => world?.close());

describe('a wind-down collects of a borrower', () => {
  test('what his mandate lets it take today, where all that is due passes the cap of the day', async () => {
    await allow(borrower, 'repayment', { payment: 90_000n, total: 200_000n, day: 40_000n });
    const project = await lent();
    expect(await collect()).toEqual([[40_000n, 'posted']]);
    expect(await left(project)).toBe(60_000n);
    expect(await collect()).toEqual([]);
  });

  test('under the mandate that has the most room, though an older one is used up', async () => {
    await allow(borrower, 'repayment', { payment: 30_000n, total: 30_000n });
    await allow(borrower, 'repayment', { payment: 70_000n, total: 70_000n });
    const project = await lent();
    expect(await collect()).toEqual([[70_000n, 'posted']]);
    expect(await collect()).toEqual([[30_000n, 'posted']]);
    expect(await left(project)).toBe(0n);
  });

  test('for two projects no more than one mandate covers together', async () => {
    await allow(borrower, 'repayment', { payment: 100_000n, total: 150_000n });
    const [one, two] = [await lent(), await lent()];
    expect(await collect()).toEqual([
      [100_000n, 'posted'],
      [50_000n, 'posted'],
    ]);
    expect([await left(one), await left(two)]).toEqual([0n, 50_000n]);
    expect(await violations(world.db, [book.platformId])).toEqual([]);
  });
});
