import { createHash, createPublicKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type AppParts, allRoutes } from '../../src/app.js';
import { addDays, type BusinessDate, type Id, parseBusinessDate, toWire } from '../../src/kernel/index.js';
import { setTerms } from '../../src/ledger/index.js';
import { parametersOf, type StartedRuntime } from '../../src/runtime/index.js';
import { type CustodyReport, judgeCustodyReport } from '../../src/supervision/custody-rules.js';
import { makeMonthlyReports, makeTaxReports, watchDay } from '../../src/supervision/index.js';
import { keepUntil, mayBeDeleted } from '../../src/supervision/retention-rules.js';
import { parseQuarter, type Quarter, reportingOf, taxDueOn } from '../../src/supervision/rules.js';
import { taxFileOf } from '../../src/supervision/tax.js';
import { figuresOf } from '../../src/supervision/tax-rules.js';
import { closeNext, fen, type Market, openMarket } from '../clearing/market.js';
import { type Desk, openDesk, sellerOn } from './staff.js';

const date = (text: string) => parseBusinessDate(text) as BusinessDate;
const START = '2025-12-30';

let market: Market;
let desk: Desk;
let anna: Id;

beforeAll(async () => {
  market = await openMarket({ date: START });
  anna = await sellerOn(market, 'anna');
  desk = await openDesk(market.world.rt);
  const { platformId } = market;
  await market.world.db.withTx('terms', (tx) => setTerms(tx, platformId, { transferMax: 100_000_000n, feeMax: 100_000n }));
});
afterAll(async () => {
  await desk.stop();
  await market.end();
});

const Q4 = parseQuarter('2025Q4') as Quarter;

describe('the quarterly data about sellers', () => {
  let first: Buffer;

  test('is made of the books once the quarter is cut off: gross with commission, refunds, fees, orders', async () => {
    const { commission } = (await market.book()).accounts;
    await market.pay('T-1', 100_00n);
    await market.split('T-1', [
      [anna, 60_00n],
      [market.here, 30_00n],
      [commission, 10_00n],
    ]);
    await market.pay('T-2', 50_00n);
    await market.split('T-2', [[anna, 45_00n]]);
    await market.split('T-2', [[commission, 5_00n]]);
    const back = { orderNo: 'T-1', lines: [{ account: toWire('account', anna), amount: fen(6_00n) }] };
    expect(await market.give('split-return', back)).toBe('posted');
    expect(await market.give('fee', { account: toWire('account', anna), amount: fen(1_00n), for: '服务费' })).toBe('posted');
    expect(await makeTaxReports(market.world.rt)).toBe(0);
    await closeNext(market);
    await closeNext(market);
    expect((await market.book()).businessDate).toBe('2026-01-01');
    expect(await makeTaxReports(market.world.rt)).toBe(1);
    expect(await makeTaxReports(market.world.rt)).toBe(0);
    first = (await taxFileOf(market.world.rt, market.platformId, Q4, 1)) as Buffer;
    const lines = first.toString('utf8').trimEnd().split('\r\n');
    // Of the commission of 10.00 two thirds are hers, with the fen that is over; the 5.00 that were split alone are nobody's.
    expect(lines).toContain('S,anna,person,王小明,resident-id,11010519491231002X,111.67,6.00,105.67,6.67,1.00,2');
    expect(lines).toContain('M,anna,2025-12,111.67,6.00,105.67,6.67,1.00,2');
    expect(lines.at(-1)).toBe('T,3,145.00,6.00,139.00,10.00,1.00,3,5.00');
  });

  test('is the same bytes when it is made again, also when the platform has gone on, with the digest that was kept', async () => {
    await market.pay('T-3', 10_00n);
    await market.split('T-3', [[anna, 10_00n]]);
    const again = (await taxFileOf(market.world.rt, market.platformId, Q4, 1)) as Buffer;
    expect(again.equals(first)).toBe(true);
    const staff = await desk.staff('compliance');
    const { body } = await staff('get', `/admin/v1/platforms/${toWire('platform', market.platformId)}/tax-reports/2025Q4`);
    expect(body.items).toMatchObject([
      { version: 1, digest: createHash('sha256').update(first).digest('hex'), dueOn: '2026-01-31' },
    ]);
  });

  test('a correction takes two people and makes a new version; the old one stays', async () => {
    const [one, two] = [await desk.staff('compliance'), await desk.staff('compliance')];
    const [merchant] = await market.world.db.read('merchant', (tx) =>
      tx.rows<{ id: string }>("SELECT id FROM sub_merchants WHERE merchant_no = 'anna'"),
    );
    const path = `/admin/v1/platforms/${toWire('platform', market.platformId)}/tax-reports/2025Q4/adjustments`;
    const change = { merchant: `mer_${merchant?.id}`, month: '2025-11', gross: 200, note: '线下收入' };
    await one('post', path, { ...change, month: '2026-01' }).expect(400);
    const { body } = await one('post', path, change).expect(201);
    expect((await one('post', `/admin/v1/tax-adjustments/${body.id}/approve`)).body.code).toBe('SAME_OPERATOR');
    await two('post', `/admin/v1/tax-adjustments/${body.id}/approve`).expect(200);
    expect(await makeTaxReports(market.world.rt)).toBe(1);
    const second = (await taxFileOf(market.world.rt, market.platformId, Q4, 2))?.toString('utf8');
    expect(second).toContain('M,anna,2025-11,2.00,0.00,2.00,0.00,0.00,0');
    expect((await taxFileOf(market.world.rt, market.platformId, Q4, 1))?.equals(first)).toBe(true);
  });

  test('commission goes by what each got, a correction takes away, and no fen is lost', () => {
    const of = { kind: 'split', ofOrder: true, commission: 100n, fees: 0n };
    const sellers = ['a', 'b', 'c'].map((seller) => ({ seller, amount: 100n }));
    const parts = sellers.map(({ seller }) => figuresOf({ ...of, sellers }, seller).commission);
    expect(parts.reduce((sum, part) => sum + part, 0n)).toBe(100n);
    const undone = { ...of, kind: 'correction', commission: -10n, sellers: [{ seller: 'a', amount: -90n }] };
    expect(figuresOf(undone, 'a')).toEqual({ gross: -100n, refunds: 0n, commission: -10n, fees: 0n });
    expect([taxDueOn(Q4), taxDueOn(parseQuarter('2025Q3') as Quarter)]).toEqual(['2026-01-31', '2025-10-31']);
  });
});

