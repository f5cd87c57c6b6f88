/**
 * Money whose owner is not known yet: one item a credit of a suspense account, whom it may belong to and why, and what two members of
 * staff decided about it.
 *
 * Guarantees: what is left of a platform's items is the balance of its suspense account; nothing of it moves without a proposal by one
 * person and the approval of another. Deliberately absent: nothing here moves money; the kinds `suspense-credit`, `suspense-attribution`
 * and `suspense-return` do.
 */
export type { GiveInstruction } from './decide.js';
export { suspenseRoutes } from './routes.js';
export { leftOf } from './rules.js';
export * from './states.js';
export {
  proposalRecords,
  type SuspenseItem,
  type SuspenseProposal,
  type SuspenseSource,
  suspendedRecords,
  suspenseRecords,
} from './store.js';
