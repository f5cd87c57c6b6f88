import { z } from 'zod';
import {
  addDays,
  type BusinessDate,
  type Id,
  parseBusinessDate,
  Refused,
  refuse,
  startOfDay,
  toRfc3339,
  toWire,
  toWireAmount,
} from '../kernel/index.js';
import { loadBooks } from '../ledger/index.js';
import {
  type Answer,
  businessDateSchema,
  decodeCursor,
  page,
  pageQuery,
  pageSchema,
  preferredWaitMs,
  type Route,
  type Runtime,
  rfc3339Schema,
  route,
  type Tx,
  wireId,
} from '../runtime/index.js';
import { dayToClose } from './close.js';
import { lateRoutes } from './late-routes.js';
import { findClearing } from './lines-store.js';
import { type Progress, progressOf } from './rules.js';
import { runRoutes } from './run-routes.js';
import { DAY_STATES, STEP_NAMES, STEP_STATES, STEPS, type Step } from './states.js';
import { changeDay, type Day, daysFrom, findDay, listDays, type StepRow, stepsOf } from './store.js';

const stepSchema = z.strictObject({
  step: z.enum(STEPS),
  nameZh: z.string(),
  state: z.enum(STEP_STATES),
  startedAt: rfc3339Schema.nullable(),
  finishedAt: rfc3339Schema.nullable(),
  detail: z.record(z.string(), z.unknown()).nullable(),
});

const daySchema = z
  .strictObject({
    businessDate: z.string(),
    state: z.enum(DAY_STATES),
    custody: z.int().nullable().meta({ description: 'Fen in the custody account by our books, at the cut-off' }),
    subAccounts: z.int().nullable().meta({ description: 'Fen on all other accounts together, at the cut-off' }),
    control: z.int().nullable().meta({ description: 'Fen by the control total, kept from movements over the wall alone' }),
    statement: z
      .strictObject({ opening: z.int(), closing: z.int(), lines: z.int() })
      .nullable()
      .meta({ description: "The bank's statement of the day, in fen" }),
    reason: z.string().nullable().meta({ description: 'Why it waits or stopped' }),
    openedAt: rfc3339Schema,
    cutAt: rfc3339Schema.nullable(),
    closedAt: rfc3339Schema.nullable(),
  })
  .meta({ id: 'Day', description: 'A business day 营业日' });

const progressSchema = z
  .strictObject({
    step: z.enum(STEPS),
    stage: z.enum(['written', 'decided', 'sent']),
    done: z.int(),
    total: z.int().nullable().meta({ description: 'While lines are written: about so many' }),
    perSecond: z.number().nullable(),
    secondsLeft: z.int().nullable().meta({ description: 'At the pace that it has had' }),
  })
  .meta({ id: 'CloseProgress', description: 'How far the lines of a clearing are' });

const dayWithStepsSchema = daySchema
  .extend({
    steps: z.array(stepSchema),
    progress: progressSchema.nullable().meta({ description: 'Of the step that is at work on lines' }),
  })
  .meta({ id: 'DayWithSteps' });

function showDay(day: Day): z.input<typeof daySchema> {
  const fen = (amount: bigint | null) => (amount === null ? null : toWireAmount(amount));
  const time = (at: Day['cutMs']) => (at === null ? null : toRfc3339(at));
  const { statement } = day;
  return {
    businessDate: day.date,
    state: day.state,
    custody: fen(day.custody),
    subAccounts: fen(day.children),
    control: fen(day.control),
    statement: statement && {
      opening: toWireAmount(statement.opening),
      closing: toWireAmount(statement.closing),
      lines: statement.lines,
    },
    reason: day.reason,
    openedAt: toRfc3339(day.openedMs),
    cutAt: time(day.cutMs),
    closedAt: time(day.closedMs),
  };
}

const WITH_LINES: readonly string[] = ['due', 'payouts'];

/** A day with what is known of its close. */
export interface DayWithSteps {
  readonly day: Day;
  readonly steps: readonly StepRow[];
  readonly progress: (Progress & { readonly step: Step }) | null;
}

export async function dayWithSteps(
  tx: Tx,
  rt: Pick<Runtime, 'clock'>,
  platformId: Id,
  date: BusinessDate,
): Promise<DayWithSteps> {
  const day = await requireDay(tx, platformId, date);
  const steps = (await stepsOf(tx, platformId, date)).map((row) => (mayRunAgain(day, row) ? asAgain(row) : row));
  const step = steps.find(({ state }) => state !== 'done')?.step;
  const clearing =
    step !== undefined && WITH_LINES.includes(step) ? await findClearing(tx, platformId, addDays(date, 1)) : undefined;
  const progress = step === undefined || clearing === undefined ? null : { step, ...progressOf(clearing, rt.clock.wall()) };
  return { day, steps, progress };
}

