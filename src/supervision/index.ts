/**
 * What authorities and the law ask of the bank: large-value and suspicious reports, the quarterly data about platforms' sellers, custody reports, and
 * how long records are kept.
 *
 *   flows of a natural day → totals by customer → large values, cases of suspicion → people → the monitoring centre
 *
 * Guarantees: a flow counts once, for one customer over all platforms, each side for itself; a day looked at again gives the same; what needs two
 * people is never done by one; a file made again of the books has the same bytes; no platform and no customer learns that somebody looked.
 * Deliberately absent: it moves no money, stops nobody, deletes nothing, and sends nothing to an authority by itself.
 */
export { makeMonthlyReports } from './custody-report.js';
export { watchDeadlines } from './deadlines.js';
export { supervisionRoutes } from './routes.js';
export { LARGE_VALUE_TRANSITIONS, SUSPICION_TRANSITIONS, TAX_TRANSITIONS } from './states.js';
export { makeTaxReports } from './tax.js';
export { dayToWatch, watchDay } from './watch-day.js';
