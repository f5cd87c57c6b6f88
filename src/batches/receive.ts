import { appendEvents } from '../instructions/index.js';
import { canonicalJson, type Id, invariant, Refused, refuse, toWire } from '../kernel/index.js';
import { loadBooks } from '../ledger/index.js';
import { isDuplicateKey, mapInBreaths, type Runtime, type Tx } from '../runtime/index.js';
import { type BatchFile, readFile } from './file.js';
import { inspected, lineReader } from './rules.js';
import { type Batch, findBatchByNo, insertBatch, type StoredLine } from './store.js';

const HASHED = 'batch-file';

/**
 * Takes a file, legal or not: its number means it for ever, and its lines wait for their start. The platform is told by an event whether it
 * is legal. The same file again is the same batch.
 * @throws Refused BODY_MALFORMED, SHAPE_INVALID (its header cannot be read), BATCH_FILE_TOO_LARGE; BATCH_NO_REUSED
 */
export async function receiveFile(
  rt: Runtime,
  from: { readonly platformId: Id; readonly actor: string },
  body: { readonly text: string; readonly mediaType: string },
): Promise<{ batch: Batch; replay: boolean }> {
  const file = readFile(body.text, body.mediaType);
  const contentHash = hashOf(rt, file);
  const before = await sameBefore(rt, from.platformId, file, contentHash);
  if (before !== undefined) return { batch: before, replay: true };
  const { lines, total, faults } = inspected(file.header, await mapInBreaths(file.lines, lineReader()));
  const { newId, clock, db, vault } = rt;
  const of = { ...from, id: newId(), batchNo: file.header.batchNo, mode: file.header.mode, contentHash };
  const kept = faults.length > 0 ? [] : lines;
  const sealed = await mapInBreaths(kept, ({ line, kind, body }) => ({ line, kind, body: vault.seal(body) }));
  const batch: Omit<Batch, 'shardId'> = {
    ...of,
    state: faults.length > 0 ? 'rejected' : 'accepted',
    lineCount: file.lines.length,
    total,
    faults,
    attempt: 0,
    receivedMs: clock.now(),
    startedMs: null,
    endedMs: null,
  };
  try {
    return {
      batch: await db.withTx(
        'receive-batch',
        (tx) => write(tx, rt, batch, sealed),
        () => sameBefore(rt, from.platformId, file, contentHash),
      ),
      replay: false,
    };
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    const other = await sameBefore(rt, from.platformId, file, contentHash);
    invariant(other, `batch ${file.header.batchNo} is there, since its number is`);
    return { batch: other, replay: true };
  }
}

function hashOf({ vault }: Runtime, { header, lines }: BatchFile): Buffer {
  const total = header.total === undefined ? undefined : String(header.total);
  return vault.index(HASHED, canonicalJson({ ...header, total, lines: lines.map(({ value }) => value ?? null) }));
}

async function sameBefore(rt: Runtime, platformId: Id, { header }: BatchFile, contentHash: Buffer): Promise<Batch | undefined> {
  const before = await rt.db.read('batch-by-number', (tx) => findBatchByNo(tx, platformId, header.batchNo));
  if (before !== undefined && !before.contentHash.equals(contentHash))
    throw new Refused(refuse('BATCH_NO_REUSED', undefined, { batch: toWire('batch', before.id) }));
  return before;
}

async function write(tx: Tx, rt: Runtime, of: Omit<Batch, 'shardId'>, lines: readonly StoredLine[]): Promise<Batch> {
  const book = (await loadBooks(tx, [of.platformId])).get(of.platformId);
  if (book === undefined) throw new Refused(refuse('NOT_FOUND', 'The platform has no book.'));
  const batch = { ...of, shardId: book.shardId };
  await insertBatch(tx, batch, lines);
  const topic = batch.state === 'rejected' ? 'batch.rejected' : 'batch.accepted';
  await appendEvents(tx, rt, book.shardId, [{ topic, platformId: batch.platformId, ref: batch.id }]);
  return batch;
}