/** Where the close goes on, the step at which it had stopped is what it does next. */
const mayRunAgain = (day: Day, { state }: StepRow): boolean => day.state === 'closing' && state === 'stopped';
const asAgain = (row: StepRow): StepRow => ({ ...row, state: 'running', finishedMs: null });

function showDayWithSteps({ day, steps, progress }: DayWithSteps): z.input<typeof dayWithStepsSchema> {
  const time = (at: StepRow['startedMs']) => (at === null ? null : toRfc3339(at));
  return {
    ...showDay(day),
    steps: steps.map(({ step, state, startedMs, finishedMs, detail }) => ({
      step,
      nameZh: STEP_NAMES[step].zh,
      state,
      startedAt: time(startedMs),
      finishedAt: time(finishedMs),
      detail,
    })),
    progress,
  };
}

const PlatformParams = z.strictObject({ platform: wireId('platform') });
const DayParams = z.strictObject({ platform: wireId('platform'), date: businessDateSchema });
const LIST = 'days';
const operator = { audience: 'operator', tag: 'Days' } as const;
const platform = { audience: 'platform', tag: 'Days' } as const;

/** Business days, as platforms see theirs and the bank's staff runs them. */
export function clearingRoutes(rt: Runtime): Route[] {
  return [
    listRoute(rt),
    readRoute(rt),
    adminListRoute(rt),
    adminReadRoute(rt),
    closeRoute(rt),
    resumeRoute(rt),
    ...runRoutes(rt),
    ...lateRoutes(rt),
  ];
}

async function pageOfDays(
  { db }: Runtime,
  platformId: Id,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<Answer> {
  const before = cursor === undefined ? undefined : parseBusinessDate(String(decodeCursor(LIST, 1, cursor)[0]));
  if (cursor !== undefined && before === undefined) throw new Refused(refuse('CURSOR_INVALID'));
  const days = await db.read('days', (tx) => listDays(tx, platformId, before, limit + 1));
  return { status: 200, body: page(LIST, days, limit, (day) => [day.date], showDay) };
}

/** @throws Refused NOT_FOUND */
async function requireDay(tx: Tx, platformId: Id, date: BusinessDate): Promise<Day> {
  const day = (await findDay(tx, platformId, date)) ?? (await firstDay(tx, platformId, date));
  if (day === undefined) throw new Refused(refuse('NOT_FOUND'));
  return day;
}

/** The first day of a platform has no row until it is cut off. */
async function firstDay(tx: Tx, platformId: Id, date: BusinessDate): Promise<Day | undefined> {
  const book = (await loadBooks(tx, [platformId])).get(platformId);
  if (book?.businessDate !== date) return undefined;
  const nothing = { custody: null, children: null, control: null, statement: null, reason: null, cutMs: null, closedMs: null };
  return { platformId, date, state: 'open', attempts: 0, openedMs: startOfDay(date), ...nothing };
}

function listRoute(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/days',
    summary: 'Business days, latest first',
    summaryZh: '营业日列表',
    query: z.strictObject(pageQuery),
    answers: { 200: { description: 'A page', schema: pageSchema(daySchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: ({ caller, query }) => pageOfDays(rt, caller.platformId, query),
  });
}

function readRoute({ db }: Runtime): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/days/{date}',
    summary: 'One business day',
    summaryZh: '营业日详情',
    params: z.strictObject({ date: businessDateSchema }),
    answers: { 200: { description: 'The day', schema: daySchema } },
    refusals: ['NOT_FOUND'],
    handle: async ({ caller, params }) => ({
      status: 200,
      body: showDay(await db.read('day', (tx) => requireDay(tx, caller.platformId, params.date))),
    }),
  });
}

function adminListRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/platforms/{platform}/days',
    permission: 'days.read',
    summary: "A platform's business days, latest first",
    summaryZh: '平台营业日列表',
    params: PlatformParams,
    query: z.strictObject(pageQuery),
    answers: { 200: { description: 'A page', schema: pageSchema(daySchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: ({ params, query }) => pageOfDays(rt, params.platform, query),
  });
}

function readWithSteps(rt: Runtime, platformId: Id, date: BusinessDate) {
  return rt.db.read('day-with-steps', async (tx) => showDayWithSteps(await dayWithSteps(tx, rt, platformId, date)));
}

function adminReadRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/platforms/{platform}/days/{date}',
    permission: 'days.read',
    summary: 'One business day with the steps of its close',
    summaryZh: '营业日及日终步骤',
    params: DayParams,
    answers: { 200: { description: 'The day', schema: dayWithStepsSchema } },
    refusals: ['NOT_FOUND'],
    handle: async ({ params }) => ({ status: 200, body: await readWithSteps(rt, params.platform, params.date) }),
  });
}

const LOOK_EVERY_MS = 10;

/**
 * Rings for the worker, who alone has channels, and looks until the close is over. It changes the answer that stands: it runs
 * after the operator's change is committed, because nobody waits inside a database transaction.
 */
async function awaitClose(
  rt: Runtime,
  { platformId, date, waitMs }: { platformId: Id; date: BusinessDate; waitMs: number },
  answer: { status: number; body: unknown },
) {
  await rt.bells.ring('close-day', platformId);
  const until = rt.clock.wall() + waitMs;
  while (rt.clock.wall() < until) {
    await new Promise((resume) => setTimeout(resume, LOOK_EVERY_MS));
    const days = await rt.db.read('day-states', (tx) => daysFrom(tx, platformId, addDays(date, -1)));
    const state = days.get(date)?.state;
    if (state === 'closed' || state === 'stopped') answer.status = 200;
    else if (days.get(addDays(date, -1))?.state !== 'stopped') continue; // else it cannot begin
    break;
  }
  answer.body = await readWithSteps(rt, platformId, date);
}

/** The answer as it stands, and what makes it the final one after the commit. */
function answerWhenOver(
  rt: Runtime,
  of: Parameters<typeof awaitClose>[1],
  answer: Parameters<typeof awaitClose>[2],
  audit: NonNullable<Answer['audit']>,
): Answer {
  return Object.assign(answer, { audit, afterCommit: () => awaitClose(rt, of, answer) });
}

const overOrNot = {
  200: { description: 'The close is over: closed or stopped', schema: dayWithStepsSchema },
  202: { description: 'It is under way', schema: dayWithStepsSchema },
};

function closeRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/platforms/{platform}/days/{date}/close',
    permission: 'days.write',
    summary: 'Closes a business day that is over',
    summaryZh: '日终',
    description:
      'With `Prefer: wait=N` (up to 30 seconds) it answers when the close is over. Closing a day twice changes nothing.',
    params: DayParams,
    answers: overOrNot,
    refusals: ['NOT_FOUND', 'DAY_NOT_DUE', 'DAY_STOPPED'],
    handle: async ({ params: { platform: platformId, date }, headers, tx }) => {
      if (!(await loadBooks(tx, [platformId])).has(platformId)) throw new Refused(refuse('NOT_FOUND'));
      const may = await dayToClose(rt, tx, platformId, date);
      if (typeof may !== 'string') throw new Refused(may);
      const audit = { target: `day ${date} of ${toWire('platform', platformId)}` };
      const body = showDayWithSteps(await dayWithSteps(tx, rt, platformId, date));
      if (may === 'closed') return { status: 200, body, audit };
      return answerWhenOver(rt, { platformId, date, waitMs: preferredWaitMs(headers.prefer, 0) }, { status: 202, body }, audit);
    },
  });
}

function resumeRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/platforms/{platform}/days/{date}/resume',
    permission: 'days.write',
    summary: 'Goes on with a close that stopped, when its cause is gone',
    summaryZh: '恢复日终',
    description:
      'The step that stopped runs again: after breaks the proof; if it fails again the day stops again, and nothing is paid.',
    params: DayParams,
    answers: overOrNot,
    refusals: ['NOT_FOUND', 'DAY_NOT_STOPPED'],
    handle: async ({ params: { platform: platformId, date }, headers, tx }) => {
      await requireDay(tx, platformId, date);
      const change = { from: 'stopped', to: 'closing', reason: null, attempts: 0, retryMs: 0, closedMs: null } as const;
      if (!(await changeDay(tx, platformId, date, change))) throw new Refused(refuse('DAY_NOT_STOPPED'));
      const body = showDayWithSteps(await dayWithSteps(tx, rt, platformId, date));
      const audit = { target: `day ${date} of ${toWire('platform', platformId)}` };
      return answerWhenOver(rt, { platformId, date, waitMs: preferredWaitMs(headers.prefer, 0) }, { status: 202, body }, audit);
    },
  });
}
