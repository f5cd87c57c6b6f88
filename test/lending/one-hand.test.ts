import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isOpening, openSubMerchants } from '../../src/accounts/index.js';
import { executeShard } from '../../src/instructions/index.js';
import { asId, type Id } from '../../src/kernel/index.js';
import { violations } from '../support/invariants.js';
import { boundPayer } from '../support/model/outside.js';
import { court, liftCourt } from '../support/world/court.js';
import { answerAll, changeElectronic, openCustomer, openElectronic, openMandate } from '../support/world/electronic.js';
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

const NINE = Date.parse('2026-03-02T09:00:00+08:00');
const cny = (amount: number) => ({ amount, currency: 'CNY' as const });
let world: World;
let book: TestBook;
let [lily, mona, mandate] = [asId('0'), asId('0'), asId('0')];
let numbers = 0;

async function give(kind: string, data: object, more: { origin?: 'P' | 'S'; meanwhile?: () => Promise<void> } = {}) {
  numbers += 1;
  const { origin = 'P', meanwhile } = more;
  const asked: Asked = {
    ...{ platform: book.platformId, origin, requestNo: `R-${numbers}`, kind, data: data as Asked['data'] },
    ...('mandate' in data || origin === 'S' ? {} : { answer: 'yes' as const }),
  };
  const [receipt] = await receive(world, [asked]);
  if (receipt === undefined || !('id' in receipt)) throw new Error('not received');
  await meanwhile?.();
  await answerAll(world, [{ receipt, answer: 'yes' }]);
  await executeShard(world.rt, world.shardId);
  return { id: receipt.id, outcome: (await outcomesOf(world, [receipt.id])).get(receipt.id) };
}
const outcome = async (...of: Parameters<typeof give>) => (await give(...of)).outcome;

const terms = (projectNo: string, borrower: Id, guarantor?: Id) => ({
  ...{ projectNo, borrower, guarantor, amount: 100_000n, months: 3, rate: 120_000n, penaltyRate: 150_000n },
  ...{ method: 'interest-first' as const, lendFee: 0n, interestFee: 0n, least: undefined, most: undefined, until: '2026-03-10' },
});

beforeAll(async () => {
  world = await startWorld(NINE);
  book = await openBook(world, '2026-03-02', 'lending');
  const person = async () => {
    const account = await openElectronic(world, {
      ...{ platform: book.platformId, class: 2, faceToFace: true },
      customer: await openCustomer(world, '2036-01-01'),
    });
    const came = { account: `acc_${account}`, amount: cny(10_000_000), reference: `IN-${account}`, payer: boundPayer(account) };
    expect(await outcome('incoming-transfer', came, { origin: 'S' })).toBe('posted');
    return account;
  };
  [lily, mona] = [await person(), await person()];
  mandate = await openMandate(world, {
    ...{ platform: book.platformId, account: mona, kinds: ['claim-purchase'], orders: false, projects: true, payees: [] },
    ...{ paymentCap: 9_000_000n, totalCap: 9_000_000n, period: undefined, periodCap: undefined, expires: NINE + 9e9 },
  });
});
afterAll(() => world?.close());

describe('a claim that is offered', () => {
  let [claim, projectNo] = ['', ''];
  const offer = (share: number, price: number) => ({
    ...{ projectNo, claim, account: `acc_${lily}`, share: cny(share), price: cny(price), until: '2026-05-01T00:00:00+08:00' },
  });
  beforeAll(async () => {
    projectNo = 'LP-1';
    const { id = '' } = await registerProject(world, book.platformId, terms(projectNo, await openSub(world, book.platformId)));
    await signProject(world, asId(id), 'borrower', 'carol');
    const bid = await give('bid', { projectNo, account: `acc_${lily}`, amount: cny(100_000) });
    expect([bid.outcome, await outcome('lend-out', { projectNo })]).toEqual(['posted', 'posted']);
    claim = `clm_${bid.id}`;
  });

  it('costs no more than it can still bring: money does not go from one lender to another for a fen of it', async () => {
    // A fen of 1,000.00 for 90,000.00, which the buyer's mandate would pay and no limit of a Class II account would count.
    expect(await outcome('claim-sale', offer(1, 9_000_000))).toBe('SALE_TERMS');
    // 1,000.00 at 1 % a month, three months: 1,030.00. Half of it brings 515.00, and a third 343.33.
    expect(await outcome('claim-sale', offer(50_000, 51_501))).toBe('SALE_TERMS');
    const { id, outcome: taken } = await give('claim-sale', offer(50_000, 51_500));
    expect(taken).toBe('posted');
    const buy = { projectNo, sale: `cls_${id}`, account: `acc_${mona}`, mandate: `mdt_${mandate}` };
    expect(await outcome('claim-purchase', { ...buy, share: cny(50_000), amount: cny(51_500) })).toBe('posted');
    expect(await violations(world.db, [book.platformId])).toEqual([]);
  });

  it('is not offered by an owner who is stopped between the question and his answer', async () => {
    const meanwhile = () => changeElectronic(world, lily, { state: 'blocked' });
    expect(await outcome('claim-sale', offer(1_000, 1_000), { meanwhile })).toBe('ACCOUNT_BLOCKED');
    await changeElectronic(world, lily, { state: 'active' });
    expect(await outcome('claim-sale', offer(1_000, 1_000))).toBe('posted');
  });
});

