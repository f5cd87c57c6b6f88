/**
 * What others lay claim to of the money on accounts: disputes, and freezes by courts and other authorities, in the order in which they came.
 *
 * Guarantees: what is claimed of an account is the sum of its open claims; the earlier claim takes first, and what becomes free goes to
 * the next; a freeze ends by itself after its last day; nobody deducts alone. Deliberately absent: no money moves here; the kinds of
 * instructions do that, and the ledger keeps what is claimed from everybody else.
 */

export { approveDeduction, type OrderDeduction, proposeDeduction } from './deductions.js';
export { expireFreezes, freeze, lift, renew } from './judicial.js';
export { judicialRoutes } from './judicial-routes.js';
export * from './records.js';
export { disputeRoutes } from './routes.js';
export * from './rules.js';
export * from './states.js';
export { freezesByIds, lapsedDisputes } from './store.js';
