import type { MigrationInterface, QueryRunner } from 'typeorm';
import type { Calendar } from '../kernel/index.js';
import { CALENDAR_DAYS, CALENDAR_SOURCE, CALENDAR_YEARS } from './data/calendar.js';

/**
 * The working-day calendar: the days that differ from Monday to Friday, and the years whose notice is loaded.
 * Locks nothing (new tables). Back out: drop the tables. Re-runnable: rows that are there are written again as they are.
 */
const STATEMENTS = [
  `CREATE TABLE IF NOT EXISTS calendar_days (
     date DATE NOT NULL PRIMARY KEY,
     working TINYINT NOT NULL,
     name VARCHAR(64) NOT NULL
   )`,
  `CREATE TABLE IF NOT EXISTS calendar_years (
     year INT NOT NULL PRIMARY KEY,
     source VARCHAR(128) NOT NULL
   )`,
];

/** As shipped, for what stands outside the service and has no database. */
export function shippedCalendar(): Calendar {
  return {
    exceptions: new Map(dayRows().map(([date, working]) => [date, working === 1])),
    knownYears: new Set(yearRows().map(([year]) => String(year))),
  };
}

function dayRows(): [date: string, working: number, name: string][] {
  return CALENDAR_DAYS.flatMap(([year, name, days]) =>
    days.split(' ').map((day): [string, number, string] => [`${year}-${day.slice(0, 5)}`, day.endsWith('+') ? 1 : 0, name]),
  );
}

function yearRows(): [year: number, source: string][] {
  const count = CALENDAR_YEARS.last - CALENDAR_YEARS.first + 1;
  return Array.from({ length: count }, (_, place) => [CALENDAR_YEARS.first + place, CALENDAR_SOURCE]);
}

export class Calendar1700000000005 implements MigrationInterface {
  name = 'Calendar1700000000005';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
    const days = dayRows();
    await runner.query(
      `INSERT INTO calendar_days (date, working, name) VALUES ${days.map(() => '(?, ?, ?)').join(', ')}
       ON DUPLICATE KEY UPDATE working = VALUES(working), name = VALUES(name)`,
      days.flat(),
    );
    const years = yearRows();
    await runner.query(
      `INSERT INTO calendar_years (year, source) VALUES ${years.map(() => '(?, ?)').join(', ')}
       ON DUPLICATE KEY UPDATE source = VALUES(source)`,
      years.flat(),
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
