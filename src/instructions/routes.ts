import { z } from 'zod';
import { fromWire, type Id, type Refusal, Refused, refuse, toWire } from '../kernel/index.js';
import { entriesOfInstructions, loadBooks } from '../ledger/index.js';
import {
  idAfter,
  page,
  pageQuery,
  pageSchema,
  parseJson,
  preferredWaitMs,
  type Route,
  type Runtime,
  route,
  type Tx,
  wireId,
} from '../runtime/index.js';
import type { Answers } from './answers/answers.js';
import { readAwaited } from './answers/awaited.js';
import {
  type Awaited,
  batchSchema,
  idsOf,
  instructionQuery,
  instructionSchemaOut,
  outcomeSchema,
  refusedOutcome,
  showBatch,
  showInstruction,
  showOutcome,
} from './answers/views.js';
import { type Intake, type Receipt, receiveInTx } from './intake/intake.js';
import { BATCH_BODY_MAX, instructionSchema, parseBatch, parseInstruction } from './intake/parse.js';
import type { Origin } from './kind.js';
import type { Outcome } from './outcome.js';
import { type BatchLine, findBatch, findInstructions, insertBatch, listInstructions } from './store.js';

const WAIT_DEFAULT_MS = 2000;
const TAG = 'Instructions';

export interface InstructionParts {
  readonly intake: Intake;
  readonly answers: Answers;
}

export function instructionRoutes(rt: Runtime, parts: InstructionParts): Route[] {
  return [giveOne(rt, parts), giveBatch(rt, parts), readBatch(rt), ...readInstructions(rt), giveAsBank(rt), ...readAsBank(rt)];
}

function giveOne(rt: Runtime, { intake, answers }: InstructionParts): Route {
  return route({
    method: 'POST',
    path: '/v1/instructions',
    audience: 'platform',
    tag: TAG,
    summary: 'Gives an instruction and answers with its outcome',
    summaryZh: '提交指令',
    description:
      'Where a customer has to say yes, it answers 202 with the page to send him to. A refund that not all of the money is there for waits in state `awaiting-funds`, what people of the bank have to look at in `in-review`. Waits up to two seconds for the outcome; `Prefer: wait=N` or `Prefer: respond-async` change that. Then 202 and a status address. ' +
      'The same request number with the same body gives the first answer again.',
    body: 'raw',
    rawBody: { schema: instructionSchema('P'), mediaTypes: ['application/json'] },
    answers: {
      200: { description: 'Posted', schema: outcomeSchema },
      202: { description: 'Received and not decided yet; see Location', schema: outcomeSchema },
    },
    refusals: ['REQUEST_NO_REUSED', 'KIND_NOT_PERMITTED', 'FUNDS_INSUFFICIENT', 'ACCOUNT_NOT_FOUND', 'OVERLOADED'],
    async handle({ caller, text, headers }) {
      const parsed = parseInstruction(parseJson(text), 'P');
      const [receipt] = await intake.receive([{ ...parsed, platformId: caller.platformId, origin: 'P', actor: caller.keyId }]);
      const { id, replay, asked } = received(receipt as Receipt);
      const waiting = asked === undefined ? [{ id, replay }] : []; // a customer takes longer than any request waits
      const outcome = (await answers.wait(waiting, preferredWaitMs(headers.prefer, WAIT_DEFAULT_MS))).get(id);
      if (outcome?.state === 'refused') throw refusedOutcome(id, parsed.requestNo, outcome);
      const awaited = outcome === undefined ? (asked ?? (await awaitedOf(rt, [id])).get(id)) : undefined;
      return {
        status: outcome === undefined ? 202 : 200,
        body: showOutcome(id, parsed.requestNo, parsed.kind, outcome, awaited),
        headers: {
          Location: `/v1/instructions/${toWire('instruction', id)}`,
          'Idempotent-Replay': String(replay),
        },
      };
    },
  });
}

function received(receipt: Receipt): Exclude<Receipt, { refused: Refusal }> {
  if ('refused' in receipt) throw new Refused(receipt.refused);
  return receipt;
}

/** What undecided instructions wait for: answers of customers, or money. */
function awaitedOf({ db }: Runtime, ids: readonly Id[]): Promise<Map<Id, Awaited>> {
  return db.read('awaited-consents', (tx) => readAwaited(tx, ids));
}

