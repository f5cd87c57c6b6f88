import { z } from 'zod';
import { ID_TYPES, type Minor } from '../../kernel/index.js';
import { OTHER_CONTENT } from '../port.js';
import { WireDate } from '../wire.js';

/**
 * The payment institution's messages: JSON, amounts in fen as text. What is sent is strict; what is read tolerates fields that we do not know.
 */
export const PSP_PATHS = {
  psp: '/psp/v1/payouts',
  'psp-collect': '/psp/v1/collections',
  query: '/psp/v1/queries',
  balance: '/psp/v1/balances',
  contract: '/psp/v1/contracts',
} as const;

const positive = z
  .string()
  .regex(/^[1-9][0-9]{0,17}$/)
  .transform((text): Minor => BigInt(text));
const MerchantNo = z.string().regex(/^[A-Za-z0-9]{1,32}$/);
const TradeNo = z.string().regex(/^[A-Za-z0-9_-]{1,35}$/);
const BankCode = z.union([z.literal(''), z.string().regex(/^[0-9]{12}$/)]);

export const PspPayment = z.strictObject({
  merchantNo: MerchantNo,
  outTradeNo: TradeNo,
  fundAccount: z.string().regex(/^[A-Za-z0-9-]{1,32}$/),
  amount: positive,
  currency: z.literal('CNY'),
  party: z.strictObject({ name: z.string().min(1).max(140), account: z.string().min(1).max(34), bankCode: BankCode }),
  tradeDate: WireDate,
  remark: z.string().max(140),
  contractNo: z.string().min(1).max(64).exactOptional(),
  notifyUrl: z.url({ protocol: /^https?$/ }).exactOptional(),
});
export const PspQuery = z.strictObject({
  merchantNo: MerchantNo,
  outTradeNo: z.string().min(1).max(64),
  product: z.enum(['payout', 'collection']),
});
export const PspBalanceAsked = z.strictObject({ merchantNo: MerchantNo });
export const PspContract = z.strictObject({
  merchantNo: MerchantNo,
  signNo: TradeNo,
  name: z.string().min(1).max(140),
  idType: z.enum(ID_TYPES),
  idNo: z.string().min(1).max(32),
  account: z.string().min(1).max(34),
  bankCode: BankCode,
  mobile: z.string().min(1).max(20),
});

/** What the institution calls the states of a trade. */
export const PSP_STATUSES = {
  SUCCESS: 'settled',
  PROCESSING: 'accepted',
  FAILED: 'failed',
  REJECTED: 'refused',
  DEFERRED: 'not-now',
  NOT_EXIST: 'not-found',
} as const;
export const PSP_OTHER_CONTENT = 'OUT_TRADE_NO_USED';
const pspStatus = z.enum(['SUCCESS', 'PROCESSING', 'FAILED', 'REJECTED', 'DEFERRED', 'NOT_EXIST']);

const text = z.string().max(256);
export const PspTrade = z.object({
  outTradeNo: z.string(),
  status: pspStatus,
  tradeNo: z.string().max(64).exactOptional(),
  failCode: text.exactOptional(),
  failReason: text.exactOptional(),
});
export const PspBalance = z.object({
  merchantNo: z.string(),
  available: z
    .string()
    .regex(/^-?\d{1,18}$/)
    .transform(BigInt),
});
export const PspContractAnswer = z.object({
  signNo: z.string(),
  status: z.enum(['SIGNED', 'REJECTED']),
  contractNo: z.string().min(1).max(64).exactOptional(),
  failReason: text.exactOptional(),
});

/** What the institution tells of a trade without being asked (异步通知). */
export const PspNotification = z.object({
  product: z.enum(['payout', 'collection']),
  outTradeNo: z.string().min(1).max(64),
  status: pspStatus,
});

/** A trade in the institution's words. */
export function toPspTrade(answer: {
  readonly messageNo: string;
  readonly status: string;
  readonly reason?: string;
  readonly channelRef?: string;
}): z.input<typeof PspTrade> {
  const { messageNo: outTradeNo, reason, channelRef } = answer;
  if (reason === OTHER_CONTENT) return { outTradeNo, status: 'FAILED', failCode: PSP_OTHER_CONTENT };
  const [status] = Object.entries(PSP_STATUSES).find(([, ours]) => ours === answer.status) as [z.input<typeof pspStatus>, string];
  return {
    outTradeNo,
    status,
    ...(channelRef === undefined ? {} : { tradeNo: channelRef }),
    ...(reason === undefined ? {} : { failReason: reason }),
  };
}
