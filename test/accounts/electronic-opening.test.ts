import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findCredential } from '../../src/consents/credentials/store.js';
import { type Instant, isVirtualAccountNo, toWire } from '../../src/kernel/index.js';
import { noticeOf, type TestCustomer } from '../consents/stage.js';
import type { TestBook } from './books.js';
import { BANK, dyingAt, type ElectronicStage, know, newCard, openElectronicStage } from './electronic-stage.js';

let stage: ElectronicStage;
beforeAll(async () => {
  stage = await openElectronicStage();
});
afterAll(() => stage?.stop());

const post = (body: unknown, by = stage.book, headers: Record<string, string> = { prefer: 'respond-async' }) =>
  stage.api.signed(by, 'POST', '/v1/electronic-accounts', body, { headers });
const codesOf = (refusal: { faults: { code: string; pointer: string }[] }) =>
  refusal.faults.map(({ code, pointer }) => `${code} ${pointer}`);
const count = async (table: string, where = '1 = 1') =>
  Number((await stage.rows(`SELECT COUNT(*) AS n FROM ${table} WHERE ${where}`))[0]?.n);

describe('opening an electronic account', () => {
  test('gives a person an account with a number of its own, his card, and the limits of its class', async () => {
    const card = newCard();
    const customer = await stage.person([{ account: card }]);
    const asked = stage.asked(customer, { card: { account: card, bankCode: BANK, mobile: customer.mobile } });
    const taken = await post(asked).expect(202);
    expect(taken.body).toMatchObject({ openingNo: asked.openingNo, state: 'pending', account: null, refusal: null });
    expect(taken.body.card).toEqual({ account: `${card.slice(0, 6)}*********${card.slice(-4)}`, bankCode: BANK });
    await stage.work();
    const opened = await stage.api.signed(stage.book, 'GET', taken.headers.location as string).expect(200);
    expect(opened.body).toMatchObject({ id: taken.body.id, state: 'opened' });
    const { body } = await stage.api.signed(stage.book, 'GET', `/v1/electronic-accounts/${opened.body.account}`).expect(200);
    expect(isVirtualAccountNo(body.virtualNo)).toBe(true);
    expect(body).toMatchObject({
      class: 2,
      user: toWire('user', customer.userId),
      state: 'active',
      frozen: false,
      standing: null,
      card: { account: `${card.slice(0, 6)}*********${card.slice(-4)}`, bankCode: BANK, class: '1' },
      faceToFace: false,
      funded: false,
      balance: 0,
    });
    expect(body.quotas).toMatchObject({ on: '2037-03-02', per: 'account', balance: null });
    expect(body.quotas.buckets[0]).toEqual({ bucket: 'out.day', limit: 1_000_000, used: 0, left: 1_000_000 });
    const list = await stage.api.signed(stage.book, 'GET', `/v1/electronic-accounts?user=${body.user}`).expect(200);
    expect(list.body).toEqual({ items: [body], next: null });
    const [account] = await stage.rows(`SELECT type, state FROM accounts WHERE id = ${body.id.slice(4)}`);
    expect(account).toEqual({ type: 'class-2', state: 'open' });
  });

  test('waits for the bank of the card where the caller wants to', async () => {
    const customer = await stage.person();
    const waiting = post(stage.asked(customer, { class: 3 }), stage.book, { prefer: 'wait=20' }).then((answer) => answer);
    while ((await count('openings', `user_id = ${customer.userId}`)) === 0);
    await stage.work();
    expect((await waiting).status).toBe(200);
    expect((await waiting).body.state).toBe('opened');
  });

  test('is remembered by its number: the same again is the same answer, other content is refused', async () => {
    const customer = await stage.person();
    const asked = stage.asked(customer);
    const first = await post(asked).expect(202);
    await stage.work();
    const again = await post(asked).expect(200);
    expect(again.body).toMatchObject({ id: first.body.id, state: 'opened' });
    expect(again.headers['idempotent-replay']).toBe('true');
    expect((await post({ ...asked, class: 3 }).expect(409)).body.code).toBe('OPENING_NO_REUSED');
    const refused = stage.asked(customer, { card: { bankCode: BANK } });
    const [one, two] = [await post(refused).expect(422), await post(refused).expect(422)];
    expect([two.body.opening, two.body.code, two.body.faults]).toEqual([one.body.opening, one.body.code, one.body.faults]);
  });

  test('opens one account however many equal requests come at once, and workers with them', async () => {
    const customer = await stage.person();
    const asked = stage.asked(customer);
    const answers = await Promise.all(Array.from({ length: 6 }, () => post(asked)));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    await Promise.all([stage.work(), stage.work(), stage.work()]);
    expect(await count('electronic_accounts', `customer_id = ${customer.id}`)).toBe(1);
    expect(await count('accounts', `type = 'class-2'`)).toBe(await count('electronic_accounts', 'class = 2'));
  });

  test('of another platform does not exist for the caller', async () => {
    const customer = await stage.person();
    const opened = await stage.open(customer);
    await stage.api.signed(stage.other, 'GET', `/v1/electronic-accounts/${opened.account}`).expect(404);
    await stage.api.signed(stage.other, 'GET', `/v1/electronic-accounts/${opened.account}/quotas`).expect(404);
    await stage.api.signed(stage.other, 'GET', `/v1/electronic-accounts/openings/${opened.id}`).expect(404);
    await post(stage.asked(customer), stage.other).expect(404);
    const list = await stage.api.signed(stage.other, 'GET', '/v1/electronic-accounts').expect(200);
    expect(JSON.stringify(list.body)).not.toContain(opened.account);
  });
});

