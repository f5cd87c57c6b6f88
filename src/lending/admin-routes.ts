import { z } from 'zod';
import { Refused, refuse, toWire } from '../kernel/index.js';
import { customerOf } from '../parties/index.js';
import { idAfter, page, pageQuery, pageSchema, type Route, type Runtime, route, textSchema, wireId } from '../runtime/index.js';
import { recordWord } from './confirm.js';
import { OWN_BIDS, OWN_CLAIMS, OWN_PROJECTS, type Owned } from './owned.js';
import { viewProject } from './reading.js';
import { projectParams, projectQuery } from './routes.js';
import { ROLES } from './rules.js';
import { listProjects } from './store.js';
import { projectSchema, projectViewSchema, showProject, showView, showWord, wordSchema } from './wire.js';

const operator = { audience: 'operator', tag: 'Lending' } as const;

/** What the bank's staff does with projects: looks, and records what parties signed on paper. */
export function lendingAdminRoutes(rt: Runtime): Route[] {
  return [
    listRoute(rt),
    readRoute(rt),
    recordRoute(rt),
    ofCustomerRoute(rt, OWN_PROJECTS, {
      summary: 'Projects in which a customer borrows, stands for a borrower, or is paid in his place, on all platforms',
      summaryZh: '客户作为借款人、担保人或受托收款人的标的',
    }),
    ofCustomerRoute(rt, OWN_BIDS, {
      summary: 'What a customer has offered to projects, on all platforms',
      summaryZh: '客户投标记录',
    }),
    ofCustomerRoute(rt, OWN_CLAIMS, {
      summary: 'What projects owe to a customer, on all platforms',
      summaryZh: '客户债权',
    }),
  ];
}

function listRoute({ db }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/lending-projects',
    permission: 'accounts.read',
    summary: 'Projects in the order they were registered',
    summaryZh: '借款标的列表（行内）',
    query: z.strictObject({ ...projectQuery, platform: wireId('platform').optional() }),
    answers: { 200: { description: 'A page', schema: pageSchema(projectSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ query: { cursor, limit, state, platform: platformId } }) => {
      const list = `all-projects:${platformId ?? ''}:${state ?? ''}`;
      const after = idAfter(list, cursor);
      const found = await db.snapshot('projects', (tx) => listProjects(tx, { platformId, after, state }, limit + 1));
      return { status: 200, body: page(list, found, limit, ({ id }) => [id], showProject) };
    },
  });
}

function readRoute({ db }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/lending-projects/{project}',
    permission: 'accounts.read',
    summary: 'A project with its plan, what is due, and who confirmed it',
    summaryZh: '借款标的详情（行内）',
    params: projectParams,
    answers: { 200: { description: 'The project', schema: projectViewSchema } },
    refusals: ['PROJECT_NOT_FOUND'],
    handle: async ({ params: { project } }) => ({
      status: 200,
      body: showView(await db.snapshot('project', (tx) => viewProject(tx, project, undefined))),
    }),
  });
}

function recordRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/lending-projects/{project}/confirmations',
    permission: 'lending.write',
    summary: 'Records that the borrower or guarantor has signed the contract on paper; twice changes nothing',
    summaryZh: '登记借款人或担保人纸质确认',
    description: 'Each person records the word of one party of a project only.',
    params: projectParams,
    body: z.strictObject({
      role: z.enum(ROLES),
      voucher: textSchema(64).meta({ description: 'The number of the contract that was signed' }),
    }),
    answers: { 200: { description: 'Recorded, now or before', schema: wordSchema } },
    refusals: ['PROJECT_NOT_FOUND', 'PROJECT_STATE', 'PROJECT_WRONG_PARTY', 'PROJECT_CAP', 'SAME_OPERATOR'],
    handle: async ({ caller, params: { project }, body, tx }) => {
      const word = await recordWord(tx, rt, { ...body, project, by: caller.operatorId });
      return {
        status: 200,
        body: showWord(word),
        audit: { target: `project ${toWire('project', project)}`, note: `${body.role} ${body.voucher}` },
      };
    },
  });
}

function ofCustomerRoute<Row, Schema extends z.ZodType>(
  rt: Runtime,
  of: Owned<Row, Schema>,
  said: { readonly summary: string; readonly summaryZh: string },
): Route {
  return route({
    ...operator,
    ...said,
    method: 'GET',
    path: `/admin/v1/customers/{customer}/${of.path}`,
    permission: 'customers.read',
    audited: true,
    params: z.strictObject({ customer: wireId('customer') }),
    query: z.strictObject(pageQuery),
    answers: { 200: { description: 'A page', schema: pageSchema(of.schema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ params: { customer }, query: { cursor, limit } }) => {
      const list = `${of.path}-of:${customer}`;
      const after = idAfter(list, cursor);
      const found = await rt.db.snapshot('lending of customer', async (tx) => {
        if ((await customerOf(tx, customer, rt.vault)) === undefined) throw new Refused(refuse('NOT_FOUND'));
        return of.read(tx, { customer }, { after, limit: limit + 1 });
      });
      const body = page(list, found, limit, (row) => [of.idOf(row)], of.show);
      return { status: 200, body, audit: { target: `customer ${toWire('customer', customer)}` } };
    },
  });
}
