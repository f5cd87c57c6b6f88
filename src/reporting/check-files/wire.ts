import { z } from 'zod';
import { toRfc3339, toWireAmount } from '../../kernel/index.js';
import { businessDateSchema, rfc3339Schema } from '../../runtime/index.js';
import { CHECK_FILE_NAMES, FILE_VERSION } from './columns.js';
import type { Digests, FileEncoding } from './format.js';
import type { KeptFile } from './store.js';

export const fileParams = z.strictObject({ date: businessDateSchema, file: z.enum(CHECK_FILE_NAMES) });

const digestSchema = z.strictObject({
  bytes: z.int(),
  sha256: z.string().meta({ description: 'Of the file unpacked, hex' }),
  sm3: z.string().meta({ description: 'The same (GB/T 32905)' }),
});

export const keptFileSchema = z
  .strictObject({
    date: z.string().meta({ format: 'date' }),
    file: z.enum(CHECK_FILE_NAMES),
    version: z.int(),
    lines: z.int().meta({ description: 'D lines' }),
    sum: z.int().meta({ description: 'Fen: the sum of their amounts' }),
    utf8: digestSchema,
    gb18030: digestSchema,
    madeAt: rfc3339Schema.meta({ description: 'When it was first made' }),
    confirmedAt: rfc3339Schema.nullable().meta({ description: 'When the platform found it right' }),
  })
  .meta({ id: 'CheckFile', description: 'A check file 对账文件 of a business day' });

const showDigests = ({ bytes, sha256, sm3 }: Digests) => ({ bytes, sha256: sha256.toString('hex'), sm3: sm3.toString('hex') });

export function showKeptFile({ date, file, lines, sum, digests, madeMs, confirmedMs }: KeptFile): z.input<typeof keptFileSchema> {
  return {
    ...{ date, file, version: FILE_VERSION, lines, sum: toWireAmount(sum) },
    utf8: showDigests(digests['utf-8']),
    gb18030: showDigests(digests.gb18030),
    madeAt: toRfc3339(madeMs),
    confirmedAt: confirmedMs === null ? null : toRfc3339(confirmedMs),
  };
}

export const downloadQuery = z.strictObject({
  encoding: z.enum(['utf-8', 'gbk', 'gb18030']).optional().meta({
    description:
      'gbk is written as GB 18030, which has the bytes of GBK and, in four bytes, the characters that GBK lacks. Else `Accept-Charset` decides',
  }),
  pack: z.enum(['gzip']).optional().meta({ description: 'gzip: the file packed, `.txt.gz`' }),
});

/** By what is asked for, or by the Accept-Charset of who does not ask. */
export function wantedEncoding(asked: 'utf-8' | 'gbk' | 'gb18030' | undefined, acceptCharset: string | undefined): FileEncoding {
  if (asked !== undefined) return asked === 'utf-8' ? 'utf-8' : 'gb18030';
  const first = acceptCharset?.split(',')[0]?.split(';')[0]?.trim().toLowerCase();
  return first === 'gbk' || first === 'gb2312' || first === 'gb18030' ? 'gb18030' : 'utf-8';
}
