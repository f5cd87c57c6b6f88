import { hash } from 'node:crypto';
import {
  BALANCE_MAX,
  type BusinessDate,
  type Id,
  type Instant,
  invariant,
  type Minor,
  type Refusal,
  refuse,
  toWire,
} from '../kernel/index.js';
import { type AccountState, type AccountType, isAsset } from './chart.js';

/**
 * Double entry over accounts held in memory: the one place where a balance changes.
 *
 * `post` either makes every movement of an instruction or none, and says why not. It keeps, for each account: balance ≥ held,
 * balance ≥ uncleared (assets of the bank: balance ≤ 0), a running balance on each entry, and a hash chain over its entries. What is claimed
 * may be more than there is: it takes what is free, now and whenever more comes in, so that no credit has to be looked at.
 */
export interface LedgerAccount {
  readonly id: Id;
  readonly platformId: Id;
  readonly type: AccountType;
  state: AccountState;
  balance: Minor;
  /** Reserved by holds; always there. */
  held: Minor;
  /** What disputes and authorities lay claim to; it may be more than there is. */
  claimed: Minor;
  entryCount: number;
  headHash: Buffer;
  /** What is not withdrawable yet, by the date it becomes so; only dates after the open business date, ascending. */
  uncleared: readonly UnclearedSlice[];
}

export interface UnclearedSlice {
  readonly due: BusinessDate;
  readonly amount: Minor;
  /** What of it a channel has collected and owes until then, nothing where it is absent. It keeps its date wherever it goes. */
  readonly owed?: Minor;
}

export interface Posting {
  readonly account: Id;
  /** Minor units; credit positive, debit negative, never zero. */
  readonly amount: Minor;
  /** Debits: which money goes. Default `cleared-first`. `cleared-only` is what leaves the bank. */
  readonly draw?: 'cleared-first' | 'uncleared-first' | 'cleared-only';
  /**
   * Credits: the date from which it is withdrawable; `inherit`: as the money that was debited, until all of that is passed on. Whatever it
   * says, what a channel owes of the money that was debited comes along, and is not withdrawable before its own date.
   */
  readonly clears?: BusinessDate | 'inherit';
  /** Credits: a channel has collected it and owes it until the date from which it is withdrawable. */
  readonly owed?: true;
  /**
   * On an electronic account: with whom, by which the law's limits count it. bound: the bound account outside; exempt: interest,
   * a refund, a payout that was returned; back: a payment that never happened, which no cap keeps out either; product: what the owner
   * invests from a Class II account and what that brings him, which the law bounds by no day or year; `reversal`: undoes a
   * posting, and gives back what that one used on the same natural day. Default `unbound`, which counts in full.
   */
  readonly flow?: 'bound' | 'unbound' | 'exempt' | 'back' | 'product' | { readonly reversal: Instant };
  /** Debits: takes money that is claimed, and the claim ends by as much. A court's passes the freeze of the account as well. */
  readonly claim?: 'court' | 'dispute';
}

/** A change of what is held on an account: positive reserves, negative frees. */
export interface HoldChange {
  readonly account: Id;
  readonly amount: Minor;
}

export interface Movement {
  readonly postings: readonly Posting[];
  readonly holds?: readonly HoldChange[];
  /** Changes of what is claimed: positive lays claim, negative lets go. */
  readonly claims?: readonly HoldChange[];
}

export interface Entry {
  readonly account: Id;
  readonly seq: number;
  readonly instruction: Id;
  readonly amount: Minor;
  readonly balance: Minor;
  readonly businessDate: BusinessDate;
  readonly postedMs: Instant;
  readonly hash: Buffer;
}

export interface PostingStamp {
  readonly instruction: Id;
  readonly businessDate: BusinessDate;
  readonly postedMs: Instant;
}

export const GENESIS_HASH = Buffer.alloc(32);

export function newAccount(id: Id, platformId: Id, type: AccountType): LedgerAccount {
  const funds = { balance: 0n, held: 0n, claimed: 0n, uncleared: [] };
  return { id, platformId, type, state: 'open', ...funds, entryCount: 0, headHash: GENESIS_HASH };
}

export function unclearedOf(account: Pick<LedgerAccount, 'uncleared'>): Minor {
  let sum = 0n;
  for (const slice of account.uncleared) sum += slice.amount;
  return sum;
}

function owedOf(slices: readonly UnclearedSlice[]): Minor {
  let sum = 0n;
  for (const slice of slices) sum += slice.owed ?? 0n;
  return sum;
}

