import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What the bank signed at the end of each business date, and the hashes of the blocks of its tree.
 * Locks nothing (new tables). Back out: drop the tables. Re-runnable: every statement is IF NOT EXISTS.
 */
const STATEMENTS = [
  // Append only. The unique key lets a proof have one successor: the chain of a platform never forks.
  `CREATE TABLE IF NOT EXISTS custody_proofs (
     platform_id BIGINT NOT NULL,
     business_date DATE NOT NULL,
     content TEXT NOT NULL,
     hash BINARY(32) NOT NULL,
     previous BINARY(32) NOT NULL,
     key_id VARCHAR(32) NOT NULL,
     signature CHAR(86) NOT NULL,
     attested_ms BIGINT NOT NULL,
     PRIMARY KEY (platform_id, business_date),
     UNIQUE KEY custody_proofs_chain (platform_id, previous)
   )`,
  // Append only. A block begins behind the account named here, and has 4,096 leaves unless it is the last.
  `CREATE TABLE IF NOT EXISTS custody_proof_blocks (
     platform_id BIGINT NOT NULL,
     business_date DATE NOT NULL,
     block_no INT NOT NULL,
     after_type VARCHAR(12) NULL,
     after_account BIGINT NULL,
     hash BINARY(32) NOT NULL,
     PRIMARY KEY (platform_id, business_date, block_no)
   )`,
];

export class CustodyProofs1700000000034 implements MigrationInterface {
  name = 'CustodyProofs1700000000034';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
