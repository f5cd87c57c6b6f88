import { createHash } from 'node:crypto';
import { FILE_CHANNELS, type StatementLine } from '../channels/index.js';
import { addDays, type BusinessDate, type Id, type Instant, type Minor, naturalDate } from '../kernel/index.js';
import { bringsMoneyIn, isUnderWay, type Payout } from '../payouts/index.js';

/** Whose records the books are compared with: the core bank's statement, what the platform says of its day, the day files of channels, files of fund companies. */
export const PARTIES = ['core-bank', 'platform', ...FILE_CHANNELS, 'fund'] as const;
export type Party = (typeof PARTIES)[number];

/** How the books and the bank's statement differ. What matches is not kept. */
export const BREAK_CLASSES = ['amount-differs', 'only-ours', 'only-theirs', 'state-differs'] as const;
export type BreakClass = (typeof BREAK_CLASSES)[number];

/** What is left under one reference when all that agrees is taken away. */
export interface Difference {
  readonly reference: string;
  /** The sum of our movements without a counterpart; null when there is none. */
  readonly ours: Minor | null;
  readonly theirs: Minor | null;
  /** The first of their lines, as many as are kept. */
  readonly lines: readonly StatementLine[];
}

/** Ours less theirs, as far as the books have posted it. */
export function differenceOf({ ours, theirs, difference }: Pick<Finding, 'ours' | 'theirs' | 'difference'>): Minor {
  return difference ?? (ours ?? 0n) - (theirs ?? 0n);
}

/** Which payout a reference names, and whether it is its payment or its return. */
export function payoutOfReference(reference: string): { id: Id; returned: boolean } | undefined {
  const match = /^(RT)?([1-9][0-9]{18})$/.exec(reference);
  return match === null ? undefined : { id: match[2] as Id, returned: match[1] !== undefined };
}

export interface Finding extends Difference {
  readonly class: BreakClass;
  /** Explained by the cut-off alone: the other side is on its way, and closes the break when it appears. */
  readonly timing: boolean;
  /** What the statement, which is final, makes of a payout that the books have otherwise. */
  readonly converge: { readonly payout: Payout; readonly to: 'settled' | 'returned' } | null;
  /** What stands between books and bank, where it is not ours less theirs: the books only expect `ours`, and have not posted it. */
  readonly difference?: Minor;
}

/** What explains a difference, if anything does. */
export interface Circumstances {
  /** The platform's payout under this reference. */
  readonly payout: Payout | undefined;
  /** What the books have under this reference on later dates, in minor units. */
  readonly laterOurs: Minor | null;
  /** All that the books have under it was posted when the natural day was over and the cut-off not made yet. */
  readonly afterMidnight: boolean;
}

/** Names a difference. */
export function classify(difference: Difference, { payout, laterOurs, afterMidnight }: Circumstances): Finding {
  const { ours, theirs } = difference;
  const finding = (kind: BreakClass, timing = false, converge: Finding['converge'] = null): Finding => ({
    ...difference,
    class: kind,
    timing,
    converge,
  });
  if (theirs === null) return finding('only-ours', afterMidnight); // the bank has it on its next day
  if (ours !== null) return finding('amount-differs');
  if (laterOurs === theirs) return finding('only-theirs', true);
  const named = payoutOfReference(difference.reference);
  if (payout === undefined || named === undefined || laterOurs !== null) return finding('only-theirs');
  const paid = bringsMoneyIn(payout) ? payout.amount : -payout.amount;
  if (theirs !== (named.returned ? -paid : paid)) return finding('only-theirs');
  // What was collected and is charged back, a person has to look at.
  if (named.returned && bringsMoneyIn(payout)) return finding('only-theirs');
  if (payout.state === 'created' || payout.state === 'failed') return finding('state-differs');
  if (isUnderWay(payout.state)) return finding('only-theirs', true, { payout, to: named.returned ? 'returned' : 'settled' });
  if (named.returned && payout.state === 'settled') return finding('only-theirs', true, { payout, to: 'returned' });
  return finding('only-theirs'); // the books had it before: the bank booked it twice
}

/** A difference that stands between the books and the bank. */
export interface Outstanding {
  readonly id: Id;
  readonly businessDate: BusinessDate;
  readonly reference: string;
  readonly difference: Minor;
  readonly timing: boolean;
  readonly open: boolean;
  /** Of a timing difference: the business date at whose statement the other side must have appeared. */
  readonly expectedBy: BusinessDate;
}

/**
 * When the other side of a timing difference must be there. What the bank alone has, the books post on the date that is open when it
 * is found, which is the next. What the books alone have, the bank has on a date that had begun when it was found: while a
 * platform's close is days behind, the bank's date runs ahead of the books'.
 */
export function expectedBy(of: { class: BreakClass; businessDate: BusinessDate; openedMs: Instant }): BusinessDate {
  const next = addDays(of.businessDate, 1);
  const found = naturalDate(of.openedMs);
  return of.class === 'only-ours' && found > next ? found : next;
}

