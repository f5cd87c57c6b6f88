import { asId, type BusinessDate, type Id, type Instant, invariant, type Minor } from '../kernel/index.js';
import { frozenOf, loadAccounts, loadBook } from '../ledger/index.js';
import { sql, type Tx } from '../runtime/index.js';
import {
  type ClaimRow,
  claimOf,
  claimQueueRecords,
  type Deduction,
  type DeductionRow,
  type Dispute,
  deductionOf,
  disputeOf,
  disputeRecords,
} from './records.js';
import { type Claim, type ClaimQueue, heldByClaims } from './rules.js';
import type { FreezeState } from './states.js';

/** What an authority ordered for one account. Its amounts are those of its claim. */
export interface Freeze {
  readonly id: Id;
  readonly accountId: Id;
  readonly platformId: Id;
  readonly authority: string;
  readonly documentNo: string;
  /** All that is there and comes in. */
  readonly whole: boolean;
  readonly from: BusinessDate;
  /** Its last day. */
  readonly until: BusinessDate;
  readonly state: FreezeState;
  readonly createdMs: Instant;
  readonly createdBy: Id;
  readonly endedMs: Instant | null;
  /** The first moment at which it has ended by itself. */
  readonly dueMs: Instant;
}

interface FreezeRow {
  id: string;
  account_id: string;
  platform_id: string;
  authority: string;
  document_no: string;
  whole: number;
  from_date: BusinessDate;
  until_date: BusinessDate;
  state: FreezeState;
  created_ms: string;
  created_by: string;
  ended_ms: string | null;
  due_ms: string | null;
}

function freezeOf(row: FreezeRow): Freeze {
  return {
    id: asId(row.id),
    accountId: asId(row.account_id),
    platformId: asId(row.platform_id),
    authority: row.authority,
    documentNo: row.document_no,
    whole: row.whole === 1,
    from: row.from_date,
    until: row.until_date,
    state: row.state,
    createdMs: Number(row.created_ms) as Instant,
    createdBy: asId(row.created_by),
    endedMs: row.ended_ms === null ? null : (Number(row.ended_ms) as Instant),
    dueMs: Number(row.due_ms ?? 0) as Instant,
  };
}

export async function saveFreeze(tx: Tx, f: Freeze): Promise<void> {
  const due = f.state === 'active' ? f.dueMs : null;
  await tx.write(
    `INSERT INTO judicial_freezes (id, account_id, platform_id, authority, document_no, whole, from_date, until_date, state, created_ms,
       created_by, ended_ms, due_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON DUPLICATE KEY UPDATE until_date = VALUES(until_date), state = VALUES(state), ended_ms = VALUES(ended_ms), due_ms = VALUES(due_ms)`,
    [
      ...[f.id, f.accountId, f.platformId, f.authority, f.documentNo, f.whole ? 1 : 0, f.from, f.until, f.state],
      ...[f.createdMs, f.createdBy, f.endedMs, due],
    ],
  );
}

export async function findFreeze(tx: Tx, id: Id): Promise<Freeze | undefined> {
  const [row] = await tx.rows<FreezeRow>('SELECT * FROM judicial_freezes WHERE id = ?', [id]);
  return row && freezeOf(row);
}

export async function freezeByDocument(tx: Tx, accountId: Id, documentNo: string): Promise<Freeze | undefined> {
  const [row] = await tx.rows<FreezeRow>('SELECT * FROM judicial_freezes WHERE account_id = ? AND document_no = ?', [
    accountId,
    documentNo,
  ]);
  return row && freezeOf(row);
}

export async function freezesByIds(tx: Tx, ids: readonly Id[]): Promise<Map<Id, Freeze>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.rows<FreezeRow>(`SELECT * FROM judicial_freezes WHERE id IN (${ids.join()})`);
  return new Map(rows.map((row) => [asId(row.id), freezeOf(row)]));
}

/** All that was ever ordered for an account, in the order of arrival. */
export async function freezesOn(tx: Tx, accountId: Id): Promise<Freeze[]> {
  const rows = await tx.rows<FreezeRow>(
    `SELECT f.* FROM judicial_freezes AS f JOIN claims AS c ON c.ref_id = f.id WHERE f.account_id = ? ORDER BY c.place`,
    [accountId],
  );
  return rows.map(freezeOf);
}

/** Freezes whose last day is over, for the sweep. */
export async function expiredFreezes(tx: Tx, nowMs: Instant, limit: number): Promise<Freeze[]> {
  const rows = await tx.rows<FreezeRow>('SELECT * FROM judicial_freezes WHERE due_ms <= ? ORDER BY due_ms LIMIT ?', [
    nowMs,
    limit,
  ]);
  return rows.map(freezeOf);
}

/** What a document changed about a freeze. */
export interface JudicialOrder {
  readonly id: Id;
  readonly freezeId: Id;
  readonly what: 'renew' | 'lift';
  readonly documentNo: string;
  readonly amount: Minor | null;
  readonly until: BusinessDate | null;
  readonly givenBy: Id;
  readonly givenMs: Instant;
}

