import { createHash } from 'node:crypto';
import { addDays, type BusinessDate, type Id, type Instant, Refused, refuse, toWire } from '../kernel/index.js';
import { loadBook } from '../ledger/index.js';
import { isDuplicateKey, type Runtime, type Tx } from '../runtime/index.js';
import { fieldOf, type Leftover, matchSorted, type Row, rowOf, textOfField } from './matching.js';
import { type Encoding, PlatformFileFaulty, type PlatformLine, readPlatformFile } from './platform-file.js';
import {
  closeStateOf,
  deleteParts,
  deletePartsOfClosed,
  findPlatformFile,
  firstIdNear,
  insertPlatformFile,
  type OwnInstruction,
  ownPage,
  ownUnder,
  type PlatformFile,
  readPart,
  savePart,
  sealParts,
} from './platform-store.js';
import { type BreakClass, ClassCounts, keyOfReference } from './rules.js';
import { insertRun, runsOf } from './run-store.js';
import { RowSorter } from './sorting.js';
import { clearBreaks, insertBreaks, insertStatementLines, type KeptLine, listBreaks, type NewBreak } from './store.js';

/** What a platform has of its day: uploaded in parts, verified whole, compared when the day is cut off. It never stops a day. */
type Of = { readonly platformId: Id; readonly date: BusinessDate };

const PAGE = 5_000;
/** More differences than that are counted, and not worked off one by one. */
const CASES_MAX = 10_000;

/** @throws Refused DAY_FILE_LATE of a day that is closed or has not begun */
async function requireTime(tx: Tx, { platformId, date }: Of): Promise<void> {
  const { businessDate } = await loadBook(tx, platformId);
  const state = await closeStateOf(tx, platformId, date);
  const isPast = date < businessDate && (state === undefined || state === 'closed');
  if (date > businessDate || isPast) throw new Refused(refuse('DAY_FILE_LATE', undefined, { date, open: businessDate }));
}

/** Keeps a part of a file; one that comes while the file is being taken is no part of it. @throws Refused DAY_FILE_LATE, DAY_FILE_REUSED when the file of the date was taken already */
export async function keepPart({ db, vault }: Runtime, of: Of, part: number, bytes: Buffer): Promise<void> {
  await db.withTx('day-file-part', async (tx) => {
    await requireTime(tx, of);
    if ((await findPlatformFile(tx, of.platformId, of.date)) !== undefined) throw new Refused(refuse('DAY_FILE_REUSED'));
    if (part === 1) await deletePartsOfClosed(tx, of.platformId, of.date);
    await savePart(tx, vault, { ...of, part }, bytes);
  });
}

async function* partsOf({ db, vault }: Runtime, of: Of, parts: number, digests: string[] = []): AsyncGenerator<Buffer> {
  for (let part = 1; part <= parts; part += 1) {
    const kept = await db.read('day-file-part', (tx) => readPart(tx, vault, { ...of, part }));
    if (kept === undefined) throw new PlatformFileFaulty(0, `part ${part} is missing`);
    digests.push(kept.digest);
    yield kept.bytes;
  }
}

/**
 * Takes a file whose parts were uploaded, or refuses it whole. The same file again changes nothing.
 * @throws Refused DAY_FILE_REFUSED, DAY_FILE_REUSED, DAY_FILE_LATE
 */
export async function takePlatformFile(rt: Runtime, of: Of, { parts, encoding, digest }: Told): Promise<PlatformFile> {
  const before = await rt.db.read('day-file', (tx) => findPlatformFile(tx, of.platformId, of.date));
  if (before !== undefined) return sameFile(before, digest);
  await rt.db.read('day-file-time', (tx) => requireTime(tx, of));
  const { digests, ...read } = await verified(rt, of, { parts, encoding, digest });
  if (read.digest !== digest) throw notWhatWasSent(read.digest);
  const file: PlatformFile = {
    ...{ platformId: of.platformId, businessDate: of.date, encoding, digest: Buffer.from(digest, 'hex'), parts },
    ...{ lineCount: read.count, total: read.sum, receivedMs: rt.clock.now() },
  };
  try {
    await rt.db.withTx('take-day-file', async (tx) => {
      await requireTime(tx, of);
      await insertPlatformFile(tx, file);
      const sealed = await sealParts(tx, of.platformId, of.date, parts);
      if (sealed.join() !== digests.join())
        throw new Refused(refuse('DAY_FILE_REFUSED', 'A part was uploaded anew while the file was read.', { line: 0 }));
    });
  } catch (error) {
    const other = isDuplicateKey(error)
      ? await rt.db.read('day-file', (tx) => findPlatformFile(tx, of.platformId, of.date))
      : null;
    if (other) return sameFile(other, digest);
    throw error;
  }
  await comparePlatformDay(rt, of);
  return file;
}

