import { z } from 'zod';
import { type Id, Refused, refuse, toWire, WIRE_MAX } from '../kernel/index.js';
import { loadBook } from '../ledger/index.js';
import {
  idAfter,
  page,
  pageQuery,
  pageSchema,
  type Route,
  type Runtime,
  route,
  showAsked,
  type Tx,
  wireId,
} from '../runtime/index.js';
import { withdraw } from './decide.js';
import { groupRoutes } from './groups/routes.js';
import { agreementRecords, compileTerms } from './records.js';
import { explainRule } from './rules.js';
import { askSignature } from './sign.js';
import {
  type Agreement,
  findAgreement,
  findVersion,
  findVersionByNo,
  latestVersions,
  listAgreements,
  type StoredVersion,
  signaturesOf,
} from './store.js';
import { lookAtOne, signersOf, submitVersion } from './submit.js';
import { versionOn } from './terms.js';
import {
  agreementSchema,
  evaluationSchema,
  foundSchema,
  showAgreement,
  showEvaluation,
  showFaults,
  showVersion,
  submission,
  submissionOf,
  TERMS_REFUSALS,
  type VersionView,
  versionSchema,
} from './version-wire.js';

const VERSIONS_SHOWN = 100;
const platform = { audience: 'platform', tag: 'Agreements' } as const;
const agreementParams = z.strictObject({ agreement: wireId('agreement') });
const versionParams = z.strictObject({
  agreement: wireId('agreement'),
  version: z
    .string()
    .regex(/^[1-9][0-9]{0,5}$/, { error: 'must be the number of a version' })
    .transform(Number),
});
/** What platforms submit and read of their agreements with sub-merchants. */
export function agreementRoutes(rt: Runtime): Route[] {
  return [
    submitRoute(rt),
    checkRoute(rt),
    listRoute(rt),
    readRoute(rt),
    versionRoute(rt),
    signRoute(rt),
    withdrawRoute(rt),
    evaluateRoute(rt),
    ...groupRoutes(rt),
  ];
}

/** All that is shown of versions of one agreement. */
async function viewVersions(tx: Tx, agreement: Agreement, versions: readonly StoredVersion[]): Promise<VersionView[]> {
  const { businessDate } = await loadBook(tx, agreement.platformId);
  const signatures = await signaturesOf(
    tx,
    versions.map(({ id }) => id),
  );
  return versions.map((version) => ({ agreement, version, signatures: signatures.get(version.id) ?? [], businessDate }));
}

/** One as it stands now. */
export async function viewVersion(tx: Tx, id: Id): Promise<VersionView> {
  const version = await findVersion(tx, id);
  const agreement = version && (await findAgreement(tx, version.agreementId));
  if (version === undefined || agreement === undefined) throw new Refused(refuse('NOT_FOUND'));
  return (await viewVersions(tx, agreement, [version]))[0] as VersionView;
}

function submitRoute(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'POST',
    path: '/v1/agreements',
    summary: 'Submits a version of the agreement with a sub-merchant: split rule, caps, settlement cycle, refund rule, dates',
    summaryZh: '提交商户协议版本',
    description:
      'Every receiver has to sign it, then two people of the bank approve it. What is wrong is told all at once, in `faults`. The number of ' +
      'agreement and version is remembered for ever: the same content again is answered with the version as it stands (200).',
    body: submission,
    answers: {
      201: { description: 'Submitted; it waits for the signatures', schema: versionSchema },
      200: { description: 'Submitted before, with the same content', schema: versionSchema },
    },
    refusals: ['AGREEMENT_NO_REUSED', 'AGREEMENT_EXISTS', 'AGREEMENT_VERSION_NOT_NEXT', ...TERMS_REFUSALS],
    handle: async ({ caller, body }) => {
      const { version, repeated } = await submitVersion(rt, caller.platformId, submissionOf(body));
      const view = await rt.db.snapshot('agreement version', (tx) => viewVersion(tx, version.id));
      const id = toWire('agreement', version.agreementId);
      return {
        status: repeated ? 200 : 201,
        body: showVersion(view),
        headers: { Location: `/v1/agreements/${id}/versions/${version.version}`, 'Idempotent-Replay': String(repeated) },
      };
    },
  });
}

