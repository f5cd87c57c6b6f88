import { asId, type Id } from '../kernel/index.js';
import type { RecordType } from '../ledger/index.js';
import { sql, type Tx } from '../runtime/index.js';
import { type Hold, holdRecords, holdRemaining } from './store.js';

/** The holds of a platform for one purpose that have something left. */
export interface HoldsForPurpose {
  readonly platformId: Id;
  /** The oldest; one more than may be freed at once, where there are more. */
  readonly holds: readonly Id[];
  /** How many there are in all. */
  readonly total: number;
}

/** How many holds are freed at once. */
export const RELEASE_MAX = 500;

export function purposeKey(platformId: Id, purpose: string): string {
  return `${platformId}/${purpose}`;
}

function openFor(key: string): string {
  return `platform_id = ${asId(key.slice(0, 19))} AND purpose = ${sql.text(key.slice(20))} AND amount > captured + released`;
}

async function countOf(tx: Tx, key: string): Promise<number> {
  const [row] = await tx.rows<{ n: string }>(`SELECT COUNT(*) AS n FROM holds WHERE ${openFor(key)}`);
  return Number(row?.n);
}

/** By platform and purpose; read from the holds, stored nowhere, and following them within a batch. */
export const holdsForPurposeRecords: RecordType<HoldsForPurpose> = {
  name: 'holds-for-purpose',
  accountsOf: () => [],
  async load(tx, keys) {
    const found = new Map<string, HoldsForPurpose>();
    for (const key of keys) {
      const platformId = asId(key.slice(0, 19));
      const rows = await tx.rows<{ id: string }>(
        `SELECT id FROM holds WHERE ${openFor(key)} ORDER BY id LIMIT ${RELEASE_MAX + 1}`,
      );
      const holds = rows.map((row) => asId(row.id));
      found.set(key, { platformId, holds, total: rows.length > RELEASE_MAX ? await countOf(tx, key) : holds.length });
    }
    return found;
  },
  sumsUp: {
    type: holdRecords,
    keyOf: (hold: Hold) => purposeKey(hold.platformId, hold.purpose),
    changed: (row: HoldsForPurpose, before: Hold | undefined, after: Hold) => {
      const others = row.holds.filter((id) => id !== after.id);
      const wasOpen = before !== undefined && holdRemaining(before) > 0n ? 1 : 0;
      const isOpen = holdRemaining(after) > 0n ? 1 : 0;
      return { ...row, holds: isOpen === 1 ? [...others, after.id] : others, total: row.total + isOpen - wasOpen };
    },
  },
  saving: () => undefined,
};
