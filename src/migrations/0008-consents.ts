import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The customer's own will: consents bound to one act, mandates and their uses, trade passwords, and what proof each kind needs.
 * Locks nothing (new tables). Back out: drop the tables. Re-runnable: every statement is IF NOT EXISTS.
 */
const STATEMENTS = [
  // One question to one customer about one thing: subject (instruction, mandate, password …) and its id. digest: over what was shown.
  // state: pending, given, declined, expired, locked, used.
  `CREATE TABLE IF NOT EXISTS consents (
     id BIGINT NOT NULL PRIMARY KEY,
     subject VARCHAR(12) NOT NULL,
     subject_id BIGINT NOT NULL,
     platform_id BIGINT NOT NULL,
     customer_id BIGINT NOT NULL,
     needs VARCHAR(8) NOT NULL,
     state VARCHAR(10) NOT NULL,
     token_hash BINARY(32) NOT NULL,
     shown_sealed TEXT NOT NULL,
     digest BINARY(32) NOT NULL,
     attempts INT NOT NULL,
     code_hash BINARY(32) NULL,
     code_sent_ms BIGINT NULL,
     codes_sent INT NOT NULL,
     expires_ms BIGINT NOT NULL,
     answered_ms BIGINT NULL,
     receipt_sealed TEXT NULL,
     created_ms BIGINT NOT NULL,
     UNIQUE KEY consents_subject (subject, subject_id),
     UNIQUE KEY consents_token (token_hash),
     KEY consents_by_due (state, expires_ms),
     KEY consents_by_customer (customer_id, id)
   )`,
  // The trade password is nowhere: only a slow salted hash of it.
  `CREATE TABLE IF NOT EXISTS credentials (
     customer_id BIGINT NOT NULL PRIMARY KEY,
     password_hash VARCHAR(256) NULL,
     attempts INT NOT NULL,
     locked_until_ms BIGINT NULL,
     changed_ms BIGINT NOT NULL
   )`,
  // Messages to customers. state: pending, sent, refused (by the gateway), dropped (too old to be of use). text_sealed: null once it
  // is no longer to be sent. The id is the message number: under it the gateway sends once, however often it is asked.
  `CREATE TABLE IF NOT EXISTS sms_outbox (
     id BIGINT NOT NULL PRIMARY KEY,
     mobile_sealed VARCHAR(1024) NOT NULL,
     text_sealed TEXT NULL,
     state VARCHAR(8) NOT NULL,
     attempts INT NOT NULL,
     next_ms BIGINT NOT NULL,
     expires_ms BIGINT NOT NULL,
     created_ms BIGINT NOT NULL,
     ended_ms BIGINT NULL,
     KEY sms_outbox_by_due (state, next_ms)
   )`,
  // kinds, payees (ids of accounts): comma-separated. period: day, month or null. state: pending, active, declined,
  // lapsed (not answered), revoked (by: platform or customer). noticed_ms: when the customer was told that it will end.
  `CREATE TABLE IF NOT EXISTS mandates (
     id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     customer_id BIGINT NOT NULL,
     account_id BIGINT NOT NULL,
     user_id BIGINT NOT NULL,
     mandate_no VARCHAR(64) NOT NULL,
     content_hash BINARY(32) NOT NULL,
     kinds VARCHAR(128) NOT NULL,
     pays_orders TINYINT NOT NULL,
     payees TEXT NOT NULL,
     payment_cap BIGINT NOT NULL,
     total_cap BIGINT NOT NULL,
     period VARCHAR(5) NULL,
     period_cap BIGINT NULL,
     expires_ms BIGINT NOT NULL,
     state VARCHAR(8) NOT NULL,
     granted_ms BIGINT NULL,
     revoked_ms BIGINT NULL,
     revoked_by VARCHAR(8) NULL,
     noticed_ms BIGINT NULL,
     created_ms BIGINT NOT NULL,
     UNIQUE KEY mandates_number (platform_id, mandate_no),
     KEY mandates_by_platform (platform_id, id),
     KEY mandates_by_account (account_id, id),
     KEY mandates_by_customer (customer_id, id),
     KEY mandates_by_expiry (state, expires_ms)
   )`,
  // Append only: each use of a mandate, in its order, with what was used by then in all and in the day or month that period_key names.
  `CREATE TABLE IF NOT EXISTS mandate_uses (
     mandate_id BIGINT NOT NULL,
     seq INT NOT NULL,
     instruction_id BIGINT NOT NULL,
     amount BIGINT NOT NULL,
     used_total BIGINT NOT NULL,
     used_period BIGINT NOT NULL,
     period_key VARCHAR(10) NOT NULL,
     used_ms BIGINT NOT NULL,
     PRIMARY KEY (mandate_id, seq),
     KEY mandate_uses_by_instruction (instruction_id)
   )`,
  // Addresses of a customer's own pages; the token is in the address alone. platform_id: he sees what is between him and that platform,
  // for the platform had the address in its hands; null: all that is his.
  `CREATE TABLE IF NOT EXISTS customer_links (
     token_hash BINARY(32) NOT NULL PRIMARY KEY,
     customer_id BIGINT NOT NULL,
     platform_id BIGINT NULL,
     expires_ms BIGINT NOT NULL,
     created_ms BIGINT NOT NULL
   )`,
  // What the bank asks for, where it asks for more or less than the default; never less than the floor of the kind.
  `CREATE TABLE IF NOT EXISTS proof_policies (
     profile VARCHAR(16) NOT NULL,
     kind VARCHAR(24) NOT NULL,
     needs VARCHAR(8) NOT NULL,
     mandates TINYINT NOT NULL,
     changed_ms BIGINT NOT NULL,
     PRIMARY KEY (profile, kind)
   )`,
];

export class Consents1700000000008 implements MigrationInterface {
  name = 'Consents1700000000008';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
