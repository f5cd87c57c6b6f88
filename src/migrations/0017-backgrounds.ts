import type { MigrationInterface, QueryRunner } from 'typeorm';
import { CATEGORIES } from './data/categories.js';

/**
 * What stands behind an order: its goods, each of one seller, and what of them was split; which goods the bank takes at all; what a
 * seller turned over. Locks nothing (new tables). Back out: drop the tables. Re-runnable: every statement is IF NOT EXISTS, seeds by key.
 */
const STATEMENTS = [
  // bound: it is split by agreements alone. items: JSON, each with its seller, agreement version, price, freight, and how much of it went to whom.
  `CREATE TABLE IF NOT EXISTS order_backgrounds (
     order_id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     order_no VARCHAR(64) NOT NULL,
     buyer VARCHAR(64) NOT NULL,
     bound TINYINT NOT NULL,
     items MEDIUMTEXT NOT NULL,
     completed_ms BIGINT NULL,
     due_ms BIGINT NULL,
     KEY order_backgrounds_by_due (due_ms)
   )`,
  // Rows by date: the one in force on a day is the latest that is not later. evidence: what must be shown before a split.
  `CREATE TABLE IF NOT EXISTS goods_categories (
     code VARCHAR(32) NOT NULL,
     valid_from DATE NOT NULL,
     zh VARCHAR(64) NOT NULL,
     en VARCHAR(64) NOT NULL,
     allowed TINYINT NOT NULL,
     evidence VARCHAR(16) NOT NULL,
     PRIMARY KEY (code, valid_from)
   )`,
  // What was paid for the goods of a seller on the last date on which something was, and in that date's month.
  `CREATE TABLE IF NOT EXISTS seller_turnovers (
     account_id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     on_date DATE NOT NULL,
     day_amount BIGINT NOT NULL,
     month_amount BIGINT NOT NULL
   )`,
];

export class Backgrounds1700000000017 implements MigrationInterface {
  name = 'Backgrounds1700000000017';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
    for (const { code, zh, en, allowed, evidence } of CATEGORIES)
      await runner.query(
        `INSERT INTO goods_categories (code, valid_from, zh, en, allowed, evidence) VALUES (?, '2016-01-01', ?, ?, ?, ?)
         ON DUPLICATE KEY UPDATE code = VALUES(code)`,
        [code, zh, en, allowed ? 1 : 0, evidence],
      );
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
