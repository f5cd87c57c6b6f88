import { asId, type Id, type Instant } from '../kernel/index.js';
import type { Tx } from '../runtime/index.js';
import type { RepairAction, RepairState } from './repair-rules.js';

/** What one member of staff proposes to do about a break, and what another decided. */
export interface Repair {
  readonly id: Id;
  readonly breakId: Id;
  readonly action: RepairAction;
  /** JSON of what it takes besides the break, sealed. */
  readonly argumentsSealed: string;
  /** Sealed, for people write names. */
  readonly noteSealed: string;
  readonly state: RepairState;
  readonly instructionId: Id | null;
  readonly proposedBy: Id;
  readonly proposedMs: Instant;
  readonly decidedBy: Id | null;
  readonly decidedMs: Instant | null;
  readonly decidedNoteSealed: string | null;
}

interface RepairRow {
  id: string;
  break_id: string;
  action: RepairAction;
  arguments_sealed: string;
  note: string;
  state: RepairState;
  instruction_id: string | null;
  proposed_by: string;
  proposed_ms: string;
  decided_by: string | null;
  decided_ms: string | null;
  decided_note: string | null;
}

function repairOf(row: RepairRow): Repair {
  return {
    id: asId(row.id),
    breakId: asId(row.break_id),
    action: row.action,
    argumentsSealed: row.arguments_sealed,
    noteSealed: row.note,
    state: row.state,
    instructionId: row.instruction_id === null ? null : asId(row.instruction_id),
    proposedBy: asId(row.proposed_by),
    proposedMs: Number(row.proposed_ms) as Instant,
    decidedBy: row.decided_by === null ? null : asId(row.decided_by),
    decidedMs: row.decided_ms === null ? null : (Number(row.decided_ms) as Instant),
    decidedNoteSealed: row.decided_note,
  };
}

/** Whether such a member of staff is there and works here still. */
export async function isOnStaff(tx: Tx, operator: Id): Promise<boolean> {
  return (await tx.rows("SELECT id FROM operators WHERE id = ? AND state = 'active'", [operator])).length > 0;
}

/** Makes somebody the owner of an open break. Answers false when it is closed. */
export async function ownBreak(tx: Tx, id: Id, owner: Id, nowMs: Instant): Promise<boolean> {
  const changed = await tx.write("UPDATE breaks SET owner_id = ?, owned_ms = ? WHERE id = ? AND state = 'open'", [
    owner,
    nowMs,
    id,
  ]);
  return changed === 1;
}

/** @throws a duplicate-key error when one is proposed for this break and not decided */
export async function insertRepair(
  tx: Tx,
  of: Omit<Repair, 'state' | 'instructionId' | 'decidedBy' | 'decidedMs' | 'decidedNoteSealed'>,
): Promise<void> {
  await tx.write(
    `INSERT INTO break_repairs (id, break_id, action, arguments_sealed, note, state, live, proposed_by, proposed_ms)
     VALUES (?, ?, ?, ?, ?, 'proposed', 1, ?, ?)`,
    [of.id, of.breakId, of.action, of.argumentsSealed, of.noteSealed, of.proposedBy, of.proposedMs],
  );
}

export async function findRepair(tx: Tx, id: Id): Promise<Repair | undefined> {
  const [row] = await tx.rows<RepairRow>('SELECT * FROM break_repairs WHERE id = ?', [id]);
  return row && repairOf(row);
}

export async function repairsOf(tx: Tx, breakId: Id): Promise<Repair[]> {
  return (await tx.rows<RepairRow>('SELECT * FROM break_repairs WHERE break_id = ? ORDER BY id', [breakId])).map(repairOf);
}

/** Answers false when it was decided before: of two who decide at once the second waits here, and then finds that. */
export async function decideRepair(
  tx: Tx,
  id: Id,
  to: { readonly state: RepairState; readonly by: Id; readonly nowMs: Instant; readonly noteSealed: string | null },
): Promise<boolean> {
  const changed = await tx.write(
    `UPDATE break_repairs SET state = ?, live = NULL, decided_by = ?, decided_ms = ?, decided_note = ?
     WHERE id = ? AND state = 'proposed'`,
    [to.state, to.by, to.nowMs, to.noteSealed, id],
  );
  return changed === 1;
}

export async function noteRepairInstruction(tx: Tx, id: Id, instruction: Id): Promise<void> {
  await tx.write('UPDATE break_repairs SET instruction_id = ? WHERE id = ?', [instruction, id]);
}
