import { asId, type BusinessDate, type Id, type Instant, invariant, type Minor } from '../kernel/index.js';
import type { PayoutState } from '../payouts/index.js';
import { sql, type Tx } from '../runtime/index.js';
import type { DueLine } from './due-rules.js';
import type { ClearingState, LineState } from './states.js';

/** The clearing of a platform that pays on a date. Sums are minor units. */
export interface Clearing {
  readonly state: ClearingState;
  /** While it is written or paid: the last account that was. */
  readonly after: Id;
  readonly lines: number;
  readonly due: Minor;
  readonly fees: Minor;
  readonly decided: number;
  readonly posted: number;
  /** What is paid out by what was posted, net. */
  readonly postedAmount: Minor;
  readonly inReview: number;
  /** How many were refused, by code. */
  readonly refused: Readonly<Record<string, number>>;
  /** How many of its payouts the channels were handed. */
  readonly sent: number;
  /** How many lines there will be, about; null: nobody has counted. */
  readonly expected: number | null;
  /** Wall time at which the present stage was begun or gone on with, and how much of it was done then. */
  readonly stageMs: Instant;
  readonly stageDone: number;
  /** Who of the staff looked at it and let it go on. */
  readonly approvedBy: Id | null;
}

interface ClearingRow {
  state: ClearingState;
  after_id: string;
  line_count: number;
  due: string;
  fees: string;
  decided: number;
  posted: number;
  posted_amount: string;
  in_review: number;
  refused: string;
  sent: number;
  expected: number | null;
  stage_ms: string;
  stage_done: number;
  approved_by: string | null;
}

export async function findClearing(tx: Tx, platformId: Id, date: BusinessDate): Promise<Clearing | undefined> {
  const [row] = await tx.rows<ClearingRow>('SELECT * FROM clearings WHERE platform_id = ? AND business_date = ?', [
    platformId,
    date,
  ]);
  return (
    row && {
      state: row.state,
      after: asId(row.after_id),
      lines: row.line_count,
      due: BigInt(row.due),
      fees: BigInt(row.fees),
      decided: row.decided,
      posted: row.posted,
      postedAmount: BigInt(row.posted_amount),
      inReview: row.in_review,
      refused: JSON.parse(row.refused) as Record<string, number>,
      sent: row.sent,
      expected: row.expected,
      stageMs: Number(row.stage_ms) as Instant,
      stageDone: row.stage_done,
      approvedBy: row.approved_by === null ? null : asId(row.approved_by),
    }
  );
}

/** Of a platform: the dates whose lines people want tried again. */
export async function clearingsToRerun(tx: Tx, platformId: Id): Promise<BusinessDate[]> {
  const rows = await tx.rows<{ business_date: BusinessDate }>(
    "SELECT business_date FROM clearings WHERE platform_id = ? AND state = 'rerun'",
    [platformId],
  );
  return rows.map((row) => row.business_date);
}

/** What every change of a clearing is bound to: where it stood when it was looked at. */
export interface Stand {
  readonly platformId: Id;
  readonly date: BusinessDate;
  readonly state: ClearingState;
  readonly after: Id;
}

/** The first page of a clearing. @throws a duplicate-key error when another run has begun it */
export async function insertClearing(
  tx: Tx,
  { platformId, date, state, after }: Stand,
  first: { lines: number; due: Minor; fees: Minor; expected: number | null; stageMs: Instant },
): Promise<void> {
  await tx.write(
    `INSERT INTO clearings (platform_id, business_date, state, after_id, line_count, due, fees, decided, posted, posted_amount, in_review,
       refused, sent, expected, stage_ms, stage_done) VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, '{}', 0, ?, ?, 0)`,
    [platformId, date, state, after, first.lines, String(first.due), String(first.fees), first.expected, first.stageMs],
  );
}

/** One more page of lines was written; false where another run has moved it on. */
export async function addWritten(
  tx: Tx,
  { platformId, date, after }: Stand,
  page: { to: Id; last: boolean; lines: number; due: Minor; fees: Minor },
): Promise<boolean> {
  const changed = await tx.write(
    `UPDATE clearings SET state = ?, after_id = ?, line_count = line_count + ?, due = due + ?, fees = fees + ?
     WHERE platform_id = ? AND business_date = ? AND state = 'writing' AND after_id = ?`,
    [
      ...[page.last ? 'written' : 'writing', page.last ? '0' : page.to, page.lines, String(page.due), String(page.fees)],
      ...[platformId, date, after],
    ],
  );
  return changed === 1;
}