describe('the custody report', () => {
  test('is signed, adds up, can be checked with the public key alone, and a bit changed is found', async () => {
    const staff = await desk.staff('compliance');
    const path = `/admin/v1/platforms/${toWire('platform', market.platformId)}/custody-reports/2025-12-01/2025-12-31`;
    const report = (await staff('post', path).expect(200)).body as CustodyReport;
    const { content } = report;
    // What is in custody is positive, and is what the others have together.
    const sum = (of: 'opening' | 'closing', isCustody: boolean) =>
      content.balances.filter(({ type }) => (type === 'custody') === isCustody).reduce((total, row) => total + row[of], 0);
    expect([sum('opening', false), sum('closing', false)]).toEqual([sum('opening', true), sum('closing', true)]);
    expect(content.flows.find(({ kind }) => kind === 'payment')).toEqual({ kind: 'payment', in: 150_00, out: 0, lines: 2 });
    const custody = content.balances.find(({ type }) => type === 'custody');
    const crossed = content.flows.reduce((total, row) => total + row.in - row.out, 0);
    expect(custody?.closing).toBe(crossed);
    expect(content.days).toEqual({ all: 2, closed: 2, proved: 2, unproved: [] });
    const [jwk] = market.world.rt.receiptKeys.published;
    const key = createPublicKey({ key: jwk as never, format: 'jwk' });
    expect(judgeCustodyReport(report, key)).toEqual({ document: report });
    const renamed = { ...report, content: { ...content, name: 'x' } };
    expect(judgeCustodyReport(renamed, key)).toEqual({ fault: expect.stringContaining('altered') });
    const bent = Buffer.from(report.signature, 'base64url');
    bent[7] = (bent[7] ?? 0) ^ 1;
    const unsigned = { ...report, signature: bent.toString('base64url') };
    expect(judgeCustodyReport(unsigned, key)).toEqual({ fault: expect.stringContaining('signature') });
    expect((await staff('post', path).expect(200)).body).toEqual(report);
    expect((await staff('get', `${path}?format=csv`).expect(200)).text).toContain(`T,${report.hash}`);
    const open = path.replace('2025-12-31', '2026-01-01');
    expect((await staff('post', open)).body.code).toBe('DAY_NOT_OVER');
    expect(await makeMonthlyReports(market.world.rt)).toBe(0);
  });
});

