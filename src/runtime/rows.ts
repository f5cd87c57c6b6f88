/** A row that is longer than rows are, or one that the stream ends within. */
export class RowsFaulty extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'RowsFaulty';
  }
}

// What would end a field or a row, and what would make a row read otherwise than it stands.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** A row of fields with bars between, in the files that the bank and its platforms send each other. A bar in a field becomes the full-width one. */
export function rowOfFields(fields: readonly string[]): string {
  return `${fields.map((field) => field.replaceAll('|', '｜').replaceAll(UNSAFE, ' ')).join('|')}\n`;
}

/** The fields of such a row, without its LF; undefined where they are not so many, or the first is not the mark of the row. */
export function fieldsOfRow(row: string, mark: string, count: number): readonly string[] | undefined {
  const fields = row.split('|');
  return fields.length === count && fields[0] === mark ? fields : undefined;
}

const LF = 0x0a;

/**
 * Cuts a stream of bytes into parts that end where a row ends (LF), so that each can be decoded and split by itself. Keeps no more than one
 * chunk and the beginning of a row.
 * @param rowBytesMax what a row has at most, without its LF
 * @throws RowsFaulty when a row does not end by then, or the stream ends within one
 */
export async function* wholeRows(chunks: AsyncIterable<Buffer>, rowBytesMax: number): AsyncGenerator<Buffer> {
  let rest: Buffer | undefined;
  for await (const chunk of chunks) {
    const bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
    const end = bytes.lastIndexOf(LF) + 1;
    if (bytes.length - end > rowBytesMax) throw new RowsFaulty('a row is too long');
    rest = end === bytes.length ? undefined : bytes.subarray(end);
    if (end > 0) yield bytes.subarray(0, end);
  }
  if (rest !== undefined) throw new RowsFaulty('it is truncated');
}
