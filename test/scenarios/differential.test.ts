import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ensureShards, verifyAccounts } from '../../src/ledger/index.js';
import { Chance } from '../support/world/chance.js';
import { RandomBank } from '../support/world/random.js';
import { startWorld, type World } from '../support/world/world.js';

/** Another seed or more batches: DIFFERENTIAL_SEED=7 DIFFERENTIAL_BATCHES=500. A failure names its seed. */
const ONE = process.env.DIFFERENTIAL_SEED;
const SEEDS = ONE === undefined ? [1, 2, 3, 4] : [Number(ONE)];
const BATCHES = Number(process.env.DIFFERENTIAL_BATCHES ?? 25);
const PATIENCE_MS = 60_000 + BATCHES * 2_000;

describe('random instructions have the same outcomes and leave the same books on the service as on the model', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld(0);
    await world.db.withTx('shards', (tx) => ensureShards(tx, SEEDS.length));
  });
  afterAll(() => world?.close());

  it.each(SEEDS.map((seed, shard) => [seed, shard] as const))(
    'seed %i',
    async (seed, shard) => {
      const bank = new RandomBank(world.onShard(shard, 0), new Chance(seed));
      try {
        await bank.open();
        for (let batch = 0; batch < BATCHES; batch += 1) await bank.step();
      } catch (error) {
        throw new Error(`DIFFERENTIAL_SEED=${seed}, batch ${bank.steps}: ${(error as Error).message}`, { cause: error });
      }
      for (const platform of bank.platformIds)
        expect(await world.db.read('verify', (tx) => verifyAccounts(tx, platform))).toEqual([]);
      // Chance that never gets past the first check would show nothing.
      const posted = bank.results.get('posted') ?? 0;
      expect(posted).toBeGreaterThan(0.25 * [...bank.results.values()].reduce((total, count) => total + count, 0));
      expect(bank.results.size).toBeGreaterThan(8);
      expect(bank.model.lending.projects.filter(({ claims }) => claims.length > 0).length).toBeGreaterThan(1);
    },
    PATIENCE_MS,
  );
});
