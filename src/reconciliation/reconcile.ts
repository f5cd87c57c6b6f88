import { BankRefused, BankUnreachable, type Statement, StatementFaulty, type StatementLine } from '../channels/index.js';
import {
  answerIncoming,
  ask,
  type Desk,
  decideNow,
  findDispatches,
  putOff,
  restoreFloats,
  returnedDirective,
  settledByStatement,
} from '../dispatch/index.js';
import { addDays, asId, type BusinessDate, type Id, type Minor, startOfDay } from '../kernel/index.js';
import { type Payout, payoutRecords, payoutsInScope } from '../payouts/index.js';
import type { Tx } from '../runtime/index.js';
import { fieldOf, matchSorted, type Row, rowOf, textOfField } from './matching.js';
import { matchPaidOver, takePaidOver } from './paid-over.js';
import { comparePlatformDay } from './platform-day.js';
import {
  classify,
  countByClass,
  type Difference,
  differenceOf,
  type Figures,
  type Finding,
  keyOfReference,
  OPENING,
  type Outstanding,
  payoutOfReference,
  settleOutstanding,
} from './rules.js';
import { insertRun, type Run } from './run-store.js';
import { RowSorter } from './sorting.js';
import {
  boundaryPage,
  boundarySum,
  clearBreaks,
  endTiming,
  firstPosted,
  insertBreaks,
  insertStatement,
  insertStatementLines,
  laterBoundary,
  type NewBreak,
  outstandingOf,
  statementsAt,
} from './store.js';

/** Which day of which platform. */
export interface DayToReconcile {
  readonly platformId: Id;
  readonly shardId: number;
  readonly custodyNo: string;
  readonly date: BusinessDate;
  /** An earlier run may have kept the statement already. */
  readonly resumed: boolean;
}

/** What a reconciliation contributes to the proof of its day. */
export interface Reconciliation extends Pick<Figures, 'statement' | 'outstanding' | 'openBreaks'> {
  /** Σ of the day's movements over the wall. */
  readonly movement: Minor;
  readonly lines: number;
  readonly found: number;
  readonly cleared: number;
}

export type Reconciled =
  | { readonly state: 'waiting'; readonly reason: string }
  | {
      readonly state: 'done';
      readonly result: Reconciliation;
      /** Nothing differed and nothing was cleared. */
      readonly quiet: boolean;
      /** Keeps statement and breaks, once. @throws a duplicate-key error when they were kept before */
      readonly write: (tx: Tx) => Promise<void>;
    };

const UNDER_WAY_MAX = 10_000;
const PAGE = 10_000;
/** Far more than a minute around midnight makes. With more than that the statement is not one of these books; nobody works them off one by one. */
const DIFFERENCES_MAX = 100_000;
/** Lines of theirs that are kept as evidence. */
const LINES_MAX = 100_000;
/** Longer than any call to a channel takes: an order older than this that its channel does not know never left. */
const CALL_MAX_MS = 15_000;

/**
 * Compares the books of a day that was cut off with the bank's statement of it. The statement is final: a payout that stands on
 * it and is under way in the books is settled by it. Fetches over the network; call it outside any transaction.
 */
export async function reconcileDay(desk: Desk, day: DayToReconcile): Promise<Reconciled> {
  const stored = day.resumed ? await storedReconciliation(desk, day) : undefined;
  if (stored !== undefined) return { state: 'done', result: stored, quiet: true, write: async () => undefined };
  const onTheirWay = await askAfterDay(desk, day);
  if (onTheirWay > 0) return { state: 'waiting', reason: `${onTheirWay} payouts may still be on their way to their channel` };
  const unanswered = await answerIncoming(desk, day.platformId);
  if (unanswered > 0) return { state: 'waiting', reason: `the core bank may not have heard of ${unanswered} incoming transfers` };
  const startedWallMs = desk.rt.clock.wall();
  const match = await matchDay(desk, day);
  if (typeof match === 'string') return { state: 'waiting', reason: match };
  await comparePlatformDay(desk.rt, day);
  return compare(desk, day, match, startedWallMs);
}

