import { asId, type BusinessDate, type Id, type Instant, type Minor } from '../kernel/index.js';
import { sql, type Tx } from '../runtime/index.js';
import type { CandidateKey, FlowLine } from './flows-store.js';
import type { LargeValue, Side, Subject, SubjectKind } from './rules.js';
import type { LargeValueState } from './states.js';

/** One side of a customer's natural day at or above the threshold. */
export interface LargeValueReport {
  readonly id: Id;
  readonly date: BusinessDate;
  readonly subject: Subject;
  readonly side: Side;
  readonly class: SubjectKind;
  /** Minor units. */
  readonly amount: Minor;
  readonly lines: number;
  readonly threshold: Minor;
  readonly dueOn: BusinessDate;
  readonly state: LargeValueState;
  /** Who wants it exempted, and why: sealed, for people write names. */
  readonly proposedBy: Id | null;
  readonly proposedNoteSealed: string | null;
  /** Who exempted or reported it. */
  readonly decidedBy: Id | null;
  readonly decidedMs: Instant | null;
  /** What the monitoring centre answered. */
  readonly receiptNo: string | null;
}

interface ReportRow {
  id: string;
  on_date: BusinessDate;
  subject: Buffer;
  side: Side;
  class: SubjectKind;
  amount: string;
  line_count: number;
  threshold: string;
  due_on: BusinessDate;
  state: LargeValueState;
  proposed_by: string | null;
  proposed_note_sealed: string | null;
  decided_by: string | null;
  decided_ms: string | null;
  receipt_no: string | null;
}

function reportOf(row: ReportRow): LargeValueReport {
  const idOrNull = (value: string | null) => (value === null ? null : asId(value));
  return {
    id: asId(row.id),
    date: row.on_date,
    subject: row.subject.toString('hex'),
    side: row.side,
    class: row.class,
    amount: BigInt(row.amount),
    lines: row.line_count,
    threshold: BigInt(row.threshold),
    dueOn: row.due_on,
    state: row.state,
    proposedBy: idOrNull(row.proposed_by),
    proposedNoteSealed: row.proposed_note_sealed,
    decidedBy: idOrNull(row.decided_by),
    decidedMs: row.decided_ms === null ? null : (Number(row.decided_ms) as Instant),
    receiptNo: row.receipt_no,
  };
}

/** A candidate; one that is there already stays as it is, whatever became of it. */
export async function insertReport(
  tx: Tx,
  id: Id,
  of: LargeValue,
  at: { date: BusinessDate; subject: Subject; nowMs: Instant },
): Promise<void> {
  await tx.write(
    `INSERT INTO large_value_reports (id, on_date, subject, side, class, amount, line_count, threshold, due_on, state, created_ms)
     VALUES (?, ?, x'${at.subject}', ?, ?, ?, ?, ?, ?, 'candidate', ?) ON DUPLICATE KEY UPDATE id = large_value_reports.id`,
    [id, at.date, of.side, of.class, String(of.amount), of.lines, String(of.threshold), of.dueOn, at.nowMs],
  );
}

/** The reports of a day by whose and which side they are: as many as there are large values, which are few. */
export async function findOfDay(tx: Tx, date: BusinessDate): Promise<Map<CandidateKey, Id>> {
  const rows = await tx.rows<Pick<ReportRow, 'id' | 'subject' | 'side'>>(
    'SELECT id, subject, side FROM large_value_reports WHERE on_date = ?',
    [date],
  );
  return new Map(rows.map((row) => [`${row.subject.toString('hex')}:${row.side}`, asId(row.id)]));
}

export async function insertLines(tx: Tx, lines: readonly (FlowLine & { readonly report: Id })[]): Promise<void> {
  const rows = lines.map(
    (line) => `${line.report},${line.instruction},${line.platformId},${sql.text(line.kind)},${line.amount},${line.atMs}`,
  );
  await tx.write(
    `INSERT INTO large_value_lines (report_id, instruction_id, platform_id, kind, amount, at_ms) VALUES ${sql.tuples(rows)}
     ON DUPLICATE KEY UPDATE amount = VALUES(amount)`,
  );
}

export interface ReportLine {
  readonly instruction: Id;
  readonly platformId: Id;
  readonly kind: string;
  readonly amount: Minor;
  readonly atMs: Instant;
}

/** The evidence of a report, in the order of the instructions. */
export async function linesOf(tx: Tx, report: Id, after: string, limit: number): Promise<ReportLine[]> {
  const rows = await tx.rows<{ instruction_id: string; platform_id: string; kind: string; amount: string; at_ms: string }>(
    `SELECT instruction_id, platform_id, kind, amount, at_ms FROM large_value_lines WHERE report_id = ? AND instruction_id > ?
     ORDER BY instruction_id LIMIT ?`,
    [report, after, limit],
  );
  return rows.map((row) => ({
    instruction: asId(row.instruction_id),
    platformId: asId(row.platform_id),
    kind: row.kind,
    amount: BigInt(row.amount),
    atMs: Number(row.at_ms) as Instant,
  }));
}

export async function findReport(tx: Tx, id: Id): Promise<LargeValueReport | undefined> {
  const [row] = await tx.rows<ReportRow>('SELECT * FROM large_value_reports WHERE id = ?', [id]);
  return row && reportOf(row);
}

export interface ReportFilter {
  readonly date?: BusinessDate | undefined;
  readonly state?: LargeValueState | undefined;
  readonly dueBefore?: BusinessDate | undefined;
  readonly after?: Id | undefined;
}

/** In the order they were raised. */
export async function listReports(tx: Tx, { date, state, dueBefore, after }: ReportFilter, limit: number) {
  const clauses = ['id > ?'];
  const values: unknown[] = [after ?? '0'];
  const also = (clause: string, value: unknown) => {
    if (value === undefined) return;
    clauses.push(clause);
    values.push(value);
  };
  also('on_date = ?', date);
  also('state = ?', state);
  also('due_on < ?', dueBefore);
  const rows = await tx.rows<ReportRow>(`SELECT * FROM large_value_reports WHERE ${clauses.join(' AND ')} ORDER BY id LIMIT ?`, [
    ...values,
    limit,
  ]);
  return rows.map(reportOf);
}

/** Somebody wants a candidate exempted; who said so before is replaced. */
export async function proposeExemption(tx: Tx, id: Id, by: Id, noteSealed: string, nowMs: Instant): Promise<boolean> {
  const changed = await tx.write(
    "UPDATE large_value_reports SET proposed_by = ?, proposed_note_sealed = ?, proposed_ms = ? WHERE id = ? AND state = 'candidate'",
    [by, noteSealed, nowMs, id],
  );
  return changed === 1;
}

/** Ends a candidate. False: it was none any more. */
export async function endReport(
  tx: Tx,
  id: Id,
  to: { state: LargeValueState; by: Id; receiptNo: string | null; nowMs: Instant },
): Promise<boolean> {
  const changed = await tx.write(
    "UPDATE large_value_reports SET state = ?, decided_by = ?, decided_ms = ?, receipt_no = ? WHERE id = ? AND state = 'candidate'",
    [to.state, to.by, to.nowMs, to.receiptNo, id],
  );
  return changed === 1;
}

export async function countLate(tx: Tx, today: BusinessDate): Promise<number> {
  const [row] = await tx.rows<{ late: string }>(
    "SELECT COUNT(*) AS late FROM large_value_reports WHERE state = 'candidate' AND due_on < ?",
    [today],
  );
  return Number(row?.late ?? 0);
}
