/**
 * Files of fund companies (基金公司) in the exchange form of open-ended funds, by SFTP: orders out; confirmations, holdings, dividends and quotes in.
 * Guarantees: nothing of a file counts unless all of it is right; a file is handed in once; a file of any length is read in a few buffers.
 */
export { type FundExchange, fundExchange } from './exchange.js';
export * from './fund-files.js';
export { FundFileFaulty } from './ofd.js';
