import { expect } from '@jest/globals';
import { until } from '../jobs/until.js';
import type { Door } from './personal-doors.js';
import { type Somebody, type Stage, somebody } from './personal-stage.js';

/** The doors of what stands between a payment and its payee: disputes, freezes, refunds that wait, money of nobody, reviews and deals. */
const cny = (amount: number) => ({ amount, currency: 'CNY' });
const all = (...people: readonly Somebody[]) => people.flatMap((person) => person.plain);
const SOON = '2026-04-30T00:00:00+08:00';

async function sellerOf({ asPlatform }: Stage, of: Somebody, cycle = 'on-request'): Promise<string> {
  const party = { kind: 'person', name: of.name, idNo: of.idNo, mobile: of.mobile };
  const settlementAccount = { name: of.name, account: of.card, bankCode: '' };
  const { body } = await asPlatform('POST', '/v1/sub-merchants', {
    ...{ merchantNo: `H-${of.mobile.slice(-4)}`, party, settlementAccount, cycle },
  });
  return body.account;
}

function expectHidden(shown: unknown, ...people: readonly Somebody[]): void {
  const text = JSON.stringify(shown);
  for (const plain of all(...people)) expect(text).not.toContain(plain);
}

/** Goods are bought of a seller, and what he was paid for them is disputed, for a reason that names somebody. */
async function disputes(stage: Stage) {
  const [buyer, seller, named] = [somebody(), somebody(), somebody()];
  const { asPlatform, give, inflow } = stage;
  const account = await sellerOf(stage, seller);
  const payer = { name: buyer.name, account: buyer.card };
  await inflow({ reference: 'D-1-1', amount: 1_000, counterparty: buyer.name, text: 'D-1' });
  const items = [{ item: 'I-1', seller: account, name: '大米', category: 'goods', quantity: 1, price: cny(1_000) }];
  const paid = { orderNo: 'D-1', amount: cny(1_000), payer, reference: 'D-1-1', background: { buyer: 'B-1', items } };
  expect(await give('payment', paid)).toBe('posted');
  expect(await give('split', { orderNo: 'D-1', lines: [{ account, amount: cny(600) }] })).toBe('posted');
  const reason = `${named.name}（${named.idNo}）投诉，电话${named.mobile}`;
  expect(await give('dispute-open', { orderNo: 'D-1', amount: cny(700), account, reason, expiresAt: SOON })).toBe('posted');
  const { body } = await asPlatform('GET', '/v1/disputes?orderNo=D-1');
  expect(body.items).toMatchObject([{ reason, held: 700 }]);
  expect(JSON.stringify((await asPlatform('GET', `/v1/accounts/${account}/explain`)).body)).toContain(reason);
  expectHidden((await asPlatform('GET', '/v1/instructions?kind=dispute-open')).body, named);
  expect(await give('dispute-end', { dispute: body.items[0].dispute, result: 'rejected' })).toBe('posted');
  return all(buyer, seller, named);
}

/** Money that has cleared is taken by an authority, is missing for a refund, and is looked at before it is paid out. */
async function authoritiesAndReviews(stage: Stage) {
  const [buyer, debtor, seller] = [somebody(), somebody(), somebody()];
  const accounts = [await sellerOf(stage, debtor), await sellerOf(stage, seller)] as const;
  expect(await stage.pay('J-1', 2_000, { name: buyer.name, account: buyer.card })).toBe('posted');
  const lines = accounts.map((account) => ({ account, amount: cny(900) }));
  expect(await stage.give('split', { orderNo: 'J-1', lines })).toBe('posted');
  expect(await stage.nextDay()).toBe('closed');
  const hidden = [buyer, debtor, seller];
  return [...all(...hidden), ...(await judicial(stage, accounts[0], hidden)), ...(await reviews(stage, accounts[1], hidden))];
}

