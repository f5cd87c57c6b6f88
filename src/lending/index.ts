/**
 * Projects that many lend to: what they are, what is offered to each, what its lenders are owed, and the plan by which it is paid back.
 *
 * Guarantees: what is raised is never above the amount; a project is lent out once, and whole; what a payment brings goes to its lenders to
 * the fen; nobody owes more than was lent and what it earned. Deliberately absent: no money moves here; the kinds of instructions do, between
 * lender and borrower alone.
 */
export { lendingAdminRoutes } from './admin-routes.js';
export { projectAnswered } from './confirm.js';
export * from './plan.js';
export { lendingRoutes } from './routes.js';
export * from './rules.js';
export { claimSaleRoutes } from './sale-routes.js';
export { advancedRecords, saleRecords } from './sale-store.js';
export * from './states.js';
export * from './store.js';
export { lendingTermsRoutes } from './terms-routes.js';
export { lendingTermsOf, lendingTermsRecords } from './terms-store.js';
export * from './trade.js';
export { dueOn, type Lent, lentCount, lentOn, openProjects } from './winding-store.js';
