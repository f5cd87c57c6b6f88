import { asId, type Id, type Instant } from '../../kernel/index.js';
import type { Payout, PayoutPurpose } from '../../payouts/index.js';
import type { Tx } from '../../runtime/index.js';
import { renderText, type TextPurpose } from './rules.js';

/** A platform's name and its own words. */
export interface PlatformTexts {
  readonly name: string;
  readonly templates: ReadonlyMap<PayoutPurpose, string>;
}

export async function loadTexts(tx: Tx, platformIds: readonly Id[]): Promise<Map<Id, PlatformTexts>> {
  const found = new Map<Id, { name: string; templates: Map<PayoutPurpose, string> }>();
  if (platformIds.length === 0) return found;
  const rows = await tx.rows<{ id: string; name: string; purpose: PayoutPurpose | null; template: string | null }>(
    `SELECT p.id, p.name, t.purpose, t.template FROM platforms AS p LEFT JOIN payout_texts AS t ON t.platform_id = p.id
     WHERE p.id IN (${platformIds.join()})`,
  );
  for (const { id, name, purpose, template } of rows) {
    const texts = found.get(asId(id)) ?? { name, templates: new Map() };
    if (purpose !== null && template !== null) texts.templates.set(purpose, template);
    found.set(asId(id), texts);
  }
  return found;
}

/** Sets a platform's own words; null: none of its own any more. */
export async function setText(
  tx: Tx,
  { platformId, purpose, template }: { platformId: Id; purpose: TextPurpose; template: string | null },
  { by, atMs }: { by: string; atMs: Instant },
): Promise<void> {
  if (template === null) {
    await tx.write('DELETE FROM payout_texts WHERE platform_id = ? AND purpose = ?', [platformId, purpose]);
    return;
  }
  await tx.write(
    `INSERT INTO payout_texts (platform_id, purpose, template, set_by, set_ms) VALUES (?, ?, ?, ?, ?)
     ON DUPLICATE KEY UPDATE template = VALUES(template), set_by = VALUES(set_by), set_ms = VALUES(set_ms)`,
    [platformId, purpose, template, by, atMs],
  );
}

/**
 * What the payees of these are shown. What was handed to a channel before keeps its text, whatever its platform has set since: at the same channel
 * another content under one number is refused, and a payee who is told two things asks.
 */
export async function textsOf(tx: Tx, payouts: readonly Payout[]): Promise<Map<Id, string>> {
  const known = await sentTexts(tx, payouts);
  const fresh = payouts.filter(({ id }) => !known.has(id));
  const platforms = await loadTexts(tx, [...new Set(fresh.map(({ platformId }) => platformId))]);
  for (const payout of fresh) {
    const texts = platforms.get(payout.platformId);
    // What was sent before there were texts was sent with the purpose's name.
    const template = payout.state === 'created' ? texts?.templates.get(payout.purpose) : undefined;
    known.set(payout.id, renderText(template, { ...payout, platform: texts?.name ?? '' }));
  }
  return known;
}

async function sentTexts(tx: Tx, payouts: readonly Payout[]): Promise<Map<Id, string>> {
  const before = payouts.filter(({ attempts, state }) => attempts > 0 || state !== 'created').map(({ id }) => id);
  if (before.length === 0) return new Map();
  const rows = await tx.rows<{ payout_id: string; remark: string }>(
    `SELECT payout_id, remark FROM payout_attempts WHERE payout_id IN (${before.join()}) AND remark IS NOT NULL
     UNION SELECT payout_id, remark FROM dispatches WHERE payout_id IN (${before.join()}) AND remark IS NOT NULL`,
  );
  return new Map(rows.map(({ payout_id: id, remark }) => [asId(id), remark]));
}

/** Keeps, with the attempt that is about to end, what the payee would have been shown. */
export async function keepTexts(tx: Tx, payoutIds: readonly Id[]): Promise<void> {
  await tx.write(
    `UPDATE payout_attempts AS a JOIN dispatches AS d ON d.payout_id = a.payout_id SET a.remark = d.remark
     WHERE a.ended_ms IS NULL AND a.payout_id IN (${payoutIds.join()})`,
  );
}
