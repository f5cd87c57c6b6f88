import type { Minor } from '../kernel/index.js';

/**
 * Two sorted sides laid beside each other. A row is `reference ⇥ amount ⇥ state ⇥ rest`: the reference without blanks (U+0020 alone) at its end and with
 * control characters written out, the amount in fen, a word for how it stands where a party says so, and of their side what a kept line needs.
 */
export interface Row {
  readonly reference: string;
  readonly amount: Minor;
  readonly state: string;
  readonly rest: string;
}

/** What is left under one reference when all that agrees is taken away. */
export interface Leftover {
  readonly reference: string;
  /** The sum of our rows without a counterpart; null when there is none. */
  readonly ours: Minor | null;
  readonly theirs: Minor | null;
  /** How each side says it stands, where they differ in that alone. */
  readonly states: { readonly ours: string; readonly theirs: string } | null;
  /** The first of their rows, as many as are worth keeping. */
  readonly rows: readonly Row[];
}

const TAB = '\t';
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that would be taken for the end of a field or row
const WRITTEN_OUT = /[\0-\x1f\\]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above; it is there to say quickly that there is none
const HAS_SOME = /[\0-\x1f\\]/;

/** @param rest without line feeds */
export function rowOf(reference: string, amount: Minor | string, state = '', rest = ''): string {
  // Joined, so that it is one flat string: a template would have to be flattened when it is sorted.
  return [fieldOf(reference.replace(/ +$/, '')), amount, state, rest].join(TAB);
}

/** Text that can stand in a row. */
export function fieldOf(text: string): string {
  if (!HAS_SOME.test(text)) return text;
  return text.replace(WRITTEN_OUT, (char) => `\\${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

export function textOfField(field: string): string {
  return field.includes('\\')
    ? field.replace(/\\([0-9a-f]{2})/g, (_all, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    : field;
}

function keyOf(row: string): string {
  return row.slice(0, row.indexOf(TAB));
}

function parseRow(row: string): Row {
  const [reference = '', amount = '', state = '', ...rest] = row.split(TAB);
  return { reference: textOfField(reference), amount: BigInt(amount), state, rest: rest.join(TAB) };
}

type Rows = AsyncIterable<readonly string[]>;

/** How many of our rows found their counterpart by reference, amount and state. */
export interface Matching {
  readonly matched: number;
}

/** More than one reference can have, and less than memory feels. */
const KEPT_MAX = 1_000;
/** How much of what does not agree is handed on at a time: references, or rows of theirs. */
const HANDED_MAX = 1_000;

/**
 * Merges both sides by reference and amount, in memory that does not grow with them. A row of ours and its correction cancel each other, and
 * several of one reference match theirs of the same sum.
 * @param ours rows whose rest is empty
 * @param left is handed what does not agree, some references at a time
 */
export async function matchSorted(
  ours: Rows,
  theirs: Rows,
  left: (some: readonly Leftover[]) => void | Promise<void>,
): Promise<Matching> {
  const our = await Side.of(ours);
  const their = await Side.of(theirs);
  let some: Leftover[] = [];
  let kept = 0;
  const group = new Group((each) => {
    some.push(each);
    kept += each.rows.length;
  });
  let matched = 0;
  for (;;) {
    const [mine, other] = [our.row, their.row];
    if (mine === undefined && other === undefined) break;
    if (mine !== undefined && other?.startsWith(mine)) {
      matched += 1;
      our.skip();
      their.skip();
    } else if (other === undefined || (mine !== undefined && mine < other)) {
      group.ours(mine as string);
      our.skip();
    } else {
      group.theirs(other);
      their.skip();
    }
    if (some.length >= HANDED_MAX || kept >= HANDED_MAX) {
      await left(some);
      [some, kept] = [[], 0];
    }
    if (our.isUsedUp) await our.refill();
    if (their.isUsedUp) await their.refill();
  }
  group.end();
  if (some.length > 0) await left(some);
  return { matched };
}

/** One side while it is read. */
class Side {
  readonly #more: AsyncIterator<readonly string[]>;
  #rows: readonly string[] = [];
  #at = 0;

  static async of(rows: Rows): Promise<Side> {
    const side = new Side(rows[Symbol.asyncIterator]());
    await side.refill();
    return side;
  }

  private constructor(more: AsyncIterator<readonly string[]>) {
    this.#more = more;
  }

  get row(): string | undefined {
    return this.#rows[this.#at];
  }

  get isUsedUp(): boolean {
    return this.#at >= this.#rows.length && this.#rows.length > 0;
  }

  skip(): void {
    this.#at += 1;
  }

  async refill(): Promise<void> {
    const next = await this.#more.next();
    this.#rows = next.done === true ? [] : next.value;
    this.#at = 0;
  }
}

interface Rest {
  sum: Minor;
  count: number;
  readonly rows: Row[];
}

/** What one reference has left on both sides, as long as rows of it come. */
class Group {
  readonly #left: (of: Leftover) => void;
  #key: string | undefined;
  #ours: Rest = restOf();
  #theirs: Rest = restOf();

  constructor(left: (of: Leftover) => void) {
    this.#left = left;
  }

  ours(row: string): void {
    this.#turnTo(keyOf(row));
    addTo(this.#ours, parseRow(row));
  }

  theirs(row: string): void {
    this.#turnTo(keyOf(row));
    addTo(this.#theirs, parseRow(row));
  }

  end(): void {
    if (this.#key === undefined) return;
    const states = this.#differingStates();
    const [ours, theirs] = [this.#ours, this.#theirs];
    if (ours.sum !== theirs.sum || states !== null) {
      const sumOf = ({ count, sum }: Rest) => (count === 0 ? null : sum);
      const reference = textOfField(this.#key);
      this.#left({ reference, ours: sumOf(ours), theirs: sumOf(theirs), states, rows: theirs.rows });
    }
    this.#key = undefined;
    this.#ours = restOf();
    this.#theirs = restOf();
  }

  #turnTo(key: string): void {
    if (this.#key === key) return;
    this.end();
    this.#key = key;
  }

  /** The same sum on both sides, and said to stand otherwise. */
  #differingStates(): Leftover['states'] {
    if (this.#ours.sum !== this.#theirs.sum) return null;
    const statesOf = ({ rows }: Rest) => [...new Set(rows.map(({ state }) => state))].sort().join();
    const states = { ours: statesOf(this.#ours), theirs: statesOf(this.#theirs) };
    return states.ours === states.theirs ? null : states;
  }
}

function restOf(): Rest {
  return { sum: 0n, count: 0, rows: [] };
}

function addTo(rest: Rest, row: Row): void {
  rest.sum += row.amount;
  rest.count += 1;
  if (rest.rows.length < KEPT_MAX) rest.rows.push(row);
}
