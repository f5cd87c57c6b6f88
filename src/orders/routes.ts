import { z } from 'zod';
import { requireAccount } from '../accounts/index.js';
import { Refused, refuse, toRfc3339, toWire } from '../kernel/index.js';
import {
  idAfter,
  orderNo,
  page,
  pageQuery,
  pageSchema,
  type Route,
  type Runtime,
  rfc3339Schema,
  route,
  wireId,
} from '../runtime/index.js';
import { findBackground, itemGot, itemLeft, type OrderBackground } from './backgrounds.js';
import {
  findHold,
  findOrder,
  type Hold,
  holdRemaining,
  listHolds,
  listOrders,
  type Order,
  type OrderShare,
  orderLeft,
  sharesOfOrder,
} from './store.js';

const TAG = 'Orders';
const minor = z.int().meta({ description: 'Minor units (fen)' });

const goodsSchema = z
  .strictObject({
    buyer: z.string(),
    completedAt: rfc3339Schema.nullable().meta({ description: 'From when on nothing is split any more' }),
    completesAt: rfc3339Schema.nullable().meta({ description: 'When it completes by itself' }),
    items: z.array(
      z.strictObject({
        item: z.string(),
        seller: z.string(),
        agreementVersion: z.string().nullable(),
        name: z.string(),
        category: z.string(),
        quantity: z.int(),
        price: minor,
        freight: minor,
        evidence: z.string().nullable(),
        refunded: minor.meta({ description: 'What of it was refunded' }),
        left: minor.meta({ description: 'What of it can still be split' }),
        got: z.array(z.strictObject({ account: z.string(), amount: minor })),
      }),
    ),
  })
  .meta({ id: 'OrderGoods', description: 'What was bought of whom, and what of each was split' });

const orderSchema = z
  .strictObject({
    orderNo: z.string(),
    account: z.string().meta({ description: 'The account on which the money of the order stands' }),
    currency: z.literal('CNY'),
    paid: minor,
    split: minor,
    returned: minor.meta({ description: 'What receivers gave back to the order' }),
    refunded: minor.meta({ description: 'What was refunded to the payer, or is on its way to him' }),
    subsidised: minor.meta({ description: 'What the platform added of its own' }),
    subsidyReturned: minor.meta({ description: 'What of that went back to the platform' }),
    left: minor.meta({
      description: 'What can still be split or refunded: paid + subsidised − subsidyReturned − split + returned − refunded',
    }),
    openedAt: rfc3339Schema,
    shares: z
      .array(z.strictObject({ account: z.string(), split: minor, returned: minor }))
      .optional()
      .meta({ description: 'What each receiver got out of the order' }),
    background: goodsSchema.optional(),
  })
  .meta({ id: 'Order' });

const holdSchema = z
  .strictObject({
    hold: z.string(),
    account: z.string(),
    amount: minor,
    captured: minor,
    released: minor,
    remaining: minor,
    purpose: z.string(),
    expiresAt: rfc3339Schema.nullable(),
    createdAt: rfc3339Schema,
  })
  .meta({ id: 'Hold' });

function showOrder(order: Order, shares?: readonly OrderShare[], background?: OrderBackground) {
  return {
    orderNo: order.orderNo,
    account: toWire('account', order.accountId),
    currency: 'CNY' as const,
    paid: order.paid,
    split: order.split,
    returned: order.returned,
    refunded: order.refunded,
    subsidised: order.subsidised,
    subsidyReturned: order.subsidyReturned,
    left: orderLeft(order),
    openedAt: toRfc3339(order.openedMs),
    ...(shares === undefined
      ? {}
      : {
          shares: shares.map(({ receiverId, split, returned }) => ({ account: toWire('account', receiverId), split, returned })),
        }),
    ...(background === undefined ? {} : { background: showBackground(background) }),
  };
}

