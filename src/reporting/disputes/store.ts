import { asId, type BusinessDate, type Id, type Instant } from '../../kernel/index.js';
import { sql, type Tx } from '../../runtime/index.js';
import type { CheckFile } from '../check-files/columns.js';
import { FILE_DISPUTE_TRANSITIONS, type FileDisputeState } from './states.js';

/** A line of a check file that the platform finds wrong, or one that it misses. */
export interface FileDispute {
  readonly id: Id;
  readonly platformId: Id;
  readonly date: BusinessDate;
  readonly file: CheckFile;
  /** From 1; 0: none of the file's lines, but one that is missing. */
  readonly line: number;
  readonly instruction: Id | null;
  /** What it is about, once a file: `line:7`, `missing:R-1`. */
  readonly saidKey: string;
  /** Sealed, like the answer: people write names. */
  readonly reason: string;
  readonly raisedBy: string;
  readonly raisedMs: Instant;
  readonly state: FileDisputeState;
  readonly seenMs: Instant | null;
  readonly answer: string | null;
  readonly answeredMs: Instant | null;
}

interface Row {
  id: string;
  platform_id: string;
  business_date: BusinessDate;
  file: CheckFile;
  line: string;
  instruction_id: string | null;
  said_key: string;
  reason: string;
  raised_by: string;
  raised_ms: string;
  state: FileDisputeState;
  seen_ms: string | null;
  answer: string | null;
  answered_ms: string | null;
}

const instant = (value: string | null) => (value === null ? null : (Number(value) as Instant));

function disputeOf(row: Row): FileDispute {
  return {
    id: asId(row.id),
    platformId: asId(row.platform_id),
    date: row.business_date,
    file: row.file,
    line: Number(row.line),
    instruction: row.instruction_id === null ? null : asId(row.instruction_id),
    saidKey: row.said_key,
    reason: row.reason,
    raisedBy: row.raised_by,
    raisedMs: Number(row.raised_ms) as Instant,
    state: row.state,
    seenMs: instant(row.seen_ms),
    answer: row.answer,
    answeredMs: instant(row.answered_ms),
  };
}

type OfFile = Pick<FileDispute, 'platformId' | 'date' | 'file'>;

/** Takes the file for this transaction: a confirmation and a dispute come one after the other. */
export async function takeFile(tx: Tx, { platformId, date, file }: OfFile): Promise<void> {
  await tx.write('UPDATE check_files SET words = words + 1 WHERE platform_id = ? AND business_date = ? AND file = ?', [
    platformId,
    date,
    file,
  ]);
}

export async function hasUnanswered(tx: Tx, { platformId, date, file }: OfFile): Promise<boolean> {
  const rows = await tx.rows(
    `SELECT 1 FROM file_disputes WHERE platform_id = ? AND business_date = ? AND file = ? AND state IN ('open', 'seen') LIMIT 1`,
    [platformId, date, file],
  );
  return rows.length > 0;
}

/** What was said before under these keys. */
export async function disputesSaid(tx: Tx, { platformId, date, file }: OfFile, keys: readonly string[]): Promise<FileDispute[]> {
  if (keys.length === 0) return [];
  const rows = await tx.rows<Row>(
    `SELECT * FROM file_disputes WHERE platform_id = ? AND business_date = ? AND file = ? AND said_key IN (${keys.map(sql.text).join()})
     ORDER BY id`,
    [platformId, date, file],
  );
  return rows.map(disputeOf);
}

export async function insertDisputes(tx: Tx, disputes: readonly FileDispute[]): Promise<void> {
  if (disputes.length === 0) return;
  const rows = disputes.map(
    (d) =>
      `${d.id},${d.platformId},'${d.date}','${d.file}',${d.line},${d.instruction ?? 'NULL'},${sql.text(d.saidKey)},${sql.text(d.reason)},` +
      `${sql.text(d.raisedBy)},${d.raisedMs},'${d.state}'`,
  );
  await tx.write(
    `INSERT INTO file_disputes (id, platform_id, business_date, file, line, instruction_id, said_key, reason, raised_by, raised_ms, state)
     VALUES ${sql.tuples(rows)}`,
  );
}

export interface DisputeFilter {
  readonly platformId?: Id | undefined;
  readonly date?: BusinessDate | undefined;
  readonly state?: FileDisputeState | undefined;
  readonly after?: Id | undefined;
}

/** In the order in which they were raised. */
export async function listDisputes(tx: Tx, filter: DisputeFilter, limit: number): Promise<FileDispute[]> {
  const conditions = ['id > ?'];
  const values: unknown[] = [filter.after ?? '0'];
  for (const [column, value] of [
    ['platform_id', filter.platformId],
    ['business_date', filter.date],
    ['state', filter.state],
  ]) {
    if (value === undefined) continue;
    conditions.push(`${column} = ?`);
    values.push(value);
  }
  const rows = await tx.rows<Row>(`SELECT * FROM file_disputes WHERE ${conditions.join(' AND ')} ORDER BY id LIMIT ?`, [
    ...values,
    limit,
  ]);
  return rows.map(disputeOf);
}

export async function findDispute(tx: Tx, id: Id): Promise<FileDispute | undefined> {
  const [row] = await tx.rows<Row>('SELECT * FROM file_disputes WHERE id = ?', [id]);
  return row && disputeOf(row);
}

/** Whether it was in a state from which it gets there. */
export async function moveDispute(
  tx: Tx,
  id: Id,
  to: Exclude<FileDisputeState, 'open'>,
  { operatorId, nowMs, answer }: { operatorId: Id; nowMs: Instant; answer?: string },
): Promise<boolean> {
  const from = (Object.keys(FILE_DISPUTE_TRANSITIONS) as FileDisputeState[]).filter((state) =>
    FILE_DISPUTE_TRANSITIONS[state].includes(to),
  );
  const [set, values] =
    to === 'seen'
      ? ['seen_by = ?, seen_ms = ?', [operatorId, nowMs]]
      : ['answer = ?, answered_by = ?, answered_ms = ?', [answer ?? '', operatorId, nowMs]];
  const changed = await tx.write(
    `UPDATE file_disputes SET state = ?, ${set} WHERE id = ? AND state IN (${from.map((state) => `'${state}'`).join()})`,
    [to, ...values, id],
  );
  return changed === 1;
}
