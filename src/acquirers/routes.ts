import { z } from 'zod';
import { findInstructions } from '../instructions/index.js';
import { type Id, maskCardNumber, Refused, refuse, toRfc3339, toWire, toWireMoney } from '../kernel/index.js';
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
  shownMoneySchema,
  type Tx,
  textSchema,
  wireId,
} from '../runtime/index.js';
import { decide, type GiveInstruction, instructionsOf, retry, upload } from './release.js';
import { exampleFile, FIELD_FORMS, FILE_COLUMNS } from './rules.js';
import { ACQUIRER_FILE_STATES } from './states.js';
import { findAcquirer, findFile, linesOf, listAcquirers, listFiles, type StoredFile, saveAcquirer } from './store.js';

const FILE_MAX = 256 * 1024;
const operator = { audience: 'operator', tag: 'Acquirers' } as const;
const code = z.string().regex(/^[A-Za-z0-9_.:-]{1,32}$/, { error: 'must be 1 to 32 of A–Z a–z 0–9 _ . : -' });
const ofFile = z.strictObject({ file: wireId('acquirer-file') });

const acquirerSchema = z
  .strictObject({ code: z.string(), name: z.string(), account: z.string(), bankCode: z.string() })
  .meta({ id: 'Acquirer', description: 'Who acquires for platforms outside, and the account its money comes from 收单机构' });

const outcome = z
  .strictObject({ state: z.enum(['undecided', 'posted', 'refused']), code: z.string().nullable() })
  .nullable()
  .meta({ description: 'What the books said; null: not instructed. What they refused can be tried again' });
const fileFields = {
  id: z.string(),
  platform: z.string(),
  acquirer: z.string(),
  fileNo: z.string(),
  date: z.string().nullable(),
  reference: z.string().meta({ description: 'Under which the statement shows the sum less the fee' }),
  total: shownMoneySchema,
  fee: shownMoneySchema,
  state: z
    .enum(ACQUIRER_FILE_STATES)
    .meta({ description: 'What people decided; what the books made of it stands with each instruction' }),
  uploadedBy: z.string(),
  uploadedAt: rfc3339Schema,
  decidedBy: z.string().nullable(),
  feeInstruction: z.string().nullable(),
};
const listedSchema = z
  .strictObject(fileFields)
  .meta({ id: 'AcquirerFileListed', description: 'A day file of an acquirer 收单对账文件' });
const fileSchema = z
  .strictObject({
    ...fileFields,
    feeOutcome: outcome,
    refused: z.int().meta({ description: 'How many of its instructions the books refused, the fee among them' }),
    lines: z.array(
      z.strictObject({
        line: z.int(),
        tradeNo: z.string(),
        orderNo: z.string(),
        amount: shownMoneySchema,
        instruction: z.string().nullable().meta({ description: 'What it was instructed as; of a retry the last' }),
        outcome,
      }),
    ),
  })
  .meta({ id: 'AcquirerFile', description: 'A day file of an acquirer, line by line 收单对账文件' });

function listed(file: StoredFile): z.output<typeof listedSchema> {
  return {
    id: toWire('acquirer-file', file.id),
    platform: toWire('platform', file.platformId),
    acquirer: file.acquirer,
    fileNo: file.fileNo,
    date: file.date,
    reference: file.reference,
    total: toWireMoney(file.total),
    fee: toWireMoney(file.fee),
    state: file.state,
    uploadedBy: toWire('operator', file.uploadedBy),
    uploadedAt: toRfc3339(file.uploadedMs),
    decidedBy: file.decidedBy === null ? null : toWire('operator', file.decidedBy),
    feeInstruction: file.feeInstruction === null ? null : toWire('instruction', file.feeInstruction),
  };
}

