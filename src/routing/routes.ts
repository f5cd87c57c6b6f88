import { z } from 'zod';
import { CHANNELS, type ChannelCode } from '../channels/index.js';
import { type Instant, naturalDate, Refused, refuse, toRfc3339, toWire } from '../kernel/index.js';
import {
  businessDateSchema,
  instantSchema,
  isDuplicateKey,
  type Route,
  type Runtime,
  rfc3339Schema,
  route,
  textSchema,
  wireId,
} from '../runtime/index.js';
import { openUntil } from './hours.js';
import { type Position, standingOf } from './rules.js';
import { addOutage, addTerms, endOutage, findOutage, loadChannelTable, outagesSince } from './store.js';
import { type ChannelTable, type Outage, type TermsRow, termsSchema } from './terms.js';

const channelSchema = z.enum(CHANNELS).meta({ id: 'ChannelCode', description: 'A channel that pays out or collects' });
const operator = { audience: 'operator', tag: 'Channels' } as const;

/** The terms of channels and their outages: kept by the bank, and as far as they concern platforms readable by them. */
export function routingRoutes(rt: Runtime): Route[] {
  return [...calendarRoutes(rt), termsRoute(rt), addTermsRoute(rt), outagesRoute(rt), addOutageRoute(rt), endOutageRoute(rt)];
}

const stateSchema = z
  .strictObject({
    channel: channelSchema,
    state: z.enum(['open', 'closed', 'maintenance']),
    opensAt: rfc3339Schema
      .nullable()
      .meta({ description: 'When it takes payments next: now, when it is open; null: not within 45 days' }),
    closesAt: rfc3339Schema.nullable().meta({ description: 'Until when it takes them from then on; null: longer than 45 days' }),
    arrivesAt: rfc3339Schema.nullable().meta({ description: 'When a payment arrives that is sent now; null: it is not open' }),
    provisional: z
      .boolean()
      .meta({ description: 'A day on which this rests lies in a year whose working-day calendar is not known yet' }),
    limit: z
      .strictObject({ min: z.int(), max: z.int().nullable() })
      .meta({ description: 'Fen, of one payment, by the day type of that session' }),
    outages: z
      .array(z.strictObject({ from: rfc3339Schema, to: rfc3339Schema.nullable() }))
      .meta({ description: 'Maintenance under way and known ahead; to is null while nobody knows its end' }),
  })
  .meta({ id: 'ChannelState' });
const statesSchema = z.strictObject({ at: rfc3339Schema, items: z.array(stateSchema) });

const spanOf = ({ fromMs, toMs }: Outage) => ({ from: toRfc3339(fromMs), to: toMs === null ? null : toRfc3339(toMs) });

/** How a channel stands by its terms and outages, whatever its float or health. */
function showState(
  hours: Pick<Position, 'table' | 'calendar'>,
  channel: ChannelCode,
  at: Instant,
): z.input<typeof stateSchema>[] {
  const standing = standingOf({ ...hours, floats: new Map(), carried: new Map(), circuits: new Map() }, channel, at);
  if (standing === undefined) return [];
  const { windows, shut, limit, arrivesAt } = standing;
  const [first] = windows;
  const closes = openUntil(windows);
  const open = first !== undefined && first.from <= at;
  return [
    {
      channel,
      state: open ? 'open' : shut === 'maintenance' ? 'maintenance' : 'closed',
      opensAt: first === undefined ? null : toRfc3339(first.from),
      closesAt: closes === undefined ? null : toRfc3339(closes),
      arrivesAt: shut === undefined ? toRfc3339(arrivesAt) : null,
      provisional: standing.provisional || first?.provisional === true,
      limit: { min: limit.min, max: limit.max },
      outages: hours.table.outages(channel).map(spanOf),
    },
  ];
}

function calendarRoutes({ db, clock, calendar }: Runtime): Route[] {
  const about = {
    method: 'GET',
    tag: 'Channels',
    summary: 'Each channel now: whether it is open, when it opens and closes, its limits, and maintenance known ahead',
    summaryZh: '渠道状态、营业时间、限额与停运预告',
    answers: { 200: { description: 'One item a channel', schema: statesSchema } },
  } as const;
  const handle = async () => {
    const at = clock.now();
    const table = await db.read('channel-states', (tx) => loadChannelTable(tx, at));
    const items = CHANNELS.flatMap((channel) => showState({ table, calendar }, channel, at));
    return { status: 200, body: { at: toRfc3339(at), items } };
  };
  return [
    route({ ...about, path: '/v1/channel-states', audience: 'platform', handle }),
    route({ ...about, path: '/admin/v1/channel-states', audience: 'operator', permission: 'platforms.read', handle }),
  ];
}

const termsRowSchema = z
  .strictObject({
    channel: channelSchema,
    validFrom: z.string().meta({ format: 'date', description: 'In force from this natural day until the next row' }),
    terms: termsSchema,
    source: z.string().meta({ description: 'The document that says so' }),
  })
  .meta({ id: 'ChannelTermsRow' });
const ofChannel = z.strictObject({ channel: channelSchema });

function historyOf(table: ChannelTable, channel: ChannelCode): TermsRow[] {
  return table.rows.filter((row) => row.channel === channel);
}

function termsRoute({ db, clock }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/channels/{channel}/terms',
    permission: 'platforms.read',
    summary: 'The terms of a channel with every date on which they changed or will change',
    summaryZh: '渠道条款（含历史）',
    params: ofChannel,
    answers: { 200: { description: 'The oldest first', schema: z.strictObject({ items: z.array(termsRowSchema) }) } },
    handle: async ({ params: { channel } }) => {
      const table = await db.read('channel-terms', (tx) => loadChannelTable(tx, clock.now()));
      return { status: 200, body: { items: historyOf(table, channel) } };
    },
  });
}

