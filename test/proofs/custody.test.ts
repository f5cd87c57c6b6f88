import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { addDays, type BusinessDate, type Id, Refused, readPublicKeys, toWire } from '../../src/kernel/index.js';
import { addKey } from '../../src/platforms/index.js';
import { CustodyProofDiffers } from '../../src/proofs/attest.js';
import { inclusionProof } from '../../src/proofs/inclusion.js';
import { attestDay, proofRoutes } from '../../src/proofs/index.js';
import { type CustodyProof, chainFaults, FIRST, judgeCustody, judgeInclusion } from '../../src/proofs/rules.js';
import { findProof } from '../../src/proofs/store.js';
import { type Database, openReceiptKeys, type Runtime, receiptKeysOfSecret } from '../../src/runtime/index.js';
import { closeNext, type Market, openMarket } from '../clearing/market.js';
import { startApiOn } from '../support/api.js';

const DAYS = ['2026-03-02', '2026-03-03', '2026-03-04', '2026-03-05'] as BusinessDate[];
const [MON, TUE, WED, THU] = DAYS as [BusinessDate, BusinessDate, BusinessDate, BusinessDate];

let market: Market;
beforeAll(async () => {
  market = await openMarket();
  for (const [place, date] of DAYS.entries()) {
    await market.pay(date, 1_000n);
    await market.split(date, [
      [market.here, 600n + BigInt(place)],
      [market.there, 400n - BigInt(place)],
    ]);
    await closeNext(market);
  }
  await market.pay('open', 700n); // on a date that is not over
  expect(chainFaults((await Promise.all(DAYS.map(stored))) as CustodyProof[])).toEqual([]); // each close attested its day
  await market.world.db.withTx('forget', async (tx) => {
    for (const table of ['custody_proofs', 'custody_proof_blocks']) await tx.write(`DELETE FROM ${table}`); // here it is done by hand
  });
});
afterAll(() => market?.end());

const day = (date: BusinessDate) => ({ platformId: market.platformId, date });
const attest = (date: BusinessDate, rt: Runtime = market.world.rt) => attestDay(rt, day(date));
const stored = (date: BusinessDate) => market.world.db.read('proof', (tx) => findProof(tx, market.platformId, date));
const keys = () => readPublicKeys(JSON.stringify({ keys: market.world.rt.receiptKeys.published }));
const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error) => (error instanceof Refused ? error.refusal.code : Promise.reject(error)),
  );

/** The same runtime with a door to the database at which something happens. */
function withDoor(withTx: Database['withTx']): Runtime {
  return { ...market.world.rt, db: { ...market.world.db, withTx } };
}

test('of a day that is not over, or not proved against the bank, nothing is attested', async () => {
  const { businessDate } = await market.book();
  expect(await refusal(attest(businessDate))).toBe('DAY_NOT_PROVED');
  expect(await refusal(attest(addDays(businessDate, 30)))).toBe('DAY_NOT_PROVED');
});

test('a run that is killed before its commit leaves nothing, and the next makes the proof', async () => {
  const { db } = market.world;
  const killed = withDoor((label, work) =>
    db.withTx(label, async (tx) => {
      await work(tx);
      throw new Error('killed');
    }),
  );
  await expect(attest(TUE, killed)).rejects.toThrow('killed');
  expect(await stored(TUE)).toBeUndefined();
  const deaf = withDoor(async (label, work) => {
    await db.withTx(label, work);
    throw new Error('killed after the commit');
  });
  await expect(attest(TUE, deaf)).rejects.toThrow('killed after the commit');
  const kept = await stored(TUE);
  expect(await attest(TUE)).toMatchObject({ hash: kept?.hash, root: kept?.content.root });
  expect(await stored(TUE)).toEqual(kept);
});

test('the first proof of a platform begins its chain, and no day before it is attested any more', async () => {
  expect((await stored(TUE))?.content.previous).toBe(FIRST);
  expect(await refusal(attest(MON))).toBe('DAY_BEFORE_PROOFS');
  expect(await stored(MON)).toBeUndefined();
});

test('days that were left out are attested first; two runs at once make one chain', async () => {
  const [one, other] = await Promise.all([attest(THU), attest(THU, market.world.another())]);
  expect(one).toEqual(other);
  const chain = (await Promise.all([TUE, WED, THU].map(stored))) as CustodyProof[];
  expect(chain.map(({ content }) => content.previous)).toEqual([FIRST, chain[0]?.hash, chain[1]?.hash]);
  expect(chainFaults(chain)).toEqual([]);
  expect(chainFaults([chain[0], chain[2]] as CustodyProof[])).toEqual([expect.stringContaining('proofs are missing')]);
});

test('a proof says what the books and the statement of that day say, and is genuine by the public key', async () => {
  for (const date of [TUE, WED, THU]) {
    const proof = (await stored(date)) as CustodyProof;
    expect(judgeCustody(proof, keys())).toEqual({ document: proof });
    const { custody, children, statement } = await market.day(date);
    expect(proof.content).toMatchObject({
      platform: toWire('platform', market.platformId),
      custodyNo: market.custodyNo,
      date,
      custody: Number(custody),
      children: Number(children),
      statement: { closing: Number(statement?.closing), lines: statement?.lines },
    });
  }
});

