import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ClaimsStage, COURT, cny, DAY, frozen, next, openClaims, order, TODAY } from './stage.js';

let stage: ClaimsStage;
beforeAll(async () => {
  stage = await openClaims();
});
afterAll(() => stage?.stop());

const NOBODY = 'acc_1000000000000000001';
const NO_FREEZE = 'frz_1000000000000000001';
const asked = (more: Record<string, unknown> = {}) => ({ documentNo: next('扣'), amount: cny(1_000), payee: COURT, ...more });
const propose = (freeze: string, more: Record<string, unknown> = {}, token = stage.anne) =>
  stage.staff(token, `judicial-freezes/${freeze}/deductions`, asked(more));
const decide = (deduction: string, verb: string, token = stage.bert, body?: unknown) =>
  stage.staff(token, `judicial-deductions/${deduction}/${verb}`, body);
const lift = (freeze: string, body: Record<string, unknown> = {}) =>
  stage.staff(stage.anne, `judicial-freezes/${freeze}/lift`, { documentNo: next('解'), ...body });
const renew = (freeze: string, body: Record<string, unknown>) =>
  stage.staff(stage.anne, `judicial-freezes/${freeze}/renew`, { documentNo: next('续'), ...body });
const freezeOf = async (freeze: string) => (await stage.read(`judicial-freezes/${freeze}`, stage.auditor).expect(200)).body;
const idOf = (wire: string) => wire.slice(4) as Parameters<ClaimsStage['decide']>[0][number];

