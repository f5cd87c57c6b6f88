import { spawnSync } from 'node:child_process';
import { createDecipheriv, createHash, hkdfSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  ConfigInvalid,
  isSameContent,
  isSealed,
  keysOfSecret,
  openVault,
  parseConfig,
  receiptKeysOfSecret,
  type VaultKeys,
} from '../../src/runtime/index.js';

const key = (fill: number) => Buffer.alloc(32, fill).toString('base64');
const keys = (more: Partial<VaultKeys> = {}): VaultKeys => ({
  VAULT_KEYS: `k1=${key(1)}`,
  VAULT_INDEX_KEY: key(9),
  VAULT_CIPHER: 'aes-256-gcm',
  ...more,
});
const CIPHERS = ['aes-256-gcm', 'sm4'] as const;
const NAME = '张三丰';

describe.each(CIPHERS)('what is sealed with %s', (cipher) => {
  const vault = openVault(keys({ VAULT_CIPHER: cipher }));

  test('is opened as it was, is ASCII without the text in it, and no two seals are equal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 140 }), (text) => {
        const [one, other] = [vault.seal(text), vault.seal(text)];
        expect(vault.open(one)).toBe(text);
        expect(vault.read(other)).toBe(text);
        expect(one).not.toBe(other);
        expect(isSealed(one)).toBe(true);
        expect(one.startsWith(vault.prefix)).toBe(true);
        if (text.length > 3) expect(one).not.toContain(text);
      }),
    );
  });

  test('fits into the columns for names, also the longest of the longest characters', () => {
    expect(vault.seal('𠮷'.repeat(140)).length).toBeLessThanOrEqual(1024);
  });

  test('is not opened when one character of it is another, whichever', () => {
    const sealed = vault.seal(NAME);
    for (let place = 0; place < sealed.length; place += 1) {
      const altered = sealed.slice(0, place) + (sealed[place] === 'A' ? 'B' : 'A') + sealed.slice(place + 1);
      // The last character of base64url may hold bits that mean nothing.
      if (Buffer.from(altered.slice(6), 'base64url').equals(Buffer.from(sealed.slice(6), 'base64url')) && place > 6) continue;
      expect(() => vault.open(altered)).toThrow();
    }
    for (const cut of [1, 8, 30]) expect(() => vault.open(sealed.slice(0, -cut))).toThrow();
    expect(() => vault.open('')).toThrow();
  });

  test('is not opened under the name of another key, also where that key is the same', () => {
    const two = openVault(keys({ VAULT_KEYS: `k1=${key(1)},k2=${key(1)}`, VAULT_CIPHER: cipher }));
    expect(() => two.open(two.seal(NAME).replace('.k1.', '.k2.'))).toThrow();
  });
});

test('after a rotation the new key seals and both open; without the old one what it sealed stays shut', () => {
  const before = openVault(keys());
  const old = before.seal(NAME);
  const rotated = openVault(keys({ VAULT_KEYS: `k2=${key(2)},k1=${key(1)}` }));
  expect(rotated.keyId).toBe('k2');
  expect(rotated.open(old)).toBe(NAME);
  expect(rotated.seal(NAME)).toMatch(/^s1\.k2\./);
  expect(() => openVault(keys({ VAULT_KEYS: `k2=${key(2)}` })).open(old)).toThrow('its key is there');
});

test('the cipher is chosen for what is sealed from now on; what the other sealed is opened as before', () => {
  const [aes, sm4] = CIPHERS.map((cipher) => openVault(keys({ VAULT_CIPHER: cipher })));
  expect(sm4?.seal(NAME)).toMatch(/^s2\.k1\./);
  expect(sm4?.open(aes?.seal(NAME) ?? '')).toBe(NAME);
  expect(aes?.open(sm4?.seal(NAME) ?? '')).toBe(NAME);
});

test('a seal is AES-256-GCM as the document says: another program opens it with the key alone', () => {
  const sealed = openVault(keys()).seal(NAME);
  const bytes = Buffer.from(sealed.slice('s1.k1.'.length), 'base64url');
  const derived = Buffer.from(hkdfSync('sha256', Buffer.alloc(32, 1), '', 'seal aes-256-gcm', 32));
  const decipher = createDecipheriv('aes-256-gcm', derived, bytes.subarray(0, 12), { authTagLength: 16 });
  decipher.setAAD(Buffer.from('s1.k1.')).setAuthTag(bytes.subarray(-16));
  expect(decipher.update(bytes.subarray(12, -16), undefined, 'utf8') + decipher.final('utf8')).toBe(NAME);
});

