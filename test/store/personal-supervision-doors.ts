import { createHash } from 'node:crypto';
import { expect } from '@jest/globals';
import { type BusinessDate, startOfDay } from '../../src/kernel/index.js';
import { until } from '../jobs/until.js';
import type { Door } from './personal-doors.js';
import { type Somebody, type Stage, somebody } from './personal-stage.js';

/** The doors of what authorities ask, of what is said of files and of days that are over, and of the end of a platform: people write words. */
const cny = (amount: number) => ({ amount, currency: 'CNY' });
const all = (...people: readonly Somebody[]) => people.flatMap((person) => person.plain);

async function sellerOf({ asPlatform }: Stage, of: Somebody): Promise<{ id: string; account: string }> {
  const party = { kind: 'person', name: of.name, idNo: of.idNo, mobile: of.mobile };
  const settlementAccount = { name: of.name, account: of.card, bankCode: '' };
  const asked = { merchantNo: `V-${of.mobile.slice(-4)}`, party, settlementAccount, cycle: 'on-request' };
  return (await asPlatform('POST', '/v1/sub-merchants', asked)).body;
}

function expectHidden(shown: unknown, ...people: readonly Somebody[]): void {
  const text = JSON.stringify(shown);
  for (const plain of all(...people)) expect(text).not.toContain(plain);
}

/** Much comes to a seller in a day and half of it goes back: two people write why it is not reported, and what they suspect. */
async function watchedFlows(stage: Stage) {
  const [buyer, seller, noted, suspected] = [somebody(), somebody(), somebody(), somebody()];
  const { asStaff, asReviewer, give, pay, nextDay, today } = stage;
  const { account } = await sellerOf(stage, seller);
  expect(await pay('Y-1', 60_000_000, { name: buyer.name, account: buyer.card })).toBe('posted');
  const lines = (amount: number) => [{ account, amount: cny(amount) }];
  expect(await give('split', { orderNo: 'Y-1', lines: lines(60_000_000) })).toBe('posted');
  expect(await give('split-return', { orderNo: 'Y-1', lines: lines(30_000_000) })).toBe('posted');
  const day = today();
  expect(await nextDay()).toBe('closed');
  expect((await asStaff('POST', `/admin/v1/watched-days/${day}`)).status).toBe(202);
  const { body: found } = await until(
    () => asStaff('GET', `/admin/v1/large-value-reports?date=${day}`),
    ({ body }) => body.items.length > 0,
  );
  expectHidden(found, seller, buyer);
  expect(JSON.stringify((await asStaff('GET', `/admin/v1/large-value-exports/${day}?format=json`)).body)).toContain(seller.name);
  const path = `/admin/v1/large-value-reports/${found.items[0].id}`;
  const why = { reason: `${noted.name}（${noted.idNo}）核实` };
  expect((await asStaff('POST', `${path}/exemption-proposal`, why)).body.proposedNote).toBe(why.reason);
  expect((await asReviewer('POST', `${path}/exempt`)).body.state).toBe('exempted');
  const { body: cases } = await until(
    () => asStaff('GET', '/admin/v1/suspicion-cases'),
    ({ body }) => body.items.length > 0,
  );
  expectHidden(cases, seller, buyer);
  const of = `/admin/v1/suspicion-cases/${cases.items[0].id}`;
  const verdict = { verdict: 'confirmed', reason: `${suspected.name} ${suspected.mobile}` };
  expect((await asStaff('POST', `${of}/review`)).status).toBe(200);
  expect((await asStaff('POST', `${of}/proposal`, verdict)).body.proposedNote).toBe(verdict.reason);
  expect((await asReviewer('POST', `${of}/verdict`, verdict)).body.decidedNote).toBe(verdict.reason);
  expect((await asStaff('GET', `${of}/customer`)).body.name).toBe(seller.name);
  return all(buyer, seller, noted, suspected);
}

/** What sellers earned in a quarter is corrected and disputed, with words. */
async function taxes(stage: Stage) {
  const [seller, noted, named] = [somebody(), somebody(), somebody()];
  const { asPlatform, asStaff, asReviewer, platform, fresh, today } = stage;
  // The platform is as if it had been there before the quarter ended: else there is nothing to tell of it.
  const since = startOfDay('2025-12-01' as BusinessDate);
  await fresh.db.withTx('backdate', (tx) =>
    tx.write('UPDATE platforms SET created_ms = ? WHERE id = ?', [since, platform.slice(4)]),
  );
  const { id: merchant } = await sellerOf(stage, seller);
  const change = { merchant, month: '2025-12', gross: 200, note: `${noted.name}线下收入，${noted.card}` };
  const { body } = await asStaff('POST', `/admin/v1/platforms/${platform}/tax-reports/2025Q4/adjustments`, change);
  expect(body.note).toBe(change.note);
  expect((await asReviewer('POST', `/admin/v1/tax-adjustments/${body.id}/approve`)).body.note).toBe(change.note);
  const made = await until(
    () => asPlatform('GET', '/v1/tax-reports/2025Q4'),
    (seen) => seen.body.items.length > 0,
  );
  const said = { answer: 'disputed', note: `${named.name}（${named.idNo}）已注销` };
  const answered = await asPlatform('POST', `/v1/tax-reports/2025Q4/${made.body.items[0].version}/answer`, said);
  expect(answered.body).toMatchObject({ state: 'disputed', note: said.note });
  const period = `${today().slice(0, 8)}01`;
  const report = await asStaff('POST', `/admin/v1/platforms/${platform}/custody-reports/${period}/${period}`);
  expect(report.status).toBe(200);
  return all(seller, noted, named);
}