describe('a freeze of an authority', () => {
  it('may want more than there is, stands behind those before it, and takes what comes in', async () => {
    const account = await stage.sellerWith(5_000);
    const first = await frozen(stage, account, { amount: cny(3_000) });
    const second = await frozen(stage, account, { amount: cny(4_000) });
    const all = await frozen(stage, account, { amount: undefined });
    expect(first).toMatchObject({ state: 'active', amount: 3_000, left: 3_000, held: 3_000, place: 1 });
    expect(second).toMatchObject({ amount: 4_000, held: 2_000, place: 2 });
    expect(all).toMatchObject({ amount: null, left: null, held: 0, place: 3, lifted: 0 });
    await stage.give('payment', { orderNo: account, amount: cny(2_500), payer: { ...COURT }, reference: next('COL') });
    await stage.give('split', { orderNo: account, lines: [{ account, amount: cny(2_500) }] });
    const { body } = await stage.read(`accounts/${account}/judicial-freezes`, stage.auditor).expect(200);
    expect(body.items.map(({ freeze, held }: { freeze: string; held: number }) => [freeze, held])).toEqual([
      [first.freeze, 3_000],
      [second.freeze, 4_000],
      [all.freeze, 500],
    ]);
    expect((await lift(first.freeze).expect(200)).body).toMatchObject({ state: 'lifted', held: 0, left: 0, place: null });
    expect((await freezeOf(all.freeze)).freeze).toMatchObject({ held: 3_500, state: 'active' });
  });

  it('is entered once under its document number, whoever enters it and how often', async () => {
    const account = await stage.sellerWith(1_000);
    const body = order({ amount: cny(800) });
    const path = `accounts/${account}/judicial-freezes`;
    const answers = await Promise.all([stage.staff(stage.anne, path, body), stage.staff(stage.bert, path, body)]);
    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
    expect(answers[0].body.freeze).toBe(answers[1].body.freeze);
    expect((await stage.read(path, stage.auditor)).body.items).toHaveLength(1);
    for (const other of [{ amount: cny(801) }, { amount: undefined }, { authority: '某区人民法院' }])
      expect((await stage.staff(stage.anne, path, { ...body, ...other }).expect(409)).body.code).toBe('FREEZE_DOCUMENT_REUSED');
  });

  it('is refused by its own code for whatever does not fit', async () => {
    const account = await stage.sellerWith(1_000);
    const on = (of: string, more: Record<string, unknown>) =>
      stage.staff(stage.anne, `accounts/${of}/judicial-freezes`, order(more));
    const code = async (of: string, more: Record<string, unknown> = {}) => (await on(of, more)).body.code;
    expect(await code(NOBODY)).toBe('NOT_FOUND');
    expect(await code(stage.book.accounts.custody as string)).toBe('ACCOUNT_TYPE_NOT_ALLOWED');
    expect(await code(account, { until: '2037-03-01' })).toBe('FREEZE_DATES');
    expect(await code(account, { from: '2037-03-03' })).toBe('FREEZE_DATES');
    expect(await code(account, { until: '2038-03-03' })).toBe('FREEZE_DATES');
    expect(await code(account, { until: '2037-02-30' })).toBe('SHAPE_INVALID');
    expect(await code(account, { amount: cny(0) })).toBe('SHAPE_INVALID');
    expect(await code(account, { documentNo: '' })).toBe('SHAPE_INVALID');
    expect(await code(account, { surprise: 1 })).toBe('SHAPE_INVALID');
    const { token } = await stage.api.operator('administrator');
    expect((await stage.staff(token, `accounts/${account}/judicial-freezes`, order()).expect(403)).body.code).toBe(
      'PERMISSION_DENIED',
    );
    expect((await stage.staff(stage.auditor, `accounts/${account}/judicial-freezes`, order())).status).toBe(403);
    expect((await stage.read(`judicial-freezes/${NO_FREEZE}`, stage.auditor)).body.code).toBe('NOT_FOUND');
    expect((await stage.read(`accounts/${NOBODY}/judicial-freezes`, stage.auditor)).body.code).toBe('NOT_FOUND');
  });

  it('is renewed before it ends, and keeps its place; the document acts once', async () => {
    const account = await stage.sellerWith(1_000);
    const { freeze } = await frozen(stage, account);
    const documentNo = next('续');
    const until = '2037-09-01';
    for (let times = 0; times < 2; times += 1) {
      const { body } = await renew(freeze, { documentNo, until }).expect(200);
      expect(body).toMatchObject({ until, place: 1, orders: [{ what: 'renew', documentNo, until, amount: null }] });
    }
    expect((await renew(freeze, { documentNo, until: '2037-10-01' })).body.code).toBe('FREEZE_DOCUMENT_REUSED');
    expect((await renew(freeze, { until })).body.code).toBe('FREEZE_DATES');
    expect((await renew(freeze, { until: '2038-03-03' })).body.code).toBe('FREEZE_DATES');
    expect((await renew(NO_FREEZE, { until })).body.code).toBe('NOT_FOUND');
    await lift(freeze).expect(200);
    expect((await renew(freeze, { until: '2037-10-01' })).body.code).toBe('FREEZE_ENDED');
  });

  it('is lifted in parts, each by its document, and never by more than is left', async () => {
    const account = await stage.sellerWith(5_000);
    const { freeze } = await frozen(stage, account);
    const documentNo = next('解');
    for (let times = 0; times < 2; times += 1)
      expect((await lift(freeze, { documentNo, amount: cny(1_000) }).expect(200)).body).toMatchObject({
        ...{ state: 'active', left: 2_000, lifted: 1_000, held: 2_000 },
      });
    expect((await lift(freeze, { documentNo })).body.code).toBe('FREEZE_DOCUMENT_REUSED');
    expect((await lift(freeze, { amount: cny(2_001) })).body).toMatchObject({ code: 'FREEZE_LIFT_EXCEEDS', left: '2000' });
    expect((await lift(NO_FREEZE)).body.code).toBe('NOT_FOUND');
    await lift(freeze).expect(200);
    expect((await lift(freeze)).body.code).toBe('FREEZE_ENDED');
    const all = await frozen(stage, account, { amount: undefined });
    expect((await lift(all.freeze, { amount: cny(1) })).body.code).toBe('FREEZE_OF_ALL');
  });

  it('ends by itself after its last day, and before anybody wrote that down it cannot be used any more', async () => {
    const account = await stage.sellerWith(1_000);
    const { freeze } = await frozen(stage, account, { until: TODAY });
    const { body } = await propose(freeze, { amount: cny(500) }).expect(201);
    stage.later(DAY); // ten o'clock on the day after
    expect((await propose(freeze, { amount: cny(1) })).body.code).toBe('FREEZE_ENDED');
    expect((await decide(body.deduction, 'approve')).body.code).toBe('FREEZE_ENDED');
    expect((await renew(freeze, { until: '2037-05-01' })).body.code).toBe('FREEZE_ENDED');
    expect((await lift(freeze)).body.code).toBe('FREEZE_ENDED');
    await stage.sweep();
    await stage.sweep();
    expect((await freezeOf(freeze)).freeze).toMatchObject({ state: 'expired', held: 0, left: 0, place: null });
    expect((await stage.give('transfer', { from: account, to: await stage.seller(), amount: cny(1_000) })).code).toBe('posted');
  });
});

