import { asId, type BusinessDate, type Id, type Instant, type Minor } from '../kernel/index.js';
import type { AccountType } from '../ledger/index.js';
import type { Tx } from '../runtime/index.js';
import type { Quarter } from './rules.js';
import type { TaxState } from './states.js';
import type { TaxedInstruction } from './tax-rules.js';

/** The head of a version: what it adds up to. Its lines are made again from the books. */
export interface TaxReport {
  readonly platformId: Id;
  readonly quarter: Quarter;
  readonly version: number;
  readonly sellers: number;
  readonly gross: Minor;
  readonly refunds: Minor;
  /** Commission of the platform and fees of the sellers together. */
  readonly fees: Minor;
  /** Commission that no seller's income explains. */
  readonly unattributed: Minor;
  readonly digest: string;
  readonly state: TaxState;
  /** What the platform says to it, sealed. */
  readonly noteSealed: string | null;
  readonly madeMs: Instant;
}

interface ReportRow {
  platform_id: string;
  quarter: Quarter;
  version: number;
  line_count: number;
  gross: string;
  refunds: string;
  fees: string;
  unattributed: string;
  digest: Buffer;
  state: TaxState;
  note_sealed: string | null;
  made_ms: string;
}

const reportOf = (row: ReportRow): TaxReport => ({
  platformId: asId(row.platform_id),
  quarter: row.quarter,
  version: row.version,
  sellers: row.line_count,
  gross: BigInt(row.gross),
  refunds: BigInt(row.refunds),
  fees: BigInt(row.fees),
  unattributed: BigInt(row.unattributed),
  digest: row.digest.toString('hex'),
  state: row.state,
  noteSealed: row.note_sealed,
  madeMs: Number(row.made_ms) as Instant,
});

/** The versions of a quarter, the newest first. */
export async function taxVersions(tx: Tx, platformId: Id, quarter: Quarter): Promise<TaxReport[]> {
  const rows = await tx.rows<ReportRow>('SELECT * FROM tax_reports WHERE platform_id = ? AND quarter = ? ORDER BY version DESC', [
    platformId,
    quarter,
  ]);
  return rows.map(reportOf);
}

/** @throws a duplicate-key error when another made this version meanwhile */
export async function insertTaxReport(tx: Tx, of: Omit<TaxReport, 'state' | 'noteSealed'>): Promise<void> {
  await tx.write(
    `INSERT INTO tax_reports (platform_id, quarter, version, line_count, gross, refunds, fees, unattributed, digest, state, made_by, made_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'made', 0, ?)`,
    [
      of.platformId,
      of.quarter,
      of.version,
      of.sellers,
      String(of.gross),
      String(of.refunds),
      String(of.fees),
      String(of.unattributed),
      Buffer.from(of.digest, 'hex'),
      of.madeMs,
    ],
  );
}

/** The platform's answer to a version; false where it was answered before. */
export async function answerTaxReport(
  tx: Tx,
  of: Pick<TaxReport, 'platformId' | 'quarter' | 'version'>,
  answer: { state: TaxState; noteSealed: string | null; nowMs: Instant },
): Promise<boolean> {
  const changed = await tx.write(
    `UPDATE tax_reports SET state = ?, note_sealed = ?, answered_ms = ? WHERE platform_id = ? AND quarter = ? AND version = ? AND state = 'made'`,
    [answer.state, answer.noteSealed, answer.nowMs, of.platformId, of.quarter, of.version],
  );
  return changed === 1;
}

/** What two people correct of a seller's month. */
export interface TaxAdjustment {
  readonly id: Id;
  readonly platformId: Id;
  readonly quarter: Quarter;
  readonly merchantId: Id;
  readonly month: string;
  readonly gross: Minor;
  readonly refunds: Minor;
  readonly fees: Minor;
  /** Why, sealed. */
  readonly noteSealed: string;
  readonly proposedBy: Id;
  readonly decidedBy: Id | null;
  /** The first version that has it. */
  readonly version: number | null;
}

interface AdjustmentRow {
  id: string;
  platform_id: string;
  quarter: Quarter;
  merchant_id: string;
  month: string;
  gross: string;
  refunds: string;
  fees: string;
  note_sealed: string;
  proposed_by: string;
  decided_by: string | null;
  version: number | null;
}

const adjustmentOf = (row: AdjustmentRow): TaxAdjustment => ({
  id: asId(row.id),
  platformId: asId(row.platform_id),
  quarter: row.quarter,
  merchantId: asId(row.merchant_id),
  month: row.month,
  gross: BigInt(row.gross),
  refunds: BigInt(row.refunds),
  fees: BigInt(row.fees),
  noteSealed: row.note_sealed,
  proposedBy: asId(row.proposed_by),
  decidedBy: row.decided_by === null ? null : asId(row.decided_by),
  version: row.version,
});

