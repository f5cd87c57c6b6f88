/**
 * The way out and in: gives payouts their channels, sends them, collects top-ups by theirs, learns what became of them, and answers the core
 * bank about transfers that it holds for us. Keeps the bank's own money in the channels, and watches how they do.
 *
 *   plan/ (route what is due together, reserve its float, commit)
 *   → sending/ (claim, commit, call; ask) → answers/ and news/ → instructions, which the engine decides; turned away → plan/
 *   incoming/: held transfers → rows → instructions → accepted or rejected at the core bank
 *
 * Guarantees: a payout is committed as sent before any channel hears of it; it is only ever sent under its own number, and to another channel only
 * after one turned it away for good; no float is given away twice; nothing of a platform whose books did not prove is sent. Deliberately
 * absent: every movement of customers' money, which is the engine's alone.
 */

export { putOff } from './answers/answers.js';
export {
  createDesk,
  type Desk,
  type Directive,
  decideNow,
  failedDirective,
  returnedDirective,
  settledByStatement,
  settledDirective,
} from './desk.js';
export { bookFloats, restoreFloats } from './floats/floats.js';
export { FLOAT_TRANSFER_TRANSITIONS } from './floats/states.js';
export { carryTransfers } from './floats/transfers.js';
export { watchFloats } from './floats/watch.js';
export { answerIncoming, takeIncoming } from './incoming/incoming.js';
export { countUnanswered } from './incoming/store.js';
export { takeNews } from './news/news.js';
export { type Forecast, forecastClearing } from './plan/forecast.js';
export { WHY_NOT, WHY_NOT_WORDS } from './plan/why.js';
export { dispatchRoutes } from './routes.js';
export { tidyReason } from './rules.js';
export { endIntercepted } from './sending/intercept.js';
export { lapseCollections } from './sending/lapse.js';
export { ask, pollDue } from './sending/poll.js';
export { sendAgain, sendDue } from './sending/send.js';
export { SIGNING_TRANSITIONS } from './signing/states.js';
export { findDispatches } from './store.js';
