import { asId, type Id, type Instant, type Refusal } from '../../kernel/index.js';
import { type Asked, sql, type Tx } from '../../runtime/index.js';
import type { CardClass, ElectronicState } from '../electronic.js';

/** card: another bound card. mobile: another mobile number of the owner. identity: his identity is checked again. */
export type ChangeKind = 'card' | 'mobile' | 'identity';
/**
 * proposed: by one of the bank's staff, waits for another. asked: the customer is asked. pending: is being verified outside.
 * done, refused: for good.
 */
export type ChangeState = 'proposed' | 'asked' | 'pending' | 'done' | 'refused';

/** A change of an electronic account or of how its owner is reached. */
export interface AccountChange {
  readonly id: Id;
  readonly platformId: Id;
  /** The platform's own number; null where the bank's staff asked. */
  readonly changeNo: string | null;
  readonly kind: ChangeKind;
  readonly accountId: Id;
  readonly customerId: Id;
  /** Keyed by the vault. */
  readonly contentHash: Buffer;
  /** JSON of the card, or the mobile number; sealed. */
  readonly toSealed: string;
  readonly state: ChangeState;
  /** The question to the customer; null where he is not asked. */
  readonly asked: Asked | null;
  readonly askedBy: Id | null;
  readonly decidedBy: Id | null;
  readonly reasonSealed: string | null;
  readonly refusal: Refusal | null;
  readonly attempts: number;
  readonly nextMs: Instant;
  readonly createdMs: Instant;
  readonly decidedMs: Instant | null;
}

interface ChangeRow {
  id: string;
  platform_id: string;
  change_no: string | null;
  kind: ChangeKind;
  account_id: string;
  customer_id: string;
  content_hash: Buffer;
  to_sealed: string;
  state: ChangeState;
  consent_id: string | null;
  consent_expires_ms: string | null;
  asked_by: string | null;
  decided_by: string | null;
  reason_sealed: string | null;
  refusal: string | null;
  attempts: number;
  next_ms: string;
  created_ms: string;
  decided_ms: string | null;
}

const idOrNull = (value: string | null): Id | null => (value === null ? null : asId(value));

function changeOf(row: ChangeRow): AccountChange {
  return {
    id: asId(row.id),
    platformId: asId(row.platform_id),
    changeNo: row.change_no,
    kind: row.kind,
    accountId: asId(row.account_id),
    customerId: asId(row.customer_id),
    contentHash: row.content_hash,
    toSealed: row.to_sealed,
    state: row.state,
    asked:
      row.consent_id === null ? null : { consent: asId(row.consent_id), expiresMs: Number(row.consent_expires_ms) as Instant },
    askedBy: idOrNull(row.asked_by),
    decidedBy: idOrNull(row.decided_by),
    reasonSealed: row.reason_sealed,
    refusal: row.refusal === null ? null : (JSON.parse(row.refusal) as Refusal),
    attempts: row.attempts,
    nextMs: Number(row.next_ms) as Instant,
    createdMs: Number(row.created_ms) as Instant,
    decidedMs: row.decided_ms === null ? null : (Number(row.decided_ms) as Instant),
  };
}

const CHANGE = `SELECT c.id, c.platform_id, c.change_no, c.kind, c.account_id, c.customer_id, c.content_hash, c.to_sealed, c.state,
  c.consent_id, c.consent_expires_ms, c.asked_by, c.decided_by, c.reason_sealed, c.refusal, c.attempts, c.next_ms, c.created_ms, c.decided_ms
  FROM account_changes AS c`;

/** @throws a duplicate-key error when its number is taken, or one of its kind is under way */
export async function insertChange(tx: Tx, c: AccountChange): Promise<void> {
  await tx.write(
    `INSERT INTO account_changes (id, platform_id, change_no, kind, account_id, customer_id, subject_id, live, content_hash, to_sealed,
       state, consent_id, consent_expires_ms, asked_by, decided_by, reason_sealed, refusal, attempts, next_ms, created_ms, decided_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, NULL, ?, NULL, 0, ?, ?, NULL)`,
    [
      c.id,
      c.platformId,
      c.changeNo,
      c.kind,
      c.accountId,
      c.customerId,
      c.kind === 'mobile' ? c.customerId : c.accountId,
      c.contentHash,
      c.toSealed,
      c.state,
      c.asked?.consent ?? null,
      c.asked?.expiresMs ?? null,
      c.askedBy,
      c.reasonSealed,
      c.nextMs,
      c.createdMs,
    ],
  );
}

/** @param platformId leaves out changes of others */
export async function findChange(tx: Tx, id: Id, platformId?: Id): Promise<AccountChange | undefined> {
  const [row] = await tx.rows<ChangeRow>(`${CHANGE} WHERE c.id = ?`, [id]);
  return row === undefined || (platformId !== undefined && row.platform_id !== platformId) ? undefined : changeOf(row);
}

export async function changeByNumber(tx: Tx, platformId: Id, changeNo: string): Promise<AccountChange | undefined> {
  const [row] = await tx.rows<ChangeRow>(`${CHANGE} WHERE c.platform_id = ? AND c.change_no = ?`, [platformId, changeNo]);
  return row && changeOf(row);
}

/** What one of the bank's staff asked for and another has not decided, in the order it was asked for, after `after`. */
export async function listProposed(tx: Tx, after: string, limit: number): Promise<AccountChange[]> {
  const rows = await tx.rows<ChangeRow>(`${CHANGE} WHERE c.state = 'proposed' AND c.id > ? ORDER BY c.id LIMIT ?`, [
    after,
    limit,
  ]);
  return rows.map(changeOf);
}

