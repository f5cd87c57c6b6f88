import { expect } from '@jest/globals';
import type { Door } from './personal-doors.js';
import { type Somebody, type Stage, somebody } from './personal-stage.js';

const seller = (of: Somebody) => ({
  merchantNo: `A-${of.mobile.slice(-4)}`,
  party: { kind: 'person', name: of.name, idNo: of.idNo, mobile: of.mobile },
  settlementAccount: { name: of.name, account: of.card, bankCode: '' },
});

/** Agreements with sellers, alone and as a group: staff records who signed, and writes down why it refuses. */
async function agreements({ asPlatform, asStaff, asReviewer, today }: Stage) {
  const [anna, ben, agent, named] = [somebody(), somebody(), somebody(), somebody()];
  const accounts: string[] = [];
  for (const each of [anna, ben, agent])
    accounts.push((await asPlatform('POST', '/v1/sub-merchants', seller(each))).body.account);
  const [first, second, third] = accounts;
  const lines = [{ to: { account: third }, take: { percent: 100 } }];
  const terms = { rule: { levels: { order: { lines, remainder: 'seller' } } }, othersCap: 3000, profitMax: 0, cycle: 'T+1' };
  const validFrom = today();
  const one = { agreementNo: 'AG-1', version: 1, account: first, validFrom, terms };
  const { body: version } = await asPlatform('POST', '/v1/agreements', one);
  const path = `/admin/v1/agreement-versions/${version.id}`;
  const signed = await asStaff('POST', `${path}/signatures`, { account: first, voucher: `${anna.name} ${named.mobile}` });
  expect(signed.body.papers).toHaveLength(1);
  const refused = await asReviewer('POST', `${path}/refuse`, { reason: `${named.name} ${named.card}` });
  expect(refused.body.state).toBe('refused');
  const group = { groupNo: 'AG-G-1', validFrom, terms, lines: [{ agreementNo: 'AG-2', version: 1, account: second }] };
  const { body: taken } = await asPlatform('POST', '/v1/agreement-groups', group);
  const list = { accounts: 'missing', voucher: `${named.name} ${ben.name}` };
  expect((await asStaff('POST', `/admin/v1/agreement-groups/${taken.id}/signatures`, list)).body.moved).toBe(2);
  expect((await asReviewer('POST', `/admin/v1/agreement-groups/${taken.id}/refuse`, { reason: named.idNo })).body.moved).toBe(1);
  const seen = JSON.stringify((await asPlatform('GET', `/v1/agreements/${version.agreement}`)).body);
  for (const plain of [...anna.plain, ...agent.plain, ...named.plain]) expect(seen).not.toContain(plain);
  return [anna, ben, agent, named].flatMap(({ plain }) => plain);
}

export const AGREEMENT_DOORS: Readonly<Record<string, Door>> = { agreements };
