import { createHash } from 'node:crypto';
import type { z } from 'zod';
import type { BusinessDate, Minor } from '../kernel/index.js';
import { RowsFaulty, wholeRows } from '../runtime/index.js';
import type { BankHttp } from './http.js';
import { BankRefused, BankUnreachable } from './port.js';
import { StatementHead, type StatementLine, StatementTrailer } from './wire.js';

/** One business date of one custody account as the core bank's books have it; amounts in fen. */
export interface Statement {
  readonly custodyNo: string;
  readonly businessDate: BusinessDate;
  readonly opening: Minor;
  readonly closing: Minor;
  /** Of its lines: how many, what they add up to, and SHA-256 in hex over them as they came. */
  readonly count: number;
  readonly sum: Minor;
  readonly digest: string;
  /** False while a payment of this date is accepted and has no final result: its line may still come. */
  readonly complete: boolean;
}

/** Takes lines of a statement that is being read. */
export type TakeLines = (lines: readonly StatementLine[]) => void | Promise<void>;

/** The statement contradicts itself or was damaged on the way. It is refused whole. */
export class StatementFaulty extends Error {
  constructor(custodyNo: string, businessDate: string, why: string) {
    super(`statement of ${custodyNo} for ${businessDate}: ${why}`);
    this.name = 'StatementFaulty';
  }
}

const ROW_BYTES_MAX = 16 * 1024;
const AMOUNT = /^-?(0|[1-9][0-9]{0,17})$/;

/** Reads a statement row by row; see the port. */
export async function readStatement(
  http: BankHttp,
  custodyNo: string,
  businessDate: BusinessDate,
  take: TakeLines,
): Promise<Statement> {
  const path = `/core/accounts/${encodeURIComponent(custodyNo)}/statements/${businessDate}`;
  const reply = await http.stream(path);
  if (reply.kind === 'refused') throw new BankRefused(`GET ${path}`, reply.why);
  if (reply.kind === 'unanswered') throw new BankUnreachable(`GET ${path}`, reply.why);
  const faulty = (why: string) => new StatementFaulty(custodyNo, businessDate, why);
  const reader = new Reader({ custodyNo, businessDate }, faulty, (why) => new BankUnreachable(`GET ${path}`, why));
  for await (const part of partsOf(reply.body, faulty, path)) {
    const lines = reader.read(part);
    if (lines.length > 0) await take(lines);
  }
  return reader.end();
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Whole rows as text. */
async function* partsOf(body: AsyncIterable<Buffer>, faulty: (why: string) => Error, path: string): AsyncGenerator<string> {
  const rows = wholeRows(body, ROW_BYTES_MAX);
  try {
    for (;;) {
      const next = await rows.next().catch((error: unknown) => {
        if (error instanceof RowsFaulty) throw faulty(error.message);
        throw new BankUnreachable(`GET ${path}`, error instanceof Error ? error.message : String(error));
      });
      if (next.done === true) return;
      yield textOf(next.value, faulty);
    }
  } finally {
    await rows.return(undefined); // whoever stops early wants no more of it
  }
}

function textOf(bytes: Buffer, faulty: (why: string) => Error): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw faulty('it is not UTF-8');
  }
}

type Head = z.output<typeof StatementHead>;
type Trailer = z.output<typeof StatementTrailer>;
type Failing = (why: string) => Error;

/** What is known of a statement while it is read. */
class Reader {
  readonly #of: { readonly custodyNo: string; readonly businessDate: BusinessDate };
  readonly #faulty: Failing;
  readonly #unreadable: Failing;
  readonly #hash = createHash('sha256');
  #head: Head | undefined;
  #trailer: Trailer | undefined;
  #count = 0;
  #sum = 0n;

  constructor(of: { custodyNo: string; businessDate: BusinessDate }, faulty: Failing, unreadable: Failing) {
    this.#of = of;
    this.#faulty = faulty;
    this.#unreadable = unreadable;
  }

  /** @param part rows, each with its LF */
  read(part: string): StatementLine[] {
    if (this.#trailer !== undefined) throw this.#faulty('something stands behind its trailer');
    let from = 0;
    if (this.#head === undefined) {
      from = part.indexOf('\n') + 1;
      this.#head = this.#headOf(part.slice(0, from - 1));
    }
    let end = part.length;
    const last = part.lastIndexOf('\n', end - 2) + 1;
    if (last >= from && part[last] === '{') {
      this.#trailer = this.#parsed(StatementTrailer, part.slice(last, -1), 'trailer');
      end = last;
    }
    if (end <= from) return [];
    const rows = part.slice(from, end);
    this.#hash.update(rows);
    return rows
      .slice(0, -1)
      .split('\n')
      .map((row) => this.#lineOf(row));
  }

  end(): Statement {
    const [head, trailer] = [this.#head, this.#trailer];
    if (head === undefined) throw this.#unreadable('an empty answer');
    if (trailer === undefined) throw this.#faulty('it is truncated');
    const { count, sum, closing } = trailer;
    if (count !== this.#count) throw this.#faulty(`${count} lines announced, ${this.#count} came`);
    if (sum !== this.#sum) throw this.#faulty(`the lines add up to ${this.#sum}, announced is ${sum}`);
    if (head.opening + sum !== closing)
      throw this.#faulty(`opening ${head.opening} and lines ${sum} do not make closing ${closing}`);
    const digest = this.#hash.digest('hex');
    if (digest !== trailer.digest) throw this.#faulty('the digest of the lines is another');
    return { ...this.#of, opening: head.opening, closing, count, sum, digest, complete: head.complete };
  }

  #headOf(row: string): Head {
    const head = this.#parsed(StatementHead, row, 'head');
    if (head.custodyNo !== this.#of.custodyNo || head.businessDate !== this.#of.businessDate)
      throw this.#faulty('it is of another account or date');
    return head;
  }

  #parsed<T>(schema: z.ZodType<T>, row: string, what: string): T {
    const parsed = schema.safeParse(jsonOf(row));
    if (!parsed.success) throw this.#unreadable(`its ${what} cannot be read`);
    return parsed.data;
  }

  /** By hand, because there may be millions. */
  #lineOf(row: string): StatementLine {
    const value = jsonOf(row);
    const [lineNo, reference, amount, counterparty, text, ...more] = Array.isArray(value) ? (value as unknown[]) : [];
    const isLine =
      typeof lineNo === 'number' &&
      typeof reference === 'string' &&
      !/\p{Cs}/u.test(reference) && // half a character would not come back from where it is kept
      typeof amount === 'string' &&
      AMOUNT.test(amount) &&
      typeof counterparty === 'string' &&
      typeof text === 'string' &&
      more.length === 0;
    if (!isLine) throw this.#unreadable(`its line ${this.#count + 1} cannot be read`);
    if (lineNo !== this.#count + 1) throw this.#faulty('the line numbers have gaps');
    const fen = BigInt(amount);
    this.#count += 1;
    this.#sum += fen;
    return { lineNo, reference, amount: fen, counterparty, text };
  }
}

/** Undefined of what is not JSON, or no array or object. */
function jsonOf(row: string): unknown {
  try {
    const value: unknown = JSON.parse(row);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
