import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { invariant } from '../kernel/index.js';

/**
 * Personal data at rest: sealed text instead of plain, and blind indexes to find it by.
 *
 * A sealed text is ASCII: `s1.<key id>.<base64url of IV, ciphertext and tag>`, AES-256-GCM. It says which key it needs, so old and
 * new keys live side by side while a rotation is under way.
 */
export interface Vault {
  /** The id of the key that seals now. */
  readonly keyId: string;
  seal(text: string): string;
  /** @throws when the text was altered, or sealed with a key that is not there */
  open(sealed: string): string;
  /** 32 bytes that are equal for equal texts of one purpose (`id`, `mobile`, `card` …) and tell nothing of the text. */
  index(purpose: string, text: string): Buffer;
}

export interface VaultKeys {
  readonly current: string;
  /** 32 bytes each, by id. */
  readonly keys: ReadonlyMap<string, Buffer>;
  /** 32 bytes; it stays when the others rotate, or nothing would be found any more. */
  readonly indexKey: Buffer;
}

const IV_BYTES = 12;
const TAG_BYTES = 16;

export function openVault({ current, keys, indexKey }: VaultKeys): Vault {
  const keyOf = (id: string): Buffer => {
    const key = keys.get(id);
    invariant(key, `key ${id} of the vault is there`);
    return key;
  };
  keyOf(current);
  return {
    keyId: current,
    seal(text) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', keyOf(current), iv);
      const sealed = Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return `s1.${current}.${sealed.toString('base64url')}`;
    },
    open(sealed) {
      const [version, id, data] = sealed.split('.');
      invariant(version === 's1' && id !== undefined && data !== undefined, 'what is opened was sealed');
      const bytes = Buffer.from(data, 'base64url');
      const decipher = createDecipheriv('aes-256-gcm', keyOf(id), bytes.subarray(0, IV_BYTES));
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
      return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8');
    },
    index: (purpose, text) => createHmac('sha256', indexKey).update(purpose).update('\0').update(text).digest(),
  };
}

/** All keys from one secret, for sandboxes and tests. */
export function vaultOfSecret(secret: string): Vault {
  const derive = (info: string) => Buffer.from(hkdfSync('sha256', secret, '', info, 32));
  return openVault({ current: 'k1', keys: new Map([['k1', derive('seal k1')]]), indexKey: derive('index') });
}
