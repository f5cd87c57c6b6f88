import type { RefusalEntry } from './entry.js';

const caller = 'caller' as const;

/** Refunds after a split, and what stands in for receivers who have the money no more. */
export const REFUND_REFUSALS = {
  RECALL_DOES_NOT_FIT: {
    http: 422,
    en: 'What is to be taken back from the receivers, and what is left on the order, do not make up the refund.',
    zh: '回退明细与订单剩余金额之和不等于退款金额',
    retry: 'new-number',
    actor: caller,
  },
  REFUND_CANCELLED: {
    http: 409,
    en: 'The refund waited for money and was cancelled.',
    zh: '退款在等待资金期间已被取消',
    retry: 'new-number',
    actor: caller,
  },
  SHORTAGE_ENDED: {
    http: 409,
    en: 'The refund waits no more.',
    zh: '该退款已不在缺款队列中',
    retry: 'never',
    actor: caller,
  },
  SUBSIDY_EXCEEDED: {
    http: 422,
    en: 'More than what is left of what the platform added to the order.',
    zh: '超过订单剩余补差金额',
    retry: 'new-number',
    actor: caller,
  },
  SUBSIDY_NOT_NEEDED: {
    http: 422,
    en: 'The platform would add more than the goods of the order lack.',
    zh: '补差金额超过订单应收差额',
    retry: 'new-number',
    actor: caller,
  },
  RECALL_OFF_RULE: {
    http: 422,
    en: 'The agreement says that all give back in proportion.',
    zh: '协议约定按比例回退，不可指定回退明细',
    retry: 'new-number',
    actor: caller,
  },
  ITEM_REFUND: {
    http: 422,
    en: 'More than what can be refunded of the item.',
    zh: '超过该商品行可退金额',
    retry: 'new-number',
    actor: caller,
  },
  REFUND_ITEMS_DIFFER: {
    http: 422,
    en: 'The items do not make up the refund with what goes back to the platform.',
    zh: '退款商品行金额之和与退款及补差回退金额不符',
    retry: 'new-number',
    actor: caller,
  },
  RESERVE_AGREED: {
    http: 409,
    en: 'The agreement in force says what stays on the account.',
    zh: '留存额以生效协议为准',
    retry: 'never',
    actor: caller,
  },
  MARGIN_NEEDED: {
    http: 422,
    en: 'The margin is needed: a refund waits for this sub-merchant, or he owes an advance.',
    zh: '商户存在待补退款或未归还垫款，保证金不可释放',
    retry: 'new-number',
    actor: caller,
  },
} as const satisfies Record<string, RefusalEntry>;
