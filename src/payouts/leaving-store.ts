import { asId, type Id, type Instant } from '../kernel/index.js';
import type { Tx } from '../runtime/index.js';
import { isWithheld, type Payout } from './store.js';

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
