import { asId, type Id, type Instant, type Minor } from '../kernel/index.js';
import { sql, type Tx } from '../runtime/index.js';
import type { Line, LineFault } from './rules.js';
import { BATCH_TRANSITIONS, type BatchMode, type BatchState, type LineState } from './states.js';

/** A file of instructions under its platform's number. */
export interface Batch {
  readonly id: Id;
  readonly platformId: Id;
  readonly shardId: number;
  readonly batchNo: string;
  readonly mode: BatchMode;
  readonly contentHash: Buffer;
  readonly state: BatchState;
  readonly lineCount: number;
  readonly total: Minor;
  readonly faults: readonly LineFault[];
  /** How often lines were started. */
  readonly attempt: number;
  /** The key that sent it. */
  readonly actor: string;
  readonly receivedMs: Instant;
  readonly startedMs: Instant | null;
  readonly endedMs: Instant | null;
}

interface BatchRow {
  id: string;
  platform_id: string;
  shard_id: number;
  batch_no: string;
  mode: BatchMode;
  content_hash: Buffer;
  state: BatchState;
  line_count: number;
  total: string;
  faults: string | null;
  attempt: number;
  actor: string;
  received_ms: string;
  started_ms: string | null;
  ended_ms: string | null;
}

const instant = (ms: string | null) => (ms === null ? null : (Number(ms) as Instant));

function batchOf(row: BatchRow): Batch {
  return {
    id: asId(row.id),
    platformId: asId(row.platform_id),
    shardId: row.shard_id,
    batchNo: row.batch_no,
    mode: row.mode,
    contentHash: row.content_hash,
    state: row.state,
    lineCount: row.line_count,
    total: BigInt(row.total),
    faults: row.faults === null ? [] : (JSON.parse(row.faults) as LineFault[]),
    attempt: row.attempt,
    actor: row.actor,
    receivedMs: Number(row.received_ms) as Instant,
    startedMs: instant(row.started_ms),
    endedMs: instant(row.ended_ms),
  };
}

/** A line as it is stored: its body is sealed. */
export type StoredLine = Pick<Line, 'line' | 'kind' | 'body'>;

const INSERTED_AT_ONCE = 500; // lines of a statement; a line is at most a few kilobytes

