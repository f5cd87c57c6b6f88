import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type AppParts, allRoutes, createApp, openParts } from '../../src/app.js';
import { createRuntime, openApiOf, type StartedRuntime } from '../../src/runtime/index.js';
import { configFor } from '../support/api.js';
import { type FreshDatabase, freshDatabase } from '../support/database.js';
import { expectSound } from '../support/document.js';

let fresh: FreshDatabase;
let runtime: StartedRuntime;
let parts: AppParts;
beforeAll(async () => {
  fresh = await freshDatabase();
  runtime = await createRuntime(configFor(fresh, { CLOCK: 'driven' }), 'api');
  parts = await openParts(runtime);
});
afterAll(async () => {
  await parts.answers.close();
  await runtime.close();
  await fresh.drop();
});

test('the service starts with all its routes, and its document is sound', () => {
  createApp(runtime, parts);
  expectSound(openApiOf(allRoutes(runtime, parts)), allRoutes(runtime, parts));
});

test('staff and platforms have doors of their own; open to all are the pages of customers, the keys of receipts and what the payment institution signs', () => {
  const isOpen = (path: string) =>
    /^\/(?:consents|mandates)\/\{token\}/.test(path) ||
    ['/v1/receipt-keys', '/v1/entry-receipts/verify', '/v1/channels/psp/callbacks'].includes(path);
  for (const { audience, path } of allRoutes(runtime, parts)) {
    const door = path.startsWith('/admin/v1/') ? 'operator' : 'platform';
    expect([path, isOpen(path) ? 'public' : door]).toEqual([path, audience]);
  }
});

test('the time of a wall-clock service cannot be set', () => {
  const paths = allRoutes({ ...runtime, drivenClock: undefined }, parts).map((route) => route.path);
  expect(paths).not.toContain('/admin/v1/clock');
});
