import { loadPolicies } from '../../consents/index.js';
import { type Id, invariant, naturalDate, type Refusal } from '../../kernel/index.js';
import {
  type Entry,
  insertingEntries,
  type LedgerAccount,
  lockShard,
  peekShard,
  post,
  type ShardTurn,
  savingAccounts,
  savingUncleared,
} from '../../ledger/index.js';
import { wakeShortages } from '../../refunds/index.js';
import { loadReviewRules, type ReviewHold } from '../../reviews/index.js';
import { loadParameters, mapInBreaths, type Runtime, type Tx } from '../../runtime/index.js';
import { assertCollection } from '../effects/funds.js';
import { assertSuspense } from '../effects/suspense.js';
import { incomeNeeds } from '../judging/income.js';
import { judge } from '../judging/judge.js';
import { heldForReview, reviewedNeeds, reviewHolds, reviewNeeds } from '../judging/review.js';
import { willNeeds, willNeedsThen } from '../judging/will.js';
import type { At, Boundary, Effects, Kind, Needs, Origin, Topic } from '../kind.js';
import type { Outcome } from '../outcome.js';
import {
  deletingFromInbox,
  deletingParked,
  findInstructions,
  insertingBoundary,
  insertingOutbox,
  insertingOutcomes,
  takeReceived,
  type Undecided,
} from '../store.js';
import { foreseeing } from './foresight.js';
import { tellLowBalances } from './low-balances.js';
import { WorkingSet } from './working-set.js';

/**
 * The engine: takes what a shard received, decides it in order, and commits the whole batch at once.
 *
 *   lock the shard → read received rows → gather facts → decide in memory → write → commit
 *
 * It knows no kind by name. A refused instruction changes nothing but what its kind keeps of having waited, and does not disturb its
 * neighbours; one that waits for money or people leaves the inbox until it is woken; a thrown error undoes the whole batch and leaves it
 * in the inbox.
 */
export const BATCH_MAX = 2000; // the gain of a larger batch is small, its lock on the shard longer

export interface Batch {
  readonly outcomes: readonly Outcome[];
  /** There may be more in the inbox. */
  readonly full: boolean;
  /** How many left the inbox undecided, to wait for money or for people. */
  readonly parked: number;
}

const EMPTY: Batch = { outcomes: [], full: false, parked: 0 };

export async function executeBatch(
  rt: Runtime,
  kinds: ReadonlyMap<string, Kind>,
  shardId: number,
  max = BATCH_MAX,
): Promise<Batch> {
  const endTimer = rt.metrics.batchSeconds.startTimer();
  let batch: Batch = EMPTY;
  const result = await rt.db.withTx(
    'execute-batch',
    async (tx) => {
      batch = EMPTY; // of an attempt that was rolled back nothing is left
      const turn = await lockShard(tx, shardId, rt.clock.now());
      const received = await takeReceived(tx, shardId, max);
      if (received.length === 0) return EMPTY;
      const written = newlyWritten();
      const woken = await decideAndWrite(tx, rt, kinds, turn, received, written);
      const full = received.length === max || written.stopped || woken > 0;
      batch = { outcomes: written.outcomes, full, parked: written.parked.length };
      return batch;
    },
    () => committedBatch(rt, batch),
  );
  endTimer();
  rt.metrics.batchSize.observe(result.outcomes.length);
  for (const { kind, state, code } of result.outcomes) rt.metrics.instructions.inc({ kind, state, code: code ?? '' });
  return result;
}

/**
 * After a commit whose answer was lost: what the books say of these instructions, whoever decided them in the end; undefined
 * when they are still to be decided.
 */
async function committedBatch(rt: Runtime, batch: Batch): Promise<Batch | undefined> {
  if (batch.outcomes.length === 0) return batch.parked === 0 ? batch : undefined; // what waits may be tried once more
  const ids = batch.outcomes.map((outcome) => outcome.instruction);
  const views = await rt.db.read('batch-committed', (tx) => findInstructions(tx, ids));
  const outcomes = ids.flatMap((id) => views.get(id)?.outcome ?? []);
  return outcomes.length === 0 ? undefined : { outcomes, full: true, parked: 0 };
}

const FEW = 32;

/** Looks on while a set is decided: answers by what an instruction shall find the accounts that it moves. */
export type Watch = (instruction: Id, find: (id: Id) => LedgerAccount) => (id: Id) => LedgerAccount;

