import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Business days and the steps of their closes; statements, and where they differ from the books; what was sent to channels.
 * Locks nothing (new tables). Back out: drop the tables. Re-runnable: every statement is IF NOT EXISTS.
 */
const STATEMENTS = [
  // The totals are those of the cut-off; `control` is kept from movements over the wall alone. retry_ms is wall time.
  `CREATE TABLE IF NOT EXISTS business_days (
     platform_id BIGINT NOT NULL,
     business_date DATE NOT NULL,
     state VARCHAR(8) NOT NULL,
     custody BIGINT NULL,
     children BIGINT NULL,
     control BIGINT NULL,
     reason VARCHAR(200) NULL,
     attempts INT NOT NULL,
     retry_ms BIGINT NOT NULL,
     opened_ms BIGINT NOT NULL,
     cut_ms BIGINT NULL,
     closed_ms BIGINT NULL,
     PRIMARY KEY (platform_id, business_date),
     KEY business_days_by_state (state, retry_ms)
   )`,
  `CREATE TABLE IF NOT EXISTS close_steps (
     platform_id BIGINT NOT NULL,
     business_date DATE NOT NULL,
     step VARCHAR(12) NOT NULL,
     state VARCHAR(8) NOT NULL,
     started_ms BIGINT NULL,
     finished_ms BIGINT NULL,
     detail TEXT NULL,
     PRIMARY KEY (platform_id, business_date, step)
   )`,
  // What the clearing of a date pays, written down whole before any of it is submitted.
  `CREATE TABLE IF NOT EXISTS clearing_lines (
     platform_id BIGINT NOT NULL,
     business_date DATE NOT NULL,
     account_id BIGINT NOT NULL,
     amount BIGINT NOT NULL,
     PRIMARY KEY (platform_id, business_date, account_id),
     CONSTRAINT clearing_lines_amount CHECK (amount > 0)
   )`,
  `CREATE TABLE IF NOT EXISTS statements (
     platform_id BIGINT NOT NULL,
     business_date DATE NOT NULL,
     opening BIGINT NOT NULL,
     closing BIGINT NOT NULL,
     line_count INT NOT NULL,
     digest BINARY(32) NOT NULL,
     fetched_ms BIGINT NOT NULL,
     PRIMARY KEY (platform_id, business_date)
   )`,
  // Only the lines that found no match in the books of their day.
  `CREATE TABLE IF NOT EXISTS statement_lines (
     platform_id BIGINT NOT NULL,
     business_date DATE NOT NULL,
     line_no INT NOT NULL,
     reference VARCHAR(64) NOT NULL,
     amount BIGINT NOT NULL,
     counterparty VARCHAR(140) NOT NULL,
     text VARCHAR(140) NOT NULL,
     PRIMARY KEY (platform_id, business_date, line_no)
   )`,
  // difference = ours − theirs; it stands between the books and the bank until cleared_date, even when a person accepted it.
  `CREATE TABLE IF NOT EXISTS breaks (
     id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     business_date DATE NOT NULL,
     class VARCHAR(16) NOT NULL,
     reference VARCHAR(64) NOT NULL,
     our_amount BIGINT NULL,
     their_amount BIGINT NULL,
     difference BIGINT NOT NULL,
     timing TINYINT NOT NULL,
     state VARCHAR(8) NOT NULL,
     cleared_date DATE NULL,
     opened_ms BIGINT NOT NULL,
     closed_ms BIGINT NULL,
     closed_by VARCHAR(64) NULL,
     note VARCHAR(500) NULL,
     UNIQUE KEY breaks_one_a_reference (platform_id, business_date, reference),
     KEY breaks_by_platform (platform_id, id),
     KEY breaks_by_state (state, id),
     KEY breaks_outstanding (platform_id, cleared_date)
   )`,
  // What was handed to a channel, under which date: with the payout it is the whole content of the message, for repeats.
  `CREATE TABLE IF NOT EXISTS dispatches (
     payout_id BIGINT NOT NULL PRIMARY KEY,
     batch_id BIGINT NOT NULL,
     business_date DATE NOT NULL,
     sent_wall_ms BIGINT NOT NULL
   )`,
  // How far the feed of a channel was read, and when it last answered (wall time).
  `CREATE TABLE IF NOT EXISTS channel_cursors (
     channel VARCHAR(12) NOT NULL PRIMARY KEY,
     feed_cursor VARCHAR(128) NOT NULL,
     success_ms BIGINT NOT NULL
   )`,
  // Platforms whose books did not prove: nothing of theirs is sent.
  `CREATE TABLE IF NOT EXISTS payment_stops (
     platform_id BIGINT NOT NULL PRIMARY KEY,
     reason VARCHAR(200) NOT NULL,
     since_ms BIGINT NOT NULL
   )`,
];

export class Days1700000000006 implements MigrationInterface {
  name = 'Days1700000000006';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
