import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import {
  amountSchema,
  decodeCursor,
  encodeCursor,
  moneySchema,
  pageQuery,
  type Route,
  route,
  textSchema,
} from '../../src/runtime/index.js';
import { startApi, type TestApi } from '../support/api.js';
import { expectSound } from '../support/document.js';

const describing = { tag: 'Test', summary: 'a test', summaryZh: '测试' } as const;
const ok = { 200: { description: 'fine' } };

/** Echoes show what a handler is given. */
const ROUTES: Route[] = [
  route({
    ...describing,
    method: 'POST',
    path: '/test/pay',
    audience: 'public',
    body: z.strictObject({ pay: moneySchema, note: textSchema(20).optional() }),
    bodyLimit: 4_096,
    answers: { 200: { description: 'the amount again', schema: z.strictObject({ amount: amountSchema }) } },
    handle: async ({ body }) => ({ status: 200, body: { amount: body.pay.amount, note: body.note } }),
  }),
  route({
    ...describing,
    method: 'POST',
    path: '/test/lines',
    audience: 'public',
    body: 'raw',
    rawBody: { schema: z.string(), mediaTypes: ['application/x-ndjson'] },
    answers: ok,
    handle: async ({ text }) => ({ status: 200, body: { lines: text.split('\n').length } }),
  }),
  route({
    ...describing,
    method: 'GET',
    path: '/test/things/{thing}',
    audience: 'public',
    params: z.strictObject({ thing: z.string().max(20) }),
    query: z.strictObject({ ...pageQuery, as: z.string().optional() }),
    answers: ok,
    handle: async ({ params, query }) => ({ status: 200, body: { ...params, ...query } }),
  }),
  route({
    ...describing,
    method: 'GET',
    path: '/test/things/fixed',
    audience: 'public',
    answers: ok,
    handle: async () => ({ status: 200, body: { fixed: true } }),
  }),
  route({
    ...describing,
    method: 'POST',
    path: '/test/note',
    audience: 'public',
    body: z.strictObject({ note: z.string().optional() }),
    answers: ok,
    handle: async ({ body }) => ({ status: 200, body }),
  }),
  route({
    ...describing,
    method: 'GET',
    path: '/test/fault',
    audience: 'public',
    answers: ok,
    handle: async () => {
      throw new Error('the secret is open sesame');
    },
  }),
];

let api: TestApi;
beforeAll(async () => {
  api = await startApi(() => ROUTES);
});
afterAll(() => api.stop());

function pay(text: string) {
  return api.call('POST', '/test/pay', { body: text });
}
const money = (amount: string) => `{"pay":{"amount":${amount},"currency":"CNY"}}`;

describe('amounts', () => {
  test.each(['1', '12345', '9007199254740991'])('%s reaches the handler exactly', async (amount) => {
    const { status, body } = await pay(money(amount));
    expect([status, String(body.amount)]).toEqual([200, amount]);
  });

  const refused = [
    '0',
    '-1',
    '-0',
    '1.5',
    '1.0',
    '1e3',
    '1E3',
    '"5"',
    '9007199254740992',
    '9007199254740993',
    '1e400',
    'null',
    'true',
    '[1]',
    '{}',
  ];
  test.each(refused)('%s is refused, and the answer says where', async (amount) => {
    const { status, body, type } = await pay(money(amount));
    expect([status, body.code, type]).toEqual([400, 'SHAPE_INVALID', 'application/problem+json']);
    expect(body.errors).toContainEqual(expect.objectContaining({ in: 'body', pointer: '/pay/amount' }));
  });
});

