import { type Id, type Refusal, Refused, refuse } from '../kernel/index.js';
import type { Runtime, Tx } from '../runtime/index.js';
import { readPublicKey } from './keys.js';
import type { Profile } from './rules.js';
import { insertKey, insertPlatform, type PlatformState, readPlatform, revokeKeyRow, updatePlatformState } from './store.js';

/** Tenants: who may call, with which keys. Its book and accounts are opened by `accounts`. */
type Parts = Pick<Runtime, 'newId' | 'clock'>;

export interface NewPlatform {
  readonly name: string;
  readonly uscc?: string | undefined;
  /** `marketplace` when absent. */
  readonly profile?: Profile | undefined;
}

/** Writes the platform alone, active and without keys. */
export async function createPlatform(tx: Tx, platform: NewPlatform, { newId, clock }: Parts): Promise<Id> {
  const id = newId();
  const { name, uscc, profile = 'marketplace' } = platform;
  await insertPlatform(tx, { id, name, uscc, profile, state: 'active', createdAt: clock.now() });
  return id;
}

/**
 * Registers a public key (PEM SPKI or its base64): Ed25519, or RSA of 2048 to 8192 bits for rsa-pss-sha512.
 * @returns the id, whose wire form `key_…` is the `keyid` to sign with
 * @throws Refused NOT_FOUND, KEY_UNSUITABLE
 */
export async function addKey(tx: Tx, platformId: Id, publicKey: string, { newId, clock }: Parts): Promise<Id> {
  if (!(await readPlatform(tx, platformId))) throw new Refused(refuse('NOT_FOUND'));
  const key = readPublicKey(publicKey);
  if (isRefusal(key)) throw new Refused(key);
  const id = newId();
  const row = { id, platformId, algorithm: key.algorithm, publicKey: key.pem, createdAt: clock.now() };
  await insertKey(tx, { ...row, state: 'active', revokedAt: undefined });
  return id;
}

function isRefusal(value: object): value is Refusal {
  return 'code' in value;
}

/** Takes hold everywhere within three seconds. @throws Refused NOT_FOUND */
export async function revokeKey(tx: Tx, platformId: Id, keyId: Id, { clock }: Pick<Parts, 'clock'>): Promise<void> {
  if (!(await revokeKeyRow(tx, platformId, keyId, clock.now()))) throw new Refused(refuse('NOT_FOUND'));
}

/** Takes hold everywhere within three seconds. @throws Refused NOT_FOUND */
export async function setState(tx: Tx, platformId: Id, state: PlatformState): Promise<void> {
  if (!(await updatePlatformState(tx, platformId, state))) throw new Refused(refuse('NOT_FOUND'));
}
