/**
 * The lives of reviews and of the rules that ask for them, as data.
 *
 * A review is `open` until two people approve it (`approved`), one rejects it (`rejected`), or its deadline passes: then it is executed
 * (`passed`) or refused (`lapsed`), as its rules say. A rule is `proposed` by one of the staff, `approved` or `declined` by another, and
 * `ended` when one asked for its end and another agreed.
 */
export const REVIEW_TRANSITIONS = {
  open: ['approved', 'rejected', 'lapsed', 'passed'],
  approved: [],
  rejected: [],
  lapsed: [],
  passed: [],
} as const satisfies Record<string, readonly string[]>;
export type ReviewState = keyof typeof REVIEW_TRANSITIONS;
export const REVIEW_STATES = Object.keys(REVIEW_TRANSITIONS) as [ReviewState, ...ReviewState[]];

export const REVIEW_RULE_TRANSITIONS = {
  proposed: ['approved', 'declined'],
  approved: ['ended'],
  declined: [],
  ended: [],
} as const satisfies Record<string, readonly string[]>;
export type ReviewRuleState = keyof typeof REVIEW_RULE_TRANSITIONS;
