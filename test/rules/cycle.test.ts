import { test as property } from '@fast-check/jest';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CYCLES, type CycleTerms, cycleFaults, dueDate, isPayDay, nextPayDay } from '../../src/accounts/cycle.js';
import { addDays, type BusinessDate, type Calendar, isWorkingDay, workingDayAfter } from '../../src/kernel/index.js';
import { CALENDAR_DAYS } from '../../src/migrations/data/calendar.js';

const day = (text: string) => text as BusinessDate;
const calendar: Calendar = {
  exceptions: new Map(
    CALENDAR_DAYS.flatMap(([year, , days]) =>
      days.split(' ').map((each) => [`${year}-${each.slice(0, 5)}`, each.endsWith('+')] as const),
    ),
  ),
  knownYears: new Set(['2024', '2025', '2026']),
};

/** `T+5`, `weekly 3`: the cycle in one word and its number. */
function termsOf(text: string): CycleTerms {
  const [word = '', number] = text.split(' ');
  const counted = /^t\+([2-9]|\d\d)$/.exec(word)?.[1];
  return {
    cycle: (counted === undefined ? word : 't+n') as CycleTerms['cycle'],
    cycleDays: counted === undefined ? null : Number(counted),
    payDay: number === undefined ? null : Number(number),
  };
}

describe('the date on which money falls due', () => {
  it.each([
    // The handbook's vectors: a worked Sunday, and the holiday of eight days.
    ['t+1', 0, '2025-09-26', '2025-09-28'],
    ['t+1', 0, '2025-09-30', '2025-10-09'],
    ['d+1', 0, '2025-09-30', '2025-10-01'],
    // On the day itself is by the close of that day, which stands on the date after; a day off is not worked.
    ['d+0', 0, '2025-10-03', '2025-10-04'],
    ['t+0', 0, '2025-09-30', '2025-10-01'],
    ['t+0', 0, '2025-10-03', '2025-10-10'],
    ['t+2', 0, '2025-09-30', '2025-10-10'],
    ['t+3', 0, '2025-09-30', '2025-10-11'], // a worked Saturday
    ['weekly 3', 0, '2025-09-23', '2025-09-24'],
    ['weekly 3', 0, '2025-09-24', '2025-10-09'], // Wednesday, 1 October, is a holiday; so is the 8th
    ['weekly 7', 0, '2025-09-26', '2025-09-28'], // a Sunday that is worked
    ['weekly 7', 0, '2025-09-28', '2025-10-09'],
    ['monthly 31', 0, '2026-02-03', '2026-02-28'], // the last of a short month, a worked Saturday
    ['monthly 31', 0, '2026-04-02', '2026-04-30'],
    ['monthly 31', 0, '2026-04-30', '2026-06-01'], // 31 May is a Sunday
    ['monthly 15', 0, '2026-02-14', '2026-02-24'], // in the spring festival
    ['monthly 1', 0, '2026-04-01', '2026-05-06'], // Labour Day
    ['on-request', 0, '2025-09-30', '2025-10-09'],
    // Held back: as if it had come in so many natural days later.
    ['t+1', 3, '2026-03-06', '2026-03-10'],
    ['t+2', 7, '2025-09-24', '2025-10-10'],
    ['d+1', 5, '2025-09-30', '2025-10-06'],
    ['weekly 1', 2, '2026-03-07', '2026-03-16'],
  ])('%s held back %i: what came in on %s on %s', (text, holdBackDays, cameIn, due) => {
    expect(dueDate({ ...termsOf(text), holdBackDays }, day(cameIn), calendar)).toBe(due);
  });

  const date = fc.integer({ min: 0, max: 700 }).map((days) => addDays(day('2024-12-15'), days));
  const terms: fc.Arbitrary<CycleTerms> = fc
    .record({ cycle: fc.constantFrom(...CYCLES), n: fc.integer({ min: 2, max: 30 }), of: fc.integer({ min: 1, max: 31 }) })
    .map(({ cycle, n, of }) => ({
      ...{ cycle, cycleDays: cycle === 't+n' ? n : null },
      payDay: cycle === 'monthly' ? of : cycle === 'weekly' ? ((of - 1) % 7) + 1 : null,
    }));

  property.prop([terms, date])('is after the money came in, and one on which that cycle is paid', (of, cameIn) => {
    expect(cycleFaults(of)).toEqual([]);
    const due = dueDate({ ...of, holdBackDays: 0 }, cameIn, calendar);
    expect(due > cameIn).toBe(true);
    if (of.cycle !== 'on-request') expect(isPayDay(of, due, calendar)).toBe(true);
    // Except on the day itself and by natural days, nothing leaves on a day off or before it has cleared.
    if (!of.cycle.startsWith('d') && of.cycle !== 't+0') {
      expect(isWorkingDay(calendar, due)).toBe(true);
      expect(due >= workingDayAfter(calendar, cameIn)).toBe(true);
    }
  });

  property.prop([terms, date, fc.integer({ min: 0, max: 30 })])(
    'never moves forward where more is held back or it came in later',
    (of, cameIn, more) => {
      const due = (from: BusinessDate, holdBackDays: number) => dueDate({ ...of, holdBackDays }, from, calendar);
      expect(due(cameIn, more) >= due(cameIn, 0)).toBe(true);
      expect(due(cameIn, more)).toBe(due(addDays(cameIn, more), 0));
    },
  );

  property.prop([terms, date])('between a date and the next pay day there is none', (of, after) => {
    const next = nextPayDay(of, after, calendar);
    if (of.cycle === 'on-request') expect(next).toBeUndefined();
    for (let each = addDays(after, 1); next !== undefined && each < next; each = addDays(each, 1))
      expect(isPayDay(of, each, calendar)).toBe(false);
  });
});

describe('the days of a cycle', () => {
  it.each([
    ['t+n', null, null, ['cycleDays']],
    ['t+n', 1, null, ['cycleDays']],
    ['t+n', 31, null, ['cycleDays']],
    ['t+1', 2, null, ['cycleDays']],
    ['weekly', null, null, ['payDay']],
    ['weekly', null, 8, ['payDay']],
    ['weekly', null, 0, ['payDay']],
    ['monthly', null, 32, ['payDay']],
    ['d+1', null, 3, ['payDay']],
    ['monthly', 5, null, ['cycleDays', 'payDay']],
    ['monthly', null, 31, []],
    ['t+n', 30, null, []],
  ] as const)('%s with %p and %p', (cycle, cycleDays, payDay, fields) => {
    expect(cycleFaults({ cycle, cycleDays, payDay }).map(({ field }) => field)).toEqual(fields);
  });
});
