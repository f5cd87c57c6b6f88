import { z } from 'zod';
import { maskCardNumber, maskName, toRfc3339, toWire, toWireMoney } from '../kernel/index.js';
import { openPayee, PAYOUT_PURPOSES, PAYOUT_STATES, type Payout } from '../payouts/index.js';
import { rfc3339Schema, shownMoneySchema, type Vault } from '../runtime/index.js';
import type { Attempt } from './plan/store.js';
import { type Other, WHY_NOT, WHY_NOT_WORDS } from './plan/why.js';

const payoutFields = {
  id: z.string(),
  platform: z.string(),
  purpose: z.enum(PAYOUT_PURPOSES),
  account: z.string().meta({
    description: 'Where the money came from, and where it goes back to if it does not arrive; of a top-up: what will be credited',
  }),
  orderNo: z.string().nullable().meta({ description: 'Of a refund' }),
  amount: shownMoneySchema,
  payee: z.strictObject({ name: z.string(), account: z.string(), bankCode: z.string() }),
  businessDate: z.string(),
  state: z.enum(PAYOUT_STATES),
  channel: z.string().nullable(),
  reason: z.string().nullable(),
  createdAt: rfc3339Schema,
  changedAt: rfc3339Schema,
};
export const payoutSchema = z
  .strictObject(payoutFields)
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

export function showPayout(payout: Payout, vault: Vault): z.input<typeof payoutSchema> {
  return {
    id: toWire('payout', payout.id),
    platform: toWire('platform', payout.platformId),
    purpose: payout.purpose,
    account: toWire('account', payout.sourceAccountId),
    orderNo: payout.orderNo,
    amount: toWireMoney(payout.amount),
    payee: maskedPayee(payout, vault),
    businessDate: payout.businessDate,
    state: payout.state,
    channel: payout.channel,
    reason: payout.reason,
    createdAt: toRfc3339(payout.createdMs),
    changedAt: toRfc3339(payout.changedMs),
  };
}

const routeFields = {
  channel: z.string(),
  arrivesAt: rfc3339Schema.meta({ description: 'When it reaches the payee by the terms of the channel' }),
  provisional: z.boolean().meta({ description: 'It hangs on days of which no holiday notice is loaded yet' }),
};

/** One payout with the way that it takes; null while no channel has it. */
export const routedSchema = z
  .strictObject({ ...payoutFields, route: z.strictObject(routeFields).nullable() })
  .meta({ id: 'RoutedPayout', description: 'A payout with the channel that carries it' });

function routeOf(attempts: readonly Attempt[]): Attempt | undefined {
  const last = attempts.at(-1);
  return last === undefined || last.endedMs !== null ? undefined : last;
}

function showRoute({ channel, arrivesMs, provisional }: Attempt) {
  return { channel, arrivesAt: toRfc3339(arrivesMs), provisional };
}

export function showRouted(payout: Payout, attempts: readonly Attempt[], vault: Vault): z.input<typeof routedSchema> {
  const route = routeOf(attempts);
  return { ...showPayout(payout, vault), route: route === undefined ? null : showRoute(route) };
}

/** The same for the bank's staff, who also see what it costs, which channels had it before, and why it goes by none of the others. */
export const explainedSchema = z
  .strictObject({
    ...payoutFields,
    route: z.strictObject({ ...routeFields, cost: shownMoneySchema, plan: z.string() }).nullable(),
    attempts: z
      .array(
        z.strictObject({
          channel: z.string(),
          cost: shownMoneySchema,
          endedAt: rfc3339Schema,
          turnedAway: z.boolean(),
          reason: z.string(),
        }),
      )
      .meta({ description: 'Channels that had it before, and why they have it no more; turnedAway: by the channel itself' }),
    why: z
      .array(
        z.strictObject({
          channel: z.string(),
          why: z.enum(WHY_NOT),
          cost: shownMoneySchema.nullable(),
          arrivesAt: rfc3339Schema.nullable(),
        }),
      )
      .meta({
        description:
          'Every other channel as it stood when the payout was routed; while it waits for one, each that cannot carry it now. ' +
          WHY_NOT.map((why) => `${why}: ${WHY_NOT_WORDS[why].en} ${WHY_NOT_WORDS[why].zh}`).join('. '),
      }),
  })
  .meta({ id: 'ExplainedPayout', description: 'A payout with its channel, and why it is this one' });

export function showExplained(
  payout: Payout,
  attempts: readonly Attempt[],
  others: readonly Other[],
  vault: Vault,
): z.input<typeof explainedSchema> {
  const route = routeOf(attempts);
  return {
    ...showPayout(payout, vault),
    route:
      route === undefined ? null : { ...showRoute(route), cost: toWireMoney(route.cost), plan: toWire('plan', route.planId) },
    attempts: attempts.flatMap(({ channel, cost, endedMs, refused, reason }) =>
      endedMs === null
        ? []
        : [{ channel, cost: toWireMoney(cost), endedAt: toRfc3339(endedMs), turnedAway: refused, reason: reason ?? '' }],
    ),
    why: others.map(({ channel, why, cost, arrivesAt }) => ({
      ...{ channel, why, cost: cost === null ? null : toWireMoney(cost) },
      arrivesAt: arrivesAt === null ? null : toRfc3339(arrivesAt),
    })),
  };
}
