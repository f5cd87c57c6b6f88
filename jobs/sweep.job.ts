import { platformsWithInterestToOrder, shardsToVerify } from '../src/accounts/index.js';
import { closesDue } from '../src/clearing/index.js';
import { expireConsents, isSmsDue, noticeMandates, SMS_KEY } from '../src/consents/index.js';
import { countUnanswered, type Desk, decideNow, lapseCollections, shardsWithPayouts } from '../src/dispatch/index.js';
import { answerHandlers, inboxDepths, shardsBehind, systemInstruction } from '../src/instructions/index.js';
import { invariant, naturalDate, toWire } from '../src/kernel/index.js';
import { loadBooks } from '../src/ledger/index.js';
import { expiredHolds, type Hold } from '../src/orders/index.js';
import { partiesWork } from '../src/parties/index.js';
import { countOpenBreaks } from '../src/reconciliation/index.js';
import { type BellName, ONE_PLACE, type Tx } from '../src/runtime/index.js';
import type { JobDefinition } from './job.js';
import { RELAY } from './relay-outbox.job.js';

const HOLDS_MAX = 1_000;

/**
 * Looks through the tables for work that no bell has told of, and rings for it; frees holds, and ends questions to customers and
 * collections, that have expired; tells customers of mandates that will end soon.
 */
export async function sweep(desk: Desk): Promise<void> {
  const { rt } = desk;
  const nowMs = rt.clock.now();
  const found = await rt.db.read('sweep', async (tx: Tx) => ({
    depths: await inboxDepths(tx),
    behind: await shardsBehind(tx, RELAY),
    verify: await shardsToVerify(tx, nowMs),
    payouts: await shardsWithPayouts(tx, nowMs),
    closes: await closesDue(tx, naturalDate(nowMs), rt.clock.wall()),
    interest: await platformsWithInterestToOrder(tx),
    incoming: await countUnanswered(tx, { dueWallMs: rt.clock.wall() }),
    holds: await expiredHolds(tx, nowMs, HOLDS_MAX),
    sms: await isSmsDue(tx, nowMs),
    parties: await partiesWork(tx, rt),
    breaks: await countOpenBreaks(tx),
  }));
  const rings: [BellName, readonly (number | string)[]][] = [
    ['execute-shard', [...found.depths.keys()]],
    ['relay-outbox', found.behind],
    ['verify-openings', found.verify],
    ['send-payouts', found.payouts.toSend],
    ['poll-payouts', found.payouts.toAsk],
    ['order-interest', found.interest],
    ['take-incoming', found.incoming > 0 ? [ONE_PLACE] : []],
    ['close-day', found.closes],
    ['send-sms', found.sms ? [SMS_KEY] : []],
    ['verify-users', found.parties.ask ? [ONE_PLACE] : []],
    ['screen-customers', found.parties.look ? [ONE_PLACE] : []],
  ];
  for (const [bell, keys] of rings) for (const key of keys) await rt.bells.ring(bell, String(key));
  for (let shard = 0; shard < rt.config.SHARDS; shard += 1)
    rt.metrics.inboxDepth.set({ shard: String(shard) }, found.depths.get(shard) ?? 0);
  rt.metrics.breaksOpen.set(found.breaks);
  await expireConsents(rt, answerHandlers(rt));
  await noticeMandates(rt);
  await freeHolds(desk, found.holds);
  await lapseCollections(desk);
}

/** What was held past its time goes back to being available. */
async function freeHolds(desk: Desk, holds: readonly Hold[]): Promise<void> {
  if (holds.length === 0) return;
  const books = await desk.rt.db.read('books-of-holds', (tx) =>
    loadBooks(tx, [...new Set(holds.map((hold) => hold.platformId))]),
  );
  const directives = holds.map(({ id, platformId }) => {
    const book = books.get(platformId);
    invariant(book, `platform ${platformId} has a book`);
    const data = { hold: toWire('hold', id) };
    return {
      shardId: book.shardId,
      submission: systemInstruction({ platformId, requestNo: `expired:${id}`, kind: 'release', data, actor: 'sweep' }),
    };
  });
  await decideNow(desk, directives);
}

export const sweepJob: JobDefinition = {
  name: 'sweep',
  en: 'rings for all work that Redis forgot; key: all',
  zh: '巡检补漏',
  concurrency: 1,
  async run(desk) {
    await sweep(desk);
    return 'done';
  },
};
