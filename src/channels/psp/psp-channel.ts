import { randomBytes } from 'node:crypto';
import type { z } from 'zod';
import type { DayEndNews } from '../files/index.js';
import type { BankHttp } from '../http.js';
import type { PeerKeys, SigningKey } from '../keys.js';
import {
  BankUnreachable,
  type Channel,
  type ChannelAnswer,
  type Collector,
  hasFloat,
  isCollecting,
  OTHER_CONTENT,
  type PaymentOrder,
  type SigningAnswer,
  type SigningRequest,
} from '../port.js';
import { querySingly, submitSingly } from '../singly.js';
import { readSignature, SIGNATURE_HEADER, signatureHeader } from './signed-json.js';
import { PSP_OTHER_CONTENT, PSP_PATHS, PSP_STATUSES, PspBalance, PspContractAnswer, PspNotification, PspTrade } from './wire.js';

/** What an adapter of the payment institution (第三方支付机构) works with. */
export interface PspParts {
  readonly http: BankHttp;
  readonly merchant: string;
  readonly key: SigningKey;
  readonly peerKeys: PeerKeys;
  /** Where it tells results; nowhere when absent. */
  readonly notifyUrl?: string;
  readonly files: DayEndNews;
  /** Milliseconds since 1970. */
  readonly wallMs: () => number;
}

/**
 * Payouts (`psp`) and collections (`psp-collect`) through a payment institution: signed JSON, one payment a call. It accepts, and tells the
 * result to a query; what it tells by itself is only a hint to ask. The day-end file is the feed.
 */
export function pspChannel(code: 'psp', parts: PspParts): Channel;
export function pspChannel(code: 'psp-collect', parts: PspParts): Collector;
export function pspChannel(code: 'psp' | 'psp-collect', parts: PspParts): Channel & Partial<Collector> {
  const product = isCollecting(code) ? 'collection' : 'payout';
  return {
    code,
    submit: (orders) =>
      submitSingly(code, orders, async (order) => {
        const said = await ask(parts, PSP_PATHS[code], messageOf(order, parts.notifyUrl), PspTrade);
        return readTrade(order.messageNo, said, false);
      }),
    query: (messageNos) =>
      querySingly(messageNos, async (outTradeNo) =>
        readTrade(outTradeNo, await ask(parts, PSP_PATHS.query, { outTradeNo, product }, PspTrade), true),
      ),
    news: (after, limit) => parts.files.news(code, after, limit),
    async float() {
      if (!hasFloat(code)) return undefined;
      const said = await ask(parts, PSP_PATHS.balance, {}, PspBalance);
      if ('why' in said) throw new BankUnreachable(`float of ${code}`, said.why);
      if (said.body.merchantNo !== parts.merchant)
        throw new BankUnreachable(`float of ${code}`, 'the answer is to something else');
      return said.body.available;
    },
    ...(isCollecting(code) ? { sign: (request: SigningRequest) => askForContract(parts, request) } : {}),
  };
}

function messageOf(order: PaymentOrder, notifyUrl: string | undefined) {
  return {
    outTradeNo: order.messageNo,
    fundAccount: order.custodyNo,
    amount: order.amount.toString(),
    currency: 'CNY',
    party: { name: order.payeeName, account: order.payeeAccount, bankCode: order.payeeBank },
    tradeDate: order.businessDate,
    remark: order.remark,
    ...(order.contractNo === undefined ? {} : { contractNo: order.contractNo }),
    ...(notifyUrl === undefined ? {} : { notifyUrl }),
  };
}

type Said<T> = { readonly body: T } | { readonly why: string };

/** Asks, and answers what the institution said to this call, verified before it is parsed. */
async function ask<T>(parts: PspParts, path: string, message: object, schema: z.ZodType<T>): Promise<Said<T>> {
  const { http, merchant, key, peerKeys, wallMs } = parts;
  const body = JSON.stringify({ merchantNo: merchant, ...message });
  const nonce = randomBytes(12).toString('hex');
  const signed = { purpose: path, nonce, body: Buffer.from(body, 'utf8') };
  const headers = {
    'content-type': 'application/json',
    [SIGNATURE_HEADER]: signatureHeader(signed, Math.floor(wallMs() / 1_000), key),
  };
  const reply = await http.post(path, body, headers);
  if (reply.kind !== 'answered') return { why: reply.why };
  const header = reply.headers[SIGNATURE_HEADER];
  const answer = { purpose: 'answer', body: Buffer.from(reply.text, 'utf8') };
  const signature = typeof header === 'string' ? readSignature(header, answer, peerKeys) : undefined;
  if (signature === undefined) return { why: 'the answer is not signed by the institution' };
  if (signature.nonce !== nonce) return { why: 'the answer is to something else' };
  const parsed = schema.safeParse(jsonOf(reply.text));
  return parsed.success ? { body: parsed.data } : { why: `garbage, ${reply.text.length} characters` };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readTrade(messageNo: string, said: Said<z.output<typeof PspTrade>>, isQuery: boolean): ChannelAnswer {
  const unknown = (reason: string): ChannelAnswer => ({ messageNo, status: 'unknown', reason });
  if ('why' in said) return unknown(said.why);
  const { outTradeNo, status: theirs, tradeNo, failCode, failReason } = said.body;
  if (outTradeNo !== messageNo) return unknown('the answer is to something else');
  const status = PSP_STATUSES[theirs];
  if (failCode === PSP_OTHER_CONTENT) return { messageNo, status: 'failed', reason: OTHER_CONTENT };
  // Only a question may be answered so.
  if (status === 'not-found') return isQuery ? { messageNo, status } : unknown('a submission was answered as if it were a query');
  const isEnd = status === 'failed' || status === 'refused' || status === 'not-now';
  const reason = isEnd ? { reason: failReason ?? failCode ?? 'no reason given' } : {};
  return { messageNo, status, ...reason, ...(tradeNo === undefined ? {} : { channelRef: tradeNo }) };
}

async function askForContract(parts: PspParts, request: SigningRequest): Promise<SigningAnswer> {
  const { signNo } = request;
  const said = await ask(parts, PSP_PATHS.contract, request, PspContractAnswer);
  const unknown = (reason: string): SigningAnswer => ({ signNo, status: 'unknown', reason });
  if ('why' in said) return unknown(said.why);
  const { status, contractNo, failReason = 'no reason given' } = said.body;
  if (said.body.signNo !== signNo) return unknown('the answer is to something else');
  if (status === 'REJECTED') return { signNo, status: 'refused', reason: failReason };
  return contractNo === undefined ? unknown('no contract number') : { signNo, status: 'signed', contractNo };
}

/** The institution tells a result to this purpose (异步通知). */
export const NOTIFICATION_PURPOSE = 'notification';

/**
 * Reads what came to our notify address; the signature is verified before anything is parsed. It is a hint and no result: whoever gets one
 * asks the channel. That is also why one that comes late or again needs no guard of its own.
 */
export function readNotification(
  header: string | undefined,
  body: Uint8Array,
  peerKeys: PeerKeys,
): { messageNo: string; code: 'psp' | 'psp-collect' } | 'unsigned' | 'unreadable' {
  if (readSignature(header, { purpose: NOTIFICATION_PURPOSE, body }, peerKeys) === undefined) return 'unsigned';
  const told = PspNotification.safeParse(jsonOf(Buffer.from(body).toString('utf8')));
  if (!told.success) return 'unreadable';
  return { messageNo: told.data.outTradeNo, code: told.data.product === 'payout' ? 'psp' : 'psp-collect' };
}
