import type { Redis } from 'ioredis';
import type { Id } from '../../kernel/index.js';
import { connectOrLeave, disconnect, faultOf, type Runtime } from '../../runtime/index.js';
import type { Outcome } from '../outcome.js';
import { findInstructions } from '../store.js';

/**
 * How a waiting request hears of its outcome: the worker announces a committed batch over Redis, the API process that waits
 * picks out its own. An announcement may be lost; then the books are asked when the wait is over.
 */
export interface Answers {
  /** The outcomes of these instructions, as many as there are within `waitMs`. Replays are looked up in the books first. */
  wait(receipts: readonly { readonly id: Id; readonly replay: boolean }[], waitMs: number): Promise<Map<Id, Outcome>>;
  close(): Promise<void>;
}

const RECENT_MAX = 10_000;

function channelOf(rt: Runtime): string {
  return `${rt.config.REDIS_PREFIX}:outcomes`;
}

/** Tells whoever waits. A failing Redis loses nothing but time. */
export async function announce(rt: Runtime, outcomes: readonly Outcome[]): Promise<void> {
  if (outcomes.length === 0) return;
  await rt.redis.publish(channelOf(rt), JSON.stringify(outcomes)).catch((error: unknown) => {
    rt.log.warn({ event: 'announce-failed', error: faultOf(error) });
  });
}

/** @param subscriber a connection of its own, since a subscribed connection does nothing else */
export async function createAnswers(rt: Runtime, subscriber: Redis): Promise<Answers> {
  const waiters = new Map<Id, Set<(outcome: Outcome) => void>>();
  // A worker can be faster than the answer of the bell: what was announced a moment ago is kept for who asks now.
  const recent = new Map<Id, Outcome>();
  subscriber.on('message', (_channel, message: string) => {
    for (const outcome of JSON.parse(message) as Outcome[]) {
      recent.set(outcome.instruction, outcome);
      for (const tell of waiters.get(outcome.instruction) ?? []) tell(outcome);
    }
    for (const oldest of recent.keys()) {
      if (recent.size <= RECENT_MAX) break;
      recent.delete(oldest);
    }
  });
  await connectOrLeave(subscriber);
  // Redis may be away at the start: the subscription is made when it comes, and until then the books are asked.
  const subscribed = subscriber
    .subscribe(channelOf(rt))
    .catch((error: unknown) => rt.log.warn({ event: 'outcomes-unheard', error: faultOf(error) }));
  if (subscriber.status === 'ready') await subscribed;

  async function fromBooks(ids: readonly Id[]): Promise<Map<Id, Outcome>> {
    const found = new Map<Id, Outcome>();
    for (const [id, view] of await rt.db.read('outcomes', (tx) => findInstructions(tx, ids))) {
      if (view.outcome !== null) found.set(id, view.outcome);
    }
    return found;
  }

  async function wait(receipts: readonly { id: Id; replay: boolean }[], waitMs: number): Promise<Map<Id, Outcome>> {
    const ids = receipts.map((receipt) => receipt.id);
    const got = new Map<Id, Outcome>();
    if (ids.length === 0) return got;
    const missing = new Set(ids);
    let finish: () => void = () => undefined;
    const done = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const tell = (outcome: Outcome) => {
      got.set(outcome.instruction, outcome);
      missing.delete(outcome.instruction);
      if (missing.size === 0) finish();
    };
    for (const id of missing) waiters.set(id, (waiters.get(id) ?? new Set()).add(tell));
    const timer = setTimeout(finish, waitMs);
    try {
      for (const id of ids) {
        const outcome = recent.get(id);
        if (outcome !== undefined) tell(outcome);
      }
      const replays = receipts.filter(({ id, replay }) => replay && missing.has(id)).map(({ id }) => id);
      if (replays.length > 0) for (const outcome of (await fromBooks(replays)).values()) tell(outcome);
      await done;
      if (missing.size > 0) for (const outcome of (await fromBooks([...missing])).values()) tell(outcome);
      return got;
    } finally {
      clearTimeout(timer);
      for (const id of ids) {
        const set = waiters.get(id);
        set?.delete(tell);
        if (set?.size === 0) waiters.delete(id);
      }
    }
  }

  return { wait, close: () => disconnect(subscriber) };
}
