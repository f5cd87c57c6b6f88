import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { namelessFile } from '../runtime/index.js';

/**
 * Sorts rows of text in memory that does not grow with their number: runs of a few megabytes are sorted and laid aside in a file that has no
 * name any more and is enciphered with a key that only this process knows, and then merged.
 */
export interface SortedRows {
  /** The rows in the order of their code units, some at a time; to be read once. */
  rows(): AsyncIterable<readonly string[]>;
  /** Gives the files back; also in the middle of reading. */
  close(): Promise<void>;
}

/** How much is held at once: a measured compromise between fewer runs and less memory. */
export interface SorterSizes {
  /** Code units of a run. */
  readonly run: number;
  /** Runs merged at a time. */
  readonly fan: number;
}

const SIZES: SorterSizes = { run: 2 * 1024 * 1024, fan: 64 };
const ROWS_A_TURN = 2_000;
const READ_BYTES = 64 * 1024;
const CIPHER = 'aes-256-ctr';

/** No row may contain a line feed. */
export class RowSorter implements SortedRows {
  readonly #sizes: SorterSizes;
  readonly #key = randomBytes(32);
  #held: string[] = [];
  #units = 0;
  #runs: Run[] = [];

  constructor(sizes: SorterSizes = SIZES) {
    this.#sizes = sizes;
  }

  /** Await it before adding more where it answers a promise. */
  add(row: string): Promise<void> | undefined {
    this.#held.push(row);
    this.#units += row.length;
    return this.#units >= this.#sizes.run ? this.#spill() : undefined;
  }

  async *rows(): AsyncGenerator<readonly string[]> {
    this.#held.sort(); // by code units: what a comparison of our own would say, in a third of the time
    const held = this.#held;
    this.#held = [];
    if (this.#runs.length === 0) return yield* inTurns(held);
    while (this.#runs.length >= this.#sizes.fan) {
      const some = this.#runs.splice(0, this.#sizes.fan);
      this.#runs.push(await writeRun(this.#key, merged(some.map((run) => run.rows()))));
      await Promise.all(some.map((run) => run.close()));
    }
    yield* merged([...this.#runs.map((run) => run.rows()), inTurns(held)]);
  }

  async close(): Promise<void> {
    this.#held = [];
    await Promise.all(this.#runs.splice(0).map((run) => run.close()));
  }

  async #spill(): Promise<void> {
    const rows = this.#held.sort();
    this.#held = [];
    this.#units = 0;
    this.#runs.push(await writeRun(this.#key, inTurns(rows)));
  }
}

async function* inTurns(rows: readonly string[]): AsyncGenerator<readonly string[]> {
  for (let from = 0; from < rows.length; from += ROWS_A_TURN) yield rows.slice(from, from + ROWS_A_TURN);
}

/** A sorted run in a file. */
class Run {
  readonly #file: FileHandle;
  readonly #key: Buffer;
  readonly #iv: Buffer;

  constructor(file: FileHandle, key: Buffer, iv: Buffer) {
    this.#file = file;
    this.#key = key;
    this.#iv = iv;
  }

  async *rows(): AsyncGenerator<readonly string[]> {
    const decipher = createDecipheriv(CIPHER, this.#key, this.#iv);
    let rest: Buffer = Buffer.alloc(0);
    for (let at = 0; ; ) {
      const { bytesRead, buffer } = await this.#file.read(Buffer.allocUnsafe(READ_BYTES), 0, READ_BYTES, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      const bytes = Buffer.concat([rest, decipher.update(buffer.subarray(0, bytesRead))]);
      const end = bytes.lastIndexOf(0x0a);
      rest = bytes.subarray(end + 1);
      if (end > 0) yield bytes.toString('utf8', 0, end).split('\n');
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

async function writeRun(key: Buffer, rows: AsyncIterable<readonly string[]>): Promise<Run> {
  const iv = randomBytes(16);
  const cipher = createCipheriv(CIPHER, key, iv);
  const file = await namelessFile();
  try {
    for await (const some of rows) await file.write(cipher.update(`${some.join('\n')}\n`, 'utf8'));
    return new Run(file, key, iv);
  } catch (error) {
    await file.close();
    throw error;
  }
}

interface Cursor {
  rows: readonly string[];
  at: number;
  readonly more: AsyncIterator<readonly string[]>;
}

/** Merges sorted sources: a heap of cursors, the least row on top. */
async function* merged(sources: readonly AsyncIterable<readonly string[]>[]): AsyncGenerator<readonly string[]> {
  const heap: Cursor[] = [];
  for (const source of sources) {
    const cursor = { rows: [], at: 0, more: source[Symbol.asyncIterator]() };
    if (await refill(cursor)) heap.push(cursor);
  }
  for (let place = (heap.length >> 1) - 1; place >= 0; place -= 1) sink(heap, place);
  let turn: string[] = [];
  while (heap.length > 0) {
    const least = heap[0] as Cursor;
    turn.push(least.rows[least.at] as string);
    least.at += 1;
    if (least.at === least.rows.length && !(await refill(least))) {
      const last = heap.pop() as Cursor;
      if (heap.length > 0) heap[0] = last;
    }
    sink(heap, 0);
    if (turn.length === ROWS_A_TURN) {
      yield turn;
      turn = [];
    }
  }
  if (turn.length > 0) yield turn;
}

async function refill(cursor: Cursor): Promise<boolean> {
  const next = await cursor.more.next();
  if (next.done === true) return false;
  cursor.rows = next.value;
  cursor.at = 0;
  return true;
}

function sink(heap: Cursor[], from: number): void {
  for (let place = from; ; ) {
    const left = 2 * place + 1;
    if (left >= heap.length) return;
    const right = left + 1;
    const child = right < heap.length && topOf(heap[right]) < topOf(heap[left]) ? right : left;
    if (topOf(heap[place]) <= topOf(heap[child])) return;
    [heap[place], heap[child]] = [heap[child] as Cursor, heap[place] as Cursor];
    place = child;
  }
}

function topOf(cursor: Cursor | undefined): string {
  return (cursor as Cursor).rows[(cursor as Cursor).at] as string;
}
