/**
 * Which channel carries a payment: what each channel carries, when and for how much, and the cheapest assignment of a whole batch.
 *
 * Guarantees: no payment is split, and none goes where its amount, its payee's bank, the day or the hour forbids; who banks with the custodian is
 * paid in its own book; the amounts on a channel are within its float, their count within its capacity; terms that were in force are never
 * rewritten. Deliberately absent: sending, reserving floats, and the health of channels (see dispatch, which hands them in).
 */
export { type Assignment, type AssignOptions, assign, type Bid, type BidOption, type Place } from './assign.js';
export { type BatchRoutes, routeBatch, type WhatIf, whatIf } from './batch.js';
export { openState, openUntil, type Window, windowsOf } from './hours.js';
export { routingRoutes } from './routes.js';
export {
  type Judged,
  judge,
  type Position,
  ROUTE_REASONS,
  type Routable,
  type Route,
  type RouteReason,
  routeOne,
  standingOf,
} from './rules.js';
export { addOutage, addTerms, endOutage, loadChannelTable } from './store.js';
export {
  type ChannelTable,
  type ChannelTerms,
  channelTable,
  isCollecting,
  type Outage,
  ROUTED_CHANNELS,
  type RoutedChannel,
  type TermsRow,
  termsSchema,
} from './terms.js';
