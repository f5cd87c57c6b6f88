import type { MigrationInterface, QueryRunner } from 'typeorm';
import { PARAMETERS } from './data/parameters.js';

/**
 * Customers of the bank with their real names, the users of platforms that they are, electronic accounts with their bound cards and
 * the use of their limits, the dated parameters of the law. Columns named `…_sealed` hold text that was sealed by the vault.
 * Locks nothing (new tables). Back out: drop the tables. Re-runnable: every statement is IF NOT EXISTS, seeds are written again.
 */
const STATEMENTS = [
  // A limit, a deadline, a rate: in force from a date on, until the next row of its name. Rows are only added.
  `CREATE TABLE IF NOT EXISTS parameters (
     name VARCHAR(48) NOT NULL,
     valid_from DATE NOT NULL,
     value BIGINT NOT NULL,
     source VARCHAR(128) NOT NULL,
     PRIMARY KEY (name, valid_from)
   )`,
  // One row a person or company that the bank knows, whatever platform it came through. id_index, mobile_index: blind indexes.
  // stopped: why business outside the counter is stopped, when it is. id_task_due_ms: until when a copy of the ID must be there.
  // use_no is advanced by whoever must have the customer to himself. screened_no: the watch list that he was last held against.
  `CREATE TABLE IF NOT EXISTS customers (
     id BIGINT NOT NULL PRIMARY KEY,
     kind VARCHAR(8) NOT NULL,
     id_type VARCHAR(24) NOT NULL,
     id_no_sealed VARCHAR(1024) NOT NULL,
     id_index BINARY(32) NOT NULL,
     name_sealed VARCHAR(1024) NOT NULL,
     mobile_sealed VARCHAR(1024) NULL,
     mobile_index BINARY(32) NULL,
     particulars_sealed TEXT NULL,
     id_expires DATE NULL,
     documented TINYINT NOT NULL,
     stopped VARCHAR(24) NULL,
     stopped_ms BIGINT NULL,
     id_task_due_ms BIGINT NULL,
     use_no BIGINT NOT NULL,
     screened_no BIGINT NOT NULL DEFAULT 0,
     verified_ms BIGINT NOT NULL,
     created_ms BIGINT NOT NULL,
     UNIQUE KEY customers_identity (id_type, id_index),
     KEY customers_by_mobile (mobile_index),
     KEY customers_by_screening (screened_no, id),
     KEY customers_by_id_task (id_task_due_ms)
   )`,
  // A person or company as one platform knows it, by the platform's own number. customer_id is there once it is verified.
  // content_hash is keyed by the vault: nobody can try identities against it. taken_over: came from elsewhere, to be activated.
  `CREATE TABLE IF NOT EXISTS users (
     id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     user_no VARCHAR(64) NOT NULL,
     customer_id BIGINT NULL,
     state VARCHAR(12) NOT NULL,
     taken_over TINYINT NOT NULL DEFAULT 0,
     particulars_sealed TEXT NOT NULL,
     content_hash BINARY(32) NOT NULL,
     refusal TEXT NULL,
     attempts INT NOT NULL,
     next_ms BIGINT NOT NULL,
     created_ms BIGINT NOT NULL,
     changed_ms BIGINT NOT NULL,
     UNIQUE KEY users_number (platform_id, user_no),
     KEY users_by_platform (platform_id, id),
     KEY users_by_customer (customer_id, id),
     KEY users_by_state (state, next_ms)
   )`,
  // state: active, blocked (by the bank), closing, closed. funded: the bound account has paid in. alive_ms: from when the six months
  // without use are counted; null once it was used. The bound card itself stands in settlement_accounts.
  `CREATE TABLE IF NOT EXISTS electronic_accounts (
     account_id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     customer_id BIGINT NOT NULL,
     user_id BIGINT NOT NULL,
     class TINYINT NOT NULL,
     virtual_no CHAR(19) NOT NULL,
     state VARCHAR(10) NOT NULL,
     face_to_face TINYINT NOT NULL,
     funded TINYINT NOT NULL,
     alive_ms BIGINT NULL,
     card_index BINARY(32) NOT NULL,
     card_class VARCHAR(8) NOT NULL,
     interest_from DATE NOT NULL,
     opened_ms BIGINT NOT NULL,
     closed_ms BIGINT NULL,
     UNIQUE KEY electronic_accounts_virtual_no (virtual_no),
     KEY electronic_accounts_by_customer (customer_id, class, state),
     KEY electronic_accounts_by_platform (platform_id, account_id),
     KEY electronic_accounts_by_card (card_index)
   )`,
  // What was used of the limits: of the natural day and of the calendar year named in the row; two-way turnover since the opening.
  `CREATE TABLE IF NOT EXISTS limit_use (
     customer_id BIGINT NOT NULL,
     account_id BIGINT NOT NULL,
     class TINYINT NOT NULL,
     day DATE NOT NULL,
     day_in BIGINT NOT NULL,
     day_out BIGINT NOT NULL,
     year_in BIGINT NOT NULL,
     year_out BIGINT NOT NULL,
     turnover BIGINT NOT NULL,
     PRIMARY KEY (customer_id, account_id)
   )`,
];

export class Customers1700000000007 implements MigrationInterface {
  name = 'Customers1700000000007';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
    for (const [name, validFrom, value, source] of PARAMETERS) {
      await runner.query(
        'INSERT INTO parameters (name, valid_from, value, source) VALUES (?, ?, ?, ?) ON DUPLICATE KEY UPDATE value = VALUES(value)',
        [name, validFrom, value, source],
      );
    }
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
