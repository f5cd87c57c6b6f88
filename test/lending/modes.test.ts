import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { changePlatformSettlementAccount } from '../../src/accounts/book.js';
import { executeShard, systemInstruction } from '../../src/instructions/index.js';
import { asId, type Id, type Instant, Refused, toWire } from '../../src/kernel/index.js';
import { recordWord } from '../../src/lending/confirm.js';
import { claimRecords, findProjectByNo, lendingTermsOf, lentOn } from '../../src/lending/index.js';
import { registerProject } from '../../src/lending/register.js';
import { approveLendingTerms, proposeLendingTerms } from '../../src/lending/terms/terms.js';
import { readPlatform } from '../../src/platforms/index.js';
import { closeNext, fen, type Market, openMarket } from '../clearing/market.js';
import { boundPayer } from '../support/model/outside.js';
import { openCustomer, openElectronic, openMandate } from '../support/world/electronic.js';
import { openSub } from '../support/world/world.js';

const [LI, WANG] = [asId('2236512894231552101'), asId('2236512894231552102')];
const STRICT = { advance: false, advanceCeiling: 0n, entrusted: false, reserve: false };
let market: Market;
let lily: Id;
let dealer: Id;
let mandate: Id;
const world = () => market.world;
const inTx = <T>(work: Parameters<Market['world']['db']['withTx']>[1]) => world().db.withTx('test', work) as Promise<T>;
const terms = () => world().db.read('terms', (tx) => lendingTermsOf(tx, market.platformId));
const acc = (id: Id | null) => toWire('account', id as Id);

async function agree(modes: Partial<typeof STRICT>): Promise<void> {
  const of = { ...STRICT, ...modes, platformId: market.platformId, reason: '业务需要', by: LI };
  await inTx(async (tx) => {
    const { id } = await proposeLendingTerms(tx, world().rt, of);
    await approveLendingTerms(tx, world().rt, { platformId: market.platformId, terms: id }, { by: WANG, note: null });
  });
}

async function register(projectNo: string, mode: 'direct' | 'advance' | 'entrusted', payee: Id | null = null): Promise<string> {
  const project = {
    ...{
      projectNo,
      borrower: market.here,
      guarantor: null,
      payee,
      amount: 10_000n,
      months: 1,
      rate: 120_000n,
      penaltyRate: 0n,
      mode,
    },
    ...{ method: 'bullet' as const, lendFee: 0, interestFee: 0, lenderMin: null, lenderMax: null, purpose: '经营周转' },
    raiseUntilMs: Date.parse('2026-06-30T00:00:00+08:00') as Instant,
  };
  try {
    const { project: made } = await registerProject(world().rt, market.platformId, project);
    await inTx((tx) => recordWord(tx, world().rt, { project: made.id, role: 'borrower', voucher: 'C-1', by: LI }));
    return 'registered';
  } catch (error) {
    if (error instanceof Refused) return error.refusal.code;
    throw error;
  }
}

const bid = (projectNo: string, amount: bigint) =>
  market.give('bid', { projectNo, account: acc(lily), amount: fen(amount), mandate: toWire('mandate', mandate) });
const lend = (projectNo: string, more = {}) => market.give('lend-out', { projectNo, ...more });
const claims = async (projectNo: string) => {
  const project = await world().db.read('project', (tx) => findProjectByNo(tx, market.platformId, projectNo));
  const key = project?.id as Id;
  const all = (await world().db.read('claims', (tx) => claimRecords.load(tx, [key]))).get(key)?.claims ?? [];
  return all.map(({ account, left }) => [account, left]);
};

/** A transfer, at the bank and in the books. */
async function transferIn(
  requestNo: string,
  account: Id,
  amount: bigint,
  payer: { name: string; account: string; bankCode: string },
) {
  const { businessDate, shardId } = await market.book();
  const inflow = { reference: requestNo, amount, counterparty: payer.name, text: '' };
  await market.channels.coreBank.inflows(market.custodyNo, businessDate, [inflow]);
  const data = { account: acc(account), amount: fen(amount), payer, reference: requestNo };
  const { platformId } = market;
  await world().intake.receive([systemInstruction({ platformId, requestNo, kind: 'incoming-transfer', data, actor: 'test' })]);
  await executeShard(world().rt, shardId);
}

beforeAll(async () => {
  market = await openMarket({ date: '2026-03-23', profile: 'lending' });
  dealer = await openSub(world(), market.platformId);
  const customer = await openCustomer(world(), '2036-01-01');
  lily = await openElectronic(world(), { platform: market.platformId, customer, class: 2, faceToFace: true });
  mandate = await openMandate(world(), {
    ...{
      platform: market.platformId,
      account: lily,
      kinds: ['bid', 'claim-purchase'],
      orders: false,
      projects: true,
      payees: [],
    },
    ...{ paymentCap: 1_000_000n, totalCap: 1_000_000n, period: undefined, periodCap: undefined },
    expires: Date.parse('2030-01-01T00:00:00+08:00'),
  });
  const book = await market.book();
  const { name } = (await world().db.read('platform', (tx) => readPlatform(tx, market.platformId))) as { name: string };
  const platform = { name, account: '6222020000000000002', bankCode: '102100099996' };
  await inTx((tx) => changePlatformSettlementAccount(tx, world().rt.vault, market.platformId, platform));
  await transferIn('I-1', lily, 100_000n, boundPayer(lily));
  await transferIn('I-2', book.accounts['own-funds'], 50_000n, platform);
}, 60_000);
afterAll(() => market?.end());

