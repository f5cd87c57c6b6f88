import { type BusinessDate, type Id, invariant, Refused, refuse, toWire } from '../../kernel/index.js';
import { closingPages, loadBooks } from '../../ledger/index.js';
import { ahead, isDuplicateKey, type Runtime } from '../../runtime/index.js';
import { making } from '../turnstile.js';
import { type DayCursor, firstDecided, merchantNumbers, postedPage } from './books-store.js';
import { CHECK_FILE_NAMES, type CheckFile } from './columns.js';
import { type Digests, digester, encoded, FILE_ENCODINGS, type FileEncoding, FileText } from './format.js';
import { balanceLine, type Line, linesOf } from './lines.js';
import { insertFiles, type KeptFile, keptFiles } from './store.js';

type Parts = Pick<Runtime, 'db' | 'vault' | 'clock' | 'log' | 'metrics'>;

/** Which day of which platform. */
export interface Day {
  readonly platformId: Id;
  readonly date: BusinessDate;
}

/** What the close of a day is told. */
export interface DayFiles {
  readonly files: readonly { readonly file: CheckFile; readonly lines: number; readonly sum: string; readonly sha256: string }[];
}

const PAGE = 500; // instructions that are in memory at once
const BALANCES_PAGE = 2_000; // accounts

/** A piece of a file's text, in the order of the file. */
export interface Piece {
  readonly text: FileText;
  readonly chunk: string;
}

/**
 * Writes files of a day from the books, piece by piece: the files that are made of instructions in one walk, then the balances. Only what
 * was decided on that date or before is read, and nothing that changes afterwards; so the same pieces come at any time.
 */
export async function* writeFiles(rt: Pick<Parts, 'db' | 'vault'>, day: Day, files: readonly CheckFile[]): AsyncGenerator<Piece> {
  const texts = files.map((file) => new FileText({ ...day, file }));
  for (const text of texts) yield { text, chunk: text.first() };
  const read = (sealed: string) => rt.vault.read(sealed);
  const ofInstructions = texts.filter(({ head }) => head.file !== 'balances');
  for (let from: DayCursor | undefined, more = ofInstructions.length > 0; more; more = from !== undefined) {
    const { page, next } = await rt.db.read('day-posted', (tx) => postedPage(tx, day.platformId, day.date, from, PAGE));
    for (const text of ofInstructions) {
      const file = text.head.file as Exclude<CheckFile, 'balances'>;
      const lines = page.flatMap((posted) => linesOf(file, posted, read));
      if (lines.length > 0) yield { text, chunk: lines.map((line) => text.line(line)).join('') };
    }
    from = next;
  }
  const balances = texts.find(({ head }) => head.file === 'balances');
  if (balances !== undefined) {
    for await (const lines of ahead(balanceLines(rt, day)))
      if (lines.length > 0) yield { text: balances, chunk: lines.map((line) => balances.line(line)).join('') };
  }
  for (const text of texts) yield { text, chunk: text.last() };
}

async function* balanceLines(rt: Pick<Parts, 'db'>, day: Day): AsyncGenerator<readonly Line[]> {
  for await (const page of closingPages(rt, day, BALANCES_PAGE)) {
    const merchants = await rt.db.read('merchant-numbers', (tx) => merchantNumbers(tx, page));
    yield page.map((closing) => balanceLine({ ...closing, merchantNo: merchants.get(closing.account) ?? '' }));
  }
}

/** Makes all files of a day and keeps nothing of them but what they come to. */
async function digestFiles(rt: Parts, day: Day): Promise<Omit<KeptFile, 'confirmedMs'>[]> {
  const passing = new Map<FileText, Record<FileEncoding, ReturnType<typeof digester>>>();
  for await (const { text, chunk } of writeFiles(rt, day, CHECK_FILE_NAMES)) {
    const of = passing.get(text) ?? { 'utf-8': digester(), gb18030: digester() };
    passing.set(text, of);
    for (const encoding of FILE_ENCODINGS) of[encoding].take(encoded(chunk, encoding));
  }
  const madeMs = rt.clock.now();
  return [...passing].map(([{ head, count, sum }, of]) => ({
    ...head,
    lines: count,
    sum,
    digests: { 'utf-8': of['utf-8'].end(), gb18030: of.gb18030.end() },
    madeMs,
  }));
}

