import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { makeOperator } from '../../scripts/operator.js';
import { fromWire, type Id, Refused, refuse, toWire } from '../../src/kernel/index.js';
import { changeOperator, createOperator, operatorRoutes, PERMISSIONS, ROLES } from '../../src/operators/index.js';
import { isSealed, type Permission, type Route, route, type StartedRuntime } from '../../src/runtime/index.js';
import { startApi, type TestApi } from '../support/api.js';

/** A change that writes a row and then ends as the test says. */
function changeRoute({ newId, clock }: StartedRuntime): Route {
  return route({
    method: 'POST',
    path: '/admin/v1/test/{thing}',
    audience: 'operator',
    permission: 'breaks.write',
    tag: 'Test',
    summary: 'a change',
    summaryZh: '测试',
    params: z.strictObject({ thing: z.string() }),
    body: z.strictObject({ end: z.enum(['well', 'refused', 'fault']), cardNumber: z.string().optional() }),
    answers: { 204: { description: 'done' } },
    handle: async ({ params, body, tx }) => {
      await createOperator(tx, { name: params.thing, roles: ['reviewer'] }, { newId, clock });
      if (body.end === 'refused') throw new Refused(refuse('BREAK_CLOSED'));
      if (body.end === 'fault') throw new Error('broken');
      return { status: 204, audit: { target: `thing ${params.thing}` } };
    },
  });
}

let api: TestApi;
let admin: { id: Id; token: string };
beforeAll(async () => {
  api = await startApi((runtime) => [...operatorRoutes(runtime), changeRoute(runtime)]);
  admin = await api.operator('administrator');
});
afterAll(() => api.stop());

async function names(): Promise<string[]> {
  const { body } = await api.call('GET', '/admin/v1/operators', { token: admin.token });
  return body.items.map((operator: { name: string }) => operator.name);
}

async function newestEntry() {
  const { body } = await api.call('GET', '/admin/v1/audit?limit=1', { token: admin.token });
  return body.items[0];
}

describe('tokens', () => {
  test.each([
    ['none', undefined],
    ['another scheme', 'Basic abc'],
    ['no token of ours', 'Bearer abc'],
    ['one that nobody has', `Bearer cgo_${'A'.repeat(43)}`],
  ])('%s: refused', async (_what, authorization) => {
    const { status, body, headers } = await api.call('GET', '/admin/v1/operators', {
      headers: authorization ? { authorization } : {},
    });
    expect([status, body.code]).toEqual([401, 'TOKEN_INVALID']);
    expect(headers['www-authenticate']).toMatch(/^Bearer/);
  });

  test('a new operator is let in by his token, and no longer once it is revoked', async () => {
    const created = await api.call('POST', '/admin/v1/operators', {
      token: admin.token,
      body: { name: '李萍', roles: ['auditor'] },
    });
    expect(created.body).toMatchObject({ name: '李萍', roles: ['auditor'], state: 'active' });
    const path = `/admin/v1/operators/${created.body.id}/tokens`;
    const { token } = (await api.call('POST', path, { token: admin.token })).body;
    expect(token).toMatch(/^cgo_[A-Za-z0-9_-]{43}$/);
    expect((await api.call('GET', '/admin/v1/audit', { token })).status).toBe(200);
    expect((await api.call('DELETE', path, { token: admin.token })).status).toBe(204);
    expect((await api.call('GET', '/admin/v1/audit', { token })).body.code).toBe('TOKEN_INVALID');
  });

  test('no token stands in the database or the audit trail', async () => {
    const { token } = (
      await api.call('POST', `/admin/v1/operators/${toWire('operator', admin.id)}/tokens`, { token: admin.token })
    ).body;
    const { db } = api.runtime;
    const stored = await db.read('test', async (tx) => [
      ...(await tx.rows('SELECT * FROM audit_entries')),
      ...(await tx.rows('SELECT token_hash FROM operator_tokens')),
    ]);
    expect(JSON.stringify(stored)).not.toContain(token);
  });

  test('the first administrator comes from a script on the server, which the trail names as such', async () => {
    const { id, token } = await makeOperator(api.runtime.db, 'First', ['administrator']);
    expect((await api.call('GET', '/admin/v1/operators', { token })).status).toBe(200);
    expect(await newestEntry()).toMatchObject({ operator: null, target: `operator ${id}`, outcome: 'done' });
  });
});

