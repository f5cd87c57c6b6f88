import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { digestOfShown } from '../../src/consents/ask.js';
import { expireConsents } from '../../src/consents/index.js';
import { countAttempt, endConsent } from '../../src/consents/store.js';
import { type Id, instantOf } from '../../src/kernel/index.js';
import { type ConsentStage, MINUTE, noticeOf, openStage, PASSWORD, SHOWN, type TestCustomer } from './stage.js';

const YES = { answer: 'approve', password: PASSWORD };
const WRONG = { answer: 'approve', password: '926481' };

let stage: ConsentStage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.stop());

/** What was written in the transaction of the answer. */
async function written(subjectId: Id): Promise<string | undefined> {
  const [row] = await stage.api.runtime.db.read('written', (tx) =>
    tx.rows<{ ending: string }>('SELECT ending FROM consumer_test WHERE id = ?', [subjectId]),
  );
  return row?.ending;
}

async function asked(options: Parameters<ConsentStage['ask']>[1] = {}, password = PASSWORD) {
  const customer = await stage.customer({ password });
  return { customer, ...(await stage.ask(customer, options)) };
}

describe('one question, one answer', () => {
  test('the right password gives it, once, with its evidence and what follows in the same commit', async () => {
    const { consent, path, subjectId } = await asked();
    const given = await stage.post(path, YES);
    expect(given.status).toBe(303);
    expect(noticeOf(given)).toBeNull();
    const row = await stage.consent(consent);
    expect(row).toMatchObject({ state: 'given', answeredMs: stage.clock.now(), codeHash: null });
    expect(await written(subjectId)).toBe('given');
    expect(stage.heard).toContain(`${subjectId} given`);
    const receipt = JSON.parse(stage.api.runtime.vault.open(row.receiptSealed as string));
    expect(receipt.content).toMatchObject({
      said: 'given',
      factors: ['password'],
      shown: SHOWN,
      from: { forwardedFor: '203.0.113.9', userAgent: 'Test browser' },
    });
    expect(receipt.content.from.ip).toMatch(/127\.0\.0\.1$/);

    expect(noticeOf(await stage.post(path, YES))).toBe('CONSENT_ANSWERED');
    expect(noticeOf(await stage.post(path, { answer: 'decline' }))).toBe('CONSENT_ANSWERED');
    expect((await stage.consent(consent)).state).toBe('given');
  });

  test('a no takes no proof, and stands', async () => {
    const { consent, path, subjectId } = await asked();
    expect(noticeOf(await stage.post(path, { answer: 'decline' }))).toBeNull();
    expect(noticeOf(await stage.post(path, YES))).toBe('CONSENT_ANSWERED');
    const row = await stage.consent(consent);
    expect(row.state).toBe('declined');
    expect(JSON.parse(stage.api.runtime.vault.open(row.receiptSealed as string)).content).toMatchObject({
      said: 'declined',
      factors: [],
    });
    expect(await written(subjectId)).toBe('declined');
  });

  test('a moment late is late, and ends it there and then', async () => {
    const { consent, path, subjectId } = await asked();
    stage.later(15 * MINUTE);
    expect(noticeOf(await stage.post(path, YES))).toBe('CONSENT_EXPIRED');
    expect((await stage.consent(consent)).state).toBe('expired');
    expect(await written(subjectId)).toBe('expired');
    const declined = await asked();
    stage.later(15 * MINUTE);
    expect(noticeOf(await stage.post(declined.path, { answer: 'decline' }))).toBe('CONSENT_EXPIRED');
  });

  test("another customer's password is a wrong one", async () => {
    const { consent, path } = await asked();
    const other = await stage.customer({ password: '730518' });
    expect(other.id).not.toBe((await stage.consent(consent)).customerId);
    expect(noticeOf(await stage.post(path, { answer: 'approve', password: '730518' }))).toBe('FACTOR_WRONG');
    expect((await stage.consent(consent)).state).toBe('pending');
  });

  test('the digest binds it to one subject and one picture: with other words it is void', async () => {
    const { consent, path, subjectId } = await asked();
    const row = await stage.consent(consent);
    const { db, vault } = stage.api.runtime;
    expect(row.digest).toEqual(digestOfShown(vault, 'instruction', subjectId, SHOWN));
    expect(row.digest).not.toEqual(digestOfShown(vault, 'instruction', consent, SHOWN));
    expect(row.digest).not.toEqual(digestOfShown(vault, 'instruction', subjectId, { ...SHOWN, fen: '12345679' }));
    const altered = vault.seal(JSON.stringify({ ...SHOWN, fen: '12345679' }));
    await db.withTx('alter', (tx) => tx.write('UPDATE consents SET shown_sealed = ? WHERE id = ?', [altered, consent]));
    expect(noticeOf(await stage.post(path, YES))).toBe('CONSENT_MISMATCH');
    expect((await stage.consent(consent)).state).toBe('pending');
  });

  test('without a trade password there is nothing to give', async () => {
    const customer = await stage.customer();
    const { path, consent } = await stage.ask(customer);
    expect(noticeOf(await stage.post(path, YES))).toBe('FACTOR_MISSING');
    expect((await stage.consent(consent)).attempts).toBe(0);
  });

  test('what is no six digits costs no attempt, and a field too many is refused', async () => {
    const { path, consent } = await asked();
    for (const password of ['', '12345', '1234567', '12345a', '１２３４５６'])
      expect(noticeOf(await stage.post(path, { answer: 'approve', password }))).toBe('SHAPE_INVALID');
    expect((await stage.post(path, { ...YES, amount: '1' })).status).toBe(400);
    expect((await stage.post(path, { answer: 'maybe' })).status).toBe(400);
    expect((await stage.consent(consent)).attempts).toBe(0);
  });
});

