import { test as check, fc } from '@fast-check/jest';
import { describe, expect, test } from '@jest/globals';
import { type BusinessDate, type Id, type Minor, startOfDay } from '../../src/kernel/index.js';
import type { Payout, PayoutState } from '../../src/payouts/index.js';
import { type Leftover, matchSorted, rowOf } from '../../src/reconciliation/matching.js';
import {
  classify,
  type Difference,
  expectedBy,
  keyOfReference,
  type Outstanding,
  prove,
  settleOutstanding,
} from '../../src/reconciliation/rules.js';
import { RowSorter } from '../../src/reconciliation/sorting.js';

const NUMBER = '2236512894231552021';

function line(reference: string, amount: Minor, lineNo = 1) {
  return { lineNo, reference, amount, counterparty: '', text: '' };
}

function difference(reference: string, ours: Minor | null, theirs: Minor | null): Difference {
  return { reference, ours, theirs, lines: theirs === null ? [] : [line(reference, theirs)] };
}

describe('matching a day', () => {
  const lines = fc.array(
    fc.record({
      reference: fc.constantFrom('a', 'b', 'c', 'd', 'a b', 'a\tb', '\u{1f600}', '\uffee'),
      amount: fc.bigInt({ min: -5n, max: 5n }),
    }),
    { maxLength: 40 },
  );
  type Line = { reference: string; amount: Minor };
  const total = (of: readonly { amount: Minor }[]) => of.reduce((sum, each) => sum + each.amount, 0n);

  /** In runs of a few rows, three merged at a time, so that everything that happens to millions happens. */
  async function match(ours: readonly Line[], theirs: readonly Line[]) {
    const sizes = { run: 30, fan: 3 };
    const [mine, their] = [new RowSorter(sizes), new RowSorter(sizes)];
    for (const { reference, amount } of ours) await mine.add(rowOf(reference, amount));
    for (const [at, { reference, amount }] of theirs.entries()) await their.add(rowOf(reference, amount, '', String(at)));
    const left: Leftover[] = [];
    const { matched } = await matchSorted(mine.rows(), their.rows(), (some) => void left.push(...some));
    await Promise.all([mine.close(), their.close()]);
    return { matched, left };
  }

  check.prop([lines, lines])(
    'explains the whole of the difference between books and statement, once for each reference, and no more',
    async (ours, theirs) => {
      const { left, matched } = await match(ours, theirs);
      const difference = (of: Leftover) => (of.ours ?? 0n) - (of.theirs ?? 0n);
      expect(left.reduce((sum, of) => sum + difference(of), 0n)).toBe(total(ours) - total(theirs));
      expect(new Set(left.map(({ reference }) => reference)).size).toBe(left.length);
      for (const of of left) {
        const under = (all: readonly Line[]) => total(all.filter(({ reference }) => reference === of.reference));
        expect(difference(of)).toBe(under(ours) - under(theirs));
        expect(difference(of)).not.toBe(0n);
      }
      expect(matched).toBeLessThanOrEqual(Math.min(ours.length, theirs.length));
    },
  );

  check.prop([lines])('finds nothing when both sides have the same, in any order', async (ours) => {
    expect(await match(ours, [...ours].reverse())).toEqual({ matched: ours.length, left: [] });
  });

  test('lets a movement and its correction cancel each other', async () => {
    const both = [
      { reference: 'a', amount: 5n },
      { reference: 'a', amount: -5n },
    ];
    expect((await match(both, [])).left).toEqual([]);
  });

  test('takes a reference with spaces behind it for the same, and lets several of ours be one of theirs', async () => {
    const halves = [
      { reference: 'a', amount: 5n },
      { reference: 'a', amount: 7n },
    ];
    expect((await match(halves, [{ reference: 'a  ', amount: 12n }])).left).toEqual([]);
    expect((await match(halves, [{ reference: 'a\u00a0', amount: 12n }])).left).toHaveLength(2);
  });

  test('hands on what differs some at a time, however much it is', async () => {
    const theirs = Array.from({ length: 10_000 }, (_, at) => rowOf(String(at), 1n)).sort();
    const turns = async function* (rows: readonly string[]) {
      for (let from = 0; from < rows.length; from += 2_000) yield rows.slice(from, from + 2_000);
    };
    const sizes: number[] = [];
    await matchSorted(turns([]), turns(theirs), (some) => void sizes.push(some.length));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(10_000);
    expect(Math.max(...sizes)).toBe(1_000);
  });

  test('tells where only the states differ', async () => {
    const left: Leftover[] = [];
    const rows = async function* (...some: string[]) {
      yield some;
    };
    await matchSorted(rows(rowOf('a', 5n, 'posted')), rows(rowOf('a', 5n, 'failed', '1')), (some) => void left.push(...some));
    expect(left).toMatchObject([{ ours: 5n, theirs: 5n, states: { ours: 'posted', theirs: 'failed' } }]);
  });
});

