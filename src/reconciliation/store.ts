import type { StatementLine } from '../channels/index.js';
import { asId, type BusinessDate, type Id, type Instant, type Minor } from '../kernel/index.js';
import type { PayoutState } from '../payouts/index.js';
import { sql, type Tx, type Vault } from '../runtime/index.js';
import {
  type BreakClass,
  expectedBy,
  keyOfReference,
  type Outstanding,
  overdueSince,
  type Party,
  repairReference,
} from './rules.js';

export interface StatementHead {
  readonly platformId: Id;
  readonly businessDate: BusinessDate;
  readonly opening: Minor;
  readonly closing: Minor;
  readonly lineCount: number;
  readonly digest: Buffer;
  readonly fetchedMs: Instant;
}

interface StatementRow {
  platform_id: string;
  business_date: BusinessDate;
  opening: string;
  closing: string;
  line_count: number;
  digest: Buffer;
  fetched_ms: string;
}

/** The statement of a date, and the closing of the one before it (zero when there is none). */
export async function statementsAt(
  tx: Tx,
  platformId: Id,
  date: BusinessDate,
): Promise<{ stored: StatementHead | undefined; before: Minor }> {
  const rows = await tx.rows<StatementRow>(
    'SELECT * FROM statements WHERE platform_id = ? AND business_date <= ? ORDER BY business_date DESC LIMIT 2',
    [platformId, date],
  );
  const row = rows.find((each) => each.business_date === date);
  const before = rows.find((each) => each.business_date < date);
  const stored = row && {
    platformId,
    businessDate: date,
    opening: BigInt(row.opening),
    closing: BigInt(row.closing),
    lineCount: row.line_count,
    digest: row.digest,
    fetchedMs: Number(row.fetched_ms) as Instant,
  };
  return { stored, before: BigInt(before?.closing ?? '0') };
}

/** What the core bank's records leave to be cleared up of a platform: breaks of any party that are open, and its last reconciled statement. */
export async function outsideOf(tx: Tx, platformId: Id) {
  const [open] = await tx.rows<{ n: string }>(
    "SELECT CAST(COUNT(*) AS CHAR) AS n FROM breaks WHERE platform_id = ? AND state = 'open'",
    [platformId],
  );
  const [last] = await tx.rows<{ business_date: BusinessDate; closing: string }>(
    'SELECT business_date, closing FROM statements WHERE platform_id = ? ORDER BY business_date DESC LIMIT 1',
    [platformId],
  );
  const statement = last && { businessDate: last.business_date, closing: BigInt(last.closing) };
  return { openBreaks: Number(open?.n ?? 0), statement };
}

/** @throws a duplicate-key error when the statement of this date is there already */
export async function insertStatement(tx: Tx, head: StatementHead): Promise<void> {
  await tx.write(
    'INSERT INTO statements (platform_id, business_date, opening, closing, line_count, digest, fetched_ms) VALUES (?, ?, ?, ?, ?, ?, ?)',
    [head.platformId, head.businessDate, String(head.opening), String(head.closing), head.lineCount, head.digest, head.fetchedMs],
  );
}

const PART = 1_000;

/** A line of theirs that found no match, and how it says that it stands where a party says so. */
export interface KeptLine extends StatementLine {
  readonly state?: string;
}

/** Keeps lines of a statement. Who paid or was paid, and the words about it, are sealed. */
export async function insertStatementLines(
  tx: Tx,
  vault: Vault,
  { platformId, date, party }: { readonly platformId: Id | null; readonly date: BusinessDate; readonly party: Party },
  lines: readonly KeptLine[],
): Promise<void> {
  const sealed = (text: string) => (text === '' ? `''` : sql.text(vault.seal(cut(text, 140))));
  for (let from = 0; from < lines.length; from += PART) {
    const rows = lines
      .slice(from, from + PART)
      .map(
        (line) =>
          `${platformId ?? NOBODY},'${date}','${party}',${line.lineNo},${sql.text(keyOfReference(line.reference))},${line.amount},` +
          `${sealed(line.counterparty)},${sealed(line.text)},${sql.nullableText(line.state)}`,
      );
    await tx.write(
      `INSERT INTO statement_lines (platform_id, business_date, party, line_no, reference, amount, counterparty, text, state)
       VALUES ${sql.tuples(rows)}`,
    );
  }
}

