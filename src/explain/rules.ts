import { type BusinessDate, type Id, type Instant, invariant, type Minor } from '../kernel/index.js';
import type { UnclearedSlice } from '../ledger/index.js';

/** Who keeps a part of an account's money from moving. */
export type Keeper = 'platform' | 'bank' | 'authority' | 'system';

/** A part of what is held: a hold, a bid for a project, a dispute, a freeze by an authority, or an instruction in review. Amounts in minor units. */
export interface HeldLine {
  readonly kind: 'hold' | 'bid' | 'dispute' | 'court' | 'review';
  /** Null in a line that sums up several. */
  readonly id: Id | null;
  readonly by: Keeper;
  readonly purpose: string | null;
  /** What it keeps now. */
  readonly amount: Minor;
  /** What it is to keep in all, where that may be more than there is; null: all that comes in. */
  readonly of: Minor | null;
  /** The first moment at which it has ended by itself; null: it does not. */
  readonly untilMs: Instant | null;
  readonly documentNo?: string | undefined;
  /** How many are summed up. */
  readonly count: number;
}

/** A payment that left the account and has not arrived, or is collected for it. */
export interface UnderWayLine {
  readonly payout: Id | null;
  readonly direction: 'out' | 'in';
  readonly purpose: string | null;
  readonly state: string | null;
  readonly amount: Minor;
  readonly createdMs: Instant | null;
  readonly count: number;
}

/** What a channel has collected for the account and pays over later: it is credited once the statement of that date shows it. */
export interface NotCreditedLine {
  readonly amount: Minor;
  readonly paidOverOn: BusinessDate;
  readonly count: number;
}

export interface Figures {
  readonly balance: Minor;
  readonly held: Minor;
  readonly available: Minor;
  readonly uncleared: Minor;
  readonly withdrawable: Minor;
}

export interface Explained {
  readonly figures: Figures;
  readonly uncleared: readonly UnclearedSlice[];
  readonly held: readonly HeldLine[];
  readonly underWay: readonly UnderWayLine[];
  /** What is kept from leaving the bank, and why: the larger of the two decides. */
  readonly notWithdrawable: { readonly amount: Minor; readonly because: 'held' | 'uncleared' | 'nothing' };
}

const sum = (lines: readonly { readonly amount: Minor }[]): Minor => lines.reduce((total, { amount }) => total + amount, 0n);

/**
 * Lines that add up to the figures of an account.
 * @param under what of the account is under way in all, paid out or collected
 * @throws invariant when they do not: then a line is missing, or one tells what is not so
 */
export function explained(
  figures: Figures,
  lines: Pick<Explained, 'uncleared' | 'held' | 'underWay'>,
  under: { readonly paid: Minor; readonly collected: Minor },
): Explained {
  const { balance, held, available, uncleared, withdrawable } = figures;
  const of = (direction: UnderWayLine['direction']) => sum(lines.underWay.filter((line) => line.direction === direction));
  invariant(sum(lines.uncleared) === uncleared, 'the lines of what has not cleared add up to it');
  invariant(sum(lines.held) === held, 'the lines of what is held add up to it');
  invariant(of('out') === under.paid && of('in') === under.collected, 'the payments under way add up to what is under way');
  const amount = held > uncleared ? held : uncleared;
  invariant(available === balance - held, 'what is available is the balance without what is held');
  invariant(withdrawable === balance - amount, 'what may leave is the balance without what is held or has not cleared');
  const because = amount === 0n ? 'nothing' : held >= uncleared ? 'held' : 'uncleared';
  return { figures, ...lines, notWithdrawable: { amount, because } };
}
