import { describe, expect, it } from '@jest/globals';
import { kinds } from '../../src/instructions/index.js';
import { asId, type BusinessDate, type Id, type Instant, startOfDay } from '../../src/kernel/index.js';
import {
  type Counts,
  countedIn,
  countedUp,
  deadlineOf,
  deviationOf,
  isInForce,
  isKept,
  type Looked,
  minuteOf,
  REVIEWABLE_KINDS,
  type ReviewRule,
  reasonsFor,
} from '../../src/reviews/index.js';

const DAY = '2026-03-02' as BusinessDate;
const NOON = (startOfDay(DAY) + 43_200_000) as Instant;
const [ANNA, BEN] = [asId('1000000000000000001'), asId('1000000000000000002')];

const rule = (test: ReviewRule['test'], more: Partial<ReviewRule> = {}): ReviewRule => ({
  ...{ id: asId('1000000000000000009'), platformId: asId('1000000000000000008'), name: 'r', kinds: ['transfer'], test },
  ...{ minutes: 10, onDeadline: 'refuse', from: DAY, until: null, state: 'approved', ...more },
});
const nothing: Looked = {
  ...{ amount: 0n, payers: [], newPayees: [], listed: [], payeeListed: false, changed: [], deviation: undefined },
  counts: () => [],
};
const hits = (test: ReviewRule['test'], looked: Partial<Looked>) =>
  reasonsFor([rule(test)], { ...nothing, ...looked }, NOON).length;

describe('a review rule', () => {
  it('finds what is above its amount, and not what is exactly it', () => {
    expect([100n, 101n].map((amount) => hits({ by: 'amount', above: 100n }, { amount }))).toEqual([0, 1]);
  });

  it('finds what it looks for, and nothing where there is nothing', () => {
    const found: [ReviewRule['test'], Partial<Looked>][] = [
      [{ by: 'new-payee' }, { newPayees: [{ payer: ANNA, payee: null }] }],
      [{ by: 'list-hit' }, { listed: [BEN] }],
      [{ by: 'list-hit' }, { payeeListed: true }],
      [{ by: 'changed-account' }, { changed: [ANNA] }],
      [{ by: 'deviation', most: 100 }, { deviation: 100 }],
    ];
    for (const [test, looked] of found) expect([hits(test, looked), hits(test, {})]).toEqual([1, 0]);
  });

  it('counts this one with those of its window: the minutes up to now, or since midnight', () => {
    const minutes = new Map([0, 10, 11, 720].map((ago) => [minuteOf(NOON) - ago, { times: 1, amount: 10n }]));
    const counts: Counts = { subjectId: ANNA, kind: 'transfer', minutes };
    expect(countedIn([counts], 10, NOON)).toEqual({ times: 2, amount: 20n });
    expect(countedIn([counts], 'day', NOON)).toEqual({ times: 4, amount: 40n });
    expect(countedIn([counts], 'day', (NOON + 43_200_000) as Instant)).toEqual({ times: 0, amount: 0n });
    expect(countedIn([countedUp(counts, 5n, NOON)], 1, NOON)).toEqual({ times: 2, amount: 15n });
    // Two that are a moment apart are within a minute, whatever minute each lies in.
    const before = countedUp({ ...counts, minutes: new Map() }, 5n, (NOON - 1) as Instant);
    expect(countedIn([before], 1, NOON)).toEqual({ times: 1, amount: 5n });
    const looked = { payers: [{ account: ANNA, amount: 1n }], counts: () => [counts] };
    const velocity = { by: 'velocity', per: 'account', within: 10 } as const;
    expect([2, 3].map((times) => hits({ ...velocity, times, sum: null }, looked))).toEqual([1, 0]);
    expect([20n, 21n].map((sum) => hits({ ...velocity, times: null, sum }, looked))).toEqual([1, 0]);
  });

  it('is kept from its approval to its last day, and in force from its first', () => {
    const of = rule({ by: 'new-payee' }, { from: '2026-03-03' as BusinessDate, until: '2026-03-04' as BusinessDate });
    const days = ['02', '03', '04', '05'].map((day) => `2026-03-${day}` as BusinessDate);
    expect(days.map((day) => [isKept(of, day), isInForce(of, day)])).toEqual([
      [true, false],
      [true, true],
      [true, true],
      [false, false],
    ]);
    expect(days.some((day) => isInForce({ ...of, state: 'proposed' }, day) || isInForce({ ...of, state: 'ended' }, day))).toBe(
      false,
    );
  });

  it('with others: the first deadline holds, and one that refuses is enough to refuse', () => {
    const [slow, quick] = [
      { minutes: 60, onDeadline: 'refuse' as const },
      { minutes: 10, onDeadline: 'execute' as const },
    ];
    expect(deadlineOf([slow, quick], NOON)).toEqual({ dueMs: NOON + 600_000, onDeadline: 'refuse' });
    expect(deadlineOf([quick], NOON).onDeadline).toBe('execute');
  });

  it('sends only kinds that there are, and none that tells of money that has moved already', () => {
    for (const kind of REVIEWABLE_KINDS)
      expect(['inflow', 'channel', 'authority']).not.toContain(kinds.get(kind)?.proof ?? 'inflow');
  });
});

it('a deviation is what goes to others than it should, rounded up, of the same whole', () => {
  const of = (...amounts: bigint[]) => new Map<Id, bigint>([ANNA, BEN].map((id, place) => [id, amounts[place] ?? 0n]));
  expect(deviationOf(of(85n, 15n), of(90n, 10n))).toEqual({ bp: 500, sameWhole: true });
  expect(deviationOf(of(2n, 1n), of(3n, 0n))).toEqual({ bp: 3_334, sameWhole: true });
  expect(deviationOf(of(90n, 9n), of(90n, 10n)).sameWhole).toBe(false);
  expect(deviationOf(of(90n, 10n), of(90n, 10n))).toEqual({ bp: 0, sameWhole: true });
});
