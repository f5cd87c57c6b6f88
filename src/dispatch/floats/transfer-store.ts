import type { ChannelCode } from '../../channels/index.js';
import { asId, type Id, type Instant, type Minor } from '../../kernel/index.js';
import { isDuplicateKey, type Tx } from '../../runtime/index.js';
import { type FloatTransferState, isOpen } from './states.js';

/** Who proposes when nobody does. */
export const SYSTEM = 'system';

/** The bank's own money on its way from one channel to another; null: its own vault. */
export interface FloatTransfer {
  /** The reference under which the core bank is told, for ever. */
  readonly id: Id;
  readonly from: ChannelCode | null;
  readonly to: ChannelCode | null;
  /** Fen, above zero. */
  readonly amount: Minor;
  readonly reason: string;
  readonly state: FloatTransferState;
  /** An operator's id, or `system`. */
  readonly proposedBy: string;
  readonly proposedMs: Instant;
  readonly decidedBy: string | null;
  readonly decidedMs: Instant | null;
  /** What the second person, or the core bank, had to say. */
  readonly note: string | null;
  readonly endedMs: Instant | null;
}

interface Row {
  id: string;
  from_channel: ChannelCode | null;
  to_channel: ChannelCode | null;
  amount: string;
  reason: string;
  state: FloatTransferState;
  proposed_by: string;
  proposed_ms: string;
  decided_by: string | null;
  decided_ms: string | null;
  note: string | null;
  ended_ms: string | null;
}

const timeOrNull = (value: string | null): Instant | null => (value === null ? null : (Number(value) as Instant));

function transferOf(row: Row): FloatTransfer {
  return {
    id: asId(row.id),
    from: row.from_channel,
    to: row.to_channel,
    amount: BigInt(row.amount),
    reason: row.reason,
    state: row.state,
    proposedBy: row.proposed_by,
    proposedMs: Number(row.proposed_ms) as Instant,
    decidedBy: row.decided_by,
    decidedMs: timeOrNull(row.decided_ms),
    note: row.note,
    endedMs: timeOrNull(row.ended_ms),
  };
}

/** @returns whether there was none open between the two, so that it was written down */
export async function insertTransfer(tx: Tx, of: FloatTransfer): Promise<boolean> {
  try {
    await tx.write(
      `INSERT INTO float_transfers (id, from_channel, to_channel, amount, reason, state, proposed_by, proposed_ms, open_pair)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [of.id, of.from, of.to, of.amount.toString(), of.reason, of.state, of.proposedBy, of.proposedMs, pairOf(of)],
    );
    return true;
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return false;
  }
}

function pairOf({ from, to }: Pick<FloatTransfer, 'from' | 'to'>): string {
  return `${from ?? 'vault'}>${to ?? 'vault'}`;
}

export async function findTransfer(tx: Tx, id: Id): Promise<FloatTransfer | undefined> {
  const [row] = await tx.rows<Row>('SELECT * FROM float_transfers WHERE id = ?', [id]);
  return row === undefined ? undefined : transferOf(row);
}

/** The latest first, those before one of them. */
export async function listTransfers(
  tx: Tx,
  { state, before }: { readonly state: FloatTransferState | undefined; readonly before: Id | undefined },
  limit: number,
): Promise<FloatTransfer[]> {
  const conditions = [...(state === undefined ? [] : ['state = ?']), ...(before === undefined ? [] : ['id < ?'])];
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const values = [state, before].filter((value) => value !== undefined);
  const rows = await tx.rows<Row>(`SELECT * FROM float_transfers ${where} ORDER BY id DESC LIMIT ?`, [...values, limit]);
  return rows.map(transferOf);
}

/** Those that the core bank is to be told of, oldest first. */
export async function approvedTransfers(tx: Tx, limit: number): Promise<FloatTransfer[]> {
  return (await tx.rows<Row>("SELECT * FROM float_transfers WHERE state = 'approved' ORDER BY id LIMIT ?", [limit])).map(
    transferOf,
  );
}

/** Those that are open, and those that people rejected since a moment. */
export async function transfersThatCount(tx: Tx, rejectedSince: Instant): Promise<FloatTransfer[]> {
  const rows = await tx.rows<Row>(
    "SELECT * FROM float_transfers WHERE open_pair IS NOT NULL OR (state = 'rejected' AND decided_ms >= ?) ORDER BY id",
    [rejectedSince],
  );
  return rows.map(transferOf);
}

/** What a person decides. @returns whether it was still `from`; of two who decide at once the second waits, and then it is not */
export async function decideTransfer(
  tx: Tx,
  id: Id,
  { state, by, atMs, note }: { state: 'approved' | 'rejected'; by: string; atMs: Instant; note: string | null },
): Promise<boolean> {
  const changed = await tx.write(
    `UPDATE float_transfers SET state = ?, decided_by = ?, decided_ms = ?, note = ?, open_pair = ${isOpen(state) ? 'open_pair' : 'NULL'}
     WHERE id = ? AND state = 'proposed'`,
    [state, by, atMs, note, id],
  );
  return changed === 1;
}

/** What the core bank answered. @returns whether it was not known before */
export async function endTransfer(
  tx: Tx,
  id: Id,
  { state, atMs, note }: { state: 'moved' | 'failed'; atMs: Instant; note: string | null },
): Promise<boolean> {
  const changed = await tx.write(
    `UPDATE float_transfers SET state = ?, ended_ms = ?, note = COALESCE(?, note), open_pair = NULL WHERE id = ? AND state = 'approved'`,
    [state, atMs, note, id],
  );
  return changed === 1;
}
