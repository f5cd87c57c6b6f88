import { isPayDay, isSameDay, nextPayDay } from '../accounts/index.js';
import { type PayTerms, payoutFee } from '../agreements/index.js';
import { addDays, type BusinessDate, type Calendar, type Id, isProvisional, type Minor, WIRE_MAX } from '../kernel/index.js';
import type { AccountState, DayCredits, UnclearedSlice } from '../ledger/index.js';

/** How much the clearing of a date pays out of an account, and why not more. Pure; exact to the fen. Amounts in minor units. */

/** Why a clearing pays nothing out of an account, the first that applies. */
export const NOT_PAID = [
  'closed',
  'stays',
  'on-request',
  'no-settlement-account',
  'other-destination',
  'frozen',
  'not-a-pay-day',
  'not-due',
  'kept-back',
  'held',
  'empty',
  'below-minimum',
  'below-fee',
] as const;
export type NotPaidReason = (typeof NOT_PAID)[number];

/** One payout of a clearing. What leaves the account is amount and fee together. */
export interface DueLine {
  readonly accountId: Id;
  /** The business date whose money it is; where all is merged the last one, the day that closed. */
  readonly creditedOn: BusinessDate;
  /** The day for which it counts: that of the clearing; the day that closed where it is paid on the day itself; `creditedOn` where not merged. */
  readonly valueDate: BusinessDate;
  /** What is paid out. */
  readonly amount: Minor;
  /** What the platform gets for it of the same balance. */
  readonly fee: Minor;
}

/** An account with money out of which a clearing pays nothing. */
export interface NotPaid extends Shares {
  readonly accountId: Id;
  readonly reason: NotPaidReason;
  readonly available: Minor;
  /** The first date on which that may be different by itself; null: not by itself. */
  readonly until: BusinessDate | null;
  /** That date lies in a year whose holidays are not known yet. */
  readonly provisional: boolean;
}

export interface Funds {
  readonly balance: Minor;
  /** Reserved by holds and claims. */
  readonly held: Minor;
  /** What the clearing leaves: the reserve, and what refunds that wait want. */
  readonly kept: Minor;
  /** Not due yet on the date. */
  readonly uncleared: Minor;
}

/** What is available of an account, in three parts that add up to it. */
export interface Shares {
  readonly due: Minor;
  readonly notDue: Minor;
  readonly kept: Minor;
}

/**
 * Divides what is available. What is held lies on money that is not due first, and so does what is kept back: neither is taken off twice.
 */
export function sharesOf({ balance, held, kept, uncleared }: Funds): Shares {
  const available = balance - held;
  const least = uncleared > held + kept ? uncleared : held + kept;
  const due = balance > least ? balance - least : 0n;
  const rest = available - due;
  const young = uncleared > held ? uncleared - held : 0n;
  const notDue = young < rest ? young : rest;
  return { due, notDue, kept: rest - notDue };
}

/** An account on the date of a clearing. */
export interface DueFacts {
  readonly accountId: Id;
  readonly state: AccountState;
  readonly terms: PayTerms;
  readonly funds: Funds;
  /** What is not due on the date, by the date it becomes so, ascending. */
  readonly slices: readonly UnclearedSlice[];
  /** The bank of the bound account, empty for the custodian itself; undefined: none is bound. */
  readonly boundBank: string | undefined;
  /** What came in by business date, the latest first. Only asked where payouts are not merged. */
  readonly credits: readonly DayCredits[];
  /** What the bank agreed with the platform as the most of one fee. */
  readonly platformMax: Minor;
}

/**
 * What the clearing that opens a date pays out of an account; or why nothing.
 * @param tellsFrozen whether a frozen account is one that is not paid; else it has its lines, which the engine refuses and the day's report counts
 */
export function dueOf(
  of: DueFacts,
  { date, calendar, tellsFrozen = false }: { date: BusinessDate; calendar: Calendar; tellsFrozen?: boolean | undefined },
): readonly DueLine[] | NotPaid {
  const shares = sharesOf(of.funds);
  const frozen = tellsFrozen && of.state === 'frozen' ? 'frozen' : undefined;
  const reason = standing(of) ?? frozen ?? unpaidReason(of, shares, date, calendar);
  if (reason !== undefined) return notPaid(of, shares, reason, { date, calendar });
  const lines = linesOf(of, shares.due < WIRE_MAX ? shares.due : WIRE_MAX, date); // the rest goes with the next clearing
  return lines.length > 0 ? lines : notPaid(of, shares, 'below-fee', { date, calendar });
}

/**
 * What lines of one account pay when they are decided: what was written down of each, or what is left of that since. A payout, a refund, another
 * reserve or other terms may have come between, for a preview waits for people, and a line is tried again when somebody asks for it.
 * @param of the account as it is now, under the lock of its shard
 */
export function stillDue(
  of: DueFacts,
  lines: readonly Pick<DueLine, 'amount' | 'fee'>[],
  on: { readonly date: BusinessDate; readonly calendar: Calendar },
): readonly (Pick<DueLine, 'amount' | 'fee'> | { readonly reason: NotPaidReason })[] {
  const due = dueOf(of, on);
  let rest = sharesOf(of.funds).due;
  return lines.map((line) => {
    if ('reason' in due) return { reason: due.reason };
    const written = line.amount + line.fee;
    const gross = written < rest ? written : rest;
    const fee = payoutFee(of.terms, gross, of.platformMax);
    if (gross <= fee) return { reason: gross === 0n ? 'empty' : 'below-fee' };
    rest -= gross;
    return { amount: gross - fee, fee };
  });
}

