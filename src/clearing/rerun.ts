import { type Desk, sendDue, takeNews } from '../dispatch/index.js';
import { type BusinessDate, type Id, Refused, refuse } from '../kernel/index.js';
import { loadBook, lockShard } from '../ledger/index.js';
import { isDuplicateKey, type Runtime, type Tx } from '../runtime/index.js';
import { PAGE } from './lines.js';
import { type Clearing, clearingsToRerun, findClearing, putBack, reopenClearing } from './lines-store.js';
import { decideLines } from './paying.js';
import { TakenOver } from './progress.js';

/**
 * Puts back the lines of a clearing that were refused, or whose payouts failed or came back: they are decided again under new numbers by
 * whoever rings next. Only until the next day is cut off: from then on what they left is in the next clearing. Answers how many there are.
 * @throws Refused CLEARING_NOT_FOUND, CLEARING_UNDER_WAY, CLEARING_OVERTAKEN
 */
export async function askRerun(tx: Tx, rt: Pick<Runtime, 'clock'>, platformId: Id, date: BusinessDate): Promise<number> {
  const { shardId } = await loadBook(tx, platformId);
  await lockShard(tx, shardId, rt.clock.now()); // no result of a payout comes between the looking and the putting back
  const clearing = await findClearing(tx, platformId, date);
  if (clearing === undefined) throw new Refused(refuse('CLEARING_NOT_FOUND'));
  if (clearing.state !== 'paid') throw new Refused(refuse('CLEARING_UNDER_WAY', undefined, { state: clearing.state }));
  const { businessDate } = await loadBook(tx, platformId);
  if (businessDate !== date) throw new Refused(refuse('CLEARING_OVERTAKEN', undefined, { businessDate }));
  const lines = await putBack(tx, platformId, date);
  if (lines > 0) await reopenClearing(tx, platformId, date, rt.clock.wall());
  return lines;
}

/** Decides and sends what people want tried again. Answers how many lines were decided. */
export async function rerunLines(desk: Desk, platformId: Id): Promise<number> {
  const { rt } = desk;
  const dates = await rt.db.read('clearings-to-rerun', (tx) => clearingsToRerun(tx, platformId));
  let decided = 0;
  for (const date of dates) {
    const clearing = await rt.db.read('clearing', (tx) => findClearing(tx, platformId, date));
    if (clearing?.state !== 'rerun') continue;
    const ended = await decideAgain(rt, platformId, date, clearing);
    if (ended === undefined) continue;
    decided += ended.decided - clearing.decided;
    const { shardId } = await rt.db.read('book', (tx) => loadBook(tx, platformId));
    if ((await sendDue(desk, { shardId, platformId })) > 0) await takeNews(desk);
  }
  return decided;
}

async function decideAgain(rt: Runtime, platformId: Id, date: BusinessDate, clearing: Clearing): Promise<Clearing | undefined> {
  try {
    return await decideLines(
      { rt, platformId, date, page: PAGE, alongside: async () => undefined, after: () => undefined },
      clearing,
    );
  } catch (error) {
    if (!(error instanceof TakenOver || isDuplicateKey(error))) throw error;
    return undefined; // another run is at it
  }
}
