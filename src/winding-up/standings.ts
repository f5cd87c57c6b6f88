import { settlementAccountsOf } from '../accounts/index.js';
import { asId, type Id, type Instant, invariant, type Minor } from '../kernel/index.js';
import { ACCOUNT_TYPES, type AccountType, type Book, type LedgerAccount, loadAccounts } from '../ledger/index.js';
import { lentCount } from '../lending/index.js';
import { type Order, orderKey, orderRecords } from '../orders/index.js';
import { wantedByRefunds } from '../refunds/index.js';
import type { Tx, Vault } from '../runtime/index.js';
import { keptForProjects } from './lending.js';
import { type Owner, type Round, type Standing, triedUnder } from './rules.js';
import { accountsWithMoney, lastPayouts, outcomesUnder, ownersOf, refundsWait, type WindDown } from './store.js';

/** Where a walk over a platform's accounts goes on. */
export interface Cursor {
  readonly type: AccountType;
  readonly after: Id;
}

/** All types but the custody account itself, in the order of the chart. */
export const HELD_TYPES = (Object.keys(ACCOUNT_TYPES) as AccountType[]).filter((type) => type !== 'custody');

const PAGE = 500;

/** What holds for the whole platform, with what its borrowers' accounts keep for their next instalments. */
export type RoundNow = Round & { readonly instalments: ReadonlyMap<Id, Minor> };

export async function roundOf(
  tx: Tx,
  book: Book,
  { ordersBackOn, startedOn, movesTo }: WindDown,
  nowMs: Instant,
): Promise<RoundNow> {
  invariant(startedOn, 'a wind-down that is under way was approved');
  return {
    date: book.businessDate,
    ordersBackOn: ordersBackOn ?? startedOn,
    refundsWait: await refundsWait(tx, book.platformId),
    movesHouse: movesTo !== null,
    projectsLent: await lentCount(tx, book.platformId),
    ownFunds: book.accounts['own-funds'],
    instalments: await keptForProjects(tx, book, nowMs),
  };
}

/**
 * The accounts of a platform that have money, of some types, a page at a time. Each page is read in one transaction.
 * @param types in which order
 */
export async function standingsPage(
  tx: Tx,
  vault: Vault,
  { book, round, types, from }: { book: Book; round: RoundNow; types: readonly AccountType[]; from: Cursor | undefined },
): Promise<{ readonly page: readonly Standing[]; readonly next: Cursor | undefined }> {
  const { type, after } = from ?? { type: types[0] as AccountType, after: asId('0') };
  const ids = await accountsWithMoney(tx, book.platformId, { type, after }, PAGE);
  const page = await standingsOf(tx, vault, { book, round, ids });
  const last = ids.at(-1);
  if (last !== undefined && ids.length === PAGE) return { page, next: { type, after: last } };
  const following = types[types.indexOf(type) + 1];
  return { page, next: following === undefined ? undefined : { type: following, after: asId('0') } };
}

/** How these accounts stand, in the order asked for. */
export async function standingsOf(
  tx: Tx,
  vault: Vault,
  { book, round, ids }: { book: Book; round: RoundNow; ids: readonly Id[] },
): Promise<Standing[]> {
  if (ids.length === 0) return [];
  const accounts = await loadAccounts(tx, ids, () => book.businessDate);
  const owners = await ownersOf(tx, ids);
  const orderKeys = [...owners.orders.values()].map(({ no }) => orderKey(book.platformId, no));
  const orders = orderKeys.length === 0 ? new Map<string, Order>() : await orderRecords.load(tx, orderKeys);
  const bound = await settlementAccountsOf(tx, [...ids, ...[...owners.margins.values()].map(({ of }) => of)]);
  const paid = await lastPayouts(tx, ids);
  const wanted = await wantedByRefunds(tx, ids);
  const untried = ids.map((id): Standing => {
    const account = accounts.get(id);
    invariant(account, `account ${id} is there`);
    const of = owners.orders.get(id);
    const marginOf = owners.margins.get(id)?.of;
    const order = of && orders.get(orderKey(book.platformId, of.no));
    // An order whose payer has an electronic account here goes back to that one, and out only from there.
    const payee = order === undefined ? bound.get(id) : order.payerAccountId === null ? payeeOf(order.payer) : undefined;
    const last = paid.get(id);
    const came = last?.state === 'failed' || last?.state === 'returned';
    const again = payee && last && payee.bankCode === last.bankCode && vault.read(payee.account) === vault.read(last.payee);
    return {
      account,
      owner: ownerOf(account, owners),
      marginOf,
      bound: bound.has(marginOf ?? id),
      bounced: came && again === true,
      order,
      dueMs: of?.dueMs ?? undefined,
      wanted: wanted.get(id) ?? 0n,
      instalments: round.instalments.get(id) ?? 0n,
      tried: undefined,
    };
  });
  return withTried(tx, book.platformId, untried, round);
}

const payeeOf = ({ account, bankCode }: { account: string; bankCode: string }) => ({ account, bankCode });

function ownerOf({ id, type }: LedgerAccount, owners: Awaited<ReturnType<typeof ownersOf>>): Owner {
  const merchantNo = owners.merchants.get(id) ?? owners.margins.get(id)?.no;
  if (merchantNo !== undefined) return { merchantNo };
  const userNo = owners.users.get(id);
  if (userNo !== undefined) return { userNo };
  const order = owners.orders.get(id);
  if (order !== undefined) return { orderNo: order.no };
  return ACCOUNT_TYPES[type].belongsTo === 'platform' ? 'platform' : 'bank';
}

/** What became of what this round gave already: it was refused, or people look at it. */
async function withTried(tx: Tx, platformId: Id, standings: readonly Standing[], round: Round): Promise<Standing[]> {
  const numbers = standings.map((standing) => triedUnder(standing, round));
  const outcomes = await outcomesUnder(
    tx,
    platformId,
    numbers.filter((no) => no !== undefined),
  );
  return standings.map((standing, place) => {
    const no = numbers[place];
    const outcome = no === undefined ? undefined : outcomes.get(no);
    if (outcome === undefined) return standing;
    return { ...standing, tried: outcome ?? { state: 'in-review', code: null } };
  });
}
