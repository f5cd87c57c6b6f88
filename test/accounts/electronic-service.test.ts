import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type RunningWorkers, startWorkers } from '../../jobs/worker.js';
import { accountAdminRoutes, customerLock, electronicRoutes } from '../../src/accounts/index.js';
import { type Channels, openChannels } from '../../src/channels/index.js';
import { type RunningBank, startBank } from '../../src/channels/simulator/index.js';
import { createDesk } from '../../src/dispatch/index.js';
import { ensureShards } from '../../src/ledger/index.js';
import { partyRoutes } from '../../src/parties/index.js';
import { person } from '../parties/desk.js';
import { startApi, type TestApi } from '../support/api.js';
import { openBook } from './books.js';
import { newCard } from './electronic-stage.js';

let api: TestApi;
let bank: RunningBank;
let channels: Channels;
let workers: RunningWorkers;
beforeAll(async () => {
  bank = await startBank({ port: 0, seed: 3 });
  channels = openChannels({ bankUrl: bank.url });
  api = await startApi((rt) => [...accountAdminRoutes(rt), ...partyRoutes(rt, customerLock(rt)), ...electronicRoutes(rt)], {
    BANK_URL: bank.url,
    TICK_MS: '200',
    SHARDS: '3',
  });
  await api.runtime.db.withTx('shards', (tx) => ensureShards(tx, 3));
  workers = await startWorkers(createDesk(api.runtime, channels));
});
afterAll(async () => {
  await workers?.close();
  await api?.stop();
  await channels?.close();
  await bank?.stop();
});

test('two calls of a platform make an account of somebody whom nobody knew, with the workers and bells of the service', async () => {
  const { token } = await api.operator('administrator');
  const book = await openBook(api, token);
  const waiting = { headers: { prefer: 'wait=20' } };
  const registered = await api.signed(book, 'POST', '/v1/users', person(7), waiting);
  expect([registered.status, registered.body.state]).toEqual([201, 'verified']);
  const card = { account: newCard(), mobile: '13900000007' };
  const asked = { openingNo: 'O-1', user: registered.body.id, class: 2, card };
  const opened = await api.signed(book, 'POST', '/v1/electronic-accounts', asked, waiting);
  expect([opened.status, opened.body.state]).toEqual([200, 'opened']);
  const { body } = await api.signed(book, 'GET', `/v1/electronic-accounts/${opened.body.account}`);
  expect(body).toMatchObject({ state: 'active', standing: null, balance: 0, card: { class: '1', bankCode: '' } });
});
