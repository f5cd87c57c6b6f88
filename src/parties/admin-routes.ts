import { z } from 'zod';
import { toWire } from '../kernel/index.js';
import { idAfter, page, pageQuery, pageSchema, type Route, type Runtime, route, type Tx } from '../runtime/index.js';
import { documentAdminRoute } from './documents/admin-routes.js';
import { documentsOf } from './documents/records.js';
import type { DocumentParts } from './documents/routes.js';
import { keptSchema, showKept } from './documents/wire.js';
import {
  customerParams,
  customerSchema,
  knownAsSchema,
  searchBody,
  showCustomer,
  showKnownAs,
  showParty,
  showVerification,
  staff,
  verificationSchema,
} from './users/admin-wire.js';
import { type Customer, customerByIdentity, customersByMobile, listCustomers, usersOfCustomer } from './users/records.js';
import { requireCustomer } from './users/standing.js';
import { verificationsOf } from './users/verification-records.js';
import { maskedUserParty } from './users/wire.js';
import { watchRoutes } from './watch/admin-routes.js';
import { stopsOf } from './watch/stop-records.js';
import type { LockCustomer } from './watch/stops.js';
import { tasksOfCustomer } from './watch/task-records.js';
import { showStop, showTask, stopSchema, taskSchema } from './watch/wire.js';

/** What the bank's staff sees of customers and does about them. Whatever changes something is in the audit trail. */
export function customerAdminRoutes(rt: Runtime, { store, lock }: DocumentParts & { readonly lock: LockCustomer }): Route[] {
  return [listRoute(rt), searchRoute(rt), readRoute(rt), documentAdminRoute(rt, store), ...watchRoutes(rt, lock)];
}

function listRoute({ db, vault }: Runtime): Route {
  return route({
    ...staff,
    method: 'GET',
    path: '/admin/v1/customers',
    permission: 'customers.read',
    summary: 'Customers, masked',
    summaryZh: '客户列表',
    query: z.strictObject(pageQuery),
    answers: { 200: { description: 'A page', schema: pageSchema(customerSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ query }) => {
      const after = idAfter('customers', query.cursor) ?? '0';
      const rows = await db.read('customers', (tx) => listCustomers(tx, after, query.limit + 1, vault));
      return { status: 200, body: page('customers', rows, query.limit, (row) => [row.id], showCustomer) };
    },
  });
}

function searchRoute({ vault }: Runtime): Route {
  return route({
    ...staff,
    method: 'POST',
    path: '/admin/v1/customers/search',
    permission: 'customers.read',
    summary: 'Finds customers by identity number or mobile; the search is in the audit trail, the number is not',
    summaryZh: '按证件号或手机号查询客户',
    body: searchBody,
    confidential: true,
    answers: { 200: { description: 'Those found', schema: z.strictObject({ items: z.array(customerSchema) }) } },
    handle: async ({ body, tx }) => {
      const found = await search(tx, body);
      const target = `customers ${found.map(({ id }) => toWire('customer', id)).join(' ')}`.slice(0, 200).trim();
      return { status: 200, body: { items: found.map(showCustomer) }, audit: { target } };
    },
  });

  async function search(tx: Tx, { idType, idNo, mobile }: z.output<typeof searchBody>): Promise<Customer[]> {
    if (mobile !== undefined) return customersByMobile(tx, mobile, vault);
    if (idType === undefined || idNo === undefined) return [];
    const customer = await customerByIdentity(tx, idType, idNo, vault);
    return customer === undefined ? [] : [customer];
  }
}

const customerFileSchema = z
  .strictObject({
    customer: customerSchema,
    party: maskedUserParty.nullable(),
    users: z.array(knownAsSchema),
    stops: z.array(stopSchema),
    verifications: z.array(verificationSchema),
    tasks: z.array(taskSchema),
    documents: z.array(keptSchema),
  })
  .meta({ id: 'CustomerFile', description: 'All that the bank has of a customer, masked' });

function readRoute(rt: Runtime): Route {
  return route({
    ...staff,
    method: 'GET',
    path: '/admin/v1/customers/{customer}',
    permission: 'customers.read',
    audited: true,
    summary: 'All that the bank has of a customer, masked',
    summaryZh: '客户档案',
    params: customerParams,
    answers: { 200: { description: 'The file', schema: customerFileSchema } },
    handle: async ({ params }) => {
      const file = await rt.db.snapshot('customer', async (tx) => {
        const customer = await requireCustomer(tx, rt, params.customer);
        const users = await usersOfCustomer(tx, customer.id);
        const ids = users.map((user) => user.id);
        const documents = await documentsOf(tx, ids);
        return {
          customer: showCustomer(customer),
          party: showParty(customer),
          users: users.map(showKnownAs),
          stops: (await stopsOf(tx, customer.id)).map((stop) => showStop(stop, rt.vault)),
          verifications: (await verificationsOf(tx, ids)).map(showVerification),
          tasks: (await tasksOfCustomer(tx, customer.id)).map((task) => showTask(task, rt.vault)),
          documents: documents.map(showKept),
        };
      });
      return { status: 200, body: file, audit: { target: `customer ${file.customer.id}` } };
    },
  });
}
