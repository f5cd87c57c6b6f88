import { type ChannelCode, hasFloat } from '../../channels/index.js';
import { type Id, type Instant, naturalDate } from '../../kernel/index.js';
import {
  type Bare,
  bareInScope,
  chooseChannel,
  keepWaiting,
  type Payout,
  type PayoutPurpose,
  takeBack,
} from '../../payouts/index.js';
import { type Routable, type Route, routeBatch, standingOf } from '../../routing/index.js';
import { isDuplicateKey, type Tx } from '../../runtime/index.js';
import { type Desk, type Directive, decideNow, unsentDirective } from '../desk.js';
import { floatsNow, freeOf } from '../floats/floats.js';
import { reserve, takeFloats } from '../floats/store.js';
import { channelOf, groupBy } from '../rules.js';
import { type Situation, showPosition, situationNow } from './situation.js';
import { addCarried, endAttempts, findPlan, insertAttempts, insertPlan, type Plan } from './store.js';

/** Which payouts are to be sent. */
export interface SendScope {
  readonly shardId: number;
  readonly platformId?: Id;
  readonly purposes?: readonly PayoutPurpose[];
  /** Only those that waited for a channel before, or that one turned away. */
  readonly again?: boolean;
}

/**
 * As many are routed together; more go in several batches. This many hold some 40 MB while they are planned, 100,000 hold 160 to 210; a worker
 * has 320 MB, and plans up to four shards at once.
 */
const PLAN_MAX = 25_000;
const CHUNK = 2_000;
const TRIES_MAX = 10;
/** What waits and nobody can say for how long is looked at again after this. */
const LOOK_AGAIN_MS = 3_600_000;

/** Why a channel will not carry a payout on any day. */
const NEVER: ReadonlySet<string> = new Set(['reach', 'refused-before', 'above-limit', 'below-minimum']);

/** A payout of a batch with what routing made of it. */
type RouteOf = Route & { readonly payout: Routable };
type Carried = RouteOf & { readonly channel: ChannelCode };

/** The floats, the capacities or the payouts are not as they were looked at. */
class Overtaken extends Error {}

/**
 * Gives every payout that is to be sent a channel: the cheapest way for all of them together, under what the channels have left. What no
 * channel can carry now waits until one may; what every channel that reaches its payee has turned away has failed.
 */
export async function planDue(desk: Desk, scope: SendScope, collectedSince: Instant): Promise<void> {
  const { db, clock } = desk.rt;
  for (let tries = 0; ; ) {
    const wanted = await db.read('payouts-to-route', async (tx) => {
      const all = { ...scope, states: ['created'], routed: false, dueMs: clock.now(), mayLeave: true, collectedSince } as const;
      return bareInScope(tx, all, PLAN_MAX);
    });
    if (wanted.length === 0) return;
    try {
      await planBatch(desk, scope.shardId, wanted);
      if (wanted.length < PLAN_MAX) return;
    } catch (error) {
      tries += 1;
      if (!(error instanceof Overtaken) || tries >= TRIES_MAX) throw error;
    }
  }
}

/** The payouts that are planned together. */
interface Batch extends Pick<Situation, 'before'> {
  readonly shardId: number;
  readonly wanted: ReadonlyMap<Id, Bare>;
}

async function planBatch(desk: Desk, shardId: number, wanted: readonly Bare[]): Promise<void> {
  const { rt } = desk;
  const floats = await floatsNow(desk);
  const { atMs, position, payouts, before } = await rt.db.read('situation', (tx) => situationNow(tx, rt, wanted, floats));
  const batch: Batch = { shardId, wanted: new Map(wanted.map((payout) => [payout.id, payout])), before };
  const routed = routeBatch(payouts, position, atMs);
  const routes = routed.routes.map((route, place): RouteOf => ({ ...route, payout: payouts[place] as Routable }));
  const [carried, rest] = partition(routes, isCarried);
  const [hopeless, waiting] = partition(rest, isHopeless);
  const plan: Plan = {
    ...{ id: rt.newId(), atMs, payouts: carried.length, waiting: waiting.length, cost: routed.cost, bound: routed.bound },
    position: showPosition(position),
  };
  await rt.db.withTx(
    'plan-payouts',
    async (tx) => {
      const free = freeOf(await takeFloats(tx, atMs));
      if (carried.length > 0) await insertPlan(tx, plan);
      for (const [channel, group] of groupBy(carried, (route) => route.channel)) {
        const amount = group.reduce((total, { payout }) => total + payout.amount, 0n);
        if (hasFloat(channel) && (free.get(channel) ?? 0n) < amount) throw new Overtaken('the float was taken by others');
        await give(tx, channel, group, plan.id, batch);
        await reserve(tx, channel, amount);
        // Written first and then looked at: whoever else gives it payouts on that day waits for this commit.
        const carried = await addCarried(tx, naturalDate(atMs), channel, group.length);
        const capacity = standingOf(position, channel, atMs)?.terms.capacity ?? null;
        if (capacity !== null && carried > capacity) throw new Overtaken('others gave it what it carries in a day');
      }
      await putToWait(tx, waiting, atMs);
      return true;
    },
    async () => ((await rt.db.read('planned', (tx) => findPlan(tx, plan.id))) === undefined ? undefined : true),
  );
  await decideNow(
    desk,
    hopeless.map(({ payout }) => hopelessDirective(batch, payout.id)),
  );
}

