import { addDays, type BusinessDate, type Minor, weekday } from '../../kernel/index.js';
import type { DayFile, DayFileLine, FileChannel } from '../files/index.js';

/** What a payment institution has collected for one custody account on one date and pays over later, in one sum. */
export interface Settlement {
  readonly reference: string;
  readonly custodyNo: string;
  /** When it was collected, and the date whose statement shows the sum. */
  readonly collectedOn: BusinessDate;
  readonly creditedOn: BusinessDate;
  count: number;
  amount: Minor;
}

/** What happened at the channels with day-end files, by channel and date. The file of a date is made when the date is over, and then stays. */
export class DayEnd {
  readonly #lines = new Map<string, Omit<DayFileLine, 'lineNo'>[]>();
  readonly #settlements = new Map<string, Settlement>();
  readonly #encoded = new Map<string, Buffer>();

  add(channel: FileChannel, date: BusinessDate, line: Omit<DayFileLine, 'lineNo'>): void {
    const key = `${channel}/${date}`;
    const lines = this.#lines.get(key);
    if (lines === undefined) this.#lines.set(key, [line]);
    else lines.push(line);
  }

  /**
   * Puts a collection into the sum of its account and date.
   * @param isNew is told when it is the first
   */
  settleLater(
    of: { readonly custodyNo: string; readonly amount: Minor },
    collectedOn: BusinessDate,
    days: number,
    isNew: (settlement: Settlement) => void,
  ): Settlement {
    const key = `${of.custodyNo}/${collectedOn}`;
    let settlement = this.#settlements.get(key);
    if (settlement === undefined) {
      const reference = `PS${collectedOn.replaceAll('-', '')}${of.custodyNo}`;
      const creditedOn = weekdayOnOrAfter(addDays(collectedOn, days));
      settlement = { reference, custodyNo: of.custodyNo, collectedOn, creditedOn, count: 0, amount: 0n };
      this.#settlements.set(key, settlement);
      isNew(settlement);
    }
    settlement.count += 1;
    settlement.amount += of.amount;
    return settlement;
  }

  /** The dates that have a file now, oldest first. */
  dates(channel: FileChannel, today: BusinessDate | undefined): BusinessDate[] {
    if (today === undefined) return [];
    const prefix = `${channel}/`;
    const dates = [...this.#lines.keys()].filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
    return (dates as BusinessDate[]).filter((date) => date < today).sort();
  }

  /** The bytes of the file of a date that is over, made once. */
  encoded(channel: FileChannel, date: BusinessDate, encode: (file: DayFile) => Buffer): Buffer | undefined {
    const key = `${channel}/${date}`;
    const before = this.#encoded.get(key);
    if (before !== undefined) return before;
    const file = this.#file(channel, date);
    if (file === undefined) return undefined;
    const bytes = encode(file);
    this.#encoded.set(key, bytes);
    return bytes;
  }

  #file(channel: FileChannel, date: BusinessDate): DayFile | undefined {
    const lines = this.#lines.get(`${channel}/${date}`);
    if (lines === undefined) return undefined;
    const settlements =
      channel === 'psp-collect' ? [...this.#settlements.values()].filter((each) => each.collectedOn === date) : [];
    return { channel, date, lines: lines.map((line, at) => ({ ...line, lineNo: at + 1 })), settlements };
  }
}

/** The simulator knows no holidays: its working days are Monday to Friday. */
function weekdayOnOrAfter(date: BusinessDate): BusinessDate {
  const day = weekday(date);
  return day === 6 ? addDays(date, 2) : day === 0 ? addDays(date, 1) : date;
}
