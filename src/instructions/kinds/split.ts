import { z } from 'zod';
import {
  BALANCE_MAX,
  type Id,
  type Instant,
  instantOf,
  type Minor,
  type Refusal,
  refuse,
  toWire,
  workingDayAfter,
} from '../../kernel/index.js';
import { drawnUntil, type LedgerAccount } from '../../ledger/index.js';
import {
  backgroundRecords,
  type ItemPart,
  itemGot,
  itemWhole,
  type Order,
  type OrderBackground,
  type OrderShare,
  orderKey,
  orderLeft,
  orderRecords,
  shareKey,
  shareRecords,
} from '../../orders/index.js';
import { moneySchema, orderNo } from '../../runtime/index.js';
import {
  type At,
  arrivalDate,
  change,
  type Effects,
  type Facts,
  type Kind,
  type Needs,
  type RecordChange,
  refused,
} from '../kind.js';
import { evidenceSchema } from '../orders/background.js';
import { deviatingShare } from '../orders/deviation.js';
import { itemsGivenBack, overtaken } from '../orders/items.js';
import { boundBackground, fittingItems, isSeen, orderMaxOf, sharedByAgreement, sharingNeeds } from '../orders/sharing.js';
import { lines, repeatedReceiver, totalOf } from '../wire.js';

const returnSchema = z.strictObject({ orderNo, lines });
type Return = z.output<typeof returnSchema>;

const items = z
  .array(z.strictObject({ item: z.string().max(32), amount: moneySchema.optional(), evidence: evidenceSchema.optional() }))
  .min(1)
  .max(100)
  .refine((of) => new Set(of.map(({ item }) => item)).size === of.length, { error: 'each item is named once' });

const schema = z.strictObject({
  orderNo,
  lines: lines
    .optional()
    .meta({ description: 'Who gets what; where an agreement is behind the order, its rule has to make the same' }),
  items: items.optional().meta({ description: 'Which items, of an order with agreements; absent: all that is left' }),
});
type Split = z.output<typeof schema>;

function orderNeeds(data: { orderNo: string; lines?: Return['lines'] | undefined }, at: At): Needs {
  const accounts = data.lines?.map((line) => line.account) ?? [];
  return { accounts, records: [[orderRecords, orderKey(at.platformId, data.orderNo)]] };
}

/** The shares of all that may get something, which only the order's agreements name. */
function shareNeeds(data: { orderNo: string; lines?: Return['lines'] | undefined }, facts: Facts, at: At): Needs {
  const order = facts.record(orderRecords, orderKey(at.platformId, data.orderNo));
  if (order === undefined) return {};
  const sharing = sharingNeeds(order, facts, at);
  const receivers = new Set([...(data.lines?.map((line) => line.account) ?? []), ...(sharing.accounts ?? [])]);
  return {
    accounts: [...receivers],
    records: [...(sharing.records ?? []), ...[...receivers].map((id) => [shareRecords, shareKey(order.accountId, id)] as const)],
  };
}

function shareOf(facts: Facts, order: Order, receiverId: OrderShare['receiverId']): OrderShare {
  return (
    facts.record(shareRecords, shareKey(order.accountId, receiverId)) ?? {
      orderId: order.accountId,
      receiverId,
      split: 0n,
      returned: 0n,
    }
  );
}

/**
 * Order money goes to the sub-merchants who earned it and to the platform's commission account. None of it is withdrawable
 * before T+1, counted from the day on which the last of it came in where that is later than the business date: until the bank's
 * statement of that day was seen, that the money came in is the platform's word alone.
 */
