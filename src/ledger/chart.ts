/**
 * The chart of accounts of one platform's book. Credit is positive: what the bank owes to somebody. The custody account is
 * the bank's own asset, so its balance is the negative of the money that the core bank keeps, and all accounts sum to zero. So is what
 * channels have collected and not paid over. Types keep their order: the leaves of custody proofs stand in it. A new one goes last.
 */
export interface AccountTypeEntry {
  readonly zh: string;
  readonly en: string;
  /** customer: money of somebody the platform serves; platform: the platform's own; bank: the bank's working accounts. */
  readonly belongsTo: 'customer' | 'platform' | 'bank';
}

export const ACCOUNT_TYPES = {
  custody: { zh: '存管专户', en: 'custody account at the core bank', belongsTo: 'bank' },
  'in-transit': { zh: '出款在途', en: 'payouts sent and not final', belongsTo: 'bank' },
  'channel-due': { zh: '渠道待清算款', en: 'collected by channels that have not paid it over yet', belongsTo: 'bank' },
  collected: { zh: '代收待入账', en: 'collected by such a channel and not credited yet', belongsTo: 'bank' },
  suspense: { zh: '挂账', en: 'money whose owner is not known yet', belongsTo: 'bank' },
  sub: { zh: '虚拟子账户', en: 'virtual sub-account of a sub-merchant', belongsTo: 'customer' },
  margin: { zh: '商户保证金', en: 'margin of a sub-merchant, from which refunds are covered', belongsTo: 'customer' },
  'class-2': { zh: 'Ⅱ类电子账户', en: 'Class II electronic account of a person', belongsTo: 'customer' },
  'class-3': { zh: 'Ⅲ类电子账户', en: 'Class III electronic account of a person', belongsTo: 'customer' },
  order: { zh: '订单待分账', en: 'money of one order, not split yet', belongsTo: 'customer' },
  escrow: { zh: '托管交易款', en: 'money of one order of a deal, let go by its conditions alone', belongsTo: 'customer' },
  'own-funds': { zh: '平台自有资金', en: "the platform's own funds", belongsTo: 'platform' },
  commission: { zh: '平台佣金', en: 'commission of the platform', belongsTo: 'platform' },
  marketing: { zh: '平台营销款', en: 'marketing money of the platform', belongsTo: 'platform' },
  fees: { zh: '手续费', en: 'fees charged to sub-merchants', belongsTo: 'platform' },
  reserve: { zh: '风险准备金账户', en: "a lending platform's reserve for what borrowers do not pay", belongsTo: 'platform' },
  advance: {
    zh: '垫资账户',
    en: "a lending platform's own money that pays a project in before its lenders do",
    belongsTo: 'platform',
  },
  'fund-collection': { zh: '基金销售归集户', en: 'money between customers and custody accounts of funds', belongsTo: 'customer' },
  'fund-advance': { zh: '快速赎回垫资户', en: "the bank's own money, advanced for redemptions", belongsTo: 'bank' },
} as const satisfies Record<string, AccountTypeEntry>;

export type AccountType = keyof typeof ACCOUNT_TYPES;
export type AccountState = 'open' | 'frozen' | 'closed';

/** A Class II or Class III account: the law's limits apply to every posting on it, and only its owner's will debits it. */
export function isElectronic(type: AccountType | undefined): type is 'class-2' | 'class-3' {
  return type === 'class-2' || type === 'class-3';
}

export function isPlatformOwn(type: AccountType): boolean {
  return ACCOUNT_TYPES[type].belongsTo === 'platform';
}

/** The platform's own money that is set aside for one purpose: it comes from its own funds and goes back there, or does what it is for. */
export function isSetAside(type: AccountType): type is 'reserve' | 'advance' {
  return type === 'reserve' || type === 'advance';
}

/** An asset of the bank's: its balance is never above zero. All other accounts are never below. */
export function isAsset(type: AccountType): boolean {
  return type === 'custody' || type === 'channel-due';
}
