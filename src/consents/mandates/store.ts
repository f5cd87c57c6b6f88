import { asId, type Id, type Instant } from '../../kernel/index.js';
import { sql, type Tx } from '../../runtime/index.js';
import {
  type LastUse,
  lastUseOf,
  type Mandate,
  type MandateRow,
  type MandateState,
  type MandateUse,
  mandateOf,
  type UseRow,
  useOf,
} from '../records.js';

/** A mandate with what the engine does not look at. */
export interface StoredMandate extends Mandate {
  readonly userId: Id;
  readonly mandateNo: string;
  readonly contentHash: Buffer;
  readonly grantedMs: Instant | null;
  readonly revokedMs: Instant | null;
  readonly revokedBy: Revoker | null;
  readonly createdMs: Instant;
}
export type Revoker = 'platform' | 'customer';
/** What is there before anything was used. */
export type NewMandate = Omit<
  StoredMandate,
  'state' | 'usedTotal' | 'usedPeriod' | 'periodKey' | 'useCount' | 'grantedMs' | 'revokedMs' | 'revokedBy'
>;

/** @throws a duplicate-key error when the platform has given the number before */
export async function insertMandate(tx: Tx, m: NewMandate): Promise<void> {
  await tx.write(
    `INSERT INTO mandates (id, platform_id, customer_id, account_id, user_id, mandate_no, content_hash, kinds, pays_orders, pays_projects, pays_funds, payees,
       payment_cap, total_cap, period, period_cap, expires_ms, state, created_ms)
     VALUES (${m.id}, ${m.platformId}, ${m.customerId}, ${m.accountId}, ${m.userId}, ${sql.text(m.mandateNo)}, ${sql.hex(m.contentHash)},
       ${sql.text(m.kinds.join())}, ${m.payees.orders ? 1 : 0}, ${m.payees.projects ? 1 : 0},
       ${m.payees.funds ? 1 : 0}, '${m.payees.accounts.join()}', ${m.paymentCap}, ${m.totalCap},
       ${sql.nullableText(m.period)}, ${m.periodCap ?? 'NULL'}, ${m.expiresMs}, 'pending', ${m.createdMs})`,
  );
}

interface StoredRow extends MandateRow {
  user_id: string;
  mandate_no: string;
  content_hash: Buffer;
  granted_ms: string | null;
  revoked_ms: string | null;
  revoked_by: Revoker | null;
  created_ms: string;
}

const instant = (value: string | null): Instant | null => (value === null ? null : (Number(value) as Instant));

function storedOf(row: StoredRow, last: LastUse | undefined): StoredMandate {
  return {
    ...mandateOf(row, last),
    userId: asId(row.user_id),
    mandateNo: row.mandate_no,
    contentHash: row.content_hash,
    grantedMs: instant(row.granted_ms),
    revokedMs: instant(row.revoked_ms),
    revokedBy: row.revoked_by,
    createdMs: Number(row.created_ms) as Instant,
  };
}

async function all(tx: Tx, where: string, parameters: readonly unknown[]): Promise<StoredMandate[]> {
  const rows = await tx.rows<StoredRow>(`SELECT * FROM mandates WHERE ${where}`, parameters);
  const last = await lastUseOf(
    tx,
    rows.map((row) => row.id),
  );
  return rows.map((row) => storedOf(row, last.get(row.id)));
}

export async function findMandate(tx: Tx, id: Id): Promise<StoredMandate | undefined> {
  return (await all(tx, 'id = ?', [id]))[0];
}

export async function findMandateByNo(tx: Tx, platformId: Id, mandateNo: string): Promise<StoredMandate | undefined> {
  return (await all(tx, 'platform_id = ? AND mandate_no = ?', [platformId, mandateNo]))[0];
}

/** In the order of ids, those after `after`. */
export function listMandates(
  tx: Tx,
  { platformId, accountId, after }: { platformId: Id; accountId?: Id | undefined; after?: Id | undefined },
  limit: number,
): Promise<StoredMandate[]> {
  const where = accountId === undefined ? '' : ' AND account_id = ?';
  const values = accountId === undefined ? [] : [accountId];
  return all(tx, `platform_id = ? AND id > ?${where} ORDER BY id LIMIT ?`, [platformId, after ?? '0', ...values, limit]);
}

/** What a customer was asked for and did not refuse, the newest first; of one platform, or of all. */
export function mandatesOfCustomer(tx: Tx, customerId: Id, platformId: Id | null, limit: number): Promise<StoredMandate[]> {
  const where = platformId === null ? '' : ' AND platform_id = ?';
  const values = platformId === null ? [customerId] : [customerId, platformId];
  return all(tx, `customer_id = ?${where} AND state IN ('active', 'revoked') ORDER BY id DESC LIMIT ?`, [...values, limit]);
}

