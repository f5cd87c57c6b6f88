import { constants, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { type Refusal, refuse } from '../kernel/index.js';
import type { Algorithm } from './rules.js';

/** Keys of the two algorithms. rsa-pss-sha512 is RSASSA-PSS with SHA-512, MGF1 of the same and a salt of 64 bytes (RFC 9421 section 3.3.1). */
const RSA_BITS = { min: 2048, max: 8192 };
const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 64 };

/** Reads a public key (PEM SPKI, or its bare base64) and tells which algorithm it serves. */
export function readPublicKey(text: string): { algorithm: Algorithm; pem: string } | Refusal {
  const key = parsePublic(text);
  const algorithm = key && algorithmOf(key);
  if (!key || !algorithm) return refuse('KEY_UNSUITABLE');
  return { algorithm, pem: key.export({ type: 'spki', format: 'pem' }).toString() };
}

function parsePublic(text: string): KeyObject | undefined {
  // createPublicKey would also take a private key, which nobody may send here.
  if (text.includes('PRIVATE')) return undefined;
  try {
    return text.includes('-----')
      ? createPublicKey(text)
      : createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' });
  } catch {
    return undefined;
  }
}

function algorithmOf(key: KeyObject): Algorithm | undefined {
  if (key.asymmetricKeyType === 'ed25519') return 'ed25519';
  if (key.asymmetricKeyType !== 'rsa' && key.asymmetricKeyType !== 'rsa-pss') return undefined;
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  return bits >= RSA_BITS.min && bits <= RSA_BITS.max ? 'rsa-pss-sha512' : undefined;
}

export function verifySignature(algorithm: Algorithm, key: KeyObject, base: Buffer, signature: Buffer): boolean {
  return algorithm === 'ed25519' ? verify(null, base, key, signature) : verify('sha512', base, { key, ...PSS }, signature);
}

export function makeSignature(algorithm: Algorithm, key: KeyObject, base: Buffer): Buffer {
  return algorithm === 'ed25519' ? sign(null, base, key) : sign('sha512', base, { key, ...PSS });
}