/** What an authority froze is paid to whom it names, after another document renewed it and one deduction was declined with words. */
async function judicial(stage: Stage, account: string, hidden: readonly Somebody[]) {
  const [creditor, named] = [somebody(), somebody()];
  const { asStaff, asReviewer } = stage;
  const frozen = await asStaff('POST', `/admin/v1/accounts/${account}/judicial-freezes`, {
    ...{ authority: '某市人民法院', documentNo: '（2026）执1号', from: '2026-03-02', until: '2026-09-01' },
  });
  const path = `/admin/v1/judicial-freezes/${frozen.body.freeze}`;
  expect((await asStaff('POST', `${path}/renew`, { documentNo: '续1号', until: '2026-10-01' })).status).toBe(200);
  const payee = { name: creditor.name, account: creditor.card, bankCode: '' };
  const asked = async (documentNo: string) => {
    const { body } = await asStaff('POST', `${path}/deductions`, { documentNo, amount: cny(100), payee });
    expectHidden({ ...body, payee: { ...body.payee, name: '' } }, creditor);
    return `/admin/v1/judicial-deductions/${body.deduction}`;
  };
  const [first, second] = [await asked('扣1号'), await asked('扣2号')];
  const why = { reason: `${named.name} ${named.mobile}` };
  expect((await asReviewer('POST', `${first}/decline`, why)).body.state).toBe('declined');
  expect((await asReviewer('POST', `${second}/approve`)).status).toBe(200);
  const { body } = await until(
    () => asStaff('GET', second),
    (seen) => seen.body.state === 'ordered',
  );
  expect(body.payee.account).not.toBe(creditor.card);
  const wanted = { orderNo: 'J-1', amount: cny(500), reason: '退货', recall: [{ account, amount: cny(300) }] };
  await stage.asPlatform('POST', '/v1/instructions', { requestNo: 'J-WAITS', kind: 'refund', data: wanted });
  const waiting = () => stage.asPlatform('GET', '/v1/shortages');
  expectHidden((await until(waiting, (seen) => seen.body.items.length > 0)).body, ...hidden);
  return all(creditor, named);
}

/** The marks and limits that the bank sets, with reasons that name somebody, which only the audit trail keeps. */
async function limits(stage: Stage) {
  const [seller, named] = [somebody(), somebody()];
  const { asStaff, platform, pay, give } = stage;
  const account = await sellerOf(stage, seller);
  const reason = `${named.name}，${named.card}`;
  const set = async (path: string, body: object) =>
    expect((await asStaff('PUT', `/admin/v1/${path}`, { ...body, reason })).status).toBe(200);
  await set(`platforms/${platform}/advance`, { ceiling: 100 });
  await set(`accounts/${account}/margin`, { target: 200 });
  await set(`accounts/${account}/reserve`, { reserve: 10 });
  expect(await pay('L-1', 500, { name: seller.name, account: seller.card })).toBe('posted');
  expect(await give('split', { orderNo: 'L-1', lines: [{ account, amount: cny(300) }] })).toBe('posted');
  return all(seller, named);
}

/** Money of nobody: who sent it and with what words is kept sealed, and what two people wrote about it. */
async function suspense(stage: Stage) {
  const [payer, told, noted, owner] = [somebody(), somebody(), somebody(), somebody()];
  const { asStaff, asReviewer, asPlatform, inflow, nextDay, today, platform } = stage;
  const account = await sellerOf(stage, owner);
  await inflow({ reference: 'NOBODY-AGAIN', amount: 88, counterparty: payer.name, text: `${told.name} ${told.mobile}` });
  const day = today();
  expect(await nextDay()).toBe('stopped');
  const { items: open } = (await asStaff('GET', '/admin/v1/breaks?state=open')).body;
  expect(open).toHaveLength(1);
  const booked = { action: 'suspense', note: '不明来账', payer: { account: payer.card, bankCode: '102100099996' } };
  const repairs = `/admin/v1/breaks/${open[0].id}/repairs`;
  const { body: repair } = await asStaff('POST', repairs, booked);
  expect((await asReviewer('POST', `${repairs}/${repair.id}/approve`, {})).status).toBe(200);
  await asStaff('POST', `/admin/v1/platforms/${platform}/days/${day}/resume`);
  await until(
    () => asStaff('GET', `/admin/v1/platforms/${platform}/days/${day}`),
    ({ body }) => body.state === 'closed',
  );
  const list = () => asPlatform('GET', '/v1/suspense');
  const isIt = (item: { reference: string }) => item.reference === 'NOBODY-AGAIN';
  const { body } = await until(list, (seen) => seen.body.items.some(isIt));
  expectHidden(body, payer, told);
  const path = `/admin/v1/suspense/${body.items.find(isIt).id}/proposals`;
  const wanted = { action: 'attribute', account, reason: `${noted.name} ${noted.idNo}` };
  const ids = [await asStaff('POST', path, wanted), await asStaff('POST', path, wanted)].map((made) => made.body.id);
  const note = { note: `${noted.mobile} ${noted.card}` };
  expect((await asReviewer('POST', `${path}/${ids[0]}/reject`, note)).body).toMatchObject({ state: 'rejected', ...note });
  expect((await asReviewer('POST', `${path}/${ids[1]}/approve`, note)).body.reason).toBe(wanted.reason);
  await until(
    () => asStaff('GET', path.slice(0, -'/proposals'.length)),
    (seen) => seen.body.state === 'attributed',
  );
  return all(payer, told, noted, owner);
}

