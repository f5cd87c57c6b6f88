import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What sort of platform it is, and orders that were paid from an electronic account of the same book. Adds columns with defaults,
 * which both servers do without copying the table. Back out: drop the columns. Re-runnable: looks first.
 */
const COLUMNS = [
  // Which policies apply: marketplace, lending (the strict depository profile).
  ['platforms', 'profile', "VARCHAR(16) NOT NULL DEFAULT 'marketplace'"],
  // The same where the engine looks: a platform has one profile for good.
  ['books', 'profile', "VARCHAR(16) NOT NULL DEFAULT 'marketplace'"],
  // The electronic account that paid: refunds go back to it inside the book. Null: it was paid from outside.
  ['orders', 'payer_account_id', 'BIGINT NULL'],
] as const;

export class Profiles1700000000009 implements MigrationInterface {
  name = 'Profiles1700000000009';

  async up(runner: QueryRunner): Promise<void> {
    for (const [table, column, definition] of COLUMNS) {
      if (!(await runner.hasColumn(table, column))) await runner.query(`ALTER TABLE ${table} ADD COLUMN ${column} ${definition}`);
    }
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
