import { z } from 'zod';
import { type BusinessDate, type Id, naturalDate, toWire } from '../kernel/index.js';
import { loadBooks } from '../ledger/index.js';
import {
  idAfter,
  loadParameters,
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
import { approve, checkOnce, type Decision, refuseVersion } from './decide.js';
import { groupAdminRoutes } from './groups/admin-routes.js';
import { viewVersion } from './routes.js';
import { recordSignature } from './sign.js';
import { VERSION_STATES } from './states.js';
import { agreementsById, type StoredVersion, signaturesOf, versionsInState } from './store.js';
import { acceptedCap, showStaffVersion, staffVersionSchema, TERMS_REFUSALS } from './version-wire.js';

const operator = { audience: 'operator', tag: 'Agreements' } as const;
const params = z.strictObject({ version: wireId('version') });

/** What the bank's staff does with agreements: record signatures on paper, look at a version, approve or refuse it. */
export function agreementAdminRoutes(rt: Runtime): Route[] {
  return [
    listRoute(rt),
    readRoute(rt),
    signRoute(rt),
    decideRoute(rt, 'check', ['Finds nothing against a version; another member of staff approves it', '协议初审'], checkOnce),
    decideRoute(rt, 'approve', ['Approves a version that another member of staff has checked', '协议复核'], approve),
    refuseRoute(rt),
    ...groupAdminRoutes(rt),
  ];
}

async function capOn(tx: Tx, date: BusinessDate): Promise<bigint> {
  return (await loadParameters(tx)).on(date, 'split.others-cap');
}

function listRoute({ db, vault, clock }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/agreement-versions',
    permission: 'accounts.read',
    summary: 'Versions of agreements in a state, in the order they were submitted',
    summaryZh: '协议版本列表',
    query: z.strictObject({ ...pageQuery, state: z.enum(VERSION_STATES).default('countersigned') }),
    answers: { 200: { description: 'A page', schema: pageSchema(staffVersionSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ query: { state, cursor, limit } }) => {
      const list = `agreement-versions:${state}`;
      const after = idAfter(list, cursor) ?? '0';
      return {
        status: 200,
        body: await db.snapshot('agreement versions', async (tx) => {
          const rows = await versionsInState(tx, state, after, limit + 1);
          const cap = await capOn(tx, naturalDate(clock.now()));
          const view = await viewsOf(tx, rows);
          return page(
            list,
            rows,
            limit,
            (row) => [row.id],
            (row) => showStaffVersion(vault, view(row), cap),
          );
        }),
      };
    },
  });
}

/** Versions of any agreements, with what is shown beside them. */
async function viewsOf(tx: Tx, versions: readonly StoredVersion[]) {
  const unique = (ids: readonly Id[]) => [...new Set(ids)];
  const agreements = await agreementsById(tx, unique(versions.map(({ agreementId }) => agreementId)));
  const books = await loadBooks(tx, unique(versions.map(({ platformId }) => platformId)));
  const signatures = await signaturesOf(
    tx,
    versions.map(({ id }) => id),
  );
  return (version: StoredVersion) => {
    const agreement = agreements.get(version.agreementId);
    const book = books.get(version.platformId);
    if (agreement === undefined || book === undefined) throw new Error(`version ${version.id} has an agreement and a book`);
    return { agreement, version, signatures: signatures.get(version.id) ?? [], businessDate: book.businessDate };
  };
}

async function shown(tx: Tx, { vault, clock }: Runtime, id: Id) {
  return showStaffVersion(vault, await viewVersion(tx, id), await capOn(tx, naturalDate(clock.now())));
}

function readRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/agreement-versions/{version}',
    permission: 'accounts.read',
    summary: 'One version with its terms, its signatures and who decided what',
    summaryZh: '协议版本详情（行内）',
    params,
    answers: { 200: { description: 'The version', schema: staffVersionSchema } },
    handle: async ({ params: { version } }) => ({
      status: 200,
      body: await rt.db.snapshot('agreement version', (tx) => shown(tx, rt, version)),
    }),
  });
}

const targetOf = (version: Id) => `agreement version ${toWire('version', version)}`;

function signRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/agreement-versions/{version}/signatures',
    permission: 'agreements.write',
    summary: 'Records that a receiver has signed a version on paper',
    summaryZh: '登记纸质签署',
    description: 'Whoever records a signature neither checks nor approves the version.',
    params,
    body: z.strictObject({
      account: wireId('account').meta({ description: 'The receiver' }),
      voucher: textSchema(64).meta({ description: 'The number of the form that was signed' }),
    }),
    answers: { 200: { description: 'The version as it stands now', schema: staffVersionSchema } },
    refusals: ['AGREEMENT_STATE', 'RECEIVER_NOT_ALLOWED', 'RECEIVER_SIGNED'],
    handle: async ({ caller, params: { version }, body, tx }) => {
      await recordSignature(tx, rt, { version, ...body, by: caller.operatorId });
      return { status: 200, body: await shown(tx, rt, version), audit: { target: targetOf(version), note: body.voucher } };
    },
  });
}

function decideRoute(
  rt: Runtime,
  verb: 'check' | 'approve',
  [summary, summaryZh]: readonly [string, string],
  decide: (tx: Tx, rt: Runtime, of: Decision) => Promise<StoredVersion>,
): Route {
  return route({
    ...operator,
    method: 'POST',
    path: `/admin/v1/agreement-versions/{version}/${verb}`,
    permission: 'agreements.write',
    summary,
    summaryZh,
    params,
    body: z.strictObject({ othersCap: acceptedCap }),
    answers: { 200: { description: 'The version as it stands now', schema: staffVersionSchema } },
    refusals: ['RECEIVER_NOT_SIGNED', 'AGREEMENT_STATE', 'SAME_OPERATOR', 'CAP_NOT_APPROVED', ...TERMS_REFUSALS],
    handle: async ({ caller, params: { version }, body, tx }) => {
      await decide(tx, rt, { version, by: caller.operatorId, othersCap: body.othersCap });
      return { status: 200, body: await shown(tx, rt, version), audit: { target: targetOf(version) } };
    },
  });
}

function refuseRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/agreement-versions/{version}/refuse',
    permission: 'agreements.write',
    confidential: true,
    summary: 'Refuses a version that is not approved yet, for good',
    summaryZh: '拒绝协议版本',
    params,
    body: z.strictObject({ reason: textSchema(200).meta({ description: 'Why; the platform does not see it' }) }),
    answers: { 200: { description: 'Refused', schema: staffVersionSchema } },
    refusals: ['AGREEMENT_STATE'],
    handle: async ({ caller, params: { version }, body, tx }) => {
      await refuseVersion(tx, rt, { version, by: caller.operatorId, reason: body.reason });
      return { status: 200, body: await shown(tx, rt, version), audit: { target: targetOf(version) } };
    },
  });
}