export const split: Kind<Split> = {
  name: 'split',
  en: 'Split of an order',
  zh: '分账',
  origins: ['P', 'O'],
  proof: 'order',
  income: true,
  schema,
  example: {
    orderNo: 'SO-1001',
    lines: [
      { account: 'acc_2236512894231552003', amount: { amount: 9000, currency: 'CNY' } },
      { account: 'acc_2236512894231552004', amount: { amount: 1000, currency: 'CNY' } },
    ],
  },
  needs: orderNeeds,
  needsThen: shareNeeds,
  decide(data, facts, at) {
    const order = facts.record(orderRecords, orderKey(at.platformId, data.orderNo));
    if (order === undefined) return refused(refuse('ORDER_NOT_FOUND', undefined, { orderNo: data.orderNo }));
    const repeated = repeatedReceiver(data.lines ?? []);
    if (repeated !== undefined) return refused(refuse('RECEIVER_REPEATED', undefined, { account: toWire('account', repeated) }));
    const background = boundBackground(order, facts);
    if (background !== undefined && !isSeen(background, facts)) return { waits: 'next-batch' };
    const shared = sharedAs(data, order, background, facts, at);
    if ('code' in shared) return refused(shared);
    const effects = splitEffects(order, shared, facts, at);
    return 'code' in effects ? refused(effects) : { ...effects, deviation: shared.deviation };
  },
  undo: {
    origins: ['P', 'O'],
    needs: orderNeeds,
    needsThen: shareNeeds,
    records(data, facts, at, undone) {
      const order = facts.record(orderRecords, orderKey(at.platformId, data.orderNo));
      const background = order && boundBackground(order, facts);
      if (background === undefined) return splitReturned({ orderNo: data.orderNo, lines: data.lines ?? [] }, facts, at);
      if (background.completedMs !== null) return refuse('ORDER_COMPLETED', undefined, { orderNo: data.orderNo });
      const items = background.items.map((item) => ({ ...item, parts: item.parts.filter(({ by }) => by !== undone) }));
      const gone = overtaken(items);
      if (gone !== undefined) return gone;
      const given = background.items.flatMap((item) => item.parts.filter(({ by }) => by === undone));
      const after = splitReturned({ orderNo: data.orderNo, lines: linesOf(given) }, facts, at);
      if ('code' in after) return after;
      return { records: [...after.records, change(backgroundRecords, background.orderId, { ...background, items })] };
    },
  },
};

/** What some parts of items gave to whom, together. */
function linesOf(parts: readonly ItemPart[]): Return['lines'] {
  return [...itemGot({ parts })].map(([account, amount]) => ({ account, amount: { amount, currency: 'CNY' as const } }));
}

interface Sharing {
  readonly lines: readonly { readonly account: Id; readonly amount: Minor }[];
  readonly background?: OrderBackground;
  /** By how much it differs from what the agreements make, in basis points. */
  readonly deviation?: number;
}

/** Who gets what: as the agreements behind the order make it or, where there are none, as the platform says. */
function sharedAs(data: Split, order: Order, background: OrderBackground | undefined, facts: Facts, at: At): Refusal | Sharing {
  const lines = data.lines?.map(({ account, amount: { amount } }) => ({ account, amount }));
  if (background === undefined) return lines === undefined ? refuse('LINES_MISSING') : { lines };
  const shared = sharedByAgreement(order, background, data.items, facts, at);
  if ('code' in shared || lines === undefined) return shared;
  const made = new Map(shared.lines.map(({ account, amount }) => [account, amount]));
  const isSame = lines.length === made.size && lines.every(({ account, amount }) => made.get(account) === amount);
  if (isSame) return shared;
  const expected = { expected: shownLines(shared.lines) };
  return deviatingShare(order, shared, lines, facts, at) ?? refuse('SPLIT_OFF_RULE', undefined, expected);
}

const shownLines = (of: Sharing['lines']) =>
  of.map(({ account, amount }) => ({ account: toWire('account', account), amount: String(amount) }));

function mayReceive({ id, type }: LedgerAccount): Refusal | undefined {
  if (type === 'sub' || type === 'commission') return undefined;
  const detail = 'A split goes to sub-merchants and to the commission account.';
  return refuse('ACCOUNT_TYPE_NOT_ALLOWED', detail, { account: toWire('account', id), type });
}

