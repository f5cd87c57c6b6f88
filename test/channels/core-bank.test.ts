import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BankRefused, BankUnreachable, type Channels, openChannels, StatementFaulty } from '../../src/channels/index.js';
import { type FaultRule, type RunningBank, startBank } from '../../src/channels/simulator/index.js';
import type { BusinessDate } from '../../src/kernel/index.js';
import { type FreshDatabase, freshDatabase } from '../support/database.js';
import { wholeStatement } from '../support/statement.js';

const DAY = '2026-03-02' as BusinessDate;
const NEXT_DAY = '2026-03-03' as BusinessDate;
const inflow = (no: number, amount = 10n) => ({
  reference: `IN-${no}`,
  amount,
  counterparty: 'buyer',
  text: 'a "text", | with\tall',
});

describe('core bank', () => {
  let bank: RunningBank;
  let ways: Channels;
  beforeAll(async () => {
    bank = await startBank({ port: 0, seed: 1 });
    ways = openChannels({ bankUrl: bank.url, timeoutMs: 20_000 });
  });
  afterAll(async () => {
    await ways.close();
    await bank.stop();
  });
  beforeEach(async () => {
    bank.bank.reset();
    await ways.coreBank.openCustodyAccount('C-1', 'One');
    await ways.coreBank.openCustodyAccount('C-2', 'Two');
  });
  const script = (...rules: Omit<FaultRule, 'scope'>[]) =>
    bank.bank.faults.replace({ scripted: rules.map((rule) => ({ scope: 'core', ...rule })) });

  test('a date opens with what the dates before left, whatever the order of booking, and accounts do not mix', async () => {
    await ways.coreBank.inflows('C-1', NEXT_DAY, [inflow(3, 5n)]);
    await ways.coreBank.inflows('C-1', DAY, [inflow(1, 7n), inflow(2, 11n)]);
    await ways.coreBank.inflows('C-2', DAY, [inflow(1, 100n)]);
    expect(await wholeStatement(ways, 'C-1', DAY)).toMatchObject({ opening: 0n, closing: 18n, complete: true });
    expect(await wholeStatement(ways, 'C-1', NEXT_DAY)).toMatchObject({ opening: 18n, closing: 23n });
    expect(await wholeStatement(ways, 'C-2', NEXT_DAY)).toMatchObject({ opening: 100n, closing: 100n, lines: [] });
  });

  test('a day of many lines is read whole', async () => {
    await ways.coreBank.inflows(
      'C-1',
      DAY,
      Array.from({ length: 12_345 }, (_, no) => inflow(no, BigInt(no + 1))),
    );
    const statement = await wholeStatement(ways, 'C-1', DAY);
    expect(statement.lines.map((line) => line.lineNo)).toEqual(Array.from({ length: 12_345 }, (_, at) => at + 1));
    expect(statement.closing).toBe((12_345n * 12_346n) / 2n);
  });

  test('money reported twice is booked once; with another content nothing of the call is booked', async () => {
    expect(await ways.coreBank.inflows('C-1', DAY, [inflow(1), inflow(2)])).toEqual({ booked: 2, repeated: 0 });
    expect(await ways.coreBank.inflows('C-1', DAY, [inflow(2), inflow(3)])).toEqual({ booked: 1, repeated: 1 });
    await expect(ways.coreBank.inflows('C-1', DAY, [inflow(4), inflow(1, 11n)])).rejects.toBeInstanceOf(BankRefused);
    expect((await wholeStatement(ways, 'C-1', DAY)).closing).toBe(30n);
  });

  test('money that leaves the account straight is on its statement once, and never more than is there', async () => {
    await ways.coreBank.inflows('C-1', DAY, [inflow(1, 30n)]);
    const leave = async (...items: { amount: string; reference: string }[]) => {
      const body = { businessDate: DAY, items: items.map((item) => ({ counterparty: 'court', text: '', ...item })) };
      const answer = await fetch(`${bank.url}/sandbox/accounts/C-1/outflows`, { method: 'POST', body: JSON.stringify(body) });
      return answer.status;
    };
    expect(await leave({ reference: 'OUT-1', amount: '12' })).toBe(200);
    expect(await leave({ reference: 'OUT-1', amount: '12' }, { reference: 'OUT-2', amount: '8' })).toBe(200);
    expect(await leave({ reference: 'OUT-1', amount: '13' })).toBe(409);
    expect(await leave({ reference: 'OUT-3', amount: '1' }, { reference: 'OUT-4', amount: '10' })).toBe(409);
    const { lines, closing } = await wholeStatement(ways, 'C-1', DAY);
    expect(lines.map(({ reference, amount }) => [reference, amount])).toEqual([
      ['IN-1', 30n],
      ['OUT-1', -12n],
      ['OUT-2', -8n],
    ]);
    expect(closing).toBe(10n);
  });

  test('money whose report got lost is there once after the repeat', async () => {
    script({ fault: 'lost-answer', on: 'inflows' });
    await expect(ways.coreBank.inflows('C-1', DAY, [inflow(1)])).rejects.toBeInstanceOf(BankUnreachable);
    expect(await ways.coreBank.inflows('C-1', DAY, [inflow(1)])).toEqual({ booked: 0, repeated: 1 });
  });

  test('opening an account again changes nothing, under another name it is refused; an unknown one is refused', async () => {
    await ways.coreBank.openCustodyAccount('C-1', 'One');
    await expect(ways.coreBank.openCustodyAccount('C-1', 'Another')).rejects.toBeInstanceOf(BankRefused);
    await expect(wholeStatement(ways, 'C-9', DAY)).rejects.toBeInstanceOf(BankRefused);
    await expect(ways.coreBank.inflows('C-9', DAY, [inflow(1)])).rejects.toBeInstanceOf(BankRefused);
  });

  test('a statement line missing, of another amount or too many stays consistent in itself, and the next date begins where it ended', async () => {
    await ways.coreBank.inflows('C-1', DAY, [inflow(1), inflow(2), inflow(3)]);
    const shown = async () =>
      (await wholeStatement(ways, 'C-1', DAY)).lines.map((line) => [line.lineNo, line.reference, line.amount]);
    script({ fault: 'line-missing', messageNo: 'IN-2' });
    expect(await shown()).toEqual([
      [1, 'IN-1', 10n],
      [2, 'IN-3', 10n],
    ]);
    script({ fault: 'line-amount', messageNo: 'IN-2', amount: '-3' });
    expect(await shown()).toEqual([
      [1, 'IN-1', 10n],
      [2, 'IN-2', 7n],
      [3, 'IN-3', 10n],
    ]);
    script({ fault: 'line-extra', custodyNo: 'C-1', businessDate: DAY, amount: '5' });
    expect((await shown())[3]).toEqual([4, 'XXC-120260302', 5n]);
    expect(await wholeStatement(ways, 'C-1', NEXT_DAY)).toMatchObject({ opening: 35n, closing: 35n });
    script();
    expect(await wholeStatement(ways, 'C-1', DAY)).toMatchObject({ closing: 30n });
  });

  test('a statement with a wrong digest is refused whole; read again it is right', async () => {
    await ways.coreBank.inflows('C-1', DAY, [inflow(1)]);
    script({ fault: 'corrupt' });
    await expect(wholeStatement(ways, 'C-1', DAY)).rejects.toBeInstanceOf(StatementFaulty);
    expect((await wholeStatement(ways, 'C-1', DAY)).closing).toBe(10n);
  });
});

