import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { agreementRecords, evaluateRule, versionOn, versionRecords } from '../../src/agreements/index.js';
import { type BusinessDate, fromWire, type Id, toWire } from '../../src/kernel/index.js';
import { MINUTE, noticeOf, PASSWORD } from '../consents/stage.js';
import { type AgreementStage, nextNo, openAgreements, personBehind, simpleRule, simpleTerms, TODAY } from './stage.js';

let stage: AgreementStage;
beforeAll(async () => {
  stage = await openAgreements();
});
afterAll(() => stage?.stop());

const pathOf = (url: string) => new URL(url).pathname.replace('/pages', '');
const inForce = (account: string, date: string) =>
  stage.api.runtime.db.read('in force', async (tx) => {
    const of = (await agreementRecords.load(tx, [fromWire(account)])).get(fromWire(account));
    return of && versionOn(of, date as BusinessDate);
  });

describe('a version of an agreement', () => {
  it('is in force once every receiver has signed and two people of the bank approved it', async () => {
    const [account, agent] = [await stage.seller(), await stage.seller()];
    const rule = {
      levels: {
        order: {
          lines: [
            { to: 'commission', take: { percent: 500 } },
            { to: { level: 'agents' }, take: { percent: 1000 } },
          ],
          remainder: 'seller',
        },
        agents: { lines: [{ to: { account: agent }, take: { fixed: 100 }, max: 80 }], remainder: 'commission' },
      },
    };
    const { body } = await stage.submit(stage.asked(account, { terms: simpleTerms({ rule, profitMax: 2000 }) })).expect(201);
    expect(body).toMatchObject({ version: 1, state: 'submitted', standing: null, amends: null, validTo: null });
    expect(body.signers).toEqual([account, agent].map((each) => expect.objectContaining({ account: each, state: 'missing' })));
    const { body: early } = await stage.staff(stage.anne, body.id, 'check').expect(409);
    expect(early).toMatchObject({ code: 'RECEIVER_NOT_SIGNED', missing: [account, agent] });

    await stage.staff(stage.clerk, body.id, 'signatures', { account, voucher: 'F-1' }).expect(200);
    expect((await stage.staff(stage.clerk, body.id, 'signatures', { account, voucher: 'F-1' })).body.code).toBe(
      'RECEIVER_SIGNED',
    );
    expect((await stage.staff(stage.anne, body.id, 'approve')).body).toMatchObject({
      code: 'RECEIVER_NOT_SIGNED',
      missing: [agent],
    });
    const { body: countersigned } = await stage.staff(stage.clerk, body.id, 'signatures', { account: agent, voucher: 'F-2' });
    expect(countersigned.state).toBe('countersigned');
    expect(countersigned.papers.map(({ voucher }: { voucher: string }) => voucher)).toEqual(['F-1', 'F-2']);

    expect((await stage.staff(stage.anne, body.id, 'approve')).body.code).toBe('AGREEMENT_STATE');
    expect((await stage.staff(stage.clerk, body.id, 'check')).body.code).toBe('SAME_OPERATOR');
    expect((await stage.staff(stage.anne, body.id, 'check').expect(200)).body.state).toBe('checked');
    expect((await stage.staff(stage.anne, body.id, 'check')).body.code).toBe('AGREEMENT_STATE');
    expect((await stage.staff(stage.anne, body.id, 'approve')).body.code).toBe('SAME_OPERATOR');
    expect((await stage.staff(stage.clerk, body.id, 'approve')).body.code).toBe('SAME_OPERATOR');
    expect(await inForce(account, TODAY)).toBeUndefined();
    const { body: approved } = await stage.staff(stage.bert, body.id, 'approve').expect(200);
    expect(approved).toMatchObject({ state: 'approved', standing: 'ahead' }); // the book's date is an older one
    expect((await stage.staff(stage.bert, body.id, 'approve')).body.code).toBe('AGREEMENT_STATE');

    const version = await inForce(account, TODAY);
    expect(version?.id).toBe(fromWire(body.id));
    expect(await inForce(account, '2037-03-01')).toBeUndefined();
    expect(version && evaluateRule(version.rule, { whole: 10_000n, goods: 10_000n })).toEqual([
      { receiver: 'commission', amount: 500n + 920n },
      { receiver: fromWire(agent), amount: 80n },
      { receiver: 'seller', amount: 8_500n },
    ]);
    const byId = await stage.api.runtime.db.read('by id', (tx) => versionRecords.load(tx, [fromWire(body.id)]));
    expect(byId.get(fromWire(body.id))?.terms.othersCap).toBe(3000n);
  });

  it('is read by its platform alone, with its agreement', async () => {
    const account = await stage.seller();
    const { body } = await stage.submit(stage.asked(account)).expect(201);
    const read = (by = stage.book, path = '') => stage.api.signed(by, 'GET', `/v1/agreements/${body.agreement}${path}`);
    expect((await read().expect(200)).body).toMatchObject({ account, inForce: null, versions: [{ id: body.id }] });
    expect((await read(stage.book, '/versions/1').expect(200)).body).toEqual(body);
    expect((await read(stage.book, '/versions/2').expect(404)).body.code).toBe('NOT_FOUND');
    expect((await read(stage.other).expect(404)).body.code).toBe('AGREEMENT_NOT_FOUND');
    expect((await read(stage.other, '/versions/1').expect(404)).body.code).toBe('AGREEMENT_NOT_FOUND');
    const all = await stage.api.signed(stage.book, 'GET', '/v1/agreements?limit=500').expect(200);
    expect(all.body.items.map(({ id }: { id: string }) => id)).toContain(body.agreement);
    const theirs = await stage.api.signed(stage.other, 'GET', '/v1/agreements').expect(200);
    expect(theirs.body.items.map(({ id }: { id: string }) => id)).not.toContain(body.agreement);
  });

  it('is the first one again under the same number, and nothing else', async () => {
    const account = await stage.seller();
    const asked = stage.asked(account);
    const [first, second] = await Promise.all([stage.submit(asked), stage.submit(asked)]);
    expect([first.status, second.status].sort()).toEqual([200, 201]);
    expect(second.body.id).toBe(first.body.id);
    const other = { ...asked, terms: simpleTerms({ profitMax: 999, rule: simpleRule(999) }) };
    expect((await stage.submit(other).expect(409)).body.code).toBe('AGREEMENT_NO_REUSED');
  });

  it('is withdrawn by its platform, or refused by anybody of the staff, until it is approved', async () => {
    const account = await stage.seller();
    const { body } = await stage.submit(stage.asked(account)).expect(201);
    const withdraw = (version: number) =>
      stage.api.signed(stage.book, 'POST', `/v1/agreements/${body.agreement}/versions/${version}/withdraw`);
    expect((await withdraw(1).expect(200)).body.state).toBe('withdrawn');
    expect((await withdraw(1).expect(200)).body.state).toBe('withdrawn');
    expect((await stage.staff(stage.clerk, body.id, 'signatures', { account, voucher: 'F' })).body.code).toBe('AGREEMENT_STATE');
    expect((await stage.staff(stage.anne, body.id, 'refuse', { reason: '不符' })).body.code).toBe('AGREEMENT_STATE');

    const { body: next } = await stage.submit(stage.asked(account, { version: 2 })).expect(201);
    await stage.signed(next);
    const { body: refused } = await stage.staff(stage.anne, next.id, 'refuse', { reason: '条款不清' }).expect(200);
    expect(refused).toMatchObject({ state: 'refused', reason: '条款不清' });
    expect((await withdraw(2).expect(409)).body.code).toBe('AGREEMENT_STATE');
    const seen = await stage.api.signed(stage.book, 'GET', `/v1/agreements/${body.agreement}/versions/2`);
    expect(JSON.stringify(seen.body)).not.toContain('条款不清');

    const third = await stage.approved(stage.asked(account, { version: 3 }));
    expect(third.state).toBe('approved');
    expect((await withdraw(3).expect(409)).body.code).toBe('AGREEMENT_STATE');
  });

  it('is approved once, whoever of two comes first', async () => {
    const account = await stage.seller();
    const { body } = await stage.submit(stage.asked(account)).expect(201);
    await stage.signed(body);
    await stage.staff(stage.anne, body.id, 'check').expect(200);
    const { token } = await stage.api.operator('reviewer');
    const answers = await Promise.all([
      stage.staff(stage.bert, body.id, 'approve'),
      stage.staff(token, body.id, 'approve'),
      stage.staff(token, body.id, 'refuse', { reason: '否' }),
    ]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ body: { code } }) => code === 'AGREEMENT_STATE')).toHaveLength(2);
  });
});

