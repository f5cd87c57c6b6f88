import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { executeShard } from '../../src/instructions/index.js';
import { type ClaimsStage, cny, next, openClaims } from './stage.js';

let stage: ClaimsStage;
let payee: string;
beforeAll(async () => {
  stage = await openClaims();
  payee = await stage.seller();
});
afterAll(() => stage?.stop());

const ROUNDS = 6;

async function held(amount: number, purpose = next('保证')) {
  const account = await stage.sellerWith(amount);
  const { result } = await stage.give('hold', { account, amount: cny(amount), purpose });
  return { account, hold: result.hold as string, purpose };
}

/** Two instructions that come in at the same moment, decided by two who come to the shard at the same moment. */
async function race(...asked: readonly (readonly [kind: string, data: unknown])[]) {
  const ids = await Promise.all(asked.map(([kind, data]) => stage.receive(kind, data)));
  const shards = [0, 1, 2].map((shard) => executeShard(stage.api.runtime, shard));
  await Promise.all([...shards, stage.decide(ids)]);
  return (await stage.decide(ids)).map(({ code }) => code);
}

const balances = async (account: string) => {
  const { balance, held: kept } = (await stage.read(`accounts/${account}`).expect(200)).body;
  return [balance, kept];
};

describe('a hold is used up once', () => {
  it('of two captures that race for its last fen one gets it', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { account, hold } = await held(100);
      expect((await stage.give('capture', { hold, to: payee, amount: cny(99) })).code).toBe('posted');
      const last = { hold, to: payee, amount: cny(1) };
      expect((await race(['capture', last], ['capture', last])).sort()).toEqual(['HOLD_ENDED', 'posted']);
      expect(await balances(account)).toEqual([0, 0]);
    }
  });

  it('of two captures that together want more than it has, the second is told what is left', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { account, hold } = await held(100);
      const most = { hold, to: payee, amount: cny(60) };
      expect((await race(['capture', most], ['capture', most])).sort()).toEqual(['CAPTURE_EXCEEDS_HOLD', 'posted']);
      expect(await balances(account)).toEqual([40, 40]);
    }
  });

  it('released twice it is free once', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { account, hold } = await held(100);
      expect((await race(['release', { hold }], ['release', { hold }])).sort()).toEqual(['HOLD_ENDED', 'posted']);
      expect(await balances(account)).toEqual([100, 0]);
    }
  });

  it('it is captured or released with many others, never both', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const [one, other] = [await held(100), await held(50)];
      const all = { holds: [one.hold, other.hold] };
      const [captured, released] = await race(
        ['capture', { hold: one.hold, to: payee, amount: cny(100) }],
        ['bulk-release', all],
      );
      expect([captured, released].sort()).toEqual(['HOLD_ENDED', 'posted']);
      // All of them are released or none.
      expect(await balances(other.account)).toEqual(released === 'posted' ? [50, 0] : [50, 50]);
      expect(await balances(one.account)).toEqual(captured === 'posted' ? [0, 0] : [100, 0]);
    }
  });

  it('a release of all for one purpose takes what a capture of the same moment left, and finds nothing the second time', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const one = await held(100);
      const other = await held(50, one.purpose);
      const all = { purpose: one.purpose };
      const [captured, first, second] = await race(
        ['capture', { hold: one.hold, to: payee, amount: cny(30) }],
        ['bulk-release', all],
        ['bulk-release', all],
      );
      expect([first, second].sort()).toEqual(['HOLD_NOT_FOUND', 'posted']);
      expect(await balances(one.account)).toEqual(captured === 'posted' ? [70, 0] : [100, 0]);
      expect(await balances(other.account)).toEqual([50, 0]);
    }
  });
});

describe('many holds for one purpose', () => {
  it('are too many above 500, also where one of them ends in the same batch, and then all of them are released', async () => {
    const [account, purpose] = [await stage.sellerWith(600), next('批量')];
    const asked = Array.from({ length: 502 }, () => stage.receive('hold', { account, amount: cny(1), purpose }));
    const holds = await stage.decide(await Promise.all(asked));
    const release = (place: number) => stage.receive('release', { hold: holds[place]?.result.hold });
    const all = () => stage.receive('bulk-release', { purpose });
    const first = await stage.decide([await release(0), await all()]);
    expect(first.map(({ code }) => code)).toEqual(['posted', 'HOLDS_TOO_MANY']);
    const second = await stage.decide([await release(1), await all(), await all()]);
    expect(second.map(({ code }) => code)).toEqual(['posted', 'posted', 'HOLD_NOT_FOUND']);
    expect(second[1]?.result).toMatchObject({ holds: 500, released: '500' });
    expect(await balances(account)).toEqual([600, 0]);
  });
});

it('the books hold after all of it', async () => {
  expect(await stage.violations()).toEqual([]);
});
