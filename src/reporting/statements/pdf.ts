import { shownTime, toWire, toYuan } from '../../kernel/index.js';
import { ACCOUNT_TYPES } from '../../ledger/index.js';
import type { Runtime } from '../../runtime/index.js';
import { breathe, INK, type Paper, print, rule, write } from '../paper.js';
import { readLines } from './read.js';
import { type Language, NOTHING, plus, type StatementHead, type StatementLine, type StatementTotals } from './rules.js';

/** A4 across, in points. */
const WIDTH = 841.89;
const EDGE = 40;
const INNER = WIDTH - 2 * EDGE;
const ROW = 17;
const FIRST_ROWS = 19;
const ROWS = 25;

interface Column {
  readonly zh: string;
  readonly en: string;
  readonly width: number;
  readonly align?: 'right';
  readonly cell: (line: StatementLine, language: Language) => string;
}

const grouped = (fen: bigint) => toYuan(fen).replace(/\B(?=(\d{3})+(?=\.))/g, ',');

const COLUMNS: readonly Column[] = [
  { zh: '序号', en: 'No.', width: 36, cell: ({ seq }) => String(seq) },
  { zh: '会计日', en: 'Date', width: 62, cell: ({ businessDate }) => businessDate },
  { zh: '入账时间', en: 'Posted at', width: 86, cell: ({ postedMs }) => shownTime(postedMs) },
  { zh: '摘要', en: 'Kind', width: 112, cell: ({ kindWords }, language) => kindWords[language] },
  { zh: '对方', en: 'Counterparty', width: 166, cell: ({ counter }, language) => counter[language] },
  { zh: '收入', en: 'In', width: 72, align: 'right', cell: ({ amount }) => (amount > 0n ? grouped(amount) : '') },
  { zh: '支出', en: 'Out', width: 72, align: 'right', cell: ({ amount }) => (amount < 0n ? grouped(-amount) : '') },
  { zh: '余额', en: 'Balance', width: 78, align: 'right', cell: ({ balance }) => grouped(balance) },
  { zh: '请求流水号', en: 'Request no.', width: 77, cell: ({ requestNo }) => requestNo },
];

const WORDS = {
  zh: {
    title: '账户对账单',
    account: '账户',
    type: '账户类型',
    holder: '户名',
    platform: '平台',
    merchant: '商户编号',
    virtualNo: '虚拟账号',
    period: '期间',
    currency: '币种',
    opening: '期初余额',
    closing: '期末余额',
    count: '笔数',
    in: '收入合计',
    out: '支出合计',
    none: '本期无发生额',
    made: '制单时间',
    open: '含未日切会计日，非最终对账单',
    cny: '人民币（元）',
    end: '以下空白',
    masked: '姓名及账号已脱敏',
    page: (page: number, pages: number) => `第 ${page} 页 / 共 ${pages} 页`,
  },
  en: {
    title: 'Statement of account',
    account: 'Account',
    type: 'Type',
    holder: 'Holder',
    platform: 'Platform',
    merchant: 'Merchant no.',
    virtualNo: 'Virtual no.',
    period: 'Period',
    currency: 'Currency',
    opening: 'Opening balance',
    closing: 'Closing balance',
    count: 'Entries',
    in: 'Total in',
    out: 'Total out',
    none: 'No entries in this period',
    made: 'Made at',
    open: 'holds a business day that is not over: not final',
    cny: 'CNY (yuan)',
    end: 'End of statement',
    masked: 'Names and account numbers are masked',
    page: (page: number, pages: number) => `Page ${page} of ${pages}`,
  },
} as const;

/** Rows of the table that still fit below it must hold the totals. */
const TOTAL_ROWS = 3;

function pagesOf(lines: number): number {
  const rows = lines + TOTAL_ROWS;
  return rows <= FIRST_ROWS ? 1 : 1 + Math.ceil((rows - FIRST_ROWS) / ROWS);
}

/**
 * A statement as the bank prints it. It draws a few lines at a time and lets others in between; the caller has made sure that there are not too
 * many lines.
 * @throws Refused OVERLOADED
 */
export function pdfOf(rt: Pick<Runtime, 'db' | 'vault' | 'clock'>, head: StatementHead, language: Language): Promise<Buffer> {
  const words = WORDS[language];
  const pages = pagesOf(Math.max(0, head.last - head.first + 1));
  return print({ size: 'A4', title: `${words.title} ${toWire('account', head.account)}`, madeMs: head.madeMs }, async (paper) => {
    let page = 1;
    let y = startPage(paper, head, language, { page, pages });
    let left = FIRST_ROWS;
    const turn = () => {
      page += 1;
      y = startPage(paper, head, language, { page, pages });
      left = ROWS;
    };
    let totals = NOTHING;
    for await (const lines of readLines(rt, head)) {
      for (const line of lines) {
        if (left === 0) turn();
        totals = plus(totals, line);
        drawRow(paper, line, language, { y, banded: totals.lines % 2 === 0 });
        y += ROW;
        left -= 1;
        if (totals.lines % BREATH === 0) await breathe();
      }
    }
    if (left < TOTAL_ROWS) turn();
    drawTotals(paper, totals, words, y);
  });
}

