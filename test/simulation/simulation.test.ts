import { describe, expect, test } from '@jest/globals';
import { runSimulation } from '../../scripts/simulation/index.js';
import { freshDatabase } from '../support/database.js';

/** A taste of `npm run simulate`, which plays longer and with any seed. */
describe('the service under chance, faults and crashes', () => {
  test.each([
    [7, false],
    [2026, true],
  ])(
    'keeps every promise at every step, and comes to its end (seed %i, wrong statements: %s)',
    async (seed, statements) => {
      const said: string[] = [];
      const fresh = await freshDatabase({ poolSize: 2 });
      try {
        const figures = await runSimulation({
          databaseUrl: fresh.url,
          redisUrl: fresh.redisUrl,
          redisPrefix: fresh.redisPrefix,
          seed,
          steps: 220,
          statements,
          say: (line) => said.push(line),
        });
        expect(said).toEqual([]);
        expect(figures).toMatchObject({ seed, steps: 220, violations: 0 });
        for (const figure of ['posted', 'refused', 'payouts', 'settled', 'crashes', 'closes'] as const) {
          expect([figure, figures[figure] > 0]).toEqual([figure, true]);
        }
      } finally {
        await fresh.drop();
      }
    },
    120_000,
  );
});
