import type { RefusalEntry } from './entry.js';

const caller = 'caller' as const;
const mend = { http: 422, retry: 'new-number', actor: caller } as const;

/** Projects that many lend to, and what is invested from electronic accounts. */
export const LENDING_REFUSALS = {
  PRODUCT_NOT_ALLOWED: {
    ...mend,
    en: 'Nothing is invested from an account of this class.',
    zh: 'Ⅲ类账户不得办理投资理财',
  },
} as const satisfies Record<string, RefusalEntry>;
