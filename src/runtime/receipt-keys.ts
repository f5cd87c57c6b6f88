import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject, sign } from 'node:crypto';
import { invariant } from '../kernel/index.js';

/**
 * The bank's keys for receipts: Ed25519, each with an id. The first signs; older ones stay published for as long as anybody may still
 * hold a receipt that they signed, and of those the public half is enough.
 */
export interface ReceiptKeys {
  /** The id of the key that signs now. */
  readonly keyId: string;
  sign(text: string): Buffer;
  /** All of them, in the order of the configuration: a JSON Web Key each (RFC 8037). */
  readonly published: readonly PublishedKey[];
}

export interface PublishedKey {
  readonly kid: string;
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  readonly use: 'sig';
  readonly alg: 'EdDSA';
}

/** `r2=<base64>,r1=<base64>`: PKCS #8 of a private key, or SPKI of a public one. */
export interface ReceiptKeyTexts {
  readonly RECEIPT_KEYS: string;
}

interface ReceiptKey {
  readonly id: string;
  readonly key: KeyObject;
}

/** The keys of a text; undefined when it is not of that form, names an id twice, or its first key cannot sign. */
export function receiptKeysOfText(text: string): readonly ReceiptKey[] | undefined {
  const keys: ReceiptKey[] = [];
  for (const part of text.split(',')) {
    const [, id, base64] = /^([A-Za-z0-9_-]{1,32})=([A-Za-z0-9+/]+={0,2})$/.exec(part) ?? [];
    const key = base64 === undefined ? undefined : keyOf(Buffer.from(base64, 'base64'));
    if (id === undefined || key === undefined || keys.some((other) => other.id === id)) return undefined;
    keys.push({ id, key });
  }
  return keys[0]?.key.type === 'private' ? keys : undefined;
}

function keyOf(der: Buffer): KeyObject | undefined {
  for (const read of [
    () => createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }),
    () => createPublicKey({ key: der, format: 'der', type: 'spki' }),
  ]) {
    try {
      const key = read();
      if (key.asymmetricKeyType === 'ed25519') return key;
    } catch {
      // The other form may fit.
    }
  }
  return undefined;
}

/** @throws when the keys are not of the form that the configuration asks for */
export function openReceiptKeys({ RECEIPT_KEYS }: ReceiptKeyTexts): ReceiptKeys {
  const keys = receiptKeysOfText(RECEIPT_KEYS);
  const current = keys?.[0];
  invariant(keys !== undefined && current !== undefined, 'the keys of receipts are well-formed');
  return {
    keyId: current.id,
    sign: (text) => sign(null, Buffer.from(text, 'utf8'), current.key),
    published: keys.map(({ id, key }) => publishedKey(id, key)),
  };
}

function publishedKey(kid: string, key: KeyObject): PublishedKey {
  const { x } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  invariant(x !== undefined, 'an Ed25519 key has a public point');
  return { kid, kty: 'OKP', crv: 'Ed25519', x, use: 'sig', alg: 'EdDSA' };
}

// RFC 8410: what stands before the 32 bytes of an Ed25519 private key in PKCS #8.
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

/** A key made of a secret, for tests and simulations: the same secret makes the same key. */
export function receiptKeysOfSecret(secret: string, id = 'r1'): ReceiptKeyTexts {
  const seed = Buffer.from(hkdfSync('sha256', secret, '', `receipts ${id}`, 32));
  return { RECEIPT_KEYS: `${id}=${Buffer.concat([PKCS8_HEAD, seed]).toString('base64')}` };
}
