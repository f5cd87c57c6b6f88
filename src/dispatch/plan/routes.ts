import { z } from 'zod';
import { CHANNELS, type ChannelCode, hasFloat, PAYING_CHANNELS } from '../../channels/index.js';
import { toRfc3339, toWire, toWireMoney, WIRE_MAX } from '../../kernel/index.js';
import { termsSchema, type WhatIf } from '../../routing/index.js';
import {
  idAfter,
  page,
  pageQuery,
  pageSchema,
  type Route,
  type Runtime,
  rfc3339Schema,
  route,
  shownMoneySchema,
  wireId,
} from '../../runtime/index.js';
import { listPlans, type Plan } from './store.js';
import { planOtherwise, WHAT_IF_MAX } from './what-if.js';

const operator = { audience: 'operator', tag: 'Channels', permission: 'payouts.read' } as const;
const LIST = 'routing-plans';
const FLOAT_CHANNELS = PAYING_CHANNELS.filter(hasFloat);

const planSchema = z
  .strictObject({
    id: z.string(),
    at: rfc3339Schema,
    payouts: z.int().meta({ description: 'How many were given a channel' }),
    waiting: z.int().meta({ description: 'How many no channel could carry' }),
    cost: shownMoneySchema,
    bound: shownMoneySchema.meta({ description: 'It could not have cost less, by proof' }),
  })
  .meta({ id: 'RoutingPlan', description: 'A batch of payouts that was routed together 路由批次' });

function showPlan({ id, atMs, payouts, waiting, cost, bound }: Plan): z.input<typeof planSchema> {
  return { id: toWire('plan', id), at: toRfc3339(atMs), payouts, waiting, cost: toWireMoney(cost), bound: toWireMoney(bound) };
}

/** Batches that were routed, and what other floats or terms would have made of them. */
export function planRoutes(rt: Runtime): Route[] {
  return [listRoute(rt), whatIfRoute(rt)];
}

function listRoute({ db }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/routing/plans',
    summary: 'Batches of payouts that were routed together, the latest first',
    summaryZh: '路由批次列表',
    query: z.strictObject(pageQuery),
    answers: { 200: { description: 'A page', schema: pageSchema(planSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ query: { limit, cursor } }) => {
      const before = idAfter(LIST, cursor);
      const rows = await db.read('routing-plans', (tx) => listPlans(tx, before, limit + 1));
      return { status: 200, body: page(LIST, rows, limit, ({ id }) => [id], showPlan) };
    },
  });
}

const place = z.enum(CHANNELS).nullable().meta({ description: 'null: no channel; it waits' });
const sideSchema = z.strictObject({
  cost: shownMoneySchema,
  bound: shownMoneySchema,
  waiting: z.int().meta({ description: 'How many get no channel; they cost nothing' }),
  late: z.int().meta({ description: 'Would break their promised speed' }),
  channels: z.array(z.strictObject({ channel: place, count: z.int(), amount: shownMoneySchema, cost: shownMoneySchema })),
});
const whatIfSchema = z
  .strictObject({
    plan: planSchema,
    before: sideSchema.meta({ description: 'Assigned again as the channels stood' }),
    after: sideSchema,
    costDifference: shownMoneySchema.meta({
      description:
        'Cost after less cost before, each of the payouts that get a channel: what waits costs nothing. Where `waiting` of the two sides ' +
        'differs, the costs are of different payouts, and less is not cheaper',
    }),
    moved: z.array(z.strictObject({ from: place, to: place, count: z.int(), amount: shownMoneySchema })),
  })
  .meta({ id: 'WhatIf' });

function showSide({ cost, bound, waiting, late, channels }: WhatIf['before']): z.input<typeof sideSchema> {
  return {
    ...{ cost: toWireMoney(cost), bound: toWireMoney(bound), waiting, late },
    channels: channels.map((of) => ({ ...of, amount: toWireMoney(of.amount), cost: toWireMoney(of.cost) })),
  };
}

const byChannel = <T extends z.ZodType>(of: T) => z.partialRecord(z.enum(CHANNELS), of);
const whatIfBody = z.strictObject({
  plan: wireId('plan'),
  floats: z
    .partialRecord(z.enum(FLOAT_CHANNELS as [ChannelCode, ...ChannelCode[]]), z.int().min(0).max(Number(WIRE_MAX)).nullable())
    .optional()
    .meta({
      description:
        'Fen that would have been free; null: no end. A channel that is not named stands as it stood; only channels that pay out of a float have one',
    }),
  terms: byChannel(termsSchema).optional(),
});

function whatIfRoute({ calendar }: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/routing/what-if',
    summary: 'What a past batch would have cost with other floats or terms; nothing is changed',
    summaryZh: '路由试算',
    description:
      `Assigns the payouts that the plan gave a channel again, at most ${WHAT_IF_MAX}, as the channels stood and as they would have stood. ` +
      'What waited then is no part of it. Terms count as if they had been in force all along.',
    body: whatIfBody,
    answers: { 200: { description: 'The difference', schema: whatIfSchema } },
    refusals: ['NOT_FOUND', 'PLAN_TOO_LARGE'],
    handle: async ({ body, tx }) => {
      const floats = entriesOf(body.floats ?? {}).map(([channel, fen]) => [channel, fen === null ? null : BigInt(fen)] as const);
      const otherwise = { floats: new Map(floats), terms: new Map(entriesOf(body.terms ?? {})) };
      const { plan, result } = await planOtherwise(tx, { calendar }, body.plan, otherwise);
      const { before, after, costDifference, moved } = result;
      return {
        status: 200,
        body: {
          ...{
            plan: showPlan(plan),
            before: showSide(before),
            after: showSide(after),
            costDifference: toWireMoney(costDifference),
          },
          moved: moved.map((of) => ({ ...of, amount: toWireMoney(of.amount) })),
        },
        audit: { target: `plan ${toWire('plan', plan.id)}` },
      };
    },
  });
}

function entriesOf<T>(record: Partial<Record<ChannelCode, T>>): [ChannelCode, T][] {
  return Object.entries(record) as [ChannelCode, T][];
}
