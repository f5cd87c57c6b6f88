import { z } from 'zod';
import { canonicalJson, toWire, WIRE_MAX } from '../kernel/index.js';
import { wireId } from '../runtime/index.js';
import type { Level, Line, Receiver, SplitRule, Take } from './rules.js';
import { CYCLES, DESTINATIONS, type PayoutTerms, SETTLED_AS_BOUND, type Terms } from './terms.js';

/** How terms and split rules look on the wire. What fits together is our rule, with codes of its own; this is the shape alone. */

const LINES_MAX = 60;
const LEVELS_MAX = 20;
const TIERS_MAX = 20;
const CATEGORIES_MAX = 200;

const minorUnits = z.int({ error: 'must be a JSON integer of minor units' }).min(0).max(Number(WIRE_MAX));
const fen = minorUnits.transform(BigInt).meta({ description: 'Minor units (fen)' });
// The default stands before the bigint: the document of the API cannot hold one.
const fenOrNone = minorUnits.default(0).transform(BigInt);
const basisPoints = z
  .int()
  .min(0)
  .max(10_000)
  .transform(BigInt)
  .meta({ description: 'Basis points: 10000 is all', example: 1000 });
const base = z
  .enum(['whole', 'goods'])
  .default('whole')
  .meta({ description: 'whole: all that the level divides. goods: the price without freight, on the level order alone' });
const levelName = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, { error: 'must begin with a letter and be 1 to 32 of a–z 0–9 -' });

const receiver = z
  .union([z.enum(['seller', 'commission']), z.strictObject({ account: wireId('account') })])
  .meta({ id: 'SplitReceiver', description: "The item's seller, the platform's commission account, or another sub-merchant" });

const take = z.union([
  z.strictObject({ percent: basisPoints, of: base }),
  z.strictObject({ fixed: fen }),
  z.strictObject({
    tiers: z
      .array(z.strictObject({ upTo: fen.nullable(), percent: basisPoints }))
      .min(1)
      .max(TIERS_MAX)
      .meta({ description: 'A staircase: each rate is that of what lies above the step before; the last step has no end' }),
    of: base,
  }),
]);

const line = z.strictObject({
  to: z
    .union([receiver, z.strictObject({ level: levelName })])
    .meta({ description: 'A level divides what it is handed by its own lines' }),
  take,
  min: fen.nullable().default(null),
  max: fen.nullable().default(null),
  rounding: z.enum(['half-up', 'down']).default('half-up'),
});

const level = z.strictObject({
  lines: z.array(line).max(LINES_MAX),
  remainder: receiver.meta({ description: 'Gets what the lines leave, the last fen of every rounding with it' }),
});

export const ruleSchema = z
  .strictObject({
    levels: z
      .record(levelName, level)
      .refine((levels) => Object.keys(levels).length <= LEVELS_MAX, { error: `must have at most ${LEVELS_MAX} levels` })
      .meta({ description: 'By name; `order` divides the item' }),
  })
  .meta({ id: 'SplitRule', description: 'Lines take in their order, never more than is left; the remainder is the rest' });

const category = z.string().regex(/^[a-z0-9-]{1,32}$/, { error: 'must be the code of a category of goods' });
const categories = z
  .array(category)
  .max(CATEGORIES_MAX)
  .refine((list) => new Set(list).size === list.length, { error: 'must not repeat a category' })
  .default([]);
const cap = fen.nullable().default(null);

const payoutSchema = z
  .strictObject({
    day: z
      .int()
      .min(1)
      .max(31)
      .nullable()
      .default(null)
      .meta({ description: 'Of weekly: 1 Monday to 7 Sunday; of monthly: 1 to 31, the last day of a shorter month' }),
    holdBackDays: z.int().min(0).max(366).default(0).meta({ description: 'Natural days that come before the cycle' }),
    minimum: fenOrNone.meta({ description: 'Less than this is not paid and waits' }),
    merge: z.boolean().default(true).meta({ description: 'false: one payout for each business date of the credits' }),
    to: z.enum(DESTINATIONS).default('bound').meta({
      description: 'The bound account wherever it is, only at this bank, only at another, or none: it stays on the sub-account',
    }),
    fee: z
      .strictObject({ fixed: fenOrNone, percent: z.int().min(0).max(10_000).default(0).transform(BigInt) })
      .prefault({})
      .meta({ description: 'Of each payout, out of the same money, never above feeMax; percent in basis points' }),
  })
  .meta({ id: 'PayoutTerms', description: 'How the seller is paid when he is paid' });

