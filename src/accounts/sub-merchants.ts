import {
  type BusinessDate,
  type Id,
  type Instant,
  naturalDate,
  type Refusal,
  Refused,
  refuse,
  virtualAccountNo,
} from '../kernel/index.js';
import { type AccountState, lockShard, openAccounts, setAccountState } from '../ledger/index.js';
import { insertParties, loadParties, type StoredParty, type Warning } from '../parties/index.js';
import { isDuplicateKey, isSameContent, loadParameters, type Runtime, type Tx, type Vault } from '../runtime/index.js';
import { requireBook, takesNoMembers } from './book.js';
import {
  checkSettlementAccount,
  checkSubMerchant,
  contentOf,
  cycleOf,
  type NewSubMerchant,
  refusalOf,
  type SettlementAccount,
} from './rules.js';
import {
  type AccountFunds,
  accountFunds,
  bindSettlementAccounts,
  findSubMerchant,
  hasPayoutsUnderWay,
  insertSubMerchants,
  marginFunds,
  markClosed,
  neededFor,
  openSettlementAccount,
  type SubMerchant,
  settlementAccountsOf,
  subMerchantsByAccount,
  subMerchantsByNumber,
  takeVirtualNumbers,
} from './store.js';

type Parts = Pick<Runtime, 'db' | 'newId' | 'clock' | 'vault'>;

/** What an opening answers, the first time and every time it is repeated. */
export interface Opening {
  readonly merchant: SubMerchant;
  readonly asked: NewSubMerchant;
  readonly warnings: readonly Warning[];
  /** Whether it was open before this request. */
  readonly repeated: boolean;
}

export function isOpening(result: Opening | Refusal): result is Opening {
  return 'merchant' in result;
}

const RACES_MAX = 5;

/**
 * Opens sub-merchants, each with its party, its virtual sub-account and its bound settlement account, in one database
 * transaction; answers line by line. The same number and particulars as before: the first answer again. A faulty line opens
 * nothing and hinders no other.
 * @param root pointer of a line in the request
 */
export async function openSubMerchants(
  rt: Parts,
  platformId: Id,
  asked: readonly NewSubMerchant[],
  root: (line: number) => string = () => '',
): Promise<(Opening | Refusal)[]> {
  const today = naturalDate(rt.clock.now());
  const work = (tx: Tx) => openAll(tx, rt, platformId, { asked, today, root });
  for (let race = 1; ; race += 1) {
    try {
      // A lost COMMIT is simply run again: what was written then answers as repeated.
      return await rt.db.withTx('open sub-merchants', work, async () => undefined);
    } catch (error) {
      if (!isDuplicateKey(error) || race === RACES_MAX) throw error; // a twin came first: now it is there to be read
    }
  }
}

interface Lines {
  readonly asked: readonly NewSubMerchant[];
  readonly today: BusinessDate;
  readonly root: (line: number) => string;
}

async function openAll(tx: Tx, rt: Parts, platformId: Id, { asked, today, root }: Lines): Promise<(Opening | Refusal)[]> {
  const book = await requireBook(tx, platformId);
  const known = await subMerchantsByNumber(
    tx,
    platformId,
    asked.map((line) => line.merchantNo),
  );
  const fresh: { merchant: SubMerchant; asked: NewSubMerchant }[] = [];
  const openedMs = rt.clock.now();
  const sameDayDays = Number((await loadParameters(tx)).on(today, 'same-day.days'));
  const results = asked.map((line, index): Opening | Refusal => {
    const { faults, warnings } = checkSubMerchant(line, today, sameDayDays, root(index));
    const content = contentOf(line);
    const before = known.get(line.merchantNo);
    if (before !== undefined) {
      return isSameContent(rt.vault, before.contentHash, 'sub-merchant', content)
        ? { merchant: before, asked: line, warnings, repeated: true }
        : refuse('MERCHANT_NO_REUSED');
    }
    const refusal = refusalOf(faults) ?? takesNoMembers(book);
    if (refusal !== undefined) return refusal;
    const contentHash = rt.vault.index('sub-merchant', content);
    const merchant = { ...newSubMerchant(rt, platformId, line, openedMs), contentHash };
    known.set(line.merchantNo, merchant);
    fresh.push({ merchant, asked: line });
    return { merchant, asked: line, warnings, repeated: false };
  });
  const numbers = await write(tx, rt.vault, fresh);
  return results.map((result) => {
    const virtualNo = isOpening(result) ? numbers.get(result.merchant.id) : undefined;
    return isOpening(result) && virtualNo !== undefined ? { ...result, merchant: { ...result.merchant, virtualNo } } : result;
  });
}

