import { createHash } from 'node:crypto';
import { asId, type BusinessDate, type Id, type Instant, type Minor } from '../kernel/index.js';
import { isSealed, sql, type Tx, type Vault } from '../runtime/index.js';
import { type Encoding, PLATFORM_KINDS } from './platform-file.js';

/** The day file of a platform that was verified. */
export interface PlatformFile {
  readonly platformId: Id;
  readonly businessDate: BusinessDate;
  readonly encoding: Encoding;
  /** SHA-256 of the whole file. */
  readonly digest: Buffer;
  readonly parts: number;
  readonly lineCount: number;
  readonly total: Minor;
  readonly receivedMs: Instant;
}

interface FileRow {
  platform_id: string;
  business_date: BusinessDate;
  encoding: Encoding;
  digest: Buffer;
  parts: number;
  line_count: string;
  total: string;
  received_ms: string;
}

export async function findPlatformFile(tx: Tx, platformId: Id, date: BusinessDate): Promise<PlatformFile | undefined> {
  const [row] = await tx.rows<FileRow>('SELECT * FROM platform_files WHERE platform_id = ? AND business_date = ?', [
    platformId,
    date,
  ]);
  return (
    row && {
      platformId,
      businessDate: date,
      encoding: row.encoding,
      digest: row.digest,
      parts: row.parts,
      lineCount: Number(row.line_count),
      total: BigInt(row.total),
      receivedMs: Number(row.received_ms) as Instant,
    }
  );
}

