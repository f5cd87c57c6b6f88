import { expect } from '@jest/globals';
import { until } from '../jobs/until.js';
import { pngOf } from '../support/pictures.js';
import type { Door } from './personal-doors.js';
import { type Somebody, type Stage, somebody } from './personal-stage.js';

/** The doors of users, of their electronic accounts and of what they say yes to. The same as in `personal-doors.ts`. */
const PASSWORD = '730516';
const BANK = '102100099996';
const TRIES = 3;
const cny = (amount: number) => ({ amount, currency: 'CNY' });
const all = (...people: readonly Somebody[]) => people.flatMap((person) => person.plain);
/** As a form carries it: six digits alone stand in many a number. */
const SECRETS = [`password=${PASSWORD}`, `"password":"${PASSWORD}"`];

const identity = (of: Somebody) => ({ name: of.name, idType: 'resident-id', idNo: of.idNo, idExpires: '2099-12-31' });

function personUser(of: Somebody, more: object = {}) {
  const party = { kind: 'person', ...identity(of), mobile: of.mobile, address: `${of.company}宿舍`, occupation: '教师', ...more };
  return { userNo: `U-${of.mobile.slice(-4)}`, party };
}

function companyUser(of: Somebody, operator: Somebody, owner: Somebody) {
  const party = {
    ...{ kind: 'company', name: of.company, idNo: of.uscc, idExpires: null, representative: identity(of) },
    ...{ operator: { ...identity(operator), mobile: operator.mobile }, owners: [{ ...identity(owner), share: 6_000 }] },
  };
  return { userNo: `C-${of.mobile.slice(-4)}`, party };
}

/** Registers, and waits until the worker has asked who it is. */
async function registered({ asPlatform }: Stage, body: object): Promise<{ id: string; state: string }> {
  const { body: user } = await asPlatform('POST', '/v1/users', body);
  const look = () => asPlatform('GET', `/v1/users/${user.id}`);
  return (await until(look, (answer) => answer.body.state !== 'pending')).body;
}

async function customerOf({ asStaff }: Stage, of: Somebody): Promise<string> {
  const { body } = await asStaff('POST', '/admin/v1/customers/search', { idType: 'resident-id', idNo: of.idNo });
  return body.items[0].id;
}

/** The page at this address, and its forms. */
function pageAt({ api, bank }: Stage, url: string, mobile = '') {
  const address = api + new URL(url).pathname;
  const read = async () => (await fetch(`${address}?lang=zh`)).text();
  const submit = async (fields: Record<string, string>, below = '') => {
    const form = below === '' ? { body: new URLSearchParams(fields) } : {};
    const answer = await fetch(address + below, { method: 'POST', redirect: 'manual', ...form });
    expect(answer.status).toBe(303);
  };
  const messages = async () => bank.bank.messages.sms(mobile).map(({ text }) => text);
  const code = async () => {
    const before = (await messages()).length;
    await submit({}, '/code');
    const text = (await until(messages, (texts) => texts.length > before)).at(-1) as string;
    return /(?<!\d)\d{6}(?!\d)/.exec(text)?.[0] ?? '';
  };
  /** With whatever the page has fields for. */
  const approve = async () => {
    const page = await read();
    const password = page.includes('name="password"') ? { password: PASSWORD } : {};
    const proof = page.includes('name="code"') ? { code: await code() } : {};
    await submit({ answer: 'approve', ...password, ...proof });
  };
  return { read, submit, code, approve };
}

/** A user with a trade password. */
async function acting(stage: Stage, of: Somebody): Promise<string> {
  const { id, state } = await registered(stage, personUser(of));
  expect(state).toBe('verified');
  const { body } = await stage.asPlatform('POST', `/v1/users/${id}/password-link`);
  const page = pageAt(stage, body.consent.url, of.mobile);
  await page.submit({ answer: 'approve', code: await page.code(), newPassword: PASSWORD, repeatPassword: PASSWORD });
  return id;
}

