import { z } from 'zod';
import { type Id, naturalDate, Refused, refuse, toWire } from '../kernel/index.js';
import {
  businessDateSchema,
  idAfter,
  instantSchema,
  page,
  pageQuery,
  pageSchema,
  preferredWaitMs,
  type Route,
  type Runtime,
  route,
  waitFor,
  wireId,
} from '../runtime/index.js';
import { electronicByIds } from './electronic.js';
import {
  dryRunRequest,
  electronicSchema,
  findingsSchema,
  openingAnswer,
  openingRequest,
  quotasSchema,
  showElectronic,
  showOpening,
  showQuotas,
  showReason,
  thoughtRequest,
  verdictSchema,
} from './electronic-wire.js';
import { requireElectronic } from './life/standing.js';
import { listElectronicIds } from './life/store.js';
import { askOpening, dryRunOpening } from './opening/ask.js';
import { findOpening, type Opening } from './opening/store.js';
import { checkThought, quotasAsOf, readQuotas, viewElectronic } from './quota.js';

const TAG = 'Electronic accounts';
const platform = { audience: 'platform', tag: TAG } as const;
const accountParams = z.strictObject({ account: wireId('account') });
const WAIT_DEFAULT_MS = 2000;

const OPENING_REFUSALS = [
  'IDENTITY_UNVERIFIED',
  'CUSTOMER_NOT_ACTIVATED',
  'CUSTOMER_STOPPED',
  'ID_DOCUMENT_EXPIRED',
  'PERSON_ONLY',
  'MINOR_NOT_ALLOWED',
  'ELEMENT_MISSING',
  'MOBILE_DIFFERS',
  'CARD_NUMBER_INVALID',
  'CARD_TAKEN',
  'ACCOUNTS_MAX',
] as const;

/** What platforms may do with the electronic accounts of their users; changes of them stand in `life/routes.ts`. */
export function electronicRoutes(rt: Runtime): Route[] {
  return [openRoute(rt), dryRunRoute(rt), openingRoute(rt), listRoute(rt), readRoute(rt), quotasRoute(rt), checkRoute(rt)];
}

function openRoute(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'POST',
    path: '/v1/electronic-accounts',
    summary: 'Opens a Class Ⅱ or Class Ⅲ electronic account for a user',
    summaryZh: '开立Ⅱ、Ⅲ类电子账户',
    description:
      'The bank verifies the elements with the bank of the card: waits up to two seconds for that (`Prefer: wait=N` or `respond-async` ' +
      'change it), then 202 and a status address. The opening number is remembered for ever, also when it was refused.',
    body: openingRequest,
    answers: {
      200: { description: 'Opened', schema: openingAnswer },
      202: { description: 'The bank of the card has not answered yet; see Location', schema: openingAnswer },
    },
    refusals: [
      'OPENING_NO_REUSED',
      ...OPENING_REFUSALS,
      'ELEMENTS_DIFFER',
      'BOUND_ACCOUNT_CLASS',
      'BOUND_ACCOUNT_UNUSABLE',
      'PAYMENT_ACCOUNT_BOUND',
      'CREDIT_CARD_BOUND',
      'MOBILE_TAKEN',
    ],
    handle: async ({ caller: { platformId }, body, headers }) => {
      const { opening, repeated } = await askOpening(rt, platformId, body);
      const decided = opening.state === 'pending' ? await decidedOpening(rt, opening, headers.prefer) : opening;
      const id = toWire('opening', opening.id);
      if (decided?.refusal) throw new Refused({ ...decided.refusal, fields: { ...decided.refusal.fields, opening: id } });
      return {
        status: decided === undefined ? 202 : 200,
        body: showOpening(rt.vault, decided ?? opening),
        headers: { Location: `/v1/electronic-accounts/openings/${id}`, 'Idempotent-Replay': String(repeated) },
      };
    },
  });
}

function decidedOpening(rt: Runtime, { id }: Opening, prefer: string | undefined): Promise<Opening | undefined> {
  return waitFor(rt.clock, preferredWaitMs(prefer, WAIT_DEFAULT_MS), async () => {
    const now = await rt.db.read('opening', (tx) => findOpening(tx, id));
    return now?.state === 'pending' ? undefined : now;
  });
}

function dryRunRoute(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'POST',
    path: '/v1/electronic-accounts/dry-run',
    summary: 'Says everything that would refuse an opening and that the bank knows itself, at once; opens nothing',
    summaryZh: '开户预检',
    body: dryRunRequest,
    answers: { 200: { description: 'The faults; none: the bank of the card would be asked', schema: findingsSchema } },
    handle: async ({ caller: { platformId }, body }) => {
      const { faults, warnings } = await dryRunOpening(rt, platformId, body);
      return { status: 200, body: { faults: [...faults], warnings: [...warnings] } };
    },
  });
}

