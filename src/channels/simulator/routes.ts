import { z } from 'zod';
import type { Minor } from '../../kernel/index.js';
import { CNAPS_CODES } from '../cnaps/envelope.js';
import { hasDayFiles } from '../files/index.js';
import { CHANNELS, type ChannelCode } from '../port.js';
import {
  AcceptMessage,
  AccountMessage,
  FloatEntry,
  FloatTransferMessage,
  InflowsMessage,
  NewsQuery,
  PaymentsMessage,
  QueriesMessage,
  RejectMessage,
  statementRow,
  TransferMessage,
  WireDate,
} from '../wire.js';
import type { Bank } from './bank.js';
import { type BankRoute, type Call, orConflict, type Parsed, RawAnswer, Rejected, shape } from './call.js';
import { CNAPS_ROUTES } from './cnaps.js';
import { FaultPlan } from './faults.js';
import { FUND_ROUTES } from './funds/routes.js';
import { INSTITUTION_ROUTES } from './institution-routes.js';
import { VERIFICATION_ROUTES } from './verification-routes.js';

const SandboxDate = z.strictObject({ date: WireDate });
const SandboxFloats = z.strictObject({ floats: z.array(FloatEntry) });
const SandboxClock = z.strictObject({ advanceMs: z.number().int().min(0) });

const SPEAK_JSON = CHANNELS.filter((code) => !hasDayFiles(code) && !(CNAPS_CODES as readonly string[]).includes(code));
const ofChannel = (what: string) => new RegExp(`^/(${SPEAK_JSON.join('|')})/${what}$`);

export const ROUTES: readonly BankRoute[] = [
  ...CNAPS_ROUTES,
  { method: 'POST', path: ofChannel('payments'), parse: parsePayments },
  { method: 'POST', path: ofChannel('queries'), parse: parseQueries },
  { method: 'GET', path: ofChannel('news'), parse: parseNews },
  { method: 'GET', path: ofChannel('float'), parse: parseFloatAsked },
  { method: 'POST', path: /^\/core\/floats\/transfers$/, parse: parseFloatTransfer },
  {
    method: 'PUT',
    path: /^\/sandbox\/floats$/,
    parse: ({ bank, body }) => {
      const { floats } = shape(SandboxFloats, body);
      return { run: () => floats.forEach(({ channel, balance }) => void bank.floats.set(channel, balance)) };
    },
  },
  { method: 'POST', path: /^\/core\/accounts$/, parse: parseOpen },
  { method: 'POST', path: /^\/core\/accounts\/([A-Za-z0-9-]+)\/inflows$/, parse: parseInflows },
  { method: 'POST', path: /^\/sandbox\/accounts\/([A-Za-z0-9-]+)\/outflows$/, parse: parseOutflows },
  { method: 'GET', path: /^\/core\/accounts\/([A-Za-z0-9-]+)\/statements\/([0-9-]+)$/, parse: parseStatement },
  { method: 'GET', path: /^\/core\/incoming$/, parse: parseIncoming },
  { method: 'POST', path: /^\/core\/incoming\/([^/]+)\/accept$/, parse: parseAccept },
  { method: 'POST', path: /^\/core\/incoming\/([^/]+)\/reject$/, parse: parseReject },
  { method: 'GET', path: /^\/sandbox\/transfers$/, parse: ({ bank }) => ({ run: () => ({ items: bank.transfers.all() }) }) },
  {
    method: 'POST',
    path: /^\/sandbox\/transfers$/,
    parse: ({ bank, body }) => {
      const { reference, businessDate, ...transfer } = shape(TransferMessage, body);
      const item = {
        ...transfer,
        ...(reference === undefined ? {} : { reference }),
        ...(businessDate === undefined ? {} : { businessDate }),
      };
      return { run: () => orConflict(bank.sendTransfer(item)) };
    },
  },
  { method: 'GET', path: /^\/sandbox\/books$/, parse: ({ bank }) => ({ run: () => bank.books() }) },
  {
    method: 'PUT',
    path: /^\/sandbox\/faults$/,
    parse: ({ bank, body }) => {
      shape(FaultPlan, body);
      return {
        run() {
          bank.faults.replace(body as FaultPlan);
          return bank.faults.shown();
        },
      };
    },
  },
  { method: 'GET', path: /^\/sandbox\/faults$/, parse: ({ bank }) => ({ run: () => bank.faults.shown() }) },
  {
    method: 'PUT',
    path: /^\/sandbox\/date$/,
    parse: ({ bank, body }) => {
      const { date } = shape(SandboxDate, body);
      return {
        run() {
          bank.setDate(date);
          return { date };
        },
      };
    },
  },
  {
    method: 'POST',
    path: /^\/sandbox\/clock$/,
    parse: ({ bank, body }) => {
      const { advanceMs } = shape(SandboxClock, body);
      return { run: () => bank.advanceMs(advanceMs) };
    },
  },
  { method: 'POST', path: /^\/sandbox\/reset$/, parse: ({ bank }) => ({ run: () => bank.reset() }) },
  ...VERIFICATION_ROUTES,
  ...INSTITUTION_ROUTES,
  ...FUND_ROUTES,
  { method: 'GET', path: /^\/health$/, parse: () => ({ run: () => ({ status: 'ok' }) }) },
];

