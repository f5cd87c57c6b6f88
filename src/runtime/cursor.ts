import { z } from 'zod';
import { asId, type Id, Refused, refuse } from '../kernel/index.js';

/**
 * Opaque cursors of keyset lists. A cursor names the list that made it and the key of the last row shown, so a row that
 * comes or goes between two pages neither repeats nor hides another.
 */
const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 500;

const Cursor = z.tuple([z.string(), z.array(z.union([z.string().max(200), z.int()])).max(8)]);

/** The query fields of every list; spread them into the list's own strict object. */
export const pageQuery = {
  limit: z
    .string()
    .regex(/^[1-9][0-9]{0,2}$/, { error: `must be an integer of 1 to ${LIMIT_MAX}` })
    .transform(Number)
    .refine((limit) => limit <= LIMIT_MAX, { error: `must be at most ${LIMIT_MAX}` })
    .default(LIMIT_DEFAULT)
    .meta({ description: `Rows of a page, 1 to ${LIMIT_MAX}; ${LIMIT_DEFAULT} when absent` }),
  cursor: z.string().max(1024).optional().meta({ description: '`next` of the page before' }),
};

/** The answer of a list. */
export function pageSchema<T extends z.ZodType>(item: T) {
  return z.strictObject({
    items: z.array(item),
    next: z.string().nullable().meta({ description: 'Cursor of the next page; null on the last' }),
  });
}

export function encodeCursor(list: string, key: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify([list, key])).toString('base64url');
}

/** @throws Refused CURSOR_INVALID unless `encodeCursor(list, …)` made it with as many parts */
export function decodeCursor(list: string, parts: number, cursor: string): (string | number)[] {
  try {
    const [name, key] = Cursor.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
    if (name === list && key.length === parts) return key;
  } catch {
    // Falls through to the refusal: what exactly is wrong with a forged cursor helps nobody.
  }
  throw new Refused(refuse('CURSOR_INVALID'));
}

/**
 * One page out of `limit + 1` rows: the surplus row only says that there is a next page.
 * @param keyOf the keyset key of a row, for the cursor
 */
export function page<Row, Item>(
  list: string,
  rows: readonly Row[],
  limit: number,
  keyOf: (row: Row) => readonly (string | number)[],
  show: (row: Row) => Item,
): { items: Item[]; next: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { items: shown.map(show), next: rows.length > limit && last !== undefined ? encodeCursor(list, keyOf(last)) : null };
}

/** The id after which a list by id goes on; undefined for its first page. @throws Refused CURSOR_INVALID */
export function idAfter(list: string, cursor: string | undefined): Id | undefined {
  if (cursor === undefined) return undefined;
  const [id] = decodeCursor(list, 1, cursor);
  if (typeof id !== 'string' || !/^[1-9][0-9]{18}$/.test(id)) throw new Refused(refuse('CURSOR_INVALID'));
  return asId(id);
}