describe('a deduction', () => {
  it('takes two people, leaves the trail of both, and pays what was frozen', async () => {
    const account = await stage.sellerWith(5_000);
    const { freeze } = await frozen(stage, account);
    const { body: first } = await propose(freeze).expect(201);
    expect(first).toMatchObject({ state: 'proposed', amount: 1_000, instruction: null, payout: null, refusal: null });
    expect(first.payee.account).not.toBe(COURT.account);
    expect((await decide(first.deduction, 'approve', stage.anne).expect(409)).body.code).toBe('SAME_OPERATOR');
    const { body: approved } = await decide(first.deduction, 'approve').expect(200);
    expect(approved.state).toBe('approved');
    expect(approved.decidedBy).not.toBe(approved.askedBy);
    const [told] = await stage.decide([idOf(approved.instruction)]);
    expect(told?.code).toBe('posted');
    const after = await freezeOf(freeze);
    expect(after.freeze).toMatchObject({ state: 'active', left: 2_000, held: 2_000, deducted: 1_000 });
    expect(after.deductions).toMatchObject([{ state: 'ordered', payoutState: 'created' }]);
    expect((await decide(first.deduction, 'approve')).body.code).toBe('DEDUCTION_DECIDED');
    expect((await decide(first.deduction, 'decline', stage.bert, { reason: '晚了' })).body.code).toBe('DEDUCTION_DECIDED');
    const rows = await stage.api.runtime.db.read('audit', (tx) =>
      tx.rows<{ target: string }>('SELECT target FROM audit_entries WHERE target LIKE ?', [`%${first.deduction}`]),
    );
    expect(rows.length).toBeGreaterThanOrEqual(2);
  });

  it('is declined by anybody, and asked for again', async () => {
    const { freeze } = await frozen(stage, await stage.sellerWith(5_000));
    const documentNo = next('扣');
    const { body } = await propose(freeze, { documentNo }).expect(201);
    expect((await propose(freeze, { documentNo }).expect(201)).body.deduction).toBe(body.deduction);
    expect((await propose(freeze, { documentNo, amount: cny(999) })).body.code).toBe('FREEZE_DOCUMENT_REUSED');
    expect((await decide(body.deduction, 'decline', stage.anne, {})).body.code).toBe('SHAPE_INVALID');
    expect((await decide(body.deduction, 'decline', stage.anne, { reason: '账号有误' }).expect(200)).body.state).toBe('declined');
    expect((await decide(body.deduction, 'approve')).body.code).toBe('DEDUCTION_DECIDED');
    expect((await propose(freeze, { documentNo }).expect(201)).body.deduction).not.toBe(body.deduction);
  });

  it('is refused by its own code for whatever does not fit', async () => {
    const { freeze } = await frozen(stage, await stage.sellerWith(2_000));
    expect((await propose(NO_FREEZE)).body.code).toBe('NOT_FOUND');
    expect((await propose(freeze, { amount: cny(2_001) })).body).toMatchObject({
      code: 'DEDUCTION_EXCEEDS_FREEZE',
      held: '2000',
    });
    expect((await propose(freeze, { payee: { ...COURT, account: '12' } })).body.code).toBe('SHAPE_INVALID');
    expect((await propose(freeze, { payee: { ...COURT, name: ' ' } })).body.code).toBe('SHAPE_INVALID');
    expect((await propose(freeze, {}, stage.auditor)).status).toBe(403);
    expect((await decide('ded_1000000000000000001', 'approve')).body.code).toBe('NOT_FOUND');
    expect((await decide('ded_1000000000000000001', 'decline', stage.anne, { reason: '无' })).body.code).toBe('NOT_FOUND');
    expect((await stage.read('judicial-deductions/ded_1000000000000000001', stage.auditor)).body.code).toBe('NOT_FOUND');
    await lift(freeze).expect(200);
    expect((await propose(freeze, { amount: cny(1) })).body.code).toBe('FREEZE_ENDED');
  });

  it('of what has not cleared is refused by the books, told to whoever looks, and can be asked for again', async () => {
    const account = await stage.seller();
    const orderNo = next('SO');
    await stage.give('payment', { orderNo, amount: cny(1_000), payer: COURT, reference: next('COL') });
    await stage.give('split', { orderNo, lines: [{ account, amount: cny(1_000) }] });
    const { freeze } = await frozen(stage, account);
    const documentNo = next('扣');
    const { body } = await propose(freeze, { documentNo }).expect(201);
    const { body: approved } = await decide(body.deduction, 'approve').expect(200);
    expect((await stage.decide([idOf(approved.instruction)]))[0]?.code).toBe('FUNDS_UNCLEARED');
    const { body: read } = await stage.read(`judicial-deductions/${body.deduction}`, stage.auditor).expect(200);
    expect(read).toMatchObject({ state: 'approved', refusal: 'FUNDS_UNCLEARED', payout: null });
    expect((await propose(freeze, { documentNo }).expect(201)).body.deduction).not.toBe(body.deduction);
  });
});

