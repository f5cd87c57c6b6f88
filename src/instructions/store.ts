import { asId, type BusinessDate, type Id, type Instant, invariant, type Minor } from '../kernel/index.js';
import type { ShardTurn } from '../ledger/index.js';
import { sql, type Tx } from '../runtime/index.js';
import type { Origin, Topic } from './kind.js';
import type { Outcome } from './outcome.js';

/**
 * An instruction as it was received. `body` is the canonical JSON of its data, in which what is personal is sealed; `bodyHash` covers kind
 * and body as they were given.
 */
export interface Received {
  readonly id: Id;
  readonly platformId: Id;
  readonly origin: Origin;
  readonly requestNo: string;
  readonly kind: string;
  readonly body: string;
  readonly bodyHash: Buffer;
  /** Who gave it: a key id, an operator, or the part of the system. */
  readonly actor: string;
  readonly receivedMs: Instant;
  /** Whose day it counts for (起息日), where that is not the date on which it is posted. */
  readonly valueDate?: BusinessDate | null | undefined;
}

interface ReceivedRow {
  id: string;
  platform_id: string;
  origin: Origin;
  request_no: string;
  kind: string;
  body: string;
  body_hash: Buffer;
  actor: string;
  received_ms: string;
}

/** Puts instructions on the books, and those of them into `inbox` that can be decided. @throws ER_DUP_ENTRY when a request number is there already */
export async function insertReceived(tx: Tx, received: readonly Received[], inbox: readonly InboxEntry[]): Promise<void> {
  const rows = received.map(
    (r) =>
      `${r.id},${r.platformId},'${r.origin}',${sql.text(r.requestNo)},'${r.kind}',${sql.text(r.body)},${sql.hex(r.bodyHash)},` +
      `${sql.text(r.actor)},${r.receivedMs},${r.valueDate ? `'${r.valueDate}'` : 'NULL'}`,
  );
  await tx.write(
    `INSERT INTO instructions (id, platform_id, origin, request_no, kind, body, body_hash, actor, received_ms, value_date)
     VALUES ${sql.tuples(rows)}`,
  );
  await insertInbox(tx, inbox);
}

/** What a shard has to decide. */
export interface InboxEntry {
  readonly shardId: number;
  readonly instruction: Id;
}

export async function insertInbox(tx: Tx, entries: readonly InboxEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const rows = entries.map(({ shardId, instruction }) => `${shardId},${instruction}`);
  await tx.write(`INSERT INTO inbox (shard_id, instruction_id) VALUES ${sql.tuples(rows)}`);
}

export async function shardOfInstruction(tx: Tx, id: Id): Promise<number> {
  const [row] = await tx.rows<{ shard_id: number }>(
    'SELECT b.shard_id FROM instructions AS i JOIN books AS b ON b.platform_id = i.platform_id WHERE i.id = ?',
    [id],
  );
  invariant(row, `instruction ${id} is on the books`);
  return row.shard_id;
}

export interface RequestName {
  readonly platformId: Id;
  readonly origin: Origin;
  readonly requestNo: string;
}

export function requestKey({ platformId, origin, requestNo }: RequestName): string {
  return `${platformId}${origin}${requestNo}`;
}

/** Which of these request numbers were used before, and for what. */
export async function findRequests(tx: Tx, names: readonly RequestName[]): Promise<Map<string, { id: Id; bodyHash: Buffer }>> {
  if (names.length === 0) return new Map();
  const tuples = names.map((name) => `${name.platformId},'${name.origin}',${sql.text(name.requestNo)}`);
  const rows = await tx.rows<ReceivedRow>(
    `SELECT id, platform_id, origin, request_no, body_hash FROM instructions WHERE (platform_id, origin, request_no) IN (${sql.tuples(tuples)})`,
  );
  return new Map(
    rows.map((row) => [
      requestKey({ platformId: asId(row.platform_id), origin: row.origin, requestNo: row.request_no }),
      { id: asId(row.id), bodyHash: row.body_hash },
    ]),
  );
}

/** What the engine has to know of an instruction to decide it. */
export type Undecided = Pick<Received, 'id' | 'platformId' | 'origin' | 'kind' | 'body'>;

