import type { BusinessDate, Minor } from '../../kernel/index.js';
import { BankUnreachable, type ChannelCode, type ChannelNews } from '../port.js';

/** The channels whose feed is a file for each date (日终对账文件). */
export const FILE_CHANNELS = ['unionpay', 'collect', 'psp', 'psp-collect'] as const satisfies readonly ChannelCode[];
export type FileChannel = (typeof FILE_CHANNELS)[number];

export function hasDayFiles(code: ChannelCode): code is FileChannel {
  return (FILE_CHANNELS as readonly string[]).includes(code);
}

/** One result in a file; amounts in fen. */
export interface DayFileLine extends Pick<ChannelNews, 'messageNo' | 'status' | 'reference' | 'businessDate'> {
  /** From 1, without gaps. */
  readonly lineNo: number;
  readonly channelRef: string;
  readonly amount: Minor;
  readonly account: string;
  readonly name: string;
  /** '' where there is none. */
  readonly reason: string;
}

/** What an institution pays over later in one sum: its lines name its reference. */
export interface DayFileSettlement {
  readonly reference: string;
  readonly custodyNo: string;
  /** The date whose statement shows the sum. */
  readonly creditedOn: BusinessDate;
  readonly count: number;
  readonly amount: Minor;
}

export interface DayFile {
  readonly channel: FileChannel;
  readonly date: BusinessDate;
  readonly lines: readonly DayFileLine[];
  readonly settlements: readonly DayFileSettlement[];
}

/** What a header and a trailer say of the lines between them. */
export interface Totals {
  readonly count: number;
  readonly sum: Minor;
}

export type Row =
  | { readonly kind: 'line'; readonly line: DayFileLine }
  | { readonly kind: 'settlement'; readonly settlement: DayFileSettlement }
  | { readonly kind: 'end'; readonly totals: Totals };

/** How an institution writes its files. Rows end in LF; what cannot be read is undefined. */
export interface FileForm {
  /** The name without what stands behind the dot. */
  nameOf(channel: FileChannel, date: BusinessDate): string;
  /** The most bytes of a row without its LF. */
  readonly rowBytesMax: number;
  encode(file: DayFile): Buffer;
  readHead(row: Buffer, channel: FileChannel, date: BusinessDate): Totals | undefined;
  readRow(row: Buffer): Row | undefined;
}

/** A file that contradicts itself or was damaged. It is refused whole: nothing in it counts until it is mended. */
export class ChannelFileFaulty extends BankUnreachable {
  constructor(file: string, why: string) {
    super(`file ${file}`, why);
    this.name = 'ChannelFileFaulty';
  }
}

export function totalsOf(lines: readonly DayFileLine[]): Totals {
  return { count: lines.length, sum: lines.reduce((sum, line) => sum + line.amount, 0n) };
}
