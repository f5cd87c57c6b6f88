import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Channels, openChannels } from '../../src/channels/index.js';
import { sandboxSide } from '../../src/channels/keys.js';
import { SIGNATURE_HEADER, signatureHeader } from '../../src/channels/psp/signed-json.js';
import { CALLBACK_PATH } from '../../src/channels/settings.js';
import { ask, createDesk } from '../../src/dispatch/index.js';
import { pspCallbackRoute } from '../../src/dispatch/news/callbacks.js';
import { movePayouts, type Payout } from '../../src/payouts/index.js';
import { createHttpApp, type Listening, listen } from '../../src/runtime/index.js';
import { type Holder, openHolder, withConsent } from '../clearing/electronic.js';
import { fen, type Market, openMarket } from '../clearing/market.js';

describe('what a payment institution tells by itself', () => {
  let market: Market;
  let holder: Holder;
  let api: Listening;
  let ways: Channels;
  let payout: Payout;
  let rung: [string, string][];

  beforeEach(async () => {
    market = await openMarket();
    holder = await openHolder(market, 2);
    rung = [];
    const ring = async (name: string, key: string) => void rung.push([name, key]);
    const bells = { ring, ringInTurn: async () => undefined };
    const runtime = { ...market.world.rt, bells } as never;
    const nobody = () => Promise.reject(new Error('nobody signs in'));
    const audit = { append: async () => undefined, isDone: async () => false };
    const parts = { routes: [pspCallbackRoute(runtime)], authenticate: { platform: nobody, operator: nobody }, audit, runtime };
    api = await listen(createHttpApp(parts), { host: '127.0.0.1', port: 0 });
    ways = openChannels({ bankUrl: market.bank.url, notifyUrl: `${api.url}${CALLBACK_PATH}` });
    expect(await withConsent(market, holder, 'top-up', { amount: fen(700n) })).toBe('posted');
    const [made] = await market.payouts();
    const now = market.world.clock.now();
    const later = { nowMs: now, nextMs: (now + 3_600_000) as never, channel: 'psp-collect' as const };
    await market.world.db.withTx('sent', (tx) =>
      movePayouts(tx, [(made as Payout).id], 'created', 'sent', later).then(() => true),
    );
    payout = (await market.payouts())[0] as Payout;
  });
  afterEach(async () => {
    await ways.close();
    await api.stop(1_000);
    await market.end();
  });

  const send = () =>
    ways.channels['psp-collect'].submit([
      {
        ...{ messageNo: payout.id, custodyNo: market.custodyNo, amount: 700n, payeeName: '张三', payeeAccount: holder.card },
        ...{ payeeBank: '102100099996', businessDate: payout.businessDate, remark: '' },
      },
    ]);
  const nextMs = async () => {
    const [row] = await market.world.db.read('next', (tx) =>
      tx.rows<{ next_ms: string }>('SELECT next_ms FROM payouts WHERE id = ?', [payout.id]),
    );
    return Number(row?.next_ms);
  };
  const tell = (body: object | string, change: { key?: typeof theirs; header?: string; sent?: string } = {}) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const signed = { purpose: 'notification', nonce: 'n1', body: Buffer.from(text) };
    const header = change.header ?? signatureHeader(signed, 1_000, change.key ?? theirs);
    return fetch(`${api.url}${CALLBACK_PATH}`, {
      ...{ method: 'POST', body: change.sent ?? text },
      headers: { 'content-type': 'application/json', [SIGNATURE_HEADER]: header },
    });
  };
  const theirs = sandboxSide('theirs').psp;
  const collected = () =>
    market.world.db.read('collected', async (tx) => {
      const [row] = await tx.rows<{ balance: string }>("SELECT balance FROM accounts WHERE type = 'collected'");
      return BigInt(row?.balance ?? 0);
    });
  const hint = () => ({ product: 'collection', outTradeNo: payout.id, status: 'SUCCESS' });

  test('makes us ask, and the answer to that moves the money; told twice it does no more', async () => {
    market.bank.bank.faults.replace({ settleDelayMs: 1_000 });
    expect((await send())[0]?.status).toBe('accepted');
    market.bank.bank.advanceMs(1_000);
    await market.bank.notices();
    expect(market.bank.bank.notices.all()).toMatchObject([{ state: 'heard', attempts: 1 }]);
    expect(await nextMs()).toBe(market.world.clock.now());
    expect(rung).toEqual([['poll-payouts', String(payout.shardId)]]);
    expect([(await market.payouts())[0]?.state, await market.balance(holder.account)]).toEqual(['sent', 0n]);
    await ask(createDesk(market.world.rt, ways), [payout]);
    expect([(await market.payouts())[0]?.state, await market.balance(holder.account)]).toEqual(['settled', 0n]);
    expect(await collected()).toBe(700n); // until the institution pays over
    const again = await tell(hint());
    expect([again.status, await again.text()]).toEqual([200, 'success']);
    expect(rung).toHaveLength(1);
    expect(await collected()).toBe(700n);
  });

  test('is a hint and no result: what it says of a payment that the channel has not settled changes nothing', async () => {
    market.bank.bank.faults.replace({ settleDelayMs: 1_000 });
    await send();
    for (let times = 0; times < 2; times += 1) {
      const answer = await tell(hint());
      expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([
        200,
        'text/plain; charset=utf-8',
        'success',
      ]);
    }
    await ask(createDesk(market.world.rt, ways), [payout]);
    expect([(await market.payouts())[0]?.state, await market.balance(holder.account)]).toEqual(['sent', 0n]);
  });

  test('is refused when it is not signed, by whom we know, over this body, for this purpose', async () => {
    const ours = sandboxSide('ours').psp;
    const text = JSON.stringify(hint());
    const answer = signatureHeader({ purpose: 'answer', nonce: 'n1', body: Buffer.from(text) }, 1_000, theirs);
    for (const change of [
      { header: '' },
      { header: 'x' },
      { key: ours },
      { key: { ...ours, id: theirs.id } },
      { sent: `${text} ` },
      { header: answer },
    ])
      expect((await tell(hint(), change)).status).toBe(401);
    expect((await tell('SUCCESS')).status).toBe(400);
    expect(rung).toEqual([]);
  });

  test('of a number that we do not know, or that is at another channel, is refused', async () => {
    for (const changes of [{ outTradeNo: '2236512894231552001' }, { outTradeNo: 'M1' }, { product: 'payout' }])
      expect((await tell({ ...hint(), ...changes })).status).toBe(404);
    expect(rung).toEqual([]);
  });

  test('comes again with growing pauses, on the time of the bank, until it is heard', async () => {
    let answers = ['busy', 'fail', 'success'];
    let heard = 0;
    const server = createServer((request, response) => {
      heard += 1;
      request.resume().on('end', () => response.end(answers[heard - 1]));
    });
    server.listen(0, '127.0.0.1');
    await new Promise((ready) => server.once('listening', ready));
    const notifyUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const told = openChannels({ bankUrl: market.bank.url, notifyUrl });
    const pass = async (seconds: number) => {
      market.bank.bank.advanceMs(seconds * 1_000);
      await market.bank.notices();
      return heard;
    };
    const order = { custodyNo: market.custodyNo, amount: 7n, payeeName: 'A', payeeAccount: '1', payeeBank: '102100099996' };
    await told.channels['psp-collect'].submit([{ ...order, messageNo: 'N1', businessDate: payout.businessDate, remark: '' }]);
    expect([await pass(0), await pass(14), await pass(1), await pass(29), await pass(1), await pass(86_400)]).toEqual([
      1, 1, 2, 2, 3, 3,
    ]);
    answers = [];
    await told.close();
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
});
