/**
 * The life of a version of an agreement, as data. `submitted` waits for its receivers, `countersigned` was signed by all of them,
 * `checked` was looked at by one member of the bank's staff, `approved` by another. From its first day on an approved version is in force,
 * and it ends by its last day; that takes no step.
 */
export const VERSION_TRANSITIONS = {
  submitted: ['countersigned', 'refused', 'withdrawn'],
  countersigned: ['checked', 'refused', 'withdrawn'],
  checked: ['approved', 'refused', 'withdrawn'],
  approved: [],
  refused: [],
  withdrawn: [],
} as const satisfies Readonly<Record<string, readonly string[]>>;
export type VersionState = keyof typeof VERSION_TRANSITIONS;
export const VERSION_STATES = Object.keys(VERSION_TRANSITIONS) as [VersionState, ...VersionState[]];

/** The states from which a version may go to another. */
export function statesBefore(to: VersionState): VersionState[] {
  return VERSION_STATES.filter((from) => (VERSION_TRANSITIONS[from] as readonly VersionState[]).includes(to));
}