describe('wrong attempts', () => {
  test('the third locks the consent, and even the right password opens it no more', async () => {
    const { consent, path, subjectId } = await asked();
    expect(noticeOf(await stage.post(path, WRONG))).toBe('FACTOR_WRONG');
    expect(noticeOf(await stage.post(path, WRONG))).toBe('FACTOR_WRONG');
    expect(await written(subjectId)).toBeUndefined();
    expect(noticeOf(await stage.post(path, WRONG))).toBe('CONSENT_LOCKED');
    expect((await stage.consent(consent)).state).toBe('locked');
    expect(await written(subjectId)).toBe('locked');
    expect(noticeOf(await stage.post(path, YES))).toBe('CONSENT_LOCKED');
    expect(noticeOf(await stage.post(path, { answer: 'decline' }))).toBe('CONSENT_LOCKED');
  });

  test('twelve at once are no more than three', async () => {
    const { consent, path } = await asked();
    const guesses = Array.from({ length: 12 }, (_, at) => ({ answer: 'approve', password: `9264${String(10 + at)}` }));
    const notices = await Promise.all(guesses.map((guess) => stage.post(path, guess).then(noticeOf)));
    expect(new Set(notices)).toEqual(new Set(['FACTOR_WRONG', 'CONSENT_LOCKED']));
    expect(await stage.consent(consent)).toMatchObject({ state: 'locked', attempts: 3 });
    const { attempts } = await credentialOf((await stage.consent(consent)).customerId);
    expect(attempts).toBe(3);
  });

  test('five in a row, over whatever consents, lock the password until the next natural day', async () => {
    const customer = await stage.customer({ password: PASSWORD });
    const questions = [
      await stage.ask(customer),
      await stage.ask(customer),
      await stage.ask(customer, { expiresMs: tomorrow() }),
    ];
    const [first, second, third] = questions.map((question) => question.path) as [string, string, string];
    for (const path of [first, first, first, second]) await stage.post(path, WRONG);
    expect(noticeOf(await stage.post(second, WRONG))).toBe('FACTOR_WRONG');
    expect(noticeOf(await stage.post(third, YES))).toBe('PASSWORD_LOCKED');
    expect((await stage.consent(questions[2]?.consent as Id)).attempts).toBe(0);
    expect((await stage.get(`${third}?lang=zh`)).text).toContain('已锁定至次日零点');
    stage.clock.advance(instantOf(nextMidnight() - 1));
    expect(noticeOf(await stage.post(third, YES))).toBe('PASSWORD_LOCKED');
    stage.later(1);
    expect(noticeOf(await stage.post(third, YES))).toBeNull();
    expect(await credentialOf(customer.id)).toEqual({ attempts: 0, locked_until_ms: null });
  });

  test('twenty guesses at once over many consents are no more than five of the password', async () => {
    const customer = await stage.customer({ password: PASSWORD });
    const paths = await Promise.all(Array.from({ length: 10 }, () => stage.ask(customer).then(({ path }) => path)));
    await Promise.all(paths.flatMap((path) => [stage.post(path, WRONG), stage.post(path, WRONG)]));
    expect((await credentialOf(customer.id)).attempts).toBe(5);
    expect(noticeOf(await stage.post(paths[0] as string, YES))).toMatch(/PASSWORD_LOCKED|CONSENT_LOCKED/);
  });

  test('the right one breaks the row', async () => {
    const customer = await stage.customer({ password: PASSWORD });
    for (let round = 0; round < 3; round += 1) {
      const { path } = await stage.ask(customer);
      await stage.post(path, WRONG);
      await stage.post(path, WRONG);
      expect(noticeOf(await stage.post(path, YES))).toBeNull();
    }
    expect((await credentialOf(customer.id)).attempts).toBe(0);
  });
});

