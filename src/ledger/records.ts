import type { Id } from '../kernel/index.js';
import type { Tx } from '../runtime/index.js';

/**
 * A kind of record that instructions refer to and change (orders, holds, payouts …). The engine loads what a batch needs in
 * one read and saves what it changed by one statement, in the transaction of the postings; it knows no more about them.
 */
export interface RecordType<Row> {
  readonly name: string;
  /** The rows under these keys, by key; what is not there is left out. */
  readonly load: (tx: Tx, keys: readonly string[]) => Promise<Map<string, Row>>;
  /**
   * Writes the rows under these keys before they are read, where decisions on other shards count on them too: until the commit only one does. Not
   * called where nothing is written.
   */
  readonly lock?: (tx: Tx, keys: readonly string[]) => Promise<void>;
  /** The statement that inserts or replaces the rows; all are whole, and there is at least one. None where other records tell it. */
  readonly saving: (rows: readonly Row[]) => string | undefined;
  /** The accounts that a decision over this row may have to see. */
  readonly accountsOf: (row: Row) => readonly Id[];
  /** Where the rows only sum up those of another type: how a change of one of those changes them within a batch. */
  // biome-ignore lint/suspicious/noExplicitAny: of any other type
  readonly sumsUp?: SumOf<Row, any>;
}

/** How rows follow the rows of another type. */
export interface SumOf<Row, Part> {
  readonly type: RecordType<Part>;
  readonly keyOf: (part: Part) => string;
  readonly changed: (row: Row, before: Part | undefined, after: Part) => Row;
}
