import { addDays, asId, type BusinessDate, type Id, type Instant, invariant, type Minor } from '../kernel/index.js';
import { type AccountState, type AccountType, type Entry, entryOf } from '../ledger/index.js';
import { sql, type Tx, type Vault } from '../runtime/index.js';
import type { Cycle, CycleTerms } from './cycle.js';
import type { SettlementAccount } from './rules.js';

export interface SubMerchant extends CycleTerms {
  readonly id: Id;
  readonly platformId: Id;
  readonly merchantNo: string;
  readonly partyId: Id;
  readonly accountId: Id;
  readonly virtualNo: string;
  /** Of what was asked when it was opened. */
  readonly contentHash: Buffer;
  readonly openedMs: Instant;
  readonly closedMs: Instant | null;
}

interface SubMerchantRow {
  id: string;
  platform_id: string;
  merchant_no: string;
  party_id: string;
  account_id: string;
  virtual_no: string;
  cycle: Cycle;
  cycle_days: number | null;
  pay_day: number | null;
  content_hash: Buffer;
  opened_ms: string;
  closed_ms: string | null;
}

function subMerchantOf(row: SubMerchantRow): SubMerchant {
  return {
    id: asId(row.id),
    platformId: asId(row.platform_id),
    merchantNo: row.merchant_no,
    partyId: asId(row.party_id),
    accountId: asId(row.account_id),
    virtualNo: row.virtual_no,
    cycle: row.cycle,
    cycleDays: row.cycle_days,
    payDay: row.pay_day,
    contentHash: row.content_hash,
    openedMs: Number(row.opened_ms) as Instant,
    closedMs: row.closed_ms === null ? null : (Number(row.closed_ms) as Instant),
  };
}

/** Takes `count` numbers in a row off the sequence of virtual account numbers; answers the first. */
export async function takeVirtualNumbers(tx: Tx, count: number): Promise<bigint> {
  await tx.write("INSERT INTO counters (name, value) VALUES ('virtual-account', ?) ON DUPLICATE KEY UPDATE value = value + ?", [
    count,
    count,
  ]);
  const [row] = await tx.rows<{ value: string }>("SELECT value FROM counters WHERE name = 'virtual-account'");
  invariant(row, 'the sequence of virtual account numbers has a row');
  return BigInt(row.value) - BigInt(count);
}

/** @throws a duplicate-key error when a number was taken meanwhile */
export async function insertSubMerchants(tx: Tx, merchants: readonly SubMerchant[]): Promise<void> {
  if (merchants.length === 0) return;
  const rows = merchants.map(
    (m) =>
      `${m.id},${m.platformId},${sql.text(m.merchantNo)},${m.partyId},${m.accountId},'${m.virtualNo}','${m.cycle}',` +
      `${m.cycleDays ?? 'NULL'},${m.payDay ?? 'NULL'},${sql.hex(m.contentHash)},${m.openedMs},NULL`,
  );
  await tx.write(
    `INSERT INTO sub_merchants (id, platform_id, merchant_no, party_id, account_id, virtual_no, cycle, cycle_days, pay_day, content_hash, opened_ms,
       closed_ms)
     VALUES ${sql.tuples(rows)}`,
  );
}

/** How these sub-accounts' owners were opened to be paid, by account: those alone who are not paid on the next working day. */
export async function ownCycles(tx: Tx, accountIds: readonly Id[]): Promise<Map<Id, CycleTerms>> {
  if (accountIds.length === 0) return new Map();
  const rows = await tx.rows<Pick<SubMerchantRow, 'account_id' | 'cycle' | 'cycle_days' | 'pay_day'>>(
    `SELECT account_id, cycle, cycle_days, pay_day FROM sub_merchants WHERE account_id IN (${accountIds.join()}) AND cycle <> 't+1'`,
  );
  return new Map(rows.map((row) => [asId(row.account_id), { cycle: row.cycle, cycleDays: row.cycle_days, payDay: row.pay_day }]));
}

/** A platform's sub-merchants under these numbers, by number. */
export async function subMerchantsByNumber(
  tx: Tx,
  platformId: Id,
  numbers: readonly string[],
): Promise<Map<string, SubMerchant>> {
  if (numbers.length === 0) return new Map();
  const rows = await tx.rows<SubMerchantRow>(
    `SELECT * FROM sub_merchants WHERE platform_id = ? AND merchant_no IN (${numbers.map(sql.text).join()})`,
    [platformId],
  );
  return new Map(rows.map((row) => [row.merchant_no, subMerchantOf(row)]));
}

