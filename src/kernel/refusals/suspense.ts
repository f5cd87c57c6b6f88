import type { RefusalEntry } from './entry.js';

const caller = 'caller' as const;

/** Money on suspense: whose it is takes two people, and nothing of it moves twice. */
export const SUSPENSE_REFUSALS = {
  SUSPENSE_NOT_FOUND: {
    http: 404,
    en: 'No such item on the suspense account of this platform.',
    zh: '挂账项不存在',
    retry: 'new-number',
    actor: 'bank',
  },
  SUSPENSE_EXCEEDED: {
    http: 422,
    en: 'More than is left of the item on suspense.',
    zh: '超出挂账余额',
    retry: 'new-number',
    actor: 'bank',
  },
  SUSPENSE_USED: {
    http: 422,
    en: 'Part of the money on suspense was attributed or sent back already.',
    zh: '挂账款项已部分处理',
    retry: 'new-number',
    actor: 'bank',
  },
  SUSPENSE_PAYER_UNKNOWN: {
    http: 422,
    en: "The payer's account is not known, so nothing can be sent back to it.",
    zh: '付款账户不明，无法退回',
    retry: 'new-number',
    actor: 'bank',
  },
  PROPOSAL_NOT_APPROVED: {
    http: 422,
    en: 'There is no such proposal that a second person approved, or it says something else.',
    zh: '提案未经复核或内容不一致',
    retry: 'never',
    actor: 'bank',
  },
  PROPOSAL_DECIDED: {
    http: 409,
    en: 'The proposal was decided before.',
    zh: '提案已处理',
    retry: 'never',
    actor: 'nobody',
  },
  BREAK_NOT_SUSPENSE: {
    http: 422,
    en: 'Only an open break of money that the bank has received and the books do not know can be booked on suspense.',
    zh: '该差错不能转挂账',
    retry: 'never',
    actor: caller,
  },
} as const satisfies Record<string, RefusalEntry>;
