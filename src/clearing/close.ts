import type { Desk } from '../dispatch/index.js';
import { addDays, asId, type BusinessDate, type Id, invariant, naturalDate, type Refusal } from '../kernel/index.js';
import { loadBook } from '../ledger/index.js';
import { cameLate } from '../reconciliation/index.js';
import { isDuplicateKey, type Runtime, type Tx } from '../runtime/index.js';
import { interest } from './interest.js';
import { clearingOf, due, fees, netting, PAGE, preview } from './lines.js';
import { payouts, results } from './paying.js';
import {
  type Close,
  type ClosePoint,
  forgetPending,
  keepPending,
  MANY,
  type StepResult,
  stayAtWork,
  TakenOver,
  writePending,
} from './progress.js';
import { rerunLines } from './rerun.js';
import { mayClose, retryDelayMs } from './rules.js';
import { type DayState, STEPS, type Step } from './states.js';
import { attest, cutOff, files, proof, reconcile } from './steps.js';
import { changeDay, type Day, daysFrom, findDay, type StepRow, stepsOf } from './store.js';

export interface CloseOptions {
  /** What comes after a long list of what is due is left to jobs of their own, a step each, so that other platforms get their turn. */
  readonly inFlow?: boolean;
  /** Accounts that are looked at and decided together; 2,000 where nothing is said. */
  readonly page?: number;
  /** Called at each point; what it throws ends the run there, as a crash would. */
  readonly at?: (point: ClosePoint) => void | Promise<void>;
}

export interface CloseOutcome {
  readonly date: BusinessDate;
  readonly state: 'closed' | 'waiting' | 'stopped' | 'handed-over';
}

const RUN: Readonly<Record<Step, (close: Close) => Promise<StepResult>>> = {
  'cut-off': cutOff,
  reconcile,
  proof,
  interest,
  due,
  fees,
  netting,
  preview,
  payouts,
  results,
  attest,
  files,
  close: async () => ({ state: 'done', detail: {}, keep: true }),
};

/** Whether a day of a platform can be closed now. */
export async function dayToClose(
  rt: Pick<Runtime, 'clock'>,
  tx: Tx,
  platformId: Id,
  date: BusinessDate,
): Promise<'closed' | 'due' | Refusal> {
  const { businessDate: openDate } = await loadBook(tx, platformId);
  const day = await findDay(tx, platformId, date);
  const before = await findDay(tx, platformId, addDays(openDate, -1));
  const unfinished = before !== undefined && before.state !== 'closed' ? before : undefined;
  return mayClose({ date, openDate, today: naturalDate(rt.clock.now()), state: day?.state, unfinished });
}

/**
 * Closes every day of a platform that is over, in order, and goes on with a close that an earlier run left. Ends at a day that
 * waits for the bank or stopped. Answers what became of each; running it again changes nothing.
 */
export async function closeDueDays(desk: Desk, platformId: Id, options: CloseOptions = {}): Promise<CloseOutcome[]> {
  const outcomes: CloseOutcome[] = [];
  await rerunLines(desk, platformId);
  await resumeLate(desk, platformId);
  for (;;) {
    const close = await openClose(desk, platformId, options);
    if (close === undefined) return outcomes;
    const state = await runSteps(close, options.inFlow ?? false);
    outcomes.push({ date: close.date, state });
    if (state !== 'closed' || naturalDate(desk.rt.clock.now()) <= close.next) return outcomes;
  }
}

/**
 * Runs one step of the close of a day, if it is its turn: whatever else is undone before it is left to the sweep, which rings for the close
 * again. After the last one it rings for the days that are over meanwhile.
 */
export async function closeStep(
  desk: Desk,
  { platformId, date, step }: { platformId: Id; date: BusinessDate; step: Step },
  options: CloseOptions = {},
): Promise<CloseOutcome['state'] | 'done' | 'nothing'> {
  const close = await openClose(desk, platformId, options);
  if (close === undefined || !close.resumed || close.date !== date || turnOf(close) !== step) return 'nothing';
  const state = await overtakable(close, async () => {
    const result = await runStep(close, step);
    if (result.state === 'done') await close.at(`after ${step}`);
    if (close.pending.rows.length > 0) await keepPending(close);
    return result.state;
  });
  if (step === 'close' && state === 'done') await desk.rt.bells.ring('close-day', platformId);
  return state;
}

