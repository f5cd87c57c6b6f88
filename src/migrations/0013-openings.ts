import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Electronic accounts that platforms asked for, the cards that are bound to them, and what is to change about an account: its bound
 * card, its owner's mobile number, a new check of his identity. Columns named `…_sealed` hold text that was sealed by the vault.
 * Locks nothing (new tables). Back out: drop the tables. Re-runnable: every statement is IF NOT EXISTS.
 */
const STATEMENTS = [
  // state: pending (the card's bank is to be asked), opened, refused. answer: what the bank said of the card, as JSON.
  // content_hash is keyed by the vault: nobody can try cards against it.
  `CREATE TABLE IF NOT EXISTS openings (
     id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     opening_no VARCHAR(64) NOT NULL,
     user_id BIGINT NOT NULL,
     class TINYINT NOT NULL,
     card_sealed TEXT NOT NULL,
     content_hash BINARY(32) NOT NULL,
     state VARCHAR(8) NOT NULL,
     account_id BIGINT NULL,
     refusal TEXT NULL,
     answer TEXT NULL,
     answered_ms BIGINT NULL,
     attempts INT NOT NULL,
     next_ms BIGINT NOT NULL,
     created_ms BIGINT NOT NULL,
     decided_ms BIGINT NULL,
     UNIQUE KEY openings_number (platform_id, opening_no),
     KEY openings_by_state (state, next_ms)
   )`,
  // A row is advanced by whoever binds the card, so that two people never bind one card at the same moment.
  `CREATE TABLE IF NOT EXISTS bound_cards (
     card_index BINARY(32) NOT NULL PRIMARY KEY,
     use_no BIGINT NOT NULL
   )`,
  // kind: card, mobile, identity. subject_id: the account, or for a mobile number the customer; live is 1 until it is decided and null
  // afterwards: one of a kind at a time. state: proposed (by staff), asked (the customer), pending (to be verified), done, refused.
  `CREATE TABLE IF NOT EXISTS account_changes (
     id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     change_no VARCHAR(64) NULL,
     kind VARCHAR(8) NOT NULL,
     account_id BIGINT NOT NULL,
     customer_id BIGINT NOT NULL,
     subject_id BIGINT NOT NULL,
     live TINYINT NULL,
     content_hash BINARY(32) NOT NULL,
     to_sealed TEXT NOT NULL,
     state VARCHAR(8) NOT NULL,
     consent_id BIGINT NULL,
     consent_expires_ms BIGINT NULL,
     asked_by BIGINT NULL,
     decided_by BIGINT NULL,
     reason_sealed TEXT NULL,
     refusal TEXT NULL,
     answer TEXT NULL,
     answered_ms BIGINT NULL,
     attempts INT NOT NULL,
     next_ms BIGINT NOT NULL,
     created_ms BIGINT NOT NULL,
     decided_ms BIGINT NULL,
     UNIQUE KEY account_changes_number (platform_id, change_no),
     UNIQUE KEY account_changes_live (kind, subject_id, live),
     KEY account_changes_by_account (account_id, id),
     KEY account_changes_by_state (state, next_ms)
   )`,
];

export class Openings1700000000013 implements MigrationInterface {
  name = 'Openings1700000000013';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
