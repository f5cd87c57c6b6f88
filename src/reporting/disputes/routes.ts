import { z } from 'zod';
import { type Id, Refused, refuse, toRfc3339, toWire } from '../../kernel/index.js';
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
  type Tx,
  textSchema,
  wireId,
} from '../../runtime/index.js';
import { CHECK_FILE_NAMES } from '../check-files/columns.js';
import { fileParams } from '../check-files/wire.js';
import { dispute, saidKeyOf } from './say.js';
import { FILE_DISPUTE_STATES } from './states.js';
import { type DisputeFilter, type FileDispute, findDispute, listDisputes, moveDispute } from './store.js';

const LINES_MAX = 200;

const saidLine = z
  .strictObject({
    line: z
      .int()
      .min(1)
      .max(Number.MAX_SAFE_INTEGER)
      .optional()
      .meta({ description: 'Number of the D line; absent: a line is missing' }),
    instruction: z
      .string()
      .regex(/^ins_[1-9][0-9]{18}$/)
      .optional()
      .meta({ description: 'The instruction of the line, or of the line that is missing' }),
    requestNo: requestNo.optional(),
    reason: textSchema(500),
  })
  .refine(({ line, instruction, requestNo: no }) => line !== undefined || instruction !== undefined || no !== undefined, {
    error: 'names a line, an instruction or a request number',
  });

const disputeBody = z.strictObject({
  digest: z
    .string()
    .regex(/^[0-9a-fA-F]{64}$/)
    .meta({ description: 'SHA-256 or SM3 of the file that was looked at, unpacked, hex' }),
  lines: z
    .array(saidLine)
    .min(1)
    .max(LINES_MAX)
    .refine((lines) => new Set(lines.map(saidKeyOf)).size === lines.length, { error: 'each line is named once' }),
});

const disputeSchema = z
  .strictObject({
    id: z.string().meta({ example: 'fds_2236512894231552003' }),
    platform: z.string(),
    date: z.string().meta({ format: 'date' }),
    file: z.enum(CHECK_FILE_NAMES),
    line: z.int().nullable().meta({ description: 'Null: a line is missing' }),
    instruction: z.string().nullable(),
    about: z.string().meta({ description: 'What it is about: a dispute over the same is the same dispute', example: 'line:7' }),
    reason: z.string(),
    state: z.enum(FILE_DISPUTE_STATES),
    raisedAt: rfc3339Schema,
    seenAt: rfc3339Schema.nullable(),
    answer: z.string().nullable(),
    answeredAt: rfc3339Schema.nullable(),
  })
  .meta({ id: 'FileDispute', description: 'A line of a check file that the platform finds wrong, or misses' });

function showDispute({ vault }: Pick<Runtime, 'vault'>, of: FileDispute): z.input<typeof disputeSchema> {
  const time = (at: FileDispute['seenMs']) => (at === null ? null : toRfc3339(at));
  return {
    id: toWire('file-dispute', of.id),
    platform: toWire('platform', of.platformId),
    date: of.date,
    file: of.file,
    line: of.line === 0 ? null : of.line,
    instruction: of.instruction === null ? null : toWire('instruction', of.instruction),
    about: of.saidKey,
    reason: vault.read(of.reason),
    state: of.state,
    raisedAt: toRfc3339(of.raisedMs),
    seenAt: time(of.seenMs),
    answer: of.answer === null ? null : vault.read(of.answer),
    answeredAt: time(of.answeredMs),
  };
}

const platform = { audience: 'platform', tag: 'Check files' } as const;
const operator = { audience: 'operator', tag: 'Check files' } as const;

/** Disputes over lines of check files: platforms raise them, the bank's staff answers. */
export function fileDisputeRoutes(rt: Runtime): Route[] {
  return [raiseRoute(rt), ownListRoute(rt), listRoute(rt), seenRoute(rt), answerRoute(rt)];
}

function raiseRoute(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'POST',
    path: '/v1/check-files/{date}/{file}/disputes',
    summary: 'Disputes lines of a check file, or says which it misses',
    summaryZh: '对账异议提交',
    description: `Up to ${LINES_MAX} lines, all of them or none. A line is disputed once: the same again answers the first dispute.`,
    params: fileParams,
    body: disputeBody,
    answers: { 200: { description: 'The disputes', schema: z.strictObject({ items: z.array(disputeSchema) }) } },
    refusals: ['FILE_NOT_READY', 'FILE_DIGEST_OTHER', 'FILE_LINE_UNKNOWN', 'FILE_CONFIRMED'],
    handle: async ({ caller, params, body }) => {
      const found = await dispute(rt, { platformId: caller.platformId, ...params }, { ...body, keyId: caller.keyId });
      return { status: 200, body: { items: found.map((each) => showDispute(rt, each)) } };
    },
  });
}

