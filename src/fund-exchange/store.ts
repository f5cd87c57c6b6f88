import type { FundFileKind } from '../channels/index.js';
import { type FundOrder, type FundOrderRow, fundOrderOf } from '../funds/index.js';
import { addDays, type BusinessDate, type Id, type Instant } from '../kernel/index.js';
import { sql, type Tx } from '../runtime/index.js';
import type { SentOrder } from './rules.js';

/** Kinds of files, ours first. */
export const FILE_KINDS = ['applications', 'quotes', 'dividends', 'confirmations', 'holdings'] as const satisfies readonly (
  | FundFileKind
  | 'applications'
)[];
export const FILE_STATES = ['filling', 'handed-in', 'refused', 'taken'] as const;

/** A file that was exchanged with a company. */
export interface FundFile {
  readonly company: string;
  readonly date: BusinessDate;
  readonly kind: (typeof FILE_KINDS)[number];
  readonly state: (typeof FILE_STATES)[number];
  readonly count: number;
  /** SHA-256 in hex; null where it could not be read, or is not handed in. */
  readonly digest: string | null;
  /** Why it was refused. */
  readonly why: string | null;
  readonly changedMs: Instant;
}

interface FileRow {
  company: string;
  file_date: BusinessDate;
  kind: FundFile['kind'];
  state: FundFile['state'];
  record_count: string;
  digest: Buffer | null;
  why: string | null;
  changed_ms: string;
}

const WHY_MAX = 256;

/** Writes what is known of files now; what was taken or handed in stays what it is. */
export async function noteFiles(tx: Tx, files: readonly FundFile[]): Promise<void> {
  const rows = files.map(
    ({ company, date, kind, state, count, digest, why, changedMs }) =>
      `${sql.text(company)},'${date}','${kind}','${state}',${count},${digest === null ? 'NULL' : sql.hex(Buffer.from(digest, 'hex'))},` +
      `${sql.nullableText(why === null ? null : [...why].slice(0, WHY_MAX).join(''))},${changedMs}`,
  );
  // The state is written last: what stands before it looks at what it was.
  const unless = (column: string) => `${column} = IF(state IN ('taken', 'handed-in'), ${column}, VALUES(${column}))`;
  await tx.write(
    `INSERT INTO fund_files (company, file_date, kind, state, record_count, digest, why, changed_ms) VALUES ${sql.tuples(rows)}
     ON DUPLICATE KEY UPDATE ${['record_count', 'digest', 'why', 'changed_ms', 'state'].map(unless).join()}`,
  );
}

/** What names a file, and where it stands among them. */
export type FileKey = Pick<FundFile, 'date' | 'company' | 'kind'>;

export interface FileFilter {
  readonly company?: string | undefined;
  readonly kind?: FundFile['kind'] | undefined;
  readonly state?: FundFile['state'] | undefined;
  readonly since?: BusinessDate | undefined;
  /** Behind this one. */
  readonly after?: FileKey | undefined;
}

/** The latest first. */
export async function listFiles(tx: Tx, filter: FileFilter, limit: number): Promise<FundFile[]> {
  const conditions = ['1 = 1'];
  const values: unknown[] = [];
  for (const [condition, value] of [
    ['company = ?', filter.company],
    ['kind = ?', filter.kind],
    ['state = ?', filter.state],
    ['file_date >= ?', filter.since],
  ]) {
    if (value === undefined) continue;
    conditions.push(condition as string);
    values.push(value);
  }
  if (filter.after !== undefined) {
    const { date, company, kind } = filter.after;
    conditions.push('file_date <= ? AND (file_date < ? OR (company, kind) > (?, ?))');
    values.push(date, date, company, kind);
  }
  const rows = await tx.rows<FileRow>(
    `SELECT * FROM fund_files WHERE ${conditions.join(' AND ')} ORDER BY file_date DESC, company, kind LIMIT ?`,
    [...values, limit],
  );
  return rows.map((row) => ({
    ...{ company: row.company, date: row.file_date, kind: row.kind, state: row.state, count: Number(row.record_count) },
    ...{ digest: row.digest === null ? null : row.digest.toString('hex'), why: row.why },
    changedMs: Number(row.changed_ms) as Instant,
  }));
}

