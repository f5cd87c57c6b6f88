import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { accountAdminRoutes, accountRoutes } from '../../src/accounts/index.js';
import { batchRoutes } from '../../src/batches/index.js';
import { createIntake, dryRunRoutes, executeShard } from '../../src/instructions/index.js';
import { canonicalJson, fromWire } from '../../src/kernel/index.js';
import { openBook, person, type TestBook } from '../accounts/books.js';
import { until } from '../jobs/until.js';
import { startWorkerProcess, type WorkerProcess } from '../jobs/worker-process.js';
import { startApi, type TestApi } from '../support/api.js';
import { violations } from '../support/invariants.js';

let api: TestApi;
let book: TestBook;
let other: TestBook;
let token: string;
let seller: string;
const workers: WorkerProcess[] = [];

const PAYER = { name: '张三', account: '622202000000000007', bankCode: '102100099996' };
const cny = (amount: number) => ({ amount, currency: 'CNY' });
const pay = (orderNo: string, amount: number) => ({
  kind: 'payment',
  data: { orderNo, amount: cny(amount), payer: PAYER, reference: `C-${orderNo}` },
});
const split = (orderNo: string, lines: readonly [string, number][]) => ({
  kind: 'split',
  data: { orderNo, lines: lines.map(([account, amount]) => ({ account, amount: cny(amount) })) },
});
const post = (path: string, body?: unknown, as: TestBook = book) => api.signed(as, 'POST', path, body);
const get = (path: string, as: TestBook = book) => api.signed(as, 'GET', path);

beforeAll(async () => {
  api = await startApi((runtime) => [
    ...accountRoutes(runtime),
    ...accountAdminRoutes(runtime),
    ...dryRunRoutes(runtime),
    ...batchRoutes(runtime),
  ]);
  ({ token } = await api.operator('administrator', 'auditor'));
  book = await openBook(api, token);
  other = await openBook(api, token);
  seller = (await post('/v1/sub-merchants', person(1)).expect(201)).body.account as string;
});
afterAll(async () => {
  for (const worker of workers) await worker.end('SIGKILL');
  await api?.stop();
});

async function start(): Promise<WorkerProcess> {
  const { config } = api.runtime;
  const worker = await startWorkerProcess({
    DATABASE_URL: config.DATABASE_URL,
    REDIS_URL: config.REDIS_URL,
    REDIS_PREFIX: config.REDIS_PREFIX,
    BANK_URL: config.BANK_URL,
    TICK_MS: '100',
    LOG_LEVEL: 'silent',
  });
  workers.push(worker);
  return worker;
}

describe('the dry run of the API', () => {
  it('answers each instruction with its verdict, what it moves, and what the fees take', async () => {
    const { body } = await post('/v1/instructions/dry-run', [
      { requestNo: 'D1', ...pay('SO-1', 10_000) },
      {
        requestNo: 'D2',
        ...split('SO-1', [
          [seller, 9_000],
          [book.accounts.commission as string, 1_000],
        ]),
      },
      { requestNo: 'D3', ...split('SO-1', [[seller, 1]]) },
      { requestNo: 'D4', kind: 'clearing', data: {} },
      { requestNo: 'D5', kind: 'split', data: { orderNo: 'SO-1', extra: 1 } },
    ]).expect(200);
    expect(body.verdicts.map(({ state, code }: { state: string; code: string }) => code ?? state)).toEqual([
      'posted',
      'posted',
      'SPLIT_EXCEEDS_ORDER',
      'KIND_NOT_PERMITTED',
      'SHAPE_INVALID',
    ]);
    expect(body.verdicts[1]).toMatchObject({
      requestNo: 'D2',
      instruction: null,
      replay: false,
      fees: { before: 10_000, fees: 1_000, after: 9_000 },
    });
    expect(body.verdicts[1].movements.find(({ account }: { account: string }) => account === seller)).toEqual({
      account: seller,
      type: 'sub',
      amount: 9_000,
      before: { balance: 0, available: 0, uncleared: 0 },
      after: { balance: 9_000, available: 9_000, uncleared: 9_000 },
    });
    expect(body.verdicts[2]).toMatchObject({ fees: null, movements: [], detail: { left: '0', asked: '1' } });
    expect(body.verdicts[4].detail.errors[0].pointer).toMatch(/^\/4\/data/);
    const one = await post('/v1/instructions/dry-run', { requestNo: 'D1', ...pay('SO-1', 5) }).expect(200);
    expect(one.body.verdicts).toHaveLength(1);
  });

  it('has a largest size, and reads JSON as strictly as any', async () => {
    const many = Array.from({ length: 101 }, (_, n) => ({ requestNo: `D${n}`, ...pay(`SO-${n}`, 1) }));
    expect((await post('/v1/instructions/dry-run', many).expect(413)).body.code).toBe('DRY_RUN_TOO_LARGE');
    await post('/v1/instructions/dry-run', []).expect(400);
    await post('/v1/instructions/dry-run', '[{').expect(400);
  });

  it('answers each line that is no instruction, also where none is one', async () => {
    const { body } = await post('/v1/instructions/dry-run', [{ kind: 'split' }, { requestNo: 'D1', ...pay('SO-1', -1) }]).expect(
      200,
    );
    expect(body.verdicts.map(({ code }: { code: string }) => code)).toEqual(['SHAPE_INVALID', 'SHAPE_INVALID']);
    const one = await post('/v1/instructions/dry-run', { requestNo: 'D1', kind: 'none', data: {} }).expect(200);
    expect(one.body.verdicts).toMatchObject([{ state: 'refused', instruction: null, movements: [] }]);
  });
});

