import type { ChannelCode } from '../../channels/index.js';
import type { Instant } from '../../kernel/index.js';
import type { Tx } from '../../runtime/index.js';

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
