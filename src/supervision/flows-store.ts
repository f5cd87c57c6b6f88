import { asId, type BusinessDate, type Id, type Instant, type Minor } from '../kernel/index.js';
import { ACCOUNT_TYPES, type AccountType } from '../ledger/index.js';
import { sql, type Tx, type Vault } from '../runtime/index.js';
import { type CustomerDay, type Flow, flowsOf, type Side, type Subject, type SubjectKind } from './rules.js';

/**
 * The flows of a natural day, read in the order in which each shard decided. The outbox names every instruction that was posted and its numbers
 * ascend with the shard's time, so a day is a range of it: found by halving, read by pages, and the same whenever it is read.
 */
export interface Range {
  readonly afterSeq: bigint;
  readonly toSeq: bigint;
}

/** What one instruction moved for one customer. */
export interface FlowLine extends Flow {
  readonly instruction: Id;
  readonly platformId: Id;
  readonly kind: string;
  readonly atMs: Instant;
}

const STRIDE = 1_000_000n; // of the numbers of the outbox: one turn of the shard
const DECIDED = "topic IN ('instruction.posted', 'instruction.refused')";

/** What a shard decided from one moment on and before another. Call it when the shard's time is past the second. */
export async function rangeOf(tx: Tx, shardId: number, from: Instant, to: Instant): Promise<Range> {
  const [row] = await tx.rows<{ last: string | null }>('SELECT MAX(seq) AS last FROM outbox WHERE shard_id = ?', [shardId]);
  const turns = BigInt(row?.last ?? '-1') / STRIDE + 1n;
  const first = await firstTurnFrom(tx, shardId, from, { low: 0n, high: turns });
  const next = await firstTurnFrom(tx, shardId, to, { low: first, high: turns });
  return { afterSeq: first * STRIDE - 1n, toSeq: next * STRIDE - 1n };
}

async function firstTurnFrom(tx: Tx, shardId: number, ms: Instant, within: { low: bigint; high: bigint }): Promise<bigint> {
  let { low, high } = within; // the answer is from low to high
  while (low < high) {
    const middle = (low + high) / 2n;
    const [row] = await tx.rows<{ decided_ms: string }>(
      `SELECT d.decided_ms FROM outbox AS o JOIN outcomes AS d ON d.instruction_id = o.ref_id
       WHERE o.shard_id = ? AND o.seq >= ? AND ${DECIDED} ORDER BY o.seq LIMIT 1`,
      [shardId, String(middle * STRIDE)],
    );
    if (row === undefined || Number(row.decided_ms) >= ms) high = middle;
    else low = middle + 1n;
  }
  return low;
}

interface PostedRow {
  seq: string;
  id: string;
  platform_id: string;
  kind: string;
  body: string | null;
  decided_ms: string;
}

/** One page of a range: its flows, and where it ends; undefined when there is no more. */
export async function flowPage(
  tx: Tx,
  vault: Vault,
  shardId: number,
  { afterSeq, toSeq }: Range,
  limit: number,
): Promise<
  { readonly flows: readonly FlowLine[]; readonly subjects: readonly KnownSubject[]; readonly last: bigint } | undefined
> {
  const posted = await tx.rows<PostedRow>(
    `SELECT o.seq, i.id, i.platform_id, i.kind, IF(i.kind = 'payout-settled', i.body, NULL) AS body, d.decided_ms
     FROM (SELECT seq, ref_id FROM outbox WHERE shard_id = ? AND seq > ? AND seq <= ? AND topic = 'instruction.posted'
           ORDER BY seq LIMIT ?) AS o
     STRAIGHT_JOIN instructions AS i ON i.id = o.ref_id JOIN outcomes AS d ON d.instruction_id = i.id ORDER BY o.seq`,
    [shardId, String(afterSeq), String(toSeq), limit],
  );
  const end = posted.at(-1);
  if (end === undefined) return undefined;
  const entries = await ownedEntries(tx, posted);
  const payouts = await paidOutBy(tx, posted);
  const accounts = new Map<Id, OwnedAccount>();
  for (const list of entries.values())
    for (const { account, type, platformId } of list) accounts.set(account, { type, platformId });
  for (const { account, type, platformId } of payouts.values()) if (isOwned(type)) accounts.set(account, { type, platformId });
  const owners = await ownersOf(tx, vault, accounts);
  const flows = posted.flatMap((row): FlowLine[] => {
    const payout = payouts.get(row.id);
    const moved = {
      kind: row.kind,
      entries: (entries.get(row.id) ?? []).flatMap(({ account, amount }) => {
        const subject = owners.get(account)?.subject;
        return subject === undefined ? [] : [{ subject, amount }];
      }),
      paidOut: payout && { ...payout, subject: owners.get(payout.account)?.subject },
    };
    const of = { instruction: asId(row.id), platformId: asId(row.platform_id), kind: row.kind };
    return flowsOf(moved).map((flow) => ({ ...flow, ...of, atMs: Number(row.decided_ms) as Instant }));
  });
  const subjects = new Map([...owners.values()].map((owner) => [owner.subject, owner]));
  return { flows, subjects: [...subjects.values()], last: BigInt(end.seq) };
}