const BREATH = 4; // lines

function startPage(
  paper: Paper,
  head: StatementHead,
  language: Language,
  { page, pages }: { page: number; pages: number },
): number {
  const words = WORDS[language];
  paper.addPage();
  write(paper, words.title, { x: EDGE, y: 30, width: 400, size: page === 1 ? 18 : 11, face: 'medium' });
  write(paper, words.page(page, pages), { x: EDGE, y: 565, width: INNER, size: 8, align: 'right', ink: INK.faint });
  const made = `${words.made} ${shownTime(head.madeMs)}    ${words.masked}${head.final ? '' : `    ${words.open}`}`;
  write(paper, made, { x: EDGE, y: 565, width: INNER - 120, size: 8, ink: INK.faint });
  rule(paper, EDGE, 560, INNER);
  let y = 58;
  if (page === 1) y = drawHead(paper, head, language);
  else {
    const of = `${toWire('account', head.account)}   ${head.from} – ${head.to}`;
    write(paper, of, { x: EDGE + 300, y: 32, width: INNER - 300, size: 9, align: 'right', ink: INK.faint });
  }
  return drawColumns(paper, language, y);
}

function drawHead(paper: Paper, head: StatementHead, language: Language): number {
  const words = WORDS[language];
  const facts: readonly (readonly [string, string])[] = [
    [words.account, toWire('account', head.account)],
    [words.platform, head.platformName],
    [words.opening, grouped(head.opening)],
    [words.type, ACCOUNT_TYPES[head.type][language]],
    [words.merchant, head.merchantNo ?? '—'],
    [words.closing, grouped(head.closing)],
    [words.holder, head.holder ?? '—'],
    [words.virtualNo, head.virtualNo ?? '—'],
    [words.currency, words.cny],
  ];
  write(paper, `${words.period}  ${head.from} – ${head.to}`, {
    x: EDGE,
    y: 36,
    width: INNER,
    size: 10,
    align: 'right',
    face: 'medium',
  });
  rule(paper, EDGE, 62, INNER, INK.text);
  for (const [place, [name, value]] of facts.entries()) {
    const x = EDGE + (place % 3) * (INNER / 3);
    const y = 72 + Math.floor(place / 3) * 22;
    write(paper, name, { x, y, width: 78, size: 8.5, ink: INK.faint });
    const strong = name === words.opening || name === words.closing;
    write(paper, value, { x: x + 80, y: y - 1, width: INNER / 3 - 92, size: 9.5, face: strong ? 'medium' : 'regular' });
  }
  return 145;
}

function drawColumns(paper: Paper, language: Language, y: number): number {
  paper.rect(EDGE, y, INNER, 20).fill(INK.band);
  let x = EDGE;
  for (const column of COLUMNS) {
    write(paper, column[language], {
      x: x + 4,
      y: y + 5,
      width: column.width - 8,
      size: 8.5,
      face: 'medium',
      align: column.align ?? 'left',
    });
    x += column.width;
  }
  return y + 22;
}

function drawRow(paper: Paper, line: StatementLine, language: Language, { y, banded }: { y: number; banded: boolean }): void {
  if (banded) paper.rect(EDGE, y - 1, INNER, ROW).fill('#fafbfc');
  let x = EDGE;
  for (const column of COLUMNS) {
    const text = column.cell(line, language);
    if (text !== '') write(paper, text, { x: x + 4, y: y + 2, width: column.width - 8, size: 8, align: column.align ?? 'left' });
    x += column.width;
  }
}

function drawTotals(paper: Paper, totals: StatementTotals, words: (typeof WORDS)[Language], y: number): void {
  rule(paper, EDGE, y + 4, INNER, INK.text);
  if (totals.lines === 0) write(paper, words.none, { x: EDGE + 4, y: y + 10, width: 300, size: 9, ink: INK.faint });
  const parts = [`${words.count} ${totals.lines}`, `${words.in} ${grouped(totals.in)}`, `${words.out} ${grouped(totals.out)}`];
  write(paper, parts.join('      '), { x: EDGE + 4, y: y + 10, width: INNER - 8, size: 9.5, face: 'medium', align: 'right' });
  write(paper, words.end, { x: EDGE, y: y + 32, width: INNER, size: 8, align: 'center', ink: INK.faint });
}
