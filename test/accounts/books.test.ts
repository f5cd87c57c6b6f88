import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { accountAdminRoutes, accountRoutes } from '../../src/accounts/index.js';
import { toRfc3339 } from '../../src/kernel/index.js';
import { type Posting, verifyAccounts } from '../../src/ledger/index.js';
import { startApi, type TestApi } from '../support/api.js';
import { bare, openBook, person, postMovement, type TestBook } from './books.js';

let api: TestApi;
let token: string;
let book: TestBook;
beforeAll(async () => {
  api = await startApi((runtime) => [...accountRoutes(runtime), ...accountAdminRoutes(runtime)]);
  ({ token } = await api.operator('administrator'));
  book = await openBook(api, token);
});
afterAll(() => api?.stop());

const at = (date: string, ms: number) => ({ date, instant: Date.parse(`${date}T01:00:00Z`) + ms });

describe('opening a platform', () => {
  it('opens one account a purpose, on the emptiest shard, with the terms agreed', async () => {
    const books = [
      await openBook(api, token),
      await openBook(api, token),
      await openBook(api, token),
      await openBook(api, token),
    ];
    const shards: number[] = [];
    for (const each of books) {
      const { body } = await api.call('GET', `/admin/v1/platforms/plt_${each.id}/book`, { token }).expect(200);
      expect(Object.keys(body.accounts).sort()).toEqual([
        'commission',
        'custody',
        'fees',
        'in-transit',
        'marketing',
        'own-funds',
        'suspense',
      ]);
      expect(body).toMatchObject({ businessDate: '2026-03-02', currency: 'CNY', terms: { transferMax: 0, feeMax: 0 } });
      shards.push(body.shard);
    }
    // One book stood on shard 0 before: the next go to the shards that have none, then around again.
    expect(shards).toEqual([1, 2, 0, 1]);
  });

  it('shows the platform itself, its accounts and its terms', async () => {
    const body = { transferMax: 500_000, feeMax: 1_000 };
    await api.call('PUT', `/admin/v1/platforms/plt_${book.id}/terms`, { token, body }).expect(200);
    const own = await api.signed(book, 'GET', '/v1/platform').expect(200);
    expect(own.body).toMatchObject({
      id: `plt_${book.id}`,
      state: 'active',
      businessDate: '2026-03-02',
      terms: body,
      settlementAccount: null,
    });
    expect(own.body.accounts.map((account: { type: string }) => account.type)).toEqual([
      'custody',
      'in-transit',
      'own-funds',
      'commission',
      'marketing',
      'fees',
      'suspense',
    ]);
  });

  it("binds the platform's own accounts to one in its own name, and no other", async () => {
    const named = await openBook(api, token, {
      name: 'Market A',
      settlementAccount: { name: 'Market A', account: '110060149018010001', bankCode: '104100000004' },
    });
    const own = await api.signed(named, 'GET', '/v1/platform').expect(200);
    expect(own.body.settlementAccount).toEqual({ name: 'Market A', account: '110060********0001', bankCode: '104100000004' });
    const path = `/admin/v1/platforms/plt_${named.id}/settlement-account`;
    const refused = await api.call('PUT', path, { token, body: { name: 'Market B', account: '110060149018010001' } });
    expect(refused.body.code).toBe('HOLDER_NAME_DIFFERS');
    await api.call('PUT', path, { token, body: { name: 'Market A', account: '110060149018010002' } }).expect(200);
  });

  it.each([
    ['a custody account that another platform uses', { custodyNo: 'TAKEN1' }, 'CUSTODY_NO_REUSED'],
    ['a credit code that fails its check', { custodyNo: 'FREE01', uscc: '91350100M000100Y44' }, 'USCC_INVALID'],
    [
      'a settlement account of somebody else',
      { custodyNo: 'FREE02', settlementAccount: { name: 'X', account: '12345678' } },
      'HOLDER_NAME_DIFFERS',
    ],
    ['negative terms', { custodyNo: 'FREE03', terms: { transferMax: -1, feeMax: 0 } }, 'SHAPE_INVALID'],
  ])('refuses %s and leaves nothing behind', async (_what, more, code) => {
    if (code === 'CUSTODY_NO_REUSED') await openBook(api, token, { custodyNo: 'TAKEN1' });
    const rows = () => api.runtime.db.read('rows', (tx) => tx.rows('SELECT id FROM platforms UNION ALL SELECT id FROM accounts'));
    const before = (await rows()).length;
    const answer = await api.call('POST', '/admin/v1/platforms', { token, body: { name: 'Market', ...more } });
    expect(answer.body.code).toBe(code);
    expect(await rows()).toHaveLength(before);
  });

  it('lets one of several openings with the same custody account through', async () => {
    const body = { name: 'Twin', custodyNo: 'TWIN01' };
    const answers = await Promise.all(Array.from({ length: 4 }, () => api.call('POST', '/admin/v1/platforms', { token, body })));
    expect(answers.map((answer) => answer.status).sort()).toEqual([201, 409, 409, 409]);
  });

  it('needs the permission, and leaves an audit entry', async () => {
    const auditor = await api.operator('auditor');
    const body = { name: 'Market', custodyNo: 'AUDIT1' };
    expect((await api.call('POST', '/admin/v1/platforms', { token: auditor.token, body })).body.code).toBe('PERMISSION_DENIED');
    await api.call('GET', `/admin/v1/accounts/${book.accounts.custody}`, { token: auditor.token }).expect(200);
    const opened = await api.call('POST', '/admin/v1/platforms', { token, body }).expect(201);
    const entries = await api.runtime.db.read('audit', (tx) =>
      tx.rows<{ outcome: string }>('SELECT outcome FROM audit_entries WHERE target LIKE ?', [`%${opened.body.id}%`]),
    );
    expect(entries.map((entry) => entry.outcome)).toEqual(['done']);
  });
});

