import {
  asId,
  type BusinessDate,
  type Id,
  type Instant,
  invariant,
  type Minor,
  naturalDate,
  type Refusal,
  Refused,
  refuse,
  toWire,
} from '../kernel/index.js';
import { loadAccounts, loadBook, newAccount, post } from '../ledger/index.js';
import { loadParameters, type Parameters, type Runtime, type Tx } from '../runtime/index.js';
import { type ElectronicAccount, type LimitUse, limitUseRecords, usesAsOf } from './electronic.js';
import { requireElectronic } from './life/standing.js';
import { balanceCap, countPassage, type Quota, quotasOf, standingRefusal } from './limits.js';
import { accountFunds, reservedOf, settlementAccountsOf } from './store.js';

/** What the law leaves an account on a day. */
export interface Quotas {
  readonly on: BusinessDate;
  /** Whether the buckets count all accounts of the class that the owner has at the bank. */
  readonly perCustomer: boolean;
  /** Of a past day as a whole only the limits are known: `used` and `left` are null. */
  readonly buckets: readonly Bucket[];
  /**
   * The most that may stand on the account, and how much more may come in now: room is kept for what is being collected and for what may come
   * back. Null without a cap.
   */
  readonly balance: { readonly cap: Minor; readonly room: Minor | null } | null;
}
export type Bucket = Pick<Quota, 'bucket' | 'limit'> & { readonly used: Minor | null; readonly left: Minor | null };

interface Seen {
  readonly account: ElectronicAccount;
  readonly uses: readonly LimitUse[];
  readonly balance: Minor;
  /** What may still come on it without being asked. */
  readonly reserved: Minor;
}

/** By the parameters in force on the day, in the place of those of today when it is another one. */
function quotasOn(
  { account, uses, balance, reserved }: Seen,
  on: BusinessDate,
  today: BusinessDate,
  parameters: Parameters,
): Quotas {
  const isPast = on < today;
  const cap = balanceCap(account.class, on, parameters);
  const room = cap === undefined || cap <= balance + reserved ? 0n : cap - balance - reserved;
  return {
    on,
    perCustomer: parameters.on(on, 'limits.per-customer') === 1n,
    buckets: quotasOf(account, uses, on, parameters).map(({ bucket, limit, used, left }) =>
      isPast ? { bucket, limit, used: null, left: null } : { bucket, limit, used, left },
    ),
    balance: cap === undefined ? null : { cap, room: isPast ? null : room },
  };
}

/** An account as its platform sees it. */
export interface ElectronicView {
  readonly account: ElectronicAccount;
  readonly card: { readonly account: string; readonly bankCode: string };
  readonly balance: Minor;
  readonly frozen: boolean;
  /** Why its owner may do no business with it now; undefined: he may. */
  readonly standing: Refusal | undefined;
  readonly quotas: Quotas;
}

type Parts = Pick<Runtime, 'clock' | 'vault'>;

/** Several accounts with their cards, standing and quotas, each table read once. */
export async function viewElectronic(tx: Tx, rt: Parts, accounts: readonly ElectronicAccount[]): Promise<ElectronicView[]> {
  const ids = accounts.map((account) => account.accountId);
  const funds = await accountFunds(tx, ids);
  const cards = await settlementAccountsOf(tx, ids);
  const uses = await usesOf(tx, accounts);
  const reserved = await reservedOf(tx, ids);
  const parameters = await loadParameters(tx);
  const nowMs = rt.clock.now();
  const today = naturalDate(nowMs);
  return accounts.map((account) => {
    const { accountId, customerId } = account;
    const held = funds.get(accountId);
    const card = cards.get(accountId);
    invariant(held && card, `the electronic account ${accountId} has a ledger account and a card`);
    const { balance } = held;
    const frozen = held.state === 'frozen';
    return {
      account,
      card: { account: rt.vault.read(card.account), bankCode: card.bankCode },
      balance,
      frozen,
      standing:
        standingRefusal(account, 'out', nowMs, parameters) ??
        (frozen ? refuse('ACCOUNT_FROZEN', undefined, { account: toWire('account', accountId) }) : undefined),
      quotas: quotasOn(
        { account, uses: uses.get(customerId) ?? [], balance, reserved: reserved.get(accountId) ?? 0n },
        today,
        today,
        parameters,
      ),
    };
  });
}

async function usesOf(tx: Tx, accounts: readonly ElectronicAccount[]): Promise<Map<Id, readonly LimitUse[]>> {
  if (accounts.length === 0) return new Map();
  const owners = [...new Set(accounts.map((account) => account.customerId))];
  const uses = await limitUseRecords.load(tx, owners);
  return new Map(owners.map((owner) => [owner, uses.get(owner)?.uses ?? []]));
}

