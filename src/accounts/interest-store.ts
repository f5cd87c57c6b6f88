import { addDays, asId, type BusinessDate, type Id, type Minor } from '../kernel/index.js';
import type { RecordType } from '../ledger/index.js';
import { loadParameters, sql, type Tx } from '../runtime/index.js';
import { type Accrual, type DayEnd, type Earned, earned } from './interest.js';

interface HeadRow {
  account_id: string;
  platform_id: string;
  interest_from: BusinessDate;
  through: BusinessDate | null;
  seq: string | null;
  balance: string | null;
}

/**
 * Accruals of electronic accounts by account id, made from the entries: the last of each business date, since the last period that
 * was paid. A date that is closed gets no more entries, so what is computed of closed dates stays true.
 */
export const accrualRecords: RecordType<Accrual> = {
  name: 'interest-accrual',
  accountsOf: () => [],
  async load(tx, keys) {
    const heads = await tx.rows<HeadRow>(
      `SELECT e.account_id, e.platform_id, e.interest_from, c.through, c.seq, c.balance FROM electronic_accounts AS e
       LEFT JOIN interest_checkpoints AS c ON c.account_id = e.account_id WHERE e.account_id IN (${keys.join()})`,
    );
    const carried = new Map(heads.map((row) => [row.account_id, carriedOf(row)]));
    const days = await dayEndsAfter(tx, carried);
    return new Map(
      heads.map((row) => [
        row.account_id,
        {
          accountId: asId(row.account_id),
          platformId: asId(row.platform_id),
          carried: carried.get(row.account_id) as DayEnd,
          days: days.get(row.account_id) ?? [],
        },
      ]),
    );
  },
  saving(accruals) {
    const rows = accruals.map(({ accountId, carried }) => `${accountId},'${carried.day}',${carried.seq},${carried.balance}`);
    return `INSERT INTO interest_checkpoints (account_id, through, seq, balance) VALUES ${sql.tuples(rows)}
       ON DUPLICATE KEY UPDATE through = VALUES(through), seq = VALUES(seq), balance = VALUES(balance)`;
  },
};

function carriedOf(row: HeadRow): DayEnd {
  return row.through === null
    ? { day: addDays(row.interest_from, -1), balance: 0n, seq: 0 }
    : { day: row.through, balance: BigInt(row.balance ?? '0'), seq: Number(row.seq) };
}

async function dayEndsAfter(tx: Tx, carried: ReadonlyMap<string, DayEnd>): Promise<Map<string, DayEnd[]>> {
  const days = new Map<string, DayEnd[]>();
  if (carried.size === 0) return days;
  const ranges = [...carried].map(([id, { seq }]) => `(account_id = ${id} AND seq > ${seq})`);
  const rows = await tx.rows<{ account_id: string; business_date: BusinessDate; seq: string; balance: string }>(
    `SELECT e.account_id, e.business_date, e.seq, e.balance FROM entries AS e JOIN
       (SELECT account_id, MAX(seq) AS seq FROM entries WHERE ${ranges.join(' OR ')} GROUP BY account_id, business_date) AS d
       ON d.account_id = e.account_id AND d.seq = e.seq ORDER BY e.account_id, e.seq`,
  );
  for (const row of rows) {
    const end: DayEnd = { day: row.business_date, balance: BigInt(row.balance), seq: Number(row.seq) };
    const known = days.get(row.account_id);
    if (known === undefined) days.set(row.account_id, [end]);
    else known.push(end);
  }
  return days;
}

/** The interest of one account for one period: written down before it is instructed, and for ever. */
export interface InterestLine extends Earned {
  readonly accountId: Id;
  readonly platformId: Id;
  /** The business date on which it was credited; null until then. */
  readonly creditedOn: BusinessDate | null;
}

interface LineRow {
  platform_id: string;
  through: BusinessDate;
  account_id: string;
  since: BusinessDate;
  product: string;
  rate: string;
  amount: string;
  credited_on: BusinessDate | null;
}

function lineOf(row: LineRow): InterestLine {
  return {
    accountId: asId(row.account_id),
    platformId: asId(row.platform_id),
    from: row.since,
    through: row.through,
    product: BigInt(row.product),
    rate: BigInt(row.rate),
    amount: BigInt(row.amount),
    creditedOn: row.credited_on,
  };
}

const LINE =
  'SELECT platform_id, through, account_id, since, CAST(product AS CHAR) AS product, rate, amount, credited_on FROM interest_lines';

export function interestLineKey({ platformId, through, accountId }: Pick<InterestLine, 'platformId' | 'through' | 'accountId'>) {
  return `${platformId}:${through}:${accountId}`;
}

