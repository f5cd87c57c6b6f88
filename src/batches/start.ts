import { type Id, Refused, refuse } from '../kernel/index.js';
import type { Runtime } from '../runtime/index.js';
import { type LineVerdict, previewOf } from './lines.js';
import { LINES_MAX } from './rules.js';
import { type Batch, findBatch, moveBatch, readyAgain, readyLines, refusedLines } from './store.js';

/**
 * Starts the lines of a file that is legal. Asked again, it changes nothing.
 * @throws Refused NOT_FOUND, BATCH_NOT_LEGAL
 */
export async function commitBatch(rt: Runtime, platformId: Id, id: Id): Promise<Batch> {
  const nowMs = rt.clock.now();
  const batch = await requireBatch(rt, platformId, id);
  if (batch.state === 'rejected') throw new Refused(refuse('BATCH_NOT_LEGAL', undefined, { faults: batch.faults }));
  if (batch.state === 'accepted') {
    await rt.db.withTx(
      'commit-batch',
      (tx) => moveBatch(tx, batch, 'running', { attempt: 1, startedMs: nowMs, lookMs: nowMs }),
      async () => undefined, // a second time it is running already
    );
    await rt.bells.ring('run-batches', id);
  }
  return requireBatch(rt, platformId, id);
}

/**
 * Starts the lines once more that were refused in the attempt that is named, and no others. Asked again for the same attempt it
 * changes nothing.
 * @throws Refused NOT_FOUND, BATCH_NOT_LEGAL, BATCH_NOT_COMMITTED, BATCH_RUNNING, BATCH_ATTEMPT_WRONG, BATCH_NOTHING_REFUSED
 */
export async function rerunBatch(rt: Runtime, platformId: Id, id: Id, attempt: number): Promise<Batch> {
  const batch = await requireBatch(rt, platformId, id);
  if (batch.state === 'rejected') throw new Refused(refuse('BATCH_NOT_LEGAL', undefined, { faults: batch.faults }));
  if (batch.state === 'accepted') throw new Refused(refuse('BATCH_NOT_COMMITTED'));
  if (batch.attempt === attempt + 1) return batch;
  if (batch.attempt !== attempt) throw new Refused(refuse('BATCH_ATTEMPT_WRONG', undefined, { attempt: batch.attempt }));
  if (batch.state === 'running') throw new Refused(refuse('BATCH_RUNNING'));
  const nowMs = rt.clock.now();
  await rt.db.withTx(
    'rerun-batch',
    async (tx) => {
      const change = { attempt: attempt + 1, startedMs: nowMs, endedMs: null, lookMs: nowMs };
      if (!(await moveBatch(tx, batch, 'running', change))) return true; // another was faster, or it finished meanwhile
      if ((await readyAgain(tx, id, attempt + 1)) === 0) throw new Refused(refuse('BATCH_NOTHING_REFUSED'));
      return true;
    },
    async () => undefined,
  );
  await rt.bells.ring('run-batches', id);
  return requireBatch(rt, platformId, id);
}

/**
 * What would become of the lines that starting the batch, or running it again, would start.
 * @throws Refused NOT_FOUND, BATCH_NOT_LEGAL, BATCH_RUNNING
 */
export async function previewBatch(rt: Runtime, platformId: Id, id: Id): Promise<LineVerdict[]> {
  const batch = await requireBatch(rt, platformId, id);
  if (batch.state === 'rejected') throw new Refused(refuse('BATCH_NOT_LEGAL', undefined, { faults: batch.faults }));
  if (batch.state === 'running') throw new Refused(refuse('BATCH_RUNNING'));
  const lines = batch.state === 'accepted' ? readyLines : refusedLines;
  return previewOf(rt, batch, await rt.db.read('lines-to-try', (tx) => lines(tx, id, LINES_MAX)));
}

/** @throws Refused NOT_FOUND, also when it is another platform's */
export async function requireBatch(rt: Pick<Runtime, 'db'>, platformId: Id | undefined, id: Id): Promise<Batch> {
  const batch = await rt.db.read('batch', (tx) => findBatch(tx, id));
  if (batch === undefined || (platformId !== undefined && batch.platformId !== platformId))
    throw new Refused(refuse('NOT_FOUND'));
  return batch;
}
