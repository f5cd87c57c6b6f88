import { type Id, type IdType, type Instant, invariant, naturalDate, Refused, refuse } from '../../kernel/index.js';
import { loadParameters, type Tx } from '../../runtime/index.js';
import { insertMobileException } from '../users/mobile-records.js';
import { changeMobile } from '../users/mobiles.js';
import { customerByIdentity, customerOf, moveUser, touchCustomer, usersOfCustomer } from '../users/records.js';
import { takesActivation } from '../users/rules.js';
import { freeCustomer, type LockCustomer, type PartyParts, takeDocument } from './stops.js';
import {
  endTask,
  findTask,
  findTaskAbout,
  idTasksMissing,
  insertTask,
  type Task,
  type TaskState,
  tasksOfCustomer,
} from './task-records.js';

/** What staff may say to a task of each kind. */
export const DECISIONS = {
  'watch-list': ['confirmed', 'dismissed'],
  'id-document': ['done', 'refused'],
  'mobile-exception': ['approved', 'refused'],
  'mobile-change': ['approved', 'refused'],
} as const satisfies Record<Task['kind'], readonly TaskState[]>;
export type Decision = (typeof DECISIONS)[Task['kind']][number];

export interface DecisionOrder {
  readonly taskId: Id;
  readonly decision: Decision;
  readonly reason: string;
  readonly by: Id;
}

/**
 * Decides a task, once.
 * @throws Refused NOT_FOUND, TASK_DECIDED, SAME_OPERATOR (who asked for an exception or another number cannot approve it), SHAPE_INVALID (a
 * decision that its kind does not have), MOBILE_TAKEN
 */
export async function decideTask(tx: Tx, rt: PartyParts, lock: LockCustomer, order: DecisionOrder): Promise<Task> {
  const task = await findTask(tx, order.taskId);
  if (task === undefined) throw new Refused(refuse('NOT_FOUND'));
  const allowed: readonly string[] = DECISIONS[task.kind];
  if (!allowed.includes(order.decision))
    throw new Refused(refuse('SHAPE_INVALID', `A task ${task.kind} is ${allowed.join(' or ')}.`));
  if (task.kind === 'id-document' && order.decision === 'refused' && task.dueMs !== null)
    throw new Refused(refuse('SHAPE_INVALID', 'What the law asks for stays asked for until it is there.'));
  if (task.askedBy === order.by) throw new Refused(refuse('SAME_OPERATOR'));
  if (task.customerId !== null) await lock(tx, task.customerId);
  const nowMs = rt.clock.now();
  const by = { operatorId: order.by, reasonSealed: rt.vault.seal(order.reason), nowMs };
  if (!(await endTask(tx, task.id, order.decision, by))) throw new Refused(refuse('TASK_DECIDED'));
  if (task.kind === 'watch-list') await followHit(tx, rt, lock, task, order);
  else if (task.kind === 'mobile-exception' || task.kind === 'mobile-change') {
    if (order.decision === 'approved') await (task.kind === 'mobile-change' ? approveChange : approveException)(tx, rt, task);
  } else if (order.decision === 'done')
    await takeDocument(tx, ownerOf(task), { operatorId: order.by, reason: order.reason, nowMs, vault: rt.vault });
  const decided = await findTask(tx, task.id);
  invariant(decided, 'a task that was decided is there');
  return decided;
}

function ownerOf({ id, customerId }: Task): Id {
  invariant(customerId !== null, `task ${id} is about a customer`);
  return customerId;
}

/** He it is: users that waited are refused. He is not: when nothing else is left of the list, he is free and they are verified. */
async function followHit(
  tx: Tx,
  rt: PartyParts,
  lock: LockCustomer,
  task: Task,
  { decision, reason, by }: DecisionOrder,
): Promise<void> {
  const customerId = ownerOf(task);
  const states = (await tasksOfCustomer(tx, customerId, 'watch-list')).map((each) => each.state);
  const isHe = decision === 'confirmed';
  if (!isHe && states.some((state) => state === 'open' || state === 'confirmed')) return;
  if (!isHe) await freeCustomer(tx, rt, lock, { customerId, reason: 'watch-list', note: reason, by });
  const users = await usersOfCustomer(tx, customerId);
  for (const user of users) {
    const to = isHe ? 'refused' : takesActivation(user, users) ? 'to-activate' : 'verified';
    const refusal = isHe ? refuse('WATCH_LISTED') : null;
    await moveUser(tx, user.id, 'held', to, { nowMs: rt.clock.now(), refusal });
  }
}

/** Somebody who may share a mobile number with others, and why. */
export interface MobileException {
  readonly mobile: string;
  readonly idType: IdType;
  readonly idNo: string;
  readonly reason: string;
}

/**
 * Asks that an identity may share a mobile number; another member of staff decides. Asked for again after a refusal it is a new task,
 * else the one that is there.
 */
