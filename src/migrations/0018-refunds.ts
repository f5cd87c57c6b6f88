import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What a refund after a split rests on: margins of sub-merchants, advances of platforms with what is owed for them, and the refunds that
 * wait for money; and what platforms add to orders of their own. Two columns with defaults and their checks on orders, else new tables.
 * Back out: drop the tables, the columns and the checks. Re-runnable: every statement is IF NOT EXISTS or looks first.
 */
const STATEMENTS = [
  // One row a sub-merchant with a margin account. target: what later income fills it up to; 0: nothing is filled up.
  `CREATE TABLE IF NOT EXISTS margins (
     account_id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     margin_id BIGINT NOT NULL,
     target BIGINT NOT NULL,
     UNIQUE KEY margins_by_margin (margin_id),
     KEY margins_by_platform (platform_id, account_id),
     CONSTRAINT margins_target CHECK (target >= 0)
   )`,
  // What is to stay on an account: reserve (the platform's) and bank_reserve are kept back from the clearing; with less available than
  // alert its platform is told, once until it is above again (low_ms: since when it is below and was told).
  `CREATE TABLE IF NOT EXISTS account_watches (
     account_id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     reserve BIGINT NOT NULL,
     bank_reserve BIGINT NOT NULL,
     alert BIGINT NOT NULL,
     low_ms BIGINT NULL,
     KEY account_watches_by_platform (platform_id, account_id),
     KEY account_watches_by_alert (alert),
     CONSTRAINT account_watches_marks CHECK (reserve >= 0 AND bank_reserve >= 0 AND alert >= 0)
   )`,
  // Up to how much a platform lets its own funds be used for receivers that cannot give back, and how much of that is out.
  `CREATE TABLE IF NOT EXISTS advances (
     platform_id BIGINT NOT NULL PRIMARY KEY,
     ceiling BIGINT NOT NULL,
     outstanding BIGINT NOT NULL,
     CONSTRAINT advances_outstanding CHECK (ceiling >= 0 AND outstanding >= 0)
   )`,
  // Who owes what to his platform, by the refund that it advanced for him. open_of: the debtor while something is owed, so that what is
  // paid is not walked through.
  `CREATE TABLE IF NOT EXISTS receivables (
     instruction_id BIGINT NOT NULL,
     account_id BIGINT NOT NULL,
     platform_id BIGINT NOT NULL,
     order_no VARCHAR(64) NOT NULL,
     amount BIGINT NOT NULL,
     recovered BIGINT NOT NULL,
     created_ms BIGINT NOT NULL,
     open_of BIGINT NULL,
     PRIMARY KEY (instruction_id, account_id),
     KEY receivables_open (open_of, instruction_id),
     KEY receivables_by_platform (platform_id, instruction_id, account_id),
     CONSTRAINT receivables_recovered CHECK (recovered >= 0 AND recovered <= amount)
   )`,
  // What of an income its receiver did not get. purpose: debt (target: the refund that was advanced for him), margin (target: his margin
  // account). undone_by: the correction that undid the income.
  `CREATE TABLE IF NOT EXISTS diversions (
     instruction_id BIGINT NOT NULL,
     account_id BIGINT NOT NULL,
     purpose VARCHAR(6) NOT NULL,
     target_id BIGINT NOT NULL,
     platform_id BIGINT NOT NULL,
     amount BIGINT NOT NULL,
     undone_by BIGINT NULL,
     PRIMARY KEY (instruction_id, account_id, target_id),
     KEY diversions_by_target (target_id, account_id),
     CONSTRAINT diversions_amount CHECK (amount > 0)
   )`,
  // Refunds that not all of the money was there for. state: waiting (outside the inbox), trying (in it again), cancelled (in it, to be
  // refused), and when it is decided covered or refused; cancelled stays cancelled.
  `CREATE TABLE IF NOT EXISTS shortages (
     instruction_id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     shard_id INT NOT NULL,
     order_no VARCHAR(64) NOT NULL,
     amount BIGINT NOT NULL,
     missing BIGINT NOT NULL,
     state VARCHAR(10) NOT NULL,
     tries INT NOT NULL,
     created_ms BIGINT NOT NULL,
     tried_ms BIGINT NOT NULL,
     KEY shortages_by_state (shard_id, state, tried_ms),
     KEY shortages_by_platform (platform_id, instruction_id),
     CONSTRAINT shortages_missing CHECK (amount > 0 AND missing >= 0 AND tries >= 0)
   )`,
  // The accounts that such a refund looks at: what it wants of each, what each lacks. waiting_on: the account while the refund waits.
  `CREATE TABLE IF NOT EXISTS shortage_lines (
     instruction_id BIGINT NOT NULL,
     account_id BIGINT NOT NULL,
     role VARCHAR(8) NOT NULL,
     wanted BIGINT NOT NULL,
     missing BIGINT NOT NULL,
     waiting_on BIGINT NULL,
     PRIMARY KEY (instruction_id, account_id),
     KEY shortage_lines_waiting (waiting_on, instruction_id),
     CONSTRAINT shortage_lines_missing CHECK (wanted >= 0 AND missing >= 0)
   )`,
];

// What a platform adds to an order is split like what the buyer paid, and never refunded to him.
const SUBSIDIES = `ALTER TABLE orders
   ADD COLUMN subsidised BIGINT NOT NULL DEFAULT 0,
   ADD COLUMN subsidy_returned BIGINT NOT NULL DEFAULT 0,
   DROP CONSTRAINT orders_conserved,
   ADD CONSTRAINT orders_adds_up CHECK (paid + subsidised - subsidy_returned - split + returned - refunded >= 0),
   ADD CONSTRAINT orders_refunded CHECK (refunded <= paid),
   ADD CONSTRAINT orders_subsidy CHECK (subsidy_returned >= 0 AND subsidy_returned <= subsidised)`;

export class Refunds1700000000018 implements MigrationInterface {
  name = 'Refunds1700000000018';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
    if (!(await runner.hasColumn('orders', 'subsidised'))) await runner.query(SUBSIDIES);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
