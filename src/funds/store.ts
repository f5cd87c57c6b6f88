import type { BusinessDate, Id, Instant, Minor } from '../kernel/index.js';
import type { Tx } from '../runtime/index.js';
import {
  type Fund,
  type FundDay,
  type FundDayRow,
  type FundOrder,
  type FundOrderRow,
  type FundRow,
  fundDayOf,
  fundOf,
  fundOrderOf,
  type Holding,
  type HoldingRow,
  holdingOf,
} from './records.js';
import type { FundOrderState } from './states.js';

/** The catalogue, by code. */
export async function listFunds(tx: Tx): Promise<Fund[]> {
  return (await tx.rows<FundRow>('SELECT * FROM funds ORDER BY code')).map(fundOf);
}

export async function findFund(tx: Tx, code: string): Promise<Fund | undefined> {
  const [row] = await tx.rows<FundRow>('SELECT * FROM funds WHERE code = ?', [code]);
  return row && fundOf(row);
}

/** Writes an entry of the catalogue as it was approved. */
export async function saveFund(tx: Tx, fund: Fund): Promise<void> {
  await tx.write(
    `INSERT INTO funds (code, name, company, kind, custody_name_sealed, custody_account_sealed, custody_bank, settles_in, sells)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE name = VALUES(name), company = VALUES(company),
     custody_name_sealed = VALUES(custody_name_sealed), custody_account_sealed = VALUES(custody_account_sealed),
     custody_bank = VALUES(custody_bank), settles_in = VALUES(settles_in), sells = VALUES(sells)`,
    [
      ...[fund.code, fund.name, fund.company, fund.kind, fund.custody.name, fund.custody.account, fund.custody.bankCode],
      ...[fund.settlesIn, fund.sells ? 1 : 0],
    ],
  );
}

/** The latest day of a fund, or the latest before a date. */
export async function lastFundDay(tx: Tx, fund: string, before?: BusinessDate): Promise<FundDay | undefined> {
  const [row] = await tx.rows<FundDayRow>(
    `SELECT * FROM fund_days WHERE fund_code = ?${before === undefined ? '' : ' AND fund_date < ?'} ORDER BY fund_date DESC LIMIT 1`,
    before === undefined ? [fund] : [fund, before],
  );
  return row && fundDayOf(row);
}

/** @throws a duplicate-key error when the company said something of this day before */
export async function insertFundDay(tx: Tx, day: FundDay, nowMs: Instant): Promise<void> {
  await tx.write(
    'INSERT INTO fund_days (fund_code, fund_date, from_date, nav, per_10k, seven_day, taken_ms) VALUES (?, ?, ?, ?, ?, ?, ?)',
    [
      ...[day.fund, day.date, day.from, String(day.nav), day.per10k === null ? null : String(day.per10k)],
      ...[day.sevenDay === null ? null : String(day.sevenDay), nowMs],
    ],
  );
}

export interface FundOrderFilter {
  readonly shardId?: number | undefined;
  readonly platformId?: Id | undefined;
  readonly accountId?: Id | undefined;
  readonly customerId?: Id | undefined;
  readonly fund?: string | undefined;
  readonly states?: readonly FundOrderState[] | undefined;
  readonly direction?: FundOrder['direction'] | undefined;
  /** Of this trading day or an earlier one. */
  readonly tradedUntil?: BusinessDate | undefined;
  /** Purchases whose money the company is to have by this date. */
  readonly settlesUntil?: BusinessDate | undefined;
  /** Whether anything of the collection account is theirs. */
  readonly collected?: boolean | undefined;
  readonly after?: Id | undefined;
}

/** Orders in the order they were made. */
export async function listFundOrders(tx: Tx, filter: FundOrderFilter, limit: number): Promise<FundOrder[]> {
  const conditions = ['id > ?'];
  const values: unknown[] = [filter.after ?? '0'];
  for (const [condition, value] of [
    ['shard_id = ?', filter.shardId],
    ['platform_id = ?', filter.platformId],
    ['account_id = ?', filter.accountId],
    ['customer_id = ?', filter.customerId],
    ['fund_code = ?', filter.fund],
    ['state IN (?)', filter.states],
    ['direction = ?', filter.direction],
    ['trading_date <= ?', filter.tradedUntil],
    ['settles_on <= ?', filter.settlesUntil],
  ]) {
    if (value === undefined) continue;
    conditions.push(condition as string);
    values.push(value);
  }
  if (filter.collected !== undefined) conditions.push(filter.collected ? 'collected > 0' : 'collected = 0');
  const rows = await tx.rows<FundOrderRow>(`SELECT * FROM fund_orders WHERE ${conditions.join(' AND ')} ORDER BY id LIMIT ?`, [
    ...values,
    limit,
  ]);
  return rows.map(fundOrderOf);
}

