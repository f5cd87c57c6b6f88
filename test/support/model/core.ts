import type { Data, Given } from '../given.js';
import { Trade } from './agreements.js';
import {
  arrives,
  BOOKS_MAX,
  bare,
  dayBefore,
  drawn,
  found,
  frozenOf,
  type Give,
  type ModelAccount,
  type ModelDispute,
  type ModelFreeze,
  type ModelHold,
  type ModelItem,
  type ModelOrder,
  type ModelPayout,
  type ModelPlatform,
  type ModelProposal,
  No,
  refuseIf,
  reservedOf,
  sum,
  type Take,
  UNDER_WAY,
  Waits,
} from './books.js';
import type { Escrows } from './escrow.js';
import type { Funds } from './funds.js';
import { Law, type Owner, type Passing } from './law.js';
import type { Lending } from './lending.js';
import { Outside } from './outside.js';
import { dueOn } from './paying.js';
import { Cover } from './refunds.js';
import { ModelReviews } from './reviews.js';

const ANSWERS = {
  no: 'CONSENT_DECLINED',
  late: 'CONSENT_EXPIRED',
  locked: 'CONSENT_LOCKED',
  stranger: 'CONSENT_MISMATCH',
  unasked: 'CONSENT_REQUIRED',
} as const;
const INCOME = [
  'split',
  'order-complete',
  'account-payment',
  'pot-payment',
  'incoming-transfer',
  'escrow-release',
  'escrow-failure',
];

export type Rules = Readonly<Record<string, (given: Given, data: Data, at: ModelPlatform) => void>>;

/** The books of the plain bank, and how money moves in them: what all its rules stand on. */
export abstract class Core {
  readonly platforms = new Map<string, ModelPlatform>();
  readonly accounts = new Map<string, ModelAccount>();
  /** By platform/number. */
  readonly orders = new Map<string, ModelOrder>();
  /** By order account/receiver. */
  readonly shares = new Map<string, { split: bigint; returned: bigint }>();
  readonly holds = new Map<string, ModelHold>();
  readonly disputes = new Map<string, ModelDispute>();
  readonly freezes = new Map<string, ModelFreeze>();
  /** Approved by two people. */
  readonly deductions = new Map<string, { freeze: string; amount: bigint; ordered: boolean }>();
  readonly payouts = new Map<string, ModelPayout>();
  /** From whom accounts take transfers, where that was set. */
  readonly payIn = new Map<string, string>();
  /** What stands on suspense, by the instruction that brought it there. */
  readonly items = new Map<string, ModelItem>();
  readonly proposals = new Map<string, ModelProposal>();
  readonly law = new Law();
  readonly trade = new Trade();
  readonly cover = new Cover();
  readonly reviews = new ModelReviews((payout) => ['failed', 'returned'].includes(this.payouts.get(payout)?.state ?? ''));
  readonly outside = new Outside();
  /** Where more is available than before. */
  credited = new Set<string>();
  readonly past = new Map<string, Given & { result: string; date: string; at: number; batch: number; corrected: boolean }>();
  /** What is decided together cannot be corrected by its own batch. */
  batch = 0;
  now = 0;
  readonly nextWorkingDay: (date: string) => string;
  /** Of the mandate that covers the instruction at hand: counted when it is posted. */
  mandateUse: { mandate: string; amount: bigint } | undefined;
  /** Staff gives what a customer wants who stands at the counter. */
  owner: Owner = 'out';
  /** The instruction at hand. */
  given: Given | undefined;
  /** The instruction that is being undone: its limits are given back, if it is still its day. */
  undoing: string | undefined;
  /** The payout whose result is being posted: if it was under way, room was kept for it. */
  payoutAtHand: ModelPayout | undefined;
  abstract readonly escrows: Escrows;
  abstract readonly lending: Lending;
  abstract readonly funds: Funds;

  constructor(nextWorkingDay: (date: string) => string) {
    this.nextWorkingDay = nextWorkingDay;
  }

  /** Money that is told of now stands at the bank today or, where the books are ahead, on their date. */
  arrival(at: ModelPlatform): string {
    const today = new Date(this.now + 8 * 3_600_000).toISOString().slice(0, 10);
    return today > at.date ? today : at.date;
  }

  openAccount(id: string, platform: string, type: string, bound: boolean): void {
    this.accounts.set(id, {
      platform,
      type,
      bound,
      state: 'open',
      balance: 0n,
      held: 0n,
      claims: [],
      uncleared: new Map(),
      owed: new Map(),
    });
  }