const termsBody = z.strictObject({
  validFrom: businessDateSchema.meta({ description: 'A natural day; tomorrow or later' }),
  terms: termsSchema,
  source: textSchema(128).meta({ description: 'The document that says so' }),
});

function addTermsRoute({ clock }: Runtime): Route {
  return route({
    ...operator,
    method: 'PUT',
    path: '/admin/v1/channels/{channel}/terms',
    permission: 'platforms.write',
    summary: 'Gives a channel other terms from a day on; what was in force before stays as it was',
    summaryZh: '新增渠道条款（按生效日）',
    description:
      'The same terms from the same day again change nothing. The limit of 1,000,000.00 of BEPS and IBPS is switched on this way.',
    params: ofChannel,
    body: termsBody,
    answers: { 200: { description: 'The row', schema: termsRowSchema } },
    refusals: ['TERMS_BACKDATED', 'TERMS_EXIST'],
    handle: async ({ params: { channel }, body, tx }) => {
      const row: TermsRow = { channel, ...body };
      const now = clock.now();
      const there = historyOf(await loadChannelTable(tx, now), channel).find(({ validFrom }) => validFrom === row.validFrom);
      const audit = { target: `channel ${channel}`, note: `terms from ${row.validFrom}` };
      if (there !== undefined && JSON.stringify(there.terms) === JSON.stringify(row.terms))
        return { status: 200, body: there, audit };
      if (there !== undefined) throw new Refused(refuse('TERMS_EXIST'));
      if (row.validFrom <= naturalDate(now)) throw new Refused(refuse('TERMS_BACKDATED', undefined, { today: naturalDate(now) }));
      try {
        await addTerms(tx, row);
      } catch (error) {
        if (isDuplicateKey(error)) throw new Refused(refuse('TERMS_EXIST')); // another came between
        throw error;
      }
      return { status: 200, body: row, audit };
    },
  });
}

const outageSchema = z
  .strictObject({
    id: z.string().meta({ example: 'out_2236512894231552003' }),
    channel: channelSchema,
    from: rfc3339Schema,
    to: rfc3339Schema.nullable().meta({ description: 'null: until somebody ends it' }),
    reason: z.string(),
  })
  .meta({ id: 'ChannelOutage' });

function showOutage(outage: Outage): z.input<typeof outageSchema> {
  return { id: toWire('outage', outage.id), channel: outage.channel, ...spanOf(outage), reason: outage.reason };
}

function outagesRoute({ db, clock }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/channel-outages',
    permission: 'platforms.read',
    summary: 'Outages of channels under way and to come, or all since a moment',
    summaryZh: '渠道停运列表',
    query: z.strictObject({
      since: instantSchema.optional().meta({ description: 'Those that were not over then; now when absent' }),
    }),
    answers: {
      200: { description: 'By the time at which they begin', schema: z.strictObject({ items: z.array(outageSchema) }) },
    },
    handle: async ({ query }) => {
      const outages = await db.read('channel-outages', (tx) => outagesSince(tx, query.since ?? clock.now()));
      return { status: 200, body: { items: outages.map(showOutage) } };
    },
  });
}

const outageBody = z.strictObject({
  channel: channelSchema,
  from: instantSchema,
  to: instantSchema.optional().meta({ description: 'Absent: until somebody ends it' }),
  reason: textSchema(200),
});

function addOutageRoute({ clock, newId }: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/channel-outages',
    permission: 'payouts.write',
    summary: 'Announces that a channel is down for a time: nothing is routed over it then, and platforms can read it ahead',
    summaryZh: '登记渠道停运',
    description: 'Of two announcements of the same time both hold; it is down while any of them says so.',
    body: outageBody,
    answers: { 201: { description: 'Announced', schema: outageSchema } },
    refusals: ['OUTAGE_TIMES'],
    handle: async ({ body: { channel, from, to, reason }, caller, tx }) => {
      const nowMs = clock.now();
      if (to !== undefined && (to <= from || to <= nowMs)) throw new Refused(refuse('OUTAGE_TIMES'));
      const outage: Outage = { id: newId(), channel, fromMs: from, toMs: to ?? null, reason };
      await addOutage(tx, outage, { name: caller.name, nowMs });
      const audit = { target: `channel ${channel}`, note: `outage ${toWire('outage', outage.id)}` };
      return { status: 201, body: showOutage(outage), audit };
    },
  });
}

function endOutageRoute({ clock }: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/channel-outages/{outage}/end',
    permission: 'payouts.write',
    summary: 'Ends an outage now, or calls it off before it began',
    summaryZh: '结束渠道停运',
    params: z.strictObject({ outage: wireId('outage') }),
    answers: { 200: { description: 'The outage with its end', schema: outageSchema } },
    refusals: ['NOT_FOUND', 'OUTAGE_OVER'],
    handle: async ({ params, tx }) => {
      const ended = await endOutage(tx, params.outage, clock.now());
      const outage = await findOutage(tx, params.outage);
      if (outage === undefined) throw new Refused(refuse('NOT_FOUND'));
      if (!ended) throw new Refused(refuse('OUTAGE_OVER'));
      return { status: 200, body: showOutage(outage), audit: { target: `channel ${outage.channel}`, note: 'outage ended' } };
    },
  });
}
