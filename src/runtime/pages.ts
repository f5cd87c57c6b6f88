import { asId, type Id } from '../kernel/index.js';

const FIRST = asId('0');

/**
 * Everything that is read page by page in the order of ids, until a page is not full.
 * @param read the rows behind an id, at most `limit` of them
 */
export async function* inPages<Row>(
  limit: number,
  idOf: (row: Row) => Id,
  read: (after: Id) => Promise<readonly Row[]>,
): AsyncGenerator<readonly Row[]> {
  for (let after: Id | undefined = FIRST; after !== undefined; ) {
    const page: readonly Row[] = await read(after);
    if (page.length > 0) yield page;
    const last = page.length < limit ? undefined : page.at(-1);
    after = last && idOf(last);
  }
}
