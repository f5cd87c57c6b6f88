import { createHash, generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { addDays, type BusinessDate, type Id, toWire } from '../../src/kernel/index.js';
import { addKey } from '../../src/platforms/index.js';
import { reconciliationRoutes } from '../../src/reconciliation/index.js';
import { closeNext, type Market, MONDAY, openMarket } from '../clearing/market.js';
import { startApiOn, type TestApi, type TestPlatform } from '../support/api.js';

let market: Market;
let api: TestApi;
beforeEach(async () => {
  market = await openMarket();
  // By the market's own clock: the API's is the wall's.
  api = await startApiOn(market.world.fresh, () => reconciliationRoutes(market.world.rt));
});
afterEach(async () => {
  await api?.stop();
  await market?.end();
});

async function keyOf(id: Id): Promise<TestPlatform> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const { db, rt } = market.world;
  return { id, keyId: toWire('key', await db.withTx('key', (tx) => addKey(tx, id, pem, rt))), privateKey };
}

describe("a platform's file of its day, over HTTP", () => {
  /** One payment of 10.00 under this number. */
  function fileOf(requestNo: string, date: BusinessDate = MONDAY): string {
    const head = ['H', '1', toWire('platform', market.platformId), date, '1', '10.00'].join('|');
    const body = `${head}\nD|1|${requestNo}|payment|10.00|posted|\n`;
    return `${body}T|1|10.00|${createHash('sha256').update(body).digest('hex')}\n`;
  }
  const digestOf = (file: string) => createHash('sha256').update(file).digest('hex');

  test('comes in parts, is taken whole, is compared at the cut-off, and is nobody else’s to see', async () => {
    const us = await keyOf(market.platformId);
    const other = await openMarket({ world: market.world, bank: market.bank });
    const them = await keyOf(other.platformId);
    const path = `/v1/day-files/${MONDAY}`;
    const put = (part: number | string, text: string) =>
      api.signed(us, 'PUT', `${path}/parts/${part}`, text, { headers: { 'content-type': 'application/octet-stream' } });
    const take = (file: string, parts = 2) => api.signed(us, 'POST', path, { parts, digest: digestOf(file) });

    await market.pay('A', 1_000n);
    const [{ requestNo }] = (await market.world.db.read('number', (tx) =>
      tx.rows<{ requestNo: string }>("SELECT request_no AS requestNo FROM instructions WHERE kind = 'payment'"),
    )) as [{ requestNo: string }];
    const file = fileOf(requestNo);
    expect((await api.signed(us, 'GET', path).expect(404)).body.code).toBe('NOT_FOUND');
    expect((await put(1, file.slice(0, 40)).expect(200)).body).toEqual({ part: 1, bytes: 40 });
    expect((await take(file)).body.code).toBe('DAY_FILE_REFUSED'); // its second part is not there
    await put(2, 'what is replaced').expect(200);
    expect((await take(file)).body.code).toBe('DAY_FILE_REFUSED');
    await put(2, file.slice(40)).expect(200);
    for (const part of ['0', '65', 'x', '1.5']) expect((await put(part, 'x').expect(400)).body.code).toBe('SHAPE_INVALID');
    expect((await api.signed(us, 'POST', path, { parts: 2, digest: 'x' }).expect(400)).body.code).toBe('SHAPE_INVALID');
    expect((await api.signed(us, 'POST', path, { parts: 2, digest: digestOf('x') })).body.code).toBe('DAY_FILE_REFUSED');
    const told = { businessDate: MONDAY, digest: digestOf(file), encoding: 'utf-8', lines: 1, sum: '1000' };
    expect((await take(file).expect(200)).body).toMatchObject({ ...told, comparison: null });
    expect((await take(file).expect(200)).body).toMatchObject(told); // the second click
    expect((await put(1, 'another')).body.code).toBe('DAY_FILE_REUSED');
    expect((await api.signed(them, 'GET', path).expect(404)).body.code).toBe('NOT_FOUND');
    expect((await api.call('GET', path).expect(401)).body.code).toBe('SIGNATURE_MISSING');

    await closeNext(market);
    const comparison = { party: 'platform', ourLines: 1, theirLines: 1, matched: 1 };
    expect((await api.signed(us, 'GET', path).expect(200)).body).toMatchObject({ ...told, comparison });
    expect(
      (
        await api.signed(us, 'PUT', `/v1/day-files/${addDays(MONDAY, -1)}/parts/1`, 'late', {
          headers: { 'content-type': 'application/octet-stream' },
        })
      ).body.code,
    ).toBe('DAY_FILE_LATE');
    await other.end();
  });
});

