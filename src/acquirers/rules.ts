import { createHash } from 'node:crypto';
import {
  type BusinessDate,
  fenOfYuan,
  fieldsOfRow,
  type Minor,
  parseBusinessDate,
  rowOfFields,
  WIRE_MAX,
} from '../kernel/index.js';

/**
 * The day file of an acquirer: UTF-8, a line feed after each line, fields between pipes. Its columns are data: files are read by them, and
 * docs/acquirer-files.md is made of them.
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
  readonly date: BusinessDate;
  /** Under which the core bank's statement shows sum less fee. */
  readonly reference: string;
  readonly total: Minor;
  /** What the acquirer keeps of the sum. */
  readonly fee: Minor;
  readonly lines: readonly AcquirerLine[];
}

/** What is wrong with a line, and with which field of it; line 0 is the file itself. */
export interface FileFault {
  readonly line: number;
  readonly field: string | null;
  readonly detail: string;
}

const FAULTS_MAX = 100;
const WORD = /^[A-Za-z0-9_.:-]{1,64}$/;

/** The forms that a field may have: which text is of it, and what is said of one that is not. */
export const FIELD_FORMS = {
  mark: { is: (text: string, fixed: string) => text === fixed, en: 'exactly this letter or digit', zh: '固定值' },
  word: { is: (text: string) => WORD.test(text), en: '1 to 64 of A–Z a–z 0–9 _ . : -', zh: '1至64位字母、数字或 _ . : -' },
  date: { is: (text: string) => parseBusinessDate(text) !== undefined, en: 'a day as YYYY-MM-DD', zh: '日期 YYYY-MM-DD' },
  count: {
    is: (text: string) => /^[1-9][0-9]{0,5}$/.test(text),
    en: 'a whole number above zero, without leading zeros',
    zh: '正整数',
  },
  amount: {
    is: (text: string) => fenOf(text) !== undefined,
    en: 'yuan with two decimals, such as 100.00',
    zh: '金额（元，两位小数）',
  },
  digest: {
    is: (text: string) => /^[0-9a-f]{64}$/.test(text),
    en: '64 hexadecimal digits in small letters',
    zh: '64位小写十六进制',
  },
} as const;

interface Column<Name extends string = string> {
  readonly name: Name;
  readonly form: keyof typeof FIELD_FORMS;
  readonly en: string;
  readonly zh: string;
  /** In the example; of a mark what it has to be. */
  readonly example: string;
}

function column<const Name extends string>(
  name: Name,
  form: Column['form'],
  example: string,
  en: string,
  zh: string,
): Column<Name> {
  return { name, form, example, en, zh };
}

/** Every kind of line, field by field. */
export const FILE_COLUMNS = {
  header: [
    column('mark', 'mark', 'H', 'Header', '文件头'),
    column('version', 'mark', '1', 'Version of this form', '版本'),
    column('acquirer', 'word', 'ALLPAY', 'Code under which the acquirer is registered', '收单机构代码'),
    column('fileNo', 'word', '20260302-01', 'Number of the file: one content for ever', '文件编号'),
    column('date', 'date', '2026-03-02', 'The day of the trades, today or before', '交易日期'),
    column(
      'reference',
      'word',
      'ST-20260302',
      "Under which the core bank's statement shows the sum less the fee",
      '对账单流水号',
    ),
    column('count', 'count', '2', 'How many trades follow, at most 1,000', '笔数'),
    column('total', 'amount', '150.00', 'Their sum', '合计金额'),
    column('fee', 'amount', '0.90', 'What the acquirer keeps of it; less than the sum', '手续费'),
  ],
  line: [
    column('mark', 'mark', 'D', 'A trade', '明细'),
    column('line', 'count', '1', 'Its number, from 1 without gaps', '序号'),
    column('tradeNo', 'word', 'T100001', "The acquirer's number of the trade, once for ever", '收单流水号'),
    column('orderNo', 'word', 'SO-1001', "The platform's number of the order", '订单号'),
    column('amount', 'amount', '100.00', 'What the buyer paid, above zero', '金额'),
  ],
  trailer: [
    column('mark', 'mark', 'T', 'Trailer', '文件尾'),
    column('count', 'count', '2', 'As in the header', '笔数'),
    column('total', 'amount', '150.00', 'As in the header', '合计金额'),
    column('digest', 'digest', '', 'SHA-256 of all bytes before this line', '此行之前全部内容的SHA-256'),
  ],
} as const satisfies Record<string, readonly Column[]>;

type Row<Name extends keyof typeof FILE_COLUMNS> = Record<(typeof FILE_COLUMNS)[Name][number]['name'], string>;