function openingRoute(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/electronic-accounts/openings/{opening}',
    summary: 'What became of an opening',
    summaryZh: '查询开户结果',
    params: z.strictObject({ opening: wireId('opening') }),
    answers: { 200: { description: 'The opening as it stands', schema: openingAnswer } },
    handle: async ({ caller: { platformId }, params }) => {
      const opening = await rt.db.read('opening', (tx) => findOpening(tx, params.opening, platformId));
      if (opening === undefined) throw new Refused(refuse('NOT_FOUND'));
      return { status: 200, body: showOpening(rt.vault, opening) };
    },
  });
}

const listQuery = z.strictObject({ ...pageQuery, user: wireId('user').optional() });

function listRoute(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/electronic-accounts',
    summary: 'Electronic accounts in the order they were opened',
    summaryZh: '电子账户列表',
    query: listQuery,
    answers: { 200: { description: 'A page', schema: pageSchema(electronicSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ caller: { platformId }, query: { user, cursor, limit } }) => {
      const list = `electronic-accounts:${platformId}:${user ?? ''}`;
      const after = idAfter(list, cursor) ?? '0';
      const views = await rt.db.snapshot('electronic accounts', async (tx) => {
        const ids = await listElectronicIds(tx, platformId, { userId: user, after }, limit + 1);
        return viewElectronic(tx, rt, await electronicByIds(tx, ids));
      });
      return { status: 200, body: page(list, views, limit, ({ account }) => [account.accountId], showElectronic) };
    },
  });
}

/** @param owner absent for the bank's staff. @throws Refused NOT_FOUND */
export async function oneElectronic(rt: Runtime, id: Id, owner: Id | undefined) {
  const [view] = await rt.db.snapshot('electronic account', async (tx) =>
    viewElectronic(tx, rt, [await requireElectronic(tx, id, owner)]),
  );
  return view && showElectronic(view);
}

function readRoute(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/electronic-accounts/{account}',
    summary: 'One electronic account: state, card, why it cannot be used, quotas',
    summaryZh: '电子账户详情',
    params: accountParams,
    answers: { 200: { description: 'The account as it stands', schema: electronicSchema } },
    handle: async ({ caller, params }) => ({ status: 200, body: await oneElectronic(rt, params.account, caller.platformId) }),
  });
}

const quotasQuery = z
  .strictObject({
    on: businessDateSchema
      .optional()
      .meta({ description: 'A natural day; today when absent. Of a past one only the limits are told' }),
    asOf: instantSchema
      .optional()
      .meta({ description: 'A past instant instead: what was used by then of the limits of its day' }),
  })
  .refine(({ on, asOf }) => on === undefined || asOf === undefined, { error: 'on and asOf do not go together' });

function quotasRoute(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/electronic-accounts/{account}/quotas',
    summary: 'What is left of every limit of the law, by the limits in force on the day',
    summaryZh: '限额及剩余额度查询',
    params: accountParams,
    query: quotasQuery,
    answers: { 200: { description: `The buckets on that day`, schema: quotasSchema } },
    handle: async ({ caller, params, query }) => {
      const { on = naturalDate(rt.clock.now()), asOf } = query;
      const quotas = await rt.db.snapshot('quotas', (tx) =>
        asOf === undefined
          ? readQuotas(tx, rt, params.account, caller.platformId, on)
          : quotasAsOf(tx, rt, params.account, caller.platformId, asOf),
      );
      return { status: 200, body: showQuotas(quotas) };
    },
  });
}

function checkRoute(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'POST',
    path: '/v1/electronic-accounts/{account}/quotas/check',
    summary: 'Whether a movement would be refused now, and with which code; changes nothing',
    summaryZh: '额度试算',
    description: "By the account's standing, the law's limits and the money on it. The customer's own will is not asked about.",
    params: accountParams,
    body: thoughtRequest,
    answers: { 200: { description: 'Whether it passes', schema: verdictSchema } },
    handle: async ({ caller, params, body: { direction, amount, with: other } }) => {
      const thought = { direction, amount: amount.amount, with: other };
      const refusal = await rt.db.snapshot('check quotas', (tx) =>
        checkThought(tx, rt, params.account, caller.platformId, thought),
      );
      return {
        status: 200,
        body: { passes: refusal === undefined, refusal: refusal === undefined ? null : showReason(refusal) },
      };
    },
  });
}
