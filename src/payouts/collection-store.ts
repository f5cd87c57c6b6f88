import type { ChannelCode } from '../channels/index.js';
import { asId, type BusinessDate, type Id, type Minor } from '../kernel/index.js';
import type { RecordType } from '../ledger/index.js';
import { sql, type Tx } from '../runtime/index.js';

/**
 * A collection by a channel that pays over later, in one sum for many (渠道待清算): what became of its money. `settledBy` and `creditedBy` are the
 * instructions that moved it to custody and to its account; null: not yet.
 */
export interface Collection {
  readonly payoutId: Id;
  readonly platformId: Id;
  readonly channel: ChannelCode;
  readonly amount: Minor;
  /** It could be used inside the platform at once; else it is credited when the channel has paid it over. */
  readonly atOnce: boolean;
  /** Under which the statement shows the sum that it is part of; its own number until the channel has told another. */
  readonly reference: string;
  /** The business date whose statement is to show it. */
  readonly dueOn: BusinessDate;
  /** From when on what was usable at once may leave: by then the channel must have paid it over. */
  readonly clearsOn: BusinessDate;
  readonly settledBy: Id | null;
  readonly creditedBy: Id | null;
}

interface CollectionRow {
  payout_id: string;
  platform_id: string;
  channel: ChannelCode;
  amount: string;
  at_once: number;
  reference: string;
  due_on: BusinessDate;
  clears_on: BusinessDate;
  settled_by: string | null;
  credited_by: string | null;
}

function collectionOf(row: CollectionRow): Collection {
  return {
    payoutId: asId(row.payout_id),
    platformId: asId(row.platform_id),
    channel: row.channel,
    amount: BigInt(row.amount),
    atOnce: Number(row.at_once) === 1,
    reference: row.reference,
    dueOn: row.due_on,
    clearsOn: row.clears_on,
    settledBy: row.settled_by === null ? null : asId(row.settled_by),
    creditedBy: row.credited_by === null ? null : asId(row.credited_by),
  };
}

/** By payout id. */
export const collectionRecords: RecordType<Collection> = {
  name: 'collection',
  accountsOf: () => [],
  async load(tx, keys) {
    const rows = await tx.rows<CollectionRow>(`SELECT * FROM channel_collections WHERE payout_id IN (${keys.join()})`);
    return new Map(rows.map((row) => [row.payout_id, collectionOf(row)]));
  },
  saving(collections) {
    const rows = collections.map(
      (c) =>
        `${c.payoutId},${c.platformId},'${c.channel}',${c.amount},${c.atOnce ? 1 : 0},${sql.text(c.reference)},'${c.dueOn}',` +
        `'${c.clearsOn}',${c.settledBy ?? 'NULL'},${c.creditedBy ?? 'NULL'}`,
    );
    return `INSERT INTO channel_collections (payout_id, platform_id, channel, amount, at_once, reference, due_on, clears_on, settled_by,
         credited_by) VALUES ${sql.tuples(rows)}
       ON DUPLICATE KEY UPDATE settled_by = VALUES(settled_by), credited_by = VALUES(credited_by)`;
  },
};

/** The two accounts of a platform's book by which such collections pass; opened by the first of them. */
export interface ChannelAccounts {
  readonly platformId: Id;
  /** What channels owe: below zero, as custody is. */
  readonly dueId: Id;
  /** What was collected and is not credited yet. */
  readonly collectedId: Id;
}

/** By platform id. */
export const channelAccountRecords: RecordType<ChannelAccounts> = {
  name: 'channel-accounts',
  accountsOf: ({ dueId, collectedId }) => [dueId, collectedId],
  async load(tx, keys) {
    const rows = await tx.rows<{ platform_id: string; due_id: string; collected_id: string }>(
      `SELECT platform_id, due_id, collected_id FROM channel_accounts WHERE platform_id IN (${keys.join()})`,
    );
    return new Map(
      rows.map((row) => [
        row.platform_id,
        { platformId: asId(row.platform_id), dueId: asId(row.due_id), collectedId: asId(row.collected_id) },
      ]),
    );
  },
  saving: (all) =>
    `INSERT INTO channel_accounts (platform_id, due_id, collected_id)
     VALUES ${sql.tuples(all.map((a) => `${a.platformId},${a.dueId},${a.collectedId}`))}
     ON DUPLICATE KEY UPDATE due_id = channel_accounts.due_id`,
};

