/**
 * The bank's statements against the books: what matches, what differs, and what becomes of a difference.
 *
 *   fetch → match by reference and amount → classify → converge by the statement → keep → (prove, in the close)
 *
 * Guarantees: a statement is taken whole or not at all, and once; every difference between books and bank is a break until its
 * other side appears; statement + Σ breaks that stand = control total. Deliberately absent: repairing the books; a person
 * accepts a break, or an instruction makes the other side appear.
 */
export { type DayToReconcile, type Reconciliation, reconcileDay, storedReconciliation } from './reconcile.js';
export { reconciliationRoutes } from './routes.js';
export { prove } from './rules.js';
export { type Break, countOpenBreaks, listBreaks, statementsAt } from './store.js';