function parsePayments({ bank, path, body }: Call): Parsed {
  const scope = path[0] as ChannelCode;
  const { orders } = shape(PaymentsMessage, body);
  return {
    point: { scope, on: 'submit', keys: orders.map((order) => order.messageNo) },
    run() {
      const answers = orders.map((order) => bank.submit(scope, order));
      return {
        answers: answers.filter(({ messageNo }) => bank.faults.ofPayment(scope, 'answer-missing', messageNo) === undefined),
      };
    },
  };
}

function parseQueries({ bank, path, body }: Call): Parsed {
  const scope = path[0] as ChannelCode;
  const { messageNos } = shape(QueriesMessage, body);
  return {
    point: { scope, on: 'query', keys: messageNos },
    run: () => ({ answers: messageNos.map((messageNo) => bank.query(scope, messageNo)) }),
  };
}

function parseNews({ bank, path, query }: Call): Parsed {
  const scope = path[0] as ChannelCode;
  const { after, limit } = shape(NewsQuery, query);
  return { point: { scope, on: 'news', keys: [after] }, run: () => bank.news(scope, after, limit) };
}

function parseFloatAsked({ bank, path }: Call): Parsed {
  const scope = path[0] as ChannelCode;
  return {
    point: { scope, on: 'float', keys: [] },
    run() {
      const available = bank.float(scope);
      if (available === undefined) throw new Rejected(404, 'the bank keeps no money there');
      return { available };
    },
  };
}

function parseFloatTransfer({ bank, body }: Call): Parsed {
  const { reference, from, to, amount } = shape(FloatTransferMessage, body);
  return {
    point: { scope: 'core', on: 'float', keys: [reference] },
    run: () => orConflict(bank.floats.transfer(reference, from, to, amount) ?? { reference }),
  };
}

function parseOpen({ bank, body }: Call): Parsed {
  const { custodyNo, name } = shape(AccountMessage, body);
  return {
    point: { scope: 'core', on: 'open', keys: [custodyNo] },
    run() {
      const refusal = bank.openCustodyAccount(custodyNo, name);
      if (refusal !== undefined) throw new Rejected(409, refusal);
      return { custodyNo };
    },
  };
}

function parseInflows({ bank, path, body }: Call): Parsed {
  const custodyNo = knownAccount(bank, path[0]);
  const { businessDate, items } = shape(InflowsMessage, body);
  return {
    point: { scope: 'core', on: 'inflows', keys: [custodyNo] },
    run: () => orConflict(bank.inflows(custodyNo, businessDate, items)),
  };
}

function parseOutflows({ bank, path, body }: Call): Parsed {
  const custodyNo = knownAccount(bank, path[0]);
  const { businessDate, items } = shape(InflowsMessage, body);
  return { run: () => orConflict(bank.outflows(custodyNo, businessDate, items)) };
}

function parseStatement({ bank, path }: Call): Parsed {
  const custodyNo = knownAccount(bank, path[0]);
  const businessDate = shape(WireDate, path[1]);
  return {
    point: { scope: 'core', on: 'statement', keys: [custodyNo, `${custodyNo}/${businessDate}`] },
    run() {
      const { lines, opening, complete, ...totals } = bank.statement(custodyNo, businessDate);
      const rows = [
        toJson({ custodyNo, businessDate, opening, complete }),
        ...lines.map(statementRow),
        toJson({ ...totals, count: lines.length }),
      ];
      return new RawAnswer(rows.map((row) => `${row}\n`).join(''), { 'content-type': 'application/x-ndjson' });
    },
  };
}

function parseIncoming({ bank, query }: Call): Parsed {
  const { after, limit } = shape(NewsQuery, query);
  return { point: { scope: 'core', on: 'incoming', keys: [after] }, run: () => bank.transfers.incoming(after, limit) };
}

function parseAccept({ bank, path, body }: Call): Parsed {
  const reference = decoded(path[0] ?? '');
  const { custodyNo, businessDate } = shape(AcceptMessage, body);
  return {
    point: { scope: 'core', on: 'answer', keys: [reference] },
    run: () => orConflict(bank.acceptTransfer(reference, custodyNo, businessDate) ?? { reference, state: 'accepted' }),
  };
}

function parseReject({ bank, path, body }: Call): Parsed {
  const reference = decoded(path[0] ?? '');
  const { reason } = shape(RejectMessage, body);
  return {
    point: { scope: 'core', on: 'answer', keys: [reference] },
    run: () => orConflict(bank.transfers.reject(reference, reason) ?? { reference, state: 'rejected' }),
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new Rejected(400, 'the path is malformed');
  }
}

function knownAccount(bank: Bank, custodyNo: string | undefined): string {
  if (custodyNo === undefined || !bank.hasCustodyAccount(custodyNo)) throw new Rejected(404, 'no such custody account');
  return custodyNo;
}

/** Amounts leave as decimal text. */
export function toJson(body: unknown): string {
  return JSON.stringify(body ?? {}, (_key, value: Minor | unknown) => (typeof value === 'bigint' ? value.toString() : value));
}
