import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { executeShard, findInstructions, systemInstruction } from '../../src/instructions/index.js';
import { asId, canonicalJson, type Id, type Instant, Refused, readPublicKeys, toWire } from '../../src/kernel/index.js';
import { recordWord } from '../../src/lending/confirm.js';
import { claimsOf, findProjectByNo } from '../../src/lending/index.js';
import { registerProject } from '../../src/lending/register.js';
import { approve, close, propose, requireWindDown } from '../../src/winding-up/decide.js';
import { judgeReport, REPORT_FILE, type ReportFile } from '../../src/winding-up/report-form.js';
import { leftOver, windDownRound } from '../../src/winding-up/round.js';
import { findReport, linesOf } from '../../src/winding-up/store.js';
import { closeNext, fen, type Market, openMarket } from '../clearing/market.js';
import { boundPayer } from '../support/model/outside.js';
import { openCustomer, openElectronic, openMandate } from '../support/world/electronic.js';

/*
 * Monday 2026-03-23: 甲商户, a company, borrows 1,000.00 for two months at 12 %, interest first; bob 600.00 and joe 300.00 for one month, all at its
 * end. lily and mona lend; a fourth project is still raising. Then the platform is gone. bob gave a mandate for his repayments, joe gave none.
 *   23 April: the company owes 10.00, bob 606.00, joe 303.00. 23 May: the company owes 1,010.00.
 */
const [LI, WANG] = [asId('2236512894231552101'), asId('2236512894231552102')];
const EXPIRES = Date.parse('2030-01-01T00:00:00+08:00');
let market: Market;
let people: Record<'lily' | 'mona' | 'bob' | 'joe', Id>;
let numbers = 0;

const world = () => market.world;
const inTx = <T>(work: Parameters<Market['world']['db']['withTx']>[1]) => world().db.withTx('test', work) as Promise<T>;
const as = (operator: Id) => ({ operator, nowMs: world().clock.now() });
const round = () => windDownRound(market.desk, market.platformId);
const project = (no: string) => world().db.read('project', (tx) => findProjectByNo(tx, market.platformId, no));
const balances = async () =>
  Object.fromEntries(await Promise.all(Object.entries(people).map(async ([who, id]) => [who, await market.balance(id)])));
const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error) => (error instanceof Refused ? error.refusal.code : Promise.reject(error)),
  );

async function decided(submission: ReturnType<typeof systemInstruction>): Promise<string> {
  const [receipt] = await world().intake.receive([submission]);
  if (receipt === undefined || 'refused' in receipt) return receipt?.refused.code ?? 'none';
  await executeShard(world().rt, (await market.book()).shardId);
  const outcome = (await world().db.read('outcome', (tx) => findInstructions(tx, [receipt.id]))).get(receipt.id)?.outcome;
  return outcome?.code ?? outcome?.state ?? 'undecided';
}

/** A transfer from the bound account, at the bank and in the books. */
async function transferIn(account: Id, amount: bigint, payer = boundPayer(account)): Promise<void> {
  numbers += 1;
  const reference = `TR-${numbers}`;
  const { businessDate } = await market.book();
  const inflow = { reference, amount, counterparty: payer.name, text: '' };
  await market.channels.coreBank.inflows(market.custodyNo, businessDate, [inflow]);
  const data = { account: toWire('account', account), amount: fen(amount), payer, reference };
  const { platformId } = market;
  expect(
    await decided(systemInstruction({ platformId, requestNo: reference, kind: 'incoming-transfer', data, actor: 'test' })),
  ).toBe('posted');
}

