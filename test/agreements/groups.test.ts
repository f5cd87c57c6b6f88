import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { agreementRecords, versionOn } from '../../src/agreements/index.js';
import { type BusinessDate, fromWire } from '../../src/kernel/index.js';
import { person } from '../accounts/books.js';
import { noticeOf, PASSWORD } from '../consents/stage.js';
import { type AgreementStage, nextNo, openAgreements, personBehind, simpleRule, simpleTerms, TODAY } from './stage.js';

const SELLERS = Number(process.env.GROUP_SELLERS ?? 120);

let stage: AgreementStage;
beforeAll(async () => {
  stage = await openAgreements();
});
afterAll(() => stage?.stop());

/** Open accounts of so many new sub-merchants. */
async function sellers(count: number): Promise<string[]> {
  const { body } = await stage.api
    .signed(
      stage.book,
      'POST',
      '/v1/sub-merchants/batches',
      Array.from({ length: count }, () => person(nextNo())),
    )
    .expect(200);
  return body.items.map(({ subMerchant }: { subMerchant: { account: string } }) => subMerchant.account);
}

const asked = (accounts: readonly string[], more: Record<string, unknown> = {}) => ({
  ...{ groupNo: `G-${nextNo()}`, validFrom: TODAY, terms: simpleTerms() },
  lines: accounts.map((account) => ({ agreementNo: `AG-${account}`, version: 1, account })),
  ...more,
});
const submit = (body: unknown, by = stage.book) => stage.api.signed(by, 'POST', '/v1/agreement-groups', body);
const staff = (token: string, group: string, verb: string, body: unknown = {}) =>
  stage.api.call('POST', `/admin/v1/agreement-groups/${group}/${verb}`, { token, body });
const onPaper = (group: string, accounts: 'missing' | readonly string[], token = stage.clerk) =>
  staff(token, group, 'signatures', { accounts, voucher: `L-${nextNo()}` });
const readMembers = (group: string) =>
  stage.api.call('GET', `/admin/v1/agreement-groups/${group}/versions?limit=500`, { token: stage.anne });
const inForce = (accounts: readonly string[], date = TODAY) =>
  stage.api.runtime.db.read('in force', async (tx) => {
    const found = await agreementRecords.load(tx, accounts.map(fromWire));
    return [...found.values()].flatMap((of) => versionOn(of, date as BusinessDate) ?? []);
  });

