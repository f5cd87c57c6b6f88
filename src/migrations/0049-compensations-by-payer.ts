import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What somebody paid for borrowers is found by who paid. Locks `lending_compensations` for the time of adding a key (in place on both servers).
 * Back out: drop the key. Re-runnable: a key that is there is left as it is.
 */
const KEY = 'lending_compensations_by_payer';

export class CompensationsByPayer1700000000049 implements MigrationInterface {
  name = 'CompensationsByPayer1700000000049';

  async up(runner: QueryRunner): Promise<void> {
    const there = (await runner.query(`SHOW INDEX FROM lending_compensations WHERE Key_name = '${KEY}'`)) as unknown[];
    if (there.length === 0) await runner.query(`ALTER TABLE lending_compensations ADD KEY ${KEY} (payer_id, id)`);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
