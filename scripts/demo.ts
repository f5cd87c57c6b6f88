/**
 * The run on orders of a marketplace, or on loans of a lending platform, through the HTTP API of the running service, its clock driven by the data.
 *
 *   npm run demo -- [--orders DIR | --seed N] [--json] [--out DIR] [--keep]
 *   npm run demo -- --loans DIR [--limit N] [--json] [--out DIR] [--keep]
 *
 * Started by `npm run demo`, which gives it a database and a Redis of its own. Progress goes to stderr, the report to stdout. The
 * exit code is 0 when every figure agrees, 1 when one does not or the run fails, 2 when it cannot be started as it was called.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { addDays, type BusinessDate, type Instant, naturalDate, workingDayAfter } from '../src/kernel/index.js';
import { loadCalendar } from '../src/runtime/calendar-store.js';
import { connectDatabase, type Database } from '../src/runtime/index.js';
import { booksChapter } from './demo/books.js';
import { differencesOf, expectedOf, identitiesOf } from './demo/figures.js';
import { Stopwatch } from './demo/http.js';
import { readLoans, runLoans } from './demo/loans/index.js';
import { madeUpTables } from './demo/made-up.js';
import { type OpenMarket, openMarket } from './demo/opening.js';
import { DataFaulty, joinTables, type Marketplace, readTables } from './demo/orders.js';
import { personChapter } from './demo/person.js';
import { Processes } from './demo/processes.js';
import { Progress } from './demo/progress.js';
import { agreesWithBank, readResult } from './demo/reading.js';
import { daysOf, type Plan, replay } from './demo/replay.js';
import { count, figuresLine, type Report, reportText, seconds, writeSellers } from './demo/report.js';
import { eventsOf } from './demo/rules.js';
import { findServers, setFirstMoment, startProcesses, Unusable } from './demo/start.js';
import { makeOperator } from './operator.js';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** Logs and the platform's key; a run beside another, which is told a prefix of its own for Redis, has a folder of its own. */
const FOLDER = join(ROOT, '.local', 'demo', process.env.REDIS_PREFIX ?? '');
const KEY_FILE = join(FOLDER, 'platform.json');
const USAGE = 'usage: npm run demo -- [--orders DIR | --seed N | --loans DIR [--limit N]] [--json] [--out DIR] [--keep]';

interface Options {
  readonly orders: string | undefined;
  readonly loans: string | undefined;
  /** Of the loans so many, from the first. */
  readonly limit: number;
  readonly seed: number;
  readonly json: boolean;
  readonly out: string | undefined;
  readonly keep: boolean;
}

function parseOptions(args: readonly string[]): Options {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const options = { orders: text, loans: text, limit: text, seed: text, json: flag, out: text, keep: flag };
  let values: { [name in 'orders' | 'loans' | 'limit' | 'seed' | 'out']?: string } & { json?: boolean; keep?: boolean };
  try {
    ({ values } = parseArgs({ args: [...args], options }));
  } catch (error) {
    throw new Unusable(`${(error as Error).message}\n${USAGE}`);
  }
  const { orders, loans, seed, limit, json = false, out, keep = false } = values;
  if ([orders, loans, seed].filter((value) => value !== undefined).length > 1)
    throw new Unusable(
      `--orders, --loans and --seed exclude one another; --seed is for the made-up marketplace alone.\n${USAGE}`,
    );
  if (limit !== undefined && loans === undefined) throw new Unusable(`--limit is for --loans alone.\n${USAGE}`);
  const isCount = (value: string | undefined) => value === undefined || /^[0-9]{1,9}$/.test(value);
  if (!isCount(seed)) throw new Unusable(`--seed is a whole number, not "${seed}".\n${USAGE}`);
  if (!isCount(limit) || limit === '0') throw new Unusable(`--limit is a number of loans, not "${limit}".\n${USAGE}`);
  return { orders, loans, limit: Number(limit ?? Number.MAX_SAFE_INTEGER), seed: Number(seed ?? 1), json, out, keep };
}

