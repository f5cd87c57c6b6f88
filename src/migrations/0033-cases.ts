import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Reconciliation with every party: what each comparison found, breaks as cases with an owner and repairs by two people, and the day files
 * that platforms upload.
 * Locks `breaks`, `statement_lines` and `dispatches` for the time of adding columns and keys (in place on both servers). Back out: drop the tables, columns and keys.
 * Re-runnable: what is there is left as it is.
 */
const COLUMNS = [
  // Who the books were compared with: core-bank, platform, or the channel whose file it was. Platform 0: a channel's line that names nobody's payout.
  ['breaks', 'party', "VARCHAR(16) NOT NULL DEFAULT 'core-bank'"],
  // How each side says that it stands, where they differ in that.
  ['breaks', 'our_state', 'VARCHAR(64) NULL'],
  ['breaks', 'their_state', 'VARCHAR(64) NULL'],
  ['breaks', 'owner_id', 'BIGINT NULL'],
  ['breaks', 'owned_ms', 'BIGINT NULL'],
  // The rule that closed it by itself; null: people did, or nobody has.
  ['breaks', 'rule', 'VARCHAR(40) NULL'],
] as const;

const TABLES = [
  // What a comparison found, also when it found nothing. digest: of their file or statement. sums in fen, of their kind: signed over the wall
  // of custody, else of the amounts. timing: differences that close themselves; closed: earlier ones that this comparison closed.
  `CREATE TABLE IF NOT EXISTS reconciliation_runs (
     party VARCHAR(16) NOT NULL,
     platform_id BIGINT NOT NULL,
     business_date DATE NOT NULL,
     digest BINARY(32) NOT NULL,
     our_lines BIGINT NOT NULL,
     their_lines BIGINT NOT NULL,
     our_sum BIGINT NOT NULL,
     their_sum BIGINT NOT NULL,
     matched BIGINT NOT NULL,
     amount_differs BIGINT NOT NULL,
     only_ours BIGINT NOT NULL,
     only_theirs BIGINT NOT NULL,
     state_differs BIGINT NOT NULL,
     timing BIGINT NOT NULL,
     closed BIGINT NOT NULL,
     finished_ms BIGINT NOT NULL,
     took_ms BIGINT NOT NULL,
     PRIMARY KEY (platform_id, business_date, party),
     KEY reconciliation_runs_by_party (party, business_date)
   )`,
  // What one member of staff proposes to do about a break, and what another decided. action: see states. arguments_sealed: what it takes besides
  // the break. state: proposed, approved (and instructed, where there is an instruction), rejected, withdrawn.
  `CREATE TABLE IF NOT EXISTS break_repairs (
     id BIGINT NOT NULL PRIMARY KEY,
     break_id BIGINT NOT NULL,
     action VARCHAR(16) NOT NULL,
     arguments_sealed TEXT NOT NULL,
     note VARCHAR(500) NOT NULL,
     state VARCHAR(10) NOT NULL,
     live TINYINT NULL,
     instruction_id BIGINT NULL,
     proposed_by BIGINT NOT NULL,
     proposed_ms BIGINT NOT NULL,
     decided_by BIGINT NULL,
     decided_ms BIGINT NULL,
     decided_note VARCHAR(500) NULL,
     UNIQUE KEY break_repairs_live (break_id, live),
     KEY break_repairs_by_break (break_id, id),
     CONSTRAINT break_repairs_two CHECK (state <> 'approved' OR decided_by <> proposed_by)
   )`,
  // The day file of a platform, whole, in the parts in which it came; complete_ms: when it was verified, null until then.
  `CREATE TABLE IF NOT EXISTS platform_files (
     platform_id BIGINT NOT NULL,
     business_date DATE NOT NULL,
     encoding VARCHAR(8) NOT NULL,
     digest BINARY(32) NOT NULL,
     parts INT NOT NULL,
     line_count BIGINT NOT NULL,
     total BIGINT NOT NULL,
     received_ms BIGINT NOT NULL,
     PRIMARY KEY (platform_id, business_date)
   )`,
  `CREATE TABLE IF NOT EXISTS platform_file_parts (
     platform_id BIGINT NOT NULL,
     business_date DATE NOT NULL,
     part INT NOT NULL,
     bytes MEDIUMBLOB NOT NULL,
     PRIMARY KEY (platform_id, business_date, part)
   )`,
];

const KEYS = [
  ['dispatches', 'dispatches_by_date', 'KEY dispatches_by_date (business_date, payout_id)'],
  ['breaks', 'breaks_one_a_party', 'UNIQUE KEY breaks_one_a_party (platform_id, party, business_date, reference)'],
  ['breaks', 'breaks_by_party', 'KEY breaks_by_party (party, state, id)'],
  ['breaks', 'breaks_by_owner', 'KEY breaks_by_owner (owner_id, state, id)'],
] as const;

export class Cases1700000000033 implements MigrationInterface {
  name = 'Cases1700000000033';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of TABLES) await runner.query(statement);
    for (const [table, column, definition] of COLUMNS) {
      if (!(await runner.hasColumn(table, column))) await runner.query(`ALTER TABLE ${table} ADD COLUMN ${column} ${definition}`);
    }
    if (!(await runner.hasColumn('statement_lines', 'party')))
      await runner.query(
        `ALTER TABLE statement_lines ADD COLUMN party VARCHAR(16) NOT NULL DEFAULT 'core-bank', ADD COLUMN state VARCHAR(64) NULL,
           MODIFY line_no BIGINT NOT NULL, DROP PRIMARY KEY, ADD PRIMARY KEY (platform_id, business_date, party, line_no)`,
      );
    for (const [table, key, definition] of KEYS) {
      if (!(await hasKey(runner, table, key))) await runner.query(`ALTER TABLE ${table} ADD ${definition}`);
    }
    // After the one that stands in for it.
    if (await hasKey(runner, 'breaks', 'breaks_one_a_reference'))
      await runner.query('ALTER TABLE breaks DROP KEY breaks_one_a_reference');
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

async function hasKey(runner: QueryRunner, table: string, key: string): Promise<boolean> {
  const rows = (await runner.query(
    'SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = ? AND index_name = ? LIMIT 1',
    [table, key],
  )) as unknown[];
  return rows.length > 0;
}
