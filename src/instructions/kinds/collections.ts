import { z } from 'zod';
import { type BusinessDate, idAfter, invariant, naturalDate, refuse, toWire, workingDayAfter } from '../../kernel/index.js';
import type { Posting } from '../../ledger/index.js';
import { type Collection, channelAccountRecords, collectionRecords, type Payout, payoutRecords } from '../../payouts/index.js';
import { moneySchema, wireId } from '../../runtime/index.js';
import { suspendedPayout } from '../effects/suspense.js';
import { mayCredit } from '../judging/limits.js';
import { type At, arrivalDate, change, type Effects, type Facts, type Kind, type RecordChange, refused } from '../kind.js';

/** The date whose statement is to show what is collected now, as far as nobody has told another: so many working days on. */
function dueDate(at: At): BusinessDate {
  let date = arrivalDate(at);
  for (let days = at.parameters.on(naturalDate(at.nowMs), 'psp-collect.days'); days > 0n; days -= 1n)
    date = workingDayAfter(at.calendar, date);
  return date;
}

interface Credit {
  readonly posting: Posting;
  readonly records: readonly RecordChange[];
}

/**
 * What a channel that pays over later has collected: it owes it from now on. The customer can use it inside the platform at once where the bank's
 * terms say so; else it waits. None of it leaves before the channel has paid it over: the day on which that is overdue does not prove.
 * @param credit credits the account of the payout, or suspense, such that it clears on a date
 */
export function collectedForLater(
  { payout, change: moved }: { payout: Payout; change: RecordChange },
  credit: (clears: BusinessDate) => Credit,
  facts: Facts,
  at: At,
): Omit<Effects, 'events'> {
  const { id, amount, platformId } = payout;
  const known = facts.record(channelAccountRecords, platformId);
  const accounts = known ?? { platformId, dueId: at.instruction, collectedId: idAfter(at.instruction, 1) };
  const opens = [
    { id: accounts.dueId, type: 'channel-due' as const },
    { id: accounts.collectedId, type: 'collected' as const },
  ];
  const dueOn = dueDate(at);
  const clearsOn = workingDayAfter(at.calendar, dueOn);
  const atOnce = at.book.terms.collected === 'at-once';
  const { posting, records } = atOnce
    ? credit(clearsOn)
    : { posting: { account: accounts.collectedId, amount }, records: [moved] };
  invariant(payout.channel, `payout ${id} was collected by a channel`);
  const collection: Collection = {
    ...{ payoutId: id, platformId, channel: payout.channel, amount, atOnce, reference: id, dueOn, clearsOn },
    ...{ settledBy: null, creditedBy: atOnce ? at.instruction : null },
  };
  return {
    ...(known === undefined ? { opens } : {}),
    postings: [{ account: accounts.dueId, amount: -amount }, posting],
    records: [
      ...records,
      change(collectionRecords, id, collection),
      ...(known === undefined ? [change(channelAccountRecords, platformId, accounts)] : []),
    ],
    result: atOnce ? { creditedTo: toWire('account', posting.account) } : { creditedTo: null },
  };
}

const PAYOUTS_MAX = 500;

const settledSchema = z.strictObject({
  channel: z.string().regex(/^[a-z-]{1,12}$/),
  amount: moneySchema,
  reference: z
    .string()
    .regex(/^[A-Za-z0-9_.:-]{1,64}$/, { error: 'must be 1 to 64 of A–Z a–z 0–9 _ . : -' })
    .meta({ description: "The reference on the core bank's statement" }),
  payouts: z
    .array(wireId('payout'))
    .min(1)
    .max(PAYOUTS_MAX)
    .refine((payouts) => new Set(payouts).size === payouts.length, { error: 'each collection is named once' }),
});

/**
 * A channel has paid over what it collected, as the core bank's statement shows: what it owed is on custody now. It lists the collections
 * that the sum is made of. The system gives it where statement and books agree; staff where they do not, with those that really came.
 */
