/**
 * The life of a transfer of the bank's own money between channels (备付金调拨), as data. `proposed` waits for another person; `approved` is told
 * to the core bank under its own number until that answers; `moved` was, and is booked; `failed`: the core bank said that it did not and
 * will not.
 */
export const FLOAT_TRANSFER_STATES = ['proposed', 'approved', 'rejected', 'moved', 'failed'] as const;
export type FloatTransferState = (typeof FLOAT_TRANSFER_STATES)[number];

export const FLOAT_TRANSFER_TRANSITIONS: Readonly<Record<FloatTransferState, readonly FloatTransferState[]>> = {
  proposed: ['approved', 'rejected'],
  approved: ['moved', 'failed'],
  rejected: [],
  moved: [],
  failed: [],
};

/** Whether anything may still come of it. */
export function isOpen(state: FloatTransferState): boolean {
  return FLOAT_TRANSFER_TRANSITIONS[state].length > 0;
}