/** The fields of a row by their names, after their forms were checked; undefined where one is wrong, which is told. */
function rowOf<Name extends keyof typeof FILE_COLUMNS>(
  name: Name,
  text: string,
  wrong: (field: string | null, detail: string) => void,
): Row<Name> | undefined {
  const columns: readonly Column[] = FILE_COLUMNS[name];
  const fields = fieldsOfRow(text, columns[0]?.example ?? '', columns.length);
  if (fields === undefined) {
    wrong(null, `is no ${name}: ${columns.length} fields between pipes, the first ${columns[0]?.example}`);
    return undefined;
  }
  const faulty = columns.filter(({ form, example }, place) => !FIELD_FORMS[form].is(fields[place] as string, example));
  for (const { name: field, form, example } of faulty)
    wrong(field, form === 'mark' ? `must be ${example}` : `must be ${FIELD_FORMS[form].en}`);
  return faulty.length > 0
    ? undefined
    : (Object.fromEntries(columns.map((each, place) => [each.name, fields[place]])) as Row<Name>);
}

/** Yuan with two decimals, in fen; undefined where it is no amount that the books take. */
function fenOf(text: string): Minor | undefined {
  const amount = fenOfYuan(text);
  return amount !== undefined && amount <= WIRE_MAX ? amount : undefined;
}

/** Reads a file whole, or says all that is wrong with it. */
export function parseFile(text: string): AcquirerFile | readonly FileFault[] {
  const rows = text.split('\n');
  const after = rows.pop();
  const [header = '', ...rest] = rows;
  const trailer = rest.pop() ?? '';
  const faults: FileFault[] = [];
  const at = (line: number) => (field: string | null, detail: string) => void faults.push({ line, field, detail });
  if (after !== '' || rows.length < 3) {
    at(0)(null, 'a file has a header, lines and a trailer, each ended by a line feed');
    return faults;
  }
  const head = rowOf('header', header, at(1));
  const lines = tradesIn(rest, at);
  const tail = rowOf('trailer', trailer, at(rows.length));
  if (rest.length > LINES_MAX) at(0)(null, `has more than ${LINES_MAX} trades`);
  const said = { count: String(rest.length), digest: digestOf(text.slice(0, text.length - trailer.length - 1)) };
  for (const [row, line] of [
    [head, 1],
    [tail, rows.length],
  ] as const)
    if (row !== undefined && row.count !== said.count) at(line)('count', `is ${row.count}, and there are ${said.count} trades`);
  if (tail !== undefined && tail.digest !== said.digest) at(rows.length)('digest', 'is not that of what stands before it');
  if (head === undefined || tail === undefined || faults.length > 0) return faults.slice(0, FAULTS_MAX);
  const sum = lines.reduce((total, { amount }) => total + amount, 0n);
  for (const [row, line] of [
    [head, 1],
    [tail, rows.length],
  ] as const)
    if (fenOf(row.total) !== sum) at(line)('total', `is ${row.total}, and the trades add up to ${sum} fen`);
  const fee = fenOf(head.fee) as Minor;
  if (fee >= sum) at(1)('fee', 'leaves nothing of the sum');
  if (faults.length > 0) return faults;
  const { acquirer, fileNo, reference } = head;
  return { acquirer, fileNo, date: head.date as BusinessDate, reference, total: sum, fee, lines };
}

function tradesIn(rows: readonly string[], at: (line: number) => (field: string | null, detail: string) => void): AcquirerLine[] {
  const trades = new Set<string>();
  return rows.flatMap((row, place) => {
    const wrong = at(place + 2);
    const fields = rowOf('line', row, wrong);
    if (fields === undefined) return [];
    const { line, tradeNo, orderNo, amount: text } = fields;
    const amount = fenOf(text) as Minor;
    if (line !== String(place + 1)) wrong('line', `must be ${place + 1}`);
    if (amount === 0n) wrong('amount', 'must be above zero');
    if (trades.has(tradeNo)) wrong('tradeNo', `${tradeNo} stands in the file twice`);
    trades.add(tradeNo);
    return [{ lineNo: place + 1, tradeNo, orderNo, amount }];
  });
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The example of the documents, of the examples of the columns. */
export function exampleFile(): string {
  const row = (columns: readonly Column[], changes: Record<string, string> = {}) =>
    rowOfFields(columns.map(({ name, example }) => changes[name] ?? example));
  const { header, line, trailer } = FILE_COLUMNS;
  const second = { line: '2', tradeNo: 'T100002', orderNo: 'SO-1002', amount: '50.00' };
  const text = row(header) + row(line) + row(line, second);
  return text + row(trailer, { digest: digestOf(text) });
}
