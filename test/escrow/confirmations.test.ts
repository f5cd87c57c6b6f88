import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { accountAdminRoutes, accountRoutes } from '../../src/accounts/index.js';
import { receiptRoutes } from '../../src/consents/index.js';
import { escrowAdminRoutes, escrowAnswered, escrowRoutes } from '../../src/escrow/index.js';
import { openBook, type TestBook } from '../accounts/books.js';
import { type AgreementStage, nextNo, personBehind } from '../agreements/stage.js';
import { type ConsentStage, noticeOf, openStage, PASSWORD } from '../consents/stage.js';

let stage: ConsentStage;
let book: TestBook;
let other: TestBook;
let [clerk, anne] = ['', ''];
beforeAll(async () => {
  stage = await openStage({
    routes: (rt) => [
      ...[...accountRoutes(rt), ...accountAdminRoutes(rt)],
      ...[...escrowRoutes(rt), ...escrowAdminRoutes(rt), ...receiptRoutes(rt, async () => undefined)],
    ],
    handlers: (rt) => ({ escrow: escrowAnswered(rt) }),
    platform: async (api) => {
      const { token } = await api.operator('administrator');
      book = await openBook(api, token, { name: '甲<b>平台' });
      other = await openBook(api, token);
      return book;
    },
  });
  clerk = (await stage.api.operator('operator')).token;
  anne = (await stage.api.operator('reviewer')).token;
});
afterAll(() => stage?.stop());

const pathOf = (url: string) => new URL(url).pathname.replace('/pages', '');
const people = () => personBehind({ ...stage, book } as AgreementStage);

/** A course of two lessons. */
async function open(school: string, student: string) {
  const asked = {
    ...{ escrowNo: `E-${nextNo()}`, template: 'supervised-prepayment', counts: { lessons: 2 } },
    parties: [
      { role: 'student', user: student },
      { role: 'school', account: school },
    ],
    amounts: { price: { amount: 10_001, currency: 'CNY' } },
    dates: { 'pay-by': '2037-04-01', end: '2037-06-01' },
  };
  const { body } = await stage.api.signed(book, 'POST', '/v1/escrows', asked).expect(201);
  return { asked, body };
}
const confirm = (escrow: string, body: unknown, by = book) =>
  stage.api.signed(by, 'POST', `/v1/escrows/${escrow}/confirmations`, body);
const read = async (escrow: string) => (await stage.api.signed(book, 'GET', `/v1/escrows/${escrow}`).expect(200)).body;

describe('a deal', () => {
  it('is the first one again under its number, says what it lacks, and is of its platform alone', async () => {
    const [school, student] = [await people(), await people()];
    const { asked, body } = await open(school.account, student.user);
    expect(body.stages.map(({ amount, lacks }: { amount: number; lacks: unknown }) => [amount, lacks])).toEqual([
      [5_000, [{ lacks: 'money', amount: 5_000 }]],
      [5_001, [{ lacks: 'money', amount: 5_001 }]],
    ]);
    const again = await stage.api.signed(book, 'POST', '/v1/escrows', asked).expect(200);
    expect(again.body.id).toBe(body.id);
    const changed = { ...asked, counts: { lessons: 3 } };
    expect((await stage.api.signed(book, 'POST', '/v1/escrows', changed).expect(409)).body.code).toBe('ESCROW_NO_REUSED');
    expect((await stage.api.signed(other, 'GET', `/v1/escrows/${body.id}`).expect(404)).body.code).toBe('ESCROW_NOT_FOUND');
    const templates = await stage.api.signed(book, 'GET', '/v1/escrow-templates').expect(200);
    expect(templates.body.items).toHaveLength(6);
  });
});

