import { appendEvents, decideTogether, executeShard, type Intake, type Receipt, tryOut } from '../instructions/index.js';
import type { Id, Instant } from '../kernel/index.js';
import { readPlatform } from '../platforms/index.js';
import { isDuplicateKey, type Runtime, type Tx } from '../runtime/index.js';
import { allOrNothing, type Prepared, prepared, withRefused } from './lines.js';
import { ATOMIC_MAX } from './rules.js';
import {
  type Batch,
  countLines,
  findBatch,
  type LineResult,
  moveBatch,
  noteResults,
  readyLines,
  type StoredLine,
} from './store.js';

/** How many lines are given at once; the others of the shard go in between. */
const GIVEN_AT_ONCE = 500;
/** A batch that cannot go on now is looked at again after this. */
const LATER_MS = 5_000;
/** One that waits for others is looked at ever less often, up to this. */
const SELDOM_MS = 300_000;

interface Parts {
  readonly rt: Runtime;
  readonly intake: Intake;
}

/**
 * Goes on with a batch wherever it stands: gives what is ready, and looks what became of it. Run twice, or again after a crash at any place,
 * it gives nothing twice: the numbers of the lines' instructions are made of batch, line and attempt. Answers how many lines it gave.
 */
export async function runBatch(parts: Parts, id: Id): Promise<number> {
  const { rt } = parts;
  const batch = await rt.db.read('batch-to-run', (tx) => findBatch(tx, id));
  if (batch === undefined || (batch.state !== 'running' && batch.state !== 'waiting')) return 0;
  const platform = await rt.db.read('platform-of-batch', (tx) => readPlatform(tx, batch.platformId));
  let given = 0;
  if (batch.state === 'running') {
    // What was received before a platform was suspended is decided; what was not is not received now.
    if (platform?.state === 'suspended') return later(parts, batch);
    if (batch.mode === 'atomic') return runTogether(parts, batch);
    const came = await giveAll(parts, batch);
    if (came === undefined) return later(parts, batch);
    given = came;
  }
  await settle(parts, batch);
  return given;
}

async function later({ rt }: Parts, batch: Batch): Promise<number> {
  const lookMs = (rt.clock.now() + LATER_MS) as Instant;
  await rt.db.withTx(
    'batch-later',
    (tx) => moveBatch(tx, batch, batch.state, { lookMs }),
    async () => true,
  );
  return 0;
}

/** Gives the lines that are ready like any other instructions; undefined where the shard takes no more now. */
async function giveAll({ rt, intake }: Parts, batch: Batch): Promise<number | undefined> {
  for (let given = 0; ; ) {
    const lines = await rt.db.read('ready-lines', (tx) => readyLines(tx, batch.id, GIVEN_AT_ONCE));
    if (lines.length === 0) return given;
    const all = await prepared(rt, batch, batch.attempt, lines);
    const receipts = await intake.receive(all.flatMap((each) => ('submission' in each ? [each.submission] : [])));
    const results = resultsOf(all, receipts);
    await rt.db.withTx(
      'note-given',
      (tx) => noteResults(tx, batch, results),
      async () => undefined, // noted again it changes nothing
    );
    await executeShard(rt, batch.shardId);
    given += results.length;
    if (results.length < lines.length) return undefined;
  }
}

/** What is written of lines that were given. Those that the shard has no room for stay ready. */
function resultsOf(all: readonly Prepared[], receipts: readonly Receipt[]): LineResult[] {
  const next = receipts.values();
  return all.flatMap((each): LineResult[] => {
    const receipt = 'submission' in each ? (next.next().value as Receipt) : { refused: each.refusal };
    const { line } = each.line;
    if ('id' in receipt) return [{ line, state: 'given', instruction: receipt.id, code: null, detail: null }];
    const { code, detail, fields } = receipt.refused;
    if (code === 'OVERLOADED') return [];
    const told = { ...(detail === undefined ? {} : { detail }), ...fields };
    return [{ line, state: 'refused', instruction: null, code, detail: told }];
  });
}

