/**
 * A platform that stops or vanishes: its new business ends, what is due goes on, and its customers' money goes back to the accounts that they
 * bound, round by round, until the book is at zero.
 *
 *   proposed → winding-up → settled → closed
 *
 * Guarantees: two people begin it; no instruction is decided half before and half after; a round that is killed or runs twice pays nothing
 * twice; what cannot be returned stays in custody with its reason; the report adds up to the fen or is not signed; a book is closed only at
 * zero. Deliberately absent: it posts nothing; the engine decides its instructions like any other.
 */

export { windDownDue } from './round.js';
export { windDownRoutes } from './routes.js';
export { WIND_DOWN_TRANSITIONS } from './states.js';
