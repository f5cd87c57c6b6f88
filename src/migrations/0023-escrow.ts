import type { MigrationInterface, QueryRunner } from 'typeorm';
import { PARAMETERS } from './data/parameters.js';

/**
 * Deals whose money is let go when conditions are met: what they are, what came in for them, what parties and the bank said.
 * New tables alone. Back out: drop them; no order of a deal may have money then. Re-runnable.
 */
const STATEMENTS = [
  // One row a deal. plan: the template with names, dates and amounts filled in, which never changes; stages: what became of each. Amounts in
  // both are decimal strings with an n behind. turn: counted up when an instruction of the system was refused. due_ms: from when on the sweep
  // has something to do.
  `CREATE TABLE IF NOT EXISTS escrow_deals (
     id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     escrow_no VARCHAR(64) NOT NULL,
     content_hash BINARY(32) NOT NULL,
     template VARCHAR(32) NOT NULL,
     plan MEDIUMTEXT NOT NULL,
     stages MEDIUMTEXT NOT NULL,
     turn INT NOT NULL,
     opened_ms BIGINT NOT NULL,
     due_ms BIGINT NULL,
     ended_ms BIGINT NULL,
     UNIQUE KEY escrow_deals_by_no (platform_id, escrow_no),
     KEY escrow_deals_by_due (due_ms, id)
   )`,
  // Accounts that a deal may have to credit, written when it is opened: they are not closed before it is over.
  `CREATE TABLE IF NOT EXISTS escrow_accounts (
     account_id BIGINT NOT NULL,
     escrow_id BIGINT NOT NULL,
     PRIMARY KEY (account_id, escrow_id)
   )`,
  // What one order brought for one stage: its amount, what of it was let go, what goes back to the payer and what of that was sent.
  `CREATE TABLE IF NOT EXISTS escrow_funds (
     order_id BIGINT NOT NULL,
     stage VARCHAR(40) NOT NULL,
     escrow_id BIGINT NOT NULL,
     order_no VARCHAR(64) NOT NULL,
     place INT NOT NULL,
     amount BIGINT NOT NULL,
     released BIGINT NOT NULL,
     back BIGINT NOT NULL,
     sent BIGINT NOT NULL,
     PRIMARY KEY (order_id, stage),
     KEY escrow_funds_by_escrow (escrow_id, order_id, place),
     CONSTRAINT escrow_funds_conserved CHECK (released >= 0 AND back >= 0 AND released + back <= amount AND sent >= 0 AND sent <= back)
   )`,
  // Questions to parties, and their answers. way: page, paper. state: asked, given, declined, lapsed. live: 1 while asked or given, so that
  // nobody says yes twice; else null.
  `CREATE TABLE IF NOT EXISTS escrow_confirmations (
     id BIGINT NOT NULL PRIMARY KEY,
     escrow_id BIGINT NOT NULL,
     platform_id BIGINT NOT NULL,
     item VARCHAR(64) NOT NULL,
     role VARCHAR(32) NOT NULL,
     way VARCHAR(8) NOT NULL,
     state VARCHAR(10) NOT NULL,
     live TINYINT NULL,
     user_id BIGINT NULL,
     consent_id BIGINT NULL,
     expires_ms BIGINT NULL,
     voucher_sealed VARCHAR(512) NULL,
     recorded_by BIGINT NULL,
     created_ms BIGINT NOT NULL,
     given_ms BIGINT NULL,
     UNIQUE KEY escrow_confirmations_live (escrow_id, item, role, live)
   )`,
  // What one member of staff proposes about an item, and what another decided. verdict: who gets what of the stage; null: what its condition
  // leaves to the bank is so. state: proposed, approved, rejected, withdrawn.
  `CREATE TABLE IF NOT EXISTS escrow_reviews (
     id BIGINT NOT NULL PRIMARY KEY,
     escrow_id BIGINT NOT NULL,
     platform_id BIGINT NOT NULL,
     item VARCHAR(64) NOT NULL,
     verdict TEXT NULL,
     reason_sealed VARCHAR(1536) NOT NULL,
     state VARCHAR(10) NOT NULL,
     proposed_by BIGINT NOT NULL,
     proposed_ms BIGINT NOT NULL,
     decided_by BIGINT NULL,
     decided_ms BIGINT NULL,
     note_sealed VARCHAR(1536) NULL,
     KEY escrow_reviews_by_escrow (escrow_id, id),
     CONSTRAINT escrow_reviews_two CHECK (state <> 'approved' OR decided_by <> proposed_by)
   )`,
];

export class Escrow1700000000023 implements MigrationInterface {
  name = 'Escrow1700000000023';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
    for (const [name, validFrom, value, source] of PARAMETERS.filter(([added]) => added === 'escrow.answer-hours')) {
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