/** What an earlier run kept. */
export async function storedReconciliation(
  { rt }: Desk,
  { platformId, date }: DayToReconcile,
): Promise<Reconciliation | undefined> {
  return rt.db.read('stored-reconciliation', async (tx) => {
    const { stored } = await statementsAt(tx, platformId, date);
    if (stored === undefined) return undefined;
    const movement = await boundarySum(tx, platformId, date);
    return {
      ...sumUp(await outstandingOf(tx, platformId)),
      statement: stored.closing,
      movement,
      lines: stored.lineCount,
      found: 0,
      cleared: 0,
    };
  });
}

function sumUp(
  standing: readonly Pick<Outstanding, 'difference' | 'timing' | 'open'>[],
): Pick<Figures, 'outstanding' | 'openBreaks'> {
  return {
    outstanding: standing.reduce((sum, item) => sum + item.difference, 0n),
    openBreaks: standing.filter((item) => item.open && !item.timing).length,
  };
}

/**
 * Asks after what was sent under this date or before and has no result, so that the statement changes no more once it is read.
 * Answers how many orders may have left us and not arrived yet.
 */
async function askAfterDay(desk: Desk, { platformId, shardId, date }: DayToReconcile): Promise<number> {
  const { db, clock } = desk.rt;
  const underWay = await db.read('payouts-under-way', (tx) =>
    payoutsInScope(tx, { shardId, platformId, states: ['sent', 'unknown'] }, UNDER_WAY_MAX),
  );
  if (underWay.length === 0) return 0;
  const dispatches = await db.read('dispatches', (tx) =>
    findDispatches(
      tx,
      underWay.map((payout) => payout.id),
    ),
  );
  const ofDay = underWay.filter((payout) => (dispatches.get(payout.id)?.businessDate ?? date) <= date);
  const neverReceived = await ask(desk, ofDay);
  const young = (payout: Payout) =>
    payout.state === 'sent' && clock.wall() - (dispatches.get(payout.id)?.sentWallMs ?? 0) < CALL_MAX_MS;
  const settled = neverReceived.filter((payout) => !young(payout));
  await putOff(
    desk,
    settled.map((payout) => ({ payout, to: 'unknown' as const, reason: 'its channel never received it' })),
  );
  return neverReceived.length - settled.length;
}

/** Reads a day's statement, a line at a time; answers why it cannot be had yet, if it cannot. */
export async function fetchStatement(
  { rt, channels }: Desk,
  { platformId, custodyNo, date }: Pick<DayToReconcile, 'platformId' | 'custodyNo' | 'date'>,
  take: (line: StatementLine) => Promise<void> | undefined,
): Promise<Statement | string> {
  try {
    const statement = await channels.coreBank.statement(custodyNo, date, async (some) => {
      for (const line of some) {
        const full = take(line);
        if (full !== undefined) await full;
      }
    });
    return statement.complete ? statement : 'the statement is not complete yet';
  } catch (error) {
    if (!(error instanceof BankUnreachable || error instanceof StatementFaulty || error instanceof BankRefused)) throw error;
    const why = error.message.slice(0, 200);
    if (error instanceof BankRefused) {
      // No later try mends it: the account is not the bank's, or not open. Somebody has to be told.
      rt.log.error({ event: 'statement.refused', platformId, businessDate: date, why });
      return `the core bank refuses the statement of ${custodyNo}, and a person has to see to it: ${error.message}`.slice(0, 200);
    }
    rt.log.warn({ event: 'statement.unavailable', platformId, businessDate: date, why });
    return `the statement cannot be had: ${error.message}`.slice(0, 200);
  }
}

function rowOfLine({ reference, amount, lineNo, counterparty, text }: StatementLine): string {
  return rowOf(reference, amount, '', [lineNo, fieldOf(counterparty), fieldOf(text)].join('\t'));
}

function lineOfRow({ reference, amount, rest }: Row): StatementLine {
  const [lineNo = '', counterparty = '', text = ''] = rest.split('\t');
  return { lineNo: Number(lineNo), reference, amount, counterparty: textOfField(counterparty), text: textOfField(text) };
}

