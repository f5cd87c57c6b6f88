/** A row that is longer than rows are, or one that the stream ends within. */
export class RowsFaulty extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'RowsFaulty';
  }
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
