import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { setFrozen } from '../../src/accounts/book.js';
import { isOpening, openPlatform, openSubMerchants } from '../../src/accounts/index.js';
import { closeDueDays } from '../../src/clearing/index.js';
import { decideNow } from '../../src/dispatch/index.js';
import { asId, canonicalJson, type Id, readPublicKeys, toWire } from '../../src/kernel/index.js';
import { isRegistration, registerUsers } from '../../src/parties/index.js';
import { approve, propose, requireWindDown } from '../../src/winding-up/decide.js';
import { exportHouse } from '../../src/winding-up/house/export.js';
import { FILES, type FileName, type Manifest, type Takeover } from '../../src/winding-up/house/form.js';
import { HandOverWrong, handOverHouse } from '../../src/winding-up/house/hand-over.js';
import { ExportWrong, importHouse, type Taking } from '../../src/winding-up/house/import.js';
import { textOfKey } from '../../src/winding-up/house/seal.js';
import { windDownRound } from '../../src/winding-up/round.js';
import { closeNext, fen, type Market, MONDAY, openMarket } from '../clearing/market.js';
import { violations } from '../support/invariants.js';

const [LI, WANG] = [asId('2236512894231552101'), asId('2236512894231552102')];
const REFERENCE = 'MOVE-20260304-1';
const { privateKey: theirs } = generateKeyPairSync('x25519');
const party = { kind: 'company', name: '甲商户', idNo: '91350100M000100Y43' } as const;
const settlementAccount = { name: party.name, account: '6222020000000000001', bankCode: '' };
const PERSON = {
  kind: 'person',
  name: '张三',
  idType: 'resident-id',
  idNo: '11010519491231002X',
  idExpires: null,
  mobile: '13800000001',
} as const;

let old: Market;
let next: Market;
let frozen: Id;
let target: Id;
let manifest: Manifest;
let receipt: Takeover;
const files = new Map<FileName, string>();

beforeAll(async () => {
  old = await openMarket();
  next = await openMarket();
  const [opened] = await openSubMerchants(old.world.rt, old.platformId, [
    { merchantNo: 'frozen', party, settlementAccount, cycle: 'on-request' },
  ]);
  if (opened === undefined || !isOpening(opened)) throw new Error('not opened');
  frozen = opened.merchant.accountId;
  const [user] = await registerUsers(old.world.rt, old.platformId, [{ userNo: 'u1', party: PERSON }]);
  if (user === undefined || !isRegistration(user)) throw new Error('not registered');
  await old.pay('split', 10_000n);
  await old.split('split', [
    [old.here, 4_000n],
    [old.there, 3_000n],
    [frozen, 2_000n],
  ]);
  await old.pay('unsplit', 777n);
  expect(await old.give('hold', { account: toWire('account', old.there), amount: fen(500n), purpose: '质量保证' })).toBe(
    'posted',
  );
  const { shardId } = await old.book();
  const body = canonicalJson({ account: toWire('account', old.here), amount: fen(600n) });
  const deposit = {
    platformId: old.platformId,
    origin: 'O' as const,
    requestNo: 'm',
    kind: 'margin-deposit',
    body,
    actor: 'test',
  };
  await decideNow(old.desk, [{ shardId, submission: deposit }]);
  await old.world.db.withTx('freeze', (tx) => setFrozen(tx, old.world.rt, frozen, true));
  const wanted = { reasonSealed: old.world.rt.vault.seal('更换存管行'), ordersBackOn: undefined, movesTo: textOfKey(theirs) };
  await old.world.db.withTx('propose', (tx) => propose(tx, old.world.rt.newId(), old.platformId, wanted, as(LI)));
  await old.world.db.withTx('approve', (tx) => approve(tx, old.platformId, as(WANG)));
  await windDownRound(old.desk, old.platformId);
  for (let day = 0; day < 3; day += 1) {
    await closeNext(old);
    await windDownRound(old.desk, old.platformId);
  }
  await next.channels.coreBank.openCustodyAccount('C-moved', 'Platform');
  const terms = { transferMax: 0n, feeMax: 0n };
  const { rt, db } = next.world;
  target = (
    await db.withTx('open', (tx) => openPlatform(tx, rt, { name: '新户', custodyNo: 'C-moved', openDate: MONDAY, terms }))
  ).platformId;
}, 60_000);
afterAll(async () => {
  await old?.end();
  await next?.end();
});