/** What became of a set that is decided in a transaction of its caller's. */
export interface Decided {
  readonly outcomes: readonly Outcome[];
  /** Those that wait for money or for people. */
  readonly parked: readonly Id[];
  /** Of these, those that wait for people. */
  readonly inReview: readonly Id[];
}

/**
 * Decides these instructions and no others, in their order and on the shard's turn, and writes what they do; whether it is kept is the
 * caller's to say, by committing or not. They stand in no inbox. Other instructions of the shard wait meanwhile.
 */
export async function decideGiven(
  tx: Tx,
  rt: Runtime,
  kinds: ReadonlyMap<string, Kind>,
  { shardId, received, watch }: { shardId: number; received: readonly Undecided[]; watch?: Watch },
): Promise<Decided> {
  const outcomes: Outcome[] = [];
  const parked: Id[] = [];
  const inReview: Id[] = [];
  // What is gathered for those behind one that has to see more is lost: so after each of these few are taken, and then more and more.
  let most = BATCH_MAX;
  for (let rest = received; rest.length > 0; ) {
    const turn = await lockShard(tx, shardId, rt.clock.now()); // each time anew: its events are numbered by the turn
    const written = newlyWritten(watch);
    await decideAndWrite(tx, rt, kinds, turn, rest.slice(0, most), written);
    most = written.stopped ? FEW : Math.min(2 * most, BATCH_MAX);
    outcomes.push(...written.outcomes);
    parked.push(...written.parked);
    inReview.push(...written.inReview);
    const done = new Set([...written.outcomes.map(({ instruction }) => instruction), ...written.parked]);
    invariant(done.size > 0, 'the first instruction of a set is decided or waits for money');
    rest = rest.filter(({ id }) => !done.has(id));
  }
  return { outcomes, parked, inReview };
}

/**
 * Decides these instructions in memory alone: nothing is locked, nothing is written, and nobody waits. Undefined where one of them has to
 * see what those before it wrote; then only `decideGiven` can say.
 */
export async function decideInMemory(
  tx: Tx,
  rt: Runtime,
  kinds: ReadonlyMap<string, Kind>,
  { shardId, received, watch }: { shardId: number; received: readonly Undecided[]; watch?: Watch },
): Promise<Decided | undefined> {
  const turn = await peekShard(tx, shardId, rt.clock.now());
  const { set, works } = await gathered(tx, rt, kinds, turn, received, { locks: false });
  const written = newlyWritten(watch);
  await mapInBreaths(works, (work) => {
    if (!written.stopped) decideOne(work, set, written);
  });
  return written.stopped ? undefined : written;
}

interface Work {
  readonly received: Undecided;
  readonly kind: Kind;
  readonly data: unknown;
  readonly at: At;
}

interface Written {
  readonly outcomes: Outcome[];
  /** Those not written yet. */
  readonly entries: Entry[];
  readonly boundary: { instruction: Id; platformId: Id; businessDate: string; line: Boundary }[];
  readonly events: { topic: Topic; platformId: Id; ref: Id }[];
  /** Those that wait for money or for people now. */
  readonly parked: Id[];
  /** Of these, those that wait for people. */
  readonly inReview: Id[];
  /** One of them has to see what this batch made: it and those behind it are the next batch. */
  stopped: boolean;
  readonly watch: Watch | undefined;
}

function newlyWritten(watch?: Watch): Written {
  return { outcomes: [], entries: [], boundary: [], events: [], parked: [], inReview: [], stopped: false, watch };
}

/** Answers how many that waited for money are tried again. */
async function decideAndWrite(
  tx: Tx,
  rt: Runtime,
  kinds: ReadonlyMap<string, Kind>,
  turn: ShardTurn,
  received: readonly Undecided[],
  written: Written,
): Promise<number> {
  const { set, works } = await gathered(tx, rt, kinds, turn, received, { locks: true });
  await tx.writeInTurn(decideInTurn(works, turn, set, written));
  await tellLowBalances(tx, turn, set.touched(), written.events.length);
  return wakeShortages(tx, turn.shardId, set.credited());
}