/** @throws a duplicate-key error when there is one of this date */
export async function insertPlatformFile(tx: Tx, of: PlatformFile): Promise<void> {
  await tx.write(
    `INSERT INTO platform_files (platform_id, business_date, encoding, digest, parts, line_count, total, received_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    [of.platformId, of.businessDate, of.encoding, of.digest, of.parts, of.lineCount, String(of.total), of.receivedMs],
  );
}

/** Where a part lies. */
export interface PartOf {
  readonly platformId: Id;
  readonly date: BusinessDate;
  readonly part: number;
}

/** Keeps a part, sealed, since a platform's own words may name people; the same number again is another try. */
export async function savePart(tx: Tx, vault: Vault, { platformId, date, part }: PartOf, bytes: Buffer): Promise<void> {
  await tx.write(
    `INSERT INTO platform_file_parts (platform_id, business_date, part, bytes) VALUES (?, ?, ?, ?)
     ON DUPLICATE KEY UPDATE bytes = VALUES(bytes)`,
    [platformId, date, part, vault.seal(bytes.toString('base64'))],
  );
}

/** A part, and the SHA-256 in hex of what is kept of it. */
export async function readPart(
  tx: Tx,
  vault: Vault,
  { platformId, date, part }: PartOf,
): Promise<{ readonly bytes: Buffer; readonly digest: string } | undefined> {
  const [row] = await tx.rows<{ bytes: Buffer }>(
    'SELECT bytes FROM platform_file_parts WHERE platform_id = ? AND business_date = ? AND part IN (?, ?) ORDER BY part LIMIT 1',
    [platformId, date, part, -part],
  );
  if (row === undefined) return undefined;
  const kept = row.bytes.toString('latin1');
  // A part that came before parts were sealed is read as it lies.
  const bytes = isSealed(kept) ? Buffer.from(vault.open(kept), 'base64') : row.bytes;
  return { bytes, digest: createHash('sha256').update(row.bytes).digest('hex') };
}

/**
 * Puts the parts of a file that is taken where no upload writes any more: under their numbers below zero.
 * @returns SHA-256 of each in hex, in the order of the parts
 */
export async function sealParts(tx: Tx, platformId: Id, date: BusinessDate, parts: number): Promise<string[]> {
  await tx.write(
    'UPDATE platform_file_parts SET part = -part WHERE platform_id = ? AND business_date = ? AND part BETWEEN 1 AND ?',
    [platformId, date, parts],
  );
  const rows = await tx.rows<{ digest: string }>(
    `SELECT SHA2(bytes, 256) AS digest FROM platform_file_parts WHERE platform_id = ? AND business_date = ? AND part < 0
     ORDER BY part DESC`,
    [platformId, date],
  );
  return rows.map(({ digest }) => digest);
}

/** What was uploaded of a date is needed no more: it was compared. */
export async function deleteParts(tx: Tx, platformId: Id, date: BusinessDate): Promise<void> {
  await tx.write('DELETE FROM platform_file_parts WHERE platform_id = ? AND business_date = ?', [platformId, date]);
}

/** What was uploaded for earlier dates, and handed in before they were closed or never. */
export async function deletePartsOfClosed(tx: Tx, platformId: Id, before: BusinessDate): Promise<void> {
  await tx.write(
    `DELETE FROM platform_file_parts WHERE platform_id = ? AND business_date < ? AND business_date IN
       (SELECT business_date FROM business_days WHERE platform_id = ? AND state = 'closed')`,
    [platformId, before, platformId],
  );
}

/** How far the close of a date is; undefined of one that was not cut off. */
export async function closeStateOf(tx: Tx, platformId: Id, date: BusinessDate): Promise<string | undefined> {
  const [row] = await tx.rows<{ state: string }>('SELECT state FROM business_days WHERE platform_id = ? AND business_date = ?', [
    platformId,
    date,
  ]);
  return row?.state;
}

const KINDS = PLATFORM_KINDS.map((kind) => `'${kind}'`).join();
const COLUMNS = `i.id, i.request_no, i.kind, CAST(JSON_EXTRACT(i.body, '$.amount.amount') AS CHAR) AS amount, o.state, o.business_date`;

export interface OwnInstruction {
  readonly id: Id;
  readonly kind: string;
  readonly requestNo: string;
  readonly businessDate: BusinessDate;
  /** The kind and how it stands, as one word. */
  readonly state: string;
  readonly amount: string;
}

interface OwnRow {
  id: string;
  request_no: string;
  kind: string;
  amount: string | null;
  state: string;
  business_date: BusinessDate;
}

function ownOf(row: OwnRow): OwnInstruction {
  const { request_no: requestNo, business_date: businessDate } = row;
  const { kind } = row;
  return { id: asId(row.id), kind, requestNo, businessDate, state: `${kind} ${row.state}`, amount: row.amount ?? '0' };
}

/** What a platform asked for and was decided on a date, in the order in which it came, after `after`. */
export async function ownPage(tx: Tx, platformId: Id, date: BusinessDate, after: Id, limit: number): Promise<OwnInstruction[]> {
  const rows = await tx.rows<OwnRow>(
    `SELECT ${COLUMNS} FROM instructions AS i JOIN outcomes AS o ON o.instruction_id = i.id
     WHERE i.platform_id = ? AND i.id > ? AND i.origin = 'P' AND i.kind IN (${KINDS}) AND o.business_date = ? ORDER BY i.id LIMIT ?`,
    [platformId, after, date, limit],
  );
  return rows.map(ownOf);
}

/** The same by its own numbers, whenever it was decided. */
export async function ownUnder(tx: Tx, platformId: Id, requestNos: readonly string[]): Promise<Map<string, OwnInstruction>> {
  if (requestNos.length === 0) return new Map();
  const rows = await tx.rows<OwnRow>(
    `SELECT ${COLUMNS} FROM instructions AS i JOIN outcomes AS o ON o.instruction_id = i.id
     WHERE i.platform_id = ? AND i.origin = 'P' AND i.request_no IN (${requestNos.map(sql.text).join()})`,
    [platformId],
  );
  return new Map(rows.map((row) => [row.request_no, ownOf(row)]));
}

/** An id before which nothing stands that was decided on this date, but for what waited for days. */
export async function firstIdNear(tx: Tx, platformId: Id, from: BusinessDate): Promise<Id> {
  const [row] = await tx.rows<{ first: string | null }>(
    `SELECT instruction_id AS first FROM boundary WHERE platform_id = ? AND business_date >= ?
     ORDER BY business_date, instruction_id LIMIT 1`,
    [platformId, from],
  );
  return asId(BigInt(row?.first ?? '1') - 1n);
}