describe('a break, over HTTP', () => {
  test('is taken, assigned, and repaired by two people, each of whom reads the notes', async () => {
    const inflow = { reference: 'UNKNOWN-1', amount: 77n, counterparty: '王五', text: '货款' };
    await market.channels.coreBank.inflows(market.custodyNo, MONDAY, [inflow]);
    expect(await closeNext(market)).toEqual([{ date: MONDAY, state: 'stopped' }]);
    const [li, wang, auditor] = [await api.operator('operator'), await api.operator('reviewer'), await api.operator('auditor')];
    const wire = (of: { id: Id }) => toWire('operator', of.id);
    const get = (path: string) => api.call('GET', path, { token: auditor.token }).expect(200);
    const [found] = (await get('/admin/v1/breaks?state=open')).body.items;
    expect(found).toMatchObject({ reference: 'UNKNOWN-1', owner: null, note: null });
    const path = `/admin/v1/breaks/${found.id}`;
    const post = (by: { token: string }, verb: string, body?: object) =>
      api.call('POST', `${path}/${verb}`, { token: by.token, ...(body && { body }) });

    expect((await post(auditor, 'take').expect(403)).body.code).toMatch(/PERMISSION/);
    expect((await post(li, 'take').expect(200)).body.owner).toBe(wire(li));
    expect((await post(wang, 'take').expect(200)).body.owner).toBe(wire(wang)); // whoever takes it has it
    expect((await post(wang, 'assign', { owner: wire(li) }).expect(200)).body.owner).toBe(wire(li));
    expect((await post(wang, 'assign', { owner: wire({ id: market.platformId }) }).expect(404)).body.code).toBe('NOT_FOUND');
    expect((await post(wang, 'assign', { owner: 'somebody' }).expect(400)).body.code).toBe('SHAPE_INVALID');
    const ofOwner = async (of: { id: Id }) => (await get(`/admin/v1/breaks?owner=${wire(of)}`)).body.items.length;
    expect([await ofOwner(li), await ofOwner(wang)]).toEqual([1, 0]);
    const nowhere = `/admin/v1/breaks/${toWire('break', market.platformId)}/take`;
    expect((await api.call('POST', nowhere, { token: li.token }).expect(404)).body.code).toBe('NOT_FOUND');

    const first = (await post(li, 'repairs', { action: 'suspense', note: '王五的来账' }).expect(201)).body;
    expect((await post(wang, `repairs/${first.id}/reject`, { note: '再核实王五' }).expect(200)).body).toMatchObject({
      ...{ state: 'rejected', note: '王五的来账', decidedNote: '再核实王五' },
    });
    const again = (await post(li, 'repairs', { action: 'suspense', note: '已核实王五' }).expect(201)).body;
    expect((await post(li, `repairs/${again.id}/approve`, {})).body.code).toBe('SAME_OPERATOR');
    await post(wang, `repairs/${again.id}/approve`, {}).expect(200);
    expect((await get(path)).body).toMatchObject({
      ...{ state: 'closed', note: '已核实王五', owner: wire(li) },
      repairs: [
        { note: '王五的来账', decidedNote: '再核实王五' },
        { note: '已核实王五', decidedNote: null },
      ],
    });
    for (const verb of ['take', 'assign'] as const)
      expect((await post(wang, verb, verb === 'take' ? undefined : { owner: wire(wang) })).body.code).toBe('BREAK_CLOSED');
    const audit = await market.world.db.read('audit', (tx) => tx.rows<{ detail: string }>('SELECT detail FROM audit_entries'));
    expect(audit.length).toBeGreaterThanOrEqual(6);
  });
});
