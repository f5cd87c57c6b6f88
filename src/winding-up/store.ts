import { asId, type BusinessDate, type Id, type Instant, type Minor } from '../kernel/index.js';
import { ACCOUNT_TYPES, type AccountType } from '../ledger/index.js';
import type { PayoutState } from '../payouts/index.js';
import { sql, type Tx } from '../runtime/index.js';
import type { WindDownState } from './states.js';

export interface WindDown {
  readonly id: Id;
  readonly platformId: Id;
  readonly state: WindDownState;
  /** Sealed: people write names. */
  readonly reasonSealed: string;
  /** From which business date on orders that nobody completes go back to their payers; null: from the approval on. */
  readonly ordersBackOn: BusinessDate | null;
  /** The public key of the custodian that the members move to (X25519, base64url); null: the money goes back to its owners. */
  readonly movesTo: string | null;
  readonly proposedBy: Id;
  readonly proposedMs: Instant;
  readonly decidedBy: Id | null;
  readonly decidedMs: Instant | null;
  /** The business date that was open when it was approved; what there was at the end of the one before is the start of the report. */
  readonly startedOn: BusinessDate | null;
  /** The last business date whose round went through to its end. */
  readonly roundedOn: BusinessDate | null;
  /** How many reports were made. */
  readonly reportNo: number;
  readonly closedMs: Instant | null;
}

interface WindDownRow {
  id: string;
  platform_id: string;
  state: WindDownState;
  reason_sealed: string;
  orders_back_on: BusinessDate | null;
  moves_to: string | null;
  proposed_by: string;
  proposed_ms: string;
  decided_by: string | null;
  decided_ms: string | null;
  started_on: BusinessDate | null;
  rounded_on: BusinessDate | null;
  report_no: number;
  closed_ms: string | null;
}

const instantOrNull = (text: string | null) => (text === null ? null : (Number(text) as Instant));

function windDownOf(row: WindDownRow): WindDown {
  return {
    id: asId(row.id),
    platformId: asId(row.platform_id),
    state: row.state,
    reasonSealed: row.reason_sealed,
    ordersBackOn: row.orders_back_on,
    movesTo: row.moves_to,
    proposedBy: asId(row.proposed_by),
    proposedMs: Number(row.proposed_ms) as Instant,
    decidedBy: row.decided_by === null ? null : asId(row.decided_by),
    decidedMs: instantOrNull(row.decided_ms),
    startedOn: row.started_on,
    roundedOn: row.rounded_on,
    reportNo: row.report_no,
    closedMs: instantOrNull(row.closed_ms),
  };
}

/** The wind-down of a platform that was not rejected; there is at most one. */
export async function findWindDown(tx: Tx, platformId: Id): Promise<WindDown | undefined> {
  const [row] = await tx.rows<WindDownRow>('SELECT * FROM wind_downs WHERE platform_id = ? AND live = 1', [platformId]);
  return row && windDownOf(row);
}

/** @throws a duplicate-key error when the platform has one that is not rejected */
export async function insertProposal(
  tx: Tx,
  of: Pick<WindDown, 'id' | 'platformId' | 'reasonSealed' | 'ordersBackOn' | 'movesTo' | 'proposedBy' | 'proposedMs'>,
): Promise<void> {
  await tx.write(
    `INSERT INTO wind_downs (id, platform_id, live, state, reason_sealed, orders_back_on, moves_to, proposed_by, proposed_ms, report_no)
     VALUES (?, ?, 1, 'proposed', ?, ?, ?, ?, ?, 0)`,
    [of.id, of.platformId, of.reasonSealed, of.ordersBackOn, of.movesTo, of.proposedBy, of.proposedMs],
  );
}

/** Answers false when another decided it first. @param startedOn undefined: rejected */
export async function decideProposal(
  tx: Tx,
  id: Id,
  { by, atMs, startedOn }: { by: Id; atMs: Instant; startedOn: BusinessDate | undefined },
): Promise<boolean> {
  const changed = await tx.write(
    "UPDATE wind_downs SET state = ?, live = ?, decided_by = ?, decided_ms = ?, started_on = ? WHERE id = ? AND state = 'proposed'",
    [startedOn === undefined ? 'rejected' : 'winding-up', startedOn === undefined ? null : 1, by, atMs, startedOn ?? null, id],
  );
  return changed === 1;
}

