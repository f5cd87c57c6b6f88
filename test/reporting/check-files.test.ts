import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import iconv from 'iconv-lite';
import { type BusinessDate, toWire } from '../../src/kernel/index.js';
import { makeDayFiles } from '../../src/reporting/index.js';
import { closeNext, fen, type Market, openMarket } from '../clearing/market.js';
import { type Desk, openDesk } from './desk.js';

const DAYS = ['2026-03-02', '2026-03-03'] as BusinessDate[];
const HOSTILE = '张|三\u200b=cmd𠮷';
const FILES = ['trades', 'splits', 'refunds', 'withdrawals', 'returns', 'fees', 'balances', 'funds'];

let market: Market;
let desk: Desk;
let call: Awaited<ReturnType<Desk['as']>>;
const first = new Map<string, Buffer>();

beforeAll(async () => {
  market = await openMarket();
  desk = await openDesk(market.world);
  call = await desk.as(market.platformId);
  for (const [place, date] of DAYS.entries()) {
    for (let order = 0; order < 4 + place; order += 1) await sale(`${date}-${order}`, 1_000n + BigInt(order));
    await closeNext(market);
  }
  for (const file of FILES) first.set(file, (await call('GET', `/v1/check-files/${DAYS[0]}/${file}`)).bytes);
});
afterAll(async () => {
  await desk?.stop();
  await market?.end();
});

async function sale(orderNo: string, amount: bigint): Promise<void> {
  await market.pay(orderNo, amount);
  await market.split(orderNo, [
    [market.here, 600n],
    [market.there, 300n],
  ]);
  expect(await market.give('refund', { orderNo, amount: fen(100n), reason: '缺货' })).toBe('posted');
}

interface Read {
  readonly head: string[];
  readonly rows: Record<string, string>[];
  readonly count: string;
  readonly sum: string;
}

function read(bytes: Buffer): Read {
  const lines = bytes.toString('utf8').split('\n');
  expect(lines.pop()).toBe('');
  const [head, names, ...rest] = lines.map((line) => line.split('|'));
  const last = rest.pop() as string[];
  expect([head?.[0], names?.[0], last[0]]).toEqual(['H', 'N', 'T']);
  const rows = rest.map((fields) => {
    expect(fields.length).toBe(names?.length);
    return Object.fromEntries(fields.map((field, at) => [names?.[at] as string, field]));
  });
  return { head: head as string[], rows, count: last[1] as string, sum: last[2] as string };
}

const fileOf = async (date: string, file: string) => read((await call('GET', `/v1/check-files/${date}/${file}`)).bytes);

async function books(sql: string): Promise<Record<string, string>[]> {
  return market.world.db.read('books', (tx) => tx.rows<Record<string, string>>(sql, [market.platformId]));
}

test('every file names platform, day, unit and version, and its trailer counts and adds up its lines', async () => {
  for (const file of FILES) {
    const { head, rows, count, sum } = await fileOf(DAYS[1] as string, file);
    expect(head).toEqual(['H', 'cunguan-check', '1', toWire('platform', market.platformId), DAYS[1], file, 'CNY', 'fen']);
    expect(count).toBe(String(rows.length));
    expect(sum).toBe(String(rows.reduce((total, row) => total + BigInt(row.amount as string), 0n)));
  }
});

test('the sums of the trailers are what the books say of the day', async () => {
  const [entry] = await books(
    `SELECT CAST(SUM(ABS(e.amount)) AS CHAR) AS both_sides, COUNT(*) AS n FROM entries AS e JOIN accounts AS a ON a.id = e.account_id
     WHERE a.platform_id = ? AND e.business_date = '${DAYS[1]}'`,
  );
  const funds = await fileOf(DAYS[1] as string, 'funds');
  expect([funds.sum, funds.count]).toEqual([entry?.both_sides, entry?.n]);
  const [boundary] = await books(
    `SELECT CAST(SUM(amount) AS CHAR) AS amount FROM boundary WHERE platform_id = ? AND business_date = '${DAYS[1]}' AND reference LIKE 'IN-%'`,
  );
  expect((await fileOf(DAYS[1] as string, 'trades')).sum).toBe(boundary?.amount);
  const [transit] = await books(
    `SELECT CAST(SUM(e.amount) AS CHAR) AS amount FROM entries AS e JOIN accounts AS a ON a.id = e.account_id
     WHERE a.platform_id = ? AND a.type = 'in-transit' AND e.business_date = '${DAYS[1]}'`,
  );
  const { rows } = await fileOf(DAYS[1] as string, 'withdrawals');
  const under = rows.reduce((sum, row) => sum + (row.event === 'ordered' ? 1n : -1n) * BigInt(row.amount as string), 0n);
  expect(String(under)).toBe(transit?.amount);
  expect(new Set(rows.map((row) => row.event))).toEqual(new Set(['ordered', 'settled']));
});

