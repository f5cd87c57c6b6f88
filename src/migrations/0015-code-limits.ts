import type { MigrationInterface, QueryRunner } from 'typeorm';
import { PARAMETERS } from './data/parameters.js';

/**
 * How often codes may be guessed and sent: wrong ones by customer, messages by mobile number, and to which number a code went.
 * Locks `consents` for the time of adding a column at its end (instant on both servers). Back out: drop the tables and the column; the
 * parameters may stay. Re-runnable: what is there is left as it is.
 */
const STATEMENTS = [
  // Wrong codes of a customer on a natural day, over all his questions, and such as are being looked at.
  `CREATE TABLE IF NOT EXISTS code_attempts (
     customer_id BIGINT NOT NULL PRIMARY KEY,
     on_date DATE NOT NULL,
     attempts INT NOT NULL
   )`,
  // Codes sent to a mobile number: on a natural day, and in ten minutes from window_ms on.
  `CREATE TABLE IF NOT EXISTS code_messages (
     mobile_index BINARY(32) NOT NULL PRIMARY KEY,
     on_date DATE NOT NULL,
     day_count INT NOT NULL,
     window_ms BIGINT NOT NULL,
     window_count INT NOT NULL
   )`,
];
const ADDED = ['code.wrong-per-day', 'code.sms-per-day', 'code.sms-per-ten-minutes'];

export class CodeLimits1700000000015 implements MigrationInterface {
  name = 'CodeLimits1700000000015';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
    // Null: no code was sent, or before it was noted to where; such a code is good for nothing any more.
    if (!(await runner.hasColumn('consents', 'code_mobile_index')))
      await runner.query('ALTER TABLE consents ADD COLUMN code_mobile_index BINARY(32) NULL');
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
