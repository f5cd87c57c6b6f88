import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { signContent } from '../../src/kernel/index.js';
import {
  CUSTODY_VERSION,
  type CustodyProof,
  chainFaults,
  FIRST,
  INCLUSION_VERSION,
  type InclusionProof,
  type Leaf,
  leafHash,
  saltOf,
} from '../../src/proofs/rules.js';
import { pathIn, rootOf } from '../../src/proofs/tree.js';
import { ENTRY_RECEIPT_VERSION, type EntryReceiptContent } from '../../src/reporting/receipts/rules.js';
import { openReceiptKeys, receiptKeysOfSecret } from '../../src/runtime/index.js';
import { CUSTODY_REPORT_VERSION, type CustodyReportContent } from '../../src/supervision/custody-rules.js';

const keys = openReceiptKeys(receiptKeysOfSecret('proofs'));
const SECRET = Buffer.alloc(32, 3);
const PLATFORM = 'plt_2236512894231552003';
const LEAVES: readonly Leaf[] = [-100, 60, 40].map((balance, place) => ({
  account: `acc_223651289423155200${place}`,
  accountType: place === 0 ? 'custody' : 'sub',
  balance,
  seq: place + 1,
  head: String(place).repeat(64),
}));
const HASHES = LEAVES.map((leaf) => leafHash(saltOf(SECRET, leaf.account), leaf));

function day(date: string, previous: string, custody = 100): CustodyProof {
  const content = {
    type: 'custody' as const,
    platform: PLATFORM,
    custodyNo: 'C1',
    date,
    previous,
    accounts: LEAVES.length,
    root: rootOf(HASHES).toString('hex'),
    custody,
    children: custody,
    statement: { closing: 90, lines: 2, digest: 'a'.repeat(64) },
  };
  return signContent(CUSTODY_VERSION, content, keys);
}

function inclusion(index: number, custody: CustodyProof): InclusionProof {
  const leaf = LEAVES[index] as Leaf;
  return {
    version: INCLUSION_VERSION,
    leaf,
    salt: saltOf(SECRET, leaf.account).toString('hex'),
    index,
    path: pathIn(HASHES, index).map((hash) => hash.toString('hex')),
    custody,
  };
}

const monday = day('2026-03-02', FIRST);
const tuesday = day('2026-03-03', monday.hash);
const wednesday = day('2026-03-04', tuesday.hash);

const ENTRY: EntryReceiptContent = {
  ...{ receiptNo: '12'.repeat(19), code: '7K3M-0QXR-P2TV-91AC', platform: PLATFORM, platformName: '集市' },
  ...{ account: 'acc_2236512894231552001', accountType: 'sub', holder: '张*', merchantNo: 'anna', side: 'in', amount: 602 },
  ...{ currency: 'CNY', balance: 1_602, counter: { zh: '订单 SO-1', en: 'order SO-1' }, kind: 'split' },
  ...{ kindName: { zh: '分账', en: 'Split' }, instruction: 'ins_2236512894231552009', requestNo: 'S1', seq: 3 },
  ...{ entryHash: 'c'.repeat(64), businessDate: '2026-03-02', postedAt: '2026-03-02T10:00:00.000+08:00' },
};
const REPORT: CustodyReportContent = {
  ...{ type: 'custody-report', platform: PLATFORM, name: '集市', custodyNo: 'C1', currency: 'CNY' },
  ...{ from: '2026-03-01', to: '2026-03-31' },
  balances: [{ type: 'custody', openingAccounts: 1, opening: 0, closingAccounts: 1, closing: -15_000 }],
  flows: [{ kind: 'payment', in: 15_000, out: 0, lines: 2 }],
  open: { subMerchants: 1, parties: 1, electronicAccounts: 0, customers: 0 },
  days: { all: 31, closed: 31, proved: 30, unproved: ['2026-03-09'] },
  breaks: [{ class: 'only-ours', state: 'closed', count: 1, difference: 100 }],
  payouts: [{ purpose: 'clearing', state: 'settled', count: 4, amount: 9_900 }],
};
const entry = signContent(ENTRY_RECEIPT_VERSION, ENTRY, keys);
const report = signContent(CUSTODY_REPORT_VERSION, REPORT, keys);

describe('the chain of days', () => {
  test('is sound in whatever order it is given, also when a proof is given twice', () => {
    expect(chainFaults([wednesday, monday, tuesday, monday])).toEqual([]);
    expect(chainFaults([tuesday])).toEqual([]);
  });

  test.each<[string, CustodyProof[], RegExp]>([
    ['a day that names another before it', [monday, day('2026-03-03', FIRST)], /does not follow from that of 2026-03-02/],
    ['a day left out', [monday, wednesday], /between 2026-03-02 and 2026-03-04 proofs are missing/],
    ['two proofs of one day', [monday, day('2026-03-02', FIRST, 101)], /the bank signed two different proofs of 2026-03-02/],
  ])('has a fault with %s', (_what, proofs, words) => {
    expect(chainFaults(proofs)).toEqual([expect.stringMatching(words)]);
  });
});

