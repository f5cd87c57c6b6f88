import { expect } from '@jest/globals';
import { until } from '../jobs/until.js';
import { type Somebody, type Stage, somebody } from './personal-stage.js';

/**
 * The ways by which personal data gets into the service. Each takes people whom nobody else has, lets their data in, sees that it arrived, and
 * answers what of it must be found nowhere. A part that lets personal data in adds its door to the list at the end: one line.
 */
export type Door = (stage: Stage) => Promise<readonly string[]>;

const cny = (amount: number) => ({ amount, currency: 'CNY' });
const all = (...people: readonly Somebody[]) => people.flatMap((person) => person.plain);

function personSeller(of: Somebody, cycle = 't+1') {
  return {
    merchantNo: `M-${of.mobile.slice(-4)}`,
    party: { kind: 'person', name: of.name, idNo: of.idNo, mobile: of.mobile },
    settlementAccount: { name: of.name, account: of.card, bankCode: '' },
    cycle,
  };
}

function companySeller(of: Somebody, holder = of.company) {
  return {
    merchantNo: `C-${of.mobile.slice(-4)}`,
    party: { kind: 'company', name: of.company, idNo: of.uscc, legalRepresentative: of.name, mobile: of.mobile },
    settlementAccount: { name: holder, account: of.card, bankCode: '102100099996' },
  };
}

/** Opened alone and in a batch, asked for again, bound to another account; and refused. */
async function subMerchants({ asPlatform }: Stage) {
  const [alone, company, batched, wrong] = [somebody(), somebody(), somebody(), somebody()];
  const next = somebody();
  const opened = await asPlatform('POST', '/v1/sub-merchants', personSeller(alone));
  expect(opened.status).toBe(201);
  expect((await asPlatform('POST', '/v1/sub-merchants', personSeller(alone))).status).toBe(200);
  expect((await asPlatform('POST', '/v1/sub-merchants', { ...personSeller(alone), cycle: 'on-request' })).body.code).toBe(
    'MERCHANT_NO_REUSED',
  );
  const lines = [companySeller(company), personSeller(batched), companySeller(wrong, wrong.name)];
  expect((await asPlatform('POST', '/v1/sub-merchants/batches', lines)).status).toBe(200);
  const bound = { name: alone.name, account: next.card, bankCode: '' };
  const path = `/v1/sub-merchants/${opened.body.id}`;
  expect((await asPlatform('PUT', `${path}/settlement-account`, bound)).status).toBe(200);
  expect((await asPlatform('PUT', `${path}/settlement-account`, { ...bound, name: next.name })).body.code).toBe(
    'HOLDER_NAME_DIFFERS',
  );
  expect((await asPlatform('GET', path)).body.party.name).toBe(alone.name);
  return all(alone, company, batched, wrong, next);
}

/** Paid once and again, by another, and in a batch; asked for again. */
async function payments({ asPlatform, pay, give, inflow }: Stage) {
  const [buyer, other, batched] = [somebody(), somebody(), somebody()];
  const payer = { name: buyer.name, account: buyer.card, bankCode: '102100099996' };
  expect(await pay('P-1', 1_000, payer)).toBe('posted');
  expect(await pay('P-1', 500, payer)).toBe('posted');
  const stranger = { ...payer, name: other.name, account: other.card };
  const data = { orderNo: 'P-1', amount: cny(1), payer: stranger, reference: 'P-1-3' };
  expect(await give('payment', data)).toBe('ORDER_PAYER_DIFFERS');
  const line = { ...data, orderNo: 'P-2', payer: { name: batched.name, account: batched.card }, reference: 'P-2-1' };
  await inflow({ reference: 'P-2-1', amount: 1, counterparty: batched.name, text: batched.card });
  const given = await asPlatform('POST', '/v1/instructions/batches', [{ requestNo: 'P-LINE', kind: 'payment', data: line }]);
  expect([200, 202]).toContain(given.status);
  const filed = somebody();
  const file = { ...data, orderNo: 'P-3', payer: { name: filed.name, account: filed.card }, reference: 'P-3-1' };
  const header = { batchNo: 'P-FILE', mode: 'partial' };
  const sent = await asPlatform('POST', '/v1/batches', { ...header, lines: [{ line: 1, kind: 'payment', data: file }] });
  expect(sent.status).toBe(201);
  const wrong = await asPlatform('POST', '/v1/batches', {
    ...{ ...header, batchNo: 'P-WRONG' },
    lines: [{ line: 1, kind: 'payment', data: { ...file, amount: 1 } }],
  });
  expect(wrong.status).toBe(422);
  const preview = await asPlatform('POST', `/v1/batches/${sent.body.batch}/preview`);
  const tried = await asPlatform('POST', '/v1/instructions/dry-run', { requestNo: 'P-TRY', kind: 'payment', data: file });
  const lines = await asPlatform('GET', `/v1/batches/${sent.body.batch}/lines`);
  for (const { status } of [preview, tried, lines]) expect(status).toBe(200);
  for (const plain of all(filed))
    expect(JSON.stringify([sent.body, wrong.body, preview.body, tried.body, lines.body])).not.toContain(plain);
  const list = () => asPlatform('GET', '/v1/instructions?kind=payment&limit=100');
  const seen = await until(list, ({ body }) => body.items.every((item: { state: string }) => item.state !== 'received'));
  expect(JSON.stringify(seen.body)).toContain(`"name":"${buyer.name[0]}`);
  for (const plain of all(buyer, other, batched)) expect(JSON.stringify(seen.body)).not.toContain(plain);
  return all(buyer, other, batched, filed);
}