async function register(projectNo: string, borrower: Id, amount: bigint, months: number, method: 'bullet' | 'interest-first') {
  const terms = {
    ...{ projectNo, borrower, guarantor: null, payee: null, amount, months, rate: 120_000n, penaltyRate: 0n, method },
    ...{ lendFee: 0, interestFee: 0, lenderMin: null, lenderMax: null, mode: 'direct' as const, purpose: '经营周转' },
    raiseUntilMs: Date.parse('2026-06-30T00:00:00+08:00') as Instant,
  };
  const { project: made } = await registerProject(world().rt, market.platformId, terms);
  await inTx((tx) => recordWord(tx, world().rt, { project: made.id, role: 'borrower', voucher: 'C-1', by: LI }));
}

const mandates = new Map<Id, Id>();
const bid = (projectNo: string, lender: Id, amount: bigint) =>
  market.give('bid', {
    ...{ projectNo, account: toWire('account', lender), amount: fen(amount) },
    mandate: toWire('mandate', mandates.get(lender) as Id),
  });

async function days(until: string): Promise<void> {
  while ((await market.book()).businessDate < until) {
    await closeNext(market);
    await round();
  }
}

beforeAll(async () => {
  market = await openMarket({ date: '2026-03-23', profile: 'lending' });
  const open = async () => {
    const customer = await openCustomer(world(), '2036-01-01');
    return openElectronic(world(), { platform: market.platformId, customer, class: 2, faceToFace: true });
  };
  people = { lily: await open(), mona: await open(), bob: await open(), joe: await open() };
  const allow = async (account: Id, kind: string) =>
    mandates.set(
      account,
      await openMandate(world(), {
        ...{ platform: market.platformId, account, kinds: [kind], orders: false, projects: true, payees: [] },
        ...{ paymentCap: 1_000_000n, totalCap: 1_000_000n, period: undefined, periodCap: undefined, expires: EXPIRES },
      }),
    );
  await allow(people.lily, 'bid');
  await allow(people.mona, 'bid');
  await allow(people.bob, 'repayment');
  for (const lender of [people.lily, people.mona]) await transferIn(lender, 100_000n);
  await register('P-company', market.here, 100_000n, 2, 'interest-first');
  await register('P-bob', people.bob, 60_000n, 1, 'bullet');
  await register('P-joe', people.joe, 30_000n, 1, 'bullet');
  await register('P-open', people.joe, 50_000n, 1, 'bullet');
  for (const [no, lily, mona] of [
    ['P-company', 70_000n, 30_000n],
    ['P-bob', 20_000n, 40_000n],
    ['P-joe', 10_000n, 20_000n],
  ] as const) {
    expect(await bid(no, people.lily, lily)).toBe('posted');
    if (mona > 0n) expect(await bid(no, people.mona, mona)).toBe('posted');
    expect(await market.give('lend-out', { projectNo: no })).toBe('posted');
  }
  expect(await bid('P-open', people.mona, 10_000n)).toBe('posted');
}, 60_000);
afterAll(() => market?.end());