describe('suspicion', () => {
  test('days just below the threshold raise one case, which two people confirm; it is an alarm after two days', async () => {
    const { rt, db } = market.world;
    for (const day of ['2026-03-02', '2026-03-03', '2026-03-05', '2026-03-06']) {
      market.goTo(day);
      await market.pay(`S-${day}`, 450_000_00n);
      await market.split(`S-${day}`, [[anna, 450_000_00n]]);
      market.goTo(addDays(date(day), 1));
      await watchDay(rt, date(day));
    }
    const staff = await desk.staff('compliance');
    const { body } = await staff('get', '/admin/v1/suspicion-cases');
    expect(body.items).toMatchObject([{ rule: 'structuring', date: '2026-03-05', state: 'raised', customer: { name: '王**' } }]);
    const path = `/admin/v1/suspicion-cases/${body.items[0].id}`;
    const confirmed = { verdict: 'confirmed', reason: '多日拆分' };
    expect((await staff('post', `${path}/proposal`, confirmed)).body.code).toBe('REPORT_STATE');
    await staff('post', `${path}/review`).expect(200);
    await staff('post', `${path}/proposal`, confirmed).expect(200);
    expect((await staff('post', `${path}/verdict`, confirmed)).body.code).toBe('SAME_OPERATOR');
    const other = await desk.staff('compliance');
    expect((await other('post', `${path}/verdict`, { ...confirmed, verdict: 'dismissed' })).body.code).toBe('REPORT_STATE');
    // Saturday the 7th: the second working day is Tuesday, the fifth Friday.
    const decided = (await other('post', `${path}/verdict`, confirmed).expect(200)).body;
    expect(decided).toMatchObject({ state: 'confirmed', alarmOn: '2026-03-10', dueOn: '2026-03-13', alarm: false });
    market.goTo('2026-03-10');
    expect((await staff('get', '/admin/v1/suspicion-cases?state=confirmed')).body.items[0].alarm).toBe(true);
    await staff('post', `${path}/reported`, { receiptNo: 'X-1' }).expect(200);
    for (const role of ['operator', 'reviewer', 'administrator'] as const)
      await (await desk.staff(role))('get', '/admin/v1/suspicion-cases').expect(403);
    const words = await db.read('audit', (tx) =>
      tx.rows<{ detail: string }>("SELECT detail FROM audit_entries WHERE action LIKE '%suspicion%'"),
    );
    expect(words.length).toBeGreaterThan(0);
    expect(words.map(({ detail }) => rt.vault.read(detail)).join()).not.toContain('多日拆分');
  });

  test('no platform has a route to it, and nothing outside supervision reads it', async () => {
    const runtime = { config: { REDIS_PREFIX: 'x' } } as unknown as StartedRuntime;
    const routes = allRoutes(runtime, {} as AppParts).filter(({ audience }) => audience !== 'operator');
    const paths = routes.map(({ path }) => path).join(' ');
    expect(paths).not.toMatch(/suspicio|large-value|watched-day|retention/i);
    const heard = await market.world.db.read('outbox', (tx) =>
      tx.rows("SELECT seq FROM outbox WHERE topic LIKE '%suspicio%' OR topic LIKE '%large%'"),
    );
    expect(heard).toEqual([]);
  });
});

describe('how long records are kept', () => {
  const rows = [
    ['retention.contract.years', '2016-08-24', 5n],
    ['retention.relation.years', '2007-08-01', 5n],
    ['retention.relation.years', '2025-01-01', 10n],
  ] as const;
  const parameters = parametersOf(rows.map(([name, from, value]) => ({ name, validFrom: date(from), value, source: '' })));
  const today = date('2026-03-02');

  test('the later of the two, by the law of today; what goes on is kept on', () => {
    const by = (contract: string | undefined, relation: string) =>
      keepUntil({ contract: contract === undefined ? undefined : date(contract), relation: date(relation) }, today, parameters);
    expect(by(undefined, '2016-03-01')).toEqual({ until: '2026-03-01', by: 'relation' });
    expect(by('2030-01-01', '2020-01-01')).toEqual({ until: '2035-01-01', by: 'contract' });
    expect(by('2024-02-29', '2024-02-29')).toEqual({ until: '2034-02-28', by: 'relation' });
    expect(keepUntil({ relation: null }, today, parameters)).toBe('open');
    expect(mayBeDeleted(by(undefined, '2016-03-01'), today)).toBe(true);
    expect(mayBeDeleted(by(undefined, '2016-03-02'), today)).toBe(false);
    expect(mayBeDeleted('open', today)).toBe(false);
  });

  test('a deletion before the day is refused, whatever the record', async () => {
    const staff = await desk.staff('compliance');
    const [instruction] = await market.world.db.read('any', (tx) =>
      tx.rows<{ id: string }>('SELECT id FROM instructions ORDER BY id LIMIT 1'),
    );
    const [merchant] = await market.world.db.read('any', (tx) => tx.rows<{ id: string }>('SELECT id FROM sub_merchants LIMIT 1'));
    const of = `/admin/v1/retention/instruction/ins_${instruction?.id}`;
    expect((await staff('get', of).expect(200)).body).toMatchObject({ keepUntil: '2035-12-30', mayBeDeleted: false });
    expect((await staff('post', `${of}/deletion`)).body.code).toBe('RECORD_MUST_BE_KEPT');
    const open = `/admin/v1/retention/merchant/mer_${merchant?.id}`;
    expect((await staff('get', open).expect(200)).body).toMatchObject({ keepUntil: null, mayBeDeleted: false });
    expect((await staff('post', `${open}/deletion`)).body.code).toBe('RECORD_MUST_BE_KEPT');
    for (const record of ['customer/cus', 'document/doc', 'version/agv', 'consent/cns', 'mandate/mdt', 'payout/pay'])
      await staff('get', `/admin/v1/retention/${record}_2236512894231552003`).expect(404);
    await staff('get', '/admin/v1/retention/instruction/nothing').expect(404);
  });

  test('a deadline after a confirmation counts working days', () => {
    const terms = [
      ['suspicious.days', 5n],
      ['suspicious.alarm-days', 2n],
    ] as const;
    const of = parametersOf(terms.map(([name, value]) => ({ name, validFrom: date('2017-07-01'), value, source: '' })));
    const { calendar } = market.world.rt;
    expect(reportingOf(date('2025-09-26'), of, calendar)).toEqual({ alarmOn: '2025-09-29', dueOn: '2025-10-10' });
  });
});
