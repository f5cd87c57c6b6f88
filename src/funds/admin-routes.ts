import { z } from 'zod';
import { Refused, refuse, toWire } from '../kernel/index.js';
import { idAfter, page, pageQuery, pageSchema, type Route, type Runtime, route, wireId } from '../runtime/index.js';
import { approveFund, type FundProposal, listFundProposals, proposeFund, rejectFund } from './catalogue.js';
import { findFund, fundFigures, listFundOrders, listHoldings } from './store.js';
import {
  figuresSchema,
  fundAsked,
  holdingSchema,
  newFundSchema,
  orderSchema,
  proposalSchema,
  showFigures,
  showHolding,
  showOrder,
  showProposal,
} from './wire.js';

const operator = { audience: 'operator', tag: 'Funds' } as const;
const ofProposal = z.strictObject({ proposal: wireId('proposal') });
const auditOf = ({ id, fund }: FundProposal) => ({ target: `fund ${fund.code}`, note: toWire('proposal', id) });
const HOLDINGS_MAX = 1_000;

/** What the bank's staff does with funds: the catalogue by two people, and looking. */
export function fundAdminRoutes(rt: Runtime): Route[] {
  return [
    proposalsRoute(rt),
    proposeRoute(rt),
    approveRoute(rt),
    rejectRoute(rt),
    figuresRoute(rt),
    holdingsRoute(rt),
    ordersRoute(rt),
  ];
}

function proposalsRoute({ db, vault }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/fund-proposals',
    permission: 'accounts.read',
    summary: 'What was proposed about the catalogue of funds, and decided',
    summaryZh: '基金目录变更列表',
    query: z.strictObject({ ...pageQuery }),
    answers: { 200: { description: 'A page', schema: pageSchema(proposalSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ query: { cursor, limit } }) => {
      const after = idAfter('fund-proposals', cursor);
      const rows = await db.read('fund-proposals', (tx) => listFundProposals(tx, vault, after, limit + 1));
      return {
        status: 200,
        body: page(
          'fund-proposals',
          rows,
          limit,
          ({ id }) => [id],
          (row) => showProposal(vault, row),
        ),
      };
    },
  });
}

function proposeRoute({ clock, newId, vault }: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/fund-proposals',
    permission: 'funds.write',
    summary: 'Proposes how an entry of the catalogue is to be: a new fund, or other terms of one',
    summaryZh: '提出基金目录新增或变更',
    body: newFundSchema,
    answers: { 201: { description: 'Proposed; another person has to approve it', schema: proposalSchema } },
    refusals: ['FUND_PROPOSED', 'FUND_KIND', 'FUND_IN_USE'],
    handle: async ({ body, caller, tx }) => {
      const who = { operator: caller.operatorId, nowMs: clock.now() };
      const of = { fund: fundAsked(vault, body), known: await findFund(tx, body.code) };
      const proposal = await proposeFund(tx, vault, newId(), of, who);
      return { status: 201, body: showProposal(vault, proposal), audit: auditOf(proposal) };
    },
  });
}

function approveRoute({ clock, vault }: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/fund-proposals/{proposal}/approve',
    permission: 'funds.write',
    summary: 'Approves what another proposed; the catalogue has it from now on',
    summaryZh: '复核基金目录变更',
    params: ofProposal,
    answers: { 200: { description: 'Approved', schema: proposalSchema } },
    refusals: ['NOT_FOUND', 'SAME_OPERATOR', 'PROPOSAL_DECIDED', 'FUND_IN_USE'],
    handle: async ({ params: { proposal: id }, caller, tx }) => {
      const proposal = await approveFund(tx, vault, id, { operator: caller.operatorId, nowMs: clock.now() });
      return { status: 200, body: showProposal(vault, proposal), audit: auditOf(proposal) };
    },
  });
}

function rejectRoute({ clock, vault }: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/fund-proposals/{proposal}/reject',
    permission: 'funds.write',
    summary: 'Rejects what another proposed, or takes back what one proposed oneself',
    summaryZh: '退回或撤回基金目录变更',
    params: ofProposal,
    answers: { 200: { description: 'Rejected or withdrawn', schema: proposalSchema } },
    refusals: ['NOT_FOUND', 'PROPOSAL_DECIDED'],
    handle: async ({ params: { proposal: id }, caller, tx }) => {
      const proposal = await rejectFund(tx, vault, id, { operator: caller.operatorId, nowMs: clock.now() });
      return { status: 200, body: showProposal(vault, proposal), audit: auditOf(proposal) };
    },
  });
}

function figuresRoute({ db }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/platforms/{platform}/fund-figures',
    permission: 'accounts.read',
    summary: "The collection account of a platform's book against its orders, and what the bank has advanced",
    summaryZh: '基金归集户与垫资核对',
    params: z.strictObject({ platform: wireId('platform') }),
    answers: { 200: { description: 'The figures of one moment', schema: figuresSchema } },
    refusals: ['NOT_FOUND'],
    handle: async ({ params: { platform } }) => {
      const figures = await db.snapshot('fund-figures', (tx) => fundFigures(tx, platform));
      if (figures === undefined) throw new Refused(refuse('NOT_FOUND', 'No money of funds has passed through this book.'));
      return { status: 200, body: showFigures(figures) };
    },
  });
}

function holdingsRoute({ db }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/customers/{customer}/fund-holdings',
    permission: 'customers.read',
    summary: 'What a customer has in funds, on all his accounts',
    summaryZh: '查询客户基金份额',
    params: z.strictObject({ customer: wireId('customer') }),
    answers: { 200: { description: 'By account and fund', schema: z.strictObject({ items: z.array(holdingSchema) }) } },
    refusals: [],
    handle: async ({ params: { customer: customerId } }) => ({
      status: 200,
      body: {
        items: (await db.read('fund-holdings', (tx) => listHoldings(tx, { customerId }, HOLDINGS_MAX))).map(showHolding),
      },
    }),
  });
}

function ordersRoute({ db }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/fund-orders',
    permission: 'accounts.read',
    summary: 'Orders of units in the order they were made',
    summaryZh: '基金委托列表（行内）',
    query: z.strictObject({
      ...pageQuery,
      platform: wireId('platform').optional(),
      customer: wireId('customer').optional(),
      account: wireId('account').optional(),
      state: orderSchema.shape.state.optional(),
    }),
    answers: { 200: { description: 'A page', schema: pageSchema(orderSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ query: { cursor, limit, platform: platformId, customer: customerId, account: accountId, state } }) => {
      const list = `fund-orders:${platformId ?? ''}:${customerId ?? ''}:${accountId ?? ''}:${state ?? ''}`;
      const states = state === undefined ? undefined : [state];
      const filter = { platformId, customerId, accountId, states, after: idAfter(list, cursor) };
      const rows = await db.read('fund-orders', (tx) => listFundOrders(tx, filter, limit + 1));
      return { status: 200, body: page(list, rows, limit, ({ id }) => [id], showOrder) };
    },
  });
}