function cut(text: string, max: number): string {
  return [...text].slice(0, max).join('');
}

/** Movements over the wall on a date, in the order of their instructions, after `after`. */
export async function boundaryPage(tx: Tx, platformId: Id, date: BusinessDate, after: Id, limit: number) {
  const rows = await tx.rows<{ instruction_id: string; reference: string; amount: string }>(
    `SELECT instruction_id, reference, amount FROM boundary
     WHERE platform_id = ? AND business_date = ? AND instruction_id > ? ORDER BY instruction_id LIMIT ?`,
    [platformId, date, after, limit],
  );
  const last = rows.at(-1);
  return { rows, next: rows.length === limit && last !== undefined ? asId(last.instruction_id) : undefined };
}

export async function boundarySum(tx: Tx, platformId: Id, date: BusinessDate): Promise<Minor> {
  const [row] = await tx.rows<{ total: string | null }>(
    'SELECT CAST(SUM(amount) AS CHAR) AS total FROM boundary WHERE platform_id = ? AND business_date = ?',
    [platformId, date],
  );
  return BigInt(row?.total ?? '0');
}

/** What the books have under these references after a date. */
export async function laterBoundary(
  tx: Tx,
  platformId: Id,
  date: BusinessDate,
  references: readonly string[],
): Promise<Map<string, Minor>> {
  if (references.length === 0) return new Map();
  const rows = await tx.rows<{ reference: string; total: string }>(
    `SELECT reference, CAST(SUM(amount) AS CHAR) AS total FROM boundary
     WHERE platform_id = ? AND business_date > ? AND reference IN (${references.map(sql.text).join()}) GROUP BY reference`,
    [platformId, date],
  );
  return new Map(rows.map((row) => [row.reference, BigInt(row.total)]));
}

/** When the first of the movements of a date was posted, by reference. */
export async function firstPosted(
  tx: Tx,
  platformId: Id,
  date: BusinessDate,
  references: readonly string[],
): Promise<Map<string, number>> {
  if (references.length === 0) return new Map();
  const rows = await tx.rows<{ reference: string; first_ms: string }>(
    `SELECT b.reference, MIN(o.decided_ms) AS first_ms FROM boundary AS b JOIN outcomes AS o ON o.instruction_id = b.instruction_id
     WHERE b.platform_id = ? AND b.business_date = ? AND b.reference IN (${references.map(sql.text).join()}) GROUP BY b.reference`,
    [platformId, date],
  );
  return new Map(rows.map((row) => [row.reference, Number(row.first_ms)]));
}

/** A difference with a state: `closed` when the other side appeared, or when a person accepted it. */
export interface Break {
  readonly id: Id;
  /** Null of a channel's line that names nobody's payout. */
  readonly platformId: Id | null;
  readonly party: Party;
  readonly businessDate: BusinessDate;
  readonly class: BreakClass;
  readonly reference: string;
  readonly ourAmount: Minor | null;
  readonly theirAmount: Minor | null;
  /** Ours less theirs, as far as it stands between them. */
  readonly difference: Minor;
  readonly ourState: string | null;
  readonly theirState: string | null;
  readonly timing: boolean;
  readonly state: 'open' | 'closed';
  /** Who of the staff sees to it, and since when. */
  readonly owner: Id | null;
  readonly ownedMs: Instant | null;
  /** The rule that closed it by itself. */
  readonly rule: string | null;
  /** The date on which the other side appeared. */
  readonly clearedDate: BusinessDate | null;
  readonly openedMs: Instant;
  readonly closedMs: Instant | null;
  readonly closedBy: string | null;
  /** Sealed where a person wrote it, plain where a rule did. */
  readonly noteSealed: string | null;
}

interface BreakRow {
  id: string;
  platform_id: string;
  party: Party;
  our_state: string | null;
  their_state: string | null;
  owner_id: string | null;
  owned_ms: string | null;
  rule: string | null;
  business_date: BusinessDate;
  class: BreakClass;
  reference: string;
  our_amount: string | null;
  their_amount: string | null;
  difference: string;
  timing: number;
  state: 'open' | 'closed';
  cleared_date: BusinessDate | null;
  opened_ms: string;
  closed_ms: string | null;
  closed_by: string | null;
  note: string | null;
}

