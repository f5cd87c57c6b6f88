import { electronicRecords, electronicWithUse, limitUseRecords, lockUseOf } from '../../accounts/index.js';
import { type BusinessDate, type Id, invariant } from '../../kernel/index.js';
import {
  type Book,
  isElectronic,
  type LedgerAccount,
  loadAccounts,
  loadBooks,
  newAccount,
  type RecordType,
  type UnclearedSlice,
} from '../../ledger/index.js';
import { underWayRecords } from '../../payouts/index.js';
import { type ShortageLine, shortageLineRecords } from '../../refunds/index.js';
import type { Tx } from '../../runtime/index.js';
import type { Effects, Facts, Needs, RecordChange } from '../kind.js';

// biome-ignore lint/suspicious/noExplicitAny: the set holds rows of every record type
type AnyRecordType = RecordType<any>;
type Sum = NonNullable<AnyRecordType['sumsUp']>;

/** What is known of the records of one type, by key. */
interface Table {
  readonly asked: Set<string>;
  readonly rows: Map<string, unknown>;
  readonly changed: Set<string>;
}

/** The open date of a book that is not in the set: nothing of its accounts is looked at. */
const NEVER = '9999-12-31' as BusinessDate;

/**
 * All that a batch of decisions sees and changes, in memory: each table is read once for the whole batch, each decision
 * sees what the ones before it left, and each table is written once.
 */
export class WorkingSet {
  readonly books: ReadonlyMap<Id, Book>;
  private readonly askedAccounts = new Set<Id>();
  private readonly facts = new Map<Id, Facts>();
  private readonly accounts = new Map<Id, LedgerAccount>();
  private readonly changedAccounts = new Set<LedgerAccount>();
  private readonly creditedAccounts = new Set<Id>();
  private readonly slicesBefore = new Map<Id, readonly UnclearedSlice[]>();
  private readonly tables = new Map<AnyRecordType, Table>();
  /** The tables of sums over records of another type, by that type. */
  private readonly sums = new Map<AnyRecordType, [Sum, Table][]>();

  /** Limits count for all accounts of a customer together, on whatever shard they stand. */
  private readonly countsTogether: boolean;

  /** What decisions on other shards count on too is written before it is read. */
  private readonly locks: boolean;

  private constructor(books: ReadonlyMap<Id, Book>, { countsTogether, locks }: { countsTogether: boolean; locks: boolean }) {
    this.books = books;
    this.countsTogether = countsTogether;
    this.locks = locks;
  }

  static async open(tx: Tx, platformIds: readonly Id[], how: { countsTogether: boolean; locks: boolean }): Promise<WorkingSet> {
    return new WorkingSet(await loadBooks(tx, platformIds), how);
  }

  book(platformId: Id): Book {
    const book = this.books.get(platformId);
    invariant(book, `platform ${platformId} has a book`);
    return book;
  }

  /** Loads what is needed and was not asked for yet, with the accounts that the loaded records name; false when nothing was. */
  async load(tx: Tx, needs: readonly Needs[]): Promise<boolean> {
    const accountIds: Id[] = [];
    const keys = new Map<AnyRecordType, string[]>();
    for (const need of needs) {
      this.askAccounts(need.accounts ?? [], accountIds);
      for (const [type, key] of need.records ?? []) {
        const { asked } = this.table(type);
        if (asked.has(key)) continue;
        asked.add(key);
        const wanted = keys.get(type);
        if (wanted === undefined) keys.set(type, [key]);
        else wanted.push(key);
      }
    }
    if (keys.size === 0 && accountIds.length === 0) return false;
    if (this.locks) for (const [type, wanted] of keys) await type.lock?.(tx, wanted);
    // All are sent at once: the server reads the next while the rows of the one before are made into records.
    const [, ...loaded] = await Promise.all([
      this.loadAccounts(tx, accountIds),
      ...[...keys].map(([type, wanted]) => this.loadRecords(tx, type, wanted)),
    ]);
    const named: Id[] = [];
    [...keys.keys()].forEach((type, place) => {
      for (const row of loaded[place]?.values() ?? []) this.askAccounts(type.accountsOf(row), named);
    });
    await this.loadAccounts(tx, named);
    await this.loadElectronic(tx, [...accountIds, ...named]);
    return true;
  }

  private askAccounts(ids: readonly Id[], wanted: Id[]): void {
    for (const id of ids) {
      if (this.askedAccounts.has(id)) continue;
      this.askedAccounts.add(id);
      wanted.push(id);
    }
  }

  private table(type: AnyRecordType): Table {
    const known = this.tables.get(type);
    if (known !== undefined) return known;
    const table: Table = { asked: new Set(), rows: new Map(), changed: new Set() };
    this.tables.set(type, table);
    const { sumsUp } = type;
    if (sumsUp !== undefined) this.sums.set(sumsUp.type, [...(this.sums.get(sumsUp.type) ?? []), [sumsUp, table]]);
    return table;
  }

  /** With an electronic account comes what its limits need: its owner's standing, and the use of all that he has at the bank. */
  private async loadElectronic(tx: Tx, accountIds: readonly Id[]): Promise<void> {
    const ids = accountIds.filter((id) => isElectronic(this.accounts.get(id)?.type));
    if (ids.length === 0) return;
    if (this.countsTogether) await lockUseOf(tx, ids);
    const { rows: accounts } = this.table(electronicRecords);
    const { rows: uses } = this.table(limitUseRecords);
    for (const { account, use } of await electronicWithUse(tx, ids)) {
      accounts.set(account.accountId, account);
      uses.set(account.customerId, use);
    }
    await this.loadUnderWay(tx, ids);
  }

