import type { Data, Given } from '../given.js';
import { bare, dayAfter, dayBefore, found, type Give, minor, No, refuseIf, sum, type Take } from './books.js';

/** The savings pot in plain maps, by the rules of the house: what is bought stands on the collection account until it is settled. */
export interface ModelFund {
  readonly kind: 'money' | 'other';
  readonly settlesIn: number;
  readonly sells: boolean;
}

interface Day {
  readonly from: string;
  readonly nav: bigint;
  readonly per10k: bigint | undefined;
}

interface Holding {
  readonly platform: string;
  units: bigint;
  frozen: bigint;
  pending: bigint;
  due: bigint;
  incomeTo: string | undefined;
  income: bigint;
}

export interface ModelFundOrder {
  readonly id: string;
  readonly platform: string;
  readonly account: string;
  readonly fund: string;
  readonly way: 'direct' | 'pot' | 'ordinary' | 'fast' | 'exchange';
  amount: bigint;
  units: bigint;
  state: string;
  traded: string | undefined;
  settles: string | undefined;
  collected: bigint;
  readonly partner: string | undefined;
  paidBy: string | undefined;
}

interface FundData extends Data {
  fund: string;
  units: string;
  way: 'ordinary' | 'fast' | 'fast-or-ordinary';
  order: string;
  orders: never;
  date: string;
  nav: string;
}

/** What funds use of the bank that they belong to. */
export interface FundHands {
  now(): number;
  parameter(name: string): bigint;
  /** Whose account it is; refused where it is not there or no electronic one of this platform's. */
  orderer(given: Given, wire: string): string;
  /** Refused where he may do no business now. */
  mayAct(account: string): void;
  opens(id: string, platform: string, type: string): void;
  forget(id: string): void;
  /** Whose account it is. */
  owner(account: string): string;
  balance(account: string): { there: bigint; balance: bigint };
  pass(takes: readonly Take[], gives: readonly Give[]): void;
  willed(given: Given, of: { account: string; amount: bigint; payee?: string; fund?: string; order?: string }): void;
  move(given: Given, takes: readonly Take[], gives: readonly Give[]): void;
  /** When money that comes in now may leave. */
  clears(given: Given): string;
  payOut(given: Given, source: string, amount: bigint): void;
  inTransit(given: Given): string;
  /** A payment to an order or an account, with the money of `from` that the caller names. */
  pays(given: Given, take: Take, before: () => void): void;
}

export class Funds {
  readonly funds = new Map<string, ModelFund>();
  readonly days = new Map<string, Day>();
  readonly holdings = new Map<string, Holding>();
  readonly orders = new Map<string, ModelFundOrder>();
  readonly fast = new Map<string, bigint>();
  readonly books = new Map<string, { collection: string; advance: string; advanced: bigint }>();
  readonly #hands: FundHands;
  readonly #isTrading: (date: string) => boolean;

