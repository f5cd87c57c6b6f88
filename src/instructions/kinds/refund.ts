import { z } from 'zod';
import { electronicRecords } from '../../accounts/index.js';
import { type Minor, mulDivHalfUp, type Refusal, refuse, toWire, toWireAmount, workingDayAfter } from '../../kernel/index.js';
import type { Posting } from '../../ledger/index.js';
import {
  backgroundRecords,
  itemLeft,
  type Order,
  type OrderBackground,
  orderKey,
  orderLeft,
  orderRecords,
  subsidyLeft,
} from '../../orders/index.js';
import { advanceRecords, orderSharesRecords, queueRecords, shortageRecords } from '../../refunds/index.js';
import { moneySchema, orderNo, textSchema } from '../../runtime/index.js';
import { orderedPayout, settlementAccountRecords } from '../effects/payouts.js';
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
import { type ItemsWanted, itemsAfterRefund, itemsRefunded, refundedOf, wantedOfItems } from '../orders/items.js';
import { type Recalled, recallNeeds, recallOf, recallPostings, recallRecords, waitingOf } from '../orders/recall.js';
import { boundBackground, givenBackByRule, isSeen, overCap, sharingNeeds } from '../orders/sharing.js';
import { waits, waitsNoMore } from '../orders/shortages.js';
import { lines, repeatedReceiver } from '../wire.js';

const items = z
  .array(z.strictObject({ item: z.string().max(32), amount: moneySchema.optional() }))
  .min(1)
  .max(100)
  .refine((of) => new Set(of.map(({ item }) => item)).size === of.length, { error: 'each item is named once' });

const plainSchema = z.strictObject({
  orderNo,
  amount: moneySchema.meta({ description: 'What the buyer gets: never more than he paid' }),
  reason: textSchema(128).optional(),
  subsidy: z
    .union([z.enum(['pro-rata', 'keep']), moneySchema])
    .optional()
    .meta({
      description:
        'What of the platform’s subsidy goes back to its marketing account: in proportion to what the buyer gets of what he paid (also where nothing is said), nothing, or this much',
    }),
  items: items.optional().meta({
    description: 'Which items are refunded, of an order with agreements: with the subsidy that goes back they make up the refund',
  }),
  recall: z
    .union([z.literal('pro-rata'), lines])
    .optional()
    .meta({
      description:
        'After a split: what the order lacks is taken back from its receivers, of all in proportion to what they have still got, or as these lines say. What a receiver has not got comes from his margin, then from the platform’s advance; what nobody has is waited for.',
    }),
});
const schema = plainSchema.refine(({ items: named, recall }) => named === undefined || !Array.isArray(recall), {
  error: 'items and lines of a recall do not go together',
});
type Refund = z.output<typeof schema>;

/**
 * Money of an order goes back to whoever paid it: to the account outside by a payout, to an electronic account of this book at once.
 * Without `recall` only what is still on the order; with it what was split is taken back in the same instruction, and until all of it
 * is there nothing moves: the refund waits in the shortage queue. What the platform added to the order of its own goes back to it, in
 * proportion or as it says, and never to the payer.
 */
