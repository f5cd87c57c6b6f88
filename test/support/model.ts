/**
 * A bank in plain maps, written from the rules of the house and not from its code, so that the two can be held against each
 * other. It is slow and simple on purpose. Ids are bare digits, amounts minor units, times milliseconds; credit is positive.
 */
import { type Flow, Law, type Owner, type Passing, type Person, type Wanted } from './model-law.js';

export interface ModelAccount {
  readonly platform: string;
  readonly type: string;
  readonly bound: boolean;
  state: 'open' | 'frozen' | 'closed';
  balance: bigint;
  held: bigint;
  /** By the date from which it is withdrawable. */
  readonly uncleared: Map<string, bigint>;
}

interface ModelOrder {
  readonly account: string;
  /** The electronic account that paid. */
  readonly payerAccount: string | undefined;
  readonly payer: string;
  readonly refundable: boolean;
  paid: bigint;
  split: bigint;
  returned: bigint;
  refunded: bigint;
  /** The last date on which its money can have come in. */
  came: string;
}

interface ModelHold {
  readonly platform: string;
  readonly account: string;
  readonly expires: number | undefined;
  left: bigint;
}

interface ModelPayout {
  readonly platform: string;
  /** Brings money in. */
  readonly collects: boolean;
  /** All that is left of an account. */
  readonly closes: boolean;
  readonly source: string;
  readonly order: ModelOrder | undefined;
  readonly amount: bigint;
  state: string;
  /** Its money could not be credited to where it belongs. */
  suspended: boolean;
}

interface ModelPlatform {
  date: string;
  transferMax: bigint;
  feeMax: bigint;
  /** The functional accounts by purpose. */
  readonly own: Readonly<Record<string, string>>;
  readonly profile: string;
}

/** The wire form of an instruction's data; each kind reads the fields that its form has. */
export interface Data {
  orderNo: string;
  amount: { amount: number; currency: 'CNY' };
  payer: { name: string; account: string; bankCode?: string };
  reference: string;
  lines: { account: string; amount: { amount: number; currency: 'CNY' } }[];
  account: string;
  from: string;
  to: string | { orderNo: string } | { account: string };
  mandate: string;
  voucher: string;
  through: string;
  product: string;
  rate: number;
  hold: string;
  payout: string;
  instruction: string;
  purpose: string;
  for: string;
  reason: string;
  expiresAt: string;
  unsent: boolean;
}

export interface Given {
  readonly id: string;
  readonly platform: string;
  readonly origin: 'P' | 'S' | 'O';
  readonly kind: string;
  readonly data: Partial<Data>;
  /** What the customer says when he is asked; `unasked`: it came without anybody asking him. */
  readonly answer?: Answer | undefined;
}
export type Answer = 'yes' | 'no' | 'late' | 'locked' | 'stranger' | 'unasked';

type Take = { from: string; amount: bigint; how?: 'uncleared-first' | 'cleared-only'; freed?: bigint; flow?: Flow };
type Give = { to: string; amount: bigint; clears?: string; inherits?: boolean; flow?: Flow };

class No extends Error {
  get code(): string {
    return this.message;
  }
}
function refuseIf(condition: boolean, code: string): void {
  if (condition) throw new No(code);
}
const bare = (wire: string) => wire.slice(4);
const minor = (money: { amount: number }) => BigInt(money.amount);
const sum = (amounts: Iterable<bigint>) => [...amounts].reduce((total, amount) => total + amount, 0n);
const ANSWERS = {
  no: 'CONSENT_DECLINED',
  late: 'CONSENT_EXPIRED',
  locked: 'CONSENT_LOCKED',
  stranger: 'CONSENT_MISMATCH',
  unasked: 'CONSENT_REQUIRED',
} as const;
/** The number of the card that scenarios bind to an electronic account. */
export const cardOf = (account: string) => `62${account.slice(-16)}`;
/** The bound card as the payer of a transfer; the bank is any branch of the one that issued it. */
export const boundPayer = (account: string) => ({ name: '张三', account: cardOf(account), bankCode: '102100099996' });
const OWN = ['own-funds', 'commission', 'marketing', 'fees'];
const BOOKS_MAX = 2n ** 53n - 1n;

