import { afterAll, beforeAll, describe, expect, it, test } from '@jest/globals';
import { accountAdminRoutes, accountRoutes } from '../../src/accounts/index.js';
import { openChannels } from '../../src/channels/index.js';
import {
  expireConsents,
  mandateAnswered,
  mandateRoutes,
  noticeMandates,
  policyRoutes,
  receiptRoutes,
  sendSms,
} from '../../src/consents/index.js';
import { judgeReceipt } from '../../src/consents/receipts/rules.js';
import { answerHandlers, createIntake, executeShard, findInstructions } from '../../src/instructions/index.js';
import { canonicalJson, fromWire, type Id, instantOf, readPublicKeys, toRfc3339, toWire } from '../../src/kernel/index.js';
import { bare, openBook, person, postMovement, type TestBook } from '../accounts/books.js';
import { openElectronic } from '../support/world/electronic.js';
import type { World } from '../support/world/world.js';
import { type ConsentStage, MINUTE, noticeOf, openStage, PASSWORD, type TestCustomer } from './stage.js';

const DAY = 24 * 60 * MINUTE;

let stage: ConsentStage;
let token: string;
let book: TestBook;
let other: TestBook;
let shop: string;
let n = 0;

beforeAll(async () => {
  stage = await openStage({
    routes: (rt) => [
      ...accountRoutes(rt),
      ...accountAdminRoutes(rt),
      ...policyRoutes(rt),
      ...mandateRoutes(rt),
      ...receiptRoutes(rt, async (tx, id) => (await findInstructions(tx, [id])).get(id)),
    ],
    handlers: (rt) => ({ ...answerHandlers(rt), mandate: mandateAnswered(rt) }),
    platform: async (api) => {
      ({ token } = await api.operator('administrator'));
      book = await openBook(api, token, { name: '甲<b>平台' });
      return book;
    },
  });
  other = await openBook(stage.api, token);
  const { body } = await stage.api.signed(book, 'POST', '/v1/sub-merchants', person(1)).expect(201);
  shop = body.account;
});
afterAll(() => stage?.stop());

interface Holder extends TestCustomer {
  readonly user: string;
  readonly account: string;
}

/** A customer with a trade password and a Class II account that holds 1,000.00. */
async function holder(): Promise<Holder> {
  const customer = await stage.customer({ password: PASSWORD });
  const { db } = stage.api.runtime;
  const world = { db, rt: stage.api.runtime, clock: stage.clock } as unknown as World;
  const account = await openElectronic(world, { platform: book.id, customer: customer.id, class: 2, faceToFace: true });
  const postings = [
    { account: bare(book.accounts.custody as string), amount: -100_000n },
    { account, amount: 100_000n },
  ];
  await postMovement(stage.api.runtime, book.id, { postings }, { date: '2026-03-02', instant: stage.clock.now() });
  return { ...customer, user: toWire('user', customer.userId), account: toWire('account', account) };
}

const cny = (amount: number) => ({ amount, currency: 'CNY' });

function terms({ user, account }: Holder, more: Record<string, unknown> = {}) {
  n += 1;
  return {
    mandateNo: `M-${n}`,
    user,
    account,
    kinds: ['account-payment'],
    payees: { orders: true, accounts: [shop] },
    paymentCap: cny(10_000),
    totalCap: cny(50_000),
    period: 'day',
    periodCap: cny(20_000),
    expiresAt: toRfc3339(instantOf(stage.clock.now() + 365 * DAY)),
    ...more,
  };
}

const ask = (body: unknown, by = book) => stage.api.signed(by, 'POST', '/v1/mandates', body);
const read = (id: string, by = book) => stage.api.signed(by, 'GET', `/v1/mandates/${id}`);
const pathOf = (url: string) => new URL(url).pathname.replace('/pages', '');
const revokedByPlatform = (id: string, by = book) => stage.api.signed(by, 'POST', `/v1/mandates/${id}/revocation`);

/** Says yes on the page, with the password and the code of the SMS. */
async function sayYes(who: TestCustomer, url: string): Promise<string | null> {
  await stage.post(`${pathOf(url)}/code`, {});
  return noticeOf(await stage.post(pathOf(url), { answer: 'approve', password: PASSWORD, code: await stage.code(who) }));
}