/** The same with an account of this class whose card is bound. */
async function holder(stage: Stage, of: Somebody, klass: 2 | 3 = 2): Promise<{ user: string; account: string }> {
  const user = await acting(stage, of);
  const card = { account: of.card, bankCode: BANK, mobile: of.mobile };
  const asked = { openingNo: `O-${of.mobile.slice(-4)}`, user, class: klass, card };
  const open = () => stage.asPlatform('POST', '/v1/electronic-accounts', asked);
  const { body } = await until(open, ({ status }) => status !== 202);
  expect(body.state).toBe('opened');
  return { user, account: body.account };
}

let requests = 0;
/** Gives an instruction that its customer has to say yes to: the answer, with the question. */
async function ask(
  { asPlatform }: Stage,
  kind: string,
  data: object,
): Promise<{ instruction: string; consent: { url: string } }> {
  requests += 1;
  const { body } = await asPlatform('POST', '/v1/instructions', { requestNo: `CU-${requests}`, kind, data });
  expect(body).toMatchObject({ state: 'awaiting-consent' });
  return body;
}

const decided = ({ asPlatform }: Stage, instruction: string) =>
  until(
    () => asPlatform('GET', `/v1/instructions/${instruction}`),
    ({ body }) => ['posted', 'refused'].includes(body.state),
  );

/** Tops up from the bound card, on his own word. */
async function funded(stage: Stage, of: Somebody, account: string, amount: number): Promise<void> {
  const { instruction, consent } = await ask(stage, 'top-up', { account, amount: cny(amount) });
  await pageAt(stage, consent.url, of.mobile).approve();
  expect((await decided(stage, instruction)).body.state).toBe('posted');
  const payout = `pay_${instruction.slice(4)}`; // the digits of the instruction that made it
  const balance = async () => {
    // The clock stands, so that only staff asks the card's channel what became of it.
    await stage.asStaff('POST', `/admin/v1/payouts/${payout}/query`);
    return stage.asPlatform('GET', `/v1/accounts/${account}`);
  };
  await until(balance, ({ body }) => body.balance >= amount);
}

/** A shop of a person, who is shown to customers by his name. */
async function shopOf({ asPlatform }: Stage, of: Somebody): Promise<string> {
  const party = { kind: 'person', name: of.name, idNo: of.idNo, mobile: of.mobile };
  const settlementAccount = { name: of.name, account: of.card, bankCode: '' };
  const body = { merchantNo: `S-${of.mobile.slice(-4)}`, party, settlementAccount };
  return (await asPlatform('POST', '/v1/sub-merchants', body)).body.account;
}

/** Registered alone and taken over, tried before, repeated, with other content, of another name; a company with its people. */
async function users(stage: Stage) {
  const [alone, company, operator, owner, tried, taken, misspelt] = Array.from({ length: 7 }, somebody) as Seven;
  const renamed = somebody();
  expect((await registered(stage, personUser(alone))).state).toBe('verified');
  const { asPlatform } = stage;
  expect((await asPlatform('POST', '/v1/users', personUser(alone))).status).toBe(200);
  const other = personUser(alone, { name: misspelt.name });
  expect((await asPlatform('POST', '/v1/users', other)).body.code).toBe('USER_NO_REUSED');
  expect((await registered(stage, companyUser(company, operator, owner))).state).toBe('verified');
  const wrong = personUser(tried, { idNo: `${tried.idNo.slice(0, -1)}Y`, remark: tried.card });
  expect((await asPlatform('POST', '/v1/users/dry-run', wrong)).body.acceptable).toBe(false);
  expect((await asPlatform('POST', '/v1/users/dry-run', `{"userNo":"${tried.name}",`)).status).toBe(400);
  const lines = [personUser(taken), { userNo: 'U-x', party: tried }];
  expect((await asPlatform('POST', '/v1/users/batches', lines)).body.items).toMatchObject([{ status: 202 }, { status: 400 }]);
  stage.bank.bank.people.put([
    { idType: 'resident-id', idNo: renamed.idNo, issued: true, name: misspelt.name, mobile: undefined, accounts: [] },
  ]);
  expect((await registered(stage, personUser(renamed))).state).toBe('refused');
  const list = () => asPlatform('GET', '/v1/users?limit=100');
  const { body } = await until(list, (seen) => seen.body.items.every((item: { state: string }) => item.state !== 'pending'));
  const shown = JSON.stringify(body);
  expect(shown).toContain(`"name":"${alone.name[0]}*`);
  for (const one of [alone, operator, owner, taken]) {
    for (const plain of [one.name, one.idNo, one.mobile]) expect(shown).not.toContain(plain);
  }
  const [takenOver] = body.items.filter((item: { userNo: string }) => item.userNo === personUser(taken).userNo);
  const link = await asPlatform('POST', `/v1/users/${takenOver.id}/activation-link`);
  const page = pageAt(stage, link.body.consent.url, taken.mobile);
  expect(await page.read()).toContain(taken.name[0]);
  await page.approve();
  return all(alone, company, operator, owner, tried, taken, misspelt, renamed);
}
type Seven = [Somebody, Somebody, Somebody, Somebody, Somebody, Somebody, Somebody];

