import { addDays, type BusinessDate, type Minor, mulDivHalfUp } from '../../../kernel/index.js';
import type {
  FundApplication,
  FundConfirmation,
  FundDividend,
  FundHolding,
  FundQuote,
  FundRecords,
  FundUnits,
} from '../../funds/index.js';
import type { Faults, FundFault } from '../faults.js';

/** What the outside world knows of a fund. */
export interface SimulatedFund {
  readonly code: string;
  readonly company: string;
  readonly kind: 'money' | 'other';
  /** After so many trading days from T the money of a redemption comes. */
  readonly paysIn: number;
  /** Whether it takes purchases; what it does not take is refused. */
  readonly sells: boolean;
}

/** What a company makes known on a trading day of those before. */
export type FundDayFiles = { readonly [K in keyof FundRecords]: readonly FundRecords[K][] };

interface Order extends FundApplication {
  state: 'received' | 'confirmed' | 'failed';
  confirmation?: FundConfirmation;
}

/** Money that a company owes for a redemption, and when it pays it. */
export interface FundPayment {
  readonly orderNo: string;
  readonly fund: string;
  readonly depositAccount: string;
  readonly amount: Minor;
  readonly payOn: BusinessDate;
}

/** The trading days of the exchange, which the company goes by. */
export interface TradingDays {
  before(date: BusinessDate): BusinessDate;
  after(date: BusinessDate, n: number): BusinessDate;
}

const NAV_ONE = 10_000n;
const REFUSED = '0001';
const DONE = '0000';

/** A fund company with its registrar (基金公司): its own books of who has how many units, and what it tells of them. Amounts in fen, units in hundredths. */
export class FundCompany {
  readonly code: string;
  /** Who hands in its orders; the first who does. */
  distributor: string | undefined;
  readonly orders = new Map<string, Order>();
  /** By account, then by fund. */
  readonly holdings = new Map<string, { readonly account: string; readonly fund: string; units: FundUnits }>();
  /** The trading day whose files were made last; the first orders begin it. */
  madeTo: BusinessDate | undefined;
  readonly payments: FundPayment[] = [];
  readonly #faults: Faults;
  /** Confirmations that a fault keeps back: when they come, if ever. */
  readonly #keptBack: { readonly confirmation: FundConfirmation; readonly on: BusinessDate }[] = [];
  #serial = 0;

  constructor(code: string, faults: Faults) {
    this.code = code;
    this.#faults = faults;
  }

  /** Takes orders; one that was taken before stays what it was. */
  take(applications: readonly FundApplication[]): void {
    for (const each of applications)
      if (!this.orders.has(each.orderNo)) this.orders.set(each.orderNo, { ...each, state: 'received' });
  }

