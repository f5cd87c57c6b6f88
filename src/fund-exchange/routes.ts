import { z } from 'zod';
import { parseBusinessDate, Refused, refuse, toRfc3339 } from '../kernel/index.js';
import {
  businessDateSchema,
  decodeCursor,
  page,
  pageQuery,
  pageSchema,
  type Route,
  type Runtime,
  rfc3339Schema,
  route,
} from '../runtime/index.js';
import { FILE_KINDS, FILE_STATES, type FileKey, type FundFile, listFiles } from './store.js';

const LIST = 'fund-files';

const fileSchema = z
  .strictObject({
    company: z.string(),
    date: z.string().meta({ description: 'Of ours the trading day of the orders; of theirs the one behind it' }),
    kind: z.enum(FILE_KINDS),
    state: z.enum(FILE_STATES),
    records: z.int(),
    digest: z.string().nullable().meta({ description: 'SHA-256, hex' }),
    why: z.string().nullable().meta({ description: 'Why nothing of it counts' }),
    changedAt: rfc3339Schema,
  })
  .meta({ id: 'FundFile', description: 'A file that was exchanged with a fund company 基金数据交换文件' });

function show({ company, date, kind, state, count, digest, why, changedMs }: FundFile): z.input<typeof fileSchema> {
  return { company, date, kind, state, records: count, digest, why, changedAt: toRfc3339(changedMs) };
}

/** @throws Refused CURSOR_INVALID */
function keyOf(cursor: string): FileKey {
  const [date, company, kind] = decodeCursor(LIST, 3, cursor).map(String) as [string, string, string];
  const day = parseBusinessDate(date);
  const named = FILE_KINDS.find((each) => each === kind);
  if (day === undefined || named === undefined) throw new Refused(refuse('CURSOR_INVALID'));
  return { date: day, company, kind: named };
}

/** What staff sees of the exchange with fund companies. */
export function fundFileRoutes(rt: Runtime): Route[] {
  return [
    route({
      audience: 'operator',
      tag: 'Funds',
      method: 'GET',
      path: '/admin/v1/fund-files',
      permission: 'breaks.read',
      summary: 'Files exchanged with fund companies, the latest first',
      summaryZh: '基金数据交换文件查询',
      query: z.strictObject({
        company: z.string().max(9).optional(),
        kind: z.enum(FILE_KINDS).optional(),
        state: z.enum(FILE_STATES).optional(),
        since: businessDateSchema.optional(),
        ...pageQuery,
      }),
      answers: { 200: { description: 'A page', schema: pageSchema(fileSchema) } },
      refusals: ['CURSOR_INVALID'],
      handle: async ({ query: { limit, cursor, ...filter } }) => {
        const after = cursor === undefined ? undefined : keyOf(cursor);
        const files = await rt.db.read('fund-files', (tx) => listFiles(tx, { ...filter, after }, limit + 1));
        return { status: 200, body: page(LIST, files, limit, ({ date, company, kind }) => [date, company, kind], show) };
      },
    }),
  ];
}
