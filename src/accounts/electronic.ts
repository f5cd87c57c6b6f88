import { asId, type BusinessDate, type Id, type Instant } from '../kernel/index.js';
import type { RecordType } from '../ledger/index.js';
import { sql, type Tx } from '../runtime/index.js';

/** A Class II or Class III account of a person, with what the law asks of its owner before it may be used. */
export interface ElectronicAccount {
  readonly accountId: Id;
  readonly platformId: Id;
  readonly customerId: Id;
  readonly userId: Id;
  readonly class: 2 | 3;
  readonly virtualNo: string;
  readonly state: ElectronicState;
  /** The bank has seen the person: others may pay into a Class II account. */
  readonly faceToFace: boolean;
  /** The bound account has paid in: others may pay into a Class III account. */
  readonly funded: boolean;
  /** From when six months without use are counted; null once it was used. */
  readonly aliveMs: Instant | null;
  /** Blind index of the bound card's number (`card`). */
  readonly cardIndex: Buffer;
  readonly cardClass: CardClass;
  /** The first day for which interest was not paid yet. */
  readonly interestFrom: BusinessDate;
  readonly openedMs: Instant;
  readonly closedMs: Instant | null;
  readonly owner: OwnerStanding;
}

/** active: usable; blocked: by the bank; closing: the balance is on its way to the bound card; closed: for ever. */
export type ElectronicState = 'active' | 'blocked' | 'closing' | 'closed';
/** As the bank of the bound account answers: 1, 2, 3, or credit. */
export type CardClass = '1' | '2' | '3' | 'credit';

/** What of the owner decides whether the account may be used. */
export interface OwnerStanding {
  /** Why business outside the counter is stopped (`watch-list`, `mobile-shared` …), or null. */
  readonly stopped: string | null;
  /** Last valid day of the identity document; null: for long. */
  readonly idExpires: BusinessDate | null;
  /** Until when a copy of the identity document must be there; null: it is not asked for. */
  readonly idTaskDueMs: Instant | null;
  /** A valid identity document is on file: turnover does not ask for it again. */
  readonly documented: boolean;
}

interface ElectronicRow {
  account_id: string;
  platform_id: string;
  customer_id: string;
  user_id: string;
  class: number;
  virtual_no: string;
  state: ElectronicState;
  face_to_face: number;
  funded: number;
  alive_ms: string | null;
  card_index: Buffer;
  card_class: CardClass;
  interest_from: BusinessDate;
  opened_ms: string;
  closed_ms: string | null;
  stopped: string | null;
  id_expires: BusinessDate | null;
  id_task_due_ms: string | null;
  documented: number;
}

const instant = (value: string | null): Instant | null => (value === null ? null : (Number(value) as Instant));

function electronicOf(row: ElectronicRow): ElectronicAccount {
  return {
    accountId: asId(row.account_id),
    platformId: asId(row.platform_id),
    customerId: asId(row.customer_id),
    userId: asId(row.user_id),
    class: row.class === 2 ? 2 : 3,
    virtualNo: row.virtual_no,
    state: row.state,
    faceToFace: Number(row.face_to_face) === 1,
    funded: Number(row.funded) === 1,
    aliveMs: instant(row.alive_ms),
    cardIndex: row.card_index,
    cardClass: row.card_class,
    interestFrom: row.interest_from,
    openedMs: Number(row.opened_ms) as Instant,
    closedMs: instant(row.closed_ms),
    owner: {
      stopped: row.stopped,
      idExpires: row.id_expires,
      idTaskDueMs: instant(row.id_task_due_ms),
      documented: Number(row.documented) === 1,
    },
  };
}

const OWNED = 'e.*, c.stopped, c.id_expires, c.id_task_due_ms, c.documented';
const ELECTRONIC = `SELECT ${OWNED} FROM electronic_accounts AS e JOIN customers AS c ON c.id = e.customer_id`;

/** Electronic accounts by account id, with their owners' standing, which is read here and changed in `parties`. */
export const electronicRecords: RecordType<ElectronicAccount> = {
  name: 'electronic-account',
  accountsOf: () => [],
  async load(tx, keys) {
    const rows = await tx.rows<ElectronicRow>(`${ELECTRONIC} WHERE e.account_id IN (${keys.join()})`);
    return new Map(rows.map((row) => [row.account_id, electronicOf(row)]));
  },
  saving: (accounts) =>
    insertingElectronic(
      accounts,
      'state = VALUES(state), funded = VALUES(funded), alive_ms = VALUES(alive_ms), ' +
        'interest_from = VALUES(interest_from), closed_ms = VALUES(closed_ms)',
    ),
};

/** Electronic accounts in the order asked for; those that are not there are left out. */
export async function electronicByIds(tx: Tx, ids: readonly Id[]): Promise<ElectronicAccount[]> {
  if (ids.length === 0) return [];
  const found = await electronicRecords.load(tx, ids);
  return ids.flatMap((id) => found.get(id) ?? []);
}

