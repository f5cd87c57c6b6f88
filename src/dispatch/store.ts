import type { ChannelCode } from '../channels/index.js';
import { asId, type BusinessDate, type Id, type Instant, type Minor } from '../kernel/index.js';
import { isWithheld, type Payout, type PayoutState } from '../payouts/index.js';
import { sql, type Tx } from '../runtime/index.js';
import { WAITS } from './rules.js';

/** What was handed to a channel: with the payout it is the whole message. */
export interface Dispatch {
  readonly payoutId: Id;
  /** The sending that it last went with. */
  readonly batchId: Id;
  /** The date whose statement shows the debit. */
  readonly businessDate: BusinessDate;
  /** Wall time of the commit before the call. */
  readonly sentWallMs: Instant;
  /** What the payee is shown; null of what was sent before there were texts. */
  readonly remark: string | null;
}

/** Writes down what is about to be sent. @throws a duplicate-key error when somebody else is sending one of them */
export async function insertDispatches(tx: Tx, dispatches: readonly Dispatch[]): Promise<void> {
  const rows = dispatches.map(rowOf);
  await tx.write(`INSERT INTO dispatches (payout_id, batch_id, business_date, sent_wall_ms, remark) VALUES ${sql.tuples(rows)}`);
}

function rowOf({ payoutId, batchId, businessDate, sentWallMs, remark }: Dispatch): string {
  return `${payoutId},${batchId},'${businessDate}',${sentWallMs},${sql.nullableText(remark)}`;
}

/** Writes down that something is sent again, under the date that is open now. */
export async function renewDispatches(tx: Tx, dispatches: readonly Dispatch[]): Promise<void> {
  const rows = dispatches.map(rowOf);
  await tx.write(
    `INSERT INTO dispatches (payout_id, batch_id, business_date, sent_wall_ms, remark) VALUES ${sql.tuples(rows)}
     ON DUPLICATE KEY UPDATE batch_id = VALUES(batch_id), business_date = VALUES(business_date), sent_wall_ms = VALUES(sent_wall_ms),
       remark = COALESCE(remark, VALUES(remark))`,
  );
}

/** They are not on their way any more: their channel said that it does not pay them. */
export async function forgetDispatches(tx: Tx, payoutIds: readonly Id[]): Promise<void> {
  await tx.write(`DELETE FROM dispatches WHERE payout_id IN (${payoutIds.join()})`);
}

export async function hasDispatchBatch(tx: Tx, payoutId: Id, batchId: Id): Promise<boolean> {
  return (await tx.rows('SELECT 1 FROM dispatches WHERE payout_id = ? AND batch_id = ?', [payoutId, batchId])).length === 1;
}

interface DispatchRow {
  payout_id: string;
  batch_id: string;
  business_date: BusinessDate;
  sent_wall_ms: string;
  remark: string | null;
}

export async function findDispatches(tx: Tx, payoutIds: readonly Id[]): Promise<Map<Id, Dispatch>> {
  if (payoutIds.length === 0) return new Map();
  const rows = await tx.rows<DispatchRow>(`SELECT * FROM dispatches WHERE payout_id IN (${payoutIds.join()})`);
  return new Map(
    rows.map((row) => {
      const payoutId = asId(row.payout_id);
      const sentWallMs = Number(row.sent_wall_ms) as Instant;
      return [
        payoutId,
        { payoutId, batchId: asId(row.batch_id), businessDate: row.business_date, sentWallMs, remark: row.remark },
      ];
    }),
  );
}

/** The feed of held transfers has its cursor beside those of the channels. */
export const INCOMING_FEED = 'incoming';
type Feed = ChannelCode | typeof INCOMING_FEED;

export interface ChannelRow {
  readonly channel: Feed;
  readonly cursor: string;
  readonly successMs: Instant;
}

