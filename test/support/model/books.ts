import type { Data } from '../given.js';
import type { ModelBackground } from './agreements.js';
import type { Flow } from './law.js';

/**
 * What stands in the books of the plain bank, and what is to be read there without moving anything. Ids are bare digits, amounts minor
 * units, times milliseconds; credit is positive.
 */
export interface ModelAccount {
  readonly platform: string;
  readonly type: string;
  readonly bound: boolean;
  state: 'open' | 'frozen' | 'closed';
  balance: bigint;
  held: bigint;
  /** Disputes and freezes in the order in which they came. */
  readonly claims: ModelClaim[];
  /** By the date from which it is withdrawable. */
  readonly uncleared: Map<string, bigint>;
  /** What of that a channel collected and owes until that date. */
  readonly owed: Map<string, bigint>;
}

export interface ModelOrder {
  readonly account: string;
  /** The electronic account that paid. */
  readonly payerAccount: string | undefined;
  readonly payer: string;
  readonly refundable: boolean;
  paid: bigint;
  split: bigint;
  returned: bigint;
  refunded: bigint;
  /** What the platform added of its own, and what of that it has again. */
  subsidised: bigint;
  subsidyReturned: bigint;
  /** The last date on which its money can have come in. */
  came: string;
  background?: ModelBackground;
}

export interface ModelClaim {
  readonly ref: string;
  readonly kind: 'court' | 'dispute';
  readonly order: string | undefined;
  /** More than there is or will ever be, where it is all. */
  left: bigint;
}

export interface ModelFreeze {
  readonly account: string;
  readonly whole: boolean;
  /** Its last day. */
  until: string;
  open: boolean;
}

export interface ModelDispute {
  readonly platform: string;
  readonly order: ModelOrder;
  readonly receiver: string | undefined;
  readonly deadline: number;
  open: boolean;
  readonly ofBank: boolean;
}

export interface ModelHold {
  readonly platform: string;
  readonly account: string;
  readonly expires: number | undefined;
  readonly purpose: string;
  left: bigint;
}

export interface ModelPayout {
  /** The freeze out of whose money it went. */
  readonly freeze?: string;
  readonly platform: string;
  /** Brings money in. */
  readonly collects: boolean;
  /** All that is left of an account. */
  readonly closes: boolean;
  readonly source: string;
  readonly order: ModelOrder | undefined;
  readonly amount: bigint;
  /** What a clearing cost. */
  readonly fee?: bigint;
  state: string;
  /** It is collected by a channel that pays over later. */
  later?: boolean;
  /** Of such a one that was collected. */
  paidOver?: boolean;
  credited?: boolean;
  paidOverOn?: string;
}

export interface ModelItem {
  readonly platform: string;
  /** The account that could not be credited. */
  readonly from: string | undefined;
  readonly source: string;
  /** Joined; undefined: nobody knows where to send it back to. */
  readonly payer: string | undefined;
  readonly clears: string | undefined;
  readonly amount: bigint;
  left: bigint;
}

export interface ModelProposal {
  readonly item: string;
  /** Undefined: back to the payer. */
  readonly account: string | undefined;
  readonly amount: bigint;
  state: 'proposed' | 'approved' | 'done' | 'undone';
}

export interface ModelPlatform {
  date: string;
  transferMax: bigint;
  feeMax: bigint;
  /** The functional accounts by purpose. */
  readonly own: Readonly<Record<string, string>>;
  readonly profile: string;
  /** Whether it is wound up. */
  ending?: boolean;
  /** Whether orders need their sellers' agreements. */
  agreed: boolean;
  /** Whether what a channel collects that pays over later can be used at once. */
  atOnce?: boolean;
  /** The accounts by which that passes. */
  channel?: { readonly due: string; readonly collected: string };
}

export type Take = {
  from: string;
  amount: bigint;
  how?: 'uncleared-first' | 'cleared-only';
  freed?: bigint;
  /** The account that it passes through. */
  through?: string;
  claim?: 'court' | 'dispute';
  flow?: Flow;
};
export type Give = { to: string; amount: bigint; clears?: string; owed?: boolean; inherits?: boolean; flow?: Flow };

/** The platform's own accounts. */
export const OWN = ['own-funds', 'commission', 'marketing', 'fees'];
/** More no account takes. */
export const BOOKS_MAX = 2n ** 53n - 1n;

/** A refund that not all of the money is there for. */
export class Waits extends Error {}

export class No extends Error {
  get code(): string {
    return this.message;
  }
}
export function refuseIf(condition: boolean, code: string): void {
  if (condition) throw new No(code);
}
export const bare = (wire: string) => wire.slice(4);
export const minor = (money: { amount: number }) => BigInt(money.amount);
export const sum = (amounts: Iterable<bigint>) => [...amounts].reduce((total, amount) => total + amount, 0n);

export function found<T>(value: T | undefined, otherwise: string): T {
  if (value === undefined) throw new Error(otherwise);
  return value;
}

/** Money on its way from one account to another, which has not cleared: of what comes last in the list the first receiver gets. */
export interface Carried {
  readonly due: string;
  readonly owed: boolean;
  left: bigint;
}

/**
 * Takes `amount` off an account; answers the uncleared money that goes: no more than must, or all there is where that goes first. What clears
 * last goes first, and of that what a channel owes; but what is to leave the bank takes what is owed only if there is nothing else.
 */
