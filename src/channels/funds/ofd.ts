import { createHash } from 'node:crypto';
import type { BusinessDate } from '../../kernel/index.js';
import { cutGbk, readGbk } from '../files/gbk.js';
import { BankUnreachable } from '../port.js';

/**
 * The exchange form of open-ended funds (开放式基金业务数据交换协议): a row each for the title, the version, who made the file and for whom, its date, its
 * number, its type, sender and receiver, the number of its fields and their names; then how many records follow; the records, each field of
 * so many bytes of GBK; and an end. Numbers stand right with zeros before them and without a point, text left with spaces behind it.
 */
export interface OfdField {
  readonly name: string;
  readonly bytes: number;
  readonly kind: 'digits' | 'text';
}

/** What a type of file has in it. */
export interface OfdForm<T> {
  /** Two digits. */
  readonly type: string;
  readonly fields: readonly OfdField[];
  valuesOf(record: T): Readonly<Record<string, string>>;
  /** Undefined of values that are no such record. */
  recordOf(values: Readonly<Record<string, string>>): T | undefined;
}

/** Which file: from whom to whom, and of which date. */
export interface OfdHead {
  readonly creator: string;
  readonly receiver: string;
  readonly date: BusinessDate;
}

/** A file of a fund company that contradicts itself or was damaged. It is refused whole. */
export class FundFileFaulty extends BankUnreachable {
  readonly file: string;
  readonly why: string;
  constructor(file: string, why: string) {
    super(`file ${file}`, why);
    this.name = 'FundFileFaulty';
    this.file = file;
    this.why = why;
  }
}

const TITLE = 'OFDCFDAT';
const END = 'OFDCFEND';
const VERSION = '22';
const SUMMARY_NO = '001';
const HEAD_BYTES = { version: 4, party: 9, summary: 3, type: 2, sender: 8, fields: 3, count: 8 };
const NAME_BYTES_MAX = 64;
const FIELDS_MAX = 200;
/** The most records of a file: what its count has room for. */
const COUNT_MAX = 99_999_999;
const CRLF = Buffer.from('\r\n');
const PAGE = 1_000;

/** Without what stands behind the dot. */
export function ofdName({ creator, receiver, date }: OfdHead, type: string): string {
  return `OFD_${creator}_${receiver}_${date.replaceAll('-', '')}_${type}`;
}

/** The bytes of a file, a page of records at a time. @param count how many records will come */
export async function* writeOfd<T>(
  form: OfdForm<T>,
  head: OfdHead,
  count: number,
  pages: AsyncIterable<readonly T[]> | Iterable<readonly T[]>,
): AsyncGenerator<Buffer> {
  if (count > COUNT_MAX) throw new Error(`${count} records are too many for one file`);
  yield rows([...headRows(form, head), ...form.fields.map(({ name }) => Buffer.from(name)), digits(count, HEAD_BYTES.count)]);
  let written = 0;
  for await (const page of pages) {
    written += page.length;
    yield rows(page.map((record) => encodeRecord(form, record)));
  }
  if (written !== count) throw new Error(`${count} records were announced, and ${written} came`);
  yield rows([Buffer.from(END)]);
}

function headRows<T>({ type, fields }: OfdForm<T>, { creator, receiver, date }: OfdHead): Buffer[] {
  return [
    Buffer.from(TITLE),
    cutGbk(VERSION, HEAD_BYTES.version),
    cutGbk(creator, HEAD_BYTES.party),
    cutGbk(receiver, HEAD_BYTES.party),
    Buffer.from(date.replaceAll('-', '')),
    Buffer.from(SUMMARY_NO),
    Buffer.from(type),
    cutGbk(creator, HEAD_BYTES.sender),
    cutGbk(receiver, HEAD_BYTES.sender),
    digits(fields.length, HEAD_BYTES.fields),
  ];
}

function rows(lines: readonly Buffer[]): Buffer {
  return Buffer.concat(lines.flatMap((line) => [line, CRLF]));
}

function digits(value: number, bytes: number): Buffer {
  return Buffer.from(String(value).padStart(bytes, '0'));
}

/** @throws of a value that its field has no room for: a number or a date that is cut would be another */
function encodeRecord<T>(form: OfdForm<T>, record: T): Buffer {
  const values = form.valuesOf(record);
  return Buffer.concat(
    form.fields.map(({ name, bytes, kind }) => {
      const value = values[name] ?? '';
      if (kind === 'text') return cutGbk(value, bytes);
      if (!/^\d*$/.test(value) || value.length > bytes) throw new Error(`${name} has no room for ${value.length} digits`);
      return Buffer.from(value.padStart(bytes, '0'));
    }),
  );
}

/**
 * Reads a file whole, however long, keeping a page of it: every row, the fields, the count, the end, and the digest.
 * @param digest SHA-256 in hex that the other side says of it
 * @param take is handed the records, some at a time, with the number of the first, from 1; they count for nothing unless this answers
 * @returns how many records it has
 * @throws FundFileFaulty
 */
