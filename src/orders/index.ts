/**
 * The records that instructions refer to: orders with their payer, what each receiver got out of them, and holds.
 *
 * Guarantees: an order's counters always add up to the balance of its account. Deliberately absent: no rule here moves money;
 * the kinds of instructions do.
 */
export * from './backgrounds.js';
export * from './categories.js';
export * from './purpose-records.js';
export { orderRoutes } from './routes.js';
export * from './store.js';
