import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The day of an acquirer's file, and how often what was refused of it was tried again; what two people decide about a transfer whose message
 * came before.
 * Locks `acquirer_files` and `incoming_transfers` for the time of adding columns at its end (instant on both servers). Back out: drop the columns and the table.
 * Re-runnable: what is there is left as it is.
 */
const COLUMNS = [
  ['acquirer_files', 'business_date', 'DATE NULL'], // of files that were taken before nobody kept it
  // What two people decided of a transfer that did not act by itself: accept, send-back; null: nothing.
  ['incoming_transfers', 'decision', 'VARCHAR(9) NULL'],
  ['acquirer_files', 'retries', 'INT NOT NULL DEFAULT 0'],
] as const;

const STATEMENTS = [
  // One row a proposal. action: accept, send-back. state: proposed, approved, rejected, withdrawn; live is 1 of the one that waits, else null.
  `CREATE TABLE IF NOT EXISTS transfer_proposals (
     id BIGINT NOT NULL PRIMARY KEY,
     reference VARCHAR(64) NOT NULL,
     action VARCHAR(9) NOT NULL,
     reason_sealed VARCHAR(1024) NOT NULL,
     state VARCHAR(9) NOT NULL,
     live TINYINT NULL,
     proposed_by BIGINT NOT NULL,
     proposed_ms BIGINT NOT NULL,
     decided_by BIGINT NULL,
     decided_ms BIGINT NULL,
     note_sealed VARCHAR(1024) NULL,
     UNIQUE KEY transfer_proposals_live (reference, live)
   )`,
];

export class FilesAndTransfers1700000000040 implements MigrationInterface {
  name = 'FilesAndTransfers1700000000040';

  async up(runner: QueryRunner): Promise<void> {
    for (const [table, column, definition] of COLUMNS) {
      if (!(await runner.hasColumn(table, column))) await runner.query(`ALTER TABLE ${table} ADD COLUMN ${column} ${definition}`);
    }
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
