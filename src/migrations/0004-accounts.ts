import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Parties, sub-merchants, and the accounts outside to which their money is paid.
 * Locks nothing (new tables). Back out: drop the tables. Re-runnable: every statement is IF NOT EXISTS.
 */
const STATEMENTS = [
  `CREATE TABLE IF NOT EXISTS parties (
     id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     kind VARCHAR(8) NOT NULL,
     name VARCHAR(128) NOT NULL,
     id_type VARCHAR(12) NOT NULL,
     id_no VARCHAR(32) NOT NULL,
     legal_representative VARCHAR(128) NULL,
     mobile VARCHAR(16) NULL,
     created_ms BIGINT NOT NULL,
     KEY parties_by_platform (platform_id, id)
   )`,
  // content_hash: what was asked when it was opened, so that the same number with other particulars is found out for ever.
  `CREATE TABLE IF NOT EXISTS sub_merchants (
     id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     merchant_no VARCHAR(64) NOT NULL,
     party_id BIGINT NOT NULL,
     account_id BIGINT NOT NULL,
     virtual_no CHAR(19) NOT NULL,
     cycle VARCHAR(12) NOT NULL,
     content_hash BINARY(32) NOT NULL,
     opened_ms BIGINT NOT NULL,
     closed_ms BIGINT NULL,
     UNIQUE KEY sub_merchants_number (platform_id, merchant_no),
     UNIQUE KEY sub_merchants_virtual_no (virtual_no),
     UNIQUE KEY sub_merchants_account (account_id),
     KEY sub_merchants_by_platform (platform_id, id)
   )`,
  // bank_code is empty where the account stands at the custodian itself.
  `CREATE TABLE IF NOT EXISTS settlement_accounts (
     account_id BIGINT NOT NULL PRIMARY KEY,
     holder_name VARCHAR(128) NOT NULL,
     account_no VARCHAR(34) NOT NULL,
     bank_code VARCHAR(12) NOT NULL
   )`,
];

export class Accounts1700000000004 implements MigrationInterface {
  name = 'Accounts1700000000004';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
