import type { MigrationInterface, QueryRunner } from 'typeorm';
import { PARAMETERS } from './data/parameters.js';

/**
 * When and how sellers are paid: the days of a cycle, and lines of a clearing with their day and their fee.
 * Locks `sub_merchants` for the time of adding columns at its end (instant on both servers), and copies `clearing_lines` for its new key.
 * Back out: drop the columns; a date and account with two lines would have to be merged first. Re-runnable: what is there is left as it is.
 */
const COLUMNS = [
  // N of t+n; weekly: 1 Monday to 7 Sunday; monthly: 1 to 31.
  ['sub_merchants', 'cycle_days', 'INT NULL'],
  ['sub_merchants', 'pay_day', 'INT NULL'],
  // The business date whose money a line pays (where all is merged: the last one), and the date for which it counts.
  ['clearing_lines', 'credited_on', 'DATE NULL'],
  ['clearing_lines', 'value_date', 'DATE NULL'],
  // Taken of the same balance beside the amount, fen.
  ['clearing_lines', 'fee', 'BIGINT NOT NULL DEFAULT 0'],
] as const;
const ADDED = ['same-day.trading'];

export class PayTerms1700000000031 implements MigrationInterface {
  name = 'PayTerms1700000000031';

  async up(runner: QueryRunner): Promise<void> {
    for (const [table, column, definition] of COLUMNS) {
      if (!(await runner.hasColumn(table, column))) await runner.query(`ALTER TABLE ${table} ADD COLUMN ${column} ${definition}`);
    }
    await runner.query(
      `UPDATE clearing_lines SET credited_on = business_date - INTERVAL 1 DAY, value_date = business_date
       WHERE credited_on IS NULL OR value_date IS NULL`,
    );
    const [{ columns }] = await runner.query(
      `SELECT COUNT(*) AS columns FROM information_schema.statistics
       WHERE table_schema = DATABASE() AND table_name = 'clearing_lines' AND index_name = 'PRIMARY'`,
    );
    if (Number(columns) === 3)
      await runner.query(
        `ALTER TABLE clearing_lines MODIFY credited_on DATE NOT NULL, MODIFY value_date DATE NOT NULL,
           DROP PRIMARY KEY, ADD PRIMARY KEY (platform_id, business_date, account_id, credited_on),
           ADD CONSTRAINT clearing_lines_fee CHECK (fee >= 0)`,
      );
    for (const [name, validFrom, value, source] of PARAMETERS.filter((row) => ADDED.includes(row[0]))) {
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
