import { type ChannelCode, hasFloat } from '../../channels/index.js';
import { asId, type Id, type Instant, type Minor } from '../../kernel/index.js';
import { sql, type Tx } from '../../runtime/index.js';

/** The bank's own money in a channel (备付金), fen. */
export interface Float {
  readonly channel: ChannelCode;
  /** What is there when all that is final is booked. */
  readonly balance: Minor;
  /** For payouts that are to go out by it and are not final. */
  readonly reserved: Minor;
  /** Staff is told when less than this is free. */
  readonly alertBelow: Minor | null;
  /** What the channel itself said was free, and when. */
  readonly told: Minor | null;
  readonly toldMs: Instant | null;
}

interface FloatRow {
  channel: ChannelCode;
  balance: string;
  reserved: string;
  alert_below: string | null;
  told: string | null;
  told_ms: string | null;
}

const orNull = (value: string | null): bigint | null => (value === null ? null : BigInt(value));

/** Every float that is known, by channel. */
export async function loadFloats(tx: Tx): Promise<Map<ChannelCode, Float>> {
  const rows = await tx.rows<FloatRow>('SELECT * FROM channel_floats ORDER BY channel');
  return new Map(
    rows.map((row) => [
      row.channel,
      {
        channel: row.channel,
        balance: BigInt(row.balance),
        reserved: BigInt(row.reserved),
        alertBelow: orNull(row.alert_below),
        told: orNull(row.told),
        toldMs: row.told_ms === null ? null : (Number(row.told_ms) as Instant),
      },
    ]),
  );
}

/** What happened to a float: `opening` it was there; `spent` by payouts; `returned` they came back; `transfer` people moved it. */
export interface FloatEntry {
  readonly id: Id;
  readonly channel: ChannelCode;
  readonly kind: 'opening' | 'spent' | 'returned' | 'transfer';
  /** Fen; below zero it went away. */
  readonly amount: Minor;
  readonly payments: number;
  readonly transferId?: Id;
}

/**
 * Takes the writing of all floats for this commit, always before any payout's row: whoever plans, books or moves floats takes turns.
 * The row of a channel that has none yet is made by `openFloat`.
 */
export async function takeFloats(tx: Tx, nowMs: Instant): Promise<Map<ChannelCode, Float>> {
  await tx.write('UPDATE channel_floats SET changed_ms = GREATEST(changed_ms + 1, ?) ORDER BY channel', [nowMs]);
  return loadFloats(tx);
}

/** Writes down what a channel says that is there, where nothing is known yet; doing it twice changes nothing. */
export async function openFloat(tx: Tx, entryId: Id, channel: ChannelCode, balance: Minor, nowMs: Instant): Promise<void> {
  const made = await tx.write(
    'INSERT IGNORE INTO channel_floats (channel, balance, reserved, told, told_ms, changed_ms) VALUES (?, ?, 0, ?, ?, ?)',
    [channel, balance.toString(), balance.toString(), nowMs, nowMs],
  );
  if (made === 1) await insertEntries(tx, [{ id: entryId, channel, kind: 'opening', amount: balance, payments: 0 }], nowMs);
}

export async function noteTold(tx: Tx, channel: ChannelCode, told: Minor, nowMs: Instant): Promise<void> {
  await tx.write('UPDATE channel_floats SET told = ?, told_ms = ? WHERE channel = ?', [told.toString(), nowMs, channel]);
}

/** Changes what is reserved in a channel. */
export async function reserve(tx: Tx, channel: ChannelCode, amount: Minor): Promise<void> {
  if (hasFloat(channel))
    await tx.write('UPDATE channel_floats SET reserved = reserved + ? WHERE channel = ?', [String(amount), channel]);
}

/** Books entries, each on the float of its channel. */
export async function bookEntries(tx: Tx, entries: readonly FloatEntry[], nowMs: Instant): Promise<void> {
  for (const { channel, amount } of entries)
    await tx.write('UPDATE channel_floats SET balance = balance + ? WHERE channel = ?', [amount.toString(), channel]);
  await insertEntries(tx, entries, nowMs);
}

