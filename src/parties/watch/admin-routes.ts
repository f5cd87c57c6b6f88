import { z } from 'zod';
import { asId, toWire } from '../../kernel/index.js';
import {
  idAfter,
  page,
  pageQuery,
  pageSchema,
  type Route,
  type Runtime,
  route,
  textSchema,
  wireId,
} from '../../runtime/index.js';
import { customerParams, customerSchema, showCustomer, staff } from '../users/admin-wire.js';
import { requireCustomer } from '../users/standing.js';
import { STAFF_STOPS } from './stop-records.js';
import { freeCustomer, type LockCustomer, stopCustomer } from './stops.js';
import { listTasks, TASK_STATES } from './task-records.js';
import { askMobileChange, askMobileException, DECISIONS, decideTask, requireTask } from './tasks.js';
import { watchListRoutes } from './watch-list-routes.js';
import { exceptionBody, mobileChangeBody, showTask, taskSchema } from './wire.js';

/** Stops, tasks and the watch list, as the bank's staff handles them. */
export function watchRoutes(rt: Runtime, lock: LockCustomer): Route[] {
  return [
    standingRoute(rt, lock, 'stop'),
    standingRoute(rt, lock, 'free'),
    exceptionRoute(rt),
    mobileRoute(rt),
    tasksRoute(rt),
    taskRoute(rt),
    decideRoute(rt, lock),
    ...watchListRoutes(rt),
  ];
}

const standingBody = z.strictObject({ reason: z.enum(STAFF_STOPS), note: textSchema(200).meta({ description: 'For the file' }) });

function standingRoute(rt: Runtime, lock: LockCustomer, verb: 'stop' | 'free'): Route {
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

function mobileRoute(rt: Runtime): Route {
  return route({
    ...staff,
    method: 'POST',
    path: '/admin/v1/customers/{customer}/mobile-changes',
    permission: 'customers.write',
    confidential: true,
    summary: 'Asks for another mobile number of a customer, with or without accounts; another member of staff approves it',
    summaryZh: '申请变更客户手机号',
    description:
      'For a customer whom the staff has identified, whose number is gone or was never his. The number counts as verified then; where the ' +
      'one before was not, a trade password that was set by it is void.',
    params: customerParams,
    body: mobileChangeBody,
    answers: { 201: { description: 'The task', schema: taskSchema } },
    handle: async ({ params, body, caller, tx }) => {
      const task = showTask(await askMobileChange(tx, rt, params.customer, body, caller.operatorId), rt.vault);
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

function decideRoute(rt: Runtime, lock: LockCustomer): Route {
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
      'A hit of the watch list is confirmed (it is he) or dismissed; a copy of an identity document is done, or refused where it is not owed; a mobile exception and ' +
      'another mobile number are approved or refused, by somebody else than who asked.',
    params: taskParams,
    body: z.strictObject({ decision: z.enum(decisions), reason: textSchema(200) }),
    answers: { 200: { description: 'Decided', schema: taskSchema } },
    refusals: ['TASK_DECIDED', 'SAME_OPERATOR', 'MOBILE_TAKEN'],
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
