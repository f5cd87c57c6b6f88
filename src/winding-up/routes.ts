import { z } from 'zod';
import { type Id, Refused, refuse, toRfc3339, toWire, toWireAmount } from '../kernel/index.js';
import { loadBook } from '../ledger/index.js';
import {
  businessDateSchema,
  type OperatorCaller,
  type Route,
  type Runtime,
  rfc3339Schema,
  route,
  textSchema,
  wireId,
} from '../runtime/index.js';
import { approve, askRound, close, propose, reject, requireWindDown, type Who } from './decide.js';
import { reportLineSchema, reportSchema } from './report-form.js';
import { type Left, leftOver } from './round.js';
import { STAYS, type StayReason } from './rules.js';
import { WIND_DOWN_STATES } from './states.js';
import { findReport, linesOf, type WindDown } from './store.js';

const operator = { audience: 'operator', tag: 'Wind-down' } as const;
const ofPlatform = z.strictObject({ platform: wireId('platform') });
const ofReport = z.strictObject({ platform: wireId('platform'), report: z.coerce.number().int().positive() });
const PATH = '/admin/v1/platforms/{platform}/wind-down';

const left = z.strictObject({
  reason: z.string(),
  zh: z.string(),
  accounts: z.int(),
  amount: z.int().nonnegative().meta({ description: 'Minor units; 0 of what is in funds, and on no account' }),
  next: z.string(),
});
const view = z.strictObject({
  windDown: z.string(),
  platform: z.string(),
  state: z.enum(WIND_DOWN_STATES),
  reason: z.string(),
  ordersBackOn: z.string().nullable(),
  movesTo: z.string().nullable(),
  proposedBy: z.string(),
  proposedAt: rfc3339Schema,
  decidedBy: z.string().nullable(),
  decidedAt: rfc3339Schema.nullable(),
  startedOn: z.string().nullable(),
  roundedOn: z.string().nullable(),
  report: z.int().meta({ description: 'The number of the last report; 0: none yet' }),
  closedAt: rfc3339Schema.nullable(),
  left: z.array(left).optional().meta({ description: 'What is still in custody, by the reasons' }),
});

function show({ vault }: Pick<Runtime, 'vault'>, wind: WindDown, rest?: Left): z.input<typeof view> {
  return {
    windDown: toWire('wind-down', wind.id),
    platform: toWire('platform', wind.platformId),
    state: wind.state,
    reason: vault.open(wind.reasonSealed),
    ordersBackOn: wind.ordersBackOn,
    movesTo: wind.movesTo,
    proposedBy: toWire('operator', wind.proposedBy),
    proposedAt: toRfc3339(wind.proposedMs),
    decidedBy: wind.decidedBy && toWire('operator', wind.decidedBy),
    decidedAt: wind.decidedMs && toRfc3339(wind.decidedMs),
    startedOn: wind.startedOn,
    roundedOn: wind.roundedOn,
    report: wind.reportNo,
    closedAt: wind.closedMs && toRfc3339(wind.closedMs),
    ...(rest === undefined ? {} : { left: Object.entries(rest).map(showLeft) }),
  };
}

function showLeft([reason, { accounts, amount }]: [string, { accounts: number; amount: bigint }]): z.input<typeof left> {
  const { zh, next } = STAYS[reason as StayReason];
  return { reason, zh, accounts, amount: toWireAmount(amount), next };
}

/** The winding-up of platforms by the bank's staff. */
export function windDownRoutes(rt: Runtime): Route[] {
  return [...decidingRoutes(rt), readRoute(rt), roundRoute(rt), closeRoute(rt), ...reportRoutes(rt)];
}

const who = ({ clock }: Runtime, { operatorId }: OperatorCaller): Who => ({ operator: operatorId, nowMs: clock.now() });
const audit = (platformId: Id, note?: string) => ({
  target: `platform ${toWire('platform', platformId)}`,
  ...(note === undefined ? {} : { note }),
});

const X25519 = /^[A-Za-z0-9_-]{43}$/;
const proposal = z.strictObject({
  reason: textSchema(500),
  ordersBackOn: businessDateSchema.optional().meta({
    description:
      'From which business date on orders that nobody splits go back to their payers; from the approval on when absent',
  }),
  movesTo: z.string().regex(X25519).optional().meta({
    description:
      'The X25519 public key (base64url) of the custodian that the members move to: then nothing is paid to them, and an export for this key alone is made',
  }),
});

