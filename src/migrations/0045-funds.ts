import type { MigrationInterface, QueryRunner } from 'typeorm';
import { PARAMETERS } from './data/parameters.js';

/**
 * The savings pot: the catalogue of funds, values and income of their days, holdings and orders of units, and what was redeemed at once.
 * New tables, and locks `accounts` and `custody_proof_blocks` for the time of widening a short column (in place on both servers). Back out: drop
 * the tables; nobody may hold units then. Re-runnable.
 */
const STATEMENTS = [
  'ALTER TABLE accounts MODIFY type VARCHAR(16) NOT NULL',
  'ALTER TABLE custody_proof_blocks MODIFY after_type VARCHAR(16) NULL',
  // What two people of the bank decide about the catalogue. terms: the whole entry as JSON, its custody account sealed. state: proposed, approved,
  // rejected, withdrawn. live: 1 of the one that waits, else null.
  `CREATE TABLE IF NOT EXISTS fund_proposals (
     id BIGINT NOT NULL PRIMARY KEY,
     code CHAR(6) NOT NULL,
     terms_sealed TEXT NOT NULL,
     state VARCHAR(10) NOT NULL,
     live TINYINT NULL,
     proposed_by BIGINT NOT NULL,
     proposed_ms BIGINT NOT NULL,
     decided_by BIGINT NULL,
     decided_ms BIGINT NULL,
     UNIQUE KEY fund_proposals_live (code, live),
     CONSTRAINT fund_proposals_two CHECK (state <> 'approved' OR decided_by <> proposed_by)
   )`,
  // The catalogue as last approved. kind: money, other. settles_in: trading days from T on after which the company gets the money. sells: 1 while
  // units can be bought.
  `CREATE TABLE IF NOT EXISTS funds (
     code CHAR(6) NOT NULL PRIMARY KEY,
     name VARCHAR(128) NOT NULL,
     company VARCHAR(128) NOT NULL,
     kind VARCHAR(5) NOT NULL,
     custody_name_sealed VARCHAR(1024) NOT NULL,
     custody_account_sealed VARCHAR(1024) NOT NULL,
     custody_bank VARCHAR(12) NOT NULL,
     settles_in INT NOT NULL,
     sells TINYINT NOT NULL,
     CONSTRAINT funds_settles CHECK (settles_in >= 1)
   )`,
  // What the company says of a day: the value of a unit in 1/10,000 yuan; of a money fund the income of 10,000 units in 1/10,000 yuan, for all
  // natural days from from_date on, and the yield of seven days in 1/1,000 percent.
  `CREATE TABLE IF NOT EXISTS fund_days (
     fund_code CHAR(6) NOT NULL,
     fund_date DATE NOT NULL,
     from_date DATE NOT NULL,
     nav BIGINT NOT NULL,
     per_10k BIGINT NULL,
     seven_day BIGINT NULL,
     taken_ms BIGINT NOT NULL,
     PRIMARY KEY (fund_code, fund_date),
     CONSTRAINT fund_days_values CHECK (nav > 0 AND from_date <= fund_date)
   )`,
  // The accounts of a platform's book by which money of funds passes, and what of the bank's own money it has advanced and not got back.
  `CREATE TABLE IF NOT EXISTS fund_books (
     platform_id BIGINT NOT NULL PRIMARY KEY,
     collection_id BIGINT NOT NULL,
     advance_id BIGINT NOT NULL,
     advanced BIGINT NOT NULL,
     CONSTRAINT fund_books_advanced CHECK (advanced >= 0)
   )`,
  // Units in hundredths; frozen: of them in redemptions that are not confirmed; pending: money (fen) of purchases that are not; due: what
  // confirmed redemptions are still to bring; income_to: the last natural day whose income is among the units; income: all of it, in fen.
  `CREATE TABLE IF NOT EXISTS fund_holdings (
     account_id BIGINT NOT NULL,
     fund_code CHAR(6) NOT NULL,
     platform_id BIGINT NOT NULL,
     customer_id BIGINT NOT NULL,
     units BIGINT NOT NULL,
     frozen BIGINT NOT NULL,
     pending BIGINT NOT NULL,
     due BIGINT NOT NULL,
     income_to DATE NULL,
     income BIGINT NOT NULL,
     PRIMARY KEY (account_id, fund_code),
     KEY fund_holdings_by_fund (fund_code, income_to, account_id),
     KEY fund_holdings_by_customer (customer_id),
     CONSTRAINT fund_holdings_floor CHECK (frozen >= 0 AND units >= frozen AND pending >= 0 AND due >= 0)
   )`,
  // direction: subscription, redemption. way: direct, pot (a purchase that a redemption pays); ordinary, fast, exchange (that redemption).
  // amount in fen, units in hundredths: what was asked, and what the company confirmed. trading_date: T; null while it waits. collected: what
  // of the collection account is the order's. partner_id: of a purchase from the pot its redemption, and the other way round.
  // settles_on: when the company gets the money of a purchase; settlement_id: the payout by which it did.
  `CREATE TABLE IF NOT EXISTS fund_orders (
     id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     shard_id INT NOT NULL,
     account_id BIGINT NOT NULL,
     customer_id BIGINT NOT NULL,
     fund_code CHAR(6) NOT NULL,
     direction VARCHAR(12) NOT NULL,
     way VARCHAR(8) NOT NULL,
     amount BIGINT NOT NULL,
     units BIGINT NOT NULL,
     nav BIGINT NULL,
     state VARCHAR(9) NOT NULL,
     trading_date DATE NULL,
     confirmed_on DATE NULL,
     settles_on DATE NULL,
     collected BIGINT NOT NULL,
     partner_id BIGINT NULL,
     settlement_id BIGINT NULL,
     reason VARCHAR(128) NULL,
     attempts INT NOT NULL,
     created_ms BIGINT NOT NULL,
     changed_ms BIGINT NOT NULL,
     KEY fund_orders_by_account (account_id, id),
     KEY fund_orders_by_state (shard_id, state, fund_code, trading_date, id),
     KEY fund_orders_by_platform (platform_id, state, id),
     KEY fund_orders_by_settlement (settlement_id),
     CONSTRAINT fund_orders_amounts CHECK (amount >= 0 AND units >= 0 AND collected >= 0)
   )`,
  // What a customer redeemed at once of a fund on a natural day, over all his accounts. turn: written by whoever is about to count.
  `CREATE TABLE IF NOT EXISTS fund_fast_uses (
     customer_id BIGINT NOT NULL,
     fund_code CHAR(6) NOT NULL,
     use_date DATE NOT NULL,
     used BIGINT NOT NULL,
     turn BIGINT NOT NULL,
     PRIMARY KEY (customer_id, fund_code, use_date),
     CONSTRAINT fund_fast_uses_used CHECK (used >= 0)
   )`,
];

export class Funds1700000000045 implements MigrationInterface {
  name = 'Funds1700000000045';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
    for (const [name, validFrom, value, source] of PARAMETERS.filter(([added]) => added.startsWith('fund-redemption.'))) {
      await runner.query(
        `INSERT INTO parameters (name, valid_from, value, source) VALUES (?, ?, ?, ?)
         ON DUPLICATE KEY UPDATE value = parameters.value`,
        [name, validFrom, value, source],
      );
    }
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
