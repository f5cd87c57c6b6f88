import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RunningWorkers, startWorkers } from '../../jobs/worker.js';
import { accountAdminRoutes, accountRoutes } from '../../src/accounts/index.js';
import { openChannels } from '../../src/channels/index.js';
import { createDesk } from '../../src/dispatch/index.js';
import { createAnswers, createIntake, instructionRoutes } from '../../src/instructions/index.js';
import { canonicalJson } from '../../src/kernel/index.js';
import { orderRoutes } from '../../src/orders/index.js';
import { type StartedRuntime, subscriberConnection } from '../../src/runtime/index.js';
import { openBook, person, type TestBook } from '../accounts/books.js';
import { startApi, type TestApi } from '../support/api.js';

let api: TestApi;
let workers: RunningWorkers;
let book: TestBook;
let other: TestBook;
let seller: string;
let commission: string;
let answers: Awaited<ReturnType<typeof createAnswers>>;
let closeChannels: () => Promise<void>;
let number = 0;

const PAYER = { name: '张三', account: '622202000000000007', bankCode: '102100099996' };
const cny = (amount: unknown) => ({ amount, currency: 'CNY' });
const nextNumber = () => {
  number += 1;
  return number;
};
const next = (prefix: string) => {
  return `${prefix}-${nextNumber()}`;
};

beforeAll(async () => {
  let parts: { intake: ReturnType<typeof createIntake>; answers: typeof answers } | undefined;
  api = await startApi((runtime: StartedRuntime) => {
    // The parts are opened once the API runs; a route looks them up when it is called.
    const late = {
      intake: { receive: (submissions) => parts?.intake.receive(submissions) ?? Promise.reject(new Error('not open')) },
      answers: {
        wait: (receipts, waitMs) => parts?.answers.wait(receipts, waitMs) ?? Promise.reject(new Error('not open')),
        close: async () => undefined,
      },
    } as Parameters<typeof instructionRoutes>[1];
    return [
      ...accountRoutes(runtime),
      ...accountAdminRoutes(runtime),
      ...orderRoutes(runtime),
      ...instructionRoutes(runtime, late),
    ];
  });
  const { runtime } = api;
  answers = await createAnswers(runtime, subscriberConnection(runtime.config.REDIS_URL, runtime.log));
  parts = { intake: createIntake(runtime), answers };
  const channels = openChannels({ bankUrl: runtime.config.BANK_URL });
  closeChannels = () => channels.close();
  workers = await startWorkers(createDesk(runtime, channels));
  const { token } = await api.operator('administrator');
  book = await openBook(api, token);
  other = await openBook(api, token);
  seller = await openSeller(book);
  commission = book.accounts.commission as string;
});
afterAll(async () => {
  await workers?.close();
  await closeChannels?.();
  await answers?.close();
  await api?.stop();
});

async function openSeller(of: TestBook): Promise<string> {
  const { body } = await api.signed(of, 'POST', '/v1/sub-merchants', person(nextNumber())).expect(201);
  return body.account;
}

const give = (kind: string, data: unknown, requestNo = next('R')) =>
  api.signed(book, 'POST', '/v1/instructions', { requestNo, kind, data });

async function paidOrder(amount: number): Promise<string> {
  const orderNo = next('SO');
  await give('payment', { orderNo, amount: cny(amount), payer: PAYER, reference: next('COL') }).expect(200);
  return orderNo;
}

