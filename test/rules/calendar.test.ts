import { test as property } from '@fast-check/jest';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  addDays,
  type BusinessDate,
  type Calendar,
  instantOf,
  isProvisional,
  isWorkingDay,
  naturalDate,
  workingDayAfter,
} from '../../src/kernel/index.js';
import { Calendar1700000000005 } from '../../src/migrations/0005-calendar.js';
import { loadCalendar } from '../../src/runtime/calendar-store.js';
import { type FreshDatabase, freshDatabase } from '../support/database.js';

const day = (text: string) => text as BusinessDate;

let fresh: FreshDatabase;
let calendar: Calendar;
beforeAll(async () => {
  fresh = await freshDatabase();
  calendar = await fresh.db.read('calendar', loadCalendar);
});
afterAll(() => fresh.drop());

describe('T+n counts working days', () => {
  it.each([
    ['2025-09-26', 1, '2025-09-28'], // a Sunday that is worked for the holiday after it
    ['2025-09-30', 1, '2025-10-09'],
    ['2026-03-06', 1, '2026-03-09'],
    ['2026-02-13', 1, '2026-02-14'],
    ['2026-02-14', 1, '2026-02-24'],
    ['2017-09-30', 1, '2017-10-09'],
    ['2018-12-29', 1, '2019-01-02'],
    ['2016-10-08', 2, '2016-10-10'],
  ])('T+%2$s of %1$s is %3$s', (from, n, expected) => {
    expect(workingDayAfter(calendar, day(from), n)).toBe(expected);
  });

  it('D+1 is the next natural day whatever the calendar says', () => {
    expect(addDays(day('2025-09-30'), 1)).toBe('2025-10-01');
  });

  const date = fc.integer({ min: Date.UTC(2004, 0, 1), max: Date.UTC(2030, 0, 1) }).map((ms) => naturalDate(instantOf(ms)));
  property.prop([date, fc.integer({ min: 1, max: 15 })])('lands on a working day with n of them after the start', (from, n) => {
    const to = workingDayAfter(calendar, from, n);
    let working = 0;
    for (let at = addDays(from, 1); at <= to; at = addDays(at, 1)) working += isWorkingDay(calendar, at) ? 1 : 0;
    expect(working).toBe(n);
    expect(isWorkingDay(calendar, to)).toBe(true);
  });
});

// First and last day off, and the weekend days worked for it, as the notices of the State Council gave them.
const HOLIDAYS: [name: string, first: string, last: string, worked: string[]][] = [
  ['New Year 2016', '2016-01-01', '2016-01-03', []],
  ['Spring Festival 2016', '2016-02-07', '2016-02-13', ['2016-02-06', '2016-02-14']],
  ['Qingming 2016', '2016-04-02', '2016-04-04', []],
  ['Labour Day 2016', '2016-04-30', '2016-05-02', []],
  ['Dragon Boat 2016', '2016-06-09', '2016-06-11', ['2016-06-12']],
  ['Mid-autumn 2016', '2016-09-15', '2016-09-17', ['2016-09-18']],
  ['National Day 2016', '2016-10-01', '2016-10-07', ['2016-10-08', '2016-10-09']],
  ['New Year 2017', '2016-12-31', '2017-01-02', []],
  ['Spring Festival 2017', '2017-01-27', '2017-02-02', ['2017-01-22', '2017-02-04']],
  ['Qingming 2017', '2017-04-02', '2017-04-04', ['2017-04-01']],
  ['Labour Day 2017', '2017-04-29', '2017-05-01', []],
  ['Dragon Boat 2017', '2017-05-28', '2017-05-30', ['2017-05-27']],
  ['National Day and Mid-autumn 2017', '2017-10-01', '2017-10-08', ['2017-09-30']],
  ['New Year 2018', '2017-12-30', '2018-01-01', []],
  ['Spring Festival 2018', '2018-02-15', '2018-02-21', ['2018-02-11', '2018-02-24']],
  ['Qingming 2018', '2018-04-05', '2018-04-07', ['2018-04-08']],
  ['Labour Day 2018', '2018-04-29', '2018-05-01', ['2018-04-28']],
  ['Dragon Boat 2018', '2018-06-16', '2018-06-18', []],
  ['Mid-autumn 2018', '2018-09-22', '2018-09-24', []],
  ['National Day 2018', '2018-10-01', '2018-10-07', ['2018-09-29', '2018-09-30']],
  ['New Year 2019', '2018-12-30', '2019-01-01', ['2018-12-29']],
  ['New Year 2025', '2025-01-01', '2025-01-01', []],
  ['Spring Festival 2025', '2025-01-28', '2025-02-04', ['2025-01-26', '2025-02-08']],
  ['Qingming 2025', '2025-04-04', '2025-04-06', []],
  ['Labour Day 2025', '2025-05-01', '2025-05-05', ['2025-04-27']],
  ['Dragon Boat 2025', '2025-05-31', '2025-06-02', []],
  ['National Day and Mid-autumn 2025', '2025-10-01', '2025-10-08', ['2025-09-28', '2025-10-11']],
  ['New Year 2026', '2026-01-01', '2026-01-03', ['2026-01-04']],
  ['Spring Festival 2026', '2026-02-15', '2026-02-23', ['2026-02-14', '2026-02-28']],
  ['Qingming 2026', '2026-04-04', '2026-04-06', []],
  ['Labour Day 2026', '2026-05-01', '2026-05-05', ['2026-05-09']],
  ['Dragon Boat 2026', '2026-06-19', '2026-06-21', []],
  ['Mid-autumn 2026', '2026-09-25', '2026-09-27', []],
  ['National Day 2026', '2026-10-01', '2026-10-07', ['2026-09-20', '2026-10-10']],
];

describe("China's calendar", () => {
  it.each(HOLIDAYS)('%s: off from %s to %s, worked for on %j', (_name, first, last, worked) => {
    for (let at = day(first); at <= last; at = addDays(at, 1)) expect([at, isWorkingDay(calendar, at)]).toEqual([at, false]);
    for (const at of worked) expect([at, isWorkingDay(calendar, day(at))]).toEqual([at, true]);
  });

  it.each([2016, 2017, 2018, 2025, 2026])('%s differs from Monday to Friday on no other day', (year) => {
    const listed = new Set<string>();
    for (const [, first, last, worked] of HOLIDAYS) {
      for (let at = day(first); at <= last; at = addDays(at, 1)) listed.add(at);
      for (const at of worked) listed.add(at);
    }
    const others = [...calendar.exceptions.keys()].filter((date) => date.startsWith(String(year)) && !listed.has(date));
    expect(others).toEqual([]);
  });

  it('calls a date in a year without data provisional', () => {
    expect(isProvisional(calendar, day('2026-12-31'))).toBe(false);
    expect(isProvisional(calendar, day('2016-01-01'))).toBe(false);
    expect(isProvisional(calendar, day('2027-01-04'))).toBe(true);
    expect(isProvisional(calendar, day('2003-12-31'))).toBe(true);
  });

  it('is the same after its migration runs again', async () => {
    const again = await fresh.db.withTx('calendar again', async (tx) => {
      await new Calendar1700000000005().up({
        query: (statement: string, values?: unknown[]) => tx.manager.query(statement, values),
      } as never);
      return loadCalendar(tx);
    });
    expect(again).toEqual(calendar);
  });
});