describe('transfers that the core bank holds', () => {
  let bank: RunningBank;
  let ways: Channels;
  let impatient: Channels;
  beforeAll(async () => {
    bank = await startBank({ port: 0, seed: 1 });
    ways = openChannels({ bankUrl: bank.url, timeoutMs: 20_000 });
    impatient = openChannels({ bankUrl: bank.url, timeoutMs: 100 });
  });
  afterAll(async () => {
    await Promise.all([ways.close(), impatient.close()]);
    await bank.stop();
  });
  const payer = { name: '李四', account: '6228480012345678903', bankCode: '' };
  const transfer = { reference: 'IT-1', virtualNo: '9156000000000000015', amount: 100n, payer };
  beforeEach(async () => {
    bank.bank.reset();
    await ways.coreBank.openCustodyAccount('C-1', 'One');
    await ways.coreBank.openCustodyAccount('C-2', 'Two');
    bank.bank.setDate(DAY);
    bank.bank.sendTransfer(transfer);
  });
  const script = (...rules: Omit<FaultRule, 'scope'>[]) =>
    bank.bank.faults.replace({ scripted: rules.map((rule) => ({ scope: 'core', ...rule })) });
  const lines = async (custodyNo = 'C-1') =>
    (await wholeStatement(ways, custodyNo, DAY)).lines.map(({ reference, amount, counterparty }) => [
      reference,
      amount,
      counterparty,
    ]);
  const post = async (body: unknown) =>
    (await fetch(`${bank.url}/sandbox/transfers`, { method: 'POST', body: JSON.stringify(body) })).status;

  test('are told in order, in pages, and are on no statement before they are accepted', async () => {
    script({ fault: 'double-news', messageNo: 'IT-2' });
    bank.bank.sendTransfer({ ...transfer, reference: 'IT-2' });
    const first = await ways.coreBank.incoming('', 2);
    expect(first.items).toEqual([
      { ...transfer, remark: '', cursor: '1', businessDate: DAY },
      { ...transfer, remark: '', reference: 'IT-2', cursor: '2', businessDate: DAY },
    ]);
    const second = await ways.coreBank.incoming(first.next, 2);
    expect(second.items.map((item) => item.reference)).toEqual(['IT-2']);
    expect(await ways.coreBank.incoming(second.next, 2)).toEqual({ items: [], next: second.next });
    expect(await lines()).toEqual([]);
  });

  test('are booked once when they are accepted, however often, and never otherwise', async () => {
    for (let time = 0; time < 3; time += 1) await ways.coreBank.acceptIncoming('IT-1', 'C-1', DAY);
    await expect(ways.coreBank.acceptIncoming('IT-1', 'C-1', NEXT_DAY)).rejects.toBeInstanceOf(BankRefused);
    await expect(ways.coreBank.acceptIncoming('IT-1', 'C-2', DAY)).rejects.toBeInstanceOf(BankRefused);
    await expect(ways.coreBank.rejectIncoming('IT-1', 'x')).rejects.toBeInstanceOf(BankRefused);
    await expect(ways.coreBank.acceptIncoming('IT-9', 'C-1', DAY)).rejects.toBeInstanceOf(BankRefused);
    expect(await lines()).toEqual([['IT-1', 100n, '李四']]);
    expect(bank.bank.books().totals.inflow).toBe(100n);
  });

  test('that were sent back cannot be accepted, and sending back again changes nothing', async () => {
    await ways.coreBank.rejectIncoming('IT-1', 'LIMIT_IN_DAY');
    await ways.coreBank.rejectIncoming('IT-1', 'another word');
    await expect(ways.coreBank.acceptIncoming('IT-1', 'C-1', DAY)).rejects.toBeInstanceOf(BankRefused);
    expect(bank.bank.transfers.all()).toMatchObject([{ state: 'rejected', reason: 'LIMIT_IN_DAY' }]);
    expect(await lines()).toEqual([]);
  });

  test('under a reference that stands on the account already cannot be accepted, and stay held', async () => {
    await ways.coreBank.inflows('C-1', DAY, [{ reference: 'IT-1', amount: 1n, counterparty: '', text: '' }]);
    await expect(ways.coreBank.acceptIncoming('IT-1', 'C-1', DAY)).rejects.toBeInstanceOf(BankRefused);
    expect(bank.bank.transfers.all()).toMatchObject([{ state: 'held' }]);
  });

  test.each(['not-received', 'lost-answer', 'maintenance', 'garbage', 'half-open', 'late'] as const)(
    'a call that ends in %s throws that nothing is known, and can be repeated',
    async (fault) => {
      const slow = fault === 'half-open' || fault === 'late' ? impatient : ways;
      const calls: ((of: Channels) => Promise<unknown>)[] = [
        (of) => of.coreBank.incoming('', 10),
        (of) => of.coreBank.acceptIncoming('IT-1', 'C-1', DAY),
      ];
      for (const [place, call] of calls.entries()) {
        script({ fault, on: place === 0 ? 'incoming' : 'answer', ms: 60_000 });
        await expect(call(slow)).rejects.toBeInstanceOf(BankUnreachable);
        await call(ways);
      }
      expect(await lines()).toEqual([['IT-1', 100n, '李四']]);
    },
  );

  test('are sent and read by a sandbox over HTTP; the same again is the same', async () => {
    const body = { ...transfer, amount: '100' };
    expect([await post(body), await post({ ...body, amount: '101' }), await post({ ...body, reference: 'a b' })]).toEqual([
      200, 409, 400,
    ]);
    expect(await post({ virtualNo: '1', amount: '7', payer: { name: 'x', account: '' } })).toBe(200);
    const read = (await (await fetch(`${bank.url}/sandbox/transfers`)).json()) as { items: unknown[] };
    expect(read.items).toMatchObject([
      { reference: 'IT-1', state: 'held', amount: '100' },
      { reference: 'IT000000000002', state: 'held', amount: '7', businessDate: DAY },
    ]);
  });
});

