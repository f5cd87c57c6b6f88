import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { accountAdminRoutes } from '../../src/accounts/index.js';
import { fromWire, toWire } from '../../src/kernel/index.js';
import { loadAccounts } from '../../src/ledger/index.js';
import { lendingRoutes } from '../../src/lending/index.js';
import { openBook, type TestBook } from '../accounts/books.js';
import { startApi, type TestApi } from '../support/api.js';

const STRICT = { advance: false, advanceCeiling: 0, entrusted: false, reserve: false };

describe('what a lending platform may do beyond lending directly', () => {
  let api: TestApi;
  let lender: TestBook;
  let market: TestBook;
  let [first, second] = ['', ''];
  beforeAll(async () => {
    api = await startApi((runtime) => [...accountAdminRoutes(runtime), ...lendingRoutes(runtime)]);
    const { token: administrator } = await api.operator('administrator');
    lender = await openBook(api, administrator, { profile: 'lending' });
    market = await openBook(api, administrator);
    first = (await api.operator('operator')).token;
    second = (await api.operator('reviewer')).token;
  });
  afterAll(() => api?.stop());

  const path = (book: TestBook, rest = '') => `/admin/v1/platforms/${toWire('platform', book.id)}/lending-terms${rest}`;
  const propose = (modes: object, token = first, book = lender) =>
    api.call('POST', path(book), { token, body: { ...STRICT, ...modes, reason: '张三经理申请' } });
  const decide = (id: string, how: 'approve' | 'reject', token: string, book = lender) =>
    api.call('POST', path(book, `/${id}/${how}`), { token, body: how === 'reject' ? { note: '材料不全' } : {} });
  const own = async () => (await api.signed(lender, 'GET', '/v1/lending-terms').expect(200)).body;

  it('is nothing until two people agreed to it, and accounts that it needs are opened then', async () => {
    const nothing = { ...STRICT, advanceAccount: null, reserveAccount: null };
    expect(await own()).toEqual(nothing);
    const { body: asked } = await propose({ advance: true, advanceCeiling: 500_000 }).expect(201);
    expect(asked).toMatchObject({ state: 'proposed', advanceAccount: null, reason: '张三经理申请' });
    expect(await own()).toEqual(nothing);
    expect((await decide(asked.id, 'approve', first).expect(409)).body.code).toBe('SAME_OPERATOR');
    const { body: agreed } = await decide(asked.id, 'approve', second).expect(200);
    expect(agreed).toMatchObject({ state: 'in-force', reserveAccount: null });
    const { advanceAccount } = await own();
    expect(await own()).toEqual({ ...nothing, advance: true, advanceCeiling: 500_000, advanceAccount });
    const id = fromWire(advanceAccount);
    const accounts = await api.runtime.db.read('account', (tx) => loadAccounts(tx, [id], () => '2026-03-02' as never));
    expect(accounts.get(id)).toMatchObject({ type: 'advance', balance: 0n, state: 'open', platformId: lender.id });
    expect((await decide(asked.id, 'approve', second)).body.code).toBe('PROPOSAL_DECIDED');
  });

  it('is what was agreed last, with the same account for the same money', async () => {
    const { advanceAccount } = await own();
    const { body: stricter } = await propose({ reserve: true }).expect(201);
    await decide(stricter.id, 'approve', second).expect(200);
    const now = await own();
    expect(now).toEqual({ ...STRICT, reserve: true, advanceAccount, reserveAccount: expect.stringMatching(/^acc_/) });
    const { body } = await api.call('GET', path(lender), { token: first }).expect(200);
    expect(body.inForce).toEqual(now);
    expect(body.proposed.map(({ state }: { state: string }) => state)).toEqual(['in-force', 'superseded']);
  });

  it('is not what somebody rejected or took back, nor of a platform that is none for lending', async () => {
    const before = await own();
    for (const [token, state] of [
      [first, 'withdrawn'],
      [second, 'rejected'],
    ] as const) {
      const { body } = await propose({ entrusted: true }).expect(201);
      expect((await decide(body.id, 'reject', token).expect(200)).body).toMatchObject({ state, note: '材料不全' });
      expect((await decide(body.id, 'approve', second)).body.code).toBe('PROPOSAL_DECIDED');
      expect((await decide(body.id, 'approve', second, market).expect(404)).body.code).toBe('NOT_FOUND');
    }
    const rows = await api.runtime.db.read('rows', (tx) => tx.rows('SELECT reason_sealed, note_sealed FROM lending_terms'));
    expect(rows).toHaveLength(4);
    expect(JSON.stringify(rows)).not.toMatch(/张三|材料/);
    expect(await own()).toEqual(before);
    expect((await propose({ entrusted: true }, first, market).expect(403)).body.code).toBe('LENDING_NOT_OFFERED');
    const { token: auditor } = await api.operator('auditor');
    await propose({ entrusted: true }, auditor).expect(403);
    await propose({ advanceCeiling: -1 }).expect(400);
  });
});
