/**
 * Why the money of an account may move or not, line by line.
 *
 * Guarantees: the lines are of one moment and add up to the figures, or nothing is answered. Deliberately absent: it decides nothing;
 * the ledger does.
 */
export { explainRoutes } from './routes.js';
