import { createHash } from 'node:crypto';
import { addDays, type BusinessDate, naturalDate, Refused, refuse, startOfDay } from '../kernel/index.js';
import { lockShard, shardIds } from '../ledger/index.js';
import { loadParameters, type Parameters, type Runtime } from '../runtime/index.js';
import {
  askDay,
  beginPass,
  edgesOfDays,
  endPass,
  moveCursor,
  rangesOf,
  takeDay,
  type WatchedDay,
  watchedDay,
} from './days-store.js';
import { addFlows, clearTotals, customerDays, daysBefore, flowPage, keepSubjects, type Range, rangeOf } from './flows-store.js';
import { findOfDay, insertLines, insertReport } from './large-value-store.js';
import { type CustomerDay, largeValues } from './rules.js';
import { SUSPICION_RULES, windowOf } from './suspicion-rules.js';
import { raiseCase } from './suspicion-store.js';

type WatchRuntime = Pick<Runtime, 'db' | 'vault' | 'clock' | 'calendar' | 'newId' | 'log'>;

const PAGE = 500;

/** The next day that nobody has looked at yet; undefined when all are done that are over. Where none ever was: yesterday. */
export async function dayToWatch({ db, clock }: Pick<Runtime, 'db' | 'clock'>): Promise<BusinessDate | undefined> {
  const yesterday = addDays(naturalDate(clock.now()), -1);
  const { undone, newest } = await db.read('days-to-watch', edgesOfDays);
  if (undone !== undefined) return undone;
  const next = newest === undefined ? yesterday : addDays(newest, 1);
  return next <= yesterday ? next : undefined;
}

/**
 * Reads all flows of a natural day that is over, adds them up by customer, and raises what is to be reported or looked at. It may be run for any past
 * day, be killed anywhere and go on, and run again: the totals, the reports and the cases are the same. Memory is that of a page.
 * @throws Refused DAY_NOT_OVER
 */
export async function watchDay(rt: WatchRuntime, date: BusinessDate): Promise<WatchedDay> {
  if (date >= naturalDate(rt.clock.now())) throw new Refused(refuse('DAY_NOT_OVER'));
  const before = await rt.db.read('watched-day', (tx) => watchedDay(tx, date));
  if (before === undefined) await rt.db.withTx('ask-day', (tx) => askDay(tx, date, rt.clock.now()));
  if (before?.state === 'done') return before;
  if (before?.state !== 'running') await begin(rt, date);
  for (const shard of (await rt.db.read('ranges', (tx) => rangesOf(tx, date))).keys()) await addUp(rt, date, shard);
  const digest = await judge(rt, date);
  await findEvidence(rt, date);
  await rt.db.withTx('end-pass', (tx) => endPass(tx, date, digest));
  if (before?.digest != null && before.digest !== digest.toString('hex'))
    rt.log.error({ event: 'supervision.differs', date, before: before.digest, after: digest.toString('hex') });
  return (await rt.db.read('watched-day', (tx) => watchedDay(tx, date))) as WatchedDay;
}

async function begin({ db, clock }: WatchRuntime, date: BusinessDate): Promise<void> {
  while (
    await db.withTx('clear-totals', async (tx) => (await takeDay(tx, date, 'due')) && (await clearTotals(tx, date, PAGE)) > 0)
  );
  const ranges = await readRanges({ db, clock }, date);
  await db.withTx('begin-pass', async (tx) => {
    if (await takeDay(tx, date, 'due')) await beginPass(tx, date, ranges);
  });
}

/** What each shard decided in the day. Its turn is taken once, so that nothing with a time of that day can come to be any more. */
async function readRanges({ db, clock }: Pick<Runtime, 'db' | 'clock'>, date: BusinessDate): Promise<Map<number, Range>> {
  const ranges = new Map<number, Range>();
  for (const shard of await db.read('shards', shardIds)) {
    await db.withTx('past-the-day', (tx) => lockShard(tx, shard, clock.now()));
    const range = await db.read('range', (tx) => rangeOf(tx, shard, startOfDay(date), startOfDay(addDays(date, 1))));
    ranges.set(shard, range);
  }
  return ranges;
}

/** A page's flows are added in the commit that moves the cursor past it: no page counts twice. */
async function addUp({ db, vault }: WatchRuntime, date: BusinessDate, shard: number): Promise<void> {
  for (;;) {
    const range = (await db.read('cursor', (tx) => rangesOf(tx, date))).get(shard) as Range;
    const page = await db.read('flows', (tx) => flowPage(tx, vault, shard, range, PAGE));
    if (page === undefined) return;
    await db.withTx('add-flows', async (tx) => {
      if (!(await moveCursor(tx, date, shard, range.afterSeq, page.last))) return;
      await keepSubjects(tx, page.subjects);
      await addFlows(tx, date, page.flows);
    });
  }
}

/** Looks at every customer of the day. Answers the digest over what it saw. */
async function judge(rt: WatchRuntime, date: BusinessDate): Promise<Buffer> {
  const parameters = await rt.db.read('parameters', loadParameters);
  const digest = createHash('sha256');
  for (let after = ''; ; ) {
    const days = await rt.db.read('customer-days', (tx) => customerDays(tx, date, after, PAGE));
    for (const day of days) {
      digest.update(`${day.subject} ${day.inSum} ${day.inLines} ${day.outSum} ${day.outLines} ${day.refunded}\n`);
      await judgeDay(rt, day, parameters);
    }
    const last = days.at(-1);
    if (last === undefined || days.length < PAGE) return digest.digest();
    after = last.subject;
  }
}

async function judgeDay(rt: WatchRuntime, day: CustomerDay, parameters: Parameters): Promise<void> {
  const large = largeValues(day, parameters, rt.calendar);
  const reads = SUSPICION_RULES.some((rule) => rule.worthReading(day, parameters));
  const window = windowOf(day.date, parameters);
  const days = reads ? await rt.db.read('days-before', (tx) => daysBefore(tx, day.subject, day.date, window)) : [];
  const found = SUSPICION_RULES.flatMap((rule) => {
    const figures = rule.test(day, { days }, parameters);
    return figures === undefined ? [] : [{ rule: rule.name, figures }];
  });
  if (large.length + found.length === 0) return;
  const { subject, date } = day;
  await rt.db.withTx('raise', async (tx) => {
    const at = { date, subject, nowMs: rt.clock.now() };
    for (const each of large) await insertReport(tx, rt.newId(), each, at);
    for (const each of found) await raiseCase(tx, rt.newId(), each, { ...at, notSince: addDays(date, -window) });
  });
}

/** Reads the day once more for the lines of what is to be reported. */
async function findEvidence({ db, vault, clock }: WatchRuntime, date: BusinessDate): Promise<void> {
  const reports = await db.read('reports', (tx) => findOfDay(tx, date));
  if (reports.size === 0) return;
  for (const [shard, range] of await readRanges({ db, clock }, date)) {
    for (let afterSeq = range.afterSeq; ; ) {
      const page = await db.read('flows', (tx) => flowPage(tx, vault, shard, { ...range, afterSeq }, PAGE));
      if (page === undefined) break;
      afterSeq = page.last;
      const lines = page.flows.flatMap((flow) => {
        const report = reports.get(`${flow.subject}:${flow.side}`);
        return report === undefined ? [] : [{ ...flow, report }];
      });
      if (lines.length > 0) await db.withTx('report-lines', (tx) => insertLines(tx, lines));
    }
  }
}
