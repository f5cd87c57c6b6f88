import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type BusinessDate, toWire } from '../../src/kernel/index.js';
import { type AuditTally, attestDay, audit } from '../../src/proofs/index.js';
import { closeNext, type Market, openMarket } from '../clearing/market.js';
import { TEST_KEYS } from '../support/database.js';

const DAYS = ['2026-03-02', '2026-03-03', '2026-03-04'] as BusinessDate[];
const [, TUE, WED] = DAYS as [BusinessDate, BusinessDate, BusinessDate];

let market: Market;
let other: Market;
beforeAll(async () => {
  market = await openMarket();
  for (const date of DAYS) {
    await market.pay(date, 1_000n);
    await market.split(date, [
      [market.here, 600n],
      [market.there, 400n],
    ]);
    await closeNext(market);
    await attestDay(market.world.rt, { platformId: market.platformId, date });
  }
  await market.pay('open', 700n);
  other = await openMarket({ world: market.world, bank: market.bank, date: '2026-03-05' });
  await other.pay('his', 300n);
});
afterAll(async () => {
  await other?.end();
  await market?.end();
});

async function audited(platformId?: Market['platformId']): Promise<AuditTally> {
  let last: AuditTally | undefined;
  for await (const tally of audit(market.world.rt, platformId)) last = tally;
  if (last === undefined) throw new Error('an audit ends with its tally');
  return last;
}

const count = async (sql: string) => {
  const [row] = await market.world.db.read('count', (tx) => tx.rows<{ n: string }>(sql));
  return Number(row?.n);
};

test('sound books are found sound, and everything was looked at', async () => {
  const { faults, ...counts } = await audited();
  expect(faults).toEqual([]);
  expect(counts).toEqual({
    platforms: 2,
    accounts: await count('SELECT COUNT(*) AS n FROM accounts'),
    entries: await count('SELECT COUNT(*) AS n FROM entries'),
    instructions: await count('SELECT COUNT(DISTINCT instruction_id) AS n FROM entries'),
    days: 3,
    faultCount: 0,
  });
  expect(await audited(other.platformId)).toMatchObject({ platforms: 1, days: 0, faultCount: 0 });
});

/** Writes what nobody may, looks, and writes it back. */
async function bent(statements: readonly [there: string, back: string][]): Promise<string[]> {
  const run = (which: 0 | 1) =>
    market.world.db.withTx('bend', async (tx) => {
      for (const pair of statements) await tx.write(pair[which]);
    });
  await run(0);
  const { faults } = await audited();
  await run(1);
  expect((await audited()).faultCount).toBe(0);
  return faults.map(({ check, fault }) => `${check}: ${fault}`);
}

