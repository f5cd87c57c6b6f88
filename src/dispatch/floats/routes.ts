import { z } from 'zod';
import { type ChannelCode, hasFloat, PAYING_CHANNELS } from '../../channels/index.js';
import { asId, type Id, type Minor, Refused, refuse, toRfc3339, toWire, toWireMoney, WIRE_MAX } from '../../kernel/index.js';
import {
  idAfter,
  moneySchema,
  ONE_PLACE,
  page,
  pageQuery,
  pageSchema,
  type Route,
  type Runtime,
  rfc3339Schema,
  route,
  shownMoneySchema,
  textSchema,
  wireId,
} from '../../runtime/index.js';
import { outlooks } from './forecast.js';
import { forecastOf, type Outlook } from './rules.js';
import { FLOAT_TRANSFER_STATES } from './states.js';
import { type BookedEntry, FLOAT_ENTRY_KINDS, type Float, listEntries, loadFloats, setAlert } from './store.js';
import { type FloatTransfer, listTransfers, SYSTEM } from './transfer-store.js';
import { approveTransfer, proposeTransfer, rejectTransfer } from './transfers.js';

const operator = { audience: 'operator', tag: 'Channels' } as const;
const FLOAT_CHANNELS = PAYING_CHANNELS.filter(hasFloat);
const channelSchema = z.enum(FLOAT_CHANNELS as [ChannelCode, ...ChannelCode[]]);
const showOrNull = (amount: Minor | null) => (amount === null ? null : toWireMoney(amount));

/** The bank's own money in channels, and moving it between them: one person proposes, another approves. */
export function floatRoutes(rt: Runtime): Route[] {
  return [
    listRoute(rt),
    entriesRoute(rt),
    alertRoute(rt),
    transferListRoute(rt),
    proposeRoute(rt),
    ...(['approve', 'reject'] as const).map((how) => decideRoute(rt, how)),
  ];
}

const floatSchema = z
  .strictObject({
    channel: channelSchema,
    balance: shownMoneySchema,
    reserved: shownMoneySchema.meta({
      description: 'For payouts that go by it and are not final, and for transfers that were approved',
    }),
    free: shownMoneySchema,
    alertBelow: shownMoneySchema.nullable(),
    told: shownMoneySchema.nullable().meta({ description: 'What the channel itself last said was free' }),
    toldAt: rfc3339Schema.nullable().meta({ description: 'Real time, also in a sandbox: channels are asked by it' }),
    difference: shownMoneySchema.nullable().meta({ description: 'What it told less what it should have' }),
    differsSince: rfc3339Schema.nullable().meta({ description: 'Real time, also in a sandbox' }),
    forecast: z.strictObject({
      unrouted: shownMoneySchema.meta({
        description: 'Created, without a channel yet, and would go by this one if floats had no end',
      }),
      usual: shownMoneySchema.meta({ description: 'The average of the last four natural days of this type, working or not' }),
      wentOut: shownMoneySchema.meta({ description: 'Today, up to now' }),
      free: shownMoneySchema.meta({ description: 'free − unrouted − (usual − wentOut, if above zero)' }),
    }),
  })
  .meta({ id: 'ChannelFloat', description: "The bank's own money in a channel 备付金" });

function showFloat({ told, toldMs, differsMs, ...float }: Float, outlook: Outlook): z.input<typeof floatSchema> {
  return {
    channel: float.channel,
    balance: toWireMoney(float.balance),
    reserved: toWireMoney(float.reserved),
    free: toWireMoney(float.balance - float.reserved),
    alertBelow: showOrNull(float.alertBelow),
    told: showOrNull(told),
    toldAt: toldMs === null ? null : toRfc3339(toldMs),
    difference: showOrNull(float.difference),
    differsSince: differsMs === null ? null : toRfc3339(differsMs),
    forecast: {
      unrouted: toWireMoney(outlook.unrouted),
      usual: toWireMoney(outlook.usual),
      wentOut: toWireMoney(outlook.wentOut),
      free: toWireMoney(forecastOf(outlook)),
    },
  };
}

function listRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/floats',
    permission: 'payouts.read',
    summary: "The bank's own money in each channel, and whether it suffices for the rest of the day",
    summaryZh: '各通道备付金与当日预测',
    answers: { 200: { description: 'Every float that is known', schema: z.strictObject({ items: z.array(floatSchema) }) } },
    handle: async () => {
      const known = await outlooks(rt);
      const floats = await rt.db.read('floats', loadFloats);
      const items = known.flatMap((outlook) => {
        const float = floats.get(outlook.channel);
        return float === undefined ? [] : [showFloat(float, outlook)];
      });
      return { status: 200, body: { items } };
    },
  });
}

const entrySchema = z
  .strictObject({
    id: z.string(),
    kind: z.enum(FLOAT_ENTRY_KINDS),
    amount: shownMoneySchema,
    balanceAfter: shownMoneySchema,
    payments: z.int().meta({ description: 'How many payouts it is the sum of' }),
    transfer: z.string().nullable(),
    at: rfc3339Schema,
  })
  .meta({ id: 'FloatEntry' });

function showEntry(entry: BookedEntry): z.input<typeof entrySchema> {
  return {
    id: toWire('float-entry', entry.id),
    kind: entry.kind,
    amount: toWireMoney(entry.amount),
    balanceAfter: toWireMoney(entry.balanceAfter),
    payments: entry.payments,
    transfer: entry.transferId === undefined ? null : toWire('float-transfer', entry.transferId),
    at: toRfc3339(entry.atMs),
  };
}

function entriesRoute({ db }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/floats/{channel}/entries',
    permission: 'payouts.read',
    summary: 'What happened to the float of a channel, the latest first',
    summaryZh: '通道备付金明细',
    params: z.strictObject({ channel: channelSchema }),
    query: z.strictObject(pageQuery),
    answers: { 200: { description: 'A page', schema: pageSchema(entrySchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ params: { channel }, query: { limit, cursor } }) => {
      const list = `float-entries ${channel}`;
      const before = idAfter(list, cursor);
      const rows = await db.read('float-entries', (tx) => listEntries(tx, { channel, before }, limit + 1));
      return { status: 200, body: page(list, rows, limit, ({ id }) => [id], showEntry) };
    },
  });
}

function alertRoute({ clock }: Runtime): Route {
  return route({
    ...operator,
    method: 'PUT',
    path: '/admin/v1/floats/{channel}/alert',
    permission: 'floats.write',
    summary: 'Sets below how much free money in a channel people are told; null: never',
    summaryZh: '设置备付金预警线',
    params: z.strictObject({ channel: channelSchema }),
    body: z.strictObject({
      below: z.strictObject({ amount: z.int().min(0).max(Number(WIRE_MAX)), currency: z.literal('CNY') }).nullable(),
    }),
    answers: {
      200: {
        description: 'The mark',
        schema: z.strictObject({ channel: channelSchema, alertBelow: shownMoneySchema.nullable() }),
      },
    },
    refusals: ['FLOAT_UNKNOWN'],
    handle: async ({ params: { channel }, body: { below }, tx }) => {
      const mark = below === null ? null : BigInt(below.amount);
      if (!(await setAlert(tx, channel, mark, clock.now()))) throw new Refused(refuse('FLOAT_UNKNOWN', undefined, { channel }));
      return { status: 200, body: { channel, alertBelow: below }, audit: { target: `float ${channel}` } };
    },
  });
}

const place = channelSchema.nullable().meta({ description: "null: the bank's own vault" });
const transferSchema = z
  .strictObject({
    id: z.string(),
    from: place,
    to: place,
    amount: shownMoneySchema,
    reason: z.string(),
    state: z.enum(FLOAT_TRANSFER_STATES),
    proposedBy: z.string().meta({ description: 'An operator, or `system`' }),
    proposedAt: rfc3339Schema,
    decidedBy: z.string().nullable(),
    decidedAt: rfc3339Schema.nullable(),
    note: z.string().nullable().meta({ description: 'What the second person said, or the core bank when it did not move it' }),
    endedAt: rfc3339Schema.nullable(),
  })
  .meta({ id: 'FloatTransfer', description: '备付金调拨' });

