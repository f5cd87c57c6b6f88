import { sign, verify } from 'node:crypto';
import type { PeerKeys, SigningKey } from '../keys.js';

/**
 * The form of the payment institution's messages: JSON whose bytes are signed together with a purpose, a time and a nonce. The purpose of
 * a request is its path; that of an answer is `answer`, with the request's nonce, so that no answer serves for another request.
 */
export const SIGNATURE_HEADER = 'psp-signature';

export interface Signed {
  readonly purpose: string;
  readonly nonce: string;
  readonly body: Uint8Array;
}

/** Seconds since 1970 and a signature, RSA-SHA256 or Ed25519 as the key is, in the form of the header. */
export function signatureHeader(signed: Signed, timestamp: number, key: SigningKey): string {
  const signature = sign(algorithmOf(key.privateKey.asymmetricKeyType), bytesOf(signed, timestamp), key.privateKey);
  return `keyId=${key.id},timestamp=${timestamp},nonce=${signed.nonce},signature=${signature.toString('base64')}`;
}

const HEADER =
  /^keyId=([A-Za-z0-9_-]{1,32}),timestamp=(\d{1,12}),nonce=([A-Za-z0-9_-]{1,64}),signature=([A-Za-z0-9+/]{1,2048}={0,2})$/;

/** What a header says, verified by a known key over the body as it came; undefined of anything else. */
export function readSignature(
  header: string | undefined,
  of: Omit<Signed, 'nonce'>,
  keys: PeerKeys,
): { nonce: string; timestamp: number } | undefined {
  const [, keyId = '', seconds = '', nonce = '', signature = ''] = HEADER.exec(header ?? '') ?? [];
  const key = keys.get(keyId);
  if (key === undefined) return undefined;
  const timestamp = Number(seconds);
  const message = bytesOf({ ...of, nonce }, timestamp);
  const isSigned = verify(algorithmOf(key.asymmetricKeyType), message, key, Buffer.from(signature, 'base64'));
  return isSigned ? { nonce, timestamp } : undefined;
}

function bytesOf({ purpose, nonce, body }: Signed, timestamp: number): Uint8Array {
  return Buffer.concat([Buffer.from(`${purpose}\n${timestamp}\n${nonce}\n`, 'utf8'), body]);
}

function algorithmOf(type: string | undefined): string | null {
  return type === 'rsa' ? 'sha256' : null;
}