export class Model {
  readonly platforms = new Map<string, ModelPlatform>();
  readonly accounts = new Map<string, ModelAccount>();
  /** By platform/number. */
  readonly orders = new Map<string, ModelOrder>();
  /** By order account/receiver. */
  readonly shares = new Map<string, { split: bigint; returned: bigint }>();
  readonly holds = new Map<string, ModelHold>();
  readonly payouts = new Map<string, ModelPayout>();
  readonly law = new Law();
  #current = '';
  readonly past = new Map<string, Given & { result: string; date: string; batch: number; corrected: boolean }>();
  /** What is decided together cannot be corrected by its own batch. */
  batch = 0;
  now = 0;
  readonly #nextWorkingDay: (date: string) => string;

  constructor(nextWorkingDay: (date: string) => string) {
    this.#nextWorkingDay = nextWorkingDay;
  }

  /** Money that is told of now stands at the bank today or, where the books are ahead, on their date. */
  #arrival(at: ModelPlatform): string {
    const today = new Date(this.now + 8 * 3_600_000).toISOString().slice(0, 10);
    return today > at.date ? today : at.date;
  }

  openPlatform(id: string, date: string, own: Readonly<Record<string, string>>, profile = 'marketplace'): void {
    this.platforms.set(id, { date, transferMax: 0n, feeMax: 0n, own, profile });
    for (const [type, account] of Object.entries(own)) this.openAccount(account, id, type, OWN.includes(type));
  }

  openAccount(id: string, platform: string, type: string, bound: boolean): void {
    this.accounts.set(id, { platform, type, bound, state: 'open', balance: 0n, held: 0n, uncleared: new Map() });
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
      for (const due of account.uncleared.keys()) if (due <= date) account.uncleared.delete(due);
    }
  }

  platform(id: string): ModelPlatform {
    return found(this.platforms.get(id), 'no such platform');
  }

  /** 'posted', or the code of the refusal, which changes nothing. */
  decide(given: Given): string {
    const result = this.#try(given);
    this.past.set(given.id, { ...given, result, date: this.platform(given.platform).date, batch: this.batch, corrected: false });
    return result;
  }

  /** Of the mandate that covers the instruction at hand: counted when it is posted. */
  #use: { mandate: string; amount: bigint } | undefined;

  /** Staff gives what a customer wants who stands at the counter. */
  #owner: Owner = 'out';

  #try(given: Given): string {
    this.#current = given.id;
    this.#owner = given.origin === 'O' ? 'counter' : 'out';
    this.#use = undefined;
    this.#result = undefined;
    try {
      found(this.#rules[given.kind], `no kind ${given.kind}`)(given, given.data as Data, this.platform(given.platform));
      this.#countUse();
      return 'posted';
    } catch (no) {
      if (no instanceof No) return no.code;
      throw no;
    }
  }

  #countUse(): void {
    const use = this.#use;
    if (use !== undefined) this.law.mandates.get(use.mandate)?.uses.push({ at: this.now, amount: use.amount });
  }

  readonly #rules: Record<string, (given: Given, data: Data, at: ModelPlatform) => void> = {
    payment: (given, data, at) => {
      const amount = minor(data.amount);
      const key = `${given.platform}/${data.orderNo}`;
      const payer = [data.payer.name, data.payer.account, data.payer.bankCode ?? ''].join('|');
      const order = this.orders.get(key) ?? {
        account: given.id,
        payerAccount: undefined,
        payer,
        refundable: data.payer.account !== '',
        paid: 0n,
        split: 0n,
        returned: 0n,
        refunded: 0n,
        came: '',
      };
      refuseIf(order.payer !== payer || order.payerAccount !== undefined, 'ORDER_PAYER_DIFFERS');
      refuseIf(order.paid + amount > BOOKS_MAX || amount - this.#account(at.own.custody).balance > BOOKS_MAX, 'BALANCE_OVERFLOW');
      if (!this.orders.has(key)) this.openAccount(given.id, given.platform, 'order', false);
      this.orders.set(key, order);
      this.#move(at, [], [{ to: order.account, amount }]);
      order.paid += amount;
      order.came = this.#arrival(at);
    },

    split: (given, data, at) => {
      const order = this.#order(given, data);
      refuseIf(new Set(data.lines.map((line) => line.account)).size < data.lines.length, 'RECEIVER_REPEATED');
      for (const line of data.lines) {
        const { type } = this.#mine(given, line.account);
        refuseIf(type !== 'sub' && type !== 'commission', 'ACCOUNT_TYPE_NOT_ALLOWED');
      }
      const amount = sum(data.lines.map((line) => minor(line.amount)));
      refuseIf(amount > this.#account(order.account).balance, 'SPLIT_EXCEEDS_ORDER');
      refuseIf(order.split + amount > BOOKS_MAX, 'BALANCE_OVERFLOW');
      const clears = this.#nextWorkingDay(order.came > at.date ? order.came : at.date);
      const gives = data.lines.map((line) => {
        return { to: bare(line.account), amount: minor(line.amount), clears };
      });
      this.#move(at, [{ from: order.account, amount }], gives);
      order.split += amount;
      for (const { to, amount: part } of gives) this.#share(order, to).split += part;
    },

    'split-return': (given, data, at) => {
      const order = this.#order(given, data);
      refuseIf(new Set(data.lines.map((line) => line.account)).size < data.lines.length, 'RECEIVER_REPEATED');
      for (const line of data.lines) this.#mine(given, line.account);
      this.#unsplit(order, data.lines, at);
    },

    refund: (given, data, at) => {
      const order = this.#order(given, data);
      const amount = minor(data.amount);
      refuseIf(amount > this.#account(order.account).balance, 'REFUND_EXCEEDS_ORDER');
      if (order.payerAccount !== undefined && this.law.accounts.get(order.payerAccount)?.state !== 'closed') {
        const clears = this.#nextWorkingDay(order.came > at.date ? order.came : at.date);
        this.#move(at, [{ from: order.account, amount }], [{ to: order.payerAccount, amount, clears, flow: 'exempt' }]);
        order.refunded += amount;
        return;
      }
      refuseIf(!order.refundable, 'REFUND_ACCOUNT_MISSING');
      this.#move(at, [{ from: order.account, amount }], [{ to: inTransit(at), amount }]);
      order.refunded += amount;
      this.#makePayout(given, { source: order.account, order, amount });
    },

    transfer: (given, data, at) => {
      const from = this.#mine(given, data.from);
      const to = this.#mine(given, data.to as string);
      refuseIf(data.from === data.to, 'SAME_ACCOUNT');
      const amount = minor(data.amount);
      if (!(OWN.includes(from.type) && (OWN.includes(to.type) || to.type === 'sub'))) {
        refuseIf(from.type !== 'sub' || to.type !== 'sub', 'ACCOUNT_TYPE_NOT_ALLOWED');
        withinTerms(amount, at.transferMax);
      }
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
      this.holds.set(given.id, { platform: given.platform, account: bare(data.account), expires, left: amount });
    },

    release: (given, data) => {
      const hold = this.#hold(given, data);
      const asked = data.amount as Data['amount'] | undefined;
      const amount = asked === undefined ? hold.left : minor(asked);
      refuseIf(amount > hold.left, 'CAPTURE_EXCEEDS_HOLD');
      hold.left -= amount;
      this.#account(hold.account).held -= amount;
    },

    capture: (given, data, at) => {
      const hold = this.#hold(given, data);
      refuseIf(hold.expires !== undefined && hold.expires <= this.now, 'HOLD_ENDED');
      refuseIf(this.#mine(given, data.to as string).type !== 'sub', 'ACCOUNT_TYPE_NOT_ALLOWED');
      refuseIf(bare(data.to as string) === hold.account, 'SAME_ACCOUNT');
      const amount = minor(data.amount);
      withinTerms(amount, at.transferMax);
      refuseIf(amount > hold.left, 'CAPTURE_EXCEEDS_HOLD');
      this.#move(at, [{ from: hold.account, amount, freed: amount }], [{ to: bare(data.to as string), amount, inherits: true }]);
      hold.left -= amount;
      this.#account(hold.account).held -= amount;
    },

    withdrawal: (given, data, at) => this.#payOut(given, data, at),
    clearing: (given, data, at) => this.#payOut(given, data, at),

    fee: (given, data, at) => {
      refuseIf(this.#mine(given, data.account).type !== 'sub', 'ACCOUNT_TYPE_NOT_ALLOWED');
      const amount = minor(data.amount);
      withinTerms(amount, at.feeMax);
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
      this.#mine(given, data.account);
      refuseIf(!this.law.accounts.has(bare(data.account)), 'ACCOUNT_TYPE_NOT_ALLOWED');
      const card = boundPayer(bare(data.account));
      const { payer } = data;
      const isCard = payer.name === card.name && payer.account === card.account && /^102/.test(payer.bankCode ?? '');
      const flow: Flow = isCard ? 'bound' : 'unbound';
      const clears = this.#nextWorkingDay(this.#arrival(at));
      this.#move(at, [], [{ to: bare(data.account), amount: minor(data.amount), clears, flow }]);
    },

    'account-payment': (given, data, at) => {
      this.#mine(given, data.from);
      refuseIf(!this.law.accounts.has(bare(data.from)), 'ACCOUNT_TYPE_NOT_ALLOWED');
      const amount = minor(data.amount);
      const take: Take = { from: bare(data.from), amount, how: 'uncleared-first', flow: 'unbound' };
      const to = data.to as { orderNo: string } | { account: string };
      if ('account' in to) {
        refuseIf(this.#mine(given, to.account).type !== 'sub', 'ACCOUNT_TYPE_NOT_ALLOWED');
        this.#pass([take], []);
        this.#willed(given, { account: take.from, amount, payee: bare(to.account) });
        this.#move(at, [take], [{ to: bare(to.account), amount, inherits: true }]);
        return;
      }
      const key = `${given.platform}/${to.orderNo}`;
      const counters = { paid: 0n, split: 0n, returned: 0n, refunded: 0n };
      const order: ModelOrder = this.orders.get(key) ?? {
        ...{ account: given.id, payerAccount: take.from, payer: '', refundable: true, ...counters, came: '' },
      };
      refuseIf(order.payerAccount !== take.from, 'ORDER_PAYER_DIFFERS');
      refuseIf(order.paid + amount > BOOKS_MAX, 'BALANCE_OVERFLOW');
      this.#pass([take], []);
      this.#willed(given, { account: take.from, amount, order: to.orderNo });
      this.#mayTake(take);
      if (!this.orders.has(key)) this.openAccount(given.id, given.platform, 'order', false);
      this.orders.set(key, order);
      this.#move(at, [take], [{ to: order.account, amount }]);
      order.paid += amount;
      order.came = this.#arrival(at);
    },

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
      refuseIf(state === 'frozen', 'ACCOUNT_FROZEN');
      const waits = [...this.payouts.values()].some((payout) => payout.source === id && payout.suspended);
      refuseIf(held > 0n || this.#underWay(id) > 0n || waits, 'ACCOUNT_NOT_EMPTY');
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
      if (payout.collects) {
        const today = this.#arrival(at);
        const to = this.#creditable(payout, 'bound', at);
        this.#move(at, [], [{ to, amount: payout.amount, clears: this.#nextWorkingDay(today), flow: 'bound' }]);
        payout.suspended = to !== payout.source;
      } else this.#move(at, [{ from: inTransit(at), amount: payout.amount }], []);
      payout.state = 'settled';
      this.#endClosing(payout, true);
    },

    'payout-failed': (given, data, at) => {
      const payout = this.#payout(given, data, data.unsent ? ['created'] : ['sent', 'unknown']);
      refuseIf(data.unsent && !payout.collects, 'PAYOUT_STATE_CONFLICT');
      if (!payout.collects) {
        const to = this.#creditable(payout, 'back', at);
        this.#move(at, [{ from: inTransit(at), amount: payout.amount }], [{ to, amount: payout.amount, flow: 'back' }]);
        payout.suspended = to !== payout.source;
      }
      if (payout.order !== undefined) payout.order.refunded -= payout.amount;
      payout.state = 'failed';
      this.#endClosing(payout, false);
    },

    'payout-returned': (given, data, at) => {
      const payout = this.#payout(given, data, ['settled']);
      refuseIf(payout.collects, 'PAYOUT_STATE_CONFLICT');
      const to = this.#creditable(payout, 'exempt', at);
      this.#move(at, [], [{ to, amount: payout.amount, flow: 'exempt' }]);
      payout.suspended = to !== payout.source;
      if (payout.order !== undefined) payout.order.refunded -= payout.amount;
      payout.state = 'returned';
    },

    correction: (given, data, at) => {
      const past = this.past.get(bare(data.instruction));
      refuseIf(past === undefined || past.platform !== given.platform || past.batch === this.batch, 'INSTRUCTION_NOT_FOUND');
      if (past === undefined) return;
      refuseIf(past.result !== 'posted' || this.#undo[past.kind] === undefined, 'NOT_CORRECTABLE');
      refuseIf(past.corrected, 'ALREADY_CORRECTED');
      if (given.origin === 'P') {
        refuseIf(
          ['payment', 'own-transfer'].includes(past.kind) || past.origin !== 'P' || past.date !== at.date,
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
    payment: (past, data, at) => {
      const order = this.#order(past, data);
      this.#move(at, [{ from: order.account, amount: minor(data.amount) }], []);
      order.paid -= minor(data.amount);
    },
    split: (past, data, at) => this.#unsplit(this.#order(past, data), largestFirst(data.lines), at),
    transfer: (_past, data, at) => this.#giveBack(at, bare(data.to as string), bare(data.from), data),
    'account-payment': (past, data, at) => {
      if (typeof data.to === 'object' && 'orderNo' in data.to) {
        const order = found(this.orders.get(`${past.platform}/${data.to.orderNo}`), 'the order of a payment');
        this.#giveBack(at, order.account, bare(data.from), data);
        order.paid -= minor(data.amount);
      } else this.#giveBack(at, bare((data.to as { account: string }).account), bare(data.from), data);
    },
    'own-transfer': (_past, data, at) => this.#giveBack(at, bare(data.to as string), bare(data.from), data),
    fee: (_past, data, at) => this.#giveBack(at, at.own.fees as string, bare(data.account), data),
  };

  #giveBack(at: ModelPlatform, from: string, to: string, data: Data): void {
    const amount = minor(data.amount);
    this.#move(at, [{ from, amount, how: 'uncleared-first' }], [{ to, amount, inherits: true }]);
  }

  /** Checks all, then moves all. What is not given to an account leaves custody, what is not taken from one comes in. */
  #move(at: ModelPlatform, takes: readonly Take[], gives: readonly Give[]): void {
    const custody = this.#account(at.own.custody);
    const incoming = sum(gives.map((give) => give.amount)) - sum(takes.map((take) => take.amount));
    refuseIf(incoming - custody.balance > BOOKS_MAX, 'BALANCE_OVERFLOW');
    this.#pass(takes, gives);
    for (const take of takes) this.#mayTake(take);
    for (const give of gives) refuseIf(this.#account(give.to).state === 'closed', 'ACCOUNT_CLOSED');
    for (const passing of this.#passings(takes, gives)) this.law.made(passing, this.#current, this.now);
    custody.balance -= incoming;
    const carried = takes.flatMap((take) => this.#take(take));
    for (const { to, amount, clears, inherits } of gives) {
      const account = this.#account(to);
      account.balance += amount;
      const waiting: [string, bigint][] = clears === undefined ? (inherits ? carried : []) : [[clears, amount]];
      for (const [due, part] of waiting) account.uncleared.set(due, (account.uncleared.get(due) ?? 0n) + part);
    }
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

  /** The payout of a closing has its result. */
  #endClosing(payout: ModelPayout, arrived: boolean): void {
    const account = this.law.accounts.get(payout.source);
    if (account?.state !== 'closing' || !payout.closes) return;
    if (arrived && this.#account(payout.source).balance === 0n) this.#closeElectronic(payout.source);
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

  #mayTake({ from, amount, how, freed = 0n }: Take): void {
    const account = this.#account(from);
    refuseIf(account.state === 'closed', 'ACCOUNT_CLOSED');
    refuseIf(account.state === 'frozen', 'ACCOUNT_FROZEN');
    refuseIf(amount > account.balance - account.held + freed, 'FUNDS_INSUFFICIENT');
    const uncleared = sum(account.uncleared.values());
    const kept = uncleared > account.held ? uncleared : account.held;
    refuseIf(how === 'cleared-only' && amount > account.balance - kept, 'FUNDS_UNCLEARED');
  }

  /** Answers the uncleared money that went: as little as possible, or as much; what clears last goes first. */
  #take({ from, amount, how }: Take): [string, bigint][] {
    const account = this.#account(from);
    const cleared = account.balance - sum(account.uncleared.values());
    account.balance -= amount;
    const gone: [string, bigint][] = [];
    let rest = how === 'uncleared-first' ? amount : amount - cleared;
    for (const due of [...account.uncleared.keys()].sort().reverse()) {
      const there = account.uncleared.get(due) ?? 0n;
      const part = rest < there ? rest : there;
      if (part <= 0n) continue;
      gone.push([due, part]);
      account.uncleared.set(due, there - part);
      if (part === there) account.uncleared.delete(due);
      rest -= part;
    }
    return gone;
  }

  #unsplit(order: ModelOrder, lines: Data['lines'], at: ModelPlatform): void {
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
    this.#move(at, takes, [{ to: order.account, amount }]);
    if (isYoung) order.came = this.#arrival(at);
    order.returned += amount;
    for (const take of takes) this.#share(order, take.from).returned += take.amount;
  }

  #payOut(given: Given, data: Data, at: ModelPlatform): void {
    const account = this.#mine(given, data.account);
    const electronic = this.law.accounts.has(bare(data.account)) && given.kind === 'withdrawal';
    refuseIf(account.type !== 'sub' && !OWN.includes(account.type) && !electronic, 'ACCOUNT_TYPE_NOT_ALLOWED');
    refuseIf(!account.bound, 'SETTLEMENT_ACCOUNT_MISSING');
    const amount = minor(data.amount);
    const take: Take = { from: bare(data.account), amount, how: 'cleared-only', flow: 'bound' };
    this.#pass([take], []);
    this.#willed(given, { account: bare(data.account), amount, payee: bare(data.account) });
    this.#move(at, [take], [{ to: inTransit(at), amount }]);
    this.#makePayout(given, { source: bare(data.account), order: undefined, amount });
  }

  /** His own word for exactly this, or his standing one. */
  #willed(given: Given, debit: { account: string; amount: bigint; payee?: string; order?: string }): void {
    if (!this.law.accounts.has(debit.account)) return;
    const { mandate, voucher } = given.data as Partial<Data>;
    if (given.origin === 'O') {
      const toHimself = debit.order === undefined && (debit.payee ?? debit.account) === debit.account;
      refuseIf(!toHimself || voucher === undefined, 'VOUCHER_MISSING');
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

  #makePayout(given: Given, of: Pick<ModelPayout, 'source' | 'order' | 'amount'>): void {
    this.payouts.set(given.id, {
      platform: given.platform,
      state: 'created',
      suspended: false,
      collects: given.kind === 'top-up',
      closes: given.kind === 'account-closing',
      ...of,
    });
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

function found<T>(value: T | undefined, otherwise: string): T {
  if (value === undefined) throw new Error(otherwise);
  return value;
}

const UNDER_WAY = ['created', 'sent', 'unknown'];
const plusDays = (date: string, days: number) => new Date(Date.parse(date) + days * 86_400_000).toISOString().slice(0, 10);
const dayAfter = (date: string) => plusDays(date, 1);
const dayBefore = (date: string) => plusDays(date, -1);

function inTransit(at: ModelPlatform): string {
  return at.own['in-transit'] as string;
}

function withinTerms(amount: bigint, max: bigint): void {
  refuseIf(max === 0n, 'PROOF_MISSING');
  refuseIf(amount > max, 'TERMS_EXCEEDED');
}

/** A correction takes the largest part first, and of equal ones the account that was opened first. */
function largestFirst(lines: Data['lines']): Data['lines'] {
  return [...lines].sort((a, b) => b.amount.amount - a.amount.amount || (a.account < b.account ? -1 : 1));
}
