/**
 * Hand-made multi-row statements for the hot path: numbers and hex need no escaping, and a value list is one string join.
 * Text that came from outside goes through `text`.
 */
const ESCAPES: Record<string, string> = {
  '\0': '\\0',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  '\x1a': '\\Z',
  '"': '\\"',
  "'": "\\'",
  '\\': '\\\\',
};
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that a literal must not hold bare
const NEEDS_ESCAPE = /[\0\b\t\n\r\x1a"'\\]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above
const EVERY_ESCAPE = /[\0\b\t\n\r\x1a"'\\]/g;

/** A string literal, valid under every sql_mode but NO_BACKSLASH_ESCAPES. */
export function text(value: string): string {
  return NEEDS_ESCAPE.test(value) ? `'${value.replace(EVERY_ESCAPE, (char) => ESCAPES[char] as string)}'` : `'${value}'`;
}

export function nullableText(value: string | null | undefined): string {
  return value === null || value === undefined ? 'NULL' : text(value);
}

/** A binary literal. */
export function hex(bytes: Buffer): string {
  return `x'${bytes.toString('hex')}'`;
}

/** `(a,b),(c,d)` from rows that are already literals. */
export function tuples(rows: readonly string[]): string {
  return `(${rows.join('),(')})`;
}
