import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Channels, type ElementsQuestion, type IdentityQuestion, openChannels } from '../../src/channels/index.js';
import { type FaultRule, type RunningBank, startBank } from '../../src/channels/simulator/index.js';
import { type FreshDatabase, freshDatabase } from '../support/database.js';

const ZHANG: IdentityQuestion = { idType: 'resident-id', idNo: '110105199003071234', name: '张三' };
const CARD = '6222020000000000078';
const OTHER_BANK = '102100099996';
const elements: ElementsQuestion = { ...ZHANG, mobile: '13800138000', account: CARD, bankCode: OTHER_BANK };
const trial = { messageNo: 'T1', name: ZHANG.name, account: CARD, bankCode: OTHER_BANK, amount: 37n };
const inflow = { account: CARD, amount: 29n, reference: 'V-1' };
const sms = { messageNo: 'S1', mobile: '13800138000', text: '验证码 123456' };

/** Every call of the two ports: where it stands in a plan of faults, and what of its answer says that nothing is known. */
const CALLS = [
  ['checkIdentity', 'verification', 'identity', async (ways: Channels) => (await ways.verification.checkIdentity(ZHANG)).result],
  [
    'checkElements',
    'verification',
    'elements',
    async (ways: Channels) => (await ways.verification.checkElements(elements)).result,
  ],
  ['payTrial', 'verification', 'trial-payment', async (ways: Channels) => (await ways.verification.payTrial(trial)).result],
  [
    'findTrialInflow',
    'verification',
    'trial-inflow',
    async (ways: Channels) => (await ways.verification.findTrialInflow(inflow)).result,
  ],
  ['send', 'sms', 'submit', (ways: Channels) => ways.sms.send(sms)],
] as const;
const USUAL: Readonly<Record<(typeof CALLS)[number][0], string>> = {
  checkIdentity: 'match',
  checkElements: 'match',
  payTrial: 'paid',
  findTrialInflow: 'found',
  send: 'sent',
};