describe('what one lender may have in a project', () => {
  it('is counted over all his accounts on the platform', async () => {
    const customer = await openCustomer(world, '2036-01-01');
    const account = async () => {
      const opened = await openElectronic(world, { platform: book.platformId, customer, class: 2, faceToFace: true });
      const came = { account: `acc_${opened}`, amount: cny(100_000), reference: `IN-${opened}`, payer: boundPayer(opened) };
      expect(await outcome('incoming-transfer', came, { origin: 'S' })).toBe('posted');
      return opened;
    };
    const [one, other] = [await account(), await account()];
    const projectNo = 'LP-5';
    const of = { ...terms(projectNo, await openSub(world, book.platformId)), most: 40_000n };
    const { id = '' } = await registerProject(world, book.platformId, of);
    await signProject(world, asId(id), 'borrower', 'carol');
    const bid = (from: Id, amount: number) => outcome('bid', { projectNo, account: `acc_${from}`, amount: cny(amount) });
    expect(await bid(one, 30_000)).toBe('posted');
    expect(await bid(other, 10_001)).toBe('BID_BOUNDS');
    expect(await bid(other, 10_000)).toBe('posted');
  });
});

describe('a full project', () => {
  it('is not lent out into a freeze: what lenders gave for its purpose would go to whoever froze it', async () => {
    const company = await openSub(world, book.platformId);
    const projectNo = 'LP-4';
    const { id = '' } = await registerProject(world, book.platformId, terms(projectNo, company));
    await signProject(world, asId(id), 'borrower', 'carol');
    expect(await outcome('bid', { projectNo, account: `acc_${lily}`, amount: cny(100_000) })).toBe('posted');
    const { id: order = '' } = await court(world, { account: company, amount: 1n, until: '2026-06-30' });
    expect(await outcome('lend-out', { projectNo })).toBe('ACCOUNT_FROZEN');
    expect(await liftCourt(world, asId(order), undefined)).toBe('lifted');
    const { id: whole = '' } = await court(world, { account: company, amount: undefined, until: '2026-06-30' });
    expect(await outcome('lend-out', { projectNo })).toBe('ACCOUNT_FROZEN');
    expect(await liftCourt(world, asId(whole), undefined)).toBe('lifted');
    expect(await outcome('lend-out', { projectNo })).toBe('posted');
  });
});

describe('whoever stands for a borrower', () => {
  it('is somebody else, whatever account he does it on', async () => {
    const owned = [
      { kind: 'company' as const, name: '甲商户', idNo: '91350100M000100Y43' },
      { kind: 'company' as const, name: '甲商户', idNo: '91350100M000100Y43' },
    ];
    const opened = await openSubMerchants(
      world.rt,
      book.platformId,
      owned.map((party, place) => ({
        ...{ merchantNo: `S-${place}`, party, cycle: 't+1' as const },
        settlementAccount: { name: party.name, account: `622202000000000000${place}`, bankCode: '' },
      })),
    );
    const [one, two] = opened.map((each) => (isOpening(each) ? each.merchant.accountId : asId('0'))) as [Id, Id];
    expect(await registerProject(world, book.platformId, terms('LP-2', one, two))).toEqual({ result: 'PROJECT_PARTIES' });
    expect(await registerProject(world, book.platformId, terms('LP-3', one, mona))).toMatchObject({ result: 'registered' });
  });
});