const OWNED = (Object.keys(ACCOUNT_TYPES) as AccountType[]).filter(
  (type) => ACCOUNT_TYPES[type].belongsTo !== 'bank' && !['order', 'escrow', 'fund-collection'].includes(type),
);
const isOwned = (type: AccountType) => OWNED.includes(type);

interface OwnedAccount {
  readonly type: AccountType;
  readonly platformId: Id;
}
type OwnedEntry = OwnedAccount & { readonly account: Id; readonly amount: Minor };

async function ownedEntries(tx: Tx, posted: readonly PostedRow[]): Promise<Map<string, OwnedEntry[]>> {
  const rows = await tx.rows<{
    instruction_id: string;
    account_id: string;
    amount: string;
    type: AccountType;
    platform_id: string;
  }>(
    `SELECT e.instruction_id, e.account_id, e.amount, a.type, a.platform_id FROM entries AS e JOIN accounts AS a ON a.id = e.account_id
     WHERE e.instruction_id IN (${posted.map(({ id }) => id).join()}) AND a.type IN (${OWNED.map((type) => `'${type}'`).join()})`,
  );
  // Paid out of the pot, money passes through the account and leaves no entry there: its owner has paid all the same.
  const outOfPots = posted.flatMap(({ id, kind }) => (kind === 'pot-payment' ? [id] : []));
  if (outOfPots.length > 0)
    rows.push(
      ...(await tx.rows<(typeof rows)[number]>(
        `SELECT o.id AS instruction_id, o.account_id, -CAST(o.units AS SIGNED) AS amount, a.type, a.platform_id FROM fund_orders AS o
         JOIN accounts AS a ON a.id = o.account_id WHERE o.id IN (${outOfPots.join()})`,
      )),
    );
  const found = new Map<string, OwnedEntry[]>();
  for (const row of rows) {
    const entry = {
      account: asId(row.account_id),
      amount: BigInt(row.amount),
      type: row.type,
      platformId: asId(row.platform_id),
    };
    const list = found.get(row.instruction_id);
    if (list === undefined) found.set(row.instruction_id, [entry]);
    else list.push(entry);
  }
  return found;
}

/** The payouts that `payout-settled` tells of, with the accounts that they came from. */
async function paidOutBy(tx: Tx, posted: readonly PostedRow[]) {
  const named = new Map<string, string>(); // payout → instruction
  for (const { id, body } of posted) {
    const payout = body === null ? undefined : (JSON.parse(body) as { payout?: string }).payout;
    if (payout !== undefined) named.set(payout.slice(4), id);
  }
  const found = new Map<string, OwnedEntry & { readonly purpose: string }>();
  if (named.size === 0) return found;
  const rows = await tx.rows<{
    id: string;
    purpose: string;
    amount: string;
    account: string;
    type: AccountType;
    platform_id: string;
  }>(
    `SELECT p.id, p.purpose, p.amount, a.id AS account, a.type, a.platform_id FROM payouts AS p JOIN accounts AS a ON a.id = p.source_account_id
     WHERE p.id IN (${[...named.keys()].join()})`,
  );
  for (const { id, purpose, amount, account, type, platform_id } of rows)
    found.set(named.get(id) as string, {
      ...{ purpose, amount: BigInt(amount), account: asId(account), type, platformId: asId(platform_id) },
    });
  return found;
}

