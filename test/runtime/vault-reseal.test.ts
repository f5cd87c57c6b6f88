import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Resealing, reseal } from '../../scripts/reseal.js';
import { findSubMerchant } from '../../src/accounts/store.js';
import { viewSubMerchant } from '../../src/accounts/sub-merchants.js';
import type { DocumentStore } from '../../src/parties/documents/document-store.js';
import { type Database, isSealed, openVault, type Vault } from '../../src/runtime/index.js';
import { fen, type Market, MONDAY, openMarket } from '../clearing/market.js';
import { TEST_KEYS } from '../support/database.js';

type Row = Record<string, string | Buffer | null>;

const NEXT_KEYS = { ...TEST_KEYS, VAULT_KEYS: `k2=${Buffer.alloc(32, 7).toString('base64')},${TEST_KEYS.VAULT_KEYS}` };
const PAYER = { name: '欧阳测试', account: '622202000000000007', bankCode: '102100099996' };
const COUNTERPARTY = '司徒对手';

/** What held personal data plain before there was any sealing, and what one row of it must read. */
const COLUMNS: readonly (readonly [table: string, column: string])[] = [
  ['parties', 'name'],
  ['parties', 'id_no'],
  ['settlement_accounts', 'holder_name'],
  ['settlement_accounts', 'account_no'],
  ['orders', 'payer_name'],
  ['orders', 'payer_account'],
  ['payouts', 'payee_name'],
  ['payouts', 'payee_account'],
  ['statement_lines', 'counterparty'],
  ['statement_lines', 'text'],
];

let market: Market;
let db: Database;
beforeAll(async () => {
  market = await openMarket();
  ({ db } = market.world);
  const data = { orderNo: 'A', amount: fen(1_000n), payer: PAYER, reference: 'PAID-A' };
  expect(await market.give('payment', data)).toBe('posted');
  await market.channels.coreBank.inflows(market.custodyNo, MONDAY, [
    { reference: 'PAID-A', amount: 1_000n, counterparty: PAYER.name, text: '' },
    { reference: 'NOBODY-KNOWS', amount: 5n, counterparty: COUNTERPARTY, text: '备注' },
  ]);
  await market.split('A', [
    [market.here, 600n],
    [market.there, 300n],
  ]);
  expect(await market.give('refund', { orderNo: 'A', amount: fen(100n) })).toBe('posted');
  market.goTo('2026-03-03');
  await market.close();
});
afterAll(() => market.end());

function rows(table: string): Promise<Row[]> {
  return db.read('rows', (tx) => tx.rows<Row>(`SELECT * FROM ${table}`));
}

/** Every text that may be sealed, as it reads. */
async function everything(vault: Vault): Promise<string[]> {
  const texts: string[] = [];
  for (const [table, column] of COLUMNS) {
    for (const row of await rows(table)) texts.push(`${table}.${column} ${vault.read(String(row[column]))}`);
  }
  return texts.sort();
}

/** Puts the database back to the time before sealing, as far as it holds these columns. */
async function unseal(): Promise<void> {
  const { vault } = market.world.rt;
  await db.withTx('unseal', async (tx) => {
    for (const [table, column] of COLUMNS) {
      for (const row of await tx.rows<Row>(`SELECT DISTINCT ${column} FROM ${table}`)) {
        const sealed = String(row[column]);
        await tx.write(`UPDATE ${table} SET ${column} = ? WHERE ${column} = ?`, [vault.read(sealed), sealed]);
      }
    }
    for (const row of await tx.rows<Row>("SELECT id, body FROM instructions WHERE kind = 'payment'")) {
      const body = JSON.parse(String(row.body)) as { payer: Record<string, string> };
      const payer = Object.fromEntries(Object.entries(body.payer).map(([key, text]) => [key, vault.read(text)]));
      await tx.write('UPDATE instructions SET body = ? WHERE id = ?', [JSON.stringify({ ...body, payer }), row.id]);
    }
    await tx.write('UPDATE parties SET id_index = NULL');
  });
}

