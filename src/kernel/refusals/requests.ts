import type { RefusalEntry } from './entry.js';

const caller = 'caller' as const;

/** What is wrong with a request before anybody looks at what it asks for. */
export const REQUEST_REFUSALS = {
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
} as const satisfies Record<string, RefusalEntry>;
