import { z } from 'zod';
import { type Id, Refused, refuse, signContent, toRfc3339, toWire, toWireAmount } from '../../kernel/index.js';
import { type Answer, businessDateSchema, type Route, type Runtime, route, wireId } from '../../runtime/index.js';
import { csvOf } from './csv.js';
import { type SignedStatement, STATEMENT_VERSION, type StatementContent, statementSchema } from './form.js';
import { pdfOf } from './pdf.js';
import { readHead, readLines } from './read.js';
import { LANGUAGES, NOTHING, plus, type StatementHead, type StatementLine } from './rules.js';

const params = z.strictObject({ account: wireId('account') });
const LINES_MAX = 5_000;

const query = z.strictObject({
  from: businessDateSchema.meta({ description: 'First business date' }),
  to: businessDateSchema.meta({ description: 'Last business date' }),
  format: z
    .enum(['json', 'csv', 'pdf'])
    .default('json')
    .meta({ description: `json and pdf hold up to ${LINES_MAX} lines, csv any number` }),
  language: z.enum(LANGUAGES).default('zh').meta({ description: 'Of csv and pdf' }),
  bom: z
    .enum(['true', 'false'])
    .default('false')
    .meta({ description: 'csv begins with a byte order mark, by which spreadsheets know UTF-8' }),
});
type Query = z.output<typeof query>;

function showLine(line: StatementLine): StatementContent['lines'][number] {
  return {
    seq: line.seq,
    businessDate: line.businessDate,
    postedAt: toRfc3339(line.postedMs),
    instruction: toWire('instruction', line.instruction),
    requestNo: line.requestNo,
    kind: line.kind,
    kindName: { ...line.kindWords },
    amount: toWireAmount(line.amount),
    balance: toWireAmount(line.balance),
    counter: { ...line.counter },
  };
}

async function jsonOf(rt: Runtime, head: StatementHead): Promise<SignedStatement> {
  const lines: StatementContent['lines'] = [];
  let totals = NOTHING;
  for await (const page of readLines(rt, head)) {
    for (const line of page) {
      totals = plus(totals, line);
      lines.push(showLine(line));
    }
  }
  const content: StatementContent = {
    account: toWire('account', head.account),
    type: head.type,
    platform: toWire('platform', head.platformId),
    platformName: head.platformName,
    ...{ holder: head.holder, merchantNo: head.merchantNo, virtualNo: head.virtualNo, currency: 'CNY' },
    ...{ from: head.from, to: head.to, final: head.final },
    opening: toWireAmount(head.opening),
    closing: toWireAmount(head.closing),
    totalIn: toWireAmount(totals.in),
    totalOut: toWireAmount(totals.out),
    lines,
    madeAt: toRfc3339(head.madeMs),
  };
  return signContent(STATEMENT_VERSION, content, rt.receiptKeys);
}

/** @throws Refused NOT_FOUND, SHAPE_INVALID, STATEMENT_TOO_LONG, OVERLOADED */
async function answer(
  rt: Runtime,
  account: Id,
  owner: Id | undefined,
  { from, to, format, language, bom }: Query,
): Promise<Answer> {
  const head = await readHead(rt, { account, owner, from, to });
  const lines = Math.max(0, head.last - head.first + 1);
  if (format !== 'csv' && lines > LINES_MAX)
    throw new Refused(refuse('STATEMENT_TOO_LONG', undefined, { lines, most: LINES_MAX }));
  if (format === 'json') return { status: 200, body: await jsonOf(rt, head) };
  const name = `statement-${toWire('account', account)}-${from}-${to}.${format}`;
  const headers = {
    'Content-Type': format === 'csv' ? 'text/csv; charset=utf-8; header=present' : 'application/pdf',
    'Content-Disposition': `attachment; filename="${name}"`,
  };
  if (format === 'csv') return { status: 200, stream: csvOf(rt, head, { language, bom: bom === 'true' }), headers };
  return { status: 200, body: await pdfOf(rt, head, language), headers };
}

const common = {
  method: 'GET',
  summary: 'Statement of an account for any period, as JSON, CSV or PDF',
  description:
    'Opening and closing balance, every entry with the balance after it, its kind, counterparty and request number. The JSON form is signed by the bank.',
  params,
  query,
  answers: { 200: { description: 'The statement, or its file; `npx cunguan verify` checks the JSON', schema: statementSchema } },
  refusals: ['NOT_FOUND', 'STATEMENT_TOO_LONG', 'OVERLOADED'],
} as const;

/** Statements for platforms of their accounts, and for the bank's staff. */
export function statementRoutes(rt: Runtime): Route[] {
  return [
    route({
      ...common,
      audience: 'platform',
      tag: 'Statements',
      path: '/v1/accounts/{account}/statement',
      summaryZh: '账户对账单',
      handle: ({ caller, params: of, query: wanted }) => answer(rt, of.account, caller.platformId, wanted),
    }),
    route({
      ...common,
      audience: 'operator',
      tag: 'Statements',
      permission: 'accounts.read',
      path: '/admin/v1/accounts/{account}/statement',
      summaryZh: '账户对账单（行内）',
      handle: ({ params: of, query: wanted }) => answer(rt, of.account, undefined, wanted),
    }),
  ];
}
