import type { Id } from '../../src/kernel/index.js';
import { BARE_BATCH, BareLoop } from './bare-loop.js';
import { ACCOUNTS, fund, giver, measure, openBook, PER_ROUND, randomPair, transferOf, withRuntime } from './book.js';
import { median, seeded } from './figures.js';

const ROUNDS = 5;

/**
 * The engine against the bare loop, on 100,000 accounts, in turns: each round measures the bare loop, the intake, the posting
 * of random transfers and the posting of transfers that all touch one account. Figures are medians over the rounds.
 */
export function benchPosting(args: readonly string[]): Promise<Record<string, number>> {
  const seed = Number(args[args.indexOf('--seed') + 1] ?? 0) || 1;
  const chance = seeded(seed);
  return withRuntime(async (rt, databaseUrl) => {
    const bare = await BareLoop.open(databaseUrl, ACCOUNTS, chance);
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
    }
  });
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

/** One account in every instruction: it pays and is paid in turn. */
function hotPair(subs: readonly Id[], chance: () => number): readonly [Id, Id] {
  const hot = subs[0] as Id;
  const other = subs[1 + Math.floor(chance() * (subs.length - 1))] as Id;
  return chance() < 0.5 ? [hot, other] : [other, hot];
}
