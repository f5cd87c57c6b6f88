import type { BusinessDate, IdType, Minor } from '../kernel/index.js';

/**
 * The one port behind which every way out of the bank stands, and the ways by which it collects (代收). Out: within the bank (`book`), through
 * the clearing systems of the People's Bank (`hvps` 大额, `beps` 小额, `ibps` 网银互联), to cards (`unionpay` 银联代付), through a payment
 * institution (`psp`). In: `collect` (银联) and `psp-collect` debit the payee's card at its bank and credit our custody account. More channels
 * may come; what they promise stays.
 */
export const PAYING_CHANNELS = ['book', 'hvps', 'beps', 'ibps', 'unionpay', 'psp'] as const;
export const COLLECTING_CHANNELS = ['collect', 'psp-collect'] as const;
export const CHANNELS = [...PAYING_CHANNELS, ...COLLECTING_CHANNELS] as const;
export type CollectingChannel = (typeof COLLECTING_CHANNELS)[number];
export type ChannelCode = (typeof CHANNELS)[number];

/** Whether it brings money in. */
export function isCollecting(code: ChannelCode): code is CollectingChannel {
  return (COLLECTING_CHANNELS as readonly string[]).includes(code);
}

/** Whether the bank keeps money of its own there (备付金), out of which the channel pays: all ways out but the bank's own books. */
export function hasFloat(code: ChannelCode): boolean {
  return code !== 'book' && !isCollecting(code);
}

/** The most payments that one network call carries; longer lists go in several calls. */
export const BATCH_MAX = 500;

/** The most characters of a message number (ISO 20022 Max35Text). */
export const MESSAGE_NO_MAX = 35;

/** What a channel answers when a number that it knows comes with another content: it paid nothing for this call. */
export const OTHER_CONTENT = 'duplicate with other content';

/** An order to pay one payee out of one custody account or, of a collecting channel, to collect from him into it. */
export interface PaymentOrder {
  /** The payout's own number, at most 35 characters. It never changes: a repeat under it is never paid again. */
  readonly messageNo: string;
  /** Our custody account at the core bank, which is debited; of a collection: credited. */
  readonly custodyNo: string;
  /** Fen, above zero. */
  readonly amount: Minor;
  readonly payeeName: string;
  readonly payeeAccount: string;
  /** CNAPS code of 12 digits, or '' for the custodian itself. */
  readonly payeeBank: string;
  /** The date whose statement shows the debit, or the credit of a collection. */
  readonly businessDate: BusinessDate;
  readonly remark: string;
  /** Of a collection: the contract by which the payee lets this channel debit his card, as `sign` answered it. */
  readonly contractNo?: string;
}

/** 签约: a payee lets a collecting channel debit his card. */
export interface SigningRequest {
  /** Our own number of it, in the form of a message number. A repeat under it is never signed again. */
  readonly signNo: string;
  readonly name: string;
  readonly idType: IdType;
  readonly idNo: string;
  readonly account: string;
  /** CNAPS code of 12 digits, or '' for the custodian itself. */
  readonly bankCode: string;
  readonly mobile: string;
}

/** `refused` is final for this number; `unknown` may have been signed: the same request again tells. */
export type SigningAnswer =
  | { readonly signNo: string; readonly status: 'signed'; readonly contractNo: string }
  | { readonly signNo: string; readonly status: 'refused' | 'unknown'; readonly reason: string };

/**
 * What a channel says of one payment.
 * - `settled`: the payee has it (of a collection: we have it). It may still come back later, as news.
 * - `accepted`: the channel has it; the final result comes as news or by query.
 * - `failed`: it was not paid or collected and never will be: the payee's account or the order itself is at fault. (With the reason
 *   `OTHER_CONTENT` only this call was refused; what became of the first order under that number, a query tells.)
 * - `refused`: it was not paid and this channel never will pay it under this number (its limit, a bank it does not reach). Another channel may.
 * - `not-now`: it was not paid, and only for a while (its hours, the float there, too much to do). The channel is done with this sending, and
 *   takes the same number again as if it were new; what it says of the number meanwhile may be this or `not-found`. Another channel may as
 *   well, once no other sending to this one can still arrive: it would be paid.
 * - `unknown`: no answer, too late, garbage, a 5xx. The payment may have been made. Only a query, news or a statement moves it.
 * - `not-found`: only from a query: the channel never received it. It may be sent again, under the same number.
 */
