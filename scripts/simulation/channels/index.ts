import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startBank } from '../../../src/channels/simulator/index.js';
import { addDays, type BusinessDate, type Instant, naturalDate, startOfDay, toRfc3339 } from '../../../src/kernel/index.js';
import { connectDatabase } from '../../../src/runtime/index.js';
import { bearer, openClient, Stopwatch } from '../../demo/http.js';
import { Processes } from '../../demo/processes.js';
import { makeOperator } from '../../operator.js';
import { freePort } from '../../services/index.mjs';
import { Chance } from '../chance.js';
import { examine } from './examine.js';
import { openMarket, trade } from './market.js';
import type { ChannelRunOptions, Run } from './run.js';
import { allFaults } from './storm.js';

const FIRST_DAY = '2026-04-29' as BusinessDate; // two working days, then the holidays of May, then a worked Saturday
const WORKERS = 2;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const LOOK_MS = 250;
/** No more faults once so many rounds have passed. */
const STORM_ROUNDS = 240;
const ROUNDS_MAX = 1_200;
/** Returns come days after the payment: so many days the run goes on when all is final. */
const QUIET_DAYS = 9;
/** The run's days are short: so many rounds longer the workers have to read what the bank told in them. */
const LATE_ROUNDS = 400;

/**
 * Real processes of the service against a bank at which everything goes wrong: payouts of a clearing and refunds over every channel, workers
 * that are killed with -9 at any point of sending, calls that get lost, come late, twice or garbled. In the end the bank's own books must
 * show each payout paid exactly as often as ours say, and all money must be somewhere.
 */
export async function runChannels(options: ChannelRunOptions) {
  const startedAt = performance.now();
  mkdirSync(options.folder, { recursive: true });
  const chance = new Chance(options.seed);
  const bank = await startBank({ port: 0, seed: options.seed });
  const processes = new Processes(options.folder);
  const db = await connectDatabase({ url: options.databaseUrl, poolSize: 4 });
  try {
    const run = await start(options, { bank, processes, db, chance });
    await storm(run);
    await calm(run);
    return { ...(await heardOut(run)), crashes: run.crashes, seconds: Math.round((performance.now() - startedAt) / 100) / 10 };
  } finally {
    await processes.stop();
    await db.close();
    await bank.stop();
  }
}

type Parts = Pick<Run, 'bank' | 'processes' | 'db' | 'chance'>;

async function start(options: ChannelRunOptions, { bank, processes, db, chance }: Parts): Promise<Run> {
  const nowMs = (startOfDay(FIRST_DAY) + 9 * 60 * MINUTE) as Instant;
  await db.withTx(
    'first-moment',
    (tx) => tx.write('INSERT INTO driven_clock (id, now_ms) VALUES (1, ?)', [nowMs]),
    async () => 1,
  );
  const port = String(await freePort());
  const env = {
    ...{ DATABASE_URL: options.databaseUrl, REDIS_URL: options.redisUrl, BANK_URL: bank.url, CLOCK: 'driven', TICK_MS: '200' },
    ...{ HOST: '127.0.0.1', PORT: port, METRICS_PORT: '0', PUBLIC_URL: `http://127.0.0.1:${port}`, LOG_LEVEL: 'warn' },
  };
  const api = await processes.start('api', ['src/main.ts'], env);
  const startWorker = async (place: number) => void (await processes.start(`worker-${place}`, ['jobs/main.ts'], env));
  for (let place = 0; place < WORKERS; place += 1) await startWorker(place);
  const { token } = await makeOperator(db, 'simulation', ['administrator', 'operator']);
  const watch = new Stopwatch();
  const admin = openClient(api.url, watch, bearer(token));
  const market = await openMarket({
    api: api.url,
    bank: bank.bank,
    admin,
    watch,
    chance,
    sellers: options.payouts,
    firstDay: FIRST_DAY,
  });
  const run: Run = {
    ...{ options, chance, bank, processes, db, admin, startWorker, nowMs, crashes: 0 },
    ...{ platformId: market.platformId, custodyNo: market.custodyNo },
  };
  options.say(`seed ${options.seed}: ${options.payouts} sellers are opened`);
  await trade(run, market);
  options.say('their orders are paid and split; the day ends');
  await moveTo(run, startOfDay(addDays(FIRST_DAY, 1)));
  return run;
}