export const refund: Kind<Refund> = {
  name: 'refund',
  en: 'Refund to the payer',
  zh: '退款',
  origins: ['P', 'S', 'O'],
  proof: 'order',
  schema,
  example: { orderNo: 'SO-1001', amount: { amount: 500, currency: 'CNY' }, reason: '商品缺货' },
  needs: (data, at) => ({
    accounts: [
      at.book.accounts['in-transit'],
      at.book.accounts.marketing,
      ...(data.recall === undefined ? [] : [at.book.accounts['own-funds']]),
    ],
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
    const goods = sharingNeeds(order, facts, at);
    return {
      accounts: goods.accounts ?? [],
      records: [
        ...boundCardOfPayer(order),
        [queueRecords, order.accountId],
        ...(goods.records ?? []),
        ...(recalled.records ?? []),
      ],
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
    const toPlatform = amount > most ? 0n : subsidyBack(order, data);
    if (typeof toPlatform !== 'bigint') return refused(toPlatform);
    const total = amount + toPlatform;
    if (amount > most || (data.recall === undefined && total > left))
      return refused(refuse('REFUND_EXCEEDS_ORDER', undefined, { left: String(left < most ? left : most) }));
    const goods = goodsOf(data, order, { total, left }, facts);
    if ('code' in goods) return refused(goods);
    const of = { data, facts, at, toPlatform, goods };
    if (data.recall === undefined) return payBack(order, { fromOrder: total, lines: [] }, of);
    const repeated = data.recall === 'pro-rata' ? undefined : repeatedReceiver(data.recall);
    if (repeated !== undefined) return refused(refuse('RECEIVER_REPEATED', undefined, { account: toWire('account', repeated) }));
    const recalled = recallOf({ order, amount: total, recall: data.recall, left, wanted: goods.named?.wanted }, facts, at);
    if (recalled === 'unseen') return { waits: 'next-batch' };
    if ('code' in recalled) return refused(recalled);
    const state = facts.account(order.accountId)?.state;
    // Also where nothing of it comes from the order's own account.
    if (state === 'frozen') return refused(refuse('ACCOUNT_FROZEN', undefined, { account: toWire('account', order.accountId) }));
    const decision = payBack(order, recalled, of);
    if (recalled.missing === 0n) return decision;
    if ('refused' in decision) return decision;
    return { waits: 'funds', records: waits(recalled, { order, amount }, facts, at) };
  },
  whenRefused: ({ recall }, facts, at) => (recall === undefined ? [] : waitsNoMore('refused', facts, at)),
};

/** What goes back to the platform of what it added. */
function subsidyBack(order: Order, { subsidy = 'pro-rata', amount: { amount }, orderNo: no }: Refund): Minor | Refusal {
  const left = subsidyLeft(order);
  if (subsidy === 'keep' || (subsidy === 'pro-rata' && left === 0n)) return 0n;
  if (subsidy === 'pro-rata') return mulDivHalfUp(left, amount, order.paid - order.refunded);
  if (subsidy.amount <= left) return subsidy.amount;
  return refuse('SUBSIDY_EXCEEDED', undefined, { orderNo: no, left: String(left) });
}

/** The goods that agreements are behind, and what of them is named. */
interface Goods {
  readonly background?: OrderBackground | undefined;
  readonly named?: ({ readonly amounts: ReadonlyMap<string, Minor> } & ItemsWanted) | undefined;
}

function goodsOf(
  { orderNo: no, items: asked, recall }: Refund,
  order: Order,
  { total, left }: { readonly total: Minor; readonly left: Minor },
  facts: Facts,
): Goods | Refusal {
  const background = boundBackground(order, facts);
  if (background === undefined) return asked === undefined ? {} : refuse('BACKGROUND_MISSING', undefined, { orderNo: no });
  if (Array.isArray(recall) && !givenBackByRule(background, facts)) return refuse('RECALL_OFF_RULE', undefined, { orderNo: no });
  if (asked === undefined) return { background };
  const amounts = refundedOf(background, asked, total);
  if ('code' in amounts) return amounts;
  if (recall === undefined) {
    // Without a recall an item gives what of it was never split, and nothing of what is another's.
    const split = background.items.find((item) => (amounts.get(item.no) ?? 0n) > itemLeft(item));
    if (split !== undefined) return refuse('ITEM_REFUND', undefined, { item: split.no, left: String(itemLeft(split)) });
    return { background, named: { amounts, byItem: new Map(), wanted: [] } };
  }
  const wanted = wantedOfItems(background, amounts, left);
  return 'code' in wanted ? wanted : { background, named: { amounts, ...wanted } };
}

/** The items as they are after the refund. */
function itemsAfter(before: Order, { background, named }: Goods, { fromOrder, lines }: Paid, { facts, at }: Circumstances) {
  if (background === undefined) return undefined;
  if (named !== undefined) return itemsRefunded(background, named.amounts, named.byItem, at.instruction);
  const shares = facts.record(orderSharesRecords, before.accountId)?.shares ?? [];
  const total = lines.reduce((sum, { amount }) => sum + amount, fromOrder);
  return itemsAfterRefund(before, background, { by: at.instruction, lines, shares }, total);
}

type Paid = Pick<Recalled, 'fromOrder' | 'lines'>;

interface Circumstances {
  readonly data: Refund;
  readonly facts: Facts;
  readonly at: At;
  readonly toPlatform: Minor;
  readonly goods: Goods;
}

/** The payer gets all of it at once, whoever it comes from, and the platform what it had added. */
function payBack(before: Order, recalled: Paid, of: Circumstances): Decision {
  const { data, facts, at, toPlatform, goods } = of;
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
    returned: before.returned + (amount + toPlatform - recalled.fromOrder),
    refunded: before.refunded + amount,
    subsidyReturned: before.subsidyReturned + toPlatform,
    paidOn: isYoung ? arrivalDate(at) : before.paidOn,
  };
  const items = itemsAfter(before, goods, recalled, of);
  const after = goods.background && items ? { ...goods.background, items } : undefined;
  if (after !== undefined && !isSeen(after, facts)) return { waits: 'next-batch' };
  // What goes back in proportion rounds each item by a fen; whatever way the money came back to the order, others keep no more of the rest.
  const slack = Array.isArray(data.recall) ? 0n : BigInt(after?.items.length ?? 0);
  const tooMuch = after?.bound ? overCap(order, after, facts, slack) : undefined;
  if (tooMuch !== undefined) return refused(tooMuch);
  const records = [
    change(orderRecords, key, order),
    ...(after === undefined ? [] : [change(backgroundRecords, before.accountId, after)]),
    ...recallRecords(recalled, before, facts, at),
    ...(data.recall === undefined ? [] : waitsNoMore('covered', facts, at)),
  ];
  const result = {
    ...(data.recall === undefined ? {} : { recalled: recalled.lines.map(showGiven) }),
    ...(toPlatform === 0n ? {} : { subsidyReturned: toWireAmount(toPlatform) }),
  };
  const platform =
    toPlatform === 0n ? [] : [{ account: at.book.accounts.marketing, amount: toPlatform, clears: clearsOn(order, at) }];
  const within = refundWithin(order, amount, facts, at);
  if (within !== undefined) return { postings: [...debits, within, ...platform], records, result };
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
    postings: [...debits, { account: at.book.accounts['in-transit'], amount }, ...platform],
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
  return { account, amount, clears: clearsOn(order, at), flow: 'exempt' };
}

function clearsOn({ paidOn }: Order, { book, calendar }: At) {
  return workingDayAfter(calendar, paidOn > book.businessDate ? paidOn : book.businessDate);
}
