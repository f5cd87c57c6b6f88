import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Money whose owner is not known yet, item by item, and what two people made of it; blind indexes of settlement accounts, by which items
 * find their owners.
 * Locks `settlement_accounts` for the time of adding columns and keys, and `payouts` for the time of widening a short column (in place on
 * both servers). Back out: drop the tables and columns. Re-runnable: what is there is left as it is.
 */
const STATEMENTS = [
  // One row a credit of a suspense account, under the id of the instruction that credited it. What is left is amount − attributed −
  // returned − undone. source: statement, top-up, payout-failed, payout-returned. clears_on: not withdrawable before, if it is not null.
  // funded_on: the last date on which it can have come in. told_sealed: the words that came with it, '' where there were none.
  `CREATE TABLE IF NOT EXISTS suspense_items (
     id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     amount BIGINT NOT NULL,
     attributed BIGINT NOT NULL,
     returned BIGINT NOT NULL,
     undone BIGINT NOT NULL,
     state VARCHAR(12) NOT NULL,
     source VARCHAR(16) NOT NULL,
     reference VARCHAR(64) NOT NULL,
     payout_id BIGINT NULL,
     from_account_id BIGINT NULL,
     payer_name_sealed VARCHAR(1024) NOT NULL,
     payer_account_sealed VARCHAR(1024) NOT NULL,
     payer_bank VARCHAR(12) NOT NULL,
     told_sealed VARCHAR(2048) NOT NULL,
     clears_on DATE NULL,
     funded_on DATE NOT NULL,
     since_ms BIGINT NOT NULL,
     changed_ms BIGINT NOT NULL,
     KEY suspense_items_by_platform (platform_id, state, id),
     KEY suspense_items_by_state (state, id),
     KEY suspense_items_by_account (from_account_id),
     CONSTRAINT suspense_items_conserved CHECK (attributed >= 0 AND returned >= 0 AND undone >= 0
       AND attributed + returned + undone <= amount)
   )`,
  // What one member of staff proposes to do with an item, and what another decided. action: attribute, return. state: proposed, approved
  // (instructed under the proposal's number), done (posted), undone (posted and corrected), rejected, withdrawn.
  `CREATE TABLE IF NOT EXISTS suspense_proposals (
     id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     item_id BIGINT NOT NULL,
     action VARCHAR(10) NOT NULL,
     account_id BIGINT NULL,
     amount BIGINT NOT NULL,
     reason_sealed VARCHAR(1536) NOT NULL,
     state VARCHAR(10) NOT NULL,
     instruction_id BIGINT NULL,
     proposed_by BIGINT NOT NULL,
     proposed_ms BIGINT NOT NULL,
     decided_by BIGINT NULL,
     decided_ms BIGINT NULL,
     note_sealed VARCHAR(1536) NULL,
     KEY suspense_proposals_by_item (item_id, id),
     CONSTRAINT suspense_proposals_amount CHECK (amount > 0),
     CONSTRAINT suspense_proposals_two CHECK (state NOT IN ('approved', 'done', 'undone') OR decided_by <> proposed_by)
   )`,
  // Money that stood on suspense before there were items: each credit is one of them. Nothing could debit these accounts until now.
  `INSERT INTO suspense_items (id, platform_id, amount, attributed, returned, undone, state, source, reference, payout_id, from_account_id,
       payer_name_sealed, payer_account_sealed, payer_bank, told_sealed, clears_on, funded_on, since_ms, changed_ms)
     SELECT e.instruction_id, a.platform_id, e.amount, 0, 0, 0, 'open',
       CASE i.kind WHEN 'payout-settled' THEN 'top-up' ELSE i.kind END, CAST(p.id AS CHAR), p.id, p.source_account_id,
       p.payee_name, p.payee_account, p.payee_bank, '', NULL, e.business_date, e.posted_ms, e.posted_ms
     FROM accounts AS a JOIN entries AS e ON e.account_id = a.id AND e.amount > 0
     JOIN instructions AS i ON i.id = e.instruction_id
     JOIN payouts AS p ON p.id = CAST(SUBSTRING(JSON_UNQUOTE(JSON_EXTRACT(i.body, '$.payout')), 5) AS UNSIGNED)
     WHERE a.type = 'suspense'
     ON DUPLICATE KEY UPDATE suspense_items.id = suspense_items.id`,
  'ALTER TABLE payouts MODIFY purpose VARCHAR(24) NOT NULL',
];

export class Suspense1700000000020 implements MigrationInterface {
  name = 'Suspense1700000000020';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
    // Null: bound before there were such indexes; the resealing fills them.
    if (!(await runner.hasColumn('settlement_accounts', 'account_index')))
      await runner.query(
        `ALTER TABLE settlement_accounts ADD COLUMN account_index BINARY(32) NULL, ADD COLUMN holder_index BINARY(32) NULL,
           ADD KEY settlement_accounts_by_account (account_index), ADD KEY settlement_accounts_by_holder (holder_index)`,
      );
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
