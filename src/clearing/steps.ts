import { takeNews } from '../dispatch/index.js';
import { fundFigures } from '../funds/index.js';
import { executeShard, inboxDepths } from '../instructions/index.js';
import { invariant, type Minor, Refused } from '../kernel/index.js';
import { bookTotals, loadBook, lockShard, setBusinessDate, setProvedTo } from '../ledger/index.js';
import { resumePayments, stopPayments } from '../payouts/index.js';
import { attestDay, CustodyProofDiffers } from '../proofs/index.js';
import { type DayToReconcile, prove, type Reconciliation, reconcileDay, storedReconciliation } from '../reconciliation/index.js';
import { makeDayFiles } from '../reporting/index.js';
import type { Tx } from '../runtime/index.js';
import { orderInterest } from './interest.js';
import { type Close, keepPending, type StepResult, TakenOver } from './progress.js';
import { STEPS } from './states.js';
import { changeDay, insertCutOff, type StepRow, saveSteps } from './store.js';

// The steps before a clearing, which show that the books and the bank agree, and those after it, which attest and tell that. Each can be run
// again from its beginning at any time.

/**
 * 1: the business date moves on. What was received before belongs to the day; from the commit on every entry is dated on the
 * next, so that the totals written down here are those of the day for ever.
 */
export async function cutOff(close: Close): Promise<StepResult> {
  const { desk, shardId } = close;
  const { rt } = desk;
  await takeNews(desk);
  const depths = await rt.db.read('inbox-depths', inboxDepths);
  if ((depths.get(shardId) ?? 0) > 0) await executeShard(rt, shardId);
  let detail: Record<string, unknown> = {};
  close.totals = await rt.db.withTx(
    'cut-off',
    async (tx) => {
      const cut = await cutOffIn(tx, close);
      detail = cut.detail;
      close.totals = cut.totals;
      return cut.totals;
    },
    async () =>
      (await rt.db.read('cut-off-done', (tx) => loadBook(tx, close.platformId))).businessDate > close.date
        ? close.totals
        : undefined,
  );
  return { state: 'done', keep: false, detail };
}

async function cutOffIn(tx: Tx, { desk, platformId, shardId, date, next }: Close) {
  const { nowMs } = await lockShard(tx, shardId, desk.rt.clock.now());
  if (!(await setBusinessDate(tx, platformId, date, next))) throw new TakenOver('the day was cut off by another run');
  const totals = await bookTotals(tx, platformId);
  await insertCutOff(tx, { platformId, date, next, ...totals, nowMs });
  const detail = { custody: String(totals.custody), children: String(totals.children), next };
  const waiting = STEPS.map((step): StepRow => ({ step, state: 'waiting', startedMs: null, finishedMs: null, detail: null }));
  const cut: StepRow = { step: 'cut-off', state: 'done', startedMs: nowMs, finishedMs: nowMs, detail };
  await saveSteps(
    tx,
    platformId,
    date,
    waiting.map((row) => (row.step === cut.step ? cut : row)),
  );
  return { totals, detail };
}

function dayOf({ platformId, shardId, custodyNo, date, resumed }: Close): DayToReconcile {
  return { platformId, shardId, custodyNo, date, resumed };
}

/** 2: the bank's statement of the day is fetched and matched with the books. What the bank itself is to bring, it is told before. */
export async function reconcile(close: Close): Promise<StepResult> {
  const reason = await orderInterest(close.desk, close.platformId);
  if (reason !== undefined) return { state: 'waiting', reason };
  const reconciled = await reconcileDay(close.desk, dayOf(close));
  if (reconciled.state === 'waiting') return reconciled;
  const { result, quiet, write } = reconciled;
  close.reconciliation = result;
  const { lines, found, cleared } = result;
  return { state: 'done', keep: !quiet, write, detail: { lines, closing: String(result.statement), found, cleared } };
}

async function reconciliationOf(close: Close): Promise<Reconciliation> {
  const result = close.reconciliation ?? (await storedReconciliation(close.desk, dayOf(close)));
  invariant(result, `the statement of ${close.date} was kept`);
  return result;
}

