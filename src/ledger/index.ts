/**
 * Double entry: the chart of accounts, the one way to post, balances, and the hash chain of each account.
 *
 * Guarantees: the postings of an instruction sum to zero; no account falls below its floor; an entry is never changed.
 * Deliberately absent: it does not know instructions, orders or payouts, and never decides whether a movement is allowed.
 */
export * from './chart.js';
export * from './closing-store.js';
export * from './credits-store.js';
export * from './post.js';
export * from './records.js';
export * from './store.js';
export { type VerifyCursor, verifyAccounts, verifyPage } from './verify.js';
