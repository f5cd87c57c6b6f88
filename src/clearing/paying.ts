import { ask, sendAgain, sendDue, takeNews } from '../dispatch/index.js';
import { decideEach, type Prepared, prepared, systemInstruction, type Verdict } from '../instructions/index.js';
import { type BusinessDate, type Id, invariant, toWire, toWireMoney } from '../kernel/index.js';
import { loadBook, lockShard } from '../ledger/index.js';
import { countPayouts, lastDue, type Payout, type PayoutState, payoutsInScope, payoutsInTurn } from '../payouts/index.js';
import { ahead, mapInBreaths, type Runtime, type Tx } from '../runtime/index.js';
import { type NotPaidReason, requestNoOf, stillDue } from './due-rules.js';
import { dueFactsOf } from './due-store.js';
import { clearingOf } from './lines.js';
import {
  addDecided,
  beginStage,
  type Clearing,
  type ClearingLine,
  clearingLines,
  type Decisions,
  endDeciding,
  findClearing,
  noteSent,
  type Stand,
  saveDecided,
} from './lines-store.js';
import {
  asRunning,
  type Close,
  forgetPending,
  keepPending,
  MANY,
  type StepResult,
  stayAtWork,
  TakenOver,
  writePending,
} from './progress.js';
import type { LineState } from './states.js';

// The steps that pay what was written down. Memory is that of a page.

/** What paying a clearing needs, of a close or of a rerun after it. */
export interface Paying {
  readonly rt: Runtime;
  readonly platformId: Id;
  readonly date: BusinessDate;
  /** Lines that are decided together. */
  readonly page: number;
  /** Is called in the transaction of each page. */
  readonly alongside: (tx: Tx) => Promise<void>;
  /** Is called after each page was committed. */
  readonly after: () => void | Promise<void>;
}

/**
 * Has the lines that are due decided, page by page: the instructions, what became of them and how far it is are one commit, so that wherever
 * it ends it goes on with the first line that is not decided. What is refused stays where it is. How much a line pays is decided with it:
 * what was written down, or what is still due of it.
 * @throws TakenOver where another run is at the same lines
 */
export async function decideLines(paying: Paying, from: Clearing): Promise<Clearing> {
  const { state } = from;
  if (state !== 'paying' && state !== 'rerun') return from;
  const { platformId, date } = paying;
  let stand: Stand = { platformId, date, state, after: from.after };
  for await (const page of ahead(pagesToDecide(paying, stand))) {
    await decidePage(paying, stand, page);
    stand = { ...stand, after: lastOf(page.lines) };
  }
  await endStage(paying, stand);
  return current(paying);
}

async function current({ rt, platformId, date }: Pick<Paying, 'rt' | 'platformId' | 'date'>): Promise<Clearing> {
  const clearing = await rt.db.read('clearing', (tx) => findClearing(tx, platformId, date));
  invariant(clearing, 'a clearing that is paid was written down');
  return clearing;
}

const lastOf = (lines: readonly ClearingLine[]): Id => (lines.at(-1) as ClearingLine).accountId;

/** Lines that are due, each with its instruction as long as it pays what was written down. */
interface Page {
  readonly lines: readonly ClearingLine[];
  readonly ready: ReadonlyMap<ClearingLine, Prepared>;
}

/** Nobody changes a line before its turn but who has the clearing's stand, so they are read and worked out under no lock. */
async function* pagesToDecide(paying: Paying, { after: from }: Stand): AsyncGenerator<Page> {
  const { rt, platformId, date, page: limit } = paying;
  for (let at: Id | undefined = from; at !== undefined; ) {
    const after: Id = at;
    const { lines, next } = await rt.db.read('clearing-lines', (tx) =>
      clearingLines(tx, platformId, date, { state: 'due', after, limit }),
    );
    const ready = new Map(await mapInBreaths(lines, (line) => [line, instructionOf(paying, line)] as const));
    if (lines.length > 0) yield { lines, ready };
    at = next;
  }
}

function instructionOf({ rt, platformId, date }: Paying, line: ClearingLine): Prepared {
  const requestNo = numberOf(line, date);
  return prepared(rt, systemInstruction({ platformId, requestNo, kind: 'clearing', data: dataOf(line), actor: 'clearing' }));
}

async function decidePage(paying: Paying, stand: Stand, { lines, ready }: Page): Promise<void> {
  const { rt, platformId, date } = paying;
  let before: Clearing;
  let now: readonly ClearingLine[] = [];
  let given: readonly ClearingLine[] = [];
  await decideEach(
    rt,
    async (tx) => {
      before = await takeTurn(tx, paying, stand);
      now = await linesNow(tx, paying, stand, lines);
      given = now.filter(({ state }) => state === 'due');
      return given.map((line) => ready.get(line) ?? instructionOf(paying, line));
    },
    async (tx, verdicts) => {
      const became = new Map(given.map((line, place) => [line, decidedLine(line, verdicts[place] as Verdict)]));
      const decided = now.map((line) => became.get(line) ?? line);
      const tallied = tally(decided);
      const refusedInAll = { ...before.refused };
      for (const [code, number] of Object.entries(tallied.refused)) refusedInAll[code] = (refusedInAll[code] ?? 0) + number;
      const to = lastOf(decided);
      if (!(await addDecided(tx, stand, { ...tallied, to, refusedInAll }))) throw new TakenOver('another run pays the clearing');
      await saveDecided(tx, platformId, date, decided);
      await paying.alongside(tx);
    },
    async () => (await current(paying)).after !== stand.after,
  );
  await paying.after();
}

