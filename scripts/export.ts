/**
 * Writes the books of a platform as a journal for hledger or beancount.
 *
 *   npx cunguan export --platform plt_… --format hledger|beancount [--from DATE] [--to DATE] --out FILE
 *
 * Works on the database of DATABASE_URL (else the private one) while the service runs, and changes nothing. The dates are business dates that are over, both
 * inclusive. The file is there whole or not at all; '-' writes to stdout.
 */
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type BusinessDate, parseBusinessDate } from '../src/kernel/index.js';
import { JOURNAL_FORMATS, journal, PeriodWrong } from '../src/proofs/journals/write.js';
import { readOptions, readPlatform, requireBook, runCommand, Wrong, withBooks } from './books.js';

const USAGE = 'usage: npx cunguan export --platform plt_… --format hledger|beancount [--from DATE] [--to DATE] --out FILE';

function readDate(text: string | undefined): BusinessDate | undefined {
  const date = text === undefined ? undefined : parseBusinessDate(text);
  if (text !== undefined && date === undefined) throw new Wrong(`${text} is no date like 2026-03-02\n${USAGE}`);
  return date;
}

function isFormat(text: string): text is keyof typeof JOURNAL_FORMATS {
  return Object.hasOwn(JOURNAL_FORMATS, text);
}

async function main(): Promise<number> {
  const text = { type: 'string' } as const;
  const { platform, format, from, to, out } = readOptions(
    { platform: text, format: text, from: text, to: text, out: text },
    USAGE,
  );
  if (platform === undefined || format === undefined || out === undefined || !isFormat(format)) throw new Wrong(USAGE);
  const of = { platformId: readPlatform(platform, USAGE), format, from: readDate(from), to: readDate(to) };
  await withBooks(async ({ db }) => {
    await requireBook(db, of.platformId);
    const parts = Readable.from(journal(db, of));
    if (out === '-') return await pipeline(parts, process.stdout, { end: false });
    // Names of files are meant as they were typed, and commands run in the root of the checkout.
    const file = resolve(process.env.INIT_CWD ?? '.', out);
    const unfinished = `${file}.unfinished-${process.pid}`;
    try {
      await pipeline(parts, createWriteStream(unfinished));
      await rename(unfinished, file);
    } catch (error) {
      await rm(unfinished, { force: true });
      throw error instanceof PeriodWrong ? new Wrong(error.message) : error;
    }
  });
  return 0;
}

await runCommand(main);
