import { z } from 'zod';
import { type Id, type Instant, naturalDate, Refused, refuse, toRfc3339 } from '../../kernel/index.js';
import { requireUser, userStanding } from '../../parties/index.js';
import {
  decodeCursor,
  idAfter,
  loadParameters,
  page,
  pageQuery,
  pageSchema,
  type Route,
  type Runtime,
  rfc3339Schema,
  route,
  showAsked,
  type Tx,
  wireId,
} from '../../runtime/index.js';
import { mandatesPageRoutes } from '../page/mandates-routes.js';
import { askMandate, linkToMandates, revokeMandate } from './mandates.js';
import { findMandate, listMandates, listUses, type StoredMandate } from './store.js';
import { askedMandateSchema, mandateRequest, mandateRequestOf, mandateSchema, showMandate, showUse, useSchema } from './wire.js';

/** What platforms ask and read of mandates, and the page on which a customer ends them. */
export function mandateRoutes(rt: Runtime): Route[] {
  return [askRoute(rt), listRoute(rt), readRoute(rt), usesRoute(rt), revokeRoute(rt), linkRoute(rt), ...mandatesPageRoutes(rt)];
}

const platform = { audience: 'platform', tag: 'Mandates' } as const;
const Params = z.strictObject({ mandate: wireId('mandate') });

function askRoute(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'POST',
    path: '/v1/mandates',
    summary: 'Asks a user for a mandate: the right to debit an account within caps, without asking each time',
    summaryZh: '申请客户授权',
    description:
      'The customer sees every cap and payee on a page of the bank, and grants it there with his trade password and a code. The number is ' +
      'remembered for ever: the same content again is answered with the mandate as it stands (200), without the address.',
    body: mandateRequest,
    answers: {
      201: { description: 'Put to the customer', schema: askedMandateSchema },
      200: { description: 'Asked for before, with the same content', schema: askedMandateSchema },
    },
    refusals: [
      'MANDATE_NO_REUSED',
      'MANDATE_TERMS',
      'MANDATE_NOT_ENOUGH',
      'ACCOUNT_NOT_FOUND',
      'ACCOUNT_CLOSED',
      'ACCOUNT_CLOSING',
      'IDENTITY_UNVERIFIED',
      'CUSTOMER_NOT_ACTIVATED',
      'CUSTOMER_STOPPED',
      'ID_DOCUMENT_EXPIRED',
    ],
    handle: async ({ caller, body }) => {
      const { mandate, asked, repeated } = await askMandate(rt, caller.platformId, mandateRequestOf(body));
      const shown = showMandate(mandate, rt.clock.now());
      return {
        status: repeated ? 200 : 201,
        body: asked === undefined ? shown : { ...shown, consent: showAsked(asked) },
        headers: { Location: `/v1/mandates/${shown.mandate}`, 'Idempotent-Replay': String(repeated) },
      };
    },
  });
}

function listRoute({ db, clock }: Runtime): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/mandates',
    summary: 'Mandates of the platform',
    summaryZh: '授权列表',
    query: z.strictObject({ ...pageQuery, account: wireId('account').optional() }),
    answers: { 200: { description: 'A page', schema: pageSchema(mandateSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ caller: { platformId }, query }) => {
      const list = `mandates:${platformId}:${query.account ?? ''}`;
      const after = idAfter(list, query.cursor);
      const of = { platformId, accountId: query.account, after };
      const rows = await db.read('mandates', (tx) => listMandates(tx, of, query.limit + 1));
      const nowMs = clock.now();
      return {
        status: 200,
        body: page(
          list,
          rows,
          query.limit,
          (row) => [row.id],
          (row) => showMandate(row, nowMs),
        ),
      };
    },
  });
}

/** @throws Refused NOT_FOUND */
async function ownMandate(tx: Tx, platformId: Id, id: Id): Promise<StoredMandate> {
  const mandate = await findMandate(tx, id);
  if (mandate?.platformId !== platformId) throw new Refused(refuse('NOT_FOUND'));
  return mandate;
}

