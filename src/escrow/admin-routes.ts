import { z } from 'zod';
import { type Id, Refused, refuse, toWire } from '../kernel/index.js';
import {
  idAfter,
  moneySchema,
  page,
  pageQuery,
  pageSchema,
  type Route,
  type Runtime,
  route,
  type Tx,
  textSchema,
  wireId,
} from '../runtime/index.js';
import { recordConfirmation } from './confirm.js';
import type { PlanLine } from './plan.js';
import { approveReview, proposeReview, rejectReview } from './review.js';
import { itemSchema, roleSchema } from './routes.js';
import { confirmationsOf, findDeal, fundRecords, fundsOf, listDeals, reviewsOf } from './store.js';
import {
  confirmationSchema,
  dealSchema,
  reviewSchema,
  showConfirmation,
  showDeal,
  showReview,
  showStaffView,
  staffViewSchema,
} from './wire.js';

const operator = { audience: 'operator', tag: 'Escrow' } as const;
const params = z.strictObject({ escrow: wireId('escrow') });
const reviewParams = z.strictObject({ escrow: wireId('escrow'), review: wireId('escrow-review') });
const targetOf = (escrow: Id) => `escrow ${toWire('escrow', escrow)}`;

/** What the bank's staff does with deals: look, record what was signed on paper, and decide by two what is left to the bank. */
export function escrowAdminRoutes(rt: Runtime): Route[] {
  return [listRoute(rt), readRoute(rt), recordRoute(rt), proposeRoute(rt), approveRoute(rt), rejectRoute(rt)];
}

function listRoute({ db, clock }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/escrows',
    permission: 'accounts.read',
    summary: 'Deals in the order they were opened',
    summaryZh: '托管交易列表（行内）',
    query: z.strictObject({
      ...pageQuery,
      platform: wireId('platform').optional(),
      state: z.enum(['running', 'ended']).optional(),
    }),
    answers: { 200: { description: 'A page', schema: pageSchema(dealSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ query: { cursor, limit, platform: platformId, state } }) => {
      const list = `escrows:${platformId ?? ''}:${state ?? ''}`;
      const ended = state === undefined ? undefined : state === 'ended';
      return {
        status: 200,
        body: await db.snapshot('escrows', async (tx) => {
          const deals = await listDeals(tx, { platformId, after: idAfter(list, cursor), ended }, limit + 1);
          const ids = deals.map(({ id }) => id);
          const funds = ids.length === 0 ? new Map() : await fundRecords.load(tx, ids);
          return page(
            list,
            deals,
            limit,
            (deal) => [deal.id],
            (deal) => showDeal(deal, funds.get(deal.id)?.funds ?? [], clock.now()),
          );
        }),
      };
    },
  });
}

async function view(tx: Tx, { vault, clock }: Runtime, id: Id) {
  const deal = await findDeal(tx, id);
  if (deal === undefined) throw new Refused(refuse('ESCROW_NOT_FOUND'));
  const of = {
    deal,
    funds: await fundsOf(tx, id),
    confirmations: await confirmationsOf(tx, id),
    reviews: await reviewsOf(tx, id),
  };
  return showStaffView(vault, of, clock.now());
}

function readRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/escrows/{escrow}',
    permission: 'accounts.read',
    summary: 'A deal with all that was said, decided and proposed about it',
    summaryZh: '托管交易详情（行内）',
    params,
    answers: { 200: { description: 'The deal', schema: staffViewSchema } },
    refusals: ['ESCROW_NOT_FOUND'],
    handle: async ({ params: { escrow } }) => ({
      status: 200,
      body: await rt.db.snapshot('escrow', (tx) => view(tx, rt, escrow)),
    }),
  });
}

function recordRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/escrows/{escrow}/confirmations',
    permission: 'escrow.write',
    summary: 'Records that a party has confirmed something of a deal on paper; twice changes nothing',
    summaryZh: '登记纸质确认',
    description: 'Each person records the words of one role of a deal only.',
    params,
    body: z.strictObject({
      item: itemSchema,
      role: roleSchema,
      voucher: textSchema(64).meta({ description: 'The number of the form that was signed' }),
    }),
    answers: { 200: { description: 'Recorded, now or before', schema: confirmationSchema } },
    refusals: [
      ...(['ESCROW_NOT_FOUND', 'ESCROW_ITEM_UNKNOWN', 'ESCROW_WRONG_PARTY', 'ESCROW_ENDED'] as const),
      ...(['ESCROW_STAGE_ENDED', 'ESCROW_STAGE_NOT_OPEN', 'SAME_OPERATOR'] as const),
    ],
    handle: async ({ caller, params: { escrow }, body, tx }) => {
      const confirmation = await recordConfirmation(tx, rt, { ...body, escrow, by: caller.operatorId });
      return {
        status: 200,
        body: showConfirmation(confirmation),
        audit: { target: targetOf(escrow), note: `${body.item} ${body.role} ${body.voucher}` },
      };
    },
  });
}