function readMarketplace({ orders, seed }: Options): Marketplace {
  const marketplace = joinTables(orders === undefined ? madeUpTables(seed) : readTables(orders));
  if (eventsOf(marketplace.orders).length === 0)
    throw new DataFaulty('None of these orders was paid or delivered: there is nothing to replay.');
  return marketplace;
}

/** The folder is tried at once, and not only after the run. */
function prepareOut({ out }: Options): void {
  if (out === undefined) return;
  try {
    mkdirSync(out, { recursive: true });
  } catch (error) {
    throw new Unusable(`--out ${out} cannot be made (${(error as { code?: string }).code}).`);
  }
}

async function planOf({ orders }: Marketplace, db: Database): Promise<Plan> {
  const events = eventsOf(orders);
  const at = (place: number) => naturalDate(events.at(place)?.at as Instant);
  const calendar = await db.read('calendar', loadCalendar);
  return { events, firstDay: at(0), lastDay: workingDayAfter(calendar, at(-1), 2) };
}

interface Started {
  readonly market: OpenMarket;
  readonly plan: Plan;
  readonly watch: Stopwatch;
  readonly token: string;
  readonly urls: { readonly api: string; readonly bank: string };
  readonly next: (date: BusinessDate) => BusinessDate;
}

async function start(marketplace: Marketplace, processes: Processes, progress: Progress): Promise<Started> {
  const servers = findServers();
  const db = await connectDatabase({ url: servers.DATABASE_URL, poolSize: 2 });
  try {
    const plan = await planOf(marketplace, db);
    await setFirstMoment(db, plan.firstDay);
    const watch = new Stopwatch();
    const urls = await watch.measure('starting processes', () => startProcesses(processes, servers));
    progress.say(
      `API on ${urls.api}, bank simulator on ${urls.bank}, one worker; logs in ${relative(process.cwd(), FOLDER) || '.'}`,
    );
    const { token } = await makeOperator(db, 'demo', ['administrator', 'operator']);
    const reviewers = [];
    for (const name of ['checker', 'approver']) reviewers.push((await makeOperator(db, name, ['reviewer'])).token);
    const { firstDay } = plan;
    const market = await openMarket({ ...urls, token, reviewers, firstDay, sellerIds: marketplace.sellerIds, watch });
    progress.say(`Opened the platform and ${count(marketplace.sellerIds.length)} sellers; the agreement with each is approved.`);
    const calendar = await db.read('calendar', loadCalendar);
    return { market, plan, watch, token, urls, next: (date) => workingDayAfter(calendar, date) };
  } finally {
    await db.close();
  }
}

async function run(options: Options, marketplace: Marketplace, processes: Processes): Promise<{ ok: boolean; started: Started }> {
  const progress = new Progress(process.stderr);
  const startedAt = performance.now();
  const started = await start(marketplace, processes, progress);
  const { market, plan, watch } = started;
  await replay(market, plan, ({ date, day, days, instructions }) => {
    const took = seconds(performance.now() - startedAt);
    progress.show(
      `${date} closed: day ${day} of ${days}, ${count(instructions)} of ${count(plan.events.length)} instructions, ${took} s`,
    );
  });
  progress.say('All days are closed. Reading the figures from the service.');
  const {
    result,
    refusals,
    payouts,
    channels,
    closedThemselves,
    checks: itself,
  } = await readResult(market, { orders: marketplace.orders.length, lastDay: plan.lastDay });
  const expected = expectedOf(marketplace, daysOf(plan).length);
  const checks = [
    ...identitiesOf(result.figures),
    ...differencesOf(result, expected),
    ...itself,
    ...(await agreesWithBank(market, result)),
  ];
  progress.say('The closed days: proofs, check files, the books replayed and read by other programs.');
  const folder = join(FOLDER, 'books');
  const books = await booksChapter({ market, days: daysOf(plan), figures: result.figures, root: ROOT, folder });
  progress.say('A customer of the bank: accounts, consent, mandate, limits, withdrawal.');
  const today = addDays(plan.lastDay, 1);
  const customer = await personChapter({
    ...started.urls,
    token: started.token,
    today,
    nextWorkingDay: started.next(today),
    watch,
  });
  const took = seconds(performance.now() - startedAt);
  const title =
    options.orders === undefined
      ? `A made-up marketplace (seed ${options.seed}) 示例集市`
      : `The orders of ${options.orders} 真实订单回放`;
  const { firstDay, lastDay } = plan;
  const report: Report = {
    ...{
      title,
      firstDay,
      lastDay,
      sellers: marketplace.sellerIds.length,
      result,
      refusals,
      payouts,
      channels,
      closedThemselves,
      checks,
    },
    ...{ books, customer, timings: watch.list(), seconds: took },
  };
  process.stdout.write(`${reportText(report)}\n`);
  if (options.out !== undefined) progress.say(`Wrote ${writeSellers(options.out, result.sellers)}`);
  if (options.json) process.stdout.write(`${figuresLine(result.figures, Number(took))}\n`);
  await Promise.all(Object.values(market.clients).map((client) => client.close()));
  return { ok: [...checks, ...books, ...customer].every((check) => check.ok), started };
}

