/**
 * The record of money that leaves: what is to be paid to whom, and what became of it.
 *
 * Guarantees: a payout has one number for ever, and follows `states.ts`. Deliberately absent: sending (see dispatch) and every
 * movement of money (see the kinds of instructions).
 */

export * from './collection-store.js';
export * from './leaving-store.js';
export * from './states.js';
export * from './store.js';
