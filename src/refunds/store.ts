import { asId, type Id, type Instant, type Minor } from '../kernel/index.js';
import { sql, type Tx } from '../runtime/index.js';
import { type Receivable, type ReceivableRow, receivableOf } from './records.js';
import { type Shortage, type ShortageRow, withLines } from './shortages.js';

/** How many are tried again at once, oldest first; the others follow with the next credit or the sweep. */
const WAKE_MAX = 500;
/** How long the sweep leaves a refund alone that no credit has had tried again: a freeze may have ended meanwhile. */
const RETRY_AFTER_MS = 60_000;

/** Refunds that wait on one of these accounts go back into the inbox. Call it under the shard's lock; answers how many. */
export async function wakeShortages(tx: Tx, shardId: number, credited: readonly Id[]): Promise<number> {
  if (credited.length === 0) return 0;
  const waiting = await tx.rows("SELECT 1 FROM shortages WHERE shard_id = ? AND state = 'waiting' LIMIT 1", [shardId]);
  if (waiting.length === 0) return 0;
  const rows = await tx.rows<{ instruction_id: string }>(
    `SELECT DISTINCT l.instruction_id FROM shortage_lines AS l JOIN shortages AS s ON s.instruction_id = l.instruction_id
     WHERE l.waiting_on IN (${credited.join()}) AND s.shard_id = ? AND s.state = 'waiting' ORDER BY l.instruction_id LIMIT ${WAKE_MAX}`,
    [shardId],
  );
  return tryAgain(
    tx,
    shardId,
    rows.map((row) => asId(row.instruction_id)),
  );
}

/** Those of a shard that were not tried for a minute, or of one platform all, go back into the inbox. Call it under the shard's lock. */
export async function retryShortages(
  tx: Tx,
  shardId: number,
  of: { readonly platformId: Id } | { readonly nowMs: Instant },
): Promise<number> {
  const [within, value] = 'platformId' in of ? ['platform_id = ?', of.platformId] : ['tried_ms <= ?', of.nowMs - RETRY_AFTER_MS];
  const rows = await tx.rows<{ instruction_id: string }>(
    `SELECT instruction_id FROM shortages WHERE shard_id = ? AND state = 'waiting' AND ${within} ORDER BY instruction_id LIMIT ${WAKE_MAX}`,
    [shardId, value],
  );
  return tryAgain(
    tx,
    shardId,
    rows.map((row) => asId(row.instruction_id)),
  );
}

async function tryAgain(tx: Tx, shardId: number, ids: readonly Id[]): Promise<number> {
  if (ids.length === 0) return 0;
  await tx.write(`UPDATE shortages SET state = 'trying' WHERE instruction_id IN (${ids.join()})`);
  await tx.write(`INSERT INTO inbox (shard_id, instruction_id) VALUES ${sql.tuples(ids.map((id) => `${shardId},${id}`))}`);
  return ids.length;
}

/** Shards with refunds that the sweep has to have tried again. */
export async function shardsWithShortages(tx: Tx, nowMs: Instant): Promise<number[]> {
  const rows = await tx.rows<{ shard_id: number }>(
    "SELECT DISTINCT shard_id FROM shortages WHERE state = 'waiting' AND tried_ms <= ?",
    [nowMs - RETRY_AFTER_MS],
  );
  return rows.map((row) => row.shard_id);
}

/** What is missing for these instructions, of those that wait for money. */
export async function missingOf(tx: Tx, ids: readonly Id[]): Promise<Map<Id, Minor>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.rows<{ instruction_id: string; missing: string }>(
    `SELECT instruction_id, missing FROM shortages WHERE instruction_id IN (${ids.join()}) AND state IN ('waiting', 'trying', 'cancelled')`,
  );
  return new Map(rows.map((row) => [asId(row.instruction_id), BigInt(row.missing)]));
}

/** Takes a refund out of the queue: it goes into the inbox to be refused. Call it under the shard's lock. Answers whether it waited. */
export async function cancelShortage(tx: Tx, { instruction, shardId, state }: Shortage): Promise<boolean> {
  if (state !== 'waiting' && state !== 'trying') return false;
  await tx.write("UPDATE shortages SET state = 'cancelled' WHERE instruction_id = ?", [instruction]);
  if (state === 'waiting') await tx.write('INSERT INTO inbox (shard_id, instruction_id) VALUES (?, ?)', [shardId, instruction]);
  return true;
}

export async function findShortage(tx: Tx, platformId: Id, instruction: Id): Promise<Shortage | undefined> {
  const rows = await tx.rows<ShortageRow>('SELECT * FROM shortages WHERE instruction_id = ? AND platform_id = ?', [
    instruction,
    platformId,
  ]);
  return (await withLines(tx, rows))[0];
}

/** Refunds of a platform that wait or have waited, oldest first. */
export async function listShortages(
  tx: Tx,
  { platformId, after, waiting }: { platformId: Id; after: Id | undefined; waiting: boolean },
  limit: number,
): Promise<Shortage[]> {
  const rows = await tx.rows<ShortageRow>(
    `SELECT * FROM shortages WHERE platform_id = ? AND instruction_id > ? ${waiting ? "AND state IN ('waiting', 'trying', 'cancelled')" : ''}
     ORDER BY instruction_id LIMIT ?`,
    [platformId, after ?? '0', limit],
  );
  return withLines(tx, rows);
}

/** What is owed to a platform and what was, oldest first. */
export async function listReceivables(
  tx: Tx,
  { platformId, after, open }: { platformId: Id; after: readonly [string, string]; open: boolean },
  limit: number,
): Promise<Receivable[]> {
  const rows = await tx.rows<ReceivableRow>(
    `SELECT * FROM receivables WHERE platform_id = ? AND (instruction_id > ? OR (instruction_id = ? AND account_id > ?))
     ${open ? 'AND open_of IS NOT NULL' : ''} ORDER BY instruction_id, account_id LIMIT ?`,
    [platformId, after[0], after[0], after[1], limit],
  );
  return rows.map(receivableOf);
}

/** Sets up to how much a platform may advance. Call it under the shard's lock. */
export async function setCeiling(tx: Tx, platformId: Id, ceiling: Minor): Promise<void> {
  await tx.write(
    `INSERT INTO advances (platform_id, ceiling, outstanding) VALUES (?, ?, 0) ON DUPLICATE KEY UPDATE ceiling = VALUES(ceiling)`,
    [platformId, String(ceiling)],
  );
}

/** Sets what the margin of a sub-account is filled up to. Call it under the shard's lock. */
export async function setMargin(tx: Tx, of: { accountId: Id; platformId: Id; marginId: Id; target: Minor }): Promise<void> {
  await tx.write(
    `INSERT INTO margins (account_id, platform_id, margin_id, target) VALUES (?, ?, ?, ?) ON DUPLICATE KEY UPDATE target = VALUES(target)`,
    [of.accountId, of.platformId, of.marginId, String(of.target)],
  );
}