describe('one instruction', () => {
  it('is answered with its outcome, and what it did can be read', async () => {
    const orderNo = await paidOrder(10_000);
    const lines = [
      { account: seller, amount: cny(9_000) },
      { account: commission, amount: cny(1_000) },
    ];
    const { body } = await give('split', { orderNo, lines }).expect(200);
    expect(body).toMatchObject({ state: 'posted', kind: 'split', code: null });
    const read = await api.signed(book, 'GET', `/v1/instructions/${body.instruction}`).expect(200);
    expect(read.body.entries.map((entry: { amount: number }) => entry.amount).sort((a: number, b: number) => a - b)).toEqual([
      -10_000, 1_000, 9_000,
    ]);
    const order = await api.signed(book, 'GET', `/v1/orders/${orderNo}`).expect(200);
    expect(order.body).toMatchObject({
      paid: 10_000,
      split: 10_000,
      left: 0,
      shares: [
        { account: commission, split: 1_000 },
        { account: seller, split: 9_000 },
      ],
    });
  });

  it('gives the first answer again to the same number and body, whatever the order of the fields', async () => {
    const requestNo = next('R');
    const data = { orderNo: next('SO'), amount: cny(500), payer: PAYER, reference: next('COL') };
    const first = await give('payment', data, requestNo).expect(200);
    const turned = { reference: data.reference, payer: data.payer, amount: data.amount, orderNo: data.orderNo };
    const second = await give('payment', turned, requestNo).expect(200);
    expect(second.body).toEqual(first.body);
    expect(first.headers['idempotent-replay']).toBe('false');
    expect(second.headers['idempotent-replay']).toBe('true');
  });

  it('refuses a number that was used for something else, and names what it was used for', async () => {
    const requestNo = next('R');
    const data = { orderNo: next('SO'), amount: cny(500), payer: PAYER, reference: next('COL') };
    const first = await give('payment', data, requestNo).expect(200);
    const { body } = await give('payment', { ...data, amount: cny(501) }, requestNo).expect(409);
    expect(body).toMatchObject({ code: 'REQUEST_NO_REUSED', instruction: first.body.instruction, moneyMoved: false });
  });

  it('keeps no hash that a payer could be tried against, and knows repeats of requests whose hash was plain', async () => {
    const requestNo = next('R');
    const data = { orderNo: next('SO'), amount: cny(500), payer: PAYER, reference: next('COL') };
    const first = await give('payment', data, requestNo).expect(200);
    const plain = createHash('sha256')
      .update(`payment\n${canonicalJson(data)}`)
      .digest();
    const { db } = api.runtime;
    const written = await db.withTx('an older row', (tx) =>
      tx.write('UPDATE instructions SET body_hash = ? WHERE request_no = ? AND body_hash <> ?', [plain, requestNo, plain]),
    );
    expect(written).toBe(1);
    expect((await give('payment', data, requestNo).expect(200)).body).toEqual(first.body);
    await give('payment', { ...data, amount: cny(501) }, requestNo).expect(409);
  });

  it('remembers a refusal under its number as well', async () => {
    const requestNo = next('R');
    const data = { orderNo: 'no-such-order', amount: cny(5) };
    const first = await give('refund', data, requestNo).expect(404);
    const second = await give('refund', data, requestNo).expect(404);
    expect(first.body.code).toBe('ORDER_NOT_FOUND');
    expect(second.body.instruction).toBe(first.body.instruction);
  });

  it('answers 202 with a status address when nobody waits', async () => {
    const data = { orderNo: next('SO'), amount: cny(500), payer: PAYER, reference: next('COL') };
    const body = { requestNo: next('R'), kind: 'payment', data };
    const early = await api.signed(book, 'POST', '/v1/instructions', body, { headers: { prefer: 'respond-async' } }).expect(202);
    expect(early.body.state).toBe('received');
    await api.signed(book, 'GET', early.headers.location as string).expect(200);
    const again = await api.signed(book, 'POST', '/v1/instructions', body, { headers: { prefer: 'wait=30' } }).expect(200);
    expect(again.body).toMatchObject({ state: 'posted', instruction: early.body.instruction });
  });
});

describe('bad input leaves nothing behind', () => {
  const payment = (amount: unknown) => ({ orderNo: next('SO'), amount, payer: PAYER, reference: next('COL') });
  it.each([
    ['an unknown field', { ...cny(5), extra: 1 }, 'SHAPE_INVALID'],
    ['zero', cny(0), 'SHAPE_INVALID'],
    ['a negative amount', cny(-5), 'SHAPE_INVALID'],
    ['a fraction', cny(1.5), 'SHAPE_INVALID'],
    ['an amount above 2^53−1', cny(2 ** 53), 'SHAPE_INVALID'],
    ['an amount as text', cny('5'), 'SHAPE_INVALID'],
    ['another currency', { amount: 5, currency: 'USD' }, 'SHAPE_INVALID'],
    ['no amount at all', null, 'SHAPE_INVALID'],
  ])('%s', async (_what, amount, code) => {
    const requestNo = next('R');
    const { body } = await give('payment', payment(amount), requestNo).expect(400);
    expect(body).toMatchObject({ code, moneyMoved: false });
    expect(body.errors[0].pointer).toMatch(/^\/data\/amount/);
    const list = await api.signed(book, 'GET', `/v1/instructions?requestNo=${requestNo}`).expect(200);
    expect(list.body.items).toEqual([]);
  });

  it('an unknown kind, and a kind that only the system may give', async () => {
    const unknown = await give('gift', {}).expect(400);
    expect(unknown.body.code).toBe('SHAPE_INVALID');
    const system = await give('payout-settled', { payout: 'pay_2236512894231552021' }).expect(403);
    expect(system.body.code).toBe('KIND_NOT_PERMITTED');
  });

  it('an unknown account, and an account of another platform, are the same to the caller', async () => {
    const orderNo = await paidOrder(100);
    const foreign = await openSeller(other);
    for (const account of ['acc_2236512894231552003', foreign]) {
      const { body } = await give('split', { orderNo, lines: [{ account, amount: cny(100) }] }).expect(404);
      expect(body).toMatchObject({ code: 'ACCOUNT_NOT_FOUND', account });
    }
    await api.signed(other, 'GET', `/v1/orders/${orderNo}`).expect(404);
    await api.signed(book, 'GET', `/v1/accounts/${foreign}/holds`).expect(404);
  });

  it('a split above what is left', async () => {
    const orderNo = await paidOrder(100);
    const { body } = await give('split', { orderNo, lines: [{ account: seller, amount: cny(101) }] }).expect(422);
    expect(body).toMatchObject({ code: 'SPLIT_EXCEEDS_ORDER', left: '100' });
    const order = await api.signed(book, 'GET', `/v1/orders/${orderNo}`).expect(200);
    expect(order.body.left).toBe(100);
  });

  it('money that is not there, or not withdrawable yet', async () => {
    const account = await openSeller(book);
    const broke = await give('withdrawal', { account, amount: cny(1) }).expect(422);
    expect(broke.body.code).toBe('FUNDS_INSUFFICIENT');
    const orderNo = await paidOrder(100);
    await give('split', { orderNo, lines: [{ account, amount: cny(100) }] }).expect(200);
    const uncleared = await give('withdrawal', { account, amount: cny(1) }).expect(422);
    expect(uncleared.body.code).toBe('FUNDS_UNCLEARED');
  });

  it('a closed account', async () => {
    const { body: merchant } = await api.signed(book, 'POST', '/v1/sub-merchants', person(nextNumber())).expect(201);
    await api.signed(book, 'POST', `/v1/sub-merchants/${merchant.id}/close`).expect(200);
    const orderNo = await paidOrder(100);
    const { body } = await give('split', { orderNo, lines: [{ account: merchant.account, amount: cny(100) }] }).expect(422);
    expect(body.code).toBe('ACCOUNT_CLOSED');
  });
});

