import { type BusinessDate, type Minor, parseBusinessDate } from '../../kernel/index.js';
import type { ChannelNews, NewsPage } from '../port.js';
import type { DayFileLine, FileChannel, FileForm } from './day-file.js';
import { digestBeside } from './digest.js';
import { type FileOf, failing, linesOf, type TakeDayLines, type VerifiedFile, verifyFile } from './read.js';
import type { RemoteFiles } from './sftp.js';

/** The feed of channels with day-end files: the lines of the files, oldest first. */
export interface DayEndNews {
  /**
   * @param after `<date>:<line>`; anything else means the beginning
   * @throws BankUnreachable, ChannelFileFaulty
   */
  news(channel: FileChannel, after: string, limit: number): Promise<NewsPage>;
  /** The dates whose files are ready, from one on, oldest first. @throws BankUnreachable */
  dates(channel: FileChannel, from: BusinessDate | undefined): Promise<BusinessDate[]>;
  /**
   * Reads the file of a date whole.
   * @returns its totals, and SHA-256 of it in hex
   * @throws BankUnreachable, ChannelFileFaulty: then nothing that was taken counts
   */
  read(
    channel: FileChannel,
    date: BusinessDate,
    take: TakeDayLines,
  ): Promise<{ readonly count: number; readonly sum: Minor; readonly digest: string }>;
}

const KEPT_MAX = 16;

/**
 * Reads an institution's files. Nothing of a file counts before all of it was read and found right; where its lines begin is remembered, so
 * that a long one is read whole only once.
 */
export function dayEndNews(files: RemoteFiles, form: FileForm): DayEndNews {
  const verified = new Map<string, VerifiedFile>();
  const verify = async (of: FileOf): Promise<VerifiedFile> => {
    const path = pathOf(of);
    const digest = await digestBeside(files, pathOf(of), failing(of));
    const key = `${path} ${digest}`;
    const before = verified.get(key);
    if (before !== undefined) return before;
    const file = await verifyFile(of, files.read(`${path}.txt`, 0), digest);
    verified.set(key, file);
    const [oldest] = verified.keys();
    if (verified.size > KEPT_MAX && oldest !== undefined) verified.delete(oldest);
    return file;
  };
  return {
    async news(channel, after, limit) {
      const items: ChannelNews[] = [];
      const read = readCursor(after);
      for (const date of await datesFrom(files, form, channel, read?.date)) {
        if (items.length >= limit) break;
        const of = { form, channel, date };
        try {
          const lines = await linesOf(
            of,
            await verify(of),
            (offset) => files.read(`${pathOf(of)}.txt`, offset),
            date === read?.date ? read.line : 0,
            limit - items.length,
          );
          items.push(...lines.map((line) => newsOf(date, line)));
        } catch (error) {
          verified.clear(); // the next one reads them whole again
          // What stands in the files before it counts; it is refused when it is the first.
          if (items.length > 0) break;
          throw error;
        }
      }
      return { items, next: items.at(-1)?.cursor ?? after };
    },
    dates: (channel, from) => datesFrom(files, form, channel, from),
    async read(channel, date, take) {
      const of = { form, channel, date };
      const digest = await digestBeside(files, pathOf(of), failing(of));
      const { count, sum } = await verifyFile(of, files.read(`${pathOf(of)}.txt`, 0), digest, take);
      return { count, sum, digest };
    },
  };
}

function pathOf({ form, channel, date }: FileOf): string {
  return `/${channel}/${form.nameOf(channel, date)}`;
}

function readCursor(cursor: string): { date: BusinessDate; line: number } | undefined {
  const [, text = '', line = ''] = /^(\d{4}-\d{2}-\d{2}):(\d{1,9})$/.exec(cursor) ?? [];
  const date = parseBusinessDate(text);
  return date === undefined ? undefined : { date, line: Number(line) };
}

/** The dates whose files are ready, by what lies in the folder: a name says its date, and its marker comes last of all. */
async function datesFrom(
  files: RemoteFiles,
  form: FileForm,
  channel: FileChannel,
  from: BusinessDate | undefined,
): Promise<BusinessDate[]> {
  const names = await files.list(`/${channel}`);
  const ready = new Set(names.filter((name) => name.endsWith('.ok')));
  return names
    .flatMap((name) => {
      const [, year, month, day] = /(\d{4})(\d{2})(\d{2})\.txt$/.exec(name) ?? [];
      const date = parseBusinessDate(`${year}-${month}-${day}`);
      if (date === undefined || (from !== undefined && date < from)) return [];
      const own = form.nameOf(channel, date);
      return name === `${own}.txt` && ready.has(`${own}.ok`) ? [date] : [];
    })
    .sort();
}

function newsOf(date: BusinessDate, line: DayFileLine): ChannelNews {
  const { lineNo, messageNo, status, reference, businessDate, amount, reason } = line;
  const item = { cursor: `${date}:${lineNo}`, messageNo, status, reference, businessDate, amount };
  return reason === '' ? item : { ...item, reason };
}
