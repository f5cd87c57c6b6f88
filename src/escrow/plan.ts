import {
  addDays,
  addMonths,
  allocate,
  BALANCE_MAX,
  type BusinessDate,
  type Id,
  type Instant,
  type Minor,
  type Refusal,
  refuse,
  startOfDay,
} from '../kernel/index.js';
import type { Condition, Moment, Template, TemplateLine, TemplateStage } from './template.js';

/** What a platform says of a deal that it opens. */
export interface DealTerms {
  readonly parties: readonly Party[];
  readonly amounts: Readonly<Record<string, Minor>>;
  readonly dates: Readonly<Record<string, BusinessDate>>;
  readonly counts: Readonly<Record<string, number>>;
}

export interface Party {
  readonly role: string;
  /** Where his money comes from or goes to; of a payer who pays from outside there is none. */
  readonly account: Id | null;
  /** Who confirms for him on a page of the bank. */
  readonly user: Id | null;
}

/** A template with its names, dates and amounts filled in: what the deal is, for ever. */
export interface Plan {
  readonly template: string;
  readonly version: number;
  readonly parties: readonly Party[];
  readonly roles: readonly PlanRole[];
  readonly stages: readonly PlanStage[];
  readonly exits: readonly PlanExit[];
}

export interface PlanRole extends Words {
  readonly role: string;
  readonly pays: boolean;
  readonly many: boolean;
  readonly receives: boolean;
  readonly accepts: boolean;
}

interface Words {
  readonly en: string;
  readonly zh: string;
}

/** What has to be true, with every date as the moment at which it begins. */
export type Term =
  | { readonly at: Instant }
  | { readonly since: 'open' | Term; readonly days: number }
  | { readonly confirmed: readonly string[]; readonly quorum: number }
  | { readonly review: true }
  | { readonly all: readonly Term[] }
  | { readonly any: readonly Term[] };

export interface PlanLine {
  readonly to: string;
  /** Hundredths of a percent, minor units, or what the other lines leave. */
  readonly take: { readonly percent: number } | { readonly fixed: Minor } | 'rest';
}

export interface PlanStage extends Words {
  readonly key: string;
  readonly amount: Minor;
  readonly atLeast: boolean;
  readonly fundBy: Instant;
  readonly after: string | null;
  readonly when: Term;
  readonly by: Instant | null;
  readonly pay: readonly PlanLine[];
  readonly otherwise: readonly PlanLine[] | 'review';
  readonly failsAlone: boolean;
  readonly objects: readonly string[];
}

export interface PlanExit extends Words {
  readonly key: string;
  readonly when: Term;
  readonly before: BusinessDate | null;
  readonly rows: readonly { readonly days: number; readonly pay: readonly PlanLine[] }[];
}

const wrong = (detail: string) => refuse('ESCROW_TERMS', detail);

/**
 * What a template makes of the terms of a deal.
 * @returns ESCROW_PARTIES for roles that are missing, twice or unknown; ESCROW_TERMS for names that are missing or unknown, amounts that do not
 *   go round, and a time for paying in that is over
 */
export function planOf(template: Template, terms: DealTerms, nowMs: Instant): Plan | Refusal {
  const refusal = partiesFault(template, terms.parties) ?? namesFault(template, terms);
  if (refusal !== undefined) return refusal;
  const stages = template.stages.flatMap((stage) => stagesOf(stage, template, terms));
  if (stages.some(({ amount }) => amount < 1n)) return wrong('A stage would have no money.');
  if (stages.reduce((sum, { amount }) => sum + amount, 0n) > BALANCE_MAX) return refuse('BALANCE_OVERFLOW');
  const late = stages.find(({ fundBy, by }) => fundBy <= nowMs || (by !== null && by <= nowMs));
  if (late !== undefined) return wrong(`The time to pay for ${late.key} is over.`);
  return {
    template: template.name,
    version: template.version,
    parties: terms.parties,
    roles: template.roles.map(({ role, en, zh, does, accepts }) => ({
      ...{ role, en, zh, accepts, pays: does.includes('pays'), many: does.includes('many'), receives: does.includes('receives') },
    })),
    stages,
    exits: template.exits.map(({ key, en, zh, when, before, rows }) => ({
      ...{ key, en, zh, when: termOf(when, terms, 0), before: before === undefined ? null : (terms.dates[before] ?? null) },
      rows: rows.map(({ days, pay }) => ({ days, pay: linesOf(pay, terms) })),
    })),
  };
}

