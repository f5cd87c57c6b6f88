import { createServer, request } from 'node:http';
import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { createHttpApp, listen, route } from '../../src/runtime/index.js';
import { startApi } from '../support/api.js';

test('a stopping server finishes the request under way and takes no new one', async () => {
  const gate = withResolvers();
  const entered = withResolvers();
  const slow = route({
    method: 'GET',
    path: '/slow',
    audience: 'public',
    tag: 'Test',
    summary: 'waits',
    summaryZh: '测试',
    answers: { 200: { description: 'late', schema: z.strictObject({ late: z.boolean() }) } },
    handle: async () => {
      entered.resolve();
      await gate.promise;
      return { status: 200, body: { late: true } };
    },
  });
  const api = await startApi(() => []);
  const never = () => Promise.reject(new Error('nobody calls'));
  const app = createHttpApp({
    routes: [slow],
    authenticate: { platform: never, operator: never },
    audit: { append: never, isDone: never },
    runtime: api.runtime,
  });
  const server = await listen(app, { host: '127.0.0.1', port: 0 });
  const answer = new Promise<number | undefined>((resolve, reject) => {
    request(`${server.url}/slow`, (response) => resolve(response.resume().statusCode))
      .on('error', reject)
      .end();
  });
  await entered.promise;
  const stopped = server.stop();
  await expect(fetch(`${server.url}/health/live`)).rejects.toThrow();
  gate.resolve();
  expect(await answer).toBe(200);
  await stopped;
  const again = createServer();
  await new Promise<void>((resolve) => again.listen(Number(new URL(server.url).port), '127.0.0.1', resolve));
  again.close();
  await api.stop();
});

function withResolvers() {
  const { 0: resolve, 1: promise } = ((done: { resolve?: () => void }) => {
    const waiting = new Promise<void>((fulfil) => {
      done.resolve = fulfil;
    });
    return [() => done.resolve?.(), waiting] as const;
  })({});
  return { promise, resolve };
}