describe('permissions', () => {
  test('an auditor writes nothing, and every reading permission is his', () => {
    const all = new Set<Permission>(ROLES.flatMap((role) => [...PERMISSIONS[role]]));
    const reading = [...all].filter((permission) => permission.endsWith('.read'));
    expect([...PERMISSIONS.auditor].sort()).toEqual(reading.sort());
  });

  test('whoever manages staff moves no money', () => {
    const moving = ['instructions.write', 'payouts.write', 'days.write', 'breaks.write'];
    expect(PERMISSIONS.administrator.filter((permission) => moving.includes(permission))).toEqual([]);
  });

  test.each([
    ['operator', 'GET', '/admin/v1/audit'],
    ['reviewer', 'GET', '/admin/v1/audit'],
    ['operator', 'GET', '/admin/v1/operators'],
    ['auditor', 'POST', '/admin/v1/test/x'],
    ['auditor', 'POST', '/admin/v1/operators'],
    ['administrator', 'POST', '/admin/v1/test/x'],
  ] as const)('%s may not %s %s', async (role, method, path) => {
    const { token } = await api.operator(role);
    const { status, body } = await api.call(method, path, { token, ...(method === 'POST' ? { body: {} } : {}) });
    expect([status, body.code]).toEqual([403, 'PERMISSION_DENIED']);
  });
});

describe('the audit trail', () => {
  test('a change and its entry are committed together', async () => {
    const { id, token } = await api.operator('operator');
    const { headers, status } = await api.call('POST', '/admin/v1/test/good', {
      token,
      body: { end: 'well', cardNumber: '6222020000000000000' },
    });
    expect(status).toBe(204);
    expect(await names()).toContain('good');
    expect(await newestEntry()).toMatchObject({
      operator: toWire('operator', id),
      action: 'breaks.write POST /admin/v1/test/{thing}',
      target: 'thing good',
      outcome: 'done',
      detail: { params: { thing: 'good' }, body: { end: 'well', cardNumber: '622202*********0000' } },
      requestId: headers['x-request-id'],
    });
  });

  test('an entry is sealed in the database, also where nobody knew the field, and of an address nothing but the path is kept', async () => {
    const { token } = await api.operator('operator');
    const body = { end: 'well', surprise: '王小明' };
    await api.call('POST', '/admin/v1/test/odd?who=王小明', { token, body });
    const rows = await api.runtime.db.read('audit', (tx) =>
      tx.rows<{ detail: string; target: string }>('SELECT * FROM audit_entries ORDER BY id DESC LIMIT 1'),
    );
    expect(isSealed(rows[0]?.detail ?? '')).toBe(true);
    expect(JSON.stringify(rows)).not.toMatch(/王小明|%E7%8E%8B/);
    expect(await newestEntry()).toMatchObject({ target: '/admin/v1/test/odd', detail: { body } });
  });

  test.each([
    ['refused', 'BREAK_CLOSED', 409],
    ['fault', 'FAULT', 500],
  ])('what ended %s changed nothing and left an entry that says %s', async (end, code, expected) => {
    const { token } = await api.operator('operator');
    const { status, headers } = await api.call('POST', `/admin/v1/test/bad-${end}`, { token, body: { end } });
    expect(status).toBe(expected);
    expect(await names()).not.toContain(`bad-${end}`);
    expect(await newestEntry()).toMatchObject({
      outcome: code,
      target: `/admin/v1/test/bad-${end}`,
      requestId: headers['x-request-id'],
    });
  });

  test('a change whose entry cannot be written is not made', async () => {
    const { token } = await api.operator('operator');
    const { db } = api.runtime;
    await db.withTx('test', (tx) => tx.write('ALTER TABLE audit_entries RENAME TO audit_away'));
    const { status } = await api.call('POST', '/admin/v1/test/unaudited', { token, body: { end: 'well' } });
    await db.withTx('test', (tx) => tx.write('ALTER TABLE audit_away RENAME TO audit_entries'));
    expect(status).toBe(500);
    expect(await names()).not.toContain('unaudited');
  });

  test('an attempt without permission leaves an entry', async () => {
    const { id, token } = await api.operator('auditor');
    await api.call('POST', '/admin/v1/test/denied', { token, body: { end: 'well' } });
    expect(await newestEntry()).toMatchObject({ operator: toWire('operator', id), outcome: 'PERMISSION_DENIED' });
    expect(await names()).not.toContain('denied');
  });

  test('is read newest first, page by page, and by operator', async () => {
    const { id, token } = await api.operator('operator');
    for (const thing of ['one', 'two', 'three'])
      await api.call('POST', `/admin/v1/test/${thing}`, { token, body: { end: 'well' } });
    const own = `/admin/v1/audit?limit=2&operator=${toWire('operator', id)}`;
    const first = (await api.call('GET', own, { token: admin.token })).body;
    const second = (await api.call('GET', `${own}&cursor=${first.next}`, { token: admin.token })).body;
    const targets = [...first.items, ...second.items].map((entry: { target: string }) => entry.target);
    expect([targets, second.next]).toEqual([['thing three', 'thing two', 'thing one'], null]);
    const forged = await api.call('GET', `${own}&cursor=abc`, { token: admin.token });
    expect([forged.status, forged.body.code]).toEqual([400, 'CURSOR_INVALID']);
  });
});