/** Interest lines by platform, last day and account. One that is credited with money is to be ordered from the core bank. */
export const interestLineRecords: RecordType<InterestLine> = {
  name: 'interest-line',
  accountsOf: () => [],
  async load(tx, keys) {
    const tuples = keys.map((key) => {
      const [platformId, through, accountId] = key.split(':');
      return `${platformId},'${through}',${accountId}`;
    });
    const rows = await tx.rows<LineRow>(`${LINE} WHERE (platform_id, through, account_id) IN (${sql.tuples(tuples)})`);
    return new Map(rows.map(lineOf).map((line) => [interestLineKey(line), line]));
  },
  saving: (lines) =>
    `${insertingLines(lines)} ON DUPLICATE KEY UPDATE since = VALUES(since), product = VALUES(product), rate = VALUES(rate),
       amount = VALUES(amount), credited_on = VALUES(credited_on), order_on = VALUES(order_on)`,
};

function insertingLines(lines: readonly InterestLine[]): string {
  const rows = lines.map(({ platformId, through, accountId, from, product, rate, amount, creditedOn }) => {
    const date = creditedOn === null ? 'NULL' : `'${creditedOn}'`;
    return `${platformId},'${through}',${accountId},'${from}',${product},${rate},${amount},${date},${amount > 0n ? date : 'NULL'}`;
  });
  return `INSERT INTO interest_lines (platform_id, through, account_id, since, product, rate, amount, credited_on, order_on)
     VALUES ${sql.tuples(rows)}`;
}

/** What was written down for an interest day, by account. */
export async function interestLines(tx: Tx, platformId: Id, through: BusinessDate): Promise<InterestLine[]> {
  const rows = await tx.rows<LineRow>(`${LINE} WHERE platform_id = ? AND through = ? ORDER BY account_id`, [platformId, through]);
  return rows.map(lineOf);
}

const PART = 2_000;

/**
 * Works out what the electronic accounts of a platform earned up to an interest day that is cut off, and writes it down; answers it.
 * @throws a duplicate-key error when it was written before
 */
export async function writeInterestLines(tx: Tx, platformId: Id, through: BusinessDate): Promise<InterestLine[]> {
  const parameters = await loadParameters(tx);
  const lines: InterestLine[] = [];
  for (let after = '0'; ; ) {
    const rows = await tx.rows<{ account_id: string; interest_from: BusinessDate }>(
      `SELECT account_id, interest_from FROM electronic_accounts
       WHERE platform_id = ? AND account_id > ? AND state IN ('active', 'blocked') AND interest_from <= ? ORDER BY account_id LIMIT ${PART}`,
      [platformId, after, through],
    );
    const last = rows.at(-1);
    if (last === undefined) return lines;
    const accruals = await accrualRecords.load(
      tx,
      rows.map((row) => row.account_id),
    );
    const part = rows.map((row): InterestLine => {
      const of = { from: row.interest_from, through, rateOn: through };
      const accountId = asId(row.account_id);
      return { accountId, platformId, creditedOn: null, ...earned(accruals.get(accountId) as Accrual, of, parameters) };
    });
    await tx.write(insertingLines(part));
    lines.push(...part);
    after = last.account_id;
  }
}

export async function hasElectronicAccounts(tx: Tx, platformId: Id): Promise<boolean> {
  return (await tx.rows('SELECT 1 FROM electronic_accounts WHERE platform_id = ? LIMIT 1', [platformId])).length > 0;
}

/** Interest that was credited and that the core bank was not told to bring yet: the date on which it must stand there. */
export interface InterestOrder {
  readonly accountId: Id;
  readonly through: BusinessDate;
  readonly amount: Minor;
  readonly date: BusinessDate;
}

export async function interestToOrder(tx: Tx, platformId: Id, limit: number): Promise<InterestOrder[]> {
  const rows = await tx.rows<{ account_id: string; through: BusinessDate; amount: string; order_on: BusinessDate }>(
    `SELECT account_id, through, amount, order_on FROM interest_lines
     WHERE order_on IS NOT NULL AND platform_id = ? ORDER BY order_on, account_id LIMIT ?`,
    [platformId, limit],
  );
  return rows.map((row) => ({
    accountId: asId(row.account_id),
    through: row.through,
    amount: BigInt(row.amount),
    date: row.order_on,
  }));
}

/** The core bank has booked these. Saying it twice changes nothing. */
export async function markOrdered(tx: Tx, platformId: Id, orders: readonly InterestOrder[]): Promise<void> {
  if (orders.length === 0) return;
  const tuples = orders.map(({ accountId, through }) => `${platformId},'${through}',${accountId}`);
  await tx.write(`UPDATE interest_lines SET order_on = NULL WHERE (platform_id, through, account_id) IN (${sql.tuples(tuples)})`);
}

/** Platforms with interest that the core bank was not told to bring yet. */
export async function platformsWithInterestToOrder(tx: Tx): Promise<Id[]> {
  const rows = await tx.rows<{ platform_id: string }>(
    'SELECT DISTINCT platform_id FROM interest_lines WHERE order_on IS NOT NULL',
  );
  return rows.map((row) => asId(row.platform_id));
}
