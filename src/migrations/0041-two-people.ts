import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * No decision about a suspicion stands without a proposal of somebody else's; room for sealed notes about breaks, which were plain. Nothing is sealed
 * here: notes written from now on are, and `npm run reseal` does the others; until then they are read as they are.
 * Locks `suspicion_cases` for the time of checking its rows; columns are widened in place. Back out: put the older constraint back; the columns may stay wide.
 * Re-runnable: what is there is left as it is.
 */
const WIDER = [
  'ALTER TABLE breaks MODIFY note VARCHAR(2048) NULL',
  'ALTER TABLE break_repairs MODIFY note VARCHAR(2048) NOT NULL, MODIFY decided_note VARCHAR(2048) NULL',
];

// A comparison with nothing is neither true nor false, and a constraint lets that pass: so nothing is asked for by name.
const DECIDED = `CHECK ((decided_by IS NULL AND state IN ('raised', 'under-review'))
  OR (decided_by IS NOT NULL AND proposed_by IS NOT NULL AND decided_by <> proposed_by AND state NOT IN ('raised', 'under-review')))`;

export class TwoPeople1700000000041 implements MigrationInterface {
  name = 'TwoPeople1700000000041';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of WIDER) await runner.query(statement);
    const there: unknown[] = await runner.query(
      `SELECT 1 FROM information_schema.check_constraints WHERE constraint_schema = DATABASE() AND constraint_name = 'suspicion_cases_decided'`,
    );
    if (there.length === 0)
      await runner.query(
        `ALTER TABLE suspicion_cases DROP CONSTRAINT suspicion_cases_two, ADD CONSTRAINT suspicion_cases_decided ${DECIDED}`,
      );
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
