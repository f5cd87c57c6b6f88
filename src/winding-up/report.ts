import { addDays, canonicalJson, type Id, invariant, type Minor, signContent, toWire, toWireAmount } from '../kernel/index.js';
import { ACCOUNT_TYPES, type Book, type ClosingBalance, type ClosingCursor, closingPage } from '../ledger/index.js';
import { type Lent, lentOn } from '../lending/index.js';
import type { Runtime, Tx } from '../runtime/index.js';
import { REPORT_VERSION, type ReportContent, type ReportLine, sumFaults, Totals, type WindDownReport } from './report-form.js';
import { STAYS, type Standing, verdictOf } from './rules.js';
import { type RoundNow, roundOf, standingsOf } from './standings.js';
import {
  crossedBetween,
  findReport,
  findWindDown,
  insertLines,
  insertReport,
  settledPayouts,
  takeReportNo,
  type WindDown,
} from './store.js';

const PAGE = 500;

/**
 * Makes and signs the report as of the end of the last business date that is over, all in one commit, and with it the wind-down is settled.
 * The caller has seen that nothing moved since. A report that would say the same as the last one is not made again.
 * @returns the number of the report, undefined when none was made
 */
export async function makeReport(
  rt: Pick<Runtime, 'db' | 'clock' | 'vault' | 'receiptKeys'>,
  book: Book,
  asked: WindDown,
): Promise<number | undefined> {
  return rt.db
    .withTx(
      'wind-down-report',
      async (tx) => {
        const reportNo = await takeReportNo(tx, asked);
        if (reportNo === undefined) return undefined; // another worker makes it
        const wind = await findWindDown(tx, book.platformId);
        invariant(wind?.startedOn, 'the wind-down was approved');
        const content = await contentOf(tx, rt, { book, wind, reportNo });
        const before = await findReport(tx, book.platformId, reportNo - 1);
        if (before !== undefined && isSame(JSON.parse(before.head) as WindDownReport, content)) throw new Unchanged();
        const signed = signContent(REPORT_VERSION, content, rt.receiptKeys);
        const report = { reportNo, asOf: content.asOf, head: canonicalJson(signed), madeMs: rt.clock.now() };
        await insertReport(tx, book.platformId, report);
        return reportNo;
      },
      async () => undefined,
    )
    .catch((error: unknown) => {
      if (error instanceof Unchanged) return undefined;
      throw error;
    });
}

/** Undoes what was written for a report that says nothing new. */
class Unchanged extends Error {}

function isSame({ content: { report: _no, asOf: _then, ...before } }: WindDownReport, after: ReportContent): boolean {
  const { report: _own, asOf: _now, ...rest } = after;
  return canonicalJson(before) === canonicalJson(rest);
}

async function contentOf(
  tx: Tx,
  { vault, clock }: Pick<Runtime, 'vault' | 'clock'>,
  { book, wind, reportNo }: { book: Book; wind: WindDown; reportNo: number },
): Promise<ReportContent> {
  const startedOn = wind.startedOn as NonNullable<WindDown['startedOn']>;
  const [start, asOf] = [addDays(startedOn, -1), addDays(book.businessDate, -1)];
  const round = await roundOf(tx, book, wind, clock.now());
  const openings = new Openings(tx, book.platformId, start);
  const totals = new Totals();
  const custody = { start: 0n, stays: 0n };
  for (let cursor: ClosingCursor | undefined, first = true; first || cursor !== undefined; first = false) {
    const { page, next }: Awaited<ReturnType<typeof closingPage>> = await closingPage(tx, book.platformId, asOf, cursor, PAGE);
    const texts: string[] = [];
    const from = totals.count;
    const pairs: Pair[] = [];
    for (const closing of page) {
      const opening = (await openings.of(closing))?.balance ?? 0n;
      if (closing.type === 'custody') Object.assign(custody, { start: -opening, stays: -closing.balance });
      else pairs.push({ closing, opening });
    }
    for (const line of await linesFor(tx, vault, { book, round, from: startedOn, pairs })) texts.push(totals.add(line));
    await insertLines(tx, book.platformId, reportNo, from, texts);
    cursor = next;
  }
  const crossed = await crossedBetween(tx, book.platformId, startedOn, asOf);
  const content: ReportContent = {
    type: 'wind-down',
    platform: toWire('platform', book.platformId),
    custodyNo: book.custodyNo,
    report: reportNo,
    start,
    asOf,
    custody: {
      start: toWireAmount(custody.start),
      cameIn: toWireAmount(crossed.cameIn),
      cameBack: toWireAmount(crossed.cameBack),
      wentOut: toWireAmount(crossed.wentOut),
      stays: toWireAmount(custody.stays),
    },
    ...totals.end(),
  };
  const faults = sumFaults(content);
  invariant(faults.length === 0, `the report of a wind-down adds up: ${faults.join('; ')}`);
  return content;
}

