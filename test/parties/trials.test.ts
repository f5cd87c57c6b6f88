import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { asId } from '../../src/kernel/index.js';
import { verifiedAccountOf } from '../../src/parties/index.js';
import { company, type Desk, openDesk, person } from './desk.js';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk?.close());
afterEach(() => desk.faults());

const HOUR_MS = 3_600_000;
const bare = (wire: string) => asId(wire.slice(4));
const pathOf = (user: string) => `/v1/users/${user}/account-verification`;
const start = (user: string, direction: string, account: unknown) => desk.call('POST', pathOf(user), { direction, account });
const read = async (user: string) => (await desk.call('GET', pathOf(user)).expect(200)).body;
const say = (user: string, amount: number) =>
  desk.call('POST', `${pathOf(user)}/amount`, { amount: { amount, currency: 'CNY' } });

async function firm(n: number) {
  const asked = company(n);
  const user = await desk.settled(asked);
  expect(user.state).toBe('verified');
  const account = { name: asked.party.name, account: `1100601490180${String(n).padStart(5, '0')}`, bankCode: '102100099996' };
  return { id: user.id as string, account };
}
/** What the bank paid to an account, in fen. */
const paid = (account: string) => desk.bank.bank.messages.trials(account).map((trial) => Number(trial.amount));
const verified = (user: string) => desk.rt.db.read('verified', (tx) => verifiedAccountOf(tx, desk.rt, bare(user)));

describe('outward: the bank pays a little and the company says how much', () => {
  it('verifies the account, shows the amount to nobody, and pays once though it is asked for twice', async () => {
    const { id, account } = await firm(1);
    const first = await start(id, 'outward', account).expect(202);
    expect(first.body).toMatchObject({ state: 'asked', answersLeft: 3, account: { account: '110060********0001' } });
    expect((await start(id, 'outward', account).expect(202)).body.id).toBe(first.body.id);
    expect((await say(id, 1)).body).toMatchObject({ code: 'VERIFICATION_ENDED' });
    await desk.ask();
    await desk.ask();
    const [amount, ...more] = paid(account.account);
    expect(more).toEqual([]);
    expect(amount).toBeGreaterThanOrEqual(1);
    expect(amount).toBeLessThanOrEqual(50);
    const waiting = await read(id);
    expect(waiting.state).toBe('waiting');
    expect(Object.keys(waiting).sort()).toEqual(['account', 'answersLeft', 'direction', 'expiresAt', 'id', 'state']);
    const [row] = await desk.rows('SELECT amount_sealed, account_sealed FROM account_trials WHERE user_id = ?', [bare(id)]);
    expect(row).toEqual({ amount_sealed: expect.stringMatching(/^s1\./), account_sealed: expect.stringMatching(/^s1\./) });
    expect((await say(id, amount as number).expect(200)).body.state).toBe('verified');
    expect(await verified(id)).toEqual(account);
    // The second click, and one that guesses afterwards.
    await say(id, amount as number).expect(200);
    expect((await say(id, (amount as number) + 1)).body.code).toBe('VERIFICATION_ENDED');
  });

  it('takes three answers and no more, though five come at once', async () => {
    const { id, account } = await firm(2);
    await start(id, 'outward', account).expect(202);
    await desk.ask();
    const [amount = 0] = paid(account.account);
    const first = await say(id, amount + 1);
    expect([first.status, first.body.code, first.body.answersLeft]).toEqual([422, 'DEPOSIT_AMOUNT_WRONG', 2]);
    const many = await Promise.all([2, 3, 4, 5, 6].map((more) => say(id, amount + more)));
    expect(many.map(({ body }) => body.code).sort()).toEqual([
      'DEPOSIT_AMOUNT_WRONG',
      'DEPOSIT_AMOUNT_WRONG',
      'VERIFICATION_ENDED',
      'VERIFICATION_ENDED',
      'VERIFICATION_ENDED',
    ]);
    // The right one comes too late.
    expect((await say(id, amount)).body.code).toBe('VERIFICATION_ENDED');
    expect((await read(id)).state).toBe('ended');
    expect(await verified(id)).toBeUndefined();
  });

  it('ends after 72 hours, to the millisecond', async () => {
    const late = await firm(3);
    await start(late.id, 'outward', late.account).expect(202);
    await desk.ask();
    const [amount = 0] = paid(late.account.account);
    desk.pass(72 * HOUR_MS);
    expect((await say(late.id, amount)).body.code).toBe('VERIFICATION_ENDED');
    await desk.ask();
    expect((await read(late.id)).state).toBe('ended');

    const just = await firm(4);
    await start(just.id, 'outward', just.account).expect(202);
    await desk.ask();
    const [other = 0] = paid(just.account.account);
    desk.pass(72 * HOUR_MS - 1);
    await say(just.id, other).expect(200);
  });

  it('asks again under the same number where nobody answered, and fails where the account does', async () => {
    const unheard = await firm(5);
    desk.faults({
      scope: 'verification',
      fault: 'lost-answer',
      on: 'trial-payment',
      messageNo: unheard.account.account,
      times: 1,
    });
    await start(unheard.id, 'outward', unheard.account).expect(202);
    await desk.ask();
    expect((await read(unheard.id)).state).toBe('asked');
    desk.pass(1_000);
    await desk.ask();
    expect((await read(unheard.id)).state).toBe('waiting');
    expect(paid(unheard.account.account)).toHaveLength(1);

    const closed = await firm(6);
    const started = await start(closed.id, 'outward', closed.account).expect(202);
    desk.faults({ scope: 'verification', fault: 'refuse', messageNo: started.body.id.slice(4) });
    await desk.ask();
    expect((await read(closed.id)).state).toBe('failed');
  });

  it('can be started three times in a day', async () => {
    const { id, account } = await firm(7);
    for (let n = 0; n < 3; n += 1) {
      await start(id, 'outward', account).expect(202);
      await desk.ask();
      const trials = paid(account.account);
      const wrong = (trials.at(-1) as number) + 1;
      for (let guess = 0; guess < 3; guess += 1) expect((await say(id, wrong)).body.code).toBe('DEPOSIT_AMOUNT_WRONG');
    }
    expect((await start(id, 'outward', account)).body.code).toBe('VERIFICATION_ENDED');
    desk.pass(24 * HOUR_MS);
    await start(id, 'outward', account).expect(202);
  });
});

