import type { RefusalEntry } from './entry.js';

const caller = 'caller' as const;
const mend = { http: 422, retry: 'new-number', actor: caller } as const;
const over = { http: 409, retry: 'never', actor: 'nobody' } as const;

/** Deals whose money the bank lets go when their conditions are met. */
export const ESCROW_REFUSALS = {
  ESCROW_NOT_FOUND: { ...mend, http: 404, en: 'No such deal under this platform.', zh: '托管交易不存在' },
  ESCROW_TEMPLATE_UNKNOWN: { ...mend, http: 404, en: 'No template of this name.', zh: '托管模板不存在' },
  ESCROW_NO_REUSED: { ...mend, http: 409, en: 'This number was used for another deal.', zh: '托管交易编号重复使用' },
  ESCROW_PARTIES: {
    ...mend,
    en: 'The parties are not those of the template, or cannot be what they are in it.',
    zh: '当事人与模板不符',
  },
  ESCROW_TERMS: {
    ...mend,
    en: 'The amounts, dates or counts do not make a deal of this template.',
    zh: '金额、日期或次数与模板不符',
  },
  ESCROW_BOUND: {
    ...mend,
    en: 'The order belongs to a deal: its money moves by the conditions of the deal alone.',
    zh: '订单资金处于托管，仅可按托管条件处置',
  },
  ESCROW_ORDER_TAKEN: { ...mend, en: 'There is an order of this number that is not of the deal.', zh: '订单号已被其他订单使用' },
  ESCROW_NOT_ACCEPTED: { ...mend, en: 'Parties have not agreed to the deal yet.', zh: '当事人尚未确认托管交易' },
  ESCROW_PAYER_WRONG: { ...mend, en: 'Somebody else pays in this deal.', zh: '付款人不是约定的付款方' },
  ESCROW_PAYERS_FULL: { ...mend, en: 'So many pay for this deal already that no more can.', zh: '付款人数已达上限' },
  ESCROW_OVERFUNDED: { ...mend, en: 'More than the deal is for.', zh: '超出托管金额' },
  ESCROW_LATE: { ...mend, retry: 'never', en: 'The time to pay in is over.', zh: '已过付款截止时间' },
  ESCROW_ITEM_UNKNOWN: { ...mend, en: 'The deal has no such stage or exit.', zh: '托管交易无此阶段或事由' },
  ESCROW_WRONG_PARTY: {
    ...mend,
    http: 403,
    en: 'The word of this party does not count for that, or it is somebody else.',
    zh: '确认人不是该条件指定的当事人',
  },
  ESCROW_STAGE_NOT_OPEN: {
    ...mend,
    retry: 'same-number',
    en: 'The stage waits for its money, or for the one before it.',
    zh: '阶段尚未开始',
  },
  ESCROW_STAGE_ENDED: {
    ...over,
    en: 'The stage has ended: what it held was let go or goes back.',
    zh: '阶段已了结，不得重复释放',
  },
  ESCROW_ENDED: { ...over, en: 'The deal has ended.', zh: '托管交易已终结' },
  ESCROW_CONDITION_UNMET: {
    ...mend,
    en: 'What the money waits for is not there yet.',
    zh: '释放条件尚未成就',
  },
  ESCROW_NOT_FAILED: { ...mend, en: 'The stage has not failed.', zh: '阶段未失败' },
  ESCROW_DISPUTED: {
    ...mend,
    en: 'Part of the money is disputed, and stays until the dispute ends.',
    zh: '部分资金处于争议冻结',
  },
  ESCROW_NOTHING_BACK: { ...over, en: 'Nothing of this order is to go back.', zh: '该订单无应退款项' },
  ESCROW_NO_REVIEW: { ...mend, en: 'The template leaves nothing of this to the bank.', zh: '该事项无需银行审核' },
} as const satisfies Record<string, RefusalEntry>;
