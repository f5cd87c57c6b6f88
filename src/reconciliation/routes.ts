import { z } from 'zod';
import { Refused, refuse, toRfc3339, toWire, toWireAmount } from '../kernel/index.js';
import {
  bankCodeSchema,
  businessDateSchema,
  idAfter,
  page,
  pageQuery,
  pageSchema,
  type Route,
  type Runtime,
  route,
  type Tx,
  textSchema,
  wireId,
} from '../runtime/index.js';
import { isOnStaff, repairsOf } from './case-store.js';
import { platformFileRoutes } from './file-routes.js';
import { suggestionsFor } from './repair-rules.js';
import { approveRepair, factsOf, own, proposeRepair, rejectRepair, requireBreak } from './repairs.js';
import { BREAK_CLASSES, overdueSince, PARTIES } from './rules.js';
import { runsOf } from './run-store.js';
import { type Break, keptLines, listBreaks } from './store.js';
import {
  breakSchema,
  repairSchema,
  runSchema,
  showBreak,
  showRepair,
  showRun,
  showSuggestion,
  suggestionSchema,
} from './wire.js';

const Params = z.strictObject({ break: wireId('break') });
const RepairParams = z.strictObject({ break: wireId('break'), repair: wireId('repair') });
const LIST = 'breaks';
const operator = { audience: 'operator', tag: 'Breaks' } as const;
const writing = { ...operator, permission: 'breaks.write' } as const;
const reading = { ...operator, permission: 'breaks.read' } as const;

/** Breaks, as the bank's staff works them off, and what each comparison found. */
export function reconciliationRoutes(rt: Runtime): Route[] {
  return [
    listRoute(rt),
    readRoute(rt),
    takeRoute(rt),
    assignRoute(rt),
    proposeRoute(rt),
    approveRoute(rt),
    rejectRoute(rt),
    evidenceRoute(rt),
    ...platformFileRoutes(rt),
  ];
}

