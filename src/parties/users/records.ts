import { asId, type BusinessDate, type Id, type IdType, type Instant, invariant, type Refusal } from '../../kernel/index.js';
import { sql, type Tx, type Vault } from '../../runtime/index.js';
import { USER_TRANSITIONS, type UserState } from '../states.js';
import type { Particulars } from './particulars.js';

/** A person or company as one platform knows it, by the platform's own number. */
export interface User {
  readonly id: Id;
  readonly platformId: Id;
  readonly userNo: string;
  /** There once the identity was verified. */
  readonly customerId: Id | null;
  readonly state: UserState;
  /** Came from elsewhere with others: the customer has to activate it. */
  readonly takenOver: boolean;
  readonly particularsSealed: string;
  /** Keyed by the vault. */
  readonly contentHash: Buffer;
  /** Why it was refused. */
  readonly refusal: Refusal | null;
  readonly attempts: number;
  readonly nextMs: Instant;
  readonly createdMs: Instant;
  readonly changedMs: Instant;
}

interface UserRow {
  id: string;
  platform_id: string;
  user_no: string;
  customer_id: string | null;
  state: UserState;
  taken_over: number;
  particulars_sealed: string;
  content_hash: Buffer;
  refusal: string | null;
  attempts: number;
  next_ms: string;
  created_ms: string;
  changed_ms: string;
}

const instant = (value: string): Instant => Number(value) as Instant;
const instantOrNull = (value: string | null): Instant | null => (value === null ? null : instant(value));

function userOf(row: UserRow): User {
  return {
    id: asId(row.id),
    platformId: asId(row.platform_id),
    userNo: row.user_no,
    customerId: row.customer_id === null ? null : asId(row.customer_id),
    state: row.state,
    takenOver: Number(row.taken_over) === 1,
    particularsSealed: row.particulars_sealed,
    contentHash: row.content_hash,
    refusal: row.refusal === null ? null : (JSON.parse(row.refusal) as Refusal),
    attempts: row.attempts,
    nextMs: instant(row.next_ms),
    createdMs: instant(row.created_ms),
    changedMs: instant(row.changed_ms),
  };
}

const USER = `SELECT id, platform_id, user_no, customer_id, state, taken_over, particulars_sealed, content_hash, refusal, attempts, next_ms,
  created_ms, changed_ms FROM users`;

/** A platform's user; one of another platform is not there. */
export async function findUser(tx: Tx, platformId: Id, id: Id): Promise<User | undefined> {
  const [row] = await tx.rows<UserRow>(`${USER} WHERE id = ? AND platform_id = ?`, [id, platformId]);
  return row && userOf(row);
}

/** Whosever they are. */
export async function loadUsers(tx: Tx, ids: readonly Id[]): Promise<Map<Id, User>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.rows<UserRow>(`${USER} WHERE id IN (${ids.join()})`);
  return new Map(rows.map((row) => [asId(row.id), userOf(row)]));
}

export async function usersByNumber(tx: Tx, platformId: Id, numbers: readonly string[]): Promise<Map<string, User>> {
  if (numbers.length === 0) return new Map();
  const rows = await tx.rows<UserRow>(`${USER} WHERE platform_id = ? AND user_no IN (${numbers.map(sql.text).join()})`, [
    platformId,
  ]);
  return new Map(rows.map((row) => [row.user_no, userOf(row)]));
}

/** In the order they were registered, after `after`. */
export async function listUsers(tx: Tx, platformId: Id, after: string, limit: number): Promise<User[]> {
  const rows = await tx.rows<UserRow>(`${USER} WHERE platform_id = ? AND id > ? ORDER BY id LIMIT ?`, [platformId, after, limit]);
  return rows.map(userOf);
}

export async function usersOfCustomer(tx: Tx, customerId: Id): Promise<User[]> {
  const rows = await tx.rows<UserRow>(`${USER} WHERE customer_id = ? ORDER BY id`, [customerId]);
  return rows.map(userOf);
}

/** Users whose identity is to be asked after now. */
export async function dueUsers(tx: Tx, nowMs: Instant, limit: number): Promise<User[]> {
  const rows = await tx.rows<UserRow>(`${USER} WHERE state = 'pending' AND next_ms <= ? ORDER BY next_ms, id LIMIT ?`, [
    nowMs,
    limit,
  ]);
  return rows.map(userOf);
}

