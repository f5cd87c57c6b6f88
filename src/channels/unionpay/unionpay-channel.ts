import { randomBytes } from 'node:crypto';
import type { Minor } from '../../kernel/index.js';
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
  type PaymentOrder,
  type SigningAnswer,
  type SigningRequest,
} from '../port.js';
import type { OrderFault } from '../rules.js';
import { querySingly, submitSingly } from '../singly.js';
import { meaningOf, queryMeaningOf } from './codes.js';
import { type Fields, isCarried, openForm, packInfo, sealForm } from './signed-form.js';

/** What an adapter of UnionPay (银联) works with. */
export interface UnionPayParts {
  readonly http: BankHttp;
  readonly merchant: string;
  /** Asked for at each call: those of a sandbox take a while to make, and most processes never need them. */
  readonly keys: () => { readonly key: SigningKey; readonly peerKeys: PeerKeys };
  readonly files: DayEndNews;
}

/** 代付 pays a card, 代收 debits one: business and transaction type, as the network numbers them. */
export const UNIONPAY_TYPES = {
  unionpay: { bizType: '000401', txnType: '12', txnSubType: '00' },
  collect: { bizType: '000501', txnType: '11', txnSubType: '02' },
} as const;
export const SIGNING_TYPE = { bizType: '000501', txnType: '72', txnSubType: '11' } as const;
export const BALANCE_TYPE = { bizType: '000401', txnType: '71', txnSubType: '00' } as const;
export const UNIONPAY_PATHS = { act: '/gateway/api/backTransReq.do', query: '/gateway/api/queryTrans.do' } as const;
const FORM = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };

/**
 * 银联代付 (`unionpay`) and 银联代收 (`collect`): form-encoded fields, signed both ways, one payment a call. An answer that is not signed
 * by the network, or not to this very call, is none. The day-end file is the feed.
 */
export function unionPayChannel(code: 'unionpay', parts: UnionPayParts): Channel;
export function unionPayChannel(code: 'collect', parts: UnionPayParts): Collector;
export function unionPayChannel(code: 'unionpay' | 'collect', parts: UnionPayParts): Channel & Partial<Collector> {
  const type = UNIONPAY_TYPES[code];
  return {
    code,
    submit: (orders) =>
      submitSingly(
        code,
        orders,
        async (order) => {
          const said = await ask(parts, UNIONPAY_PATHS.act, { ...type, ...fieldsOf(order) });
          if ('why' in said) return { messageNo: order.messageNo, status: 'unknown', reason: said.why };
          return readAnswer(order.messageNo, said.fields, meaningOf(said.fields.respCode ?? '', said.fields.respMsg ?? ''));
        },
        (order) => faultOf(code, order),
      ),
    query: (messageNos) =>
      querySingly(messageNos, async (messageNo) => {
        const said = await ask(parts, UNIONPAY_PATHS.query, { ...type, txnType: '00', txnSubType: '00', orderId: messageNo });
        if ('why' in said) return { messageNo, status: 'unknown', reason: said.why };
        const { respCode = '', origRespCode = '', origRespMsg = '' } = said.fields;
        return readAnswer(messageNo, said.fields, queryMeaningOf(respCode) ?? meaningOf(origRespCode, origRespMsg));
      }),
    news: (after, limit) => parts.files.news(code, after, limit),
    float: async () => (hasFloat(code) ? readBalance(parts) : undefined),
    ...(isCollecting(code) ? { sign: (request: SigningRequest) => askForContract(parts, request) } : {}),
  };
}

function faultOf(code: 'unionpay' | 'collect', order: PaymentOrder): OrderFault | undefined {
  const values = [order.payeeAccount, order.custodyNo, order.contractNo ?? ''];
  if (!values.every(isCarried)) return { status: 'failed', reason: 'a field has characters that the network does not carry' };
  // Eighteen digits of fen are more than the network's field holds.
  if (order.amount >= 10n ** 12n) return { status: 'refused', reason: `the amount is more than ${code} carries` };
  return undefined;
}

function fieldsOf(order: PaymentOrder): Fields {
  return {
    orderId: order.messageNo,
    // The day whose statement shows it; without a time, so that a repeat is the same message.
    txnTime: `${order.businessDate.replaceAll('-', '')}000000`,
    txnAmt: order.amount.toString(),
    currencyCode: '156',
    accNo: order.payeeAccount,
    issInsCode: order.payeeBank,
    subMerId: order.custodyNo,
    bindId: order.contractNo ?? '',
    customerInfo: packInfo({ customerNm: order.payeeName }),
    orderDesc: Buffer.from(order.remark, 'utf8').toString('base64'),
  };
}

type Said = { readonly fields: Fields } | { readonly why: string };

/** Asks, and answers what the network said to this call. */
async function ask({ http, merchant, keys }: UnionPayParts, path: string, fields: Fields): Promise<Said> {
  const { key, peerKeys } = keys();
  // UnionPay sends this field back as it came: an answer to an earlier call is not taken for that to a later one.
  const reqReserved = randomBytes(12).toString('hex');
  const sent = { version: '5.1.0', encoding: 'UTF-8', accessType: '0', merId: merchant, ...fields, reqReserved };
  const reply = await http.post(path, sealForm(sent, key), FORM);
  if (reply.kind !== 'answered') return { why: reply.why };
  const answer = openForm(reply.text, peerKeys);
  if (answer === undefined) return { why: 'the answer is not signed by the network' };
  const isToThis = (['merId', 'txnType', 'orderId', 'reqReserved'] as const).every(
    (name) => (answer[name] ?? '') === ((sent as Fields)[name] ?? ''),
  );
  return isToThis ? { fields: answer } : { why: 'the answer is to something else' };
}

function readAnswer(
  messageNo: string,
  { queryId }: Fields,
  { status, reason }: Pick<ChannelAnswer, 'status' | 'reason'>,
): ChannelAnswer {
  const told = reason === undefined ? {} : { reason };
  return queryId === undefined ? { messageNo, status, ...told } : { messageNo, status, ...told, channelRef: queryId };
}

async function readBalance(parts: UnionPayParts): Promise<Minor> {
  const said = await ask(parts, UNIONPAY_PATHS.act, BALANCE_TYPE);
  const what = 'float of unionpay';
  if ('why' in said) throw new BankUnreachable(what, said.why);
  const { respCode, balance = '' } = said.fields;
  if (respCode !== '00' || !/^-?\d{1,18}$/.test(balance)) throw new BankUnreachable(what, `code ${respCode}, no balance`);
  return BigInt(balance);
}

async function askForContract(parts: UnionPayParts, request: SigningRequest): Promise<SigningAnswer> {
  const { signNo, name, idType, idNo, account, bankCode, mobile } = request;
  if (!isCarried(account)) return { signNo, status: 'refused', reason: 'a field has characters that the network does not carry' };
  const customerInfo = packInfo({ certifTp: idType, certifId: idNo, customerNm: name, phoneNo: mobile });
  const said = await ask(parts, UNIONPAY_PATHS.act, {
    ...{ ...SIGNING_TYPE, orderId: signNo, accNo: account },
    ...{ issInsCode: bankCode, customerInfo },
  });
  if ('why' in said) return { signNo, status: 'unknown', reason: said.why };
  const { respCode = '', respMsg = '', bindId = '' } = said.fields;
  const { status, reason = 'no contract number' } = meaningOf(respCode, respMsg);
  if (status === 'settled' && bindId !== '') return { signNo, status: 'signed', contractNo: bindId };
  return { signNo, status: status === 'failed' || status === 'refused' ? 'refused' : 'unknown', reason };
}
