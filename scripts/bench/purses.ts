import { type ElectronicAccount, insertElectronicAccounts } from '../../src/accounts/index.js';
import { executeShard } from '../../src/instructions/index.js';
import { addDays, type Id, naturalDate } from '../../src/kernel/index.js';
import { lockShard, openAccounts, setBusinessDate } from '../../src/ledger/index.js';
import { type Runtime, sql } from '../../src/runtime/index.js';
import { type BenchBook, cny, FIRST_DATE, type Give, receiveAll } from './book.js';

/** A customer's Class II account, with a mandate of his. */
export interface Purse {
  readonly account: Id;
  readonly mandate: Id;
}

interface Mandates {
  readonly kind: string;
  /** Whether projects may be paid. */
  readonly projects: boolean;
  /** Fen, of a payment, a day and in all. */
  readonly cap: bigint;
  /** By place; none: nobody by his account. */
  readonly payees: readonly (readonly Id[])[];
}

/** As many customers with a Class II account each, which is empty, and a mandate. */
export async function openPurses(rt: Runtime, book: BenchBook, count: number, mandates: Mandates): Promise<Purse[]> {
  const now = rt.clock.now();
  const today = naturalDate(now);
  const owner = { stopped: null, idExpires: null, idTaskDueMs: null, documented: true };
  const purses = Array.from({ length: count }, (_, place) => ({
    ...{ account: rt.newId(), mandate: rt.newId(), customer: rt.newId() },
    payees: mandates.payees[place] ?? [],
  }));
  for (let from = 0; from < purses.length; from += 5000) {
    const part = purses.slice(from, from + 5000);
    await rt.db.withTx('bench-purses', async (tx) => {
      const customers = part.map(
        ({ customer }) => `${customer},'person','resident-id','',x'${customer.padStart(64, '0')}','',1,0,${now},${now}`,
      );
      await tx.write(
        `INSERT INTO customers (id, kind, id_type, id_no_sealed, id_index, name_sealed, documented, use_no, verified_ms, created_ms)
         VALUES ${sql.tuples(customers)}`,
      );
      await openAccounts(
        tx,
        part.map(({ account }) => ({ id: account, platformId: book.platformId, type: 'class-2' as const })),
      );
      const accounts = part.map(
        ({ account, customer }): ElectronicAccount => ({
          ...{ accountId: account, platformId: book.platformId, customerId: customer, userId: customer, class: 2 },
          ...{ virtualNo: account, state: 'active', faceToFace: true, funded: true, aliveMs: null, cardClass: '1' },
          ...{ cardIndex: Buffer.alloc(32), interestFrom: today, openedMs: now, closedMs: null, owner },
        }),
      );
      await insertElectronicAccounts(tx, accounts, today);
      const { kind, projects, cap } = mandates;
      const caps = `${cap},${cap},'day',${cap},${now + 86_400_000_000}`;
      const rows = part.map(
        ({ account, mandate, customer, payees }) =>
          `${mandate},${book.platformId},${customer},${customer},${account},'${mandate}',x'${'0'.repeat(64)}','${kind}',` +
          `0,${projects ? 1 : 0},'${payees.join()}',${caps},'active',${now},${now}`,
      );
      await tx.write(
        `INSERT INTO mandates (id, platform_id, customer_id, user_id, account_id, mandate_no, content_hash, kinds, pays_orders, pays_projects,
           payees, payment_cap, total_cap, period, period_cap, expires_ms, state, granted_ms, created_ms) VALUES ${sql.tuples(rows)}`,
      );
    });
  }
  return purses.map(({ account, mandate }) => ({ account, mandate }));
}

/** Money comes in on each of them, and clears when the next business date opens. */
export async function fillPurses(
  rt: Runtime,
  book: BenchBook,
  give: Give,
  purses: readonly Purse[],
  amount: bigint,
): Promise<void> {
  await receiveAll(
    rt,
    purses.map(({ account }) => ({
      ...give('incoming-transfer', {
        account: `acc_${account}`,
        amount: cny(amount),
        payer: { name: 'bench', account: '622202000000000007' },
        reference: `IN-${account}`,
      }),
      origin: 'S' as const,
    })),
  );
  await executeShard(rt, 0);
  await rt.db.withTx('bench-cleared', async (tx) => {
    await lockShard(tx, 0, rt.clock.now());
    await setBusinessDate(tx, book.platformId, addDays(FIRST_DATE, 1), addDays(naturalDate(rt.clock.now()), 30));
  });
}
