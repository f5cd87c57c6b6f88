import { Books1700000000001 } from './0001-books.js';
import { Orders1700000000002 } from './0002-orders.js';

/** Forward only, in this order. Every class is listed: no globs, so that tests, CLI and processes see the same. */
export const migrations = [Books1700000000001, Orders1700000000002];