/** Takes the shard's turn: nothing of the platform is posted or cut off between the looking and the deciding. */
async function takeTurn(tx: Tx, { rt, platformId, date }: Paying, stand: Stand): Promise<Clearing> {
  const { shardId } = await loadBook(tx, platformId);
  await lockShard(tx, shardId, rt.clock.now());
  const clearing = await findClearing(tx, platformId, date);
  if (clearing?.state !== stand.state || clearing.after !== stand.after) throw new TakenOver('another run pays the clearing');
  return clearing;
}

/** The engine says of these itself why, and more exactly. */
const LEFT_TO_ENGINE: readonly NotPaidReason[] = ['closed', 'no-settlement-account'];

/** The lines with what they pay now; refused where nothing of them is due any more, or where it is in the next clearing. */
async function linesNow(
  tx: Tx,
  { rt, platformId, date }: Paying,
  { state }: Stand,
  lines: readonly ClearingLine[],
): Promise<ClearingLine[]> {
  const refusedAs = (line: ClearingLine, code: string): ClearingLine => ({ ...line, state: 'refused', code });
  const { businessDate, business = 'open' } = await loadBook(tx, platformId);
  if (state === 'rerun' && businessDate !== date) return lines.map((line) => refusedAs(line, 'CLEARING_OVERTAKEN'));
  // What is left of a platform that is wound up is the wind-down's to pay.
  if (business !== 'open') return lines.map((line) => refusedAs(line, 'CLEARING_NOT_DUE'));
  const byAccount = new Map<Id, ClearingLine[]>();
  for (const line of lines) byAccount.set(line.accountId, [...(byAccount.get(line.accountId) ?? []), line]);
  const facts = await dueFactsOf(tx, { platformId, date }, [...byAccount.keys()]);
  return [...byAccount].flatMap(([account, its]) => {
    const of = facts.get(account);
    invariant(of, `account ${account} of a line is there`);
    const now = stillDue(of, its, { date, calendar: rt.calendar });
    return its.map((line, place) => {
      const pays = now[place] as (typeof now)[number];
      if (!('reason' in pays)) return pays.amount === line.amount && pays.fee === line.fee ? line : { ...line, ...pays };
      return LEFT_TO_ENGINE.includes(pays.reason) ? line : refusedAs(line, 'CLEARING_NOT_DUE');
    });
  });
}

/** A line that is tried again has another number each time; the first is made of date and account alone. */
function numberOf(line: ClearingLine, date: BusinessDate): string {
  return line.attempt === 0 ? requestNoOf(line, date) : `${requestNoOf(line, date)}:r${line.attempt}`;
}

function dataOf({ accountId, amount, fee }: ClearingLine) {
  return { account: toWire('account', accountId), amount: toWireMoney(amount), ...(fee === 0n ? {} : { fee: toWireMoney(fee) }) };
}

function decidedLine(line: ClearingLine, { state, code, instruction }: Verdict): ClearingLine {
  const now: LineState = state === 'posted' || state === 'in-review' ? state : 'refused';
  invariant(now !== 'refused' || state === 'refused', `a line of a clearing is decided, and not ${state}`);
  return { ...line, state: now, code, instructionId: instruction };
}

function tally(lines: readonly ClearingLine[]): Decisions {
  const refused: Record<string, number> = {};
  let postedAmount = 0n;
  for (const { state, code, amount } of lines) {
    if (state === 'posted') postedAmount += amount;
    else if (state === 'refused') refused[code ?? ''] = (refused[code ?? ''] ?? 0) + 1;
  }
  const count = (of: LineState) => lines.filter(({ state }) => state === of).length;
  return { decided: lines.length, posted: count('posted'), postedAmount, inReview: count('in-review'), refused };
}

async function endStage({ rt, platformId, date }: Paying, stand: Stand): Promise<void> {
  await rt.db.withTx(
    'clearing-decided',
    async (tx) => {
      if (!(await endDeciding(tx, stand, rt.clock.wall()))) throw new TakenOver('another run pays the clearing');
      return true;
    },
    async () => ((await current({ rt, platformId, date })).state === 'paid' ? true : undefined),
  );
}

