import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fundFileRoutes } from '../../src/fund-exchange/index.js';
import { type FundFile, noteFiles } from '../../src/fund-exchange/store.js';
import type { BusinessDate } from '../../src/kernel/index.js';
import { startApi, type TestApi } from '../support/api.js';

const PATH = '/admin/v1/fund-files';
const file = (date: string, company: string, kind: FundFile['kind'], rest: Partial<FundFile> = {}): FundFile => ({
  ...{ date: date as BusinessDate, company, kind, state: 'taken', count: 1, digest: 'ab'.repeat(32), why: null },
  changedMs: 1_772_000_000_000 as FundFile['changedMs'],
  ...rest,
});

describe('the files exchanged with fund companies', () => {
  let api: TestApi;
  let token: string;
  beforeAll(async () => {
    api = await startApi(fundFileRoutes);
    ({ token } = await api.operator('operator'));
    const refused = { state: 'refused', digest: null, why: 'a trailer of 3 records, and 2 of them' } as const;
    await api.runtime.db.withTx('files', (tx) =>
      noteFiles(tx, [
        file('2026-03-03', 'TA1', 'quotes'),
        file('2026-03-03', 'TA1', 'confirmations', refused),
        file('2026-03-03', 'TA2', 'applications', { state: 'handed-in' }),
        file('2026-03-02', 'TA2', 'quotes'),
        file('2026-03-02', 'TA1', 'quotes'),
      ]),
    );
  });
  afterAll(() => api?.stop());

  const list = async (query: string) => (await api.call('GET', `${PATH}${query}`, { token }).expect(200)).body;
  const named = (items: { date: string; company: string; kind: string }[]) =>
    items.map(({ date, company, kind }) => `${date} ${company} ${kind}`);

  it('are told page by page, the latest first, each once', async () => {
    const told: string[] = [];
    let next: string | null = null;
    do {
      const body = await list(`?limit=2${next === null ? '' : `&cursor=${next}`}`);
      expect(body.items.length).toBeLessThanOrEqual(2);
      told.push(...named(body.items));
      next = body.next;
    } while (next !== null);
    expect(told).toEqual([
      '2026-03-03 TA1 confirmations',
      '2026-03-03 TA1 quotes',
      '2026-03-03 TA2 applications',
      '2026-03-02 TA1 quotes',
      '2026-03-02 TA2 quotes',
    ]);
  });

  it('are found by what they are, and one that was refused says why', async () => {
    const [refused] = (await list('?state=refused')).items;
    expect(refused).toMatchObject({ kind: 'confirmations', digest: null, why: 'a trailer of 3 records, and 2 of them' });
    expect(named((await list('?company=TA2&since=2026-03-03')).items)).toEqual(['2026-03-03 TA2 applications']);
  });

  it('are not told for a cursor that is none of theirs', async () => {
    const forged = Buffer.from(JSON.stringify(['fund-files', ['yesterday', 'TA1', 'quotes']])).toString('base64url');
    const { body } = await api.call('GET', `${PATH}?cursor=${forged}`, { token }).expect(400);
    expect(body.code).toBe('CURSOR_INVALID');
  });
});
