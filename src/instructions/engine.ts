import { loadPolicies } from '../consents/index.js';
import { type Id, invariant, naturalDate, type Refusal } from '../kernel/index.js';
import {
  type Entry,
  insertingEntries,
  lockShard,
  post,
  type ShardTurn,
  savingAccounts,
  savingUncleared,
} from '../ledger/index.js';
import { loadParameters, type Runtime, type Tx } from '../runtime/index.js';
import { judge } from './judge.js';
import type { At, Boundary, Effects, Kind, Needs, Origin, Topic } from './kind.js';
import type { Outcome } from './outcome.js';
import {
  deletingFromInbox,
  findInstructions,
  insertingBoundary,
  insertingOutbox,
  insertingOutcomes,
  takeReceived,
  type Undecided,
} from './store.js';
import { willNeeds, willNeedsThen } from './will.js';
import { WorkingSet } from './working-set.js';

/**
 * The engine: takes what a shard received, decides it in order, and commits the whole batch at once.
 *
 *   lock the shard → read received rows → gather facts → decide in memory → write → commit
 *
 * It knows no kind by name. A refused instruction changes nothing and does not disturb its neighbours; a thrown error
 * undoes the whole batch and leaves it in the inbox.
 */
export const BATCH_MAX = 2000; // the gain of a larger batch is small, its lock on the shard longer

export interface Batch {
  readonly outcomes: readonly Outcome[];
  /** There may be more in the inbox. */
  readonly full: boolean;
}

const EMPTY: Batch = { outcomes: [], full: false };

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
      batch = await decideAndWrite(tx, rt, kinds, turn, received, max);
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
  if (batch.outcomes.length === 0) return batch;
  const ids = batch.outcomes.map((outcome) => outcome.instruction);
  const views = await rt.db.read('batch-committed', (tx) => findInstructions(tx, ids));
  const outcomes = ids.flatMap((id) => views.get(id)?.outcome ?? []);
  return outcomes.length === 0 ? undefined : { outcomes, full: true };
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
}

async function decideAndWrite(
  tx: Tx,
  rt: Runtime,
  kinds: ReadonlyMap<string, Kind>,
  turn: ShardTurn,
  received: readonly Undecided[],
  max: number,
): Promise<Batch> {
  const parameters = await loadParameters(tx);
  const policies = await loadPolicies(tx);
  const countsTogether = parameters.on(naturalDate(turn.nowMs), 'limits.per-customer') === 1n;
  const set = await WorkingSet.open(tx, [...new Set(received.map((row) => row.platformId))], { countsTogether });
  const { calendar, vault } = rt;
  const works = received.map((row) => prepare(row, kinds, set, turn, { calendar, vault, parameters, policies }));
  await gather(tx, works, set);
  const written: Written = { outcomes: [], entries: [], boundary: [], events: [] };
  await tx.writeInTurn(decideInTurn(works, turn, set, written));
  return {
    outcomes: written.outcomes,
    full: received.length === max,
  };
}

function prepare(
  received: Undecided,
  kinds: ReadonlyMap<string, Kind>,
  set: WorkingSet,
  turn: ShardTurn,
  common: Pick<At, 'calendar' | 'vault' | 'parameters' | 'policies'>,
): Work {
  const kind = kinds.get(received.kind);
  invariant(kind, `kind ${received.kind} of a received instruction is known`);
  const book = set.book(received.platformId);
  invariant(book.shardId === turn.shardId, `platform ${received.platformId} stands on shard ${turn.shardId}`);
  const { id: instruction, platformId, origin } = received;
  const at: At = { instruction, platformId, origin: origin as Origin, nowMs: turn.nowMs, book, ...common };
  return { received, kind, data: (kind.stored ?? kind.schema).parse(JSON.parse(received.body)), at };
}

async function gather(tx: Tx, works: readonly Work[], set: WorkingSet): Promise<void> {
  await set.load(
    tx,
    works.flatMap(({ kind, data, at }) => [kind.needs(data, at), willNeeds(kind, data, at)]),
  );
  const withMore = works.filter(({ kind }) => kind.needsThen !== undefined || kind.act !== undefined);
  const more = (): Needs[] =>
    withMore.flatMap(({ kind, data, at }) => {
      const facts = set.factsOf(at.platformId);
      return [kind.needsThen?.(data, facts, at) ?? {}, willNeedsThen(kind, data, facts, at)];
    });
  while (withMore.length > 0 && (await set.load(tx, more())));
}

function noteRefused(work: Work, refusal: Refusal, { outcomes, events }: Written): void {
  outcomes.push(outcomeOf(work, refusal));
  events.push({ topic: 'instruction.refused', platformId: work.at.platformId, ref: work.at.instruction });
}

function decideOne(work: Work, set: WorkingSet, written: Written): void {
  const { kind, data, at } = work;
  const decision = judge(kind, data, set.factsOf(at.platformId), at);
  if ('refused' in decision) {
    noteRefused(work, decision.refused, written);
    return;
  }
  set.openAccounts(at.platformId, decision.opens);
  const stamp = { instruction: at.instruction, businessDate: at.book.businessDate, postedMs: at.nowMs };
  const posted = post(decision, stamp, set.find);
  if ('code' in posted) {
    set.forget(decision.opens);
    noteRefused(work, posted, written);
    return;
  }
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
  for (let from = 0; from < works.length; from += CHUNK) {
    yield () => {
      for (const work of works.slice(from, from + CHUNK)) decideOne(work, set, written);
      return insertingEntries(written.entries.splice(0));
    };
  }
  const { accounts, slicesBefore, records } = set.changes();
  const { boundary, outcomes, events } = written;
  yield () => savingAccounts(accounts);
  yield () => savingUncleared(accounts, slicesBefore);
  for (const [type, rows] of records) yield () => type.saving(rows);
  yield () => insertingBoundary(boundary);
  yield () => insertingOutcomes(turn, outcomes);
  yield () => insertingOutbox(turn, events);
  yield () =>
    deletingFromInbox(
      turn.shardId,
      outcomes.map((outcome) => outcome.instruction),
    );
}
