import type { BusinessDate, Id, Minor } from '../../kernel/index.js';
import { type AccountType, isAsset } from '../../ledger/index.js';

/** The books as they are told to a program of plain-text accounting. */
export interface JournalHead {
  readonly platform: string;
  readonly custodyNo: string;
  readonly from: BusinessDate | undefined;
  readonly to: BusinessDate;
}

export interface JournalAccount {
  readonly account: Id;
  readonly type: AccountType;
  /** The date of its first entry in the journal. */
  readonly opened: BusinessDate;
}

/** An amount or a balance, as an accountant has it: debits above zero, so that what the bank owes is below. */
export interface JournalLine {
  readonly account: Id;
  readonly type: AccountType;
  readonly amount: Minor;
}

export interface JournalTransaction {
  readonly date: BusinessDate;
  readonly instruction: string;
  readonly kind: string;
  readonly origin: string;
  readonly requestNo: string;
  readonly lines: readonly JournalLine[];
}

/** How one program wants it written. Each function answers whole lines. */
export interface JournalFormat {
  head(of: JournalHead): string;
  account(of: JournalAccount): string;
  /** What an account had at the end of the day before `date`, which is the journal's first. */
  opening(date: BusinessDate, line: JournalLine): string;
  transaction(of: JournalTransaction): string;
  /** That the accounts have these balances at the end of `date`, which is the journal's last. */
  closing(date: BusinessDate, lines: readonly JournalLine[]): string;
}

/** Fen as a decimal of two places, from integers alone. */
export function decimal(fen: Minor): string {
  const digits = String(fen < 0n ? -fen : fen).padStart(3, '0');
  return `${fen < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)} CNY`;
}

/** The side of the balance sheet that an account stands on. */
export function sideOf(type: AccountType): 'assets' | 'liabilities' {
  return isAsset(type) ? 'assets' : 'liabilities';
}

/** Text that came from outside, on one line. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ');
}