export const termsSchema = z
  .strictObject({
    rule: ruleSchema,
    othersCap: basisPoints.meta({ description: 'The most that others than the seller get of an item, the platform with them' }),
    profitMax: basisPoints.meta({ description: "The most of an item that is the platform's own" }),
    feeMax: cap.meta({ description: 'The most of one fee, 0: none; null: what the bank agreed with the platform for all' }),
    orderMax: cap.meta({ description: "The most of the seller's items in one order" }),
    volume: z
      .strictObject({ day: cap, month: cap })
      .default({ day: null, month: null })
      .meta({ description: "The most of the seller's items in a business day and in a month" }),
    cycle: z.enum(CYCLES).meta({ description: 'When the seller is paid: D counts natural days, T working days' }),
    cycleDays: z.int().min(0).max(366).nullable().default(null).meta({ description: 'N of T+N, 2 to 30' }),
    payout: payoutSchema.prefault({}),
    refund: z
      .enum(['pro-rata', 'by-rule'])
      .default('pro-rata')
      .meta({ description: 'Who gives back after a split: all in proportion, or those named by the platform with the refund' }),
    reserve: fenOrNone.meta({ description: "What stays on the seller's account when he is paid" }),
    categories: categories.meta({ description: 'Categories of goods that may be sold; none: all' }),
    forbidden: categories.meta({ description: 'Categories that may not' }),
  })
  .meta({ id: 'AgreementTerms' });

/** Terms as JSON: the wire form again, with every default in its place. What is stored, hashed and answered. */
export function showTerms(terms: Terms): z.input<typeof termsSchema> {
  const number = (amount: bigint | null) => (amount === null ? null : Number(amount));
  return {
    rule: showRule(terms.rule),
    othersCap: Number(terms.othersCap),
    profitMax: Number(terms.profitMax),
    feeMax: number(terms.feeMax),
    orderMax: number(terms.orderMax),
    volume: { day: number(terms.volume.day), month: number(terms.volume.month) },
    cycle: terms.cycle,
    cycleDays: terms.cycleDays,
    payout: showPayout(terms.payout),
    refund: terms.refund,
    reserve: Number(terms.reserve),
    categories: [...terms.categories],
    forbidden: [...terms.forbidden],
  };
}

function showPayout({ minimum, fee, ...rest }: PayoutTerms): z.input<typeof payoutSchema> {
  return { ...rest, minimum: Number(minimum), fee: { fixed: Number(fee.fixed), percent: Number(fee.percent) } };
}

/** Terms as they are kept and hashed: of how a seller is paid only what is not the rule, as it was before one could say it. */
export function storedTerms(terms: Terms): z.input<typeof termsSchema> {
  const { payout, ...rest } = showTerms(terms);
  const isRule = canonicalJson(payout) === canonicalJson(showPayout(SETTLED_AS_BOUND));
  return isRule ? rest : { ...rest, payout };
}

function showRule({ levels }: SplitRule): z.input<typeof ruleSchema> {
  const shown = Object.entries(levels).map(([name, { lines, remainder }]: [string, Level]) => [
    name,
    { lines: lines.map(showLine), remainder: showReceiver(remainder) },
  ]);
  return { levels: Object.fromEntries(shown) };
}

function showReceiver(to: Receiver) {
  return typeof to === 'string' ? to : { account: toWire('account', to.account) };
}

function showLine({ to, take: asked, min, max, rounding }: Line): z.input<typeof line> {
  const bound = (amount: bigint | null) => (amount === null ? null : Number(amount));
  return {
    to: typeof to === 'object' && 'level' in to ? to : showReceiver(to),
    take: showTake(asked),
    min: bound(min),
    max: bound(max),
    rounding,
  };
}

function showTake(asked: Take): z.input<typeof take> {
  if ('fixed' in asked) return { fixed: Number(asked.fixed) };
  if ('percent' in asked) return { percent: Number(asked.percent), of: asked.of };
  const tiers = asked.tiers.map(({ upTo, percent }) => ({
    upTo: upTo === null ? null : Number(upTo),
    percent: Number(percent),
  }));
  return { tiers, of: asked.of };
}

/** Terms that were stored. */
export function readTerms(json: string): Terms {
  return termsSchema.parse(JSON.parse(json));
}
