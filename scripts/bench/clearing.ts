import { spawn } from 'node:child_process';
import { openChannels } from '../../src/channels/index.js';
import { startBank } from '../../src/channels/simulator/index.js';
import { executeShard } from '../../src/instructions/index.js';
import { instantOf, startOfDay } from '../../src/kernel/index.js';
import { ensureShards } from '../../src/ledger/index.js';
import { drivenClock, type Runtime } from '../../src/runtime/index.js';
import { FIRST_DATE, type Give, giver, randomPair, receiveAll, transferOf, withRuntime } from './book.js';
import { type ClearingBook, openClearingBook, SHARDS } from './clearing-book.js';
import { median, seeded } from './figures.js';

const SIZES = [10_000, 100_000];
const FULL = 1_000_000;
const WARM_UP = 3_000;
const TEN_O_CLOCK = 10 * 3_600_000;
const ROUNDS = 3;
/** As `npm run worker` is started: what is not bounded grows until it must be collected, whatever of it is needed. */
const HEAP = ['--max-old-space-size=320'];
/** Accounts of the book on which plain posting is measured, before each close and after it. */
const PLAIN = 10_000;
const PER_ROUND = 10_000;

/** What the worker says of a close. */
interface Said {
  readonly state: string;
  readonly seconds: number;
  /** Seconds up to each point since the one before. */
  readonly took: Readonly<Record<string, number>>;
  /** The most memory that the process had until each point, MB. */
  readonly peaks: Readonly<Record<string, number>>;
  readonly peakMb: number;
}

/**
 * The close of a day with a clearing, of sub-merchants with five credits each: the worker runs in a process of its own, the bank simulator and
 * the seeding in this one. Every step is done in full. `payoutsPerSecond` is of everything but the way to the channels: cut-off, reconciling,
 * proof, what is due, netting, preview, the instructions decided and posted with their payouts, close. Routing, sending, the channels'
 * answers and the posting of their results (`sentPerSecond`) depend on the simulator, which takes turns with all else on the same processors.
 */
export function benchClearing(args: readonly string[]): Promise<Record<string, number>> {
  const chance = seeded(Number(args[args.indexOf('--seed') + 1] ?? 0) || 1);
  const only = args.indexOf('--size') < 0 ? undefined : Number(args[args.indexOf('--size') + 1]);
  const sizes = only === undefined ? [...SIZES, ...(args.includes('--full') ? [FULL] : [])] : [only];
  return withRuntime(async (started) => {
    const rt = { ...started, clock: drivenClock(instantOf(startOfDay(FIRST_DATE) + TEN_O_CLOCK)) };
    await rt.db.withTx('bench-shards', (tx) => ensureShards(tx, SHARDS));
    const bank = await startBank({ port: 0, seed: 1 });
    const channels = openChannels({ bankUrl: bank.url, timeoutMs: 60_000 });
    try {
      const figures: Record<string, number> = {};
      const measured: { merchants: number; seconds: number; paying: number }[] = [];
      let peak = 0;
      const plain = await openClearingBook(rt, channels, PLAIN, chance);
      const give = giver(plain.platformId);
      const rounds: number[] = [];
      await plainRound(rt, plain, give, chance); // warm-up
      for (const merchants of sizes) {
        const warm = await openClearingBook(rt, channels, WARM_UP, chance);
        const book = await openClearingBook(rt, channels, merchants, chance);
        for (let round = 0; round < ROUNDS; round += 1) rounds.push(await plainRound(rt, plain, give, chance));
        const said = await closeInWorker(bank.url, [warm, book]);
        // After it as well: what else the machine has to do changes meanwhile.
        for (let round = 0; round < ROUNDS; round += 1) rounds.push(await plainRound(rt, plain, give, chance));
        const sending = (said.took['clearing sent'] ?? 0) + (said.took['after results'] ?? 0);
        const paying = said.seconds - sending;
        process.stderr.write(
          `${merchants}: ${JSON.stringify({ ...rounded(said.took), posting: rounds.slice(-2 * ROUNDS).map(Math.round) })}\n`,
        );
        process.stderr.write(`memory until each point, MB: ${JSON.stringify(said.peaks)}\n`);
        await expectPaid(rt, book);
        figures[`seconds_${merchants}`] = round(said.seconds);
        figures[`payoutsPerSecond_${merchants}`] = Math.round(merchants / paying);
        figures[`sentPerSecond_${merchants}`] = Math.round(merchants / sending);
        figures[`peakMemoryMb_${merchants}`] = Math.round(said.peakMb);
        measured.push({ merchants, seconds: said.seconds, paying });
        peak = Math.max(peak, said.peakMb);
      }
      const [first, last] = [measured[0], measured.at(-1)] as [(typeof measured)[0], (typeof measured)[0]];
      const payoutsPerSecond = last.merchants / last.paying;
      const posting = median(rounds.slice(-2 * ROUNDS));
      return {
        ...figures,
        payoutsPerSecond: Math.round(payoutsPerSecond),
        postingPerSecond: Math.round(posting),
        costGrowth: round(last.seconds / last.merchants / (first.seconds / first.merchants)),
        ratio: round(payoutsPerSecond / posting),
        peakMemoryMb: Math.round(peak),
      };
    } finally {
      await channels.close();
      await bank.stop();
    }
  });
}

