/**
 * People and companies: those behind sub-merchants, with the checks that identifiers carry in themselves, and the users of platforms,
 * who are customers of the bank with verified names.
 *
 * Guarantees: a stored identity number passed its check and an answer never shows one whole; one identity is one customer, whatever
 * platforms it came through; a mobile number serves as many identities as the law lets it; what others answered is kept for ever.
 * Deliberately absent: no account is opened here, and no money moves.
 */
export { verifiedAccountOf } from './documents/trials.js';
export { partyRoutes } from './routes.js';
export * from './rules.js';
export { TRIAL_TRANSITIONS, USER_TRANSITIONS } from './states.js';
export * from './store.js';
export { changeMobile, provableMobiles } from './users/mobiles.js';
export type { Particulars } from './users/particulars.js';
export { checkIdNo, isOfAge, type PersonIdType } from './users/particulars.js';
export {
  type Customer,
  customerOf,
  takeCustomer,
  touchCustomer,
  type User,
} from './users/records.js';
export { isRegistration, registerUsers } from './users/register.js';
export {
  type AsOf,
  activateUser,
  customerStanding,
  declineUser,
  isIdTaskOverdue,
  type KnownUser,
  requireActingUser,
  requireUser,
  userStanding,
} from './users/standing.js';
export type { LockCustomer } from './watch/stops.js';
export { watchNameIndex } from './watch/watch-list.js';
export * from './wire.js';
export { askOthers, lookAfterCustomers, partiesWork } from './work.js';
