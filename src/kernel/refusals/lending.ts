import type { RefusalEntry } from './entry.js';

const caller = 'caller' as const;
const mend = { http: 422, retry: 'new-number', actor: caller } as const;

const over = { http: 409, retry: 'never', actor: 'nobody' } as const;

/** Projects that many lend to, and what is invested from electronic accounts. */
export const LENDING_REFUSALS = {
  PRODUCT_NOT_ALLOWED: {
    ...mend,
    en: 'Nothing is invested from an account of this class.',
    zh: 'Ⅲ类账户不得办理投资理财',
  },
  LENDING_NOT_OFFERED: {
    ...mend,
    http: 403,
    retry: 'never',
    en: 'The platform is no lending platform.',
    zh: '该平台不是网络借贷平台',
  },
  LENDING_MODE: {
    ...mend,
    en: 'The bank has not agreed with the platform that projects are funded so.',
    zh: '未约定该资金模式',
  },
  LENDING_NOT_DIRECT: {
    ...mend,
    en: 'In lending money goes from the lender to the borrower and back, and through no other account.',
    zh: '出借资金须在出借人与借款人之间直接划转',
  },
  PROJECT_NOT_FOUND: { ...mend, http: 404, en: 'No such project under this platform.', zh: '借款标的不存在' },
  PROJECT_NO_REUSED: { ...mend, http: 409, en: 'This number was used for another project.', zh: '标的编号重复使用' },
  PROJECT_TERMS: { ...mend, en: 'The bank does not take a project of such terms.', zh: '标的条款不符合要求' },
  PROJECT_PARTIES: {
    ...mend,
    en: 'Somebody whom the project names cannot be that in it.',
    zh: '标的当事人不符合要求',
  },
  PROJECT_CAP: {
    ...mend,
    en: 'The borrower would owe more than he may, on this platform or at the bank.',
    zh: '借款余额超过上限',
  },
  PROJECT_WRONG_PARTY: { ...mend, http: 403, en: 'The user is not that party of the project.', zh: '用户不是该标的当事人' },
  PROJECT_STATE: { ...mend, http: 409, en: 'The project takes nothing of that kind in its state.', zh: '标的状态不允许' },
  PROJECT_RAISED: { ...mend, en: 'The bid is more than what is left to raise.', zh: '投标金额超过剩余可投金额' },
  LENDER_NOT_ALLOWED: {
    ...mend,
    en: 'Who borrows by a project, or stands for it, does not lend to it.',
    zh: '借款人、担保人不得出借',
  },
  BID_BOUNDS: {
    ...mend,
    en: 'A lender would have less in the project than the least, or more than the most.',
    zh: '投标金额低于起投额或超过单人上限',
  },
  BIDS_MAX: { ...over, en: 'The project has as many bids as one can have.', zh: '投标笔数已达上限' },
  BID_NOT_FOUND: { ...mend, http: 404, en: 'No such bid under this platform.', zh: '投标不存在' },
  BID_STATE: { ...over, en: 'The bid was lent out, or given back.', zh: '投标已放款或已撤销' },
  BID_EXCEEDED: { ...mend, en: 'More than what is left of the bid.', zh: '超过投标剩余金额' },
  REPAYMENT_EXCEEDED: { ...mend, en: 'More than what is owed, or may be paid now.', zh: '还款金额超过应还金额' },
  REPAYMENT_INEXACT: {
    ...mend,
    en: 'What settles a project is exactly what is owed that day.',
    zh: '提前结清金额与应还金额不一致',
  },
  REPAYMENT_NOT_AHEAD: {
    ...mend,
    en: 'Principal is paid ahead of time while nothing is due, the next instalment is untouched, and some of it stays.',
    zh: '存在应还款项或金额不符，不能部分提前还款',
  },
  COMPENSATION_EXCEEDED: { ...mend, en: 'More than what is overdue.', zh: '代偿金额超过逾期金额' },
  COMPENSATION_PAYER: {
    ...mend,
    en: 'Nobody but who stands for the project pays in place of its borrower.',
    zh: '代偿人不是约定的担保人',
  },
  COMPENSATION_NOT_FOUND: { ...mend, http: 404, en: 'No such compensation of this project.', zh: '代偿记录不存在' },
  RECOVERY_EXCEEDED: {
    ...mend,
    en: 'More than what was paid for the borrower and not recovered.',
    zh: '追偿金额超过未收回代偿金额',
  },
} as const satisfies Record<string, RefusalEntry>;