describe('a mobile number that only a platform said', () => {
  const mobileOf = async (customer: TestCustomer) => {
    const [row] = await stage.rows(`SELECT mobile_sealed, mobile_verified FROM customers WHERE id = ${customer.id}`);
    return [stage.api.runtime.vault.open(row.mobile_sealed), Number(row.mobile_verified)];
  };
  const unverified = (customer: TestCustomer) =>
    stage.api.runtime.db.withTx('bend', (tx) => tx.write('UPDATE customers SET mobile_verified = 0 WHERE id = ?', [customer.id]));
  const passwordLink = async (user: string, by: TestBook) =>
    new URL(
      (await stage.api.signed(by, 'POST', `/v1/users/${user}/password-link`).expect(201)).body.consent.url,
    ).pathname.replace('/pages', '');

  test('is verified when the elements of a card match it', async () => {
    const account = newCard();
    const customer = await stage.person([{ account }]);
    await unverified(customer);
    const opened = await stage.open(customer, { card: { account, bankCode: BANK, mobile: customer.mobile } });
    expect(opened.state).toBe('opened');
    expect(await mobileOf(customer)).toEqual([customer.mobile, 1]);
  });

  test('gives way to the one that his card’s bank knows, and a password that was set by it is none', async () => {
    const account = newCard();
    const customer = await stage.person([{ account }]);
    const mobile = `136${customer.mobile.slice(3)}`;
    know(stage, { ...customer, mobile: customer.mobile }, [{ account, mobile }]);
    await unverified(customer);
    const user = await stage.userAt(stage.other, { ...customer, mobile });
    const card = { account, bankCode: BANK, mobile };
    // Under the user whose number it is not, it is refused as before.
    expect((await stage.open(customer, { card })).code).toBe('MOBILE_DIFFERS');
    // A stranger's number of which the bank knows nothing changes nothing.
    const strange = await stage.userAt(stage.other, { ...customer, mobile: '13512345678' });
    const wrong = await stage.open(customer, { user: strange, card: { ...card, mobile: '13512345678' } }, stage.other);
    expect([wrong.state, wrong.refusal.code]).toEqual(['refused', 'ELEMENTS_DIFFER']);
    expect(await mobileOf(customer)).toEqual([customer.mobile, 0]);

    stage.later(1);
    expect((await stage.open(customer, { user, card }, stage.other)).state).toBe('opened');
    expect(await mobileOf(customer)).toEqual([mobile, 1]);
    const { db } = stage.api.runtime;
    const password = () => db.read('password', async (tx) => (await findCredential(tx, customer.id))?.passwordHash ?? null);
    expect(await password()).toBeNull();
    // He sets his own, by the code to his own number, without the stranger's.
    stage.later(1);
    const path = await passwordLink(user, stage.other);
    await stage.post(`${path}/code`, {});
    const code = await stage.code({ ...customer, mobile });
    const form = { answer: 'approve', code, newPassword: '730516', repeatPassword: '730516' };
    expect(noticeOf(await stage.post(path, form))).toBeNull();
    expect(await password()).toMatch(/^scrypt/);
    // Now it is verified, another one that is registered is only another one.
    expect((await stage.open(customer, { user: strange, card: { ...card, mobile: '13512345678' } }, stage.other)).code).toBe(
      'MOBILE_DIFFERS',
    );
  });

  test('does not give way to one that another identity has', async () => {
    const account = newCard();
    const [customer, other] = [await stage.person([{ account }]), await stage.person()];
    const mobile = `136${customer.mobile.slice(3)}`;
    know(stage, customer, [{ account, mobile }]);
    await unverified(customer);
    const user = await stage.userAt(stage.other, { ...customer, mobile });
    const index = stage.api.runtime.vault.index('mobile', mobile);
    await stage.api.runtime.db.withTx('taken', (tx) =>
      tx.write('INSERT INTO mobile_places (mobile_index, place, customer_id) VALUES (?, 1, ?)', [index, other.id]),
    );
    const refused = await stage.open(customer, { user, card: { account, bankCode: BANK, mobile } }, stage.other);
    expect([refused.state, refused.refusal.code]).toEqual(['refused', 'MOBILE_TAKEN']);
    expect(await mobileOf(customer)).toEqual([customer.mobile, 0]);
  });
});

