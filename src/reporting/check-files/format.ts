import { createHash } from 'node:crypto';
import iconv from 'iconv-lite';
import { type BusinessDate, type Id, type Minor, toWire } from '../../kernel/index.js';
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

// What would end a field or a line, and what would make a line read otherwise than it stands.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** A field as it stands in a file: a bar becomes the full-width one, which no program takes for the end of a field. */
function safeField(text: string): string {
  return text.replaceAll('|', '｜').replaceAll(UNSAFE, ' ');
}

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
    const head = ['H', 'cunguan-check', FILE_VERSION, toWire('platform', platformId), date, file, 'CNY', 'fen'];
    return `${head.join('|')}\n${['N', 'no', ...this.columns].join('|')}\n`;
  }

  line({ amount, cells }: Line): string {
    this.count += 1;
    this.sum += amount;
    return `D|${this.count}|${this.columns.map((column) => safeField(cells[column] ?? '')).join('|')}\n`;
  }

  last(): string {
    return `T|${this.count}|${this.sum}\n`;
  }
}

/** GB 18030 holds every character of Unicode, and those of GBK with the same bytes. */
export const FILE_ENCODINGS = ['utf-8', 'gb18030'] as const;
export type FileEncoding = (typeof FILE_ENCODINGS)[number];

export function encoded(text: string, encoding: FileEncoding): Buffer {
  return encoding === 'utf-8' ? Buffer.from(text, 'utf8') : iconv.encode(text, 'gb18030');
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