async function granted(who: Holder, more: Record<string, unknown> = {}): Promise<string> {
  const { body } = await ask(terms(who, more)).expect(201);
  expect(await sayYes(who, body.consent.url)).toBeNull();
  return body.mandate;
}

async function receive(who: Holder, mandate: string, amount: number, to: unknown = { account: shop }): Promise<Id> {
  n += 1;
  const data = { from: who.account, to, amount: cny(amount), mandate };
  const of = { platformId: book.id, origin: 'P' as const, requestNo: `P-${n}`, kind: 'account-payment', actor: book.keyId };
  const [receipt] = await createIntake(stage.api.runtime).receive([{ ...of, body: canonicalJson(data) }]);
  if (receipt === undefined || 'refused' in receipt) throw new Error(`not received: ${JSON.stringify(receipt)}`);
  return receipt.id;
}

async function decide(...ids: Id[]): Promise<string[]> {
  const { db } = stage.api.runtime;
  for (let shard = 0; shard < 3; shard += 1) await executeShard(stage.api.runtime, shard);
  const found = await db.read('outcomes', (tx) => findInstructions(tx, ids));
  return ids.map((id) => found.get(id)?.outcome?.code ?? found.get(id)?.outcome?.state ?? 'undecided');
}

const pay = async (...of: Parameters<typeof receive>) => {
  const id = await receive(...of);
  return { id: toWire('instruction', id), became: (await decide(id))[0] };
};

