import { type Clock, toRfc3339 } from '../../kernel/index.js';
import type { BankHttp } from '../http.js';
import {
  BATCH_MAX,
  BankUnreachable,
  type Channel,
  type ChannelAnswer,
  type ChannelNews,
  MESSAGE_NO_MAX,
  type NewsPage,
  OTHER_CONTENT,
  type PaymentOrder,
  type UnreadMessage,
} from '../port.js';
import { faultOfOrder, type OrderFault } from '../rules.js';
import { NEWS_MAX } from '../wire.js';
import {
  balanceAskedBody,
  type PaymentState,
  QUERY_TYPES,
  queryBody,
  readBalance,
  readConfirmed,
  readDiscarded,
  readQueried,
  readReceived,
  TYPES,
} from './answers.js';
import { DUPLICATE, NOT_RECEIVED, RECEIVED, verdictOf } from './codes.js';
import { CREDIT_TYPES, type CreditTransfer, creditBody, ORDINARY, RETURNED, readNamed } from './credit.js';
import { type CnapsCode, decodeMessages, decodeQueue, encodeMessage, type Message, mesgIdOf, PARTICIPANT } from './envelope.js';
import { isXmlText, Unreadable } from './xml.js';

/** How many messages of a list are under way at once, where a message carries one payment or asks after one. */
const AT_ONCE = 16;

/**
 * What may lie in the inbound queue and says nothing of a payment that ends one: confirmations and notices of discarded messages (a query
 * tells what became of the payment), requests to return money and their answers, states of system and parameters, netting and billing.
 */
const SILENT = /^(ccms\.(990|911|318|319|801|803|903|905|907|909)|saps\.(601|603|605))\./;

/**
 * The adapter of a clearing system of the People's Bank (CNAPS2): `hvps` and `ibps` send one payment a message (hvps.111, ibps.101), `beps`
 * packages of many (beps.121). A message has its number from its contents, so that a repeat is the same message; a payment's TxId is our
 * message number for ever. That a message was received (ccms.990) is `accepted`; only ccms.900 or ibps.102 with a state that is final ends
 * a payment. What cannot be read in full, and what was discarded (ccms.911), is `unknown` until a query tells.
 */
export function cnapsChannel(system: CnapsCode, http: BankHttp, clock: Clock): Channel {
  const line: Line = { system, http, now: () => toRfc3339(clock.wall()).slice(0, 19) };
  return {
    code: system,
    async submit(orders) {
      const answers = new Map<PaymentOrder, ChannelAnswer>();
      const sound: PaymentOrder[] = [];
      for (const order of orders) {
        const fault = faultOf(system, order);
        if (fault === undefined) sound.push(order);
        else answers.set(order, { messageNo: order.messageNo, ...fault });
      }
      const messages = system === 'beps' ? packages(sound) : sound.map((order) => [order]);
      await inParallel(messages, system === 'beps' ? 1 : AT_ONCE, async (carried) => {
        const said = await sendPayments(line, carried);
        for (const order of carried) answers.set(order, said.get(order.messageNo) as ChannelAnswer);
      });
      return orders.map((order) => answers.get(order) as ChannelAnswer);
    },
    query: (messageNos) => inParallel(messageNos, AT_ONCE, (messageNo) => askState(line, messageNo)),
    async news(after, limit) {
      let from = after;
      for (;;) {
        const page = await readQueue(line, from, Math.min(limit, NEWS_MAX));
        // A page of nothing but notices is no end of the queue.
        if (page.items.length > 0 || page.unread !== undefined || page.next === from) return page;
        from = page.next;
      }
    },
    float: () => askBalance(line),
  };
}

interface Line {
  readonly system: CnapsCode;
  readonly http: BankHttp;
  /** Local time to the second, for headers. */
  readonly now: () => string;
}

function faultOf(system: CnapsCode, order: PaymentOrder): OrderFault | undefined {
  const fault = faultOfOrder(system, order);
  if (fault !== undefined) return fault;
  const texts = [order.custodyNo, order.payeeName, order.payeeAccount, order.remark];
  return texts.every(isXmlText) ? undefined : { status: 'failed', reason: 'it has characters that no message can carry' };
}

/** Packages of at most `BATCH_MAX` payments, none of which has a number twice. */
function packages(orders: readonly PaymentOrder[]): PaymentOrder[][] {
  const made: PaymentOrder[][] = [];
  const numbers = new Set<string>();
  for (const order of orders) {
    const last = made.at(-1);
    if (last === undefined || last.length === BATCH_MAX || numbers.has(order.messageNo)) {
      made.push([order]);
      numbers.clear();
    } else last.push(order);
    numbers.add(order.messageNo);
  }
  return made;
}

/** Works on a list with so many at once; the results have the list's order. */
async function inParallel<T, R>(items: readonly T[], width: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const at = next++;
      results[at] = await work(items[at] as T);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  return results;
}

