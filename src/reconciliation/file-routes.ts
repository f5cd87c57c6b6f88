import { z } from 'zod';
import { type BusinessDate, type Id, Refused, refuse, toRfc3339 } from '../kernel/index.js';
import { businessDateSchema, type Route, type Runtime, rfc3339Schema, route } from '../runtime/index.js';
import { keepPart, takePlatformFile } from './platform-day.js';
import { ENCODINGS } from './platform-file.js';
import { findPlatformFile, type PlatformFile } from './platform-store.js';
import { runsOf } from './run-store.js';
import { runSchema, showRun } from './wire.js';

const PART_BYTES_MAX = 4 * 1024 * 1024;
const PARTS_MAX = 64; // 256 MiB: millions of lines
const platform = { audience: 'platform', tag: 'Reconciliation' } as const;
const ofDate = z.strictObject({ date: businessDateSchema });

const fileSchema = z
  .strictObject({
    businessDate: z.string(),
    digest: z.string().meta({ description: 'SHA-256 of the whole file, hex' }),
    encoding: z.enum(ENCODINGS),
    lines: z.int(),
    sum: z.string().meta({ description: 'Fen, as text' }),
    receivedAt: rfc3339Schema,
    comparison: runSchema.nullable().meta({ description: 'null: the day is not cut off yet' }),
  })
  .meta({ id: 'PlatformDayFile', description: 'What a platform itself has of its day 平台对账文件' });

async function show({ db }: Runtime, file: PlatformFile): Promise<z.input<typeof fileSchema>> {
  const runs = await db.read('day-file-run', (tx) => runsOf(tx, file.platformId, file.businessDate));
  const run = runs.find(({ party }) => party === 'platform');
  return {
    businessDate: file.businessDate,
    digest: file.digest.toString('hex'),
    encoding: file.encoding,
    lines: file.lineCount,
    sum: String(file.total),
    receivedAt: toRfc3339(file.receivedMs),
    comparison: run === undefined ? null : showRun(run),
  };
}

/** How a platform lets its own record of a day be compared with the books. */
export function platformFileRoutes(rt: Runtime): Route[] {
  return [partRoute(rt), takeRoute(rt), readRoute(rt)];
}

function partRoute(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'PUT',
    path: '/v1/day-files/{date}/parts/{part}',
    summary: 'Uploads a part of the file of a business date; the same part again replaces it',
    summaryZh: '上传平台对账文件分片',
    params: z.strictObject({ date: businessDateSchema, part: z.coerce.number().int().min(1).max(PARTS_MAX) }),
    body: 'bytes',
    rawBody: { schema: z.string().meta({ format: 'binary' }), mediaTypes: ['application/octet-stream'] },
    bodyLimit: PART_BYTES_MAX,
    answers: { 200: { description: 'Kept', schema: z.strictObject({ part: z.int(), bytes: z.int() }) } },
    refusals: ['DAY_FILE_LATE', 'DAY_FILE_REUSED'],
    handle: async ({ caller, params: { date, part }, bytes }) => {
      await keepPart(rt, { platformId: caller.platformId, date }, part, bytes);
      return { status: 200, body: { part, bytes: bytes.length } };
    },
  });
}

function takeRoute(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'POST',
    path: '/v1/day-files/{date}',
    summary: 'Hands in the file of a business date whose parts were uploaded; it is taken or refused whole',
    summaryZh: '提交平台对账文件',
    description:
      'Rows `H|1|platform|date|lines|sum`, `D|line|requestNo|kind|amount|posted or refused|remark` and `T|lines|sum|SHA-256 of all bytes before`, ' +
      'amounts in yuan with two decimals, kinds payment, combined-payment, refund, withdrawal, top-up. Until the date is closed one file of it is ' +
      'taken; handing in the same one again changes nothing. It is compared when the date is cut off, and stops nothing.',
    params: ofDate,
    body: z.strictObject({
      parts: z.int().min(1).max(PARTS_MAX),
      digest: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .meta({ description: 'SHA-256 of the whole file, hex' }),
      encoding: z.enum(ENCODINGS).default('utf-8'),
    }),
    answers: { 200: { description: 'Taken', schema: fileSchema } },
    refusals: ['DAY_FILE_REFUSED', 'DAY_FILE_REUSED', 'DAY_FILE_LATE'],
    handle: async ({ caller, params: { date }, body }) => {
      const file = await takePlatformFile(rt, { platformId: caller.platformId, date }, body);
      return { status: 200, body: await show(rt, file) };
    },
  });
}

async function requireFile({ db }: Runtime, platformId: Id, date: BusinessDate): Promise<PlatformFile> {
  const file = await db.read('day-file', (tx) => findPlatformFile(tx, platformId, date));
  if (file === undefined) throw new Refused(refuse('NOT_FOUND'));
  return file;
}

function readRoute(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/day-files/{date}',
    summary: 'The file of a business date, and what came of comparing it',
    summaryZh: '查询平台对账文件',
    params: ofDate,
    answers: { 200: { description: 'The file', schema: fileSchema } },
    refusals: ['NOT_FOUND'],
    handle: async ({ caller, params }) => ({
      status: 200,
      body: await show(rt, await requireFile(rt, caller.platformId, params.date)),
    }),
  });
}
