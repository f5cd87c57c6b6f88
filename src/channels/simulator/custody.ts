import type { BusinessDate, Minor } from '../../kernel/index.js';
import { type StatementLine, statementDigest } from '../wire.js';
import type { Faults } from './faults.js';

/** A statement as the bank shows it, which a fault may have made another than its books. */
export interface ShownStatement {
  readonly opening: Minor;
  readonly closing: Minor;
  readonly sum: Minor;
  readonly digest: string;
  readonly complete: boolean;
  readonly lines: readonly StatementLine[];
}

interface Day {
  readonly lines: StatementLine[];
  /** Payments of this date that are accepted and not final. */
  pending: number;
  shown?: { version: number; count: number; lines: readonly StatementLine[]; sum: Minor; digest: string };
}

interface Account {
  readonly custodyNo: string;
  readonly name: string;
  balance: Minor;
  /** Money of accepted payments that are not final. */
  reserved: Minor;
  readonly days: Map<BusinessDate, Day>;
  /** What came in and went out straight, by reference, as it was said. */
  readonly flows: Map<string, string>;
}

/** Money straight into a custody account, or out of it: above zero either way. */
export interface FlowItem {
  readonly reference: string;
  readonly amount: Minor;
  readonly counterparty: string;
  readonly text: string;
}

interface Booked {
  readonly booked: number;
  readonly repeated: number;
  /** Fen newly booked. */
  readonly amount: Minor;
}

/** The core bank's custody accounts: balances, and the lines of each business date. */
export class CustodyBook {
  readonly #accounts = new Map<string, Account>();
  readonly #faults: Faults;

  constructor(faults: Faults) {
    this.#faults = faults;
  }

  /** @returns why not, or undefined */
  open(custodyNo: string, name: string): string | undefined {
    const account = this.#accounts.get(custodyNo);
    if (account !== undefined) return account.name === name ? undefined : 'the custody account is open under another name';
    this.#accounts.set(custodyNo, { custodyNo, name, balance: 0n, reserved: 0n, days: new Map(), flows: new Map() });
    return undefined;
  }

  has(custodyNo: string): boolean {
    return this.#accounts.has(custodyNo);
  }

  /** Books all items or, where one contradicts an earlier one under its reference or the money is not there, none. */
  flows(custodyNo: string, date: BusinessDate, way: 'in' | 'out', items: readonly FlowItem[]): Booked | string {
    const account = this.#account(custodyNo);
    const signed = ({ amount }: FlowItem) => (way === 'in' ? amount : -amount);
    const contentOf = (item: FlowItem) => JSON.stringify([date, signed(item).toString(), item.counterparty, item.text]);
    const fresh = new Map<string, FlowItem>();
    for (const item of items) {
      const twin = fresh.get(item.reference);
      const before = account.flows.get(item.reference) ?? (twin && contentOf(twin));
      if (before === undefined) fresh.set(item.reference, item);
      else if (before !== contentOf(item)) return `${way}flow ${item.reference} came before with another content`;
    }
    const amount = [...fresh.values()].reduce((sum, { amount: of }) => sum + of, 0n);
    if (way === 'out' && account.balance - account.reserved < amount) return 'the money is not on the account';
    for (const [reference, item] of fresh) {
      account.flows.set(reference, contentOf(item));
      book(account, date, reference, signed(item), item.counterparty, item.text);
    }
    return { booked: fresh.size, repeated: items.length - fresh.size, amount };
  }

  /** Sets money aside for an accepted payment; false when it is not there. */
  reserve(custodyNo: string, date: BusinessDate, amount: Minor): boolean {
    const account = this.#account(custodyNo);
    if (account.balance - account.reserved < amount) return false;
    account.reserved += amount;
    dayOf(account, date).pending += 1;
    return true;
  }

  release(custodyNo: string, date: BusinessDate, amount: Minor): void {
    const account = this.#account(custodyNo);
    account.reserved -= amount;
    dayOf(account, date).pending -= 1;
  }

  /** Books a line; below zero debits. */
  book(custodyNo: string, date: BusinessDate, reference: string, amount: Minor, counterparty: string, text: string): void {
    book(this.#account(custodyNo), date, reference, amount, counterparty, text);
  }

  statement(custodyNo: string, date: BusinessDate): ShownStatement {
    const account = this.#account(custodyNo);
    const day = dayOf(account, date);
    let opening = 0n;
    // What was shown of the dates before: a statement begins where the last one ended, faults and all.
    for (const [each, before] of account.days) if (each < date) opening += this.#shown(account, each, before).sum;
    const shown = this.#shown(account, date, day);
    return { ...shown, opening, closing: opening + shown.sum, complete: day.pending === 0 };
  }

  balances(): { custodyNo: string; name: string; balance: Minor; reserved: Minor }[] {
    return [...this.#accounts.values()].map(({ custodyNo, name, balance, reserved }) => ({ custodyNo, name, balance, reserved }));
  }

  /** What the statement shows is made once for all its pages, and again after a new line or another plan of faults. */
  #shown(account: Account, date: BusinessDate, day: Day) {
    const { version } = this.#faults;
    if (day.shown?.version === version && day.shown.count === day.lines.length) return day.shown;
    const lines = this.#distort(account.custodyNo, date, day.lines);
    const sum = lines.reduce((total, line) => total + line.amount, 0n);
    day.shown = { version, count: day.lines.length, lines, sum, digest: statementDigest(lines) };
    return day.shown;
  }

  #distort(custodyNo: string, date: BusinessDate, lines: readonly StatementLine[]): readonly StatementLine[] {
    const fault = (name: Parameters<Faults['ofLine']>[0], reference: string) =>
      this.#faults.ofLine(name, custodyNo, date, reference);
    const shown: Omit<StatementLine, 'lineNo'>[] = [];
    for (const line of lines) {
      if (fault('line-missing', line.reference) !== undefined) continue;
      const other = fault('line-amount', line.reference);
      shown.push(other === undefined ? line : { ...line, amount: line.amount + BigInt(other.amount ?? '1') });
    }
    const extra = fault('line-extra', '');
    if (extra !== undefined) {
      const { reference = `XX${custodyNo}${date.replaceAll('-', '')}` } = extra;
      shown.push({ reference, amount: BigInt(extra.amount ?? '1'), counterparty: 'unknown', text: 'not in our books' });
    }
    return shown.map((line, at) => ({ ...line, lineNo: at + 1 }));
  }

  #account(custodyNo: string): Account {
    const account = this.#accounts.get(custodyNo);
    if (account === undefined) throw new Error(`no custody account ${custodyNo}`);
    return account;
  }
}

function book(account: Account, date: BusinessDate, reference: string, amount: Minor, counterparty: string, text: string): void {
  const day = dayOf(account, date);
  day.lines.push({ lineNo: day.lines.length + 1, reference, amount, counterparty, text });
  account.balance += amount;
}

function dayOf(account: Account, date: BusinessDate): Day {
  const before = account.days.get(date);
  if (before !== undefined) return before;
  const day: Day = { lines: [], pending: 0 };
  account.days.set(date, day);
  return day;
}
