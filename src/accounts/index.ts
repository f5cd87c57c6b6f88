/**
 * A platform's book and functional accounts, sub-merchants with their virtual sub-accounts, electronic accounts of people with their
 * bound cards and the law's limits, and the reading of all of them.
 *
 * Guarantees: a sub-merchant's money has one way out, an account in its own name; a merchant number means one thing for ever; nobody has
 * more electronic accounts than the law lets him, wherever they stand, and none is bound to a card that its bank did not say is his;
 * no platform sees an account of another. Deliberately absent: nothing here moves money; instructions do.
 */
export { accountAdminRoutes } from './admin-routes.js';
export { openPlatform } from './book.js';
export { customerLock } from './customer-lock.js';
export {
  type Cycle,
  type CycleTerms,
  cycleFaults,
  dueDate,
  isPayDay,
  isSameDay,
  nextPayDay,
  SETTLED_WITHIN_DAYS,
} from './cycle.js';
export * from './electronic.js';
export { electronicAdminRoutes } from './electronic-admin-routes.js';
export { electronicRoutes } from './electronic-routes.js';
export * from './interest.js';
export * from './interest-store.js';
export { changeAnswered } from './life/ask.js';
export { accountChangeRoutes } from './life/routes.js';
export { shardsToVerify } from './life/store.js';
export { verifyChanges } from './life/verify.js';
export * from './limits.js';
export { verifyOpenings } from './opening/verify.js';
export { actingCustomer, isOwner, partyBehind } from './owners.js';
export { parameterRoutes } from './parameter-routes.js';
export { type PayInRule, payInRule, takes } from './pay-in-rules.js';
export { accountsByVirtualNo, payInRecords, type VirtualAccount } from './pay-in-store.js';
export { requireAccount, viewAccounts } from './reading.js';
export { accountRoutes } from './routes.js';
export { balancesOf, checkSubMerchant, type SettlementAccount } from './rules.js';
export {
  accountFunds,
  entriesBetween,
  merchantNumbersOf,
  ownCycles,
  placesOfDates,
  settlementAccountsOf,
  subMerchantsByAccount,
} from './store.js';
export { isOpening, openSubMerchants, payeeNames } from './sub-merchants.js';
export { subMerchantRequest } from './wire.js';
