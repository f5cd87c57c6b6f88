import { z } from 'zod';
import { type Id, Refused, refuse, toWire } from '../kernel/index.js';
import {
  businessDateSchema,
  idAfter,
  moneySchema,
  page,
  pageQuery,
  pageSchema,
  type Route,
  type Runtime,
  route,
  type Tx,
  wireId,
} from '../runtime/index.js';
import { askConfirmation } from './confirm.js';
import { openDeal } from './open.js';
import type { Deal } from './rules.js';
import { confirmationsOf, findDeal, fundRecords, fundsOf, listDeals } from './store.js';
import {
  allTemplates,
  confirmationSchema,
  type DealView,
  dealSchema,
  showConfirmation,
  showDeal,
  showView,
  templateSchema,
  viewSchema,
} from './wire.js';

const platform = { audience: 'platform', tag: 'Escrow' } as const;
const params = z.strictObject({ escrow: wireId('escrow') });
export const itemSchema = z
  .string()
  .regex(/^[a-z0-9-]{1,40}(:objection)?$/, { error: 'must be a stage, an exit, accept, or a stage with :objection' })
  .meta({ description: 'A stage, an exit, `accept` (the deal itself), or `<stage>:objection`', example: 'title' });
export const roleSchema = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, { error: 'must be a role of the template' });

/** Deals whose money the bank lets go when their conditions are met, as platforms open and read them. */
export function escrowRoutes(rt: Runtime): Route[] {
  return [templatesRoute(), openRoute(rt), listRoute(rt), readRoute(rt), confirmRoute(rt)];
}

function templatesRoute(): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/escrow-templates',
    summary:
      'The ready-made templates: who takes part, in which stages, under which conditions, and what becomes of it otherwise',
    summaryZh: '托管模板列表',
    answers: { 200: { description: 'All of them', schema: z.strictObject({ items: z.array(templateSchema) }) } },
    handle: async () => ({ status: 200, body: { items: allTemplates() } }),
  });
}

const names = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, { error: 'must be a name of the template' });

const body = z.strictObject({
  escrowNo: z
    .string()
    .regex(/^[A-Za-z0-9_.:-]{1,64}$/, { error: 'must be 1 to 64 of A–Z a–z 0–9 _ . : -' })
    .meta({ description: "The platform's own number of the deal; remembered for ever" }),
  template: names,
  parties: z
    .array(
      z.strictObject({
        role: roleSchema,
        account: wireId('account').nullable().default(null).meta({ description: 'Where his money goes to or comes from' }),
        user: wireId('user').nullable().default(null).meta({ description: 'Who confirms for him on a page of the bank' }),
      }),
    )
    .max(10),
  amounts: z.record(names, moneySchema),
  dates: z.record(names, businessDateSchema).meta({ description: 'At their beginning' }),
  counts: z.record(names, z.int().min(1).max(100)).default({}),
});

function openRoute(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'POST',
    path: '/v1/escrows',
    summary: 'Opens a deal of a template: parties, amounts, dates; nothing moves yet',
    summaryZh: '建立托管交易',
    description: 'The number is remembered for ever: the same content again is answered with the deal as it stands (200).',
    body,
    answers: {
      201: { description: 'Opened', schema: viewSchema },
      200: { description: 'Opened before, with the same content', schema: viewSchema },
    },
    refusals: [
      ...(['ESCROW_NO_REUSED', 'ESCROW_TEMPLATE_UNKNOWN', 'ESCROW_PARTIES', 'ESCROW_TERMS', 'ACCOUNT_NOT_FOUND'] as const),
      ...(['AGREEMENT_MISSING', 'AGREEMENT_ENDED', 'BALANCE_OVERFLOW', 'NOT_FOUND'] as const),
    ],
    handle: async ({ caller: { platformId }, body: asked }) => {
      const amounts = Object.fromEntries(Object.entries(asked.amounts).map(([name, { amount }]) => [name, amount]));
      const { deal, repeated } = await openDeal(rt, platformId, { ...asked, amounts });
      const view = await rt.db.snapshot('escrow', (tx) => viewDeal(tx, platformId, deal.id));
      return {
        status: repeated ? 200 : 201,
        body: showView(view, rt.clock.now()),
        headers: { Location: `/v1/escrows/${toWire('escrow', deal.id)}`, 'Idempotent-Replay': String(repeated) },
      };
    },
  });
}

