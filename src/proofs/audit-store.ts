import { asId, type Id, type Minor } from '../kernel/index.js';
import type { Tx } from '../runtime/index.js';

/** The platforms that have a book. */
export async function bookedPlatforms(tx: Tx): Promise<Id[]> {
  const rows = await tx.rows<{ platform_id: string }>('SELECT platform_id FROM books ORDER BY platform_id');
  return rows.map((row) => asId(row.platform_id));
}

/** Entries of these accounts whose instruction this platform never gave: one a stranger instruction, at most `limit`. */
export async function strangeInstructions(
  tx: Tx,
  platformId: Id,
  accounts: readonly Id[],
  limit: number,
): Promise<{ account: Id; instruction: Id }[]> {
  if (accounts.length === 0) return [];
  const rows = await tx.rows<{ account_id: string; instruction_id: string }>(
    `SELECT e.account_id, e.instruction_id FROM entries AS e
     LEFT JOIN instructions AS i ON i.platform_id = ? AND i.id = e.instruction_id
     WHERE e.account_id IN (${accounts.join()}) AND i.id IS NULL LIMIT ?`,
    [platformId, limit],
  );
  return rows.map((row) => ({ account: asId(row.account_id), instruction: asId(row.instruction_id) }));
}

/** The id of the instruction `count` places after another of the platform; the last where there are not as many; undefined behind the last. */
export async function instructionFurther(tx: Tx, platformId: Id, after: Id, count: number): Promise<Id | undefined> {
  const [row] = await tx.rows<{ id: string | null }>(
    'SELECT MAX(id) AS id FROM (SELECT id FROM instructions WHERE platform_id = ? AND id > ? ORDER BY id LIMIT ?) AS page',
    [platformId, after, count],
  );
  return row?.id == null ? undefined : asId(row.id);
}

export interface UnbalancedInstruction {
  readonly instruction: Id;
  readonly sum: Minor;
  /** Entries on accounts that are not this platform's. */
  readonly strange: number;
}

/** Of the instructions behind `after` up to `to`: those whose entries do not sum to zero or lie on accounts of others, and how many have entries at all. */
export async function unbalancedInstructions(
  tx: Tx,
  platformId: Id,
  { after, to }: { readonly after: Id; readonly to: Id },
): Promise<{ readonly posted: number; readonly unbalanced: readonly UnbalancedInstruction[] }> {
  const rows = await tx.rows<{ id: string | null; posted: string; total: string; strange: string }>(
    `SELECT faulty AS id, COUNT(*) AS posted, CAST(SUM(total) AS CHAR) AS total, CAST(SUM(strange) AS CHAR) AS strange
     FROM (SELECT total, strange, IF(total = 0 AND strange = 0, NULL, id) AS faulty
       FROM (SELECT i.id, SUM(e.amount) AS total, SUM(a.platform_id IS NULL OR a.platform_id <> i.platform_id) AS strange
         FROM instructions AS i JOIN entries AS e ON e.instruction_id = i.id LEFT JOIN accounts AS a ON a.id = e.account_id
         WHERE i.platform_id = ? AND i.id > ? AND i.id <= ? GROUP BY i.id) AS each_one) AS judged
     GROUP BY faulty`,
    [platformId, after, to],
  );
  return {
    posted: rows.reduce((sum, row) => sum + Number(row.posted), 0),
    unbalanced: rows.flatMap(({ id, total, strange }) =>
      id === null ? [] : [{ instruction: asId(id), sum: BigInt(total), strange: Number(strange) }],
    ),
  };
}

/** What crossed the wall of the custody account in all. */
export async function crossed(tx: Tx, platformId: Id): Promise<Minor> {
  const [row] = await tx.rows<{ total: string | null }>(
    'SELECT CAST(SUM(amount) AS CHAR) AS total FROM boundary WHERE platform_id = ?',
    [platformId],
  );
  return BigInt(row?.total ?? '0');
}
