import { z } from 'zod';
import type { Bank } from './bank.js';
import type { CallPoint } from './faults.js';

/** A call as it came in: the groups of its path, its query and its JSON body. */
export interface Call {
  readonly bank: Bank;
  readonly path: readonly string[];
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** The body as it came, and the headers: for forms that are not JSON, or signed. */
  readonly text: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** An answer that is not JSON of the bank's own, or has headers of its own. */
export class RawAnswer {
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What it may look like when nobody can read it. */
  readonly garbled: readonly string[] | undefined;

  constructor(text: string, headers: Readonly<Record<string, string>>, garbled?: readonly string[]) {
    this.text = text;
    this.headers = headers;
    this.garbled = garbled;
  }
}

/** A call that was parsed, and has not been done yet: faults stand between the two. */
export interface Parsed {
  /** What faults may befall it; none on the sandbox's own calls. */
  readonly point?: CallPoint;
  /** Does it, whole; the answer's body. */
  run(): unknown;
}

export interface BankRoute {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: RegExp;
  /** Whether the body is taken as it came, and `body` stays empty. */
  readonly takesText?: true;
  readonly parse: (call: Call) => Parsed;
}

/** An answer of 4xx. */
export class Rejected extends Error {
  readonly status: number;
  constructor(status: number, why: string) {
    super(why);
    this.status = status;
  }
}

export function shape<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new Rejected(400, z.prettifyError(parsed.error));
  return parsed.data;
}

/** What a method of the bank answers, or 409 with what it says instead. */
export function orConflict<T>(result: T | string): T {
  if (typeof result === 'string') throw new Rejected(409, result);
  return result;
}
