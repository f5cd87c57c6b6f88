import { addDays, type BusinessDate, type Id, type Instant, Refused, refuse, toWire } from '../kernel/index.js';
import { loadBook } from '../ledger/index.js';
import { isDuplicateKey, type Runtime, type Tx } from '../runtime/index.js';
import { fieldOf, type Leftover, matchSorted, rowOf, textOfField } from './matching.js';
import { type Encoding, PlatformFileFaulty, type PlatformLine, readPlatformFile } from './platform-file.js';
import {
  closeStateOf,
  findPlatformFile,
  firstIdNear,
  insertPlatformFile,
  type OwnInstruction,
  ownPage,
  ownUnder,
  type PlatformFile,
  readPart,
  savePart,
} from './platform-store.js';
import { type BreakClass, countByClass, keyOfReference } from './rules.js';
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

/** Keeps a part of a file. @throws Refused DAY_FILE_LATE, DAY_FILE_REUSED when the file of the date was taken already */
export async function keepPart({ db, vault }: Runtime, of: Of, part: number, bytes: Buffer): Promise<void> {
  await db.withTx('day-file-part', async (tx) => {
    await requireTime(tx, of);
    if ((await findPlatformFile(tx, of.platformId, of.date)) !== undefined) throw new Refused(refuse('DAY_FILE_REUSED'));
    await savePart(tx, vault, { ...of, part }, bytes);
  });
}

async function* partsOf({ db, vault }: Runtime, of: Of, parts: number): AsyncGenerator<Buffer> {
  for (let part = 1; part <= parts; part += 1) {
    const bytes = await db.read('day-file-part', (tx) => readPart(tx, vault, { ...of, part }));
    if (bytes === undefined) throw new PlatformFileFaulty(0, `part ${part} is missing`);
    yield bytes;
  }
}

/**
 * Takes a file whose parts were uploaded, or refuses it whole. The same file again changes nothing.
 * @throws Refused DAY_FILE_REFUSED, DAY_FILE_REUSED, DAY_FILE_LATE
 */