test('attested again, with another key too, it is the same byte for byte', async () => {
  const before = await stored(WED);
  const later = { ...market.world.rt, receiptKeys: openReceiptKeys(receiptKeysOfSecret('another', 'r2')) };
  expect(await attest(WED, later)).toMatchObject({ hash: before?.hash });
  expect(await stored(WED)).toEqual(before);
});

describe('an inclusion proof', () => {
  const proofOf = (id: Id, type: 'sub' | 'custody', date: BusinessDate) =>
    inclusionProof(market.world.rt, { id, type, platformId: market.platformId }, date);

  test('of each account is genuine for its balance of that day, and tells of no other', async () => {
    const { accounts } = await market.book();
    const holders = [
      [market.here, 'sub'],
      [market.there, 'sub'],
      [accounts.custody, 'custody'],
    ] as const;
    for (const [id, type] of holders) {
      const proof = await proofOf(id, type, WED);
      expect(judgeInclusion(proof, keys())).toEqual({ document: proof });
      const text = JSON.stringify(proof);
      for (const [other] of holders) if (other !== id) expect(text).not.toContain(other);
    }
    expect((await proofOf(market.here, 'sub', WED)).leaf.balance).toBe(602);
  });

  test('is of no use for another account, balance or day', async () => {
    const mine = await proofOf(market.here, 'sub', WED);
    const his = await proofOf(market.there, 'sub', WED);
    const yesterday = await proofOf(market.here, 'sub', TUE);
    for (const forged of [
      { ...mine, leaf: { ...mine.leaf, balance: mine.leaf.balance + 1 } },
      { ...mine, leaf: his.leaf },
      { ...mine, salt: his.salt },
      { ...mine, index: his.index },
      { ...mine, custody: yesterday.custody },
      { ...yesterday, custody: mine.custody },
    ])
      expect(judgeInclusion(forged, keys())).toEqual({ fault: expect.stringContaining('was altered') });
  });

  test('with any one byte changed is refused in plain words', async () => {
    const text = JSON.stringify(await proofOf(market.here, 'sub', WED));
    const key = keys();
    for (let at = 0; at < text.length; at += 1) {
      for (const bit of [1, 2, 4, 8, 16, 32, 64]) {
        const changed = text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ bit) + text.slice(at + 1);
        let value: unknown;
        try {
          value = JSON.parse(changed);
        } catch {
          continue; // not even JSON any more
        }
        const judged = judgeInclusion(value, key);
        if (!('fault' in judged))
          throw new Error(`passed with bit ${bit} of byte ${at} changed: ${changed.slice(at - 20, at + 20)}`);
        expect(judged.fault.length).toBeGreaterThan(10);
      }
    }
  });

  test('is there for the platform whose account it is and for the bank, and for nobody else', async () => {
    const { fresh } = market.world;
    const api = await startApiOn(fresh, proofRoutes);
    try {
      const { publicKey, privateKey } = generateKeyPairSync('ed25519');
      const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
      const keyId = await api.runtime.db.withTx('key', (tx) => addKey(tx, market.platformId, pem, api.runtime));
      const own = { id: market.platformId, keyId: toWire('key', keyId), privateKey };
      const path = `/v1/accounts/${toWire('account', market.here)}/proofs/${WED}`;
      const answer = await api.signed(own, 'GET', path);
      expect([answer.status, judgeInclusion(answer.body, keys())]).toEqual([200, { document: answer.body }]);
      const head = await api.signed(own, 'GET', `/v1/days/${WED}/proof`);
      expect(head.body).toEqual(answer.body.custody);
      const stranger = await api.platform();
      expect((await api.signed(stranger, 'GET', path)).status).toBe(404);
      expect((await api.signed(stranger, 'GET', `/v1/days/${WED}/proof`)).status).toBe(404);
      expect((await api.signed(own, 'GET', `/v1/days/${MON}/proof`)).status).toBe(404);
      const { token } = await api.operator('auditor');
      expect((await api.call('GET', `/admin${path}`, { token })).body).toEqual(answer.body);
      const days = `/admin/v1/platforms/${toWire('platform', market.platformId)}/days/${WED}/proof`;
      expect((await api.call('GET', days, { token })).body).toEqual(head.body);
    } finally {
      await api.stop();
    }
  });
});

test('when the books of an attested day are no longer what they were, that is told and nothing is written over', async () => {
  const { db } = market.world;
  const before = await stored(WED);
  // Two balances are bent against each other, so that the sums are right.
  const bend = (by: number) =>
    db.withTx('bend', async (tx) => {
      for (const [account, change] of [
        [market.here, by],
        [market.there, -by],
      ])
        await tx.write(
          'UPDATE entries SET balance = balance + ? WHERE account_id = ? AND business_date = ? ORDER BY seq DESC LIMIT 1',
          [change, account, WED],
        );
    });
  await bend(5);
  await expect(attest(WED)).rejects.toThrow(CustodyProofDiffers);
  await expect(
    inclusionProof(market.world.rt, { id: market.here, type: 'sub', platformId: market.platformId }, WED),
  ).rejects.toThrow('is what was attested');
  expect(await stored(WED)).toEqual(before);
  await bend(-5);
  expect(await attest(WED)).toMatchObject({ hash: before?.hash });
});