async function shown(tx: Tx, file: StoredFile): Promise<z.output<typeof fileSchema>> {
  const lines = await linesOf(tx, file.id);
  const ids = instructionsOf(file, lines);
  const views = await findInstructions(tx, ids);
  const outcomeOf = (id: Id | null) => {
    if (id === null) return null;
    const decided = views.get(id)?.outcome;
    return { state: decided?.state ?? ('undecided' as const), code: decided?.code ?? null };
  };
  return {
    ...listed(file),
    feeOutcome: outcomeOf(file.feeInstruction),
    refused: ids.filter((id) => outcomeOf(id)?.state === 'refused').length,
    lines: lines.map((line) => ({
      line: line.lineNo,
      tradeNo: line.tradeNo,
      orderNo: line.orderNo,
      amount: toWireMoney(line.amount),
      instruction: line.instructionId === null ? null : toWire('instruction', line.instructionId),
      outcome: outcomeOf(line.instructionId),
    })),
  };
}

/**
 * Files of acquirers: one of the staff uploads, another releases.
 * @param give receives an instruction in the transaction of the release
 */
export function acquirerRoutes(rt: Runtime, give: GiveInstruction): Route[] {
  return [
    ...[acquirersRoute(rt), acquirerRoute(rt), uploadRoute(rt), listRoute(rt), readRoute(rt)],
    ...[decideRoute(rt, give, 'release'), decideRoute(rt, give, 'reject'), retryRoute(rt, give)],
  ];
}

function acquirerRoute({ vault }: Runtime): Route {
  return route({
    ...operator,
    method: 'PUT',
    path: '/admin/v1/acquirers/{code}',
    permission: 'platforms.write',
    summary: 'Registers an acquirer and the account that its money comes from',
    summaryZh: '登记收单机构',
    params: z.strictObject({ code }),
    body: z.strictObject({
      name: textSchema(128),
      account: z.string().regex(/^[A-Za-z0-9]{5,34}$/, { error: 'must be 5 to 34 letters and digits' }),
      bankCode: bankCodeSchema.default(''),
    }),
    answers: { 200: { description: 'The acquirer', schema: acquirerSchema } },
    handle: async ({ params, body: { account, ...of }, tx }) => {
      await saveAcquirer(tx, { code: params.code, ...of, accountSealed: vault.seal(account) });
      const acquirer = await findAcquirer(tx, params.code);
      const body = {
        code: params.code,
        name: acquirer?.name ?? of.name,
        account: maskCardNumber(account),
        bankCode: of.bankCode,
      };
      return { status: 200, body, audit: { target: `acquirer ${params.code}` } };
    },
  });
}

function acquirersRoute({ db, vault }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/acquirers',
    permission: 'platforms.read',
    summary: 'The acquirers that are registered',
    summaryZh: '收单机构列表',
    answers: { 200: { description: 'All of them, by their codes', schema: z.strictObject({ items: z.array(acquirerSchema) }) } },
    handle: async () => {
      const all = await db.read('acquirers', listAcquirers);
      const items = all.map(({ accountSealed, ...of }) => ({ ...of, account: maskCardNumber(vault.open(accountSealed)) }));
      return { status: 200, body: { items } };
    },
  });
}

const LIST = 'acquirer-files';

function listRoute({ db }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/acquirer-files',
    permission: 'instructions.read',
    summary: 'Files of acquirers, the latest first',
    summaryZh: '收单对账文件列表',
    query: z.strictObject({
      platform: wireId('platform').optional(),
      acquirer: code.optional(),
      state: z.enum(ACQUIRER_FILE_STATES).optional(),
      date: businessDateSchema.optional().meta({ description: 'The day of the trades' }),
      ...pageQuery,
    }),
    answers: { 200: { description: 'A page', schema: pageSchema(listedSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ query: { platform: platformId, limit, cursor, ...of } }) => {
      const before = idAfter(LIST, cursor);
      const rows = await db.read('acquirer-files', (tx) => listFiles(tx, { ...of, platformId, before }, limit + 1));
      return { status: 200, body: page(LIST, rows, limit, ({ id }) => [id], listed) };
    },
  });
}

