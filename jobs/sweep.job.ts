import { platformsWithInterestToOrder, shardsToVerify } from '../src/accounts/index.js';
import { batchesDue } from '../src/batches/index.js';
import { expireFreezes, lapsedDisputes } from '../src/claims/index.js';
import { closesDue } from '../src/clearing/index.js';
import { expireConsents, isSmsDue, noticeMandates, SMS_KEY } from '../src/consents/index.js';
import {
  bookFloats,
  carryTransfers,
  countUnanswered,
  type Desk,
  decideNow,
  endIntercepted,
  lapseCollections,
  watchFloats,
} from '../src/dispatch/index.js';
import { type Deal, type DueAct, dueActs, dueDeals } from '../src/escrow/index.js';
import {
  answerHandlers,
  inboxDepths,
  reviewParts,
  shardsBehind,
  sweepLowBalances,
  systemInstruction,
} from '../src/instructions/index.js';
import { type Id, invariant, naturalDate, toWire } from '../src/kernel/index.js';
import { loadBooks, lockShard } from '../src/ledger/index.js';
import { dueOf, dueProjects } from '../src/lending/index.js';
import { expiredHolds, ordersDue } from '../src/orders/index.js';
import { partiesWork } from '../src/parties/index.js';
import { shardsWithPayouts } from '../src/payouts/index.js';
import { countOpenBreaks } from '../src/reconciliation/index.js';
import { retryShortages, shardsWithShortages } from '../src/refunds/index.js';
import { lapseReviews } from '../src/reviews/index.js';
import { type BellName, ONE_PLACE, type Tx } from '../src/runtime/index.js';
import { dayToWatch, watchDeadlines } from '../src/supervision/index.js';
import { windDownDue } from '../src/winding-up/index.js';
import type { JobDefinition } from './job.js';
import { RELAY } from './relay-outbox.job.js';

const DUE_MAX = 1_000;

/**
 * Looks through the tables for work that no bell has told of, and rings for it; frees holds, completes orders, and ends questions to customers
 * and collections, whose time has come; returns the money of platforms that are wound up; tells customers of mandates that will end soon.
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
    shortages: await shardsWithShortages(tx, nowMs),
    holds: await expiredHolds(tx, nowMs, DUE_MAX),
    disputes: await lapsedDisputes(tx, nowMs, DUE_MAX),
    orders: await ordersDue(tx, nowMs, DUE_MAX),
    deals: await dueDeals(tx, nowMs, DUE_MAX),
    projects: await dueProjects(tx, nowMs, DUE_MAX),
    sms: await isSmsDue(tx, nowMs),
    parties: await partiesWork(tx, rt),
    batches: await batchesDue(tx, nowMs, DUE_MAX),
    breaks: await countOpenBreaks(tx, nowMs),
  }));
  const rings: [BellName, readonly (number | string)[]][] = [
    ['execute-shard', [...found.depths.keys()]],
    ['relay-outbox', found.behind],
    ['run-batches', found.batches],
    ['verify-openings', found.verify],
    ['send-payouts', found.payouts.toSend],
    ['poll-payouts', found.payouts.toAsk],
    ['order-interest', found.interest],
    ['take-incoming', found.incoming > 0 ? [ONE_PLACE] : []],
    ['close-day', found.closes],
    ['send-sms', found.sms ? [SMS_KEY] : []],
    ['verify-users', found.parties.ask ? [ONE_PLACE] : []],
    ['screen-customers', found.parties.look ? [ONE_PLACE] : []],
    ['watch-flows', (await dayToWatch(rt)) === undefined ? [] : [ONE_PLACE]],
  ];
  await retryRefunds(desk, found.shortages);
  for (const [bell, keys] of rings) for (const key of keys) await rt.bells.ring(bell, String(key));
  for (let shard = 0; shard < rt.config.SHARDS; shard += 1)
    rt.metrics.inboxDepth.set({ shard: String(shard) }, found.depths.get(shard) ?? 0);
  rt.metrics.breaksOpen.set(found.breaks.open);
  rt.metrics.breaksOverdue.set(found.breaks.overdue);
  await expireConsents(rt, answerHandlers(rt));
  await noticeMandates(rt);
  await giveDue(desk, [
    ...found.holds.map(({ id, platformId }) => {
      const data = { hold: toWire('hold', id) };
      return { platformId, requestNo: `expired:${id}`, kind: 'release', data };
    }),
    ...found.disputes.map(({ id, platformId }) => {
      const data = { dispute: toWire('dispute', id), result: 'rejected' };
      return { platformId, requestNo: `lapsed:${id}`, kind: 'dispute-end', data };
    }),
    ...found.orders.map(({ orderId, platformId, orderNo, dueMs }) => {
      return { platformId, requestNo: `completed:${orderId}:${dueMs}`, kind: 'order-complete', data: { orderNo } };
    }),
    ...found.deals.flatMap(({ deal, funds }) => dueActs(deal, funds, nowMs).map((act) => dueOfDeal(deal, act))),
    ...found.projects.map(dueOf),
  ]);
  await expireFreezes(rt);
  await sweepLowBalances(rt);
  await lapseReviews(rt, reviewParts(rt).wake);
  await lapseCollections(desk);
  await endIntercepted(desk);
  await bookFloats(desk);
  await carryTransfers(desk);
  await watchFloats(desk);
  await windDownDue(desk);
  await watchDeadlines(rt);
}

interface Due {
  readonly platformId: Id;
  readonly requestNo: string;
  readonly kind: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What a deal has to do. */
function dueOfDeal({ id, platformId }: Deal, { requestNo, kind, stage, orderNo }: DueAct): Due {
  const what = stage === undefined ? { orderNo } : { stage };
  return { platformId, requestNo, kind, data: { escrow: toWire('escrow', id), ...what } };
}

/** What time alone brings: what was held past its end is available again, an order completes by itself. Given twice it happens once. */
async function giveDue(desk: Desk, due: readonly Due[]): Promise<void> {
  if (due.length === 0) return;
  const books = await desk.rt.db.read('books-of-due', (tx) =>
    loadBooks(tx, [...new Set(due.map(({ platformId }) => platformId))]),
  );
  const directives = due.map((of) => {
    const book = books.get(of.platformId);
    invariant(book, `platform ${of.platformId} has a book`);
    return { shardId: book.shardId, submission: systemInstruction({ ...of, actor: 'sweep' }) };
  });
  await decideNow(desk, directives);
}

/** Refunds that wait are tried again though no credit called them: a freeze may have ended, or a bell was lost. */
async function retryRefunds({ rt }: Desk, shards: readonly number[]): Promise<void> {
  for (const shard of shards) {
    const tried = await rt.db.withTx(
      'retry-shortages',
      async (tx) => {
        const { nowMs } = await lockShard(tx, shard, rt.clock.now());
        return retryShortages(tx, shard, { nowMs });
      },
      async () => undefined, // what is in the inbox already is not put there again
    );
    if (tried > 0) await rt.bells.ring('execute-shard', String(shard));
  }
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