test('rows of a time before sealing are read as they are, and no text that people have looks sealed', () => {
  const vault = openVault(keys());
  for (const plain of [NAME, '', '622202000000000007', 's1.k1.', 's1.k1.x', '{"payer":{}}', 'S1.K1.'.padEnd(60, 'A')]) {
    expect(isSealed(plain)).toBe(false);
    expect(vault.read(plain)).toBe(plain);
  }
});

test('a blind index is equal for equal texts of one purpose, survives rotation, and tells nothing without its key', () => {
  const vault = openVault(keys());
  const index = vault.index('mobile', '13800000000');
  expect(index).toHaveLength(32);
  expect(openVault(keys({ VAULT_KEYS: `k2=${key(2)}`, VAULT_CIPHER: 'sm4' })).index('mobile', '13800000000')).toEqual(index);
  expect(vault.index('card', '13800000000')).not.toEqual(index);
  expect(vault.index('mobile1', '3800000000')).not.toEqual(index);
  expect(openVault(keys({ VAULT_INDEX_KEY: key(8) })).index('mobile', '13800000000')).not.toEqual(index);
});

test('what is the same again is known by its index, and in rows of a time before by its plain hash', () => {
  const vault = openVault(keys());
  const plain = createHash('sha256').update('张三').digest();
  expect(isSameContent(vault, vault.index('request', '张三'), 'request', '张三')).toBe(true);
  expect(isSameContent(vault, plain, 'request', '张三')).toBe(true);
  for (const other of [vault.index('request', '李四'), vault.index('shown', '张三'), Buffer.alloc(32)])
    expect(isSameContent(vault, other, 'request', '张三')).toBe(false);
});

test('the same secret makes the same keys, another secret others', () => {
  const sealed = openVault(keysOfSecret('one')).seal(NAME);
  expect(openVault(keysOfSecret('one')).open(sealed)).toBe(NAME);
  expect(() => openVault(keysOfSecret('two')).open(sealed)).toThrow();
});

describe('a process', () => {
  const rest = {
    ...receiptKeysOfSecret('test'),
    DATABASE_URL: 'mysql://u:p@127.0.0.1:1/x',
    REDIS_URL: 'redis://127.0.0.1:1',
    BANK_URL: 'http://127.0.0.1:1',
  };

  test.each([
    [
      'no keys at all',
      { VAULT_KEYS: undefined, VAULT_INDEX_KEY: undefined },
      /VAULT_KEYS: must be set[\s\S]*VAULT_INDEX_KEY: must be set/,
    ],
    ['a key that is too short', { VAULT_KEYS: `k1=${key(1).slice(4)}` }, /VAULT_KEYS/],
    ['a key without an id', { VAULT_KEYS: key(1) }, /VAULT_KEYS/],
    ['two keys of one id', { VAULT_KEYS: `k1=${key(1)},k1=${key(2)}` }, /VAULT_KEYS/],
    ['an id that would break the form', { VAULT_KEYS: `k.1=${key(1)}` }, /VAULT_KEYS/],
    ['an index key that is none', { VAULT_INDEX_KEY: 'secret' }, /VAULT_INDEX_KEY/],
    ['a cipher that is none', { VAULT_CIPHER: 'none' }, /VAULT_CIPHER/],
  ])('does not start with %s, and says which variable it is and none of its value', (_what, wrong, message) => {
    const parse = () => parseConfig({ ...rest, ...keys(), ...wrong });
    expect(parse).toThrow(ConfigInvalid);
    expect(parse).toThrow(message);
    for (const value of Object.values(wrong)) if (value?.includes('=')) expect(parse).not.toThrow(value);
    expect(() => parseConfig({ ...rest, ...keys() })).not.toThrow();
  });

  test.each(['src/main.ts', 'jobs/main.ts'])('%s without keys ends at once and says what to set', (file) => {
    const { VAULT_KEYS: _keys, VAULT_INDEX_KEY: _indexKey, ...env } = process.env;
    const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', file], {
      env: { ...env, ...rest, NODE_OPTIONS: '' },
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/did not start:\nVAULT_KEYS: must be set[^\n]*\nVAULT_INDEX_KEY: must be set/);
  });
});
