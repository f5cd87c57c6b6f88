import { z } from 'zod';
import { invariant, Refused, refuse, toRfc3339, toWire, toWireAmount } from '../kernel/index.js';
import {
  bankCodeSchema,
  businessDateSchema,
  idAfter,
  page,
  pageQuery,
  pageSchema,
  type Route,
  type Runtime,
  rfc3339Schema,
  route,
  textSchema,
  wireId,
} from '../runtime/index.js';
import { BREAK_CLASSES } from './rules.js';
import { acceptBreak, type Break, findBreak, listBreaks } from './store.js';
import { bookOnSuspense } from './suspense.js';

const breakSchema = z
  .strictObject({
    id: z.string(),
    platform: z.string().nullable(),
    businessDate: z.string(),
    class: z.enum(BREAK_CLASSES),
    reference: z.string(),
    ourAmount: z.int().nullable().meta({ description: 'Fen in our books; null: not there' }),
    theirAmount: z.int().nullable().meta({ description: 'Fen on the statement; null: not there' }),
    timing: z.boolean().meta({ description: 'Explained by the cut-off; closes itself when the other side appears' }),
    state: z.enum(['open', 'closed']),
    clearedOn: z.string().nullable().meta({ description: 'The business date on which the other side appeared' }),
    openedAt: rfc3339Schema,
    closedAt: rfc3339Schema.nullable(),
    closedBy: z.string().nullable(),
    note: z.string().nullable(),
  })
  .meta({ id: 'Break', description: 'A difference between the books and the statement 对账差错' });

function showBreak(row: Break): z.input<typeof breakSchema> {
  return {
    id: toWire('break', row.id),
    platform: row.platformId === null ? null : toWire('platform', row.platformId),
    businessDate: row.businessDate,
    class: row.class,
    reference: row.reference,
    ourAmount: row.ourAmount === null ? null : toWireAmount(row.ourAmount),
    theirAmount: row.theirAmount === null ? null : toWireAmount(row.theirAmount),
    timing: row.timing,
    state: row.state,
    clearedOn: row.clearedDate,
    openedAt: toRfc3339(row.openedMs),
    closedAt: row.closedMs === null ? null : toRfc3339(row.closedMs),
    closedBy: row.closedBy,
    note: row.note,
  };
}

const Params = z.strictObject({ break: wireId('break') });
const LIST = 'breaks';
const operator = { audience: 'operator', tag: 'Breaks' } as const;

/** Breaks, as the bank's staff works them off. */
export function reconciliationRoutes(rt: Runtime): Route[] {
  return [listRoute(rt), readRoute(rt), closeRoute(rt), suspenseRoute(rt)];
}

function listRoute({ db }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/breaks',
    permission: 'breaks.read',
    summary: 'Breaks in the order they were found',
    summaryZh: '差错列表',
    query: z.strictObject({
      platform: wireId('platform').optional(),
      state: z.enum(['open', 'closed']).optional(),
      class: z.enum(BREAK_CLASSES).optional(),
      businessDate: businessDateSchema.optional(),
      ...pageQuery,
    }),
    answers: { 200: { description: 'A page', schema: pageSchema(breakSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ query: { platform: platformId, limit, cursor, ...filter } }) => {
      const after = idAfter(LIST, cursor);
      const rows = await db.read('breaks', (tx) => listBreaks(tx, { platformId, after, ...filter }, limit + 1));
      return { status: 200, body: page(LIST, rows, limit, (row) => [row.id], showBreak) };
    },
  });
}

function readRoute({ db }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/breaks/{break}',
    permission: 'breaks.read',
    summary: 'One break',
    summaryZh: '差错详情',
    params: Params,
    answers: { 200: { description: 'The break', schema: breakSchema } },
    refusals: ['NOT_FOUND'],
    handle: async ({ params }) => {
      const row = await db.read('break', (tx) => findBreak(tx, params.break));
      if (row === undefined) throw new Refused(refuse('NOT_FOUND'));
      return { status: 200, body: showBreak(row) };
    },
  });
}

function closeRoute({ clock }: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/breaks/{break}/close',
    permission: 'breaks.write',
    summary: 'Accepts a break as it stands, with a note that says why',
    summaryZh: '确认并关闭差错',
    description:
      'The difference goes on standing between books and bank until its other side appears; a stopped day is resumed by hand.',
    params: Params,
    body: z.strictObject({ note: textSchema(500) }),
    answers: { 200: { description: 'The break, closed', schema: breakSchema } },
    refusals: ['NOT_FOUND', 'BREAK_CLOSED'],
    handle: async ({ params, body, caller, tx }) => {
      if ((await findBreak(tx, params.break)) === undefined) throw new Refused(refuse('NOT_FOUND'));
      if (!(await acceptBreak(tx, params.break, toWire('operator', caller.operatorId), body.note, clock.now())))
        throw new Refused(refuse('BREAK_CLOSED'));
      const row = await findBreak(tx, params.break);
      invariant(row, 'a break that was there stays');
      return { status: 200, body: showBreak(row), audit: { target: `break ${toWire('break', row.id)}` } };
    },
  });
}

const suspenseBody = z.strictObject({
  note: textSchema(500),
  payer: z
    .strictObject({ account: z.string().regex(/^[A-Za-z0-9]{1,34}$/), bankCode: bankCodeSchema })
    .optional()
    .meta({ description: "The payer's account, from the core bank's slip; without it nothing can be sent back to him" }),
});

function suspenseRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/breaks/{break}/suspense',
    permission: 'suspense.write',
    summary: 'Books money that the bank has received and the books do not know on suspense, and closes its break',
    summaryZh: '不明来账转挂账',
    description:
      'It is booked on the open business date under the reference of the statement, so the difference ends with the next statement. Whose ' +
      'it is two people decide afterwards.',
    params: Params,
    body: suspenseBody,
    answers: {
      200: {
        description: 'The break, closed, and the instruction that books the money',
        schema: z.strictObject({ ...breakSchema.shape, instruction: z.string() }),
      },
    },
    refusals: ['NOT_FOUND', 'BREAK_CLOSED', 'BREAK_NOT_SUSPENSE'],
    handle: async ({ params, body, caller, tx }) => {
      const by = toWire('operator', caller.operatorId);
      const { row, instruction, shardId } = await bookOnSuspense(tx, rt, params.break, { ...body, by });
      return {
        status: 200,
        body: { ...showBreak(row), instruction: toWire('instruction', instruction) },
        audit: { target: `break ${toWire('break', row.id)}`, note: toWire('instruction', instruction) },
        afterCommit: () => rt.bells.ring('execute-shard', String(shardId)),
      };
    },
  });
}
