import { z } from 'zod';
import { CHANNELS, type ChannelCode } from '../channels/index.js';
import { type BusinessDate, type Id, type Instant, type Minor, WIRE_MAX } from '../kernel/index.js';

const timeOfDay = z
  .string()
  .regex(/^(?:[01][0-9]|2[0-3]):[0-5][0-9]$/, { error: 'must be a time of day like 17:15' })
  .meta({ description: 'Asia/Shanghai', example: '17:15' });
const fen = z.int().min(0).max(Number(WIRE_MAX)).meta({ description: 'Fen' });

const tierSchema = z
  .strictObject({
    upTo: fen
      .nullable()
      .meta({ description: 'Fen; the tier is for amounts up to this one. null: for all above the tier before' }),
    fee: fen,
    perMillion: z
      .int()
      .min(1)
      .max(1_000_000)
      .optional()
      .meta({ description: 'Parts of the amount in a million, on top of the fee' }),
    least: fen.optional().meta({ description: 'Fen; the share is at least this' }),
    most: fen.optional().meta({ description: 'Fen; the share is at most this' }),
  })
  .refine(({ least, most }) => least === undefined || most === undefined || least <= most, { error: 'least is above most' })
  .refine(({ perMillion, least, most }) => perMillion !== undefined || (least === undefined && most === undefined), {
    error: 'least and most are of a share',
  });

const limitSchema = z
  .strictObject({ min: fen, max: fen.nullable().meta({ description: 'Fen; null: no maximum' }) })
  .refine(({ min, max }) => max === null || min <= max, { error: 'min is above max' });

/** The terms of a channel as they are stored and as people write them: amounts are integers of fen. */
export const termsSchema = z
  .strictObject({
    reach: z.strictObject({
      payees: z.enum(['own-bank', 'other-banks', 'any']),
      banks: z
        .array(z.string().regex(/^[0-9]{3}$/, { error: 'must be the first three digits of a bank code' }))
        .min(1)
        .max(999)
        .optional()
        .meta({ description: 'Only these of the other banks, by the first three digits of their code' }),
    }),
    hours: z
      .discriminatedUnion('open', [
        z.strictObject({ open: z.literal('always') }),
        z.strictObject({
          open: z.literal('working-days'),
          from: timeOfDay,
          fromDay: z.enum(['day-before', 'same-day']).meta({ description: 'Whether it opens on the natural day before' }),
          to: timeOfDay,
        }),
      ])
      .refine((hours) => hours.open === 'always' || hours.fromDay === 'day-before' || hours.from < hours.to, {
        error: 'closes before it opens',
      }),
    rounds: z
      .array(timeOfDay)
      .max(288)
      .refine((rounds) => rounds.every((round, at) => at === 0 || (rounds[at - 1] as string) < round), { error: 'must rise' })
      .meta({ description: 'Netting rounds of a natural day; none: real time' }),
    arrives: z.int().min(0).max(864_000).meta({ description: 'Seconds after it was sent or, with rounds, after its round' }),
    limits: z.strictObject({ working: limitSchema, off: limitSchema }).meta({ description: 'Of one payment, by day type' }),
    price: z
      .array(tierSchema)
      .min(1)
      .max(50)
      .refine((tiers) => tiers.every(({ upTo }, at) => (upTo === null) === (at === tiers.length - 1)), {
        error: 'the last tier, and no other, has no end',
      })
      .refine((tiers) => tiers.slice(1, -1).every(({ upTo }, at) => Number(tiers[at]?.upTo) < Number(upTo)), {
        error: 'must rise',
      }),
    margin: z
      .int()
      .min(0)
      .max(3_600)
      .optional()
      .meta({ description: 'Seconds before it closes in which nothing new is given to it; absent: none' }),
    capacity: z
      .int()
      .min(0)
      .max(1_000_000_000)
      .nullable()
      .meta({ description: 'Payments of a natural day; null: as many as there are' }),
  })
  .meta({ id: 'ChannelTerms', description: 'What a channel carries, when, and for how much' });
export type ChannelTerms = z.output<typeof termsSchema>;
export type PriceTier = ChannelTerms['price'][number];

export type DayType = keyof ChannelTerms['limits'];

/** Terms of a channel from a natural day on, until its next row. */
export interface TermsRow {
  readonly channel: ChannelCode;
  readonly validFrom: BusinessDate;
  readonly terms: ChannelTerms;
  /** The document that says so. */
  readonly source: string;
}

/** A channel is down (maintenance, or a failure that people know of) from a moment on, up to but without another; null: until somebody says. */
export interface Outage {
  readonly id: Id;
  readonly channel: ChannelCode;
  readonly fromMs: Instant;
  readonly toMs: Instant | null;
  readonly reason: string;
}

/** All that is known of channels, past and to come; read whole, since it is small. */
export interface ChannelTable {
  /** The terms in force on a natural day. */
  on(date: BusinessDate, channel: ChannelCode): ChannelTerms | undefined;
  /** Of a channel, by the time at which they begin. */
  outages(channel: ChannelCode): readonly Outage[];
  /** By channel and date. */
  readonly rows: readonly TermsRow[];
}

export function channelTable(rows: readonly TermsRow[], outages: readonly Outage[]): ChannelTable {
  const sorted = [...rows].sort(
    (a, b) => CHANNELS.indexOf(a.channel) - CHANNELS.indexOf(b.channel) || (a.validFrom < b.validFrom ? -1 : 1),
  );
  const terms = new Map<ChannelCode, TermsRow[]>(CHANNELS.map((channel) => [channel, []]));
  for (const row of sorted) terms.get(row.channel)?.push(row);
  const down = new Map<ChannelCode, Outage[]>(CHANNELS.map((channel) => [channel, []]));
  for (const outage of [...outages].sort((a, b) => a.fromMs - b.fromMs)) down.get(outage.channel)?.push(outage);
  return {
    rows: sorted,
    on: (date, channel) => terms.get(channel)?.findLast(({ validFrom }) => validFrom <= date)?.terms,
    outages: (channel) => down.get(channel) ?? [],
  };
}

/**
 * What one payment costs on a channel, by the tier that its amount is in: its fee, and where it has one its share of the amount, rounded half up
 * to a fen and held between least and most.
 * @param amount fen @returns fen
 */
export function priceOf(terms: Pick<ChannelTerms, 'price'>, amount: Minor): Minor {
  // Reached by every payout of a batch on every channel, so the tiers are compared as numbers; amounts are below 2^53.
  const size = Number(amount);
  const tier = terms.price.find(({ upTo }) => upTo === null || size <= upTo) as PriceTier;
  if (tier.perMillion === undefined) return BigInt(tier.fee);
  const share = (amount * BigInt(tier.perMillion) + 500_000n) / 1_000_000n;
  const least = BigInt(tier.least ?? 0);
  const most = BigInt(tier.most ?? WIRE_MAX);
  return BigInt(tier.fee) + (share < least ? least : share > most ? most : share);
}
