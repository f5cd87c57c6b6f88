import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Moving the bank's own money between channels, and what payees are shown.
 * Locks `channel_days`, `channel_floats`, `dispatches` and `payout_attempts` for the time of adding columns at their ends (instant on both
 * servers). Back out: drop the columns and the tables. Re-runnable: what is there is left as it is.
 */
const STATEMENTS = [
  // A transfer of float. null: the bank's own vault. state: proposed, approved (the core bank is told under the transfer's number), rejected,
  // moved (booked), failed (the core bank said no). open_pair: from and to while it is neither rejected nor over, so that there is but one.
  `CREATE TABLE IF NOT EXISTS float_transfers (
     id BIGINT NOT NULL PRIMARY KEY,
     from_channel VARCHAR(16) NULL,
     to_channel VARCHAR(16) NULL,
     amount BIGINT NOT NULL,
     reason VARCHAR(200) NOT NULL,
     state VARCHAR(8) NOT NULL,
     proposed_by VARCHAR(20) NOT NULL,
     proposed_ms BIGINT NOT NULL,
     decided_by VARCHAR(20) NULL,
     decided_ms BIGINT NULL,
     note VARCHAR(200) NULL,
     ended_ms BIGINT NULL,
     open_pair VARCHAR(40) NULL,
     UNIQUE KEY float_transfers_open (open_pair),
     KEY float_transfers_by_state (state, id),
     CONSTRAINT float_transfers_amount CHECK (amount > 0),
     CONSTRAINT float_transfers_two CHECK (decided_by IS NULL OR decided_by <> proposed_by)
   )`,
  // What payees read, in a platform's own words.
  `CREATE TABLE IF NOT EXISTS payout_texts (
     platform_id BIGINT NOT NULL,
     purpose VARCHAR(16) NOT NULL,
     template VARCHAR(60) NOT NULL,
     set_by VARCHAR(64) NOT NULL,
     set_ms BIGINT NOT NULL,
     PRIMARY KEY (platform_id, purpose)
   )`,
];

const COLUMNS = [
  // What payouts took out of the channel's float on that natural day, fen.
  ['channel_days', 'spent', 'BIGINT NOT NULL DEFAULT 0'],
  // By how much what the channel told differed from the books, and since when without a break (wall time).
  ['channel_floats', 'difference', 'BIGINT NULL'],
  ['channel_floats', 'differs_ms', 'BIGINT NULL'],
  // What the payee is shown, as it was first handed to a channel: a repeat says the same. Null: sent before there were texts.
  ['dispatches', 'remark', 'VARCHAR(60) NULL'],
  ['payout_attempts', 'remark', 'VARCHAR(60) NULL'],
] as const;

export class Floats1700000000029 implements MigrationInterface {
  name = 'Floats1700000000029';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
    for (const [table, column, definition] of COLUMNS) {
      if (!(await runner.hasColumn(table, column))) await runner.query(`ALTER TABLE ${table} ADD COLUMN ${column} ${definition}`);
    }
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