/** 9: the lines are instructed, and what the platform has to pay, of whatever purpose, is handed to the channels. */
export async function payouts(close: Close): Promise<StepResult> {
  const { desk, platformId, shardId } = close;
  const clearing = close.nothingDue ? undefined : await instructed(close);
  const waiting = await desk.rt.db.read('payouts-of-platform', (tx) =>
    payoutsInScope(tx, { shardId, platformId, states: ['created', 'sent', 'unknown'] }, 1),
  );
  close.nothingToPay = waiting.length === 0;
  if (clearing === undefined && close.nothingToPay) return { state: 'done', keep: false, detail: { sent: 0 } };
  // What this proof allows to leave is known to whoever sends only when it is written.
  if (close.pending.rows.length > 0) await keepPending(close);
  const sent = close.nothingToPay ? 0 : await send(close, (clearing?.lines ?? 0) >= MANY);
  await close.at('clearing sent');
  const told = clearing === undefined ? {} : detailOf(clearing);
  return { state: 'done', keep: sent >= MANY, detail: { ...told, sent } };
}

function detailOf({ lines, posted, postedAmount, refused, inReview }: Clearing) {
  return { lines, posted, postedAmount: String(postedAmount), refused, ...(inReview > 0 ? { inReview } : {}) };
}

async function instructed(close: Close): Promise<Clearing | undefined> {
  const { desk, platformId, next } = close;
  const { rt } = desk;
  let clearing = await clearingOf(close);
  if (clearing === undefined) {
    close.nothingDue = true;
    return undefined;
  }
  const many = clearing.lines >= MANY;
  if (many) asRunning(close, 'payouts');
  clearing = await begun(close, clearing);
  const paying: Paying = {
    ...{ rt, platformId, date: next, page: close.page },
    alongside: async (tx) => {
      if (many) await stayAtWork(tx, close);
    },
    after: () => close.at('page decided'),
  };
  const decided = await decideLines(paying, clearing);
  await close.at('clearing decided');
  return decided;
}

/** Begins to pay; with it is written what was pending. */
async function begun(close: Close, clearing: Clearing): Promise<Clearing> {
  const { desk, platformId, next: date } = close;
  const { rt } = desk;
  const { state, after, decided } = clearing;
  if (state !== 'written' && state !== 'paying') return clearing;
  const stage = { state: 'paying', stageMs: rt.clock.wall(), stageDone: decided } as const;
  await rt.db.withTx(
    'pay-clearing',
    async (tx) => {
      // Nobody is told off here who is as far: what counts is who decides a page.
      await beginStage(tx, { platformId, date, state, after }, stage);
      await writePending(tx, close);
      return true;
    },
    async () => undefined,
  );
  forgetPending(close);
  return current({ rt, platformId, date });
}

async function send(close: Close, many: boolean): Promise<number> {
  const { desk, platformId, shardId, next } = close;
  const { db } = desk.rt;
  const each = async (sent: number) => {
    await db.withTx(
      'note-sent',
      async (tx) => {
        await noteSent(tx, platformId, next, sent);
        await stayAtWork(tx, close);
        return true;
      },
      async () => undefined,
    );
  };
  return sendDue(desk, { shardId, platformId }, many ? { each } : { collect: close.answered });
}

const ASK_PAGE = 500;
const UNDER_WAY = ['sent', 'unknown'] as const satisfies readonly PayoutState[];

/** 10: results are taken from the feeds, then by asking. What is not final then is carried over, and does not hold up the close. */
export async function results(close: Close): Promise<StepResult> {
  if (close.nothingToPay) return { state: 'done', keep: false, detail: { carriedOver: 0 } };
  const { desk } = close;
  let left = await underWay(close);
  if (left.carriedOver > 0 || close.answered.length > 0) {
    await takeNews(desk, close.answered.splice(0));
    left = await underWay(close);
  }
  if (left.carriedOver > 0) {
    await askAfter(close);
    left = await underWay(close);
  }
  return { state: 'done', keep: false, detail: left };
}

async function underWay({ desk, platformId, shardId }: Close) {
  const counts = await desk.rt.db.read('payouts-under-way', (tx) => countPayouts(tx, { shardId, platformId, states: UNDER_WAY }));
  const [sent, unknown] = UNDER_WAY.map((state) => counts.get(state) ?? 0) as [number, number];
  return { carriedOver: sent + unknown, unknown };
}

/** Asks after each of them once, page by page: one that has no result yet is put off, behind what is still to be asked. */
async function askAfter(close: Close): Promise<void> {
  const { desk, platformId, shardId } = close;
  const { db } = desk.rt;
  let again = false;
  for (const state of UNDER_WAY) {
    const scope = { shardId, platformId, states: [state] };
    const untilMs = await db.read('last-to-ask', (tx) => lastDue(tx, scope));
    for (let after: Payout | undefined; untilMs !== undefined; ) {
      const from = after;
      const page = await db.read('payouts-to-ask', (tx) => payoutsInTurn(tx, scope, { after: from, untilMs }, ASK_PAGE));
      const neverReceived = await ask(desk, page);
      await sendAgain(desk, neverReceived);
      again ||= neverReceived.length > 0;
      if (page.length < ASK_PAGE) break;
      after = page.at(-1);
      await keepAtWork(close);
    }
  }
  if (again) await takeNews(desk);
}

async function keepAtWork(close: Close): Promise<void> {
  await close.desk.rt.db.withTx(
    'at-work',
    (tx) => stayAtWork(tx, close).then(() => true),
    async () => undefined,
  );
}
