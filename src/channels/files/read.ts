import { createHash } from 'node:crypto';
import type { BusinessDate, Minor } from '../../kernel/index.js';
import {
  ChannelFileFaulty,
  type DayFileLine,
  type DayFileSettlement,
  type FileChannel,
  type FileForm,
  type Totals,
} from './day-file.js';

/** A file that was read whole and found right: its lines are found again by blocks, each with where it begins and its own digest. */
export interface VerifiedFile {
  readonly count: number;
  readonly sum: Minor;
  readonly blocks: readonly { readonly offset: number; readonly digest: string }[];
}

/** Lines of a block. */
const EVERY = 1_000;

export interface FileOf {
  readonly form: FileForm;
  readonly channel: FileChannel;
  readonly date: BusinessDate;
}

/** Takes lines of a file that is being read. */
export type TakeDayLines = (lines: readonly DayFileLine[]) => Promise<void>;

/**
 * Reads a file whole, however long, keeping none of it, and verifies it: every row, the numbers of its lines, header and trailer, the sums
 * paid over later, the digest, and that it ends where its trailer says.
 * @param digest SHA-256 in hex
 * @param take is handed the lines, some at a time; they count for nothing unless this answers
 * @throws ChannelFileFaulty
 */
export async function verifyFile(
  of: FileOf,
  chunks: AsyncIterable<Buffer>,
  digest: string,
  take?: TakeDayLines,
): Promise<VerifiedFile> {
  const fail = failing(of);
  const hash = createHash('sha256');
  const read: DayFileLine[] = [];
  const check = new Check(of, take === undefined ? undefined : (line) => read.push(line));
  const handOn = async () => {
    if (read.length > 0) await take?.(read.splice(0));
  };
  await eachRow(of.form, hashed(chunks, hash, handOn), fail, (row, offset) => {
    const wrong = check.take(row, offset);
    if (wrong !== undefined) throw fail(wrong);
    return true;
  });
  const wrong = check.end();
  if (wrong !== undefined) throw fail(wrong);
  if (hash.digest('hex') !== digest) throw fail('its digest is another');
  return { count: check.count, sum: check.sum, blocks: check.blocks() };
}

/**
 * Reads lines of a verified file, and verifies again the blocks that they stand in.
 * @param readFrom the file's bytes from an offset on
 * @param after the number of the line before the first
 * @throws ChannelFileFaulty when they are not what they were: the file was changed
 */
export async function linesOf(
  of: FileOf,
  { blocks, count }: VerifiedFile,
  readFrom: (offset: number) => AsyncIterable<Buffer>,
  after: number,
  limit: number,
): Promise<DayFileLine[]> {
  const fail = failing(of);
  const lines: DayFileLine[] = [];
  const last = Math.min(count, after + limit);
  for (let block = Math.floor(after / EVERY); block * EVERY < last; block += 1) {
    const { offset, digest } = blocks[block] as VerifiedFile['blocks'][number];
    const size = Math.min(EVERY, count - block * EVERY);
    const hash = createHash('sha256');
    const rows: (DayFileLine | undefined)[] = [];
    await eachRow(of.form, readFrom(offset), fail, (bytes) => {
      hash.update(bytes).update('\n');
      const row = of.form.readRow(bytes);
      rows.push(row?.kind === 'line' ? row.line : undefined);
      return rows.length < size;
    });
    if (rows.length !== size || hash.digest('hex') !== digest) throw fail('it was changed while it was read');
    lines.push(...rows.flatMap((line) => (line !== undefined && line.lineNo > after && line.lineNo <= last ? [line] : [])));
  }
  return lines;
}

/** Refuses the file, whole. */
export function failing({ form, channel, date }: FileOf) {
  return (why: string) => new ChannelFileFaulty(form.nameOf(channel, date), why);
}

/** @param between runs when the rows of a chunk were read */
async function* hashed(
  chunks: AsyncIterable<Buffer>,
  hash: ReturnType<typeof createHash>,
  between: () => Promise<void>,
): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
    await between();
  }
}

const LF = 0x0a;