describe('verification and short messages', () => {
  let bank: RunningBank;
  let ways: Channels;
  let impatient: Channels;
  beforeAll(async () => {
    bank = await startBank({ port: 0, seed: 20_260_302 });
    ways = openChannels({ bankUrl: bank.url, timeoutMs: 20_000 });
    impatient = openChannels({ bankUrl: bank.url, timeoutMs: 100 });
  });
  afterAll(async () => {
    await Promise.all([ways.close(), impatient.close()]);
    await bank.stop();
  });
  beforeEach(() => bank.bank.reset());

  async function sandbox(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
    const response = await fetch(`${bank.url}/sandbox${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  }
  const register = (...people: unknown[]) => sandbox('PUT', '/people', { people });
  const script = (...scripted: FaultRule[]) => bank.bank.faults.replace({ scripted });

  describe.each(CALLS)('%s', (name, scope, on, call) => {
    beforeEach(() => sandbox('POST', '/trials/inflows', { ...inflow, amount: '29' }));
    const usual = USUAL[name];

    test.each(['not-received', 'lost-answer', 'maintenance', 'garbage', 'half-open', 'late'] as const)(
      '%s leaves nothing known, and the same call again learns it',
      async (fault) => {
        script({ scope, on, fault, ms: 60_000, times: fault === 'garbage' ? 6 : 1 });
        const slow = fault === 'half-open' || fault === 'late' ? impatient : ways;
        for (let times = fault === 'garbage' ? 6 : 1; times > 0; times -= 1) expect(await call(slow)).toBe('unanswered');
        expect(await call(ways)).toBe(usual);
        expect(bank.bank.messages.sms(undefined).length + bank.bank.messages.trials(undefined).length).toBeLessThanOrEqual(1);
      },
    );

    test('a late answer within the time-out counts', async () => {
      script({ scope, fault: 'late', ms: 1 });
      expect(await call(ways)).toBe(usual);
    });

    test('a bank that is not there: nothing is known, and nothing is thrown', async () => {
      const gone = await startBank({ port: 0, seed: 1 });
      await gone.stop();
      const nowhere = openChannels({ bankUrl: gone.url, timeoutMs: 500 });
      expect(await call(nowhere)).toBe('unanswered');
      await nowhere.close();
    });
  });

  describe('the people register', () => {
    const li = {
      idNo: '310101198801010022',
      name: '李四',
      mobile: '13900139000',
      accounts: [
        { account: '6228480000000000001', bankCode: OTHER_BANK },
        { account: '6228480000000000002', bankCode: OTHER_BANK, class: 'credit', mobile: '13700137000' },
        { account: '6228480000000000003', class: '2', standing: 'frozen' },
        { account: '6228480000000000004', standing: 'none' },
      ],
    };
    const asked = { idType: 'resident-id', idNo: li.idNo, name: li.name, mobile: li.mobile, bankCode: OTHER_BANK } as const;

    test('a number that nobody registered is whoever is asked for, with a Class I account, and says so the same way each time', async () => {
      const first = await ways.verification.checkElements(elements);
      expect(first).toEqual({
        result: 'match',
        accountClass: '1',
        standing: 'usable',
        evidence: expect.stringMatching(/^EL\d{10}$/),
      });
      expect(await ways.verification.checkElements(elements)).toEqual(first);
      const identity = await ways.verification.checkIdentity(ZHANG);
      expect(identity).toEqual({ result: 'match', evidence: expect.stringMatching(/^ID\d{10}$/) });
      bank.bank.reset();
      expect(await ways.verification.checkIdentity(ZHANG)).toEqual(identity);
    });

    test('a registered number matches its name, another name differs, and one that was never issued is unknown', async () => {
      await register(li, { idNo: '310101198801010049', name: '无', issued: false });
      const ask = async (idNo: string, name: string) =>
        (await ways.verification.checkIdentity({ idType: 'resident-id', idNo, name })).result;
      expect(await ask(li.idNo, '李四')).toBe('match');
      expect(await ask(li.idNo, '李肆')).toBe('name-differs');
      expect(await ask('310101198801010049', '李四')).toBe('unknown-number');
    });

    test('the bank of an account says which elements are wrong, of what class it is and how it stands', async () => {
      await register(li);
      const ask = (changes: Partial<typeof elements>) => ways.verification.checkElements({ ...asked, account: '', ...changes });
      expect(await ask({ account: '6228480000000000001' })).toMatchObject({
        result: 'match',
        accountClass: '1',
        standing: 'usable',
      });
      expect(await ask({ account: '6228480000000000001', name: '李肆', mobile: '13900139001', idNo: ZHANG.idNo })).toMatchObject({
        result: 'differs',
        wrong: ['name', 'idNo', 'mobile'],
      });
      expect(await ask({ account: '6228480000000000002' })).toMatchObject({
        result: 'differs',
        wrong: ['mobile'],
        accountClass: 'credit',
      });
      expect(await ask({ account: '6228480000000000002', mobile: '13700137000' })).toMatchObject({
        result: 'match',
        accountClass: 'credit',
      });
      expect(await ask({ account: '6228480000000000003', bankCode: '' })).toMatchObject({
        result: 'match',
        accountClass: '2',
        standing: 'frozen',
      });
      const none = { result: 'differs', wrong: ['account'], standing: 'none', evidence: expect.any(String) };
      expect(await ask({ account: '6228480000000000004', bankCode: '' })).toEqual(none);
      expect(await ask({ account: '6228480000000000009' })).toEqual(none);
      // The same digits at another bank are another account.
      expect(await ask({ account: '6228480000000000001', bankCode: '' })).toEqual(none);
    });

    test('it is filled and read over HTTP, person by person, and refuses what contradicts itself', async () => {
      expect((await register(li)).status).toBe(200);
      expect(
        (await register({ ...li, name: '李小四', accounts: [] }, { idNo: 'E1', idType: 'passport', name: 'Smith' })).status,
      ).toBe(200);
      const read = (await sandbox('GET', '/people')).body as { items: { name: string }[] };
      expect(read.items.map((each) => each.name)).toEqual(['李小四', 'Smith']);
      const twice = { idNo: 'E2', name: 'Jones', accounts: [{ account: '1' }, { account: '1' }] };
      expect((await register(twice)).status).toBe(409);
      expect((await register({ idNo: 'E2', name: 'Jones', age: 7 })).status).toBe(400);
      expect(((await sandbox('GET', '/people')).body as { items: unknown[] }).items).toHaveLength(2);
    });
  });

  describe('a trial payment', () => {
    test('is paid once for its number, and a sandbox can read its amount', async () => {
      script({ scope: 'verification', on: 'trial-payment', fault: 'lost-answer' });
      expect(await ways.verification.payTrial(trial)).toEqual({ result: 'unanswered' });
      expect(await ways.verification.payTrial(trial)).toEqual({ result: 'paid' });
      expect((await sandbox('GET', `/trials?account=${CARD}`)).body).toEqual({
        items: [{ ...trial, amount: '37', result: 'paid' }],
      });
      expect((await sandbox('GET', '/trials?account=1')).body).toEqual({ items: [] });
    });

    test('with another content under its number is not paid, and what became of the first stays open', async () => {
      await ways.verification.payTrial(trial);
      expect(await ways.verification.payTrial({ ...trial, amount: 38n })).toEqual({ result: 'unanswered' });
      expect(bank.bank.messages.trials(CARD).map((each) => each.amount)).toEqual([37n]);
    });

    test('fails to an account that is not there or not his, and stays failed', async () => {
      await register({ idNo: '1', name: '王五', accounts: [{ account: 'A' }, { account: 'B', standing: 'none' }] });
      const pay = (messageNo: string, account: string, name: string) =>
        ways.verification.payTrial({ messageNo, name, account, bankCode: '', amount: 50n });
      expect(await pay('T1', 'A', '王五')).toEqual({ result: 'paid' });
      expect(await pay('T2', 'A', '王六')).toEqual({ result: 'failed', reason: 'payee account and name do not match' });
      expect(await pay('T3', 'B', '王五')).toEqual({ result: 'failed', reason: 'no such account' });
      script({ scope: 'verification', fault: 'refuse', reason: 'closed', times: 1 });
      expect(await pay('T4', 'A', '王五')).toEqual({ result: 'failed', reason: 'closed' });
      expect(await pay('T4', 'A', '王五')).toEqual({ result: 'failed', reason: 'closed' });
    });

    test('of more than half a yuan is not taken', async () => {
      expect(await ways.verification.payTrial({ ...trial, amount: 51n })).toEqual({ result: 'unanswered' });
      expect(bank.bank.messages.trials(undefined)).toEqual([]);
    });
  });

  test('a trial inflow is found by exactly its account, amount and reference', async () => {
    expect((await sandbox('POST', '/trials/inflows', { ...inflow, amount: '29' })).status).toBe(200);
    expect((await sandbox('POST', '/trials/inflows', { ...inflow, amount: '30' })).status).toBe(409);
    const find = async (changes: Partial<typeof inflow>) =>
      (await ways.verification.findTrialInflow({ ...inflow, ...changes })).result;
    expect(await find({})).toBe('found');
    expect([await find({ amount: 30n }), await find({ account: 'X' }), await find({ reference: 'V-2' })]).toEqual(
      Array(3).fill('not-found'),
    );
  });

  describe('a short message', () => {
    test('is sent once for its number, and a sandbox reads the outbox of a mobile', async () => {
      script({ scope: 'sms', fault: 'lost-answer' });
      expect(await ways.sms.send(sms)).toBe('unanswered');
      expect(await ways.sms.send(sms)).toBe('sent');
      await ways.sms.send({ ...sms, messageNo: 'S2', mobile: '13800138001' });
      expect((await sandbox('GET', '/sms?mobile=13800138000')).body).toEqual({ items: [sms] });
      expect(((await sandbox('GET', '/sms')).body as { items: unknown[] }).items).toHaveLength(2);
    });

    test('with another text under its number is not sent', async () => {
      await ways.sms.send(sms);
      expect(await ways.sms.send({ ...sms, text: '验证码 654321' })).toBe('unanswered');
      expect(bank.bank.messages.sms(sms.mobile)).toEqual([sms]);
    });

    test('that the gateway refuses is refused at every repeat', async () => {
      script({ scope: 'sms', fault: 'refuse', messageNo: sms.mobile, times: 1 });
      expect([await ways.sms.send(sms), await ways.sms.send(sms)]).toEqual(['refused', 'refused']);
      expect(bank.bank.messages.sms(sms.mobile)).toEqual([]);
    });
  });
});

describe('answers that only look right', () => {
  let answer: { status: number; body: unknown };
  let server: Server;
  let ways: Channels;
  beforeAll(async () => {
    server = createServer((_request, response) => {
      response.statusCode = answer.status;
      response.end(JSON.stringify(answer.body));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ways = openChannels({ bankUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  });
  afterAll(async () => {
    await ways.close();
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });

  const match = { result: 'match', accountClass: '1', standing: 'usable', evidence: 'E' };
  test('the plain one counts, also beside fields that we do not know', async () => {
    answer = { status: 200, body: { ...match, photo: 'x' } };
    expect(await ways.verification.checkElements(elements)).toEqual(match);
  });

  test.each([
    ['a 5xx, whatever its body says', 502, match],
    ['a 4xx, whatever its body says', 422, match],
    ['a result that is none', 200, { ...match, result: 'yes' }],
    ['a match of which elements are wrong', 200, { ...match, wrong: ['name'] }],
    ['a match with no account', 200, { ...match, standing: 'none' }],
    ['a match without a class', 200, { result: 'match', standing: 'usable' }],
    ['a class that is none', 200, { ...match, accountClass: '4' }],
    ['a list', 200, [match]],
  ])('%s is no answer', async (_name, status, body) => {
    answer = { status, body };
    expect(await ways.verification.checkElements(elements)).toEqual({ result: 'unanswered' });
  });

  test('the answer to another message is none', async () => {
    answer = { status: 200, body: { messageNo: 'other', result: 'sent' } };
    expect(await ways.sms.send(sms)).toBe('unanswered');
    answer = { status: 200, body: { messageNo: 'other', result: 'failed' } };
    expect(await ways.verification.payTrial(trial)).toEqual({ result: 'unanswered' });
  });
});

describe('inside a database transaction', () => {
  let fresh: FreshDatabase;
  let ways: Channels;
  beforeAll(async () => {
    fresh = await freshDatabase();
    ways = openChannels({ bankUrl: 'http://127.0.0.1:9' });
  });
  afterAll(async () => {
    await ways.close();
    await fresh.drop();
  });

  test.each(CALLS)('%s may not be called', async (_name, _scope, _on, call) => {
    await expect(fresh.db.withTx('test', () => call(ways))).rejects.toThrow('inside the database transaction test');
  });
});
