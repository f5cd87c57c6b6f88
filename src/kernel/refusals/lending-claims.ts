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
  ADVANCE_CEILING: {
    ...mend,
    en: "The platform's advances would stand at more than was agreed.",
    zh: '垫资余额超过约定上限',
  },
  CLAIM_NOT_FOUND: { ...mend, http: 404, en: 'This account has no such claim on the project.', zh: '债权不存在' },
  SALE_TERMS: { ...mend, en: 'Nothing is offered on such terms.', zh: '转让条件不符合要求' },
  SALE_EXCEEDED: { ...mend, en: 'More than what is left, or was offered already.', zh: '转让份额超过可转让或剩余份额' },
  SALE_NOT_OPEN: {
    ...mend,
    http: 409,
    retry: 'never',
    actor: 'nobody',
    en: 'No such offer is open: it was sold, taken back, is over, or the claim was paid on since.',
    zh: '转让不存在、已成交、已撤销、已到期或债权已发生还款',
  },
  PRICE_DIFFERS: { ...mend, en: 'What is to be paid is not the price of the share.', zh: '承接价款与转让价格不一致' },
  CLAIMS_MAX: { ...mend, en: 'The project has as many claims as one can have.', zh: '债权笔数已达上限' },
} as const satisfies Record<string, RefusalEntry>;
