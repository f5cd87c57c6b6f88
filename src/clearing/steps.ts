import { ask, resumePayments, sendAgain, sendDue, stopPayments, takeNews } from '../dispatch/index.js';
import { executeShard, inboxDepths } from '../instructions/index.js';
import { type BusinessDate, invariant, isWorkingDay, type Minor, toWire, toWireAmount } from '../kernel/index.js';
import { bookTotals, loadBook, lockShard, setBusinessDate, setProvedTo } from '../ledger/index.js';
import { type Payout, type PayoutState, payoutsInScope } from '../payouts/index.js';
import { type DayToReconcile, prove, type Reconciliation, reconcileDay, storedReconciliation } from '../reconciliation/index.js';
import type { Tx } from '../runtime/index.js';
import { type Instructed, instructAll } from './instruct.js';
import { orderInterest } from './interest.js';
import { type Close, forgetPending, keepPending, MANY, type StepResult, TakenOver, writePending } from './progress.js';
import { STEPS } from './states.js';
import {
  type ClearingLine,
  changeDay,
  clearingLines,
  insertClearingLines,
  insertCutOff,
  type StepRow,
  saveSteps,
  withdrawableLines,
} from './store.js';

// The steps of a close. Each can be run again from its beginning at any time.

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
  const { desk, platformId, totals, controlBefore } = close;
  invariant(totals, 'a day that was cut off has its totals');
  const { movement, statement, outstanding, openBreaks } = await reconciliationOf(close);
  const control = controlBefore + movement;
  const faults = prove({ ...totals, control, statement, outstanding, openBreaks });
  const detail = {
    custody: String(totals.custody),
    children: String(totals.children),
    control: String(control),
    statement: String(statement),
    outstanding: String(outstanding),
    openBreaks,
    faults,
  };
  const nowMs = desk.rt.clock.now();
  if (faults.length > 0) {
    const reason = faults.join('; ');
    return {
      state: 'stopped',
      reason,
      detail,
      async write(tx) {
        await lockShard(tx, close.shardId, nowMs); // nothing that is being marked as sent comes between
        await keepControl(tx, close, control);
        await stopPayments(tx, platformId, reason.slice(0, 200), nowMs);
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

/**
 * 5: what the sub-merchants have withdrawable on the new date is written down, whole, and then instructed. A rerun instructs what
 * was written, under the same numbers. On a day off nothing is due.
 */
export async function netting(close: Close): Promise<StepResult> {
  const { desk, next } = close;
  if (!isWorkingDay(desk.rt.calendar, next)) return { state: 'done', keep: false, detail: { workingDay: false } };
  const lines = await linesToPay(close);
  if (lines.length === 0) return { state: 'done', keep: false, detail: { lines: 0 } };
  await close.at('clearing written');
  // What is refused (a frozen account, money that a refund took meanwhile) stays where it is, and is due at the next clearing.
  const { posted, postedAmount, refused, inReview } = await instructAll(
    close,
    'clearing',
    lines.map((line) => toInstruct(line, next)),
  );
  return {
    state: 'done',
    keep: lines.length >= MANY,
    detail: { lines: lines.length, posted, postedAmount: String(postedAmount), refused, ...(inReview > 0 ? { inReview } : {}) },
  };
}

function toInstruct({ accountId, amount }: ClearingLine, date: BusinessDate): Instructed {
  const data = { account: toWire('account', accountId), amount: { amount: toWireAmount(amount), currency: 'CNY' } };
  return { requestNo: `clearing:${date}:${accountId}`, data, amount };
}

async function linesToPay(close: Close): Promise<readonly ClearingLine[]> {
  const { desk, platformId, shardId, next, resumed } = close;
  const { db, clock } = desk.rt;
  const written = () => db.read('clearing-lines', (tx) => clearingLines(tx, platformId, next));
  const before = resumed ? await written() : [];
  if (before.length > 0) return before;
  if ((await db.read('clearing-due', (tx) => withdrawableLines(tx, platformId, next, 1))).length === 0) return [];
  const lines = await db.withTx(
    'write-clearing',
    async (tx) => {
      await lockShard(tx, shardId, clock.now()); // so that no posting comes between the looking and the writing
      const there = await clearingLines(tx, platformId, next);
      if (there.length > 0) throw new TakenOver('the clearing was written by another run');
      const due = await withdrawableLines(tx, platformId, next);
      await insertClearingLines(tx, platformId, next, due);
      await writePending(tx, close);
      return due;
    },
    async () => {
      const there = await written();
      return there.length > 0 ? there : undefined;
    },
  );
  forgetPending(close);
  return lines;
}

const UNDER_WAY_MAX = 10_000;

function payoutsOf(
  { desk, platformId, shardId }: Close,
  states: readonly PayoutState[],
  limit = UNDER_WAY_MAX,
): Promise<Payout[]> {
  return desk.rt.db.read('payouts-of-platform', (tx) => payoutsInScope(tx, { shardId, platformId, states }, limit));
}

/** 6: what the platform has to pay is handed to the channels. */
export async function payouts(close: Close): Promise<StepResult> {
  close.nothingToPay = (await payoutsOf(close, ['created', 'sent', 'unknown'], 1)).length === 0;
  if (close.nothingToPay) return { state: 'done', keep: false, detail: { sent: 0 } };
  // What this proof allows to leave is known to whoever sends only when it is written.
  if (close.pending.rows.length > 0) await keepPending(close);
  const sent = await sendDue(close.desk, { shardId: close.shardId, platformId: close.platformId }, close.answered);
  return { state: 'done', keep: sent >= MANY, detail: { sent } };
}

/** 7: results are taken from the feeds, then by asking. What is not final then is carried over, and does not hold up the close. */
export async function results(close: Close): Promise<StepResult> {
  if (close.nothingToPay) return { state: 'done', keep: false, detail: { carriedOver: 0 } };
  const { desk } = close;
  const first = await payoutsOf(close, ['sent', 'unknown']);
  let left = first;
  if (left.length > 0) {
    await takeNews(desk, close.answered.splice(0));
    left = await payoutsOf(close, ['sent', 'unknown']);
  }
  if (left.length > 0) left = await askAfter(close, left);
  const unknown = left.filter((payout) => payout.state === 'unknown').length;
  return { state: 'done', keep: false, detail: { carriedOver: left.length, unknown } };
}

async function askAfter(close: Close, left: readonly Payout[]): Promise<Payout[]> {
  const neverReceived = await ask(close.desk, left);
  if (neverReceived.length > 0) {
    await sendAgain(close.desk, neverReceived);
    await takeNews(close.desk);
  }
  return payoutsOf(close, ['sent', 'unknown']);
}
