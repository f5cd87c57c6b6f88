import { z } from 'zod';
import { type Id, Refused, refuse, toWire } from '../kernel/index.js';
import { customerOf, mobileSchema } from '../parties/index.js';
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
import { type ElectronicAccount, electronicByIds } from './electronic.js';
import { oneElectronic } from './electronic-routes.js';
import {
  changeSchema,
  electronicSchema,
  proposalSchema,
  showChange,
  showElectronic,
  showProposal,
  showStaffElectronic,
  staffElectronicSchema,
} from './electronic-wire.js';
import { approveMobile, proposeMobile, rejectMobile } from './life/staff.js';
import { confirmFaceToFace, revive, setBlocked } from './life/standing.js';
import { listElectronicIdsOfCustomer, listProposed } from './life/store.js';
import { viewElectronic } from './quota.js';

const operator = { audience: 'operator', tag: 'Electronic accounts' } as const;
const accountParams = z.strictObject({ account: wireId('account') });
const changeParams = z.strictObject({ change: wireId('change') });
const reason = textSchema(200).meta({ description: 'Why, for the audit trail' });
const reasonBody = z.strictObject({ reason });

/** What the bank's staff may do with electronic accounts. */
export function electronicAdminRoutes(rt: Runtime): Route[] {
  const block = (blocked: boolean) => (tx: Tx, id: Id) => setBlocked(tx, rt, id, blocked);
  return [
    listRoute(rt),
    readRoute(rt),
    actRoute(rt, 'block', ['Blocks an account: nothing comes in or leaves but what must come back', '止付电子账户'], block(true)),
    actRoute(rt, 'unblock', ['Ends the block of an account', '解除止付'], block(false)),
    actRoute(
      rt,
      'confirm-face-to-face',
      ['The bank has seen the owner: others may pay into his Class Ⅱ account', '面对面确认身份'],
      (tx, id) => confirmFaceToFace(tx, rt, id),
    ),
    actRoute(
      rt,
      'reverify',
      ['The bank has checked the identity again: six months without use are counted from now', '重新核实身份'],
      (tx, id) => revive(tx, rt, id),
    ),
    proposeRoute(rt),
    proposedRoute(rt),
    approveRoute(rt),
    rejectRoute(rt),
  ];
}

const listQuery = z.strictObject({ ...pageQuery, customer: wireId('customer').meta({ description: 'Whose accounts' }) });

function listRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/electronic-accounts',
    permission: 'customers.read',
    audited: true,
    summary: 'The electronic accounts of a customer on all platforms, closed ones too, in the order they were opened; masked',
    summaryZh: '客户名下全部平台的电子账户',
    query: listQuery,
    answers: { 200: { description: 'A page', schema: pageSchema(staffElectronicSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ query: { customer, cursor, limit } }) => {
      const list = `electronic-accounts-of:${customer}`;
      const after = idAfter(list, cursor) ?? '0';
      const views = await rt.db.snapshot('electronic accounts of a customer', async (tx) => {
        if ((await customerOf(tx, customer, rt.vault)) === undefined) throw new Refused(refuse('NOT_FOUND'));
        const ids = await listElectronicIdsOfCustomer(tx, customer, after, limit + 1);
        return viewElectronic(tx, rt, await electronicByIds(tx, ids));
      });
      const body = page(list, views, limit, ({ account }) => [account.accountId], showStaffElectronic);
      return { status: 200, body, audit: { target: `customer ${toWire('customer', customer)}` } };
    },
  });
}

function readRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/electronic-accounts/{account}',
    permission: 'accounts.read',
    summary: 'One electronic account: state, card, why it cannot be used, quotas',
    summaryZh: '电子账户详情',
    params: accountParams,
    answers: { 200: { description: 'The account as it stands', schema: electronicSchema } },
    handle: async ({ params }) => ({ status: 200, body: await oneElectronic(rt, params.account, undefined) }),
  });
}