/** What a platform calls the sub-merchants of these accounts, by account. */
export async function merchantNumbersOf(tx: Tx, accountIds: readonly Id[]): Promise<Map<Id, string>> {
  if (accountIds.length === 0) return new Map();
  const rows = await tx.rows<Pick<SubMerchantRow, 'account_id' | 'merchant_no'>>(
    `SELECT account_id, merchant_no FROM sub_merchants WHERE account_id IN (${accountIds.join()})`,
  );
  return new Map(rows.map((row) => [asId(row.account_id), row.merchant_no]));
}

export async function subMerchantsByAccount(tx: Tx, accountIds: readonly Id[]): Promise<Map<Id, SubMerchant>> {
  if (accountIds.length === 0) return new Map();
  const rows = await tx.rows<SubMerchantRow>(`SELECT * FROM sub_merchants WHERE account_id IN (${accountIds.join()})`);
  return new Map(rows.map((row) => [asId(row.account_id), subMerchantOf(row)]));
}

export async function findSubMerchant(tx: Tx, platformId: Id, id: Id): Promise<SubMerchant | undefined> {
  const [row] = await tx.rows<SubMerchantRow>('SELECT * FROM sub_merchants WHERE id = ? AND platform_id = ?', [id, platformId]);
  return row && subMerchantOf(row);
}

/** In the order they were opened, after `after`. */
export async function listSubMerchants(tx: Tx, platformId: Id, after: string, limit: number): Promise<SubMerchant[]> {
  const rows = await tx.rows<SubMerchantRow>('SELECT * FROM sub_merchants WHERE platform_id = ? AND id > ? ORDER BY id LIMIT ?', [
    platformId,
    after,
    limit,
  ]);
  return rows.map(subMerchantOf);
}

export async function markClosed(tx: Tx, id: Id, at: Instant): Promise<void> {
  await tx.write('UPDATE sub_merchants SET closed_ms = ? WHERE id = ?', [at, id]);
}

/** Binds each account to its settlement account, in place of the one before. Holder and number are sealed. */
export async function bindSettlementAccounts(
  tx: Tx,
  vault: Vault,
  bindings: readonly (readonly [accountId: Id, to: SettlementAccount])[],
): Promise<void> {
  if (bindings.length === 0) return;
  const sealed = (text: string) => sql.text(vault.seal(text));
  // By these indexes money from an unknown payer finds the account that he is bound to.
  const indexes = (to: SettlementAccount) =>
    `${sql.hex(vault.index('card', to.account))},${sql.hex(vault.index('holder', to.name))}`;
  const rows = bindings.map(
    ([id, to]) => `${id},${sealed(to.name)},${sealed(to.account)},${sql.text(to.bankCode)},${indexes(to)}`,
  );
  await tx.write(
    `INSERT INTO settlement_accounts (account_id, holder_name, account_no, bank_code, account_index, holder_index) VALUES ${sql.tuples(rows)}
     ON DUPLICATE KEY UPDATE holder_name = VALUES(holder_name), account_no = VALUES(account_no), bank_code = VALUES(bank_code),
       account_index = VALUES(account_index), holder_index = VALUES(holder_index)`,
  );
}

/** The settlement accounts bound to these accounts, holder and number sealed as they are stored; one without is left out. */
export async function settlementAccountsOf(tx: Tx, accountIds: readonly Id[]): Promise<Map<Id, SettlementAccount>> {
  if (accountIds.length === 0) return new Map();
  const rows = await tx.rows<{ account_id: string; holder_name: string; account_no: string; bank_code: string }>(
    `SELECT account_id, holder_name, account_no, bank_code FROM settlement_accounts WHERE account_id IN (${accountIds.join()})`,
  );
  return new Map(
    rows.map((row) => [asId(row.account_id), { name: row.holder_name, account: row.account_no, bankCode: row.bank_code }]),
  );
}

/** A settlement account, or a payee that was copied from one, with holder and number as they were given. */
export function openSettlementAccount(vault: Vault, { name, account, bankCode }: SettlementAccount): SettlementAccount {
  return { name: vault.read(name), account: vault.read(account), bankCode };
}

