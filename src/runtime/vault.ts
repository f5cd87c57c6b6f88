import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomFillSync, timingSafeEqual } from 'node:crypto';
import { invariant } from '../kernel/index.js';

/**
 * Personal data at rest: sealed text instead of plain, and blind indexes to find it by.
 *
 * A sealed text is ASCII and says which cipher and which key it needs, so old and new ones live side by side while a rotation is under way:
 * `s1.<key id>.<base64url of IV, ciphertext and tag>` is AES-256-GCM, `s2.…` is SM4-CTR (GB/T 32907) with an HMAC-SM3 (GB/T 32905) over head,
 * IV and ciphertext. Each cipher works with keys of its own, derived from the key of that id (HKDF, RFC 5869). IVs are random: a key
 * seals at most 2^32 texts, then the next one has to take over.
 */
export interface Vault {
  /** The id of the key that seals now. */
  readonly keyId: string;
  /** What texts sealed now begin with. */
  readonly prefix: string;
  seal(text: string): string;
  /** @throws when the text was altered, or sealed with a key that is not there */
  open(sealed: string): string;
  /** Opens what is sealed, and gives back what never was: rows of a time before sealing. @throws like `open` */
  read(stored: string): string;
  /** 32 bytes that are equal for equal texts of one purpose (`id:…`, `mobile`, `card` …) and tell nothing of the text. */
  index(purpose: string, text: string): Buffer;
}

export const CIPHERS = ['aes-256-gcm', 'sm4'] as const;

export interface VaultKeys {
  /** `k2=<base64>,k1=<base64>`: 32 bytes each; the first seals, all open. */
  readonly VAULT_KEYS: string;
  /** 32 bytes in base64; it stays when the others rotate, or nothing would be found any more. */
  readonly VAULT_INDEX_KEY: string;
  readonly VAULT_CIPHER: (typeof CIPHERS)[number];
}

const KEY_BYTES = 32;
/** The least that seals hold: IV, tag and nothing. */
const SEALED = /^s[12]\.[a-z0-9-]{1,16}\.[A-Za-z0-9_-]{38,}$/;

/** Whether a stored text has the form of a sealed one. */
export function isSealed(stored: string): boolean {
  return SEALED.test(stored);
}

/** A key of 32 bytes, or undefined where the text is none. */
export function keyOfBase64(text: string): Buffer | undefined {
  const key = Buffer.from(text, 'base64');
  return key.length === KEY_BYTES && /^[A-Za-z0-9+/]{43}=$/.test(text) ? key : undefined;
}

/** Keys by id in their order, or undefined where the text is not of the form of VAULT_KEYS. */
export function keysOfText(text: string): Map<string, Buffer> | undefined {
  const keys = new Map<string, Buffer>();
  for (const part of text.split(',')) {
    const match = /^\s*([a-z0-9-]{1,16})=(\S+)\s*$/.exec(part);
    const key = keyOfBase64(match?.[2] ?? '');
    if (match === null || key === undefined || keys.has(match[1] as string)) return undefined;
    keys.set(match[1] as string, key);
  }
  return keys;
}

/** One cipher under one key. `head` is bound to what is sealed: it cannot be exchanged for another. */
interface Sealer {
  seal(head: string, text: string): Buffer;
  open(head: string, bytes: Buffer): string;
}

const derive = (key: Buffer, info: string, bytes: number): Buffer => Buffer.from(hkdfSync('sha256', key, '', info, bytes));

const POOL_BYTES = 4096;
const pool = Buffer.alloc(POOL_BYTES);
let used = POOL_BYTES;

/** Random bytes that are used once; drawn from the system in larger portions, since each call to it costs more than a seal. */
function randomIv(bytes: number): Buffer {
  if (used + bytes > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  used += bytes;
  return Buffer.from(pool.subarray(used - bytes, used));
}

const GCM_IV = 12;
const GCM_TAG = 16;

function aesGcm(master: Buffer): Sealer {
  const key = derive(master, 'seal aes-256-gcm', 32);
  return {
    seal(head, text) {
      const iv = randomIv(GCM_IV);
      const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(head));
      return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    },
    open(head, bytes) {
      invariant(bytes.length >= GCM_IV + GCM_TAG, 'a sealed text has an IV and a tag');
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, GCM_IV), { authTagLength: GCM_TAG });
      decipher.setAAD(Buffer.from(head)).setAuthTag(bytes.subarray(-GCM_TAG));
      const text = decipher.update(bytes.subarray(GCM_IV, -GCM_TAG), undefined, 'utf8');
      return text + decipher.final('utf8');
    },
  };
}

