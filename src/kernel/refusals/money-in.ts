import type { RefusalEntry } from './entry.js';

const caller = 'caller' as const;

/** Money that comes in from outside: from whom an account takes it. */
export const MONEY_IN_REFUSALS = {
  PAYER_NOT_ACCEPTED: {
    http: 422,
    en: 'The account takes no transfers of this payer; it goes back to him.',
    zh: '该账户不接受此付款人转入，款项退回',
    retry: 'never',
    actor: caller,
  },
  COLLECTION_NOT_FOUND: {
    http: 404,
    en: 'No such collection of this platform by a channel that pays over later.',
    zh: '待清算代收不存在',
    retry: 'new-number',
    actor: 'bank',
  },
  COLLECTION_SETTLED: {
    http: 422,
    en: 'Its channel has paid the collection over already.',
    zh: '该笔代收已清算',
    retry: 'never',
    actor: 'nobody',
  },
  COLLECTION_SUM_DIFFERS: {
    http: 422,
    en: 'The collections do not add up to what was paid over.',
    zh: '清算金额与代收合计不符',
    retry: 'new-number',
    actor: 'bank',
  },
  COLLECTION_STATE_CONFLICT: {
    http: 409,
    en: 'The collection is not paid over yet, or was credited.',
    zh: '该笔代收尚未清算或已入账',
    retry: 'never',
    actor: 'nobody',
  },
  TRANSFER_NOT_WAITING: {
    http: 409,
    en: 'Only a transfer whose message came before waits for people to decide.',
    zh: '该来账无需人工处理',
    retry: 'never',
    actor: 'nobody',
  },
  TRANSFER_PROPOSED: {
    http: 409,
    en: 'Something was proposed about the transfer and is not decided yet.',
    zh: '该来账已有待复核的处理意见',
    retry: 'never',
    actor: 'bank',
  },
  ACQUIRER_NOT_FOUND: {
    http: 404,
    en: 'No such acquirer is registered.',
    zh: '收单机构未登记',
    retry: 'new-number',
    actor: 'bank',
  },
  ACQUIRER_FILE_REFUSED: {
    http: 422,
    en: 'Something is wrong with the file; nothing of it was taken.',
    zh: '收单文件有误，整份拒收',
    retry: 'new-number',
    actor: caller,
  },
  ACQUIRER_FILE_REUSED: {
    http: 409,
    en: 'The file number came before with another content.',
    zh: '文件编号已用于其他内容',
    retry: 'never',
    actor: caller,
  },
  ACQUIRER_FILE_NOT_REFUSED: {
    http: 409,
    en: 'The books refused nothing of this file, or it is being tried again already.',
    zh: '该文件没有被拒的指令',
    retry: 'never',
    actor: 'nobody',
  },
  ACQUIRER_FILE_DECIDED: {
    http: 409,
    en: 'The file was released or rejected before.',
    zh: '文件已处理',
    retry: 'never',
    actor: 'nobody',
  },
} as const satisfies Record<string, RefusalEntry>;