/** Whether a role receives, and wherever it does an amount that the deal names: never a rate, never what is left. */
export function takesNamedAmounts({ roles, stages, exits }: Plan, role: string): boolean {
  if (!roles.some((each) => each.role === role && each.receives)) return false;
  const lines = [
    ...stages.flatMap(({ pay, otherwise }) => [...pay, ...(otherwise === 'review' ? [] : otherwise)]),
    ...exits.flatMap(({ rows }) => rows.flatMap(({ pay }) => pay)),
  ];
  return lines.every(({ to, take }) => to !== role || (typeof take === 'object' && 'fixed' in take));
}

function partiesFault({ roles }: Template, parties: readonly Party[]): Refusal | undefined {
  const named = parties.map(({ role }) => role);
  if (new Set(named).size < named.length) return refuse('ESCROW_PARTIES', 'A role stands twice.');
  const unknown = named.find((name) => !roles.some(({ role }) => role === name));
  if (unknown !== undefined) return refuse('ESCROW_PARTIES', 'The template has no such role.', { role: unknown });
  for (const { role, does } of roles) {
    const party = parties.find((each) => each.role === role);
    if (does.includes('many')) {
      if (party !== undefined) return refuse('ESCROW_PARTIES', 'Anybody may pay: nobody is named.', { role });
      continue;
    }
    if (party === undefined) return refuse('ESCROW_PARTIES', 'A role is missing.', { role });
    if (does.includes('receives') && party.account === null)
      return refuse('ESCROW_PARTIES', 'Who receives has an account.', { role });
    if (does.length === 0 && party.account !== null)
      return refuse('ESCROW_PARTIES', 'Who neither pays nor receives has no account here.', { role });
  }
  return undefined;
}

function namesFault(template: Template, { amounts, dates, counts }: DealTerms): Refusal | undefined {
  const groups = [
    [template.amounts, amounts, 'amount'],
    [template.dates, dates, 'date'],
    [template.counts, counts, 'count'],
  ] as const;
  for (const [declared, given, what] of groups) {
    const names = new Set<string>(declared.map(({ name }) => name));
    const missing = [...names].find((name) => !Object.hasOwn(given, name));
    if (missing !== undefined) return wrong(`The ${what} ${missing} is missing.`);
    const unknown = Object.keys(given).find((name) => !names.has(name));
    if (unknown !== undefined) return wrong(`The template has no ${what} ${unknown}.`);
  }
  const many = template.counts.find(({ name, most }) => (counts[name] ?? 0) > most || (counts[name] ?? 0) < 1);
  return many === undefined ? undefined : wrong(`The count ${many.name} goes from 1 to ${many.most}.`);
}

function momentOf({ date, days = 0, step }: Moment, { dates }: DealTerms, place: number): Instant {
  const first = dates[date] as BusinessDate;
  return startOfDay(addDays(step === undefined ? first : addMonths(first, place), days));
}

function termOf(condition: Condition, terms: DealTerms, place: number): Term {
  if ('date' in condition) return { at: momentOf(condition, terms, place) };
  if ('since' in condition)
    return { since: condition.since === 'open' ? 'open' : termOf(condition.since, terms, place), days: condition.days };
  if ('confirmed' in condition)
    return { confirmed: [...new Set(condition.confirmed)], quorum: condition.quorum ?? new Set(condition.confirmed).size };
  if ('all' in condition) return { all: condition.all.map((each) => termOf(each, terms, place)) };
  if ('any' in condition) return { any: condition.any.map((each) => termOf(each, terms, place)) };
  return { review: true };
}

