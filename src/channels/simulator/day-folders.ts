import { createHash } from 'node:crypto';
import { addDays, type BusinessDate, parseDateDigits, startOfDay } from '../../kernel/index.js';
import { type FileChannel, pspFile, unionPayFile } from '../files/index.js';
import type { Bank } from './bank.js';

/** What lies at a path of the file server. Times are those of the bank: a file is made when its date is over. */
export type Place =
  | { readonly kind: 'folder'; readonly channel?: FileChannel; readonly names: () => readonly { name: string; place: Place }[] }
  | { readonly kind: 'file'; readonly bytes: Buffer; readonly date: BusinessDate };

/**
 * The folders that one user sees: `/`, and in it one of each of its channels with the files of every date that is over.
 * @param path absolute, without dots in it
 */
export function placeAt(bank: Bank, channels: readonly FileChannel[], path: string): Place | undefined {
  if (path === '/') {
    return { kind: 'folder', names: () => channels.map((channel) => ({ name: channel, place: folderOf(bank, channel) })) };
  }
  const channel = channels.find((each) => path === `/${each}`);
  return channel === undefined ? fileAt(bank, channels, path) : folderOf(bank, channel);
}

/** When a file was last changed, seconds. */
export function changedAt(date: BusinessDate): number {
  return Math.floor(startOfDay(addDays(date, 1)) / 1_000);
}

function folderOf(bank: Bank, channel: FileChannel): Place {
  return { kind: 'folder', channel, names: () => listing(bank, channel) };
}

const formOf = (channel: FileChannel) => (channel === 'unionpay' || channel === 'collect' ? unionPayFile : pspFile);

function listing(bank: Bank, channel: FileChannel): { name: string; place: Place }[] {
  return bank.dayEnd.dates(channel, bank.date).flatMap((date) => {
    const name = formOf(channel).nameOf(channel, date);
    const bytes = contentOf(bank, channel, date) ?? Buffer.alloc(0);
    const file = (ending: string, content: Buffer) => ({
      name: `${name}.${ending}`,
      place: { kind: 'file', bytes: content, date } as const,
    });
    return [file('txt', bytes), file('sha256', digestOf(bytes, name)), file('ok', Buffer.alloc(0))];
  });
}

function fileAt(bank: Bank, channels: readonly FileChannel[], path: string): Place | undefined {
  const [, folder, name = '', ending] = /^\/([a-z-]+)\/([A-Za-z0-9_-]+)\.(txt|sha256|ok)$/.exec(path) ?? [];
  const channel = channels.find((each) => each === folder);
  const date = parseDateDigits(name.slice(-8));
  if (channel === undefined || date === undefined || formOf(channel).nameOf(channel, date) !== name) return undefined;
  const bytes = contentOf(bank, channel, date);
  if (bytes === undefined) return undefined;
  if (ending === 'ok') return { kind: 'file', bytes: Buffer.alloc(0), date };
  return { kind: 'file', bytes: ending === 'txt' ? bytes : digestOf(bytes, name), date };
}

/** A file exists once its date is over. */
function contentOf(bank: Bank, channel: FileChannel, date: BusinessDate): Buffer | undefined {
  if (bank.date === undefined || date >= bank.date) return undefined;
  return bank.dayEnd.encoded(channel, date, (file) => formOf(channel).encode(file));
}

function digestOf(bytes: Buffer, name: string): Buffer {
  return Buffer.from(`${createHash('sha256').update(bytes).digest('hex')}  ${name}.txt\n`, 'latin1');
}
