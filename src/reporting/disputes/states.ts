/** The life of a dispute over a line of a check file. Whoever of the staff looks marks it `seen`; an answer ends it. */
export const FILE_DISPUTE_STATES = ['open', 'seen', 'accepted', 'rejected'] as const;
export type FileDisputeState = (typeof FILE_DISPUTE_STATES)[number];

export const FILE_DISPUTE_TRANSITIONS: Readonly<Record<FileDisputeState, readonly FileDisputeState[]>> = {
  open: ['seen', 'accepted', 'rejected'],
  seen: ['accepted', 'rejected'],
  accepted: [],
  rejected: [],
};
