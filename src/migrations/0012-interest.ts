import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Demand interest: what each electronic account earned in each period, and where the last period ended.
 * Locks nothing (new tables). Back out: drop the tables. Re-runnable: every statement is IF NOT EXISTS.
 */
const STATEMENTS = [
  // From `since` to `through`, both included. credited_on: the business date of the posting. order_on: the same while the core bank
  // was not told to bring the money yet. rate: millionths a year. product: fen times days.
  `CREATE TABLE IF NOT EXISTS interest_lines (
     platform_id BIGINT NOT NULL,
     through DATE NOT NULL,
     account_id BIGINT NOT NULL,
     since DATE NOT NULL,
     product DECIMAL(30,0) NOT NULL,
     rate BIGINT NOT NULL,
     amount BIGINT NOT NULL,
     credited_on DATE NULL,
     order_on DATE NULL,
     PRIMARY KEY (platform_id, through, account_id),
     KEY interest_lines_by_order (order_on, platform_id),
     CONSTRAINT interest_lines_amount CHECK (amount >= 0)
   )`,
  // The balance of an account at the end of `through`, and the last entry that made it, so that no older entry is read again.
  `CREATE TABLE IF NOT EXISTS interest_checkpoints (
     account_id BIGINT NOT NULL PRIMARY KEY,
     through DATE NOT NULL,
     seq BIGINT NOT NULL,
     balance BIGINT NOT NULL
   )`,
];

export class Interest1700000000012 implements MigrationInterface {
  name = 'Interest1700000000012';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
