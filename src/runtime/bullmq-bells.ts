import { type FlowJob, FlowProducer, Queue } from 'bullmq';
import type { Logger } from 'pino';
import type { BellName, Bells } from './bells.js';
import { faultOf } from './log.js';
import { commandConnection, connectOrLeave, disconnect } from './redis.js';

/** Prefix of BullMQ's keys; the workers must name the same. */
export function bellPrefix(prefix: string): string {
  return `${prefix}:bells`;
}

/** What a rung bell carries to the worker. */
export interface BellJob {
  readonly key: string;
}

/**
 * Bells as BullMQ jobs, a queue a name. Bells of one key that wait are one job; one that is rung while the job of its key
 * runs makes the job run once more afterwards, so work that came during the run is never left lying. A job leaves nothing
 * behind when it ends, so its key is free again.
 *
 * `ring` never throws: without Redis the rows still lie there, and the sweep rings later.
 */
export function createBells(redisUrl: string, prefix: string, log: Logger): Bells & { close(): Promise<void> } {
  const connection = commandConnection(redisUrl, log);
  const connected = connectOrLeave(connection);
  const queues = new Map<BellName, Queue<BellJob>>();
  let flows: FlowProducer | undefined;
  const queueOf = (name: BellName) => {
    const known = queues.get(name);
    if (known) return known;
    const queue = new Queue<BellJob>(name, { connection, prefix: bellPrefix(prefix), skipMetasUpdate: true });
    queue.on('error', () => undefined); // the connection's own listener has told it
    queues.set(name, queue);
    return queue;
  };
  return {
    async ring(name, key) {
      await connected;
      if (connection.status !== 'ready') return; // the queue would wait for Redis to come back, and the caller with it
      try {
        const deduplication = { id: key, keepLastIfActive: true };
        await queueOf(name).add(name, { key }, { deduplication, removeOnComplete: true, removeOnFail: true });
      } catch (error) {
        log.warn({ event: 'bell-lost', bell: name, key, error: faultOf(error) });
      }
    },
    async ringInTurn(name, keys) {
      await connected;
      if (connection.status !== 'ready') return;
      flows ??= flowsOn(connection, prefix);
      try {
        const last = flowOf(name, keys);
        if (last !== undefined) await flows.add(last);
      } catch (error) {
        log.warn({ event: 'bell-lost', bell: name, key: keys[0], error: faultOf(error) });
      }
    },
    async close() {
      await flows?.close().catch(() => undefined);
      for (const queue of queues.values()) await queue.close().catch(() => undefined);
      await disconnect(connection);
    },
  };
}

/** A job waits for its children: the last is the parent of the one before it, and so on. */
function flowOf(name: BellName, keys: readonly string[]): FlowJob | undefined {
  const opts = { removeOnComplete: true, removeOnFail: true };
  let flow: FlowJob | undefined;
  for (const key of keys)
    flow = { name, queueName: name, data: { key }, opts, ...(flow === undefined ? {} : { children: [flow] }) };
  return flow;
}

function flowsOn(connection: ReturnType<typeof commandConnection>, prefix: string): FlowProducer {
  const producer = new FlowProducer({ connection, prefix: bellPrefix(prefix) });
  producer.on('error', () => undefined); // the connection's own listener has told it
  return producer;
}
