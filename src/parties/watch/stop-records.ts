import { asId, type BusinessDate, type Id, type Instant } from '../../kernel/index.js';
import type { Tx } from '../../runtime/index.js';

/** Why a customer's business outside the counter may be stopped; what stands first is what his row says when several hold. */
export const STOP_REASONS = ['watch-list', 'court', 'rented-account', 'mobile-shared', 'other'] as const;
export type StopReason = (typeof STOP_REASONS)[number];
/** Those that staff may give and take; the watch list's own end with its tasks. */
export const STAFF_STOPS = ['court', 'rented-account', 'mobile-shared', 'other'] as const satisfies readonly StopReason[];

export interface Stop {
  readonly id: Id;
  readonly reason: StopReason;
  readonly live: boolean;
  readonly noteSealed: string;
  readonly startedMs: Instant;
  readonly startedBy: Id | null;
  readonly endedMs: Instant | null;
  readonly endedBy: Id | null;
}

interface StopRow {
  id: string;
  reason: StopReason;
  live: number | null;
  note_sealed: string;
  started_ms: string;
  started_by: string | null;
  ended_ms: string | null;
  ended_by: string | null;
}

const idOrNull = (value: string | null): Id | null => (value === null ? null : asId(value));

function stopOf(row: StopRow): Stop {
  return {
    id: asId(row.id),
    reason: row.reason,
    live: row.live !== null,
    noteSealed: row.note_sealed,
    startedMs: Number(row.started_ms) as Instant,
    startedBy: idOrNull(row.started_by),
    endedMs: row.ended_ms === null ? null : (Number(row.ended_ms) as Instant),
    endedBy: idOrNull(row.ended_by),
  };
}

/** All of them, also those that ended, in their order. */
export async function stopsOf(tx: Tx, customerId: Id): Promise<Stop[]> {
  const rows = await tx.rows<StopRow>(
    `SELECT id, reason, live, note_sealed, started_ms, started_by, ended_ms, ended_by FROM customer_stops
     WHERE customer_id = ? ORDER BY id`,
    [customerId],
  );
  return rows.map(stopOf);
}

export interface StopChange {
  readonly customerId: Id;
  readonly reason: StopReason;
  readonly noteSealed: string;
  /** Null: the system. */
  readonly by: Id | null;
  readonly nowMs: Instant;
}

/** @throws a duplicate-key error when he is stopped for this reason already */
export async function insertStop(tx: Tx, id: Id, { customerId, reason, noteSealed, by, nowMs }: StopChange): Promise<void> {
  await tx.write(
    `INSERT INTO customer_stops (id, customer_id, reason, live, note_sealed, started_ms, started_by, end_note_sealed, ended_ms, ended_by)
     VALUES (?, ?, ?, 1, ?, ?, ?, NULL, NULL, NULL)`,
    [id, customerId, reason, noteSealed, nowMs, by],
  );
}

/** Answers whether he was stopped for this reason. */
export async function endStop(tx: Tx, { customerId, reason, noteSealed, by, nowMs }: StopChange): Promise<boolean> {
  const changed = await tx.write(
    `UPDATE customer_stops SET live = NULL, end_note_sealed = ?, ended_ms = ?, ended_by = ?
     WHERE customer_id = ? AND reason = ? AND live = 1`,
    [noteSealed, nowMs, by, customerId, reason],
  );
  return changed === 1;
}

/** What the engine reads of it. Call it only with the customer locked. */
export async function setStopped(tx: Tx, customerId: Id, reason: StopReason | null, sinceMs: Instant | null): Promise<void> {
  await tx.write('UPDATE customers SET stopped = ?, stopped_ms = ? WHERE id = ?', [reason, sinceMs, customerId]);
}

/** A copy of his identity document is on file: it is not asked for any more. Call it only with the customer locked. */
export async function setDocumented(tx: Tx, customerId: Id): Promise<void> {
  await tx.write('UPDATE customers SET documented = 1, id_task_due_ms = NULL WHERE id = ?', [customerId]);
}

/** His document is valid until another day, null: for long. Call it only with the customer locked. */
export async function setIdExpires(tx: Tx, customerId: Id, expires: BusinessDate | null): Promise<void> {
  await tx.write('UPDATE customers SET id_expires = ? WHERE id = ?', [expires, customerId]);
}
