import { z } from 'zod';
import { naturalDate, Refused, refuse, toWire } from '../kernel/index.js';
import {
  businessDateSchema,
  idAfter,
  ONE_PLACE,
  page,
  pageQuery,
  pageSchema,
  type Route,
  type Runtime,
  route,
  textSchema,
  wireId,
} from '../runtime/index.js';
import { custodyReportRoutes } from './custody-routes.js';
import { askDay, watchedDay } from './days-store.js';
import { exempt, noteReported, proposeExempting } from './decide.js';
import { exportOfDay } from './export.js';
import { findReport, linesOf, listReports } from './large-value-store.js';
import { masked, particularsOf } from './particulars.js';
import { retentionRoutes } from './retention-routes.js';
import { LARGE_VALUE_STATES } from './states.js';
import { suspicionRoutes } from './suspicion-routes.js';
import { taxRoutes } from './tax-routes.js';
import { lineSchema, reportSchema, showLine, showReport, showWatchedDay, watchedDaySchema } from './wire.js';

const operator = { audience: 'operator', tag: 'Supervision' } as const;

/** What authorities ask of the bank. Of what is suspected or reported of anybody no platform and no customer has a route. */
export function supervisionRoutes(rt: Runtime): Route[] {
  return [
    dayRoute(rt),
    runRoute(rt),
    listRoute(rt),
    exportRoute(rt),
    linesRoute(rt),
    ...decisionRoutes(rt),
    ...suspicionRoutes(rt),
    ...taxRoutes(rt),
    ...custodyReportRoutes(rt),
    ...retentionRoutes(rt),
  ];
}

const ofDay = z.strictObject({ date: businessDateSchema });

function dayRoute({ db }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/watched-days/{date}',
    permission: 'supervision.read',
    summary: 'Whether the flows of a natural day were looked at, and the digest of what was seen',
    summaryZh: '大额与可疑监测日查询',
    params: ofDay,
    answers: { 200: { description: 'The day', schema: watchedDaySchema } },
    refusals: ['NOT_FOUND'],
    handle: async ({ params }) => {
      const day = await db.read('watched-day', (tx) => watchedDay(tx, params.date));
      if (day === undefined) throw new Refused(refuse('NOT_FOUND'));
      return { status: 200, body: showWatchedDay(day) };
    },
  });
}

function runRoute({ clock, bells }: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/watched-days/{date}',
    permission: 'supervision.write',
    summary: 'Has the flows of a natural day that is over looked at (again)',
    summaryZh: '重跑大额与可疑监测日',
    description: 'Reports and cases that are there stay as they are; a day that is being looked at goes on.',
    params: ofDay,
    answers: { 202: { description: 'Asked for', schema: watchedDaySchema } },
    refusals: ['DAY_NOT_OVER'],
    handle: async ({ params: { date }, tx }) => {
      if (date >= naturalDate(clock.now())) throw new Refused(refuse('DAY_NOT_OVER'));
      await askDay(tx, date, clock.now());
      const day = await watchedDay(tx, date);
      if (day === undefined) throw new Refused(refuse('NOT_FOUND'));
      return {
        ...{ status: 202, body: showWatchedDay(day), audit: { target: `watched day ${date}` } },
        afterCommit: () => bells.ring('watch-flows', ONE_PLACE),
      };
    },
  });
}

const LIST = 'large-values';

function listRoute({ db, vault, clock }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/large-value-reports',
    permission: 'supervision.read',
    summary: 'Large-value reports, customers masked',
    summaryZh: '大额交易报告列表',
    query: z.strictObject({
      date: businessDateSchema.optional(),
      state: z.enum(LARGE_VALUE_STATES).optional(),
      late: z.literal('true').optional().meta({ description: 'Candidates whose last day has passed' }),
      ...pageQuery,
    }),
    answers: { 200: { description: 'A page', schema: pageSchema(reportSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ query: { date, state, late, limit, cursor } }) => {
      const today = naturalDate(clock.now());
      const filter = late === undefined ? { date, state } : { date, state: 'candidate' as const, dueBefore: today };
      const body = await db.read('large-values', async (tx) => {
        const rows = await listReports(tx, { ...filter, after: idAfter(LIST, cursor) }, limit + 1);
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
          (row) => showReport(vault, row, masked(who(row.subject)), today),
        );
      });
      return { status: 200, body };
    },
  });
}

function exportRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/large-value-exports/{date}',
    permission: 'supervision.export',
    audited: true,
    summary: 'The file of a day for the monitoring centre, with the particulars of the customers',
    summaryZh: '大额交易报告报送文件',
    description:
      'Candidates and reported ones with their evidence, not what was exempted. Each look at it is in the audit trail. CSV (UTF-8) begins with a ' +
      'header line `H`, then a line `R` a report and a line `E` each instruction of it, and ends with `T`: counts and the sum.',
    params: ofDay,
    query: z.strictObject({ format: z.enum(['json', 'csv']).default('csv') }),
    answers: { 200: { description: 'The file' } },
    refusals: ['DAY_NOT_OVER'],
    handle: async ({ params: { date }, query: { format } }) => {
      if (date >= naturalDate(rt.clock.now())) throw new Refused(refuse('DAY_NOT_OVER'));
      const file = await exportOfDay(rt, date, format);
      const headers = {
        'Content-Type': format === 'csv' ? 'text/csv; charset=utf-8' : 'application/json; charset=utf-8',
        'Content-Disposition': `attachment; filename="large-value-${date}.${format}"`,
      };
      return { status: 200, body: file, headers, audit: { target: `large values ${date}` } };
    },
  });
}

const ofReport = z.strictObject({ report: wireId('large-value') });
const LINES = 'large-value-lines';

function linesRoute({ db }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/large-value-reports/{report}/lines',
    permission: 'supervision.read',
    summary: 'The evidence of a report: what each instruction brought or took',
    summaryZh: '大额交易报告明细',
    params: ofReport,
    query: z.strictObject(pageQuery),
    answers: { 200: { description: 'A page', schema: pageSchema(lineSchema) } },
    refusals: ['NOT_FOUND', 'CURSOR_INVALID'],
    handle: async ({ params, query: { limit, cursor } }) => {
      const rows = await db.read('large-value-lines', async (tx) => {
        if ((await findReport(tx, params.report)) === undefined) throw new Refused(refuse('NOT_FOUND'));
        return linesOf(tx, params.report, idAfter(LINES, cursor) ?? '0', limit + 1);
      });
      return { status: 200, body: page(LINES, rows, limit, (row) => [row.instruction], showLine) };
    },
  });
}

function decisionRoutes(rt: Runtime): Route[] {
  const base = {
    ...operator,
    method: 'POST',
    permission: 'supervision.write',
    params: ofReport,
    answers: { 200: { description: 'The report', schema: reportSchema } },
  } as const;
  const today = () => naturalDate(rt.clock.now());
  const answer = async (tx: Parameters<typeof particularsOf>[0], report: Parameters<typeof showReport>[1]) => {
    const who = await particularsOf(tx, rt.vault, [report.subject]);
    const audit = { target: `large value ${toWire('large-value', report.id)}` };
    return { status: 200, body: showReport(rt.vault, report, masked(who(report.subject)), today()), audit };
  };
  return [
    route({
      ...base,
      path: '/admin/v1/large-value-reports/{report}/exemption-proposal',
      summary: 'Proposes that a candidate is exempt, and why',
      summaryZh: '提出大额交易免报',
      body: z.strictObject({ reason: textSchema(500) }),
      refusals: ['NOT_FOUND', 'REPORT_STATE'],
      handle: async ({ params, body, caller, tx }) =>
        answer(tx, await proposeExempting(tx, rt, params.report, caller.operatorId, body.reason)),
    }),
    route({
      ...base,
      path: '/admin/v1/large-value-reports/{report}/exempt',
      summary: 'Exempts a candidate, as another person proposed',
      summaryZh: '复核大额交易免报',
      refusals: ['NOT_FOUND', 'REPORT_STATE', 'SAME_OPERATOR'],
      handle: async ({ params, caller, tx }) => answer(tx, await exempt(tx, rt, params.report, caller.operatorId)),
    }),
    route({
      ...base,
      path: '/admin/v1/large-value-reports/{report}/reported',
      summary: 'Notes that the monitoring centre has the report, by the receipt that it gave',
      summaryZh: '登记大额交易报送回执',
      body: z.strictObject({ receiptNo: textSchema(64) }),
      refusals: ['NOT_FOUND', 'REPORT_STATE'],
      handle: async ({ params, body, caller, tx }) =>
        answer(tx, await noteReported(tx, rt, params.report, caller.operatorId, body.receiptNo)),
    }),
  ];
}
