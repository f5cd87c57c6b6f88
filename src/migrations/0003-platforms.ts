import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Who may call: platforms and their keys, operators and their tokens; the audit trail; the clock of a sandbox.
 * Locks nothing (new tables). Back out: drop the tables. Re-runnable: every statement is IF NOT EXISTS.
 */
const STATEMENTS = [
  `CREATE TABLE IF NOT EXISTS platforms (
     id BIGINT NOT NULL PRIMARY KEY,
     name VARCHAR(128) NOT NULL,
     uscc CHAR(18) NULL,
     state VARCHAR(10) NOT NULL,
     created_ms BIGINT NOT NULL
   )`,
  `CREATE TABLE IF NOT EXISTS platform_keys (
     id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     algorithm VARCHAR(16) NOT NULL,
     public_key TEXT NOT NULL,
     state VARCHAR(10) NOT NULL,
     created_ms BIGINT NOT NULL,
     revoked_ms BIGINT NULL,
     KEY platform_keys_by_platform (platform_id, id)
   )`,
  // roles: comma-separated, sorted.
  `CREATE TABLE IF NOT EXISTS operators (
     id BIGINT NOT NULL PRIMARY KEY,
     name VARCHAR(64) NOT NULL,
     roles VARCHAR(64) NOT NULL,
     state VARCHAR(10) NOT NULL,
     created_ms BIGINT NOT NULL
   )`,
  // The token itself is nowhere: only its SHA-256.
  `CREATE TABLE IF NOT EXISTS operator_tokens (
     token_hash BINARY(32) NOT NULL PRIMARY KEY,
     operator_id BIGINT NOT NULL,
     created_ms BIGINT NOT NULL,
     revoked_ms BIGINT NULL,
     KEY operator_tokens_by_operator (operator_id)
   )`,
  // Append only. operator_id 0: a script on the server. outcome: done, or the code of the refusal.
  `CREATE TABLE IF NOT EXISTS audit_entries (
     id BIGINT NOT NULL PRIMARY KEY,
     operator_id BIGINT NOT NULL,
     action VARCHAR(160) NOT NULL,
     target VARCHAR(200) NOT NULL,
     detail TEXT NOT NULL,
     outcome VARCHAR(32) NOT NULL,
     at_ms BIGINT NOT NULL,
     request_id VARCHAR(32) NOT NULL,
     KEY audit_by_operator (operator_id, id),
     KEY audit_by_request (request_id)
   )`,
  `CREATE TABLE IF NOT EXISTS driven_clock (
     id INT NOT NULL PRIMARY KEY,
     now_ms BIGINT NOT NULL
   )`,
];

export class Platforms1700000000003 implements MigrationInterface {
  name = 'Platforms1700000000003';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