const listQuery = { date: businessDateSchema.optional(), state: z.enum(FILE_DISPUTE_STATES).optional(), ...pageQuery };

async function pageOfDisputes(
  rt: Runtime,
  filter: DisputeFilter,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
) {
  const after = idAfter('file-disputes', cursor);
  const rows = await rt.db.read('file-disputes', (tx) => listDisputes(tx, { ...filter, after }, limit + 1));
  return page(
    'file-disputes',
    rows,
    limit,
    (row) => [row.id],
    (row) => showDispute(rt, row),
  );
}

function ownListRoute(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/file-disputes',
    summary: 'What the platform disputed of its check files, in the order it did',
    summaryZh: '对账异议列表',
    query: z.strictObject(listQuery),
    answers: { 200: { description: 'A page', schema: pageSchema(disputeSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ caller, query: { date, state, ...of } }) => ({
      status: 200,
      body: await pageOfDisputes(rt, { platformId: caller.platformId, date, state }, of),
    }),
  });
}

function listRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/file-disputes',
    permission: 'breaks.read',
    summary: 'What platforms dispute of their check files, oldest first',
    summaryZh: '对账异议列表（行内）',
    query: z.strictObject({ platform: wireId('platform').optional(), ...listQuery }),
    answers: { 200: { description: 'A page', schema: pageSchema(disputeSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ query: { platform: platformId, date, state, ...of } }) => ({
      status: 200,
      body: await pageOfDisputes(rt, { platformId, date, state }, of),
    }),
  });
}

const disputeParams = z.strictObject({ dispute: wireId('file-dispute') });

/** @throws Refused NOT_FOUND, DISPUTE_ANSWERED */
async function changed(
  tx: Tx,
  id: Id,
  to: Parameters<typeof moveDispute>[2],
  by: Parameters<typeof moveDispute>[3],
): Promise<FileDispute> {
  const moved = await moveDispute(tx, id, to, by);
  const found = await findDispute(tx, id);
  if (found === undefined) throw new Refused(refuse('NOT_FOUND'));
  // Seen twice is seen; answered twice is not.
  if (!moved && !(to === 'seen' && found.state === 'seen')) throw new Refused(refuse('DISPUTE_ANSWERED'));
  return found;
}

function seenRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/file-disputes/{dispute}/seen',
    permission: 'breaks.write',
    summary: 'Somebody of the staff looks into a dispute',
    summaryZh: '受理对账异议',
    params: disputeParams,
    answers: { 200: { description: 'Seen', schema: disputeSchema } },
    refusals: ['NOT_FOUND', 'DISPUTE_ANSWERED'],
    handle: async ({ params, caller, tx }) => {
      const found = await changed(tx, params.dispute, 'seen', { operatorId: caller.operatorId, nowMs: rt.clock.now() });
      return { status: 200, body: showDispute(rt, found), audit: { target: `file dispute ${toWire('file-dispute', found.id)}` } };
    },
  });
}

function answerRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/file-disputes/{dispute}/answer',
    permission: 'breaks.write',
    summary: 'Answers a dispute. What is accepted is put right by instructions of their own; no file changes',
    summaryZh: '答复对账异议',
    params: disputeParams,
    body: z.strictObject({ verdict: z.enum(['accepted', 'rejected']), answer: textSchema(500) }),
    answers: { 200: { description: 'Answered', schema: disputeSchema } },
    refusals: ['NOT_FOUND', 'DISPUTE_ANSWERED'],
    handle: async ({ params, body, caller, tx }) => {
      const by = { operatorId: caller.operatorId, nowMs: rt.clock.now(), answer: rt.vault.seal(body.answer) };
      const found = await changed(tx, params.dispute, body.verdict, by);
      const audit = { target: `file dispute ${toWire('file-dispute', found.id)}`, note: body.verdict };
      return { status: 200, body: showDispute(rt, found), audit };
    },
  });
}