describe('a batch', () => {
  const line = (amount: unknown, requestNo = next('R')) => ({
    requestNo,
    kind: 'payment',
    data: { orderNo: next('SO'), amount: cny(amount), payer: PAYER, reference: next('COL') },
  });
  const post = (body: string, type = 'application/x-ndjson') =>
    api.signed(book, 'POST', '/v1/instructions/batches', body, { headers: { 'content-type': type, prefer: 'wait=30' } });

  it('decides each line for itself and can be read again', async () => {
    const refused = { requestNo: next('R'), kind: 'refund', data: { orderNo: 'none', amount: cny(1) } };
    const { body } = await post([line(1), refused, line(2)].map((each) => JSON.stringify(each)).join('\n')).expect(200);
    expect(body.lines.map((each: { state: string; code: string | null }) => each.code ?? each.state)).toEqual([
      'posted',
      'ORDER_NOT_FOUND',
      'posted',
    ]);
    expect(body).toMatchObject({ posted: 2, refused: 1, undecided: 0 });
    const again = await api.signed(book, 'GET', `/v1/instructions/batches/${body.batch}`).expect(200);
    expect(again.body).toEqual(body);
    await api.signed(other, 'GET', `/v1/instructions/batches/${body.batch}`).expect(404);
  });

  it('names the malformed line and receives nothing of the whole', async () => {
    const good = line(1);
    const { body } = await post(`${JSON.stringify(good)}\n{"requestNo":`).expect(400);
    expect(body).toMatchObject({ code: 'BODY_MALFORMED', line: 2 });
    const list = await api.signed(book, 'GET', `/v1/instructions?requestNo=${good.requestNo}`).expect(200);
    expect(list.body.items).toEqual([]);
  });

  it('tells all faults of all lines at once', async () => {
    const { body } = await post(JSON.stringify([line(0), line(1), line('x')]), 'application/json').expect(400);
    expect(body.code).toBe('SHAPE_INVALID');
    expect(body.errors.map((fault: { pointer: string }) => fault.pointer.split('/')[1])).toEqual(['0', '2']);
  });

  it('a number that stands twice acts once; with another body it is refused', async () => {
    const once = line(7);
    const { body } = await post(
      [once, once, { ...line(8), requestNo: once.requestNo }].map((each) => JSON.stringify(each)).join('\n'),
    ).expect(200);
    expect(body.lines[1].instruction).toBe(body.lines[0].instruction);
    expect(body.lines[2]).toMatchObject({ state: 'refused', code: 'REQUEST_NO_REUSED', instruction: null });
  });

  it('takes 5,000 lines and no more', async () => {
    const many = Array.from({ length: 5_001 }, () => JSON.stringify(line(1)));
    const { body } = await post(many.join('\n')).expect(413);
    expect(body).toMatchObject({ code: 'BATCH_TOO_LARGE', max: 5_000 });
    const accepted = await post(many.slice(1).join('\n')).expect(200);
    expect(accepted.body).toMatchObject({ posted: 5_000, refused: 0 });
  }, 60_000);

  it('refuses a body above its limit without reading it all', async () => {
    const { body } = await post('x'.repeat(17 * 1024 * 1024)).expect(413);
    expect(body.code).toBe('BODY_TOO_LARGE');
  }, 30_000);
});