describe('what the bank knows itself is refused at once, with every fault', () => {
  const dryRun = async (body: Record<string, unknown>) => {
    const { openingNo: _, ...asked } = body;
    return (await stage.api.signed(stage.book, 'POST', '/v1/electronic-accounts/dry-run', asked).expect(200)).body;
  };
  const customers = (set: string, id: string) =>
    stage.api.runtime.db.withTx('bend', (tx) => tx.write(`UPDATE customers SET ${set} WHERE id = ?`, [id]));

  test('missing elements, a number without its check digit, another mobile', async () => {
    const customer = await stage.person();
    const missing = stage.asked(customer, { card: { bankCode: BANK } });
    expect(codesOf(await dryRun(missing))).toEqual(['ELEMENT_MISSING /card/account', 'ELEMENT_MISSING /card/mobile']);
    const wrong = stage.asked(customer, { card: { account: '6222020000000000001', bankCode: BANK, mobile: '13800138000' } });
    expect(codesOf(await dryRun(wrong))).toEqual(['MOBILE_DIFFERS /card/mobile', 'CARD_NUMBER_INVALID /card/account']);
    const { body } = await post(wrong).expect(422);
    expect(body.code).toBe('MOBILE_DIFFERS');
    expect(codesOf(body)).toEqual(['MOBILE_DIFFERS /card/mobile', 'CARD_NUMBER_INVALID /card/account']);
    const kept = await stage.api.signed(stage.book, 'GET', `/v1/electronic-accounts/openings/${body.opening}`).expect(200);
    expect(kept.body).toMatchObject({ state: 'refused', refusal: { code: 'MOBILE_DIFFERS' } });
    expect(codesOf(kept.body.refusal)).toEqual(codesOf(body));
    expect(await count('accounts', `id IN (SELECT account_id FROM openings WHERE id = ${body.opening.slice(4)})`)).toBe(0);
  });

  test.each([
    ['a company', "kind = 'company'", 'PERSON_ONLY /user'],
    ['one who is stopped', "stopped = 'watch-list'", 'CUSTOMER_STOPPED /user'],
    ['one whose document expired yesterday, grace or not', "id_expires = '2037-03-01'", 'ID_DOCUMENT_EXPIRED /user'],
  ])('%s', async (_what, set, fault) => {
    const customer = await stage.person();
    await customers(set, customer.id);
    expect(codesOf(await dryRun(stage.asked(customer)))).toEqual([fault]);
    expect((await post(stage.asked(customer)).expect(422)).body.code).toBe(fault.split(' ')[0]);
  });

  test('a document is good through its last day', async () => {
    const customer = await stage.person();
    await customers("id_expires = '2037-03-02'", customer.id);
    expect((await stage.open(customer)).state).toBe('opened');
  });

  test('a minor, to the day', async () => {
    const { vault, db } = stage.api.runtime;
    const customer = await stage.person();
    const born = (birthDate: string) =>
      db.withTx('bend', (tx) =>
        tx.write('UPDATE customers SET particulars_sealed = ? WHERE id = ?', [
          vault.seal(JSON.stringify({ kind: 'person', birthDate })),
          customer.id,
        ]),
      );
    await born('2019-03-03');
    expect(codesOf(await dryRun(stage.asked(customer)))).toEqual(['MINOR_NOT_ALLOWED /user']);
    await born('2019-03-02');
    expect(codesOf(await dryRun(stage.asked(customer)))).toEqual([]);
  });

  test.each([
    ['pending', 'IDENTITY_UNVERIFIED', 'same-number'],
    ['to-activate', 'CUSTOMER_NOT_ACTIVATED', 'same-number'],
  ])('a user that is %s is refused and its number stays free', async (state, code, retry) => {
    const customer = await stage.person();
    const users = (to: string) =>
      stage.api.runtime.db.withTx('bend', (tx) => tx.write('UPDATE users SET state = ? WHERE id = ?', [to, customer.userId]));
    await users(state);
    const asked = stage.asked(customer);
    expect((await post(asked).expect(422)).body).toMatchObject({ code, retry });
    await users('verified');
    await post(asked).expect(202);
  });

  test('a card that is bound to somebody else, and no longer when his account is closed; his own as often as he likes', async () => {
    const [first, second] = [await stage.person(), await stage.person()];
    const account = newCard();
    const cardOf = (mobile: string) => ({ card: { account, bankCode: BANK, mobile } });
    const opened = await stage.open(first, cardOf(first.mobile));
    expect((await stage.open(first, { ...cardOf(first.mobile), class: 3 })).state).toBe('opened');
    const refused = await stage.open(second, cardOf(second.mobile));
    expect(refused.code).toBe('CARD_TAKEN');
    await stage.api.runtime.db.withTx('close', (tx) =>
      tx.write("UPDATE electronic_accounts SET state = 'closed' WHERE customer_id = ?", [first.id]),
    );
    expect(opened.state).toBe('opened');
    expect((await stage.open(second, cardOf(second.mobile))).state).toBe('opened');
  });

  test('the sixth account of a class, on whatever platform the others are; one that was closed before today does not count', async () => {
    const customer = await stage.person();
    const elsewhere = await stage.userAt(stage.other, customer);
    for (let n = 0; n < 3; n += 1) expect((await stage.open(customer)).state).toBe('opened');
    for (let n = 0; n < 2; n += 1) expect((await stage.open(customer, { user: elsewhere }, stage.other)).state).toBe('opened');
    expect((await stage.open(customer)).code).toBe('ACCOUNTS_MAX');
    expect((await stage.open(customer, { user: elsewhere }, stage.other)).code).toBe('ACCOUNTS_MAX');
    expect((await stage.open(customer, { class: 3 })).state).toBe('opened');
    await stage.api.runtime.db.withTx('close', (tx) =>
      tx.write("UPDATE electronic_accounts SET state = 'closed', closed_ms = ? WHERE customer_id = ? AND class = 2 LIMIT 1", [
        stage.clock.now(),
        customer.id,
      ]),
    );
    // What it used of today's limits was used: until tomorrow it counts.
    expect((await stage.open(customer)).code).toBe('ACCOUNTS_MAX');
    stage.clock.advance((stage.clock.now() + 86_400_000) as Instant);
    expect((await stage.open(customer)).state).toBe('opened');
  });
});