function sameFile(before: PlatformFile, digest: string): PlatformFile {
  if (before.digest.toString('hex') !== digest) throw new Refused(refuse('DAY_FILE_REUSED'));
  return before;
}

function notWhatWasSent(digest: string): Refused {
  return new Refused(refuse('DAY_FILE_REFUSED', 'What came is not what was sent: its digest is another.', { line: 0, digest }));
}

interface Told {
  readonly parts: number;
  readonly encoding: Encoding;
  readonly digest: string;
}

async function verified(rt: Runtime, of: Of, { parts, encoding, digest }: Told) {
  const file = { platform: toWire('platform', of.platformId), date: of.date, encoding };
  try {
    const digests: string[] = [];
    const read = await readPlatformFile(file, partsOf(rt, of, parts, digests), () => undefined);
    return { ...read, digests };
  } catch (error) {
    if (!(error instanceof PlatformFileFaulty)) throw error;
    // What was lost on the way cannot be read either, and the loss is what there is to know.
    const came = await digestOfParts(rt, of, parts);
    if (came !== undefined && came !== digest) throw notWhatWasSent(came);
    throw new Refused(refuse('DAY_FILE_REFUSED', whatIsWrong(error), { line: error.line }));
  }
}

/** SHA-256 of what was uploaded, in hex; undefined when a part is missing. */
async function digestOfParts(rt: Runtime, of: Of, parts: number): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    for await (const bytes of partsOf(rt, of, parts)) hash.update(bytes);
  } catch (error) {
    if (error instanceof PlatformFileFaulty) return undefined;
    throw error;
  }
  return hash.digest('hex');
}

/** A row is named where one is wrong; row 0 is the file as a whole. */
function whatIsWrong({ line, message }: PlatformFileFaulty): string {
  return line === 0 ? `The file as a whole: ${message}.` : `Row ${line}: ${message}.`;
}

/** What comparing a file found: the first differences in full, all of them in numbers. */
interface Matched {
  readonly ours: { readonly lines: number; readonly sum: bigint };
  readonly matched: number;
  readonly found: Found;
  /** References of theirs that earlier comparisons waited for. */
  readonly met: ReadonlySet<string>;
}

/** Compares a day that was cut off with the platform's file of it, if there is one; once. A file that cannot be read is a break, and stops nothing. */
export async function comparePlatformDay(rt: Runtime, of: Of): Promise<void> {
  const { platformId, date } = of;
  const found = await rt.db.read('day-file', async (tx) => {
    const file = await findPlatformFile(tx, platformId, date);
    const isCut = (await loadBook(tx, platformId)).businessDate > date;
    if (file === undefined || !isCut || (await runsOf(tx, platformId, date)).some(({ party }) => party === 'platform'))
      return undefined;
    const waiting = await listBreaks(tx, { platformId, party: 'platform', state: 'open', class: 'only-ours' }, CASES_MAX);
    return { file, waiting };
  });
  if (found === undefined) return;
  const { file, waiting } = found;
  const startedMs = rt.clock.wall();
  let match: Matched;
  try {
    match = await matchPlatformDay(rt, of, file, new Set(waiting.map(({ reference }) => reference)));
  } catch (error) {
    if (!(error instanceof PlatformFileFaulty)) throw error;
    rt.log.error({ event: 'platform-file.faulty', platformId, businessDate: date, why: error.message.slice(0, 200) });
    match = unread(rt, of, error);
  }
  const cleared = waiting.filter(({ reference }) => match.met.has(reference)).map(({ id }) => id);
  const run = {
    ...{ party: 'platform' as const, platformId, businessDate: date, digest: file.digest },
    ...{ matched: match.matched + match.found.later, theirLines: file.lineCount, theirSum: file.total },
    ...{ ourLines: match.ours.lines, ourSum: match.ours.sum },
    counts: { ...match.found.counted.counts, closed: cleared.length },
    ...{ finishedMs: rt.clock.now(), tookMs: rt.clock.wall() - startedMs },
  };
  try {
    await rt.db.withTx('compare-platform-day', async (tx) => {
      await insertRun(tx, run);
      await insertBreaks(tx, match.found.breaks);
      await insertStatementLines(tx, rt.vault, { platformId, date, party: 'platform' }, match.found.lines);
      await clearBreaks(tx, cleared, date, rt.clock.now());
      await deleteParts(tx, platformId, date);
    });
  } catch (error) {
    if (!isDuplicateKey(error)) throw error; // another run compared it meanwhile
  }
}

/** Under this stands that a file could not be compared; no request number has a blank in it. */
const FILE_REFERENCE = 'day file';

/** Nothing was compared, and the reason is a case for a person. */
function unread(rt: Runtime, { platformId, date }: Of, { line, message }: PlatformFileFaulty): Matched {
  const found = new Found();
  found.addBreak({
    ...{ id: rt.newId(), platformId, party: 'platform', businessDate: date, class: 'state-differs', reference: FILE_REFERENCE },
    ...{ ourAmount: null, theirAmount: null, difference: 0n, timing: false, openedMs: rt.clock.now() },
    states: { ours: 'taken', theirs: `faulty at row ${line}: ${message}`.slice(0, 64) },
  });
  return { ours: { lines: 0, sum: 0n }, matched: 0, found, met: new Set() };
}

