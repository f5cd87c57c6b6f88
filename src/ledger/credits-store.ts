import { asId, type BusinessDate, type Id, type Minor } from '../kernel/index.js';
import type { Tx } from '../runtime/index.js';

/** What came in for an account on one business date. */
export interface DayCredits {
  readonly date: BusinessDate;
  /** Minor units. */
  readonly amount: Minor;
}

/**
 * What came in for these accounts, by business date from `since` on, the latest first. Entries before it are not read: where they end is found
 * in each account's chain by halving, in as many statements as the longest chain has doublings, whatever the number of accounts.
 */
export async function creditsByDay(
  tx: Tx,
  accountIds: readonly Id[],
  since: BusinessDate,
): Promise<ReadonlyMap<Id, readonly DayCredits[]>> {
  const found = new Map<Id, DayCredits[]>();
  const first = await firstSince(tx, accountIds, since);
  if (first.size === 0) return found;
  const within = [...first].map(([id, seq]) => `(account_id = ${id} AND seq >= ${seq})`).join(' OR ');
  const rows = await tx.rows<{ account_id: string; business_date: BusinessDate; amount: string }>(
    `SELECT account_id, business_date, CAST(SUM(amount) AS CHAR) AS amount FROM entries
     WHERE (${within}) AND amount > 0 GROUP BY account_id, business_date ORDER BY business_date DESC`,
  );
  for (const row of rows) {
    const id = asId(row.account_id);
    found.set(id, [...(found.get(id) ?? []), { date: row.business_date, amount: BigInt(row.amount) }]);
  }
  return found;
}

/** The number of each account's first entry on or after a date; accounts without one are left out. */
async function firstSince(tx: Tx, accountIds: readonly Id[], since: BusinessDate): Promise<Map<Id, bigint>> {
  if (accountIds.length === 0) return new Map();
  const counts = await tx.rows<{ id: string; entry_count: string }>(
    `SELECT id, entry_count FROM accounts WHERE id IN (${accountIds.join()}) AND entry_count > 0`,
  );
  // The entry that is looked for lies from `low` to `high`; one behind the last where there is none.
  const ranges = new Map(counts.map((row) => [asId(row.id), { low: 1n, high: BigInt(row.entry_count) + 1n }]));
  for (let halvings = 0; halvings < 64; halvings += 1) {
    const open = [...ranges].filter(([, { low, high }]) => low < high);
    if (open.length === 0) break;
    const middles = open.map(([id, { low, high }]) => `(${id},${(low + high) / 2n})`);
    const rows = await tx.rows<{ account_id: string; seq: string; business_date: BusinessDate }>(
      `SELECT account_id, seq, business_date FROM entries WHERE (account_id, seq) IN (${middles.join()})`,
    );
    for (const row of rows) {
      const range = ranges.get(asId(row.account_id));
      if (range === undefined) continue;
      if (row.business_date >= since) range.high = BigInt(row.seq);
      else range.low = BigInt(row.seq) + 1n;
    }
  }
  const ends = new Map(counts.map((row) => [asId(row.id), BigInt(row.entry_count)]));
  return new Map([...ranges].flatMap(([id, { low }]) => (low <= (ends.get(id) as bigint) ? [[id, low] as const] : [])));
}
