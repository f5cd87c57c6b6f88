import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openPlatform } from '../../src/accounts/index.js';
import { decideNow } from '../../src/dispatch/index.js';
import { executeShard, findInstructions } from '../../src/instructions/index.js';
import { asId, canonicalJson, type Id, readPublicKeys, toWire } from '../../src/kernel/index.js';
import { approve, propose } from '../../src/winding-up/decide.js';
import { exportHouse } from '../../src/winding-up/house/export.js';
import type { FileName, Manifest, Takeover } from '../../src/winding-up/house/form.js';
import { importHouse } from '../../src/winding-up/house/import.js';
import { openerOf, textOfKey } from '../../src/winding-up/house/seal.js';
import { windDownRound } from '../../src/winding-up/round.js';
import { deposit, type Holder, openHolder, receiveConsented } from '../clearing/electronic.js';
import { closeNext, fen, type Market, MONDAY, openMarket } from '../clearing/market.js';

const [LI, WANG] = [asId('2236512894231552101'), asId('2236512894231552102')];
const OLD_BANK = '999100000011';
const { privateKey: theirs } = generateKeyPairSync('x25519');
let old: Market;
let next: Market;
let holder: Holder;
let target: Id;
let manifest: Manifest;
let receipt: Takeover;
const files = new Map<FileName, string>();

async function outcomeOf(of: Market, platformId: Id, origin: 'P' | 'O', kind: string, data: object): Promise<string> {
  const { db, rt } = of.world;
  const submission = { platformId, origin, requestNo: `${kind}-${JSON.stringify(data).length}`, kind, body: canonicalJson(data) };
  const { shardId } = await of.book();
  const [received] = await decideNow(of.desk, [{ shardId, submission: { ...submission, actor: 'test' } }]);
  await executeShard(rt, shardId);
  const id = received && 'id' in received ? received.id : LI;
  const outcome = (await db.read('outcome', (tx) => findInstructions(tx, [id]))).get(id)?.outcome;
  return outcome?.code ?? outcome?.state ?? 'undecided';
}

async function payFromAccount(orderNo: string, amount: bigint): Promise<void> {
  const data = { from: toWire('account', holder.account), to: { orderNo }, amount: fen(amount) };
  const id = await receiveConsented(old, holder, 'account-payment', data);
  await executeShard(old.world.rt, (await old.book()).shardId);
  const outcome = (await old.world.db.read('paid', (tx) => findInstructions(tx, [id]))).get(id)?.outcome;
  expect(outcome?.state).toBe('posted');
}

beforeAll(async () => {
  old = await openMarket();
  next = await openMarket();
  const { rt, db, clock } = old.world;
  const { commission, marketing } = (await old.book()).accounts;
  await old.pay('X', 1_000n);
  await old.split('X', [[commission, 1_000n]]);
  const moved = { from: toWire('account', commission), to: toWire('account', marketing), amount: fen(1_000n), remark: '营销' };
  expect(await outcomeOf(old, old.platformId, 'O', 'transfer', moved)).toBe('posted');
  await old.pay('A', 2_000n);
  expect(await outcomeOf(old, old.platformId, 'O', 'subsidy', { orderNo: 'A', amount: fen(900n) })).toBe('posted');
  await old.pay('B', 10_000n);
  await old.split('B', [
    [old.here, 4_000n],
    [old.there, 6_000n],
  ]);
  const hold = { account: toWire('account', old.there), amount: fen(500n), purpose: '质量保证' };
  expect(await old.give('hold', { ...hold, expiresAt: '2026-03-06T12:00:00+08:00' })).toBe('posted');
  expect(await old.give('hold', { ...hold, amount: fen(300n) })).toBe('posted');
  holder = await openHolder(old, 2);
  await deposit(old, holder, 700n);
  await payFromAccount('E', 700n);
  const wanted = { reasonSealed: rt.vault.seal('更换存管行'), ordersBackOn: undefined, movesTo: textOfKey(theirs) };
  const as = (operator: Id) => ({ operator, nowMs: clock.now() });
  await db.withTx('propose', (tx) => propose(tx, rt.newId(), old.platformId, wanted, as(LI)));
  await db.withTx('approve', (tx) => approve(tx, old.platformId, as(WANG)));
  for (let day = 0; day < 3; day += 1) {
    await windDownRound(old.desk, old.platformId);
    await closeNext(old);
  }
  await windDownRound(old.desk, old.platformId);
  manifest = await exportHouse(rt, old.platformId, clock.now(), (file, text) => {
    files.set(file, (files.get(file) ?? '') + text);
  });
  await next.channels.coreBank.openCustodyAccount('C-moved', 'Platform');
  const open = { name: '新户', custodyNo: 'C-moved', openDate: MONDAY, terms: { transferMax: 0n, feeMax: 0n } };
  target = (await next.world.db.withTx('open', (tx) => openPlatform(tx, next.world.rt, open))).platformId;
  next.goTo('2026-03-09'); // by then the first hold has ended
  receipt = await importHouse(next.desk, {
    ...{ platformId: target, manifest, key: theirs, reference: 'MOVE-1' },
    keys: readPublicKeys(JSON.stringify({ keys: rt.receiptKeys.published })),
    source: async function* (file) {
      yield files.get(file) ?? '';
    },
  });
}, 120_000);
afterAll(async () => {
  await old?.end();
  await next?.end();
});

function insides(file: FileName): unknown[] {
  const open = openerOf(theirs, manifest.content.ephemeral);
  const lines = (files.get(file) ?? '').trimEnd().split('\n');
  return lines.map((text, line) => open({ file, line }, JSON.parse(text).sealed));
}

test('every account outside is told with the bank that keeps it, the own one with its number', () => {
  expect(insides('members')).toMatchObject([
    { settlementAccount: { bankCode: OLD_BANK } },
    { settlementAccount: { bankCode: '102100099996' } },
  ]);
});

test('an order that was paid out of an electronic account goes back to its owner’s card', () => {
  expect(insides('orders')).toContainEqual({ payer: { name: '张三', account: holder.card, bankCode: OLD_BANK } });
});

test('what the platform added to an order stays the platform’s', async () => {
  const tooMuch = { orderNo: 'A', amount: fen(2_001n) };
  expect(await outcomeOf(next, target, 'P', 'refund', tooMuch)).toBe('REFUND_EXCEEDS_ORDER');
  expect(files.get('platform')).toBe('{"accountType":"marketing","balance":900}\n');
});

test('a hold that ended before it could be taken over holds nothing, and is in nobody’s way', async () => {
  expect(receipt.content).toMatchObject({ total: manifest.content.total, counts: { members: 2, holds: 1 } });
  const rows = await next.world.db.read('held', (tx) =>
    tx.rows<Record<string, string>>(
      "SELECT CAST(SUM(held) AS CHAR) AS held FROM accounts WHERE platform_id = ? AND type = 'sub'",
      [target],
    ),
  );
  expect(rows[0]?.held).toBe('300');
  expect(await next.wrongs()).toEqual([]);
});