function checkRoute(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'POST',
    path: '/v1/agreements/check',
    summary: 'What submitting a version would say; nothing is kept of it',
    summaryZh: '协议试算校验',
    body: submission,
    answers: { 200: { description: 'Every fault, and who has to sign', schema: foundSchema } },
    handle: async ({ caller, body }) => {
      const asked = submissionOf(body);
      const { faults, beyondCap } = await rt.db.snapshot('check agreement', (tx) => lookAtOne(tx, rt, caller.platformId, asked));
      const signers = signersOf({ accountId: asked.account, terms: asked.terms }).map((id) => toWire('account', id));
      return { status: 200, body: { faults: showFaults(faults), beyondCap: beyondCap !== null, signers } };
    },
  });
}

function listRoute({ db }: Runtime): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/agreements',
    summary: 'Agreements of the platform, with the version in force',
    summaryZh: '协议列表',
    query: z.strictObject(pageQuery),
    answers: { 200: { description: 'A page', schema: pageSchema(agreementSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ caller: { platformId }, query: { cursor, limit } }) => {
      const list = `agreements:${platformId}`;
      const after = idAfter(list, cursor) ?? '0';
      return {
        status: 200,
        body: await db.snapshot('agreements', async (tx) => {
          const rows = await listAgreements(tx, platformId, after, limit + 1);
          const inForce = await versionsInForce(tx, platformId, rows);
          return page(
            list,
            rows,
            limit,
            (row) => [row.id],
            (row) => showAgreement(row, inForce.get(row.id)),
          );
        }),
      };
    },
  });
}

/** By agreement. */
async function versionsInForce(tx: Tx, platformId: Id, agreements: readonly Agreement[]): Promise<Map<Id, number>> {
  if (agreements.length === 0) return new Map();
  const { businessDate } = await loadBook(tx, platformId);
  const found = await agreementRecords.load(
    tx,
    agreements.map(({ accountId }) => accountId),
  );
  const versions = [...found.values()].flatMap((of) => versionOn(of, businessDate) ?? []);
  return new Map(versions.map(({ agreementId, version }) => [agreementId, version]));
}

/** @throws Refused AGREEMENT_NOT_FOUND, also for another platform's */
async function ownAgreement(tx: Tx, platformId: Id, id: Id): Promise<Agreement> {
  const agreement = await findAgreement(tx, id, platformId);
  if (agreement === undefined) throw new Refused(refuse('AGREEMENT_NOT_FOUND'));
  return agreement;
}

/** @throws Refused AGREEMENT_NOT_FOUND, NOT_FOUND */
async function ownVersion(tx: Tx, platformId: Id, of: { agreement: Id; version: number }) {
  const agreement = await ownAgreement(tx, platformId, of.agreement);
  const version = await findVersionByNo(tx, agreement.id, of.version);
  if (version === undefined) throw new Refused(refuse('NOT_FOUND', 'The agreement has no such version.'));
  return version;
}

const oneAgreement = z
  .strictObject({ ...agreementSchema.shape, versions: z.array(versionSchema) })
  .meta({ id: 'AgreementWithVersions' });

function readRoute({ db }: Runtime): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/agreements/{agreement}',
    summary: `An agreement with its latest ${VERSIONS_SHOWN} versions, the latest first`,
    summaryZh: '协议详情',
    params: agreementParams,
    answers: { 200: { description: 'The agreement', schema: oneAgreement } },
    refusals: ['AGREEMENT_NOT_FOUND'],
    handle: async ({ caller: { platformId }, params }) => ({
      status: 200,
      body: await db.snapshot('agreement', async (tx) => {
        const agreement = await ownAgreement(tx, platformId, params.agreement);
        const inForce = (await versionsInForce(tx, platformId, [agreement])).get(agreement.id);
        const views = await viewVersions(tx, agreement, await latestVersions(tx, agreement.id, VERSIONS_SHOWN));
        return { ...showAgreement(agreement, inForce), versions: views.map(showVersion) };
      }),
    }),
  });
}

function versionRoute({ db }: Runtime): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/agreements/{agreement}/versions/{version}',
    summary: 'One version as it stands: terms, signatures, state',
    summaryZh: '协议版本详情',
    params: versionParams,
    answers: { 200: { description: 'The version', schema: versionSchema } },
    refusals: ['AGREEMENT_NOT_FOUND'],
    handle: async ({ caller: { platformId }, params }) => ({
      status: 200,
      body: await db.snapshot('agreement version', async (tx) =>
        showVersion(await viewVersion(tx, (await ownVersion(tx, platformId, params)).id)),
      ),
    }),
  });
}