describe('it finds', () => {
  const here = () => toWire('account', market.here);
  const entry = (change: string, seq = 1) => `UPDATE entries SET ${change} WHERE account_id = ${market.here} AND seq = ${seq}`;
  const account = (change: string) => `UPDATE accounts SET ${change} WHERE id = ${market.here}`;

  test('a stored balance that its entries do not come to', async () => {
    expect(await bent([[account('balance = balance + 1'), account('balance = balance - 1')]])).toEqual([
      expect.stringContaining(`chains: ${here()}: the balance is not what its entries come to`),
      expect.stringContaining('custody: the custody account has'),
    ]);
  });

  test('an amount that was changed, at its place and by its instruction, and each day whose tree it is in', async () => {
    const found = await bent([
      [entry('amount = amount + 1, balance = balance + 1'), entry('amount = amount - 1, balance = balance - 1')],
    ]);
    expect(found).toContain(`chains: ${here()}: the hash does not follow from the entry and the one before it (entry 1)`);
    expect(found).toContainEqual(expect.stringMatching(/^instructions: ins_\d+: its postings sum to 0.01 yuan and not to zero$/));
  });

  test('another date, and one that was changed together with its hash', async () => {
    expect(await bent([[entry(`business_date = '${TUE}'`), entry("business_date = '2026-03-02'")]])).toEqual(
      expect.arrayContaining([expect.stringContaining('the hash does not follow')]),
    );
  });

  test('an entry that is gone', async () => {
    const id = await count(`SELECT instruction_id AS n FROM entries WHERE account_id = ${market.here} AND seq = 2`);
    expect(id).toBeGreaterThan(0);
    const copy = `CREATE TABLE gone AS SELECT * FROM entries WHERE account_id = ${market.here} AND seq = 2`;
    await market.world.db.withTx('copy', (tx) => tx.write(copy));
    const found = await bent([
      [`DELETE FROM entries WHERE account_id = ${market.here} AND seq = 2`, 'INSERT INTO entries SELECT * FROM gone'],
    ]);
    expect(found).toEqual(
      expect.arrayContaining([
        expect.stringContaining(`${here()}: an entry is missing before this one`),
        expect.stringContaining('the stored count is not that of its entries'),
        expect.stringContaining('its postings sum to'),
      ]),
    );
  });

  test('an entry of an instruction that nobody gave', async () => {
    const found = await bent([
      [
        `UPDATE instructions SET platform_id = ${other.platformId} WHERE kind = 'split' AND request_no IN (SELECT request_no FROM (SELECT MIN(request_no) AS request_no FROM instructions WHERE kind = 'split') AS one)`,
        `UPDATE instructions SET platform_id = ${market.platformId} WHERE kind = 'split'`,
      ],
    ]);
    expect(found).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/has an entry of ins_\d+, which this platform never had/),
        expect.stringMatching(/of its postings are on accounts that are not this platform's/),
      ]),
    );
  });

  test('a day whose accounts, statement, signature, chain or blocks are not those that were attested', async () => {
    const proofs = (change: string) => `UPDATE custody_proofs SET ${change} WHERE business_date = '${WED}'`;
    const swap = (from: string, to: string) => proofs(`content = REPLACE(content, '${from}', '${to}')`);
    const statement = (by: string) => `UPDATE statements SET closing = closing ${by} WHERE business_date = '${WED}'`;
    expect(await bent([[swap('"accounts":', '"accounts":1'), swap('"accounts":1', '"accounts":')]])).toEqual(
      expect.arrayContaining([expect.stringContaining(`days: ${WED}: the content was altered`)]),
    );
    expect(await bent([[statement('+ 1'), statement('- 1')]])).toEqual([
      `days: ${WED}: the totals or the statement are no longer those that were attested`,
    ]);
    const chain = (change: string) =>
      `UPDATE entries SET ${change} WHERE account_id = ${market.here} AND business_date = '${WED}' ORDER BY seq DESC LIMIT 1`;
    expect(await bent([[chain('balance = balance + 1'), chain('balance = balance - 1')]])).toEqual(
      expect.arrayContaining([`days: ${WED}: the accounts of that day are no longer those that were attested`]),
    );
    const block = (from: string, to: string) =>
      `UPDATE custody_proof_blocks SET business_date = '${to}' WHERE business_date = '${from}'`;
    expect(await bent([[block(WED, '2030-01-01'), block('2030-01-01', WED)]])).toEqual([
      expect.stringContaining(`days: ${WED}: the hashes of its blocks are not those of the tree`),
    ]);
  });
});

test('the command prints a last line of JSON, and ends with 1 when something is wrong', async () => {
  const run = () =>
    spawnSync(
      process.execPath,
      ['--import', 'tsx', 'scripts/audit.ts', '--json', '--platform', toWire('platform', market.platformId)],
      {
        env: { PATH: process.env.PATH, ...TEST_KEYS, DATABASE_URL: market.world.fresh.url },
        encoding: 'utf8',
      },
    );
  const sound = run();
  expect([sound.status, JSON.parse(sound.stdout.trim().split('\n').at(-1) ?? '')]).toEqual([
    0,
    expect.objectContaining({ platforms: 1, days: 3, faultCount: 0, faults: [], entriesPerSecond: expect.any(Number) }),
  ]);
  await market.world.db.withTx('bend', (tx) => tx.write('UPDATE accounts SET balance = balance + 1 WHERE id = ?', [market.here]));
  const broken = run();
  expect(broken.status).toBe(1);
  expect(broken.stdout).toContain(`FAULT ${toWire('platform', market.platformId)} chains: ${toWire('account', market.here)}`);
}, 120_000);