function linesOf(lines: readonly TemplateLine[], { amounts }: DealTerms): PlanLine[] {
  return lines.map(({ to, take }) => ({
    to,
    take: typeof take === 'object' && 'fixed' in take ? { fixed: amounts[take.fixed] ?? 0n } : take,
  }));
}

/** A stage as often as it is repeated, each with its amount and dates. */
function stagesOf(stage: TemplateStage, template: Template, terms: DealTerms): PlanStage[] {
  const times = stage.repeat === undefined ? 1 : (terms.counts[stage.repeat] ?? 1);
  const { amount, otherwise } = stage;
  const whole = terms.amounts[amount.of] ?? 0n;
  return Array.from({ length: times }, (_, place) => {
    const numbered = stage.repeat === undefined ? '' : ` ${place + 1}`;
    return {
      key: stage.repeat === undefined ? stage.key : `${stage.key}-${place + 1}`,
      en: stage.en + numbered,
      zh: stage.zh + numbered,
      amount: amountOf(amount.part, { whole, place, times, others: () => othersOf(stage, template, terms) }),
      atLeast: amount.atLeast,
      fundBy: momentOf(stage.fundBy, terms, place),
      after: stage.after ?? null,
      when: termOf(stage.when, terms, place),
      by: stage.by === undefined ? null : momentOf(stage.by, terms, place),
      pay: linesOf(stage.pay, terms),
      otherwise: otherwise === 'review' ? otherwise : linesOf(otherwise, terms),
      failsAlone: stage.failsAlone,
      objects: stage.objects,
    };
  });
}

type Part = TemplateStage['amount']['part'];

function amountOf(part: Part, of: { whole: Minor; place: number; times: number; others: () => Minor }): Minor {
  const { whole, place, times } = of;
  if (part === 'whole') return whole;
  if (part === 'rest') return whole - of.others();
  if (typeof part === 'object') return percentOf(whole, part.percent);
  const each = whole / BigInt(times);
  return place === times - 1 ? whole - each * BigInt(times - 1) : each;
}

/** What the other stages of the same amount take of it. */
function othersOf(stage: TemplateStage, template: Template, terms: DealTerms): Minor {
  const whole = terms.amounts[stage.amount.of] ?? 0n;
  let sum = 0n;
  for (const { amount, repeat } of template.stages) {
    if (amount.of !== stage.amount.of || amount.part === 'rest') continue;
    const times = repeat === undefined ? 1 : (terms.counts[repeat] ?? 1);
    for (let place = 0; place < times; place += 1) sum += amountOf(amount.part, { whole, place, times, others: () => 0n });
  }
  return sum;
}

/** Rounded down: what is lost stays with whoever takes the rest. */
const percentOf = (whole: Minor, rate: number): Minor => (whole * BigInt(rate)) / 10_000n;

/** What lines make of an amount, role by role. Exact: they add up to it. A fixed line takes at most what those before it left. */
export function takenBy(lines: readonly PlanLine[], whole: Minor): Map<string, Minor> {
  const taken = new Map<string, Minor>();
  let left = whole;
  const give = (to: string, amount: Minor) => {
    left -= amount;
    taken.set(to, (taken.get(to) ?? 0n) + amount);
  };
  for (const { to, take } of lines) {
    if (take === 'rest') continue;
    const wanted = 'fixed' in take ? take.fixed : percentOf(whole, take.percent);
    give(to, wanted < left ? wanted : left);
  }
  const rest = lines.find(({ take }) => take === 'rest');
  if (rest !== undefined) give(rest.to, left);
  return taken;
}

/** Shares of what goes back to several who paid: to each in proportion, and never more than he paid. */
export function sharesOf(total: Minor, paid: readonly Minor[]): Minor[] {
  return total === 0n ? paid.map(() => 0n) : allocate(total, paid);
}