function listRoute({ db, clock, vault }: Runtime): Route {
  return route({
    ...reading,
    method: 'GET',
    path: '/admin/v1/breaks',
    summary: 'Breaks in the order they were found',
    summaryZh: '差错列表',
    query: z.strictObject({
      platform: wireId('platform').optional(),
      party: z.enum(PARTIES).optional(),
      state: z.enum(['open', 'closed']).optional(),
      class: z.enum(BREAK_CLASSES).optional(),
      businessDate: businessDateSchema.optional(),
      owner: wireId('operator').optional(),
      overdue: z.literal('true').optional().meta({ description: 'Only those that are open for too long' }),
      ...pageQuery,
    }),
    answers: { 200: { description: 'A page', schema: pageSchema(breakSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ query: { platform: platformId, limit, cursor, overdue, ...rest } }) => {
      const nowMs = clock.now();
      const late = overdue === undefined ? {} : { openedUntil: overdueSince(nowMs), state: 'open' as const };
      const filter = { platformId, after: idAfter(LIST, cursor), ...rest, ...late };
      const rows = await db.read('breaks', (tx) => listBreaks(tx, filter, limit + 1));
      const shown = page(
        LIST,
        rows,
        limit,
        (row) => [row.id],
        (row) => showBreak(vault, row, nowMs),
      );
      return { status: 200, body: shown };
    },
  });
}

const fen = z.int().meta({ description: 'Fen' });
const caseSchema = z.strictObject({
  ...breakSchema.shape,
  ours: z.array(
    z.strictObject({ instruction: z.string(), kind: z.string().nullable(), amount: fen, businessDate: z.string().nullable() }),
  ),
  payout: z
    .strictObject({ id: z.string(), state: z.string(), amount: fen, channel: z.string().nullable(), changedAt: z.string() })
    .nullable()
    .meta({ description: 'The payout that the reference names' }),
  theirs: z.array(z.strictObject({ line: z.int(), amount: fen, state: z.string().nullable() })),
  suggestions: z.array(suggestionSchema).meta({ description: 'The likeliest first; nothing is done with them by itself' }),
  repairs: z.array(repairSchema),
});

async function showCase(tx: Tx, { clock, vault }: Runtime, row: Break): Promise<z.input<typeof caseSchema>> {
  const facts = await factsOf(tx, row);
  const { payout } = facts;
  return {
    ...showBreak(vault, row, clock.now()),
    ours: facts.ours.map((ours) => ({
      instruction: toWire('instruction', ours.instruction),
      kind: ours.kind,
      amount: toWireAmount(ours.amount),
      businessDate: 'businessDate' in ours ? String(ours.businessDate) : null,
    })),
    payout:
      payout === undefined
        ? null
        : {
            ...{ id: toWire('payout', payout.id), state: payout.state, amount: toWireAmount(payout.amount) },
            ...{ channel: payout.channel, changedAt: toRfc3339(payout.changedMs) },
          },
    theirs: (await keptLines(tx, row)).map(({ lineNo, amount, state }) => ({
      line: lineNo,
      amount: toWireAmount(amount),
      state,
    })),
    suggestions: suggestionsFor(row, facts).map(showSuggestion),
    repairs: (await repairsOf(tx, row.id)).map((repair) => showRepair(vault, repair)),
  };
}

function readRoute(rt: Runtime): Route {
  return route({
    ...reading,
    method: 'GET',
    path: '/admin/v1/breaks/{break}',
    summary: 'One break: what each side has, what is likely right, and what was proposed',
    summaryZh: '差错详情与处理建议',
    params: Params,
    answers: { 200: { description: 'The break', schema: caseSchema } },
    refusals: ['NOT_FOUND'],
    handle: async ({ params }) => ({
      status: 200,
      body: await rt.db.snapshot('break', async (tx) => showCase(tx, rt, await requireBreak(tx, params.break))),
    }),
  });
}

function takeRoute({ clock, vault }: Runtime): Route {
  return route({
    ...writing,
    method: 'POST',
    path: '/admin/v1/breaks/{break}/take',
    summary: 'Takes a break: who does becomes its owner',
    summaryZh: '认领差错',
    params: Params,
    answers: { 200: { description: 'The break', schema: breakSchema } },
    refusals: ['NOT_FOUND', 'BREAK_CLOSED'],
    handle: async ({ params, caller, tx }) => {
      const row = await own(tx, params.break, caller.operatorId, clock.now());
      return { status: 200, body: showBreak(vault, row, clock.now()), audit: { target: targetOf(row) } };
    },
  });
}

function assignRoute({ clock, vault }: Runtime): Route {
  return route({
    ...writing,
    method: 'POST',
    path: '/admin/v1/breaks/{break}/assign',
    summary: 'Gives a break to a member of staff',
    summaryZh: '分派差错',
    params: Params,
    body: z.strictObject({ owner: wireId('operator') }),
    answers: { 200: { description: 'The break', schema: breakSchema } },
    refusals: ['NOT_FOUND', 'BREAK_CLOSED'],
    handle: async ({ params, body, tx }) => {
      if (!(await isOnStaff(tx, body.owner))) throw new Refused(refuse('NOT_FOUND', 'Nobody on the staff has this id.'));
      const row = await own(tx, params.break, body.owner, clock.now());
      const audit = { target: targetOf(row), note: toWire('operator', body.owner) };
      return { status: 200, body: showBreak(vault, row, clock.now()), audit };
    },
  });
}

function targetOf({ id }: Pick<Break, 'id'>): string {
  return `break ${toWire('break', id)}`;
}

const note = textSchema(200);
const proposalBody = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('accept'), note }),
  z.strictObject({
    action: z.literal('suspense'),
    note,
    payer: z
      .strictObject({ account: z.string().regex(/^[A-Za-z0-9]{1,34}$/), bankCode: bankCodeSchema })
      .optional()
      .meta({ description: "The payer's account, from the core bank's slip; without it nothing can be sent back to him" }),
  }),
  z.strictObject({ action: z.literal('correction'), note, instruction: wireId('instruction') }),
  z.strictObject({ action: z.literal('payout-result'), note }),
  z.strictObject({ action: z.literal('adjustment'), note, account: wireId('account') }),
]);

