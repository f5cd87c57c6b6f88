import type { RefusalEntry } from './entry.js';

const staff = { http: 409, retry: 'never', actor: 'bank' } as const;

/** Clearings that people look at or want tried again, and corrections of days that are over. */
export const CLEARING_REFUSALS = {
  CLEARING_NOT_FOUND: { ...staff, http: 404, en: 'Nothing was due on that date.', zh: '该日期无清算批次' },
  CLEARING_UNDER_WAY: { ...staff, retry: 'same-number', en: 'The clearing is under way.', zh: '清算批次正在处理' },
  CLEARING_OVERTAKEN: {
    ...staff,
    en: 'The next day is cut off; what this clearing left is in the next one.',
    zh: '下一营业日已切日，该批次未付款项由后续清算处理',
  },
  CLEARING_NOT_DUE: { ...staff, en: 'What was due is not due any more.', zh: '该笔清算款已不再应付' },
  CLEARING_APPROVED: { ...staff, en: 'The clearing was approved before, or has been paid.', zh: '清算批次已审核或已出款' },
  HOLD_BACKDATED: { ...staff, http: 422, en: 'It can be said for dates to come alone.', zh: '生效日期不得早于当前营业日' },
  DAY_NOT_OVER: {
    ...staff,
    http: 422,
    en: 'The day is not proved yet; give the instruction itself.',
    zh: '营业日总分核对未通过，请直接提交指令',
  },
  DAY_BEFORE_FIRST: { ...staff, http: 422, en: 'The platform had no such business day.', zh: '该平台无此营业日' },
  DAY_OVER: { ...staff, en: 'What undoes something of a day that is proved takes two people.', zh: '已过营业日的更正须双人办理' },
  LATE_CORRECTION_DECIDED: { ...staff, en: 'It was decided before.', zh: '该补记已处理' },
  LATE_CORRECTION_OTHER_DAY: {
    ...staff,
    http: 422,
    en: 'What it corrects was not posted on that day.',
    zh: '被冲正指令不属于该营业日',
  },
  LATE_CORRECTION_REUSED: { ...staff, en: 'This number was used for something else.', zh: '补记编号重复使用' },
} as const satisfies Record<string, RefusalEntry>;
