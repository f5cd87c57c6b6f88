import type { ChannelAnswer, ChannelCode, PaymentOrder } from '../../channels/index.js';
import { type BusinessDate, type Id, type Instant, invariant } from '../../kernel/index.js';
import { type Book, loadBooks, lockShard } from '../../ledger/index.js';
import { leavingOf, movePayouts, openPayee, type Payout, payoutsInScope } from '../../payouts/index.js';
import type { Tx } from '../../runtime/index.js';
import { type Answered, isUsable, putOff, takeAnswers } from '../answers/answers.js';
import { type Desk, type Directive, decideNow, lapsedDirective } from '../desk.js';
import { callChannel } from '../health/health.js';
import { planDue, type SendScope, takeBackUnsent } from '../plan/plan.js';
import { countSendings } from '../plan/store.js';
import { channelOf, groupBy, queryDelayMs } from '../rules.js';
import { type Signed, signCollections } from '../signing/signing.js';
import { hasDispatchBatch, insertDispatches, renewDispatches } from '../store.js';
import { textsOf } from '../texts/store.js';
import { hoursToCollect, overdueOf } from './lapse.js';
import { collectedSince } from './rules.js';

/** A payout as it is handed to its channel. */
export interface Sending {
  /** The commit that says that it is being sent. */
  readonly batchId: Id;
  readonly payout: Payout;
  /** Who is paid, opened. */
  readonly payee: Payout['payee'];
  readonly channel: ChannelCode;
  readonly custodyNo: string;
  readonly businessDate: BusinessDate;
  /** What the payee is shown. */
  readonly remark: string;
}

const CLAIM_MAX = 500;
const TRIES_MAX = 10;
const COLLECT_MAX = 2_000;

/** Somebody else took some of the payouts between our look and our write. */
class Contended extends Error {}

export interface SendOptions {
  /** Takes what final answers make, for a caller who has it decided with more; else it is decided here. */
  readonly collect?: Directive[] | undefined;
  /** Is told after each batch how many were sent. */
  readonly each?: ((sent: number) => Promise<void>) | undefined;
}

/**
 * Sends what is to be sent: the state `sent` is committed before the network is touched, so that a crash in between leaves a
 * payout that is asked after by its number, and never one that is sent under another. What is due is given its channels all together, and
 * again when that is sent, for what a channel turned away meanwhile. Answers how many were sent.
 */
export async function sendDue(desk: Desk, scope: SendScope, { collect, each }: SendOptions = {}): Promise<number> {
  const { rt } = desk;
  const hours = await rt.db.read('hours-to-collect', (tx) => hoursToCollect(tx, rt.clock.now()));
  const since = collectedSince(rt.clock.now(), hours);
  for (let sent = 0; ; ) {
    await planDue(desk, scope, since);
    let found = false;
    const answered: Directive[] = [];
    for (;;) {
      const batch = await claim(desk, scope, since);
      if (batch === undefined) break;
      found = true;
      if (batch.length === 0) continue;
      const directives = await submit(desk, batch);
      if (collect !== undefined && collect.length < COLLECT_MAX) collect.push(...directives);
      else answered.push(...directives);
      if (answered.length >= COLLECT_MAX) await decideNow(desk, answered.splice(0));
      sent += batch.length;
      await each?.(batch.length);
    }
    await decideNow(desk, answered);
    if (!found) return sent;
  }
}

/** Commits that some payouts are being sent; undefined when there is nothing left to send, and none when it is to be looked at again. */
async function claim(desk: Desk, scope: SendScope, since: Instant): Promise<Sending[] | undefined> {
  const { db } = desk.rt;
  for (let tries = 1; ; tries += 1) {
    const wanted = { ...scope, states: ['created'], routed: true, mayLeave: true, collectedSince: since } as const;
    const candidates = await db.read('payouts-to-send', (tx) => payoutsInScope(tx, wanted, CLAIM_MAX));
    if (candidates.length === 0) return undefined;
    if (await takeBackUnsent(desk, candidates)) return [];
    try {
      return await markSent(desk, candidates, insertDispatches);
    } catch (error) {
      if (!(error instanceof Contended) || tries >= TRIES_MAX) throw error;
    }
  }
}

/**
 * Commits that these payouts of one shard are being sent, under the date that is open now. Whether they may go is looked at again
 * under the shard's lock, so that no cut-off and no stop comes between the looking and the commit; what may not go stays.
 */
