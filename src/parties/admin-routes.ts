import { z } from 'zod';
import { asId, type Id, Refused, refuse, toRfc3339, toWire } from '../kernel/index.js';
import {
  idAfter,
  ONE_PLACE,
  page,
  pageQuery,
  pageSchema,
  type Route,
  type Runtime,
  readJson,
  route,
  shape,
  shapeInvalid,
  type Tx,
  textSchema,
  wireId,
} from '../runtime/index.js';
import {
  customerFileSchema,
  customerSchema,
  exceptionBody,
  LISTED_MAX,
  listedParty,
  searchBody,
  showCustomer,
  showKnownAs,
  showParty,
  showStop,
  showTask,
  showVerification,
  taskSchema,
  watchListBody,
  watchListSchema,
} from './admin-wire.js';
import { openDocument } from './documents/documents.js';
import { type DocumentRecord, documentsOf } from './documents/records.js';
import type { DocumentParts } from './documents/routes.js';
import {
  type Customer,
  customerByIdentity,
  customerOf,
  customersByMobile,
  listCustomers,
  usersOfCustomer,
} from './users/records.js';
import { verificationsOf } from './users/verification-records.js';
import { readCsv } from './watch/csv.js';
import { STAFF_STOPS, stopsOf } from './watch/stop-records.js';
import { freeCustomer, stopCustomer } from './watch/stops.js';
import { listTasks, TASK_STATES, tasksOfCustomer } from './watch/task-records.js';
import { askMobileException, DECISIONS, decideTask, requireTask } from './watch/tasks.js';
import { type ListedParty, loadWatchList } from './watch/watch-list.js';
import { latestWatchList } from './watch/watch-records.js';

const staff = { audience: 'operator', tag: 'Customers' } as const;
const customerParams = z.strictObject({ customer: wireId('customer') });

