import type { RefusalEntry } from './entry.js';

const caller = 'caller' as const;
const mend = { http: 422, retry: 'new-number', actor: caller } as const;
const bank = { http: 422, retry: 'new-number', actor: 'bank' } as const;

/** Funds that electronic accounts save in. */
export const FUND_REFUSALS = {
  FUND_NOT_FOUND: { ...mend, http: 404, en: 'No such fund in the catalogue.', zh: '基金不存在' },
  FUND_NOT_SOLD: { ...mend, en: 'Units of this fund are not sold.', zh: '该基金暂停申购' },
  FUND_PROPOSED: { ...bank, http: 409, en: 'Something about this fund waits for a second person.', zh: '该基金有待复核的变更' },
  FUND_KIND: { ...mend, en: 'This is not done with a fund of this kind.', zh: '基金类型不适用' },
  FUND_IN_USE: {
    ...bank,
    http: 409,
    en: 'Accounts have had to do with this fund: its company stays.',
    zh: '基金已有客户，不能变更管理人',
  },
  FUND_ORDER_NOT_FOUND: { ...mend, http: 404, en: 'No such order of fund units.', zh: '基金委托不存在' },
  FUND_ORDER_STATE: { ...bank, http: 409, en: 'The order cannot get there from the state it is in.', zh: '基金委托状态不允许' },
  FUND_UNITS_SHORT: { ...mend, en: 'The account has not so many units that are free.', zh: '可用份额不足' },
  FUND_FAST_LIMIT: {
    ...mend,
    en: 'More than a customer may redeem at once of one fund in a day.',
    zh: '超过单日快速赎回限额',
  },
  FUND_ADVANCE_SHORT: {
    ...mend,
    en: 'The bank advances no more at this time; an ordinary redemption is possible.',
    zh: '垫资额度不足，可普通赎回',
  },
  FUND_ADVANCE_CEILING: { ...bank, en: 'Above the ceiling of what the bank advances.', zh: '超过垫资上限' },
  FUND_DAY_MISSING: { ...bank, en: 'The company has not told the value or income of this day.', zh: '缺少当日净值或收益' },
  FUND_DAY_WRONG: {
    ...bank,
    en: 'It is not the day that is to come, or not what such a fund tells of one.',
    zh: '净值日期或内容有误',
  },
  FUND_DAY_DIFFERS: { ...bank, http: 409, en: 'The company told something else of this day before.', zh: '与已接收的净值不一致' },
  FUND_INCOME_ORDER: { ...bank, en: 'Income of a day before is missing, or this day’s is there.', zh: '收益日期不连续' },
  FUND_INCOME_DIFFERS: {
    ...bank,
    en: 'The company’s income is not what its own rate makes of the units.',
    zh: '收益与份额计算不符',
  },
  FUND_CONFIRMATION_DIFFERS: { ...bank, en: 'What was confirmed is not what was ordered.', zh: '确认内容与委托不符' },
  FUND_PROCEEDS_DIFFER: { ...bank, en: 'The sum is not that of the redemptions.', zh: '赎回款与确认金额不符' },
  FUND_HELD: {
    ...mend,
    en: 'The account still has units of a fund, or is to get money of one.',
    zh: '账户仍持有基金份额或在途资金',
  },
  FUND_BOUND: {
    ...bank,
    en: 'Money of funds moves between the account of the customer and the custody of the fund alone.',
    zh: '基金销售结算资金仅可在投资人账户与基金托管账户间划转',
  },
} as const satisfies Record<string, RefusalEntry>;
