import { z } from 'zod';
import { CHANNELS } from '../channels/index.js';
import {
  addDays,
  type BusinessDate,
  type Id,
  parseBusinessDate,
  Refused,
  refuse,
  toWire,
  toWireAmount,
} from '../kernel/index.js';
import { loadBooks } from '../ledger/index.js';
import { PAYOUT_STATES } from '../payouts/index.js';
import {
  businessDateSchema,
  decodeCursor,
  page,
  pageQuery,
  pageSchema,
  type Route,
  type Runtime,
  route,
  type Tx,
  wireId,
} from '../runtime/index.js';
import { NOT_PAID } from './due-rules.js';
import { approveClearing, isHeldOn, type LineWithPayout, listLines, saveHold } from './lines-store.js';
import { type Preview, previewDay } from './previewing.js';
import { askRerun } from './rerun.js';
import { CLEARING_STATES, LINE_STATES } from './states.js';
import { leaveAlone } from './store.js';

const LINES = 'clearing-lines';
const operator = { audience: 'operator', tag: 'Days' } as const;
const DayParams = z.strictObject({ platform: wireId('platform'), date: businessDateSchema });
const PlatformParams = z.strictObject({ platform: wireId('platform') });
const fen = z.int().meta({ description: 'Fen' });

/** The clearing that the close of a day makes: looked at before it is paid, its lines, and those that are to be tried again. */
export function runRoutes(rt: Runtime): Route[] {
  return [previewRoute(rt), approveRoute(rt), linesRoute(rt), rerunRoute(rt), holdRoute()];
}

const previewSchema = z
  .strictObject({
    payingOn: z.string().meta({ description: 'The business date on which it pays' }),
    state: z.enum(CLEARING_STATES).nullable().meta({ description: 'Null: as it would be if the day were closed now' }),
    held: z.boolean().meta({ description: 'Somebody of the bank must have looked at it before it is paid' }),
    approvedBy: z.string().nullable(),
    lines: z.int(),
    due: fen,
    fees: fen,
    net: fen.meta({ description: 'Fen that are paid: due less fees' }),
    banks: z.array(z.strictObject({ bankCode: z.string(), lines: z.int(), due: fen, fees: fen, net: fen })),
    channels: z.strictObject({
      of: z.int().meta({ description: 'The first so many lines were routed, with the floats as we last knew them' }),
      waiting: z.int(),
      items: z.array(z.strictObject({ channel: z.enum(CHANNELS), payouts: z.int(), amount: fen, cost: fen })),
    }),
    notPaid: z.array(z.strictObject({ reason: z.enum(NOT_PAID), accounts: z.int(), available: fen })),
    accounts: z
      .array(
        z.strictObject({
          account: z.string(),
          reason: z.enum(NOT_PAID),
          available: fen,
          until: z.string().nullable().meta({ description: 'When that may be different by itself' }),
        }),
      )
      .meta({ description: 'The first that are not paid' }),
    complete: z.boolean().meta({ description: 'False: there are more accounts than were looked at' }),
  })
  .meta({ id: 'ClearingPreview', description: 'What a clearing pays 出款预览' });

function showPreview(preview: Preview, held: boolean): z.input<typeof previewSchema> {
  const { payingOn, clearing, nets, forecast, notPaid, told, complete } = preview;
  const sum = (of: (net: (typeof nets)[number]) => bigint) => toWireAmount(nets.reduce((total, net) => total + of(net), 0n));
  return {
    payingOn,
    state: clearing?.state ?? null,
    held,
    approvedBy: clearing?.approvedBy ? toWire('operator', clearing.approvedBy) : null,
    lines: nets.reduce((total, { lines }) => total + lines, 0),
    due: sum(({ due }) => due),
    fees: sum(({ fees }) => fees),
    net: sum(({ net }) => net),
    banks: nets.map(({ bankCode, lines, due, fees, net }) => ({
      ...{ bankCode, lines },
      ...{ due: toWireAmount(due), fees: toWireAmount(fees), net: toWireAmount(net) },
    })),
    channels: {
      ...{ of: forecast.of, waiting: forecast.waiting },
      items: forecast.channels.map((each) => ({ ...each, amount: toWireAmount(each.amount), cost: toWireAmount(each.cost) })),
    },
    notPaid: notPaid.map((each) => ({ ...each, available: toWireAmount(each.available) })),
    accounts: told.map(({ accountId, reason, available, until }) => ({
      ...{ account: toWire('account', accountId), reason, available: toWireAmount(available), until },
    })),
    complete,
  };
}

function previewRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/platforms/{platform}/days/{date}/preview',
    permission: 'days.read',
    summary: 'What the close of a day pays: as it was written down, or for the open day as it would be now',
    summaryZh: '出款预览（含未日切营业日试算）',
    params: DayParams,
    answers: { 200: { description: 'The preview', schema: previewSchema } },
    refusals: ['NOT_FOUND', 'CLEARING_NOT_FOUND'],
    handle: async ({ params: { platform: platformId, date } }) => {
      const shown = await rt.db.snapshot('clearing-preview', async (tx) => {
        if (!(await loadBooks(tx, [platformId])).has(platformId)) throw new Refused(refuse('NOT_FOUND'));
        const preview = await previewDay(tx, rt, platformId, date);
        return preview && showPreview(preview, await isHeldOn(tx, platformId, preview.payingOn));
      });
      if (shown === undefined) throw new Refused(refuse('CLEARING_NOT_FOUND'));
      return { status: 200, body: shown };
    },
  });
}

/** Rings for the close after the commit; until then the sweep leaves it alone for as long as it was to wait. */
async function goOn(tx: Tx, platformId: Id, date: BusinessDate): Promise<void> {
  await leaveAlone(tx, platformId, date, 0);
}

function approveRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/platforms/{platform}/days/{date}/approve-preview',
    permission: 'clearings.write',
    summary: 'Lets a clearing be paid that waits for somebody of the bank',
    summaryZh: '审核通过出款预览',
    params: DayParams,
    answers: { 200: { description: 'It goes on', schema: z.strictObject({ approvedBy: z.string() }) } },
    refusals: ['CLEARING_APPROVED'],
    handle: async ({ caller, params: { platform: platformId, date }, tx }) => {
      const of = { platformId, date: addDays(date, 1), by: caller.operatorId, nowMs: rt.clock.now() };
      if (!(await approveClearing(tx, of))) throw new Refused(refuse('CLEARING_APPROVED'));
      await goOn(tx, platformId, date);
      const audit = { target: `clearing of day ${date} of ${toWire('platform', platformId)}` };
      const body = { approvedBy: toWire('operator', caller.operatorId) };
      return { status: 200, body, audit, afterCommit: () => rt.bells.ring('close-day', platformId) };
    },
  });
}

const lineSchema = z
  .strictObject({
    account: z.string(),
    creditedOn: z.string(),
    valueDate: z.string(),
    amount: fen,
    fee: fen,
    state: z.enum(LINE_STATES),
    code: z.string().nullable().meta({ description: 'Why it was refused' }),
    instruction: z.string().nullable(),
    attempt: z.int().meta({ description: 'How often it was tried again' }),
    payoutState: z.enum(PAYOUT_STATES).nullable().meta({
      description: 'How the payout of a posted line stands, which has the number of the instruction; null: there is none',
    }),
  })
  .meta({ id: 'ClearingLine', description: 'What a clearing pays out of one account 清算明细' });

function showLine(line: LineWithPayout): z.input<typeof lineSchema> {
  const { accountId, creditedOn, valueDate, amount, fee, state, code, instructionId, attempt, payoutState } = line;
  return {
    account: toWire('account', accountId),
    ...{ creditedOn, valueDate, amount: toWireAmount(amount), fee: toWireAmount(fee), state, code },
    instruction: instructionId === null ? null : toWire('instruction', instructionId),
    attempt,
    payoutState,
  };
}

/** @throws Refused CURSOR_INVALID */
function placeOf(accountId: string, creditedOn: string) {
  if (!/^[0-9]{1,19}$/.test(accountId) || parseBusinessDate(creditedOn) === undefined)
    throw new Refused(refuse('CURSOR_INVALID'));
  return { accountId, creditedOn };
}

function linesRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/platforms/{platform}/days/{date}/lines',
    permission: 'days.read',
    summary: 'The lines of the clearing of a day and what became of them; filter by state, and by that of the payout',
    summaryZh: '清算明细列表',
    params: DayParams,
    query: z.strictObject({
      ...pageQuery,
      state: z.enum(LINE_STATES).optional(),
      payoutState: z
        .enum(PAYOUT_STATES)
        .optional()
        .meta({ description: 'Lines whose payout stands so; `failed` and `returned` are those that a rerun tries again' }),
    }),
    answers: { 200: { description: 'A page', schema: pageSchema(lineSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ params: { platform: platformId, date }, query: { limit, cursor, state, payoutState } }) => {
      const [accountId, creditedOn] = cursor === undefined ? [] : decodeCursor(LINES, 2, cursor).map(String);
      const after = accountId === undefined || creditedOn === undefined ? undefined : placeOf(accountId, creditedOn);
      const lines = await rt.db.read('clearing-lines', (tx) =>
        listLines(tx, platformId, addDays(date, 1), { state, payoutState, after }, limit + 1),
      );
      return { status: 200, body: page(LINES, lines, limit, (line) => [line.accountId, line.creditedOn], showLine) };
    },
  });
}

function rerunRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/platforms/{platform}/days/{date}/rerun',
    permission: 'clearings.write',
    summary: 'Tries the lines of a clearing again that were refused or whose payouts failed or came back',
    summaryZh: '重跑失败清算明细',
    description:
      'Until the next day is cut off; from then on what is left is in the next clearing. Each line gets a new number and pays what is still due of it; what is posted and on its way is left alone.',
    params: DayParams,
    answers: {
      200: { description: 'There is none', schema: z.strictObject({ lines: z.int() }) },
      202: { description: 'So many are tried again', schema: z.strictObject({ lines: z.int() }) },
    },
    refusals: ['NOT_FOUND', 'CLEARING_NOT_FOUND', 'CLEARING_UNDER_WAY', 'CLEARING_OVERTAKEN'],
    handle: async ({ params: { platform: platformId, date }, tx }) => {
      if (!(await loadBooks(tx, [platformId])).has(platformId)) throw new Refused(refuse('NOT_FOUND'));
      const lines = await askRerun(tx, rt, platformId, addDays(date, 1));
      const audit = { target: `clearing of day ${date} of ${toWire('platform', platformId)}`, note: `${lines} lines` };
      return {
        ...{ status: lines === 0 ? 200 : 202, body: { lines }, audit },
        afterCommit: () => rt.bells.ring('close-day', platformId),
      };
    },
  });
}

const holdSchema = z.strictObject({
  validFrom: businessDateSchema.meta({ description: 'Clearings that pay on this business date or later' }),
  held: z.boolean().meta({ description: 'True: somebody of the bank looks at each before it is paid' }),
});

function holdRoute(): Route {
  return route({
    ...operator,
    method: 'PUT',
    path: '/admin/v1/platforms/{platform}/clearing-hold',
    permission: 'clearings.write',
    summary: 'Says from when on clearings of a platform are looked at before they are paid, or no longer',
    summaryZh: '设置出款前人工审核（按生效日）',
    params: PlatformParams,
    body: holdSchema,
    answers: { 200: { description: 'As it is kept', schema: holdSchema } },
    refusals: ['NOT_FOUND', 'HOLD_BACKDATED'],
    handle: async ({ caller, params: { platform: platformId }, body, tx }) => {
      const book = (await loadBooks(tx, [platformId])).get(platformId);
      if (book === undefined) throw new Refused(refuse('NOT_FOUND'));
      if (body.validFrom <= book.businessDate)
        throw new Refused(refuse('HOLD_BACKDATED', undefined, { open: book.businessDate }));
      await saveHold(tx, { platformId, ...body, setBy: caller.operatorId });
      const audit = { target: toWire('platform', platformId), note: `clearings held: ${body.held} from ${body.validFrom}` };
      return { status: 200, body, audit };
    },
  });
}