function decidingRoutes(rt: Runtime): Route[] {
  return [
    route({
      ...operator,
      method: 'POST',
      path: PATH,
      permission: 'wind-downs.write',
      summary: 'Proposes to wind up a platform',
      summaryZh: '提出平台清退',
      params: ofPlatform,
      body: proposal,
      answers: { 201: { description: 'Proposed; another person has to approve it', schema: view } },
      refusals: ['NOT_FOUND', 'WIND_DOWN_STATE_CONFLICT'],
      handle: async ({ params: { platform }, body, caller, tx }) => {
        const { reason, ordersBackOn, movesTo } = body;
        const wanted = { reasonSealed: rt.vault.seal(reason), ordersBackOn, movesTo };
        const wind = await propose(tx, rt.newId(), platform, wanted, who(rt, caller));
        return { status: 201, body: show(rt, wind), audit: audit(platform, reason) };
      },
    }),
    route({
      ...operator,
      method: 'POST',
      path: `${PATH}/approve`,
      permission: 'wind-downs.write',
      summary: 'Approves what another proposed: from now on the platform takes no new business',
      summaryZh: '复核平台清退',
      params: ofPlatform,
      answers: { 200: { description: 'Being wound up', schema: view } },
      refusals: ['NOT_FOUND', 'SAME_OPERATOR', 'WIND_DOWN_STATE_CONFLICT'],
      handle: async ({ params: { platform }, caller, tx }) => {
        const wind = await approve(tx, platform, who(rt, caller));
        return { status: 200, body: show(rt, wind), audit: audit(platform, toWire('wind-down', wind.id)) };
      },
    }),
    route({
      ...operator,
      method: 'POST',
      path: `${PATH}/reject`,
      permission: 'wind-downs.write',
      summary: 'Rejects a proposal, or takes the own one back',
      summaryZh: '驳回或撤回平台清退',
      params: ofPlatform,
      body: z.strictObject({ note: textSchema(200) }),
      answers: { 204: { description: 'Rejected: the platform goes on as before' } },
      refusals: ['NOT_FOUND', 'WIND_DOWN_STATE_CONFLICT'],
      handle: async ({ params: { platform }, body, caller, tx }) => {
        await reject(tx, platform, who(rt, caller));
        return { status: 204, audit: audit(platform, body.note) };
      },
    }),
  ];
}

function readRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: PATH,
    permission: 'platforms.read',
    summary: 'How the wind-down of a platform stands, and why money is still in custody',
    summaryZh: '平台清退进度',
    params: ofPlatform,
    answers: { 200: { description: 'The wind-down', schema: view } },
    refusals: ['NOT_FOUND'],
    handle: async ({ params: { platform } }) => {
      const { wind, book } = await rt.db.read('wind-down', async (tx) => ({
        wind: await requireWindDown(tx, platform),
        book: await loadBook(tx, platform),
      }));
      return { status: 200, body: show(rt, wind, wind.startedOn === null ? undefined : await leftOver(rt, book, wind)) };
    },
  });
}

function roundRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: `${PATH}/rounds`,
    permission: 'wind-downs.write',
    summary: 'Has the worker look again today: a freeze was lifted, an account was bound',
    summaryZh: '再次清退',
    params: ofPlatform,
    answers: { 202: { description: 'The worker begins a round', schema: view } },
    refusals: ['NOT_FOUND', 'WIND_DOWN_STATE_CONFLICT'],
    handle: async ({ params: { platform }, tx }) => ({
      status: 202,
      body: show(rt, await askRound(tx, platform)),
      audit: audit(platform),
    }),
  });
}

function closeRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: `${PATH}/close`,
    permission: 'wind-downs.write',
    summary: 'Closes the book of a platform that has nothing in custody any more, for ever',
    summaryZh: '存管账簿关户',
    params: ofPlatform,
    answers: { 200: { description: 'Closed', schema: view } },
    refusals: ['NOT_FOUND', 'WIND_DOWN_STATE_CONFLICT', 'WIND_DOWN_NOT_EMPTY', 'WIND_DOWN_NOT_RECONCILED'],
    handle: async ({ params: { platform }, caller, tx }) => ({
      status: 200,
      body: show(rt, await close(tx, platform, who(rt, caller))),
      audit: audit(platform),
    }),
  });
}

const LINES = 500;
const lines = z.strictObject({ lines: z.array(reportLineSchema), next: z.int().nullable() });

function reportRoutes(rt: Runtime): Route[] {
  return [
    route({
      ...operator,
      method: 'GET',
      path: `${PATH}/reports/{report}`,
      permission: 'platforms.read',
      summary: 'A report of the wind-down as the bank signed it: the sums, and the digest of the lines',
      summaryZh: '清退报告',
      params: ofReport,
      answers: {
        200: { description: 'The report; `npx cunguan verify` checks it with its lines, offline', schema: reportSchema },
      },
      refusals: ['NOT_FOUND'],
      handle: async ({ params: { platform, report } }) => {
        const found = await rt.db.read('wind-down-report', (tx) => findReport(tx, platform, report));
        if (found === undefined) throw new Refused(refuse('NOT_FOUND'));
        return { status: 200, body: JSON.parse(found.head) };
      },
    }),
    route({
      ...operator,
      method: 'GET',
      path: `${PATH}/reports/{report}/lines`,
      permission: 'platforms.read',
      summary: 'The lines of a report, an account each: what it had, what was paid out, what stays and why',
      summaryZh: '清退报告明细',
      params: ofReport,
      query: z.strictObject({ after: z.coerce.number().int().min(-1).optional() }),
      answers: { 200: { description: `At most ${LINES} lines; \`next\` is the \`after\` of the next page`, schema: lines } },
      refusals: ['NOT_FOUND'],
      handle: async ({ params: { platform, report }, query: { after = -1 } }) => {
        const rows = await rt.db.read('wind-down-lines', async (tx) => {
          if ((await findReport(tx, platform, report)) === undefined) throw new Refused(refuse('NOT_FOUND'));
          return linesOf(tx, platform, report, after, LINES);
        });
        const next = rows.length === LINES ? (rows.at(-1)?.place ?? null) : null;
        return { status: 200, body: { lines: rows.map(({ line }) => JSON.parse(line)), next } };
      },
    }),
  ];
}