const CTR_IV = 16;
const SM3_MAC = 32;

/** Encrypt, then authenticate: Node 20 has no SM4-GCM. */
function sm4CtrHmacSm3(master: Buffer): Sealer {
  const key = derive(master, 'seal sm4-ctr', 16);
  const macKey = derive(master, 'seal hmac-sm3', 32);
  const macOf = (head: string, bytes: Buffer) => createHmac('sm3', macKey).update(head).update(bytes).digest();
  return {
    seal(head, text) {
      const iv = randomIv(CTR_IV);
      const cipher = createCipheriv('sm4-ctr', key, iv);
      const bytes = Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([bytes, macOf(head, bytes)]);
    },
    open(head, bytes) {
      invariant(bytes.length >= CTR_IV + SM3_MAC, 'a sealed text has an IV and a MAC');
      const sealed = bytes.subarray(0, -SM3_MAC);
      if (!timingSafeEqual(macOf(head, sealed), bytes.subarray(-SM3_MAC))) throw new Error('a sealed text was altered');
      const decipher = createDecipheriv('sm4-ctr', key, sealed.subarray(0, CTR_IV));
      const text = decipher.update(sealed.subarray(CTR_IV), undefined, 'utf8');
      return text + decipher.final('utf8');
    },
  };
}

const FORMATS = { s1: aesGcm, s2: sm4CtrHmacSm3 } as const;
const FORMAT_OF_CIPHER = { 'aes-256-gcm': 's1', sm4: 's2' } as const;

/** @throws when the keys are not of the form that the configuration asks for */
export function openVault({ VAULT_KEYS, VAULT_INDEX_KEY, VAULT_CIPHER }: VaultKeys): Vault {
  const keys = keysOfText(VAULT_KEYS);
  const indexKey = keyOfBase64(VAULT_INDEX_KEY);
  invariant(keys !== undefined && indexKey !== undefined, 'the keys of the vault are well-formed');
  const sealers = new Map<string, Sealer>();
  for (const [id, key] of keys) {
    for (const [format, make] of Object.entries(FORMATS)) sealers.set(`${format}.${id}.`, make(key));
  }
  const keyId = [...keys.keys()][0] as string;
  const prefix = `${FORMAT_OF_CIPHER[VAULT_CIPHER]}.${keyId}.`;
  const current = sealers.get(prefix) as Sealer;
  const open = (sealed: string): string => {
    const head = sealed.slice(0, sealed.indexOf('.', 3) + 1);
    const sealer = sealers.get(head);
    invariant(sealer, `what is opened was sealed, and its key is there (${isSealed(sealed) ? head : 'not sealed'})`);
    return sealer.open(head, Buffer.from(sealed.slice(head.length), 'base64url'));
  };
  return {
    keyId,
    prefix,
    seal: (text) => prefix + current.seal(prefix, text).toString('base64url'),
    open,
    read: (stored) => (isSealed(stored) ? open(stored) : stored),
    index: (purpose, text) => createHmac('sha256', indexKey).update(`${purpose}\0${text}`).digest(),
  };
}

/** A stored text as it would be stored today: sealed by the present key and cipher; the same text where it is that already. */
export function resealed(vault: Vault, stored: string): string {
  return stored === '' || stored.startsWith(vault.prefix) ? stored : vault.seal(vault.read(stored));
}

/**
 * Whether this was stored for the same text: as its blind index or, in rows of a time before such hashes were keyed, as its plain SHA-256.
 */
export function isSameContent(vault: Vault, stored: Buffer, purpose: string, text: string): boolean {
  return stored.equals(vault.index(purpose, text)) || stored.equals(createHash('sha256').update(text).digest());
}

/** Keys made of one secret, for tests and simulations: the same secret makes the same keys. */
export function keysOfSecret(secret: string): VaultKeys {
  const key = (info: string) => Buffer.from(hkdfSync('sha256', secret, '', info, KEY_BYTES)).toString('base64');
  return { VAULT_KEYS: `k1=${key('key k1')}`, VAULT_INDEX_KEY: key('index'), VAULT_CIPHER: 'aes-256-gcm' };
}

export function vaultOfSecret(secret: string): Vault {
  return openVault(keysOfSecret(secret));
}
