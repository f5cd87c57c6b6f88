import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ClaimsStage, cny, frozen, next, openClaims, PAYER } from '../claims/stage.js';

let stage: ClaimsStage;
beforeAll(async () => {
  stage = await openClaims();
});
afterAll(() => stage?.stop());

const NOBODY = 'acc_1000000000000000001';
const LATER = '2037-04-01T00:00:00.000+08:00';

interface Line {
  readonly amount: number;
}
// biome-ignore lint/suspicious/noExplicitAny: an answer of the API
type Explained = any;

const explain = async (account: string, token?: string): Promise<Explained> =>
  (await stage.read(`accounts/${account}/explain`, token).expect(200)).body;
const sum = (lines: readonly Line[]) => lines.reduce((total, { amount }) => total + amount, 0);

/** Every figure is what its lines say. */
function expectToAddUp(of: Explained): void {
  expect(sum(of.heldLines)).toBe(of.held);
  expect(sum(of.unclearedLines)).toBe(of.uncleared);
  expect(of.available).toBe(of.balance - of.held);
  expect(of.withdrawable).toBe(of.balance - of.notWithdrawable.amount);
  expect(of.notWithdrawable.amount).toBe(Math.max(of.held, of.uncleared));
  expect(sum(of.underWayLines.filter((line: { direction: string }) => line.direction === 'out'))).toBe(of.underWay.paidOut);
  expect(sum(of.underWayLines.filter((line: { direction: string }) => line.direction === 'in'))).toBe(of.underWay.collected);
}

async function split(account: string, amount: number): Promise<string> {
  const orderNo = next('SO');
  await stage.give('payment', { orderNo, amount: cny(amount), payer: PAYER, reference: next('COL') });
  expect((await stage.give('split', { orderNo, lines: [{ account, amount: cny(amount) }] })).code).toBe('posted');
  return orderNo;
}

