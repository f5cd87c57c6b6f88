import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { expireConsents } from '../../src/consents/index.js';
import { answerHandlers } from '../../src/instructions/index.js';
import { type BusinessDate, instantOf, startOfDay, toWire } from '../../src/kernel/index.js';
import { noticeOf, PASSWORD, type TestCustomer } from '../consents/stage.js';
import { BANK, type CardAt, dyingAt, type ElectronicStage, know, newCard, openElectronicStage } from './electronic-stage.js';

let stage: ElectronicStage;
beforeAll(async () => {
  stage = await openElectronicStage();
});
afterAll(() => stage?.stop());

interface Owned {
  readonly customer: TestCustomer;
  readonly card: string;
  /** Wire id. */
  readonly account: string;
}

/** A person with one account; the banks know his cards. */
async function owned(more: readonly (CardAt & { account: string })[] = [], of: 2 | 3 = 2): Promise<Owned> {
  const card = newCard();
  const customer = await stage.person([{ account: card }, ...more]);
  const opened = await stage.open(customer, { class: of, card: { account: card, bankCode: BANK, mobile: customer.mobile } });
  return { customer, card, account: opened.account };
}

const get = async (path: string, by = stage.book) => (await stage.api.signed(by, 'GET', path)).body;
const view = ({ account }: Pick<Owned, 'account'>) => get(`/v1/electronic-accounts/${account}`);
const post = (of: Pick<Owned, 'account'>, path: string, body: unknown, by = stage.book) =>
  stage.api.signed(by, 'POST', `/v1/electronic-accounts/${of.account}/${path}`, body, { headers: { prefer: 'respond-async' } });
const act = async (of: Pick<Owned, 'account'>, verb: string, token?: string) =>
  stage.api.call('POST', `/admin/v1/electronic-accounts/${of.account}/${verb}`, {
    token: token ?? (await stage.staff()).token,
    body: { reason: 'as the test wants' },
  });
const sql = (statement: string) => stage.api.runtime.db.withTx('bend', (tx) => tx.write(statement));
const cardOf = async (of: Owned) => (await view(of)).card.account.slice(-4);
let numbers = 0;
const changeNo = () => {
  numbers += 1;
  return `C-${numbers}`;
};

/** The customer answers on his page with password and code. */
async function approve(customer: TestCustomer, url: string): Promise<string | null> {
  const path = new URL(url).pathname.replace('/pages', '');
  stage.later(61_000); // codes are not sent within a minute of each other
  await stage.post(`${path}/code`, {});
  return noticeOf(await stage.post(path, { answer: 'approve', password: PASSWORD, code: await stage.code(customer) }));
}
const decline = (url: string) => stage.post(new URL(url).pathname.replace('/pages', ''), { answer: 'decline' });

describe('the bank blocks an account and ends that', () => {
  test('nothing comes in or leaves, twice is once, and it is in the audit trail', async () => {
    const of = await owned();
    expect((await act(of, 'block')).body).toMatchObject({ state: 'blocked', standing: { code: 'ACCOUNT_BLOCKED' } });
    expect((await act(of, 'block')).status).toBe(200);
    const asked = { direction: 'in', amount: { amount: 1, currency: 'CNY' }, with: 'bound' };
    expect((await post(of, 'quotas/check', asked)).body.refusal.code).toBe('ACCOUNT_BLOCKED');
    expect((await act(of, 'unblock')).body).toMatchObject({ state: 'active', standing: null });
    expect((await post(of, 'quotas/check', asked)).body.passes).toBe(true);
    const audit = await stage.rows(`SELECT target FROM audit_entries WHERE target = 'account ${of.account}'`);
    expect(audit.length).toBe(3);
  });

  test.each([
    ['closed', 'ACCOUNT_CLOSED'],
    ['closing', 'ACCOUNT_CLOSING'],
  ])('one that is %s does not change any more', async (state, code) => {
    const of = await owned();
    await sql(`UPDATE electronic_accounts SET state = '${state}' WHERE account_id = ${of.account.slice(4)}`);
    for (const verb of ['block', 'unblock', 'confirm-face-to-face', 'reverify'])
      expect([verb, (await act(of, verb)).body.code]).toEqual([verb, code]);
    const card = { account: newCard(), bankCode: BANK, mobile: of.customer.mobile };
    expect((await post(of, 'card-changes', { changeNo: changeNo(), card })).body.code).toBe(code);
    expect((await post(of, 'mobile-changes', { changeNo: changeNo(), mobile: '13800138001' })).body.code).toBe(code);
    expect((await post(of, 'reverification', { changeNo: changeNo() })).body.code).toBe(code);
  });

  test('who only reads, or manages platforms, does none of it', async () => {
    const of = await owned();
    for (const role of ['auditor', 'administrator'] as const) {
      const { token } = await stage.api.operator(role);
      expect((await act(of, 'block', token)).status).toBe(403);
    }
    expect((await view(of)).state).toBe('active');
  });

  test('who was seen face to face may be paid by others', async () => {
    const of = await owned();
    const asked = { direction: 'in', amount: { amount: 1, currency: 'CNY' }, with: 'other' };
    expect((await post(of, 'quotas/check', asked)).body.refusal.code).toBe('INFLOW_NOT_CONFIRMED');
    expect((await act(of, 'confirm-face-to-face')).body.faceToFace).toBe(true);
    expect((await post(of, 'quotas/check', asked)).body.passes).toBe(true);
  });
});