describe('asking for a mandate', () => {
  it('puts every cap, every payee and the end to the customer, and waits for him', async () => {
    const who = await holder();
    const { body, headers } = await ask(terms(who)).expect(201);
    expect(headers['idempotent-replay']).toBe('false');
    expect(body).toMatchObject({
      user: who.user,
      account: who.account,
      payees: { orders: true, accounts: [shop] },
      paymentCap: 10_000,
      periodCap: 20_000,
      totalCap: 50_000,
      state: 'pending',
      used: { total: 0, count: 0 },
      remaining: { payment: 0, period: 0, total: 0 },
      grantedAt: null,
    });
    const { text } = await stage.get(`${pathOf(body.consent.url)}?lang=en`);
    for (const shown of [
      body.mandateNo,
      'Person 1',
      'your orders on the platform',
      '¥100.00',
      '¥200.00',
      '¥500.00',
      body.expiresAt.slice(0, 10),
    ])
      expect(text).toContain(shown);
    expect(text).toContain('甲&lt;b&gt;平台');
    expect((await pay(who, body.mandate, 1)).became).toBe('MANDATE_ENDED');
  });

  it('answers the same content under the same number with the same mandate and no address, in whatever order its lists are', async () => {
    const who = await holder();
    const second = (await stage.api.signed(book, 'POST', '/v1/sub-merchants', person(2))).body.account;
    const asked = terms(who, { kinds: ['account-payment', 'top-up'], payees: { orders: false, accounts: [shop, second] } });
    const first = await ask(asked).expect(201);
    const turned = { ...asked, kinds: ['top-up', 'account-payment'], payees: { accounts: [second, shop] } };
    const { body, headers } = await ask(turned).expect(200);
    expect(headers['idempotent-replay']).toBe('true');
    expect(body.mandate).toBe(first.body.mandate);
    const { url: _, ...question } = first.body.consent;
    expect(body.consent).toEqual(question);
    const link = await stage.api.signed(book, 'POST', `/v1/consents/${first.body.consent.id}/link`).expect(200);
    expect((await stage.get(pathOf(first.body.consent.url))).status).toBe(404);
    expect((await stage.get(pathOf(link.body.consent.url))).status).toBe(200);
  });

  it('is one however many equal requests come at once, and tells its address once', async () => {
    const asked = terms(await holder());
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask(asked)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 201]);
    expect(new Set(answers.map(({ body }) => body.mandate)).size).toBe(1);
    expect(answers.filter(({ body }) => body.consent.url !== undefined)).toHaveLength(1);
  });

  test.each<[string, (who: Holder) => Record<string, unknown>]>([
    ['another cap', () => ({ totalCap: cny(50_001) })],
    ['another payee', () => ({ payees: { orders: true } })],
    ['no period', () => ({ period: undefined, periodCap: undefined })],
    ['another end', () => ({ expiresAt: toRfc3339(instantOf(stage.clock.now() + 364 * DAY)) })],
  ])('refuses the same number with %s', async (_what, more) => {
    const who = await holder();
    const asked = terms(who);
    await ask(asked).expect(201);
    const { body } = await ask({ ...asked, ...more(who) }).expect(409);
    expect(body.code).toBe('MANDATE_NO_REUSED');
  });

  test.each<[string, () => Record<string, unknown>, number, string]>([
    ['a payment above the day', () => ({ paymentCap: cny(20_001) }), 422, 'MANDATE_TERMS'],
    [
      'an end beyond three years',
      () => ({ expiresAt: toRfc3339(instantOf(stage.clock.now() + 1_097 * DAY)) }),
      422,
      'MANDATE_TERMS',
    ],
    ['an end in the past', () => ({ expiresAt: toRfc3339(stage.clock.now()) }), 422, 'MANDATE_TERMS'],
    ['nobody to pay', () => ({ payees: undefined }), 422, 'MANDATE_TERMS'],
    ['a kind that takes his own act', () => ({ kinds: ['withdrawal'] }), 422, 'MANDATE_NOT_ENOUGH'],
    ['a mandate for mandates', () => ({ kinds: ['mandate'] }), 400, 'SHAPE_INVALID'],
    ['one kind twice', () => ({ kinds: ['top-up', 'top-up'] }), 400, 'SHAPE_INVALID'],
    ['a payee of another platform', () => ({ payees: { accounts: [other.accounts.commission] } }), 404, 'ACCOUNT_NOT_FOUND'],
    [
      "the platform's own account as payee",
      () => ({ payees: { accounts: [book.accounts.commission] } }),
      404,
      'ACCOUNT_NOT_FOUND',
    ],
    ['an account that is no electronic one', () => ({ account: shop }), 404, 'ACCOUNT_NOT_FOUND'],
    ['a user that is not there', () => ({ user: 'usr_2236512894231552003' }), 404, 'NOT_FOUND'],
    ['a field too many', () => ({ remark: 'x' }), 400, 'SHAPE_INVALID'],
    ['an amount of nothing', () => ({ paymentCap: cny(0) }), 400, 'SHAPE_INVALID'],
  ])('refuses %s', async (_what, more, status, code) => {
    const { body } = await ask({ ...terms(await holder()), ...more() });
    expect([body.status, body.code]).toEqual([status, code]);
  });

  it("refuses another customer's account, and what is of another platform is not there", async () => {
    const [who, somebody] = [await holder(), await holder()];
    const { body } = await ask(terms(who, { account: somebody.account })).expect(404);
    expect(body.code).toBe('ACCOUNT_NOT_FOUND');
    await ask(terms(who), other).expect(404);
    const mandate = await granted(who);
    await read(mandate, other).expect(404);
    await stage.api.signed(other, 'GET', `/v1/mandates/${mandate}/uses`).expect(404);
    await revokedByPlatform(mandate, other).expect(404);
    await stage.api.signed(other, 'GET', `/v1/receipts/${mandate}`).expect(404);
    await stage.api.signed(other, 'POST', `/v1/users/${who.user}/mandate-link`).expect(404);
  });

  it('refuses what the bank has made stricter, and a mandate from before does not cover it any more', async () => {
    const who = await holder();
    const before = await granted(who);
    const put = (mandates: boolean) =>
      stage.api.call('PUT', '/admin/v1/proof-policies/marketplace/account-payment', {
        token,
        body: { needs: 'password', mandates },
      });
    await put(false).expect(200);
    expect((await ask(terms(who)).expect(422)).body.code).toBe('MANDATE_NOT_ENOUGH');
    expect((await pay(who, before, 1)).became).toBe('MANDATE_NOT_ENOUGH');
    await put(true).expect(200);
    expect((await pay(who, before, 1)).became).toBe('posted');
  });
});

