/**
 * Funds that electronic accounts save in: the catalogue, what companies say of their days, holdings of units and orders of them.
 *
 * Guarantees: units are there or frozen or gone, never two of these; every fen on the collection account is one order's; what a customer is
 * paid at once stays within the law's cap over all his accounts. Deliberately absent: no money and no units move here (the kinds `fund-…`
 * do), and no file is exchanged.
 */
export { fundAdminRoutes } from './admin-routes.js';
export { takeFundDay } from './days.js';
export * from './moves.js';
export * from './records.js';
export { fundRoutes } from './routes.js';
export * from './rules.js';
export * from './states.js';
export * from './store.js';
