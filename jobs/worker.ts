import { type Job, Queue, Worker } from 'bullmq';
import type { Desk } from '../src/dispatch/index.js';
import { type BellJob, bellPrefix, connectOrLeave, disconnect, faultOf, subscriberConnection } from '../src/runtime/index.js';
import { closeDayJob } from './close-day.job.js';
import { closeStepJob } from './close-step.job.js';
import { compareFilesJob } from './compare-files.job.js';
import { exchangeFundFilesJob } from './exchange-fund-files.job.js';
import { executeShardJob } from './execute-shard.job.js';
import type { JobDefinition } from './job.js';
import { orderInterestJob } from './order-interest.job.js';
import { pollPayoutsJob } from './poll-payouts.job.js';
import { relayOutboxJob } from './relay-outbox.job.js';
import { runBatchesJob } from './run-batches.job.js';
import { SCHEDULE } from './schedule.js';
import { screenCustomersJob } from './screen-customers.job.js';
import { sendPayoutsJob } from './send-payouts.job.js';
import { sendSmsJob } from './send-sms.job.js';
import { sweepJob } from './sweep.job.js';
import { takeIncomingJob } from './take-incoming.job.js';
import { verifyOpeningsJob } from './verify-openings.job.js';
import { verifyUsersJob } from './verify-users.job.js';
import { watchFlowsJob } from './watch-flows.job.js';

/** Every job of the worker: one line each. */
export const JOBS: readonly JobDefinition[] = [
  executeShardJob,
  relayOutboxJob,
  runBatchesJob,
  verifyOpeningsJob,
  sendPayoutsJob,
  pollPayoutsJob,
  takeIncomingJob,
  orderInterestJob,
  closeDayJob,
  closeStepJob,
  sendSmsJob,
  verifyUsersJob,
  screenCustomersJob,
  watchFlowsJob,
  compareFilesJob,
  exchangeFundFilesJob,
  sweepJob,
];

/** A lost worker's job is taken over within ten seconds; until then its key waits. */
const LOCK_MS = 6_000;
const STALLED_EVERY_MS = 3_000;
/** A job that stalls is a worker that died, not a job that kills workers: the rows say when to give up, never the queue. */
const STALLED_MAX = 1_000;
const STOP_MAX_MS = 20_000;

export interface RunningWorkers {
  /** Takes no more jobs, lets those at work finish within a bound, and lets go of Redis. */
  close(): Promise<void>;
}

/** Starts a BullMQ worker for every job, and keeps the schedule alive. */
export async function startWorkers(desk: Desk): Promise<RunningWorkers> {
  const { config, log } = desk.rt;
  const connection = subscriberConnection(config.REDIS_URL, log);
  await connectOrLeave(connection);
  const options = { connection, prefix: bellPrefix(config.REDIS_PREFIX) };
  const workers = JOBS.map((job) => {
    const worker = new Worker<BellJob>(job.name, ({ data }: Job<BellJob>) => runJob(desk, job, data.key), {
      ...options,
      concurrency: job.concurrency,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_EVERY_MS,
      maxStalledCount: STALLED_MAX,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    });
    // Of BullMQ itself: a lock that was lost, a Redis that is away. The rows are the truth; the sweep rings again.
    worker.on('error', (error) => log.warn({ event: 'queue.error', job: job.name, error: faultOf(error) }));
    return worker;
  });
  const schedule = keepSchedule(desk, options);
  return {
    async close() {
      await schedule.close();
      await within(STOP_MAX_MS, Promise.all(workers.map((worker) => worker.close())));
      await Promise.all(workers.map((worker) => worker.close(true)));
      await disconnect(connection);
    },
  };
}

/** Runs a job once. What it throws is logged and counted, and tried again when the sweep finds the work still there. */
export async function runJob(desk: Desk, job: JobDefinition, key: string): Promise<void> {
  const { log, metrics } = desk.rt;
  try {
    const came = await job.run(desk, key);
    const result = typeof came === 'string' ? came : came > 0 ? 'done' : 'nothing';
    metrics.jobs.inc({ job: job.name, result });
  } catch (error) {
    metrics.jobs.inc({ job: job.name, result: 'failed' });
    log.error({ event: 'job.failed', job: job.name, key, error: faultOf(error) });
  }
}

interface QueueOptions {
  readonly connection: ReturnType<typeof subscriberConnection>;
  readonly prefix: string;
}

/**
 * Timed jobs are BullMQ's, so that several workers share one pace. BullMQ keeps them in Redis, which may be emptied at any
 * moment: a plain timer of this process looks whether they are there, and makes them again.
 */
function keepSchedule({ rt }: Desk, options: QueueOptions) {
  const queues = new Map(SCHEDULE.map(({ job }) => [job, new Queue<BellJob>(job, { ...options, skipMetasUpdate: true })]));
  for (const queue of queues.values()) queue.on('error', () => undefined); // the connection's own listener has told it
  let stopped = false;
  let looking: Promise<void> = Promise.resolve();
  const look = async () => {
    for (const { job, key, everyMs } of SCHEDULE) {
      const queue = queues.get(job);
      const id = `${job}-${key}`;
      if (queue === undefined || stopped || options.connection.status !== 'ready') continue;
      const every = everyMs(rt.config);
      const there = await queue.getJobScheduler(id);
      if (there?.every === every && (there.next ?? 0) > rt.clock.wall() - LATE_TICKS * every) continue;
      await queue.upsertJobScheduler(
        id,
        { every },
        { name: job, data: { key }, opts: { removeOnComplete: true, removeOnFail: true } },
      );
      await rt.bells.ring(job, key);
    }
  };
  const turn = () => {
    looking = look().catch((error: unknown) => rt.log.warn({ event: 'schedule.unkept', error: faultOf(error) }));
  };
  turn();
  const timer = setInterval(turn, Math.max(rt.config.TICK_MS, 200));
  return {
    async close() {
      stopped = true;
      clearInterval(timer);
      await looking;
      for (const queue of queues.values()) await queue.close().catch(() => undefined);
    },
  };
}

/** A schedule whose next turn is so many turns overdue has lost it. */
const LATE_TICKS = 5;

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
