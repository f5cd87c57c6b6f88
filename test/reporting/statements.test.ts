import { createPublicKey, type KeyObject } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import { type BusinessDate, toWire } from '../../src/kernel/index.js';
import { judgeEntryReceipt } from '../../src/reporting/receipts/rules.js';
import { judgeStatement, type SignedStatement } from '../../src/reporting/statements/form.js';
import { closeNext, type Market, openMarket } from '../clearing/market.js';
import { type Desk, openDesk } from './desk.js';

const DAYS = ['2026-03-02', '2026-03-03'] as BusinessDate[];

let market: Market;
let desk: Desk;
let call: Awaited<ReturnType<Desk['as']>>;
let path: string;

beforeAll(async () => {
  market = await openMarket();
  desk = await openDesk(market.world);
  call = await desk.as(market.platformId);
  path = `/v1/accounts/${toWire('account', market.here)}`;
  for (const date of DAYS) {
    for (let order = 0; order < 3; order += 1) {
      const orderNo = `${order}-${date}`;
      await market.pay(orderNo, 1_234_567n);
      await market.split(orderNo, [
        [market.here, 1_000_000n],
        [market.there, 234_567n],
      ]);
    }
    await closeNext(market);
  }
});
afterAll(async () => {
  await desk?.stop();
  await market?.end();
});

interface Json {
  opening: number;
  closing: number;
  totalIn: number;
  totalOut: number;
  final: boolean;
  lines: { seq: number; amount: number; balance: number; businessDate: string; counter: { zh: string }; kind: string }[];
}
const statement = async (from: string, to: string, more = '') =>
  ((await call('GET', `${path}/statement?from=${from}&to=${to}${more}`)).json as unknown as { content: Json }).content;

test('a statement is signed: it can be checked with the public key alone, and one fen that was changed is found', async () => {
  const { json } = await call('GET', `${path}/statement?from=2026-03-01&to=2026-03-31`);
  const signed = json as unknown as SignedStatement;
  expect(judgeStatement(signed, keys())).toEqual({ document: signed });
  const other = { ...signed, content: { ...signed.content, closing: signed.content.closing + 1 } };
  expect(judgeStatement(other, keys())).toEqual({ fault: expect.stringContaining('altered') });
});

test('opening balance, lines and closing balance follow from one another, in any period', async () => {
  const whole = await statement('2026-03-01', '2026-03-31');
  expect(whole.lines.length).toBeGreaterThan(6);
  for (const part of [
    whole,
    await statement(DAYS[1] as string, DAYS[1] as string),
    await statement('2026-03-01', DAYS[0] as string),
  ]) {
    let balance = part.opening;
    for (const line of part.lines) {
      balance += line.amount;
      expect(line.balance).toBe(balance);
    }
    expect([part.closing, part.opening + part.totalIn - part.totalOut]).toEqual([balance, balance]);
  }
  expect([whole.final, (await statement(DAYS[0] as string, DAYS[0] as string)).final]).toEqual([false, true]);
  expect(whole.closing).toBe(Number(await market.balance(market.here)));
  const names = new Set(whole.lines.map(({ counter }) => counter.zh.split(' ')[0]));
  expect([...names]).toEqual(['订单待分账', '甲**']);
});

test('a day without entries has a statement that says so, and a period that ends before it begins has none', async () => {
  expect(await statement('2026-01-01', '2026-01-31')).toMatchObject({ opening: 0, closing: 0, lines: [], final: true });
  expect((await call('GET', `${path}/statement?from=2026-03-05&to=2026-03-04`)).json.code).toBe('SHAPE_INVALID');
  expect((await call('GET', `${path}/statement?from=2026-03-05`)).json.code).toBe('SHAPE_INVALID');
  expect((await call('GET', `${path}/statement?from=2026-03-01&to=2026-03-04&format=xls`)).json.code).toBe('SHAPE_INVALID');
});

test('as CSV it has the same lines and balances, a byte order mark where one is wanted, and no formulas', async () => {
  const json = await statement('2026-03-01', '2026-03-31');
  const csv = await call('GET', `${path}/statement?from=2026-03-01&to=2026-03-31&format=csv&bom=true`);
  expect(csv.bytes.subarray(0, 3)).toEqual(Buffer.from([0xef, 0xbb, 0xbf]));
  const rows = parse(csv.bytes, { bom: true }) as string[][];
  expect(rows.length).toBe(json.lines.length + 4);
  expect(rows[0]?.[1]).toBe('会计日');
  expect(rows.slice(2, -2).map((row) => row[7])).toEqual(json.lines.map(({ balance }) => (balance / 100).toFixed(2)));
  expect(rows.at(-2)?.[7]).toBe((json.closing / 100).toFixed(2));
  const english = await call('GET', `${path}/statement?from=2026-03-01&to=2026-03-31&format=csv&language=en`);
  expect(english.bytes.toString('utf8').startsWith('No.,Business date')).toBe(true);
});

test('a request number or order that looks like a formula is no formula to a spreadsheet', async () => {
  const rows = market.world.db;
  await rows.withTx('name', (tx) =>
    tx.write('UPDATE orders SET order_no = \'@SUM(1,"x")\' WHERE platform_id = ? AND order_no = ?', [
      market.platformId,
      `0-${DAYS[0]}`,
    ]),
  );
  await rows.withTx('name', (tx) =>
    tx.write("UPDATE instructions SET request_no = '=cmd|x' WHERE platform_id = ? AND kind = 'split' ORDER BY id LIMIT 1", [
      market.platformId,
    ]),
  );
  const csv = await call('GET', `${path}/statement?from=2026-03-01&to=2026-03-31&format=csv`);
  const cells = (parse(csv.bytes) as string[][]).flat();
  expect(cells.filter((cell) => /^[=+\-@\t\r]/.test(cell))).toEqual([]);
  expect(cells).toContain("'=cmd|x");
});

