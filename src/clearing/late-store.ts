import { asId, type BusinessDate, type Id, type Instant } from '../kernel/index.js';
import { sql, type Tx } from '../runtime/index.js';

export const LATE_STATES = ['proposed', 'approved', 'declined'] as const;
export type LateState = (typeof LATE_STATES)[number];

/** An instruction that counts for a day that is over: what one of the staff wants, and what another decided. */
export interface LateCorrection {
  readonly id: Id;
  readonly platformId: Id;
  /** The day that it counts for (起息日). */
  readonly valueDate: BusinessDate;
  readonly requestNo: string;
  readonly kind: string;
  /** The canonical JSON of its data, and why; sealed. */
  readonly bodySealed: string;
  readonly reasonSealed: string;
  readonly state: LateState;
  readonly instructionId: Id | null;
  readonly proposedBy: Id;
  readonly proposedMs: Instant;
  readonly decidedBy: Id | null;
  readonly decidedMs: Instant | null;
}

interface LateRow {
  id: string;
  platform_id: string;
  value_date: BusinessDate;
  request_no: string;
  kind: string;
  body_sealed: string;
  reason_sealed: string;
  state: LateState;
  instruction_id: string | null;
  proposed_by: string;
  proposed_ms: string;
  decided_by: string | null;
  decided_ms: string | null;
}

function lateOf(row: LateRow): LateCorrection {
  return {
    id: asId(row.id),
    platformId: asId(row.platform_id),
    valueDate: row.value_date,
    requestNo: row.request_no,
    kind: row.kind,
    bodySealed: row.body_sealed,
    reasonSealed: row.reason_sealed,
    state: row.state,
    instructionId: row.instruction_id === null ? null : asId(row.instruction_id),
    proposedBy: asId(row.proposed_by),
    proposedMs: Number(row.proposed_ms) as Instant,
    decidedBy: row.decided_by === null ? null : asId(row.decided_by),
    decidedMs: row.decided_ms === null ? null : (Number(row.decided_ms) as Instant),
  };
}

/** @throws a duplicate-key error when the platform has one of this number */
export async function insertLate(tx: Tx, late: LateCorrection): Promise<void> {
  await tx.write(
    `INSERT INTO late_corrections (id, platform_id, value_date, request_no, kind, body_sealed, reason_sealed, state, proposed_by, proposed_ms)
     VALUES (${late.id},${late.platformId},'${late.valueDate}',${sql.text(late.requestNo)},'${late.kind}',${sql.text(late.bodySealed)},
       ${sql.text(late.reasonSealed)},'${late.state}',${late.proposedBy},${late.proposedMs})`,
  );
}

/** Writes what was decided, once; false where it was decided before. */
export async function decideLate(
  tx: Tx,
  id: Id,
  to: { state: 'approved' | 'declined'; instructionId: Id | null; by: Id; nowMs: Instant },
): Promise<boolean> {
  const changed = await tx.write(
    "UPDATE late_corrections SET state = ?, instruction_id = ?, decided_by = ?, decided_ms = ? WHERE id = ? AND state = 'proposed'",
    [to.state, to.instructionId, to.by, to.nowMs, id],
  );
  return changed === 1;
}

export async function findLate(tx: Tx, id: Id): Promise<LateCorrection | undefined> {
  const [row] = await tx.rows<LateRow>('SELECT * FROM late_corrections WHERE id = ?', [id]);
  return row && lateOf(row);
}

export async function lateByNumber(tx: Tx, platformId: Id, requestNo: string): Promise<LateCorrection | undefined> {
  const [row] = await tx.rows<LateRow>('SELECT * FROM late_corrections WHERE platform_id = ? AND request_no = ?', [
    platformId,
    requestNo,
  ]);
  return row && lateOf(row);
}

/** Those of a day, in the order in which they were proposed. */
export async function lateOfDay(
  tx: Tx,
  { platformId, valueDate, after }: { platformId: Id; valueDate: BusinessDate; after: Id | undefined },
  limit: number,
): Promise<LateCorrection[]> {
  const rows = await tx.rows<LateRow>(
    'SELECT * FROM late_corrections WHERE platform_id = ? AND value_date = ? AND id > ? ORDER BY id LIMIT ?',
    [platformId, valueDate, after ?? '0', limit],
  );
  return rows.map(lateOf);
}