export async function readOfd<T>(
  form: OfdForm<T>,
  head: OfdHead,
  chunks: AsyncIterable<Buffer>,
  digest: string,
  take?: (records: readonly T[], first: number) => Promise<void>,
): Promise<number> {
  const fail = (why: string) => new FundFileFaulty(ofdName(head, form.type), why);
  const hash = createHash('sha256');
  const reader = new Reader(form, head);
  let page: T[] = [];
  const handOn = async () => {
    await take?.(page, reader.count - page.length + 1);
    page = [];
  };
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    hash.update(chunk);
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let from = 0;
    for (let end = bytes.indexOf(CRLF, from); end >= 0; end = bytes.indexOf(CRLF, from)) {
      const said = reader.take(bytes.subarray(from, end));
      if (typeof said === 'string') throw fail(said);
      if (said !== undefined) page.push(said.record);
      if (page.length === PAGE) await handOn();
      from = end + CRLF.length;
    }
    rest = bytes.subarray(from);
    if (rest.length > reader.rowBytesMax + 1) throw fail(reader.ended ? 'something stands behind its end' : 'a row is too long');
  }
  // The last row may lack its end.
  const last = rest.length === 0 ? undefined : reader.take(rest);
  const wrong = typeof last === 'string' ? last : reader.end();
  if (wrong !== undefined) throw fail(wrong);
  if (hash.digest('hex') !== digest) throw fail('its digest is another');
  if (page.length > 0) await handOn();
  return reader.count;
}

/** What is known of a file while it is read. */
class Reader<T> {
  count = 0;
  ended = false;
  readonly #form: OfdForm<T>;
  readonly #head: readonly Buffer[];
  #rows = 0;
  #announced: number | undefined;
  /** In the order of the file, which is its own. */
  readonly #fields: OfdField[] = [];
  #fieldCount: number | undefined;
  readonly #recordBytes: number;

  constructor(form: OfdForm<T>, head: OfdHead) {
    this.#form = form;
    this.#head = headRows(form, head);
    this.#recordBytes = form.fields.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get rowBytesMax(): number {
    return Math.max(this.#recordBytes, NAME_BYTES_MAX);
  }

  /** @returns a record, what is wrong, or undefined */
  take(row: Buffer): { readonly record: T } | string | undefined {
    if (this.ended) return 'something stands behind its end';
    this.#rows += 1;
    if (this.#rows < this.#head.length) return this.#takeHead(row);
    if (this.#fieldCount === undefined) return this.#takeFieldCount(row);
    if (this.#fields.length < this.#fieldCount) return this.#takeField(row.toString('latin1'));
    if (this.#announced === undefined) return this.#takeCount(row);
    if (this.count === this.#announced) {
      this.ended = row.toString('latin1') === END;
      return this.ended ? undefined : `${this.#announced} records announced, and more came`;
    }
    return this.#takeRecord(row);
  }

  /** @returns what is wrong, or undefined */
  end(): string | undefined {
    if (this.ended) return undefined;
    return this.#announced !== undefined && this.count < this.#announced
      ? `${this.#announced} records announced, ${this.count} came`
      : 'it is truncated';
  }

  #takeHead(row: Buffer): string | undefined {
    const wanted = this.#head[this.#rows - 1] as Buffer;
    // Whoever writes it may leave out the spaces behind.
    return row.toString('latin1').trimEnd() === wanted.toString('latin1').trimEnd()
      ? undefined
      : `row ${this.#rows} of its head is another`;
  }

  #takeFieldCount(row: Buffer): string | undefined {
    this.#fieldCount = numberOf(row, HEAD_BYTES.fields);
    return this.#fieldCount === undefined || this.#fieldCount > FIELDS_MAX
      ? 'the number of its fields cannot be read'
      : undefined;
  }

  #takeField(text: string): string | undefined {
    const name = text.trimEnd().toLowerCase();
    const field = this.#form.fields.find((each) => each.name.toLowerCase() === name);
    if (field === undefined) return `it has a field that nobody knows: ${JSON.stringify(text.slice(0, 40))}`;
    if (this.#fields.includes(field)) return `it has the field ${field.name} twice`;
    this.#fields.push(field);
    return undefined;
  }

  #takeCount(row: Buffer): string | undefined {
    const missing = this.#form.fields.find((field) => !this.#fields.includes(field));
    if (missing !== undefined) return `it lacks the field ${missing.name}`;
    this.#announced = numberOf(row, HEAD_BYTES.count);
    return this.#announced === undefined ? 'the number of its records cannot be read' : undefined;
  }

  #takeRecord(row: Buffer): { readonly record: T } | string {
    const record = row.length === this.#recordBytes ? this.#readRecord(row) : undefined;
    if (record === undefined) {
      const isEnd = row.toString('latin1') === END;
      return isEnd ? `${this.#announced} records announced, ${this.count} came` : `record ${this.count + 1} cannot be read`;
    }
    this.count += 1;
    return { record };
  }

  #readRecord(row: Buffer): T | undefined {
    const values: Record<string, string> = {};
    let at = 0;
    for (const { name, bytes, kind } of this.#fields) {
      const part = row.subarray(at, at + bytes);
      at += bytes;
      const value = kind === 'digits' ? part.toString('latin1') : readGbk(part);
      if (value === undefined || (kind === 'digits' && !/^\d+$/.test(value))) return undefined;
      values[name] = value;
    }
    return this.#form.recordOf(values);
  }
}

function numberOf(row: Buffer, bytes: number): number | undefined {
  const text = row.toString('latin1');
  return text.length <= bytes && /^\d+$/.test(text) ? Number(text) : undefined;
}
