/**
 * pending: its identity is being verified. held: verified, and its customer stands on the watch list; a platform sees it as pending.
 * to-activate: verified, taken over from elsewhere, waits for the customer's own activation; once he said no it is refused. verified: may open accounts.
 * refused: for good; the platform registers another number.
 */
export const USER_STATES = ['pending', 'held', 'to-activate', 'verified', 'refused'] as const;
export type UserState = (typeof USER_STATES)[number];

export const USER_TRANSITIONS: Readonly<Record<UserState, readonly UserState[]>> = {
  pending: ['held', 'to-activate', 'verified', 'refused'],
  held: ['to-activate', 'verified', 'refused'],
  'to-activate': ['verified', 'refused'],
  verified: [],
  refused: [],
};

/** What a platform sees: a hit on the watch list is not told. */
export function shownState(state: UserState): Exclude<UserState, 'held'> {
  return state === 'held' ? 'pending' : state;
}

/**
 * asked: to be paid, or waited for (inward). waiting: paid, the company is to say how much (outward). verified: the account is the
 * company's own. failed: it could not be paid. ended: too late, or too often wrong.
 */
export const TRIAL_STATES = ['asked', 'waiting', 'verified', 'failed', 'ended'] as const;
export type TrialState = (typeof TRIAL_STATES)[number];

export const TRIAL_TRANSITIONS: Readonly<Record<TrialState, readonly TrialState[]>> = {
  asked: ['waiting', 'verified', 'failed', 'ended'],
  waiting: ['verified', 'ended'],
  verified: [],
  failed: [],
  ended: [],
};
