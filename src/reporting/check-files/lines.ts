import { type Id, type Instant, type Minor, maskCardNumber, maskName, toRfc3339, toWire } from '../../kernel/index.js';
import { type AccountType, type Entry, isAsset } from '../../ledger/index.js';
import type { Payout } from '../../payouts/index.js';
import type { Cells, CheckFile } from './columns.js';

/** A posted instruction with all that a file may tell of it; nothing of it ever changes. */
export interface Posted {
  readonly id: Id;
  readonly requestNo: string;
  readonly origin: string;
  readonly kind: string;
  /** As it is stored: what is personal is sealed. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly decidedMs: Instant;
  /** Of a correction: what it undoes. */
  readonly undone: { readonly id: Id; readonly kind: string; readonly data: Readonly<Record<string, unknown>> } | undefined;
  readonly entries: readonly PostedEntry[];
  /** The payout that it ordered, or of which it tells the result. Of it only what never changes may be read. */
  readonly payout:
    | Pick<Payout, 'id' | 'purpose' | 'amount' | 'businessDate' | 'orderNo' | 'sourceAccountId' | 'payee'>
    | undefined;
}

export interface PostedEntry extends Entry {
  readonly type: AccountType;
  readonly merchantNo: string;
  /** Of an account of an order: its number. */
  readonly orderNo: string;
}

export interface Line {
  readonly amount: Minor;
  readonly cells: Cells;
}

const FILE_OF_KIND: Readonly<Record<string, CheckFile>> = {
  payment: 'trades',
  'combined-payment': 'trades',
  'escrow-payment': 'trades',
  'account-payment': 'trades',
  'pot-payment': 'trades',
  'escrow-funding': 'trades',
  'incoming-transfer': 'trades',
  'collection-credited': 'trades',
  'suspense-credit': 'trades',
  interest: 'trades',
  split: 'splits',
  'split-return': 'splits',
  'order-complete': 'splits',
  'escrow-release': 'splits',
  refund: 'refunds',
  'escrow-refund': 'refunds',
  'payout-returned': 'returns',
  fee: 'fees',
  'acquirer-fee': 'fees',
};

/** The kinds that each file tells of, for the reference. */
export function kindsOf(file: CheckFile): readonly string[] {
  return Object.keys(FILE_OF_KIND).filter((kind) => FILE_OF_KIND[kind] === file);
}

/** The lines of an instruction in one of the files that are made of instructions. */
export function linesOf(file: Exclude<CheckFile, 'balances'>, posted: Posted, read: (sealed: string) => string): readonly Line[] {
  if (file === 'funds') return posted.entries.map((entry) => fundsLine(posted, entry));
  if (file === 'withdrawals') return payoutLines(posted, read);
  const ofPayout = file === 'fees' ? payoutFee(posted) : undefined;
  if (ofPayout !== undefined)
    return [
      {
        amount: ofPayout.fee,
        cells: { ...common(posted), ...accountCells(ofPayout.of), ...outside(posted, read), ...amountCell(ofPayout.fee) },
      },
    ];
  const kind = posted.undone?.kind ?? posted.kind;
  // What was collected from a card is credited by the result of its collection.
  const isCollection = kind === 'payout-settled' && posted.payout?.purpose === 'top-up';
  if ((isCollection ? 'trades' : FILE_OF_KIND[kind]) !== file) return [];
  return chosen(file, posted).map((entry) => {
    // With what came back there is its fee, of which the file of fees tells.
    const amount =
      file === 'fees' ? -entry.amount : file === 'returns' ? entry.amount + (payoutFee(posted)?.fee ?? 0n) : entry.amount;
    return { amount, cells: { ...common(posted), ...accountCells(entry), ...outside(posted, read), ...amountCell(amount) } };
  });
}

/** What a payout cost whom, below zero where it did not arrive and the fee went back to him. */
function payoutFee({ payout, undone, entries }: Posted): { readonly fee: Minor; readonly of: PostedEntry } | undefined {
  if (payout?.purpose !== 'clearing' || undone !== undefined) return undefined;
  const fee = entries.find(({ type }) => type === 'fees')?.amount ?? 0n;
  const of = entries.find(
    ({ type, amount }) => type !== 'fees' && type !== 'in-transit' && !isAsset(type) && amount > 0n !== fee > 0n,
  );
  return fee === 0n || of === undefined ? undefined : { fee, of };
}

const isGoods = (type: AccountType) => type === 'order' || type === 'escrow';

/** Which entries of an instruction its file tells of. A correction has them with the other sign. */
function chosen(file: CheckFile, { entries, undone }: Posted): readonly PostedEntry[] {
  const isCredit = ({ amount }: PostedEntry) => amount > 0n === (undone === undefined);
  // What goes into an order and out of it again is told by who gets it, and by who gives it back.
  if (file === 'splits') return entries.filter(({ type }) => !isGoods(type));
  if (file === 'fees') return entries.filter((entry) => !isCredit(entry) && !isAsset(entry.type));
  // What a channel has collected and not paid over is told when it is credited.
  return entries.filter((entry) => isCredit(entry) && !isAsset(entry.type) && entry.type !== 'collected');
}

