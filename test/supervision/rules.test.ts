import { describe, expect, test } from '@jest/globals';
import type { BusinessDate } from '../../src/kernel/index.js';
import { PARAMETERS } from '../../src/migrations/data/parameters.js';
import { parametersOf } from '../../src/runtime/index.js';
import { type CustomerDay, flowsOf } from '../../src/supervision/rules.js';
import { SUSPICION_RULES } from '../../src/supervision/suspicion-rules.js';

const parameters = parametersOf(
  PARAMETERS.map(([name, validFrom, value, source]) => ({
    name,
    validFrom: validFrom as BusinessDate,
    value: BigInt(value),
    source,
  })),
);
const DATE = '2026-03-02' as BusinessDate;
const QUIET: CustomerDay = {
  date: DATE,
  subject: 'ab',
  kind: 'person',
  inSum: 0n,
  inLines: 0,
  outSum: 0n,
  outLines: 0,
  refunded: 0n,
};

interface DayBefore {
  readonly date: string;
  readonly inSum: bigint;
  readonly outSum: bigint;
}

const found = (day: Partial<CustomerDay>, days: readonly DayBefore[] = []) => {
  const history = { days: days.map((each) => ({ ...each, date: each.date as BusinessDate })) };
  return SUSPICION_RULES.filter((rule) => rule.test({ ...QUIET, ...day }, history, parameters) !== undefined).map(
    ({ name }) => name,
  );
};

describe('the flows of an instruction', () => {
  const a = (amount: bigint) => ({ subject: 'a', amount });
  const b = (amount: bigint) => ({ subject: 'b', amount });

  test.each([
    ['a transfer is out of one and into another', 'transfer', [a(-5n), b(5n)], undefined, ['a out 5', 'b in 5']],
    ['between accounts of one customer nothing flows', 'margin-deposit', [a(-5n), a(5n)], undefined, []],
    ['a withdrawal has not left yet', 'withdrawal', [a(-5n)], undefined, []],
    ['it has when it is settled', 'payout-settled', [], { subject: 'a', purpose: 'withdrawal', amount: 5n }, ['a out 5']],
    [
      'a refund of an order that is settled was counted before',
      'payout-settled',
      [],
      { subject: 'a', purpose: 'refund', amount: 5n },
      [],
    ],
    ['what failed never was', 'payout-failed', [a(5n)], undefined, []],
    ['what came back came in', 'payout-returned', [a(5n)], undefined, ['a in 5']],
    ['a correction and interest are exempt', 'correction', [a(5n), b(-5n)], undefined, []],
    ['a top-up comes in', 'payout-settled', [a(5n)], { subject: 'a', purpose: 'top-up', amount: 5n }, ['a in 5']],
  ] as const)('%s', (_name, kind, entries, paidOut, expected) => {
    expect(flowsOf({ kind, entries, paidOut }).map((flow) => `${flow.subject} ${flow.side} ${flow.amount}`)).toEqual(expected);
  });
});

describe('what looks suspicious', () => {
  test('from many to few on one day, at the share and not below it', () => {
    const day = { inSum: 200_000_00n, inLines: 20, outSum: 180_000_00n, outLines: 3 };
    expect(found(day)).toContain('pass-through');
    expect(found({ ...day, inLines: 3, outLines: 20 })).toContain('pass-through');
    expect(found({ ...day, outSum: 179_999_99n })).not.toContain('pass-through');
    expect(found({ ...day, inLines: 19 })).not.toContain('pass-through');
    expect(found({ ...day, outLines: 4 })).not.toContain('pass-through');
    expect(found({ ...day, inSum: 199_999_99n })).not.toContain('pass-through');
  });

  test('much after half a year of nothing; who was never there is no sleeper', () => {
    const lastOn = (date: string) => [{ date, inSum: 1n, outSum: 0n }];
    expect(found({ inSum: 100_000_00n }, lastOn('2025-09-03'))).toEqual(['sleeping-then-large']);
    expect(found({ inSum: 100_000_00n }, lastOn('2025-09-04'))).toEqual([]);
    expect(found({ inSum: 99_999_99n }, lastOn('2025-09-03'))).toEqual([]);
    expect(found({ inSum: 100_000_00n })).toEqual([]);
  });

  test('much that went back, of what came in', () => {
    expect(found({ inSum: 200_000_00n, outSum: 100_000_00n, refunded: 100_000_00n })).toContain('refund-churn');
    expect(found({ inSum: 200_000_02n, outSum: 100_000_00n, refunded: 100_000_00n })).not.toContain('refund-churn');
    expect(found({ inSum: 1n, outSum: 99_999_99n, refunded: 99_999_99n })).not.toContain('refund-churn');
  });

  test('just below on three of ten days: the share counts, the threshold itself does not', () => {
    const one = { date: '2026-02-28', inSum: 400_000_00n, outSum: 0n };
    const two = { date: '2026-02-21', inSum: 499_999_99n, outSum: 0n };
    const days = [one, two];
    expect(found({ inSum: 400_000_00n }, days)).toContain('structuring');
    expect(found({ inSum: 399_999_99n }, days)).not.toContain('structuring');
    expect(found({ inSum: 500_000_00n }, days)).not.toContain('structuring');
    expect(found({ inSum: 400_000_00n }, [one, { ...two, date: '2026-02-20' }])).not.toContain('structuring');
    expect(found({ outSum: 400_000_00n }, days)).not.toContain('structuring');
  });
});