export function isSameDigest(one: Digests, other: Digests): boolean {
  return one.bytes === other.bytes && one.sha256.equals(other.sha256) && one.sm3.equals(other.sm3);
}

/** A file that comes out otherwise than it did: somebody changed the books, or the program that makes it. Nobody gets it. */
export function alarm(
  { log, metrics }: Pick<Parts, 'log' | 'metrics'>,
  { platformId, date, file }: Day & { file: CheckFile },
): Refused {
  metrics.filesDiffering.inc();
  log.error({ event: 'check-file.differs', platformId, businessDate: date, file });
  return new Refused(refuse('FILE_DIFFERS', undefined, { date, file }));
}

/**
 * The check files of a day that was cut off: made from the books, and what they come to is kept. It may be run again at any time and for any
 * past day, by several at once; what is kept already is not made again. Streams: memory is that of a page.
 * @throws Refused FILE_NOT_READY while the day is open; NOT_FOUND when there is no such platform
 */
export async function makeDayFiles(rt: Parts, { platformId, date }: Day): Promise<DayFiles> {
  return shown(await requireFiles(rt, { platformId, date }));
}

/** The same with all that is kept. @throws Refused like `makeDayFiles` */
async function requireFiles(rt: Parts, day: Day): Promise<KeptFile[]> {
  const { platformId, date } = day;
  const { book, kept } = await rt.db.read('check-files', async (tx) => ({
    book: (await loadBooks(tx, [platformId])).get(platformId),
    kept: await keptFiles(tx, platformId, date),
  }));
  if (book === undefined) throw new Refused(refuse('NOT_FOUND'));
  if (book.businessDate <= date) throw new Refused(refuse('FILE_NOT_READY', undefined, { businessDate: book.businessDate }));
  if (kept.length > 0) return inOrder(kept);
  const made = await digestFiles(rt, day);
  try {
    await rt.db.withTx(
      'keep-check-files',
      async (tx): Promise<true> => {
        await insertFiles(tx, made);
        return true;
      },
      async () => ((await rt.db.read('check-files', (tx) => keptFiles(tx, platformId, date))).length > 0 ? true : undefined),
    );
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
  }
  const stored = await rt.db.read('check-files', (tx) => keptFiles(tx, platformId, date));
  for (const file of made) {
    const same = stored.find((each) => each.file === file.file);
    invariant(same, `the file ${file.file} of ${date} is kept`);
    if (FILE_ENCODINGS.some((encoding) => !isSameDigest(file.digests[encoding], same.digests[encoding]))) throw alarm(rt, file);
  }
  return inOrder(stored);
}

function inOrder(files: readonly KeptFile[]): KeptFile[] {
  return CHECK_FILE_NAMES.flatMap((name) => files.filter(({ file }) => file === name));
}

function shown(files: readonly KeptFile[]): DayFiles {
  return {
    files: files.map(({ file, lines, sum, digests }) => ({
      file,
      lines,
      sum: String(sum),
      sha256: digests['utf-8'].sha256.toString('hex'),
    })),
  };
}

/**
 * The files of a past day for whoever asks for them: made now where the close of that day did not.
 * @throws Refused NOT_FOUND before the platform's first day, FILE_NOT_READY while the day is open, OVERLOADED
 */
export async function filesOfDay(rt: Parts, day: Day): Promise<KeptFile[]> {
  const { kept, first } = await rt.db.read('first-day', async (tx) => ({
    kept: await keptFiles(tx, day.platformId, day.date),
    first: await firstDecided(tx, day.platformId),
  }));
  if (kept.length > 0) return inOrder(kept);
  if (first === undefined || day.date < first)
    throw new Refused(refuse('NOT_FOUND', `${toWire('platform', day.platformId)} had no business on that date.`));
  return making.pass(() => requireFiles(rt, day));
}
