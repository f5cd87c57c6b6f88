import { generateKeyPairSync } from 'node:crypto';
import { type Id, toWire } from '../../src/kernel/index.js';
import { auditTrail, createOperator, issueToken, operatorAuthentication, type Role } from '../../src/operators/index.js';
import { addKey, platformAuthentication, signRequest } from '../../src/platforms/index.js';
import { reportingRoutes } from '../../src/reporting/index.js';
import { createHttpApp, listen } from '../../src/runtime/index.js';
import type { World } from '../support/world/world.js';

export interface Got {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  readonly json: Record<string, unknown> & { items?: Record<string, unknown>[]; code?: string };
}

/** The routes of reporting over the books of a world, as platforms, staff and anybody call them. */
export interface Desk {
  readonly url: string;
  as(
    platformId: Id,
  ): Promise<(method: 'GET' | 'POST', path: string, body?: unknown, headers?: Record<string, string>) => Promise<Got>>;
  staff(...roles: Role[]): Promise<(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown) => Promise<Got>>;
  anybody(path: string): Promise<Got>;
  stop(): Promise<void>;
}

export async function openDesk({ rt, db }: World): Promise<Desk> {
  const runtime = { ...rt, drivenClock: undefined, close: async () => undefined };
  const app = createHttpApp({
    routes: reportingRoutes(rt),
    authenticate: { platform: platformAuthentication(rt), operator: operatorAuthentication(runtime) },
    audit: auditTrail(runtime),
    runtime: rt,
  });
  const api = await listen(app, { host: '127.0.0.1', port: 0 });
  const send = async (method: string, path: string, headers: Record<string, string>, text?: string): Promise<Got> => {
    const answer = await fetch(api.url + path, {
      method,
      headers: { ...headers, ...(text === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(text === undefined ? {} : { body: text }),
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    const isJson = (answer.headers.get('content-type') ?? '').includes('json');
    return { status: answer.status, headers: answer.headers, bytes, json: isJson ? JSON.parse(bytes.toString('utf8')) : {} };
  };
  return {
    url: api.url,
    async as(platformId) {
      const { publicKey, privateKey } = generateKeyPairSync('ed25519');
      const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
      const keyId = toWire('key', await db.withTx('key', (tx) => addKey(tx, platformId, pem, rt)));
      return (method, path, body, headers = {}) => {
        const text = body === undefined ? undefined : JSON.stringify(body);
        const signed = signRequest({ method, url: api.url + path, body: text, keyId, privateKey, now: rt.clock.wall() });
        return send(method, path, { ...headers, ...signed }, text);
      };
    },
    async staff(...roles) {
      const token = await db.withTx('operator', async (tx) => {
        const { id } = await createOperator(tx, { name: `Test ${roles.join(' ')}`, roles }, rt);
        return issueToken(tx, id, rt);
      });
      return (method, path, body) =>
        send(method, path, { authorization: `Bearer ${token}` }, body === undefined ? undefined : JSON.stringify(body));
    },
    anybody: (path) => send('GET', path, {}),
    stop: () => api.stop(1_000),
  };
}
