import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What an answer is bound to, and which mobile numbers were proved.
 * Locks each table for the time of adding columns at its end (instant on both servers). Back out: drop the columns and the table.
 * Re-runnable: what is there is left as it is.
 */
const COLUMNS = [
  // The bound card that a question about it showed, by its blind index; another one since makes the answer void.
  ['consents', 'card_index', 'BINARY(32) NULL'],
  // Which registration an activation is about.
  ['consents', 'user_id', 'BIGINT NULL'],
  // From when on proofs count that hang on the mobile number: those before came from an unproved number that was not his.
  ['customers', 'proofs_from_ms', 'BIGINT NOT NULL DEFAULT 0'],
  // The bank of a card of his, or the bank's own staff, said that the number is his.
  ['customers', 'mobile_verified', 'TINYINT NOT NULL DEFAULT 0'],
] as const;

// Wrong trade passwords of a natural day on the addresses that a platform got of a customer's own page; platform 0: on his own addresses.
const LINK_TRIES = `CREATE TABLE IF NOT EXISTS link_tries (
  customer_id BIGINT NOT NULL,
  platform_id BIGINT NOT NULL,
  on_date DATE NOT NULL,
  tries INT NOT NULL,
  PRIMARY KEY (customer_id, platform_id)
)`;

export class BoundAnswers1700000000024 implements MigrationInterface {
  name = 'BoundAnswers1700000000024';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(LINK_TRIES);
    for (const [table, column, definition] of COLUMNS) {
      if (!(await runner.hasColumn(table, column))) await runner.query(`ALTER TABLE ${table} ADD COLUMN ${column} ${definition}`);
    }
    // Who has an electronic account has shown the elements of a card with this number.
    await runner.query(
      `UPDATE customers SET mobile_verified = 1
       WHERE mobile_verified = 0 AND id IN (SELECT customer_id FROM electronic_accounts)`,
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
