import { z } from 'zod';
import { findInstructions, parseInstruction } from '../instructions/index.js';
import { Refused, refuse, toRfc3339, toWire } from '../kernel/index.js';
import { loadBooks } from '../ledger/index.js';
import {
  businessDateSchema,
  idAfter,
  page,
  pageQuery,
  pageSchema,
  type Route,
  type Runtime,
  requestNo,
  rfc3339Schema,
  route,
  textSchema,
  wireId,
} from '../runtime/index.js';
import { approveLate, declineLate, proposeLate } from './late.js';
import { LATE_STATES, type LateCorrection, lateOfDay } from './late-store.js';

const LIST = 'late-corrections';
const operator = { audience: 'operator', tag: 'Days' } as const;

const lateSchema = z
  .strictObject({
    id: z.string(),
    valueDate: z.string().meta({ description: 'The day that it counts for 起息日' }),
    requestNo: z.string(),
    kind: z.string(),
    reason: z.string(),
    state: z.enum(LATE_STATES),
    instruction: z.string().nullable(),
    outcome: z.string().nullable().meta({ description: 'posted, or the code of the refusal; null: not decided yet' }),
    businessDate: z.string().nullable().meta({ description: 'The date on which it was posted' }),
    proposedBy: z.string(),
    proposedAt: rfc3339Schema,
    decidedBy: z.string().nullable(),
    decidedAt: rfc3339Schema.nullable(),
  })
  .meta({ id: 'LateCorrection', description: 'An instruction that counts for a day that is over 补记' });

type Posted = { readonly outcome: string | null; readonly businessDate: string | null };
const UNDECIDED: Posted = { outcome: null, businessDate: null };

function show({ vault }: Pick<Runtime, 'vault'>, late: LateCorrection, posted = UNDECIDED): z.input<typeof lateSchema> {
  return {
    id: toWire('late-correction', late.id),
    valueDate: late.valueDate,
    requestNo: late.requestNo,
    kind: late.kind,
    reason: vault.read(late.reasonSealed),
    state: late.state,
    instruction: late.instructionId === null ? null : toWire('instruction', late.instructionId),
    ...posted,
    proposedBy: toWire('operator', late.proposedBy),
    proposedAt: toRfc3339(late.proposedMs),
    decidedBy: late.decidedBy === null ? null : toWire('operator', late.decidedBy),
    decidedAt: late.decidedMs === null ? null : toRfc3339(late.decidedMs),
  };
}

/** Corrections of days that are over: one of the staff proposes, another approves. */
export function lateRoutes(rt: Runtime): Route[] {
  return [proposeRoute(rt), listRoute(rt), approveRoute(rt), declineRoute(rt)];
}

const DayParams = z.strictObject({ platform: wireId('platform'), date: businessDateSchema });
const bodySchema = z.strictObject({
  requestNo,
  kind: z.string().max(24),
  data: z.record(z.string(), z.unknown()),
  reason: textSchema(256),
});

function proposeRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/platforms/{platform}/days/{date}/late-corrections',
    permission: 'late-corrections.write',
    summary: 'Proposes an instruction that counts for a day that is over',
    summaryZh: '发起已过营业日的补记或冲正',
    description:
      'Kind and data are those of an instruction of the bank. It is posted on the open date; the closed day stays as it is.',
    params: DayParams,
    body: bodySchema,
    answers: { 201: { description: 'Proposed', schema: lateSchema } },
    refusals: [
      'NOT_FOUND',
      'DAY_NOT_OVER',
      'DAY_BEFORE_FIRST',
      'LATE_CORRECTION_OTHER_DAY',
      'LATE_CORRECTION_REUSED',
      'KIND_NOT_PERMITTED',
    ],
    handle: async ({ caller, params: { platform: platformId, date }, body: { reason, ...asked }, tx }) => {
      if (!(await loadBooks(tx, [platformId])).has(platformId)) throw new Refused(refuse('NOT_FOUND'));
      const parsed = parseInstruction(asked, 'O');
      const late = await proposeLate(tx, rt, { platformId, date, by: caller.operatorId }, { ...parsed, reason });
      return { status: 201, body: show(rt, late), audit: { target: toWire('late-correction', late.id) } };
    },
  });
}

function listRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/platforms/{platform}/days/{date}/late-corrections',
    permission: 'days.read',
    summary: 'What was proposed and posted for a day after it was over',
    summaryZh: '营业日补记列表',
    params: DayParams,
    query: z.strictObject(pageQuery),
    answers: { 200: { description: 'A page', schema: pageSchema(lateSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ params: { platform: platformId, date }, query }) => {
      const after = idAfter(LIST, query.cursor);
      const { rows, outcomes } = await rt.db.read('late-corrections', async (tx) => {
        const found = await lateOfDay(tx, { platformId, valueDate: date, after }, query.limit + 1);
        const ids = found.flatMap(({ instructionId }) => instructionId ?? []);
        return { rows: found, outcomes: await findInstructions(tx, ids) };
      });
      const shown = (late: LateCorrection) => {
        const outcome = late.instructionId === null ? undefined : outcomes.get(late.instructionId)?.outcome;
        return show(
          rt,
          late,
          outcome ? { outcome: outcome.code ?? outcome.state, businessDate: outcome.businessDate } : UNDECIDED,
        );
      };
      return { status: 200, body: page(LIST, rows, query.limit, (row) => [row.id], shown) };
    },
  });
}

const OneParams = z.strictObject({ late: wireId('late-correction') });

function approveRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/late-corrections/{late}/approve',
    permission: 'late-corrections.write',
    summary: 'Approves a late correction that another proposed; its instruction is given',
    summaryZh: '复核通过补记',
    params: OneParams,
    answers: { 200: { description: 'Approved; the instruction is decided afterwards', schema: lateSchema } },
    refusals: ['NOT_FOUND', 'SAME_OPERATOR', 'LATE_CORRECTION_DECIDED', 'REQUEST_NO_REUSED'],
    handle: async ({ caller, params, tx }) => {
      const { late, shardId } = await approveLate(tx, rt, params.late, caller.operatorId);
      return {
        status: 200,
        body: show(rt, late),
        audit: { target: toWire('late-correction', late.id) },
        afterCommit: () => rt.bells.ring('execute-shard', String(shardId)),
      };
    },
  });
}

function declineRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/late-corrections/{late}/decline',
    permission: 'late-corrections.write',
    summary: 'Declines a late correction',
    summaryZh: '驳回补记',
    params: OneParams,
    answers: { 200: { description: 'Declined', schema: lateSchema } },
    refusals: ['NOT_FOUND', 'LATE_CORRECTION_DECIDED'],
    handle: async ({ caller, params, tx }) => {
      const late = await declineLate(tx, rt, params.late, caller.operatorId);
      return { status: 200, body: show(rt, late), audit: { target: toWire('late-correction', late.id) } };
    },
  });
}
