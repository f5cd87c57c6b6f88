import type { RefusalEntry } from './entry.js';

/** A platform that stops: what it may no longer do, and what keeps its book from being closed. */
export const WINDING_UP_REFUSALS = {
  WINDING_UP: {
    http: 422,
    en: 'The platform is being wound up: what is due goes on, and new business is not taken.',
    zh: '平台清退中，不受理新增业务',
    retry: 'never',
    actor: 'nobody',
  },
  WIND_DOWN_STATE_CONFLICT: {
    http: 409,
    en: 'The wind-down is not in a state in which this can be done.',
    zh: '清退状态不允许此操作',
    retry: 'never',
    actor: 'bank',
  },
  WIND_DOWN_NOT_EMPTY: {
    http: 409,
    en: 'There is still money in custody, or of customers in funds: a book is closed only at zero.',
    zh: '存管余额或客户基金份额未清零，不能关户',
    retry: 'same-number',
    actor: 'bank',
  },
  WIND_DOWN_NOT_RECONCILED: {
    http: 409,
    en: "The core bank's records do not say yet that nothing is in custody: breaks are open, or its last statement does not end at 0.",
    zh: '存管户尚未对平或对账单余额未清零，不能关户',
    retry: 'same-number',
    actor: 'bank',
  },
} as const satisfies Record<string, RefusalEntry>;
