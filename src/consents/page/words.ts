import type { RefusalCode } from '../../kernel/index.js';
import { type Bilingual, CODES_MAX, type Subject } from '../rules.js';
import type { Ending } from '../states.js';

/** Every fixed text of the hosted pages, in both languages. */
export const WORDS = {
  bank: { zh: '存管', en: 'Cunguan' },
  tagline: { zh: '资金存管银行', en: 'custodian bank' },
  otherLanguage: { zh: 'English', en: '中文' },
  password: { zh: '交易密码', en: 'Trade password' },
  oldPassword: { zh: '原交易密码', en: 'Present trade password' },
  newPassword: { zh: '新交易密码', en: 'New trade password' },
  repeatPassword: { zh: '再次输入新密码', en: 'New password again' },
  passwordHint: { zh: '6位数字', en: 'six digits' },
  newPasswordHint: {
    zh: '6位数字；不可为连号、重复数字、生日，或证件号、手机号中的数字',
    en: 'six digits; no row, no repeat, no birthday, no part of your ID or mobile number',
  },
  code: { zh: '短信验证码', en: 'Code by SMS' },
  getCode: { zh: '获取验证码', en: 'Send code' },
  getCodeAgain: { zh: '重新获取', en: 'Send again' },
  approve: { zh: '确认', en: 'Confirm' },
  decline: { zh: '拒绝', en: 'Decline' },
  secrecy: {
    zh: '本页面由银行提供，平台看不到您输入的密码和验证码。银行工作人员不会向您索要。',
    en: 'This page is the bank’s own. The platform sees neither your password nor the code, and nobody at the bank will ask you for them.',
  },
  close: { zh: '您可以关闭本页面，返回平台。', en: 'You can close this page and return to the platform.' },
  answeredAt: { zh: '答复时间', en: 'Answered' },
  pageMissing: { zh: '页面不存在', en: 'There is no such page' },
  pageMissingWhy: {
    zh: '链接不完整，或已被新的链接取代。请返回平台重新获取。',
    en: 'The address is not complete, or a newer one has taken its place. Ask the platform for another.',
  },
  pageFailed: { zh: '暂时无法处理', en: 'This did not work' },
  pageFailedWhy: { zh: '请返回上一页重试。', en: 'Go back and try again.' },
  subject: { zh: '业务', en: 'About' },
} as const satisfies Record<string, Bilingual>;

/** The page of a customer's mandates. */
export const MANDATE_WORDS = {
  title: { zh: '您的扣款授权', en: 'Your mandates' },
  what: {
    zh: '平台可在下列额度内从您的账户扣款，无需您逐笔确认。您可随时撤销。',
    en: 'Within these caps a platform may debit your account without asking you each time. You may end each at any time.',
  },
  none: { zh: '您目前没有任何授权。', en: 'You have given no mandate.' },
  number: { zh: '授权编号', en: 'Number' },
  account: { zh: '您的账户', en: 'Your account' },
  may: { zh: '可办理', en: 'It may' },
  payees: { zh: '收款方', en: 'Who may be paid' },
  payment: { zh: '单笔上限', en: 'At most a payment' },
  total: { zh: '累计上限', en: 'At most in all' },
  left: { zh: '剩余', en: 'left' },
  used: { zh: '已用金额 · 次数', en: 'Used · times' },
  ends: { zh: '有效期至', en: 'It ends' },
  revokedAt: { zh: '撤销时间', en: 'Ended' },
  history: { zh: '最近使用记录', en: 'Last uses' },
  passwordHint: { zh: '输入6位交易密码以撤销', en: 'six digits, to end this mandate' },
  revoke: { zh: '撤销授权', en: 'End this mandate' },
} as const satisfies Record<string, Bilingual>;

export const MANDATE_STATES = {
  pending: { zh: '待您确认', en: 'waiting for you' },
  active: { zh: '生效中', en: 'in force' },
  expired: { zh: '已到期', en: 'expired' },
  declined: { zh: '您已拒绝', en: 'you declined it' },
  lapsed: { zh: '未确认', en: 'not answered' },
  revoked: { zh: '已撤销', en: 'ended' },
} as const satisfies Record<string, Bilingual>;

/** What no refusal says, or not as exactly. */
type OwnNotice = 'CODE_SENT' | 'REPEAT_DIFFERS' | 'MANDATE_REVOKED' | 'SMS_TOO_OFTEN_NOW' | 'SMS_TOO_OFTEN_TODAY';

