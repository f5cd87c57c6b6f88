import { z } from 'zod';
import { naturalDate, Refused, refuse, toWire } from '../kernel/index.js';
import {
  idAfter,
  page,
  pageQuery,
  pageSchema,
  type Route,
  type Runtime,
  route,
  type Tx,
  textSchema,
  wireId,
} from '../runtime/index.js';
import { agreeToVerdict, noteCaseReported, proposeVerdict, reviewCase } from './decide.js';
import { particularsOf } from './particulars.js';
import { SUSPICION_STATES } from './states.js';
import { findCase, listCases, type SuspicionCase } from './suspicion-store.js';
import { caseSchema, particularsSchema, showCase } from './wire.js';

const LIST = 'suspicions';
const operator = { audience: 'operator', tag: 'Supervision' } as const;
const ofCase = z.strictObject({ case: wireId('suspicion') });

/** The queue of what may be suspicious. Nothing of it is told to a platform or a customer, and the audit trail keeps no words of it. */
export function suspicionRoutes(rt: Runtime): Route[] {
  return [listRoute(rt), openRoute(rt), ...stepRoutes(rt)];
}

function listRoute({ db, vault, clock }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/suspicion-cases',
    permission: 'supervision.read',
    summary: 'Cases of suspicion in the order they were raised, customers masked',
    summaryZh: '可疑交易案件列表',
    query: z.strictObject({ state: z.enum(SUSPICION_STATES).optional(), ...pageQuery }),
    answers: { 200: { description: 'A page', schema: pageSchema(caseSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ query: { state, limit, cursor } }) => {
      const body = await db.read('suspicions', async (tx) => {
        const rows = await listCases(tx, { state, after: idAfter(LIST, cursor) }, limit + 1);
        const who = await particularsOf(
          tx,
          vault,
          rows.map(({ subject }) => subject),
        );
        return page(
          LIST,
          rows,
          limit,
          (row) => [row.id],
          (row) => showCase(vault, row, who(row.subject), naturalDate(clock.now())),
        );
      });
      return { status: 200, body };
    },
  });
}

function openRoute({ db, vault }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/suspicion-cases/{case}/customer',
    permission: 'supervision.export',
    audited: true,
    summary: 'Who the customer of a case is, unmasked, for the report',
    summaryZh: '可疑交易案件客户身份',
    params: ofCase,
    answers: { 200: { description: 'His particulars', schema: particularsSchema } },
    refusals: ['NOT_FOUND'],
    handle: async ({ params }) => {
      const body = await db.read('suspect', async (tx) => {
        const found = await findCase(tx, params.case);
        if (found === undefined) throw new Refused(refuse('NOT_FOUND'));
        return (await particularsOf(tx, vault, [found.subject]))(found.subject);
      });
      return { status: 200, body, audit: { target: `suspicion ${toWire('suspicion', params.case)}` } };
    },
  });
}

const verdict = z.strictObject({
  verdict: z.enum(['confirmed', 'dismissed']),
  reason: textSchema(500),
});

function stepRoutes(rt: Runtime): Route[] {
  const base = {
    ...operator,
    method: 'POST',
    permission: 'supervision.write',
    confidential: true,
    params: ofCase,
    answers: { 200: { description: 'The case', schema: caseSchema } },
  } as const;
  const answer = async (tx: Tx, found: SuspicionCase) => {
    const who = await particularsOf(tx, rt.vault, [found.subject]);
    const body = showCase(rt.vault, found, who(found.subject), naturalDate(rt.clock.now()));
    return { status: 200, body, audit: { target: `suspicion ${toWire('suspicion', found.id)}` } };
  };
  return [
    route({
      ...base,
      path: '/admin/v1/suspicion-cases/{case}/review',
      summary: 'Begins to look at a case',
      summaryZh: '受理可疑交易案件',
      refusals: ['NOT_FOUND', 'REPORT_STATE'],
      handle: async ({ params, tx }) => answer(tx, await reviewCase(tx, params.case)),
    }),
    route({
      ...base,
      path: '/admin/v1/suspicion-cases/{case}/proposal',
      summary: 'Proposes to confirm or to dismiss a case',
      summaryZh: '提出可疑交易认定或排除',
      body: verdict,
      refusals: ['NOT_FOUND', 'REPORT_STATE'],
      handle: async ({ params, body, caller, tx }) => {
        const of = { to: body.verdict, by: caller.operatorId, note: body.reason };
        return answer(tx, await proposeVerdict(tx, rt, params.case, of));
      },
    }),
    route({
      ...base,
      path: '/admin/v1/suspicion-cases/{case}/verdict',
      summary: 'Confirms or dismisses a case, as another person proposed',
      summaryZh: '复核可疑交易认定或排除',
      body: verdict,
      refusals: ['NOT_FOUND', 'REPORT_STATE', 'SAME_OPERATOR'],
      handle: async ({ params, body, caller, tx }) => {
        const of = { to: body.verdict, by: caller.operatorId, note: body.reason };
        return answer(tx, await agreeToVerdict(tx, rt, params.case, of));
      },
    }),
    route({
      ...base,
      path: '/admin/v1/suspicion-cases/{case}/reported',
      summary: 'Notes that the monitoring centre has the report, by the receipt that it gave',
      summaryZh: '登记可疑交易报送回执',
      body: z.strictObject({ receiptNo: textSchema(64) }),
      refusals: ['NOT_FOUND', 'REPORT_STATE'],
      handle: async ({ params, body, tx }) => answer(tx, await noteCaseReported(tx, params.case, body.receiptNo)),
    }),
  ];
}
