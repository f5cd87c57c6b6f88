/**
 * A bank in plain maps, written from the rules of the house and not from its code, so that the two can be held against each
 * other. It is slow and simple on purpose. Ids are bare digits, amounts minor units, times milliseconds; credit is positive.
 */

import type { Data, Given } from '../given.js';
import { gotOf, leftOf, type ModelBackground, proportionally, splitItems, Trade } from './agreements.js';
import {
  arrives,
  bare,
  cameIn,
  claimedOf,
  dayAfter,
  dayBefore,
  drawn,
  found,
  frozenOf,
  type Give,
  heldBy,
  inTransit,
  largestTakeFirst,
  linesOf,
  type ModelAccount,
  type ModelClaim,
  type ModelDispute,
  type ModelFreeze,
  type ModelHold,
  type ModelItem,
  type ModelOrder,
  type ModelPayout,
  type ModelPlatform,
  type ModelProposal,
  minor,
  No,
  refuseIf,
  reservedOf,
  subsidyBack,
  sum,
  suspenseOf,
  type Take,
  UNDER_WAY,
  Waits,
  withinTerms,
} from './books.js';
import { ClaimTrade, isForbiddenBy } from './claims.js';
import { offRule } from './deviation.js';
import { type EscrowHands, Escrows } from './escrow.js';
import { type FundHands, Funds } from './funds.js';
import {
  byAccount,
  refundableOf,
  refundedAsNamed,
  refundedByItself,
  type TakenOfItems,
  takeBack,
  takenAsNamed,
  takenOf,
} from './items.js';
import { type Flow, Law, type Owner, type Passing, type Person, type Wanted } from './law.js';
import { Lending, type LendingHands, type ModelModes } from './lending.js';
import { boundPayer, Outside, ownPayer } from './outside.js';
import { costOf, dueOn } from './paying.js';
import { Cover, inProportion, type ModelDiversion } from './refunds.js';
import { ModelReviews } from './reviews.js';
import { beginsSomething, WindDowns } from './winding-up.js';

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
const PAY_IN = ['anyone', 'own-account', 'nobody'];
const OWN = ['own-funds', 'commission', 'marketing', 'fees'];
/** Of the platform's own what is there for one purpose. */
const SET_ASIDE = ['reserve', 'advance'];
const BOOKS_MAX = 2n ** 53n - 1n;

