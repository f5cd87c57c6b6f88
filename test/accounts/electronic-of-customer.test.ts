import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { toWire } from '../../src/kernel/index.js';
import type { Role } from '../../src/operators/index.js';
import type { TestCustomer } from '../consents/stage.js';
import type { TestBook } from './books.js';
import { BANK, type ElectronicStage, newCard, openElectronicStage } from './electronic-stage.js';

let stage: ElectronicStage;
beforeAll(async () => {
  stage = await openElectronicStage();
});
afterAll(() => stage?.stop());

const wire = ({ id }: TestCustomer) => toWire('customer', id);

async function list(query: string, role: Role = 'auditor') {
  const { token } = await stage.api.operator(role);
  return stage.api.call('GET', `/admin/v1/electronic-accounts${query}`, { token });
}

interface Owned {
  readonly account: string;
  readonly card: string;
  readonly user: string;
  readonly platform: string;
}

/** Opens an account for the customer through a platform, as a user of which he is there. */
async function open(customer: TestCustomer, of: 2 | 3, by: TestBook): Promise<Owned> {
  const user = by === stage.book ? toWire('user', customer.userId) : await stage.userAt(by, customer);
  const card = newCard();
  const bound = { account: card, bankCode: BANK, mobile: customer.mobile };
  const { account } = await stage.open(customer, { user, class: of, card: bound }, by);
  expect(account).toMatch(/^acc_/);
  return { account, card, user, platform: toWire('platform', by.id) };
}

describe('the electronic accounts of a customer', () => {
  let customer: TestCustomer;
  let owned: Owned[];
  beforeAll(async () => {
    customer = await stage.customer();
    const stranger = await stage.customer();
    owned = [await open(customer, 2, stage.book)];
    await open(stranger, 2, stage.book);
    owned.push(await open(customer, 3, stage.other), await open(customer, 2, stage.lending));
  });

  test('are told to staff with the platform of each, on all shards, in the order they were opened', async () => {
    const { status, body } = await list(`?customer=${wire(customer)}`);
    expect(status).toBe(200);
    expect(body.next).toBeNull();
    const told = (body.items as Record<string, unknown>[]).map(({ id, platform, user, class: of }) => [id, platform, user, of]);
    expect(told).toEqual(owned.map(({ account, platform, user }, place) => [account, platform, user, place === 1 ? 3 : 2]));
    expect(new Set(await Promise.all([stage.book, stage.other].map((book) => stage.shardOf(book)))).size).toBe(2);
  });

  test('are each as the route of the one account tells it, and no card is told whole', async () => {
    const { body, text } = await list(`?customer=${wire(customer)}`);
    const { token } = await stage.staff();
    for (const item of body.items as { id: string; platform: string }[]) {
      const one = await stage.api.call('GET', `/admin/v1/electronic-accounts/${item.id}`, { token }).expect(200);
      const { platform: _platform, ...same } = item;
      expect(same).toEqual(one.body);
    }
    for (const { card } of owned) {
      expect(text).not.toContain(card);
      expect(text).toContain(card.slice(-4));
    }
  });

  test('come page by page, and a cursor of one customer is none of another', async () => {
    const seen: string[] = [];
    let query = `?customer=${wire(customer)}&limit=2`;
    for (let pages = 0; pages < 2; pages += 1) {
      const { body } = await list(query);
      seen.push(...(body.items as { id: string }[]).map(({ id }) => id));
      if (body.next === null) break;
      query = `?customer=${wire(customer)}&limit=2&cursor=${encodeURIComponent(body.next)}`;
    }
    expect(seen).toEqual(owned.map(({ account }) => account));
    const other = await stage.customer();
    const foreign = await list(query.replace(wire(customer), wire(other)));
    expect([foreign.status, foreign.body.code]).toEqual([400, 'CURSOR_INVALID']);
  });

  test('are told when they are closed too', async () => {
    const own = await stage.customer();
    const { account } = await open(own, 2, stage.book);
    await stage.api.runtime.db.withTx('bend', (tx) =>
      tx.write("UPDATE electronic_accounts SET state = 'closed', closed_ms = ? WHERE account_id = ?", [
        stage.clock.now(),
        account.slice(4),
      ]),
    );
    const { body } = await list(`?customer=${wire(own)}`);
    expect(body.items).toMatchObject([{ id: account, state: 'closed' }]);
  });

  test('are none for a customer without; there is no customer that nobody knows, and none unnamed', async () => {
    expect((await list(`?customer=${wire(await stage.customer())}`)).body).toEqual({ items: [], next: null });
    const nobody = await list('?customer=cus_2236512894231552003');
    expect([nobody.status, nobody.body.code]).toEqual([404, 'NOT_FOUND']);
    for (const query of ['', '?customer=2236512894231552003', `?customer=${owned[0]?.account}`])
      expect((await list(query)).body.code).toBe('SHAPE_INVALID');
  });

  test('are seen by whoever may see customers, no platform and no administrator, and who looked is in the audit trail', async () => {
    const query = `?customer=${wire(customer)}`;
    expect((await list(query, 'operator')).status).toBe(200);
    expect((await list(query, 'reviewer')).status).toBe(200);
    expect((await list(query, 'administrator')).status).toBe(403);
    const signed = await stage.api.signed(stage.book, 'GET', `/admin/v1/electronic-accounts${query}`);
    expect([401, 403]).toContain(signed.status);
    const [{ lookups }] = (await stage.rows(
      `SELECT COUNT(*) AS lookups FROM audit_entries WHERE target = 'customer ${wire(customer)}' AND outcome = 'done'`,
    )) as [{ lookups: string }];
    expect(Number(lookups)).toBeGreaterThanOrEqual(2);
  });
});
