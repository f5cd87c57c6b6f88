import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Rules by which instructions are sent to review, the reviews, and what the rules look at. Adds a column with a default, which both
 * servers do without copying the table. Back out: drop it and the tables. Re-runnable: looks first.
 */
const STATEMENTS = [
  // What sends a platform's instructions to review. test: JSON, read by the code that judges by it. A rule in force is never rewritten: it
  // ends, and another begins.
  `CREATE TABLE IF NOT EXISTS review_rules (
     id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     name VARCHAR(64) NOT NULL,
     kinds VARCHAR(512) NOT NULL,
     test VARCHAR(512) NOT NULL,
     minutes INT NOT NULL,
     on_deadline VARCHAR(8) NOT NULL,
     valid_from DATE NOT NULL,
     valid_until DATE NULL,
     state VARCHAR(8) NOT NULL,
     proposed_by BIGINT NOT NULL,
     proposed_ms BIGINT NOT NULL,
     decided_by BIGINT NULL,
     decided_ms BIGINT NULL,
     end_asked_by BIGINT NULL,
     ended_by BIGINT NULL,
     ended_ms BIGINT NULL,
     KEY review_rules_by_platform (platform_id, state, id),
     CONSTRAINT review_rules_minutes CHECK (minutes > 0),
     CONSTRAINT review_rules_two CHECK (state NOT IN ('approved', 'ended') OR decided_by <> proposed_by),
     CONSTRAINT review_rules_end_two CHECK (state <> 'ended' OR ended_by <> end_asked_by)
   )`,
  // An instruction that two people of the bank have to look at, under its own id. state: open; approved, passed (by its deadline): it is
  // executed; rejected, lapsed (by its deadline): it is refused. due_open_ms: the deadline while it is open. looked_at: JSON, whose
  // counters it moves when it is executed, and whom alone it may pay.
  `CREATE TABLE IF NOT EXISTS reviews (
     instruction_id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     shard_id INT NOT NULL,
     kind VARCHAR(24) NOT NULL,
     state VARCHAR(8) NOT NULL,
     amount BIGINT NOT NULL,
     reasons TEXT NOT NULL,
     looked_at TEXT NOT NULL,
     on_deadline VARCHAR(8) NOT NULL,
     asked_ms BIGINT NOT NULL,
     due_ms BIGINT NOT NULL,
     due_open_ms BIGINT NULL,
     decided_ms BIGINT NULL,
     KEY reviews_by_state (state, instruction_id),
     KEY reviews_by_platform (platform_id, instruction_id),
     KEY reviews_by_due (due_open_ms),
     CONSTRAINT reviews_amount CHECK (amount >= 0)
   )`,
  // Append only. The primary key lets nobody decide twice.
  `CREATE TABLE IF NOT EXISTS review_decisions (
     instruction_id BIGINT NOT NULL,
     operator_id BIGINT NOT NULL,
     verdict VARCHAR(8) NOT NULL,
     note_sealed TEXT NULL,
     decided_ms BIGINT NOT NULL,
     PRIMARY KEY (instruction_id, operator_id)
   )`,
  // Money that is held for a review. open_of: the account while it is.
  `CREATE TABLE IF NOT EXISTS review_holds (
     instruction_id BIGINT NOT NULL,
     account_id BIGINT NOT NULL,
     platform_id BIGINT NOT NULL,
     amount BIGINT NOT NULL,
     open_of BIGINT NULL,
     PRIMARY KEY (instruction_id, account_id),
     KEY review_holds_open (open_of, instruction_id),
     CONSTRAINT review_holds_amount CHECK (amount > 0)
   )`,
  // Whom an account has paid. payee: an account of the book, or the blind index of one outside.
  `CREATE TABLE IF NOT EXISTS review_payees (
     payer_id BIGINT NOT NULL,
     payee VARCHAR(64) NOT NULL,
     platform_id BIGINT NOT NULL,
     PRIMARY KEY (payer_id, payee)
   )`,
  // How often and how much went out of an account, or on a platform, by kind and minute.
  `CREATE TABLE IF NOT EXISTS review_counts (
     subject_id BIGINT NOT NULL,
     kind VARCHAR(24) NOT NULL,
     minute BIGINT NOT NULL,
     times INT NOT NULL,
     amount BIGINT NOT NULL,
     PRIMARY KEY (subject_id, kind, minute),
     KEY review_counts_by_minute (minute)
   )`,
];

export class Reviews1700000000022 implements MigrationInterface {
  name = 'Reviews1700000000022';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
    // Whether there ever was a rule: where there was none, the engine looks for none.
    if (!(await runner.hasColumn('books', 'reviewed')))
      await runner.query('ALTER TABLE books ADD COLUMN reviewed TINYINT NOT NULL DEFAULT 0');
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