describe('a statement is believed only when it is right in every part', () => {
  const lines = ['[1,"A","100","张三",""]', '[2,"B","-30","b","x"]'];
  const digestOf = (rows: readonly string[]) =>
    createHash('sha256')
      .update(rows.map((row) => `${row}\n`).join(''))
      .digest('hex');
  const head = { custodyNo: 'C-1', businessDate: DAY, opening: '5', complete: true };
  const trailer = { count: 2, sum: '70', closing: '75', digest: digestOf(lines) };
  const streamOf = ({ of = {}, rows = lines, end = {} }: { of?: object; rows?: readonly string[]; end?: object }) =>
    [JSON.stringify({ ...head, ...of }), ...rows, JSON.stringify({ ...trailer, ...end })].map((row) => `${row}\n`).join('');
  let answer: string | Buffer = '';
  let server: Server;
  let ways: Channels;
  beforeAll(async () => {
    server = createServer((_request, response) => {
      const bytes = Buffer.from(answer as string);
      response.write(bytes.subarray(0, 100));
      setImmediate(() => response.end(bytes.subarray(100))); // in the middle of a row
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ways = openChannels({ bankUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  });
  afterAll(async () => {
    await ways.close();
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  const read = (stream: string | Buffer) => {
    answer = stream;
    return wholeStatement(ways, 'C-1', DAY);
  };

  test('the right one is read, however it is cut on the way', async () => {
    expect(await read(streamOf({}))).toMatchObject({ opening: 5n, closing: 75n, complete: true, count: 2, sum: 70n });
    expect((await read(streamOf({}))).lines).toEqual([
      { lineNo: 1, reference: 'A', amount: 100n, counterparty: '张三', text: '' },
      { lineNo: 2, reference: 'B', amount: -30n, counterparty: 'b', text: 'x' },
    ]);
  });

  const resigned = (...rows: string[]) => ({ rows, end: { digest: digestOf(rows) } });
  test.each([
    ['another account', streamOf({ of: { custodyNo: 'C-2' } })],
    ['another date', streamOf({ of: { businessDate: NEXT_DAY } })],
    ['a wrong opening', streamOf({ of: { opening: '6' } })],
    ['a wrong closing', streamOf({ end: { closing: '76' } })],
    ['a wrong sum', streamOf({ end: { sum: '71', closing: '76' } })],
    ['fewer lines than announced', streamOf({ end: { count: 3 } })],
    ['more lines than announced', streamOf({ end: { count: 1 } })],
    ['a wrong digest', streamOf({ end: { digest: `0${trailer.digest.slice(1)}` } })],
    ['a gap in the line numbers', streamOf(resigned('[2,"A","100","张三",""]', '[3,"B","-30","b","x"]'))],
    ['lines in another order', streamOf(resigned(...lines.toReversed()))],
    ['amounts moved between lines', streamOf({ rows: ['[1,"A","99","张三",""]', '[2,"B","-29","b","x"]'] })],
    ['another reference', streamOf({ rows: ['[1,"C","100","张三",""]', lines[1] as string] })],
    ['something behind the trailer', `${streamOf({})}${streamOf({})}`],
    ['no trailer', streamOf({}).split('\n').slice(0, 3).join('\n').concat('\n')],
    ['no end of its last row', streamOf({}).slice(0, -1)],
    ['half of it', streamOf({}).slice(0, 90)],
    ['another encoding', Buffer.from(streamOf({ rows: ['[1,"A","100","\u00ff",""]', lines[1] as string] }), 'latin1')],
  ])('%s is refused', async (_name, stream) => {
    await expect(read(stream)).rejects.toThrow(/statement of C-1|GET \/core/);
    expect(await read(streamOf({}))).toMatchObject({ closing: 75n });
  });

  test('amounts that are not whole fen as text, and any other shape, are no answer', async () => {
    const odd = fc.oneof(fc.constantFrom('1.5', '', '1e3', ' 1', '0x1', '01', '9'.repeat(30)), fc.double(), fc.constant(null));
    await fc.assert(
      fc.asyncProperty(odd, async (opening) => {
        await expect(read(streamOf({ of: { opening: opening as string } }))).rejects.toBeInstanceOf(BankUnreachable);
        const row = JSON.stringify([1, 'A', opening, '', '']);
        await expect(read(streamOf(resigned(row)))).rejects.toBeInstanceOf(BankUnreachable);
      }),
      { seed: 4, numRuns: 30 },
    );
    for (const shape of ['null\n', '[]\n', '7\n', '{}\n', '\n', '<html></html>\n'])
      await expect(read(shape)).rejects.toBeInstanceOf(BankUnreachable);
  });
});

describe('inside a database transaction', () => {
  let fresh: FreshDatabase;
  let ways: Channels;
  beforeAll(async () => {
    fresh = await freshDatabase();
    ways = openChannels({ bankUrl: 'http://127.0.0.1:9' });
  });
  afterAll(async () => {
    await ways.close();
    await fresh.drop();
  });

  test('no channel and no core bank may be called', async () => {
    const { book } = ways.channels;
    const calls: (() => Promise<unknown>)[] = [
      () => book.query(['M1']),
      () => book.news('', 1),
      () => wholeStatement(ways, 'C-1', DAY),
    ];
    for (const call of calls) {
      await expect(fresh.db.withTx('test', call)).rejects.toThrow('inside the database transaction test');
    }
  });
});

describe('the simulator as a process of its own', () => {
  const running: ReturnType<typeof spawn>[] = [];
  afterEach(() => {
    for (const child of running.splice(0)) child.kill('SIGKILL');
  });

  test('prints its address in one line of JSON, answers there, and stops on SIGTERM', async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/bank.ts', '--port', '0', '--seed', '5'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    running.push(child);
    const [chunk] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
    const { url, seed } = JSON.parse(chunk.toString()) as { url: string; seed: number };
    expect(seed).toBe(5);
    const ways = openChannels({ bankUrl: url });
    await ways.coreBank.openCustodyAccount('C-1', 'One');
    const put = (path: string, body: unknown) => fetch(`${url}${path}`, { method: 'PUT', body: JSON.stringify(body) });
    expect(await (await put('/sandbox/date', { date: NEXT_DAY })).json()).toEqual({ date: NEXT_DAY });
    expect((await put('/sandbox/faults', { rates: { book: { refuse: 2 } } })).status).toBe(400);
    const rules = [
      { scope: 'core', fault: 'line-missing' },
      { scope: 'psp', fault: 'late', times: 2 },
    ];
    const plan = { rates: { core: { maintenance: 1 } }, settleDelayMs: 0, settleAfterDays: 0 };
    const scripted = rules.map((rule) => ({ ...rule, left: rule.times ?? null }));
    const answer = await put('/sandbox/faults', { rates: plan.rates, scripted: rules });
    expect([answer.status, await answer.json()]).toEqual([200, { ...plan, scripted }]);
    expect(await (await fetch(`${url}/sandbox/faults`)).json()).toEqual({ ...plan, scripted });
    await expect(wholeStatement(ways, 'C-1', DAY)).rejects.toBeInstanceOf(BankUnreachable);
    expect(await (await fetch(`${url}/sandbox/books`)).json()).toMatchObject({
      date: NEXT_DAY,
      custody: [{ custodyNo: 'C-1', balance: '0' }],
    });
    expect((await fetch(`${url}/sandbox/reset`, { method: 'POST' })).status).toBe(200);
    await expect(wholeStatement(ways, 'C-1', DAY)).rejects.toBeInstanceOf(BankRefused);
    await ways.close();
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});