const round = (value: number) => Number(value.toFixed(3));
const rounded = (of: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(of).map(([name, value]) => [name, round(value)]));

/** Transfers a second between sub-accounts of a book, decided and posted. */
async function plainRound(rt: Runtime, { shardId, subs }: ClearingBook, give: Give, chance: () => number): Promise<number> {
  const submissions = Array.from({ length: PER_ROUND }, () => {
    const [kind, data] = transferOf(randomPair(subs, chance));
    const { requestNo, ...submission } = give(kind, data);
    return { ...submission, requestNo: `T${requestNo}` };
  });
  await receiveAll(rt, submissions);
  const began = performance.now();
  const decided = await executeShard(rt, shardId);
  if (decided !== PER_ROUND) throw new Error(`${decided} of ${PER_ROUND} transfers were decided`);
  return PER_ROUND / ((performance.now() - began) / 1000);
}

function closeInWorker(bankUrl: string, books: readonly ClearingBook[]): Promise<Said> {
  return new Promise((resolve, reject) => {
    const platforms = books.map(({ platformId }) => platformId);
    const line = [...HEAP, '--import', 'tsx', 'scripts/bench/clearing-worker.ts', bankUrl, ...platforms];
    const worker = spawn(process.execPath, line, { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    worker.stdout.on('data', (text) => {
      said += String(text);
    });
    worker.on('error', reject);
    worker.on('close', (code) => {
      const last = said.trim().split('\n').at(-1) ?? '';
      if (code !== 0 || !last.startsWith('{')) reject(new Error(`the worker ended with ${code}`));
      else resolve(JSON.parse(last) as Said);
    });
  });
}

/** What was measured was done: each sub-merchant has a payout that has settled, and the day is closed. */
async function expectPaid(rt: Runtime, { platformId, subs }: ClearingBook): Promise<void> {
  const { paid, day } = await rt.db.read('bench-paid', async (tx) => ({
    paid: await tx.rows<{ state: string; number: string }>(
      'SELECT state, COUNT(*) AS number FROM payouts WHERE platform_id = ? GROUP BY state',
      [platformId],
    ),
    day: await tx.rows<{ state: string }>('SELECT state FROM business_days WHERE platform_id = ? AND business_date = ?', [
      platformId,
      FIRST_DATE,
    ]),
  }));
  const all = paid.map(({ state, number }) => `${number} ${state}`).join(', ');
  process.stderr.write(`payouts: ${all}; day ${day[0]?.state}\n`);
  const made = paid.reduce((sum, { number }) => sum + Number(number), 0);
  if (made !== subs.length || day[0]?.state !== 'closed')
    throw new Error(`not all was paid: ${all}, the day is ${day[0]?.state}`);
}
