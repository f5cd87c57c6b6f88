/**
 * The exchange of files with fund companies: orders of a trading day go out after 15:00; what became of them, what units earned and are worth, and who has
 * how many come in on the next one. What the companies say becomes instructions of the system; their holdings are compared with ours.
 *
 *   fill (orders of T, under each shard's row) → hand in → read theirs whole → quotes → income by days → confirmations → compare holdings → taken
 *
 * Guarantees: an order stands in one file for each time that it is sent; a file is handed in once and taken whole, once; what a file says acts once,
 * whatever was killed on the way; what does not fit is a case and never holds up the rest. Deliberately absent: no units and no money move here (the kinds
 * `fund-…` do); nothing is booked because of a holding that differs.
 */
export { exchangeFundFiles } from './exchange.js';
export { fundFileRoutes } from './routes.js';
