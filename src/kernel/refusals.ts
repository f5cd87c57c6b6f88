/**
 * The closed catalogue of refusals: every "no" that this system can say, to whom, and what the caller may do about it.
 *
 * A refusal is a value, returned and stored, never thrown by a rule. `http` is the status of the problem-details answer,
 * `retry` says whether the same request may succeed later (`same-number`: send it again unchanged; `new-number`: mend it
 * and send it under another request number; `never`), `actor` who has to act. No refusal ever moves money.
 */
export interface RefusalEntry {
  readonly http: number;
  readonly en: string;
  readonly zh: string;
  readonly retry: 'same-number' | 'new-number' | 'never';
  readonly actor: 'caller' | 'bank' | 'platform-operator' | 'nobody';
}

const caller = 'caller' as const;

export const REFUSALS = {
  // ── who is calling
  SIGNATURE_MISSING: {
    http: 401,
    en: 'The request carries no signature.',
    zh: '请求缺少签名',
    retry: 'same-number',
    actor: caller,
  },
  SIGNATURE_MALFORMED: {
    http: 401,
    en: 'The signature headers cannot be parsed or do not cover what they must.',
    zh: '签名头格式错误或覆盖范围不足',
    retry: 'same-number',
    actor: caller,
  },
  SIGNATURE_INVALID: {
    http: 401,
    en: 'The signature does not verify with the key it names.',
    zh: '签名验证失败',
    retry: 'same-number',
    actor: caller,
  },
  SIGNATURE_EXPIRED: {
    http: 401,
    en: 'The signature was created outside the five-minute window.',
    zh: '签名已超出五分钟有效期',
    retry: 'same-number',
    actor: caller,
  },
  SIGNATURE_REPLAYED: { http: 401, en: 'This signature was used before.', zh: '签名被重放', retry: 'same-number', actor: caller },
  KEY_UNKNOWN: { http: 401, en: 'No live key has this key id.', zh: '密钥不存在或已停用', retry: 'same-number', actor: caller },
  DIGEST_MISMATCH: {
    http: 401,
    en: 'The body does not have the digest that was signed.',
    zh: '报文摘要不符',
    retry: 'same-number',
    actor: caller,
  },
  PLATFORM_SUSPENDED: { http: 403, en: 'The platform is suspended.', zh: '平台已暂停', retry: 'same-number', actor: 'bank' },
  TOKEN_INVALID: {
    http: 401,
    en: 'The operator token is missing, unknown or revoked.',
    zh: '操作员令牌无效',
    retry: 'same-number',
    actor: caller,
  },
  PERMISSION_DENIED: {
    http: 403,
    en: 'The operator has no role that permits this.',
    zh: '操作员无此权限',
    retry: 'never',
    actor: 'bank',
  },

  // ── the shape of the request
  BODY_TOO_LARGE: {
    http: 413,
    en: 'The body is larger than this path accepts.',
    zh: '请求体过大',
    retry: 'new-number',
    actor: caller,
  },
  BODY_MALFORMED: { http: 400, en: 'The body is not well-formed.', zh: '请求体格式错误', retry: 'new-number', actor: caller },
  SHAPE_INVALID: {
    http: 400,
    en: 'A field is unknown, missing, or of the wrong type or range.',
    zh: '字段缺失、未知或类型、范围错误',
    retry: 'new-number',
    actor: caller,
  },
  MEDIA_TYPE_UNSUPPORTED: {
    http: 415,
    en: 'This path does not accept this media type.',
    zh: '不支持的媒体类型',
    retry: 'new-number',
    actor: caller,
  },
  BATCH_TOO_LARGE: {
    http: 413,
    en: 'A batch holds at most 5,000 instructions.',
    zh: '批量笔数超过上限',
    retry: 'new-number',
    actor: caller,
  },
  NOT_FOUND: { http: 404, en: 'There is no such thing, or it is not yours.', zh: '资源不存在', retry: 'never', actor: caller },
  METHOD_NOT_ALLOWED: {
    http: 405,
    en: 'The path exists but not with this method.',
    zh: '方法不允许',
    retry: 'never',
    actor: caller,
  },
  CURSOR_INVALID: { http: 400, en: 'The cursor was not made by this list.', zh: '游标无效', retry: 'never', actor: caller },
  OVERLOADED: {
    http: 503,
    en: 'The shard has too much undecided work; nothing was accepted.',
    zh: '系统繁忙，未受理',
    retry: 'same-number',
    actor: 'nobody',
  },
  FAULT: {
    http: 500,
    en: 'Something failed here. Ask for the request number before you send anything again.',
    zh: '系统错误，请先按流水号查询',
    retry: 'same-number',
    actor: 'bank',
  },

  // ── staff and sandbox
  LAST_ADMINISTRATOR: {
    http: 409,
    en: 'The last administrator cannot be removed.',
    zh: '不能移除最后一名管理员',
    retry: 'never',
    actor: caller,
  },
  KEY_UNSUITABLE: {
    http: 422,
    en: 'The public key cannot be read, or is not an Ed25519 key or an RSA key of 2048 to 8192 bits.',
    zh: '公钥无法识别或不符合要求',
    retry: 'new-number',
    actor: caller,
  },
  CLOCK_BACKWARDS: {
    http: 409,
    en: 'The clock of a sandbox only goes forward.',
    zh: '沙箱时钟不可回拨',
    retry: 'never',
    actor: caller,
  },

  // ── request numbers
  REQUEST_NO_REUSED: {
    http: 409,
    en: 'This request number was used before with another body.',
    zh: '请求流水号已被不同内容使用',
    retry: 'new-number',
    actor: caller,
  },
  MERCHANT_NO_REUSED: {
    http: 409,
    en: 'This merchant number was used before with other particulars.',
    zh: '商户编号已被不同资料使用',
    retry: 'new-number',
    actor: caller,
  },

  // ── parties and accounts
  ID_NUMBER_INVALID: {
    http: 422,
    en: 'The resident identity number fails its check.',
    zh: '身份证号码校验失败',
    retry: 'new-number',
    actor: caller,
  },
  USCC_INVALID: {
    http: 422,
    en: 'The unified social credit code fails its check.',
    zh: '统一社会信用代码校验失败',
    retry: 'new-number',
    actor: caller,
  },
  CARD_NUMBER_INVALID: {
    http: 422,
    en: 'The card number fails its check.',
    zh: '银行卡号校验失败',
    retry: 'new-number',
    actor: caller,
  },
  HOLDER_NAME_DIFFERS: {
    http: 422,
    en: "The settlement account is not in its owner's own name.",
    zh: '结算账户户名与本人不一致',
    retry: 'new-number',
    actor: caller,
  },
  CUSTODY_NO_REUSED: {
    http: 409,
    en: 'Another platform keeps its money in this custody account.',
    zh: '存管专户已被其他平台使用',
    retry: 'never',
    actor: caller,
  },
  ACCOUNT_NOT_FOUND: {
    http: 404,
    en: 'No such account under this platform.',
    zh: '账户不存在',
    retry: 'new-number',
    actor: caller,
  },
  ACCOUNT_CLOSED: { http: 422, en: 'The account is closed.', zh: '账户已销户', retry: 'new-number', actor: caller },
  ACCOUNT_FROZEN: { http: 422, en: 'The account is frozen.', zh: '账户已冻结', retry: 'new-number', actor: 'bank' },
  ACCOUNT_NOT_EMPTY: {
    http: 422,
    en: 'Only an account without money, holds or payouts under way can be closed.',
    zh: '账户未结清，不能销户',
    retry: 'same-number',
    actor: caller,
  },
  ACCOUNT_TYPE_NOT_ALLOWED: {
    http: 422,
    en: 'An account of this type cannot stand here.',
    zh: '账户类型不允许',
    retry: 'new-number',
    actor: caller,
  },
  SAME_ACCOUNT: {
    http: 422,
    en: 'Payer and payee are the same account.',
    zh: '付款与收款账户相同',
    retry: 'new-number',
    actor: caller,
  },
  RECEIVER_REPEATED: {
    http: 422,
    en: 'A receiver stands twice in one instruction.',
    zh: '同一指令中收款方重复',
    retry: 'new-number',
    actor: caller,
  },

  // ── what an instruction may do
  KIND_NOT_PERMITTED: {
    http: 403,
    en: 'The platform may not give this kind of instruction.',
    zh: '平台无权发起此类指令',
    retry: 'never',
    actor: 'bank',
  },
  PROOF_MISSING: {
    http: 422,
    en: "The platform's word alone does not move this money: nothing agreed with the bank covers it.",
    zh: '缺少客户授权或事先约定，平台不能单方动用资金',
    retry: 'new-number',
    actor: 'bank',
  },
  TERMS_EXCEEDED: {
    http: 422,
    en: 'The amount is above what the terms agreed with the bank allow.',
    zh: '超过与银行约定的额度',
    retry: 'new-number',
    actor: caller,
  },
  FUNDS_INSUFFICIENT: {
    http: 422,
    en: 'The available balance does not cover the amount.',
    zh: '可用余额不足',
    retry: 'new-number',
    actor: caller,
  },
  FUNDS_UNCLEARED: {
    http: 422,
    en: 'The money is there but not withdrawable yet.',
    zh: '资金未清算，暂不可提现',
    retry: 'new-number',
    actor: caller,
  },
  BALANCE_OVERFLOW: {
    http: 422,
    en: 'The balance would pass what the books can hold.',
    zh: '余额超过账务上限',
    retry: 'never',
    actor: caller,
  },
  ORDER_NOT_FOUND: { http: 404, en: 'No such order under this platform.', zh: '订单不存在', retry: 'new-number', actor: caller },
  ORDER_PAYER_DIFFERS: {
    http: 422,
    en: 'The order was opened by another payer.',
    zh: '订单付款人不一致',
    retry: 'new-number',
    actor: caller,
  },
  SPLIT_EXCEEDS_ORDER: {
    http: 422,
    en: 'The split is more than what is left on the order.',
    zh: '分账金额超过订单剩余可分金额',
    retry: 'new-number',
    actor: caller,
  },
  SPLIT_RETURN_EXCEEDS: {
    http: 422,
    en: 'More than this receiver got out of this order.',
    zh: '分账回退超过已分金额',
    retry: 'new-number',
    actor: caller,
  },
  REFUND_EXCEEDS_ORDER: {
    http: 422,
    en: 'The refund is more than what is left on the order.',
    zh: '退款超过订单剩余金额',
    retry: 'new-number',
    actor: caller,
  },
  REFUND_ACCOUNT_MISSING: {
    http: 422,
    en: 'The order names no account to refund to.',
    zh: '订单缺少退款账户',
    retry: 'new-number',
    actor: caller,
  },
  SETTLEMENT_ACCOUNT_MISSING: {
    http: 422,
    en: 'No settlement account is bound.',
    zh: '未绑定结算账户',
    retry: 'new-number',
    actor: caller,
  },
  HOLD_NOT_FOUND: { http: 404, en: 'No such hold under this platform.', zh: '冻结不存在', retry: 'new-number', actor: caller },
  HOLD_ENDED: { http: 422, en: 'The hold is used up, released or expired.', zh: '冻结已结束', retry: 'never', actor: caller },
  CAPTURE_EXCEEDS_HOLD: {
    http: 422,
    en: 'More than what is left of the hold.',
    zh: '超过冻结剩余金额',
    retry: 'new-number',
    actor: caller,
  },
  INSTRUCTION_NOT_FOUND: {
    http: 404,
    en: 'No such instruction under this platform.',
    zh: '指令不存在',
    retry: 'new-number',
    actor: caller,
  },
  NOT_CORRECTABLE: {
    http: 422,
    en: 'An instruction of this kind, or one that was not posted, cannot be corrected.',
    zh: '该指令不可冲正',
    retry: 'never',
    actor: 'bank',
  },
  ALREADY_CORRECTED: {
    http: 422,
    en: 'The instruction was corrected before.',
    zh: '该指令已冲正',
    retry: 'never',
    actor: 'nobody',
  },
  PAYOUT_NOT_FOUND: { http: 404, en: 'No such payout.', zh: '出款不存在', retry: 'never', actor: 'bank' },
  PAYOUT_STATE_CONFLICT: {
    http: 409,
    en: 'The payout is in a state from which this cannot follow.',
    zh: '出款状态不允许',
    retry: 'never',
    actor: 'nobody',
  },

  // ── days
  DAY_NOT_DUE: {
    http: 409,
    en: 'Only the open business date can be closed, and only once it is over.',
    zh: '营业日未到或已关闭',
    retry: 'same-number',
    actor: 'nobody',
  },
  DAY_STOPPED: {
    http: 409,
    en: 'The close of an earlier day stopped and needs a person.',
    zh: '前一营业日日终未完成',
    retry: 'same-number',
    actor: 'bank',
  },
  DAY_NOT_STOPPED: {
    http: 409,
    en: 'Only a close that stopped can be resumed.',
    zh: '该营业日日终未处于停止状态',
    retry: 'never',
    actor: 'nobody',
  },
  BREAK_CLOSED: { http: 409, en: 'The break is closed already.', zh: '差错已处理', retry: 'never', actor: 'nobody' },
} as const satisfies Record<string, RefusalEntry>;

export type RefusalCode = keyof typeof REFUSALS;

/** A "no" with what the caller needs to see why: `detail` in plain words, `fields` as data. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly detail?: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

export function refuse(code: RefusalCode, detail?: string, fields?: Record<string, unknown>): Refusal {
  return { code, ...(detail === undefined ? {} : { detail }), ...(fields === undefined ? {} : { fields }) };
}

/** Carries a refusal out of a request handler; only the HTTP edge throws and catches it, rules return refusals. */
export class Refused extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(`${refusal.code}${refusal.detail ? `: ${refusal.detail}` : ''}`);
    this.name = 'Refused';
    this.refusal = refusal;
  }
}

/** A broken promise of our own: nothing catches it but the top of the request or job. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${message}`);
}
