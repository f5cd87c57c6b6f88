import { CHANNELS, type ChannelCode, isCollecting, isOwnBank } from '../channels/index.js';
import { addDays, type Id, type Instant, type Minor, naturalDate, startOfDay } from '../kernel/index.js';
import { arrivalOf, type Hours, openState, type Window, windowsOf } from './hours.js';
import { type ChannelTerms, priceOf } from './terms.js';

/** Why a channel does not carry a payment: all that there is, and of several the first. */
export const ROUTE_REASONS = [
  'reach', // it does not get to the payee's bank, or leaves the bank for a payee who is there
  'refused-before', // it said definitely that it will not pay this one
  'below-minimum',
  'above-limit', // of one payment; nothing is split to slip under it
  'maintenance',
  'closed',
  'circuit-open', // it failed too often of late
  'not-now', // it did not take this one for a while, which is not over yet
  'capacity', // it has carried all that it carries in a day, or others of the batch save more there
  'float', // what the bank has there does not suffice, or others of the batch save more there
] as const;
export type RouteReason = (typeof ROUTE_REASONS)[number];

/** A payment that wants a channel. */
export interface Routable {
  readonly id: Id;
  /** Fen, above zero. */
  readonly amount: Minor;
  /** CNAPS code of the payee's bank, or '' for the custodian itself. */
  readonly bankCode: string;
  /** It brings money in from the payee's card. */
  readonly collects: boolean;
  readonly createdMs: Instant;
  /** The promised speed: the last moment at which it may reach its payee. */
  readonly arrivesBy?: Instant | null;
  /** Channels that definitely refused it. */
  readonly refusedBy?: readonly ChannelCode[];
  /** Channels that did not take it of late, and from when on each may be given it again. */
  readonly notNow?: ReadonlyMap<ChannelCode, Instant>;
}

/** What routing looks at, at one moment. */
export interface Position extends Hours {
  /** What the bank has free in each channel, fen; null: it needs none there. A paying channel that is not named has nothing. */
  readonly floats: ReadonlyMap<ChannelCode, Minor | null>;
  /** How many payments each channel took or is to take on this natural day. */
  readonly carried: ReadonlyMap<ChannelCode, number>;
  /** Until when nothing is sent over a channel because it fails. */
  readonly circuits: ReadonlyMap<ChannelCode, Instant>;
}

/** A channel as it stands at one moment, whatever the payment. */
export interface Standing {
  readonly channel: ChannelCode;
  readonly at: Instant;
  /** The first moment of the natural day after. */
  readonly tomorrow: Instant;
  /** In force now: those of the session that is open, else those of the natural day. */
  readonly terms: ChannelTerms;
  readonly limit: { readonly min: number; readonly max: number | null };
  readonly windows: readonly Window[];
  /** Why it carries nothing at this moment, whatever it is. */
  readonly shut: 'maintenance' | 'closed' | 'circuit-open' | undefined;
  readonly circuitUntil: Instant;
  readonly arrivesAt: Instant;
  readonly provisional: boolean;
  /** Payments that it still takes today; null: any number. */
  readonly room: number | null;
  /** Fen that are free there; null: it needs none. */
  readonly float: Minor | null;
  /** What is said of everyone whom it does not reach, made once: in a batch that is most of all answers. */
  readonly beyond: Judged;
}

/** What one channel would do with a payment: the cost in fen and the arrival if it may carry it; else why not, and when it may for all that is known. */
export type Judged =
  | {
      readonly channel: ChannelCode;
      readonly may: true;
      readonly cost: Minor;
      readonly arrivesAt: Instant;
      readonly provisional: boolean;
    }
  | { readonly channel: ChannelCode; readonly may: false; readonly why: RouteReason; readonly until: Instant | null };
export type Carrying = Judged & { readonly may: true };

/** Floats are topped up at any time: what waits for one is looked at again after this. */
const FLOAT_AGAIN_MS = 5 * 60_000;

/** The channels that have terms on this day, as they stand. */
export function standings(position: Position, at: Instant): Standing[] {
  return CHANNELS.flatMap((channel) => standingOf(position, channel, at) ?? []);
}

/** @returns undefined when the channel has no terms at this moment */
export function standingOf(position: Position, channel: ChannelCode, at: Instant): Standing | undefined {
  const windows = windowsOf(position, channel, at);
  const state = openState(position, channel, at, windows);
  const open = state === 'open' ? windows[0] : undefined;
  const terms = open?.terms ?? position.table.on(naturalDate(at), channel);
  if (terms === undefined) return undefined;
  const circuitUntil = position.circuits.get(channel) ?? at;
  const arrival = open && arrivalOf(position, windows);
  const unshut = circuitUntil > at ? 'circuit-open' : undefined;
  return {
    ...{ channel, at, terms, windows, circuitUntil, tomorrow: startOfDay(addDays(naturalDate(at), 1)) },
    limit: terms.limits[open?.dayType ?? windows[0]?.dayType ?? 'working'],
    // A channel whose next netting round nobody can foretell is as good as closed.
    shut: open === undefined ? (state === 'maintenance' ? state : 'closed') : arrival === undefined ? 'closed' : unshut,
    arrivesAt: arrival?.at ?? at,
    provisional: arrival?.provisional ?? false,
    room: terms.capacity === null ? null : Math.max(0, terms.capacity - (position.carried.get(channel) ?? 0)),
    float: isCollecting(channel) ? null : fromMap(position.floats, channel),
    beyond: { channel, may: false, why: 'reach', until: null },
  };
}