/** Money that is paid out by itself and on request, and goes to the bank under its payee's plain name. */
async function withdrawals({ asPlatform, pay, give, nextDay, bank }: Stage) {
  const [buyer, weekly, asking] = [somebody(), somebody(), somebody()];
  const sellers = [personSeller(weekly), personSeller(asking, 'on-request')];
  const accounts: string[] = [];
  for (const seller of sellers) accounts.push((await asPlatform('POST', '/v1/sub-merchants', seller)).body.account);
  expect(await pay('W-1', 1_000, { name: buyer.name, account: buyer.card })).toBe('posted');
  const lines = accounts.map((account) => ({ account, amount: cny(400) }));
  expect(await give('split', { orderNo: 'W-1', lines })).toBe('posted');
  expect(await nextDay()).toBe('closed');
  expect(await give('withdrawal', { account: accounts[1], amount: cny(150) })).toBe('posted');
  const paid = () => Promise.resolve(bank.bank.books().payees.map((payee) => payee.payeeAccount));
  await until(paid, (payees) => payees.includes(weekly.card) && payees.includes(asking.card));
  const shown = JSON.stringify((await asPlatform('GET', '/v1/payouts?limit=100')).body);
  expect(shown).toContain(asking.name);
  for (const number of [weekly.card, asking.card, buyer.card]) expect(shown).not.toContain(number);
  return all(buyer, weekly, asking);
}

/** Refunds go to the account that paid. */
async function refunds({ asPlatform, pay, give, nextDay, bank }: Stage) {
  const buyer = somebody();
  expect(await pay('F-1', 700, { name: buyer.name, account: buyer.card })).toBe('posted');
  expect(await give('refund', { orderNo: 'F-1', amount: cny(300), reason: '缺货' })).toBe('posted');
  expect(await nextDay()).toBe('closed');
  const paid = () => Promise.resolve(bank.bank.books().payees.map((payee) => payee.payeeAccount));
  await until(paid, (payees) => payees.includes(buyer.card));
  const shown = JSON.stringify((await asPlatform('GET', '/v1/payouts?limit=100')).body);
  for (const plain of buyer.plain) expect(shown).not.toContain(plain);
  return buyer.plain;
}

/** A line that the books do not know is kept with who paid, and the day stops until somebody has accepted it. */
async function statements({ asStaff, asReviewer, inflow, nextDay, platform, today }: Stage) {
  const [stranger, other] = [somebody(), somebody()];
  await inflow({ reference: 'NOBODY-KNOWS', amount: 77, counterparty: stranger.name, text: `${other.name} ${stranger.card}` });
  const day = today();
  expect(await nextDay()).toBe('stopped');
  const open = (await asStaff('GET', '/admin/v1/breaks?state=open')).body.items as { id: string }[];
  for (const { id } of open) {
    const { body } = await asStaff('POST', `/admin/v1/breaks/${id}/repairs`, { action: 'accept', note: 'seen' });
    await asReviewer('POST', `/admin/v1/breaks/${id}/repairs/${body.id}/approve`, {});
  }
  const resumed = await asStaff('POST', `/admin/v1/platforms/${platform}/days/${day}/resume`);
  expect([200, 202]).toContain(resumed.status);
  const state = () => asStaff('GET', `/admin/v1/platforms/${platform}/days/${day}`);
  await until(state, ({ body }) => body.state === 'closed');
  return all(stranger, other);
}