/** @param locks whether what other shards may change too is taken for this transaction */
async function gathered(
  tx: Tx,
  rt: Runtime,
  kinds: ReadonlyMap<string, Kind>,
  turn: ShardTurn,
  received: readonly Undecided[],
  { locks }: { locks: boolean },
): Promise<{ set: WorkingSet; works: Work[] }> {
  const parameters = await loadParameters(tx);
  const policies = await loadPolicies(tx);
  const countsTogether = locks && parameters.on(naturalDate(turn.nowMs), 'limits.per-customer') === 1n;
  const platforms = [...new Set(received.map((row) => row.platformId))];
  const set = await WorkingSet.open(tx, platforms, { countsTogether, locks });
  const reviewRules = await loadReviewRules(tx, set.books.values());
  const { calendar, vault } = rt;
  const common = { calendar, vault, parameters, policies, reviewRules };
  const work = (row: Undecided) => prepare(row, kinds, set, turn, common);
  const works = locks ? received.map(work) : await mapInBreaths(received, work); // a lock is not held for breathing
  await gather(tx, works, set);
  return { set, works };
}

function prepare(
  received: Undecided,
  kinds: ReadonlyMap<string, Kind>,
  set: WorkingSet,
  turn: ShardTurn,
  {
    reviewRules,
    ...common
  }: Pick<At, 'calendar' | 'vault' | 'parameters' | 'policies'> & {
    readonly reviewRules: ReadonlyMap<Id, At['reviewRules']>;
  },
): Work {
  const kind = kinds.get(received.kind);
  invariant(kind, `kind ${received.kind} of a received instruction is known`);
  const book = set.book(received.platformId);
  invariant(book.shardId === turn.shardId, `platform ${received.platformId} stands on shard ${turn.shardId}`);
  const { id: instruction, platformId, origin } = received;
  const rules = reviewRules.get(platformId);
  const at: At = { instruction, platformId, origin: origin as Origin, nowMs: turn.nowMs, book, ...common, reviewRules: rules };
  return { received, kind, data: (kind.stored ?? kind.schema).parse(JSON.parse(received.body)), at };
}

async function gather(tx: Tx, works: readonly Work[], set: WorkingSet): Promise<void> {
  await set.load(
    tx,
    works.flatMap(({ kind, data, at }) => [kind.needs(data, at), willNeeds(kind, data, at), reviewedNeeds(at)]),
  );
  const withMore = works.filter(({ kind }) => kind.needsThen !== undefined || kind.act !== undefined || kind.income);
  const factsOf = foreseeing(works, (at) => set.factsOf(at.platformId));
  const more = (): Needs[] =>
    withMore.flatMap(({ kind, data, at }) => {
      const facts = factsOf(at);
      return [kind.needsThen?.(data, facts, at) ?? {}, willNeedsThen(kind, data, facts, at), incomeNeeds(kind, data, facts, at)];
    });
  while (withMore.length > 0 && (await set.load(tx, more())));
  const reviewable = works.filter(({ at }) => at.reviewRules !== undefined);
  await set.load(
    tx,
    reviewable.map(({ kind, data, at }) => reviewNeeds(kind, data, set.factsOf(at.platformId), at)),
  );
}

function noteRefused(work: Work, refusal: Refusal, set: WorkingSet, { outcomes, events }: Written): void {
  const { kind, data, at } = work;
  set.keepRecords(kind.whenRefused?.(data, set.factsOf(at.platformId), at) ?? []);
  outcomes.push(outcomeOf(work, refusal));
  events.push({ topic: 'instruction.refused', platformId: work.at.platformId, ref: work.at.instruction });
}

function decideOne(work: Work, set: WorkingSet, written: Written): void {
  const { kind, data, at } = work;
  const held = heldForReview(set.factsOf(at.platformId), at);
  if (held.length > 0) moveHolds(work, held, -1n, set);
  const decision = judge(kind, data, set.factsOf(at.platformId), at);
  if ('refused' in decision) {
    noteRefused(work, decision.refused, set, written);
    return;
  }
  if ('waits' in decision) {
    if (decision.waits === 'funds') {
      set.keepRecords(decision.records);
      written.parked.push(at.instruction);
    } else if (decision.waits === 'review') askForReview(work, decision, set, written);
    else {
      if (held.length > 0) moveHolds(work, held, 1n, set);
      written.stopped = true;
    }
    return;
  }
  set.openAccounts(at.platformId, decision.opens);
  const stamp = { instruction: at.instruction, businessDate: at.book.businessDate, postedMs: at.nowMs };
  const posted = post(decision, stamp, written.watch?.(at.instruction, set.find) ?? set.find);
  if ('code' in posted) {
    set.forget(decision.opens);
    noteRefused(work, posted, set, written);
    return;
  }
  assertSuspense(decision, set.factsOf(at.platformId), at);
  assertCollection(decision, set.factsOf(at.platformId));
  set.keep(decision);
  assertBoundary(decision, at);
  for (const entry of posted) written.entries.push(entry);
  for (const line of decision.boundary ?? []) {
    written.boundary.push({ instruction: at.instruction, platformId: at.platformId, businessDate: at.book.businessDate, line });
  }
  written.outcomes.push(outcomeOf(work, undefined, decision));
  written.events.push({ topic: 'instruction.posted', platformId: at.platformId, ref: at.instruction });
  for (const { topic, ref } of decision.events ?? []) written.events.push({ topic, platformId: at.platformId, ref });
}

