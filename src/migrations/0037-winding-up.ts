import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Wind-downs of platforms with their final reports, and houses that members moved into. A book says whether it takes new business.
 * Adds one column with a default (in place, no copy of the table); else locks nothing. Back out: drop the tables and the column.
 * Re-runnable: the column is added where it is missing, every other statement is IF NOT EXISTS.
 */
const STATEMENTS = [
  // live is 1 from the proposal on and null once it was rejected: a platform is wound up once. rounded_on: the business date of the last round
  // that went through to its end. moves_to: the public key of the custodian that the members move to, where they do. reason_sealed: people write
  // names.
  `CREATE TABLE IF NOT EXISTS wind_downs (
     id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     live TINYINT NULL,
     state VARCHAR(12) NOT NULL,
     reason_sealed TEXT NOT NULL,
     orders_back_on DATE NULL,
     moves_to VARCHAR(64) NULL,
     proposed_by BIGINT NOT NULL,
     proposed_ms BIGINT NOT NULL,
     decided_by BIGINT NULL,
     decided_ms BIGINT NULL,
     started_on DATE NULL,
     rounded_on DATE NULL,
     report_no INT NOT NULL,
     closed_by BIGINT NULL,
     closed_ms BIGINT NULL,
     UNIQUE KEY wind_downs_live (platform_id, live),
     KEY wind_downs_by_state (state, id)
   )`,
  // Append only: what the bank signed, and the lines behind it in their order.
  `CREATE TABLE IF NOT EXISTS wind_down_reports (
     platform_id BIGINT NOT NULL,
     report_no INT NOT NULL,
     as_of DATE NOT NULL,
     head TEXT NOT NULL,
     made_ms BIGINT NOT NULL,
     PRIMARY KEY (platform_id, report_no)
   )`,
  `CREATE TABLE IF NOT EXISTS wind_down_lines (
     platform_id BIGINT NOT NULL,
     report_no INT NOT NULL,
     place INT NOT NULL,
     line TEXT NOT NULL,
     PRIMARY KEY (platform_id, report_no, place)
   )`,
  // One row a platform that took over members of another custodian, and by which export.
  `CREATE TABLE IF NOT EXISTS takeovers (
     platform_id BIGINT NOT NULL PRIMARY KEY,
     export_hash BINARY(32) NOT NULL,
     content TEXT NOT NULL,
     state VARCHAR(12) NOT NULL,
     created_ms BIGINT NOT NULL
   )`,
];

export class WindingUp1700000000037 implements MigrationInterface {
  name = 'WindingUp1700000000037';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
    if (!(await runner.hasColumn('books', 'business')))
      await runner.query("ALTER TABLE books ADD COLUMN business VARCHAR(12) NOT NULL DEFAULT 'open'");
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
