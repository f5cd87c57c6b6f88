import { type BusinessDate, checkUscc, type Id, type Refusal, Refused, refuse, toWire } from '../kernel/index.js';
import {
  ACCOUNT_TYPES,
  type AccountState,
  type Book,
  type FunctionalAccount,
  insertBook,
  isPlatformOwn,
  loadBook,
  loadBooks,
  lockShard,
  openAccounts,
  setAccountState,
  setTerms,
  type Terms,
} from '../ledger/index.js';
import { createPlatform, type Profile, readPlatform } from '../platforms/index.js';
import { isDuplicateKey, type Runtime, type Tx, type Vault } from '../runtime/index.js';
import { numberOwnAccount } from './pay-in-store.js';
import { checkSettlementAccount, refusalOf, type SettlementAccount } from './rules.js';
import { bindSettlementAccounts, findAccount, isCustodyNoTaken, leastLoadedShard } from './store.js';

type Parts = Pick<Runtime, 'newId' | 'clock' | 'vault'>;

export interface NewBook {
  readonly name: string;
  readonly uscc?: string | undefined;
  /** `marketplace` when absent. */
  readonly profile?: Profile | undefined;
  /** The number of an account that is open at the core bank. */
  readonly custodyNo: string;
  readonly openDate: BusinessDate;
  readonly terms: Terms;
  /** Where the platform's own money is paid. */
  readonly settlementAccount?: SettlementAccount | undefined;
}

export const FUNCTIONAL_ACCOUNTS = [
  'custody',
  'in-transit',
  'own-funds',
  'commission',
  'marketing',
  'fees',
  'suspense',
] as const satisfies readonly FunctionalAccount[];

/**
 * A platform with its book and one functional account a purpose, on the shard that has the fewest books. The custody account
 * must be open at the core bank already: no network call is made inside a database transaction.
 * @throws Refused USCC_INVALID, CUSTODY_NO_REUSED, or what is wrong with the settlement account
 */
export async function openPlatform(tx: Tx, rt: Parts, of: NewBook): Promise<Book> {
  if (of.uscc !== undefined && !checkUscc(of.uscc).ok) throw new Refused(refuse('USCC_INVALID'));
  if (await isCustodyNoTaken(tx, of.custodyNo)) throw new Refused(refuse('CUSTODY_NO_REUSED'));
  const platformId = await createPlatform(tx, { name: of.name, uscc: of.uscc, profile: of.profile }, rt);
  const ids = FUNCTIONAL_ACCOUNTS.map((type) => [type, rt.newId()] as const);
  const book: Omit<Book, 'provedTo'> = {
    platformId,
    shardId: await leastLoadedShard(tx),
    currency: 'CNY',
    custodyNo: of.custodyNo,
    businessDate: of.openDate,
    accounts: Object.fromEntries(ids) as Record<FunctionalAccount, Id>,
    terms: of.terms,
    profile: of.profile ?? 'marketplace',
  };
  try {
    await insertBook(tx, book);
  } catch (error) {
    if (isDuplicateKey(error)) throw new Refused(refuse('CUSTODY_NO_REUSED')); // another opening came between
    throw error;
  }
  await openAccounts(
    tx,
    ids.map(([type, id]) => ({ id, platformId, type })),
  );
  await numberOwnAccount(tx, platformId, book.accounts['own-funds']);
  const opened = await loadBook(tx, platformId);
  if (of.settlementAccount !== undefined) await bindPlatform(tx, rt.vault, opened, { name: of.name, to: of.settlementAccount });
  return opened;
}

/**
 * Binds the accounts of the platform's own money to one settlement account in its own name.
 * @throws Refused NOT_FOUND, or what is wrong with the settlement account
 */
export async function changePlatformSettlementAccount(
  tx: Tx,
  vault: Vault,
  platformId: Id,
  to: SettlementAccount,
): Promise<Book> {
  const book = await requireBook(tx, platformId);
  const platform = await readPlatform(tx, platformId);
  await bindPlatform(tx, vault, book, { name: platform?.name ?? '', to });
  return book;
}

async function bindPlatform(
  tx: Tx,
  vault: Vault,
  book: Book,
  { name, to }: { name: string; to: SettlementAccount },
): Promise<void> {
  const refusal = refusalOf(checkSettlementAccount(to, { name, kind: 'company' }).faults);
  if (refusal !== undefined) throw new Refused(refusal);
  const own = FUNCTIONAL_ACCOUNTS.filter(isPlatformOwn);
  await bindSettlementAccounts(
    tx,
    vault,
    own.map((type) => [book.accounts[type], to] as const),
  );
}

/** @throws Refused NOT_FOUND */
export async function requireBook(tx: Tx, platformId: Id): Promise<Book> {
  const book = (await loadBooks(tx, [platformId])).get(platformId);
  if (book === undefined) throw new Refused(refuse('NOT_FOUND'));
  return book;
}

/** Why a platform gets no new members: it is wound up. What was opened before is answered as before. */
export function takesNoMembers({ business = 'open' }: Pick<Book, 'business'>): Refusal | undefined {
  return business === 'open' ? undefined : refuse('WINDING_UP', 'It takes no new members.', { business });
}

/** From the commit on, no instruction is decided by the terms before. @throws Refused NOT_FOUND */
export async function changeTerms(tx: Tx, rt: Pick<Parts, 'clock'>, platformId: Id, terms: Terms): Promise<Book> {
  const book = await requireBook(tx, platformId);
  await lockShard(tx, book.shardId, rt.clock.now());
  await setTerms(tx, platformId, terms);
  return {
    ...book,
    terms: {
      ...terms,
      agreements: terms.agreements ?? book.terms.agreements,
      collected: terms.collected ?? book.terms.collected,
    },
  };
}

/**
 * Freezes an account, or ends its freeze. From the commit on nothing leaves a frozen account; money may still come in. Doing
 * it twice changes nothing. The bank's working accounts cannot be frozen: every payout passes through them.
 * @throws Refused NOT_FOUND, ACCOUNT_CLOSED, ACCOUNT_TYPE_NOT_ALLOWED
 */
export async function setFrozen(tx: Tx, rt: Pick<Parts, 'clock'>, accountId: Id, frozen: boolean): Promise<AccountState> {
  const found = await findAccount(tx, accountId);
  if (found === undefined) throw new Refused(refuse('NOT_FOUND'));
  if (ACCOUNT_TYPES[found.type].belongsTo === 'bank')
    throw new Refused(refuse('ACCOUNT_TYPE_NOT_ALLOWED', undefined, { type: found.type }));
  const book = await requireBook(tx, found.platformId);
  await lockShard(tx, book.shardId, rt.clock.now());
  const now = await findAccount(tx, accountId);
  if (now?.state === 'closed') throw new Refused(refuse('ACCOUNT_CLOSED', undefined, { account: toWire('account', accountId) }));
  const state = frozen ? 'frozen' : 'open';
  await setAccountState(tx, accountId, state);
  return state;
}