describe('a company with many numbers', () => {
  it('starts three times in a day in all, on whatever platform', async () => {
    const asked = company(8);
    const account = { name: asked.party.name, account: '110060149018000008', bankCode: '102100099996' };
    const begin = async (userNo: string, by = desk.platform) => {
      const { id } = await desk.settled({ ...asked, userNo }, by);
      return desk.call('POST', pathOf(id), { direction: 'outward', account }, by);
    };
    for (const userNo of ['C-8a', 'C-8b']) expect((await begin(userNo)).status).toBe(202);
    expect((await begin('C-8c', desk.other)).status).toBe(202);
    expect((await begin('C-8d')).body.code).toBe('VERIFICATION_ENDED');
    expect((await begin('C-8e', desk.other)).body.code).toBe('VERIFICATION_ENDED');
    await desk.ask();
    expect(paid(account.account)).toHaveLength(3);
    desk.pass(24 * HOUR_MS);
    expect((await begin('C-8d')).status).toBe(202);
  });
});

describe('inward: the company pays what it is told', () => {
  it('verifies the account when exactly that came in', async () => {
    const { id, account } = await firm(20);
    const { body } = await start(id, 'inward', account).expect(202);
    const { amount, reference } = body.pay;
    await desk.ask();
    expect((await read(id)).state).toBe('asked');
    expect((await say(id, amount.amount)).body.code).toBe('VERIFICATION_ENDED');
    const transfer = { account: account.account, amount: BigInt(amount.amount) + 1n, reference: 'another' };
    desk.bank.bank.messages.addTrialInflow(transfer);
    desk.pass(60_000);
    await desk.ask();
    expect((await read(id)).state).toBe('asked');
    desk.bank.bank.messages.addTrialInflow({ ...transfer, amount: BigInt(amount.amount), reference });
    desk.pass(300_000);
    await desk.ask();
    expect((await read(id)).state).toBe('verified');
    expect(await verified(id)).toEqual(account);
  });

  it('ends when nothing came in time', async () => {
    const { id, account } = await firm(21);
    await start(id, 'inward', account).expect(202);
    desk.pass(72 * HOUR_MS);
    await desk.ask();
    expect((await read(id)).state).toBe('ended');
  });
});

describe('whose account it is', () => {
  it('must bear the name of the company, and people have no such verification', async () => {
    const { id, account } = await firm(30);
    expect((await start(id, 'outward', { ...account, name: '另一家有限公司' })).body.code).toBe('HOLDER_NAME_DIFFERS');
    const man = await desk.settled(person(30));
    expect((await start(man.id, 'outward', { ...account, name: '某某' })).body.code).toBe('COMPANY_ONLY');
    const { body: pending } = await desk.register(company(31));
    expect((await start(pending.id, 'outward', account)).body.code).toBe('IDENTITY_UNVERIFIED');
    await start(id, 'outward', account).expect(202);
    const another = { ...account, account: '110060149018099999' };
    expect((await start(id, 'outward', another)).body.code).toBe('VERIFICATION_ENDED');
    expect((await desk.call('GET', pathOf(id), undefined, desk.other)).status).toBe(404);
    expect((await desk.call('POST', `${pathOf(id)}/amount`, { amount: { amount: 1, currency: 'CNY' } }, desk.other)).status).toBe(
      404,
    );
    await desk.ask();
    const kept = await desk.rows<{ kind: string; subject: string; result: string }>(
      "SELECT kind, subject, result FROM verifications WHERE user_id = ? AND kind = 'trial'",
      [bare(id)],
    );
    expect(kept).toEqual([{ kind: 'trial', subject: 'outward', result: 'paid' }]);
  });
});