/** Begins a stage, or goes on with it. Who comes later has the same stage. */
export async function beginStage(
  tx: Tx,
  { platformId, date, state, after }: Stand,
  to: { state: ClearingState; stageMs: Instant; stageDone: number },
): Promise<boolean> {
  const changed = await tx.write(
    `UPDATE clearings SET state = ?, stage_ms = ?, stage_done = ?
     WHERE platform_id = ? AND business_date = ? AND state = ? AND after_id = ?`,
    [to.state, to.stageMs, to.stageDone, platformId, date, state, after],
  );
  return changed === 1;
}

/** What became of a page of lines. */
export interface Decisions {
  readonly decided: number;
  readonly posted: number;
  readonly postedAmount: Minor;
  readonly inReview: number;
  readonly refused: Readonly<Record<string, number>>;
}

/** One more page of lines was decided; false where another run was faster. */
export async function addDecided(
  tx: Tx,
  { platformId, date, state, after }: Stand,
  page: Decisions & { readonly to: Id; readonly refusedInAll: Readonly<Record<string, number>> },
): Promise<boolean> {
  const changed = await tx.write(
    `UPDATE clearings SET after_id = ?, decided = decided + ?, posted = posted + ?, posted_amount = posted_amount + ?,
       in_review = in_review + ?, refused = ?
     WHERE platform_id = ? AND business_date = ? AND state = ? AND after_id = ?`,
    [
      ...[page.to, page.decided, page.posted, String(page.postedAmount), page.inReview, JSON.stringify(page.refusedInAll)],
      ...[platformId, date, state, after],
    ],
  );
  return changed === 1;
}

/** All lines are decided. */
export async function endDeciding(tx: Tx, { platformId, date, state, after }: Stand, stageMs: Instant): Promise<boolean> {
  const changed = await tx.write(
    `UPDATE clearings SET state = 'paid', after_id = 0, stage_ms = ?, stage_done = sent
     WHERE platform_id = ? AND business_date = ? AND state = ? AND after_id = ?`,
    [stageMs, platformId, date, state, after],
  );
  return changed === 1;
}

/** So many payouts more were handed to channels; for whoever watches alone. */
export async function noteSent(tx: Tx, platformId: Id, date: BusinessDate, more: number): Promise<void> {
  await tx.write('UPDATE clearings SET sent = sent + ? WHERE platform_id = ? AND business_date = ?', [more, platformId, date]);
}

/** What the clearing of a date pays out of one account, and what became of it. */
export interface ClearingLine extends DueLine {
  readonly state: LineState;
  readonly code: string | null;
  readonly instructionId: Id | null;
  /** How often it was tried again. */
  readonly attempt: number;
}

interface LineRow {
  account_id: string;
  credited_on: BusinessDate;
  value_date: BusinessDate;
  amount: string;
  fee: string;
  state: LineState;
  code: string | null;
  instruction_id: string | null;
  attempt: number;
}

function lineOf(row: LineRow): ClearingLine {
  return {
    accountId: asId(row.account_id),
    creditedOn: row.credited_on,
    valueDate: row.value_date,
    amount: BigInt(row.amount),
    fee: BigInt(row.fee),
    state: row.state,
    code: row.code,
    instructionId: row.instruction_id === null ? null : asId(row.instruction_id),
    attempt: row.attempt,
  };
}

/**
 * Lines of a clearing after an account, in the order of the accounts: all, or those in one state. The lines of an account are never on two
 * pages.
 */
export async function clearingLines(
  tx: Tx,
  platformId: Id,
  date: BusinessDate,
  { state, after = '0', limit }: { state?: LineState | undefined; after?: string; limit: number },
): Promise<{ readonly lines: readonly ClearingLine[]; readonly next: Id | undefined }> {
  const rows = await tx.rows<LineRow>(
    `SELECT account_id, credited_on, value_date, amount, fee, state, code, instruction_id, attempt FROM clearing_lines
     WHERE platform_id = ? AND business_date = ? AND account_id > ?${state === undefined ? '' : ` AND state = '${state}'`}
     ORDER BY account_id, credited_on LIMIT ?`,
    [platformId, date, after, limit + 1],
  );
  const lines = rows.map(lineOf);
  const over = rows.length > limit ? lines.at(-1) : undefined;
  if (over === undefined) return { lines, next: undefined };
  const whole = lines.filter(({ accountId }) => accountId !== over.accountId);
  const last = whole.at(-1);
  invariant(last, `the lines of account ${over.accountId} fit on a page`);
  return { lines: whole, next: last.accountId };
}

/** Which lines are read. A line is `posted` whatever becomes of its payout, so that has a filter of its own. */
export interface LineFilter {
  readonly state: LineState | undefined;
  readonly payoutState: PayoutState | undefined;
  readonly after: { accountId: string; creditedOn: string } | undefined;
}

