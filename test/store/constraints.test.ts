import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type FreshDatabase, freshDatabase } from '../support/database.js';

let fresh: FreshDatabase;
beforeAll(async () => {
  fresh = await freshDatabase({ poolSize: 2 });
});
afterAll(() => fresh?.drop());

const HASH = `x'${'00'.repeat(32)}'`;
const order = (paid: number, split: number, returned: number, refunded: number) =>
  `INSERT INTO orders VALUES (1, 1, 'SO-1', 'n', 'a', '', ${paid}, ${split}, ${returned}, ${refunded}, 0)`;
const account = (type: string, balance: number, held: number) =>
  `INSERT INTO accounts VALUES (1, 1, '${type}', 'open', ${balance}, ${held}, 0, ${HASH}, NULL)`;
const hold = (captured: number, released: number) =>
  `INSERT INTO holds VALUES (1, 1, 1, 100, ${captured}, ${released}, 'p', NULL, 0)`;

/** The rules that the database itself keeps, and rows that break each of them. */
const CHECKS: Readonly<Record<string, readonly string[]>> = {
  accounts_floor: [account('sub', -1, 0), account('sub', 99, 100), account('order', -1, 0), account('custody', 1, 0)],
  accounts_held: [account('sub', 5, -1)],
  uncleared_amount: ["INSERT INTO uncleared VALUES (1, '2026-03-02', -1)"],
  entries_amount: [`INSERT INTO entries VALUES (1, 1, 1, 0, 0, '2026-03-02', 0, ${HASH})`],
  orders_conserved: [order(100, 101, 0, 0), order(100, 0, 0, 101), order(100, 60, 0, 41)],
  order_shares_returned: ['INSERT INTO order_shares VALUES (1, 1, 10, 11)', 'INSERT INTO order_shares VALUES (1, 1, 10, -1)'],
  holds_conserved: [hold(60, 41), hold(-1, 0), hold(0, -1), hold(101, 0)],
  clearing_lines_amount: ["INSERT INTO clearing_lines VALUES (1, '2026-03-02', 1, 0)"],
  payouts_amount: [
    "INSERT INTO payouts VALUES (1, 1, 0, 'refund', 1, NULL, 0, 'n', 'a', '', '2026-03-02', 'created', NULL, NULL, 0, 0, 0, 0)",
  ],
};

const SOUND = [
  account('sub', 100, 100),
  account('custody', -5, 0),
  order(100, 60, 10, 50),
  hold(60, 40),
  'INSERT INTO order_shares VALUES (1, 1, 10, 10)',
  "INSERT INTO uncleared VALUES (1, '2026-03-02', 0)",
];

/** Runs a statement that is undone again whatever it says. */
async function attempt(statement: string): Promise<string> {
  const undo = new Error('undone');
  try {
    await fresh.db.withTx('attempt', async (tx) => {
      await tx.write(statement);
      throw undo;
    });
  } catch (error) {
    return error === undo ? 'accepted' : (error as Error).message;
  }
  return 'unreachable';
}

describe('the database itself refuses', () => {
  it('what breaks one of these rules, and there are no others', async () => {
    const rows = await fresh.db.read('checks', (tx) =>
      tx.rows<{ name: string }>(
        'SELECT constraint_name AS name FROM information_schema.check_constraints WHERE constraint_schema = DATABASE()',
      ),
    );
    expect(rows.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(CHECKS)));
    expect(rows.map(({ name }) => name).filter((name) => !(name in CHECKS))).toEqual([]);
  });

  const cases = Object.entries(CHECKS).flatMap(([name, statements]) => statements.map((statement) => [name, statement] as const));
  it.each(cases)('%s: %s', async (name, statement) => {
    expect(await attempt(statement)).toMatch(name);
  });

  it.each(SOUND)('but accepts a sound row: %s', async (statement) => {
    expect(await attempt(statement)).toBe('accepted');
  });

  it.each([
    ['an amount beyond BIGINT', "INSERT INTO uncleared VALUES (1, '2026-03-02', 9223372036854775808)"],
    ['a date that is none', "INSERT INTO uncleared VALUES (1, '2026-02-30', 1)"],
    ['a text that is too long', "INSERT INTO counters VALUES (REPEAT('x', 33), 1)"],
  ])('%s instead of bending it', async (_name, statement) => {
    expect(await attempt(statement)).toMatch(/out of range|incorrect date|too long/i);
  });
});

/** The keys that make a second one impossible: everything else of the kind is read before it is written. */
const UNIQUE: Readonly<Record<string, string>> = {
  'books.books_custody_no': 'custody_no',
  'instructions.instructions_request': 'platform_id,origin,request_no',
  'orders.orders_order_no': 'platform_id,order_no',
  'sub_merchants.sub_merchants_number': 'platform_id,merchant_no',
  'sub_merchants.sub_merchants_virtual_no': 'virtual_no',
  'sub_merchants.sub_merchants_account': 'account_id',
  'entries.PRIMARY': 'instruction_id,account_id',
  'entries.entries_chain': 'account_id,seq',
  'breaks.breaks_one_a_reference': 'platform_id,business_date,reference',
  'outcomes.PRIMARY': 'instruction_id',
  'corrections.PRIMARY': 'original_id',
  'payouts.PRIMARY': 'id',
  'outbox.PRIMARY': 'shard_id,seq',
  'boundary.PRIMARY': 'platform_id,business_date,instruction_id',
};

describe('the keys', () => {
  it('keep what may be there once alone', async () => {
    const rows = await fresh.db.read('keys', (tx) =>
      tx.rows<{ name: string; columns: string }>(
        `SELECT CONCAT(table_name, '.', index_name) AS name, GROUP_CONCAT(column_name ORDER BY seq_in_index) AS columns
         FROM information_schema.statistics WHERE table_schema = DATABASE() AND non_unique = 0 GROUP BY table_name, index_name`,
      ),
    );
    const keys = Object.fromEntries(rows.map(({ name, columns }) => [name, columns]));
    expect(keys).toMatchObject(UNIQUE);
  });

  it('of every table include a primary one', async () => {
    const rows = await fresh.db.read('tables', (tx) =>
      tx.rows<{ name: string }>(
        `SELECT t.table_name AS name FROM information_schema.tables AS t WHERE t.table_schema = DATABASE() AND NOT EXISTS
           (SELECT 1 FROM information_schema.statistics AS s
            WHERE s.table_schema = t.table_schema AND s.table_name = t.table_name AND s.index_name = 'PRIMARY')`,
      ),
    );
    expect(rows).toEqual([]);
  });

  it('never count by themselves: ids are made by the application', async () => {
    const rows = await fresh.db.read('columns', (tx) =>
      tx.rows(
        `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = DATABASE() AND extra LIKE '%increment%'
         AND table_name <> 'migrations'`,
      ),
    );
    expect(rows).toEqual([]);
  });
});
