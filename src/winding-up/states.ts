/**
 * The life of a wind-down (清退), as data. `proposed` by one person; from the approval of another on it is `winding-up`: no new business, and
 * money goes back round by round; `settled` when nothing more can be returned without people doing something first; it is looked at every
 * day all the same, and what can be returned by then is. `closed` is the book, at zero and for ever.
 */
export const WIND_DOWN_STATES = ['proposed', 'rejected', 'winding-up', 'settled', 'closed'] as const;
export type WindDownState = (typeof WIND_DOWN_STATES)[number];

export const WIND_DOWN_TRANSITIONS: Readonly<Record<WindDownState, readonly WindDownState[]>> = {
  proposed: ['rejected', 'winding-up'],
  rejected: [],
  'winding-up': ['settled'],
  settled: ['closed'],
  closed: [],
};

export function mayBecome(from: WindDownState, to: WindDownState): boolean {
  return WIND_DOWN_TRANSITIONS[from].includes(to);
}
