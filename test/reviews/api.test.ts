import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sweep } from '../../jobs/sweep.job.js';
import { allRoutes } from '../../src/app.js';
import { type Channels, openChannels } from '../../src/channels/index.js';
import { createDesk } from '../../src/dispatch/index.js';
import { createIntake, executeShard, type Intake } from '../../src/instructions/index.js';
import { type BusinessDate, canonicalJson, fromWire, type Id, instantOf, startOfDay, toWire } from '../../src/kernel/index.js';
import type { DrivenClock } from '../../src/runtime/index.js';
import { openBook, person, type TestBook } from '../accounts/books.js';
import { startApi, type TestApi } from '../support/api.js';
import { violations } from '../support/invariants.js';

const TODAY = '2037-03-02';
const cny = (amount: number) => ({ amount, currency: 'CNY' });
const PAYER = { name: '张三丰', account: '622202000000000007', bankCode: '102100099996' };

let api: TestApi;
let clock: DrivenClock;
let intake: Intake;
let channels: Channels;
let book: TestBook;
let [anne, bert, auditor, administrator]: string[] = [];
let anneId: Id;
let numbers = 0;

beforeAll(async () => {
  const answers = { wait: async () => new Map(), close: async () => undefined };
  const late = { receive: (of: Parameters<Intake['receive']>[0]) => intake.receive(of) };
  api = await startApi((rt) => allRoutes(rt, { intake: late, answers }), { CLOCK: 'driven' });
  clock = api.runtime.drivenClock as DrivenClock;
  clock.advance(instantOf(startOfDay(TODAY as BusinessDate) + 36_000_000));
  intake = createIntake(api.runtime);
  channels = openChannels({ bankUrl: api.runtime.config.BANK_URL });
  ({ token: administrator } = await api.operator('administrator'));
  ({ token: anne, id: anneId } = await api.operator('operator'));
  [bert, auditor] = [(await api.operator('reviewer')).token, (await api.operator('auditor')).token];
  book = await openBook(api, administrator as string, { openDate: TODAY });
});
afterAll(async () => {
  await channels?.close();
  await api?.stop();
});

const post = (token: string | undefined, path: string, body?: unknown) =>
  api.call('POST', `/admin/v1/${path}`, { token: token as string, body });
const get = (path: string, token = auditor) => api.call('GET', `/admin/v1/${path}`, { token: token as string });
const execute = async () => {
  const [row] = await api.runtime.db.read('shard', (tx) =>
    tx.rows<{ shard_id: number }>('SELECT shard_id FROM books WHERE platform_id = ?', [book.id]),
  );
  await executeShard(api.runtime, row?.shard_id ?? 0);
};
const rule = (more: Record<string, unknown> = {}) => ({
  ...{ name: '大额退款', kinds: ['refund'], test: { by: 'amount', above: 5_000 }, minutes: 30, from: TODAY },
  ...more,
});
const platform = () => toWire('platform', book.id);

async function paidOrder(amount: number): Promise<string> {
  numbers += 1;
  const orderNo = `SO-${numbers}`;
  await give('payment', { orderNo, amount: cny(amount), payer: PAYER, reference: `COL-${numbers}` });
  return orderNo;
}

async function give(kind: string, data: unknown): Promise<string> {
  numbers += 1;
  const [receipt] = await intake.receive([
    { platformId: book.id, origin: 'P', requestNo: `R-${numbers}`, kind, body: canonicalJson(data), actor: 'test' },
  ]);
  if (receipt === undefined || !('id' in receipt)) throw new Error('not received');
  await execute();
  return toWire('instruction', receipt.id);
}

describe('review rules', () => {
  it('are proposed by one and approved by another, and end when one asks and another agrees', async () => {
    const { body } = await post(anne, `platforms/${platform()}/review-rules`, rule()).expect(201);
    expect(body).toMatchObject({
      state: 'proposed',
      test: { by: 'amount', above: 5_000 },
      onDeadline: 'refuse',
      decidedBy: null,
    });
    expect((await post(anne, `review-rules/${body.id}/approve`).expect(409)).body.code).toBe('SAME_OPERATOR');
    expect((await post(bert, `review-rules/${body.id}/end`).expect(409)).body.code).toBe('REVIEW_RULE_STATE');
    // Nobody is asked by a rule that is not approved.
    const orderNo = await paidOrder(9_000);
    expect((await get(`instructions/${await give('refund', { orderNo, amount: cny(5_001) })}`)).body.state).toBe('posted');
    await post(bert, `review-rules/${body.id}/approve`).expect(200);
    expect((await post(bert, `review-rules/${body.id}/approve`).expect(409)).body.code).toBe('REVIEW_RULE_STATE');
    await post(anne, `review-rules/${body.id}/end`).expect(200);
    expect((await post(anne, `review-rules/${body.id}/end`).expect(409)).body.code).toBe('SAME_OPERATOR');
    expect((await post(bert, `review-rules/${body.id}/end`).expect(200)).body).toMatchObject({ state: 'ended' });
    expect((await get(`platforms/${platform()}/review-rules`)).body.items).toHaveLength(1);
  });

  it('may be declined by anybody, and are refused where they cannot be applied', async () => {
    const { body } = await post(anne, `platforms/${platform()}/review-rules`, rule()).expect(201);
    expect((await post(anne, `review-rules/${body.id}/decline`).expect(200)).body.state).toBe('declined');
    const faults = [
      { from: '2037-03-01' },
      { until: '2037-03-01' },
      { kinds: ['refund', 'split'], test: { by: 'deviation', most: 100 } },
      { test: { by: 'velocity', per: 'account', within: 'day' } },
    ];
    for (const fault of faults)
      expect((await post(anne, `platforms/${platform()}/review-rules`, rule(fault)).expect(422)).body.code).toBe(
        'REVIEW_RULE_INVALID',
      );
    await post(anne, `platforms/${platform()}/review-rules`, rule({ kinds: ['payment'] })).expect(400);
    await post(anne, 'platforms/plt_1000000000000000001/review-rules', rule()).expect(404);
    await post(auditor, `platforms/${platform()}/review-rules`, rule()).expect(403);
    await post(administrator, `platforms/${platform()}/review-rules`, rule()).expect(403);
  });
});