  /** Under the cap of a Class III account room is kept for what is under way. */
  private async loadUnderWay(tx: Tx, ids: readonly Id[]): Promise<void> {
    const { asked } = this.table(underWayRecords);
    const wanted = ids.filter((id) => this.accounts.get(id)?.type === 'class-3' && !asked.has(id));
    for (const id of wanted) asked.add(id);
    if (wanted.length > 0) await this.loadRecords(tx, underWayRecords, wanted);
  }

  private async loadRecords(tx: Tx, type: AnyRecordType, keys: readonly string[]): Promise<ReadonlyMap<string, unknown>> {
    const loaded = await type.load(tx, keys);
    const { rows } = this.table(type);
    for (const [key, row] of loaded) rows.set(key, row);
    return loaded;
  }

  private async loadAccounts(tx: Tx, ids: readonly Id[]): Promise<void> {
    const openDate = (platformId: Id): BusinessDate => this.books.get(platformId)?.businessDate ?? NEVER;
    for (const [id, account] of await loadAccounts(tx, ids, openDate)) {
      this.accounts.set(id, account);
      this.slicesBefore.set(id, account.uncleared);
    }
  }

  /** What the decisions of one platform may see. */
  factsOf(platformId: Id): Facts {
    const made = this.facts.get(platformId);
    if (made !== undefined) return made;
    const facts: Facts = {
      account: (id) => {
        const account = this.accounts.get(id);
        return account?.platformId === platformId ? account : undefined;
      },
      record: <Row>(type: RecordType<Row>, key: string) => {
        const row = this.tables.get(type)?.rows.get(key) as (Row & { platformId?: Id }) | undefined;
        return row?.platformId === undefined || row.platformId === platformId ? row : undefined;
      },
    };
    this.facts.set(platformId, facts);
    return facts;
  }

  /** The account to post to; the decision has seen it or opened it. */
  readonly find = (id: Id): LedgerAccount => {
    const account = this.accounts.get(id);
    invariant(account, `account ${id} is in the working set`);
    return account;
  };

  openAccounts(platformId: Id, opens: Effects['opens']): void {
    for (const { id, type } of opens ?? []) {
      const account = newAccount(id, platformId, type);
      this.accounts.set(id, account);
      this.changedAccounts.add(account);
    }
  }

  /** Undoes `openAccounts` for a movement that was refused after all. */
  forget(opens: Effects['opens']): void {
    for (const { id } of opens ?? []) {
      this.changedAccounts.delete(this.find(id));
      this.accounts.delete(id);
    }
  }

  /** Keeps what a posted instruction changed, to be written at the end of the batch. */
  keep(effects: Effects): void {
    for (const { account, amount } of effects.postings) {
      this.changedAccounts.add(this.find(account));
      if (amount > 0n) this.creditedAccounts.add(account);
    }
    for (const { account, amount } of effects.holds ?? []) {
      this.changedAccounts.add(this.find(account));
      if (amount < 0n) this.creditedAccounts.add(account);
    }
    for (const { account, amount } of effects.claims ?? []) {
      this.changedAccounts.add(this.find(account));
      if (amount < 0n) this.creditedAccounts.add(account);
    }
    for (const id of effects.closes ?? []) {
      const account = this.find(id);
      invariant(
        account.balance === 0n && account.held === 0n && account.claimed === 0n,
        `account ${id} is closed when it is empty`,
      );
      account.state = 'closed';
      this.changedAccounts.add(account);
    }
    this.keepRecords(effects.records ?? []);
  }

  /** Keeps records alone: of what waits, or was refused after it had waited. */
  keepRecords(records: readonly RecordChange[]): void {
    for (const { type, key, row } of records) {
      // A refund that waits no more lets those behind it try.
      if (type === shortageLineRecords && !(row as ShortageLine).open) this.creditedAccounts.add((row as ShortageLine).accountId);
      const { rows, changed } = this.table(type);
      this.sumUp(type, rows.get(key), row);
      rows.set(key, row);
      changed.add(key);
    }
  }

  /** Sums that a decision of the batch looks at follow what the decisions before it changed. */
  private sumUp(type: AnyRecordType, before: unknown, after: unknown): void {
    for (const [sumsUp, { rows }] of this.sums.get(type) ?? []) {
      const key = sumsUp.keyOf(after);
      const sum = rows.get(key);
      if (sum !== undefined) rows.set(key, sumsUp.changed(sum, before, after));
    }
  }

  /** The accounts on which more is available now than before, as far as this batch made it so. */
  credited(): Id[] {
    return [...this.creditedAccounts];
  }

  /** Accounts whose money this batch changed. */
  touched(): Id[] {
    return [...this.changedAccounts].flatMap(({ id, type }) => (type === 'order' ? [] : [id]));
  }

  changes(): {
    accounts: LedgerAccount[];
    slicesBefore: ReadonlyMap<Id, readonly UnclearedSlice[]>;
    records: [AnyRecordType, unknown[]][];
  } {
    return {
      accounts: [...this.changedAccounts],
      slicesBefore: this.slicesBefore,
      records: [...this.tables]
        .filter(([, { changed }]) => changed.size > 0)
        .map(([type, { rows, changed }]) => [type, [...changed].map((key) => rows.get(key))]),
    };
  }
}
