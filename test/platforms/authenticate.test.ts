import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { toWire } from '../../src/kernel/index.js';
import { platformAuthentication, platformRoutes, revokeKey, setState, signRequest } from '../../src/platforms/index.js';
import { commandConnection, disconnect, type Route, route } from '../../src/runtime/index.js';
import { type Bent, startApi, type TestApi, type TestPlatform } from '../support/api.js';

const WHO: Route[] = (['GET', 'POST'] as const).map((method) =>
  route({
    method,
    path: '/v1/who',
    audience: 'platform',
    tag: 'Test',
    summary: 'who calls',
    summaryZh: '测试',
    query: z.strictObject({ q: z.string().optional() }),
    ...(method === 'POST' ? { body: z.strictObject({ a: z.int() }) } : {}),
    answers: { 200: { description: 'who' } },
    handle: async ({ caller }) => ({ status: 200, body: { platform: caller.platformId, key: caller.keyId } }),
  }),
);

let api: TestApi;
let platform: TestPlatform;
beforeAll(async () => {
  api = await startApi((runtime) => [...WHO, ...platformRoutes(runtime)]);
  platform = await api.platform();
});
afterAll(() => api.stop());

async function codeOf(method: 'GET' | 'POST', path: string, body?: unknown, bent?: Bent): Promise<string> {
  const { status, body: answer } = await api.signed(platform, method, path, body, bent);
  return status === 200 ? 'accepted' : `${status} ${answer.code}`;
}

describe('a signed request', () => {
  test('is answered as the platform whose key signed it', async () => {
    const { body } = await api.signed(platform, 'POST', '/v1/who?q=%20x', { a: 1 });
    expect(body).toEqual({ platform: platform.id, key: platform.keyId });
  });

  test('may be a GET without a body', async () => {
    expect(await codeOf('GET', '/v1/who')).toBe('accepted');
  });

  test('may be signed with RSA', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const { token } = await api.operator('administrator');
    const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const path = `/admin/v1/platforms/${toWire('platform', platform.id)}/keys`;
    const { status, body } = await api.call('POST', path, { token, body: { publicKey: publicPem } });
    expect([status, body.algorithm]).toEqual([201, 'rsa-pss-sha512']);
    expect(await codeOf('POST', '/v1/who', { a: 1 }, { privateKey, keyId: body.id })).toBe('accepted');
    const listed = await api.call('GET', path, { token });
    expect(listed.body.items.map((key: { id: string }) => key.id)).toEqual([platform.keyId, body.id]);
  });
});

describe('refused, with the same body and the right fields for everything else', () => {
  const stranger = generateKeyPairSync('ed25519').privateKey;
  const cases: [string, string, Bent][] = [
    ['no signature', '401 SIGNATURE_MISSING', { headers: { signature: undefined } }],
    ['no signature input', '401 SIGNATURE_MISSING', { headers: { 'signature-input': undefined } }],
    ['fields that cannot be read', '401 SIGNATURE_MALFORMED', { headers: { 'signature-input': 'sig=((' } }],
    ['an unknown key', '401 KEY_UNKNOWN', { keyId: 'key_2236512894231552003' }],
    ['a key id of another form', '401 KEY_UNKNOWN', { keyId: 'admin' }],
    ["another's private key", '401 SIGNATURE_INVALID', { privateKey: stranger }],
    ['signed six minutes ago', '401 SIGNATURE_EXPIRED', { skew: -360_000 }],
    ['signed six minutes ahead', '401 SIGNATURE_EXPIRED', { skew: 360_000 }],
    ['a body changed after signing', '401 DIGEST_MISMATCH', { signedBody: '{"a":2}' }],
    ['a body and digest changed after signing', '401 SIGNATURE_INVALID', { headers: { 'content-digest': 'sha-256=:AAAA:' } }],
    ['a digest that is not there', '401 SIGNATURE_MALFORMED', { headers: { 'content-digest': undefined } }],
    [
      'a body added to a request signed without',
      '401 SIGNATURE_MALFORMED',
      { signedBody: '', headers: { 'content-digest': undefined } },
    ],
    ['another path', '401 SIGNATURE_INVALID', { signedPath: '/v1/whom' }],
    ['another query', '401 SIGNATURE_INVALID', { signedPath: '/v1/who?q=1' }],
    ['another host', '401 SIGNATURE_INVALID', { headers: { host: 'elsewhere' } }],
  ];
  test.each(cases)('%s', async (_what, expected, bent) => {
    expect(await codeOf('POST', '/v1/who', { a: 1 }, bent)).toBe(expected);
  });

  test('an algorithm that is not the key’s', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    expect(await codeOf('GET', '/v1/who', undefined, { privateKey })).toBe('401 SIGNATURE_INVALID');
  });

  test('used before', async () => {
    const bent = { nonce: 'once-only' };
    expect(await codeOf('POST', '/v1/who', { a: 1 }, bent)).toBe('accepted');
    expect(await codeOf('POST', '/v1/who', { a: 1 }, bent)).toBe('401 SIGNATURE_REPLAYED');
  });

  test('a request that was refused for another reason does not use up its nonce', async () => {
    expect(await codeOf('POST', '/v1/who', { a: 1 }, { nonce: 'kept', signedBody: '{"a":2}' })).toBe('401 DIGEST_MISMATCH');
    expect(await codeOf('POST', '/v1/who', { a: 1 }, { nonce: 'kept' })).toBe('accepted');
  });

  test('nothing of the body is looked at before the signature is right', async () => {
    expect(await codeOf('POST', '/v1/who', 'no JSON', { privateKey: stranger })).toBe('401 SIGNATURE_INVALID');
    expect(await codeOf('POST', '/v1/who', { unknown: 1 })).toBe('400 SHAPE_INVALID');
  });

  test('an operator’s token is no signature', async () => {
    const { token } = await api.operator('administrator');
    const { body } = await api.call('GET', '/v1/who', { token });
    expect(body.code).toBe('SIGNATURE_MISSING');
  });
});