describe('a new card', () => {
  const ask = (of: Owned, account: string, more: Record<string, unknown> = {}) =>
    post(of, 'card-changes', {
      changeNo: changeNo(),
      card: { account, bankCode: BANK, mobile: of.customer.mobile },
      ...more,
    });

  test('is bound once the customer said yes and its bank confirmed it; until then the old one holds', async () => {
    const card = newCard();
    const of = await owned([{ account: card, class: 'credit' }]);
    const asked = await ask(of, card).expect(202);
    expect(asked.body).toMatchObject({ kind: 'card', state: 'asked', account: of.account, refusal: null });
    expect(asked.body.to).toBe(`${card.slice(0, 6)}*********${card.slice(-4)}`);
    await stage.work();
    expect(await cardOf(of)).toBe(of.card.slice(-4));
    const { url, ...question } = asked.body.consent;
    expect((await get(asked.headers.location as string)).consent).toEqual(question);
    expect(await approve(of.customer, url)).toBeNull();
    expect(await cardOf(of)).toBe(of.card.slice(-4));
    await stage.work();
    const done = await get(asked.headers.location as string);
    expect([done.state, done.consent]).toEqual(['done', undefined]);
    expect((await view(of)).card).toMatchObject({ account: `${card.slice(0, 6)}*********${card.slice(-4)}`, class: 'credit' });
    // The limits take it for the bound one from now on.
    const [row] = await stage.rows(
      `SELECT HEX(card_index) AS i FROM electronic_accounts WHERE account_id = ${of.account.slice(4)}`,
    );
    expect(row.i).toBe(stage.api.runtime.vault.index('card', card).toString('hex').toUpperCase());
    await stage.work();
    expect(await cardOf(of)).toBe(card.slice(-4));
  });

  test('is refused when the customer says no or does not answer', async () => {
    const [one, two] = [await owned(), await owned()];
    const first = await ask(one, newCard()).expect(202);
    await decline(first.body.consent.url);
    const second = await ask(two, newCard()).expect(202);
    stage.later(16 * 60_000);
    await expireConsents(stage.api.runtime, answerHandlers(stage.api.runtime));
    await stage.work();
    const refused = async (of: typeof first) => (await get(of.headers.location as string)).refusal.code;
    expect([await refused(first), await refused(second)]).toEqual(['CONSENT_DECLINED', 'CONSENT_EXPIRED']);
    expect([await cardOf(one), await cardOf(two)]).toEqual([one.card.slice(-4), two.card.slice(-4)]);
    await ask(one, newCard()).expect(202); // another may be asked for
  });

  test('that cannot be bound is refused: by our own records at once, by its bank afterwards', async () => {
    const cards = [newCard(), newCard(), newCard()] as const;
    const of = await owned([
      { account: cards[0], class: '2' },
      { account: cards[1], class: 'payment' },
      { account: cards[2], standing: 'frozen' },
    ]);
    const other = await owned();
    const first = async (body: Record<string, unknown>) => (await ask(of, newCard(), body)).body.code;
    expect(await first({ card: { account: newCard(), bankCode: BANK, mobile: '13800138000' } })).toBe('MOBILE_DIFFERS');
    expect(await first({ card: { account: '6222020000000000001', bankCode: BANK, mobile: of.customer.mobile } })).toBe(
      'CARD_NUMBER_INVALID',
    );
    expect(await first({ card: { account: other.card, bankCode: BANK, mobile: of.customer.mobile } })).toBe('CARD_TAKEN');
    const codes: string[] = [];
    for (const account of cards) {
      const asked = await ask(of, account).expect(202);
      expect(await approve(of.customer, asked.body.consent.url)).toBeNull();
      await stage.work();
      codes.push((await get(asked.headers.location as string)).refusal.code);
    }
    expect(codes).toEqual(['BOUND_ACCOUNT_CLASS', 'PAYMENT_ACCOUNT_BOUND', 'BOUND_ACCOUNT_UNUSABLE']);
    expect(await cardOf(of)).toBe(of.card.slice(-4));
  });

  test('is asked for once under a number, one at a time, and by its own platform', async () => {
    const of = await owned();
    const body = { changeNo: changeNo(), card: { account: newCard(), bankCode: BANK, mobile: of.customer.mobile } };
    const [one, two] = [await post(of, 'card-changes', body).expect(202), await post(of, 'card-changes', body).expect(202)];
    const { url: _, ...question } = one.body.consent;
    expect(two.body).toEqual({ ...one.body, consent: question });
    const other = { ...body, card: { ...body.card, account: newCard() } };
    expect((await post(of, 'card-changes', other)).body.code).toBe('CHANGE_NO_REUSED');
    expect((await post(of, 'card-changes', { ...other, changeNo: changeNo() })).body.code).toBe('CHANGE_UNDER_WAY');
    expect((await post(of, 'card-changes', body, stage.other)).status).toBe(404);
    expect((await stage.api.signed(stage.other, 'GET', one.headers.location as string)).status).toBe(404);
  });

  test('a yes counts for an account that is blocked meanwhile as little as for one that is closed', async () => {
    const of = await owned();
    const asked = await ask(of, of.card).expect(202);
    await act(of, 'block');
    expect(await approve(of.customer, asked.body.consent.url)).toBeNull();
    await stage.work();
    expect((await get(asked.headers.location as string)).refusal.code).toBe('ACCOUNT_BLOCKED');
  });

  test('a worker that dies between any two writes leaves the old one or the new one, never half of each', async () => {
    let deaths = 0;
    for (let nth = 1; ; nth += 1) {
      const card = newCard();
      const of = await owned([{ account: card }]);
      const asked = await ask(of, card).expect(202);
      expect(await approve(of.customer, asked.body.consent.url)).toBeNull();
      const dying = dyingAt(stage.api.runtime, nth);
      await stage.work(stage.book, dying).catch(() => undefined);
      const there = async () => {
        const [row] = await stage.rows(`SELECT card_index FROM electronic_accounts WHERE account_id = ${of.account.slice(4)}`);
        const index = (number: string) => stage.api.runtime.vault.index('card', number).equals(row.card_index);
        return [await cardOf(of), index(of.card), index(card)];
      };
      if (dying.seen.writes < nth) {
        expect(await there()).toEqual([card.slice(-4), false, true]);
        break;
      }
      deaths += 1;
      expect(await there()).toEqual([of.card.slice(-4), true, false]);
      await stage.work();
      expect(await there()).toEqual([card.slice(-4), false, true]);
    }
    expect(deaths).toBeGreaterThanOrEqual(5);
  });
});