/** 3: accounts, custody, control total and statement agree, or nothing of this platform is paid until a person has looked. */
export async function proof(close: Close): Promise<StepResult> {
  const { platformId, totals, controlBefore } = close;
  invariant(totals, 'a day that was cut off has its totals');
  const { movement, statement, outstanding, openBreaks } = await reconciliationOf(close);
  const control = controlBefore + movement;
  const proved = prove({ ...totals, control, statement, outstanding, openBreaks });
  const faults = [...proved, ...(await fundFaults(close))];
  const detail = {
    custody: String(totals.custody),
    children: String(totals.children),
    control: String(control),
    statement: String(statement),
    outstanding: String(outstanding),
    openBreaks,
    faults,
  };
  if (faults.length > 0) {
    const reason = faults.join('; ');
    return {
      state: 'stopped',
      reason,
      detail,
      async write(tx) {
        await keepControl(tx, close, control);
        await stopBeforeSending(tx, close, reason);
      },
    };
  }
  const wasStopped = close.ended.get('proof')?.state === 'stopped';
  return {
    state: 'done',
    keep: wasStopped,
    detail,
    async write(tx) {
      await keepControl(tx, close, control);
      await setProvedTo(tx, platformId, close.date);
      if (wasStopped) await resumePayments(tx, platformId);
    },
  };
}

async function stopBeforeSending(tx: Tx, { desk, platformId, shardId }: Close, reason: string): Promise<void> {
  const nowMs = desk.rt.clock.now();
  await lockShard(tx, shardId, nowMs); // nothing that is being marked as sent comes between
  await stopPayments(tx, platformId, reason.slice(0, 200), nowMs);
}

/**
 * What of the collection account is whose, and what the bank has advanced, agree with the orders of units: at any moment, so also now. Every
 * instruction keeps it so; here it is counted anew.
 */
async function fundFaults({ desk, platformId }: Close): Promise<string[]> {
  const figures = await desk.rt.db.snapshot('fund-figures', (tx) => fundFigures(tx, platformId));
  if (figures === undefined) return [];
  const { collection, collected, advanced, repayable } = figures;
  return [
    ...(collection === collected ? [] : [`the collection account has ${collection}, its orders ${collected}`]),
    ...(advanced === repayable ? [] : [`${advanced} is advanced for redemptions, which add up to ${repayable}`]),
  ];
}

async function keepControl(tx: Tx, { platformId, date }: Close, control: Minor): Promise<void> {
  await changeDay(tx, platformId, date, {
    from: 'closing',
    to: 'closing',
    control,
    reason: null,
    attempts: 0,
    retryMs: 0,
    closedMs: null,
  });
}

/** 11: what the books said at the cut-off is signed. */
export async function attest(close: Close): Promise<StepResult> {
  if (close.pending.rows.length > 0) await keepPending(close); // only what is proved is attested
  const { desk, platformId, date } = close;
  return orStopped(close, 'attest', () => attestDay(desk.rt, { platformId, date }));
}

/** 12: what the platform gets of the day. */
export async function files(close: Close): Promise<StepResult> {
  const { desk, platformId, date } = close;
  return orStopped(close, 'files', () => makeDayFiles(desk.rt, { platformId, date }));
}

/**
 * What was signed or told of the day does not fit the books any more: nothing of this platform is paid until a person has looked, as after a proof
 * that failed. When the step passes, payments go on.
 */
async function orStopped(close: Close, step: 'attest' | 'files', work: () => Promise<object>): Promise<StepResult> {
  const { platformId } = close;
  try {
    const detail = { ...(await work()) };
    if (close.ended.get(step)?.state !== 'stopped') return { state: 'done', keep: false, detail };
    return { state: 'done', keep: true, detail, write: (tx) => resumePayments(tx, platformId) };
  } catch (error) {
    if (!(error instanceof Refused || error instanceof CustodyProofDiffers)) throw error;
    const reason = error.message;
    const write = (tx: Tx) => stopBeforeSending(tx, close, reason);
    return { state: 'stopped', reason, detail: { reason }, write };
  }
}