/** The oldest undecided instructions of a shard. */
export async function takeReceived(tx: Tx, shardId: number, limit: number): Promise<Undecided[]> {
  const rows = await tx.rows<{ id: string; platform_id: string; origin: Origin; kind: string; body: string }>(
    `SELECT i.id, i.platform_id, i.origin, i.kind, i.body
     FROM (SELECT instruction_id FROM inbox WHERE shard_id = ? ORDER BY instruction_id LIMIT ?) AS q
     STRAIGHT_JOIN instructions AS i ON i.id = q.instruction_id ORDER BY i.id`,
    [shardId, limit],
  );
  return rows.map((row) => ({
    id: asId(row.id),
    platformId: asId(row.platform_id),
    origin: row.origin,
    kind: row.kind,
    body: row.body,
  }));
}

/**
 * Takes out of the inbox what has an outcome now: one range instead of a list of thousands of ids. What became visible in that
 * range since the batch was read has no outcome and stays.
 */
export function deletingFromInbox(shardId: number, decided: readonly Id[]): string {
  return `DELETE q FROM inbox AS q JOIN outcomes AS o ON o.instruction_id = q.instruction_id
    WHERE q.shard_id = ${shardId} AND q.instruction_id BETWEEN ${decided[0]} AND ${decided.at(-1)}`;
}

/** Takes out of the inbox what waits elsewhere now and has no outcome. */
export function deletingParked(shardId: number, parked: readonly Id[]): string | undefined {
  if (parked.length === 0) return undefined;
  return `DELETE FROM inbox WHERE shard_id = ${shardId} AND instruction_id IN (${parked.join()})`;
}

/** Shards with undecided instructions, and how many, for the sweep and the gauge. */
export async function inboxDepths(tx: Tx): Promise<Map<number, number>> {
  const rows = await tx.rows<{ shard_id: number; depth: string }>(
    'SELECT shard_id, COUNT(*) AS depth FROM inbox GROUP BY shard_id',
  );
  return new Map(rows.map((row) => [row.shard_id, Number(row.depth)]));
}

export function insertingOutcomes(turn: ShardTurn, outcomes: readonly Outcome[]): string {
  const rows = outcomes.map(
    (o) =>
      `${o.instruction},${turn.shardId},${turn.batchNo},'${o.state}',${sql.nullableText(o.code)},` +
      `${o.detail === null ? 'NULL' : sql.text(JSON.stringify(o.detail))},'${o.businessDate}',${o.decidedMs},${o.platformId}`,
  );
  return `INSERT INTO outcomes (instruction_id, shard_id, batch_no, state, code, detail, business_date, decided_ms, platform_id) VALUES ${sql.tuples(rows)}`;
}

const OUTBOX_STRIDE = 1_000_000n; // more events than any one batch makes

/**
 * Appends events in the shard's own order: `seq` is the batch number times a million plus the place in the batch.
 * @param from how many the batch has already
 */
export function insertingOutbox(turn: ShardTurn, events: readonly { topic: Topic; platformId: Id; ref: Id }[], from = 0): string {
  const first = turn.batchNo * OUTBOX_STRIDE;
  const rows = events.map(
    (event, place) => `${turn.shardId},${first + BigInt(from + place)},'${event.topic}',${event.platformId},${event.ref}`,
  );
  return `INSERT INTO outbox (shard_id, seq, topic, platform_id, ref_id) VALUES ${sql.tuples(rows)}`;
}

export function insertingBoundary(
  lines: readonly { instruction: Id; platformId: Id; businessDate: string; line: { reference: string; amount: Minor } }[],
): string | undefined {
  if (lines.length === 0) return undefined;
  const rows = lines.map(
    ({ instruction, platformId, businessDate, line }) =>
      `${platformId},'${businessDate}',${instruction},${sql.text(line.reference)},${line.amount}`,
  );
  return `INSERT INTO boundary (platform_id, business_date, instruction_id, reference, amount) VALUES ${sql.tuples(rows)}`;
}

/** An instruction with what became of it. */
export interface InstructionView extends Omit<Received, 'bodyHash'> {
  readonly outcome: Outcome | null;
}

interface ViewRow extends Omit<ReceivedRow, 'body_hash'> {
  value_date: BusinessDate | null;
  state: 'posted' | 'refused' | null;
  code: string | null;
  detail: string | null;
  business_date: string | null;
  decided_ms: string | null;
}

