import type { RefusalEntry } from './entry.js';

const caller = 'caller' as const;

/** What stands behind an order, and what its agreements allow. */
export const ORDER_REFUSALS = {
  BACKGROUND_MISSING: {
    http: 422,
    en: 'The order has to say what was bought of whom.',
    zh: '缺少订单交易背景',
    retry: 'new-number',
    actor: caller,
  },
  BACKGROUND_GIVEN: {
    http: 422,
    en: 'What stands behind an order is told with its first payment, once.',
    zh: '订单背景仅可在首次支付时提交',
    retry: 'new-number',
    actor: caller,
  },
  CATEGORY_UNKNOWN: {
    http: 422,
    en: 'The bank knows no such category of goods.',
    zh: '商品类目不存在',
    retry: 'new-number',
    actor: caller,
  },
  CATEGORY_FORBIDDEN: {
    http: 422,
    en: 'Such goods may not be sold here.',
    zh: '商品类目不允许',
    retry: 'never',
    actor: caller,
  },
  AGREEMENT_MISSING: {
    http: 422,
    en: 'The bank has approved no agreement with this seller.',
    zh: '未与该商户签订生效协议',
    retry: 'new-number',
    actor: 'bank',
  },
  AGREEMENT_ENDED: {
    http: 422,
    en: 'No agreement with this seller is in force today.',
    zh: '该商户协议未生效或已到期',
    retry: 'new-number',
    actor: 'bank',
  },
  ORDER_CAP: {
    http: 422,
    en: "The order is above what the seller's agreement allows for one.",
    zh: '超过协议约定的单笔订单上限',
    retry: 'new-number',
    actor: caller,
  },
  VOLUME_EXCEEDED: {
    http: 422,
    en: "The seller's business of the day or month would be above what his agreement allows.",
    zh: '超过协议约定的业务量上限',
    retry: 'new-number',
    actor: caller,
  },
  COMPLETION_PAST: {
    http: 422,
    en: 'An order cannot complete by itself in the past.',
    zh: '自动完结时间已过',
    retry: 'new-number',
    actor: caller,
  },
  ORDER_COMPLETED: {
    http: 422,
    en: 'The order is completed; nothing is split from it any more.',
    zh: '订单已完结，不可再分账',
    retry: 'never',
    actor: caller,
  },
  ITEM_UNKNOWN: {
    http: 422,
    en: 'The order has no such item.',
    zh: '订单中无此商品行',
    retry: 'new-number',
    actor: caller,
  },
  ITEM_SPLIT: {
    http: 422,
    en: 'More than what is left of the item.',
    zh: '超过该商品行剩余可分金额',
    retry: 'new-number',
    actor: caller,
  },
  EVIDENCE_MISSING: {
    http: 422,
    en: 'Such goods are split only when it is shown that they were delivered or done.',
    zh: '缺少该类目所需的物流或服务凭证',
    retry: 'new-number',
    actor: caller,
  },
  LINES_MISSING: {
    http: 422,
    en: 'Without an agreement the split has to say who gets what.',
    zh: '无协议订单须指定分账明细',
    retry: 'new-number',
    actor: caller,
  },
  SPLIT_OFF_RULE: {
    http: 422,
    en: 'The lines are not what the rule of the agreement makes.',
    zh: '分账明细与协议规则不符',
    retry: 'new-number',
    actor: caller,
  },
  SPLIT_OVER_CAP: {
    http: 422,
    en: 'Others than the sellers would get more of the order than the agreement allows.',
    zh: '超过协议约定的分账比例上限',
    retry: 'new-number',
    actor: caller,
  },
} as const satisfies Readonly<Record<string, RefusalEntry>>;
