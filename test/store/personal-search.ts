import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Database } from '../../src/runtime/index.js';

/** The part of the base64 of any longer text that shows that these bytes are in it, after so many bytes more than a multiple of three. */
function withinBase64(bytes: Buffer, before: 0 | 1 | 2): string {
  const whole = Buffer.concat([Buffer.alloc(before), bytes]);
  return whole.toString('base64').slice(Math.ceil((before * 8) / 6), Math.floor((whole.length * 8) / 6));
}

/** A plain text in the forms in which it could lie about. */
function formsOf(plain: string): Buffer[] {
  const bytes = Buffer.from(plain, 'utf8');
  const escaped = [...plain].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
  const base64 = ([0, 1, 2] as const).map((before) => withinBase64(bytes, before));
  const base64url = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  const texts = [plain, escaped, encodeURIComponent(plain), ...base64, ...base64url, bytes.toString('hex')];
  return [...new Set(texts)].map((text) => Buffer.from(text, 'utf8'));
}

async function tablesOf(db: Database): Promise<string[]> {
  const tables = await db.read('tables', (tx) =>
    tx.rows<{ name: string }>(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'",
    ),
  );
  return tables.map(({ name }) => name).sort();
}

/** Tables in which nothing was ever written: a search finds nothing there, whatever comes later. */
export async function emptyTables(db: Database): Promise<string[]> {
  const empty: string[] = [];
  for (const name of await tablesOf(db)) {
    const rows = await db.read('a row', (tx) => tx.rows(`SELECT 1 FROM ${name} LIMIT 1`));
    if (rows.length === 0) empty.push(name);
  }
  return empty;
}

const BETWEEN = Buffer.from([0]);

/** Finds plain texts in whatever it is handed, and remembers where. */
export class Search {
  readonly found: string[] = [];
  readonly #plain: readonly (readonly [plain: string, forms: readonly Buffer[]])[];

  constructor(plain: readonly string[]) {
    this.#plain = [...new Set(plain)].map((text) => [text, formsOf(text)]);
  }

  within(where: string, content: Buffer | string): void {
    const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
    for (const [plain, forms] of this.#plain) {
      if (forms.some((form) => bytes.includes(form))) this.found.push(`${where}: ${plain}`);
    }
  }

  /** Every column of every row of every table. */
  async database(db: Database): Promise<number> {
    let cells = 0;
    for (const name of await tablesOf(db)) {
      const rows = await db.read('rows', (tx) => tx.rows<Record<string, unknown>>(`SELECT * FROM ${name}`));
      // A column at a time, with a byte between cells that stands in no text: one look is much quicker than one a cell.
      for (const column of Object.keys(rows[0] ?? {})) {
        const values = rows.map((row) => row[column]).filter((value) => value !== null);
        const bytes = values.map((value) => (Buffer.isBuffer(value) ? value : Buffer.from(String(value), 'utf8')));
        this.within(`${name}.${column}`, Buffer.concat(bytes.flatMap((each) => [each, BETWEEN])));
        cells += rows.length;
      }
    }
    return cells;
  }

  /** Every key of this prefix, with what it holds. */
  async redis(url: string, prefix: string): Promise<void> {
    const redis = new Redis(url);
    for await (const keys of redis.scanStream({ match: `*${prefix}*`, count: 1000 })) {
      for (const key of keys as string[]) {
        this.within(`Redis ${key}`, key);
        this.within(`Redis ${key}`, JSON.stringify((await contentOf(redis, key)) ?? null));
      }
    }
    await redis.quit();
  }

  /** Every file of a folder and of those in it. */
  files(folder: string): number {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    for (const { name, parentPath } of files) this.within(name, readFileSync(join(parentPath, name)));
    return files.length;
  }
}

async function contentOf(redis: Redis, key: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case 'string':
      return redis.get(key);
    case 'hash':
      return redis.hgetall(key);
    case 'list':
      return redis.lrange(key, 0, -1);
    case 'set':
      return redis.smembers(key);
    case 'zset':
      return redis.zrange(key, '0', '-1');
    case 'stream':
      return redis.xrange(key, '-', '+');
    default:
      return undefined;
  }
}