describe('another mobile number', () => {
  let mobiles = 10_000_000;
  const NEW = () => {
    mobiles += 1;
    return `137${mobiles}`;
  };
  const ask = (of: Owned, mobile: string) => post(of, 'mobile-changes', { changeNo: changeNo(), mobile });
  const mobileOf = async (customer: TestCustomer) => {
    const [row] = await stage.rows(`SELECT mobile_sealed FROM customers WHERE id = ${customer.id}`);
    return stage.api.runtime.vault.open(row.mobile_sealed);
  };

  test("holds once the customer said yes with a code to the old one and his card's bank knows the new one", async () => {
    const of = await owned();
    const mobile = NEW();
    const early = await ask(of, mobile).expect(202);
    expect(early.body.to).toBe(`${mobile.slice(0, 3)}****${mobile.slice(-4)}`);
    expect(await approve(of.customer, early.body.consent.url)).toBeNull();
    await stage.work();
    const refused = await get(early.headers.location as string);
    expect(refused.refusal).toMatchObject({ code: 'ELEMENTS_DIFFER', faults: [{ code: 'ELEMENTS_DIFFER', pointer: '/mobile' }] });
    expect(await mobileOf(of.customer)).toBe(of.customer.mobile);
    know(stage, { ...of.customer }, [{ account: of.card, mobile }]); // he told his bank
    const asked = await ask(of, mobile).expect(202);
    expect(await approve(of.customer, asked.body.consent.url)).toBeNull();
    await stage.work();
    expect((await get(asked.headers.location as string)).state).toBe('done');
    expect(await mobileOf(of.customer)).toBe(mobile);
  });

  test('is refused when another identity has it, and what he had stays his', async () => {
    const [one, two] = [await owned(), await owned()];
    const mobile = NEW();
    for (const [place, of] of [one, two].entries()) {
      know(stage, of.customer, [{ account: of.card, mobile }]);
      const asked = await ask(of, mobile).expect(202);
      expect(await approve(of.customer, asked.body.consent.url)).toBeNull();
      await stage.work();
      const { state, refusal } = await get(asked.headers.location as string);
      expect([place, state, refusal?.code]).toEqual([
        place,
        place === 0 ? 'done' : 'refused',
        place === 0 ? undefined : 'MOBILE_TAKEN',
      ]);
    }
    expect(await mobileOf(two.customer)).toBe(two.customer.mobile);
  });

  test('where the old one is gone takes two members of staff, and no code', async () => {
    const of = await owned();
    const mobile = NEW();
    const [one, two] = [await stage.staff(), await stage.staff()];
    const body = { mobile, reason: 'the old number was given up' };
    const path = `/admin/v1/electronic-accounts/${of.account}/mobile-changes`;
    const proposed = await stage.api.call('POST', path, { token: one.token, body }).expect(201);
    expect(proposed.body).toMatchObject({ state: 'proposed', kind: 'mobile', changeNo: null });
    expect((await stage.api.call('POST', path, { token: two.token, body })).body.code).toBe('CHANGE_UNDER_WAY');
    const listed = await stage.api.call('GET', '/admin/v1/account-changes', { token: two.token }).expect(200);
    const own = toWire('operator', one.id);
    expect(listed.body.items).toContainEqual({ ...proposed.body, reason: 'the old number was given up', askedBy: own });
    const approving = (token: string) =>
      stage.api.call('POST', `/admin/v1/account-changes/${proposed.body.id}/approve`, { token });
    expect((await approving(one.token)).body.code).toBe('SAME_OPERATOR');
    expect(await mobileOf(of.customer)).toBe(of.customer.mobile);
    expect((await approving(two.token).expect(200)).body.state).toBe('done');
    expect(await mobileOf(of.customer)).toBe(mobile);
    expect((await approving(two.token)).body.code).toBe('CHANGE_DECIDED');
    const audit = JSON.stringify(await stage.rows('SELECT * FROM audit_entries'));
    expect(audit).not.toContain(mobile);
  });

  test('that staff proposed can be rejected, and is refused where another identity has it', async () => {
    const [one, two] = [await owned(), await owned()];
    const [asking, deciding] = [await stage.staff(), await stage.staff()];
    const propose = async (mobile: string) =>
      (
        await stage.api
          .call('POST', `/admin/v1/electronic-accounts/${one.account}/mobile-changes`, {
            token: asking.token,
            body: { mobile, reason: 'gone' },
          })
          .expect(201)
      ).body.id;
    const decide = (id: string, verb: string, body?: unknown) =>
      stage.api.call('POST', `/admin/v1/account-changes/${id}/${verb}`, { token: deciding.token, ...(body ? { body } : {}) });
    const taken = NEW();
    await sql(`INSERT INTO mobile_places (mobile_index, place, customer_id)
      VALUES (x'${stage.api.runtime.vault.index('mobile', taken).toString('hex')}', 1, ${two.customer.id})`);
    const first = await propose(taken);
    expect((await decide(first, 'approve')).body.code).toBe('MOBILE_TAKEN');
    expect((await decide(first, 'reject', { reason: 'not his' }).expect(200)).body).toMatchObject({
      state: 'refused',
      refusal: { code: 'STAFF_DECLINED' },
    });
    expect((await decide(first, 'reject', { reason: 'not his' })).body.code).toBe('CHANGE_DECIDED');
    await propose(NEW());
  });
});

