/**
 * Files of instructions under one number: whether they are legal, what would become of their lines, and what did.
 *
 * Guarantees: a batch number means one file for ever; no line acts twice, in whatever attempt and after whatever crash; of a file that
 * is all or nothing, all lines are in one commit or none is. Deliberately absent: no line is judged here; each is an instruction like any
 * other.
 */
export { receiveFile } from './receive.js';
export { batchRoutes } from './routes.js';
export { runBatch } from './run.js';
export { commitBatch, previewBatch, rerunBatch } from './start.js';
export { BATCH_TRANSITIONS } from './states.js';
export { batchesDue, listLines } from './store.js';
