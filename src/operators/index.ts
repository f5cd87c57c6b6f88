/** The bank's staff: who they are, what they may do, and the trail of what they did. */
export { operatorRoutes } from './routes.js';
export { PERMISSIONS, ROLES, type Role } from './rules.js';
export { auditTrail, changeOperator, createOperator, issueToken, operatorAuthentication, revokeAllTokens } from './staff.js';
export type { OperatorRow } from './store.js';