/** Images that say who it is; a new last day; the account of a company that is shown to be its own. */
async function documents(stage: Stage) {
  const [person, company, operator, owner] = [somebody(), somebody(), somebody(), somebody()];
  const { asPlatform } = stage;
  const { id } = await registered(stage, personUser(person));
  const image = (text: string) => pngOf({ text: `${text} ${person.idNo} ${person.mobile}` });
  const upload = (kind: string, bytes: Buffer | string) =>
    asPlatform('POST', `/v1/users/${id}/documents?kind=${kind}`, bytes, 'image/png');
  const { body: front } = await upload('id-front', image(person.name));
  expect((await upload('id-front', image(person.name))).status).toBe(200);
  expect((await upload('id-back', image('back'))).status).toBe(201);
  expect((await upload('other', person.name)).body.code).toBe('DOCUMENT_UNREADABLE');
  const validity = { idExpires: '2098-01-31', document: front.id };
  const renewed = () => asPlatform('PUT', `/v1/users/${id}/document-validity`, validity);
  expect((await until(renewed, ({ status }) => status !== 202)).body.state).toBe('accepted');
  const of = await registered(stage, companyUser(company, operator, owner));
  const trial = { direction: 'outward', account: { name: company.company, account: company.card, bankCode: BANK } };
  const started = await asPlatform('POST', `/v1/users/${of.id}/account-verification`, trial);
  expect([started.status, started.body.code]).toEqual([202, undefined]);
  const paid = async () => stage.bank.bank.messages.trials(company.card);
  await until(paid, (trials) => trials.length > 0);
  return all(person, company, operator, owner);
}