export function drawn(of: ModelAccount, { amount, how }: Take, leaves: boolean): Carried[] {
  const lots = [...of.uncleared].flatMap(([due, all]) => {
    const owed = of.owed.get(due) ?? 0n;
    return [
      { due, owed: true, left: owed },
      { due, owed: false, left: all - owed },
    ];
  });
  const cleared = of.balance - sum(of.uncleared.values());
  of.balance -= amount;
  const rank = (lot: Carried) => lot.due.replaceAll('-', '') + (lot.owed ? '1' : '0');
  lots.sort((a, b) => (leaves && a.owed !== b.owed ? (a.owed ? 1 : -1) : rank(a) < rank(b) ? 1 : -1));
  const gone: Carried[] = [];
  let rest = amount;
  let there = cleared;
  for (const lot of lots) {
    // Before what is owed goes out of the bank, all that has cleared goes.
    const spared = how !== 'uncleared-first' || (leaves && lot.owed);
    if (spared) {
      rest -= there < rest ? there : rest;
      there = 0n;
    }
    const part = rest < lot.left ? rest : lot.left;
    if (part <= 0n) continue;
    gone.push({ ...lot, left: part });
    lower(of.uncleared, lot.due, part);
    if (lot.owed) lower(of.owed, lot.due, part);
    rest -= part;
  }
  return gone;
}

function lower(lots: Map<string, bigint>, due: string, by: bigint): void {
  const left = (lots.get(due) ?? 0n) - by;
  if (left === 0n) lots.delete(due);
  else lots.set(due, left);
}

/** Puts money on an account, with what it brings along of `carried`: what is owed keeps a date that is later than its own. */
export function arrives(of: ModelAccount, { amount, clears, owed, inherits }: Give, carried: Carried[]): void {
  of.balance += amount;
  if (of.type === 'in-transit') return;
  const add = (due: string, part: bigint, isOwed: boolean) => {
    of.uncleared.set(due, (of.uncleared.get(due) ?? 0n) + part);
    if (isOwed) of.owed.set(due, (of.owed.get(due) ?? 0n) + part);
  };
  let rest = amount;
  for (const lot of carried.toReversed()) {
    if (!(lot.owed || (inherits && clears === undefined))) continue;
    const part = lot.left < rest ? lot.left : rest;
    if (part === 0n) continue;
    add(clears !== undefined && clears > lot.due ? clears : lot.due, part, lot.owed);
    lot.left -= part;
    rest -= part;
  }
  if (clears !== undefined && rest > 0n) add(clears, rest, owed === true);
}

/** What is claimed, be it there or not. */
export function claimedOf({ claims }: Pick<ModelAccount, 'claims'>): bigint {
  return sum(claims.map((claim) => claim.left));
}

export function frozenOf(account: ModelAccount): bigint {
  const free = account.balance - account.held;
  const claimed = claimedOf(account);
  return claimed < free ? claimed : free;
}

export function reservedOf(account: ModelAccount): bigint {
  return account.claims.length === 0 ? account.held : account.held + frozenOf(account);
}

/** The earlier takes first. */
export function heldBy(account: ModelAccount, ref: string): bigint {
  let rest = frozenOf(account);
  for (const claim of account.claims) {
    const has = claim.left < rest ? claim.left : rest;
    if (claim.ref === ref) return has;
    rest -= has;
  }
  return 0n;
}

export const UNDER_WAY = ['created', 'sent', 'unknown'];
const plusDays = (date: string, days: number) => new Date(Date.parse(date) + days * 86_400_000).toISOString().slice(0, 10);
export const dayAfter = (date: string) => plusDays(date, 1);
export const dayBefore = (date: string) => plusDays(date, -1);

/** What came in for an order, net of what went back. */
export function cameIn({ paid, refunded, subsidised, subsidyReturned }: ModelOrder): bigint {
  return paid - refunded + subsidised - subsidyReturned;
}

/** What of its own the platform gets back with a refund: half a fen or more is one. */
export function subsidyBack(order: ModelOrder, amount: bigint, told: Data['subsidy'] | undefined): bigint {
  const left = order.subsidised - order.subsidyReturned;
  if (told === 'keep') return 0n;
  if (told === undefined || told === 'pro-rata') {
    const whole = order.paid - order.refunded;
    return (2n * left * amount + whole) / (2n * whole);
  }
  refuseIf(minor(told) > left, 'SUBSIDY_EXCEEDED');
  return minor(told);
}

export function inTransit(at: ModelPlatform): string {
  return at.own['in-transit'] as string;
}

export function suspenseOf(at: ModelPlatform): string {
  return at.own.suspense as string;
}

export function withinTerms(amount: bigint, max: bigint): void {
  refuseIf(max === 0n, 'PROOF_MISSING');
  refuseIf(amount > max, 'TERMS_EXCEEDED');
}

export function linesOf(given: readonly (readonly [string, bigint])[]): Data['lines'] {
  const totals = new Map<string, bigint>();
  for (const [to, amount] of given) totals.set(to, (totals.get(to) ?? 0n) + amount);
  return [...totals].map(([to, amount]) => ({
    account: `acc_${to}`,
    amount: { amount: Number(amount), currency: 'CNY' as const },
  }));
}

/** A correction takes the largest part first, and of equal ones the account that was opened first. */
export function largestTakeFirst(a: Take, b: Take): number {
  if (a.amount !== b.amount) return a.amount > b.amount ? -1 : 1;
  return a.from < b.from ? -1 : 1;
}