describe('a group of versions', () => {
  it('is signed on one list and approved in one act each, however many sellers there are', async () => {
    const accounts = await sellers(SELLERS);
    const body = asked(accounts);
    const { body: group } = await submit(body).expect(201);
    expect(group).toMatchObject({ versions: SELLERS, states: { submitted: SELLERS, approved: 0 }, validTo: null });
    expect(group.items.map(({ account }: { account: string }) => account)).toEqual(accounts);
    expect(group.items[0]).toMatchObject({ version: 1, amends: null, state: 'submitted', needed: 1, signed: 0 });

    expect((await staff(stage.anne, group.id, 'check').expect(409)).body).toMatchObject({
      code: 'RECEIVER_NOT_SIGNED',
      waiting: SELLERS,
    });
    expect((await onPaper(group.id, 'missing').expect(200)).body).toMatchObject({ moved: SELLERS });
    expect((await onPaper(group.id, 'missing').expect(409)).body.code).toBe('AGREEMENT_STATE');
    expect((await staff(stage.clerk, group.id, 'check').expect(409)).body.code).toBe('SAME_OPERATOR');
    expect((await staff(stage.anne, group.id, 'approve').expect(409)).body.code).toBe('AGREEMENT_STATE');
    const { body: checked } = await staff(stage.anne, group.id, 'check').expect(200);
    expect(checked).toMatchObject({ moved: SELLERS, left: [], group: { states: { checked: SELLERS } } });
    expect((await staff(stage.anne, group.id, 'check').expect(409)).body.code).toBe('AGREEMENT_STATE');
    expect((await staff(stage.anne, group.id, 'approve').expect(409)).body.code).toBe('SAME_OPERATOR');
    expect((await staff(stage.clerk, group.id, 'approve').expect(409)).body.code).toBe('SAME_OPERATOR');
    expect(await inForce(accounts)).toEqual([]);
    expect((await staff(stage.bert, group.id, 'approve').expect(200)).body).toMatchObject({ moved: SELLERS, left: [] });
    expect((await staff(stage.bert, group.id, 'approve').expect(409)).body.code).toBe('AGREEMENT_STATE');
    expect(await inForce(accounts)).toHaveLength(SELLERS);

    const { body: again } = await submit(body).expect(200);
    expect(again).toMatchObject({ id: group.id, states: { approved: SELLERS } });
    expect((await submit({ ...body, terms: simpleTerms({ profitMax: 1001 }) }).expect(409)).body.code).toBe(
      'AGREEMENT_GROUP_REUSED',
    );
    const one = await stage.api.signed(stage.book, 'GET', `/v1/agreements/${group.items[0].agreement}/versions/1`).expect(200);
    expect(one.body).toMatchObject({ group: group.id, state: 'approved', signers: [{ way: 'paper' }] });
    const { lines, groupNo, ...rest } = body;
    const alone = await stage.submit({ ...rest, ...lines[0] }).expect(200);
    expect(alone.body.id).toBe(group.items[0].id);
  }, 120_000);

  it('is taken whole or not at all: what is wrong for all is told once, what is wrong for one with his line', async () => {
    const [first, second, third] = (await sellers(3)) as [string, string, string];
    await stage.submit(stage.asked(second, { agreementNo: `OTHER-${second}` })).expect(201);
    const theirs = await stage.seller(stage.other);
    const rule = simpleRule(1500);
    const { body } = await submit(
      asked([first, second, theirs], { terms: simpleTerms({ rule }), validFrom: '2037-03-01' }),
    ).expect(422);
    expect(body.faults.map(({ code, pointer }: { code: string; pointer: string }) => `${code} ${pointer}`)).toEqual([
      'RULE_PROFIT /terms/rule',
      'AGREEMENT_BACKDATED /validFrom',
      'AGREEMENT_EXISTS /lines/1/agreementNo',
      'ACCOUNT_NOT_FOUND /lines/2/account',
    ]);
    const named = { levels: { order: { lines: [{ to: { account: third }, take: { percent: 100 } }], remainder: 'seller' } } };
    const { body: oneself } = await submit(asked([first, third], { terms: simpleTerms({ rule: named }) })).expect(422);
    expect(oneself.faults).toEqual([expect.objectContaining({ code: 'RECEIVER_NOT_ALLOWED', pointer: '/lines/1' })]);
    expect(
      (await submit(asked([first], { terms: simpleTerms({ rule: named }) }), stage.other).expect(422)).body.faults,
    ).toHaveLength(2);
    expect((await submit(asked([first, first])).expect(400)).body.code).toBe('SHAPE_INVALID');
    expect((await submit(asked([])).expect(400)).body.code).toBe('SHAPE_INVALID');
    const { body: free } = await submit(asked([first, third])).expect(201);
    expect(free.versions).toBe(2);
  });

  it('moves on with those who signed, and with those who sign later in another act', async () => {
    const [first, second, agent] = (await sellers(3)) as [string, string, string];
    const rule = { levels: { order: { lines: [{ to: { account: agent }, take: { percent: 100 } }], remainder: 'seller' } } };
    const { body: group } = await submit(asked([first, second], { terms: simpleTerms({ rule }) })).expect(201);
    expect((await onPaper(group.id, [first, agent]).expect(200)).body).toMatchObject({
      moved: 3,
      group: { states: { submitted: 1, countersigned: 1 } },
    });
    expect((await onPaper(group.id, [first, agent]).expect(409)).body.code).toBe('RECEIVER_SIGNED');
    const stranger = await stage.seller();
    expect((await onPaper(group.id, [second, stranger]).expect(422)).body).toMatchObject({
      code: 'RECEIVER_NOT_ALLOWED',
      accounts: [stranger],
    });
    expect((await staff(stage.anne, group.id, 'check').expect(200)).body.moved).toBe(1);
    expect((await staff(stage.anne, group.id, 'check').expect(409)).body).toMatchObject({
      code: 'RECEIVER_NOT_SIGNED',
      waiting: 1,
    });
    expect((await staff(stage.bert, group.id, 'approve').expect(200)).body.moved).toBe(1);
    expect(await inForce([first, second])).toHaveLength(1);
    await onPaper(group.id, [second]).expect(200);
    await staff(stage.anne, group.id, 'check').expect(200);
    expect((await staff(stage.bert, group.id, 'approve').expect(200)).body.group.states).toMatchObject({ approved: 2 });
    expect(await inForce([first, second])).toHaveLength(2);
  });

  it('is signed by each seller on a page of his own as well, and a list that comes at the same moment counts him once', async () => {
    const [page, race] = [await personBehind(stage), await personBehind(stage)];
    const [other] = (await sellers(1)) as [string];
    const { body: group } = await submit(asked([page.account, race.account, other])).expect(201);
    const urls: string[] = [];
    for (const [place, { account, user }] of [page, race].entries()) {
      const path = `/v1/agreements/${group.items[place].agreement}/versions/1/signatures`;
      const { body } = await stage.api.signed(stage.book, 'POST', path, { account, user }).expect(201);
      const url = new URL(body.signers[0].consent.url).pathname.replace('/pages', '');
      await stage.post(`${url}/code`, {});
      urls.push(url);
    }
    const form = async ({ customer }: typeof page) => ({
      answer: 'approve',
      password: PASSWORD,
      code: await stage.code(customer),
    });
    expect(noticeOf(await stage.post(urls[0] as string, await form(page)))).toBeNull();
    const late = await form(race);
    const [answer, list] = await Promise.all([stage.post(urls[1] as string, late), onPaper(group.id, 'missing')]);
    const onPage = noticeOf(answer) === null;
    expect(list.body.moved).toBe(onPage ? 1 : 2);
    expect(list.body.group.states).toMatchObject({ countersigned: 3 });
    const read = await stage.read(group.items[1].id);
    expect(read.body.signers).toEqual([expect.objectContaining({ state: 'signed', way: onPage ? 'page' : 'paper' })]);
    expect((await staff(stage.anne, group.id, 'check').expect(200)).body.moved).toBe(3);
    expect((await staff(stage.bert, group.id, 'approve').expect(200)).body.moved).toBe(3);
  });

  it('leaves out whoever may not take the step, and says why', async () => {
    const accounts = (await sellers(3)) as [string, string, string];
    const { body: group } = await submit(asked(accounts)).expect(201);
    const { token } = await stage.api.operator('operator');
    await onPaper(group.id, [accounts[0]], token).expect(200);
    await onPaper(group.id, 'missing').expect(200);
    const merchants = await stage.api.signed(stage.book, 'GET', '/v1/sub-merchants?limit=500').expect(200);
    const { id } = merchants.body.items.find(({ account }: { account: string }) => account === accounts[1]);
    await stage.api.signed(stage.book, 'POST', `/v1/sub-merchants/${id}/close`).expect(200);
    const { body: checked } = await staff(token, group.id, 'check').expect(200);
    expect(checked.moved).toBe(1);
    expect(checked.left).toEqual([
      expect.objectContaining({ account: accounts[0], code: 'SAME_OPERATOR' }),
      expect.objectContaining({ account: accounts[1], code: 'ACCOUNT_NOT_FOUND' }),
    ]);
    expect((await staff(token, group.id, 'check').expect(409)).body.code).toBe('SAME_OPERATOR');
    expect((await staff(stage.anne, group.id, 'check').expect(200)).body.moved).toBe(1);
    expect((await staff(stage.bert, group.id, 'approve').expect(200)).body.moved).toBe(2);
    expect((await staff(stage.bert, group.id, 'refuse', { reason: '已销户' }).expect(200)).body.moved).toBe(1);
    const { body: members } = await readMembers(group.id);
    expect(members.items.map(({ state }: { state: string }) => state)).toEqual(['approved', 'refused', 'approved']);
  });

  it('of new terms ends the terms before it, and a promotion leaves them be', async () => {
    const accounts = await sellers(2);
    const approve = async (body: unknown) => {
      const { body: group } = await submit(body).expect(201);
      await onPaper(group.id, 'missing').expect(200);
      await staff(stage.anne, group.id, 'check').expect(200);
      return (await staff(stage.bert, group.id, 'approve').expect(200)).body;
    };
    await approve(asked(accounts));
    const lines = (version: number, amends?: number) =>
      accounts.map((account) => ({ agreementNo: `AG-${account}`, version, account, amends }));
    const promotion = { validFrom: '2037-06-01', validTo: '2037-06-18', terms: simpleTerms({ rule: simpleRule(200) }) };
    await approve(asked(accounts, { ...promotion, lines: lines(2, 1) }));
    await approve(asked(accounts, { validFrom: '2037-07-01', lines: lines(3) }));
    for (const [date, version] of [
      ['2037-05-31', 1],
      ['2037-06-18', 2],
      ['2037-06-19', 1],
      ['2037-07-01', 3],
    ] as const)
      expect((await inForce(accounts, date)).map((each) => each.version)).toEqual([version, version]);
    const { body: late } = await submit(asked(accounts, { ...promotion, lines: lines(4, 1) })).expect(409);
    expect(late.faults.map(({ code, pointer }: { code: string; pointer: string }) => `${code} ${pointer}`)).toEqual([
      'AGREEMENT_OVERLAPS /validFrom',
    ]);
  });

  it('beyond the cap of the bank is approved by whoever says the cap again', async () => {
    const accounts = await sellers(2);
    const { body: group } = await submit(asked(accounts, { terms: simpleTerms({ othersCap: 4000 }) })).expect(201);
    await onPaper(group.id, 'missing').expect(200);
    const { body: before } = await stage.api.call('GET', `/admin/v1/agreement-groups/${group.id}`, { token: stage.anne });
    expect(before.beyondCap).toBe(true);
    expect((await staff(stage.anne, group.id, 'check').expect(409)).body.code).toBe('CAP_NOT_APPROVED');
    await staff(stage.anne, group.id, 'check', { othersCap: 4000 }).expect(200);
    expect((await staff(stage.bert, group.id, 'approve', { othersCap: 3999 }).expect(409)).body.code).toBe('CAP_NOT_APPROVED');
    expect((await staff(stage.bert, group.id, 'approve', { othersCap: 4000 }).expect(200)).body.moved).toBe(2);
  });

  it('exists for its platform alone, and is withdrawn by it until it is approved', async () => {
    const accounts = await sellers(2);
    const { body: group } = await submit(asked(accounts)).expect(201);
    const call = (method: 'GET' | 'POST', path: string, by = stage.book) =>
      stage.api.signed(by, method, `/v1/agreement-groups/${group.id}${path}`);
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/versions'],
      ['POST', '/withdraw'],
    ] as const)
      expect((await call(method, path, stage.other).expect(404)).body.code).toBe('NOT_FOUND');
    const { items } = (await call('GET', '/versions?limit=1').expect(200)).body;
    expect(items).toEqual([group.items[0]]);
    const { body: list } = await stage.api.signed(stage.book, 'GET', '/v1/agreement-groups?limit=500').expect(200);
    expect(list.items.map(({ id }: { id: string }) => id)).toContain(group.id);
    expect((await call('POST', '/withdraw').expect(200)).body.states).toMatchObject({ withdrawn: 2 });
    expect((await call('POST', '/withdraw').expect(200)).body.states).toMatchObject({ withdrawn: 2 });
    expect((await onPaper(group.id, 'missing').expect(409)).body.code).toBe('AGREEMENT_STATE');
    expect((await staff(stage.anne, group.id, 'refuse', { reason: '否' }).expect(409)).body.code).toBe('AGREEMENT_STATE');
  });

  it('comes once, and is decided once, whoever of two comes first', async () => {
    const accounts = await sellers(10);
    const body = asked(accounts);
    const sent = await Promise.all([submit(body), submit(body), submit({ ...body, groupNo: `G-${nextNo()}` })]);
    expect(sent.map(({ status }) => status).filter((status) => status === 201)).toHaveLength(1);
    const { body: group } = sent.find(({ status }) => status === 201) as { body: { id: string } };
    const signed = await Promise.all([onPaper(group.id, 'missing'), onPaper(group.id, 'missing')]);
    expect(signed.map(({ status }) => status).sort()).toEqual([200, 409]);
    await staff(stage.anne, group.id, 'check').expect(200);
    const { token } = await stage.api.operator('reviewer');
    const decided = await Promise.all([
      staff(stage.bert, group.id, 'approve'),
      staff(token, group.id, 'approve'),
      stage.api.signed(stage.book, 'POST', `/v1/agreement-groups/${group.id}/withdraw`),
    ]);
    expect(decided.filter(({ status }) => status === 200)).toHaveLength(1);
    const states = (await readMembers(group.id)).body.items.map(({ state }: { state: string }) => state);
    expect(new Set(states).size).toBe(1);
  });
});
