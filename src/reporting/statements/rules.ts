import { type BusinessDate, type Id, type Instant, type Minor, maskCardNumber, maskName, toWire } from '../../kernel/index.js';
import { ACCOUNT_TYPES, type AccountType, isAsset } from '../../ledger/index.js';
import type { Posted, PostedEntry } from '../check-files/lines.js';

/** The two languages in which statements and receipts are written. */
export const LANGUAGES = ['zh', 'en'] as const;
export type Language = (typeof LANGUAGES)[number];
export type Words = Readonly<Record<Language, string>>;

/** What stands above the lines of a statement. Amounts as the account's owner sees them: what he has is above zero. */
export interface StatementHead {
  readonly account: Id;
  readonly type: AccountType;
  readonly platformId: Id;
  readonly platformName: string;
  readonly merchantNo: string | null;
  /** Masked. */
  readonly holder: string | null;
  readonly virtualNo: string | null;
  readonly from: BusinessDate;
  readonly to: BusinessDate;
  /** Whether all of its days are over: then it says the same for ever. */
  readonly final: boolean;
  readonly opening: Minor;
  readonly closing: Minor;
  /** Places of its entries in the chain: none when the first is after the last. */
  readonly first: number;
  readonly last: number;
  readonly madeMs: Instant;
}

export interface StatementLine {
  readonly seq: number;
  readonly businessDate: BusinessDate;
  readonly postedMs: Instant;
  readonly instruction: Id;
  readonly requestNo: string;
  readonly kind: string;
  readonly kindWords: Words;
  /** Above zero: money in. */
  readonly amount: Minor;
  readonly balance: Minor;
  readonly counter: Words;
}

/** As whoever owns an account sees its amounts. */
export function shownAmount(type: AccountType, amount: Minor): Minor {
  return isAsset(type) ? -amount : amount;
}

const OTHERS_MAX = 2;

/**
 * With whom money was exchanged: who paid or is paid outside, masked, where an entry's other side is outside; else the accounts of the other side.
 * Who else got something by the same instruction is nobody's business.
 */
export function counterOf(posted: Posted, own: PostedEntry, read: (sealed: string) => string): Words {
  const others = posted.entries.filter(({ amount }) => amount > 0n !== own.amount > 0n);
  if (others.some(({ type }) => type === 'custody' || type === 'in-transit' || type === 'channel-due')) {
    const person = outsideOf(posted, read);
    if (person !== undefined) return { zh: person, en: person };
  }
  const words = others.slice(0, OTHERS_MAX).map(accountWordsOf);
  const more = others.length > OTHERS_MAX ? [{ zh: `等 ${others.length} 户`, en: `and ${others.length - OTHERS_MAX} more` }] : [];
  const all = [...words, ...more];
  return { zh: all.map(({ zh }) => zh).join('，'), en: all.map(({ en }) => en).join(', ') };
}

function accountWordsOf({ type, merchantNo, orderNo, account }: PostedEntry): Words {
  const { zh, en } = ACCOUNT_TYPES[type];
  const name = merchantNo || orderNo || (type === 'class-2' || type === 'class-3' ? toWire('account', account) : '');
  return name === '' ? { zh, en } : { zh: `${zh} ${name}`, en: `${type} ${name}` };
}

function outsideOf({ data, payout, undone }: Posted, read: (sealed: string) => string): string | undefined {
  const payer = (undone?.data ?? data).payer as { name?: unknown; account?: unknown } | undefined;
  const person = payer ?? payout?.payee;
  if (person === undefined) return undefined;
  const part = (sealed: unknown, mask: (text: string) => string) =>
    typeof sealed === 'string' && sealed !== '' ? [mask(read(sealed))] : [];
  return [...part(person.name, maskName), ...part(person.account, maskCardNumber)].join(' ') || undefined;
}

/** What a statement's lines add up to. */
export interface StatementTotals {
  readonly lines: number;
  readonly in: Minor;
  readonly out: Minor;
}

export const NOTHING: StatementTotals = { lines: 0, in: 0n, out: 0n };

export function plus(totals: StatementTotals, { amount }: Pick<StatementLine, 'amount'>): StatementTotals {
  const lines = totals.lines + 1;
  return amount > 0n ? { ...totals, lines, in: totals.in + amount } : { ...totals, lines, out: totals.out - amount };
}
