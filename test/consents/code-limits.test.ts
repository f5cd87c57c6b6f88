import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { answerHandlers } from '../../src/instructions/index.js';
import { type BusinessDate, type Id, naturalDate } from '../../src/kernel/index.js';
import { changeMobile, customerOf, takeCustomer } from '../../src/parties/index.js';
import { addParameter, loadParameters } from '../../src/runtime/index.js';
import { type ConsentStage, MINUTE, noticeOf, openStage, PASSWORD, type TestCustomer } from './stage.js';

/** The shipped values. */
const WRONG_MAX = 10;
const SMS_DAY = 20;
const SMS_WINDOW = 5;
const HOUR = 60 * MINUTE;

let stage: ConsentStage;
beforeAll(async () => {
  stage = await openStage({
    handlers: (rt) => {
      const { instruction: _theStages, ...others } = answerHandlers(rt);
      return others;
    },
  });
});
afterAll(() => stage.stop());

const db = () => stage.api.runtime.db;
const yes = (code: string) => ({ answer: 'approve', code });
const other = (code: string) => (code === '000000' ? '000001' : '000000');

async function attemptsOf({ id }: TestCustomer): Promise<number | undefined> {
  const [row] = await db().read('attempts', (tx) =>
    tx.rows<{ attempts: number }>('SELECT attempts FROM code_attempts WHERE customer_id = ?', [id]),
  );
  return row?.attempts;
}

/** A question to which a code was sent, and the code. */
async function asked(customer: TestCustomer, question: Parameters<ConsentStage['ask']>[1] = {}) {
  const { path, consent } = await stage.ask(customer, { needs: 'sms', ...question });
  expect(noticeOf(await stage.post(`${path}/code`, {}))).toBe('CODE_SENT');
  return { path, consent, code: await stage.code(customer) };
}

async function inParallel<T>(times: number, act: (at: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: times }, (_, at) => act(at)));
}

const countOf = (notices: readonly (string | null)[], what: string | null) => notices.filter((notice) => notice === what).length;

/** To ten in the morning of the next natural day. */
function nextMorning(): void {
  const past = (stage.clock.now() + 8 * HOUR) % (24 * HOUR);
  stage.later(24 * HOUR - past + 10 * HOUR);
}

