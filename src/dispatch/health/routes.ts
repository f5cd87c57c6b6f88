import { z } from 'zod';
import { CHANNELS, type ChannelCode } from '../../channels/index.js';
import { type Instant, toRfc3339, toWireMoney } from '../../kernel/index.js';
import { waitingPayouts } from '../../payouts/index.js';
import { type Route, type Runtime, rfc3339Schema, route, shownMoneySchema } from '../../runtime/index.js';
import { type Float, loadFloats } from '../floats/store.js';
import { type ChannelRow, channelRows } from '../news/store.js';
import { type Circuit, type Rates, ratesOf, shutUntil } from './rules.js';
import { type BacklogRow, backlog, loadCircuits, type Minute, minutesSince } from './store.js';

const MINUTE_MS = 60_000;

const ratesSchema = z.strictObject({
  calls: z.int(),
  successRate: z.number().nullable().meta({ description: '0 to 1: usable answers; null when nothing was asked' }),
  latencyMs: z.strictObject({ mean: z.int(), max: z.int() }).nullable().meta({ description: 'Of the calls that were answered' }),
});

const channelSchema = z
  .strictObject({
    code: z.enum(CHANNELS),
    counts: z.strictObject({ created: z.int(), sent: z.int(), unknown: z.int() }),
    backlog: z.int().meta({ description: 'All that is under way' }),
    lastSuccessAt: rfc3339Schema.nullable().meta({ description: 'Real time, also in a sandbox' }),
    minutes15: ratesSchema,
    minutes60: ratesSchema,
    circuit: z.strictObject({
      unanswered: z.int().meta({ description: 'Calls in a row without a usable answer' }),
      shutUntil: rfc3339Schema
        .nullable()
        .meta({ description: 'Wall time until which nothing new is given to it 熔断; null: it is' }),
    }),
    floatFree: shownMoneySchema.nullable().meta({ description: 'null: it needs none, or nothing is known yet' }),
  })
  .meta({ id: 'Channel' });

const waitingSchema = z
  .strictObject({ count: z.int(), amount: shownMoneySchema, oldestAt: rfc3339Schema.nullable() })
  .meta({ description: 'Payouts that no channel could carry when they were last looked at; each says why' });

/** What is known of all channels at one moment. */
interface Known {
  readonly wallMs: Instant;
  readonly rows: readonly BacklogRow[];
  readonly seen: ReadonlyMap<string, ChannelRow>;
  readonly minutes: readonly Minute[];
  readonly circuits: ReadonlyMap<ChannelCode, Circuit>;
  readonly floats: ReadonlyMap<ChannelCode, Float>;
}

function showChannel(code: ChannelCode, known: Known): z.input<typeof channelSchema> {
  const own = known.rows.filter((row) => row.channel === code);
  const count = (state: BacklogRow['state']) => own.reduce((sum, row) => (row.state === state ? sum + row.number : sum), 0);
  const counts = { created: count('created'), sent: count('sent'), unknown: count('unknown') };
  const successMs = known.seen.get(code)?.successMs;
  const minutes = known.minutes.filter(({ channel }) => channel === code);
  const circuit = known.circuits.get(code);
  const until = circuit === undefined ? undefined : shutUntil(circuit);
  const float = known.floats.get(code);
  return {
    ...{ code, counts, backlog: counts.created + counts.sent + counts.unknown },
    lastSuccessAt: successMs === undefined || successMs === 0 ? null : toRfc3339(successMs),
    minutes15: showRates(ratesOf(minutes, (known.wallMs - 15 * MINUTE_MS) as Instant)),
    minutes60: showRates(ratesOf(minutes, (known.wallMs - 60 * MINUTE_MS) as Instant)),
    circuit: {
      unanswered: circuit?.unanswered ?? 0,
      shutUntil: until === undefined || until <= known.wallMs ? null : toRfc3339(until),
    },
    floatFree: float === undefined ? null : toWireMoney(float.balance - float.reserved),
  };
}

function showRates({ answered, unanswered, latencyMs, latencyMaxMs }: Rates): z.input<typeof ratesSchema> {
  const calls = answered + unanswered;
  return {
    calls,
    successRate: calls === 0 ? null : Math.round((answered / calls) * 10_000) / 10_000,
    latencyMs: answered === 0 ? null : { mean: Math.round(latencyMs / answered), max: latencyMaxMs },
  };
}

/** How the channels do. */
export function healthRoutes({ db, clock }: Runtime): Route[] {
  return [
    route({
      audience: 'operator',
      tag: 'Payouts',
      method: 'GET',
      path: '/admin/v1/channels',
      permission: 'payouts.read',
      summary: 'The channels: what is under way on each, how it answers, what is free there; and what no channel can carry now',
      summaryZh: '通道健康、在途与无通道可用的出款',
      answers: {
        200: { description: 'Every channel', schema: z.strictObject({ items: z.array(channelSchema), waiting: waitingSchema }) },
      },
      handle: async () => {
        const wallMs = clock.wall();
        const { waiting, ...known } = await db.read('channels', async (tx) => ({
          ...{ wallMs, rows: await backlog(tx), seen: await channelRows(tx), circuits: await loadCircuits(tx) },
          ...{ minutes: await minutesSince(tx, (wallMs - 61 * MINUTE_MS) as Instant), floats: await loadFloats(tx) },
          waiting: await waitingPayouts(tx),
        }));
        const { number, amount, oldestMs } = waiting;
        const oldestAt = oldestMs === null ? null : toRfc3339(oldestMs);
        const items = CHANNELS.map((code) => showChannel(code, known));
        return { status: 200, body: { items, waiting: { count: number, amount: toWireMoney(amount), oldestAt } } };
      },
    }),
  ];
}