/** Puts orders into our file of a date. @throws a duplicate-key error when one stands in a file with this attempt */
export async function insertFileOrders(
  tx: Tx,
  { company, date }: { readonly company: string; readonly date: BusinessDate },
  orders: readonly Pick<FundOrder, 'id' | 'attempts'>[],
): Promise<void> {
  const rows = orders.map(({ id, attempts }) => `${sql.text(company)},'${date}',${id},${attempts + 1}`);
  await tx.write(`INSERT INTO fund_file_orders (company, file_date, order_id, attempt) VALUES ${sql.tuples(rows)}`);
}

export async function countFileOrders(tx: Tx, company: string, date: BusinessDate): Promise<number> {
  const [row] = await tx.rows<{ count: string }>(
    'SELECT COUNT(*) AS count FROM fund_file_orders WHERE company = ? AND file_date = ?',
    [company, date],
  );
  return Number(row?.count ?? 0);
}

type SentRow = FundOrderRow & { attempt: number; file_date: BusinessDate; custody_no: string };

const SENT = `SELECT o.*, f.attempt, f.file_date, b.custody_no FROM fund_file_orders AS f
  JOIN fund_orders AS o ON o.id = f.order_id JOIN books AS b ON b.platform_id = o.platform_id`;

function sentOf(row: SentRow): SentOrder {
  return { order: fundOrderOf(row), attempt: row.attempt, fileDate: row.file_date, custodyNo: row.custody_no };
}

/** The orders of our file of a date, by their ids, after one. */
export async function fileOrders(
  tx: Tx,
  { company, date }: { readonly company: string; readonly date: BusinessDate },
  after: Id,
  limit: number,
): Promise<SentOrder[]> {
  const rows = await tx.rows<SentRow>(
    `${SENT} WHERE f.company = ? AND f.file_date = ? AND f.order_id > ? ORDER BY f.order_id LIMIT ?`,
    [company, date, after, limit],
  );
  return rows.map(sentOf);
}

/** Orders of files of a company, by what they are called there. */
export async function sentOrders(
  tx: Tx,
  company: string,
  named: readonly { readonly orderId: Id; readonly attempt: number }[],
): Promise<SentOrder[]> {
  if (named.length === 0) return [];
  const rows = await tx.rows<SentRow>(`${SENT} WHERE f.company = ? AND (f.order_id, f.attempt) IN (?)`, [
    company,
    named.map(({ orderId, attempt }) => [orderId, attempt]),
  ]);
  return rows.map(sentOf);
}

const LOOK_BACK_DAYS = 30;

/** Orders of files of a date or of the month before it, of which the company has said nothing that counts. */
export async function unansweredOrders(
  tx: Tx,
  { company, until }: { readonly company: string; readonly until: BusinessDate },
  after: Id,
  limit: number,
): Promise<SentOrder[]> {
  const rows = await tx.rows<SentRow>(
    `${SENT} WHERE f.company = ? AND f.file_date BETWEEN ? AND ? AND o.state = 'sent' AND o.attempts = f.attempt AND f.order_id > ?
     ORDER BY f.order_id LIMIT ?`,
    [company, addDays(until, -LOOK_BACK_DAYS), until, after, limit],
  );
  return rows.map(sentOf);
}

/** Those of these references under which the books have money of a platform. */
export async function bookedUnder(tx: Tx, platformId: Id, references: readonly string[]): Promise<Set<string>> {
  if (references.length === 0) return new Set();
  const rows = await tx.rows<{ reference: string }>(
    'SELECT reference FROM boundary WHERE platform_id = ? AND reference IN (?) GROUP BY reference HAVING SUM(amount) <> 0',
    [platformId, references],
  );
  return new Set(rows.map(({ reference }) => reference));
}
