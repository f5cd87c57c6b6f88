import {
  addDays,
  type BusinessDate,
  type Calendar,
  type Instant,
  type Minor,
  naturalDate,
  startOfDay,
} from '../../kernel/index.js';
import { hasDayFiles } from '../files/index.js';
import {
  CHANNELS,
  type ChannelAnswer,
  type ChannelCode,
  type ChannelNews,
  type CollectingChannel,
  hasFloat,
  isCollecting,
  type NewsPage,
  OTHER_CONTENT,
  type PaymentOrder,
  type SigningAnswer,
  type SigningRequest,
} from '../port.js';
import { isOwnBank } from '../rules.js';
import { Agenda } from './agenda.js';
import { type Books, NOTHING } from './books.js';
import { CustodyBook, type FlowItem, type ShownStatement } from './custody.js';
import { DayEnd, type Settlement } from './day-end.js';
import { type FaultPlan, Faults } from './faults.js';
import { Floats } from './floats.js';
import { FundMarket } from './funds/market.js';
import { Messages } from './messages.js';
import { Notices } from './notices.js';
import { People } from './people.js';
import { Signings } from './signings.js';
import { type IncomingItem, Transfers } from './transfers.js';

interface Payment {
  readonly channel: ChannelCode;
  readonly order: PaymentOrder;
  readonly content: string;
  readonly channelRef: string;
  /** Whether it is final when it is answered; else its result is news. */
  readonly atOnce: boolean;
  /** Where the result is told; nowhere when absent. */
  readonly notifyUrl: string | undefined;
  status: 'settled' | 'accepted' | Refusal['status'];
  reason?: string;
  timesPaid: number;
  timesReturned: number;
}

export interface BankOptions {
  readonly seed: number;
  readonly faults?: FaultPlan;
  /** The real time; without it the bank's time stands until it is driven. */
  readonly wallMs?: () => number;
  /** Whether a collection needs a contract of its card; false when absent. */
  readonly requireSignings?: boolean;
  /** The working days that fund companies go by; Monday to Friday when absent. */
  readonly calendar?: Calendar;
}

const NO_FUNDS = 'insufficient funds on the card';
const NO_CONTRACT = 'no contract for this card';
const NO_FLOAT = 'insufficient float';
const CLOSED = 'outside its hours';
const LAPSED = 'queued for too long';
const INITIALS: Readonly<Record<ChannelCode, string>> = {
  book: 'B',
  hvps: 'H',
  beps: 'S',
  ibps: 'I',
  unionpay: 'U',
  psp: 'P',
  collect: 'C',
  'psp-collect': 'Q',
};

/** Whose fault it is that a payment was not made: the payee's or the order's (`failed`), or the channel's own (`refused`; `not-now`: for a while). */
interface Refusal {
  readonly status: 'failed' | 'refused' | 'not-now';
  readonly reason: string;
}

/**
 * The core bank with its channels and, behind them, the payees' accounts. One call after another, all in memory, and every
 * chance drawn from the seed. What is due happens at the next call.
 */
export class Bank {
  readonly faults: Faults;
  people: People;
  messages: Messages;
  transfers: Transfers;
  readonly #options: BankOptions;
  #custody: CustodyBook;
  floats = new Floats();
  signings: Signings;
  notices = new Notices();
  dayEnd = new DayEnd();
  funds: FundMarket;
  requireSignings: boolean;
  #payments = ofEach(() => new Map<string, Payment>());
  #received = ofEach(() => 0);
  #news = ofEach((): ChannelNews[] => []);
  #payees = new Map<string, { payeeBank: string; payeeAccount: string; balance: Minor }>();
  #results = new Agenda<Payment>();
  #returns = new Agenda<{ payment: Payment; reason: string }>();
  #settlements = new Agenda<Settlement>();
  #totals = { ...NOTHING };
  #drivenMs = 0;
  #date: BusinessDate | undefined;
  #dateIsSet = false;

