import { z } from 'zod';
import { type Id, Refused, refuse, toRfc3339, toWire, toWireAmount } from '../kernel/index.js';
import { ONE_PLACE, type Route, type Runtime, rfc3339Schema, route, textSchema, wireId } from '../runtime/index.js';
import { daysOfQuarter, parseQuarter, type Quarter, taxDueOn } from './rules.js';
import { TAX_STATES } from './states.js';
import { taxFileOf } from './tax.js';
import {
  answerTaxReport,
  approveAdjustment,
  findAdjustment,
  insertAdjustment,
  sellerOfPlatform,
  type TaxAdjustment,
  type TaxReport,
  taxVersions,
} from './tax-store.js';
import { openedOrNull } from './wire.js';

const operator = { audience: 'operator', tag: 'Supervision' } as const;
const platform = { audience: 'platform', tag: 'Tax' } as const;

const quarterSchema = z
  .string()
  .transform((text, context): Quarter => {
    const quarter = parseQuarter(text);
    if (quarter !== undefined) return quarter;
    context.addIssue({ code: 'custom', message: 'must be a quarter like 2025Q4' });
    return z.NEVER;
  })
  .meta({ description: 'A quarter', example: '2025Q4' });
const versionSchema = z
  .string()
  .regex(/^[1-9][0-9]{0,3}$/, { error: 'must be a version, from 1' })
  .transform(Number);
const fen = z.int().meta({ description: 'Minor units (fen)' });

const headSchema = z
  .strictObject({
    quarter: z.string(),
    version: z.int(),
    sellers: z.int(),
    gross: fen,
    refunds: fen,
    net: fen,
    fees: fen.meta({ description: 'Commission and fees' }),
    unattributed: fen.meta({ description: 'Commission that no income of a seller explains' }),
    digest: z.string().meta({ description: 'SHA-256 of the file' }),
    dueOn: z.string().meta({ format: 'date', description: 'The last day to report it to the tax authority' }),
    state: z.enum(TAX_STATES),
    note: z.string().nullable(),
    madeAt: rfc3339Schema,
  })
  .meta({ id: 'TaxReport', description: '平台内经营者涉税信息' });
const headsSchema = z.strictObject({ items: z.array(headSchema) });

function show({ vault }: Pick<Runtime, 'vault'>, of: TaxReport): z.input<typeof headSchema> {
  const { quarter, version, sellers, digest, state, gross, refunds } = of;
  return {
    ...{ quarter, version, sellers, digest, state, note: openedOrNull(vault, of.noteSealed) },
    ...{ gross: toWireAmount(gross), refunds: toWireAmount(refunds), net: toWireAmount(gross - refunds) },
    ...{
      dueOn: taxDueOn(quarter),
      fees: toWireAmount(of.fees),
      unattributed: toWireAmount(of.unattributed),
      madeAt: toRfc3339(of.madeMs),
    },
  };
}

const ofQuarter = z.strictObject({ quarter: quarterSchema });
const ofVersion = z.strictObject({ quarter: quarterSchema, version: versionSchema });
const ofPlatform = z.strictObject({ platform: wireId('platform'), quarter: quarterSchema });

/** The quarterly data about a platform's sellers: its own for the platform, all of them for the bank's compliance. */
export function taxRoutes(rt: Runtime): Route[] {
  return [...platformRoutes(rt), ...readRoutes(rt), proposeRoute(rt), approveRoute(rt)];
}

async function file(rt: Runtime, of: { platformId: Id; quarter: Quarter; version: number }) {
  const body = await taxFileOf(rt, of.platformId, of.quarter, of.version);
  if (body === undefined) throw new Refused(refuse('NOT_FOUND'));
  const headers = {
    'Content-Type': 'text/csv; charset=utf-8',
    'Content-Disposition': `attachment; filename="tax-${of.quarter}-${of.version}.csv"`,
  };
  return { status: 200, body, headers };
}

