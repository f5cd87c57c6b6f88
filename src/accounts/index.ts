/**
 * A platform's book and functional accounts, sub-merchants with their virtual sub-accounts, and the reading of all of them.
 *
 * Guarantees: a sub-merchant's money has one way out, an account in its own name; a merchant number means one thing for ever;
 * no platform sees an account of another. Deliberately absent: nothing here moves money; instructions do.
 */
export { accountAdminRoutes } from './admin-routes.js';
export { openPlatform } from './book.js';
export * from './electronic.js';
export * from './interest.js';
export * from './interest-store.js';
export * from './limits.js';
export { requireAccount } from './reading.js';
export { accountRoutes } from './routes.js';
export type { SettlementAccount } from './rules.js';
export { openSettlementAccount, settlementAccountsOf } from './store.js';
export { isOpening, openSubMerchants, payeeNames } from './sub-merchants.js';
