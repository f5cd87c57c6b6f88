import { asId, type Id, type Minor } from '../kernel/index.js';
import type { Tx } from '../runtime/index.js';
import { chainHash, GENESIS_HASH } from './post.js';
import { chainOf } from './store.js';

/** Where an account's stored state and its entries tell different stories. */
export interface AccountFault {
  readonly account: Id;
  readonly fault: 'gap' | 'balance' | 'hash' | 'head' | 'count';
  readonly seq: number;
}

const PAGE = 2000;

/** Replays every entry of a platform's accounts and compares with the stored balances, counts and chain heads. */
export async function verifyAccounts(tx: Tx, platformId: Id): Promise<AccountFault[]> {
  const accounts = await tx.rows<{ id: string; balance: string; entry_count: string; head_hash: Buffer }>(
    'SELECT id, balance, entry_count, head_hash FROM accounts WHERE platform_id = ? ORDER BY id',
    [platformId],
  );
  const faults: AccountFault[] = [];
  for (const row of accounts) {
    const account = asId(row.id);
    const replayed = await replay(tx, account, faults);
    if (replayed.count !== Number(row.entry_count)) faults.push({ account, fault: 'count', seq: replayed.count });
    else if (replayed.balance !== BigInt(row.balance)) faults.push({ account, fault: 'balance', seq: replayed.count });
    else if (!replayed.head.equals(row.head_hash)) faults.push({ account, fault: 'head', seq: replayed.count });
  }
  return faults;
}

async function replay(tx: Tx, account: Id, faults: AccountFault[]) {
  let head: Buffer = GENESIS_HASH;
  let balance: Minor = 0n;
  let count = 0;
  for (;;) {
    const page = await chainOf(tx, account, count + 1, PAGE);
    for (const entry of page) {
      count += 1;
      balance += entry.amount;
      head = chainHash(head, entry);
      if (entry.seq !== count) faults.push({ account, fault: 'gap', seq: entry.seq });
      if (entry.balance !== balance) faults.push({ account, fault: 'balance', seq: entry.seq });
      if (!entry.hash.equals(head)) faults.push({ account, fault: 'hash', seq: entry.seq });
    }
    if (page.length < PAGE) return { head, balance, count };
  }
}