describe('at once, and cut short', () => {
  test('of parallel yeses one is given; what follows is written once', async () => {
    const { consent, path, subjectId } = await asked();
    const notices = await Promise.all([1, 2, 3].map(() => stage.post(path, YES).then(noticeOf)));
    expect(notices.filter((notice) => notice === null)).toHaveLength(1);
    for (const notice of notices) expect([null, 'CONSENT_ANSWERED', 'CONSENT_LOCKED']).toContain(notice);
    expect((await stage.consent(consent)).state).toBe('given');
    expect(stage.heard.filter((line) => line.startsWith(subjectId))).toEqual([`${subjectId} given`]);
  });

  test('of a yes and a no at once one stands', async () => {
    const { consent, path, subjectId } = await asked();
    const notices = await Promise.all([
      stage.post(path, YES).then(noticeOf),
      stage.post(path, { answer: 'decline' }).then(noticeOf),
    ]);
    expect(notices.filter((notice) => notice === null)).toHaveLength(1);
    expect(await written(subjectId)).toBe((await stage.consent(consent)).state);
  });

  test('a yes that is at work when the time runs out: it stands or it is late, never both', async () => {
    for (let round = 0; round < 4; round += 1) {
      const { consent, path, subjectId } = await asked();
      stage.clock.advance(instantOf((await stage.consent(consent)).expiresMs - 1));
      const answering = stage.post(path, YES).then(noticeOf);
      stage.later(1);
      const handlers = { instruction: async (_tx: unknown, id: Id) => async () => void stage.heard.push(`${id} swept`) };
      const [notice] = await Promise.all([answering, expireConsents(stage.api.runtime, handlers)]);
      const { state } = await stage.consent(consent);
      expect([state, notice]).toEqual(state === 'given' ? ['given', null] : ['expired', 'CONSENT_EXPIRED']);
      expect(stage.heard.filter((line) => line.startsWith(subjectId))).toHaveLength(1);
    }
  });

  test('a process that dies after it has counted gives no attempt back, and the sweep releases what waits', async () => {
    const { consent, path, subjectId } = await asked();
    const { db } = stage.api.runtime;
    for (let attempt = 0; attempt < 3; attempt += 1)
      expect(await db.withTx('dies', (tx) => countAttempt(tx, consent, stage.clock.now()))).toBe(true);
    expect(await db.withTx('dies', (tx) => countAttempt(tx, consent, stage.clock.now()))).toBe(false);
    expect(noticeOf(await stage.post(path, YES))).toBe('CONSENT_LOCKED');
    expect((await stage.consent(consent)).state).toBe('pending');
    stage.later(15 * MINUTE);
    const swept: string[] = [];
    const handlers = {
      instruction: async (_tx: unknown, id: Id, ending: string) => async () => void swept.push(`${id} ${ending}`),
    };
    await expireConsents(stage.api.runtime, handlers);
    expect(swept).toContain(`${subjectId} expired`);
    expect(await expireConsents(stage.api.runtime, handlers)).toBe(0);
  });

  test('a process that dies in the commit of the answer leaves the question open', async () => {
    const { consent, path, subjectId } = await asked();
    stage.failing = true;
    expect((await stage.post(path, YES)).status).toBe(500);
    stage.failing = false;
    expect((await stage.consent(consent)).state).toBe('pending');
    expect(await written(subjectId)).toBeUndefined();
    expect(noticeOf(await stage.post(path, YES))).toBeNull();
  });

  test('a locked consent needs all its attempts gone, an expired one its time', async () => {
    const { consent } = await asked();
    const { db } = stage.api.runtime;
    const change = { nowMs: stage.clock.now(), receiptSealed: null };
    for (const to of ['locked', 'expired'] as const)
      expect(await db.withTx('too early', (tx) => endConsent(tx, consent, to, change))).toBe(false);
  });
});

