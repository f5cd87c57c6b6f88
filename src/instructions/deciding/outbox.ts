import { asId, type Id } from '../../kernel/index.js';
import { lockShard } from '../../ledger/index.js';
import type { Runtime, Tx } from '../../runtime/index.js';
import type { Topic } from '../kind.js';
import { insertingOutbox } from '../store.js';

/** An event of a shard, in the shard's order. */
export interface OutboxEvent {
  readonly seq: bigint;
  readonly topic: Topic;
  readonly platformId: Id;
  readonly ref: Id;
}

const PAGE = 1000;

/**
 * Hands a consumer the events of a shard that it has not had, in order and at least once: its cursor moves only after
 * `handle` is done, so a crash in between hands them over again.
 */
export async function relayOutbox(
  rt: Runtime,
  consumer: string,
  shardId: number,
  handle: (events: readonly OutboxEvent[]) => Promise<void>,
): Promise<number> {
  for (let relayed = 0; ; ) {
    const events = await rt.db.read('outbox', (tx) => nextEvents(tx, consumer, shardId));
    if (events.length > 0) {
      await handle(events);
      const last = (events.at(-1) as OutboxEvent).seq;
      await rt.db.withTx(
        'move-outbox-cursor',
        (tx) => moveCursor(tx, consumer, shardId, last),
        async () => undefined,
      );
    }
    relayed += events.length;
    if (events.length < PAGE) return relayed;
  }
}

async function nextEvents(tx: Tx, consumer: string, shardId: number) {
  const [row] = await tx.rows<{ seq: string }>('SELECT seq FROM outbox_cursors WHERE consumer = ? AND shard_id = ?', [
    consumer,
    shardId,
  ]);
  const rows = await tx.rows<{ seq: string; topic: Topic; platform_id: string; ref_id: string }>(
    'SELECT seq, topic, platform_id, ref_id FROM outbox WHERE shard_id = ? AND seq > ? ORDER BY seq LIMIT ?',
    [shardId, row?.seq ?? '-1', PAGE],
  );
  return rows.map((event) => ({
    seq: BigInt(event.seq),
    topic: event.topic,
    platformId: asId(event.platform_id),
    ref: asId(event.ref_id),
  }));
}

/** Forward only: of two relays at work at once, the slower one does not take the cursor back. */
async function moveCursor(tx: Tx, consumer: string, shardId: number, seq: bigint): Promise<true> {
  await tx.write(
    `INSERT INTO outbox_cursors (consumer, shard_id, seq) VALUES (?, ?, ?)
     ON DUPLICATE KEY UPDATE seq = GREATEST(seq, VALUES(seq))`,
    [consumer, shardId, String(seq)],
  );
  return true;
}

/** Appends events that no instruction made, in the shard's order: takes the shard's turn, so it comes late in a transaction. */
export async function appendEvents(
  tx: Tx,
  { clock }: Pick<Runtime, 'clock'>,
  shardId: number,
  events: readonly { topic: Topic; platformId: Id; ref: Id }[],
): Promise<void> {
  await tx.write(insertingOutbox(await lockShard(tx, shardId, clock.now()), events));
}

/** Shards with events that a consumer has not had, for the sweep. */
export async function shardsBehind(tx: Tx, consumer: string): Promise<number[]> {
  const rows = await tx.rows<{ id: number }>(
    `SELECT s.id FROM shards AS s LEFT JOIN outbox_cursors AS c ON c.shard_id = s.id AND c.consumer = ?
     WHERE EXISTS (SELECT 1 FROM outbox AS o WHERE o.shard_id = s.id AND o.seq > COALESCE(c.seq, -1))`,
    [consumer],
  );
  return rows.map((row) => row.id);
}