describe('at the same moment', () => {
  const ROUNDS = 5;

  it('two approvals of one deduction give one instruction', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { freeze } = await frozen(stage, await stage.sellerWith(5_000));
      const { body } = await propose(freeze).expect(201);
      const { token } = await stage.api.operator('reviewer');
      const answers = await Promise.all([decide(body.deduction, 'approve'), decide(body.deduction, 'approve', token)]);
      const codes = answers.map(({ status, body: { code } }) => code ?? status).sort();
      expect(codes).toEqual([200, 'DEDUCTION_DECIDED']);
      await stage.decide([]);
      expect((await freezeOf(freeze)).freeze).toMatchObject({ deducted: 1_000 });
    }
  });

  it('two deductions of one freeze share what it has: one of them is paid', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { freeze } = await frozen(stage, await stage.sellerWith(5_000));
      const two = [await propose(freeze, { amount: cny(2_000) }), await propose(freeze, { amount: cny(2_000) })];
      const approved = await Promise.all(two.map(({ body }) => decide(body.deduction, 'approve').expect(200)));
      const told = await stage.decide(approved.map(({ body }) => idOf(body.instruction)));
      expect(told.map(({ code }) => code).sort()).toEqual(['DEDUCTION_EXCEEDS_FREEZE', 'posted']);
      expect((await freezeOf(freeze)).freeze).toMatchObject({ held: 1_000, left: 1_000, deducted: 2_000 });
    }
  });

  it('a lift and a deduction never both have the money', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const account = await stage.sellerWith(3_000);
      const { freeze } = await frozen(stage, account);
      const { body } = await propose(freeze, { amount: cny(3_000) }).expect(201);
      const { body: approved } = await decide(body.deduction, 'approve').expect(200);
      const [lifted, [told]] = await Promise.all([lift(freeze), stage.decide([idOf(approved.instruction)])]);
      expect(lifted.status).toBe(200);
      const after = (await freezeOf(freeze)).freeze;
      expect(told?.code).toBe(after.deducted === 3_000 ? 'posted' : 'FREEZE_ENDED');
      const { body: read } = await stage.read(`accounts/${account}`, stage.auditor);
      expect(read.balance).toBe(after.deducted === 3_000 ? 0 : 3_000);
    }
  });

  it('a freeze and a payout of the same money: what is frozen first stays, what left first is gone', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const account = await stage.sellerWith(3_000);
      const withdrawal = await stage.receive('withdrawal', { account, amount: cny(3_000) });
      const [made, [told]] = await Promise.all([frozen(stage, account), stage.decide([withdrawal])]);
      const after = (await freezeOf(made.freeze)).freeze;
      expect([told?.code, after.held]).toEqual(after.held === 0 ? ['posted', 0] : ['FUNDS_INSUFFICIENT', 3_000]);
    }
  });
});

it('the books hold after all of it', async () => {
  expect(await stage.violations()).toEqual([]);
});
