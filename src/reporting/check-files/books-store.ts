import { merchantNumbersOf, payeeNames, settlementAccountsOf } from '../../accounts/index.js';
import { asId, type BusinessDate, fromWire, type Id, type Instant, invariant, wirePattern } from '../../kernel/index.js';
import { type AccountType, entriesOfInstructions } from '../../ledger/index.js';
import { payoutRecords } from '../../payouts/index.js';
import type { Tx, Vault } from '../../runtime/index.js';
import type { Posted, PostedEntry } from './lines.js';

/** Where the walk through a day goes on. */
export interface DayCursor {
  readonly batchNo: string;
  readonly after: Id;
}

interface Row {
  id: string;
  batch_no: string;
  request_no: string;
  origin: string;
  kind: string;
  body: string;
  decided_ms: string;
}

/**
 * What was posted on a date that is over, in the order in which it was decided: one page, and where the next begins. Everything in it was
 * written once and is never changed, so a page says the same at any time.
 */
export async function postedPage(
  tx: Tx,
  platformId: Id,
  date: BusinessDate,
  from: DayCursor | undefined,
  limit: number,
): Promise<{ readonly page: readonly Posted[]; readonly next: DayCursor | undefined }> {
  const { batchNo, after } = from ?? { batchNo: '0', after: '0' };
  const rows = await tx.rows<Row>(
    `SELECT i.id, o.batch_no, i.request_no, i.origin, i.kind, i.body, o.decided_ms FROM outcomes AS o
     STRAIGHT_JOIN instructions AS i ON i.id = o.instruction_id
     WHERE o.platform_id = ? AND o.business_date = ? AND o.batch_no >= ? AND (o.batch_no > ? OR o.instruction_id > ?) AND o.state = 'posted'
     ORDER BY o.batch_no, o.instruction_id LIMIT ?`,
    [platformId, date, batchNo, batchNo, after, limit],
  );
  const page = await withBooks(tx, rows);
  const end = rows.at(-1);
  return { page, next: end === undefined || rows.length < limit ? undefined : { batchNo: end.batch_no, after: asId(end.id) } };
}

/** Instructions that were posted, whatever their date. */
export async function postedOf(tx: Tx, ids: readonly Id[]): Promise<Map<Id, Posted>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.rows<Row>(
    `SELECT i.id, o.batch_no, i.request_no, i.origin, i.kind, i.body, o.decided_ms FROM instructions AS i
     JOIN outcomes AS o ON o.instruction_id = i.id WHERE i.id IN (${ids.join()}) AND o.state = 'posted'`,
  );
  return new Map((await withBooks(tx, rows)).map((posted) => [posted.id, posted]));
}

async function withBooks(tx: Tx, rows: readonly Row[]): Promise<Posted[]> {
  const datas = rows.map((row) => JSON.parse(row.body) as Record<string, unknown>);
  const entries = await postedEntries(
    tx,
    rows.map((row) => asId(row.id)),
  );
  const undone = await undoneBy(
    tx,
    rows.flatMap((row, place) => (row.kind === 'correction' ? idIn(datas[place], 'instruction') : [])),
  );
  const payoutOf = (row: Row, data: Record<string, unknown> | undefined) =>
    row.kind.startsWith('payout-') || row.kind === 'collection-credited' ? idIn(data, 'payout') : [asId(row.id)];
  const named = rows.flatMap((row, place) => payoutOf(row, datas[place]));
  const payouts = named.length === 0 ? new Map() : await payoutRecords.load(tx, named);
  return rows.map((row, place) => {
    const data = datas[place] as Record<string, unknown>;
    const [corrected] = row.kind === 'correction' ? idIn(data, 'instruction') : [];
    const [payout] = payoutOf(row, data);
    return {
      id: asId(row.id),
      requestNo: row.request_no,
      origin: row.origin,
      kind: row.kind,
      data,
      decidedMs: Number(row.decided_ms) as Instant,
      undone: corrected === undefined ? undefined : undone.get(corrected),
      entries: entries.get(asId(row.id)) ?? [],
      payout: payout === undefined ? undefined : payouts.get(payout),
    };
  });
}

/** The id that stands in the data under a key. */
function idIn(data: Record<string, unknown> | undefined, key: 'instruction' | 'payout'): Id[] {
  const value = data?.[key];
  return typeof value === 'string' && wirePattern(key).test(value) ? [fromWire(value)] : [];
}