const as = (operator: Id) => ({ operator, nowMs: old.world.clock.now() });
const keys = () => readPublicKeys(JSON.stringify({ keys: old.world.rt.receiptKeys.published }));
const taking = (more: Partial<Taking> = {}): Taking => ({
  ...{ platformId: target, manifest, keys: keys(), key: theirs, reference: REFERENCE },
  source: async function* (file) {
    const text = files.get(file) ?? '';
    // As a stream would bring it: in pieces that know nothing of lines.
    for (let from = 0; from < text.length; from += 50) yield text.slice(from, from + 50);
  },
  ...more,
});
const wrong = (promise: Promise<unknown>) =>
  promise.then(
    () => 'taken',
    (error) => (error instanceof ExportWrong ? error.message : Promise.reject(error)),
  );
const emptiness = () =>
  next.world.db.read('empty', (tx) =>
    tx.rows('SELECT id FROM sub_merchants WHERE platform_id = ? UNION ALL SELECT id FROM users WHERE platform_id = ?', [
      target,
      target,
    ]),
  );

test('nothing is paid to members that move, and their export says all that is theirs and what stays', async () => {
  const { db, vault, receiptKeys, clock } = old.world.rt;
  expect((await old.payouts()).length).toBe(0);
  expect((await db.read('wind', (tx) => requireWindDown(tx, old.platformId))).state).toBe('settled');
  manifest = await exportHouse({ db, vault, receiptKeys }, old.platformId, clock.now(), (file, text) => {
    files.set(file, (files.get(file) ?? '') + text);
  });
  const { total, files: told } = manifest.content;
  expect(total).toBe(10_000 + 777 - 2_000);
  expect(told.map(({ name, lines, sum }) => [name, lines, sum])).toEqual([
    ['members', 3, 7_000],
    ['users', 1, 0],
    ['orders', 2, 1_777],
    ['holds', 1, 0],
    ['platform', 0, 0],
    ['agreements', 0, 0],
    ['mandates', 0, 0],
    ['stays', 1, 0],
  ]);
  expect([...files.values()].join('')).not.toMatch(/甲商户|张三|6222020|91350100|110105|138000|质量保证/);
});

describe('an export is refused whole', () => {
  test('when any bit of any file or of the manifest was changed', async () => {
    const text = JSON.stringify(manifest);
    for (let place = 0; place < text.length; place += 41) {
      const bytes = Buffer.from(text);
      bytes[place] = (bytes[place] as number) ^ 1;
      let changed: unknown;
      try {
        changed = JSON.parse(bytes.toString('utf8'));
      } catch {
        continue;
      }
      expect(await wrong(importHouse(next.desk, taking({ manifest: changed })))).not.toBe('taken');
    }
    for (const name of FILES) {
      const whole = Buffer.from(files.get(name) ?? '');
      for (let place = 0; place < whole.length; place += 31) {
        const bytes = Buffer.from(whole);
        bytes[place] = (bytes[place] as number) ^ (1 << (place % 8));
        const source: Taking['source'] = async function* (file) {
          yield file === name ? bytes : (files.get(file) ?? '');
        };
        expect(await wrong(importHouse(next.desk, taking({ source })))).not.toBe('taken');
      }
    }
    expect(await emptiness()).toEqual([]);
  });

  test('when it is sealed for another, signed by another bank, or the platform is not empty', async () => {
    const { privateKey: other } = generateKeyPairSync('x25519');
    expect(await wrong(importHouse(next.desk, taking({ key: other })))).toContain('another custodian');
    const { publicKey } = generateKeyPairSync('ed25519');
    expect(await wrong(importHouse(next.desk, taking({ keys: publicKey })))).toContain('signature');
    expect(await wrong(importHouse(next.desk, taking({ platformId: next.platformId })))).toContain('not empty');
    expect(await emptiness()).toEqual([]);
  });
});

