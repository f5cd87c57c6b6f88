import { createIntake, executeShard, type Submission } from '../../src/instructions/index.js';
import { addDays, type BusinessDate, type Id } from '../../src/kernel/index.js';
import {
  ensureShards,
  type FunctionalAccount,
  insertBook,
  lockShard,
  openAccounts,
  setBusinessDate,
} from '../../src/ledger/index.js';
import { createRuntime, parseConfig, type Runtime } from '../../src/runtime/index.js';

export const ACCOUNTS = 100_000;
export const PER_ROUND = 20_000;
export const FIRST_DATE = '2026-03-02' as BusinessDate; // a Monday
const FUNDING = 1_000_000n;

/** Bells and announcements are Redis's part; the bench does the worker's, so nobody listens to them here. */
export async function withRuntime<T>(work: (rt: Runtime, databaseUrl: string) => Promise<T>): Promise<T> {
  const config = parseConfig({ ...process.env, BANK_URL: 'http://127.0.0.1:9', LOG_LEVEL: 'warn', CLOCK: 'wall' });
  const started = await createRuntime(config, 'script');
  try {
    return await work(
      { ...started, bells: { ring: async () => undefined, ringInTurn: async () => undefined } },
      config.DATABASE_URL,
    );
  } finally {
    await started.close();
  }
}

export interface BenchBook {
  readonly platformId: Id;
  readonly commission: Id;
  readonly subs: readonly Id[];
}

/** @param count how many sub-accounts it has */
export async function openBook(rt: Runtime, count = ACCOUNTS): Promise<BenchBook> {
  const platformId = rt.newId();
  const functional = ['custody', 'in-transit', 'own-funds', 'commission', 'marketing', 'fees', 'suspense'] as const;
  const accounts = Object.fromEntries(functional.map((type) => [type, rt.newId()])) as Record<FunctionalAccount, Id>;
  const subs = Array.from({ length: count }, () => rt.newId());
  await rt.db.withTx('bench-book', async (tx) => {
    await ensureShards(tx, 1);
    await insertBook(tx, {
      platformId,
      shardId: 0,
      currency: 'CNY',
      custodyNo: `bench-${platformId}`,
      businessDate: FIRST_DATE,
      accounts,
      terms: { transferMax: FUNDING, feeMax: 0n },
    });
    await openAccounts(
      tx,
      functional.map((type) => ({ id: accounts[type], platformId, type })),
    );
    for (let from = 0; from < count; from += 5000) {
      await openAccounts(
        tx,
        subs.slice(from, from + 5000).map((id) => ({ id, platformId, type: 'sub' as const })),
      );
    }
  });
  return { platformId, commission: accounts.commission, subs };
}

export type Give = (kind: string, data: unknown) => Submission;

export function giver(platformId: Id): Give {
  let number = 0;
  return (kind, data) => {
    number += 1;
    return { platformId, origin: 'P', requestNo: `B-${number}`, kind, body: JSON.stringify(data), actor: 'bench' };
  };
}

export const cny = (amount: bigint) => ({ amount: Number(amount), currency: 'CNY' });

/** Money gets to the accounts the way it always does: an order is paid, split to the commission account, and passed on. */
export async function fund(rt: Runtime, book: BenchBook, give: Give): Promise<void> {
  const total = FUNDING * BigInt(ACCOUNTS);
  const payer = { name: 'bench', account: '622202000000000007' };
  await receiveAll(rt, [
    give('payment', { orderNo: 'BENCH', amount: cny(total), payer, reference: 'BENCH' }),
    give('split', { orderNo: 'BENCH', lines: [{ account: `acc_${book.commission}`, amount: cny(total) }] }),
    ...book.subs.map((id) => give('transfer', { from: `acc_${book.commission}`, to: `acc_${id}`, amount: cny(FUNDING) })),
  ]);
  await executeShard(rt, 0);
  // The next business date opens, as a cut-off would open it: the money has cleared.
  await rt.db.withTx('bench-next-day', async (tx) => {
    await lockShard(tx, 0, rt.clock.now());
    await setBusinessDate(tx, book.platformId, FIRST_DATE, addDays(FIRST_DATE, 1));
  });
}

export async function receiveAll(rt: Runtime, submissions: readonly Submission[]): Promise<number> {
  const intake = createIntake(rt);
  const started = performance.now();
  // Single submissions, as that many requests under way at once would make them.
  const receipts = await Promise.all(submissions.map((submission) => intake.receive([submission])));
  const seconds = (performance.now() - started) / 1000;
  for (const [receipt] of receipts)
    if (receipt === undefined || 'refused' in receipt) throw new Error('a submission was not received');
  return submissions.length / seconds;
}

export type Asked = readonly [kind: string, data: unknown];

export function transferOf([from, to]: readonly [Id, Id]): Asked {
  return ['transfer', { from: `acc_${from}`, to: `acc_${to}`, amount: cny(1n) }];
}

/** Instructions per second, of as many as a round has. */
export async function measure(
  rt: Runtime,
  give: Give,
  next: () => Asked,
  round = PER_ROUND,
): Promise<{ intake: number; posting: number }> {
  const submissions = Array.from({ length: round }, () => give(...next()));
  const intake = await receiveAll(rt, submissions);
  const started = performance.now();
  const decided = await executeShard(rt, 0);
  const seconds = (performance.now() - started) / 1000;
  if (decided !== round) throw new Error(`${decided} of ${round} were decided`);
  const refused = await rt.db.read('bench-refused', (tx) =>
    tx.rows<{ code: string; n: string }>("SELECT code, COUNT(*) AS n FROM outcomes WHERE state <> 'posted' GROUP BY code"),
  );
  if (refused.length > 0) throw new Error(`some were refused: ${refused.map(({ code, n }) => `${n} × ${code}`).join(', ')}`);
  return { intake, posting: decided / seconds };
}

export function randomPair(subs: readonly Id[], chance: () => number): readonly [Id, Id] {
  const payer = Math.floor(chance() * subs.length);
  const payee = (payer + 1 + Math.floor(chance() * (subs.length - 1))) % subs.length;
  return [subs[payer] as Id, subs[payee] as Id];
}