/** Platforms whose round of the open business date is not done. */
export async function roundsDue(tx: Tx): Promise<Id[]> {
  const rows = await tx.rows<{ platform_id: string }>(
    `SELECT w.platform_id FROM wind_downs AS w JOIN books AS b ON b.platform_id = w.platform_id
     WHERE w.state IN ('winding-up', 'settled') AND (w.rounded_on IS NULL OR w.rounded_on < b.business_date)`,
  );
  return rows.map((row) => asId(row.platform_id));
}

export async function setRounded(tx: Tx, id: Id, date: BusinessDate | null): Promise<void> {
  await tx.write('UPDATE wind_downs SET rounded_on = ? WHERE id = ?', [date, id]);
}

/** The next number of a report; whoever gets it holds the row until the commit. Undefined when another was quicker. */
export async function takeReportNo(tx: Tx, { id, reportNo }: Pick<WindDown, 'id' | 'reportNo'>): Promise<number | undefined> {
  const changed = await tx.write(
    "UPDATE wind_downs SET report_no = report_no + 1, state = 'settled' WHERE id = ? AND report_no = ? AND state IN ('winding-up', 'settled')",
    [id, reportNo],
  );
  return changed === 1 ? reportNo + 1 : undefined;
}

export interface ReportHead {
  readonly reportNo: number;
  readonly asOf: BusinessDate;
  /** The signed document, as canonical JSON. */
  readonly head: string;
  readonly madeMs: Instant;
}

export async function insertReport(tx: Tx, platformId: Id, { reportNo, asOf, head, madeMs }: ReportHead): Promise<void> {
  await tx.write('INSERT INTO wind_down_reports (platform_id, report_no, as_of, head, made_ms) VALUES (?, ?, ?, ?, ?)', [
    platformId,
    reportNo,
    asOf,
    head,
    madeMs,
  ]);
}

export async function findReport(tx: Tx, platformId: Id, reportNo: number): Promise<ReportHead | undefined> {
  const [row] = await tx.rows<{ report_no: number; as_of: BusinessDate; head: string; made_ms: string }>(
    'SELECT report_no, as_of, head, made_ms FROM wind_down_reports WHERE platform_id = ? AND report_no = ?',
    [platformId, reportNo],
  );
  return row && { reportNo: row.report_no, asOf: row.as_of, head: row.head, madeMs: Number(row.made_ms) as Instant };
}

export async function insertLines(
  tx: Tx,
  platformId: Id,
  reportNo: number,
  from: number,
  lines: readonly string[],
): Promise<void> {
  if (lines.length === 0) return;
  const rows = lines.map((line, place) => `${platformId},${reportNo},${from + place},${sql.text(line)}`);
  await tx.write(`INSERT INTO wind_down_lines (platform_id, report_no, place, line) VALUES ${sql.tuples(rows)}`);
}

export interface ReportLineRow {
  readonly place: number;
  readonly line: string;
}

export async function linesOf(tx: Tx, platformId: Id, reportNo: number, after: number, limit: number): Promise<ReportLineRow[]> {
  return tx.rows<ReportLineRow>(
    'SELECT place, line FROM wind_down_lines WHERE platform_id = ? AND report_no = ? AND place > ? ORDER BY place LIMIT ?',
    [platformId, reportNo, after, limit],
  );
}

/** Accounts with money, in the order of their ids. */
export async function accountsWithMoney(
  tx: Tx,
  platformId: Id,
  { type, after }: { readonly type: AccountType; readonly after: Id },
  limit: number,
): Promise<Id[]> {
  const rows = await tx.rows<{ id: string }>(
    'SELECT id FROM accounts WHERE platform_id = ? AND type = ? AND id > ? AND balance <> 0 ORDER BY id LIMIT ?',
    [platformId, type, after, limit],
  );
  return rows.map((row) => asId(row.id));
}

/** The last payment out of each account: what became of it, and to whom it went. */
export interface LastPayout {
  readonly state: PayoutState;
  readonly payee: string;
  readonly bankCode: string;
}

