import { z } from 'zod';
import { findInstructions, readAwaited } from '../instructions/index.js';
import { type Id, Refused, refuse, toWire } from '../kernel/index.js';
import { decodeCursor, idAfter, page, pageQuery, pageSchema, type Route, type Runtime, route, wireId } from '../runtime/index.js';
import { documentedFile } from './file.js';
import { receiveFile } from './receive.js';
import { commitBatch, previewBatch, requireBatch, rerunBatch } from './start.js';
import { BATCH_STATES } from './states.js';
import { type Batch, countLines, LINE_FILTERS, type LineFilter, listBatches, listLines } from './store.js';
import { batchSchema, lineSchema, previewSchema, showBatch, showLine, showPreview } from './wire.js';

const BODY_MAX = 32 * 1024 * 1024; // 10,000 splits of 20 receivers fit
const tag = 'Batches';
const platform = { audience: 'platform', tag } as const;
const operator = { audience: 'operator', tag, permission: 'instructions.read' } as const;
const ofBatch = z.strictObject({ batch: wireId('batch') });
const linesQuery = z.strictObject({ ...pageQuery, state: z.enum(LINE_FILTERS).optional() });
const listQuery = z.strictObject({ ...pageQuery, state: z.enum(BATCH_STATES).optional() });
const answers = { 200: { description: 'The batch', schema: batchSchema } };

/** Files of instructions: sent, tried, started, run again, and read line by line. */
export function batchRoutes(rt: Runtime): Route[] {
  return [send(rt), preview(rt), commit(rt), rerun(rt), ...readAsPlatform(rt), ...readAsBank(rt)];
}

async function shown(rt: Runtime, batch: Batch) {
  return showBatch(batch, (await rt.db.read('batch-counts', (tx) => countLines(tx, [batch.id]))).get(batch.id));
}

function send(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'POST',
    path: '/v1/batches',
    summary: 'Takes a file of up to 10,000 instructions under one number, and says whether it is legal',
    summaryZh: '提交批量指令文件',
    description:
      'JSON, or NDJSON with the header as the first line. Nothing of it is done until it is started. Where anything is wrong with its form ' +
      'all faults are told and the file is refused whole; its number is used up. A file that is `atomic` has at most 2,000 lines. The event ' +
      '`batch.accepted` or `batch.rejected` tells the same; `batch.finished` tells later that each line has its result. The same file ' +
      'again is answered the same.',
    body: 'raw',
    rawBody: { schema: documentedFile, mediaTypes: ['application/json', 'application/x-ndjson'] },
    bodyLimit: BODY_MAX,
    answers: { 201: { description: 'Legal; see Location', schema: batchSchema } },
    refusals: ['BATCH_NOT_LEGAL', 'BATCH_NO_REUSED', 'BATCH_FILE_TOO_LARGE', 'BODY_MALFORMED'],
    async handle({ caller, text, headers }) {
      const from = { platformId: caller.platformId, actor: caller.keyId };
      const { batch, replay } = await receiveFile(rt, from, { text, mediaType: headers['content-type'] ?? '' });
      if (batch.state === 'rejected')
        throw new Refused(refuse('BATCH_NOT_LEGAL', undefined, { batch: toWire('batch', batch.id), faults: batch.faults }));
      return {
        status: 201,
        body: await shown(rt, batch),
        headers: { Location: `/v1/batches/${toWire('batch', batch.id)}`, 'Idempotent-Replay': String(replay) },
      };
    },
  });
}

function preview(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'POST',
    path: '/v1/batches/{batch}/preview',
    summary: 'What would become of each line if the batch were started now, or run again',
    summaryZh: '批量预览',
    description: 'As the dry run of instructions: the same code decides, line after line, and nothing is written.',
    params: ofBatch,
    answers: { 200: { description: 'The verdicts', schema: previewSchema } },
    refusals: ['BATCH_NOT_LEGAL', 'BATCH_RUNNING'],
    handle: async ({ caller, params }) => ({
      status: 200,
      body: showPreview(rt.clock.now(), await previewBatch(rt, caller.platformId, params.batch)),
    }),
  });
}

function commit(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'POST',
    path: '/v1/batches/{batch}/commit',
    summary: 'Starts a batch; once, however often it is asked',
    summaryZh: '提交批次执行',
    description:
      '`partial`: each line is an instruction for itself, in the order of their numbers. `atomic`: all are posted in one commit, or none; a ' +
      'line that would have to wait is refused then.',
    params: ofBatch,
    answers: { 202: { description: 'Started, now or before', schema: batchSchema } },
    refusals: ['BATCH_NOT_LEGAL'],
    handle: async ({ caller, params }) => ({
      status: 202,
      body: await shown(rt, await commitBatch(rt, caller.platformId, params.batch)),
    }),
  });
}

