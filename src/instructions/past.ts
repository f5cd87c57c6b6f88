import { asId, type BusinessDate, type Id, type Instant } from '../kernel/index.js';
import { type Entry, entriesOfInstructions, type RecordType } from '../ledger/index.js';
import { sql } from '../runtime/index.js';
import type { Origin } from './kind.js';

/** An instruction that was decided before, as a correction sees it. */
export interface PastInstruction {
  readonly id: Id;
  readonly platformId: Id;
  readonly origin: Origin;
  readonly kind: string;
  readonly body: string;
  readonly posted: boolean;
  readonly businessDate: BusinessDate;
  readonly postedMs: Instant;
  readonly entries: readonly Entry[];
  readonly correctedBy: Id | null;
}

export const pastRecords: RecordType<PastInstruction> = {
  name: 'past-instruction',
  accountsOf: (past) => past.entries.map((entry) => entry.account),
  async load(tx, keys) {
    const ids = keys.map(asId);
    const rows = await tx.rows<{
      id: string;
      platform_id: string;
      origin: Origin;
      kind: string;
      body: string;
      state: string;
      business_date: BusinessDate;
      decided_ms: string;
      correction_id: string | null;
    }>(
      `SELECT i.id, i.platform_id, i.origin, i.kind, i.body, o.state, o.business_date, o.decided_ms, c.correction_id FROM instructions AS i
       JOIN outcomes AS o ON o.instruction_id = i.id LEFT JOIN corrections AS c ON c.original_id = i.id WHERE i.id IN (${ids.join()})`,
    );
    const entries = await entriesOfInstructions(tx, ids);
    return new Map(
      rows.map((row) => [
        row.id,
        {
          id: asId(row.id),
          platformId: asId(row.platform_id),
          origin: row.origin,
          kind: row.kind,
          body: row.body,
          posted: row.state === 'posted',
          businessDate: row.business_date,
          postedMs: Number(row.decided_ms) as Instant,
          entries: entries.filter((entry) => entry.instruction === row.id),
          correctedBy: row.correction_id === null ? null : asId(row.correction_id),
        },
      ]),
    );
  },
  saving(pasts) {
    const rows = pasts.map((past) => `${past.id},${past.correctedBy}`);
    return `INSERT INTO corrections (original_id, correction_id) VALUES ${sql.tuples(rows)}`;
  },
};
