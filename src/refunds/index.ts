/**
 * What a refund after a split rests on when a receiver has the money no more: his margin, the platform's advance with what is owed for it,
 * and the queue of refunds that wait.
 *
 * Guarantees: what is owed is what was advanced less what was recovered; a refund that waits is in the queue or in the inbox, never in
 * both. Deliberately absent: nothing here moves money; the kinds of instructions do.
 */
export * from './records.js';
export { refundRoutes, setTarget } from './routes.js';
export * from './rules.js';
export * from './shortages.js';
export { missingOf, retryShortages, setCeiling, shardsWithShortages, wakeShortages } from './store.js';
export {
  keptBack,
  noteLowBalances,
  type Reserve,
  reservesOn,
  shardsWithCrossings,
  type Watch,
  wantedByRefunds,
  watchOn,
} from './watch-store.js';