/** Lists, hits and what is decided of them; who may share a number; stopped, found, and freed. Reasons may name anybody. */
async function staffOnCustomers(stage: Stage) {
  const [listed, child, stopped, named, onCsv] = Array.from({ length: 5 }, somebody) as Five;
  const { asStaff, asReviewer } = stage;
  for (const one of [listed, stopped]) await registered(stage, personUser(one));
  const number = { idType: 'resident-id', idNo: onCsv.idNo };
  const entries = [
    { list: 'UN', name: listed.name },
    { list: 'MPS', name: named.name, ...number },
  ];
  expect((await asStaff('PUT', '/admin/v1/watch-list', { entries })).status).toBe(200);
  const tasks = () => asStaff('GET', '/admin/v1/tasks?limit=100');
  const hits = (items: { kind: string; id: string }[]) => items.filter((task) => task.kind === 'watch-list');
  const { body } = await until(tasks, (seen) => hits(seen.body.items).length > 0);
  for (const plain of listed.plain) expect(JSON.stringify(body)).not.toContain(plain);
  const decision = { decision: 'confirmed', reason: `与${named.name}（${named.idNo}）核对` };
  expect((await asReviewer('POST', `/admin/v1/tasks/${hits(body.items)[0]?.id}/decision`, decision)).status).toBe(200);
  const csv = `list,name,idType,idNo\nUN,"${onCsv.name}",resident-id,${onCsv.idNo}\n`;
  expect((await asStaff('PUT', '/admin/v1/watch-list', csv, 'text/csv')).status).toBe(200);
  expect((await asStaff('PUT', '/admin/v1/watch-list', `${csv}UN,${onCsv.name}`, 'text/csv')).status).not.toBe(500);
  const exception = { mobile: listed.mobile, idType: 'resident-id', idNo: child.idNo, reason: `${child.name}的监护人` };
  const task = (await asStaff('POST', '/admin/v1/mobile-exceptions', exception)).body.id;
  const approval = { decision: 'approved', reason: child.name };
  expect((await asStaff('POST', `/admin/v1/tasks/${task}/decision`, approval)).body.code).toBe('SAME_OPERATOR');
  expect((await asReviewer('POST', `/admin/v1/tasks/${task}/decision`, approval)).status).toBe(200);
  expect((await registered(stage, personUser(child, { mobile: listed.mobile }))).state).toBe('verified');
  const customer = await customerOf(stage, stopped);
  expect((await asStaff('POST', '/admin/v1/customers/search', { mobile: stopped.mobile })).body.items).toHaveLength(1);
  const order = { reason: 'court', note: `${named.name}举报，${named.mobile}` };
  for (const verb of ['stop', 'free'])
    expect([(await asStaff('POST', `/admin/v1/customers/${customer}/${verb}`, order)).body.code, verb]).toEqual([
      undefined,
      verb,
    ]);
  const change = { mobile: named.mobile, reason: `${named.name}（${named.idNo}）来柜面` };
  const asked = (await asStaff('POST', `/admin/v1/customers/${customer}/mobile-changes`, change)).body.id;
  expect((await asReviewer('POST', `/admin/v1/tasks/${asked}/decision`, { ...approval, reason: named.mobile })).status).toBe(200);
  expect((await asStaff('GET', `/admin/v1/customers/${customer}`)).status).toBe(200);
  return all(listed, child, stopped, named, onCsv);
}
type Five = [Somebody, Somebody, Somebody, Somebody, Somebody];

/** Opened, tried before, refused by the bank of the card; another card and another mobile number, at the customer's word and the bank's. */
async function openings(stage: Stage) {
  const [person, refused, next, lost] = [somebody(), somebody(), somebody(), somebody()];
  const { asPlatform, asStaff, asReviewer, bank } = stage;
  const { account } = await holder(stage, person);
  const user = await acting(stage, refused);
  const card = { account: refused.card, bankCode: BANK, mobile: refused.mobile };
  const differs = { account: refused.card, bankCode: BANK, class: '1', standing: 'usable', mobile: next.mobile } as const;
  bank.bank.people.put([
    { idType: 'resident-id', idNo: refused.idNo, issued: true, name: refused.name, mobile: undefined, accounts: [differs] },
  ]);
  const dry = await asPlatform('POST', '/v1/electronic-accounts/dry-run', {
    user,
    class: 2,
    card: { ...card, mobile: lost.mobile },
  });
  expect(dry.status).toBe(200);
  const open = () => asPlatform('POST', '/v1/electronic-accounts', { openingNo: 'O-refused', user, class: 2, card });
  expect((await until(open, ({ status }) => status !== 202)).status).toBe(422);
  const changed = async (path: string, body: object) => {
    const asked = await asPlatform('POST', `/v1/electronic-accounts/${account}/${path}`, body);
    const page = pageAt(stage, asked.body.consent.url, person.mobile);
    await page.approve();
    const look = () => asPlatform('GET', `/v1/electronic-accounts/changes/${asked.body.id}`);
    const { body: done } = await until(look, (seen) => ['done', 'refused'].includes(seen.body.state));
    expect([path, done.state, done.refusal]).toEqual([path, 'done', null]);
  };
  await changed('card-changes', { changeNo: 'N-1', card: { account: next.card, bankCode: BANK, mobile: person.mobile } });
  await changed('mobile-changes', { changeNo: 'N-2', mobile: next.mobile });
  const proposed = { mobile: lost.mobile, reason: `${lost.name}本人到柜面` };
  const { body } = await asStaff('POST', `/admin/v1/electronic-accounts/${account}/mobile-changes`, proposed);
  expect(JSON.stringify((await asReviewer('GET', '/admin/v1/account-changes')).body)).not.toContain(lost.mobile);
  expect((await asReviewer('POST', `/admin/v1/account-changes/${body.id}/approve`)).status).toBe(200);
  const block = { reason: `${lost.name}申请` };
  for (const verb of ['block', 'unblock'])
    expect((await asStaff('POST', `/admin/v1/electronic-accounts/${account}/${verb}`, block)).status).toBe(200);
  return all(person, refused, next, lost);
}

