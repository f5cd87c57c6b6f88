import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Check files, what platforms say of them, the keys with which they fetch them, what each account used of its limits at every moment, and the
 * outcomes of a platform by business date, in the order in which they were decided.
 * Locks `outcomes` for the time of adding a column (instant) and, where it does not have it, its index (it stays writable), and fills the
 * column of what was decided before in steps. Back out: drop the column, the index and the tables. Re-runnable: what is there is left as it is.
 */
const STATEMENTS = [
  // What a check file was when it was first made: never its content, which is made again from the books. `sum` is fen; `words` counts what the
  // platform said of it, so that a confirmation and a dispute do not pass each other by.
  `CREATE TABLE IF NOT EXISTS check_files (
     platform_id BIGINT NOT NULL,
     business_date DATE NOT NULL,
     file VARCHAR(16) NOT NULL,
     version INT NOT NULL,
     line_count BIGINT NOT NULL,
     sum BIGINT NOT NULL,
     utf8_bytes BIGINT NOT NULL,
     utf8_sha256 BINARY(32) NOT NULL,
     utf8_sm3 BINARY(32) NOT NULL,
     gb18030_bytes BIGINT NOT NULL,
     gb18030_sha256 BINARY(32) NOT NULL,
     gb18030_sm3 BINARY(32) NOT NULL,
     made_ms BIGINT NOT NULL,
     words INT NOT NULL DEFAULT 0,
     PRIMARY KEY (platform_id, business_date, file)
   )`,
  // The platform found a file right. Said once.
  `CREATE TABLE IF NOT EXISTS check_file_confirmations (
     platform_id BIGINT NOT NULL,
     business_date DATE NOT NULL,
     file VARCHAR(16) NOT NULL,
     key_id VARCHAR(64) NOT NULL,
     confirmed_ms BIGINT NOT NULL,
     PRIMARY KEY (platform_id, business_date, file)
   )`,
  // A line that the platform finds wrong, or of which it misses one (line 0). state: open, seen, accepted, rejected. Texts are sealed.
  `CREATE TABLE IF NOT EXISTS file_disputes (
     id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     business_date DATE NOT NULL,
     file VARCHAR(16) NOT NULL,
     line BIGINT NOT NULL,
     instruction_id BIGINT NULL,
     said_key VARCHAR(64) NOT NULL,
     reason TEXT NOT NULL,
     raised_by VARCHAR(64) NOT NULL,
     raised_ms BIGINT NOT NULL,
     state VARCHAR(8) NOT NULL,
     seen_by BIGINT NULL,
     seen_ms BIGINT NULL,
     answer TEXT NULL,
     answered_by BIGINT NULL,
     answered_ms BIGINT NULL,
     UNIQUE KEY file_disputes_once (platform_id, business_date, file, said_key),
     KEY file_disputes_by_platform (platform_id, id),
     KEY file_disputes_by_state (state, id)
   )`,
  // The SSH keys with which a platform fetches its files. A fingerprint is one platform's for ever.
  `CREATE TABLE IF NOT EXISTS file_keys (
     id BIGINT NOT NULL PRIMARY KEY,
     platform_id BIGINT NOT NULL,
     fingerprint VARCHAR(64) NOT NULL,
     public_key TEXT NOT NULL,
     created_ms BIGINT NOT NULL,
     revoked_ms BIGINT NULL,
     UNIQUE KEY file_keys_fingerprint (fingerprint),
     KEY file_keys_by_platform (platform_id, id)
   )`,
  // Append only: what an electronic account had used of its limits from this moment on.
  `CREATE TABLE IF NOT EXISTS limit_use_past (
     account_id BIGINT NOT NULL,
     used_ms BIGINT NOT NULL,
     customer_id BIGINT NOT NULL,
     class TINYINT NOT NULL,
     day DATE NOT NULL,
     day_in BIGINT NOT NULL,
     day_out BIGINT NOT NULL,
     year_in BIGINT NOT NULL,
     year_out BIGINT NOT NULL,
     turnover BIGINT NOT NULL,
     PRIMARY KEY (account_id, used_ms)
   )`,
  // What each account has used now, it has used since its last posting: nothing else counts.
  `INSERT INTO limit_use_past (account_id, used_ms, customer_id, class, day, day_in, day_out, year_in, year_out, turnover)
     SELECT u.account_id, COALESCE(e.posted_ms, x.opened_ms), u.customer_id, u.class, u.day, u.day_in, u.day_out, u.year_in, u.year_out, u.turnover
     FROM limit_use AS u JOIN electronic_accounts AS x ON x.account_id = u.account_id JOIN accounts AS a ON a.id = u.account_id
     LEFT JOIN entries AS e ON e.account_id = a.id AND e.seq = a.entry_count
     WHERE NOT EXISTS (SELECT 1 FROM limit_use_past AS p WHERE p.account_id = u.account_id)`,
];

const STEP = 20_000;

export class Reporting1700000000035 implements MigrationInterface {
  name = 'Reporting1700000000035';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
    if (!(await runner.hasColumn('outcomes', 'platform_id')))
      await runner.query('ALTER TABLE outcomes ADD COLUMN platform_id BIGINT NOT NULL DEFAULT 0');
    for (let after = '0'; ; ) {
      const [end] = (await runner.query(
        `SELECT instruction_id AS id FROM outcomes WHERE instruction_id > ? ORDER BY instruction_id LIMIT 1 OFFSET ${STEP - 1}`,
        [after],
      )) as { id: string }[];
      const to = end?.id ?? '9223372036854775807';
      await runner.query(
        `UPDATE outcomes AS o JOIN instructions AS i ON i.id = o.instruction_id SET o.platform_id = i.platform_id
         WHERE o.instruction_id > ? AND o.instruction_id <= ? AND o.platform_id = 0`,
        [after, to],
      );
      if (end === undefined) break;
      after = end.id;
    }
    const there = (await runner.query("SHOW INDEX FROM outcomes WHERE Key_name = 'outcomes_by_day'")) as unknown[];
    if (there.length === 0)
      await runner.query('ALTER TABLE outcomes ADD KEY outcomes_by_day (platform_id, business_date, batch_no, instruction_id)');
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