const proposal = z.strictObject({
  item: itemSchema,
  verdict: z.union([
    z.literal('met').meta({ description: 'What the condition leaves to the bank is so' }),
    z
      .strictObject({
        amounts: z.array(z.strictObject({ to: roleSchema, amount: moneySchema })).max(10),
        rest: roleSchema.meta({ description: 'A role, or `payers`' }),
      })
      .meta({ description: 'Who gets what of the stage, of which it takes the end' }),
  ]),
  reason: textSchema(200),
});

function linesOf(verdict: z.output<typeof proposal>['verdict']): PlanLine[] | null {
  if (verdict === 'met') return null;
  return [
    ...verdict.amounts.map(({ to, amount: { amount } }): PlanLine => ({ to, take: { fixed: amount } })),
    { to: verdict.rest, take: 'rest' },
  ];
}

function proposeRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/escrows/{escrow}/reviews',
    permission: 'escrow.write',
    summary: 'Proposes what the bank finds of a stage or exit, or who gets what of a stage',
    summaryZh: '提出审核意见',
    params,
    body: proposal,
    answers: { 201: { description: 'Proposed; another person has to approve it', schema: reviewSchema } },
    refusals: [
      ...(['ESCROW_NOT_FOUND', 'ESCROW_ITEM_UNKNOWN', 'ESCROW_ENDED', 'ESCROW_STAGE_ENDED', 'ESCROW_NO_REVIEW'] as const),
      'ESCROW_PARTIES',
    ],
    handle: async ({ caller, params: { escrow }, body: { item, verdict, reason }, tx }) => {
      const of = { id: rt.newId(), escrow, item, lines: linesOf(verdict), reason, by: caller.operatorId };
      const review = await proposeReview(tx, rt, of);
      return {
        status: 201,
        body: showReview(rt.vault, review),
        audit: { target: targetOf(escrow), note: toWire('escrow-review', review.id) },
      };
    },
  });
}

function approveRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/escrows/{escrow}/reviews/{review}/approve',
    permission: 'escrow.write',
    summary: 'Approves what another proposed; it counts from now on',
    summaryZh: '审核复核通过',
    params: reviewParams,
    body: z.strictObject({ note: textSchema(200).optional() }),
    answers: { 200: { description: 'Approved', schema: reviewSchema } },
    refusals: [
      ...(['NOT_FOUND', 'SAME_OPERATOR', 'PROPOSAL_DECIDED', 'ESCROW_ENDED', 'ESCROW_STAGE_ENDED', 'ESCROW_NO_REVIEW'] as const),
      ...(['ESCROW_ITEM_UNKNOWN', 'ESCROW_PARTIES'] as const),
    ],
    handle: async ({ caller, params: ids, body, tx }) => {
      const review = await approveReview(tx, rt, ids, { by: caller.operatorId, note: body.note ?? null });
      return {
        status: 200,
        body: showReview(rt.vault, review),
        audit: { target: targetOf(ids.escrow), note: toWire('escrow-review', review.id) },
      };
    },
  });
}

function rejectRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/escrows/{escrow}/reviews/{review}/reject',
    permission: 'escrow.write',
    summary: 'Rejects a proposal; whoever proposed it takes it back that way',
    summaryZh: '审核退回或撤回',
    params: reviewParams,
    body: z.strictObject({ note: textSchema(200) }),
    answers: { 200: { description: 'Rejected or withdrawn', schema: reviewSchema } },
    refusals: ['NOT_FOUND', 'PROPOSAL_DECIDED'],
    handle: async ({ caller, params: ids, body, tx }) => {
      const review = await rejectReview(tx, rt, ids, { by: caller.operatorId, note: body.note });
      return {
        status: 200,
        body: showReview(rt.vault, review),
        audit: { target: targetOf(ids.escrow), note: toWire('escrow-review', review.id) },
      };
    },
  });
}
