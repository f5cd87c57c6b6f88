import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sendSms } from '../../src/consents/index.js';
import { hashPassword, isPasswordRight } from '../../src/consents/password.js';
import { isWeakPassword } from '../../src/consents/rules.js';
import { answerHandlers } from '../../src/instructions/index.js';
import type { Id } from '../../src/kernel/index.js';
import { vaultOfSecret } from '../../src/runtime/index.js';
import { type ConsentStage, MINUTE, noticeOf, openStage, PASSWORD, type TestCustomer } from './stage.js';

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

describe('what is too easy to guess', () => {
  const own = { birthDate: '1988-05-17', idNo: '110105198805171238', mobile: '13902461357' };
  test.each([
    ...['111111', '000000', '121212', '123123', '123456', '654321', '012345', '890123', '098765', '210987'],
    ...['880517', '170588', '051788', '881705', '198805', '051988', '198817'],
    ...['110105', '171238', '246135'],
    ...['12345', '1234567', 'abcdef', ''],
  ])('%s is refused', (password) => expect(isWeakPassword(password, own)).toBe(true));

  test.each(['285739', '112233', '135790', '880518'])('%s is taken', (password) =>
    expect(isWeakPassword(password, own)).toBe(false),
  );
});

describe('what is kept of a password', () => {
  const vault = vaultOfSecret('one');
  const id = '2236512894231552003' as Id;

  test('a salted slow hash that takes the index key and the customer: no other opens it', async () => {
    const stored = await hashPassword(vault, id, PASSWORD);
    expect(stored).toMatch(/^scrypt\.15\.8\.1\.[\w-]{22}\.[\w-]{43}$/);
    expect(stored).not.toBe(await hashPassword(vault, id, PASSWORD));
    expect(await isPasswordRight(vault, id, PASSWORD, stored)).toBe(true);
    expect(await isPasswordRight(vault, id, '285738', stored)).toBe(false);
    expect(await isPasswordRight(vault, '2236512894231552004' as Id, PASSWORD, stored)).toBe(false);
    expect(await isPasswordRight(vaultOfSecret('two'), id, PASSWORD, stored)).toBe(false);
  });
});

