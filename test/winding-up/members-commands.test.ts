import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openPlatform } from '../../src/accounts/index.js';
import { closeDueDays } from '../../src/clearing/index.js';
import { asId, type Id, toWire } from '../../src/kernel/index.js';
import { approve, propose } from '../../src/winding-up/decide.js';
import { FILES } from '../../src/winding-up/house/form.js';
import { textOfKey } from '../../src/winding-up/house/seal.js';
import { windDownRound } from '../../src/winding-up/round.js';
import { closeNext, type Market, MONDAY, openMarket } from '../clearing/market.js';
import { TEST_KEYS } from '../support/database.js';
import { violations } from '../support/invariants.js';

const [LI, WANG] = [asId('2236512894231552101'), asId('2236512894231552102')];
const REFERENCE = 'MOVE-1';
const { privateKey: theirs } = generateKeyPairSync('x25519');
const { privateKey: anothers } = generateKeyPairSync('x25519');
const folder = mkdtempSync(join(tmpdir(), 'cunguan-members-'));
const at = (name: string) => join(folder, name);
let old: Market;
let next: Market;
let target: Id;

beforeAll(async () => {
  old = await openMarket();
  next = await openMarket();
  await old.pay('split', 7_000n);
  await old.split('split', [
    [old.here, 4_000n],
    [old.there, 3_000n],
  ]);
  await old.pay('unsplit', 777n);
  const { rt, db } = old.world;
  const as = (operator: Id) => ({ operator, nowMs: old.world.clock.now() });
  const wanted = { reasonSealed: rt.vault.seal('更换存管行'), ordersBackOn: undefined, movesTo: textOfKey(theirs) };
  await db.withTx('propose', (tx) => propose(tx, rt.newId(), old.platformId, wanted, as(LI)));
  await db.withTx('approve', (tx) => approve(tx, old.platformId, as(WANG)));
  await windDownRound(old.desk, old.platformId);
  for (let day = 0; day < 3; day += 1) {
    await closeNext(old);
    await windDownRound(old.desk, old.platformId);
  }
  await next.channels.coreBank.openCustodyAccount('C-moved', 'Platform');
  const terms = { transferMax: 0n, feeMax: 0n };
  target = (
    await next.world.db.withTx('open', (tx) =>
      openPlatform(tx, next.world.rt, { name: '新户', custodyNo: 'C-moved', openDate: MONDAY, terms }),
    )
  ).platformId;
  for (const { world } of [old, next])
    await world.db.withTx('clock', (tx) => tx.write('INSERT INTO driven_clock (id, now_ms) VALUES (1, ?)', [world.clock.now()]));
  for (const [name, { world }] of [['old', old] as const, ['new', next] as const])
    writeFileSync(at(`${name}-keys.json`), JSON.stringify({ keys: world.rt.receiptKeys.published }));
  writeFileSync(at('private.pem'), theirs.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(at('other.pem'), anothers.export({ type: 'pkcs8', format: 'pem' }));
}, 120_000);
afterAll(async () => {
  await old?.end();
  await next?.end();
  rmSync(folder, { recursive: true, force: true });
});

/** `npx cunguan …`, as typed in the folder by whoever runs one of the two houses. */
function cunguan(house: Market, ...args: readonly string[]): Promise<{ readonly failed: boolean; readonly text: string }> {
  const { fresh } = house.world;
  // Nobody says that the clock is driven: the database does.
  const env = {
    ...{ PATH: process.env.PATH, HOME: process.env.HOME, ...TEST_KEYS, LOG_LEVEL: 'silent', SHARDS: '1' },
    ...{ DATABASE_URL: fresh.url, REDIS_URL: fresh.redisUrl, REDIS_PREFIX: fresh.redisPrefix, BANK_URL: house.bank.url },
  };
  const script = join(process.cwd(), 'scripts', 'cunguan.mjs');
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...args], { env, cwd: folder }, (error, stdout, stderr) =>
      resolve(error === null ? { failed: false, text: stdout } : { failed: true, text: stdout + stderr }),
    );
  });
}
const told = (answer: { failed: boolean; text: string }) => {
  expect(answer).toMatchObject({ failed: false });
  return JSON.parse(answer.text.trim().split('\n').at(-1) as string);
};
const taken = () =>
  next.world.db.read('taken', (tx) =>
    tx.rows<{ no: string; balance: string }>(
      `SELECT s.merchant_no AS no, CAST(a.balance AS CHAR) AS balance FROM sub_merchants AS s JOIN accounts AS a ON a.id = s.account_id
       WHERE s.platform_id = ? ORDER BY s.merchant_no`,
      [target],
    ),
  );

