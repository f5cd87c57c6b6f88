import { idGenerator, PROCESS_NUMBERS } from '../kernel/index.js';
import { createBells } from './bullmq-bells.js';
import { loadCalendar } from './calendar-store.js';
import { type DrivenClock, followDrivenClock, isDriven, wallClock } from './clock.js';
import type { Config } from './config.js';
import { connectDatabase, type Database } from './database.js';
import { createLog } from './log.js';
import { createMetrics } from './metrics.js';
import { openReceiptKeys } from './receipt-keys.js';
import { commandConnection, connectOrLeave, disconnect } from './redis.js';
import type { Runtime } from './runtime.js';
import { openVault } from './vault.js';

export interface StartedRuntime extends Runtime {
  /** Only where CLOCK is `driven`. */
  readonly drivenClock: DrivenClock | undefined;
  /** Lets go of database and Redis; call it once, after the last use. */
  close(): Promise<void>;
}

/**
 * The number that makes this process's ids its own. Numbers come round after 4,096 starts; two processes that share one
 * would have to be started 4,096 starts apart and both still run.
 */
export function takeProcessNumber(db: Database): Promise<number> {
  return db.withTx('process number', async (tx) => {
    await tx.write(
      `INSERT INTO counters (name, value) VALUES ('process', 0) ON DUPLICATE KEY UPDATE value = MOD(value + 1, ${PROCESS_NUMBERS})`,
    );
    const [row] = await tx.rows<{ value: string }>("SELECT value FROM counters WHERE name = 'process'");
    return Number(row?.value);
  });
}

/**
 * Wires a process. Redis may be away; the database may not.
 * @param service names the process in its logs; a script goes by the clock of the sandbox wherever the database has one
 */
export async function createRuntime(config: Config, service: 'api' | 'worker' | 'script' = 'api'): Promise<StartedRuntime> {
  const log = createLog(config.LOG_LEVEL, service);
  const db = await connectDatabase({ url: config.DATABASE_URL, poolSize: config.POOL_SIZE });
  const redis = commandConnection(config.REDIS_URL, log);
  const closers: (() => Promise<void>)[] = [() => db.close(), () => disconnect(redis)];
  const close = async () => {
    for (const closer of closers.reverse()) await closer();
  };
  try {
    await connectOrLeave(redis);
    const bells = createBells(config.REDIS_URL, config.REDIS_PREFIX, log);
    closers.push(() => bells.close());
    // A command is typed in a shell that need not know how the processes were started; what they wrote down says it.
    const driven =
      config.CLOCK === 'driven' || (service === 'script' && (await isDriven(db)))
        ? await followDrivenClock({ db, redisUrl: config.REDIS_URL, prefix: config.REDIS_PREFIX, log })
        : undefined;
    if (driven) closers.push(() => driven.close());
    const calendar = await db.read('calendar', loadCalendar);
    const newId = idGenerator(await takeProcessNumber(db), wallClock.wall);
    return {
      config,
      db,
      clock: driven ?? wallClock,
      calendar,
      newId,
      redis,
      bells,
      log,
      metrics: createMetrics(),
      vault: openVault(config),
      receiptKeys: openReceiptKeys(config),
      drivenClock: driven,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