describe('naming a difference', () => {
  const payout = (state: PayoutState) => ({ id: NUMBER as Id, amount: 7n, state }) as Payout;
  const nothing = { payout: undefined, laterOurs: null, afterMidnight: false };

  test.each([
    ['ours alone', difference('x', 5n, null), nothing, 'only-ours', false],
    ['ours alone, posted after midnight', difference('x', 5n, null), { ...nothing, afterMidnight: true }, 'only-ours', true],
    ['theirs alone', difference('x', null, 5n), nothing, 'only-theirs', false],
    ['theirs, and ours a day later', difference('x', null, 5n), { ...nothing, laterOurs: 5n }, 'only-theirs', true],
    [
      'theirs, and ours a day later with another amount',
      difference('x', null, 5n),
      { ...nothing, laterOurs: 6n },
      'only-theirs',
      false,
    ],
    ['both, unequal', difference('x', 5n, 6n), nothing, 'amount-differs', false],
    [
      'a payment that the books have as failed',
      difference(NUMBER, null, -7n),
      { ...nothing, payout: payout('failed') },
      'state-differs',
      false,
    ],
    [
      'a payment that the books never sent',
      difference(NUMBER, null, -7n),
      { ...nothing, payout: payout('created') },
      'state-differs',
      false,
    ],
    [
      'a payment that the books had before',
      difference(NUMBER, null, -7n),
      { ...nothing, payout: payout('settled') },
      'only-theirs',
      false,
    ],
    ['a payment of another amount', difference(NUMBER, null, -8n), { ...nothing, payout: payout('sent') }, 'only-theirs', false],
    [
      'a return that the books had before',
      difference(`RT${NUMBER}`, null, 7n),
      { ...nothing, payout: payout('returned') },
      'only-theirs',
      false,
    ],
  ] as const)('%s', (_name, of, circumstances, kind, timing) => {
    expect(classify(of, circumstances)).toMatchObject({ class: kind, timing, converge: null });
  });

  test('a collection comes in under its number, and what is charged back is for a person', () => {
    const collection = (state: PayoutState) => ({ ...nothing, payout: { ...payout(state), purpose: 'top-up' } as Payout });
    expect(classify(difference(NUMBER, null, 7n), collection('unknown'))).toMatchObject({
      timing: true,
      converge: { to: 'settled' },
    });
    expect(classify(difference(NUMBER, null, -7n), collection('unknown'))).toMatchObject({ timing: false, converge: null });
    expect(classify(difference(NUMBER, null, 7n), collection('failed'))).toMatchObject({
      class: 'state-differs',
      converge: null,
    });
    for (const state of ['sent', 'settled'] as const) {
      expect(classify(difference(`RT${NUMBER}`, null, -7n), collection(state))).toMatchObject({
        class: 'only-theirs',
        timing: false,
        converge: null,
      });
    }
  });

  test.each(['sent', 'unknown'] as const)('theirs success, ours %s: converges to success', (state) => {
    const circumstances = { ...nothing, payout: payout(state) };
    expect(classify(difference(NUMBER, null, -7n), circumstances)).toMatchObject({
      class: 'only-theirs',
      timing: true,
      converge: { to: 'settled' },
    });
    expect(classify(difference(`RT${NUMBER}`, null, 7n), circumstances)).toMatchObject({
      timing: true,
      converge: { to: 'returned' },
    });
  });
});

describe('differences that stand', () => {
  const date = (day: number) => `2026-03-0${day}` as BusinessDate;
  const standing = (reference: string, amount: Minor, changes: Partial<Outstanding> = {}): Outstanding => ({
    id: reference as Id,
    businessDate: date(2),
    reference,
    difference: amount,
    timing: true,
    open: true,
    expectedBy: date(3),
    ...changes,
  });

  test('are cleared when the other side appears, and only when all of it does', () => {
    const outstanding = [standing('a', 5n), standing('b', 5n)];
    const { cleared, fresh, stay } = settleOutstanding(
      outstanding,
      [difference('a', null, 5n), difference('b', null, 4n)],
      date(3),
    );
    expect([
      cleared.map((each) => each.reference),
      fresh.map((each) => each.reference),
      stay.map((each) => each.reference),
    ]).toEqual([['a'], ['b'], ['b']]);
  });

  test('are no longer a matter of timing when the next day has not explained them', () => {
    expect(settleOutstanding([standing('a', 5n)], [], date(2)).stale).toEqual([]);
    expect(settleOutstanding([standing('a', 5n)], [], date(3)).stale).toHaveLength(1);
  });

  test('wait for as long as the bank may be ahead of a close that is days behind', () => {
    const openedMs = startOfDay(date(6));
    const found = { businessDate: date(2), openedMs };
    expect(expectedBy({ ...found, class: 'only-ours' })).toBe(date(6));
    expect(expectedBy({ ...found, class: 'only-theirs' })).toBe(date(3));
    expect(expectedBy({ ...found, openedMs: startOfDay(date(3)), class: 'only-ours' })).toBe(date(3));
  });

  test('keep a reference that is too long for its column apart from others', () => {
    const [one, two] = ['1', '2'].map((end) => keyOfReference('x'.repeat(80) + end));
    expect(one).not.toBe(two);
    expect(one).toHaveLength(64);
    expect(keyOfReference('short')).toBe('short');
    expect(() => encodeURIComponent(keyOfReference(`${'a'.repeat(46)}\u{1f600}${'b'.repeat(40)}`))).not.toThrow();
  });
});

describe('the proof', () => {
  const sound = { custody: 10n, children: 10n, control: 10n, statement: 12n, outstanding: -2n, openBreaks: 0 };
  test('holds when accounts, control total and explained statement agree', () => {
    expect(prove(sound)).toEqual([]);
  });
  test.each([
    ['custody', 9n],
    ['children', 9n],
    ['control', 9n],
    ['statement', 9n],
    ['outstanding', 0n],
    ['openBreaks', 1],
  ] as const)('fails when %s is another', (name, value) => {
    expect(prove({ ...sound, [name]: value }).length).toBeGreaterThan(0);
  });
});
