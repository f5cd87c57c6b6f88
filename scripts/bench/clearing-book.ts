import { isOpening, openPlatform, openSubMerchants } from '../../src/accounts/index.js';
import type { Channels } from '../../src/channels/index.js';
import { executeShard, type Submission } from '../../src/instructions/index.js';
import type { BusinessDate, Id } from '../../src/kernel/index.js';
import {
  insertingEntries,
  type LedgerAccount,
  loadAccounts,
  loadBook,
  lockShard,
  post,
  savingAccounts,
  savingUncleared,
} from '../../src/ledger/index.js';
import type { Runtime } from '../../src/runtime/index.js';
import { cny, FIRST_DATE, giver, receiveAll } from './book.js';

/** A platform whose sub-merchants have five credits each, of the day that is to be closed. */
export interface ClearingBook {
  readonly platformId: Id;
  readonly shardId: number;
  readonly subs: readonly Id[];
}

const CREDITS = 5;
/** Fen a credit: from one to about a thousand yuan. */
const CREDIT_MAX = 100_000;
const OPENED_TOGETHER = 1_000;
/** One for each book: a close moves the time of its shard on, and what is credited there later counts for another day. */
export const SHARDS = 8;
/** Three in five bank with the custodian; the others are paid by the small systems. */
const BANKS = ['', '', '', '102100099996', '308584000013'];

let opened = 0;

/**
 * Opens it through the service. The money comes in by one payment that the bank's statement shows; the credits are posted by the ledger in
 * large commits, since who gave them is nothing that a close looks at.
 */
export async function openClearingBook(
  rt: Runtime,
  channels: Channels,
  merchants: number,
  chance: () => number,
): Promise<ClearingBook> {
  opened += 1;
  const custodyNo = `BENCH${opened}`;
  await channels.coreBank.openCustodyAccount(custodyNo, custodyNo);
  const terms = { transferMax: 1_000_000n, feeMax: 0n };
  const { platformId } = await rt.db.withTx('bench-platform', (tx) =>
    openPlatform(tx, rt, { name: custodyNo, custodyNo, openDate: FIRST_DATE, terms }),
  );
  const subs: Id[] = [];
  while (subs.length < merchants) {
    const count = Math.min(OPENED_TOGETHER, merchants - subs.length);
    const asked = Array.from({ length: count }, (_, place) => merchantOf(subs.length + place));
    for (const result of await openSubMerchants(rt, platformId, asked)) {
      if (!isOpening(result)) throw new Error(`a merchant was not opened: ${result.code}`);
      subs.push(result.merchant.accountId);
    }
  }
  const { shardId } = await rt.db.read('bench-shard', (tx) => loadBook(tx, platformId));
  await credit(rt, channels, { platformId, shardId, subs, custodyNo }, chance);
  return { platformId, shardId, subs };
}

function merchantOf(number: number) {
  const party = { kind: 'company', name: '甲商户', idNo: '91350100M000100Y43' } as const;
  const account = String(6222020000000000000n + BigInt(number));
  const bankCode = BANKS[number % BANKS.length] as string;
  return { merchantNo: `M${number}`, party, settlementAccount: { name: party.name, account, bankCode }, cycle: 't+1' as const };
}

type Filling = ClearingBook & { readonly custodyNo: string };

async function credit(rt: Runtime, channels: Channels, of: Filling, chance: () => number): Promise<void> {
  const { platformId, shardId, subs, custodyNo } = of;
  const credits = subs.map(() => Array.from({ length: CREDITS }, () => 1n + BigInt(Math.floor(chance() * CREDIT_MAX))));
  const total = credits.flat().reduce((sum, amount) => sum + amount, 0n);
  await channels.coreBank.inflows(custodyNo, FIRST_DATE, [{ reference: custodyNo, amount: total, counterparty: '', text: '' }]);
  const { accounts } = await rt.db.read('bench-book', (tx) => loadBook(tx, platformId));
  const { commission } = accounts;
  const give = giver(platformId);
  const payer = { name: 'bench', account: '622202000000000007' };
  const lines = [{ account: `acc_${commission}`, amount: cny(total) }];
  await giveAll(rt, shardId, [
    give('payment', { orderNo: 'BENCH', amount: cny(total), payer, reference: custodyNo }),
    give('split', { orderNo: 'BENCH', lines }),
  ]);
  for (let from = 0; from < subs.length; from += OPENED_TOGETHER) {
    await passOn(rt, { shardId, commission, date: FIRST_DATE }, subs.slice(from, from + OPENED_TOGETHER), credits.slice(from));
  }
}

async function giveAll(rt: Runtime, shardId: number, submissions: readonly Submission[]): Promise<void> {
  await receiveAll(rt, submissions);
  await executeShard(rt, shardId);
}

/** Hands money on from the commission account, as transfers would. */
async function passOn(
  rt: Runtime,
  { shardId, commission, date }: { shardId: number; commission: Id; date: BusinessDate },
  subs: readonly Id[],
  credits: readonly (readonly bigint[])[],
): Promise<void> {
  await rt.db.withTx('bench-credits', async (tx) => {
    const { nowMs } = await lockShard(tx, shardId, rt.clock.now());
    const accounts = await loadAccounts(tx, [commission, ...subs], () => date);
    const before = new Map([...accounts].map(([id, { uncleared }]) => [id, uncleared]));
    const entries = subs.flatMap((sub, place) =>
      (credits[place] as readonly bigint[]).flatMap((amount) => {
        const postings = [
          { account: commission, amount: -amount },
          { account: sub, amount, clears: 'inherit' as const },
        ];
        const stamp = { instruction: rt.newId(), businessDate: date, postedMs: nowMs };
        const posted = post({ postings }, stamp, (id) => accounts.get(id) as LedgerAccount);
        if ('code' in posted) throw new Error(`a credit was refused: ${posted.code}`);
        return posted;
      }),
    );
    const changed = [...accounts.values()];
    for (const statement of [insertingEntries(entries), savingAccounts(changed), savingUncleared(changed, before)])
      if (statement !== undefined) await tx.write(statement);
  });
}