function rerun(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'POST',
    path: '/v1/batches/{batch}/rerun',
    summary: 'Runs the lines again that were refused, and no others',
    summaryZh: '仅重跑失败明细',
    description: 'Names the attempt whose refusals were seen: sent twice, it runs them once.',
    params: ofBatch,
    body: z.strictObject({ attempt: z.int().min(1) }),
    answers: { 202: { description: 'Started, now or before', schema: batchSchema } },
    refusals: ['BATCH_NOT_LEGAL', 'BATCH_NOT_COMMITTED', 'BATCH_RUNNING', 'BATCH_ATTEMPT_WRONG', 'BATCH_NOTHING_REFUSED'],
    handle: async ({ caller, params, body }) => ({
      status: 202,
      body: await shown(rt, await rerunBatch(rt, caller.platformId, params.batch, body.attempt)),
    }),
  });
}

async function list(rt: Runtime, platformId: Id, { limit, cursor, state }: z.output<typeof listQuery>) {
  const after = idAfter('batches', cursor);
  const { rows, counts } = await rt.db.read('batches', async (tx) => {
    const found = await listBatches(tx, { platformId, after, state }, limit + 1);
    return {
      rows: found,
      counts: await countLines(
        tx,
        found.map(({ id }) => id),
      ),
    };
  });
  return page(
    'batches',
    rows,
    limit,
    (batch) => [batch.id],
    (batch) => showBatch(batch, counts.get(batch.id)),
  );
}

/** A page of lines, with the outcomes of the instructions that they became. */
async function linesOf(rt: Runtime, id: Id, of: { limit: number; cursor?: string | undefined; filter?: LineFilter | undefined }) {
  const after = of.cursor === undefined ? 0 : lineAfter(of.cursor);
  return rt.db.read('batch-lines', async (tx) => {
    const rows = await listLines(tx, { id, after, filter: of.filter }, of.limit + 1);
    const ids = rows.flatMap(({ instruction }) => (instruction === null ? [] : [instruction]));
    const found = await findInstructions(tx, ids);
    const awaited = await readAwaited(
      tx,
      ids.filter((instruction) => !found.get(instruction)?.outcome),
    );
    return page(
      'batch-lines',
      rows,
      of.limit,
      ({ line }) => [line],
      (line) => {
        const instruction = line.instruction ?? undefined;
        const outcome = instruction && found.get(instruction)?.outcome;
        return showLine(id, line, outcome || undefined, instruction && awaited.get(instruction));
      },
    );
  });
}

function lineAfter(cursor: string): number {
  const [line] = decodeCursor('batch-lines', 1, cursor);
  if (!Number.isSafeInteger(line)) throw new Refused(refuse('CURSOR_INVALID'));
  return line as number;
}

function readAsPlatform(rt: Runtime): Route[] {
  return [
    route({
      ...platform,
      method: 'GET',
      path: '/v1/batches',
      summary: 'The files that you sent, in the order they came',
      summaryZh: '查询批次列表',
      query: listQuery,
      answers: { 200: { description: 'A page', schema: pageSchema(batchSchema) } },
      handle: async ({ caller, query }) => ({ status: 200, body: await list(rt, caller.platformId, query) }),
    }),
    route({
      ...platform,
      method: 'GET',
      path: '/v1/batches/{batch}',
      summary: 'A batch and how its lines stand',
      summaryZh: '查询批次',
      params: ofBatch,
      answers,
      handle: async ({ caller, params }) => ({
        status: 200,
        body: await shown(rt, await requireBatch(rt, caller.platformId, params.batch)),
      }),
    }),
    route({
      ...platform,
      method: 'GET',
      path: '/v1/batches/{batch}/lines',
      summary: 'What became of each line',
      summaryZh: '查询批次明细结果',
      params: ofBatch,
      query: linesQuery,
      answers: { 200: { description: 'A page', schema: pageSchema(lineSchema) } },
      refusals: ['CURSOR_INVALID'],
      async handle({ caller, params, query: { state, ...of } }) {
        await requireBatch(rt, caller.platformId, params.batch);
        return { status: 200, body: await linesOf(rt, params.batch, { ...of, filter: state }) };
      },
    }),
  ];
}

function readAsBank(rt: Runtime): Route[] {
  return [
    route({
      ...operator,
      method: 'GET',
      path: '/admin/v1/platforms/{platform}/batches',
      summary: 'The files that a platform sent, in the order they came',
      summaryZh: '查询平台批次列表',
      params: z.strictObject({ platform: wireId('platform') }),
      query: listQuery,
      answers: { 200: { description: 'A page', schema: pageSchema(batchSchema) } },
      handle: async ({ params, query }) => ({ status: 200, body: await list(rt, params.platform, query) }),
    }),
    route({
      ...operator,
      method: 'GET',
      path: '/admin/v1/batches/{batch}/lines',
      summary: 'What became of each line of a batch',
      summaryZh: '查询批次明细结果',
      params: ofBatch,
      query: linesQuery,
      answers: { 200: { description: 'A page', schema: pageSchema(lineSchema) } },
      refusals: ['CURSOR_INVALID'],
      async handle({ params, query: { state, ...of } }) {
        await requireBatch(rt, undefined, params.batch);
        return { status: 200, body: await linesOf(rt, params.batch, { ...of, filter: state }) };
      },
    }),
  ];
}