  platform(id: string): ModelPlatform {
    return found(this.platforms.get(id), 'no such platform');
  }

  get atHand(): Given {
    return found(this.given, 'nothing is at hand');
  }

  /** Checks all, then moves all. What is not given to an account leaves custody, what is not taken from one comes in. */
  move(at: ModelPlatform, takes: readonly Take[], gives: readonly Give[]): void {
    const custody = this.account(at.own.custody);
    const incoming = sum(gives.map((give) => give.amount)) - sum(takes.map((take) => take.amount));
    refuseIf(incoming - custody.balance > BOOKS_MAX, 'BALANCE_OVERFLOW');
    this.pass(takes, gives);
    for (const take of takes) this.mayTake(take);
    for (const give of gives) refuseIf(this.account(give.to).state === 'closed', 'ACCOUNT_CLOSED');
    const leaves = incoming < 0n || gives.some(({ to }) => this.account(to).type === 'in-transit');
    refuseIf(leaves && this.owedLeaves(takes, gives), 'FUNDS_UNCLEARED');
    this.look(takes, gives);
    for (const passing of this.passings(takes, gives)) this.law.made(passing, this.atHand.id, this.now);
    custody.balance -= incoming;
    const carried = takes.flatMap((take) => drawn(this.account(take.from), take, leaves));
    for (const give of gives) {
      this.credited.add(give.to);
      const { to, clears } = give;
      const dated = clears === undefined ? give : { ...give, clears: this.dueOn(to, clears, at.date) };
      arrives(this.account(to), dated, carried);
    }
  }

  /** What a seller earns may leave when his agreement says so; all else on the day on which it clears. */
  dueOn(to: string, clears: string, today: string): string {
    if (this.account(to).type !== 'sub' || !INCOME.includes(this.atHand.kind)) return clears;
    const cameIn = this.nextWorkingDay(today) === clears ? today : dayBefore(clears);
    return dueOn(this.trade.paying(to, today), cameIn, this.nextWorkingDay);
  }

  /** What a channel owes does not leave: whether these moves would take it along. */
  owedLeaves(takes: readonly Take[], gives: readonly Give[]): boolean {
    const copy = (id: string): ModelAccount => {
      const { uncleared, owed, ...of } = this.account(id);
      return { ...of, uncleared: new Map(uncleared), owed: new Map(owed) };
    };
    const carried = takes.flatMap((take) => drawn(copy(take.from), take, true));
    for (const give of gives) arrives(copy(give.to), give, carried);
    return carried.some((lot) => lot.owed && lot.left > 0n);
  }

  /** People may have to look at it first: then its money is held, and nothing moves. */
  look(takes: readonly Take[], gives: readonly Give[]): void {
    const { platform } = this.account((takes[0]?.from ?? gives[0]?.to) as string);
    const typeOf = (id: string) => this.account(id).type;
    const given = this.atHand;
    const leaves = gives.some(({ to }) => typeOf(to) === 'in-transit');
    const order = this.orders.get(`${platform}/${given.data.orderNo}`);
    const outside = leaves ? this.outside.payee(given, order, typeOf) : undefined;
    const moving = { id: given.id, platform, kind: given.kind, takes, gives, outside, typeOf, now: this.now };
    const review = this.reviews.asks(moving);
    if (review === 'overtaken') throw new No('REVIEW_OVERTAKEN');
    if (review === undefined) {
      this.reviews.moved(moving);
      return;
    }
    for (const { from, amount } of review.held) this.account(from).held += amount;
    throw new Waits();
  }

  /** The law looks at every movement of an electronic account before the money is looked at. */
  pass(takes: readonly Take[], gives: readonly Give[]): void {
    for (const passing of this.passings(takes, gives)) {
      const code = this.law.forbids(passing, this.owner, this.now);
      if (code !== undefined) throw new No(code);
    }
  }

  passings(takes: readonly Take[], gives: readonly Give[]) {
    const undone = this.undoing === undefined ? undefined : { undoes: this.undoing };
    return [
      ...takes.map(({ from, amount, flow }) => ({ account: from, amount: -amount, flow: undone ?? flow ?? 'unbound' })),
      ...gives.map(({ to, amount, flow }) => ({ account: to, amount, flow: undone ?? flow ?? 'unbound' })),
    ].map((passing) => ({ ...passing, ...this.standOf(passing.account, passing.amount) }) as const);
  }

  underWay(account: string): bigint {
    const has = (payout: ModelPayout) => payout.source === account && UNDER_WAY.includes(payout.state);
    return sum([...this.payouts.values()].filter(has).map(({ amount }) => amount));
  }