describe('freezing', () => {
  const freeze = (account: string | undefined, verb: string, body: unknown = { reason: 'court order 1' }) =>
    api.call('POST', `/admin/v1/accounts/${account}/${verb}`, { token, body });

  it('goes to and fro, and twice changes nothing', async () => {
    const account = book.accounts.commission;
    for (const [verb, state] of [
      ['freeze', 'frozen'],
      ['freeze', 'frozen'],
      ['unfreeze', 'open'],
      ['unfreeze', 'open'],
    ] as const) {
      expect((await freeze(account, verb).expect(200)).body).toEqual({ id: account, state });
      expect((await api.signed(book, 'GET', `/v1/accounts/${account}`)).body.state).toBe(state);
    }
  });

  it("refuses the bank's working accounts, unknown accounts, and a freeze without a reason", async () => {
    for (const type of ['custody', 'in-transit', 'suspense']) {
      expect((await freeze(book.accounts[type], 'freeze')).body.code).toBe('ACCOUNT_TYPE_NOT_ALLOWED');
    }
    expect((await freeze('acc_1000000000000000001', 'freeze')).status).toBe(404);
    expect((await freeze(book.accounts.commission, 'freeze', {})).body.code).toBe('SHAPE_INVALID');
  });
});

describe('balances', () => {
  it('are shown as the ledger defines them, the custody account as the money that is kept', async () => {
    const mine = await openBook(api, token);
    const merchant = (await api.signed(mine, 'POST', '/v1/sub-merchants', person(1)).expect(201)).body;
    const custody = bare(mine.accounts.custody as string);
    const sub = bare(merchant.account);
    const clears = '2026-03-03' as Posting['clears'];
    const postings = [
      { account: custody, amount: -700n },
      { account: sub, amount: 700n },
    ];
    await postMovement(api.runtime, mine.id, { postings }, at('2026-03-02', 0));
    const second = [
      { account: custody, amount: -300n },
      { account: sub, amount: 300n, clears },
    ] as Posting[];
    await postMovement(api.runtime, mine.id, { postings: second, holds: [{ account: sub, amount: 100n }] }, at('2026-03-02', 5));
    const { body } = await api.signed(mine, 'GET', `/v1/accounts/${merchant.account}`).expect(200);
    expect(body).toMatchObject({
      balance: 1000,
      held: 100,
      available: 900,
      uncleared: 300,
      withdrawable: 700,
      entryCount: 2,
      currency: 'CNY',
    });
    const kept = await api.signed(mine, 'GET', `/v1/accounts/${mine.accounts.custody}`).expect(200);
    expect(kept.body).toMatchObject({ balance: 1000, held: 0, available: 1000, withdrawable: 1000 });
    // The next business date makes what was due on it withdrawable.
    await api.runtime.db.withTx('day', (tx) =>
      tx.write("UPDATE books SET business_date = '2026-03-03' WHERE platform_id = ?", [mine.id]),
    );
    const later = await api.signed(mine, 'GET', `/v1/accounts/${merchant.account}`).expect(200);
    expect(later.body).toMatchObject({ uncleared: 0, withdrawable: 900 });
  });

  it("are a platform's own: another's account is not there", async () => {
    const mine = await openBook(api, token);
    for (const path of ['', '/entries', `?asOf=${encodeURIComponent('2020-01-01T00:00:00Z')}`]) {
      const answer = await api.signed(mine, 'GET', `/v1/accounts/${book.accounts.commission}${path}`);
      expect([answer.status, answer.body.code]).toEqual([404, 'NOT_FOUND']);
    }
  });

  it('lists every account once, by type', async () => {
    const mine = await openBook(api, token);
    for (let n = 0; n < 4; n += 1) await api.signed(mine, 'POST', '/v1/sub-merchants', person(n)).expect(201);
    const seen: [string, string][] = [];
    for (let next: string | null = ''; next !== null; ) {
      const path: string = `/v1/accounts?limit=4${next ? `&cursor=${next}` : ''}`;
      const { body } = await api.signed(mine, 'GET', path).expect(200);
      seen.push(...body.items.map((item: { type: string; id: string }) => [item.type, item.id]));
      next = body.next;
    }
    expect(seen.map(([type]) => type)).toEqual([
      'commission',
      'custody',
      'fees',
      'in-transit',
      'marketing',
      'own-funds',
      'sub',
      'sub',
      'sub',
      'sub',
      'suspense',
    ]);
    expect(new Set(seen.map(([, id]) => id)).size).toBe(11);
    const subs = await api.signed(mine, 'GET', '/v1/accounts?type=sub&limit=3').expect(200);
    expect(subs.body.items.map((item: { merchantNo: string }) => item.merchantNo)).toEqual(['M-0', 'M-1', 'M-2']);
    const rest = await api.signed(mine, 'GET', `/v1/accounts?type=sub&limit=3&cursor=${subs.body.next}`).expect(200);
    expect(rest.body).toMatchObject({ items: [{ merchantNo: 'M-3' }], next: null });
    // A cursor belongs to its list.
    expect((await api.signed(mine, 'GET', `/v1/accounts?cursor=${subs.body.next}`)).body.code).toBe('CURSOR_INVALID');
  });
});