/** What is to be paid over under one reference, as far as it was not. */
export interface DueSum {
  readonly reference: string;
  readonly channel: ChannelCode;
  readonly amount: Minor;
  /** The first date whose statement is to show it. */
  readonly dueOn: BusinessDate;
  /** The first date on which some of it may leave; null: none of it was usable at once. */
  readonly clearsOn: BusinessDate | null;
}

export async function dueSums(tx: Tx, platformId: Id): Promise<DueSum[]> {
  const rows = await tx.rows<{
    reference: string;
    channel: ChannelCode;
    amount: string;
    due_on: BusinessDate;
    clears_on: BusinessDate | null;
  }>(
    `SELECT reference, channel, CAST(SUM(amount) AS CHAR) AS amount, MIN(due_on) AS due_on, MIN(IF(at_once = 1, clears_on, NULL)) AS clears_on
     FROM channel_collections WHERE platform_id = ? AND settled_by IS NULL GROUP BY reference, channel`,
    [platformId],
  );
  return rows.map((row) => ({
    reference: row.reference,
    channel: row.channel,
    amount: BigInt(row.amount),
    dueOn: row.due_on,
    clearsOn: row.clears_on,
  }));
}

/** Collections of a reference that were not paid over yet. */
export async function dueCollections(tx: Tx, platformId: Id, reference: string, limit: number): Promise<Collection[]> {
  const rows = await tx.rows<CollectionRow>(
    'SELECT * FROM channel_collections WHERE platform_id = ? AND settled_by IS NULL AND reference = ? ORDER BY payout_id LIMIT ?',
    [platformId, reference, limit],
  );
  return rows.map(collectionOf);
}

/** Collections that were paid over and not credited to their accounts yet. */
export async function uncreditedCollections(tx: Tx, platformId: Id, limit: number): Promise<Collection[]> {
  const rows = await tx.rows<CollectionRow>(
    `SELECT * FROM channel_collections WHERE platform_id = ? AND credited_by IS NULL AND settled_by IS NOT NULL
     ORDER BY payout_id LIMIT ?`,
    [platformId, limit],
  );
  return rows.map(collectionOf);
}

/** Notes under which reference, and when, a channel pays collections over, as it tells. What was paid over stays as it is. */
export async function notePaidOver(
  tx: Tx,
  told: readonly { readonly payoutId: Id; readonly reference: string; readonly dueOn: BusinessDate }[],
): Promise<void> {
  for (const { payoutId, reference, dueOn } of told)
    await tx.write('UPDATE channel_collections SET reference = ?, due_on = ? WHERE payout_id = ? AND settled_by IS NULL', [
      reference,
      dueOn,
      payoutId,
    ]);
}

/** At-once collections that their channel pays over later than what was made of them may leave; open ones alone. */
export async function promisedTooLate(tx: Tx, payoutIds: readonly Id[]): Promise<(Collection & { readonly shardId: number })[]> {
  if (payoutIds.length === 0) return [];
  const rows = await tx.rows<CollectionRow & { shard_id: number }>(
    `SELECT c.*, b.shard_id FROM channel_collections AS c JOIN books AS b ON b.platform_id = c.platform_id
     WHERE c.payout_id IN (${payoutIds.join()}) AND c.settled_by IS NULL AND c.at_once = 1 AND c.due_on >= c.clears_on ORDER BY c.payout_id`,
  );
  return rows.map((row) => ({ ...collectionOf(row), shardId: Number(row.shard_id) }));
}

/** What was made of a collection may leave on another date. Call it under the shard's lock, with its slices. */
export async function setClearsOn(tx: Tx, payoutId: Id, clearsOn: BusinessDate): Promise<void> {
  await tx.write('UPDATE channel_collections SET clears_on = ? WHERE payout_id = ?', [clearsOn, payoutId]);
}
