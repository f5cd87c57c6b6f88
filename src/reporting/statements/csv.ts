import { Readable } from 'node:stream';
import { toRfc3339, toWire, toYuan } from '../../kernel/index.js';
import { csvLine, type Runtime } from '../../runtime/index.js';
import { readLines } from './read.js';
import { type Language, NOTHING, plus, type StatementHead, type StatementLine } from './rules.js';

const COLUMNS = {
  zh: ['序号', '会计日', '入账时间', '摘要', '对方', '收入（元）', '支出（元）', '余额（元）', '请求流水号', '指令号'],
  en: [
    'No.',
    'Business date',
    'Posted at',
    'Kind',
    'Counterparty',
    'In (yuan)',
    'Out (yuan)',
    'Balance (yuan)',
    'Request number',
    'Instruction',
  ],
} as const;

const EDGES = {
  zh: { opening: '期初余额', closing: '期末余额', totals: '合计' },
  en: { opening: 'Opening balance', closing: 'Closing balance', totals: 'Total' },
} as const;

const BYTE_ORDER_MARK = '\uFEFF';
const PIECE = 16 * 1024; // characters that are handed on at once

/** What stands after an amount of nothing. */
const EMPTY = '';

function cellsOf(line: StatementLine, language: Language): string[] {
  const { amount } = line;
  return [
    String(line.seq),
    line.businessDate,
    toRfc3339(line.postedMs),
    line.kindWords[language],
    line.counter[language],
    amount > 0n ? toYuan(amount) : EMPTY,
    amount < 0n ? toYuan(-amount) : EMPTY,
    toYuan(line.balance),
    line.requestNo,
    toWire('instruction', line.instruction),
  ];
}

/**
 * A statement as CSV in UTF-8, of any length, as its lines are read.
 */
export function csvOf(
  rt: Pick<Runtime, 'db' | 'vault' | 'clock'>,
  head: StatementHead,
  { language, bom }: { language: Language; bom: boolean },
): Readable {
  async function* rows(): AsyncGenerator<string[]> {
    const words = EDGES[language];
    const edge = (name: string, date: string, balance: bigint) => [
      EMPTY,
      date,
      EMPTY,
      name,
      EMPTY,
      EMPTY,
      EMPTY,
      toYuan(balance),
      EMPTY,
      EMPTY,
    ];
    yield [...COLUMNS[language]];
    yield edge(words.opening, head.from, head.opening);
    let totals = NOTHING;
    for await (const page of readLines(rt, head)) {
      for (const line of page) {
        totals = plus(totals, line);
        yield cellsOf(line, language);
      }
    }
    yield edge(words.closing, head.to, head.closing);
    yield [String(totals.lines), EMPTY, EMPTY, words.totals, EMPTY, toYuan(totals.in), toYuan(totals.out), EMPTY, EMPTY, EMPTY];
  }
  async function* pieces(): AsyncGenerator<string> {
    let text = bom ? BYTE_ORDER_MARK : '';
    for await (const row of rows()) {
      text += csvLine(row);
      if (text.length < PIECE) continue;
      yield text;
      text = '';
    }
    if (text !== '') yield text;
  }
  return Readable.from(pieces());
}