/** The latest date of what a debit of `amount` takes that prefers cleared money; undefined where all of that has cleared. */
export function drawnUntil(
  account: Pick<LedgerAccount, 'balance' | 'uncleared'> | undefined,
  amount: Minor,
): BusinessDate | undefined {
  if (account === undefined || account.balance - unclearedOf(account) >= amount) return undefined;
  return account.uncleared.at(-1)?.due;
}

type Funds = Pick<LedgerAccount, 'balance' | 'held' | 'claimed'>;

/** What of the claims is there: of what no hold reserves, as much as they are. */
export function frozenOf({ balance, held, claimed }: Funds): Minor {
  if (claimed === 0n) return 0n;
  const free = balance - held;
  return claimed < free ? claimed : free;
}

/** What holds and claims keep from moving. */
export function reservedOf(account: Funds): Minor {
  return account.held + frozenOf(account);
}

export function availableOf(account: Funds): Minor {
  return account.balance - reservedOf(account);
}

/** What may leave the bank: the balance less what is held or has not cleared, whichever is more. Never negative. */
function withdrawable(of: { readonly balance: Minor; readonly held: Minor; readonly uncleared: Minor }): Minor {
  return of.balance - (of.uncleared > of.held ? of.uncleared : of.held);
}

export function withdrawableOf(account: Pick<LedgerAccount, 'balance' | 'held' | 'claimed' | 'uncleared'>): Minor {
  return withdrawable({ balance: account.balance, held: reservedOf(account), uncleared: unclearedOf(account) });
}

type Before = Pick<LedgerAccount, 'balance' | 'held' | 'claimed' | 'uncleared'>;

/**
 * Posts a movement and answers its entries, or answers a refusal and changes nothing.
 * @param find an account of the working set; every account of the movement must be there
 * @throws invariant when the postings do not sum to zero, or an account stands in them twice
 */
export function post(movement: Movement, stamp: PostingStamp, find: (id: Id) => LedgerAccount): Entry[] | Refusal {
  const touched = new Map<LedgerAccount, Before>();
  const refusal = move(movement, find, touched);
  if (refusal !== undefined) {
    for (const [account, before] of touched) Object.assign(account, before);
    return refusal;
  }
  for (const account of touched.keys()) assertFloors(account);
  return movement.postings.map((posting) => enter(find(posting.account), posting.amount, stamp));
}

function move(movement: Movement, find: (id: Id) => LedgerAccount, touched: Map<LedgerAccount, Before>): Refusal | undefined {
  let sum = 0n;
  const posted = new Set<LedgerAccount>();
  let drawn: readonly UnclearedSlice[] = [];
  // What a hold frees for this movement goes with it: no claim comes before it.
  let freed: Map<LedgerAccount, Minor> | undefined;
  for (const change of movement.holds ?? []) {
    if (change.amount >= 0n) continue;
    const account = remember(touched, find(change.account));
    account.held += change.amount;
    freed ??= new Map();
    freed.set(account, (freed.get(account) ?? 0n) - change.amount);
  }
  const postings = debitsFirst(movement.postings).map((posting) => ({ posting, account: find(posting.account) }));
  const leaves = postings.some(({ posting, account }) => posting.amount > 0n && isOutside(account.type));
  for (const { posting, account } of postings) {
    remember(touched, account);
    invariant(posting.amount !== 0n, 'a posting has an amount');
    invariant(!posted.has(account), 'an account stands once in a movement');
    posted.add(account);
    sum += posting.amount;
    if (isAsset(account.type)) {
      account.balance += posting.amount;
      if (account.balance < -BALANCE_MAX)
        return refuse('BALANCE_OVERFLOW', undefined, { account: toWire('account', account.id) });
    } else if (posting.amount > 0n) {
      const { slices, left } = isOutside(account.type) ? { slices: [], left: drawn } : received(posting, drawn);
      drawn = left;
      const refusal = credit(account, posting.amount, slices);
      if (refusal !== undefined) return refusal;
    } else {
      const taken = debit(account, posting, freed?.get(account) ?? 0n, leaves);
      if ('code' in taken) return taken;
      drawn = [...drawn, ...taken];
    }
  }
  // Nobody here got it, so it would leave.
  if (owedOf(drawn) > 0n) return refuse('FUNDS_UNCLEARED');
  for (const change of movement.holds ?? []) {
    if (change.amount <= 0n) continue;
    const account = remember(touched, find(change.account));
    const refusal = mayDebit(account, change.amount, availableOf(account));
    if (refusal !== undefined) return refusal;
    account.held += change.amount;
  }
  for (const change of movement.claims ?? []) {
    const account = remember(touched, find(change.account));
    if (account.state === 'closed' && change.amount > 0n)
      return refuse('ACCOUNT_CLOSED', undefined, { account: toWire('account', account.id) });
    account.claimed += change.amount;
  }
  invariant(sum === 0n, `the postings of an instruction sum to zero, not to ${sum}`);
  return undefined;
}

