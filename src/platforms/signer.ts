import { createHash, createPrivateKey, KeyObject, randomUUID } from 'node:crypto';
import { type BareItem, type InnerList, serializeDictionary, serializeInnerList } from 'structured-headers';
import { makeSignature } from './keys.js';
import type { Algorithm } from './rules.js';
import { signatureBase } from './signature.js';

/** The client's half: what a platform's server does to a request before it sends it. */
export interface SigningParts {
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  readonly body?: string | Buffer | undefined;
  /** `key_…`. */
  readonly keyId: string;
  /** PEM (PKCS #8) or a key object: Ed25519 or RSA. */
  readonly privateKey: KeyObject | string;
  /** Milliseconds of the wall clock. */
  readonly now: number;
  /** Never the same twice; made when absent. */
  readonly nonce?: string;
}

/** The headers to send beside the request's own: Signature-Input, Signature and, with a body, Content-Digest. */
export function signRequest(parts: SigningParts): Record<string, string> {
  const { method, url, body, keyId, privateKey, now, nonce = randomUUID() } = parts;
  const key = privateKey instanceof KeyObject ? privateKey : createPrivateKey(privateKey);
  const algorithm: Algorithm = key.asymmetricKeyType === 'ed25519' ? 'ed25519' : 'rsa-pss-sha512';
  const hasBody = body !== undefined && body.length > 0;
  const headers: Record<string, string> = hasBody
    ? { 'content-digest': serializeDictionary(new Map([['sha-256', [createHash('sha256').update(body).digest(), new Map()]]])) }
    : {};
  const covered = ['@method', '@target-uri', ...(hasBody ? ['content-digest'] : [])];
  const parameters: InnerList = [
    covered.map((name) => [name, new Map()]),
    new Map<string, BareItem>([
      ['created', Math.floor(now / 1000)],
      ['keyid', keyId],
      ['alg', algorithm],
      ['nonce', nonce],
    ]),
  ];
  const { protocol, host, pathname, search } = new URL(url);
  const request = {
    method,
    scheme: protocol === 'https:' ? 'https' : 'http',
    authority: host,
    target: pathname + search,
    headers,
  } as const;
  const signature = makeSignature(algorithm, key, signatureBase(request, covered, parameters));
  return {
    ...headers,
    'signature-input': `sig=${serializeInnerList(parameters)}`,
    signature: serializeDictionary(new Map([['sig', [signature, new Map()]]])),
  };
}
