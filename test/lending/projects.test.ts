import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { accountAdminRoutes, accountRoutes } from '../../src/accounts/index.js';
import { receiptRoutes } from '../../src/consents/index.js';
import { toWire } from '../../src/kernel/index.js';
import { lendingAdminRoutes, lendingRoutes, projectAnswered } from '../../src/lending/index.js';
import { openBook, type TestBook } from '../accounts/books.js';
import { nextNo } from '../agreements/stage.js';
import { type ConsentStage, noticeOf, openStage, PASSWORD } from '../consents/stage.js';
import { openElectronic } from '../support/world/electronic.js';
import type { World } from '../support/world/world.js';

let stage: ConsentStage;
let book: TestBook;
let other: TestBook;
let market: TestBook;
let [clerk, anne] = ['', ''];
beforeAll(async () => {
  stage = await openStage({
    routes: (rt) => [
      ...[...accountRoutes(rt), ...accountAdminRoutes(rt)],
      ...[...lendingRoutes(rt), ...lendingAdminRoutes(rt), ...receiptRoutes(rt, async () => undefined)],
    ],
    handlers: (rt) => ({ project: projectAnswered(rt) }),
    platform: async (api) => {
      const { token } = await api.operator('administrator');
      book = await openBook(api, token, { name: '乙<b>网贷', profile: 'lending' });
      other = await openBook(api, token, { profile: 'lending' });
      market = await openBook(api, token);
      return book;
    },
  });
  clerk = (await stage.api.operator('operator')).token;
  anne = (await stage.api.operator('reviewer')).token;
});
afterAll(() => stage?.stop());

const pathOf = (url: string) => new URL(url).pathname.replace('/pages', '');
const cny = (amount: number) => ({ amount, currency: 'CNY' });

/** A customer with a trade password and a Class II account. */
async function person(by = book) {
  const customer = await stage.customer({ password: PASSWORD });
  const { runtime } = stage.api;
  const world = { db: runtime.db, rt: runtime, clock: runtime.clock } as unknown as World;
  const account = await openElectronic(world, { platform: by.id, customer: customer.id, class: 2, faceToFace: true });
  return { customer, user: toWire('user', customer.userId), account: toWire('account', account) };
}

const terms = (borrower: string, more: object = {}) => ({
  ...{ projectNo: `LP-${nextNo()}`, borrower, amount: cny(100_000), months: 3, rate: 120_000, penaltyRate: 150_000 },
  ...{ method: 'annuity', raiseUntil: '2037-03-20T00:00:00+08:00', purpose: '经营周转', lendFee: 100, ...more },
});
const register = (asked: unknown, by = book) => stage.api.signed(by, 'POST', '/v1/lending-projects', asked);
const confirm = (project: string, body: unknown, by = book) =>
  stage.api.signed(by, 'POST', `/v1/lending-projects/${project}/confirmations`, body);
const read = async (project: string) => (await stage.api.signed(book, 'GET', `/v1/lending-projects/${project}`).expect(200)).body;
const record = (token: string, project: string, body: unknown) =>
  stage.api.call('POST', `/admin/v1/lending-projects/${project}/confirmations`, { token, body });

describe('a project', () => {
  it('is the first one again under its number, and of its platform alone', async () => {
    const asked = terms((await person()).account);
    const { body } = await register(asked).expect(201);
    expect(body).toMatchObject({ state: 'registered', toRaise: 100_000, plan: [], early: null, confirmations: [] });
    expect((await register(asked).expect(200)).body.id).toBe(body.id);
    expect((await register({ ...asked, months: 4 }).expect(409)).body.code).toBe('PROJECT_NO_REUSED');
    const theirs = await stage.api.signed(other, 'GET', `/v1/lending-projects/${body.id}`).expect(404);
    expect(theirs.body.code).toBe('PROJECT_NOT_FOUND');
    const list = await stage.api.signed(book, 'GET', '/v1/lending-projects?state=registered&limit=500').expect(200);
    expect(list.body.items.map(({ id }: { id: string }) => id)).toContain(body.id);
  });

  it.each([
    ['too much interest', { rate: 154_001 }, 422, 'PROJECT_TERMS'],
    ['a rate of penalty beyond it', { penaltyRate: 154_001 }, 422, 'PROJECT_TERMS'],
    ['an end that is past', { raiseUntil: '2037-03-01T00:00:00+08:00' }, 422, 'PROJECT_TERMS'],
    ['a lender of more than there is', { lenderMin: cny(100_001) }, 422, 'PROJECT_TERMS'],
    ['more lenders than can be', { lenderMax: cny(99) }, 422, 'PROJECT_TERMS'],
    ['money of the platform in front', { mode: 'advance' }, 422, 'LENDING_MODE'],
    ['a fen more than a person may owe', { amount: cny(20_000_001) }, 422, 'PROJECT_CAP'],
  ])('with %s is not taken', async (_what, more, status, code) => {
    expect((await register(terms((await person()).account, more)).expect(status)).body.code).toBe(code);
  });

  it('is nothing for a marketplace, and its borrower is somebody of the platform', async () => {
    expect((await register(terms((await person(market)).account), market).expect(403)).body.code).toBe('LENDING_NOT_OFFERED');
    expect((await register(terms((await person(other)).account)).expect(404)).body.code).toBe('ACCOUNT_NOT_FOUND');
    const one = await person();
    const both = terms(one.account, { guarantor: one.account });
    expect((await register(both).expect(422)).body.code).toBe('PROJECT_PARTIES');
  });
});

