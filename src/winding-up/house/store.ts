import { asId, type BusinessDate, type Id, type Instant } from '../../kernel/index.js';
import { sql, type Tx } from '../../runtime/index.js';

/** What is read for an export, a page each, in the order of ids; and what is remembered of an import. */
export interface MemberRow {
  readonly id: Id;
  readonly merchantNo: string;
  readonly accountId: Id;
  readonly partyId: Id;
  readonly cycle: string;
  readonly cycleDays: number | null;
  readonly payDay: number | null;
  readonly marginId: Id | null;
}

export async function membersPage(tx: Tx, platformId: Id, after: Id, limit: number): Promise<MemberRow[]> {
  const rows = await tx.rows<Record<string, string | null>>(
    `SELECT s.id, s.merchant_no, s.account_id, s.party_id, s.cycle, s.cycle_days, s.pay_day, m.margin_id FROM sub_merchants AS s
     LEFT JOIN margins AS m ON m.account_id = s.account_id AND m.margin_id <> 0
     WHERE s.platform_id = ? AND s.closed_ms IS NULL AND s.id > ? ORDER BY s.id LIMIT ?`,
    [platformId, after, limit],
  );
  return rows.map((row) => ({
    id: asId(String(row.id)),
    merchantNo: String(row.merchant_no),
    accountId: asId(String(row.account_id)),
    partyId: asId(String(row.party_id)),
    cycle: String(row.cycle),
    cycleDays: row.cycle_days === null ? null : Number(row.cycle_days),
    payDay: row.pay_day === null ? null : Number(row.pay_day),
    marginId: row.margin_id === null ? null : asId(String(row.margin_id)),
  }));
}

export interface UserRow {
  readonly id: Id;
  readonly userNo: string;
  readonly state: string;
  readonly particularsSealed: string;
}

export async function usersPage(tx: Tx, platformId: Id, after: Id, limit: number): Promise<UserRow[]> {
  const rows = await tx.rows<{ id: string; user_no: string; state: string; particulars_sealed: string }>(
    'SELECT id, user_no, state, particulars_sealed FROM users WHERE platform_id = ? AND id > ? ORDER BY id LIMIT ?',
    [platformId, after, limit],
  );
  return rows.map((row) => ({
    id: asId(row.id),
    userNo: row.user_no,
    state: row.state,
    particularsSealed: row.particulars_sealed,
  }));
}

/** The electronic accounts of users that are not closed, by user. */
export async function accountsOfUsers(tx: Tx, userIds: readonly Id[]): Promise<Map<Id, { id: Id; class: 2 | 3 }[]>> {
  const found = new Map<Id, { id: Id; class: 2 | 3 }[]>();
  if (userIds.length === 0) return found;
  const rows = await tx.rows<{ account_id: string; user_id: string; class: 2 | 3 }>(
    `SELECT account_id, user_id, class FROM electronic_accounts WHERE user_id IN (${userIds.join()}) AND state <> 'closed' ORDER BY account_id`,
  );
  for (const row of rows) {
    const user = asId(row.user_id);
    found.set(user, [...(found.get(user) ?? []), { id: asId(row.account_id), class: row.class }]);
  }
  return found;
}

export interface HoldRow {
  readonly id: Id;
  readonly merchantNo: string;
  readonly left: bigint;
  readonly purpose: string;
  readonly expiresMs: Instant | null;
}

export async function holdsPage(tx: Tx, platformId: Id, after: Id, limit: number): Promise<HoldRow[]> {
  const rows = await tx.rows<{ id: string; merchant_no: string; rest: string; purpose: string; expires_ms: string | null }>(
    `SELECT h.id, s.merchant_no, CAST(h.amount - h.captured - h.released AS CHAR) AS rest, h.purpose, h.expires_ms
     FROM holds AS h JOIN sub_merchants AS s ON s.account_id = h.account_id JOIN accounts AS a ON a.id = h.account_id
     JOIN settlement_accounts AS b ON b.account_id = h.account_id
     WHERE h.platform_id = ? AND h.id > ? AND h.amount > h.captured + h.released AND a.state = 'open' ORDER BY h.id LIMIT ?`,
    [platformId, after, limit],
  );
  return rows.map((row) => ({
    id: asId(row.id),
    merchantNo: row.merchant_no,
    left: BigInt(row.rest),
    purpose: row.purpose,
    expiresMs: row.expires_ms === null ? null : (Number(row.expires_ms) as Instant),
  }));
}

