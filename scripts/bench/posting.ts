import { type ElectronicAccount, insertElectronicAccounts } from '../../src/accounts/index.js';
import { createIntake, executeShard, type Submission } from '../../src/instructions/index.js';
import { addDays, type BusinessDate, type Id, naturalDate } from '../../src/kernel/index.js';
import {
  ensureShards,
  type FunctionalAccount,
  insertBook,
  lockShard,
  openAccounts,
  setBusinessDate,
} from '../../src/ledger/index.js';
import { createRuntime, parseConfig, type Runtime, sql } from '../../src/runtime/index.js';
import { BARE_BATCH, BareLoop } from './bare-loop.js';
import { median, seeded } from './figures.js';

const ACCOUNTS = 100_000;
const ROUNDS = 5;
const PER_ROUND = 20_000;
const FUNDING = 1_000_000n;
const FIRST_DATE = '2026-03-02' as BusinessDate; // a Monday

/**
 * With `--limits`: payments from electronic accounts under mandates, each held to the law's limits and counted on its mandate, in turns
 * with plain transfers between sub-accounts of the same book.
 */
export async function benchLimits(args: readonly string[]): Promise<Record<string, number>> {
  const chance = seeded(Number(args[args.indexOf('--seed') + 1] ?? 0) || 1);
  const config = parseConfig({ ...process.env, BANK_URL: 'http://127.0.0.1:9', LOG_LEVEL: 'warn', CLOCK: 'wall' });
  const started = await createRuntime(config, 'script');
  const rt: Runtime = { ...started, bells: { ring: async () => undefined } };
  try {
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
  } finally {
    await started.close();
  }
}

/**
 * The engine against the bare loop, on 100,000 accounts, in turns: each round measures the bare loop, the intake, the posting
 * of random transfers and the posting of transfers that all touch one account. Figures are medians over the rounds.
 */
export async function benchPosting(args: readonly string[]): Promise<Record<string, number>> {
  const seed = Number(args[args.indexOf('--seed') + 1] ?? 0) || 1;
  const chance = seeded(seed);
  const config = parseConfig({ ...process.env, BANK_URL: 'http://127.0.0.1:9', LOG_LEVEL: 'warn', CLOCK: 'wall' });
  // Bells and announcements are Redis's part; the loop below is the worker's, so nobody listens to them here.
  const started = await createRuntime(config, 'script');
  const rt: Runtime = { ...started, bells: { ring: async () => undefined } };
  const bare = await BareLoop.open(config.DATABASE_URL, ACCOUNTS, chance);
  try {
    const book = await openBook(rt);
    const give = giver(book.platformId);
    await fund(rt, book, give);
    const rounds = { bare: [] as number[], intake: [] as number[], posting: [] as number[], hot: [] as number[] };
    for (let round = 0; round <= ROUNDS; round += 1) {
      const figures = {
        bare: await bare.run(PER_ROUND / BARE_BATCH),
        ...(await measure(rt, give, () => transferOf(randomPair(book.subs, chance)))),
        hot: (await measure(rt, give, () => transferOf(hotPair(book.subs, chance)))).posting,
      };
      process.stderr.write(
        `round ${round}: ${JSON.stringify(figures, (_, value) => (typeof value === 'number' ? Math.round(value) : value))}\n`,
      );
      if (round === 0) continue; // warm-up
      for (const name of Object.keys(rounds) as (keyof typeof rounds)[]) rounds[name].push(figures[name]);
    }
    return figuresOf(rounds);
  } finally {
    await bare.close();
    await started.close();
  }
}

function figuresOf(rounds: Record<'bare' | 'intake' | 'posting' | 'hot', number[]>): Record<string, number> {
  const ratio = (a: readonly number[], b: readonly number[]) =>
    Number(median(a.map((value, round) => value / (b[round] as number))).toFixed(3));
  return {
    accounts: ACCOUNTS,
    intakePerSecond: Math.round(median(rounds.intake)),
    perSecond: Math.round(median(rounds.posting)),
    hotPerSecond: Math.round(median(rounds.hot)),
    barePerSecond: Math.round(median(rounds.bare)),
    ratio: ratio(rounds.posting, rounds.bare),
    hotRatio: ratio(rounds.hot, rounds.posting),
  };
}

