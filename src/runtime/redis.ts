import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { faultOf } from './log.js';

/**
 * Connections to Redis. Nothing in it is the truth: whoever asks gets a quick "no" when it is away, and decides what that
 * means (a bell is swept up later, a replay check fails closed).
 */
const COMMON = {
  lazyConnect: true,
  connectTimeout: 2_000,
  disconnectTimeout: 200, // a connection that never stood would keep the process for the default of two seconds
  retryStrategy: (times: number) => Math.min(times * 50, 1_000),
};

/** For commands: fails at once while the connection is down, and after a second when no answer comes. */
export function commandConnection(url: string, log: Logger): Redis {
  return watched(
    new Redis(url, { ...COMMON, enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: 1_000 }),
    log,
    'commands',
  );
}

/** For subscriptions: comes back by itself and subscribes again. Messages sent meanwhile are lost. */
export function subscriberConnection(url: string, log: Logger): Redis {
  return watched(new Redis(url, { ...COMMON, maxRetriesPerRequest: null, autoResubscribe: true }), log, 'subscriber');
}

function watched(redis: Redis, log: Logger, role: string): Redis {
  // Without a listener ioredis prints every failed attempt; a line for each change of state is enough.
  let away = false;
  redis.on('error', (error: unknown) => {
    if (!away) log.warn({ event: 'redis-away', role, error: faultOf(error) });
    away = true;
  });
  redis.on('ready', () => {
    if (away) log.info({ event: 'redis-back', role });
    away = false;
  });
  return redis;
}

/** Connects, or gives up waiting: the connection goes on trying by itself. */
export async function connectOrLeave(redis: Redis): Promise<void> {
  await redis.connect().catch(() => undefined); // the error listener has told it
}

/** Ends the connection; commands under way get their answer if there is anyone to give it. */
export async function disconnect(redis: Redis): Promise<void> {
  if (redis.status === 'ready') await redis.quit().catch(() => undefined);
  redis.disconnect();
}