describe('resealing', () => {
  let plain: string[];
  let first: Resealing;

  test('a database of the time before sealing is read as it is, and decides, pays and shows as ever', async () => {
    const { vault } = market.world.rt;
    const before = await everything(vault);
    await unseal();
    plain = await everything(vault);
    expect(plain).toEqual(before);
    expect((await rows('orders')).map((row) => row.payer_name)).toEqual([PAYER.name]);
    const again = { orderNo: 'A', amount: fen(100n), payer: PAYER, reference: 'PAID-A2' };
    expect(await market.give('payment', again)).toBe('posted');
    const other = { ...again, payer: { ...PAYER, account: '622202000000000015' }, reference: 'PAID-A3' };
    expect(await market.give('payment', other)).toBe('ORDER_PAYER_DIFFERS');
    expect(await market.give('refund', { orderNo: 'A', amount: fen(50n) })).toBe('posted');
    const [id] = (await rows('sub_merchants')).map((row) => String(row.id));
    const seller = await db.read('seller', (tx) => viewSubMerchant(tx, vault, market.platformId, id as never));
    expect(seller).toMatchObject({ party: { name: '甲商户' }, settlementAccount: { name: '甲商户' } });
  });

  test('seals every plain text, fills the indexes, and everything reads as before', async () => {
    const { vault } = market.world.rt;
    const before = await everything(vault);
    first = await reseal(db, vault);
    expect(first).toMatchObject({
      key: 'k1',
      done: true,
      unreadable: 0,
      changedMeanwhile: 0,
      resealed: 0,
      indexed: 2,
      passes: 2,
    });
    expect(first.sealed).toBeGreaterThan(15);
    for (const [table, column] of COLUMNS) {
      for (const row of await rows(table)) if (row[column] !== '') expect(String(row[column])).toMatch(/^s1\.k1\./);
    }
    for (const { kind, body } of await rows('instructions')) if (kind === 'payment') expect(body).not.toContain(PAYER.name);
    for (const party of await rows('parties')) {
      expect(party.id_index).toEqual(vault.index('id:uscc', vault.read(String(party.id_no))));
    }
    expect(await everything(vault)).toEqual(before);
    expect(before).toEqual(expect.arrayContaining(plain));
  });

  test('finds nothing to do the second time', async () => {
    expect(await reseal(db, market.world.rt.vault)).toMatchObject({ sealed: 0, resealed: 0, indexed: 0, done: true, passes: 1 });
  });

  test('after a rotation everything comes under the new key; the old one is needed no more', async () => {
    const before = await everything(market.world.rt.vault);
    const next = openVault(NEXT_KEYS);
    const { done, sealed, resealed } = await reseal(db, next);
    const sealedAtOnce = 2; // bodies of the payments that came after the return to the time before
    expect({ done, sealed, resealed }).toEqual({ done: true, sealed: 0, resealed: first.sealed + sealedAtOnce });
    const alone = openVault({ ...NEXT_KEYS, VAULT_KEYS: NEXT_KEYS.VAULT_KEYS.split(',')[0] as string });
    expect(await everything(alone)).toEqual(before);
    expect(await reseal(db, openVault({ ...NEXT_KEYS, VAULT_CIPHER: 'sm4' }))).toMatchObject({ done: true, sealed: 0, resealed });
    expect((await rows('orders')).map((row) => String(row.payer_name).slice(0, 6))).toEqual(['s2.k2.']);
    expect(await everything(alone)).toEqual(before);
  });

  test('killed half way it goes on where it was, and what changes meanwhile is not overwritten', async () => {
    const { vault } = market.world.rt;
    await reseal(db, openVault({ ...TEST_KEYS, VAULT_KEYS: NEXT_KEYS.VAULT_KEYS.split(',').reverse().join() }));
    await unseal();
    let reads = 0;
    const dying: Database = {
      ...db,
      withTx: (...all) => {
        reads += 1;
        return reads > 2 ? Promise.reject(new Error('killed')) : db.withTx(...all);
      },
    };
    await expect(reseal(dying, vault)).rejects.toThrow('killed');
    const newer = vault.seal('改名后');
    let changed = false;
    const busy: Database = {
      ...db,
      withTx: async (label, ...rest) => {
        if (!changed) {
          changed = true; // between the look of the resealing and its write somebody renames every party
          await db.withTx('rename', (tx) => tx.write('UPDATE parties SET name = ?', [newer]));
        }
        return db.withTx(label, ...rest);
      },
    };
    const result = await reseal(busy, vault);
    expect(result).toMatchObject({ done: true, unreadable: 0 });
    expect((await rows('parties')).map((row) => row.name)).toEqual([newer, newer]);
    for (const [table, column] of COLUMNS) {
      for (const row of await rows(table)) expect(row[column] === '' || isSealed(String(row[column]))).toBe(true);
    }
  });

  test('images of documents are sealed anew where they lie; one that is gone is told', async () => {
    const { vault } = market.world.rt;
    const kept = new Map([['1', vault.seal('image one')]]);
    const images: DocumentStore = {
      get: (key) => Promise.resolve(kept.get(key)),
      put: (key, sealed) => Promise.resolve(void kept.set(key, sealed)),
    };
    await db.withTx('documents', (tx) =>
      tx.write(
        "INSERT INTO documents VALUES (1, 9, 'id-front', 'image/png', 9, x'01', 0), (2, 9, 'id-back', 'image/png', 9, x'02', 0)",
      ),
    );
    const next = openVault(NEXT_KEYS);
    const said: string[] = [];
    expect(await reseal(db, next, { images, say: (line) => said.push(line) })).toMatchObject({ documents: 1, unreadable: 1 });
    expect(said).toEqual([expect.stringMatching(/^document 2 cannot be read/)]);
    expect(kept.get('1')).toMatch(/^s1\.k2\./);
    expect(next.open(kept.get('1') as string)).toBe('image one');
    await db.withTx('documents', (tx) => tx.write('DELETE FROM documents'));
    await reseal(db, openVault({ ...TEST_KEYS, VAULT_KEYS: NEXT_KEYS.VAULT_KEYS.split(',').reverse().join() }));
  });

  test('a text whose key is gone stays as it is and is counted; the others are done all the same', async () => {
    const { vault } = market.world.rt;
    const lost = openVault({ ...TEST_KEYS, VAULT_KEYS: `lost=${Buffer.alloc(32, 3).toString('base64')}` }).seal('不可读');
    await db.withTx('lose', (tx) => tx.write('UPDATE orders SET payer_name = ?', [lost]));
    const said: string[] = [];
    const result = await reseal(db, openVault(NEXT_KEYS), { say: (line) => said.push(line) });
    expect(result).toMatchObject({ done: true, unreadable: 1 });
    expect((await rows('orders')).map((row) => row.payer_name)).toEqual([lost]);
    expect(said[0]).toMatch(/^orders [0-9]{19} cannot be read/);
    const [id] = (await rows('sub_merchants')).map((row) => String(row.id));
    const merchant = await db.read('seller', (tx) => findSubMerchant(tx, market.platformId, id as never));
    expect(merchant?.merchantNo).toBe('here');
    expect(vault.keyId).toBe('k1');
  });
});
