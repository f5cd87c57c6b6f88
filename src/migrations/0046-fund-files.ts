import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Files that were exchanged with fund companies, and which orders stood in which. New tables, no lock on what is there. Back out: drop them; orders that
 * are `sent` could then not be handed in again. Re-runnable.
 */
const STATEMENTS = [
  // One row a file, ours (applications) and theirs. state: filling (orders are being put in), handed-in; refused (nothing of it counts; why says the
  // reason), taken. digest: SHA-256. record_count: how many records it has, as far as it could be read.
  `CREATE TABLE IF NOT EXISTS fund_files (
     company VARCHAR(9) NOT NULL,
     file_date DATE NOT NULL,
     kind VARCHAR(13) NOT NULL,
     state VARCHAR(9) NOT NULL,
     record_count BIGINT NOT NULL,
     digest BINARY(32) NULL,
     why VARCHAR(256) NULL,
     changed_ms BIGINT NOT NULL,
     PRIMARY KEY (company, file_date, kind)
   )`,
  // The orders in our file of a date. attempt: which sending of the order it is, from 1.
  `CREATE TABLE IF NOT EXISTS fund_file_orders (
     company VARCHAR(9) NOT NULL,
     file_date DATE NOT NULL,
     order_id BIGINT NOT NULL,
     attempt INT NOT NULL,
     PRIMARY KEY (company, file_date, order_id),
     UNIQUE KEY fund_file_orders_once (order_id, attempt)
   )`,
];

export class FundFiles1700000000046 implements MigrationInterface {
  name = 'FundFiles1700000000046';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