function insertingElectronic(accounts: readonly ElectronicAccount[], update: string): string {
  const flag = (value: boolean) => (value ? 1 : 0);
  const rows = accounts.map(
    (a) =>
      `${a.accountId},${a.platformId},${a.customerId},${a.userId},${a.class},'${a.virtualNo}','${a.state}',${flag(a.faceToFace)},` +
      `${flag(a.funded)},${a.aliveMs ?? 'NULL'},${sql.hex(a.cardIndex)},'${a.cardClass}','${a.interestFrom}',${a.openedMs},${a.closedMs ?? 'NULL'}`,
  );
  return `INSERT INTO electronic_accounts (account_id, platform_id, customer_id, user_id, class, virtual_no, state, face_to_face, funded,
       alive_ms, card_index, card_class, interest_from, opened_ms, closed_ms)
     VALUES ${sql.tuples(rows)} ON DUPLICATE KEY UPDATE ${update}`;
}

/** Writes new electronic accounts with nothing used yet. The ledger's account is opened beside it, under the same id. */
export async function insertElectronicAccounts(
  tx: Tx,
  accounts: readonly ElectronicAccount[],
  today: BusinessDate,
): Promise<void> {
  if (accounts.length === 0) return;
  await tx.write(insertingElectronic(accounts, 'account_id = electronic_accounts.account_id'));
  await tx.write(savingUse(accounts.map((account) => unused(account, today))));
  await tx.write(savingPast(accounts.map((account) => ({ use: unused(account, today), usedMs: account.openedMs }))));
}

/** What one account used of the limits on a natural day and in the calendar year of that day. Minor units. */
export interface LimitUse {
  readonly customerId: Id;
  readonly accountId: Id;
  readonly class: 2 | 3;
  readonly day: BusinessDate;
  readonly dayIn: bigint;
  readonly dayOut: bigint;
  readonly yearIn: bigint;
  readonly yearOut: bigint;
  /** In and out together, since the opening. */
  readonly turnover: bigint;
}

function unused({ customerId, accountId, class: of }: ElectronicAccount, day: BusinessDate): LimitUse {
  return { customerId, accountId, class: of, day, dayIn: 0n, dayOut: 0n, yearIn: 0n, yearOut: 0n, turnover: 0n };
}

interface UseColumns {
  use_account_id: string;
  use_class: number;
  day: BusinessDate;
  day_in: string;
  day_out: string;
  year_in: string;
  year_out: string;
  turnover: string;
}
type LimitUseRow = UseColumns & { customer_id: string };

const COUNTED =
  'u.account_id AS use_account_id, u.class AS use_class, u.day, u.day_in, u.day_out, u.year_in, u.year_out, u.turnover';

function useOf(row: UseColumns, customerId: Id): LimitUse {
  return {
    customerId,
    accountId: asId(row.use_account_id),
    class: row.use_class === 2 ? 2 : 3,
    day: row.day,
    dayIn: BigInt(row.day_in),
    dayOut: BigInt(row.day_out),
    yearIn: BigInt(row.year_in),
    yearOut: BigInt(row.year_out),
    turnover: BigInt(row.turnover),
  };
}

/** The use of limits of all electronic accounts that a customer has at the bank, on whatever platform. */
export interface CustomerUse {
  readonly uses: readonly LimitUse[];
  /** Accounts whose use was changed: only theirs is written, since the others may be changed on another shard meanwhile. */
  readonly touched: ReadonlySet<Id>;
}

const NONE: ReadonlySet<Id> = new Set();

/** By customer id. */
export const limitUseRecords: RecordType<CustomerUse> = {
  name: 'limit-use',
  accountsOf: () => [],
  async load(tx, keys) {
    const rows = await tx.rows<LimitUseRow>(
      `SELECT u.customer_id, ${COUNTED} FROM limit_use AS u WHERE u.customer_id IN (${keys.join()})`,
    );
    const uses = new Map<string, CustomerUse>();
    for (const row of rows) {
      const use = useOf(row, asId(row.customer_id));
      const known = uses.get(use.customerId);
      uses.set(use.customerId, { uses: known === undefined ? [use] : [...known.uses, use], touched: NONE });
    }
    return uses;
  },
  saving: (customers) => savingUse(customers.flatMap(({ uses, touched }) => uses.filter((use) => touched.has(use.accountId)))),
};

function savingUse(uses: readonly LimitUse[]): string {
  const rows = uses.map(
    (u) => `${u.customerId},${u.accountId},${u.class},'${u.day}',${u.dayIn},${u.dayOut},${u.yearIn},${u.yearOut},${u.turnover}`,
  );
  return `INSERT INTO limit_use (customer_id, account_id, class, day, day_in, day_out, year_in, year_out, turnover) VALUES ${sql.tuples(rows)}
       ON DUPLICATE KEY UPDATE day = VALUES(day), day_in = VALUES(day_in), day_out = VALUES(day_out), year_in = VALUES(year_in),
         year_out = VALUES(year_out), turnover = VALUES(turnover)`;
}