function newSubMerchant({ newId }: Parts, platformId: Id, asked: NewSubMerchant, openedMs: Instant) {
  const ids = { id: newId(), partyId: newId(), accountId: newId() };
  return { ...ids, platformId, merchantNo: asked.merchantNo, ...cycleOf(asked), virtualNo: '', openedMs, closedMs: null };
}

/** Writes new sub-merchants and all that belongs to them; answers the virtual account number of each. */
async function write(
  tx: Tx,
  vault: Vault,
  fresh: readonly { merchant: SubMerchant; asked: NewSubMerchant }[],
): Promise<Map<Id, string>> {
  if (fresh.length === 0) return new Map();
  const first = await takeVirtualNumbers(tx, fresh.length);
  const numbers = new Map(fresh.map(({ merchant }, place) => [merchant.id, virtualAccountNo(first + BigInt(place))]));
  await insertSubMerchants(
    tx,
    fresh.map(({ merchant }) => ({ ...merchant, virtualNo: numbers.get(merchant.id) as string })),
  );
  await insertParties(
    tx,
    vault,
    fresh.map(({ merchant, asked }) => ({
      ...asked.party,
      id: merchant.partyId,
      platformId: merchant.platformId,
      createdMs: merchant.openedMs,
    })),
  );
  await openAccounts(
    tx,
    fresh.map(({ merchant }) => ({ id: merchant.accountId, platformId: merchant.platformId, type: 'sub' as const })),
  );
  await bindSettlementAccounts(
    tx,
    vault,
    fresh.map(({ merchant, asked }) => [merchant.accountId, asked.settlementAccount] as const),
  );
  return numbers;
}

/** Whom customers pay when they pay these sub-accounts, by account: the name of the sub-merchant's party. */
export async function payeeNames(
  tx: Tx,
  vault: Vault,
  accountIds: readonly Id[],
): Promise<Map<Id, { readonly platformId: Id; readonly name: string }>> {
  const merchants = await subMerchantsByAccount(tx, accountIds);
  const parties = await loadParties(
    tx,
    vault,
    [...merchants.values()].map((merchant) => merchant.partyId),
  );
  return new Map(
    [...merchants].map(([account, { partyId, platformId }]) => [account, { platformId, name: parties.get(partyId)?.name ?? '' }]),
  );
}

/** A sub-merchant as it stands now. */
export interface SubMerchantView {
  readonly merchant: SubMerchant;
  readonly party: StoredParty;
  readonly settlementAccount: SettlementAccount;
  readonly state: AccountState;
}

export async function viewSubMerchants(tx: Tx, vault: Vault, merchants: readonly SubMerchant[]): Promise<SubMerchantView[]> {
  const accountIds = merchants.map((merchant) => merchant.accountId);
  const parties = await loadParties(
    tx,
    vault,
    merchants.map((merchant) => merchant.partyId),
  );
  const bound = await settlementAccountsOf(tx, accountIds);
  const funds = await accountFunds(tx, accountIds);
  return merchants.map((merchant) => ({
    merchant,
    party: parties.get(merchant.partyId) as StoredParty,
    settlementAccount: openSettlementAccount(vault, bound.get(merchant.accountId) as SettlementAccount),
    state: (funds.get(merchant.accountId) as AccountFunds).state,
  }));
}

/** @throws Refused NOT_FOUND, also for a sub-merchant of another platform */
export async function viewSubMerchant(tx: Tx, vault: Vault, platformId: Id, id: Id): Promise<SubMerchantView> {
  const [view] = await viewSubMerchants(tx, vault, [await requireSubMerchant(tx, platformId, id)]);
  return view as SubMerchantView;
}

