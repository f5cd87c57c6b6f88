import { type Id, invariant, type Minor, mulDivHalfUp } from '../kernel/index.js';

/**
 * Split rules as data, and what they make of an amount. Pure, and exact to the fen: what is divided and what comes out of it are the
 * same sum, whatever the rule says.
 */

/** Who gets something: the seller of the item, the platform's commission account, or another sub-merchant of the platform. */
export type Receiver = 'seller' | 'commission' | { readonly account: Id };
/** The same as one word: an id never reads like the other two. */
export type Party = 'seller' | 'commission' | Id;

/** One step of a staircase: the rate of what lies above the step before and up to `upTo` (null: of all the rest). */
export interface Tier {
  readonly upTo: Minor | null;
  /** Basis points. */
  readonly percent: bigint;
}
/**
 * How much a line asks for. `of` says of what: all that its level has to divide (`whole`), or, on the level `order` alone, the price of
 * the goods without freight.
 */
export type Take =
  | { readonly percent: bigint; readonly of: Base }
  | { readonly fixed: Minor }
  | { readonly tiers: readonly Tier[]; readonly of: Base };
export type Base = 'whole' | 'goods';
export type Rounding = 'half-up' | 'down';

export interface Line {
  /** A level gets the amount to divide it by its own lines. */
  readonly to: Receiver | { readonly level: string };
  readonly take: Take;
  readonly min: Minor | null;
  readonly max: Minor | null;
  readonly rounding: Rounding;
}
export interface Level {
  readonly lines: readonly Line[];
  /** Gets what the lines leave, the last fen of every rounding with it. */
  readonly remainder: Receiver;
}
/** The level `order` divides the item; every other level divides what one line hands it. */
export interface SplitRule {
  readonly levels: Readonly<Record<string, Level>>;
}

export const FIRST_LEVEL = 'order';
/** 100 % in basis points. */
export const WHOLE_BP = 10_000n;

/** What one item is worth: `whole` is the price of the goods with freight, `goods` without. */
export interface ItemAmounts {
  readonly whole: Minor;
  readonly goods: Minor;
}

/** The most that others than the seller, and of them the platform's commission, may get out of one item, in basis points of it. */
export interface Bounds {
  readonly others?: bigint;
  readonly commission?: bigint;
}

/**
 * One line of an evaluation. `line` is its place in the level; `remainder` is what the lines left, `over-bounds` what a line or remainder
 * would have given to somebody who has reached his bound already, and the seller keeps.
 */
export interface Part {
  readonly level: string;
  readonly line: number | 'remainder' | 'over-bounds';
  readonly receiver: Party | { readonly level: string };
  readonly amount: Minor;
}

/** What each receiver gets in the end, in the order in which the rule names them; nobody twice, nobody with nothing. */
export interface Share {
  readonly receiver: Party;
  readonly amount: Minor;
}

interface CompiledLine {
  readonly base: Base;
  readonly fixed: Minor | null;
  readonly percent: bigint;
  readonly tiers: readonly Tier[] | null;
  readonly min: Minor;
  readonly max: Minor | null;
  readonly down: boolean;
  /** The place of a receiver, or the level to which it goes. */
  readonly to: number | CompiledLevel;
}
interface CompiledLevel {
  readonly name: string;
  readonly lines: readonly CompiledLine[];
  readonly remainder: number;
}
/** A rule made ready to be evaluated many times. */
export interface CompiledRule {
  /** Each receiver once, in the order in which the rule reaches them. */
  readonly receivers: readonly Party[];
  readonly first: CompiledLevel;
  readonly bounds: Bounds;
  readonly seller: number;
  readonly commission: number;
}

export function partyOf(receiver: Receiver): Party {
  return typeof receiver === 'string' ? receiver : receiver.account;
}

export function levelOf(rule: SplitRule, name: string): Level | undefined {
  return Object.hasOwn(rule.levels, name) ? rule.levels[name] : undefined;
}