function splitEffects(order: Order, { lines, background }: Sharing, facts: Facts, at: At): Refusal | Effects {
  for (const { account } of lines) {
    const receiver = facts.account(account);
    const refusal =
      receiver === undefined
        ? refuse('ACCOUNT_NOT_FOUND', undefined, { account: toWire('account', account) })
        : mayReceive(receiver);
    if (refusal !== undefined) return refusal;
  }
  const total = lines.reduce((sum, line) => sum + line.amount, 0n);
  const left = orderLeft(order);
  if (total > left) return refuse('SPLIT_EXCEEDS_ORDER', undefined, { left: String(left), asked: String(total) });
  if (order.split + total > BALANCE_MAX) return refuse('BALANCE_OVERFLOW'); // split and returned over and over
  const today = at.book.businessDate;
  const clears = workingDayAfter(at.calendar, order.paidOn > today ? order.paidOn : today);
  const until = drawnUntil(facts.account(order.accountId), total);
  const shares = lines.map(({ account, amount }) => {
    const share = shareOf(facts, order, account);
    return change(shareRecords, shareKey(order.accountId, account), { ...share, split: share.split + amount });
  });
  const records: RecordChange[] = [
    change(orderRecords, orderKey(at.platformId, order.orderNo), { ...order, split: order.split + total }),
  ];
  if (background !== undefined) records.push(change(backgroundRecords, order.accountId, background));
  return {
    postings: [
      // An order that was split to the end completes without any money.
      ...(total === 0n ? [] : [{ account: order.accountId, amount: -total }]),
      ...lines.map(({ account, amount }) => ({ account, amount, clears })),
    ],
    records: [...records, ...shares],
    result: {
      withdrawableFrom: until !== undefined && until > clears ? until : clears,
      ...(background === undefined ? {} : { lines: shownLines(lines) }),
    },
  };
}

const completeSchema = z.strictObject({ orderNo });
const DAY_MS = 86_400_000;

/**
 * Ends the splitting of an order whose items are bound to agreements: what is left of them is split by their rules, and what was paid
 * beyond them goes to the seller where there is only one. After that nothing of the order is split any more.
 */
export const orderComplete: Kind<z.output<typeof completeSchema>> = {
  name: 'order-complete',
  en: 'Completion of an order',
  zh: '订单完结',
  origins: ['P', 'S', 'O'],
  proof: 'order',
  income: true,
  schema: completeSchema,
  example: { orderNo: 'SO-1003' },
  needs: orderNeeds,
  needsThen: shareNeeds,
  decide(data, facts, at) {
    const order = facts.record(orderRecords, orderKey(at.platformId, data.orderNo));
    if (order === undefined) return refused(refuse('ORDER_NOT_FOUND', undefined, { orderNo: data.orderNo }));
    const background = boundBackground(order, facts);
    if (background === undefined) return refused(refuse('BACKGROUND_MISSING', undefined, { orderNo: data.orderNo }));
    if (!isSeen(background, facts)) return { waits: 'next-batch' };
    const shared = sharedByAgreement(order, background, fittingItems(order, background), facts, at);
    if ('code' in shared) return refused(shared);
    const completed = { ...shared.background, completedMs: at.nowMs, dueMs: null };
    const effects = splitEffects(
      order,
      { lines: withRest(order, shared.lines, background, facts), background: completed },
      facts,
      at,
    );
    return 'code' in effects ? refused(effects) : effects;
  },
  whenRefused: putOff,
  whenInReview: (data, facts, at) => (at.origin === 'S' ? dueChange(data, facts, at, null) : []),
};

/**
 * What could not complete by itself is tried again when the order is twice as old as now, and keeps no other from its turn meanwhile.
 * An order without agreements never will.
 */
function putOff(data: z.output<typeof completeSchema>, facts: Facts, at: At): RecordChange[] {
  const order = facts.record(orderRecords, orderKey(at.platformId, data.orderNo));
  if (at.origin !== 'S' || order === undefined) return [];
  const isOpen = boundBackground(order, facts)?.completedMs === null;
  return dueChange(data, facts, at, isOpen ? instantOf(at.nowMs + Math.max(at.nowMs - order.openedMs, DAY_MS)) : null);
}

function dueChange({ orderNo }: z.output<typeof completeSchema>, facts: Facts, at: At, dueMs: Instant | null): RecordChange[] {
  const order = facts.record(orderRecords, orderKey(at.platformId, orderNo));
  const background = order && facts.record(backgroundRecords, order.accountId);
  return background === undefined ? [] : [change(backgroundRecords, background.orderId, { ...background, dueMs })];
}