const NOBODY = '0';

function breakOf(row: BreakRow): Break {
  return {
    id: asId(row.id),
    platformId: row.platform_id === NOBODY ? null : asId(row.platform_id),
    party: row.party,
    businessDate: row.business_date,
    class: row.class,
    reference: row.reference,
    difference: BigInt(row.difference),
    ourState: row.our_state,
    theirState: row.their_state,
    owner: row.owner_id === null ? null : asId(row.owner_id),
    ownedMs: row.owned_ms === null ? null : (Number(row.owned_ms) as Instant),
    rule: row.rule,
    ourAmount: row.our_amount === null ? null : BigInt(row.our_amount),
    theirAmount: row.their_amount === null ? null : BigInt(row.their_amount),
    timing: row.timing === 1,
    state: row.state,
    clearedDate: row.cleared_date,
    openedMs: Number(row.opened_ms) as Instant,
    closedMs: row.closed_ms === null ? null : (Number(row.closed_ms) as Instant),
    closedBy: row.closed_by,
    noteSealed: row.note,
  };
}

export interface NewBreak
  extends Pick<
    Break,
    'id' | 'platformId' | 'party' | 'businessDate' | 'class' | 'reference' | 'ourAmount' | 'theirAmount' | 'timing' | 'openedMs'
  > {
  readonly difference: Minor;
  readonly states?: { readonly ours: string; readonly theirs: string } | null;
  /** Closed as soon as it was found, by this rule. */
  readonly closedBy?: string;
}

export async function insertBreaks(tx: Tx, breaks: readonly NewBreak[]): Promise<void> {
  for (let from = 0; from < breaks.length; from += PART) {
    const rows = breaks
      .slice(from, from + PART)
      .map(
        (b) =>
          `${b.id},${b.platformId ?? NOBODY},'${b.party}','${b.businessDate}','${b.class}',${sql.text(b.reference)},${b.ourAmount ?? 'NULL'},` +
          `${b.theirAmount ?? 'NULL'},${sql.nullableText(b.states?.ours)},${sql.nullableText(b.states?.theirs)},${b.difference},` +
          `${b.timing ? 1 : 0},${b.openedMs},${closing(b)}`,
      );
    await tx.write(
      `INSERT INTO breaks (id, platform_id, party, business_date, class, reference, our_amount, their_amount, our_state, their_state,
         difference, timing, opened_ms, state, cleared_date, closed_ms, closed_by, rule)
       VALUES ${sql.tuples(rows)}`,
    );
  }
}

function closing({ closedBy: rule, openedMs, businessDate }: NewBreak): string {
  return rule === undefined ? "'open',NULL,NULL,NULL,NULL" : `'closed','${businessDate}',${openedMs},'system',${sql.text(rule)}`;
}

/** Every difference of a platform that stands between its books and the bank, accepted ones too. */
export async function outstandingOf(tx: Tx, platformId: Id): Promise<Outstanding[]> {
  const rows = await tx.rows<BreakRow>(
    "SELECT * FROM breaks WHERE platform_id = ? AND party = 'core-bank' AND cleared_date IS NULL ORDER BY id",
    [platformId],
  );
  return rows.map((row) => ({
    id: asId(row.id),
    businessDate: row.business_date,
    reference: row.reference,
    difference: BigInt(row.difference),
    timing: row.timing === 1,
    open: row.state === 'open',
    expectedBy: expectedBy({ class: row.class, businessDate: row.business_date, openedMs: Number(row.opened_ms) as Instant }),
  }));
}

/** The other side appeared: the difference stands no more, and closes if nobody had closed it. */
export async function clearBreaks(tx: Tx, ids: readonly Id[], date: BusinessDate, nowMs: Instant): Promise<void> {
  for (let from = 0; from < ids.length; from += PART) {
    const some = ids.slice(from, from + PART).join();
    await tx.write(`UPDATE breaks SET cleared_date = ? WHERE id IN (${some}) AND cleared_date IS NULL`, [date]);
    await tx.write(
      `UPDATE breaks SET state = 'closed', closed_ms = ?, closed_by = 'system', rule = 'other-side-appeared', note = 'the other side appeared'
       WHERE id IN (${some}) AND state = 'open'`,
      [nowMs],
    );
  }
}

