import {
  balanceBody,
  confirmedBody,
  discardedBody,
  type Heading,
  type PaymentState,
  QUERY_TYPES,
  queriedBody,
  readBalanceAsked,
  readQuery,
  receivedBody,
  TYPES,
} from '../cnaps/answers.js';
import { DUPLICATE, NOT_RECEIVED, RECEIVED, verdictOf } from '../cnaps/codes.js';
import { CREDIT_TYPES, type CreditTransfer, creditBody, ORDINARY, RETURNED, readCredit } from '../cnaps/credit.js';
import {
  CNAPS_CODES,
  type CnapsCode,
  decodeMessages,
  encodeMessage,
  encodeQueue,
  type Header,
  headerOf,
  type Message,
  mesgIdOf,
  PARTICIPANT,
} from '../cnaps/envelope.js';
import { Unreadable } from '../cnaps/xml.js';
import { type ChannelAnswer, type ChannelNews, OTHER_CONTENT, type PaymentOrder } from '../port.js';
import { NewsQuery } from '../wire.js';
import type { Bank } from './bank.js';
import { type BankRoute, type Call, type Parsed, RawAnswer, Rejected, shape } from './call.js';

const systems = CNAPS_CODES.join('|');

const XML_HEADERS = { 'content-type': 'application/xml; charset=utf-8' };

/** The clearing systems of the People's Bank: one entrance for messages, and a queue for each participant, here only ours. */
export const CNAPS_ROUTES: readonly BankRoute[] = [
  { method: 'POST', path: new RegExp(`^/(${systems})/messages$`), takesText: true, parse: parseMessages },
  { method: 'GET', path: new RegExp(`^/(${systems})/queue$`), takesText: true, parse: parseQueue },
];

/** Where a payment stands when it is final in each system: settled one by one, or netted. */
const SETTLED: Readonly<Record<CnapsCode, string>> = { hvps: 'PR04', beps: 'PR03', ibps: 'PR03' };
const UNDER_WAY: Readonly<Record<CnapsCode, string>> = { hvps: 'PR12', beps: 'PR11', ibps: 'PR11' };
const CANCELLED = 'PR08';

/** The bank's words, and the codes by which the systems say them. */
const CODES_OF_REASONS = new Map([
  [OTHER_CONTENT, DUPLICATE],
  ['no such account', 'RJ01'],
  ['payee account and name do not match', 'RJ02'],
  ['insufficient funds on the custody account', 'RJ03'],
  ['payee account closed', 'RJ10'],
  ['over the limit', 'SY01'],
  ['outside its hours', 'SY02'],
  ['insufficient float', 'SY03'],
  ['the payee bank is not reached by this channel', 'SY04'],
  ['queued for too long', 'SY05'],
]);

/** The code by which a system says why it did not pay. */
function codeOf(status: NotPaid, reason: string): string {
  const code = CODES_OF_REASONS.get(reason);
  if (code !== undefined && verdictOf('PR09', code) === status) return code;
  return { failed: 'RJ90', refused: 'SY09', 'not-now': 'SY02' }[status];
}

type NotPaid = 'failed' | 'refused' | 'not-now';

interface Exchange {
  readonly bank: Bank;
  readonly system: CnapsCode;
  readonly header: Header;
}

function parseMessages({ bank, path, text }: Call): Parsed {
  const system = path[0] as CnapsCode;
  const header = headerOf(text);
  if (header === undefined) throw new Rejected(400, 'the header cannot be read');
  const exchange: Exchange = { bank, system, header };
  try {
    const messages = decodeMessages(text);
    const [message] = messages;
    if (message === undefined || messages.length > 1) throw new Unreadable('one message at a time');
    if (message.system !== system || message.direction !== 'up') throw new Unreadable('the message is not for this system');
    return parseMessage(exchange, message);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { point: { scope: system, on: 'submit', keys: [] }, run: () => answer([discarded(exchange, error.message)]) };
  }
}

