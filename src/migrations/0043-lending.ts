import type { MigrationInterface, QueryRunner } from 'typeorm';
import { PARAMETERS } from './data/parameters.js';

/**
 * Lending: projects with their bids, claims and what others paid for the borrower; and mandates for them and for funds.
 * Locks `mandates` for the time of adding columns at its end (instant on both servers). Back out: drop the columns and, while nothing is held
 * for a bid, the tables. Re-runnable: what is there is left as it is.
 */
const COLUMNS = [
  // Whom a mandate lets be paid: projects of the platform; funds.
  ['mandates', 'pays_projects', 'TINYINT NOT NULL DEFAULT 0'],
  ['mandates', 'pays_funds', 'TINYINT NOT NULL DEFAULT 0'],
] as const;

const STATEMENTS = [
  // One row a project. rate, penalty_rate: of a year, in millionths; lend_fee, interest_fee: basis points. method: annuity, equal-principal,
  // interest-first, bullet. mode: direct, advance, entrusted. state: registered, raising, full, lent, repaid, miscarried, cancelled. From
  // plan_principal to overdue_to: where the loan stands in its plan, which is computed and not stored. unrecovered: what others paid for the
  // borrower and he did not give back. due_ms: from when on the sweep has something to do.
  `CREATE TABLE IF NOT EXISTS lending_projects (
     id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     project_no VARCHAR(64) NOT NULL,
     content_hash BINARY(32) NOT NULL,
     borrower_index BINARY(32) NOT NULL,
     borrower_id BIGINT NOT NULL,
     guarantor_id BIGINT NULL,
     payee_id BIGINT NULL,
     amount BIGINT NOT NULL,
     months INT NOT NULL,
     rate BIGINT NOT NULL,
     penalty_rate BIGINT NOT NULL,
     method VARCHAR(16) NOT NULL,
     lend_fee INT NOT NULL,
     interest_fee INT NOT NULL,
     lender_min BIGINT NULL,
     lender_max BIGINT NULL,
     raise_until_ms BIGINT NOT NULL,
     mode VARCHAR(9) NOT NULL,
     purpose VARCHAR(128) NOT NULL,
     state VARCHAR(10) NOT NULL,
     raised BIGINT NOT NULL,
     bids INT NOT NULL,
     claims INT NOT NULL,
     lent_on DATE NULL,
     plan_principal BIGINT NOT NULL,
     plan_behind INT NOT NULL,
     next_no INT NOT NULL,
     paid_principal BIGINT NOT NULL,
     paid_interest BIGINT NOT NULL,
     paid_penalty BIGINT NOT NULL,
     overdue_product BIGINT NOT NULL,
     overdue_to DATE NULL,
     principal_left BIGINT NOT NULL,
     unrecovered BIGINT NOT NULL,
     turn INT NOT NULL,
     due_ms BIGINT NULL,
     created_ms BIGINT NOT NULL,
     ended_ms BIGINT NULL,
     UNIQUE KEY lending_projects_by_no (platform_id, project_no),
     KEY lending_projects_by_borrower (borrower_index, state),
     KEY lending_projects_by_due (due_ms, id),
     CONSTRAINT lending_projects_raised CHECK (raised >= 0 AND raised <= amount),
     CONSTRAINT lending_projects_left CHECK (principal_left >= 0 AND principal_left <= amount AND unrecovered >= 0)
   )`,
  // Who borrows, by blind index: a row to hold while what he owes anywhere is added up.
  `CREATE TABLE IF NOT EXISTS lending_borrowers (
     borrower_index BINARY(32) NOT NULL PRIMARY KEY,
     seen INT NOT NULL
   )`,
  // Accounts that a project may have to move money of or to: they are not closed before it is over.
  `CREATE TABLE IF NOT EXISTS lending_parties (
     account_id BIGINT NOT NULL,
     project_id BIGINT NOT NULL,
     PRIMARY KEY (account_id, project_id),
     KEY lending_parties_by_project (project_id)
   )`,
  // The words of borrower and guarantor. way: page, paper. state: asked, given, declined, lapsed. live: 1 while asked or given; else null.
  `CREATE TABLE IF NOT EXISTS lending_confirmations (
     id BIGINT NOT NULL PRIMARY KEY,
     project_id BIGINT NOT NULL,
     role VARCHAR(16) NOT NULL,
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
     UNIQUE KEY lending_confirmations_live (project_id, role, live)
   )`,
  // What is offered to a project: held on the lender's account (own) and on the platform's marketing account. state: open, lent, freed.
  `CREATE TABLE IF NOT EXISTS lending_bids (
     id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     project_id BIGINT NOT NULL,
     project_no VARCHAR(64) NOT NULL,
     account_id BIGINT NOT NULL,
     own BIGINT NOT NULL,
     marketing BIGINT NOT NULL,
     cancelled BIGINT NOT NULL,
     state VARCHAR(5) NOT NULL,
     created_ms BIGINT NOT NULL,
     KEY lending_bids_by_project (project_id, state, id),
     KEY lending_bids_by_account (account_id, id),
     CONSTRAINT lending_bids_own CHECK (own >= 0 AND marketing >= 0 AND cancelled >= 0 AND (own > 0 OR state <> 'open'))
   )`,
  // What is owed to lenders. principal: what it was when it was made; principal_left: of it not paid back; earned: interest and penalty that
  // came in on it, less the fee; turn: payments on it.
  `CREATE TABLE IF NOT EXISTS lending_claims (
     id BIGINT NOT NULL PRIMARY KEY,
     project_id BIGINT NOT NULL,
     place INT NOT NULL,
     account_id BIGINT NOT NULL,
     principal BIGINT NOT NULL,
     principal_left BIGINT NOT NULL,
     earned BIGINT NOT NULL,
     turn INT NOT NULL,
     UNIQUE KEY lending_claims_by_project (project_id, place),
     KEY lending_claims_by_account (account_id, id),
     CONSTRAINT lending_claims_left CHECK (principal_left >= 0 AND principal_left <= principal)
   )`,
  // What others paid for a borrower, by the instruction that did. way: direct, indirect.
  `CREATE TABLE IF NOT EXISTS lending_compensations (
     id BIGINT NOT NULL PRIMARY KEY,
     project_id BIGINT NOT NULL,
     payer_id BIGINT NOT NULL,
     way VARCHAR(8) NOT NULL,
     amount BIGINT NOT NULL,
     recovered BIGINT NOT NULL,
     KEY lending_compensations_by_project (project_id, id),
     CONSTRAINT lending_compensations_recovered CHECK (recovered >= 0 AND recovered <= amount)
   )`,
];

/** The parameters that come with it. */
const ADDED = /^class-2\.lending-counted$|^lending\./;

export class Lending1700000000043 implements MigrationInterface {
  name = 'Lending1700000000043';

  async up(runner: QueryRunner): Promise<void> {
    for (const [table, column, definition] of COLUMNS) {
      if (!(await runner.hasColumn(table, column))) await runner.query(`ALTER TABLE ${table} ADD COLUMN ${column} ${definition}`);
    }
    for (const statement of STATEMENTS) await runner.query(statement);
    for (const [name, validFrom, value, source] of PARAMETERS.filter(([added]) => ADDED.test(added))) {
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
