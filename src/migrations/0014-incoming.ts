import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Transfers to virtual account numbers, as the core bank tells of them and as it was answered.
 * Locks nothing (new tables). Back out: drop the table. Re-runnable: every statement is IF NOT EXISTS.
 */
const STATEMENTS = [
  // One row a transfer that the core bank holds for us. account_id: null when nobody has the virtual number. state: received (not
  // answered for certain), accepted, rejected, disputed (the bank takes our answer no more). next_ms: wall time of the next attempt.
  `CREATE TABLE IF NOT EXISTS incoming_transfers (
     reference VARCHAR(64) NOT NULL PRIMARY KEY,
     platform_id BIGINT NULL,
     account_id BIGINT NULL,
     virtual_no VARCHAR(64) NOT NULL,
     amount BIGINT NOT NULL,
     payer_sealed VARCHAR(1024) NOT NULL,
     state VARCHAR(10) NOT NULL,
     reason VARCHAR(128) NULL,
     attempts INT NOT NULL,
     next_ms BIGINT NOT NULL,
     received_ms BIGINT NOT NULL,
     changed_ms BIGINT NOT NULL,
     KEY incoming_transfers_by_state (state, next_ms),
     KEY incoming_transfers_by_platform (platform_id, state)
   )`,
];

export class Incoming1700000000014 implements MigrationInterface {
  name = 'Incoming1700000000014';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
