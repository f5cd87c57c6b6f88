import type { RefusalEntry } from './entry.js';

/** Breaks that are worked off by two people, and the day files of platforms. */
export const RECONCILIATION_REFUSALS = {
  REPAIR_PENDING: {
    http: 409,
    en: 'A repair of this break is proposed and not decided yet.',
    zh: '该差错已有待复核的处理方案',
    retry: 'same-number',
    actor: 'bank',
  },
  REPAIR_NOT_APPLICABLE: {
    http: 422,
    en: 'The break cannot be repaired in this way.',
    zh: '该处理方式不适用于此差错',
    retry: 'never',
    actor: 'caller',
  },
  REPAIR_OVERTAKEN: {
    http: 409,
    en: 'The books have moved money under the reference of the break since, or are about to: look at it again.',
    zh: '该差错对应的款项已另行入账或正在处理，请重新核对',
    retry: 'never',
    actor: 'bank',
  },
  REPAIR_REFUSED: {
    http: 422,
    en: 'The books do not take the instruction of this repair; the break stays open.',
    zh: '差错处理指令未能入账，差错仍未结',
    retry: 'same-number',
    actor: 'bank',
  },
  DAY_FILE_REFUSED: {
    http: 422,
    en: 'The file is refused whole: it is truncated, contradicts itself, or cannot be read.',
    zh: '对账文件不合格，整体拒收',
    retry: 'new-number',
    actor: 'caller',
  },
  DAY_FILE_REUSED: {
    http: 409,
    en: 'Another file of this business date was taken already.',
    zh: '该营业日已接收另一对账文件',
    retry: 'never',
    actor: 'caller',
  },
  DAY_FILE_LATE: {
    http: 409,
    en: 'The business date is closed, or has not begun: no file of it is taken.',
    zh: '该营业日已结账或尚未开始，不再接收对账文件',
    retry: 'never',
    actor: 'caller',
  },
} as const satisfies Record<string, RefusalEntry>;
