import { z } from 'zod';
import { Refused, refuse, toWire } from '../kernel/index.js';
import {
  idAfter,
  moneySchema,
  page,
  pageQuery,
  pageSchema,
  type Route,
  type Runtime,
  route,
  textSchema,
  wireId,
} from '../runtime/index.js';
import { approve, type GiveInstruction, propose, reject, requireItem } from './decide.js';
import { candidatesOf } from './matching.js';
import { ITEM_STATES } from './states.js';
import { findItem, type ItemFilter, listItems, proposalsOf } from './store.js';
import { candidateSchema, itemSchema, proposalSchema, showCandidate, showItem, showProposal } from './wire.js';

const LIST = 'suspense';
const ofItem = z.strictObject({ item: wireId('suspense') });
const ofProposal = z.strictObject({ item: wireId('suspense'), proposal: wireId('proposal') });
const operator = { audience: 'operator', tag: 'Suspense' } as const;
const state = z.enum(ITEM_STATES).optional();

/**
 * Money on suspense, as the bank's staff works it off, and as platforms see it.
 * @param give receives an instruction in the transaction of the approval
 */
export function suspenseRoutes(rt: Runtime, give: GiveInstruction): Route[] {
  return [...readRoutes(rt), proposeRoute(rt), approveRoute(rt, give), rejectRoute(rt), ...platformRoutes(rt)];
}

async function list(rt: Runtime, filter: ItemFilter, { limit, cursor }: { limit: number; cursor?: string | undefined }) {
  const after = idAfter(LIST, cursor);
  const rows = await rt.db.read('suspense', (tx) => listItems(tx, { ...filter, after }, limit + 1));
  return page(
    LIST,
    rows,
    limit,
    (row) => [row.id],
    (row) => showItem(rt.vault, row),
  );
}

const viewSchema = z.strictObject({
  ...itemSchema.shape,
  proposals: z.array(proposalSchema),
  candidates: z.array(candidateSchema).meta({ description: 'The likeliest first; nothing is done with them by itself' }),
});

function readRoutes(rt: Runtime): Route[] {
  return [
    route({
      ...operator,
      method: 'GET',
      path: '/admin/v1/suspense',
      permission: 'accounts.read',
      summary: 'Money whose owner is not known yet, in the order it came',
      summaryZh: '挂账列表',
      query: z.strictObject({ platform: wireId('platform').optional(), state, ...pageQuery }),
      answers: { 200: { description: 'A page', schema: pageSchema(itemSchema) } },
      refusals: ['CURSOR_INVALID'],
      handle: async ({ query: { platform: platformId, state: wanted, ...of } }) => ({
        status: 200,
        body: await list(rt, { platformId, state: wanted }, of),
      }),
    }),
    route({
      ...operator,
      method: 'GET',
      path: '/admin/v1/suspense/{item}',
      permission: 'accounts.read',
      summary: 'One item: what was proposed about it, and whose it may be',
      summaryZh: '挂账详情与认领建议',
      description:
        'Candidates are accounts of members of the same platform, each with its reasons: the account it was meant for, a virtual number ' +
        'in the text (also with one slip of the hand), the payer bound to it, the number or amount of an order that it has a share of.',
      params: ofItem,
      answers: { 200: { description: 'The item', schema: viewSchema } },
      refusals: ['NOT_FOUND'],
      handle: async ({ params }) => {
        const body = await rt.db.read('suspense-item', async (tx) => {
          const item = await requireItem(tx, params.item);
          const proposals = (await proposalsOf(tx, item.id)).map((each) => showProposal(rt.vault, each));
          const candidates = (await candidatesOf(tx, rt.vault, item)).map(showCandidate);
          return { ...showItem(rt.vault, item), proposals, candidates };
        });
        return { status: 200, body };
      },
    }),
  ];
}

const proposalBody = z.discriminatedUnion('action', [
  z.strictObject({
    action: z.literal('attribute'),
    account: wireId('account'),
    amount: moneySchema.optional().meta({ description: 'All that is left when absent' }),
    reason: textSchema(200),
  }),
  z.strictObject({
    action: z.literal('return'),
    amount: moneySchema.optional().meta({ description: 'All that is left when absent' }),
    reason: textSchema(200),
  }),
]);