function giveBatch(rt: Runtime, { intake, answers }: InstructionParts): Route {
  return route({
    method: 'POST',
    path: '/v1/instructions/batches',
    audience: 'platform',
    tag: TAG,
    summary: 'Gives up to 5,000 instructions at once',
    summaryZh: '批量提交指令',
    description:
      'A JSON array, or NDJSON. If the shape of any line is wrong, all faults are told and nothing is received; otherwise each line is ' +
      'decided for itself, in order.',
    body: 'raw',
    rawBody: { schema: z.array(instructionSchema('P')), mediaTypes: ['application/json', 'application/x-ndjson'] },
    bodyLimit: BATCH_BODY_MAX,
    answers: {
      200: { description: 'All lines are decided', schema: batchSchema },
      202: { description: 'Some lines are not decided yet; see Location', schema: batchSchema },
    },
    refusals: ['BATCH_TOO_LARGE', 'BODY_MALFORMED', 'OVERLOADED'],
    async handle({ caller, text, headers }) {
      const parsed = parseBatch(text, headers['content-type'] ?? '');
      const receipts = await intake.receive(
        parsed.map((line) => ({ ...line, platformId: caller.platformId, origin: 'P' as const, actor: caller.keyId })),
      );
      const lines = receipts.map(
        (receipt, place): BatchLine => ({
          requestNo: (parsed[place] as { requestNo: string }).requestNo,
          ...('refused' in receipt ? { instruction: null, code: receipt.refused.code } : { instruction: receipt.id, code: null }),
        }),
      );
      const batch = { id: rt.newId(), platformId: caller.platformId, receivedMs: rt.clock.now(), lines };
      await rt.db.withTx(
        'insert-batch',
        (tx) => insertBatch(tx, batch).then(() => true),
        async () => ((await rt.db.read('batch-there', (tx) => findBatch(tx, batch.platformId, batch.id))) ? true : undefined),
      );
      const taken = receipts.filter((receipt) => 'id' in receipt);
      const asked = new Map<Id, Awaited>(
        taken.flatMap((receipt) => (receipt.asked === undefined ? [] : [[receipt.id, receipt.asked] as const])),
      );
      const waiting = taken.filter(({ id }) => !asked.has(id));
      const outcomes = await answers.wait(waiting, preferredWaitMs(headers.prefer, WAIT_DEFAULT_MS));
      const undecided = waiting.filter(({ id }) => !outcomes.has(id)).map(({ id }) => id);
      const awaited = new Map([...(await awaitedOf(rt, undecided)), ...asked]);
      const shown = showBatch(batch.id, lines, outcomes, awaited);
      return {
        status: shown.undecided === 0 ? 200 : 202,
        body: shown,
        headers: { Location: `/v1/instructions/batches/${toWire('batch', batch.id)}` },
      };
    },
  });
}

function readBatch(rt: Runtime): Route {
  return route({
    method: 'GET',
    path: '/v1/instructions/batches/{batch}',
    audience: 'platform',
    tag: TAG,
    summary: 'The lines of a batch and what became of them',
    summaryZh: '查询批量结果',
    params: z.strictObject({ batch: wireId('batch') }),
    answers: { 200: { description: 'The batch', schema: batchSchema } },
    async handle({ caller, params }) {
      const shown = await rt.db.read('read-batch', async (tx) => {
        const lines = await findBatch(tx, caller.platformId, params.batch);
        if (lines === undefined) throw new Refused(refuse('NOT_FOUND'));
        const outcomes = new Map<Id, Outcome>();
        const ids = idsOf(lines);
        for (const [id, view] of await findInstructions(tx, ids)) if (view.outcome) outcomes.set(id, view.outcome);
        const undecided = ids.filter((id) => !outcomes.has(id));
        return showBatch(params.batch, lines, outcomes, await readAwaited(tx, undecided));
      });
      return { status: 200, body: shown };
    },
  });
}

const listQuery = z.strictObject({ ...pageQuery, ...instructionQuery });

async function list(rt: Runtime, platformId: Id, query: z.output<typeof listQuery>, origin?: Origin) {
  const after = idAfter('instructions', query.cursor);
  const filter = { platformId, origin, after, kind: query.kind, requestNo: query.requestNo };
  const { rows, awaited } = await rt.db.read('list-instructions', async (tx) => {
    const found = await listInstructions(tx, filter, query.limit + 1);
    const undecided = found.filter((row) => row.outcome === null).map((row) => row.id);
    return { rows: found, awaited: await readAwaited(tx, undecided) };
  });
  return page(
    'instructions',
    rows,
    query.limit,
    (row) => [row.id],
    (row) => showInstruction(rt.vault, row, awaited.get(row.id)),
  );
}