describe('how projects are funded', () => {
  test('directly and in no other way, until two people of the bank agreed to more', async () => {
    expect(await register('P-advance', 'advance')).toBe('LENDING_MODE');
    expect(await register('P-entrusted', 'entrusted', dealer)).toBe('LENDING_MODE');
    await agree({ advance: true, advanceCeiling: 12_000n, entrusted: true, reserve: true });
    expect(await register('P-advance', 'advance')).toBe('registered');
    expect(await register('P-second', 'advance')).toBe('registered');
    expect(await register('P-direct', 'direct')).toBe('registered');
    expect(await register('P-entrusted', 'entrusted', dealer)).toBe('registered');
  });

  test('an advance lends the rest out of the platform’s own funds, up to its ceiling, and is bought at face', async () => {
    const { advanceAccountId: advance } = await terms();
    const own = (await market.book()).accounts['own-funds'];
    expect(await bid('P-advance', 3_000n)).toBe('posted');
    expect(await lend('P-direct')).toBe('PROJECT_STATE');
    expect(await lend('P-advance')).toBe('FUNDS_INSUFFICIENT');
    // No customer's money, and none that customers paid the platform, ever is on it.
    for (const from of [market.here, (await market.book()).accounts.commission])
      expect(await market.give('transfer', { from: acc(from), to: acc(advance), amount: fen(1n) })).toBe(
        'ACCOUNT_TYPE_NOT_ALLOWED',
      );
    expect(await market.give('transfer', { from: acc(own), to: acc(advance), amount: fen(40_000n) })).toBe('posted');
    expect(await market.give('withdrawal', { account: acc(advance), amount: fen(1n) })).toBe('ACCOUNT_TYPE_NOT_ALLOWED');
    const before = await market.balance(market.here);
    expect(await lend('P-advance')).toBe('posted');
    expect((await market.balance(market.here)) - before).toBe(10_000n);
    expect(await claims('P-advance')).toEqual([
      [lily, 3_000n],
      [advance, 7_000n],
    ]);
    expect(await lend('P-second')).toBe('ADVANCE_CEILING');
    const buy = { projectNo: 'P-advance', account: acc(lily), mandate: toWire('mandate', mandate) };
    expect(await market.give('claim-purchase', { ...buy, share: fen(2_000n), amount: fen(1_999n) })).toBe('PRICE_DIFFERS');
    expect(await market.give('claim-purchase', { ...buy, share: fen(7_001n), amount: fen(7_001n) })).toBe('SALE_EXCEEDED');
    expect(await market.give('claim-purchase', { ...buy, share: fen(5_000n), amount: fen(5_000n) })).toBe('posted');
    expect(await claims('P-advance')).toEqual([
      [lily, 3_000n],
      [advance, 2_000n],
      [lily, 5_000n],
    ]);
    // 20.00 of 120.00 are out: 100.00 more are within the ceiling.
    expect(await lend('P-second')).toBe('posted');
    expect(await market.balance(advance as Id)).toBe(40_000n - 7_000n + 5_000n - 10_000n);
    expect(await market.wrongs()).toEqual([]);
  });

  test('what is entrusted goes to the payee whom the borrower confirmed, and to nobody else', async () => {
    expect(await bid('P-entrusted', 10_000n)).toBe('posted');
    expect(await lend('P-entrusted', { to: acc(market.here) })).toBe('LENDING_NOT_DIRECT');
    const before = await market.balance(dealer);
    expect(await lend('P-entrusted')).toBe('posted');
    expect((await market.balance(dealer)) - before).toBe(10_000n);
    // Whoever is paid in place of the borrower would lend to himself, and the borrower owe him what nobody paid.
    expect(await register('P-own', 'entrusted', lily)).toBe('registered');
    expect(await bid('P-own', 10_000n)).toBe('LENDER_NOT_ALLOWED');
  });

  test('the reserve pays what is overdue where that was agreed, and repayments of an advance go back to it', async () => {
    const { advanceAccountId: advance, reserveAccountId: reserve } = await terms();
    const own = (await market.book()).accounts['own-funds'];
    expect(await market.give('transfer', { from: acc(own), to: acc(reserve), amount: fen(10_000n) })).toBe('posted');
    while ((await market.book()).businessDate < '2026-04-24') await closeNext(market);
    const pay = (projectNo: string, from: Id | null, amount: bigint) =>
      market.give('compensation', { projectNo, from: acc(from), amount: fen(amount), way: 'direct' });
    expect(await pay('P-entrusted', advance, 100n)).toBe('COMPENSATION_PAYER');
    expect(await pay('P-entrusted', reserve, 9_000n)).toBe('posted');
    const lent = await world().db.read('lent', (tx) => lentOn(tx, [market.here, reserve as Id]));
    expect(lent.get(market.here)?.owes.find(({ projectNo }) => projectNo === 'P-entrusted')?.unrecovered).toBe(9_000n);
    expect(lent.get(reserve as Id)?.recovers.map(({ projectNo, left }) => [projectNo, left])).toEqual([['P-entrusted', 9_000n]]);
    await agree({ advance: true, advanceCeiling: 12_000n });
    expect(await pay('P-entrusted', reserve, 1n)).toBe('COMPENSATION_PAYER');
    // What was lent to him the clearing has paid to his account outside: he pays in what he owes.
    await transferIn('I-3', market.here, 10_100n, { name: '甲商户', account: '6222020000000000001', bankCode: '' });
    const before = await market.balance(advance as Id);
    // 100.00 and 1.00 of interest; a fifth is the advance's.
    expect(
      await market.give('repayment', { projectNo: 'P-advance', from: acc(market.here), amount: fen(10_100n), of: 'due' }),
    ).toBe('posted');
    expect((await market.balance(advance as Id)) - before).toBe(2_020n);
    expect(await market.wrongs()).toEqual([]);
  }, 120_000);
});
