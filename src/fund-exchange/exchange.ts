import { BankUnreachable, FundFileFaulty, type FundFileKind } from '../channels/index.js';
import type { Desk } from '../dispatch/index.js';
import { type Fund, listFunds } from '../funds/index.js';
import { addDays, type BusinessDate, naturalDate } from '../kernel/index.js';
import { FundCases } from './cases.js';
import { takeConfirmations } from './confirm.js';
import { Faulty, type Taking, takeIncome, takeQuotes } from './days.js';
import { compareHoldings } from './holdings.js';
import { moveFundMoney } from './money.js';
import { daysToTake, dueAt } from './rules.js';
import { sendFundOrders } from './send.js';
import { type FundFile, listFiles, noteFiles } from './store.js';

/** In the order in which they are taken: what days were worth, what they earned, who came and went, who has what. */
const KINDS = ['quotes', 'dividends', 'confirmations', 'holdings'] as const satisfies readonly FundFileKind[];
const LOOK_BACK_DAYS = 60;
const FILES_MAX = 1_000;
const COMPANY = /^[A-Za-z0-9]{1,9}$/;

/**
 * Hands in what customers ordered on trading days that are over, takes what fund companies made of it, each file once, and moves the money that is due. A
 * company that cannot be reached, or whose file is wrong, holds up itself alone. Run again it does nothing twice.
 * Reads and writes files over the network; call it outside any transaction. @returns how many files were handed in or taken, and movements made
 */
export async function exchangeFundFiles(desk: Desk): Promise<number> {
  const { rt } = desk;
  const funds = await rt.db.read('funds', listFunds);
  let done = 0;
  for (const company of new Set(funds.map((fund) => fund.company))) {
    const own = funds.filter((fund) => fund.company === company);
    if (!COMPANY.test(company)) {
      rt.log.error({ event: 'fund-company.no-code', company });
      continue;
    }
    try {
      done += await sendFundOrders(desk, company, own);
      done += await takeFiles(desk, company, own);
    } catch (error) {
      if (!(error instanceof BankUnreachable)) throw error;
      rt.log.warn({ event: 'fund-files.unavailable', company, why: error.message.slice(0, 200) });
    }
  }
  return done + (await moveFundMoney(desk));
}

async function takeFiles(desk: Desk, company: string, own: readonly Fund[]): Promise<number> {
  const { rt } = desk;
  const since = addDays(naturalDate(rt.clock.now()), -LOOK_BACK_DAYS);
  const known = await rt.db.read('fund-files', async (tx) => ({
    taken: (await listFiles(tx, { company, kind: 'holdings', state: 'taken' }, 1))[0]?.date,
    handedIn: (await listFiles(tx, { company, kind: 'applications', state: 'handed-in', since }, FILES_MAX))
      .map(({ date }) => date)
      .sort(),
  }));
  const funds = new Map(own.map((fund) => [fund.code, fund]));
  let done = 0;
  for (const { tradeDate, date } of daysToTake(rt.calendar, known, rt.clock.now())) {
    const files = await readAll(desk, company, date);
    if (files === undefined || !(await takeDay(desk, { company, date, tradeDate, funds, files }))) return done;
    done += KINDS.length;
  }
  return done;
}

/** Verifies all files of a date; undefined while one is not there, or wrong: then none counts. */
async function readAll(desk: Desk, company: string, date: BusinessDate): Promise<Taking['files'] | undefined> {
  const { rt, channels } = desk;
  const files = {} as { -readonly [K in keyof Taking['files']]: Taking['files'][K] };
  for (const kind of KINDS) {
    if (!(await channels.funds.isReady(company, kind, date))) {
      if (rt.clock.now() >= dueAt(date)) rt.log.warn({ event: 'fund-files.late', company, kind, date });
      return undefined;
    }
    try {
      files[kind] = await channels.funds.read({ company, kind, date });
    } catch (error) {
      if (!(error instanceof FundFileFaulty)) throw error;
      await refuseFile(desk, { company, date, kind }, error.why);
      return undefined;
    }
  }
  return files;
}

/** @returns false where a file was refused for what it says */
async function takeDay(desk: Desk, taking: Taking): Promise<boolean> {
  const { company, date } = taking;
  const { rt } = desk;
  try {
    await takeQuotes(desk, taking);
  } catch (error) {
    if (!(error instanceof Faulty)) throw error;
    await refuseFile(desk, { company, date, kind: 'quotes' }, error.message);
    return false;
  }
  const cases = await FundCases.of(desk, date);
  await takeIncome(desk, taking, cases);
  await takeConfirmations(desk, taking, cases);
  await compareHoldings(desk, taking, cases);
  const changedMs = rt.clock.now();
  const files = KINDS.map((kind): FundFile => {
    return { company, date, kind, state: 'taken', ...taking.files[kind], why: null, changedMs };
  });
  await rt.db.withTx('note-fund-files', (tx) => noteFiles(tx, files));
  return true;
}

/** Nothing of it counts, and what comes behind it waits, until the company has mended it: then it is read again. */
async function refuseFile({ rt }: Desk, of: Pick<FundFile, 'company' | 'date' | 'kind'>, why: string): Promise<void> {
  rt.log.error({ event: 'fund-file.faulty', ...of, why });
  const file: FundFile = { ...of, state: 'refused', count: 0, digest: null, why, changedMs: rt.clock.now() };
  await rt.db.withTx('note-fund-files', (tx) => noteFiles(tx, [file]));
}