function proposeRoute({ clock, newId, vault }: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/suspense/{item}/proposals',
    permission: 'suspense.write',
    summary: "Proposes to attribute the money to a member's account, or to send it back to its payer",
    summaryZh: '提出认领或退回',
    params: ofItem,
    body: proposalBody,
    answers: { 201: { description: 'Proposed; another person has to approve it', schema: proposalSchema } },
    refusals: ['NOT_FOUND', 'SUSPENSE_EXCEEDED', 'SUSPENSE_PAYER_UNKNOWN', 'ACCOUNT_NOT_FOUND'],
    handle: async ({ params, body, caller, tx }) => {
      const { action, amount, reason } = body;
      const accountId = body.action === 'attribute' ? body.account : null;
      const who = { operator: caller.operatorId, nowMs: clock.now() };
      const wanted = { action, accountId, reasonSealed: vault.seal(reason), amount: amount?.amount };
      const proposal = await propose(tx, newId(), params.item, wanted, who);
      const audit = { target: `suspense ${toWire('suspense', params.item)}`, note: toWire('proposal', proposal.id) };
      return { status: 201, body: showProposal(vault, proposal), audit };
    },
  });
}

function approveRoute({ clock, vault }: Runtime, give: GiveInstruction): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/suspense/{item}/proposals/{proposal}/approve',
    permission: 'suspense.write',
    summary: 'Approves what another proposed; the books are instructed at once',
    summaryZh: '复核通过',
    params: ofProposal,
    body: z.strictObject({ note: textSchema(200).optional() }),
    answers: { 200: { description: 'Approved; its instruction says whether it was posted', schema: proposalSchema } },
    refusals: ['NOT_FOUND', 'SAME_OPERATOR', 'PROPOSAL_DECIDED'],
    handle: async ({ params, body, caller, tx }) => {
      const who = { operator: caller.operatorId, nowMs: clock.now() };
      const noteSealed = body.note === undefined ? null : vault.seal(body.note);
      const { proposal, ring } = await approve(tx, params, noteSealed, who, give);
      const audit = { target: `suspense ${toWire('suspense', params.item)}`, note: toWire('proposal', proposal.id) };
      return { status: 200, body: showProposal(vault, proposal), audit, afterCommit: ring };
    },
  });
}

function rejectRoute({ clock, vault }: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/suspense/{item}/proposals/{proposal}/reject',
    permission: 'suspense.write',
    summary: 'Rejects a proposal; whoever proposed it takes it back that way',
    summaryZh: '复核退回或撤回',
    params: ofProposal,
    body: z.strictObject({ note: textSchema(200) }),
    answers: { 200: { description: 'Rejected or withdrawn', schema: proposalSchema } },
    refusals: ['NOT_FOUND', 'PROPOSAL_DECIDED'],
    handle: async ({ params, body, caller, tx }) => {
      const who = { operator: caller.operatorId, nowMs: clock.now() };
      const proposal = await reject(tx, params, vault.seal(body.note), who);
      const audit = { target: `suspense ${toWire('suspense', params.item)}`, note: toWire('proposal', proposal.id) };
      return { status: 200, body: showProposal(vault, proposal), audit };
    },
  });
}

function platformRoutes(rt: Runtime): Route[] {
  const platform = { audience: 'platform', tag: 'Suspense' } as const;
  return [
    route({
      ...platform,
      method: 'GET',
      path: '/v1/suspense',
      summary: 'Money that came for this platform and whose owner is not known yet',
      summaryZh: '查询挂账款项',
      query: z.strictObject({ state, ...pageQuery }),
      answers: { 200: { description: 'A page', schema: pageSchema(itemSchema) } },
      refusals: ['CURSOR_INVALID'],
      handle: async ({ caller: { platformId }, query: { state: wanted, ...of } }) => ({
        status: 200,
        body: await list(rt, { platformId, state: wanted }, of),
      }),
    }),
    route({
      ...platform,
      method: 'GET',
      path: '/v1/suspense/{item}',
      summary: 'One of them',
      summaryZh: '查询单笔挂账',
      params: ofItem,
      answers: { 200: { description: 'The item', schema: itemSchema } },
      refusals: ['NOT_FOUND'],
      handle: async ({ caller, params }) => {
        const item = await rt.db.read('suspense-item', (tx) => findItem(tx, params.item));
        if (item?.platformId !== caller.platformId) throw new Refused(refuse('NOT_FOUND'));
        return { status: 200, body: showItem(rt.vault, item) };
      },
    }),
  ];
}
