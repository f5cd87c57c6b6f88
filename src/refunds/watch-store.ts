import { agreementRecords, versionOn } from '../agreements/index.js';
import { asId, type BusinessDate, type Id, type Instant, type Minor } from '../kernel/index.js';
import type { Tx } from '../runtime/index.js';

/** What is to stay on an account, and below what its platform is told. Minor units; 0: nothing. */
export interface Watch {
  readonly accountId: Id;
  readonly platformId: Id;
  /** What the platform keeps back from the clearing, where no agreement says how much. */
  readonly reserve: Minor;
  /** What the bank keeps back, whatever was agreed. */
  readonly bankReserve: Minor;
  /** Less than this available: low. */
  readonly alert: Minor;
  /** Since when it is low and its platform was told; null: it is not. */
  readonly lowMs: Instant | null;
}

interface WatchRow {
  account_id: string;
  platform_id: string;
  reserve: string;
  bank_reserve: string;
  alert: string;
  low_ms: string | null;
}

function watchOf(row: WatchRow): Watch {
  return {
    accountId: asId(row.account_id),
    platformId: asId(row.platform_id),
    reserve: BigInt(row.reserve),
    bankReserve: BigInt(row.bank_reserve),
    alert: BigInt(row.alert),
    lowMs: row.low_ms === null ? null : (Number(row.low_ms) as Instant),
  };
}

/** What is watched of an account; of one that nobody watches, nothing. */
export async function watchOn(tx: Tx, accountId: Id, platformId: Id): Promise<Watch> {
  const [row] = await tx.rows<WatchRow>('SELECT * FROM account_watches WHERE account_id = ?', [accountId]);
  return row === undefined ? { accountId, platformId, reserve: 0n, bankReserve: 0n, alert: 0n, lowMs: null } : watchOf(row);
}

/** Keeps what is watched; whether the account is low is found out by `noteLowBalances`. Call it under the shard's lock. */
export async function saveWatch(
  tx: Tx,
  { accountId, platformId, reserve, bankReserve, alert }: Omit<Watch, 'lowMs'>,
): Promise<void> {
  await tx.write(
    `INSERT INTO account_watches (account_id, platform_id, reserve, bank_reserve, alert, low_ms) VALUES (?, ?, ?, ?, ?, NULL)
     ON DUPLICATE KEY UPDATE reserve = VALUES(reserve), bank_reserve = VALUES(bank_reserve),
       low_ms = IF(VALUES(alert) = 0, NULL, low_ms), alert = VALUES(alert)`,
    [accountId, platformId, String(reserve), String(bankReserve), String(alert)],
  );
}

/** The watched accounts of a platform in the order in which they were opened, all or those that are low. */
export async function listWatches(
  tx: Tx,
  { platformId, after, low }: { platformId: Id; after: Id | undefined; low: boolean },
  limit: number,
): Promise<Watch[]> {
  const rows = await tx.rows<WatchRow>(
    `SELECT * FROM account_watches WHERE platform_id = ? AND account_id > ? ${low ? 'AND low_ms IS NOT NULL' : ''} ORDER BY account_id LIMIT ?`,
    [platformId, after ?? '0', limit],
  );
  return rows.map(watchOf);
}

/** What the clearing leaves on a sub-merchant's account, and who says so. Minor units. */
export interface Reserve {
  /** By the agreement in force; null: none is. */
  readonly agreed: Minor | null;
  readonly platform: Minor;
  readonly bank: Minor;
  /** What was agreed or else what the platform says, and never less than the bank says. */
  readonly inForce: Minor;
}

/** The reserves of these accounts on a date. */
export async function reservesOn(tx: Tx, accountIds: readonly Id[], date: BusinessDate): Promise<Map<Id, Reserve>> {
  if (accountIds.length === 0) return new Map();
  const agreements = await agreementRecords.load(tx, accountIds);
  const rows = await tx.rows<WatchRow>(`SELECT * FROM account_watches WHERE account_id IN (${accountIds.join()})`);
  const watches = new Map(rows.map(watchOf).map((watch) => [watch.accountId, watch]));
  return new Map(
    accountIds.map((id) => {
      const agreement = agreements.get(id);
      const agreed = (agreement && versionOn(agreement, date))?.terms.reserve ?? null;
      const { reserve: platform, bankReserve: bank } = watches.get(id) ?? { reserve: 0n, bankReserve: 0n };
      const said = agreed ?? platform;
      return [id, { agreed, platform, bank, inForce: said > bank ? said : bank }] as const;
    }),
  );
}

