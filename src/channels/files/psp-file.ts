import { type BusinessDate, parseBusinessDate } from '../../kernel/index.js';
import { type DayFileLine, type FileForm, type Row, totalsOf } from './day-file.js';

/**
 * The payment institution's file: UTF-8, fields with `|` between. `D` a trade, `S` what it pays over in one sum for a custody account, `E`
 * the end. Where a name or a reason has a bar or a control character in it, a space stands for it.
 */
const FIELD_BYTES_MAX = 1_024;
const ROW_BYTES_MAX = 4_096;
const WORDS = {
  ...{ settled: 'SUCCESS', failed: 'FAILED', refused: 'REJECTED', 'not-now': 'DEFERRED', returned: 'RETURNED' },
} as const satisfies Record<DayFileLine['status'], string>;
const TITLE = 'PSP-DAY-END';
const NUMBER = /^(?:0|[1-9]\d{0,20})$/;

export const pspFile: FileForm = {
  nameOf: (channel, date) => `${channel}_${date.replaceAll('-', '')}`,
  rowBytesMax: ROW_BYTES_MAX,
  encode({ channel, date, lines, settlements }) {
    const { count, sum } = totalsOf(lines);
    const rows = [
      ['H', TITLE, channel, date, String(count), String(sum)],
      ...lines.map((line) => ['D', ...fieldsOf(line)]),
      ...settlements.map(({ reference, custodyNo, creditedOn, count: of, amount }) => {
        return ['S', reference, custodyNo, creditedOn, String(of), String(amount)];
      }),
      ['E', String(count), String(sum)],
    ];
    return Buffer.from(rows.map((fields) => `${fields.map(withoutBars).join('|')}\n`).join(''), 'utf8');
  },
  readHead(row, channel, date) {
    const [type, title, code, day, count = '', sum = '', ...more] = fieldsIn(row) ?? [];
    if (type !== 'H' || title !== TITLE || code !== channel || day !== date || more.length > 0) return undefined;
    return NUMBER.test(count) && NUMBER.test(sum) ? { count: Number(count), sum: BigInt(sum) } : undefined;
  },
  readRow(row) {
    const [type, ...fields] = fieldsIn(row) ?? [];
    if (type === 'D') return readTrade(fields);
    if (type === 'S') return readSettlement(fields);
    return type === 'E' ? readEnd(fields) : undefined;
  },
};

function fieldsOf(line: DayFileLine): string[] {
  const { lineNo, messageNo, channelRef, businessDate, status, amount, reference, account, name, reason } = line;
  return [String(lineNo), messageNo, channelRef, businessDate, WORDS[status], String(amount), reference, account, name, reason];
}

function withoutBars(text: string): string {
  return text.replace(/[|\p{Cc}\p{Cs}]/gu, ' ');
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function fieldsIn(row: Buffer): string[] | undefined {
  let text: string;
  try {
    text = decoder.decode(row);
  } catch {
    return undefined;
  }
  if (/\p{Cc}/u.test(text)) return undefined;
  const fields = text.split('|');
  return fields.every((field) => Buffer.byteLength(field) <= FIELD_BYTES_MAX) ? fields : undefined;
}

function readTrade(fields: readonly string[]): Row | undefined {
  if (fields.length !== 10) return undefined;
  const [lineNo, messageNo, channelRef, date, word, amount, reference, account, name, reason] = fields as [
    ...[string, string, string, string, string],
    ...[string, string, string, string, string],
  ];
  const businessDate: BusinessDate | undefined = parseBusinessDate(date);
  const [status] = Object.entries(WORDS).find(([, theirs]) => theirs === word) ?? [];
  if (businessDate === undefined || status === undefined || !NUMBER.test(lineNo) || !NUMBER.test(amount)) return undefined;
  if (messageNo === '' || messageNo.length > 64 || reference === '' || reference.length > 64) return undefined;
  const said = { messageNo, channelRef, reference, businessDate, account, name, reason };
  return {
    kind: 'line',
    line: { ...said, status: status as DayFileLine['status'], lineNo: Number(lineNo), amount: BigInt(amount) },
  };
}

function readSettlement(fields: readonly string[]): Row | undefined {
  const [reference = '', custodyNo = '', date = '', count = '', amount = '', ...more] = fields;
  const creditedOn = parseBusinessDate(date);
  if (more.length > 0 || reference === '' || custodyNo === '' || creditedOn === undefined) return undefined;
  if (!NUMBER.test(count) || !NUMBER.test(amount)) return undefined;
  return { kind: 'settlement', settlement: { reference, custodyNo, creditedOn, count: Number(count), amount: BigInt(amount) } };
}

function readEnd([count = '', sum = '', ...more]: readonly string[]): Row | undefined {
  if (more.length > 0 || !NUMBER.test(count) || !NUMBER.test(sum)) return undefined;
  return { kind: 'end', totals: { count: Number(count), sum: BigInt(sum) } };
}
