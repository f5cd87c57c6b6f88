/**
 * What platforms and account holders get: check files of every business day, statements of accounts, and receipts of entries.
 *
 * Guarantees: all of it is made from what is written once and never changed, so it says the same whenever it is made; a check file that came
 * out otherwise is given to nobody; nothing shows a person's data in full. Deliberately absent: the content of files is kept nowhere, and
 * nothing here moves money.
 */
export { makeDayFiles } from './check-files/make.js';
export { reportingRoutes } from './routes.js';
export { openFileServer } from './sftp/server.js';