/** Who a subject is, and where his particulars lie. */
export interface KnownSubject {
  readonly subject: Subject;
  readonly kind: SubjectKind;
  readonly foundIn: 'party' | 'customer' | 'platform';
  readonly refId: Id;
}

interface OwnerRow {
  account_id: string;
  kind: SubjectKind;
  id_type: string;
  id_no: string;
  id_index: Buffer | null;
  ref_id: string;
}

const IDENTITY = 'p.kind, p.id_type, p.id_no, p.id_index, p.id AS ref_id';

/** Whose accounts these are: one identity is one subject, whatever platforms it has accounts on. */
async function ownersOf(tx: Tx, vault: Vault, accounts: ReadonlyMap<Id, OwnedAccount>): Promise<Map<Id, KnownSubject>> {
  const owners = new Map<Id, KnownSubject>();
  const read = async (types: readonly AccountType[], foundIn: 'party' | 'customer', query: (list: string) => string) => {
    const ids = [...accounts].filter(([, { type }]) => types.includes(type)).map(([id]) => id);
    if (ids.length === 0) return;
    for (const row of await tx.rows<OwnerRow>(query(ids.join()))) {
      const index = row.id_index ?? vault.index(`id:${row.id_type}`, vault.read(row.id_no));
      const of = { subject: index.toString('hex'), kind: row.kind, foundIn, refId: asId(row.ref_id) };
      owners.set(asId(row.account_id), of);
    }
  };
  await read(['sub'], 'party', (list) => {
    return `SELECT m.account_id, ${IDENTITY} FROM sub_merchants AS m JOIN parties AS p ON p.id = m.party_id WHERE m.account_id IN (${list})`;
  });
  await read(['margin'], 'party', (list) => {
    return `SELECT g.margin_id AS account_id, ${IDENTITY} FROM margins AS g JOIN sub_merchants AS m ON m.account_id = g.account_id
      JOIN parties AS p ON p.id = m.party_id WHERE g.margin_id IN (${list})`;
  });
  await read(['class-2', 'class-3'], 'customer', (list) => {
    return `SELECT e.account_id, p.kind, p.id_type, p.id_no_sealed AS id_no, p.id_index, p.id AS ref_id
      FROM electronic_accounts AS e JOIN customers AS p ON p.id = e.customer_id WHERE e.account_id IN (${list})`;
  });
  await readPlatforms(tx, vault, accounts, owners);
  return owners;
}

/** The money of a platform itself is a company's. One that named no credit code is a customer by its own number. */
async function readPlatforms(tx: Tx, vault: Vault, accounts: ReadonlyMap<Id, OwnedAccount>, owners: Map<Id, KnownSubject>) {
  const own = [...accounts].filter(([, { type }]) => ACCOUNT_TYPES[type].belongsTo === 'platform');
  if (own.length === 0) return;
  const ids = [...new Set(own.map(([, { platformId }]) => platformId))];
  const rows = await tx.rows<{ id: string; uscc: string | null }>(`SELECT id, uscc FROM platforms WHERE id IN (${ids.join()})`);
  const byId = new Map(rows.map(({ id, uscc }) => [id, uscc]));
  for (const [account, { platformId }] of own) {
    const uscc = byId.get(platformId) ?? null;
    const index = uscc === null ? vault.index('id:platform', platformId) : vault.index('id:uscc', uscc);
    owners.set(account, { subject: index.toString('hex'), kind: 'company', foundIn: 'platform', refId: platformId });
  }
}

const literal = (subject: Subject) => `x'${subject}'`;

/** Subjects that were not known yet. What one was found as first, stays. */
export async function keepSubjects(tx: Tx, subjects: readonly KnownSubject[]): Promise<void> {
  if (subjects.length === 0) return;
  const rows = [...subjects]
    .sort((a, b) => (a.subject < b.subject ? -1 : 1))
    .map(({ subject, kind, foundIn, refId }) => `${literal(subject)},'${kind}','${foundIn}',${refId}`);
  await tx.write(
    `INSERT INTO supervised_subjects (subject, kind, found_in, ref_id) VALUES ${sql.tuples(rows)}
     ON DUPLICATE KEY UPDATE subject = supervised_subjects.subject`,
  );
}