function platformRoutes(rt: Runtime): Route[] {
  return [
    route({
      ...platform,
      method: 'GET',
      path: '/v1/tax-reports/{quarter}',
      summary: 'The versions of the data about your sellers of a quarter, the newest first',
      summaryZh: '涉税信息版本查询',
      params: ofQuarter,
      answers: { 200: { description: 'None before the quarter is over and its books are cut off', schema: headsSchema } },
      handle: async ({ caller: { platformId }, params }) => {
        const items = await rt.db.read('tax-versions', (tx) => taxVersions(tx, platformId, params.quarter));
        return { status: 200, body: { items: items.map((each) => show(rt, each)) } };
      },
    }),
    route({
      ...platform,
      method: 'GET',
      path: '/v1/tax-reports/{quarter}/{version}/file',
      summary:
        'The file of a version: identity, gross income, refunds, net, commission, fees and orders of each seller, by month',
      summaryZh: '涉税信息文件下载',
      description: 'Made again from the books each time, byte for byte the same; its SHA-256 stands in the head.',
      params: ofVersion,
      answers: { 200: { description: 'CSV, UTF-8, amounts in yuan' } },
      refusals: ['NOT_FOUND'],
      handle: ({ caller: { platformId }, params }) => file(rt, { platformId, ...params }),
    }),
    route({
      ...platform,
      method: 'POST',
      path: '/v1/tax-reports/{quarter}/{version}/answer',
      summary: 'Confirms or disputes a version',
      summaryZh: '涉税信息确认或异议',
      params: ofVersion,
      body: z.strictObject({ answer: z.enum(['confirmed', 'disputed']), note: textSchema(500).optional() }),
      answers: { 200: { description: 'The version', schema: headSchema } },
      refusals: ['NOT_FOUND', 'REPORT_STATE'],
      handle: async ({ caller: { platformId }, params: { quarter, version }, body: { answer, note } }) => {
        const body = await rt.db.withTx('answer-tax-report', async (tx) => {
          const read = async () => (await taxVersions(tx, platformId, quarter)).find((each) => each.version === version);
          const before = await read();
          if (before === undefined) throw new Refused(refuse('NOT_FOUND'));
          const noteSealed = note === undefined ? null : rt.vault.seal(note);
          const to = { state: answer, noteSealed, nowMs: rt.clock.now() };
          if (before.state !== answer && !(await answerTaxReport(tx, { platformId, quarter, version }, to)))
            throw new Refused(refuse('REPORT_STATE', undefined, { state: before.state }));
          return (await read()) ?? before;
        });
        return { status: 200, body: show(rt, body) };
      },
    }),
  ];
}

function readRoutes(rt: Runtime): Route[] {
  return [
    route({
      ...operator,
      method: 'GET',
      path: '/admin/v1/platforms/{platform}/tax-reports/{quarter}',
      permission: 'supervision.read',
      summary: "The versions of the data about a platform's sellers of a quarter, the newest first",
      summaryZh: '平台涉税信息版本查询',
      params: ofPlatform,
      answers: { 200: { description: 'The versions', schema: headsSchema } },
      handle: async ({ params }) => {
        const items = await rt.db.read('tax-versions', (tx) => taxVersions(tx, params.platform, params.quarter));
        return { status: 200, body: { items: items.map((each) => show(rt, each)) } };
      },
    }),
    route({
      ...operator,
      method: 'GET',
      path: '/admin/v1/platforms/{platform}/tax-reports/{quarter}/{version}/file',
      permission: 'supervision.export',
      audited: true,
      summary: 'The file of a version, with the identities of the sellers',
      summaryZh: '平台涉税信息文件下载',
      params: z.strictObject({ ...ofPlatform.shape, version: versionSchema }),
      answers: { 200: { description: 'CSV, UTF-8, amounts in yuan' } },
      refusals: ['NOT_FOUND'],
      handle: async ({ params: { platform: platformId, quarter, version } }) => ({
        ...(await file(rt, { platformId, quarter, version })),
        audit: { target: `tax ${toWire('platform', platformId)} ${quarter} ${version}` },
      }),
    }),
  ];
}

const difference = z.int().default(0).transform(BigInt).meta({ description: 'Fen to add; negative: to take away' });

