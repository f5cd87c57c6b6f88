import type { MigrationInterface, QueryRunner } from 'typeorm';
import { CHANNEL_TERMS } from './data/channel-terms.js';

/**
 * A channel may take a payout later that it did not take now; and nothing is given to the large-value system just before it closes.
 * Locks `payout_attempts` for the time of adding columns at its end (instant on both servers). Back out: drop the columns, and the row of terms.
 * Re-runnable: what is there is left as it is.
 */
const COLUMNS = [
  // The channel did not take it, for a while: from when on this payout may be given to it again. Null: it said no such thing.
  ['payout_attempts', 'again_ms', 'BIGINT NULL'],
  // How often it was handed to the channel by this attempt. Nobody counted before, so of those that are there more than once is supposed.
  ['payout_attempts', 'sendings', 'INT NOT NULL DEFAULT 2'],
] as const;
const MARGIN_FROM = '2026-01-01';

export class NotNow1700000000038 implements MigrationInterface {
  name = 'NotNow1700000000038';

  async up(runner: QueryRunner): Promise<void> {
    for (const [table, column, definition] of COLUMNS) {
      if (!(await runner.hasColumn(table, column))) await runner.query(`ALTER TABLE ${table} ADD COLUMN ${column} ${definition}`);
    }
    for (const [channel, validFrom, terms, source] of CHANNEL_TERMS.filter((row) => row[1] === MARGIN_FROM)) {
      await runner.query(
        `INSERT INTO channel_terms (channel, valid_from, terms, source) VALUES (?, ?, ?, ?)
         ON DUPLICATE KEY UPDATE terms = channel_terms.terms`,
        [channel, validFrom, JSON.stringify(terms), source],
      );
    }
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
