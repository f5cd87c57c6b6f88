import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from '@jest/globals';
import { receiptOf } from '../../src/consents/receipts/receipts.js';
import { judgeReceipt, type Receipt, receiptSchema } from '../../src/consents/receipts/rules.js';
import { type Evidence, type Shown, shownFen } from '../../src/consents/rules.js';
import type { StoredConsent } from '../../src/consents/store.js';
import { asId, hashOfContent, type Instant, readPublicKeys } from '../../src/kernel/index.js';
import { openReceiptKeys, openVault, receiptKeysOfSecret, receiptKeysOfText } from '../../src/runtime/index.js';
import { TEST_KEYS } from '../support/database.js';

const vault = openVault(TEST_KEYS);
const receiptKeys = openReceiptKeys(TEST_KEYS);
const other = openReceiptKeys(receiptKeysOfSecret('another bank'));
const listOf = (keys = receiptKeys) => JSON.stringify({ keys: keys.published });

/** The public half of the key, as it stays published when its private half is gone. */
const SPKI = Buffer.concat([
  Buffer.from('302a300506032b6570032100', 'hex'),
  Buffer.from(receiptKeys.published[0]?.x ?? '', 'base64url'),
]).toString('base64');

const SHOWN: Shown = {
  title: { en: 'Confirm a payment', zh: '确认付款' },
  fen: '12345',
  lines: [
    { label: { en: 'Payee', zh: '收款方' }, value: '<b>尾号6789</b>' },
    { label: { en: 'Amount', zh: '金额' }, value: shownFen(12_345n) },
  ],
  brief: { en: 'pay CNY 123.45', zh: '付款123.45元' },
};
const CONSENT = {
  id: asId('2236512894231552001'),
  subject: 'instruction',
  subjectId: asId('2236512894231552002'),
  platformId: asId('2236512894231552003'),
  shownSealed: vault.seal(JSON.stringify(SHOWN)),
  createdMs: Date.parse('2026-03-02T10:00:00+08:00') as Instant,
} as StoredConsent;
const EVIDENCE: Evidence = {
  said: 'given',
  factors: 'both',
  atMs: Date.parse('2026-03-02T10:01:02.345+08:00') as Instant,
  ip: '127.0.0.1',
  forwardedFor: '',
  userAgent: 'Mozilla/5.0',
};
const make = (evidence: Partial<Evidence> = {}, keys = receiptKeys): Receipt =>
  JSON.parse(receiptOf({ vault, receiptKeys: keys }, CONSENT, { ...EVIDENCE, ...evidence }));
const genuine = make();
// biome-ignore lint/suspicious/noExplicitAny: forgers change what they like
type Forged = any;
function forged(change: (receipt: Forged) => void): Receipt {
  const copy = structuredClone(genuine) as Forged;
  change(copy);
  return copy;
}
const rehashed = (change: (receipt: Forged) => void) =>
  forged((receipt) => {
    change(receipt);
    receipt.hash = hashOfContent(receipt.content);
  });

/** In the middle of the first Chinese character. */
const CUT = Buffer.from(JSON.stringify(genuine)).findIndex((byte) => byte > 127) + 1;

/** The last character of a signature holds two bits of it: another character that says the same. */
const SPARE_BIT = new Map(['AB', 'QR', 'gh', 'wx'].map(([of, other]) => [of, other]));