export async function findFundOrder(tx: Tx, id: Id): Promise<FundOrder | undefined> {
  const [row] = await tx.rows<FundOrderRow>('SELECT * FROM fund_orders WHERE id = ?', [id]);
  return row && fundOrderOf(row);
}

/**
 * The orders stand in the file of their trading day now; answers how many were still to be sent. Under the shard's row, in the transaction in
 * which the file is kept: whoever decides about one of them sees the one or the other.
 */
export async function markFundOrdersSent(tx: Tx, ids: readonly Id[], nowMs: Instant): Promise<number> {
  if (ids.length === 0) return 0;
  return tx.write(
    `UPDATE fund_orders SET state = 'sent', attempts = attempts + 1, changed_ms = ? WHERE state = 'created' AND id IN (${ids.join()})`,
    [nowMs],
  );
}

export interface HoldingFilter {
  readonly platformId?: Id | undefined;
  readonly accountId?: Id | undefined;
  readonly customerId?: Id | undefined;
  readonly fund?: string | undefined;
  /** Only those with units whose income of this day, or of one before it, is missing. */
  readonly lacksIncomeOf?: BusinessDate | undefined;
  /** Only those behind this account. */
  readonly after?: Id | undefined;
}

/** Holdings by account and fund. */
export async function listHoldings(tx: Tx, filter: HoldingFilter, limit: number): Promise<Holding[]> {
  const conditions = ['1 = 1'];
  const values: unknown[] = [];
  for (const [condition, value] of [
    ['account_id > ?', filter.after],
    ['platform_id = ?', filter.platformId],
    ['account_id = ?', filter.accountId],
    ['customer_id = ?', filter.customerId],
    ['fund_code = ?', filter.fund],
    ['units > 0 AND income_to < ?', filter.lacksIncomeOf],
  ]) {
    if (value === undefined) continue;
    conditions.push(condition as string);
    values.push(value);
  }
  const rows = await tx.rows<HoldingRow>(
    `SELECT * FROM fund_holdings WHERE ${conditions.join(' AND ')} ORDER BY account_id, fund_code LIMIT ?`,
    [...values, limit],
  );
  return rows.map(holdingOf);
}

/** What stands on a platform's collection account, what of it its orders say is theirs, and what of the bank's money is advanced. Minor units. */
export interface FundFigures {
  readonly collection: Minor;
  readonly collected: Minor;
  readonly advance: Minor;
  readonly advanced: Minor;
  /** What redemptions that were paid at once and are not repaid add up to: it is what is advanced. */
  readonly repayable: Minor;
}

/** Undefined where the platform's book has no such accounts. In one snapshot, so that they can be compared. */
export async function fundFigures(tx: Tx, platformId: Id): Promise<FundFigures | undefined> {
  const [row] = await tx.rows<Record<keyof FundFigures, string>>(
    `SELECT c.balance AS collection, a.balance AS advance, b.advanced,
       (SELECT COALESCE(SUM(o.collected), 0) FROM fund_orders AS o WHERE o.platform_id = b.platform_id AND o.collected > 0) AS collected,
       (SELECT COALESCE(SUM(o.units), 0) FROM fund_orders AS o WHERE o.platform_id = b.platform_id AND o.way = 'fast'
         AND o.state IN ('created', 'sent', 'confirmed')) AS repayable
     FROM fund_books AS b JOIN accounts AS c ON c.id = b.collection_id JOIN accounts AS a ON a.id = b.advance_id
     WHERE b.platform_id = ?`,
    [platformId],
  );
  if (row === undefined) return undefined;
  const of = (name: keyof FundFigures) => BigInt(row[name]);
  return {
    ...{ collection: of('collection'), collected: of('collected'), advance: of('advance') },
    ...{ advanced: of('advanced'), repayable: of('repayable') },
  };
}

/** What of a platform's customers is in funds, though not on any account. */
export interface InFunds {
  /** Holdings that have units, or wait for units or money. */
  readonly holdings: number;
  /** Orders whose units or money are not where they belong yet. */
  readonly orders: number;
}

export async function inFunds(tx: Tx, platformId: Id): Promise<InFunds> {
  const [row] = await tx.rows<Record<keyof InFunds, string>>(
    `SELECT (SELECT COUNT(*) FROM accounts AS a JOIN fund_holdings AS h ON h.account_id = a.id
         WHERE a.platform_id = ? AND (h.units > 0 OR h.pending > 0 OR h.due > 0)) AS holdings,
       (SELECT COUNT(*) FROM fund_orders WHERE platform_id = ? AND state IN ('waiting', 'created', 'sent', 'confirmed')) AS orders`,
    [platformId, platformId],
  );
  return { holdings: Number(row?.holdings ?? 0), orders: Number(row?.orders ?? 0) };
}
