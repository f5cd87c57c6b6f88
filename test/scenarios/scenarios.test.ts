import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { kinds } from '../../src/instructions/index.js';
import { REFUSALS } from '../../src/kernel/index.js';
import { ensureShards, verifyAccounts } from '../../src/ledger/index.js';
import { CALENDAR_DAYS } from '../../src/migrations/data/calendar.js';
import { namedIn, runScenario, VERB_OF_KIND } from '../support/scenario.js';
import { ModelBank, ServiceBank } from '../support/scenario-banks.js';
import { startWorld, type World } from '../support/world/world.js';

const folder = dirname(fileURLToPath(import.meta.url));
const scenarios = readdirSync(folder)
  .filter((name) => name.endsWith('.txt'))
  .sort()
  .map((name) => [name.slice(0, -4), readFileSync(join(folder, name), 'utf8')] as const);

const exceptions = new Map(
  CALENDAR_DAYS.flatMap(([year, , days]) =>
    days.split(' ').map((day) => [`${year}-${day.slice(0, 5)}`, day.endsWith('+')] as const),
  ),
);

describe('a scenario comes true on the model', () => {
  it.each(scenarios)('%s', (_name, text) => runScenario(text, new ModelBank({ exceptions })));
});

describe('a scenario comes true on the service, with the same books as the model and sound ones after every step', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld(0);
    await world.db.withTx('shards', (tx) => ensureShards(tx, scenarios.length));
  });
  afterAll(() => world?.close());

  it.each(scenarios.map(([name, text], shard) => [name, text, shard] as const))('%s', async (_name, text, shard) => {
    // The rows of the law and the watch list are the same for all platforms of a bank: who changes them has a bank to himself.
    const own = /^(parameter|list) /m.test(text) ? await startWorld(0) : undefined;
    const bank = new ServiceBank(own ?? world.onShard(shard, 0));
    try {
      await runScenario(text, bank);
      await bank.explainAll();
      for (const platform of bank.platformIds) {
        expect(await (own ?? world).db.read('verify', (tx) => verifyAccounts(tx, platform))).toEqual([]);
      }
    } finally {
      await bank.close();
      await own?.close();
    }
  });
});

describe('the scenarios leave nothing out', () => {
  const named = scenarios.map(([, text]) => namedIn(text));

  it.each([...kinds.keys()])('the kind %s stands in one of them', (kind) => {
    expect(named.some(({ verbs }) => verbs.has(VERB_OF_KIND[kind] ?? ''))).toBe(true);
  });

  it('every refusal in them is of the catalogue', () => {
    for (const { codes } of named) for (const code of codes) expect(Object.keys(REFUSALS)).toContain(code);
  });
});

describe('a text that is not true fails at the line that is not', () => {
  const start = 'day 2026-03-02\nsellers anna\npay P1 buyer → order:1 10.00\n';
  it.each([
    ['a wrong balance', 'expect order:1 10.01', /line 4.*\n.*expected 10.01, got 10.00/],
    [
      'a wrong word for a refusal',
      'split S1 order:1 → anna 11.00 refused FUNDS_INSUFFICIENT',
      /line 4.*\n.*got SPLIT_EXCEEDS_ORDER/,
    ],
    ['a refusal that nobody expects', 'split S1 order:1 → anna 11.00', /line 4.*\n.*expected posted/],
    ['a refusal that does not come', 'split S1 order:1 → anna 9.00 refused SPLIT_EXCEEDS_ORDER', /line 4.*\n.*got posted/],
    ['a verb that nobody knows', 'give G1 anna 9.00', /line 4.*\n.*no verb give/],
  ])('%s', async (_name, line, message) => {
    await expect(runScenario(start + line, new ModelBank({ exceptions }))).rejects.toThrow(message);
  });
});
