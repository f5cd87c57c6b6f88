/** The life of an acquirer's file, as data: `checked` waits for a second person; then it is `released`, or `rejected` for good. */
export const ACQUIRER_FILE_STATES = ['checked', 'released', 'rejected'] as const;
export type AcquirerFileState = (typeof ACQUIRER_FILE_STATES)[number];

export const ACQUIRER_FILE_TRANSITIONS: Readonly<Record<AcquirerFileState, readonly AcquirerFileState[]>> = {
  checked: ['released', 'rejected'],
  released: [],
  rejected: [],
};
