import { z } from 'zod';
import type { Id } from '../../kernel/index.js';
import { type Answer, businessDateSchema, type Route, type Runtime, route, wireId } from '../../runtime/index.js';
import { receiptOfEntry, verifyTyped } from './make.js';
import { receiptPdf } from './pdf.js';
import { entryReceiptSchema } from './rules.js';

const params = z.strictObject({
  account: wireId('account'),
  seq: z
    .string()
    .regex(/^[1-9][0-9]{0,14}$/)
    .transform(Number)
    .meta({ description: "Place of the entry in the account's chain, from 1" }),
});
const query = z.strictObject({ format: z.enum(['json', 'pdf']).default('json') });
const VERIFY = '/v1/entry-receipts/verify';

async function answer(rt: Runtime, of: z.output<typeof params>, owner: Id | undefined, format: 'json' | 'pdf'): Promise<Answer> {
  const receipt = await receiptOfEntry(rt, of.account, of.seq, owner);
  if (format === 'json') return { status: 200, body: receipt };
  const headers = {
    'Content-Type': 'application/pdf',
    'Content-Disposition': `attachment; filename="receipt-${receipt.content.receiptNo}.pdf"`,
  };
  return { status: 200, body: await receiptPdf(receipt, `${rt.config.PUBLIC_URL.replace(/\/$/, '')}${VERIFY}`), headers };
}

const common = {
  method: 'GET',
  summary: 'The electronic receipt of an entry, signed by the bank, as JSON or PDF',
  params,
  query,
  answers: { 200: { description: 'The receipt; `npx cunguan verify` checks the JSON', schema: entryReceiptSchema } },
  refusals: ['NOT_FOUND', 'OVERLOADED'],
} as const;

/** Receipts of entries, and whether one is genuine, which anybody may ask. */
export function entryReceiptRoutes(rt: Runtime): Route[] {
  return [
    route({
      ...common,
      audience: 'platform',
      tag: 'Entry receipts',
      path: '/v1/accounts/{account}/entries/{seq}/receipt',
      summaryZh: '电子回单',
      handle: ({ caller, params: of, query: { format } }) => answer(rt, of, caller.platformId, format),
    }),
    route({
      ...common,
      audience: 'operator',
      permission: 'accounts.read',
      tag: 'Entry receipts',
      path: '/admin/v1/accounts/{account}/entries/{seq}/receipt',
      summaryZh: '电子回单（行内）',
      handle: ({ params: of, query: { format } }) => answer(rt, of, undefined, format),
    }),
    verifyRoute(rt),
  ];
}

function verifyRoute(rt: Runtime): Route {
  return route({
    audience: 'public',
    tag: 'Entry receipts',
    method: 'GET',
    path: VERIFY,
    summary: 'Whether a receipt of an entry is genuine, by its number and verification code',
    summaryZh: '电子回单验证',
    description: 'Who also types amount or date is told whether they are those of the entry. Nothing is told that was not typed.',
    query: z.strictObject({
      no: z
        .string()
        .regex(/^[1-9][0-9]{18}[1-9][0-9]{18}$/)
        .meta({ description: 'The number of the receipt, 38 digits' }),
      code: z.string().min(16).max(24).meta({ description: 'Its verification code', example: '7K3M-0QXR-P2TV-91AC' }),
      amount: z
        .string()
        .regex(/^[1-9][0-9]{0,15}$/)
        .transform(Number)
        .refine(Number.isSafeInteger)
        .optional()
        .meta({ description: 'Fen' }),
      date: businessDateSchema.optional(),
    }),
    answers: {
      200: {
        description: 'What is so',
        schema: z.strictObject({
          genuine: z.boolean(),
          amount: z
            .boolean()
            .nullable()
            .optional()
            .meta({ description: 'Whether the amount typed is that of the entry; null: none was typed' }),
          businessDate: z.boolean().nullable().optional(),
        }),
      },
    },
    refusals: ['SHAPE_INVALID'],
    handle: async ({ query: { no, code, amount, date } }) => ({
      status: 200,
      body: await verifyTyped(rt, { receiptNo: no, code, amount, businessDate: date }),
    }),
  });
}