function readRoute({ db, clock }: Runtime): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/mandates/{mandate}',
    summary: 'A mandate and what is left of it',
    summaryZh: '授权及剩余额度查询',
    params: Params,
    answers: { 200: { description: 'The mandate', schema: mandateSchema } },
    handle: async ({ caller, params }) => {
      const mandate = await db.read('mandate', (tx) => ownMandate(tx, caller.platformId, params.mandate));
      return { status: 200, body: showMandate(mandate, clock.now()) };
    },
  });
}

function usesRoute({ db }: Runtime): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/mandates/{mandate}/uses',
    summary: 'Every use of a mandate, in order',
    summaryZh: '授权使用记录',
    params: Params,
    query: z.strictObject(pageQuery),
    answers: { 200: { description: 'A page', schema: pageSchema(useSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ caller, params, query }) => {
      const list = `mandate-uses:${params.mandate}`;
      const after = query.cursor === undefined ? 0 : Number(decodeCursor(list, 1, query.cursor)[0]);
      if (!Number.isSafeInteger(after)) throw new Refused(refuse('CURSOR_INVALID'));
      const rows = await db.read('mandate uses', async (tx) => {
        await ownMandate(tx, caller.platformId, params.mandate);
        return listUses(tx, params.mandate, after, query.limit + 1);
      });
      return { status: 200, body: page(list, rows, query.limit, ({ seq }) => [seq], showUse) };
    },
  });
}

function revokeRoute(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'POST',
    path: '/v1/mandates/{mandate}/revocation',
    summary: 'The platform gives a mandate up, with effect at once; the customer can do so himself on his page',
    summaryZh: '平台放弃授权',
    description: 'An instruction that was accepted before and is decided after it is refused.',
    params: Params,
    answers: { 200: { description: 'The mandate as it stands now', schema: mandateSchema } },
    handle: async ({ caller, params }) => {
      const mandate = await rt.db.withTx(
        'revoke-mandate',
        (tx) => revokeMandate(tx, rt, params.mandate, 'platform', ({ platformId }) => platformId === caller.platformId),
        async () => undefined, // revoked by us or before us: again changes nothing
      );
      return { status: 200, body: showMandate(mandate, rt.clock.now()) };
    },
  });
}

function linkRoute(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'POST',
    path: '/v1/users/{user}/mandate-link',
    summary: 'A page of the bank on which a user sees the mandates that he gave the platform, and can end them',
    summaryZh: '获取客户授权管理页面链接',
    params: z.strictObject({ user: wireId('user') }),
    answers: {
      201: {
        description: 'The address',
        schema: z.strictObject({ url: z.string(), expiresAt: rfc3339Schema }).meta({ id: 'MandateLink' }),
      },
    },
    refusals: ['IDENTITY_UNVERIFIED', 'CUSTOMER_NOT_ACTIVATED'],
    handle: async ({ caller: { platformId }, params }) => {
      const body = await rt.db.withTx(
        'mandate-link',
        async (tx) => {
          const { user, customer } = await requireUser(tx, platformId, params.user, rt.vault);
          const refusal = userStanding(user);
          if (refusal !== undefined || customer === null) throw new Refused(refusal ?? refuse('IDENTITY_UNVERIFIED'));
          const nowMs = rt.clock.now();
          const minutes = (await loadParameters(tx)).on(naturalDate(nowMs), 'mandate.link-minutes');
          const expiresMs = (nowMs + Number(minutes) * 60_000) as Instant;
          const url = await linkToMandates(tx, rt, { customerId: customer.id, platformId, expiresMs });
          return { url, expiresAt: toRfc3339(expiresMs) };
        },
        async () => undefined, // another address, and nobody knows the first
      );
      return { status: 201, body };
    },
  });
}