async function undoneBy(tx: Tx, ids: readonly Id[]): Promise<Map<Id, NonNullable<Posted['undone']>>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.rows<Pick<Row, 'id' | 'kind' | 'body'>>(
    `SELECT id, kind, body FROM instructions WHERE id IN (${ids.join()})`,
  );
  return new Map(
    rows.map(({ id, kind, body }) => [asId(id), { id: asId(id), kind, data: JSON.parse(body) as Record<string, unknown> }]),
  );
}

/** Entries with what their accounts are, which never changes. */
async function postedEntries(tx: Tx, ids: readonly Id[]): Promise<Map<Id, PostedEntry[]>> {
  const entries = await entriesOfInstructions(tx, ids);
  const accounts = [...new Set(entries.map(({ account }) => account))];
  const known = await accountWords(tx, accounts);
  const found = new Map<Id, PostedEntry[]>();
  for (const entry of entries) {
    const words = known.get(entry.account);
    invariant(words, `the account ${entry.account} of an entry is there`);
    found.set(entry.instruction, [...(found.get(entry.instruction) ?? []), { ...entry, ...words }]);
  }
  return found;
}

/** What accounts are called: their purpose, and the platform's own number of their sub-merchant or order. */
type AccountWords = Pick<PostedEntry, 'type' | 'merchantNo' | 'orderNo'>;

async function accountWords(tx: Tx, ids: readonly Id[]): Promise<Map<Id, AccountWords>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.rows<{ id: string; type: AccountType; order_no: string | null }>(
    `SELECT a.id, a.type, o.order_no FROM accounts AS a LEFT JOIN orders AS o ON o.account_id = a.id WHERE a.id IN (${ids.join()})`,
  );
  const merchants = await merchantNumbers(
    tx,
    rows.map(({ id, type }) => ({ account: asId(id), type })),
  );
  return new Map(
    rows.map(({ id, type, order_no: orderNo }) => [
      asId(id),
      { type, merchantNo: merchants.get(asId(id)) ?? '', orderNo: orderNo ?? '' },
    ]),
  );
}

/** Of sub-accounts, and of the margins that belong to them. */
export async function merchantNumbers(
  tx: Tx,
  accounts: readonly { readonly account: Id; readonly type: AccountType }[],
): Promise<Map<Id, string>> {
  const of = (wanted: AccountType) => accounts.flatMap(({ account, type }) => (type === wanted ? [account] : []));
  const margins = await subAccountsOf(tx, of('margin'));
  const numbers = await merchantNumbersOf(tx, [...of('sub'), ...margins.values()]);
  for (const [margin, account] of margins) numbers.set(margin, numbers.get(account) ?? '');
  return numbers;
}

async function subAccountsOf(tx: Tx, margins: readonly Id[]): Promise<Map<Id, Id>> {
  if (margins.length === 0) return new Map();
  const rows = await tx.rows<{ account_id: string; margin_id: string }>(
    `SELECT account_id, margin_id FROM margins WHERE margin_id IN (${margins.join()})`,
  );
  return new Map(rows.map((row) => [asId(row.margin_id), asId(row.account_id)]));
}

/** The first business date on which a platform's books decided anything. */
export async function firstDecided(tx: Tx, platformId: Id): Promise<BusinessDate | undefined> {
  const [row] = await tx.rows<{ business_date: BusinessDate }>(
    'SELECT business_date FROM outcomes WHERE platform_id = ? ORDER BY business_date LIMIT 1',
    [platformId],
  );
  return row?.business_date;
}

/** In whose name an account stands, as it was given; undefined where it is the bank's or the platform's own. */
export async function holderOf(tx: Tx, vault: Vault, id: Id, type: AccountType): Promise<string | undefined> {
  // A member is who he is whether an account of his is bound or not: a receipt made again says the same.
  if (type === 'sub') return (await payeeNames(tx, vault, [id])).get(id)?.name;
  if (type !== 'class-2' && type !== 'class-3') return undefined;
  // The card that is bound is in the name of the account's owner: the law lets no other be bound.
  const name = (await settlementAccountsOf(tx, [id])).get(id)?.name;
  return name === undefined ? undefined : vault.read(name);
}
