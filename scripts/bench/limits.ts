import { type ElectronicAccount, insertElectronicAccounts } from '../../src/accounts/index.js';
import { executeShard } from '../../src/instructions/index.js';
import { addDays, type Id, naturalDate } from '../../src/kernel/index.js';
import { lockShard, openAccounts, setBusinessDate } from '../../src/ledger/index.js';
import { type Runtime, sql } from '../../src/runtime/index.js';
import {
  ACCOUNTS,
  type Asked,
  type BenchBook,
  cny,
  FIRST_DATE,
  fund,
  type Give,
  giver,
  measure,
  openBook,
  randomPair,
  receiveAll,
  transferOf,
  withRuntime,
} from './book.js';
import { median, seeded } from './figures.js';

const ROUNDS = 5;

/**
 * With `--limits`: payments from electronic accounts under mandates, each held to the law's limits and counted on its mandate, in turns
 * with plain transfers between sub-accounts of the same book.
 */
export function benchLimits(args: readonly string[]): Promise<Record<string, number>> {
  const chance = seeded(Number(args[args.indexOf('--seed') + 1] ?? 0) || 1);
  return withRuntime(async (rt) => {
    const book = await openBook(rt);
    const give = giver(book.platformId);
    await fund(rt, book, give);
    const purses = await openPurses(rt, book, give, chance);
    const plain: number[] = [];
    const limits: number[] = [];
    for (let round = 0; round <= ROUNDS; round += 1) {
      const pairs = () => transferOf(randomPair(book.subs, chance));
      const payments = () => paymentOf(purses[Math.floor(chance() * purses.length)] as Purse, chance);
      const figures = { plain: (await measure(rt, give, pairs)).posting, limits: (await measure(rt, give, payments)).posting };
      process.stderr.write(`round ${round}: plain ${Math.round(figures.plain)}, with limits ${Math.round(figures.limits)}\n`);
      if (round === 0) continue; // warm-up
      plain.push(figures.plain);
      limits.push(figures.limits);
    }
    const ratios = limits.map((value, round) => value / (plain[round] as number));
    return {
      accounts: ACCOUNTS,
      perSecond: Math.round(median(limits)),
      plainPerSecond: Math.round(median(plain)),
      ratio: Number(median(ratios).toFixed(3)),
    };
  });
}

interface Purse {
  readonly account: Id;
  readonly mandate: Id;
  readonly payees: readonly Id[];
}

const PAYEES = 20; // of each mandate, as many as one may name
const PURSE = 100_000n; // what stands on each electronic account

/** A customer with a Class II account for each sub-account, some money on it, and a mandate to pay any of 20 sub-merchants drawn by chance. */
async function openPurses(rt: Runtime, book: BenchBook, give: Give, chance: () => number): Promise<Purse[]> {
  const now = rt.clock.now();
  const today = naturalDate(now);
  const owner = { stopped: null, idExpires: null, idTaskDueMs: null, documented: true };
  const anyPayees = () => Array.from({ length: PAYEES }, () => book.subs[Math.floor(chance() * ACCOUNTS)] as Id);
  const purses = book.subs.map(() => ({
    ...{ account: rt.newId(), mandate: rt.newId(), customer: rt.newId() },
    payees: anyPayees(),
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
      const caps = `${PURSE},${PURSE},'day',${PURSE},${now + 86_400_000_000}`;
      const mandates = part.map(
        ({ account, mandate, customer, payees }) =>
          `${mandate},${book.platformId},${customer},${customer},${account},'${mandate}',x'${'0'.repeat(64)}','account-payment',` +
          `0,'${payees.join()}',${caps},'active',${now},${now}`,
      );
      await tx.write(
        `INSERT INTO mandates (id, platform_id, customer_id, user_id, account_id, mandate_no, content_hash, kinds, pays_orders, payees, payment_cap,
           total_cap, period, period_cap, expires_ms, state, granted_ms, created_ms) VALUES ${sql.tuples(mandates)}`,
      );
    });
  }
  await receiveAll(
    rt,
    purses.map(({ account }) => ({
      ...give('incoming-transfer', {
        account: `acc_${account}`,
        amount: cny(PURSE),
        payer: { name: 'bench', account: '622202000000000007' },
        reference: `IN-${account}`,
      }),
      origin: 'S' as const,
    })),
  );
  await executeShard(rt, 0);
  await rt.db.withTx('bench-cleared', async (tx) => {
    await lockShard(tx, 0, rt.clock.now());
    await setBusinessDate(tx, book.platformId, addDays(FIRST_DATE, 1), addDays(today, 30));
  });
  return purses;
}

/** Payer and payee are drawn from as many accounts as those of a plain transfer. */
function paymentOf({ account, mandate, payees }: Purse, chance: () => number): Asked {
  const to = { account: `acc_${payees[Math.floor(chance() * payees.length)]}` };
  return ['account-payment', { from: `acc_${account}`, to, amount: cny(1n), mandate: `mdt_${mandate}` }];
}