/** A line and how the payout stands that it made; null: it made none. */
export type LineWithPayout = ClearingLine & { readonly payoutState: PayoutState | null };

/** Lines of a clearing behind one of them, for whoever reads them. */
export async function listLines(
  tx: Tx,
  platformId: Id,
  date: BusinessDate,
  { state, payoutState, after }: LineFilter,
  limit: number,
): Promise<LineWithPayout[]> {
  const { accountId, creditedOn } = after ?? { accountId: '0', creditedOn: '1000-01-01' };
  const rows = await tx.rows<LineRow & { payout_state: PayoutState | null }>(
    `SELECT l.account_id, l.credited_on, l.value_date, l.amount, l.fee, l.state, l.code, l.instruction_id, l.attempt,
       p.state AS payout_state
     FROM clearing_lines AS l LEFT JOIN payouts AS p ON p.id = l.instruction_id
     WHERE l.platform_id = ? AND l.business_date = ? AND l.account_id >= ? AND (l.account_id > ? OR l.credited_on > ?)
       ${state === undefined ? '' : `AND l.state = '${state}'`} ${payoutState === undefined ? '' : `AND p.state = '${payoutState}'`}
     ORDER BY l.account_id, l.credited_on LIMIT ?`,
    [platformId, date, accountId, accountId, creditedOn, limit],
  );
  return rows.map((row) => ({ ...lineOf(row), payoutState: row.payout_state }));
}

/** @throws a duplicate-key error when another run has written one of them */
export async function insertLines(tx: Tx, platformId: Id, date: BusinessDate, lines: readonly DueLine[]): Promise<void> {
  if (lines.length === 0) return;
  const rows = lines.map(
    ({ accountId, creditedOn, valueDate, amount, fee }) =>
      `${platformId},'${date}',${accountId},'${creditedOn}','${valueDate}',${amount},${fee},'due'`,
  );
  await tx.write(
    `INSERT INTO clearing_lines (platform_id, business_date, account_id, credited_on, value_date, amount, fee, state) VALUES ${sql.tuples(rows)}`,
  );
}

/** Writes down what became of lines, and of what amount: less may have been due than was written. */
export async function saveDecided(tx: Tx, platformId: Id, date: BusinessDate, lines: readonly ClearingLine[]): Promise<void> {
  if (lines.length === 0) return;
  const rows = lines.map(
    ({ accountId, creditedOn, valueDate, amount, fee, state, code, instructionId }) =>
      `${platformId},'${date}',${accountId},'${creditedOn}','${valueDate}',${amount},${fee},'${state}',${sql.nullableText(code)},${instructionId ?? 'NULL'}`,
  );
  await tx.write(
    `INSERT INTO clearing_lines (platform_id, business_date, account_id, credited_on, value_date, amount, fee, state, code, instruction_id)
     VALUES ${sql.tuples(rows)}
     ON DUPLICATE KEY UPDATE amount = VALUES(amount), fee = VALUES(fee), state = VALUES(state), code = VALUES(code), instruction_id = VALUES(instruction_id)`,
  );
}

/** What a clearing pays to one bank. Minor units; net is due less fees. */
export interface Net {
  readonly bankCode: string;
  readonly lines: number;
  readonly due: Minor;
  readonly fees: Minor;
  readonly net: Minor;
}

interface NetRow {
  bank_code: string;
  line_count: string | number;
  due: string;
  fees: string;
}

function netOf(row: NetRow): Net {
  const [due, fees] = [BigInt(row.due), BigInt(row.fees)];
  return { bankCode: row.bank_code, lines: Number(row.line_count), due, fees, net: due - fees };
}

/** Adds up the lines of a clearing by the banks that they go to. */
export async function netLines(tx: Tx, platformId: Id, date: BusinessDate): Promise<Net[]> {
  const rows = await tx.rows<NetRow>(
    `SELECT COALESCE(s.bank_code, '') AS bank_code, COUNT(*) AS line_count, CAST(SUM(l.amount + l.fee) AS CHAR) AS due,
       CAST(SUM(l.fee) AS CHAR) AS fees
     FROM clearing_lines AS l LEFT JOIN settlement_accounts AS s ON s.account_id = l.account_id
     WHERE l.platform_id = ? AND l.business_date = ? GROUP BY 1 ORDER BY 1`,
    [platformId, date],
  );
  return rows.map(netOf);
}