test('a house is moved by commands: out of one bank, into another, and the same totals on both sides', async () => {
  const [P, NEW] = [toWire('platform', old.platformId), toWire('platform', target)];
  const out = await cunguan(old, 'export-members', '--platform', P, '--out', 'house');
  expect(out).toMatchObject({ failed: false });
  expect(readdirSync(at('house')).sort()).toEqual([...FILES.map((name) => `${name}.ndjson`), 'manifest.json'].sort());
  const manifest = JSON.parse(readFileSync(at('house/manifest.json'), 'utf8'));
  expect(manifest.content.total).toBe(7_777);
  expect((await cunguan(old, 'export-members', '--platform', P, '--out', 'house')).text).toContain('is there already');

  const into = (key: string) => [
    'import-members',
    '--platform',
    NEW,
    '--from',
    'house',
    '--bank-keys',
    'old-keys.json',
    '--key',
    key,
  ];
  const rest = ['--reference', REFERENCE, '--out', 'receipt.json'];
  const wrong = await cunguan(next, ...into('other.pem'), ...rest);
  expect([wrong.failed, wrong.text]).toEqual([true, expect.stringContaining('another custodian')]);
  expect(await taken()).toEqual([]);
  expect(told(await cunguan(next, ...into('private.pem'), ...rest))).toEqual({ export: manifest.hash, total: 7_777 });
  const receipt = readFileSync(at('receipt.json'), 'utf8');
  expect(told(await cunguan(next, ...into('private.pem'), ...rest))).toMatchObject({ total: 7_777 }); // the second click
  expect(JSON.parse(readFileSync(at('receipt.json'), 'utf8')).content).toEqual(JSON.parse(receipt).content);
  expect(await taken()).toEqual([
    { no: 'here', balance: '4000' },
    { no: 'there', balance: '3000' },
  ]);

  const handing = [
    'import-members',
    '--platform',
    P,
    '--from',
    'house',
    '--bank-keys',
    'new-keys.json',
    '--receipt',
    'receipt.json',
  ];
  writeFileSync(at('less.json'), receipt.replace('7777', '7776'));
  expect((await cunguan(old, ...handing.slice(0, -1), 'less.json')).failed).toBe(true);
  expect([await old.balance(old.here), await old.balance(old.there)]).toEqual([4_000n, 3_000n]);
  expect(told(await cunguan(old, ...handing))).toEqual({ handedOver: '7777' });
  expect(told(await cunguan(old, ...handing))).toEqual({ handedOver: '7777' });
  expect([await old.balance(old.here), await old.balance(old.there)]).toEqual([0n, 0n]);

  // The one transfer comes, and the new house's books agree with its bank.
  await next.channels.coreBank.inflows('C-moved', MONDAY, [
    { reference: REFERENCE, amount: 7_777n, counterparty: '原存管行', text: '' },
  ]);
  next.goTo('2026-03-03');
  expect(await closeDueDays(next.desk, target)).toEqual([{ date: MONDAY, state: 'closed' }]);
  expect(await violations(next.world.db, [target])).toEqual([]);
  expect(await violations(old.world.db, [old.platformId])).toEqual([]);
}, 300_000);