export const channelSettled: Kind<z.output<typeof settledSchema>> = {
  name: 'channel-settled',
  en: 'Collections paid over by their channel',
  zh: '渠道清算到账',
  origins: ['S', 'O'],
  proof: 'channel',
  schema: settledSchema,
  example: {
    channel: 'psp-collect',
    amount: { amount: 3000, currency: 'CNY' },
    reference: 'PS20260302C1',
    payouts: ['pay_2236512894231552022'],
  },
  needs: ({ payouts }, at) => ({
    accounts: [at.book.accounts.custody],
    records: [[channelAccountRecords, at.platformId], ...payouts.map((id) => [collectionRecords, id] as const)],
  }),
  decide({ channel, amount: { amount }, reference, payouts }, facts, at) {
    const records: RecordChange[] = [];
    let sum = 0n;
    for (const id of payouts) {
      const collection = facts.record(collectionRecords, id);
      const payout = toWire('payout', id);
      if (collection?.platformId !== at.platformId || collection.channel !== channel)
        return refused(refuse('COLLECTION_NOT_FOUND', undefined, { payout }));
      if (collection.settledBy !== null) return refused(refuse('COLLECTION_SETTLED', undefined, { payout }));
      sum += collection.amount;
      records.push(change(collectionRecords, id, { ...collection, settledBy: at.instruction }));
    }
    if (sum !== amount) return refused(refuse('COLLECTION_SUM_DIFFERS', undefined, { sum: String(sum) }));
    const accounts = facts.record(channelAccountRecords, at.platformId);
    if (accounts === undefined) return refused(refuse('COLLECTION_NOT_FOUND'));
    return {
      postings: [
        { account: at.book.accounts.custody, amount: -amount },
        { account: accounts.dueId, amount },
      ],
      records,
      boundary: [{ reference, amount }],
    };
  },
};

const creditedSchema = z.strictObject({ payout: wireId('payout') });

/** A collection that its channel has paid over, and that could not be used before, is credited; or it goes to suspense, where the law is in the way. */
export const collectionCredited: Kind<z.output<typeof creditedSchema>> = {
  name: 'collection-credited',
  en: 'Credit of a collection that was paid over',
  zh: '代收清算后入账',
  origins: ['S'],
  proof: 'channel',
  schema: creditedSchema,
  example: { payout: 'pay_2236512894231552023' },
  needs: ({ payout }, at) => ({
    accounts: [at.book.accounts.suspense],
    records: [
      [channelAccountRecords, at.platformId],
      [collectionRecords, payout],
      [payoutRecords, payout],
    ],
  }),
  decide({ payout: id }, facts, at) {
    const collection = facts.record(collectionRecords, id);
    const payout = facts.record(payoutRecords, id);
    const accounts = facts.record(channelAccountRecords, at.platformId);
    if (collection?.platformId !== at.platformId || payout === undefined || accounts === undefined)
      return refused(refuse('COLLECTION_NOT_FOUND', undefined, { payout: toWire('payout', id) }));
    if (collection.settledBy === null || collection.creditedBy !== null)
      return refused(refuse('COLLECTION_STATE_CONFLICT', undefined, { payout: toWire('payout', id) }));
    const { amount } = collection;
    const credited = change(collectionRecords, id, { ...collection, creditedBy: at.instruction });
    const may = mayCredit(facts, at, { account: payout.sourceAccountId, amount, flow: 'bound' }, [credited]);
    const to = may ? payout.sourceAccountId : at.book.accounts.suspense;
    return {
      postings: [
        { account: accounts.collectedId, amount: -amount },
        { account: to, amount, ...(may ? { flow: 'bound' as const } : {}) },
      ],
      records: [credited, ...suspendedPayout(at, to, payout, 'top-up')],
      result: { creditedTo: toWire('account', to) },
    };
  },
};