/** Whatever puts money in transit orders a payout, and whatever takes it out again is its result. */
function payoutLines(posted: Posted, read: (sealed: string) => string): readonly Line[] {
  const { payout } = posted;
  const moved = posted.entries.find(({ type }) => type === 'in-transit');
  if (payout === undefined || moved === undefined) return [];
  const event = moved.amount > 0n ? 'ordered' : posted.kind === 'payout-settled' ? 'settled' : 'failed';
  const amount = moved.amount > 0n ? moved.amount : -moved.amount;
  // The account that the money left, or the one that it came back to; settled money has only the one that it left.
  const other = posted.entries.find(
    ({ type, amount: of }) => type !== 'in-transit' && !isAsset(type) && of > 0n !== moved.amount > 0n,
  );
  const account = other === undefined ? { account: toWire('account', payout.sourceAccountId) } : accountCells(other);
  return [{ amount, cells: { ...common(posted), ...account, ...outside(posted, read), event, ...amountCell(amount) } }];
}

function fundsLine(posted: Posted, entry: PostedEntry): Line {
  const amount = entry.amount < 0n ? -entry.amount : entry.amount;
  const balance = entry.balance < 0n ? -entry.balance : entry.balance;
  const others = posted.entries
    .filter(({ account }) => account !== entry.account)
    .map(({ account }) => toWire('account', account));
  const more = others.length > OTHERS_MAX ? [`+${others.length - OTHERS_MAX}`] : [];
  const cells: Cells = {
    ...common(posted),
    ...accountCells(entry),
    seq: String(entry.seq),
    side: entry.amount > 0n ? 'C' : 'D',
    balance: String(balance),
    counter_accounts: [...others.slice(0, OTHERS_MAX), ...more].join(','),
    ...amountCell(amount),
  };
  return { amount, cells };
}

const OTHERS_MAX = 3;

/** A line of the closing balances. */
export function balanceLine(of: {
  readonly account: Id;
  readonly type: AccountType;
  readonly merchantNo: string;
  readonly seq: number;
  readonly balance: Minor;
  readonly head: Buffer;
}): Line {
  const amount = of.balance < 0n ? -of.balance : of.balance;
  const cells: Cells = {
    account: toWire('account', of.account),
    account_type: of.type,
    merchant_no: of.merchantNo,
    seq: String(of.seq),
    balance_side: isAsset(of.type) ? 'D' : 'C',
    head: of.head.toString('hex'),
    ...amountCell(amount),
  };
  return { amount, cells };
}

const amountCell = (amount: Minor): Cells => ({ amount: String(amount) });

function accountCells({ account, type, merchantNo, orderNo }: PostedEntry): Cells {
  return {
    account: toWire('account', account),
    account_type: type,
    merchant_no: merchantNo,
    ...(orderNo === '' ? {} : { order_no: orderNo }),
  };
}

function common(posted: Posted): Cells {
  const { id, requestNo, origin, kind, decidedMs, undone, payout } = posted;
  const orderNo = textAt(undone?.data ?? posted.data, 'orderNo') || payout?.orderNo || soleOrder(posted);
  return {
    instruction: toWire('instruction', id),
    request_no: requestNo,
    origin,
    kind,
    corrects: undone === undefined ? '' : toWire('instruction', undone.id),
    time: toRfc3339(decidedMs),
    order_no: orderNo,
  };
}

/** The one order whose account an instruction moves, if it is one. */
function soleOrder({ entries }: Posted): string {
  const numbers = new Set(entries.map(({ orderNo }) => orderNo).filter((no) => no !== ''));
  return numbers.size === 1 ? ([...numbers][0] as string) : '';
}

/** Who paid or is paid outside, masked, and what is said of it. */
function outside(posted: Posted, read: (sealed: string) => string): Cells {
  const data = posted.undone?.data ?? posted.data;
  const payer = objectAt(data, 'payer');
  const { payout } = posted;
  const masked = (of: Readonly<Record<string, unknown>> | undefined, key: string, mask: (text: string) => string) => {
    const text = of === undefined ? '' : textAt(of, key);
    return text === '' ? '' : mask(read(text));
  };
  return {
    reference: textAt(data, 'reference'),
    reason: textAt(posted.data, 'reason') || textAt(data, 'for'),
    payer_name: masked(payer, 'name', maskName),
    payer_account: masked(payer, 'account', maskCardNumber),
    ...(payout === undefined
      ? {}
      : {
          payout: toWire('payout', payout.id),
          purpose: payout.purpose,
          ordered_on: payout.businessDate,
          payee_name: masked(payout.payee, 'name', maskName),
          payee_account: masked(payout.payee, 'account', maskCardNumber),
          payee_bank: payout.payee.bankCode,
        }),
  };
}

function textAt(data: Readonly<Record<string, unknown>>, key: string): string {
  const value = data[key];
  return typeof value === 'string' ? value : '';
}

function objectAt(data: Readonly<Record<string, unknown>>, key: string): Readonly<Record<string, unknown>> | undefined {
  const value = data[key];
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}