describe('a customer sets his trade password', () => {
  const link = async (customer: TestCustomer) => {
    const { body, status } = await stage.api.signed(stage.platform, 'POST', `/v1/users/usr_${customer.userId}/password-link`);
    expect(status).toBe(201);
    return { consent: body.consent.id.slice(4) as Id, path: new URL(body.consent.url).pathname.replace('/pages', '') };
  };
  const newOne = (code: string, password = PASSWORD, more: Record<string, string> = {}) => ({
    ...{ answer: 'approve', code, newPassword: password, repeatPassword: password },
    ...more,
  });

  test('with the code that comes to his mobile; the password then gives a consent', async () => {
    const customer = await stage.customer();
    const { consent, path } = await link(customer);
    const page = await stage.get(`${path}?lang=zh`);
    expect(page.text).toContain('设置交易密码');
    expect(page.text).not.toContain('原交易密码');
    expect(page.text).toContain('139****');
    expect(noticeOf(await stage.post(path, newOne('123456')))).toBe('CODE_EXPIRED');
    expect(noticeOf(await stage.post(`${path}/code`, {}))).toBe('CODE_SENT');
    const code = await stage.code(customer);
    expect(noticeOf(await stage.post(path, newOne(code, PASSWORD, { repeatPassword: '285738' })))).toBe('REPEAT_DIFFERS');
    expect(noticeOf(await stage.post(path, newOne(code, '880517')))).toBe('PASSWORD_WEAK');
    expect(noticeOf(await stage.post(path, newOne(code, customer.mobile.slice(-6))))).toBe('PASSWORD_WEAK');
    expect((await stage.consent(consent)).attempts).toBe(0);
    expect(noticeOf(await stage.post(path, newOne(code)))).toBeNull();
    expect(noticeOf(await stage.post(path, newOne(code)))).toBe('CONSENT_ANSWERED');

    const question = await stage.ask(customer);
    expect(noticeOf(await stage.post(question.path, { answer: 'approve', password: PASSWORD }))).toBeNull();
  });

  test('changing it takes the old one as well, and an old question is void once there is one', async () => {
    const customer = await stage.customer();
    const first = await link(customer);
    await stage.post(`${first.path}/code`, {});
    const stale = await stage.ask(customer, { subject: 'password', needs: 'sms' });
    await stage.post(first.path, newOne(await stage.code(customer)));

    expect(noticeOf(await stage.post(`${stale.path}/code`, {}))).toBe('CODE_SENT');
    expect(noticeOf(await stage.post(stale.path, newOne(await stage.code(customer), '730518')))).toBe('CONSENT_MISMATCH');

    const change = await link(customer);
    expect((await stage.get(`${change.path}?lang=zh`)).text).toContain('原交易密码');
    await stage.post(`${change.path}/code`, {});
    const code = await stage.code(customer);
    expect(noticeOf(await stage.post(change.path, newOne(code, '730518')))).toBe('SHAPE_INVALID');
    expect(noticeOf(await stage.post(change.path, newOne(code, '730518', { password: '999111' })))).toBe('FACTOR_WRONG');
    expect(noticeOf(await stage.post(change.path, newOne(code, '730518', { password: PASSWORD })))).toBeNull();
    const { path } = await stage.ask(customer);
    expect(noticeOf(await stage.post(path, { answer: 'approve', password: PASSWORD }))).toBe('FACTOR_WRONG');
    expect(noticeOf(await stage.post(path, { answer: 'approve', password: '730518' }))).toBeNull();
  });

  test('of two new passwords at once one is set', async () => {
    const customer = await stage.customer();
    const one = await stage.ask(customer, { subject: 'password', needs: 'sms' });
    const two = await stage.ask(customer, { subject: 'password', needs: 'sms' });
    await stage.post(`${one.path}/code`, {});
    const first = await stage.code(customer);
    await stage.post(`${two.path}/code`, {});
    const second = await stage.code(customer);
    const notices = await Promise.all([
      stage.post(one.path, newOne(first, '730518')).then(noticeOf),
      stage.post(two.path, newOne(second, '285739')).then(noticeOf),
    ]);
    expect(notices.sort()).toEqual(['CONSENT_MISMATCH', null]);
  });

  test('asked again, it is the same question under another address', async () => {
    const customer = await stage.customer();
    const first = await link(customer);
    const second = await link(customer);
    expect(second.consent).toBe(first.consent);
    expect((await stage.get(first.path)).status).toBe(404);
    expect((await stage.get(second.path)).status).toBe(200);
  });

  test("another platform's user is not there", async () => {
    const customer = await stage.customer();
    const other = await stage.api.platform('乙平台');
    expect((await stage.api.signed(other, 'POST', `/v1/users/usr_${customer.userId}/password-link`)).status).toBe(404);
  });
});