/** What the bank's staff sees of customers and does about them. Whatever changes something is in the audit trail. */
export function customerAdminRoutes(rt: Runtime, parts: DocumentParts): Route[] {
  return [
    listRoute(rt),
    searchRoute(rt),
    readRoute(rt),
    documentRoute(rt, parts),
    standingRoute(rt, parts, 'stop'),
    standingRoute(rt, parts, 'free'),
    exceptionRoute(rt),
    tasksRoute(rt),
    taskRoute(rt),
    decideRoute(rt, parts),
    readListRoute(rt),
    loadListRoute(rt),
  ];
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

async function requireCustomer(tx: Tx, { vault }: Pick<Runtime, 'vault'>, id: Id): Promise<Customer> {
  const customer = await customerOf(tx, id, vault);
  if (customer === undefined) throw new Refused(refuse('NOT_FOUND'));
  return customer;
}

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

function showKept({ id, userId, kind, mediaType, sha256 }: DocumentRecord) {
  return { id: toWire('document', id), user: toWire('user', userId), kind, mediaType, sha256: sha256.toString('hex') };
}

function documentRoute(rt: Runtime, { store }: DocumentParts): Route {
  return route({
    ...staff,
    method: 'GET',
    path: '/admin/v1/customers/{customer}/documents/{document}',
    permission: 'customers.read',
    audited: true,
    summary: 'The image of a document itself; who looked at it is in the audit trail',
    summaryZh: '查看影像资料',
    params: z.strictObject({ customer: wireId('customer'), document: wireId('document') }),
    answers: { 200: { description: 'The image as it was uploaded' } },
    handle: async ({ params }) => {
      const document = await rt.db.read('document', async (tx) => {
        const users = await usersOfCustomer(tx, params.customer);
        const all = await documentsOf(
          tx,
          users.map((user) => user.id),
        );
        return all.find((each) => each.id === params.document);
      });
      if (document === undefined) throw new Refused(refuse('NOT_FOUND'));
      const bytes = await openDocument(rt, store(), document);
      if (bytes === undefined) throw new Refused(refuse('NOT_FOUND', 'The image is not in the store.'));
      const id = toWire('document', document.id);
      return {
        status: 200,
        body: bytes,
        // A PDF may hold more than a picture: it is taken home, not run in the page that asked for it.
        headers: { 'Content-Type': document.mediaType, 'Content-Disposition': `attachment; filename="${id}"` },
        audit: { target: `customer ${toWire('customer', params.customer)} document ${id}` },
      };
    },
  });
}

const standingBody = z.strictObject({ reason: z.enum(STAFF_STOPS), note: textSchema(200).meta({ description: 'For the file' }) });

function standingRoute(rt: Runtime, { lock }: DocumentParts, verb: 'stop' | 'free'): Route {
  const stops = verb === 'stop';
  return route({
    ...staff,
    method: 'POST',
    path: `/admin/v1/customers/{customer}/${verb}`,
    permission: 'customers.write',
    confidential: true,
    summary: stops ? "Stops a customer's business outside the counter" : 'Ends one reason for which a customer is stopped',
    summaryZh: stops ? '暂停客户非柜面业务' : '恢复客户非柜面业务',
    description: 'What the watch list stopped is decided by its tasks.',
    params: customerParams,
    body: standingBody,
    answers: { 200: { description: 'The customer as it stands now', schema: customerSchema } },
    handle: async ({ params, body, caller, tx }) => {
      await requireCustomer(tx, rt, params.customer);
      const order = { customerId: params.customer, reason: body.reason, note: body.note, by: caller.operatorId };
      await (stops ? stopCustomer : freeCustomer)(tx, rt, lock, order);
      const shown = showCustomer(await requireCustomer(tx, rt, params.customer));
      return { status: 200, body: shown, audit: { target: `customer ${shown.id}`, note: `${verb} ${body.reason}` } };
    },
  });
}

function exceptionRoute(rt: Runtime): Route {
  return route({
    ...staff,
    method: 'POST',
    path: '/admin/v1/mobile-exceptions',
    permission: 'customers.write',
    confidential: true,
    summary: 'Asks that an identity may share a mobile number; another member of staff approves it',
    summaryZh: '申请手机号共用例外',
    body: exceptionBody,
    answers: { 201: { description: 'The task', schema: taskSchema } },
    handle: async ({ body, caller, tx }) => {
      const task = showTask(await askMobileException(tx, rt, body, caller.operatorId), rt.vault);
      return { status: 201, body: task, audit: { target: `task ${task.id}` } };
    },
  });
}

function tasksRoute({ db, vault }: Runtime): Route {
  return route({
    ...staff,
    method: 'GET',
    path: '/admin/v1/tasks',
    permission: 'customers.read',
    summary: 'Tasks of the staff, the open ones unless asked otherwise',
    summaryZh: '待办列表',
    query: z.strictObject({ ...pageQuery, state: z.enum(TASK_STATES).default('open') }),
    answers: { 200: { description: 'A page', schema: pageSchema(taskSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ query }) => {
      const list = `tasks ${query.state}`;
      const after = idAfter(list, query.cursor) ?? asId('0');
      const rows = await db.read('tasks', (tx) => listTasks(tx, { state: query.state, after, limit: query.limit + 1 }));
      return {
        status: 200,
        body: page(
          list,
          rows,
          query.limit,
          (row) => [row.id],
          (row) => showTask(row, vault),
        ),
      };
    },
  });
}

const taskParams = z.strictObject({ task: wireId('task') });

function taskRoute({ db, vault }: Runtime): Route {
  return route({
    ...staff,
    method: 'GET',
    path: '/admin/v1/tasks/{task}',
    permission: 'customers.read',
    summary: 'One task',
    summaryZh: '待办详情',
    params: taskParams,
    answers: { 200: { description: 'The task', schema: taskSchema } },
    handle: async ({ params }) => ({
      status: 200,
      body: showTask(await db.read('task', (tx) => requireTask(tx, params.task)), vault),
    }),
  });
}

function decideRoute(rt: Runtime, { lock }: DocumentParts): Route {
  const decisions = [...new Set(Object.values(DECISIONS).flat())] as const;
  return route({
    ...staff,
    method: 'POST',
    path: '/admin/v1/tasks/{task}/decision',
    permission: 'customers.write',
    confidential: true,
    summary: 'Decides a task, once',
    summaryZh: '处理待办',
    description:
      'A hit of the watch list is confirmed (it is he) or dismissed; a copy of an identity document is done; a mobile exception is ' +
      'approved or refused, by somebody else than who asked.',
    params: taskParams,
    body: z.strictObject({ decision: z.enum(decisions), reason: textSchema(200) }),
    answers: { 200: { description: 'Decided', schema: taskSchema } },
    refusals: ['TASK_DECIDED', 'SAME_OPERATOR'],
    handle: async ({ params, body, caller, tx }) => {
      const task = await decideTask(tx, rt, lock, { taskId: params.task, ...body, by: caller.operatorId });
      return {
        status: 200,
        body: showTask(task, rt.vault),
        audit: { target: `task ${toWire('task', task.id)}`, note: task.state },
      };
    },
  });
}

const LIST_BYTES = 16 * 1024 * 1024;

function loadListRoute(rt: Runtime): Route {
  return route({
    ...staff,
    method: 'PUT',
    path: '/admin/v1/watch-list',
    permission: 'customers.write',
    confidential: true,
    summary: 'Puts a watch list in the place of the one before; every customer is then held against it',
    summaryZh: '更新名单',
    description: 'JSON, or CSV with the columns list, name, idType, idNo, the empty ones empty.',
    body: 'raw',
    rawBody: { schema: watchListBody, mediaTypes: ['application/json', 'text/csv'] },
    bodyLimit: LIST_BYTES,
    answers: { 200: { description: 'Loaded', schema: watchListSchema } },
    handle: async ({ text, headers, caller, tx }) => {
      const entries = headers['content-type']?.toLowerCase().startsWith('text/csv') ? entriesOfCsv(text) : entriesOfJson(text);
      const { listNo } = await loadWatchList(tx, rt, entries, caller.operatorId);
      return {
        status: 200,
        body: await showWatchList(tx),
        audit: { target: `watch list ${listNo}`, note: `${entries.length} entries` },
        afterCommit: () => rt.bells.ring('screen-customers', ONE_PLACE),
      };
    },
  });
}

function entriesOfJson(text: string): ListedParty[] {
  const { value, faults } = readJson(text);
  const shaped = shape(watchListBody, value, 'body');
  if (shaped.faults !== undefined || faults.length > 0) throw shapeInvalid([...faults, ...(shaped.faults ?? [])]);
  return shaped.value.entries;
}

const COLUMNS = ['list', 'name', 'idType', 'idNo'];

function entriesOfCsv(text: string): ListedParty[] {
  const [head, ...lines] = readCsv(text) ?? [];
  if (head === undefined || head.join() !== COLUMNS.join())
    throw new Refused(refuse('BODY_MALFORMED', `The first line is ${COLUMNS.join()}.`));
  if (lines.length > LISTED_MAX)
    throw shapeInvalid([{ in: 'body', pointer: '', detail: `must hold at most ${LISTED_MAX} entries` }]);
  const shaped = lines.map((line, index) => {
    const fields = line.flatMap((value, column) => (value === '' ? [] : [[COLUMNS[column] ?? `column ${column + 1}`, value]]));
    return shape(listedParty, Object.fromEntries(fields), 'body', `/${index + 1}`);
  });
  const faults = shaped.flatMap((line) => line.faults ?? []).slice(0, 50);
  if (faults.length > 0) throw shapeInvalid(faults);
  return shaped.flatMap((line) => (line.faults === undefined ? [line.value] : []));
}

async function showWatchList(tx: Tx): Promise<z.output<typeof watchListSchema>> {
  const latest = await latestWatchList(tx);
  if (latest === undefined) return { listNo: 0, entries: 0, digest: null, loadedBy: null, loadedAt: null };
  return {
    listNo: Number(latest.listNo),
    entries: latest.entries,
    digest: latest.digest.toString('hex'),
    loadedBy: toWire('operator', latest.loadedBy),
    loadedAt: toRfc3339(latest.loadedMs),
  };
}

function readListRoute({ db }: Runtime): Route {
  return route({
    ...staff,
    method: 'GET',
    path: '/admin/v1/watch-list',
    permission: 'customers.read',
    summary: 'Which watch list holds now',
    summaryZh: '当前名单信息',
    answers: { 200: { description: 'The last that was loaded', schema: watchListSchema } },
    handle: async () => ({ status: 200, body: await db.read('watch list', showWatchList) }),
  });
}