export async function lastPayouts(tx: Tx, accountIds: readonly Id[]): Promise<Map<Id, LastPayout>> {
  if (accountIds.length === 0) return new Map();
  const rows = await tx.rows<{ source_account_id: string; state: PayoutState; payee_account: string; payee_bank: string }>(
    `SELECT p.source_account_id, p.state, p.payee_account, p.payee_bank FROM payouts AS p
     JOIN (SELECT source_account_id, MAX(id) AS id FROM payouts
           WHERE source_account_id IN (${accountIds.join()}) AND purpose <> 'top-up' GROUP BY source_account_id) AS l ON l.id = p.id`,
  );
  return new Map(
    rows.map((row) => [asId(row.source_account_id), { state: row.state, payee: row.payee_account, bankCode: row.payee_bank }]),
  );
}

/** The numbers under which platform and bank know whose these accounts are. */
export async function ownersOf(tx: Tx, accountIds: readonly Id[]) {
  const list = accountIds.join();
  if (list === '') return { merchants: new Map(), users: new Map(), orders: new Map(), margins: new Map() };
  const merchants = await tx.rows<{ id: string; no: string }>(
    `SELECT account_id AS id, merchant_no AS no FROM sub_merchants WHERE account_id IN (${list})`,
  );
  const users = await tx.rows<{ id: string; no: string }>(
    `SELECT e.account_id AS id, u.user_no AS no FROM electronic_accounts AS e JOIN users AS u ON u.id = e.user_id WHERE e.account_id IN (${list})`,
  );
  const orders = await tx.rows<{ id: string; no: string; due_ms: string | null }>(
    `SELECT o.account_id AS id, o.order_no AS no, b.due_ms FROM orders AS o
     LEFT JOIN order_backgrounds AS b ON b.order_id = o.account_id WHERE o.account_id IN (${list})`,
  );
  const margins = await tx.rows<{ id: string; of: string; no: string }>(
    `SELECT m.margin_id AS id, m.account_id AS \`of\`, s.merchant_no AS no FROM margins AS m
     JOIN sub_merchants AS s ON s.account_id = m.account_id WHERE m.margin_id IN (${list})`,
  );
  return {
    merchants: new Map(merchants.map(({ id, no }) => [asId(id), no])),
    users: new Map(users.map(({ id, no }) => [asId(id), no])),
    orders: new Map(orders.map(({ id, no, due_ms: due }) => [asId(id), { no, dueMs: instantOrNull(due) }])),
    margins: new Map(margins.map(({ id, of, no }) => [asId(id), { of: asId(of), no }])),
  };
}

/** What became of instructions of the system, by their request numbers; null: received and not decided. */
export async function outcomesUnder(
  tx: Tx,
  platformId: Id,
  requestNos: readonly string[],
): Promise<Map<string, { readonly state: 'posted' | 'refused'; readonly code: string | null } | null>> {
  if (requestNos.length === 0) return new Map();
  const rows = await tx.rows<{ request_no: string; state: 'posted' | 'refused' | null; code: string | null }>(
    `SELECT i.request_no, o.state, o.code FROM instructions AS i LEFT JOIN outcomes AS o ON o.instruction_id = i.id
     WHERE i.platform_id = ? AND i.origin = 'S' AND i.request_no IN (${requestNos.map((no) => sql.text(no)).join()})`,
    [platformId],
  );
  return new Map(rows.map((row) => [row.request_no, row.state === null ? null : { state: row.state, code: row.code }]));
}

/** Whether a refund of the platform waits for money. */
export async function refundsWait(tx: Tx, platformId: Id): Promise<boolean> {
  const rows = await tx.rows<{ one: number }>(
    "SELECT 1 AS one FROM shortages WHERE platform_id = ? AND state IN ('waiting', 'trying') LIMIT 1",
    [platformId],
  );
  return rows.length > 0;
}

/** What crossed the wall of the custody account on business dates of a period, both inclusive: minor units, each positive. */
export interface Crossed {
  readonly cameIn: Minor;
  readonly cameBack: Minor;
  readonly wentOut: Minor;
}

