import { z } from 'zod';
import { CHANNELS, type ChannelCode } from '../channels/index.js';
import { type Id, maskCardNumber, maskName, Refused, refuse, toRfc3339, toWire, toWireAmount } from '../kernel/index.js';
import { findPayout, isUnderWay, listPayouts, openPayee, PAYOUT_PURPOSES, PAYOUT_STATES, type Payout } from '../payouts/index.js';
import {
  businessDateSchema,
  idAfter,
  page,
  pageQuery,
  pageSchema,
  type Route,
  type Runtime,
  rfc3339Schema,
  route,
  type Vault,
  wireId,
} from '../runtime/index.js';
import { pspCallbackRoute } from './callbacks.js';
import { incomingRoutes } from './incoming-routes.js';
import { askSoon, type BacklogRow, backlog, channelRows } from './store.js';

const payoutSchema = z
  .strictObject({
    id: z.string(),
    platform: z.string(),
    purpose: z.enum(PAYOUT_PURPOSES),
    account: z.string().meta({
      description:
        'Where the money came from, and where it goes back to if it does not arrive; of a top-up: what will be credited',
    }),
    orderNo: z.string().nullable().meta({ description: 'Of a refund' }),
    amount: z.strictObject({ amount: z.int(), currency: z.literal('CNY') }),
    payee: z.strictObject({ name: z.string(), account: z.string(), bankCode: z.string() }),
    businessDate: z.string(),
    state: z.enum(PAYOUT_STATES),
    channel: z.string().nullable(),
    reason: z.string().nullable(),
    createdAt: rfc3339Schema,
    changedAt: rfc3339Schema,
  })
  .meta({ id: 'Payout', description: 'A payment out of the custody account 出款, or (top-up) a collection into it 代收' });

/** The payee of a refund is a buyer, whom nobody but the bank needs to know; everybody else is paid under his own name. */
function maskedPayee(payout: Payout, vault: Vault): Payout['payee'] {
  const { name, account, bankCode } = openPayee(payout, vault);
  return {
    name: ['refund', 'suspense-return'].includes(payout.purpose) ? maskName(name) : name,
    account: maskCardNumber(account),
    bankCode,
  };
}

function showPayout(payout: Payout, vault: Vault): z.input<typeof payoutSchema> {
  return {
    id: toWire('payout', payout.id),
    platform: toWire('platform', payout.platformId),
    purpose: payout.purpose,
    account: toWire('account', payout.sourceAccountId),
    orderNo: payout.orderNo,
    amount: { amount: toWireAmount(payout.amount), currency: 'CNY' },
    payee: maskedPayee(payout, vault),
    businessDate: payout.businessDate,
    state: payout.state,
    channel: payout.channel,
    reason: payout.reason,
    createdAt: toRfc3339(payout.createdMs),
    changedAt: toRfc3339(payout.changedMs),
  };
}

const filters = { state: z.enum(PAYOUT_STATES).optional(), businessDate: businessDateSchema.optional() };
const Params = z.strictObject({ payout: wireId('payout') });
const LIST = 'payouts';
const platform = { audience: 'platform', tag: 'Payouts' } as const;
const operator = { audience: 'operator', tag: 'Payouts' } as const;

/** Payouts as a platform and the bank's staff see them, and how the channels do. */
export function dispatchRoutes(rt: Runtime): Route[] {
  const own = [listRoute(rt), readRoute(rt), adminListRoute(rt), adminReadRoute(rt), queryRoute(rt), channelsRoute(rt)];
  return [...own, pspCallbackRoute(rt), ...incomingRoutes(rt)];
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
    answers: { 200: { description: 'The payout', schema: payoutSchema } },
    refusals: ['NOT_FOUND'],
    handle: async ({ caller, params }) => {
      const payout = await db.read('payout', (tx) => findPayout(tx, params.payout));
      if (payout?.platformId !== caller.platformId) throw new Refused(refuse('NOT_FOUND'));
      return { status: 200, body: showPayout(payout, vault) };
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

function adminReadRoute({ db, vault }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/payouts/{payout}',
    permission: 'payouts.read',
    summary: 'One payout',
    summaryZh: '出款详情（行内）',
    params: Params,
    answers: { 200: { description: 'The payout', schema: payoutSchema } },
    refusals: ['NOT_FOUND'],
    handle: async ({ params }) => {
      const payout = await db.read('payout', (tx) => findPayout(tx, params.payout));
      if (payout === undefined) throw new Refused(refuse('NOT_FOUND'));
      return { status: 200, body: showPayout(payout, vault) };
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

const channelSchema = z
  .strictObject({
    code: z.enum(CHANNELS),
    counts: z.strictObject({ created: z.int(), sent: z.int(), unknown: z.int() }),
    backlog: z.int().meta({ description: 'All that is under way' }),
    lastSuccessAt: rfc3339Schema.nullable(),
  })
  .meta({ id: 'Channel' });

function showChannel(
  code: ChannelCode,
  rows: readonly BacklogRow[],
  successMs: number | undefined,
): z.input<typeof channelSchema> {
  const own = rows.filter((row) => row.channel === code);
  const count = (state: BacklogRow['state']) => own.reduce((sum, row) => (row.state === state ? sum + row.number : sum), 0);
  const counts = { created: count('created'), sent: count('sent'), unknown: count('unknown') };
  const lastSuccessAt = successMs === undefined || successMs === 0 ? null : toRfc3339(successMs as Payout['createdMs']);
  return { code, counts, backlog: counts.created + counts.sent + counts.unknown, lastSuccessAt };
}

function channelsRoute({ db }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/channels',
    permission: 'payouts.read',
    summary: 'The channels: what is under way on each, and when it last answered',
    summaryZh: '通道状态',
    answers: { 200: { description: 'Every channel', schema: z.strictObject({ items: z.array(channelSchema) }) } },
    handle: async () => {
      const { rows, seen } = await db.read('channels', async (tx) => ({ rows: await backlog(tx), seen: await channelRows(tx) }));
      const items = CHANNELS.map((code) => showChannel(code, rows, seen.get(code)?.successMs));
      return { status: 200, body: { items } };
    },
  });
}
