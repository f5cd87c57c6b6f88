import { asId, type BusinessDate, type Id, type Instant, type Minor } from '../kernel/index.js';
import { sql, type Tx } from '../runtime/index.js';
import { type DayState, STEPS, type Step, type StepState } from './states.js';

/** A business day of a platform. Totals are those of the cut-off, in minor units. */
export interface Day {
  readonly platformId: Id;
  readonly date: BusinessDate;
  readonly state: DayState;
  readonly custody: Minor | null;
  readonly children: Minor | null;
  readonly control: Minor | null;
  readonly statement: { readonly opening: Minor; readonly closing: Minor; readonly lines: number } | null;
  readonly reason: string | null;
  readonly attempts: number;
  readonly openedMs: Instant;
  readonly cutMs: Instant | null;
  readonly closedMs: Instant | null;
}

interface DayRow {
  platform_id: string;
  business_date: BusinessDate;
  state: DayState;
  custody: string | null;
  children: string | null;
  control: string | null;
  opening: string | null;
  closing: string | null;
  line_count: number | null;
  reason: string | null;
  attempts: number;
  opened_ms: string;
  cut_ms: string | null;
  closed_ms: string | null;
}

function dayOf(row: DayRow): Day {
  const money = (text: string | null): Minor | null => (text === null ? null : BigInt(text));
  const time = (text: string | null): Instant | null => (text === null ? null : (Number(text) as Instant));
  return {
    platformId: asId(row.platform_id),
    date: row.business_date,
    state: row.state,
    custody: money(row.custody),
    children: money(row.children),
    control: money(row.control),
    reason: row.reason,
    attempts: row.attempts,
    openedMs: Number(row.opened_ms) as Instant,
    cutMs: time(row.cut_ms),
    closedMs: time(row.closed_ms),
    statement:
      row.opening === null || row.closing === null
        ? null
        : { opening: BigInt(row.opening), closing: BigInt(row.closing), lines: row.line_count ?? 0 },
  };
}

const DAY = `SELECT d.*, s.opening, s.closing, s.line_count FROM business_days AS d
  LEFT JOIN statements AS s ON s.platform_id = d.platform_id AND s.business_date = d.business_date`;

export async function findDay(tx: Tx, platformId: Id, date: BusinessDate): Promise<Day | undefined> {
  const [row] = await tx.rows<DayRow>(`${DAY} WHERE d.platform_id = ? AND d.business_date = ?`, [platformId, date]);
  return row && dayOf(row);
}

/** A platform's days, latest first. */
export async function listDays(tx: Tx, platformId: Id, before: BusinessDate | undefined, limit: number): Promise<Day[]> {
  const rows = await tx.rows<DayRow>(
    `${DAY} WHERE d.platform_id = ? AND d.business_date < ? ORDER BY d.business_date DESC LIMIT ?`,
    [platformId, before ?? '9999-12-31', limit],
  );
  return rows.map(dayOf);
}

/** The days of a platform from `first` on, by date. A day has a row once the one before it was cut off. */
export async function daysFrom(tx: Tx, platformId: Id, first: BusinessDate): Promise<Map<BusinessDate, Day>> {
  const rows = await tx.rows<DayRow>(`${DAY} WHERE d.platform_id = ? AND d.business_date >= ?`, [platformId, first]);
  return new Map(rows.map((row) => [row.business_date, dayOf(row)]));
}

/** Writes down the cut-off of a day and that the next is open. Call it under the shard's lock. */
export async function insertCutOff(
  tx: Tx,
  of: { platformId: Id; date: BusinessDate; next: BusinessDate; custody: Minor; children: Minor; nowMs: Instant },
): Promise<void> {
  const { platformId, date, next, custody, children, nowMs } = of;
  await tx.write(
    `INSERT INTO business_days (platform_id, business_date, state, custody, children, attempts, retry_ms, opened_ms, cut_ms)
     VALUES (${platformId},'${date}','closing',${custody},${children},0,0,${nowMs},${nowMs}),(${platformId},'${next}','open',NULL,NULL,0,0,${nowMs},NULL)
     ON DUPLICATE KEY UPDATE state = VALUES(state), custody = VALUES(custody), children = VALUES(children), cut_ms = VALUES(cut_ms)`,
  );
}

export interface DayChange {
  readonly from: DayState;
  readonly to: DayState;
  readonly control?: Minor | undefined;
  readonly reason: string | null;
  readonly attempts: number;
  /** Wall time before which the sweep leaves it alone. */
  readonly retryMs: number;
  readonly closedMs: Instant | null;
}