  constructor(options: BankOptions) {
    this.#options = options;
    this.faults = new Faults(options.seed, options.faults ?? {});
    this.#custody = new CustodyBook(this.faults);
    this.people = new People(options.seed);
    this.signings = new Signings(this.faults, this.people);
    this.requireSignings = options.requireSignings ?? false;
    this.messages = new Messages(this.faults, this.people);
    this.transfers = new Transfers(this.faults);
    this.funds = new FundMarket(this.faults, this.#options.calendar, this);
  }

  /** The business date: as it was set, else the latest that anyone named. */
  get date(): BusinessDate | undefined {
    return this.#date;
  }

  setDate(date: BusinessDate): void {
    this.#doWhatIsDue(); // what was due before belongs to the day before
    this.#date = date;
    this.#dateIsSet = true;
    this.#doWhatIsDue();
  }

  /** Lets the bank's time pass; beside a wall clock, it runs ahead of it by that much. */
  advanceMs(ms: number): void {
    this.#drivenMs += ms;
    this.#doWhatIsDue();
  }

  openCustodyAccount(custodyNo: string, name: string): string | undefined {
    return this.#custody.open(custodyNo, name);
  }

  hasCustodyAccount(custodyNo: string): boolean {
    return this.#custody.has(custodyNo);
  }

  inflows(custodyNo: string, date: BusinessDate, items: readonly FlowItem[]): { booked: number; repeated: number } | string {
    return this.#flows(custodyNo, date, 'in', items);
  }

  /** Money that leaves a custody account, and not by an instruction of the service: a charge, a seizure, a mistake. */
  outflows(custodyNo: string, date: BusinessDate, items: readonly FlowItem[]): { booked: number; repeated: number } | string {
    return this.#flows(custodyNo, date, 'out', items);
  }

  #flows(custodyNo: string, date: BusinessDate, way: 'in' | 'out', items: readonly FlowItem[]) {
    this.#doWhatIsDue(date);
    const result = this.#custody.flows(custodyNo, date, way, items);
    if (typeof result === 'string') return result;
    this.#totals[`${way}flow`] += result.amount;
    return { booked: result.booked, repeated: result.repeated };
  }

  /** Somebody outside sends money to a virtual account number. @returns its reference, or why not */
  sendTransfer(item: Omit<IncomingItem, 'reference' | 'businessDate'> & Partial<IncomingItem>): { reference: string } | string {
    const businessDate = item.businessDate ?? this.#date ?? naturalDate(this.nowMs() as Instant);
    this.#doWhatIsDue(); // that date is the real one where nobody named any; it must not move the bank's
    return this.transfers.add({ ...item, businessDate });
  }

