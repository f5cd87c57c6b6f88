import { z } from 'zod';
import { asId, type Id, Refused, refuse, toRfc3339, toWire } from '../kernel/index.js';
import {
  decodeCursor,
  page,
  pageQuery,
  pageSchema,
  type Route,
  type Runtime,
  rfc3339Schema,
  route,
  wireId,
} from '../runtime/index.js';
import { addKey, revokeKey, setState } from './registry.js';
import { ALGORITHMS, PROFILES } from './rules.js';
import { type KeyRow, listKeyRows, listPlatformRows, type PlatformRow, type PlatformState, readPlatform } from './store.js';

export const platformSchema = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    uscc: z.string().nullable(),
    profile: z.enum(PROFILES),
    state: z.enum(['active', 'suspended']),
    createdAt: rfc3339Schema,
  })
  .meta({ id: 'Platform' });

export function showPlatform(row: PlatformRow): z.input<typeof platformSchema> {
  return {
    id: toWire('platform', row.id),
    name: row.name,
    uscc: row.uscc ?? null,
    profile: row.profile,
    state: row.state,
    createdAt: toRfc3339(row.createdAt),
  };
}

const keySchema = z
  .strictObject({
    id: z.string().meta({ description: 'The `keyid` to sign with' }),
    algorithm: z.enum(ALGORITHMS),
    publicKey: z.string().meta({ description: 'PEM (SPKI)' }),
    state: z.enum(['active', 'revoked']),
    createdAt: rfc3339Schema,
    revokedAt: rfc3339Schema.nullable(),
  })
  .meta({ id: 'PlatformKey' });

function showKey(row: KeyRow): z.input<typeof keySchema> {
  return {
    id: toWire('key', row.id),
    algorithm: row.algorithm,
    publicKey: row.publicKey,
    state: row.state,
    createdAt: toRfc3339(row.createdAt),
    revokedAt: row.revokedAt === undefined ? null : toRfc3339(row.revokedAt),
  };
}

const Params = z.strictObject({ platform: wireId('platform') });
const KeyParams = z.strictObject({ platform: wireId('platform'), key: wireId('key') });
const LIST = 'platforms';

/** The bank's side of platforms; opening one is a route of `accounts`, for its book is opened with it. */
export function platformRoutes(rt: Runtime): Route[] {
  return [
    listRoute(rt),
    readRoute(rt),
    keysRoute(rt),
    addKeyRoute(rt),
    revokeKeyRoute(rt),
    stateRoute('suspend'),
    stateRoute('resume'),
  ];
}

const operator = { audience: 'operator', tag: 'Platforms' } as const;

function listRoute({ db }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/platforms',
    permission: 'platforms.read',
    summary: 'Platforms',
    summaryZh: '平台列表',
    query: z.strictObject(pageQuery),
    answers: { 200: { description: 'A page', schema: pageSchema(platformSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ query }) => {
      const after = asId(String(query.cursor === undefined ? 0 : decodeCursor(LIST, 1, query.cursor)[0]));
      const rows = await db.read('platforms', (tx) => listPlatformRows(tx, after, query.limit + 1));
      return { status: 200, body: page(LIST, rows, query.limit, (row) => [row.id], showPlatform) };
    },
  });
}

function readRoute({ db }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/platforms/{platform}',
    permission: 'platforms.read',
    summary: 'One platform',
    summaryZh: '平台详情',
    params: Params,
    answers: { 200: { description: 'The platform', schema: platformSchema } },
    handle: async ({ params }) => {
      const row = await db.read('platform', (tx) => readPlatform(tx, params.platform));
      if (!row) throw new Refused(refuse('NOT_FOUND'));
      return { status: 200, body: showPlatform(row) };
    },
  });
}

function keysRoute({ db }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/platforms/{platform}/keys',
    permission: 'platforms.read',
    summary: 'Keys of a platform, revoked ones too',
    summaryZh: '平台密钥列表',
    params: Params,
    answers: { 200: { description: 'All keys', schema: z.strictObject({ items: z.array(keySchema) }) } },
    handle: async ({ params }) => {
      const rows = await db.read('platform keys', async (tx) => {
        if (!(await readPlatform(tx, params.platform))) throw new Refused(refuse('NOT_FOUND'));
        return listKeyRows(tx, params.platform);
      });
      return { status: 200, body: { items: rows.map(showKey) } };
    },
  });
}

function addKeyRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/platforms/{platform}/keys',
    permission: 'platforms.write',
    summary: 'Registers a public key',
    summaryZh: '登记平台公钥',
    params: Params,
    body: z.strictObject({
      publicKey: z
        .string()
        .min(1)
        .max(4096)
        .meta({ description: 'PEM (SPKI) or its base64: Ed25519, or RSA of 2048 to 8192 bits' }),
    }),
    answers: { 201: { description: 'The key; its id is the `keyid` to sign with', schema: keySchema } },
    refusals: ['KEY_UNSUITABLE'],
    handle: async ({ params, body, tx }) => {
      const id = await addKey(tx, params.platform, body.publicKey, rt);
      const row = (await listKeyRows(tx, params.platform)).find((key) => key.id === id) as KeyRow;
      return { status: 201, body: showKey(row), audit: { target: keyTarget(params.platform, id) } };
    },
  });
}

function revokeKeyRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'DELETE',
    path: '/admin/v1/platforms/{platform}/keys/{key}',
    permission: 'platforms.write',
    summary: 'Revokes a key; it takes hold within three seconds',
    summaryZh: '停用平台密钥',
    params: KeyParams,
    answers: { 204: { description: 'Revoked' } },
    handle: async ({ params, tx }) => {
      await revokeKey(tx, params.platform, params.key, rt);
      return { status: 204, audit: { target: keyTarget(params.platform, params.key) } };
    },
  });
}

function keyTarget(platform: Id, key: Id): string {
  return `platform ${toWire('platform', platform)} key ${toWire('key', key)}`;
}

function stateRoute(verb: 'suspend' | 'resume'): Route {
  const state: PlatformState = verb === 'suspend' ? 'suspended' : 'active';
  return route({
    ...operator,
    method: 'POST',
    path: `/admin/v1/platforms/{platform}/${verb}`,
    permission: 'platforms.write',
    summary:
      verb === 'suspend'
        ? 'Suspends a platform: its requests are refused within three seconds'
        : 'Lets a suspended platform call again',
    summaryZh: verb === 'suspend' ? '暂停平台' : '恢复平台',
    params: Params,
    answers: { 200: { description: 'The platform', schema: platformSchema } },
    handle: async ({ params, tx }) => {
      await setState(tx, params.platform, state);
      const row = (await readPlatform(tx, params.platform)) as PlatformRow;
      return { status: 200, body: showPlatform(row), audit: { target: `platform ${toWire('platform', params.platform)}` } };
    },
  });
}
