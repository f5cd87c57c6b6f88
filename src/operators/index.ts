/** The bank's staff: who they are, what they may do, and the trail of what they did. */
export { operatorRoutes } from './routes.js';
export { PERMISSIONS, ROLES, type Role } from './rules.js';
export { auditTrail, changeOperator, createOperator, issueToken, operatorAuthentication } from './staff.js';
