/** The words everyone uses. Pure: no clock, no chance, no database, and it imports no other folder. */
export * from './bars.js';
export * from './calendar.js';
export * from './canonical.js';
export * from './identifiers.js';
export * from './ids.js';
export * from './money.js';
export * from './refusals.js';
export * from './signed.js';
export * from './time.js';
export * from './two-people.js';
