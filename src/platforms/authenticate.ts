import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Redis } from 'ioredis';
import { fromWire, type Id, type Refusal, Refused, refuse, wirePattern } from '../kernel/index.js';
import type { IncomingRequest, PlatformCaller, Runtime } from '../runtime/index.js';
import { verifySignature } from './keys.js';
import { type Algorithm, type Claims, decideClaims, NONCE_MEMORY_MS, pickSignature } from './rules.js';
import { decideDigest, Malformed, type MessageSignature, readSignatures, signatureBase } from './signature.js';
import { type PlatformState, readKey } from './store.js';

interface KnownKey {
  readonly platformId: Id;
  readonly algorithm: Algorithm;
  readonly key: KeyObject;
  readonly platformState: PlatformState;
}

// Revoking a key or suspending a platform takes hold in every process within this time.
const KNOWN_MS = 3_000;
const KNOWN_MAX = 10_000;

/**
 * Tells which platform signed a request: fields, coverage and window, key, signature, digest, state, and at last the nonce,
 * so that only a request that is right in everything else uses one up.
 *
 * Keys are remembered for three seconds a process. Nonces are remembered in Redis for eleven minutes; without Redis nothing
 * is accepted (OVERLOADED). Where Redis is flushed, a request could be replayed within its window: the request number still
 * keeps it from moving money twice.
 */
export function platformAuthentication({ db, clock, redis, config }: Pick<Runtime, 'db' | 'clock' | 'redis' | 'config'>) {
  const known = new Map<string, { until: number; key: KnownKey | undefined }>();

  async function keyOf(keyId: string): Promise<KnownKey | undefined> {
    const remembered = known.get(keyId);
    if (remembered && remembered.until > clock.wall()) return remembered.key;
    const row = await db.read('platform key', (tx) => readKey(tx, fromWire(keyId)));
    const key =
      row?.state === 'active'
        ? {
            platformId: row.platformId,
            algorithm: row.algorithm,
            key: createPublicKey(row.publicKey),
            platformState: row.platformState,
          }
        : undefined;
    if (known.size >= KNOWN_MAX) known.clear();
    known.set(keyId, { until: clock.wall() + KNOWN_MS, key });
    return key;
  }

  return async (request: IncomingRequest): Promise<PlatformCaller> => {
    const signature = readSignature(request);
    const claims = orThrow(decideClaims(signature, { target: request.target, hasBody: request.body.length > 0 }, clock.wall()));
    const key = wirePattern('key').test(claims.keyId) ? await keyOf(claims.keyId) : undefined;
    if (!key) throw new Refused(refuse('KEY_UNKNOWN'));
    orThrow(decideSigned(request, signature, claims, key));
    if (key.platformState !== 'active') throw new Refused(refuse('PLATFORM_SUSPENDED'));
    orThrow(await takeNonce(redis, `${config.REDIS_PREFIX}:nonce:${claims.keyId}:${claims.nonce}`));
    return { kind: 'platform', platformId: key.platformId, keyId: claims.keyId };
  };
}

function orThrow<T extends object | undefined>(result: T | Refusal): Exclude<T, Refusal> {
  if (result !== undefined && 'code' in result) throw new Refused(result as Refusal);
  return result as Exclude<T, Refusal>;
}

function readSignature({ headers }: IncomingRequest): MessageSignature {
  const input = headers['signature-input'];
  const value = headers.signature;
  if (input === undefined || value === undefined) throw new Refused(refuse('SIGNATURE_MISSING'));
  try {
    const signature = pickSignature(readSignatures(input, value));
    if (signature) return signature;
  } catch (error) {
    if (error instanceof Malformed) throw new Refused(refuse('SIGNATURE_MALFORMED', error.message));
    throw error;
  }
  throw new Refused(refuse('SIGNATURE_MISSING'));
}

function decideSigned(
  request: IncomingRequest,
  signature: MessageSignature,
  claims: Claims,
  { algorithm, key }: KnownKey,
): Refusal | undefined {
  if (claims.alg !== undefined && claims.alg !== algorithm)
    return refuse('SIGNATURE_INVALID', `The key is one for ${algorithm}.`);
  try {
    const base = signatureBase(request, signature.covered, signature.base);
    if (!verifySignature(algorithm, key, base, signature.bytes)) return refuse('SIGNATURE_INVALID');
  } catch (error) {
    if (error instanceof Malformed) return refuse('SIGNATURE_MALFORMED', error.message);
    throw error;
  }
  // Covered, so it is there; one that is not covered proves nothing and is not looked at.
  return signature.covered.includes('content-digest')
    ? decideDigest(request.headers['content-digest'] ?? '', request.body)
    : undefined;
}

async function takeNonce(redis: Redis, key: string): Promise<Refusal | undefined> {
  let taken: string | null;
  try {
    taken = await redis.set(key, '1', 'PX', NONCE_MEMORY_MS, 'NX');
  } catch {
    return refuse('OVERLOADED', 'Replays cannot be told apart just now; nothing was accepted.');
  }
  return taken === 'OK' ? undefined : refuse('SIGNATURE_REPLAYED');
}