interface Staying extends Pick<Started, 'token' | 'urls'> {
  readonly house: { readonly platformId: string; readonly keyId: string; readonly privateKey: string };
}

/** Says how to go on by hand, and waits to be stopped. */
async function stay({ house, token, urls }: Staying, stopped: Promise<void>): Promise<void> {
  const { keyId, privateKey, platformId } = house;
  writeFileSync(KEY_FILE, `${JSON.stringify({ url: urls.api, keyId, privateKey }, null, 2)}\n`, { mode: 0o600 });
  const keyOption = process.env.REDIS_PREFIX === undefined ? '' : `--key ${relative(process.cwd(), KEY_FILE)} `;
  const lines = [
    '',
    'The service goes on running. 服务保持运行。',
    `  API             ${urls.api}`,
    `  documentation   ${urls.api}/docs`,
    `  bank simulator  ${urls.bank}/sandbox/books`,
    '',
    'A signed request as the platform (RFC 9421):',
    `  node --import tsx scripts/request.ts ${keyOption}GET /v1/platform`,
    "As the bank's staff:",
    `  curl -H 'Authorization: Bearer ${token}' ${urls.api}/admin/v1/platforms/${platformId}/book`,
    '',
    'Ctrl-C stops everything.',
  ];
  process.stderr.write(`${lines.join('\n')}\n`);
  await stopped;
  rmSync(KEY_FILE, { force: true });
}

/** Reads the data at once, and answers the run on it. */
function readyFor(options: Options): (processes: Processes) => Promise<Staying & { readonly ok: boolean }> {
  const { loans: folder, limit, json, out } = options;
  if (folder === undefined) {
    const marketplace = readMarketplace(options);
    return async (processes) => {
      const { ok, started } = await run(options, marketplace, processes);
      return { ok, ...started, house: started.market };
    };
  }
  const loans = readLoans(folder, limit);
  if (loans.length === 0) throw new DataFaulty('There are no loans.');
  const logs = relative(process.cwd(), FOLDER) || '.';
  return (processes) => runLoans({ folder, json, out, logs }, loans, processes);
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  prepareOut(options);
  const start = readyFor(options);
  mkdirSync(FOLDER, { recursive: true });
  const processes = new Processes(FOLDER);
  const signalled = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
  });
  try {
    const interrupted = signalled.then((): never => {
      throw new Error('Stopped before the end.');
    });
    const { ok, ...staying } = await Promise.race([start(processes), processes.failed, interrupted]);
    if (options.keep) await Promise.race([stay(staying, signalled), processes.failed]);
    return ok ? 0 : 1;
  } finally {
    await processes.stop();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`\n${(error as Error).message}\n`);
  process.exitCode = error instanceof Unusable || error instanceof DataFaulty ? 2 : 1;
}
