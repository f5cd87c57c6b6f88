/**
 * What a platform and its sub-merchants agreed on and the bank accepted: split rules, caps, settlement cycle and refund rules, in versions
 * with dates.
 *
 * Guarantees: a version is in force only after every receiver signed and two people of the bank approved it; no two are in force at once
 * but a promotion over what it amends; what a rule gives away is exactly what there is. Deliberately absent: no money moves here.
 */
export { agreementAdminRoutes } from './admin-routes.js';
export { decidePayoutFee, type PayTerms, payoutFee, payTermsOf } from './pay-terms.js';
export { agreementRecords, compileTerms, versionRecords } from './records.js';
export { agreementRoutes } from './routes.js';
export { checkRule } from './rule-check.js';
export {
  compileRule,
  evaluateRule,
  type Party,
  shareOfPart,
} from './rules.js';
export { agreementAnswered } from './sign.js';
export { VERSION_TRANSITIONS } from './states.js';
export {
  type AgreementVersion,
  agreedOn,
  allowsCategory,
  SETTLED_AS_BOUND,
  type Terms,
  versionOn,
} from './terms.js';