describe('what the bank of the card says decides', () => {
  const kinds = ['1', '2', '3', 'credit', 'payment'] as const;

  test.each([
    [2, 'book', [undefined, 'BOUND_ACCOUNT_CLASS', 'BOUND_ACCOUNT_CLASS', undefined, 'PAYMENT_ACCOUNT_BOUND']],
    [3, 'book', [undefined, undefined, undefined, undefined, 'PAYMENT_ACCOUNT_BOUND']],
    [2, 'lending', [undefined, 'BOUND_ACCOUNT_CLASS', 'BOUND_ACCOUNT_CLASS', 'CREDIT_CARD_BOUND', 'PAYMENT_ACCOUNT_BOUND']],
    [3, 'lending', [undefined, undefined, undefined, 'CREDIT_CARD_BOUND', 'PAYMENT_ACCOUNT_BOUND']],
  ] as const)('Class %d on %s: which classes may be bound', async (of, where, codes) => {
    const cards = kinds.map((each) => ({ account: newCard(), class: each }));
    const customer = await stage.person(cards);
    const by = stage[where];
    const user = where === 'book' ? toWire('user', customer.userId) : await stage.userAt(by, customer);
    for (const [place, { account }] of cards.entries()) {
      const opened = await stage.open(
        customer,
        { user, class: of, card: { account, bankCode: BANK, mobile: customer.mobile } },
        by,
      );
      expect([account, opened.refusal?.code]).toEqual([account, codes[place]]);
    }
  });

  test('an account that does not exist, is frozen, is of somebody else, or whose bank knows another mobile', async () => {
    const [none, frozen, mobile, foreign] = [newCard(), newCard(), newCard(), newCard()];
    const customer = await stage.person([
      { account: none, standing: 'none' },
      { account: frozen, standing: 'frozen' },
      { account: mobile, mobile: '13800138000' },
    ]);
    await stage.person([{ account: foreign, class: 'credit' }]);
    const faults = async (account: string) => {
      const opened = await stage.open(customer, { card: { account, bankCode: BANK, mobile: customer.mobile } });
      expect(opened.state).toBe('refused');
      return codesOf(opened.refusal);
    };
    expect(await faults(none)).toEqual(['BOUND_ACCOUNT_UNUSABLE /card/account']);
    expect(await faults(frozen)).toEqual(['BOUND_ACCOUNT_UNUSABLE /card/account']);
    expect(await faults(mobile)).toEqual(['ELEMENTS_DIFFER /card/mobile']);
    // Of somebody else's card nothing is told but that it is not his.
    expect(await faults(foreign)).toEqual(['ELEMENTS_DIFFER /user', 'ELEMENTS_DIFFER /card/mobile']);
    expect(await faults(newCard())).toEqual(['BOUND_ACCOUNT_UNUSABLE /card/account']);
  });

  test('a bank that does not answer is asked again after a pause that grows, and its answer counts', async () => {
    const customer = await stage.person();
    stage.bank.bank.faults.replace({
      scripted: [{ scope: 'verification', on: 'elements', fault: 'maintenance', ms: 0, times: 3 }],
    });
    const taken = await post(stage.asked(customer)).expect(202);
    const row = async () =>
      (await stage.rows(`SELECT state, attempts, next_ms FROM openings WHERE id = ${taken.body.id.slice(4)}`))[0];
    for (const [attempt, pause] of [1_000, 2_000, 4_000].entries()) {
      await stage.work();
      expect(await row()).toEqual({ state: 'pending', attempts: attempt + 1, next_ms: String(stage.clock.now() + pause) });
      await stage.work(); // too early: nobody is asked
      expect((await row()).attempts).toBe(attempt + 1);
      stage.later(pause);
    }
    await stage.work();
    expect((await row()).state).toBe('opened');
  });

  test('who was stopped while the bank was asked gets no account', async () => {
    const customer = await stage.person();
    const taken = await post(stage.asked(customer)).expect(202);
    await stage.api.runtime.db.withTx('stop', (tx) =>
      tx.write("UPDATE customers SET stopped = 'watch-list' WHERE id = ?", [customer.id]),
    );
    await stage.work();
    const { body } = await stage.api.signed(stage.book, 'GET', taken.headers.location as string).expect(200);
    expect(body).toMatchObject({ state: 'refused', account: null, refusal: { code: 'CUSTOMER_STOPPED' } });
    expect(JSON.stringify(body)).not.toContain('watch-list');
  });
});

