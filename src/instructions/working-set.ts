import { electronicRecords, limitUseRecords, lockUseOf } from '../accounts/index.js';
import { type BusinessDate, type Id, invariant } from '../kernel/index.js';
import {
  type Book,
  isElectronic,
  type LedgerAccount,
  loadAccounts,
  loadBooks,
  newAccount,
  type RecordType,
  type UnclearedSlice,
} from '../ledger/index.js';
import { type ShortageLine, shortageLineRecords } from '../refunds/index.js';
import type { Tx } from '../runtime/index.js';
import type { Effects, Facts, Needs, RecordChange } from './kind.js';

// biome-ignore lint/suspicious/noExplicitAny: the set holds rows of every record type
type AnyRecordType = RecordType<any>;

/** The open date of a book that is not in the set: nothing of its accounts is looked at. */
const NEVER = '9999-12-31' as BusinessDate;

/**
 * All that a batch of decisions sees and changes, in memory: each table is read once for the whole batch, each decision
 * sees what the ones before it left, and each table is written once.
 */
export class WorkingSet {
  readonly books: ReadonlyMap<Id, Book>;
  private readonly asked = new Set<string>();
  private readonly facts = new Map<Id, Facts>();
  private readonly accounts = new Map<Id, LedgerAccount>();
  private readonly changedAccounts = new Set<LedgerAccount>();
  private readonly creditedAccounts = new Set<Id>();
  private readonly slicesBefore = new Map<Id, readonly UnclearedSlice[]>();
  private readonly records = new Map<AnyRecordType, Map<string, unknown>>();
  private readonly changedRecords = new Map<AnyRecordType, Set<string>>();

  /** Limits count for all accounts of a customer together, on whatever shard they stand. */
  private readonly countsTogether: boolean;

  private constructor(books: ReadonlyMap<Id, Book>, countsTogether: boolean) {
    this.books = books;
    this.countsTogether = countsTogether;
  }

  static async open(tx: Tx, platformIds: readonly Id[], { countsTogether }: { countsTogether: boolean }): Promise<WorkingSet> {
    return new WorkingSet(await loadBooks(tx, platformIds), countsTogether);
  }

  book(platformId: Id): Book {
    const book = this.books.get(platformId);
    invariant(book, `platform ${platformId} has a book`);
    return book;
  }

  /** Loads what is needed and was not asked for yet, with the accounts that the loaded records name; false when nothing was. */
  async load(tx: Tx, needs: readonly Needs[]): Promise<boolean> {
    const accountIds: Id[] = [];
    const askAccount = (id: Id) => {
      if (this.asked.has(id)) return;
      this.asked.add(id);
      accountIds.push(id);
    };
    const keys = new Map<AnyRecordType, string[]>();
    for (const need of needs) {
      need.accounts?.forEach(askAccount);
      for (const [type, key] of need.records ?? []) {
        const name = `${type.name}:${key}`;
        if (this.asked.has(name)) continue;
        this.asked.add(name);
        const wanted = keys.get(type);
        if (wanted === undefined) keys.set(type, [key]);
        else wanted.push(key);
      }
    }
    for (const [type, wanted] of keys) {
      const rows = this.records.get(type) ?? new Map<string, unknown>();
      this.records.set(type, rows);
      for (const [key, row] of await type.load(tx, wanted)) {
        rows.set(key, row);
        type.accountsOf(row).forEach(askAccount);
      }
    }
    await this.loadAccounts(tx, accountIds);
    await this.loadElectronic(tx, accountIds);
    return keys.size > 0 || accountIds.length > 0;
  }

  /** With an electronic account comes what its limits need: its owner's standing, and the use of all that he has at the bank. */
  private async loadElectronic(tx: Tx, accountIds: readonly Id[]): Promise<void> {
    const ids = accountIds.filter((id) => isElectronic(this.accounts.get(id)?.type));
    if (ids.length === 0) return;
    const accounts = await this.loadRecords(tx, electronicRecords, ids);
    const owners = [...new Set([...accounts.values()].map((account) => account.customerId))];
    const fresh = owners.filter((id) => !this.records.get(limitUseRecords)?.has(id));
    if (fresh.length === 0) return;
    if (this.countsTogether) await lockUseOf(tx, fresh);
    await this.loadRecords(tx, limitUseRecords, fresh);
  }

  private async loadRecords<Row>(tx: Tx, type: RecordType<Row>, keys: readonly string[]): Promise<Map<string, Row>> {
    const loaded = await type.load(tx, keys);
    const rows = this.records.get(type) ?? new Map<string, unknown>();
    this.records.set(type, rows);
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
        const row = this.records.get(type)?.get(key) as (Row & { platformId?: Id }) | undefined;
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
      const rows = this.records.get(type) ?? new Map<string, unknown>();
      this.sumUp(type, rows.get(key), row);
      rows.set(key, row);
      this.records.set(type, rows);
      const changed = this.changedRecords.get(type) ?? new Set();
      changed.add(key);
      this.changedRecords.set(type, changed);
    }
  }

  /** Sums that a decision of the batch looks at follow what the decisions before it changed. */
  private sumUp(type: AnyRecordType, before: unknown, after: unknown): void {
    for (const [{ sumsUp }, sums] of this.records) {
      if (sumsUp?.type !== type) continue;
      const key = sumsUp.keyOf(after);
      const sum = sums.get(key);
      if (sum !== undefined) sums.set(key, sumsUp.changed(sum, before, after));
    }
  }

  /** The accounts on which more is available now than before, as far as this batch made it so. */
  credited(): Id[] {
    return [...this.creditedAccounts];
  }

  changes(): {
    accounts: LedgerAccount[];
    slicesBefore: ReadonlyMap<Id, readonly UnclearedSlice[]>;
    records: [AnyRecordType, unknown[]][];
  } {
    return {
      accounts: [...this.changedAccounts],
      slicesBefore: this.slicesBefore,
      records: [...this.changedRecords].map(([type, keys]) => [type, [...keys].map((key) => this.records.get(type)?.get(key))]),
    };
  }
}