function signRoute(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'POST',
    path: '/v1/agreements/{agreement}/versions/{version}/signatures',
    summary: 'Puts a version to the person behind one of its receivers, who signs it on a page of the bank',
    summaryZh: '申请接收方签署',
    description:
      'For receivers who are people and users of the platform. Others sign on paper, and the bank records it. The address is in the first ' +
      'answer only; after a no, or when the time is over, ask again.',
    params: versionParams,
    body: z.strictObject({
      account: wireId('account').meta({ description: 'The receiver' }),
      user: wireId('user').meta({ description: 'The person behind it, as user of the platform' }),
    }),
    answers: {
      201: { description: 'Put to him', schema: versionSchema },
      200: { description: 'He was asked before and has not answered', schema: versionSchema },
    },
    refusals: [
      ...([
        'AGREEMENT_NOT_FOUND',
        'AGREEMENT_STATE',
        'RECEIVER_NOT_ALLOWED',
        'RECEIVER_SIGNED',
        'SIGNER_NOT_THE_RECEIVER',
      ] as const),
      ...(['IDENTITY_UNVERIFIED', 'CUSTOMER_NOT_ACTIVATED', 'CUSTOMER_STOPPED', 'ID_DOCUMENT_EXPIRED'] as const),
    ],
    handle: async ({ caller: { platformId }, params, body }) => {
      const version = await rt.db.read('version to sign', (tx) => ownVersion(tx, platformId, params));
      const { asked, repeated } = await askSignature(rt, version, body);
      const shown = showVersion(await rt.db.snapshot('agreement version', (tx) => viewVersion(tx, version.id)));
      // The address stands beside the question of its signer, and nowhere else.
      const account = toWire('account', body.account);
      const signers = shown.signers.map((signer) =>
        signer.account === account && asked !== undefined ? { ...signer, consent: showAsked(asked) } : signer,
      );
      return {
        status: repeated ? 200 : 201,
        body: { ...shown, signers },
        headers: { 'Idempotent-Replay': String(repeated) },
      };
    },
  });
}

function withdrawRoute(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'POST',
    path: '/v1/agreements/{agreement}/versions/{version}/withdraw',
    summary: 'Takes a version back that is not approved yet; twice changes nothing',
    summaryZh: '撤回协议版本',
    params: versionParams,
    answers: { 200: { description: 'Withdrawn', schema: versionSchema } },
    refusals: ['AGREEMENT_NOT_FOUND', 'AGREEMENT_STATE'],
    handle: async ({ caller: { platformId }, params }) => {
      const view = await rt.db.withTx(
        'withdraw agreement',
        async (tx) => viewVersion(tx, (await withdraw(tx, rt, await ownVersion(tx, platformId, params))).id),
        async () => undefined, // withdrawn or not: the next try sees it
      );
      return { status: 200, body: showVersion(view) };
    },
  });
}

const itemAmount = z
  .int()
  .min(0)
  .max(Number(WIRE_MAX / 2n));

function evaluateRoute({ db }: Runtime): Route {
  return route({
    ...platform,
    method: 'POST',
    path: '/v1/agreements/{agreement}/versions/{version}/evaluate',
    summary: 'Who would get what of an item under a version, line by line; nothing moves',
    summaryZh: '分账试算',
    params: versionParams,
    body: z.strictObject({
      goods: itemAmount.transform(BigInt).meta({ description: 'Minor units' }),
      freight: itemAmount.default(0).transform(BigInt).meta({ description: 'Minor units' }),
    }),
    answers: { 200: { description: 'Every line of every level, and what it comes to', schema: evaluationSchema } },
    refusals: ['AGREEMENT_NOT_FOUND'],
    handle: async ({ caller: { platformId }, params, body: { goods, freight } }) => {
      const { version, terms } = await db.read('version to evaluate', (tx) => ownVersion(tx, platformId, params));
      const whole = goods + freight;
      return { status: 200, body: showEvaluation(version, whole, explainRule(compileTerms(terms), { whole, goods })) };
    },
  });
}
