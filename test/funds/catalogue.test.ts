import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { accountAdminRoutes, accountRoutes } from '../../src/accounts/index.js';
import { fundAdminRoutes, fundRoutes } from '../../src/funds/index.js';
import { startApi, type TestApi } from '../support/api.js';

const FUND = {
  ...{ code: '000198', name: '天天货币', company: 'TA1', kind: 'money', settlesIn: 1, sells: true },
  custody: { name: '天天货币托管户', account: '110060000018010000', bankCode: '105100000017' },
};

describe('the catalogue of funds', () => {
  let api: TestApi;
  let one: string;
  let other: string;
  beforeAll(async () => {
    api = await startApi((runtime) => [
      ...accountRoutes(runtime),
      ...accountAdminRoutes(runtime),
      ...fundRoutes(runtime),
      ...fundAdminRoutes(runtime),
    ]);
    ({ token: one } = await api.operator('operator'));
    ({ token: other } = await api.operator('reviewer'));
  });
  afterAll(() => api?.stop());

  const propose = (body: object, token = one) => api.call('POST', '/admin/v1/fund-proposals', { token, body });
  const decide = (proposal: string, how: 'approve' | 'reject', token: string) =>
    api.call('POST', `/admin/v1/fund-proposals/${proposal}/${how}`, { token, body: {} });
  const known = async () =>
    (await api.runtime.db.read('funds', (tx) => tx.rows<{ code: string; sells: number }>('SELECT code, sells FROM funds'))).map(
      ({ code, sells }) => `${code} ${sells}`,
    );

  it('is changed by two people, and by nobody alone', async () => {
    const { body } = await propose(FUND).expect(201);
    expect(body).toMatchObject({ state: 'proposed', fund: { code: '000198', custody: { bankCode: '105100000017' } } });
    expect(JSON.stringify(body)).not.toContain(FUND.custody.account);
    expect((await propose(FUND, other).expect(409)).body.code).toBe('FUND_PROPOSED');
    expect((await decide(body.proposal, 'approve', one)).body.code).toBe('SAME_OPERATOR');
    expect(await known()).toEqual([]);
    await decide(body.proposal, 'approve', other).expect(200);
    expect(await known()).toEqual(['000198 1']);
    expect((await decide(body.proposal, 'approve', other).expect(409)).body.code).toBe('PROPOSAL_DECIDED');
  });

  it('keeps what a fund is, and takes other terms of it; what is rejected changes nothing', async () => {
    expect((await propose({ ...FUND, kind: 'other' }).expect(422)).body.code).toBe('FUND_KIND');
    const closed = (await propose({ ...FUND, sells: false }).expect(201)).body.proposal;
    expect((await decide(closed, 'reject', one).expect(200)).body.state).toBe('withdrawn');
    const again = (await propose({ ...FUND, sells: false }).expect(201)).body.proposal;
    expect((await decide(again, 'reject', other).expect(200)).body.state).toBe('rejected');
    expect(await known()).toEqual(['000198 1']);
    const third = (await propose({ ...FUND, sells: false }).expect(201)).body.proposal;
    await decide(third, 'approve', other).expect(200);
    expect(await known()).toEqual(['000198 0']);
    const { body } = await api.call('GET', '/admin/v1/fund-proposals', { token: one }).expect(200);
    expect(body.items.map(({ state }: { state: string }) => state)).toEqual(['approved', 'withdrawn', 'rejected', 'approved']);
  });
});
