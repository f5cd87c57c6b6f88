import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The records that instructions refer to: orders, what each receiver got out of them, holds, payouts.
 * Locks nothing (new tables). Back out: drop the tables. Re-runnable: every statement is IF NOT EXISTS.
 */
const STATEMENTS = [
  // The order's money is the balance of its account; the counters say where it went: paid − split + returned − refunded.
  `CREATE TABLE IF NOT EXISTS orders (
     account_id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     order_no VARCHAR(64) NOT NULL,
     payer_name VARCHAR(128) NOT NULL,
     payer_account VARCHAR(34) NOT NULL,
     payer_bank VARCHAR(12) NOT NULL,
     paid BIGINT NOT NULL,
     split BIGINT NOT NULL,
     returned BIGINT NOT NULL,
     refunded BIGINT NOT NULL,
     opened_ms BIGINT NOT NULL,
     paid_on DATE NOT NULL,
     UNIQUE KEY orders_order_no (platform_id, order_no),
     KEY orders_by_platform (platform_id, account_id),
     CONSTRAINT orders_conserved CHECK (paid - split + returned - refunded >= 0)
   )`,
  `CREATE TABLE IF NOT EXISTS order_shares (
     order_id BIGINT NOT NULL,
     receiver_id BIGINT NOT NULL,
     split BIGINT NOT NULL,
     returned BIGINT NOT NULL,
     PRIMARY KEY (order_id, receiver_id),
     CONSTRAINT order_shares_returned CHECK (returned >= 0 AND returned <= split)
   )`,
  // `due_ms` is the expiry while something is left, so that ended holds are not walked through.
  `CREATE TABLE IF NOT EXISTS holds (
     id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     account_id BIGINT NOT NULL,
     amount BIGINT NOT NULL,
     captured BIGINT NOT NULL,
     released BIGINT NOT NULL,
     purpose VARCHAR(128) NOT NULL,
     expires_ms BIGINT NULL,
     created_ms BIGINT NOT NULL,
     KEY holds_by_account (account_id, id),
     due_ms BIGINT NULL,
     KEY holds_by_due (due_ms),
     CONSTRAINT holds_conserved CHECK (captured >= 0 AND released >= 0 AND captured + released <= amount)
   )`,
  // One row a payment that leaves. `id` is the message number at every channel: it never gets another.
  `CREATE TABLE IF NOT EXISTS payouts (
     id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     shard_id INT NOT NULL,
     purpose VARCHAR(12) NOT NULL,
     source_account_id BIGINT NOT NULL,
     order_no VARCHAR(64) NULL,
     amount BIGINT NOT NULL,
     payee_name VARCHAR(128) NOT NULL,
     payee_account VARCHAR(34) NOT NULL,
     payee_bank VARCHAR(12) NOT NULL,
     business_date DATE NOT NULL,
     funded_on DATE NOT NULL,
     state VARCHAR(12) NOT NULL,
     channel VARCHAR(12) NULL,
     reason VARCHAR(128) NULL,
     attempts INT NOT NULL,
     next_ms BIGINT NOT NULL,
     created_ms BIGINT NOT NULL,
     changed_ms BIGINT NOT NULL,
     KEY payouts_by_state (shard_id, state, next_ms),
     KEY payouts_by_platform (platform_id, id),
     KEY payouts_in_state (state, id),
     KEY payouts_by_source (source_account_id, id),
     CONSTRAINT payouts_amount CHECK (amount > 0)
   )`,
];

export class Orders1700000000002 implements MigrationInterface {
  name = 'Orders1700000000002';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