async function give(tx: Tx, channel: ChannelCode, routes: readonly Carried[], planId: Id, { before }: Batch): Promise<void> {
  for (let from = 0; from < routes.length; from += CHUNK) {
    const chunk = routes.slice(from, from + CHUNK);
    const ids = chunk.map(({ payout }) => payout.id);
    if ((await chooseChannel(tx, ids, channel)) !== ids.length) throw new Overtaken('a payout was routed or ended by others');
    const rows = chunk.map(({ payout, cost, arrivesAt, provisional }) => {
      const attempt = (before.get(payout.id)?.length ?? 0) + 1;
      return { payoutId: payout.id, attempt, planId, channel, cost, arrivesMs: arrivesAt, provisional };
    });
    try {
      await insertAttempts(tx, rows, hasFloat(channel));
    } catch (error) {
      // Given to a channel and taken back again since it was looked at: it is free as before, and its next attempt is another one.
      if (isDuplicateKey(error)) throw new Overtaken('a payout was given to a channel and taken back meanwhile');
      throw error;
    }
  }
}

async function putToWait(tx: Tx, waiting: readonly RouteOf[], atMs: Instant): Promise<void> {
  const groups = groupBy(waiting, (route) =>
    JSON.stringify([route.channel === null ? route.tryAgainAt : null, whyWaiting(route)]),
  );
  for (const group of groups.values()) {
    const first = group[0] as RouteOf;
    const tryAgainAt = first.channel === null ? first.tryAgainAt : null;
    const nextMs = Math.max(tryAgainAt ?? atMs + LOOK_AGAIN_MS, atMs + 1) as Instant;
    for (let from = 0; from < group.length; from += CHUNK) {
      const ids = group.slice(from, from + CHUNK).map(({ payout }) => payout.id);
      await keepWaiting(tx, ids, nextMs, whyWaiting(first));
    }
  }
}

/** What stands in the way on the channels that reach the payee, in few words. */
function whyWaiting({ others }: RouteOf): string[] {
  return others.flatMap((other) => (other.may || other.why === 'reach' ? [] : [`${other.channel}: ${other.why}`]));
}

/** Some channel turned it away for good, and there is no other that will ever take it. */
function isHopeless({ others }: RouteOf): boolean {
  // A channel that is down until somebody says otherwise may be there again tomorrow.
  const never = others.every((other) => !other.may && other.until === null && NEVER.has(other.why));
  return never && others.some((other) => !other.may && other.why === 'refused-before');
}

function isCarried(route: RouteOf): route is Carried {
  return route.channel !== null;
}

function partition<T, S extends T>(all: readonly T[], is: (one: T) => one is S): [S[], Exclude<T, S>[]];
function partition<T>(all: readonly T[], is: (one: T) => boolean): [T[], T[]];
function partition<T>(all: readonly T[], is: (one: T) => boolean): [T[], T[]] {
  return [all.filter(is), all.filter((one) => !is(one))];
}

function hopelessDirective({ shardId, wanted, before }: Batch, id: Id): Directive {
  const { platformId } = wanted.get(id) as Bare;
  const attempts = before.get(id) ?? [];
  const reason = attempts.findLast(({ refused }) => refused)?.reason ?? undefined;
  // A number of its own each time: one that was refused, since somebody sent the payout just then, is refused for ever.
  return unsentDirective({ id, platformId, shardId }, `unroutable:${id}:${attempts.length}`, reason);
}

/**
 * Takes payouts back from channels that are shut by now though nobody has heard of them there: their session ended, or they broke down,
 * between the planning and the sending. Answers whether there were any.
 */
export async function takeBackUnsent(desk: Desk, planned: readonly Payout[]): Promise<boolean> {
  const { rt } = desk;
  // Whether one is shut is no question of its float.
  const { atMs, position } = await rt.db.read('situation', (tx) => situationNow(tx, rt, [], new Map()));
  let any = false;
  for (const [channel, group] of groupBy(planned, channelOf)) {
    const shut = standingOf(position, channel, atMs)?.shut;
    if (shut === undefined) continue;
    any = true;
    const ids = group.map(({ id }) => id);
    await rt.db.withTx(
      'take-back-unsent',
      async (tx) => {
        const back = await takeBack(tx, ids, { from: 'created', channel, reason: `${channel}: ${shut}`, nowMs: atMs });
        if (back.length > 0) await endAttempts(tx, back, { channel, refused: false, reason: shut, nowMs: atMs });
        return true;
      },
      async () => undefined,
    );
  }
  return any;
}
