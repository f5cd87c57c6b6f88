import { z } from 'zod';
import { asId, toRfc3339, toWire } from '../kernel/index.js';
import {
  decodeCursor,
  page,
  pageQuery,
  pageSchema,
  type Route,
  type Runtime,
  rfc3339Schema,
  route,
  textSchema,
  type Vault,
  wireId,
  withoutPersonalData,
} from '../runtime/index.js';
import { ROLES } from './rules.js';
import { changeOperator, createOperator, issueToken, revokeAllTokens } from './staff.js';
import { type AuditRow, listAuditRows, listOperatorRows, type OperatorRow } from './store.js';

const rolesSchema = z
  .array(z.enum(ROLES))
  .min(1)
  .max(ROLES.length)
  .refine((roles) => new Set(roles).size === roles.length, { error: 'a role stands twice' });

const operatorSchema = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    roles: z.array(z.enum(ROLES)),
    state: z.enum(['active', 'disabled']),
    createdAt: rfc3339Schema.meta({ description: 'Real time, also in a sandbox, as in the audit trail' }),
  })
  .meta({ id: 'Operator' });

function showOperator(row: OperatorRow): z.input<typeof operatorSchema> {
  return {
    id: toWire('operator', row.id),
    name: row.name,
    roles: [...row.roles],
    state: row.state,
    createdAt: toRfc3339(row.createdAt),
  };
}

const auditSchema = z
  .strictObject({
    id: z.string(),
    operator: z.string().nullable().meta({ description: 'Null: a script on the server' }),
    action: z.string().meta({ description: 'Permission, method and path' }),
    target: z.string(),
    detail: z.unknown().meta({ description: 'Parameters and body without secrets, personal data masked' }),
    outcome: z.string().meta({ description: '`done`, or the code of the refusal' }),
    at: rfc3339Schema,
    requestId: z.string(),
  })
  .meta({ id: 'AuditEntry' });

function showAudit(row: AuditRow, vault: Vault): z.input<typeof auditSchema> {
  return {
    id: toWire('audit', row.id),
    operator: row.operatorId === '0' ? null : toWire('operator', row.operatorId),
    action: row.action,
    target: row.target,
    detail: withoutPersonalData(JSON.parse(vault.read(row.detail))),
    outcome: row.outcome,
    at: toRfc3339(row.at),
    requestId: row.requestId,
  };
}

const Params = z.strictObject({ operator: wireId('operator') });
const LIST = 'audit';
const NEWEST = '9223372036854775807';

/** Staff and the audit trail. */
export function operatorRoutes(rt: Runtime): Route[] {
  return [listRoute(rt), createRoute(rt), rolesRoute(rt), disableRoute(rt), tokenRoute(rt), revokeRoute(rt), auditRoute(rt)];
}

const operator = { audience: 'operator', tag: 'Operators' } as const;

function listRoute({ db }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/operators',
    permission: 'operators.read',
    summary: 'All operators',
    summaryZh: '操作员列表',
    answers: { 200: { description: 'All, disabled ones too', schema: z.strictObject({ items: z.array(operatorSchema) }) } },
    handle: async () => ({ status: 200, body: { items: (await db.read('operators', listOperatorRows)).map(showOperator) } }),
  });
}

function createRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/operators',
    permission: 'operators.write',
    summary: 'A new operator, without a token yet',
    summaryZh: '新增操作员',
    body: z.strictObject({ name: textSchema(64), roles: rolesSchema }),
    answers: { 201: { description: 'The operator', schema: operatorSchema } },
    handle: async ({ body, tx }) => {
      const row = await createOperator(tx, body, rt);
      return { status: 201, body: showOperator(row), audit: { target: target(row) } };
    },
  });
}

function target({ id }: Pick<OperatorRow, 'id'>): string {
  return `operator ${toWire('operator', id)}`;
}

function rolesRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'PUT',
    path: '/admin/v1/operators/{operator}/roles',
    permission: 'operators.write',
    summary: 'Gives an operator other roles',
    summaryZh: '调整操作员角色',
    params: Params,
    body: z.strictObject({ roles: rolesSchema }),
    answers: { 200: { description: 'The operator', schema: operatorSchema } },
    refusals: ['LAST_ADMINISTRATOR'],
    handle: async ({ params, body, tx }) => {
      const row = await changeOperator(tx, params.operator, { roles: body.roles }, rt);
      return { status: 200, body: showOperator(row), audit: { target: target(row) } };
    },
  });
}

function disableRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'DELETE',
    path: '/admin/v1/operators/{operator}',
    permission: 'operators.write',
    summary: 'Disables an operator and revokes his tokens; his name stays in the trail',
    summaryZh: '停用操作员',
    params: Params,
    answers: { 204: { description: 'Disabled' } },
    refusals: ['LAST_ADMINISTRATOR'],
    handle: async ({ params, tx }) => {
      const row = await changeOperator(tx, params.operator, { state: 'disabled' }, rt);
      return { status: 204, audit: { target: target(row) } };
    },
  });
}

function tokenRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/operators/{operator}/tokens',
    permission: 'operators.write',
    summary: 'A new token for an operator, shown this once',
    summaryZh: '签发操作员令牌（仅显示一次）',
    params: Params,
    answers: { 201: { description: 'The token', schema: z.strictObject({ token: z.string() }) } },
    handle: async ({ params, tx }) => {
      const token = await issueToken(tx, params.operator, rt);
      return { status: 201, body: { token }, audit: { target: target({ id: params.operator }) } };
    },
  });
}

function revokeRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'DELETE',
    path: '/admin/v1/operators/{operator}/tokens',
    permission: 'operators.write',
    summary: 'Revokes all tokens of an operator',
    summaryZh: '吊销操作员全部令牌',
    params: Params,
    answers: { 204: { description: 'Revoked' } },
    handle: async ({ params, tx }) => {
      await revokeAllTokens(tx, params.operator, rt);
      return { status: 204, audit: { target: target({ id: params.operator }) } };
    },
  });
}

function auditRoute({ db, vault }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/audit',
    permission: 'audit.read',
    summary: 'The audit trail, newest first',
    summaryZh: '审计日志',
    query: z.strictObject({ ...pageQuery, operator: wireId('operator').optional() }),
    answers: { 200: { description: 'A page', schema: pageSchema(auditSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ query }) => {
      const before = asId(query.cursor === undefined ? NEWEST : String(decodeCursor(LIST, 1, query.cursor)[0]));
      const rows = await db.read('audit', (tx) => listAuditRows(tx, before, query.limit + 1, query.operator));
      return {
        status: 200,
        body: page(
          LIST,
          rows,
          query.limit,
          (row) => [row.id],
          (row) => showAudit(row, vault),
        ),
      };
    },
  });
}
