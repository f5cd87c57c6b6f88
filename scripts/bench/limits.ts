import type { Id } from '../../src/kernel/index.js';
import type { Runtime } from '../../src/runtime/index.js';
import {
  ACCOUNTS,
  type Asked,
  type BenchBook,
  cny,
  fund,
  type Give,
  giver,
  measure,
  openBook,
  randomPair,
  transferOf,
  withRuntime,
} from './book.js';
import { median, seeded } from './figures.js';
import { fillPurses, openPurses, type Purse } from './purses.js';

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
    const purses = await openPayers(rt, book, give, chance);
    const plain: number[] = [];
    const limits: number[] = [];
    for (let round = 0; round <= ROUNDS; round += 1) {
      const pairs = () => transferOf(randomPair(book.subs, chance));
      const payments = () => paymentOf(purses[Math.floor(chance() * purses.length)] as Payer, chance);
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

interface Payer extends Purse {
  readonly payees: readonly Id[];
}

const PAYEES = 20; // of each mandate, as many as one may name
const PURSE = 100_000n; // what stands on each electronic account

/** A customer with a Class II account for each sub-account, some money on it, and a mandate to pay any of 20 sub-merchants drawn by chance. */
async function openPayers(rt: Runtime, book: BenchBook, give: Give, chance: () => number): Promise<Payer[]> {
  const anyPayees = () => Array.from({ length: PAYEES }, () => book.subs[Math.floor(chance() * ACCOUNTS)] as Id);
  const payees = book.subs.map(anyPayees);
  const purses = await openPurses(rt, book, ACCOUNTS, { kind: 'account-payment', projects: false, cap: PURSE, payees });
  await fillPurses(rt, book, give, purses, PURSE);
  return purses.map((purse, place) => ({ ...purse, payees: payees[place] as Id[] }));
}

/** Payer and payee are drawn from as many accounts as those of a plain transfer. */
function paymentOf({ account, mandate, payees }: Payer, chance: () => number): Asked {
  const to = { account: `acc_${payees[Math.floor(chance() * payees.length)]}` };
  return ['account-payment', { from: `acc_${account}`, to, amount: cny(1n), mandate: `mdt_${mandate}` }];
}
