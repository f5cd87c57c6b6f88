import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { z } from 'zod';
import { type Clock, type Instant, instantOf, Refused, refuse, toRfc3339 } from '../kernel/index.js';
import type { Database, Tx } from './database.js';
import { faultOf } from './log.js';
import { connectOrLeave, disconnect, subscriberConnection } from './redis.js';
import { type Route, route } from './route.js';
import { instantSchema, rfc3339Schema } from './schemas.js';

/** The two clocks. The wall clock is the machine's; the driven clock of a sandbox stands still until somebody sets it. */
const wall = (): Instant => instantOf(Date.now());

export const wallClock: Clock = { now: wall, wall };

/**
 * Time that others set. It only goes forward: what is announced late or twice changes nothing.
 */
export interface DrivenClock extends Clock {
  /** Moves to `instant`, if that is later. */
  advance(instant: Instant): void;
}

export function drivenClock(initial: Instant): DrivenClock {
  let current = initial;
  return {
    now: () => current,
    wall,
    advance(instant) {
      if (instant > current) current = instant;
    },
  };
}

async function readDriven(tx: Tx): Promise<Instant | undefined> {
  const [row] = await tx.rows<{ now_ms: string }>('SELECT now_ms FROM driven_clock WHERE id = 1');
  return row && instantOf(Number(row.now_ms));
}

/** Where a sandbox begins: a new year, before the dates of every example, so that they work on whatever day somebody tries them. */
const DRIVEN_START = instantOf(Date.parse('2026-01-01T00:00:00+08:00'));

/**
 * The time that stands; the first process that asks writes it down, so that there is one beginning for all of them and nothing ever happens before
 * it. A database that was used by the real time already begins there.
 */
async function beginDriven(db: Database): Promise<Instant> {
  const started = await db.read('driven clock', readDriven);
  if (started !== undefined) return started;
  return db.withTx(
    'begin driven clock',
    async (tx) => {
      const used = await tx.rows('SELECT id FROM platforms LIMIT 1');
      await tx.write('INSERT INTO driven_clock (id, now_ms) VALUES (1, ?) ON DUPLICATE KEY UPDATE now_ms = now_ms', [
        used.length === 0 ? DRIVEN_START : wall(),
      ]);
      return (await readDriven(tx)) as Instant;
    },
    () => db.read('driven clock', readDriven),
  );
}

/**
 * @throws Refused CLOCK_BACKWARDS; the instant that stands is in the detail
 */
async function writeDriven(tx: Tx, instant: Instant): Promise<void> {
  await tx.write(
    'INSERT INTO driven_clock (id, now_ms) VALUES (1, ?) ON DUPLICATE KEY UPDATE now_ms = GREATEST(now_ms, VALUES(now_ms))',
    [instant],
  );
  const stands = await readDriven(tx);
  if (stands !== instant) throw new Refused(refuse('CLOCK_BACKWARDS', `The clock stands at ${stands && toRfc3339(stands)}.`));
}

/** Whether the processes of this database go by a driven clock, whatever the environment of whoever types a command says. */
export async function isDriven(db: Database): Promise<boolean> {
  return (await db.read('driven clock', readDriven)) !== undefined;
}

/** The time that a command on this database writes down: the sandbox's as it stands, where it has one, else the machine's. */
export async function commandClock(db: Database): Promise<Clock> {
  const stands = await db.read('driven clock', readDriven);
  return stands === undefined ? wallClock : drivenClock(stands);
}

const POLL_MS = 1_000;

function channelOf(prefix: string): string {
  return `${prefix}:clock`;
}

export interface ClockParts {
  readonly db: Database;
  readonly redisUrl: string;
  readonly prefix: string;
  readonly log: Logger;
}

/**
 * The driven clock that all processes follow. The row is the truth; Redis announces a change at once, and a poll each second
 * catches what an announcement lost.
 */
export async function followDrivenClock({
  db,
  redisUrl,
  prefix,
  log,
}: ClockParts): Promise<DrivenClock & { close(): Promise<void> }> {
  const read = () => db.read('driven clock', readDriven);
  const clock = drivenClock(await beginDriven(db));
  const subscriber = subscriberConnection(redisUrl, log);
  subscriber.on('message', (_channel: string, text: string) => {
    if (/^\d{1,16}$/.test(text)) clock.advance(instantOf(Number(text)));
  });
  await connectOrLeave(subscriber);
  // Redis may be away at the start: the subscription is made when it comes.
  const subscribed = subscriber
    .subscribe(channelOf(prefix))
    .catch((error: unknown) => log.warn({ event: 'clock-unheard', error: faultOf(error) }));
  if (subscriber.status === 'ready') await subscribed;
  const poll = setInterval(() => {
    read().then(
      (instant) => instant && clock.advance(instant),
      (error: unknown) => log.warn({ event: 'clock-unread', error: faultOf(error) }),
    );
  }, POLL_MS);
  poll.unref();
  return {
    ...clock,
    close: async () => {
      clearInterval(poll);
      await disconnect(subscriber);
    },
  };
}

/** `PUT /admin/v1/clock` and `GET`, for a sandbox alone. */
export function clockRoutes(clock: DrivenClock, redis: Redis, prefix: string): Route[] {
  const Answer = z.strictObject({ now: rfc3339Schema });
  const common = { path: '/admin/v1/clock', audience: 'operator', permission: 'sandbox.write', tag: 'Sandbox' } as const;
  return [
    route({
      ...common,
      method: 'GET',
      summary: 'The time that the sandbox goes by',
      summaryZh: '查询沙箱时钟',
      answers: { 200: { description: 'The time', schema: Answer } },
      handle: async () => ({ status: 200, body: { now: toRfc3339(clock.now()) } }),
    }),
    route({
      ...common,
      method: 'PUT',
      summary: 'Sets the time of the sandbox; it only goes forward',
      description: `A new sandbox stands at ${toRfc3339(DRIVEN_START)}, for all its processes.`,
      summaryZh: '设置沙箱时钟（只可前进）',
      body: z.strictObject({ now: instantSchema }),
      answers: { 200: { description: 'The time now', schema: Answer } },
      refusals: ['CLOCK_BACKWARDS'],
      handle: async ({ body, tx }) => {
        await writeDriven(tx, body.now);
        return {
          status: 200,
          body: { now: toRfc3339(body.now) },
          audit: { target: 'clock' },
          afterCommit: async () => {
            clock.advance(body.now);
            await redis.publish(channelOf(prefix), String(body.now));
          },
        };
      },
    }),
  ];
}