function fromMap(floats: Position['floats'], channel: ChannelCode): Minor | null {
  const float = floats.get(channel);
  return float === undefined ? 0n : float;
}

/** Whether a channel gets to the payee. Who banks with the custodian is paid in its own book and nowhere else. */
function reaches(
  { reach }: Pick<ChannelTerms, 'reach'>,
  { bankCode, collects }: Pick<Routable, 'bankCode' | 'collects'>,
): boolean {
  const own = isOwnBank(bankCode);
  if (own) return reach.payees === 'own-bank' || (collects && reach.payees === 'any');
  return reach.payees !== 'own-bank' && (reach.banks === undefined || reach.banks.includes(bankCode.slice(0, 3)));
}

/** Whether a channel may carry a payment at this moment, and for how much. */
export function judge(standing: Standing, payout: Routable): Judged {
  const { channel, terms, arrivesAt, provisional, beyond } = standing;
  const why = reasonAgainst(standing, payout);
  if (why === undefined) return { channel, may: true, cost: priceOf(terms, payout.amount), arrivesAt, provisional };
  return why === 'reach' ? beyond : { channel, may: false, why, until: earliest(standing, payout, why) };
}

function reasonAgainst(standing: Standing, payout: Routable): RouteReason | undefined {
  const { channel, at, terms, limit, shut, room, float } = standing;
  if (isCollecting(channel) !== payout.collects || !reaches(terms, payout)) return 'reach';
  if (payout.refusedBy?.includes(channel)) return 'refused-before';
  const size = Number(payout.amount);
  if (size < limit.min) return 'below-minimum';
  if (limit.max !== null && size > limit.max) return 'above-limit';
  if (shut !== undefined) return shut;
  if ((payout.notNow?.get(channel) ?? at) > at) return 'not-now';
  if (room === 0) return 'capacity';
  return float !== null && payout.amount > float ? 'float' : undefined;
}

/** The first moment at which, for all that is known now, a channel may carry what it cannot carry yet; null: never, or nobody can say. */
function earliest(
  { channel, at, tomorrow, windows, circuitUntil, room }: Standing,
  payout: Routable,
  why: RouteReason,
): Instant | null {
  if (why === 'reach' || why === 'refused-before') return null;
  const notBefore = payout.notNow?.get(channel) ?? at;
  const since = Math.max(circuitUntil, notBefore, room === 0 ? tomorrow : at, why === 'float' ? at + FLOAT_AGAIN_MS : at);
  const size = Number(payout.amount);
  const window = windows.find(({ last, terms, dayType }) => {
    const { min, max } = terms.limits[dayType];
    return last > since && size >= min && (max === null || size <= max);
  });
  return window === undefined ? null : (Math.max(window.from, since) as Instant);
}

/** A payment with its channel and why it is this one; or with none, and the first moment at which to try again (null: people must decide). */
export type Route = {
  /** Every other channel: why not, or what it would have cost. */
  readonly others: readonly Judged[];
} & (
  | {
      readonly channel: ChannelCode;
      /** Fen. */
      readonly cost: Minor;
      readonly arrivesAt: Instant;
      readonly provisional: boolean;
      /** Whether it arrives as promised; null when nothing was promised. */
      readonly promise: 'kept' | 'late' | null;
    }
  | { readonly channel: null; readonly tryAgainAt: Instant | null }
);

/**
 * Of the channels that may carry a payment those that serve it best, whatever they cost: all, when nothing was promised; those that keep the
 * promise; or, when none can, those by which it arrives first.
 */
export function timely<Option extends { readonly arrivesAt: Instant }>(
  may: readonly Option[],
  { arrivesBy }: Routable,
): readonly Option[] {
  if (arrivesBy === undefined || arrivesBy === null) return may;
  const kept = may.filter(({ arrivesAt }) => arrivesAt <= arrivesBy);
  if (kept.length > 0) return kept;
  const first = Math.min(...may.map(({ arrivesAt }) => arrivesAt));
  return may.filter(({ arrivesAt }) => arrivesAt === first);
}

/**
 * The route of one payment by itself: the cheapest of the channels that keep its promise, then the one by which it arrives sooner, then the
 * one that stands first. (For more than one payment see `routeBatch`: what is best for each is not best for all.)
 */
export function routeOne(payout: Routable, position: Position, at: Instant): Route {
  const judged = standings(position, at).map((standing) => judge(standing, payout));
  const may = judged.filter((one): one is Carrying => one.may);
  const best = timely(may, payout).reduce<Carrying | undefined>(
    (a, b) => (a === undefined || b.cost < a.cost || (b.cost === a.cost && b.arrivesAt < a.arrivesAt) ? b : a),
    undefined,
  );
  return routeBy(payout, best, judged);
}

/** The route of a payment whose channel is decided. */
export function routeBy({ arrivesBy }: Routable, chosen: Carrying | undefined, judged: readonly Judged[]): Route {
  if (chosen === undefined) {
    const times = judged.flatMap((one) => (one.may || one.until === null ? [] : [one.until]));
    return { channel: null, tryAgainAt: times.length === 0 ? null : (Math.min(...times) as Instant), others: judged };
  }
  const { channel, cost, arrivesAt, provisional } = chosen;
  const promise = arrivesBy === undefined || arrivesBy === null ? null : arrivesAt <= arrivesBy ? 'kept' : 'late';
  return { channel, cost, arrivesAt, provisional, promise, others: judged.filter((one) => one.channel !== channel) };
}
