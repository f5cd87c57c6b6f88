import { relayOutbox } from '../src/instructions/index.js';
import type { BellName } from '../src/runtime/index.js';
import type { JobDefinition } from './job.js';

/** The consumer whose cursor says how far the events of a shard were relayed. */
export const RELAY = 'relay';

/** Which bell an event rings for its shard. Events that ring none are for other consumers. */
const BELLS: Readonly<Record<string, BellName>> = { 'payout.created': 'send-payouts' };

export const relayOutboxJob: JobDefinition = {
  name: 'relay-outbox',
  en: 'tells the jobs that follow what a shard has decided; key: the shard',
  zh: '投递分片事件',
  concurrency: 4,
  run({ rt }, key) {
    return relayOutbox(rt, RELAY, Number(key), async (events) => {
      const bells = new Set(events.flatMap((event) => BELLS[event.topic] ?? []));
      for (const bell of bells) await rt.bells.ring(bell, key);
    });
  },
};