describe('staff', () => {
  test('a disabled operator keeps neither token nor way back in, and stays in the list', async () => {
    const { id, token } = await api.operator('operator');
    const wire = toWire('operator', id);
    expect((await api.call('DELETE', `/admin/v1/operators/${wire}`, { token: admin.token })).status).toBe(204);
    expect((await api.call('POST', '/admin/v1/test/x', { token, body: { end: 'well' } })).body.code).toBe('TOKEN_INVALID');
    expect((await api.call('POST', `/admin/v1/operators/${wire}/tokens`, { token: admin.token })).status).toBe(404);
    const { body } = await api.call('GET', '/admin/v1/operators', { token: admin.token });
    expect(body.items).toContainEqual(expect.objectContaining({ id: wire, state: 'disabled' }));
  });

  test.each([
    ['no role', { name: 'A', roles: [] }],
    ['an unknown role', { name: 'A', roles: ['king'] }],
    ['a role twice', { name: 'A', roles: ['auditor', 'auditor'] }],
    ['no name', { name: '', roles: ['auditor'] }],
    ['a name with a line break', { name: 'A\nB', roles: ['auditor'] }],
  ])('%s: refused', async (_what, body) => {
    const answer = await api.call('POST', '/admin/v1/operators', { token: admin.token, body });
    expect([answer.status, answer.body.code]).toEqual([400, 'SHAPE_INVALID']);
  });

  test('roles change at once', async () => {
    const { id, token } = await api.operator('operator');
    const path = `/admin/v1/operators/${toWire('operator', id)}/roles`;
    await api.call('PUT', path, { token: admin.token, body: { roles: ['auditor'] } });
    expect((await api.call('GET', '/admin/v1/audit', { token })).status).toBe(200);
  });

  test('of administrators who remove each other at the same moment one remains', async () => {
    const { db } = api.runtime;
    const { body } = await api.call('GET', '/admin/v1/operators', { token: admin.token });
    const others = body.items.filter(
      (row: { id: string; roles: string[] }) => row.roles.includes('administrator') && row.id !== toWire('operator', admin.id),
    );
    for (const { id } of others)
      await db.withTx('test', (tx) => changeOperator(tx, fromWire(id), { state: 'disabled' }, api.runtime));
    const second = await api.operator('administrator');
    const remove = (id: Id) => db.withTx('test', (tx) => changeOperator(tx, id, { roles: ['auditor'] }, api.runtime));
    const results = await Promise.allSettled([remove(admin.id), remove(second.id)]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const left = [admin, second][results.findIndex(({ status }) => status === 'rejected')] as { id: Id; token: string };
    const last = await api.call('DELETE', `/admin/v1/operators/${toWire('operator', left.id)}`, { token: left.token });
    expect([last.status, last.body.code]).toEqual([409, 'LAST_ADMINISTRATOR']);
  });
});
