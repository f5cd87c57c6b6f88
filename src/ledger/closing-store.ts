import { asId, type BusinessDate, type Id, type Minor } from '../kernel/index.js';
import { type Database, sql, type Tx } from '../runtime/index.js';
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

/** Where to go on: what `closingPage` answers, or the last account that is not to be told again. */
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
  const since = rows.filter((row) => row.business_date > date);
  const earlier = await lastUpTo(tx, date, new Map(since.map((row) => [asId(row.id), Number(row.entry_count)])));
  const page: ClosingBalance[] = [];
  for (const row of rows) {
    const account = asId(row.id);
    const last = row.business_date <= date ? { ...row, seq: row.entry_count } : earlier.get(account);
    if (last === undefined) continue;
    page.push({ account, type, seq: Number(last.seq), balance: BigInt(last.balance), head: last.hash });
  }
  const end = rows.at(-1);
  if (end !== undefined && rows.length === limit) return { page, next: { type, after: asId(end.id) } };
  const following = TYPES[TYPES.indexOf(type) + 1];
  return { page, next: following === undefined ? undefined : { type: following, after: asId('0') } };
}

/** All pages of a date, one after the other, each read in a transaction of its own. @param from where to begin, as for `closingPage` */
export async function* closingPages(
  { db }: { readonly db: Pick<Database, 'read'> },
  { platformId, date }: { readonly platformId: Id; readonly date: BusinessDate },
  limit: number,
  from?: ClosingCursor,
): AsyncGenerator<readonly ClosingBalance[]> {
  let cursor = from;
  do {
    const at = cursor;
    const { page, next } = await db.read('closing-page', (tx) => closingPage(tx, platformId, date, at, limit));
    yield page;
    cursor = next;
  } while (cursor !== undefined);
}

interface LastEntry {
  readonly seq: string;
  readonly balance: string;
  readonly hash: Buffer;
}

/** Where an account's last entry up to the date must lie: at `low` or after it (0: there may be none), before `high`, which is dated later. */
interface Range {
  low: number;
  high: number;
  step: number;
  found: LastEntry | undefined;
}

/**
 * The last entries up to a date of accounts that moved since. All accounts are searched at once, a read a round: back from their ends in
 * steps that double, since most moved little since, and then by halving, since some moved often.
 * @param counts how many entries each has
 */
async function lastUpTo(tx: Tx, date: BusinessDate, counts: ReadonlyMap<Id, number>): Promise<Map<Id, LastEntry>> {
  const ranges = new Map<Id, Range>();
  for (const [account, count] of counts) ranges.set(account, { low: 0, high: count, step: 1, found: undefined });
  for (;;) {
    const open = [...ranges].filter(([, { low, high }]) => high - low > 1);
    if (open.length === 0) break;
    const asked = new Map<Id, number>();
    for (const [account, { low, high, step, found }] of open)
      asked.set(account, found === undefined && high - step > low ? high - step : Math.floor((low + high) / 2));
    const places = [...asked].map(([account, seq]) => `${account},${seq}`);
    const rows = await tx.rows<LastEntry & { account_id: string; business_date: BusinessDate }>(
      `SELECT account_id, seq, balance, hash, business_date FROM entries WHERE (account_id, seq) IN (${sql.tuples(places)})`,
    );
    const read = new Map(rows.map((row) => [asId(row.account_id), row]));
    for (const [account, range] of open) {
      const seq = asked.get(account) as number;
      const entry = read.get(account);
      if (entry !== undefined && entry.business_date <= date) Object.assign(range, { low: seq, found: entry });
      else Object.assign(range, { high: seq, step: range.step * 2 });
    }
  }
  return new Map([...ranges].flatMap(([account, { found }]) => (found === undefined ? [] : [[account, found] as const])));
}
