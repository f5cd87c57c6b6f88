import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Room for sealed personal data in columns that held it plain, and the blind index of identity numbers. Nothing is sealed here: rows
 * written from now on are, and `npm run reseal` does the others while the service runs; until then they are read as they are.
 * Changing a column to what it is already changes nothing, so it is re-runnable. Locks: a column that grows beyond 255 bytes is changed
 * by copying its table, which can be read meanwhile and not written. Back out: the columns may stay wide.
 */
const STATEMENTS = [
  `ALTER TABLE parties MODIFY name VARCHAR(1024) NOT NULL, MODIFY id_no VARCHAR(1024) NOT NULL,
     MODIFY legal_representative VARCHAR(1024) NULL, MODIFY mobile VARCHAR(1024) NULL`,
  'ALTER TABLE settlement_accounts MODIFY holder_name VARCHAR(1024) NOT NULL, MODIFY account_no VARCHAR(1024) NOT NULL',
  'ALTER TABLE orders MODIFY payer_name VARCHAR(1024) NOT NULL, MODIFY payer_account VARCHAR(1024) NOT NULL',
  'ALTER TABLE payouts MODIFY payee_name VARCHAR(1024) NOT NULL, MODIFY payee_account VARCHAR(1024) NOT NULL',
  'ALTER TABLE statement_lines MODIFY counterparty VARCHAR(1024) NOT NULL, MODIFY text VARCHAR(1024) NOT NULL',
  'ALTER TABLE audit_entries MODIFY detail MEDIUMTEXT NOT NULL',
];

export class Sealing1700000000010 implements MigrationInterface {
  name = 'Sealing1700000000010';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
    if (!(await runner.hasColumn('parties', 'id_index')))
      // Null: written before there was an index; the resealing fills it.
      await runner.query(
        'ALTER TABLE parties ADD COLUMN id_index BINARY(32) NULL, ADD KEY parties_by_identity (id_type, id_index)',
      );
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
