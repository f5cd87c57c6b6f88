import { z } from 'zod';
import { electronicRecords } from '../../accounts/index.js';
import { refuse, toWire, toWireAmount, workingDayAfter } from '../../kernel/index.js';
import type { Posting } from '../../ledger/index.js';
import { type Order, orderKey, orderLeft, orderRecords } from '../../orders/index.js';
import { advanceRecords, queueRecords, shortageRecords } from '../../refunds/index.js';
import { moneySchema, orderNo, textSchema } from '../../runtime/index.js';
import {
  type At,
  arrivalDate,
  change,
  type Decision,
  type Effects,
  type Facts,
  type Kind,
  type Needs,
  refused,
} from '../kind.js';
import { orderedPayout, settlementAccountRecords } from '../payout-effects.js';
import { type Recalled, recallNeeds, recallOf, recallPostings, recallRecords, waitingOf } from '../recall.js';
import { waits, waitsNoMore } from '../waiting.js';
import { lines, repeatedReceiver } from '../wire.js';

const schema = z.strictObject({
  orderNo,
  amount: moneySchema,
  reason: textSchema(128).optional(),
  recall: z
    .union([z.literal('pro-rata'), lines])
    .optional()
    .meta({
      description:
        'After a split: what the order lacks is taken back from its receivers, of all in proportion to what they have still got, or as these lines say. What a receiver has not got comes from his margin, then from the platform’s advance; what nobody has is waited for.',
    }),
});
type Refund = z.output<typeof schema>;

/**
 * Money of an order goes back to whoever paid it: to the account outside by a payout, to an electronic account of this book at once.
 * Without `recall` only what is still on the order; with it what was split is taken back in the same instruction, and until all of it
 * is there nothing moves: the refund waits in the shortage queue.
 */
export const refund: Kind<Refund> = {
  name: 'refund',
  en: 'Refund to the payer',
  zh: '退款',
  origins: ['P', 'O'],
  proof: 'order',
  schema,
  example: { orderNo: 'SO-1001', amount: { amount: 500, currency: 'CNY' }, reason: '商品缺货' },
  needs: (data, at) => ({
    accounts: [at.book.accounts['in-transit'], ...(data.recall === undefined ? [] : [at.book.accounts['own-funds']])],
    records: [
      [orderRecords, orderKey(at.platformId, data.orderNo)],
      ...(data.recall === undefined
        ? []
        : ([
            [shortageRecords, at.instruction],
            [advanceRecords, at.platformId],
          ] as const)),
    ],
  }),
  needsThen(data, facts, at) {
    const order = facts.record(orderRecords, orderKey(at.platformId, data.orderNo));
    if (order === undefined) return {};
    const recalled = data.recall === undefined ? {} : recallNeeds(order, facts);
    return {
      records: [...boundCardOfPayer(order), [queueRecords, order.accountId], ...(recalled.records ?? [])],
    };
  },
  decide(data, facts, at) {
    const amount = data.amount.amount;
    const key = orderKey(at.platformId, data.orderNo);
    const waited = data.recall === undefined ? undefined : facts.record(shortageRecords, at.instruction);
    if (waited?.state === 'cancelled') return refused(refuse('REFUND_CANCELLED'));
    const order = facts.record(orderRecords, key);
    if (order === undefined) return refused(refuse('ORDER_NOT_FOUND', undefined, { orderNo: data.orderNo }));
    const left = orderLeft(order);
    // What older refunds of it wait for is spoken for; without a recall no more can go than is there.
    const most = order.paid - order.refunded - waitingOf(facts, at, order.accountId);
    if (amount > most || (data.recall === undefined && amount > left))
      return refused(refuse('REFUND_EXCEEDS_ORDER', undefined, { left: String(left < most ? left : most) }));
    if (data.recall === undefined) return payBack(order, { fromOrder: amount, lines: [] }, { data, facts, at });
    const repeated = data.recall === 'pro-rata' ? undefined : repeatedReceiver(data.recall);
    if (repeated !== undefined) return refused(refuse('RECEIVER_REPEATED', undefined, { account: toWire('account', repeated) }));
    const recalled = recallOf({ order, amount, recall: data.recall, left }, facts, at);
    if (recalled === 'unseen') return { waits: 'next-batch' };
    if ('code' in recalled) return refused(recalled);
    const state = facts.account(order.accountId)?.state;
    // Also where nothing of it comes from the order's own account.
    if (state === 'frozen') return refused(refuse('ACCOUNT_FROZEN', undefined, { account: toWire('account', order.accountId) }));
    const decision = payBack(order, recalled, { data, facts, at });
    if (recalled.missing === 0n && !recalled.behind) return decision;
    if ('refused' in decision) return decision;
    return { waits: 'funds', records: waits(recalled, { order, amount }, facts, at) };
  },
  whenRefused: ({ recall }, facts, at) => (recall === undefined ? [] : waitsNoMore('refused', facts, at)),
};

