import type { Id, IdType, Instant } from '../../kernel/index.js';
import { sql, type Tx } from '../../runtime/index.js';

/** A customer who holds a mobile number. */
export interface MobileHolder {
  readonly place: number;
  readonly idType: IdType;
  readonly idIndex: Buffer;
}

/** An identity that may share a mobile number, because two members of staff said so. */
export interface MobileException {
  readonly idType: IdType;
  readonly idIndex: Buffer;
}

/** Who holds these numbers, and who else may; by the number's blind index in hex. */
export interface MobileBook {
  readonly holders: ReadonlyMap<string, readonly MobileHolder[]>;
  readonly exceptions: ReadonlyMap<string, readonly MobileException[]>;
}

export async function loadMobiles(tx: Tx, indexes: readonly Buffer[]): Promise<MobileBook> {
  const holders = new Map<string, MobileHolder[]>();
  const exceptions = new Map<string, MobileException[]>();
  if (indexes.length === 0) return { holders, exceptions };
  const list = indexes.map(sql.hex).join();
  const held = await tx.rows<{ mobile_index: Buffer; place: number; id_type: IdType; id_index: Buffer }>(
    `SELECT m.mobile_index, m.place, c.id_type, c.id_index FROM mobile_places AS m JOIN customers AS c ON c.id = m.customer_id
     WHERE m.mobile_index IN (${list}) ORDER BY m.mobile_index, m.place`,
  );
  for (const row of held) {
    const holder = { place: row.place, idType: row.id_type, idIndex: row.id_index };
    push(holders, row.mobile_index, holder);
  }
  const excepted = await tx.rows<{ mobile_index: Buffer; id_type: IdType; id_index: Buffer }>(
    `SELECT mobile_index, id_type, id_index FROM mobile_exceptions WHERE mobile_index IN (${list})`,
  );
  for (const row of excepted) push(exceptions, row.mobile_index, { idType: row.id_type, idIndex: row.id_index });
  return { holders, exceptions };
}

function push<T>(map: Map<string, T[]>, index: Buffer, value: T): void {
  const key = index.toString('hex');
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else known.push(value);
}

/**
 * Takes a place of a mobile number. Two who reach for the same place meet at its key: the second waits for the first.
 * @throws a duplicate-key error when another took it meanwhile; then he is there to be read
 */
export async function takeMobilePlace(tx: Tx, index: Buffer, place: number, customerId: Id): Promise<void> {
  await tx.write('INSERT INTO mobile_places (mobile_index, place, customer_id) VALUES (?, ?, ?)', [index, place, customerId]);
}

/** The same for a customer who may hold a place of another number, which he leaves. @throws as above; then he keeps the one he has */
export async function moveMobilePlace(tx: Tx, index: Buffer, place: number, customerId: Id): Promise<void> {
  const moved = await tx.write('UPDATE mobile_places SET mobile_index = ?, place = ? WHERE customer_id = ?', [
    index,
    place,
    customerId,
  ]);
  if (moved === 0) await takeMobilePlace(tx, index, place, customerId);
}

/** The customer is reached under another number from now on, which is verified. */
export async function setMobile(tx: Tx, customerId: Id, sealed: string, index: Buffer): Promise<void> {
  await tx.write('UPDATE customers SET mobile_sealed = ?, mobile_index = ?, mobile_verified = 1 WHERE id = ?', [
    sealed,
    index,
    customerId,
  ]);
}

export async function setMobileVerified(tx: Tx, customerId: Id): Promise<void> {
  await tx.write('UPDATE customers SET mobile_verified = 1 WHERE id = ? AND mobile_verified = 0', [customerId]);
}

/** What was proved by the number that he had until now proves nothing any more: a password that was set by it is none. */
export async function setProofsFrom(tx: Tx, customerId: Id, nowMs: Instant): Promise<void> {
  await tx.write('UPDATE customers SET proofs_from_ms = ? WHERE id = ?', [nowMs, customerId]);
}

export async function insertMobileException(
  tx: Tx,
  of: {
    readonly mobileIndex: Buffer;
    readonly idType: IdType;
    readonly idIndex: Buffer;
    readonly taskId: Id;
    readonly nowMs: Instant;
  },
): Promise<void> {
  await tx.write(
    `INSERT INTO mobile_exceptions (mobile_index, id_type, id_index, task_id, approved_ms) VALUES (?, ?, ?, ?, ?)
     ON DUPLICATE KEY UPDATE approved_ms = mobile_exceptions.approved_ms`,
    [of.mobileIndex, of.idType, of.idIndex, of.taskId, of.nowMs],
  );
}