describe('wrong codes of one customer', () => {
  test('thirty guesses at once over five questions are no more than the cap, and after it the right code is not taken either', async () => {
    const customer = await stage.customer();
    const questions: Awaited<ReturnType<typeof asked>>[] = [];
    for (let made = 0; made < SMS_WINDOW; made += 1) questions.push(await asked(customer));
    const notices = await inParallel(30, (at) => {
      const { path, code } = questions[at % SMS_WINDOW] as (typeof questions)[number];
      return stage.post(path, yes(other(code))).then(noticeOf);
    });
    expect(countOf(notices, 'FACTOR_WRONG') + countOf(notices, 'CONSENT_LOCKED') + countOf(notices, 'CODE_LOCKED')).toBe(30);
    expect(await attemptsOf(customer)).toBe(WRONG_MAX);
    const rows = await Promise.all(questions.map(({ consent }) => stage.consent(consent)));
    expect(rows.reduce((sum, { attempts }) => sum + attempts, 0)).toBe(WRONG_MAX);

    const open = questions.find((_, at) => rows[at]?.state === 'pending') as (typeof questions)[number];
    expect(noticeOf(await stage.post(open.path, yes(open.code)))).toBe('CODE_LOCKED');
    expect(await attemptsOf(customer)).toBe(WRONG_MAX);
  });

  test('a new link after each lock gives no new guesses: it ends at the cap, on whatever platform, until the next natural day', async () => {
    const customer = await stage.customer();
    const link = async () => {
      const { body } = await stage.api.signed(stage.platform, 'POST', `/v1/users/usr_${customer.userId}/password-link`);
      return new URL(body.consent.url).pathname.replace('/pages', '');
    };
    const guess = { newPassword: PASSWORD, repeatPassword: PASSWORD };
    let wrong = 0;
    for (let last: string | null = ''; last !== 'CODE_LOCKED'; ) {
      const path = await link();
      stage.later(2 * MINUTE);
      last = noticeOf(await stage.post(`${path}/code`, {}));
      const code = await stage.code(customer);
      for (let tried = 0; tried < 3 && last !== 'CODE_LOCKED'; tried += 1) {
        last = noticeOf(await stage.post(path, { ...yes(other(code)), ...guess }));
        if (last !== 'CODE_LOCKED') wrong += 1;
      }
    }
    expect(wrong).toBe(WRONG_MAX);

    const elsewhere = await stage.api.platform('乙平台');
    const { path } = await stage.ask(customer, { needs: 'sms', platformId: elsewhere.id });
    expect(noticeOf(await stage.post(`${path}/code`, {}))).toBe('CODE_LOCKED');
    expect((await stage.get(`${path}?lang=zh`)).text).toContain('今日短信验证码错误次数过多，已锁定至次日零点。');
    expect((await stage.get(`${path}?lang=en`)).text).toContain('They are locked until midnight.');
    expect(noticeOf(await stage.post(path, { answer: 'decline' }))).toBeNull();

    nextMorning();
    const fresh = await link();
    expect((await stage.get(`${fresh}?lang=zh`)).text).not.toContain('已锁定至次日零点');
    expect(noticeOf(await stage.post(`${fresh}/code`, {}))).toBe('CODE_SENT');
    const code = await stage.code(customer);
    expect(noticeOf(await stage.post(fresh, { ...yes(other(code)), ...guess }))).toBe('FACTOR_WRONG');
    expect(await attemptsOf(customer)).toBe(1);
    expect(noticeOf(await stage.post(fresh, { ...yes(code), ...guess }))).toBeNull();
  });

  test('right answers cost nothing, but give back no more than themselves', async () => {
    const customer = await stage.customer({ password: PASSWORD });
    for (let given = 0; given < WRONG_MAX + 2; given += 1) {
      stage.later(3 * MINUTE);
      const { path, code } = await asked(customer);
      if (given < 3) expect(noticeOf(await stage.post(path, yes(other(code))))).toBe('FACTOR_WRONG');
      expect(noticeOf(await stage.post(path, yes(code)))).toBeNull();
    }
    expect(await attemptsOf(customer)).toBe(3);
    stage.later(10 * MINUTE);
    const both = await asked(customer, { needs: 'both' });
    expect(noticeOf(await stage.post(both.path, { ...yes(both.code), password: '926481' }))).toBe('FACTOR_WRONG');
    expect(noticeOf(await stage.post(both.path, { ...yes(both.code), password: PASSWORD }))).toBeNull();
    expect(await attemptsOf(customer)).toBe(4);
  });

  test('the second click of a right answer costs none either', async () => {
    const customer = await stage.customer();
    const { path, code } = await asked(customer);
    const notices = await inParallel(3, () => stage.post(path, yes(code)).then(noticeOf));
    expect(countOf(notices, null)).toBe(1);
    expect(await attemptsOf(customer)).toBe(0);
  });

  test('an answer that is seen to be wanting costs none, nor does one that takes the password alone', async () => {
    const customer = await stage.customer({ password: PASSWORD });
    const { path } = await asked(customer);
    for (const code of ['', '12345', '12345a']) expect(noticeOf(await stage.post(path, yes(code)))).toBe('SHAPE_INVALID');
    const plain = await stage.ask(customer);
    expect(noticeOf(await stage.post(plain.path, { answer: 'approve', password: '926481' }))).toBe('FACTOR_WRONG');
    expect(await attemptsOf(customer)).toBeUndefined();
  });

  test('locked codes leave alone what the password answers, and cost neither password nor question an attempt', async () => {
    const customer = await stage.customer({ password: PASSWORD });
    const { path, consent, code } = await asked(customer, { needs: 'both' });
    const today = naturalDate(stage.clock.now());
    await db().withTx('all wrong', (tx) =>
      tx.write('INSERT INTO code_attempts (customer_id, on_date, attempts) VALUES (?, ?, ?)', [customer.id, today, WRONG_MAX]),
    );
    expect(noticeOf(await stage.post(path, { ...yes(code), password: PASSWORD }))).toBe('CODE_LOCKED');
    expect((await stage.consent(consent)).attempts).toBe(0);
    const plain = await stage.ask(customer);
    expect((await stage.get(`${plain.path}?lang=zh`)).text).not.toContain('已锁定至次日零点');
    expect(noticeOf(await stage.post(plain.path, { answer: 'approve', password: PASSWORD }))).toBeNull();
  });
});

