import { z } from 'zod';
import { Refused, refuse, toWire } from '../kernel/index.js';
import { businessDateSchema, type Route, type Runtime, route, wireId } from '../runtime/index.js';
import { makeCustodyReport } from './custody-report.js';
import { type CustodyReport, csvOfReport, custodyReportSchema } from './custody-rules.js';
import { latestReport, type Period } from './custody-store.js';

const answers = { 200: { description: 'The signed report; as CSV where that was asked for', schema: custodyReportSchema } };
const ofPeriod = { from: businessDateSchema, to: businessDateSchema };
const query = z.strictObject({ format: z.enum(['json', 'csv']).default('json') });

function answer(report: CustodyReport, format: 'json' | 'csv') {
  if (format === 'json') return { status: 200, body: report };
  return { status: 200, body: Buffer.from(csvOfReport(report), 'utf8'), headers: { 'Content-Type': 'text/csv; charset=utf-8' } };
}

/** Custody reports: made by the bank's staff for any period (each month's by itself), read by the platform and for the regulator. */
export function custodyReportRoutes(rt: Runtime): Route[] {
  const kept = async (period: Period, format: 'json' | 'csv') => {
    const found = await rt.db.read('custody-report', (tx) => latestReport(tx, period));
    if (found === undefined) throw new Refused(refuse('NOT_FOUND'));
    return answer(JSON.parse(found.body) as CustodyReport, format);
  };
  const params = z.strictObject({ platform: wireId('platform'), ...ofPeriod });
  return [
    route({
      method: 'GET',
      path: '/v1/custody-reports/{from}/{to}',
      audience: 'platform',
      tag: 'Custody reports',
      summary: 'The signed custody report of a period, as it was made last; each month has one',
      summaryZh: '存管报告查询',
      params: z.strictObject(ofPeriod),
      query,
      answers,
      refusals: ['NOT_FOUND'],
      handle: ({ caller: { platformId }, params: { from, to }, query: { format } }) => kept({ platformId, from, to }, format),
    }),
    route({
      method: 'GET',
      path: '/admin/v1/platforms/{platform}/custody-reports/{from}/{to}',
      audience: 'operator',
      tag: 'Supervision',
      permission: 'days.read',
      summary: "The signed custody report of a platform's period, for the regulator",
      summaryZh: '平台存管报告查询',
      params,
      query,
      answers,
      refusals: ['NOT_FOUND'],
      handle: ({ params: { platform: platformId, from, to }, query: { format } }) => kept({ platformId, from, to }, format),
    }),
    route({
      method: 'POST',
      path: '/admin/v1/platforms/{platform}/custody-reports/{from}/{to}',
      audience: 'operator',
      tag: 'Supervision',
      permission: 'supervision.write',
      summary: 'Makes and signs the custody report of a period; a new version only where it says something else than the last',
      summaryZh: '编制存管报告',
      params,
      answers,
      refusals: ['NOT_FOUND', 'DAY_NOT_OVER', 'SHAPE_INVALID'],
      handle: async ({ params: { platform: platformId, from, to }, tx }) => {
        const body = await makeCustodyReport(tx, rt, { platformId, from, to });
        return { status: 200, body, audit: { target: `custody report ${toWire('platform', platformId)} ${from} ${to}` } };
      },
    }),
  ];
}