describe('six months without use', () => {
  const opened = async () => {
    const of = await owned();
    return { ...of, thought: { direction: 'out', amount: { amount: 1, currency: 'CNY' }, with: 'other' } };
  };
  const checked = async (of: Awaited<ReturnType<typeof opened>>) =>
    (await post(of, 'quotas/check', of.thought)).body.refusal?.code;

  test('stop an account until the identity was checked again, by the platform or by staff', async () => {
    const [one, two, three, four] = [await opened(), await opened(), await opened(), await opened()];
    await sql(`UPDATE electronic_accounts SET alive_ms = NULL WHERE account_id = ${four.account.slice(4)}`);
    expect(await checked(one)).toBe('FUNDS_INSUFFICIENT');
    stage.clock.advance(instantOf(startOfDay('2037-09-02' as BusinessDate) - 1));
    expect(await checked(one)).toBe('FUNDS_INSUFFICIENT');
    stage.later(1);
    for (const each of [one, two, three]) {
      expect(await checked(each)).toBe('ACCOUNT_DORMANT');
      expect((await view(each)).standing.code).toBe('ACCOUNT_DORMANT');
    }
    const card = { account: newCard(), bankCode: BANK, mobile: one.customer.mobile };
    expect((await post(one, 'card-changes', { changeNo: changeNo(), card })).body.code).toBe('ACCOUNT_DORMANT');

    const body = { changeNo: changeNo() };
    const asked = await post(one, 'reverification', body).expect(202);
    expect(asked.body).toMatchObject({ kind: 'identity', state: 'pending', to: null });
    await stage.work();
    expect(await checked(one)).toBe('FUNDS_INSUFFICIENT');
    expect((await post(one, 'reverification', body).expect(200)).body.state).toBe('done');

    const idNo = `E${two.customer.mobile.slice(3)}`;
    const person = { idType: 'passport' as const, idNo, mobile: two.customer.mobile, accounts: [] };
    const ask = async (issued: boolean) => {
      stage.bank.bank.people.put([{ ...person, issued, name: '王大明' }]);
      const { headers } = await post(two, 'reverification', { changeNo: changeNo() }).expect(202);
      await stage.work();
      return (await get(headers.location as string)).refusal.code;
    };
    expect([await ask(true), await ask(false)]).toEqual(['IDENTITY_NAME_DIFFERS', 'IDENTITY_UNKNOWN']);
    expect(await checked(two)).toBe('ACCOUNT_DORMANT');

    expect((await act(three, 'reverify')).body.standing).toBeNull();
    expect(await checked(three)).toBe('FUNDS_INSUFFICIENT');

    // An account that was used stays used: it is never counted again.
    await act(four, 'reverify');
    const [row] = await stage.rows(`SELECT alive_ms FROM electronic_accounts WHERE account_id = ${four.account.slice(4)}`);
    expect(row.alive_ms).toBeNull();
  });

  test('a new check that nobody answers is asked again, and waits', async () => {
    const of = await opened();
    stage.bank.bank.faults.replace({
      scripted: [{ scope: 'verification', on: 'identity', fault: 'maintenance', ms: 0, times: 1 }],
    });
    const { headers } = await post(of, 'reverification', { changeNo: changeNo() }).expect(202);
    await stage.work();
    expect((await get(headers.location as string)).state).toBe('pending');
    stage.later(1_000);
    await stage.work();
    expect((await get(headers.location as string)).state).toBe('done');
  });
});
