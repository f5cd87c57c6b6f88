import { z } from 'zod';
import { requireAccount } from '../accounts/index.js';
import { toWire } from '../kernel/index.js';
import { decodeCursor, idAfter, page, pageQuery, pageSchema, type Route, type Runtime, route, wireId } from '../runtime/index.js';
import { askWord } from './confirm.js';
import { OWN_BIDS, OWN_CLAIMS, type Owned } from './owned.js';
import { requireProject, viewProject } from './reading.js';
import { registerProject } from './register.js';
import { ROLES } from './rules.js';
import { PROJECT_STATES } from './states.js';
import { claimsOn, listProjects } from './store.js';
import { lendingTermsRoutes } from './terms/routes.js';
import { claimSaleRoutes } from './trade/routes.js';
import {
  claimSchema,
  newProject,
  projectSchema,
  projectTermsOf,
  projectViewSchema,
  showClaim,
  showProject,
  showView,
  showWord,
  wordSchema,
} from './wire.js';

const platform = { audience: 'platform', tag: 'Lending' } as const;
export const projectParams = z.strictObject({ project: wireId('project') });

/** Projects that many lend to, as platforms register and read them. Bids, lending out and repayments are instructions. */
export function lendingRoutes(rt: Runtime): Route[] {
  return [
    ...[registerRoute(rt), listRoute(rt), readRoute(rt), claimsRoute(rt), confirmRoute(rt)],
    ofAccountRoute(rt, OWN_BIDS, {
      summary: 'What was offered from an account, also what is over, in the order of the bids',
      summaryZh: '账户投标记录',
    }),
    ofAccountRoute(rt, OWN_CLAIMS, { summary: 'What projects owe to an account, also what was paid', summaryZh: '账户债权' }),
    ...claimSaleRoutes(rt),
    ...lendingTermsRoutes(rt),
  ];
}

function registerRoute(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'POST',
    path: '/v1/lending-projects',
    summary: 'Registers a project; it takes bids once its borrower, and guarantor where one is named, have confirmed it',
    summaryZh: '登记借款标的',
    description: 'The number is remembered for ever: the same content again is answered with the project as it stands (200).',
    body: newProject,
    answers: {
      201: { description: 'Registered', schema: projectViewSchema },
      200: { description: 'Registered before, with the same content', schema: projectViewSchema },
    },
    refusals: [
      ...(['PROJECT_NO_REUSED', 'PROJECT_TERMS', 'PROJECT_PARTIES', 'PROJECT_CAP', 'LENDING_MODE'] as const),
      ...(['LENDING_NOT_OFFERED', 'WINDING_UP', 'ACCOUNT_NOT_FOUND'] as const),
    ],
    handle: async ({ caller: { platformId }, body }) => {
      const { project, repeated } = await registerProject(rt, platformId, projectTermsOf(body));
      return {
        status: repeated ? 200 : 201,
        body: showView(await rt.db.snapshot('project', (tx) => viewProject(tx, project.id, platformId))),
        headers: {
          Location: `/v1/lending-projects/${toWire('project', project.id)}`,
          'Idempotent-Replay': String(repeated),
        },
      };
    },
  });
}

export const projectQuery = { ...pageQuery, state: z.enum(PROJECT_STATES).optional() };

function listRoute({ db }: Runtime): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/lending-projects',
    summary: 'Projects of the platform in the order they were registered',
    summaryZh: '借款标的列表',
    query: z.strictObject(projectQuery),
    answers: { 200: { description: 'A page', schema: pageSchema(projectSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ caller: { platformId }, query: { cursor, limit, state } }) => {
      const list = `projects:${platformId}:${state ?? ''}`;
      const after = idAfter(list, cursor);
      const found = await db.snapshot('projects', (tx) => listProjects(tx, { platformId, after, state }, limit + 1));
      return { status: 200, body: page(list, found, limit, ({ id }) => [id], showProject) };
    },
  });
}

