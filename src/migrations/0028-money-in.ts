import type { MigrationInterface, QueryRunner } from 'typeorm';
import { virtualAccountNo } from '../kernel/index.js';
import { PARAMETERS } from './data/parameters.js';

/**
 * Transfers to every sort of account, by the message that brought them, and from whom accounts take them; contracts of cards with collecting
 * channels; collections by channels that pay over later; day files of acquirers.
 * Locks `incoming_transfers` and `books` for the time of adding columns and a key, and `accounts` for the time of checking its floors anew. Back out: drop the tables and columns.
 * Re-runnable: what is there is left as it is.
 */
const STATEMENTS = [
  // From whom an account takes transfers: anyone, own-account, nobody. Without a row: anyone.
  `CREATE TABLE IF NOT EXISTS pay_in_rules (
     account_id BIGINT NOT NULL PRIMARY KEY,
     rule VARCHAR(12) NOT NULL,
     changed_ms BIGINT NOT NULL
   )`,
  // Virtual account numbers of platforms' own accounts.
  `CREATE TABLE IF NOT EXISTS own_numbers (
     virtual_no CHAR(19) NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     account_id BIGINT NOT NULL,
     UNIQUE KEY own_numbers_account (account_id)
   )`,
  // Contracts by which a customer lets a collecting channel debit one of his cards (签约), each under our own number. state: asked, signed,
  // refused, replaced; live is 1 of the one that is asked or signed now, else null. content_hash: who, which card, which mobile number.
  `CREATE TABLE IF NOT EXISTS channel_signings (
     sign_no BIGINT NOT NULL PRIMARY KEY,
     channel VARCHAR(12) NOT NULL,
     customer_id BIGINT NOT NULL,
     card_index BINARY(32) NOT NULL,
     content_hash BINARY(32) NOT NULL,
     state VARCHAR(10) NOT NULL,
     live TINYINT NULL,
     contract_sealed VARCHAR(512) NULL,
     reason VARCHAR(128) NULL,
     asked_ms BIGINT NOT NULL,
     changed_ms BIGINT NOT NULL,
     UNIQUE KEY channel_signings_live (channel, customer_id, card_index, live),
     KEY channel_signings_by_customer (customer_id, sign_no)
   )`,
  // Collections by channels that pay over later. reference: of the sum on the statement. settled_by, credited_by: the instructions that moved the
  // money to custody and to its account; null: not yet.
  `CREATE TABLE IF NOT EXISTS channel_collections (
     payout_id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     channel VARCHAR(12) NOT NULL,
     amount BIGINT NOT NULL,
     at_once TINYINT NOT NULL,
     reference VARCHAR(64) NOT NULL,
     due_on DATE NOT NULL,
     clears_on DATE NOT NULL,
     settled_by BIGINT NULL,
     credited_by BIGINT NULL,
     KEY channel_collections_due (platform_id, settled_by, reference),
     KEY channel_collections_uncredited (platform_id, credited_by, settled_by)
   )`,
  // The accounts of a book by which they pass.
  `CREATE TABLE IF NOT EXISTS channel_accounts (
     platform_id BIGINT NOT NULL PRIMARY KEY,
     due_id BIGINT NOT NULL,
     collected_id BIGINT NOT NULL
   )`,
  `CREATE TABLE IF NOT EXISTS acquirers (
     code VARCHAR(64) NOT NULL PRIMARY KEY,
     name VARCHAR(128) NOT NULL,
     account_sealed VARCHAR(1024) NOT NULL,
     bank_code VARCHAR(12) NOT NULL
   )`,
  // Day files of acquirers. state: checked, released, rejected.
  `CREATE TABLE IF NOT EXISTS acquirer_files (
     id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     acquirer VARCHAR(64) NOT NULL,
     file_no VARCHAR(64) NOT NULL,
     reference VARCHAR(64) NOT NULL,
     total BIGINT NOT NULL,
     fee BIGINT NOT NULL,
     content_hash BINARY(32) NOT NULL,
     state VARCHAR(8) NOT NULL,
     uploaded_by BIGINT NOT NULL,
     uploaded_ms BIGINT NOT NULL,
     decided_by BIGINT NULL,
     decided_ms BIGINT NULL,
     fee_instruction BIGINT NULL,
     UNIQUE KEY acquirer_files_number (acquirer, file_no),
     CONSTRAINT acquirer_files_two CHECK (state <> 'released' OR decided_by <> uploaded_by)
   )`,
  // Their lines. counts: 1, or null in a file that was rejected: a trade counts in one file.
  `CREATE TABLE IF NOT EXISTS acquirer_trades (
     file_id BIGINT NOT NULL,
     line_no INT NOT NULL,
     acquirer VARCHAR(64) NOT NULL,
     trade_no VARCHAR(64) NOT NULL,
     order_no VARCHAR(64) NOT NULL,
     amount BIGINT NOT NULL,
     counts TINYINT NULL,
     instruction_id BIGINT NULL,
     PRIMARY KEY (file_id, line_no),
     UNIQUE KEY acquirer_trades_once (acquirer, trade_no, counts)
   )`,
];

