import { z } from 'zod';
import { requireAccount } from '../accounts/index.js';
import { Refused, refuse } from '../kernel/index.js';
import { idAfter, page, pageQuery, pageSchema, type Route, type Runtime, route, wireId } from '../runtime/index.js';
import { findFundOrder, lastFundDay, listFundOrders, listFunds, listHoldings } from './store.js';
import { fundSchema, holdingSchema, orderSchema, showFund, showHolding, showOrder } from './wire.js';

const platform = { audience: 'platform', tag: 'Funds' } as const;
const ofAccount = z.strictObject({ account: wireId('account') });
const HOLDINGS_MAX = 500;

/** What platforms read of funds; what they do is instructions. */
export function fundRoutes(rt: Runtime): Route[] {
  return [catalogueRoute(rt), holdingsRoute(rt), ordersRoute(rt), orderRoute(rt)];
}

function catalogueRoute({ db }: Runtime): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/funds',
    summary: 'The catalogue of funds, each with what its company has told last',
    summaryZh: '查询基金目录与最新净值、收益',
    answers: { 200: { description: 'All of them', schema: z.strictObject({ items: z.array(fundSchema) }) } },
    refusals: [],
    handle: async () => ({
      status: 200,
      body: await db.snapshot('funds', async (tx) => {
        const items: z.input<typeof fundSchema>[] = [];
        for (const fund of await listFunds(tx)) items.push(showFund(fund, await lastFundDay(tx, fund.code)));
        return { items };
      }),
    }),
  });
}

function holdingsRoute({ db }: Runtime): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/accounts/{account}/fund-holdings',
    summary: 'What an electronic account has in funds',
    summaryZh: '查询电子账户基金份额',
    params: ofAccount,
    answers: { 200: { description: 'By fund', schema: z.strictObject({ items: z.array(holdingSchema) }) } },
    refusals: ['NOT_FOUND'],
    handle: async ({ caller, params: { account } }) => ({
      status: 200,
      body: await db.snapshot('fund-holdings', async (tx) => {
        await requireAccount(tx, account, caller.platformId);
        return { items: (await listHoldings(tx, { accountId: account }, HOLDINGS_MAX)).map(showHolding) };
      }),
    }),
  });
}

function ordersRoute({ db }: Runtime): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/accounts/{account}/fund-orders',
    summary: 'The orders of units of an electronic account, in the order they were made',
    summaryZh: '查询电子账户基金委托',
    params: ofAccount,
    query: z.strictObject({ ...pageQuery }),
    answers: { 200: { description: 'A page', schema: pageSchema(orderSchema) } },
    refusals: ['NOT_FOUND', 'CURSOR_INVALID'],
    handle: async ({ caller, params: { account }, query: { cursor, limit } }) => {
      const list = `fund-orders:${account}`;
      const after = idAfter(list, cursor);
      const orders = await db.snapshot('fund-orders', async (tx) => {
        await requireAccount(tx, account, caller.platformId);
        return listFundOrders(tx, { accountId: account, after }, limit + 1);
      });
      return { status: 200, body: page(list, orders, limit, ({ id }) => [id], showOrder) };
    },
  });
}

function orderRoute({ db }: Runtime): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/fund-orders/{order}',
    summary: 'How an order of units stands',
    summaryZh: '查询单笔基金委托',
    params: z.strictObject({ order: wireId('fund-order') }),
    answers: { 200: { description: 'The order', schema: orderSchema } },
    refusals: ['FUND_ORDER_NOT_FOUND'],
    handle: async ({ caller, params }) => {
      const order = await db.read('fund-order', (tx) => findFundOrder(tx, params.order));
      if (order?.platformId !== caller.platformId) throw new Refused(refuse('FUND_ORDER_NOT_FOUND'));
      return { status: 200, body: showOrder(order) };
    },
  });
}
