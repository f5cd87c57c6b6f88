import { test as property } from '@fast-check/jest';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  addDays,
  addMonths,
  type BusinessDate,
  instantOf,
  naturalDate,
  parseBusinessDate,
  parseInstant,
  shownTime,
  startOfDay,
  toRfc3339,
  weekday,
} from '../../src/kernel/index.js';

const instant = fc.integer({ min: Date.UTC(1992, 0, 1), max: Date.UTC(2199, 11, 31) }).map(instantOf);
const date = instant.map(naturalDate);

describe('instants', () => {
  property.prop([instant])('survive RFC 3339 to the millisecond', (at) => {
    expect(parseInstant(toRfc3339(at))).toBe(at);
  });

  it('are the same moment whatever offset they are written with', () => {
    expect(parseInstant('2026-03-02T00:00:00+08:00')).toBe(parseInstant('2026-03-01T16:00:00Z'));
    expect(toRfc3339(instantOf(Date.UTC(2026, 2, 1, 16)))).toBe('2026-03-02T00:00:00.000+08:00');
  });

  it('are shown to people to the minute, as the clock in Shanghai has it', () => {
    expect(shownTime(instantOf(Date.UTC(2026, 2, 1, 16, 5, 59)))).toBe('2026-03-02 00:05');
  });

  it.each(['2026-03-02', '2026-03-02T00:00:00', '2026-03-02 00:00:00Z', '2026-13-02T00:00:00Z', '2026-03-02T00:00Z', ''])(
    'refuses %p, which leaves the moment open',
    (text) => {
      expect(parseInstant(text)).toBeUndefined();
    },
  );
});

describe('days', () => {
  it('change at midnight in Shanghai', () => {
    expect(naturalDate(instantOf(Date.UTC(2026, 2, 1, 15, 59, 59, 999)))).toBe('2026-03-01');
    expect(naturalDate(instantOf(Date.UTC(2026, 2, 1, 16)))).toBe('2026-03-02');
  });

  property.prop([instant])('hold every moment between their start and the next start', (at) => {
    const day = naturalDate(at);
    expect(startOfDay(day) <= at).toBe(true);
    expect(at < startOfDay(addDays(day, 1))).toBe(true);
  });

  property.prop([date, fc.integer({ min: -4000, max: 4000 })])('are added and taken away without loss', (day, n) => {
    expect(addDays(addDays(day, n), -n)).toBe(day);
    expect(weekday(addDays(day, 7))).toBe(weekday(day));
  });

  it.each([
    ['2024-02-29', true],
    ['2023-02-29', false],
    ['2026-02-30', false],
    ['2026-13-01', false],
    ['2026-1-1', false],
    ['20260101', false],
  ])('%s exists: %s', (text, exists) => {
    expect(parseBusinessDate(text)).toBe(exists ? (text as BusinessDate) : undefined);
  });
});

describe('months after a date', () => {
  it('keep its day, or end with a shorter month', () => {
    const cases = [
      ['2018-01-31', 1, '2018-02-28'],
      ['2020-01-31', 1, '2020-02-29'],
      ['2018-10-31', 1, '2018-11-30'],
      ['2018-12-10', 1, '2019-01-10'],
      ['2018-12-31', 24, '2020-12-31'],
      ['2018-03-31', -1, '2018-02-28'],
      ['2018-01-15', -13, '2016-12-15'],
      ['2018-05-20', 0, '2018-05-20'],
    ] as const;
    for (const [date, months, then] of cases) expect(addMonths(date as BusinessDate, months)).toBe(then);
  });

  it('are what a calendar of dates says, over twelve years of days', () => {
    for (let days = 0; days < 4_400; days += 1) {
      const from = addDays('2015-12-28' as BusinessDate, days);
      const [year, month, day] = from.split('-').map(Number) as [number, number, number];
      const months = (days * 7) % 130;
      const last = new Date(Date.UTC(year, month + months, 0)).getUTCDate();
      const then = new Date(Date.UTC(year, month - 1 + months, Math.min(day, last))).toISOString().slice(0, 10);
      expect(addMonths(from, months)).toBe(then);
    }
  });
});
