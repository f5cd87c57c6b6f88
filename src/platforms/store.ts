import { asId, type Id, type Instant, instantOf } from '../kernel/index.js';
import type { Tx } from '../runtime/index.js';
import type { Algorithm, Profile } from './rules.js';

export type PlatformState = 'active' | 'suspended';
export type KeyState = 'active' | 'revoked';

export interface PlatformRow {
  readonly id: Id;
  readonly name: string;
  readonly uscc: string | undefined;
  readonly profile: Profile;
  readonly state: PlatformState;
  readonly createdAt: Instant;
}

export interface KeyRow {
  readonly id: Id;
  readonly platformId: Id;
  readonly algorithm: Algorithm;
  /** PEM (SPKI). */
  readonly publicKey: string;
  readonly state: KeyState;
  readonly createdAt: Instant;
  readonly revokedAt: Instant | undefined;
}

interface RawPlatform {
  id: string;
  name: string;
  uscc: string | null;
  profile: Profile;
  state: PlatformState;
  created_ms: string;
}
interface RawKey {
  id: string;
  platform_id: string;
  algorithm: Algorithm;
  public_key: string;
  state: KeyState;
  created_ms: string;
  revoked_ms: string | null;
}

function platformOf(row: RawPlatform): PlatformRow {
  return {
    id: asId(row.id),
    name: row.name,
    uscc: row.uscc ?? undefined,
    profile: row.profile,
    state: row.state,
    createdAt: instantOf(Number(row.created_ms)),
  };
}

function keyOf(row: RawKey): KeyRow {
  return {
    id: asId(row.id),
    platformId: asId(row.platform_id),
    algorithm: row.algorithm,
    publicKey: row.public_key,
    state: row.state,
    createdAt: instantOf(Number(row.created_ms)),
    revokedAt: row.revoked_ms === null ? undefined : instantOf(Number(row.revoked_ms)),
  };
}

export async function insertPlatform(tx: Tx, row: PlatformRow): Promise<void> {
  await tx.write('INSERT INTO platforms (id, name, uscc, profile, state, created_ms) VALUES (?, ?, ?, ?, ?, ?)', [
    row.id,
    row.name,
    row.uscc ?? null,
    row.profile,
    row.state,
    row.createdAt,
  ]);
}

export async function readPlatform(tx: Tx, id: Id): Promise<PlatformRow | undefined> {
  const [row] = await tx.rows<RawPlatform>('SELECT id, name, uscc, profile, state, created_ms FROM platforms WHERE id = ?', [id]);
  return row && platformOf(row);
}

/** In the order of ids, those after `after`. */
export async function listPlatformRows(tx: Tx, after: Id, limit: number): Promise<PlatformRow[]> {
  const rows = await tx.rows<RawPlatform>(
    'SELECT id, name, uscc, profile, state, created_ms FROM platforms WHERE id > ? ORDER BY id LIMIT ?',
    [after, limit],
  );
  return rows.map(platformOf);
}

/** Whether there is such a platform. */
export async function updatePlatformState(tx: Tx, id: Id, state: PlatformState): Promise<boolean> {
  return (await tx.write('UPDATE platforms SET state = ? WHERE id = ?', [state, id])) > 0;
}

export async function insertKey(tx: Tx, row: KeyRow): Promise<void> {
  await tx.write(
    'INSERT INTO platform_keys (id, platform_id, algorithm, public_key, state, created_ms) VALUES (?, ?, ?, ?, ?, ?)',
    [row.id, row.platformId, row.algorithm, row.publicKey, row.state, row.createdAt],
  );
}

export async function listKeyRows(tx: Tx, platformId: Id): Promise<KeyRow[]> {
  const rows = await tx.rows<RawKey>('SELECT * FROM platform_keys WHERE platform_id = ? ORDER BY id', [platformId]);
  return rows.map(keyOf);
}

/** Whether the platform has such a key; revoking twice keeps the first moment. */
export async function revokeKeyRow(tx: Tx, platformId: Id, keyId: Id, at: Instant): Promise<boolean> {
  const changed = await tx.write(
    "UPDATE platform_keys SET state = 'revoked', revoked_ms = COALESCE(revoked_ms, ?) WHERE id = ? AND platform_id = ?",
    [at, keyId, platformId],
  );
  return changed > 0;
}

/** The key with its platform's state, for authentication. */
export async function readKey(tx: Tx, keyId: Id): Promise<(KeyRow & { platformState: PlatformState }) | undefined> {
  const [row] = await tx.rows<RawKey & { platform_state: PlatformState }>(
    'SELECT k.*, p.state AS platform_state FROM platform_keys k JOIN platforms p ON p.id = k.platform_id WHERE k.id = ?',
    [keyId],
  );
  return row && { ...keyOf(row), platformState: row.platform_state };
}
