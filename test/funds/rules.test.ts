import { describe, expect, it } from '@jest/globals';
import { incomeOf, tradingDayAfter, tradingDayOf, unitsFor, worthOf } from '../../src/funds/index.js';
import type { BusinessDate, Instant } from '../../src/kernel/index.js';
import { CALENDAR_DAYS } from '../../src/migrations/data/calendar.js';

const exceptions = new Map(
  CALENDAR_DAYS.flatMap(([year, , days]) =>
    days.split(' ').map((day) => [`${year}-${day.slice(0, 5)}`, day.endsWith('+')] as const),
  ),
);
const calendar = { exceptions, knownYears: new Set(CALENDAR_DAYS.map(([year]) => String(year))) };
const at = (text: string) => Date.parse(`${text}+08:00`) as Instant;

describe('a trading day', () => {
  it.each([
    ['2025-09-26T14:59:59', '2025-09-26'],
    ['2025-09-26T15:00:00', '2025-09-29'],
    ['2025-09-28T10:00:00', '2025-09-29'],
    ['2025-09-30T14:59:59.999', '2025-09-30'],
    ['2025-09-30T15:00:00', '2025-10-09'],
    ['2025-10-04T00:00:00', '2025-10-09'],
    ['2025-10-11T09:00:00', '2025-10-13'],
  ])('what is ordered at %s is traded on %s', (moment, date) => {
    expect(tradingDayOf(calendar, at(moment))).toBe(date);
  });

  it('is followed by the next on which exchanges are open', () => {
    expect(tradingDayAfter(calendar, '2025-09-30' as BusinessDate)).toBe('2025-10-09');
    expect(tradingDayAfter(calendar, '2025-09-26' as BusinessDate, 2)).toBe('2025-09-30');
    expect(tradingDayAfter(calendar, '2025-10-10' as BusinessDate)).toBe('2025-10-13');
  });
});

describe('units and money', () => {
  it('are rounded half up, and income is cut', () => {
    expect(unitsFor(300_000n, 12_345n)).toBe(243_013n);
    expect(worthOf(243_013n, 12_345n)).toBe(300_000n);
    expect(worthOf(50n, 10_100n)).toBe(51n);
    expect(incomeOf(3_000_000n, 4_021n)).toBe(120n);
    expect(incomeOf(24_869n, 4_021n)).toBe(0n);
    expect(incomeOf(24_870n, 4_021n)).toBe(1n);
  });

  it('never earns more in parts than as a whole', () => {
    for (let units = 1n; units < 5_000_000n; units = units * 3n + 1n) {
      const [one, other] = [units / 3n, units - units / 3n];
      expect(incomeOf(one, 3_999n) + incomeOf(other, 3_999n)).toBeLessThanOrEqual(incomeOf(units, 3_999n));
    }
  });
});