/** @throws ER_DUP_ENTRY when the number is there already */
export async function insertBatch(tx: Tx, batch: Batch, lines: readonly StoredLine[]): Promise<void> {
  await tx.write(
    `INSERT INTO batch_files (id, platform_id, shard_id, batch_no, mode, content_hash, state, line_count, total, faults, attempt, actor, received_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      batch.id,
      batch.platformId,
      batch.shardId,
      batch.batchNo,
      batch.mode,
      batch.contentHash,
      batch.state,
      batch.lineCount,
      String(batch.total),
      batch.faults.length === 0 ? null : JSON.stringify(batch.faults),
      batch.attempt,
      batch.actor,
      batch.receivedMs,
    ],
  );
  for (let from = 0; from < lines.length; from += INSERTED_AT_ONCE) {
    const rows = lines
      .slice(from, from + INSERTED_AT_ONCE)
      .map(({ line, kind, body }) => `${batch.id},${line},'${kind}',${sql.text(body)},'ready',1`);
    await tx.write(`INSERT INTO batch_file_lines (batch_id, line, kind, body_sealed, state, attempt) VALUES ${sql.tuples(rows)}`);
  }
}

export async function findBatch(tx: Tx, id: Id): Promise<Batch | undefined> {
  const [row] = await tx.rows<BatchRow>('SELECT * FROM batch_files WHERE id = ?', [id]);
  return row && batchOf(row);
}

export async function findBatchByNo(tx: Tx, platformId: Id, batchNo: string): Promise<Batch | undefined> {
  const [row] = await tx.rows<BatchRow>('SELECT * FROM batch_files WHERE platform_id = ? AND batch_no = ?', [
    platformId,
    batchNo,
  ]);
  return row && batchOf(row);
}

/** A platform's files in the order they came. */
export async function listBatches(
  tx: Tx,
  { platformId, after, state }: { platformId: Id; after: Id | undefined; state?: BatchState | undefined },
  limit: number,
): Promise<Batch[]> {
  const rows = await tx.rows<BatchRow>(
    `SELECT * FROM batch_files WHERE platform_id = ? AND id > ? ${state === undefined ? '' : `AND state = '${state}'`} ORDER BY id LIMIT ?`,
    [platformId, after ?? '0', limit],
  );
  return rows.map(batchOf);
}

/** What is written with a change of state. */
export interface BatchChange {
  readonly attempt?: number;
  readonly startedMs?: Instant;
  readonly endedMs?: Instant | null;
  /** When it is looked at again; null: never by itself. */
  readonly lookMs: Instant | null;
}

/** Moves a batch on from one state, in the attempt that is named; false when it is no longer there. */
export async function moveBatch(
  tx: Tx,
  { id, state, attempt }: Pick<Batch, 'id' | 'state' | 'attempt'>,
  to: BatchState,
  change: BatchChange,
): Promise<boolean> {
  if (to !== state && !BATCH_TRANSITIONS[state].includes(to)) throw new Error(`a batch does not go from ${state} to ${to}`);
  const changed = await tx.write(
    `UPDATE batch_files SET state = ?, attempt = ?, look_ms = ?, ended_ms = ${change.endedMs === undefined ? 'ended_ms' : (change.endedMs ?? 'NULL')}
       ${change.startedMs === undefined ? '' : `, started_ms = ${change.startedMs}`}
     WHERE id = ? AND state = ? AND attempt = ?`,
    [to, change.attempt ?? attempt, change.lookMs, id, state, attempt],
  );
  return changed === 1;
}

/** Batches that are to be gone on with, for the sweep. */
export async function batchesDue(tx: Tx, nowMs: Instant, limit: number): Promise<Id[]> {
  const rows = await tx.rows<{ id: string }>('SELECT id FROM batch_files WHERE look_ms <= ? ORDER BY look_ms, id LIMIT ?', [
    nowMs,
    limit,
  ]);
  return rows.map((row) => asId(row.id));
}

/** Lines that are to be given in the attempt of their batch, in order. */
export async function readyLines(tx: Tx, id: Id, limit: number): Promise<StoredLine[]> {
  return tx.rows<StoredLine>(
    `SELECT line, kind, body_sealed AS body FROM batch_file_lines WHERE batch_id = ? AND state = 'ready' ORDER BY line LIMIT ?`,
    [id, limit],
  );
}

/** A line was refused as the instruction that it became, or before it became one, or not at all executed. */
const TO_RUN_AGAIN = "(l.state IN ('refused', 'not-executed') OR (l.state = 'given' AND o.state = 'refused'))";
const WITH_OUTCOME = 'batch_file_lines AS l LEFT JOIN outcomes AS o ON o.instruction_id = l.instruction_id';

/** The lines that running again would run, in order. */
export async function refusedLines(tx: Tx, id: Id, limit: number): Promise<StoredLine[]> {
  return tx.rows<StoredLine>(
    `SELECT l.line, l.kind, l.body_sealed AS body FROM ${WITH_OUTCOME} WHERE l.batch_id = ? AND ${TO_RUN_AGAIN} ORDER BY l.line LIMIT ?`,
    [id, limit],
  );
}

/** Makes them ready once more; answers how many. A refusal is final, so nothing that could still happen is among them. */
export async function readyAgain(tx: Tx, id: Id, attempt: number): Promise<number> {
  return tx.write(
    `UPDATE ${WITH_OUTCOME} SET l.state = 'ready', l.attempt = ?, l.instruction_id = NULL, l.code = NULL, l.detail = NULL
     WHERE l.batch_id = ? AND ${TO_RUN_AGAIN}`,
    [attempt, id],
  );
}

/** What became of a line when it was given. */
export interface LineResult {
  readonly line: number;
  readonly state: Exclude<LineState, 'ready'>;
  readonly instruction: Id | null;
  readonly code: string | null;
  readonly detail: Readonly<Record<string, unknown>> | null;
}

/** Writes the results of lines that are ready in this attempt; those that have one keep it. Answers how many were. */
export async function noteResults(
  tx: Tx,
  { id, attempt }: Pick<Batch, 'id' | 'attempt'>,
  results: readonly LineResult[],
): Promise<number> {
  let noted = 0;
  for (let from = 0; from < results.length; from += INSERTED_AT_ONCE) {
    const part = results.slice(from, from + INSERTED_AT_ONCE);
    const of = (value: (result: LineResult) => string) =>
      `CASE line ${part.map((result) => `WHEN ${result.line} THEN ${value(result)}`).join(' ')} END`;
    noted += await tx.write(
      `UPDATE batch_file_lines SET instruction_id = ${of(({ instruction }) => instruction ?? 'NULL')}, code = ${of(({ code }) => sql.nullableText(code))},
         detail = ${of(({ detail }) => sql.nullableText(detail === null ? null : JSON.stringify(detail)))}, state = ${of(({ state }) => `'${state}'`)}
       WHERE batch_id = ? AND attempt = ? AND state = 'ready' AND line IN (${part.map(({ line }) => line).join()})`,
      [id, attempt],
    );
  }
  return noted;
}

/** A line with what became of it. */
export interface LineView {
  readonly line: number;
  readonly kind: string;
  readonly state: LineState;
  readonly attempt: number;
  readonly instruction: Id | null;
  readonly code: string | null;
  readonly detail: Readonly<Record<string, unknown>> | null;
}

/** What lines are asked for by. */
export const LINE_FILTERS = ['posted', 'refused', 'not-executed', 'undecided'] as const;
export type LineFilter = (typeof LINE_FILTERS)[number];

const FILTERS: Readonly<Record<LineFilter, string>> = {
  posted: "o.state = 'posted'",
  refused: "(l.state = 'refused' OR o.state = 'refused')",
  'not-executed': "l.state = 'not-executed'",
  undecided: "(l.state = 'ready' OR (l.state = 'given' AND o.state IS NULL))",
};

export async function listLines(
  tx: Tx,
  { id, after, filter }: { id: Id; after: number; filter?: LineFilter | undefined },
  limit: number,
): Promise<LineView[]> {
  const rows = await tx.rows<Omit<LineView, 'instruction' | 'detail'> & { instruction_id: string | null; detail: string | null }>(
    `SELECT l.line, l.kind, l.state, l.attempt, l.instruction_id, l.code, l.detail FROM ${WITH_OUTCOME}
     WHERE l.batch_id = ? AND l.line > ? ${filter === undefined ? '' : `AND ${FILTERS[filter]}`} ORDER BY l.line LIMIT ?`,
    [id, after, limit],
  );
  return rows.map(({ line, kind, state, attempt, instruction_id, code, detail }) => ({
    line,
    kind,
    state,
    attempt,
    instruction: instruction_id === null ? null : asId(instruction_id),
    code,
    detail: detail === null ? null : (JSON.parse(detail) as Record<string, unknown>),
  }));
}

/** How many lines of a batch stand how. */
export type Counts = Readonly<Record<'ready' | 'posted' | 'refused' | 'notExecuted' | 'waiting', number>>;

export async function countLines(tx: Tx, ids: readonly Id[]): Promise<Map<Id, Counts>> {
  const counts = new Map<Id, Record<keyof Counts, number>>();
  if (ids.length === 0) return counts;
  const rows = await tx.rows<{ batch_id: string; state: LineState; outcome: 'posted' | 'refused' | null; n: string }>(
    `SELECT l.batch_id, l.state, o.state AS outcome, COUNT(*) AS n FROM ${WITH_OUTCOME} WHERE l.batch_id IN (${ids.join()})
     GROUP BY l.batch_id, l.state, o.state`,
  );
  for (const id of ids) counts.set(id, { ready: 0, posted: 0, refused: 0, notExecuted: 0, waiting: 0 });
  for (const { batch_id, state, outcome, n } of rows) {
    const of = counts.get(asId(batch_id));
    if (of !== undefined) of[state === 'given' ? (outcome ?? 'waiting') : COUNTED[state]] += Number(n);
  }
  return counts;
}

const COUNTED = { ready: 'ready', refused: 'refused', 'not-executed': 'notExecuted' } as const;
