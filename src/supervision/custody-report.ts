import { placesOfDates } from '../accounts/index.js';
import {
  addDays,
  type BusinessDate,
  hashOfContent,
  type Id,
  type Minor,
  naturalDate,
  Refused,
  refuse,
  signContent,
  startOfDay,
  toWire,
  toWireAmount,
} from '../kernel/index.js';
import { ACCOUNT_TYPES, type AccountType, type ClosingCursor, closingPage, loadBooks } from '../ledger/index.js';
import { readPlatform } from '../platforms/index.js';
import { isDuplicateKey, type Runtime, type Tx } from '../runtime/index.js';
import { CUSTODY_REPORT_VERSION, type CustodyReport, type CustodyReportContent } from './custody-rules.js';
import { breaksIn, crossings, daysIn, insertReport, latestReport, openAt, type Period, payoutsIn } from './custody-store.js';
import { entryCount, platformsPast } from './tax-store.js';

type SigningRuntime = Pick<Runtime, 'receiptKeys' | 'clock'>;

const PAGE = 1_000;
const ENTRIES = 5_000;

/**
 * Makes and signs the custody report of a period whose books are cut off. Where it says what the last version says, that one is answered: what was
 * signed stays. Memory is that of a page.
 * @throws Refused NOT_FOUND, DAY_NOT_OVER, SHAPE_INVALID
 */
export async function makeCustodyReport(tx: Tx, rt: SigningRuntime, period: Period): Promise<CustodyReport> {
  const content = await contentOf(tx, period);
  const latest = await latestReport(tx, period);
  if (latest?.hash === hashOfContent(content)) return JSON.parse(latest.body) as CustodyReport;
  const report: CustodyReport = signContent(CUSTODY_REPORT_VERSION, content, rt.receiptKeys);
  const { hash, keyId, signature } = report;
  const kept = { version: (latest?.version ?? 0) + 1, body: JSON.stringify(report), hash };
  await insertReport(tx, period, { ...kept, keyId, signature, madeMs: rt.clock.now() });
  return report;
}

async function contentOf(tx: Tx, period: Period): Promise<CustodyReportContent> {
  const { platformId, from, to } = period;
  const book = (await loadBooks(tx, [platformId])).get(platformId);
  if (book === undefined) throw new Refused(refuse('NOT_FOUND'));
  if (from > to) throw new Refused(refuse('SHAPE_INVALID', 'The first day is after the last one.'));
  if (to >= book.businessDate) throw new Refused(refuse('DAY_NOT_OVER'));
  const platform = await readPlatform(tx, platformId);
  const [opening, closing] = [await sumsAt(tx, platformId, addDays(from, -1)), await sumsAt(tx, platformId, to)];
  const balances = (Object.keys(ACCOUNT_TYPES) as AccountType[])
    .filter((type) => closing.has(type))
    .map((type) => {
      const before = opening.get(type) ?? { accounts: 0, sum: 0n };
      const after = closing.get(type) ?? before;
      // The custody account is what the others stand in, so that the books have it below zero; a reader wants what is there.
      const shown = (sum: Minor) => toWireAmount(type === 'custody' ? -sum : sum);
      return {
        ...{ type, openingAccounts: before.accounts, closingAccounts: after.accounts },
        ...{ opening: shown(before.sum), closing: shown(after.sum) },
      };
    });
  return {
    ...{ type: 'custody-report', platform: toWire('platform', platformId), name: platform?.name ?? '' },
    ...{ custodyNo: book.custodyNo, currency: book.currency, from, to, balances },
    flows: await flowsIn(tx, book.accounts.custody, from, to),
    open: await openAt(tx, platformId, startOfDay(addDays(to, 1))),
    days: await daysIn(tx, period),
    breaks: (await breaksIn(tx, period)).map(({ sum, ...of }) => ({ ...of, difference: toWireAmount(sum) })),
    payouts: (await payoutsIn(tx, period)).map(({ sum, ...of }) => ({ ...of, amount: toWireAmount(sum) })),
  };
}

async function sumsAt(tx: Tx, platformId: Id, date: BusinessDate): Promise<Map<AccountType, { accounts: number; sum: Minor }>> {
  const sums = new Map<AccountType, { accounts: number; sum: Minor }>();
  let from: ClosingCursor | undefined;
  do {
    const { page, next } = await closingPage(tx, platformId, date, from, PAGE);
    for (const { type, balance } of page) {
      const { accounts, sum } = sums.get(type) ?? { accounts: 0, sum: 0n };
      sums.set(type, { accounts: accounts + 1, sum: sum + balance });
    }
    from = next;
  } while (from !== undefined);
  return sums;
}

async function flowsIn(tx: Tx, custody: Id, from: BusinessDate, to: BusinessDate): Promise<CustodyReportContent['flows']> {
  const { first, last } = await placesOfDates(tx, custody, await entryCount(tx, custody), { from, to });
  const sums = new Map<string, { in: Minor; out: Minor; lines: number }>();
  for (let seq = first; seq <= last; seq += ENTRIES) {
    for (const row of await crossings(tx, custody, seq, Math.min(seq + ENTRIES, last + 1))) {
      const known = sums.get(row.kind) ?? { in: 0n, out: 0n, lines: 0 };
      sums.set(row.kind, { in: known.in + row.in, out: known.out + row.out, lines: known.lines + row.lines });
    }
  }
  return [...sums]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([kind, sum]) => ({ kind, in: toWireAmount(sum.in), out: toWireAmount(sum.out), lines: sum.lines }));
}

/** Makes the report of the month before for every platform whose books are past it and that has none. Answers how many. */
export async function makeMonthlyReports({ db, receiptKeys, clock }: SigningRuntime & Pick<Runtime, 'db'>): Promise<number> {
  const first = `${naturalDate(clock.now()).slice(0, 8)}01` as BusinessDate;
  const to = addDays(first, -1);
  const from = `${to.slice(0, 8)}01` as BusinessDate;
  let made = 0;
  for (const platformId of await db.read('reported-platforms', (tx) => platformsPast(tx, to, startOfDay(first)))) {
    const period = { platformId, from, to };
    if ((await db.read('custody-report', (tx) => latestReport(tx, period))) !== undefined) continue;
    try {
      await db.withTx('make-custody-report', (tx) => makeCustodyReport(tx, { receiptKeys, clock }, period));
      made += 1;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error; // another worker made it
    }
  }
  return made;
}