/** @throws a duplicate-key error when a number was taken meanwhile */
export async function insertUsers(tx: Tx, users: readonly User[]): Promise<void> {
  if (users.length === 0) return;
  const rows = users.map(
    (u) =>
      `${u.id},${u.platformId},${sql.text(u.userNo)},NULL,'${u.state}',${u.takenOver ? 1 : 0},${sql.text(u.particularsSealed)},` +
      `${sql.hex(u.contentHash)},NULL,${u.attempts},${u.nextMs},${u.createdMs},${u.changedMs}`,
  );
  await tx.write(
    `INSERT INTO users (id, platform_id, user_no, customer_id, state, taken_over, particulars_sealed, content_hash, refusal, attempts,
       next_ms, created_ms, changed_ms) VALUES ${sql.tuples(rows)}`,
  );
}

/** Moves a user from one state to another; answers whether it was in the first. The written guard of every decision about it. */
export async function moveUser(
  tx: Tx,
  id: Id,
  from: UserState,
  to: UserState,
  change: { readonly nowMs: Instant; readonly customerId?: Id | null; readonly refusal?: Refusal | null },
): Promise<boolean> {
  const { nowMs, customerId = null, refusal = null } = change;
  invariant(USER_TRANSITIONS[from].includes(to), `a user goes from ${from} to ${to}`);
  const changed = await tx.write(
    'UPDATE users SET state = ?, customer_id = COALESCE(?, customer_id), refusal = ?, changed_ms = ? WHERE id = ? AND state = ?',
    [to, customerId, refusal === null ? null : JSON.stringify(refusal), nowMs, id, from],
  );
  return changed === 1;
}

/** Keeps a user from being settled until the commit, so that what is written about it is seen there, or what is settled is seen here. */
export async function lockUser(tx: Tx, id: Id): Promise<void> {
  await tx.rows('SELECT id FROM users WHERE id = ? FOR UPDATE', [id]);
}

/** Puts the next question about a user off. */
export async function putOffUser(tx: Tx, user: User, nextMs: Instant): Promise<void> {
  await tx.write("UPDATE users SET attempts = attempts + 1, next_ms = ? WHERE id = ? AND state = 'pending' AND attempts = ?", [
    nextMs,
    user.id,
    user.attempts,
  ]);
}

/** A person or company as the bank knows it, whatever platform it came through. Its data are open: nothing of it leaves unmasked. */
export interface Customer {
  readonly id: Id;
  readonly kind: 'person' | 'company';
  readonly idType: IdType;
  readonly idNo: string;
  readonly name: string;
  readonly mobile: string | null;
  /** The bank of a card of his, or the bank's own staff, said that it is his. Until then it is what a platform said. */
  readonly mobileVerified: boolean;
  /** All that was registered of him; null where only the identity is known. */
  readonly particulars: Particulars | null;
  /** Last valid day of the identity document; null: for long. */
  readonly idExpires: BusinessDate | null;
  /** A copy of the identity document is on file. */
  readonly documented: boolean;
  /** Why business outside the counter is stopped, or null. */
  readonly stopped: string | null;
  readonly stoppedMs: Instant | null;
  /** Until when a copy of the identity document must be there; null: it is not asked for. */
  readonly idTaskDueMs: Instant | null;
  /** The watch list that the customer was last held against. */
  readonly screenedNo: bigint;
  readonly verifiedMs: Instant;
  readonly createdMs: Instant;
}

interface CustomerRow {
  id: string;
  kind: Customer['kind'];
  id_type: IdType;
  id_no_sealed: string;
  name_sealed: string;
  mobile_sealed: string | null;
  mobile_verified: number;
  particulars_sealed: string | null;
  id_expires: BusinessDate | null;
  documented: number;
  stopped: string | null;
  stopped_ms: string | null;
  id_task_due_ms: string | null;
  screened_no: string;
  verified_ms: string;
  created_ms: string;
}

function openCustomer(row: CustomerRow, vault: Vault): Customer {
  return {
    id: asId(row.id),
    kind: row.kind,
    idType: row.id_type,
    idNo: vault.open(row.id_no_sealed),
    name: vault.open(row.name_sealed),
    mobile: row.mobile_sealed === null ? null : vault.open(row.mobile_sealed),
    mobileVerified: Number(row.mobile_verified) === 1,
    particulars: row.particulars_sealed === null ? null : (JSON.parse(vault.open(row.particulars_sealed)) as Particulars),
    idExpires: row.id_expires,
    documented: Number(row.documented) === 1,
    stopped: row.stopped,
    stoppedMs: instantOrNull(row.stopped_ms),
    idTaskDueMs: instantOrNull(row.id_task_due_ms),
    screenedNo: BigInt(row.screened_no),
    verifiedMs: instant(row.verified_ms),
    createdMs: instant(row.created_ms),
  };
}