describe('the shape of a body', () => {
  test('every fault is told at once, each with its pointer', async () => {
    const { body } = await pay('{"pay":{"amount":1.5,"currency":"USD","more":1},"extra":true}');
    const pointers = body.errors.map((fault: { pointer: string }) => fault.pointer).sort();
    expect(pointers).toEqual(['/extra', '/pay/amount', '/pay/currency', '/pay/more']);
  });

  test.each([
    ['no JSON', 'pay me'],
    ['nothing', ' '],
    ['a repeated key', '{"pay":{"amount":1,"currency":"CNY","amount":2}}'],
    ['a key repeated behind an escape', '{"pay":{"amount":1,"currency":"CNY","\\u0061mount":2}}'],
    ['__proto__', '{"pay":{"amount":1,"currency":"CNY"},"__proto__":{"x":1}}'],
    ['half a character', '{"pay":{"amount":1,"currency":"CNY"},"note":"\\ud800"}'],
    ['a zero character', '{"pay":{"amount":1,"currency":"CNY"},"note":"a\\u0000"}'],
    ['a depth bomb', '['.repeat(4_000)],
    ['an unclosed string', '{"pay'],
    ['a leading zero', money('01')],
  ])('%s is malformed', async (_what, text) => {
    const { status, body } = await pay(text);
    expect([status, body.code]).toEqual([400, 'BODY_MALFORMED']);
  });

  test('bytes that are not UTF-8 are malformed', async () => {
    const bytes = Buffer.concat([
      Buffer.from('{"pay":{"amount":1,"currency":"CNY"},"note":"'),
      Buffer.from([0xff]),
      Buffer.from('"}'),
    ]);
    const response = await fetch(`${api.url}/test/pay`, {
      method: 'POST',
      body: bytes,
      headers: { 'content-type': 'application/json' },
    });
    expect(((await response.json()) as { code: string }).code).toBe('BODY_MALFORMED');
  });

  test('text in any script passes unharmed', async () => {
    const { body } = await pay('{"pay":{"amount":1,"currency":"CNY"},"note":"退款 \\"𠮷\\\\\\u00e9"}');
    expect(body.note).toBe('退款 "𠮷\\é');
  });

  test('an oversized body is refused, announced or not', async () => {
    const announced = await pay(money('1') + ' '.repeat(5_000));
    expect([announced.status, announced.body.code]).toEqual([413, 'BODY_TOO_LARGE']);
    const chunks = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(3_000).fill(0x20));
        if (++sent === 4) controller.close();
      },
    });
    let sent = 0;
    const options = { method: 'POST', body: chunks, duplex: 'half', headers: { 'content-type': 'application/json' } };
    const streamed = await fetch(`${api.url}/test/pay`, options as RequestInit);
    expect([streamed.status, ((await streamed.json()) as { code: string }).code]).toEqual([413, 'BODY_TOO_LARGE']);
  });

  test.each([
    ['another media type', { 'content-type': 'text/plain' }],
    ['another charset', { 'content-type': 'application/json; charset=gbk' }],
    ['a content coding', { 'content-type': 'application/json', 'content-encoding': 'gzip' }],
  ])('%s is not supported', async (_what, headers) => {
    const { status, body } = await api.call('POST', '/test/pay', { body: money('1'), headers });
    expect([status, body.code]).toEqual([415, 'MEDIA_TYPE_UNSUPPORTED']);
  });

  test('a raw body reaches the handler as text', async () => {
    const { body } = await api.call('POST', '/test/lines', {
      body: 'a\nb\nc',
      headers: { 'content-type': 'application/x-ndjson' },
    });
    expect(body).toEqual({ lines: 3 });
  });

  test.each([undefined, '{}', ' { } ', '{"a":1}', '[]', 'null', 'x'])(
    'a path that takes no body takes none or an empty one: %s',
    async (text) => {
      const { status, body } = await api.call('GET', '/test/things/fixed', text === undefined ? {} : { body: text });
      if (text === undefined || /^[ {}]+$/.test(text)) expect([status, body.code]).toEqual([200, undefined]);
      else expect([status, body.code, body.errors[0].in]).toEqual([400, 'SHAPE_INVALID', 'body']);
    },
  );

  test('a path whose fields are all optional takes no body, and what is sent is looked at', async () => {
    const answers = [];
    for (const sent of [
      {},
      { body: '{}' },
      { body: '{"note":"a"}' },
      { body: '{"other":1}' },
      { body: 'x', headers: { 'content-type': 'text/plain' } },
    ])
      answers.push((await api.call('POST', '/test/note', sent)).body);
    expect(answers.map((body) => body.code ?? body)).toEqual([{}, {}, { note: 'a' }, 'SHAPE_INVALID', 'MEDIA_TYPE_UNSUPPORTED']);
  });

  test('a path that needs a field is not satisfied by nothing', async () => {
    const { status, body } = await api.call('POST', '/test/pay');
    expect([status, body.code, body.errors[0].in]).toEqual([400, 'SHAPE_INVALID', 'body']); // and not its media type
    expect((await api.call('POST', '/test/pay', { body: '', headers: { 'content-type': 'application/json' } })).status).toBe(400);
  });
});

