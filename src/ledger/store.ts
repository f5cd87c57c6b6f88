import { addDays, asId, type BusinessDate, type Id, type Instant, invariant, type Minor } from '../kernel/index.js';
import { sql, type Tx } from '../runtime/index.js';
import type { AccountState, AccountType } from './chart.js';
import { type Entry, GENESIS_HASH, type LedgerAccount, type UnclearedSlice } from './post.js';

/** What the bank agreed beforehand, in minor units an instruction; zero: nothing agreed. */
export interface Terms {
  readonly transferMax: Minor;
  readonly feeMax: Minor;
  /** `required`: orders are taken and split by the sellers' agreements alone. `none` when absent. */
  readonly agreements?: 'none' | 'required' | undefined;
  /**
   * When customers can use what a channel collects that pays over later: `at-once` inside the platform, or `when-settled`, which it is when absent.
   */
  readonly collected?: 'at-once' | 'when-settled' | undefined;
}

/** A platform's book: where its accounts stand and which business date is open. */
export interface Book {
  readonly platformId: Id;
  readonly shardId: number;
  readonly currency: 'CNY';
  /** The number of the custody account at the core bank. */
  readonly custodyNo: string;
  readonly businessDate: BusinessDate;
  /** The last business date whose proof passed. What came in later is the platform's word alone, and does not leave. */
  readonly provedTo: BusinessDate;
  readonly accounts: Readonly<Record<FunctionalAccount, Id>>;
  readonly terms: Terms;
  /** What sort of platform it is (`marketplace`, `lending`): decides which policies apply. It never changes. */
  readonly profile: string;
  /** Whether there ever was a rule that sends its instructions to review. */
  readonly reviewed?: boolean;
  /** Whether the platform may take new business: while it is wound up only what is due goes on, and a closed book takes nothing. `open` when absent. */
  readonly business?: Business;
}
export type Business = 'open' | 'winding-up' | 'closed';

export type FunctionalAccount = Exclude<
  AccountType,
  | 'sub'
  | 'margin'
  | 'order'
  | 'escrow'
  | 'class-2'
  | 'class-3'
  | 'channel-due'
  | 'collected'
  | 'reserve'
  | 'advance'
  | 'fund-collection'
  | 'fund-advance'
>;

interface BookRow {
  platform_id: string;
  shard_id: number;
  currency: 'CNY';
  custody_no: string;
  business_date: BusinessDate;
  proved_to: BusinessDate;
  custody_id: string;
  in_transit_id: string;
  own_funds_id: string;
  commission_id: string;
  marketing_id: string;
  fees_id: string;
  suspense_id: string;
  transfer_max: string;
  fee_max: string;
  agreements: 'none' | 'required';
  collected: 'at-once' | 'when-settled';
  profile: string;
  reviewed: number;
  business: Business;
}

function bookOf(row: BookRow): Book {
  return {
    platformId: asId(row.platform_id),
    shardId: row.shard_id,
    currency: row.currency,
    custodyNo: row.custody_no,
    businessDate: row.business_date,
    provedTo: row.proved_to,
    accounts: {
      custody: asId(row.custody_id),
      'in-transit': asId(row.in_transit_id),
      'own-funds': asId(row.own_funds_id),
      commission: asId(row.commission_id),
      marketing: asId(row.marketing_id),
      fees: asId(row.fees_id),
      suspense: asId(row.suspense_id),
    },
    terms: {
      transferMax: BigInt(row.transfer_max),
      feeMax: BigInt(row.fee_max),
      agreements: row.agreements,
      collected: row.collected,
    },
    profile: row.profile,
    reviewed: row.reviewed === 1,
    business: row.business,
  };
}

export async function loadBooks(tx: Tx, platformIds: readonly Id[]): Promise<Map<Id, Book>> {
  if (platformIds.length === 0) return new Map();
  const rows = await tx.rows<BookRow>(`SELECT * FROM books WHERE platform_id IN (${platformIds.join()})`);
  return new Map(rows.map((row) => [asId(row.platform_id), bookOf(row)]));
}

