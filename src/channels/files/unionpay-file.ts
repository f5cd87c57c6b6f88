import { parseBusinessDate } from '../../kernel/index.js';
import { type DayFileLine, type FileForm, type Row, type Totals, totalsOf } from './day-file.js';
import { cutGbk, readGbk } from './gbk.js';

/**
 * UnionPay's file: rows of fixed width, every field cut by bytes, in GBK. Digits stand right with zeros before them, text left with
 * spaces behind it. A character of two bytes that a field's end would cut in the middle is left out as a whole.
 */
type Kind = 'digits' | 'text';
interface Field {
  readonly name: string;
  readonly bytes: number;
  readonly kind: Kind;
}

const field = (name: string, bytes: number, kind: Kind): Field => ({ name, bytes, kind });
const HEAD = [
  ...[field('type', 1, 'text'), field('version', 4, 'text'), field('channel', 12, 'text')],
  ...[field('date', 8, 'digits'), field('count', 9, 'digits'), field('sum', 21, 'digits')],
];
const LINE = [
  ...[field('type', 1, 'text'), field('lineNo', 9, 'digits'), field('messageNo', 35, 'text'), field('channelRef', 21, 'text')],
  ...[field('date', 8, 'digits'), field('status', 2, 'digits'), field('amount', 18, 'digits'), field('reference', 64, 'text')],
  ...[field('account', 34, 'text'), field('name', 60, 'text'), field('reason', 120, 'text')],
];
const TAIL = [field('type', 1, 'text'), field('count', 9, 'digits'), field('sum', 21, 'digits')];

const STATUSES: Readonly<Record<string, DayFileLine['status']>> = {
  '00': 'settled',
  '01': 'failed',
  '02': 'refused',
  '03': 'returned',
  '04': 'not-now',
};
const VERSION = '0100';
const PREFIXES: Readonly<Record<string, string>> = { unionpay: 'UPDF', collect: 'UPDS' };
const widthOf = (fields: readonly Field[]) => fields.reduce((bytes, each) => bytes + each.bytes, 0);

export const unionPayFile: FileForm = {
  nameOf: (channel, date) => `${PREFIXES[channel]}${date.replaceAll('-', '')}`,
  rowBytesMax: Math.max(widthOf(HEAD), widthOf(LINE), widthOf(TAIL)),
  encode({ channel, date, lines }) {
    const { count, sum } = totalsOf(lines);
    const totals = { count: String(count), sum: String(sum) };
    return Buffer.concat([
      encodeRow(HEAD, { type: 'H', version: VERSION, channel, date: date.replaceAll('-', ''), ...totals }),
      ...lines.map((line) => encodeRow(LINE, valuesOf(line))),
      encodeRow(TAIL, { type: 'T', ...totals }),
    ]);
  },
  readHead(row, channel, date) {
    const values = readFields(row, HEAD);
    if (values?.type !== 'H' || values.version !== VERSION || values.channel !== channel) return undefined;
    return values.date === date.replaceAll('-', '') ? readTotals(values) : undefined;
  },
  readRow(row) {
    return row[0] === 'T'.charCodeAt(0) ? readTail(row) : readLine(row);
  },
};

function valuesOf(line: DayFileLine): Record<string, string> {
  const [status = ''] = Object.entries(STATUSES).find(([, name]) => name === line.status) ?? [];
  return {
    ...{ type: 'D', lineNo: String(line.lineNo), messageNo: line.messageNo, channelRef: line.channelRef, status },
    ...{ date: line.businessDate.replaceAll('-', ''), amount: String(line.amount), reference: line.reference },
    ...{ account: line.account, name: line.name, reason: line.reason },
  };
}

function encodeRow(fields: readonly Field[], values: Readonly<Record<string, string>>): Buffer {
  const parts = fields.map(({ name, bytes, kind }) => {
    const value = values[name] ?? '';
    return kind === 'digits' ? Buffer.from(value.padStart(bytes, '0'), 'latin1') : cutGbk(value, bytes);
  });
  return Buffer.concat([...parts, Buffer.from('\n')]);
}

function readFields(row: Buffer, fields: readonly Field[]): Record<string, string> | undefined {
  if (row.length !== widthOf(fields)) return undefined;
  const values: Record<string, string> = {};
  let at = 0;
  for (const { name, bytes, kind } of fields) {
    const part = row.subarray(at, at + bytes);
    at += bytes;
    const value = kind === 'digits' ? part.toString('latin1') : readGbk(part);
    if (value === undefined || (kind === 'digits' && !/^\d+$/.test(value))) return undefined;
    values[name] = value;
  }
  return values;
}

function readTotals({ count = '', sum = '' }: Record<string, string>): Totals {
  return { count: Number(count), sum: BigInt(sum) };
}

function readTail(row: Buffer): Row | undefined {
  const values = readFields(row, TAIL);
  return values === undefined ? undefined : { kind: 'end', totals: readTotals(values) };
}

function readLine(row: Buffer): Row | undefined {
  const values = readFields(row, LINE);
  if (values?.type !== 'D') return undefined;
  const { lineNo = '', messageNo = '', channelRef = '', date = '', status: code = '', amount = '' } = values;
  const { reference = '', account = '', name = '', reason = '' } = values;
  const businessDate = parseBusinessDate(`${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`);
  const status = STATUSES[code];
  if (businessDate === undefined || status === undefined || messageNo === '' || reference === '') return undefined;
  const said = { messageNo, channelRef, status, reference, businessDate, account, name, reason };
  return { kind: 'line', line: { ...said, lineNo: Number(lineNo), amount: BigInt(amount) } };
}