describe('the past', () => {
  const DAYS = ['2024-01-02', '2024-01-03', '2024-01-05'];
  const PER_DAY = 40;
  let mine: TestBook;
  let account: string;
  const posted: { instant: number; date: string; balance: number; amount: number }[] = [];

  beforeAll(async () => {
    mine = await openBook(api, token, { openDate: '2024-01-02' });
    account = mine.accounts.commission as string;
    let balance = 0;
    for (const date of DAYS) {
      for (let n = 0; n < PER_DAY; n += 1) {
        const amount = n % 5 === 4 ? -10 : n + 1;
        const time = at(date, Math.floor(n / 3) * 1000); // several entries share an instant
        const postings = [
          { account: bare(account), amount: BigInt(amount) },
          { account: bare(mine.accounts.custody as string), amount: BigInt(-amount) },
        ].sort((a, b) => Number(a.amount - b.amount));
        await postMovement(api.runtime, mine.id, { postings }, time);
        balance += amount;
        posted.push({ instant: time.instant, date, balance, amount });
      }
    }
  });

  const asOf = (instant: number, of = account) =>
    api.signed(mine, 'GET', `/v1/accounts/${of}?asOf=${encodeURIComponent(toRfc3339(instant as never))}`);

  it('tells the balance at every past instant', async () => {
    const instants = new Set(posted.flatMap(({ instant }) => [instant - 1, instant, instant + 1]));
    for (const instant of instants) {
      const upTo = posted.filter((entry) => entry.instant <= instant);
      const { body } = await asOf(instant).expect(200);
      expect([instant, body.balance, body.seq]).toEqual([instant, upTo.at(-1)?.balance ?? 0, upTo.length]);
    }
    expect((await asOf(posted[50]?.instant as number, mine.accounts.custody)).body.balance).toBe(
      posted.filter((entry) => entry.instant <= (posted[50]?.instant as number)).at(-1)?.balance,
    );
  });

  it('is not the future', async () => {
    const { body } = await asOf(api.runtime.clock.now() + 60_000).expect(400);
    expect(body.errors).toEqual([{ in: 'query', pointer: '/asOf', detail: 'lies in the future' }]);
    expect((await api.signed(mine, 'GET', `/v1/accounts/${account}?asOf=2024-01-02`)).body.code).toBe('SHAPE_INVALID');
  });

  async function entries(query: string): Promise<{ seq: number; amount: number; businessDate: string }[]> {
    const seen: { seq: number; amount: number; businessDate: string }[] = [];
    for (let next: string | null = ''; next !== null; ) {
      const { body }: { body: { items: typeof seen; next: string | null } } = await api
        .signed(mine, 'GET', `/v1/accounts/${account}/entries?${query}${next ? `&cursor=${next}` : ''}`)
        .expect(200);
      seen.push(...body.items);
      next = body.next;
    }
    return seen;
  }
  const places = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, n) => first + n);

  it('shows every entry once, from either end', async () => {
    const oldest = await entries('order=oldest&limit=37');
    expect(oldest.map((entry) => entry.seq)).toEqual(places(1, 120));
    expect(oldest.map((entry) => entry.amount)).toEqual(posted.map((entry) => entry.amount));
    expect((await entries('limit=50')).map((entry) => entry.seq)).toEqual(places(1, 120).reverse());
  });

  it.each([
    ['from=2024-01-03', 41, 120],
    ['to=2024-01-03', 1, 80],
    ['from=2024-01-03&to=2024-01-04', 41, 80],
    ['from=2024-01-04&to=2024-01-04', 1, 0],
    ['from=2024-01-05&to=2024-01-02', 1, 0],
    ['from=2020-01-01&to=2030-01-01', 1, 120],
  ])('shows the entries of business dates %s', async (range, first, last) => {
    expect((await entries(`${range}&order=oldest&limit=30`)).map((entry) => entry.seq)).toEqual(places(first, last));
    expect((await entries(`${range}&order=newest&limit=30`)).map((entry) => entry.seq)).toEqual(places(first, last).reverse());
  });

  it('shows the custody account with money in as positive', async () => {
    const { body } = await api
      .signed(mine, 'GET', `/v1/accounts/${mine.accounts.custody}/entries?order=oldest&limit=1`)
      .expect(200);
    expect(body.items[0]).toMatchObject({ seq: 1, amount: 1, balance: 1 });
  });

  it('has chains without a fault', async () => {
    expect(await api.runtime.db.read('verify', (tx) => verifyAccounts(tx, mine.id))).toEqual([]);
  });

  it('refuses a forged cursor', async () => {
    const forged = Buffer.from(JSON.stringify([`entries:${bare(account)}:newest::`, ['x']])).toString('base64url');
    for (const cursor of [forged, 'AAAA', '%00']) {
      expect((await api.signed(mine, 'GET', `/v1/accounts/${account}/entries?cursor=${cursor}`)).body.code).toBe(
        'CURSOR_INVALID',
      );
    }
  });
});