export async function takePlatformFile(
  rt: Runtime,
  of: Of,
  { parts, encoding, digest }: { readonly parts: number; readonly encoding: Encoding; readonly digest: string },
): Promise<PlatformFile> {
  const before = await rt.db.read('day-file', (tx) => findPlatformFile(tx, of.platformId, of.date));
  if (before !== undefined) return sameFile(before, digest);
  await rt.db.read('day-file-time', (tx) => requireTime(tx, of));
  const read = await verified(rt, of, parts, encoding);
  if (read.digest !== digest)
    throw new Refused(refuse('DAY_FILE_REFUSED', 'What came is not what was sent.', { line: 0, digest: read.digest }));
  const file: PlatformFile = {
    ...{ platformId: of.platformId, businessDate: of.date, encoding, digest: Buffer.from(digest, 'hex'), parts },
    ...{ lineCount: read.count, total: read.sum, receivedMs: rt.clock.now() },
  };
  try {
    await rt.db.withTx('take-day-file', async (tx) => {
      await requireTime(tx, of);
      await insertPlatformFile(tx, file);
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

async function verified(rt: Runtime, of: Of, parts: number, encoding: Encoding) {
  const file = { platform: toWire('platform', of.platformId), date: of.date, encoding };
  try {
    return await readPlatformFile(file, partsOf(rt, of, parts), () => undefined);
  } catch (error) {
    if (!(error instanceof PlatformFileFaulty)) throw error;
    throw new Refused(refuse('DAY_FILE_REFUSED', `Row ${error.line}: ${error.message}.`, { line: error.line }));
  }
}

interface Matched {
  readonly ours: { readonly lines: number; readonly sum: bigint };
  readonly matched: number;
  readonly left: readonly Leftover[];
  /** References of theirs that earlier comparisons waited for. */
  readonly met: ReadonlySet<string>;
}

/** Compares a day that was cut off with the platform's file of it, if there is one; once. */
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
  const startedMs = rt.clock.wall();
  const { file, waiting } = found;
  const match = await matchPlatformDay(rt, of, file, new Set(waiting.map(({ reference }) => reference)));
  const { breaks, lines, later } = await classified(rt, of, match.left);
  const cleared = waiting.filter(({ reference }) => match.met.has(reference));
  const run = {
    ...{ party: 'platform' as const, platformId, businessDate: date, digest: file.digest, matched: match.matched + later },
    ...{ ourLines: match.ours.lines, theirLines: file.lineCount, ourSum: match.ours.sum, theirSum: file.total },
    counts: { ...countByClass(breaks), closed: cleared.length },
    ...{ finishedMs: rt.clock.now(), tookMs: rt.clock.wall() - startedMs },
  };
  try {
    await rt.db.withTx('compare-platform-day', async (tx) => {
      await insertRun(tx, run);
      await insertBreaks(tx, breaks.slice(0, CASES_MAX));
      await insertStatementLines(tx, rt.vault, { platformId, date, party: 'platform' }, lines.slice(0, CASES_MAX));
      const ids = cleared.map(({ id }) => id);
      await clearBreaks(tx, ids, date, rt.clock.now());
    });
  } catch (error) {
    if (!isDuplicateKey(error)) throw error; // another run compared it meanwhile
  }
}

async function matchPlatformDay(rt: Runtime, of: Of, file: PlatformFile, waiting: ReadonlySet<string>): Promise<Matched> {
  const [mine, theirs] = [new RowSorter(), new RowSorter()];
  const met = new Set<string>();
  try {
    const sealedAs = { platform: toWire('platform', of.platformId), date: of.date, encoding: file.encoding };
    await readPlatformFile(sealedAs, partsOf(rt, of, file.parts), async (lines) => {
      for (const line of lines) {
        if (waiting.has(line.requestNo)) met.add(line.requestNo);
        const full = theirs.add(rowOfLine(line));
        if (full !== undefined) await full;
      }
    });
    const ours = await readOwn(rt, of, mine);
    const left: Leftover[] = [];
    const { matched } = await matchSorted(mine.rows(), theirs.rows(), (each) => left.push(each));
    return { ours, matched, left, met };
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

/** What the platform has and the books do not have on this date, they may have on another. */
async function classified(rt: Runtime, { platformId, date }: Of, left: readonly Leftover[]) {
  const breaks: NewBreak[] = [];
  const lines: KeptLine[] = [];
  let later = 0;
  const openedMs: Instant = rt.clock.now();
  for (let from = 0; from < left.length; from += 1_000) {
    const some = left.slice(from, from + 1_000);
    const elsewhere = await rt.db.read('own-elsewhere', (tx) =>
      ownUnder(
        tx,
        platformId,
        some.filter(({ ours }) => ours === null).map(({ reference }) => reference),
      ),
    );
    for (const of of some) {
      const own = elsewhere.get(of.reference);
      const isSame = own !== undefined && isSameAs(of, own);
      if (isSame && own.businessDate === date) {
        later += 1; // it had waited for days
        continue;
      }
      breaks.push({
        ...{ id: rt.newId(), platformId, party: 'platform', businessDate: date, class: classOf(of) },
        ...{ reference: keyOfReference(of.reference), ourAmount: of.ours, theirAmount: of.theirs, states: of.states },
        ...{ difference: (of.ours ?? 0n) - (of.theirs ?? 0n), timing: isSame, openedMs },
        ...(isSame ? { closedBy: 'on-another-date' } : {}),
      });
      for (const { reference, amount, state, rest } of of.rows) {
        const [lineNo = '', remark = ''] = rest.split('\t');
        lines.push({ lineNo: Number(lineNo), reference, amount, state, counterparty: '', text: textOfField(remark) });
      }
    }
  }
  return { breaks, lines, later };
}

function isSameAs({ rows, theirs }: Leftover, own: OwnInstruction): boolean {
  return rows.length === 1 && rows[0]?.state === own.state && theirs === BigInt(own.amount);
}

function classOf({ ours, theirs, states }: Leftover): BreakClass {
  if (states !== null) return 'state-differs';
  if (ours === null) return 'only-theirs';
  return theirs === null ? 'only-ours' : 'amount-differs';
}
