import type { RefusalEntry } from './entry.js';

/** Instructions that two people of the bank look at before they are executed, and the rules that send them there. */
export const REVIEW_REFUSALS = {
  REVIEW_REJECTED: {
    http: 403,
    en: 'The bank reviewed the instruction and rejected it.',
    zh: '银行人工复核未通过',
    retry: 'new-number',
    actor: 'platform-operator',
  },
  REVIEW_LAPSED: {
    http: 403,
    en: 'The instruction was in review, and nobody had approved it by the deadline.',
    zh: '人工复核逾期未通过',
    retry: 'new-number',
    actor: 'platform-operator',
  },
  REVIEW_OVERTAKEN: {
    http: 409,
    en: 'Since it went to review, the instruction has come to take more or to pay somebody else: give it anew.',
    zh: '送复核后金额增加或收款方变更，须重新提交',
    retry: 'new-number',
    actor: 'platform-operator',
  },
  REVIEW_DECIDED: {
    http: 409,
    en: 'The review is decided already, or its deadline has passed.',
    zh: '复核已有结论或已逾期',
    retry: 'never',
    actor: 'bank',
  },
  REVIEW_RULE_STATE: {
    http: 409,
    en: 'In its state the review rule does not allow this.',
    zh: '复核规则当前状态不允许此操作',
    retry: 'never',
    actor: 'bank',
  },
  REVIEW_RULE_INVALID: {
    http: 422,
    en: 'The review rule cannot be applied: its kinds, its dates or its test do not fit together.',
    zh: '复核规则无法适用',
    retry: 'new-number',
    actor: 'bank',
  },
} as const satisfies Record<string, RefusalEntry>;
