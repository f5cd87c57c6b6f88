import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What is known of customers beside their rows: who stands behind them, who holds a mobile number, what was verified when, why they
 * are stopped, the watch list, the tasks of the bank's staff, documents and their renewals, and trial payments to companies.
 * Columns named `…_sealed` hold text that was sealed by the vault, `…_index` its blind indexes.
 * Locks nothing (new tables). Back out: drop the tables. Re-runnable: every statement is IF NOT EXISTS.
 */
const STATEMENTS = [
  // Who is held against the watch list for a customer: place 0 is the customer, the others stand behind a company.
  `CREATE TABLE IF NOT EXISTS customer_identities (
     customer_id BIGINT NOT NULL,
     place INT NOT NULL,
     role VARCHAR(16) NOT NULL,
     id_type VARCHAR(24) NOT NULL,
     id_index BINARY(32) NOT NULL,
     name_index BINARY(32) NOT NULL,
     PRIMARY KEY (customer_id, place)
   )`,
  // One row a customer who holds a mobile number. A number has as many places as identities may share it: two cannot take the same.
  `CREATE TABLE IF NOT EXISTS mobile_places (
     mobile_index BINARY(32) NOT NULL,
     place INT NOT NULL,
     customer_id BIGINT NOT NULL,
     PRIMARY KEY (mobile_index, place),
     UNIQUE KEY mobile_places_by_customer (customer_id)
   )`,
  // Identities that two members of staff let share a mobile number (a guardian's, for instance).
  `CREATE TABLE IF NOT EXISTS mobile_exceptions (
     mobile_index BINARY(32) NOT NULL,
     id_type VARCHAR(24) NOT NULL,
     id_index BINARY(32) NOT NULL,
     task_id BIGINT NOT NULL,
     approved_ms BIGINT NOT NULL,
     PRIMARY KEY (mobile_index, id_type, id_index)
   )`,
  // Append only: what was asked of others, and what they answered. A sealed question may be sealed anew under another key.
  `CREATE TABLE IF NOT EXISTS verifications (
     id BIGINT NOT NULL PRIMARY KEY,
     user_id BIGINT NOT NULL,
     kind VARCHAR(12) NOT NULL,
     subject VARCHAR(48) NOT NULL,
     asked_sealed TEXT NOT NULL,
     result VARCHAR(16) NOT NULL,
     evidence VARCHAR(64) NULL,
     asked_ms BIGINT NOT NULL,
     answered_ms BIGINT NOT NULL,
     KEY verifications_by_user (user_id, id)
   )`,
  // Each reason for which a customer is or was stopped. live is 1 while it holds and null afterwards: one of a reason at a time.
  `CREATE TABLE IF NOT EXISTS customer_stops (
     id BIGINT NOT NULL PRIMARY KEY,
     customer_id BIGINT NOT NULL,
     reason VARCHAR(24) NOT NULL,
     live TINYINT NULL,
     note_sealed TEXT NOT NULL,
     started_ms BIGINT NOT NULL,
     started_by BIGINT NULL,
     end_note_sealed TEXT NULL,
     ended_ms BIGINT NULL,
     ended_by BIGINT NULL,
     UNIQUE KEY customer_stops_live (customer_id, reason, live)
   )`,
  // The list that holds now. entry_key: blind index of the whole entry, the same from one list to the next.
  `CREATE TABLE IF NOT EXISTS watch_entries (
     entry_key BINARY(32) NOT NULL PRIMARY KEY,
     list_no BIGINT NOT NULL,
     id_type VARCHAR(24) NULL,
     id_index BINARY(32) NULL,
     name_index BINARY(32) NULL,
     entry_sealed TEXT NOT NULL,
     KEY watch_entries_by_id (id_index),
     KEY watch_entries_by_name (name_index),
     KEY watch_entries_by_list (list_no)
   )`,
  // Each list that was loaded.
  `CREATE TABLE IF NOT EXISTS watch_lists (
     list_no BIGINT NOT NULL PRIMARY KEY,
     entries INT NOT NULL,
     digest BINARY(32) NOT NULL,
     loaded_by BIGINT NOT NULL,
     loaded_ms BIGINT NOT NULL
   )`,
  // 待办. subject_key says what it is about: the same thing makes one task. state: open; confirmed, dismissed, approved or
  // refused by staff; done by the system.
  `CREATE TABLE IF NOT EXISTS tasks (
     id BIGINT NOT NULL PRIMARY KEY,
     kind VARCHAR(20) NOT NULL,
     subject_key BINARY(32) NOT NULL,
     customer_id BIGINT NULL,
     state VARCHAR(10) NOT NULL,
     detail_sealed TEXT NOT NULL,
     due_ms BIGINT NULL,
     asked_by BIGINT NULL,
     decided_by BIGINT NULL,
     reason_sealed TEXT NULL,
     created_ms BIGINT NOT NULL,
     decided_ms BIGINT NULL,
     UNIQUE KEY tasks_subject (kind, subject_key),
     KEY tasks_by_state (state, id),
     KEY tasks_by_customer (customer_id, id)
   )`,
  // The images themselves lie sealed in the document store under the id. sha256 is of the image as it came.
  `CREATE TABLE IF NOT EXISTS documents (
     id BIGINT NOT NULL PRIMARY KEY,
     user_id BIGINT NOT NULL,
     kind VARCHAR(20) NOT NULL,
     media_type VARCHAR(32) NOT NULL,
     size INT NOT NULL,
     sha256 BINARY(32) NOT NULL,
     created_ms BIGINT NOT NULL,
     UNIQUE KEY documents_content (user_id, kind, sha256)
   )`,
  // A new validity of an identity document, asked after before it counts. expires null: for long.
  `CREATE TABLE IF NOT EXISTS document_renewals (
     id BIGINT NOT NULL PRIMARY KEY,
     user_id BIGINT NOT NULL,
     document_id BIGINT NOT NULL,
     expires DATE NULL,
     state VARCHAR(8) NOT NULL,
     refusal TEXT NULL,
     attempts INT NOT NULL,
     next_ms BIGINT NOT NULL,
     created_ms BIGINT NOT NULL,
     decided_ms BIGINT NULL,
     UNIQUE KEY document_renewals_document (user_id, document_id),
     KEY document_renewals_by_state (state, next_ms)
   )`,
  // Trial payments between the bank and a company's own account. live is 1 until it ends: one at a time. Its id is the message number.
  `CREATE TABLE IF NOT EXISTS account_trials (
     id BIGINT NOT NULL PRIMARY KEY,
     user_id BIGINT NOT NULL,
     direction VARCHAR(8) NOT NULL,
     live TINYINT NULL,
     account_sealed TEXT NOT NULL,
     amount_sealed VARCHAR(256) NOT NULL,
     state VARCHAR(10) NOT NULL,
     wrong_answers INT NOT NULL,
     attempts INT NOT NULL,
     next_ms BIGINT NOT NULL,
     expires_ms BIGINT NOT NULL,
     started_on DATE NOT NULL,
     created_ms BIGINT NOT NULL,
     decided_ms BIGINT NULL,
     UNIQUE KEY account_trials_live (user_id, live),
     KEY account_trials_by_user (user_id, id),
     KEY account_trials_by_state (state, next_ms)
   )`,
];

export class Parties1700000000011 implements MigrationInterface {
  name = 'Parties1700000000011';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