/** The first step that is not done. */
function turnOf(close: Close): Step | undefined {
  return STEPS.find((step) => close.ended.get(step)?.state !== 'done');
}

/** The key of the bell for a step. */
export function keyOfStep({ platformId, date }: Pick<Close, 'platformId' | 'date'>, step: Step): string {
  return `${platformId}/${date}/${step}`;
}

/** @throws invariant for what is no key of a step */
export function stepOfKey(key: string): { platformId: Id; date: BusinessDate; step: Step } {
  const [platformId = '', date = '', step = ''] = key.split('/');
  invariant((STEPS as readonly string[]).includes(step), `${key} names a step of a close`);
  return { platformId: asId(platformId), date: date as BusinessDate, step: step as Step };
}

/** A day that stopped only for what channels had not paid over goes on when the next day is over and its statement shows that it came. */
async function resumeLate(desk: Desk, platformId: Id): Promise<void> {
  const { db, clock } = desk.rt;
  const { book, date, day } = await db.read('stopped-day', async (tx) => {
    const book = await loadBook(tx, platformId);
    const date = addDays(book.businessDate, -1);
    return { book, date, day: await findDay(tx, platformId, date) };
  });
  if (day?.state !== 'stopped' || naturalDate(clock.now()) <= book.businessDate) return;
  const { shardId, custodyNo } = book;
  const clear = await cameLate(desk, { platformId, shardId, custodyNo, date, resumed: true });
  const { reason, attempts } = day;
  const retryMs = clock.wall() + retryDelayMs(attempts);
  const change =
    clear === undefined
      ? ({ from: 'stopped', to: 'stopped', reason, attempts: attempts + 1, retryMs, closedMs: null } as const)
      : ({ from: 'stopped', to: 'closing', reason: null, attempts: 0, retryMs: 0, closedMs: null } as const);
  await db.withTx(
    'resume-late',
    async (tx) => {
      if (await changeDay(tx, platformId, date, change)) await clear?.(tx);
      return true;
    },
    async () => undefined,
  );
  if (clear !== undefined) desk.rt.log.info({ event: 'close.came-late', platformId, businessDate: date });
}

/** The earliest close that is to be begun or to be gone on with. */
async function openClose(
  desk: Desk,
  platformId: Id,
  { at = () => undefined, page = PAGE }: CloseOptions,
): Promise<Close | undefined> {
  return desk.rt.db.read('open-close', async (tx) => {
    const book = await loadBook(tx, platformId);
    const days = await daysFrom(tx, platformId, addDays(book.businessDate, -2));
    const yesterday = days.get(addDays(book.businessDate, -1));
    if (yesterday?.state === 'stopped') return undefined;
    const unfinished = yesterday?.state === 'closing' ? yesterday : undefined;
    if (unfinished === undefined && naturalDate(desk.rt.clock.now()) <= book.businessDate) return undefined;
    const date = unfinished?.date ?? book.businessDate;
    const steps = unfinished === undefined ? [] : await stepsOf(tx, platformId, date);
    return {
      desk,
      platformId,
      shardId: book.shardId,
      custodyNo: book.custodyNo,
      date,
      next: addDays(date, 1),
      page,
      at,
      controlBefore: days.get(addDays(date, -1))?.control ?? 0n,
      resumed: unfinished !== undefined,
      ended: new Map(steps.filter(({ state }) => state === 'done' || state === 'stopped').map((row) => [row.step, row])),
      totals: totalsOf(unfinished),
      reconciliation: undefined,
      answered: [],
      clearing: undefined,
      nets: undefined,
      nothingDue: false,
      nothingToPay: false,
      pending: { rows: [], writes: [] },
    };
  });
}

