import { z } from 'zod';
import type { Bank } from './bank.js';
import type { CallPoint } from './faults.js';

/** A call as it came in: the groups of its path, its query and its JSON body, or the text of it where the route is one of messages in XML. */
export interface Call {
  readonly bank: Bank;
  readonly path: readonly string[];
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
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
  /** Its bodies are XML, not JSON. */
  readonly xml?: true;
  readonly parse: (call: Call) => Parsed;
}

/** An answer that is XML; and what it may look like when nobody can read it. */
export class XmlAnswer {
  readonly text: string;
  readonly garbled: readonly string[];
  constructor(text: string, garbled: readonly string[]) {
    this.text = text;
    this.garbled = garbled;
  }
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