const NO_LIMITS = refuse('SHAPE_INVALID', 'There were no account classes on that day.', {
  errors: [{ in: 'query', pointer: '/on', detail: 'lies before the first limits of account classes' }],
});

/** @throws Refused NOT_FOUND, SHAPE_INVALID for a day before there were limits */
export async function readQuotas(tx: Tx, rt: Parts, id: Id, owner: Id, on: BusinessDate | undefined): Promise<Quotas> {
  const account = await requireElectronic(tx, id, owner);
  const uses = (await usesOf(tx, [account])).get(account.customerId) ?? [];
  const balance = (await accountFunds(tx, [id])).get(id)?.balance ?? 0n;
  const reserved = (await reservedOf(tx, [id])).get(id) ?? 0n;
  const today = naturalDate(rt.clock.now());
  const parameters = await loadParameters(tx);
  if (parameters.find(on ?? today, `class-${account.class}.out.day`) === undefined) throw new Refused(NO_LIMITS);
  return quotasOn({ account, uses, balance, reserved }, on ?? today, today, parameters);
}

/**
 * What was used and left at a past moment, by the limits that were in force on its natural day. `used` and `left` are null where it lies before
 * what was written down; how much more could have come in then is not told.
 * @throws Refused NOT_FOUND, SHAPE_INVALID for a moment that is yet to come, or before there were limits
 */
export async function quotasAsOf(tx: Tx, rt: Parts, id: Id, owner: Id, asOf: Instant): Promise<Quotas> {
  if (asOf > rt.clock.now()) {
    const fault = { in: 'query', pointer: '/asOf', detail: 'lies in the future' };
    throw new Refused(refuse('SHAPE_INVALID', 'asOf lies in the future.', { errors: [fault] }));
  }
  const account = await requireElectronic(tx, id, owner);
  const on = naturalDate(asOf);
  const parameters = await loadParameters(tx);
  if (parameters.find(on, `class-${account.class}.out.day`) === undefined) throw new Refused(NO_LIMITS);
  const uses = account.openedMs <= asOf ? await usesAsOf(tx, account.customerId, asOf) : undefined;
  const cap = balanceCap(account.class, on, parameters);
  return {
    on,
    perCustomer: parameters.on(on, 'limits.per-customer') === 1n,
    buckets: quotasOf(account, uses ?? [], on, parameters).map(({ bucket, limit, used, left }) =>
      uses === undefined ? { bucket, limit, used: null, left: null } : { bucket, limit, used, left },
    ),
    balance: cap === undefined ? null : { cap, room: null },
  };
}

/** A movement that is thought of: into or out of the account, with its bound card or with anybody else. */
export interface Thought {
  readonly direction: 'in' | 'out';
  readonly amount: Minor;
  readonly with: 'bound' | 'other';
}

const OUTSIDE = asId('1000000000000000001');

/**
 * Why a movement would be refused now, or undefined: first by the law's limits, then by the ledger, with the same functions by which the
 * engine decides. It changes nothing, and promises nothing: another instruction may come first.
 * @throws Refused NOT_FOUND
 */
export async function checkThought(tx: Tx, rt: Parts, id: Id, owner: Id, thought: Thought): Promise<Refusal | undefined> {
  const account = await requireElectronic(tx, id, owner);
  const { businessDate } = await loadBook(tx, account.platformId);
  const ledger = (await loadAccounts(tx, [id], () => businessDate)).get(id);
  invariant(ledger, `the electronic account ${id} has a ledger account`);
  const amount = thought.direction === 'in' ? thought.amount : -thought.amount;
  const nowMs = rt.clock.now();
  const counted = countPassage({
    account,
    uses: (await usesOf(tx, [account])).get(account.customerId) ?? [],
    amount,
    flow: thought.with === 'bound' ? 'bound' : 'unbound',
    balanceAfter: ledger.balance + amount,
    reserved: (await reservedOf(tx, [id])).get(id) ?? 0n,
    frozen: ledger.state === 'frozen',
    nowMs,
    parameters: await loadParameters(tx),
  });
  if ('code' in counted) return counted;
  const outside = newAccount(OUTSIDE, account.platformId, thought.direction === 'in' ? 'custody' : 'in-transit');
  const draw = thought.with === 'bound' ? 'cleared-only' : 'uncleared-first';
  const leg = { account: id, amount, ...(amount < 0n ? { draw: draw as 'cleared-only' | 'uncleared-first' } : {}) };
  const other = { account: OUTSIDE, amount: -amount };
  const postings = amount < 0n ? [leg, other] : [other, leg];
  const posted = post({ postings }, { instruction: OUTSIDE, businessDate, postedMs: nowMs }, (of) =>
    of === id ? ledger : outside,
  );
  return 'code' in posted ? posted : undefined;
}