/** Reads what the books moved over the wall on the date into a sorter. */
async function readBoundary({ rt }: Desk, { platformId, date }: DayToReconcile, into: RowSorter) {
  let lines = 0;
  let sum = 0n;
  for (let after: Id | undefined = asId('0'); after !== undefined; ) {
    const from: Id = after;
    const page = await rt.db.read('boundary', (tx) => boundaryPage(tx, platformId, date, from, PAGE));
    for (const { reference, amount } of page.rows) {
      sum += BigInt(amount);
      const full = into.add(rowOf(reference, amount));
      if (full !== undefined) await full;
    }
    lines += page.rows.length;
    after = page.next;
  }
  return { lines, sum };
}

interface Matched {
  readonly statement: Statement;
  readonly ours: { readonly lines: number; readonly sum: Minor };
  readonly matched: number;
  readonly differences: readonly Difference[];
}

/** Lays books and statement beside each other, in memory that does not grow with either; or says why there is no statement. */
async function matchDay(desk: Desk, day: DayToReconcile): Promise<Matched | string> {
  const [theirs, mine] = [new RowSorter(), new RowSorter()];
  try {
    // Side by side: while one waits for the network, the other is sorted. Both end before the sorters are closed.
    const [read, scanned] = await Promise.allSettled([
      fetchStatement(desk, day, (line) => theirs.add(rowOfLine(line))),
      readBoundary(desk, day, mine),
    ]);
    if (read.status === 'rejected') throw read.reason;
    if (scanned.status === 'rejected') throw scanned.reason;
    const [statement, ours] = [read.value, scanned.value];
    if (typeof statement === 'string') return statement;
    const differences: Difference[] = [];
    let [count, kept] = [0, 0];
    const { matched } = await matchSorted(mine.rows(), theirs.rows(), (some) => {
      count += some.length;
      if (count > DIFFERENCES_MAX) return;
      for (const { rows, reference, ours: our, theirs: their } of some) {
        const lines = rows.slice(0, LINES_MAX - kept).map(lineOfRow);
        kept += lines.length;
        differences.push({ reference, ours: our, theirs: their, lines });
      }
    });
    if (count > DIFFERENCES_MAX) return tooMany(desk, day, count, matched);
    return { statement, ours, matched, differences };
  } finally {
    await Promise.all([theirs.close(), mine.close()]);
  }
}

function tooMany({ rt }: Desk, { platformId, date }: DayToReconcile, count: number, matched: number): string {
  const why = `${count} references differ from the statement and ${matched} lines agree: more than ${DIFFERENCES_MAX} are not taken for breaks`;
  rt.log.error({ event: 'statement.differs-throughout', platformId, businessDate: date, why });
  return `${why}, and a person has to see to it`;
}