/** What was handed to a channel under a date, in the order of its numbers, after `after`. */
export async function dispatchedPage(tx: Tx, channel: Party, date: BusinessDate, after: Id, limit: number) {
  return tx.rows<{ id: Id; amount: string; state: PayoutState }>(
    `SELECT p.id, p.amount, p.state FROM dispatches AS d JOIN payouts AS p ON p.id = d.payout_id
     WHERE d.business_date = ? AND d.payout_id > ? AND p.channel = ? ORDER BY d.payout_id LIMIT ?`,
    [date, after, channel, limit],
  );
}

/** From now on these need a person. */
export async function endTiming(tx: Tx, ids: readonly Id[]): Promise<void> {
  if (ids.length > 0) await tx.write(`UPDATE breaks SET timing = 0 WHERE id IN (${ids.join()})`);
}

/** A person accepts a difference as it stands. Answers false when it was closed before. */
export async function acceptBreak(tx: Tx, id: Id, by: string, noteSealed: string, nowMs: Instant): Promise<boolean> {
  const changed = await tx.write(
    "UPDATE breaks SET state = 'closed', closed_ms = ?, closed_by = ?, note = ? WHERE id = ? AND state = 'open'",
    [nowMs, by, noteSealed, id],
  );
  return changed === 1;
}

export async function findBreak(tx: Tx, id: Id): Promise<Break | undefined> {
  const [row] = await tx.rows<BreakRow>('SELECT * FROM breaks WHERE id = ?', [id]);
  return row && breakOf(row);
}

/** The lines of a statement under one reference that were kept, with what is sealed in them as it is. */
export async function keptLines(
  tx: Tx,
  { platformId, party, businessDate, reference }: Pick<Break, 'platformId' | 'party' | 'businessDate' | 'reference'>,
): Promise<{ lineNo: number; amount: Minor; counterparty: string; text: string; state: string | null }[]> {
  const rows = await tx.rows<{ line_no: string; amount: string; counterparty: string; text: string; state: string | null }>(
    `SELECT line_no, amount, counterparty, text, state FROM statement_lines
     WHERE platform_id = ? AND business_date = ? AND party = ? AND reference = ? ORDER BY line_no LIMIT 1000`,
    [platformId ?? NOBODY, businessDate, party, reference],
  );
  return rows.map(({ line_no: lineNo, ...row }) => ({ ...row, lineNo: Number(lineNo), amount: BigInt(row.amount) }));
}

export interface BreakFilter {
  readonly platformId?: Id | undefined;
  readonly state?: Break['state'] | undefined;
  readonly class?: BreakClass | undefined;
  readonly businessDate?: BusinessDate | undefined;
  readonly party?: Party | undefined;
  readonly owner?: Id | undefined;
  /** Found at this moment or before. */
  readonly openedUntil?: Instant | undefined;
  readonly after?: Id | undefined;
}

/** Breaks in the order they were found. */
export async function listBreaks(tx: Tx, filter: BreakFilter, limit: number): Promise<Break[]> {
  const conditions = ['id > ?'];
  const values: unknown[] = [filter.after ?? '0'];
  for (const [column, value] of [
    ['platform_id', filter.platformId],
    ['state', filter.state],
    ['class', filter.class],
    ['business_date', filter.businessDate],
    ['party', filter.party],
    ['owner_id', filter.owner],
  ]) {
    if (value === undefined) continue;
    conditions.push(`${column} = ?`);
    values.push(value);
  }
  if (filter.openedUntil !== undefined) {
    conditions.push('opened_ms <= ?');
    values.push(filter.openedUntil);
  }
  const rows = await tx.rows<BreakRow>(`SELECT * FROM breaks WHERE ${conditions.join(' AND ')} ORDER BY id LIMIT ?`, [
    ...values,
    limit,
  ]);
  return rows.map(breakOf);
}