interface BenchBook {
  readonly platformId: Id;
  readonly commission: Id;
  readonly subs: readonly Id[];
}

async function openBook(rt: Runtime): Promise<BenchBook> {
  const platformId = rt.newId();
  const functional = ['custody', 'in-transit', 'own-funds', 'commission', 'marketing', 'fees', 'suspense'] as const;
  const accounts = Object.fromEntries(functional.map((type) => [type, rt.newId()])) as Record<FunctionalAccount, Id>;
  const subs = Array.from({ length: ACCOUNTS }, () => rt.newId());
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
    for (let from = 0; from < ACCOUNTS; from += 5000) {
      await openAccounts(
        tx,
        subs.slice(from, from + 5000).map((id) => ({ id, platformId, type: 'sub' as const })),
      );
    }
  });
  return { platformId, commission: accounts.commission, subs };
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

type Give = (kind: string, data: unknown) => Submission;

function giver(platformId: Id): Give {
  let number = 0;
  return (kind, data) => {
    number += 1;
    return { platformId, origin: 'P', requestNo: `B-${number}`, kind, body: JSON.stringify(data), actor: 'bench' };
  };
}

const cny = (amount: bigint) => ({ amount: Number(amount), currency: 'CNY' });

/** Money gets to the accounts the way it always does: an order is paid, split to the commission account, and passed on. */
async function fund(rt: Runtime, book: BenchBook, give: Give): Promise<void> {
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

async function receiveAll(rt: Runtime, submissions: readonly Submission[]): Promise<number> {
  const intake = createIntake(rt);
  const started = performance.now();
  // Single submissions, as that many requests under way at once would make them.
  const receipts = await Promise.all(submissions.map((submission) => intake.receive([submission])));
  const seconds = (performance.now() - started) / 1000;
  for (const [receipt] of receipts)
    if (receipt === undefined || 'refused' in receipt) throw new Error('a submission was not received');
  return submissions.length / seconds;
}

type Asked = readonly [kind: string, data: unknown];

function transferOf([from, to]: readonly [Id, Id]): Asked {
  return ['transfer', { from: `acc_${from}`, to: `acc_${to}`, amount: cny(1n) }];
}

/** Payer and payee are drawn from as many accounts as those of a plain transfer. */
function paymentOf({ account, mandate, payees }: Purse, chance: () => number): Asked {
  const to = { account: `acc_${payees[Math.floor(chance() * payees.length)]}` };
  return ['account-payment', { from: `acc_${account}`, to, amount: cny(1n), mandate: `mdt_${mandate}` }];
}

async function measure(rt: Runtime, give: Give, next: () => Asked): Promise<{ intake: number; posting: number }> {
  const submissions = Array.from({ length: PER_ROUND }, () => give(...next()));
  const intake = await receiveAll(rt, submissions);
  const started = performance.now();
  const decided = await executeShard(rt, 0);
  const seconds = (performance.now() - started) / 1000;
  if (decided !== PER_ROUND) throw new Error(`${decided} of ${PER_ROUND} were decided`);
  const [refused] = await rt.db.read('bench-refused', (tx) =>
    tx.rows<{ n: string }>("SELECT COUNT(*) AS n FROM outcomes WHERE state <> 'posted'"),
  );
  if (refused?.n !== '0') throw new Error(`${refused?.n} transfers were refused`);
  return { intake, posting: decided / seconds };
}

function randomPair(subs: readonly Id[], chance: () => number): readonly [Id, Id] {
  const payer = Math.floor(chance() * subs.length);
  const payee = (payer + 1 + Math.floor(chance() * (subs.length - 1))) % subs.length;
  return [subs[payer] as Id, subs[payee] as Id];
}

/** One account in every instruction: it pays and is paid in turn. */
function hotPair(subs: readonly Id[], chance: () => number): readonly [Id, Id] {
  const hot = subs[0] as Id;
  const other = subs[1 + Math.floor(chance() * (subs.length - 1))] as Id;
  return chance() < 0.5 ? [hot, other] : [other, hot];
}
