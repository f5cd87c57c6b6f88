import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What lending platforms may do beyond lending directly, and claims that are offered for sale.
 * Locks nothing (new tables). Back out: drop the tables. Re-runnable: every statement is.
 */
const STATEMENTS = [
  // What two people of the bank agreed with a lending platform; append only but for the decision. in_force is 1 of the one that counts, else null.
  // advance_ceiling: most that the platform's own advances may stand at, minor units. …_account_id: opened with the first terms that need it, and
  // carried on. reason_sealed: people write names.
  `CREATE TABLE IF NOT EXISTS lending_terms (
     id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     state VARCHAR(10) NOT NULL,
     in_force TINYINT NULL,
     advance TINYINT NOT NULL,
     advance_ceiling BIGINT NOT NULL,
     entrusted TINYINT NOT NULL,
     reserve TINYINT NOT NULL,
     advance_account_id BIGINT NULL,
     reserve_account_id BIGINT NULL,
     reason_sealed TEXT NOT NULL,
     proposed_by BIGINT NOT NULL,
     proposed_ms BIGINT NOT NULL,
     decided_by BIGINT NULL,
     decided_ms BIGINT NULL,
     note_sealed TEXT NULL,
     UNIQUE KEY lending_terms_in_force (platform_id, in_force),
     KEY lending_terms_by_platform (platform_id, id),
     CONSTRAINT lending_terms_two CHECK (in_force IS NULL OR decided_by <> proposed_by),
     CONSTRAINT lending_terms_ceiling CHECK (advance_ceiling >= 0)
   )`,
  // Offers of claims, append only but for what was sold and the state: open, sold, cancelled, ended. claim_turn: how often the claim had been paid
  // on when it was offered; an open one is over as soon as the claim's own count differs. fee: basis points of the price.
  `CREATE TABLE IF NOT EXISTS lending_claim_sales (
     id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     project_id BIGINT NOT NULL,
     claim_id BIGINT NOT NULL,
     seller_id BIGINT NOT NULL,
     share BIGINT NOT NULL,
     price BIGINT NOT NULL,
     sold BIGINT NOT NULL,
     paid BIGINT NOT NULL,
     fee INT NOT NULL,
     until_ms BIGINT NOT NULL,
     claim_turn INT NOT NULL,
     state VARCHAR(10) NOT NULL,
     created_ms BIGINT NOT NULL,
     KEY lending_claim_sales_by_project (project_id, state, id),
     CONSTRAINT lending_claim_sales_sold CHECK (share > 0 AND sold >= 0 AND sold <= share AND paid >= 0 AND paid <= price)
   )`,
];

export class LendingClaims1700000000044 implements MigrationInterface {
  name = 'LendingClaims1700000000044';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
