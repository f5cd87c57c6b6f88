import { asId, type Id } from '../kernel/index.js';
import type { RecordType } from '../ledger/index.js';
import { sql } from '../runtime/index.js';
import { type Hold, holdRecords, holdRemaining } from './store.js';

/** The holds of a platform for one purpose that have something left; one more than may be freed at once, where there are more. */
export interface HoldsForPurpose {
  readonly platformId: Id;
  readonly holds: readonly Id[];
}

/** How many holds are freed at once. */
export const RELEASE_MAX = 500;

export function purposeKey(platformId: Id, purpose: string): string {
  return `${platformId}/${purpose}`;
}

/** By platform and purpose; read from the holds, stored nowhere, and following them within a batch. */
export const holdsForPurposeRecords: RecordType<HoldsForPurpose> = {
  name: 'holds-for-purpose',
  accountsOf: () => [],
  async load(tx, keys) {
    const found = new Map<string, HoldsForPurpose>();
    for (const key of keys) {
      const platformId = asId(key.slice(0, 19));
      const rows = await tx.rows<{ id: string; purpose: string }>(
        `SELECT id FROM holds WHERE platform_id = ${platformId} AND purpose = ${sql.text(key.slice(20))} AND amount > captured + released
         ORDER BY id LIMIT ${RELEASE_MAX + 1}`,
      );
      found.set(key, { platformId, holds: rows.map((row) => asId(row.id)) });
    }
    return found;
  },
  sumsUp: {
    type: holdRecords,
    keyOf: (hold: Hold) => purposeKey(hold.platformId, hold.purpose),
    changed: (row: HoldsForPurpose, _before: Hold | undefined, after: Hold) => {
      const others = row.holds.filter((id) => id !== after.id);
      return { ...row, holds: holdRemaining(after) > 0n ? [...others, after.id] : others };
    },
  },
  saving: () => undefined,
};