/** Whatever is wrong with a request: nobody read it, so nobody knew which of its fields were personal. */
async function refusedRequests({ asPlatform, asStaff, api, platform }: Stage) {
  const [one, other] = [somebody(), somebody()];
  const seller = personSeller(one);
  const codes: string[] = [];
  const note = async (answer: ReturnType<Stage['asPlatform']>) => void codes.push((await answer).body.code);
  await note(asPlatform('POST', '/v1/sub-merchants', { ...seller, party: { ...seller.party, idNo: '110101197901170011' } }));
  await note(asPlatform('POST', '/v1/sub-merchants', { ...seller, remark: other.name }));
  await note(asPlatform('POST', '/v1/sub-merchants', `{"merchantNo":"${other.name}", ${one.card}`));
  await note(asPlatform('POST', '/v1/sub-merchants', { ...seller, [one.name]: other.idNo }));
  await note(asPlatform('POST', '/v1/instructions', { requestNo: other.card, kind: other.name, data: one }));
  await note(asPlatform('GET', `/v1/sub-merchants?merchantNo=x&name=${encodeURIComponent(one.name)}`));
  await note(asPlatform('GET', `/v1/nowhere/${encodeURIComponent(other.name)}?mobile=${one.mobile}`));
  await note(asStaff('POST', `/admin/v1/platforms/${platform}/days/2026-01-01/close?idNo=${one.idNo}`, { note: other.name }));
  await note(
    asStaff('POST', `/admin/v1/platforms/${platform}/instructions?card=${one.card}`, { requestno: one.name, payer: other }),
  );
  await note(asStaff('PUT', `/admin/v1/platforms/${platform}/settlement-account`, `{"name": ${other.name}}`));
  const unsigned = await fetch(`${api}/v1/sub-merchants?who=${one.mobile}`, { method: 'POST', body: JSON.stringify(seller) });
  expect(unsigned.status).toBe(401);
  expect(codes).not.toContain(undefined);
  expect(codes).toHaveLength(10);
  return all(one, other);
}

/** What the bank's staff does stands in the audit trail, and is shown there masked. */
async function staffChanges({ asStaff, platform, today }: Stage) {
  const [holder, payer, second] = [somebody(), somebody(), somebody()];
  const opening = { name: holder.company, uscc: holder.uscc, custodyNo: '9990106000077', openDate: today() };
  const settlementAccount = { name: holder.company, account: holder.card, bankCode: '' };
  expect((await asStaff('POST', '/admin/v1/platforms', { ...opening, settlementAccount })).status).toBe(201);
  const bound = await asStaff('PUT', `/admin/v1/platforms/${platform}/settlement-account`, {
    name: 'Market',
    account: second.card,
  });
  expect(bound.status).toBe(200);
  const data = {
    orderNo: 'S-1',
    amount: cny(1),
    payer: { name: payer.name, account: payer.card },
    reference: 'STAFF-1',
  };
  const given = await asStaff('POST', `/admin/v1/platforms/${platform}/instructions`, {
    requestNo: 'S-1',
    kind: 'payment',
    data,
  });
  expect(given.status).toBe(202);
  const decided = () => asStaff('GET', `/admin/v1/platforms/${platform}/instructions?requestNo=S-1`);
  const { body } = await until(decided, (answer) => answer.body.items[0]?.state === 'posted');
  const correction = { requestNo: 'S-2', kind: 'correction', data: { instruction: body.items[0].instruction, reason: 'undone' } };
  expect((await asStaff('POST', `/admin/v1/platforms/${platform}/instructions`, correction)).status).toBe(202);
  const undone = () => asStaff('GET', `/admin/v1/platforms/${platform}/instructions?requestNo=S-2`);
  await until(undone, (answer) => answer.body.items[0]?.state === 'posted');
  const audit = JSON.stringify((await asStaff('GET', '/admin/v1/audit?limit=100')).body);
  expect(audit).toContain(`"name":"${payer.name[0]}`);
  for (const plain of [holder.card, second.card, payer.card, payer.name]) expect(audit).not.toContain(plain);
  // A platform and its owner's name are the bank's counterparty, and stand in its own tables as such.
  return [holder.card, ...payer.plain, ...second.plain];
}

