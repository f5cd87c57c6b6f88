import { addDays, type BusinessDate } from '../../../src/kernel/index.js';
import { connectDatabase } from '../../../src/runtime/index.js';
import { makeOperator } from '../../operator.js';
import type { Check } from '../figures.js';
import { Stopwatch } from '../http.js';
import type { Processes } from '../processes.js';
import { Progress } from '../progress.js';
import { count, figuresLine, seconds } from '../report.js';
import { findServers, setFirstMoment, startProcesses } from '../start.js';
import { type Loan, planOf, readLoans } from './data.js';
import { daysOf, LoanDays } from './days.js';
import { differencesOf, expectedOf } from './figures.js';
import { type LendingHouse, openLending } from './opening.js';
import { agreesWithBooks, readLoanFigures } from './reading.js';
import { loanReportText, writeLoans } from './report.js';

export { readLoans };

interface LoanOptions {
  readonly folder: string;
  readonly json: boolean;
  readonly out: string | undefined;
  /** Where the logs are, for the reader. */
  readonly logs: string;
}

interface Opened {
  readonly house: LendingHouse;
  readonly token: string;
  readonly urls: { readonly api: string; readonly bank: string };
}

/** The run on loans: opened, lent out and repaid day by day, read back from the service, and held against what the terms demand. */
export async function runLoans(
  options: LoanOptions,
  loans: readonly Loan[],
  processes: Processes,
): Promise<Opened & { readonly ok: boolean }> {
  const progress = new Progress(process.stderr);
  const startedAt = performance.now();
  const took = () => seconds(performance.now() - startedAt);
  const plan = planOf(loans);
  const days = daysOf(plan.loans);
  const firstDay = days[0] as BusinessDate;
  const watch = new Stopwatch();
  const opened = await open({ ...plan, firstDay }, { processes, watch, progress, logs: options.logs });
  const { house } = opened;
  progress.say(`Opened the platform, ${plan.lenders} lenders and ${plan.borrowers} borrowers with their mandates, ${took()} s.`);
  const run = new LoanDays(house, plan);
  await run.run(({ date, day, days: all, lent, instalments }) =>
    progress.show(
      `${date} closed: day ${day} of ${all}, ${count(lent)} loans lent out, ${count(instalments)} instalments paid, ${took()} s`,
    ),
  );
  progress.say('All days are closed. Reading the figures from the service.');
  const found = await readLoanFigures(house, plan.loans, run.lent);
  const checks: Check[] = [
    ...differencesOf(found, expectedOf(plan.loans)),
    ...(await agreesWithBooks(house, found, { paidIn: run.paidIn, closed: days.length })),
  ];
  const title = `The loans of ${options.folder} 真实借款回放`;
  const { lenders, borrowers } = plan;
  const lastDay = addDays(firstDay, days.length - 1);
  const timings = watch.list();
  const report = { title, firstDay, lastDay, days: days.length, lenders, borrowers, found, checks, timings, seconds: took() };
  process.stdout.write(`${loanReportText(report)}\n`);
  if (options.out !== undefined) progress.say(`Wrote ${writeLoans(options.out, found.loans)}`);
  if (options.json) process.stdout.write(`${figuresLine(found.figures, Number(report.seconds))}\n`);
  await Promise.all(Object.values(house.clients).map((client) => client.close()));
  return { ...opened, ok: checks.every(({ ok }) => ok) };
}

interface Parts {
  readonly processes: Processes;
  readonly watch: Stopwatch;
  readonly progress: Progress;
  readonly logs: string;
}

async function open(
  { lenders, borrowers, firstDay }: { readonly lenders: number; readonly borrowers: number; readonly firstDay: BusinessDate },
  { processes, watch, progress, logs }: Parts,
): Promise<Opened> {
  const servers = findServers();
  const db = await connectDatabase({ url: servers.DATABASE_URL, poolSize: 2 });
  try {
    await setFirstMoment(db, firstDay);
    const urls = await watch.measure('starting processes', () => startProcesses(processes, servers));
    progress.say(`API on ${urls.api}, bank simulator on ${urls.bank}, one worker; logs in ${logs}`);
    const { token } = await makeOperator(db, 'demo', ['administrator', 'operator']);
    const { token: teller } = await makeOperator(db, 'teller', ['operator']);
    const tell = (line: string) => progress.show(line);
    const house = await openLending({ ...urls, token, teller, firstDay, lenders, borrowers, watch, tell });
    return { house, token, urls };
  } finally {
    await db.close();
  }
}