const CUSTOMER = `SELECT id, kind, id_type, id_no_sealed, name_sealed, mobile_sealed, mobile_verified, particulars_sealed, id_expires,
  documented, stopped, stopped_ms, id_task_due_ms, screened_no, verified_ms, created_ms FROM customers`;

/** A customer with his name, number and mobile opened. */
export async function customerOf(tx: Tx, id: Id, vault: Vault): Promise<Customer | undefined> {
  const [row] = await tx.rows<CustomerRow>(`${CUSTOMER} WHERE id = ?`, [id]);
  return row && openCustomer(row, vault);
}

/**
 * The same, and nobody else changes him, stops him or takes him until the commit: his row is written, not only locked. Whoever opens
 * an account or gives him something that a stop must find calls this first.
 */
export async function takeCustomer(tx: Tx, id: Id, vault: Vault): Promise<Customer | undefined> {
  return (await touchCustomer(tx, id)) ? customerOf(tx, id, vault) : undefined;
}

/** Takes his row alone; answers whether there is such a customer. */
export async function touchCustomer(tx: Tx, id: Id): Promise<boolean> {
  return (await tx.write('UPDATE customers SET use_no = use_no + 1 WHERE id = ?', [id])) === 1;
}

export async function customerByIdentity(tx: Tx, idType: IdType, idNo: string, vault: Vault): Promise<Customer | undefined> {
  const [row] = await tx.rows<CustomerRow>(`${CUSTOMER} WHERE id_type = ? AND id_index = ?`, [
    idType,
    vault.index(`id:${idType}`, idNo),
  ]);
  return row && openCustomer(row, vault);
}

export async function customersByMobile(tx: Tx, mobile: string, vault: Vault): Promise<Customer[]> {
  const rows = await tx.rows<CustomerRow>(`${CUSTOMER} WHERE mobile_index = ? ORDER BY id LIMIT 100`, [
    vault.index('mobile', mobile),
  ]);
  return rows.map((row) => openCustomer(row, vault));
}

/** In the order they came, after `after`. */
export async function listCustomers(tx: Tx, after: string, limit: number, vault: Vault): Promise<Customer[]> {
  const rows = await tx.rows<CustomerRow>(`${CUSTOMER} WHERE id > ? ORDER BY id LIMIT ?`, [after, limit]);
  return rows.map((row) => openCustomer(row, vault));
}

export interface NewCustomer {
  readonly id: Id;
  readonly particulars: Particulars;
  readonly mobile: string;
  readonly screenedNo: bigint;
  readonly nowMs: Instant;
}

/** @throws a duplicate-key error when the identity has a customer already */
export async function insertCustomer(tx: Tx, of: NewCustomer, vault: Vault): Promise<void> {
  const { particulars, nowMs } = of;
  const idType = particulars.kind === 'company' ? 'uscc' : particulars.idType;
  await tx.write(
    `INSERT INTO customers (id, kind, id_type, id_no_sealed, id_index, name_sealed, mobile_sealed, mobile_index, particulars_sealed,
       id_expires, documented, stopped, stopped_ms, id_task_due_ms, use_no, screened_no, verified_ms, created_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, NULL, NULL, NULL, 0, ?, ?, ?)`,
    [
      of.id,
      particulars.kind,
      idType,
      vault.seal(particulars.idNo),
      vault.index(`id:${idType}`, particulars.idNo),
      vault.seal(particulars.name),
      vault.seal(of.mobile),
      vault.index('mobile', of.mobile),
      vault.seal(JSON.stringify(particulars)),
      particulars.idExpires,
      String(of.screenedNo),
      nowMs,
      nowMs,
    ],
  );
}

/** He bears another name now, as whoever issued his number says. Call it with the customer locked. */
export async function setName(tx: Tx, id: Id, name: string, vault: Vault): Promise<void> {
  await tx.write('UPDATE customers SET name_sealed = ? WHERE id = ?', [vault.seal(name), id]);
}