/** Moves a batch on to where its lines are: finished when each has its result, else it waits for those that have none. */
async function settle({ rt }: Parts, batch: Batch): Promise<void> {
  const moved = await rt.db.withTx(
    'settle-batch',
    async (tx) => {
      const counts = (await countLines(tx, [batch.id])).get(batch.id);
      if (counts === undefined || counts.ready > 0) return false;
      const nowMs = rt.clock.now();
      const to = counts.waiting === 0 ? ('finished' as const) : ('waiting' as const);
      const pause = Math.min(SELDOM_MS, Math.max(LATER_MS, (nowMs - (batch.startedMs ?? nowMs)) / 4));
      const change = to === 'finished' ? { endedMs: nowMs, lookMs: null } : { lookMs: (nowMs + Math.round(pause)) as Instant };
      if (!(await moveBatch(tx, batch, to, change)) || to === batch.state) return false;
      const topic = to === 'finished' ? 'batch.finished' : 'batch.waiting';
      await appendEvents(tx, rt, batch.shardId, [{ topic, platformId: batch.platformId, ref: batch.id }]);
      return true;
    },
    async () => undefined,
  );
  if (moved) await rt.bells.ring('relay-outbox', String(batch.shardId));
}

/** All lines in one commit, with the batch that is finished by it; or none, and each line says why. */
async function runTogether({ rt }: Parts, batch: Batch): Promise<number> {
  const lines = await rt.db.read('ready-lines', (tx) => readyLines(tx, batch.id, ATOMIC_MAX));
  if (lines.length === 0) return 0; // another run was faster: it noted what became of them in the commit that finished the batch
  const all = await prepared(rt, batch, batch.attempt, lines);
  const submissions = all.flatMap((each) => ('submission' in each ? [each.submission] : []));
  await executeShard(rt, batch.shardId); // what came before it is decided before it
  const keep = (tx: Tx, ids: readonly Id[]) => finish(tx, rt, batch, given(lines, ids));
  try {
    const { kept, verdicts } =
      submissions.length === lines.length
        ? await decideTogether(rt, submissions, keep, () => isFinished(rt, batch))
        : { kept: false, verdicts: await tryOut(rt, submissions) }; // one can be no instruction any more: nothing is executed
    if (kept) return lines.length;
    const results = allOrNothing(withRefused(all, verdicts)).map(
      ({ line, state, code, detail }): LineResult => ({
        line,
        state: state === 'refused' ? 'refused' : 'not-executed',
        instruction: null,
        code,
        detail,
      }),
    );
    await rt.db.withTx(
      'note-refused',
      (tx) => finish(tx, rt, batch, results),
      async () => undefined, // run again it is superseded
    );
    await rt.bells.ring('relay-outbox', String(batch.shardId));
  } catch (error) {
    // Another run has given these numbers, or is about to; what it left the next look finds.
    if (!(error instanceof Superseded) && !isDuplicateKey(error)) throw error;
  }
  return 0;
}

function given(lines: readonly StoredLine[], instructions: readonly Id[]): LineResult[] {
  return lines.map(({ line }, place) => ({
    line,
    state: 'given',
    instruction: instructions[place] as Id,
    code: null,
    detail: null,
  }));
}

/** @throws Superseded when the batch is not where it was, or a line has a result already */
async function finish(tx: Tx, rt: Runtime, batch: Batch, results: readonly LineResult[]): Promise<void> {
  const moved = await moveBatch(tx, batch, 'finished', { endedMs: rt.clock.now(), lookMs: null });
  if (!moved || (await noteResults(tx, batch, results)) !== results.length) throw new Superseded();
  await appendEvents(tx, rt, batch.shardId, [{ topic: 'batch.finished', platformId: batch.platformId, ref: batch.id }]);
}

async function isFinished({ db }: Runtime, { id, attempt }: Batch): Promise<boolean> {
  const now = await db.read('batch-committed', (tx) => findBatch(tx, id));
  return now?.attempt === attempt && now.state === 'finished';
}

/** Another run of the same batch was faster. */
class Superseded extends Error {}
