import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BusinessDate, toYuan } from '../../../src/kernel/index.js';
import type { Check } from '../figures.js';
import { checkLine, count, endOf, type Report, row, yuan } from '../report.js';
import type { LoanFigures, LoanFound, LoanResult } from './figures.js';

/** What a run on loans tells at its end. */
export interface LoanReport {
  readonly title: string;
  readonly firstDay: BusinessDate;
  readonly lastDay: BusinessDate;
  readonly days: number;
  readonly lenders: number;
  readonly borrowers: number;
  readonly found: LoanFound;
  readonly checks: readonly Check[];
  readonly timings: Report['timings'];
  readonly seconds: string;
}

export function loanReportText(report: LoanReport): string {
  const { figures } = report.found;
  const { lenders, borrowers } = report;
  const several =
    borrowers < figures.loans
      ? [
          `There are fewer borrowers than loans: each has several, within the 200,000.00 that a person may borrow on one platform.`,
        ]
      : [];
  return [
    '',
    report.title,
    `${report.firstDay} to ${report.lastDay}, ${count(lenders)} lenders, ${count(borrowers)} borrowers, one guarantor; amounts in CNY`,
    ...several,
    'A borrower confirms his first project on a page of the bank; staff records his signature on paper for the others, and the guarantor’s.',
    'The bank pays no interest on deposits in this run, so that all its money is that of the loans.',
    '',
    ...moneyRows(figures),
    '',
    ...countRows(figures, report.days),
    '',
    'Checks 核对',
    ...report.checks.map(checkLine),
    '',
    ...endOf(report.timings, report.seconds, report.checks.filter(({ ok }) => !ok).length),
  ].join('\n');
}

function moneyRows(figures: LoanFigures): string[] {
  return [
    row('raised from lenders', '募集', yuan(figures.raised)),
    row('lent out', '放款', yuan(figures.lentOut)),
    row('fees of the platform', '平台服务费', yuan(figures.platformFees)),
    row('principal paid back', '已还本金', yuan(figures.principal)),
    row('interest paid', '已付利息', yuan(figures.interest)),
    row('of both by the guarantor', '其中代偿', yuan(figures.compensated)),
    row('held', '冻结', yuan(figures.held)),
    row('custody account', '存管专户余额', yuan(figures.custody)),
    row('sum of sub-accounts', '子账户合计', yuan(figures.sumOfSubAccounts)),
  ];
}

function countRows(figures: LoanFigures, days: number): string[] {
  return [
    row('loans', '标的', count(figures.loans)),
    row('instalments by borrowers', '借款人还款期数', count(figures.instalmentsPaid)),
    row("instalments as the data's", '月供与数据一致', count(figures.installmentMatches)),
    row('business days closed', '日终', count(days)),
  ];
}

/** Writes `loans.csv` into a folder, which is made when it is not there. */
export function writeLoans(folder: string, loans: LoanFound['loans']): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'loans.csv');
  writeFileSync(path, loansCsv(loans));
  return path;
}

/** Amounts in yuan, as in the data; the loans in its order. */
export function loansCsv(loans: ReadonlyMap<string, LoanResult>): string {
  const lines = [...loans].map(([loanId, of]) =>
    [
      loanId,
      ...[of.amount, of.installment, of.principalPaid, of.interestPaid].map((amount) => toYuan(amount)),
      String(of.holders),
    ].join(),
  );
  return `${['loan_id,amount,installment,principal_paid,interest_paid,holders', ...lines].join('\n')}\n`;
}