function parseMessage(exchange: Exchange, { type, content }: Message): Parsed {
  const { bank, system } = exchange;
  if (type === CREDIT_TYPES[system]) {
    const orders = readCredit(system, content).transfers.map(toOrder);
    return {
      point: { scope: system, on: 'submit', keys: orders.map((order) => order.messageNo) },
      run: () => answer(takePayments(exchange, orders)),
    };
  }
  if (type === QUERY_TYPES[system].asked) {
    const messageNo = readQuery(content);
    return {
      point: { scope: system, on: 'query', keys: [messageNo] },
      run() {
        const state = stateOf(exchange, bank.query(system, messageNo));
        return answer([reply(exchange, QUERY_TYPES[system].answered, (heading) => queriedBody(system, heading, state))]);
      },
    };
  }
  if (type === TYPES.balanceAsked) {
    readBalanceAsked(content);
    return {
      point: { scope: system, on: 'float', keys: [] },
      run: () => answer([reply(exchange, TYPES.balance, (heading) => balanceBody(system, heading, bank.float(system) ?? 0n))]),
    };
  }
  throw new Unreadable(`a message of type ${type} is not taken`);
}

/** Takes what one message carries, or nothing of it; answers that it was received and, of what is final already, how it ended. */
function takePayments(exchange: Exchange, orders: readonly PaymentOrder[]): string[] {
  const { bank, system, header } = exchange;
  const befalls = (fault: 'discarded' | 'answer-missing') => (order: PaymentOrder) =>
    bank.faults.ofPayment(system, fault, order.messageNo) !== undefined;
  if (orders.filter(befalls('discarded')).length > 0) return [discarded(exchange, 'discarded by the system')];
  const answers = orders.map((order) => bank.submit(system, order));
  const missing = new Set(orders.filter(befalls('answer-missing')).map((order) => order.messageNo));
  const reference = answers.find((each) => each.channelRef !== undefined)?.channelRef ?? header.mesgId;
  const received = reply(exchange, TYPES.received, () =>
    receivedBody({ mesgId: header.mesgId, type: header.type, reference, code: RECEIVED }),
  );
  const states = answers
    .filter(({ messageNo }) => !missing.has(messageNo))
    .map((each) => stateOf(exchange, each))
    .filter(({ state }) => state !== UNDER_WAY[system]);
  return [...(missing.size > 0 ? [] : [received]), ...states.map((state) => confirmed(exchange, state))];
}

function toOrder({ txId, category, amount, date, payer, payee, remark, original }: CreditTransfer): PaymentOrder {
  if (category !== ORDINARY || original !== undefined) throw new Unreadable('only ordinary credit transfers are taken');
  if (payer.bank !== PARTICIPANT) throw new Unreadable('the payer is not at the sender');
  return {
    messageNo: txId,
    custodyNo: payer.account,
    amount,
    payeeName: payee.name,
    payeeAccount: payee.account,
    payeeBank: payee.bank,
    businessDate: date,
    remark,
  };
}

function stateOf({ bank, system }: Exchange, { messageNo: txId, status, reason = '', channelRef }: ChannelAnswer): PaymentState {
  const reference = channelRef === undefined ? {} : { reference: channelRef };
  switch (status) {
    case 'settled':
      return { txId, state: SETTLED[system], ...reference };
    case 'failed':
    case 'refused':
    case 'not-now':
      return { txId, ...rejection(status, reason), ...reference };
    case 'not-found':
      return { txId, code: NOT_RECEIVED };
    default: {
      const cancelled = bank.faults.ofPayment(system, 'cancelled', txId) !== undefined;
      return { txId, state: cancelled ? CANCELLED : UNDER_WAY[system], ...reference };
    }
  }
}

function rejection(status: NotPaid, reason: string) {
  const code = codeOf(status, reason);
  return { state: code === 'SY05' ? 'PR32' : 'PR09', code, reason };
}

function parseQueue({ bank, path, query }: Call): Parsed {
  const system = path[0] as CnapsCode;
  const { after, limit } = shape(NewsQuery, query);
  return {
    point: { scope: system, on: 'news', keys: [after] },
    run() {
      const items = bank.news(system, after, limit).items;
      const text = encodeQueue(items.map((item) => ({ cursor: item.cursor, messages: messagesOf(bank, system, item) })));
      return new RawAnswer(text, XML_HEADERS, garbledForms(text));
    },
  };
}