/** The platform's own file of a day with its own words, a dispute over the bank's, and what two people post for a day that is over. */
async function daysThatAreOver(stage: Stage) {
  const [buyer, remarked, named, noted, late] = Array.from({ length: 5 }, somebody) as Five;
  const { asPlatform, asStaff, asReviewer, pay, nextDay, platform, today } = stage;
  const day = today();
  expect(await pay('Z-1', 900, { name: buyer.name, account: buyer.card })).toBe('posted');
  const row = `D|1|NOT-OURS|payment|0.07|posted|${remarked.name} ${remarked.mobile} ${remarked.card}`;
  const rows = Buffer.from(`H|1|${platform}|${day}|1|0.07\n${row}\n`);
  const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  const file = Buffer.concat([rows, Buffer.from(`T|1|0.07|${sha256(rows)}\n`)]);
  const kept = await asPlatform('PUT', `/v1/day-files/${day}/parts/1`, file, 'application/octet-stream');
  expect(kept.status).toBe(200);
  expect((await asPlatform('POST', `/v1/day-files/${day}`, { parts: 1, digest: sha256(file) })).body.lines).toBe(1);
  expect(await nextDay()).toBe('closed');
  expect((await asPlatform('GET', `/v1/day-files/${day}`)).body.comparison).not.toBeNull();
  // Parts go when they are compared: one of the day that is open stays.
  const next = today();
  expect((await asPlatform('PUT', `/v1/day-files/${next}/parts/1`, file, 'application/octet-stream')).status).toBe(200);
  const { body: files } = await asPlatform('GET', `/v1/check-files/${day}`);
  const { utf8 } = files.items.find((each: { file: string }) => each.file === 'trades');
  const said = { digest: utf8.sha256, lines: [{ line: 1, reason: `${named.name}（${named.idNo}）未付款` }] };
  const { body: disputed } = await asPlatform('POST', `/v1/check-files/${day}/trades/disputes`, said);
  expect(disputed.items).toMatchObject([{ state: 'open', reason: said.lines[0]?.reason }]);
  const answer = { verdict: 'rejected', answer: `${noted.name} ${noted.mobile}` };
  const answered = await asStaff('POST', `/admin/v1/file-disputes/${disputed.items[0].id}/answer`, answer);
  expect(answered.body).toMatchObject({ state: 'rejected', answer: answer.answer });
  const payer = { name: late.name, account: late.card };
  const path = `/admin/v1/platforms/${platform}/days/${day}/late-corrections`;
  const { body } = await asStaff('POST', path, {
    ...{ requestNo: 'Z-LATE', kind: 'payment', reason: `${late.company}，${late.mobile}` },
    data: { orderNo: 'Z-2', amount: cny(5), payer, reference: 'Z-LATE' },
  });
  expect(body).toMatchObject({ state: 'proposed', reason: `${late.company}，${late.mobile}` });
  expect((await asReviewer('POST', `/admin/v1/late-corrections/${body.id}/decline`)).body.state).toBe('declined');
  return all(buyer, remarked, named, noted, late);
}
type Five = [Somebody, Somebody, Somebody, Somebody, Somebody];

/** The platform is wound up with all that the doors before let in: words of two people, and a signed report of every account. */
async function windingUp({ asStaff, asReviewer, platform, nextDay, today }: Stage) {
  const [named, noted] = [somebody(), somebody()];
  const path = `/admin/v1/platforms/${platform}/wind-down`;
  const why = { reason: `${named.name}（${named.idNo}）失联，${named.mobile}` };
  expect((await asStaff('POST', path, why)).body.reason).toBe(why.reason);
  expect((await asReviewer('POST', `${path}/reject`, { note: `${noted.name} ${noted.card}` })).status).toBe(204);
  expect((await asStaff('POST', path, why)).status).toBe(201);
  expect((await asReviewer('POST', `${path}/approve`)).body).toMatchObject({ state: 'winding-up', reason: why.reason });
  const rounded = () =>
    until(
      () => asStaff('GET', path),
      ({ body }) => body.roundedOn === today(),
    );
  let { body } = await rounded();
  for (let days = 0; days < 5 && body.report === 0; days += 1) {
    await nextDay();
    ({ body } = await rounded());
  }
  expect(body.report).toBeGreaterThan(0);
  const { body: told } = await asStaff('GET', `${path}/reports/${body.report}/lines`);
  expect(told.lines.length).toBeGreaterThan(0);
  return all(named, noted);
}

export const SUPERVISION_DOORS: Readonly<Record<string, Door>> = { watchedFlows, taxes, daysThatAreOver };
/** Nothing new is taken after it. */
export const LAST_DOORS: Readonly<Record<string, Door>> = { windingUp };