interface Pair {
  readonly closing: ClosingBalance;
  readonly opening: Minor;
}

async function linesFor(
  tx: Tx,
  vault: Runtime['vault'],
  { book, round, from, pairs }: { book: Book; round: RoundNow; from: Book['businessDate']; pairs: readonly Pair[] },
): Promise<ReportLine[]> {
  const ids = pairs.map(({ closing }) => closing.account);
  const paid = await settledPayouts(tx, ids, from);
  const lent = await lentOn(tx, ids);
  const told = pairs.filter(
    ({ closing, opening }) => closing.balance !== 0n || opening !== 0n || paid.has(closing.account) || lent.has(closing.account),
  );
  const standings = await standingsOf(tx, vault, { book, round, ids: told.map(({ closing }) => closing.account) });
  return told.map(({ closing, opening }, place) => {
    const standing = standings[place] as Standing;
    invariant(
      standing.account.balance === closing.balance,
      `account ${closing.account} has not moved since its date was cut off`,
    );
    const payouts = paid.get(closing.account) ?? [];
    const paidOut = payouts.reduce((sum, { amount }) => sum + amount, 0n);
    return {
      account: toWire('account', closing.account),
      accountType: closing.type,
      owner: standing.owner,
      opening: toWireAmount(opening),
      moved: toWireAmount(closing.balance - opening + paidOut),
      paidOut: toWireAmount(paidOut),
      payouts: payouts.map(({ id, amount }) => ({ payout: toWire('payout', id), amount: toWireAmount(amount) })),
      stays: toWireAmount(closing.balance),
      why: whyOf(standing, round),
      ...shownLent(lent.get(closing.account)),
    };
  });
}

function shownLent(lent: Lent | undefined): Pick<ReportLine, 'claims' | 'owes' | 'recovers'> {
  const { claims = [], owes = [], recovers = [] } = lent ?? {};
  return {
    ...someOf(
      'claims',
      claims.map(({ claim, projectNo, left }) => ({
        ...{ claim: toWire('claim', claim), project: projectNo, left: toWireAmount(left) },
      })),
    ),
    ...someOf(
      'owes',
      owes.map(({ projectNo, left, unrecovered }) => ({
        ...{ project: projectNo, left: toWireAmount(left) },
        ...(unrecovered === 0n ? {} : { unrecovered: toWireAmount(unrecovered) }),
      })),
    ),
    ...someOf(
      'recovers',
      recovers.map(({ compensation, projectNo, left }) => ({
        ...{ compensation: toWire('compensation', compensation), project: projectNo, left: toWireAmount(left) },
      })),
    ),
  };
}

const someOf = <Name extends string, Line>(name: Name, lines: readonly Line[]) =>
  (lines.length === 0 ? {} : { [name]: lines }) as { [Each in Name]?: Line[] };

function whyOf(standing: Standing, round: RoundNow): ReportLine['why'] {
  if (standing.account.balance === 0n) return [];
  const { give, stays } = verdictOf(standing, round);
  invariant(give === undefined, `all that can be returned of ${standing.account.id} was returned`);
  return stays.map(({ reason, amount, code }) => ({
    reason,
    amount: toWireAmount(amount),
    ...(code === undefined ? {} : { code }),
    next: STAYS[reason].next,
  }));
}

/** The closing balances of an earlier date, asked for in their own order: each page is read once. */
class Openings {
  readonly #tx: Tx;
  readonly #platformId: Id;
  readonly #date: Book['businessDate'];
  #page: Map<Id, ClosingBalance> = new Map();
  #last: ClosingBalance | undefined;
  #next: ClosingCursor | undefined;
  #isOver = false;

  constructor(tx: Tx, platformId: Id, date: Book['businessDate']) {
    this.#tx = tx;
    this.#platformId = platformId;
    this.#date = date;
  }

  /** Both walks go in the same order, so a page is turned only when the account asked for lies behind it. */
  async of(asked: ClosingBalance): Promise<ClosingBalance | undefined> {
    while (!this.#isOver && (this.#last === undefined || comesAfter(asked, this.#last))) await this.#turn();
    return this.#page.get(asked.account);
  }

  async #turn(): Promise<void> {
    const { page, next } = await closingPage(this.#tx, this.#platformId, this.#date, this.#next, PAGE);
    this.#page = new Map(page.map((closing) => [closing.account, closing]));
    this.#last = page.at(-1) ?? this.#last;
    this.#next = next;
    this.#isOver = next === undefined;
  }
}

const ORDER = Object.keys(ACCOUNT_TYPES);

function comesAfter(one: ClosingBalance, other: ClosingBalance): boolean {
  if (one.type !== other.type) return ORDER.indexOf(one.type) > ORDER.indexOf(other.type);
  return one.account > other.account;
}
