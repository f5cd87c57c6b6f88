import type { RefusalEntry } from './entry.js';

/** What authorities ask of the bank. */
export const SUPERVISION_REFUSALS = {
  DAY_NOT_OVER: {
    http: 409,
    en: 'The day, month or quarter is not over yet, or its books are still open.',
    zh: '该期间尚未结束',
    retry: 'same-number',
    actor: 'nobody',
  },
  REPORT_STATE: {
    http: 409,
    en: 'In its state the report or case does not allow this.',
    zh: '报告或案件当前状态不允许此操作',
    retry: 'never',
    actor: 'bank',
  },
  RECORD_MUST_BE_KEPT: {
    http: 409,
    en: 'The law asks that the record is kept until a later day; it cannot be deleted.',
    zh: '记录未满法定保存期限，不得删除',
    retry: 'same-number',
    actor: 'nobody',
  },
} as const satisfies Record<string, RefusalEntry>;