/** What an account had used of the limits from a moment on, until the next of its kind. */
export interface PastUse {
  readonly use: LimitUse;
  readonly usedMs: Instant;
}

/** By account and moment; only added to, and read by `usesAsOf`. Of several postings of one moment the last holds. */
export const pastUseRecords: RecordType<PastUse> = {
  name: 'past-limit-use',
  accountsOf: () => [],
  load: async () => new Map(),
  saving: (uses) => savingPast(uses),
};

function savingPast(uses: readonly PastUse[]): string {
  const rows = uses.map(
    ({ use: u, usedMs }) =>
      `${u.accountId},${usedMs},${u.customerId},${u.class},'${u.day}',${u.dayIn},${u.dayOut},${u.yearIn},${u.yearOut},${u.turnover}`,
  );
  return `INSERT INTO limit_use_past (account_id, used_ms, customer_id, class, day, day_in, day_out, year_in, year_out, turnover)
     VALUES ${sql.tuples(rows)} ON DUPLICATE KEY UPDATE day = VALUES(day), day_in = VALUES(day_in), day_out = VALUES(day_out),
       year_in = VALUES(year_in), year_out = VALUES(year_out), turnover = VALUES(turnover)`;
}

/**
 * What all accounts of a customer that were open at a past moment had used of the limits then; undefined when that moment lies before what was
 * written down of one of them.
 */
export async function usesAsOf(tx: Tx, customerId: Id, asOf: Instant): Promise<LimitUse[] | undefined> {
  const accounts = await tx.rows<{ account_id: string }>(
    'SELECT account_id FROM electronic_accounts WHERE customer_id = ? AND opened_ms <= ? ORDER BY account_id',
    [customerId, asOf],
  );
  const uses: LimitUse[] = [];
  for (const { account_id: id } of accounts) {
    const [row] = await tx.rows<UseColumns>(
      `SELECT ${COUNTED} FROM limit_use_past AS u WHERE u.account_id = ? AND u.used_ms <= ? ORDER BY u.used_ms DESC LIMIT 1`,
      [id, asOf],
    );
    if (row === undefined) return undefined;
    uses.push(useOf(row, customerId));
  }
  return uses;
}

/** Electronic accounts that are there, each with what its owner used of the limits with all that he has at the bank, in one read. */
export async function electronicWithUse(
  tx: Tx,
  accountIds: readonly Id[],
): Promise<{ account: ElectronicAccount; use: CustomerUse }[]> {
  const rows = await tx.rows<ElectronicRow & UseColumns>(
    `SELECT ${OWNED}, ${COUNTED} FROM electronic_accounts AS e STRAIGHT_JOIN customers AS c ON c.id = e.customer_id
     STRAIGHT_JOIN limit_use AS u ON u.customer_id = e.customer_id WHERE e.account_id IN (${accountIds.join()})`,
  );
  const found = new Map<string, { account: ElectronicAccount; uses: LimitUse[] }>();
  for (const row of rows) {
    const known = found.get(row.account_id);
    if (known === undefined) {
      const account = electronicOf(row);
      found.set(row.account_id, { account, uses: [useOf(row, account.customerId)] });
    } else known.uses.push(useOf(row, known.account.customerId));
  }
  return [...found.values()].map(({ account, uses }) => ({ account, use: { uses, touched: NONE } }));
}

/**
 * Keeps other shards from counting for the owners of these accounts until the commit, where limits count for all accounts of a
 * customer together: their rows are written, so that a cluster refuses the second writer too. What was used is read afterwards.
 */
export async function lockUseOf(tx: Tx, accountIds: readonly Id[]): Promise<void> {
  const rows = await tx.rows<{ customer_id: string }>(
    `SELECT DISTINCT customer_id FROM electronic_accounts WHERE account_id IN (${accountIds.join()})`,
  );
  const owners = rows.map((row) => row.customer_id).sort();
  if (owners.length > 0) await tx.write(`UPDATE customers SET use_no = use_no + 1 WHERE id IN (${owners.join()})`);
}

/** Until when a customer has to bring a copy of his ID, by customer id. Set once; whoever takes the copy clears it. */
export const idTaskRecords: RecordType<{ readonly customerId: Id; readonly dueMs: Instant }> = {
  name: 'id-task',
  accountsOf: () => [],
  load: async () => new Map(),
  saving: (tasks) =>
    `UPDATE customers SET id_task_due_ms = ${tasks[0]?.dueMs ?? 'NULL'} WHERE id_task_due_ms IS NULL
       AND id IN (${tasks.map((task) => task.customerId).join()})`,
};

/** The shards of the books in which a customer has or had electronic accounts, in their order. */
export async function shardsOfCustomer(tx: Tx, customerId: Id): Promise<number[]> {
  const rows = await tx.rows<{ shard_id: number }>(
    `SELECT DISTINCT b.shard_id FROM electronic_accounts AS e JOIN books AS b ON b.platform_id = e.platform_id
     WHERE e.customer_id = ? ORDER BY b.shard_id`,
    [customerId],
  );
  return rows.map((row) => row.shard_id);
}