  constructor(hands: FundHands, nextWorkingDay: (date: string) => string) {
    this.#hands = hands;
    this.#isTrading = (date) => {
      const weekday = new Date(`${date}T00:00:00Z`).getUTCDay();
      return weekday % 6 !== 0 && nextWorkingDay(dayBefore(date)) === date;
    };
  }

  get #today(): string {
    return new Date(this.#hands.now() + 8 * 3_600_000).toISOString().slice(0, 10);
  }

  #after(date: string, days: number): string {
    let day = date;
    for (let left = days; left > 0; ) {
      day = dayAfter(day);
      if (this.#isTrading(day)) left -= 1;
    }
    return day;
  }

  #tradingDay(): string {
    const inTime = new Date(this.#hands.now() + 8 * 3_600_000).getUTCHours() < 15;
    return inTime && this.#isTrading(this.#today) ? this.#today : this.#after(this.#today, 1);
  }

  /** What the company says of a day. */
  told(fund: string, date: string, { from, nav, per10k }: Day): string {
    const of = this.funds.get(fund);
    if (of === undefined) return 'FUND_NOT_FOUND';
    const known = [...this.days.keys()].filter((key) => key.startsWith(fund)).sort();
    const last = known.at(-1)?.slice(7);
    if (last !== undefined && date <= last) {
      const day = this.days.get(`${fund}:${date}`);
      return day?.from === from && day.nav === nav && day.per10k === per10k ? 'known' : 'FUND_DAY_DIFFERS';
    }
    if (date > this.#today || from > date) return 'FUND_DAY_WRONG';
    const isMoney = of.kind === 'money';
    if (isMoney && (nav !== 10_000n || per10k === undefined || (last !== undefined && from !== dayAfter(last))))
      return 'FUND_DAY_WRONG';
    if (isMoney)
      for (let day = dayAfter(from); day <= date; day = dayAfter(day)) if (this.#isTrading(day)) return 'FUND_DAY_WRONG';
    if (!isMoney && (per10k !== undefined || from !== date || !this.#isTrading(date))) return 'FUND_DAY_WRONG';
    this.days.set(`${fund}:${date}`, { from, nav, per10k });
    return 'taken';
  }

  /** The orders of a trading day are with the company. */
  send(): string[] {
    const isClosed = (date: string) => this.#hands.now() >= Date.parse(`${date}T15:00:00+08:00`);
    const sent = [...this.orders.values()].filter(({ state, traded }) => state === 'created' && isClosed(traded ?? '9999-12-31'));
    for (const order of sent) order.state = 'sent';
    return sent.map(({ id }) => id).sort();
  }

  /** Whether anything of funds is on an account, or will be. */
  isHeld(account: string): boolean {
    return [...this.holdings].some(([key, of]) => key.startsWith(account) && (of.units > 0n || of.pending > 0n || of.due > 0n));
  }

  /** A payment to a fund that did not arrive: its purchases have their money again. */
  unsettle(payout: string): void {
    for (const order of this.orders.values())
      if (order.paidBy === payout) Object.assign(order, { state: 'confirmed', collected: order.amount, paidBy: undefined });
  }

  #book(given: Given) {
    const known = this.books.get(given.platform);
    if (known !== undefined) return known;
    const [collection, advance] = [2n, 3n].map((place) => String(BigInt(given.id) + place)) as [string, string];
    return { collection, advance, advanced: 0n };
  }

  /** Written down when nothing is in the way any more. */
  #open(given: Given, { collection, advance }: { collection: string; advance: string }): void {
    if (this.books.has(given.platform)) return;
    this.#hands.opens(collection, given.platform, 'fund-collection');
    this.#hands.opens(advance, given.platform, 'fund-advance');
    this.books.set(given.platform, { collection, advance, advanced: 0n });
  }

  /** Undoes what `#open` did for a movement that was refused. */
  #tried(given: Given, work: () => void): void {
    const known = this.books.has(given.platform);
    try {
      work();
    } catch (no) {
      const book = this.books.get(given.platform);
      if (!known && book !== undefined) {
        for (const id of [book.collection, book.advance]) this.#hands.forget(id);
        this.books.delete(given.platform);
      }
      throw no;
    }
  }

  #ordering(given: Given, wire: string, code: string): { account: string; fund: ModelFund; holding: Holding | undefined } {
    const account = this.#hands.orderer(given, wire);
    const fund = this.funds.get(code);
    if (fund === undefined) throw new No('FUND_NOT_FOUND');
    this.#hands.mayAct(account);
    return { account, fund, holding: this.holdings.get(`${account}:${code}`) };
  }

  #holding(platform: string, account: string, fund: string): Holding {
    const key = `${account}:${fund}`;
    const known = this.holdings.get(key);
    if (known !== undefined) return known;
    const made = { platform, units: 0n, frozen: 0n, pending: 0n, due: 0n, incomeTo: undefined, income: 0n };
    this.holdings.set(key, made);
    return made;
  }

  #order(given: Given, of: Pick<ModelFundOrder, 'account' | 'fund' | 'way'> & Partial<ModelFundOrder>): void {
    const order: ModelFundOrder = {
      ...{ id: given.id, platform: given.platform, amount: 0n, units: 0n, state: 'created', traded: this.#tradingDay() },
      ...{ settles: undefined, collected: 0n, partner: undefined, paidBy: undefined, ...of },
    };
    this.orders.set(order.id, order);
  }

  #freeUnits(holding: Holding | undefined): bigint {
    return holding === undefined ? 0n : holding.units - holding.frozen;
  }

  /** Why nothing is paid at once. */
  #notAtOnce(given: Given, of: { account: string; code: string; owner: string; units: bigint }): string | undefined {
    if (this.funds.get(of.code)?.kind !== 'money') return 'FUND_KIND';
    if (this.#freeUnits(this.holdings.get(`${of.account}:${of.code}`)) < of.units) return 'FUND_UNITS_SHORT';
    const used = this.fast.get(`${of.owner}:${of.code}:${this.#today}`) ?? 0n;
    if (used + of.units > this.#hands.parameter('fund-redemption.fast-day')) return 'FUND_FAST_LIMIT';
    const book = this.books.get(given.platform);
    const ceiling = this.#hands.parameter('fund-redemption.advance-ceiling');
    const short = book === undefined || this.#hands.balance(book.advance).there < of.units || book.advanced + of.units > ceiling;
    return short ? 'FUND_ADVANCE_SHORT' : undefined;
  }

  #paidAtOnce(given: Given, of: { account: string; code: string; owner: string; units: bigint }): void {
    const key = `${of.owner}:${of.code}:${this.#today}`;
    this.fast.set(key, (this.fast.get(key) ?? 0n) + of.units);
    found(this.books.get(given.platform), 'no advance').advanced += of.units;
    this.#holding(given.platform, of.account, of.code).frozen += of.units;
    this.#order(given, { account: of.account, fund: of.code, way: 'fast', units: of.units });
  }

  #sent(data: FundData): ModelFundOrder & { holding: Holding } {
    const order = this.orders.get(bare(data.order));
    if (order === undefined) throw new No('FUND_ORDER_NOT_FOUND');
    refuseIf(order.state !== 'sent', 'FUND_ORDER_STATE');
    return Object.assign(order, { holding: this.#holding(order.platform, order.account, order.fund) });
  }

  #lacksIncome(fund: string, holding: Holding, date: string): void {
    if (this.funds.get(fund)?.kind !== 'money') return;
    if (holding.units === 0n && (holding.incomeTo === undefined || holding.incomeTo < date)) return;
    refuseIf(holding.incomeTo !== dayBefore(date), 'FUND_INCOME_ORDER');
  }

  readonly rules: Record<string, (given: Given, data: Data) => void> = {
    'fund-subscription': (given, of) => {
      const data = of as FundData;
      const { account, fund } = this.#ordering(given, data.account, data.fund);
      refuseIf(!fund.sells, 'FUND_NOT_SOLD');
      const amount = minor(data.amount);
      const take: Take = { from: account, amount, how: 'uncleared-first', flow: 'product' };
      const book = this.#book(given);
      this.#hands.pass([take], []);
      this.#hands.willed(given, { account, amount, fund: data.fund });
      this.#tried(given, () => {
        refuseIf(this.#hands.balance(account).there < amount, 'FUNDS_INSUFFICIENT');
        this.#open(given, book);
        this.#hands.move(given, [take], [{ to: book.collection, amount, inherits: true }]);
      });
      this.#holding(given.platform, account, data.fund).pending += amount;
      this.#order(given, { account, fund: data.fund, way: 'direct', amount, collected: amount });
    },

    'fund-redemption': (given, of) => {
      const data = of as FundData;
      const { account, holding } = this.#ordering(given, data.account, data.fund);
      const units = data.units === 'all' ? this.#freeUnits(holding) : BigInt(data.units);
      refuseIf(units === 0n, 'FUND_UNITS_SHORT');
      const asked = { account, code: data.fund, owner: this.#hands.owner(account), units };
      const no = data.way === 'ordinary' ? undefined : this.#notAtOnce(given, asked);
      const later = data.way === 'ordinary' || (no !== undefined && no !== 'FUND_UNITS_SHORT' && data.way !== 'fast');
      if (no !== undefined && !later) throw new No(no);
      const willing = () => this.#hands.willed(given, { account, amount: units, payee: account });
      if (later) {
        refuseIf(this.#freeUnits(holding) < units, 'FUND_UNITS_SHORT');
        willing();
        this.#holding(given.platform, account, data.fund).frozen += units;
        this.#order(given, { account, fund: data.fund, way: 'ordinary', units });
        return;
      }
      const give: Give = { to: account, amount: units, inherits: true, flow: 'product' };
      this.#hands.pass([], [give]);
      willing();
      const book = found(this.books.get(given.platform), 'no advance');
      this.#hands.move(given, [{ from: book.advance, amount: units }], [give]);
      this.#paidAtOnce(given, asked);
    },

    'fund-exchange': (given, of) => {
      const data = of as FundData;
      const { account, fund } = this.#ordering(given, data.account, data.fund);
      const pot = this.#ordering(given, data.account, data.from);
      refuseIf(data.fund === data.from || pot.fund.kind !== 'money', 'FUND_KIND');
      refuseIf(!fund.sells, 'FUND_NOT_SOLD');
      const amount = minor(data.amount);
      refuseIf(this.#freeUnits(pot.holding) < amount, 'FUND_UNITS_SHORT');
      this.#hands.willed(given, { account, amount, fund: data.fund });
      this.#open(given, this.#book(given));
      const partner = String(BigInt(given.id) + 1n);
      this.#holding(given.platform, account, data.from).frozen += amount;
      this.#holding(given.platform, account, data.fund).pending += amount;
      this.#order(given, { account, fund: data.fund, way: 'pot', amount, partner });
      this.#order(given, {
        ...{ id: partner, account, fund: data.from, way: 'exchange', units: amount, partner: given.id },
        ...{ state: 'waiting', traded: undefined },
      });
    },

    'pot-payment': (given, of) => {
      const data = of as FundData;
      const { account } = this.#ordering(given, data.from, data.fund);
      const amount = minor(data.amount);
      const asked = { account, code: data.fund, owner: this.#hands.owner(account), units: amount };
      const advance = this.books.get(given.platform)?.advance ?? '';
      this.#hands.pays(given, { from: advance, amount }, () => {
        const no = this.#notAtOnce(given, asked);
        if (no !== undefined) throw new No(no);
      });
      this.#paidAtOnce(given, asked);
    },

    'fund-confirmation': (_given, of) => {
      const data = of as FundData;
      const order = this.#sent(data);
      const { holding } = order;
      const fund = found(this.funds.get(order.fund), 'no such fund');
      const traded = order.traded ?? '';
      refuseIf(data.date <= traded, 'FUND_CONFIRMATION_DIFFERS');
      const told = fund.kind === 'money' ? 10_000n : this.days.get(`${order.fund}:${traded}`)?.nav;
      if (told === undefined) throw new No('FUND_DAY_MISSING');
      const [nav, units, amount] = [BigInt(data.nav), BigInt(data.units), minor(data.amount)];
      const buys = order.way === 'direct' || order.way === 'pot';
      const half = (value: bigint, by: bigint) => (2n * value + by) / (2n * by);
      const right = buys
        ? amount === order.amount && units === half(order.amount * 10_000n, told)
        : units === order.units && amount === half(order.units * told, 10_000n);
      refuseIf(nav !== told || !right, 'FUND_CONFIRMATION_DIFFERS');
      this.#lacksIncome(order.fund, holding, data.date);
      if (buys) {
        holding.pending -= amount;
        holding.units += units;
        if (fund.kind === 'money') holding.incomeTo = dayBefore(data.date);
        const settles = this.#after(order.way === 'pot' ? data.date : traded, fund.settlesIn);
        order.settles = settles < data.date ? data.date : settles;
        const partner = this.orders.get(order.partner ?? '');
        if (partner !== undefined) Object.assign(partner, { state: 'created', traded: this.#tradingDay() });
      } else {
        holding.units -= units;
        holding.frozen -= units;
        if (order.way === 'ordinary') holding.due += amount;
      }
      Object.assign(order, { state: buys || amount > 0n ? 'confirmed' : 'settled', units, amount });
    },

    'fund-failure': (given, of) => {
      const order = this.#sent(of as FundData);
      const { holding } = order;
      if (order.way === 'fast' || order.way === 'exchange') {
        Object.assign(order, { state: 'created', traded: this.#tradingDay() });
        return;
      }
      if (order.way === 'direct') {
        const from = this.#book(given).collection;
        const { account: to, amount } = order;
        this.#hands.move(given, [{ from, amount }], [{ to, amount, inherits: true, flow: 'back' }]);
      }
      if (order.way === 'ordinary') holding.frozen -= order.units;
      else holding.pending -= order.amount;
      Object.assign(order, { state: 'failed', collected: 0n });
      const partner = this.orders.get(order.partner ?? '');
      if (partner === undefined) return;
      partner.state = 'failed';
      this.#holding(given.platform, partner.account, partner.fund).frozen -= partner.units;
    },

    'fund-income': (_given, of) => {
      const data = of as FundData;
      const fund = this.funds.get(data.fund);
      const holding = this.holdings.get(`${bare(data.account)}:${data.fund}`);
      if (fund === undefined || holding === undefined) throw new No('FUND_NOT_FOUND');
      refuseIf(fund.kind !== 'money', 'FUND_KIND');
      const day = this.days.get(`${data.fund}:${data.date}`);
      if (day === undefined) throw new No('FUND_DAY_MISSING');
      refuseIf(holding.incomeTo === undefined || dayAfter(holding.incomeTo) !== day.from, 'FUND_INCOME_ORDER');
      const units = (holding.units * (day.per10k ?? 0n)) / 100_000_000n;
      refuseIf(data.units !== undefined && BigInt(data.units) !== units, 'FUND_INCOME_DIFFERS');
      Object.assign(holding, { units: holding.units + units, income: holding.income + units, incomeTo: data.date });
    },

    'fund-proceeds': (given, of) => {
      const data = of as unknown as FundData & { orders: string[] };
      const orders = this.#confirmed(data, data.orders, ['ordinary', 'fast', 'exchange']);
      refuseIf(
        orders.some(({ collected }) => collected > 0n),
        'FUND_ORDER_STATE',
      );
      const amount = minor(data.amount);
      refuseIf(sum(orders.map((order) => order.amount)) !== amount, 'FUND_PROCEEDS_DIFFER');
      const { collection: to } = this.#book(given);
      this.#hands.move(given, [], [{ to, amount, clears: this.#hands.clears(given) }]);
      for (const order of orders) {
        if (order.way === 'exchange') {
          order.state = 'settled';
          found(this.orders.get(order.partner ?? ''), 'no purchase').collected += order.amount;
        } else order.collected = order.amount;
      }
    },

    'fund-proceeds-paid': (given, of) => {
      const order = this.orders.get(bare((of as FundData).order));
      if (order === undefined || order.way === 'direct' || order.way === 'pot') throw new No('FUND_ORDER_NOT_FOUND');
      const { amount } = order;
      refuseIf(order.state !== 'confirmed' || order.collected === 0n, 'FUND_ORDER_STATE');
      const book = found(this.books.get(given.platform), 'no collection account');
      const isFast = order.way === 'fast';
      const give: Give = isFast
        ? { to: book.advance, amount, inherits: true }
        : { to: order.account, amount, inherits: true, flow: 'product' };
      this.#hands.move(given, [{ from: book.collection, amount, how: 'uncleared-first' }], [give]);
      if (isFast) book.advanced -= amount;
      else this.#holding(order.platform, order.account, order.fund).due -= amount;
      Object.assign(order, { state: 'settled', collected: 0n });
    },

    'fund-settlement': (given, of) => {
      const data = of as unknown as FundData & { orders: string[] };
      if (!this.funds.has(data.fund)) throw new No('FUND_NOT_FOUND');
      const orders = this.#confirmed(data, data.orders, ['direct', 'pot']);
      refuseIf(
        orders.some(({ settles, collected, amount }) => (settles ?? '9') > this.#today || collected !== amount),
        'FUND_ORDER_STATE',
      );
      const amount = sum(orders.map((order) => order.amount));
      const { collection: from } = this.#book(given);
      this.#hands.move(given, [{ from, amount, how: 'cleared-only' }], [{ to: this.#hands.inTransit(given), amount }]);
      this.#hands.payOut(given, from, amount);
      for (const order of orders) Object.assign(order, { state: 'settled', collected: 0n, paidBy: given.id });
    },

    'fund-advance': (given, of) => {
      const data = of as FundData;
      const book = this.#book(given);
      const amount = minor(data.amount);
      this.#tried(given, () => {
        this.#open(given, book);
        if ((data.direction as string) === 'out') {
          this.#hands.move(given, [{ from: book.advance, amount, how: 'cleared-only' }], []);
          return;
        }
        const there = this.#hands.balance(book.advance).balance + book.advanced;
        refuseIf(there + amount > this.#hands.parameter('fund-redemption.advance-ceiling'), 'FUND_ADVANCE_CEILING');
        this.#hands.move(given, [], [{ to: book.advance, amount, clears: this.#hands.clears(given) }]);
      });
    },
  };

  #confirmed(data: FundData, ids: readonly string[], ways: readonly string[]): ModelFundOrder[] {
    return ids.map((id) => {
      const order = this.orders.get(bare(id));
      if (order?.fund !== data.fund || !ways.includes(order.way)) throw new No('FUND_ORDER_NOT_FOUND');
      refuseIf(order.state !== 'confirmed', 'FUND_ORDER_STATE');
      return order;
    });
  }

  /** As the books are drawn, to be compared. */
  picture(): Record<string, string> {
    const picture: Record<string, string> = {};
    for (const [key, h] of this.holdings)
      picture[`holding ${key}`] =
        `${h.units} frozen ${h.frozen} pending ${h.pending} due ${h.due} income ${h.income} to ${h.incomeTo ?? 'none'}`;
    for (const o of this.orders.values())
      picture[`fund order ${o.id}`] =
        `${o.account} ${o.fund} ${o.way} ${o.amount} units ${o.units} ${o.state} on ${o.traded ?? 'none'} settles ${o.settles ?? 'none'} collected ${o.collected}`;
    for (const [platform, b] of this.books)
      picture[`fund book ${platform}`] = `${b.collection} ${b.advance} advanced ${b.advanced}`;
    return picture;
  }
}
