import type { MigrationInterface, QueryRunner } from 'typeorm';
import { PARAMETERS } from './data/parameters.js';

/**
 * How long a collection may wait to be sent, as a parameter with dates.
 * Locks nothing. Back out: the parameter may stay. Re-runnable: what is there is left as it is.
 */
const ADDED = ['collection.hours'];

export class Collections1700000000025 implements MigrationInterface {
  name = 'Collections1700000000025';

  async up(runner: QueryRunner): Promise<void> {
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