// The message that brought a transfer, and the payer's words. `acts` is 1 of the one transfer of a message that acts, and null of repeats.
// Transfers from before are messages of their own.
const COLUMNS = [
  ['channel', "VARCHAR(12) NOT NULL DEFAULT ''"],
  ['sender_bank', "VARCHAR(32) NOT NULL DEFAULT ''"],
  ['message_no', "VARCHAR(64) NOT NULL DEFAULT ''"],
  ['acts', 'TINYINT NULL DEFAULT 1'],
  ['remark_sealed', "VARCHAR(2048) NOT NULL DEFAULT ''"],
] as const;

const ADDED = ['pay-in.floor', 'psp-collect.days'];

// What channels owe is an asset of the bank's, as custody is.
const FLOOR = `CHECK ((type IN ('custody', 'channel-due') AND balance <= 0)
  OR (type NOT IN ('custody', 'channel-due') AND balance >= held))`;

export class MoneyIn1700000000028 implements MigrationInterface {
  name = 'MoneyIn1700000000028';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
    for (const [column, definition] of COLUMNS) {
      if (!(await runner.hasColumn('incoming_transfers', column)))
        await runner.query(`ALTER TABLE incoming_transfers ADD COLUMN ${column} ${definition}`);
    }
    await runner.query("UPDATE incoming_transfers SET message_no = reference WHERE message_no = ''");
    if (!(await runner.hasColumn('books', 'collected')))
      await runner.query("ALTER TABLE books ADD COLUMN collected VARCHAR(12) NOT NULL DEFAULT 'when-settled'");
    const floors: unknown[] = await runner.query(
      `SELECT 1 FROM information_schema.check_constraints WHERE constraint_schema = DATABASE() AND constraint_name = 'accounts_floor_assets'`,
    );
    if (floors.length === 0)
      await runner.query(`ALTER TABLE accounts DROP CONSTRAINT accounts_floor, ADD CONSTRAINT accounts_floor_assets ${FLOOR}`);
    const keys: unknown[] = await runner.query(
      "SHOW INDEX FROM incoming_transfers WHERE Key_name = 'incoming_transfers_message'",
    );
    if (keys.length === 0)
      await runner.query(
        'ALTER TABLE incoming_transfers ADD UNIQUE KEY incoming_transfers_message (channel, sender_bank, message_no, acts)',
      );
    for (const [name, validFrom, value, source] of PARAMETERS.filter((row) => ADDED.includes(row[0]))) {
      await runner.query(
        `INSERT INTO parameters (name, valid_from, value, source) VALUES (?, ?, ?, ?)
         ON DUPLICATE KEY UPDATE value = parameters.value`,
        [name, validFrom, value, source],
      );
    }
    await numberOwnFunds(runner);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

/** Books from before get a number for the platform's own funds. */
async function numberOwnFunds(runner: QueryRunner): Promise<void> {
  const books: { platform_id: string; own_funds_id: string }[] = await runner.query(
    `SELECT CAST(platform_id AS CHAR) AS platform_id, CAST(own_funds_id AS CHAR) AS own_funds_id FROM books
     WHERE own_funds_id NOT IN (SELECT account_id FROM own_numbers)`,
  );
  for (const { platform_id, own_funds_id } of books) {
    await runner.query(
      "INSERT INTO counters (name, value) VALUES ('virtual-account', 1) ON DUPLICATE KEY UPDATE value = value + 1",
    );
    const [row]: { value: string }[] = await runner.query(
      "SELECT CAST(value AS CHAR) AS value FROM counters WHERE name = 'virtual-account'",
    );
    const virtualNo = virtualAccountNo(BigInt(row?.value ?? '1') - 1n);
    await runner.query('INSERT INTO own_numbers (virtual_no, platform_id, account_id) VALUES (?, ?, ?)', [
      virtualNo,
      platform_id,
      own_funds_id,
    ]);
  }
}