describe('an explanation of an account', () => {
  it('adds up where there is everything, line by line, each with who, what for, and until when', async () => {
    const account = await stage.sellerWith(10_000);
    const { api, administrator } = stage;
    const target = { target: 500, reason: '保证金' };
    await api.call('PUT', `/admin/v1/accounts/${account}/margin`, { token: administrator, body: target }).expect(200);
    expect((await stage.give('withdrawal', { account, amount: cny(1_000) })).code).toBe('posted');
    expect((await stage.give('hold', { account, amount: cny(300), purpose: '售后', expiresAt: LATER })).code).toBe('posted');
    expect((await stage.give('hold', { account, amount: cny(200), purpose: '核查' }, 'O')).code).toBe('posted');
    const orderNo = await split(account, 2_500); // 500 of it fill up the margin
    const reason = '货不对板';
    const opened = await stage.give('dispute-open', { orderNo, amount: cny(400), account, reason, expiresAt: LATER });
    const { freeze, documentNo } = await frozen(stage, account, { amount: cny(1_000) });
    // After midnight, before the cut-off: what comes in now clears a day later than what came in before.
    stage.later(86_400_000);
    await split(account, 700);
    const reserve = { reserve: 150, reason: '风险准备' };
    await api.call('PUT', `/admin/v1/accounts/${account}/reserve`, { token: administrator, body: reserve }).expect(200);

    const seen = await explain(account);
    expectToAddUp(seen);
    expect(seen).toMatchObject({
      ...{ account, type: 'sub', state: 'open', businessDate: '2037-03-02', currency: 'CNY' },
      ...{ balance: 11_700, held: 1_900, available: 9_800, uncleared: 2_700, withdrawable: 9_000 },
      notWithdrawable: { amount: 2_700, because: 'uncleared' },
      unclearedLines: [
        { amount: 2_000, withdrawableFrom: '2037-03-03' },
        { amount: 700, withdrawableFrom: '2037-03-04' },
      ],
      underWay: { paidOut: 1_000, collected: 0 },
      underWayLines: [{ direction: 'out', purpose: 'withdrawal', state: 'created', amount: 1_000, count: 1 }],
      nextClearing: { date: '2037-03-03', amount: 9_650, keptBack: 150 },
    });
    expect(seen.heldLines).toEqual([
      expect.objectContaining({ kind: 'hold', by: 'platform', purpose: '售后', amount: 300, of: 300, until: LATER, count: 1 }),
      expect.objectContaining({ kind: 'hold', by: 'bank', purpose: '核查', amount: 200, until: null }),
      expect.objectContaining({
        kind: 'dispute',
        id: opened.result.dispute,
        by: 'platform',
        purpose: reason,
        amount: 400,
        until: LATER,
      }),
      // A platform hears that an authority keeps it, and not which, nor how much it wants.
      { kind: 'court', id: null, by: 'authority', purpose: null, amount: 1_000, of: null, until: null, count: 1 },
    ]);

    const told = await explain(account, stage.anne);
    expectToAddUp(told);
    expect(told.heldLines[3]).toMatchObject({ kind: 'court', id: freeze, of: 1_000, documentNo, purpose: '某市人民法院' });
    // Who may see no customers hears no more than a platform.
    expect((await explain(account, administrator)).heldLines[3]).toEqual(seen.heldLines[3]);

    const margin = (await stage.read(`accounts/${account}/margin`).expect(200)).body.margin;
    const kept = await explain(margin);
    expectToAddUp(kept);
    expect(kept).toMatchObject({ type: 'margin', balance: 500, available: 500, nextClearing: null });
  });

  it('shares what is there among those who want more than there is, in their order', async () => {
    const account = await stage.sellerWith(1_000);
    await frozen(stage, account, { amount: cny(700) });
    await frozen(stage, account, { amount: cny(700) });
    await frozen(stage, account, { amount: undefined });
    const seen = await explain(account, stage.anne);
    expectToAddUp(seen);
    expect(seen.heldLines.map(({ amount, of }: { amount: number; of: number | null }) => [amount, of])).toEqual([
      [700, 700],
      [300, 700],
      [0, null],
    ]);
    expect(seen).toMatchObject({ available: 0, withdrawable: 0, notWithdrawable: { amount: 1_000, because: 'held' } });
    expect(seen.nextClearing).toMatchObject({ amount: 0 });
  });

  it('of an empty, a frozen or a functional account adds up as well', async () => {
    const [empty, stands] = [await stage.seller(), await stage.sellerWith(800)];
    const { staff, anne, book } = stage;
    expect(await explain(empty)).toMatchObject({ balance: 0, heldLines: [], notWithdrawable: { because: 'nothing' } });
    await staff(stage.administrator, `accounts/${stands}/freeze`, { reason: '核查' }).expect(200);
    expect(await explain(stands)).toMatchObject({ state: 'frozen', balance: 800, nextClearing: { amount: 0 } });
    for (const account of Object.values(book.accounts)) expectToAddUp(await explain(account, anne));
  });

  it('sums up what there is too much of to be told line by line', async () => {
    const account = await stage.sellerWith(600);
    const ids = await Promise.all(
      Array.from({ length: 503 }, () => stage.receive('hold', { account, amount: cny(1), purpose: '逐笔' })),
    );
    expect((await stage.decide(ids)).every(({ code }) => code === 'posted')).toBe(true);
    const seen = await explain(account);
    expectToAddUp(seen);
    expect(seen.heldLines).toHaveLength(501);
    expect(seen.heldLines[500]).toEqual(expect.objectContaining({ id: null, amount: 3, count: 3, purpose: null }));
  });

  it("is given to the account's own platform and to the staff, and to nobody else", async () => {
    const account = await stage.seller();
    const { api, other } = stage;
    expect((await api.signed(other, 'GET', `/v1/accounts/${account}/explain`).expect(404)).body.code).toBe('NOT_FOUND');
    expect((await stage.read(`accounts/${NOBODY}/explain`).expect(404)).body.code).toBe('NOT_FOUND');
    expect((await stage.read('accounts/nonsense/explain')).body.code).toBe('SHAPE_INVALID');
    expect((await api.call('GET', `/admin/v1/accounts/${account}/explain`)).status).toBe(401);
  });
});
