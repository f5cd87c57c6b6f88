import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What of the money that has not cleared a channel has collected and owes: it keeps its date on every account to which it goes.
 * Locks `uncleared` for the time of adding a column at its end (instant on both servers). Back out: drop the column. Re-runnable: what is
 * there is left as it is, and what is marked is marked again.
 */
export class OwedSlices1700000000039 implements MigrationInterface {
  name = 'OwedSlices1700000000039';

  async up(runner: QueryRunner): Promise<void> {
    if (await runner.hasColumn('uncleared', 'owed')) return;
    // What clears on the date of a collection that is still owed may be of it: which of it is, nobody knows, and the later date is the safe one.
    await runner.query(
      'ALTER TABLE uncleared ADD COLUMN owed BIGINT NOT NULL DEFAULT 0, ADD CONSTRAINT uncleared_owed CHECK (owed >= 0 AND owed <= amount)',
    );
    await runner.query(
      `UPDATE uncleared SET owed = amount WHERE EXISTS (SELECT 1 FROM accounts AS a JOIN channel_collections AS c ON c.platform_id = a.platform_id
         WHERE a.id = uncleared.account_id AND c.at_once = 1 AND c.settled_by IS NULL AND c.clears_on = uncleared.due_date)`,
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