/** An item of the bank's news as the messages in which the system tells it. */
function messagesOf(bank: Bank, system: CnapsCode, item: ChannelNews): string[] {
  const { cursor, messageNo: txId, status, reason = '', businessDate: date } = item;
  const header: Header = {
    system,
    direction: 'down',
    sentAt: `${date}T00:00:00`,
    type: CREDIT_TYPES[system],
    mesgId: mesgIdOf(system, 'queue', cursor),
    refId: mesgIdOf(system, 'queue', cursor),
  };
  const exchange: Exchange = { bank, system, header };
  if (status !== 'returned') {
    const state = status === 'settled' ? { state: SETTLED[system] } : rejection(status, reason);
    const final = confirmed(exchange, { txId, date, ...state });
    if (bank.faults.ofPayment(system, 'cancelled', txId) === undefined) return [final];
    return [confirmed(exchange, { txId, date, state: CANCELLED }), final];
  }
  const order = bank.orderOf(system, txId);
  if (order === undefined) throw new Error(`what came back was never sent: ${txId}`);
  const odd = bank.faults.ofPayment(system, 'odd-return', txId) !== undefined;
  const unnamed = bank.faults.ofPayment(system, 'unnamed-return', txId) !== undefined;
  const transfer: CreditTransfer = {
    txId: `R${mesgIdOf(item.reference)}`,
    category: odd ? '退汇' : RETURNED,
    amount: order.amount,
    date,
    payer: { bank: order.payeeBank, account: order.payeeAccount, name: order.payeeName },
    payee: { bank: PARTICIPANT, account: order.custodyNo, name: order.custodyNo },
    remark: unnamed ? reason : '',
    ...(unnamed ? {} : { original: txId, reason }),
  };
  const body = creditBody(system, { msgId: transfer.txId, createdAt: header.sentAt, transfers: [transfer] });
  return [encodeMessage(header, body)];
}

function confirmed(exchange: Exchange, state: PaymentState): string {
  const { system } = exchange;
  // IBPS tells of success by the receipt of the payee's bank, of all else by the system's own confirmation.
  const kind = system === 'ibps' && state.state === SETTLED.ibps ? 'ibps.102' : 'ccms.900';
  const type = kind === 'ibps.102' ? TYPES.receipt : TYPES.confirmed;
  return reply(exchange, type, (heading) => confirmedBody(kind, system, heading, state), state.txId);
}

function discarded(exchange: Exchange, reason: string): string {
  const { mesgId, type } = exchange.header;
  const line = { mesgId, type, reference: mesgId, code: 'PM1E0001', reason };
  return reply(exchange, TYPES.discarded, () => discardedBody(line));
}

/** A message that answers another; its numbers are made from that, so that the same call is answered the same. */
function reply({ system, header }: Exchange, type: string, bodyOf: (heading: Heading) => string, of = ''): string {
  const mesgId = mesgIdOf(header.mesgId, type, of);
  const { sentAt } = header;
  const down = { system, direction: 'down', sentAt, type, mesgId, refId: header.mesgId } as const;
  return encodeMessage(down, bodyOf({ msgId: `N${mesgId}`, createdAt: sentAt }));
}

function answer(messages: readonly string[]): RawAnswer {
  const text = messages.join('');
  return new RawAnswer(text, XML_HEADERS, garbledForms(text));
}

/** Cut off, of another system, JSON, damaged on the way, without its digest, not well-formed, and one that would grow when it is read. */
function garbledForms(text: string): string[] {
  const unsigned = text.replace(/\{S:[^}]*\}\r\n/g, '');
  const grows = '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><Document';
  const forms = [
    text.slice(0, text.length / 2),
    '<html><body>Bad gateway</body></html>',
    '{"answers":"none","items":7,"lines":null}',
    `${text}x`,
    unsigned,
    unsigned.replace('</Document>', '</document>'),
    unsigned.replace('<Document', grows),
  ];
  return forms.filter((form) => form !== text);
}