export async function insertJudicialOrder(tx: Tx, of: JudicialOrder): Promise<void> {
  await tx.write(
    `INSERT INTO judicial_orders (id, freeze_id, what, document_no, amount, until_date, given_by, given_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    [of.id, of.freezeId, of.what, of.documentNo, of.amount === null ? null : String(of.amount), of.until, of.givenBy, of.givenMs],
  );
}

export async function judicialOrdersOf(tx: Tx, freezeId: Id): Promise<JudicialOrder[]> {
  const rows = await tx.rows<{
    id: string;
    what: 'renew' | 'lift';
    document_no: string;
    amount: string | null;
    until_date: BusinessDate | null;
    given_by: string;
    given_ms: string;
  }>('SELECT * FROM judicial_orders WHERE freeze_id = ? ORDER BY id', [freezeId]);
  return rows.map((row) => ({
    id: asId(row.id),
    freezeId,
    what: row.what,
    documentNo: row.document_no,
    amount: row.amount === null ? null : BigInt(row.amount),
    until: row.until_date,
    givenBy: asId(row.given_by),
    givenMs: Number(row.given_ms) as Instant,
  }));
}

/** A deduction with what became of its instruction and its payout. */
export interface DeductionView {
  readonly deduction: Deduction;
  readonly outcome: { readonly state: 'posted' | 'refused'; readonly code: string | null } | undefined;
  readonly payoutState: string | null;
}

const WITH_RESULT = `SELECT d.*, o.state AS outcome, o.code, p.state AS payout_state FROM judicial_deductions AS d
  LEFT JOIN outcomes AS o ON o.instruction_id = d.instruction_id LEFT JOIN payouts AS p ON p.id = d.payout_id`;

interface ResultRow extends DeductionRow {
  outcome: 'posted' | 'refused' | null;
  code: string | null;
  payout_state: string | null;
}

function viewOf(row: ResultRow): DeductionView {
  const outcome = row.outcome === null ? undefined : { state: row.outcome, code: row.code };
  return { deduction: deductionOf(row), outcome, payoutState: row.payout_state };
}

export async function findDeduction(tx: Tx, id: Id): Promise<DeductionView | undefined> {
  const [row] = await tx.rows<ResultRow>(`${WITH_RESULT} WHERE d.id = ?`, [id]);
  return row && viewOf(row);
}

export async function deductionsOf(tx: Tx, freezeId: Id): Promise<DeductionView[]> {
  return (await tx.rows<ResultRow>(`${WITH_RESULT} WHERE d.freeze_id = ? ORDER BY d.id`, [freezeId])).map(viewOf);
}

/** The open claims on an account with what each of them has. Call it in a snapshot or under the shard's lock. */
export async function claimsOn(tx: Tx, platformId: Id, accountId: Id) {
  const queue = (await claimQueueRecords.load(tx, [accountId])).get(accountId);
  const { businessDate } = await loadBook(tx, platformId);
  const account = (await loadAccounts(tx, [accountId], () => businessDate)).get(accountId);
  invariant(queue && account, `account ${accountId} has a queue of claims`);
  return { queue, account, held: heldByClaims(queue, frozenOf(account)) };
}

/** The claim of a freeze, also when it has ended. */
export async function claimOfFreeze(tx: Tx, { id, accountId }: Freeze): Promise<Claim> {
  const [row] = await tx.rows<ClaimRow>('SELECT * FROM claims WHERE ref_id = ? AND account_id = ?', [id, accountId]);
  invariant(row, `freeze ${id} has its claim`);
  return claimOf(row);
}

export async function saveQueue(tx: Tx, queue: ClaimQueue): Promise<void> {
  const statement = claimQueueRecords.saving([queue]);
  if (statement !== undefined) await tx.write(statement);
}

export async function findDispute(tx: Tx, id: Id): Promise<Dispute | undefined> {
  return (await disputeRecords.load(tx, [id])).get(id);
}

/** Disputes of a platform in the order in which they were opened. */
export async function listDisputes(
  tx: Tx,
  of: { platformId: Id; orderNo?: string | undefined; after?: Id | undefined },
  limit: number,
): Promise<Dispute[]> {
  const also = of.orderNo === undefined ? '' : ` AND order_no = ${sql.text(of.orderNo)}`;
  const rows = await tx.rows<Parameters<typeof disputeOf>[0]>(
    `SELECT * FROM disputes WHERE platform_id = ? AND id > ?${also} ORDER BY id LIMIT ?`,
    [of.platformId, of.after ?? '0', limit],
  );
  return rows.map(disputeOf);
}

/** Open disputes past their deadline, for the sweep. */
export async function lapsedDisputes(tx: Tx, nowMs: Instant, limit: number): Promise<Dispute[]> {
  const rows = await tx.rows<Parameters<typeof disputeOf>[0]>(
    'SELECT * FROM disputes WHERE due_ms <= ? ORDER BY due_ms LIMIT ?',
    [nowMs, limit],
  );
  return rows.map(disputeOf);
}
