import { z } from 'zod';
import { type Id, maskCardNumber, Refused, refuse, toRfc3339, toWire, toWireAmount } from '../kernel/index.js';
import { bankCodeSchema, type Route, type Runtime, rfc3339Schema, route, type Tx, textSchema, wireId } from '../runtime/index.js';
import { decide, type GiveInstruction, upload } from './release.js';
import { ACQUIRER_FILE_STATES } from './states.js';
import { findAcquirer, findFile, linesOf, type StoredFile, saveAcquirer } from './store.js';

const FILE_MAX = 256 * 1024;
const operator = { audience: 'operator', tag: 'Acquirers' } as const;
const money = z.strictObject({ amount: z.int(), currency: z.literal('CNY') });
const cny = (amount: bigint) => ({ amount: toWireAmount(amount), currency: 'CNY' as const });
const code = z.string().regex(/^[A-Za-z0-9_.:-]{1,32}$/, { error: 'must be 1 to 32 of A–Z a–z 0–9 _ . : -' });
const ofFile = z.strictObject({ file: wireId('acquirer-file') });

const acquirerSchema = z
  .strictObject({ code: z.string(), name: z.string(), account: z.string(), bankCode: z.string() })
  .meta({ id: 'Acquirer', description: 'Who acquires for platforms outside, and the account its money comes from 收单机构' });

const fileSchema = z
  .strictObject({
    id: z.string(),
    platform: z.string(),
    acquirer: z.string(),
    fileNo: z.string(),
    reference: z.string().meta({ description: 'Under which the statement shows the sum less the fee' }),
    total: money,
    fee: money,
    state: z.enum(ACQUIRER_FILE_STATES),
    uploadedBy: z.string(),
    uploadedAt: rfc3339Schema,
    decidedBy: z.string().nullable(),
    feeInstruction: z.string().nullable(),
    lines: z.array(
      z.strictObject({
        line: z.int(),
        tradeNo: z.string(),
        orderNo: z.string(),
        amount: money,
        instruction: z
          .string()
          .nullable()
          .meta({ description: 'What it was instructed as; its outcome says whether it was posted' }),
      }),
    ),
  })
  .meta({ id: 'AcquirerFile', description: 'A day file of an acquirer 收单对账文件' });

async function shown(tx: Tx, file: StoredFile): Promise<z.output<typeof fileSchema>> {
  return {
    id: toWire('acquirer-file', file.id),
    platform: toWire('platform', file.platformId),
    acquirer: file.acquirer,
    fileNo: file.fileNo,
    reference: file.reference,
    total: cny(file.total),
    fee: cny(file.fee),
    state: file.state,
    uploadedBy: toWire('operator', file.uploadedBy),
    uploadedAt: toRfc3339(file.uploadedMs),
    decidedBy: file.decidedBy === null ? null : toWire('operator', file.decidedBy),
    feeInstruction: file.feeInstruction === null ? null : toWire('instruction', file.feeInstruction),
    lines: (await linesOf(tx, file.id)).map((line) => ({
      line: line.lineNo,
      tradeNo: line.tradeNo,
      orderNo: line.orderNo,
      amount: cny(line.amount),
      instruction: line.instructionId === null ? null : toWire('instruction', line.instructionId),
    })),
  };
}

/**
 * Files of acquirers: one of the staff uploads, another releases.
 * @param give receives an instruction in the transaction of the release
 */
export function acquirerRoutes(rt: Runtime, give: GiveInstruction): Route[] {
  return [acquirerRoute(rt), uploadRoute(rt), readRoute(rt), decideRoute(rt, give, 'release'), decideRoute(rt, give, 'reject')];
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

function uploadRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/platforms/{platform}/acquirer-files',
    permission: 'acquirers.write',
    summary: 'Uploads the day file of an acquirer; it is refused whole when anything is wrong with it',
    summaryZh: '上传收单对账文件',
    params: z.strictObject({ platform: wireId('platform') }),
    body: z.strictObject({ file: z.string().min(1).max(FILE_MAX).meta({ description: 'The text of the file as it came' }) }),
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
