/**
 * The customer's own will: consents that are bound to one act, mandates with scope, caps and an end, and the receipts of both.
 *
 * Guarantees: a consent is used once, for what was shown; a mandate never goes beyond its caps; revoking acts at once.
 * Deliberately absent: no money moves here; the engine asks whether what it decides is covered.
 */
export { type AnswerHandler, type AnswerHandlers, expireConsents } from './answer.js';
export { askConsent, type Question } from './ask.js';
export { mandateAnswered } from './mandates/mandates.js';
export { noticeMandates } from './mandates/notices.js';
export { mandateRoutes } from './mandates/routes.js';
export { coverOf, type Debit, type DebitPayee, quotaOf } from './mandates/rules.js';
export { standingMandates } from './mandates/store.js';
export { type PolicyTable, proofNeeded } from './policy.js';
export { policyRoutes } from './policy-routes.js';
export { loadPolicies } from './policy-store.js';
export { receiptRoutes } from './receipts/routes.js';
export * from './records.js';
export { consentRoutes } from './routes.js';
export { type Bilingual, type Shown, type ShownLine, shownFen } from './rules.js';
export { queueSms, SMS_KEY, sendSms } from './sms/send.js';
export { isSmsDue } from './sms/store.js';
export { CONSENT_TRANSITIONS } from './states.js';