/** A withdrawal that two people look at and let go, and one that one of them rejects. */
async function reviews(stage: Stage, account: string, hidden: readonly Somebody[]) {
  const noted = somebody();
  const { asStaff, asReviewer, asPlatform, platform, today } = stage;
  const of = { kinds: ['withdrawal'], minutes: 60, from: today() };
  const tests = [{ by: 'new-payee' }, { by: 'velocity', per: 'account', within: 'day', times: 1_000 }];
  const rules: string[] = [];
  for (const test of tests) {
    const { body } = await asStaff('POST', `/admin/v1/platforms/${platform}/review-rules`, { ...of, test, name: test.by });
    expect((await asReviewer('POST', `/admin/v1/review-rules/${body.id}/approve`)).status).toBe(200);
    rules.push(body.id);
  }
  const note = `${noted.name} ${noted.mobile}`;
  for (const verdict of ['reject', 'approve']) {
    const data = { account, amount: cny(100) };
    await asPlatform('POST', '/v1/instructions', { requestNo: `V-${verdict}`, kind: 'withdrawal', data });
    const open = () => asStaff('GET', '/admin/v1/reviews');
    const { body } = await until(open, (seen) => seen.body.items.length > 0);
    expectHidden(body, ...hidden);
    const path = `/admin/v1/reviews/${body.items[0].instruction}/${verdict}`;
    const first = await asStaff('POST', path, { note });
    expectHidden(first.body, noted);
    if (verdict === 'approve') expect((await asReviewer('POST', path, { note })).body.state).toBe('approved');
  }
  await until(
    () => asPlatform('GET', '/v1/instructions?requestNo=V-approve'),
    ({ body }) => body.items[0].state === 'posted',
  );
  for (const rule of rules)
    for (const by of [asStaff, asReviewer]) expect((await by('POST', `/admin/v1/review-rules/${rule}/end`)).status).toBe(200);
  return all(noted);
}

/** A deal: who paid for it, what was signed on paper, and what two people of the bank found and wrote. */
async function deals(stage: Stage) {
  const [traveller, agency, noted] = [somebody(), somebody(), somebody()];
  const { asPlatform, asStaff, asReviewer, give, inflow } = stage;
  const { body: deal } = await asPlatform('POST', '/v1/escrows', {
    ...{ escrowNo: 'E-1', template: 'travel-deposit', amounts: { price: cny(500) } },
    parties: [{ role: 'traveller' }, { role: 'agency', account: await sellerOf(stage, agency) }],
    dates: { 'pay-by': '2026-04-10', departure: '2026-05-01', return: '2026-05-08' },
  });
  await inflow({ reference: 'E-1-1', amount: 500, counterparty: traveller.name, text: 'E-1' });
  const payer = { name: traveller.name, account: traveller.card };
  const data = { escrow: deal.id, orderNo: 'E-1', amount: cny(500), payer, reference: 'E-1-1' };
  expect(await give('escrow-payment', data)).toBe('posted');
  const path = `/admin/v1/escrows/${deal.id}`;
  const paper = { item: 'journey:objection', role: 'traveller', voucher: `${noted.name} ${noted.mobile}` };
  expect((await asStaff('POST', `${path}/confirmations`, paper)).body.state).toBe('given');
  const verdict = { amounts: [{ to: 'agency', amount: cny(200) }], rest: 'payers' };
  const proposal = { item: 'journey', verdict, reason: `${noted.name} ${noted.idNo}` };
  const propose = async () => (await asStaff('POST', `${path}/reviews`, proposal)).body.id;
  const ids = [await propose(), await propose()];
  const note = { note: `${noted.card} ${noted.company}` };
  expect((await asReviewer('POST', `${path}/reviews/${ids[0]}/reject`, note)).body.state).toBe('rejected');
  expect((await asReviewer('POST', `${path}/reviews/${ids[1]}/approve`, note)).body).toMatchObject({
    ...note,
    state: 'approved',
  });
  expect((await asStaff('GET', path)).body.reviews).toMatchObject([{ reason: proposal.reason }, { reason: proposal.reason }]);
  expectHidden((await asPlatform('GET', `/v1/escrows/${deal.id}`)).body, traveller, agency, noted);
  return all(traveller, agency, noted);
}

export const CLAIM_DOORS: Readonly<Record<string, Door>> = { disputes, authoritiesAndReviews, limits, deals };
/** The day stops there, as it does at the last of the money's doors: they come after all that wait for a day that closes. */
export const SUSPENSE_DOORS: Readonly<Record<string, Door>> = { suspense };
