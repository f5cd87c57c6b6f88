import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { accountAdminRoutes, accountRoutes } from '../../src/accounts/index.js';
import { setCard } from '../../src/accounts/life/store.js';
import { bindSettlementAccounts } from '../../src/accounts/store.js';
import { expireConsents } from '../../src/consents/index.js';
import { answerHandlers, createIntake, executeShard, findInstructions } from '../../src/instructions/index.js';
import { parseInstruction } from '../../src/instructions/intake/parse.js';
import { type Id, toWire } from '../../src/kernel/index.js';
import { bare, openBook, person, postMovement, type TestBook } from '../accounts/books.js';
import { cardOf } from '../support/model/outside.js';
import { openElectronic } from '../support/world/electronic.js';
import type { World } from '../support/world/world.js';
import { type ConsentStage, MINUTE, noticeOf, openStage, PASSWORD } from './stage.js';

/** The engine's side of a consent: an instruction waits for the page, and becomes what was said there. */
let stage: ConsentStage;
let book: TestBook;
let shop: string;
let n = 0;
let tokenOfStaff: string;

beforeAll(async () => {
  stage = await openStage({
    routes: (rt) => [...accountRoutes(rt), ...accountAdminRoutes(rt)],
    handlers: answerHandlers,
    platform: async (api) => {
      const { token } = await api.operator('administrator');
      tokenOfStaff = token;
      book = await openBook(api, token, { name: '甲平台' });
      return book;
    },
  });
  const { body } = await stage.api.signed(book, 'POST', '/v1/sub-merchants', person(1)).expect(201);
  shop = body.account;
});
afterAll(() => stage?.stop());

interface Waiting {
  readonly id: Id;
  readonly consent: Id;
  readonly path: string;
  readonly account: Id;
  /** The same request number again, with another amount. */
  again(amount: number): Promise<string>;
}

/** A customer with a Class II account that holds 1,000.00. */
async function holder() {
  const customer = await stage.customer({ password: PASSWORD });
  const { runtime } = stage.api;
  const world = { db: runtime.db, rt: runtime, clock: stage.clock } as unknown as World;
  const account = await openElectronic(world, { platform: book.id, customer: customer.id, class: 2, faceToFace: true });
  const custody = bare(book.accounts.custody as string);
  const postings = [
    { account: custody, amount: -100_000n },
    { account, amount: 100_000n },
  ];
  await postMovement(runtime, book.id, { postings }, { date: '2026-03-02', instant: stage.clock.now() });
  return { customer, account };
}

async function give(requestNo: string, kind: string, data: Record<string, unknown>) {
  const parsed = parseInstruction({ requestNo, kind, data }, 'P');
  const submission = { ...parsed, platformId: book.id, origin: 'P' as const, actor: book.keyId };
  return (await createIntake(stage.api.runtime).receive([submission]))[0];
}

const cny = (amount: number) => ({ amount, currency: 'CNY' });

/** A payment of 123.45 out of his account: received, and waiting for its owner. */
async function waiting(): Promise<Waiting & { customer: Awaited<ReturnType<ConsentStage['customer']>> }> {
  const { customer, account } = await holder();
  n += 1;
  const requestNo = `P-${n}`;
  const pay = (amount: number) =>
    give(requestNo, 'account-payment', { from: toWire('account', account), to: { account: shop }, amount: cny(amount) });
  const receipt = await pay(12_345);
  if (receipt === undefined || 'refused' in receipt || receipt.asked === undefined)
    throw new Error(`no question was asked: ${JSON.stringify(receipt)}`);
  const { consent, url } = receipt.asked;
  return {
    ...{ id: receipt.id, consent, account, customer, path: new URL(url as string).pathname.replace('/pages', '') },
    again: async (amount) => {
      const second = await pay(amount);
      if (second === undefined || 'refused' in second) return second?.refused.code ?? 'none';
      return second.replay ? 'the same' : 'another';
    },
  };
}

async function decided(id: Id): Promise<string> {
  for (let shard = 0; shard < 3; shard += 1) await executeShard(stage.api.runtime, shard);
  const found = await stage.api.runtime.db.read('outcome', (tx) => findInstructions(tx, [id]));
  return found.get(id)?.outcome?.code ?? found.get(id)?.outcome?.state ?? 'undecided';
}