describe('codes by SMS', () => {
  const asked = async (needs: 'sms' | 'both' = 'sms') => {
    const customer = await stage.customer({ password: PASSWORD });
    return { customer, ...(await stage.ask(customer, { needs })) };
  };

  test('names what it is for, and is good for this one consent', async () => {
    const { customer, path } = await asked();
    await stage.post(`${path}/code?lang=zh`, {});
    const code = await stage.code(customer);
    expect(stage.bank.bank.messages.sms(customer.mobile).at(-1)?.text).toBe(
      `【存管】验证码${code}，用于：尾号1234账户付款，乙商户，123456.78元。5分钟内有效。请勿告诉任何人，银行工作人员不会向您索要。`,
    );
    const other = await stage.ask(customer, { needs: 'sms' });
    expect(noticeOf(await stage.post(other.path, { answer: 'approve', code }))).toBe('CODE_EXPIRED');
    await stage.post(`${other.path}/code?lang=en`, {});
    const own = await stage.code(customer);
    if (own !== code) expect(noticeOf(await stage.post(other.path, { answer: 'approve', code }))).toBe('FACTOR_WRONG');
    expect(noticeOf(await stage.post(other.path, { answer: 'approve', code: own }))).toBeNull();
    expect(noticeOf(await stage.post(path, { answer: 'approve', code }))).toBeNull();
  });

  test('is good for five minutes, and another one puts it out of use', async () => {
    const { customer, path, consent } = await asked();
    await stage.post(`${path}/code`, {});
    const first = await stage.code(customer);
    stage.later(5 * MINUTE);
    expect(noticeOf(await stage.post(path, { answer: 'approve', code: first }))).toBe('CODE_EXPIRED');
    await stage.post(`${path}/code`, {});
    const second = await stage.code(customer);
    if (first !== second) expect(noticeOf(await stage.post(path, { answer: 'approve', code: first }))).toBe('FACTOR_WRONG');
    expect((await stage.consent(consent)).state).toBe('pending');
    expect(noticeOf(await stage.post(path, { answer: 'approve', code: second }))).toBeNull();
  });

  test('comes at most five times, a minute apart, also when many ask at once', async () => {
    const { customer, path } = await asked();
    const once = await Promise.all([1, 2, 3].map(() => stage.post(`${path}/code`, {}).then(noticeOf)));
    expect(once.sort()).toEqual(['CODE_SENT', 'SMS_TOO_OFTEN', 'SMS_TOO_OFTEN']);
    stage.later(MINUTE - 1);
    expect(noticeOf(await stage.post(`${path}/code`, {}))).toBe('SMS_TOO_OFTEN');
    for (let sent = 1; sent < 5; sent += 1) {
      stage.later(MINUTE);
      expect(noticeOf(await stage.post(`${path}/code`, {}))).toBe('CODE_SENT');
    }
    stage.later(MINUTE);
    expect(noticeOf(await stage.post(`${path}/code`, {}))).toBe('SMS_TOO_OFTEN');
    await stage.code(customer);
    stage.later(15 * MINUTE);
    expect(noticeOf(await stage.post(`${path}/code`, {}))).toBe('CONSENT_EXPIRED');
  });

  test('with both factors neither alone is enough, and it is not said which was wrong', async () => {
    const { customer, path, consent } = await asked('both');
    await stage.post(`${path}/code`, {});
    const code = await stage.code(customer);
    const otherCode = code === '000000' ? '000001' : '000000';
    expect(noticeOf(await stage.post(path, { answer: 'approve', code }))).toBe('SHAPE_INVALID');
    expect(noticeOf(await stage.post(path, { answer: 'approve', password: PASSWORD }))).toBe('SHAPE_INVALID');
    expect(noticeOf(await stage.post(path, { answer: 'approve', code: otherCode, password: PASSWORD }))).toBe('FACTOR_WRONG');
    expect(noticeOf(await stage.post(path, { answer: 'approve', code, password: '926481' }))).toBe('FACTOR_WRONG');
    expect(noticeOf(await stage.post(path, { answer: 'approve', code, password: PASSWORD }))).toBeNull();
    expect((await stage.consent(consent)).state).toBe('given');
  });

  test('no code belongs to a question that takes the password alone', async () => {
    const customer = await stage.customer({ password: PASSWORD });
    const { path } = await stage.ask(customer);
    expect((await stage.post(`${path}/code`, {})).status).toBe(404);
  });

  test('without an answer of the gateway the same number goes again; its text is gone once it was sent, and never sent late', async () => {
    const { runtime } = stage.api;
    const rows = () =>
      runtime.db.read('outbox', (tx) =>
        tx.rows<{ id: string; state: string; text_sealed: string | null; attempts: number }>(
          'SELECT id, state, text_sealed, attempts FROM sms_outbox ORDER BY id DESC LIMIT 1',
        ),
      );
    const answers: ('unanswered' | 'sent' | 'refused')[] = ['unanswered', 'sent'];
    const calls: string[] = [];
    const gateway = {
      send: async ({ messageNo, text }: { messageNo: string; text: string }) => {
        calls.push(`${messageNo} ${text}`);
        return answers.shift() ?? ('unanswered' as const);
      },
    };
    const { path } = await asked();
    await stage.post(`${path}/code`, {});
    await sendSms(runtime, gateway);
    expect((await rows())[0]).toMatchObject({ state: 'pending', attempts: 1, text_sealed: expect.stringMatching(/^s1\./) });
    await sendSms(runtime, gateway);
    expect(calls).toHaveLength(1);
    stage.later(2_000);
    await Promise.all([sendSms(runtime, gateway), sendSms(runtime, gateway)]);
    expect(calls).toHaveLength(2);
    expect(calls[1]).toBe(calls[0]);
    expect((await rows())[0]).toMatchObject({ state: 'sent', text_sealed: null });

    const late = await asked();
    await stage.post(`${late.path}/code`, {});
    stage.later(5 * MINUTE);
    await sendSms(runtime, gateway);
    expect(calls).toHaveLength(2);
    expect((await rows())[0]).toMatchObject({ state: 'dropped', text_sealed: null });
  });

  test('in the database there is neither a code, nor a password, nor a mobile, nor the token of an address', async () => {
    const { customer, path } = await asked('both');
    await stage.post(`${path}/code`, {});
    const code = await stage.code(customer);
    await stage.post(path, { answer: 'approve', code, password: PASSWORD });
    const tables = ['consents', 'credentials', 'sms_outbox', 'code_attempts', 'code_messages'];
    const text = await stage.api.runtime.db.read('dump', async (tx) => {
      const dumps = [];
      for (const table of tables) dumps.push(JSON.stringify(await tx.rows(`SELECT * FROM ${table}`)));
      return dumps.join('\n');
    });
    for (const secret of [customer.mobile, path.split('/').at(-1) as string, '乙商户']) expect(text).not.toContain(secret);
    expect(text).not.toMatch(new RegExp(`"[^"]*${PASSWORD}"`));
  });
});