/** What is credited takes along what channels owe of all that is debited. */
function debitsFirst(postings: readonly Posting[]): readonly Posting[] {
  return [...postings.filter(({ amount }) => amount <= 0n), ...postings.filter(({ amount }) => amount > 0n)];
}

function remember(touched: Map<LedgerAccount, Before>, account: LedgerAccount): LedgerAccount {
  const { balance, held, claimed, uncleared } = account;
  if (!touched.has(account)) touched.set(account, { balance, held, claimed, uncleared });
  return account;
}

function credit(account: LedgerAccount, amount: Minor, slices: readonly UnclearedSlice[]): Refusal | undefined {
  if (account.state === 'closed') return refuse('ACCOUNT_CLOSED', undefined, { account: toWire('account', account.id) });
  account.balance += amount;
  if (account.balance > BALANCE_MAX) return refuse('BALANCE_OVERFLOW', undefined, { account: toWire('account', account.id) });
  if (slices.length > 0) account.uncleared = mergeSlices(account.uncleared, slices);
  return undefined;
}

/** @param there what of it this debit may take */
function mayDebit(account: LedgerAccount, amount: Minor, there: Minor, claim?: Posting['claim']): Refusal | undefined {
  if (account.state === 'closed') return refuse('ACCOUNT_CLOSED', undefined, { account: toWire('account', account.id) });
  if (account.state === 'frozen' && claim !== 'court')
    return refuse('ACCOUNT_FROZEN', undefined, { account: toWire('account', account.id) });
  if (there < amount) return refuse('FUNDS_INSUFFICIENT', undefined, { account: toWire('account', account.id) });
  return undefined;
}

/** Money that is credited there has left the bank, or waits for a channel to take it out. */
function isOutside(type: AccountType): boolean {
  return isAsset(type) || type === 'in-transit';
}

/**
 * Takes money off an account; answers the uncleared slices that went with it.
 * @param freed what holds have freed for this movement
 * @param leaves it is for outside the bank: what channels owe goes last
 */
function debit(account: LedgerAccount, posting: Posting, freed: Minor, leaves: boolean): readonly UnclearedSlice[] | Refusal {
  const amount = -posting.amount;
  // Who claims may take what is claimed; anybody else what neither a hold nor a claim keeps.
  const free = posting.claim !== undefined || account.claimed === 0n;
  const kept = free ? account.held : reservedOf({ ...account, held: account.held + freed }) - freed;
  const there = posting.claim === undefined ? account.balance - kept : frozenOf(account);
  const refusal = mayDebit(account, amount, there, posting.claim);
  if (refusal !== undefined) return refusal;
  if (posting.draw === 'cleared-only') {
    const mayLeave = withdrawable({ balance: account.balance, held: kept, uncleared: unclearedOf(account) });
    if (mayLeave < amount) return refuse('FUNDS_UNCLEARED', undefined, { account: toWire('account', account.id) });
  }
  account.balance -= amount;
  if (posting.claim !== undefined) account.claimed -= amount;
  if (account.uncleared.length === 0) return [];
  const uncleared = unclearedOf(account);
  const uncovered = uncleared > account.balance ? uncleared - account.balance : 0n;
  const fromUncleared = posting.draw === 'uncleared-first' ? (amount < uncleared ? amount : uncleared) : uncovered;
  if (fromUncleared === 0n) return [];
  if (!leaves) {
    const { taken, left } = takeSlices(account.uncleared, fromUncleared);
    account.uncleared = left;
    return taken;
  }
  const others = takeSlices(account.uncleared, fromUncleared, 'others');
  const owed = takeSlices(others.left, owedOf(others.left) - account.balance, 'owed');
  account.uncleared = owed.left;
  return [...others.taken, ...owed.taken];
}

/**
 * With which slices money arrives that was debited with those of `drawn`: what a channel owes keeps its date where that is later than what the
 * posting says. The soonest goes to who is credited first.
 */
