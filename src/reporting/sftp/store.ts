import { asId, type Id, type Instant } from '../../kernel/index.js';
import type { Tx } from '../../runtime/index.js';

/** A public SSH key with which a platform fetches its files. */
export interface FileKey {
  readonly id: Id;
  readonly platformId: Id;
  /** `SHA256:…`, as ssh-keygen shows it. */
  readonly fingerprint: string;
  /** `ssh-ed25519 AAAA…`. */
  readonly publicKey: string;
  readonly createdMs: Instant;
  readonly revokedMs: Instant | null;
}

interface Row {
  id: string;
  platform_id: string;
  fingerprint: string;
  public_key: string;
  created_ms: string;
  revoked_ms: string | null;
}

function keyOf(row: Row): FileKey {
  return {
    id: asId(row.id),
    platformId: asId(row.platform_id),
    fingerprint: row.fingerprint,
    publicKey: row.public_key,
    createdMs: Number(row.created_ms) as Instant,
    revokedMs: row.revoked_ms === null ? null : (Number(row.revoked_ms) as Instant),
  };
}

export async function findFileKey(tx: Tx, fingerprint: string): Promise<FileKey | undefined> {
  const [row] = await tx.rows<Row>('SELECT * FROM file_keys WHERE fingerprint = ?', [fingerprint]);
  return row && keyOf(row);
}

export async function fileKeysOf(tx: Tx, platformId: Id): Promise<FileKey[]> {
  return (await tx.rows<Row>('SELECT * FROM file_keys WHERE platform_id = ? ORDER BY id', [platformId])).map(keyOf);
}

/** @throws a duplicate-key error when somebody has the key already */
export async function insertFileKey(tx: Tx, key: Omit<FileKey, 'revokedMs'>): Promise<void> {
  await tx.write('INSERT INTO file_keys (id, platform_id, fingerprint, public_key, created_ms) VALUES (?, ?, ?, ?, ?)', [
    key.id,
    key.platformId,
    key.fingerprint,
    key.publicKey,
    key.createdMs,
  ]);
}

/** Whether the platform has such a key; revoking twice keeps the first moment. */
export async function revokeFileKey(tx: Tx, platformId: Id, id: Id, at: Instant): Promise<boolean> {
  const changed = await tx.write('UPDATE file_keys SET revoked_ms = COALESCE(revoked_ms, ?) WHERE id = ? AND platform_id = ?', [
    at,
    id,
    platformId,
  ]);
  return changed > 0;
}
