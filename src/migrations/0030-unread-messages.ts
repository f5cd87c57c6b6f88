import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Messages of channels that could not be read.
 * Locks nothing that is there. Back out: drop the table. Re-runnable: what is there is left as it is.
 */
const STATEMENTS = [
  // One message each, as it came: text_sealed holds people's names and accounts. place: where it lay in the channel's feed.
  `CREATE TABLE IF NOT EXISTS unread_messages (
     channel VARCHAR(16) NOT NULL,
     place VARCHAR(40) NOT NULL,
     reason VARCHAR(128) NOT NULL,
     text_sealed LONGTEXT NOT NULL,
     kept_ms BIGINT NOT NULL,
     PRIMARY KEY (channel, place)
   )`,
];

export class UnreadMessages1700000000030 implements MigrationInterface {
  name = 'UnreadMessages1700000000030';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