describe('versions after one another', () => {
  it('take over from those before on their first day', async () => {
    const account = await stage.seller();
    const first = await stage.approved(stage.asked(account));
    const second = await stage.approved(stage.asked(account, { version: 2, validFrom: '2037-04-01' }));
    expect((await stage.read(first.id)).body.validTo).toBe('2037-03-31');
    for (const [date, id] of [
      ['2037-03-02', first.id],
      ['2037-03-31', first.id],
      ['2037-04-01', second.id],
    ])
      expect((await inForce(account, date))?.id).toBe(fromWire(id));
    for (const validFrom of ['2037-03-15', '2037-04-01']) {
      const { body } = await stage.submit(stage.asked(account, { version: 3, validFrom })).expect(409);
      expect(body.code).toBe('AGREEMENT_OVERLAPS');
    }
  });

  it('with an end find the time free', async () => {
    const account = await stage.seller();
    await stage.approved(stage.asked(account, { validTo: '2037-03-31' }));
    const next = (validFrom: string, validTo?: string) => stage.submit(stage.asked(account, { version: 2, validFrom, validTo }));
    expect((await next('2037-03-31', '2037-04-30').expect(409)).body.code).toBe('AGREEMENT_OVERLAPS');
    await stage.approved(stage.asked(account, { version: 2, validFrom: '2037-04-02' }));
    expect(await inForce(account, '2037-04-01')).toBeUndefined();
    expect((await inForce(account, '2037-04-02'))?.version).toBe(2);
  });

  it('are looked at again when they are approved: what was free may be taken by then, and the day may have come', async () => {
    const account = await stage.seller();
    const promotion = { amends: 1, validFrom: '2037-03-10', validTo: '2037-03-20' };
    await stage.approved(stage.asked(account));
    const { body: second } = await stage.submit(stage.asked(account, { version: 2, ...promotion })).expect(201);
    await stage.approved(stage.asked(account, { version: 3, ...promotion }));
    await stage.signed(second);
    expect((await stage.staff(stage.anne, second.id, 'check').expect(409)).body.code).toBe('AGREEMENT_OVERLAPS');

    const another = await stage.seller();
    const { body: late } = await stage.submit(stage.asked(another)).expect(201);
    await stage.signed(late);
    await stage.staff(stage.anne, late.id, 'check').expect(200);
    await stage.onDate('2037-03-03');
    expect((await stage.staff(stage.bert, late.id, 'approve').expect(422)).body.code).toBe('AGREEMENT_BACKDATED');
    await stage.onDate('2026-03-02');
    expect((await stage.staff(stage.bert, late.id, 'approve').expect(200)).body.state).toBe('approved');
  });
});