/**
 * Lets new differences meet the outstanding ones: where all of one reference come to zero, the other side has appeared.
 * A timing difference that was not explained in its time is none.
 */
export function settleOutstanding(outstanding: readonly Outstanding[], differences: readonly Difference[], date: BusinessDate) {
  const byReference = new Map<string, Outstanding[]>();
  for (const item of outstanding) byReference.set(item.reference, [...(byReference.get(item.reference) ?? []), item]);
  const byRepair = new Map(outstanding.map((item) => [repairReference(item.id), item.reference]));
  const cleared: Outstanding[] = [];
  const fresh: Difference[] = [];
  for (const difference of differences) {
    const reference = byRepair.get(difference.reference) ?? keyOfReference(difference.reference);
    const before = byReference.get(reference) ?? [];
    const sum = before.reduce((total, item) => total + item.difference, differenceOf(difference));
    if (before.length > 0 && sum === 0n) cleared.push(...before);
    else fresh.push(difference);
  }
  const gone = new Set(cleared);
  const stay = outstanding.filter((item) => !gone.has(item));
  return { cleared, fresh, stay, stale: stay.filter((item) => item.timing && item.expectedBy <= date) };
}

/** Under this stands that a statement does not begin where the one before it ended. */
export const OPENING = 'OPENING';

/** What a repair is booked under where the books cannot take the break's own reference. */
export function repairReference(breakId: Id): string {
  return `BREAK-${breakId}`;
}

const REFERENCE_MAX = 64;

/** The form in which a reference is kept: one that is too long keeps its beginning and a hash. */
export function keyOfReference(reference: string): string {
  if (reference.length <= REFERENCE_MAX) return reference;
  // Not in the middle of a character that takes two units.
  const begin = reference.slice(0, 47).replace(/[\ud800-\udbff]$/, '');
  return `${begin}#${createHash('sha256').update(reference).digest('hex').slice(0, 16)}`;
}

/** The figures of a day, in minor units. */
export interface Figures {
  /** What the books have in the custody account, at the cut-off. */
  readonly custody: Minor;
  /** The sum of all other accounts, at the cut-off. */
  readonly children: Minor;
  /** Kept from movements over the wall alone. */
  readonly control: Minor;
  /** What the bank says that the custody account has. */
  readonly statement: Minor;
  /** Σ of the differences that stand, each explained by a break. */
  readonly outstanding: Minor;
  /** Breaks that are open and no matter of timing. */
  readonly openBreaks: number;
}

/** What is wrong with the books of a day; empty when they prove. */
export function prove(figures: Figures): string[] {
  const { custody, children, control, statement, outstanding, openBreaks } = figures;
  const faults: string[] = [];
  if (children !== custody) faults.push(`the accounts add up to ${children}, custody has ${custody}`);
  if (control !== custody) faults.push(`the control total is ${control}, custody has ${custody}`);
  if (statement + outstanding !== control) {
    faults.push(`the statement closes with ${statement}, explained are ${outstanding}, the control total is ${control}`);
  }
  if (openBreaks > 0) faults.push(`${openBreaks} breaks are open`);
  return faults;
}

/** Differences by class, counted in memory that does not grow with them. */
export class ClassCounts {
  readonly #counts = { amountDiffers: 0, onlyOurs: 0, onlyTheirs: 0, stateDiffers: 0, timing: 0 };

  add(found: readonly Pick<Finding, 'class' | 'timing'>[]): void {
    const more = countByClass(found);
    for (const name of Object.keys(more) as (keyof typeof more)[]) this.#counts[name] += more[name];
  }

  get counts() {
    return { ...this.#counts };
  }
}

/** Differences by class; those that are a matter of timing are counted apart. */
export function countByClass(found: readonly Pick<Finding, 'class' | 'timing'>[]) {
  const of = (kind: BreakClass) => found.filter((each) => each.class === kind && !each.timing).length;
  return {
    amountDiffers: of('amount-differs'),
    onlyOurs: of('only-ours'),
    onlyTheirs: of('only-theirs'),
    stateDiffers: of('state-differs'),
    timing: found.filter(({ timing }) => timing).length,
  };
}

const DAY_MS = 86_400_000;
/** How many days a break may stay open before it is called out. Our own promise; the law knows none. */
export const CASE_DAYS_MAX = 3;

/** A break is overdue when it was found at this moment or before. */
export function overdueSince(nowMs: Instant): Instant {
  return (nowMs - CASE_DAYS_MAX * DAY_MS) as Instant;
}

/** Whole days since it was found; of a closed one, until it was closed. */
export function ageInDays(openedMs: Instant, untilMs: Instant): number {
  return Math.max(0, Math.floor((untilMs - openedMs) / DAY_MS));
}