test('the running balance of every line follows from the one before, and the last is the closing balance', async () => {
  const opening = new Map((await fileOf(DAYS[0] as string, 'balances')).rows.map((row) => [row.account, row]));
  const closing = new Map((await fileOf(DAYS[1] as string, 'balances')).rows.map((row) => [row.account, row]));
  const running = new Map(
    [...opening].map(([account, row]) => [account, { seq: Number(row.seq), balance: BigInt(row.amount as string) }]),
  );
  for (const row of (await fileOf(DAYS[1] as string, 'funds')).rows) {
    const before = running.get(row.account) ?? { seq: 0, balance: 0n };
    const grows = (row.side === 'C') !== (row.account_type === 'custody');
    const balance = before.balance + (grows ? 1n : -1n) * BigInt(row.amount as string);
    expect([row.seq, row.balance]).toEqual([String(before.seq + 1), String(balance)]);
    running.set(row.account, { seq: before.seq + 1, balance });
  }
  for (const [account, row] of closing) {
    expect([String(running.get(account)?.seq), String(running.get(account)?.balance)]).toEqual([row.seq, row.amount]);
  }
  expect(closing.size).toBe(running.size);
});

test('a past day comes out byte for byte as it was, whatever was done since', async () => {
  await sale('later', 5_000n);
  const [payout] = (await market.payouts()).filter(({ state }) => state === 'settled');
  expect(payout).toBeDefined();
  await closeNext(market);
  for (const file of FILES) {
    const again = await call('GET', `/v1/check-files/${DAYS[0]}/${file}`);
    expect(again.bytes.equals(first.get(file) as Buffer)).toBe(true);
    expect(again.headers.get('x-file-sha256')).toBe(createHash('sha256').update(again.bytes).digest('hex'));
    expect(again.headers.get('x-file-sm3')).toBe(createHash('sm3').update(again.bytes).digest('hex'));
  }
});

test('making the files of a day again keeps what was kept, also when two make them at once', async () => {
  const day = { platformId: market.platformId, date: DAYS[0] as BusinessDate };
  const before = await makeDayFiles(market.world.rt, day);
  await market.world.db.withTx('forget', (tx) => tx.write('DELETE FROM check_files WHERE business_date = ?', [DAYS[0]]));
  const both = await Promise.all([makeDayFiles(market.world.rt, day), makeDayFiles(market.world.rt, day)]);
  expect(both).toEqual([before, before]);
  expect(before.files.map(({ file }) => file)).toEqual(FILES);
});

