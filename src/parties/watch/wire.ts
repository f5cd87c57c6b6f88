import { z } from 'zod';
import { ID_TYPES, maskIdNo, maskMobile, maskName, toRfc3339, toWire } from '../../kernel/index.js';
import type { Vault } from '../../runtime/index.js';
import { rfc3339Schema, textSchema } from '../../runtime/index.js';
import { comparableName } from '../users/particulars.js';
import { idNoSchema, mobileSchema } from '../wire.js';
import { STOP_REASONS, type Stop } from './stop-records.js';
import { TASK_KINDS, TASK_STATES, type Task } from './task-records.js';
import type { MobileChange, MobileException } from './tasks.js';
import type { HitDetail } from './watch-list.js';

/** What the bank's staff gives and is shown of the watch list, of stops and of tasks: masked too. */
export const listedParty = z
  .strictObject({
    list: textSchema(32).meta({ description: 'Which list it comes from' }),
    name: textSchema(128)
      .refine((name) => comparableName(name) !== '', { error: 'must hold letters' })
      .optional(),
    idType: z.enum(ID_TYPES).optional(),
    idNo: idNoSchema.optional(),
  })
  .refine((entry) => (entry.idType === undefined) === (entry.idNo === undefined), { error: 'idType and idNo belong together' })
  .refine((entry) => entry.name !== undefined || entry.idNo !== undefined, { error: 'needs a name or a number' })
  .meta({ id: 'ListedParty' });

export const LISTED_MAX = 50_000;
export const watchListBody = z.strictObject({ entries: z.array(listedParty).max(LISTED_MAX) }).meta({ id: 'NewWatchList' });

export const watchListSchema = z
  .strictObject({
    listNo: z.int().meta({ description: 'Counts the lists; 0: none was loaded' }),
    entries: z.int(),
    digest: z.string().nullable().meta({ description: 'Over the entries, whatever their order, hex' }),
    loadedBy: z.string().nullable(),
    loadedAt: rfc3339Schema.nullable(),
  })
  .meta({ id: 'WatchList' });

export const stopSchema = z.strictObject({
  reason: z.enum(STOP_REASONS),
  note: z.string(),
  live: z.boolean(),
  startedAt: rfc3339Schema,
  startedBy: z.string().nullable().meta({ description: 'Null: the system' }),
  endedAt: rfc3339Schema.nullable(),
  endedBy: z.string().nullable(),
});

export function showStop(stop: Stop, vault: Vault): z.output<typeof stopSchema> {
  return {
    reason: stop.reason,
    note: vault.open(stop.noteSealed),
    live: stop.live,
    startedAt: toRfc3339(stop.startedMs),
    startedBy: stop.startedBy === null ? null : toWire('operator', stop.startedBy),
    endedAt: stop.endedMs === null ? null : toRfc3339(stop.endedMs),
    endedBy: stop.endedBy === null ? null : toWire('operator', stop.endedBy),
  };
}

export const exceptionBody = z
  .strictObject({ mobile: mobileSchema, idType: z.enum(ID_TYPES), idNo: idNoSchema, reason: textSchema(200) })
  .meta({ id: 'NewMobileException' });

export const mobileChangeBody = z
  .strictObject({ mobile: mobileSchema, reason: textSchema(200) })
  .meta({ id: 'NewCustomerMobile' });

export const taskSchema = z
  .strictObject({
    id: z.string().meta({ example: 'tsk_2236512894231552003' }),
    kind: z.enum(TASK_KINDS),
    state: z.enum(TASK_STATES),
    customer: z.string().nullable(),
    detail: z.record(z.string(), z.string()).meta({ description: 'What it is about, names and numbers masked' }),
    dueAt: rfc3339Schema.nullable(),
    askedBy: z.string().nullable().meta({ description: 'Null: the system' }),
    decidedBy: z.string().nullable(),
    reason: z.string().nullable(),
    createdAt: rfc3339Schema,
    decidedAt: rfc3339Schema.nullable(),
  })
  .meta({ id: 'Task' });

export function showTask(task: Task, vault: Vault): z.output<typeof taskSchema> {
  const operator = (id: Task['askedBy']) => (id === null ? null : toWire('operator', id));
  return {
    id: toWire('task', task.id),
    kind: task.kind,
    state: task.state,
    customer: task.customerId === null ? null : toWire('customer', task.customerId),
    detail: maskedDetail(task.kind, JSON.parse(vault.open(task.detailSealed))),
    dueAt: task.dueMs === null ? null : toRfc3339(task.dueMs),
    askedBy: operator(task.askedBy),
    decidedBy: operator(task.decidedBy),
    reason: task.reasonSealed === null ? null : vault.open(task.reasonSealed),
    createdAt: toRfc3339(task.createdMs),
    decidedAt: task.decidedMs === null ? null : toRfc3339(task.decidedMs),
  };
}

function maskedDetail(kind: Task['kind'], detail: unknown): Record<string, string> {
  if (kind === 'mobile-exception') {
    const { mobile: number, idType, idNo: id, reason } = detail as MobileException;
    return { mobile: maskMobile(number), idType, idNo: maskIdNo(id), reason };
  }
  if (kind === 'mobile-change') {
    const { mobile, reason } = detail as MobileChange;
    return { mobile: maskMobile(mobile), reason };
  }
  if (kind === 'id-document') return detail as Record<string, string>;
  const { entry, identity } = detail as HitDetail;
  return {
    list: entry.list,
    ...(entry.name === undefined ? {} : { listedName: maskName(entry.name) }),
    ...(entry.idType === undefined || entry.idNo === undefined
      ? {}
      : { listedIdType: entry.idType, listedIdNo: maskIdNo(entry.idNo) }),
    role: identity.role,
    name: maskName(identity.name),
    idType: identity.idType,
    idNo: maskIdNo(identity.idNo),
  };
}