interface Circumstances {
  readonly data: Refund;
  readonly facts: Facts;
  readonly at: At;
}

/** The payer gets all of it at once, whoever it comes from. */
function payBack(before: Order, recalled: Pick<Recalled, 'fromOrder' | 'lines'>, { data, facts, at }: Circumstances): Decision {
  const amount = data.amount.amount;
  const key = orderKey(at.platformId, data.orderNo);
  const debits: Posting[] = [
    ...(recalled.fromOrder > 0n ? [{ account: before.accountId, amount: -recalled.fromOrder }] : []),
    ...recallPostings(recalled, facts, at),
  ];
  // What has not cleared where it comes from may have come in as late as now.
  const isYoung = debits.some(
    ({ account }) => account !== before.accountId && (facts.account(account)?.uncleared.length ?? 0) > 0,
  );
  const order = {
    ...before,
    returned: before.returned + (amount - recalled.fromOrder),
    refunded: before.refunded + amount,
    paidOn: isYoung ? arrivalDate(at) : before.paidOn,
  };
  const records = [
    change(orderRecords, key, order),
    ...recallRecords(recalled, before, facts, at),
    ...(data.recall === undefined ? [] : waitsNoMore('covered', facts, at)),
  ];
  const result = data.recall === undefined ? {} : { recalled: recalled.lines.map(showGiven) };
  const within = refundWithin(order, amount, facts, at);
  if (within !== undefined) return { postings: [...debits, within], records, ...(data.recall === undefined ? {} : { result }) };
  const payee = order.payerAccountId === null ? order.payer : facts.record(settlementAccountRecords, order.payerAccountId);
  if (payee === undefined || payee.account === '')
    return refused(refuse('REFUND_ACCOUNT_MISSING', undefined, { orderNo: data.orderNo }));
  const payout = orderedPayout(at, {
    purpose: 'refund',
    source: order.accountId,
    orderNo: data.orderNo,
    amount,
    payee,
    ...(order.paidOn >= at.book.businessDate ? { fundedOn: order.paidOn } : {}),
  });
  return {
    postings: [...debits, { account: at.book.accounts['in-transit'], amount }],
    records: [...records, ...payout.records],
    events: payout.events,
    result: { payout: payout.no, ...result },
  };
}

function showGiven({ account, own, margin, advanced }: Recalled['lines'][number]) {
  return {
    account: toWire('account', account),
    available: toWireAmount(own),
    margin: toWireAmount(margin),
    advanced: toWireAmount(advanced),
  };
}

/** Needed when the electronic account that paid is closed meanwhile: then its card takes the money. */
function boundCardOfPayer({ payerAccountId }: Order): NonNullable<Needs['records']> {
  return payerAccountId === null ? [] : [[settlementAccountRecords, payerAccountId]];
}

/**
 * Back to the electronic account, which is no inflow from others: it takes nothing of a limit and gives nothing back. It clears like
 * what is split from an order.
 */
function refundWithin(order: Order, amount: bigint, facts: Facts, at: At): Effects['postings'][number] | undefined {
  const account = order.payerAccountId;
  if (account === null || facts.record(electronicRecords, account)?.state === 'closed') return undefined;
  const today = at.book.businessDate;
  const clears = workingDayAfter(at.calendar, order.paidOn > today ? order.paidOn : today);
  return { account, amount, clears, flow: 'exempt' };
}
