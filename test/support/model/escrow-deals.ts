import type { Template } from '../../../src/escrow/template.js';
import type { Given } from '../given.js';

/** What a deal of the plain bank is, and the plain arithmetic of its template's moments and amounts. */
export type Condition = Template['stages'][number]['when'];
type Line = Template['stages'][number]['pay'][number];
type Moment = Template['stages'][number]['fundBy'];

export interface ModelDealTerms {
  readonly template: string;
  /** By role: the account, '' without one. */
  readonly parties: Readonly<Record<string, string>>;
  readonly amounts: Readonly<Record<string, bigint>>;
  readonly dates: Readonly<Record<string, string>>;
  readonly counts: Readonly<Record<string, number>>;
}

export interface ModelStage {
  readonly key: string;
  readonly place: number;
  readonly of: Template['stages'][number];
  readonly amount: bigint;
  /** By order. */
  readonly paid: Map<string, bigint>;
  fundedAt: number | undefined;
  end: { how: string; at: number } | undefined;
}

export interface ModelDeal {
  readonly id: string;
  readonly platform: string;
  readonly terms: ModelDealTerms;
  readonly template: Template;
  readonly stages: ModelStage[];
  readonly opened: number;
  readonly said: { item: string; role: string; by: string; at: number }[];
  /** Null: what the condition leaves to the bank is so. */
  readonly decided: { item: string; lines: { to: string; amount: bigint | 'rest' }[] | null; at: number }[];
  /** By order: what goes back to its payer, and what of that was sent on its way. */
  readonly back: Map<string, { all: bigint; sent: bigint }>;
  /** Refused instructions of the system are given again so much later. */
  notBefore: number;
}

/** What of the plain bank deals use. */
export interface EscrowHands {
  now(): number;
  no(code: string): never;
  /** By its number. */
  order(given: Given, orderNo: string): { account: string; refunded: bigint; split: bigint } | undefined;
  free(account: string): { claimed: bigint; there: bigint };
  fundOutside(given: Given, orderNo: string): void;
  fundInside(given: Given, orderNo: string): void;
  checkFrom(given: Given): void;
  isMerchant(account: string): boolean;
  /** It is closed, or being closed. */
  isEnding(account: string): boolean;
  isCommission(platform: string, account: string): boolean;
  /** Why an account of a platform whose orders need agreements is not paid. */
  lacksAgreement(platform: string, account: string): string | undefined;
  release(
    given: Given,
    of: { takes: { orderNo: string; amount: bigint }[]; gives: Map<string, bigint>; shares: [string, string, bigint][] },
  ): void;
  refund(given: Given, orderNo: string, amount: bigint): void;
}

export const DAY = 86_400_000;
export const sum = (amounts: Iterable<bigint>) => [...amounts].reduce((total, amount) => total + amount, 0n);
export const bare = (wire: string) => wire.slice(4);
const startOf = (date: string) => Date.parse(`${date}T00:00:00+08:00`);
const dayOf = (at: number) => new Date(at + 8 * 3_600_000).toISOString().slice(0, 10);

export interface ModelEnding {
  readonly how: string;
  readonly at: number;
  readonly lines: readonly ModelLine[];
}

export interface ModelLine {
  readonly to: string;
  readonly take: Line['take'] | bigint;
}

export function moment(deal: Pick<ModelDeal, 'terms'>, { date, days = 0, step }: Moment, place: number): number {
  const first = new Date(`${deal.terms.dates[date]}T00:00:00Z`);
  if (step === 'month' && place > 0) {
    const day = first.getUTCDate();
    first.setUTCDate(1);
    first.setUTCMonth(first.getUTCMonth() + place);
    const last = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate();
    first.setUTCDate(day < last ? day : last);
  }
  return startOf(first.toISOString().slice(0, 10)) + days * DAY;
}

export function amountOf(template: Template, terms: ModelDealTerms, of: ModelStage['of'], place: number): bigint {
  const whole = terms.amounts[of.amount.of] ?? 0n;
  const { part } = of.amount;
  if (part === 'whole') return whole;
  if (part === 'equal') {
    const times = terms.counts[of.repeat as string] as number;
    const each = whole / BigInt(times);
    return place < times - 1 ? each : whole - each * BigInt(times - 1);
  }
  if (part !== 'rest') return (whole * BigInt(part.percent)) / 10_000n;
  const others = template.stages.filter((stage) => stage.amount.of === of.amount.of && stage !== of);
  return whole - sum(others.map((stage) => amountOf(template, terms, stage, 0)));
}

export function divide(deal: ModelDeal, lines: readonly ModelLine[], whole: bigint): Map<string, bigint> {
  const gets = new Map<string, bigint>();
  let left = whole;
  const give = (to: string, amount: bigint) => {
    gets.set(to, (gets.get(to) ?? 0n) + amount);
    left -= amount;
  };
  for (const { to, take } of lines) {
    if (take === 'rest') continue;
    const wanted =
      typeof take === 'bigint'
        ? take
        : 'percent' in take
          ? (whole * BigInt(take.percent)) / 10_000n
          : (deal.terms.amounts[take.fixed] as bigint);
    give(to, wanted < left ? wanted : left);
  }
  give(lines.find(({ take }) => take === 'rest')?.to as string, left);
  return gets;
}

/** Largest remainders first, the earlier of two alike first. */
export function proportional(total: bigint, weights: readonly bigint[]): bigint[] {
  const all = sum(weights);
  if (total === 0n || all === 0n) return weights.map(() => 0n);
  const parts = weights.map((weight) => (total * weight) / all);
  const order = weights
    .map((weight, place) => [(total * weight) % all, place] as const)
    .sort((a, b) => (a[0] === b[0] ? a[1] - b[1] : a[0] > b[0] ? -1 : 1));
  let left = total - sum(parts);
  for (const [, place] of order) {
    if (left === 0n) break;
    parts[place] = (parts[place] as bigint) + 1n;
    left -= 1n;
  }
  return parts;
}

export function rowOf(deal: ModelDeal, { rows, before }: Template['exits'][number], at: number): readonly Line[] {
  if (before === undefined) return rows[0]?.pay ?? [];
  const days = Math.round((startOf(deal.terms.dates[before] as string) - startOf(dayOf(at))) / DAY);
  return (rows.find((row) => days >= row.days) ?? rows.at(-1))?.pay ?? [];
}

export function rolesIn(of: Condition): string[] {
  if ('confirmed' in of) return [...of.confirmed];
  if ('since' in of) return of.since === 'open' ? [] : rolesIn(of.since);
  if ('all' in of) return of.all.flatMap(rolesIn);
  return 'any' in of ? of.any.flatMap(rolesIn) : [];
}

export function datesIn(of: Condition): Moment[] {
  if ('date' in of) return [of];
  if ('since' in of) return of.since === 'open' ? [] : datesIn(of.since);
  if ('all' in of) return of.all.flatMap(datesIn);
  return 'any' in of ? of.any.flatMap(datesIn) : [];
}

export function daysIn(of: Condition): number[] {
  if ('since' in of) return [of.days, ...(of.since === 'open' ? [] : daysIn(of.since))];
  if ('all' in of) return of.all.flatMap(daysIn);
  return 'any' in of ? of.any.flatMap(daysIn) : [];
}