describe('batches of the API', () => {
  it('say in one answer all that is not legal, and the same to the same file', async () => {
    const file = {
      batchNo: 'F-1',
      mode: 'partial',
      lines: [
        { line: 1, ...pay('SO-1', 1) },
        { line: 1, ...pay('SO-2', 1) },
      ],
    };
    const { body } = await post('/v1/batches', file).expect(422);
    expect(body).toMatchObject({ code: 'BATCH_NOT_LEGAL', faults: [{ place: 2, line: 1, code: 'BATCH_LINE_REPEATED' }] });
    expect((await post('/v1/batches', file).expect(422)).body.batch).toBe(body.batch);
    const read = await get(`/v1/batches/${body.batch}`).expect(200);
    expect(read.body).toMatchObject({ state: 'rejected', lines: 2, faults: body.faults, counts: { ready: 0 } });
    expect((await post(`/v1/batches/${body.batch}/commit`).expect(422)).body.code).toBe('BATCH_NOT_LEGAL');
    expect((await post('/v1/batches', { ...file, lines: [file.lines[0]] }).expect(409)).body.code).toBe('BATCH_NO_REUSED');
    await post('/v1/batches', { ...file, batchNo: 'F 1' }).expect(400);
    await post('/v1/batches', { batchNo: 'F-2', mode: 'some', lines: [] }).expect(400);
  });

  it('belong to one platform', async () => {
    const { body } = await post('/v1/batches', {
      batchNo: 'F-3',
      mode: 'partial',
      lines: [{ line: 1, ...pay('SO-9', 1) }],
    }).expect(201);
    for (const path of ['', '/lines']) await get(`/v1/batches/${body.batch}${path}`, other).expect(404);
    for (const act of ['preview', 'commit']) await post(`/v1/batches/${body.batch}/${act}`, undefined, other).expect(404);
    await post(`/v1/batches/${body.batch}/rerun`, { attempt: 1 }, other).expect(404);
    expect((await get('/v1/batches', other).expect(200)).body.items).toEqual([]);
    // Another platform's number is its own.
    await post('/v1/batches', { batchNo: 'F-3', mode: 'atomic', lines: [{ line: 7, ...pay('SO-9', 2) }] }, other).expect(201);
  });

  it('are finished by the next worker when one is killed, line by line, without one of them twice', async () => {
    const count = 4_000;
    const lines = Array.from({ length: count }, (_, n) => ({ line: n + 1, ...pay(`B-${n}`, n % 50 === 49 ? 2 : 1) }));
    // Every fiftieth order is another's already.
    const given = lines.filter(({ data }) => data.amount.amount === 2);
    const intake = createIntake(api.runtime);
    const platformId = fromWire(`plt_${book.id}`);
    await intake.receive(
      given.map(({ kind, data }, place) => ({
        ...{ platformId, origin: 'P' as const, requestNo: `X${place}`, kind, actor: 'test' },
        body: canonicalJson({ ...data, payer: { ...PAYER, account: '6222020000000099' } }),
      })),
    );
    for (const shard of [0, 1, 2]) await executeShard(api.runtime, shard);
    const total = lines.reduce((sum, { data }) => sum + data.amount.amount, 0);
    const { body } = await post('/v1/batches', { batchNo: 'F-4', mode: 'partial', count, total: cny(total), lines }).expect(201);
    const path = `/v1/batches/${body.batch}`;
    const preview = await post(`${path}/preview`).expect(200);
    expect(preview.body.counts).toMatchObject({ notExecuted: 0, waiting: 0 });
    const expected = preview.body.counts as { posted: number; refused: number };
    expect(expected).toMatchObject({ posted: count - given.length, refused: given.length });
    await post(`${path}/commit`).expect(202);
    const first = await start();
    const read = async () => (await get(path).expect(200)).body as { state: string; counts: Record<string, number> };
    await until(read, ({ counts }) => (counts.posted ?? 0) > 0);
    expect(await first.end('SIGKILL')).toBe('SIGKILL');
    await start();
    const done = await until(read, ({ state }) => state === 'finished');
    expect(done.counts).toEqual({ ready: 0, posted: expected.posted, refused: expected.refused, notExecuted: 0, waiting: 0 });
    const [rows] = await api.runtime.db.read('given', (tx) =>
      tx.rows<{ n: string; different: string }>(
        'SELECT COUNT(*) AS n, COUNT(DISTINCT request_no) AS different FROM instructions WHERE platform_id = ? AND request_no LIKE ?',
        [book.id, `${body.batch}.%`],
      ),
    );
    expect(rows).toEqual({ n: String(count), different: String(count) });
    expect(await violations(api.runtime.db, [platformId])).toEqual([]);
    const page = await get(`${path}/lines?state=posted&limit=2`).expect(200);
    expect(page.body.items).toMatchObject([
      { line: 1, state: 'posted', attempt: 1, requestNo: `${body.batch}.1.1` },
      { line: 2, state: 'posted' },
    ]);
    const next = await get(`${path}/lines?state=posted&limit=2&cursor=${page.body.next}`).expect(200);
    expect(next.body.items[0]).toMatchObject({ line: 3 });
    const asBank = await api.call('GET', `/admin/v1/batches/${body.batch}/lines?limit=1`, { token }).expect(200);
    expect(asBank.body.items).toMatchObject([{ line: 1 }]);
    const all = await api.call('GET', `/admin/v1/platforms/plt_${book.id}/batches?state=finished`, { token }).expect(200);
    expect(all.body.items).toMatchObject([{ batchNo: 'F-4' }]);
  }, 120_000);
});