test('a name with bars, blanks of no width and letters that GBK lacks ends no field and reads back from GB 18030', async () => {
  const { channels, custodyNo } = market;
  const { businessDate } = await market.book();
  await channels.coreBank.inflows(custodyNo, businessDate, [
    { reference: 'IN-hostile', amount: 700n, counterparty: '买家', text: '' },
  ]);
  const payer = { name: `|=${HOSTILE.replace('\u200b', '')}`, account: '6222020000000000078', bankCode: '102100099996' };
  expect(await market.give('payment', { orderNo: 'hostile', amount: fen(700n), payer, reference: 'IN-hostile' })).toBe('posted');
  expect(await market.give('refund', { orderNo: 'hostile', amount: fen(10n), reason: '竖|线𠮷€' })).toBe('posted');
  await closeNext(market);
  const { rows } = await fileOf(businessDate, 'refunds');
  expect(rows.find((row) => row.order_no === 'hostile')).toMatchObject({ reason: '竖｜线𠮷€' });
  expect((await fileOf(businessDate, 'trades')).rows.find((row) => row.order_no === 'hostile')?.payer_name).toMatch(/^｜\*+$/);
  const plain = await call('GET', `/v1/check-files/${businessDate}/refunds`);
  const gbk = await call('GET', `/v1/check-files/${businessDate}/refunds?encoding=gbk`);
  expect(gbk.headers.get('content-type')).toBe('text/plain; charset=gb18030');
  expect(iconv.decode(gbk.bytes, 'gb18030')).toBe(plain.bytes.toString('utf8'));
  expect(gbk.bytes.includes(Buffer.from('缺货', 'utf8'))).toBe(false);
  expect(gbk.headers.get('x-file-sm3')).toBe(createHash('sm3').update(gbk.bytes).digest('hex'));
  const asked = await call('GET', `/v1/check-files/${businessDate}/refunds`, undefined, { 'accept-charset': 'GBK' });
  expect(asked.bytes.equals(gbk.bytes)).toBe(true);
  const packed = await call('GET', `/v1/check-files/${businessDate}/refunds?pack=gzip`);
  expect(packed.headers.get('content-length')).toBe(String(packed.bytes.length));
  expect(gunzipSync(packed.bytes).equals(plain.bytes)).toBe(true);
});

test('letters of GBK have the bytes of GBK', async () => {
  const gbk = (await call('GET', `/v1/check-files/${DAYS[0]}/refunds?encoding=gbk`)).bytes;
  expect(gbk.includes(Buffer.from([0xc8, 0xb1, 0xbb, 0xf5]))).toBe(true); // 缺货
});

test('a day without business has files that say so', async () => {
  const { businessDate } = await market.book();
  await closeNext(market); // nothing is due: clearing of the day before has run
  const { businessDate: quiet } = await market.book();
  market.goTo('2026-03-20');
  await market.close();
  expect(quiet > businessDate).toBe(true);
  const { rows, count, sum } = await fileOf('2026-03-18', 'trades');
  expect([rows, count, sum]).toEqual([[], '0', '0']);
  expect((await fileOf('2026-03-18', 'balances')).rows.length).toBeGreaterThan(3);
});

test('an open day, a day before the first, no such file and a field that nobody knows are refused', async () => {
  const { businessDate } = await market.book();
  expect((await call('GET', `/v1/check-files/${businessDate}`)).json.code).toBe('FILE_NOT_READY');
  expect((await call('GET', '/v1/check-files/2025-01-01/trades')).json.code).toBe('NOT_FOUND');
  expect((await call('GET', `/v1/check-files/${DAYS[0]}/secrets`)).json.code).toBe('SHAPE_INVALID');
  expect((await call('GET', `/v1/check-files/${DAYS[0]}/trades?encoding=big5`)).json.code).toBe('SHAPE_INVALID');
  expect((await call('GET', '/v1/check-files/2026-02-30/trades')).json.code).toBe('SHAPE_INVALID');
});

test('what came out otherwise is given to nobody, and counted', async () => {
  const { rt, db } = market.world;
  const spoil = (by: number) =>
    db.withTx('spoil', (tx) =>
      tx.write('UPDATE outcomes SET decided_ms = decided_ms + ? WHERE platform_id = ? AND business_date = ?', [
        by,
        market.platformId,
        DAYS[1],
      ]),
    );
  await spoil(1);
  const answer = await call('GET', `/v1/check-files/${DAYS[1]}/trades`);
  expect([answer.status, answer.json.code]).toEqual([503, 'FILE_DIFFERS']);
  expect((await rt.metrics.filesDiffering.get()).values[0]?.value).toBe(1);
  await spoil(-1);
  expect((await call('GET', `/v1/check-files/${DAYS[1]}/trades`)).status).toBe(200);
});

