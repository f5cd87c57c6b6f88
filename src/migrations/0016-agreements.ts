import type { MigrationInterface, QueryRunner } from 'typeorm';
import { PARAMETERS } from './data/parameters.js';

/**
 * Agreements between platforms and sub-merchants in versions with dates, who signed them, and whether a book takes orders without them.
 * Locks `books` for the time of adding a column at its end (instant on both servers). Back out: drop the tables and the column; the
 * parameters may stay. Re-runnable: what is there is left as it is.
 */
const STATEMENTS = [
  `CREATE TABLE IF NOT EXISTS agreements (
     id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     account_id BIGINT NOT NULL,
     agreement_no VARCHAR(64) NOT NULL,
     created_ms BIGINT NOT NULL,
     UNIQUE KEY agreements_number (platform_id, agreement_no),
     UNIQUE KEY agreements_account (account_id)
   )`,
  // Canonical JSON by its SHA-256: what a thousand sellers agree on alike stands here once. Never changed.
  `CREATE TABLE IF NOT EXISTS agreement_terms (
     hash BINARY(32) NOT NULL PRIMARY KEY,
     terms MEDIUMTEXT NOT NULL
   )`,
  // Versions that a platform submitted together, of the same terms and dates.
  `CREATE TABLE IF NOT EXISTS agreement_groups (
     id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     group_no VARCHAR(64) NOT NULL,
     content_hash BINARY(32) NOT NULL,
     terms_hash BINARY(32) NOT NULL,
     valid_from DATE NOT NULL,
     valid_to DATE NULL,
     versions INT NOT NULL,
     submitted_ms BIGINT NOT NULL,
     UNIQUE KEY agreement_groups_number (platform_id, group_no)
   )`,
  // amends: the version beneath a promotion; null otherwise. state: see agreements/states.ts. needed, signed: how many receivers have to
  // sign and have signed.
  `CREATE TABLE IF NOT EXISTS agreement_versions (
     id BIGINT NOT NULL PRIMARY KEY,
     agreement_id BIGINT NOT NULL,
     platform_id BIGINT NOT NULL,
     account_id BIGINT NOT NULL,
     version INT NOT NULL,
     amends INT NULL,
     group_id BIGINT NULL,
     terms_hash BINARY(32) NOT NULL,
     content_hash BINARY(32) NOT NULL,
     state VARCHAR(13) NOT NULL,
     valid_from DATE NOT NULL,
     valid_to DATE NULL,
     needed INT NOT NULL,
     signed INT NOT NULL,
     submitted_ms BIGINT NOT NULL,
     countersigned_ms BIGINT NULL,
     checked_ms BIGINT NULL,
     checked_by BIGINT NULL,
     decided_ms BIGINT NULL,
     decided_by BIGINT NULL,
     reason_sealed TEXT NULL,
     UNIQUE KEY agreement_versions_number (agreement_id, version),
     KEY agreement_versions_by_account (account_id, state),
     KEY agreement_versions_by_state (state, id),
     KEY agreement_versions_by_group (group_id, id),
     CONSTRAINT agreement_versions_two CHECK (state <> 'approved' OR decided_by <> checked_by),
     CONSTRAINT agreement_versions_signed CHECK (signed >= 0 AND signed <= needed)
   )`,
  // way: page, paper. live is 1 while it is asked or signed and null afterwards: one of a receiver at a time. state: asked, signed,
  // declined, lapsed. voucher: number of the signed form; recorded_by: the member of staff who saw it.
  `CREATE TABLE IF NOT EXISTS agreement_signatures (
     id BIGINT NOT NULL PRIMARY KEY,
     version_id BIGINT NOT NULL,
     account_id BIGINT NOT NULL,
     live TINYINT NULL,
     way VARCHAR(5) NOT NULL,
     state VARCHAR(8) NOT NULL,
     user_id BIGINT NULL,
     consent_id BIGINT NULL,
     consent_expires_ms BIGINT NULL,
     voucher_sealed TEXT NULL,
     recorded_by BIGINT NULL,
     created_ms BIGINT NOT NULL,
     signed_ms BIGINT NULL,
     UNIQUE KEY agreement_signatures_live (version_id, account_id, live)
   )`,
];
const ADDED = ['split.others-cap', 'agreement.answer-hours', 'same-day.days'];

export class Agreements1700000000016 implements MigrationInterface {
  name = 'Agreements1700000000016';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
    // none: the platform says who gets what of an order; required: the sellers' agreements do.
    if (!(await runner.hasColumn('books', 'agreements')))
      await runner.query("ALTER TABLE books ADD COLUMN agreements VARCHAR(8) NOT NULL DEFAULT 'none'");
    for (const [name, validFrom, value, source] of PARAMETERS.filter((row) => ADDED.includes(row[0]))) {
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