function showTransfer(transfer: FloatTransfer): z.input<typeof transferSchema> {
  const { proposedBy, decidedBy, decidedMs, endedMs } = transfer;
  return {
    id: toWire('float-transfer', transfer.id),
    from: transfer.from,
    to: transfer.to,
    amount: toWireMoney(transfer.amount),
    reason: transfer.reason,
    state: transfer.state,
    proposedBy: proposedBy === SYSTEM ? SYSTEM : toWire('operator', asId(proposedBy)),
    proposedAt: toRfc3339(transfer.proposedMs),
    decidedBy: decidedBy === null ? null : toWire('operator', asId(decidedBy)),
    decidedAt: decidedMs === null ? null : toRfc3339(decidedMs),
    note: transfer.note,
    endedAt: endedMs === null ? null : toRfc3339(endedMs),
  };
}

const TRANSFERS = 'float-transfers';

function transferListRoute({ db }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/float-transfers',
    permission: 'payouts.read',
    summary: 'Transfers between floats, the latest first',
    summaryZh: '备付金调拨列表',
    query: z.strictObject({ state: z.enum(FLOAT_TRANSFER_STATES).optional(), ...pageQuery }),
    answers: { 200: { description: 'A page', schema: pageSchema(transferSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ query: { state, limit, cursor } }) => {
      const before = idAfter(TRANSFERS, cursor);
      const rows = await db.read('float-transfers', (tx) => listTransfers(tx, { state, before }, limit + 1));
      return { status: 200, body: page(TRANSFERS, rows, limit, ({ id }) => [id], showTransfer) };
    },
  });
}

function proposeRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/float-transfers',
    permission: 'floats.write',
    summary: "Proposes to move the bank's own money between channels, or between one and its vault",
    summaryZh: '提出备付金调拨',
    body: z
      .strictObject({ from: place, to: place, amount: moneySchema, reason: textSchema(200) })
      .refine(({ from, to }) => from !== to, { error: 'must lead from one place to another', path: ['to'] }),
    answers: { 201: { description: 'Proposed; another person has to approve it', schema: transferSchema } },
    refusals: ['FLOAT_UNKNOWN', 'FLOAT_TRANSFER_OPEN'],
    handle: async ({ body: { from, to, amount, reason }, caller, tx }) => {
      const wanted = { from, to, amount: amount.amount, reason, proposedBy: caller.operatorId };
      const transfer = await proposeTransfer(tx, rt, wanted);
      return { status: 201, body: showTransfer(transfer), audit: { target: targetOf(transfer.id) } };
    },
  });
}

function targetOf(id: Id): string {
  return `float-transfer ${toWire('float-transfer', id)}`;
}

const WORDS = {
  approve: {
    summary: 'Approves what another proposed; the money is reserved at once and moved by the worker',
    summaryZh: '复核通过调拨',
    decide: approveTransfer,
    refusals: ['FLOAT_INSUFFICIENT'],
  },
  reject: { summary: 'Rejects what another proposed', summaryZh: '否决调拨', decide: rejectTransfer, refusals: [] },
} as const;

function decideRoute({ clock, bells }: Runtime, how: keyof typeof WORDS): Route {
  const { summary, summaryZh, decide, refusals } = WORDS[how];
  return route({
    ...operator,
    method: 'POST',
    path: `/admin/v1/float-transfers/{transfer}/${how}`,
    permission: 'floats.write',
    summary,
    summaryZh,
    params: z.strictObject({ transfer: wireId('float-transfer') }),
    body: z.strictObject({ note: textSchema(200).optional() }),
    answers: { 200: { description: 'Decided', schema: transferSchema } },
    refusals: ['NOT_FOUND', 'SAME_OPERATOR', 'FLOAT_TRANSFER_DECIDED', ...refusals],
    handle: async ({ params, body, caller, tx }) => {
      const decision = { id: params.transfer, by: caller.operatorId, note: body.note ?? null };
      const transfer = await decide(tx, decision, clock.now());
      return {
        status: 200,
        body: showTransfer(transfer),
        audit: { target: targetOf(transfer.id) },
        afterCommit: () => bells.ring('sweep', ONE_PLACE),
      };
    },
  });
}
