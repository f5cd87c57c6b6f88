import type { BusinessDate, Id, Instant, Minor } from '../../kernel/index.js';
import { sql, type Tx } from '../../runtime/index.js';
import { type CheckFile, FILE_VERSION } from './columns.js';
import type { Digests, FileEncoding } from './format.js';

/** What is kept of a check file. */
export interface KeptFile {
  readonly platformId: Id;
  readonly date: BusinessDate;
  readonly file: CheckFile;
  readonly lines: number;
  /** Fen. */
  readonly sum: Minor;
  readonly digests: Readonly<Record<FileEncoding, Digests>>;
  readonly madeMs: Instant;
  /** When the platform found it right. */
  readonly confirmedMs: Instant | null;
}

interface Row {
  platform_id: Id;
  business_date: BusinessDate;
  file: CheckFile;
  line_count: string;
  sum: string;
  utf8_bytes: string;
  utf8_sha256: Buffer;
  utf8_sm3: Buffer;
  gb18030_bytes: string;
  gb18030_sha256: Buffer;
  gb18030_sm3: Buffer;
  made_ms: string;
  confirmed_ms: string | null;
}

function keptOf(row: Row): KeptFile {
  return {
    platformId: row.platform_id,
    date: row.business_date,
    file: row.file,
    lines: Number(row.line_count),
    sum: BigInt(row.sum),
    digests: {
      'utf-8': { bytes: Number(row.utf8_bytes), sha256: row.utf8_sha256, sm3: row.utf8_sm3 },
      gb18030: { bytes: Number(row.gb18030_bytes), sha256: row.gb18030_sha256, sm3: row.gb18030_sm3 },
    },
    madeMs: Number(row.made_ms) as Instant,
    confirmedMs: row.confirmed_ms === null ? null : (Number(row.confirmed_ms) as Instant),
  };
}

const KEPT = `SELECT f.*, c.confirmed_ms FROM check_files AS f LEFT JOIN check_file_confirmations AS c
  ON c.platform_id = f.platform_id AND c.business_date = f.business_date AND c.file = f.file`;

/** The files of a day; none while they were not made. */
export async function keptFiles(tx: Tx, platformId: Id, date: BusinessDate): Promise<KeptFile[]> {
  const rows = await tx.rows<Row>(`${KEPT} WHERE f.platform_id = ? AND f.business_date = ?`, [platformId, date]);
  return rows.map(keptOf);
}

/** Days with files before a date, latest first. */
export async function daysWithFiles(tx: Tx, platformId: Id, before: BusinessDate, limit: number): Promise<BusinessDate[]> {
  const rows = await tx.rows<{ business_date: BusinessDate }>(
    `SELECT DISTINCT business_date FROM check_files WHERE platform_id = ? AND business_date < ? ORDER BY business_date DESC LIMIT ?`,
    [platformId, before, limit],
  );
  return rows.map((row) => row.business_date);
}

/** @throws a duplicate-key error when they are there */
export async function insertFiles(tx: Tx, files: readonly Omit<KeptFile, 'confirmedMs'>[]): Promise<void> {
  const digest = ({ bytes, sha256, sm3 }: Digests) => `${bytes},${sql.hex(sha256)},${sql.hex(sm3)}`;
  const rows = files.map(
    (f) =>
      `${f.platformId},'${f.date}','${f.file}',${FILE_VERSION},${f.lines},${f.sum},${digest(f.digests['utf-8'])},` +
      `${digest(f.digests.gb18030)},${f.madeMs}`,
  );
  await tx.write(
    `INSERT INTO check_files (platform_id, business_date, file, version, line_count, sum, utf8_bytes, utf8_sha256, utf8_sm3, gb18030_bytes,
       gb18030_sha256, gb18030_sm3, made_ms) VALUES ${sql.tuples(rows)}`,
  );
}

/** The first word stands; answers when it was said. */
export async function confirmFile(
  tx: Tx,
  { platformId, date, file }: Pick<KeptFile, 'platformId' | 'date' | 'file'>,
  keyId: string,
  nowMs: Instant,
): Promise<Instant> {
  await tx.write(
    `INSERT INTO check_file_confirmations (platform_id, business_date, file, key_id, confirmed_ms) VALUES (?, ?, ?, ?, ?)
     ON DUPLICATE KEY UPDATE confirmed_ms = confirmed_ms`,
    [platformId, date, file, keyId, nowMs],
  );
  const [row] = await tx.rows<{ confirmed_ms: string }>(
    'SELECT confirmed_ms FROM check_file_confirmations WHERE platform_id = ? AND business_date = ? AND file = ?',
    [platformId, date, file],
  );
  return Number(row?.confirmed_ms) as Instant;
}
