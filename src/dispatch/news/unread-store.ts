import type { ChannelCode } from '../../channels/index.js';
import type { Instant } from '../../kernel/index.js';
import type { Tx } from '../../runtime/index.js';

/** A message of a channel that could not be read, without its text. */
export interface ListedMessage {
  readonly channel: ChannelCode;
  /** Where it lay in the channel's feed. */
  readonly place: string;
  readonly reason: string;
  readonly keptMs: Instant;
}

export interface KeptMessage extends ListedMessage {
  readonly textSealed: string;
}

/** Keeps a message; one of the same place that is kept already stays as it is. */
export async function keepUnread(tx: Tx, { channel, place, reason, keptMs, textSealed }: KeptMessage): Promise<void> {
  await tx.write(
    `INSERT INTO unread_messages (channel, place, reason, text_sealed, kept_ms) VALUES (?, ?, ?, ?, ?)
     ON DUPLICATE KEY UPDATE place = unread_messages.place`,
    [channel, place, reason, textSealed, keptMs],
  );
}

interface MessageRow {
  channel: ChannelCode;
  place: string;
  reason: string;
  kept_ms: string;
}

/** By channel and place. */
export async function listUnread(
  tx: Tx,
  { channel, after }: { channel: ChannelCode | undefined; after: readonly [channel: string, place: string] },
  limit: number,
): Promise<ListedMessage[]> {
  const only = channel === undefined ? '' : 'AND channel = ?';
  const rows = await tx.rows<MessageRow>(
    `SELECT channel, place, reason, kept_ms FROM unread_messages
     WHERE (channel > ? OR (channel = ? AND place > ?)) ${only} ORDER BY channel, place LIMIT ?`,
    [after[0], ...after, ...(channel === undefined ? [] : [channel]), limit],
  );
  return rows.map(listedOf);
}

export async function findUnread(tx: Tx, channel: ChannelCode, place: string): Promise<KeptMessage | undefined> {
  const [row] = await tx.rows<MessageRow & { text_sealed: string }>(
    'SELECT channel, place, reason, kept_ms, text_sealed FROM unread_messages WHERE channel = ? AND place = ?',
    [channel, place],
  );
  return row === undefined ? undefined : { ...listedOf(row), textSealed: row.text_sealed };
}

function listedOf({ channel, place, reason, kept_ms: keptMs }: MessageRow): ListedMessage {
  return { channel, place, reason, keptMs: Number(keptMs) as Instant };
}