const VIEW = `SELECT i.id, i.platform_id, i.origin, i.request_no, i.kind, i.body, i.actor, i.received_ms, i.value_date,
    o.state, o.code, o.detail, o.business_date, o.decided_ms
  FROM instructions AS i LEFT JOIN outcomes AS o ON o.instruction_id = i.id`;

function viewOf(row: ViewRow): InstructionView {
  const id = asId(row.id);
  const platformId = asId(row.platform_id);
  return {
    id,
    platformId,
    origin: row.origin,
    requestNo: row.request_no,
    kind: row.kind,
    body: row.body,
    actor: row.actor,
    receivedMs: Number(row.received_ms) as Instant,
    valueDate: row.value_date,
    outcome:
      row.state === null
        ? null
        : {
            instruction: id,
            platformId,
            kind: row.kind,
            state: row.state,
            code: row.code,
            detail: row.detail === null ? null : (JSON.parse(row.detail) as Record<string, unknown>),
            businessDate: row.business_date as string,
            decidedMs: Number(row.decided_ms) as Instant,
          },
  };
}

export async function findInstructions(tx: Tx, ids: readonly Id[]): Promise<Map<Id, InstructionView>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.rows<ViewRow>(`${VIEW} WHERE i.id IN (${ids.join()})`);
  return new Map(rows.map((row) => [asId(row.id), viewOf(row)]));
}

export interface InstructionFilter {
  readonly platformId: Id;
  /** Whose request numbers are meant; anybody's when absent. */
  readonly origin?: Origin | undefined;
  readonly requestNo?: string | undefined;
  readonly kind?: string | undefined;
  readonly after?: Id | undefined;
}

/** A platform's instructions in the order they came, those of the system and the bank with them. */
export async function listInstructions(tx: Tx, filter: InstructionFilter, limit: number): Promise<InstructionView[]> {
  const conditions = ['i.platform_id = ?', 'i.id > ?'];
  const values: unknown[] = [filter.platformId, filter.after ?? '0'];
  if (filter.requestNo !== undefined) {
    // All three are named, so that the unique key of the request numbers is used.
    conditions.push(`i.origin IN (${filter.origin === undefined ? "'P','S','O'" : `'${filter.origin}'`}) AND i.request_no = ?`);
    values.push(filter.requestNo);
  }
  if (filter.kind !== undefined) {
    conditions.push('i.kind = ?');
    values.push(filter.kind);
  }
  const rows = await tx.rows<ViewRow>(`${VIEW} WHERE ${conditions.join(' AND ')} ORDER BY i.id LIMIT ?`, [...values, limit]);
  return rows.map(viewOf);
}

/** One line of a batch: received as an instruction, or refused with a code and not received. */
export interface BatchLine {
  readonly requestNo: string;
  readonly instruction: Id | null;
  readonly code: string | null;
}

export async function insertBatch(
  tx: Tx,
  batch: { id: Id; platformId: Id; receivedMs: Instant; lines: readonly BatchLine[] },
): Promise<void> {
  await tx.write('INSERT INTO batches (id, platform_id, line_count, received_ms) VALUES (?, ?, ?, ?)', [
    batch.id,
    batch.platformId,
    batch.lines.length,
    batch.receivedMs,
  ]);
  const rows = batch.lines.map(
    (line, place) =>
      `${batch.id},${place + 1},${sql.text(line.requestNo)},${line.instruction ?? 'NULL'},${sql.nullableText(line.code)}`,
  );
  await tx.write(`INSERT INTO batch_lines (batch_id, line, request_no, instruction_id, code) VALUES ${sql.tuples(rows)}`);
}

/** The lines of a batch in their order; undefined when the platform has no such batch. */
export async function findBatch(tx: Tx, platformId: Id, id: Id): Promise<BatchLine[] | undefined> {
  const batch = await tx.rows('SELECT 1 FROM batches WHERE id = ? AND platform_id = ?', [id, platformId]);
  if (batch.length === 0) return undefined;
  const rows = await tx.rows<{ request_no: string; instruction_id: string | null; code: string | null }>(
    'SELECT request_no, instruction_id, code FROM batch_lines WHERE batch_id = ? ORDER BY line',
    [id],
  );
  return rows.map((row) => ({
    requestNo: row.request_no,
    instruction: row.instruction_id === null ? null : asId(row.instruction_id),
    code: row.code,
  }));
}
