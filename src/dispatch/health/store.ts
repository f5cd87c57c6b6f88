import { CHANNELS, type ChannelCode } from '../../channels/index.js';
import type { Instant } from '../../kernel/index.js';
import type { PayoutState } from '../../payouts/index.js';
import type { Tx } from '../../runtime/index.js';
import type { Circuit } from './rules.js';

/** Every channel by name, so that the key by channel and minute is used. */
const EVERY = CHANNELS.map((channel) => `'${channel}'`).join();

/** Calls of one minute; times in milliseconds. */
export interface Minute {
  readonly channel: ChannelCode;
  readonly minuteMs: Instant;
  readonly answered: number;
  readonly unanswered: number;
  readonly latencyMs: number;
  readonly latencyMaxMs: number;
}

/** Adds calls to what is known of their minute. */
export async function addMinute(tx: Tx, minute: Minute): Promise<void> {
  const { channel, minuteMs, answered, unanswered, latencyMs, latencyMaxMs } = minute;
  await tx.write(
    `INSERT INTO channel_minutes (channel, minute_ms, answered, unanswered, latency_ms, latency_max_ms) VALUES (?, ?, ?, ?, ?, ?)
     ON DUPLICATE KEY UPDATE answered = answered + VALUES(answered), unanswered = unanswered + VALUES(unanswered),
       latency_ms = latency_ms + VALUES(latency_ms), latency_max_ms = GREATEST(latency_max_ms, VALUES(latency_max_ms))`,
    [channel, minuteMs, answered, unanswered, latencyMs, latencyMaxMs],
  );
}

/** @param sinceMs the beginning of the first minute that is wanted */
export async function minutesSince(tx: Tx, sinceMs: Instant): Promise<Minute[]> {
  const rows = await tx.rows<
    Record<'minute_ms' | 'answered' | 'unanswered' | 'latency_ms' | 'latency_max_ms', string> & { channel: ChannelCode }
  >(`SELECT * FROM channel_minutes WHERE channel IN (${EVERY}) AND minute_ms >= ? ORDER BY channel, minute_ms`, [sinceMs]);
  return rows.map((row) => ({
    channel: row.channel,
    minuteMs: Number(row.minute_ms) as Instant,
    answered: Number(row.answered),
    unanswered: Number(row.unanswered),
    latencyMs: Number(row.latency_ms),
    latencyMaxMs: Number(row.latency_max_ms),
  }));
}

/** What nobody looks at any more goes. */
export async function forgetMinutes(tx: Tx, beforeMs: Instant): Promise<void> {
  await tx.write(`DELETE FROM channel_minutes WHERE channel IN (${EVERY}) AND minute_ms < ?`, [beforeMs]);
}

export async function loadCircuits(tx: Tx): Promise<Map<ChannelCode, Circuit>> {
  const rows = await tx.rows<{ channel: ChannelCode; unanswered: number; unanswered_ms: string }>(
    'SELECT * FROM channel_circuits',
  );
  return new Map(
    rows.map(({ channel, unanswered, unanswered_ms: ms }) => [channel, { unanswered, unansweredMs: Number(ms) as Instant }]),
  );
}

/** One more call in vain. */
export async function noteUnanswered(tx: Tx, channel: ChannelCode, nowMs: Instant): Promise<void> {
  await tx.write(
    `INSERT INTO channel_circuits (channel, unanswered, unanswered_ms) VALUES (?, 1, ?)
     ON DUPLICATE KEY UPDATE unanswered = unanswered + 1, unanswered_ms = VALUES(unanswered_ms)`,
    [channel, nowMs],
  );
}

/** It answers. */
export async function endUnanswered(tx: Tx, channel: ChannelCode): Promise<void> {
  await tx.write('UPDATE channel_circuits SET unanswered = 0 WHERE channel = ? AND unanswered > 0', [channel]);
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
