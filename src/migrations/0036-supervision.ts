import type { MigrationInterface, QueryRunner } from 'typeorm';
import { PARAMETERS } from './data/parameters.js';

/**
 * What authorities ask of the bank: the flows of each customer and natural day, large-value and suspicious reports, the quarterly data about
 * sellers for the tax authorities, custody reports; and the parameters by which they are made. Columns named `…_sealed` hold text that was
 * sealed by the vault: people write names.
 * Locks nothing (new tables). Back out: drop the tables. Re-runnable: every statement is.
 */
const STATEMENTS = [
  // Natural days that were looked at. state: due (a person asked for it again), running, done. pass: how often. digest: over all totals of the day.
  `CREATE TABLE IF NOT EXISTS supervision_days (
     on_date DATE NOT NULL PRIMARY KEY,
     state VARCHAR(8) NOT NULL,
     pass INT NOT NULL,
     digest BINARY(32) NULL,
     changed_ms BIGINT NOT NULL
   )`,
  // How far the outbox of a shard was read for the totals of a day: after_seq was, to_seq is the last to read.
  `CREATE TABLE IF NOT EXISTS supervision_cursors (
     on_date DATE NOT NULL,
     shard_id INT NOT NULL,
     after_seq BIGINT NOT NULL,
     to_seq BIGINT NOT NULL,
     PRIMARY KEY (on_date, shard_id)
   )`,
  // Who is behind a subject (the blind index of an identity, or of a platform without one), and where his particulars lie.
  `CREATE TABLE IF NOT EXISTS supervised_subjects (
     subject BINARY(32) NOT NULL PRIMARY KEY,
     kind VARCHAR(8) NOT NULL,
     found_in VARCHAR(8) NOT NULL,
     ref_id BIGINT NOT NULL
   )`,
  // What came to a customer from others and went to others in a natural day, by platform; made again from the books at any time. refunded: what of
  // out went back to orders and their payers.
  `CREATE TABLE IF NOT EXISTS customer_days (
     subject BINARY(32) NOT NULL,
     on_date DATE NOT NULL,
     platform_id BIGINT NOT NULL,
     in_sum BIGINT NOT NULL,
     in_lines INT NOT NULL,
     out_sum BIGINT NOT NULL,
     out_lines INT NOT NULL,
     refunded BIGINT NOT NULL,
     PRIMARY KEY (subject, on_date, platform_id),
     KEY customer_days_by_date (on_date, subject)
   )`,
  // 大额交易报告. state: candidate, reported, exempted (two people). proposed_*: who wants it exempted and why.
  `CREATE TABLE IF NOT EXISTS large_value_reports (
     id BIGINT NOT NULL PRIMARY KEY,
     on_date DATE NOT NULL,
     subject BINARY(32) NOT NULL,
     side VARCHAR(3) NOT NULL,
     class VARCHAR(16) NOT NULL,
     amount BIGINT NOT NULL,
     line_count INT NOT NULL,
     threshold BIGINT NOT NULL,
     due_on DATE NOT NULL,
     state VARCHAR(10) NOT NULL,
     proposed_by BIGINT NULL,
     proposed_ms BIGINT NULL,
     proposed_note_sealed TEXT NULL,
     decided_by BIGINT NULL,
     decided_ms BIGINT NULL,
     receipt_no VARCHAR(64) NULL,
     created_ms BIGINT NOT NULL,
     UNIQUE KEY large_value_reports_once (on_date, subject, side),
     KEY large_value_reports_by_state (state, due_on, id),
     CONSTRAINT large_value_reports_two CHECK (state <> 'exempted' OR decided_by <> proposed_by)
   )`,
  // Its evidence: what each instruction brought or took.
  `CREATE TABLE IF NOT EXISTS large_value_lines (
     report_id BIGINT NOT NULL,
     instruction_id BIGINT NOT NULL,
     platform_id BIGINT NOT NULL,
     kind VARCHAR(24) NOT NULL,
     amount BIGINT NOT NULL,
     at_ms BIGINT NOT NULL,
     PRIMARY KEY (report_id, instruction_id)
   )`,
  // 可疑交易. state: raised, under-review, confirmed, reported, dismissed. proposed: what one person wants it to become, until another decides.
  `CREATE TABLE IF NOT EXISTS suspicion_cases (
     id BIGINT NOT NULL PRIMARY KEY,
     rule VARCHAR(24) NOT NULL,
     subject BINARY(32) NOT NULL,
     on_date DATE NOT NULL,
     figures TEXT NOT NULL,
     state VARCHAR(12) NOT NULL,
     proposed VARCHAR(12) NULL,
     proposed_by BIGINT NULL,
     proposed_ms BIGINT NULL,
     proposed_note_sealed TEXT NULL,
     decided_by BIGINT NULL,
     decided_ms BIGINT NULL,
     decided_note_sealed TEXT NULL,
     alarm_on DATE NULL,
     due_on DATE NULL,
     receipt_no VARCHAR(64) NULL,
     raised_ms BIGINT NOT NULL,
     UNIQUE KEY suspicion_cases_once (rule, subject, on_date),
     KEY suspicion_cases_by_state (state, id),
     CONSTRAINT suspicion_cases_two CHECK (decided_by IS NULL OR decided_by <> proposed_by)
   )`,
  // 涉税信息: each version of a platform's quarter that was made. Only its head: the lines are made again from the books.
  // upto_adjustment: the last adjustment that is in it. state: made, confirmed, disputed (by the platform).
  `CREATE TABLE IF NOT EXISTS tax_reports (
     platform_id BIGINT NOT NULL,
     quarter CHAR(6) NOT NULL,
     version INT NOT NULL,
     line_count INT NOT NULL,
     gross BIGINT NOT NULL,
     refunds BIGINT NOT NULL,
     fees BIGINT NOT NULL,
     unattributed BIGINT NOT NULL,
     digest BINARY(32) NOT NULL,
     state VARCHAR(10) NOT NULL,
     note_sealed TEXT NULL,
     made_by BIGINT NOT NULL,
     made_ms BIGINT NOT NULL,
     answered_ms BIGINT NULL,
     PRIMARY KEY (platform_id, quarter, version)
   )`,
  // What two people correct of a seller's month. version: the first that has it; null: not approved yet.
  `CREATE TABLE IF NOT EXISTS tax_adjustments (
     id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     quarter CHAR(6) NOT NULL,
     merchant_id BIGINT NOT NULL,
     month CHAR(7) NOT NULL,
     gross BIGINT NOT NULL,
     refunds BIGINT NOT NULL,
     fees BIGINT NOT NULL,
     note_sealed TEXT NOT NULL,
     proposed_by BIGINT NOT NULL,
     proposed_ms BIGINT NOT NULL,
     decided_by BIGINT NULL,
     decided_ms BIGINT NULL,
     version INT NULL,
     KEY tax_adjustments_by_quarter (platform_id, quarter, merchant_id),
     CONSTRAINT tax_adjustments_two CHECK (decided_by IS NULL OR decided_by <> proposed_by)
   )`,
  // 存管报告 as they were signed.
  `CREATE TABLE IF NOT EXISTS custody_reports (
     platform_id BIGINT NOT NULL,
     from_date DATE NOT NULL,
     to_date DATE NOT NULL,
     version INT NOT NULL,
     body MEDIUMTEXT NOT NULL,
     hash CHAR(64) NOT NULL,
     key_id VARCHAR(32) NOT NULL,
     signature VARCHAR(100) NOT NULL,
     made_ms BIGINT NOT NULL,
     PRIMARY KEY (platform_id, from_date, to_date, version)
   )`,
];

const ADDED = /^(?:large-value|suspicious|structuring|pass-through|sleeping|refund-churn|retention)\./;

export class Supervision1700000000036 implements MigrationInterface {
  name = 'Supervision1700000000036';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
    for (const [name, validFrom, value, source] of PARAMETERS.filter((row) => ADDED.test(row[0]))) {
      await runner.query(
        `INSERT INTO parameters (name, valid_from, value, source) VALUES (?, ?, ?, ?)
         ON DUPLICATE KEY UPDATE value = parameters.value`,
        [name, validFrom, value, source],
      );
    }
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