/** The shard with the fewest books, the lowest of several. */
export async function leastLoadedShard(tx: Tx): Promise<number> {
  const [row] = await tx.rows<{ id: number }>(
    `SELECT s.id AS id, COUNT(b.platform_id) AS books FROM shards AS s LEFT JOIN books AS b ON b.shard_id = s.id
     GROUP BY s.id ORDER BY books, id LIMIT 1`,
  );
  invariant(row, 'there is a shard');
  return row.id;
}

export async function isCustodyNoTaken(tx: Tx, custodyNo: string): Promise<boolean> {
  return (await tx.rows('SELECT 1 FROM books WHERE custody_no = ?', [custodyNo])).length > 0;
}

export interface AccountKey {
  readonly id: Id;
  readonly platformId: Id;
  readonly type: AccountType;
  readonly state: AccountState;
  readonly entryCount: number;
}

export interface AccountFunds {
  readonly state: AccountState;
  readonly balance: Minor;
  readonly held: Minor;
  readonly claimed: Minor;
}

/** @param platformId leaves out accounts of others */
export async function findAccount(tx: Tx, id: Id, platformId?: Id): Promise<AccountKey | undefined> {
  const [row] = await tx.rows<{ platform_id: string; type: AccountType; state: AccountState; entry_count: string }>(
    'SELECT platform_id, type, state, entry_count FROM accounts WHERE id = ?',
    [id],
  );
  if (row === undefined || (platformId !== undefined && row.platform_id !== platformId)) return undefined;
  return { id, platformId: asId(row.platform_id), type: row.type, state: row.state, entryCount: Number(row.entry_count) };
}

/** What stands on accounts and whether they may be used, by id. */
export async function accountFunds(tx: Tx, ids: readonly Id[]): Promise<Map<Id, AccountFunds>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.rows<{ id: string; state: AccountState; balance: string; held: string; claimed: string }>(
    `SELECT id, state, balance, held, claimed FROM accounts WHERE id IN (${ids.join()})`,
  );
  return new Map(
    rows.map((row) => [
      asId(row.id),
      { state: row.state, balance: BigInt(row.balance), held: BigInt(row.held), claimed: BigInt(row.claimed) },
    ]),
  );
}

/** What stands on the margin account of a sub-account, if it has one. */
export async function marginFunds(tx: Tx, accountId: Id): Promise<(AccountFunds & { readonly id: Id }) | undefined> {
  const [row] = await tx.rows<{ margin_id: string }>('SELECT margin_id FROM margins WHERE account_id = ?', [accountId]);
  if (row === undefined) return undefined;
  const id = asId(row.margin_id);
  return { id, ...((await accountFunds(tx, [id])).get(id) as AccountFunds) };
}

/** What of each of these accounts is under way, out of it or for it: what may still come on it without being asked. */
export async function reservedOf(tx: Tx, ids: readonly Id[]): Promise<Map<Id, Minor>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.rows<{ id: string; amount: string }>(
    `SELECT source_account_id AS id, SUM(amount) AS amount FROM payouts
     WHERE source_account_id IN (${ids.join()}) AND state IN ('created', 'sent', 'unknown') GROUP BY source_account_id`,
  );
  return new Map(rows.map((row) => [asId(row.id), BigInt(row.amount)]));
}

/** Ids of a platform's accounts by type and id, after `after`. */
export async function listAccountIds(
  tx: Tx,
  platformId: Id,
  { type, after }: { type?: AccountType | undefined; after: readonly [type: string, id: string] },
  limit: number,
): Promise<Id[]> {
  const rows =
    type === undefined
      ? await tx.rows<{ id: string }>(
          `SELECT id FROM accounts WHERE platform_id = ? AND (type > ? OR (type = ? AND id > ?)) ORDER BY type, id LIMIT ?`,
          [platformId, after[0], after[0], after[1], limit],
        )
      : await tx.rows<{ id: string }>(
          'SELECT id FROM accounts WHERE platform_id = ? AND type = ? AND id > ? ORDER BY id LIMIT ?',
          [platformId, type, after[1], limit],
        );
  return rows.map((row) => asId(row.id));
}

/** Whether a payout of this account is neither with the payee nor back. */
export async function hasPayoutsUnderWay(tx: Tx, accountId: Id): Promise<boolean> {
  const rows = await tx.rows(
    "SELECT 1 FROM payouts WHERE source_account_id = ? AND state IN ('created', 'sent', 'unknown') LIMIT 1",
    [accountId],
  );
  return rows.length > 0;
}

