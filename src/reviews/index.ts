/**
 * Which instructions two people of the bank look at before they are executed, and what they decide.
 *
 * Guarantees: what is in review has posted nothing, and its money is held for it; nobody decides alone, nor twice; a review ends once, by
 * people or by its deadline, and every step of it stands in the audit trail. Deliberately absent: no money moves here, and nothing is
 * executed; the engine does both when a review has ended.
 */
export { decideReview, lapseReviews, type WakeInstruction } from './decide.js';
export * from './records.js';
export { reviewRoutes } from './routes.js';
export { approveRule, endRuleAsked, type NewRule, proposeRule } from './rule-life.js';
export * from './rules.js';
export * from './states.js';
export { findReview, loadReviewRules, openReviews, reviewHoldsOn } from './store.js';