/** What may be said above the form, or above the result. */
export const NOTICES = {
  CODE_SENT: { zh: '验证码已发送，5分钟内有效。', en: 'The code is on its way; it is valid for five minutes.' },
  REPEAT_DIFFERS: { zh: '两次输入的新密码不一致。', en: 'The two entries of the new password differ.' },
  SHAPE_INVALID: { zh: '密码和验证码均为6位数字。', en: 'Password and code are six digits each.' },
  FACTOR_WRONG: { zh: '交易密码或验证码错误。', en: 'The trade password or the code is wrong.' },
  FACTOR_MISSING: {
    zh: '您尚未设置交易密码，请先返回平台设置。',
    en: 'You have not set a trade password yet. Return to the platform to set one first.',
  },
  CODE_EXPIRED: { zh: '请先获取验证码；验证码5分钟内有效。', en: 'Have a code sent first; a code is valid for five minutes.' },
  PASSWORD_WEAK: { zh: '新密码过于简单，请换一个。', en: 'The new password is too easy to guess. Choose another.' },
  PASSWORD_LOCKED: {
    zh: '交易密码连续输错5次，已锁定至次日零点。',
    en: 'The trade password was wrong five times in a row. It is locked until midnight.',
  },
  CODE_LOCKED: {
    zh: '今日短信验证码错误次数过多，已锁定至次日零点。如非本人操作，请联系银行。',
    en: 'Codes were wrong too often today. They are locked until midnight. If it was not you, contact the bank.',
  },
  SMS_TOO_OFTEN: {
    zh: `验证码每60秒可获取一次，每笔最多${CODES_MAX}次。`,
    en: `A code can be had once in 60 seconds, ${CODES_MAX} times at most.`,
  },
  SMS_TOO_OFTEN_NOW: {
    zh: '短时间内已向您的手机发送多条验证码，请10分钟后再获取。',
    en: 'Several codes were sent to your mobile in a short time. Wait ten minutes before you ask for another.',
  },
  SMS_TOO_OFTEN_TODAY: {
    zh: '今日向您的手机发送验证码已达上限，请明日再试。如非本人操作，请联系银行。',
    en: 'No more codes can be sent to your mobile today. Try again tomorrow. If it was not you, contact the bank.',
  },
  SMS_NOT_SENT: { zh: '验证码暂时无法发送。', en: 'The code could not be sent.' },
  CONSENT_ANSWERED: { zh: '您此前已答复，不可重复。', en: 'You have answered this before; it cannot be answered twice.' },
  CONSENT_EXPIRED: { zh: '已超过答复时间。', en: 'It is too late to answer.' },
  CONSENT_LOCKED: { zh: '错误次数过多，已锁定。', en: 'Too many wrong attempts; it is locked.' },
  MANDATE_REVOKED: {
    zh: '授权已撤销，立即生效。',
    en: 'The mandate is ended, with effect at once.',
  },
  MANDATE_ENDED: { zh: '平台已撤回这项授权申请。', en: 'The platform has taken this request for a mandate back.' },
  RECEIVER_SIGNED: {
    zh: '该协议已以书面方式签署，无需再次确认。',
    en: 'This was signed on paper already; nothing is left to do.',
  },
  AGREEMENT_STATE: {
    zh: '平台或银行已撤回该协议，本次确认无效。',
    en: 'The agreement was taken back or refused; there is nothing to sign.',
  },
  CONSENT_MISMATCH: {
    zh: '内容已发生变化，本次确认无效，请返回平台重新发起。',
    en: 'What was asked has changed; start again from the platform.',
  },
} as const satisfies Partial<Record<RefusalCode | OwnNotice, Bilingual>>;
export type Notice = keyof typeof NOTICES;

export function isNotice(code: string): code is Notice {
  return Object.hasOwn(NOTICES, code);
}

/** What an address says of the last form; a text that is none of ours is not shown. */
export function noticeIn(text: string | undefined): Notice | undefined {
  return text !== undefined && isNotice(text) ? text : undefined;
}

export function attemptsLeft(left: number): Bilingual {
  return { zh: `还可以尝试${left}次。`, en: left === 1 ? 'One attempt is left.' : `${left} attempts are left.` };
}

export function sentTo(maskedMobile: string): Bilingual {
  return { zh: `发送至您的手机 ${maskedMobile}`, en: `sent to your mobile ${maskedMobile}` };
}

interface Result {
  readonly title: Bilingual;
  readonly text: Bilingual;
}

const DECLINED: Result = {
  title: { zh: '已拒绝', en: 'Declined' },
  text: { zh: '银行不会办理这笔业务。', en: 'The bank will not carry it out.' },
};
const EXPIRED: Result = {
  title: { zh: '已过期', en: 'Too late' },
  text: {
    zh: '您未在规定时间内答复，银行不会办理这笔业务。',
    en: 'It was not answered in time. The bank will not carry it out.',
  },
};
const LOCKED: Result = {
  title: { zh: '已锁定', en: 'Locked' },
  text: {
    zh: '错误次数过多，银行不会办理这笔业务。如非本人操作，请联系银行。',
    en: 'Too many wrong attempts. The bank will not carry it out. If it was not you, contact the bank.',
  },
};
const GIVEN: Partial<Record<Subject, Result>> = {
  instruction: {
    title: { zh: '已确认', en: 'Confirmed' },
    text: { zh: '银行正在办理，结果以平台通知为准。', en: 'The bank is carrying it out. The platform will tell you the result.' },
  },
  agreement: {
    title: { zh: '已签署', en: 'Signed' },
    text: { zh: '银行审核通过后生效。', en: 'It is in force once the bank has approved it.' },
  },
  project: {
    title: { zh: '已确认', en: 'Confirmed' },
    text: {
      zh: '银行已记录您的确认，借款标的按所示条款募集与还款。',
      en: 'The bank has kept your word: the project is raised and repaid on the terms that you were shown.',
    },
  },
  escrow: {
    title: { zh: '已确认', en: 'Confirmed' },
    text: {
      zh: '银行已记录您的确认，条件齐备后按托管约定处置款项。',
      en: 'The bank has kept your word, and moves the money as the deal says once all conditions are met.',
    },
  },
  activation: {
    title: { zh: '已激活', en: 'Activated' },
    text: { zh: '您现在可以在平台开立和使用存管账户。', en: 'You can now open and use accounts through the platform.' },
  },
  password: {
    title: { zh: '交易密码已设置', en: 'Trade password set' },
    text: { zh: '从现在起生效。请牢记，勿告诉任何人。', en: 'It is valid from now on. Remember it and tell it to nobody.' },
  },
};
const GIVEN_ELSE: Result = { title: { zh: '已确认', en: 'Confirmed' }, text: { zh: '已生效。', en: 'It is in force.' } };

/** What a page says of a question that is over. */
export function resultOf(subject: Subject, ending: Ending): Result {
  if (ending === 'given') return GIVEN[subject] ?? GIVEN_ELSE;
  return { declined: DECLINED, expired: EXPIRED, locked: LOCKED }[ending];
}
