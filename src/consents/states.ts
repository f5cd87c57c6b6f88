import type { ConsentState } from './records.js';

/**
 * The life of a consent, as data. `pending` is asked; `given` was answered yes with the factors asked for; `used` covered the
 * instruction that it was asked for; `declined`, `expired` and `locked` are no, late, and too many wrong attempts.
 */
export const CONSENT_TRANSITIONS: Readonly<Record<ConsentState, readonly ConsentState[]>> = {
  pending: ['given', 'declined', 'expired', 'locked'],
  given: ['used'],
  used: [],
  declined: [],
  expired: [],
  locked: [],
};

/** How a question ends: what whoever asked is told. */
export type Ending = Exclude<ConsentState, 'pending' | 'used'>;
