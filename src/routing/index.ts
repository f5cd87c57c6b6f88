/**
 * Which channel carries a payment: what each channel carries, when and for how much, and the cheapest assignment of a whole batch.
 *
 * Guarantees: no payment is split, and none goes where its amount, its payee's bank, the day or the hour forbids; who banks with the custodian is
 * paid in its own book; the amounts on a channel are within its float, their count within its capacity; terms that were in force are never
 * rewritten. Deliberately absent: sending, reserving floats, and the health of channels (see dispatch, which hands them in).
 */
export { routeBatch, type WhatIf, whatIf } from './batch.js';
export { routingRoutes } from './routes.js';
export {
  type Judged,
  judge,
  type Position,
  ROUTE_REASONS,
  type Routable,
  type Route,
  routeOne,
  standingOf,
} from './rules.js';
export { loadChannelTable } from './store.js';
export { type ChannelTable, type ChannelTerms, channelTable, type Outage, termsSchema } from './terms.js';