/** Hands on one row after another until `take` says false; a row that never ends is not waited for. */
async function eachRow(
  form: FileForm,
  chunks: AsyncIterable<Buffer>,
  fail: (why: string) => Error,
  take: (row: Buffer, offset: number) => boolean,
): Promise<void> {
  let rest: Buffer = Buffer.alloc(0);
  let offset = 0;
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let from = 0;
    for (let end = bytes.indexOf(LF, from); end >= 0; end = bytes.indexOf(LF, from)) {
      if (end - from > form.rowBytesMax) throw fail('a field is too long');
      if (!take(bytes.subarray(from, end), offset)) return;
      offset += end + 1 - from;
      from = end + 1;
    }
    rest = bytes.subarray(from);
    if (rest.length > form.rowBytesMax) throw fail('a field is too long');
  }
  if (rest.length > 0) throw fail('it is truncated');
}

/** What is known of a file while it is read. */
class Check {
  count = 0;
  readonly #blocks: { readonly offset: number; readonly hash: ReturnType<typeof createHash> }[] = [];
  readonly #of: FileOf;
  sum = 0n;
  #head: Totals | undefined;
  #ended = false;
  #settlements: DayFileSettlement[] = [];
  /** What was settled under each reference that is not the payment's own. */
  readonly #bundles = new Map<string, { count: number; amount: Minor }>();

  readonly #onLine: ((line: DayFileLine) => void) | undefined;

  constructor(of: FileOf, onLine: ((line: DayFileLine) => void) | undefined) {
    this.#of = of;
    this.#onLine = onLine;
  }

  /** @returns what is wrong, or undefined */
  take(bytes: Buffer, offset: number): string | undefined {
    const { form, channel, date } = this.#of;
    if (this.#ended) return 'something stands behind its trailer';
    if (this.#head === undefined) {
      this.#head = form.readHead(bytes, channel, date);
      return this.#head === undefined ? 'its header cannot be read' : undefined;
    }
    const row = form.readRow(bytes);
    if (row === undefined) return `row ${this.count + 1} cannot be read`;
    if (row.kind === 'line') return this.#takeLine(row.line, bytes, offset);
    if (row.kind === 'settlement') return void this.#settlements.push(row.settlement);
    this.#ended = true;
    const isSame = row.totals.count === this.#head.count && row.totals.sum === this.#head.sum;
    return isSame ? undefined : 'header and trailer contradict each other';
  }

  /** @returns what is wrong, or undefined */
  end(): string | undefined {
    if (this.#head === undefined || !this.#ended) return 'it is truncated';
    const { count, sum } = this.#head;
    if (count !== this.count) return `${count} lines announced, ${this.count} came`;
    if (sum !== this.sum) return `the lines add up to ${this.sum}, announced is ${sum}`;
    for (const settlement of this.#settlements) {
      const bundle = this.#bundles.get(settlement.reference);
      if (bundle?.count !== settlement.count || bundle.amount !== settlement.amount)
        return `what is paid over as ${settlement.reference} is not what its lines add up to`;
      this.#bundles.delete(settlement.reference);
    }
    return this.#bundles.size === 0 ? undefined : 'lines name a sum that it does not have';
  }

  /** Once, at the end. */
  blocks(): VerifiedFile['blocks'] {
    return this.#blocks.map(({ offset, hash }) => ({ offset, digest: hash.digest('hex') }));
  }

  #takeLine(line: DayFileLine, bytes: Buffer, offset: number): string | undefined {
    if (this.#settlements.length > 0) return 'a line stands behind the sums';
    if (line.lineNo !== this.count + 1) return 'the line numbers have gaps';
    if (this.count % EVERY === 0) this.#blocks.push({ offset, hash: createHash('sha256') });
    this.#blocks.at(-1)?.hash.update(bytes).update('\n');
    this.count += 1;
    this.sum += line.amount;
    this.#onLine?.(line);
    if (line.status === 'settled' && line.reference !== line.messageNo) {
      const bundle = this.#bundles.get(line.reference) ?? { count: 0, amount: 0n };
      this.#bundles.set(line.reference, { count: bundle.count + 1, amount: bundle.amount + line.amount });
    }
    return undefined;
  }
}
