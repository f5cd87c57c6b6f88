import type { RefusalEntry } from './entry.js';

const caller = 'caller' as const;
const mend = { http: 422, retry: 'new-number', actor: caller } as const;

/** What a lending platform may do, by its profile and its terms, and claims that change hands. */
export const LENDING_CLAIM_REFUSALS = {
  PROFILE_FORBIDS: {
    ...mend,
    http: 403,
    retry: 'never',
    en: 'On a platform of this profile no such instruction is given: what members have goes from lender to borrower directly.',
    zh: '网络借贷存管平台不得发起该类指令，资金须在出借人与借款人之间直接划转',
  },
} as const satisfies Record<string, RefusalEntry>;