describe('a confirmation on a page of the bank', () => {
  it('takes the password and the code of the party itself, once, and has a receipt', async () => {
    const [school, student] = [await people(), await people()];
    const { body: deal } = await open(school.account, student.user);
    const stops = { item: 'student-stops', role: 'student', user: student.user };
    const { body: asked } = await confirm(deal.id, stops).expect(201);
    const { body: again } = await confirm(deal.id, stops).expect(200);
    expect(again).toMatchObject({ id: asked.id, state: 'asked' });
    expect(again.consent.url).toBeUndefined();
    const path = pathOf(asked.consent.url);
    expect((await stage.get(path)).text).toContain('学员退课');
    await stage.post(`${path}/code`, {});
    const form = { answer: 'approve', password: PASSWORD, code: await stage.code(student.customer) };
    expect(noticeOf(await stage.post(path, form))).toBeNull();
    expect((await confirm(deal.id, stops).expect(200)).body).toMatchObject({ id: asked.id, state: 'given', way: 'page' });
    const after = await read(deal.id);
    expect(after.stages.map(({ ended }: { ended: { how: string } }) => ended.how)).toEqual(['exited', 'exited']);
    const receipt = await stage.api.signed(book, 'GET', `/v1/receipts/${asked.id}`).expect(200);
    expect(JSON.stringify(receipt.body)).toContain('escrow');
  });

  it('is put to nobody whom the deal does not name, and a no can be followed by a yes', async () => {
    const [school, student] = [await people(), await people()];
    const { body: deal } = await open(school.account, student.user);
    for (const wrong of [
      { item: 'student-stops', role: 'school', user: school.user },
      { item: 'student-stops', role: 'student', user: school.user },
      { item: 'school-gone', role: 'student', user: student.user },
    ])
      expect((await confirm(deal.id, wrong).expect(403)).body.code).toBe('ESCROW_WRONG_PARTY');
    const unknown = { item: 'lesson-9', role: 'student', user: student.user };
    expect((await confirm(deal.id, unknown).expect(422)).body.code).toBe('ESCROW_ITEM_UNKNOWN');
    const early = { item: 'lesson-1', role: 'student', user: student.user };
    expect((await confirm(deal.id, early).expect(422)).body.code).toBe('ESCROW_STAGE_NOT_OPEN');
    const stops = { item: 'student-stops', role: 'student', user: student.user };
    const { body: asked } = await confirm(deal.id, stops).expect(201);
    await stage.post(pathOf(asked.consent.url), { answer: 'decline' });
    expect((await read(deal.id)).confirmations).toMatchObject([{ state: 'declined' }]);
    const { body: second } = await confirm(deal.id, stops).expect(201);
    expect(second.id).not.toBe(asked.id);
  });
});

describe('what the bank decides of a deal', () => {
  it('takes two people, and is in the view of staff with who they were', async () => {
    const [school, student] = [await people(), await people()];
    const { body: deal } = await open(school.account, student.user);
    const staff = (token: string, path: string, body: unknown = {}) =>
      stage.api.call('POST', `/admin/v1/escrows/${deal.id}/${path}`, { token, body });
    const { body: review } = await staff(clerk, 'reviews', { item: 'school-gone', verdict: 'met', reason: '已注销' }).expect(201);
    expect((await staff(clerk, `reviews/${review.id}/approve`).expect(409)).body.code).toBe('SAME_OPERATOR');
    expect((await read(deal.id)).decisions).toEqual([]);
    await staff(anne, `reviews/${review.id}/approve`).expect(200);
    expect((await staff(anne, `reviews/${review.id}/approve`).expect(409)).body.code).toBe('PROPOSAL_DECIDED');
    expect((await read(deal.id)).decisions).toMatchObject([{ item: 'school-gone', lines: null }]);
    const { body: seen } = await stage.api.call('GET', `/admin/v1/escrows/${deal.id}`, { token: anne }).expect(200);
    expect(seen.reviews).toMatchObject([{ state: 'approved', reason: '已注销' }]);
    const late = { item: 'student-stops', role: 'student', voucher: 'F-1' };
    expect((await staff(clerk, 'confirmations', late).expect(409)).body.code).toBe('ESCROW_ENDED');
  });
});