/** How far each feed was read, and when its channel last answered; one that never did is left out. */
export async function channelRows(tx: Tx): Promise<Map<Feed, ChannelRow>> {
  const rows = await tx.rows<{ channel: Feed; feed_cursor: string; success_ms: string }>('SELECT * FROM channel_cursors');
  return new Map(
    rows.map((row) => [
      row.channel,
      { channel: row.channel, cursor: row.feed_cursor, successMs: Number(row.success_ms) as Instant },
    ]),
  );
}

/** Moves the cursor on, unless somebody else moved it meanwhile: what he took was acted upon before he moved it. */
export async function moveFeedCursor(tx: Tx, channel: Feed, from: string, to: string): Promise<void> {
  await tx.write('UPDATE channel_cursors SET feed_cursor = ? WHERE channel = ? AND feed_cursor = ?', [to, channel, from]);
}

export async function noteChannelSuccess(tx: Tx, channel: Feed, wallMs: Instant): Promise<void> {
  await tx.write(
    `INSERT INTO channel_cursors (channel, feed_cursor, success_ms) VALUES (?, '', ?)
     ON DUPLICATE KEY UPDATE success_ms = GREATEST(success_ms, VALUES(success_ms))`,
    [channel, wallMs],
  );
}

/** Platforms of which nothing is sent. */
export async function stoppedPlatforms(tx: Tx): Promise<Id[]> {
  return (await tx.rows<{ platform_id: string }>('SELECT platform_id FROM payment_stops')).map((row) => asId(row.platform_id));
}

/** Which of these payouts are not to be sent now: people stopped them, their platform's payments are stopped, or their account is frozen or blocked. */
export async function heldBack(tx: Tx, payouts: readonly Payout[]): Promise<(payout: Payout) => boolean> {
  if (payouts.length === 0) return () => false;
  const stopped = new Set(await stoppedPlatforms(tx));
  const rows = await tx.rows<{ id: string }>(
    `SELECT a.id FROM accounts AS a WHERE a.id IN (${payouts.map((payout) => payout.sourceAccountId).join()}) AND ${isWithheld('a.id')}`,
  );
  const withheld = new Set(rows.map((row) => row.id));
  const intercepted = new Set(
    (
      await tx.rows<{ id: string }>(
        `SELECT payout_id AS id FROM payout_intercepts WHERE payout_id IN (${payouts.map(({ id }) => id).join()})`,
      )
    ).map((row) => row.id),
  );
  return (payout) =>
    intercepted.has(payout.id) ||
    stopped.has(payout.platformId) ||
    (withheld.has(payout.sourceAccountId) && payout.purpose !== 'judicial');
}

/** From the commit on nothing of this platform is sent. Doing it twice changes nothing. */
export async function stopPayments(tx: Tx, platformId: Id, reason: string, sinceMs: Instant): Promise<void> {
  await tx.write(
    'INSERT INTO payment_stops (platform_id, reason, since_ms) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE reason = VALUES(reason)',
    [platformId, reason, sinceMs],
  );
}

export async function resumePayments(tx: Tx, platformId: Id): Promise<void> {
  await tx.write('DELETE FROM payment_stops WHERE platform_id = ?', [platformId]);
}

export interface BacklogRow {
  /** Null until it is routed. */
  readonly channel: ChannelCode | null;
  readonly state: PayoutState;
  readonly number: number;
}

/** Payouts that are under way, counted. */
export async function backlog(tx: Tx): Promise<BacklogRow[]> {
  const rows = await tx.rows<Omit<BacklogRow, 'number'> & { number: string }>(
    `SELECT channel, state, COUNT(*) AS number FROM payouts
     WHERE shard_id IN (SELECT id FROM shards) AND state IN ('created', 'sent', 'unknown') GROUP BY channel, state`,
  );
  return rows.map(({ channel, state, number }) => ({ channel, state, number: Number(number) }));
}

/** Payouts that no channel could carry when they were last looked at: how many, fen, and when the oldest was made. */
export interface Waiting {
  readonly number: number;
  readonly amount: Minor;
  readonly oldestMs: Instant | null;
}