/** Pages that name the payee, answered wrongly until they lock, rightly and with no; the messages of their codes, and the receipts. */
async function consents(stage: Stage) {
  const [person, payee] = [somebody(), somebody()];
  const { account } = await holder(stage, person);
  const shop = await shopOf(stage, payee);
  await funded(stage, person, account, 5_000);
  const pay = (amount: number) => ask(stage, 'account-payment', { from: account, to: { account: shop }, amount: cny(amount) });
  const right = await pay(100);
  const page = pageAt(stage, right.consent.url, person.mobile);
  expect(await page.read()).toContain(payee.name);
  await page.submit({ answer: 'approve', password: person.mobile.slice(-6) });
  await page.approve();
  expect((await decided(stage, right.instruction)).body.state).toBe('posted');
  const locked = await pay(101);
  for (let tries = 0; tries < TRIES; tries += 1) {
    await pageAt(stage, locked.consent.url).submit({ answer: 'approve', password: '918273', code: '918273' });
  }
  expect((await decided(stage, locked.instruction)).body.code).toBe('CONSENT_LOCKED');
  const refused = await pay(102);
  await pageAt(stage, refused.consent.url).submit({ answer: 'decline' });
  expect((await decided(stage, refused.instruction)).body.code).toBe('CONSENT_DECLINED');
  const form = {
    method: 'POST',
    body: new URLSearchParams({ answer: person.name, password: PASSWORD, [payee.name]: person.card }),
  };
  expect((await fetch(`${stage.api}${new URL(refused.consent.url).pathname}`, form)).status).toBe(400);
  expect((await fetch(`${stage.api}/consents/${encodeURIComponent(person.name)}?name=${person.idNo}`)).status).toBe(400);
  const receipt = await stage.asPlatform('GET', `/v1/receipts/${right.instruction}`);
  expect(JSON.stringify(receipt.body)).toContain(payee.name);
  expect((await stage.asStaff('GET', `/admin/v1/receipts/${refused.instruction}`)).status).toBe(200);
  return [...all(person, payee), ...SECRETS];
}

/** Granted to pay somebody by name, used, shown to its customer on his page, and ended there. */
async function mandates(stage: Stage) {
  const [person, payee] = [somebody(), somebody()];
  const { asPlatform } = stage;
  const { user, account } = await holder(stage, person);
  const shop = await shopOf(stage, payee);
  await funded(stage, person, account, 5_000);
  const terms = { kinds: ['account-payment'], payees: { accounts: [shop] }, paymentCap: cny(500), totalCap: cny(900) };
  const asked = { mandateNo: 'D-1', user, account, ...terms, expiresAt: '2026-12-31T00:00:00+08:00' };
  const { body } = await asPlatform('POST', '/v1/mandates', asked);
  const page = pageAt(stage, body.consent.url ?? body.url, person.mobile);
  expect(await page.read()).toContain(payee.name);
  await page.approve();
  const { mandate } = body;
  const data = { from: account, to: { account: shop }, amount: cny(200), mandate };
  expect(await stage.give('account-payment', data)).toBe('posted');
  expect(await stage.give('account-payment', { ...data, amount: cny(501) })).toBe('MANDATE_EXCEEDED');
  const link = await asPlatform('POST', `/v1/users/${user}/mandate-link`);
  const his = pageAt(stage, link.body.url);
  expect(await his.read()).toContain(mandate);
  await his.submit({ mandate, password: PASSWORD });
  expect((await asPlatform('GET', `/v1/mandates/${mandate}`)).body.state).toBe('revoked');
  expect((await asPlatform('GET', `/v1/receipts/${mandate}`)).status).toBe(200);
  return [...all(person, payee), ...SECRETS];
}