describe('who may no longer call', () => {
  // A key is remembered for three seconds once it was used: these are used after the change for the first time.
  test('a suspended platform is refused until it is resumed', async () => {
    const suspended = await api.platform();
    const { token } = await api.operator('administrator');
    const path = `/admin/v1/platforms/${toWire('platform', suspended.id)}`;
    expect((await api.call('POST', `${path}/suspend`, { token })).body.state).toBe('suspended');
    expect((await api.signed(suspended, 'GET', '/v1/who')).body.code).toBe('PLATFORM_SUSPENDED');
    expect((await api.call('POST', `${path}/resume`, { token })).body.state).toBe('active');
    expect((await api.call('GET', path, { token })).body.state).toBe('active');
    // Another process, which has not seen the key yet.
    const authenticate = platformAuthentication(api.runtime);
    await expect(authenticate(signedIncoming(suspended))).resolves.toMatchObject({ platformId: suspended.id });
  });

  test('a revoked key is unknown', async () => {
    const revoked = await api.platform();
    const { token } = await api.operator('administrator');
    const path = `/admin/v1/platforms/${toWire('platform', revoked.id)}/keys`;
    expect((await api.call('DELETE', `${path}/${revoked.keyId}`, { token })).status).toBe(204);
    expect((await api.signed(revoked, 'GET', '/v1/who')).body.code).toBe('KEY_UNKNOWN');
    const [key] = (await api.call('GET', path, { token })).body.items;
    expect([key.state, typeof key.revokedAt]).toEqual(['revoked', 'string']);
  });

  test('the key of one platform cannot be revoked as that of another', async () => {
    const [one, two] = [await api.platform(), await api.platform()];
    const { token } = await api.operator('administrator');
    const { status } = await api.call('DELETE', `/admin/v1/platforms/${toWire('platform', two.id)}/keys/${one.keyId}`, { token });
    expect(status).toBe(404);
    expect((await api.signed(one, 'GET', '/v1/who')).status).toBe(200);
  });

  test('what does not exist cannot be changed', async () => {
    const { db, clock } = api.runtime;
    const nobody = '2236512894231552003' as never;
    await expect(db.withTx('test', (tx) => setState(tx, nobody, 'suspended'))).rejects.toThrow('NOT_FOUND');
    await expect(db.withTx('test', (tx) => revokeKey(tx, nobody, nobody, { clock }))).rejects.toThrow('NOT_FOUND');
  });

  test('without Redis nothing is accepted', async () => {
    const away = commandConnection('redis://127.0.0.1:1', api.runtime.log);
    const authenticate = platformAuthentication({ ...api.runtime, redis: away });
    const incoming = signedIncoming(platform);
    await expect(authenticate(incoming)).rejects.toThrow('OVERLOADED');
    await expect(platformAuthentication(api.runtime)(incoming)).resolves.toMatchObject({ platformId: platform.id });
    await disconnect(away);
  });
});

function signedIncoming({ keyId, privateKey }: TestPlatform) {
  const url = 'http://bank.example/v1/who';
  const headers = signRequest({ method: 'GET', url, keyId, privateKey, now: api.runtime.clock.wall() });
  return { method: 'GET', scheme: 'http', authority: 'bank.example', target: '/v1/who', headers, body: Buffer.alloc(0) } as const;
}

test('platforms are listed page by page, each once', async () => {
  const { token } = await api.operator('auditor');
  await api.platform();
  const seen: string[] = [];
  for (let path = '/admin/v1/platforms?limit=2'; path !== ''; ) {
    const { body } = await api.call('GET', path, { token });
    seen.push(...body.items.map((item: { id: string }) => item.id));
    path = body.next === null ? '' : `/admin/v1/platforms?limit=2&cursor=${body.next}`;
  }
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen).toContain(toWire('platform', platform.id));
  expect(seen.length).toBeGreaterThan(2);
});