  /** @returns why not, or undefined */
  acceptTransfer(reference: string, custodyNo: string, date: BusinessDate): string | undefined {
    if (!this.#custody.has(custodyNo)) return 'no such custody account';
    return this.transfers.accept(reference, custodyNo, date, ({ amount, payer, virtualNo }) => {
      const booked = this.inflows(custodyNo, date, [{ reference, amount, counterparty: payer.name, text: virtualNo }]);
      return typeof booked === 'string' ? booked : undefined;
    });
  }

  statement(custodyNo: string, date: BusinessDate): ShownStatement {
    this.#doWhatIsDue();
    return this.#custody.statement(custodyNo, date);
  }

  /** @param notifyUrl where the result is told, of channels that do */
  submit(channel: ChannelCode, order: PaymentOrder, notifyUrl?: string): ChannelAnswer {
    this.#doWhatIsDue(order.businessDate);
    const { messageNo } = order;
    const content = contentOf(order);
    const before = this.#payments[channel].get(messageNo);
    // What was put off is forgotten when its number comes again, with whatever content.
    if (before !== undefined && before.status !== 'not-now') {
      return before.content === content ? answerOf(before) : { messageNo, status: 'failed', reason: OTHER_CONTENT };
    }
    this.#received[channel] += 1;
    const channelRef = `${INITIALS[channel]}${String(this.#received[channel]).padStart(15, '0')}`;
    const atOnce = channel === 'unionpay' || isOwnBank(order.payeeBank);
    const payment: Payment = {
      ...{ channel, order, content, channelRef, atOnce, notifyUrl },
      ...{ status: 'accepted', timesPaid: 0, timesReturned: 0 },
    };
    this.#payments[channel].set(messageNo, payment);
    const refusal = this.#refusalOf(payment);
    if (refusal !== undefined) {
      Object.assign(payment, refusal);
    } else if (atOnce) {
      this.#settle(payment);
    } else {
      const slow = this.faults.ofPayment(channel, 'slow-result', messageNo);
      this.#results.add(this.nowMs() + this.faults.settleDelayMs + (slow === undefined ? 0 : (slow.ms ?? 1_000)), payment);
    }
    return answerOf(payment);
  }

  /** A payee lets a collecting channel debit his card (签约). */
  sign(channel: CollectingChannel, request: SigningRequest): SigningAnswer {
    return this.signings.sign(channel, request);
  }

  query(channel: ChannelCode, messageNo: string): ChannelAnswer {
    this.#doWhatIsDue();
    const payment = this.#payments[channel].get(messageNo);
    return payment === undefined ? { messageNo, status: 'not-found' } : answerOf(payment);
  }

  /** What was ordered under the number, as it first came; undefined when the channel never received it. */
  orderOf(channel: ChannelCode, messageNo: string): PaymentOrder | undefined {
    return this.#payments[channel].get(messageNo)?.order;
  }

  /** What is left of the bank's own money there, less what accepted payments take; undefined of a channel without any. */
  float(channel: ChannelCode): Minor | undefined {
    this.#doWhatIsDue();
    return hasFloat(channel) ? this.floats.available(channel) : undefined;
  }

  news(channel: ChannelCode, after: string, limit: number): NewsPage {
    this.#doWhatIsDue();
    const from = after === '' ? 0 : Number(after);
    const items = this.#news[channel].slice(from, from + limit);
    return { items, next: items.at(-1)?.cursor ?? after };
  }

  books(): Books {
    this.#doWhatIsDue();
    const payments = CHANNELS.flatMap((channel) => [...this.#payments[channel].values()]);
    const paidTimes = new Map<string, number>();
    for (const { order, timesPaid } of payments)
      paidTimes.set(order.messageNo, (paidTimes.get(order.messageNo) ?? 0) + timesPaid);
    return {
      date: this.#date,
      custody: this.#custody.balances(),
      floats: this.floats.balances(),
      payees: [...this.#payees.values()].map((payee) => ({ ...payee })),
      payments: payments.map(({ channel, order, status, timesPaid, timesReturned }) => ({
        messageNo: order.messageNo,
        channel,
        status,
        amount: order.amount,
        timesPaid,
        timesReturned,
      })),
      totals: { ...this.#totals, paidTwice: [...paidTimes.values()].filter((times) => times > 1).length },
    };
  }

  /** As on the day it was started. */
  reset(): void {
    this.faults.restart(this.#options.faults ?? {});
    this.#custody = new CustodyBook(this.faults);
    this.people = new People(this.#options.seed);
    this.signings = new Signings(this.faults, this.people);
    this.requireSignings = this.#options.requireSignings ?? false;
    this.notices = new Notices();
    this.dayEnd = new DayEnd();
    this.messages = new Messages(this.faults, this.people);
    this.transfers = new Transfers(this.faults);
    this.floats = new Floats();
    this.funds = new FundMarket(this.faults, this.#options.calendar, this);
    this.#payments = ofEach(() => new Map());
    this.#received = ofEach(() => 0);
    this.#news = ofEach(() => []);
    this.#payees = new Map();
    this.#results = new Agenda();
    this.#returns = new Agenda();
    this.#settlements = new Agenda();
    this.#totals = { ...NOTHING };
    this.#drivenMs = 0;
    this.#date = undefined;
    this.#dateIsSet = false;
  }

  /** Somebody who moves no money names a date. */
  nameDate(date: BusinessDate): void {
    this.#doWhatIsDue(date);
  }

  #refusalOf({ channel, order }: Payment): Refusal | undefined {
    const failed = (reason: string): Refusal => ({ status: 'failed', reason });
    const refused = (reason: string): Refusal => ({ status: 'refused', reason });
    const notNow = (reason: string): Refusal => ({ status: 'not-now', reason });
    if (!isCollecting(channel) && isOwnBank(order.payeeBank) !== (channel === 'book'))
      return refused('the payee bank is not reached by this channel');
    if (!this.#custody.has(order.custodyNo)) return failed('no such custody account');
    const turnAway = this.faults.ofPayment(channel, 'turn-away', order.messageNo);
    if (turnAway !== undefined) return refused(turnAway.reason ?? 'the channel takes no more payments');
    const putOff = this.faults.ofPayment(channel, 'not-now', order.messageNo);
    if (putOff !== undefined) return notNow(putOff.reason ?? CLOSED);
    const refuse = this.faults.ofPayment(channel, 'refuse', order.messageNo);
    if (refuse !== undefined) return failed(refuse.reason ?? (isCollecting(channel) ? NO_FUNDS : 'payee account closed'));
    if (isCollecting(channel)) {
      if (this.requireSignings && !this.signings.covers(channel, order)) return refused(NO_CONTRACT);
      const refusal = this.#cardRefusal(order);
      if (refusal === undefined) this.#custody.reserve(order.custodyNo, order.businessDate, 0n); // only the statement waits for it
      return refusal === undefined ? undefined : failed(refusal);
    }
    if (!this.floats.reserve(channel, order.amount)) return notNow(NO_FLOAT);
    if (this.#custody.reserve(order.custodyNo, order.businessDate, order.amount)) return undefined;
    this.floats.end(channel, order.amount, false);
    return failed('insufficient funds on the custody account');
  }

  #doWhatIsDue(seen?: BusinessDate): void {
    for (const payment of this.#results.takeDue(this.nowMs())) {
      const { channel, order } = payment;
      const failure = this.faults.ofPayment(channel, 'fail-later', order.messageNo);
      const turnAway = this.faults.ofPayment(channel, 'turn-away-later', order.messageNo);
      const putOff = this.faults.ofPayment(channel, 'not-now-later', order.messageNo);
      const refusal = isCollecting(channel) ? this.#cardRefusal(order) : undefined;
      if (failure !== undefined || refusal !== undefined)
        this.#failLate(payment, 'failed', failure?.reason ?? refusal ?? 'refused by the payee bank');
      else if (turnAway !== undefined) this.#failLate(payment, 'refused', turnAway.reason ?? LAPSED);
      else if (putOff !== undefined) this.#failLate(payment, 'not-now', putOff.reason ?? LAPSED);
      else this.#settle(payment);
    }
    if (seen !== undefined && !this.#dateIsSet && (this.#date === undefined || seen > this.#date)) this.#date = seen;
    if (this.#date === undefined) return;
    for (const settlement of this.#settlements.takeDue(startOfDay(this.#date))) this.#credit(settlement);
    for (const { payment, reason } of this.#returns.takeDue(startOfDay(this.#date))) this.#giveBack(payment, reason, this.#date);
  }

  /** Why a card gives no money: it is not there, not usable, another's, or there is not enough on it. */
  #cardRefusal(order: PaymentOrder): string | undefined {
    const known = this.people.account(order.payeeBank, order.payeeAccount);
    if (known === undefined) return undefined;
    if (known.standing !== 'usable') return known.standing === 'none' ? 'no such account' : 'the card is frozen';
    if (known.name !== order.payeeName) return 'account and name do not match';
    if (known.funds !== undefined && known.funds + this.#payeeOf(order).balance < order.amount) return NO_FUNDS;
    return undefined;
  }

  #settle(payment: Payment): void {
    const { order, channel, atOnce } = payment;
    const comesIn = isCollecting(channel);
    const moved = comesIn ? order.amount : -order.amount;
    this.#custody.release(order.custodyNo, order.businessDate, comesIn ? 0n : order.amount);
    this.floats.end(channel, order.amount, true);
    const settlement = this.#settledLater(payment);
    if (settlement === undefined)
      this.#custody.book(order.custodyNo, order.businessDate, order.messageNo, moved, order.payeeName, order.remark);
    this.#payeeOf(order).balance -= moved;
    payment.timesPaid += 1;
    payment.status = 'settled';
    this.#totals[comesIn ? 'collected' : 'paid'] += order.amount;
    const where = settlement ?? { reference: order.messageNo, creditedOn: order.businessDate };
    if (!atOnce || hasDayFiles(channel)) this.#announce(payment, 'settled', where.reference, where.creditedOn);
    const back = this.faults.ofPayment(channel, 'return', order.messageNo);
    if (back === undefined) return;
    const due = addDays(order.businessDate, back.days ?? 1);
    this.#returns.add(startOfDay(due), { payment, reason: back.reason ?? 'payee account and name do not match' });
  }

  /** Of a channel that pays over later: the sum that the collection goes into. */
  #settledLater({ channel, order }: Payment): Settlement | undefined {
    const { settleAfterDays } = this.faults;
    if (channel !== 'psp-collect' || settleAfterDays === 0) return undefined;
    this.#totals.inTransit += order.amount;
    return this.dayEnd.settleLater(order, this.#fileDateOf(order), settleAfterDays, (settlement) => {
      this.#settlements.add(startOfDay(settlement.creditedOn), settlement);
      this.#custody.reserve(settlement.custodyNo, settlement.creditedOn, 0n); // the statement of that date waits for it
    });
  }

  #credit({ reference, custodyNo, creditedOn, collectedOn, amount }: Settlement): void {
    this.#custody.release(custodyNo, creditedOn, 0n);
    this.#custody.book(custodyNo, creditedOn, reference, amount, 'payment institution', `collected ${collectedOn}`);
    this.#totals.inTransit -= amount;
  }

  /** The file of a date that is over does not change: what comes late stands in that of the day on which it came. */
  #fileDateOf({ businessDate }: PaymentOrder): BusinessDate {
    return this.#date !== undefined && this.#date > businessDate ? this.#date : businessDate;
  }

  #failLate(payment: Payment, status: Refusal['status'], reason: string): void {
    const { order, channel } = payment;
    this.#custody.release(order.custodyNo, order.businessDate, isCollecting(channel) ? 0n : order.amount);
    this.floats.end(channel, order.amount, false);
    payment.status = status;
    payment.reason = reason;
    this.#announce(payment, status, order.messageNo, order.businessDate, reason);
  }

  #giveBack(payment: Payment, reason: string, date: BusinessDate): void {
    const { order, channel } = payment;
    const comesIn = !isCollecting(channel); // what was collected is charged back
    const moved = comesIn ? order.amount : -order.amount;
    const reference = `RT${order.messageNo}`;
    this.#payeeOf(order).balance -= moved;
    this.#custody.book(order.custodyNo, date, reference, moved, order.payeeName, reason);
    payment.timesReturned += 1;
    this.floats.restore(channel, order.amount);
    this.#totals[comesIn ? 'returned' : 'chargedBack'] += order.amount;
    this.#announce(payment, 'returned', reference, date, reason);
  }

  #announce(
    payment: Payment,
    status: ChannelNews['status'],
    reference: string,
    businessDate: BusinessDate,
    reason?: string,
  ): void {
    const { channel, order, channelRef, notifyUrl } = payment;
    const { messageNo, amount, payeeAccount: account, payeeName: name } = order;
    if (notifyUrl !== undefined && status !== 'returned') {
      const product = isCollecting(channel) ? 'collection' : 'payout';
      this.notices.add(this.nowMs(), { url: notifyUrl, product, outTradeNo: messageNo, status });
    }
    const feed = this.#news[channel];
    const isAlone = status === 'settled' && reference !== messageNo; // what is paid over in one sum is listed once
    const copies = isAlone || this.faults.ofPayment(channel, 'double-news', messageNo) === undefined ? 1 : 2;
    for (let copy = 0; copy < copies; copy += 1) {
      if (hasDayFiles(channel)) {
        const line = { messageNo, channelRef, status, amount, reference, businessDate, account, name, reason: reason ?? '' };
        this.dayEnd.add(channel, this.#fileDateOf(order), line);
        continue;
      }
      const cursor = String(feed.length + 1);
      feed.push({ cursor, messageNo, status, reference, businessDate, amount, ...(reason === undefined ? {} : { reason }) });
    }
  }

  #payeeOf({ payeeBank, payeeAccount }: PaymentOrder) {
    const key = `${payeeBank}/${payeeAccount}`;
    const payee = this.#payees.get(key) ?? { payeeBank, payeeAccount, balance: 0n };
    this.#payees.set(key, payee);
    return payee;
  }

  /** The bank's time. */
  nowMs(): number {
    return (this.#options.wallMs?.() ?? 0) + this.#drivenMs;
  }
}

function ofEach<T>(make: () => T): Record<ChannelCode, T> {
  return Object.fromEntries(CHANNELS.map((channel) => [channel, make()])) as Record<ChannelCode, T>;
}

function contentOf(order: PaymentOrder): string {
  const { custodyNo, amount, payeeName, payeeAccount, payeeBank, businessDate, remark, contractNo } = order;
  return JSON.stringify([custodyNo, amount.toString(), payeeName, payeeAccount, payeeBank, businessDate, remark, contractNo]);
}

function answerOf({ order, status, reason, channelRef }: Payment): ChannelAnswer {
  return { messageNo: order.messageNo, status, channelRef, ...(reason === undefined ? {} : { reason }) };
}