/** Changes on a shard that are to be verified now. */
export async function dueChanges(tx: Tx, shardId: number, nowMs: Instant, limit: number): Promise<AccountChange[]> {
  const rows = await tx.rows<ChangeRow>(
    `${CHANGE} JOIN books AS b ON b.platform_id = c.platform_id
     WHERE c.state = 'pending' AND c.next_ms <= ? AND b.shard_id = ? ORDER BY c.next_ms, c.id LIMIT ?`,
    [nowMs, shardId, limit],
  );
  return rows.map(changeOf);
}

/** Shards on which openings or changes are to be verified now. */
export async function shardsToVerify(tx: Tx, nowMs: Instant): Promise<number[]> {
  const rows = await tx.rows<{ shard_id: number }>(
    `SELECT DISTINCT b.shard_id FROM books AS b JOIN (
       SELECT platform_id FROM openings WHERE state = 'pending' AND next_ms <= ?
       UNION SELECT platform_id FROM account_changes WHERE state = 'pending' AND next_ms <= ?
     ) AS due ON due.platform_id = b.platform_id ORDER BY b.shard_id`,
    [nowMs, nowMs],
  );
  return rows.map((row) => row.shard_id);
}

/** Puts the next question off; a decided one stays decided. */
export async function putOffChange(tx: Tx, { id, attempts }: AccountChange, nextMs: Instant): Promise<void> {
  await tx.write(
    "UPDATE account_changes SET attempts = attempts + 1, next_ms = ? WHERE id = ? AND state = 'pending' AND attempts = ?",
    [nextMs, id, attempts],
  );
}

export interface ChangeMove {
  readonly nowMs: Instant;
  readonly refusal?: Refusal | undefined;
  /** What was answered outside. */
  readonly answer?: object | undefined;
  readonly decidedBy?: Id | undefined;
}

/** Moves a change from one state to another; answers whether it was in the first. The written guard of every decision about it. */
export async function moveChange(tx: Tx, id: Id, from: ChangeState, to: ChangeState, move: ChangeMove): Promise<boolean> {
  const { nowMs, refusal, answer, decidedBy } = move;
  const ended = to === 'done' || to === 'refused';
  const changed = await tx.write(
    `UPDATE account_changes SET state = ?, live = ${ended ? 'NULL' : 'live'}, refusal = ?, answer = COALESCE(?, answer),
       answered_ms = COALESCE(?, answered_ms), decided_by = COALESCE(?, decided_by), next_ms = ?, decided_ms = ?
     WHERE id = ? AND state = ?`,
    [
      to,
      refusal === undefined ? null : JSON.stringify(refusal),
      answer === undefined ? null : JSON.stringify(answer),
      answer === undefined ? null : nowMs,
      decidedBy ?? null,
      nowMs,
      ended ? nowMs : null,
      id,
      from,
    ],
  );
  return changed === 1;
}

/** Under the shard's lock: the state of an account; answers whether it was in the first. */
export async function setElectronicState(tx: Tx, id: Id, from: ElectronicState, to: ElectronicState): Promise<boolean> {
  return (await tx.write('UPDATE electronic_accounts SET state = ? WHERE account_id = ? AND state = ?', [to, id, from])) === 1;
}

/** Under the shard's lock: the bank has seen the owner. */
export async function setFaceToFace(tx: Tx, id: Id): Promise<void> {
  await tx.write('UPDATE electronic_accounts SET face_to_face = 1 WHERE account_id = ?', [id]);
}

/** Under the shard's lock: six months without use are counted from now; one that was used is not counted any more. */
export async function setAlive(tx: Tx, id: Id, nowMs: Instant): Promise<void> {
  await tx.write('UPDATE electronic_accounts SET alive_ms = ? WHERE account_id = ? AND alive_ms IS NOT NULL', [nowMs, id]);
}

/** Under the shard's lock. */
export async function setCard(tx: Tx, id: Id, cardIndex: Buffer, cardClass: CardClass): Promise<void> {
  await tx.write(`UPDATE electronic_accounts SET card_index = ${sql.hex(cardIndex)}, card_class = ? WHERE account_id = ?`, [
    cardClass,
    id,
  ]);
}

/** Ids of a platform's electronic accounts in the order they were opened, after `after`. */
export async function listElectronicIds(
  tx: Tx,
  platformId: Id,
  { userId, after }: { userId?: Id | undefined; after: string },
  limit: number,
): Promise<Id[]> {
  const rows = await tx.rows<{ account_id: string }>(
    `SELECT account_id FROM electronic_accounts WHERE platform_id = ? AND account_id > ?${userId === undefined ? '' : ' AND user_id = ?'}
     ORDER BY account_id LIMIT ?`,
    userId === undefined ? [platformId, after, limit] : [platformId, after, userId, limit],
  );
  return rows.map((row) => asId(row.account_id));
}

/** The electronic accounts of a customer on all platforms, closed ones too, in the order they were opened, after `after`. */
export async function listElectronicIdsOfCustomer(tx: Tx, customerId: Id, after: string, limit: number): Promise<Id[]> {
  const rows = await tx.rows<{ account_id: string }>(
    'SELECT account_id FROM electronic_accounts WHERE customer_id = ? AND account_id > ? ORDER BY account_id LIMIT ?',
    [customerId, after, limit],
  );
  return rows.map((row) => asId(row.account_id));
}
