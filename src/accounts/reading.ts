import { addDays, type BusinessDate, type Id, type Instant, invariant, type Minor, Refused, refuse } from '../kernel/index.js';
import { type AccountType, type Entry, type LedgerAccount, loadAccounts, loadBook } from '../ledger/index.js';
import type { Tx } from '../runtime/index.js';
import { ownNumbers } from './pay-in-store.js';
import { shown } from './rules.js';
import {
  type AccountKey,
  countEntriesUpTo,
  entriesBetween,
  findAccount,
  type SubMerchant,
  subMerchantsByAccount,
} from './store.js';

/** An account with the sub-merchant it belongs to, if it is one's. */
export interface AccountView {
  readonly account: LedgerAccount;
  readonly merchant: SubMerchant | undefined;
  /** Of the platform's own funds and of sub-accounts: the number by which others transfer to it. */
  readonly virtualNo: string | undefined;
}

/**
 * Accounts of one platform as they stand, in the order asked for. Call it in a snapshot: what has not cleared must be of the
 * same moment as the balance.
 */
export async function viewAccounts(tx: Tx, platformId: Id, ids: readonly Id[]): Promise<AccountView[]> {
  const { businessDate } = await loadBook(tx, platformId);
  const accounts = await loadAccounts(tx, ids, () => businessDate);
  const merchants = await subMerchantsByAccount(tx, ids);
  const numbers = await ownNumbers(tx, ids);
  return ids.map((id) => {
    const account = accounts.get(id);
    invariant(account, `account ${id} is there`);
    const merchant = merchants.get(id);
    return { account, merchant, virtualNo: merchant?.virtualNo ?? numbers.get(id) };
  });
}

/**
 * @param owner the platform that asks; absent for the bank's staff, who see all
 * @throws Refused NOT_FOUND, also for an account of another platform
 */
export async function requireAccount(tx: Tx, id: Id, owner: Id | undefined): Promise<AccountKey> {
  const found = await findAccount(tx, id, owner);
  if (found === undefined) throw new Refused(refuse('NOT_FOUND'));
  return found;
}

export interface PastBalance {
  readonly id: Id;
  readonly type: AccountType;
  readonly asOf: Instant;
  readonly balance: Minor;
  /** How many entries the account had then. */
  readonly seq: number;
}

/**
 * The balance at a past instant: that of the last entry posted by then, and zero before the first.
 * @throws Refused NOT_FOUND
 */
export async function balanceAsOf(tx: Tx, id: Id, owner: Id | undefined, asOf: Instant): Promise<PastBalance> {
  const { type, entryCount } = await requireAccount(tx, id, owner);
  const seq = await countEntriesUpTo(tx, id, entryCount, { instant: asOf });
  const [last] = await entriesBetween(tx, id, { first: seq, last: seq, newestFirst: false }, 1);
  return { id, type, asOf, balance: last === undefined ? 0n : shown(type, last.balance), seq };
}

export interface EntryFilter {
  /** Business dates, both inclusive. */
  readonly from?: BusinessDate | undefined;
  readonly to?: BusinessDate | undefined;
  readonly order: 'newest' | 'oldest';
  /** The place of the last entry shown before. */
  readonly after?: number | undefined;
}

/** Entries of an account with the amounts as they are shown. @throws Refused NOT_FOUND */
export async function readEntries(tx: Tx, id: Id, owner: Id | undefined, filter: EntryFilter, limit: number): Promise<Entry[]> {
  const { type, entryCount } = await requireAccount(tx, id, owner);
  const { from, to, after } = filter;
  const newestFirst = filter.order === 'newest';
  const first = from === undefined ? 1 : (await countEntriesUpTo(tx, id, entryCount, { date: addDays(from, -1) })) + 1;
  const last = to === undefined ? entryCount : await countEntriesUpTo(tx, id, entryCount, { date: to });
  const range = {
    first: !newestFirst && after !== undefined ? Math.max(first, after + 1) : first,
    last: newestFirst && after !== undefined ? Math.min(last, after - 1) : last,
    newestFirst,
  };
  const entries = await entriesBetween(tx, id, range, limit);
  return entries.map((entry) => ({ ...entry, amount: shown(type, entry.amount), balance: shown(type, entry.balance) }));
}