describe("the customer's answer", () => {
  test('a yes takes both factors, and the mandate is live from then on', async () => {
    const who = await holder();
    const { body } = await ask(terms(who)).expect(201);
    expect(noticeOf(await stage.post(pathOf(body.consent.url), { answer: 'approve', password: PASSWORD }))).not.toBeNull();
    expect((await read(body.mandate)).body.state).toBe('pending');
    expect(await sayYes(who, body.consent.url)).toBeNull();
    expect((await read(body.mandate)).body).toMatchObject({
      state: 'active',
      grantedAt: toRfc3339(stage.clock.now()),
      remaining: { payment: 10_000, period: 20_000, total: 50_000 },
    });
  });

  test('a no, and no answer within a day', async () => {
    const who = await holder();
    const refused = (await ask(terms(who)).expect(201)).body;
    expect(noticeOf(await stage.post(pathOf(refused.consent.url), { answer: 'decline' }))).toBeNull();
    expect((await read(refused.mandate)).body).toMatchObject({ state: 'declined', grantedAt: null });
    const late = (await ask(terms(who)).expect(201)).body;
    stage.later(DAY);
    await expireConsents(stage.api.runtime, { mandate: mandateAnswered(stage.api.runtime) });
    expect((await read(late.mandate)).body.state).toBe('lapsed');
    expect((await pay(who, late.mandate, 1)).became).toBe('MANDATE_ENDED');
  });

  test('a yes after the platform has taken its request back comes to nothing', async () => {
    const who = await holder();
    const { body } = await ask(terms(who)).expect(201);
    await revokedByPlatform(body.mandate).expect(200);
    expect(await sayYes(who, body.consent.url)).toBe('MANDATE_ENDED');
    expect((await read(body.mandate)).body).toMatchObject({ state: 'revoked', grantedAt: null });
  });
});

describe('using it', () => {
  test('counts to the last fen, and no further; the quota says what is left', async () => {
    const who = await holder();
    const mandate = await granted(who);
    expect((await pay(who, mandate, 10_001)).became).toBe('MANDATE_EXCEEDED');
    expect((await pay(who, mandate, 10_000)).became).toBe('posted');
    expect((await pay(who, mandate, 9_999, { orderNo: `O-${n}` })).became).toBe('posted');
    expect((await read(mandate)).body.remaining).toEqual({ payment: 1, period: 1, total: 30_001 });
    expect((await pay(who, mandate, 2)).became).toBe('MANDATE_EXCEEDED');
    expect((await pay(who, mandate, 1)).became).toBe('posted');
    expect((await read(mandate)).body).toMatchObject({ used: { total: 20_000, count: 3 }, remaining: { payment: 0, period: 0 } });
    stage.later(DAY);
    expect((await read(mandate)).body.remaining).toEqual({ payment: 10_000, period: 20_000, total: 30_000 });
  });

  test('of many at once no more pass than the caps allow', async () => {
    const who = await holder();
    const mandate = await granted(who, { period: undefined, periodCap: undefined, totalCap: cny(35_000) });
    const ids = await Promise.all(Array.from({ length: 8 }, () => receive(who, mandate, 9_000)));
    const became = await decide(...ids);
    expect(became.filter((code) => code === 'posted')).toHaveLength(3);
    expect(became.filter((code) => code === 'MANDATE_EXCEEDED')).toHaveLength(5);
    expect((await read(mandate)).body.used).toEqual({ total: 27_000, count: 3 });
  });

  test('out of its scope it covers nothing', async () => {
    const [who, somebody] = [await holder(), await holder()];
    const mandate = await granted(who, { payees: { orders: true } });
    expect((await pay(who, mandate, 1, { account: shop })).became).toBe('MANDATE_SCOPE');
    expect((await pay(somebody, mandate, 1, { orderNo: `O-${n}` })).became).toBe('MANDATE_SCOPE');
    expect((await pay(who, toWire('mandate', fromWire(who.account)), 1)).became).toBe('MANDATE_NOT_FOUND');
  });

  test('a second after its end it covers nothing', async () => {
    const who = await holder();
    const mandate = await granted(who, { expiresAt: toRfc3339(instantOf(stage.clock.now() + DAY)) });
    stage.later(DAY - 1_000);
    expect((await pay(who, mandate, 1)).became).toBe('posted');
    stage.later(2_000);
    expect((await pay(who, mandate, 1)).became).toBe('MANDATE_ENDED');
    expect((await read(mandate)).body).toMatchObject({ state: 'expired', remaining: { payment: 0, period: 0, total: 0 } });
  });

  test('its history has every use in order, in pages', async () => {
    const who = await holder();
    const mandate = await granted(who);
    const ids = [await pay(who, mandate, 11), await pay(who, mandate, 22), await pay(who, mandate, 33)].map(({ id }) => id);
    const first = (await stage.api.signed(book, 'GET', `/v1/mandates/${mandate}/uses?limit=2`).expect(200)).body;
    expect(first.items).toMatchObject([
      { use: 1, instruction: ids[0], amount: 11 },
      { use: 2, instruction: ids[1], amount: 22 },
    ]);
    const next = (await stage.api.signed(book, 'GET', `/v1/mandates/${mandate}/uses?limit=2&cursor=${first.next}`)).body;
    expect(next).toMatchObject({ items: [{ use: 3, amount: 33 }], next: null });
    const strange = await stage.api.signed(book, 'GET', `/v1/mandates/${who.account.replace('acc', 'mdt')}/uses`);
    expect(strange.status).toBe(404);
    const list = (await stage.api.signed(book, 'GET', `/v1/mandates?account=${who.account}`).expect(200)).body;
    expect(list.items.map((item: { mandate: string }) => item.mandate)).toEqual([mandate]);
  });
});