export async function waitingPayouts(tx: Tx): Promise<Waiting> {
  const [row] = await tx.rows<{ number: string; amount: string | null; oldest: string | null }>(
    `SELECT COUNT(*) AS number, SUM(amount) AS amount, MIN(created_ms) AS oldest FROM payouts
     WHERE shard_id IN (SELECT id FROM shards) AND state = 'created' AND channel IS NULL AND reason LIKE ?`,
    [`${WAITS}%`],
  );
  const oldest = row?.oldest ?? null;
  return {
    number: Number(row?.number ?? 0),
    amount: BigInt(row?.amount ?? 0),
    oldestMs: oldest === null ? null : (Number(oldest) as Instant),
  };
}

/** Which shards have payouts to send, and which have some to ask after. */
export async function shardsWithPayouts(tx: Tx, nowMs: Instant): Promise<{ toSend: number[]; toAsk: number[] }> {
  const rows = await tx.rows<{ shard_id: number; created: number }>(
    `SELECT DISTINCT p.shard_id, p.state = 'created' AS created FROM payouts AS p JOIN books AS b ON b.platform_id = p.platform_id
     LEFT JOIN payment_stops AS s ON s.platform_id = p.platform_id
     WHERE p.shard_id IN (SELECT id FROM shards) AND p.state IN ('created', 'sent', 'unknown') AND p.next_ms <= ?
       AND (p.state <> 'created'
         OR ((p.purpose = 'top-up' OR p.funded_on <= b.proved_to) AND s.platform_id IS NULL
           AND (p.purpose = 'judicial' OR NOT ${isWithheld('p.source_account_id')})))`,
    [nowMs],
  );
  const shards = (created: boolean) => rows.filter((row) => Boolean(Number(row.created)) === created).map((row) => row.shard_id);
  return { toSend: shards(true), toAsk: shards(false) };
}

/** Makes a payout that is under way due for a question at once. */
export async function askSoon(tx: Tx, payoutId: Id, nowMs: Instant): Promise<void> {
  await tx.write("UPDATE payouts SET next_ms = ? WHERE id = ? AND state IN ('sent', 'unknown')", [nowMs, payoutId]);
}

/** Payouts that people stopped are not sent from the commit on. The first word stands. */
export async function insertIntercept(
  tx: Tx,
  { payoutId, askedBy, reason }: { payoutId: Id; askedBy: string; reason: string },
  nowMs: Instant,
): Promise<void> {
  await tx.write(
    `INSERT INTO payout_intercepts (payout_id, asked_by, reason, at_ms, done) VALUES (?, ?, ?, ?, 0)
     ON DUPLICATE KEY UPDATE done = payout_intercepts.done`,
    [payoutId, askedBy, reason, nowMs],
  );
}

export async function isIntercepted(tx: Tx, payoutId: Id): Promise<boolean> {
  return (await tx.rows('SELECT 1 FROM payout_intercepts WHERE payout_id = ?', [payoutId])).length === 1;
}

/** Payouts that were stopped and have not failed yet. */
export async function openIntercepts(
  tx: Tx,
  limit: number,
): Promise<{ payout: Pick<Payout, 'id' | 'platformId' | 'shardId'>; reason: string }[]> {
  const rows = await tx.rows<{ id: string; platform_id: string; shard_id: number; reason: string }>(
    `SELECT p.id, p.platform_id, p.shard_id, i.reason FROM payout_intercepts AS i JOIN payouts AS p ON p.id = i.payout_id
     WHERE i.done = 0 ORDER BY i.payout_id LIMIT ?`,
    [limit],
  );
  return rows.map(({ id, platform_id: platformId, shard_id: shardId, reason }) => {
    return { payout: { id: asId(id), platformId: asId(platformId), shardId }, reason };
  });
}

export async function endIntercepts(tx: Tx, payoutIds: readonly Id[]): Promise<void> {
  await tx.write(`UPDATE payout_intercepts SET done = 1 WHERE payout_id IN (${payoutIds.join()})`);
}