function actRoute(
  rt: Runtime,
  verb: string,
  [summary, summaryZh]: readonly [string, string],
  act: (tx: Tx, id: Id) => Promise<ElectronicAccount>,
): Route {
  return route({
    ...operator,
    method: 'POST',
    path: `/admin/v1/electronic-accounts/{account}/${verb}`,
    permission: 'customers.write',
    summary,
    summaryZh,
    params: accountParams,
    body: reasonBody,
    answers: { 200: { description: 'The account as it stands now', schema: electronicSchema } },
    refusals: ['ACCOUNT_CLOSED', 'ACCOUNT_CLOSING'],
    handle: async ({ params, body, tx }) => {
      const [view] = await viewElectronic(tx, rt, [await act(tx, params.account)]);
      const target = `account ${toWire('account', params.account)}`;
      return { status: 200, body: view && showElectronic(view), audit: { target, note: body.reason } };
    },
  });
}

function proposeRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/electronic-accounts/{account}/mobile-changes',
    permission: 'customers.write',
    confidential: true,
    summary: 'Asks for another mobile number of a customer whose old one is gone; another member of staff approves it',
    summaryZh: '柜面变更手机号（经办）',
    params: accountParams,
    body: z.strictObject({ mobile: mobileSchema, reason }),
    answers: { 201: { description: 'Waits for approval', schema: changeSchema } },
    refusals: ['ACCOUNT_CLOSED', 'CHANGE_UNDER_WAY'],
    handle: async ({ caller, params, body, tx }) => {
      const change = await proposeMobile(tx, rt, { ...body, account: params.account, by: caller.operatorId });
      const target = `change ${toWire('change', change.id)}`;
      return { status: 201, body: showChange(rt.vault, change), audit: { target, note: body.reason } };
    },
  });
}

function proposedRoute({ db, vault }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/account-changes',
    permission: 'customers.read',
    summary: 'Mobile numbers that members of staff asked for and nobody has decided yet',
    summaryZh: '待复核的手机号变更',
    query: z.strictObject(pageQuery),
    answers: { 200: { description: 'A page', schema: pageSchema(proposalSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ query: { cursor, limit } }) => {
      const list = 'account-changes';
      const rows = await db.read('proposed changes', (tx) => listProposed(tx, idAfter(list, cursor) ?? '0', limit + 1));
      return {
        status: 200,
        body: page(
          list,
          rows,
          limit,
          ({ id }) => [id],
          (change) => showProposal(vault, change),
        ),
      };
    },
  });
}

function approveRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/account-changes/{change}/approve',
    permission: 'customers.write',
    summary: 'Approves a mobile number that another member of staff asked for',
    summaryZh: '柜面变更手机号（复核）',
    params: changeParams,
    answers: { 200: { description: 'Changed', schema: changeSchema } },
    refusals: ['SAME_OPERATOR', 'CHANGE_DECIDED', 'ACCOUNT_CLOSED', 'MOBILE_TAKEN'],
    handle: async ({ caller, params, tx }) => {
      const change = await approveMobile(tx, rt, params.change, caller.operatorId);
      return { status: 200, body: showChange(rt.vault, change), audit: { target: `change ${toWire('change', change.id)}` } };
    },
  });
}

function rejectRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/account-changes/{change}/reject',
    permission: 'customers.write',
    summary: 'Rejects a mobile number that a member of staff asked for',
    summaryZh: '驳回手机号变更',
    params: changeParams,
    body: reasonBody,
    answers: { 200: { description: 'Rejected', schema: changeSchema } },
    refusals: ['CHANGE_DECIDED'],
    handle: async ({ caller, params, body, tx }) => {
      const change = await rejectMobile(tx, rt, params.change, caller.operatorId);
      const audit = { target: `change ${toWire('change', change.id)}`, note: body.reason };
      return { status: 200, body: showChange(rt.vault, change), audit };
    },
  });
}