/** A payment comes back in a message that nobody can read; it is kept, and read by one of the staff. */
async function unreadMessage({ asStaff, give, faults: plan }: Stage, account: string, seller: Somebody) {
  plan({
    scripted: [
      { scope: 'beps', fault: 'return', days: 0 },
      { scope: 'beps', fault: 'odd-return' },
    ],
  });
  expect(await give('withdrawal', { account, amount: cny(100) })).toBe('posted');
  const { body } = await until(
    () => asStaff('GET', '/admin/v1/unread-messages'),
    (seen) => seen.body.items.length > 0,
  );
  const { channel, place } = body.items[0];
  expect((await asStaff('GET', `/admin/v1/unread-messages/${channel}/${place}`)).body.text).toContain(seller.company);
}

/** The bank refuses a payee and says whom, answers garbage, sends what nobody can read, is away; the database loses a table in the middle. */
async function faults(stage: Stage) {
  const { asPlatform, pay, give, inflow, nextDay, faults: plan, fresh } = stage;
  const [seller, unlucky, buyer, late, far] = [somebody(), somebody(), somebody(), somebody(), somebody()];
  const { account } = (await asPlatform('POST', '/v1/sub-merchants', personSeller(seller, 'on-request'))).body;
  expect(await pay('X-1', 900, { name: buyer.name, account: buyer.card })).toBe('posted');
  const { account: other } = (await asPlatform('POST', '/v1/sub-merchants', { ...companySeller(far), cycle: 'on-request' })).body;
  const lines = [
    { account, amount: cny(700) },
    { account: other, amount: cny(100) },
  ];
  expect(await give('split', { orderNo: 'X-1', lines })).toBe('posted');
  plan({
    scripted: [
      { scope: 'core', fault: 'garbage' },
      { scope: 'core', fault: 'corrupt' },
    ],
  });
  expect(await nextDay()).toBe('closed');
  const reason = `收款人${seller.name}账号${seller.card}户名不符`;
  plan({ scripted: [{ scope: 'book', fault: 'refuse', reason }] });
  expect(await give('withdrawal', { account, amount: cny(100) })).toBe('posted');
  const payouts = () => asPlatform('GET', '/v1/payouts?state=failed');
  const failed = await until(payouts, ({ body }) => body.items.length > 0);
  expect(failed.body.items[0].reason).toMatch(/^收款人令\*+账号6217/);
  await unreadMessage(stage, other, far);
  plan({});
  const renamed = (from: string, to: string) =>
    fresh.db.withTx('rename', (tx) => tx.write(`ALTER TABLE ${from} RENAME TO ${to}`));
  await renamed('parties', 'parties_away');
  expect((await asPlatform('POST', '/v1/sub-merchants', personSeller(unlucky))).body.code).toBe('FAULT');
  await renamed('parties_away', 'parties');
  await inflow({ reference: 'X-LATE', amount: 5, counterparty: late.name, text: '' });
  await renamed('orders', 'orders_away');
  const given = asPlatform('POST', '/v1/instructions', {
    requestNo: 'X-LATE',
    kind: 'payment',
    data: { orderNo: 'X-2', amount: cny(5), payer: { name: late.name, account: late.card }, reference: 'X-LATE' },
  });
  expect((await given).status).toBe(202);
  await renamed('orders_away', 'orders');
  const late2 = () => asPlatform('GET', '/v1/instructions?requestNo=X-LATE');
  await until(late2, ({ body }) => body.items[0].state === 'posted');
  return all(seller, unlucky, buyer, late, far);
}

export const DOORS: Readonly<Record<string, Door>> = {
  subMerchants,
  payments,
  withdrawals,
  refunds,
  refusedRequests,
  staffChanges,
  faults,
  statements,
};