/** What keeps an account from being paid whatever is on it. */
export function standing({
  state,
  terms,
  boundBank,
}: Pick<DueFacts, 'state' | 'terms' | 'boundBank'>): NotPaidReason | undefined {
  if (state === 'closed') return 'closed';
  if (terms.to === 'sub-account') return 'stays';
  if (terms.cycle === 'on-request') return 'on-request';
  if (boundBank === undefined) return 'no-settlement-account';
  const isElsewhere = terms.to === 'own-bank' ? boundBank !== '' : terms.to === 'other-bank' && boundBank === '';
  return isElsewhere ? 'other-destination' : undefined;
}

function unpaidReason({ terms, funds }: DueFacts, { due, notDue, kept }: Shares, date: BusinessDate, calendar: Calendar) {
  if (!isPayDay(terms, date, calendar)) return 'not-a-pay-day';
  if (due === 0n) {
    if (notDue > 0n) return 'not-due';
    if (kept > 0n) return 'kept-back';
    return funds.held > 0n ? 'held' : 'empty';
  }
  return due < terms.minimum ? 'below-minimum' : undefined;
}

function notPaid(
  { accountId, terms, funds, slices }: DueFacts,
  shares: Shares,
  reason: NotPaidReason,
  { date, calendar }: { readonly date: BusinessDate; readonly calendar: Calendar },
): NotPaid {
  const until =
    reason === 'not-a-pay-day' || reason === 'not-due' ? firstPaying({ terms, funds, slices, after: date }, calendar) : null;
  return {
    ...{ accountId, reason, available: funds.balance - funds.held, ...shares, until },
    provisional: until !== null && isProvisional(calendar, until),
  };
}

/**
 * The first pay day after a date on which something is due, were nothing to happen until then: the next one, unless money that becomes due
 * later is all there is. Null for those who are never paid by themselves.
 * @param of.funds what is not due in it counts for nothing; the slices say what is not due when
 */
export function firstPaying(
  { terms, funds, slices, after }: Pick<DueFacts, 'terms' | 'funds' | 'slices'> & { readonly after: BusinessDate },
  calendar: Calendar,
): BusinessDate | null {
  const next = nextPayDay(terms, after, calendar);
  if (next === undefined) return null;
  for (const from of [after, ...slices.map(({ due }) => addDays(due, -1))]) {
    const date = from <= after ? next : (nextPayDay(terms, from, calendar) as BusinessDate);
    if (sharesOf({ ...funds, uncleared: notDueOn(slices, date) }).due > 0n) return date;
  }
  return next;
}

/** What is not due on a date yet. */
export function notDueOn(slices: readonly UnclearedSlice[], date: BusinessDate): Minor {
  return slices.reduce((sum, { due, amount }) => (due > date ? sum + amount : sum), 0n);
}

function linesOf({ accountId, terms, credits, funds, platformMax }: DueFacts, due: Minor, date: BusinessDate): DueLine[] {
  const closed = addDays(date, -1);
  const line = (gross: Minor, creditedOn: BusinessDate, valueDate: BusinessDate): DueLine[] => {
    const fee = payoutFee(terms, gross, platformMax);
    return gross > fee ? [{ accountId, creditedOn, valueDate, amount: gross - fee, fee }] : [];
  };
  if (terms.merge) return line(due, closed, isSameDay(terms.cycle) ? closed : date);
  return byDay(funds.balance, due, credits, closed).flatMap(([day, gross]) => line(gross, day, day));
}

/**
 * Whose day's money it is that is due. The books do not mark money; what goes first is taken to be what came first, so that a balance is
 * the latest credits that add up to it, and what is due the oldest of these. What is older than the credits told belongs to the oldest.
 */
function byDay(balance: Minor, due: Minor, credits: readonly DayCredits[], closed: BusinessDate): [BusinessDate, Minor][] {
  const lots: { day: BusinessDate; amount: Minor }[] = [];
  let left = balance;
  for (const { date, amount } of credits) {
    if (left === 0n) break;
    const part = amount < left ? amount : left;
    // What came in since the day closed is of a day that is not over.
    lots.unshift({ day: date < closed ? date : closed, amount: part });
    left -= part;
  }
  if (left > 0n) lots.unshift({ day: lots[0]?.day ?? closed, amount: left });
  const parts = new Map<BusinessDate, Minor>();
  let rest = due;
  for (const { day, amount } of lots) {
    const part = amount < rest ? amount : rest;
    if (part > 0n) parts.set(day, (parts.get(day) ?? 0n) + part);
    rest -= part;
  }
  return [...parts];
}

/** The number under which a line is instructed: the same whenever its clearing is run again. */
export function requestNoOf({ accountId, creditedOn }: Pick<DueLine, 'accountId' | 'creditedOn'>, date: BusinessDate): string {
  const number = `clearing:${date}:${accountId}`;
  return creditedOn === addDays(date, -1) ? number : `${number}:${creditedOn}`;
}
