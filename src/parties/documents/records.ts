import { asId, type BusinessDate, type Id, type Instant, type Refusal } from '../../kernel/index.js';
import { isDuplicateKey, type Tx } from '../../runtime/index.js';
import type { DocumentKind, MediaType } from './rules.js';

/** An image of a document; the image itself lies sealed in the document store, under the id. */
export interface DocumentRecord {
  readonly id: Id;
  readonly userId: Id;
  readonly kind: DocumentKind;
  readonly mediaType: MediaType;
  readonly size: number;
  /** Of the image as it came. */
  readonly sha256: Buffer;
  readonly createdMs: Instant;
}

interface DocumentRow {
  id: string;
  user_id: string;
  kind: DocumentKind;
  media_type: MediaType;
  size: number;
  sha256: Buffer;
  created_ms: string;
}

function documentOf(row: DocumentRow): DocumentRecord {
  return {
    id: asId(row.id),
    userId: asId(row.user_id),
    kind: row.kind,
    mediaType: row.media_type,
    size: row.size,
    sha256: row.sha256,
    createdMs: Number(row.created_ms) as Instant,
  };
}

/** @throws a duplicate-key error when the same image of the same sort is there already */
export async function insertDocument(tx: Tx, of: DocumentRecord): Promise<void> {
  await tx.write('INSERT INTO documents (id, user_id, kind, media_type, size, sha256, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?)', [
    of.id,
    of.userId,
    of.kind,
    of.mediaType,
    of.size,
    of.sha256,
    of.createdMs,
  ]);
}

export async function findDocument(tx: Tx, userId: Id, kind: DocumentKind, sha256: Buffer): Promise<DocumentRecord | undefined> {
  const [row] = await tx.rows<DocumentRow>('SELECT * FROM documents WHERE user_id = ? AND kind = ? AND sha256 = ?', [
    userId,
    kind,
    sha256,
  ]);
  return row && documentOf(row);
}

export async function documentsOf(tx: Tx, userIds: readonly Id[]): Promise<DocumentRecord[]> {
  if (userIds.length === 0) return [];
  const rows = await tx.rows<DocumentRow>(`SELECT * FROM documents WHERE user_id IN (${userIds.join()}) ORDER BY id`);
  return rows.map(documentOf);
}

/** A new validity of an identity document, which counts once the identity was asked after again. */
export interface Renewal {
  readonly id: Id;
  readonly userId: Id;
  readonly documentId: Id;
  /** Null: for long. */
  readonly expires: BusinessDate | null;
  readonly state: 'pending' | 'accepted' | 'refused';
  readonly refusal: Refusal | null;
  readonly attempts: number;
  readonly nextMs: Instant;
  readonly createdMs: Instant;
  readonly decidedMs: Instant | null;
}

interface RenewalRow {
  id: string;
  user_id: string;
  document_id: string;
  expires: BusinessDate | null;
  state: Renewal['state'];
  refusal: string | null;
  attempts: number;
  next_ms: string;
  created_ms: string;
  decided_ms: string | null;
}

function renewalOf(row: RenewalRow): Renewal {
  return {
    id: asId(row.id),
    userId: asId(row.user_id),
    documentId: asId(row.document_id),
    expires: row.expires,
    state: row.state,
    refusal: row.refusal === null ? null : (JSON.parse(row.refusal) as Refusal),
    attempts: row.attempts,
    nextMs: Number(row.next_ms) as Instant,
    createdMs: Number(row.created_ms) as Instant,
    decidedMs: row.decided_ms === null ? null : (Number(row.decided_ms) as Instant),
  };
}

/** Writes it, or finds the one that was asked for with this document before. */
export async function insertRenewal(
  tx: Tx,
  of: Pick<Renewal, 'id' | 'userId' | 'documentId' | 'expires' | 'createdMs'>,
): Promise<Renewal> {
  try {
    await tx.write(
      `INSERT INTO document_renewals (id, user_id, document_id, expires, state, refusal, attempts, next_ms, created_ms, decided_ms)
       VALUES (?, ?, ?, ?, 'pending', NULL, 0, ?, ?, NULL)`,
      [of.id, of.userId, of.documentId, of.expires, of.createdMs, of.createdMs],
    );
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
  }
  const [row] = await tx.rows<RenewalRow>('SELECT * FROM document_renewals WHERE user_id = ? AND document_id = ?', [
    of.userId,
    of.documentId,
  ]);
  return renewalOf(row as RenewalRow);
}

/** The last one that was asked for. */
export async function latestRenewal(tx: Tx, userId: Id): Promise<Renewal | undefined> {
  const [row] = await tx.rows<RenewalRow>('SELECT * FROM document_renewals WHERE user_id = ? ORDER BY id DESC LIMIT 1', [userId]);
  return row && renewalOf(row);
}

export async function dueRenewals(tx: Tx, nowMs: Instant, limit: number): Promise<Renewal[]> {
  const rows = await tx.rows<RenewalRow>(
    "SELECT * FROM document_renewals WHERE state = 'pending' AND next_ms <= ? ORDER BY next_ms, id LIMIT ?",
    [nowMs, limit],
  );
  return rows.map(renewalOf);
}

/** Answers whether it was pending. */
export async function endRenewal(
  tx: Tx,
  id: Id,
  to: 'accepted' | 'refused',
  { nowMs, refusal = null }: { readonly nowMs: Instant; readonly refusal?: Refusal | null },
): Promise<boolean> {
  const changed = await tx.write(
    "UPDATE document_renewals SET state = ?, refusal = ?, decided_ms = ? WHERE id = ? AND state = 'pending'",
    [to, refusal === null ? null : JSON.stringify(refusal), nowMs, id],
  );
  return changed === 1;
}

export async function putOffRenewal(tx: Tx, of: Renewal, nextMs: Instant): Promise<void> {
  await tx.write(
    "UPDATE document_renewals SET attempts = attempts + 1, next_ms = ? WHERE id = ? AND state = 'pending' AND attempts = ?",
    [nextMs, of.id, of.attempts],
  );
}