/** Posts one message. @returns the messages that answer it (and not another), or why there are none */
async function post({ system, http, now }: Line, type: string, msgId: string, bodyAt: (createdAt: string) => string) {
  const sentAt = now();
  const mesgId = mesgIdOf(system, type, msgId);
  const message = encodeMessage({ system, direction: 'up', sentAt, type, mesgId, refId: mesgId }, bodyAt(sentAt));
  const reply = await http.callXml('POST', `/${system}/messages`, message);
  if (reply.kind !== 'answered') return reply.why;
  try {
    const isOurs = (answer: Message) => answer.system === system && answer.direction === 'down' && answer.refId === mesgId;
    return decodeMessages(reply.body).filter(isOurs);
  } catch (error) {
    return garbage(error);
  }
}

function garbage(error: unknown): string {
  if (error instanceof Unreadable) return `garbage: ${error.message}`;
  throw error;
}

async function sendPayments(line: Line, orders: readonly PaymentOrder[]): Promise<Map<string, ChannelAnswer>> {
  const [first] = orders as [PaymentOrder];
  const type = CREDIT_TYPES[line.system];
  // A package of the same payments is the same package; any other is another.
  const msgId = line.system === 'beps' ? `P${mesgIdOf(...orders.map((order) => order.messageNo))}` : first.messageNo;
  const transfers = orders.map(toTransfer);
  const answers = await post(line, type, msgId, (createdAt) => creditBody(line.system, { msgId, createdAt, transfers }));
  const unknown = (messageNo: string, reason: string): ChannelAnswer => ({ messageNo, status: 'unknown', reason });
  const all = (reason: string) => new Map(orders.map(({ messageNo }) => [messageNo, unknown(messageNo, reason)]));
  if (typeof answers === 'string') return all(answers);
  try {
    const { received, discarded, said } = readAnswers(answers, mesgIdOf(line.system, type, msgId));
    if (discarded !== undefined) return all(`discarded: ${discarded}`);
    const rest = (messageNo: string): ChannelAnswer =>
      received === undefined
        ? unknown(messageNo, 'no readable answer for this payment')
        : { messageNo, status: 'accepted', channelRef: received };
    return new Map(orders.map(({ messageNo }) => [messageNo, said.get(messageNo) ?? rest(messageNo)]));
  } catch (error) {
    return all(garbage(error));
  }
}

/** What the answers to one message say of it, and of the payments in it. */
function readAnswers(answers: readonly Message[], mesgId: string) {
  let received: string | undefined;
  let discarded: string | undefined;
  const said = new Map<string, ChannelAnswer>();
  for (const { type, content } of answers) {
    if (type === TYPES.received) {
      const { mesgId: of, reference, code } = readReceived(content);
      if (of === mesgId && code === RECEIVED) received = reference;
    } else if (type === TYPES.discarded) {
      const { mesgId: of, code, reason } = readDiscarded(content);
      if (of === mesgId) discarded = reason ?? code;
    } else if (type === TYPES.confirmed || type === TYPES.receipt) {
      const answer = answerOf(readConfirmed(type === TYPES.receipt ? 'ibps.102' : 'ccms.900', content));
      said.set(answer.messageNo, agreed(said.get(answer.messageNo), answer));
    }
  }
  return { received, discarded, said };
}

function agreed(before: ChannelAnswer | undefined, answer: ChannelAnswer): ChannelAnswer {
  if (before === undefined || before.status === answer.status) return answer;
  return { messageNo: answer.messageNo, status: 'unknown', reason: 'two answers contradict each other' };
}

function answerOf({ txId: messageNo, state, code, reason, reference }: PaymentState): ChannelAnswer {
  const status = verdictOf(state, code);
  const channelRef = reference === undefined ? {} : { channelRef: reference };
  if (status === 'settled' || status === 'accepted') return { messageNo, status, ...channelRef };
  if (status === 'unknown') return { messageNo, status, reason: `state ${state ?? 'none'}, code ${code ?? 'none'}` };
  return { messageNo, status, reason: code === DUPLICATE ? OTHER_CONTENT : (reason ?? code ?? 'lapsed'), ...channelRef };
}

async function askState(line: Line, messageNo: string): Promise<ChannelAnswer> {
  const unknown = (reason: string): ChannelAnswer => ({ messageNo, status: 'unknown', reason });
  if (!/^[A-Za-z0-9_-]+$/.test(messageNo) || messageNo.length > MESSAGE_NO_MAX) return unknown('message number is malformed');
  const { asked, answered } = QUERY_TYPES[line.system];
  const msgId = `Q${mesgIdOf(messageNo, line.now())}`;
  const answers = await post(line, asked, msgId, (createdAt) => queryBody(line.system, { msgId, createdAt }, messageNo));
  if (typeof answers === 'string') return unknown(answers);
  try {
    let said: ChannelAnswer | undefined;
    for (const { type, content } of answers) {
      if (type !== answered) continue;
      const state = readQueried(content);
      if (state.txId !== messageNo) continue;
      const none = state.state === undefined && state.code === NOT_RECEIVED;
      said = agreed(said, none ? { messageNo, status: 'not-found' } : answerOf(state));
    }
    return said ?? unknown('no readable answer for this payment');
  } catch (error) {
    return unknown(garbage(error));
  }
}

