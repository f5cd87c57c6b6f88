/**
 * The life of a proposal about money on suspense, as data. `proposed` waits for a second person; `approved` is instructed under its own
 * number and decided by the books; `done` is posted; `undone` was posted and corrected; `rejected` by another, `withdrawn` by whoever
 * proposed it. What the books refuse stays `approved` for ever, and its instruction says why.
 */
export const PROPOSAL_STATES = ['proposed', 'approved', 'done', 'undone', 'rejected', 'withdrawn'] as const;
export type ProposalState = (typeof PROPOSAL_STATES)[number];

export const PROPOSAL_TRANSITIONS: Readonly<Record<ProposalState, readonly ProposalState[]>> = {
  proposed: ['approved', 'rejected', 'withdrawn'],
  approved: ['done'],
  done: ['undone'],
  undone: [],
  rejected: [],
  withdrawn: [],
};

/** What became of an item: `open` while anything is left of it; `divided` where part was attributed and part returned. */
export const ITEM_STATES = ['open', 'attributed', 'returned', 'divided', 'undone'] as const;
export type ItemState = (typeof ITEM_STATES)[number];