export async function agreementsPage(tx: Tx, platformId: Id, date: BusinessDate, after: Id, limit: number) {
  const rows = await tx.rows<{
    id: string;
    agreement_no: string;
    merchant_no: string;
    version: number;
    valid_from: string;
    valid_to: string | null;
    terms: string;
  }>(
    `SELECT v.id, g.agreement_no, s.merchant_no, v.version, v.valid_from, v.valid_to, t.terms FROM agreement_versions AS v
     JOIN agreements AS g ON g.id = v.agreement_id JOIN sub_merchants AS s ON s.account_id = v.account_id
     JOIN agreement_terms AS t ON t.hash = v.terms_hash
     WHERE v.platform_id = ? AND v.id > ? AND v.state = 'approved' AND (v.valid_to IS NULL OR v.valid_to >= ?) ORDER BY v.id LIMIT ?`,
    [platformId, after, date, limit],
  );
  return rows.map(({ id, ...row }) => ({ id: asId(id), ...row }));
}

export async function mandatesPage(tx: Tx, platformId: Id, nowMs: Instant, after: Id, limit: number) {
  const rows = await tx.rows<{
    id: string;
    mandate_no: string;
    user_no: string;
    kinds: string;
    payment_cap: string;
    total_cap: string;
    expires_ms: string;
  }>(
    `SELECT m.id, m.mandate_no, u.user_no, m.kinds, m.payment_cap, m.total_cap, m.expires_ms FROM mandates AS m
     JOIN users AS u ON u.id = m.user_id WHERE m.platform_id = ? AND m.id > ? AND m.state = 'active' AND m.expires_ms > ?
     ORDER BY m.id LIMIT ?`,
    [platformId, after, nowMs, limit],
  );
  return rows.map(({ id, ...row }) => ({ id: asId(id), ...row }));
}

export interface TakeoverRow {
  readonly exportHash: string;
  readonly reference: string;
}

/** What a platform took over, if it did. */
export async function findTakeover(tx: Tx, platformId: Id): Promise<TakeoverRow | undefined> {
  const [row] = await tx.rows<{ export_hash: Buffer; content: string }>(
    'SELECT export_hash, content FROM takeovers WHERE platform_id = ?',
    [platformId],
  );
  return row && { exportHash: row.export_hash.toString('hex'), reference: row.content };
}

/** @throws a duplicate-key error when the platform took over another one */
export async function insertTakeover(tx: Tx, platformId: Id, of: TakeoverRow, nowMs: Instant): Promise<void> {
  await tx.write("INSERT INTO takeovers (platform_id, export_hash, content, state, created_ms) VALUES (?, ?, ?, 'begun', ?)", [
    platformId,
    Buffer.from(of.exportHash, 'hex'),
    of.reference,
    nowMs,
  ]);
}

/** Whether a platform has no members and its book no entry. */
export async function isEmpty(tx: Tx, platformId: Id): Promise<boolean> {
  for (const query of [
    'SELECT 1 AS one FROM sub_merchants WHERE platform_id = ? LIMIT 1',
    'SELECT 1 AS one FROM users WHERE platform_id = ? LIMIT 1',
    'SELECT 1 AS one FROM accounts WHERE platform_id = ? AND entry_count > 0 LIMIT 1',
  ])
    if ((await tx.rows(query, [platformId])).length > 0) return false;
  return true;
}

/** The accounts of sub-merchants by their numbers. */
export async function accountsByMerchant(tx: Tx, platformId: Id, numbers: readonly string[]): Promise<Map<string, Id>> {
  if (numbers.length === 0) return new Map();
  const rows = await tx.rows<{ merchant_no: string; account_id: string }>(
    `SELECT merchant_no, account_id FROM sub_merchants WHERE platform_id = ? AND merchant_no IN (${numbers.map((no) => sql.text(no)).join()})`,
    [platformId],
  );
  return new Map(rows.map((row) => [row.merchant_no, asId(row.account_id)]));
}

/** How many holds a platform took over. */
export async function holdsTaken(tx: Tx, platformId: Id): Promise<number> {
  const [row] = await tx.rows<{ holds: string }>(
    `SELECT CAST(COUNT(*) AS CHAR) AS holds FROM instructions AS i JOIN outcomes AS o ON o.instruction_id = i.id AND o.state = 'posted'
     WHERE i.platform_id = ? AND i.origin = 'O' AND i.request_no LIKE 'takeover:hld%'`,
    [platformId],
  );
  return Number(row?.holds ?? 0);
}

/** What left the custody account of a platform under the reference of a hand-over, in minor units. */
export async function handedOver(tx: Tx, platformId: Id, reference: string): Promise<bigint> {
  const [row] = await tx.rows<{ amount: string }>(
    'SELECT CAST(COALESCE(-SUM(amount), 0) AS CHAR) AS amount FROM boundary WHERE platform_id = ? AND reference = ?',
    [platformId, reference],
  );
  return BigInt(row?.amount ?? '0');
}
