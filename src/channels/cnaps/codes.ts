/** What a processing state (业务状态) says of a payment. */
export type Verdict = 'settled' | 'accepted' | 'failed' | 'refused' | 'not-now' | 'unknown';

/** 已轧差 (netted), 已清算 (settled in central-bank money), 已成功: the payee's bank has the money for good. */
const SETTLED = ['PR03', 'PR04', 'PR05'];
/** Received, queued for netting, queued for settlement, waiting for a receipt: the system has it. */
const UNDER_WAY = ['PR00', 'PR11', 'PR12', 'PR89'];

/**
 * The codes that end a payment, and whose fault it is: the payee's account or the order itself (`failed`: no other channel can help), or
 * the system (`refused`: another channel may carry it; `not-now`: it may itself, later). The numbers are those of our simulator; where the
 * bank connects, the system's own table stands here. A code that is not here is no answer.
 */
const REJECTIONS = new Map<string | undefined, 'failed' | 'refused' | 'not-now'>([
  ['RJ01', 'failed'], // no such account 账号不符
  ['RJ02', 'failed'], // name and account do not match 账号户名不符
  ['RJ03', 'failed'], // the payer's account lacks the money 账户余额不足支付
  ['RJ10', 'failed'], // the account's state does not let it in 账户状态错误
  ['RJ90', 'failed'], // the payee's bank refused for another reason
  ['RJ98', 'failed'], // the number came before with another content: of this message alone
  ['SY01', 'refused'], // above the system's limit
  ['SY02', 'not-now'], // outside its hours
  ['SY03', 'not-now'], // the clearing account lacks the money
  ['SY04', 'refused'], // the payee's bank is not reached
  ['SY05', 'not-now'], // queued until it lapsed
  ['SY09', 'refused'], // the system takes no more
]);

export const DUPLICATE = 'RJ98';
/** Of a query: the system never received the payment. */
export const NOT_RECEIVED = 'SY40';
/** 通信级确认: received. */
export const RECEIVED = 'PM1I0000';

/**
 * Decides what a state with its processing code means. PR08 已撤销 is never success and no failure either: files are known that count it
 * among the paid, so that it has to be asked after; as has everything that is not named here.
 */
export function verdictOf(state: string | undefined, code: string | undefined): Verdict {
  if (state === undefined) return 'unknown';
  if (SETTLED.includes(state)) return 'settled';
  if (UNDER_WAY.includes(state)) return 'accepted';
  if (state === 'PR32' && code === undefined) return 'not-now'; // 已超期: it lapsed in the system
  if (state === 'PR09' || state === 'PR32') return REJECTIONS.get(code) ?? 'unknown';
  return 'unknown';
}
