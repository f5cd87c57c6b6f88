import { REFUSALS, Refused, refuse } from '../kernel/index.js';

/**
 * Strict JSON. `JSON.parse` is too kind for money: it turns 1.0 into 1 and 9007199254740993 into 9007199254740992, keeps the
 * last of two equal keys, and accepts text that no database column can hold. So the text is scanned before it is parsed.
 */
const DEPTH_MAX = 32;
const FAULTS_MAX = 20;

/** One fault of a request's shape: where it is and what is wrong, never the value itself. */
export interface ShapeFault {
  readonly in: 'body' | 'query' | 'path';
  /** A JSON pointer (RFC 6901). */
  readonly pointer: string;
  readonly detail: string;
}

/** One step of a JSON pointer. */
export function pointerStep(key: PropertyKey): string {
  return `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

export function shapeInvalid(faults: readonly ShapeFault[]): Refused {
  return new Refused(refuse('SHAPE_INVALID', REFUSALS.SHAPE_INVALID.en, { errors: faults }));
}

function malformed(detail: string): Refused {
  return new Refused(refuse('BODY_MALFORMED', detail));
}

interface Level {
  /** Keys seen; absent in an array. */
  readonly keys: Set<string> | undefined;
  key: string;
  index: number;
  /** In an object: the next string is a key. */
  wantsKey: boolean;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** The place after the closing quote of the string that opens at `start`. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; ; at += 1) {
    at = text.indexOf('"', at);
    if (at < 0) throw malformed('A string is not closed.');
    let slashes = 0;
    while (text.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return at + 1;
  }
}

function pointerOf(levels: readonly Level[]): string {
  return levels.map((level) => pointerStep(level.keys ? level.key : level.index)).join('');
}

function decodeString(text: string, start: number, end: number): string {
  const inner = text.slice(start + 1, end - 1);
  if (!inner.includes('\\')) return inner;
  let decoded: string;
  try {
    decoded = JSON.parse(text.slice(start, end)) as string;
  } catch {
    throw malformed(`Bad escape in a string at character ${start}.`);
  }
  if (LONE_SURROGATE.test(decoded) || decoded.includes('\0'))
    throw malformed(`A string holds no character at character ${start}.`);
  return decoded;
}

function takeKey(level: Level, key: string, levels: readonly Level[]): void {
  level.key = key;
  if (key === '__proto__') throw malformed(`The key ${pointerOf(levels)} is not accepted.`);
  if (level.keys?.has(key)) throw malformed(`The key ${pointerOf(levels)} stands twice.`);
  level.keys?.add(key);
  level.wantsKey = false;
}

const NUMBER = /-?[0-9][0-9.eE+-]*/y;

/** Integers that every JSON reader keeps, and nothing else; undefined when the token is one. */
function numberFault(token: string): string | undefined {
  if (/[.eE]/.test(token)) return 'must be an integer without fraction or exponent';
  return Number.isSafeInteger(Number(token)) ? undefined : 'must be within ±(2^53−1)';
}

/** Walks the tokens once; throws at the first malformed place and returns the faulty numbers. */
function scan(text: string, where: string): ShapeFault[] {
  const faults: ShapeFault[] = [];
  const levels: Level[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    const level = levels.at(-1);
    if (code === QUOTE) {
      const end = endOfString(text, at);
      const value = decodeString(text, at, end);
      if (level?.wantsKey) takeKey(level, value, levels);
      at = end - 1;
    } else if (code === 0x7b || code === 0x5b) {
      if (levels.length === DEPTH_MAX) throw malformed(`Nested deeper than ${DEPTH_MAX} levels.`);
      const isObject = code === 0x7b;
      levels.push({ keys: isObject ? new Set() : undefined, key: '', index: 0, wantsKey: isObject });
    } else if (code === 0x7d || code === 0x5d) {
      levels.pop();
    } else if (code === 0x2c && level) {
      level.index += 1;
      level.wantsKey = level.keys !== undefined;
    } else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
      NUMBER.lastIndex = at;
      const token = NUMBER.exec(text)?.[0] ?? '-';
      const detail = numberFault(token);
      if (detail && faults.length < FAULTS_MAX) faults.push({ in: 'body', pointer: where + pointerOf(levels), detail });
      at += token.length - 1;
    }
  }
  return faults;
}

/**
 * Reads JSON text with unique keys and at most 32 levels, and tells which of its numbers are not integers within ±(2^53−1).
 * @param where pointer of the text itself, for a line of a longer body
 * @throws Refused BODY_MALFORMED
 */
export function readJson(text: string, where = ''): { value: unknown; faults: ShapeFault[] } {
  const faults = scan(text, where);
  try {
    return { value: JSON.parse(text), faults };
  } catch {
    throw malformed(text.trim() === '' ? 'The body is empty; where there is nothing to say it is {}.' : 'The body is not JSON.');
  }
}

/** The value alone. @throws Refused BODY_MALFORMED (no JSON, repeated key, depth) or SHAPE_INVALID (numbers, with pointers) */
export function parseJson(text: string, where = ''): unknown {
  const { value, faults } = readJson(text, where);
  if (faults.length > 0) throw shapeInvalid(faults);
  return value;
}

/** @throws Refused BODY_MALFORMED when the bytes are not UTF-8 */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw malformed('The body is not UTF-8.');
  }
}
