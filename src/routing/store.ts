import type { ChannelCode } from '../channels/index.js';
import { asId, type BusinessDate, type Id, type Instant } from '../kernel/index.js';
import type { Tx } from '../runtime/index.js';
import { type ChannelTable, channelTable, type Outage, type TermsRow, termsSchema } from './terms.js';

interface OutageRow {
  id: string;
  channel: ChannelCode;
  from_ms: string;
  to_ms: string | null;
  reason: string;
}

/** All terms, and every outage that was not over at a moment. @throws when stored terms cannot be read: nothing is routed by half of them */
export async function loadChannelTable(tx: Tx, since: Instant): Promise<ChannelTable> {
  const terms = await tx.rows<{ channel: ChannelCode; valid_from: BusinessDate; terms: string; source: string }>(
    'SELECT channel, valid_from, terms, source FROM channel_terms ORDER BY channel, valid_from',
  );
  const rows = terms.map(
    ({ channel, valid_from: validFrom, terms: text, source }): TermsRow => ({
      ...{ channel, validFrom, source },
      terms: termsSchema.parse(JSON.parse(text)),
    }),
  );
  return channelTable(rows, await outagesSince(tx, since));
}

/** Of all channels, by the time at which they begin. */
export async function outagesSince(tx: Tx, since: Instant): Promise<Outage[]> {
  const rows = await tx.rows<OutageRow>(
    `SELECT id, channel, from_ms, to_ms, reason FROM channel_outages
     WHERE to_ms IS NULL OR (to_ms > ? AND to_ms > from_ms)
     ORDER BY from_ms, id`,
    [since],
  );
  return rows.map(outageOf);
}

function outageOf({ id, channel, from_ms: from, to_ms: to, reason }: OutageRow): Outage {
  return { id: asId(id), channel, fromMs: Number(from) as Instant, toMs: to === null ? null : (Number(to) as Instant), reason };
}

/** @throws a duplicate-key error when the channel has terms from that day on: what was in force is never rewritten */
export async function addTerms(tx: Tx, { channel, validFrom, terms, source }: TermsRow): Promise<void> {
  await tx.write('INSERT INTO channel_terms (channel, valid_from, terms, source) VALUES (?, ?, ?, ?)', [
    channel,
    validFrom,
    JSON.stringify(terms),
    source,
  ]);
}

export async function findOutage(tx: Tx, id: Id): Promise<Outage | undefined> {
  const [row] = await tx.rows<OutageRow>('SELECT id, channel, from_ms, to_ms, reason FROM channel_outages WHERE id = ?', [id]);
  return row && outageOf(row);
}

export async function addOutage(tx: Tx, outage: Outage, by: { readonly name: string; readonly nowMs: Instant }): Promise<void> {
  const { id, channel, fromMs, toMs, reason } = outage;
  await tx.write(
    'INSERT INTO channel_outages (id, channel, from_ms, to_ms, reason, entered_by, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?)',
    [id, channel, fromMs, toMs, reason, by.name, by.nowMs],
  );
}

/** Ends an outage at a moment, or before it began calls it off. @returns whether it was not over yet */
export async function endOutage(tx: Tx, id: Id, at: Instant): Promise<boolean> {
  return (
    (await tx.write('UPDATE channel_outages SET to_ms = GREATEST(from_ms, ?) WHERE id = ? AND (to_ms IS NULL OR to_ms > ?)', [
      at,
      id,
      at,
    ])) === 1
  );
}