describe('what a borrower confirms', () => {
  it('is every term, on a page of the bank, by himself, with password and code; with it the project takes bids', async () => {
    const [one, stranger] = [await person(), await person()];
    const { body: project } = await register(terms(one.account)).expect(201);
    const wrong = { role: 'borrower', user: stranger.user };
    expect((await confirm(project.id, wrong).expect(403)).body.code).toBe('PROJECT_WRONG_PARTY');
    const nobody = { role: 'guarantor', user: one.user };
    expect((await confirm(project.id, nobody).expect(403)).body.code).toBe('PROJECT_WRONG_PARTY');
    const his = { role: 'borrower', user: one.user };
    const { body: asked } = await confirm(project.id, his).expect(201);
    expect((await confirm(project.id, his).expect(200)).body.consent.url).toBeUndefined();
    const path = pathOf(asked.consent.url);
    const { text } = await stage.get(path);
    for (const shown of ['确认借款', '12.0000%', '等额本息', '经营周转', '乙&lt;b&gt;网贷']) expect(text).toContain(shown);
    await stage.post(`${path}/code`, {});
    expect(
      noticeOf(await stage.post(path, { answer: 'approve', password: PASSWORD, code: await stage.code(one.customer) })),
    ).toBeNull();
    expect(await read(project.id)).toMatchObject({ state: 'raising', confirmations: [{ role: 'borrower', state: 'given' }] });
    const receipt = await stage.api.signed(book, 'GET', `/v1/receipts/${asked.id}`).expect(200);
    expect(JSON.stringify(receipt.body)).toContain('project');
    expect((await record(clerk, project.id, { role: 'guarantor', voucher: 'C-1' }).expect(403)).body.code).toBe(
      'PROJECT_WRONG_PARTY',
    );
  });

  it('can be signed on paper, each party seen by another person of the bank; a no can be followed by a yes', async () => {
    const [one, two] = [await person(), await person()];
    const { body: project } = await register(terms(one.account, { guarantor: two.account })).expect(201);
    const { body: asked } = await confirm(project.id, { role: 'guarantor', user: two.user }).expect(201);
    await stage.post(pathOf(asked.consent.url), { answer: 'decline' });
    await record(clerk, project.id, { role: 'borrower', voucher: 'C-1' }).expect(200);
    const again = { role: 'guarantor', voucher: 'C-2' };
    expect((await record(clerk, project.id, again).expect(409)).body.code).toBe('SAME_OPERATOR');
    expect((await read(project.id)).state).toBe('registered');
    await record(anne, project.id, again).expect(200);
    await record(anne, project.id, again).expect(200);
    expect((await read(project.id)).state).toBe('raising');
  });
});

describe('what is read of lenders and borrowers', () => {
  it('is empty where nothing is, and of a customer for staff alone', async () => {
    const one = await person();
    const { body: project } = await register(terms(one.account)).expect(201);
    for (const path of [
      `accounts/${one.account}/bids`,
      `accounts/${one.account}/claims`,
      `lending-projects/${project.id}/claims`,
    ]) {
      const { body } = await stage.api.signed(book, 'GET', `/v1/${path}`).expect(200);
      expect(body).toEqual({ items: [], next: null });
      await stage.api.signed(other, 'GET', `/v1/${path}`).expect(404);
    }
    const customer = toWire('customer', one.customer.id);
    const of = (path: string) => stage.api.call('GET', `/admin/v1/customers/${customer}/${path}`, { token: anne }).expect(200);
    expect((await of('lending-projects')).body.items).toMatchObject([{ id: project.id, borrower: one.account }]);
    expect((await of('bids')).body.items).toEqual([]);
    expect((await of('claims')).body.items).toEqual([]);
    const { body: seen } = await stage.api.call('GET', `/admin/v1/lending-projects/${project.id}`, { token: anne }).expect(200);
    expect(seen.projectNo).toBe(project.projectNo);
  });
});