test('of two openings at once on two shards the one that would be the sixth is refused, however the workers run', async () => {
  expect(await stage.shardOf(stage.book)).not.toBe(await stage.shardOf(stage.other));
  const people: TestCustomer[] = [];
  for (let n = 0; n < 8; n += 1) people.push(await stage.customer());
  const openings: string[] = [];
  for (const customer of people) {
    for (let n = 0; n < 4; n += 1) await post(stage.asked(customer)).expect(202);
  }
  await stage.work();
  for (const customer of people) {
    const user = await stage.userAt(stage.other, customer);
    openings.push((await post(stage.asked(customer)).expect(202)).body.id);
    openings.push((await post(stage.asked(customer, { user }), stage.other).expect(202)).body.id);
  }
  await Promise.all([stage.work(stage.book), stage.work(stage.other)]);
  const ids = openings.map((id) => id.slice(4)).join();
  const states = await stage.rows(`SELECT state, COUNT(*) AS n FROM openings WHERE id IN (${ids}) GROUP BY state ORDER BY state`);
  expect(states).toEqual([
    { state: 'opened', n: '8' },
    { state: 'refused', n: '8' },
  ]);
  const held = await stage.rows(
    `SELECT customer_id, COUNT(*) AS n FROM electronic_accounts WHERE customer_id IN (${people.map(({ id }) => id).join()}) GROUP BY customer_id`,
  );
  expect(held.map(({ n }) => n)).toEqual(people.map(() => '5'));
});

