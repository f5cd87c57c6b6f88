import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Claims on accounts (disputes, judicial freezes) in the order in which they came, deductions, and holds that are found by their
 * purpose. Adds a column with a default, which both servers do without copying the table, and a key. Back out: drop them and the
 * tables. Re-runnable: looks first.
 */
const STATEMENTS = [
  // One row a claim on one account. What is left of it is amount − let_go − taken; accounts.claimed is the sum of what is left of the
  // open ones. `place` is the order of arrival.
  `CREATE TABLE IF NOT EXISTS claims (
     account_id BIGINT NOT NULL,
     place INT NOT NULL,
     platform_id BIGINT NOT NULL,
     kind VARCHAR(8) NOT NULL,
     ref_id BIGINT NOT NULL,
     order_id BIGINT NULL,
     amount BIGINT NOT NULL,
     let_go BIGINT NOT NULL,
     taken BIGINT NOT NULL,
     created_ms BIGINT NOT NULL,
     ended_ms BIGINT NULL,
     PRIMARY KEY (account_id, place),
     KEY claims_by_ref (ref_id),
     CONSTRAINT claims_conserved CHECK (let_go >= 0 AND taken >= 0 AND let_go + taken <= amount)
   )`,
  `CREATE TABLE IF NOT EXISTS disputes (
     id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     order_id BIGINT NOT NULL,
     order_no VARCHAR(64) NOT NULL,
     receiver_id BIGINT NULL,
     amount BIGINT NOT NULL,
     on_order BIGINT NOT NULL,
     on_receiver BIGINT NOT NULL,
     given_back BIGINT NOT NULL,
     reason_sealed VARCHAR(1024) NOT NULL,
     state VARCHAR(8) NOT NULL,
     of_bank TINYINT NOT NULL,
     deadline_ms BIGINT NOT NULL,
     opened_ms BIGINT NOT NULL,
     ended_ms BIGINT NULL,
     due_ms BIGINT NULL,
     KEY disputes_by_platform (platform_id, id),
     KEY disputes_by_order (order_id, id),
     KEY disputes_by_due (due_ms),
     CONSTRAINT disputes_adds_up CHECK (amount > 0 AND on_order >= 0 AND on_receiver >= 0 AND on_order + on_receiver = amount
       AND given_back >= 0 AND given_back <= on_receiver)
   )`,
  // What an authority ordered. `until_date` is its last day, `due_ms` the moment at which it ends by itself, while it is open.
  `CREATE TABLE IF NOT EXISTS judicial_freezes (
     id BIGINT NOT NULL PRIMARY KEY,
     account_id BIGINT NOT NULL,
     platform_id BIGINT NOT NULL,
     authority VARCHAR(128) NOT NULL,
     document_no VARCHAR(64) NOT NULL,
     whole TINYINT NOT NULL,
     from_date DATE NOT NULL,
     until_date DATE NOT NULL,
     state VARCHAR(8) NOT NULL,
     created_ms BIGINT NOT NULL,
     created_by BIGINT NOT NULL,
     ended_ms BIGINT NULL,
     due_ms BIGINT NULL,
     UNIQUE KEY judicial_freezes_document (account_id, document_no),
     KEY judicial_freezes_by_account (account_id, id),
     KEY judicial_freezes_by_due (due_ms),
     CONSTRAINT judicial_freezes_dates CHECK (until_date >= from_date)
   )`,
  // Append only: every document that changed a freeze.
  `CREATE TABLE IF NOT EXISTS judicial_orders (
     id BIGINT NOT NULL PRIMARY KEY,
     freeze_id BIGINT NOT NULL,
     what VARCHAR(8) NOT NULL,
     document_no VARCHAR(64) NOT NULL,
     amount BIGINT NULL,
     until_date DATE NULL,
     given_by BIGINT NOT NULL,
     given_ms BIGINT NOT NULL,
     KEY judicial_orders_by_freeze (freeze_id, id),
     CONSTRAINT judicial_orders_amount CHECK (amount IS NULL OR amount > 0)
   )`,
  // Asked for by one member of staff, approved by another; payout_id is the instruction's once it is posted.
  `CREATE TABLE IF NOT EXISTS judicial_deductions (
     id BIGINT NOT NULL PRIMARY KEY,
     freeze_id BIGINT NOT NULL,
     account_id BIGINT NOT NULL,
     platform_id BIGINT NOT NULL,
     document_no VARCHAR(64) NOT NULL,
     amount BIGINT NOT NULL,
     payee_name_sealed VARCHAR(1024) NOT NULL,
     payee_account_sealed VARCHAR(1024) NOT NULL,
     payee_bank VARCHAR(12) NOT NULL,
     state VARCHAR(10) NOT NULL,
     asked_by BIGINT NOT NULL,
     asked_ms BIGINT NOT NULL,
     decided_by BIGINT NULL,
     decided_ms BIGINT NULL,
     instruction_id BIGINT NULL,
     payout_id BIGINT NULL,
     KEY judicial_deductions_by_freeze (freeze_id, id),
     KEY judicial_deductions_by_payout (payout_id),
     CONSTRAINT judicial_deductions_amount CHECK (amount > 0),
     CONSTRAINT judicial_deductions_two CHECK (state NOT IN ('approved', 'ordered') OR decided_by <> asked_by)
   )`,
];

export class Holds1700000000019 implements MigrationInterface {
  name = 'Holds1700000000019';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
    if (!(await runner.hasColumn('accounts', 'claimed')))
      await runner.query('ALTER TABLE accounts ADD COLUMN claimed BIGINT NOT NULL DEFAULT 0');
    const keys = (await runner.query("SHOW INDEX FROM holds WHERE Key_name = 'holds_by_purpose'")) as unknown[];
    if (keys.length === 0) await runner.query('ALTER TABLE holds ADD KEY holds_by_purpose (platform_id, purpose(64), id)');
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
