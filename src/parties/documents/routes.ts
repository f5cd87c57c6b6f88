import { z } from 'zod';
import { ONE_PLACE, preferredWaitMs, type Route, type Runtime, route, type Tx, waitFor } from '../../runtime/index.js';
import { userParams } from '../users/routes.js';
import { requireUser } from '../users/standing.js';
import type { DocumentStore } from './document-store.js';
import { keepDocument, renewDocument } from './documents.js';
import { documentsOf, latestRenewal, type Renewal } from './records.js';
import { DOCUMENT_BYTES_MAX, MEDIA_TYPES } from './rules.js';
import { answerTrial, readTrial, startTrial } from './trials.js';
import {
  documentQuery,
  documentSchema,
  showDocument,
  showRenewal,
  showTrial,
  trialAnswerRequest,
  trialRequest,
  trialSchema,
  validityRequest,
  validitySchema,
} from './wire.js';

const users = { audience: 'platform', tag: 'Users' } as const;
const WAIT_MS = 2_000;

export interface DocumentParts {
  readonly store: () => DocumentStore;
}

/** Images of documents, their validity, and the accounts that companies show to be their own. */
export function documentRoutes(rt: Runtime, parts: DocumentParts): Route[] {
  return [
    uploadRoute(rt, parts),
    listRoute(rt),
    renewRoute(rt),
    validityRoute(rt),
    startTrialRoute(rt),
    readTrialRoute(rt),
    answerTrialRoute(rt),
  ];
}

function uploadRoute(rt: Runtime, { store }: DocumentParts): Route {
  return route({
    ...users,
    method: 'POST',
    path: '/v1/users/{user}/documents',
    summary: 'Keeps an image of a document, sealed; only the bank’s staff can look at it',
    summaryZh: '上传影像资料',
    description:
      'The body is the image itself, whole and with 200 pixels or more on each side. The same image again answers the first; the two sides ' +
      'of a document are two images. That they are a copy of it the staff says, who looks at them.',
    params: userParams,
    query: documentQuery,
    body: 'bytes',
    rawBody: { schema: z.string().meta({ format: 'binary' }), mediaTypes: MEDIA_TYPES },
    bodyLimit: DOCUMENT_BYTES_MAX,
    answers: {
      201: { description: 'Kept', schema: documentSchema },
      200: { description: 'Kept before', schema: documentSchema },
    },
    refusals: ['DOCUMENT_UNREADABLE'],
    handle: async ({ caller, params, query, bytes, headers }) => {
      const mediaType = headers['content-type'] ?? '';
      const upload = { platformId: caller.platformId, userId: params.user, kind: query.kind, mediaType, bytes };
      const { document, repeated } = await keepDocument(rt, store(), upload);
      return { status: repeated ? 200 : 201, body: showDocument(document) };
    },
  });
}

function listRoute(rt: Runtime): Route {
  return route({
    ...users,
    method: 'GET',
    path: '/v1/users/{user}/documents',
    summary: 'What images of documents are kept of a user',
    summaryZh: '影像资料列表',
    params: userParams,
    answers: { 200: { description: 'All of them', schema: z.strictObject({ items: z.array(documentSchema) }) } },
    handle: async ({ caller, params }) => {
      const documents = await rt.db.read('documents', async (tx) => {
        await requireUser(tx, caller.platformId, params.user, rt.vault);
        return documentsOf(tx, [params.user]);
      });
      return { status: 200, body: { items: documents.map(showDocument) } };
    },
  });
}

function renewRoute(rt: Runtime): Route {
  return route({
    ...users,
    method: 'PUT',
    path: '/v1/users/{user}/document-validity',
    summary: 'The customer has a new identity document',
    summaryZh: '更新证件有效期',
    description:
      'Upload its image first. The new last day counts when the identity was verified again; waits for that up to two seconds.',
    params: userParams,
    body: validityRequest,
    answers: {
      200: { description: 'Decided', schema: validitySchema },
      202: { description: 'The identity is being verified again', schema: validitySchema },
    },
    refusals: ['IDENTITY_UNVERIFIED', 'ID_DOCUMENT_EXPIRED', 'DOCUMENT_UNREADABLE', 'PARTICULARS_INVALID'],
    handle: async ({ caller, params, body, headers }) => {
      const of = { platformId: caller.platformId, userId: params.user, documentId: body.document, expires: body.idExpires };
      const asked = await renewDocument(rt, of);
      await rt.bells.ring('verify-users', ONE_PLACE);
      const look = () => rt.db.read('renewal', (tx) => decidedRenewal(tx, asked));
      const renewal = (await waitFor(rt.clock, preferredWaitMs(headers.prefer, WAIT_MS), look)) ?? asked;
      return { status: renewal.state === 'pending' ? 202 : 200, body: showRenewal(renewal) };
    },
  });
}

