import { checkPrimeSync, createPrivateKey, createPublicKey, hkdfSync, type KeyObject } from 'node:crypto';

/** A key that signs what one side sends; its id goes with the message, so that keys can be exchanged while both are in use. */
export interface SigningKey {
  readonly id: string;
  readonly privateKey: KeyObject;
}
/** The public keys of the other side by their ids: that of today and, while they are exchanged, the next or the last one. */
export type PeerKeys = ReadonlyMap<string, KeyObject>;

/** `id=<base64 of PKCS #8>`, RSA of at least 2,048 bits or Ed25519; undefined when it is not of that form. */
export function signingKeyOf(text: string): SigningKey | undefined {
  const [, id, base64] = KEY_TEXT.exec(text) ?? [];
  if (id === undefined || base64 === undefined) return undefined;
  const privateKey = readKey(() => createPrivateKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'pkcs8' }));
  return privateKey === undefined ? undefined : { id, privateKey };
}

/** `id=<base64 of SPKI>`, several with commas between; undefined when it is not of that form or names an id twice. */
export function peerKeysOf(text: string): PeerKeys | undefined {
  const keys = new Map<string, KeyObject>();
  for (const part of text.split(',')) {
    const [, id, base64] = KEY_TEXT.exec(part) ?? [];
    if (id === undefined || base64 === undefined || keys.has(id)) return undefined;
    const key = readKey(() => createPublicKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'spki' }));
    if (key === undefined) return undefined;
    keys.set(id, key);
  }
  return keys;
}

const KEY_TEXT = /^([A-Za-z0-9_-]{1,32})=([A-Za-z0-9+/]+={0,2})$/;
const RSA_BITS_MIN = 2_048;

function readKey(read: () => KeyObject): KeyObject | undefined {
  try {
    const key = read();
    if (key.asymmetricKeyType === 'ed25519') return key;
    const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
    return key.asymmetricKeyType === 'rsa' && bits >= RSA_BITS_MIN ? key : undefined;
  } catch {
    return undefined;
  }
}

export function asPeer({ id, privateKey }: SigningKey): PeerKeys {
  return new Map([[id, createPublicKey(privateKey)]]);
}

/** What one side of a sandbox signs with, and shows itself by. */
export interface SandboxSide {
  readonly unionpay: SigningKey;
  readonly psp: SigningKey;
  /** Of the SFTP connection, both ways: the host's, or the user's. */
  readonly ssh: KeyObject;
  /** Of the TLS connection. */
  readonly tls: KeyObject;
}

const made = new Map<string, SandboxSide>();

/**
 * Keys made of one public word, for sandboxes, tests and simulations: the bank simulator and whoever calls it make the same ones, and
 * nothing needs to be exchanged. They keep nobody out, and are not taken for any other address than the simulator's.
 */
export function sandboxSide(side: 'ours' | 'theirs'): SandboxSide {
  const before = made.get(side);
  if (before !== undefined) return before;
  let unionpay: KeyObject | undefined; // takes a while to make, and most never need it
  const keys: SandboxSide = {
    get unionpay() {
      unionpay ??= rsaKeyOfSecret(`sandbox ${side}`, 'unionpay');
      return { id: side === 'ours' ? '68759585097' : '69026276696', privateKey: unionpay };
    },
    psp: { id: side === 'ours' ? 'cunguan-1' : 'psp-1', privateKey: ed25519OfSecret(`sandbox ${side}`, 'psp') },
    ssh: ed25519OfSecret(`sandbox ${side}`, 'ssh'),
    tls: ed25519OfSecret(`sandbox ${side}`, 'tls'),
  };
  made.set(side, keys);
  return keys;
}

// RFC 8410: what stands before the 32 bytes of an Ed25519 private key in PKCS #8.
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The same secret and purpose make the same key. */
function ed25519OfSecret(secret: string, purpose: string): KeyObject {
  const seed = Buffer.from(hkdfSync('sha256', secret, '', purpose, 32));
  return createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' });
}

const PRIME_BYTES = 128;
const EXPONENT = 65_537n;
const SMALL_PRIMES = [3n, 5n, 7n, 11n, 13n, 17n, 19n, 23n, 29n, 31n, 37n, 41n, 43n, 47n, 53n];

function rsaKeyOfSecret(secret: string, purpose: string): KeyObject {
  const p = primeOf(secret, `${purpose} p`);
  const q = primeOf(secret, `${purpose} q`);
  const d = inverse(EXPONENT, (p - 1n) * (q - 1n));
  const parts = { n: p * q, e: EXPONENT, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q, p) };
  const jwk = Object.fromEntries(Object.entries(parts).map(([name, value]) => [name, base64urlOf(value)]));
  return createPrivateKey({ key: { kty: 'RSA', ...jwk }, format: 'jwk' });
}

/** The first prime after a number that the secret makes, with its two highest bits set so that two of them make 2,048 bits. */
function primeOf(secret: string, purpose: string): bigint {
  const start = Buffer.from(hkdfSync('sha256', secret, '', purpose, PRIME_BYTES));
  start[0] = (start[0] as number) | 0xc0;
  start[PRIME_BYTES - 1] = (start[PRIME_BYTES - 1] as number) | 1;
  for (let candidate = BigInt(`0x${start.toString('hex')}`); ; candidate += 2n) {
    if (candidate % EXPONENT === 1n || SMALL_PRIMES.some((prime) => candidate % prime === 0n)) continue;
    if (checkPrimeSync(candidate, { checks: 8 })) return candidate;
  }
}

/** By the extended algorithm of Euclid. */
function inverse(of: bigint, modulus: bigint): bigint {
  let [high, low, before, now] = [of, modulus, 1n, 0n];
  while (low !== 0n) {
    const times = high / low;
    [high, low, before, now] = [low, high - times * low, now, before - times * now];
  }
  return ((before % modulus) + modulus) % modulus;
}

function base64urlOf(value: bigint): string {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex').toString('base64url');
}
