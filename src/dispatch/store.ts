import { asId, type BusinessDate, type Id, type Instant } from '../kernel/index.js';
import { sql, type Tx } from '../runtime/index.js';

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
