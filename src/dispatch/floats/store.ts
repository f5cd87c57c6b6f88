import { type ChannelCode, hasFloat } from '../../channels/index.js';
import { asId, type BusinessDate, type Id, type Instant, type Minor, naturalDate } from '../../kernel/index.js';
import { isDuplicateKey, sql, type Tx } from '../../runtime/index.js';

/** The bank's own money in a channel (备付金), fen. */
export interface Float {
  readonly channel: ChannelCode;
  /** What is there when all that is final is booked. */
  readonly balance: Minor;
  /** For payouts that are to go out by it and are not final. */
  readonly reserved: Minor;
  /** Staff is told when less than this is free. */
  readonly alertBelow: Minor | null;
  /** What the channel itself said was free, and when by the wall. */
  readonly told: Minor | null;
  readonly toldMs: Instant | null;
  /** What it told less what it should have: what only we know to be on its way is not missed. */
  readonly difference: Minor | null;
  /** Wall time since when it has told something else each time; null while it tells what it should. */
  readonly differsMs: Instant | null;
}

interface FloatRow {
  channel: ChannelCode;
  balance: string;
  reserved: string;
  alert_below: string | null;
  told: string | null;
  told_ms: string | null;
  difference: string | null;
  differs_ms: string | null;
}

const orNull = (value: string | null): bigint | null => (value === null ? null : BigInt(value));
const timeOrNull = (value: string | null): Instant | null => (value === null ? null : (Number(value) as Instant));

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
        toldMs: timeOrNull(row.told_ms),
        difference: orNull(row.difference),
        differsMs: timeOrNull(row.differs_ms),
      },
    ]),
  );
}

/** What happened to a float: `opening` it was there; `spent` by payouts; `returned` they came back; `transfer` people moved it. */
export const FLOAT_ENTRY_KINDS = ['opening', 'spent', 'returned', 'transfer'] as const;
export interface FloatEntry {
  readonly id: Id;
  readonly channel: ChannelCode;
  readonly kind: (typeof FLOAT_ENTRY_KINDS)[number];
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
export async function openFloat(
  tx: Tx,
  entryId: Id,
  { channel, balance }: Pick<Float, 'channel' | 'balance'>,
  { nowMs, wallMs }: { readonly nowMs: Instant; readonly wallMs: Instant },
): Promise<void> {
  try {
    await tx.write(
      `INSERT INTO channel_floats (channel, balance, reserved, told, told_ms, difference, changed_ms) VALUES (?, ?, 0, ?, ?, 0, ?)`,
      [channel, balance.toString(), balance.toString(), wallMs, nowMs],
    );
  } catch (error) {
    if (isDuplicateKey(error)) return;
    throw error;
  }
  await insertEntries(tx, [{ id: entryId, channel, kind: 'opening', amount: balance, payments: 0 }], nowMs);
}

/** Writes down what a channel told, and by how much it is not what the books say. */
export async function noteTold(
  tx: Tx,
  { channel, told, toldMs, difference, differsMs }: Pick<Float, 'channel' | 'told' | 'toldMs' | 'difference' | 'differsMs'>,
): Promise<void> {
  const [isTold, isOff] = [String(told), String(difference)];
  await tx.write('UPDATE channel_floats SET told = ?, told_ms = ?, difference = ?, differs_ms = ? WHERE channel = ?', [
    ...[isTold, toldMs, isOff, differsMs, channel],
  ]);
}

/** @returns whether a float of this channel is known */
export async function setAlert(tx: Tx, channel: ChannelCode, below: Minor | null, nowMs: Instant): Promise<boolean> {
  const set = await tx.write(
    'UPDATE channel_floats SET alert_below = ?, changed_ms = GREATEST(changed_ms + 1, ?) WHERE channel = ?',
    [below === null ? null : below.toString(), nowMs, channel],
  );
  return set === 1;
}

/** What payouts that were given to a channel and that it has not heard of will take, fen by channel. */
export async function unheard(tx: Tx): Promise<Map<ChannelCode, Minor>> {
  const rows = await tx.rows<{ channel: ChannelCode; amount: string }>(
    `SELECT channel, SUM(amount) AS amount FROM payouts
     WHERE shard_id IN (SELECT id FROM shards) AND state = 'created' AND channel IS NOT NULL GROUP BY channel`,
  );
  return new Map(rows.map(({ channel, amount }) => [channel, BigInt(amount)]));
}

/** What payouts took out of each float on a natural day, fen; of the days on which any channel was given anything. */
export async function spentBetween(
  tx: Tx,
  from: BusinessDate,
  to: BusinessDate,
): Promise<{ channel: ChannelCode; date: BusinessDate; spent: Minor }[]> {
  const rows = await tx.rows<{ channel: ChannelCode; on_date: BusinessDate; spent: string }>(
    'SELECT channel, on_date, spent FROM channel_days WHERE on_date >= ? AND on_date <= ? ORDER BY on_date, channel',
    [from, to],
  );
  return rows.map(({ channel, on_date: date, spent }) => ({ channel, date, spent: BigInt(spent) }));
}

async function addSpent(tx: Tx, date: BusinessDate, channel: ChannelCode, spent: Minor): Promise<void> {
  await tx.write(
    'INSERT INTO channel_days (channel, on_date, carried, spent) VALUES (?, ?, 0, ?) ON DUPLICATE KEY UPDATE spent = spent + VALUES(spent)',
    [channel, date, spent.toString()],
  );
}

/** Changes what is reserved in a channel. */
export async function reserve(tx: Tx, channel: ChannelCode, amount: Minor): Promise<void> {
  if (hasFloat(channel))
    await tx.write('UPDATE channel_floats SET reserved = reserved + ? WHERE channel = ?', [String(amount), channel]);
}

/** Books entries, each on the float of its channel. */
export async function bookEntries(tx: Tx, entries: readonly FloatEntry[], nowMs: Instant): Promise<void> {
  for (const { channel, amount, kind } of entries) {
    await tx.write('UPDATE channel_floats SET balance = balance + ? WHERE channel = ?', [amount.toString(), channel]);
    if (kind === 'spent') await addSpent(tx, naturalDate(nowMs), channel, -amount);
  }
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

/** An entry with what was there after it. */
export interface BookedEntry extends FloatEntry {
  readonly balanceAfter: Minor;
  readonly atMs: Instant;
}

/** Of a channel's entries, the latest first, those before one of them. */
export async function listEntries(
  tx: Tx,
  { channel, before }: { readonly channel: ChannelCode; readonly before: Id | undefined },
  limit: number,
): Promise<BookedEntry[]> {
  const rows = await tx.rows<{
    id: string;
    kind: FloatEntry['kind'];
    amount: string;
    balance_after: string;
    payments: number;
    transfer_id: string | null;
    at_ms: string;
  }>(
    `SELECT id, kind, amount, balance_after, payments, transfer_id, at_ms FROM float_entries
     WHERE channel = ? ${before === undefined ? '' : 'AND id < ?'} ORDER BY id DESC LIMIT ?`,
    before === undefined ? [channel, limit] : [channel, before, limit],
  );
  return rows.map((row) => ({
    ...{ id: asId(row.id), channel, kind: row.kind, payments: row.payments },
    ...{ amount: BigInt(row.amount), balanceAfter: BigInt(row.balance_after), atMs: Number(row.at_ms) as Instant },
    ...(row.transfer_id === null ? {} : { transferId: asId(row.transfer_id) }),
  }));
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
