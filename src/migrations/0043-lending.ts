import type { MigrationInterface, QueryRunner } from 'typeorm';
import { PARAMETERS } from './data/parameters.js';

/**
 * Lending: what customers leave to platforms beyond orders.
 * Locks `mandates` for the time of adding columns at its end (instant on both servers). Back out: drop the columns.
 * Re-runnable: what is there is left as it is.
 */
const COLUMNS = [
  // Whom a mandate lets be paid: projects of the platform; funds.
  ['mandates', 'pays_projects', 'TINYINT NOT NULL DEFAULT 0'],
  ['mandates', 'pays_funds', 'TINYINT NOT NULL DEFAULT 0'],
] as const;

/** The parameters that come with it. */
const ADDED = /^class-2\.lending-counted$/;

export class Lending1700000000043 implements MigrationInterface {
  name = 'Lending1700000000043';

  async up(runner: QueryRunner): Promise<void> {
    for (const [table, column, definition] of COLUMNS) {
      if (!(await runner.hasColumn(table, column))) await runner.query(`ALTER TABLE ${table} ADD COLUMN ${column} ${definition}`);
    }
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
