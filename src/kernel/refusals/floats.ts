import type { RefusalEntry } from './entry.js';

const caller = 'caller' as const;

/** The bank's own money in channels, the routes of payouts, and stopping them. */
export const FLOAT_REFUSALS = {
  FLOAT_UNKNOWN: {
    http: 422,
    en: 'The channel has no float, or has not told yet what is in it.',
    zh: '该通道无备付金或余额未知',
    retry: 'same-number',
    actor: 'bank',
  },
  FLOAT_INSUFFICIENT: {
    http: 409,
    en: 'Less is free in the channel than shall be taken out of it.',
    zh: '通道可用备付金不足',
    retry: 'same-number',
    actor: 'bank',
  },
  FLOAT_TRANSFER_OPEN: {
    http: 409,
    en: 'A transfer between these two was proposed and is not over yet.',
    zh: '相同调拨尚未完成',
    retry: 'same-number',
    actor: 'bank',
  },
  FLOAT_TRANSFER_DECIDED: {
    http: 409,
    en: 'The transfer was decided before.',
    zh: '调拨已处理',
    retry: 'never',
    actor: 'nobody',
  },
  PLAN_TOO_LARGE: {
    http: 422,
    en: 'The plan has more payouts than can be assigned again on request.',
    zh: '路由批次过大，不能试算',
    retry: 'never',
    actor: caller,
  },
  PAYOUT_NOT_TO_INTERCEPT: {
    http: 422,
    en: 'A platform may stop its withdrawals, refunds and clearings; this payout is none of them.',
    zh: '该类出款平台不可拦截',
    retry: 'never',
    actor: caller,
  },
} as const satisfies Record<string, RefusalEntry>;
