import type { MigrationInterface, QueryRunner } from 'typeorm';
import { CHANNEL_TERMS } from './data/channel-terms.js';

/**
 * What each channel carries, when and for how much, by dates; and when channels are down.
 * Locks nothing (new tables). Back out: drop the tables. Re-runnable: rows that are there are left as they are.
 */
const STATEMENTS = [
  // In force from a date on, until the next row of its channel. Rows are only added. terms: JSON.
  `CREATE TABLE IF NOT EXISTS channel_terms (
     channel VARCHAR(16) NOT NULL,
     valid_from DATE NOT NULL,
     terms TEXT NOT NULL,
     source VARCHAR(128) NOT NULL,
     PRIMARY KEY (channel, valid_from)
   )`,
  // From a moment up to but without another; to_ms null: until somebody says.
  `CREATE TABLE IF NOT EXISTS channel_outages (
     id BIGINT NOT NULL PRIMARY KEY,
     channel VARCHAR(16) NOT NULL,
     from_ms BIGINT NOT NULL,
     to_ms BIGINT NULL,
     reason VARCHAR(200) NOT NULL,
     entered_by VARCHAR(64) NOT NULL,
     created_ms BIGINT NOT NULL,
     KEY channel_outages_by_channel (channel, from_ms)
   )`,
];

export class ChannelTerms1700000000027 implements MigrationInterface {
  name = 'ChannelTerms1700000000027';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
    for (const [channel, validFrom, terms, source] of CHANNEL_TERMS) {
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