function retryRoute(rt: Runtime, give: GiveInstruction): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/acquirer-files/{file}/retry',
    permission: 'acquirers.write',
    summary: 'Instructs anew what the books refused of a released file, such as a fee for which the platform had no funds',
    summaryZh: '重试收单文件中被拒的指令',
    params: ofFile,
    answers: { 200: { description: 'The file, with the new instructions', schema: fileSchema } },
    refusals: ['NOT_FOUND', 'ACQUIRER_FILE_NOT_REFUSED'],
    handle: async ({ params, caller, tx }) => {
      const who = { operator: caller.operatorId, nowMs: rt.clock.now() };
      const { file, ring } = await retry(tx, rt, params.file, who, give);
      return { status: 200, body: await shown(tx, file), audit: { target: targetOf(file.id) }, afterCommit: ring };
    },
  });
}

function uploadRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/platforms/{platform}/acquirer-files',
    permission: 'acquirers.write',
    summary: 'Uploads the day file of an acquirer; it is refused whole when anything is wrong with it',
    summaryZh: '上传收单对账文件',
    description:
      'UTF-8, a line feed after each line, fields between pipes. ' +
      Object.entries(FILE_COLUMNS)
        .map(([row, columns]) => `${row}: ${columns.map(({ name, form }) => `${name} (${FIELD_FORMS[form].en})`).join(' | ')}`)
        .join('. ') +
      '. A refusal has `faults`: the line, the field, and what is wrong with it.',
    params: z.strictObject({ platform: wireId('platform') }),
    body: z.strictObject({
      file: z
        .string()
        .min(1)
        .max(FILE_MAX)
        .meta({ description: 'The text of the file as it came', examples: [exampleFile()] }),
    }),
    bodyLimit: 2 * FILE_MAX,
    answers: { 200: { description: 'Checked; another person has to release it', schema: fileSchema } },
    refusals: ['ACQUIRER_FILE_REFUSED', 'ACQUIRER_FILE_REUSED', 'ACQUIRER_NOT_FOUND'],
    handle: async ({ params, body, caller, tx }) => {
      const who = { operator: caller.operatorId, nowMs: rt.clock.now() };
      const file = await upload(tx, rt, params.platform, body.file, who);
      return { status: 200, body: await shown(tx, file), audit: { target: targetOf(file.id) } };
    },
  });
}

function readRoute({ db }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/acquirer-files/{file}',
    permission: 'instructions.read',
    summary: 'A file of an acquirer, and what its lines were instructed as',
    summaryZh: '查询收单对账文件',
    params: ofFile,
    answers: { 200: { description: 'The file', schema: fileSchema } },
    refusals: ['NOT_FOUND'],
    handle: async ({ params }) => ({
      status: 200,
      body: await db.read('acquirer-file', async (tx) => {
        const file = await findFile(tx, params.file);
        if (file === undefined) throw new Refused(refuse('NOT_FOUND'));
        return shown(tx, file);
      }),
    }),
  });
}

function decideRoute(rt: Runtime, give: GiveInstruction, verb: 'release' | 'reject'): Route {
  const releases = verb === 'release';
  return route({
    ...operator,
    method: 'POST',
    path: `/admin/v1/acquirer-files/{file}/${verb}`,
    permission: 'acquirers.write',
    summary: releases
      ? 'Releases a file that another uploaded: its lines are instructed as payments of their orders'
      : 'Rejects a file for good; its trades may come in another',
    summaryZh: releases ? '复核放行收单文件' : '作废收单文件',
    params: ofFile,
    answers: { 200: { description: 'The file', schema: fileSchema } },
    refusals: ['NOT_FOUND', 'ACQUIRER_FILE_DECIDED', ...(releases ? (['SAME_OPERATOR'] as const) : [])],
    handle: async ({ params, caller, tx }) => {
      const who = { operator: caller.operatorId, nowMs: rt.clock.now() };
      const { file, ring } = await decide(tx, rt, params.file, releases ? 'released' : 'rejected', who, give);
      return { status: 200, body: await shown(tx, file), audit: { target: targetOf(file.id) }, afterCommit: ring };
    },
  });
}

function targetOf(id: Id): string {
  return `acquirer file ${toWire('acquirer-file', id)}`;
}
