import { z } from 'zod';
import { type BusinessDate, parseBusinessDate, Refused, refuse } from '../../kernel/index.js';
import {
  type Answer,
  businessDateSchema,
  decodeCursor,
  page,
  pageQuery,
  pageSchema,
  type Route,
  type Runtime,
  route,
  wireId,
} from '../../runtime/index.js';
import { confirm } from '../disputes/say.js';
import { filesOfDay } from './make.js';
import { spool, streamOf, type WantedFile } from './spool.js';
import { daysWithFiles } from './store.js';
import { downloadQuery, fileParams, keptFileSchema, showKeptFile, wantedEncoding } from './wire.js';

const platform = { audience: 'platform', tag: 'Check files' } as const;
const LIST = 'check-file-days';
const LAST = '9999-12-31' as BusinessDate;

/** Check files as platforms fetch and confirm them, and as the bank's staff looks at them. */
export function checkFileRoutes(rt: Runtime): Route[] {
  return [daysRoute(rt), dayRoute(rt), downloadRoute(rt), confirmRoute(rt), staffDayRoute(rt), staffDownloadRoute(rt)];
}

function daysRoute({ db }: Runtime): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/check-files',
    summary: 'Business days whose check files are made, latest first',
    summaryZh: '对账文件日期列表',
    query: z.strictObject(pageQuery),
    answers: {
      200: { description: 'A page', schema: pageSchema(z.strictObject({ date: z.string().meta({ format: 'date' }) })) },
    },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ caller, query: { limit, cursor } }) => {
      const before = cursor === undefined ? LAST : parseBusinessDate(String(decodeCursor(LIST, 1, cursor)[0]));
      if (before === undefined) throw new Refused(refuse('CURSOR_INVALID'));
      const days = await db.read('check-file-days', (tx) => daysWithFiles(tx, caller.platformId, before, limit + 1));
      return {
        status: 200,
        body: page(
          LIST,
          days,
          limit,
          (date) => [date],
          (date) => ({ date }),
        ),
      };
    },
  });
}

const filesSchema = z.strictObject({ items: z.array(keptFileSchema) });

function dayRoute(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/check-files/{date}',
    summary: 'The check files of a business day with their digests',
    summaryZh: '对账文件清单',
    params: z.strictObject({ date: businessDateSchema }),
    answers: { 200: { description: 'The files', schema: filesSchema } },
    refusals: ['FILE_NOT_READY', 'FILE_DIFFERS'],
    handle: async ({ caller, params }) => {
      const files = await filesOfDay(rt, { platformId: caller.platformId, date: params.date });
      return { status: 200, body: { items: files.map(showKeptFile) } };
    },
  });
}

const downloaded = {
  200: {
    description:
      'The file: `text/plain`, or `application/gzip` where it was asked for packed. X-File-Sha256 and X-File-Sm3 are of the text',
  },
};

async function download(rt: Runtime, wanted: WantedFile): Promise<Answer> {
  const { kept, handle, bytes } = await spool(rt, wanted);
  const { sha256, sm3 } = kept.digests[wanted.encoding];
  const name = `${wanted.date.replaceAll('-', '')}-${wanted.file}.txt${wanted.gzip ? '.gz' : ''}`;
  return {
    status: 200,
    stream: streamOf(handle),
    headers: {
      'Content-Type': wanted.gzip ? 'application/gzip' : `text/plain; charset=${wanted.encoding}`,
      'Content-Length': String(bytes),
      'Content-Disposition': `attachment; filename="${name}"`,
      'X-File-Lines': String(kept.lines),
      'X-File-Sum': String(kept.sum),
      'X-File-Sha256': sha256.toString('hex'),
      'X-File-Sm3': sm3.toString('hex'),
    },
  };
}

function downloadRoute(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/check-files/{date}/{file}',
    summary: 'A check file of a past business day',
    summaryZh: '下载对账文件',
    description:
      'It is made again from the books, and is the same byte for byte as when it was first made: it is held against the kept digest before ' +
      'the first byte goes out.',
    params: fileParams,
    query: downloadQuery,
    answers: downloaded,
    refusals: ['FILE_NOT_READY', 'FILE_DIFFERS', 'OVERLOADED'],
    handle: ({ caller, params, query, headers }) =>
      download(rt, {
        platformId: caller.platformId,
        ...params,
        encoding: wantedEncoding(query.encoding, headers['accept-charset']),
        gzip: query.pack === 'gzip',
      }),
  });
}

function confirmRoute(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'POST',
    path: '/v1/check-files/{date}/{file}/confirmation',
    summary: 'The platform finds a check file right',
    summaryZh: '对账文件确认',
    description: 'It names the digest of what it looked at. Said again it answers the same.',
    params: fileParams,
    body: z.strictObject({
      digest: z
        .string()
        .regex(/^[0-9a-fA-F]{64}$/)
        .meta({ description: 'SHA-256 or SM3 of the file, unpacked, hex' }),
    }),
    answers: { 200: { description: 'Confirmed', schema: keptFileSchema } },
    refusals: ['FILE_NOT_READY', 'FILE_DIGEST_OTHER', 'FILE_DISPUTED'],
    handle: async ({ caller, params, body }) => ({
      status: 200,
      body: showKeptFile(await confirm(rt, { platformId: caller.platformId, ...params }, body.digest, caller.keyId)),
    }),
  });
}

const operator = { audience: 'operator', tag: 'Check files', permission: 'days.read' } as const;

function staffDayRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/platforms/{platform}/check-files/{date}',
    summary: 'The check files of a business day, and which the platform found right',
    summaryZh: '对账文件清单（行内）',
    params: z.strictObject({ platform: wireId('platform'), date: businessDateSchema }),
    answers: { 200: { description: 'The files', schema: filesSchema } },
    refusals: ['FILE_NOT_READY', 'FILE_DIFFERS'],
    handle: async ({ params }) => {
      const files = await filesOfDay(rt, { platformId: params.platform, date: params.date });
      return { status: 200, body: { items: files.map(showKeptFile) } };
    },
  });
}

function staffDownloadRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/platforms/{platform}/check-files/{date}/{file}',
    summary: 'A check file as the platform gets it',
    summaryZh: '下载对账文件（行内）',
    params: fileParams.extend({ platform: wireId('platform') }),
    query: downloadQuery,
    answers: downloaded,
    refusals: ['FILE_NOT_READY', 'FILE_DIFFERS', 'OVERLOADED'],
    handle: ({ params: { platform: platformId, ...of }, query, headers }) => {
      const encoding = wantedEncoding(query.encoding, headers['accept-charset']);
      return download(rt, { platformId, ...of, encoding, gzip: query.pack === 'gzip' });
    },
  });
}
