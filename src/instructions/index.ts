import { canonicalJson, type Id, invariant } from '../kernel/index.js';
import type { Runtime } from '../runtime/index.js';
import { announce } from './answers/answers.js';
import { BATCH_MAX, type Batch, executeBatch } from './deciding/engine.js';
import type { Submission } from './intake/intake.js';
import { kinds } from './kinds/index.js';

/**
 * The engine and the kinds of instructions: the one door through which money moves.
 *
 *   receive (intake) → execute (engine: gather, decide, post, write) → announce (answers)
 *
 * Guarantees: a request number is remembered for ever; an instruction is decided once; what it does is all there or not at
 * all. Deliberately absent: network calls; the engine knows no kind by name.
 */
export { type Answers, createAnswers } from './answers/answers.js';
export { readAwaited } from './answers/awaited.js';
export { standingOf } from './answers/views.js';
export { executeBatch } from './deciding/engine.js';
export { sweepLowBalances } from './deciding/low-balances.js';
export { appendEvents, type OutboxEvent, relayOutbox, shardsBehind } from './deciding/outbox.js';
export {
  decideEach,
  decideInTx,
  decideTogether,
  type Prepared,
  prepared,
  tryOut,
  type Verdict,
  type VerdictState,
} from './deciding/trial.js';
export { orderDeduction } from './deduction-order.js';
export { answerHandlers } from './intake/answer-handlers.js';
export { releaseToInbox } from './intake/asking.js';
export { createIntake, type Intake, type Receipt, receiveInTx, type Submission } from './intake/intake.js';
export { parseInstruction } from './intake/parse.js';
export { openedBody, resealedBody } from './intake/personal.js';
export { type Kind, type Origin, PROOFS } from './kind.js';
export { kinds } from './kinds/index.js';
export { reviewParts } from './review-parts.js';
export { instructionRoutes } from './routes.js';
export { findInstructions, inboxDepths } from './store.js';
export { dryRunRoutes } from './trial-routes.js';

/** Decides all that a shard has received, batch after batch, and announces each while the next is at work; answers how many. */
export async function executeShard(rt: Runtime, shardId: number): Promise<number> {
  let decided = 0;
  let running: Promise<Batch> | undefined = executeBatch(rt, kinds, shardId, BATCH_MAX);
  while (running !== undefined) {
    const { outcomes, full, parked }: Batch = await running;
    running = full ? executeBatch(rt, kinds, shardId, BATCH_MAX) : undefined;
    running?.catch(() => undefined); // it is awaited after the announcement, which must not miss what is committed
    decided += outcomes.length;
    await announce(rt, outcomes);
    if (outcomes.length + parked > 0) await rt.bells.ring('relay-outbox', String(shardId));
  }
  return decided;
}

/**
 * An instruction of the system itself. The same `requestNo` never acts twice.
 * @throws invariant for data that its kind does not know: once received it would stop the whole shard, and not only whoever gives it
 */
export function systemInstruction(of: {
  platformId: Id;
  requestNo: string;
  kind: string;
  data: unknown;
  actor: string;
}): Submission {
  const form = kinds.get(of.kind)?.schema.safeParse(of.data);
  invariant(form?.success, `${of.requestNo} has the form of a ${of.kind}`);
  return {
    platformId: of.platformId,
    origin: 'S',
    requestNo: of.requestNo,
    kind: of.kind,
    body: canonicalJson(of.data),
    actor: of.actor,
  };
}
