import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { duePage } from '../../src/clearing/due-store.js';
import { type BusinessDate, fromWire } from '../../src/kernel/index.js';
import { type ClaimsStage, cny, frozen, next, openClaims, PAYER, TODAY } from '../claims/stage.js';
import { approveAgreement } from '../support/world/agreements.js';
import type { World } from '../support/world/world.js';

let stage: ClaimsStage;
beforeAll(async () => {
  stage = await openClaims();
});
afterAll(() => stage?.stop());

const idOf = (account: string) => fromWire(account);
const watch = (account: string, body: object, of = stage.book) =>
  stage.api.signed(of, 'PUT', `/v1/accounts/${account}/watch`, body);
const readWatch = async (account: string) => (await stage.read(`accounts/${account}/watch`).expect(200)).body;
/** How often the platform was told of this account. */
const told = async (account: string) => {
  const rows = await stage.api.runtime.db.read('told', (tx) =>
    tx.rows("SELECT 1 FROM outbox WHERE topic = 'account.low' AND ref_id = ?", [idOf(account)]),
  );
  return rows.length;
};
const spend = (account: string, amount: number) => stage.give('margin-deposit', { account, amount: cny(amount) });
const earn = async (account: string, amount: number) => {
  const orderNo = next('SO');
  await stage.give('payment', { orderNo, amount: cny(amount), payer: PAYER, reference: next('COL') });
  await stage.give('split', { orderNo, lines: [{ account, amount: cny(amount) }] });
};

describe('an account with less available than its mark', () => {
  it('is told of once, and again only after it was above it', async () => {
    const account = await stage.sellerWith(10_000);
    expect((await watch(account, { alert: 5_000 }).expect(200)).body).toMatchObject({ alert: 5_000, low: false, lowSince: null });
    await spend(account, 5_000);
    expect(await told(account)).toBe(0);
    await spend(account, 1);
    expect(await told(account)).toBe(1);
    expect(await readWatch(account)).toMatchObject({ low: true, lowSince: expect.any(String) });
    await spend(account, 1_000);
    await earn(account, 1_000);
    expect(await told(account)).toBe(1);
    await earn(account, 1);
    expect(await readWatch(account)).toMatchObject({ low: false, lowSince: null });
    await spend(account, 1);
    expect(await told(account)).toBe(2);
    const { items } = (await stage.read('watches?low=true').expect(200)).body;
    expect(items.map((each: { account: string }) => each.account)).toEqual([account]);
    expect((await stage.read(`accounts/${account}/explain`).expect(200)).body.alert).toMatchObject({ below: 5_000, low: true });
  });

  it('is told of by the sweep where no instruction made it so: a new mark, and what an authority freezes', async () => {
    const account = await stage.sellerWith(10_000);
    await watch(account, { alert: 10_001 }).expect(200);
    expect(await told(account)).toBe(0);
    await stage.sweep();
    await stage.sweep();
    expect(await told(account)).toBe(1);
    await watch(account, { alert: 4_000 }).expect(200);
    await stage.sweep();
    expect(await readWatch(account)).toMatchObject({ low: false });
    await frozen(stage, account, { amount: cny(6_001) });
    await stage.sweep();
    expect(await told(account)).toBe(2);
    await watch(account, { alert: 0 }).expect(200);
    expect(await readWatch(account)).toMatchObject({ alert: 0, low: false });
  });

  it('may be the platform’s own, and nobody else’s', async () => {
    const [marketing, custody] = ['marketing', 'custody'].map((of) => stage.book.accounts[of] as string) as [string, string];
    await watch(marketing, { alert: 1 }).expect(200);
    await stage.sweep();
    expect(await told(marketing)).toBe(1);
    expect((await watch(marketing, { reserve: 1 }).expect(422)).body.code).toBe('ACCOUNT_TYPE_NOT_ALLOWED');
    expect((await watch(custody, { alert: 1 }).expect(422)).body.code).toBe('ACCOUNT_TYPE_NOT_ALLOWED');
    expect((await watch(marketing, { alert: 1 }, stage.other).expect(404)).body.code).toBe('NOT_FOUND');
  });
});

describe('a reserve', () => {
  const lineOf = async (account: string) => {
    const { db, calendar } = stage.api.runtime;
    const asked = { platformId: stage.book.id, date: TODAY as BusinessDate, after: null, limit: 1_000, calendar };
    const { lines } = await db.read('lines', (tx) => duePage(tx, asked));
    return lines.find(({ accountId }) => accountId === idOf(account))?.amount;
  };

  it('stays on the account when its sub-merchant is paid, and his platform may still move it', async () => {
    const account = await stage.sellerWith(10_000);
    expect(await lineOf(account)).toBe(10_000n);
    await watch(account, { reserve: 4_000 }).expect(200);
    expect(await lineOf(account)).toBe(6_000n);
    await spend(account, 7_000);
    expect(await lineOf(account)).toBeUndefined();
    const { reserve } = (await stage.read(`accounts/${account}/explain`).expect(200)).body;
    expect(reserve).toEqual({ inForce: 4_000, agreed: null, platform: 4_000, bank: 0 });
  });

  it('is never less than the bank says, and what was agreed is not the platform’s to change', async () => {
    const account = await stage.sellerWith(10_000);
    await watch(account, { reserve: 4_000 }).expect(200);
    const path = `/admin/v1/accounts/${account}/reserve`;
    const set = (token: string) => stage.api.call('PUT', path, { token, body: { reserve: 3_000, reason: '投诉较多' } });
    expect((await set(stage.auditor).expect(403)).body.code).toBe('PERMISSION_DENIED');
    await set(stage.administrator).expect(200);
    expect(await lineOf(account)).toBe(6_000n);
    const { runtime } = stage.api;
    const world = { db: runtime.db, rt: runtime, clock: stage.clock } as unknown as World;
    const agreed = { seller: idOf(account), lines: [], others: 0n, from: '2037-01-01' };
    await approveAgreement(world, stage.book.id, agreed, idOf(stage.book.accounts.commission as string));
    expect(await readWatch(account)).toMatchObject({ reserve: { inForce: 3_000, agreed: 0, platform: 4_000, bank: 3_000 } });
    expect(await lineOf(account)).toBe(7_000n);
    expect((await watch(account, { reserve: 5_000 }).expect(409)).body).toMatchObject({ code: 'RESERVE_AGREED' });
    await watch(account, { alert: 1 }).expect(200);
  });
});

it('the books are sound', async () => {
  expect(await stage.violations()).toEqual([]);
});