export async function insertAdjustment(tx: Tx, of: TaxAdjustment, nowMs: Instant): Promise<void> {
  await tx.write(
    `INSERT INTO tax_adjustments (id, platform_id, quarter, merchant_id, month, gross, refunds, fees, note_sealed, proposed_by, proposed_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      ...[of.id, of.platformId, of.quarter, of.merchantId, of.month, String(of.gross), String(of.refunds), String(of.fees)],
      ...[of.noteSealed, of.proposedBy, nowMs],
    ],
  );
}

export async function findAdjustment(tx: Tx, id: Id): Promise<TaxAdjustment | undefined> {
  const [row] = await tx.rows<AdjustmentRow>('SELECT * FROM tax_adjustments WHERE id = ?', [id]);
  return row && adjustmentOf(row);
}

export async function approveAdjustment(tx: Tx, id: Id, by: Id, nowMs: Instant): Promise<boolean> {
  const changed = await tx.write(
    'UPDATE tax_adjustments SET decided_by = ?, decided_ms = ? WHERE id = ? AND decided_by IS NULL',
    [by, nowMs, id],
  );
  return changed === 1;
}

/** The approved adjustments of a quarter that a version has: those of versions up to it, and for a new one those without a version. */
export async function adjustmentsOf(tx: Tx, platformId: Id, quarter: Quarter): Promise<TaxAdjustment[]> {
  const rows = await tx.rows<AdjustmentRow>(
    'SELECT * FROM tax_adjustments WHERE platform_id = ? AND quarter = ? AND decided_by IS NOT NULL ORDER BY id',
    [platformId, quarter],
  );
  return rows.map(adjustmentOf);
}

/** They are in this version from now on; false where one of them is in another already. */
export async function takeAdjustments(tx: Tx, ids: readonly Id[], version: number): Promise<boolean> {
  if (ids.length === 0) return true;
  const taken = await tx.write(`UPDATE tax_adjustments SET version = ? WHERE id IN (${ids.join()}) AND version IS NULL`, [
    version,
  ]);
  return taken === ids.length;
}

/** A sub-merchant with the accounts on which his income stands. */
export interface Seller {
  readonly id: Id;
  readonly merchantNo: string;
  readonly partyId: Id;
  readonly accounts: readonly { readonly id: Id; readonly entries: number }[];
}

/**
 * Those that a platform had at any time of a quarter, in the order of their ids; also who was opened after midnight while its last business date
 * was still open, and has an entry of that date.
 */
export async function sellersOf(
  tx: Tx,
  platformId: Id,
  { fromMs, toMs, to }: { fromMs: Instant; toMs: Instant; to: BusinessDate },
  after: string,
  limit: number,
): Promise<Seller[]> {
  const rows = await tx.rows<{
    id: string;
    merchant_no: string;
    party_id: string;
    account_id: string;
    entry_count: string;
    margin_id: string | null;
    margin_entries: string | null;
  }>(
    `SELECT m.id, m.merchant_no, m.party_id, m.account_id, a.entry_count, g.margin_id, b.entry_count AS margin_entries
     FROM sub_merchants AS m JOIN accounts AS a ON a.id = m.account_id
     LEFT JOIN margins AS g ON g.account_id = m.account_id LEFT JOIN accounts AS b ON b.id = g.margin_id
     WHERE m.platform_id = ? AND m.id > ? AND (m.closed_ms IS NULL OR m.closed_ms >= ?) AND (m.opened_ms < ? OR
       EXISTS (SELECT 1 FROM entries AS e WHERE e.account_id = m.account_id AND e.seq = 1 AND e.business_date <= ?))
     ORDER BY m.id LIMIT ?`,
    [platformId, after, fromMs, toMs, to, limit],
  );
  return rows.map((row) => ({
    id: asId(row.id),
    merchantNo: row.merchant_no,
    partyId: asId(row.party_id),
    accounts: [
      { id: asId(row.account_id), entries: Number(row.entry_count) },
      ...(row.margin_id === null ? [] : [{ id: asId(row.margin_id), entries: Number(row.margin_entries ?? 0) }]),
    ],
  }));
}

export interface DatedInstruction extends TaxedInstruction {
  readonly date: BusinessDate;
  /** The accounts of sellers that have an entry in it. */
  readonly accounts: readonly Id[];
}

/** What stands on an account from one place on, and what the same instructions did to sellers and the platform. */
export async function taxedPage(tx: Tx, account: Id, from: number, before: number): Promise<DatedInstruction[]> {
  const own = await tx.rows<{ instruction_id: string; business_date: BusinessDate; kind: string }>(
    `SELECT e.instruction_id, e.business_date, i.kind FROM entries AS e JOIN instructions AS i ON i.id = e.instruction_id
     WHERE e.account_id = ? AND e.seq >= ? AND e.seq < ? ORDER BY e.seq`,
    [account, from, before],
  );
  if (own.length === 0) return [];
  const rows = await tx.rows<{
    instruction_id: string;
    account_id: string;
    amount: string;
    type: AccountType;
    seller: string | null;
  }>(
    `SELECT e.instruction_id, e.account_id, e.amount, a.type, COALESCE(m.id, n.id) AS seller
     FROM entries AS e JOIN accounts AS a ON a.id = e.account_id
     LEFT JOIN sub_merchants AS m ON m.account_id = e.account_id
     LEFT JOIN margins AS g ON g.margin_id = e.account_id LEFT JOIN sub_merchants AS n ON n.account_id = g.account_id
     WHERE e.instruction_id IN (${own.map((row) => row.instruction_id).join()})
       AND a.type IN ('order', 'escrow', 'fees', 'commission', 'sub', 'margin') ORDER BY e.instruction_id, e.account_id`,
  );
  const byInstruction = new Map<string, typeof rows>();
  for (const row of rows) byInstruction.set(row.instruction_id, [...(byInstruction.get(row.instruction_id) ?? []), row]);
  return own.map(({ instruction_id, business_date: date, kind }) => {
    const entries = byInstruction.get(instruction_id) ?? [];
    const sumOf = (type: AccountType) =>
      entries.filter((entry) => entry.type === type).reduce((sum, entry) => sum + BigInt(entry.amount), 0n);
    const sellers = new Map<string, Minor>();
    for (const { seller, amount } of entries)
      if (seller !== null) sellers.set(seller, (sellers.get(seller) ?? 0n) + BigInt(amount));
    return {
      ...{ date, kind, commission: sumOf('commission'), fees: sumOf('fees') },
      ofOrder: kind === 'refund' || entries.some(({ type }) => type === 'order' || type === 'escrow'),
      sellers: [...sellers].sort(([a], [b]) => (a < b ? -1 : 1)).map(([seller, amount]) => ({ seller, amount })),
      accounts: entries.filter(({ seller }) => seller !== null).map((entry) => asId(entry.account_id)),
    };
  });
}

/** By month: from how many orders a seller got something. */
export async function ordersByMonth(tx: Tx, account: Id, from: number, before: number): Promise<Map<string, number>> {
  const rows = await tx.rows<{ month: string; orders: string }>(
    `SELECT SUBSTR(e.business_date, 1, 7) AS month, CAST(COUNT(DISTINCT o.account_id) AS CHAR) AS orders
     FROM entries AS e JOIN instructions AS i ON i.id = e.instruction_id AND i.kind <> 'correction'
     JOIN entries AS o ON o.instruction_id = e.instruction_id
     JOIN accounts AS a ON a.id = o.account_id AND a.type IN ('order', 'escrow')
     WHERE e.account_id = ? AND e.seq >= ? AND e.seq < ? AND e.amount > 0 GROUP BY SUBSTR(e.business_date, 1, 7)`,
    [account, from, before],
  );
  return new Map(rows.map(({ month, orders }) => [month, Number(orders)]));
}

/** What orders brought the platform's commission account from one place of it to another, less what went back. */
export async function commissionOfOrders(tx: Tx, account: Id, from: number, before: number): Promise<Minor> {
  const [row] = await tx.rows<{ total: string | null }>(
    `SELECT CAST(SUM(e.amount) AS CHAR) AS total FROM entries AS e WHERE e.account_id = ? AND e.seq >= ? AND e.seq < ? AND (
       EXISTS (SELECT 1 FROM instructions AS i WHERE i.id = e.instruction_id AND i.kind = 'refund') OR
       EXISTS (SELECT 1 FROM entries AS o JOIN accounts AS a ON a.id = o.account_id AND a.type IN ('order', 'escrow')
               WHERE o.instruction_id = e.instruction_id))`,
    [account, from, before],
  );
  return BigInt(row?.total ?? '0');
}

export async function entryCount(tx: Tx, account: Id): Promise<number> {
  const [row] = await tx.rows<{ entry_count: string }>('SELECT entry_count FROM accounts WHERE id = ?', [account]);
  return Number(row?.entry_count ?? 0);
}

/** Platforms whose books are past a date and that were there on it, in the order of their ids. */
export async function platformsPast(tx: Tx, date: BusinessDate, openedBefore: Instant): Promise<Id[]> {
  const rows = await tx.rows<{ id: string }>(
    `SELECT b.platform_id AS id FROM books AS b JOIN platforms AS p ON p.id = b.platform_id
     WHERE b.business_date > ? AND p.created_ms < ? ORDER BY b.platform_id`,
    [date, openedBefore],
  );
  return rows.map(({ id }) => asId(id));
}

export async function sellerOfPlatform(tx: Tx, platformId: Id, merchantId: Id): Promise<boolean> {
  return (await tx.rows('SELECT id FROM sub_merchants WHERE id = ? AND platform_id = ?', [merchantId, platformId])).length === 1;
}