test('a platform confirms a file that it looked at, or disputes lines of it, which the staff answers', async () => {
  const { rows } = await fileOf(DAYS[0] as string, 'splits');
  const listed = (await call('GET', `/v1/check-files/${DAYS[0]}`)).json.items as {
    file: string;
    utf8: { sha256: string };
    gb18030: { sm3: string };
  }[];
  const splits = listed.find(({ file }) => file === 'splits');
  const path = `/v1/check-files/${DAYS[0]}/splits`;
  const digest = splits?.utf8.sha256 as string;
  const lines = [
    { line: 2, instruction: rows[1]?.instruction, reason: '金额不符 | =cmd' },
    { requestNo: 'R-not-there', reason: '漏单' },
  ];
  expect((await call('POST', `${path}/confirmation`, { digest: '0'.repeat(64) })).json.code).toBe('FILE_DIGEST_OTHER');
  const wrong = { digest, lines: [{ line: 2, instruction: rows[3]?.instruction, reason: 'x' }] };
  if (rows[3]?.instruction !== rows[1]?.instruction)
    expect((await call('POST', `${path}/disputes`, wrong)).json.code).toBe('FILE_LINE_UNKNOWN');
  expect((await call('POST', `${path}/disputes`, { digest, lines: [{ line: 999, reason: 'x' }] })).json.code).toBe(
    'FILE_LINE_UNKNOWN',
  );
  expect((await call('POST', `${path}/disputes`, { digest, lines: [{ reason: 'x' }] })).json.code).toBe('SHAPE_INVALID');
  const raised = await call('POST', `${path}/disputes`, { digest, lines });
  expect(raised.json.items).toMatchObject([
    { about: 'line:2', state: 'open', reason: '金额不符 | =cmd', instruction: rows[1]?.instruction },
    { about: 'missing:R-not-there', line: null },
  ]);
  expect((await call('POST', `${path}/disputes`, { digest, lines })).json).toEqual(raised.json);
  expect((await call('POST', `${path}/confirmation`, { digest })).json.code).toBe('FILE_DISPUTED');

  const reviewer = await desk.staff('reviewer');
  const auditor = await desk.staff('auditor');
  const [one, two] = (await auditor('GET', '/admin/v1/file-disputes?state=open')).json.items as { id: string }[];
  expect((await auditor('POST', `/admin/v1/file-disputes/${one?.id}/seen`)).status).toBe(403);
  expect((await reviewer('POST', `/admin/v1/file-disputes/${one?.id}/seen`)).json).toMatchObject({ state: 'seen' });
  expect((await reviewer('POST', `/admin/v1/file-disputes/${one?.id}/seen`)).status).toBe(200);
  const answer = { verdict: 'rejected', answer: '与账务一致' };
  expect((await reviewer('POST', `/admin/v1/file-disputes/${one?.id}/answer`, answer)).json).toMatchObject({ state: 'rejected' });
  expect((await reviewer('POST', `/admin/v1/file-disputes/${one?.id}/answer`, answer)).json.code).toBe('DISPUTE_ANSWERED');
  expect((await reviewer('POST', `/admin/v1/file-disputes/${two?.id}/answer`, { ...answer, verdict: 'accepted' })).status).toBe(
    200,
  );
  expect((await call('GET', '/v1/file-disputes')).json.items).toMatchObject([{ answer: '与账务一致' }, { state: 'accepted' }]);

  const confirmed = await call('POST', `${path}/confirmation`, { digest: splits?.gb18030.sm3 });
  expect(confirmed.json.confirmedAt).toMatch(/^2026/);
  expect((await call('POST', `${path}/confirmation`, { digest })).json).toEqual(confirmed.json);
  expect((await call('POST', `${path}/disputes`, { digest, lines: [{ line: 1, reason: '晚了' }] })).json.code).toBe(
    'FILE_CONFIRMED',
  );
  const [audited] = await books(
    `SELECT COUNT(*) AS n FROM audit_entries WHERE action LIKE '%file-disputes%' AND outcome = 'done' AND ? > 0`,
  );
  expect(audited?.n).toBe('4');
});

test('no platform sees files of another', async () => {
  const other = await openMarket({ world: market.world, bank: market.bank });
  const theirs = await desk.as(other.platformId);
  expect((await theirs('GET', '/v1/check-files')).json.items).toEqual([]);
  expect((await theirs('GET', `/v1/check-files/${DAYS[0]}/trades`)).json.code).toBe('NOT_FOUND');
  expect((await theirs('GET', '/v1/file-disputes')).json.items).toEqual([]);
  await other.end();
});
