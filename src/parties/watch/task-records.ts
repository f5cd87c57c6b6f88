import { asId, type Id, type Instant } from '../../kernel/index.js';
import { isDuplicateKey, type Tx } from '../../runtime/index.js';

export const TASK_KINDS = ['watch-list', 'id-document', 'mobile-exception', 'mobile-change'] as const;
export type TaskKind = (typeof TASK_KINDS)[number];
/** confirmed, dismissed, approved, refused: by staff. done: what it asked for came. */
export const TASK_STATES = ['open', 'confirmed', 'dismissed', 'approved', 'refused', 'done'] as const;
export type TaskState = (typeof TASK_STATES)[number];

/** Something that a member of the bank's staff has to look at (待办). */
export interface Task {
  readonly id: Id;
  readonly kind: TaskKind;
  /** The same thing makes one task. */
  readonly subjectKey: Buffer;
  readonly customerId: Id | null;
  readonly state: TaskState;
  /** JSON, sealed: it names people. */
  readonly detailSealed: string;
  readonly dueMs: Instant | null;
  readonly askedBy: Id | null;
  readonly decidedBy: Id | null;
  readonly reasonSealed: string | null;
  readonly createdMs: Instant;
  readonly decidedMs: Instant | null;
}

interface TaskRow {
  id: string;
  kind: TaskKind;
  subject_key: Buffer;
  customer_id: string | null;
  state: TaskState;
  detail_sealed: string;
  due_ms: string | null;
  asked_by: string | null;
  decided_by: string | null;
  reason_sealed: string | null;
  created_ms: string;
  decided_ms: string | null;
}

const idOrNull = (value: string | null): Id | null => (value === null ? null : asId(value));
const instantOrNull = (value: string | null): Instant | null => (value === null ? null : (Number(value) as Instant));

function taskOf(row: TaskRow): Task {
  return {
    id: asId(row.id),
    kind: row.kind,
    subjectKey: row.subject_key,
    customerId: idOrNull(row.customer_id),
    state: row.state,
    detailSealed: row.detail_sealed,
    dueMs: instantOrNull(row.due_ms),
    askedBy: idOrNull(row.asked_by),
    decidedBy: idOrNull(row.decided_by),
    reasonSealed: row.reason_sealed,
    createdMs: Number(row.created_ms) as Instant,
    decidedMs: instantOrNull(row.decided_ms),
  };
}

/** @returns false when there is a task of this kind about the same thing already */
export async function insertTask(
  tx: Tx,
  task: Pick<Task, 'id' | 'kind' | 'subjectKey' | 'customerId' | 'detailSealed' | 'dueMs' | 'askedBy' | 'createdMs'>,
): Promise<boolean> {
  try {
    await tx.write(
      `INSERT INTO tasks (id, kind, subject_key, customer_id, state, detail_sealed, due_ms, asked_by, decided_by, reason_sealed, created_ms,
         decided_ms) VALUES (?, ?, ?, ?, 'open', ?, ?, ?, NULL, NULL, ?, NULL)`,
      [task.id, task.kind, task.subjectKey, task.customerId, task.detailSealed, task.dueMs, task.askedBy, task.createdMs],
    );
    return true;
  } catch (error) {
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}

export async function findTask(tx: Tx, id: Id): Promise<Task | undefined> {
  const [row] = await tx.rows<TaskRow>('SELECT * FROM tasks WHERE id = ?', [id]);
  return row && taskOf(row);
}

export async function findTaskAbout(tx: Tx, kind: TaskKind, subjectKey: Buffer): Promise<Task | undefined> {
  const [row] = await tx.rows<TaskRow>('SELECT * FROM tasks WHERE kind = ? AND subject_key = ?', [kind, subjectKey]);
  return row && taskOf(row);
}

export async function tasksOfCustomer(tx: Tx, customerId: Id, kind?: TaskKind): Promise<Task[]> {
  const rows = await tx.rows<TaskRow>('SELECT * FROM tasks WHERE customer_id = ? ORDER BY id', [customerId]);
  return rows.map(taskOf).filter((task) => kind === undefined || task.kind === kind);
}

/** In the order they were raised, after `after`. */
export async function listTasks(
  tx: Tx,
  { state, after, limit }: { readonly state: TaskState; readonly after: string; readonly limit: number },
): Promise<Task[]> {
  const rows = await tx.rows<TaskRow>('SELECT * FROM tasks WHERE state = ? AND id > ? ORDER BY id LIMIT ?', [
    state,
    after,
    limit,
  ]);
  return rows.map(taskOf);
}

/** Ends an open task; answers whether it was open. The written guard of every decision. */
export async function endTask(
  tx: Tx,
  id: Id,
  to: Exclude<TaskState, 'open'>,
  by: { readonly operatorId: Id | null; readonly reasonSealed: string | null; readonly nowMs: Instant },
): Promise<boolean> {
  const changed = await tx.write(
    "UPDATE tasks SET state = ?, decided_by = ?, reason_sealed = ?, decided_ms = ? WHERE id = ? AND state = 'open'",
    [to, by.operatorId, by.reasonSealed, by.nowMs, id],
  );
  return changed === 1;
}

/** Customers who owe a copy of their ID by an instant for which no task stands open yet. */
export async function idTasksMissing(tx: Tx, limit: number): Promise<{ customerId: Id; dueMs: Instant }[]> {
  const rows = await tx.rows<{ id: string; due: string }>(
    `SELECT c.id, c.id_task_due_ms AS due FROM customers AS c
     LEFT JOIN tasks AS t ON t.customer_id = c.id AND t.kind = 'id-document' AND t.due_ms = c.id_task_due_ms
     WHERE c.id_task_due_ms > 0 AND t.id IS NULL LIMIT ?`,
    [limit],
  );
  return rows.map((row) => ({ customerId: asId(row.id), dueMs: Number(row.due) as Instant }));
}
