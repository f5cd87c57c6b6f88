import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import request, { type Test } from 'supertest';
import { type Id, toWire } from '../../src/kernel/index.js';
import { auditTrail, createOperator, issueToken, operatorAuthentication, type Role } from '../../src/operators/index.js';
import { addKey, createPlatform, platformAuthentication, signRequest } from '../../src/platforms/index.js';
import { createHttpApp, createRuntime, listen, parseConfig, type Route, type StartedRuntime } from '../../src/runtime/index.js';
import { type FreshDatabase, freshDatabase, TEST_KEYS } from './database.js';

export interface TestPlatform {
  readonly id: Id;
  readonly keyId: string;
  readonly privateKey: KeyObject;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH' | 'HEAD';

/** What of a signed request a test bends. */
export interface Bent {
  readonly nonce?: string;
  /** Milliseconds by which the signer's clock differs from ours. */
  readonly skew?: number;
  /** What is signed, where something else is sent. */
  readonly signedBody?: string;
  readonly signedPath?: string;
  readonly privateKey?: KeyObject;
  readonly keyId?: string;
  readonly headers?: Record<string, string | undefined>;
}

export interface TestApi {
  readonly url: string;
  readonly runtime: StartedRuntime;
  call(method: Method, path: string, options?: { body?: unknown; token?: string; headers?: Record<string, string> }): Test;
  signed(platform: TestPlatform, method: Method, path: string, body?: unknown, bent?: Bent): Test;
  operator(...roles: Role[]): Promise<{ id: Id; token: string }>;
  platform(name?: string): Promise<TestPlatform>;
  stop(): Promise<void>;
}

/** The routes under test behind the real edge, on a real port, a fresh schema and a real Redis. */
export async function startApi(
  routesOf: (runtime: StartedRuntime) => Route[],
  config: Record<string, string> = {},
): Promise<TestApi> {
  const fresh = await freshDatabase();
  const api = await startApiOn(fresh, routesOf, config).catch(async (error: unknown) => {
    await fresh.drop();
    throw error;
  });
  return { ...api, stop: () => api.stop().then(() => fresh.drop()) };
}

/** The same over a schema that the test has made and filled; it goes on when the API stops. */
export async function startApiOn(
  fresh: FreshDatabase,
  routesOf: (runtime: StartedRuntime) => Route[],
  config: Record<string, string> = {},
): Promise<TestApi> {
  const runtime = await createRuntime(configFor(fresh, config), 'api');
  const api = await appOf(runtime, routesOf)
    .then((app) => listen(app, { host: '127.0.0.1', port: 0 }))
    .catch(async (error: unknown) => {
      await runtime.close();
      throw error;
    });
  const client = { url: api.url, runtime };
  return {
    ...client,
    call: (method, path, options = {}) => {
      const headers = { ...options.headers, ...(options.token ? { authorization: `Bearer ${options.token}` } : {}) };
      return send(api.url, method, path, options.body, headers);
    },
    signed: (platform, method, path, body, bent) => signed(client, platform, method, path, body, bent),
    operator: (...roles) =>
      runtime.db.withTx('test operator', async (tx) => {
        const { id } = await createOperator(tx, { name: `Test ${roles.join(' ')}`, roles }, runtime);
        return { id, token: await issueToken(tx, id, runtime) };
      }),
    platform: (name = 'Test platform') => makePlatform(runtime, name),
    stop: async () => {
      await api.stop(1_000);
      await runtime.close();
    },
  };
}

async function appOf(runtime: StartedRuntime, routesOf: (runtime: StartedRuntime) => Route[]) {
  return createHttpApp({
    routes: routesOf(runtime),
    authenticate: { platform: platformAuthentication(runtime), operator: operatorAuthentication(runtime) },
    audit: auditTrail(runtime),
    runtime,
  });
}

export function configFor(fresh: FreshDatabase, more: Record<string, string> = {}) {
  return parseConfig({
    ...TEST_KEYS,
    DATABASE_URL: fresh.url,
    REDIS_URL: fresh.redisUrl,
    REDIS_PREFIX: fresh.redisPrefix,
    BANK_URL: 'http://127.0.0.1:9',
    LOG_LEVEL: 'silent',
    ...more,
  });
}

async function makePlatform(runtime: StartedRuntime, name: string): Promise<TestPlatform> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  return runtime.db.withTx('test platform', async (tx) => {
    const id = await createPlatform(tx, { name }, runtime);
    return { id, keyId: toWire('key', await addKey(tx, id, pem, runtime)), privateKey };
  });
}

function send(url: string, method: Method, path: string, body: unknown, headers: Record<string, string>): Test {
  const agent = request(url);
  const verb = method.toLowerCase() as 'get' | 'post' | 'put' | 'delete' | 'patch' | 'head';
  const call = agent[verb](path).set(headers);
  if (body === undefined) return call;
  if (!Object.keys(headers).some((name) => name.toLowerCase() === 'content-type')) call.set('content-type', 'application/json');
  // Text goes out as it stands: faulty JSON must arrive faulty.
  return call.serialize((text) => text as string).send((typeof body === 'string' ? body : JSON.stringify(body)) as string);
}

function signed(
  api: Pick<TestApi, 'url' | 'runtime'>,
  platform: TestPlatform,
  method: Method,
  path: string,
  body?: unknown,
  bent: Bent = {},
): Test {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const headers: Record<string, string | undefined> = {
    ...signRequest({
      method,
      url: api.url + (bent.signedPath ?? path),
      body: bent.signedBody ?? text,
      keyId: bent.keyId ?? platform.keyId,
      privateKey: bent.privateKey ?? platform.privateKey,
      now: api.runtime.clock.wall() + (bent.skew ?? 0),
      ...(bent.nonce === undefined ? {} : { nonce: bent.nonce }),
    }),
    ...bent.headers,
  };
  const kept = Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return send(api.url, method, path, text, Object.fromEntries(kept));
}