const adjustmentSchema = z
  .strictObject({
    id: z.string(),
    platform: z.string(),
    quarter: z.string(),
    merchant: z.string(),
    month: z.string(),
    gross: fen,
    refunds: fen,
    fees: fen,
    note: z.string(),
    proposedBy: z.string(),
    approvedBy: z.string().nullable(),
    version: z.int().nullable().meta({ description: 'The first version that has it; null: none yet' }),
  })
  .meta({ id: 'TaxAdjustment' });

function showAdjustment({ vault }: Pick<Runtime, 'vault'>, of: TaxAdjustment): z.input<typeof adjustmentSchema> {
  return {
    ...{ id: toWire('tax-adjustment', of.id), platform: toWire('platform', of.platformId), quarter: of.quarter },
    ...{ merchant: toWire('merchant', of.merchantId), month: of.month, version: of.version },
    ...{ gross: toWireAmount(of.gross), refunds: toWireAmount(of.refunds), fees: toWireAmount(of.fees) },
    note: vault.open(of.noteSealed),
    proposedBy: toWire('operator', of.proposedBy),
    approvedBy: of.decidedBy === null ? null : toWire('operator', of.decidedBy),
  };
}

function proposeRoute({ clock, newId, vault }: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/platforms/{platform}/tax-reports/{quarter}/adjustments',
    permission: 'supervision.write',
    summary: "Proposes a correction of a seller's month; approved, it makes a new version",
    summaryZh: '提出涉税信息更正',
    params: ofPlatform,
    body: z.strictObject({
      merchant: wireId('merchant'),
      month: z.string().regex(/^20[0-9]{2}-(?:0[1-9]|1[0-2])$/, { error: 'must be a month like 2025-10' }),
      gross: difference,
      refunds: difference,
      fees: difference,
      note: textSchema(500),
    }),
    answers: { 201: { description: 'Proposed; another person has to approve it', schema: adjustmentSchema } },
    refusals: ['NOT_FOUND', 'SHAPE_INVALID'],
    handle: async ({ params: { platform: platformId, quarter }, body, caller, tx }) => {
      const { merchant: merchantId, month, gross, refunds, fees, note } = body;
      if (!daysOfQuarter(quarter).months.includes(month))
        throw new Refused(refuse('SHAPE_INVALID', 'The month is not of the quarter.'));
      if (!(await sellerOfPlatform(tx, platformId, merchantId))) throw new Refused(refuse('NOT_FOUND'));
      const of: TaxAdjustment = {
        ...{ id: newId(), platformId, quarter, merchantId, month, gross, refunds, fees },
        ...{ noteSealed: vault.seal(note), proposedBy: caller.operatorId, decidedBy: null, version: null },
      };
      await insertAdjustment(tx, of, clock.now());
      return { status: 201, body: showAdjustment({ vault }, of), audit: { target: `tax ${toWire('tax-adjustment', of.id)}` } };
    },
  });
}

function approveRoute({ clock, bells, vault }: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/tax-adjustments/{adjustment}/approve',
    permission: 'supervision.write',
    summary: 'Approves what another proposed',
    summaryZh: '复核涉税信息更正',
    params: z.strictObject({ adjustment: wireId('tax-adjustment') }),
    answers: { 200: { description: 'The correction', schema: adjustmentSchema } },
    refusals: ['NOT_FOUND', 'REPORT_STATE', 'SAME_OPERATOR'],
    handle: async ({ params: { adjustment }, caller, tx }) => {
      const found = await findAdjustment(tx, adjustment);
      if (found === undefined) throw new Refused(refuse('NOT_FOUND'));
      if (found.proposedBy === caller.operatorId) throw new Refused(refuse('SAME_OPERATOR'));
      if (!(await approveAdjustment(tx, adjustment, caller.operatorId, clock.now())))
        throw new Refused(refuse('REPORT_STATE', undefined, { state: 'approved' }));
      const body = showAdjustment({ vault }, (await findAdjustment(tx, adjustment)) ?? found);
      const audit = { target: `tax ${toWire('tax-adjustment', adjustment)}` };
      return { status: 200, body, audit, afterCommit: () => bells.ring('watch-flows', ONE_PLACE) };
    },
  });
}
