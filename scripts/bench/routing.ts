import { CHANNELS, type ChannelCode } from '../../src/channels/index.js';
import type { BusinessDate, Calendar, Id, Instant } from '../../src/kernel/index.js';
import { startOfDay } from '../../src/kernel/index.js';
import { CHANNEL_TERMS } from '../../src/migrations/data/channel-terms.js';
import { channelTable, type Position, type Routable, routeBatch, termsSchema } from '../../src/routing/index.js';
import { seeded } from './figures.js';

const PAYOUTS = 100_000;
const BANKS = ['102100099996', '103100000026', '104100000004', '105100000017', '308584000013', '313100000013', '403100000004'];
/** The share of all that leaves the bank which lies in each channel, in thousandths; and of all payments those that it takes in a day. */
const FLOATS: Readonly<Partial<Record<ChannelCode, number>>> = { hvps: 800, beps: 70, ibps: 50, unionpay: 40, psp: 60 };
const CAPACITIES: Readonly<Partial<Record<ChannelCode, number>>> = { beps: 350, ibps: 250, unionpay: 200, psp: 200 };

/**
 * 100,000 seeded payouts over six channels on a working morning: own-bank ones, many small ones and a few large ones (log-normal amounts,
 * with a tail of large-value payments), a tenth with a promised speed; floats and capacities bind on most channels. No database. `cost` and
 * `bound` are fen, of the routes of all that do not wait.
 */
export function benchRouting(args: readonly string[]): Promise<Record<string, number>> {
  const seed = Number(args[args.indexOf('--seed') + 1] ?? 0) || 1;
  const chance = seeded(seed);
  const at = (startOfDay('2026-03-02' as BusinessDate) + 10 * 3_600_000) as Instant;
  const payouts = Array.from({ length: PAYOUTS }, (_, i) => payoutOf(i, chance, at));
  const position = positionOf(payouts);
  const before = process.cpuUsage();
  const started = performance.now();
  const { cost, bound, waiting, late, leastWait, routes } = routeBatch(payouts, position, at);
  const seconds = (performance.now() - started) / 1000;
  const used = process.cpuUsage(before);
  const counts = CHANNELS.map((channel) => [channel, routes.filter((route) => route.channel === channel).length] as const);
  process.stderr.write(
    `${counts.map(([channel, count]) => `${channel} ${count}`).join(', ')}; seed ${seed}; ${((used.user + used.system) / 1e6).toFixed(1)} s of processor\n`,
  );
  const costOverBound = Number((Number(cost) / Number(bound)).toFixed(6));
  const figures = { payouts: PAYOUTS, cost: Number(cost), bound: Number(bound), costOverBound };
  return Promise.resolve({ ...figures, waiting, late, leastWait: leastWait ? 1 : 0, seconds: Number(seconds.toFixed(3)) });
}

function payoutOf(place: number, chance: () => number, at: Instant): Routable {
  const normal = Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance());
  const large = chance() < 0.004;
  const yuan = large ? 60_000 / (1 - chance()) ** 0.7 : Math.exp(5.7 + 1.5 * normal);
  const own = chance() < 0.12;
  const hurried = chance() < 0.1;
  return {
    id: String(2236512894231552003n + BigInt(place)) as Id,
    amount: BigInt(Math.max(1, Math.round(yuan * 100))),
    bankCode: own ? '' : (BANKS[Math.floor(chance() * BANKS.length)] as string),
    collects: false,
    createdMs: (at - Math.floor(chance() * 3_600_000)) as Instant,
    arrivesBy: hurried ? ((at + 600_000) as Instant) : null,
  };
}

function positionOf(payouts: readonly Routable[]): Position {
  const leaving = payouts.filter(({ bankCode }) => bankCode !== '');
  const total = leaving.reduce((sum, { amount }) => sum + amount, 0n);
  const share = (thousandths: number) => (total * BigInt(thousandths)) / 1000n;
  const rows = CHANNEL_TERMS.map(([channel, validFrom, terms, source]) => {
    const capacity = CAPACITIES[channel as ChannelCode];
    const read = termsSchema.parse(terms);
    return {
      ...{ channel: channel as ChannelCode, validFrom: validFrom as BusinessDate, source },
      terms: capacity === undefined ? read : { ...read, capacity: Math.floor((PAYOUTS * capacity) / 1000) },
    };
  });
  const calendar: Calendar = { exceptions: new Map(), knownYears: new Set(['2026']) };
  const floats = new Map(CHANNELS.map((channel) => [channel, floatOf(channel, share)]));
  return { table: channelTable(rows, []), calendar, floats, carried: new Map(), circuits: new Map() };
}

function floatOf(channel: ChannelCode, share: (thousandths: number) => bigint): bigint | null {
  const thousandths = FLOATS[channel];
  return thousandths === undefined ? null : share(thousandths);
}
