import { ID_TYPES, parseBusinessDate } from '../../kernel/index.js';
import { asPeer, sandboxSide } from '../keys.js';
import { type ChannelAnswer, OTHER_CONTENT, type PaymentOrder } from '../port.js';
import { codeOf } from '../unionpay/codes.js';
import { type Fields, isCarried, openForm, sealForm, unpackInfo } from '../unionpay/signed-form.js';
import { BALANCE_TYPE, SIGNING_TYPE, UNIONPAY_PATHS, UNIONPAY_TYPES } from '../unionpay/unionpay-channel.js';
import type { Bank } from './bank.js';
import { type BankRoute, type Call, type Parsed, RawAnswer } from './call.js';

const BAD_FORM = '10';
const BAD_SIGNATURE = '11';
const DONE = '00';
/** What comes back as it came. */
const ECHOED = [
  'version',
  'encoding',
  'accessType',
  'merId',
  'bizType',
  'txnType',
  'txnSubType',
  'orderId',
  'txnTime',
  'reqReserved',
];

/** The network's gateway: form-encoded, signed both ways, one order a call. */
export const UNIONPAY_ROUTES: readonly BankRoute[] = [
  { method: 'POST', path: pathOf(UNIONPAY_PATHS.act), takesText: true, parse: parseAct },
  { method: 'POST', path: pathOf(UNIONPAY_PATHS.query), takesText: true, parse: parseQuery },
];

function pathOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.')}$`);
}

function answer(asked: Fields, said: Fields): RawAnswer {
  const echoed = Object.fromEntries(ECHOED.map((name) => [name, asked[name] ?? '']));
  // Words with an `&` in them would not be carried.
  const words = Object.fromEntries(Object.entries(said).map(([name, value]) => [name, isCarried(value) ? value : tidied(value)]));
  const text = sealForm({ ...echoed, ...words }, sandboxSide('theirs').unionpay);
  return new RawAnswer(text, { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' });
}

function tidied(text: string): string {
  return text.replace(/[&\r\n]/g, ' ');
}

function refuseForm(asked: Fields, respCode: string): Parsed {
  return { run: () => answer(asked, { respCode, respMsg: 'the message was refused' }) };
}

function typeIs(asked: Fields, type: Fields): boolean {
  return Object.entries(type).every(([name, value]) => asked[name] === value);
}

function open({ text }: Call): Fields | undefined {
  return openForm(text, asPeer(sandboxSide('ours').unionpay));
}

function parseAct(call: Call): Parsed {
  const { bank } = call;
  const asked = open(call);
  if (asked === undefined) return refuseForm({}, BAD_SIGNATURE);
  for (const code of ['unionpay', 'collect'] as const)
    if (typeIs(asked, UNIONPAY_TYPES[code])) return parsePayment(bank, code, asked) ?? refuseForm(asked, BAD_FORM);
  if (typeIs(asked, SIGNING_TYPE)) return parseSigning(bank, asked) ?? refuseForm(asked, BAD_FORM);
  if (!typeIs(asked, BALANCE_TYPE)) return refuseForm(asked, BAD_FORM);
  return {
    point: { scope: 'unionpay', on: 'float', keys: [] },
    run: () => answer(asked, { respCode: DONE, balance: String(bank.float('unionpay')) }),
  };
}

function parsePayment(bank: Bank, code: 'unionpay' | 'collect', asked: Fields): Parsed | undefined {
  const order = orderOf(asked);
  if (order === undefined) return undefined;
  const { messageNo } = order;
  return {
    point: { scope: code, on: 'submit', keys: [messageNo] },
    run() {
      const said = bank.submit(code, order);
      if (bank.faults.ofPayment(code, 'answer-missing', messageNo) !== undefined) return new RawAnswer('', {});
      return answer(asked, { respCode: codeOf(said), respMsg: said.reason ?? '', queryId: queryIdOf(said) });
    },
  };
}

function queryIdOf({ reason, channelRef = '' }: ChannelAnswer): string {
  return reason === OTHER_CONTENT ? '' : channelRef;
}

function orderOf(asked: Fields): PaymentOrder | undefined {
  const { orderId = '', txnTime = '', txnAmt = '', currencyCode, accNo = '', issInsCode = '', subMerId = '' } = asked;
  const { bindId, customerInfo = '', orderDesc = '' } = asked;
  const date = /^(\d{4})(\d{2})(\d{2})\d{6}$/.exec(txnTime);
  const businessDate = date === null ? undefined : parseBusinessDate(date.slice(1).join('-'));
  const payeeName = unpackInfo(customerInfo)?.customerNm ?? '';
  const isRight =
    /^[A-Za-z0-9_-]{1,35}$/.test(orderId) &&
    /^[1-9]\d{0,11}$/.test(txnAmt) &&
    /^[A-Za-z0-9-]{1,32}$/.test(subMerId) &&
    /^(?:\d{12})?$/.test(issInsCode);
  if (!isRight || currencyCode !== '156' || businessDate === undefined || payeeName === '' || accNo === '') return undefined;
  return {
    ...{ messageNo: orderId, custodyNo: subMerId, amount: BigInt(txnAmt), payeeName, payeeAccount: accNo },
    ...{ payeeBank: issInsCode, businessDate, remark: Buffer.from(orderDesc, 'base64').toString('utf8') },
    ...(bindId === undefined ? {} : { contractNo: bindId }),
  };
}

function parseSigning(bank: Bank, asked: Fields): Parsed | undefined {
  const { orderId = '', accNo = '', issInsCode = '', customerInfo = '' } = asked;
  const { certifTp, certifId = '', customerNm = '', phoneNo = '' } = unpackInfo(customerInfo) ?? {};
  const idType = ID_TYPES.find((each) => each === certifTp);
  if (idType === undefined || !/^[A-Za-z0-9_-]{1,35}$/.test(orderId) || accNo === '' || customerNm === '') return undefined;
  const request = {
    ...{ signNo: orderId, name: customerNm, idType, idNo: certifId },
    ...{ account: accNo, bankCode: issInsCode, mobile: phoneNo },
  };
  return {
    point: { scope: 'collect', on: 'sign', keys: [orderId, accNo] },
    run() {
      const said = bank.sign('collect', request);
      if (said.status === 'signed') return answer(asked, { respCode: DONE, bindId: said.contractNo });
      return answer(asked, { respCode: codeOf({ status: 'failed', reason: said.reason }), respMsg: said.reason });
    },
  };
}

function parseQuery(call: Call): Parsed {
  const { bank } = call;
  const asked = open(call);
  if (asked === undefined) return refuseForm({}, BAD_SIGNATURE);
  const code = (['unionpay', 'collect'] as const).find((each) => UNIONPAY_TYPES[each].bizType === asked.bizType);
  const { orderId = '' } = asked;
  if (code === undefined || !typeIs(asked, { txnType: '00', txnSubType: '00' }) || orderId === '')
    return refuseForm(asked, BAD_FORM);
  return {
    point: { scope: code, on: 'query', keys: [orderId] },
    run() {
      const said = bank.query(code, orderId);
      if (said.status === 'not-found') return answer(asked, { respCode: codeOf(said), respMsg: 'no such order' });
      const orig = { origRespCode: codeOf(said), origRespMsg: said.reason ?? '' };
      return answer(asked, { respCode: DONE, ...orig, queryId: queryIdOf(said) });
    },
  };
}