describe('revoking it', () => {
  test('acts at once: what was accepted before and is decided after is refused', async () => {
    const who = await holder();
    const mandate = await granted(who);
    const id = await receive(who, mandate, 100);
    const { body } = await revokedByPlatform(mandate).expect(200);
    expect(body).toMatchObject({ state: 'revoked', revokedBy: 'platform', remaining: { payment: 0, period: 0, total: 0 } });
    expect(await decide(id)).toEqual(['MANDATE_ENDED']);
    stage.later(1_000);
    expect((await revokedByPlatform(mandate).expect(200)).body).toEqual(body);
  });

  test('is the customer’s own on his page, with his password', async () => {
    const who = await holder();
    const mandate = await granted(who);
    expect((await pay(who, mandate, 4_321)).became).toBe('posted');
    const { body } = await stage.api.signed(book, 'POST', `/v1/users/${who.user}/mandate-link`).expect(201);
    const page = pathOf(body.url);
    const shown = await stage.get(`${page}?lang=en`);
    expect(shown.headers['content-type']).toContain('text/html');
    expect(shown.headers['cache-control']).toBe('no-store');
    for (const text of ['甲&lt;b&gt;平台', '¥100.00', '¥200.00 (left ¥156.79)', '¥500.00 (left ¥456.79)', '¥43.21', 'in force'])
      expect(shown.text).toContain(text);
    const id = await receive(who, mandate, 100);
    const end = (form: Record<string, string>) => stage.post(page, { mandate, password: PASSWORD, ...form });
    expect(noticeOf(await end({ password: '926481' }))).toBe('FACTOR_WRONG');
    expect(noticeOf(await end({ password: '12' }))).toBe('SHAPE_INVALID');
    expect((await end({ reason: 'x' })).status).toBe(400);
    expect((await read(mandate)).body.state).toBe('active');
    expect(noticeOf(await end({}))).toBe('MANDATE_REVOKED');
    expect(await decide(id)).toEqual(['MANDATE_ENDED']);
    expect((await read(mandate)).body).toMatchObject({ state: 'revoked', revokedBy: 'customer' });
    expect(noticeOf(await end({}))).toBe('MANDATE_REVOKED');
    expect((await stage.get(`${page}?lang=zh&notice=MANDATE_REVOKED`)).text).toContain('授权已撤销');
  });

  test("nobody ends another customer's, nor with an address that is over or made up", async () => {
    const [who, somebody] = [await holder(), await holder()];
    const mandate = await granted(who);
    const { body } = await stage.api.signed(book, 'POST', `/v1/users/${somebody.user}/mandate-link`).expect(201);
    const page = pathOf(body.url);
    expect((await stage.get(page)).text).toContain('您目前没有任何授权');
    expect((await stage.post(page, { mandate, password: PASSWORD })).status).toBe(404);
    expect((await read(mandate)).body.state).toBe('active');
    expect((await stage.get('/mandates/cgm_made-up')).status).toBe(404);
    stage.later(30 * MINUTE);
    expect((await stage.get(page)).status).toBe(404);
  });

  const linkOf = async (who: Holder, by = book) =>
    pathOf((await stage.api.signed(by, 'POST', `/v1/users/${who.user}/mandate-link`).expect(201)).body.url);
  const guess = (page: string, mandate: string, password = '926481') => stage.post(page, { mandate, password });

  test('three wrong passwords in a day are the end of what that platform can open, and of no password; he is told of each', async () => {
    const who = await holder();
    const mandate = await granted(who);
    const [one, two] = [await linkOf(who), await linkOf(who)];
    expect(noticeOf(await guess(one, mandate))).toBe('FACTOR_WRONG');
    expect(noticeOf(await guess(two, mandate))).toBe('FACTOR_WRONG');
    expect(noticeOf(await guess(two, mandate, 'abcdef'))).toBe('SHAPE_INVALID');
    const many = await Promise.all(Array.from({ length: 6 }, () => guess(one, mandate)));
    expect(many.map(({ status }) => status).sort()).toEqual([303, 404, 404, 404, 404, 404]);
    for (const page of [one, two, await linkOf(who)]) {
      expect((await stage.get(page)).status).toBe(404);
      expect((await guess(page, mandate, PASSWORD)).status).toBe(404);
    }
    const channels = openChannels({ bankUrl: stage.bank.url, timeoutMs: 2_000 });
    await sendSms(stage.api.runtime, channels.sms).finally(() => channels.close());
    const told = stage.bank.bank.messages.sms(who.mobile).filter(({ text }) => text.includes('输错了交易密码'));
    expect(told).toHaveLength(3);
    expect(told[0]?.text).toContain('甲<b>平台');
    // Elsewhere his password is as good as before, and tomorrow here too.
    const { body } = await ask(terms(who)).expect(201);
    stage.later(MINUTE);
    expect(await sayYes(who, body.consent.url)).toBeNull();
    stage.later(DAY);
    expect(noticeOf(await guess(await linkOf(who), mandate, PASSWORD))).toBe('MANDATE_REVOKED');
  });

  test('no password is looked at for a mandate that is not there, not his, or not in force', async () => {
    const [who, somebody] = [await holder(), await holder()];
    const [mine, asked] = [await granted(who), (await ask(terms(who)).expect(201)).body.mandate];
    const page = await linkOf(who);
    for (const mandate of ['mdt_2236512894231552031', await granted(somebody), asked])
      for (let n = 0; n < 3; n += 1) expect((await guess(page, mandate)).status).toBe(404);
    const attempts = () =>
      stage.api.runtime.db.read('tries', (tx) =>
        tx.rows(`SELECT attempts FROM credentials WHERE customer_id = ${who.id} UNION ALL
          SELECT tries FROM link_tries WHERE customer_id = ${who.id}`),
      );
    expect(await attempts()).toEqual([{ attempts: 0 }]);
    expect(noticeOf(await guess(page, mine, PASSWORD))).toBe('MANDATE_REVOKED');
    expect(noticeOf(await guess(page, mine))).toBe('MANDATE_REVOKED');
    expect(await attempts()).toEqual([{ attempts: 0 }, { attempts: 0 }]);
  });

  test('what an address says of it is shown only where it is true', async () => {
    const who = await holder();
    const mandate = await granted(who);
    const page = await linkOf(who);
    const says = async (notice: string) => (await stage.get(`${page}?notice=${notice}`)).text.includes('class="note');
    for (const notice of [
      'MANDATE_REVOKED',
      'FACTOR_WRONG',
      'FACTOR_MISSING',
      'PASSWORD_LOCKED',
      'CONSENT_ANSWERED',
      'CODE_SENT',
    ])
      expect([notice, await says(notice)]).toEqual([notice, false]);
    await guess(page, mandate);
    expect(await says('FACTOR_WRONG')).toBe(true);
    await guess(page, mandate, PASSWORD);
    expect(await says('MANDATE_REVOKED')).toBe(true);
    expect(await says('FACTOR_WRONG')).toBe(false);
  });

  test('a platform’s link shows what is between him and that platform alone', async () => {
    const who = await holder();
    const mandate = await granted(who);
    const { db } = stage.api.runtime;
    const url = await db.withTx('elsewhere', async (tx) => {
      await tx.write('UPDATE mandates SET platform_id = ? WHERE id = ?', [other.id, bare(mandate)]);
      return mandate;
    });
    const { body } = await stage.api.signed(book, 'POST', `/v1/users/${who.user}/mandate-link`).expect(201);
    expect((await stage.get(pathOf(body.url))).text).not.toContain(url);
    expect((await stage.post(pathOf(body.url), { mandate, password: PASSWORD })).status).toBe(404);
  });
});

