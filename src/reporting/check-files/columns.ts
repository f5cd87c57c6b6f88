/**
 * What stands in each check file (对账文件), as data: the files, their columns, and which instructions and entries they tell of. The reference
 * docs/check-files.md is made from these tables.
 */
export const FILE_VERSION = 1;

/** A column: its name in the second line of the file, and what it says. */
const COLUMNS = {
  instruction: { zh: '指令号', en: 'the instruction, `ins_…`' },
  request_no: { zh: '请求流水号', en: 'the number that its giver gave it' },
  origin: { zh: '发起方', en: 'P the platform, O the bank’s staff, S the system' },
  kind: { zh: '种类', en: 'kind of the instruction; of a correction `correction`' },
  corrects: { zh: '被冲正指令', en: 'the instruction that it undoes; its amounts have the other sign' },
  time: { zh: '入账时间', en: 'when it was posted, RFC 3339, Shanghai time' },
  order_no: { zh: '订单号', en: 'the platform’s own number of the order' },
  account: { zh: '账户', en: 'the account, `acc_…`' },
  account_type: { zh: '账户类型', en: 'its purpose, as in the chart of accounts' },
  merchant_no: { zh: '商户编号', en: 'the platform’s own number of the sub-merchant whose account it is' },
  amount: { zh: '金额', en: 'fen, an integer' },
  reference: { zh: '核心流水号', en: 'the reference on the core bank’s statement' },
  payer_name: { zh: '付款人', en: 'masked' },
  payer_account: { zh: '付款账号', en: 'masked' },
  event: { zh: '事件', en: '`ordered`: it left its account; `settled`: it left the books; `failed`: it is back on an account' },
  payout: { zh: '出款号', en: 'the payout, `pay_…`' },
  purpose: { zh: '用途', en: 'what is paid: `clearing`, `withdrawal`, `refund` …' },
  ordered_on: { zh: '出款会计日', en: 'business date on which it was ordered' },
  payee_name: { zh: '收款人', en: 'masked' },
  payee_account: { zh: '收款账号', en: 'masked' },
  payee_bank: { zh: '收款行', en: 'CNAPS code; empty: the custodian itself' },
  reason: { zh: '原因', en: 'why it failed, came back, or was charged' },
  seq: { zh: '账户序号', en: 'place of the entry in its account’s chain, from 1' },
  side: { zh: '借贷', en: 'C 贷: the account grows, or of `custody` and `channel-due` shrinks; D 借 the other way' },
  balance: { zh: '余额', en: 'of the account after this entry, fen; never below zero' },
  counter_accounts: {
    zh: '对方账户',
    en: 'the other accounts of the instruction, at most three, with commas; `+n` when there are more',
  },
  balance_side: { zh: '余额方向', en: 'D of `custody` and `channel-due`, C of all others' },
  head: { zh: '链头', en: 'hash of its last entry, hex: what a proof of custody of the day names' },
} as const satisfies Record<string, { readonly zh: string; readonly en: string }>;

export type Column = keyof typeof COLUMNS;
export type Cells = Partial<Record<Column, string>>;

interface FileForm {
  readonly zh: string;
  readonly en: string;
  readonly columns: readonly Column[];
  /** What the sum of its amounts is in the books. */
  readonly sum: string;
}

const OF_INSTRUCTION = ['instruction', 'request_no', 'origin', 'kind', 'corrects', 'time'] as const;
const OF_ACCOUNT = ['account', 'account_type', 'merchant_no'] as const;
const OF_PAYEE = ['payee_name', 'payee_account', 'payee_bank'] as const;

export const CHECK_FILES = {
  trades: {
    zh: '交易（入金）',
    en: 'payments in, a line for each account credited: for orders and deals, to accounts, collected from cards, of unknown payers, interest',
    columns: [...OF_INSTRUCTION, 'order_no', ...OF_ACCOUNT, 'amount', 'reference', 'payer_name', 'payer_account'],
    sum: 'what these instructions credited',
  },
  splits: {
    zh: '分账',
    en: 'splits, returns of splits and releases of deals, a line for each receiver; what is taken back is below zero',
    columns: [...OF_INSTRUCTION, 'order_no', ...OF_ACCOUNT, 'amount'],
    sum: 'what left the orders and deals by them, less what came back',
  },
  refunds: {
    zh: '退款',
    en: 'refunds, a line for each account credited: `in-transit` for what is paid out, an electronic account, `marketing` for a subsidy that goes back',
    columns: [...OF_INSTRUCTION, 'order_no', ...OF_ACCOUNT, 'amount', 'payout', ...OF_PAYEE, 'reason'],
    sum: 'what these instructions credited',
  },
  withdrawals: {
    zh: '提现（出款及结果）',
    en: 'payouts of every purpose: a line when one is ordered, and one when its result comes, in the file of the day on which it came',
    columns: [
      ...['instruction', 'request_no', 'kind', 'time', 'event', 'payout', 'purpose', 'ordered_on', 'order_no'],
      ...OF_ACCOUNT,
      ...['amount', ...OF_PAYEE, 'reason'],
    ] as Column[],
    sum: 'the amounts of all events; ordered less settled and failed is what `in-transit` grew by',
  },
  returns: {
    zh: '退汇',
    en: 'payouts that had been settled and came back, in the file of the day on which they came; the account is the one credited',
    columns: [
      'instruction',
      'time',
      'payout',
      'purpose',
      'ordered_on',
      'order_no',
      ...OF_ACCOUNT,
      'amount',
      ...OF_PAYEE,
      'reason',
    ],
    sum: 'what came back into custody by them',
  },
  fees: {
    zh: '手续费',
    en: 'fees, a line for each account that bore one, also for a payout; below zero where it did not arrive and its fee went back',
    columns: [...OF_INSTRUCTION, ...OF_ACCOUNT, 'amount', 'reference', 'reason'],
    sum: 'what was debited for them, less what went back',
  },
  balances: {
    zh: '余额',
    en: 'the closing balance of every account that ever moved, in the order of the chart',
    columns: [...OF_ACCOUNT, 'seq', 'balance_side', 'amount', 'head'],
    sum: 'all balances; those of side D are half of it',
  },
  funds: {
    zh: '资金流水',
    en: 'every entry of every account, in the order in which it was posted, with the balance after it; the lines of an account follow its `seq`',
    columns: [...OF_ACCOUNT, 'seq', ...OF_INSTRUCTION, 'order_no', 'side', 'amount', 'balance', 'counter_accounts'],
    sum: 'the amounts of both sides; those of side D are half of it',
  },
} as const satisfies Record<string, FileForm>;

export type CheckFile = keyof typeof CHECK_FILES;
export const CHECK_FILE_NAMES = Object.keys(CHECK_FILES) as [CheckFile, ...CheckFile[]];

/** What a column says, for the reference. */
export function columnMeaning(column: Column): { readonly zh: string; readonly en: string } {
  return COLUMNS[column];
}
