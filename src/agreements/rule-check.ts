import { type Refusal, type RefusalCode, refuse, toWire } from '../kernel/index.js';
import { FIRST_LEVEL, type Level, type Line, levelOf, type Party, partyOf, type SplitRule, WHOLE_BP } from './rules.js';

/** What is wrong about a rule itself, before anybody looks at whom it names. Pure. */

const RECEIVERS_MAX = 50;
const DEPTH_MAX = 5;

/** What a rule may give away of any item, in basis points. */
export interface Caps {
  /** To others than the seller, the platform's commission with them. */
  readonly others: bigint;
  /** To the platform's commission. */
  readonly commission: bigint;
}

/**
 * Every fault of a rule at once; none means that it can be compiled and evaluated. Each carries the pointer of its place.
 *
 * The caps are held against what the rule's rates can reach for some amount of goods and freight, however large. Fixed amounts and minima
 * weigh on small amounts only, and there the evaluation keeps the bounds.
 * @param at pointer of the rule
 * @returns RULE_LEVEL_UNKNOWN, RULE_LEVEL_CYCLE, RULE_LEVEL_UNREACHABLE, RULE_DEPTH, RULE_RECEIVERS, RULE_OVER_WHOLE, RULE_TIERS,
 *   RULE_BASE, RULE_BOUNDS; and where there is none of these RULE_CAP, RULE_PROFIT
 */
export function checkRule(rule: SplitRule, caps?: Caps, at = '/rule'): Refusal[] {
  const faults = [...structureFaults(rule, at), ...Object.keys(rule.levels).flatMap((name) => levelFaults(rule, name, at))];
  return faults.length > 0 || caps === undefined ? faults : capFaults(rule, caps, at);
}

const fault = (code: RefusalCode, pointer: string, detail: string, fields: Record<string, unknown> = {}): Refusal =>
  refuse(code, detail, { pointer, ...fields });