/**
 * Makes a rule ready. What others may get at most can be handed in: what a small amount would give them beyond that, by fixed amounts
 * and minima, stays with the seller.
 * @throws invariant when the rule has faults that `checkRule` would have told
 */
export function compileRule(rule: SplitRule, bounds: Bounds = {}): CompiledRule {
  const receivers: Party[] = [];
  const placeOf = (receiver: Receiver) => {
    const party = partyOf(receiver);
    if (!receivers.includes(party)) receivers.push(party);
    return receivers.indexOf(party);
  };
  const compileLevel = (name: string, above: readonly string[]): CompiledLevel => {
    const level = levelOf(rule, name);
    invariant(level !== undefined && !above.includes(name), `the level ${name} exists and does not contain itself`);
    const lines = level.lines.map(({ to, take, min, max, rounding }) => ({
      base: 'of' in take ? take.of : ('whole' as const),
      fixed: 'fixed' in take ? take.fixed : null,
      percent: 'percent' in take ? take.percent : 0n,
      tiers: 'tiers' in take ? take.tiers : null,
      min: min ?? 0n,
      max,
      down: rounding === 'down',
      to: typeof to === 'object' && 'level' in to ? compileLevel(to.level, [...above, name]) : placeOf(to),
    }));
    return { name, lines, remainder: placeOf(level.remainder) };
  };
  const first = compileLevel(FIRST_LEVEL, []);
  return { receivers, first, bounds, seller: placeOf('seller'), commission: receivers.indexOf('commission') };
}

/**
 * What everybody gets out of an item. The lines of a level take in their order, each what it asks for between its minimum and maximum, but
 * never more than is left; the remainder is the rest. The sum is the whole.
 * @param item minor units, 0 <= goods <= whole
 */
export function evaluateRule(rule: CompiledRule, item: ItemAmounts): Share[] {
  return sharesOf(rule, divide(rule, item));
}

/** The same with every line of every level, so that a reader can follow how an amount came about. */
export function explainRule(rule: CompiledRule, item: ItemAmounts): { readonly shares: Share[]; readonly parts: Part[] } {
  const parts: Part[] = [];
  return { shares: sharesOf(rule, divide(rule, item, parts)), parts };
}

function sharesOf({ receivers }: CompiledRule, amounts: readonly Minor[]): Share[] {
  const shares: Share[] = [];
  receivers.forEach((receiver, place) => {
    const amount = amounts[place] as Minor;
    if (amount > 0n) shares.push({ receiver, amount });
  });
  return shares;
}

/** What is on its way: who has got how much, and how much the others may still get. */
interface Dividing {
  readonly rule: CompiledRule;
  readonly item: ItemAmounts;
  readonly amounts: Minor[];
  readonly parts: Part[] | undefined;
  othersLeft: Minor;
  commissionLeft: Minor;
}

function divide(rule: CompiledRule, item: ItemAmounts, parts?: Part[]): Minor[] {
  const { whole, goods } = item;
  invariant(goods >= 0n && goods <= whole, 'the goods are a part of the whole');
  const { others, commission } = rule.bounds;
  const left = (bound: bigint | undefined) => (bound === undefined ? whole : (whole * bound) / WHOLE_BP);
  const dividing: Dividing = {
    rule,
    item,
    parts,
    amounts: rule.receivers.map(() => 0n),
    othersLeft: left(others),
    commissionLeft: left(commission),
  };
  divideLevel(dividing, rule.first, whole);
  return dividing.amounts;
}

function divideLevel(dividing: Dividing, level: CompiledLevel, amount: Minor): void {
  const { parts } = dividing;
  let left = amount;
  for (let line = 0; line < level.lines.length; line += 1) {
    const compiled = level.lines[line] as CompiledLine;
    const asked = askedBy(compiled, compiled.base === 'goods' ? dividing.item.goods : amount);
    const taken = asked < left ? asked : left;
    left -= taken;
    if (typeof compiled.to === 'number') give(dividing, level.name, line, compiled.to, taken);
    else {
      parts?.push({ level: level.name, line, receiver: { level: compiled.to.name }, amount: taken });
      divideLevel(dividing, compiled.to, taken);
    }
  }
  give(dividing, level.name, 'remainder', level.remainder, left);
}