/** @throws Refused ESCROW_NOT_FOUND, also for another platform's */
async function ownDeal(tx: Tx, platformId: Id, id: Id): Promise<Deal> {
  const deal = await findDeal(tx, id);
  if (deal?.platformId !== platformId) throw new Refused(refuse('ESCROW_NOT_FOUND'));
  return deal;
}

async function viewDeal(tx: Tx, platformId: Id, id: Id): Promise<DealView> {
  const deal = await ownDeal(tx, platformId, id);
  return { deal, funds: await fundsOf(tx, id), confirmations: await confirmationsOf(tx, id) };
}

function listRoute({ db, clock }: Runtime): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/escrows',
    summary: 'Deals of the platform in the order they were opened',
    summaryZh: '托管交易列表',
    query: z.strictObject({ ...pageQuery, state: z.enum(['running', 'ended']).optional() }),
    answers: { 200: { description: 'A page', schema: pageSchema(dealSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ caller: { platformId }, query: { cursor, limit, state } }) => {
      const list = `escrows:${platformId}:${state ?? ''}`;
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

function readRoute({ db, clock }: Runtime): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/escrows/{escrow}',
    summary: 'A deal: its stages, what was let go, what each condition still lacks, and who said what when',
    summaryZh: '托管交易详情',
    params,
    answers: { 200: { description: 'The deal', schema: viewSchema } },
    refusals: ['ESCROW_NOT_FOUND'],
    handle: async ({ caller: { platformId }, params: { escrow } }) => ({
      status: 200,
      body: showView(await db.snapshot('escrow', (tx) => viewDeal(tx, platformId, escrow)), clock.now()),
    }),
  });
}

function confirmRoute(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'POST',
    path: '/v1/escrows/{escrow}/confirmations',
    summary: 'Puts something of a deal to one of its parties, who confirms it on a page of the bank',
    summaryZh: '申请当事人确认',
    description:
      'The address is in the first answer only. Who has said yes, or is still asked, gets the same answer again; after a no, or when the time ' +
      'is over, ask again. Who signs on paper is recorded by the bank.',
    params,
    body: z.strictObject({
      item: itemSchema,
      role: roleSchema,
      user: wireId('user').meta({ description: 'The person who acts for the role' }),
    }),
    answers: {
      201: { description: 'Put to him', schema: confirmationSchema },
      200: { description: 'He was asked before, or has said yes', schema: confirmationSchema },
    },
    refusals: [
      ...(['ESCROW_NOT_FOUND', 'ESCROW_ITEM_UNKNOWN', 'ESCROW_WRONG_PARTY', 'ESCROW_ENDED', 'ESCROW_STAGE_ENDED'] as const),
      ...(['ESCROW_STAGE_NOT_OPEN', 'ESCROW_NOT_ACCEPTED', 'NOT_FOUND'] as const),
      ...(['IDENTITY_UNVERIFIED', 'CUSTOMER_NOT_ACTIVATED', 'CUSTOMER_STOPPED', 'ID_DOCUMENT_EXPIRED'] as const),
    ],
    handle: async ({ caller: { platformId }, params: { escrow }, body: of }) => {
      const deal = await rt.db.read('escrow', (tx) => ownDeal(tx, platformId, escrow));
      const { confirmation, asked, repeated } = await askConfirmation(rt, deal, of);
      return {
        status: repeated ? 200 : 201,
        body: showConfirmation(confirmation, asked),
        headers: { 'Idempotent-Replay': String(repeated) },
      };
    },
  });
}