export class Model {
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
  readonly escrows = new Escrows(this.#hands());
  readonly lending = new Lending(this.#lendingHands());
  readonly funds: Funds;
  readonly #trade = new ClaimTrade(this.lending, this.#lendingHands());
  readonly reviews = new ModelReviews((payout) => ['failed', 'returned'].includes(this.payouts.get(payout)?.state ?? ''));
  readonly outside = new Outside();
  readonly windDowns = new WindDowns(this);
  /** Where more is available than before. */
  #credited = new Set<string>();
  readonly past = new Map<string, Given & { result: string; date: string; at: number; batch: number; corrected: boolean }>();
  /** What is decided together cannot be corrected by its own batch. */
  batch = 0;
  now = 0;
  readonly #nextWorkingDay: (date: string) => string;

  constructor(nextWorkingDay: (date: string) => string) {
    this.#nextWorkingDay = nextWorkingDay;
    this.funds = new Funds(this.#fundHands(), nextWorkingDay);
  }

  /** Money that is told of now stands at the bank today or, where the books are ahead, on their date. */
  #arrival(at: ModelPlatform): string {
    const today = new Date(this.now + 8 * 3_600_000).toISOString().slice(0, 10);
    return today > at.date ? today : at.date;
  }

  openPlatform(id: string, date: string, own: Readonly<Record<string, string>>, profile = 'marketplace'): void {
    this.platforms.set(id, { date, transferMax: 0n, feeMax: 0n, own, profile, agreed: false });
    for (const [type, account] of Object.entries(own)) this.openAccount(account, id, type, OWN.includes(type));
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

  /** @param opened its accounts for what is set aside, where it has them */
  agreeModes(
    platform: string,
    modes: Omit<ModelModes, 'advanceAccount' | 'reserveAccount'>,
    opened: { advance: string | undefined; reserve: string | undefined },
  ): void {
    for (const [type, id] of Object.entries(opened))
      if (id !== undefined && !this.accounts.has(id)) this.openAccount(id, platform, type, false);
    this.lending.agree(platform, modes, { advanceAccount: opened.advance, reserveAccount: opened.reserve });
  }

  openCustomer(id: string, idExpires: string | undefined): void {
    this.law.customers.set(id, { stopped: false, idExpires, taskDue: undefined, documented: false });
  }

  /** @param customer his id if he becomes one now */
  register(platform: string, person: Person, customer: string): { result: string; customer?: string } {
    const code = this.law.unfit(person, this.now);
    if (code !== undefined) return { result: code };
    const known = this.law.persons.get(person.name);
    if (known === undefined) this.openCustomer(customer, person.idExpires);
    this.law.persons.set(person.name, known ?? { customer, mobile: person.mobile });
    this.law.users.add(`${platform}/${person.name}`);
    return { result: 'verified', customer: known?.customer ?? customer };
  }

  /** @param account its id if it is opened */
  openOn(platform: string, wanted: Wanted, account: string): { result: string; account?: string } {
    const { profile } = this.platform(platform);
    const code = this.law.unbindable({ id: platform, profile }, wanted, this.now);
    if (code !== undefined) return { result: code };
    const customer = this.law.persons.get(wanted.person)?.customer ?? '';
    this.openElectronic(account, { platform, customer, class: wanted.class, faceToFace: false });
    return { result: 'opened', account };
  }

  openElectronic(id: string, of: { platform: string; customer: string; class: 2 | 3; faceToFace: boolean }): void {
    this.openAccount(id, of.platform, `class-${of.class}`, true);
    const today = new Date(this.now + 8 * 3_600_000).toISOString().slice(0, 10);
    this.law.accounts.set(id, {
      ...of,
      state: 'active',
      idleSince: this.now,
      funded: false,
      moved: [],
      interestFrom: today,
      dayEnds: new Map(),
    });
  }

  openDate(platform: string, date: string): void {
    for (const [id, { platform: of, dayEnds }] of this.law.accounts) {
      if (of === platform) dayEnds.set(this.platform(platform).date, this.#account(id).balance);
    }
    this.platform(platform).date = date;
    for (const account of this.accounts.values()) {
      if (account.platform !== platform) continue;
      for (const lots of [account.uncleared, account.owed]) for (const due of lots.keys()) if (due <= date) lots.delete(due);
    }
  }

  platform(id: string): ModelPlatform {
    return found(this.platforms.get(id), 'no such platform');
  }

  /** What is decided together begins; answers `end`, at which refunds that wait are tried, as they are after a batch. */
  begin(): { readonly end: () => void } {
    this.batch += 1;
    this.#credited.clear();
    return { end: () => this.#tryWaiting() };
  }

  /** 'posted', or the code of the refusal, which changes nothing. */
  decide(given: Given): string {
    const result = this.#try(given);
    const { date } = this.platform(given.platform);
    this.past.set(given.id, { ...given, result, date, at: this.now, batch: this.batch, corrected: false });
    return result;
  }

  /** Refunds that wait are tried when an account that they look at is credited, oldest first, until nothing helps any more. */
  #tryWaiting(): void {
    while (this.#credited.size > 0) {
      const credited = this.#credited;
      this.#credited = new Set();
      const woken = [...this.cover.waiting.values()].filter((one) => one.looksAt.some((id) => credited.has(id)));
      for (const one of woken.sort((a, b) => (a.id < b.id ? -1 : 1))) this.decide(this.past.get(one.id) as Given);
    }
  }

  cancel(id: string): void {
    const past = found(this.past.get(id), `nothing was given as ${id}`);
    this.past.set(id, { ...past, result: 'REFUND_CANCELLED' });
    this.#endWaiting(id);
    this.#tryWaiting();
  }

  setCeiling(platform: string, ceiling: bigint): void {
    this.cover.ceilings.set(platform, ceiling);
    for (const one of this.cover.waiting.values()) if (one.platform === platform) this.#credited.add(one.order);
    this.#tryWaiting();
  }

  #endWaiting(id: string): void {
    for (const account of this.cover.waiting.get(id)?.looksAt ?? []) this.#credited.add(account);
    this.cover.waiting.delete(id);
  }

  /** Of the mandate that covers the instruction at hand: counted when it is posted. */
  #use: { mandate: string; amount: bigint } | undefined;

  /** Staff gives what a customer wants who stands at the counter. */
  #owner: Owner = 'out';

  /** The instruction at hand. */
  #given: Given | undefined;

  get #now(): Given {
    return found(this.#given, 'nothing is at hand');
  }

  #try(given: Given): string {
    this.#given = given;
    this.reviews.deviating.delete(given.id);
    this.#owner = given.origin === 'O' ? 'counter' : 'out';
    this.#use = undefined;
    this.#result = undefined;
    try {
      const { profile, ending } = this.platform(given.platform);
      refuseIf(isForbiddenBy(profile, given), 'PROFILE_FORBIDS');
      refuseIf(ending === true && beginsSomething(given), 'WINDING_UP');
      refuseIf(this.escrows.binds(given), 'ESCROW_BOUND');
      const rules = [this.#rules, this.escrows.rules, this.lending.rules, this.#trade.rules, this.funds.rules];
      const rule = rules.map((each) => each[given.kind]).find((each) => each !== undefined);
      found(rule, `no kind ${given.kind}`)(given, given.data as Data, this.platform(given.platform));
      this.#countUse();
      this.#endWaiting(given.id);
      return 'posted';
    } catch (no) {
      this.accounts.delete(given.id); // it is not posted: what it was about to open is not there
      if (no instanceof Waits) return 'undecided';
      if (no instanceof No) {
        this.#endWaiting(given.id);
        return no.code;
      }
      throw no;
    }
  }

  /** What funds use of this bank. */
  #fundHands(): FundHands {
    const at = (given: Given) => this.platform(given.platform);
    return {
      now: () => this.now,
      parameter: (name) => this.law.value(name, this.now),
      owner: (account) => this.law.accounts.get(account)?.customer ?? '',
      orderer: (given, wire) => {
        this.#mine(given, wire);
        refuseIf(!this.law.accounts.has(bare(wire)), 'ACCOUNT_TYPE_NOT_ALLOWED');
        return bare(wire);
      },
      mayAct: (id) => {
        const account = this.law.accounts.get(id);
        const standing = account && this.law.standing(account, this.#owner, this.now);
        if (standing !== undefined) throw new No(standing);
        refuseIf(this.#account(id).state === 'frozen', 'ACCOUNT_FROZEN');
      },
      opens: (id, platform, type) => this.openAccount(id, platform, type, false),
      forget: (id) => void this.accounts.delete(id),
      balance: (id) => {
        const account = this.#account(id);
        return { balance: account.balance, there: account.balance - reservedOf(account) };
      },
      pass: (takes, gives) => this.#pass(takes, gives),
      willed: (given, of) => this.#willed(given, of),
      move: (given, takes, gives) => this.#move(at(given), takes, gives),
      clears: (given) => this.#nextWorkingDay(this.#arrival(at(given))),
      inTransit: (given) => inTransit(at(given)),
      payOut: (given, source, amount) => this.#makePayout(given, { source, order: undefined, amount }),
      pays: (given, take, before) => this.#pays(given, given.data as Data, at(given), { take, before }),
    };
  }

  /** What deals use of this bank. */
  #hands(): EscrowHands {
    const at = (given: Given) => this.platform(given.platform);
    const opened = (given: Given, orderNo: string, of: Pick<ModelOrder, 'payerAccount' | 'payer'>): ModelOrder => {
      const order = this.orders.get(`${given.platform}/${orderNo}`);
      refuseIf(
        order !== undefined && (order.payer !== of.payer || order.payerAccount !== of.payerAccount),
        'ORDER_PAYER_DIFFERS',
      );
      const counters = { paid: 0n, split: 0n, returned: 0n, refunded: 0n, subsidised: 0n, subsidyReturned: 0n };
      return order ?? { account: given.id, ...of, refundable: true, ...counters, came: '' };
    };
    const kept = (given: Given, orderNo: string, order: ModelOrder, amount: bigint) => {
      this.orders.set(`${given.platform}/${orderNo}`, order);
      order.paid += amount;
      order.came = this.#arrival(at(given));
    };
    const withAccount = (given: Given, order: ModelOrder) => {
      if (order.account === given.id) this.openAccount(given.id, given.platform, 'escrow', false);
    };
    return {
      now: () => this.now,
      no: (code) => {
        throw new No(code);
      },
      order: (given, orderNo) => this.orders.get(`${given.platform}/${orderNo}`),
      free: (account) => {
        const of = this.#account(account);
        return { claimed: claimedOf(of), there: of.balance - reservedOf(of) };
      },
      fundOutside: (given, orderNo) => {
        const { payer, amount } = given.data as Data;
        const order = opened(given, orderNo, {
          payerAccount: undefined,
          payer: [payer.name, payer.account, payer.bankCode ?? ''].join('|'),
        });
        withAccount(given, order);
        this.#move(at(given), [], [{ to: order.account, amount: minor(amount) }]);
        kept(given, orderNo, order, minor(amount));
      },
      isMerchant: (account) => this.#account(account).type === 'sub',
      isEnding: (account) =>
        this.accounts.get(account)?.state === 'closed' || this.law.accounts.get(account)?.state === 'closing',
      isCommission: (platform, account) => this.platform(platform).own.commission === account,
      lacksAgreement: (platform, account) => {
        const { agreed, date } = this.platform(platform);
        return agreed && this.accounts.get(account)?.type === 'sub' ? this.trade.lacksAgreement(account, date) : undefined;
      },
      checkFrom: (given) => {
        const { type } = this.#mine(given, (given.data as Data).from);
        refuseIf(!['sub', 'class-2', 'class-3'].includes(type), 'ACCOUNT_TYPE_NOT_ALLOWED');
      },
      fundInside: (given, orderNo) => {
        const data = given.data as Data;
        const from = bare(data.from);
        const order = opened(given, orderNo, { payerAccount: from, payer: '' });
        const take: Take = { from, amount: minor(data.amount), how: 'uncleared-first', flow: 'unbound' };
        this.#pass([take], []);
        this.#willed(given, { account: from, amount: take.amount, order: orderNo });
        this.#mayTake(take);
        withAccount(given, order);
        this.#move(at(given), [take], [{ to: order.account, amount: take.amount }]);
        kept(given, orderNo, order, take.amount);
      },
      release: (given, { takes, gives, shares }) => {
        if (takes.length === 0) return;
        const orders = takes.map(({ orderNo, amount }) => ({ order: found(this.orders.get(orderNo), 'no order'), amount }));
        const last = orders.reduce((date, { order }) => (order.came > date ? order.came : date), at(given).date);
        const clears = this.#nextWorkingDay(last);
        const all = [...gives].map(([to, amount]): Give => ({ to, amount, clears, flow: 'unbound' }));
        this.#move(
          at(given),
          orders.map(({ order, amount }) => ({ from: order.account, amount })),
          this.#afterDebts(given, all, at(given)),
        );
        for (const { order, amount } of orders) order.split += amount;
        for (const [orderNo, to, amount] of shares) this.#share(found(this.orders.get(orderNo), 'no order'), to).split += amount;
      },
      refund: (given, orderNo, amount) => {
        const order = found(this.orders.get(`${given.platform}/${orderNo}`), 'no order');
        const { payerAccount: to } = order;
        const within = to !== undefined && this.#account(to).state !== 'closed' && this.law.accounts.get(to)?.state !== 'closed';
        const clears = this.#nextWorkingDay(order.came > at(given).date ? order.came : at(given).date);
        const give = within ? { to, amount, clears, flow: 'exempt' as const } : { to: inTransit(at(given)), amount };
        this.#move(at(given), [{ from: order.account, amount }], [give]);
        order.refunded += amount;
        if (!within) this.#makePayout(given, { source: order.account, order, amount });
      },
    };
  }

  /** What lending uses of this bank. */
  #lendingHands(): LendingHands {
    const flow = (): Flow => (this.law.value('class-2.lending-counted', this.now) === 1n ? 'unbound' : 'product');
    const out = (code: string | undefined) => {
      if (code !== undefined) throw new No(code);
    };
    return {
      now: () => this.now,
      no: (code) => {
        throw new No(code);
      },
      date: (platform) => this.platform(platform).date,
      profile: (platform) => this.platform(platform).profile,
      ending: (platform) => this.platform(platform).ending === true,
      own: (platform, purpose) => this.platform(platform).own[purpose] as string,
      value: (parameter) => this.law.value(parameter, this.now),
      type: (platform, id) => {
        const account = this.accounts.get(id);
        const gone =
          account?.platform !== platform || account.state === 'closed' || this.law.accounts.get(id)?.state === 'closing';
        return gone ? undefined : account?.type;
      },
      owner: (account) => this.law.accounts.get(account)?.customer ?? account,
      free: (account) => this.#account(account).balance - reservedOf(this.#account(account)),
      mayAct: (account) => {
        const electronic = this.law.accounts.get(account);
        if (electronic === undefined) return;
        out(this.law.standing(electronic, this.#owner, this.now));
        refuseIf(this.#account(account).state === 'frozen', 'ACCOUNT_FROZEN');
      },
      mayLeave: (account, amount) => {
        const passing = { account, amount: -amount, flow: flow(), ...this.#standOf(account, -amount) };
        out(this.law.forbids(passing, this.#owner, this.now));
      },
      willed: (given, of) => this.#willed(given, of),
      hold: (account, amount) => {
        this.#account(account).held += amount;
        if (amount < 0n) this.#credited.add(account);
      },
      move: (given, takes, gives, will) => {
        const all = takes.map((take): Take => ({ ...take, how: 'uncleared-first', flow: flow() }));
        const to = gives.map((give): Give => ({ ...give, inherits: true, flow: flow() }));
        this.#pass(all, to);
        if (will !== undefined) this.#willed(given, will);
        this.#move(this.platform(given.platform), all, to);
      },
      frozen: (account) => this.#account(account).state === 'frozen',
      passes: (id) => {
        const account = this.#account(id);
        refuseIf(account.state === 'frozen' || claimedOf(account) > account.balance - account.held, 'ACCOUNT_FROZEN');
      },
    };
  }

  /** A payment from an electronic account; out of the pot with money that passes through it. */
  #pays(
    given: Given,
    data: Data,
    at: ModelPlatform,
    pot: { readonly take: Take; readonly before: () => void } | undefined,
  ): void {
    const from = bare(data.from);
    this.#mine(given, data.from);
    refuseIf(!this.law.accounts.has(from), 'ACCOUNT_TYPE_NOT_ALLOWED');
    const amount = minor(data.amount);
    const take: Take =
      pot === undefined ? { from, amount, how: 'uncleared-first', flow: 'unbound' } : { ...pot.take, through: from };
    const to = data.to as { orderNo: string } | { account: string };
    const passes = () => {
      if (pot === undefined) this.#pass([take], []);
      else this.#through(from, amount);
    };
    if ('account' in to) {
      refuseIf(this.#mine(given, to.account).type !== 'sub', 'ACCOUNT_TYPE_NOT_ALLOWED');
      refuseIf(at.agreed, 'BACKGROUND_MISSING');
      pot?.before();
      passes();
      this.#willed(given, { account: from, amount, payee: bare(to.account) });
      this.#move(at, [take], this.#afterDebts(given, [{ to: bare(to.account), amount, inherits: true }], at));
      if (pot !== undefined) this.#passedThrough(from, amount);
      return;
    }
    const key = `${given.platform}/${to.orderNo}`;
    const counters = { paid: 0n, split: 0n, returned: 0n, refunded: 0n, subsidised: 0n, subsidyReturned: 0n };
    const order: ModelOrder = this.orders.get(key) ?? {
      ...{ account: given.id, payerAccount: from, payer: '', refundable: true, ...counters, came: '' },
    };
    refuseIf(order.payerAccount !== from, 'ORDER_PAYER_DIFFERS');
    const keep = this.#backed(given, data, this.orders.get(key), at);
    refuseIf(order.paid + amount > BOOKS_MAX, 'BALANCE_OVERFLOW');
    pot?.before();
    passes();
    this.#willed(given, { account: from, amount, order: to.orderNo });
    this.#mayTake(take);
    if (!this.orders.has(key)) this.openAccount(given.id, given.platform, 'order', false);
    this.orders.set(key, order);
    this.#move(at, [take], [{ to: order.account, amount }]);
    order.paid += amount;
    order.came = this.#arrival(at);
    keep(order);
    if (pot !== undefined) this.#passedThrough(from, amount);
  }

  /** Money that comes to an account and leaves it at once: it counts on both sides, and those who lay claim to the account come first. */
  #through(account: string, amount: bigint): void {
    const of = this.#account(account);
    const free = of.balance + amount - of.held;
    const claimed = claimedOf(of) < free ? claimedOf(of) : free;
    refuseIf(free - claimed < amount, 'FUNDS_INSUFFICIENT');
    this.#pass([], [{ to: account, amount, flow: 'product' }]);
    this.#pass([{ from: account, amount, flow: 'unbound' }], []);
  }

  #passedThrough(account: string, amount: bigint): void {
    for (const [part, flow] of [[amount, 'product'] as const, [-amount, 'unbound'] as const])
      this.law.made({ account, amount: part, flow, ...this.#standOf(account, part) }, this.#now.id, this.now);
  }

  #countUse(): void {
    const use = this.#use;
    if (use !== undefined) this.law.mandates.get(use.mandate)?.uses.push({ at: this.now, amount: use.amount });
  }

  readonly #rules: Record<string, (given: Given, data: Data, at: ModelPlatform) => void> = {
    'combined-payment': (given, data, at) => {
      const { orders } = data;
      refuseIf(sum(orders.map((order) => minor(order.amount))) !== minor(data.amount), 'COMBINED_TOTAL_DIFFERS');
      const before = this.trade.turnedOver();
      const checked: (() => void)[] = [];
      try {
        orders.forEach((order, place) => {
          const id = String(BigInt(given.id) + BigInt(place));
          checked.push(this.#paidFor(given, { ...data, ...order }, at, id));
        });
      } catch (no) {
        this.trade.turnBack(before);
        throw no;
      }
      refuseIf(minor(data.amount) - this.#account(at.own.custody).balance > BOOKS_MAX, 'BALANCE_OVERFLOW');
      for (const pay of checked) pay();
    },

    payment: (given, data, at) => {
      this.#paidFor(given, data, at, given.id)();
    },

    split: (given, data, at) => {
      const order = this.#order(given, data);
      const lines = data.lines ?? [];
      refuseIf(new Set(lines.map((line) => line.account)).size < lines.length, 'RECEIVER_REPEATED');
      const named = new Map(lines.map((line) => [bare(line.account), minor(line.amount)]));
      if (order.background === undefined) {
        refuseIf(data.lines === undefined, 'LINES_MISSING');
        this.#splitTo(given, order, named, at);
        return;
      }
      const told = data.lines === undefined ? undefined : named;
      const { shares, keep } = this.#agreed(given, order, order.background, data.items, told);
      this.#splitTo(given, order, shares, at);
      keep();
    },

    'order-complete': (given, data, at) => {
      const order = this.#order(given, data);
      if (order.background === undefined) throw new No('BACKGROUND_MISSING');
      const { background } = order;
      const room = this.#account(order.account).balance;
      const open = background.items.filter((item) => leftOf(item) > 0n);
      const lefts = open.map(leftOf);
      const parts = sum(lefts) <= room ? lefts : proportionally(room, lefts);
      const asked = open.map(({ no }, place) => ({ item: no, amount: { amount: Number(parts[place]) } }));
      const { shares, keep } = this.#agreed(
        given,
        order,
        background,
        asked.filter(({ amount }) => amount.amount > 0),
      );
      const rest = room - sum(shares.values());
      const [seller, another] = new Set(background.items.map((item) => item.seller));
      const goods = sum(background.items.map(({ whole }) => whole));
      const isTaken = background.items.every(({ agreement: { orderMax } }) => orderMax === undefined || goods + rest <= orderMax);
      if (rest > 0n && seller !== undefined && another === undefined && isTaken)
        shares.set(seller, (shares.get(seller) ?? 0n) + rest);
      this.#splitTo(given, order, shares, at);
      keep();
      background.completed = true;
    },

    'split-return': (given, data, at) => {
      const order = this.#order(given, data);
      refuseIf(new Set(data.lines.map((line) => line.account)).size < data.lines.length, 'RECEIVER_REPEATED');
      for (const line of data.lines) this.#mine(given, line.account);
      const lines = new Map(data.lines.map((line) => [bare(line.account), minor(line.amount)]));
      const taken = this.#takenOf(order, lines);
      this.#unsplit(order, data.lines, at);
      takeBack(order.background?.items ?? [], given.id, taken);
    },

    subsidy: (given, data, at) => {
      const order = this.#order(given, data);
      refuseIf(order.background?.completed === true, 'ORDER_COMPLETED');
      const amount = minor(data.amount);
      const worth = order.background?.items.map(refundableOf);
      refuseIf(worth !== undefined && cameIn(order) + amount > sum(worth), 'SUBSIDY_NOT_NEEDED');
      refuseIf(order.paid + order.subsidised + amount > BOOKS_MAX, 'BALANCE_OVERFLOW');
      const marketing = at.own.marketing as string;
      const isYoung = sum(this.#account(marketing).uncleared.values()) > 0n;
      this.#move(at, [{ from: marketing, amount }], [{ to: order.account, amount }]);
      order.subsidised += amount;
      if (isYoung) order.came = this.#arrival(at);
    },

    'subsidy-return': (given, data, at) => {
      const order = this.#order(given, data);
      const amount = minor(data.amount);
      refuseIf(amount > order.subsidised - order.subsidyReturned, 'SUBSIDY_EXCEEDED');
      refuseIf(amount > this.#account(order.account).balance, 'SUBSIDY_EXCEEDED');
      this.#withinCap(order, cameIn(order) - amount);
      const clears = this.#nextWorkingDay(order.came > at.date ? order.came : at.date);
      this.#move(at, [{ from: order.account, amount }], [{ to: at.own.marketing as string, amount, clears }]);
      order.subsidyReturned += amount;
    },

    refund: (given, data, at) => {
      const order = this.#order(given, data);
      const amount = minor(data.amount);
      const there = this.#account(order.account).balance;
      const spokenFor = this.cover.before(given.id, order.account);
      const recall = data.recall as Data['recall'] | undefined;
      refuseIf(amount > order.paid - order.refunded - spokenFor, 'REFUND_EXCEEDS_ORDER');
      const toPlatform = subsidyBack(order, amount, data.subsidy);
      const total = amount + toPlatform;
      refuseIf(recall === undefined && total > there, 'REFUND_EXCEEDS_ORDER');
      const { lines, recalled, keep, capped } = this.#refunding(given, data, order, total);
      const within = order.payerAccount !== undefined && this.law.accounts.get(order.payerAccount)?.state !== 'closed';
      refuseIf(recall !== undefined && this.#account(order.account).state === 'frozen', 'ACCOUNT_FROZEN');
      capped();
      refuseIf(!within && !order.refundable, 'REFUND_ACCOUNT_MISSING');
      const nobody = { takes: [], advanced: new Map<string, bigint>() };
      const covered = recall === undefined ? nobody : this.#covered(given, order, { amount, ofOrder: total - recalled }, lines);
      const takes: Take[] = [
        ...(total > recalled ? [{ from: order.account, amount: total - recalled }] : []),
        ...covered.takes.map((take) => ({ ...take, how: 'uncleared-first' as const })),
      ];
      const isYoung = covered.takes.some(({ from }) => sum(this.#account(from).uncleared.values()) > 0n);
      const came = isYoung ? this.#arrival(at) : order.came;
      const clears = this.#nextWorkingDay(came > at.date ? came : at.date);
      const give = within
        ? { to: order.payerAccount as string, amount, clears, flow: 'exempt' as const }
        : { to: inTransit(at), amount };
      const back = toPlatform > 0n ? [{ to: at.own.marketing as string, amount: toPlatform, clears }] : [];
      const before = cameIn(order);
      this.#move(at, takes, [give, ...back]);
      keep(before);
      order.came = came;
      order.returned += recalled;
      order.refunded += amount;
      order.subsidyReturned += toPlatform;
      for (const [id, part] of lines) this.#share(order, id).returned += part;
      for (const [account, part] of covered.advanced)
        this.cover.debts.push({ refund: given.id, account, amount: part, left: part });
      if (!within) this.#makePayout(given, { source: order.account, order, amount });
    },

    'margin-deposit': (given, data, at) => {
      const account = this.#marginMove(given, data, at);
      const amount = minor(data.amount);
      this.#mayTake({ from: account, amount });
      const margin = this.cover.margins.get(account) ?? { account: given.id, target: 0n };
      if (!this.cover.margins.has(account)) this.openAccount(given.id, given.platform, 'margin', false);
      this.#move(at, [{ from: account, amount }], [{ to: margin.account, amount, inherits: true }]);
      this.cover.margins.set(account, margin);
    },

    'margin-release': (given, data, at) => {
      const account = this.#marginMove(given, data, at);
      refuseIf(this.cover.owedBy(account).length > 0, 'MARGIN_NEEDED');
      refuseIf(
        [...this.cover.waiting.values()].some((one) => one.takesFrom.has(account)),
        'MARGIN_NEEDED',
      );
      const margin = this.cover.margins.get(account);
      if (margin === undefined) throw new No('FUNDS_INSUFFICIENT');
      const amount = minor(data.amount);
      this.#move(at, [{ from: margin.account, amount }], [{ to: account, amount, inherits: true }]);
    },

    transfer: (given, data, at) => {
      const from = this.#mine(given, data.from);
      const to = this.#mine(given, data.to as string);
      refuseIf(data.from === data.to, 'SAME_ACCOUNT');
      const amount = minor(data.amount);
      const setAside = [from, to].some(({ type }) => SET_ASIDE.includes(type));
      refuseIf(setAside && ![from, to].some(({ type }) => type === 'own-funds'), 'ACCOUNT_TYPE_NOT_ALLOWED');
      if (!setAside && !(OWN.includes(from.type) && (OWN.includes(to.type) || to.type === 'sub'))) {
        refuseIf(from.type !== 'sub' || to.type !== 'sub', 'ACCOUNT_TYPE_NOT_ALLOWED');
        withinTerms(amount, at.transferMax);
      }
      this.#needsAgreement(bare(data.to as string), at);
      refuseIf(at.profile === 'lending' && given.origin !== 'S' && from.type === 'sub', 'PROFILE_FORBIDS');
      this.#move(at, [{ from: bare(data.from), amount }], [{ to: bare(data.to as string), amount, inherits: true }]);
    },

    hold: (given, data) => {
      const account = this.#mine(given, data.account);
      refuseIf(account.type !== 'sub', 'ACCOUNT_TYPE_NOT_ALLOWED');
      const expires = data.expiresAt === undefined ? undefined : Date.parse(data.expiresAt);
      refuseIf(expires !== undefined && expires <= this.now, 'HOLD_ENDED');
      const amount = minor(data.amount);
      this.#mayTake({ from: bare(data.account), amount });
      account.held += amount;
      this.holds.set(given.id, {
        platform: given.platform,
        account: bare(data.account),
        expires,
        purpose: data.purpose,
        left: amount,
      });
    },

    release: (given, data) => {
      const hold = this.#hold(given, data);
      const asked = data.amount as Data['amount'] | undefined;
      const amount = asked === undefined ? hold.left : minor(asked);
      refuseIf(amount > hold.left, 'CAPTURE_EXCEEDS_HOLD');
      hold.left -= amount;
      this.#account(hold.account).held -= amount;
      this.#credited.add(hold.account);
    },

    capture: (given, data, at) => {
      const hold = this.#hold(given, data);
      refuseIf(hold.expires !== undefined && hold.expires <= this.now, 'HOLD_ENDED');
      refuseIf(this.#mine(given, data.to as string).type !== 'sub', 'ACCOUNT_TYPE_NOT_ALLOWED');
      refuseIf(bare(data.to as string) === hold.account, 'SAME_ACCOUNT');
      const amount = minor(data.amount);
      withinTerms(amount, at.transferMax);
      this.#needsAgreement(bare(data.to as string), at);
      refuseIf(amount > hold.left, 'CAPTURE_EXCEEDS_HOLD');
      this.#move(at, [{ from: hold.account, amount, freed: amount }], [{ to: bare(data.to as string), amount, inherits: true }]);
      hold.left -= amount;
      this.#account(hold.account).held -= amount;
    },

    'bulk-release': (given, data) => {
      const all = [...this.holds].filter(([, hold]) => hold.platform === given.platform && hold.left > 0n);
      const ids = data.holds?.map(bare) ?? all.filter(([, hold]) => hold.purpose === data.purpose).map(([id]) => id);
      refuseIf(new Set(ids).size < ids.length, 'HOLD_REPEATED');
      refuseIf(ids.length > 500, 'HOLDS_TOO_MANY');
      refuseIf(ids.length === 0, 'HOLD_NOT_FOUND');
      const holds = ids.map((hold) => this.#hold(given, { ...data, hold: `hld_${hold}` }));
      for (const hold of holds) {
        this.#account(hold.account).held -= hold.left;
        hold.left = 0n;
        this.#credited.add(hold.account);
      }
    },

    'dispute-open': (given, data) => {
      const order = this.#order(given, data);
      const receiver = data.account === undefined ? undefined : bare(data.account);
      if (data.account !== undefined) this.#mine(given, data.account);
      const deadline = Date.parse(data.expiresAt);
      refuseIf(deadline <= this.now, 'DISPUTE_ENDED');
      const disputed = (id: string) =>
        sum(this.#account(id).claims.map((claim) => (claim.order === order.account ? claim.left : 0n)));
      const atLeastNothing = (amount: bigint) => (amount > 0n ? amount : 0n);
      const onOrder = atLeastNothing(this.#account(order.account).balance - disputed(order.account));
      const share = receiver === undefined ? undefined : this.shares.get(`${order.account}/${receiver}`);
      const got = share === undefined ? 0n : share.split - share.returned;
      const onReceiver = receiver === undefined ? 0n : atLeastNothing(got - disputed(receiver));
      const amount = minor(data.amount);
      refuseIf(amount > onOrder + onReceiver, 'DISPUTE_EXCEEDS_ORDER');
      const first = amount < onOrder ? amount : onOrder;
      for (const [id, left] of [
        [order.account, first],
        [receiver, amount - first],
      ] as const) {
        if (id === undefined || left === 0n) continue;
        refuseIf(this.#account(id).state === 'closed', 'ACCOUNT_CLOSED');
      }
      const claim = { ref: given.id, kind: 'dispute' as const, order: order.account };
      if (first > 0n) this.#account(order.account).claims.push({ ...claim, left: first });
      const on = amount > first ? receiver : undefined;
      if (on !== undefined) this.#account(on).claims.push({ ...claim, left: amount - first });
      this.disputes.set(given.id, {
        platform: given.platform,
        order,
        receiver: on,
        deadline,
        open: true,
        ofBank: given.origin === 'O',
      });
    },

    'dispute-end': (given, data, at) => {
      const dispute = this.disputes.get(bare(data.dispute));
      if (dispute?.platform !== given.platform) throw new No('DISPUTE_NOT_FOUND');
      refuseIf(!dispute.open, 'DISPUTE_ENDED');
      refuseIf(dispute.ofBank && given.origin === 'P', 'DISPUTE_OF_BANK');
      refuseIf(data.result === 'upheld' && dispute.deadline <= this.now, 'DISPUTE_ENDED');
      const { order, receiver } = dispute;
      refuseIf(data.result === 'upheld' && this.#account(order.account).type === 'escrow', 'ESCROW_BOUND');
      if (data.result === 'upheld' && receiver !== undefined) this.#giveBackDisputed(at, bare(data.dispute), order, receiver);
      dispute.open = false;
      for (const id of receiver === undefined ? [order.account] : [order.account, receiver]) {
        const { claims } = this.#account(id);
        const place = claims.findIndex((claim) => claim.ref === bare(data.dispute));
        if (place < 0) continue;
        if ((claims[place] as ModelClaim).left > 0n) this.#credited.add(id);
        claims.splice(place, 1);
      }
    },

    'judicial-deduction': (given, data, at) => {
      const deduction = this.deductions.get(bare(data.deduction));
      const freeze = this.freezes.get(deduction?.freeze ?? '');
      if (deduction === undefined || freeze === undefined) throw new No('DEDUCTION_NOT_FOUND');
      if (this.#account(freeze.account).platform !== given.platform) throw new No('DEDUCTION_NOT_FOUND');
      refuseIf(deduction.ordered, 'DEDUCTION_DECIDED');
      const account = this.#account(freeze.account);
      const claim = account.claims.find(({ ref }) => ref === deduction.freeze);
      if (claim === undefined || this.#running(deduction.freeze) === undefined) throw new No('FREEZE_ENDED');
      const { amount } = deduction;
      refuseIf(amount > heldBy(account, claim.ref), 'DEDUCTION_EXCEEDS_FREEZE');
      const take: Take = { from: freeze.account, amount, how: 'cleared-only', flow: 'exempt', claim: 'court' };
      this.#move(at, [take], [{ to: inTransit(at), amount }]);
      claim.left -= amount;
      deduction.ordered = true;
      this.#makePayout(given, { source: freeze.account, order: undefined, amount, freeze: claim.ref });
    },

    withdrawal: (given, data, at) => this.#payOut(given, data, at),
    clearing: (given, data, at) => this.#payOut(given, data, at),

    fee: (given, data, at) => {
      refuseIf(this.#mine(given, data.account).type !== 'sub', 'ACCOUNT_TYPE_NOT_ALLOWED');
      this.#needsAgreement(bare(data.account), at);
      const amount = minor(data.amount);
      withinTerms(amount, this.trade.feeMax(bare(data.account), at.date) ?? at.feeMax);
      this.#move(at, [{ from: bare(data.account), amount }], [{ to: at.own.fees as string, amount, inherits: true }]);
    },

    'top-up': (given, data) => {
      const account = this.#mine(given, data.account);
      const electronic = this.law.accounts.get(bare(data.account));
      if (electronic === undefined) throw new No('ACCOUNT_TYPE_NOT_ALLOWED');
      refuseIf(!account.bound, 'SETTLEMENT_ACCOUNT_MISSING');
      const amount = minor(data.amount);
      const standing = this.law.standing(electronic, this.#owner, this.now);
      if (standing !== undefined) throw new No(standing);
      refuseIf(account.state === 'frozen', 'ACCOUNT_FROZEN');
      const then = account.balance + this.#underWay(bare(data.account)) + amount;
      refuseIf(electronic.class === 3 && then > this.law.value('class-3.balance', this.now), 'BALANCE_CAP');
      this.#willed(given, { account: bare(data.account), amount, payee: bare(data.account) });
      this.#makePayout(given, { source: bare(data.account), order: undefined, amount });
    },

    'incoming-transfer': (given, data, at) => {
      const account = this.#mine(given, data.account);
      const id = bare(data.account);
      const { payer } = data;
      const clears = this.#nextWorkingDay(this.#arrival(at));
      const give: Give = { to: id, amount: minor(data.amount), clears };
      if (account.type === 'sub' || account.type === 'own-funds') {
        const owner = ownPayer(id);
        const isOwner = account.bound && payer.name === owner.name && payer.account === owner.account && !payer.bankCode;
        const strict = account.type === 'own-funds' || at.agreed ? 'own-account' : 'anyone';
        const floor = PAY_IN[Number(this.law.value('pay-in.floor', this.now))] as string;
        const rules = [this.payIn.get(id) ?? 'anyone', strict, floor];
        refuseIf(rules.includes('nobody') || (rules.includes('own-account') && !isOwner), 'PAYER_NOT_ACCEPTED');
        this.#move(at, [], this.#afterDebts(given, [give], at));
        return;
      }
      refuseIf(!this.law.accounts.has(id), 'ACCOUNT_TYPE_NOT_ALLOWED');
      const card = boundPayer(id);
      const isCard = payer.name === card.name && payer.account === card.account && /^102/.test(payer.bankCode ?? '');
      this.#move(at, [], [{ ...give, flow: isCard ? 'bound' : 'unbound' }]);
    },

    'account-payment': (given, data, at) => this.#pays(given, data, at, undefined),

    'own-transfer': (given, data, at) => {
      const [from, to] = [bare(data.from), bare(data.to as string)];
      for (const id of [data.from, data.to as string]) {
        this.#mine(given, id);
        refuseIf(!this.law.accounts.has(bare(id)), 'ACCOUNT_TYPE_NOT_ALLOWED');
      }
      refuseIf(from === to, 'SAME_ACCOUNT');
      refuseIf(this.law.accounts.get(from)?.customer !== this.law.accounts.get(to)?.customer, 'NOT_OWN_ACCOUNT');
      const amount = minor(data.amount);
      const gives: Give[] = [{ to, amount, inherits: true, flow: 'unbound' }];
      this.#pass([{ from, amount, flow: 'unbound' }], gives);
      this.#willed(given, { account: from, amount, payee: to });
      this.#move(at, [{ from, amount, flow: 'unbound' }], gives);
    },

    interest: (given, data, at) => {
      this.#mine(given, data.account);
      const account = this.law.accounts.get(bare(data.account));
      if (account === undefined) throw new No('ACCOUNT_TYPE_NOT_ALLOWED');
      refuseIf(account.state === 'closed', 'ACCOUNT_CLOSED');
      refuseIf(account.state === 'closing', 'ACCOUNT_CLOSING');
      const { through } = data;
      refuseIf(through < account.interestFrom, 'INTEREST_PERIOD_PAID');
      const due = this.law.earned(account, through, through);
      const said = [BigInt(data.product), BigInt(data.rate), minor(data.amount)];
      const right = [due.product, due.rate, due.amount].every((value, place) => value === said[place]);
      const onTime = ['03-20', '06-20', '09-20', '12-20'].includes(through.slice(5)) && through < at.date;
      refuseIf(!right || !onTime, 'INTEREST_DIFFERS');
      const to = bare(data.account);
      if (due.amount > 0n) this.#move(at, [], [{ to, amount: due.amount, clears: dayAfter(at.date), flow: 'exempt' }]);
      account.interestFrom = dayAfter(through);
    },

    'account-closing': (given, data, at) => {
      const { state, held, balance, uncleared } = this.#mine(given, data.account);
      const id = bare(data.account);
      const account = this.law.accounts.get(id);
      if (account === undefined) throw new No('ACCOUNT_TYPE_NOT_ALLOWED');
      const standing = this.law.standing(account, this.#owner, this.now);
      if (standing !== undefined) throw new No(standing);
      refuseIf(state === 'frozen' || claimedOf(this.#account(id)) > 0n, 'ACCOUNT_FROZEN');
      const waits = [...this.items.values()].some(({ from, left }) => from === id && left > 0n);
      refuseIf(
        held > 0n || this.#underWay(id) > 0n || waits || this.escrows.mayCredit(id) || this.lending.mayMove(id),
        'ACCOUNT_NOT_EMPTY',
      );
      refuseIf(held > 0n || this.#underWay(id) > 0n || waits || this.escrows.mayCredit(id), 'ACCOUNT_NOT_EMPTY');
      refuseIf(this.funds.isHeld(id), 'FUND_HELD');
      refuseIf(sum(uncleared.values()) > 0n, 'FUNDS_UNCLEARED');
      const interest = account.interestFrom < at.date ? this.law.earned(account, dayBefore(at.date), at.date).amount : 0n;
      this.#willed(given, { account: id, amount: balance });
      const amount = balance + interest;
      if (amount > 0n) {
        const takes: Take[] = balance > 0n ? [{ from: id, amount: balance, how: 'cleared-only', flow: 'bound' }] : [];
        this.#move(at, takes, [{ to: inTransit(at), amount }]);
        this.#makePayout(given, { source: id, order: undefined, amount });
        account.state = 'closing';
      } else this.#closeElectronic(id);
      account.interestFrom = at.date;
    },

    'payout-settled': (given, data, at) => {
      const payout = this.#payout(given, data, ['sent', 'unknown']);
      if (payout.collects && payout.later) {
        const { due, collected } = this.#channelAccounts(given, at);
        const { amount } = payout;
        const clears = this.#nextWorkingDay(this.#nextWorkingDay(this.#arrival(at)));
        const to = at.atOnce ? this.#creditable(payout, 'bound', at) : collected;
        this.#move(at, [], [at.atOnce ? { to, amount, clears, owed: true, flow: 'bound' } : { to, amount }]);
        if (at.atOnce) this.#suspend(given, at, to, payout, 'top-up', clears);
        this.#account(at.own.custody).balance += amount; // the channel has it
        this.#account(due).balance -= amount;
        payout.credited = at.atOnce === true;
        payout.paidOver = false;
        payout.paidOverOn = this.#nextWorkingDay(this.#arrival(at));
      } else if (payout.collects) {
        const today = this.#arrival(at);
        const to = this.#creditable(payout, 'bound', at);
        const clears = this.#nextWorkingDay(today);
        this.#move(at, [], [{ to, amount: payout.amount, clears, flow: 'bound' }]);
        this.#suspend(given, at, to, payout, 'top-up', clears);
      } else this.#move(at, [{ from: inTransit(at), amount: payout.amount }], []);
      payout.state = 'settled';
      this.#endClosing(payout, true);
    },

    'payout-failed': (given, data, at) => {
      const payout = this.#payout(given, data, data.unsent ? ['created'] : ['sent', 'unknown']);
      if (!payout.collects) {
        const { fee, takes, whole } = this.#feeBack(payout, at);
        const to = this.#creditable(whole, 'back', at);
        this.#result = payout;
        this.#move(
          at,
          [{ from: inTransit(at), amount: payout.amount }, ...takes],
          [{ to, amount: payout.amount + fee, flow: 'back' }],
        );
        this.#suspend(given, at, to, whole, 'payout-failed');
        this.#freezeAgain(payout, to);
      }
      if (payout.order !== undefined) payout.order.refunded -= payout.amount;
      this.funds.unsettle(bare(data.payout));
      payout.state = 'failed';
      this.#endClosing(payout, false);
    },

    'payout-returned': (given, data, at) => {
      const payout = this.#payout(given, data, ['settled']);
      refuseIf(payout.collects, 'PAYOUT_STATE_CONFLICT');
      const { fee, takes, whole } = this.#feeBack(payout, at);
      const to = this.#creditable(whole, 'exempt', at);
      this.#result = payout;
      this.#move(at, takes, [{ to, amount: payout.amount + fee, flow: 'exempt' }]);
      this.#suspend(given, at, to, whole, 'payout-returned');
      this.#freezeAgain(payout, to);
      if (payout.order !== undefined) payout.order.refunded -= payout.amount;
      this.funds.unsettle(bare(data.payout));
      payout.state = 'returned';
    },

    'statement-adjustment': (given, data, at) => {
      const id = bare(data.account);
      const { type } = this.#mine(given, data.account);
      const isOwn = ['own-funds', 'commission', 'marketing', 'fees'].includes(type);
      refuseIf(type !== 'sub' && !this.law.accounts.has(id) && !isOwn, 'ACCOUNT_TYPE_NOT_ALLOWED');
      const amount = minor(data.amount);
      if (data.direction === 'debit') this.#move(at, [{ from: id, amount, flow: 'exempt' }], []);
      else this.#move(at, [], [{ to: id, amount, flow: 'exempt' }]);
    },

    'take-over': (given, data, at) => {
      const { type } = this.#mine(given, data.account);
      refuseIf(type !== 'sub' && !OWN.includes(type), 'ACCOUNT_TYPE_NOT_ALLOWED');
      const clears = this.#nextWorkingDay(this.#arrival(at));
      this.#move(at, [], [{ to: bare(data.account), amount: minor(data.amount), clears }]);
    },

    'hand-over': (given, data, at) => {
      const { type } = this.#mine(given, data.account);
      refuseIf(type !== 'sub' && type !== 'margin' && !OWN.includes(type), 'ACCOUNT_TYPE_NOT_ALLOWED');
      this.#move(at, [{ from: bare(data.account), amount: minor(data.amount) }], []);
    },

    'acquirer-fee': (_given, data, at) => {
      this.#move(at, [{ from: at.own['own-funds'] as string, amount: minor(data.amount) }], []);
    },

    'channel-settled': (given, data, at) => {
      const of = (data.payouts ?? []).map((id) => {
        const payout = this.payouts.get(bare(id));
        refuseIf(payout?.platform !== given.platform || payout.paidOver === undefined, 'COLLECTION_NOT_FOUND');
        refuseIf(payout?.paidOver === true, 'COLLECTION_SETTLED');
        return payout as ModelPayout;
      });
      const amount = minor(data.amount);
      refuseIf(sum(of.map((payout) => payout.amount)) !== amount, 'COLLECTION_SUM_DIFFERS');
      this.#account(at.own.custody).balance -= amount;
      this.#account(at.channel?.due).balance += amount;
      for (const payout of of) payout.paidOver = true;
    },

    'collection-credited': (given, data, at) => {
      const payout = this.payouts.get(bare(data.payout));
      refuseIf(payout?.platform !== given.platform || payout.paidOver === undefined, 'COLLECTION_NOT_FOUND');
      refuseIf(payout?.paidOver !== true || payout.credited === true, 'COLLECTION_STATE_CONFLICT');
      const of = payout as ModelPayout;
      const to = this.#creditable(of, 'bound', at);
      this.#move(at, [{ from: at.channel?.collected as string, amount: of.amount }], [{ to, amount: of.amount, flow: 'bound' }]);
      this.#suspend(given, at, to, of, 'top-up');
      of.credited = true;
    },

    'suspense-credit': (given, data, at) => {
      const amount = minor(data.amount);
      refuseIf(amount - this.#account(at.own.custody).balance > BOOKS_MAX, 'BALANCE_OVERFLOW');
      const clears = this.#nextWorkingDay(this.#arrival(at));
      this.#move(at, [], [{ to: suspenseOf(at), amount, clears }]);
      const { name, account, bankCode = '' } = data.payer;
      const payer = account === '' ? undefined : [name, account, bankCode].join('|');
      const item = {
        platform: given.platform,
        from: undefined,
        source: given.origin === 'S' ? 'transfer' : 'statement',
        payer,
        clears,
        amount,
        left: amount,
      };
      this.items.set(given.id, item);
    },

    'suspense-attribution': (given, data, at) => {
      const { item, proposal, amount } = this.#proposed(given, data);
      const id = bare(data.account);
      const { type } = this.#mine(given, data.account);
      refuseIf(type !== 'sub' && !this.law.accounts.has(id), 'ACCOUNT_TYPE_NOT_ALLOWED');
      const young = item.clears !== undefined && item.clears > at.date ? item.clears : undefined;
      const card = boundPayer(id);
      const isCard = [card.name, card.account, card.bankCode].join('|') === item.payer;
      const comesBack: Flow = item.source === 'top-up' ? 'bound' : 'exempt';
      const flow: Flow = item.from === id ? comesBack : isCard ? 'bound' : 'unbound';
      const take: Take = { from: suspenseOf(at), amount, ...(young === undefined ? {} : { how: 'uncleared-first' }) };
      this.#move(at, [take], [{ to: id, amount, flow, ...(young === undefined ? {} : { clears: young }) }]);
      item.left -= amount;
      proposal.state = 'done';
    },

    'suspense-return': (given, data, at) => {
      const { item, proposal, amount } = this.#proposed(given, data);
      refuseIf(item.payer === undefined, 'SUSPENSE_PAYER_UNKNOWN');
      refuseIf(item.clears !== undefined && item.clears > at.date, 'FUNDS_UNCLEARED');
      this.#move(at, [{ from: suspenseOf(at), amount }], [{ to: inTransit(at), amount }]);
      this.#makePayout(given, { source: suspenseOf(at), order: undefined, amount });
      item.left -= amount;
      proposal.state = 'done';
    },

    correction: (given, data, at) => {
      const past = this.past.get(bare(data.instruction));
      refuseIf(past === undefined || past.platform !== given.platform || past.batch === this.batch, 'INSTRUCTION_NOT_FOUND');
      if (past === undefined) return;
      refuseIf(past.result === 'undecided', 'INSTRUCTION_NOT_FOUND');
      refuseIf(past.result !== 'posted' || this.#undo[past.kind] === undefined, 'NOT_CORRECTABLE');
      refuseIf(past.corrected, 'ALREADY_CORRECTED');
      if (given.origin === 'P') {
        refuseIf(
          ['payment', 'own-transfer', 'suspense-credit'].includes(past.kind) || past.origin !== 'P' || past.date !== at.date,
          'NOT_CORRECTABLE',
        );
      }
      this.#undoing = past.id;
      try {
        this.#undo[past.kind]?.(past, past.data as Data, at);
      } finally {
        this.#undoing = undefined;
      }
      past.corrected = true;
    },
  };

  /** The instruction that is being undone: its limits are given back, if it is still its day. */
  #undoing: string | undefined;

  readonly #undo: Record<string, (past: Given, data: Data, at: ModelPlatform) => void> = {
    subsidy: (past, data, at) => {
      const order = this.#order(past, data);
      const amount = minor(data.amount);
      refuseIf(amount > order.subsidised - order.subsidyReturned, 'SUBSIDY_EXCEEDED');
      refuseIf(amount > this.#account(order.account).balance, 'SUBSIDY_EXCEEDED');
      this.#withinCap(order, cameIn(order) - amount);
      this.#move(at, [{ from: order.account, amount }], [{ to: at.own.marketing as string, amount }]);
      order.subsidised -= amount;
    },
    payment: (past, data, at) => {
      const order = this.#order(past, data);
      refuseIf(order.paid - minor(data.amount) < order.refunded, 'REFUND_EXCEEDS_ORDER');
      this.#move(at, [{ from: order.account, amount: minor(data.amount) }], []);
      order.paid -= minor(data.amount);
    },
    'combined-payment': (past, data, at) => {
      for (const { orderNo, amount } of data.orders) {
        const order = this.#order(past, { ...data, orderNo });
        refuseIf(order.paid - minor(amount) < order.refunded, 'REFUND_EXCEEDS_ORDER');
        this.#move(at, [{ from: order.account, amount: minor(amount) }], []);
        order.paid -= minor(amount);
      }
    },
    split: (past, data, at) => {
      const order = this.#order(past, data);
      const { background } = order;
      refuseIf(background?.completed === true, 'ORDER_COMPLETED');
      for (const item of background?.items ?? [])
        for (const [to, amount] of item.parts.get(past.id) ?? [])
          refuseIf((gotOf(item).get(to) ?? 0n) < amount, 'SPLIT_RETURN_EXCEEDS');
      const given = background?.items.flatMap((item) => [...(item.parts.get(past.id) ?? [])]);
      this.#unsplit(order, given === undefined ? data.lines : linesOf(given), at, past.id);
      for (const item of background?.items ?? []) item.parts.delete(past.id);
    },
    transfer: (_past, data, at) => this.#giveBack(at, bare(data.to as string), bare(data.from), data),
    'account-payment': (past, data, at) => {
      if (typeof data.to === 'object' && 'orderNo' in data.to) {
        const order = found(this.orders.get(`${past.platform}/${data.to.orderNo}`), 'the order of a payment');
        refuseIf(order.paid - minor(data.amount) < order.refunded, 'REFUND_EXCEEDS_ORDER');
        this.#withinCap(order, cameIn(order) - minor(data.amount));
        this.#giveBack(at, order.account, bare(data.from), data);
        order.paid -= minor(data.amount);
      } else this.#giveBack(at, bare((data.to as { account: string }).account), bare(data.from), data, past.id);
    },
    'own-transfer': (_past, data, at) => this.#giveBack(at, bare(data.to as string), bare(data.from), data),
    'suspense-credit': (past, data, at) => {
      const item = found(this.items.get(past.id), 'the item of a credit');
      refuseIf(item.left < item.amount, 'SUSPENSE_USED');
      this.#move(at, [{ from: suspenseOf(at), amount: minor(data.amount), how: 'uncleared-first' }], []);
      item.left = 0n;
    },
    'suspense-attribution': (_past, data, at) => {
      const item = found(this.items.get(bare(data.item)), 'the item of an attribution');
      const proposal = found(this.proposals.get(bare(data.proposal)), 'its proposal');
      this.#giveBack(at, bare(data.account), suspenseOf(at), data);
      item.left += minor(data.amount);
      proposal.state = 'undone';
    },
    fee: (_past, data, at) => this.#giveBack(at, at.own.fees as string, bare(data.account), data),
  };

  #giveBack(at: ModelPlatform, from: string, to: string, data: Data, undone = ''): void {
    const amount = minor(data.amount);
    this.#move(at, this.#comingBack([{ from, amount }], undone), [{ to, amount, inherits: true }]);
    this.#owedAgain(undone);
  }

  /** From whom the money of an instruction comes back: what of it went elsewhere comes from there. */
  #comingBack(takes: readonly { from: string; amount: bigint }[], undone: string): Take[] {
    const kept = new Map(takes.map((take) => [take.from, take.amount]));
    for (const part of this.cover.diverted.get(undone) ?? []) {
      kept.set(part.account, (kept.get(part.account) ?? 0n) - part.amount);
      kept.set(part.to, (kept.get(part.to) ?? 0n) + part.amount);
    }
    const back = [...kept].flatMap(([from, amount]) => (amount > 0n ? [{ from, amount, how: 'uncleared-first' as const }] : []));
    return undone === '' ? back : back.sort(largestTakeFirst);
  }

  #owedAgain(undone: string): void {
    for (const { debt, amount } of this.cover.diverted.get(undone) ?? []) if (debt !== undefined) debt.left += amount;
  }

  /** Checks all, then moves all. What is not given to an account leaves custody, what is not taken from one comes in. */
  #move(at: ModelPlatform, takes: readonly Take[], gives: readonly Give[]): void {
    const custody = this.#account(at.own.custody);
    const incoming = sum(gives.map((give) => give.amount)) - sum(takes.map((take) => take.amount));
    refuseIf(incoming - custody.balance > BOOKS_MAX, 'BALANCE_OVERFLOW');
    this.#pass(takes, gives);
    for (const take of takes) this.#mayTake(take);
    for (const give of gives) refuseIf(this.#account(give.to).state === 'closed', 'ACCOUNT_CLOSED');
    const leaves = incoming < 0n || gives.some(({ to }) => this.#account(to).type === 'in-transit');
    refuseIf(leaves && this.#owedLeaves(takes, gives), 'FUNDS_UNCLEARED');
    this.#look(takes, gives);
    for (const passing of this.#passings(takes, gives)) this.law.made(passing, this.#now.id, this.now);
    custody.balance -= incoming;
    const carried = takes.flatMap((take) => drawn(this.#account(take.from), take, leaves));
    for (const give of gives) {
      this.#credited.add(give.to);
      const { to, clears } = give;
      const dated = clears === undefined ? give : { ...give, clears: this.#dueOn(to, clears, at.date) };
      arrives(this.#account(to), dated, carried);
    }
  }

  /** What a seller earns may leave when his agreement says so; all else on the day on which it clears. */
  #dueOn(to: string, clears: string, today: string): string {
    if (this.#account(to).type !== 'sub' || !INCOME.includes(this.#now.kind)) return clears;
    const cameIn = this.#nextWorkingDay(today) === clears ? today : dayBefore(clears);
    return dueOn(this.trade.paying(to, today), cameIn, this.#nextWorkingDay);
  }

  /** What a channel owes does not leave: whether these moves would take it along. */
  #owedLeaves(takes: readonly Take[], gives: readonly Give[]): boolean {
    const copy = (id: string): ModelAccount => {
      const { uncleared, owed, ...of } = this.#account(id);
      return { ...of, uncleared: new Map(uncleared), owed: new Map(owed) };
    };
    const carried = takes.flatMap((take) => drawn(copy(take.from), take, true));
    for (const give of gives) arrives(copy(give.to), give, carried);
    return carried.some((lot) => lot.owed && lot.left > 0n);
  }

  /** People may have to look at it first: then its money is held, and nothing moves. */
  #look(takes: readonly Take[], gives: readonly Give[]): void {
    const { platform } = this.#account((takes[0]?.from ?? gives[0]?.to) as string);
    const typeOf = (id: string) => this.#account(id).type;
    const given = this.#now;
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
    for (const { from, amount } of review.held) this.#account(from).held += amount;
    throw new Waits();
  }

  /** People, or the deadline, have ended a review: its money is free, and it is decided anew or refused. */
  reviewEnded(id: string): void {
    const review = found(this.reviews.open.get(id), `${id} is in review`);
    const past = found(this.past.get(id), `nothing was given as ${id}`);
    for (const { from, amount } of review.held) this.#account(from).held -= amount;
    if (review.state === 'approved' || review.state === 'passed') this.decide(past);
    else this.past.set(id, { ...past, result: review.state === 'rejected' ? 'REVIEW_REJECTED' : 'REVIEW_LAPSED' });
  }

  /** The law looks at every movement of an electronic account before the money is looked at. */
  #pass(takes: readonly Take[], gives: readonly Give[]): void {
    for (const passing of this.#passings(takes, gives)) {
      const code = this.law.forbids(passing, this.#owner, this.now);
      if (code !== undefined) throw new No(code);
    }
  }

  #passings(takes: readonly Take[], gives: readonly Give[]) {
    const undone = this.#undoing === undefined ? undefined : { undoes: this.#undoing };
    return [
      ...takes.map(({ from, amount, flow }) => ({ account: from, amount: -amount, flow: undone ?? flow ?? 'unbound' })),
      ...gives.map(({ to, amount, flow }) => ({ account: to, amount, flow: undone ?? flow ?? 'unbound' })),
    ].map((passing) => ({ ...passing, ...this.#standOf(passing.account, passing.amount) }) as const);
  }

  /** The payout whose result is being posted: if it was under way, room was kept for it. */
  #result: ModelPayout | undefined;

  #underWay(account: string): bigint {
    const has = (payout: ModelPayout) => payout.source === account && UNDER_WAY.includes(payout.state);
    return sum([...this.payouts.values()].filter(has).map(({ amount }) => amount));
  }

  #standOf(account: string, amount: bigint): Pick<Passing, 'balanceAfter' | 'underWay' | 'frozen'> {
    const { balance, state } = this.#account(account);
    const kept = this.#result !== undefined && UNDER_WAY.includes(this.#result.state);
    return { balanceAfter: balance + amount, underWay: kept ? 0n : this.#underWay(account), frozen: state === 'frozen' };
  }

  /** What a dispute holds of the receiver goes back to the order, as far as he has not given it back. */
  #giveBackDisputed(at: ModelPlatform, ref: string, order: ModelOrder, receiver: string): void {
    const account = this.#account(receiver);
    const share = this.#share(order, receiver);
    const has = heldBy(account, ref);
    const amount = has < share.split - share.returned ? has : share.split - share.returned;
    if (amount === 0n) return;
    const isYoung = sum(account.uncleared.values()) > 0n;
    const taken = this.#takenOf(order, new Map([[receiver, amount]]));
    this.#move(at, [{ from: receiver, amount, how: 'uncleared-first', claim: 'dispute' }], [{ to: order.account, amount }]);
    if (isYoung) order.came = this.#arrival(at);
    order.returned += amount;
    share.returned += amount;
    for (const claim of account.claims) if (claim.ref === ref) claim.left -= amount;
    takeBack(order.background?.items ?? [], this.#now.id, taken);
  }

  /** Answers the code of the refusal, or nothing. */
  freeze(id: string, of: { account: string; amount: bigint | undefined; until: string }): string | undefined {
    const account = this.#account(of.account);
    const today = new Date(this.now + 8 * 3_600_000).toISOString().slice(0, 10);
    if (['custody', 'channel-due', 'collected', 'in-transit', 'suspense', 'order'].includes(account.type))
      return 'ACCOUNT_TYPE_NOT_ALLOWED';
    if (account.state === 'closed') return 'ACCOUNT_CLOSED';
    if (of.until < today || of.until > `${Number(today.slice(0, 4)) + 1}${today.slice(4)}`) return 'FREEZE_DATES';
    this.freezes.set(id, { account: of.account, whole: of.amount === undefined, until: of.until, open: true });
    account.claims.push({ ref: id, kind: 'court', order: undefined, left: of.amount ?? BOOKS_MAX });
    return undefined;
  }

  #running(id: string): ModelFreeze | undefined {
    const freeze = this.freezes.get(id);
    return freeze?.open && this.now < Date.parse(`${dayAfter(freeze.until)}T00:00:00+08:00`) ? freeze : undefined;
  }

  renew(id: string, until: string): string | undefined {
    const freeze = this.#running(id);
    if (freeze === undefined) return this.freezes.has(id) ? 'FREEZE_ENDED' : 'NOT_FOUND';
    const today = new Date(this.now + 8 * 3_600_000).toISOString().slice(0, 10);
    if (until <= freeze.until || until > `${Number(today.slice(0, 4)) + 1}${today.slice(4)}`) return 'FREEZE_DATES';
    freeze.until = until;
    return undefined;
  }

  lift(id: string, amount: bigint | undefined): string | undefined {
    const freeze = this.#running(id);
    if (freeze === undefined) return this.freezes.has(id) ? 'FREEZE_ENDED' : 'NOT_FOUND';
    if (amount === undefined) return this.#endFreeze(id, freeze);
    if (freeze.whole) return 'FREEZE_OF_ALL';
    const claim = found(
      this.#account(freeze.account).claims.find(({ ref }) => ref === id),
      'the claim of a freeze',
    );
    if (amount > claim.left) return 'FREEZE_LIFT_EXCEEDS';
    claim.left -= amount;
    return undefined;
  }

  #endFreeze(id: string, freeze: ModelFreeze): undefined {
    freeze.open = false;
    const { claims } = this.#account(freeze.account);
    claims.splice(
      claims.findIndex(({ ref }) => ref === id),
      1,
    );
  }

  /** Asked for by one and approved by another. */
  approve(id: string, freeze: string, amount: bigint): string | undefined {
    const of = this.freezes.get(freeze);
    if (of === undefined) return 'NOT_FOUND';
    if (this.#running(freeze) === undefined) return 'FREEZE_ENDED';
    if (amount > heldBy(this.#account(of.account), freeze)) return 'DEDUCTION_EXCEEDS_FREEZE';
    this.deductions.set(id, { freeze, amount, ordered: false });
    return undefined;
  }

  /** Freezes whose last day is over have ended. */
  expire(): void {
    for (const [id, freeze] of this.freezes) if (freeze.open && this.#running(id) === undefined) this.#endFreeze(id, freeze);
  }

  /** What a deduction took is frozen again when it comes back, unless it goes to suspense or the freeze has ended. */
  #freezeAgain({ freeze, source, amount }: ModelPayout, to: string): void {
    const claim = this.#account(source).claims.find(({ ref }) => ref === freeze);
    if (claim !== undefined && to === source) claim.left += amount;
  }

  /** The payout of a closing has its result. */
  #endClosing(payout: ModelPayout, arrived: boolean): void {
    const account = this.law.accounts.get(payout.source);
    if (account?.state !== 'closing' || !payout.closes) return;
    const source = this.#account(payout.source);
    if (arrived && source.balance === 0n && claimedOf(source) === 0n) this.#closeElectronic(payout.source);
    else account.state = 'active';
  }

  #closeElectronic(id: string): void {
    Object.assign(this.law.accounts.get(id) ?? {}, { state: 'closed', closedAt: this.now });
    this.#account(id).state = 'closed';
  }

  /** The account of money that is here already, or suspense where it may not be credited. */
  #creditable(payout: ModelPayout, flow: Flow, at: ModelPlatform): string {
    const { source: account, amount } = payout;
    this.#result = payout;
    const passing: Passing = { account, amount, flow, ...this.#standOf(account, amount) };
    const gone = this.#account(account).state === 'closed' || this.law.forbids(passing, this.#owner, this.now);
    return gone ? (at.own.suspense as string) : account;
  }

  #suspend(given: Given, at: ModelPlatform, to: string, payout: ModelPayout, source: string, clears?: string): void {
    if (to !== suspenseOf(at)) return;
    const { platform, amount } = payout;
    const from = payout.source === to ? undefined : payout.source;
    this.items.set(given.id, { platform, from, source, payer: 'its payee', clears, amount, left: amount });
  }

  /** What two people decided, if they did, and what it is about. */
  #proposed(given: Given, data: Data) {
    const proposal = this.proposals.get(bare(data.proposal));
    const account = given.kind === 'suspense-attribution' ? bare(data.account) : undefined;
    const amount = minor(data.amount);
    const item = this.items.get(bare(data.item));
    const says =
      proposal?.state === 'approved' &&
      proposal.item === bare(data.item) &&
      proposal.account === account &&
      proposal.amount === amount;
    if (!says || proposal === undefined) throw new No('PROPOSAL_NOT_APPROVED');
    if (item?.platform !== given.platform) throw new No('SUSPENSE_NOT_FOUND');
    refuseIf(amount > item.left, 'SUSPENSE_EXCEEDED');
    return { item, proposal, amount };
  }

  #mayTake({ from, amount, how, freed = 0n, claim }: Take): void {
    const account = this.#account(from);
    refuseIf(account.state === 'closed', 'ACCOUNT_CLOSED');
    refuseIf(account.state === 'frozen' && claim !== 'court', 'ACCOUNT_FROZEN');
    const there = claim === undefined ? account.balance - reservedOf(account) + freed : frozenOf(account);
    refuseIf(amount > there, 'FUNDS_INSUFFICIENT');
    const uncleared = sum(account.uncleared.values());
    const reserved = claim === undefined ? reservedOf(account) : account.held;
    const kept = uncleared > reserved ? uncleared : reserved;
    refuseIf(how === 'cleared-only' && amount > account.balance - kept, 'FUNDS_UNCLEARED');
  }

  /** Of which items it is that accounts give something back. */
  #takenOf(order: ModelOrder, lines: ReadonlyMap<string, bigint>): TakenOfItems {
    return takenOf(order.background?.items ?? [], lines, (account) => {
      const share = this.#share(order, account);
      return share.split - share.returned;
    });
  }

  /** What of a refund is of which items and who gives it back; nothing is kept before `keep`. */
  #refunding(given: Given, data: Data, order: ModelOrder, total: bigint) {
    const { items: named, recall } = data as Partial<Data>;
    const { items } = order.background ?? {};
    const there = this.#account(order.account).balance;
    refuseIf(named !== undefined && items === undefined, 'BACKGROUND_MISSING');
    const told = Array.isArray(recall);
    refuseIf(told && items?.some(({ agreement }) => agreement.named !== true) === true, 'RECALL_OFF_RULE');
    let amounts: Map<string, bigint> | undefined;
    let taken: TakenOfItems | undefined;
    if (named !== undefined && items !== undefined) {
      const asked = refundedAsNamed(items, named, total);
      if (typeof asked === 'string') throw new No(asked);
      const never = (item: (typeof items)[number]) => (asked.get(item.no) ?? 0n) > leftOf(item);
      refuseIf(recall === undefined && items.some(never), 'ITEM_REFUND');
      const of = recall === undefined ? new Map() : takenAsNamed(items, asked, there);
      if (typeof of === 'string') throw new No(of);
      amounts = asked;
      taken = of;
    }
    let lines = new Map<string, bigint>();
    if (taken !== undefined) lines = byAccount(taken);
    else if (recall !== undefined) lines = this.#recalled(order, total, recall);
    const recalled = sum(lines.values());
    refuseIf(recalled > total || total - recalled > there, 'RECALL_DOES_NOT_FIT');
    const keep = (before: bigint) => {
      if (items === undefined) return;
      const of = taken ?? this.#takenOf(order, lines);
      const refunded = amounts ?? refundedByItself(items, of, total, before);
      takeBack(items, given.id, of);
      for (const item of items) item.refunded += refunded.get(item.no) ?? 0n;
    };
    const capped = () => {
      if (items === undefined) return;
      const slack = told ? 0n : BigInt(items.length);
      const of = byAccount(this.#takenOf(order, lines));
      let others = -sum([...of].map(([to, part]) => (items.some(({ seller }) => seller === to) ? 0n : part)));
      for (const item of items) for (const [to, part] of gotOf(item)) if (to !== item.seller) others += part;
      const cap = items.reduce((most, { agreement }) => (agreement.others > most ? agreement.others : most), 0n);
      refuseIf(others > ((cameIn(order) - total) * cap + 5_000n) / 10_000n + slack, 'SPLIT_OVER_CAP');
    };
    return { lines, recalled, keep, capped };
  }

  /** From whom how much is to be taken back, where the order alone has not enough. */
  #recalled(order: ModelOrder, amount: bigint, recall: Data['recall']): Map<string, bigint> {
    const got = new Map(
      [...this.shares].flatMap(([key, share]) => {
        const [of, receiver = ''] = key.split('/');
        return of === order.account && share.split > share.returned ? [[receiver, share.split - share.returned] as const] : [];
      }),
    );
    const there = this.#account(order.account).balance;
    if (recall === 'pro-rata') return amount > there ? inProportion(amount - there, got) : new Map();
    refuseIf(new Set(recall.map((line) => line.account)).size < recall.length, 'RECEIVER_REPEATED');
    for (const line of recall) refuseIf(minor(line.amount) > (got.get(bare(line.account)) ?? 0n), 'SPLIT_RETURN_EXCEEDS');
    return new Map(recall.map((line) => [bare(line.account), minor(line.amount)]));
  }

  #usable(id: string | undefined): bigint {
    const account = id === undefined ? undefined : this.#account(id);
    return account?.state === 'open' ? account.balance - reservedOf(account) : 0n;
  }

  /** The receiver himself, then his margin, then the platform while it may and can. What is missing is waited for. */
  #covered(
    given: Given,
    order: ModelOrder,
    { amount, ofOrder }: { amount: bigint; ofOrder: bigint },
    lines: ReadonlyMap<string, bigint>,
  ) {
    const { cover } = this;
    const own = this.platform(given.platform).own['own-funds'] as string;
    const out = cover.advanced((account) => this.#account(account).platform === given.platform);
    const mayStill = (cover.ceilings.get(given.platform) ?? 0n) - out;
    let room = mayStill < this.#usable(own) ? mayStill : this.#usable(own);
    const takes: { from: string; amount: bigint }[] = [];
    const advanced = new Map<string, bigint>();
    const least = (a: bigint, b: bigint) => (a < b ? a : b > 0n ? b : 0n);
    const onOrder = this.#account(order.account).balance - cover.before(given.id, order.account);
    let missing = ofOrder - least(ofOrder, onOrder);
    for (const [id, wanted] of lines) {
      const margin = cover.margins.get(id)?.account;
      // Who came before has the first of it, and nobody is advanced anything past him.
      const older = cover.before(given.id, id);
      const both = this.#usable(id) + this.#usable(margin) - older;
      const first = least(wanted, this.#usable(id) - older);
      const second = least(wanted - first, least(both, this.#usable(margin)));
      const third = both < 0n ? 0n : least(wanted - first - second, room);
      room -= third;
      takes.push({ from: id, amount: first });
      if (margin !== undefined) takes.push({ from: margin, amount: second });
      if (third > 0n) advanced.set(id, third);
      missing += wanted - first - second - third;
    }
    takes.push({ from: own, amount: sum(advanced.values()) });
    if (missing > 0n) {
      const takesFrom = lines;
      const margins = [...lines.keys()].flatMap((id) => cover.margins.get(id)?.account ?? []);
      const looksAt = [...lines.keys(), ...margins, own, order.account];
      for (const id of cover.waiting.get(given.id)?.looksAt ?? []) if (!looksAt.includes(id)) this.#credited.add(id);
      const waiting = { id: given.id, platform: given.platform, order: order.account, amount, missing, takesFrom, looksAt };
      cover.waiting.set(given.id, waiting);
      throw new Waits();
    }
    return { takes: takes.filter((take) => take.amount > 0n), advanced };
  }

  #marginMove(given: Given, data: Data, at: ModelPlatform): string {
    refuseIf(this.#mine(given, data.account).type !== 'sub', 'ACCOUNT_TYPE_NOT_ALLOWED');
    if (given.origin === 'P') withinTerms(minor(data.amount), at.transferMax);
    return bare(data.account);
  }

  /** What comes in for receivers, less what they owe and what their margins lack, and where that goes; what is claimed is theirs first. */
  #afterDebts(given: Given, gives: readonly Give[], at: ModelPlatform): Give[] {
    const parts: ModelDiversion[] = [];
    const left = gives.flatMap((give) => {
      if (this.#account(give.to).state === 'closed') return [give];
      const margin = this.cover.margins.get(give.to);
      const has = margin === undefined ? 0n : this.#account(margin.account).balance;
      const lacking = claimedOf(this.#account(give.to)) - frozenOf(this.#account(give.to));
      const claimed = lacking < give.amount ? lacking : give.amount;
      const divided = this.cover.divide(give.to, give.amount - claimed, at.own['own-funds'] as string, has);
      parts.push(...divided.parts);
      const left = divided.left + claimed;
      return left > 0n ? [{ ...give, amount: left }] : [];
    });
    const like = (part: ModelDiversion) => gives.find((give) => give.to === part.account) as Give;
    for (const { debt, amount } of parts) if (debt !== undefined) debt.left -= amount;
    if (parts.length > 0) this.cover.diverted.set(given.id, parts);
    return [...left, ...parts.map((part) => ({ ...like(part), to: part.to, amount: part.amount }))];
  }

  /** @param undone the split that is undone: what of it went elsewhere comes back from there */
  /** What stands behind an order that is paid first; answers what to do once the money is on it. */
  /** Others have no more of what came in than the agreements allow. */
  #withinCap({ background }: ModelOrder, net: bigint): void {
    if (background === undefined) return;
    let others = 0n;
    for (const item of background.items) for (const [to, part] of gotOf(item)) if (to !== item.seller) others += part;
    const cap = background.items.reduce((most, { agreement }) => (agreement.others > most ? agreement.others : most), 0n);
    refuseIf(others > (net * cap + 5_000n) / 10_000n, 'SPLIT_OVER_CAP');
  }

  /** Where agreements are required nobody is paid, or owes a fee, who has none. */
  #needsAgreement(to: string, at: ModelPlatform): void {
    if (!at.agreed || this.#account(to).type !== 'sub') return;
    const no = this.trade.lacksAgreement(to, at.date);
    if (no !== undefined) throw new No(no);
  }

  /** An order is paid from outside: what is done when all that could be wrong is not; the turnover is counted already. */
  #paidFor(given: Given, data: Data, at: ModelPlatform, newId: string): () => void {
    const amount = minor(data.amount);
    const key = `${given.platform}/${data.orderNo}`;
    const payer = [data.payer.name, data.payer.account, data.payer.bankCode ?? ''].join('|');
    const order = this.orders.get(key) ?? {
      ...{ account: newId, payerAccount: undefined, payer, refundable: data.payer.account !== '' },
      ...{ paid: 0n, split: 0n, returned: 0n, refunded: 0n, subsidised: 0n, subsidyReturned: 0n, came: '' },
    };
    refuseIf(order.payer !== payer || order.payerAccount !== undefined, 'ORDER_PAYER_DIFFERS');
    const keep = this.#backed(given, data, this.orders.get(key), at);
    refuseIf(order.paid + amount > BOOKS_MAX || amount - this.#account(at.own.custody).balance > BOOKS_MAX, 'BALANCE_OVERFLOW');
    keep(order);
    return () => {
      if (!this.orders.has(key)) this.openAccount(newId, given.platform, 'order', false);
      this.orders.set(key, order);
      this.#move(at, [], [{ to: order.account, amount }]);
      order.paid += amount;
      order.came = this.#arrival(at);
    };
  }

  #backed(given: Given, { background }: Data, known: ModelOrder | undefined, at: ModelPlatform): (order: ModelOrder) => void {
    const isOpen = known !== undefined;
    refuseIf(isOpen && background !== undefined, 'BACKGROUND_GIVEN');
    refuseIf(isOpen && at.agreed && known.background === undefined, 'BACKGROUND_MISSING');
    refuseIf(!isOpen && background === undefined && at.agreed, 'BACKGROUND_MISSING');
    if (background === undefined) return () => undefined;
    for (const { seller } of background.items) refuseIf(this.#mine(given, seller).type !== 'sub', 'ACCOUNT_TYPE_NOT_ALLOWED');
    const items = this.trade.taken(background, at.agreed ? at.date : undefined);
    if (typeof items === 'string') throw new No(items);
    const due = background.completesAt === undefined ? undefined : Date.parse(background.completesAt);
    refuseIf(due !== undefined && due <= this.now, 'COMPLETION_PAST');
    const turnover = at.agreed ? this.trade.turnover(items, at.date) : () => undefined;
    if (typeof turnover === 'string') throw new No(turnover);
    return (order) => {
      turnover();
      if (at.agreed) order.background = { items, completed: false };
    };
  }

  /** What the agreements behind an order make of the items that are asked for; nothing is kept before `keep`. */
  #agreed(
    given: Given,
    order: ModelOrder,
    background: ModelBackground,
    asked: Data['items'] | undefined,
    named?: Map<string, bigint>,
  ) {
    refuseIf(background.completed, 'ORDER_COMPLETED');
    const open = background.items.filter((item) => leftOf(item) > 0n);
    refuseIf(asked === undefined && open.length === 0, 'NOTHING_TO_SPLIT');
    const split = splitItems(background, asked ?? open.map(({ no }) => ({ item: no })));
    if (typeof split === 'string') throw new No(split);
    const cap = background.items.reduce((most, { agreement }) => (agreement.others > most ? agreement.others : most), 0n);
    const most = (cameIn(order) * cap + 5_000n) / 10_000n;
    refuseIf(split.others > most, 'SPLIT_OVER_CAP');
    const { shares } = split;
    const isSame = named?.size === shares.size && [...named].every(([to, amount]) => shares.get(to) === amount);
    const told = isSame ? undefined : named;
    if (told !== undefined) {
      const off = offRule(background, split, told, this.reviews.mostDeviation(given.id, given.platform));
      if (off === undefined) throw new No('SPLIT_OFF_RULE');
      refuseIf(off.others > most, 'SPLIT_OVER_CAP');
      this.reviews.deviating.set(given.id, off.bp);
    }
    const keep = () => {
      for (const { item, part, evidence } of split.parts) {
        item.parts.set(given.id, told ?? part);
        item.evidence = evidence;
      }
    };
    return { shares: told ?? shares, keep };
  }

  #splitTo(given: Given, order: ModelOrder, shares: ReadonlyMap<string, bigint>, at: ModelPlatform): void {
    for (const to of shares.keys()) {
      const { type } = this.#mine(given, `acc_${to}`);
      refuseIf(type !== 'sub' && type !== 'commission', 'ACCOUNT_TYPE_NOT_ALLOWED');
    }
    const amount = sum(shares.values());
    refuseIf(amount > this.#account(order.account).balance, 'SPLIT_EXCEEDS_ORDER');
    refuseIf(order.split + amount > BOOKS_MAX, 'BALANCE_OVERFLOW');
    const clears = this.#nextWorkingDay(order.came > at.date ? order.came : at.date);
    const gives = [...shares].map(([to, part]) => ({ to, amount: part, clears }));
    this.#move(at, [{ from: order.account, amount }], this.#afterDebts(given, gives, at));
    order.split += amount;
    for (const { to, amount: part } of gives) this.#share(order, to).split += part;
  }

  #unsplit(order: ModelOrder, lines: Data['lines'], at: ModelPlatform, undone = ''): void {
    for (const line of lines) {
      const share = this.#share(order, bare(line.account));
      refuseIf(minor(line.amount) > share.split - share.returned, 'SPLIT_RETURN_EXCEEDS');
    }
    const takes = lines.map((line) => ({
      from: bare(line.account),
      amount: minor(line.amount),
      how: 'uncleared-first' as const,
    }));
    const amount = sum(takes.map((take) => take.amount));
    const isYoung = takes.some(({ from }) => sum(this.#account(from).uncleared.values()) > 0n);
    this.#move(at, this.#comingBack(takes, undone), [{ to: order.account, amount }]);
    this.#owedAgain(undone);
    if (isYoung) order.came = this.#arrival(at);
    order.returned += amount;
    for (const take of takes) this.#share(order, take.from).returned += take.amount;
  }

  #payOut(given: Given, data: Data, at: ModelPlatform): void {
    if (data.fee !== undefined) {
      const paying = this.trade.paying(bare(data.account), at.date);
      const most = costOf(
        paying,
        minor(data.amount) + minor(data.fee),
        this.trade.feeMax(bare(data.account), at.date) ?? at.feeMax,
      );
      refuseIf(most === 0n, 'PROOF_MISSING');
      refuseIf(minor(data.fee) > most, 'TERMS_EXCEEDED');
    }
    const account = this.#mine(given, data.account);
    const electronic = this.law.accounts.has(bare(data.account)) && (given.kind === 'withdrawal' || at.ending === true);
    refuseIf(account.type !== 'sub' && !OWN.includes(account.type) && !electronic, 'ACCOUNT_TYPE_NOT_ALLOWED');
    refuseIf(!account.bound, 'SETTLEMENT_ACCOUNT_MISSING');
    const amount = minor(data.amount);
    const fee = data.fee === undefined ? 0n : minor(data.fee);
    const take: Take = { from: bare(data.account), amount: amount + fee, how: 'cleared-only', flow: 'bound' };
    this.#pass([take], []);
    if (given.kind === 'withdrawal') this.#willed(given, { account: bare(data.account), amount, payee: bare(data.account) });
    this.#move(at, [take], [{ to: inTransit(at), amount }, ...(fee === 0n ? [] : [{ to: at.own.fees as string, amount: fee }])]);
    this.#makePayout(given, { source: bare(data.account), order: undefined, amount, fee });
  }

  /** What a payout cost that never arrived, as far as the platform still has it. */
  #feeBack(payout: ModelPayout, at: ModelPlatform) {
    const from = at.own.fees as string;
    const fees = this.#account(from);
    const [young, held] = [sum(fees.uncleared.values()), reservedOf(fees)];
    const there = fees.state === 'open' ? fees.balance - (held > young ? held : young) : 0n;
    const fee = (payout.fee ?? 0n) < there ? (payout.fee ?? 0n) : there;
    const takes: Take[] = fee > 0n ? [{ from, amount: fee, how: 'cleared-only' }] : [];
    return { fee, takes, whole: { ...payout, amount: payout.amount + fee } };
  }

  /** His own word for exactly this, or his standing one. */
  #willed(
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
    this.#use = { mandate: bare(mandate), amount: debit.amount };
  }

  #makePayout(given: Given, of: Pick<ModelPayout, 'source' | 'order' | 'amount' | 'freeze' | 'fee'>): void {
    this.payouts.set(given.id, {
      platform: given.platform,
      state: 'created',
      collects: given.kind === 'top-up',
      closes: given.kind === 'account-closing',
      ...of,
    });
  }

  /** By which collections pass that are paid over later; opened by the first. */
  #channelAccounts(given: Given, at: ModelPlatform) {
    if (at.channel === undefined) {
      at.channel = { due: given.id, collected: String(BigInt(given.id) + 1n) };
      this.openAccount(at.channel.due, given.platform, 'channel-due', false);
      this.openAccount(at.channel.collected, given.platform, 'collected', false);
    }
    return at.channel;
  }

  #account(id: string | undefined): ModelAccount {
    return found(this.accounts.get(id ?? ''), `no account ${id}`);
  }

  #mine(given: Given, wire: string): ModelAccount {
    const account = this.accounts.get(bare(wire));
    if (account?.platform !== given.platform) throw new No('ACCOUNT_NOT_FOUND');
    return account;
  }

  #order(given: Given, data: Data): ModelOrder {
    const order = this.orders.get(`${given.platform}/${data.orderNo}`);
    if (order === undefined) throw new No('ORDER_NOT_FOUND');
    return order;
  }

  #share(order: ModelOrder, receiver: string) {
    const key = `${order.account}/${receiver}`;
    const share = this.shares.get(key) ?? { split: 0n, returned: 0n };
    this.shares.set(key, share);
    return share;
  }

  #hold(given: Given, data: Data): ModelHold {
    const hold = this.holds.get(bare(data.hold));
    if (hold?.platform !== given.platform) throw new No('HOLD_NOT_FOUND');
    refuseIf(hold.left === 0n, 'HOLD_ENDED');
    return hold;
  }

  #payout(given: Given, data: Data, from: readonly string[]): ModelPayout {
    const payout = this.payouts.get(bare(data.payout));
    if (payout?.platform !== given.platform) throw new No('PAYOUT_NOT_FOUND');
    refuseIf(!from.includes(payout.state), 'PAYOUT_STATE_CONFLICT');
    return payout;
  }
}