describe('messages to one mobile number', () => {
  test('thirty at once for as many questions are no more than the cap of ten minutes, and no question is spent by those refused', async () => {
    const customer = await stage.customer();
    const questions = await inParallel(30, () => stage.ask(customer, { needs: 'sms' }));
    const notices = await Promise.all(questions.map(({ path }) => stage.post(`${path}/code`, {}).then(noticeOf)));
    expect(countOf(notices, 'CODE_SENT')).toBe(SMS_WINDOW);
    expect(countOf(notices, 'SMS_TOO_OFTEN_NOW')).toBe(30 - SMS_WINDOW);
    await stage.code(customer);
    expect(stage.bank.bank.messages.sms(customer.mobile)).toHaveLength(SMS_WINDOW);

    const refused = questions[notices.indexOf('SMS_TOO_OFTEN_NOW')] as (typeof questions)[number];
    expect(await stage.consent(refused.consent)).toMatchObject({ codesSent: 0, codeHash: null, codeSentMs: null });
    const page = await stage.get(`${refused.path}?lang=zh&notice=SMS_TOO_OFTEN_NOW`);
    expect(page.text).toContain('请10分钟后再获取');
    stage.later(10 * MINUTE - 1);
    expect(noticeOf(await stage.post(`${refused.path}/code`, {}))).toBe('SMS_TOO_OFTEN_NOW');
    stage.later(1);
    expect(noticeOf(await stage.post(`${refused.path}/code`, {}))).toBe('CODE_SENT');
  });

  test('the cap of a day holds exactly for thirty at once, whoever is reached there, and ends with the natural day', async () => {
    nextMorning();
    // A day whose cap of ten minutes is out of the way.
    const day = naturalDate(stage.clock.now());
    const parameter = (validFrom: BusinessDate, value: bigint) => ({
      name: 'code.sms-per-ten-minutes',
      validFrom,
      value,
      source: 'x',
    });
    await db().withTx('parameter', (tx) => addParameter(tx, parameter(day, 100n)));
    const customer = await stage.customer();
    const questions = await inParallel(30, () => stage.ask(customer, { needs: 'sms' }));
    const notices = await Promise.all(questions.map(({ path }) => stage.post(`${path}/code`, {}).then(noticeOf)));
    expect(countOf(notices, 'CODE_SENT')).toBe(SMS_DAY);
    expect(countOf(notices, 'SMS_TOO_OFTEN_TODAY')).toBe(30 - SMS_DAY);
    const { path } = await stage.ask(customer, { needs: 'sms' });
    expect((await stage.get(`${path}?lang=en&notice=SMS_TOO_OFTEN_TODAY`)).text).toContain('Try again tomorrow.');

    const sharer = await stage.customer();
    await moveTo(sharer, customer.mobile);
    const his = await stage.ask(sharer, { needs: 'sms' });
    expect(noticeOf(await stage.post(`${his.path}/code`, {}))).toBe('SMS_TOO_OFTEN_TODAY');

    nextMorning();
    const fresh = await stage.ask(customer, { needs: 'sms' });
    expect(noticeOf(await stage.post(`${fresh.path}/code`, {}))).toBe('CODE_SENT');
  });
});

/** Two of one number, as where the staff has let them share it. */
async function moveTo(customer: TestCustomer, mobile: string): Promise<void> {
  const { vault } = stage.api.runtime;
  await db().withTx('shares it', (tx) =>
    tx.write('UPDATE customers SET mobile_sealed = ?, mobile_index = ? WHERE id = ?', [
      vault.seal(mobile),
      vault.index('mobile', mobile),
      customer.id,
    ]),
  );
}

async function change(id: Id, mobile: string): Promise<void> {
  const { vault, clock } = stage.api.runtime;
  await db().withTx('change', async (tx) => {
    const customer = await takeCustomer(tx, id, vault);
    if (customer === undefined) throw new Error('no such customer');
    const nowMs = clock.now();
    const rules = { today: naturalDate(nowMs), parameters: await loadParameters(tx), vault, nowMs };
    expect(await changeMobile(tx, customer, mobile, rules)).toBeUndefined();
  });
}

describe('a code and the number it was sent to', () => {
  test('after a change of mobile the code at the old one is dead, costs no attempt, and another comes to the new one', async () => {
    const customer = await stage.customer();
    const { path, consent, code } = await asked(customer);
    await change(customer.id, '13799990001');
    expect((await db().read('now', (tx) => customerOf(tx, customer.id, stage.api.runtime.vault)))?.mobile).toBe('13799990001');
    expect(noticeOf(await stage.post(path, yes(code)))).toBe('CODE_EXPIRED');
    expect(await stage.consent(consent)).toMatchObject({ state: 'pending', attempts: 0 });
    stage.later(MINUTE);
    expect(noticeOf(await stage.post(`${path}/code`, {}))).toBe('CODE_SENT');
    const fresh = await stage.code({ ...customer, mobile: '13799990001' });
    expect(noticeOf(await stage.post(path, yes(fresh)))).toBeNull();
  });

  test('an answer and a change at once: it stands from before the change, or it is dead', async () => {
    for (let round = 0; round < 4; round += 1) {
      const customer = await stage.customer();
      const { path, consent, code } = await asked(customer);
      const [notice] = await Promise.all([stage.post(path, yes(code)).then(noticeOf), change(customer.id, `1379999100${round}`)]);
      const { state } = await stage.consent(consent);
      expect([state, notice]).toEqual(state === 'given' ? ['given', null] : ['pending', 'CODE_EXPIRED']);
    }
  });
});