/** Writes down what goes where; the same again changes nothing. */
export async function saveNets(tx: Tx, platformId: Id, date: BusinessDate, nets: readonly Net[]): Promise<void> {
  const rows = nets.map(
    ({ bankCode, lines, due, fees, net }) => `${platformId},'${date}',${sql.text(bankCode)},${lines},${due},${fees},${net}`,
  );
  await tx.write(
    `INSERT INTO clearing_nets (platform_id, business_date, bank_code, line_count, due, fees, net) VALUES ${sql.tuples(rows)}
     ON DUPLICATE KEY UPDATE line_count = VALUES(line_count), due = VALUES(due), fees = VALUES(fees), net = VALUES(net)`,
  );
}

/** What a clearing pays to which bank, as it was written down. */
export async function listNets(tx: Tx, platformId: Id, date: BusinessDate): Promise<Net[]> {
  const rows = await tx.rows<NetRow>(
    'SELECT bank_code, line_count, due, fees FROM clearing_nets WHERE platform_id = ? AND business_date = ? ORDER BY bank_code',
    [platformId, date],
  );
  return rows.map(netOf);
}

/** Whether the clearing of a date waits until somebody of the bank has looked at it. */
export async function isHeldOn(tx: Tx, platformId: Id, date: BusinessDate): Promise<boolean> {
  const [row] = await tx.rows<{ held: number }>(
    'SELECT held FROM clearing_holds WHERE platform_id = ? AND valid_from <= ? ORDER BY valid_from DESC LIMIT 1',
    [platformId, date],
  );
  return row?.held === 1;
}

export async function saveHold(
  tx: Tx,
  { platformId, validFrom, held, setBy }: { platformId: Id; validFrom: BusinessDate; held: boolean; setBy: Id },
): Promise<void> {
  await tx.write(
    `INSERT INTO clearing_holds (platform_id, valid_from, held, set_by) VALUES (?, ?, ?, ?)
     ON DUPLICATE KEY UPDATE held = VALUES(held), set_by = VALUES(set_by)`,
    [platformId, validFrom, held ? 1 : 0, setBy],
  );
}

/** Somebody of the bank has looked at a clearing that is written; false where that was said before, or it is not written. */
export async function approveClearing(
  tx: Tx,
  { platformId, date, by, nowMs }: { platformId: Id; date: BusinessDate; by: Id; nowMs: Instant },
): Promise<boolean> {
  const changed = await tx.write(
    `UPDATE clearings SET approved_by = ?, approved_ms = ?
     WHERE platform_id = ? AND business_date = ? AND state = 'written' AND approved_by IS NULL`,
    [by, nowMs, platformId, date],
  );
  return changed === 1;
}

/** Failed: it was posted, and its payout never reached the payee, or came back. */
const FAILED = `l.state = 'posted' AND EXISTS (SELECT 1 FROM payouts AS p WHERE p.id = l.instruction_id AND p.state IN ('failed', 'returned'))`;

/**
 * Puts the lines of a clearing that were refused or whose payouts failed back to be tried under new numbers; answers how many. Call it under
 * the shard's lock.
 */
export async function putBack(tx: Tx, platformId: Id, date: BusinessDate): Promise<number> {
  return tx.write(
    `UPDATE clearing_lines AS l SET l.state = 'due', l.code = NULL, l.instruction_id = NULL, l.attempt = l.attempt + 1
     WHERE l.platform_id = ? AND l.business_date = ? AND (l.state = 'refused' OR (${FAILED}))`,
    [platformId, date],
  );
}

/** The clearing is told anew how many of its lines stand how, and is to be gone on with. */
export async function reopenClearing(tx: Tx, platformId: Id, date: BusinessDate, stageMs: Instant): Promise<boolean> {
  const rows = await tx.rows<{ state: LineState; code: string | null; number: string; amount: string }>(
    `SELECT state, code, COUNT(*) AS number, CAST(SUM(amount) AS CHAR) AS amount FROM clearing_lines
     WHERE platform_id = ? AND business_date = ? GROUP BY state, code`,
    [platformId, date],
  );
  const count = (state: LineState) => rows.reduce((sum, row) => sum + (row.state === state ? Number(row.number) : 0), 0);
  const paid = rows.reduce((sum, row) => sum + (row.state === 'posted' ? BigInt(row.amount) : 0n), 0n);
  const all = rows.reduce((sum, row) => sum + Number(row.number), 0);
  const changed = await tx.write(
    `UPDATE clearings SET state = 'rerun', after_id = 0, decided = ?, posted = ?, posted_amount = ?, in_review = ?, refused = '{}',
       stage_ms = ?, stage_done = ? WHERE platform_id = ? AND business_date = ? AND state = 'paid'`,
    [
      ...[all - count('due'), count('posted'), String(paid), count('in-review'), stageMs, all - count('due')],
      ...[platformId, date],
    ],
  );
  return changed === 1;
}
