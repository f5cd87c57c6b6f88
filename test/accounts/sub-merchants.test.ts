import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { accountAdminRoutes, accountRoutes } from '../../src/accounts/index.js';
import { openDeal } from '../../src/escrow/open.js';
import { addDays, isVirtualAccountNo, naturalDate } from '../../src/kernel/index.js';
import { isUnderWay, PAYOUT_STATES } from '../../src/payouts/index.js';
import { startApi, type TestApi } from '../support/api.js';
import { bare, openBook, person, postMovement, type TestBook } from './books.js';

let api: TestApi;
let token: string;
let book: TestBook;
let other: TestBook;
beforeAll(async () => {
  api = await startApi((runtime) => [...accountRoutes(runtime), ...accountAdminRoutes(runtime)]);
  ({ token } = await api.operator('administrator'));
  book = await openBook(api, token);
  other = await openBook(api, token);
});
afterAll(() => api?.stop());

const open = (body: unknown, by = book) => api.signed(by, 'POST', '/v1/sub-merchants', body);
const count = async (table: string) =>
  Number((await api.runtime.db.read('count', (tx) => tx.rows<{ n: string }>(`SELECT COUNT(*) AS n FROM ${table}`)))[0]?.n);

const company = {
  merchantNo: 'C-1',
  party: {
    kind: 'company',
    name: '某某（福建）有限公司',
    idNo: '91350100M000100Y43',
    legalRepresentative: '王小明',
    mobile: '13812345678',
  },
  settlementAccount: { name: '某某(福建)有限公司', account: '110060149018010001' },
};

