import { asId, type Id, type Instant } from '../kernel/index.js';
import type { Tx } from '../runtime/index.js';

/**
 * Whether a payout may leave now, as a condition on a row of payouts under its name: nobody stopped it (拦截), its platform's payments are not
 * stopped, the proof of the last date on which its money came in has passed (a collection waits for none: nothing leaves), and its account is
 * neither frozen nor blocked (a court's payout goes all the same).
 */
export function mayLeave(payout: string): string {
  return `(NOT EXISTS (SELECT 1 FROM payout_intercepts AS i WHERE i.payout_id = ${payout}.id)
    AND NOT EXISTS (SELECT 1 FROM payment_stops AS s WHERE s.platform_id = ${payout}.platform_id)
    AND (${payout}.purpose = 'top-up'
      OR ${payout}.funded_on <= (SELECT b.proved_to FROM books AS b WHERE b.platform_id = ${payout}.platform_id))
    AND (${payout}.purpose = 'judicial'
      OR NOT EXISTS (SELECT 1 FROM accounts AS w WHERE w.id = ${payout}.source_account_id AND w.state = 'frozen')
        AND NOT EXISTS (SELECT 1 FROM electronic_accounts AS w WHERE w.account_id = ${payout}.source_account_id AND w.state = 'blocked')))`;
}

/** Which of these may leave now. */
export async function leavingOf(tx: Tx, payoutIds: readonly Id[]): Promise<ReadonlySet<Id>> {
  if (payoutIds.length === 0) return new Set();
  const rows = await tx.rows<{ id: string }>(
    `SELECT p.id FROM payouts AS p WHERE p.id IN (${payoutIds.join()}) AND ${mayLeave('p')}`,
  );
  return new Set(rows.map(({ id }) => asId(id)));
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
    `SELECT DISTINCT p.shard_id, p.state = 'created' AS created FROM payouts AS p
     WHERE p.shard_id IN (SELECT id FROM shards) AND p.state IN ('created', 'sent', 'unknown') AND p.next_ms <= ?
       AND (p.state <> 'created' OR ${mayLeave('p')})`,
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
): Promise<{ payout: { id: Id; platformId: Id; shardId: number }; reason: string }[]> {
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
