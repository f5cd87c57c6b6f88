import { type BusinessDate, type Id, type Instant, type Minor, mulDivHalfUp, toWire, toWireMoney } from '../kernel/index.js';
import { type AccountType, isPlatformOwn, isSetAside, type LedgerAccount, reservedOf, withdrawableOf } from '../ledger/index.js';
import { type Order, subsidyLeft } from '../orders/index.js';

/**
 * Why money of a platform that is wound up is still in custody. passes: it ends by itself, by time or by an answer that is under way, so
 * the wind-down is not settled before; all others need somebody to do something, which `next` says.
 */
export const STAYS = {
  'on-its-way': { passes: true, zh: '出款在途', next: "the channel's final answer" },
  'not-paid-over': { passes: true, zh: '渠道未清算', next: 'the channel pays it over' },
  uncleared: { passes: true, zh: '未清算', next: 'the working day on which it clears' },
  'deal-open': {
    passes: true,
    zh: '托管交易未了结',
    next: "the deal's conditions or their last day; a review by two people where they are in doubt",
  },
  'completes-itself': { passes: true, zh: '订单待自动完结', next: 'the day on which the order completes by its agreement' },
  'not-yet-back': { passes: true, zh: '未到退回日', next: 'the date from which orders go back to their payers' },
  'in-review': { passes: true, zh: '审核中', next: 'two people of the bank decide about the instruction' },
  'with-fund-company': { passes: true, zh: '基金交收在途', next: 'the fund company confirms, and its money or ours arrives' },
  'next-round': { passes: true, zh: '待下一轮退回', next: 'the next round returns it' },
  'wanted-by-projects': {
    passes: false,
    zh: '待还款占用',
    next: 'the next instalment of what its owner borrowed falls due and is taken',
  },
  'stands-behind-projects': { passes: false, zh: '风险准备', next: 'the projects of the platform are repaid' },
  'wanted-by-refunds': { passes: false, zh: '待退款占用', next: 'the refunds that wait for it are paid or cancelled' },
  'refunds-first': { passes: false, zh: '待退款优先', next: 'the refunds of the platform that wait are paid or cancelled' },
  frozen: { passes: false, zh: '账户冻结', next: 'the freeze of the account is lifted' },
  claimed: { passes: false, zh: '争议或司法冻结', next: 'the dispute ends, or the authority deducts or lifts its freeze' },
  held: { passes: false, zh: '冻结资金', next: 'the hold is released, captured or expires' },
  'no-bound-account': { passes: false, zh: '无绑定账户', next: 'the owner binds an account in his own name' },
  'payout-returned': { passes: false, zh: '出款失败或退汇', next: 'the owner binds another account, or staff pays it out anew' },
  'payer-unknown': { passes: false, zh: '付款账户不明', next: "the payer's account is found out" },
  'owner-unknown': { passes: false, zh: '挂账', next: 'two people attribute the items or send them back' },
  'in-funds': { passes: false, zh: '持有基金份额', next: 'the owner redeems his units, at the counter too' },
  'fund-advance': { passes: false, zh: '快速赎回垫资', next: 'the bank takes its own money back' },
  'moves-house': { passes: false, zh: '待迁移', next: 'it is handed over to the custodian that the members move to' },
  refused: { passes: false, zh: '指令被拒', next: 'what the code of the refusal says' },
} as const satisfies Record<string, { readonly passes: boolean; readonly zh: string; readonly next: string }>;
export type StayReason = keyof typeof STAYS;

/** Whose the money is, by the numbers that platform and bank know: never a name. */
export type Owner =
  | { readonly merchantNo: string }
  | { readonly userNo: string }
  | { readonly orderNo: string }
  | 'platform'
  | 'bank';

/** All that decides what becomes of the money of one account now. */
export interface Standing {
  readonly account: LedgerAccount;
  readonly owner: Owner;
  /** The account whose margin it is. */
  readonly marginOf: Id | undefined;
  readonly bound: boolean;
  /** The last payment out of it did not arrive, and would go to the same account again. */
  readonly bounced: boolean;
  readonly order: Order | undefined;
  /** When the order completes by itself. */
  readonly dueMs: Instant | undefined;
  /** What refunds that wait want of it. */
  readonly wanted: Minor;
  /** What the next instalments take of it of what its owner borrowed. */
  readonly instalments: Minor;
  /** What became of the instruction that this round would give, when it was given. */
  readonly tried: { readonly state: 'posted' | 'refused' | 'in-review'; readonly code: string | null } | undefined;
}

/** What holds for the whole platform. */
export interface Round {
  readonly date: BusinessDate;
  readonly ordersBackOn: BusinessDate;
  readonly refundsWait: boolean;
  readonly movesHouse: boolean;
  /** How many projects are lent and not repaid. */
  readonly projectsLent: number;
  /** Where what is set aside goes back to. */
  readonly ownFunds: Id;
}

export interface Stay {
  readonly reason: StayReason;
  readonly amount: Minor;
  /** Of a refused instruction. */
  readonly code?: string;
}