describe('a promotion', () => {
  it('overrides what it amends and ends by itself', async () => {
    const account = await stage.seller();
    const base = await stage.approved(stage.asked(account));
    const terms = simpleTerms({ rule: simpleRule(200) });
    const promotion = await stage.approved(
      stage.asked(account, { version: 2, amends: 1, validFrom: '2037-06-01', validTo: '2037-06-18', terms }),
    );
    for (const [date, id] of [
      ['2037-05-31', base.id],
      ['2037-06-01', promotion.id],
      ['2037-06-18', promotion.id],
      ['2037-06-19', base.id],
    ])
      expect((await inForce(account, date))?.id).toBe(fromWire(id));
    expect((await stage.read(base.id)).body.validTo).toBeNull();
    // What was bound in the promotion stays bound to it.
    const kept = await stage.api.runtime.db.read('kept', (tx) => versionRecords.load(tx, [fromWire(promotion.id)]));
    expect(
      evaluateRule((kept.get(fromWire(promotion.id)) as never as { rule: never }).rule, { whole: 100n, goods: 100n })[0]?.amount,
    ).toBe(2n);

    const next = (more: Record<string, unknown>) => stage.submit(stage.asked(account, { version: 3, ...more }));
    expect((await next({ amends: 1, validFrom: '2037-06-18', validTo: '2037-06-20' }).expect(409)).body.code).toBe(
      'AGREEMENT_OVERLAPS',
    );
    expect((await next({ amends: 2, validFrom: '2037-06-19', validTo: '2037-06-20' }).expect(422)).body.code).toBe(
      'AGREEMENT_AMENDS',
    );
    expect((await next({ amends: 9, validFrom: '2037-06-19', validTo: '2037-06-20' }).expect(422)).body.code).toBe(
      'AGREEMENT_AMENDS',
    );
    expect((await next({ amends: 1, validFrom: '2037-06-19' }).expect(422)).body.code).toBe('AGREEMENT_DATES');
    // New terms beneath wait for the end of the promotion.
    expect((await next({ validFrom: '2037-06-10' }).expect(409)).body.code).toBe('AGREEMENT_OVERLAPS');
    await stage.approved(stage.asked(account, { version: 3, validFrom: '2037-06-19' }));
    expect((await inForce(account, '2037-06-19'))?.version).toBe(3);
    expect((await next({ version: 4, amends: 1, validFrom: '2037-06-19', validTo: '2037-06-20' }).expect(422)).body.code).toBe(
      'AGREEMENT_AMENDS',
    );
  });
});

