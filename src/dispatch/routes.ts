import { z } from 'zod';
import { type Id, Refused, refuse, toWire } from '../kernel/index.js';
import { askSoon, findPayout, isUnderWay, listPayouts, PAYOUT_STATES, type Payout } from '../payouts/index.js';
import {
  businessDateSchema,
  idAfter,
  page,
  pageQuery,
  pageSchema,
  type Route,
  type Runtime,
  route,
  textSchema,
  wireId,
} from '../runtime/index.js';
import { floatRoutes } from './floats/routes.js';
import { healthRoutes } from './health/routes.js';
import { incomingRoutes } from './incoming/routes.js';
import { pspCallbackRoute } from './news/callbacks.js';
import { unreadRoutes } from './news/unread-routes.js';
import { planRoutes } from './plan/routes.js';
import { attemptsOf } from './plan/store.js';
import { whyThisWay } from './plan/why.js';
import { intercept } from './sending/intercept.js';
import { textRoutes } from './texts/routes.js';
import { explainedSchema, payoutSchema, routedSchema, showExplained, showPayout, showRouted } from './wire.js';

const filters = { state: z.enum(PAYOUT_STATES).optional(), businessDate: businessDateSchema.optional() };
const Params = z.strictObject({ payout: wireId('payout') });
const LIST = 'payouts';
const platform = { audience: 'platform', tag: 'Payouts' } as const;
const operator = { audience: 'operator', tag: 'Payouts' } as const;

/** Payouts as a platform and the bank's staff see them, how the channels do, and what the bank has there. */
export function dispatchRoutes(rt: Runtime): Route[] {
  return [
    ...[listRoute(rt), readRoute(rt), interceptRoute(rt)],
    ...[adminListRoute(rt), adminReadRoute(rt), queryRoute(rt), adminInterceptRoute(rt)],
    ...textRoutes(rt),
    ...healthRoutes(rt),
    ...floatRoutes(rt),
    ...planRoutes(rt),
    pspCallbackRoute(rt),
    ...incomingRoutes(rt),
    ...unreadRoutes(rt),
  ];
}

interface ListQuery {
  readonly state?: Payout['state'] | undefined;
  readonly businessDate?: Payout['businessDate'] | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

async function pageOfPayouts({ db, vault }: Runtime, platformId: Id | undefined, { limit, cursor, ...filter }: ListQuery) {
  const after = idAfter(LIST, cursor);
  const rows = await db.read('payouts', (tx) => listPayouts(tx, { platformId, after, ...filter }, limit + 1));
  return {
    status: 200,
    body: page(
      LIST,
      rows,
      limit,
      (payout) => [payout.id],
      (payout) => showPayout(payout, vault),
    ),
  };
}

function listRoute(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/payouts',
    summary: 'Payouts in the order they were made',
    summaryZh: '出款列表',
    query: z.strictObject({ ...filters, ...pageQuery }),
    answers: { 200: { description: 'A page', schema: pageSchema(payoutSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: ({ caller, query }) => pageOfPayouts(rt, caller.platformId, query),
  });
}

function readRoute({ db, vault }: Runtime): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/payouts/{payout}',
    summary: 'One payout',
    summaryZh: '出款详情',
    params: Params,
    answers: { 200: { description: 'The payout, with the channel that carries it', schema: routedSchema } },
    refusals: ['NOT_FOUND'],
    handle: async ({ caller, params }) => {
      const body = await db.read('payout', async (tx) => {
        const payout = await findPayout(tx, params.payout);
        if (payout?.platformId !== caller.platformId) throw new Refused(refuse('NOT_FOUND'));
        return showRouted(payout, (await attemptsOf(tx, [payout.id])).get(payout.id) ?? [], vault);
      });
      return { status: 200, body };
    },
  });
}

function adminListRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/payouts',
    permission: 'payouts.read',
    summary: 'Payouts of one platform or all, in the order they were made',
    summaryZh: '出款列表（行内）',
    query: z.strictObject({ platform: wireId('platform').optional(), ...filters, ...pageQuery }),
    answers: { 200: { description: 'A page', schema: pageSchema(payoutSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: ({ query: { platform: platformId, ...query } }) => pageOfPayouts(rt, platformId, query),
  });
}