async function compare(desk: Desk, day: DayToReconcile, match: Matched, startedWallMs: number): Promise<Reconciled> {
  const { rt } = desk;
  const { platformId, date } = day;
  const { statement, ours } = match;
  const { before, outstanding } = await rt.db.read('day-to-match', async (tx) => ({
    before: (await statementsAt(tx, platformId, date)).before,
    outstanding: await outstandingOf(tx, platformId),
  }));
  const differences = [...openingDifference(before, statement.opening), ...match.differences];
  const { cleared: met, fresh, stay, stale } = settleOutstanding(outstanding, differences, date);
  const paidOver = await matchPaidOver(desk, day, fresh, outstanding);
  const findings = [...paidOver.findings, ...(await classifyAll(desk, day, paidOver.others))];
  const came = new Set(paidOver.came.map(({ reference }) => reference));
  // What was overdue has come: it stood between nobody's books.
  const cleared = [...met, ...stay.filter((item) => item.difference === 0n && came.has(item.reference))];
  await converge(desk, findings);
  await takePaidOver(desk, platformId, day.shardId, paidOver.came);
  const openedMs = rt.clock.now();
  const breaks: NewBreak[] = findings.map((finding) => ({
    id: rt.newId(),
    platformId,
    party: 'core-bank' as const,
    businessDate: date,
    class: finding.class,
    reference: keyOfReference(finding.reference),
    ourAmount: finding.ours,
    theirAmount: finding.theirs,
    timing: finding.timing,
    difference: differenceOf(finding),
    openedMs,
  }));
  const standing = [
    ...stay.map((item) => ({ ...item, timing: item.timing && !stale.includes(item) })),
    ...findings.map((finding) => ({ difference: differenceOf(finding), timing: finding.timing, open: true })),
  ];
  const head = {
    platformId,
    businessDate: date,
    opening: statement.opening,
    closing: statement.closing,
    lineCount: statement.count,
    digest: Buffer.from(statement.digest, 'hex'),
    fetchedMs: openedMs,
  };
  const run: Run = {
    ...{ party: 'core-bank', platformId, businessDate: date, digest: head.digest, matched: match.matched },
    ...{ ourLines: ours.lines, theirLines: statement.count, ourSum: ours.sum, theirSum: statement.sum },
    counts: { ...countByClass(findings), closed: cleared.length },
    ...{ finishedMs: openedMs, tookMs: rt.clock.wall() - startedWallMs },
  };
  return {
    state: 'done',
    quiet: breaks.length === 0 && cleared.length === 0 && stale.length === 0,
    result: {
      ...sumUp(standing),
      statement: statement.closing,
      movement: ours.sum,
      lines: statement.count,
      found: breaks.length,
      cleared: cleared.length,
    },
    async write(tx) {
      await insertStatement(tx, head);
      await insertRun(tx, run);
      await insertStatementLines(
        tx,
        rt.vault,
        { platformId, date, party: 'core-bank' },
        findings.flatMap((finding) => finding.lines),
      );
      await insertBreaks(tx, breaks);
      await clearBreaks(
        tx,
        cleared.map((item) => item.id),
        date,
        openedMs,
      );
      await endTiming(
        tx,
        stale.map((item) => item.id),
      );
    },
  };
}

/** A statement that does not begin where the last one ended: a line was booked on a day that was read already. */
function openingDifference(before: Minor, opening: Minor): Difference[] {
  return before === opening ? [] : [{ reference: OPENING, ours: before, theirs: opening, lines: [] }];
}

const AT_A_TIME = 1_000;

async function classifyAll(desk: Desk, day: DayToReconcile, differences: readonly Difference[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (let from = 0; from < differences.length; from += AT_A_TIME)
    findings.push(...(await classifySome(desk, day, differences.slice(from, from + AT_A_TIME))));
  return findings;
}

async function classifySome(
  { rt }: Desk,
  { platformId, date }: DayToReconcile,
  differences: readonly Difference[],
): Promise<Finding[]> {
  const ids = differences.flatMap(({ reference }) => payoutOfReference(reference)?.id ?? []);
  const references = differences.map((difference) => difference.reference);
  const { payouts, later, posted } = await rt.db.read('facts-of-differences', async (tx) => ({
    payouts: ids.length === 0 ? new Map<string, Payout>() : await payoutRecords.load(tx, ids),
    later: await laterBoundary(tx, platformId, date, references),
    posted: await firstPosted(tx, platformId, date, references),
  }));
  const midnight = startOfDay(addDays(date, 1));
  return differences.map((difference) => {
    const { reference } = difference;
    const payout = payouts.get(payoutOfReference(reference)?.id ?? '');
    return classify(difference, {
      payout: payout?.platformId === platformId ? payout : undefined,
      laterOurs: later.get(reference) ?? null,
      afterMidnight: (posted.get(reference) ?? 0) >= midnight,
    });
  });
}

/** Does by the statement what no answer and no news has done: first what was paid, then what came back. */
async function converge(desk: Desk, findings: readonly Finding[]): Promise<void> {
  const of = findings.flatMap(({ converge: to, reference }) => (to === null ? [] : [{ ...to, reference }]));
  const settled = of.filter(({ payout, to }) => to === 'settled' || payout.state !== 'settled');
  await decideNow(
    desk,
    settled.map(({ payout }) => settledByStatement(payout)),
  );
  const returned = of.filter(({ to }) => to === 'returned');
  await decideNow(
    desk,
    returned.map(({ payout, reference }) => returnedDirective(payout, reference, '对账单显示退汇')),
  );
  await restoreFloats(
    desk,
    returned.map(({ payout }) => payout.id),
  );
}