describe('opening a sub-merchant', () => {
  it('gives it an account and a virtual number of its own and shows no number whole', async () => {
    const { body } = await open(company).expect(201);
    expect(isVirtualAccountNo(body.virtualNo)).toBe(true);
    expect(body.party).toEqual({
      kind: 'company',
      name: '某某（福建）有限公司',
      idType: 'uscc',
      idNo: '913*************43',
      legalRepresentative: '王小明',
      mobile: '138****5678',
    });
    expect(body.settlementAccount).toEqual({ name: '某某(福建)有限公司', account: '110060********0001', bankCode: '' });
    expect(body).toMatchObject({ merchantNo: 'C-1', cycle: 't+1', warnings: [] });
    const account = await api.signed(book, 'GET', `/v1/accounts/${body.account}`).expect(200);
    expect(account.body).toMatchObject({
      type: 'sub',
      state: 'open',
      merchant: body.id,
      merchantNo: 'C-1',
      virtualNo: body.virtualNo,
      balance: 0,
    });
  });

  it('answers the same particulars under the same number with the first answer, for ever', async () => {
    const asked = person(1);
    const first = await open(asked).expect(201);
    const accounts = await count('accounts');
    const rebound = { ...asked.settlementAccount, account: '622202000000000007', bankCode: '' };
    await api.signed(book, 'PUT', `/v1/sub-merchants/${first.body.id}/settlement-account`, rebound).expect(200);
    await api.signed(book, 'POST', `/v1/sub-merchants/${first.body.id}/close`).expect(200);
    const again = await open(asked).expect(200);
    expect(again.body).toEqual(first.body);
    expect(await count('accounts')).toBe(accounts);
  });

  it.each([
    ['another cycle', { cycle: 'on-request' }],
    ['another account', { settlementAccount: { ...person(2).settlementAccount, bankCode: '' } }],
    ['another person', { party: person(3).party, settlementAccount: person(3).settlementAccount }],
    ['faulty particulars', { party: { ...person(2).party, idNo: '1' } }],
  ])('refuses the same number with %s', async (_what, change) => {
    const first = await open(person(2));
    expect([200, 201]).toContain(first.status);
    const { body } = await open({ ...person(2), ...change }).expect(409);
    expect(body.code).toBe('MERCHANT_NO_REUSED');
  });

  it('opens one account however many equal requests come at once', async () => {
    const before = await count('accounts');
    const answers = await Promise.all(Array.from({ length: 8 }, () => open(person(4))));
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 200, 200, 200, 200, 200, 200, 201]);
    expect(new Set(answers.map((answer) => JSON.stringify(answer.body))).size).toBe(1);
    expect((await count('accounts')) - before).toBe(1);
    expect(await count('parties')).toBe(await count('sub_merchants'));
  });

  it('names every fault at once, with its place', async () => {
    const asked = person(5);
    const { body } = await open({
      ...asked,
      party: { ...asked.party, idNo: '110105199002300001' },
      settlementAccount: { name: 'Somebody else', account: '6228480012345678904' },
    }).expect(422);
    expect(body.code).toBe('ID_NUMBER_INVALID');
    expect(body.faults.map((fault: { code: string; pointer: string }) => [fault.code, fault.pointer])).toEqual([
      ['ID_NUMBER_INVALID', '/party/idNo'],
      ['HOLDER_NAME_DIFFERS', '/settlementAccount/name'],
      ['CARD_NUMBER_INVALID', '/settlementAccount/account'],
    ]);
  });

  it.each([
    ['a mark that turns the writing round', '某某\u202e司公'],
    ['a tag', '<img src=x onerror=alert(1)>'],
    ['a mark that nobody sees', '某\u200b某'],
  ])('takes no name with %s: customers read it where they say yes', async (_what, name) => {
    const asked = person(7);
    const settlementAccount = { ...asked.settlementAccount, name };
    const { body } = await open({ ...asked, party: { ...asked.party, name }, settlementAccount }).expect(400);
    expect(body.errors.map((error: { pointer: string }) => error.pointer)).toContain('/party/name');
    const firm = { ...company, merchantNo: 'C-7', party: { ...company.party, legalRepresentative: name } };
    expect((await open(firm).expect(400)).body.errors[0].pointer).toBe('/party/legalRepresentative');
  });

  it('warns of a bank code that fails its check and opens all the same', async () => {
    const asked = person(6);
    const { body } = await open({ ...asked, settlementAccount: { ...asked.settlementAccount, bankCode: '102100099997' } }).expect(
      201,
    );
    expect(body.warnings).toEqual([
      { code: 'BANK_CODE_CHECK', pointer: '/settlementAccount/bankCode', detail: 'fails its check character' },
    ]);
  });

  it.each([
    [
      'a credit code that fails its check',
      { ...company, merchantNo: 'C-2', party: { ...company.party, idNo: '91350100M000100Y44' } },
      'USCC_INVALID',
    ],
    ['an unknown field', { ...person(7), note: 'x' }, 'SHAPE_INVALID'],
    [
      'a person with a legal representative',
      { ...person(7), party: { ...person(7).party, legalRepresentative: 'x' } },
      'SHAPE_INVALID',
    ],
    ['a mobile number of no network', { ...person(7), party: { ...person(7).party, mobile: '12012345678' } }, 'SHAPE_INVALID'],
    ['a merchant number with a blank', { ...person(7), merchantNo: 'a b' }, 'SHAPE_INVALID'],
  ])('refuses %s and opens nothing', async (_what, body, code) => {
    const before = await count('accounts');
    expect((await open(body)).body.code).toBe(code);
    expect(await count('accounts')).toBe(before);
  });
});