function proposeRoute(rt: Runtime): Route {
  return route({
    ...writing,
    method: 'POST',
    path: '/admin/v1/breaks/{break}/repairs',
    summary: 'Proposes what is done about a break; another person has to approve it',
    summaryZh: '提出差错处理方案',
    description:
      '`accept` leaves the difference standing until its other side appears. Everything else instructs the books, on the open business date and ' +
      'under the reference of the break, so that the difference ends with the next statement. The day of the break stays as it is.',
    params: Params,
    body: proposalBody,
    confidential: true,
    answers: { 201: { description: 'Proposed', schema: repairSchema } },
    refusals: ['NOT_FOUND', 'BREAK_CLOSED', 'REPAIR_NOT_APPLICABLE', 'REPAIR_OVERTAKEN', 'REPAIR_PENDING'],
    handle: async ({ params, body: { action, note: why, ...given }, caller, tx }) => {
      const who = { operator: caller.operatorId, nowMs: rt.clock.now() };
      const repair = await proposeRepair(tx, rt, params.break, { action, given, note: why }, who);
      const audit = { target: targetOf({ id: params.break }), note: `${action} ${toWire('repair', repair.id)}` };
      return { status: 201, body: showRepair(rt.vault, repair), audit };
    },
  });
}

function approveRoute(rt: Runtime): Route {
  return route({
    ...writing,
    method: 'POST',
    path: '/admin/v1/breaks/{break}/repairs/{repair}/approve',
    summary: 'Approves what another proposed: the books post it and the break is closed, or neither',
    summaryZh: '复核差错处理方案',
    params: RepairParams,
    body: z.strictObject({ note: note.optional() }),
    answers: { 200: { description: 'Approved, and its instruction posted where there is one', schema: repairSchema } },
    refusals: [
      ...(['NOT_FOUND', 'SAME_OPERATOR', 'PROPOSAL_DECIDED', 'BREAK_CLOSED'] as const),
      ...(['REPAIR_NOT_APPLICABLE', 'REPAIR_OVERTAKEN', 'REPAIR_REFUSED'] as const),
    ],
    handle: async ({ params, body, caller, tx }) => {
      const who = { operator: caller.operatorId, nowMs: rt.clock.now() };
      const { repair, ring } = await approveRepair(tx, rt, params, body.note ?? null, who);
      const audit = { target: targetOf({ id: params.break }), note: `${repair.action} ${toWire('repair', repair.id)}` };
      return { status: 200, body: showRepair(rt.vault, repair), audit, afterCommit: ring };
    },
  });
}

function rejectRoute(rt: Runtime): Route {
  return route({
    ...writing,
    method: 'POST',
    path: '/admin/v1/breaks/{break}/repairs/{repair}/reject',
    summary: 'Rejects a proposal; whoever proposed it takes it back that way',
    summaryZh: '退回或撤回差错处理方案',
    params: RepairParams,
    body: z.strictObject({ note }),
    answers: { 200: { description: 'Rejected or withdrawn', schema: repairSchema } },
    refusals: ['NOT_FOUND', 'PROPOSAL_DECIDED'],
    handle: async ({ params, body, caller, tx }) => {
      const who = { operator: caller.operatorId, nowMs: rt.clock.now() };
      const repair = await rejectRepair(tx, rt, params, body.note, who);
      const audit = { target: targetOf({ id: params.break }), note: toWire('repair', repair.id) };
      return { status: 200, body: showRepair(rt.vault, repair), audit };
    },
  });
}

function evidenceRoute({ db }: Runtime): Route {
  return route({
    ...reading,
    method: 'GET',
    path: '/admin/v1/platforms/{platform}/days/{date}/reconciliation',
    summary: 'What was compared of a day, with whom, and what was found, also where it was nothing',
    summaryZh: '营业日对账记录',
    params: z.strictObject({ platform: wireId('platform'), date: businessDateSchema }),
    answers: { 200: { description: 'The comparisons', schema: z.strictObject({ items: z.array(runSchema) }) } },
    handle: async ({ params }) => {
      const runs = await db.read('reconciliation-runs', (tx) => runsOf(tx, params.platform, params.date));
      return { status: 200, body: { items: runs.map(showRun) } };
    },
  });
}