export async function crossedBetween(tx: Tx, platformId: Id, from: BusinessDate, to: BusinessDate): Promise<Crossed> {
  const [row] = await tx.rows<{ came_in: string; came_back: string; went_out: string }>(
    `SELECT CAST(COALESCE(SUM(CASE WHEN b.amount > 0 AND i.kind <> 'payout-returned' THEN b.amount END), 0) AS CHAR) AS came_in,
            CAST(COALESCE(SUM(CASE WHEN b.amount > 0 AND i.kind = 'payout-returned' THEN b.amount END), 0) AS CHAR) AS came_back,
            CAST(COALESCE(-SUM(CASE WHEN b.amount < 0 THEN b.amount END), 0) AS CHAR) AS went_out
     FROM boundary AS b JOIN instructions AS i ON i.id = b.instruction_id
     WHERE b.platform_id = ? AND b.business_date BETWEEN ? AND ?`,
    [platformId, from, to],
  );
  return {
    cameIn: BigInt(row?.came_in ?? '0'),
    cameBack: BigInt(row?.came_back ?? '0'),
    wentOut: BigInt(row?.went_out ?? '0'),
  };
}

/** What was paid out of accounts since a business date and arrived, by account, each payout with its number. */
export async function settledPayouts(
  tx: Tx,
  accountIds: readonly Id[],
  from: BusinessDate,
): Promise<Map<Id, { readonly id: Id; readonly amount: Minor }[]>> {
  const found = new Map<Id, { id: Id; amount: Minor }[]>();
  if (accountIds.length === 0) return found;
  const rows = await tx.rows<{ id: string; source_account_id: string; amount: string }>(
    `SELECT id, source_account_id, amount FROM payouts WHERE source_account_id IN (${accountIds.join()}) AND state = 'settled'
     AND purpose <> 'top-up' AND business_date >= ? ORDER BY id`,
    [from],
  );
  for (const row of rows) {
    const account = asId(row.source_account_id);
    found.set(account, [...(found.get(account) ?? []), { id: asId(row.id), amount: BigInt(row.amount) }]);
  }
  return found;
}

/** What still keeps a book from being closed. */
export async function leftIn(tx: Tx, platformId: Id): Promise<{ readonly accounts: number; readonly underWay: number }> {
  const [accounts] = await tx.rows<{ n: number }>('SELECT COUNT(*) AS n FROM accounts WHERE platform_id = ? AND balance <> 0', [
    platformId,
  ]);
  const [underWay] = await tx.rows<{ n: number }>(
    "SELECT COUNT(*) AS n FROM payouts WHERE platform_id = ? AND state IN ('created', 'sent', 'unknown')",
    [platformId],
  );
  return { accounts: Number(accounts?.n ?? 0), underWay: Number(underWay?.n ?? 0) };
}

/**
 * Ends every account of a book at zero, and with them the members' places. The bank's working accounts stay: what was paid out may still come
 * back, and then waits on suspense, where two people send it on. Call it under the shard's lock.
 */
export async function endAccounts(tx: Tx, platformId: Id, { id, by, nowMs }: { id: Id; by: Id; nowMs: Instant }): Promise<void> {
  const ended = (Object.keys(ACCOUNT_TYPES) as AccountType[]).filter((type) => ACCOUNT_TYPES[type].belongsTo !== 'bank');
  await tx.write(
    `UPDATE accounts SET state = 'closed' WHERE platform_id = ? AND state <> 'closed' AND type IN (${ended.map(sql.text).join()})`,
    [platformId],
  );
  await tx.write('UPDATE sub_merchants SET closed_ms = ? WHERE platform_id = ? AND closed_ms IS NULL', [nowMs, platformId]);
  await tx.write("UPDATE electronic_accounts SET state = 'closed', closed_ms = ? WHERE platform_id = ? AND state <> 'closed'", [
    nowMs,
    platformId,
  ]);
  await tx.write("UPDATE wind_downs SET state = 'closed', closed_by = ?, closed_ms = ? WHERE id = ?", [by, nowMs, id]);
}

/** Whether any account of a platform has an entry of a business date, or a later one. */
export async function movedOn(tx: Tx, platformId: Id, date: BusinessDate): Promise<boolean> {
  const rows = await tx.rows<{ one: number }>(
    `SELECT 1 AS one FROM accounts AS a JOIN entries AS e ON e.account_id = a.id AND e.seq = a.entry_count
     WHERE a.platform_id = ? AND a.entry_count > 0 AND e.business_date >= ? LIMIT 1`,
    [platformId, date],
  );
  return rows.length > 0;
}
