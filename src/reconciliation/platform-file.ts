import { createHash } from 'node:crypto';
import { type BusinessDate, fenOfYuan, fieldsOfRow, type Minor, WIRE_MAX } from '../kernel/index.js';
import { RowsFaulty, wholeRows } from '../runtime/index.js';

/**
 * What a platform itself has of its day: UTF-8 or GBK, a line feed after each row, fields between bars, amounts in yuan with two decimals.
 *
 *   H|1|plt_…|2026-03-02|2|150.00                           version, platform, business date, lines, sum
 *   D|1|R-1001|payment|100.00|posted|first order            line, request number, kind, amount, how it stands, the platform's own words
 *   D|2|R-1002|refund|50.00|refused|
 *   T|2|150.00|<SHA-256 of all bytes before this row, hex>
 */
export const ENCODINGS = ['utf-8', 'gbk'] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** Trades, payments and withdrawals: what has one amount and the platform's own number. */
export const PLATFORM_KINDS = ['payment', 'combined-payment', 'refund', 'withdrawal', 'top-up'] as const;

export interface PlatformLine {
  readonly lineNo: number;
  readonly requestNo: string;
  /** The kind and how it stands, as one word. */
  readonly state: string;
  /** Fen. */
  readonly amount: Minor;
  readonly remark: string;
}

export interface PlatformFileOf {
  /** As on the wire. */
  readonly platform: string;
  readonly date: BusinessDate;
  readonly encoding: Encoding;
}

/** The file is refused whole; `line` is the row at which that was found, 0 where it is the file itself. */
export class PlatformFileFaulty extends Error {
  readonly line: number;
  constructor(line: number, why: string) {
    super(why);
    this.name = 'PlatformFileFaulty';
    this.line = line;
  }
}

const ROW_BYTES_MAX = 2_048;
const WORD = /^[A-Za-z0-9_.:-]{1,64}$/;
const COUNT = /^(0|[1-9][0-9]{0,8})$/;

/**
 * Reads a file however long and verifies it whole: platform, date, encoding, numbers of lines, count, sum, digest. Nothing that `take` was handed
 * counts unless this answers.
 * @throws PlatformFileFaulty
 */
export async function readPlatformFile(
  of: PlatformFileOf,
  chunks: AsyncIterable<Buffer>,
  take: (lines: readonly PlatformLine[]) => void | Promise<void>,
): Promise<{ readonly count: number; readonly sum: Minor; readonly digest: string }> {
  const reader = new Reader(of);
  try {
    for await (const part of wholeRows(chunks, ROW_BYTES_MAX)) {
      const lines = reader.read(part);
      if (lines.length > 0) await take(lines);
    }
  } catch (error) {
    if (error instanceof RowsFaulty) throw new PlatformFileFaulty(0, error.message);
    throw error;
  }
  return reader.end();
}

class Reader {
  readonly #of: PlatformFileOf;
  readonly #decoder: InstanceType<typeof TextDecoder>;
  /** Of all bytes before the trailer; of the whole file. */
  readonly #told = createHash('sha256');
  readonly #whole = createHash('sha256');
  #head: { count: string; sum: string } | undefined;
  #ended = false;
  #count = 0;
  #sum = 0n;

  constructor(of: PlatformFileOf) {
    this.#of = of;
    this.#decoder = new TextDecoder(of.encoding, { fatal: true, ignoreBOM: true });
  }

  read(bytes: Buffer): PlatformLine[] {
    this.#whole.update(bytes);
    if (this.#ended) throw this.#faulty('something stands behind its trailer');
    const trailer = trailerStart(bytes);
    this.#told.update(trailer < 0 ? bytes : bytes.subarray(0, trailer));
    let text: string;
    try {
      text = this.#decoder.decode(bytes);
    } catch {
      throw this.#faulty(`it is not ${this.#of.encoding}`);
    }
    const lines: PlatformLine[] = [];
    for (const row of text.slice(0, -1).split('\n')) {
      if (this.#ended) throw this.#faulty('something stands behind its trailer');
      if (this.#head === undefined) this.#head = this.#headOf(row);
      else if (row.startsWith('T|')) this.#endOf(row);
      else lines.push(this.#lineOf(row));
    }
    return lines;
  }

  end(): { count: number; sum: Minor; digest: string } {
    if (this.#head === undefined || !this.#ended) throw new PlatformFileFaulty(0, 'it is truncated');
    return { count: this.#count, sum: this.#sum, digest: this.#whole.digest('hex') };
  }

  #faulty(why: string): PlatformFileFaulty {
    return new PlatformFileFaulty(this.#count + 2, why);
  }

  #headOf(row: string): { count: string; sum: string } {
    const [, version, platform, date, count = '', sum = ''] = fieldsOfRow(row, 'H', 6) ?? [];
    if (version !== '1' || !COUNT.test(count) || fenOfYuan(sum) === undefined)
      throw new PlatformFileFaulty(1, 'its header cannot be read');
    if (platform !== this.#of.platform) throw new PlatformFileFaulty(1, 'it is of another platform');
    if (date !== this.#of.date) throw new PlatformFileFaulty(1, 'it is of another date');
    return { count, sum };
  }

  #lineOf(row: string): PlatformLine {
    const [, no, requestNo = '', kind = '', yuan = '', state = '', remark = ''] = fieldsOfRow(row, 'D', 7) ?? [];
    const amount = fenOfYuan(yuan);
    const isKnown = (PLATFORM_KINDS as readonly string[]).includes(kind) && ['posted', 'refused'].includes(state);
    if (amount === undefined || !isKnown || !WORD.test(requestNo) || remark.length > 120)
      throw this.#faulty('the line cannot be read');
    if (no !== String(this.#count + 1)) throw this.#faulty('the line numbers have gaps');
    if (amount > WIRE_MAX) throw this.#faulty('the amount is none');
    this.#count += 1;
    this.#sum += amount;
    return { lineNo: this.#count, requestNo, state: `${kind} ${state}`, amount, remark };
  }

  #endOf(row: string): void {
    const [, count = '', sum = '', digest] = fieldsOfRow(row, 'T', 4) ?? [];
    if (count !== this.#head?.count || sum !== this.#head?.sum) throw this.#faulty('header and trailer contradict each other');
    if (Number(count) !== this.#count) throw this.#faulty(`${count} lines announced, ${this.#count} came`);
    if (fenOfYuan(sum) !== this.#sum) throw this.#faulty('its lines add up to another sum');
    if (digest !== this.#told.copy().digest('hex')) throw this.#faulty('its digest is another');
    this.#ended = true;
  }
}

const [LF, T, BAR] = [0x0a, 0x54, 0x7c];

/** Where the last row begins, if it is a trailer; less than zero if it is not. */
function trailerStart(bytes: Buffer): number {
  const start = bytes.length < 2 ? 0 : bytes.lastIndexOf(LF, bytes.length - 2) + 1;
  return bytes[start] === T && bytes[start + 1] === BAR ? start : -1;
}