describe('receipts', () => {
  test('of the grant and of each use are genuine by the published keys, and a use names the grant', async () => {
    const who = await holder();
    const mandate = await granted(who);
    const { id, became } = await pay(who, mandate, 4_321);
    expect(became).toBe('posted');
    const keys = readPublicKeys((await stage.get('/v1/receipt-keys')).text);
    const grant = (await stage.api.signed(book, 'GET', `/v1/receipts/${mandate}`).expect(200)).body;
    expect(judgeReceipt(grant, keys)).toEqual({ document: grant });
    expect(grant.content).toMatchObject({ type: 'consent', subject: 'mandate', about: mandate, factors: ['password', 'sms'] });
    expect(JSON.stringify(grant.content.shown)).toContain('"fen":"50000"');
    const use = (await stage.api.signed(book, 'GET', `/v1/receipts/${id}`).expect(200)).body;
    expect(judgeReceipt(use, keys)).toEqual({ document: use });
    expect(use.content).toMatchObject({
      type: 'mandate-use',
      mandate,
      use: 1,
      instruction: id,
      kind: 'account-payment',
      account: who.account,
      amount: 4_321,
      data: { to: { account: shop }, mandate },
      from: { key: book.keyId },
      granted: { hash: grant.hash, consent: grant.content.consent },
    });
    const again = (await stage.api.signed(book, 'GET', `/v1/receipts/${id}`).expect(200)).body;
    expect(again).toEqual(use);
    expect(judgeReceipt({ ...use, content: { ...use.content, amount: 4_322 } }, keys)).toHaveProperty('fault');
    const staff = await stage.api.call('GET', `/admin/v1/receipts/${id}`, { token }).expect(200);
    expect(staff.body).toEqual(use);
    await stage.api.signed(other, 'GET', `/v1/receipts/${id}`).expect(404);
  });

  it('is not there while nobody has answered, nor for what a mandate did not pay', async () => {
    const who = await holder();
    const { body } = await ask(terms(who)).expect(201);
    await stage.api.signed(book, 'GET', `/v1/receipts/${body.mandate}`).expect(404);
    const { id } = await pay(who, body.mandate, 1);
    await stage.api.signed(book, 'GET', `/v1/receipts/${id}`).expect(404);
    await stage.api.signed(book, 'GET', '/v1/receipts/acc_2236512894231552003').expect(400);
  });
});

