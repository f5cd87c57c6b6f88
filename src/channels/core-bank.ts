import type { BusinessDate, Minor } from '../kernel/index.js';
import type { BankHttp } from './http.js';
import { BankRefused, BankUnreachable, type ChannelCode } from './port.js';
import { readStatement, type Statement, type TakeLines } from './statement.js';
import { AnswerTaken, FloatTransferTaken, INFLOWS_MAX, IncomingMessage, InflowsAnswer, NEWS_MAX } from './wire.js';

/** Money that arrives for a custody account. */
export interface Inflow {
  /** Booked once for each account, however often it is reported. */
  readonly reference: string;
  /** Fen, above zero. */
  readonly amount: Minor;
  readonly counterparty: string;
  readonly text: string;
}

/** A transfer to one of our virtual account numbers (来账), which the core bank holds until it is told what to do with it. */
export interface IncomingTransfer {
  /** Its place in the feed. */
  readonly cursor: string;
  /** Names the transfer, and the line of the statement if it is accepted; the same however often it comes. */
  readonly reference: string;
  readonly virtualNo: string;
  /** Fen, above zero. */
  readonly amount: Minor;
  readonly payer: { readonly name: string; readonly account: string; readonly bankCode: string };
  /** When the core bank received it. */
  readonly businessDate: BusinessDate;
  /** The clearing system's message by which it came: channel, sending institution and its MsgId, which are unique; absent within the bank. */
  readonly message?: { readonly channel: string; readonly sender: string; readonly messageNo: string } | undefined;
  /** The payer's words, '' where there were none. */
  readonly remark: string;
}

export interface IncomingPage {
  /** Oldest first. Any item may come more than once, also under another cursor. */
  readonly items: readonly IncomingTransfer[];
  /** Give this as `after` next time; equal to the `after` given when there was nothing. */
  readonly next: string;
}

/** Where the money is: the custodian's core bank. None of this may be called inside a transaction. */
export interface CoreBank {
  /** Opens the account; opening it again under the same name changes nothing. @throws BankUnreachable, BankRefused */
  openCustodyAccount(custodyNo: string, name: string): Promise<void>;
  /**
   * Reads a date's statement, however long, and verifies it whole: whose it is, number of lines, their sum, their digest, and opening + Σ =
   * closing. Nothing that `take` was handed counts unless this answers.
   * @param take is handed the lines in their order, some at a time
   * @throws StatementFaulty when anything is wrong with it, BankUnreachable, BankRefused
   */
  statement(custodyNo: string, businessDate: BusinessDate, take: TakeLines): Promise<Statement>;
  /**
   * Lets money arrive; a sandbox's only way to have any.
   * @returns how many were booked and how many had been before
   * @throws BankUnreachable when it is not known how many were booked: repeat the whole call; BankRefused
   */
  inflows(custodyNo: string, businessDate: BusinessDate, items: readonly Inflow[]): Promise<{ booked: number; repeated: number }>;
  /**
   * Reads the transfers that were held for us.
   * @param after '' for the beginning, else the `next` of the page before
   * @param limit at most 1,000
   * @throws BankUnreachable when there was no usable answer: ask again with the same cursor; BankRefused
   */
  incoming(after: string, limit: number): Promise<IncomingPage>;
  /**
   * Accepts a held transfer: it is booked on the custody account, and the statement of the date shows it under its reference. Saying it
   * again changes nothing.
   * @throws BankUnreachable when it is not known whether it was heard: say it again; BankRefused when it was rejected before, or
   * accepted otherwise
   */
  acceptIncoming(reference: string, custodyNo: string, businessDate: BusinessDate): Promise<void>;
  /** Sends a held transfer back to its payer; else as above. @throws BankUnreachable, BankRefused when it was accepted before */
  rejectIncoming(reference: string, reason: string): Promise<void>;
  /**
   * Moves the bank's own money (备付金) between channels; `null` is the bank's own vault. Once for its reference.
   * @throws BankUnreachable when it is not known whether it was moved: say it again; BankRefused when it was not
   */
  moveFloat(reference: string, from: ChannelCode | null, to: ChannelCode | null, amount: Minor): Promise<void>;
}

export function httpCoreBank(http: BankHttp): CoreBank {
  return {
    async openCustodyAccount(custodyNo, name) {
      await ask(http, 'POST', '/core/accounts', { custodyNo, name });
    },
    statement: (custodyNo, businessDate, take) => readStatement(http, custodyNo, businessDate, take),
    async inflows(custodyNo, businessDate, items) {
      const total = { booked: 0, repeated: 0 };
      for (let from = 0; from < items.length; from += INFLOWS_MAX) {
        const batch = items.slice(from, from + INFLOWS_MAX).map((item) => ({ ...item, amount: item.amount.toString() }));
        const path = `/core/accounts/${encodeURIComponent(custodyNo)}/inflows`;
        const answer = InflowsAnswer.safeParse(await ask(http, 'POST', path, { businessDate, items: batch }));
        if (!answer.success) throw new BankUnreachable(`POST ${path}`, answer.error.message);
        total.booked += answer.data.booked;
        total.repeated += answer.data.repeated;
      }
      return total;
    },
    async incoming(after, limit) {
      const query = new URLSearchParams({ after, limit: String(Math.min(limit, NEWS_MAX)) });
      const what = `GET /core/incoming after '${after}'`;
      // One item that cannot be read stops the whole page: to step over it would be to lose it.
      const page = IncomingMessage.safeParse(await ask(http, 'GET', `/core/incoming?${query}`));
      if (!page.success) throw new BankUnreachable(what, page.error.message);
      return page.data;
    },
    acceptIncoming: (reference, custodyNo, businessDate) => answer(http, reference, 'accept', { custodyNo, businessDate }),
    rejectIncoming: (reference, reason) => answer(http, reference, 'reject', { reason }),
    async moveFloat(reference, from, to, amount) {
      const path = '/core/floats/transfers';
      const said = { reference, from, to, amount: amount.toString() };
      const taken = FloatTransferTaken.safeParse(await ask(http, 'POST', path, said));
      if (!taken.success || taken.data.reference !== reference)
        throw new BankUnreachable(`POST ${path}`, 'the answer is to something else');
    },
  };
}

async function answer(http: BankHttp, reference: string, how: 'accept' | 'reject', body: unknown): Promise<void> {
  const path = `/core/incoming/${encodeURIComponent(reference)}/${how}`;
  const taken = AnswerTaken.safeParse(await ask(http, 'POST', path, body));
  if (!taken.success) throw new BankUnreachable(`POST ${path}`, taken.error.message);
  if (taken.data.reference !== reference || taken.data.state !== `${how}ed`)
    throw new BankUnreachable(`POST ${path}`, 'the answer is to something else');
}

async function ask(http: BankHttp, method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
  const reply = await http.call(method, path, body);
  if (reply.kind === 'answered') return reply.body;
  throw reply.kind === 'refused'
    ? new BankRefused(`${method} ${path}`, reply.why)
    : new BankUnreachable(`${method} ${path}`, reply.why);
}
