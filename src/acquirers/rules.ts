import { createHash } from 'node:crypto';
import { type Minor, WIRE_MAX } from '../kernel/index.js';

/**
 * The day file of an acquirer: UTF-8, a line feed after each line, fields between pipes, amounts in yuan with two decimals.
 *
 *   H|1|ALLPAY|20260302-01|2026-03-02|ST-20260302|2|150.00|0.90     version, acquirer, file number, date, reference on the statement, lines, sum, fee
 *   D|1|T100001|SO-1001|100.00                                      line, the acquirer's trade number, our order number, what the buyer paid
 *   D|2|T100002|SO-1002|50.00
 *   T|2|150.00|<SHA-256 of all bytes before this line, hex>
 */
const LINES_MAX = 1_000;

export interface AcquirerLine {
  readonly lineNo: number;
  readonly tradeNo: string;
  readonly orderNo: string;
  /** Fen. */
  readonly amount: Minor;
}

export interface AcquirerFile {
  readonly acquirer: string;
  readonly fileNo: string;
  readonly date: string;
  /** Under which the core bank's statement shows sum less fee. */
  readonly reference: string;
  readonly total: Minor;
  /** What the acquirer keeps of the sum. */
  readonly fee: Minor;
  readonly lines: readonly AcquirerLine[];
}

/** What is wrong with a line; line 0 is the file itself. */
export interface FileFault {
  readonly line: number;
  readonly detail: string;
}

const WORD = /^[A-Za-z0-9_.:-]{1,64}$/;
const FAULTS_MAX = 100;

/** Yuan with two decimals, in fen; undefined where it is no amount that the books take. */
function fenOf(text: string): Minor | undefined {
  if (!/^(0|[1-9][0-9]{0,14})\.[0-9]{2}$/.test(text)) return undefined;
  const amount = BigInt(text.replace('.', ''));
  return amount > WIRE_MAX ? undefined : amount;
}

/** Reads a file whole, or says all that is wrong with it. */
export function parseFile(text: string): AcquirerFile | readonly FileFault[] {
  const rows = text.split('\n');
  const after = rows.pop();
  const [header = '', ...rest] = rows;
  const trailer = rest.pop() ?? '';
  if (after !== '' || rows.length < 3)
    return [{ line: 0, detail: 'a file has a header, lines and a trailer, each ended by a line feed' }];
  const head = headOf(header);
  if (typeof head === 'string') return [{ line: 1, detail: head }];
  const faults: FileFault[] = [];
  const lines: AcquirerLine[] = [];
  const trades = new Set<string>();
  for (const [place, row] of rest.entries()) {
    const line = lineOf(row, place + 1);
    if (typeof line === 'string') faults.push({ line: place + 2, detail: line });
    else if (trades.has(line.tradeNo)) faults.push({ line: place + 2, detail: `the trade ${line.tradeNo} stands in it twice` });
    else {
      trades.add(line.tradeNo);
      lines.push(line);
    }
  }
  const sum = lines.reduce((total, { amount }) => total + amount, 0n);
  const digest = createHash('sha256')
    .update(text.slice(0, text.length - trailer.length - 1))
    .digest('hex');
  const whole = (detail: string) => faults.push({ line: 0, detail });
  const [mark, count, total, told, ...more] = trailer.split('|');
  if (mark !== 'T' || more.length > 0) whole('the last line is no trailer');
  if (Number(count) !== rest.length || head.count !== rest.length) whole(`it has ${rest.length} lines and tells another number`);
  if (rest.length > LINES_MAX) whole(`it has more than ${LINES_MAX} lines`);
  if (faults.length === 0 && (head.total !== sum || fenOf(total ?? '') !== sum)) whole(`its lines add up to ${sum} fen`);
  if (head.fee >= head.total) whole('the fee leaves nothing');
  if (told !== digest) whole('its digest is another');
  if (faults.length > 0) return faults.slice(0, FAULTS_MAX);
  const { count: _count, ...file } = head;
  return { ...file, lines };
}

function headOf(row: string): (Omit<AcquirerFile, 'lines'> & { count: number }) | string {
  const [mark, version, acquirer = '', fileNo = '', date = '', reference = '', count = '', total = '', fee = '', ...more] =
    row.split('|');
  if (mark !== 'H' || version !== '1' || more.length > 0) return 'the first line is no header of version 1';
  if (![acquirer, fileNo, reference].every((word) => WORD.test(word))) return 'acquirer, file number or reference is no word';
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(date)) return 'the date is none';
  if (!/^[1-9][0-9]{0,5}$/.test(count)) return 'the number of lines is none';
  const [sum, kept] = [fenOf(total), fenOf(fee)];
  if (sum === undefined || kept === undefined) return 'sum or fee is no amount';
  return { acquirer, fileNo, date, reference, count: Number(count), total: sum, fee: kept };
}

function lineOf(row: string, lineNo: number): AcquirerLine | string {
  const [mark, no, tradeNo = '', orderNo = '', text = '', ...more] = row.split('|');
  if (mark !== 'D' || more.length > 0) return 'is no line of a trade';
  if (no !== String(lineNo)) return `is not numbered ${lineNo}`;
  if (!WORD.test(tradeNo) || !WORD.test(orderNo)) return 'trade or order number is no word';
  const amount = fenOf(text);
  return amount === undefined || amount === 0n ? 'the amount is none' : { lineNo, tradeNo, orderNo, amount };
}
