import { z } from 'zod';
import { CHANNELS, type ChannelCode } from '../../channels/index.js';
import { type Id, type Instant, type Minor, naturalDate } from '../../kernel/index.js';
import { type Bare, bringsMoneyIn } from '../../payouts/index.js';
import { loadChannelTable, type Position, type Routable } from '../../routing/index.js';
import { loadParameters, mapInBreaths, type Parameters, type Runtime, type Tx } from '../../runtime/index.js';
import { freeOf } from '../floats/floats.js';
import { loadFloats } from '../floats/store.js';
import { shutUntil } from '../health/rules.js';
import { loadCircuits } from '../health/store.js';
import { type Attempt, attemptsOf, carriedOn, type Plan } from './store.js';

const MINUTE_MS = 60_000;

/** What routing is given at one moment: payouts, and what the channels have left. Whoever routes, or says how he would, gets it here. */
export interface Situation {
  readonly atMs: Instant;
  readonly position: Position;
  /** In the order in which they were wanted. */
  readonly payouts: readonly Routable[];
  /** The attempts that each had behind it then, in their order; one that had none is left out. */
  readonly before: ReadonlyMap<Id, readonly Attempt[]>;
}

/** What has to be known of a payout to route it. */
export interface Wanted extends Pick<Bare, 'id' | 'amount' | 'bankCode' | 'createdMs' | 'purpose'> {
  /** 0 only where no channel had it before. */
  readonly attempts: number;
}

/** Payouts that want a channel at this moment. @param floats what is free in the channels; absent: as we last knew it */
export async function situationNow(
  tx: Tx,
  { clock, calendar }: Pick<Runtime, 'clock' | 'calendar'>,
  wanted: readonly Wanted[],
  floats?: Position['floats'],
): Promise<Situation> {
  const [atMs, wallMs] = [clock.now(), clock.wall()];
  const shut = [...(await loadCircuits(tx))].flatMap(([channel, circuit]): [ChannelCode, Instant][] => {
    const untilWall = shutUntil(circuit);
    return untilWall === undefined || untilWall <= wallMs ? [] : [[channel, (atMs + untilWall - wallMs) as Instant]];
  });
  const position = {
    ...{ calendar, table: await loadChannelTable(tx, atMs), floats: floats ?? freeOf(await loadFloats(tx)) },
    carried: await carriedOn(tx, naturalDate(atMs)),
    circuits: new Map(shut),
  };
  const before = await attemptsBehind(tx, wanted);
  return { atMs, position, before, payouts: await routablesOf(tx, wanted, before, atMs) };
}

/** Payouts of a past plan as they stood when it was made: what the channels had left is kept with it, the rest is in dated rows. */
export async function situationOf(
  tx: Tx,
  { calendar }: Pick<Runtime, 'calendar'>,
  { id, atMs, position: kept }: Plan,
  wanted: readonly Wanted[],
): Promise<Situation> {
  const position = { ...readPosition(kept), calendar, table: await loadChannelTable(tx, atMs) };
  const before = new Map(
    [...(await attemptsBehind(tx, wanted))].map(([payout, attempts]) => {
      const own = attempts.findIndex(({ planId }) => planId === id);
      return [payout, own < 0 ? attempts : attempts.slice(0, own)];
    }),
  );
  return { atMs, position, before, payouts: await routablesOf(tx, wanted, before, atMs) };
}

function attemptsBehind(tx: Tx, wanted: readonly Wanted[]): Promise<Map<Id, Attempt[]>> {
  return attemptsOf(
    tx,
    wanted.filter(({ attempts }) => attempts > 0).map(({ id }) => id),
  );
}

async function routablesOf(tx: Tx, wanted: readonly Wanted[], before: Situation['before'], atMs: Instant): Promise<Routable[]> {
  const parameters = await loadParameters(tx);
  return mapInBreaths(wanted, (payout) => toRoutable(payout, before.get(payout.id) ?? [], parameters, atMs));
}

/** With the channels that turned it away before, for ever or for now, and the speed that is promised for its purpose on that day. */
function toRoutable(
  { id, amount, bankCode, createdMs, purpose }: Wanted,
  before: readonly Attempt[],
  parameters: Parameters,
  atMs: Instant,
): Routable {
  const minutes = parameters.find(naturalDate(atMs), `promise.minutes.${purpose}`) ?? 0n;
  return {
    ...{ id, amount, bankCode, createdMs, collects: bringsMoneyIn({ purpose }) },
    arrivesBy: minutes === 0n ? null : ((createdMs + Number(minutes) * MINUTE_MS) as Instant),
    refusedBy: before.filter(({ refused }) => refused).map(({ channel }) => channel),
    // In their order, so that the last word of a channel counts.
    notNow: new Map(before.flatMap(({ channel, againMs }) => (againMs === null || againMs <= atMs ? [] : [[channel, againMs]]))),
  };
}

/** What the channels had left when a batch was routed; what else a position has is in the dated rows. */
type KeptPosition = Pick<Position, 'floats' | 'carried' | 'circuits'>;

const byChannel = <T extends z.ZodType>(value: T) => z.partialRecord(z.enum(CHANNELS), value);
const Kept = z.strictObject({
  floats: byChannel(z.string().nullable()),
  carried: byChannel(z.int()),
  circuits: byChannel(z.int()),
});

/** A position as it is kept with a plan. */
export function showPosition({ floats, carried, circuits }: KeptPosition): string {
  const text = (value: Minor | null) => (value === null ? null : value.toString());
  return JSON.stringify({
    floats: Object.fromEntries([...floats].map(([channel, free]) => [channel, text(free)])),
    carried: Object.fromEntries(carried),
    circuits: Object.fromEntries(circuits),
  });
}

/** The position that was kept with a plan. @throws when we did not write it */
function readPosition(text: string): KeptPosition {
  const { floats, carried, circuits } = Kept.parse(JSON.parse(text));
  return {
    floats: new Map(entriesOf(floats).map(([channel, free]) => [channel, free === null ? null : BigInt(free)])),
    carried: new Map(entriesOf(carried)),
    circuits: new Map(entriesOf(circuits).map(([channel, until]) => [channel, until as Instant])),
  };
}

function entriesOf<T>(record: Partial<Record<ChannelCode, T>>): [ChannelCode, T][] {
  return Object.entries(record) as [ChannelCode, T][];
}
