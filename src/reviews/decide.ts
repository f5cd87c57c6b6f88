import { type Id, type Instant, invariant, Refused, refuse, toWire } from '../kernel/index.js';
import { lockShard } from '../ledger/index.js';
import { isDuplicateKey, type Runtime, type Tx } from '../runtime/index.js';
import { oldestKeptMinute } from './records.js';
import { dueReviews, endReview, findReview, forgetCounts, insertDecision, insertStep, type ReviewView } from './store.js';

/** Puts an instruction that waited into the inbox, in the same transaction; answers what to do after the commit. */
export type WakeInstruction = (tx: Tx, instruction: Id) => Promise<() => Promise<void>>;

/** How many people have to approve. */
const APPROVALS = 2;

export interface Verdict {
  readonly verdict: 'approve' | 'reject';
  readonly by: Id;
  /** Why; of a rejection always. Sealed, since it may speak of people. */
  readonly note: string | undefined;
}

/**
 * One person of the bank decides: the second approval has the instruction executed, one rejection has it refused. It holds the shard, so
 * that of two who decide at once, or of one and the deadline, each sees what the other did.
 * @throws Refused NOT_FOUND, REVIEW_DECIDED, SAME_OPERATOR (he has decided already, or gave the instruction himself)
 */
export async function decideReview(
  tx: Tx,
  rt: Pick<Runtime, 'clock' | 'vault'>,
  wake: WakeInstruction,
  id: Id,
  { verdict, by, note }: Verdict,
): Promise<{ view: ReviewView; afterCommit: () => Promise<void> }> {
  const { view, nowMs } = await taken(tx, rt, id);
  const { state, dueMs } = view.review;
  if (state !== 'open' || dueMs <= nowMs) throw new Refused(refuse('REVIEW_DECIDED', undefined, { state }));
  if (view.actor === toWire('operator', by)) throw new Refused(refuse('SAME_OPERATOR'));
  try {
    const noteSealed = note === undefined ? null : rt.vault.seal(note);
    await insertDecision(tx, { instruction: id, operatorId: by, verdict, noteSealed, decidedMs: nowMs });
  } catch (error) {
    if (isDuplicateKey(error)) throw new Refused(refuse('SAME_OPERATOR'));
    throw error;
  }
  const approvals = view.decisions.filter((each) => each.verdict === 'approve').length + 1;
  const ends = verdict === 'reject' ? 'rejected' : approvals >= APPROVALS ? 'approved' : undefined;
  const afterCommit = ends === undefined ? async () => undefined : await end(tx, wake, id, ends, nowMs);
  const after = await findReview(tx, id);
  invariant(after, `review ${id} is there`);
  return { view: after, afterCommit };
}

async function taken(tx: Tx, { clock }: Pick<Runtime, 'clock'>, id: Id): Promise<{ view: ReviewView; nowMs: Instant }> {
  const found = await findReview(tx, id);
  if (found === undefined) throw new Refused(refuse('NOT_FOUND'));
  const { nowMs } = await lockShard(tx, found.review.shardId, clock.now());
  const view = await findReview(tx, id);
  invariant(view, `review ${id} is there`);
  return { view, nowMs };
}

async function end(
  tx: Tx,
  wake: WakeInstruction,
  id: Id,
  to: Parameters<typeof endReview>[2],
  nowMs: Instant,
): Promise<() => Promise<void>> {
  invariant(await endReview(tx, id, to, nowMs), `review ${id} was open`);
  return wake(tx, id);
}

const LAPSE_MAX = 1_000;

/**
 * Ends the reviews whose deadline has passed, as their rules say; answers how many. What runs twice, or at two places, ends each once.
 */
export async function lapseReviews(
  rt: Pick<Runtime, 'db' | 'clock' | 'newId'>,
  wake: WakeInstruction,
  limit = LAPSE_MAX,
): Promise<number> {
  const { db, clock } = rt;
  const due = await db.read('due-reviews', (tx) => dueReviews(tx, clock.now(), limit));
  let ended = 0;
  for (const { id } of due) {
    const ring = await db.withTx(
      'lapse-review',
      (tx) => lapse(tx, rt, wake, id),
      async () => undefined,
    );
    if (ring === undefined) continue;
    ended += 1;
    await ring();
  }
  const before = oldestKeptMinute(clock.now());
  if (ended === 0) return ended;
  await db.withTx(
    'forget-counts',
    (tx) => forgetCounts(tx, before),
    async () => 0,
  );
  return ended;
}

async function lapse(tx: Tx, rt: Pick<Runtime, 'clock' | 'newId'>, wake: WakeInstruction, id: Id) {
  const { view, nowMs } = await taken(tx, rt, id);
  const { state, dueMs, onDeadline } = view.review;
  if (state !== 'open' || dueMs > nowMs) return undefined; // decided meanwhile
  const to = onDeadline === 'execute' ? 'passed' : 'lapsed';
  const detail = { onDeadline, approvals: view.decisions.length };
  await insertStep(tx, { id: rt.newId(), action: `review ${to}`, instruction: id, detail, nowMs });
  return end(tx, wake, id, to, nowMs);
}