function received({ amount, clears, owed: isOwed }: Posting, drawn: readonly UnclearedSlice[]) {
  if (drawn.length === 0 && (clears === undefined || clears === 'inherit')) return { slices: [], left: drawn };
  const { taken, left } = takeSlices(drawn, amount, clears === 'inherit' ? 'any' : 'owed');
  if (clears === undefined || clears === 'inherit') return { slices: taken, left };
  const rest = amount - taken.reduce((sum, slice) => sum + slice.amount, 0n);
  const slices = taken.map((slice) => ({ ...slice, due: slice.due > clears ? slice.due : clears }));
  return { slices: rest > 0n ? [...slices, sliceOf(clears, rest, isOwed ? rest : 0n)] : slices, left };
}

function sliceOf(due: BusinessDate, amount: Minor, owed: Minor): UnclearedSlice {
  return owed > 0n ? { due, amount, owed } : { due, amount };
}

/**
 * At most `amount` of the slices, or of what channels owe of them, or of the others. The latest money goes first: what clears soonest stays
 * with its owner; and of one date what is owed goes first.
 */
function takeSlices(slices: readonly UnclearedSlice[], amount: Minor, which: 'any' | 'owed' | 'others' = 'any') {
  const left: UnclearedSlice[] = [];
  const taken: UnclearedSlice[] = [];
  let rest = amount;
  for (const slice of slices.toReversed()) {
    const owed = slice.owed ?? 0n;
    const there = which === 'any' ? slice.amount : which === 'owed' ? owed : slice.amount - owed;
    const part = there < rest ? there : rest;
    if (part <= 0n) {
      left.push(slice);
      continue;
    }
    const ofOwed = which === 'others' ? 0n : owed < part ? owed : part;
    taken.push(sliceOf(slice.due, part, ofOwed));
    if (part < slice.amount) left.push(sliceOf(slice.due, slice.amount - part, owed - ofOwed));
    rest -= part;
  }
  return { taken, left: left.reverse() };
}

function mergeSlices(slices: readonly UnclearedSlice[], added: readonly UnclearedSlice[]): UnclearedSlice[] {
  const byDue = new Map<BusinessDate, UnclearedSlice>();
  for (const slice of [...slices, ...added]) {
    const { amount = 0n, owed = 0n } = byDue.get(slice.due) ?? {};
    byDue.set(slice.due, sliceOf(slice.due, amount + slice.amount, owed + (slice.owed ?? 0n)));
  }
  return [...byDue.values()].sort((a, b) => (a.due < b.due ? -1 : 1));
}

function assertFloors(account: LedgerAccount): void {
  if (isAsset(account.type)) {
    invariant(account.balance <= 0n, `the ${account.type} account ${account.id} would be overdrawn`);
    return;
  }
  invariant(account.held >= 0n && account.balance >= account.held, `account ${account.id} would fall below its floor`);
  invariant(account.claimed >= 0n, `less than nothing would be claimed of account ${account.id}`);
  invariant(account.balance >= unclearedOf(account), `account ${account.id} would have more uncleared than it has`);
}

const scratch = Buffer.alloc(84);
const view = new DataView(scratch.buffer, scratch.byteOffset, scratch.byteLength);

function enter(account: LedgerAccount, amount: Minor, stamp: PostingStamp): Entry {
  account.entryCount += 1;
  const entry = {
    account: account.id,
    seq: account.entryCount,
    instruction: stamp.instruction,
    amount,
    balance: account.balance,
    businessDate: stamp.businessDate,
    postedMs: stamp.postedMs,
  };
  account.headHash = chainHash(account.headHash, entry);
  return Object.assign(entry, { hash: account.headHash });
}

/**
 * The hash of an entry: SHA-256 over the previous hash (32 bytes) and, big-endian, account, place in the chain, instruction,
 * amount, balance (8 bytes each), business date as yyyymmdd (4 bytes), posting time in milliseconds (8 bytes).
 */
export function chainHash(previous: Buffer, entry: Omit<Entry, 'hash'>): Buffer {
  previous.copy(scratch, 0);
  view.setBigUint64(32, BigInt(entry.account));
  view.setBigUint64(40, BigInt(entry.seq));
  view.setBigUint64(48, BigInt(entry.instruction));
  view.setBigInt64(56, entry.amount);
  view.setBigInt64(64, entry.balance);
  const date = entry.businessDate;
  view.setUint32(72, Number(date.slice(0, 4) + date.slice(5, 7) + date.slice(8, 10)));
  view.setBigUint64(76, BigInt(entry.postedMs));
  return hash('sha256', scratch, 'buffer');
}