/** What an account is still needed for. */
export interface NeededFor {
  /** A refund waits for its money, or is being tried. */
  readonly refundWaits: boolean;
  /** Its platform advanced something for it. */
  readonly owes: boolean;
  /** A deal that is not over may have to credit it. */
  readonly inDeal: boolean;
  /** A project, or a claim on one, is not over. */
  readonly lends: boolean;
}

export async function neededFor(tx: Tx, accountId: Id): Promise<NeededFor> {
  const waiting = await tx.rows('SELECT 1 FROM shortage_lines WHERE waiting_on = ? LIMIT 1', [accountId]);
  const owed = await tx.rows('SELECT 1 FROM receivables WHERE open_of = ? LIMIT 1', [accountId]);
  const deals = await tx.rows(
    `SELECT 1 FROM escrow_accounts AS a JOIN escrow_deals AS d ON d.id = a.escrow_id WHERE a.account_id = ?
       AND (d.ended_ms IS NULL OR EXISTS (SELECT 1 FROM escrow_funds AS f WHERE f.escrow_id = d.id AND f.sent < f.back)) LIMIT 1`,
    [accountId],
  );
  const lending = await tx.rows(
    `SELECT 1 FROM lending_parties AS a JOIN lending_projects AS p ON p.id = a.project_id
     WHERE a.account_id = ? AND (p.ended_ms IS NULL OR p.unrecovered > 0)
     UNION ALL SELECT 1 FROM lending_claims WHERE account_id = ? AND principal_left > 0 LIMIT 1`,
    [accountId, accountId],
  );
  const [refundWaits, owes, inDeal, lends] = [waiting, owed, deals, lending].map((rows) => rows.length > 0) as [
    ...[boolean, boolean, boolean, boolean],
  ];
  return { refundWaits, owes, inDeal, lends };
}

const PROBES = 24;

/**
 * How many entries of an account come before a boundary, by probing its chain instead of reading it: neither posting time nor
 * business date ever decreases along a chain.
 * @param count entries of the chain
 */
export async function countEntriesUpTo(
  tx: Tx,
  accountId: Id,
  count: number,
  boundary: { readonly instant: Instant } | { readonly date: BusinessDate },
): Promise<number> {
  const isWithin = 'instant' in boundary ? 'posted_ms <= ?' : 'business_date <= ?';
  const bound = 'instant' in boundary ? boundary.instant : boundary.date;
  let within = 0; // the chain up to here is within, the one from `beyond` on is not
  let beyond = count + 1;
  while (beyond - within > 1) {
    const width = beyond - within;
    const places = Array.from(
      { length: Math.min(PROBES, width - 1) },
      (_, n) => within + Math.ceil(((n + 1) * width) / (PROBES + 1)),
    );
    const probes = [...new Set(places.filter((place) => place < beyond))];
    const rows = await tx.rows<{ seq: string; within: number }>(
      `SELECT seq, ${isWithin} AS within FROM entries WHERE account_id = ? AND seq IN (${probes.join()}) ORDER BY seq`,
      [bound, accountId],
    );
    invariant(rows.length === probes.length, `the chain of account ${accountId} has no gaps`);
    for (const row of rows) {
      if (Number(row.within) === 1) within = Number(row.seq);
      else beyond = Math.min(beyond, Number(row.seq));
    }
  }
  return within;
}

/** The places of an account's first and last entries of business dates, both inclusive; `last` is before `first` where there are none. */
export async function placesOfDates(
  tx: Tx,
  accountId: Id,
  count: number,
  { from, to }: { readonly from: BusinessDate; readonly to: BusinessDate },
): Promise<{ readonly first: number; readonly last: number }> {
  const before = await countEntriesUpTo(tx, accountId, count, { date: addDays(from, -1) });
  return { first: before + 1, last: await countEntriesUpTo(tx, accountId, count, { date: to }) };
}

/** Entries at the places `first` to `last` of a chain, in either order. */
export async function entriesBetween(
  tx: Tx,
  accountId: Id,
  { first, last, newestFirst }: { first: number; last: number; newestFirst: boolean },
  limit: number,
): Promise<Entry[]> {
  if (first > last) return [];
  const rows = await tx.rows<Parameters<typeof entryOf>[0]>(
    `SELECT * FROM entries WHERE account_id = ? AND seq BETWEEN ? AND ? ORDER BY seq ${newestFirst ? 'DESC' : 'ASC'} LIMIT ?`,
    [accountId, first, last, limit],
  );
  return rows.map(entryOf);
}