/** Adds the flows of a page to the totals of their day. */
export async function addFlows(tx: Tx, date: BusinessDate, flows: readonly FlowLine[]): Promise<void> {
  if (flows.length === 0) return;
  const sums = new Map<string, { in: [Minor, number]; out: [Minor, number]; refunded: Minor }>();
  for (const { subject, platformId, side, amount, refund } of flows) {
    const key = `${literal(subject)},'${date}',${platformId}`;
    const sum = sums.get(key) ?? { in: [0n, 0], out: [0n, 0], refunded: 0n };
    sum[side] = [sum[side][0] + amount, sum[side][1] + 1];
    if (refund) sum.refunded += amount;
    sums.set(key, sum);
  }
  const rows = [...sums]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, sum]) => `${key},${sum.in.join()},${sum.out.join()},${sum.refunded}`);
  await tx.write(
    `INSERT INTO customer_days (subject, on_date, platform_id, in_sum, in_lines, out_sum, out_lines, refunded) VALUES ${sql.tuples(rows)}
     ON DUPLICATE KEY UPDATE in_sum = in_sum + VALUES(in_sum), in_lines = in_lines + VALUES(in_lines),
       out_sum = out_sum + VALUES(out_sum), out_lines = out_lines + VALUES(out_lines), refunded = refunded + VALUES(refunded)`,
  );
}

interface DayRow {
  subject: Buffer;
  kind: SubjectKind;
  on_date: BusinessDate;
  in_sum: string;
  in_lines: string;
  out_sum: string;
  out_lines: string;
  refunded: string;
}

const SUMS = `CAST(SUM(d.in_sum) AS CHAR) AS in_sum, CAST(SUM(d.in_lines) AS CHAR) AS in_lines, CAST(SUM(d.out_sum) AS CHAR) AS out_sum,
  CAST(SUM(d.out_lines) AS CHAR) AS out_lines, CAST(SUM(d.refunded) AS CHAR) AS refunded`;

/** The customers of a day with what they got and gave on all platforms together, in the order of their subjects. */
export async function customerDays(tx: Tx, date: BusinessDate, after: Subject, limit: number): Promise<CustomerDay[]> {
  const rows = await tx.rows<DayRow>(
    `SELECT d.subject, MAX(s.kind) AS kind, MAX(d.on_date) AS on_date, ${SUMS}
     FROM customer_days AS d JOIN supervised_subjects AS s ON s.subject = d.subject
     WHERE d.on_date = ? AND d.subject > ${literal(after)} GROUP BY d.subject ORDER BY d.subject LIMIT ?`,
    [date, limit],
  );
  return rows.map(customerDayOf);
}

function customerDayOf(row: DayRow): CustomerDay {
  return {
    date: row.on_date,
    subject: row.subject.toString('hex'),
    kind: row.kind,
    inSum: BigInt(row.in_sum),
    inLines: Number(row.in_lines),
    outSum: BigInt(row.out_sum),
    outLines: Number(row.out_lines),
    refunded: BigInt(row.refunded),
  };
}

/** The days before a date on which a customer had flows, newest first. */
export async function daysBefore(tx: Tx, subject: Subject, date: BusinessDate, limit: number) {
  const rows = await tx.rows<Pick<DayRow, 'on_date' | 'in_sum' | 'out_sum'>>(
    `SELECT d.on_date, CAST(SUM(d.in_sum) AS CHAR) AS in_sum, CAST(SUM(d.out_sum) AS CHAR) AS out_sum FROM customer_days AS d
     WHERE d.subject = ${literal(subject)} AND d.on_date < ? GROUP BY d.on_date ORDER BY d.on_date DESC LIMIT ?`,
    [date, limit],
  );
  return rows.map((row) => ({ date: row.on_date, inSum: BigInt(row.in_sum), outSum: BigInt(row.out_sum) }));
}

/** Takes some of a day's totals away before they are made again; answers how many. */
export async function clearTotals(tx: Tx, date: BusinessDate, limit: number): Promise<number> {
  return tx.write('DELETE FROM customer_days WHERE on_date = ? ORDER BY on_date, subject LIMIT ?', [date, limit]);
}

export type CandidateKey = `${Subject}:${Side}`;