/** Live mandates of accounts that cover a kind, by account, the oldest first. */
export async function standingMandates(
  tx: Tx,
  accountIds: readonly Id[],
  { kind, nowMs }: { kind: string; nowMs: Instant },
): Promise<Map<Id, StoredMandate[]>> {
  const found = new Map<Id, StoredMandate[]>();
  if (accountIds.length === 0) return found;
  const where = `account_id IN (${accountIds.join()}) AND state = 'active' AND expires_ms > ? ORDER BY id`;
  for (const mandate of await all(tx, where, [nowMs]))
    if (mandate.kinds.includes(kind)) found.set(mandate.accountId, [...(found.get(mandate.accountId) ?? []), mandate]);
  return found;
}

/** The customer's answer. Answers whether it was still waiting for one. */
export async function settleMandate(tx: Tx, id: Id, to: MandateState, nowMs: Instant): Promise<boolean> {
  const granted = to === 'active' ? nowMs : null;
  const changed = await tx.write("UPDATE mandates SET state = ?, granted_ms = ? WHERE id = ? AND state = 'pending'", [
    to,
    granted,
    id,
  ]);
  return changed === 1;
}

/** Call it under the shard's lock. Answers whether there was still something to revoke. */
export async function endMandate(tx: Tx, id: Id, by: Revoker, nowMs: Instant): Promise<boolean> {
  const changed = await tx.write(
    "UPDATE mandates SET state = 'revoked', revoked_ms = ?, revoked_by = ? WHERE id = ? AND state IN ('pending', 'active')",
    [nowMs, by, id],
  );
  return changed === 1;
}

/** Live mandates that end until `untilMs` and whose customers were not told yet, the next to end first. */
export async function mandatesToNotice(tx: Tx, nowMs: Instant, untilMs: Instant, limit: number): Promise<Id[]> {
  const rows = await tx.rows<{ id: string }>(
    `SELECT id FROM mandates WHERE state = 'active' AND expires_ms > ? AND expires_ms <= ? AND noticed_ms IS NULL
     ORDER BY expires_ms, id LIMIT ?`,
    [nowMs, untilMs, limit],
  );
  return rows.map((row) => asId(row.id));
}

/** Answers whether the customer was not told before. */
export async function markNoticed(tx: Tx, id: Id, nowMs: Instant): Promise<boolean> {
  const changed = await tx.write("UPDATE mandates SET noticed_ms = ? WHERE id = ? AND state = 'active' AND noticed_ms IS NULL", [
    nowMs,
    id,
  ]);
  return changed === 1;
}

const USES = 'SELECT * FROM mandate_uses';

/** The uses of a mandate from place `after` + 1 on, in their order. */
export async function listUses(tx: Tx, mandateId: Id, after: number, limit: number): Promise<MandateUse[]> {
  const rows = await tx.rows<UseRow>(`${USES} WHERE mandate_id = ? AND seq > ? ORDER BY seq LIMIT ?`, [mandateId, after, limit]);
  return rows.map(useOf);
}

/** The last uses of a mandate, the newest first. */
export async function lastUses(tx: Tx, mandateId: Id, limit: number): Promise<MandateUse[]> {
  const rows = await tx.rows<UseRow>(`${USES} WHERE mandate_id = ? ORDER BY seq DESC LIMIT ?`, [mandateId, limit]);
  return rows.map(useOf);
}

/** An address of a customer's own page. */
export interface CustomerLink {
  readonly tokenHash: Buffer;
  readonly customerId: Id;
  /** What he sees there: what is between him and one platform, or (null) all that is his. */
  readonly platformId: Id | null;
  readonly expiresMs: Instant;
}

export async function insertLink(tx: Tx, link: CustomerLink, nowMs: Instant): Promise<void> {
  await tx.write(
    'INSERT INTO customer_links (token_hash, customer_id, platform_id, expires_ms, created_ms) VALUES (?, ?, ?, ?, ?)',
    [link.tokenHash, link.customerId, link.platformId, link.expiresMs, nowMs],
  );
}

/** A link that is still good. */
export async function findLink(tx: Tx, tokenHash: Buffer, nowMs: Instant): Promise<CustomerLink | undefined> {
  const [row] = await tx.rows<{ customer_id: string; platform_id: string | null; expires_ms: string }>(
    'SELECT customer_id, platform_id, expires_ms FROM customer_links WHERE token_hash = ? AND expires_ms > ?',
    [tokenHash, nowMs],
  );
  if (row === undefined) return undefined;
  return {
    tokenHash,
    customerId: asId(row.customer_id),
    platformId: row.platform_id === null ? null : asId(row.platform_id),
    expiresMs: Number(row.expires_ms) as Instant,
  };
}
