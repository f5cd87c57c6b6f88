import type { ChannelCode } from '../channels/index.js';
import type { Instant, Minor } from '../kernel/index.js';
import { type Assignment, type AssignOptions, assign, type Bid } from './assign.js';
import {
  type Carrying,
  type Judged,
  judge,
  type Position,
  type Routable,
  type Route,
  routeBy,
  type Standing,
  standings,
  timely,
} from './rules.js';

/** The routes of a batch, in the order of its payouts, and how good they are together; see `assign`. Fen. */
export interface BatchRoutes extends Omit<Assignment, 'places'> {
  readonly routes: readonly Route[];
}

/**
 * The cheapest routes of a whole batch under the floats and capacities of the channels, each payout whole on one channel. A channel that
 * would carry a payout for less than the one it got has given its float or its places to others, who save more there; the route says which.
 */
export function routeBatch(payouts: readonly Routable[], position: Position, at: Instant, options?: AssignOptions): BatchRoutes {
  const channels = standings(position, at);
  const place = new Map(channels.map(({ channel }, of) => [channel, of]));
  const oldestFirst = payouts
    .map((payout, of) => ({ payout, of }))
    .sort((a, b) => a.payout.createdMs - b.payout.createdMs || (a.payout.id < b.payout.id ? -1 : 1));
  const judged = oldestFirst.map(({ payout }) => channels.map((standing) => judge(standing, payout)));
  const bids = oldestFirst.map(({ payout }, i) => bidOf(payout, judged[i] as Judged[], place));
  const { places, ...outcome } = assign(
    channels.map(({ float, room }) => ({ float, capacity: room })),
    bids,
    options,
  );
  const left = leftOf(channels, bids, places);
  const routes: Route[] = new Array(payouts.length);
  for (const [i, { payout, of }] of oldestFirst.entries()) {
    const all = judged[i] as Judged[];
    const chosen = all.find((one): one is Carrying => one.may && place.get(one.channel) === places[i]);
    routes[of] = routeBy(
      payout,
      chosen,
      all.map((one) => takenByOthers(one, chosen, payout, channels, left, place)),
    );
  }
  return { routes, ...outcome };
}

function bidOf(payout: Routable, judged: readonly Judged[], place: ReadonlyMap<ChannelCode, number>): Bid {
  const may = judged.filter((one): one is Carrying => one.may);
  const inTime = timely(may, payout);
  const options = may.map((one) => ({ place: place.get(one.channel) as number, cost: one.cost, late: !inTime.includes(one) }));
  return { amount: payout.amount, options };
}

interface Left {
  float: Minor | null;
  room: number | null;
}

function leftOf(channels: readonly Standing[], bids: readonly Bid[], places: Assignment['places']): Left[] {
  const left: Left[] = channels.map(({ float, room }) => ({ float, room }));
  for (const [i, at] of places.entries()) {
    const of = at === null ? undefined : left[at];
    if (of === undefined) continue;
    if (of.float !== null) of.float -= (bids[i] as Bid).amount;
    if (of.room !== null) of.room -= 1;
  }
  return left;
}

/** What others of the batch took before a payout that would have been served better there. */
function takenByOthers(
  one: Judged,
  chosen: Carrying | undefined,
  payout: Routable,
  channels: readonly Standing[],
  left: readonly Left[],
  place: ReadonlyMap<ChannelCode, number>,
): Judged {
  if (!one.may || one === chosen || (chosen !== undefined && one.cost >= chosen.cost)) return one;
  const at = place.get(one.channel) as number;
  const { float, room } = left[at] as Left;
  const why = room === 0 ? 'capacity' : float !== null && float < payout.amount ? 'float' : undefined;
  return why === undefined ? one : judgedFull(channels[at] as Standing, payout, why);
}

function judgedFull(standing: Standing, payout: Routable, why: 'capacity' | 'float'): Judged {
  const full = why === 'capacity' ? { ...standing, room: 0 } : { ...standing, float: 0n };
  return judge(full, payout);
}

/** A batch as it was routed, or would have been. Fen. */
export interface WhatIfSide extends Omit<BatchRoutes, 'routes'> {
  /** By channel; what waits under null. */
  readonly channels: readonly {
    readonly channel: ChannelCode | null;
    readonly count: number;
    readonly amount: Minor;
    readonly cost: Minor;
  }[];
}

/** What other terms or floats would have done to a batch. */
export interface WhatIf {
  readonly before: WhatIfSide;
  readonly after: WhatIfSide;
  /** After less before, fen. */
  readonly costDifference: Minor;
  /** The payouts that would have gone elsewhere, by where from and where to; null: waiting. */
  readonly moved: readonly {
    readonly from: ChannelCode | null;
    readonly to: ChannelCode | null;
    readonly count: number;
    readonly amount: Minor;
  }[];
}

/**
 * Routes a past batch twice, as it stood and as it would stand under other terms, floats or outages, and tells the difference. Both sides
 * are computed, so that what differs is what was changed and not what happened to be known on the day.
 */
export function whatIf(payouts: readonly Routable[], at: Instant, before: Position, after: Position): WhatIf {
  const [was, would] = [routeBatch(payouts, before, at), routeBatch(payouts, after, at)];
  const moved = new Map<string, { from: ChannelCode | null; to: ChannelCode | null; count: number; amount: Minor }>();
  for (const [i, { amount }] of payouts.entries()) {
    const [from, to] = [was.routes[i]?.channel ?? null, would.routes[i]?.channel ?? null];
    if (from === to) continue;
    const known = moved.get(`${from} ${to}`) ?? { from, to, count: 0, amount: 0n };
    moved.set(`${from} ${to}`, { ...known, count: known.count + 1, amount: known.amount + amount });
  }
  return {
    before: sideOf(payouts, was),
    after: sideOf(payouts, would),
    costDifference: would.cost - was.cost,
    moved: [...moved.values()].sort((a, b) => b.count - a.count || `${a.from} ${a.to}`.localeCompare(`${b.from} ${b.to}`)),
  };
}

function sideOf(payouts: readonly Routable[], { routes, ...outcome }: BatchRoutes): WhatIfSide {
  const channels = new Map<ChannelCode | null, { count: number; amount: Minor; cost: Minor }>();
  for (const [i, route] of routes.entries()) {
    const sum = channels.get(route.channel) ?? { count: 0, amount: 0n, cost: 0n };
    const cost = route.channel === null ? 0n : route.cost;
    channels.set(route.channel, {
      count: sum.count + 1,
      amount: sum.amount + (payouts[i] as Routable).amount,
      cost: sum.cost + cost,
    });
  }
  return { ...outcome, channels: [...channels].map(([channel, sums]) => ({ channel, ...sums })) };
}
