import type { RefusalEntry } from './entry.js';

const mended = { retry: 'new-number', actor: 'caller' } as const;
const never = { retry: 'never', actor: 'caller' } as const;

/** Bulk releases, disputes, judicial freezes and deductions. */
export const HOLD_REFUSALS = {
  HOLD_REPEATED: { http: 422, en: 'A hold stands twice in one release.', zh: '同一指令中冻结重复', ...mended },
  HOLDS_TOO_MANY: { http: 422, en: 'More than 500 holds would be released at once.', zh: '一次解冻超过500笔', ...mended },
  DISPUTE_NOT_FOUND: { http: 404, en: 'No such dispute under this platform.', zh: '争议不存在', ...mended },
  DISPUTE_ENDED: { http: 422, en: 'The dispute is over, or its deadline has passed.', zh: '争议已结束', ...never },
  DISPUTE_OF_BANK: {
    http: 403,
    en: 'The bank opened this dispute, and the bank ends it.',
    zh: '银行发起的争议由银行了结',
    ...never,
  },
  DISPUTE_EXCEEDS_ORDER: {
    http: 422,
    en: 'More would be disputed than stands on the order and what the receiver got out of it.',
    zh: '争议金额超过订单可争议金额',
    ...mended,
  },
  FREEZE_DATES: {
    http: 422,
    en: 'A freeze begins today or before and lasts until today or later, for a year at most; a renewal is for longer than before.',
    zh: '冻结起止日期不符合规定',
    ...mended,
  },
  FREEZE_ENDED: { http: 409, en: 'The freeze was lifted or has expired.', zh: '冻结已解除或到期', ...never },
  FREEZE_OF_ALL: {
    http: 422,
    en: 'A freeze of all that there is can only be lifted whole.',
    zh: '全额冻结只能全部解除',
    ...mended,
  },
  FREEZE_LIFT_EXCEEDS: { http: 422, en: 'More would be lifted than is frozen.', zh: '解冻金额超过冻结金额', ...mended },
  FREEZE_DOCUMENT_REUSED: {
    http: 409,
    en: 'This document number was given before and said something else.',
    zh: '文书号已使用且内容不一致',
    ...never,
  },
  DEDUCTION_NOT_FOUND: { http: 404, en: 'No such deduction.', zh: '扣划不存在', ...never },
  DEDUCTION_DECIDED: { http: 409, en: 'The deduction was decided.', zh: '扣划已审批', ...never },
  DEDUCTION_EXCEEDS_FREEZE: {
    http: 422,
    en: 'More would be deducted than this freeze has of the money that is there.',
    zh: '扣划金额超过该冻结项下的可扣金额',
    ...mended,
  },
} as const satisfies Record<string, RefusalEntry>;