const levelPointer = (at: string, name: string) => `${at}/levels/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;

function targetOf({ to }: Line): { readonly level: string } | Party {
  return typeof to === 'object' && 'level' in to ? to : partyOf(to);
}

/** Levels are a tree: each is reached once, from the first on, and not too deep; and there are not too many receivers. */
function structureFaults(rule: SplitRule, at: string): Refusal[] {
  if (levelOf(rule, FIRST_LEVEL) === undefined)
    return [fault('RULE_LEVEL_UNKNOWN', `${at}/levels`, `There is no level ${FIRST_LEVEL}.`, { level: FIRST_LEVEL })];
  const faults: Refusal[] = [];
  const reached = new Set<string>();
  const walk = (name: string, above: readonly string[]) => {
    reached.add(name);
    (levelOf(rule, name) as Level).lines.forEach((line, place) => {
      const target = targetOf(line);
      if (typeof target === 'string') return;
      const pointer = `${levelPointer(at, name)}/lines/${place}/to/level`;
      const path = [...above, name];
      const { level } = target;
      if (levelOf(rule, level) === undefined)
        faults.push(fault('RULE_LEVEL_UNKNOWN', pointer, `There is no level ${level}.`, { level }));
      else if (path.includes(level))
        faults.push(fault('RULE_LEVEL_CYCLE', pointer, `${[...path, level].join(' → ')} goes round.`, { level }));
      else if (reached.has(level))
        faults.push(fault('RULE_RECEIVERS', pointer, `Two lines go to the level ${level}.`, { level }));
      else if (path.length >= DEPTH_MAX)
        faults.push(
          fault('RULE_DEPTH', pointer, `There are more than ${DEPTH_MAX} levels one below another.`, { most: DEPTH_MAX }),
        );
      else walk(level, path);
    });
  };
  walk(FIRST_LEVEL, []);
  const broken = faults.length > 0;
  for (const name of Object.keys(rule.levels)) {
    // Behind a line that is wrong itself, a level cannot be reached either: it is told only where it is the only fault.
    if (reached.has(name)) continue;
    if (isInCycle(rule, name))
      faults.push(fault('RULE_LEVEL_CYCLE', levelPointer(at, name), `${name} leads back to itself.`, { level: name }));
    else if (!broken)
      faults.push(fault('RULE_LEVEL_UNREACHABLE', levelPointer(at, name), `No line goes to ${name}.`, { level: name }));
  }
  const parties = new Set(
    Object.values(rule.levels).flatMap(({ lines, remainder }) => [partyOf(remainder), ...lines.map(targetOf)]),
  );
  const count = [...parties].filter((party) => typeof party === 'string').length;
  if (count > RECEIVERS_MAX)
    faults.push(fault('RULE_RECEIVERS', `${at}/levels`, `There are ${count} receivers.`, { most: RECEIVERS_MAX }));
  return faults;
}

/** Whether a level that nothing reaches hands its amount on to itself in the end. */
function isInCycle(rule: SplitRule, start: string): boolean {
  const seen = new Set<string>();
  const next = (name: string): boolean =>
    (levelOf(rule, name)?.lines ?? []).some((line) => {
      const target = targetOf(line);
      if (typeof target === 'string') return false;
      if (target.level === start) return true;
      if (seen.has(target.level)) return false;
      seen.add(target.level);
      return next(target.level);
    });
  return next(start);
}

function levelFaults(rule: SplitRule, name: string, at: string): Refusal[] {
  const { lines } = levelOf(rule, name) as Level;
  const here = levelPointer(at, name);
  const faults = lines.flatMap((line, place) => lineFaults(line, name, `${here}/lines/${place}`));
  const rates = lines.reduce((sum, line) => sum + ratesOf(line).most, 0n);
  if (rates > WHOLE_BP)
    faults.push(
      fault('RULE_OVER_WHOLE', `${here}/lines`, `The rates add up to ${percent(rates)} %.`, { basisPoints: Number(rates) }),
    );
  const seen = new Set<string>();
  lines.forEach((line, place) => {
    const target = targetOf(line);
    const key = `${typeof target === 'string' ? target : `level ${target.level}`} ${Object.keys(line.take).find((word) => word !== 'of')}`;
    if (seen.has(key) && typeof target === 'string')
      faults.push(
        fault('RULE_RECEIVERS', `${here}/lines/${place}`, 'An earlier line of this level gives the same receiver the same way.', {
          receiver: showParty(target),
        }),
      );
    seen.add(key);
  });
  return faults;
}

export const showParty = (party: Party): string =>
  party === 'seller' || party === 'commission' ? party : toWire('account', party);

const percent = (basisPoints: bigint) => Number(basisPoints) / 100;

function lineFaults({ take, min, max }: Line, level: string, pointer: string): Refusal[] {
  const faults: Refusal[] = [];
  if (min !== null && max !== null && min > max)
    faults.push(
      fault('RULE_BOUNDS', `${pointer}/min`, 'The minimum is above the maximum.', { min: String(min), max: String(max) }),
    );
  if ('of' in take && take.of === 'goods' && level !== FIRST_LEVEL)
    faults.push(fault('RULE_BASE', `${pointer}/take/of`, `Only lines of ${FIRST_LEVEL} know the price of the goods.`, { level }));
  if ('tiers' in take) {
    const ends = take.tiers.map(({ upTo }) => upTo);
    const wrong = ends.findIndex((end, place) => {
      if (place === ends.length - 1) return end !== null;
      return end === null || end <= (ends[place - 1] ?? 0n);
    });
    if (wrong >= 0 || ends.length === 0)
      faults.push(
        fault('RULE_TIERS', `${pointer}/take/tiers/${Math.max(wrong, 0)}/upTo`, 'Tiers ascend, and the last one is open.', {}),
      );
  }
  return faults;
}

/** The least and the most of its base that a line's rate takes; nothing where it is a fixed amount. */
function ratesOf({ take }: Line): { readonly least: bigint; readonly most: bigint } {
  if ('fixed' in take) return { least: 0n, most: 0n };
  if ('percent' in take) return { least: take.percent, most: take.percent };
  const rates = take.tiers.map((tier) => tier.percent);
  return {
    least: rates.reduce((least, rate) => (rate < least ? rate : least), WHOLE_BP),
    most: rates.reduce((most, rate) => (rate > most ? rate : most), 0n),
  };
}

/** A fraction of one: five levels of basis points divide it without a rest. */
const ONE = WHOLE_BP ** BigInt(DEPTH_MAX + 1);

/** The largest part of what a level has that can reach `counted` receivers, for the amount that is worst. */
function mostReaching(rule: SplitRule, name: string, counted: (party: Party) => boolean): bigint {
  const { lines, remainder } = levelOf(rule, name) as Level;
  const ofParty = (party: Party) => (counted(party) ? ONE : 0n);
  const rest = ofParty(partyOf(remainder));
  const most = lines.reduce((sum, line) => {
    const target = targetOf(line);
    const part = typeof target === 'string' ? ofParty(target) : mostReaching(rule, target.level, counted);
    const rates = ratesOf(line);
    // A maximum makes the line next to nothing of a large amount, and freight makes the goods next to nothing of the whole.
    const isShrinking = line.max !== null || ('of' in line.take && line.take.of === 'goods');
    const rate = part > rest ? rates.most : isShrinking ? 0n : rates.least;
    return sum + ((part - rest) * rate) / WHOLE_BP;
  }, rest);
  return most > ONE ? ONE : most;
}

function capFaults(rule: SplitRule, { others, commission }: Caps, at: string): Refusal[] {
  const faults: Refusal[] = [];
  const most = (counted: (party: Party) => boolean) => mostReaching(rule, FIRST_LEVEL, counted);
  const check = (code: RefusalCode, who: string, cap: bigint, reached: bigint) => {
    if (reached * WHOLE_BP <= cap * ONE) return;
    const basisPoints = (reached * WHOLE_BP + ONE - 1n) / ONE;
    faults.push(
      fault(code, at, `${who} can get ${percent(basisPoints)} % of an item, and ${percent(cap)} % is agreed.`, {
        basisPoints: Number(basisPoints),
        most: Number(cap),
      }),
    );
  };
  check(
    'RULE_CAP',
    'Others than the seller',
    others,
    most((party) => party !== 'seller'),
  );
  check(
    'RULE_PROFIT',
    'The platform',
    commission,
    most((party) => party === 'commission'),
  );
  return faults;
}

/** The accounts that a rule names besides the seller and the commission, each with the pointers of its places. */
export function accountsNamed(rule: SplitRule, at = '/rule'): Map<Party, string[]> {
  const named = new Map<Party, string[]>();
  const note = (party: { readonly level: string } | Party, pointer: string) => {
    if (typeof party !== 'string' || party === 'seller' || party === 'commission') return;
    named.set(party, [...(named.get(party) ?? []), pointer]);
  };
  for (const [name, { lines, remainder }] of Object.entries(rule.levels)) {
    lines.forEach((line, place) => {
      note(targetOf(line), `${levelPointer(at, name)}/lines/${place}/to/account`);
    });
    note(partyOf(remainder), `${levelPointer(at, name)}/remainder/account`);
  }
  return named;
}