export async function askMobileException(tx: Tx, rt: PartyParts, of: MobileException, by: Id): Promise<Task> {
  const { vault } = rt;
  const customer = await customerByIdentity(tx, of.idType, of.idNo, vault);
  for (let turn = 1; ; turn += 1) {
    const subjectKey = vault.index('mobile-exception', JSON.stringify([of.mobile, of.idType, of.idNo, turn]));
    const id = rt.newId();
    const task = {
      id,
      kind: 'mobile-exception',
      subjectKey,
      customerId: customer?.id ?? null,
      dueMs: null,
      askedBy: by,
    } as const;
    const detailSealed = vault.seal(JSON.stringify(of));
    if (await insertTask(tx, { ...task, detailSealed, createdMs: rt.clock.now() })) return requireTask(tx, id);
    const before = await findTaskAbout(tx, 'mobile-exception', subjectKey);
    if (before !== undefined && before.state !== 'refused') return before;
  }
}

/** @throws Refused NOT_FOUND */
export async function requireTask(tx: Tx, id: Id): Promise<Task> {
  const task = await findTask(tx, id);
  if (task === undefined) throw new Refused(refuse('NOT_FOUND'));
  return task;
}

async function approveException(tx: Tx, { vault, clock }: PartyParts, task: Task): Promise<void> {
  const { mobile, idType, idNo } = JSON.parse(vault.open(task.detailSealed)) as MobileException;
  await insertMobileException(tx, {
    mobileIndex: vault.index('mobile', mobile),
    idType,
    idIndex: vault.index(`id:${idType}`, idNo),
    taskId: task.id,
    nowMs: clock.now(),
  });
}

/** Another mobile number of a customer, and why. */
export interface MobileChange {
  readonly mobile: string;
  readonly reason: string;
}

/**
 * Asks that a customer be reached under another number, whom one of the staff has identified: his old one is gone, or a platform said one
 * that was never his. Another member of staff decides. The same asked for while it is open is the task that is there.
 * @throws Refused NOT_FOUND
 */
export async function askMobileChange(tx: Tx, rt: PartyParts, customerId: Id, of: MobileChange, by: Id): Promise<Task> {
  const { vault } = rt;
  if (!(await touchCustomer(tx, customerId))) throw new Refused(refuse('NOT_FOUND'));
  const sameOpen = (await tasksOfCustomer(tx, customerId, 'mobile-change')).find(
    (task) => task.state === 'open' && (JSON.parse(vault.open(task.detailSealed)) as MobileChange).mobile === of.mobile,
  );
  if (sameOpen !== undefined) return sameOpen;
  const id = rt.newId();
  const subjectKey = vault.index('mobile-change', id);
  const task = { id, kind: 'mobile-change', subjectKey, customerId, dueMs: null, askedBy: by } as const;
  await insertTask(tx, { ...task, detailSealed: vault.seal(JSON.stringify(of)), createdMs: rt.clock.now() });
  return requireTask(tx, id);
}

/** With the customer locked. @throws Refused MOBILE_TAKEN: undo what was written */
async function approveChange(tx: Tx, { vault, clock }: PartyParts, task: Task): Promise<void> {
  const { mobile } = JSON.parse(vault.open(task.detailSealed)) as MobileChange;
  const customer = await customerOf(tx, ownerOf(task), vault);
  invariant(customer, `the customer of task ${task.id} is there`);
  const nowMs = clock.now();
  const rules = { today: naturalDate(nowMs), parameters: await loadParameters(tx), vault, nowMs };
  const refusal = await changeMobile(tx, customer, mobile, rules);
  if (refusal !== undefined) throw new Refused(refusal);
}

const TASKS_MAX = 500;

/** A task for every customer who owes a copy of his identity document, once for each day by which it is due. Answers how many were made. */
export async function raiseIdTasks(rt: PartyParts, tx: Tx): Promise<number> {
  const missing = await idTasksMissing(tx, TASKS_MAX);
  let made = 0;
  for (const { customerId, dueMs } of missing) {
    const subjectKey = rt.vault.index('id-task', `${customerId} ${dueMs}`);
    const task = { id: rt.newId(), kind: 'id-document', subjectKey, customerId, dueMs, askedBy: null } as const;
    const detailSealed = rt.vault.seal(JSON.stringify({ why: 'turnover of Class III accounts' }));
    if (await insertTask(tx, { ...task, detailSealed, createdMs: rt.clock.now() })) made += 1;
  }
  return made;
}

/**
 * Asks the staff to look at images that are to be a copy of a customer's identity document, unless a task does already. Done, it is one; not
 * good enough, the task stays open where the copy is owed, and is refused where it is not.
 * @param of.dueMs by when it is owed; null: it is not
 */
export async function raiseCopyTask(
  tx: Tx,
  rt: PartyParts,
  { customerId, documentId, dueMs }: { customerId: Id; documentId: Id; dueMs: Instant | null },
): Promise<void> {
  if ((await tasksOfCustomer(tx, customerId, 'id-document')).some((task) => task.state === 'open')) return;
  const subjectKey = rt.vault.index('id-task', `${customerId} copy ${documentId}`);
  const task = { id: rt.newId(), kind: 'id-document', subjectKey, customerId, dueMs, askedBy: null } as const;
  const detailSealed = rt.vault.seal(JSON.stringify({ why: 'images of the identity document came in' }));
  await insertTask(tx, { ...task, detailSealed, createdMs: rt.clock.now() });
}

/** Whether anybody owes a copy for which there is no task yet. */
export async function areIdTasksMissing(tx: Tx): Promise<boolean> {
  return (await idTasksMissing(tx, 1)).length > 0;
}