const FORGERIES: [string, Receipt, RegExp][] = [
  ['another amount', forged((r) => (r.content.shown.fen = '1')), /the content was altered/],
  ['another payee', forged((r) => (r.content.shown.lines[0].value = '尾号0000')), /the content was altered/],
  ['another amount with its own hash', rehashed((r) => (r.content.shown.fen = '1')), /signature does not belong to this content/],
  ['a no made a yes', forged((r) => (r.content.said = 'declined')), /the content was altered/],
  ['another factor', forged((r) => r.content.factors.pop()), /the content was altered/],
  [
    'the signature of another receipt',
    { ...genuine, signature: make({ said: 'declined' }).signature },
    /signature does not belong/,
  ],
  ["another bank's key under the same id", make({}, other), /signature does not belong to this content and the key r1/],
  [
    'a key that the bank does not have',
    { ...genuine, keyId: 'r9' },
    /the key r9, which is not among the bank's keys given \(r1\)/,
  ],
  ['a field more', forged((r) => (r.content.remark = 'paid twice')), /a field that no receipt has: \/content\/remark/],
  ['a field more outside', forged((r) => (r.note = 'x')), /a field that no receipt has: \/note/],
  ['a field more among where it came from', forged((r) => (r.content.from.city = 'x')), /no receipt has: \/content\/from\/city/],
  ['a field less', forged((r) => delete r.content.answeredAt), /\/content\/answeredAt is missing or not of its form/],
  [
    'a signature that is too short',
    forged((r) => (r.signature = r.signature.slice(1))),
    /\/signature is missing or not of its form/,
  ],
  [
    'a signature written otherwise, with the bits that say nothing',
    forged((r) => (r.signature = r.signature.slice(0, -1) + SPARE_BIT.get(r.signature.at(-1)))),
    /\/signature is missing or not of its form/,
  ],
  ['another version', forged((r) => (r.version = 'cunguan-receipt-2')), /\/version is missing or not of its form/],
  ['a hash in other letters', forged((r) => (r.hash = r.hash.toUpperCase())), /\/hash is missing or not of its form/],
];

describe('a receipt', () => {
  const keys = readPublicKeys(listOf());

  it('says what was shown, what was said, how, when and from where', () => {
    expect(receiptSchema.safeParse(genuine).success).toBe(true);
    expect(genuine.content).toEqual({
      type: 'consent',
      consent: 'cns_2236512894231552001',
      subject: 'instruction',
      about: 'ins_2236512894231552002',
      platform: 'plt_2236512894231552003',
      said: 'given',
      factors: ['password', 'sms'],
      shown: SHOWN,
      askedAt: '2026-03-02T10:00:00.000+08:00',
      answeredAt: '2026-03-02T10:01:02.345+08:00',
      from: { ip: '127.0.0.1', forwardedFor: '', userAgent: 'Mozilla/5.0' },
    });
    expect(judgeReceipt(genuine, keys)).toEqual({ document: genuine });
    expect(make({ said: 'declined', factors: 'none' }).content).toMatchObject({ said: 'declined', factors: [] });
    expect(make({ factors: 'sms' }).content).toMatchObject({ factors: ['sms'] });
  });

  it('is genuine whatever order its fields stand in, for the hash goes over the canonical text', () => {
    const turned = Object.fromEntries(Object.entries(genuine.content).reverse());
    expect(judgeReceipt({ ...genuine, content: turned }, keys)).not.toHaveProperty('fault');
  });

  it('is genuine also for a browser that says too much of itself', () => {
    const long = make({ userAgent: 'x'.repeat(10_000), forwardedFor: 'y'.repeat(10_000), ip: '::1' });
    expect(judgeReceipt(long, keys)).not.toHaveProperty('fault');
  });

  test.each(FORGERIES)('with %s is no receipt, and the reason is told', (_what, receipt, words) => {
    expect(judgeReceipt(receipt, keys)).toMatchObject({ fault: expect.stringMatching(words) });
  });

  test.each([[null], [[]], ['text'], [{}], [{ ...genuine, content: { type: 'gift' } }]])('is not %j', (value) => {
    expect(judgeReceipt(value, keys)).toHaveProperty('fault');
  });

  it('outlives its key: what the older key signed is genuine by the list that still names it', () => {
    const rotated = openReceiptKeys({ RECEIPT_KEYS: `${receiptKeysOfSecret('next', 'r2').RECEIPT_KEYS},r1=${SPKI}` });
    const list = readPublicKeys(listOf(rotated));
    expect(rotated.keyId).toBe('r2');
    expect(judgeReceipt(genuine, list)).not.toHaveProperty('fault');
    const newer = make({}, rotated);
    expect(newer.keyId).toBe('r2');
    expect(judgeReceipt(newer, list)).not.toHaveProperty('fault');
    expect(judgeReceipt(newer, keys)).toMatchObject({ fault: expect.stringContaining('the key r2, which is not among') });
  });
});

