/**
 * Deals whose money the bank lets go: templates as data, what a deal makes of one, what parties confirm and the bank reviews, and what
 * becomes of each stage by that.
 *
 * Guarantees: a deal never changes what it was agreed as; every fen that came in is let go or goes back, once; what happens depends on when
 * something was so and not on when it is looked at. Deliberately absent: no money moves here; the kinds of instructions read the deal.
 */
export { escrowAdminRoutes } from './admin-routes.js';
export { escrowAnswered } from './confirm.js';
export * from './moves.js';
export { planOf } from './plan.js';
export { escrowRoutes } from './routes.js';
export * from './rules.js';
export * from './store.js';
export { TEMPLATES } from './templates/index.js';