/** Time passes for the service and for the bank. */
async function moveTo(run: Run, to: Instant): Promise<void> {
  run.bank.bank.advanceMs(Math.max(0, to - run.nowMs));
  run.nowMs = to;
  await run.admin.call({ method: 'PUT', path: '/admin/v1/clock', body: { now: toRfc3339(to) }, what: 'clock' });
  run.bank.bank.setDate(naturalDate(to));
}

async function storm(run: Run): Promise<void> {
  const { chance, bank, options } = run;
  for (let round = 0; round < STORM_ROUNDS; round += 1) {
    if (round % 20 === 0) bank.bank.faults.replace(allFaults(chance));
    if (round % 12 === 6) await killWorker(run);
    await pause(LOOK_MS);
    await moveTo(run, (run.nowMs + chance.between(20 * SECOND, 6 * MINUTE)) as Instant);
    if (round % 40 === 0) options.say(`round ${round}, ${toRfc3339(run.nowMs)}: ${await counts(run)}`);
  }
}

/** A worker is gone without a word, and another takes its place. */
async function killWorker(run: Run): Promise<void> {
  const place = run.chance.below(WORKERS);
  await run.processes.kill(`worker-${place}`);
  run.crashes += 1;
  await run.startWorker(place);
}

/** No more faults: everything has to come to its end. */
async function calm(run: Run): Promise<void> {
  run.bank.bank.faults.replace({});
  run.options.say(`calm from ${toRfc3339(run.nowMs)}: ${await counts(run)}`);
  let quietSince: BusinessDate | undefined;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    await pause(LOOK_MS);
    const left = await underWay(run);
    const today = naturalDate(run.nowMs);
    if (left > 0) quietSince = undefined;
    else quietSince ??= today;
    if (quietSince !== undefined && today >= addDays(quietSince, QUIET_DAYS)) return;
    await moveTo(run, (run.nowMs + (left > 0 ? 10 * MINUTE : 4 * 60 * MINUTE)) as Instant);
    if (round % 40 === 0) run.options.say(`calm round ${round}, ${toRfc3339(run.nowMs)}: ${await counts(run)}`);
  }
}

/**
 * What is found in the end. On a busy machine the days of the run pass faster than the workers read what the bank tells: while its books and
 * ours differ they get more time, of which there is an end.
 */
async function heardOut(run: Run) {
  for (let round = 0; ; round += 1) {
    const found = await examine(run);
    const { paidTwice, lost, unknownLeft, moneyOff, breaksLeft } = found;
    if (paidTwice + lost + unknownLeft + moneyOff + breaksLeft === 0 || round === LATE_ROUNDS) {
      for (const line of found.lines) run.options.say(line);
      const { lines, ...figures } = found;
      return figures;
    }
    if (round === 0) run.options.say(`the books differ when all is quiet: ${lost} payouts, ${moneyOff} fen`);
    await pause(LOOK_MS);
    await moveTo(run, (run.nowMs + 10 * MINUTE) as Instant);
  }
}

/** Instructions that are not decided, and payouts that are not final. */
async function underWay({ db }: Pick<Run, 'db'>): Promise<number> {
  return db.read('under-way', async (tx) => {
    const [row] = await tx.rows<{ number: string }>(
      "SELECT (SELECT COUNT(*) FROM inbox) + (SELECT COUNT(*) FROM payouts WHERE state IN ('created', 'sent', 'unknown')) AS number",
    );
    return Number(row?.number);
  });
}

async function counts({ db }: Run): Promise<string> {
  const rows = await db.read('counts', (tx) =>
    tx.rows<{ state: string; number: string }>('SELECT state, COUNT(*) AS number FROM payouts GROUP BY state'),
  );
  return rows.map(({ state, number }) => `${number} ${state}`).join(', ') || 'no payouts';
}

/** The processes work by their own clocks meanwhile; nothing is decided by how long this takes. */
function pause(ms: number): Promise<void> {
  return new Promise((resume) => setTimeout(resume, ms));
}

export function logsOf(root: string): string {
  return join(root, '.local', 'simulate', process.env.REDIS_PREFIX ?? '');
}