function totalsOf(day: Day | undefined): Close['totals'] {
  return day === undefined || day.custody === null || day.children === null
    ? undefined
    : { custody: day.custody, children: day.children };
}

function runSteps(close: Close, inFlow: boolean): Promise<CloseOutcome['state']> {
  return overtakable(close, async () => {
    for (const step of STEPS) {
      if (close.ended.get(step)?.state === 'done') continue;
      if (inFlow && (await hasMany(close))) return handOver(close);
      const result = await runStep(close, step);
      if (result.state !== 'done') return result.state;
      await close.at(`after ${step}`);
    }
    return 'closed';
  });
}

async function overtakable<State>(close: Close, work: () => Promise<State>): Promise<State | 'waiting'> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof TakenOver || isDuplicateKey(error))) throw error;
    close.desk.rt.log.info({ event: 'close.taken-over', platformId: close.platformId, businessDate: close.date });
    return 'waiting';
  }
}

/** Whether what is due is written down and is a long list. */
async function hasMany(close: Close): Promise<boolean> {
  if (close.ended.get('due')?.state !== 'done' || close.nothingDue) return false;
  close.clearing ??= await clearingOf(close);
  return (close.clearing?.lines ?? 0) >= MANY;
}

async function handOver(close: Close): Promise<'handed-over'> {
  const { desk } = close;
  const { rt } = desk;
  await rt.db.withTx(
    'hand-over',
    async (tx) => {
      await writePending(tx, close);
      await stayAtWork(tx, close);
      return true;
    },
    async () => undefined,
  );
  forgetPending(close);
  const left = STEPS.filter((step) => close.ended.get(step)?.state !== 'done');
  await rt.bells.ringInTurn(
    'close-step',
    left.map((step) => keyOfStep(close, step)),
  );
  return 'handed-over';
}

/** Runs a step and writes what it did, with what was pending before it. */
async function runStep(close: Close, step: Step): Promise<StepResult> {
  const { desk, platformId, date } = close;
  const startedMs = desk.rt.clock.now();
  const result = await RUN[step](close);
  const finishedMs = desk.rt.clock.now();
  tellStep(close, step, result);
  if (result.state === 'done') {
    const row: StepRow = { step, state: 'done', startedMs, finishedMs, detail: result.detail };
    close.ended.set(step, row);
    close.pending.rows.push(row);
    if (result.write !== undefined) close.pending.writes.push(result.write);
    if (step === 'close')
      close.pending.writes.push(async (tx) => void (await changeDay(tx, platformId, date, toState('closed', finishedMs))));
    if (result.keep) await keepPending(close);
    return result;
  }
  const detail = result.state === 'stopped' ? result.detail : { reason: result.reason };
  close.pending.rows.push({ step, state: result.state, startedMs, finishedMs: null, detail });
  close.pending.writes.push(async (tx) => {
    if (result.state === 'waiting') return waitLonger(tx, close, result.reason);
    await result.write(tx);
    await changeDay(tx, platformId, date, { ...toState('stopped', null), reason: result.reason });
  });
  await keepPending(close);
  return result;
}

function tellStep({ desk, platformId, date }: Close, step: Step, result: StepResult): void {
  const { log } = desk.rt;
  const of = { platformId, businessDate: date, step };
  if (result.state === 'stopped') log.error({ event: 'close.stopped', ...of, reason: result.reason });
  else if (result.state === 'waiting') log.warn({ event: 'close.waiting', ...of, reason: result.reason });
  else if (step === 'close') log.info({ event: 'close.done', platformId, businessDate: date });
}

function toState(to: DayState, closedMs: StepRow['finishedMs']) {
  return { from: 'closing', to, reason: null, attempts: 0, retryMs: 0, closedMs } as const;
}

async function waitLonger(tx: Tx, { desk, platformId, date }: Close, reason: string): Promise<void> {
  const attempts = (await findDay(tx, platformId, date))?.attempts ?? 0;
  const retryMs = desk.rt.clock.wall() + retryDelayMs(attempts);
  await changeDay(tx, platformId, date, { ...toState('closing', null), reason, attempts: attempts + 1, retryMs });
}