/** Transfers that the core bank holds: of strangers, to nobody, and taken. And all of it to be paid out, which he declines. */
async function transfers(stage: Stage) {
  const [person, stranger, lost, friend] = [somebody(), somebody(), somebody(), somebody()];
  const { account } = await holder(stage, person);
  const { virtualNo } = (await stage.asPlatform('GET', `/v1/electronic-accounts/${account}`)).body;
  const { bank } = stage.bank;
  const send = async (reference: string, to: string, payer: Somebody, name = payer.name) => {
    const from = { name, account: payer.card, bankCode: BANK };
    expect(bank.sendTransfer({ reference, virtualNo: to, amount: 3_000n, payer: from })).toEqual({ reference });
    const states = async () => bank.transfers.all().find((transfer) => transfer.reference === reference)?.state;
    return until(states, (state) => state !== 'held');
  };
  expect(await send('T-1', virtualNo, stranger)).toBe('rejected');
  expect(await send('T-2', '9156000000000000000', lost)).toBe('rejected');
  const seen = { reason: `${person.name}到网点` };
  await stage.asStaff('POST', `/admin/v1/electronic-accounts/${account}/confirm-face-to-face`, seen);
  expect(await send('T-3', virtualNo, friend, `${friend.name} ${friend.idNo}`)).toBe('accepted');
  const noted = await heldTransfer(stage, virtualNo, friend);
  const closing = await ask(stage, 'account-closing', { account });
  await pageAt(stage, closing.consent.url, person.mobile).submit({ answer: 'decline' });
  expect((await decided(stage, closing.instruction)).body.state).toBe('refused');
  return all(person, stranger, lost, friend, noted);
}

/** One whose message came before: two people send it back, and write why. Answers whom they wrote of. */
async function heldTransfer({ bank: { bank }, asStaff, asReviewer }: Stage, virtualNo: string, payer: Somebody) {
  const noted = somebody();
  const message = { channel: 'beps', sender: BANK, messageNo: 'M-1' };
  const from = { name: payer.name, account: payer.card, bankCode: BANK };
  for (const reference of ['T-4', 'T-5']) bank.sendTransfer({ reference, virtualNo, amount: 4_000n, payer: from, message });
  const path = '/admin/v1/incoming-transfers/T-5';
  const seen = await until(
    () => asStaff('GET', path),
    ({ status }) => status === 200,
  );
  expect(seen.body).toMatchObject({ state: 'duplicate', decision: null, proposals: [] });
  const wanted = { action: 'send-back', reason: `${noted.name} ${noted.idNo}` };
  const propose = async () => {
    const { status, body } = await asStaff('POST', `${path}/proposals`, wanted);
    expect([status, (await asStaff('POST', `${path}/proposals`, wanted)).body.code]).toEqual([201, 'TRANSFER_PROPOSED']);
    return `${path}/proposals/${body.proposals.at(-1).id}`;
  };
  const note = { note: `${noted.mobile} ${noted.card}` };
  expect((await asReviewer('POST', `${await propose()}/reject`, note)).body.proposals).toMatchObject([
    { state: 'rejected', ...note },
  ]);
  const second = await propose();
  expect((await asStaff('POST', `${second}/approve`)).body.code).toBe('SAME_OPERATOR');
  const { body } = await asReviewer('POST', `${second}/approve`, note);
  expect(body.proposals[1]).toMatchObject({ state: 'approved', reason: wanted.reason, ...note });
  await until(
    () => asStaff('GET', path),
    (later) => later.body.state === 'rejected',
  );
  expect(bank.transfers.all().find(({ reference }) => reference === 'T-5')).toMatchObject({ reason: 'sent back by the bank' });
  return noted;
}

export const CUSTOMER_DOORS: Readonly<Record<string, Door>> = {
  users,
  documents,
  staffOnCustomers,
  openings,
  consents,
  mandates,
  transfers,
};