describe('a customer who was taken over from elsewhere', () => {
  test('activates himself by the code that comes to his mobile', async () => {
    const customer = await stage.customer();
    const { db } = stage.api.runtime;
    const link = () => stage.api.signed(stage.platform, 'POST', `/v1/users/usr_${customer.userId}/activation-link`);
    expect((await link()).body.code).toBe('CONSENT_ANSWERED');
    await db.withTx('taken over', (tx) => tx.write("UPDATE users SET state = 'to-activate' WHERE id = ?", [customer.userId]));
    const { body, status } = await link();
    expect(status).toBe(201);
    const path = new URL(body.consent.url).pathname.replace('/pages', '');
    const { text } = await stage.get(`${path}?lang=zh`);
    for (const shown of ['激活您的存管用户', '甲平台', '王**', 'E00****']) expect(text).toContain(shown);
    await stage.post(`${path}/code`, {});
    expect(noticeOf(await stage.post(path, { answer: 'approve', code: await stage.code(customer) }))).toBeNull();
    expect((await stage.get(`${path}?lang=zh`)).text).toContain('已激活');
    const [user] = await db.read('user', (tx) => tx.rows('SELECT state FROM users WHERE id = ?', [customer.userId]));
    expect(user).toEqual({ state: 'verified' });
  });

  test('activates the number that he was shown and no other, and a no stands', async () => {
    const customer = await stage.customer();
    const { db } = stage.api.runtime;
    const numbers = ['1', '2', '3'].map((last) => ({ id: `${customer.userId.slice(0, -3)}${last}00`, userNo: `TAKEN-${last}` }));
    await db.withTx('taken over', async (tx) => {
      for (const { id, userNo } of numbers)
        await tx.write(
          `INSERT INTO users SELECT ?, platform_id, ?, customer_id, 'to-activate', 1, particulars_sealed, content_hash, refusal, attempts,
             next_ms, created_ms, changed_ms FROM users WHERE id = ?`,
          [id, userNo, customer.userId],
        );
    });
    const link = (place: number) =>
      stage.api.signed(stage.platform, 'POST', `/v1/users/usr_${numbers[place]?.id}/activation-link`);
    const states = async () => {
      const ids = numbers.map(({ id }) => id).join();
      const rows = await db.read('users', (tx) =>
        tx.rows<{ state: string }>(`SELECT state FROM users WHERE id IN (${ids}) ORDER BY id`),
      );
      return rows.map(({ state }) => state);
    };
    const pathOf = async (place: number) => new URL((await link(place)).body.consent.url).pathname.replace('/pages', '');
    const [first, second, third] = [await pathOf(0), await pathOf(1), await pathOf(2)];
    for (const [path, shown] of [
      [first, 'TAKEN-1'],
      [second, 'TAKEN-2'],
      [third, 'TAKEN-3'],
    ] as const)
      expect((await stage.get(path)).text.match(/TAKEN-\d/g)).toEqual([shown]);
    // Asked again, the same question has another address.
    const again = await pathOf(1);
    expect((await stage.get(second)).status).toBe(404);
    await stage.post(`${again}/code`, {});
    expect(noticeOf(await stage.post(again, { answer: 'approve', code: await stage.code(customer) }))).toBeNull();
    expect(await states()).toEqual(['to-activate', 'verified', 'to-activate']);
    await stage.post(third, { answer: 'decline' });
    expect(await states()).toEqual(['to-activate', 'verified', 'refused']);
    expect((await link(2)).body.code).toBe('CONSENT_DECLINED');
    expect((await link(0)).status).toBe(201);
  });
});