async function insertEntries(tx: Tx, entries: readonly FloatEntry[], nowMs: Instant): Promise<void> {
  for (const { id, channel, kind, amount, payments, transferId } of entries)
    await tx.write(
      `INSERT INTO float_entries (id, channel, kind, amount, balance_after, payments, transfer_id, at_ms)
       SELECT ?, channel, ?, ?, balance, ?, ?, ? FROM channel_floats WHERE channel = ?`,
      [id, kind, amount.toString(), payments, transferId ?? null, nowMs, channel],
    );
}

/** An attempt whose float is not booked as it ended. */
export interface Unbooked {
  readonly payoutId: Id;
  readonly attempt: number;
  readonly channel: ChannelCode;
  readonly amount: Minor;
  readonly becomes: 'spent' | 'free' | 'back';
}

interface UnbookedRow {
  payout_id: string;
  attempt: number;
  channel: ChannelCode;
  amount: string;
  becomes: Unbooked['becomes'];
}

/** Attempts that ended, or whose payout is final, while their float is still reserved; oldest payouts first. */
export async function unbooked(tx: Tx, limit: number): Promise<Unbooked[]> {
  const rows = await tx.rows<UnbookedRow>(
    `SELECT a.payout_id, a.attempt, a.channel, p.amount,
       CASE WHEN a.ended_ms IS NULL AND p.state IN ('settled', 'returned') THEN 'spent' ELSE 'free' END AS becomes
     FROM payout_attempts AS a JOIN payouts AS p ON p.id = a.payout_id
     WHERE a.float_state = 'reserved' AND (a.ended_ms IS NOT NULL OR p.state IN ('settled', 'failed', 'returned'))
     ORDER BY a.payout_id LIMIT ?`,
    [limit],
  );
  return rows.map(unbookedOf);
}

/** Of these payouts, those that came back and whose float does not have it yet. */
export async function unrestored(tx: Tx, payoutIds: readonly Id[]): Promise<Unbooked[]> {
  const rows = await tx.rows<UnbookedRow>(
    `SELECT a.payout_id, a.attempt, a.channel, p.amount, 'back' AS becomes
     FROM payout_attempts AS a JOIN payouts AS p ON p.id = a.payout_id
     WHERE a.payout_id IN (${payoutIds.join()}) AND a.float_state = 'spent' AND p.state = 'returned' ORDER BY a.payout_id`,
  );
  return rows.map(unbookedOf);
}

function unbookedOf(row: UnbookedRow): Unbooked {
  const { attempt, channel, becomes } = row;
  return { payoutId: asId(row.payout_id), attempt, channel, amount: BigInt(row.amount), becomes };
}

/** Marks them as booked; the condition keeps two runs from booking one twice. @returns those that were not booked before */
export async function markBooked(tx: Tx, found: readonly Unbooked[]): Promise<Unbooked[]> {
  const first = found[0];
  if (first === undefined) return [];
  const from = first.becomes === 'back' ? 'spent' : 'reserved';
  const keys = found.map(({ payoutId, attempt }) => `(${payoutId},${attempt})`);
  const still = await tx.rows<{ payout_id: string; attempt: number }>(
    `SELECT payout_id, attempt FROM payout_attempts WHERE float_state = '${from}' AND (payout_id, attempt) IN (${keys.join()}) FOR UPDATE`,
  );
  const there = new Set(still.map((row) => `${row.payout_id}/${row.attempt}`));
  const booked = found.filter(({ payoutId, attempt }) => there.has(`${payoutId}/${attempt}`));
  const rows = booked.map(({ payoutId, attempt, becomes }) => ({ key: `(${payoutId},${attempt})`, becomes }));
  for (const becomes of ['spent', 'free', 'back'] as const) {
    const group = rows.filter((row) => row.becomes === becomes).map((row) => row.key);
    if (group.length > 0)
      await tx.write(
        `UPDATE payout_attempts SET float_state = ${sql.text(becomes)} WHERE (payout_id, attempt) IN (${group.join()})`,
      );
  }
  return booked;
}