/** Before it is cut to what the level has left. */
function askedBy(line: CompiledLine, base: Minor): Minor {
  const taken = takenBy(line, base);
  const least = taken > line.min ? taken : line.min;
  return line.max !== null && least > line.max ? line.max : least;
}

function takenBy({ fixed, tiers, percent, down }: CompiledLine, base: Minor): Minor {
  if (fixed !== null) return fixed;
  if (tiers !== null) return rounded(staircase(tiers, base), 1n, down);
  return rounded(base, percent, down);
}

const rounded = (base: Minor, percent: bigint, down: boolean): Minor =>
  down ? (base * percent) / WHOLE_BP : mulDivHalfUp(base, percent, WHOLE_BP);

/** The sum of all steps in fen times basis points: it is rounded once, not step by step. */
function staircase(tiers: readonly Tier[], base: Minor): bigint {
  let sum = 0n;
  let from = 0n;
  for (const { upTo, percent } of tiers) {
    const end = upTo === null || upTo > base ? base : upTo;
    if (end > from) sum += (end - from) * percent;
    if (upTo === null || upTo >= base) break;
    from = upTo;
  }
  return sum;
}

function give(dividing: Dividing, level: string, line: number | 'remainder', receiver: number, amount: Minor): void {
  const { rule, amounts, parts } = dividing;
  let given = amount;
  if (receiver !== rule.seller) {
    if (given > dividing.othersLeft) given = dividing.othersLeft;
    if (receiver === rule.commission) {
      if (given > dividing.commissionLeft) given = dividing.commissionLeft;
      dividing.commissionLeft -= given;
    }
    dividing.othersLeft -= given;
  }
  amounts[receiver] = (amounts[receiver] as Minor) + given;
  parts?.push({ level, line, receiver: rule.receivers[receiver] as Party, amount: given });
  const kept = amount - given;
  if (kept === 0n) return;
  amounts[rule.seller] = (amounts[rule.seller] as Minor) + kept;
  parts?.push({ level, line: 'over-bounds', receiver: 'seller', amount: kept });
}

/**
 * What each gets of a part of an item's amount, when an item is split in several steps. Each has then about as much of his full amount as
 * all have of theirs, and never more than his full amount; the part that takes all that is left ends exactly there.
 * @param full what each shall have in the end
 * @param got what each has so far, in the same order
 * @param part minor units, not more than all together may still get
 * @returns what each gets now; the sum is `part`
 */
export function shareOfPart(full: readonly Minor[], got: readonly Minor[], part: Minor): Minor[] {
  const capacity = full.map((amount, place) => atLeastZero(amount - (got[place] ?? 0n)));
  invariant(part >= 0n && part <= sum(capacity), 'a part is not more than what is left');
  const all = sum(full);
  const reached = sum(got) + part;
  let left = part;
  const given = capacity.map((most, place) => {
    const ideal = all === 0n ? 0n : ((full[place] as Minor) * reached) / all - (got[place] ?? 0n);
    const amount = least(least(atLeastZero(ideal), most), left);
    left -= amount;
    return amount;
  });
  // A fen each in their order; more than that only where somebody had got more than he should.
  for (const most of [1n, left]) {
    given.forEach((amount, place) => {
      const more = least(least(left, most), (capacity[place] as Minor) - amount);
      given[place] = amount + more;
      left -= more;
    });
  }
  return given;
}

const atLeastZero = (amount: Minor): Minor => (amount > 0n ? amount : 0n);
const least = (a: Minor, b: Minor): Minor => (a < b ? a : b);
const sum = (amounts: readonly Minor[]): Minor => amounts.reduce((total, amount) => total + amount, 0n);
