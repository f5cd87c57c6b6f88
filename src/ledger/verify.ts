import { asId, type Id, type Minor } from '../kernel/index.js';
import type { Tx } from '../runtime/index.js';
import type { AccountType } from './chart.js';
import { chainHash, type Entry, GENESIS_HASH } from './post.js';
import { chainOf, chainsOf } from './store.js';

/** Where an account's stored state and its entries tell different stories. */
export interface AccountFault {
  readonly account: Id;
  readonly fault: 'gap' | 'balance' | 'hash' | 'head' | 'count';
  readonly seq: number;
}

/** What was replayed of a page of accounts. */
export interface VerifiedPage {
  readonly accounts: readonly Id[];
  readonly entries: number;
  readonly faults: readonly AccountFault[];
  /** Where to go on; undefined after the last page. */
  readonly next: VerifyCursor | undefined;
}

/** The last account that was replayed. */
export interface VerifyCursor {
  readonly type: AccountType;
  readonly id: Id;
}

interface StoredAccount {
  id: string;
  type: AccountType;
  balance: string;
  entry_count: string;
  head_hash: Buffer;
}

const ACCOUNTS = 900; // with a thousand ids in a list the server sorts, and no longer reads along the index
const ENTRIES = 10_000;

/** Replays every entry of a platform's accounts and compares with the stored balances, counts and chain heads. */
export async function verifyAccounts(tx: Tx, platformId: Id): Promise<AccountFault[]> {
  const faults: AccountFault[] = [];
  for (let from: VerifyCursor | undefined, first = true; first || from !== undefined; first = false) {
    const page: VerifiedPage = await verifyPage(tx, platformId, from);
    faults.push(...page.faults);
    from = page.next;
  }
  return faults;
}

/**
 * Replays a page of a platform's accounts. Call it in a snapshot where others post meanwhile: accounts and entries must be of one moment.
 * Memory is that of ten thousand entries, however many an account has.
 * @param from undefined for the beginning, else the `next` of the page before
 */
export async function verifyPage(tx: Tx, platformId: Id, from: VerifyCursor | undefined): Promise<VerifiedPage> {
  const rows = await tx.rows<StoredAccount>(
    `SELECT id, type, balance, entry_count, head_hash FROM accounts
     WHERE platform_id = ? AND (type > ? OR (type = ? AND id > ?)) ORDER BY type, id LIMIT ?`,
    [platformId, from?.type ?? '', from?.type ?? '', from?.id ?? '0', ACCOUNTS],
  );
  const faults: AccountFault[] = [];
  let entries = 0;
  for (const pack of packs(rows)) entries += await verifyPack(tx, pack, faults);
  const last = rows.at(-1);
  const next = rows.length < ACCOUNTS || last === undefined ? undefined : { type: last.type, id: asId(last.id) };
  return { accounts: rows.map(({ id }) => asId(id)), entries, faults, next };
}

/** Accounts whose entries are read together: as many as have ten thousand in all, or one that has more. */
function* packs(rows: readonly StoredAccount[]): Iterable<readonly StoredAccount[]> {
  let pack: StoredAccount[] = [];
  let entries = 0;
  for (const row of rows) {
    const count = Number(row.entry_count);
    if (pack.length > 0 && entries + count > ENTRIES) {
      yield pack;
      [pack, entries] = [[], 0];
    }
    pack.push(row);
    entries += count;
  }
  if (pack.length > 0) yield pack;
}

/** @returns how many entries were replayed */
async function verifyPack(tx: Tx, pack: readonly StoredAccount[], faults: AccountFault[]): Promise<number> {
  const [first] = pack;
  if (first === undefined) return 0;
  const expected = pack.reduce((sum, row) => sum + Number(row.entry_count), 0);
  const ids = pack.map(({ id }) => asId(id));
  // One more than there should be is enough to see that there are more.
  const entries = expected > ENTRIES ? undefined : await chainsOf(tx, ids, expected + 1);
  if (entries?.length !== expected) {
    let count = 0;
    for (const row of pack) count += await verifyLong(tx, row, faults);
    return count;
  }
  let at = 0;
  for (const row of [...pack].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const replay = new Replay(asId(row.id), faults);
    for (let entry = entries[at]; entry?.account === row.id; entry = entries[at]) {
      replay.take(entry);
      at += 1;
    }
    replay.compare(row);
  }
  return expected;
}

/** An account whose entries are many, or not as many as it says: page by page. */
async function verifyLong(tx: Tx, row: StoredAccount, faults: AccountFault[]): Promise<number> {
  const account = asId(row.id);
  const replay = new Replay(account, faults);
  for (let from = 1; ; ) {
    const page = await chainOf(tx, account, from, ENTRIES);
    for (const entry of page) replay.take(entry);
    if (page.length < ENTRIES) break;
    from = (page.at(-1) as Entry).seq + 1;
  }
  replay.compare(row);
  return replay.count;
}

/** The entries of one account, taken in the order of its chain. */
class Replay {
  readonly #account: Id;
  readonly #faults: AccountFault[];
  #head: Buffer = GENESIS_HASH;
  #balance: Minor = 0n;
  count = 0;

  constructor(account: Id, faults: AccountFault[]) {
    this.#account = account;
    this.#faults = faults;
  }

  take(entry: Entry): void {
    this.count += 1;
    if (entry.seq !== this.count) this.#tell('gap', entry.seq);
    if (entry.balance !== this.#balance + entry.amount) this.#tell('balance', entry.seq);
    if (!entry.hash.equals(chainHash(this.#head, entry))) this.#tell('hash', entry.seq);
    // The next is held against what is written here, so that a fault is told where it is and not of all that follows.
    this.#balance = entry.balance;
    this.#head = entry.hash;
  }

  compare(stored: StoredAccount): void {
    if (this.count !== Number(stored.entry_count)) this.#tell('count', this.count);
    else if (this.#balance !== BigInt(stored.balance)) this.#tell('balance', this.count);
    else if (!this.#head.equals(stored.head_hash)) this.#tell('head', this.count);
  }

  #tell(fault: AccountFault['fault'], seq: number): void {
    this.#faults.push({ account: this.#account, fault, seq });
  }
}