  /**
   * What happens on a trading day: income of the days since the last one, then what was ordered until then. Answers what is told of it, and what is so.
   * @param quoteOf what a fund was worth on a day
   */
  makeDay(
    date: BusinessDate,
    days: TradingDays,
    funds: ReadonlyMap<string, SimulatedFund>,
    quoteOf: (fund: string, date: BusinessDate) => FundQuote,
  ): { readonly told: FundDayFiles; readonly right: FundDayFiles } {
    const tradeDate = days.before(date);
    const own = [...funds.values()].filter(({ company }) => company === this.code);
    const quotes: FundQuote[] = [];
    const dividends: FundDividend[] = [];
    for (let day = tradeDate; day < date; day = addDays(day, 1)) {
      for (const fund of own) {
        // What is no money fund has a value on trading days alone.
        if (fund.kind === 'other' && day !== tradeDate) continue;
        const quote = quoteOf(fund.code, day);
        quotes.push(quote);
        if (fund.kind === 'money') dividends.push(...this.#earn(quote));
      }
    }
    const confirmations = [...this.orders.values()]
      .filter((order) => order.state === 'received' && order.tradeDate <= tradeDate)
      .map((order) => this.#confirm(order, date, days, funds.get(order.fund), quoteOf(order.fund, tradeDate)));
    this.madeTo = date;
    const holdings = [...this.holdings.values()].filter(({ units }) => units > 0n).map((each) => ({ ...each, date }));
    const right = { quotes, dividends, confirmations, holdings };
    return { told: this.#distort(date, right), right };
  }

  #earn({ fund, date, income }: FundQuote): FundDividend[] {
    return [...this.holdings.values()].flatMap((holding) => {
      const units = (holding.units * income) / 100_000_000n;
      if (holding.fund !== fund || units <= 0n) return [];
      const basis = holding.units;
      holding.units += units;
      return [{ account: holding.account, fund, date, basis, units, serialNo: this.#nextSerial('D') }];
    });
  }

  #confirm(
    order: Order,
    confirmDate: BusinessDate,
    days: TradingDays,
    fund: SimulatedFund | undefined,
    quote: FundQuote,
  ): FundConfirmation {
    const { orderNo, business, tradeDate, account } = order;
    const holding = this.#holdingOf(account, order.fund);
    const isPurchase = business === 'subscription';
    const nav = fund?.kind === 'other' ? quote.nav : NAV_ONE;
    const units = isPurchase ? mulDivHalfUp(order.amount, NAV_ONE, nav) : order.units;
    const amount = isPurchase ? order.amount : mulDivHalfUp(order.units, nav, NAV_ONE);
    const reason = this.#refusalOf(order, fund, holding.units);
    const common = { orderNo, fund: order.fund, business, tradeDate, confirmDate, account, nav, serialNo: this.#nextSerial('C') };
    if (reason !== undefined) {
      order.state = 'failed';
      order.confirmation = { ...common, returnCode: REFUSED, amount: 0n, units: 0n, reason };
      return order.confirmation;
    }
    holding.units += isPurchase ? units : -units;
    if (!isPurchase) {
      const payOn = days.after(tradeDate, fund?.paysIn ?? 1);
      this.payments.push({ orderNo, fund: order.fund, depositAccount: order.depositAccount, amount, payOn });
    }
    order.state = 'confirmed';
    order.confirmation = { ...common, returnCode: DONE, amount, units, reason: '' };
    return order.confirmation;
  }

  #refusalOf({ orderNo, business, units }: Order, fund: SimulatedFund | undefined, held: FundUnits): string | undefined {
    const refused = this.#befalls('confirmation-failed', orderNo);
    if (refused !== undefined) return refused.reason ?? '管理人拒绝';
    if (fund === undefined || fund.company !== this.code) return '无此基金';
    if (business === 'subscription') return fund.sells ? undefined : '暂停申购';
    return units > held ? '份额不足' : undefined;
  }

  /** What is told, where a fault makes it another than the books. */
  #distort(date: BusinessDate, made: FundDayFiles): FundDayFiles {
    const confirmations = made.confirmations.flatMap((each) => this.#told(each, date));
    for (const late of this.#keptBack.filter(({ on }) => on === date))
      confirmations.push({ ...late.confirmation, confirmDate: date });
    const unknown = this.#befalls('confirmation-unknown', '', date);
    const [like] = made.confirmations;
    if (unknown !== undefined && like !== undefined)
      confirmations.push({
        ...like,
        orderNo: unknown.reference ?? `X${date.replaceAll('-', '')}`,
        serialNo: this.#nextSerial('X'),
      });
    const holdings = made.holdings.map((each): FundHolding => {
      const other = this.#befalls('holding-units', each.account, date);
      return other === undefined ? each : { ...each, units: each.units + BigInt(other.amount ?? '1') };
    });
    const dividends = made.dividends.map((each): FundDividend => {
      const other = this.#befalls('dividend-units', each.account, each.date);
      return other === undefined ? each : { ...each, units: each.units + BigInt(other.amount ?? '1') };
    });
    const quotes = made.quotes.map((each): FundQuote => {
      const other = this.#befalls('quote-day', each.fund, date);
      return other === undefined ? each : { ...each, date: addDays(each.date, -(other.days ?? 1)) };
    });
    return { confirmations, holdings, dividends, quotes };
  }

  #told(confirmation: FundConfirmation, date: BusinessDate): FundConfirmation[] {
    const { orderNo, amount } = confirmation;
    const missing = this.#befalls('confirmation-missing', orderNo);
    if (missing !== undefined) {
      if (missing.days !== undefined) this.#keptBack.push({ confirmation, on: addDays(date, missing.days) });
      return [];
    }
    const other = this.#befalls('confirmation-amount', orderNo);
    const shown = other === undefined ? confirmation : { ...confirmation, amount: amount + BigInt(other.amount ?? '1') };
    return this.#befalls('confirmation-twice', orderNo) === undefined ? [shown] : [shown, shown];
  }

  #befalls(fault: FundFault, key: string, date?: BusinessDate) {
    return this.#faults.ofFund(fault, key, date);
  }

  #holdingOf(account: string, fund: string) {
    const key = `${account}/${fund}`;
    const holding = this.holdings.get(key) ?? { account, fund, units: 0n };
    this.holdings.set(key, holding);
    return holding;
  }

  #nextSerial(letter: string): string {
    this.#serial += 1;
    return `${letter}${this.code}${String(this.#serial).padStart(9, '0')}`;
  }
}
