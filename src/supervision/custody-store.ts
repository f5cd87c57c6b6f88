import type { BusinessDate, Id, Instant, Minor } from '../kernel/index.js';
import type { Tx } from '../runtime/index.js';

/** A report as it was signed. */
export interface KeptReport {
  readonly version: number;
  /** JSON of the signed report. */
  readonly body: string;
  readonly hash: string;
}

export interface Period {
  readonly platformId: Id;
  readonly from: BusinessDate;
  readonly to: BusinessDate;
}

/** The last version of a period's report. */
export async function latestReport(tx: Tx, { platformId, from, to }: Period): Promise<KeptReport | undefined> {
  const [row] = await tx.rows<KeptReport>(
    `SELECT version, body, hash FROM custody_reports WHERE platform_id = ? AND from_date = ? AND to_date = ?
     ORDER BY version DESC LIMIT 1`,
    [platformId, from, to],
  );
  return row;
}

/** @throws a duplicate-key error when another made this version meanwhile */
export async function insertReport(
  tx: Tx,
  { platformId, from, to }: Period,
  of: KeptReport & { keyId: string; signature: string; madeMs: Instant },
): Promise<void> {
  await tx.write(
    `INSERT INTO custody_reports (platform_id, from_date, to_date, version, body, hash, key_id, signature, made_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [platformId, from, to, of.version, of.body, of.hash, of.keyId, of.signature, of.madeMs],
  );
}

/** What crossed a custody account from one place of its chain to another, by kind of instruction. */
export async function crossings(tx: Tx, custody: Id, from: number, before: number) {
  const rows = await tx.rows<{ kind: string; came: string; went: string; entry_lines: string }>(
    `SELECT i.kind, CAST(SUM(IF(e.amount < 0, -e.amount, 0)) AS CHAR) AS came, CAST(SUM(IF(e.amount > 0, e.amount, 0)) AS CHAR) AS went,
       CAST(COUNT(*) AS CHAR) AS entry_lines
     FROM entries AS e JOIN instructions AS i ON i.id = e.instruction_id
     WHERE e.account_id = ? AND e.seq >= ? AND e.seq < ? GROUP BY i.kind`,
    [custody, from, before],
  );
  return rows.map((row) => ({ kind: row.kind, in: BigInt(row.came), out: BigInt(row.went), lines: Number(row.entry_lines) }));
}

/** What of a platform was open at a moment. */
export async function openAt(tx: Tx, platformId: Id, ms: Instant) {
  const [merchants] = await tx.rows<{ accounts: string; parties: string }>(
    `SELECT CAST(COUNT(*) AS CHAR) AS accounts, CAST(COUNT(DISTINCT party_id) AS CHAR) AS parties FROM sub_merchants
     WHERE platform_id = ? AND opened_ms < ? AND (closed_ms IS NULL OR closed_ms >= ?)`,
    [platformId, ms, ms],
  );
  const [electronic] = await tx.rows<{ accounts: string; customers: string }>(
    `SELECT CAST(COUNT(*) AS CHAR) AS accounts, CAST(COUNT(DISTINCT customer_id) AS CHAR) AS customers FROM electronic_accounts
     WHERE platform_id = ? AND opened_ms < ? AND (closed_ms IS NULL OR closed_ms >= ?)`,
    [platformId, ms, ms],
  );
  return {
    subMerchants: Number(merchants?.accounts ?? 0),
    parties: Number(merchants?.parties ?? 0),
    electronicAccounts: Number(electronic?.accounts ?? 0),
    customers: Number(electronic?.customers ?? 0),
  };
}

/** The business days of a period: which were closed, and which of them did not prove. */
export async function daysIn(tx: Tx, { platformId, from, to }: Period) {
  const rows = await tx.rows<{ business_date: BusinessDate; state: string; proved: string | null }>(
    `SELECT d.business_date, d.state, s.state AS proved FROM business_days AS d
     LEFT JOIN close_steps AS s ON s.platform_id = d.platform_id AND s.business_date = d.business_date AND s.step = 'proof'
     WHERE d.platform_id = ? AND d.business_date BETWEEN ? AND ? ORDER BY d.business_date`,
    [platformId, from, to],
  );
  const unproved = rows.filter(({ proved }) => proved !== 'done').map((row) => row.business_date);
  const closed = rows.filter(({ state }) => state === 'closed').length;
  return { all: rows.length, closed, proved: rows.length - unproved.length, unproved };
}

interface Counted {
  readonly count: number;
  readonly sum: Minor;
}

/** Breaks that were opened in a period, and what became of them by now. */
export async function breaksIn(
  tx: Tx,
  { platformId, from, to }: Period,
): Promise<(Counted & { class: string; state: string })[]> {
  const rows = await tx.rows<{ class: string; state: string; found: string; total: string }>(
    `SELECT class, IF(cleared_date IS NULL, state, 'cleared') AS state, CAST(COUNT(*) AS CHAR) AS found, CAST(SUM(difference) AS CHAR) AS total
     FROM breaks WHERE platform_id = ? AND business_date BETWEEN ? AND ? GROUP BY class, IF(cleared_date IS NULL, state, 'cleared')
     ORDER BY class, state`,
    [platformId, from, to],
  );
  return rows.map((row) => ({ class: row.class, state: row.state, count: Number(row.found), sum: BigInt(row.total) }));
}

/** Payouts of a period by purpose and by what became of them by now. */
export async function payoutsIn(
  tx: Tx,
  { platformId, from, to }: Period,
): Promise<(Counted & { purpose: string; state: string })[]> {
  const rows = await tx.rows<{ purpose: string; state: string; found: string; total: string }>(
    `SELECT purpose, state, CAST(COUNT(*) AS CHAR) AS found, CAST(SUM(amount) AS CHAR) AS total FROM payouts
     WHERE platform_id = ? AND business_date BETWEEN ? AND ? GROUP BY purpose, state ORDER BY purpose, state`,
    [platformId, from, to],
  );
  return rows.map((row) => ({ purpose: row.purpose, state: row.state, count: Number(row.found), sum: BigInt(row.total) }));
}
