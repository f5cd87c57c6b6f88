import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BusinessDate, type Minor, toYuan } from '../../src/kernel/index.js';
import type { Check, Figures, Result, SellerFigures } from './figures.js';
import type { ByChannel } from './reading.js';

/** What a run tells at its end. */
export interface Report {
  readonly title: string;
  readonly sellers: number;
  readonly firstDay: BusinessDate;
  readonly lastDay: BusinessDate;
  readonly result: Result;
  readonly refusals: ReadonlyMap<string, number>;
  readonly payouts: number;
  readonly channels: readonly ByChannel[];
  readonly closedThemselves: number;
  readonly checks: readonly Check[];
  /** What was shown of the closed days to whoever trusts nobody. */
  readonly books: readonly Check[];
  /** The chapter of one customer of the bank. */
  readonly customer: readonly Check[];
  readonly timings: readonly { readonly what: string; readonly calls: number; readonly ms: number }[];
  readonly seconds: string;
}

/** `1,234,567.89`. */
export function yuan(amount: Minor): string {
  return toYuan(amount).replace(/\B(?=(\d{3})+\.)/g, ',');
}

export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

const WIDE = /[\u2e80-\u9fff\uf900-\ufaff\uff00-\uff60]/g;

/** Pads for a terminal, where a Chinese character takes two columns. */
function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - text.length - (text.match(WIDE)?.length ?? 0)));
}

/** A figure with its name in both languages. */
export function row(en: string, zh: string, value: string, note = ''): string {
  return `  ${pad(en, 28)}${pad(zh, 18)}${value.padStart(16)}${note === '' ? '' : `   ${note}`}`;
}

export function reportText(report: Report): string {
  const { figures } = report.result;
  const failed = [...report.checks, ...report.books, ...report.customer].filter((check) => !check.ok);
  return [
    '',
    `${report.title}`,
    `${report.firstDay} to ${report.lastDay}, ${count(report.sellers)} sellers; amounts in CNY`,
    '',
    ...moneyRows(figures),
    '',
    ...countRows(report),
    ...report.channels.map(({ channel, payouts, amount }) => row(`  by ${channel}`, '', count(payouts), yuan(amount))),
    '',
    'Checks 核对',
    ...report.checks.map(checkLine),
    '',
    'The closed days 已结账日',
    ...report.books.map(checkLine),
    '',
    'A customer of the bank 电子账户客户',
    "  For one day the bank lowers the limits of a year to what was used, to show that a fen more is refused; then the law's hold again.",
    ...report.customer.map(checkLine),
    '',
    ...endOf(report.timings, report.seconds, failed.length),
  ].join('\n');
}

/** Where the time went, and whether all agrees. */
export function endOf(timings: Report['timings'], took: string, failed: number): string[] {
  return [
    'Time 用时',
    ...timings
      .slice(0, 8)
      .map(({ what, calls, ms }) => `  ${pad(what, 28)}${`${seconds(ms)} s`.padStart(12)}   ${count(calls)} calls`),
    `  ${pad('whole run', 28)}${`${took} s`.padStart(12)}`,
    '',
    failed === 0 ? 'Everything agrees. 全部相符。' : `${failed} checks failed. 有 ${failed} 项不符。`,
    '',
  ];
}

export function checkLine({ what, ok, found }: Check): string {
  return `  ${ok ? 'ok    ' : 'WRONG '} ${pad(what, 46)} ${found}`;
}

function moneyRows(figures: Figures): string[] {
  return [
    row('paid in by buyers', '买家入金', yuan(figures.paid)),
    row('refunded to buyers', '退款', yuan(figures.refunded)),
    row('split to sellers', '分账至商户', yuan(figures.split)),
    row('commission of the platform', '平台佣金', yuan(figures.commission)),
    row('still on orders', '订单待分账', yuan(figures.onOrders)),
    row('paid out to sellers', '商户结算出款', yuan(figures.paidOut)),
    row('custody account', '存管专户余额', yuan(figures.custody)),
    row('sum of sub-accounts', '子账户合计', yuan(figures.sumOfSubAccounts)),
  ];
}

function countRows({ result: { figures }, refusals, payouts, closedThemselves }: Report): string[] {
  const why = [...refusals].map(([code, times]) => `${times} × ${code}`).join(', ');
  return [
    row('orders', '订单', count(figures.orders)),
    row('instructions', '指令', count(figures.instructions)),
    row('refused splits', '拒绝的分账', count(figures.refusedSplits), why),
    row('payouts', '出款笔数', count(payouts)),
    row('business days closed', '日终', count(figures.days)),
    row('breaks', '差错', count(figures.breaks)),
    row('timing, closed itself', '时间性差异', count(closedThemselves)),
  ];
}

/** Milliseconds as seconds with one decimal. */
export function seconds(ms: number): string {
  const tenths = Math.round(ms / 100);
  return `${Math.floor(tenths / 10)}.${tenths % 10}`;
}

/** The figures as one line of JSON, amounts in fen. */
export function figuresLine(figures: object, took: number): string {
  const entries = Object.entries(figures).map(([name, value]) => [name, Number(value)] as const);
  return JSON.stringify(Object.fromEntries([...entries, ['seconds', took] as const]));
}

/** Writes `sellers.csv` into a folder, which is made when it is not there. */
export function writeSellers(folder: string, sellers: ReadonlyMap<string, SellerFigures>): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'sellers.csv');
  writeFileSync(path, sellersCsv(sellers));
  return path;
}

export function sellersCsv(sellers: ReadonlyMap<string, SellerFigures>): string {
  const ids = [...sellers.keys()].sort();
  const lines = ids.map((id) => `${id},${sellers.get(id)?.split},${sellers.get(id)?.paidOut}`);
  return `${['seller_id,split,paid_out', ...lines].join('\n')}\n`;
}