describe('opening many at once', () => {
  const batch = (lines: unknown, by = book) => api.signed(by, 'POST', '/v1/sub-merchants/batches', lines);

  it('answers line by line; a faulty line hinders no other', async () => {
    const known = await open(person(20)).expect(201);
    const faulty = { ...person(22), settlementAccount: { name: 'X', account: '6228480012345678903' } };
    const { body } = await batch([
      person(20),
      person(21),
      faulty,
      person(21),
      { ...person(21), cycle: 'on-request' },
      person(23),
    ]).expect(200);
    const items = body.items as {
      line: number;
      status: number;
      subMerchant?: { id: string; virtualNo: string };
      problem?: { code: string };
    }[];
    expect(items.map((item) => [item.line, item.status])).toEqual([
      [1, 200],
      [2, 201],
      [3, 422],
      [4, 200],
      [5, 409],
      [6, 201],
    ]);
    expect(items[0]?.subMerchant).toEqual(known.body);
    expect(items[2]?.problem).toMatchObject({ code: 'HOLDER_NAME_DIFFERS', faults: [{ pointer: '/2/settlementAccount/name' }] });
    expect(items[3]?.subMerchant).toEqual(items[1]?.subMerchant);
    expect(items[4]?.problem?.code).toBe('MERCHANT_NO_REUSED');
  });

  it('opens a thousand, each with another virtual number, and answers the same when it is sent again', async () => {
    const lines = Array.from({ length: 1000 }, (_, n) => person(1000 + n));
    const first = await batch(lines).expect(200);
    const again = await batch(lines).expect(200);
    const subMerchants = (answer: typeof first) => answer.body.items.map((item: { subMerchant: unknown }) => item.subMerchant);
    expect(subMerchants(again)).toEqual(subMerchants(first));
    expect(first.body.items.every((item: { status: number }) => item.status === 201)).toBe(true);
    expect(again.body.items.every((item: { status: number }) => item.status === 200)).toBe(true);
    const numbers = new Set(subMerchants(first).map((merchant: { virtualNo: string }) => merchant.virtualNo));
    expect(numbers.size).toBe(1000);
    expect([...numbers].every((number) => isVirtualAccountNo(number as string))).toBe(true);
  });

  it('opens each once when two overlapping batches meet', async () => {
    const before = await count('sub_merchants');
    const lines = Array.from({ length: 40 }, (_, n) => person(3000 + n));
    const [up, down] = await Promise.all([batch(lines), batch([...lines].reverse())]);
    expect([up.status, down.status]).toEqual([200, 200]);
    expect(up.body.items.map((item: { subMerchant: unknown }) => item.subMerchant)).toEqual(
      down.body.items.map((item: { subMerchant: unknown }) => item.subMerchant).reverse(),
    );
    expect((await count('sub_merchants')) - before).toBe(40);
    expect(await count('parties')).toBe(await count('sub_merchants'));
  });

  it('opens nothing when one line has the wrong shape, and says which', async () => {
    const before = await count('sub_merchants');
    const { body } = await batch([person(3100), { ...person(3101), party: 7 }]).expect(400);
    expect(body.errors[0].pointer).toBe('/1/party');
    expect((await batch([])).status).toBe(400);
    expect((await batch(Array.from({ length: 1001 }, (_, n) => person(n)))).status).toBe(400);
    expect(await count('sub_merchants')).toBe(before);
  });
});

describe('reading sub-merchants', () => {
  it("shows a platform its own and nobody else's", async () => {
    const mine = await open(person(30), other).expect(201);
    const path = `/v1/sub-merchants/${mine.body.id}`;
    expect((await api.signed(other, 'GET', path)).body).toMatchObject({ id: mine.body.id, state: 'open', closedAt: null });
    const asked = [
      api.signed(book, 'GET', path),
      api.signed(book, 'POST', `${path}/close`),
      api.signed(book, 'PUT', `${path}/settlement-account`, person(30).settlementAccount),
    ];
    for (const answer of await Promise.all(asked)) expect([answer.status, answer.body.code]).toEqual([404, 'NOT_FOUND']);
    const list = await api.signed(other, 'GET', '/v1/sub-merchants').expect(200);
    expect(list.body.items.map((item: { id: string }) => item.id)).toEqual([mine.body.id]);
    // The same merchant number is another sub-merchant at another platform.
    expect((await open(person(30))).status).toBe(201);
  });

  it('pages through all of them once, in the order they were opened, and finds one by its number', async () => {
    const mine = await openBook(api, token);
    for (let n = 0; n < 7; n += 1) await open(person(n), mine).expect(201);
    const seen: string[] = [];
    for (let next: string | null = ''; next !== null; ) {
      const path: string = `/v1/sub-merchants?limit=3${next ? `&cursor=${next}` : ''}`;
      const { body } = await api.signed(mine, 'GET', path).expect(200);
      seen.push(...body.items.map((item: { merchantNo: string }) => item.merchantNo));
      next = body.next;
    }
    expect(seen).toEqual(['M-0', 'M-1', 'M-2', 'M-3', 'M-4', 'M-5', 'M-6']);
    const found = await api.signed(mine, 'GET', '/v1/sub-merchants?merchantNo=M-4').expect(200);
    expect(found.body.items).toHaveLength(1);
    expect((await api.signed(mine, 'GET', '/v1/sub-merchants?merchantNo=M-9')).body.items).toEqual([]);
    const forStaff = await api.call('GET', `/admin/v1/platforms/plt_${mine.id}/sub-merchants?limit=10`, { token }).expect(200);
    expect(forStaff.body.items).toHaveLength(7);
  });
});

