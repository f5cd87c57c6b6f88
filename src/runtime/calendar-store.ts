import type { Calendar } from '../kernel/index.js';
import type { Tx } from './database.js';

/** The working-day calendar as the database has it; read once at the start of a process. */
export async function loadCalendar(tx: Tx): Promise<Calendar> {
  const days = await tx.rows<{ date: string; working: number }>('SELECT date, working FROM calendar_days');
  const years = await tx.rows<{ year: number }>('SELECT year FROM calendar_years');
  return {
    exceptions: new Map(days.map(({ date, working }) => [date, working === 1])),
    knownYears: new Set(years.map(({ year }) => String(year))),
  };
}