function showBackground({ buyer, items, completedMs, dueMs }: OrderBackground) {
  return {
    buyer,
    completedAt: completedMs === null ? null : toRfc3339(completedMs),
    completesAt: dueMs === null ? null : toRfc3339(dueMs),
    items: items.map(({ no, seller, version, parts, ...item }) => ({
      ...{ item: no, seller: toWire('account', seller), ...item },
      agreementVersion: version === null ? null : toWire('version', version),
      left: itemLeft({ ...item, parts }),
      got: [...itemGot({ parts })].map(([account, amount]) => ({ account: toWire('account', account), amount })),
    })),
  };
}

function showHold(hold: Hold) {
  return {
    hold: toWire('hold', hold.id),
    account: toWire('account', hold.accountId),
    amount: hold.amount,
    captured: hold.captured,
    released: hold.released,
    remaining: holdRemaining(hold),
    purpose: hold.purpose,
    expiresAt: hold.expiresMs === null ? null : toRfc3339(hold.expiresMs),
    createdAt: toRfc3339(hold.createdMs),
  };
}

/** What a platform reads of its orders and holds. */
export function orderRoutes(rt: Runtime): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/orders',
      audience: 'platform',
      tag: TAG,
      summary: 'Orders in the order they were first paid',
      summaryZh: '查询订单列表',
      query: z.strictObject(pageQuery),
      answers: { 200: { description: 'A page', schema: pageSchema(orderSchema) } },
      async handle({ caller, query }) {
        const after = idAfter('orders', query.cursor);
        const rows = await rt.db.read('list-orders', (tx) => listOrders(tx, caller.platformId, after, query.limit + 1));
        return {
          status: 200,
          body: page(
            'orders',
            rows,
            query.limit,
            (order) => [order.accountId],
            (order) => showOrder(order),
          ),
        };
      },
    }),
    route({
      method: 'GET',
      path: '/v1/orders/{orderNo}',
      audience: 'platform',
      tag: TAG,
      summary: 'An order, what is left on it, and what each receiver got',
      summaryZh: '查询订单',
      params: z.strictObject({ orderNo }),
      answers: { 200: { description: 'The order', schema: orderSchema } },
      async handle({ caller, params }) {
        const body = await rt.db.snapshot('read-order', async (tx) => {
          const order = await findOrder(tx, caller.platformId, params.orderNo);
          if (order === undefined) throw new Refused(refuse('NOT_FOUND'));
          const background = await findBackground(tx, order.accountId);
          return showOrder(order, await sharesOfOrder(tx, order.accountId), background);
        });
        return { status: 200, body };
      },
    }),
    route({
      method: 'GET',
      path: '/v1/holds/{hold}',
      audience: 'platform',
      tag: TAG,
      summary: 'A hold and what is left of it',
      summaryZh: '查询冻结',
      params: z.strictObject({ hold: wireId('hold') }),
      answers: { 200: { description: 'The hold', schema: holdSchema } },
      async handle({ caller, params }) {
        const hold = await rt.db.read('read-hold', (tx) => findHold(tx, params.hold));
        if (hold?.platformId !== caller.platformId) throw new Refused(refuse('NOT_FOUND'));
        return { status: 200, body: showHold(hold) };
      },
    }),
    route({
      method: 'GET',
      path: '/v1/accounts/{account}/holds',
      audience: 'platform',
      tag: TAG,
      summary: 'Holds on an account, oldest first, ended ones too',
      summaryZh: '查询账户冻结列表',
      params: z.strictObject({ account: wireId('account') }),
      query: z.strictObject(pageQuery),
      answers: { 200: { description: 'A page', schema: pageSchema(holdSchema) } },
      async handle({ caller, params, query }) {
        const after = idAfter('holds', query.cursor);
        const of = { platformId: caller.platformId, accountId: params.account, after };
        const rows = await rt.db.read('list-holds', async (tx) => {
          await requireAccount(tx, params.account, caller.platformId);
          return listHolds(tx, of, query.limit + 1);
        });
        return { status: 200, body: page('holds', rows, query.limit, (hold) => [hold.id], showHold) };
      },
    }),
  ];
}