/** How many breaks are open, and how many of them have been for too long. */
export async function countOpenBreaks(tx: Tx, nowMs: Instant): Promise<{ open: number; overdue: number }> {
  const [row] = await tx.rows<{ open: string; overdue: string | null }>(
    "SELECT COUNT(*) AS open, SUM(opened_ms <= ?) AS overdue FROM breaks WHERE state = 'open'",
    [overdueSince(nowMs)],
  );
  return { open: Number(row?.open ?? 0), overdue: Number(row?.overdue ?? 0) };
}

/**
 * What stands between books and bank under a reference now, ours less theirs: what the comparisons left, and what the books have moved under it
 * on dates whose statement is not there yet.
 */
export async function standingUnder(tx: Tx, platformId: Id, reference: string): Promise<Minor> {
  const left = await tx.rows<{ id: Id; difference: string }>(
    `SELECT id, difference FROM breaks
     WHERE platform_id = ? AND party = 'core-bank' AND cleared_date IS NULL AND reference = ?`,
    [platformId, reference],
  );
  const references = [reference, ...left.map(({ id }) => repairReference(id))];
  const [since] = await tx.rows<{ total: string | null }>(
    `SELECT CAST(SUM(amount) AS CHAR) AS total FROM boundary
     WHERE platform_id = ? AND reference IN (${references.map(sql.text).join()})
       AND business_date > (SELECT COALESCE(MAX(business_date), '1970-01-01') FROM statements WHERE platform_id = ?)`,
    [platformId, platformId],
  );
  return left.reduce((sum, { difference }) => sum + BigInt(difference), BigInt(since?.total ?? '0'));
}

/** Whether an instruction of the platform under this reference was received and is not decided yet. */
export async function isUndecidedUnder(tx: Tx, shardId: number, platformId: Id, reference: string): Promise<boolean> {
  const rows = await tx.rows(
    `SELECT 1 FROM inbox AS q JOIN instructions AS i ON i.id = q.instruction_id
     WHERE q.shard_id = ? AND i.platform_id = ? AND JSON_UNQUOTE(JSON_EXTRACT(i.body, '$.reference')) = ? LIMIT 1`,
    [shardId, platformId, reference],
  );
  return rows.length > 0;
}

/** What the books moved over the wall under a reference, on any date. */
export async function boundaryUnder(tx: Tx, platformId: Id, reference: string, limit: number) {
  const rows = await tx.rows<{ business_date: BusinessDate; instruction_id: string; amount: string; kind: string | null }>(
    `SELECT b.business_date, b.instruction_id, b.amount, i.kind FROM boundary AS b LEFT JOIN instructions AS i ON i.id = b.instruction_id
     WHERE b.platform_id = ? AND b.reference = ? ORDER BY b.business_date, b.instruction_id LIMIT ?`,
    [platformId, reference, limit],
  );
  return rows.map((row) => ({
    businessDate: row.business_date,
    instruction: asId(row.instruction_id),
    amount: BigInt(row.amount),
    kind: row.kind,
  }));
}

/** Whether what an instruction moved over the wall is on the core bank's statement, and nothing differs about it. */
export async function agreesWithBank(tx: Tx, platformId: Id, instruction: Id): Promise<boolean> {
  const rows = await tx.rows<{ compared: string | null; differs: string | null }>(
    `SELECT s.business_date AS compared, d.id AS differs FROM boundary AS b
     LEFT JOIN statements AS s ON s.platform_id = b.platform_id AND s.business_date = b.business_date
     LEFT JOIN breaks AS d ON d.platform_id = b.platform_id AND d.party = 'core-bank' AND d.reference = b.reference AND d.cleared_date IS NULL
     WHERE b.platform_id = ? AND b.instruction_id = ?`,
    [platformId, instruction],
  );
  return rows.length > 0 && rows.every(({ compared, differs }) => compared !== null && differs === null);
}

/** Another difference with the core bank that stands, of exactly the opposite amount: together the two are nothing. */
export async function counterpartOf(tx: Tx, of: Pick<Break, 'id' | 'platformId' | 'difference'>): Promise<Break | undefined> {
  const [row] = await tx.rows<BreakRow>(
    `SELECT * FROM breaks WHERE platform_id = ? AND party = 'core-bank' AND cleared_date IS NULL AND id <> ? AND difference = ?
     ORDER BY id LIMIT 1`,
    [of.platformId, of.id, String(-of.difference)],
  );
  return row && breakOf(row);
}