describe('a review', () => {
  beforeAll(async () => {
    const { body } = await post(anne, `platforms/${platform()}/review-rules`, rule()).expect(201);
    await post(bert, `review-rules/${body.id}/approve`).expect(200);
  });

  it('is seen by the platform as in-review without its reasons, and by the bank with them', async () => {
    const orderNo = await paidOrder(9_000);
    const id = await give('refund', { orderNo, amount: cny(6_000) });
    const { body: seen } = await api.signed(book, 'GET', `/v1/instructions/${id}`).expect(200);
    expect(seen).toMatchObject({ state: 'in-review', decideBy: '2037-03-02T10:30:00.000+08:00', code: null });
    expect(JSON.stringify(seen)).not.toContain('大额');
    const { body: listed } = await get(`reviews?platform=${platform()}`).expect(200);
    expect(listed.items.map(({ instruction }: { instruction: string }) => instruction)).toEqual([id]);
    const { body: order } = await get(`reviews/${id}`).expect(200);
    expect(order).toMatchObject({
      kind: 'refund',
      amount: 6_000,
      state: 'open',
      onDeadline: 'refuse',
      decisions: [],
      outcome: null,
    });
    expect(order.reasons).toMatchObject([{ name: '大额退款', by: 'amount', figures: { amount: '6000', above: '5000' } }]);
    expect(order.held).toMatchObject([{ amount: 6_000, open: true }]);
    const { body: told } = await get(`accounts/${order.held[0].account}/explain`).expect(200);
    expect(told).toMatchObject({ held: 6_000, available: 3_000, heldLines: [{ kind: 'review', id, by: 'bank', amount: 6_000 }] });

    await post(auditor, `reviews/${id}/approve`, {}).expect(403);
    expect((await post(anne, `reviews/${id}/approve`, { note: '与客户核实' }).expect(200)).body.state).toBe('open');
    expect((await post(anne, `reviews/${id}/approve`, {}).expect(409)).body.code).toBe('SAME_OPERATOR');
    const { body: approved } = await post(bert, `reviews/${id}/approve`, {}).expect(200);
    expect(approved).toMatchObject({ state: 'approved', decisions: [{ verdict: 'approve', noted: true }, { noted: false }] });
    expect((await post(bert, `reviews/${id}/reject`, { note: 'x' }).expect(409)).body.code).toBe('REVIEW_DECIDED');
    await execute();
    expect((await get(`reviews/${id}`)).body).toMatchObject({ outcome: { state: 'posted' }, held: [{ open: false }] });
    expect((await api.signed(book, 'GET', `/v1/instructions/${id}`)).body.state).toBe('posted');

    const { body: trail } = await get('audit').expect(200);
    const steps = trail.items.filter(({ target }: { target: string }) => target === `review ${id}`);
    // Newest first: two approvals, the two that were refused, and that it was asked for, which nobody of the staff did.
    expect(
      steps
        .filter(({ outcome }: { outcome: string }) => outcome === 'done')
        .map(({ operator }: { operator: string | null }) => operator === null),
    ).toEqual([false, false, true]);
    expect(JSON.stringify(trail)).not.toContain('与客户核实');
    expect(toWire('operator', anneId)).toBe(approved.decisions[0].operator);
    expect(await violations(api.runtime.db)).toEqual([]);
  });

  it('ends by its deadline, once, when the sweep comes by, and the platform hears that it was refused', async () => {
    const orderNo = await paidOrder(9_000);
    const id = await give('refund', { orderNo, amount: cny(7_000) });
    clock.advance(instantOf(clock.now() + 30 * 60_000));
    const desk = createDesk(api.runtime, channels);
    await sweep(desk);
    await sweep(desk);
    await execute();
    expect((await api.signed(book, 'GET', `/v1/instructions/${id}`)).body).toMatchObject({
      state: 'refused',
      code: 'REVIEW_LAPSED',
    });
    const topics = await api.runtime.db.read('outbox', (tx) =>
      tx.rows<{ topic: string }>('SELECT topic FROM outbox WHERE ref_id = ? ORDER BY seq', [fromWire(id)]),
    );
    expect(topics.map(({ topic }) => topic)).toEqual(['review.asked', 'instruction.refused']);
    expect(await violations(api.runtime.db)).toEqual([]);
  });

  it('is not asked for by a dry run, which says that it would be', async () => {
    const orderNo = await paidOrder(9_000);
    const { body } = await api.signed(book, 'POST', '/v1/instructions/dry-run', [
      { requestNo: 'DRY-1', kind: 'refund', data: { orderNo, amount: cny(6_000) } },
    ]);
    expect(JSON.stringify(body)).toContain('in-review');
    expect((await get(`reviews?platform=${platform()}`)).body.items).toEqual([]);
  });

  it('names nobody in full', async () => {
    numbers += 1;
    const { body: seller } = await api.signed(book, 'POST', '/v1/sub-merchants', person(numbers)).expect(201);
    expect(seller.account).toMatch(/^acc_/);
    const { body } = await get(`reviews?state=approved&platform=${platform()}`).expect(200);
    expect(JSON.stringify(body)).not.toContain(PAYER.account);
  });
});