async function yes({ path, customer, consent }: Pick<Awaited<ReturnType<typeof waiting>>, 'path' | 'customer' | 'consent'>) {
  const { needs } = await stage.consent(consent);
  if (needs !== 'password') await stage.post(`${path}/code`, {});
  const code = needs === 'password' ? {} : { code: await stage.code(customer) };
  return stage.post(path, { answer: 'approve', ...(needs === 'sms' ? {} : { password: PASSWORD }), ...code });
}

async function balance(account: Id): Promise<string> {
  const [row] = await stage.api.runtime.db.read('balance', (tx) =>
    tx.rows<{ balance: string }>('SELECT balance FROM accounts WHERE id = ?', [account]),
  );
  return row?.balance ?? '';
}

describe('an instruction that needs its customer', () => {
  test('waits, is shown as it was given, and is posted once he says yes', async () => {
    const asked = await waiting();
    expect(await decided(asked.id)).toBe('undecided');
    const { text } = await stage.get(`${asked.path}?lang=zh`);
    for (const shown of ['甲平台', '¥</small>123.45', '人民币壹佰贰拾叁元肆角伍分']) expect(text).toContain(shown);
    expect(noticeOf(await yes(asked))).toBeNull();
    expect(await decided(asked.id)).toBe('posted');
    expect(await balance(asked.account)).toBe('87655');
    expect((await stage.consent(asked.consent)).state).toBe('used');
    expect((await stage.get(`${asked.path}?lang=zh`)).text).toContain('已确认');
    expect(noticeOf(await stage.post(asked.path, { answer: 'approve', password: PASSWORD }))).toBe('CONSENT_ANSWERED');
    expect(await balance(asked.account)).toBe('87655');
  });

  test('is refused when he says no', async () => {
    const asked = await waiting();
    await stage.post(asked.path, { answer: 'decline' });
    expect(await decided(asked.id)).toBe('CONSENT_DECLINED');
    expect(await balance(asked.account)).toBe('100000');
  });

  test('is refused when he is late: the sweep ends the question', async () => {
    const asked = await waiting();
    stage.clock.advance((await stage.consent(asked.consent)).expiresMs);
    await expireConsents(stage.api.runtime, answerHandlers(stage.api.runtime));
    expect(noticeOf(await stage.post(asked.path, { answer: 'approve', password: PASSWORD }))).toBe('CONSENT_EXPIRED');
    expect(await decided(asked.id)).toBe('CONSENT_EXPIRED');
    stage.later(MINUTE);
    expect(await expireConsents(stage.api.runtime, answerHandlers(stage.api.runtime))).toBe(0);
  });

  test('is refused when somebody guesses', async () => {
    const asked = await waiting();
    const { needs } = await stage.consent(asked.consent);
    if (needs !== 'password') {
      await stage.post(`${asked.path}/code`, {});
      await stage.code(asked.customer);
    }
    for (let guess = 0; guess < 3; guess += 1)
      await stage.post(asked.path, {
        answer: 'approve',
        password: '926481',
        ...(needs === 'password' ? {} : { code: '000000' }),
      });
    expect(await decided(asked.id)).toBe('CONSENT_LOCKED');
    expect(await balance(asked.account)).toBe('100000');
  });

  test('cannot become another: its number with another amount is refused, and the yes is for the first', async () => {
    const asked = await waiting();
    expect(await asked.again(99_999)).toBe('REQUEST_NO_REUSED');
    expect(await asked.again(12_345)).toBe('the same');
    expect(noticeOf(await yes(asked))).toBeNull();
    expect(await decided(asked.id)).toBe('posted');
    expect(await balance(asked.account)).toBe('87655');
  });

  test("one customer's yes is nothing to another's instruction", async () => {
    const [one, two] = [await waiting(), await waiting()];
    expect(noticeOf(await yes(one))).toBeNull();
    expect(await decided(two.id)).toBe('undecided');
    // Even with the row of the yes turned round to the other instruction.
    const { runtime } = stage.api;
    const given = await stage.consent(one.consent);
    await runtime.db.withTx('turn round', async (tx) => {
      await tx.write('DELETE FROM consents WHERE id = ?', [two.consent]);
      await tx.write("UPDATE consents SET subject_id = ?, state = 'given' WHERE id = ?", [two.id, one.consent]);
      await answerHandlers(runtime).instruction?.(tx, two.id, 'given', given);
    });
    expect(await decided(two.id)).toBe('CONSENT_MISMATCH');
    expect(await balance(two.account)).toBe('100000');
  });

  test('shows the ending of his bound card where the money goes there', async () => {
    const { account } = await holder();
    n += 1;
    const receipt = await give(`P-${n}`, 'withdrawal', { account: toWire('account', account), amount: cny(5_000) });
    if (receipt === undefined || 'refused' in receipt) throw new Error('it was not received');
    const path = new URL(receipt.asked?.url as string).pathname.replace('/pages', '');
    expect((await stage.get(`${path}?lang=zh`)).text).toContain(`本人绑定卡 尾号${cardOf(account).slice(-4)}`);
    expect((await stage.get(`${path}?lang=en`)).text).toContain(`your bound card ending ${cardOf(account).slice(-4)}`);
  });

  test.each([
    ['withdrawal', { amount: cny(5_000) }],
    ['top-up', { amount: cny(5_000) }],
    ['account-closing', {}],
  ])('is not done (%s) with another card than the one that his page showed', async (kind, more) => {
    const { customer, account } = await holder();
    n += 1;
    const receipt = await give(`P-${n}`, kind, { account: toWire('account', account), ...more });
    if (receipt === undefined || 'refused' in receipt || receipt.asked === undefined) throw new Error('nobody was asked');
    const { consent, url } = receipt.asked;
    const path = new URL(url as string).pathname.replace('/pages', '');
    const { db, vault } = stage.api.runtime;
    await db.withTx('another card', async (tx) => {
      const card = { name: '王小明', account: '6222020000000009995', bankCode: '102100099996' };
      await bindSettlementAccounts(tx, vault, [[account, card]]);
      await setCard(tx, account, vault.index('card', card.account), '1');
    });
    expect(noticeOf(await yes({ customer, consent, path }))).toBeNull();
    expect(await decided(receipt.id)).toBe('CONSENT_MISMATCH');
    expect(await balance(account)).toBe('100000');
    // Nor does it say of itself which card it was, but by what he saw.
    const { shownSealed } = await stage.consent(consent);
    expect(Object.keys(JSON.parse(vault.open(shownSealed)).lines[2].value)).toEqual(['en', 'zh']);
  });

  describe('is decided without asking anybody', () => {
    const decidedAtOnce = async (kind: string, data: Record<string, unknown>) => {
      n += 1;
      const receipt = await give(`P-${n}`, kind, data);
      if (receipt === undefined || 'refused' in receipt) throw new Error('it was not received');
      expect(receipt.asked).toBeUndefined();
      return decided(receipt.id);
    };

    test("where the payee is another platform's: he and it hear nothing of each other", async () => {
      const { account } = await holder();
      const other = await openBook(stage.api, tokenOfStaff, { name: '乙平台' });
      const { body } = await stage.api.signed(other, 'POST', '/v1/sub-merchants', person(2)).expect(201);
      const data = { from: toWire('account', account), to: { account: body.account }, amount: cny(100) };
      expect(await decidedAtOnce('account-payment', data)).toBe('ACCOUNT_NOT_FOUND');
    });

    test("where the payee is another customer's account", async () => {
      const [one, two] = [await holder(), await holder()];
      const data = { from: toWire('account', one.account), to: toWire('account', two.account), amount: cny(100) };
      expect(await decidedAtOnce('own-transfer', data)).toBe('NOT_OWN_ACCOUNT');
    });

    test('where the law forbids it now', async () => {
      const { account } = await holder();
      const data = { from: toWire('account', account), to: { account: shop }, amount: cny(1_000_001) };
      expect(await decidedAtOnce('account-payment', data)).toBe('LIMIT_OUT_DAY');
    });

    test('where the account is frozen', async () => {
      const { account: id } = await holder();
      await stage.api.runtime.db.withTx('freeze', (tx) => tx.write("UPDATE accounts SET state = 'frozen' WHERE id = ?", [id]));
      const account = toWire('account', id);
      const amount = cny(100);
      const acts = {
        'account-payment': { from: account, to: { account: shop }, amount },
        withdrawal: { account, amount },
        'top-up': { account, amount },
        'account-closing': { account },
      };
      for (const [kind, data] of Object.entries(acts))
        expect([kind, await decidedAtOnce(kind, data)]).toEqual([kind, 'ACCOUNT_FROZEN']);
    });
  });
});