test.each([
  ['nothing', ''],
  ['no id', TEST_KEYS.RECEIPT_KEYS.slice(3)],
  ['one id twice', `${TEST_KEYS.RECEIPT_KEYS},${TEST_KEYS.RECEIPT_KEYS}`],
  ['what is no key', 'r1=AAAA'],
  ['a public key to sign with', `r1=${Buffer.from('302a300506032b6570032100', 'hex').toString('base64')}`],
])('keys of receipts are not %s', (_what, text) => expect(receiptKeysOfText(text)).toBeUndefined());

describe('npm run verify', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cunguan-verify-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const put = (name: string, text: string | Buffer) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const verify = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'scripts/verify.ts', ...args], {
      env: { PATH: process.env.PATH, NODE_OPTIONS: '' },
      encoding: 'utf8',
    });
    return { status, text: stdout + stderr };
  };
  let keyFile: string;
  let good: string;
  beforeAll(() => {
    keyFile = put('keys.json', listOf());
    good = put('good.json', JSON.stringify(genuine, null, 2));
  });

  it('says yes with 0 to a genuine receipt, by the list of keys or by one PEM, and tells what it proves', () => {
    const pem = `-----BEGIN PUBLIC KEY-----\n${SPKI}\n-----END PUBLIC KEY-----\n`;
    for (const key of [keyFile, put('key.pem', pem)]) {
      const { status, text } = verify(good, '--key', key);
      expect(text).toContain('genuine: signed by the bank with its key r1');
      expect(text).toContain('确认付款 / Confirm a payment: 123.45 yuan');
      expect(text).toContain('收款方 / Payee: <b>尾号6789</b>');
      expect(text).toContain('the customer said yes with password and sms at 2026-03-02T10:01:02.345+08:00');
      expect(status).toBe(0);
    }
  });

  test.each([
    [
      'cut off',
      () => JSON.stringify(genuine).slice(0, -40),
      /NOT GENUINE: it is not whole JSON: the file was cut off or damaged/,
    ],
    ['cut within a character', () => Buffer.from(JSON.stringify(genuine)).subarray(0, CUT), /the file was cut off or damaged/],
    ['empty', () => '', /NOT GENUINE: it is not whole JSON/],
    ['with one amount twice', () => JSON.stringify(genuine).replace('"fen":"12345"', '"fen":"1","fen":"12345"'), /stands twice/],
    ['forged', () => JSON.stringify(FORGERIES[0]?.[1]), /NOT GENUINE: the content was altered/],
    ['signed by another', () => JSON.stringify(make({}, other)), /NOT GENUINE: the signature does not belong/],
  ])('says no with 1 to a receipt that is %s', (_what, text, words) => {
    const { status, text: said } = verify(put('bad.json', text()), '--key', keyFile);
    expect(said).toMatch(words);
    expect(status).toBe(1);
  });

  test.each<[string, () => string[], RegExp]>([
    ['no file', () => [], /usage/],
    ['a file that is not there', () => [join(folder, 'none.json'), '--key', keyFile], /there is no such file/],
    ['an address for the key', () => [good, '--key', 'https://bank.example/v1/receipt-keys'], /never from the network/],
    ['a receipt for the key', () => [good, '--key', good], /no list of keys/],
    ['a private key', () => [good, '--key', put('p.pem', '-----BEGIN PRIVATE KEY-----\n')], /it holds a private key/],
    ['an unknown option', () => [good, '--url', 'x'], /usage/],
  ])('ends with 1 and a plain word for %s', (_what, args, words) => {
    const { status, text } = verify(...args());
    expect(text).toMatch(words);
    expect(status).toBe(1);
  });
});
