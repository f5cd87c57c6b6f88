import { type BusinessDate, type Id, type Instant, naturalDate } from '../kernel/index.js';
import type { Tx } from '../runtime/index.js';
import type { Ends } from './retention-rules.js';

interface Row {
  /** A date; null: it goes on; absent: there is no contract. */
  contract?: BusinessDate | null;
  /** Milliseconds; null: it goes on. */
  relation: string | null;
}

/**
 * When the relation with an identity ended: null while any account of it is open, on whatever platform, as a customer with electronic accounts or
 * behind a sub-merchant; without any it ended when it began. `c` is the customer.
 */
const RELATION = `IF(
    EXISTS (SELECT 1 FROM electronic_accounts AS e WHERE e.customer_id = c.id AND e.closed_ms IS NULL)
    OR EXISTS (SELECT 1 FROM parties AS p JOIN sub_merchants AS m ON m.party_id = p.id
               WHERE p.id_type = c.id_type AND p.id_index = c.id_index AND m.closed_ms IS NULL), NULL,
    GREATEST(c.created_ms,
      COALESCE((SELECT MAX(e.closed_ms) FROM electronic_accounts AS e WHERE e.customer_id = c.id), 0),
      COALESCE((SELECT MAX(m.closed_ms) FROM parties AS p JOIN sub_merchants AS m ON m.party_id = p.id
                WHERE p.id_type = c.id_type AND p.id_index = c.id_index), 0)))`;

/** The records that are kept by law, by the name of their ids. */
const QUERIES = {
  customer: `SELECT ${RELATION} AS relation FROM customers AS c WHERE c.id = ?`,
  // The image of a document, and what was asked of others about its user.
  document: `SELECT IF(c.id IS NULL, d.created_ms, ${RELATION}) AS relation
    FROM documents AS d JOIN users AS u ON u.id = d.user_id LEFT JOIN customers AS c ON c.id = u.customer_id WHERE d.id = ?`,
  merchant: 'SELECT closed_ms AS relation FROM sub_merchants WHERE id = ?',
  version: 'SELECT valid_to AS contract, NULL AS relation FROM agreement_versions WHERE id = ?',
  // What was not decided yet goes on.
  instruction: `SELECT o.decided_ms AS relation FROM instructions AS i LEFT JOIN outcomes AS o ON o.instruction_id = i.id WHERE i.id = ?`,
  consent: 'SELECT COALESCE(answered_ms, expires_ms) AS relation FROM consents WHERE id = ?',
  mandate: 'SELECT COALESCE(revoked_ms, expires_ms) AS relation FROM mandates WHERE id = ?',
  payout: "SELECT IF(state IN ('settled', 'failed', 'returned'), changed_ms, NULL) AS relation FROM payouts WHERE id = ?",
} as const;

export const RECORD_CLASSES = Object.keys(QUERIES) as (keyof typeof QUERIES)[];
export type RecordClass = keyof typeof QUERIES;

/** On whose end it depends how long a record is kept; undefined: there is no such record. */
export async function endsOf(tx: Tx, of: RecordClass, id: Id): Promise<Ends | undefined> {
  const [row] = await tx.rows<Row>(QUERIES[of], [id]);
  if (row === undefined) return undefined;
  const relation = row.relation === null ? null : naturalDate(Math.floor(Number(row.relation)) as Instant);
  // An agreement is its own relation: both rules count from its last day.
  return { relation: relation ?? row.contract ?? null, contract: row.contract };
}