/** @throws invariant when the platform has no book */
export async function loadBook(tx: Tx, platformId: Id): Promise<Book> {
  const book = (await loadBooks(tx, [platformId])).get(platformId);
  invariant(book, `platform ${platformId} has a book`);
  return book;
}

/** A new book. Before its first business date there is nothing to prove. */
export async function insertBook(
  tx: Tx,
  book: Omit<Book, 'provedTo' | 'profile'> & { readonly profile?: string },
): Promise<void> {
  const { accounts, terms, profile = 'marketplace' } = book;
  await tx.write(
    `INSERT INTO books (platform_id, shard_id, currency, custody_no, business_date, proved_to, custody_id, in_transit_id, own_funds_id,
       commission_id, marketing_id, fees_id, suspense_id, transfer_max, fee_max, agreements, collected, profile)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      book.platformId,
      book.shardId,
      book.currency,
      book.custodyNo,
      book.businessDate,
      addDays(book.businessDate, -1),
      accounts.custody,
      accounts['in-transit'],
      accounts['own-funds'],
      accounts.commission,
      accounts.marketing,
      accounts.fees,
      accounts.suspense,
      String(terms.transferMax),
      String(terms.feeMax),
      terms.agreements ?? 'none',
      terms.collected ?? 'when-settled',
      profile,
    ],
  );
}

/** Opens the next business date. Call it only under the shard's lock. */
export async function setBusinessDate(tx: Tx, platformId: Id, from: BusinessDate, to: BusinessDate): Promise<boolean> {
  const changed = await tx.write('UPDATE books SET business_date = ? WHERE platform_id = ? AND business_date = ?', [
    to,
    platformId,
    from,
  ]);
  return changed === 1;
}

/** From the commit on, what the platform may give is another. Call it only under the shard's lock. */
export async function setBusiness(tx: Tx, platformId: Id, business: Business): Promise<void> {
  await tx.write('UPDATE books SET business = ? WHERE platform_id = ?', [business, platformId]);
}

/** The proof of a date passed. */
export async function setProvedTo(tx: Tx, platformId: Id, date: BusinessDate): Promise<void> {
  await tx.write('UPDATE books SET proved_to = ? WHERE platform_id = ? AND proved_to < ?', [date, platformId, date]);
}

/** Whether agreements are required, and when what is collected can be used, stays as it was where nothing is said of it. */
export async function setTerms(tx: Tx, platformId: Id, terms: Terms): Promise<void> {
  await tx.write(
    'UPDATE books SET transfer_max = ?, fee_max = ?, agreements = COALESCE(?, agreements), collected = COALESCE(?, collected) WHERE platform_id = ?',
    [String(terms.transferMax), String(terms.feeMax), terms.agreements ?? null, terms.collected ?? null, platformId],
  );
}

/** Makes the rows of shards 0 … count−1 that are not there yet. */
export async function ensureShards(tx: Tx, count: number): Promise<void> {
  const there = new Set((await tx.rows<{ id: number }>('SELECT id FROM shards')).map((row) => row.id));
  for (let id = 0; id < count; id += 1) {
    if (!there.has(id))
      await tx.write('INSERT INTO shards (id, batch_no, last_ms) VALUES (?, 0, 0) ON DUPLICATE KEY UPDATE id = id', [id]);
  }
}

export interface ShardTurn {
  readonly shardId: number;
  readonly batchNo: bigint;
  /** The shard's time: the clock's, but never before a time that the shard has used. */
  readonly nowMs: Instant;
}

/** Every shard that there is. */
export async function shardIds(tx: Tx): Promise<number[]> {
  return (await tx.rows<{ id: number }>('SELECT id FROM shards ORDER BY id')).map(({ id }) => id);
}

/**
 * Takes the shard for this transaction: its row is advanced by one, so that nobody else writes the shard's accounts until
 * the commit, on one node by the row's lock and across nodes by certification.
 */
export async function lockShard(tx: Tx, shardId: number, clockMs: Instant): Promise<ShardTurn> {
  const changed = await tx.write('UPDATE shards SET batch_no = batch_no + 1, last_ms = GREATEST(last_ms, ?) WHERE id = ?', [
    clockMs,
    shardId,
  ]);
  invariant(changed === 1, `shard ${shardId} has a row`);
  const [row] = await tx.rows<{ batch_no: string; last_ms: string }>('SELECT batch_no, last_ms FROM shards WHERE id = ?', [
    shardId,
  ]);
  invariant(row, `shard ${shardId} has a row`);
  return { shardId, batchNo: BigInt(row.batch_no), nowMs: Number(row.last_ms) as Instant };
}

/** The turn that a shard would take now, without taking it: for whoever only looks. */
export async function peekShard(tx: Tx, shardId: number, clockMs: Instant): Promise<ShardTurn> {
  const [row] = await tx.rows<{ batch_no: string; last_ms: string }>('SELECT batch_no, last_ms FROM shards WHERE id = ?', [
    shardId,
  ]);
  invariant(row, `shard ${shardId} has a row`);
  const lastMs = Number(row.last_ms) as Instant;
  return { shardId, batchNo: BigInt(row.batch_no) + 1n, nowMs: lastMs > clockMs ? lastMs : clockMs };
}

interface AccountRow {
  id: string;
  platform_id: string;
  type: AccountType;
  state: AccountState;
  balance: string;
  held: string;
  claimed: string;
  entry_count: string;
  head_hash: Buffer;
  uncleared_until: BusinessDate | null;
}

/**
 * Accounts as the books have them. Reads the uncleared slices only of accounts that may have some after their platform's
 * open business date. Call it under the shard's lock when the accounts are to be written.
 */
export async function loadAccounts(
  tx: Tx,
  ids: readonly Id[],
  openDate: (platformId: Id) => BusinessDate,
): Promise<Map<Id, LedgerAccount>> {
  const accounts = new Map<Id, LedgerAccount>();
  if (ids.length === 0) return accounts;
  const rows = await tx.rows<AccountRow>(
    `SELECT id, platform_id, type, state, balance, held, claimed, entry_count, head_hash, uncleared_until FROM accounts WHERE id IN (${ids.join()})`,
  );
  const unclearedIds: Id[] = [];
  for (const row of rows) {
    const id = asId(row.id);
    const platformId = asId(row.platform_id);
    accounts.set(id, {
      id,
      platformId,
      type: row.type,
      state: row.state,
      balance: BigInt(row.balance),
      held: BigInt(row.held),
      claimed: BigInt(row.claimed),
      entryCount: Number(row.entry_count),
      headHash: row.head_hash,
      uncleared: [],
    });
    if (row.uncleared_until !== null && row.uncleared_until > openDate(platformId)) unclearedIds.push(id);
  }
  if (unclearedIds.length > 0) await loadUncleared(tx, unclearedIds, accounts, openDate);
  return accounts;
}

async function loadUncleared(
  tx: Tx,
  ids: readonly Id[],
  accounts: Map<Id, LedgerAccount>,
  openDate: (platformId: Id) => BusinessDate,
): Promise<void> {
  // What fell due stays in the table; the primary key leads past it.
  let leastOpen = openDate((accounts.get(ids[0] as Id) as LedgerAccount).platformId);
  for (const id of ids) {
    const open = openDate((accounts.get(id) as LedgerAccount).platformId);
    if (open < leastOpen) leastOpen = open;
  }
  const rows = await tx.rows<{ account_id: string; due_date: BusinessDate; amount: string; owed: string }>(
    `SELECT account_id, due_date, amount, owed FROM uncleared
     WHERE account_id IN (${ids.join()}) AND due_date > ? AND amount > 0 ORDER BY account_id, due_date`,
    [leastOpen],
  );
  const slices = new Map<LedgerAccount, UnclearedSlice[]>();
  for (const row of rows) {
    const account = accounts.get(asId(row.account_id));
    invariant(account, 'uncleared slices belong to the accounts asked for');
    if (row.due_date <= openDate(account.platformId)) continue;
    const list = slices.get(account) ?? [];
    const owed = BigInt(row.owed);
    list.push({ due: row.due_date, amount: BigInt(row.amount), ...(owed > 0n ? { owed } : {}) });
    slices.set(account, list);
  }
  for (const [account, list] of slices) account.uncleared = list;
}

/** New accounts without money. */
export async function openAccounts(tx: Tx, accounts: readonly { id: Id; platformId: Id; type: AccountType }[]): Promise<void> {
  if (accounts.length === 0) return;
  const genesis = sql.hex(GENESIS_HASH);
  const rows = accounts.map(({ id, platformId, type }) => `${id},${platformId},'${type}','open',0,0,0,${genesis},NULL`);
  await tx.write(
    `INSERT INTO accounts (id, platform_id, type, state, balance, held, entry_count, head_hash, uncleared_until) VALUES ${sql.tuples(rows)}`,
  );
}

/** Changes whether an account may be used. Call it under the shard's lock. */
export async function setAccountState(tx: Tx, id: Id, state: AccountState): Promise<void> {
  await tx.write('UPDATE accounts SET state = ? WHERE id = ?', [state, id]);
}

/** Changes what is claimed of an account. Call it under the shard's lock, with the claims that it is the sum of. */
export async function setClaimed(tx: Tx, id: Id, claimed: Minor): Promise<void> {
  await tx.write('UPDATE accounts SET claimed = ? WHERE id = ?', [String(claimed), id]);
}

/** The statement that writes the accounts of a batch, new and changed. */
export function savingAccounts(accounts: readonly LedgerAccount[]): string | undefined {
  if (accounts.length === 0) return undefined;
  const rows = accounts.map((account) => {
    const until = account.uncleared.at(-1)?.due;
    return (
      `${account.id},${account.platformId},'${account.type}','${account.state}',${account.balance},${account.held},${account.claimed},` +
      `${account.entryCount},${sql.hex(account.headHash)},${until === undefined ? 'NULL' : `'${until}'`}`
    );
  });
  return `INSERT INTO accounts (id, platform_id, type, state, balance, held, claimed, entry_count, head_hash, uncleared_until)
     VALUES ${sql.tuples(rows)}
     ON DUPLICATE KEY UPDATE state = VALUES(state), balance = VALUES(balance), held = VALUES(held), claimed = VALUES(claimed), entry_count = VALUES(entry_count),
       head_hash = VALUES(head_hash), uncleared_until = VALUES(uncleared_until)`;
}

/** The statement that writes what changed of their uncleared slices. */
export function savingUncleared(
  accounts: readonly LedgerAccount[],
  slicesBefore: ReadonlyMap<Id, readonly UnclearedSlice[]>,
): string | undefined {
  const slices: string[] = [];
  for (const account of accounts) {
    const before = slicesBefore.get(account.id) ?? [];
    if (account.uncleared === before) continue;
    const now = new Map(account.uncleared.map((slice) => [slice.due, slice]));
    for (const { due } of before) if (!now.has(due)) now.set(due, { due, amount: 0n });
    for (const { due, amount, owed = 0n } of now.values()) slices.push(`${account.id},'${due}',${amount},${owed}`);
  }
  if (slices.length === 0) return undefined;
  return `INSERT INTO uncleared (account_id, due_date, amount, owed) VALUES ${sql.tuples(slices)}
     ON DUPLICATE KEY UPDATE amount = VALUES(amount), owed = VALUES(owed)`;
}

/** What a channel owes and was to be there by `from`, and now by `to`. */
export interface Postponed {
  readonly platformId: Id;
  /** Minor units. */
  readonly amount: Minor;
  readonly from: BusinessDate;
  readonly to: BusinessDate;
}

/**
 * Moves so much of what a channel owes to a later date, on whatever accounts of the platform it is now: which of it came from which collection
 * nobody knows, so what would clear first waits first, and of one date the oldest account's. Call it under the shard's lock, and only
 * for a date that is still to come.
 */
export async function postponeOwed(tx: Tx, { platformId, amount, from, to }: Postponed): Promise<void> {
  const rows = await tx.rows<{ account_id: string; due_date: BusinessDate; owed: string }>(
    `SELECT u.account_id, u.due_date, u.owed FROM accounts AS a JOIN uncleared AS u ON u.account_id = a.id
     WHERE a.platform_id = ? AND a.uncleared_until >= ? AND u.due_date >= ? AND u.due_date < ? AND u.owed > 0 ORDER BY u.due_date, u.account_id`,
    [platformId, from, from, to],
  );
  let rest = amount;
  for (const { account_id: account, due_date: due, owed } of rows) {
    const part = BigInt(owed) < rest ? BigInt(owed) : rest;
    if (part === 0n) return;
    rest -= part;
    await tx.write('UPDATE uncleared SET amount = amount - ?, owed = owed - ? WHERE account_id = ? AND due_date = ?', [
      ...[String(part), String(part), account, due],
    ]);
    await tx.write(
      `INSERT INTO uncleared (account_id, due_date, amount, owed) VALUES (?, ?, ?, ?)
       ON DUPLICATE KEY UPDATE amount = amount + VALUES(amount), owed = owed + VALUES(owed)`,
      [account, to, String(part), String(part)],
    );
    await tx.write('UPDATE accounts SET uncleared_until = GREATEST(uncleared_until, ?) WHERE id = ?', [to, account]);
  }
}

export function insertingEntries(entries: readonly Entry[]): string | undefined {
  if (entries.length === 0) return undefined;
  const rows = entries.map(
    (entry) =>
      `${entry.account},${entry.seq},${entry.instruction},${entry.amount},${entry.balance},'${entry.businessDate}',${entry.postedMs},${sql.hex(entry.hash)}`,
  );
  return `INSERT INTO entries (account_id, seq, instruction_id, amount, balance, business_date, posted_ms, hash) VALUES ${sql.tuples(rows)}`;
}

interface EntryRow {
  account_id: string;
  seq: string;
  instruction_id: string;
  amount: string;
  balance: string;
  business_date: BusinessDate;
  posted_ms: string;
  hash: Buffer;
}

export function entryOf(row: EntryRow): Entry {
  return {
    account: asId(row.account_id),
    seq: Number(row.seq),
    instruction: asId(row.instruction_id),
    amount: BigInt(row.amount),
    balance: BigInt(row.balance),
    businessDate: row.business_date,
    postedMs: Number(row.posted_ms) as Instant,
    hash: row.hash,
  };
}

export async function entriesOfInstructions(tx: Tx, ids: readonly Id[]): Promise<Entry[]> {
  if (ids.length === 0) return [];
  const rows = await tx.rows<EntryRow>(
    `SELECT * FROM entries WHERE instruction_id IN (${ids.join()}) ORDER BY instruction_id, account_id`,
  );
  return rows.map(entryOf);
}

/** The entries of an account from place `from` on, at most `limit`, in the order of its chain. */
export async function chainOf(tx: Tx, accountId: Id, from: number, limit: number): Promise<Entry[]> {
  const rows = await tx.rows<EntryRow>('SELECT * FROM entries WHERE account_id = ? AND seq >= ? ORDER BY seq LIMIT ?', [
    accountId,
    from,
    limit,
  ]);
  return rows.map(entryOf);
}

/** The entries of several accounts, at most `limit`: account by account in the order of their ids, each in that of its chain. */
export async function chainsOf(tx: Tx, accountIds: readonly Id[], limit: number): Promise<Entry[]> {
  const rows = await tx.rows<EntryRow>(
    `SELECT * FROM entries WHERE account_id IN (${accountIds.join()}) ORDER BY account_id, seq LIMIT ${limit}`,
  );
  return rows.map(entryOf);
}

/** What a platform's book adds up to: custody as the positive amount kept, and the sum of all its other accounts, less what channels owe. */
export async function bookTotals(tx: Tx, platformId: Id): Promise<{ custody: Minor; children: Minor }> {
  const rows = await tx.rows<{ own: number; total: string }>(
    `SELECT type = 'custody' AS own, CAST(SUM(balance) AS CHAR) AS total FROM accounts WHERE platform_id = ? GROUP BY type = 'custody'`,
    [platformId],
  );
  const total = (own: boolean) => BigInt(rows.find((row) => Boolean(Number(row.own)) === own)?.total ?? '0');
  return { custody: -total(true), children: total(false) };
}
