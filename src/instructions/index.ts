import { canonicalJson, type Id } from '../kernel/index.js';
import type { Runtime } from '../runtime/index.js';
import { announce } from './answers.js';
import { BATCH_MAX, type Batch, executeBatch } from './engine.js';
import type { Submission } from './intake.js';
import { kinds } from './kinds/index.js';

export { answerHandlers } from './answering.js';
/**
 * The engine and the kinds of instructions: the one door through which money moves.
 *
 *   receive (intake) → execute (engine: gather, decide, post, write) → announce (answers)
 *
 * Guarantees: a request number is remembered for ever; an instruction is decided once; what it does is all there or not at
 * all. Deliberately absent: network calls; the engine knows no kind by name.
 */
export { type Answers, createAnswers } from './answers.js';
export { releaseToInbox } from './asking.js';
export { readAwaited } from './awaited.js';
export { orderDeduction } from './deduction-order.js';
export { executeBatch } from './engine.js';
export { createIntake, type Intake, type Receipt, receiveInTx, type Submission } from './intake.js';
export { type Kind, type Origin, PROOFS } from './kind.js';
export { kinds } from './kinds/index.js';
export { sweepLowBalances } from './low-balances.js';
export { appendEvents, type OutboxEvent, relayOutbox, shardsBehind } from './outbox.js';
export { parseInstruction } from './parse.js';
export { openedBody, resealedBody } from './personal.js';
export { reviewParts } from './review-parts.js';
export { instructionRoutes } from './routes.js';
export { findInstructions, inboxDepths } from './store.js';
export { decideTogether, tryOut, type Verdict, type VerdictState } from './trial.js';
export { dryRunRoutes } from './trial-routes.js';
export { standingOf } from './views.js';

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

/** An instruction of the system itself. The same `requestNo` never acts twice. */
export function systemInstruction(of: {
  platformId: Id;
  requestNo: string;
  kind: string;
  data: unknown;
  actor: string;
}): Submission {
  return {
    platformId: of.platformId,
    origin: 'S',
    requestNo: of.requestNo,
    kind: of.kind,
    body: canonicalJson(of.data),
    actor: of.actor,
  };
}