/** An instruction that brings money nearer to its owner. */
export interface Return {
  /** Made of what it was decided on, so that the same round never gives it twice, and a killed one goes on where it stopped. */
  readonly requestNo: string;
  readonly kind: 'refund' | 'subsidy-return' | 'margin-release' | 'clearing' | 'transfer' | 'miscarriage' | 'repayment';
  readonly amount: Minor;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Verdict {
  readonly give: Return | undefined;
  readonly stays: readonly Stay[];
}

const WHOLLY: Partial<Record<AccountType, StayReason>> = {
  'in-transit': 'on-its-way',
  'channel-due': 'not-paid-over',
  collected: 'not-paid-over',
  suspense: 'owner-unknown',
  escrow: 'deal-open',
  'fund-collection': 'with-fund-company',
  'fund-advance': 'fund-advance',
};

/** What is returned of an account now and why the rest stays; together they are its balance. Pure. */
export function verdictOf(standing: Standing, round: Round): Verdict {
  const { account } = standing;
  const wholly = WHOLLY[account.type];
  if (wholly !== undefined) return { give: undefined, stays: [{ reason: wholly, amount: account.balance }] };
  if (account.state === 'frozen') return { give: undefined, stays: [{ reason: 'frozen', amount: account.balance }] };
  const stays: Stay[] = [];
  let left = account.balance;
  const keep = (reason: StayReason, wanted: Minor, code?: string) => {
    const amount = wanted < left ? wanted : left;
    if (amount <= 0n) return;
    left -= amount;
    stays.push({ reason, amount, ...(code === undefined ? {} : { code }) });
  };
  keep('held', account.held);
  keep('claimed', account.claimed);
  if (leavesBank(account.type)) keep('uncleared', account.balance - reservedOf(account) - withdrawableOf(account));
  keep('wanted-by-refunds', standing.wanted);
  keep('wanted-by-projects', standing.instalments);
  const give = left > 0n ? returnOf(standing, round, left) : undefined;
  const why = give && reasonAgainst(standing, round);
  if (give !== undefined && why === undefined) return { give, stays };
  if (why !== undefined) keep(why.reason, left, why.code);
  return { give: undefined, stays };
}

/** What goes out of it goes to an account outside; the others give theirs to another account of the book, or back to the payer. */
function leavesBank(type: AccountType): boolean {
  return type !== 'order' && type !== 'margin' && !isSetAside(type);
}

function reasonAgainst(standing: Standing, round: Round): Omit<Stay, 'amount'> | undefined {
  const { account, order, dueMs, bound, bounced, tried } = standing;
  if (order !== undefined && order.payerAccountId === null && order.payer.account === '') return { reason: 'payer-unknown' };
  if (account.type === 'reserve' && round.projectsLent > 0) return { reason: 'stands-behind-projects' };
  if (!bound && (leavesBank(account.type) || (round.movesHouse && account.type === 'margin')))
    return { reason: 'no-bound-account' };
  if (round.movesHouse) return { reason: 'moves-house' };
  if (order !== undefined && dueMs !== undefined) return { reason: 'completes-itself' };
  if (order !== undefined && round.date < round.ordersBackOn) return { reason: 'not-yet-back' };
  if (bounced) return { reason: 'payout-returned' };
  if (isPlatformOwn(account.type) && round.refundsWait) return { reason: 'refunds-first' };
  if (tried?.state === 'in-review') return { reason: 'in-review' };
  if (tried?.state === 'refused') return { reason: 'refused', code: tried.code ?? '' };
  return undefined;
}

/**
 * What of the money on an order is its payer's; the rest is the platform's. What was split of it is gone from both, so that what is left is
 * theirs in the proportion of what each put in.
 */
export function payersPart(order: Order, amount: Minor): Minor {
  const [paid, added] = [order.paid - order.refunded, subsidyLeft(order)];
  return added === 0n ? amount : mulDivHalfUp(amount, paid, paid + added);
}

/** The instruction that returns so much of it. */
function returnOf({ account, order, marginOf }: Standing, { date, ownFunds }: Round, amount: Minor): Return {
  const requestNo = requestNoOf(account, amount, date);
  if (order !== undefined) {
    const toPayer = payersPart(order, amount);
    const toPlatform = amount - toPayer;
    // The payer has all of his back, or less than half a fen is his: there is no refund of nothing.
    if (toPayer === 0n)
      return { requestNo, kind: 'subsidy-return', amount, data: { orderNo: order.orderNo, amount: toWireMoney(amount) } };
    const subsidy = toPlatform === 0n ? 'keep' : toWireMoney(toPlatform);
    return {
      requestNo,
      kind: 'refund',
      amount,
      data: { orderNo: order.orderNo, amount: toWireMoney(toPayer), reason: '平台清退', subsidy },
    };
  }
  if (marginOf !== undefined)
    return {
      requestNo,
      kind: 'margin-release',
      amount,
      data: { account: toWire('account', marginOf), amount: toWireMoney(amount) },
    };
  if (isSetAside(account.type)) {
    const data = { from: toWire('account', account.id), to: toWire('account', ownFunds), amount: toWireMoney(amount) };
    return { requestNo, kind: 'transfer', amount, data };
  }
  return { requestNo, kind: 'clearing', amount, data: { account: toWire('account', account.id), amount: toWireMoney(amount) } };
}

function requestNoOf({ id, entryCount }: LedgerAccount, amount: Minor, date: BusinessDate): string {
  return `wd:${date}:${id}:${entryCount}:${amount}`;
}

/** The number under which this round would give its instruction for an account; undefined when it would give none. */
export function triedUnder(standing: Standing, round: Round): string | undefined {
  return verdictOf({ ...standing, tried: undefined }, round).give?.requestNo;
}

/** What of an account goes to the custodian that the members move to: all but what others lay claim to, what is nobody's, and what has no way out. */
export function movingOf(standing: Standing, round: Round): Minor {
  if (!round.movesHouse || (!standing.bound && standing.order === undefined)) return 0n;
  const moving = verdictOf(standing, round).stays.filter(({ reason }) => reason === 'moves-house' || reason === 'held');
  return moving.reduce((sum, { amount }) => sum + amount, 0n);
}
