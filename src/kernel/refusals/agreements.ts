import type { RefusalEntry } from './entry.js';

const caller = 'caller' as const;
const mend = { http: 422, retry: 'new-number', actor: caller } as const;

/** What platform and sub-merchants agree on, and what the bank accepts of it. */
export const AGREEMENT_REFUSALS = {
  // ── split rules
  RULE_OVER_WHOLE: { ...mend, en: 'The rates of a level are more than the whole.', zh: '同一层级的分账比例之和超过百分之百' },
  RULE_LEVEL_UNKNOWN: { ...mend, en: 'The rule has no level of this name.', zh: '分账规则引用了不存在的层级' },
  RULE_LEVEL_UNREACHABLE: { ...mend, en: 'No line of the rule leads to this level.', zh: '分账层级未被引用' },
  RULE_LEVEL_CYCLE: { ...mend, en: 'The levels of the rule go round in a circle.', zh: '分账层级循环引用' },
  RULE_DEPTH: { ...mend, en: 'Too many levels stand one below another.', zh: '分账层级过深' },
  RULE_TIERS: { ...mend, en: 'The tiers do not ascend up to an open end.', zh: '阶梯未递增或未以开放区间结尾' },
  RULE_BOUNDS: { ...mend, en: 'The minimum is above the maximum.', zh: '最低额高于最高额' },
  RULE_BASE: { ...mend, en: 'Below the first level nobody knows the price of the goods.', zh: '下级层级不能以商品金额为基数' },
  RULE_RECEIVERS: { ...mend, en: 'The rule has too many receivers, or one twice.', zh: '分账接收方过多或重复' },
  RULE_CAP: { ...mend, en: 'Others than the seller could get more than is agreed.', zh: '分给卖家以外各方的比例可能超过上限' },
  RULE_PROFIT: { ...mend, en: 'The platform could get more than its agreed profit.', zh: '平台自有收益可能超过约定上限' },
  RECEIVER_NOT_ALLOWED: {
    ...mend,
    en: 'The rule names an account that is not an open account of a sub-merchant of the platform.',
    zh: '分账接收方不是本平台的有效子商户',
  },

  // ── agreements and their versions
  AGREEMENTS_INVALID: { ...mend, en: 'The terms have faults.', zh: '协议条款存在问题' },
  AGREEMENT_NOT_FOUND: { ...mend, http: 404, en: 'No such agreement under this platform.', zh: '协议不存在' },
  AGREEMENT_NO_REUSED: { ...mend, http: 409, en: 'This agreement number was used for something else.', zh: '协议编号重复使用' },
  AGREEMENT_GROUP_REUSED: { ...mend, http: 409, en: 'This group number was used for something else.', zh: '批次编号重复使用' },
  AGREEMENT_EXISTS: { ...mend, http: 409, en: 'The seller has an agreement of another number.', zh: '卖家已有其他编号的协议' },
  AGREEMENT_VERSION_NOT_NEXT: { ...mend, http: 409, en: 'The version is not the next one.', zh: '协议版本号不连续' },
  AGREEMENT_BACKDATED: { ...mend, en: 'The terms would begin in the past.', zh: '协议生效日期早于今日' },
  AGREEMENT_DATES: { ...mend, en: 'The dates do not make a period.', zh: '协议起止日期不成立' },
  AGREEMENT_AMENDS: {
    ...mend,
    en: 'What a promotion amends must be an approved version of the agreement that lasts as long as it does.',
    zh: '促销条款所修改的协议版本无效或不覆盖其期间',
  },
  AGREEMENT_OVERLAPS: { ...mend, http: 409, en: 'Another version is in force in this time.', zh: '协议有效期重叠' },
  AGREEMENT_STATE: { ...mend, http: 409, en: 'The version is past this step, or not there yet.', zh: '协议状态不允许此操作' },
  SETTLEMENT_TOO_EARLY: {
    ...mend,
    en: 'A sub-merchant is settled on the same day only after 90 days, and after trading on 30 days in a row.',
    zh: '入网未满九十日或连续正常交易未满三十日的商户不得办理当日结算',
  },
  CYCLE_INVALID: { ...mend, en: 'The settlement cycle does not fit its days.', zh: '结算周期与天数不符' },
  AGREEMENT_CAPS: { ...mend, en: 'A cap does not fit the other caps.', zh: '约定上限相互矛盾' },
  AGREEMENT_CATEGORIES: { ...mend, en: 'A category is both allowed and forbidden.', zh: '类目同时被允许和禁止' },
  CAP_NOT_APPROVED: {
    http: 409,
    en: "The terms go beyond the bank's cap for others than the seller; whoever approves must say so.",
    zh: '约定比例超过银行上限，审批时须明确同意',
    retry: 'never',
    actor: 'bank',
  },
  RECEIVER_NOT_SIGNED: {
    http: 409,
    en: 'A receiver has not countersigned.',
    zh: '接收方尚未签署',
    retry: 'same-number',
    actor: caller,
  },
  RECEIVER_SIGNED: { ...mend, http: 409, en: 'This receiver has countersigned already.', zh: '接收方已签署' },
  SIGNER_NOT_THE_RECEIVER: {
    ...mend,
    en: 'The user is not the person behind the account.',
    zh: '签署人不是该账户的权利人',
  },
} as const satisfies Record<string, RefusalEntry>;