async function markSent({ rt }: Desk, payouts: readonly Payout[], write: typeof insertDispatches): Promise<Sending[]> {
  const batchId = rt.newId();
  let sendings: Sending[] = [];
  // Opened before anything is marked, and outside the shard's lock: what cannot be opened is not taken for sent.
  const payees = new Map(payouts.map((payout) => [payout.id, openPayee(payout, rt.vault)]));
  return rt.db.withTx(
    'mark-sent',
    async (tx) => {
      await lockShard(tx, (payouts[0] as Payout).shardId, rt.clock.now());
      const books = await loadBooks(tx, [...new Set(payouts.map((payout) => payout.platformId))]);
      const leaving = await leavingOf(
        tx,
        payouts.map(({ id }) => id),
      );
      const texts = await textsOf(tx, payouts);
      sendings = payouts
        .filter(({ id }) => leaving.has(id))
        .map((payout) => ({ payout, book: bookOf(payout, books) }))
        .map(({ payout, book }) => ({
          ...{ batchId, payout, payee: payees.get(payout.id) as Payout['payee'], channel: channelOf(payout) },
          ...{ custodyNo: book.custodyNo, businessDate: book.businessDate, remark: texts.get(payout.id) as string },
        }));
      if (sendings.length === 0) return sendings;
      await moveToSent(tx, sendings, rt.clock.now());
      await countSendings(
        tx,
        sendings.map(({ payout }) => payout.id),
        1,
      );
      const sentWallMs = rt.clock.wall();
      await write(
        tx,
        sendings.map(({ payout, businessDate, remark }) => ({ payoutId: payout.id, batchId, businessDate, sentWallMs, remark })),
      );
      return sendings;
    },
    async () => {
      const first = sendings[0];
      if (first === undefined) return sendings;
      return (await rt.db.read('dispatched', (tx) => hasDispatchBatch(tx, first.payout.id, batchId))) ? sendings : undefined;
    },
  );
}

function bookOf(payout: Payout, books: ReadonlyMap<Id, Book>): Book {
  const book = books.get(payout.platformId);
  invariant(book, `platform ${payout.platformId} has a book`);
  return book;
}

async function moveToSent(tx: Tx, sendings: readonly Sending[], nowMs: Instant): Promise<void> {
  const byMove = groupBy(sendings, ({ payout, channel }) => `${payout.state}/${channel}`);
  for (const group of byMove.values()) {
    const { payout, channel } = group[0] as Sending;
    const nextMs = (nowMs + queryDelayMs(0)) as Instant;
    const moved = await movePayouts(
      tx,
      group.map((each) => each.payout.id),
      payout.state,
      'sent',
      { nowMs, nextMs, with: channel },
    );
    if (moved !== group.length) throw new Contended('payouts were taken by somebody else');
  }
}

/** Hands the payouts to their channels, each platform's in calls of its own. Answers what final answers make. */
async function submit(desk: Desk, sendings: readonly Sending[]): Promise<Directive[]> {
  const signed = await signCollections(desk, sendings);
  const ready = sendings.filter(({ payout }) => !answeredAlready(signed.get(payout.id)));
  const groups = [...groupBy(ready, ({ channel, custodyNo }) => `${channel}/${custodyNo}`).values()];
  for (const { channel } of sendings) desk.rt.metrics.payouts.inc({ channel, state: 'sent' });
  const answered = await Promise.all(
    groups.map(async (group) => {
      const { channel } = group[0] as Sending;
      const orders = group.map((sending) => toOrder(sending, signed.get(sending.payout.id)));
      const answers = await callChannel(desk, channel, () => desk.channels.channels[channel].submit(orders), isUsable);
      return group.map((sending, place) => answeredBy(sending, answers[place] as ChannelAnswer));
    }),
  );
  // When it is asked after next was said with the sending: an order that was merely accepted needs no writing.
  const unsigned = sendings.flatMap((sending) => {
    const found = signed.get(sending.payout.id);
    return answeredAlready(found) ? [answeredBy(sending, found.answer)] : [];
  });
  const told = [...answered.flat(), ...unsigned].filter(({ answer }) => answer.status !== 'accepted');
  return (await takeAnswers(desk, told)).directives;
}

function answeredBy({ payout, channel, batchId }: Sending, answer: ChannelAnswer): Answered {
  return { payout: { ...payout, state: 'sent', channel }, answer, batchId };
}

function answeredAlready(signed: Signed | undefined): signed is { readonly answer: ChannelAnswer } {
  return signed !== undefined && 'answer' in signed;
}

function toOrder({ payout, payee, custodyNo, businessDate, remark }: Sending, signed: Signed | undefined): PaymentOrder {
  return {
    ...(signed !== undefined && 'contractNo' in signed ? { contractNo: signed.contractNo } : {}),
    messageNo: payout.id,
    custodyNo,
    amount: payout.amount,
    payeeName: payee.name,
    payeeAccount: payee.account,
    payeeBank: payee.bankCode,
    businessDate,
    remark,
  };
}

/**
 * Sends again, under the same number, what a channel says it never received. The date is the one open now: that of a closed day
 * would change a statement that was read already. A payout that moved meanwhile, or that a proof or a freeze holds
 * back, stays as it is. A collection whose time is over is not sent again: it has failed.
 */
export async function sendAgain(desk: Desk, payouts: readonly Payout[]): Promise<void> {
  if (payouts.length === 0) return;
  const ids = payouts.map(({ id }) => id);
  const leaving = await desk.rt.db.read('leaving', (tx) => leavingOf(tx, ids));
  const overdue = await overdueOf(desk, payouts);
  const fateOf = (payout: Payout) => overdue(payout) ?? (leaving.has(payout.id) ? 'go' : 'stay');
  const { stay = [], go = [], end = [] } = Object.fromEntries(groupBy(payouts, fateOf));
  await decideNow(desk, end.map(lapsedDirective));
  await putOff(
    desk,
    stay.map((payout) => ({ payout, to: payout.state, reason: 'its platform is stopped, its account frozen, or its time over' })),
  );
  if (go.length === 0) return;
  try {
    await decideNow(desk, await submit(desk, await markSent(desk, go, renewDispatches)));
  } catch (error) {
    if (!(error instanceof Contended)) throw error;
  }
}