/** What is held for a review is let go just before the instruction is decided anew, and held again where it is not decided after all. */
function moveHolds({ at }: Work, held: readonly ReviewHold[], sign: bigint, set: WorkingSet): void {
  const holds = held.map(({ accountId, amount }) => ({ account: accountId, amount: sign * amount }));
  const stamp = { instruction: at.instruction, businessDate: at.book.businessDate, postedMs: at.nowMs };
  if ('code' in post({ postings: [], holds }, stamp, set.find)) return; // it was frozen meanwhile, and is free until the next batch
  set.keep({ postings: [], holds, records: reviewHolds(held, sign > 0n, set.factsOf(at.platformId), at) });
}

/** Nothing is posted, but its money is held until people have decided; where the money is not there it is refused. */
function askForReview(
  work: Work,
  { holds, records }: Pick<Effects, 'holds' | 'records'>,
  set: WorkingSet,
  written: Written,
): void {
  const { instruction, platformId, book, nowMs: postedMs } = work.at;
  const kept = { postings: [], holds: holds ?? [], records: records ?? [] };
  const posted = post(kept, { instruction, businessDate: book.businessDate, postedMs }, set.find);
  if ('code' in posted) {
    noteRefused(work, posted, set, written);
    return;
  }
  set.keep(kept);
  written.parked.push(instruction);
  written.inReview.push(instruction);
  written.events.push({ topic: 'review.asked', platformId, ref: instruction });
}

/** What custody moves by is what the statement will show: the control total never drifts from the books. */
function assertBoundary(effects: Effects, at: At): void {
  let custody = 0n;
  for (const posting of effects.postings) if (posting.account === at.book.accounts.custody) custody += posting.amount;
  let boundary = 0n;
  for (const line of effects.boundary ?? []) boundary += line.amount;
  invariant(custody + boundary === 0n, 'every movement of custody is a boundary movement');
}

function outcomeOf({ kind, at }: Work, refusal: Refusal | undefined, effects?: Effects): Outcome {
  const detail =
    refusal === undefined
      ? (effects?.result ?? null)
      : { ...(refusal.detail === undefined ? {} : { detail: refusal.detail }), ...(refusal.fields ?? {}) };
  return {
    instruction: at.instruction,
    platformId: at.platformId,
    kind: kind.name,
    state: refusal === undefined ? 'posted' : 'refused',
    code: refusal?.code ?? null,
    detail: detail !== null && Object.keys(detail).length === 0 ? null : detail,
    businessDate: at.book.businessDate,
    decidedMs: at.nowMs,
  };
}

const CHUNK = 250; // decisions that are made while the server writes the entries of the ones before

/**
 * The statements of a batch in their order. The decisions are made on the way: entries are final as soon as an instruction is
 * decided, so the server writes those of one chunk while the next is decided; what later decisions may still change (accounts,
 * records) comes after the last.
 */
function* decideInTurn(
  works: readonly Work[],
  turn: ShardTurn,
  set: WorkingSet,
  written: Written,
): Iterable<() => string | undefined> {
  for (let from = 0; from < works.length && !written.stopped; from += CHUNK) {
    yield () => {
      for (const work of works.slice(from, from + CHUNK)) {
        decideOne(work, set, written);
        if (written.stopped) break;
      }
      return insertingEntries(written.entries.splice(0));
    };
  }
  const { accounts, slicesBefore, records } = set.changes();
  const { boundary, outcomes, events } = written;
  yield () => savingAccounts(accounts);
  yield () => savingUncleared(accounts, slicesBefore);
  for (const [type, rows] of records) yield () => type.saving(rows);
  yield () => insertingBoundary(boundary);
  yield () => deletingParked(turn.shardId, written.parked);
  if (events.length > 0) yield () => insertingOutbox(turn, events);
  if (outcomes.length === 0) return;
  yield () => insertingOutcomes(turn, outcomes);
  yield () =>
    deletingFromInbox(
      turn.shardId,
      outcomes.map((outcome) => outcome.instruction),
    );
}