const AVAILABLE = 'a.balance - a.held - LEAST(a.claimed, a.balance - a.held)';
/** The accounts that are low and not noted as such, or the other way round. */
const CROSSED = `account_watches AS w JOIN accounts AS a ON a.id = w.account_id
  WHERE w.alert > 0 AND a.state <> 'closed' AND (w.low_ms IS NULL) = (${AVAILABLE} < w.alert)`;

/**
 * Notes which of these accounts fell below what their platforms want to be told of, or are above it again. Call it under the shard's lock.
 * @returns those that fell below it, each once until it is above again
 */
export async function noteLowBalances(
  tx: Tx,
  accountIds: readonly Id[] | 'all',
  { shardId, nowMs }: { readonly shardId: number; readonly nowMs: Instant },
): Promise<{ accountId: Id; platformId: Id }[]> {
  if (accountIds.length === 0) return [];
  const watched = await tx.rows('SELECT 1 FROM account_watches WHERE alert > 0 LIMIT 1');
  if (watched.length === 0) return [];
  const within =
    accountIds === 'all'
      ? `w.platform_id IN (SELECT platform_id FROM books WHERE shard_id = ${shardId})`
      : `w.account_id IN (${accountIds.join()})`;
  const rows = await tx.rows<Pick<WatchRow, 'account_id' | 'platform_id' | 'low_ms'>>(
    `SELECT w.account_id, w.platform_id, w.low_ms FROM ${CROSSED} AND ${within} ORDER BY w.account_id`,
  );
  if (rows.length === 0) return [];
  const ids = rows.map((row) => row.account_id);
  await tx.write(`UPDATE account_watches SET low_ms = IF(low_ms IS NULL, ?, NULL) WHERE account_id IN (${ids.join()})`, [nowMs]);
  return rows
    .filter((row) => row.low_ms === null)
    .map((row) => ({ accountId: asId(row.account_id), platformId: asId(row.platform_id) }));
}

/** Shards with accounts that crossed their mark by something that was no instruction: a freeze, or a new mark. */
export async function shardsWithCrossings(tx: Tx): Promise<number[]> {
  const rows = await tx.rows<{ shard_id: number }>(
    `SELECT DISTINCT b.shard_id FROM books AS b WHERE b.platform_id IN (SELECT w.platform_id FROM ${CROSSED})`,
  );
  return rows.map((row) => row.shard_id);
}

/**
 * What of these accounts the clearing leaves where it is, in minor units: their reserves of that date, and what refunds that wait want of
 * them, which else would never be there.
 */
export async function keptBack(tx: Tx, accountIds: readonly Id[], date: BusinessDate): Promise<Map<Id, Minor>> {
  const kept = new Map<Id, Minor>();
  for (const [id, { inForce }] of await reservesOn(tx, accountIds, date)) if (inForce > 0n) kept.set(id, inForce);
  for (const [id, wanted] of await wantedByRefunds(tx, accountIds)) kept.set(id, (kept.get(id) ?? 0n) + wanted);
  return kept;
}

/** What refunds that wait want of these accounts of receivers, in minor units; without those of which nothing is wanted. */
export async function wantedByRefunds(tx: Tx, accountIds: readonly Id[]): Promise<Map<Id, Minor>> {
  if (accountIds.length === 0) return new Map();
  const rows = await tx.rows<{ waiting_on: string; wanted: string }>(
    `SELECT waiting_on, CAST(SUM(wanted) AS CHAR) AS wanted FROM shortage_lines
     WHERE waiting_on IN (${accountIds.join()}) AND role = 'receiver' GROUP BY waiting_on`,
  );
  return new Map(rows.map((row) => [asId(row.waiting_on), BigInt(row.wanted)]));
}