function readRoute({ db }: Runtime): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/lending-projects/{project}',
    summary: 'A project: what is raised, its plan, what is due, who paid for the borrower, who confirmed it',
    summaryZh: '借款标的详情',
    params: projectParams,
    answers: { 200: { description: 'The project', schema: projectViewSchema } },
    refusals: ['PROJECT_NOT_FOUND'],
    handle: async ({ caller: { platformId }, params: { project } }) => ({
      status: 200,
      body: showView(await db.snapshot('project', (tx) => viewProject(tx, project, platformId))),
    }),
  });
}

function claimsRoute({ db }: Runtime): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/lending-projects/{project}/claims',
    summary: 'What a project owes to whom, in the order of the numbers of the claims',
    summaryZh: '标的债权明细',
    params: projectParams,
    query: z.strictObject(pageQuery),
    answers: { 200: { description: 'A page', schema: pageSchema(claimSchema) } },
    refusals: ['PROJECT_NOT_FOUND', 'CURSOR_INVALID'],
    handle: async ({ caller: { platformId }, params: { project }, query: { cursor, limit } }) => {
      const list = `claims-on:${project}`;
      const after = cursor === undefined ? 0 : Number(decodeCursor(list, 1, cursor)[0]);
      const found = await db.snapshot('claims on project', async (tx) => {
        await requireProject(tx, project, platformId);
        return claimsOn(tx, project, after, limit + 1);
      });
      return { status: 200, body: page(list, found, limit, ({ claim }) => [claim.no], showClaim) };
    },
  });
}

function confirmRoute(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'POST',
    path: '/v1/lending-projects/{project}/confirmations',
    summary: 'Puts a project to its borrower or guarantor, who confirms it on a page of the bank',
    summaryZh: '申请借款人或担保人确认',
    description:
      'The address is in the first answer only. Who has said yes, or is still asked, gets the same answer again; after a no, or when the time ' +
      'is over, ask again. What a company signs, and who signs on paper, is recorded by the bank.',
    params: projectParams,
    body: z.strictObject({ role: z.enum(ROLES), user: wireId('user') }),
    answers: {
      201: { description: 'Put to him', schema: wordSchema },
      200: { description: 'He was asked before, or has said yes', schema: wordSchema },
    },
    refusals: [
      ...(['PROJECT_NOT_FOUND', 'PROJECT_STATE', 'PROJECT_WRONG_PARTY', 'NOT_FOUND', 'IDENTITY_UNVERIFIED'] as const),
      ...(['CUSTOMER_NOT_ACTIVATED', 'CUSTOMER_STOPPED', 'ID_DOCUMENT_EXPIRED'] as const),
    ],
    handle: async ({ caller: { platformId }, params: { project: id }, body }) => {
      const project = await rt.db.read('project', (tx) => requireProject(tx, id, platformId));
      const { word, asked, repeated } = await askWord(rt, project, body);
      return {
        status: repeated ? 200 : 201,
        body: showWord(word, asked),
        headers: { 'Idempotent-Replay': String(repeated) },
      };
    },
  });
}

function ofAccountRoute<Row, Schema extends z.ZodType>(
  { db }: Runtime,
  of: Owned<Row, Schema>,
  said: { readonly summary: string; readonly summaryZh: string },
): Route {
  return route({
    ...platform,
    ...said,
    method: 'GET',
    path: `/v1/accounts/{account}/${of.path}`,
    params: z.strictObject({ account: wireId('account') }),
    query: z.strictObject(pageQuery),
    answers: { 200: { description: 'A page', schema: pageSchema(of.schema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ caller: { platformId }, params: { account }, query: { cursor, limit } }) => {
      const list = `${of.path}-of:${account}`;
      const after = idAfter(list, cursor);
      const found = await db.snapshot('lending of account', async (tx) => {
        await requireAccount(tx, account, platformId);
        return of.read(tx, { account }, { after, limit: limit + 1 });
      });
      return { status: 200, body: page(list, found, limit, (row) => [of.idOf(row)], of.show) };
    },
  });
}