describe('signing on a page of the bank', () => {
  const ask = (version: { agreement: string; version: number }, body: unknown, by = stage.book) =>
    stage.api.signed(by, 'POST', `/v1/agreements/${version.agreement}/versions/${version.version}/signatures`, body);
  // biome-ignore lint/suspicious/noExplicitAny: an answer of the API
  const questionOf = (version: any, account: string) =>
    version.signers.find((signer: { account: string }) => signer.account === account).consent;

  it('takes the password and the code of the person himself, and has a receipt', async () => {
    const { account, customer, user } = await personBehind(stage);
    const { body } = await stage.submit(stage.asked(account)).expect(201);
    const { body: asked } = await ask(body, { account, user }).expect(201);
    const { url } = questionOf(asked, account);
    const again = await ask(body, { account, user }).expect(200);
    expect(questionOf(again.body, account)).toMatchObject({ id: questionOf(asked, account).id });
    expect(questionOf(again.body, account).url).toBeUndefined();
    const { text } = await stage.get(pathOf(url));
    expect(text).toContain('平台：10%');
    expect(text).toContain('甲&lt;b&gt;平台');
    await stage.post(`${pathOf(url)}/code`, {});
    const form = { answer: 'approve', password: PASSWORD, code: await stage.code(customer) };
    expect(noticeOf(await stage.post(pathOf(url), form))).toBeNull();
    const { body: signed } = await stage.read(body.id);
    expect(signed).toMatchObject({ state: 'countersigned', signers: [{ state: 'signed', way: 'page' }] });
    const receipt = await stage.api.signed(stage.book, 'GET', `/v1/receipts/${signed.signers[0].signature}`).expect(200);
    expect(JSON.stringify(receipt.body)).toContain('agreement');
    expect((await ask(body, { account, user }).expect(409)).body.code).toBe('RECEIVER_SIGNED');
    await stage.staff(stage.clerk, body.id, 'check').expect(200); // nothing was recorded by anybody
    expect((await stage.staff(stage.bert, body.id, 'approve').expect(200)).body.state).toBe('approved');
  });

  it('is asked again after a no, and lapses when it is signed on paper or the version is withdrawn', async () => {
    const { account, customer, user } = await personBehind(stage);
    const { body } = await stage.submit(stage.asked(account)).expect(201);
    const first = questionOf((await ask(body, { account, user }).expect(201)).body, account);
    await stage.post(pathOf(first.url), { answer: 'decline' });
    expect((await stage.read(body.id)).body).toMatchObject({ state: 'submitted', signers: [{ state: 'declined' }] });
    const second = questionOf((await ask(body, { account, user }).expect(201)).body, account);
    await stage.staff(stage.clerk, body.id, 'signatures', { account, voucher: 'F-9' }).expect(200);
    await stage.post(`${pathOf(second.url)}/code`, {});
    const form = { answer: 'approve', password: PASSWORD, code: await stage.code(customer) };
    expect(noticeOf(await stage.post(pathOf(second.url), form))).not.toBeNull();
    expect((await stage.read(body.id)).body).toMatchObject({
      state: 'countersigned',
      signers: [{ state: 'signed', way: 'paper' }],
    });

    const { body: next } = await stage.submit(stage.asked(account, { version: 2 })).expect(201);
    stage.later(2 * MINUTE);
    const third = questionOf((await ask(next, { account, user }).expect(201)).body, account);
    await stage.api.signed(stage.book, 'POST', `/v1/agreements/${next.agreement}/versions/2/withdraw`).expect(200);
    await stage.post(`${pathOf(third.url)}/code`, {});
    const late = { answer: 'approve', password: PASSWORD, code: await stage.code(customer) };
    expect(noticeOf(await stage.post(pathOf(third.url), late))).not.toBeNull();
    expect((await stage.read(next.id)).body).toMatchObject({ state: 'withdrawn', signers: [{ state: 'asked' }] });
    expect((await ask(next, { account, user }).expect(200)).body.state).toBe('withdrawn');
  });

  it('is refused to anybody else, and to companies', async () => {
    const { account } = await personBehind(stage);
    const { user } = await personBehind(stage);
    const { body } = await stage.submit(stage.asked(account)).expect(201);
    expect((await ask(body, { account, user }).expect(422)).body.code).toBe('SIGNER_NOT_THE_RECEIVER');
    const stranger = await stage.seller();
    expect((await ask(body, { account: stranger, user }).expect(422)).body.code).toBe('RECEIVER_NOT_ALLOWED');
    expect((await ask(body, { account, user }, stage.other).expect(404)).body.code).toBe('AGREEMENT_NOT_FOUND');
    const company = {
      merchantNo: `C-${nextNo()}`,
      party: { kind: 'company', name: '某某（福建）有限公司', idNo: '91350100M000100Y43', legalRepresentative: '王小明' },
      settlementAccount: { name: '某某(福建)有限公司', account: '110060149018010001' },
    };
    const opened = await stage.api.signed(stage.book, 'POST', '/v1/sub-merchants', company).expect(201);
    const { body: theirs } = await stage.submit(stage.asked(opened.body.account)).expect(201);
    expect((await ask(theirs, { account: opened.body.account, user }).expect(422)).body.code).toBe('SIGNER_NOT_THE_RECEIVER');
  });
});

describe('whether a book requires agreements', () => {
  it('is set where its terms are set, and stays when nothing is said of it', async () => {
    const path = `/admin/v1/platforms/${toWire('platform', stage.other.id as Id)}/terms`;
    const set = async (body: unknown) =>
      (await stage.api.call('PUT', path, { token: stage.administrator, body }).expect(200)).body.terms;
    expect(await set({ transferMax: 1, feeMax: 2 })).toMatchObject({ transferMax: 1, feeMax: 2, agreements: 'none' });
    expect(await set({ transferMax: 1, feeMax: 2, agreements: 'required' })).toMatchObject({ agreements: 'required' });
    expect(await set({ transferMax: 3, feeMax: 2 })).toMatchObject({ transferMax: 3, feeMax: 2, agreements: 'required' });
    expect(await set({ transferMax: 3, feeMax: 2, agreements: 'none' })).toMatchObject({ agreements: 'none' });
  });
});
