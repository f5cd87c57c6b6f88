import { type Id, isVirtualAccountNo, type Minor } from '../kernel/index.js';
import type { ItemState } from './states.js';

/** How much of an item was given to whom. */
export interface Shares {
  readonly amount: Minor;
  readonly attributed: Minor;
  readonly returned: Minor;
  readonly undone: Minor;
}

/** What nobody has decided about yet. */
export function leftOf({ amount, attributed, returned, undone }: Shares): Minor {
  return amount - attributed - returned - undone;
}

export function itemState(item: Shares): ItemState {
  if (leftOf(item) > 0n) return 'open';
  if (item.undone > 0n) return 'undone';
  if (item.returned === 0n) return 'attributed';
  return item.attributed === 0n ? 'returned' : 'divided';
}

/** Why an account may be the owner of money on suspense. */
export type MatchReason =
  | 'meant-for'
  | 'virtual-number'
  | 'payer-account'
  | 'virtual-number-misspelt'
  | 'order-number'
  | 'payer-name'
  | 'order-amount';

/** By how much each reason counts: what only its owner can have is worth more than what several may share. */
export const MATCH_SCORES: Readonly<Record<MatchReason, number>> = {
  'meant-for': 100,
  'virtual-number': 90,
  'payer-account': 60,
  'virtual-number-misspelt': 50,
  'order-number': 30,
  'payer-name': 25,
  'order-amount': 15,
};

export interface Match {
  readonly account: Id;
  readonly reason: MatchReason;
}

export interface Candidate {
  readonly account: Id;
  readonly score: number;
  /** The weightiest first. */
  readonly reasons: readonly MatchReason[];
}

/** Accounts by what speaks for them, the likeliest first; of equal ones the account that was opened first. A reason counts once. */
export function rankCandidates(matches: readonly Match[]): Candidate[] {
  const reasons = new Map<Id, Set<MatchReason>>();
  for (const { account, reason } of matches) reasons.set(account, (reasons.get(account) ?? new Set()).add(reason));
  const candidates = [...reasons].map(([account, found]): Candidate => {
    const ordered = [...found].sort((a, b) => MATCH_SCORES[b] - MATCH_SCORES[a]);
    return { account, score: ordered.reduce((sum, reason) => sum + MATCH_SCORES[reason], 0), reasons: ordered };
  });
  return candidates.sort((a, b) => b.score - a.score || (a.account < b.account ? -1 : 1));
}

const DIGITS = '0123456789';
const VIRTUAL_LENGTH = 19;
const RUNS_MAX = 8; // a text with more numbers than this names nobody

/** Runs of digits of about the length of a virtual account number; blanks and dashes within a number are not its fault. */
function runsIn(text: string): string[] {
  const runs = text.replace(/(?<=[0-9])[ -](?=[0-9])/g, '').match(/[0-9]+/g) ?? [];
  return runs.filter((run) => Math.abs(run.length - VIRTUAL_LENGTH) <= 1).slice(0, RUNS_MAX);
}

/** Virtual account numbers that stand in a text as they should. */
export function virtualNumbersIn(text: string): string[] {
  return [...new Set(runsIn(text).filter(isVirtualAccountNo))];
}

/**
 * Virtual account numbers that one slip of the hand makes of a number in the text: a wrong, missing or surplus digit, or two neighbours
 * exchanged (Damerau distance 1). The check digit leaves few of them. A number that is right as it stands is not guessed at.
 */
export function virtualNumbersNear(text: string): string[] {
  const near = new Set<string>();
  for (const run of runsIn(text)) {
    if (isVirtualAccountNo(run)) continue;
    for (const number of slipsOf(run)) if (isVirtualAccountNo(number)) near.add(number);
  }
  return [...near].sort();
}

function* slipsOf(run: string): Iterable<string> {
  for (let place = 0; place <= run.length; place += 1) {
    const [before, after] = [run.slice(0, place), run.slice(place)];
    if (run.length < VIRTUAL_LENGTH) for (const digit of DIGITS) yield before + digit + after;
    if (run.length > VIRTUAL_LENGTH) yield before + after.slice(1);
    if (run.length !== VIRTUAL_LENGTH || after === '') continue;
    for (const digit of DIGITS) yield before + digit + after.slice(1);
    if (after.length > 1) yield `${before}${after[1]}${after[0]}${after.slice(2)}`;
  }
}

const ORDER_NUMBERS_MAX = 20;

/** What in a text may be an order number of the platform: words of the letters that such numbers have. */
export function orderNumbersIn(text: string): string[] {
  const words = text.match(/[A-Za-z0-9_.:-]{1,64}/g) ?? [];
  const tidy = words.flatMap((word) => [word, word.replace(/^[.:_-]+|[.:_-]+$/g, '')]);
  return [...new Set(tidy.filter((word) => word.length >= 3))].slice(0, ORDER_NUMBERS_MAX);
}
