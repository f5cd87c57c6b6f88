/**
 * The business day: cut-off, check against the bank, interest, clearing to the sub-merchants, what is attested and told of it, close.
 *
 *   cut-off → reconcile → proof → interest → due → fees → netting → preview → payouts → results → attest → files → close
 *
 * Guarantees: no entry is dated on a day that was cut off; each step can run again from its beginning at any time and then
 * changes nothing; what a clearing pays is written down before any of it is instructed; a day that does not prove stops its
 * platform, and no other. Deliberately absent: postings; the clearing instructs, the engine decides.
 */
export { type CloseOptions, type CloseOutcome, closeDueDays, closeStep, keyOfStep, stepOfKey } from './close.js';
export { NOT_PAID } from './due-rules.js';
export { type NextClearing, nextClearing } from './due-store.js';
export { orderInterest } from './interest.js';
export { clearingLines } from './lines-store.js';
export { CLOSE_POINTS, type ClosePoint } from './progress.js';
export { clearingRoutes, type DayWithSteps, dayWithSteps } from './routes.js';
export { CLEARING_TRANSITIONS, DAY_TRANSITIONS, STEP_NAMES, STEPS } from './states.js';
export { closesDue, type Day, findDay, type StepRow, stepsOf } from './store.js';
