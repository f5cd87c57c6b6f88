/** The life of a business day. `open` takes entries; `closing` was cut off; `stopped` did not prove, or is no longer what was attested, and needs a person. */
export const DAY_STATES = ['open', 'closing', 'stopped', 'closed'] as const;
export type DayState = (typeof DAY_STATES)[number];

export const DAY_TRANSITIONS: Readonly<Record<DayState, readonly DayState[]>> = {
  open: ['closing'],
  closing: ['closed', 'stopped'],
  stopped: ['closing'],
  closed: [],
};

/** The steps of a close in their order. Each may be run again from its beginning at any time, and then changes nothing. */
export const STEPS = [
  'cut-off',
  'reconcile',
  'proof',
  'interest',
  'due',
  'fees',
  'netting',
  'preview',
  'payouts',
  'results',
  'attest',
  'files',
  'close',
] as const;
export type Step = (typeof STEPS)[number];

export const STEP_NAMES: Readonly<Record<Step, { readonly zh: string; readonly en: string }>> = {
  'cut-off': { zh: '日切', en: 'the business date moves on; what the books add up to is written down' },
  reconcile: { zh: '对账', en: "the bank's statement is fetched and matched with the books" },
  proof: { zh: '总分核对', en: 'accounts, control total and statement agree, or nothing is paid' },
  interest: {
    zh: '活期结息',
    en: 'after an interest day: what electronic accounts earned is written down, credited, and ordered from the bank',
  },
  due: { zh: '应付清单', en: 'what each sub-merchant is due is written down, page by page' },
  fees: { zh: '手续费', en: 'what of it is kept for fees is added up' },
  netting: { zh: '清算轧差', en: 'what goes to which bank is added up and written down; due less fees is what is paid' },
  preview: { zh: '出款预览', en: 'the batch as it will be paid; where the bank wants to look first, it waits' },
  payouts: { zh: '出款', en: 'the lines are instructed, page by page, and the payouts handed to their channels' },
  results: { zh: '出款结果', en: 'their results are taken; what is not final is carried over' },
  attest: { zh: '存管证明', en: "the day's closing balances are signed: a root over all accounts, chained to the day before" },
  files: { zh: '对账文件', en: "the platform's check files are made and their digests kept" },
  close: { zh: '结账', en: 'the day is closed' },
};

export const STEP_STATES = ['waiting', 'running', 'done', 'stopped'] as const;
export type StepState = (typeof STEP_STATES)[number];

/**
 * The life of a clearing. `writing`: its lines are being written down; `paying`: they are being decided; `rerun`: those that were refused or
 * failed are to be decided again, because people want it.
 */
export const CLEARING_STATES = ['writing', 'written', 'paying', 'paid', 'rerun'] as const;
export type ClearingState = (typeof CLEARING_STATES)[number];

export const CLEARING_TRANSITIONS: Readonly<Record<ClearingState, readonly ClearingState[]>> = {
  writing: ['written'],
  written: ['paying'],
  paying: ['paid'],
  paid: ['rerun'],
  rerun: ['paid'],
};

/** `due`: written down and not decided. */
export const LINE_STATES = ['due', 'posted', 'refused', 'in-review'] as const;
export type LineState = (typeof LINE_STATES)[number];
