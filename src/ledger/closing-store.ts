import { asId, type BusinessDate, type Id, type Minor } from '../kernel/index.js';
import type { Tx } from '../runtime/index.js';
import { ACCOUNT_TYPES, type AccountType } from './chart.js';

/** An account at the end of a business date: its last entry dated then or before. */
export interface ClosingBalance {
  readonly account: Id;
  readonly type: AccountType;
  /** How many entries it had. At least one: what never moved is not told. */
  readonly seq: number;
  /** Minor units, signed as the books have it. */
  readonly balance: Minor;
  /** The head of its chain: the hash of that entry. */
  readonly head: Buffer;
}

/** Where to go on; made by `closingPage` alone. */
export interface ClosingCursor {
  readonly type: AccountType;
  readonly after: Id;
}

const TYPES = Object.keys(ACCOUNT_TYPES) as AccountType[];

interface HeadRow {
  id: string;
  entry_count: string;
  balance: string;
  hash: Buffer;
  business_date: BusinessDate;
}

/**
 * The closing balances of a platform's accounts on a date that was cut off, in the order of the chart and of their ids: one page, and where
 * the next begins. The entries of such a date change no more, so every page may be read in a transaction of its own, and again at any time
 * with the same answer. Memory is that of a page.
 * @param from undefined for the beginning, else the `next` of the page before
 * @param limit how many accounts are looked at; a page may tell of fewer
 */
export async function closingPage(
  tx: Tx,
  platformId: Id,
  date: BusinessDate,
  from: ClosingCursor | undefined,
  limit: number,
): Promise<{ readonly page: readonly ClosingBalance[]; readonly next: ClosingCursor | undefined }> {
  const { type, after } = from ?? { type: TYPES[0] as AccountType, after: asId('0') };
  // An entry's date never lies before that of the one before it in the chain, so most accounts are told by their last entry alone.
  const rows = await tx.rows<HeadRow>(
    `SELECT a.id, a.entry_count, e.balance, e.hash, e.business_date FROM accounts AS a
     JOIN entries AS e ON e.account_id = a.id AND e.seq = a.entry_count
     WHERE a.platform_id = ? AND a.type = ? AND a.id > ? AND a.entry_count > 0 ORDER BY a.id LIMIT ?`,
    [platformId, type, after, limit],
  );
  const page: ClosingBalance[] = [];
  for (const row of rows) {
    const account = asId(row.id);
    const last =
      row.business_date <= date ? { ...row, seq: row.entry_count } : await lastUpTo(tx, account, date, row.entry_count);
    if (last === undefined) continue;
    page.push({ account, type, seq: Number(last.seq), balance: BigInt(last.balance), head: last.hash });
  }
  const end = rows.at(-1);
  if (end !== undefined && rows.length === limit) return { page, next: { type, after: asId(end.id) } };
  const following = TYPES[TYPES.indexOf(type) + 1];
  return { page, next: following === undefined ? undefined : { type: following, after: asId('0') } };
}

/** The last entry of an account up to a date, by halving: a much used account may have moved often since. */
async function lastUpTo(tx: Tx, account: Id, date: BusinessDate, count: string) {
  let low = 0; // dated in time, or none
  let high = Number(count); // dated later
  let found: { seq: string; balance: string; hash: Buffer } | undefined;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    const [entry] = await tx.rows<{ seq: string; balance: string; hash: Buffer; business_date: BusinessDate }>(
      'SELECT seq, balance, hash, business_date FROM entries WHERE account_id = ? AND seq = ?',
      [account, middle],
    );
    if (entry !== undefined && entry.business_date <= date) [low, found] = [middle, entry];
    else high = middle;
  }
  return found;
}