  standOf(account: string, amount: bigint): Pick<Passing, 'balanceAfter' | 'underWay' | 'frozen'> {
    const { balance, state } = this.account(account);
    const kept = this.payoutAtHand !== undefined && UNDER_WAY.includes(this.payoutAtHand.state);
    return { balanceAfter: balance + amount, underWay: kept ? 0n : this.underWay(account), frozen: state === 'frozen' };
  }

  mayTake({ from, amount, how, freed = 0n, claim }: Take): void {
    const account = this.account(from);
    refuseIf(account.state === 'closed', 'ACCOUNT_CLOSED');
    refuseIf(account.state === 'frozen' && claim !== 'court', 'ACCOUNT_FROZEN');
    const there = claim === undefined ? account.balance - reservedOf(account) + freed : frozenOf(account);
    refuseIf(amount > there, 'FUNDS_INSUFFICIENT');
    const uncleared = sum(account.uncleared.values());
    const reserved = claim === undefined ? reservedOf(account) : account.held;
    const kept = uncleared > reserved ? uncleared : reserved;
    refuseIf(how === 'cleared-only' && amount > account.balance - kept, 'FUNDS_UNCLEARED');
  }

  /** Where agreements are required nobody is paid, or owes a fee, who has none. */
  needsAgreement(to: string, at: ModelPlatform): void {
    if (!at.agreed || this.account(to).type !== 'sub') return;
    const no = this.trade.lacksAgreement(to, at.date);
    if (no !== undefined) throw new No(no);
  }

  /** His own word for exactly this, or his standing one. */
  willed(
    given: Given,
    debit: { account: string; amount: bigint; payee?: string; order?: string; project?: string; fund?: string },
  ): void {
    if (!this.law.accounts.has(debit.account)) return;
    const { mandate, voucher } = given.data as Partial<Data>;
    if (given.origin === 'O') {
      const { order, fund, project } = debit;
      const toHimself = order === undefined && fund === undefined && (debit.payee ?? debit.account) === debit.account;
      refuseIf(!(toHimself || project !== undefined) || voucher === undefined, 'VOUCHER_MISSING');
      return;
    }
    refuseIf(voucher !== undefined, 'VOUCHER_NOT_ALLOWED');
    if (mandate === undefined) {
      const answer = given.answer ?? 'unasked';
      if (answer !== 'yes') throw new No(ANSWERS[answer]);
      return;
    }
    const code = this.law.uncovered(bare(mandate), { platform: given.platform, kind: given.kind, ...debit }, this.now);
    if (code !== undefined) throw new No(code);
    this.mandateUse = { mandate: bare(mandate), amount: debit.amount };
  }

  makePayout(given: Given, of: Pick<ModelPayout, 'source' | 'order' | 'amount' | 'freeze' | 'fee'>): void {
    this.payouts.set(given.id, {
      platform: given.platform,
      state: 'created',
      collects: given.kind === 'top-up',
      closes: given.kind === 'account-closing',
      ...of,
    });
  }

  account(id: string | undefined): ModelAccount {
    return found(this.accounts.get(id ?? ''), `no account ${id}`);
  }

  mine(given: Given, wire: string): ModelAccount {
    const account = this.accounts.get(bare(wire));
    if (account?.platform !== given.platform) throw new No('ACCOUNT_NOT_FOUND');
    return account;
  }

  order(given: Given, data: Data): ModelOrder {
    const order = this.orders.get(`${given.platform}/${data.orderNo}`);
    if (order === undefined) throw new No('ORDER_NOT_FOUND');
    return order;
  }

  share(order: ModelOrder, receiver: string) {
    const key = `${order.account}/${receiver}`;
    const share = this.shares.get(key) ?? { split: 0n, returned: 0n };
    this.shares.set(key, share);
    return share;
  }

  hold(given: Given, data: Data): ModelHold {
    const hold = this.holds.get(bare(data.hold));
    if (hold?.platform !== given.platform) throw new No('HOLD_NOT_FOUND');
    refuseIf(hold.left === 0n, 'HOLD_ENDED');
    return hold;
  }

  payout(given: Given, data: Data, from: readonly string[]): ModelPayout {
    const payout = this.payouts.get(bare(data.payout));
    if (payout?.platform !== given.platform) throw new No('PAYOUT_NOT_FOUND');
    refuseIf(!from.includes(payout.state), 'PAYOUT_STATE_CONFLICT');
    return payout;
  }
}
