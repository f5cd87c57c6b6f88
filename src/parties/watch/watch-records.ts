import { asId, type Id, type IdType, type Instant } from '../../kernel/index.js';
import { sql, type Tx } from '../../runtime/index.js';
import type { IndexedIdentity } from './rules.js';

/** An entry of the watch list as it is looked up. */
export interface WatchEntry {
  readonly key: Buffer;
  readonly idType: IdType | null;
  readonly idIndex: Buffer | null;
  readonly nameIndex: Buffer | null;
  readonly sealed: string;
}

interface EntryRow {
  entry_key: Buffer;
  entry_id_type: IdType | null;
  entry_id_index: Buffer | null;
  entry_name_index: Buffer | null;
  entry_sealed: string;
}

function entryOf(row: EntryRow): WatchEntry {
  return {
    key: row.entry_key,
    idType: row.entry_id_type,
    idIndex: row.entry_id_index,
    nameIndex: row.entry_name_index,
    sealed: row.entry_sealed,
  };
}

const ENTRY = `w.entry_key, w.id_type AS entry_id_type, w.id_index AS entry_id_index, w.name_index AS entry_name_index,
  w.entry_sealed`;

/** Takes the number of the next list. Two who load a list come one after the other here. */
export async function takeListNo(tx: Tx): Promise<bigint> {
  await tx.write("INSERT INTO counters (name, value) VALUES ('watch-list', 1) ON DUPLICATE KEY UPDATE value = value + 1");
  return currentListNo(tx);
}

/** 0: none was loaded yet. */
export async function currentListNo(tx: Tx): Promise<bigint> {
  const [row] = await tx.rows<{ value: string }>("SELECT value FROM counters WHERE name = 'watch-list'");
  return BigInt(row?.value ?? '0');
}

const CHUNK = 1_000;

/** Puts this list in the place of the one before. */
export async function replaceWatchList(
  tx: Tx,
  entries: readonly WatchEntry[],
  of: { readonly listNo: bigint; readonly digest: Buffer; readonly loadedBy: Id; readonly nowMs: Instant },
): Promise<void> {
  const binary = (value: Buffer | null) => (value === null ? 'NULL' : sql.hex(value));
  for (let from = 0; from < entries.length; from += CHUNK) {
    const rows = entries
      .slice(from, from + CHUNK)
      .map(
        (e) =>
          `${sql.hex(e.key)},${of.listNo},${sql.nullableText(e.idType)},${binary(e.idIndex)},${binary(e.nameIndex)},${sql.text(e.sealed)}`,
      );
    await tx.write(
      `INSERT INTO watch_entries (entry_key, list_no, id_type, id_index, name_index, entry_sealed) VALUES ${sql.tuples(rows)}
       ON DUPLICATE KEY UPDATE list_no = VALUES(list_no)`,
    );
  }
  await tx.write('DELETE FROM watch_entries WHERE list_no < ?', [String(of.listNo)]);
  await tx.write('INSERT INTO watch_lists (list_no, entries, digest, loaded_by, loaded_ms) VALUES (?, ?, ?, ?, ?)', [
    String(of.listNo),
    entries.length,
    of.digest,
    of.loadedBy,
    of.nowMs,
  ]);
}

export interface WatchList {
  readonly listNo: bigint;
  readonly entries: number;
  readonly digest: Buffer;
  readonly loadedBy: Id;
  readonly loadedMs: Instant;
}

export async function latestWatchList(tx: Tx): Promise<WatchList | undefined> {
  const [row] = await tx.rows<{ list_no: string; entries: number; digest: Buffer; loaded_by: string; loaded_ms: string }>(
    'SELECT list_no, entries, digest, loaded_by, loaded_ms FROM watch_lists ORDER BY list_no DESC LIMIT 1',
  );
  return (
    row && {
      listNo: BigInt(row.list_no),
      entries: row.entries,
      digest: row.digest,
      loadedBy: asId(row.loaded_by),
      loadedMs: Number(row.loaded_ms) as Instant,
    }
  );
}

/** Entries that one of these indexes stands in. */
export async function entriesWith(tx: Tx, identities: readonly IndexedIdentity[]): Promise<WatchEntry[]> {
  const ids = identities.map((identity) => sql.hex(identity.idIndex)).join();
  const names = identities.map((identity) => sql.hex(identity.nameIndex)).join();
  const rows = await tx.rows<EntryRow>(
    `SELECT ${ENTRY} FROM watch_entries AS w WHERE w.id_index IN (${ids})
     UNION SELECT ${ENTRY} FROM watch_entries AS w WHERE w.name_index IN (${names})`,
  );
  return rows.map(entryOf);
}

interface IdentityRow {
  customer_id: string;
  role: string;
  id_type: IdType;
  id_index: Buffer;
  name_index: Buffer;
}

function identityOf(row: IdentityRow): IndexedIdentity {
  return { role: row.role, idType: row.id_type, idIndex: row.id_index, nameIndex: row.name_index };
}

const IDENTITY = 'i.customer_id, i.role, i.id_type, i.id_index, i.name_index';

/** Identities behind these customers, each with an entry that one of its indexes stands in. */
export async function identitiesWithEntries(
  tx: Tx,
  customerIds: readonly Id[],
): Promise<{ customerId: Id; identity: IndexedIdentity; entry: WatchEntry }[]> {
  if (customerIds.length === 0) return [];
  const joined = (on: string) =>
    `SELECT ${IDENTITY}, ${ENTRY} FROM customer_identities AS i JOIN watch_entries AS w ON ${on} WHERE i.customer_id IN (${customerIds.join()})`;
  const rows = await tx.rows<IdentityRow & EntryRow>(
    `${joined('w.id_index = i.id_index')} UNION ${joined('w.name_index = i.name_index')}`,
  );
  return rows.map((row) => ({ customerId: asId(row.customer_id), identity: identityOf(row), entry: entryOf(row) }));
}

export async function identitiesBehind(tx: Tx, customerId: Id): Promise<IndexedIdentity[]> {
  const rows = await tx.rows<IdentityRow>(
    `SELECT ${IDENTITY} FROM customer_identities AS i WHERE i.customer_id = ? ORDER BY i.place`,
    [customerId],
  );
  return rows.map(identityOf);
}

/** Writes who stands behind a customer, from `place` on. */
export async function insertIdentities(
  tx: Tx,
  customerId: Id,
  place: number,
  identities: readonly IndexedIdentity[],
): Promise<void> {
  if (identities.length === 0) return;
  const rows = identities.map(
    (i, at) => `${customerId},${place + at},${sql.text(i.role)},'${i.idType}',${sql.hex(i.idIndex)},${sql.hex(i.nameIndex)}`,
  );
  await tx.write(
    `INSERT INTO customer_identities (customer_id, place, role, id_type, id_index, name_index) VALUES ${sql.tuples(rows)}`,
  );
}

/** Customers who were not held against this list yet. */
export async function unscreenedCustomers(tx: Tx, listNo: bigint, limit: number): Promise<Id[]> {
  const rows = await tx.rows<{ id: string }>('SELECT id FROM customers WHERE screened_no < ? ORDER BY screened_no, id LIMIT ?', [
    String(listNo),
    limit,
  ]);
  return rows.map((row) => asId(row.id));
}

export async function markScreened(tx: Tx, ids: readonly Id[], listNo: bigint): Promise<void> {
  if (ids.length === 0) return;
  await tx.write(`UPDATE customers SET screened_no = ? WHERE id IN (${ids.join()}) AND screened_no < ?`, [
    String(listNo),
    String(listNo),
  ]);
}