/**
 * The lines with what was paid beyond the items, which is the seller's where the order has only one and his agreement takes orders as
 * large as that. What is nobody's can be refunded.
 */
function withRest(order: Order, lines: Sharing['lines'], { items }: OrderBackground, facts: Facts): Sharing['lines'] {
  const rest = orderLeft(order) - lines.reduce((sum, { amount }) => sum + amount, 0n);
  const [seller, another] = new Set(items.map((item) => item.seller));
  if (rest <= 0n || seller === undefined || another !== undefined) return lines;
  const goods = items.reduce((sum, item) => sum + itemWhole(item), 0n);
  if (items.some((item) => goods + rest > (orderMaxOf(item, facts) ?? goods + rest))) return lines;
  const has = lines.some(({ account }) => account === seller);
  if (!has) return [...lines, { account: seller, amount: rest }];
  return lines.map((line) => (line.account === seller ? { ...line, amount: line.amount + rest } : line));
}

/**
 * The order and the shares after these lines went back. What has not cleared at a receiver may have come in as late as now, for
 * another order, so the order's money is from now on as young as that.
 */
function splitReturned(data: Return, facts: Facts, at: At): Refusal | { records: RecordChange[] } {
  const key = orderKey(at.platformId, data.orderNo);
  const order = facts.record(orderRecords, key);
  if (order === undefined) return refuse('ORDER_NOT_FOUND', undefined, { orderNo: data.orderNo });
  const shares = data.lines.map((line) => ({ line, share: shareOf(facts, order, line.account) }));
  for (const { line, share } of shares) {
    const left = share.split - share.returned;
    if (line.amount.amount > left) {
      return refuse('SPLIT_RETURN_EXCEEDS', undefined, { account: toWire('account', line.account), left: String(left) });
    }
  }
  const isYoung = data.lines.some((line) => (facts.account(line.account)?.uncleared.length ?? 0) > 0);
  const paidOn = isYoung ? arrivalDate(at) : order.paidOn;
  return {
    records: [
      change(orderRecords, key, { ...order, returned: order.returned + totalOf(data.lines), paidOn }),
      ...shares.map(({ line, share }) =>
        change(shareRecords, shareKey(order.accountId, line.account), {
          ...share,
          returned: share.returned + line.amount.amount,
        }),
      ),
    ],
  };
}

/** What receivers got out of an order goes back to it, so that it can be refunded or split anew. */
export const splitReturn: Kind<Return> = {
  name: 'split-return',
  en: 'Return of a split to its order',
  zh: '分账回退',
  origins: ['P', 'O'],
  proof: 'order',
  schema: returnSchema,
  example: { orderNo: 'SO-1001', lines: [{ account: 'acc_2236512894231552003', amount: { amount: 500, currency: 'CNY' } }] },
  needs: orderNeeds,
  needsThen: shareNeeds,
  decide(data, facts, at) {
    const order = facts.record(orderRecords, orderKey(at.platformId, data.orderNo));
    if (order === undefined) return refused(refuse('ORDER_NOT_FOUND', undefined, { orderNo: data.orderNo }));
    const repeated = repeatedReceiver(data.lines);
    if (repeated !== undefined) return refused(refuse('RECEIVER_REPEATED', undefined, { account: toWire('account', repeated) }));
    const unknown = data.lines.find((line) => facts.account(line.account) === undefined);
    if (unknown !== undefined)
      return refused(refuse('ACCOUNT_NOT_FOUND', undefined, { account: toWire('account', unknown.account) }));
    const after = splitReturned(data, facts, at);
    if ('code' in after) return refused(after);
    const background = boundBackground(order, facts);
    const lines = data.lines.map(({ account, amount: { amount } }) => ({ account, amount }));
    const shares = data.lines.map(({ account }) => shareOf(facts, order, account));
    const items = background && itemsGivenBack(background, { by: at.instruction, lines, shares });
    return {
      postings: [
        ...data.lines.map((line) => ({ account: line.account, amount: -line.amount.amount, draw: 'uncleared-first' as const })),
        { account: order.accountId, amount: totalOf(data.lines) },
      ],
      records: [
        ...after.records,
        ...(background && items ? [change(backgroundRecords, order.accountId, { ...background, items })] : []),
      ],
    };
  },
};