async function requireSubMerchant(tx: Tx, platformId: Id, id: Id): Promise<SubMerchant> {
  const merchant = await findSubMerchant(tx, platformId, id);
  if (merchant === undefined) throw new Refused(refuse('NOT_FOUND'));
  return merchant;
}

/**
 * Binds another account in the sub-merchant's own name. Payouts that are made keep the account they were made with.
 * @throws Refused NOT_FOUND, ACCOUNT_CLOSED, or what is wrong with the settlement account
 */
export async function changeSettlementAccount(rt: Parts, platformId: Id, id: Id, to: SettlementAccount) {
  return rt.db.withTx(
    'change settlement account',
    async (tx) => {
      const view = await viewSubMerchant(tx, rt.vault, platformId, id);
      if (view.state === 'closed') throw new Refused(refuse('ACCOUNT_CLOSED'));
      const { faults, warnings } = checkSettlementAccount(to, view.party, '');
      const refusal = refusalOf(faults);
      if (refusal !== undefined) throw new Refused(refusal);
      await bindSettlementAccounts(tx, rt.vault, [[view.merchant.accountId, to]]);
      return { view: { ...view, settlementAccount: to }, warnings };
    },
    async () => undefined, // binding the same account again changes nothing
  );
}

/**
 * Closes a sub-merchant and its account for ever: nothing may be on it, held on it, or on its way from it, and nobody may
 * wait for its money: a refund that does, and what the platform advanced for it, could never be covered. Nor is it closed
 * while a deal goes on that may credit it: its stage could never end, nor the payers' money leave it. It holds the shard, so that no batch of instructions sees it half closed. Closing twice changes nothing.
 * @throws Refused NOT_FOUND, ACCOUNT_FROZEN, ACCOUNT_NOT_EMPTY
 */
export async function closeSubMerchant(rt: Parts, platformId: Id, id: Id): Promise<SubMerchantView> {
  return rt.db.withTx(
    'close sub-merchant',
    async (tx) => {
      const { accountId } = await requireSubMerchant(tx, platformId, id);
      const { shardId } = await requireBook(tx, platformId);
      const turn = await lockShard(tx, shardId, rt.clock.now());
      const account = (await accountFunds(tx, [accountId])).get(accountId) as AccountFunds;
      if (account.state === 'frozen' || (account.state === 'open' && account.claimed > 0n))
        throw new Refused(refuse('ACCOUNT_FROZEN'));
      if (account.state === 'open') {
        if (account.balance !== 0n || account.held !== 0n) throw new Refused(refuse('ACCOUNT_NOT_EMPTY'));
        if (await hasPayoutsUnderWay(tx, accountId)) throw new Refused(refuse('ACCOUNT_NOT_EMPTY', 'A payout is under way.'));
        const margin = await marginFunds(tx, accountId);
        if (margin !== undefined && (margin.balance !== 0n || margin.held !== 0n))
          throw new Refused(refuse('ACCOUNT_NOT_EMPTY', 'Its margin is not empty.'));
        const { refundWaits, owes, inDeal, lends } = await neededFor(tx, accountId);
        if (refundWaits) throw new Refused(refuse('ACCOUNT_NOT_EMPTY', 'A refund waits for money of it.'));
        if (owes) throw new Refused(refuse('ACCOUNT_NOT_EMPTY', 'It owes what its platform advanced for it.'));
        if (lends) throw new Refused(refuse('ACCOUNT_NOT_EMPTY', 'A project, or a claim on one, is not over.'));
        if (inDeal) throw new Refused(refuse('ACCOUNT_NOT_EMPTY', 'A deal that is not over may have to credit it.'));
        if (margin !== undefined) await setAccountState(tx, margin.id, 'closed');
        await setAccountState(tx, accountId, 'closed');
        await markClosed(tx, id, turn.nowMs);
      }
      return viewSubMerchant(tx, rt.vault, platformId, id);
    },
    async () => undefined, // a closed one closes again without change
  );
}