type AnswerStatus = 'settled' | 'accepted' | 'failed' | 'refused' | 'not-now' | 'unknown' | 'not-found';

export interface ChannelAnswer {
  readonly messageNo: string;
  readonly status: AnswerStatus;
  /** Why it failed, or why nothing is known. */
  readonly reason?: string;
  /** The channel's own number of the payment. */
  readonly channelRef?: string;
}

/** A final result of an accepted payment, or the return (退汇; of a collection: the charge-back) of one that had settled. */
export interface ChannelNews {
  /** Its place in the channel's feed. */
  readonly cursor: string;
  readonly messageNo: string;
  readonly status: 'settled' | 'failed' | 'refused' | 'not-now' | 'returned';
  readonly reason?: string;
  /** The reference of the statement line that moves the money; with `status` the same at every repeat of this item. */
  readonly reference: string;
  /** The business date whose statement shows that line. */
  readonly businessDate: BusinessDate;
  /** Fen, above zero: what moved. Always said of a return; absent where the channel's confirmation of a result names no amount. */
  readonly amount?: Minor;
  /** Why it is not to be believed though it names a payment: whatever it says, a person has to look at it. */
  readonly doubt?: string;
}

/** A message of a feed that could not be read. It is stepped over, and kept as it came. */
export interface UnreadMessage {
  /** Its place in the channel's feed, at most 40 characters; the same at every repeat. */
  readonly place: string;
  readonly reason: string;
  readonly text: string;
}

export interface NewsPage {
  /** Oldest first. Any item may come more than once, also under another cursor. */
  readonly items: readonly ChannelNews[];
  /** What of the page could not be read; absent where all could. */
  readonly unread?: readonly UnreadMessage[];
  /** Give this as `after` next time; equal to the `after` given when there was nothing. */
  readonly next: string;
}

/** Every channel adapter implements this, and passes the conformance suite in test/channels. None may be called inside a transaction. */
export interface Channel {
  readonly code: ChannelCode;
  /**
   * Sends payments; never throws for the sake of one. A repeat of the same order under the same number answers its present
   * state and pays nothing; after `not-now` it is taken as a new one. A lost answer of a call makes all that it carried unknown.
   * @returns one answer an order, in the order of the orders
   */
  submit(orders: readonly PaymentOrder[]): Promise<ChannelAnswer[]>;
  /** Asks what became of payments; moves no money. @returns one answer a number, in the order of the numbers */
  query(messageNos: readonly string[]): Promise<ChannelAnswer[]>;
  /**
   * Reads the channel's feed.
   * @param after '' for the beginning, else the `next` of the page before
   * @param limit at most 1,000
   * @throws BankUnreachable when there was no usable answer; ask again with the same cursor
   */
  news(after: string, limit: number): Promise<NewsPage>;
  /**
   * Asks what is left of the bank's own money there (备付金), less what accepted payments take; in fen. Undefined of a channel without one.
   * @throws BankUnreachable when there was no usable answer
   */
  float(): Promise<Minor | undefined>;
}

/** A channel that collects: it needs the payee's contract. */
export interface Collector extends Channel {
  /** Asks for a contract (签约), once for its number; moves no money and never throws for the sake of an answer. */
  sign(request: SigningRequest): Promise<SigningAnswer>;
}

/** The bank gave no usable answer. Nothing is known of what it did; the call may be repeated as it was. */
export class BankUnreachable extends Error {
  constructor(what: string, why: string) {
    super(`${what}: ${why}`);
    this.name = 'BankUnreachable';
  }
}

/** The bank answered, and refused. */
export class BankRefused extends Error {
  constructor(what: string, why: string) {
    super(`${what}: ${why}`);
    this.name = 'BankRefused';
  }
}
