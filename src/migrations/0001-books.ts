import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Shards, books, accounts, entries; instructions and their outcomes; the outbox.
 * Locks nothing (new tables). Back out: drop the tables. Re-runnable: every statement is IF NOT EXISTS.
 */
const STATEMENTS = [
  // One row a shard. A batch advances `batch_no` first: whoever holds that row is the shard's one writer.
  `CREATE TABLE IF NOT EXISTS shards (
     id INT NOT NULL PRIMARY KEY,
     batch_no BIGINT NOT NULL,
     last_ms BIGINT NOT NULL
   )`,
  // Numbers handed out one by one: process numbers for ids, virtual account numbers.
  `CREATE TABLE IF NOT EXISTS counters (
     name VARCHAR(32) NOT NULL PRIMARY KEY,
     value BIGINT NOT NULL
   )`,
  // One book a platform: its custody account at the core bank, its functional accounts, its terms, its open business date,
  // and the last date whose proof passed: money that came in later does not leave yet.
  `CREATE TABLE IF NOT EXISTS books (
     platform_id BIGINT NOT NULL PRIMARY KEY,
     shard_id INT NOT NULL,
     currency CHAR(3) NOT NULL,
     custody_no VARCHAR(32) NOT NULL,
     business_date DATE NOT NULL,
     proved_to DATE NOT NULL,
     custody_id BIGINT NOT NULL,
     in_transit_id BIGINT NOT NULL,
     own_funds_id BIGINT NOT NULL,
     commission_id BIGINT NOT NULL,
     marketing_id BIGINT NOT NULL,
     fees_id BIGINT NOT NULL,
     suspense_id BIGINT NOT NULL,
     transfer_max BIGINT NOT NULL,
     fee_max BIGINT NOT NULL,
     KEY books_by_shard (shard_id),
     UNIQUE KEY books_custody_no (custody_no)
   )`,
  // Credit is positive. The custody account is the bank's asset, so its balance is never above zero; all others never below.
  `CREATE TABLE IF NOT EXISTS accounts (
     id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     type VARCHAR(12) NOT NULL,
     state VARCHAR(8) NOT NULL,
     balance BIGINT NOT NULL,
     held BIGINT NOT NULL,
     entry_count BIGINT NOT NULL,
     head_hash BINARY(32) NOT NULL,
     uncleared_until DATE NULL,
     KEY accounts_by_platform (platform_id, type, id),
     CONSTRAINT accounts_floor CHECK ((type = 'custody' AND balance <= 0) OR (type <> 'custody' AND balance >= held)),
     CONSTRAINT accounts_held CHECK (held >= 0)
   )`,
  // Money of an account that is not withdrawable before a date.
  `CREATE TABLE IF NOT EXISTS uncleared (
     account_id BIGINT NOT NULL,
     due_date DATE NOT NULL,
     amount BIGINT NOT NULL,
     PRIMARY KEY (account_id, due_date),
     CONSTRAINT uncleared_amount CHECK (amount >= 0)
   )`,
  // Append only. The unique key makes a second entry with the same place in an account's chain impossible; the primary key
  // appends, so that a batch touches few pages though its accounts lie far apart.
  `CREATE TABLE IF NOT EXISTS entries (
     account_id BIGINT NOT NULL,
     seq BIGINT NOT NULL,
     instruction_id BIGINT NOT NULL,
     amount BIGINT NOT NULL,
     balance BIGINT NOT NULL,
     business_date DATE NOT NULL,
     posted_ms BIGINT NOT NULL,
     hash BINARY(32) NOT NULL,
     PRIMARY KEY (instruction_id, account_id),
     UNIQUE KEY entries_chain (account_id, seq),
     CONSTRAINT entries_amount CHECK (amount <> 0)
   )`,
  // Append only: what was asked, by whom, when. origin: P platform, S the system itself, O a bank operator.
  `CREATE TABLE IF NOT EXISTS instructions (
     id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     origin CHAR(1) NOT NULL,
     request_no VARCHAR(64) NOT NULL,
     kind VARCHAR(24) NOT NULL,
     body MEDIUMTEXT NOT NULL,
     body_hash BINARY(32) NOT NULL,
     actor VARCHAR(64) NOT NULL,
     received_ms BIGINT NOT NULL,
     UNIQUE KEY instructions_request (platform_id, origin, request_no),
     KEY instructions_by_platform (platform_id, id)
   )`,
  // The queue of a shard: what was received and is not decided.
  `CREATE TABLE IF NOT EXISTS inbox (
     shard_id INT NOT NULL,
     instruction_id BIGINT NOT NULL,
     PRIMARY KEY (shard_id, instruction_id)
   )`,
  // Append only: what was decided. state: posted, refused.
  `CREATE TABLE IF NOT EXISTS outcomes (
     instruction_id BIGINT NOT NULL PRIMARY KEY,
     shard_id INT NOT NULL,
     batch_no BIGINT NOT NULL,
     state VARCHAR(8) NOT NULL,
     code VARCHAR(32) NULL,
     detail TEXT NULL,
     business_date DATE NOT NULL,
     decided_ms BIGINT NOT NULL
   )`,
  // Which instruction undid which: the primary key lets only one do it.
  `CREATE TABLE IF NOT EXISTS corrections (
     original_id BIGINT NOT NULL PRIMARY KEY,
     correction_id BIGINT NOT NULL
   )`,
  // Append only: what others are to hear of, in the shard's own order; consumers keep a cursor each.
  `CREATE TABLE IF NOT EXISTS outbox (
     shard_id INT NOT NULL,
     seq BIGINT NOT NULL,
     topic VARCHAR(32) NOT NULL,
     platform_id BIGINT NOT NULL,
     ref_id BIGINT NOT NULL,
     PRIMARY KEY (shard_id, seq)
   )`,
  `CREATE TABLE IF NOT EXISTS outbox_cursors (
     consumer VARCHAR(32) NOT NULL,
     shard_id INT NOT NULL,
     seq BIGINT NOT NULL,
     PRIMARY KEY (consumer, shard_id)
   )`,
  // Money that crossed the wall of the custody account: the lines that the core bank's statement must show.
  `CREATE TABLE IF NOT EXISTS boundary (
     platform_id BIGINT NOT NULL,
     business_date DATE NOT NULL,
     instruction_id BIGINT NOT NULL,
     reference VARCHAR(64) NOT NULL,
     amount BIGINT NOT NULL,
     PRIMARY KEY (platform_id, business_date, instruction_id),
     KEY boundary_by_reference (platform_id, reference)
   )`,
  `CREATE TABLE IF NOT EXISTS batches (
     id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     line_count INT NOT NULL,
     received_ms BIGINT NOT NULL,
     KEY batches_by_platform (platform_id, id)
   )`,
  // A line was received as an instruction (now or before), or refused with a code and not received.
  `CREATE TABLE IF NOT EXISTS batch_lines (
     batch_id BIGINT NOT NULL,
     line INT NOT NULL,
     request_no VARCHAR(64) NOT NULL,
     instruction_id BIGINT NULL,
     code VARCHAR(32) NULL,
     PRIMARY KEY (batch_id, line)
   )`,
];

export class Books1700000000001 implements MigrationInterface {
  name = 'Books1700000000001';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