describe('npx cunguan verify', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cunguan-proofs-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const put = (name: string, value: unknown) => {
    writeFileSync(join(folder, name), JSON.stringify(value));
    return join(folder, name);
  };
  const run = (script: string[], ...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [...script, ...args, '--key', keyFile], {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, NODE_OPTIONS: '' },
      encoding: 'utf8',
    });
    return { status, text: stdout + stderr };
  };
  const verify = (...args: string[]) => run(['--import', 'tsx', 'scripts/verify.ts'], ...args);
  let keyFile: string;
  beforeAll(() => {
    keyFile = put('keys.json', { keys: keys.published });
  });

  test('tells what the proofs of days and of accounts say, and that they follow from one another', () => {
    const { status, text } = verify(put('mon.json', monday), put('tue.json', inclusion(1, tuesday)), put('wed.json', wednesday));
    expect(text).toContain(
      `genuine: signed by the bank with its key r1 (custody proof)\n  ${PLATFORM} at the end of 2026-03-02: 1.00 yuan`,
    );
    expect(text).toContain('ends with 0.90 yuan; 0.10 yuan are on their way between the two');
    expect(text).toContain('(inclusion proof)\n  acc_2236512894231552001 (sub) had 0.60 yuan after 2 entries');
    expect(text).toContain('the proofs of the days follow from one another');
    expect(status).toBe(0);
  });

  test('tells what the receipt of an entry and a custody report say', () => {
    const { status, text } = verify(put('entry.json', entry), put('report.json', report));
    expect(text).toContain('(receipt of an entry)\n  receipt 1212');
    expect(text).toContain(`6.02 yuan came to acc_2236512894231552001 (sub) of ${PLATFORM} (集市)`);
    expect(text).toContain(`(custody report)\n  ${PLATFORM} (集市) from 2026-03-01 to 2026-03-31`);
    expect(text).toContain('payment: 150.00 yuan in and 0.00 yuan out, by 2 entries');
    expect(text).toContain('of 31 days 31 are closed and 30 proved; not proved: 2026-03-09');
    expect(status).toBe(0);
  });

  test('knows the version of every document that the bank signs', () => {
    const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
    const texts = sources.map((path) => readFileSync(join('src', path), 'utf8'));
    const versions = texts.flatMap((text) =>
      [...text.matchAll(/_VERSION = '(cunguan-[a-z-]+-\d+)'/g)].map(([, version]) => version),
    );
    expect(versions.length).toBeGreaterThanOrEqual(5);
    for (const version of versions) {
      const { text } = verify(put('bare.json', { version }));
      expect([version, text]).toEqual([version, expect.stringMatching(/^NOT GENUINE: (?!.*the version of no document)/)]);
    }
  });

  test.each<[string, () => unknown[], RegExp]>([
    ['an entry of another amount', () => [{ ...entry, content: { ...ENTRY, amount: 603 } }], /the content was altered/],
    [
      'a custody report of other days',
      () => [{ ...report, content: { ...REPORT, to: '2026-04-30' } }],
      /the content was altered/,
    ],
    [
      'a custody report made of an entry',
      () => [{ ...entry, version: CUSTODY_REPORT_VERSION }],
      /NOT GENUINE: the field \/content\/type/,
    ],
    [
      'another balance',
      () => [{ ...inclusion(1, monday), leaf: { ...LEAVES[1], balance: 61 } }],
      /balance, place or path was altered/,
    ],
    ['another root', () => [{ ...monday, content: { ...monday.content, root: 'b'.repeat(64) } }], /the content was altered/],
    ['a hole in the chain', () => [monday, wednesday], /proofs are missing/],
    [
      'a sort of document that the bank does not have',
      () => [{ ...monday, version: 'cunguan-custody-2' }],
      /the version of no document/,
    ],
    ['a receipt made of a custody proof', () => [{ ...monday, version: 'cunguan-receipt-1' }], /NOT GENUINE/],
  ])('ends with 1 and says why for %s', (_what, values, words) => {
    const { status, text } = verify(...values().map((value, place) => put(`${place}.json`, value)));
    expect(text).toMatch(words);
    expect(text).toContain('NOT GENUINE');
    expect(status).toBe(1);
  });

  test('is started by its name, with files named from where it is called', () => {
    put('here.json', inclusion(2, monday));
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(process.cwd(), 'scripts/cunguan.mjs'), 'verify', 'here.json', '--key', 'keys.json'],
      { cwd: folder, env: { PATH: process.env.PATH, HOME: process.env.HOME }, encoding: 'utf8' },
    );
    expect([status, stderr, stdout]).toEqual([0, '', expect.stringContaining('acc_2236512894231552002 (sub) had 0.40 yuan')]);
    expect(spawnSync(process.execPath, ['scripts/cunguan.mjs', 'pay'], { encoding: 'utf8' })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('npx cunguan verify FILE'),
    });
  }, 60_000);
});