describe('the notice before the end', () => {
  const messages = async (who: TestCustomer) => {
    const channels = openChannels({ bankUrl: stage.bank.url, timeoutMs: 2_000 });
    await sendSms(stage.api.runtime, channels.sms).finally(() => channels.close());
    return stage.bank.bank.messages
      .sms(who.mobile)
      .map(({ text }) => text)
      .filter((text) => text.includes('到期'));
  };

  test('goes out once, seven days before, also when two processes look at once; its address opens his page', async () => {
    const [who, gone] = [await holder(), await holder()];
    const end = { expiresAt: toRfc3339(instantOf(stage.clock.now() + 40 * DAY)) };
    const mandate = await granted(who, end);
    const revoked = await granted(gone, end);
    await revokedByPlatform(revoked).expect(200);
    stage.later(33 * DAY - 1_000);
    await noticeMandates(stage.api.runtime);
    expect(await messages(who)).toEqual([]);
    stage.later(1_000);
    await Promise.all([noticeMandates(stage.api.runtime), noticeMandates(stage.api.runtime)]);
    await noticeMandates(stage.api.runtime);
    const told = await messages(who);
    expect(told).toHaveLength(1);
    expect(told[0]).toContain((await read(mandate)).body.mandateNo);
    expect(await messages(gone)).toEqual([]);
    const page = pathOf(/https:\S+/.exec(told[0] as string)?.[0] ?? '');
    expect((await stage.get(page)).text).toContain((await read(mandate)).body.mandateNo);
    expect(noticeOf(await stage.post(page, { mandate, password: PASSWORD }))).toBe('MANDATE_REVOKED');
  });
});