describe('what a platform sees', () => {
  const read = (consent: Id, by = stage.platform) => stage.api.signed(by, 'GET', `/v1/consents/cns_${consent}`);
  const relink = (consent: Id, by = stage.platform) => stage.api.signed(by, 'POST', `/v1/consents/cns_${consent}/link`);

  test('the state, and never the address, the password or the mobile', async () => {
    const { consent, path, subjectId, customer } = await asked();
    const { body } = await read(consent);
    expect(body).toEqual({
      id: `cns_${consent}`,
      subject: 'instruction',
      instruction: `ins_${subjectId}`,
      state: 'pending',
      expiresAt: expect.any(String),
      answeredAt: null,
    });
    await stage.post(path, YES);
    const after = await read(consent);
    expect(after.body).toMatchObject({ state: 'given', answeredAt: expect.any(String) });
    expect(JSON.stringify(after.body)).not.toContain(customer.mobile);
  });

  test("another platform's consent is not there", async () => {
    const { consent } = await asked();
    const other = await stage.api.platform('乙平台');
    expect((await read(consent, other)).status).toBe(404);
    expect((await relink(consent, other)).status).toBe(404);
  });

  test('a new address puts the old one out of use, and there is none once it is answered', async () => {
    const { consent, path } = await asked();
    const { body } = await relink(consent);
    expect(body.consent).toMatchObject({
      id: `cns_${consent}`,
      url: expect.stringMatching(/^https:\/\/bank\.example\/pages\/consents\/[\w-]{43}$/),
    });
    const renewed = new URL(body.consent.url).pathname.replace('/pages', '');
    expect((await stage.get(path)).status).toBe(404);
    expect((await stage.post(path, YES)).status).toBe(404);
    expect(noticeOf(await stage.post(renewed, YES))).toBeNull();
    expect((await relink(consent)).body.code).toBe('CONSENT_ANSWERED');
    const late = await asked();
    stage.later(15 * MINUTE);
    expect((await relink(late.consent)).body.code).toBe('CONSENT_EXPIRED');
    expect((await read(late.consent)).body.state).toBe('expired');
  });
});

interface CredentialRow {
  attempts: number;
  locked_until_ms: string | null;
}

async function credentialOf(customerId: TestCustomer['id']): Promise<CredentialRow> {
  const [row] = await stage.api.runtime.db.read('credential', (tx) =>
    tx.rows<CredentialRow>('SELECT attempts, locked_until_ms FROM credentials WHERE customer_id = ?', [customerId]),
  );
  return row as CredentialRow;
}

const DAY = 24 * 60 * MINUTE;
const SHANGHAI = 8 * 60 * MINUTE;
function nextMidnight(): number {
  return Math.floor((stage.clock.now() + SHANGHAI) / DAY + 1) * DAY - SHANGHAI;
}
function tomorrow() {
  return instantOf(nextMidnight() + 60 * MINUTE);
}
