import { type BusinessDate, type Id, parseBusinessDate, Refused } from '../../kernel/index.js';
import { type FileTree, fileOfBytes, type NamedEntry, type OpenFile, type Runtime, type TreeEntry } from '../../runtime/index.js';
import { CHECK_FILE_NAMES, type CheckFile } from '../check-files/columns.js';
import type { FileEncoding } from '../check-files/format.js';
import { filesOfDay } from '../check-files/make.js';
import { spool } from '../check-files/spool.js';
import { daysWithFiles, type KeptFile } from '../check-files/store.js';

type Parts = Pick<Runtime, 'db' | 'vault' | 'clock' | 'log' | 'metrics'>;

/**
 * The folders that a platform sees: one a day, `/YYYYMMDD`, with its check files in both encodings, plain and packed, and for each an `.ok` that
 * tells count, sum and digests. A file that is there is complete.
 */
type Place =
  | { readonly kind: 'root' }
  | { readonly kind: 'day'; readonly date: BusinessDate }
  | {
      readonly kind: 'file';
      readonly date: BusinessDate;
      readonly file: CheckFile;
      readonly encoding: FileEncoding;
      readonly ending: Ending;
    };
type Ending = 'txt' | 'txt.gz' | 'ok';

const NAME = new RegExp(`^(${CHECK_FILE_NAMES.join('|')})(\\.gb18030)?\\.(txt|txt\\.gz|ok)$`);

/** Where a path leads; undefined: nowhere. */
function placeOf(path: string): Place | undefined {
  const [folder, name, ...more] = path.split('/').filter((part) => part !== '');
  if (folder === undefined) return { kind: 'root' };
  const date = /^\d{8}$/.test(folder) ? parseBusinessDate(folder.replace(/^(\d{4})(\d{2})(\d{2})$/, '$1-$2-$3')) : undefined;
  if (date === undefined || more.length > 0) return undefined;
  if (name === undefined) return { kind: 'day', date };
  const [, file, gb, ending] = NAME.exec(name) ?? [];
  if (file === undefined || (ending === 'ok' && gb !== undefined)) return undefined;
  return {
    kind: 'file',
    date,
    file: file as CheckFile,
    encoding: gb === undefined ? 'utf-8' : 'gb18030',
    ending: ending as Ending,
  };
}

/** What a platform sees, and nobody else. */
export function treeOf(rt: Parts, platformId: Id): FileTree {
  return {
    async look(path) {
      const place = placeOf(path);
      return place && lookAt(rt, platformId, place);
    },
    async list(path) {
      const place = placeOf(path);
      if (place === undefined || place.kind === 'file') return undefined;
      return place.kind === 'root' ? listRoot(rt, platformId) : listDay(rt, platformId, place.date);
    },
    async open(path) {
      const place = placeOf(path);
      return place?.kind === 'file' ? openPlace(rt, platformId, place) : undefined;
    },
  };
}

const DAYS_MAX = 1_000; // nearly three years: what is older is fetched by the API

async function listRoot({ db }: Parts, platformId: Id): Promise<NamedEntry[]> {
  const days = await db.read('sftp-days', (tx) => daysWithFiles(tx, platformId, '9999-12-31' as BusinessDate, DAYS_MAX));
  return days.map((date) => ({ name: date.replaceAll('-', ''), isFolder: true }));
}

async function listDay(rt: Parts, platformId: Id, date: BusinessDate): Promise<NamedEntry[]> {
  return (await filesOfDay(rt, { platformId, date })).flatMap((kept) => [
    { name: `${kept.file}.txt`, isFolder: false, bytes: kept.digests['utf-8'].bytes },
    { name: `${kept.file}.txt.gz`, isFolder: false, bytes: undefined },
    { name: `${kept.file}.gb18030.txt`, isFolder: false, bytes: kept.digests.gb18030.bytes },
    { name: `${kept.file}.gb18030.txt.gz`, isFolder: false, bytes: undefined },
    { name: `${kept.file}.ok`, isFolder: false, bytes: marker(kept).length },
  ]);
}

/** What is in the way is the platform's to see: nothing is there. */
async function lookAt(rt: Parts, platformId: Id, place: Place): Promise<TreeEntry | undefined> {
  if (place.kind === 'root') return { isFolder: true };
  try {
    const listed = await listDay(rt, platformId, place.date);
    if (place.kind === 'day') return { isFolder: true };
    const name = `${place.file}${place.encoding === 'utf-8' ? '' : '.gb18030'}.${place.ending}`;
    return listed.find((each) => each.name === name);
  } catch (error) {
    if (error instanceof Refused) return undefined;
    throw error;
  }
}

/** @throws Refused NOT_FOUND, FILE_NOT_READY, FILE_DIFFERS, OVERLOADED */
async function openPlace(rt: Parts, platformId: Id, place: Extract<Place, { kind: 'file' }>): Promise<OpenFile> {
  const { date, file, encoding, ending } = place;
  if (ending === 'ok') {
    const kept = (await filesOfDay(rt, { platformId, date })).find((each) => each.file === file);
    return fileOfBytes(kept === undefined ? Buffer.alloc(0) : marker(kept));
  }
  const { handle, bytes } = await spool(rt, { platformId, date, file, encoding, gzip: ending === 'txt.gz' });
  return {
    bytes,
    async read(at, length) {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, at);
      return buffer.subarray(0, bytesRead);
    },
    close: () => handle.close(),
  };
}

/** A line for each encoding: `sha256 sm3 bytes name`, and before them the count and the sum. */
function marker({ file, lines, sum, digests }: KeptFile): Buffer {
  const of = (encoding: FileEncoding, name: string) => {
    const { sha256, sm3, bytes } = digests[encoding];
    return `${sha256.toString('hex')} ${sm3.toString('hex')} ${bytes} ${name}`;
  };
  return Buffer.from(`${lines} ${sum}\n${of('utf-8', `${file}.txt`)}\n${of('gb18030', `${file}.gb18030.txt`)}\n`, 'latin1');
}
