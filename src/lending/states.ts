/**
 * The life of a project (标的), as data. `registered` waits for the borrower's word, and the guarantor's where one is named; `raising` takes
 * bids; `full` can be lent out, and goes back to `raising` when a bid is cancelled; `lent` is repaid by its plan. `miscarried` has given all
 * bids back, `cancelled` never had one.
 */
export const PROJECT_STATES = ['registered', 'raising', 'full', 'lent', 'repaid', 'miscarried', 'cancelled'] as const;
export type ProjectState = (typeof PROJECT_STATES)[number];

export const PROJECT_TRANSITIONS: Readonly<Record<ProjectState, readonly ProjectState[]>> = {
  registered: ['raising', 'cancelled'],
  raising: ['full', 'miscarried'],
  full: ['raising', 'lent', 'miscarried'],
  lent: ['repaid'],
  repaid: [],
  miscarried: [],
  cancelled: [],
};