test('as PDF it is a document of the bank with Chinese text, one page for every so many lines', async () => {
  const pdf = await call('GET', `${path}/statement?from=2026-03-01&to=2026-03-31&format=pdf`);
  expect([pdf.status, pdf.headers.get('content-type')]).toEqual([200, 'application/pdf']);
  expect(pdf.bytes.subarray(0, 5).toString()).toBe('%PDF-');
  expect(pdf.bytes.length).toBeLessThan(200_000); // only the letters that are used
  const english = await call('GET', `${path}/statement?from=2026-01-01&to=2026-01-31&format=pdf&language=en`);
  expect(english.bytes.subarray(0, 5).toString()).toBe('%PDF-');
});

test('nobody gets a statement or receipt of an account of another platform; the staff gets all', async () => {
  const other = await openMarket({ world: market.world, bank: market.bank });
  const theirs = await desk.as(other.platformId);
  expect((await theirs('GET', `${path}/statement?from=2026-03-01&to=2026-03-04`)).json.code).toBe('NOT_FOUND');
  expect((await theirs('GET', `${path}/entries/1/receipt`)).json.code).toBe('NOT_FOUND');
  const auditor = await desk.staff('auditor');
  expect((await auditor('GET', `/admin${path}/statement?from=2026-03-01&to=2026-03-04`)).status).toBe(200);
  expect((await auditor('GET', `/admin${path}/entries/1/receipt`)).status).toBe(200);
  await other.end();
});

function keys(): Map<string, KeyObject> {
  return new Map(
    market.world.rt.receiptKeys.published.map((jwk) => [jwk.kid, createPublicKey({ key: { ...jwk }, format: 'jwk' })]),
  );
}

type Content = Record<string, unknown> & { receiptNo: string; code: string; amount: number; businessDate: string };

test('a receipt of an entry is genuine by the public key alone, and with any field changed it is not', async () => {
  const { json } = await call('GET', `${path}/entries/1/receipt`);
  expect(judgeEntryReceipt(json, keys())).toEqual({ document: json });
  expect((await call('GET', `${path}/entries/1/receipt`)).json).toEqual(json);
  const content = json.content as Content;
  for (const [field, value] of Object.entries(content)) {
    const bent =
      typeof value === 'number'
        ? value + 1
        : typeof value === 'string'
          ? `${value.slice(0, -1)}${value.endsWith('0') ? '1' : '0'}`
          : '!';
    expect([field, judgeEntryReceipt({ ...json, content: { ...content, [field]: bent } }, keys())]).toEqual([
      field,
      { fault: expect.any(String) },
    ]);
  }
  expect(judgeEntryReceipt({ ...json, more: 1 }, keys())).toHaveProperty('fault');
  expect(judgeEntryReceipt({ ...json, keyId: 'r9' }, keys())).toHaveProperty('fault');
  expect(judgeEntryReceipt('x', keys())).toHaveProperty('fault');
  expect((await call('GET', `${path}/entries/999/receipt`)).json.code).toBe('NOT_FOUND');
  expect((await call('GET', `${path}/entries/0/receipt`)).json.code).toBe('SHAPE_INVALID');
});

test('whoever holds a receipt asks by its code whether it is genuine, and is told nothing that he did not type', async () => {
  const { receiptNo, code, amount, businessDate } = (await call('GET', `${path}/entries/1/receipt`)).json.content as Content;
  const ask = async (query: Record<string, string>) =>
    (await desk.anybody(`/v1/entry-receipts/verify?${new URLSearchParams(query)}`)).json;
  expect(await ask({ no: receiptNo, code })).toEqual({ genuine: true, amount: null, businessDate: null });
  const typed = { no: receiptNo, code: code.toLowerCase().replaceAll('-', ' ') };
  expect(await ask({ ...typed, amount: String(amount), date: businessDate })).toEqual({
    genuine: true,
    amount: true,
    businessDate: true,
  });
  expect(await ask({ ...typed, amount: String(amount + 1), date: '2026-03-09' })).toEqual({
    genuine: true,
    amount: false,
    businessDate: false,
  });
  const wrong = code.replace(/^./, code.startsWith('A') ? 'B' : 'A');
  expect(await ask({ no: receiptNo, code: wrong })).toEqual({ genuine: false });
  expect(await ask({ no: `${receiptNo.slice(0, 37)}${(Number(receiptNo.at(-1)) + 1) % 10}`, code })).toEqual({ genuine: false });
  expect((await ask({ no: '12', code })).code).toBe('SHAPE_INVALID');
});

test('the printed receipt is one sheet', async () => {
  const payout = (await statement('2026-03-01', '2026-03-31')).lines.find(({ amount }) => amount < 0);
  const pdf = await call('GET', `${path}/entries/${payout?.seq}/receipt?format=pdf`);
  expect(pdf.bytes.subarray(0, 5).toString()).toBe('%PDF-');
  expect(pdf.bytes.toString('latin1').match(/\/Type \/Page\b/g)).toHaveLength(1);
});

test('a receipt made again when no account is bound any more names the same holder', async () => {
  const content = async () =>
    ((await call('GET', `${path}/entries/1/receipt`)).json as unknown as { content: { holder: string } }).content;
  const before = await content();
  expect(before.holder).toBe('甲**');
  await market.world.db.withTx('unbound', (tx) =>
    tx.write('DELETE FROM settlement_accounts WHERE account_id = ?', [market.here]),
  );
  expect(await content()).toEqual(before);
});
