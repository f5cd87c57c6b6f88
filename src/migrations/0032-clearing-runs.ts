import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The run of a clearing: what its lines came to, how far it is, what goes where, who looked at it; corrections of days that are closed.
 * Locks `clearing_lines` and `instructions` for the time of adding columns at their end (instant on both servers). Back out: drop the columns
 * and the tables. Re-runnable: what is there is left as it is.
 */
const COLUMNS = [
  // due: written down and not decided; posted; refused; in-review: people of the bank have to look. Of lines before this: due.
  ['clearing_lines', 'state', "VARCHAR(10) NOT NULL DEFAULT 'due'"],
  ['clearing_lines', 'code', 'VARCHAR(32) NULL'],
  ['clearing_lines', 'instruction_id', 'BIGINT NULL'],
  // How often people had it tried again; part of its request number.
  ['clearing_lines', 'attempt', 'INT NOT NULL DEFAULT 0'],
  // Whose day it counts for (起息日), where that is not the business date on which it is posted.
  ['instructions', 'value_date', 'DATE NULL'],
] as const;

const TABLES = [
  // One row a clearing that pays anything, by the date on which it pays. state: writing (lines up to after_id are written down), written,
  // paying (lines up to after_id are decided), paid, rerun (people want lines tried again). Sums are fen. stage_ms: wall time at which the
  // present stage was begun or gone on with, stage_done: how much of it was done then; expected: how many lines there will be, about.
  `CREATE TABLE IF NOT EXISTS clearings (
     platform_id BIGINT NOT NULL,
     business_date DATE NOT NULL,
     state VARCHAR(8) NOT NULL,
     after_id BIGINT NOT NULL,
     line_count INT NOT NULL,
     due BIGINT NOT NULL,
     fees BIGINT NOT NULL,
     decided INT NOT NULL,
     posted INT NOT NULL,
     posted_amount BIGINT NOT NULL,
     in_review INT NOT NULL,
     refused TEXT NOT NULL,
     sent INT NOT NULL,
     expected INT NULL,
     stage_ms BIGINT NOT NULL,
     stage_done INT NOT NULL,
     approved_by BIGINT NULL,
     approved_ms BIGINT NULL,
     PRIMARY KEY (platform_id, business_date),
     KEY clearings_by_state (state)
   )`,
  // What a clearing pays to one bank ('' is the custodian itself). net = due − fees.
  `CREATE TABLE IF NOT EXISTS clearing_nets (
     platform_id BIGINT NOT NULL,
     business_date DATE NOT NULL,
     bank_code VARCHAR(12) NOT NULL,
     line_count INT NOT NULL,
     due BIGINT NOT NULL,
     fees BIGINT NOT NULL,
     net BIGINT NOT NULL,
     PRIMARY KEY (platform_id, business_date, bank_code),
     CONSTRAINT clearing_nets_sum CHECK (net = due - fees)
   )`,
  // Whether somebody of the bank must have looked at a platform's clearing before it is paid, from a business date on until the next row.
  `CREATE TABLE IF NOT EXISTS clearing_holds (
     platform_id BIGINT NOT NULL,
     valid_from DATE NOT NULL,
     held TINYINT NOT NULL,
     set_by BIGINT NOT NULL,
     PRIMARY KEY (platform_id, valid_from)
   )`,
  // What one member of staff wants posted for a day that is over, and what another decided. state: proposed, approved, declined. body_sealed:
  // kind and data of the instruction.
  `CREATE TABLE IF NOT EXISTS late_corrections (
     id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     value_date DATE NOT NULL,
     request_no VARCHAR(64) NOT NULL,
     kind VARCHAR(24) NOT NULL,
     body_sealed MEDIUMTEXT NOT NULL,
     reason_sealed VARCHAR(1536) NOT NULL,
     state VARCHAR(10) NOT NULL,
     instruction_id BIGINT NULL,
     proposed_by BIGINT NOT NULL,
     proposed_ms BIGINT NOT NULL,
     decided_by BIGINT NULL,
     decided_ms BIGINT NULL,
     UNIQUE KEY late_corrections_request (platform_id, request_no),
     KEY late_corrections_by_day (platform_id, value_date, id),
     CONSTRAINT late_corrections_two CHECK (state <> 'approved' OR decided_by <> proposed_by)
   )`,
];

// Of closes that were under way when this came; what is not written down of them is told again by the books.
const HEADS = `INSERT INTO clearings (platform_id, business_date, state, after_id, line_count, due, fees, decided, posted, posted_amount, in_review,
    refused, sent, expected, stage_ms, stage_done)
  SELECT l.platform_id, l.business_date, 'written', 0, COUNT(*), SUM(l.amount), 0, 0, 0, 0, 0, '{}', 0, COUNT(*), 0, 0 FROM clearing_lines AS l
  JOIN business_days AS d ON d.platform_id = l.platform_id AND d.business_date = l.business_date - INTERVAL 1 DAY
    AND d.state IN ('closing', 'stopped')
  LEFT JOIN clearings AS c ON c.platform_id = l.platform_id AND c.business_date = l.business_date
  WHERE c.platform_id IS NULL GROUP BY l.platform_id, l.business_date`;

export class ClearingRuns1700000000032 implements MigrationInterface {
  name = 'ClearingRuns1700000000032';

  async up(runner: QueryRunner): Promise<void> {
    for (const [table, column, definition] of COLUMNS) {
      if (!(await runner.hasColumn(table, column))) await runner.query(`ALTER TABLE ${table} ADD COLUMN ${column} ${definition}`);
    }
    for (const table of TABLES) await runner.query(table);
    await runner.query(HEADS);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