test('what was killed between two commits goes on, a second import changes nothing, and both sides have the same totals', async () => {
  const { rt, db } = next.world;
  for (let commits = 0; ; commits += 1) {
    let seen = 0;
    const dying: typeof rt.db = {
      ...rt.db,
      withTx: async (label, work, committed) => {
        const value = await rt.db.withTx(label, work, committed);
        seen += 1;
        if (seen > commits) throw new Error('killed');
        return value;
      },
    };
    const desk = { ...next.desk, rt: { ...rt, db: dying } };
    const done = await importHouse(desk, taking()).then(
      () => true,
      (error: Error) => (error.message === 'killed' ? false : Promise.reject(error)),
    );
    if (done) break;
    expect(commits).toBeLessThan(60);
  }
  const entries = () =>
    db.read('entries', (tx) =>
      tx.rows('SELECT e.* FROM entries AS e JOIN accounts AS a ON a.id = e.account_id WHERE a.platform_id = ? ORDER BY e.hash', [
        target,
      ]),
    );
  const before = await entries();
  receipt = await importHouse(next.desk, taking());
  expect(await entries()).toEqual(before);
  expect(receipt.content).toMatchObject({ export: manifest.hash, total: manifest.content.total, notRegistered: [] });
  expect(await wrong(importHouse(next.desk, taking({ reference: 'OTHER' })))).toContain('another');
  const balances = await db.read('balances', (tx) =>
    tx.rows<Record<string, unknown>>(
      `SELECT s.merchant_no, a.type, CAST(a.balance AS CHAR) AS balance, CAST(a.held AS CHAR) AS held FROM sub_merchants AS s
       LEFT JOIN margins AS m ON m.account_id = s.account_id
       JOIN accounts AS a ON a.id = s.account_id OR a.id = m.margin_id WHERE s.platform_id = ? ORDER BY s.merchant_no, a.type`,
      [target],
    ),
  );
  expect(balances.map(({ merchant_no, type, balance, held }) => [merchant_no, type, balance, held])).toEqual([
    ['frozen', 'sub', '0', '0'],
    ['here', 'margin', '600', '0'],
    ['here', 'sub', '3400', '0'],
    ['there', 'sub', '3000', '500'],
  ]);
  expect(await violations(db, [target])).toEqual([]);
});

test('the books agree with the bank once the one transfer has come', async () => {
  const { clock, db } = next.world;
  await next.channels.coreBank.inflows('C-moved', MONDAY, [
    { reference: REFERENCE, amount: BigInt(manifest.content.total), counterparty: '原存管行', text: '' },
  ]);
  next.goTo('2026-03-03');
  await closeDueDays(next.desk, target);
  const [day] = await db.read('day', (tx) =>
    tx.rows<{ state: string }>('SELECT state FROM business_days WHERE platform_id = ? AND business_date = ?', [target, MONDAY]),
  );
  expect([day?.state, clock.now() > 0]).toEqual(['closed', true]);
  expect(await violations(db, [target])).toEqual([]);
});

test('the old house hands over what the new one has signed for, once, and keeps the rest', async () => {
  const keysOfNext = readPublicKeys(JSON.stringify({ keys: next.world.rt.receiptKeys.published }));
  const handing = { platformId: old.platformId, manifest, receipt, keys: keysOfNext };
  const less = { ...receipt, content: { ...receipt.content, total: receipt.content.total - 1 } };
  await expect(handOverHouse(old.desk, { ...handing, receipt: less })).rejects.toBeInstanceOf(HandOverWrong);
  expect(await handOverHouse(old.desk, handing)).toBe(BigInt(manifest.content.total));
  expect(await handOverHouse(old.desk, handing)).toBe(BigInt(manifest.content.total));
  expect([await old.balance(old.here), await old.balance(old.there), await old.balance(frozen)]).toEqual([0n, 0n, 2_000n]);
  expect(await violations(old.world.db, [old.platformId])).toEqual([]);
});
