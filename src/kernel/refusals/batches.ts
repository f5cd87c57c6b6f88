import type { RefusalEntry } from './entry.js';

const caller = 'caller' as const;

/** Files of instructions under one number, and what is only tried. */
export const BATCH_REFUSALS = {
  DRY_RUN_TOO_LARGE: {
    http: 413,
    en: 'A dry run takes at most 100 instructions.',
    zh: '试算指令笔数超过上限',
    retry: 'new-number',
    actor: caller,
  },
  BATCH_FILE_TOO_LARGE: {
    http: 413,
    en: 'A file holds at most 10,000 lines, and one that is all or nothing 2,000.',
    zh: '批量文件笔数超过上限',
    retry: 'new-number',
    actor: caller,
  },
  BATCH_NO_REUSED: {
    http: 409,
    en: 'The batch number was used for another file.',
    zh: '批次号重复且内容不一致',
    retry: 'new-number',
    actor: caller,
  },
  BATCH_NOT_LEGAL: {
    http: 422,
    en: 'The file is not legal, and nothing of it is done; every fault is named.',
    zh: '批量文件合法性检查未通过',
    retry: 'new-number',
    actor: caller,
  },
  BATCH_LINE_REPEATED: {
    http: 422,
    en: 'The number of a line stands twice in its file.',
    zh: '文件内行号重复',
    retry: 'new-number',
    actor: caller,
  },
  BATCH_KIND_UNKNOWN: {
    http: 422,
    en: 'A line is of a kind that there is not.',
    zh: '指令类型不存在',
    retry: 'new-number',
    actor: caller,
  },
  BATCH_COUNT_WRONG: {
    http: 422,
    en: 'The file has another number of lines than its header says.',
    zh: '文件笔数与文件头不符',
    retry: 'new-number',
    actor: caller,
  },
  BATCH_SUM_WRONG: {
    http: 422,
    en: 'The amounts of the lines do not sum to what the header says.',
    zh: '文件金额合计与文件头不符',
    retry: 'new-number',
    actor: caller,
  },
  BATCH_LINE_WAITS: {
    http: 422,
    en: 'The line would have to wait for a customer, for money or for the bank, and the file is all or nothing.',
    zh: '该笔需等待处理，不能整批同时成功',
    retry: 'new-number',
    actor: caller,
  },
  BATCH_NOT_COMMITTED: {
    http: 409,
    en: 'Nothing of the batch was started yet.',
    zh: '批次尚未提交执行',
    retry: 'same-number',
    actor: caller,
  },
  BATCH_RUNNING: {
    http: 409,
    en: 'Lines of the batch are still being given.',
    zh: '批次正在执行',
    retry: 'same-number',
    actor: 'nobody',
  },
  BATCH_ATTEMPT_WRONG: {
    http: 409,
    en: 'The batch was run another number of times than this says.',
    zh: '批次执行次数不符',
    retry: 'new-number',
    actor: caller,
  },
  BATCH_NOTHING_REFUSED: {
    http: 422,
    en: 'No line of the batch was refused, so there is nothing to run again.',
    zh: '批次无失败明细可重跑',
    retry: 'never',
    actor: 'nobody',
  },
} as const satisfies Record<string, RefusalEntry>;
