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
export {
  bidRecords,
  claimRecords,
  compensationRecords,
  lendingOnRecords,
  openBidRecords,
  projectKey,
  projectRecords,
} from './records.js';
export { lendingRoutes } from './routes.js';
export * from './rules.js';
export * from './states.js';
export { claimsOf, dueProjects, findProject, findProjectByNo, type Lent, lentCount, lentOn, openProjects } from './store.js';
export { advancedRecords, lendingTermsOf, lendingTermsRecords } from './terms/store.js';
export * from './trade/rules.js';
export { saleRecords } from './trade/store.js';