describe('the settlement account', () => {
  it("can only be changed to one in the owner's own name", async () => {
    const { body } = await open(person(40)).expect(201);
    const path = `/v1/sub-merchants/${body.id}/settlement-account`;
    const refused = await api.signed(book, 'PUT', path, { name: 'Somebody else', account: '622202000000000007' }).expect(422);
    expect(refused.body.code).toBe('HOLDER_NAME_DIFFERS');
    const bound = await api.signed(book, 'PUT', path, { name: 'Person 40', account: '622202000000000007' }).expect(200);
    expect(bound.body.settlementAccount).toEqual({ name: 'Person 40', account: '622202********0007', bankCode: '' });
    const view = await api.signed(book, 'GET', `/v1/sub-merchants/${body.id}`).expect(200);
    expect(view.body.settlementAccount.account).toBe('622202********0007');
  });
});

describe('closing a sub-merchant', () => {
  async function merchantWith(n: number) {
    const { body } = await open(person(n)).expect(201);
    return {
      id: body.id as string,
      account: bare(body.account),
      close: () => api.signed(book, 'POST', `/v1/sub-merchants/${body.id}/close`),
    };
  }
  const now = { date: '2026-03-02', instant: Date.UTC(2024, 0, 1) };
  const custody = () => bare(book.accounts.custody as string);

  it('closes it and its account for ever; closing again changes nothing', async () => {
    const merchant = await merchantWith(50);
    const first = await merchant.close().expect(200);
    expect(first.body).toMatchObject({ state: 'closed', closedAt: expect.any(String) });
    expect((await merchant.close().expect(200)).body).toEqual(first.body);
    const bind = await api.signed(
      book,
      'PUT',
      `/v1/sub-merchants/${merchant.id}/settlement-account`,
      person(50).settlementAccount,
    );
    expect(bind.body.code).toBe('ACCOUNT_CLOSED');
    const freeze = await api.call('POST', `/admin/v1/accounts/acc_${merchant.account}/freeze`, {
      token,
      body: { reason: 'court' },
    });
    expect(freeze.body.code).toBe('ACCOUNT_CLOSED');
  });

  it('refuses while money is on it', async () => {
    const merchant = await merchantWith(51);
    await postMovement(
      api.runtime,
      book.id,
      {
        postings: [
          { account: custody(), amount: -5n },
          { account: merchant.account, amount: 5n },
        ],
      },
      now,
    );
    expect((await merchant.close().expect(422)).body.code).toBe('ACCOUNT_NOT_EMPTY');
    await postMovement(
      api.runtime,
      book.id,
      {
        postings: [
          { account: merchant.account, amount: -5n },
          { account: custody(), amount: 5n },
        ],
      },
      now,
    );
    await merchant.close().expect(200);
  });

  it('refuses while a refund waits for its money, and while it owes what its platform advanced for it', async () => {
    const merchant = await merchantWith(52);
    const write = (...statements: readonly string[]) =>
      api.runtime.db.withTx('refunds', async (tx) => {
        for (const statement of statements) await tx.write(statement);
      });
    const [waiting, covered] = [api.runtime.newId(), api.runtime.newId()];
    await write(
      `INSERT INTO shortage_lines (instruction_id, account_id, role, wanted, missing, waiting_on)
       VALUES (${waiting}, ${merchant.account}, 'receiver', 100, 100, ${merchant.account})`,
    );
    const waits = (await merchant.close().expect(422)).body;
    expect([waits.code, waits.detail]).toEqual(['ACCOUNT_NOT_EMPTY', 'A refund waits for money of it.']);
    await write(
      `UPDATE shortage_lines SET waiting_on = NULL WHERE instruction_id = ${waiting}`,
      `INSERT INTO receivables (instruction_id, account_id, platform_id, order_no, amount, recovered, created_ms, open_of)
       VALUES (${covered}, ${merchant.account}, ${book.id}, 'SO-1', 100, 99, 0, ${merchant.account})`,
    );
    const owes = (await merchant.close().expect(422)).body;
    expect([owes.code, owes.detail]).toEqual(['ACCOUNT_NOT_EMPTY', 'It owes what its platform advanced for it.']);
    await write(`UPDATE receivables SET recovered = 100, open_of = NULL WHERE instruction_id = ${covered}`);
    await merchant.close().expect(200);
  });

  it('refuses while a deal that is not over may have to credit it', async () => {
    const merchant = await merchantWith(53);
    const terms = { amounts: { target: 1n }, dates: { deadline: addDays(naturalDate(api.runtime.clock.now()), 9) }, counts: {} };
    const asked = {
      escrowNo: 'E-53',
      template: 'crowdfunding',
      parties: [{ role: 'founder', account: merchant.account, user: null }],
      ...terms,
    };
    const { deal } = await openDeal(api.runtime, book.id, asked as never);
    const refused = (await merchant.close().expect(422)).body;
    expect([refused.code, refused.detail]).toEqual(['ACCOUNT_NOT_EMPTY', 'A deal that is not over may have to credit it.']);
    await api.runtime.db.withTx('end', (tx) => tx.write('UPDATE escrow_deals SET ended_ms = opened_ms WHERE id = ?', [deal.id]));
    await merchant.close().expect(200);
    await expect(openDeal(api.runtime, book.id, { ...asked, escrowNo: 'E-54' } as never)).rejects.toMatchObject({
      refusal: { code: 'ACCOUNT_NOT_FOUND' },
    });
  });

  it.each(PAYOUT_STATES.filter(isUnderWay))('refuses while a payout is %s', async (state) => {
    const merchant = await merchantWith(100 + PAYOUT_STATES.indexOf(state));
    await api.runtime.db.withTx('payout', async (tx) => {
      await tx.write(
        `INSERT INTO payouts (id, platform_id, shard_id, purpose, source_account_id, amount, payee_name, payee_account, payee_bank,
           business_date, funded_on, state, attempts, next_ms, created_ms, changed_ms)
         VALUES (?, ?, 0, 'withdrawal', ?, 1, 'x', 'x', '', '2026-03-02', '2026-03-01', ?, 0, 0, 0, 0)`,
        [api.runtime.newId(), book.id, merchant.account, state],
      );
    });
    expect((await merchant.close().expect(422)).body.code).toBe('ACCOUNT_NOT_EMPTY');
    await api.runtime.db.withTx('payout', (tx) =>
      tx.write("UPDATE payouts SET state = 'settled' WHERE source_account_id = ?", [merchant.account]),
    );
    await merchant.close().expect(200);
  });

  it('refuses while the bank has frozen the account', async () => {
    const merchant = await merchantWith(70);
    const path = `/admin/v1/accounts/acc_${merchant.account}`;
    await api.call('POST', `${path}/freeze`, { token, body: { reason: 'court order' } }).expect(200);
    expect((await merchant.close().expect(422)).body.code).toBe('ACCOUNT_FROZEN');
    await api.call('POST', `${path}/unfreeze`, { token, body: { reason: 'lifted' } }).expect(200);
    await merchant.close().expect(200);
  });
});
