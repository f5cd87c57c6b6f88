/**
 * The records of others against the books: the core bank's statement, the day files of channels, and what the platform itself has of its day. What
 * matches, what differs, and what becomes of a difference.
 *
 *   read as a stream → sort both sides → merge by reference, amount and state → classify → converge by what is final → keep → (prove, in the close)
 *
 * Guarantees: a statement or file is taken whole or not at all, and once; memory does not grow with their length; every difference between books
 * and bank is a break until its other side appears; statement + Σ breaks that stand = control total; nothing is instructed about a break
 * before a second person approved it; a comparison that found nothing is kept as one that found something. Deliberately absent: repairing the
 * books by itself, but for results that are final.
 */
export { reconcileChannelFiles } from './channel-day.js';
export { cameLate } from './late.js';
export { type Leftover, matchSorted, rowOf } from './matching.js';
export { type DayToReconcile, type Reconciliation, reconcileDay, storedReconciliation } from './reconcile.js';
export { REPAIR_TRANSITIONS } from './repair-rules.js';
export { reconciliationRoutes } from './routes.js';
export { prove } from './rules.js';
export { RowSorter } from './sorting.js';
export {
  type Break,
  clearBreaks,
  countOpenBreaks,
  insertBreaks,
  listBreaks,
  type NewBreak,
  outsideOf,
  statementsAt,
} from './store.js';
