/**
 * Makes src/migrations/data/calendar.ts from the days of the npm package chinese-days: the days on which China's working
 * calendar differs from Monday to Friday. Run it when a new notice is out, put what changed into a new migration.
 *
 *   npx tsx scripts/calendar.ts           prints the file
 *   npx tsx scripts/calendar.ts --write   writes it
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

type Days = Record<string, string>; // date → "English name,Chinese name,n"

const require = createRequire(import.meta.url);
const { holidays, workdays } = require('chinese-days/dist/chinese-days.json') as { holidays: Days; workdays: Days };
const { version } = require('chinese-days/package.json') as { version: string };

interface Exception {
  date: string;
  working: boolean;
  name: string;
}

function exceptions(): Exception[] {
  const all = [
    ...Object.entries(holidays).map(([date, text]) => ({ date, working: false, name: text.split(',')[1] as string })),
    ...Object.entries(workdays).map(([date, text]) => ({ date, working: true, name: text.split(',')[1] as string })),
  ];
  const dates = new Set(all.map((day) => day.date));
  if (dates.size !== all.length) throw new Error('a day is both a holiday and a working day');
  return all.filter((day) => day.working !== isMondayToFriday(day.date)).sort((a, b) => (a.date < b.date ? -1 : 1));
}

function isMondayToFriday(date: string): boolean {
  const weekday = new Date(`${date}T00:00:00Z`).getUTCDay();
  return weekday !== 0 && weekday !== 6;
}

/** One line a year and name: `['2016', '春节', '02-06+ 02-08 …']`, where a plus marks a working weekend. */
function render(days: Exception[]): string {
  const lines = new Map<string, string[]>();
  for (const { date, working, name } of days) {
    const key = `'${date.slice(0, 4)}', '${name}'`;
    lines.set(key, [...(lines.get(key) ?? []), `${date.slice(5)}${working ? '+' : ''}`]);
  }
  const years = [...new Set(days.map((day) => day.date.slice(0, 4)))];
  return `/**
 * Made by scripts/calendar.ts; do not edit. The days on which China's working calendar differs from Monday to Friday, by
 * year and occasion; a plus marks a weekend day that is worked. From the yearly notices of the General Office of the State
 * Council, as the npm package chinese-days ${version} (MIT) lists them.
 */
export const CALENDAR_SOURCE = 'State Council notice, by way of chinese-days ${version}';
export const CALENDAR_YEARS = { first: ${years[0]}, last: ${years.at(-1)} };
export const CALENDAR_DAYS: readonly (readonly [year: string, name: string, days: string])[] = [
${[...lines].map(([key, days]) => `  [${key}, '${days.join(' ')}'],`).join('\n')}
];
`;
}

const target = new URL('../src/migrations/data/calendar.ts', import.meta.url);
const text = render(exceptions());
if (process.argv.includes('--write')) writeFileSync(target, text);
else if (process.argv.includes('--check')) process.exitCode = readFileSync(target, 'utf8') === text ? 0 : 1;
else process.stdout.write(text);