describe('a lending platform that has vanished', () => {
  test('gives back what was bid and not lent, and takes no new bid', async () => {
    await inTx((tx) =>
      propose(
        tx,
        world().rt.newId(),
        market.platformId,
        { reasonSealed: world().rt.vault.seal('平台失联'), ordersBackOn: undefined, movesTo: undefined },
        as(LI),
      ),
    );
    await inTx((tx) => approve(tx, market.platformId, as(WANG)));
    expect(await bid('P-open', people.mona, 1n)).toBe('WINDING_UP');
    expect(await round()).toMatchObject({ refused: 0 });
    expect(await project('P-open')).toMatchObject({ state: 'miscarried', raised: 0n });
    expect(await market.wrongs()).toEqual([]);
    expect(await round()).toMatchObject({ given: 0 });
  });

  test('leaves with borrowers what the bank may take for the next instalment, and sends the rest to its owners', async () => {
    await days('2026-03-26');
    // lily lent all of hers; mona's bid came back to her, and went to her card.
    expect(await balances()).toEqual({ lily: 0n, mona: 0n, bob: 60_000n, joe: 0n });
    expect(await market.balance(market.here)).toBe(1_000n);
    const wind = await world().db.read('wind', (tx) => requireWindDown(tx, market.platformId));
    expect(await leftOver(world().rt, await market.book(), wind)).toEqual({
      'wanted-by-projects': { accounts: 2, amount: 61_000n },
    });
  });

  test('goes on being repaid: by mandate, by contract, and on a form at the counter', async () => {
    await transferIn(people.bob, 600n);
    await days('2026-04-23');
    expect(await project('P-company')).toMatchObject({ state: 'lent', left: 100_000n, loan: { next: 2 } });
    expect(await project('P-bob')).toMatchObject({ state: 'repaid', left: 0n });
    expect(await project('P-joe')).toMatchObject({ state: 'lent' });
    // joe comes to the counter with what he owes.
    await transferIn(people.joe, 30_300n);
    const repayment = {
      projectNo: 'P-joe',
      from: toWire('account', people.joe),
      amount: fen(30_300n),
      of: 'due',
      voucher: 'F-1',
    };
    const { platformId } = market;
    const staff = { platformId, origin: 'O' as const, requestNo: 'counter-1', kind: 'repayment', actor: 'operator' };
    expect(await decided({ ...staff, body: canonicalJson(repayment) })).toBe('posted');
    expect(await project('P-joe')).toMatchObject({ state: 'repaid' });
    const paid = async (who: Id) =>
      (
        await world().db.read('entries', (tx) =>
          tx.rows<{ amount: string }>('SELECT amount FROM entries WHERE account_id = ? AND amount > 0 ORDER BY seq', [who]),
        )
      )
        .map(({ amount }) => Number(amount))
        .slice(1);
    // 10.00, 606.00 and 303.00, shared by what each lent
    expect(await paid(people.lily)).toEqual([700, 20_200, 10_100]);
    expect(await paid(people.mona)).toEqual([300, 40_400, 20_200]);
    expect(await market.wrongs()).toEqual([]);
  }, 120_000);

  test('says in its report what is owed to whom, and is not closed while anything is', async () => {
    await days('2026-04-28');
    const wind = await world().db.read('wind', (tx) => requireWindDown(tx, market.platformId));
    expect(wind.state).toBe('settled');
    const file: ReportFile = await world().db.read('report', async (tx) => {
      const head = await findReport(tx, market.platformId, wind.reportNo);
      const lines = await linesOf(tx, market.platformId, wind.reportNo, -1, 1_000);
      return { version: REPORT_FILE, report: JSON.parse(head?.head ?? ''), lines: lines.map(({ line }) => JSON.parse(line)) };
    });
    expect(judgeReport(file, readPublicKeys(JSON.stringify({ keys: world().rt.receiptKeys.published })))).toEqual(file);
    expect(file.report.content.claims).toEqual({ count: 2, left: 100_000 });
    const owed = file.lines.flatMap(({ account, claims = [] }) => claims.map(({ project: no, left }) => [account, no, left]));
    expect(owed.sort()).toEqual(
      [
        [toWire('account', people.lily), 'P-company', 70_000],
        [toWire('account', people.mona), 'P-company', 30_000],
      ].sort(),
    );
    expect(file.lines.flatMap(({ owes = [] }) => owes)).toEqual([{ project: 'P-company', left: 100_000 }]);
    const forged = { ...file, lines: file.lines.map(({ claims: _none, ...line }) => line) };
    expect(typeof judgeReport(forged, readPublicKeys(JSON.stringify({ keys: world().rt.receiptKeys.published })))).toBe('string');
    expect(await refusal(inTx((tx) => close(tx, market.platformId, as(LI))))).toBe('WIND_DOWN_NOT_EMPTY');
    const held = await world().db.read('claims', (tx) => claimsOf(tx, { account: people.lily }, { after: undefined, limit: 10 }));
    expect(held.map(({ claim }) => claim.left)).toContain(70_000n);
  }, 60_000);
});
