import type { RefusalEntry } from './entry.js';

const caller = 'caller' as const;

/** Check files, statements and receipts. */
export const REPORTING_REFUSALS = {
  FILE_NOT_READY: {
    http: 409,
    en: 'The business date is not over yet; its files are made when it is.',
    zh: '会计日未日切，对账文件尚未生成',
    retry: 'same-number',
    actor: 'nobody',
  },
  FILE_DIFFERS: {
    http: 503,
    en: 'The file came out otherwise than it was first made; the bank looks into it, and nobody gets it until then.',
    zh: '对账文件与首次生成不一致，银行核查中',
    retry: 'same-number',
    actor: 'bank',
  },
  FILE_DIGEST_OTHER: {
    http: 422,
    en: 'The file of that day has another digest than the one named: what was looked at is not that file.',
    zh: '文件摘要不符，核对的并非该文件',
    retry: 'new-number',
    actor: caller,
  },
  FILE_LINE_UNKNOWN: {
    http: 422,
    en: 'The file has no such line, or the line tells of another instruction.',
    zh: '文件无此行，或该行指令不符',
    retry: 'new-number',
    actor: caller,
  },
  FILE_DISPUTED: {
    http: 409,
    en: 'Lines of the file are disputed and not answered yet: it cannot be found right.',
    zh: '文件存在未答复异议，不能确认',
    retry: 'same-number',
    actor: 'bank',
  },
  FILE_CONFIRMED: {
    http: 409,
    en: 'The platform has found the file right already.',
    zh: '文件已确认，不再受理异议',
    retry: 'never',
    actor: caller,
  },
  DISPUTE_ANSWERED: {
    http: 409,
    en: 'The dispute over the line was answered before.',
    zh: '该异议已答复',
    retry: 'never',
    actor: 'nobody',
  },
  STATEMENT_TOO_LONG: {
    http: 422,
    en: 'The statement has too many lines for this form; ask for a shorter period, or for CSV.',
    zh: '对账单行数超限，请缩短期间或改用 CSV',
    retry: 'new-number',
    actor: caller,
  },
  FILE_KEY_REUSED: {
    http: 409,
    en: 'The key is registered already; a key is one platform’s for ever.',
    zh: '该公钥已登记',
    retry: 'new-number',
    actor: caller,
  },
} as const satisfies Record<string, RefusalEntry>;