/** @throws Refused NOT_FOUND, also when it is another platform's */
async function readOne(rt: Runtime, id: Id, platformId?: Id) {
  return rt.db.read('read-instruction', async (tx) => {
    const view = (await findInstructions(tx, [id])).get(id);
    if (view === undefined || (platformId !== undefined && view.platformId !== platformId))
      throw new Refused(refuse('NOT_FOUND'));
    const awaited = view.outcome === null ? (await readAwaited(tx, [id])).get(id) : undefined;
    return showInstruction(rt.vault, view, awaited, await entriesOfInstructions(tx, [id]));
  });
}

function readInstructions(rt: Runtime): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/instructions',
      audience: 'platform',
      tag: TAG,
      summary: 'Instructions in the order they came; filter by kind or by your request number',
      summaryZh: '查询指令列表',
      query: listQuery,
      answers: { 200: { description: 'A page', schema: pageSchema(instructionSchemaOut) } },
      handle: async ({ caller, query }) => ({ status: 200, body: await list(rt, caller.platformId, query, 'P') }),
    }),
    route({
      method: 'GET',
      path: '/v1/instructions/{instruction}',
      audience: 'platform',
      tag: TAG,
      summary: 'An instruction, its outcome and its entries',
      summaryZh: '查询指令',
      params: z.strictObject({ instruction: wireId('instruction') }),
      answers: { 200: { description: 'The instruction', schema: instructionSchemaOut } },
      handle: async ({ caller, params }) => ({ status: 200, body: await readOne(rt, params.instruction, caller.platformId) }),
    }),
  ];
}

/** Whether it undoes what was posted on a day that is proved: alone nobody changes what was said of such a day. */
async function correctsProvedDay(tx: Tx, platformId: Id, { kind, body }: { kind: string; body: string }): Promise<boolean> {
  if (kind !== 'correction') return false;
  const id = fromWire((JSON.parse(body) as { instruction: string }).instruction);
  const date = (await findInstructions(tx, [id])).get(id)?.outcome?.businessDate;
  const provedTo = (await loadBooks(tx, [platformId])).get(platformId)?.provedTo;
  return date !== undefined && provedTo !== undefined && date <= provedTo;
}

function giveAsBank(rt: Runtime): Route {
  return route({
    method: 'POST',
    path: '/admin/v1/platforms/{platform}/instructions',
    audience: 'operator',
    permission: 'instructions.write',
    tag: TAG,
    summary: 'Gives an instruction as the bank, a correction for instance; decided afterwards',
    summaryZh: '银行侧提交指令（如冲正）',
    params: z.strictObject({ platform: wireId('platform') }),
    body: 'raw',
    rawBody: { schema: instructionSchema('O'), mediaTypes: ['application/json'] },
    answers: { 202: { description: 'Received; see Location', schema: outcomeSchema } },
    refusals: ['REQUEST_NO_REUSED', 'DAY_OVER'],
    async handle({ caller, params, text, tx }) {
      const parsed = parseInstruction(parseJson(text), 'O');
      if (await correctsProvedDay(tx, params.platform, parsed)) throw new Refused(refuse('DAY_OVER'));
      const submission = {
        ...parsed,
        platformId: params.platform,
        origin: 'O' as const,
        actor: toWire('operator', caller.operatorId),
      };
      const { receipt, shardId } = await receiveInTx(tx, rt, submission);
      const { id } = received(receipt);
      return {
        status: 202,
        body: showOutcome(id, parsed.requestNo, parsed.kind, null),
        headers: { Location: `/admin/v1/instructions/${toWire('instruction', id)}` },
        audit: { target: toWire('instruction', id) },
        afterCommit: () => rt.bells.ring('execute-shard', String(shardId)),
      };
    },
  });
}

function readAsBank(rt: Runtime): Route[] {
  return [
    route({
      method: 'GET',
      path: '/admin/v1/platforms/{platform}/instructions',
      audience: 'operator',
      permission: 'instructions.read',
      tag: TAG,
      summary: "A platform's instructions in the order they came",
      summaryZh: '查询平台指令列表',
      params: z.strictObject({ platform: wireId('platform') }),
      query: listQuery,
      answers: { 200: { description: 'A page', schema: pageSchema(instructionSchemaOut) } },
      handle: async ({ params, query }) => ({ status: 200, body: await list(rt, params.platform, query) }),
    }),
    route({
      method: 'GET',
      path: '/admin/v1/instructions/{instruction}',
      audience: 'operator',
      permission: 'instructions.read',
      tag: TAG,
      summary: 'An instruction, its outcome and its entries',
      summaryZh: '查询指令',
      params: z.strictObject({ instruction: wireId('instruction') }),
      answers: { 200: { description: 'The instruction', schema: instructionSchemaOut } },
      handle: async ({ params }) => ({ status: 200, body: await readOne(rt, params.instruction) }),
    }),
  ];
}
