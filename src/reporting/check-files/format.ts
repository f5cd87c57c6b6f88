import { createHash } from 'node:crypto';
import iconv from 'iconv-lite';
import { type BusinessDate, fieldsOfRow, type Id, type Minor, rowOfFields, toWire } from '../../kernel/index.js';
import { CHECK_FILES, type CheckFile, FILE_VERSION } from './columns.js';
import type { Line } from './lines.js';

/**
 * The text of a check file: lines of fields with bars between, each ended by a line feed.
 *
 *   H|cunguan-check|<version>|<platform>|<date>|<file>|CNY|fen
 *   N|no|<names of the columns>
 *   D|<number of the line>|<fields>
 *   T|<count of D lines>|<sum of their amounts>
 */

export interface FileHead {
  readonly platformId: Id;
  readonly date: BusinessDate;
  readonly file: CheckFile;
}

/** Writes the lines of one file one after the other, and counts them. */
export class FileText {
  readonly columns: readonly (keyof Line['cells'])[];
  count = 0;
  sum: Minor = 0n;

  readonly head: FileHead;

  constructor(head: FileHead) {
    this.head = head;
    this.columns = CHECK_FILES[head.file].columns;
  }

  first(): string {
    const { platformId, date, file } = this.head;
    const head = ['H', 'cunguan-check', String(FILE_VERSION), toWire('platform', platformId), date, file, 'CNY', 'fen'];
    return rowOfFields(head) + rowOfFields(['N', 'no', ...this.columns]);
  }

  line({ amount, cells }: Line): string {
    this.count += 1;
    this.sum += amount;
    return rowOfFields(['D', String(this.count), ...this.columns.map((column) => cells[column] ?? '')]);
  }

  last(): string {
    return rowOfFields(['T', String(this.count), String(this.sum)]);
  }

  /** The number of a line that was written here and one of its fields, '' where the file has no such column; undefined of other rows. */
  read(row: string, column: keyof Line['cells']): { readonly no: number; readonly field: string } | undefined {
    const [, no, ...fields] = fieldsOfRow(row, 'D', this.columns.length + 2) ?? [];
    return no === undefined ? undefined : { no: Number(no), field: fields[this.columns.indexOf(column)] ?? '' };
  }
}

/** GB 18030 holds every character of Unicode, and those of GBK with the same bytes. */
export const FILE_ENCODINGS = ['utf-8', 'gb18030'] as const;
export type FileEncoding = (typeof FILE_ENCODINGS)[number];

export function encoded(text: string, encoding: FileEncoding): Buffer {
  const utf8 = Buffer.from(text, 'utf8');
  const isAscii = utf8.length === text.length; // which both write with the same bytes
  return encoding === 'utf-8' || isAscii ? utf8 : iconv.encode(text, 'gb18030');
}

export interface Digests {
  readonly bytes: number;
  readonly sha256: Buffer;
  readonly sm3: Buffer;
}

/** Digests of what passes by. */
export function digester() {
  const hashes = [createHash('sha256'), createHash('sm3')] as const;
  let bytes = 0;
  return {
    take(chunk: Buffer): void {
      bytes += chunk.length;
      for (const hash of hashes) hash.update(chunk);
    },
    end: (): Digests => ({ bytes, sha256: hashes[0].digest(), sm3: hashes[1].digest() }),
  };
}