async function decidedRenewal(tx: Tx, { userId, id }: Renewal): Promise<Renewal | undefined> {
  const latest = await latestRenewal(tx, userId);
  return latest?.id === id && latest.state !== 'pending' ? latest : undefined;
}

function validityRoute(rt: Runtime): Route {
  return route({
    ...users,
    method: 'GET',
    path: '/v1/users/{user}/document-validity',
    summary: 'What became of the last new identity document',
    summaryZh: '证件更新结果',
    params: userParams,
    answers: {
      200: { description: 'The last one; null: there was none', schema: z.strictObject({ latest: validitySchema.nullable() }) },
    },
    handle: async ({ caller, params }) => {
      const latest = await rt.db.read('renewal', async (tx) => {
        await requireUser(tx, caller.platformId, params.user, rt.vault);
        return latestRenewal(tx, params.user);
      });
      return { status: 200, body: { latest: latest === undefined ? null : showRenewal(latest) } };
    },
  });
}

const TRIAL_PATH = '/v1/users/{user}/account-verification';

function startTrialRoute(rt: Runtime): Route {
  return route({
    ...users,
    method: 'POST',
    path: TRIAL_PATH,
    summary: 'Starts to show by a small payment that an account is a company’s own',
    summaryZh: '发起对公账户打款验证',
    description: 'The same direction and account while one is under way: that one again.',
    params: userParams,
    body: trialRequest,
    answers: { 202: { description: 'Under way', schema: trialSchema } },
    refusals: [
      ...(['COMPANY_ONLY', 'HOLDER_NAME_DIFFERS', 'VERIFICATION_ENDED', 'IDENTITY_UNVERIFIED'] as const),
      ...(['CUSTOMER_NOT_ACTIVATED', 'CUSTOMER_STOPPED', 'ID_DOCUMENT_EXPIRED'] as const),
    ],
    handle: async ({ caller, params, body }) => {
      const trial = await startTrial(rt, { platformId: caller.platformId, userId: params.user, ...body });
      await rt.bells.ring('verify-users', ONE_PLACE);
      return { status: 202, body: showTrial(trial), headers: { Location: `/v1/users/usr_${params.user}/account-verification` } };
    },
  });
}

function readTrialRoute(rt: Runtime): Route {
  return route({
    ...users,
    method: 'GET',
    path: TRIAL_PATH,
    summary: 'The last verification of a company’s account',
    summaryZh: '对公账户验证结果',
    params: userParams,
    answers: { 200: { description: 'As it stands', schema: trialSchema } },
    handle: async ({ caller, params }) => {
      const trial = await rt.db.read('trial', async (tx) => {
        await requireUser(tx, caller.platformId, params.user, rt.vault);
        return readTrial(tx, rt, params.user);
      });
      return { status: 200, body: showTrial(trial) };
    },
  });
}

function answerTrialRoute(rt: Runtime): Route {
  return route({
    ...users,
    method: 'POST',
    path: `${TRIAL_PATH}/amount`,
    summary: 'The company says how much it was paid; three wrong answers end it',
    summaryZh: '回填打款金额',
    params: userParams,
    body: trialAnswerRequest,
    answers: { 200: { description: 'Verified: the account is its own', schema: trialSchema } },
    refusals: ['DEPOSIT_AMOUNT_WRONG', 'VERIFICATION_ENDED'],
    handle: async ({ caller, params, body }) => {
      await rt.db.read('user', (tx) => requireUser(tx, caller.platformId, params.user, rt.vault));
      return { status: 200, body: showTrial(await answerTrial(rt, params.user, body.amount.amount)) };
    },
  });
}