async function matchPlatformDay(rt: Runtime, of: Of, file: PlatformFile, waiting: ReadonlySet<string>): Promise<Matched> {
  const [mine, theirs] = [new RowSorter(), new RowSorter()];
  const met = new Set<string>();
  try {
    const sealedAs = { platform: toWire('platform', of.platformId), date: of.date, encoding: file.encoding };
    const read = await readPlatformFile(sealedAs, partsOf(rt, of, file.parts), async (lines) => {
      for (const line of lines) {
        if (waiting.has(line.requestNo)) met.add(line.requestNo);
        const full = theirs.add(rowOfLine(line));
        if (full !== undefined) await full;
      }
    });
    if (read.digest !== file.digest.toString('hex')) throw new PlatformFileFaulty(0, 'it is not the file that was taken');
    const ours = await readOwn(rt, of, mine);
    const found = new Found();
    const { matched } = await matchSorted(mine.rows(), theirs.rows(), (some) => classify(rt, of, some, found));
    return { ours, matched, found, met };
  } finally {
    await Promise.all([mine.close(), theirs.close()]);
  }
}

function rowOfLine({ requestNo, amount, state, lineNo, remark }: PlatformLine): string {
  return rowOf(requestNo, amount, state, `${lineNo}\t${fieldOf(remark)}`);
}

async function readOwn(rt: Runtime, { platformId, date }: Of, into: RowSorter) {
  let [lines, sum] = [0, 0n];
  let after: Id | undefined = await rt.db.read('first-id', (tx) => firstIdNear(tx, platformId, addDays(date, -3)));
  while (after !== undefined) {
    const from: Id = after;
    const page = await rt.db.read('own-instructions', (tx) => ownPage(tx, platformId, date, from, PAGE));
    for (const { requestNo, amount, state } of page) {
      sum += BigInt(amount);
      const full = into.add(rowOf(requestNo, amount, state));
      if (full !== undefined) await full;
    }
    lines += page.length;
    after = page.length === PAGE ? page.at(-1)?.id : undefined;
  }
  return { lines, sum };
}

/** Differences as they come: no more of them are held than are kept. */
class Found {
  readonly breaks: NewBreak[] = [];
  readonly lines: KeptLine[] = [];
  readonly counted = new ClassCounts();
  /** What agrees, but had waited for days. */
  later = 0;

  /** Answers whether it is kept. */
  addBreak(of: NewBreak): boolean {
    this.counted.add([of]);
    if (this.breaks.length === CASES_MAX) return false;
    this.breaks.push(of);
    return true;
  }

  addLines(lines: readonly KeptLine[]): void {
    this.lines.push(...lines.slice(0, CASES_MAX - this.lines.length));
  }
}

/** What the platform has and the books do not have on this date, they may have on another. */
async function classify(rt: Runtime, { platformId, date }: Of, some: readonly Leftover[], found: Found): Promise<void> {
  const openedMs: Instant = rt.clock.now();
  const unknown = some.filter(({ ours }) => ours === null).map(({ reference }) => reference);
  const elsewhere = await rt.db.read('own-elsewhere', (tx) => ownUnder(tx, platformId, unknown));
  for (const of of some) {
    const own = elsewhere.get(of.reference);
    const isSame = own !== undefined && isSameAs(of, own);
    if (isSame && own.businessDate === date) {
      found.later += 1; // it had waited for days
      continue;
    }
    const isKept = found.addBreak({
      ...{ id: rt.newId(), platformId, party: 'platform', businessDate: date, class: classOf(of) },
      ...{ reference: keyOfReference(of.reference), ourAmount: of.ours, theirAmount: of.theirs, states: of.states },
      ...{ difference: (of.ours ?? 0n) - (of.theirs ?? 0n), timing: isSame, openedMs },
      ...(isSame ? { closedBy: 'on-another-date' } : {}),
    });
    if (isKept) found.addLines(of.rows.map(lineOfRow));
  }
}

function lineOfRow({ reference, amount, state, rest }: Row): KeptLine {
  const [lineNo = '', remark = ''] = rest.split('\t');
  return { lineNo: Number(lineNo), reference, amount, state, counterparty: '', text: textOfField(remark) };
}

function isSameAs({ rows, theirs }: Leftover, own: OwnInstruction): boolean {
  return rows.length === 1 && rows[0]?.state === own.state && theirs === BigInt(own.amount);
}

function classOf({ ours, theirs, states }: Leftover): BreakClass {
  if (states !== null) return 'state-differs';
  if (ours === null) return 'only-theirs';
  return theirs === null ? 'only-ours' : 'amount-differs';
}
