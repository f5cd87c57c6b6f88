import { kinds, parseInstruction } from '../instructions/index.js';
import { type Id, REFUSALS, type RefusalCode, Refused, toWire } from '../kernel/index.js';
import type { BatchMode } from './states.js';

export const LINES_MAX = 10_000;
/** All of it is one commit, and the shard belongs to it meanwhile. */
export const ATOMIC_MAX = 2_000;
/** Faults that are told of one file. */
const FAULTS_MAX = 100;

export interface Header {
  readonly batchNo: string;
  readonly mode: BatchMode;
  /** How many lines there are, when the platform says. */
  readonly count?: number | undefined;
  /** What their amounts sum to, when the platform says; minor units. */
  readonly total?: bigint | undefined;
}

/** A line of a file as it came; without a value where it is no JSON. */
export interface RawLine {
  /** From 1, in the order of the file. */
  readonly place: number;
  readonly value?: unknown;
  /** What is wrong with its text. */
  readonly fault?: string;
}

/** A line that is legal. */
export interface Line {
  readonly line: number;
  readonly kind: string;
  /** Canonical JSON of the data. */
  readonly body: string;
  /** What it counts in the sum of its file; minor units. */
  readonly worth: bigint;
}

export interface LineFault {
  /** From 1, in the order of the file; null: the file as a whole. */
  readonly place: number | null;
  /** The number that it gives itself, where that can be read. */
  readonly line: number | null;
  readonly code: RefusalCode;
  readonly detail: string;
  readonly errors?: readonly unknown[];
}

/** What inspecting a file found. No fault: it is legal. */
export interface Inspection {
  /** In the order of their numbers. */
  readonly lines: readonly Line[];
  /** What they sum to, minor units. */
  readonly total: bigint;
  /** Of its lines, then of its header. */
  readonly faults: readonly LineFault[];
}

/** Inspects the lines of a file, each with those before it. */
export function lineReader(): (raw: RawLine) => Line | LineFault {
  const seen = new Set<number>();
  return (raw) => readLine(raw, seen);
}

/** Whether a file is legal whose lines were read. */
export function inspected(header: Header, raw: readonly (Line | LineFault)[]): Inspection {
  const lines = raw.filter((read): read is Line => !('code' in read));
  const faults = raw.filter((read): read is LineFault => 'code' in read).slice(0, FAULTS_MAX);
  const total = lines.reduce((sum, { worth }) => sum + worth, 0n);
  if (faults.length === FAULTS_MAX) return { lines, total, faults };
  const whole = (code: RefusalCode, detail: string) => faults.push({ place: null, line: null, code, detail });
  if (raw.length === 0) whole('SHAPE_INVALID', 'A file has at least one line.');
  if (header.count !== undefined && header.count !== raw.length)
    whole('BATCH_COUNT_WRONG', `The header says ${header.count} lines, the file has ${raw.length}.`);
  // What lines that cannot be read are worth nobody knows.
  if (header.total !== undefined && faults.every(({ place }) => place === null) && header.total !== total)
    whole('BATCH_SUM_WRONG', `The header says ${header.total}, the lines sum to ${total} minor units.`);
  return { lines: lines.toSorted((a, b) => a.line - b.line), total, faults };
}

const NUMBER_MAX = 999_999_999;

function readLine({ place, value, fault }: RawLine, seen: Set<number>): Line | LineFault {
  const {
    line: number,
    kind: name,
    data,
    ...others
  } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const line =
    Number.isInteger(number) && (number as number) >= 1 && (number as number) <= NUMBER_MAX ? (number as number) : null;
  const faulty = (code: RefusalCode, detail: string = REFUSALS[code].en, errors?: readonly unknown[]): LineFault => ({
    place,
    line,
    code,
    detail,
    ...(errors === undefined ? {} : { errors }),
  });
  if (fault !== undefined) return faulty('BODY_MALFORMED', fault);
  if (line === null) return faulty('SHAPE_INVALID', `\`line\` must be an integer of 1 to ${NUMBER_MAX}.`);
  if (seen.has(line)) return faulty('BATCH_LINE_REPEATED');
  seen.add(line);
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) return faulty('SHAPE_INVALID', `\`${unknown}\` is an unknown field.`);
  if (typeof name !== 'string' || !kinds.has(name)) return faulty('BATCH_KIND_UNKNOWN');
  try {
    const { kind, body } = parseInstruction({ requestNo: 'LINE', kind: name, data }, 'P');
    return { line, kind, body, worth: amountOf(data) };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const { code, detail, fields } = error.refusal;
    return faulty(code, detail, fields?.errors as readonly unknown[] | undefined);
  }
}

/** What a line counts in the sum of its file: its amount, or else those of its own lines together. Minor units; what names none counts nothing. */
function amountOf(data: unknown): bigint {
  const { amount, lines } = (data ?? {}) as { amount?: { amount?: unknown }; lines?: unknown };
  if (Number.isSafeInteger(amount?.amount)) return BigInt(amount?.amount as number);
  if (!Array.isArray(lines)) return 0n;
  return lines.reduce(
    (sum: bigint, line: unknown) => sum + amountOf({ amount: (line as { amount?: unknown } | null)?.amount }),
    0n,
  );
}

/** The request number of a line in an attempt. It is remembered for ever, so no line of an attempt is given twice. */
export function requestNoOf(batch: Id, line: number, attempt: number): string {
  return `${toWire('batch', batch)}.${line}.${attempt}`;
}
