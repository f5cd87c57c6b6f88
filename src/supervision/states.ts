/** The life of a large-value report 大额交易报告. Two people exempt a candidate; one reports it, by what the monitoring centre answered. */
export const LARGE_VALUE_STATES = ['candidate', 'reported', 'exempted'] as const;
export type LargeValueState = (typeof LARGE_VALUE_STATES)[number];

export const LARGE_VALUE_TRANSITIONS: Readonly<Record<LargeValueState, readonly LargeValueState[]>> = {
  candidate: ['reported', 'exempted'],
  reported: [],
  exempted: [],
};

/** The life of a case of suspicion 可疑交易. What leads out of a review takes two people. */
export const SUSPICION_STATES = ['raised', 'under-review', 'confirmed', 'reported', 'dismissed'] as const;
export type SuspicionState = (typeof SUSPICION_STATES)[number];

export const SUSPICION_TRANSITIONS: Readonly<Record<SuspicionState, readonly SuspicionState[]>> = {
  raised: ['under-review'],
  'under-review': ['confirmed', 'dismissed'],
  confirmed: ['reported'],
  reported: [],
  dismissed: [],
};

/** The life of a version of the data about sellers 涉税信息: its platform confirms or disputes it. */
export const TAX_STATES = ['made', 'confirmed', 'disputed'] as const;
export type TaxState = (typeof TAX_STATES)[number];

export const TAX_TRANSITIONS: Readonly<Record<TaxState, readonly TaxState[]>> = {
  made: ['confirmed', 'disputed'],
  confirmed: [],
  disputed: [],
};
