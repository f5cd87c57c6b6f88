/**
 * The lives of disputes, judicial freezes and deductions, as data.
 *
 * A dispute is `open` until somebody says who is right (`upheld`: what it holds goes back to the order; `rejected`: it is let go) or its
 * deadline passes (`lapsed`: let go). A freeze is `active` until it is `lifted` or `expired`. A deduction is `proposed` by one of the
 * staff, `approved` or `declined` by another, and `ordered` once the money is on its way.
 */
export const DISPUTE_TRANSITIONS = {
  open: ['upheld', 'rejected', 'lapsed'],
  upheld: [],
  rejected: [],
  lapsed: [],
} as const satisfies Record<string, readonly string[]>;
export type DisputeState = keyof typeof DISPUTE_TRANSITIONS;

export const FREEZE_TRANSITIONS = { active: ['lifted', 'expired'], lifted: [], expired: [] } as const satisfies Record<
  string,
  readonly string[]
>;
export type FreezeState = keyof typeof FREEZE_TRANSITIONS;

export const DEDUCTION_TRANSITIONS = {
  proposed: ['approved', 'declined'],
  approved: ['ordered'],
  declined: [],
  ordered: [],
} as const satisfies Record<string, readonly string[]>;
export type DeductionState = keyof typeof DEDUCTION_TRANSITIONS;