describe('paths and queries', () => {
  test('a fixed word goes before a parameter, whatever the order of declaration', async () => {
    expect((await api.call('GET', '/test/things/fixed')).body).toEqual({ fixed: true });
    expect((await api.call('GET', '/test/things/a%2Fb')).body).toEqual({ thing: 'a/b', limit: 50 });
  });

  test.each(['?unknown=1', '?limit=0', '?limit=501', '?limit=1.5', '?limit=5&limit=6', '?__proto__=1', '?as=1&as=2'])(
    '%s is refused',
    async (query) => {
      const { status, body } = await api.call('GET', `/test/things/a${query}`);
      expect([status, body.code, body.errors[0].in]).toEqual([400, 'SHAPE_INVALID', 'query']);
    },
  );

  test.each(['/nothing', '/test/things', '/test/things/a/', '/TEST/pay', '/test/things/%ff', '/__proto__'])(
    '%s is not found',
    async (path) => {
      const { status, body, headers } = await api.call('GET', path);
      expect([status, body.code]).toEqual([404, 'NOT_FOUND']);
      expect(body.instance).toBe(`urn:cunguan:request:${headers['x-request-id']}`);
    },
  );

  test('another method is answered with those allowed', async () => {
    const { status, body, headers } = await api.call('PATCH', '/test/pay');
    expect([status, body.code, headers.allow]).toEqual([405, 'METHOD_NOT_ALLOWED', 'POST']);
  });

  test('HEAD is answered like GET, without a body', async () => {
    const { status, text } = await api.call('HEAD', '/test/things/fixed');
    expect([status, text]).toEqual([200, undefined]);
  });
});

describe('answers', () => {
  test('a fault tells nothing but its request id', async () => {
    const { status, body, headers, text } = await api.call('GET', '/test/fault');
    expect([status, body.code, body.moneyMoved]).toEqual([500, 'FAULT', false]);
    expect(text).not.toContain('sesame');
    expect(body.instance).toContain(headers['x-request-id']);
    expect(headers).not.toHaveProperty('x-powered-by');
  });

  test('metrics count requests by path template, never by path', async () => {
    await api.call('GET', '/test/things/abc');
    const { text } = await api.call('GET', '/metrics');
    expect(text).toContain('path="/test/things/{thing}"');
    expect(text).not.toContain('abc');
  });

  test('health tells of database and Redis', async () => {
    expect((await api.call('GET', '/health/live')).body).toEqual({ live: true });
    expect((await api.call('GET', '/health/ready')).body).toEqual({ ready: true, database: true, redis: true });
  });

  test('a cursor works for the list that made it alone', () => {
    const cursor = encodeCursor('things', ['12', 5]);
    expect(decodeCursor('things', 2, cursor)).toEqual(['12', 5]);
    for (const forged of [cursor.slice(1), '', '!', encodeCursor('others', ['12', 5]), encodeCursor('things', ['12'])]) {
      expect(() => decodeCursor('things', 2, forged)).toThrow('CURSOR_INVALID');
    }
  });
});

describe('the document', () => {
  test('names every route once, with its refusals, and every reference resolves', async () => {
    const { body } = await api.call('GET', '/openapi.json');
    expectSound(body, ROUTES);
  });

  test('the page loads its parts from here alone', async () => {
    const { text, headers } = await api.call('GET', '/docs');
    const parts = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] as string);
    expect(parts.length).toBeGreaterThan(2);
    for (const part of parts) expect((await api.call('GET', part)).status).toBe(200);
    expect(headers['content-security-policy']).toContain("script-src 'self'");
  });

  test('a request schema that lets unknown fields pass is noticed before the app starts', async () => {
    const loose = route({
      ...describing,
      method: 'POST',
      path: '/loose',
      audience: 'public',
      body: z.object({ a: z.string() }),
      answers: ok,
      handle: async () => ({ status: 200 }),
    });
    await expect(startApi(() => [loose]).then((started) => started.stop())).rejects.toThrow('POST /loose body');
  });
});