/** Changes a day that is still in `from`; answers whether it was. */
export async function changeDay(tx: Tx, platformId: Id, date: BusinessDate, change: DayChange): Promise<boolean> {
  const changed = await tx.write(
    `UPDATE business_days SET state = ?, control = COALESCE(?, control), reason = ?, attempts = ?, retry_ms = ?, closed_ms = COALESCE(closed_ms, ?)
     WHERE platform_id = ? AND business_date = ? AND state = ?`,
    [
      change.to,
      change.control === undefined ? null : String(change.control),
      change.reason?.slice(0, 200) ?? null,
      change.attempts,
      change.retryMs,
      change.closedMs,
      platformId,
      date,
      change.from,
    ],
  );
  return changed === 1;
}

/** The sweep leaves a close alone until then, by the wall. */
export async function leaveAlone(tx: Tx, platformId: Id, date: BusinessDate, untilWallMs: number): Promise<void> {
  await tx.write("UPDATE business_days SET retry_ms = ? WHERE platform_id = ? AND business_date = ? AND state = 'closing'", [
    untilWallMs,
    platformId,
    date,
  ]);
}

export interface StepRow {
  readonly step: Step;
  readonly state: StepState;
  readonly startedMs: Instant | null;
  readonly finishedMs: Instant | null;
  readonly detail: Readonly<Record<string, unknown>> | null;
}

/** Writes steps as they are now. One that is done stays done. */
export async function saveSteps(tx: Tx, platformId: Id, date: BusinessDate, steps: readonly StepRow[]): Promise<void> {
  if (steps.length === 0) return;
  const rows = steps.map(
    (s) =>
      `${platformId},'${date}','${s.step}','${s.state}',${s.startedMs ?? 'NULL'},${s.finishedMs ?? 'NULL'},` +
      `${s.detail === null ? 'NULL' : sql.text(JSON.stringify(s.detail))}`,
  );
  const unlessDone = (column: string) => `${column} = IF(finished_ms IS NULL, VALUES(${column}), ${column})`;
  await tx.write(
    `INSERT INTO close_steps (platform_id, business_date, step, state, started_ms, finished_ms, detail) VALUES ${sql.tuples(rows)}
     ON DUPLICATE KEY UPDATE ${unlessDone('state')}, ${unlessDone('started_ms')}, ${unlessDone('detail')},
       finished_ms = COALESCE(finished_ms, VALUES(finished_ms))`,
  );
}

/** The steps of a close in their order; empty before its cut-off. */
export async function stepsOf(tx: Tx, platformId: Id, date: BusinessDate): Promise<StepRow[]> {
  const rows = await tx.rows<{
    step: Step;
    state: StepState;
    started_ms: string | null;
    finished_ms: string | null;
    detail: string | null;
  }>('SELECT step, state, started_ms, finished_ms, detail FROM close_steps WHERE platform_id = ? AND business_date = ?', [
    platformId,
    date,
  ]);
  const steps = rows.map((row) => ({
    step: row.step,
    state: row.state,
    detail: row.detail === null ? null : (JSON.parse(row.detail) as Record<string, unknown>),
    startedMs: row.started_ms === null ? null : (Number(row.started_ms) as Instant),
    finishedMs: row.finished_ms === null ? null : (Number(row.finished_ms) as Instant),
  }));
  return steps.sort((a, b) => STEPS.indexOf(a.step) - STEPS.indexOf(b.step));
}

/** How many sub-merchants a platform has: about so many lines a clearing may have. */
export async function countMerchants(tx: Tx, platformId: Id): Promise<number> {
  const [row] = await tx.rows<{ number: string }>('SELECT COUNT(*) AS number FROM sub_merchants WHERE platform_id = ?', [
    platformId,
  ]);
  return Number(row?.number ?? 0);
}

/** Platforms with a close to begin or to go on with, or one that stopped and whose next day is over: what was late may have come. */
export async function closesDue(tx: Tx, today: BusinessDate, wallMs: Instant): Promise<Id[]> {
  const rows = await tx.rows<{ platform_id: string }>(
    `SELECT platform_id FROM business_days WHERE state = 'closing' AND retry_ms <= ?
     UNION
     SELECT b.platform_id FROM books AS b WHERE b.business_date < ?
       AND NOT EXISTS (SELECT 1 FROM business_days AS d WHERE d.platform_id = b.platform_id
         AND d.business_date >= b.business_date - INTERVAL 1 DAY AND d.state IN ('closing', 'stopped'))
     UNION
     SELECT platform_id FROM clearings WHERE state = 'rerun'
     UNION
     SELECT d.platform_id FROM business_days AS d JOIN books AS b ON b.platform_id = d.platform_id
     WHERE d.state = 'stopped' AND d.retry_ms <= ? AND b.business_date < ?`,
    [wallMs, today, wallMs, today],
  );
  return rows.map((row) => asId(row.platform_id));
}
