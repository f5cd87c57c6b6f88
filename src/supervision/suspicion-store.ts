import { asId, type BusinessDate, type Id, type Instant } from '../kernel/index.js';
import type { Tx } from '../runtime/index.js';
import type { Subject } from './rules.js';
import type { SuspicionState } from './states.js';
import type { Figures } from './suspicion-rules.js';

/** Something about a customer that somebody has to look at. */
export interface SuspicionCase {
  readonly id: Id;
  readonly rule: string;
  readonly subject: Subject;
  readonly date: BusinessDate;
  readonly figures: Figures;
  readonly state: SuspicionState;
  /** What one person wants it to become. */
  readonly proposed: SuspicionState | null;
  readonly proposedBy: Id | null;
  readonly proposedNoteSealed: string | null;
  readonly decidedBy: Id | null;
  readonly decidedNoteSealed: string | null;
  /** From when on it is an alarm that it was not reported, and by when it must be; there once it is confirmed. */
  readonly alarmOn: BusinessDate | null;
  readonly dueOn: BusinessDate | null;
  readonly receiptNo: string | null;
  readonly raisedMs: Instant;
}

interface CaseRow {
  id: string;
  rule: string;
  subject: Buffer;
  on_date: BusinessDate;
  figures: string;
  state: SuspicionState;
  proposed: SuspicionState | null;
  proposed_by: string | null;
  proposed_note_sealed: string | null;
  decided_by: string | null;
  decided_note_sealed: string | null;
  alarm_on: BusinessDate | null;
  due_on: BusinessDate | null;
  receipt_no: string | null;
  raised_ms: string;
}

function caseOf(row: CaseRow): SuspicionCase {
  const idOrNull = (value: string | null) => (value === null ? null : asId(value));
  return {
    id: asId(row.id),
    rule: row.rule,
    subject: row.subject.toString('hex'),
    date: row.on_date,
    figures: JSON.parse(row.figures) as Figures,
    state: row.state,
    proposed: row.proposed,
    proposedBy: idOrNull(row.proposed_by),
    proposedNoteSealed: row.proposed_note_sealed,
    decidedBy: idOrNull(row.decided_by),
    decidedNoteSealed: row.decided_note_sealed,
    alarmOn: row.alarm_on,
    dueOn: row.due_on,
    receiptNo: row.receipt_no,
    raisedMs: Number(row.raised_ms) as Instant,
  };
}

/** One case of a rule and a customer at a time: not while one of the days before, since `notSince`, is still worked on. */
export async function raiseCase(
  tx: Tx,
  id: Id,
  of: { rule: string; figures: Figures },
  at: { date: BusinessDate; subject: Subject; nowMs: Instant; notSince: BusinessDate },
): Promise<void> {
  const [open] = await tx.rows(
    `SELECT id FROM suspicion_cases WHERE rule = ? AND subject = x'${at.subject}' AND on_date BETWEEN ? AND ?
       AND (on_date = ? OR state IN ('raised', 'under-review')) LIMIT 1`,
    [of.rule, at.notSince, at.date, at.date],
  );
  if (open !== undefined) return;
  await tx.write(
    `INSERT INTO suspicion_cases (id, rule, subject, on_date, figures, state, raised_ms) VALUES (?, ?, x'${at.subject}', ?, ?, 'raised', ?)
     ON DUPLICATE KEY UPDATE id = suspicion_cases.id`,
    [id, of.rule, at.date, JSON.stringify(of.figures), at.nowMs],
  );
}

export async function findCase(tx: Tx, id: Id): Promise<SuspicionCase | undefined> {
  const [row] = await tx.rows<CaseRow>('SELECT * FROM suspicion_cases WHERE id = ?', [id]);
  return row && caseOf(row);
}

export interface CaseFilter {
  readonly state?: SuspicionState | undefined;
  readonly after?: Id | undefined;
}

/** In the order they were raised. */
export async function listCases(tx: Tx, { state, after = asId('0') }: CaseFilter, limit: number): Promise<SuspicionCase[]> {
  const rows = await (state === undefined
    ? tx.rows<CaseRow>('SELECT * FROM suspicion_cases WHERE id > ? ORDER BY id LIMIT ?', [after, limit])
    : tx.rows<CaseRow>('SELECT * FROM suspicion_cases WHERE id > ? AND state = ? ORDER BY id LIMIT ?', [after, state, limit]));
  return rows.map(caseOf);
}

/** Moves a case on by one person. False: it was in another state meanwhile. */
export async function moveCase(
  tx: Tx,
  id: Id,
  from: SuspicionState,
  to: { state: SuspicionState; receiptNo?: string },
): Promise<boolean> {
  const changed = await tx.write(
    'UPDATE suspicion_cases SET state = ?, receipt_no = COALESCE(?, receipt_no) WHERE id = ? AND state = ?',
    [to.state, to.receiptNo ?? null, id, from],
  );
  return changed === 1;
}

export async function proposeEnd(
  tx: Tx,
  id: Id,
  of: { to: SuspicionState; by: Id; noteSealed: string; nowMs: Instant },
): Promise<boolean> {
  const changed = await tx.write(
    `UPDATE suspicion_cases SET proposed = ?, proposed_by = ?, proposed_note_sealed = ?, proposed_ms = ?
     WHERE id = ? AND state = 'under-review'`,
    [of.to, of.by, of.noteSealed, of.nowMs, id],
  );
  return changed === 1;
}

/** The second person agrees to what was proposed; nothing else is written than what stood there when it was read. */
export async function endReview(
  tx: Tx,
  of: SuspicionCase,
  by: { operator: Id; noteSealed: string; nowMs: Instant },
  dates: { alarmOn: BusinessDate | null; dueOn: BusinessDate | null },
): Promise<boolean> {
  const changed = await tx.write(
    `UPDATE suspicion_cases SET state = proposed, decided_by = ?, decided_note_sealed = ?, decided_ms = ?, alarm_on = ?, due_on = ?
     WHERE id = ? AND state = 'under-review' AND proposed = ? AND proposed_by = ?`,
    [by.operator, by.noteSealed, by.nowMs, dates.alarmOn, dates.dueOn, of.id, of.proposed, of.proposedBy],
  );
  return changed === 1;
}

/** Confirmed, not reported, and the day of the alarm has come. */
export async function countAlarming(tx: Tx, today: BusinessDate): Promise<number> {
  const [row] = await tx.rows<{ late: string }>(
    "SELECT COUNT(*) AS late FROM suspicion_cases WHERE state = 'confirmed' AND alarm_on <= ?",
    [today],
  );
  return Number(row?.late ?? 0);
}