async function askBalance(line: Line): Promise<bigint> {
  const what = `float of ${line.system}`;
  const msgId = `F${mesgIdOf(line.system, line.now())}`;
  const answers = await post(line, TYPES.balanceAsked, msgId, (createdAt) => balanceAskedBody(line.system, { msgId, createdAt }));
  if (typeof answers === 'string') throw new BankUnreachable(what, answers);
  const balances = answers.filter(({ type }) => type === TYPES.balance);
  const [only] = balances;
  if (only === undefined || balances.length > 1) throw new BankUnreachable(what, 'the answer is to something else');
  try {
    return readBalance(only.content);
  } catch (error) {
    throw new BankUnreachable(what, garbage(error));
  }
}

async function readQueue({ system, http }: Line, after: string, limit: number): Promise<NewsPage> {
  const what = `news of ${system} after '${after}'`;
  const reply = await http.callXml('GET', `/${system}/queue?${new URLSearchParams({ after, limit: String(limit) })}`);
  if (reply.kind !== 'answered') throw new BankUnreachable(what, reply.why);
  try {
    const read = decodeQueue(reply.body);
    const places = [after, ...read.map((item) => item.cursor)].map(Number);
    // Else reading on might never end.
    if (places.some((place, at) => at > 0 && place <= (places[at - 1] as number))) throw new Unreadable('the queue goes back');
    const items: ChannelNews[] = [];
    const unread: UnreadMessage[] = [];
    for (const { cursor, messages } of read) {
      for (const [at, { text, open }] of messages.entries()) {
        try {
          items.push(...newsOf(system, cursor, open()));
        } catch (error) {
          if (!(error instanceof Unreadable)) throw error;
          unread.push({ place: `${cursor}.${at + 1}`, reason: error.message, text });
        }
      }
    }
    return { items, next: read.at(-1)?.cursor ?? after, ...(unread.length === 0 ? {} : { unread }) };
  } catch (error) {
    throw new BankUnreachable(what, garbage(error));
  }
}

/**
 * What one inbound message says of our payments. A state that ends none (PR08, a code that nobody knows) is no news: the payment stays
 * open, and is asked after. Money that comes in without naming a payment of ours is an ordinary credit, which the core bank reports; so is
 * whatever is sent as one. What names a payment and is sent as neither an ordinary credit nor a return is doubtful.
 * @throws Unreadable when it is no message that may lie there
 */
function newsOf(system: CnapsCode, cursor: string, message: Message): ChannelNews[] {
  const { type, content } = message;
  if (message.system !== system || message.direction !== 'down') throw new Unreadable('the message is not for this queue');
  if (SILENT.test(type)) return [];
  if (type === CREDIT_TYPES[system]) {
    return readNamed(system, content).map(({ original = '', category, amount, reason, date }): ChannelNews => {
      const why = reason === undefined ? {} : { reason };
      const doubt = category === RETURNED ? {} : { doubt: `category ${category} is not that of a return` };
      const said = { cursor, messageNo: original, status: 'returned', reference: `RT${original}`, businessDate: date } as const;
      return { ...said, amount, ...why, ...doubt };
    });
  }
  if (type !== TYPES.confirmed && type !== TYPES.receipt) throw new Unreadable(`a message of type ${type} is not expected`);
  const state = readConfirmed(type === TYPES.receipt ? 'ibps.102' : 'ccms.900', content);
  const { messageNo, status, reason } = answerOf(state);
  if (reason === OTHER_CONTENT || status === 'accepted' || status === 'unknown' || status === 'not-found') return [];
  if (state.date === undefined) throw new Unreadable('a final state has no date');
  const why = reason === undefined ? {} : { reason };
  return [{ cursor, messageNo, status, ...why, reference: messageNo, businessDate: state.date }];
}

function toTransfer(order: PaymentOrder): CreditTransfer {
  return {
    txId: order.messageNo,
    category: ORDINARY,
    amount: order.amount,
    date: order.businessDate,
    // The order names the custody account by its number alone; its name is the core bank's.
    payer: { bank: PARTICIPANT, account: order.custodyNo, name: order.custodyNo },
    payee: { bank: order.payeeBank, account: order.payeeAccount, name: order.payeeName },
    remark: order.remark,
  };
}
