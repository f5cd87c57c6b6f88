/**
 * People and companies that platforms serve: their particulars, and the checks that identifiers carry in themselves.
 *
 * Guarantees: a stored identity number passed its check; an answer never shows one whole. Deliberately absent: whether a
 * number was issued to that name is an outside check, which is not made here.
 */
export * from './rules.js';
export * from './store.js';
export * from './wire.js';