test('of two people who bind one card at once on two shards one is refused', async () => {
  const pairs: (readonly [TestCustomer, TestCustomer])[] = [];
  for (let n = 0; n < 24; n += 1) pairs.push([await stage.customer(), await stage.customer()]);
  const openings: string[] = [];
  for (const [one, two] of pairs) {
    const account = newCard();
    const cardOf = (mobile: string) => ({ card: { account, bankCode: BANK, mobile } });
    openings.push((await post(stage.asked(one, cardOf(one.mobile))).expect(202)).body.id);
    const user = await stage.userAt(stage.other, two);
    openings.push((await post(stage.asked(two, { user, ...cardOf(two.mobile) }), stage.other).expect(202)).body.id);
  }
  await Promise.all([stage.work(stage.book), stage.work(stage.other)]);
  const ids = openings.map((id) => id.slice(4)).join();
  const states = await stage.rows(`SELECT state, COUNT(*) AS n FROM openings WHERE id IN (${ids}) GROUP BY state ORDER BY state`);
  expect(states).toEqual([
    { state: 'opened', n: '24' },
    { state: 'refused', n: '24' },
  ]);
});

test('a worker that dies between any two writes leaves nothing half open, and the next one opens it once', async () => {
  const rt = stage.api.runtime;
  let deaths = 0;
  for (let nth = 1; ; nth += 1) {
    const customer = await stage.person();
    const taken = await post(stage.asked(customer)).expect(202);
    const dying = dyingAt(rt, nth);
    await stage.work(stage.book, dying).catch(() => undefined);
    const there = async () => [
      await count('electronic_accounts', `customer_id = ${customer.id}`),
      await count('limit_use', `customer_id = ${customer.id}`),
      await count('openings', `id = ${taken.body.id.slice(4)} AND state = 'opened'`),
      await count(
        'settlement_accounts',
        `account_id IN (SELECT account_id FROM electronic_accounts WHERE customer_id = ${customer.id})`,
      ),
    ];
    if (dying.seen.writes < nth) {
      expect(await there()).toEqual([1, 1, 1, 1]);
      break;
    }
    deaths += 1;
    expect(await there()).toEqual([0, 0, 0, 0]);
    await stage.work();
    expect(await there()).toEqual([1, 1, 1, 1]);
  }
  expect(deaths).toBeGreaterThanOrEqual(8);
  const accounts = await count('accounts', "type IN ('class-2', 'class-3')");
  expect(accounts).toBe(await count('electronic_accounts'));
});

test('the numbers of people and their cards are nowhere in clear', async () => {
  const card = newCard();
  const customer = await stage.person([{ account: card }]);
  know(stage, customer, [{ account: card }]);
  await stage.open(customer, { card: { account: card, bankCode: BANK, mobile: customer.mobile } });
  for (const table of ['openings', 'electronic_accounts', 'settlement_accounts', 'bound_cards']) {
    const text = JSON.stringify(await stage.rows(`SELECT * FROM ${table}`));
    expect([table, text.includes(card), text.includes(customer.mobile)]).toEqual([table, false, false]);
  }
});