function adminReadRoute({ db, vault, clock, calendar }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/payouts/{payout}',
    permission: 'payouts.read',
    summary: 'One payout: its channel, what it costs, and why it goes by none of the others',
    summaryZh: '出款详情及选路说明（行内）',
    params: Params,
    answers: { 200: { description: 'The payout', schema: explainedSchema } },
    refusals: ['NOT_FOUND'],
    handle: async ({ params }) => {
      const body = await db.read('payout', async (tx) => {
        const payout = await findPayout(tx, params.payout);
        if (payout === undefined) throw new Refused(refuse('NOT_FOUND'));
        const attempts = (await attemptsOf(tx, [payout.id])).get(payout.id) ?? [];
        return showExplained(payout, attempts, await whyThisWay(tx, { clock, calendar }, payout, attempts), vault);
      });
      return { status: 200, body };
    },
  });
}

function queryRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/payouts/{payout}/query',
    permission: 'payouts.write',
    summary: 'Asks the channel now what became of a payout',
    summaryZh: '立即查询出款结果',
    params: Params,
    answers: { 202: { description: 'The payout as it is; its channel is being asked', schema: payoutSchema } },
    refusals: ['NOT_FOUND', 'PAYOUT_STATE_CONFLICT'],
    handle: async ({ params, tx }) => {
      const payout = await findPayout(tx, params.payout);
      if (payout === undefined) throw new Refused(refuse('NOT_FOUND'));
      if (payout.state === 'created' || !isUnderWay(payout.state)) {
        throw new Refused(
          refuse('PAYOUT_STATE_CONFLICT', 'Only a payout that was sent and has no final result can be asked after.', {
            from: payout.state,
          }),
        );
      }
      await askSoon(tx, payout.id, rt.clock.now());
      return {
        status: 202,
        body: showPayout(payout, rt.vault),
        audit: { target: `payout ${toWire('payout', payout.id)}` },
        afterCommit: () => rt.bells.ring('poll-payouts', String(payout.shardId)),
      };
    },
  });
}

const interceptBody = z.strictObject({
  reason: textSchema(100).meta({ description: 'Kept as the reason for which it failed, and shown as such' }),
});
/** What a platform ordered itself and may think better of. */
const ITS_OWN: readonly Payout['purpose'][] = ['withdrawal', 'refund', 'clearing'];
const STOPPED = { description: 'It is not sent any more, and its money goes back where it came from', schema: payoutSchema };

function interceptRoute({ db, clock, bells, vault }: Runtime): Route {
  return route({
    ...platform,
    method: 'POST',
    path: '/v1/payouts/{payout}/intercept',
    summary: 'Stops a withdrawal, refund or clearing that no channel has heard of; asking again changes nothing',
    summaryZh: '拦截未发出的出款',
    params: Params,
    body: interceptBody,
    answers: { 202: STOPPED },
    refusals: ['NOT_FOUND', 'PAYOUT_NOT_TO_INTERCEPT', 'PAYOUT_STATE_CONFLICT'],
    handle: async ({ caller: { platformId }, params: { payout: payoutId }, body: { reason } }) => {
      const payout = await db.withTx(
        'intercept',
        async (tx) => {
          const wanted = await findPayout(tx, payoutId);
          if (wanted?.platformId !== platformId) throw new Refused(refuse('NOT_FOUND'));
          if (!ITS_OWN.includes(wanted.purpose))
            throw new Refused(refuse('PAYOUT_NOT_TO_INTERCEPT', undefined, { purpose: wanted.purpose }));
          return intercept(tx, { payoutId, askedBy: toWire('platform', platformId), reason }, clock.now());
        },
        async () => undefined, // asking again changes nothing
      );
      await bells.ring('send-payouts', String(payout.shardId));
      return { status: 202, body: showPayout(payout, vault) };
    },
  });
}

function adminInterceptRoute({ clock, bells, vault }: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/payouts/{payout}/intercept',
    permission: 'payouts.write',
    summary: 'Stops a payout, whatever it is for, that no channel has heard of; asking again changes nothing',
    summaryZh: '拦截未发出的出款（行内）',
    params: Params,
    body: interceptBody,
    answers: { 202: STOPPED },
    refusals: ['NOT_FOUND', 'PAYOUT_STATE_CONFLICT'],
    handle: async ({ caller, params: { payout: payoutId }, body: { reason }, tx }) => {
      const askedBy = toWire('operator', caller.operatorId);
      const payout = await intercept(tx, { payoutId, askedBy, reason }, clock.now());
      return {
        status: 202,
        body: showPayout(payout, vault),
        audit: { target: `payout ${toWire('payout', payout.id)}` },
        afterCommit: () => bells.ring('send-payouts', String(payout.shardId)),
      };
    },
  });
}
