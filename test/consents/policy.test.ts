import { afterAll, beforeAll, describe, expect, it, test } from '@jest/globals';
import { accountAdminRoutes, accountRoutes } from '../../src/accounts/index.js';
import { loadPolicies, policyRoutes, proofNeeded } from '../../src/consents/index.js';
import { decidePolicy, KIND_POLICIES, PROOF_KINDS, policyKey } from '../../src/consents/policy.js';
import { loadBook } from '../../src/ledger/index.js';
import { PROFILES } from '../../src/platforms/index.js';
import { openBook, type TestBook } from '../accounts/books.js';
import { startApi, type TestApi } from '../support/api.js';

const NONE = { rows: new Map() };
const both = { needs: 'both', mandates: false } as const;

describe('the table of proofs', () => {
  it('asks the strictest of a kind or a profile that it does not know', () => {
    expect(proofNeeded(NONE, 'marketplace', 'new-kind')).toEqual(both);
    expect(proofNeeded(NONE, 'new-profile', 'withdrawal')).toEqual(both);
    expect(proofNeeded(NONE, 'marketplace', 'toString')).toEqual(both);
    expect(proofNeeded(NONE, 'constructor', 'top-up')).toEqual(both);
  });

  it('has defaults that are not below their own floors', () => {
    for (const kind of PROOF_KINDS)
      for (const profile of PROFILES) expect(decidePolicy(kind, KIND_POLICIES[kind].defaults[profile])).toBeUndefined();
  });

  it('lets a mandate stand in for what is paid, lent, bought and saved alone, and asks both factors on lending platforms but for what one owes', () => {
    const standIn = PROOF_KINDS.filter((kind) => proofNeeded(NONE, 'marketplace', kind).mandates);
    expect(standIn).toEqual([
      ...['account-payment', 'top-up', 'bid', 'repayment', 'compensation', 'recovery'],
      ...['fund-subscription', 'fund-redemption', 'pot-payment', 'claim-purchase'],
    ]);
    const oneFactor = PROOF_KINDS.filter((kind) => proofNeeded(NONE, 'lending', kind).needs !== 'both');
    expect(oneFactor).toEqual(['repayment', 'recovery']);
  });

  it('goes by the floor where a row has come to lie below it', () => {
    const rows = new Map(PROOF_KINDS.map((kind) => [policyKey('marketplace', kind), { needs: 'sms' as const, mandates: true }]));
    expect(proofNeeded({ rows }, 'marketplace', 'mandate')).toEqual(both);
    expect(proofNeeded({ rows }, 'marketplace', 'withdrawal')).toEqual({ needs: 'sms', mandates: false });
    expect(proofNeeded({ rows }, 'marketplace', 'top-up')).toEqual({ needs: 'sms', mandates: true });
  });
});

describe('setting a policy', () => {
  let api: TestApi;
  let token: string;
  let market: TestBook;
  let lender: TestBook;
  beforeAll(async () => {
    api = await startApi((runtime) => [...accountRoutes(runtime), ...accountAdminRoutes(runtime), ...policyRoutes(runtime)]);
    ({ token } = await api.operator('administrator'));
    market = await openBook(api, token);
    lender = await openBook(api, token, { profile: 'lending' });
  });
  afterAll(() => api?.stop());

  const put = (path: string, body: unknown, by = token) =>
    api.call('PUT', `/admin/v1/proof-policies/${path}`, { token: by, body });
  const ofPlatform = async (by: TestBook, kind: string) => {
    const { body } = await api.signed(by, 'GET', '/v1/proof-policies').expect(200);
    expect(body.items).toHaveLength(PROOF_KINDS.length);
    return body.items.find((item: { kind: string }) => item.kind === kind);
  };

  it('holds for the platforms of that profile and no others, and is in the audit trail', async () => {
    const stricter = { needs: 'both', mandates: false };
    const { body } = await put('marketplace/account-payment', stricter).expect(200);
    expect(body).toEqual({ profile: 'marketplace', kind: 'account-payment', ...stricter, set: true });
    expect(await ofPlatform(market, 'account-payment')).toEqual(body);
    expect(await ofPlatform(lender, 'account-payment')).toMatchObject({ profile: 'lending', mandates: true, set: false });
    await put('marketplace/account-payment', { needs: 'sms', mandates: true }).expect(200);
    const table = await api.runtime.db.read('policies', loadPolicies);
    expect(proofNeeded(table, 'marketplace', 'account-payment')).toEqual({ needs: 'sms', mandates: true });
    const trail = await api.runtime.db.read('audit', (tx) =>
      tx.rows("SELECT outcome FROM audit_entries WHERE target = 'proof-policy marketplace/account-payment'"),
    );
    expect(trail).toHaveLength(2);
  });

  it.each([
    ['marketplace/mandate', { needs: 'password', mandates: false }],
    ['lending/account-closing', { needs: 'sms', mandates: false }],
    ['marketplace/withdrawal', { needs: 'both', mandates: true }],
    ['lending/own-transfer', { needs: 'both', mandates: true }],
  ])('never goes below the floor: %s', async (path, asked) => {
    const { body } = await put(path, asked).expect(422);
    expect(body.code).toBe('POLICY_TOO_LOOSE');
  });

  it('is for the administrator alone, and for kinds and profiles that exist', async () => {
    const { token: other } = await api.operator('operator');
    await put('marketplace/top-up', both, other).expect(403);
    await put('marketplace/split', both).expect(400);
    await put('casino/top-up', both).expect(400);
    await api.signed(market, 'PUT', '/admin/v1/proof-policies/marketplace/top-up', both).expect(401);
    await api.signed(market, 'PUT', '/v1/proof-policies/marketplace/top-up', both).expect(404);
    const { body } = await api.call('GET', '/admin/v1/proof-policies', { token: other }).expect(200);
    expect(body.items).toHaveLength(PROOF_KINDS.length * PROFILES.length);
  });

  test('a platform keeps the profile that it was opened with, and its book has the same', async () => {
    const own = await api.signed(lender, 'GET', '/v1/platform').expect(200);
    expect(own.body.profile).toBe('lending');
    expect((await api.signed(market, 'GET', '/v1/platform').expect(200)).body.profile).toBe('marketplace');
    const book = await api.runtime.db.read('book', (tx) => loadBook(tx, lender.id));
    expect(book.profile).toBe('lending');
    const refused = { name: 'X', custodyNo: '622799999999', profile: 'casino' };
    await api.call('POST', '/admin/v1/platforms', { token, body: refused }).expect(400);
  });
});
